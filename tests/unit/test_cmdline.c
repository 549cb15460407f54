#include <string.h>

#include "lib/base/scope.h"
#include "modules/cmdline.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *text;
	const char *want; /* words joined by '|'; NULL: an error */
	const char *want_err;
} rows[] = {
	{ "blanks", "a  b\tc\n", "a|b|c", NULL },
	{ "single quotes", "a 'b  c'", "a|b  c", NULL },
	{ "double quotes", "\"b \\\" \\\\ \\n\"", "b \" \\ \\n", NULL },
	{ "quotes inside", "a'b'\"c\"", "abc", NULL },
	{ "empty word", "a '' b", "a||b", NULL },
	{ "backslash", "a\\ b", "a b", NULL },
	{ "nothing", "  ", "", NULL },
	{ "open quote", "a 'b", NULL, "No closing quotation" },
	{ "open double quote", "\"b", NULL, "No closing quotation" },
	{ "trailing backslash", "a \\", NULL, "No escaped character" },
};

static void split_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_error err = { 0 };
	char **words = NULL;
	size_t n = 0;
	int result = hf_cmdline_split(a, r->text, &words, &n, &err);
	assert_int_equal(result < 0, r->want == NULL);
	if (r->want == NULL) {
		assert_string_equal(err.text, r->want_err);
		return;
	}
	const char *joined = "";
	for (size_t i = 0; i < n; i++)
		joined = hf_sprintf(a, "%s%s%s", joined, i > 0 ? "|" : "", words[i]);
	assert_string_equal(joined, r->want);
}

static const struct expand {
	const char *title, *text, *want;
} expansions[] = {
	{ "name", "$A/x", "one/x" },
	{ "braces", "${A}x", "onex" },
	{ "unknown stays", "$NOPE ${NOPE}", "$NOPE ${NOPE}" },
	{ "home", "~/x", "/home/me/x" },
	{ "home alone", "~", "/home/me" },
	{ "not at the start", "a~", "a~" },
	{ "dollar alone", "a$ $1", "a$ $1" },
	{ "value with a tilde", "$T", "/home/me/y" },
};

static void expand_row(void **state)
{
	static const char *const env[] = { "A=one", "HOME=/home/me/", "T=~/y", NULL };
	const struct expand *r = *state;
	hf_auto_arena a = hf_arena_new();
	assert_string_equal(hf_cmdline_expand(a, r->text, env), r->want);
}

static const struct expand quotes[] = {
	{ "plain", "a/b-c_d.e", "a/b-c_d.e" },
	{ "blank", "a b", "'a b'" },
	{ "quote", "it's", "'it'\"'\"'s'" },
	{ "empty", "", "''" },
};

static void quote_row(void **state)
{
	const struct expand *r = *state;
	hf_auto_arena a = hf_arena_new();
	assert_string_equal(hf_cmdline_quote(a, r->text), r->want);
}

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, rows, split_row);
	UNIT_ADD_ROWS(&tests, expansions, expand_row);
	UNIT_ADD_ROWS(&tests, quotes, quote_row);
	return unit_run(&tests);
}
