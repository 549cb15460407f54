/* lib/template/filters_text.c - filters that change text; declared in builtin.h. */
#include "lib/base/scope.h"
#include "lib/template/builtin.h"
#include "lib/template/filters.h"
#include "lib/template/method.h"
#include "lib/template/text.h"

/* Text of the input; *ret_flags is MARKUP when it is Markup. */
static int input_text(struct hf_eval *e, struct hf_value *input, struct hf_str *ret, unsigned *ret_flags,
	struct hf_error *err)
{
	*ret_flags = input->flags & HF_VALUE_MARKUP;
	return hf_eval_text(e, input, ret, err);
}

static int changed(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	void (*change)(struct hf_buf *, struct hf_str), struct hf_value **ret, struct hf_error *err)
{
	struct hf_str text;
	unsigned flags;
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	int r = hf_call_check(call, "filter", 0, NULL, err);
	if (r == 0)
		r = input_text(e, input, &text, &flags, err);
	if (r != 0)
		return r;
	change(&out, text);
	return hf_buf_value(e, &out, flags, ret, err);
}

FILTER(upper)
{
	return changed(e, input, call, hf_text_upper, ret, err);
}

FILTER(lower)
{
	return changed(e, input, call, hf_text_lower, ret, err);
}

FILTER(capitalize)
{
	return changed(e, input, call, hf_text_capitalize, ret, err);
}

/* The first letter behind white space, '-' or an opening bracket is upper case, all others lower. */
static void title_case(struct hf_buf *out, struct hf_str s)
{
	uint32_t points[3];
	bool start = true;
	for (size_t at = 0; at < s.n;) {
		uint32_t c = hf_text_next(s, &at);
		size_t n = start ? hf_point_to_upper(c, points) : hf_point_to_lower(c, points);
		for (size_t i = 0; i < n; i++)
			hf_text_put(out, points[i]);
		start = hf_point_space(c) || (c < 0x80 && strchr("-({[<", (int)c) != NULL && c != 0);
	}
}

FILTER(title)
{
	int r = changed(e, input, call, title_case, ret, err);
	if (r == 0) /* put together anew, so no Markup any more */
		(*ret)->flags &= ~(unsigned)HF_VALUE_MARKUP;
	return r;
}

FILTER(string)
{
	struct hf_str text;
	unsigned flags;
	int r = hf_call_check(call, "string", 0, NULL, err);
	if (r == 0)
		r = input_text(e, input, &text, &flags, err);
	if (r != 0)
		return r;
	*ret = input->type == HF_STRING ? input : hf_value_str(e->arena, text);
	return 0;
}

FILTER(trim)
{
	static const char *const names[] = { "chars", NULL };
	struct hf_str text;
	unsigned flags;
	int r = hf_call_check(call, "trim", 1, names, err);
	if (r == 0)
		r = input_text(e, input, &text, &flags, err);
	if (r != 0)
		return r;
	struct hf_value *self = hf_value_borrow(e->arena, text), *chars = hf_call_arg(call, 0, "chars");
	self->flags = (uint8_t)flags;
	struct hf_call inner = { &chars, chars != NULL, NULL, call->pos };
	return hf_row_find(hf_methods_str, HF_STR("strip"))->fn(e, self, &inner, ret, err);
}

FILTER(center)
{
	static const char *const names[] = { "width", NULL };
	struct hf_str text;
	unsigned flags;
	int64_t width;
	int r = hf_call_check(call, "center", 1, names, err);
	if (r == 0)
		r = hf_filter_int(e, call, 0, "width", 80, &width, err);
	if (r == 0)
		r = input_text(e, input, &text, &flags, err);
	if (r != 0)
		return r;
	struct hf_value *self = hf_value_borrow(e->arena, text);
	self->flags = (uint8_t)flags;
	int64_t n = (int64_t)hf_utf8_length(text), pad = width > n ? width - n : 0;
	int64_t left = pad / 2 + (pad & width & 1);
	return hf_method_pad(e, self, left, pad - left, HF_STR(" "), ret, err);
}

FILTER(replace)
{
	struct hf_value *old = NULL, *new = NULL;
	struct hf_str text, from, to;
	unsigned flags = 0;
	int64_t count = -1;
	const struct filter_arg args[] = { { "old", ARG_VALUE, &old }, { "new", ARG_VALUE, &new },
		{ "count", ARG_INT_OR_NONE, &count } };
	int r = hf_filter_args(e, call, "replace", args, HF_COUNT(args), err);
	if (r == 0 && (old == NULL || new == NULL))
		return hf_raise(err, "replace() missing required positional arguments 'old' and 'new'");
	if (r == 0)
		r = input_text(e, input, &text, &flags, err);
	if (r == 0 && e->autoescape && flags == 0 && (old->flags | new->flags) & HF_VALUE_MARKUP) {
		r = hf_eval_escaped(e, input, &text, err);
		flags = HF_VALUE_MARKUP;
	}
	flags = e->autoescape ? flags : 0;
	if (r == 0)
		r = hf_eval_text(e, old, &from, err);
	if (r == 0)
		r = flags != 0 ? hf_eval_escaped(e, new, &to, err) : hf_eval_text(e, new, &to, err);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	if (r == 0)
		r = hf_text_replace(e, text, from, to, count, &out, err);
	return r < 0 ? r : hf_buf_value(e, &out, flags, ret, err);
}

FILTER(truncate)
{
	int64_t length = 255, leeway = 5, n = 0;
	bool kill = false;
	struct hf_str end = HF_STR("...");
	const struct filter_arg args[] = { { "length", ARG_INT, &length }, { "killwords", ARG_BOOL, &kill },
		{ "end", ARG_TEXT, &end }, { "leeway", ARG_INT_OR_NONE, &leeway } };
	int r = hf_filter_args(e, call, "truncate", args, HF_COUNT(args), err);
	if (r < 0)
		return r;
	int64_t tail = (int64_t)hf_utf8_length(end);
	if (length < tail || leeway < 0)
		return hf_raise(err, "expected length >= %lld, got %lld", (long long)tail, (long long)length);
	r = hf_eval_length(e, input, &n, err);
	if (r < 0)
		return r;
	if (n <= length + leeway) {
		*ret = input;
		return 0;
	}
	if (input->type != HF_STRING)
		return hf_raise(err, "truncate takes text, not %s", hf_type_name(input));
	struct hf_str text = input->u.string;
	text.n = hf_utf8_offset(text, (size_t)(length - tail));
	const char *space = kill || text.n == 0 ? NULL : memrchr(text.p, ' ', text.n);
	if (space != NULL)
		text.n = (size_t)(space - text.p);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	hf_buf_add(&out, text);
	hf_buf_add(&out, end);
	return hf_buf_value(e, &out, input->flags & HF_VALUE_MARKUP, ret, err);
}

FILTER(wordcount)
{
	struct hf_str text;
	unsigned flags;
	int64_t n = 0;
	int r = hf_call_check(call, "wordcount", 0, NULL, err);
	if (r == 0)
		r = input_text(e, input, &text, &flags, err);
	while (r == 0 && text.n > 0) {
		size_t word = hf_text_word(text), step = word;
		n += word > 0;
		if (word == 0)
			hf_text_next(text, &step);
		text = hf_strn(text.p + step, text.n - step);
	}
	if (r == 0)
		*ret = hf_value_int(e->arena, n);
	return r;
}

struct indent {
	struct hf_str by;
	bool first, blank;
};

static int indent_read(
	struct hf_eval *e, const struct hf_call *call, struct indent *ret, struct hf_error *err)
{
	static const char *const names[] = { "width", "first", "blank", NULL };
	struct hf_value *width = hf_call_arg(call, 0, "width");
	int64_t n = 4;
	int r = hf_call_check(call, "indent", 3, names, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 1, "first", false, &ret->first, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 2, "blank", false, &ret->blank, err);
	if (r < 0)
		return r;
	if (width != NULL && width->type == HF_STRING) {
		ret->by = width->u.string;
		return 0;
	}
	r = width == NULL ? 0 : hf_eval_int(e, width, "width", &n, err);
	if (r == 0)
		r = hf_eval_room(e, n < 0 ? 0 : (uint64_t)n, err);
	if (r < 0)
		return r;
	n = n < 0 ? 0 : n;
	char *spaces = hf_alloc(e->arena, (size_t)n + 1);
	memset(spaces, ' ', (size_t)n);
	spaces[n] = '\0';
	ret->by = hf_strn(spaces, (size_t)n);
	return 0;
}

FILTER(indent)
{
	struct indent how = { 0 };
	int r = indent_read(e, call, &how, err);
	if (r < 0)
		return r;
	if (input->type == HF_UNDEFINED)
		return hf_eval_undefined(e, input, err);
	if (input->type != HF_STRING)
		return hf_raise(
			err, "unsupported operand type(s) for +=: '%s' and 'str'", hf_type_name(input));
	struct hf_str text = input->u.string;
	char *ended =
		hf_strndup(e->arena, text.p == NULL ? "" : text.p, text.n); /* the terminator's place … */
	ended[text.n] = '\n';                                               /* … is that of a newline */
	struct hf_value *lines = hf_text_lines(e->arena, hf_strn(ended, text.n + 1), false);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	for (size_t i = 0; i < hf_list_len(lines); i++) {
		struct hf_str line = hf_list_at(lines, i)->u.string;
		if (i > 0)
			hf_buf_put(&out, '\n');
		if (i == 0 ? how.first : how.blank || line.n > 0)
			hf_buf_add(&out, how.by);
		hf_buf_add(&out, line);
	}
	r = hf_eval_steps(e, hf_list_len(lines), err);
	return r < 0 ? r : hf_buf_value(e, &out, input->flags & HF_VALUE_MARKUP, ret, err);
}

const struct hf_callable_row hf_filters_text[] = {
	{ "upper", filter_upper, HF_NO_ARGUMENTS },
	{ "lower", filter_lower, HF_NO_ARGUMENTS },
	{ "capitalize", filter_capitalize, HF_NO_ARGUMENTS },
	{ "title", filter_title, HF_NO_ARGUMENTS },
	{ "string", filter_string, HF_NO_ARGUMENTS },
	{ "trim", filter_trim, 0 },
	{ "center", filter_center, 0 },
	{ "replace", filter_replace, 0 },
	{ "truncate", filter_truncate, 0 },
	{ "wordcount", filter_wordcount, HF_NO_ARGUMENTS },
	{ "indent", filter_indent, 0 },
	{ "wordwrap", hf_filter_wordwrap, 0 },
	{ NULL, NULL, 0 },
};
