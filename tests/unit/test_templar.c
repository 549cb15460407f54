/* Ansible's templating: what values become, lazily, and which marks they bear. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/engine/templar.h"
#include "tests/unit/unit.h"

static const char vars_text[] = "n: 5\n"
				"t: 'txt'\n"
				"lazy: '{{ n }}'\n"
				"chain: '{{ lazy }}'\n"
				"l: [1, '{{ n }}']\n"
				"d: {k: '{{ t }}', v: 2}\n"
				"nil: null\n"
				"yes_: true\n"
				"broken: '{{ missing }}'\n"
				"x: '{{ y }}'\n"
				"y: '{{ x }}'\n"
				"raw: !unsafe '{{ n }}'\n"
				"vaulted: PLACEHOLDER\n";

static const struct row {
	const char *title, *text, *want; /* YAML in, JSON out */
	enum hf_code error;
} rows[] = {
	{ "no template", "'plain'", "\"plain\"", 0 },
	{ "a number stays one", "'{{ n }}'", "5", 0 },
	{ "through a lazy variable it is text", "'{{ lazy }}'", "\"5\"", 0 },
	{ "arithmetic gives text", "'{{ n + 1 }}'", "\"6\"", 0 },
	{ "a list", "'{{ l }}'", "[1, 5]", 0 },
	{ "text that is a list", "'[{{ n }}, 2]'", "[5, 2]", 0 },
	{ "text around it", "' {{ l }}'", "\" [1, 5]\"", 0 },
	{ "to_json is not read again", "'{{ l | to_json }}'", "\"[1, 5]\"", 0 },
	{ "string is not read again", "'{{ l | string }}'", "\"[1, 5]\"", 0 },
	{ "null", "'{{ nil }}'", "null", 0 },
	{ "null in text", "'a{{ nil }}'", "\"a\"", 0 },
	{ "newlines are kept", "\"{{ t }}\\n\\n\"", "\"txt\\n\\n\"", 0 },
	{ "values, not keys", "{'{{ t }}': '{{ t }}'}", "{\"{{ t }}\": \"txt\"}", 0 },
	{ "unsafe is not templated", "'{{ raw }}'", "\"{{ n }}\"", 0 },
	{ "omit", "{a: '{{ omit }}', b: 1, c: {d: '{{ omit }}'}}", "{\"b\": 1, \"c\": {}}", 0 },
	{ "default of a broken variable", "'{{ broken | default(\"d\") }}'", "\"d\"", 0 },
	{ "backslashes stand for themselves", "'{{ \"a.b\" | regex_replace(\"\\.\", \"-\") }}'", "\"a-b\"",
		0 },
	{ "full name", "'{{ t | ansible.builtin.upper }}'", "", HF_E_PARSE },
	{ "full name of a filter of Ansible's", "'{{ t | ansible.builtin.b64encode }}'", "\"dHh0\"", 0 },
	{ "changing a variable in place lasts one template", "'{{ [l.append(3), l][1] }}'", "[1, 5, 3]", 0 },
	{ "undefined", "'{{ nope }}'", "", HF_E_UNDEFINED },
	{ "undefined below undefined", "'{{ nope.a.b }}'", "", HF_E_UNDEFINED },
	{ "undefined inside a list", "'{{ [nope] }}'", "", HF_E_UNDEFINED },
	{ "a loop of variables", "'{{ x }}'", "", HF_E_TEMPLATE },
	{ "unknown filter", "'{{ n | nope }}'", "", HF_E_PARSE },
	{ "positions in a list", "'{{ [1, 2, 3] | ansible.utils.index_of(\"!in\", [1, 2]) }}'", "\"2\"", 0 },
	{ "positions by a key", "'{{ [{\"k\": 1}, {\"k\": 2}, {}] | index_of(\">\", 0, \"k\") }}'", "[0, 1]",
		0 },
	{ "a key of what is no dictionary", "'{{ [1] | index_of(\"eq\", 1, \"k\") }}'", "", HF_E_TEMPLATE },
	{ "paths of a value", "'{{ {\"a\": {\"b c\": [1]}} | ansible.utils.to_paths }}'",
		"{\"a['b c'][0]\": 1}", 0 },
	{ "the value at a path", "'{{ {\"a\": [{\"b\": \"x\"}]} | ansible.utils.get_path(\"a[0].b\") }}'",
		"\"x\"", 0 },
	{ "a path sees no variables", "'{{ {\"a\": 1} | ansible.utils.get_path(\"t\") }}'", "",
		HF_E_UNDEFINED },
	{ "networks merged", "'{{ [\"10.0.0.7\", \"10.0.0.5\", \"10.0.0.6\"] | ansible.utils.cidr_merge }}'",
		"[\"10.0.0.5/32\", \"10.0.0.6/31\"]", 0 },
	{ "networks spanned", "'{{ [\"0.0.0.1\", \"255.0.0.0\"] | cidr_merge(\"span\") }}'", "\"0.0.0.0/0\"",
		0 },
	{ "addresses of a network", "'{{ \"10.0.0.4/31\" | ansible.utils.usable_range }}'",
		"{\"usable_ips\": [\"10.0.0.4\", \"10.0.0.5\"], \"number_of_ips\": 2}", 0 },
	{ "more addresses than can be listed", "'{{ \"2001:db8::/32\" | usable_range }}'", "", HF_E_LIMIT },
	{ "those inside a network",
		"'{{ [\"10.0.0.1\", \"11.0.0.1\"] | reduce_on_network(\"10.0.0.0/8\") }}'", "[\"10.0.0.1\"]",
		0 },
	{ "hardware addresses",
		"'{{ \"1-2-3-4-5-A\" | hwaddr(\"unix\") }} {{ \"0102.0304.050a\" | macaddr(\"win\") }}'",
		"\"1:2:3:4:5:a 01-02-03-04-05-0A\"", 0 },
	{ "what is no hardware address", "'{{ \"1-2-3-4\" | hwaddr(\"linux\") }}'", "", HF_E_TEMPLATE },
	{ "an address made of the hardware's", "'{{ \"2001:db8::/64\" | slaac(\"00:11:22:33:44:55\") }}'",
		"\"2001:db8::211:22ff:fe33:4455\"", 0 },
	{ "vlans in ranges", "'{{ [7, 1, 2, 6, 5] | ansible.netcommon.vlan_parser }}'", "[\"1,2,5-7\"]", 0 },
	{ "lists merged by a key",
		"'{{ [{\"i\": 2, \"l\": [1]}] | community.general.lists_mergeby([{\"i\": 2, \"l\": [3]}, "
		"{\"i\": 1}], "
		"\"i\", list_merge=\"append\") }}'",
		"[{\"i\": 1}, {\"i\": 2, \"l\": [1, 3]}]", 0 },
	{ "lists merged without a key", "'{{ [{}] | lists_mergeby([{}]) }}'", "", HF_E_TEMPLATE },
	{ "rows of CSV", "\"{{ 'a;b\\n1;\\\"x;y\\\"\\n\\n2\\n' | from_csv(delimiter=';') }}\"",
		"[{\"a\": \"1\", \"b\": \"x;y\"}, {\"a\": \"2\", \"b\": null}]", 0 },
	{ "a document",
		"\"{{ {'r': {'@a': '<\\\"', 'c': [1, true, none], '#text': '&'}} | ansible.utils.to_xml }}\"",
		"\"<?xml version=\\\"1.0\\\" encoding=\\\"utf-8\\\"?>\\n<r a='&lt;\\\"'>\\n\\t<c>1</c>\\n"
		"\\t<c>true</c>\\n\\t<c></c>\\n&amp;</r>\"",
		0 },
	{ "a document of two roots", "'{{ {\"a\": 1, \"b\": 2} | to_xml }}'", "", HF_E_TEMPLATE },
	{ "random with a seed", "'{{ 100 | random(seed=\"host\") }}'", "\"11\"", 0 },
};

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

static void world_open(struct world *w)
{
	struct hf_error err;
	w->arena = hf_arena_new();
	assert_int_equal(hf_yaml_parse(w->arena, hf_str(vars_text), "vars", NULL, &w->vars, &err), 0);
	const struct hf_templar_source source = { .data = w, .variable = variable };
	w->templar = hf_templar_new(w->arena, &source);
}

static void world_close(struct world *w)
{
	hf_arena_free(w->arena);
}

static void value_row(void **state)
{
	const struct row *r = *state;
	struct world w;
	struct hf_error err = { 0 };
	struct hf_value *v = NULL, *out = NULL;
	hf_auto_buf text = hf_buf_init(1 << 16);
	world_open(&w);
	assert_int_equal(hf_yaml_parse(w.arena, hf_str(r->text), "play.yml", NULL, &v, &err), 0);
	int result = hf_templar_args(w.templar, w.arena, v, NULL, &out, &err);
	assert_int_equal(result, -(int)r->error);
	if (result == 0) {
		assert_int_equal(hf_json_write(&text, out, &(struct hf_json_style){ .indent = -1 }, &err), 0);
		assert_string_equal(text.p, r->want);
	} else {
		assert_string_equal(err.pos.file, "play.yml");
	}
	world_close(&w);
}

static const struct condition {
	const char *title, *text;
	int want; /* 1, 0, or -error */
} conditions[] = {
	{ "nothing", "null", 1 },
	{ "empty text", "''", 1 },
	{ "a boolean", "false", 0 },
	{ "an expression", "n == 5", 1 },
	{ "all of a list", "[n == 5, n > 9]", 0 },
	{ "the rest of a list is not looked at", "[false, nope]", 0 },
	{ "text is true", "t", 1 },
	{ "delimiters", "'{{ n == 5 }}'", 1 },
	{ "guarded", "nope is defined and nope", 0 },
	{ "undefined", "nope", -HF_E_UNDEFINED },
	{ "no inline if", "1 if n else 0", -HF_E_PARSE },
	{ "unsafe", "!unsafe 'n == 5'", -HF_E_TEMPLATE },
};

static void condition_row(void **state)
{
	const struct condition *c = *state;
	struct world w;
	struct hf_error err = { 0 };
	struct hf_value *v = NULL;
	bool holds = false;
	world_open(&w);
	assert_int_equal(hf_yaml_parse(w.arena, hf_str(c->text), "play.yml", NULL, &v, &err), 0);
	int result = hf_templar_condition(w.templar, w.arena, v, NULL, &holds, &err);
	assert_int_equal(result < 0 ? result : holds, c->want);
	world_close(&w);
}

static void vault_round_trip(void **state)
{
	static const unsigned char salt[32] = "thirty-two bytes of salt, always";
	struct world w;
	struct hf_error err = { 0 };
	struct hf_str envelope = { 0 };
	struct hf_value *out = NULL, source = { .type = HF_STRING };
	world_open(&w);
	assert_int_equal(hf_vault_encrypt(w.arena, HF_STR("s3cret"), HF_STR("pw"), NULL, salt, sizeof(salt),
				 &envelope, &err),
		0);
	struct hf_value *v = hf_value_str(w.arena, envelope);
	v->flags |= HF_VALUE_VAULT | HF_VALUE_SECRET;
	hf_dict_put(w.vars, "vaulted", v);
	source.u.string = HF_STR("<{{ vaulted }}>");
	assert_int_equal(hf_templar_value(w.templar, w.arena, &source, NULL, &out, &err), -HF_E_NOT_FOUND);
	struct hf_vault *vault = hf_vault_new(w.arena);
	hf_vault_add(vault, NULL, HF_STR("other"));
	hf_templar_set_vault(w.templar, vault);
	assert_int_equal(hf_templar_value(w.templar, w.arena, &source, NULL, &out, &err), -HF_E_DENIED);
	assert_null(strstr(err.text, "other"));
	hf_vault_add(vault, NULL, HF_STR("pw"));
	assert_int_equal(hf_templar_value(w.templar, w.arena, &source, NULL, &out, &err), 0);
	assert_string_equal(out->u.string.p, "<s3cret>");
	assert_true(hf_is_secret(out));
	world_close(&w);
}

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, rows, value_row);
	UNIT_ADD_ROWS(&tests, conditions, condition_row);
	UNIT_ADD(&tests, vault_round_trip);
	return unit_run(&tests);
}
