/* holdfast release attest: what was seen of a release where it runs, signed into the log; and the rules of
 * the root about what a promotion must show. */
#include <stdio.h>
#include <string.h>

#include "cli/release.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/yaml.h"

struct attest_params {
	struct release_base base;
	const char *environment, *fleet, *result, *details, *reason;
};
static const struct cli_option attest_options[] = {
	RELEASE_STORE,
	RELEASE_KEYS,
	{ "environment", 'E', "NAME", "where it was seen" },
	{ "fleet", 'f', "NAME", "by which fleet (default)" },
	{ "result", 0, "pass|fail", "what its gates said; the last word about a release counts" },
	{ "details", 0, "FILE", "YAML or JSON mapping kept with it: gates, hosts, a link to the build" },
	{ "reason", 'r', "TEXT", "kept with it" },
	{ NULL },
};

static int details_read(
	struct hf_arena *a, const struct attest_params *p, struct hf_value *entry, struct hf_error *err)
{
	struct hf_value *v = NULL;
	if (p->details == NULL)
		return 0;
	int result = hf_yaml_load(
		a, p->details, &(struct hf_yaml_options){ .plain = true, .strict = true }, &v, err);
	if (result == 0 && !hf_is(v, HF_DICT))
		result = hf_fail(err, HF_E_ARGUMENT, "%s: details are a mapping", p->details);
	if (result == 0)
		hf_dict_put(entry, "details", v);
	return result;
}

/* A fleet is attested for what it was told to have, nothing else. */
static int channel_has(struct release_session *s, const struct attest_params *p, const char *fleet,
	const struct hf_digest *release, struct hf_error *err)
{
	struct hf_channel c;
	int result = hf_channel_read(s->arena, s->store, &s->roots, p->environment, fleet, &c, err);
	if (result == 0 && c.exists && c.refusal != HF_REFUSED_NOTHING)
		result = hf_refuse(
			&s->refusal, err, c.refusal, "pointer of %s/%s (%s)", p->environment, fleet, c.why);
	if (result == 0 && (!c.exists || !hf_digest_equal(&c.pointer.release, release)))
		result = hf_fail(err, HF_E_NOT_FOUND, "%s/%s was not told to have release %s", p->environment,
			fleet, release_short(s->arena, release));
	return result;
}

static int attest_make(struct release_session *s, const struct attest_params *p, struct hf_error *err)
{
	struct hf_arena *a = s->arena;
	const char *fleet = p->fleet == NULL ? "default" : p->fleet;
	struct hf_value *details = hf_value_dict(a);
	struct hf_log_entry entry = {
		.environment = p->environment, .when = hf_time_now(), .what = "attest", .details = details
	};
	struct hf_digest release;
	int result = release_find(s, p->base.words.at[0], &release, err);
	if (result == 0)
		result = channel_has(s, p, fleet, &release, err);
	if (result < 0)
		return result;
	hf_dict_put(details, "fleet", hf_value_cstr(a, fleet));
	hf_dict_put(details, "release", release_digest_value(a, &release));
	hf_dict_put(details, "result", hf_value_cstr(a, p->result));
	hf_dict_put(details, "reason", hf_value_cstr(a, p->reason == NULL ? "" : p->reason));
	result = details_read(a, p, details, err);
	if (result == 0)
		result = hf_log_append(a, s->store, &s->roots, &entry, s->keys[0], err);
	if (result < 0)
		return result;
	hf_dict_put(details, "n", hf_value_int(a, entry.n));
	if (s->base->json)
		return release_print_json(details, err);
	printf("%s/%s: release %s attested: %s (log entry %lld)\n", p->environment, fleet,
		release_short(a, &release), p->result, (long long)entry.n);
	return 0;
}

static int attest_run(struct hf_arena *a, const struct attest_params *p, struct hf_error *err)
{
	struct release_session s = { .arena = a, .base = &p->base };
	if (p->environment == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "which environment? Give --environment NAME");
	if (p->result == NULL || (strcmp(p->result, "pass") != 0 && strcmp(p->result, "fail") != 0))
		return hf_fail(err, HF_E_ARGUMENT, "what was seen? Give --result pass or --result fail");
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0 && s.n_keys == 0)
		result = hf_fail(err, HF_E_ARGUMENT, "who signs it? Give --key FILE or set HOLDFAST_KEY");
	const struct hf_role *role = result < 0 ? NULL : hf_root_deploy(s.roots.trust.root, p->environment);
	bool holds = false;
	for (size_t i = 0; role != NULL && i < role->n; i++)
		holds = holds || hf_digest_equal(&role->keys[i]->id, &hf_private_key_public(s.keys[0])->id);
	if (result == 0 && !holds)
		result = hf_refuse(&s.refusal, err, HF_REFUSED_UNKNOWN_KEY,
			"the first key may not deploy to \"%s\"", p->environment);
	if (result == 0)
		result = attest_make(&s, p, err);
	return release_close(&s, result, err);
}

static int attest_start(struct cli_call *call)
{
	struct hf_error err;
	struct attest_params p = { .environment = cli_value(call, "environment", NULL),
		.fleet = cli_value(call, "fleet", NULL),
		.result = cli_value(call, "result", NULL),
		.details = cli_value(call, "details", NULL),
		.reason = cli_value(call, "reason", NULL) };
	release_base_read(call, &p.base);
	return release_status(call, attest_run(call->arena, &p, &err), &err);
}

const struct cli_command cli_command_release_attest = {
	.name = "release attest",
	.summary = "sign into the log what was seen of a release: evidence for a later promotion",
	.arguments = "RELEASE|ENVIRONMENT/FLEET",
	.options = attest_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = attest_start,
};

/* --- rules of the root --- */
static int rule_part(
	struct hf_arena *a, struct hf_str part, struct hf_promotion_rule *rule, struct hf_error *err)
{
	struct hf_str name = part, value = { 0 };
	const char *equals = memchr(part.p, '=', part.n);
	if (equals != NULL) {
		name.n = (size_t)(equals - part.p);
		value = hf_strn(equals + 1, part.n - name.n - 1);
	}
	if (hf_str_is(name, "after") && value.n > 0) {
		rule->after = hf_str_dup(a, value);
		return 0;
	}
	if (hf_str_is(name, "soak") && value.n > 0)
		return hf_str_is(value, "0")
			       ? 0
			       : release_span_parse("soak", hf_str_dup(a, value), &rule->soak, err);
	if (hf_str_is(name, "override") && hf_str_to_int64(value, &rule->override))
		return 0;
	return hf_fail(err, HF_E_ARGUMENT,
		"--promotion: \"%.*s\" is none of after=ENVIRONMENT, soak=SPAN, override=N",
		HF_STR_ARG(part));
}

static int rule_read(struct hf_arena *a, const char *text, struct hf_promotion_rule *ret, bool *ret_none,
	struct hf_error *err)
{
	struct hf_str rest = hf_str(text), name, part;
	*ret = (struct hf_promotion_rule){ 0 };
	if (!hf_str_split(&rest, '=', &name) || rest.n == 0)
		return hf_fail(err, HF_E_ARGUMENT, "--promotion \"%s\": write it as ENVIRONMENT=RULE", text);
	ret->environment = hf_str_dup(a, name);
	*ret_none = hf_str_is(rest, "none");
	while (!*ret_none && hf_str_split(&rest, ',', &part)) {
		int result = rule_part(a, part, ret, err);
		if (result < 0)
			return result;
	}
	if (!*ret_none && (ret->after == NULL || ret->override == 0))
		return hf_fail(err, HF_E_ARGUMENT,
			"--promotion \"%s\": after=ENVIRONMENT and override=N are required", text);
	return 0;
}

int release_rules_set(
	struct hf_arena *a, struct hf_root *root, struct release_words rules, struct hf_error *err)
{
	struct hf_promotion_rule *at = hf_new_array(a, root->n_rules + rules.n + 1, struct hf_promotion_rule);
	size_t n = 0;
	for (size_t i = 0; i < root->n_rules; i++)
		at[n++] = root->rules[i];
	for (size_t i = 0; i < rules.n; i++) {
		struct hf_promotion_rule rule;
		bool none = false;
		size_t k = 0;
		int result = rule_read(a, rules.at[i], &rule, &none, err);
		if (result < 0)
			return result;
		while (k < n && strcmp(at[k].environment, rule.environment) != 0)
			k++;
		if (!none)
			at[k] = rule;
		else if (k < n)
			at[k] = at[--n];
		n += !none && k == n;
	}
	root->rules = at;
	root->n_rules = n;
	return 0;
}

struct hf_value *release_rules_value(struct hf_arena *a, const struct hf_root *root)
{
	struct hf_value *v = hf_value_dict(a);
	for (size_t i = 0; i < root->n_rules; i++) {
		struct hf_value *rule = hf_value_dict(a);
		hf_dict_put(rule, "after", hf_value_cstr(a, root->rules[i].after));
		hf_dict_put(rule, "soak", hf_value_int(a, root->rules[i].soak));
		hf_dict_put(rule, "override", hf_value_int(a, root->rules[i].override));
		hf_dict_put(v, root->rules[i].environment, rule);
	}
	return v;
}
