/* Diffs that say the same of a resource although other parts of its file are not as they were. */
#include "agent/differs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *one, *other; /* NULL: no diff */
	bool same;
} rows[] = {
	{ "none", NULL, NULL, true },
	{ "one has none", "{}", NULL, false },
	{ "the same", "{\"before\":\"a\\n\",\"after\":\"b\\n\"}", "{\"before\":\"a\\n\",\"after\":\"b\\n\"}",
		true },
	{ "something else", "{\"before\":\"a\\n\",\"after\":\"b\\n\"}",
		"{\"before\":\"c\\n\",\"after\":\"b\\n\"}", false },
	{ "others' lines before it", "{\"before\":\"x\\na\\n\",\"after\":\"x\\nb\\n\"}",
		"{\"before\":\"y\\nz\\na\\n\",\"after\":\"y\\nz\\nb\\n\"}", true },
	{ "others' lines behind it", "{\"before\":\"a\\nx\\n\",\"after\":\"b\\nx\\n\"}",
		"{\"before\":\"a\\ny\\n\",\"after\":\"b\\ny\\n\"}", true },
	{ "a line that is missing", "{\"before\":\"x\\n\",\"after\":\"x\\nmine\\n\"}",
		"{\"before\":\"y\\nz\\n\",\"after\":\"y\\nz\\nmine\\n\"}", true },
	{ "another line that is missing", "{\"before\":\"x\\n\",\"after\":\"x\\nmine\\n\"}",
		"{\"before\":\"x\\n\",\"after\":\"x\\nyours\\n\"}", false },
	{ "lines that begin alike", "{\"before\":\"ab\\n\",\"after\":\"ac\\n\"}",
		"{\"before\":\"b\\n\",\"after\":\"c\\n\"}", false },
	{ "another file", "{\"before_header\":\"/a\",\"before\":\"\",\"after\":\"b\\n\"}",
		"{\"before_header\":\"/b\",\"before\":\"\",\"after\":\"b\\n\"}", false },
	{ "what is no text", "{\"before\":{\"mode\":\"0600\"},\"after\":{\"mode\":\"0644\"}}",
		"{\"before\":{\"mode\":\"0606\"},\"after\":{\"mode\":\"0644\"}}", false },
	{ "several", "[{\"before\":\"x\\na\\n\",\"after\":\"x\\nb\\n\"},{\"before\":1,\"after\":2}]",
		"[{\"before\":\"a\\n\",\"after\":\"b\\n\"},{\"before\":1,\"after\":2}]", true },
	{ "one more", "[{\"before\":\"a\\n\",\"after\":\"b\\n\"}]",
		"[{\"before\":\"a\\n\",\"after\":\"b\\n\"},{\"before\":1,\"after\":2}]", false },
};

static struct hf_value *parse(struct hf_arena *a, const char *text)
{
	struct hf_value *v = NULL;
	struct hf_error err = { 0 };
	if (text != NULL)
		assert_int_equal(hf_json_parse(a, hf_str(text), "diff", &v, &err), 0);
	return v;
}

static void says_the_same(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	assert_int_equal(hf_differs_same(parse(a, r->one), parse(a, r->other)), r->same);
	assert_int_equal(hf_differs_same(parse(a, r->other), parse(a, r->one)), r->same);
}

int main(void)
{
	UNIT_ROWS(tests, rows, says_the_same);
	return UNIT_RUN(tests);
}
