/* lib/data/json_loads.c - JSON as Python's json.loads() reads it; declared in json.h. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/unicode.h"

struct loader {
	struct hf_arena *arena;
	const char *p, *end, *start;
	struct hf_buf text; /* the string being decoded */
	int depth;
	struct hf_error *err;
};

static int load_fail(const struct loader *l, const char *at, const char *what)
{
	unsigned line = 1, column = 1;
	for (const char *p = l->start; p < at; p++) {
		column = *p == '\n' ? 1 : column + 1;
		line += *p == '\n';
	}
	return hf_fail(l->err, HF_E_PARSE, "%s: line %u column %u (char %zu)", what, line, column,
		(size_t)(at - l->start));
}

static void skip_blanks(struct loader *l)
{
	while (l->p < l->end && (*l->p == ' ' || *l->p == '\t' || *l->p == '\n' || *l->p == '\r'))
		l->p++;
}

static bool take(struct loader *l, const char *word)
{
	size_t n = strlen(word);
	if ((size_t)(l->end - l->p) < n || memcmp(l->p, word, n) != 0)
		return false;
	l->p += n;
	return true;
}

static bool hex_unit(struct loader *l, uint32_t *ret)
{
	unsigned char bytes[2];
	if (l->end - l->p < 4 || !hf_unhex(hf_strn(l->p, 4), bytes, 2))
		return false;
	l->p += 4;
	*ret = (uint32_t)bytes[0] << 8 | bytes[1];
	return true;
}

static int escape_read(struct loader *l)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *at = l->p - 1;
	char c = l->p < l->end ? *l->p++ : '\0';
	const char *found = c == '\0' ? NULL : strchr(names, c);
	if (found != NULL) {
		hf_buf_put(&l->text, values[found - names]);
		return 0;
	}
	uint32_t point, low;
	if (c != 'u')
		return load_fail(l, at, "Invalid \\escape");
	if (!hex_unit(l, &point))
		return load_fail(l, at + 1, "Invalid \\uXXXX escape");
	const char *behind = l->p;
	if (point >= 0xD800 && point < 0xDC00 && take(l, "\\u")) {
		if (hex_unit(l, &low) && low >= 0xDC00 && low < 0xE000)
			point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
		else
			l->p = behind;
	}
	if (point >= 0xD800 && point < 0xE000)
		point = 0xFFFD; /* half of a pair is no character: nothing could be written from it */
	char bytes[4];
	hf_buf_append(&l->text, bytes, hf_utf8_encode(point, bytes));
	return 0;
}

static int string_read(struct loader *l, struct hf_value **ret)
{
	const char *at = l->p++;
	hf_buf_clear(&l->text);
	for (;;) {
		const char *run = l->p;
		while (l->p < l->end && *l->p != '"' && *l->p != '\\' && (unsigned char)*l->p >= 0x20)
			l->p++;
		hf_buf_append(&l->text, run, (size_t)(l->p - run));
		if (l->p == l->end)
			return load_fail(l, at, "Unterminated string starting at");
		char c = *l->p++;
		if (c == '"')
			break;
		if (c != '\\')
			return load_fail(l, l->p - 1, "Invalid control character at");
		int r = escape_read(l);
		if (r < 0)
			return r;
	}
	*ret = hf_value_str(l->arena, hf_buf_str(&l->text));
	return 0;
}

static size_t skip_digits(struct loader *l)
{
	size_t n = 0;
	for (; l->p < l->end && *l->p >= '0' && *l->p <= '9'; l->p++)
		n++;
	return n;
}

static int number_read(struct loader *l, struct hf_value **ret)
{
	const char *at = l->p;
	bool real = false;
	take(l, "-");
	if (!take(l, "0") && skip_digits(l) == 0)
		return load_fail(l, at, "Expecting value");
	const char *whole = l->p;
	if (take(l, ".") && skip_digits(l) > 0)
		real = true;
	else
		l->p = whole;
	whole = l->p;
	if (take(l, "e") || take(l, "E")) {
		if (!take(l, "+"))
			take(l, "-");
		if (skip_digits(l) > 0)
			real = true;
		else
			l->p = whole;
	}
	struct hf_str text = { hf_str_dup(l->arena, hf_strn(at, (size_t)(l->p - at))), (size_t)(l->p - at) };
	if (hf_str_is(text, "-0"))
		text = HF_STR("0");
	*ret = real ? hf_value_float(l->arena, strtod(text.p, NULL)) : hf_value_bigint(l->arena, text);
	return 0;
}

static int load_value(struct loader *l, struct hf_value **ret);

static int array_read(struct loader *l, struct hf_value **ret)
{
	*ret = hf_value_list(l->arena);
	l->p++;
	skip_blanks(l);
	if (take(l, "]"))
		return 0;
	for (;;) {
		struct hf_value *item = NULL;
		int r = load_value(l, &item);
		if (r < 0)
			return r;
		hf_list_append(*ret, item);
		skip_blanks(l);
		if (take(l, "]"))
			return 0;
		if (!take(l, ","))
			return load_fail(l, l->p, "Expecting ',' delimiter");
	}
}

static int member_read(struct loader *l, struct hf_value *dict)
{
	struct hf_value *key = NULL, *value = NULL;
	skip_blanks(l);
	if (l->p == l->end || *l->p != '"')
		return load_fail(l, l->p, "Expecting property name enclosed in double quotes");
	int r = string_read(l, &key);
	if (r < 0)
		return r;
	skip_blanks(l);
	if (!take(l, ":"))
		return load_fail(l, l->p, "Expecting ':' delimiter");
	r = load_value(l, &value);
	if (r == 0)
		hf_dict_set(dict, key, value);
	return r;
}

static int object_read(struct loader *l, struct hf_value **ret)
{
	*ret = hf_value_dict(l->arena);
	l->p++;
	skip_blanks(l);
	if (take(l, "}"))
		return 0;
	for (;;) {
		int r = member_read(l, *ret);
		if (r < 0)
			return r;
		skip_blanks(l);
		if (take(l, "}"))
			return 0;
		if (!take(l, ","))
			return load_fail(l, l->p, "Expecting ',' delimiter");
	}
}

static int load_value(struct loader *l, struct hf_value **ret)
{
	skip_blanks(l);
	if (l->depth >= HF_JSON_DEPTH_MAX)
		return hf_fail(l->err, HF_E_LIMIT, "JSON nested deeper than %d", HF_JSON_DEPTH_MAX);
	char c = l->p < l->end ? *l->p : '\0';
	if (c == '{' || c == '[') {
		l->depth++;
		int r = c == '{' ? object_read(l, ret) : array_read(l, ret);
		l->depth--;
		return r;
	}
	if (c == '"')
		return string_read(l, ret);
	if (take(l, "null"))
		*ret = hf_value_null(l->arena);
	else if (take(l, "true") || take(l, "false"))
		*ret = hf_value_bool(l->arena, c == 't');
	else if (take(l, "NaN"))
		*ret = hf_value_float(l->arena, NAN);
	else if (take(l, "Infinity") || take(l, "-Infinity"))
		*ret = hf_value_float(l->arena, c == '-' ? -INFINITY : INFINITY);
	else
		return number_read(l, ret);
	return 0;
}

int hf_json_loads(struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err)
{
	if (text.n > HF_JSON_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "JSON larger than %d bytes", HF_JSON_SIZE_MAX);
	const char *p = text.p == NULL ? "" : text.p;
	struct loader l = { .arena = a, .p = p, .start = p, .end = p + text.n, .err = err };
	l.text = hf_buf_init(text.n * 3 + 4);
	struct hf_value *value = NULL;
	int r = load_value(&l, &value);
	if (r == 0) {
		skip_blanks(&l);
		if (l.p < l.end)
			r = load_fail(&l, l.p, "Extra data");
	}
	hf_buf_done(&l.text);
	if (r == 0)
		*ret = value;
	return r;
}
