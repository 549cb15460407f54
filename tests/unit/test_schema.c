#include "lib/base/scope.h"
#include "lib/data/schema.h"
#include "lib/data/yaml.h"
#include "tests/unit/unit.h"

static const char *const states[] = { "present", "absent", NULL };
static const char *const name_aliases[] = { "pkg", NULL };
static const char *const pair[] = { "owner", "list", NULL };
static const char *const owner_only[] = { "owner", NULL };

struct params {
	const char *name, *state_text, *owner, *mode;
	enum hf_tristate force;
	int64_t count;
	int state;
	struct hf_value *list, *dict;
	int64_t size;
};

static const struct hf_arg inner[] = {
	{ "k", HF_ARG_INT, 0, HF_REQUIRED },
	{ .type = HF_ARG_END },
};
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, offsetof(struct params, name), HF_REQUIRED, .aliases = name_aliases },
	{ "state", HF_ARG_ENUM, offsetof(struct params, state), .dflt = "present", .choices = states },
	{ "owner", HF_ARG_STR, offsetof(struct params, owner) },
	{ "mode", HF_ARG_MODE, offsetof(struct params, mode) },
	{ "force", HF_ARG_BOOL, offsetof(struct params, force) },
	{ "count", HF_ARG_INT, offsetof(struct params, count), .dflt = "3" },
	{ "list", HF_ARG_LIST, offsetof(struct params, list), .elements = HF_ARG_STR },
	{ "dict", HF_ARG_DICT, offsetof(struct params, dict), .options = inner },
	{ "size", HF_ARG_BYTES, offsetof(struct params, size) },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ .kind = HF_RULE_EXCLUSIVE, .names = pair },
	{ .kind = HF_RULE_IF, .when = "state", .equals = "absent", .names = owner_only },
	{ .kind = HF_RULE_END },
};
static const struct hf_schema schema = { args, rules, sizeof(struct params) };

static const struct row {
	const char *title, *yaml, *want_error;
	struct params want;
} rows[] = {
	{ "least", "name: x", NULL, { .name = "x", .force = HF_UNSET, .count = 3, .state = 0 } },
	{ "alias", "pkg: x", NULL, { .name = "x", .force = HF_UNSET, .count = 3 } },
	{ "numbers become text", "name: 5", NULL, { .name = "5", .force = HF_UNSET, .count = 3 } },
	{ "octal mode", "{name: x, mode: 0644}", NULL,
		{ .name = "x", .mode = "0644", .force = HF_UNSET, .count = 3 } },
	{ "text to bool and int", "{name: x, force: 'ON', count: ' 7 '}", NULL,
		{ .name = "x", .force = HF_YES, .count = 7 } },
	{ "bytes", "{name: x, size: 2K}", NULL,
		{ .name = "x", .force = HF_UNSET, .count = 3, .size = 2048 } },
	{ "required", "owner: x", "a.yml:1:1: missing required arguments: name", { 0 } },
	{ "unknown", "name: x\nowmer: y",
		"a.yml:2:1: Unsupported parameters: owmer (did you mean owner?). Supported parameters "
		"include: name, state, "
		"owner, mode, force, count, list, dict, size.",
		{ 0 } },
	{ "choice", "{name: x, state: gone}",
		"a.yml:1:18: value of state must be one of: present, absent, got: gone", { 0 } },
	{ "not an int", "{name: x, count: many}",
		"a.yml:1:18: argument 'count' is of type <class 'str'> and we were unable to convert to int: "
		"<class 'str'> cannot be converted to an int",
		{ 0 } },
	{ "exclusive", "{name: x, owner: o, list: a}",
		"a.yml:1:1: parameters are mutually exclusive: owner|list", { 0 } },
	{ "rule of a state", "{name: x, state: absent}",
		"a.yml:1:1: state is absent but all of the following are missing: owner", { 0 } },
	{ "suboption", "{name: x, dict: {}}", "a.yml:1:17: missing required arguments: k found in dict",
		{ 0 } },
};

static void same_text(const char *got, const char *want)
{
	assert_int_equal(got == NULL, want == NULL);
	if (got != NULL && want != NULL)
		assert_string_equal(got, want);
}

static void bind_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = NULL;
	struct hf_error err;
	struct params got;
	char text[HF_ERROR_TEXT_MAX];
	assert_int_equal(hf_yaml_parse(a, hf_str(r->yaml), "a.yml", NULL, &v, &err), 0);
	int result = hf_schema_bind(a, &schema, v, NULL, &got, NULL, &err);
	if (r->want_error != NULL) {
		assert_true(result < 0);
		assert_string_equal(hf_error_print(&err, text, sizeof(text)), r->want_error);
		return;
	}
	assert_int_equal(result, 0);
	same_text(got.name, r->want.name);
	same_text(got.mode, r->want.mode);
	assert_int_equal(got.force, r->want.force);
	assert_int_equal(got.count, r->want.count);
	assert_int_equal(got.state, r->want.state);
	assert_int_equal(got.size, r->want.size);
}

int main(void)
{
	UNIT_ROWS(tests, rows, bind_row);
	return UNIT_RUN(tests);
}
