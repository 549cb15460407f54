/* lib/template/format.h - Python's format(value, spec), str.format and %-formatting. Private to lib/template.
 */
#pragma once
#include "lib/template/eval.h"

struct format_spec {
	uint32_t fill;
	char align; /* '<', '>', '^', '=' or 0 */
	char sign;  /* '+', '-', ' ' */
	bool alternate, zero;
	char grouping;            /* ',', '_' or 0 */
	int64_t width, precision; /* precision -1: not given */
	char type;                /* 0: none */
};
/* Appends format(v, spec). */
HF_CHECK int hf_format_value(
	struct hf_eval *e, struct hf_value *v, struct hf_str spec, struct hf_buf *out, struct hf_error *err);
/* format_number.c: digits, sign, grouping and padding of a number. */
HF_CHECK int hf_format_number(struct hf_eval *e, const struct hf_value *v, const struct format_spec *spec,
	struct hf_buf *out, struct hf_error *err);
/* Text padded to the width of the spec. */
HF_CHECK int hf_format_padded(struct hf_eval *e, struct hf_str text, const struct format_spec *spec,
	char align, struct hf_buf *out, struct hf_error *err);
