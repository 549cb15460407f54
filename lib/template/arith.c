#include "lib/template/arith.h"

#include <inttypes.h>
#include <math.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/template/eval.h"

enum { BIG_BITS_MAX = 14000 }; /* a little more than HF_INT_DIGITS_MAX decimal digits */

static void bn_free(BIGNUM **b)
{
	BN_free(*b);
	*b = NULL;
}
#define auto_bn HF_CLEANUP(bn_free) BIGNUM *

static BIGNUM *big_new(void)
{
	BIGNUM *b = BN_new();
	if (b == NULL)
		abort();
	return b;
}

static BIGNUM *big_from(const struct hf_value *v)
{
	BIGNUM *b = NULL;
	char text[32];
	const char *digits = text;
	if (v->type == HF_BIGINT)
		digits = v->u.string.p;
	else
		snprintf(text, sizeof(text), "%" PRId64,
			v->type == HF_BOOL ? (int64_t)v->u.boolean : v->u.integer);
	if (BN_dec2bn(&b, digits) == 0)
		abort();
	return b;
}

static struct hf_value *big_value(struct hf_arena *a, const BIGNUM *b)
{
	char *text = BN_bn2dec(b);
	if (text == NULL)
		abort();
	struct hf_value *v = hf_value_bigint(a, hf_str(BN_is_zero(b) ? "0" : text));
	OPENSSL_free(text);
	return v;
}

struct hf_value *hf_arith_parse_int(struct hf_arena *a, struct hf_str digits, int base)
{
	uint64_t small = 0;
	bool fits = true;
	for (size_t i = 0; i < digits.n && fits; i++) {
		char c = digits.p[i];
		unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
		fits = !__builtin_mul_overflow(small, (uint64_t)base, &small) &&
		       !__builtin_add_overflow(small, (uint64_t)digit, &small) && small <= INT64_MAX;
	}
	if (fits)
		return hf_value_int(a, (int64_t)small);
	auto_bn b = big_new();
	for (size_t i = 0; i < digits.n; i++) {
		char c = digits.p[i];
		unsigned digit = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
		if (BN_mul_word(b, (BN_ULONG)base) == 0 || BN_add_word(b, digit) == 0)
			abort();
	}
	return big_value(a, b);
}

bool hf_arith_is_number(const struct hf_value *v)
{
	return v->type == HF_BOOL || v->type == HF_INT || v->type == HF_FLOAT || v->type == HF_BIGINT;
}

double hf_arith_double(const struct hf_value *v)
{
	if (v->type == HF_FLOAT)
		return v->u.real;
	if (v->type == HF_BIGINT)
		return strtod(v->u.string.p, NULL);
	return v->type == HF_BOOL ? v->u.boolean : (double)v->u.integer;
}

struct hf_value *hf_arith_from_double(struct hf_arena *a, double d)
{
	d = trunc(d);
	if (d >= -0x1p63 && d < 0x1p63)
		return hf_value_int(a, (int64_t)d);
	char text[400];
	snprintf(text, sizeof(text), "%.0f", d);
	return hf_value_bigint(a, hf_str(text));
}

static bool is_small(const struct hf_value *v)
{
	return v->type == HF_INT || v->type == HF_BOOL;
}

static int64_t small(const struct hf_value *v)
{
	return v->type == HF_BOOL ? v->u.boolean : v->u.integer;
}

int hf_arith_compare(const struct hf_value *x, const struct hf_value *y)
{
	if (is_small(x) && is_small(y))
		return (small(x) > small(y)) - (small(x) < small(y));
	if (x->type == HF_FLOAT || y->type == HF_FLOAT) {
		double p = hf_arith_double(x), q = hf_arith_double(y);
		return (p > q) - (p < q);
	}
	auto_bn p = big_from(x);
	auto_bn q = big_from(y);
	return BN_cmp(p, q);
}

struct hf_value *hf_arith_negate(struct hf_arena *a, const struct hf_value *x)
{
	if (x->type == HF_FLOAT)
		return hf_value_float(a, -x->u.real);
	if (is_small(x) && small(x) != INT64_MIN)
		return hf_value_int(a, -small(x));
	auto_bn b = big_from(x);
	BN_set_negative(b, !BN_is_negative(b));
	return big_value(a, b);
}

char *hf_arith_digits(struct hf_arena *a, const struct hf_value *x, int base)
{
	if (base == 10)
		return hf_strdup(
			a, hf_value_text(a, x->type == HF_BOOL ? hf_value_int(a, x->u.boolean) : x).p);
	auto_bn b = big_from(x);
	bool negative = BN_is_negative(b);
	BN_set_negative(b, 0);
	int step = base == 16 ? 4 : base == 8 ? 3 : 1;
	int n = (BN_num_bits(b) + step - 1) / step;
	n = n == 0 ? 1 : n;
	char *out = hf_alloc(a, (size_t)n + 2), *p = out;
	if (negative)
		*p++ = '-';
	for (int i = n - 1; i >= 0; i--) {
		int digit = 0;
		for (int bit = step - 1; bit >= 0; bit--)
			digit = digit << 1 | BN_is_bit_set(b, i * step + bit);
		*p++ = "0123456789abcdef"[digit];
	}
	*p = '\0';
	return out;
}

/* Quotient rounded down and remainder with the sign of the divisor, as Python's divmod. */
static void big_floor(BIGNUM *quotient, BIGNUM *rest, const BIGNUM *x, const BIGNUM *y, BN_CTX *ctx)
{
	if (BN_div(quotient, rest, x, y, ctx) == 0)
		abort();
	if (!BN_is_zero(rest) && BN_is_negative(rest) != BN_is_negative(y)) {
		if (BN_sub_word(quotient, 1) == 0 || BN_add(rest, rest, y) == 0)
			abort();
	}
}

static void ctx_free(BN_CTX **ctx)
{
	BN_CTX_free(*ctx);
	*ctx = NULL;
}

static int big_arith(struct hf_arena *a, enum arith_op op, const struct hf_value *vx,
	const struct hf_value *vy, struct hf_value **ret, struct hf_error *err)
{
	auto_bn x = big_from(vx);
	auto_bn y = big_from(vy);
	auto_bn out = big_new();
	auto_bn other = big_new();
	HF_CLEANUP(ctx_free) BN_CTX *ctx = BN_CTX_new();
	if (ctx == NULL)
		abort();
	double bits = op == OP_POW ? (double)BN_num_bits(x) * hf_arith_double(vy)
				   : (double)(BN_num_bits(x) + (op == OP_MUL ? BN_num_bits(y) : 1));
	if (bits > BIG_BITS_MAX)
		return hf_fail(
			err, HF_E_LIMIT, "an integer would have more than %d digits", HF_INT_DIGITS_MAX);
	int ok = 1;
	switch (op) {
	case OP_ADD:
		ok = BN_add(out, x, y);
		break;
	case OP_SUB:
		ok = BN_sub(out, x, y);
		break;
	case OP_MUL:
		ok = BN_mul(out, x, y, ctx);
		break;
	case OP_POW:
		ok = BN_exp(out, x, y, ctx);
		break;
	case OP_FLOORDIV:
		big_floor(out, other, x, y, ctx);
		break;
	case OP_MOD:
		big_floor(other, out, x, y, ctx);
		break;
	case OP_DIV:
		break;
	}
	if (!ok)
		abort();
	*ret = big_value(a, out);
	return 0;
}

static bool small_power(int64_t base, int64_t exponent, int64_t *ret)
{
	int64_t out = 1;
	while (exponent > 0) {
		if (exponent & 1 && __builtin_mul_overflow(out, base, &out))
			return false;
		exponent >>= 1;
		if (exponent > 0 && __builtin_mul_overflow(base, base, &base))
			return false;
	}
	*ret = out;
	return true;
}

/* False when the result does not fit. The divisor is not zero. */
static bool small_arith(enum arith_op op, int64_t x, int64_t y, int64_t *ret)
{
	switch (op) {
	case OP_ADD:
		return !__builtin_add_overflow(x, y, ret);
	case OP_SUB:
		return !__builtin_sub_overflow(x, y, ret);
	case OP_MUL:
		return !__builtin_mul_overflow(x, y, ret);
	case OP_FLOORDIV:
		if (x == INT64_MIN && y == -1)
			return false;
		*ret = x / y - (x % y != 0 && (x < 0) != (y < 0));
		return true;
	case OP_MOD:
		*ret = y == -1 ? 0 : x % y;
		if (*ret != 0 && (*ret < 0) != (y < 0))
			*ret += y;
		return true;
	case OP_POW:
		return small_power(x, y, ret);
	case OP_DIV:
		break;
	}
	return false;
}

static double float_mod(double x, double y)
{
	double rest = fmod(x, y);
	if (rest != 0 && (rest < 0) != (y < 0))
		rest += y;
	return rest == 0 ? copysign(0, y) : rest;
}

static double float_floordiv(double x, double y)
{
	double rest = fmod(x, y), quotient = (x - rest) / y;
	if (rest != 0 && (rest < 0) != (y < 0))
		quotient -= 1;
	if (quotient == 0)
		return copysign(0, x / y);
	double whole = floor(quotient);
	return quotient - whole > 0.5 ? whole + 1 : whole;
}

static int float_arith(
	struct hf_arena *a, enum arith_op op, double x, double y, struct hf_value **ret, struct hf_error *err)
{
	double out = 0;
	switch (op) {
	case OP_ADD:
		out = x + y;
		break;
	case OP_SUB:
		out = x - y;
		break;
	case OP_MUL:
		out = x * y;
		break;
	case OP_DIV:
		out = x / y;
		break;
	case OP_FLOORDIV:
		out = float_floordiv(x, y);
		break;
	case OP_MOD:
		out = float_mod(x, y);
		break;
	case OP_POW:
		if (x == 0 && y < 0)
			return hf_raise(err, "0.0 cannot be raised to a negative power");
		if (x < 0 && y != floor(y) && isfinite(y))
			return hf_raise(err, "a negative number to a fractional power is a complex number");
		out = pow(x, y);
		if (isinf(out) && isfinite(x) && isfinite(y))
			return hf_raise(err, "(34, 'Numerical result out of range')");
		break;
	}
	*ret = hf_value_float(a, out);
	return 0;
}

static bool is_zero(const struct hf_value *v)
{
	return v->type == HF_FLOAT ? v->u.real == 0 : is_small(v) && small(v) == 0;
}

static int as_floats(struct hf_arena *a, enum arith_op op, const struct hf_value *x, const struct hf_value *y,
	struct hf_value **ret, struct hf_error *err)
{
	double p = hf_arith_double(x), q = hf_arith_double(y);
	if ((isinf(p) && x->type == HF_BIGINT) || (isinf(q) && y->type == HF_BIGINT))
		return hf_raise(err, "int too large to convert to float");
	return float_arith(a, op, p, q, ret, err);
}

int hf_arith_numbers(struct hf_arena *a, enum arith_op op, const struct hf_value *x, const struct hf_value *y,
	struct hf_value **ret, struct hf_error *err)
{
	bool divides = op == OP_DIV || op == OP_FLOORDIV || op == OP_MOD;
	bool floats = x->type == HF_FLOAT || y->type == HF_FLOAT || op == OP_DIV;
	if (divides && is_zero(y))
		return hf_raise(err, floats ? (op == OP_MOD ? "float modulo" : "division by zero")
					    : "integer division or modulo by zero");
	floats |= op == OP_POW && hf_arith_double(y) < 0;
	if (floats)
		return as_floats(a, op, x, y, ret, err);
	int64_t out;
	if (is_small(x) && is_small(y) && small_arith(op, small(x), small(y), &out)) {
		*ret = hf_value_int(a, out);
		return 0;
	}
	return big_arith(a, op, x, y, ret, err);
}

static int unsupported(
	enum arith_op op, const struct hf_value *x, const struct hf_value *y, struct hf_error *err)
{
	static const char *const signs[] = { "+", "-", "*", "/", "//", "%", "** or pow()" };
	if (op == OP_ADD && x->type == HF_STRING)
		return hf_raise(err, "can only concatenate str (not \"%s\") to str", hf_type_name(y));
	return hf_raise(err, "unsupported operand type(s) for %s: '%s' and '%s'", signs[op], hf_type_name(x),
		hf_type_name(y));
}

static int add_text(struct hf_eval *e, struct hf_value *x, struct hf_value *y, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_str p = x->u.string, q = y->u.string;
	unsigned markup = (x->flags | y->flags) & HF_VALUE_MARKUP;
	int r = 0;
	if (markup) {
		r = hf_eval_escaped(e, x, &p, err);
		if (r == 0)
			r = hf_eval_escaped(e, y, &q, err);
	}
	if (r == 0)
		r = hf_eval_room(e, p.n + q.n, err);
	if (r < 0)
		return r;
	char *out = hf_alloc(e->arena, p.n + q.n + 1);
	memcpy(out, p.p, p.n);
	memcpy(out + p.n, q.p, q.n);
	out[p.n + q.n] = '\0';
	*ret = hf_value_borrow(e->arena, hf_strn(out, p.n + q.n));
	(*ret)->type = x->type;
	(*ret)->flags = (uint8_t)markup;
	return 0;
}

static int add_sequences(struct hf_eval *e, const struct hf_value *x, const struct hf_value *y,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = x->type == HF_LIST ? hf_value_list(e->arena) : hf_value_tuple(e->arena);
	for (size_t i = 0; i < hf_list_len(x); i++)
		hf_list_append(out, hf_list_at(x, i));
	for (size_t i = 0; i < hf_list_len(y); i++)
		hf_list_append(out, hf_list_at(y, i));
	*ret = out;
	return hf_eval_steps(e, hf_list_len(out), err);
}

/* Text or a sequence times a number. */
static int repeat(struct hf_eval *e, struct hf_value *v, const struct hf_value *times, struct hf_value **ret,
	struct hf_error *err)
{
	int64_t n;
	int r = hf_eval_int(e, times, "repeat count", &n, err);
	if (r < 0)
		return r;
	bool text = v->type == HF_STRING || v->type == HF_BYTES;
	uint64_t one = text ? v->u.string.n : hf_list_len(v), all;
	n = n < 0 || one == 0 ? 0 : n;
	if (__builtin_mul_overflow(one, (uint64_t)n, &all))
		all = UINT64_MAX;
	r = hf_eval_room(e, text ? all : all > UINT64_MAX / 16 ? all : all * 16, err);
	if (r < 0)
		return r;
	if (text) {
		char *out = hf_alloc(e->arena, all + 1);
		for (int64_t i = 0; i < n; i++)
			memcpy(out + (uint64_t)i * one, v->u.string.p, one);
		out[all] = '\0';
		*ret = hf_value_borrow(e->arena, hf_strn(out, all));
		(*ret)->type = v->type;
		(*ret)->flags = v->flags & HF_VALUE_MARKUP;
		return 0;
	}
	*ret = v->type == HF_LIST ? hf_value_list(e->arena) : hf_value_tuple(e->arena);
	for (int64_t i = 0; i < n; i++)
		for (size_t j = 0; j < one; j++)
			hf_list_append(*ret, hf_list_at(v, j));
	return 0;
}

static bool is_whole(const struct hf_value *v)
{
	return is_small(v) || v->type == HF_BIGINT;
}

static bool repeatable(const struct hf_value *v)
{
	return v->type == HF_STRING || v->type == HF_BYTES || hf_is_sequence(v);
}

/* Days since 0000-03-01 of the Gregorian calendar. */
static int64_t day_number(const struct hf_time_value *t)
{
	int64_t y = t->year - (t->month <= 2), m = (t->month + 9) % 12;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + t->day - 1;
}

static int64_t microseconds(const struct hf_value *v)
{
	const struct hf_time_value *t = v->u.time;
	int64_t minutes =
		(day_number(t) * 24 + t->hour) * 60 + t->minute - (t->has_zone ? t->zone_minutes : 0);
	return (minutes * 60 + t->second) * 1000000 + t->microsecond;
}

/* date - date, time span ± time span. */
static bool time_arith(struct hf_eval *e, enum arith_op op, const struct hf_value *x,
	const struct hf_value *y, struct hf_value **ret)
{
	int64_t p, q;
	if (op == OP_SUB && x->type == y->type && (x->type == HF_DATE || x->type == HF_DATETIME)) {
		p = microseconds(x);
		q = microseconds(y);
	} else if ((op == OP_SUB || op == OP_ADD) && x->type == HF_TIMEDELTA && y->type == HF_TIMEDELTA) {
		p = x->u.integer;
		q = op == OP_SUB ? y->u.integer : -y->u.integer;
	} else {
		return false;
	}
	*ret = hf_value_int(e->arena, p - q);
	(*ret)->type = HF_TIMEDELTA;
	return true;
}

static int set_arith(
	struct hf_eval *e, const struct hf_value *x, const struct hf_value *y, struct hf_value **ret)
{
	*ret = hf_value_set(e->arena);
	HF_DICT_EACH (x, entry)
		if (hf_map_find(&y->u.dict->map, entry->key) == NULL)
			hf_dict_set(*ret, hf_entry_key(entry), NULL);
	return 0;
}

static int add_other(struct hf_eval *e, struct hf_value *x, struct hf_value *y, struct hf_value **ret,
	struct hf_error *err)
{
	return hf_is_sequence(x) ? add_sequences(e, x, y, ret, err) : add_text(e, x, y, ret, err);
}

static int multiply_other(struct hf_eval *e, struct hf_value *x, struct hf_value *y, struct hf_value **ret,
	struct hf_error *err)
{
	if (repeatable(x) && is_whole(y))
		return repeat(e, x, y, ret, err);
	if (repeatable(y) && is_whole(x))
		return repeat(e, y, x, ret, err);
	return unsupported(OP_MUL, x, y, err);
}

static int arith_other(struct hf_eval *e, enum arith_op op, struct hf_value *x, struct hf_value *y,
	struct hf_value **ret, struct hf_error *err)
{
	bool same = x->type == y->type;
	if (op == OP_MOD && x->type == HF_STRING)
		return hf_format_percent(e, x, y, ret, err);
	if (op == OP_ADD && same && repeatable(x))
		return add_other(e, x, y, ret, err);
	if (op == OP_MUL)
		return multiply_other(e, x, y, ret, err);
	if (op == OP_SUB && same && x->type == HF_SET)
		return set_arith(e, x, y, ret);
	return time_arith(e, op, x, y, ret) ? 0 : unsupported(op, x, y, err);
}

int hf_arith(struct hf_eval *e, enum arith_op op, struct hf_value *x, struct hf_value *y,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = NULL;
	int r;
	if (x->type == HF_UNDEFINED || (y->type == HF_UNDEFINED && !(op == OP_MOD && x->type == HF_STRING)))
		return hf_eval_undefined(e, x->type == HF_UNDEFINED ? x : y, err);
	if (hf_arith_is_number(x) && hf_arith_is_number(y))
		r = hf_arith_numbers(e->arena, op, x, y, &out, err);
	else
		r = arith_other(e, op, x, y, &out, err);
	if (r < 0)
		return r;
	unsigned flags = (x->flags | y->flags) & (HF_VALUE_SECRET | HF_VALUE_UNSAFE);
	*ret = flags == 0 ? out : hf_value_with_flags(e->arena, out, flags);
	return 0;
}
