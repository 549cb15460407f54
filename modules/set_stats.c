#include <stddef.h>

#include "lib/engine/module.h"

struct params {
	struct hf_value *data;
	const char *aggregate, *per_host; /* what is no boolean is false, as in Ansible */
};

static const struct hf_arg args[] = {
	{ "aggregate", HF_ARG_STR, offsetof(struct params, aggregate), .dflt = "yes",
		.help = "Add to what is there." },
	{ "data", HF_ARG_RAW, offsetof(struct params, data), .help = "Names and values." },
	{ "per_host", HF_ARG_STR, offsetof(struct params, per_host), .dflt = "no",
		.help = "For this host only." },
	{ .type = HF_ARG_END },
};

static int set_stats_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_value *stats = hf_value_dict(hf_task_arena(c));
	if (p->data != NULL && !hf_is(p->data, HF_DICT))
		return hf_fail(err, HF_E_TASK, "The 'data' option needs to be a dictionary/hash");
	HF_DICT_EACH (p->data != NULL ? p->data : stats, e) {
		struct hf_str name = hf_value_text(hf_task_arena(c), hf_entry_key(e));
		if (!hf_str_is_name(name))
			return hf_fail(err, HF_E_TASK,
				"The variable name '%s' is not valid. Variables must start with a letter or "
				"underscore character, and contain only letters, numbers and underscores.",
				name.p);
	}
	hf_dict_put(stats, "data", p->data != NULL ? p->data : hf_value_dict(hf_task_arena(c)));
	hf_dict_put(stats, "aggregate",
		hf_value_bool(hf_task_arena(c), hf_text_bool(hf_str(p->aggregate)) == HF_YES));
	hf_dict_put(stats, "per_host",
		hf_value_bool(hf_task_arena(c), hf_text_bool(hf_str(p->per_host)) == HF_YES));
	hf_result_put(c, change, "ansible_stats", stats);
	return 0;
}

const struct hf_module hf_module_set_stats = {
	.name = "set_stats",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = set_stats_check,
};
