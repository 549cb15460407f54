/* lib/engine/jmespath_search.c - a tree applied to a value; see jmespath.h. */
#include "lib/engine/jmespath_internal.h"

static struct hf_value *null_value(struct jmespath_search *s)
{
	return hf_value_null(s->arena);
}

bool jmespath_false(const struct hf_value *v)
{
	switch ((enum hf_type)v->type) {
	case HF_NULL:
		return true;
	case HF_BOOL:
		return !v->u.boolean;
	case HF_STRING:
		return v->u.string.n == 0;
	case HF_LIST:
	case HF_TUPLE:
		return hf_list_len(v) == 0;
	case HF_DICT:
		return hf_dict_len(v) == 0;
	default:
		return false;
	}
}

static bool is_number(const struct hf_value *v)
{
	return v->type == HF_INT || v->type == HF_FLOAT || v->type == HF_BIGINT;
}

static int compare(struct jmespath_search *s, const struct jmespath_node *n, const struct hf_value *x,
	const struct hf_value *y, struct hf_value **ret)
{
	bool same = (x->type == HF_BOOL) == (y->type == HF_BOOL) && hf_value_equal(x, y);
	if (n->compare == JMES_EQ || n->compare == JMES_NE) {
		*ret = hf_value_bool(s->arena, same == (n->compare == JMES_EQ));
		return 0;
	}
	*ret = null_value(s);
	bool numbers = is_number(x) && is_number(y), texts = x->type == HF_STRING && y->type == HF_STRING;
	if (!numbers && !texts)
		return 0;
	double a = x->type == HF_INT ? (double)x->u.integer : x->u.real,
	       b = y->type == HF_INT ? (double)y->u.integer : y->u.real;
	int order = texts ? hf_str_compare(x->u.string, y->u.string) : a < b ? -1 : a > b;
	bool yes = n->compare == JMES_LT   ? order < 0
		   : n->compare == JMES_LE ? order <= 0
		   : n->compare == JMES_GT ? order > 0
					   : order >= 0;
	*ret = hf_value_bool(s->arena, yes);
	return 0;
}

static int64_t slice_bound(int64_t given, int64_t length, int64_t step)
{
	if (given < 0) {
		given += length;
		return given < 0 ? (step < 0 ? -1 : 0) : given;
	}
	return given >= length ? (step < 0 ? length - 1 : length) : given;
}

static int slice(struct jmespath_search *s, const struct jmespath_node *n, const struct hf_value *v,
	struct hf_value **ret)
{
	*ret = null_value(s);
	if (!hf_is_sequence(v))
		return 0;
	int64_t length = (int64_t)hf_list_len(v), step = n->given[2] ? n->number[2] : 1;
	if (step == 0)
		return hf_fail(s->err, HF_E_TEMPLATE, "JMESPath: a slice with step 0");
	int64_t from = n->given[0] ? slice_bound(n->number[0], length, step) : step < 0 ? length - 1 : 0;
	int64_t to = n->given[1] ? slice_bound(n->number[1], length, step) : step < 0 ? -1 : length;
	*ret = hf_value_list(s->arena);
	for (int64_t i = from; step > 0 ? i < to : i > to; i += step)
		hf_list_append(*ret, hf_list_at(v, (size_t)i));
	return 0;
}

static int project(struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *base,
	struct hf_value **ret)
{
	struct hf_value *out = hf_value_list(s->arena), *item = NULL;
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(base); i++) {
		if (n->kind == JMES_FILTER) {
			r = jmespath_visit(s, n->condition, hf_list_at(base, i), &item);
			if (r < 0 || jmespath_false(item))
				continue;
		}
		r = jmespath_visit(s, n->right, hf_list_at(base, i), &item);
		if (r == 0 && item->type != HF_NULL)
			hf_list_append(out, item);
	}
	*ret = out;
	return r;
}

static int projection(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret)
{
	struct hf_value *base = NULL;
	int r = jmespath_visit(s, n->left, v, &base);
	if (r < 0)
		return r;
	if (n->kind == JMES_PROJECT_VALUES && base->type == HF_DICT) {
		struct hf_value *values = hf_value_list(s->arena);
		HF_DICT_EACH (base, e)
			hf_list_append(values, hf_entry_value(e));
		return project(s, n, values, ret);
	}
	if (n->kind == JMES_PROJECT_VALUES || !hf_is_sequence(base)) {
		*ret = null_value(s);
		return 0;
	}
	return project(s, n, base, ret);
}

static int flatten(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret)
{
	struct hf_value *base = NULL, *out = hf_value_list(s->arena);
	int r = jmespath_visit(s, n->left, v, &base);
	if (r < 0)
		return r;
	*ret = null_value(s);
	if (!hf_is_sequence(base))
		return 0;
	for (size_t i = 0; i < hf_list_len(base); i++) {
		struct hf_value *item = hf_list_at(base, i);
		if (!hf_is_sequence(item))
			hf_list_append(out, item);
		else
			for (size_t k = 0; k < hf_list_len(item); k++)
				hf_list_append(out, hf_list_at(item, k));
	}
	*ret = out;
	return 0;
}

static int select_parts(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret)
{
	struct hf_value *out = n->kind == JMES_LIST ? hf_value_list(s->arena) : hf_value_dict(s->arena),
			*item = NULL;
	if (v->type == HF_NULL) {
		*ret = v;
		return 0;
	}
	for (size_t i = 0; i < n->items.n; i++) {
		int r = jmespath_visit(s, n->items.at[i], v, &item);
		if (r < 0)
			return r;
		if (n->kind == JMES_LIST)
			hf_list_append(out, item);
		else
			hf_dict_set(out, n->keys.at[i], item);
	}
	*ret = out;
	return 0;
}

static void leaf(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret)
{
	struct hf_value key = { .type = HF_STRING, .u.string = n->name }, *found = NULL;
	if (n->kind == JMES_FIELD && v->type == HF_DICT) {
		found = hf_dict_find(v, &key);
	} else if (n->kind == JMES_INDEX && hf_is_sequence(v)) {
		int64_t length = (int64_t)hf_list_len(v),
			i = n->number[0] < 0 ? n->number[0] + length : n->number[0];
		found = i >= 0 && i < length ? hf_list_at(v, (size_t)i) : NULL;
	}
	*ret = found == NULL ? null_value(s) : found;
}

static int logic(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret)
{
	struct hf_value *left = NULL, *right = NULL;
	int r = jmespath_visit(s, n->left, v, &left);
	if (r < 0)
		return r;
	switch (n->kind) {
	case JMES_NOT:
		*ret = hf_value_bool(s->arena, jmespath_false(left));
		return 0;
	case JMES_SUB:
	case JMES_PIPE:
		return jmespath_visit(s, n->right, left, ret);
	case JMES_COMPARE:
		r = jmespath_visit(s, n->right, v, &right);
		return r < 0 ? r : compare(s, n, left, right, ret);
	default:
		if (jmespath_false(left) == (n->kind == JMES_OR))
			return jmespath_visit(s, n->right, v, ret);
		*ret = left;
		return 0;
	}
}

static int visit(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret)
{
	switch (n->kind) {
	case JMES_IDENTITY:
		*ret = v;
		return 0;
	case JMES_FIELD:
	case JMES_INDEX:
		leaf(s, n, v, ret);
		return 0;
	case JMES_LITERAL:
		*ret = n->literal;
		return 0;
	case JMES_SLICE:
		return slice(s, n, v, ret);
	case JMES_SUB:
	case JMES_PIPE:
	case JMES_OR:
	case JMES_AND:
	case JMES_NOT:
	case JMES_COMPARE:
		return logic(s, n, v, ret);
	case JMES_FLATTEN:
		return flatten(s, n, v, ret);
	case JMES_PROJECT:
	case JMES_PROJECT_VALUES:
	case JMES_FILTER:
		return projection(s, n, v, ret);
	case JMES_LIST:
	case JMES_HASH:
		return select_parts(s, n, v, ret);
	case JMES_CALL:
		return jmespath_call(s, n, v, ret);
	case JMES_EXPRESSION:
		break;
	}
	return hf_fail(s->err, HF_E_TEMPLATE, "JMESPath: &expression outside a function's arguments");
}

int jmespath_visit(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret)
{
	if (++s->steps > HF_JMESPATH_STEPS_MAX || s->depth > HF_JMESPATH_DEPTH_MAX * 4)
		return hf_fail(s->err, HF_E_LIMIT, "JMESPath: more than %d steps", HF_JMESPATH_STEPS_MAX);
	s->depth++;
	int r = visit(s, n, v, ret);
	s->depth--;
	return r;
}

int hf_jmespath_search(struct hf_arena *a, const struct jmespath_node *expression, struct hf_value *v,
	struct hf_value **ret, struct hf_error *err)
{
	struct jmespath_search s = { .arena = a, .err = err };
	return jmespath_visit(&s, expression, v, ret);
}
