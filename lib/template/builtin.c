#include "lib/template/builtin.h"

#include "lib/template/methods.h"

static const struct hf_callable_row *const filters[] = { hf_filters_text, hf_filters_number,
	hf_filters_sequence, hf_filters_mapping, hf_filters_select, hf_filters_format, hf_filters_html };

const struct hf_callable_row *hf_builtin_filter(const struct hf_template_env *env, struct hf_str name)
{
	const struct hf_callable_row *row = hf_row_find(env->filters, name);
	for (size_t i = 0; row == NULL && i < HF_COUNT(filters); i++)
		row = hf_row_find(filters[i], name);
	return row;
}

const struct hf_callable_row *hf_builtin_test(const struct hf_template_env *env, struct hf_str name)
{
	const struct hf_callable_row *row = hf_row_find(env->tests, name);
	return row != NULL ? row : hf_row_find(hf_tests_builtin, name);
}

const struct hf_callable_row *hf_builtin_global(const struct hf_template_env *env, struct hf_str name)
{
	const struct hf_callable_row *row = hf_row_find(env->globals, name);
	return row != NULL ? row : hf_row_find(hf_globals_builtin, name);
}
