/* lib/template/filters_html.c - escaping, markup and URLs; declared in builtin.h. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/template/builtin.h"
#include "lib/template/filters.h"
#include "lib/template/text.h"

FILTER(escape)
{
	struct hf_str text;
	int r = hf_call_check(call, "escape", 0, NULL, err);
	if (r == 0 && input->flags & HF_VALUE_MARKUP) {
		*ret = input;
		return 0;
	}
	if (r == 0)
		r = hf_eval_escaped(e, input, &text, err);
	if (r < 0)
		return r;
	*ret = hf_value_borrow(e->arena, text);
	(*ret)->flags = HF_VALUE_MARKUP;
	return 0;
}

FILTER(forceescape)
{
	struct hf_str text;
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	int r = hf_call_check(call, "forceescape", 0, NULL, err);
	if (r == 0)
		r = hf_eval_text(e, input, &text, err);
	if (r < 0)
		return r;
	hf_text_escape(&out, text);
	return hf_buf_value(e, &out, HF_VALUE_MARKUP, ret, err);
}

FILTER(safe)
{
	struct hf_str text;
	int r = hf_call_check(call, "safe", 0, NULL, err);
	if (r == 0)
		r = hf_eval_text(e, input, &text, err);
	if (r < 0)
		return r;
	*ret = hf_value_borrow(e->arena, text);
	(*ret)->flags = HF_VALUE_MARKUP;
	return 0;
}

static const struct {
	const char *name;
	uint32_t point;
} entities[] = {
	{ "amp", '&' },
	{ "lt", '<' },
	{ "gt", '>' },
	{ "quot", '"' },
	{ "apos", '\'' },
	{ "nbsp", 0xa0 },
	{ "copy", 0xa9 },
	{ "reg", 0xae },
	{ "laquo", 0xab },
	{ "raquo", 0xbb },
	{ "hellip", 0x2026 },
	{ "mdash", 0x2014 },
	{ "ndash", 0x2013 },
	{ "lsquo", 0x2018 },
	{ "rsquo", 0x2019 },
	{ "ldquo", 0x201c },
	{ "rdquo", 0x201d },
	{ "bull", 0x2022 },
	{ "middot", 0xb7 },
	{ "deg", 0xb0 },
	{ "euro", 0x20ac },
	{ "pound", 0xa3 },
	{ "times", 0xd7 },
	{ "eacute", 0xe9 },
	{ "auml", 0xe4 },
	{ "ouml", 0xf6 },
	{ "uuml", 0xfc },
	{ "Auml", 0xc4 },
	{ "Ouml", 0xd6 },
	{ "Uuml", 0xdc },
	{ "szlig", 0xdf },
	{ "larr", 0x2190 },
	{ "rarr", 0x2192 },
	{ "trade", 0x2122 },
	{ "sect", 0xa7 },
	{ "para", 0xb6 },
};

/* "&name;" or "&#number;" at the start of s; bytes used, 0 when it is none. */
static size_t entity_decode(struct hf_str s, uint32_t *ret)
{
	const char *end = memchr(s.p, ';', s.n < 12 ? s.n : 12);
	if (end == NULL || end - s.p < 3)
		return 0;
	size_t n = (size_t)(end - s.p);
	if (s.p[1] == '#') {
		bool hex = (s.p[2] | 0x20) == 'x';
		char *stop;
		unsigned long point = strtoul(s.p + 2 + hex, &stop, hex ? 16 : 10);
		if (stop != end || point == 0 || point > 0x10FFFF)
			return 0;
		*ret = (uint32_t)point;
		return n + 1;
	}
	for (size_t i = 0; i < HF_COUNT(entities); i++)
		if (strlen(entities[i].name) == n - 1 && memcmp(entities[i].name, s.p + 1, n - 1) == 0) {
			*ret = entities[i].point;
			return n + 1;
		}
	return 0;
}

static void tags_removed(struct hf_buf *out, struct hf_str s)
{
	size_t at = 0;
	for (;;) {
		size_t start = hf_str_find(s, HF_STR("<"), at);
		if (start == SIZE_MAX)
			break;
		bool comment = s.n - start >= 4 && memcmp(s.p + start, "<!--", 4) == 0;
		size_t end = comment ? hf_str_find(s, HF_STR("-->"), start + 4)
				     : hf_str_find(s, HF_STR(">"), start);
		if (end == SIZE_MAX)
			break;
		hf_buf_append(out, s.p + at, start - at);
		at = end + (comment ? 3 : 1);
	}
	hf_buf_append(out, s.p + at, s.n - at);
}

FILTER(striptags)
{
	struct hf_str text;
	int r = hf_call_check(call, "striptags", 0, NULL, err);
	if (r == 0)
		r = hf_eval_text(e, input, &text, err);
	if (r < 0)
		return r;
	hf_auto_buf plain = hf_buf_init(HF_EVAL_TEXT_MAX);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	tags_removed(&plain, text);
	struct hf_str rest = hf_text_strip(hf_buf_str(&plain), true, true);
	bool space = false;
	for (size_t at = 0; at < rest.n;) {
		uint32_t c = 0;
		size_t used = rest.p[at] == '&' ? entity_decode(hf_strn(rest.p + at, rest.n - at), &c) : 0;
		bool blank = false;
		if (used > 0) {
			at += used;
		} else {
			c = hf_text_next(rest, &at);
			blank = hf_point_space(c);
		}
		if (!blank)
			hf_text_put(&out, c);
		else if (!space)
			hf_buf_put(&out, ' ');
		space = blank;
	}
	return hf_buf_value(e, &out, 0, ret, err);
}

static void quote_bytes(struct hf_buf *out, struct hf_str s, bool query)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     (c != 0 && strchr("_.-~", c) != NULL) || (!query && c == '/');
		if (plain)
			hf_buf_put(out, (char)c);
		else if (query && c == ' ')
			hf_buf_put(out, '+');
		else
			hf_buf_printf(out, "%%%02X", c);
	}
}

static int quote_value(
	struct hf_eval *e, struct hf_value *v, bool query, struct hf_buf *out, struct hf_error *err)
{
	struct hf_str text = v->u.string;
	int r = v->type == HF_BYTES ? 0 : hf_eval_text(e, v, &text, err);
	if (r == 0)
		quote_bytes(out, text, query);
	return r;
}

static int quote_pair(struct hf_eval *e, struct hf_value *key, struct hf_value *value, struct hf_buf *out,
	struct hf_error *err)
{
	if (out->n > 0)
		hf_buf_put(out, '&');
	int r = quote_value(e, key, true, out, err);
	hf_buf_put(out, '=');
	return r < 0 ? r : quote_value(e, value, true, out, err);
}

static int quote_pairs(struct hf_eval *e, struct hf_value *input, struct hf_buf *out, struct hf_error *err)
{
	struct hf_value *items, *pair;
	int r = 0;
	if (input->type == HF_DICT) {
		HF_DICT_EACH (input, entry)
			if (r == 0)
				r = quote_pair(e, hf_entry_key(entry), entry->value, out, err);
		return r;
	}
	r = hf_eval_sequence(e, input, &items, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++) {
		r = hf_eval_sequence(e, hf_list_at(items, i), &pair, err);
		if (r == 0 && hf_list_len(pair) != 2)
			return hf_raise(
				err, "not enough values to unpack (expected 2, got %zu)", hf_list_len(pair));
		if (r == 0)
			r = quote_pair(e, hf_list_at(pair, 0), hf_list_at(pair, 1), out, err);
	}
	return r;
}

FILTER(urlencode)
{
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	int r = hf_call_check(call, "urlencode", 0, NULL, err);
	if (r < 0)
		return r;
	bool pairs = (input->type >= HF_BYTES && input->type <= HF_SET) || hf_value_is_lazy(input) ||
		     input->type == HF_UNDEFINED;
	r = pairs ? quote_pairs(e, input, &out, err) : quote_value(e, input, false, &out, err);
	return r < 0 ? r : hf_buf_value(e, &out, 0, ret, err);
}

static bool attribute_name_valid(struct hf_str s)
{
	for (size_t at = 0; at < s.n;) {
		uint32_t c = hf_text_next(s, &at);
		if (hf_point_space(c) || c == '/' || c == '>' || c == '=')
			return false;
	}
	return true;
}

FILTER(xmlattr)
{
	static const char *const names[] = { "autospace", NULL };
	bool autospace = true;
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	int r = hf_call_check(call, "xmlattr", 1, names, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 0, "autospace", true, &autospace, err);
	if (r < 0)
		return r;
	if (input->type == HF_UNDEFINED)
		return hf_eval_undefined(e, input, err);
	if (input->type != HF_DICT)
		return hf_raise(err, "'%s' object has no attribute 'items'", hf_type_name(input));
	HF_DICT_EACH (input, entry) {
		struct hf_value *key = hf_entry_key(entry), *value = entry->value;
		struct hf_str text;
		if (value->type == HF_NULL || value->type == HF_UNDEFINED)
			continue;
		if (key->type != HF_STRING)
			return hf_raise(
				err, "expected string or bytes-like object, got '%s'", hf_type_name(key));
		if (!attribute_name_valid(key->u.string))
			return hf_raise(err, "Invalid character in attribute name: '%s'", key->u.string.p);
		if (out.n > 0 || autospace)
			hf_buf_put(&out, ' ');
		r = hf_eval_escaped(e, key, &text, err);
		if (r == 0)
			hf_buf_add(&out, text);
		hf_buf_puts(&out, "=\"");
		if (r == 0)
			r = hf_eval_escaped(e, value, &text, err);
		if (r < 0)
			return r;
		hf_buf_add(&out, text);
		hf_buf_put(&out, '"');
	}
	return hf_buf_value(e, &out, e->autoescape ? HF_VALUE_MARKUP : 0, ret, err);
}

const struct hf_callable_row hf_filters_html[] = {
	{ "escape", filter_escape, HF_NO_ARGUMENTS },
	{ "e", filter_escape, HF_NO_ARGUMENTS },
	{ "forceescape", filter_forceescape, HF_NO_ARGUMENTS },
	{ "safe", filter_safe, HF_NO_ARGUMENTS },
	{ "striptags", filter_striptags, HF_NO_ARGUMENTS },
	{ "urlencode", filter_urlencode, HF_NO_ARGUMENTS },
	{ "xmlattr", filter_xmlattr, 0 },
	{ "urlize", hf_filter_urlize, 0 },
	{ NULL, NULL, 0 },
};
