#include <stddef.h>

#include "lib/engine/module.h"

struct params {
	const char *key;
	struct hf_value *parents;
};

static const struct hf_arg args[] = {
	{ "key", HF_ARG_STR, offsetof(struct params, key), HF_REQUIRED, .help = "The group's name." },
	{ "parents", HF_ARG_LIST, offsetof(struct params, parents), .dflt = "all", .elements = HF_ARG_STR,
		.help = "Groups the new one belongs to." },
	{ .type = HF_ARG_END },
};

static const char *without_blanks(struct hf_arena *a, const char *name)
{
	char *s = hf_strdup(a, name);
	for (char *p = s; *p != '\0'; p++) {
		if (*p == ' ')
			*p = '-';
	}
	return s;
}

static int group_by_check(struct hf_module_context *c, const void *params, struct hf_change *change,
	struct hf_error *err HF_UNUSED)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *parents = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(p->parents); i++)
		hf_list_append(
			parents, hf_value_cstr(a, without_blanks(a, hf_list_at(p->parents, i)->u.string.p)));
	hf_result_cstr(c, change, "add_group", without_blanks(a, p->key));
	hf_result_put(c, change, "parent_groups", parents);
	return 0;
}

const struct hf_module hf_module_group_by = {
	.name = "group_by",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = group_by_check,
};
