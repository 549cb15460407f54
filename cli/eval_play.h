/* cli/eval_play.h - measured plays: a task list or play body run on one local host, its task results as a
 * value. */
#pragma once
#include "cli/eval_cases.h"

HF_CHECK int cli_eval_play(const struct eval_case *c, struct hf_value **ret, struct hf_error *err);
