/* lib/template/builtin.h - Jinja's own filters, tests and globals, by subject; each table ends with name
 * NULL. Private. */
#pragma once
#include "lib/template/template.h"

extern const struct hf_callable_row hf_filters_text[], hf_filters_number[], hf_filters_sequence[],
	hf_filters_mapping[], hf_filters_select[], hf_filters_format[], hf_filters_html[];
extern const struct hf_callable_row hf_tests_builtin[], hf_globals_builtin[];
/* lipsum.c */
int hf_global_lipsum(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
/* Of the environment first, then built in; NULL when there is none. */
const struct hf_callable_row *hf_builtin_filter(const struct hf_template_env *env, struct hf_str name);
const struct hf_callable_row *hf_builtin_test(const struct hf_template_env *env, struct hf_str name);
const struct hf_callable_row *hf_builtin_global(const struct hf_template_env *env, struct hf_str name);
