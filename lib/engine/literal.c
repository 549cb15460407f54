#include "lib/engine/literal.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"

struct literal {
	struct hf_arena *arena;
	const char *p, *end;
	int depth;
};

static bool literal_value(struct literal *l, struct hf_value **ret);

static void skip_blanks(struct literal *l)
{
	while (l->p < l->end) {
		if (*l->p == '#')
			while (l->p < l->end && *l->p != '\n')
				l->p++;
		else if (strchr(" \t\n\r\f", *l->p) != NULL && *l->p != '\0')
			l->p++;
		else
			return;
	}
}

static bool take(struct literal *l, char c)
{
	skip_blanks(l);
	if (l->p >= l->end || *l->p != c)
		return false;
	l->p++;
	return true;
}

/* --- strings --- */

static bool hex_escape(struct literal *l, struct hf_buf *out, int digits, bool bytes)
{
	uint32_t point = 0;
	for (int i = 0; i < digits; i++, l->p++) {
		if (l->p >= l->end || !isxdigit((unsigned char)*l->p))
			return false;
		char c = (char)tolower((unsigned char)*l->p);
		point = point << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (point > 0x10FFFF)
		return false;
	char text[4];
	if (bytes)
		hf_buf_put(out, (char)point);
	else
		hf_buf_append(out, text, hf_utf8_encode(point, text));
	return true;
}

static void octal_escape(struct literal *l, struct hf_buf *out, char first, bool bytes)
{
	uint32_t point = (uint32_t)(first - '0');
	for (int i = 0; i < 2 && l->p < l->end && *l->p >= '0' && *l->p <= '7'; i++)
		point = point * 8 + (uint32_t)(*l->p++ - '0');
	char text[4];
	if (bytes)
		hf_buf_put(out, (char)point);
	else
		hf_buf_append(out, text, hf_utf8_encode(point, text));
}

static bool escape_read(struct literal *l, struct hf_buf *out, bool bytes)
{
	static const char names[] = "\\'\"abfnrtv", values[] = "\\'\"\a\b\f\n\r\t\v";
	if (l->p >= l->end)
		return false;
	char c = *l->p++;
	const char *found = c == '\0' ? NULL : strchr(names, c);
	if (found != NULL) {
		hf_buf_put(out, values[found - names]);
		return true;
	}
	if (c == '\n')
		return true;
	if (c == 'x')
		return hex_escape(l, out, 2, bytes);
	if (!bytes && (c == 'u' || c == 'U'))
		return hex_escape(l, out, c == 'u' ? 4 : 8, false);
	if (!bytes && c == 'N')
		return false; /* names of characters: not known here, so the text stays text */
	if (c >= '0' && c <= '7') {
		octal_escape(l, out, c, bytes);
		return true;
	}
	hf_buf_put(out, '\\');
	hf_buf_put(out, c);
	return true;
}

static bool closing_ahead(struct literal *l, char c, char quote, bool triple)
{
	if (c != quote || !triple)
		return c == quote;
	if (l->end - l->p < 2 || l->p[0] != quote || l->p[1] != quote)
		return false;
	l->p += 2;
	return true;
}

/* What follows the opening quote, up to the closing one. */
static bool string_body(struct literal *l, struct hf_buf *out, char quote, bool triple, bool raw, bool bytes)
{
	while (l->p < l->end) {
		char c = *l->p++;
		if (closing_ahead(l, c, quote, triple))
			return true;
		if ((c == '\n' && !triple) || (bytes && (unsigned char)c >= 0x80))
			return false;
		if (c == '\\' && !raw) {
			if (!escape_read(l, out, bytes))
				return false;
			continue;
		}
		hf_buf_put(out, c);
		if (c == '\\' && l->p < l->end)
			hf_buf_put(out, *l->p++);
	}
	return false;
}

/* One literal with its prefix; appended to out. *kind: 0 not known yet, 's' text, 'b' bytes. */
static bool string_piece(struct literal *l, struct hf_buf *out, char *kind)
{
	bool raw = false, bytes = false;
	for (; l->p < l->end && *l->p != '\'' && *l->p != '"'; l->p++) {
		raw |= *l->p == 'r' || *l->p == 'R';
		bytes |= *l->p == 'b' || *l->p == 'B';
	}
	if (*kind != 0 && (*kind == 'b') != bytes)
		return false;
	*kind = bytes ? 'b' : 's';
	char quote = *l->p++;
	bool triple = l->end - l->p >= 2 && l->p[0] == quote && l->p[1] == quote;
	l->p += triple ? 2 : 0;
	return string_body(l, out, quote, triple, raw, bytes);
}

static bool string_ahead(const struct literal *l)
{
	const char *p = l->p;
	for (int i = 0; i < 2 && p < l->end && *p != '\0' && strchr("rRbBuU", *p) != NULL; i++)
		p++;
	return p < l->end && (*p == '\'' || *p == '"');
}

static bool string_value(struct literal *l, struct hf_value **ret)
{
	hf_auto_buf out = hf_buf_init((size_t)(l->end - l->p) * 2 + 16);
	char kind = 0;
	while (string_ahead(l)) {
		if (!string_piece(l, &out, &kind))
			return false;
		skip_blanks(l);
	}
	*ret = kind == 'b' ? hf_value_bytes(l->arena, hf_buf_str(&out))
			   : hf_value_str(l->arena, hf_buf_str(&out));
	return true;
}

/* --- numbers --- */

enum { NUMBER_MAX = 4300 };

/* Digits with single underscores between them. */
static size_t digits_read(struct literal *l, struct hf_buf *out, int (*is_digit)(int))
{
	size_t n = 0;
	while (l->p < l->end) {
		if (is_digit((unsigned char)*l->p)) {
			hf_buf_put(out, *l->p++);
			n++;
		} else if (*l->p == '_' && n > 0 && l->p + 1 < l->end && is_digit((unsigned char)l->p[1])) {
			l->p++;
		} else {
			break;
		}
	}
	return n;
}

static bool based_number(struct literal *l, bool negative, int base, struct hf_value **ret)
{
	hf_auto_buf out = hf_buf_init(NUMBER_MAX);
	l->p += 2;
	if (l->p < l->end && *l->p == '_')
		l->p++;
	if (digits_read(l, &out, base == 16 ? isxdigit : isdigit) == 0 || out.failed)
		return false;
	char *end;
	long long n = strtoll(out.p, &end, base);
	if (*end != '\0' || out.n > 15)
		return false;
	*ret = hf_value_int(l->arena, negative ? -n : n);
	return true;
}

static int base_ahead(const struct literal *l)
{
	if (l->end - l->p < 3 || l->p[0] != '0')
		return 10;
	int c = tolower((unsigned char)l->p[1]);
	return c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
}

/* ".5", "e+3" behind the whole part; *real when there is any. False: not a number. */
static bool fraction_read(struct literal *l, struct hf_buf *out, size_t whole, bool *real)
{
	size_t fraction = 0;
	if (l->p < l->end && *l->p == '.') {
		*real = true;
		hf_buf_put(out, *l->p++);
		fraction = digits_read(l, out, isdigit);
	}
	if (whole + fraction == 0)
		return false;
	if (l->p >= l->end || (*l->p != 'e' && *l->p != 'E'))
		return true;
	*real = true;
	hf_buf_put(out, *l->p++);
	if (l->p < l->end && (*l->p == '+' || *l->p == '-'))
		hf_buf_put(out, *l->p++);
	return digits_read(l, out, isdigit) > 0;
}

static bool number_value(struct literal *l, bool negative, struct hf_value **ret)
{
	int base = base_ahead(l);
	if (base != 10)
		return based_number(l, negative, base, ret);
	hf_auto_buf out = hf_buf_init(NUMBER_MAX);
	bool real = false;
	if (negative)
		hf_buf_put(&out, '-');
	size_t start = out.n, whole = digits_read(l, &out, isdigit);
	if (!fraction_read(l, &out, whole, &real))
		return false;
	if (out.failed || (l->p < l->end && (isalnum((unsigned char)*l->p) || *l->p == '_')))
		return false;
	if (real) {
		*ret = hf_value_float(l->arena, strtod(out.p, NULL));
		return true;
	}
	if (out.p[start] == '0' && strspn(out.p + start, "0") != whole)
		return false; /* 007 */
	if (out.p[start] == '0')
		*ret = hf_value_int(l->arena, 0);
	else
		*ret = hf_value_bigint(l->arena, hf_buf_str(&out));
	return true;
}

static bool signed_number(struct literal *l, struct hf_value **ret)
{
	bool negative = false;
	while (l->p < l->end && (*l->p == '-' || *l->p == '+')) {
		negative ^= *l->p++ == '-';
		skip_blanks(l);
	}
	return l->p < l->end && (isdigit((unsigned char)*l->p) || *l->p == '.') &&
	       number_value(l, negative, ret);
}

/* --- containers and names --- */

static bool word_value(struct literal *l, struct hf_value **ret)
{
	const char *from = l->p;
	while (l->p < l->end && (isalnum((unsigned char)*l->p) || *l->p == '_'))
		l->p++;
	struct hf_str word = hf_strn(from, (size_t)(l->p - from));
	if (hf_str_is(word, "True") || hf_str_is(word, "true"))
		*ret = hf_value_bool(l->arena, true);
	else if (hf_str_is(word, "False") || hf_str_is(word, "false"))
		*ret = hf_value_bool(l->arena, false);
	else if (hf_str_is(word, "None") || hf_str_is(word, "null"))
		*ret = hf_value_null(l->arena);
	else if (hf_str_is(word, "set") && take(l, '(') && take(l, ')'))
		*ret = hf_value_set(l->arena);
	else
		return false;
	return true;
}

static bool items_read(struct literal *l, char close, struct hf_value *into, bool *ret_comma)
{
	*ret_comma = false;
	while (!take(l, close)) {
		struct hf_value *item = NULL;
		if ((hf_list_len(into) > 0 && !*ret_comma) || !literal_value(l, &item))
			return false;
		hf_list_append(into, item);
		*ret_comma = take(l, ',');
	}
	return true;
}

static bool parenthesis(struct literal *l, struct hf_value **ret)
{
	bool comma;
	*ret = hf_value_tuple(l->arena);
	if (!items_read(l, ')', *ret, &comma))
		return false;
	if (hf_list_len(*ret) == 1 && !comma)
		*ret = hf_list_at(*ret, 0);
	return true;
}

static bool braces(struct literal *l, struct hf_value **ret)
{
	struct hf_value *dict = hf_value_dict(l->arena), *set = hf_value_set(l->arena);
	bool comma = true;
	while (!take(l, '}')) {
		struct hf_value *key = NULL, *value = NULL;
		if (!comma || !literal_value(l, &key) || !hf_value_hashable(key))
			return false;
		bool pair = take(l, ':');
		if (pair ? hf_dict_len(set) > 0 || !literal_value(l, &value) : hf_dict_len(dict) > 0)
			return false;
		hf_dict_set(pair ? dict : set, key, value);
		comma = take(l, ',');
	}
	*ret = hf_dict_len(set) > 0 ? set : dict;
	return true;
}

static bool literal_value(struct literal *l, struct hf_value **ret)
{
	skip_blanks(l);
	if (l->p >= l->end || l->depth >= HF_LITERAL_DEPTH_MAX)
		return false;
	if (string_ahead(l))
		return string_value(l, ret);
	char c = *l->p;
	if (isdigit((unsigned char)c) || c == '-' || c == '+' || c == '.')
		return signed_number(l, ret);
	if (c != '[' && c != '(' && c != '{')
		return word_value(l, ret);
	bool comma, ok;
	l->p++;
	l->depth++;
	if (c == '[') {
		*ret = hf_value_list(l->arena);
		ok = items_read(l, ']', *ret, &comma);
	} else {
		ok = c == '(' ? parenthesis(l, ret) : braces(l, ret);
	}
	l->depth--;
	return ok;
}

bool hf_literal_parse(struct hf_arena *a, struct hf_str text, struct hf_value **ret)
{
	struct literal l = { .arena = a, .p = text.p, .end = text.p + text.n };
	struct hf_value *value = NULL;
	if (!hf_utf8_valid(text) || memchr(text.p, '\0', text.n) != NULL || !literal_value(&l, &value))
		return false;
	skip_blanks(&l);
	if (l.p < l.end)
		return false;
	*ret = value;
	return true;
}

static bool stable_at(const struct hf_value *v, int depth)
{
	if (depth >= HF_LITERAL_DEPTH_MAX)
		return false;
	switch ((enum hf_type)v->type) {
	case HF_NULL:
	case HF_BOOL:
	case HF_INT:
	case HF_BIGINT:
		return true;
	case HF_FLOAT:
		return isfinite(v->u.real);
	case HF_STRING:
		return !(v->flags & (HF_VALUE_MARKUP | HF_VALUE_VAULT)) &&
		       memchr(v->u.string.p, '\0', v->u.string.n) == NULL;
	case HF_LIST:
	case HF_TUPLE:
		for (size_t i = 0; i < hf_list_len(v); i++)
			if (!stable_at(hf_list_at(v, i), depth + 1))
				return false;
		return true;
	case HF_DICT:
		HF_DICT_EACH (v, e)
			if (!stable_at(hf_entry_key(e), depth + 1) ||
				!stable_at(hf_entry_value(e), depth + 1))
				return false;
		return true;
	case HF_UNDEFINED:
	case HF_BYTES:
	case HF_SET:
	case HF_DATE:
	case HF_DATETIME:
	case HF_TIMEDELTA:
	case HF_OMIT:
	case HF_OBJECT:
		break;
	}
	return false;
}

bool hf_literal_stable(const struct hf_value *v)
{
	return stable_at(v, 0);
}
