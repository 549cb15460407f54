/* lib/engine/lookup_list.c - lists out of lists: items, list, dict, nested, together, sequence, subelements …
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/engine/filters.h"
#include "lib/engine/lookup.h"
#include "lib/engine/twister.h"

static void append_all(struct hf_value *into, const struct hf_value *list)
{
	for (size_t i = 0; i < hf_list_len(list); i++)
		hf_list_append(into, hf_list_at(list, i));
}

static int lookup_items(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	append_all(into, lookup_flatten(c->arena, c->terms));
	return 0;
}

static int lookup_list(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	append_all(into, c->terms);
	return 0;
}

static int flatten_deep(const struct hf_value *list, int depth, struct hf_value *into, struct hf_error *err)
{
	int r = depth > 100 ? hf_fail(err, HF_E_LIMIT, "flattened: nested deeper than 100") : 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++) {
		struct hf_value *item = hf_list_at(list, i);
		bool null_word = item->type == HF_NULL ||
				 (item->type == HF_STRING && (hf_str_is(item->u.string, "None") ||
								     hf_str_is(item->u.string, "null")));
		if (hf_is_sequence(item))
			r = flatten_deep(item, depth + 1, into, err);
		else if (!null_word)
			hf_list_append(into, item);
	}
	return r;
}

static int lookup_flattened(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	return flatten_deep(c->terms, 0, into, err);
}

static int lookup_dict(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		const struct hf_value *dict = hf_list_at(c->terms, i);
		if (dict->type != HF_DICT)
			return hf_fail(err, HF_E_TEMPLATE, "with_dict expects a dict");
		HF_DICT_EACH (dict, e) {
			struct hf_value *item = hf_value_dict(c->arena);
			hf_dict_put(item, "key", hf_entry_key(e));
			hf_dict_put(item, "value", hf_entry_value(e));
			hf_list_append(into, item);
		}
	}
	return 0;
}

static int lookup_indexed(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	struct hf_value *items = lookup_flatten(c->arena, c->terms);
	for (size_t i = 0; i < hf_list_len(items); i++) {
		struct hf_value *pair = hf_value_tuple(c->arena);
		hf_list_append(pair, hf_value_int(c->arena, (int64_t)i));
		hf_list_append(pair, hf_list_at(items, i));
		hf_list_append(into, pair);
	}
	return 0;
}

static struct hf_value *as_list(struct hf_arena *a, struct hf_value *v)
{
	if (hf_is_sequence(v))
		return v;
	struct hf_value *list = hf_value_list(a);
	hf_list_append(list, v);
	return list;
}

static int lookup_nested(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	struct hf_arena *a = c->arena;
	if (hf_list_len(c->terms) == 0)
		return hf_fail(
			err, HF_E_TEMPLATE, "with_nested requires at least one element in the nested list");
	struct hf_value *result = hf_value_list(a), *first = as_list(a, hf_list_at(c->terms, 0));
	for (size_t i = 0; i < hf_list_len(first); i++)
		hf_list_append(result, lookup_flatten(a, as_list(a, hf_list_at(first, i))));
	for (size_t k = 1; k < hf_list_len(c->terms); k++) {
		struct hf_value *wider = hf_value_list(a), *list = as_list(a, hf_list_at(c->terms, k));
		if (hf_list_len(list) > 0 && hf_list_len(result) > LOOKUP_ITEMS_MAX / hf_list_len(list))
			return hf_fail(err, HF_E_LIMIT, "nested: more than %d results", LOOKUP_ITEMS_MAX);
		for (size_t i = 0; i < hf_list_len(result); i++)
			for (size_t j = 0; j < hf_list_len(list); j++) {
				struct hf_value *row = hf_value_shallow(a, hf_list_at(result, i));
				append_all(row, as_list(a, hf_list_at(list, j)));
				hf_list_append(wider, row);
			}
		result = wider;
	}
	append_all(into, result);
	return 0;
}

static int lookup_together(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	size_t longest = 0, n = hf_list_len(c->terms);
	if (n == 0)
		return hf_fail(
			err, HF_E_TEMPLATE, "with_together requires at least one element in each list");
	for (size_t i = 0; i < n; i++) {
		size_t len = hf_list_len(as_list(c->arena, hf_list_at(c->terms, i)));
		longest = len > longest ? len : longest;
	}
	for (size_t k = 0; k < longest; k++) {
		struct hf_value *row = hf_value_list(c->arena);
		for (size_t i = 0; i < n; i++) {
			struct hf_value *list = as_list(c->arena, hf_list_at(c->terms, i));
			if (k < hf_list_len(list))
				append_all(row, as_list(c->arena, hf_list_at(list, k)));
			else
				hf_list_append(row, hf_value_null(c->arena));
		}
		hf_list_append(into, row);
	}
	return 0;
}

/* --- sequence --- */

struct sequence {
	int64_t start, end, stride, count;
	bool has_end, has_count;
	const char *format;
};

/* As Ansible 2.17 reads them: base ten alone, whatever leading zeros or 0x say. */
static int sequence_number(const char *name, struct hf_str text, int64_t *ret, struct hf_error *err)
{
	if (hf_str_to_int64(hf_str_trim(text), ret))
		return 0;
	return hf_fail(err, HF_E_TEMPLATE,
		"Invalid type for configuration option plugin_type: lookup plugin: sequence setting: %s "
		"(from Direct): invalid literal for int() with base 10: '%.*s'",
		name, HF_STR_ARG(text));
}

static int sequence_option(const struct lookup_call *c, struct hf_str key, struct hf_str value,
	struct sequence *s, struct hf_error *err)
{
	if (hf_str_is(key, "format")) {
		s->format = hf_str_dup(c->arena, value);
		return 0;
	}
	if (hf_str_is(key, "start"))
		return sequence_number("start", value, &s->start, err);
	if (hf_str_is(key, "stride"))
		return sequence_number("stride", value, &s->stride, err);
	if (hf_str_is(key, "end")) {
		s->has_end = true;
		return sequence_number("end", value, &s->end, err);
	}
	if (hf_str_is(key, "count")) {
		s->has_count = true;
		return sequence_number("count", value, &s->count, err);
	}
	return hf_fail(
		err, HF_E_TEMPLATE, "unrecognized arguments to with_sequence: ['%.*s']", HF_STR_ARG(key));
}

/* What the short form takes for a number: the look of one in base ten or sixteen. */
static bool number_like(struct hf_str s)
{
	size_t i = s.n > 1 && s.p[0] == '0';
	i += i + 1 < s.n && (s.p[i] == 'x' || s.p[i] == 'X');
	for (size_t first = i; i < s.n || i == first; i++)
		if (i == s.n || !isxdigit((unsigned char)s.p[i]))
			return false;
	return true;
}

/* What stands after the first c; *rest keeps what stands before it. */
static bool cut(struct hf_str *rest, char c, struct hf_str *ret_after)
{
	const char *at = memchr(rest->p, c, rest->n);
	if (at == NULL)
		return false;
	*ret_after = hf_strn(at + 1, rest->n - (size_t)(at + 1 - rest->p));
	rest->n = (size_t)(at - rest->p);
	return true;
}

/* "1-5/2:x%02d", "5"; *ret_is: it has that form. */
static int shortcut(const struct lookup_call *c, struct hf_str term, struct sequence *s, bool *ret_is,
	struct hf_error *err)
{
	struct hf_str start = term, end = term, stride = HF_STR("1"), format = HF_STR("%d");
	cut(&start, ':', &format);
	cut(&start, '/', &stride);
	end = start;
	if (!cut(&start, '-', &end))
		start = HF_STR("1");
	*ret_is = number_like(start) && number_like(end) && number_like(stride) && format.n > 0;
	if (!*ret_is)
		return 0;
	s->format = hf_str_dup(c->arena, format);
	s->has_end = true;
	int r = sequence_number("start", start, &s->start, err);
	if (r == 0)
		r = sequence_number("end", end, &s->end, err);
	return r == 0 ? sequence_number("stride", stride, &s->stride, err) : r;
}

static int sequence_read(
	const struct lookup_call *c, const struct hf_value *term, struct sequence *s, struct hf_error *err)
{
	struct hf_value *words = NULL;
	struct hf_str text = { 0 };
	*s = (struct sequence){ .start = 1, .stride = 1, .format = "%d" };
	int r = term == NULL ? 0 : lookup_text(c, term, &text, err);
	bool is_short = term == NULL;
	if (r == 0 && term != NULL)
		r = shortcut(c, text, s, &is_short, err);
	if (r == 0 && !is_short)
		r = lookup_words(c, text, &words, err);
	if (r == 0 && words != NULL) {
		*s = (struct sequence){ .start = 1, .stride = 1, .format = "%d" };
		for (size_t i = 0; i < hf_list_len(words) && r == 0; i++) {
			struct hf_str word = hf_list_at(words, i)->u.string;
			const char *eq = memchr(word.p, '=', word.n);
			r = eq == NULL ? hf_fail(err, HF_E_TEMPLATE,
						 "unrecognized arguments to with_sequence: ['_raw_params']")
				       : sequence_option(c, hf_strn(word.p, (size_t)(eq - word.p)),
						 hf_strn(eq + 1, word.n - (size_t)(eq + 1 - word.p)), s, err);
		}
	}
	if (c->options != NULL)
		HF_DICT_EACH (c->options, e)
			if (r == 0)
				r = sequence_option(c, hf_value_text(c->arena, hf_entry_key(e)),
					hf_value_text(c->arena, hf_entry_value(e)), s, err);
	return r;
}

/* One conversion, from '%' to its letter, of which *p is set to the last; false when it is none for integers.
 */
static bool conversion_print(struct hf_buf *out, const char **p, int64_t n)
{
	char c_format[32];
	const char *spec = (*p)++;
	*p += strspn(*p, "-+ 0#");
	size_t digits = strspn(*p, "0123456789"), head = (size_t)(*p - spec) + digits;
	*p += digits;
	if (digits > 3 || head > 16 || **p == '\0' || strchr("dioxXus", **p) == NULL)
		return false;
	bool negative_base = n < 0 && strchr("oxX", **p) != NULL;
	memcpy(c_format, spec, head);
	memcpy(c_format + head, PRId64, sizeof(PRId64));
	c_format[strlen(c_format) - 1] = strchr("oxX", **p) != NULL ? **p : 'd';
	if (negative_base)
		hf_buf_put(out, '-');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	hf_buf_printf(out, c_format, negative_base ? -n : n);
#pragma GCC diagnostic pop
	return true;
}

/* A format of exactly one integer conversion: flags, width, then d, i, o, x, X, u. */
static int sequence_format(
	struct hf_arena *a, const char *format, int64_t n, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(4096);
	int conversions = 0;
	for (const char *p = format; *p != '\0'; p++) {
		if (*p != '%') {
			hf_buf_put(&out, *p);
			continue;
		}
		if (++conversions > 1 || !conversion_print(&out, &p, n))
			return hf_fail(err, HF_E_TEMPLATE, "bad formatting string: %s", format);
	}
	if (conversions != 1)
		return hf_fail(err, HF_E_TEMPLATE, "bad formatting string: %s", format);
	*ret = hf_buf_dup(a, &out);
	return 0;
}

/* So far from the ends of what a number holds that no sum of two leaves them. */
static bool far_from_ends(int64_t n)
{
	return n >= INT64_MIN / 4 && n <= INT64_MAX / 4;
}

static bool sequence_fits(const struct sequence *s)
{
	int64_t span = 0;
	bool fits = far_from_ends(s->start) && far_from_ends(s->stride);
	if (s->has_count)
		return fits && !__builtin_mul_overflow(s->count, s->stride, &span) && far_from_ends(span);
	return fits && far_from_ends(s->end);
}

static int sequence_check(struct sequence *s, struct hf_error *err)
{
	if (!s->has_end && !s->has_count)
		return hf_fail(err, HF_E_TEMPLATE, "must specify count or end in with_sequence");
	if (s->has_end && s->has_count)
		return hf_fail(err, HF_E_TEMPLATE, "can't specify both count and end in with_sequence");
	if (!sequence_fits(s))
		return hf_fail(err, HF_E_LIMIT, "sequence: a number is too large to count with");
	if (s->has_count) {
		/* Ansible's own sum, which goes further where it counts backwards. */
		s->end = s->count != 0 ? s->start + s->count * s->stride - 1 : 0;
		if (s->count == 0) {
			s->start = 0;
			s->stride = 0;
		}
	}
	if (s->stride > 0 && s->end < s->start)
		return hf_fail(err, HF_E_TEMPLATE, "to count backwards make stride negative");
	if (s->stride < 0 && s->end > s->start)
		return hf_fail(err, HF_E_TEMPLATE, "to count forward don't make stride negative");
	if (s->stride != 0 && ((s->end - s->start) / s->stride) > LOOKUP_ITEMS_MAX)
		return hf_fail(err, HF_E_LIMIT, "sequence: more than %d items", LOOKUP_ITEMS_MAX);
	return 0;
}

static int lookup_sequence(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	size_t n = hf_list_len(c->terms);
	for (size_t i = 0; i < (n == 0 ? 1 : n); i++) {
		struct sequence s;
		int r = sequence_read(c, n == 0 ? NULL : hf_list_at(c->terms, i), &s, err);
		if (r == 0)
			r = sequence_check(&s, err);
		if (r < 0)
			return r;
		for (int64_t k = s.start; s.stride > 0 ? k <= s.end : s.stride < 0 && k >= s.end;
			k += s.stride) {
			struct hf_str text;
			r = sequence_format(c->arena, s.format, k, &text, err);
			if (r < 0)
				return r;
			hf_list_append(into, hf_value_borrow(c->arena, text));
		}
	}
	return 0;
}

/* --- subelements --- */

/* Like Ansible's plugin, hands out the item without the list that was asked for. item is a copy of the
 * caller's. */
static int subelement_pairs(const struct lookup_call *c, struct hf_value *item, struct hf_str path,
	bool skip_missing, struct hf_value *into, struct hf_error *err)
{
	struct hf_value *holder = NULL, *v = item;
	const char *key = NULL;
	struct hf_str part;
	if (item->type != HF_DICT)
		return hf_fail(err, HF_E_TEMPLATE, "subelements lookup expects a dictionary, got '%s'",
			hf_type_name(item));
	const struct hf_value *skipped = hf_dict_get(item, "skipped");
	if (skipped != NULL && hf_value_truthy(skipped))
		return 0;
	for (struct hf_str rest = path; hf_str_split(&rest, '.', &part);) {
		key = hf_str_dup(c->arena, part);
		struct hf_value *next = v->type == HF_DICT ? hf_dict_get(v, key) : NULL;
		if (next == NULL && skip_missing)
			return 0;
		if (next == NULL)
			return hf_fail(err, HF_E_TEMPLATE, "could not find '%s' key in iterated item '%s'",
				key, hf_value_text(c->arena, v).p);
		holder = v;
		v = next;
		if (rest.n == 0 || v->type == HF_DICT)
			continue;
		if (skip_missing)
			return 0;
		return hf_fail(err, HF_E_TEMPLATE, "the key %s should point to a dictionary, got '%s'", key,
			hf_value_text(c->arena, v).p);
	}
	if (v->type != HF_LIST)
		return hf_fail(err, HF_E_TEMPLATE, "the key %.*s should point to a list", HF_STR_ARG(path));
	if (holder != NULL)
		hf_dict_remove(holder, key);
	for (size_t i = 0; i < hf_list_len(v); i++) {
		struct hf_value *pair = hf_value_tuple(c->arena);
		hf_list_append(pair, item);
		hf_list_append(pair, hf_list_at(v, i));
		hf_list_append(into, pair);
	}
	return 0;
}

/* The third term: {skip_missing: bool}. */
static int subelement_flags(const struct lookup_call *c, bool *ret_skip, struct hf_error *err)
{
	*ret_skip = false;
	if (hf_list_len(c->terms) < 3)
		return 0;
	const struct hf_value *flags = hf_list_at(c->terms, 2);
	if (flags->type != HF_DICT)
		return hf_fail(err, HF_E_TEMPLATE,
			"subelements lookup expects a list of two or three items, the optional third item "
			"must be a "
			"dict with flags ('skip_missing',)");
	const struct hf_value *skip = hf_dict_get(flags, "skip_missing");
	*ret_skip = skip != NULL && filter_truth(skip);
	return 0;
}

/* Values of a dict, or of a registered result of many; nothing of one that was skipped. */
static struct hf_value *subelement_items(struct hf_arena *a, struct hf_value *elements)
{
	if (elements->type == HF_LIST)
		return elements;
	struct hf_value *list = hf_value_list(a);
	const struct hf_value *skipped = hf_dict_get(elements, "skipped");
	if (skipped != NULL && hf_value_truthy(skipped))
		return list;
	HF_DICT_EACH (elements, e)
		hf_list_append(list, hf_entry_value(e));
	return list;
}

static int lookup_subelements(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	size_t n = hf_list_len(c->terms);
	if (n < 2 || n > 3)
		return hf_fail(err, HF_E_TEMPLATE, "subelements lookup expects a list of two or three items");
	struct hf_value *elements = hf_value_copy(c->arena, hf_list_at(c->terms, 0)),
			*path = hf_list_at(c->terms, 1);
	bool skip_missing;
	int r = subelement_flags(c, &skip_missing, err);
	if (r < 0)
		return r;
	if (elements->type != HF_LIST && elements->type != HF_DICT) {
		struct hf_value *one = hf_value_list(c->arena);
		hf_list_append(one, elements);
		elements = one;
	}
	if (path->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE,
			"subelements lookup expects a list of two or three items, first a dict or a list, "
			"second a "
			"string pointing to the subkey");
	elements = subelement_items(c->arena, elements);
	for (size_t i = 0; i < hf_list_len(elements) && r == 0; i++)
		r = subelement_pairs(c, hf_list_at(elements, i), path->u.string, skip_missing, into, err);
	return r;
}

static int lookup_random_choice(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	struct hf_twister t;
	hf_twister_system(&t);
	if (hf_list_len(c->terms) > 0)
		hf_list_append(into, hf_list_at(c->terms, hf_twister_below(&t, hf_list_len(c->terms))));
	return 0;
}

const struct lookup_row hf_lookups_list[] = {
	{ "items", lookup_items },
	{ "list", lookup_list },
	{ "dict", lookup_dict },
	{ "flattened", lookup_flattened },
	{ "indexed_items", lookup_indexed },
	{ "nested", lookup_nested },
	{ "cartesian", lookup_nested },
	{ "together", lookup_together },
	{ "sequence", lookup_sequence },
	{ "subelements", lookup_subelements },
	{ "random_choice", lookup_random_choice },
	{ 0 },
};
