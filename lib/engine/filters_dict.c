/* lib/engine/filters_dict.c - dictionaries: combine, dict2items, items2dict, subelements, rekey_on_member. */
#include "lib/base/scope.h"
#include "lib/engine/filters.h"

/* --- combine --- */

static const char *const list_merges[] = { "replace", "keep", "append", "prepend", "append_rp",
	"prepend_rp" };
enum list_merge { MERGE_REPLACE, MERGE_KEEP, MERGE_APPEND, MERGE_PREPEND, MERGE_APPEND_RP, MERGE_PREPEND_RP };
enum { COMBINE_DEPTH_MAX = 100 };

static void append_all(struct hf_value *out, const struct hf_value *from, const struct hf_value *without)
{
	for (size_t i = 0; i < hf_list_len(from); i++)
		if (without == NULL || !filter_contains(without, hf_list_at(from, i)))
			hf_list_append(out, hf_list_at(from, i));
}

static struct hf_value *lists_merge(
	struct hf_arena *a, struct hf_value *low, struct hf_value *high, enum list_merge how)
{
	struct hf_value *out = hf_value_list(a);
	switch (how) {
	case MERGE_REPLACE:
		return high;
	case MERGE_KEEP:
		return low;
	case MERGE_APPEND:
	case MERGE_APPEND_RP:
		append_all(out, low, how == MERGE_APPEND_RP ? high : NULL);
		append_all(out, high, NULL);
		break;
	case MERGE_PREPEND:
	case MERGE_PREPEND_RP:
		append_all(out, high, NULL);
		append_all(out, low, how == MERGE_PREPEND_RP ? high : NULL);
		break;
	}
	return out;
}

static int dicts_merge(struct hf_arena *a, struct hf_value *low, struct hf_value *high, bool recursive,
	enum list_merge how, int depth, struct hf_value **ret, struct hf_error *err)
{
	if (low->type != HF_DICT || high->type != HF_DICT)
		return hf_fail(err, HF_E_TEMPLATE,
			"failed to combine variables, expected dicts but got a '%s' and a '%s'",
			hf_type_name(low), hf_type_name(high));
	if (depth > COMBINE_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "combine: nested deeper than %d", COMBINE_DEPTH_MAX);
	if (hf_dict_len(low) == 0 || hf_value_equal(low, high)) {
		*ret = hf_value_shallow(a, high);
		return 0;
	}
	struct hf_value *out = hf_value_shallow(a, low);
	HF_DICT_EACH (high, e) {
		struct hf_value *new = hf_entry_value(e), *old = hf_dict_find(low, hf_entry_key(e));
		if (old != NULL && old->type == HF_DICT && new->type == HF_DICT &&recursive) {
			int r = dicts_merge(a, old, new, recursive, how, depth + 1, &new, err);
			if (r < 0)
				return r;
		} else if (old != NULL && old->type == HF_LIST && new->type == HF_LIST) {
			new = lists_merge(a, old, new, how);
		}
		hf_dict_set(out, hf_entry_key(e), new);
	}
	*ret = out;
	return 0;
}

static int undefined_refuse(struct hf_eval *e, const struct hf_value *v, int depth, struct hf_error *err)
{
	if (v->type == HF_UNDEFINED)
		return hf_eval_undefined(e, v, err);
	int r = 0;
	if (depth > COMBINE_DEPTH_MAX)
		return 0;
	if (v->type == HF_LIST)
		for (size_t i = 0; i < hf_list_len(v) && r == 0; i++)
			r = undefined_refuse(e, hf_list_at(v, i), depth + 1, err);
	else if (v->type == HF_DICT)
		HF_DICT_EACH (v, entry)
			if (r == 0)
				r = undefined_refuse(e, hf_entry_value(entry), depth + 1, err);
	return r;
}

/* combine and lists_mergeby take these two keywords and no others. */
static int list_merge_option(struct hf_eval *e, const struct hf_call *call, bool merging,
	enum list_merge *ret, struct hf_error *err)
{
	if (call->kwargs != NULL)
		HF_DICT_EACH (call->kwargs, k)
			if (!hf_str_is(hf_entry_key(k)->u.string, "recursive") &&
				!hf_str_is(hf_entry_key(k)->u.string, "list_merge"))
				return hf_fail(err, HF_E_TEMPLATE,
					"'recursive' and 'list_merge' are the only valid keyword arguments");
	struct hf_str name;
	*ret = (enum list_merge)0;
	if (!merging) /* a single dictionary: Ansible does not look at the word */
		return 0;
	int r = filter_text_arg(e, call, SIZE_MAX, "list_merge", "replace", &name, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < HF_COUNT(list_merges); i++)
		if (hf_str_is(name, list_merges[i])) {
			*ret = (enum list_merge)i;
			return 0;
		}
	return hf_fail(err, HF_E_TEMPLATE,
		"merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', "
		"'append', 'prepend', 'append_rp' or 'prepend_rp'");
}

FILTER(combine)
{
	struct hf_arena *a = hf_eval_arena(e);
	enum list_merge how;
	int r;
	struct hf_value *terms = hf_value_list(a), *dicts = hf_value_list(a);
	hf_list_append(terms, input);
	for (size_t i = 0; i < call->n_args; i++)
		hf_list_append(terms, call->args[i]);
	r = filter_flatten(terms, 1, true, 0, dicts, err);
	if (r == 0)
		r = undefined_refuse(e, dicts, 0, err);
	if (r < 0)
		return r;
	size_t n = hf_list_len(dicts);
	struct hf_value *result = n == 0 ? hf_value_dict(a) : hf_list_at(dicts, n - 1);
	r = list_merge_option(e, call, n > 1, &how, err);
	for (size_t i = n; i > 1 && r == 0; i--)
		r = dicts_merge(a, hf_list_at(dicts, i - 2), result,
			filter_bool_arg(call, SIZE_MAX, "recursive", false), how, 0, &result, err);
	if (r == 0)
		*ret = result;
	return r;
}

/* --- lists_mergeby --- */

/* Puts dict where its index belongs: behind all that are not greater. */
static int sorted_insert(struct hf_eval *e, struct hf_value *list, struct hf_value *dict,
	const struct hf_value *index, struct hf_error *err)
{
	size_t low = 0, high = hf_list_len(list);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = 0;
		int r = hf_eval_compare(e, hf_dict_find(dict, index),
			hf_dict_find(hf_list_at(list, middle), index), &order, err);
		if (r < 0)
			return r;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	hf_list_append(list, dict);
	struct hf_value **at = list->u.list->at;
	memmove(&at[low + 1], &at[low], (hf_list_len(list) - 1 - low) * sizeof(struct hf_value *));
	at[low] = dict;
	return 0;
}

struct by_index {
	const struct hf_value *index;
	bool recursive;
	enum list_merge how;
};

/* The dictionaries of one list into those known by their index. */
static int list_merge_into(struct hf_arena *a, const struct by_index *by, const struct hf_value *list,
	struct hf_value *known, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *item = hf_list_at(list, i);
		if (item->type != HF_DICT)
			return hf_fail(err, HF_E_TEMPLATE,
				"Elements of list arguments for lists_mergeby must be dictionaries, not %s",
				hf_type_name(item));
		struct hf_value *key = hf_dict_find(item, by->index), *old;
		if (key == NULL)
			continue;
		if (!hf_value_hashable(key))
			return hf_fail(err, HF_E_TEMPLATE, "unhashable type: '%s'", hf_type_name(key));
		old = hf_dict_find(known, key);
		int r = dicts_merge(
			a, old == NULL ? hf_value_dict(a) : old, item, by->recursive, by->how, 0, &item, err);
		if (r < 0)
			return r;
		hf_dict_set(known, key, item);
	}
	return 0;
}

static int lists_merge_two(struct hf_eval *e, const struct by_index *by, const struct hf_value *low,
	const struct hf_value *high, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *known = hf_value_dict(hf_eval_arena(e)), *out = hf_value_list(hf_eval_arena(e));
	int r = list_merge_into(hf_eval_arena(e), by, low, known, err);
	if (r == 0)
		r = list_merge_into(hf_eval_arena(e), by, high, known, err);
	HF_DICT_EACH (known, entry)
		if (r == 0)
			r = sorted_insert(e, out, hf_entry_value(entry), by->index, err);
	*ret = out;
	return r;
}

/* All lists given; a list of lists counts as its lists, and an empty one as none. */
static int lists_gather(
	struct hf_value *input, const struct hf_call *call, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < call->n_args; i++) {
		struct hf_value *list = i == 0 ? input : call->args[i - 1];
		if (!hf_is_sequence(list))
			return hf_fail(err, HF_E_TEMPLATE,
				"All arguments before the argument index for lists_mergeby must be lists, "
				"not %s",
				hf_type_name(list));
		bool nested = hf_list_len(list) > 0 && hf_is_sequence(hf_list_at(list, 0));
		for (size_t k = 0; nested && k < hf_list_len(list); k++) {
			if (!hf_is_sequence(hf_list_at(list, k)))
				return hf_fail(err, HF_E_TEMPLATE, "lists_mergeby: a list of lists expected");
			hf_list_append(into, hf_list_at(list, k));
		}
		if (!nested && hf_list_len(list) > 0)
			hf_list_append(into, list);
	}
	return 0;
}

FILTER(lists_mergeby)
{
	struct by_index by = { .recursive = filter_bool_arg(call, SIZE_MAX, "recursive", false) };
	struct hf_value *lists = hf_value_list(hf_eval_arena(e));
	if (call->n_args == 0 || call->args[call->n_args - 1]->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE, "lists_mergeby: the last argument is the index, a string");
	by.index = call->args[call->n_args - 1];
	int r = list_merge_option(e, call, true, &by.how, err);
	if (r == 0)
		r = lists_gather(input, call, lists, err);
	if (r < 0)
		return r;
	size_t n = hf_list_len(lists);
	*ret = n == 0 ? lists : hf_list_at(lists, n - 1);
	for (size_t i = n; i > 1 && r == 0; i--)
		r = lists_merge_two(e, &by, hf_list_at(lists, i - 2), *ret, ret, err);
	return r;
}

/* --- items --- */

static int item_names(struct hf_eval *e, const struct hf_call *call, struct hf_value **ret_key,
	struct hf_value **ret_value, struct hf_error *err)
{
	struct hf_str key, value;
	int r = filter_text_arg(e, call, 0, "key_name", "key", &key, err);
	if (r == 0)
		r = filter_text_arg(e, call, 1, "value_name", "value", &value, err);
	if (r < 0)
		return r;
	*ret_key = hf_value_str(hf_eval_arena(e), key);
	*ret_value = hf_value_str(hf_eval_arena(e), value);
	return 0;
}

FILTER(dict2items)
{
	FILTER_ARGS(2, "key_name", "value_name");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *key, *value;
	int r = item_names(e, call, &key, &value, err);
	if (r < 0)
		return r;
	if (input->type != HF_DICT)
		return hf_fail(err, HF_E_TEMPLATE, "dict2items requires a dictionary, got %s instead.",
			hf_type_name(input));
	*ret = hf_value_list(a);
	HF_DICT_EACH (input, entry) {
		struct hf_value *item = hf_value_dict(a);
		hf_dict_set(item, key, hf_entry_key(entry));
		hf_dict_set(item, value, hf_entry_value(entry));
		hf_list_append(*ret, item);
	}
	return 0;
}

FILTER(items2dict)
{
	FILTER_ARGS(2, "key_name", "value_name");
	struct hf_value *key, *value;
	int r = item_names(e, call, &key, &value, err);
	if (r < 0)
		return r;
	if (!hf_is_sequence(input))
		return hf_fail(err, HF_E_TEMPLATE, "items2dict requires a list, got %s instead.",
			hf_type_name(input));
	*ret = hf_value_dict(hf_eval_arena(e));
	for (size_t i = 0; i < hf_list_len(input); i++) {
		const struct hf_value *item = hf_list_at(input, i);
		if (item->type != HF_DICT)
			return hf_fail(err, HF_E_TEMPLATE,
				"items2dict requires a list of dictionaries, got a list with %s",
				hf_type_name(item));
		struct hf_value *k = hf_dict_find(item, key), *v = hf_dict_find(item, value);
		if (k == NULL || v == NULL)
			return hf_fail(err, HF_E_TEMPLATE,
				"items2dict requires each dictionary in the list to contain the keys '%s' "
				"and '%s'",
				key->u.string.p, value->u.string.p);
		if (!hf_value_hashable(k))
			return hf_fail(err, HF_E_TEMPLATE, "unhashable type: '%s'", hf_type_name(k));
		hf_dict_set(*ret, k, v);
	}
	return 0;
}

/* The list that path names below element; NULL: a key was missing and that is fine. */
static int subelement_find(struct hf_value *element, const struct hf_value *path, bool skip_missing,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *v = element;
	for (size_t i = 0; i < hf_list_len(path); i++) {
		const struct hf_value *key = hf_list_at(path, i);
		hf_auto_buf shown = hf_buf_init(HF_ERROR_TEXT_MAX);
		hf_value_print(&shown, key);
		if (v->type != HF_DICT)
			return hf_fail(err, HF_E_TEMPLATE,
				"the key %s should point to a dictionary, got a %s", hf_buf_str(&shown).p,
				hf_type_name(v));
		struct hf_value *next = hf_dict_find(v, key);
		if (next == NULL && !skip_missing)
			return hf_fail(err, HF_E_TEMPLATE, "could not find '%s' key in iterated item",
				hf_buf_str(&shown).p);
		if (next == NULL) {
			*ret = NULL;
			return 0;
		}
		v = next;
	}
	if (v->type != HF_LIST)
		return hf_fail(
			err, HF_E_TEMPLATE, "the key should point to a list, got a %s", hf_type_name(v));
	*ret = v;
	return 0;
}

FILTER(subelements)
{
	FILTER_ARGS(2, "subelements", "skip_missing");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *path = filter_arg(call, 0, "subelements"), *elements = hf_value_list(a);
	if (input->type == HF_DICT) {
		HF_DICT_EACH (input, entry)
			hf_list_append(elements, hf_entry_value(entry));
	} else if (input->type == HF_LIST) {
		elements = input;
	} else {
		return hf_fail(err, HF_E_TEMPLATE, "obj must be a list of dicts or a nested dict");
	}
	if (hf_is(path, HF_STRING)) {
		struct hf_str rest = path->u.string, part;
		path = hf_value_list(a);
		while (hf_str_split(&rest, '.', &part))
			hf_list_append(path, hf_value_str(a, part));
	}
	if (!hf_is(path, HF_LIST))
		return hf_fail(err, HF_E_TEMPLATE, "subelements must be a list or a string");
	*ret = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(elements); i++) {
		struct hf_value *list = NULL;
		int r = subelement_find(hf_list_at(elements, i), path,
			filter_bool_arg(call, 1, "skip_missing", false), &list, err);
		if (r < 0)
			return r;
		for (size_t k = 0; list != NULL && k < hf_list_len(list); k++) {
			struct hf_value *pair = hf_value_tuple(a);
			hf_list_append(pair, hf_list_at(elements, i));
			hf_list_append(pair, hf_list_at(list, k));
			hf_list_append(*ret, pair);
		}
	}
	return 0;
}

FILTER(rekey_on_member)
{
	FILTER_ARGS(2, "key", "duplicates");
	struct hf_value *key = hf_call_arg(call, 0, "key"), *items = input;
	struct hf_str duplicates;
	int r = filter_text_arg(e, call, 1, "duplicates", "error", &duplicates, err);
	if (r < 0)
		return r;
	if (key == NULL || (!hf_str_is(duplicates, "error") && !hf_str_is(duplicates, "overwrite")))
		return hf_fail(
			err, HF_E_TEMPLATE, "rekey_on_member: a key, and duplicates error or overwrite");
	if (input->type == HF_DICT) {
		items = hf_value_list(hf_eval_arena(e));
		HF_DICT_EACH (input, entry)
			hf_list_append(items, hf_entry_value(entry));
	} else if (!hf_is_sequence(input)) {
		return hf_fail(err, HF_E_TEMPLATE, "Type is not a valid list, set, or dict");
	}
	*ret = hf_value_dict(hf_eval_arena(e));
	for (size_t i = 0; i < hf_list_len(items); i++) {
		struct hf_value *item = hf_list_at(items, i);
		if (item->type != HF_DICT)
			return hf_fail(err, HF_E_TEMPLATE, "List item is not a valid dict");
		struct hf_value *new_key = hf_value_hashable(key) ? hf_dict_find(item, key) : NULL;
		if (new_key == NULL || !hf_value_hashable(new_key))
			return hf_fail(err, HF_E_TEMPLATE, "Key %s was not found or cannot be a key",
				hf_value_text(hf_eval_arena(e), key).p);
		if (hf_dict_find(*ret, new_key) != NULL && hf_str_is(duplicates, "error"))
			return hf_fail(err, HF_E_TEMPLATE,
				"Key %s is not unique, cannot correctly turn into dict",
				hf_value_text(hf_eval_arena(e), new_key).p);
		hf_dict_set(*ret, new_key, item);
	}
	return 0;
}

const struct hf_callable_row hf_ansible_filters_dict[] = {
	{ "combine", combine, HF_TAKES_UNDEFINED },
	{ "dict2items", dict2items, 0 },
	{ "items2dict", items2dict, 0 },
	{ "subelements", subelements, 0 },
	{ "rekey_on_member", rekey_on_member, 0 },
	{ 0 },
};

const struct hf_callable_row hf_ansible_filters_dict_general[] = {
	{ "lists_mergeby", lists_mergeby, 0 },
	{ 0 },
};
