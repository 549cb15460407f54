/* What templates may not do: reach out where that is switched off, lose the mark of a secret, template what
 * is unsafe, refer to themselves, run away. */
#include <stdio.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/engine/templar.h"
#include "tests/unit/unit.h"

static const char vars_text[] = "n: 5\n"
				"t: 'txt'\n"
				"l: [1, 2]\n"
				"d: {k: 'v'}\n"
				"raw: !unsafe '{{ n }}'\n"
				"raws: [!unsafe '{{ n }}', !unsafe '{{ t }}']\n"
				"around: 'x {{ raw }}'\n"
				"a: '{{ b }}'\n"
				"b: '{{ c }}'\n"
				"c: {x: ['{{ a }}']}\n"
				"me: '{{ me + 1 }}'\n"
				"inner: '{{ sec }}/{{ n }}'\n";

struct world {
	struct hf_arena *arena;
	struct hf_value *vars;
	struct hf_templar *templar;
};

static int variable(void *data, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	const struct world *w = data;
	struct hf_value key = { .type = HF_STRING, .u.string = name };
	*ret = hf_dict_find(w->vars, &key);
	return 0;
}

static struct hf_value *secret(struct hf_value *v)
{
	v->flags |= HF_VALUE_SECRET;
	return v;
}

static void world_open(struct world *w, bool sealed)
{
	struct hf_error err;
	w->arena = hf_arena_new();
	assert_int_equal(hf_yaml_parse(w->arena, hf_str(vars_text), "vars", NULL, &w->vars, &err), 0);
	struct hf_value *list = hf_value_list(w->arena), *dict = hf_value_dict(w->arena);
	hf_list_append(list, hf_value_cstr(w->arena, "open"));
	hf_list_append(list, secret(hf_value_cstr(w->arena, "pw-b")));
	hf_dict_put(dict, "key", secret(hf_value_cstr(w->arena, "pw-d")));
	hf_dict_put(w->vars, "sec", secret(hf_value_cstr(w->arena, "pw a.B")));
	hf_dict_put(w->vars, "num", secret(hf_value_cstr(w->arena, "1234")));
	hf_dict_put(w->vars, "secs", list);
	hf_dict_put(w->vars, "secd", dict);
	const struct hf_templar_source source = { .data = w, .variable = variable, .sealed = sealed };
	w->templar = hf_templar_new(w->arena, &source);
}

static int render(struct world *w, const char *text, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *source =
		hf_value_at(hf_value_cstr(w->arena, text), (struct hf_pos){ "play.yml", 7, 3 });
	return hf_templar_value(w->templar, w->arena, source, NULL, ret, err);
}

/* --- reaching out */

static const struct sealed {
	const char *title, *text, *refused; /* NULL: works */
} sealed[] = {
	{ "sealed: lookup of a file", "{{ lookup('file', '/etc/passwd') }}", "file" },
	{ "sealed: full name", "{{ lookup('ansible.builtin.file', '/etc/passwd') }}",
		"ansible.builtin.file" },
	{ "sealed: errors are not ignored", "{{ lookup('pipe', 'id', errors='ignore') }}", "pipe" },
	{ "sealed: query", "{{ query('lines', 'id') }}", "lines" },
	{ "sealed: environment", "{{ q('env', 'HOME') }}", "env" },
	{ "sealed: password", "{{ lookup('password', '/dev/null') }}", "password" },
	{ "sealed: names of files", "{{ lookup('fileglob', '/etc/*') }}", "fileglob" },
	{ "sealed: the first of files", "{{ lookup('first_found', ['/etc/passwd']) }}", "first_found" },
	{ "sealed: template", "{{ lookup('template', '/etc/passwd') }}", "template" },
	{ "sealed: vaulted file", "{{ lookup('unvault', '/etc/passwd') }}", "unvault" },
	{ "sealed: ini", "{{ lookup('ini', 'a', file='/etc/passwd') }}", "ini" },
	{ "sealed: csv", "{{ lookup('csvfile', 'a', file='/etc/passwd') }}", "csvfile" },
	{ "sealed: tree", "{{ lookup('community.general.filetree', '/etc') }}",
		"community.general.filetree" },
	{ "sealed: filter of names", "{{ '/etc/*' | fileglob }}", "fileglob" },
	{ "sealed: variables of the environment", "{{ '$HOME' | expandvars }}", "expandvars" },
	{ "sealed: home folder", "{{ ['~'] | map('ansible.builtin.expanduser') | list }}",
		"ansible.builtin.expanduser" },
	{ "sealed: real path", "{{ '/etc/mtab' | realpath }}", "realpath" },
	{ "sealed: test of a path", "{{ '/etc' is directory }}", "directory" },
	{ "sealed: test by name", "{{ ['/etc'] | select('exists') | list }}", "exists" },
	{ "sealed: inside a variable of a condition", "{% if '/etc' is not file %}{% endif %}", "file" },
	{ "sealed: items", "{{ lookup('items', [1]) }}", NULL },
	{ "sealed: variables", "{{ lookup('vars', 't') }}", NULL },
	{ "sealed: parts of a path", "{{ '/a/b' | basename }}{{ '/a/../b' | normpath }}", NULL },
};

static void sealed_row(void **state)
{
	const struct sealed *s = *state;
	struct world w;
	struct hf_error err = { 0 };
	struct hf_value *out = NULL;
	char quoted[64];
	world_open(&w, true);
	int result = render(&w, s->text, &out, &err);
	assert_int_equal(result, s->refused == NULL ? 0 : -HF_E_DENIED);
	if (s->refused != NULL) {
		snprintf(quoted, sizeof(quoted), "'%s' reaches outside", s->refused);
		assert_non_null(strstr(err.text, quoted));
		assert_int_equal(err.pos.line, 7);
	}
	hf_arena_free(w.arena);
}

/* --- secrets: whatever is made of one is one */

static const struct hiding {
	const char *title, *text;
	bool open; /* nothing secret is in it */
} hidings[] = {
	{ "secret: as it is", "{{ sec }}", false },
	{ "secret: in text", "a {{ sec }}", false },
	{ "secret: through a variable", "{{ inner }}", false },
	{ "secret: joined by ~", "{{ sec ~ 'x' }}", false },
	{ "secret: added", "{{ 'x' + sec }}", false },
	{ "secret: multiplied", "{{ sec * 2 }}", false },
	{ "secret: formatted by %", "{{ '<%s>' % sec }}", false },
	{ "secret: formatted by %, in a tuple", "{{ '<%s %s>' % (1, sec) }}", false },
	{ "secret: format filter", "{{ '<%s>' | format(sec) }}", false },
	{ "secret: format method", "{{ '<{}>'.format(sec) }}", false },
	{ "secret: format method by name", "{{ '<{x}>'.format(x=sec) }}", false },
	{ "secret: sliced", "{{ sec[1:3] }}", false },
	{ "secret: one character", "{{ sec[0] }}", false },
	{ "secret: chosen", "{{ sec if n == 5 else t }}", false },
	{ "secret: or", "{{ '' or sec }}", false },
	{ "secret: default", "{{ nope | default(sec) }}", false },
	{ "secret: in a list", "{{ [sec] }}", false },
	{ "secret: in a dict", "{{ {'k': sec} }}", false },
	{ "secret: an item", "{{ secs[1] }}", false },
	{ "secret: an attribute", "{{ secd.key }}", false },
	{ "secret: method", "{{ sec.upper() }}", false },
	{ "secret: split and joined", "{{ sec.split(' ') | join('-') }}", false },
	{ "secret: join", "{{ secs | join(',') }}", false },
	{ "secret: join by", "{{ ['a', 'b'] | join(sec) }}", false },
	{ "secret: replace", "{{ sec | replace('a', 'b') }}", false },
	{ "secret: replaced by", "{{ t | replace('t', sec) }}", false },
	{ "secret: regex_replace", "{{ sec | regex_replace('p', 'q') }}", false },
	{ "secret: regex_search", "{{ sec | regex_search('w.*') }}", false },
	{ "secret: regex_findall", "{{ sec | regex_findall('.') | first }}", false },
	{ "secret: base64", "{{ sec | b64encode }}", false },
	{ "secret: base64 and back", "{{ sec | b64encode | b64decode }}", false },
	{ "secret: to_json", "{{ secd | to_json }}", false },
	{ "secret: to_nice_yaml", "{{ secd | to_nice_yaml }}", false },
	{ "secret: to_json and back", "{{ (secd | to_json | from_json).key }}", false },
	{ "secret: to_yaml and back", "{{ (secd | to_yaml | from_yaml).key }}", false },
	{ "secret: string of a dict", "{{ secd | string }}", false },
	{ "secret: dict in text", "x{{ secd }}", false },
	{ "secret: combine", "{{ ({'a': 1} | combine(secd)).key }}", false },
	{ "secret: dict2items", "{{ (secd | dict2items)[0].value }}", false },
	{ "secret: map", "{{ secs | map('upper') | list | last }}", false },
	{ "secret: map of an attribute", "{{ [secd] | map(attribute='key') | first }}", false },
	{ "secret: sort", "{{ (secs | sort)[1] }}", false },
	{ "secret: unique", "{{ (secs | unique)[1] }}", false },
	{ "secret: reverse", "{{ sec | reverse }}", false },
	{ "secret: batch", "{{ (secs | batch(1) | list)[1][0] }}", false },
	{ "secret: zip", "{{ ([1] | zip([sec]) | list)[0][1] }}", false },
	{ "secret: flatten", "{{ ([secs] | flatten)[1] }}", false },
	{ "secret: quote", "{{ sec | quote }}", false },
	{ "secret: comment", "{{ sec | comment }}", false },
	{ "secret: hash", "{{ sec | hash('sha256') }}", false },
	{ "secret: password_hash", "{{ sec | password_hash('sha512', 'saltsalt', rounds=5000) }}", false },
	{ "secret: urlencode", "{{ sec | urlencode }}", false },
	{ "secret: escape", "{{ sec | escape }}", false },
	{ "secret: indent", "{{ sec | indent(2, true) }}", false },
	{ "secret: truncate", "{{ sec | truncate(3, true, '') }}", false },
	{ "secret: tojson", "{{ sec | tojson }}", false },
	{ "secret: pprint", "{{ secs | pprint }}", false },
	{ "secret: ternary", "{{ true | ternary(sec, 'x') }}", false },
	{ "secret: as a number", "{{ num | int }}", false },
	{ "secret: arithmetic", "{{ num | int + 1 }}", false },
	{ "secret: loop", "{% for x in secs %}{{ x }}{% endfor %}", false },
	{ "secret: loop over its characters", "{% for x in sec %}{{ x }}{% endfor %}", false },
	{ "secret: set", "{% set x = sec %}{{ x }}", false },
	{ "secret: block set", "{% set x %}<{{ sec }}>{% endset %}{{ x }}", false },
	{ "secret: namespace", "{% set ns = namespace(x='') %}{% set ns.x = sec %}{{ ns.x }}", false },
	{ "secret: macro", "{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(sec) }}", false },
	{ "secret: call", "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ sec }}{% endcall %}",
		false },
	{ "secret: filter block", "{% filter upper %}{{ sec }}{% endfilter %}", false },
	{ "secret: with", "{% with x = sec %}{{ x }}{% endwith %}", false },
	{ "secret: json_query", "{{ secd | json_query('key') }}", false },
	{ "secret: extract", "{{ 'key' | extract(secd) }}", false },
	{ "secret: splitext", "{{ (sec | splitext)[0] }}", false },
	{ "secret: basename", "{{ ('/a/' ~ sec) | basename }}", false },
	{ "secret: lookup", "{{ lookup('items', secs) }}", false },
	{ "not secret: text beside one", "{{ t }}", true },
};

static bool holds_secret(const struct hf_value *v)
{
	bool found = (v->flags & HF_VALUE_SECRET) != 0;
	if (hf_is_sequence(v))
		for (size_t i = 0; i < hf_list_len(v); i++)
			found |= holds_secret(hf_list_at(v, i));
	else if (v->type == HF_DICT)
		HF_DICT_EACH (v, e)
			found |= holds_secret(hf_entry_value(e));
	return found;
}

static void secret_row(void **state)
{
	const struct hiding *h = *state;
	struct world w;
	struct hf_error err = { 0 };
	struct hf_value *out = NULL;
	world_open(&w, false);
	assert_int_equal(render(&w, h->text, &out, &err), 0);
	assert_int_equal(holds_secret(out), !h->open);
	hf_arena_free(w.arena);
}

/* --- unsafe: never templated again */

static const struct unsafe {
	const char *title, *text, *want;
} unsafes[] = {
	{ "unsafe: as it is", "{{ raw }}", "{{ n }}" },
	{ "unsafe: in text", "<{{ raw }}>", "<{{ n }}>" },
	{ "unsafe: through a variable", "{{ around }}", "x {{ n }}" },
	{ "unsafe: item", "{{ raws[1] }}", "{{ t }}" },
	{ "unsafe: joined", "{{ raws | join(' ') }}", "{{ n }} {{ t }}" },
	{ "unsafe: method", "{{ raw.replace('n', 't') }}", "{{ t }}" },
	{ "unsafe: set", "{% set x = raw %}{{ x }}", "{{ n }}" },
	{ "unsafe: lookup", "{{ lookup('vars', 'raw') }}", "{{ n }}" },
	{ "unsafe: made by a template", "{{ '{' ~ '{ n }' ~ '}' }}", "{{ n }}" },
	{ "unsafe: loop", "{% for x in raws %}{{ x }}{% endfor %}", "{{ n }}{{ t }}" },
};

static void unsafe_row(void **state)
{
	const struct unsafe *u = *state;
	struct world w;
	struct hf_error err = { 0 };
	struct hf_value *out = NULL;
	world_open(&w, false);
	assert_int_equal(render(&w, u->text, &out, &err), 0);
	assert_int_equal(out->type, HF_STRING);
	assert_string_equal(out->u.string.p, u->want);
	hf_arena_free(w.arena);
}

/* --- loops and bounds */

static const struct stopped {
	const char *title, *text, *said;
	enum hf_code code;
} stops[] = {
	{ "a loop of three", "{{ a }}", "a <- c <- b <- a", HF_E_TEMPLATE },
	{ "a loop through a list", "{{ c.x }}", "c <- b <- a <- c", HF_E_TEMPLATE },
	{ "a loop of one", "{{ me }}", "me <- me", HF_E_TEMPLATE },
	{ "an endless macro", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "deep", HF_E_LIMIT },
	{ "loops in loops", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
		"more steps", HF_E_LIMIT },
	{ "a long range", "{{ range(10000000) | list }}", "range", HF_E_LIMIT },
	{ "a long text", "{{ 'x' * 999999999 }}", "larger than", HF_E_LIMIT },
	{ "a long list", "{{ [0] * 999999999 }}", "larger than", HF_E_LIMIT },
	{ "much output", "{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", "output", HF_E_LIMIT },
	{ "a large number", "{{ 10 ** 99999 }}", "", HF_E_LIMIT },
	{ "a regular expression of 2^n steps", "{{ ('a' * 40 ~ 'c') | regex_search('(a|a|b?)*$') }}",
		"match limit", HF_E_LIMIT },
	{ "permutations", "{{ range(30) | permutations | list }}", "more than", HF_E_LIMIT },
	{ "a product", "{{ range(999) | product(range(999), range(999)) | list }}", "more than", HF_E_LIMIT },
	{ "a sequence to the last number",
		"{{ lookup('sequence', 'start=9223372036854775800 end=9223372036854775807') }}", "too large",
		HF_E_LIMIT },
	{ "a sequence from end to end",
		"{{ lookup('sequence', 'start=-9223372036854775808 end=9223372036854775807') }}", "too large",
		HF_E_LIMIT },
	{ "a sequence of too many steps", "{{ lookup('sequence', 'count=9223372036854775807 stride=2') }}",
		"too large", HF_E_LIMIT },
	{ "a long sequence", "{{ lookup('sequence', 'end=99999999') }}", "more than", HF_E_LIMIT },
	{ "rounds of a hash", "{{ 'x' | password_hash('sha512', 'saltsalt', rounds=900000000) }}", "rounds",
		HF_E_LIMIT },
};

static void stopped_row(void **state)
{
	const struct stopped *s = *state;
	struct world w;
	struct hf_error err = { 0 };
	struct hf_value *out = NULL;
	world_open(&w, false);
	assert_int_equal(render(&w, s->text, &out, &err), -(int)s->code);
	assert_non_null(strstr(err.text, s->said));
	hf_arena_free(w.arena);
}

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, sealed, sealed_row);
	UNIT_ADD_ROWS(&tests, hidings, secret_row);
	UNIT_ADD_ROWS(&tests, unsafes, unsafe_row);
	UNIT_ADD_ROWS(&tests, stops, stopped_row);
	return unit_run(&tests);
}
