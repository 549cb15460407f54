/* lib/engine/filters_xml.c - to_xml: a dictionary as a document, "@name" for attributes, "#text" for text. */
#include "lib/base/scope.h"
#include "lib/engine/filters.h"

enum { XML_DEPTH_MAX = 100, XML_INDENT_MAX = 32 };

struct writer {
	struct hf_arena *arena;
	struct hf_buf *out;
	char indent[XML_INDENT_MAX + 1];
};

static void escape(struct hf_buf *out, struct hf_str s, char quote)
{
	static const struct {
		char c;
		bool attribute; /* there only */
		const char *text;
	} marks[] = { { '&', false, "&amp;" }, { '<', false, "&lt;" }, { '>', false, "&gt;" },
		{ '\n', true, "&#10;" }, { '\r', true, "&#13;" }, { '\t', true, "&#9;" } };
	for (size_t i = 0; i < s.n; i++) {
		const char *text = quote == '"' && s.p[i] == '"' ? "&quot;" : NULL;
		for (size_t k = 0; k < HF_COUNT(marks); k++)
			if (s.p[i] == marks[k].c && (quote != '\0' || !marks[k].attribute))
				text = marks[k].text;
		if (text != NULL)
			hf_buf_puts(out, text);
		else
			hf_buf_put(out, s.p[i]);
	}
}

static struct hf_str text_of(const struct writer *w, const struct hf_value *v)
{
	if (v->type == HF_BOOL)
		return v->u.boolean ? HF_STR("true") : HF_STR("false");
	return hf_value_text(w->arena, v);
}

static void attribute(const struct writer *w, struct hf_str name, const struct hf_value *v)
{
	struct hf_str s = hf_value_text(w->arena, v);
	bool single = strchr(s.p, '"') != NULL && strchr(s.p, '\'') == NULL;
	char quote = single ? '\'' : '"';
	hf_buf_put(w->out, ' ');
	hf_buf_add(w->out, hf_strn(name.p + 1, name.n - 1));
	hf_buf_put(w->out, '=');
	hf_buf_put(w->out, quote);
	escape(w->out, s, quote);
	hf_buf_put(w->out, quote);
}

static void indent(const struct writer *w, int depth)
{
	for (int i = 0; i < depth; i++)
		hf_buf_puts(w->out, w->indent);
}

static int element(const struct writer *w, struct hf_str name, const struct hf_value *v, int depth,
	struct hf_error *err);

static int elements(const struct writer *w, const struct hf_value *key, const struct hf_value *v, int depth,
	struct hf_error *err)
{
	int r = 0;
	struct hf_str name = hf_value_text(w->arena, key);
	if (!hf_is_sequence(v))
		return element(w, name, v, depth, err);
	for (size_t i = 0; i < hf_list_len(v) && r == 0; i++)
		r = element(w, name, hf_list_at(v, i), depth, err);
	return r;
}

static bool is_child(const struct hf_value *key)
{
	return key->type != HF_STRING ||
	       (!hf_str_starts(key->u.string, "@") && !hf_str_is(key->u.string, "#text"));
}

static int content(const struct writer *w, const struct hf_value *dict, int depth, struct hf_error *err)
{
	bool children = false;
	int r = 0;
	HF_DICT_EACH (dict, e)
		children |= is_child(hf_entry_key(e));
	if (children)
		hf_buf_put(w->out, '\n');
	HF_DICT_EACH (dict, e)
		if (r == 0 && is_child(hf_entry_key(e)))
			r = elements(w, hf_entry_key(e), hf_entry_value(e), depth + 1, err);
	const struct hf_value *text = hf_dict_get(dict, "#text");
	if (text != NULL && text->type != HF_NULL)
		escape(w->out, text_of(w, text), '\0');
	if (children)
		indent(w, depth);
	return r;
}

static int element(
	const struct writer *w, struct hf_str name, const struct hf_value *v, int depth, struct hf_error *err)
{
	int r = 0;
	if (depth > XML_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "to_xml: nested deeper than %d", XML_DEPTH_MAX);
	indent(w, depth);
	hf_buf_put(w->out, '<');
	hf_buf_add(w->out, name);
	if (v->type == HF_DICT)
		HF_DICT_EACH (v, e)
			if (hf_is(hf_entry_key(e), HF_STRING) &&
				hf_str_starts(hf_entry_key(e)->u.string, "@"))
				attribute(w, hf_entry_key(e)->u.string, hf_entry_value(e));
	hf_buf_put(w->out, '>');
	if (v->type == HF_DICT)
		r = content(w, v, depth, err);
	else if (v->type != HF_NULL)
		escape(w->out, text_of(w, v), '\0');
	hf_buf_puts(w->out, "</");
	hf_buf_add(w->out, name);
	hf_buf_puts(w->out, depth > 0 ? ">\n" : ">");
	return r;
}

/* The text one level is set in by, from the filter's arguments. */
static int indent_option(
	struct hf_eval *e, const struct hf_call *call, char ret[XML_INDENT_MAX + 1], struct hf_error *err)
{
	struct hf_str engine, how;
	int64_t width;
	int r = filter_text_arg(e, call, 0, "engine", "xmltodict", &engine, err);
	if (r == 0)
		r = filter_text_arg(e, call, 1, "indent", "tabs", &how, err);
	if (r == 0)
		r = filter_int_arg(call, 2, "indent_width", 4, &width, err);
	if (r < 0)
		return r;
	bool spaces = hf_str_is(how, "spaces");
	if (!hf_str_is(engine, "xmltodict") || (!spaces && !hf_str_is(how, "tabs")) || width < 0 ||
		width > XML_INDENT_MAX)
		return hf_fail(err, HF_E_TEMPLATE,
			"to_xml: engine xmltodict, indent tabs or spaces, indent_width up to %d",
			XML_INDENT_MAX);
	size_t n = spaces ? (size_t)width : 1;
	memset(ret, spaces ? ' ' : '\t', n);
	ret[n] = '\0';
	return 0;
}

FILTER(to_xml)
{
	FILTER_ARGS(3, "engine", "indent", "indent_width");
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	struct writer w = { .arena = hf_eval_arena(e), .out = &out };
	int r = indent_option(e, call, w.indent, err);
	if (r < 0)
		return r;
	if (input->type != HF_DICT || hf_dict_len(input) != 1)
		return hf_fail(err, HF_E_TEMPLATE, "to_xml: a dictionary with exactly one root expected");
	hf_buf_puts(&out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
	HF_DICT_EACH (input, entry) {
		const struct hf_value *root = hf_entry_value(entry);
		if (hf_is_sequence(root) && hf_list_len(root) != 1)
			return hf_fail(err, HF_E_TEMPLATE, "document with multiple roots");
		r = elements(&w, hf_entry_key(entry), root, 0, err);
		if (r < 0)
			return r;
	}
	return filter_return_buf(e, input, &out, "XML", ret, err);
}

const struct hf_callable_row hf_ansible_filters_xml[] = {
	{ "to_xml", to_xml, 0 },
	{ 0 },
};
