#include <stddef.h>

#include "lib/engine/module.h"

struct params {
	const char *msg;
};

static const struct hf_arg args[] = {
	{ "msg", HF_ARG_STR, offsetof(struct params, msg), .dflt = "Failed as requested from task",
		.help = "Why." },
	{ .type = HF_ARG_END },
};

static int fail_check(struct hf_module_context *c HF_UNUSED, const void *params,
	struct hf_change *change HF_UNUSED, struct hf_error *err)
{
	const struct params *p = params;
	return hf_fail(err, HF_E_TASK, "%s", p->msg);
}

const struct hf_module hf_module_fail = {
	.name = "fail",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = fail_check,
};
