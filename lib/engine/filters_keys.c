/* lib/engine/filters_keys.c - ansible.utils on the keys of data, however deep: keep_keys, remove_keys,
 * replace_keys. */

#include "lib/base/scope.h"
#include "lib/engine/filters.h"
#include "lib/engine/regex.h"

enum { KEYS_DEPTH_MAX = 100 };

enum keys_how { KEYS_EQUAL, KEYS_START, KEYS_END, KEYS_REGEX };
static const char *const hows[] = { [KEYS_EQUAL] = NULL, "starts_with", "ends_with", "regex" };

struct keys {
	struct hf_arena *a;
	const char *filter;
	struct hf_value *target; /* list of strings; of replace_keys, of dicts with before and after */
	enum keys_how how;
	struct hf_error *err;
};
typedef int (*keys_work)(struct keys *k, struct hf_value *v, int depth, struct hf_value **ret);

static int key_matches(struct keys *k, const struct hf_value *wanted, const struct hf_value *key, bool *ret)
{
	if (k->how == KEYS_EQUAL) {
		*ret = hf_value_equal(wanted, key);
		return 0;
	}
	if (key->type != HF_STRING || wanted->type != HF_STRING)
		return hf_fail(k->err, HF_E_TEMPLATE, "%s: the key '%s' is no text", k->filter,
			hf_value_text(k->a, key).p);
	if (k->how != KEYS_REGEX) {
		*ret = k->how == KEYS_START ? hf_str_starts(key->u.string, wanted->u.string.p)
					    : hf_str_ends(key->u.string, wanted->u.string.p);
		return 0;
	}
	struct hf_regex *made = NULL;
	int r = hf_regex_get(wanted->u.string, 0, &made, k->err);
	if (r < 0)
		return r;
	hf_auto_regex re = made;
	struct hf_regex_match m;
	r = hf_regex_exec(k->a, re, key->u.string, 0, HF_REGEX_MATCH, &m, k->err);
	if (r == 0)
		*ret = m.found;
	return r;
}

/* Whether one of the wanted keys is this one. */
static int key_wanted(struct keys *k, const struct hf_value *key, bool *ret)
{
	int r = 0;
	*ret = false;
	for (size_t i = 0; i < hf_list_len(k->target) && r == 0 && !*ret; i++)
		r = key_matches(k, hf_list_at(k->target, i), key, ret);
	return r;
}

static int too_deep(struct keys *k, int depth)
{
	return depth <= KEYS_DEPTH_MAX
		       ? 0
		       : hf_fail(k->err, HF_E_LIMIT, "%s: nested deeper than %d", k->filter, KEYS_DEPTH_MAX);
}

static bool is_empty(const struct hf_value *v)
{
	return v->type == HF_DICT ? hf_dict_len(v) == 0 : v->type == HF_LIST && hf_list_len(v) == 0;
}

/* What is left of a list below a key: without what became empty; NULL where only texts are left. */
static struct hf_value *kept_list(struct hf_arena *a, const struct hf_value *list)
{
	struct hf_value *left = hf_value_list(a);
	bool texts = true;
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *item = hf_list_at(list, i);
		if (is_empty(item))
			continue;
		hf_list_append(left, item);
		texts = texts && item->type == HF_STRING;
	}
	return texts ? NULL : left;
}

static int keep(struct keys *k, struct hf_value *v, int depth, struct hf_value **ret);

/* The value of a key, of which *wanted says whether anything is left. */
static int keep_value(
	struct keys *k, const struct hf_map_entry *e, int depth, struct hf_value **value, bool *wanted)
{
	*value = hf_entry_value(e);
	if ((*value)->type != HF_LIST && (*value)->type != HF_DICT)
		return key_wanted(k, hf_entry_key(e), wanted);
	int r = keep(k, *value, depth + 1, value);
	if (r == 0 && (*value)->type == HF_LIST)
		*value = kept_list(k->a, *value);
	*wanted = r == 0 && hf_list_len(k->target) > 0 && *value != NULL && !is_empty(*value);
	return r;
}

static int keep(struct keys *k, struct hf_value *v, int depth, struct hf_value **ret)
{
	int r = too_deep(k, depth);
	struct hf_value *below = NULL;
	bool wanted = false;
	*ret = v;
	if (v->type == HF_LIST) {
		*ret = hf_value_list(k->a);
		for (size_t i = 0; i < hf_list_len(v) && r == 0; i++) {
			r = keep(k, hf_list_at(v, i), depth + 1, &below);
			if (r == 0)
				hf_list_append(*ret, below);
		}
	} else if (v->type == HF_DICT) {
		*ret = hf_value_dict(k->a);
		HF_DICT_EACH (v, e) {
			if (r == 0)
				r = keep_value(k, e, depth, &below, &wanted);
			if (r == 0 && wanted)
				hf_dict_set(*ret, hf_entry_key(e), below);
		}
	}
	return r;
}

/* Lists lose what counts as false on the way. */
static int remove_from(struct keys *k, struct hf_value *v, int depth, struct hf_value **ret)
{
	int r = too_deep(k, depth);
	struct hf_value *below = NULL;
	*ret = v;
	if (v->type == HF_LIST) {
		*ret = hf_value_list(k->a);
		for (size_t i = 0; i < hf_list_len(v) && r == 0; i++) {
			r = remove_from(k, hf_list_at(v, i), depth + 1, &below);
			if (r == 0 && hf_value_truthy(below))
				hf_list_append(*ret, below);
		}
	} else if (v->type == HF_DICT) {
		*ret = hf_value_dict(k->a);
		HF_DICT_EACH (v, e) {
			bool wanted = false;
			if (r == 0)
				r = key_wanted(k, hf_entry_key(e), &wanted);
			if (r == 0 && !wanted)
				r = remove_from(k, hf_entry_value(e), depth + 1, &below);
			if (r == 0 && !wanted)
				hf_dict_set(*ret, hf_entry_key(e), below);
		}
	}
	return r;
}

/* One pair of before and after over a dict: what is renamed goes to the end, or over the key of that name. */
static int rename_keys(struct keys *k, const struct hf_value *pair, struct hf_value **dict)
{
	struct hf_value *none = hf_value_null(k->a), *before = hf_dict_get(pair, "before"),
			*after = hf_dict_get(pair, "after"), *keys = hf_value_list(k->a);
	HF_DICT_EACH (*dict, e)
		hf_list_append(keys, hf_entry_key(e));
	for (size_t i = 0; i < hf_list_len(keys); i++) {
		struct hf_value *key = hf_list_at(keys, i), *left = hf_value_dict(k->a);
		bool wanted = false;
		int r = key_matches(k, before != NULL ? before : none, key, &wanted);
		if (r < 0)
			return r;
		if (!wanted)
			continue;
		HF_DICT_EACH (*dict, e)
			if (!hf_value_equal(hf_entry_key(e), key))
				hf_dict_set(left, hf_entry_key(e), hf_entry_value(e));
		hf_dict_set(left, after != NULL ? after : none, hf_dict_find(*dict, key));
		*dict = left;
	}
	return 0;
}

static int replace_in(struct keys *k, struct hf_value *v, int depth, struct hf_value **ret)
{
	int r = too_deep(k, depth);
	struct hf_value *below = NULL;
	*ret = v;
	if (v->type == HF_LIST) {
		*ret = hf_value_list(k->a);
		for (size_t i = 0; i < hf_list_len(v) && r == 0; i++) {
			r = replace_in(k, hf_list_at(v, i), depth + 1, &below);
			if (r == 0)
				hf_list_append(*ret, below);
		}
	} else if (v->type == HF_DICT) {
		struct hf_value *named = v;
		for (size_t i = 0; i < hf_list_len(k->target) && r == 0; i++)
			r = rename_keys(k, hf_list_at(k->target, i), &named);
		*ret = hf_value_dict(k->a);
		HF_DICT_EACH (named, e) {
			if (r == 0)
				r = replace_in(k, hf_entry_value(e), depth + 1, &below);
			if (r == 0)
				hf_dict_set(*ret, hf_entry_key(e), below);
		}
	}
	return r;
}

static int target_read(struct hf_eval *e, struct keys *k, struct hf_value *given, bool pairs)
{
	struct hf_value *list = NULL;
	if (given == NULL)
		return hf_fail(k->err, HF_E_TEMPLATE, "missing required arguments: target");
	int r = filter_listed(e, given, &list, k->err);
	if (r < 0)
		return r;
	k->target = hf_value_list(k->a);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *item = hf_list_at(list, i);
		if (pairs && item->type != HF_DICT)
			return hf_fail(k->err, HF_E_TEMPLATE,
				"%s: each entry of target is a dictionary with before and after, not %s",
				k->filter, hf_type_name(item));
		hf_list_append(k->target, pairs || item->type == HF_NULL
						  ? item
						  : hf_value_str(k->a, hf_value_text(k->a, item)));
	}
	return 0;
}

static int keys_filter(struct hf_eval *e, const char *name, keys_work work, struct hf_value *input,
	const struct hf_call *call, struct hf_value **ret, struct hf_error *err)
{
	static const char *const names[] = { "target", "matching_parameter", NULL };
	struct keys k = { .a = hf_eval_arena(e), .filter = name, .err = err };
	struct hf_str how;
	int r = hf_call_check(call, name, 2, names, err);
	if (r == 0)
		r = target_read(e, &k, filter_arg(call, 0, "target"), work == replace_in);
	if (r == 0)
		r = filter_text_arg(e, call, 1, "matching_parameter", "", &how, err);
	if (r < 0)
		return r;
	while (k.how < HF_COUNT(hows) && how.n > 0 && (hows[k.how] == NULL || !hf_str_is(how, hows[k.how])))
		k.how++;
	if (k.how == HF_COUNT(hows))
		return hf_fail(err, HF_E_TEMPLATE,
			"value of matching_parameter must be one of: starts_with, ends_with, regex, got: %s",
			how.p);
	if (input->type != HF_LIST && input->type != HF_DICT)
		return hf_fail(err, HF_E_TEMPLATE,
			"Error when using plugin '%s': Input is not valid for this operation", name);
	return work(&k, input, 0, ret);
}

FILTER(keep_keys)
{
	return keys_filter(e, "keep_keys", keep, input, call, ret, err);
}

FILTER(remove_keys)
{
	return keys_filter(e, "remove_keys", remove_from, input, call, ret, err);
}

FILTER(replace_keys)
{
	return keys_filter(e, "replace_keys", replace_in, input, call, ret, err);
}

const struct hf_callable_row hf_ansible_filters_keys[] = {
	{ "keep_keys", keep_keys, 0 },
	{ "remove_keys", remove_keys, 0 },
	{ "replace_keys", replace_keys, 0 },
	{ 0 },
};
