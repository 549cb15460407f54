/* cli/diff.h - two texts as a unified diff, for people. */
#pragma once
#include "lib/base/str.h"

struct hf_diff_headers {
	const char *before, *after; /* NULL: "before", "after" */
};
/* Appends nothing when the texts are equal. Colour codes around lines when colour. */
void hf_diff_print(struct hf_buf *out, struct hf_str before, struct hf_str after,
	struct hf_diff_headers headers, bool colour);
