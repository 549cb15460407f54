#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "lib/engine/module.h"

struct params {
	const char *prompt;
	double minutes, seconds;
	enum hf_tristate echo;
};

static const struct hf_arg args[] = {
	{ "echo", HF_ARG_BOOL, offsetof(struct params, echo), .dflt = "yes", .help = "Show what is typed." },
	{ "minutes", HF_ARG_FLOAT, offsetof(struct params, minutes), .help = "How long." },
	{ "prompt", HF_ARG_STR, offsetof(struct params, prompt), .help = "What to say while waiting." },
	{ "seconds", HF_ARG_FLOAT, offsetof(struct params, seconds), .help = "How long." },
	{ .type = HF_ARG_END },
};
static const char *const duration[] = { "minutes", "seconds", NULL };
static const struct hf_rule rules[] = {
	{ .kind = HF_RULE_EXCLUSIVE, .names = duration },
	{ .kind = HF_RULE_END },
};

static int pause_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	bool timed = hf_task_given(c, "minutes") || hf_task_given(c, "seconds");
	double seconds = p->minutes * 60 + p->seconds;
	if (!timed && isatty(STDIN_FILENO))
		return hf_fail(err, HF_E_UNSUPPORTED,
			"pause without minutes or seconds waits for a person; give a duration");
	if (timed && seconds < 1)
		seconds = 1;
	if (!timed)
		hf_task_warn(c, "Not waiting for response to prompt as stdin is not interactive");
	struct timespec left = { .tv_sec = (time_t)seconds };
	while (left.tv_sec > 0 && nanosleep(&left, &left) < 0) {
	}
	hf_result_int(c, change, "delta", (int64_t)seconds);
	hf_result_cstr(c, change, "user_input", "");
	hf_result_bool(c, change, "echo", p->echo == HF_YES);
	return 0;
}

const struct hf_module hf_module_pause = {
	.name = "pause",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = pause_check,
};
