/* lib/engine/filters_regex.h - the tests that are regular expressions; rows of tests_core.c. */
#pragma once
#include "lib/template/template.h"

int hf_test_match(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
int hf_test_search(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
int hf_test_regex(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
