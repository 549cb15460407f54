#include <ctype.h>

#include "lib/engine/args.h"
#include "lib/engine/module.h"

/* `set_fact: a=yes`: text that names a boolean becomes one. */
static struct hf_value *from_text(struct hf_arena *a, struct hf_value *v)
{
	static const char *const words[] = { "true", "false", "yes", "no" };
	static const bool truth[] = { true, false, true, false };
	for (size_t i = 0; hf_is(v, HF_STRING) && i < HF_COUNT(words); i++) {
		const char *word = words[i];
		size_t n = 0;
		while (n < v->u.string.n && word[n] != '\0' &&
			tolower((unsigned char)v->u.string.p[n]) == word[n])
			n++;
		if (n == v->u.string.n && word[n] == '\0')
			return hf_value_taint(a, hf_value_bool(a, truth[i]), v);
	}
	return v;
}

static int set_fact_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct hf_value *given = *(struct hf_value *const *)params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *facts = hf_value_dict(a);
	const struct hf_value *cacheable = hf_dict_get(given, "cacheable");
	HF_DICT_EACH (given, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (hf_is(key, HF_STRING) && hf_str_is(key->u.string, "cacheable"))
			continue;
		struct hf_str name = hf_value_text(a, key);
		if (!hf_str_is_name(name))
			return hf_fail_at(err, HF_E_TASK, hf_value_pos(key),
				"The variable name '%s' is not valid. Variables must start with a letter or "
				"underscore character, "
				"and contain only letters, numbers and underscores.",
				name.p);
		hf_dict_put(facts, name.p, from_text(a, hf_entry_value(e)));
	}
	if (hf_dict_len(facts) == 0)
		return hf_fail(err, HF_E_TASK,
			"No key/value pairs provided, at least one is required for this action to succeed");
	hf_result_put(c, change, "ansible_facts", facts);
	hf_result_bool(c, change, "_ansible_facts_cacheable",
		cacheable != NULL && hf_text_bool(hf_value_text(a, cacheable)) == HF_YES);
	return 0;
}

static const struct hf_arg shown[] = {
	{ "cacheable", HF_ARG_BOOL, .dflt = "no", .help = "Also keep them as facts between runs." },
	{ .type = HF_ARG_END },
};

const struct hf_module hf_module_set_fact = {
	.name = "set_fact",
	.collection = "ansible.builtin",
	.shown = shown,
	.flags = HF_MODULE_ANY_ARGS | HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = set_fact_check,
};
