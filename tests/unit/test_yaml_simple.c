/* YAML of the simple kind beside libyaml: the same events at the same places, for what people write and for
 * what becomes of it when characters go missing or too many are there. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/yaml_simple.h"
#include "tests/unit/unit.h"

enum { CHANGED_TEXTS = 400, TEXT_MAX = 2048 };

static const struct row {
	const char *title, *text;
	bool simple;
} rows[] = {
	{ "a playbook",
		"---\n# comment\n- name: a play  # of mine\n  hosts: all\n  become: yes\n  vars:\n    a: "
		"1\n\n"
		"    b: [x, 'y z', \"q\\n\", -1, a:b, ~]\n    c: {k: v, \"l\": [1, {m: n}], n: {}}\n    d: "
		"[]\n"
		"  tasks:\n  - name: one\n    copy:\n      dest: \"{{ root }}/a\"\n      mode: '0644'\n"
		"      content: |\n        one\n          two\n\n        three\n    when: a\n  - debug: "
		"msg=hi\n",
		true },
	{ "values below their keys",
		"a:\n  b\nc:\n  - 1\n  -\n    - 2\n  - - 3\n    - 4\n  -\nd:\n- e: f\n  g:\n-\nh:", true },
	{ "plain text over lines", "- a: one\n    two\n\n    three # x\n  b: - c\n", false },
	{ "plain text over lines, alone", "- a: one\n    two\n\n\n    - three: # x\n- b\n c\n", false },
	{ "plain text over lines and comments", "- a: one\n    two\n\n\n    - three # x\n# y\n- b\n c d\n\n",
		true },
	{ "literal blocks", "a: |\n\n    x\n   y\n", false },
	{ "blocks, kept and stripped",
		"a: |+\n  x\n\n\nb: |-\n  y\n\n\nc: |2\n    z\n\nd: >-\n  1\n  2\n\n  3\n   4\n  5\n\n\n   "
		"6\n\n  7\n"
		"e: >+1\n   x\n  y\n z\n\n\nf: |  # c\n    \n    x\n    \ny\n",
		false },
	{ "blocks, each followed by another",
		"a: |+\n  x\n\n\nb: |-\n  y\n\n\nc: |2\n    z\n\nd: >-\n  1\n  2\n\n  3\n   4\n  5\n\n\n   "
		"6\n\n  7\n"
		"e: >+1\n   x\n  y\n z\n\n\nf: |  # c\n    \n    x\n    \n# c\ng: >\n\n  w\n  \tx\n  y\n\n  "
		"z",
		true },
	{ "a block at the end, without a newline", "a:\n- |\n  x\n  ", true },
	{ "an empty block", "a: |\nb: >\n\nc: |+\n\n", true },
	{ "quoted text", "'a''b': \"c\\\"d\\\\\\t/\\/\"\n\"e # f\" : 'g: h'  # i\n", true },
	{ "quoted text over lines", "a: 'b\n  c'\n", false },
	{ "an escape in hexadecimal", "a: \"\\x41\"\n", false },
	{ "flow over lines", "a: [1,  # one\n# two\n2\n  ,3\n]\nb: {x:\n  1,\n y: 2}\n", true },
	{ "flow with what may be a pair", "a: [b: c]\n", false },
	{ "flow with a comma at its end", "a: [b, ]\n", false },
	{ "an unquoted template", "a: {{ b }}\n", false },
	{ "colons and number signs inside", "a: b:c http://d#e ::f\n#g\nh#i: j '\"k\n", true },
	{ "dashes", "--a: -b\n-c: --\nd: ---e\n", true },
	{ "merges and equal signs", "<<: {a: 1}\n=: 2\n", true },
	{ "anchors", "a: &b c\n", false },
	{ "tags", "a: !unsafe b\n", false },
	{ "a tab between", "a:\tb\n", false },
	{ "a tab in front", "a:\n\tb: c\n", false },
	{ "a tab in a comment", "a: b #\tc\n", true },
	{ "no ASCII", "a: \xc3\xa9\n", false },
	{ "a carriage return", "a: b\r\n", false },
	{ "DEL", "a: b\x7f\n", false },
	{ "two documents", "a: b\n---\nc: d\n", false },
	{ "a document that ends", "a: b\n...\n", false },
	{ "a directive", "%YAML 1.1\n---\na: b\n", false },
	{ "a scalar alone", "a\n", false },
	{ "a list alone", "[a, b]\n", true },
	{ "nothing", "", false },
	{ "comments alone", "# a\n", false },
	{ "a start alone", "---\n", false },
	{ "indented less than the first", "  a: 1\n b: 2\n", false },
	{ "indented more than the first", " a: 1\n  b: 2\n", false },
	{ "a key without a value", "a: 1\nb\n", false },
	{ "a pair in a pair", "a: b: c\n", false },
	{ "text behind quotes", "a: 'b' c\n", false },
	{ "a comment at quotes", "a: 'b'#c\n", false },
	{ "a list as a key", "? [a]\n: b\n", false },
};

static bool has_place(enum hf_yaml_event_type type)
{
	return type == HF_YAML_SCALAR || type == HF_YAML_SEQUENCE || type == HF_YAML_MAPPING;
}

static bool alike(const struct hf_yaml_event *a, const struct hf_yaml_event *b)
{
	bool place = a->mark.line == b->mark.line && a->mark.column == b->mark.column;
	if (a->type != b->type || (has_place(a->type) && !place) || b->tag != NULL || b->anchor != NULL)
		return false;
	return a->type != HF_YAML_SCALAR ||
	       (hf_str_equal(a->text, b->text) && a->implicit == b->implicit && a->quoted == b->quoted);
}

/* Whether it is of the simple kind; fails the test where libyaml has other events. text: of its own size, so
 * that reading past it is seen. */
static bool compare(struct hf_str text)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_yaml_simple scanned;
	if (!hf_yaml_simple_scan(a, text, &scanned))
		return false;
	struct hf_yaml_events *simple = hf_yaml_events_open(a, a, "t.yml", text, false);
	struct hf_yaml_events *libyaml = hf_yaml_events_open(a, a, "t.yml", text, true);
	assert_non_null(libyaml);
	struct hf_yaml_event got = { 0 }, want = { 0 };
	do {
		struct hf_error err = { 0 };
		assert_int_equal(hf_yaml_events_next(simple, &got, &err), 0);
		if (hf_yaml_events_next(libyaml, &want, &err) < 0 || !alike(&got, &want))
			fail_msg("%u:%u \"%.*s\" beside %u:%u \"%.*s\" (%s) in\n%.*s", got.mark.line,
				got.mark.column, HF_STR_ARG(got.text), want.mark.line, want.mark.column,
				HF_STR_ARG(want.text), err.text, HF_STR_ARG(text));
	} while (want.type != HF_YAML_STREAM_END);
	hf_yaml_events_close(simple);
	hf_yaml_events_close(libyaml);
	return true;
}

static void as_libyaml(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	size_t n = strlen(r->text);
	char *text = memcpy(hf_alloc(a, n), r->text, n);
	assert_int_equal(compare(hf_strn(text, n)), r->simple);
}

static uint32_t random_next(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> 12;
}

/* One character replaced, put in or taken out, or a line indented by one more or less. */
static size_t change(char *text, size_t n, uint32_t *random)
{
	static const char set[] = "\n\n\n   --::#'\"|>[]{},&*!?%@`\\\tab~=<.1+\r\xc3";
	size_t at = random_next(random) % n;
	char c = set[random_next(random) % (sizeof(set) - 1)];
	uint32_t how = random_next(random) % 5;
	const char *newline = memchr(text + at, '\n', n - at);
	if (how >= 3 && newline != NULL && newline + 1 < text + n) {
		at = (size_t)(newline + 1 - text);
		c = ' ';
		if (how == 4 && text[at] != ' ')
			return n;
		how -= 2;
	}
	if (how == 0 || n < 2 || n >= TEXT_MAX) {
		text[at] = c;
	} else if (how == 1) {
		memmove(text + at + 1, text + at, n - at);
		text[at] = c;
		return n + 1;
	} else {
		memmove(text + at, text + at + 1, n - at - 1);
		return n - 1;
	}
	return n;
}

static void change_and_compare(const struct row *r)
{
	uint32_t random = 1;
	size_t length = strlen(r->text);
	assert_true(length < TEXT_MAX - 8);
	for (int i = 0; length > 0 && i < CHANGED_TEXTS; i++) {
		hf_auto_arena a = hf_arena_new();
		char text[TEXT_MAX];
		size_t n = length;
		memcpy(text, r->text, n);
		for (uint32_t k = random_next(&random) % 3 + 1; k > 0; k--)
			n = change(text, n, &random);
		compare(hf_strn(memcpy(hf_alloc(a, n), text, n), n));
	}
}

static void as_libyaml_when_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		change_and_compare(&rows[i]);
}

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, rows, as_libyaml);
	UNIT_ADD(&tests, as_libyaml_when_changed);
	return unit_run(&tests);
}
