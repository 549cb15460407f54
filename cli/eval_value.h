/* cli/eval_value.h - values in the JSON of measured cases, with marks for what JSON does not have. */
#pragma once
#include "lib/data/value.h"

/* {"__ansible_unsafe": s}, {"__ansible_vault": s}, {"__omit": true}, {"__pairs__": […]}, {"__float__":
 * "inf"},
 * {"__date__"}, {"__datetime__"}, {"__bytes__"}, {"__set__"} become what they stand for, in all depths. */
HF_CHECK int cli_value_decode(
	struct hf_arena *a, const struct hf_value *json, struct hf_value **ret, struct hf_error *err);
/* The way back. unsafe: strings marked unsafe are shown as such (YAML only). */
struct hf_value *cli_value_encode(struct hf_arena *a, const struct hf_value *v, bool unsafe);
