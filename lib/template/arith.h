/* lib/template/arith.h - Python's numbers: int64, integers without bound (decimal text), doubles. Private.
 * Fails: HF_E_TEMPLATE (types that do not fit, division by zero), HF_E_LIMIT (results larger than a bound).
 */
#pragma once
#include "lib/template/tree.h"

enum { HF_INT_DIGITS_MAX = 4300 }; /* as Python's own limit on text of integers */

/* digits without prefix or sign, all valid for the base. */
struct hf_value *hf_arith_parse_int(struct hf_arena *a, struct hf_str digits, int base);
/* Numbers only: false when one of them is not a number. */
bool hf_arith_is_number(const struct hf_value *v);
double hf_arith_double(const struct hf_value *v);
HF_CHECK int hf_arith_numbers(struct hf_arena *a, enum arith_op op, const struct hf_value *x,
	const struct hf_value *y, struct hf_value **ret, struct hf_error *err);
int hf_arith_compare(const struct hf_value *x, const struct hf_value *y); /* of numbers */
struct hf_value *hf_arith_negate(struct hf_arena *a, const struct hf_value *x);
/* Integral part of a double, of any size. */
struct hf_value *hf_arith_from_double(struct hf_arena *a, double d);
/* Digits of an integer in base 2, 8, 10 or 16, with '-' in front of a negative one. */
char *hf_arith_digits(struct hf_arena *a, const struct hf_value *x, int base);
/* Python's x + y and its like for every type. */
HF_CHECK int hf_arith(struct hf_eval *e, enum arith_op op, struct hf_value *x, struct hf_value *y,
	struct hf_value **ret, struct hf_error *err);
/* text % values; format.c */
HF_CHECK int hf_format_percent(struct hf_eval *e, struct hf_value *format, struct hf_value *values,
	struct hf_value **ret, struct hf_error *err);
