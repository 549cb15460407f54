/* lib/template/filters_number.c - filters over numbers, and what makes numbers of other things; see
 * builtin.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/template/arith.h"
#include "lib/template/builtin.h"
#include "lib/template/filters.h"
#include "lib/template/number.h"
#include "lib/template/text.h"

int hf_filter_int(struct hf_eval *e, const struct hf_call *call, size_t position, const char *name,
	int64_t fallback, int64_t *ret, struct hf_error *err)
{
	const struct hf_value *v = hf_call_arg(call, position, name);
	if (v != NULL)
		return hf_eval_int(e, v, name, ret, err);
	*ret = fallback;
	return 0;
}

int hf_filter_bool(struct hf_eval *e, const struct hf_call *call, size_t position, const char *name,
	bool fallback, bool *ret, struct hf_error *err)
{
	struct hf_value *v = hf_call_arg(call, position, name);
	if (v != NULL)
		return hf_eval_truth(e, v, ret, err);
	*ret = fallback;
	return 0;
}

int hf_filter_reverse(const struct hf_call *call, size_t position, bool *ret, struct hf_error *err)
{
	const struct hf_value *v = hf_call_arg(call, position, "reverse");
	*ret = false;
	if (v == NULL)
		return 0;
	if (v->type != HF_BOOL && v->type != HF_INT)
		return hf_raise(
			err, "reverse: '%s' object cannot be interpreted as an integer", hf_type_name(v));
	*ret = hf_value_truthy(v);
	return 0;
}

int hf_filter_text(struct hf_eval *e, const struct hf_call *call, size_t position, const char *name,
	struct hf_str fallback, struct hf_str *ret, struct hf_error *err)
{
	const struct hf_value *v = hf_call_arg(call, position, name);
	if (v == NULL || v->type == HF_NULL) {
		*ret = fallback;
		return 0;
	}
	if (v->type == HF_UNDEFINED)
		return hf_eval_undefined(e, v, err);
	if (v->type != HF_STRING)
		return hf_raise(err, "%s must be str, not %s", name, hf_type_name(v));
	*ret = v->u.string;
	return 0;
}

static int arg_read(struct hf_eval *e, const struct filter_arg *arg, struct hf_value *v, struct hf_error *err)
{
	bool none = v->type == HF_NULL;
	switch (arg->kind) {
	case ARG_VALUE:
		*(struct hf_value **)arg->to = v;
		return 0;
	case ARG_INT_OR_NONE:
		return none ? 0 : hf_eval_int(e, v, arg->name, arg->to, err);
	case ARG_INT:
		return hf_eval_int(e, v, arg->name, arg->to, err);
	case ARG_BOOL:
		return hf_eval_truth(e, v, arg->to, err);
	case ARG_TEXT:
		break;
	}
	if (v->type == HF_UNDEFINED)
		return hf_eval_undefined(e, v, err);
	if (v->type != HF_STRING && !none)
		return hf_raise(err, "%s must be str, not %s", arg->name, hf_type_name(v));
	if (!none)
		*(struct hf_str *)arg->to = v->u.string;
	return 0;
}

int hf_filter_args(struct hf_eval *e, const struct hf_call *call, const char *what,
	const struct filter_arg *args, size_t n, struct hf_error *err)
{
	const char *names[FILTER_ARGS_MAX + 1] = { NULL };
	for (size_t i = 0; i < n && i < FILTER_ARGS_MAX; i++)
		names[i] = args[i].name;
	int r = hf_call_check(call, what, n, names, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct hf_value *v = hf_call_arg(call, i, args[i].name);
		if (v != NULL)
			r = arg_read(e, &args[i], v, err);
	}
	return r;
}

static int digit_of(uint32_t c, int base)
{
	int digit;
	if (hf_point_decimal(c, &digit))
		return digit < base ? digit : -1;
	if (c < 0x80 && hf_point_alpha(c)) {
		digit = (int)(c | 0x20) - 'a' + 10;
		return digit < base ? digit : -1;
	}
	return -1;
}

/* "0x", "0o", "0b" in front, where the base allows it; sets base 0 to what the prefix says. */
static size_t base_prefix(struct hf_str s, int *base)
{
	static const struct {
		char letter;
		int base;
	} rows[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (s.n > 2 && s.p[0] == '0' && (s.p[1] | 0x20) == rows[i].letter &&
			(*base == 0 || *base == rows[i].base)) {
			*base = rows[i].base;
			return 2;
		}
	if (*base == 0)
		*base = 10;
	return 0;
}

/* Digits of the base without underscores; false when s is anything else. */
static bool digits_read(struct hf_str s, int base, bool after_digit, bool zeros_only, struct hf_buf *out)
{
	for (size_t at = 0; at < s.n;) {
		uint32_t c = hf_text_next(s, &at);
		int digit = digit_of(c, base);
		if (c == '_' && after_digit && at < s.n) {
			after_digit = false;
			continue;
		}
		if (digit < 0 || (zeros_only && digit != 0))
			return false;
		hf_buf_put(out, "0123456789abcdefghijklmnopqrstuvwxyz"[digit]);
		after_digit = true;
	}
	return out->n > 0 && after_digit && !out->failed;
}

struct hf_value *hf_number_int(struct hf_arena *a, struct hf_str text, int base)
{
	struct hf_str s = hf_text_strip(text, true, true);
	bool negative = s.n > 0 && s.p[0] == '-', any = s.n > 0 && (negative || s.p[0] == '+');
	s = hf_strn(s.p + any, s.n - any);
	bool free_base = base == 0;
	size_t prefix = base_prefix(s, &base);
	s = hf_strn(s.p + prefix, s.n - prefix);
	bool zeros_only = free_base && prefix == 0 && s.n > 1 && s.p[0] == '0';
	hf_auto_buf digits = hf_buf_init(HF_INT_DIGITS_MAX);
	if (!digits_read(s, base, prefix > 0, zeros_only, &digits))
		return NULL;
	struct hf_value *v = hf_arith_parse_int(a, hf_buf_str(&digits), base);
	return negative ? hf_arith_negate(a, v) : v;
}

static bool digit_at(struct hf_str s, size_t at)
{
	return at < s.n && s.p[at] >= '0' && s.p[at] <= '9';
}

/* Plain ASCII of a number, without underscores between digits; false when it can be none. */
static bool float_plain(struct hf_str s, char *out, size_t size, bool *ret_digits)
{
	size_t n = 0;
	*ret_digits = false;
	for (size_t at = 0; at < s.n;) {
		size_t before = at;
		uint32_t c = hf_text_next(s, &at);
		int digit;
		if (c == '_' && before > 0 && digit_at(s, before - 1) && digit_at(s, at))
			continue;
		bool number = hf_point_decimal(c, &digit);
		if ((!number && (c >= 0x80 || strchr("xX(_", (int)c) != NULL)) || n + 1 >= size)
			return false;
		out[n++] = number ? (char)('0' + digit) : (char)c;
		*ret_digits |= number;
	}
	out[n] = '\0';
	return n > 0;
}

bool hf_number_float(struct hf_str text, double *ret)
{
	static const char *const words[] = { "inf", "infinity", "nan" };
	char plain[512], *end;
	bool digits, word = false;
	if (!float_plain(hf_text_strip(text, true, true), plain, sizeof(plain), &digits))
		return false;
	for (size_t i = 0; i < HF_COUNT(words); i++)
		word |= strcasecmp(plain + (plain[0] == '+' || plain[0] == '-'), words[i]) == 0;
	double d = strtod(plain, &end);
	if (*end != '\0' || (!digits && !word))
		return false;
	*ret = d;
	return true;
}

/* int(v), or for text int(v, base) and failing that int(float(v)); NULL when Python raises. */
static struct hf_value *int_of(struct hf_arena *a, struct hf_value *v, int64_t base)
{
	double d;
	if (v->type == HF_INT || v->type == HF_BIGINT)
		return v;
	if (v->type == HF_BOOL)
		return hf_value_int(a, v->u.boolean);
	if (v->type == HF_FLOAT)
		return isfinite(v->u.real) ? hf_arith_from_double(a, v->u.real) : NULL;
	if ((v->type != HF_STRING && v->type != HF_BYTES) || base < 0 || base > 36 || base == 1)
		return NULL;
	struct hf_value *out = hf_number_int(a, v->u.string, (int)base);
	if (out == NULL && hf_number_float(v->u.string, &d) && isfinite(d))
		out = hf_arith_from_double(a, d);
	return out;
}

FILTER(int)
{
	struct hf_value *fallback = NULL, *given = NULL;
	const struct filter_arg args[] = { { "default", ARG_VALUE, &fallback },
		{ "base", ARG_VALUE, &given } };
	int r = hf_filter_args(e, call, "int", args, HF_COUNT(args), err);
	if (r < 0)
		return r;
	/* What is no base makes int() fail, and the text is then read as a float, as with any other mistake.
	 */
	int64_t base = given == NULL            ? 10
		       : given->type == HF_INT  ? given->u.integer
		       : given->type == HF_BOOL ? given->u.boolean
						: 1;
	if (input->type == HF_UNDEFINED)
		return hf_eval_undefined(e, input, err);
	struct hf_value *out = int_of(e->arena, input, base);
	*ret = out != NULL ? out : fallback != NULL ? fallback : hf_value_int(e->arena, 0);
	return 0;
}

FILTER(float)
{
	static const char *const names[] = { "default", NULL };
	struct hf_value *fallback = hf_call_arg(call, 0, "default");
	double d;
	int r = hf_call_check(call, "float", 1, names, err);
	if (r < 0)
		return r;
	if (input->type == HF_UNDEFINED)
		return hf_eval_undefined(e, input, err);
	if (hf_arith_is_number(input))
		*ret = hf_value_float(e->arena, hf_arith_double(input));
	else if ((input->type == HF_STRING || input->type == HF_BYTES) &&
		 hf_number_float(input->u.string, &d))
		*ret = hf_value_float(e->arena, d);
	else
		*ret = fallback != NULL ? fallback : hf_value_float(e->arena, 0);
	return 0;
}

FILTER(abs)
{
	int r = hf_call_check(call, "abs", 0, NULL, err);
	if (r < 0)
		return r;
	if (input->type == HF_UNDEFINED)
		return hf_eval_undefined(e, input, err);
	if (!hf_arith_is_number(input))
		return hf_raise(err, "bad operand type for abs(): '%s'", hf_type_name(input));
	struct hf_value zero = { .type = HF_INT };
	if (input->type == HF_FLOAT)
		*ret = hf_value_float(e->arena, fabs(input->u.real));
	else if (hf_arith_compare(input, &zero) < 0)
		*ret = hf_arith_negate(e->arena, input);
	else
		*ret = input->type == HF_BOOL ? hf_value_int(e->arena, input->u.boolean) : input;
	return 0;
}

double hf_number_round(double d, int64_t digits)
{
	if (!isfinite(d) || digits > 323)
		return d;
	if (digits < -308)
		return copysign(0, d);
	char text[400];
	if (digits >= 0) {
		/* printf rounds the exact binary value correctly, ties to even, as Python does. */
		snprintf(text, sizeof(text), "%.*f", (int)digits, d);
		return strtod(text, NULL);
	}
	double scale = pow(10, (double)-digits);
	return nearbyint(d / scale) * scale;
}

/* Whole numbers to a power of ten, ties to even. */
static struct hf_value *round_int(struct hf_eval *e, struct hf_value *v, int64_t digits)
{
	if (digits >= 0 || v->type == HF_BIGINT)
		return v;
	if (digits < -18)
		return hf_value_int(e->arena, 0);
	int64_t scale = 1;
	for (int64_t i = digits; i < 0; i++)
		scale *= 10;
	int64_t rest = v->u.integer % scale, base = v->u.integer - rest;
	if (rest < 0) {
		rest += scale;
		base -= scale;
	}
	bool up = rest > scale / 2 || (rest == scale / 2 && base / scale % 2 != 0);
	return hf_value_int(e->arena, base + (up ? scale : 0));
}

static struct hf_value *round_even(struct hf_eval *e, struct hf_value *v, int64_t digits)
{
	if (v->type == HF_FLOAT)
		return hf_value_float(e->arena, hf_number_round(v->u.real, digits));
	return v->type == HF_BOOL ? hf_value_int(e->arena, v->u.boolean) : round_int(e, v, digits);
}

FILTER(round)
{
	int64_t digits = 0;
	struct hf_str method = HF_STR("common");
	const struct filter_arg args[] = { { "precision", ARG_INT, &digits },
		{ "method", ARG_TEXT, &method } };
	int r = hf_filter_args(e, call, "round", args, HF_COUNT(args), err);
	if (r < 0)
		return r;
	bool ceiling = hf_str_is(method, "ceil"), floors = hf_str_is(method, "floor");
	if (!ceiling && !floors && !hf_str_is(method, "common"))
		return hf_raise(err, "method must be common, ceil or floor");
	if (input->type == HF_UNDEFINED)
		return hf_eval_undefined(e, input, err);
	if (!hf_arith_is_number(input))
		return hf_raise(err, "type %s doesn't define __round__ method", hf_type_name(input));
	if (!ceiling && !floors) {
		*ret = round_even(e, input, digits);
		return 0;
	}
	double scale = pow(10, (double)digits), d = hf_arith_double(input) * scale;
	if (!isfinite(d))
		return hf_raise(err, "cannot convert float infinity or NaN to integer");
	/* Python goes through an integer, which has no negative zero: adding zero takes it away. */
	*ret = hf_value_float(e->arena, ((ceiling ? ceil(d) : floor(d)) + 0.0) / scale);
	return 0;
}

FILTER(filesizeformat)
{
	static const char *const names[] = { "binary", NULL };
	static const char *const units[2][8] = { { "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB" },
		{ "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB" } };
	bool binary = false;
	double size;
	int r = hf_call_check(call, "filesizeformat", 1, names, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 0, "binary", false, &binary, err);
	if (r < 0)
		return r;
	if (input->type == HF_UNDEFINED)
		return hf_eval_undefined(e, input, err);
	if (hf_arith_is_number(input))
		size = hf_arith_double(input);
	else if (input->type != HF_STRING || !hf_number_float(input->u.string, &size))
		return hf_raise(err, "could not convert to float: '%s'", hf_type_name(input));
	double base = binary ? 1024 : 1000;
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	if (size == 1) {
		hf_buf_puts(&out, "1 Byte");
	} else if (size < base) {
		if (!isfinite(size))
			return hf_raise(err, "cannot convert float to integer");
		hf_buf_printf(&out, "%.0f Bytes", trunc(size) + 0.0);
	} else {
		double unit = base * base;
		size_t i = 0;
		for (; i + 1 < HF_COUNT(units[0]) && size >= unit; i++)
			unit *= base;
		hf_buf_printf(&out, "%.1f %s", base * size / unit, units[binary][i]);
	}
	return hf_buf_value(e, &out, 0, ret, err);
}

const struct hf_callable_row hf_filters_number[] = {
	{ "int", filter_int, 0 },
	{ "float", filter_float, 0 },
	{ "abs", filter_abs, HF_NO_ARGUMENTS },
	{ "round", filter_round, 0 },
	{ "filesizeformat", filter_filesizeformat, 0 },
	{ NULL, NULL, 0 },
};
