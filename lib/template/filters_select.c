/* lib/template/filters_select.c - filters that pick, order and group items; declared in builtin.h. */
#include "lib/base/scope.h"
#include "lib/template/builtin.h"
#include "lib/template/filters.h"
#include "lib/template/text.h"

static int attribute_step(struct hf_eval *e, struct hf_value *v, struct hf_str part, struct hf_value **ret,
	struct hf_error *err)
{
	int64_t index;
	struct hf_value *key;
	if (part.n > 0 && part.p[0] >= '0' && part.p[0] <= '9' && hf_str_to_int64(part, &index))
		key = hf_value_int(e->arena, index);
	else
		key = hf_value_str(e->arena, part);
	return hf_eval_item(e, v, key, ret, err);
}

int hf_filter_attribute(struct hf_eval *e, struct hf_value *v, struct hf_value *attribute,
	struct hf_value *fallback, struct hf_value **ret, struct hf_error *err)
{
	int r = 0;
	if (attribute->type == HF_STRING) {
		struct hf_str rest = attribute->u.string, part;
		while (r == 0 && hf_str_split(&rest, '.', &part)) {
			r = attribute_step(e, v, part, &v, err);
			if (r == 0 && fallback != NULL && v->type == HF_UNDEFINED)
				v = fallback;
		}
	} else {
		r = hf_eval_item(e, v, attribute, &v, err);
		if (r == 0 && fallback != NULL && v->type == HF_UNDEFINED)
			v = fallback;
	}
	if (r == 0)
		*ret = v;
	return r;
}

struct hf_value *hf_filter_fold_case(struct hf_eval *e, struct hf_value *v)
{
	if (v->type != HF_STRING)
		return v;
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	hf_text_lower(&out, v->u.string);
	return hf_value_borrow(e->arena, hf_buf_dup(e->arena, &out));
}

static int merge(struct hf_eval *e, struct hf_value **const from[2], struct hf_value **const to[2],
	size_t left, size_t middle, size_t right, bool reverse, struct hf_error *err)
{
	size_t i = left, j = middle;
	for (size_t k = left; k < right; k++) {
		bool take_right = i >= middle;
		if (!take_right && j < right) {
			int order, r = hf_eval_compare(e, from[0][j], from[0][i], &order, err);
			if (r < 0)
				return r;
			take_right = reverse ? order > 0 : order < 0;
		}
		size_t source = take_right ? j++ : i++;
		to[0][k] = from[0][source];
		to[1][k] = from[1][source];
	}
	return hf_eval_steps(e, right - left, err);
}

int hf_filter_sort(struct hf_eval *e, struct hf_value **items, struct hf_value **keys, size_t n, bool reverse,
	struct hf_error *err)
{
	struct hf_value **scratch[2] = { hf_new_array(e->arena, n, struct hf_value *),
		hf_new_array(e->arena, n, struct hf_value *) };
	struct hf_value **now[2] = { keys, items };
	struct hf_value ***from = now, ***to = scratch;
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t left = 0; left < n; left += 2 * width) {
			size_t middle = left + width < n ? left + width : n,
			       right = left + 2 * width < n ? left + 2 * width : n;
			int r = merge(e, from, to, left, middle, right, reverse, err);
			if (r < 0)
				return r;
		}
		struct hf_value ***other = from;
		from = to;
		to = other;
	}
	if (from != now && n > 0) {
		memcpy(keys, from[0], n * sizeof(*keys));
		memcpy(items, from[1], n * sizeof(*items));
	}
	return 0;
}

/* attribute may be NULL, one path, or several with commas between, whose values then are a list. */
static int sort_key(struct hf_eval *e, struct hf_value *v, struct hf_value *attribute, bool cased,
	bool several, struct hf_value **ret, struct hf_error *err)
{
	int r = 0;
	if (several && attribute != NULL && attribute->type == HF_STRING &&
		memchr(attribute->u.string.p, ',', attribute->u.string.n) != NULL) {
		struct hf_value *keys = hf_value_list(e->arena), *key;
		struct hf_str rest = attribute->u.string, part;
		while (r == 0 && hf_str_split(&rest, ',', &part)) {
			r = hf_filter_attribute(e, v, hf_value_str(e->arena, part), NULL, &key, err);
			if (r == 0)
				hf_list_append(keys, cased ? key : hf_filter_fold_case(e, key));
		}
		*ret = keys;
		return r;
	}
	if (attribute != NULL && attribute->type != HF_NULL)
		r = hf_filter_attribute(e, v, attribute, NULL, &v, err);
	v = r < 0 || cased ? v : hf_filter_fold_case(e, v);
	*ret = v;
	if (several) { /* a list of one: equal keys are never ordered, so that they need not be orderable */
		*ret = hf_value_list(e->arena);
		hf_list_append(*ret, v);
	}
	return r;
}

static int keys_of(struct hf_eval *e, const struct hf_value *list, struct hf_value *attribute, bool cased,
	bool several, struct hf_value ***ret, struct hf_error *err)
{
	size_t n = hf_list_len(list);
	struct hf_value **keys = hf_new_array(e->arena, n, struct hf_value *);
	int r = hf_eval_steps(e, n, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = sort_key(e, hf_list_at(list, i), attribute, cased, several, &keys[i], err);
	*ret = keys;
	return r;
}

FILTER(sort)
{
	static const char *const names[] = { "reverse", "case_sensitive", "attribute", NULL };
	bool reverse = false, cased = false;
	struct hf_value *list, **keys;
	int r = hf_call_check(call, "sort", 3, names, err);
	if (r == 0)
		r = hf_filter_reverse(call, 0, &reverse, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 1, "case_sensitive", false, &cased, err);
	if (r == 0)
		r = hf_eval_list(e, input, &list, err);
	if (r == 0)
		r = keys_of(e, list, hf_call_arg(call, 2, "attribute"), cased, true, &keys, err);
	if (r == 0)
		r = hf_filter_sort(e, list->u.list->at, keys, hf_list_len(list), reverse, err);
	if (r == 0)
		*ret = list;
	return r;
}

FILTER(unique)
{
	static const char *const names[] = { "case_sensitive", "attribute", NULL };
	bool cased = false;
	struct hf_value *list, **keys;
	int r = hf_call_check(call, "unique", 2, names, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 0, "case_sensitive", false, &cased, err);
	if (r == 0)
		r = hf_eval_list(e, input, &list, err);
	if (r == 0)
		r = keys_of(e, list, hf_call_arg(call, 1, "attribute"), cased, false, &keys, err);
	if (r < 0)
		return r;
	struct hf_value *seen = hf_value_set(e->arena), *out = hf_value_list(e->arena);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		if (undefined_strict(e, keys[i]))
			return hf_eval_undefined(e, keys[i], err);
		if (!hf_value_hashable(keys[i]) && keys[i]->type != HF_UNDEFINED)
			return hf_raise(err, "unhashable type: '%s'", hf_type_name(keys[i]));
		if (hf_map_find(&seen->u.dict->map, keys[i]) != NULL)
			continue;
		hf_dict_set(seen, keys[i], NULL);
		hf_list_append(out, hf_list_at(list, i));
	}
	*ret = hf_iterator_value(e, out);
	return 0;
}

static int extreme(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, int sign,
	struct hf_value **ret, struct hf_error *err)
{
	static const char *const names[] = { "case_sensitive", "attribute", NULL };
	bool cased = false;
	struct hf_value *list, **keys;
	int r = hf_call_check(call, sign > 0 ? "max" : "min", 2, names, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 0, "case_sensitive", false, &cased, err);
	if (r == 0)
		r = hf_eval_sequence(e, input, &list, err);
	if (r == 0)
		r = keys_of(e, list, hf_call_arg(call, 1, "attribute"), cased, false, &keys, err);
	if (r < 0)
		return r;
	if (hf_list_len(list) == 0) {
		*ret = hf_value_undefined(e->arena, "No aggregated item, sequence was empty.");
		return 0;
	}
	size_t best = 0;
	for (size_t i = 1; i < hf_list_len(list); i++) {
		int order;
		r = hf_eval_compare(e, keys[i], keys[best], &order, err);
		if (r < 0)
			return r;
		if (order * sign > 0)
			best = i;
	}
	*ret = hf_list_at(list, best);
	return 0;
}

FILTER(min)
{
	return extreme(e, input, call, -1, ret, err);
}

FILTER(max)
{
	return extreme(e, input, call, 1, ret, err);
}

struct grouping {
	struct hf_value *attribute, *fallback;
	bool cased;
};

static int group_key(struct hf_eval *e, const struct grouping *g, struct hf_value *item,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *fallback = g->fallback != NULL && g->fallback->type != HF_NULL ? g->fallback : NULL;
	return hf_filter_attribute(e, item, g->attribute, fallback, ret, err);
}

/* Sorted items to groups; what stands for a group is the key of its first item as it is. */
static int groups_of(struct hf_eval *e, const struct grouping *g, const struct hf_value *list,
	struct hf_value *const *keys, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *groups = hf_value_list(e->arena), *members = NULL;
	for (size_t i = 0; i < hf_list_len(list); i++) {
		bool same = false;
		int r = i == 0 ? 0 : hf_eval_equal(e, keys[i], keys[i - 1], &same, err);
		if (r == 0 && !same) {
			struct hf_value *group = hf_value_tuple(e->arena), *first;
			r = group_key(e, g, hf_list_at(list, i), &first, err);
			if (r < 0)
				return r;
			group->flags = HF_TUPLE_GROUP;
			members = hf_value_list(e->arena);
			hf_list_append(group, first);
			hf_list_append(group, members);
			hf_list_append(groups, group);
		}
		if (r < 0)
			return r;
		hf_list_append(members, hf_list_at(list, i));
	}
	*ret = groups;
	return 0;
}

FILTER(groupby)
{
	struct grouping g = { 0 };
	struct hf_value *list;
	const struct filter_arg args[] = { { "attribute", ARG_VALUE, &g.attribute },
		{ "default", ARG_VALUE, &g.fallback }, { "case_sensitive", ARG_BOOL, &g.cased } };
	int r = hf_filter_args(e, call, "groupby", args, HF_COUNT(args), err);
	if (r == 0 && g.attribute == NULL)
		return hf_raise(err, "groupby() missing 1 required positional argument: 'attribute'");
	if (r == 0)
		r = hf_eval_list(e, input, &list, err);
	if (r < 0)
		return r;
	size_t n = hf_list_len(list);
	struct hf_value **keys = hf_new_array(e->arena, n, struct hf_value *);
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = group_key(e, &g, hf_list_at(list, i), &keys[i], err);
		if (r == 0 && !g.cased)
			keys[i] = hf_filter_fold_case(e, keys[i]);
	}
	if (r == 0)
		r = hf_filter_sort(e, list->u.list->at, keys, n, false, err);
	return r < 0 ? r : groups_of(e, &g, list, keys, ret, err);
}

/* What map, select and their like do to each item. */
static int map_attribute(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *attribute = hf_dict_get(call->kwargs, "attribute"),
			*fallback = hf_dict_get(call->kwargs, "default");
	struct hf_value *items, *out = hf_value_list(e->arena);
	HF_DICT_EACH (call->kwargs, entry) {
		struct hf_str name = hf_entry_key(entry)->u.string;
		if (!hf_str_is(name, "attribute") && !hf_str_is(name, "default"))
			return hf_raise(err, "Unexpected keyword argument '%s'", name.p);
	}
	int r = hf_eval_sequence(e, input, &items, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++) {
		struct hf_value *v;
		r = hf_filter_attribute(e, hf_list_at(items, i), attribute, fallback, &v, err);
		if (r == 0)
			hf_list_append(out, v);
		if (r == 0)
			r = hf_eval_steps(e, 1, err);
	}
	*ret = out;
	return r;
}

static int filter_name(struct hf_eval *e, struct hf_value *v, struct hf_str *ret, struct hf_error *err)
{
	if (v->type != HF_STRING)
		return v->type == HF_UNDEFINED
			       ? hf_eval_undefined(e, v, err)
			       : hf_raise(err, "the name of a filter or test is not a string");
	*ret = v->u.string;
	return 0;
}

/* Falsy input gives nothing, whatever the arguments. */
static int nothing(struct hf_eval *e, struct hf_value *input, bool *ret_done, struct hf_value **ret,
	struct hf_error *err)
{
	bool truth;
	int r = hf_eval_truth(e, input, &truth, err);
	*ret_done = r < 0 || !truth;
	if (r == 0 && !truth)
		*ret = hf_iterator_value(e, hf_value_list(e->arena));
	return r;
}

FILTER(map)
{
	struct hf_value *items, *out;
	bool done;
	int r = nothing(e, input, &done, ret, err);
	if (done)
		return r;
	if (call->n_args == 0 && call->kwargs != NULL && hf_dict_get(call->kwargs, "attribute") != NULL) {
		r = map_attribute(e, input, call, &out, err);
		if (r == 0)
			*ret = hf_iterator_value(e, out);
		return r;
	}
	struct hf_str name;
	if (call->n_args == 0)
		return hf_raise(err, "map requires a filter argument");
	struct hf_call inner = { call->args + 1, call->n_args - 1, call->kwargs, call->pos };
	out = hf_value_list(e->arena);
	r = filter_name(e, call->args[0], &name, err);
	if (r == 0)
		r = hf_eval_sequence(e, input, &items, err);
	if (r == 0 && hf_builtin_filter(e->env, name) == NULL)
		return hf_raise(err, "No filter named '%.*s'.", HF_STR_ARG(name));
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++) {
		struct hf_value *v;
		r = hf_eval_filter(e, name, hf_list_at(items, i), &inner, &v, err);
		if (r == 0)
			hf_list_append(out, v);
	}
	if (r == 0)
		*ret = hf_iterator_value(e, out);
	return r;
}

struct selection {
	struct hf_value *attribute; /* NULL: the item itself is tested */
	struct hf_str test;         /* .p NULL: truth */
	struct hf_call arguments;   /* of the test */
	bool wanted;
};

static int selected(
	struct hf_eval *e, const struct selection *s, struct hf_value *item, bool *ret, struct hf_error *err)
{
	bool holds = false;
	int r = s->attribute == NULL ? 0 : hf_filter_attribute(e, item, s->attribute, NULL, &item, err);
	if (r == 0)
		r = s->test.p != NULL ? hf_eval_test(e, s->test, item, &s->arguments, &holds, err)
				      : hf_eval_truth(e, item, &holds, err);
	*ret = holds == s->wanted;
	return r < 0 ? r : hf_eval_steps(e, 1, err);
}

static int selection_read(struct hf_eval *e, const struct hf_call *call, bool by_attribute,
	struct selection *s, struct hf_error *err)
{
	size_t skip = by_attribute ? 1 : 0;
	if (by_attribute && call->n_args == 0)
		return hf_raise(err, "Missing parameter for attribute name");
	s->attribute = by_attribute ? call->args[0] : NULL;
	if (call->n_args <= skip)
		return 0;
	s->arguments =
		(struct hf_call){ call->args + skip + 1, call->n_args - skip - 1, call->kwargs, call->pos };
	int r = filter_name(e, call->args[skip], &s->test, err);
	if (r == 0 && hf_builtin_test(e->env, s->test) == NULL)
		return hf_raise(err, "No test named '%.*s'.", HF_STR_ARG(s->test));
	return r;
}

static int select_items(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	bool by_attribute, bool wanted, struct hf_value **ret, struct hf_error *err)
{
	struct selection s = { .wanted = wanted };
	struct hf_value *items, *out = hf_value_list(e->arena);
	bool done;
	int r = nothing(e, input, &done, ret, err);
	if (done)
		return r;
	r = selection_read(e, call, by_attribute, &s, err);
	if (r == 0)
		r = hf_eval_sequence(e, input, &items, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++) {
		bool keep = false;
		r = selected(e, &s, hf_list_at(items, i), &keep, err);
		if (r == 0 && keep)
			hf_list_append(out, hf_list_at(items, i));
	}
	if (r == 0)
		*ret = hf_iterator_value(e, out);
	return r;
}

FILTER(select)
{
	return select_items(e, input, call, false, true, ret, err);
}

FILTER(reject)
{
	return select_items(e, input, call, false, false, ret, err);
}

FILTER(selectattr)
{
	return select_items(e, input, call, true, true, ret, err);
}

FILTER(rejectattr)
{
	return select_items(e, input, call, true, false, ret, err);
}

const struct hf_callable_row hf_filters_select[] = {
	{ "sort", filter_sort, 0 },
	{ "unique", filter_unique, 0 },
	{ "min", filter_min, 0 },
	{ "max", filter_max, 0 },
	{ "groupby", filter_groupby, 0 },
	{ "map", filter_map, HF_TAKES_UNDEFINED },
	{ "select", filter_select, HF_TAKES_UNDEFINED },
	{ "reject", filter_reject, HF_TAKES_UNDEFINED },
	{ "selectattr", filter_selectattr, HF_TAKES_UNDEFINED },
	{ "rejectattr", filter_rejectattr, HF_TAKES_UNDEFINED },
	{ NULL, NULL, 0 },
};
