#include "lib/base/scope.h"
#include "lib/template/arith.h"
#include "lib/template/format.h"
#include "lib/template/number.h"
#include "lib/template/text.h"

struct percent { /* text % values in progress */
	struct hf_eval *e;
	struct hf_str text;
	size_t at;
	struct hf_value *values;
	size_t used;
	bool markup;
};

static int next_value(struct percent *p, struct hf_value **ret, struct hf_error *err)
{
	bool tuple = p->values->type == HF_TUPLE;
	if (p->used >= (tuple ? hf_list_len(p->values) : 1))
		return hf_raise(err, "not enough arguments for format string");
	*ret = tuple ? hf_list_at(p->values, p->used) : p->values;
	p->used++;
	return 0;
}

static char here(const struct percent *p)
{
	return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

/* "(name)" behind the percent sign. */
static int named_value(struct percent *p, struct hf_value **ret, struct hf_error *err)
{
	size_t start = ++p->at, open = 1;
	for (; p->at < p->text.n && open > 0; p->at++)
		open += here(p) == '(' ? 1 : here(p) == ')' ? -1 : 0;
	if (open > 0)
		return hf_raise(err, "incomplete format key");
	if (p->values->type != HF_DICT)
		return hf_raise(err, "format requires a mapping");
	struct hf_value key = { .type = HF_STRING,
		.u.string = hf_strn(p->text.p + start, p->at - start - 1) };
	*ret = hf_dict_find(p->values, &key);
	p->used = 1;
	return *ret == NULL ? hf_raise(err, "KeyError: '%.*s'", HF_STR_ARG(key.u.string)) : 0;
}

/* Digits, or '*' for the next value. */
static int size_read(struct percent *p, int64_t *ret, struct hf_error *err)
{
	int64_t n = 0;
	if (here(p) == '*') {
		struct hf_value *v;
		p->at++;
		int r = next_value(p, &v, err);
		return r < 0 ? r : hf_eval_int(p->e, v, "width", ret, err);
	}
	for (; here(p) >= '0' && here(p) <= '9'; p->at++)
		n = n > HF_EVAL_TEXT_MAX ? n : n * 10 + (here(p) - '0');
	*ret = n;
	return 0;
}

static int put_text(struct percent *p, struct hf_value *v, char how, const struct format_spec *spec,
	struct hf_buf *out, struct hf_error *err)
{
	struct hf_str text;
	hf_auto_buf shown = hf_buf_init(HF_EVAL_TEXT_MAX);
	int r = 0;
	if (how == 's') {
		r = hf_eval_text(p->e, v, &text, err);
		if (r == 0 && p->markup)
			r = hf_eval_escaped(p->e, v, &text, err);
	} else {
		hf_value_repr(&shown, v);
		text = hf_buf_str(&shown);
	}
	if (r < 0)
		return r;
	if (spec->precision >= 0)
		text.n = hf_utf8_offset(text, (size_t)spec->precision);
	return hf_format_padded(p->e, text, spec, spec->align == 0 ? '>' : spec->align, out, err);
}

static int put_char(struct percent *p, struct hf_value *v, const struct format_spec *spec, struct hf_buf *out,
	struct hf_error *err)
{
	if (v->type == HF_STRING && hf_utf8_length(v->u.string) == 1)
		return hf_format_padded(
			p->e, v->u.string, spec, spec->align == 0 ? '>' : spec->align, out, err);
	if (v->type != HF_INT)
		return hf_raise(err, "%%c requires int or char");
	return hf_format_number(p->e, v, spec, out, err);
}

/* %d and its like with a precision: at least so many digits. */
static int put_int(struct percent *p, struct hf_value *v, struct format_spec *spec, struct hf_buf *out,
	struct hf_error *err)
{
	if (v->type == HF_FLOAT && spec->type == 'd')
		v = hf_arith_from_double(p->e->arena, v->u.real);
	if (!hf_arith_is_number(v) || v->type == HF_FLOAT)
		return v->type == HF_UNDEFINED ? hf_eval_undefined(p->e, v, err)
					       : hf_raise(err, "%%%c format: an integer is required, not %s",
							 spec->type, hf_type_name(v));
	if (spec->precision < 0)
		return hf_format_number(p->e, v, spec, out, err);
	struct format_spec digits = {
		.fill = ' ', .precision = -1, .type = spec->type, .zero = true, .sign = spec->sign
	};
	struct hf_value zero = { .type = HF_INT };
	digits.width = spec->precision + (hf_arith_compare(v, &zero) < 0 || spec->sign != 0);
	hf_auto_buf text = hf_buf_init(HF_EVAL_TEXT_MAX);
	int r = hf_format_number(p->e, v, &digits, &text, err);
	return r < 0 ? r
		     : hf_format_padded(
			       p->e, hf_buf_str(&text), spec, spec->align == 0 ? '>' : spec->align, out, err);
}

static int put_float(struct percent *p, struct hf_value *v, struct format_spec *spec, struct hf_buf *out,
	struct hf_error *err)
{
	double d;
	if (v->type == HF_UNDEFINED)
		return hf_eval_undefined(p->e, v, err);
	if (v->type == HF_STRING || !hf_arith_is_number(v))
		return hf_raise(err, "must be real number, not %s", hf_type_name(v));
	d = hf_arith_double(v);
	struct hf_value real = { .type = HF_FLOAT, .u.real = d };
	return hf_format_number(p->e, &real, spec, out, err);
}

static int put_value(struct percent *p, struct hf_value *v, struct format_spec *spec, struct hf_buf *out,
	struct hf_error *err)
{
	switch (spec->type) {
	case 's':
	case 'r':
	case 'a': {
		char how = spec->type;
		return put_text(p, v, how, spec, out, err);
	}
	case 'c':
		return put_char(p, v, spec, out, err);
	case 'd':
	case 'i':
	case 'u':
		spec->type = 'd';
		return put_int(p, v, spec, out, err);
	case 'x':
	case 'X':
	case 'o':
		return put_int(p, v, spec, out, err);
	case 'e':
	case 'E':
	case 'f':
	case 'F':
	case 'g':
	case 'G':
		return put_float(p, v, spec, out, err);
	default:
		return hf_raise(err, "unsupported format character '%c'", spec->type);
	}
}

/* Flags, width and precision. */
static int directive_spec(struct percent *p, struct format_spec *spec, struct hf_error *err)
{
	bool left = false;
	for (; here(p) != '\0' && strchr("-+ 0#", here(p)) != NULL; p->at++) {
		left |= here(p) == '-';
		spec->zero |= here(p) == '0';
		spec->alternate |= here(p) == '#';
		if (here(p) == '+' || (here(p) == ' ' && spec->sign != '+'))
			spec->sign = here(p);
	}
	int r = size_read(p, &spec->width, err);
	if (r == 0 && here(p) == '.') {
		p->at++;
		r = size_read(p, &spec->precision, err);
	}
	if (spec->width < 0) {
		left = true;
		spec->width = spec->width < -HF_EVAL_TEXT_MAX ? HF_EVAL_TEXT_MAX + 1 : -spec->width;
	}
	if (left) {
		spec->align = '<';
		spec->zero = false;
	}
	return r;
}

/* What stands behind one percent sign. */
static int directive(struct percent *p, struct hf_buf *out, struct hf_error *err)
{
	struct format_spec spec = { .fill = ' ', .precision = -1 };
	struct hf_value *v = NULL;
	int r = here(p) == '(' ? named_value(p, &v, err) : 0;
	if (r == 0)
		r = directive_spec(p, &spec, err);
	if (r < 0)
		return r;
	while (here(p) == 'l' || here(p) == 'h' || here(p) == 'L')
		p->at++;
	spec.type = here(p);
	if (spec.type == '\0')
		return hf_raise(err, "incomplete format");
	p->at++;
	if (spec.type == '%') {
		hf_buf_put(out, '%');
		return 0;
	}
	if (v == NULL)
		r = next_value(p, &v, err);
	return r < 0 ? r : put_value(p, v, &spec, out, err);
}

int hf_format_percent(struct hf_eval *e, struct hf_value *format, struct hf_value *values,
	struct hf_value **ret, struct hf_error *err)
{
	struct percent p = { .e = e,
		.text = format->u.string,
		.values = values,
		.markup = (format->flags & HF_VALUE_MARKUP) != 0 };
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	while (p.at < p.text.n) {
		const char *from = p.text.p + p.at;
		const char *sign = memchr(from, '%', p.text.n - p.at);
		size_t plain = sign == NULL ? p.text.n - p.at : (size_t)(sign - from);
		hf_buf_append(&out, from, plain);
		p.at += plain + (sign != NULL);
		if (sign == NULL)
			break;
		int r = directive(&p, &out, err);
		if (r == 0)
			r = hf_eval_steps(e, 1, err);
		if (r < 0)
			return r;
	}
	size_t given = values->type == HF_TUPLE ? hf_list_len(values) : 1;
	/* What has items need not be used up, and to Python undefined has. */
	bool may_be_left = values->type == HF_DICT || values->type == HF_LIST || values->type == HF_OBJECT ||
			   values->type == HF_UNDEFINED || values->type == HF_BYTES;
	if (p.used < given && !may_be_left)
		return hf_raise(err, "not all arguments converted during string formatting");
	return hf_buf_value(e, &out, hf_value_marks(values) | (format->flags & HF_VALUE_MARKUP), ret, err);
}
