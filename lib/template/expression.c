#include "lib/base/scope.h"
#include "lib/template/arith.h"
#include "lib/template/eval.h"

static int eval_list(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *list = n->kind == N_TUPLE ? hf_value_tuple(e->arena) : hf_value_list(e->arena);
	for (size_t i = 0; i < n->u.list.n; i++) {
		struct hf_value *item;
		int r = hf_eval_node(e, n->u.list.at[i], &item, err);
		if (r < 0)
			return r;
		hf_list_append(list, item);
	}
	*ret = list;
	return 0;
}

static int eval_dict(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *dict = hf_value_dict(e->arena);
	for (size_t i = 0; i + 1 < n->u.list.n; i += 2) {
		struct hf_value *key, *value;
		int r = hf_eval_node(e, n->u.list.at[i], &key, err);
		if (r == 0)
			r = hf_eval_node(e, n->u.list.at[i + 1], &value, err);
		if (r < 0)
			return r;
		if (!hf_value_hashable(key) && (key->type != HF_UNDEFINED || eval_strict(e)))
			return key->type == HF_UNDEFINED
				       ? hf_eval_undefined(e, key, err)
				       : hf_raise(err, "unhashable type: '%s'", hf_type_name(key));
		hf_dict_set(dict, key, value);
	}
	*ret = dict;
	return 0;
}

static int eval_not(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	bool truth;
	int r = hf_eval_condition(e, n->u.pair.left, &truth, err);
	if (r == 0)
		*ret = hf_value_bool(e->arena, !truth);
	return r;
}

static int eval_sign(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *v;
	int r = hf_eval_node(e, n->u.pair.left, &v, err);
	if (r < 0)
		return r;
	if (v->type == HF_UNDEFINED)
		return hf_eval_undefined(e, v, err);
	if (!hf_arith_is_number(v))
		return hf_raise(err, "bad operand type for unary %c: '%s'", n->kind == N_NEGATE ? '-' : '+',
			hf_type_name(v));
	if (n->kind == N_NEGATE)
		*ret = hf_value_taint(e->arena, hf_arith_negate(e->arena, v), v);
	else
		*ret = v->type == HF_BOOL ? hf_value_int(e->arena, v->u.boolean) : v;
	return 0;
}

static int eval_arith(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *x, *y;
	int r = hf_eval_node(e, n->u.pair.left, &x, err);
	if (r == 0)
		r = hf_eval_node(e, n->u.pair.right, &y, err);
	if (r < 0)
		return r;
	int64_t sum;
	if (x->type == HF_INT && y->type == HF_INT && (x->flags | y->flags) == 0 && n->op <= OP_SUB &&
		!(n->op == OP_ADD ? __builtin_add_overflow(x->u.integer, y->u.integer, &sum)
				  : __builtin_sub_overflow(x->u.integer, y->u.integer, &sum))) {
		*ret = hf_value_int(e->arena, sum);
		return 0;
	}
	return hf_arith(e, (enum arith_op)n->op, x, y, ret, err);
}

/* a ~ b: text of both; as soon as one is Markup (or autoescape is on) the others are escaped. */
static int eval_concat(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	size_t count = n->u.list.n;
	struct hf_value **items = hf_new_array(e->arena, count, struct hf_value *);
	unsigned flags = 0;
	bool markup = false;
	for (size_t i = 0; i < count; i++) {
		int r = hf_eval_node(e, n->u.list.at[i], &items[i], err);
		if (r < 0)
			return r;
		flags |= hf_value_marks(items[i]);
		markup |= (items[i]->flags & HF_VALUE_MARKUP) != 0;
	}
	markup &= e->autoescape;
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		struct hf_str text;
		int r = markup ? hf_eval_escaped(e, items[i], &text, err)
			       : hf_eval_text(e, items[i], &text, err);
		if (r < 0)
			return r;
		hf_buf_add(&out, text);
	}
	return hf_buf_value(e, &out, flags | (markup ? HF_VALUE_MARKUP : 0), ret, err);
}

static int order_holds(struct hf_eval *e, enum compare_op op, struct hf_value *x, struct hf_value *y,
	bool *ret, struct hf_error *err)
{
	double p = x->type == HF_FLOAT ? x->u.real : 0, q = y->type == HF_FLOAT ? y->u.real : 0;
	if ((p != p || q != q) && hf_arith_is_number(x) && hf_arith_is_number(y)) {
		*ret = false; /* nothing is less than, equal to or greater than nan */
		return 0;
	}
	int order;
	int r = hf_eval_compare(e, x, y, &order, err);
	if (r < 0)
		return r;
	*ret = op == CMP_LT ? order < 0 : op == CMP_LE ? order <= 0 : op == CMP_GT ? order > 0 : order >= 0;
	return 0;
}

static int compare_holds(struct hf_eval *e, enum compare_op op, struct hf_value *x, struct hf_value *y,
	bool *ret, struct hf_error *err)
{
	int r;
	switch (op) {
	case CMP_EQ:
		return hf_eval_equal(e, x, y, ret, err);
	case CMP_NE:
		r = hf_eval_equal(e, x, y, ret, err);
		if (r == 0)
			*ret = !*ret;
		return r;
	case CMP_IN:
		return hf_eval_contains(e, y, x, ret, err);
	case CMP_NOT_IN:
		r = hf_eval_contains(e, y, x, ret, err);
		if (r == 0)
			*ret = !*ret;
		return r;
	case CMP_LT:
	case CMP_LE:
	case CMP_GT:
	case CMP_GE:
		break;
	}
	return order_holds(e, op, x, y, ret, err);
}

static int compare_chain(
	struct hf_eval *e, const struct node *n, bool *ret, unsigned *ret_flags, struct hf_error *err)
{
	struct hf_value *left, *right;
	int r = hf_eval_node(e, n->u.compare.first, &left, err);
	bool holds = true;
	for (size_t i = 0; r == 0 && holds && i < n->u.compare.n; i++) {
		const struct operand *o = &n->u.compare.at[i];
		r = hf_eval_node(e, o->value, &right, err);
		if (r < 0)
			return r;
		*ret_flags |= left->flags | right->flags;
		r = compare_holds(e, o->op, left, right, &holds, err);
		left = right;
	}
	*ret = holds;
	return r;
}

static int eval_compare(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	bool holds = false;
	unsigned flags = 0;
	int r = compare_chain(e, n, &holds, &flags, err);
	if (r < 0)
		return r;
	*ret = hf_value_bool(e->arena, holds);
	(*ret)->flags = (uint8_t)(flags & (HF_VALUE_SECRET | HF_VALUE_UNSAFE));
	return 0;
}

static int eval_logic(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *v;
	bool truth;
	int r = hf_eval_node(e, n->u.pair.left, &v, err);
	if (r == 0)
		r = hf_eval_truth(e, v, &truth, err);
	if (r < 0)
		return r;
	if (truth == (n->kind == N_OR)) {
		*ret = v;
		return 0;
	}
	return hf_eval_node(e, n->u.pair.right, ret, err);
}

static int eval_inline_if(
	struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	bool truth;
	int r = hf_eval_condition(e, n->u.condition.test, &truth, err);
	if (r < 0)
		return r;
	if (truth)
		return hf_eval_node(e, n->u.condition.then, ret, err);
	if (n->u.condition.otherwise != NULL)
		return hf_eval_node(e, n->u.condition.otherwise, ret, err);
	*ret = hf_value_with_flags(e->arena,
		hf_value_undefined(e->arena,
			"the inline if-expression evaluated to false and no else section was defined."),
		HF_UNDEFINED_LENIENT);
	return 0;
}

/* What Jinja2 computes while compiling. Its height is bounded by the parser. */
static bool is_literal(const struct node *n)
{
	if (n->kind == N_ARITH)
		return is_literal(n->u.pair.left) && is_literal(n->u.pair.right);
	if (n->kind == N_LIST || n->kind == N_TUPLE || n->kind == N_DICT || n->kind == N_CONCAT) {
		for (size_t i = 0; i < n->u.list.n; i++)
			if (!is_literal(n->u.list.at[i]))
				return false;
		return true;
	}
	return n->kind == N_CONST;
}

static int eval_slice(struct hf_eval *e, const struct node *object, const struct node *n,
	struct hf_value **ret, struct hf_error *err)
{
	const struct node *parts[3] = { n->u.slice.start, n->u.slice.stop, n->u.slice.step };
	struct hf_value *bounds[3] = { NULL }, *v;
	int r = hf_eval_node(e, object, &v, err);
	for (size_t i = 0; r == 0 && i < HF_COUNT(parts); i++)
		if (parts[i] != NULL)
			r = hf_eval_node(e, parts[i], &bounds[i], err);
	if (r == 0)
		r = hf_slice_value(e, v, bounds, ret, err);
	/* Jinja2 folds slices of literals, and only then forgives one that cannot be taken. */
	if (r == 0 && !is_literal(object) && v->type != HF_UNDEFINED && hf_is(*ret, HF_UNDEFINED))
		return hf_raise(err, "'%s' object is not subscriptable", hf_type_name(v));
	return r;
}

static int eval_item(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	if (n->u.item.index->kind == N_SLICE)
		return eval_slice(e, n->u.item.object, n->u.item.index, ret, err);
	struct hf_value *object, *key;
	int r = hf_eval_node(e, n->u.item.object, &object, err);
	if (r == 0)
		r = hf_eval_node(e, n->u.item.index, &key, err);
	if (r == 0)
		r = hf_eval_item(e, object, key, ret, err);
	return r;
}

static int eval_filter(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *input;
	int r = hf_eval_node(e, n->u.call.target, &input, err);
	return r < 0 ? r : hf_filter_node(e, n, input, ret, err);
}

static int eval_test(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	bool holds;
	int r = hf_test_node(e, n, &holds, err);
	if (r == 0)
		*ret = hf_value_bool(e->arena, holds);
	return r;
}

static int eval_misplaced(
	struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	return hf_raise(err, "a slice stands where a value is expected");
}

typedef int (*eval_function)(
	struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err);
static const eval_function functions[N_EXPRESSIONS_END] = {
	[N_LIST] = eval_list,
	[N_TUPLE] = eval_list,
	[N_DICT] = eval_dict,
	[N_NOT] = eval_not,
	[N_NEGATE] = eval_sign,
	[N_PLUS] = eval_sign,
	[N_ARITH] = eval_arith,
	[N_CONCAT] = eval_concat,
	[N_COMPARE] = eval_compare,
	[N_AND] = eval_logic,
	[N_OR] = eval_logic,
	[N_CONDITION] = eval_inline_if,
	[N_ATTRIBUTE] = hf_attribute_node,
	[N_ITEM] = eval_item,
	[N_SLICE] = eval_misplaced,
	[N_CALL] = hf_call_node,
	[N_FILTER] = eval_filter,
	[N_TEST] = eval_test,
};

static int failed_at(struct hf_eval *e, const struct node *n, int r, struct hf_error *err)
{
	if (err != NULL && err->pos.line == 0)
		err->pos = (struct hf_pos){ e->frame->template->name, n->line, n->column };
	return r;
}

int hf_eval_node(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	int r;
	if (n->kind == N_CONST) {
		*ret = n->u.constant;
		return 0;
	}
	if (n->kind == N_NAME) {
		struct hf_value *v = hf_name_local(e, n);
		if (v != NULL) {
			*ret = v;
			return 0;
		}
		r = hf_name_get(e, n, ret, err);
	} else if (n->kind == N_ATTRIBUTE) {
		r = hf_attribute_node(e, n, ret, err);
	} else {
		r = functions[n->kind](e, n, ret, err);
	}
	return r < 0 ? failed_at(e, n, r, err) : 0;
}

/* Truth of an expression without making a value of it where that can be avoided. */
int hf_eval_condition(struct hf_eval *e, const struct node *n, bool *ret, struct hf_error *err)
{
	unsigned flags = 0;
	int r;
	switch ((int)n->kind) {
	case N_NOT:
		r = hf_eval_condition(e, n->u.pair.left, ret, err);
		if (r == 0)
			*ret = !*ret;
		return r;
	case N_COMPARE:
		r = compare_chain(e, n, ret, &flags, err);
		return r < 0 ? failed_at(e, n, r, err) : 0;
	case N_TEST:
		r = hf_test_node(e, n, ret, err);
		return r < 0 ? failed_at(e, n, r, err) : 0;
	case N_AND:
	case N_OR:
		r = hf_eval_condition(e, n->u.pair.left, ret, err);
		if (r < 0 || *ret == (n->kind == N_OR))
			return r;
		return hf_eval_condition(e, n->u.pair.right, ret, err);
	default:
		break;
	}
	struct hf_value *v;
	r = hf_eval_quick(e, n, &v, err);
	if (r == 0 && v->type == HF_BOOL) {
		*ret = v->u.boolean;
		return 0;
	}
	if (r == 0)
		r = hf_eval_truth(e, v, ret, err);
	return r < 0 ? failed_at(e, n, r, err) : 0;
}

static int assign_attribute(
	struct hf_eval *e, const struct node *target, struct hf_value *v, struct hf_error *err)
{
	struct hf_value *object;
	int r = hf_name_get(e, target->u.namespace_target.name, &object, err);
	if (r < 0)
		return r;
	if (object->type != HF_OBJECT || object->u.object->kind->set_attribute == NULL)
		return hf_raise(err, "cannot assign attribute on non-namespace object");
	return object->u.object->kind->set_attribute(
		e, object->u.object, target->u.namespace_target.attribute->u.string, v, err);
}

int hf_eval_assign(struct hf_eval *e, const struct node *target, struct hf_value *v, struct hf_error *err)
{
	if (target->kind == N_NAME) {
		e->frame->slots[target->u.name.refs[0].slot] = v;
		return 0;
	}
	int r;
	if (target->kind == N_NAMESPACE_TARGET) {
		r = assign_attribute(e, target, v, err);
		return r < 0 ? failed_at(e, target, r, err) : 0;
	}
	struct hf_value *items;
	r = hf_eval_sequence(e, v, &items, err);
	if (r < 0)
		return failed_at(e, target, r, err);
	size_t want = target->u.list.n, got = hf_list_len(items);
	if (got != want)
		return failed_at(e, target,
			got > want ? hf_raise(err, "too many values to unpack (expected %zu)", want)
				   : hf_raise(err, "not enough values to unpack (expected %zu, got %zu)",
					     want, got),
			err);
	for (size_t i = 0; r == 0 && i < want; i++)
		r = hf_eval_assign(e, target->u.list.at[i], hf_list_at(items, i), err);
	return r;
}
