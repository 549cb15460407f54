/* lib/engine/regex_translate.h - Python's pattern syntax into PCRE2's; used by regex.c alone. */
#pragma once
#include "lib/base/str.h"

enum { HF_REGEX_PATTERN_MAX = 1 << 16, HF_REGEX_GROUPS_MAX = 500 };

/* Appends the pattern as PCRE2 wants it to out. *flags: enum hf_regex_flags, joined by what (?i) and friends
 * at the start of the pattern say. Refuses what Python refuses. */
HF_CHECK int hf_regex_translate(
	struct hf_str pattern, unsigned *flags, struct hf_buf *out, struct hf_error *err);
