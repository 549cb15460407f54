/* The quick reader gives what libyaml's events give: values, types, marks and places; and it reads what
 * playbooks are made of by itself. Documents are put together at random from fragments, well formed and not.
 */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/data/yaml_quick.h"
#include "tests/unit/unit.h"

enum { DOCUMENTS = 40000, LINES_MAX = 12 };

static const struct row {
	const char *title, *text;
} rows[] = {
	{ "a playbook",
		"---\n# a play\n- name: web\n  hosts: all\n  vars: {port: 80, names: [a, 'b c']}\n  tasks:\n"
		"    - name: \"it's \\\"x\\\"\"  # why\n      copy:\n        dest: /etc/x\n        mode: "
		"'0644'\n"
		"        content: |\n          a: 1\n            b\n\n          c\n      when: x is "
		"defined\n" },
	{ "a list at its key's indentation", "a:\n- 1\n- b: 2\n  c:\n- \nd: ~\n" },
	{ "lists in lists", "- - a\n  - - b\n-\n  - c\n" },
	{ "folded, kept and stripped", "a: >-\n  x\n  y\n\n  z\n   w\n  v\nb: |+\n  t\n\n\nc: >\n\n  u\n" },
	{ "beyond ASCII", "\"\xc3\xa9\": \xe2\x82\xac # \xf0\x9f\x98\x80\n'k\xc3\xbc': {\xc3\xa9: 1}\n" },
	{ "numbers and words", "a: 0644\nb: 1.5\nc: yes\nd: null\n1: 2020-01-02\ne: 1:30\n" },
	{ "no line end", "a: b" },
};

static bool same(const struct hf_value *a, const struct hf_value *b);

static bool same_dict(const struct hf_value *a, const struct hf_value *b)
{
	if (hf_dict_len(a) != hf_dict_len(b))
		return false;
	const struct hf_map *of_a = &a->u.dict->map, *of_b = &b->u.dict->map;
	for (uint32_t i = 0; i < of_a->count; i++)
		if (!same(hf_entry_key(&of_a->entries[i]), hf_entry_key(&of_b->entries[i])) ||
			!same(hf_entry_value(&of_a->entries[i]), hf_entry_value(&of_b->entries[i])))
			return false;
	return true;
}

static bool same(const struct hf_value *a, const struct hf_value *b)
{
	if (a->type != b->type || a->flags != b->flags || a->line != b->line || a->column != b->column)
		return false;
	if (a->type == HF_DICT)
		return same_dict(a, b);
	if (a->type != HF_LIST)
		return hf_value_equal(a, b) || a->type == HF_FLOAT;
	if (hf_list_len(a) != hf_list_len(b))
		return false;
	for (size_t i = 0; i < hf_list_len(a); i++)
		if (!same(hf_list_at(a, i), hf_list_at(b, i)))
			return false;
	return true;
}

static void on_warning(void *data, struct hf_pos pos, const char *text)
{
	(void)pos;
	(void)text;
	*(bool *)data = true;
}

/* True when the quick reader read it. Fails the test when libyaml says something else. */
static bool compare(struct hf_str text)
{
	hf_auto_arena a = hf_arena_new();
	bool warned = false;
	struct hf_yaml_options options = { .warning = on_warning, .data = &warned };
	struct hf_error err = { 0 };
	struct hf_value *all = NULL;
	const struct hf_value *quick = hf_yaml_quick(a, text, "t");
	if (quick == NULL)
		return false;
	bool agrees = hf_yaml_parse_all(a, text, "t", &options, &all, &err) == 0 && hf_list_len(all) == 1 &&
		      !warned && same(quick, hf_list_at(all, 0));
	if (!agrees)
		fail_msg("libyaml reads this in another way: %s\n%.*s", err.text, HF_STR_ARG(text));
	return true;
}

static void quick_row(void **state)
{
	const struct row *r = *state;
	assert_true(compare(hf_str(r->text)));
}

static const char *const pieces[] = { "- ", "- ", "a: ", "b: ", "c:", "k: v", "'q': 1", "\"w\": 'it''s'", "x",
	"# note", " # note", "|", ">", "|-", ">+", "| # c", "text here", "[a, b]", "{a: 1, b: [2, c d]}",
	"[]", "{}", "-", "1", "yes", "~", "<<: {}", "&x 1", "*x", "!!str 1", "a: b: c", "http://x:80/y#z",
	"x #y", "x# y", "'open", "\"e\\n\\t\\x41\"", "\"a\": b", "? k", "---", "...", "%", "\t", "\xc3\xa9",
	"\xc3\xa9: y", "\xe2\x80\xa8", "'\xc3\xa9': [\xc3\xa9]", "{{ x }}", "\"{{ x }}\"", "a:b", "-x",
	"--- x", "=", "k :  v  ", "  ", "a: \"b\" c", "'a':b", "[a: 1]", "[a, ]", "{a}", "0o7", "1_000", ".5",
	"2020-01-01", ": x", "@a", "`b", ",", "key with space: v", "\r", "\x7f" };

static uint32_t dice(uint64_t *seed, uint32_t sides)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(*seed >> 33) % sides;
}

static void document_add(struct hf_buf *out, uint64_t *seed, bool tame)
{
	unsigned lines = 1 + dice(seed, LINES_MAX), indent = 0;
	for (unsigned i = 0; i < lines; i++) {
		unsigned move = dice(seed, 4);
		indent = move == 0 ? indent + 2 : move == 1 && indent >= 2 ? indent - 2 : indent;
		if (dice(seed, 12) == 0)
			indent = dice(seed, 9);
		hf_buf_printf(out, "%*s", (int)indent, "");
		for (unsigned n = dice(seed, 4); n > 0; n--)
			hf_buf_puts(out, pieces[dice(seed, tame ? 28 : HF_COUNT(pieces))]);
		if (i + 1 < lines || dice(seed, 5) > 0)
			hf_buf_put(out, '\n');
	}
}

static void random_documents(void **state)
{
	(void)state;
	uint64_t seed = 4711;
	unsigned read = 0;
	hf_auto_buf text = hf_buf_init(1 << 16);
	for (unsigned i = 0; i < DOCUMENTS; i++) {
		hf_buf_clear(&text);
		document_add(&text, &seed, i % 2 == 0);
		read += compare(hf_buf_str(&text));
	}
	assert_true(read > DOCUMENTS / 50); /* else this compares nothing */
}

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, rows, quick_row);
	UNIT_ADD(&tests, random_documents);
	return unit_run(&tests);
}
