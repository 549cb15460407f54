#include "lib/data/json.h"

#include <inttypes.h>
#include <math.h>

#include <jansson.h>

#include "lib/data/unicode.h"

/* --- reading --- */

static int from_jansson(struct hf_arena *a, const json_t *j, int depth, const char *name,
	struct hf_value **ret, struct hf_error *err);

static int array_read(struct hf_arena *a, const json_t *j, int depth, const char *name, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_value *list = hf_value_list(a), *item = NULL;
	for (size_t i = 0; i < json_array_size(j); i++) {
		int r = from_jansson(a, json_array_get(j, i), depth + 1, name, &item, err);
		if (r < 0)
			return r;
		hf_list_append(list, item);
	}
	*ret = list;
	return 0;
}

static int object_read(struct hf_arena *a, const json_t *j, int depth, const char *name,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *dict = hf_value_dict(a), *item = NULL;
	const char *key;
	json_t *member;
	json_object_foreach((json_t *)(uintptr_t)j, key, member)
	{
		int r = from_jansson(a, member, depth + 1, name, &item, err);
		if (r < 0)
			return r;
		hf_value_at(item, (struct hf_pos){ name, 0, 0 });
		hf_dict_put(dict, key, item);
	}
	*ret = dict;
	return 0;
}

static int from_jansson(struct hf_arena *a, const json_t *j, int depth, const char *name,
	struct hf_value **ret, struct hf_error *err)
{
	if (depth > HF_JSON_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: JSON nested deeper than %d", name, HF_JSON_DEPTH_MAX);
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return object_read(a, j, depth, name, ret, err);
	case JSON_ARRAY:
		return array_read(a, j, depth, name, ret, err);
	case JSON_STRING:
		*ret = hf_value_str(a, hf_strn(json_string_value(j), json_string_length(j)));
		return 0;
	case JSON_INTEGER:
		*ret = hf_value_int(a, json_integer_value(j));
		return 0;
	case JSON_REAL:
		*ret = hf_value_float(a, json_real_value(j));
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		*ret = hf_value_bool(a, json_is_true(j));
		return 0;
	case JSON_NULL:
		*ret = hf_value_null(a);
		return 0;
	}
	return hf_fail(err, HF_E_INTERNAL, "%s: JSON value of no known type", name);
}

int hf_json_parse(
	struct hf_arena *a, struct hf_str text, const char *name, struct hf_value **ret, struct hf_error *err)
{
	if (text.n > HF_JSON_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: JSON larger than %d bytes", name, HF_JSON_SIZE_MAX);
	json_error_t why;
	json_t *j = json_loadb(
		text.p == NULL ? "" : text.p, text.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);
	const char *file = hf_strdup(a, name);
	if (j == NULL)
		return hf_fail_at(err, HF_E_PARSE,
			(struct hf_pos){ file, why.line < 0 ? 0 : (unsigned)why.line,
				why.column < 0 ? 0 : (unsigned)why.column },
			"not valid JSON: %s", why.text);
	int r = from_jansson(a, j, 0, file, ret, err);
	json_decref(j);
	return r;
}

/* --- writing --- */

struct writer {
	struct hf_buf *out;
	const struct hf_json_style *style;
	struct hf_arena *scratch; /* made when a dict must be sorted */
	int depth;
};

static void escape_unit(struct hf_buf *out, uint32_t unit)
{
	hf_buf_printf(out, "\\u%04x", unit);
}

static void string_write(struct writer *w, struct hf_str s)
{
	static const char short_escapes[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
	};
	bool ascii = w->style->ascii;
	hf_buf_put(w->out, '"');
	size_t plain = 0; /* start of the run not yet copied */
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		if (c >= 0x20 && c != '"' && c != '\\' && (!ascii || c < 0x7f)) {
			i++;
			continue;
		}
		hf_buf_append(w->out, s.p + plain, i - plain);
		uint32_t point = c;
		size_t width = c < 0x80 ? 1 : hf_utf8_decode(s.p + i, s.n - i, &point);
		if (c == '"' || c == '\\') {
			hf_buf_put(w->out, '\\');
			hf_buf_put(w->out, (char)c);
		} else if (c < 0x20 && short_escapes[c] != 0) {
			hf_buf_put(w->out, '\\');
			hf_buf_put(w->out, short_escapes[c]);
		} else if (point >= 0x10000) {
			escape_unit(w->out, 0xD800 + ((point - 0x10000) >> 10));
			escape_unit(w->out, 0xDC00 + ((point - 0x10000) & 0x3FF));
		} else {
			escape_unit(w->out, point);
		}
		i += width;
		plain = i;
	}
	hf_buf_append(w->out, s.p + plain, s.n - plain);
	hf_buf_put(w->out, '"');
}

static void float_write(struct hf_buf *out, double d)
{
	if (isnan(d) || isinf(d))
		hf_buf_puts(out, isnan(d) ? "NaN" : d < 0 ? "-Infinity" : "Infinity");
	else
		hf_float_print(out, d);
}

static void time_write(struct writer *w, const struct hf_value *v)
{
	hf_buf_put(w->out, '"');
	size_t start = w->out->n;
	hf_value_print(w->out, v);
	if (v->type == HF_DATETIME && !w->out->failed && w->out->n > start + 10)
		w->out->p[start + 10] = 'T';
	hf_buf_put(w->out, '"');
}

static int value_write(struct writer *w, const struct hf_value *v, struct hf_error *err);

static void line_break(struct writer *w)
{
	if (w->style->indent < 0)
		return;
	hf_buf_put(w->out, '\n');
	for (int i = 0; i < w->depth * w->style->indent; i++)
		hf_buf_put(w->out, ' ');
}

static void separator(struct writer *w)
{
	hf_buf_puts(w->out, w->style->compact || w->style->tight || w->style->indent >= 0 ? "," : ", ");
	line_break(w);
}

static int list_write(struct writer *w, const struct hf_value *v, struct hf_error *err)
{
	if (hf_list_len(v) == 0) {
		hf_buf_puts(w->out, "[]");
		return 0;
	}
	hf_buf_put(w->out, '[');
	w->depth++;
	line_break(w);
	for (size_t i = 0; i < hf_list_len(v); i++) {
		if (i > 0)
			separator(w);
		int r = value_write(w, hf_list_at(v, i), err);
		if (r < 0)
			return r;
	}
	w->depth--;
	line_break(w);
	hf_buf_put(w->out, ']');
	return 0;
}

/* Python turns None, booleans and numbers into text when they are keys. */
static int key_write(struct writer *w, const struct hf_value *key, struct hf_error *err)
{
	if (key->type == HF_STRING) {
		string_write(w, key->u.string);
		return 0;
	}
	if (key->type != HF_NULL && key->type != HF_BOOL && key->type != HF_INT && key->type != HF_BIGINT &&
		key->type != HF_FLOAT)
		return hf_fail(err, HF_E_ARGUMENT, "keys must be str, int, float, bool or None, not %s",
			hf_type_name(key));
	hf_buf_put(w->out, '"');
	int r = value_write(w, key, err);
	hf_buf_put(w->out, '"');
	return r;
}

/* Bytes of UTF-8 sort as code points do. */
static int keys_compare(const struct hf_value *a, const struct hf_value *b, int *ret, struct hf_error *err)
{
	if (a->type == HF_STRING && b->type == HF_STRING) {
		*ret = hf_str_compare(a->u.string, b->u.string);
		return 0;
	}
	bool numbers = true;
	double at[2];
	const struct hf_value *both[2] = { a, b };
	for (int i = 0; i < 2; i++) {
		const struct hf_value *v = both[i];
		at[i] = v->type == HF_INT     ? (double)v->u.integer
			: v->type == HF_BOOL  ? v->u.boolean
			: v->type == HF_FLOAT ? v->u.real
					      : 0;
		numbers &= v->type == HF_INT || v->type == HF_BOOL || v->type == HF_FLOAT;
	}
	if (!numbers)
		return hf_fail(err, HF_E_ARGUMENT, "'<' not supported between keys of type '%s' and '%s'",
			hf_type_name(a), hf_type_name(b));
	*ret = at[0] < at[1] ? -1 : at[0] > at[1];
	return 0;
}

/* Merge sort: stable, and it can stop at the first pair that has no order. */
static int entries_sort(
	const struct hf_map_entry **at, const struct hf_map_entry **spare, size_t n, struct hf_error *err)
{
	if (n < 2)
		return 0;
	size_t half = n / 2;
	int r = entries_sort(at, spare, half, err);
	if (r == 0)
		r = entries_sort(at + half, spare, n - half, err);
	for (size_t i = 0, j = half, k = 0; r == 0 && k < n; k++) {
		int order = i < half ? -1 : 1;
		if (i < half && j < n)
			r = keys_compare(hf_entry_key(at[i]), hf_entry_key(at[j]), &order, err);
		spare[k] = order <= 0 ? at[i++] : at[j++];
	}
	if (r == 0)
		memcpy(at, spare, n * sizeof(*at));
	return r;
}

static int dict_write(struct writer *w, const struct hf_value *v, struct hf_error *err)
{
	size_t n = 0, total = hf_dict_len(v);
	if (total == 0) {
		hf_buf_puts(w->out, "{}");
		return 0;
	}
	const struct hf_map_entry **order = hf_alloc(w->scratch, 2 * total * sizeof(*order));
	HF_DICT_EACH (v, e)
		order[n++] = e;
	int r = w->style->sort_keys ? entries_sort(order, order + total, n, err) : 0;
	hf_buf_put(w->out, '{');
	w->depth++;
	line_break(w);
	for (size_t i = 0; i < n && r == 0; i++) {
		if (i > 0)
			separator(w);
		r = key_write(w, hf_entry_key(order[i]), err);
		hf_buf_puts(w->out, w->style->compact ? ":" : ": ");
		if (r == 0)
			r = value_write(w, hf_entry_value(order[i]), err);
	}
	w->depth--;
	line_break(w);
	hf_buf_put(w->out, '}');
	return r;
}

static int scalar_write(struct writer *w, const struct hf_value *v, struct hf_error *err)
{
	switch ((enum hf_type)v->type) {
	case HF_NULL:
		hf_buf_puts(w->out, "null");
		return 0;
	case HF_BOOL:
		hf_buf_puts(w->out, v->u.boolean ? "true" : "false");
		return 0;
	case HF_INT:
		hf_buf_printf(w->out, "%" PRId64, v->u.integer);
		return 0;
	case HF_BIGINT:
		hf_buf_add(w->out, v->u.string);
		return 0;
	case HF_FLOAT:
		float_write(w->out, v->u.real);
		return 0;
	case HF_STRING:
		string_write(w, v->u.string);
		return 0;
	case HF_DATE:
	case HF_DATETIME:
		time_write(w, v);
		return 0;
	case HF_UNDEFINED:
		return hf_fail(err, HF_E_UNDEFINED, "'%s' is undefined",
			v->u.string.p == NULL ? "value" : v->u.string.p);
	case HF_OMIT:
		hf_buf_puts(w->out, "\"__omit_place_holder__\"");
		return 0;
	case HF_BYTES:
	case HF_LIST:
	case HF_TUPLE:
	case HF_DICT:
	case HF_SET:
	case HF_TIMEDELTA:
	case HF_OBJECT:
		break;
	}
	return hf_fail(err, HF_E_ARGUMENT, "Object of type %s is not JSON serializable", hf_type_name(v));
}

static int value_write(struct writer *w, const struct hf_value *v, struct hf_error *err)
{
	if (w->depth > HF_JSON_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "JSON nested deeper than %d", HF_JSON_DEPTH_MAX);
	if (w->out->failed)
		return hf_buf_check(w->out, "JSON text", err);
	if (w->style->hide_secrets && hf_is_secret(v)) {
		hf_buf_puts(w->out, "\"********\"");
		return 0;
	}
	if (hf_is_sequence(v))
		return list_write(w, v, err);
	if (v->type == HF_DICT)
		return dict_write(w, v, err);
	return scalar_write(w, v, err);
}

int hf_json_write(
	struct hf_buf *out, const struct hf_value *v, const struct hf_json_style *style, struct hf_error *err)
{
	struct hf_arena *scratch = hf_arena_new();
	struct writer w = { out, style, scratch, 0 };
	int r = value_write(&w, v, err);
	hf_arena_free(scratch);
	return r < 0 ? r : hf_buf_check(out, "JSON text", err);
}
