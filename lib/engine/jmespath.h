/* lib/engine/jmespath.h - JMESPath, the language of json_query: compile an expression, search a value.
 * Owns:  the compiled form and results live in the arena given; results share parts of the value searched.
 * Fails: HF_E_TEMPLATE with the position in the expression; HF_E_LIMIT for nesting and size. */
#pragma once
#include "lib/data/value.h"

enum { HF_JMESPATH_DEPTH_MAX = 100, HF_JMESPATH_SIZE_MAX = 1 << 16, HF_JMESPATH_STEPS_MAX = 10000000 };

struct jmespath_node;
HF_CHECK int hf_jmespath_compile(
	struct hf_arena *a, struct hf_str text, struct jmespath_node **ret, struct hf_error *err);
HF_CHECK int hf_jmespath_search(struct hf_arena *a, const struct jmespath_node *expression,
	struct hf_value *v, struct hf_value **ret, struct hf_error *err);
