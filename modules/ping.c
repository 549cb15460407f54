#include <stddef.h>
#include <string.h>

#include "lib/engine/module.h"

struct params {
	const char *data;
};

static const struct hf_arg args[] = {
	{ "data", HF_ARG_STR, offsetof(struct params, data), .dflt = "pong",
		.help = "What to answer; crash fails." },
	{ .type = HF_ARG_END },
};

static int ping_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	if (strcmp(p->data, "crash") == 0)
		return hf_fail(err, HF_E_TASK, "boom");
	hf_result_cstr(c, change, "ping", p->data);
	return 0;
}

const struct hf_module hf_module_ping = {
	.name = "ping",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY,
	.check = ping_check,
};
