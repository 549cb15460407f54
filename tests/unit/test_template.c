#include <stdio.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/template/template.h"
#include "tests/unit/unit.h"

enum { WANT_MAX = 1 << 16 };

struct outcome {
	struct hf_buf out;
	struct hf_error err;
	unsigned marks;
	int code; /* 0 or the code of the failure */
};

static struct outcome render(
	struct hf_arena *a, const struct hf_template_env *env, const char *source, struct hf_value *vars)
{
	struct outcome o = { .out = hf_buf_init(HF_TEMPLATE_OUTPUT) };
	struct hf_template *t;
	struct hf_render how = { .arena = a, .env = env, .variables = vars };
	int r = hf_template_compile(a, env, hf_str(source), "t.j2", &t, &o.err);
	if (r == 0)
		r = hf_template_render(t, &how, &o.out, &o.marks, &o.err);
	o.code = -r;
	return o;
}

/* Every row: template, variables as JSON, then the text or the whole message. */
static const struct row {
	const char *title, *source, *vars, *want, *want_err;
} rows[] = {
	{ "text alone", "a\nb\n", "{}", "a\nb", NULL },
	{ "name and attribute", "{{ a.b }}", "{\"a\": {\"b\": 1}}", "1", NULL },
	{ "undefined prints nothing", "[{{ nope }}]", "{}", "[]", NULL },
	{ "loop fields", "{% for x in [1, 2] %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "{}",
		"1/2 2/2 ", NULL },
	{ "set stays inside a loop", "{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}",
		"{}", "1", NULL },
	{ "set leaves an if", "{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "{}", "2", NULL },
	{ "macro sees later set", "{% macro m() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ m() }}", "{}", "5",
		NULL },
	{ "macro does not see the caller's loop",
		"{% macro m() %}[{{ i }}]{% endmacro %}{% for i in [1] %}{{ m() }}"
		"{% endfor %}",
		"{}", "[]", NULL },
	{ "namespace",
		"{% set n = namespace(a=1) %}{% for i in [1, 2] %}{% set n.a = n.a + i %}{% endfor %}{{ n.a "
		"}}",
		"{}", "4", NULL },
	{ "caller", "{% macro m() %}<{{ caller(3) }}>{% endmacro %}{% call(x) m() %}{{ x }}{% endcall %}",
		"{}", "<3>", NULL },
	{ "recursive loop",
		"{% for n in t recursive %}{{ n.a }}{% if n.c %}({{ loop(n.c) }}){% endif %}{% endfor %}",
		"{\"t\": [{\"a\": 1, \"c\": [{\"a\": 2}]}]}", "1(2)", NULL },
	{ "power is left-associative", "{{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}", "{}", "64 4", NULL },
	{ "integers have no bound", "{{ 2 ** 64 + 1 }}", "{}", "18446744073709551617", NULL },
	{ "floor division", "{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }}", "{}", "-4 2 3.5", NULL },
	{ "chained comparison", "{{ 1 < 2 < 3 }} {{ 1 in [1] == true }}", "{}", "True False", NULL },
	{ "containers print as Python's repr", "{{ [1, 'a', none, 1.0, (2,)] }}", "{}",
		"[1, 'a', None, 1.0, (2,)]", NULL },
	{ "characters, not bytes", "{{ 'h\xc3\xa9llo'[1] }}{{ 'h\xc3\xa9' | length }}", "{}",
		"\xc3\xa9"
		"2",
		NULL },
	{ "unknown filter in an if not taken", "{% if false %}{{ 1 | nope }}{% endif %}ok", "{}", "ok",
		NULL },
	/* failures: where and why */
	{ "unknown filter", "a\n  {{ x|nope }}", "{}", NULL, "t.j2:2:8: No filter named 'nope'." },
	{ "unknown test", "{{ x is nope }}", "{}", NULL, "t.j2:1:6: No test named 'nope'." },
	{ "unknown tag", "\n{% nope %}", "{}", NULL, "t.j2:2:4: Encountered unknown tag 'nope'." },
	{ "unfinished expression", "{{ 1 + }}", "{}", NULL, "t.j2:1:8: unexpected 'end of print statement'" },
	{ "unfinished print", "{{ a", "{}", NULL,
		"t.j2:1:5: unexpected end of template, expected 'end of print statement'." },
	{ "unfinished for", "{% for a in b %}", "{}", NULL,
		"t.j2:1:17: Unexpected end of template. Jinja was looking for the following tags: 'endfor'" },
	{ "wrong bracket", "{{ (1] }}", "{}", NULL, "t.j2:1:6: unexpected ']', expected ')'" },
	{ "unfinished comment", "a {# b", "{}", NULL, "t.j2:1:5: Missing end of comment tag" },
	{ "block twice", "{% block a %}{% endblock %}{% block a %}{% endblock %}", "{}", NULL,
		"t.j2:1:39: block 'a' defined twice" },
	{ "do is off", "{% do 1 %}", "{}", NULL, "t.j2:1:4: Encountered unknown tag 'do'." },
	{ "attribute of undefined", "x\n{{ a.b.c }}", "{\"a\": {}}", NULL,
		"t.j2:2:7: 'dict object' has no attribute 'b'" },
	{ "division by zero", "{{ 1 // 0 }}", "{}", NULL, "t.j2:1:6: integer division or modulo by zero" },
	{ "str + int", "{{ 'a' + 1 }}", "{}", NULL,
		"t.j2:1:8: can only concatenate str (not \"int\") to str" },
	{ "order of str and int", "{{ 1 < 'a' }}", "{}", NULL,
		"t.j2:1:4: '<' not supported between instances of 'int' and 'str'" },
	{ "too many to unpack", "{% for a, b in [[1, 2, 3]] %}{% endfor %}", "{}", NULL,
		"t.j2:1:8: too many values to unpack (expected 2)" },
	{ "nothing to include", "{% include 'x' %}", "{}", NULL,
		"t.j2:1:4: template 'x' not found: there is no loader" },
	{ "calling what is no function", "{{ a() }}", "{\"a\": 1}", NULL,
		"t.j2:1:5: 'int' object is not callable" },
};

static void row_renders(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_error err = { 0 };
	struct hf_value *vars;
	assert_int_equal(hf_json_parse(a, hf_str(r->vars), "vars", &vars, &err), 0);
	struct hf_template_env env = { 0 };
	struct outcome o = render(a, &env, r->source, vars);
	char text[HF_ERROR_TEXT_MAX + 64];
	if (r->want_err != NULL) {
		assert_int_not_equal(o.code, 0);
		assert_string_equal(hf_error_print(&o.err, text, sizeof(text)), r->want_err);
	} else {
		if (o.code != 0)
			fail_msg("%s", hf_error_print(&o.err, text, sizeof(text)));
		assert_string_equal(hf_buf_str(&o.out).p, r->want);
	}
	hf_buf_done(&o.out);
}

static const struct space_row {
	const char *title, *source, *want;
	bool trim, lstrip, keep;
} space_rows[] = {
	{ "minus eats both sides", "a \n {%- if true -%} \n b {%- endif %} c", "ab c", false, false, false },
	{ "trim_blocks eats one newline", "{% if true %}\n\na{% endif %}\nb", "\nab", true, false, false },
	{ "trim_blocks leaves prints alone", "{{ 1 }}\n{{ 2 }}", "1\n2", true, false, false },
	{ "plus keeps the newline", "{% if true +%}\na{% endif %}", "\na", true, false, false },
	{ "lstrip_blocks", "a\n  {% if true %}b{% endif %}", "a\nb", false, true, false },
	{ "lstrip_blocks needs a bare line", "a {% if true %}b{% endif %}", "a b", false, true, false },
	{ "lstrip_blocks leaves prints alone", "  {{ 1 }}", "  1", false, true, false },
	{ "plus keeps the indentation", "  {%+ if true %}b{% endif %}", "  b", false, true, false },
	{ "comment", "a\n  {# x #}\nb", "a\nb", true, true, false },
	{ "raw", "{% raw %}{{ x }}{% endraw %}\n", "{{ x }}", false, false, false },
	{ "the last newline goes", "a\n\n", "a\n", false, false, false },
	{ "the last newline stays", "a\n", "a\n", false, false, true },
	{ "all newlines become one kind", "a\r\nb\rc", "a\nb\nc", false, false, false },
};

static void row_spaces(void **state)
{
	const struct space_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_template_env env = {
		.trim_blocks = r->trim, .lstrip_blocks = r->lstrip, .keep_trailing_newline = r->keep
	};
	struct outcome o = render(a, &env, r->source, NULL);
	assert_int_equal(o.code, 0);
	assert_string_equal(hf_buf_str(&o.out).p, r->want);
	hf_buf_done(&o.out);
}

/* Templates that want more than they may have: each ends with HF_E_LIMIT, soon and without the memory. */
static const struct limit_row {
	const char *title, *source;
} limit_rows[] = {
	{ "text times a number", "{{ 'x' * 100000000 }}" },
	{ "doubling text", "{% set n = namespace(s='x') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s "
			   "%}{% endfor %}" },
	{ "list times a number", "{{ [0] * 1000000000 }}" },
	{ "range", "{% for i in range(1000000000) %}{% endfor %}" },
	{ "loops in loops",
		"{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}" },
	{ "power", "{{ 10 ** (10 ** 10) }}" },
	{ "macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}" },
	{ "output", "{% for i in range(100000) %}{{ 'xxxxxxxxxx' * 1000 }}{% endfor %}" },
	{ "padding", "{{ 'x'.center(1000000000) }}" },
	{ "width of a format", "{{ '%1000000000d' % 1 }}" },
	{ "indent", "{{ 'a' | indent(1000000000, first=true) }}" },
	{ "batch", "{{ [1] | batch(1000000000, 0) | list }}" },
};

static void row_limited(void **state)
{
	const struct limit_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_template_env env = { .limits = { .steps = 2000000, .output = 4 << 20 } };
	struct outcome o = render(a, &env, r->source, NULL);
	assert_int_equal(o.code, HF_E_LIMIT);
	assert_true(hf_arena_size(a) < (size_t)512 << 20);
	hf_buf_done(&o.out);
}

static void deep_source_is_refused(void **state)
{
	static const char *const parts[] = { "(", "[", "-", "not ", "{% if a %}", "a|upper|", "1+" };
	for (size_t i = 0; i < HF_COUNT(parts); i++) {
		hf_auto_arena a = hf_arena_new();
		hf_auto_buf source = hf_buf_init(1 << 20);
		hf_buf_puts(&source, parts[i][0] == '{' ? "" : "{{ ");
		for (int n = 0; n < 5000; n++)
			hf_buf_puts(&source, parts[i]);
		hf_buf_puts(&source, "upper }}");
		struct hf_template_env env = { 0 };
		struct outcome o = render(a, &env, source.p, NULL);
		assert_int_equal(o.code, HF_E_LIMIT);
		hf_buf_done(&o.out);
	}
}

static const struct mark_row {
	const char *title, *source;
	unsigned want;
} mark_rows[] = {
	{ "printed", "{{ s }}", HF_VALUE_SECRET },
	{ "not printed", "{% if s %}yes{% endif %}", 0 },
	{ "joined", "{{ s ~ 'x' }}", HF_VALUE_SECRET },
	{ "added", "{{ 'x' + s }}", HF_VALUE_SECRET },
	{ "formatted", "{{ '%s' % s }}", HF_VALUE_SECRET },
	{ "str.format", "{{ '{}'.format(s) }}", HF_VALUE_SECRET },
	{ "filtered", "{{ s | upper | replace('A', 'b') }}", HF_VALUE_SECRET },
	{ "argument of a filter", "{{ 'x' | replace('x', s) }}", HF_VALUE_SECRET },
	{ "sliced", "{{ s[1:] }}{{ s[0] }}", HF_VALUE_SECRET },
	{ "item of a list", "{{ [s] | first }}", HF_VALUE_SECRET },
	{ "list as text", "{{ [1, [s]] }}", HF_VALUE_SECRET },
	{ "joined list", "{{ ['a', s] | join(',') }}", HF_VALUE_SECRET },
	{ "json", "{{ {'k': s} | tojson }}", HF_VALUE_SECRET },
	{ "split", "{{ s.split('e')[0] }}", HF_VALUE_SECRET },
	{ "loop over characters", "{% for c in s %}{{ c }}{% endfor %}", HF_VALUE_SECRET },
	{ "set block", "{% set x %}-{{ s }}-{% endset %}{{ x }}", HF_VALUE_SECRET },
	{ "macro", "{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(s) }}", HF_VALUE_SECRET },
	{ "filter block", "{% filter upper %}{{ s }}{% endfilter %}", HF_VALUE_SECRET },
	{ "number", "{{ n + 1 }}", HF_VALUE_SECRET },
	{ "attribute of a secret dict", "{{ d.a }}", HF_VALUE_SECRET },
	{ "map", "{{ [s] | map('upper') | list }}", HF_VALUE_SECRET },
	{ "unsafe", "{{ u | lower }}", HF_VALUE_UNSAFE },
	{ "both", "{{ u ~ s }}", HF_VALUE_UNSAFE | HF_VALUE_SECRET },
	{ "neither", "{{ p }}{{ [p] }}", 0 },
};

static void row_marks(void **state)
{
	const struct mark_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *vars = hf_value_dict(a), *dict = hf_value_dict(a);
	hf_dict_put(dict, "a", hf_value_cstr(a, "plain"));
	hf_dict_put(vars, "s", hf_value_with_flags(a, hf_value_cstr(a, "secret"), HF_VALUE_SECRET));
	hf_dict_put(vars, "n", hf_value_with_flags(a, hf_value_int(a, 4), HF_VALUE_SECRET));
	hf_dict_put(vars, "d", hf_value_with_flags(a, dict, HF_VALUE_SECRET));
	hf_dict_put(vars, "u", hf_value_with_flags(a, hf_value_cstr(a, "{{ x }}"), HF_VALUE_UNSAFE));
	hf_dict_put(vars, "p", hf_value_cstr(a, "plain"));
	struct hf_template_env env = { 0 };
	struct outcome o = render(a, &env, r->source, vars);
	assert_int_equal(o.code, 0);
	assert_int_equal(o.marks, r->want);
	hf_buf_done(&o.out);
}

static const struct undefined_row {
	const char *title, *source;
	enum hf_undefined_mode mode;
	const char *want; /* NULL: raises */
} undefined_rows[] = {
	{ "strict print", "{{ u }}", HF_UNDEFINED_STRICT, NULL },
	{ "strict default", "{{ u | default('d') }}", HF_UNDEFINED_STRICT, "d" },
	{ "strict defined", "{{ u is defined }}", HF_UNDEFINED_STRICT, "False" },
	{ "strict truth", "{{ 1 if u else 2 }}", HF_UNDEFINED_STRICT, NULL },
	{ "strict equal", "{{ u == 1 }}", HF_UNDEFINED_STRICT, NULL },
	{ "strict attribute", "{{ u.a is defined }}", HF_UNDEFINED_STRICT, NULL },
	{ "chain", "{{ u.a['b'].c is defined }}", HF_UNDEFINED_STRICT_CHAINABLE, "False" },
	{ "chain with default", "{{ u.a.b | default(3) }}", HF_UNDEFINED_STRICT_CHAINABLE, "3" },
	{ "chain printed", "{{ u.a }}", HF_UNDEFINED_STRICT_CHAINABLE, NULL },
	{ "chainable prints nothing", "[{{ u.a.b }}]", HF_UNDEFINED_CHAINABLE, "[]" },
	{ "inline if without else is never strict", "[{{ 1 if false }}]", HF_UNDEFINED_STRICT, "[]" },
};

static void row_undefined(void **state)
{
	const struct undefined_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_template_env env = { .undefined = r->mode };
	struct outcome o = render(a, &env, r->source, NULL);
	assert_int_equal(o.code, r->want == NULL ? HF_E_UNDEFINED : 0);
	if (r->want != NULL)
		assert_string_equal(hf_buf_str(&o.out).p, r->want);
	hf_buf_done(&o.out);
}

static void rendering_again_gives_the_same(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err = { 0 };
	struct hf_template_env env = { 0 };
	struct hf_template *t;
	const char *source =
		"{% set l = [1] %}{% set _ = l.append(2) %}{% for x in v %}{{ x }}{% endfor %}{{ l }}";
	assert_int_equal(hf_template_compile(a, &env, hf_str(source), "t", &t, &err), 0);
	for (int i = 0; i < 3; i++) {
		hf_auto_arena scratch = hf_arena_new();
		hf_auto_buf out = hf_buf_init(WANT_MAX);
		struct hf_value *vars = hf_value_dict(scratch), *list = hf_value_list(scratch);
		hf_list_append(list, hf_value_int(scratch, i));
		hf_dict_put(vars, "v", list);
		struct hf_render how = { .arena = scratch, .env = &env, .variables = vars };
		assert_int_equal(hf_template_render(t, &how, &out, NULL, &err), 0);
		char want[32];
		snprintf(want, sizeof(want), "%d[1, 2]", i);
		assert_string_equal(out.p, want);
	}
}

static void failure_leaves_output_alone(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err = { 0 };
	struct hf_template_env env = { 0 };
	struct hf_template *t;
	hf_auto_buf out = hf_buf_init(WANT_MAX);
	hf_buf_puts(&out, "before");
	struct hf_render how = { .arena = a, .env = &env };
	assert_int_equal(hf_template_compile(a, &env, HF_STR("some {{ 1 // 0 }}"), "t", &t, &err), 0);
	assert_int_equal(hf_template_render(t, &how, &out, NULL, &err), -HF_E_TEMPLATE);
	assert_string_equal(out.p, "before");
}

static void names_read(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err = { 0 };
	struct hf_template_env env = { 0 };
	struct hf_template *t;
	assert_int_equal(
		hf_template_compile(a, &env, HF_STR("{{ a.b }}{% if c %}{% endif %}"), "t", &t, &err), 0);
	struct hf_value *names = hf_template_names(a, t);
	assert_int_equal(hf_list_len(names), 2);
	assert_string_equal(hf_list_at(names, 0)->u.string.p, "a");
	assert_string_equal(hf_list_at(names, 1)->u.string.p, "c");
	const char *source = "{{ (module['net'].vpc).id ~ module[x].y ~ vpc.id | upper }}{% for z in "
			     "net.zones %}{{ z.name ~ range(3) }}{% endfor %}";
	static const char *const wanted[] = { "module.net.vpc.id", "module", "x", "vpc.id", "net.zones" };
	assert_int_equal(hf_template_compile(a, &env, hf_str(source), "t", &t, &err), 0);
	struct hf_value *paths = hf_template_paths(a, t);
	assert_int_equal(hf_list_len(paths), HF_COUNT(wanted));
	for (size_t i = 0; i < HF_COUNT(wanted); i++)
		assert_string_equal(hf_list_at(paths, i)->u.string.p, wanted[i]);
	assert_int_equal(hf_template_compile(a, &env, HF_STR("{{ name }}"), "t", &t, &err), 0);
	assert_string_equal(hf_template_single_name(t).p, "name");
	assert_int_equal(hf_template_compile(a, &env, HF_STR("{{ name }} "), "t", &t, &err), 0);
	assert_null(hf_template_single_name(t).p);
	assert_false(hf_template_is_template(&env, HF_STR("plain { text }")));
	assert_true(hf_template_is_template(&env, HF_STR("a {# b")));
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD_ROWS(&tests, rows, row_renders);
	UNIT_ADD_ROWS(&tests, space_rows, row_spaces);
	UNIT_ADD_ROWS(&tests, limit_rows, row_limited);
	UNIT_ADD_ROWS(&tests, mark_rows, row_marks);
	UNIT_ADD_ROWS(&tests, undefined_rows, row_undefined);
	UNIT_ADD(&tests, deep_source_is_refused);
	UNIT_ADD(&tests, rendering_again_gives_the_same);
	UNIT_ADD(&tests, failure_leaves_output_alone);
	UNIT_ADD(&tests, names_read);
	return unit_run(&tests);
}
