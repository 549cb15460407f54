/* modules/getent.c - entries of the system's databases, under ansible_facts.getent_<database>. */
#include <string.h>

#include "modules/host.h"

struct params {
	const char *database, *key, *service, *split;
	int fail_key;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "database", HF_ARG_STR, AT(database), .flags = HF_REQUIRED },
	{ "key", HF_ARG_STR, AT(key), .dflt = "" },
	{ "service", HF_ARG_STR, AT(service) },
	{ "split", HF_ARG_STR, AT(split) },
	{ "fail_key", HF_ARG_BOOL, AT(fail_key), .dflt = "yes" },
	{ .type = HF_ARG_END },
};

/* Fields cut at split, or at white space when it is NULL. */
static struct hf_value *record(struct hf_arena *a, struct hf_str line, const char *split)
{
	struct hf_value *fields = hf_value_list(a);
	while (split != NULL && split[0] != '\0') {
		size_t at = hf_str_find(line, hf_str(split), 0);
		if (at == SIZE_MAX)
			break;
		hf_list_append(fields, hf_value_str(a, hf_strn(line.p, at)));
		line = hf_strn(line.p + at + strlen(split), line.n - at - strlen(split));
	}
	if (split != NULL) {
		hf_list_append(fields, hf_value_str(a, line));
		return fields;
	}
	for (size_t i = 0; i < line.n;) {
		size_t start = i;
		while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t')
			i++;
		if (i > start)
			hf_list_append(fields, hf_value_str(a, hf_strn(line.p + start, i - start)));
		else
			i++;
	}
	return fields;
}

static struct hf_value *after_first(struct hf_arena *a, const struct hf_value *fields)
{
	struct hf_value *rest = hf_value_list(a);
	for (size_t i = 1; i < hf_list_len(fields); i++)
		hf_list_append(rest, hf_list_at(fields, i));
	return rest;
}

/* The second record of one key makes a list of records, as Ansible does. */
static void table_add(struct hf_arena *a, struct hf_value *table, struct hf_value *repeated,
	struct hf_str line, const char *split)
{
	struct hf_value *fields = record(a, line, split);
	if (hf_list_len(fields) == 0)
		return;
	const char *key = hf_list_at(fields, 0)->u.string.p;
	struct hf_value *before = hf_dict_get(table, key), *rest = after_first(a, fields);
	if (before == NULL) {
		hf_dict_put(table, key, rest);
	} else if (hf_dict_get(repeated, key) != NULL) {
		hf_list_append(before, rest);
	} else {
		struct hf_value *list = hf_value_list(a);
		hf_list_append(list, before);
		hf_list_append(list, rest);
		hf_dict_put(table, key, list);
		hf_dict_put(repeated, key, hf_value_bool(a, true));
	}
}

static bool database_has_colons(const char *name)
{
	static const char *const names[] = { "passwd", "shadow", "group", "gshadow", NULL };
	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int getent_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	static const char *const problems[] = { "Unexpected failure!",
		"Missing arguments, or database unknown.",
		"One or more supplied key could not be found in the database.",
		"Enumeration not supported on this database." };
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "getent", p->database, NULL);
	if (p->key[0] != '\0')
		hf_words_add(&w, p->key);
	if (p->service != NULL) {
		hf_words_add(&w, "-s");
		hf_words_add(&w, p->service);
	}
	struct hf_proc_result ran;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	if (r < 0)
		return r;
	struct hf_value *table = hf_value_dict(a), *repeated = hf_value_dict(a), *facts = hf_value_dict(a);
	const char *problem = problems[ran.status > 0 && ran.status < 4 ? ran.status : 0];
	if (ran.status != 0 && (ran.status != 2 || p->fail_key == HF_YES))
		return hf_fail(err, HF_E_TASK, "%s", problem);
	const char *split = p->split == NULL && database_has_colons(p->database) ? ":" : p->split;
	struct hf_str rest = ran.out, line;
	while (ran.status == 0 && hf_str_split(&rest, '\n', &line))
		if (line.n > 0)
			table_add(a, table, repeated, line, split);
	if (ran.status == 2) {
		hf_dict_put(table, p->key, hf_value_null(a));
		hf_result_cstr(c, change, "msg", problem);
	}
	hf_dict_put(facts, hf_sprintf(a, "getent_%s", p->database), table);
	hf_result_put(c, change, "ansible_facts", facts);
	return 0;
}

const struct hf_module hf_module_getent = {
	.name = "getent",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY,
	.check = getent_check,
};
