/* lib/template/methods_other.c - methods of list, tuple, dict, set, int, float and bytes; declared in
 * methods.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "lib/base/scope.h"
#include "lib/template/arith.h"
#include "lib/template/filters.h"
#include "lib/template/method.h"
#include "lib/template/text.h"

static int at_least(const struct hf_call *call, size_t n, const char *what, struct hf_error *err)
{
	if (call->n_args < n)
		return hf_raise(err, "%s expected at least %zu argument%s, got %zu", what, n,
			n == 1 ? "" : "s", call->n_args);
	return 0;
}

static int none(struct hf_eval *e, struct hf_value **ret)
{
	*ret = hf_value_null(e->arena);
	return 0;
}

/* A container that lives longer than this rendering takes copies, which live as long as it does. */
static struct hf_value *kept(struct hf_eval *e, struct hf_arena *where, struct hf_value *v)
{
	return where == e->arena ? v : hf_value_copy(where, v);
}

METHOD(append)
{
	int r = hf_call_check(call, "append", 1, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "append", err);
	if (r < 0)
		return r;
	hf_list_append(input, kept(e, input->u.list->arena, call->args[0]));
	return none(e, ret);
}

METHOD(extend)
{
	struct hf_value *items;
	int r = hf_call_check(call, "extend", 1, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "extend", err);
	if (r == 0)
		r = hf_eval_list(e, call->args[0], &items, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++)
		hf_list_append(input, kept(e, input->u.list->arena, hf_list_at(items, i)));
	return r < 0 ? r : none(e, ret);
}

static int64_t clamped(int64_t at, int64_t n)
{
	if (at < 0)
		at += n;
	return at < 0 ? 0 : at > n ? n : at;
}

METHOD(insert)
{
	int64_t at = 0;
	int r = hf_call_check(call, "insert", 2, NULL, err);
	if (r == 0)
		r = at_least(call, 2, "insert", err);
	if (r == 0)
		r = hf_eval_int(e, call->args[0], "index", &at, err);
	if (r < 0)
		return r;
	size_t n = hf_list_len(input), to = (size_t)clamped(at, (int64_t)n);
	struct hf_value *item = kept(e, input->u.list->arena, call->args[1]);
	hf_list_append(input, item);
	struct hf_value **items = input->u.list->at;
	memmove(items + to + 1, items + to, (n - to) * sizeof(*items));
	items[to] = item;
	return none(e, ret);
}

static void list_remove_at(struct hf_value *list, size_t at)
{
	struct hf_list *l = list->u.list;
	memmove(l->at + at, l->at + at + 1, (l->n - at - 1) * sizeof(*l->at));
	l->n--;
}

METHOD(list_pop)
{
	int64_t at = -1, n = (int64_t)hf_list_len(input);
	int r = hf_call_check(call, "pop", 1, NULL, err);
	if (r == 0 && call->n_args > 0)
		r = hf_eval_int(e, call->args[0], "index", &at, err);
	if (r < 0)
		return r;
	at += at < 0 ? n : 0;
	if (at < 0 || at >= n)
		return hf_raise(err, n == 0 ? "pop from empty list" : "pop index out of range");
	*ret = hf_list_at(input, (size_t)at);
	list_remove_at(input, (size_t)at);
	return 0;
}

static int list_position(struct hf_eval *e, struct hf_value *list, const struct hf_value *item, size_t from,
	size_t to, size_t *ret, struct hf_error *err)
{
	for (size_t i = from; i < to; i++) {
		bool equal;
		int r = hf_eval_equal(e, hf_list_at(list, i), item, &equal, err);
		if (r < 0)
			return r;
		if (equal) {
			*ret = i;
			return 0;
		}
	}
	*ret = SIZE_MAX;
	return hf_eval_steps(e, hf_list_len(list), err);
}

METHOD(remove)
{
	size_t at;
	int r = hf_call_check(call, "remove", 1, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "remove", err);
	if (r == 0)
		r = list_position(e, input, call->args[0], 0, hf_list_len(input), &at, err);
	if (r == 0 && at == SIZE_MAX)
		return hf_raise(err, "list.remove(x): x not in list");
	if (r < 0)
		return r;
	list_remove_at(input, at);
	return none(e, ret);
}

METHOD(list_index)
{
	size_t at;
	int64_t from = 0, to = (int64_t)hf_list_len(input);
	int r = hf_call_check(call, "index", 3, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "index", err);
	if (r == 0)
		r = hf_filter_int(e, call, 1, NULL, 0, &from, err);
	if (r == 0)
		r = hf_filter_int(e, call, 2, NULL, to, &to, err);
	if (r == 0)
		r = list_position(e, input, call->args[0], (size_t)clamped(from, (int64_t)hf_list_len(input)),
			(size_t)clamped(to, (int64_t)hf_list_len(input)), &at, err);
	if (r == 0 && at == SIZE_MAX)
		return hf_raise(err, "the value is not in the %s", hf_type_name(input));
	if (r == 0)
		*ret = hf_value_int(e->arena, (int64_t)at);
	return r;
}

METHOD(list_count)
{
	int64_t n = 0;
	int r = hf_call_check(call, "count", 1, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "count", err);
	for (size_t i = 0; r == 0 && i < hf_list_len(input); i++) {
		bool equal = false;
		r = hf_eval_equal(e, hf_list_at(input, i), call->args[0], &equal, err);
		n += equal;
	}
	if (r == 0)
		*ret = hf_value_int(e->arena, n);
	return r;
}

METHOD(list_reverse)
{
	int r = hf_call_check(call, "reverse", 0, NULL, err);
	struct hf_list *l = input->u.list;
	for (size_t i = 0, j = l->n; r == 0 && i + 1 < j; i++) {
		struct hf_value *v = l->at[i];
		l->at[i] = l->at[--j];
		l->at[j] = v;
	}
	return r < 0 ? r : none(e, ret);
}

METHOD(list_sort)
{
	static const char *const names[] = { "key", "reverse", NULL };
	bool reverse = false;
	struct hf_value *key = call->kwargs == NULL ? NULL : hf_dict_get(call->kwargs, "key");
	int r = hf_call_check(call, "sort", 0, names, err);
	if (r == 0 && call->kwargs != NULL && hf_dict_get(call->kwargs, "reverse") != NULL)
		r = hf_eval_truth(e, hf_dict_get(call->kwargs, "reverse"), &reverse, err);
	size_t n = hf_list_len(input);
	struct hf_value **keys = hf_new_array(e->arena, n, struct hf_value *);
	for (size_t i = 0; r == 0 && i < n; i++) {
		keys[i] = hf_list_at(input, i);
		struct hf_call one = { &keys[i], 1, NULL, call->pos };
		if (key != NULL && key->type != HF_NULL)
			r = hf_eval_call(e, key, &one, &keys[i], err);
	}
	if (r == 0)
		r = hf_filter_sort(e, input->u.list->at, keys, n, reverse, err);
	return r < 0 ? r : none(e, ret);
}

METHOD(list_clear)
{
	int r = hf_call_check(call, "clear", 0, NULL, err);
	if (r < 0)
		return r;
	input->u.list->n = 0;
	return none(e, ret);
}

METHOD(copy)
{
	int r = hf_call_check(call, "copy", 0, NULL, err);
	if (r == 0)
		*ret = hf_value_shallow(e->arena, input);
	return r;
}

static int hashable(struct hf_eval *e, const struct hf_value *key, struct hf_error *err)
{
	if (hf_value_hashable(key) || (key->type == HF_UNDEFINED && !eval_strict(e)))
		return 0;
	return key->type == HF_UNDEFINED ? hf_eval_undefined(e, key, err)
					 : hf_raise(err, "unhashable type: '%s'", hf_type_name(key));
}

METHOD(get)
{
	int r = hf_call_check(call, "get", 2, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "get", err);
	if (r == 0)
		r = hashable(e, call->args[0], err);
	if (r < 0)
		return r;
	struct hf_value *v = hf_dict_find(input, call->args[0]);
	if (v != NULL)
		r = hf_eval_resolve(e, &v, err);
	*ret = v != NULL ? v : call->n_args > 1 ? call->args[1] : hf_value_null(e->arena);
	return r;
}

METHOD(keys)
{
	struct hf_value *list = hf_value_list(e->arena);
	int r = hf_call_check(call, "keys", 0, NULL, err);
	HF_DICT_EACH (input, entry)
		hf_list_append(list, hf_entry_key(entry));
	if (r == 0)
		*ret = hf_view_value(e, "dict_keys", list);
	return r;
}

METHOD(values)
{
	struct hf_value *list = hf_value_list(e->arena);
	int r = hf_call_check(call, "values", 0, NULL, err);
	HF_DICT_EACH (input, entry) {
		struct hf_value *v = entry->value;
		if (r == 0)
			r = hf_eval_resolve(e, &v, err);
		hf_list_append(list, v);
	}
	if (r == 0)
		*ret = hf_view_value(e, "dict_values", list);
	return r;
}

METHOD(items)
{
	struct hf_value *list = hf_value_list(e->arena);
	int r = hf_call_check(call, "items", 0, NULL, err);
	HF_DICT_EACH (input, entry) {
		struct hf_value *pair = hf_value_tuple(e->arena), *v = entry->value;
		if (r == 0)
			r = hf_eval_resolve(e, &v, err);
		hf_list_append(pair, hf_entry_key(entry));
		hf_list_append(pair, v);
		hf_list_append(list, pair);
	}
	if (r == 0)
		*ret = hf_view_value(e, "dict_items", list);
	return r;
}

METHOD(dict_pop)
{
	int r = hf_call_check(call, "pop", 2, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "pop", err);
	if (r == 0)
		r = hashable(e, call->args[0], err);
	if (r < 0)
		return r;
	struct hf_value *v = hf_dict_find(input, call->args[0]);
	if (v == NULL && call->n_args < 2)
		return hf_raise(err, "the dictionary has no such key");
	if (v != NULL)
		hf_map_remove(&input->u.dict->map, call->args[0]);
	*ret = v != NULL ? v : call->args[1];
	return 0;
}

METHOD(popitem)
{
	const struct hf_map_entry *last = NULL;
	int r = hf_call_check(call, "popitem", 0, NULL, err);
	HF_DICT_EACH (input, entry)
		last = entry;
	if (r == 0 && last == NULL)
		return hf_raise(err, "popitem(): dictionary is empty");
	if (r != 0)
		return r;
	*ret = hf_value_tuple(e->arena);
	hf_list_append(*ret, hf_entry_key(last));
	hf_list_append(*ret, last->value);
	hf_map_remove(&input->u.dict->map, last->key);
	return 0;
}

METHOD(update)
{
	if (call->n_args > 1)
		return hf_raise(err, "update expected at most 1 argument, got %zu", call->n_args);
	int r = call->n_args == 0 ? 0 : hf_dict_update(e, input, call->args[0], err);
	if (r == 0 && call->kwargs != NULL)
		r = hf_dict_update(e, input, call->kwargs, err);
	return r < 0 ? r : none(e, ret);
}

METHOD(setdefault)
{
	int r = hf_call_check(call, "setdefault", 2, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "setdefault", err);
	if (r == 0)
		r = hashable(e, call->args[0], err);
	if (r < 0)
		return r;
	*ret = hf_dict_find(input, call->args[0]);
	if (*ret == NULL) {
		*ret = call->n_args > 1 ? call->args[1] : hf_value_null(e->arena);
		struct hf_arena *where = input->u.dict->map.arena;
		hf_dict_set(input, kept(e, where, call->args[0]), kept(e, where, *ret));
	}
	return 0;
}

METHOD(dict_clear)
{
	int r = hf_call_check(call, "clear", 0, NULL, err);
	if (r < 0)
		return r;
	hf_map_clear(&input->u.dict->map);
	return none(e, ret);
}

METHOD(fromkeys)
{
	struct hf_value *keys, *dict = hf_value_dict(e->arena);
	int r = hf_call_check(call, "fromkeys", 2, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "fromkeys", err);
	if (r == 0)
		r = hf_eval_sequence(e, call->args[0], &keys, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(keys); i++) {
		r = hashable(e, hf_list_at(keys, i), err);
		if (r == 0)
			hf_dict_set(dict, hf_list_at(keys, i),
				call->n_args > 1 ? call->args[1] : hf_value_null(e->arena));
	}
	*ret = dict;
	return r;
}

/* What Python calls for `d[k] = v`, `del d[k]`, `d[k]`, `k in d` and len(d): a template can only change an
 * item so. */

METHOD(dict_set_item)
{
	int r = hf_call_check(call, "__setitem__", 2, NULL, err);
	if (r == 0)
		r = at_least(call, 2, "__setitem__", err);
	if (r == 0)
		r = hashable(e, call->args[0], err);
	if (r < 0)
		return r;
	struct hf_arena *where = input->u.dict->map.arena;
	hf_dict_set(input, kept(e, where, call->args[0]), kept(e, where, call->args[1]));
	return none(e, ret);
}

METHOD(dict_delete_item)
{
	int r = hf_call_check(call, "__delitem__", 1, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "__delitem__", err);
	if (r == 0)
		r = hashable(e, call->args[0], err);
	if (r == 0 && hf_dict_find(input, call->args[0]) == NULL)
		return hf_raise(err, "the dictionary has no such key");
	if (r < 0)
		return r;
	hf_map_remove(&input->u.dict->map, call->args[0]);
	return none(e, ret);
}

static int list_place(struct hf_eval *e, const struct hf_value *list, const struct hf_call *call,
	const char *what, size_t *ret, struct hf_error *err)
{
	int64_t at, n = (int64_t)hf_list_len(list);
	int r = hf_eval_int(e, call->args[0], "index", &at, err);
	if (r < 0)
		return r;
	at += at < 0 ? n : 0;
	if (at < 0 || at >= n)
		return hf_raise(err, "list %sindex out of range", what);
	*ret = (size_t)at;
	return 0;
}

METHOD(list_set_item)
{
	size_t at = 0;
	int r = hf_call_check(call, "__setitem__", 2, NULL, err);
	if (r == 0)
		r = at_least(call, 2, "__setitem__", err);
	if (r == 0)
		r = list_place(e, input, call, "assignment ", &at, err);
	if (r < 0)
		return r;
	input->u.list->at[at] = kept(e, input->u.list->arena, call->args[1]);
	return none(e, ret);
}

METHOD(list_delete_item)
{
	size_t at = 0;
	int r = hf_call_check(call, "__delitem__", 1, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "__delitem__", err);
	if (r == 0)
		r = list_place(e, input, call, "assignment ", &at, err);
	if (r < 0)
		return r;
	list_remove_at(input, at);
	return none(e, ret);
}

METHOD(get_item)
{
	struct hf_value *v = NULL;
	int r = hf_call_check(call, "__getitem__", 1, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "__getitem__", err);
	if (r == 0)
		r = hf_eval_item(e, input, call->args[0], &v, err);
	if (r == 0 && v->type == HF_UNDEFINED)
		return hf_raise(err, "the %s has no such item", hf_type_name(input));
	*ret = v;
	return r;
}

METHOD(contains_item)
{
	bool found = false;
	int r = hf_call_check(call, "__contains__", 1, NULL, err);
	if (r == 0)
		r = at_least(call, 1, "__contains__", err);
	if (r == 0)
		r = hf_eval_contains(e, input, call->args[0], &found, err);
	if (r == 0)
		*ret = hf_value_bool(e->arena, found);
	return r;
}

METHOD(count_items)
{
	int r = hf_call_check(call, "__len__", 0, NULL, err);
	if (r == 0)
		*ret = hf_value_int(e->arena,
			(int64_t)(input->type == HF_DICT ? hf_dict_len(input) : hf_list_len(input)));
	return r;
}

METHOD(bit_length)
{
	int r = hf_call_check(call, "bit_length", 0, NULL, err);
	if (r < 0)
		return r;
	const char *digits = hf_arith_digits(e->arena, input, 2);
	size_t n = strspn(digits, "-"), zero = digits[n] == '0';
	*ret = hf_value_int(e->arena, zero ? 0 : (int64_t)strlen(digits + n));
	return 0;
}

METHOD(is_integer)
{
	int r = hf_call_check(call, "is_integer", 0, NULL, err);
	if (r == 0)
		*ret = hf_value_bool(
			e->arena, input->type != HF_FLOAT ||
					  (isfinite(input->u.real) && floor(input->u.real) == input->u.real));
	return r;
}

METHOD(conjugate)
{
	int r = hf_call_check(call, "conjugate", 0, NULL, err);
	if (r == 0)
		*ret = input;
	return r;
}

METHOD(float_hex)
{
	int r = hf_call_check(call, "hex", 0, NULL, err);
	if (r < 0)
		return r;
	char text[64];
	double d = input->u.real;
	snprintf(text, sizeof(text), d == 0 || !isfinite(d) ? (d == 0 ? "%.1a" : "%a") : "%.13a", d);
	*ret = hf_value_cstr(e->arena, text);
	return 0;
}

METHOD(decode)
{
	struct hf_str encoding = HF_STR("utf-8"), errors = HF_STR("strict");
	const struct filter_arg args[] = { { "encoding", ARG_TEXT, &encoding },
		{ "errors", ARG_TEXT, &errors } };
	int r = hf_filter_args(e, call, "decode", args, HF_COUNT(args), err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	bool latin = strncasecmp(encoding.p, "latin", 5) == 0 || hf_str_is(encoding, "iso-8859-1");
	bool ascii = hf_str_is(encoding, "ascii") || hf_str_is(encoding, "us-ascii");
	for (size_t at = 0; at < input->u.string.n;) {
		uint32_t c = (unsigned char)input->u.string.p[at];
		if (latin || ascii)
			at++;
		else
			c = hf_text_next(input->u.string, &at);
		bool good = ascii ? c < 0x80 : latin || c < 0xDC80 || c > 0xDCFF;
		if (!good && hf_str_is(errors, "strict"))
			return hf_raise(err, "'%.*s' codec can't decode byte in position %zu",
				HF_STR_ARG(encoding), at);
		if (good || !hf_str_is(errors, "ignore"))
			hf_text_put(&out, good ? c : 0xFFFD);
	}
	return hf_buf_value(e, &out, 0, ret, err);
}

METHOD(bytes_hex)
{
	int r = hf_call_check(call, "hex", 0, NULL, err);
	if (r < 0)
		return r;
	char *hex = hf_alloc(e->arena, input->u.string.n * 2 + 1);
	hf_hex((const unsigned char *)input->u.string.p, input->u.string.n, hex);
	*ret = hf_value_borrow(e->arena, hf_strn(hex, input->u.string.n * 2));
	return 0;
}

static int encode_refused(
	struct hf_buf *out, uint32_t c, struct hf_str encoding, struct hf_str errors, struct hf_error *err)
{
	if (hf_str_is(errors, "replace"))
		hf_buf_put(out, '?');
	else if (hf_str_is(errors, "backslashreplace"))
		hf_buf_printf(out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
	else if (hf_str_is(errors, "xmlcharrefreplace"))
		hf_buf_printf(out, "&#%u;", c);
	else if (!hf_str_is(errors, "ignore"))
		return hf_raise(err, "'%.*s' codec can't encode character", HF_STR_ARG(encoding));
	return 0;
}

int hf_bytes_encode(struct hf_eval *e, struct hf_str text, struct hf_str encoding, struct hf_str errors,
	struct hf_value **ret, struct hf_error *err)
{
	static const struct {
		const char *name;
		uint32_t limit; /* first point it cannot hold */
	} rows[] = { { "utf-8", 0x110000 }, { "utf8", 0x110000 }, { "ascii", 0x80 }, { "us-ascii", 0x80 },
		{ "latin-1", 0x100 }, { "latin1", 0x100 }, { "iso-8859-1", 0x100 } };
	uint32_t limit = 0;
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (strcasecmp(encoding.p, rows[i].name) == 0)
			limit = rows[i].limit;
	if (limit == 0)
		return hf_raise(err, "unknown encoding: %.*s", HF_STR_ARG(encoding));
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	bool utf8 = limit > 0x100;
	for (size_t at = 0; !utf8 && at < text.n;) {
		uint32_t c = hf_text_next(text, &at);
		int r = 0;
		if (c < limit)
			hf_buf_put(&out, (char)c);
		else
			r = encode_refused(&out, c, encoding, errors, err);
		if (r < 0)
			return r;
	}
	*ret = hf_value_bytes(e->arena, utf8 ? text : hf_buf_str(&out));
	return 0;
}

const struct hf_callable_row hf_methods_list[] = {
	{ "append", method_append, HF_TAKES_UNDEFINED },
	{ "extend", method_extend, 0 },
	{ "insert", method_insert, HF_TAKES_UNDEFINED },
	{ "pop", method_list_pop, 0 },
	{ "remove", method_remove, 0 },
	{ "index", method_list_index, 0 },
	{ "count", method_list_count, 0 },
	{ "reverse", method_list_reverse, 0 },
	{ "sort", method_list_sort, 0 },
	{ "clear", method_list_clear, 0 },
	{ "copy", method_copy, 0 },
	{ "__setitem__", method_list_set_item, HF_TAKES_UNDEFINED },
	{ "__delitem__", method_list_delete_item, 0 },
	{ "__getitem__", method_get_item, 0 },
	{ "__contains__", method_contains_item, 0 },
	{ "__len__", method_count_items, 0 },
	{ NULL, NULL, 0 },
};

const struct hf_callable_row hf_methods_tuple[] = {
	{ "index", method_list_index, 0 },
	{ "count", method_list_count, 0 },
	{ "__getitem__", method_get_item, 0 },
	{ "__contains__", method_contains_item, 0 },
	{ "__len__", method_count_items, 0 },
	{ NULL, NULL, 0 },
};

const struct hf_callable_row hf_methods_dict[] = {
	{ "get", method_get, HF_TAKES_UNDEFINED },
	{ "keys", method_keys, 0 },
	{ "values", method_values, 0 },
	{ "items", method_items, 0 },
	{ "pop", method_dict_pop, HF_TAKES_UNDEFINED },
	{ "popitem", method_popitem, 0 },
	{ "update", method_update, 0 },
	{ "setdefault", method_setdefault, HF_TAKES_UNDEFINED },
	{ "copy", method_copy, 0 },
	{ "clear", method_dict_clear, 0 },
	{ "fromkeys", method_fromkeys, 0 },
	{ "__setitem__", method_dict_set_item, HF_TAKES_UNDEFINED },
	{ "__delitem__", method_dict_delete_item, 0 },
	{ "__getitem__", method_get_item, 0 },
	{ "__contains__", method_contains_item, 0 },
	{ "__len__", method_count_items, 0 },
	{ NULL, NULL, 0 },
};

const struct hf_callable_row hf_methods_set[] = {
	{ "copy", method_copy, 0 },
	{ NULL, NULL, 0 },
};

const struct hf_callable_row hf_methods_int[] = {
	{ "bit_length", method_bit_length, 0 },
	{ "is_integer", method_is_integer, 0 },
	{ "conjugate", method_conjugate, 0 },
	{ NULL, NULL, 0 },
};

const struct hf_callable_row hf_methods_float[] = {
	{ "is_integer", method_is_integer, 0 },
	{ "hex", method_float_hex, 0 },
	{ "conjugate", method_conjugate, 0 },
	{ NULL, NULL, 0 },
};

const struct hf_callable_row hf_methods_bytes[] = {
	{ "decode", method_decode, 0 },
	{ "hex", method_bytes_hex, 0 },
	{ NULL, NULL, 0 },
};
