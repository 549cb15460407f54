/* lib/template/filters_sequence.c - Jinja's filters over sequences; declared in builtin.h. */
#include <sys/random.h>

#include "lib/base/scope.h"
#include "lib/template/arith.h"
#include "lib/template/builtin.h"
#include "lib/template/eval.h"
#include "lib/template/filters.h"
#include "lib/template/text.h"

FILTER(length)
{
	int64_t n;
	int r = hf_call_check(call, "length", 0, NULL, err);
	if (r == 0)
		r = hf_eval_length(e, input, &n, err);
	if (r == 0)
		*ret = hf_value_int(e->arena, n);
	return r;
}

FILTER(first)
{
	struct hf_value *items;
	int r = hf_call_check(call, "first", 0, NULL, err);
	if (r == 0)
		r = hf_eval_sequence(e, input, &items, err);
	if (r < 0)
		return r;
	*ret = hf_list_len(items) > 0 ? hf_list_at(items, 0)
				      : hf_value_undefined(e->arena, "No first item, sequence was empty.");
	return 0;
}

/* Needs something Python can walk backwards. */
static int reversible(struct hf_eval *e, struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	if (v->type == HF_SET || (v->type == HF_OBJECT && v->u.object->kind == &hf_iterator_kind))
		return hf_raise(err, "'%s' object is not reversible", hf_type_name(v));
	return hf_eval_sequence(e, v, ret, err);
}

FILTER(last)
{
	struct hf_value *items;
	int r = hf_call_check(call, "last", 0, NULL, err);
	if (r == 0)
		r = reversible(e, input, &items, err);
	if (r < 0)
		return r;
	size_t n = hf_list_len(items);
	*ret = n > 0 ? hf_list_at(items, n - 1)
		     : hf_value_undefined(e->arena, "No last item, sequence was empty.");
	return 0;
}

FILTER(list)
{
	int r = hf_call_check(call, "list", 0, NULL, err);
	return r < 0 ? r : hf_eval_list(e, input, ret, err);
}

/* Text of the items with the separator between them. */
static int join_items(struct hf_eval *e, const struct hf_value *items, struct hf_value *separator,
	bool markup, struct hf_buf *out, struct hf_error *err)
{
	struct hf_str between = { "", 0 }, text;
	int r = 0;
	if (separator != NULL)
		r = markup ? hf_eval_escaped(e, separator, &between, err)
			   : hf_eval_text(e, separator, &between, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++) {
		struct hf_value *v = hf_list_at(items, i);
		r = markup ? hf_eval_escaped(e, v, &text, err) : hf_eval_text(e, v, &text, err);
		if (r < 0)
			return r;
		if (i > 0)
			hf_buf_add(out, between);
		hf_buf_add(out, text);
		r = hf_eval_steps(e, 1, err);
	}
	return r;
}

static int attributes_of(struct hf_eval *e, struct hf_value *items, struct hf_value *attribute,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *picked = hf_value_list(e->arena), *v;
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++) {
		r = hf_filter_attribute(e, hf_list_at(items, i), attribute, NULL, &v, err);
		if (r == 0)
			hf_list_append(picked, v);
	}
	*ret = picked;
	return r;
}

FILTER(join)
{
	struct hf_value *items = NULL, *separator = NULL, *attribute = NULL;
	const struct filter_arg args[] = { { "d", ARG_VALUE, &separator },
		{ "attribute", ARG_VALUE, &attribute } };
	int r = hf_filter_args(e, call, "join", args, HF_COUNT(args), err);
	if (r == 0)
		r = hf_eval_sequence(e, input, &items, err);
	if (r == 0 && attribute != NULL && attribute->type != HF_NULL)
		r = attributes_of(e, items, attribute, &items, err);
	if (r < 0)
		return r;
	unsigned flags = 0;
	bool markup = separator != NULL && separator->flags & HF_VALUE_MARKUP;
	for (size_t i = 0; i < hf_list_len(items); i++) {
		markup |= (hf_list_at(items, i)->flags & HF_VALUE_MARKUP) != 0;
		flags |= hf_value_marks(hf_list_at(items, i));
	}
	markup &= e->autoescape;
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	r = join_items(e, items, separator, markup, &out, err);
	return r < 0 ? r : hf_buf_value(e, &out, flags | (markup ? HF_VALUE_MARKUP : 0), ret, err);
}

FILTER(reverse)
{
	struct hf_value *items;
	int r = hf_call_check(call, "reverse", 0, NULL, err);
	if (r == 0)
		r = input->type == HF_SET ||
				    (input->type == HF_OBJECT && input->u.object->kind == &hf_iterator_kind)
			    ? hf_eval_sequence(e, input, &items, err)
			    : reversible(e, input, &items, err);
	if (r < 0)
		return r;
	size_t n = hf_list_len(items);
	if (input->type == HF_STRING) {
		hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
		for (size_t i = n; i-- > 0;)
			hf_buf_add(&out, hf_list_at(items, i)->u.string);
		return hf_buf_value(e, &out, input->flags & HF_VALUE_MARKUP, ret, err);
	}
	struct hf_value *list = hf_value_list(e->arena);
	for (size_t i = n; i-- > 0;)
		hf_list_append(list, hf_list_at(items, i));
	*ret = hf_iterator_value(e, list);
	return hf_eval_steps(e, n, err);
}

FILTER(random)
{
	struct hf_value *items;
	uint64_t number = 0;
	int r = hf_call_check(call, "random", 0, NULL, err);
	if (r == 0)
		r = hf_eval_sequence(e, input, &items, err);
	if (r < 0)
		return r;
	if (hf_list_len(items) == 0) {
		*ret = hf_value_undefined(e->arena, "No random item, sequence was empty.");
		return 0;
	}
	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return hf_fail_errno(err, HF_E_IO, "random");
	*ret = hf_list_at(items, number % hf_list_len(items));
	return 0;
}

FILTER(sum)
{
	static const char *const names[] = { "attribute", "start", NULL };
	struct hf_value *items, *attribute = hf_call_arg(call, 0, "attribute"),
				*start = hf_call_arg(call, 1, "start");
	int r = hf_call_check(call, "sum", 2, names, err);
	if (r == 0)
		r = hf_eval_sequence(e, input, &items, err);
	struct hf_value *total = start == NULL ? hf_value_int(e->arena, 0) : start;
	if (r == 0 && total->type == HF_STRING)
		return hf_raise(err, "sum() can't sum strings [use ''.join(seq) instead]");
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++) {
		struct hf_value *v = hf_list_at(items, i);
		if (attribute != NULL && attribute->type != HF_NULL)
			r = hf_filter_attribute(e, v, attribute, NULL, &v, err);
		if (r == 0)
			r = hf_arith(e, OP_ADD, total, v, &total, err);
		if (r == 0)
			r = hf_eval_steps(e, 1, err);
	}
	if (r == 0)
		*ret = total;
	return r;
}

FILTER(batch)
{
	static const char *const names[] = { "linecount", "fill_with", NULL };
	struct hf_value *items, *fill = hf_call_arg(call, 1, "fill_with"),
				*count = hf_call_arg(call, 0, "linecount");
	int64_t size = 0;
	int r = hf_call_check(call, "batch", 2, names, err);
	if (r == 0 && count == NULL)
		return hf_raise(err, "batch() missing 1 required positional argument: 'linecount'");
	if (r == 0)
		r = hf_eval_int(e, count, "batch", &size, err);
	if (r == 0)
		r = hf_eval_sequence(e, input, &items, err);
	if (r < 0)
		return r;
	struct hf_value *rows = hf_value_list(e->arena), *row = NULL;
	for (size_t i = 0; i < hf_list_len(items); i++) {
		if (row == NULL || (int64_t)hf_list_len(row) == size) {
			row = hf_value_list(e->arena);
			hf_list_append(rows, row);
		}
		hf_list_append(row, hf_list_at(items, i));
	}
	if (row != NULL && fill != NULL && fill->type != HF_NULL && size > 0) {
		r = hf_eval_room(e, (uint64_t)size, err);
		while (r == 0 && (int64_t)hf_list_len(row) < size)
			hf_list_append(row, fill);
	}
	*ret = hf_iterator_value(e, rows);
	return r;
}

/* n rows, the first ones an item longer; the shorter ones are filled up. */
static struct hf_value *slices_of(
	struct hf_eval *e, const struct hf_value *items, int64_t n, struct hf_value *fill)
{
	struct hf_value *rows = hf_value_list(e->arena);
	int64_t length = (int64_t)hf_list_len(items), at = 0;
	for (int64_t i = 0; i < n; i++) {
		struct hf_value *row = hf_value_list(e->arena);
		bool longer = i < length % n;
		for (int64_t k = 0; k < length / n + longer; k++)
			hf_list_append(row, hf_list_at(items, (size_t)at++));
		if (fill != NULL && fill->type != HF_NULL && !longer)
			hf_list_append(row, fill);
		hf_list_append(rows, row);
	}
	return rows;
}

FILTER(slice)
{
	struct hf_value *items = NULL, *fill = NULL, *count = NULL;
	int64_t n = 0;
	const struct filter_arg args[] = { { "slices", ARG_VALUE, &count },
		{ "fill_with", ARG_VALUE, &fill } };
	int r = hf_filter_args(e, call, "slice", args, HF_COUNT(args), err);
	if (r == 0 && count == NULL)
		return hf_raise(err, "slice() missing 1 required positional argument: 'slices'");
	if (r == 0)
		r = hf_eval_int(e, count, "slice", &n, err);
	if (r == 0)
		r = hf_eval_sequence(e, input, &items, err);
	if (r == 0 && n == 0)
		return hf_raise(err, "integer division or modulo by zero");
	if (r == 0)
		r = hf_eval_room(e, n < 0 ? 0 : (uint64_t)n, err);
	if (r < 0)
		return r;
	*ret = hf_iterator_value(e, slices_of(e, items, n < 0 ? 0 : n, fill));
	return 0;
}

const struct hf_callable_row hf_filters_sequence[] = {
	{ "length", filter_length, HF_NO_ARGUMENTS },
	{ "count", filter_length, HF_NO_ARGUMENTS },
	{ "first", filter_first, HF_NO_ARGUMENTS },
	{ "last", filter_last, HF_NO_ARGUMENTS },
	{ "list", filter_list, HF_NO_ARGUMENTS },
	{ "join", filter_join, 0 },
	{ "reverse", filter_reverse, HF_NO_ARGUMENTS },
	{ "random", filter_random, 0 },
	{ "sum", filter_sum, 0 },
	{ "batch", filter_batch, 0 },
	{ "slice", filter_slice, 0 },
	{ NULL, NULL, 0 },
};
