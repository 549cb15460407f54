/* lib/engine/filters_json_query.c - json_query. */
#include "lib/engine/filters.h"
#include "lib/engine/jmespath.h"

FILTER(json_query)
{
	FILTER_ARGS(1, "expr");
	struct jmespath_node *expression = NULL;
	struct hf_str text = { 0 };
	const struct hf_value *expr = hf_call_arg(call, 0, "expr");
	int r = expr != NULL && expr->type != HF_STRING
			? hf_fail(err, HF_E_TEMPLATE, "json_query: text expected, not %s", hf_type_name(expr))
			: filter_text_arg(e, call, 0, "expr", NULL, &text, err);
	if (r == 0)
		r = hf_jmespath_compile(hf_eval_arena(e), text, &expression, err);
	if (r == 0)
		r = hf_jmespath_search(hf_eval_arena(e), expression, input, ret, err);
	return r;
}

const struct hf_callable_row hf_ansible_filters_json_query[] = {
	{ "json_query", json_query, 0 },
	{ 0 },
};
