#include <stddef.h>

#include "lib/engine/module.h"

struct params {
	struct hf_value *msg;
};

static const struct hf_arg args[] = {
	{ "msg", HF_ARG_RAW, offsetof(struct params, msg),
		.help = "Why; \"Failed as requested from task\" by default." },
	{ .type = HF_ARG_END },
};

/* The message stays what it is: a dictionary is registered as one. */
static int fail_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *msg = p->msg;
	if (msg == NULL)
		msg = hf_task_null(c, "msg") ? hf_value_null(a)
					     : hf_value_cstr(a, "Failed as requested from task");
	hf_result_put(c, change, "msg", msg);
	return hf_fail(err, HF_E_TASK, "%s", hf_value_text(a, msg).p);
}

const struct hf_module hf_module_fail = {
	.name = "fail",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = fail_check,
};
