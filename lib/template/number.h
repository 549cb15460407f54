/* lib/template/number.h - numbers from text, as Python's int() and float() read them. Private to
 * lib/template. */
#pragma once
#include "lib/data/value.h"

/* base 2 … 36, or 0 to take it from the prefix. NULL when text is no such number. */
struct hf_value *hf_number_int(struct hf_arena *a, struct hf_str text, int base);
bool hf_number_float(struct hf_str text, double *ret);
/* Python's round(d, digits). */
double hf_number_round(double d, int64_t digits);
