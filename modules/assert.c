#include <stddef.h>

#include "lib/engine/module.h"

struct params {
	struct hf_value *that, *fail_msg, *success_msg;
	enum hf_tristate quiet;
};

static const char *const fail_aliases[] = { "msg", NULL };
static const struct hf_arg args[] = {
	{ "fail_msg", HF_ARG_RAW, offsetof(struct params, fail_msg), .aliases = fail_aliases,
		.help = "What to say when it does not hold." },
	{ "quiet", HF_ARG_BOOL, offsetof(struct params, quiet), .dflt = "no", .help = "Say less." },
	{ "success_msg", HF_ARG_RAW, offsetof(struct params, success_msg),
		.help = "What to say when all hold." },
	{ "that", HF_ARG_RAW, offsetof(struct params, that), HF_REQUIRED,
		.help = "Conditions that must all hold." },
	{ .type = HF_ARG_END },
};

static int assert_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *that = p->that;
	if (!hf_is(that, HF_LIST)) {
		that = hf_value_list(a);
		hf_list_append(that, p->that);
	}
	hf_result_bool(c, change, "_ansible_verbose_always", p->quiet != HF_YES);
	for (size_t i = 0; i < hf_list_len(that); i++) {
		bool holds = false;
		int r = hf_task_condition(c, hf_list_at(that, i), &holds, err);
		if (r < 0)
			return r;
		if (holds)
			continue;
		hf_result_bool(c, change, "evaluated_to", false);
		hf_result_put(c, change, "assertion", hf_list_at(that, i));
		if (p->fail_msg == NULL)
			return hf_fail(err, HF_E_TASK, "Assertion failed");
		hf_result_put(c, change, "msg", p->fail_msg);
		return hf_fail(err, HF_E_TASK, "%s", hf_value_text(a, p->fail_msg).p);
	}
	if (p->success_msg != NULL)
		hf_result_put(c, change, "msg", p->success_msg);
	else
		hf_result_cstr(c, change, "msg", "All assertions passed");
	return 0;
}

const struct hf_module hf_module_assert = {
	.name = "assert",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = assert_check,
};
