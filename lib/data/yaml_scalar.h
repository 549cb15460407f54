/* lib/data/yaml_scalar.h - what YAML 1.1's plain scalars mean, as PyYAML's resolver and SafeConstructor have
 * it. Shared by the reader (text to value) and the writer (which text must be quoted). */
#pragma once
#include "lib/data/value.h"

enum yaml_kind {
	YAML_STR,
	YAML_NULL,
	YAML_BOOL,
	YAML_INT,
	YAML_FLOAT,
	YAML_TIMESTAMP,
	YAML_MERGE,
	YAML_EQUALS
};

enum yaml_kind hf_yaml_scalar_kind(struct hf_str plain);
/* Value of text as a scalar of that kind; fails with HF_E_PARSE (no position) where PyYAML would. YAML_MERGE
 * and YAML_EQUALS have no value. */
HF_CHECK int hf_yaml_scalar_value(struct hf_arena *a, enum yaml_kind kind, struct hf_str text,
	struct hf_value **ret, struct hf_error *err);
/* !!binary */
HF_CHECK int hf_yaml_scalar_binary(
	struct hf_arena *a, struct hf_str text, struct hf_value **ret, struct hf_error *err);
