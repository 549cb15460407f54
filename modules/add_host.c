#include <string.h>

#include "lib/engine/module.h"

static const char *const name_keys[] = { "name", "hostname", "host", NULL };
static const char *const group_keys[] = { "groups", "groupname", "group", NULL };

static struct hf_value *first_of(const struct hf_value *dict, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		struct hf_value *v = hf_dict_get(dict, names[i]);
		if (v != NULL)
			return v;
	}
	return NULL;
}

static bool is_one_of(const char *word, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(word, names[i]) == 0)
			return true;
	}
	return false;
}

static struct hf_value *group_list(struct hf_arena *a, const struct hf_value *given)
{
	struct hf_value *list = hf_value_list(a);
	if (hf_is_sequence(given)) {
		for (size_t i = 0; i < hf_list_len(given); i++)
			hf_list_append(
				list, hf_value_str(a, hf_str_trim(hf_value_text(a, hf_list_at(given, i)))));
	} else if (given != NULL) {
		struct hf_str rest = hf_value_text(a, given), piece;
		while (hf_str_split(&rest, ',', &piece))
			hf_list_append(list, hf_value_str(a, hf_str_trim(piece)));
	}
	return list;
}

/* "host:22" and "[::1]:22" say the port besides. */
static struct hf_str split_port(struct hf_str name, int64_t *ret_port)
{
	const char *colon = memrchr(name.p, ':', name.n);
	if (colon == NULL)
		return name;
	struct hf_str host = hf_strn(name.p, (size_t)(colon - name.p)),
		      port = hf_strn(colon + 1, name.n - host.n - 1);
	bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if ((!bracketed && memchr(host.p, ':', host.n) != NULL) || host.n == 0 || port.n > 5 ||
		!hf_str_to_int64(port, ret_port) || *ret_port <= 0)
		return name;
	return bracketed ? hf_strn(host.p + 1, host.n - 2) : host;
}

static int add_host_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct hf_value *given = *(struct hf_value *const *)params,
			      *raw = hf_dict_get(given, "_raw_params");
	struct hf_arena *a = hf_task_arena(c);
	if (raw != NULL && !hf_is(raw, HF_DICT))
		return hf_fail(err, HF_E_TASK,
			"Invalid raw parameters passed, requires a dictonary/mapping got a  <class '%s'>",
			hf_type_name(raw));
	if (raw != NULL) {
		struct hf_value *all = hf_value_shallow(a, raw);
		HF_DICT_EACH (given, e)
			hf_dict_set(all, hf_entry_key(e), hf_entry_value(e));
		hf_dict_remove(all, "_raw_params");
		given = all;
	}
	const struct hf_value *name = first_of(given, name_keys);
	if (name == NULL)
		return hf_fail(err, HF_E_TASK, "name, host or hostname needs to be provided");
	struct hf_value *vars = hf_value_dict(a), *host = hf_value_dict(a);
	HF_DICT_EACH (given, e) {
		const char *key = hf_value_text(a, hf_entry_key(e)).p;
		if (!is_one_of(key, name_keys) && !is_one_of(key, group_keys))
			hf_dict_put(vars, key, hf_entry_value(e));
	}
	int64_t port = 0;
	hf_dict_put(host, "host_name", hf_value_str(a, split_port(hf_value_text(a, name), &port)));
	if (port > 0)
		hf_dict_put(vars, "ansible_ssh_port", hf_value_int(a, port));
	hf_dict_put(host, "groups", group_list(a, first_of(given, group_keys)));
	hf_dict_put(host, "host_vars", vars);
	hf_result_put(c, change, "add_host", host);
	return 0;
}

static const struct hf_arg shown[] = {
	{ "name", HF_ARG_STR, .flags = HF_REQUIRED,
		.aliases = (const char *const[]){ "hostname", "host", NULL },
		.help = "The host; host:port also says ansible_ssh_port." },
	{ "groups", HF_ARG_LIST, .aliases = (const char *const[]){ "groupname", "group", NULL },
		.help = "Groups it belongs to." },
	{ .type = HF_ARG_END },
};

const struct hf_module hf_module_add_host = {
	.name = "add_host",
	.collection = "ansible.builtin",
	.shown = shown,
	.flags = HF_MODULE_ANY_ARGS | HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = add_host_check,
};
