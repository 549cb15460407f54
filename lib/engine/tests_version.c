/* lib/engine/tests_version.c - `is version(…)` and the filter version_sort. */
#include "lib/engine/filters.h"
#include "lib/engine/version_order.h"

static int kind_of(
	struct hf_eval *e, const struct hf_call *call, enum hf_version_kind *ret, struct hf_error *err)
{
	static const struct {
		const char *name;
		enum hf_version_kind kind;
	} rows[] = { { "loose", HF_VERSION_LOOSE }, { "strict", HF_VERSION_STRICT },
		{ "semver", HF_VERSION_SEMANTIC }, { "semantic", HF_VERSION_SEMANTIC },
		{ "pep440", HF_VERSION_PEP440 } };
	const struct hf_value *strict = filter_arg(call, 2, "strict"),
			      *type = filter_arg(call, 3, "version_type");
	if (strict != NULL && type != NULL)
		return hf_fail(err, HF_E_TEMPLATE, "Cannot specify both 'strict' and 'version_type'");
	*ret = strict != NULL && hf_value_truthy(strict) ? HF_VERSION_STRICT : HF_VERSION_LOOSE;
	if (type == NULL || !hf_value_truthy(type))
		return 0;
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (type->type == HF_STRING && hf_str_is(type->u.string, rows[i].name)) {
			*ret = rows[i].kind;
			return 0;
		}
	return hf_fail(err, HF_E_TEMPLATE,
		"Invalid version type. Must be one of loose, strict, semver, semantic, pep440");
}

enum { WANT_LESS = 1, WANT_EQUAL = 2, WANT_GREATER = 4 };

static int operator_of(struct hf_str name, unsigned *ret, struct hf_error *err)
{
	static const struct {
		const char *name;
		unsigned wants;
	} rows[] = { { "==", WANT_EQUAL }, { "=", WANT_EQUAL }, { "eq", WANT_EQUAL }, { "<", WANT_LESS },
		{ "lt", WANT_LESS }, { "<=", WANT_LESS | WANT_EQUAL }, { "le", WANT_LESS | WANT_EQUAL },
		{ ">", WANT_GREATER }, { "gt", WANT_GREATER }, { ">=", WANT_GREATER | WANT_EQUAL },
		{ "ge", WANT_GREATER | WANT_EQUAL }, { "!=", WANT_LESS | WANT_GREATER },
		{ "<>", WANT_LESS | WANT_GREATER }, { "ne", WANT_LESS | WANT_GREATER } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (hf_str_is(name, rows[i].name)) {
			*ret = rows[i].wants;
			return 0;
		}
	return hf_fail(err, HF_E_TEMPLATE,
		"Invalid operator type (%.*s). Must be one of ==, =, eq, <, lt, <=, le, >, gt, >=, "
		"ge, !=, <>, ne",
		HF_STR_ARG(name));
}

FILTER(test_version)
{
	FILTER_ARGS(4, "version", "operator", "strict", "version_type");
	struct hf_str value = { 0 }, other = { 0 }, name = { 0 };
	enum hf_version_kind kind = HF_VERSION_LOOSE;
	unsigned wants = 0;
	int order = 0, r = hf_eval_text(e, input, &value, err);
	if (r == 0)
		r = filter_text_arg(e, call, 0, "version", NULL, &other, err);
	if (r == 0)
		r = filter_text_arg(e, call, 1, "operator", "eq", &name, err);
	if (r == 0)
		r = kind_of(e, call, &kind, err);
	if (r == 0 && (!hf_value_truthy(input) || !hf_value_truthy(hf_call_arg(call, 0, "version"))))
		r = hf_fail(err, HF_E_TEMPLATE, "a version to compare cannot be empty");
	if (r == 0)
		r = operator_of(name, &wants, err);
	if (r == 0)
		r = hf_version_order(kind, value, other, &order, err);
	if (r == 0)
		*ret = hf_value_bool(hf_eval_arena(e), (wants & (order < 0          ? WANT_LESS
									: order > 0 ? WANT_GREATER
										    : WANT_EQUAL)) != 0);
	return r;
}

const struct hf_callable_row hf_ansible_tests_version[] = {
	{ "version", test_version, 0 },
	{ "version_compare", test_version, 0 },
	{ 0 },
};
