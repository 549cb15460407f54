#include "lib/template/format.h"

#include "lib/base/scope.h"
#include "lib/template/arith.h"
#include "lib/template/method.h"
#include "lib/template/text.h"

enum { FORMAT_DEPTH_MAX = 2 };

static int64_t number_read(struct hf_str s, size_t *at)
{
	int64_t n = 0;
	while (*at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9') {
		n = n * 10 + (s.p[(*at)++] - '0');
		if (n > HF_EVAL_TEXT_MAX)
			n = HF_EVAL_TEXT_MAX + 1;
	}
	return n;
}

static bool is_align(char c)
{
	return c != '\0' && strchr("<>^=", c) != NULL;
}

static char take_one(struct hf_str s, size_t *at, const char *any)
{
	return *at < s.n && s.p[*at] != '\0' && strchr(any, s.p[*at]) != NULL ? s.p[(*at)++] : '\0';
}

/* "x<" or "<" at the start. */
static size_t spec_align(struct hf_str s, struct format_spec *spec)
{
	size_t at = 0, after = 0;
	if (s.n > 0)
		hf_text_next(s, &after);
	if (after > 0 && after < s.n && is_align(s.p[after])) {
		spec->fill = hf_text_next(s, &at);
		spec->align = s.p[at];
		return at + 1;
	}
	spec->align = take_one(s, &at, "<>^=");
	return at;
}

static int spec_parse(struct hf_str s, struct format_spec *ret, struct hf_error *err)
{
	struct format_spec spec = { .fill = ' ', .precision = -1 };
	size_t at = spec_align(s, &spec);
	spec.sign = take_one(s, &at, "+- ");
	spec.alternate = take_one(s, &at, "#") != '\0';
	spec.zero = take_one(s, &at, "0") != '\0';
	spec.width = number_read(s, &at);
	spec.grouping = take_one(s, &at, ",_");
	if (take_one(s, &at, ".") != '\0') {
		size_t digits = at;
		spec.precision = number_read(s, &at);
		if (at == digits)
			return hf_raise(err, "Format specifier missing precision");
	}
	if (at < s.n)
		spec.type = s.p[at++];
	if (at < s.n)
		return hf_raise(err, "Invalid format specifier '%.*s'", HF_STR_ARG(s));
	*ret = spec;
	return 0;
}

static int format_text(struct hf_eval *e, struct hf_str text, const struct format_spec *given,
	struct hf_buf *out, struct hf_error *err)
{
	struct format_spec spec = *given;
	if (spec.type != 0 && spec.type != 's')
		return hf_raise(err, "Unknown format code '%c' for object of type 'str'", spec.type);
	if (spec.grouping != 0)
		return hf_raise(err, "Cannot specify '%c' with 's'.", spec.grouping);
	if (spec.sign != 0)
		return hf_raise(err, "Sign not allowed in string format specifier");
	if (spec.align == '=')
		return hf_raise(err, "'=' alignment not allowed in string format specifier");
	if (spec.zero && spec.align == 0)
		spec.fill = '0';
	if (spec.precision >= 0)
		text.n = hf_utf8_offset(text, (size_t)spec.precision);
	return hf_format_padded(e, text, &spec, spec.align == 0 ? '<' : spec.align, out, err);
}

int hf_format_value(
	struct hf_eval *e, struct hf_value *v, struct hf_str text, struct hf_buf *out, struct hf_error *err)
{
	struct format_spec spec;
	struct hf_str shown;
	if (undefined_strict(e, v))
		return hf_eval_undefined(e, v, err);
	if (text.n == 0) {
		int r = hf_eval_text(e, v, &shown, err);
		if (r == 0)
			hf_buf_add(out, shown);
		return r;
	}
	int r = spec_parse(text, &spec, err);
	if (r < 0)
		return r;
	if (v->type == HF_BOOL) { /* format(True, '5') is that of 1 */
		struct hf_value one = { .type = HF_INT, .u.integer = v->u.boolean };
		return hf_format_number(e, &one, &spec, out, err);
	}
	if (hf_arith_is_number(v))
		return hf_format_number(e, v, &spec, out, err);
	if (v->type == HF_STRING)
		return format_text(e, v->u.string, &spec, out, err);
	return hf_raise(err, "unsupported format string passed to %s.__format__", hf_type_name(v));
}

struct formatter {
	const struct hf_call *call;
	struct hf_value *map; /* of format_map, else NULL */
	int64_t next;         /* automatic numbering; -1 once numbers were given */
	bool markup;
};

static int field_first(struct hf_eval *e, struct formatter *f, struct hf_str name, struct hf_value **ret,
	struct hf_error *err)
{
	int64_t index;
	if (name.n == 0) {
		if (f->next < 0)
			return hf_raise(err,
				"cannot switch from manual field specification to automatic field numbering");
		index = f->next++;
	} else if (name.p[0] >= '0' && name.p[0] <= '9' && hf_str_to_int64(name, &index)) {
		if (f->next > 0)
			return hf_raise(err,
				"cannot switch from automatic field numbering to manual field specification");
		f->next = -1;
	} else {
		struct hf_value key = { .type = HF_STRING, .u.string = name };
		struct hf_value *from = f->map != NULL ? f->map : f->call->kwargs;
		*ret = from == NULL ? NULL : hf_dict_find(from, &key);
		if (*ret == NULL)
			return hf_raise(err, "KeyError: '%.*s'", HF_STR_ARG(name));
		return 0;
	}
	if (f->map != NULL)
		return hf_raise(err, "Format string contains positional fields");
	if ((size_t)index >= f->call->n_args)
		return hf_raise(err, "Replacement index %lld out of range for positional args tuple",
			(long long)index);
	*ret = f->call->args[index];
	return 0;
}

/* ".name" or "[key]" at position at, behind which it then is. */
static int field_step(
	struct hf_eval *e, struct hf_str field, size_t *at, struct hf_value **v, struct hf_error *err)
{
	bool item = field.p[(*at)++] == '[';
	size_t start = *at;
	int64_t index;
	while (*at < field.n && strchr(item ? "]" : ".[", field.p[*at]) == NULL)
		++*at;
	struct hf_str name = { field.p + start, *at - start };
	if (name.n == 0)
		return hf_raise(err, "Empty attribute in format string");
	if (!item)
		return hf_eval_attribute(e, *v, name, v, err);
	if ((*at)++ >= field.n)
		return hf_raise(err, "expected '}' before end of string");
	bool number = name.p[0] != '-' && hf_str_to_int64(name, &index);
	struct hf_value *key = number ? hf_value_int(e->arena, index) : hf_value_str(e->arena, name);
	return hf_eval_item(e, *v, key, v, err);
}

/* "0.name[key]" */
static int field_value(struct hf_eval *e, struct formatter *f, struct hf_str field, struct hf_value **ret,
	struct hf_error *err)
{
	size_t at = 0;
	while (at < field.n && field.p[at] != '.' && field.p[at] != '[')
		at++;
	struct hf_value *v = NULL;
	int r = field_first(e, f, hf_strn(field.p, at), &v, err);
	while (r == 0 && at < field.n) {
		r = field_step(e, field, &at, &v, err);
		if (r == 0 && v->type == HF_UNDEFINED)
			return hf_eval_undefined(e, v, err);
	}
	if (r == 0)
		*ret = v;
	return r;
}

static int format_run(struct hf_eval *e, struct formatter *f, struct hf_str text, int depth,
	struct hf_buf *out, struct hf_error *err);

/* "!r", "!s" or "!a" at the start of spec: v becomes that text, spec what is behind. */
static int field_conversion(struct hf_eval *e, struct hf_str *spec, struct hf_value **v, struct hf_error *err)
{
	if (spec->n == 0 || spec->p[0] != '!')
		return 0;
	char how = spec->n > 1 ? spec->p[1] : '\0';
	if (how == '\0' || strchr("rsa", how) == NULL || (spec->n > 2 && spec->p[2] != ':'))
		return hf_raise(err, "Unknown conversion specifier in format string");
	hf_auto_buf shown = hf_buf_init(HF_EVAL_TEXT_MAX);
	if (how == 's')
		hf_value_print(&shown, *v);
	else
		hf_value_repr(&shown, *v);
	*v = hf_value_str(e->arena, hf_buf_str(&shown));
	*spec = hf_strn(spec->p + 2, spec->n - 2);
	return 0;
}

static size_t field_name_length(struct hf_str field)
{
	size_t n = 0, brackets = 0;
	for (; n < field.n && (brackets > 0 || (field.p[n] != ':' && field.p[n] != '!')); n++) {
		brackets += field.p[n] == '[';
		brackets -= field.p[n] == ']' && brackets > 0;
	}
	return n;
}

/* One "{…}" without its braces. */
static int format_field(struct hf_eval *e, struct formatter *f, struct hf_str field, int depth,
	struct hf_buf *out, struct hf_error *err)
{
	size_t name = field_name_length(field);
	struct hf_value *v = NULL;
	struct hf_str spec = { field.p + name, field.n - name };
	int r = field_value(e, f, hf_strn(field.p, name), &v, err);
	if (r == 0)
		r = field_conversion(e, &spec, &v, err);
	if (r < 0)
		return r;
	hf_auto_buf inner = hf_buf_init(HF_EVAL_TEXT_MAX);
	if (spec.n > 0)
		spec = hf_strn(spec.p + 1, spec.n - 1);
	if (memchr(spec.p, '{', spec.n) != NULL) {
		if (depth >= FORMAT_DEPTH_MAX)
			return hf_raise(err, "Max string recursion exceeded");
		r = format_run(e, f, spec, depth + 1, &inner, err);
		spec = hf_buf_str(&inner);
	}
	if (r < 0)
		return r;
	if (!f->markup || v->flags & HF_VALUE_MARKUP)
		return hf_format_value(e, v, spec, out, err);
	hf_auto_buf plain = hf_buf_init(HF_EVAL_TEXT_MAX);
	r = hf_format_value(e, v, spec, &plain, err);
	hf_text_escape(out, hf_buf_str(&plain));
	return r;
}

static int format_run(struct hf_eval *e, struct formatter *f, struct hf_str text, int depth,
	struct hf_buf *out, struct hf_error *err)
{
	for (size_t at = 0; at < text.n;) {
		char c = text.p[at];
		if (c != '{' && c != '}') {
			hf_buf_put(out, c);
			at++;
			continue;
		}
		if (at + 1 < text.n && text.p[at + 1] == c) {
			hf_buf_put(out, c);
			at += 2;
			continue;
		}
		if (c == '}')
			return hf_raise(err, "Single '}' encountered in format string");
		size_t start = ++at, open = 1;
		for (; at < text.n && open > 0; at++)
			open += text.p[at] == '{' ? 1 : text.p[at] == '}' ? -1 : 0;
		if (open > 0)
			return hf_raise(err, start >= text.n ? "Single '{' encountered in format string"
							     : "expected '}' before end of string");
		int r = format_field(e, f, hf_strn(text.p + start, at - start - 1), depth, out, err);
		if (r == 0)
			r = hf_eval_steps(e, 1, err);
		if (r < 0)
			return r;
	}
	return hf_buf_check(out, "formatted text", err);
}

STR_METHOD(format)
{
	struct formatter f = { .call = call, .markup = (input->flags & HF_VALUE_MARKUP) != 0 };
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	int r = format_run(e, &f, input->u.string, 1, &out, err);
	return r < 0 ? r : hf_method_text(e, input, &out, ret, err);
}

STR_METHOD(format_map)
{
	struct formatter f = { .call = call, .markup = (input->flags & HF_VALUE_MARKUP) != 0 };
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	if (call->n_args != 1 || call->args[0]->type != HF_DICT)
		return hf_raise(err, "format_map() takes exactly one mapping");
	f.map = call->args[0];
	int r = format_run(e, &f, input->u.string, 1, &out, err);
	return r < 0 ? r : hf_method_text(e, input, &out, ret, err);
}
