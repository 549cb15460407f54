#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/template/arith.h"
#include "lib/template/format.h"
#include "lib/template/text.h"

enum { FORMAT_PRECISION_MAX = 1000 };

int hf_format_padded(struct hf_eval *e, struct hf_str text, const struct format_spec *spec, char align,
	struct hf_buf *out, struct hf_error *err)
{
	int64_t n = (int64_t)hf_utf8_length(text), pad = spec->width > n ? spec->width - n : 0;
	int r = hf_eval_room(e, (uint64_t)pad, err);
	if (r < 0)
		return r;
	int64_t left = align == '>' ? pad : align == '^' ? pad / 2 : 0;
	for (int64_t i = 0; i < left; i++)
		hf_text_put(out, spec->fill);
	hf_buf_add(out, text);
	for (int64_t i = left; i < pad; i++)
		hf_text_put(out, spec->fill);
	return 0;
}

/* Digits with a separator every three (or four) of them; zeros in front until the text is least wide. */
static void group_digits(struct hf_buf *out, struct hf_str digits, char separator, int every, int64_t least)
{
	int64_t n = (int64_t)digits.n, zeros = 0;
	while (separator != 0 ? n + zeros + (n + zeros - 1) / every < least : n + zeros < least)
		zeros++;
	int64_t all = n + zeros;
	for (int64_t i = 0; i < all; i++) {
		if (i > 0 && separator != 0 && (all - i) % every == 0)
			hf_buf_put(out, separator);
		hf_buf_put(out, i < zeros ? '0' : digits.p[i - zeros]);
	}
}

struct number_text {               /* parts of a number as text */
	char sign;                 /* '-' or 0 */
	const char *prefix;        /* "0x" */
	struct hf_str whole, rest; /* rest: point, decimals, exponent, '%' */
	int every;
};

static int number_put(struct hf_eval *e, const struct number_text *n, const struct format_spec *spec,
	struct hf_buf *out, struct hf_error *err)
{
	hf_auto_buf text = hf_buf_init(HF_EVAL_TEXT_MAX);
	char sign = n->sign != 0 ? n->sign : spec->sign == '+' || spec->sign == ' ' ? spec->sign : '\0';
	bool inside = spec->align == '=' || (spec->align == 0 && spec->zero);
	uint32_t fill = spec->align == 0 && spec->zero ? '0' : spec->fill;
	int64_t head = (sign != 0) + (int64_t)strlen(n->prefix);
	int r = hf_eval_room(e, spec->width < 0 ? 0 : (uint64_t)spec->width, err);
	if (r < 0)
		return r;
	if (sign != 0)
		hf_buf_put(&text, sign);
	hf_buf_puts(&text, n->prefix);
	if (inside && fill == '0') {
		group_digits(
			&text, n->whole, spec->grouping, n->every, spec->width - head - (int64_t)n->rest.n);
		hf_buf_add(&text, n->rest);
		hf_buf_add(out, hf_buf_str(&text));
		return 0;
	}
	hf_auto_buf digits = hf_buf_init(HF_EVAL_TEXT_MAX);
	group_digits(&digits, n->whole, spec->grouping, n->every, 0);
	hf_buf_add(&digits, n->rest);
	if (inside) {
		struct format_spec rest = *spec;
		rest.width -= head;
		hf_buf_add(out, hf_buf_str(&text));
		return hf_format_padded(e, hf_buf_str(&digits), &rest, '>', out, err);
	}
	hf_buf_add(&text, hf_buf_str(&digits));
	return hf_format_padded(e, hf_buf_str(&text), spec, spec->align == 0 ? '>' : spec->align, out, err);
}

static const struct number_base {
	char type;
	int base;
	const char *prefix;
} number_bases[] = { { 'x', 16, "0x" }, { 'X', 16, "0X" }, { 'o', 8, "0o" }, { 'b', 2, "0b" },
	{ 0, 10, "" } };

static int format_int(struct hf_eval *e, const struct hf_value *v, const struct format_spec *spec,
	struct hf_buf *out, struct hf_error *err)
{
	const struct number_base *b = number_bases;
	while (b->type != 0 && b->type != spec->type)
		b++;
	if (spec->precision >= 0)
		return hf_raise(err, "Precision not allowed in integer format specifier");
	if (spec->grouping == ',' && b->base != 10)
		return hf_raise(err, "Cannot specify ',' with '%c'.", spec->type);
	char *digits = hf_arith_digits(e->arena, v, b->base);
	bool negative = digits[0] == '-';
	struct number_text n = { .prefix = spec->alternate ? b->prefix : "",
		.every = b->base == 10 ? 3 : 4,
		.sign = negative ? '-' : '\0',
		.whole = hf_str(digits + negative) };
	for (char *p = digits; spec->type == 'X' && *p != '\0'; p++)
		*p = (char)(*p >= 'a' ? *p - 32 : *p);
	return number_put(e, &n, spec, out, err);
}

/* repr(d), or with a precision %.Ng that keeps ".0". */
static void general_text(struct hf_buf *out, double d, const struct format_spec *spec)
{
	if (spec->precision < 0) {
		hf_float_print(out, d);
		return;
	}
	int precision = spec->precision == 0 ? 1 : (int)spec->precision;
	char text[FORMAT_PRECISION_MAX + 400];
	snprintf(text, sizeof(text), "%.*g", precision, d);
	int exponent = d == 0 || !isfinite(d) ? 0 : (int)floor(log10(fabs(d)));
	if (isfinite(d) && strchr(text, 'e') == NULL && exponent >= precision - 1 &&
		strchr(text, '.') == NULL) {
		snprintf(text, sizeof(text), "%.*e", precision - 1, d);
		char *e = text + strcspn(text, "e");
		char *point = strchr(text, '.');
		for (char *z = e; point != NULL && z > point && (z[-1] == '0' || z[-1] == '.'); z--) {
			memmove(z - 1, e, strlen(e) + 1);
			e--;
		}
	} else if (isfinite(d) && strpbrk(text, ".e") == NULL) {
		strncat(text, ".0", sizeof(text) - strlen(text) - 1);
	}
	hf_buf_puts(out, text);
}

/* As printf's %e, %f or %g. */
static void fixed_text(struct hf_buf *out, char type, double d, const struct format_spec *spec)
{
	char text[FORMAT_PRECISION_MAX + 400], format[] = { '%', '#', '.', '*', type, '\0' };
	if (!spec->alternate)
		memmove(format + 1, format + 2, 4);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	int n = snprintf(text, sizeof(text), format, spec->precision < 0 ? 6 : (int)spec->precision, d);
#pragma GCC diagnostic pop
	hf_buf_append(out, text, (size_t)n);
}

/* Digits before the point, and the rest; "inf" and "nan" count as digits: no zeros go between their letters.
 */
static void number_split(struct hf_str all, struct number_text *n)
{
	size_t whole = 0;
	while (whole < all.n && all.p[whole] >= '0' && all.p[whole] <= '9')
		whole++;
	if (whole == 0)
		whole = all.n;
	n->whole = hf_strn(all.p, whole);
	n->rest = hf_strn(all.p + whole, all.n - whole);
}

static int format_float(struct hf_eval *e, const struct hf_value *v, const struct format_spec *spec,
	struct hf_buf *out, struct hf_error *err)
{
	double d = hf_arith_double(v);
	char type = spec->type == 'n' ? 'g' : spec->type;
	if (isinf(d) && v->type == HF_BIGINT)
		return hf_raise(err, "int too large to convert to float");
	if (spec->precision > FORMAT_PRECISION_MAX)
		return hf_fail(err, HF_E_LIMIT, "precision is larger than %d", FORMAT_PRECISION_MAX);
	hf_auto_buf general = hf_buf_init(HF_EVAL_TEXT_MAX);
	double magnitude = type == '%' ? fabs(d) * 100 : fabs(d);
	if (type == 0)
		general_text(&general, magnitude, spec);
	else
		fixed_text(&general, type == '%' ? 'f' : type, magnitude, spec);
	if (type == '%')
		hf_buf_put(&general, '%');
	struct number_text n = { .prefix = "", .every = 3 };
	number_split(hf_buf_str(&general), &n);
	n.sign = signbit(d) && !isnan(d) ? '-' : '\0';
	return number_put(e, &n, spec, out, err);
}

int hf_format_number(struct hf_eval *e, const struct hf_value *v, const struct format_spec *spec,
	struct hf_buf *out, struct hf_error *err)
{
	bool whole = v->type != HF_FLOAT;
	if (spec->type == 'c' && whole) {
		char bytes[4];
		int64_t c = v->type == HF_INT ? v->u.integer : -1;
		if (c < 0 || c > 0x10FFFF)
			return hf_raise(err, "%%c arg not in range(0x110000)");
		return hf_format_padded(e, hf_strn(bytes, hf_utf8_encode((uint32_t)c, bytes)), spec,
			spec->align == 0 ? '<' : spec->align, out, err);
	}
	if (whole && (spec->type == 0 || strchr("dnbxXo", spec->type) != NULL))
		return format_int(e, v, spec, out, err);
	if (spec->type == 0 || strchr("eEfFgGn%", spec->type) != NULL)
		return format_float(e, v, spec, out, err);
	return hf_raise(err, "Unknown format code '%c' for object of type '%s'", spec->type, hf_type_name(v));
}
