/* lib/engine/literal.h - Python's ast.literal_eval(), with JSON's true, false and null as Ansible allows
 * them. */
#pragma once
#include "lib/data/value.h"

enum { HF_LITERAL_DEPTH_MAX = 100 };

/* False when text is not one literal; nothing is written then. */
bool hf_literal_parse(struct hf_arena *a, struct hf_str text, struct hf_value **ret);
/* True when str(v) read back by hf_literal_parse() gives v again, so that nobody needs to do it. */
bool hf_literal_stable(const struct hf_value *v);
