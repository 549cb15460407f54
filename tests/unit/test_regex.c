/* Python's re over PCRE2: what replacing, finding and refusing give. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/regex.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *pattern, *subject, *replacement, *want; /* want NULL: refused */
	unsigned flags;
} rows[] = {
	{ "every place", "x*", "abc", "-", "-a-b-c-", 0 },
	{ "an empty match behind a match", "x*", "axb", "-", "-a--b-", 0 },
	{ "group by number", "(\\w+) (\\w+)", "hello world", "\\2 \\1", "world hello", 0 },
	{ "group by name", "(?P<n>\\d+)", "a12", "<\\g<n>>", "a<12>", 0 },
	{ "group 0", "b", "abc", "[\\g<0>]", "a[b]c", 0 },
	{ "a group that took no part", "(a)|b", "b", "<\\1>", "<>", 0 },
	{ "dollar sign is text", "a", "a", "$1", "$1", 0 },
	{ "newline escape", ",", "a,b", "\\n", "a\nb", 0 },
	{ "end before the last newline", "b$", "ab\n", "x", "ax\n", 0 },
	{ "very end", "b\\Z", "ab\n", "x", "ab\n", 0 },
	{ "lines", "^", "a\nb", "> ", "> a\n> b", HF_REGEX_MULTILINE },
	{ "case", "B", "abc", "x", "axc", HF_REGEX_IGNORECASE },
	{ "case inside the pattern", "(?i)B", "abc", "x", "axc", 0 },
	{ "at most, from none", "a{,2}b", "aaab", "x", "ax", 0 },
	{ "POSIX class is no class", "[[:alpha:]]", "a]", "x", "x", 0 },
	{ "Unicode word", "\\w+", "é!", "x", "x!", 0 },
	{ "bytes are not words", "\\w+", "\xC3\xA9!", "x", "\xC3\xA9!", HF_REGEX_BYTES },
	{ "blanks and comments", "a b # c", "ab", "x", "x", HF_REGEX_VERBOSE },
	{ "unknown escape", "\\q", "", "", NULL, 0 },
	{ "unknown escape in the replacement", "a", "a", "\\q", NULL, 0 },
	{ "unknown group in the replacement", "a", "a", "\\1", NULL, 0 },
	{ "Perl's named group", "(?<n>a)", "", "", NULL, 0 },
	{ "flags too late", "a(?i)", "", "", NULL, 0 },
	{ "two quantifiers", "a**", "", "", NULL, 0 },
	{ "a verb of PCRE", "(*UTF)", "", "", NULL, 0 },
	{ "quoting of PCRE", "\\Qa\\E", "", "", NULL, 0 },
	{ "a group that is not closed", "(a", "", "", NULL, 0 },
};

static void replaced(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	hf_auto_regex re = NULL;
	struct hf_error err = { 0 };
	struct hf_str out = { 0 };
	int result = hf_regex_get(hf_str(r->pattern), r->flags, &re, &err);
	if (result == 0)
		result = hf_regex_sub(a, re, hf_str(r->subject), hf_str(r->replacement), 0, &out, NULL, &err);
	if (r->want == NULL) {
		assert_int_equal(result, -HF_E_ARGUMENT);
		assert_true(strlen(err.text) > 0);
		return;
	}
	assert_int_equal(result, 0);
	assert_string_equal(out.p, r->want);
}

static void bounded(void **state)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_regex re = NULL;
	struct hf_regex_match m;
	struct hf_error err;
	char subject[64]; /* aaa…! : every way to share out the letters is tried */
	memset(subject, 'a', sizeof(subject));
	subject[sizeof(subject) - 1] = '!';
	assert_int_equal(hf_regex_get(HF_STR("^(a+)+$"), 0, &re, &err), 0);
	assert_int_equal(
		hf_regex_exec(a, re, hf_strn(subject, sizeof(subject)), 0, HF_REGEX_SEARCH, &m, &err),
		-HF_E_LIMIT);
}

static void cache_turns_over(void **state)
{
	struct hf_error err;
	hf_auto_arena a = hf_arena_new();
	hf_auto_regex kept = NULL;
	struct hf_str out;
	assert_int_equal(hf_regex_get(HF_STR("kept"), 0, &kept, &err), 0);
	for (int i = 0; i < HF_REGEX_CACHE_MAX * 3; i++) {
		struct hf_regex *re = NULL;
		assert_int_equal(hf_regex_get(hf_str(hf_sprintf(a, "p%d", i)), 0, &re, &err), 0);
		hf_regex_put(re);
	}
	assert_int_equal(hf_regex_sub(a, kept, HF_STR("kept"), HF_STR("still"), 0, &out, NULL, &err), 0);
	assert_string_equal(out.p, "still");
}

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, rows, replaced);
	UNIT_ADD(&tests, bounded);
	UNIT_ADD(&tests, cache_turns_over);
	return unit_run(&tests);
}
