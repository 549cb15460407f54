/* lib/template/tests.c - Jinja's tests; declared in builtin.h. */
#include "lib/base/scope.h"
#include "lib/template/arith.h"
#include "lib/template/builtin.h"
#include "lib/template/eval.h"
#include "lib/template/text.h"

#define TEST(name)                                                                                           \
	static int test_##name(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,        \
		struct hf_value **ret, struct hf_error *err)

static int answer(struct hf_eval *e, bool holds, struct hf_value **ret)
{
	static struct hf_value yes = { .type = HF_BOOL, .u.boolean = true }, no = { .type = HF_BOOL };
	*ret = holds ? &yes : &no;
	return 0;
}

static int arguments_exactly(const struct hf_call *call, size_t n, struct hf_error *err)
{
	size_t named = call->kwargs == NULL ? 0 : hf_dict_len(call->kwargs);
	if (call->n_args + named != n || named > 0)
		return hf_raise(err, "the test takes %zu argument%s, %zu given", n, n == 1 ? "" : "s",
			call->n_args + named);
	return 0;
}

/* Tests that look at nothing but the value. */
#define PLAIN_TEST(name, holds)                                                                              \
	TEST(name)                                                                                           \
	{                                                                                                    \
		int r = arguments_exactly(call, 0, err);                                                     \
		return r < 0 ? r : answer(e, (holds), ret);                                                  \
	}

static bool is_integer(const struct hf_value *v)
{
	return v->type == HF_INT || v->type == HF_BIGINT;
}

static bool undefined_chains(const struct hf_eval *e)
{
	return e->env->undefined == HF_UNDEFINED_CHAINABLE ||
	       e->env->undefined == HF_UNDEFINED_STRICT_CHAINABLE;
}

static bool has_items(const struct hf_value *v)
{
	return (v->type >= HF_STRING && v->type <= HF_SET) || v->type == HF_UNDEFINED || hf_value_is_lazy(v);
}

static bool has_length(const struct hf_value *v)
{
	bool lazy = hf_value_is_lazy(v) && v->u.object->kind != &hf_iterator_kind;
	return (v->type >= HF_STRING && v->type <= HF_SET && v->type != HF_SET) || v->type == HF_UNDEFINED ||
	       (lazy && v->u.object->kind == &hf_range_kind);
}

PLAIN_TEST(defined, input->type != HF_UNDEFINED)
PLAIN_TEST(undefined, input->type == HF_UNDEFINED)
PLAIN_TEST(none, input->type == HF_NULL)
PLAIN_TEST(boolean, input->type == HF_BOOL)
PLAIN_TEST(is_false, input->type == HF_BOOL && !input->u.boolean)
PLAIN_TEST(is_true, input->type == HF_BOOL && input->u.boolean)
PLAIN_TEST(integer, is_integer(input))
PLAIN_TEST(float, input->type == HF_FLOAT)
PLAIN_TEST(number, hf_arith_is_number(input))
PLAIN_TEST(string, input->type == HF_STRING)
PLAIN_TEST(mapping, input->type == HF_DICT)
PLAIN_TEST(callable, hf_value_callable(input) || input->type == HF_UNDEFINED)
PLAIN_TEST(iterable, has_items(input))
PLAIN_TEST(sequence, has_length(input) && !undefined_strict(e, input))
PLAIN_TEST(escaped,
	(input->flags & HF_VALUE_MARKUP) != 0 || (input->type == HF_UNDEFINED && undefined_chains(e)))

/* input % divisor == rest */
static int remainder_is(struct hf_eval *e, struct hf_value *input, struct hf_value *divisor, int64_t rest,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *got, want = { .type = HF_INT, .u.integer = rest };
	int r = hf_arith(e, OP_MOD, input, divisor, &got, err);
	return r < 0 ? r : answer(e, hf_value_equal(got, &want), ret);
}

TEST(odd)
{
	struct hf_value two = { .type = HF_INT, .u.integer = 2 };
	return remainder_is(e, input, &two, 1, ret, err);
}

TEST(even)
{
	struct hf_value two = { .type = HF_INT, .u.integer = 2 };
	return remainder_is(e, input, &two, 0, ret, err);
}

TEST(divisibleby)
{
	struct hf_value *divisor = hf_call_arg(call, 0, "num");
	return divisor == NULL ? arguments_exactly(call, 1, err)
			       : remainder_is(e, input, divisor, 0, ret, err);
}

static int cased(
	struct hf_eval *e, struct hf_value *input, bool upper, struct hf_value **ret, struct hf_error *err)
{
	struct hf_str text;
	bool any = false, other = false;
	int r = hf_eval_text(e, input, &text, err);
	if (r < 0)
		return r;
	for (size_t at = 0; at < text.n;) {
		uint32_t c = hf_text_next(text, &at);
		any |= upper ? hf_point_upper(c) : hf_point_lower(c);
		other |= upper ? hf_point_lower(c) : hf_point_upper(c);
	}
	return answer(e, any && !other, ret);
}

TEST(lower)
{
	return cased(e, input, false, ret, err);
}

TEST(upper)
{
	return cased(e, input, true, ret, err);
}

TEST(eq)
{
	bool equal;
	int r = arguments_exactly(call, 1, err);
	if (r == 0)
		r = hf_eval_equal(e, input, call->args[0], &equal, err);
	return r < 0 ? r : answer(e, equal, ret);
}

TEST(ne)
{
	bool equal;
	int r = arguments_exactly(call, 1, err);
	if (r == 0)
		r = hf_eval_equal(e, input, call->args[0], &equal, err);
	return r < 0 ? r : answer(e, !equal, ret);
}

static int ordered(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, int least, int most,
	struct hf_value **ret, struct hf_error *err)
{
	int order, r = arguments_exactly(call, 1, err);
	if (r == 0)
		r = hf_eval_compare(e, input, call->args[0], &order, err);
	if (r < 0)
		return r;
	order = (order > 0) - (order < 0);
	return answer(e, order >= least && order <= most, ret);
}

TEST(lt)
{
	return ordered(e, input, call, -1, -1, ret, err);
}

TEST(le)
{
	return ordered(e, input, call, -1, 0, ret, err);
}

TEST(gt)
{
	return ordered(e, input, call, 1, 1, ret, err);
}

TEST(ge)
{
	return ordered(e, input, call, 0, 1, ret, err);
}

TEST(in)
{
	bool holds;
	struct hf_value *container = hf_call_arg(call, 0, "seq");
	if (container == NULL)
		return arguments_exactly(call, 1, err);
	int r = hf_eval_contains(e, container, input, &holds, err);
	return r < 0 ? r : answer(e, holds, ret);
}

/* Python's `is`: the same object; small values of one kind are one object. */
TEST(sameas)
{
	if (call->n_args > 1)
		return arguments_exactly(call, 1, err);
	struct hf_value *other = hf_call_arg(call, 0, "other");
	if (other == NULL)
		return arguments_exactly(call, 1, err);
	bool same = input == other;
	if (!same && input->type == other->type) {
		switch ((int)input->type) {
		case HF_NULL:
			same = true;
			break;
		case HF_BOOL:
		case HF_INT:
		case HF_STRING:
			same = hf_value_equal(input, other);
			break;
		case HF_LIST:
		case HF_TUPLE:
			same = input->u.list == other->u.list;
			break;
		case HF_DICT:
			same = input->u.dict == other->u.dict;
			break;
		case HF_OBJECT:
			same = input->u.object == other->u.object;
			break;
		default:
			break;
		}
	}
	return answer(e, same, ret);
}

TEST(filter)
{
	if (!hf_value_hashable(input) && input->type != HF_UNDEFINED)
		return hf_raise(err, "unhashable type: '%s'", hf_type_name(input));
	bool known = input->type == HF_STRING && hf_builtin_filter(e->env, input->u.string) != NULL;
	if (!known && e->env->unknown_is_always_error)
		return hf_raise(err, "no filter of that name can be loaded");
	return answer(e, known, ret);
}

TEST(test)
{
	if (!hf_value_hashable(input) && input->type != HF_UNDEFINED)
		return hf_raise(err, "unhashable type: '%s'", hf_type_name(input));
	bool known = input->type == HF_STRING && hf_builtin_test(e->env, input->u.string) != NULL;
	if (!known && e->env->unknown_is_always_error)
		return hf_raise(err, "no test of that name can be loaded");
	return answer(e, known, ret);
}

const struct hf_callable_row hf_tests_builtin[] = {
	{ "defined", test_defined, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "undefined", test_undefined, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "none", test_none, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "boolean", test_boolean, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "false", test_is_false, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "true", test_is_true, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "integer", test_integer, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "float", test_float, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "number", test_number, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "string", test_string, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "mapping", test_mapping, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "callable", test_callable, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "iterable", test_iterable, HF_NO_ARGUMENTS },
	{ "sequence", test_sequence, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "escaped", test_escaped, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "odd", test_odd, HF_NO_ARGUMENTS },
	{ "even", test_even, HF_NO_ARGUMENTS },
	{ "divisibleby", test_divisibleby, 0 },
	{ "lower", test_lower, HF_NO_ARGUMENTS },
	{ "upper", test_upper, HF_NO_ARGUMENTS },
	{ "eq", test_eq, 0 },
	{ "==", test_eq, 0 },
	{ "equalto", test_eq, 0 },
	{ "ne", test_ne, 0 },
	{ "!=", test_ne, 0 },
	{ "lt", test_lt, 0 },
	{ "<", test_lt, 0 },
	{ "lessthan", test_lt, 0 },
	{ "le", test_le, 0 },
	{ "<=", test_le, 0 },
	{ "gt", test_gt, 0 },
	{ ">", test_gt, 0 },
	{ "greaterthan", test_gt, 0 },
	{ "ge", test_ge, 0 },
	{ ">=", test_ge, 0 },
	{ "in", test_in, 0 },
	{ "sameas", test_sameas, HF_TAKES_UNDEFINED },
	{ "filter", test_filter, HF_NO_ARGUMENTS },
	{ "test", test_test, HF_NO_ARGUMENTS },
	{ NULL, NULL, 0 },
};
