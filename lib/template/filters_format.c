/* lib/template/filters_format.c - format, tojson, pprint; declared in builtin.h. */
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/template/arith.h"
#include "lib/template/builtin.h"
#include "lib/template/filters.h"
#include "lib/template/text.h"

enum { PPRINT_WIDTH = 80 };

FILTER(format)
{
	struct hf_str text;
	bool named = call->kwargs != NULL && hf_dict_len(call->kwargs) > 0;
	if (named && call->n_args > 0)
		return hf_raise(err, "can't handle positional and keyword arguments at the same time");
	int r = hf_eval_text(e, input, &text, err);
	if (r < 0)
		return r;
	struct hf_value *format = hf_value_borrow(e->arena, text), *values = call->kwargs;
	format->flags = input->flags & HF_VALUE_MARKUP;
	if (!named) {
		values = hf_value_tuple(e->arena);
		for (size_t i = 0; i < call->n_args; i++)
			hf_list_append(values, call->args[i]);
	}
	return hf_format_percent(e, format, values, ret, err);
}

FILTER(tojson)
{
	static const char *const names[] = { "indent", NULL };
	struct hf_value *indent = hf_call_arg(call, 0, "indent");
	struct hf_json_style style = { .indent = -1, .sort_keys = true, .ascii = true };
	int64_t n;
	int r = hf_call_check(call, "tojson", 1, names, err);
	if (r == 0 && indent != NULL && indent->type != HF_NULL) {
		r = hf_eval_int(e, indent, "indent", &n, err);
		style.indent = r == 0 ? (int)(n < 0 ? 0 : n > 64 ? 64 : n) : -1;
	}
	hf_auto_buf json = hf_buf_init(HF_EVAL_TEXT_MAX);
	if (r == 0 && hf_json_write(&json, input, &style, err) < 0)
		return hf_raise(err, "Object of type %s is not JSON serializable", hf_type_name(input));
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	for (size_t i = 0; i < json.n; i++) {
		char c = json.p[i];
		if (c == '<' || c == '>' || c == '&' || c == '\'')
			hf_buf_printf(&out, "\\u%04x", c);
		else
			hf_buf_put(&out, c);
	}
	return hf_buf_value(e, &out, HF_VALUE_MARKUP, ret, err);
}

/* Copy in which every dict has its keys in order, as pprint shows them. */
static int sorted_copy(
	struct hf_eval *e, struct hf_value *v, int depth, struct hf_value **ret, struct hf_error *err)
{
	int r = hf_eval_steps(e, 1, err);
	*ret = v;
	if (r < 0 || depth > HF_NODE_HEIGHT_MAX)
		return r;
	if (hf_is_sequence(v)) {
		struct hf_value *copy = v->type == HF_LIST ? hf_value_list(e->arena)
							   : hf_value_tuple(e->arena),
				*item;
		for (size_t i = 0; r == 0 && i < hf_list_len(v); i++) {
			r = sorted_copy(e, hf_list_at(v, i), depth + 1, &item, err);
			hf_list_append(copy, item);
		}
		*ret = copy;
	} else if (v->type == HF_DICT) {
		size_t n = 0;
		struct hf_value **keys = hf_new_array(e->arena, hf_dict_len(v), struct hf_value *), *item;
		HF_DICT_EACH (v, entry)
			keys[n++] = hf_entry_key(entry);
		struct hf_value **same = hf_new_array(e->arena, n, struct hf_value *);
		if (n > 0)
			memcpy(same, keys, n * sizeof(*keys));
		if (hf_filter_sort(e, same, keys, n, false, NULL) == 0 && n > 0)
			keys = same;
		struct hf_value *copy = hf_value_dict(e->arena);
		for (size_t i = 0; r == 0 && i < n; i++) {
			r = sorted_copy(e, hf_dict_find(v, keys[i]), depth + 1, &item, err);
			hf_dict_set(copy, keys[i], item);
		}
		*ret = copy;
	}
	return r;
}

struct pprint {
	struct hf_eval *e;
	struct hf_buf *out;
};

static void pretty(struct pprint *p, const struct hf_value *v, size_t indent, size_t allowance, int level);

static struct hf_str repr_of(struct pprint *p, const struct hf_value *v)
{
	hf_auto_buf text = hf_buf_init(HF_EVAL_TEXT_MAX);
	hf_value_repr(&text, v);
	return hf_buf_dup(p->e->arena, &text);
}

static void newline_indent(struct pprint *p, size_t indent)
{
	hf_buf_put(p->out, '\n');
	for (size_t i = 0; i < indent; i++)
		hf_buf_put(p->out, ' ');
}

static void pretty_items(
	struct pprint *p, const struct hf_value *v, size_t indent, size_t allowance, int level)
{
	bool tuple = v->type == HF_TUPLE;
	size_t n = hf_list_len(v);
	const char *end = !tuple ? "]" : n == 1 ? ",)" : ")";
	hf_buf_put(p->out, tuple ? '(' : '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0) {
			hf_buf_put(p->out, ',');
			newline_indent(p, indent + 1);
		}
		pretty(p, hf_list_at(v, i), indent + 1, i + 1 == n ? allowance + strlen(end) : 1, level);
	}
	hf_buf_puts(p->out, end);
}

static void pretty_dict(
	struct pprint *p, const struct hf_value *v, size_t indent, size_t allowance, int level)
{
	size_t n = hf_dict_len(v), i = 0;
	hf_buf_put(p->out, '{');
	HF_DICT_EACH (v, entry) {
		struct hf_str key = repr_of(p, hf_entry_key(entry));
		if (i++ > 0) {
			hf_buf_put(p->out, ',');
			newline_indent(p, indent + 1);
		}
		hf_buf_add(p->out, key);
		hf_buf_puts(p->out, ": ");
		pretty(p, entry->value, indent + 1 + hf_utf8_length(key) + 2, i == n ? allowance + 1 : 1,
			level);
	}
	hf_buf_put(p->out, '}');
}

static void piece_add(struct pprint *p, struct hf_value *pieces, struct hf_str text)
{
	struct hf_value v = { .type = HF_STRING, .u.string = text };
	hf_list_append(pieces, hf_value_borrow(p->e->arena, repr_of(p, &v)));
}

static size_t repr_width(struct pprint *p, struct hf_str text)
{
	struct hf_value v = { .type = HF_STRING, .u.string = text };
	return hf_utf8_length(repr_of(p, &v));
}

/* Words of one line, as many on a line of output as fit. */
static void pretty_line(
	struct pprint *p, struct hf_str line, int64_t width, int64_t last_width, struct hf_value *pieces)
{
	size_t start = 0;
	for (size_t at = 0; at < line.n;) {
		size_t part = at;
		while (at < line.n && hf_text_space(hf_strn(line.p + at, line.n - at)) == 0)
			hf_text_next(line, &at);
		size_t space;
		while ((space = hf_text_space(hf_strn(line.p + at, line.n - at))) > 0)
			at += space;
		int64_t most = at >= line.n ? last_width : width;
		if ((int64_t)repr_width(p, hf_strn(line.p + start, at - start)) > most && part > start) {
			piece_add(p, pieces, hf_strn(line.p + start, part - start));
			start = part;
		}
	}
	if (start < line.n)
		piece_add(p, pieces, hf_strn(line.p + start, line.n - start));
}

static void line_of_text(struct hf_str text, size_t *at, struct hf_str *ret)
{
	size_t start = *at;
	while (*at < text.n) {
		uint32_t c = hf_text_next(text, at);
		if (c == '\r' && *at < text.n && text.p[*at] == '\n')
			++*at;
		if ((c >= '\n' && c <= '\r') || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 ||
			c == 0x2029)
			break;
	}
	*ret = hf_strn(text.p + start, *at - start);
}

static void pretty_text(
	struct pprint *p, const struct hf_value *v, size_t indent, size_t allowance, int level)
{
	struct hf_value *pieces = hf_value_list(p->e->arena);
	struct hf_str line;
	if (level == 1) {
		indent++;
		allowance++;
	}
	int64_t width = PPRINT_WIDTH - (int64_t)indent;
	for (size_t at = 0; at < v->u.string.n;) {
		line_of_text(v->u.string, &at, &line);
		int64_t last = at >= v->u.string.n ? width - (int64_t)allowance : width;
		if ((int64_t)repr_width(p, line) <= last)
			piece_add(p, pieces, line);
		else
			pretty_line(p, line, width, last, pieces);
	}
	bool wrap = level == 1 && hf_list_len(pieces) > 1;
	if (wrap)
		hf_buf_put(p->out, '(');
	for (size_t i = 0; i < hf_list_len(pieces); i++) {
		if (i > 0)
			newline_indent(p, indent);
		hf_buf_add(p->out, hf_list_at(pieces, i)->u.string);
	}
	if (wrap)
		hf_buf_put(p->out, ')');
}

static void pretty(struct pprint *p, const struct hf_value *v, size_t indent, size_t allowance, int level)
{
	struct hf_str whole = repr_of(p, v);
	int64_t room = PPRINT_WIDTH - (int64_t)indent - (int64_t)allowance;
	if ((int64_t)hf_utf8_length(whole) <= room || level > HF_NODE_HEIGHT_MAX)
		hf_buf_add(p->out, whole);
	else if (hf_is_sequence(v))
		pretty_items(p, v, indent, allowance, level + 1);
	else if (v->type == HF_DICT)
		pretty_dict(p, v, indent, allowance, level + 1);
	else if (v->type == HF_STRING && !(v->flags & HF_VALUE_MARKUP))
		pretty_text(p, v, indent, allowance, level + 1);
	else
		hf_buf_add(p->out, whole);
}

FILTER(pprint)
{
	struct hf_value *sorted;
	int r = hf_call_check(call, "pprint", 0, NULL, err);
	if (r == 0)
		r = sorted_copy(e, input, 0, &sorted, err);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	struct pprint p = { e, &out };
	if (r == 0)
		pretty(&p, sorted, 0, 0, 0);
	return r < 0 ? r : hf_buf_value(e, &out, 0, ret, err);
}

const struct hf_callable_row hf_filters_format[] = {
	{ "format", filter_format, HF_TAKES_UNDEFINED },
	{ "tojson", filter_tojson, 0 },
	{ "pprint", filter_pprint, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ NULL, NULL, 0 },
};
