/* YAML in: types, marks, positions, what is refused and where. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *text, *want; /* JSON; or, with error set, the start of "line:column: text" */
	enum hf_code error;
} rows[] = {
	{ "words of truth", "[yes, No, on, OFF, true, y, yES]",
		"[true, false, true, false, true, \"y\", \"yES\"]", 0 },
	{ "integers", "[0644, 0x1F, 0b11, 1_000, 1:30, 08, 0o17]", "[420, 31, 3, 1000, 90, \"08\", \"0o17\"]",
		0 },
	{ "an integer beyond 64 bits", "18446744073709551617", "18446744073709551617", 0 },
	{ "floats", "[1.0, 1., .5, 1.5e+3, 1e3, 1.5e3]", "[1.0, 1.0, 0.5, 1500.0, \"1e3\", \"1.5e3\"]", 0 },
	{ "nulls", "[~, null, '', \"null\"]", "[null, null, \"\", \"null\"]", 0 },
	{ "empty text", "", "null", 0 },
	{ "dates", "[2020-01-02, 2020-1-2]", "[\"2020-01-02\", \"2020-1-2\"]", 0 },
	{ "merge: own keys win, wherever", "{a: 1, <<: {a: 2, b: 3}}", "{\"a\": 1, \"b\": 3}", 0 },
	{ "merge: the first map wins", "<<: [{a: 1}, {a: 2, b: 2}]", "{\"a\": 1, \"b\": 2}", 0 },
	{ "alias", "a: &x [1]\nb: *x", "{\"a\": [1], \"b\": [1]}", 0 },
	{ "last duplicate wins", "a: 1\na: 2", "{\"a\": 2}", 0 },
	{ "unquoted template", "k: {{ x }}", "t.yml:1:5", HF_E_PARSE },
	{ "unknown tag", "a: !foo x", "t.yml:1:4", HF_E_PARSE },
	{ "date that is none", "a: 2020-13-01", "t.yml:1:4", HF_E_PARSE },
	{ "unknown anchor", "a: *b", "t.yml:1:4", HF_E_PARSE },
	{ "alias inside its anchor", "&a [*a]", "t.yml:1:5", HF_E_UNSUPPORTED },
	{ "second document", "a\n---\nb", "t.yml:2:1", HF_E_PARSE },
	{ "tab for indentation", "a:\n\tb: 1", "t.yml:2:1", HF_E_PARSE },
};

static void read_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf out = hf_buf_init(1 << 16);
	struct hf_value *v = NULL;
	struct hf_error err = { 0 };
	char shown[HF_ERROR_TEXT_MAX + 64];
	int result = hf_yaml_parse(a, hf_str(r->text), "t.yml", NULL, &v, &err);
	if (r->error != 0) {
		assert_int_equal(result, -(int)r->error);
		hf_error_print(&err, shown, sizeof(shown));
		assert_memory_equal(shown, r->want, strlen(r->want));
		return;
	}
	assert_int_equal(result, 0);
	struct hf_json_style style = { .indent = -1, .sort_keys = true };
	assert_int_equal(hf_json_write(&out, v, &style, &err), 0);
	assert_string_equal(out.p, r->want);
}

static void marks_and_places(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = NULL;
	struct hf_error err;
	struct hf_str text =
		HF_STR("a: !unsafe '{{ x }}'\nb: 'q'\nc: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n");
	assert_int_equal(hf_yaml_parse(a, text, "t.yml", NULL, &v, &err), 0);
	assert_true(hf_dict_get(v, "a")->flags & HF_VALUE_UNSAFE);
	assert_true(hf_dict_get(v, "b")->flags & HF_VALUE_QUOTED);
	assert_true(hf_dict_get(v, "c")->flags & HF_VALUE_VAULT);
	assert_true(hf_is_secret(hf_dict_get(v, "c")));
	assert_int_equal(hf_dict_get(v, "b")->line, 2);
	assert_int_equal(hf_dict_get(v, "b")->column, 4);
	struct hf_yaml_options plain = { .plain = true };
	assert_int_equal(hf_yaml_parse(a, HF_STR("!unsafe a"), "t.yml", &plain, &v, &err), -HF_E_PARSE);
}

static void warning_count(void *data, struct hf_pos pos, const char *text)
{
	++*(unsigned *)data;
	assert_int_equal(pos.line, 2);
	assert_non_null(strstr(text, "duplicate dict key (a)"));
}

static void duplicates(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = NULL;
	struct hf_error err;
	unsigned warnings = 0;
	struct hf_yaml_options options = { .warning = warning_count, .data = &warnings };
	assert_int_equal(hf_yaml_parse(a, HF_STR("a: 1\na: 2"), "t.yml", &options, &v, &err), 0);
	assert_int_equal(warnings, 1);
	options.strict = true;
	assert_int_equal(hf_yaml_parse(a, HF_STR("a: 1\na: 2"), "t.yml", &options, &v, &err), -HF_E_PARSE);
}

/* Each level names the one below ten times: a billion values in a few lines. */
static void aliases_do_not_multiply(void **state)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf text = hf_buf_init(1 << 16);
	struct hf_value *v = NULL;
	struct hf_error err;
	hf_buf_puts(&text, "a0: &a0 [x]\n");
	for (int i = 1; i < 10; i++) {
		hf_buf_printf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			hf_buf_printf(&text, "*a%d,", i - 1);
		hf_buf_puts(&text, "]\n");
	}
	assert_int_equal(hf_yaml_parse(a, hf_buf_str(&text), "t.yml", NULL, &v, &err), -HF_E_LIMIT);
}

static void depth_is_bounded(void **state)
{
	hf_auto_arena a = hf_arena_new();
	char text[4096];
	struct hf_value *v = NULL;
	struct hf_error err;
	memset(text, '[', sizeof(text));
	assert_int_equal(hf_yaml_parse(a, hf_strn(text, sizeof(text)), "t.yml", NULL, &v, &err), -HF_E_LIMIT);
}

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, rows, read_row);
	UNIT_ADD(&tests, marks_and_places);
	UNIT_ADD(&tests, duplicates);
	UNIT_ADD(&tests, aliases_do_not_multiply);
	UNIT_ADD(&tests, depth_is_bounded);
	return unit_run(&tests);
}
