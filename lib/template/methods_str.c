/* lib/template/methods_str.c - methods of str that give text or tests of it; searching ones are in
 * methods_find.c. */
#include "lib/base/scope.h"
#include "lib/template/builtin.h"
#include "lib/template/filters.h"
#include "lib/template/method.h"
#include "lib/template/text.h"

int hf_method_text(struct hf_eval *e, const struct hf_value *self, const struct hf_buf *out,
	struct hf_value **ret, struct hf_error *err)
{
	return hf_buf_value(e, out, self->flags & HF_VALUE_MARKUP, ret, err);
}

int hf_method_argument(struct hf_eval *e, const struct hf_call *call, size_t position, const char *what,
	struct hf_str *ret, struct hf_error *err)
{
	const struct hf_value *v = position < call->n_args ? call->args[position] : NULL;
	if (v == NULL)
		return hf_raise(err, "%s takes more arguments (%zu given)", what, call->n_args);
	if (v->type == HF_UNDEFINED)
		return hf_eval_undefined(e, v, err);
	if (v->type != HF_STRING)
		return hf_raise(
			err, "%s argument %zu must be str, not %s", what, position + 1, hf_type_name(v));
	*ret = v->u.string;
	return 0;
}

static int cased_text(struct hf_eval *e, const struct hf_value *self, const struct hf_call *call,
	void (*change)(struct hf_buf *, struct hf_str), struct hf_value **ret, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	int r = hf_call_check(call, "str method", 0, NULL, err);
	if (r < 0)
		return r;
	change(&out, self->u.string);
	return hf_method_text(e, self, &out, ret, err);
}

METHOD(upper)
{
	return cased_text(e, input, call, hf_text_upper, ret, err);
}

METHOD(lower)
{
	return cased_text(e, input, call, hf_text_lower, ret, err);
}

METHOD(capitalize)
{
	return cased_text(e, input, call, hf_text_capitalize, ret, err);
}

static void put_points(struct hf_buf *out, const uint32_t *points, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hf_text_put(out, points[i]);
}

static void text_casefold(struct hf_buf *out, struct hf_str s)
{
	uint32_t points[3];
	for (size_t i = 0; i < s.n;) {
		uint32_t c = hf_text_next(s, &i);
		if (c == 0xdf || c == 0x1e9e)
			hf_buf_puts(out, "ss");
		else if (c == 0x3c2)
			hf_text_put(out, 0x3c3);
		else
			put_points(out, points, hf_point_to_lower(c, points));
	}
}

static void text_swapcase(struct hf_buf *out, struct hf_str s)
{
	uint32_t points[3];
	for (size_t i = 0; i < s.n;) {
		uint32_t c = hf_text_next(s, &i);
		if (hf_point_title(c))
			hf_text_put(out, c);
		else
			put_points(out, points,
				hf_point_upper(c) ? hf_point_to_lower(c, points)
						  : hf_point_to_upper(c, points));
	}
}

static bool has_case(uint32_t c)
{
	return hf_point_upper(c) || hf_point_lower(c) || hf_point_title(c);
}

static void text_title(struct hf_buf *out, struct hf_str s)
{
	uint32_t points[3];
	bool inside = false;
	for (size_t i = 0; i < s.n;) {
		uint32_t c = hf_text_next(s, &i);
		put_points(out, points, inside ? hf_point_to_lower(c, points) : hf_point_to_title(c, points));
		inside = has_case(c);
	}
}

METHOD(casefold)
{
	return cased_text(e, input, call, text_casefold, ret, err);
}

METHOD(swapcase)
{
	return cased_text(e, input, call, text_swapcase, ret, err);
}

METHOD(title)
{
	return cased_text(e, input, call, text_title, ret, err);
}

/* Every character has the property, and there is one. */
static int every(struct hf_eval *e, const struct hf_value *self, const struct hf_call *call,
	bool (*holds)(uint32_t), bool empty, struct hf_value **ret, struct hf_error *err)
{
	int r = hf_call_check(call, "str method", 0, NULL, err);
	bool all = self->u.string.n > 0 || empty;
	for (size_t i = 0; all && i < self->u.string.n;)
		all = holds(hf_text_next(self->u.string, &i));
	if (r == 0)
		*ret = hf_value_bool(e->arena, all);
	return r;
}

static bool point_decimal(uint32_t c)
{
	int digit;
	return hf_point_decimal(c, &digit);
}

static bool point_numeric(uint32_t c)
{
	return hf_point_digit(c) || (!hf_point_alpha(c) && hf_point_alnum(c));
}

static bool point_ascii(uint32_t c)
{
	return c < 0x80;
}

#define EVERY_METHOD(name, holds, empty)                                                                     \
	METHOD(name)                                                                                         \
	{                                                                                                    \
		return every(e, input, call, holds, empty, ret, err);                                        \
	}
EVERY_METHOD(isalpha, hf_point_alpha, false)
EVERY_METHOD(isalnum, hf_point_alnum, false)
EVERY_METHOD(isdigit, hf_point_digit, false)
EVERY_METHOD(isdecimal, point_decimal, false)
EVERY_METHOD(isnumeric, point_numeric, false)
EVERY_METHOD(isspace, hf_point_space, false)
EVERY_METHOD(isprintable, hf_unicode_printable, true)
EVERY_METHOD(isascii, point_ascii, true)

METHOD(isidentifier)
{
	int r = hf_call_check(call, "isidentifier", 0, NULL, err);
	if (r == 0)
		*ret = hf_value_bool(e->arena, hf_text_identifier(input->u.string));
	return r;
}

static int cased_only(struct hf_eval *e, const struct hf_value *self, bool upper, struct hf_value **ret)
{
	bool any = false, other = false;
	for (size_t i = 0; i < self->u.string.n;) {
		uint32_t c = hf_text_next(self->u.string, &i);
		any |= upper ? hf_point_upper(c) : hf_point_lower(c);
		other |= upper ? hf_point_lower(c) : hf_point_upper(c);
	}
	*ret = hf_value_bool(e->arena, any && !other);
	return 0;
}

METHOD(isupper)
{
	int r = hf_call_check(call, "isupper", 0, NULL, err);
	return r < 0 ? r : cased_only(e, input, true, ret);
}

METHOD(islower)
{
	int r = hf_call_check(call, "islower", 0, NULL, err);
	return r < 0 ? r : cased_only(e, input, false, ret);
}

METHOD(istitle)
{
	bool inside = false, any = false, holds = true;
	int r = hf_call_check(call, "istitle", 0, NULL, err);
	for (size_t i = 0; i < input->u.string.n;) {
		uint32_t c = hf_text_next(input->u.string, &i);
		bool first = hf_point_upper(c) || hf_point_title(c);
		holds &= first ? !inside : hf_point_lower(c) ? inside : true;
		inside = has_case(c);
		any |= inside;
	}
	if (r == 0)
		*ret = hf_value_bool(e->arena, any && holds);
	return r;
}

static bool in_set(struct hf_str set, uint32_t c)
{
	for (size_t i = 0; i < set.n;)
		if (hf_text_next(set, &i) == c)
			return true;
	return false;
}

static struct hf_str strip_set(struct hf_str s, struct hf_str set, bool left, bool right)
{
	while (left && s.n > 0) {
		size_t at = 0;
		if (!in_set(set, hf_text_next(s, &at)))
			break;
		s = hf_strn(s.p + at, s.n - at);
	}
	while (right && s.n > 0) {
		size_t start = s.n - 1;
		while (start > 0 && ((unsigned char)s.p[start] & 0xC0) == 0x80)
			start--;
		size_t at = start;
		if (!in_set(set, hf_text_next(s, &at)))
			break;
		s.n = start;
	}
	return s;
}

static int strip(struct hf_eval *e, struct hf_value *self, const struct hf_call *call, bool left, bool right,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str set, out;
	int r = hf_call_check(call, "strip", 1, NULL, err);
	if (r == 0 && call->n_args > 0 && call->args[0]->type != HF_NULL) {
		r = hf_method_argument(e, call, 0, "strip", &set, err);
		out = r == 0 ? strip_set(self->u.string, set, left, right) : self->u.string;
	} else {
		out = hf_text_strip(self->u.string, left, right);
	}
	if (r < 0)
		return r;
	*ret = hf_value_str(e->arena, out);
	(*ret)->flags = self->flags & HF_VALUE_MARKUP;
	return 0;
}

METHOD(strip)
{
	return strip(e, input, call, true, true, ret, err);
}

METHOD(lstrip)
{
	return strip(e, input, call, true, false, ret, err);
}

METHOD(rstrip)
{
	return strip(e, input, call, false, true, ret, err);
}

int hf_method_pad(struct hf_eval *e, const struct hf_value *self, int64_t left, int64_t right,
	struct hf_str fill, struct hf_value **ret, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	int r = hf_eval_room(e, (uint64_t)(left > 0 ? left : 0) + (uint64_t)(right > 0 ? right : 0), err);
	if (r < 0)
		return r;
	for (int64_t i = 0; i < left; i++)
		hf_buf_add(&out, fill);
	hf_buf_add(&out, self->u.string);
	for (int64_t i = 0; i < right; i++)
		hf_buf_add(&out, fill);
	return hf_method_text(e, self, &out, ret, err);
}

/* align: '<', '>' or '^'. */
static int justify(struct hf_eval *e, struct hf_value *self, const struct hf_call *call, char align,
	struct hf_value **ret, struct hf_error *err)
{
	int64_t width = 0;
	struct hf_str fill = HF_STR(" ");
	int r = hf_call_check(call, "justifying method", 2, NULL, err);
	if (r == 0 && call->n_args == 0)
		return hf_raise(err, "expected at least 1 argument, got 0");
	if (r == 0)
		r = hf_eval_int(e, call->args[0], "width", &width, err);
	if (r == 0 && call->n_args > 1)
		r = hf_method_argument(e, call, 1, "justifying method", &fill, err);
	if (r == 0 && hf_utf8_length(fill) != 1)
		return hf_raise(err, "The fill character must be exactly one character long");
	if (r < 0)
		return r;
	int64_t n = (int64_t)hf_utf8_length(self->u.string), pad = width > n ? width - n : 0;
	int64_t left = align == '<' ? 0 : align == '>' ? pad : pad / 2 + (pad & width & 1);
	return hf_method_pad(e, self, left, pad - left, fill, ret, err);
}

METHOD(center)
{
	return justify(e, input, call, '^', ret, err);
}

METHOD(ljust)
{
	return justify(e, input, call, '<', ret, err);
}

METHOD(rjust)
{
	return justify(e, input, call, '>', ret, err);
}

METHOD(zfill)
{
	int64_t width = 0;
	int r = hf_call_check(call, "zfill", 1, NULL, err);
	if (r == 0 && call->n_args == 0)
		return hf_raise(err, "zfill() takes exactly one argument (0 given)");
	if (r == 0)
		r = hf_eval_int(e, call->args[0], "width", &width, err);
	if (r < 0)
		return r;
	struct hf_str s = input->u.string;
	int64_t n = (int64_t)hf_utf8_length(s);
	bool sign = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	r = hf_eval_room(e, width < 0 ? 0 : (uint64_t)width, err);
	if (r < 0)
		return r;
	hf_buf_append(&out, s.p, sign);
	for (int64_t i = n; i < width; i++)
		hf_buf_put(&out, '0');
	hf_buf_append(&out, s.p + sign, s.n - sign);
	return hf_method_text(e, input, &out, ret, err);
}

METHOD(expandtabs)
{
	static const char *const names[] = { "tabsize", NULL };
	int64_t size = 8, column = 0;
	int r = hf_call_check(call, "expandtabs", 1, names, err);
	if (r == 0)
		r = hf_filter_int(e, call, 0, "tabsize", 8, &size, err);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	for (size_t i = 0; r == 0 && i < input->u.string.n;) {
		uint32_t c = hf_text_next(input->u.string, &i);
		if (c != '\t') {
			hf_text_put(&out, c);
			column = c == '\n' || c == '\r' ? 0 : column + 1;
			continue;
		}
		int64_t pad = size > 0 ? size - column % size : 0;
		r = hf_eval_room(e, (uint64_t)pad, err);
		for (int64_t k = 0; r == 0 && k < pad && !out.failed; k++)
			hf_buf_put(&out, ' ');
		column += pad;
	}
	return r < 0 ? r : hf_method_text(e, input, &out, ret, err);
}

static int affix_removed(struct hf_eval *e, struct hf_value *self, const struct hf_call *call, bool prefix,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str affix, s = self->u.string;
	int r = hf_call_check(call, "removing method", 1, NULL, err);
	if (r == 0)
		r = hf_method_argument(e, call, 0, "removing method", &affix, err);
	if (r < 0)
		return r;
	if (affix.n > 0 && s.n >= affix.n &&
		memcmp(prefix ? s.p : s.p + s.n - affix.n, affix.p, affix.n) == 0)
		s = hf_strn(prefix ? s.p + affix.n : s.p, s.n - affix.n);
	*ret = hf_value_str(e->arena, s);
	(*ret)->flags = self->flags & HF_VALUE_MARKUP;
	return 0;
}

METHOD(removeprefix)
{
	return affix_removed(e, input, call, true, ret, err);
}

METHOD(removesuffix)
{
	return affix_removed(e, input, call, false, ret, err);
}

METHOD(encode)
{
	static const char *const names[] = { "encoding", "errors", NULL };
	struct hf_str encoding = { 0 }, errors = { 0 };
	int r = hf_call_check(call, "encode", 2, names, err);
	if (r == 0)
		r = hf_filter_text(e, call, 0, "encoding", HF_STR("utf-8"), &encoding, err);
	if (r == 0)
		r = hf_filter_text(e, call, 1, "errors", HF_STR("strict"), &errors, err);
	if (r < 0)
		return r;
	return hf_bytes_encode(e, input->u.string, encoding, errors, ret, err);
}

const struct hf_callable_row hf_methods_str[] = {
	{ "upper", method_upper, 0 },
	{ "lower", method_lower, 0 },
	{ "capitalize", method_capitalize, 0 },
	{ "casefold", method_casefold, 0 },
	{ "swapcase", method_swapcase, 0 },
	{ "title", method_title, 0 },
	{ "isalpha", method_isalpha, 0 },
	{ "isalnum", method_isalnum, 0 },
	{ "isdigit", method_isdigit, 0 },
	{ "isdecimal", method_isdecimal, 0 },
	{ "isnumeric", method_isnumeric, 0 },
	{ "isspace", method_isspace, 0 },
	{ "isprintable", method_isprintable, 0 },
	{ "isascii", method_isascii, 0 },
	{ "isidentifier", method_isidentifier, 0 },
	{ "isupper", method_isupper, 0 },
	{ "islower", method_islower, 0 },
	{ "istitle", method_istitle, 0 },
	{ "strip", method_strip, 0 },
	{ "lstrip", method_lstrip, 0 },
	{ "rstrip", method_rstrip, 0 },
	{ "center", method_center, 0 },
	{ "ljust", method_ljust, 0 },
	{ "rjust", method_rjust, 0 },
	{ "zfill", method_zfill, 0 },
	{ "expandtabs", method_expandtabs, 0 },
	{ "removeprefix", method_removeprefix, 0 },
	{ "removesuffix", method_removesuffix, 0 },
	{ "encode", method_encode, 0 },
	{ "split", hf_str_method_split, 0 },
	{ "rsplit", hf_str_method_rsplit, 0 },
	{ "splitlines", hf_str_method_splitlines, 0 },
	{ "partition", hf_str_method_partition, 0 },
	{ "rpartition", hf_str_method_rpartition, 0 },
	{ "find", hf_str_method_find, 0 },
	{ "rfind", hf_str_method_rfind, 0 },
	{ "index", hf_str_method_index, 0 },
	{ "rindex", hf_str_method_rindex, 0 },
	{ "count", hf_str_method_count, 0 },
	{ "startswith", hf_str_method_startswith, 0 },
	{ "endswith", hf_str_method_endswith, 0 },
	{ "replace", hf_str_method_replace, 0 },
	{ "join", hf_str_method_join, 0 },
	{ "translate", hf_str_method_translate, 0 },
	{ "maketrans", hf_str_method_maketrans, 0 },
	{ "format", hf_str_method_format, HF_TAKES_UNDEFINED },
	{ "format_map", hf_str_method_format_map, 0 },
	{ NULL, NULL, 0 },
};
