/* cli/eval_jinja.h - plain Jinja2 cases of `holdfast eval --jsonl` (engine "jinja2"). */
#pragma once
#include "lib/data/value.h"

/* request: one line of the protocol: template, vars, opts, templates. *ret_result is {"result": text} or
 * {"error": kind, "message": text}; fails only when the request itself makes no sense. */
HF_CHECK int cli_eval_jinja(struct hf_arena *a, const struct hf_value *request, struct hf_value **ret_result,
	struct hf_error *err);
