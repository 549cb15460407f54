#include <stddef.h>

#include "lib/engine/module.h"

struct params {
	struct hf_value *msg, *var;
	int64_t verbosity;
};

static const struct hf_arg args[] = {
	{ "msg", HF_ARG_RAW, offsetof(struct params, msg),
		.help = "What to print; \"Hello world!\" by default." },
	{ "var", HF_ARG_RAW, offsetof(struct params, var), .help = "A variable or expression to print." },
	{ "verbosity", HF_ARG_INT, offsetof(struct params, verbosity), .dflt = "0",
		.help = "Print only when run with at least this many -v." },
	{ .type = HF_ARG_END },
};
static const char *const msg_or_var[] = { "msg", "var", NULL };
static const struct hf_rule rules[] = {
	{ .kind = HF_RULE_EXCLUSIVE, .names = msg_or_var },
	{ .kind = HF_RULE_END },
};

static int put_variable(
	struct hf_module_context *c, struct hf_value *var, struct hf_change *change, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	if (hf_is(var, HF_DICT) || hf_is_sequence(var)) {
		hf_result_put(c, change, hf_sprintf(a, "<class '%s'>", hf_type_name(var)), var);
		return 0;
	}
	struct hf_str text = hf_value_text(a, var);
	struct hf_value *value = NULL;
	int r = hf_task_evaluate(c, text, &value, err);
	if (r == -HF_E_UNDEFINED) {
		value = hf_value_cstr(a, "VARIABLE IS NOT DEFINED!");
		r = 0;
	}
	if (r == 0)
		hf_result_put(c, change, text.p, value);
	return r;
}

static int debug_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	if (p->verbosity > hf_task_verbosity(c)) {
		change->skipped = true;
		hf_result_cstr(c, change, "skipped_reason", "Verbosity threshold not met.");
		return 0;
	}
	hf_result_bool(c, change, "_ansible_verbose_always", true);
	if (p->var != NULL)
		return put_variable(c, p->var, change, err);
	struct hf_value *nothing = hf_task_null(c, "msg") ? hf_value_null(hf_task_arena(c))
							  : hf_value_cstr(hf_task_arena(c), "Hello world!");
	hf_result_put(c, change, "msg", p->msg != NULL ? p->msg : nothing);
	return 0;
}

const struct hf_module hf_module_debug = {
	.name = "debug",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = debug_check,
};
