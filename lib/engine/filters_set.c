/* lib/engine/filters_set.c - unique, union, intersect, difference, symmetric_difference; order is that of
 * first sight. */
#include "lib/engine/filters.h"

/* A collection that answers "was it here already" for anything; hashed where it can be. */
struct seen {
	struct hf_value *hashed, *others;
};

static struct seen seen_new(struct hf_arena *a)
{
	return (struct seen){ hf_value_set(a), hf_value_list(a) };
}

static bool seen_has(const struct seen *s, const struct hf_value *v)
{
	return hf_value_hashable(v) ? hf_map_find(&s->hashed->u.dict->map, v) != NULL
				    : filter_contains(s->others, v);
}

static void seen_add(struct seen *s, struct hf_value *v)
{
	if (hf_value_hashable(v))
		hf_dict_set(s->hashed, v, NULL);
	else
		hf_list_append(s->others, v);
}

static struct seen seen_all(struct hf_arena *a, const struct hf_value *list)
{
	struct seen s = seen_new(a);
	for (size_t i = 0; i < hf_list_len(list); i++)
		seen_add(&s, hf_list_at(list, i));
	return s;
}

/* Items of list that are (wanted true) or are not in other, each once, appended to out. */
static void keep(struct hf_arena *a, const struct hf_value *list, const struct seen *other, bool wanted,
	struct seen *done, struct hf_value *out)
{
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *v = hf_list_at(list, i);
		if ((other != NULL && seen_has(other, v) != wanted) || seen_has(done, v))
			continue;
		seen_add(done, v);
		hf_list_append(out, v);
	}
}

/* Where something cannot be hashed, Python asks `x in other` of whatever other is. */
static int keep_asking(struct hf_eval *e, const struct hf_value *list, struct hf_value *other, bool wanted,
	struct hf_value *out, struct hf_error *err)
{
	struct seen done = seen_new(hf_eval_arena(e));
	struct hf_value *args[] = { other };
	const struct hf_call call = { .args = args, .n_args = 1 };
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *v = hf_list_at(list, i);
		bool inside = false;
		int r = hf_eval_test(e, HF_STR("in"), v, &call, &inside, err);
		if (r < 0)
			return r;
		if (inside != wanted || seen_has(&done, v))
			continue;
		seen_add(&done, v);
		hf_list_append(out, v);
	}
	return 0;
}

static bool all_hashable(const struct hf_value *list)
{
	for (size_t i = 0; i < hf_list_len(list); i++)
		if (!hf_value_hashable(hf_list_at(list, i)))
			return false;
	return true;
}

enum set_operation { SET_UNION, SET_INTERSECT, SET_DIFFERENCE, SET_SYMMETRIC };

static int set_filter(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	enum set_operation what, struct hf_value **ret, struct hf_error *err)
{
	FILTER_ARGS(1, "b");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *left = NULL, *right = hf_call_arg(call, 0, "b"), *other = right;
	if (right == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "missing the second list");
	int r = filter_items(e, input, &left, err);
	if (r == 0)
		r = filter_items(e, right, &right, err);
	if (r < 0)
		return r;
	bool plain = all_hashable(left) && all_hashable(right);
	if (!plain && (what == SET_INTERSECT || what == SET_DIFFERENCE)) {
		*ret = hf_value_list(a);
		return keep_asking(e, left, other, what == SET_INTERSECT, *ret, err);
	}
	if (!plain && input->type != other->type)
		return hf_fail(err, HF_E_TEMPLATE, "can only concatenate %s (not \"%s\") to %s",
			hf_type_name(input), hf_type_name(other), hf_type_name(input));
	struct seen in_left = seen_all(a, left), in_right = seen_all(a, right), done = seen_new(a);
	*ret = hf_value_list(a);
	keep(a, left, what == SET_UNION ? NULL : &in_right, what == SET_INTERSECT, &done, *ret);
	if (what == SET_UNION)
		keep(a, right, NULL, false, &done, *ret);
	if (what == SET_SYMMETRIC)
		keep(a, right, &in_left, false, &done, *ret);
	return 0;
}

FILTER(union_filter)
{
	return set_filter(e, input, call, SET_UNION, ret, err);
}

FILTER(intersect)
{
	return set_filter(e, input, call, SET_INTERSECT, ret, err);
}

FILTER(difference)
{
	return set_filter(e, input, call, SET_DIFFERENCE, ret, err);
}

FILTER(symmetric_difference)
{
	return set_filter(e, input, call, SET_SYMMETRIC, ret, err);
}

static int attribute_path(struct hf_eval *e, struct hf_value *v, const struct hf_value *attribute,
	struct hf_value **ret, struct hf_error *err)
{
	if (attribute == NULL) {
		*ret = v;
		return 0;
	}
	if (attribute->type != HF_STRING)
		return hf_eval_item(e, v, (struct hf_value *)(uintptr_t)attribute, ret, err);
	struct hf_str rest = attribute->u.string, part;
	int r = 0;
	while (r == 0 && hf_str_split(&rest, '.', &part)) {
		int64_t index;
		struct hf_value *key = hf_str_to_int64(part, &index) ? hf_value_int(hf_eval_arena(e), index)
								     : hf_value_str(hf_eval_arena(e), part);
		r = hf_eval_item(e, v, key, &v, err);
	}
	if (r == 0)
		*ret = v;
	return r;
}

struct uniqueness {
	struct hf_value *attribute;
	bool case_sensitive, unhashable;
};

/* What two items are compared by. */
static int unique_key(struct hf_eval *e, const struct uniqueness *u, struct hf_value *v,
	struct hf_value **ret, struct hf_error *err)
{
	int r = attribute_path(e, v, u->attribute, ret, err);
	if (r < 0)
		return r;
	if ((*ret)->type == HF_UNDEFINED)
		return hf_eval_undefined(e, *ret, err);
	if (u->attribute != NULL && !hf_value_hashable(*ret))
		return hf_fail(err, HF_E_TEMPLATE, "unhashable type: '%s'", hf_type_name(*ret));
	if (!u->case_sensitive && !u->unhashable && (*ret)->type == HF_STRING)
		return hf_eval_filter(e, HF_STR("lower"), *ret, &(struct hf_call){ 0 }, ret, err);
	return 0;
}

FILTER(unique)
{
	FILTER_ARGS(2, "case_sensitive", "attribute");
	struct hf_value *list = NULL, *key = NULL;
	const struct hf_value *exact = filter_arg(call, 0, "case_sensitive");
	struct uniqueness u = { .attribute = filter_arg(call, 1, "attribute") };
	u.case_sensitive = exact != NULL && hf_value_truthy(exact);
	int r = filter_items(e, input, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < hf_list_len(list) && u.attribute == NULL; i++)
		u.unhashable |= !hf_value_hashable(hf_list_at(list, i));
	if (u.unhashable && exact != NULL && !u.case_sensitive)
		return hf_fail(err, HF_E_TEMPLATE,
			"Ansible's unique filter does not support case_sensitive=False for this list");
	struct seen done = seen_new(hf_eval_arena(e));
	*ret = hf_value_list(hf_eval_arena(e));
	for (size_t i = 0; i < hf_list_len(list); i++) {
		r = unique_key(e, &u, hf_list_at(list, i), &key, err);
		if (r < 0)
			return r;
		if (seen_has(&done, key))
			continue;
		seen_add(&done, key);
		hf_list_append(*ret, hf_list_at(list, i));
	}
	return 0;
}

const struct hf_callable_row hf_ansible_filters_set[] = {
	{ "unique", unique, 0 },
	{ "union", union_filter, 0 },
	{ "intersect", intersect, 0 },
	{ "difference", difference, 0 },
	{ "symmetric_difference", symmetric_difference, 0 },
	{ 0 },
};
