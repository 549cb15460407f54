/* lib/data/schema_convert.h - for schema*.c and for modules that convert what lies deeper: one value turned
 * into the type an argument table asks for. */
#pragma once
#include "lib/data/schema.h"

/* The value as arg wants it: text for STR, PATH, MODE, JSON and ENUM; int, float, bool, list or dict
 * otherwise. label is the option's name for messages, with the names of the options around it. */
HF_CHECK int hf_schema_convert(struct hf_arena *a, const struct hf_arg *arg, const char *label,
	struct hf_value *value, struct hf_value **ret, struct hf_error *err);
/* Index of text in NULL-terminated choices; -1 when it is not there. */
int hf_schema_choice(const char *const *choices, struct hf_str text);
