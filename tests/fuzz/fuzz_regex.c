/* Regular expressions: Python's syntax translated into PCRE2's, and replacement templates, stay within their
 * bounds. Input: one byte of flags, then pattern, replacement and subject with a zero byte between them. */
#include <stdint.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SUBJECT_MAX = 20, OUTPUT_MAX = 1 << 20 }; /* what takes long here is PCRE2's work, not ours */

static struct hf_str piece_take(struct hf_str *rest)
{
	struct hf_str piece = *rest;
	const char *zero = rest->n == 0 ? NULL : memchr(rest->p, '\0', rest->n);
	if (zero != NULL)
		piece.n = (size_t)(zero - rest->p);
	size_t used = zero == NULL ? piece.n : piece.n + 1;
	*rest = hf_strn(rest->p + used, rest->n - used);
	return piece;
}

static void matches_check(
	struct hf_arena *a, const struct hf_regex *re, struct hf_str subject, struct hf_str replacement)
{
	struct hf_error err;
	hf_auto_buf out = hf_buf_init(OUTPUT_MAX);
	static const enum hf_regex_how hows[] = { HF_REGEX_SEARCH, HF_REGEX_MATCH, HF_REGEX_FULLMATCH };
	for (size_t i = 0; i < HF_COUNT(hows); i++) {
		struct hf_regex_match m;
		if (hf_regex_exec(a, re, subject, 0, hows[i], &m, &err) < 0 || !m.found)
			continue;
		if (m.end > subject.n)
			__builtin_trap();
		for (unsigned g = 0; g <= m.groups; g++)
			(void)hf_regex_group(&m, g);
		if (hf_regex_expand(re, &m, replacement, &out, &err) < 0)
			continue;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	hf_auto_arena a = hf_arena_new();
	hf_auto_regex re = NULL;
	struct hf_error err;
	struct hf_str rest = { (const char *)data + 1, size - 1 };
	struct hf_str pattern = piece_take(&rest), replacement = piece_take(&rest), subject = rest, out;
	subject.n = subject.n > SUBJECT_MAX ? SUBJECT_MAX : subject.n;
	(void)hf_regex_escape(a, pattern);
	if (hf_regex_get(pattern, data[0] & 0x3f, &re, &err) < 0)
		return 0;
	struct hf_value *v;
	size_t count;
	matches_check(a, re, subject, replacement);
	(void)hf_regex_names(a, re);
	(void)hf_regex_group_number(re, replacement);
	if (hf_regex_sub(a, re, subject, replacement, 0, &out, &count, &err) == 0 &&
		count > 2 * subject.n + 1)
		__builtin_trap();
	if (hf_regex_findall(a, re, subject, &v, &err) == 0 &&
		hf_regex_split(a, re, subject, 3, &v, &err) == 0)
		(void)hf_value_truthy(v);
	return 0;
}
