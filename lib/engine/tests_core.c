/* lib/engine/tests_core.c - results of tasks, truth, membership, regular expressions. */
#include "lib/engine/filters.h"
#include "lib/engine/filters_regex.h"

static int answer(struct hf_eval *e, bool yes, struct hf_value **ret)
{
	*ret = hf_value_bool(hf_eval_arena(e), yes);
	return 0;
}

static int result_needed(const struct hf_value *v, const char *test, struct hf_error *err)
{
	return v->type == HF_DICT ? 0
				  : hf_fail(err, HF_E_TEMPLATE, "The '%s' test expects a dictionary, got %s",
					    test, hf_type_name(v));
}

static bool member(const struct hf_value *dict, const char *key)
{
	const struct hf_value *v = hf_dict_get(dict, key);
	return v != NULL && hf_value_truthy(v);
}

FILTER(test_failed)
{
	int r = result_needed(input, "failed", err);
	return r < 0 ? r : answer(e, member(input, "failed"), ret);
}

FILTER(test_success)
{
	int r = result_needed(input, "success", err);
	return r < 0 ? r : answer(e, !member(input, "failed"), ret);
}

FILTER(test_unreachable)
{
	int r = result_needed(input, "unreachable", err);
	return r < 0 ? r : answer(e, member(input, "unreachable"), ret);
}

FILTER(test_reachable)
{
	int r = result_needed(input, "reachable", err);
	return r < 0 ? r : answer(e, !member(input, "unreachable"), ret);
}

FILTER(test_skipped)
{
	int r = result_needed(input, "skipped", err);
	return r < 0 ? r : answer(e, member(input, "skipped"), ret);
}

FILTER(test_changed)
{
	int r = result_needed(input, "changed", err);
	if (r < 0)
		return r;
	const struct hf_value *results = hf_dict_get(input, "results"), *first;
	if (hf_dict_get(input, "changed") == NULL && results != NULL && results->type == HF_LIST &&
		hf_list_len(results) == 0)
		return hf_fail(err, HF_E_TEMPLATE, "list index out of range");
	if (hf_dict_get(input, "changed") == NULL && results != NULL && hf_is_sequence(results) &&
		hf_list_len(results) > 0 && (first = hf_list_at(results, 0))->type == HF_DICT) {
		bool any = false;
		for (size_t i = 0; i < hf_list_len(results); i++)
			any |= hf_list_at(results, i)->type == HF_DICT &&
			       member(hf_list_at(results, i), "changed");
		return answer(e, any, ret);
	}
	return answer(e, member(input, "changed"), ret);
}

/* started and finished of an asynchronous job are numbers. */
static int async_test(struct hf_eval *e, const struct hf_value *input, const char *key, struct hf_value **ret,
	struct hf_error *err)
{
	int r = result_needed(input, key, err);
	if (r < 0)
		return r;
	const struct hf_value *v = hf_dict_get(input, key);
	return answer(e, v == NULL || hf_value_truthy(v), ret);
}

FILTER(test_started)
{
	return async_test(e, input, "started", ret, err);
}

FILTER(test_finished)
{
	return async_test(e, input, "finished", ret, err);
}

static int truthy(const struct hf_value *v, const struct hf_call *call, bool *ret)
{
	*ret = hf_value_truthy(v);
	if (filter_bool_arg(call, 0, "convert_bool", false) &&
		(v->type == HF_STRING || v->type == HF_INT || v->type == HF_FLOAT)) {
		static const char *const no[] = { "n", "no", "f", "false", "off", "0", "" };
		static const char *const yes[] = { "y", "yes", "t", "true", "on", "1" };
		for (size_t i = 0; v->type == HF_STRING && i < HF_COUNT(no); i++)
			if (strcasecmp(v->u.string.p, no[i]) == 0)
				*ret = false;
		for (size_t i = 0; v->type == HF_STRING && i < HF_COUNT(yes); i++)
			if (strcasecmp(v->u.string.p, yes[i]) == 0)
				*ret = true;
	}
	return 0;
}

FILTER(test_truthy)
{
	bool yes;
	FILTER_ARGS(1, "convert_bool");
	truthy(input, call, &yes);
	return answer(e, yes, ret);
}

FILTER(test_falsy)
{
	bool yes;
	FILTER_ARGS(1, "convert_bool");
	truthy(input, call, &yes);
	return answer(e, !yes, ret);
}

FILTER(test_vault_encrypted)
{
	return answer(e, (input->flags & HF_VALUE_VAULT) != 0, ret);
}

static int quantified(
	struct hf_eval *e, struct hf_value *input, bool all, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *list = NULL;
	bool result = all;
	int r = filter_items(e, input, &list, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(list) && result == all; i++)
		r = hf_eval_truth(e, hf_list_at(list, i), &result, err);
	return r < 0 ? r : answer(e, result, ret);
}

FILTER(test_all)
{
	return quantified(e, input, true, ret, err);
}

FILTER(test_any)
{
	return quantified(e, input, false, ret, err);
}

static int subset(struct hf_eval *e, struct hf_value *small, struct hf_value *large, struct hf_value **ret,
	struct hf_error *err)
{
	int r = filter_items(e, small, &small, err);
	if (r == 0)
		r = filter_items(e, large, &large, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(small) + hf_list_len(large); i++) {
		const struct hf_value *v = i < hf_list_len(small) ? hf_list_at(small, i)
								  : hf_list_at(large, i - hf_list_len(small));
		if (!hf_value_hashable(v))
			r = hf_fail(err, HF_E_TEMPLATE, "unhashable type: '%s'", hf_type_name(v));
	}
	bool inside = true;
	for (size_t i = 0; r == 0 && i < hf_list_len(small) && inside; i++)
		inside = filter_contains(large, hf_list_at(small, i));
	return r < 0 ? r : answer(e, inside, ret);
}

FILTER(test_subset)
{
	FILTER_ARGS(1, "b");
	struct hf_value *other = hf_call_arg(call, 0, "b");
	return other == NULL ? hf_fail(err, HF_E_TEMPLATE, "subset needs a list")
			     : subset(e, input, other, ret, err);
}

FILTER(test_superset)
{
	FILTER_ARGS(1, "b");
	struct hf_value *other = hf_call_arg(call, 0, "b");
	return other == NULL ? hf_fail(err, HF_E_TEMPLATE, "superset needs a list")
			     : subset(e, other, input, ret, err);
}

FILTER(test_contains)
{
	FILTER_ARGS(1, "value");
	const struct hf_value *item = hf_call_arg(call, 0, "value");
	if (item == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "contains needs a value");
	if (input->type == HF_STRING && item->type == HF_STRING)
		return answer(e, hf_str_find(input->u.string, item->u.string, 0) != SIZE_MAX, ret);
	if (input->type == HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE, "'in <string>' requires string as left operand, not %s",
			hf_type_name(item));
	if (input->type == HF_DICT || input->type == HF_SET)
		return answer(e, hf_value_hashable(item) && filter_contains(input, item), ret);
	struct hf_value *list = NULL;
	int r = filter_items(e, input, &list, err);
	return r < 0 ? r : answer(e, filter_contains(list, item), ret);
}

FILTER(test_nan)
{
	return answer(e, input->type == HF_FLOAT && input->u.real != input->u.real, ret);
}

const struct hf_callable_row hf_ansible_tests_core[] = {
	{ "failed", test_failed, HF_NO_ARGUMENTS },
	{ "failure", test_failed, HF_NO_ARGUMENTS },
	{ "succeeded", test_success, HF_NO_ARGUMENTS },
	{ "success", test_success, HF_NO_ARGUMENTS },
	{ "successful", test_success, HF_NO_ARGUMENTS },
	{ "reachable", test_reachable, HF_NO_ARGUMENTS },
	{ "unreachable", test_unreachable, HF_NO_ARGUMENTS },
	{ "timedout", test_failed, 0 },
	{ "changed", test_changed, HF_NO_ARGUMENTS },
	{ "change", test_changed, HF_NO_ARGUMENTS },
	{ "skipped", test_skipped, HF_NO_ARGUMENTS },
	{ "skip", test_skipped, HF_NO_ARGUMENTS },
	{ "started", test_started, HF_NO_ARGUMENTS },
	{ "finished", test_finished, HF_NO_ARGUMENTS },
	{ "truthy", test_truthy, 0 },
	{ "falsy", test_falsy, 0 },
	{ "vault_encrypted", test_vault_encrypted, HF_NO_ARGUMENTS },
	{ "match", hf_test_match, 0 },
	{ "search", hf_test_search, 0 },
	{ "regex", hf_test_regex, 0 },
	{ "all", test_all, HF_NO_ARGUMENTS },
	{ "any", test_any, HF_NO_ARGUMENTS },
	{ "subset", test_subset, 0 },
	{ "issubset", test_subset, 0 },
	{ "superset", test_superset, 0 },
	{ "issuperset", test_superset, 0 },
	{ "contains", test_contains, 0 },
	{ "isnan", test_nan, HF_NO_ARGUMENTS },
	{ "nan", test_nan, HF_NO_ARGUMENTS },
	{ 0 },
};
