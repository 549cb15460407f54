/* holdfast release promote, rollback, halt: signed pointers move a fleet of an environment. */
#include <stdio.h>
#include <string.h>

#include "cli/release.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/release/rollout.h"

enum { EXPIRES_DAYS = 30, DAY = 86400 };

struct move_params {
	struct release_base base;
	const char *environment, *fleet, *reason, *rollout, *to, *out, *override;
	int64_t expires;
};
#define MOVE_OPTIONS                                                                                         \
	RELEASE_STORE, RELEASE_KEYS, { "environment", 'E', "NAME", "which environment" },                    \
		{ "fleet", 'f', "NAME", "which fleet of it (default)" },                                     \
		{ "reason", 'r', "TEXT", "why; shown on every host and for ever" },                          \
		{ "expires", 0, "SPAN",                                                                      \
			"hosts raise a freeze alarm this long after, without a new pointer (30d)" },         \
	{                                                                                                    \
		"out", 'o', "FILE", "write the pointer there for others to sign"                             \
	}
static const struct cli_option promote_options[] = {
	MOVE_OPTIONS,
	{ "rollout", 0, "FILE", "YAML that says which hosts may begin when: canary, waves, soak, windows" },
	{ "override", 0, "TEXT",
		"why to go without the evidence the root demands; more must sign, and it stays in the log" },
	{ NULL },
};
static const struct cli_option rollback_options[] = {
	MOVE_OPTIONS,
	{ "to", 't', "RELEASE", "which release (default: the one before)" },
	{ NULL },
};
static const struct cli_option halt_options[] = { MOVE_OPTIONS, { NULL } };

static int channel_open(
	struct release_session *s, const struct move_params *p, struct hf_channel *ret, struct hf_error *err)
{
	if (p->environment == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "which environment? Give --environment NAME");
	if (s->n_keys == 0)
		return hf_fail(err, HF_E_ARGUMENT, "who signs it? Give --key FILE or set HOLDFAST_KEY");
	return hf_channel_read(s->arena, s->store, &s->roots, p->environment,
		p->fleet == NULL ? "default" : p->fleet, ret, err);
}

static int log_move(struct release_session *s, const struct hf_pointer *p, struct hf_error *err)
{
	struct hf_arena *a = s->arena;
	struct hf_log_entry entry = { .environment = p->environment,
		.when = p->issued,
		.what = release_move_word(s->roots.trust.root, p) };
	entry.details = release_pointer_value(a, p);
	int result = hf_log_append(a, s->store, &s->roots, &entry, s->keys[0], err);
	return result < 0 ? hf_wrap(err, "the pointer was written, but its log entry was not") : 0;
}

static int move_tell(struct release_session *s, const struct hf_pointer *p, struct hf_error *err)
{
	struct hf_arena *a = s->arena;
	if (s->base->json)
		return release_print_json(release_pointer_value(a, p), err);
	char until[HF_TIME_TEXT];
	printf("%s/%s: %s release %s (pointer %lld, valid until %s)\n", p->environment, p->fleet,
		p->kind == HF_POINTER_HALT       ? "halted at"
		: p->kind == HF_POINTER_ROLLBACK ? "rolled back to"
						 : "promoted to",
		release_short(a, &p->release), (long long)p->seq, hf_time_print(p->expires, until));
	return 0;
}

static const char *reason_text(struct hf_arena *a, const struct move_params *p)
{
	if (p->override != NULL)
		return hf_sprintf(a, "override: %s", p->override);
	return p->reason == NULL ? "" : p->reason;
}

/* Signs the move; writes it to the store, or to --out for the others to sign. */
static int move_make(struct release_session *s, const struct move_params *p, const struct hf_channel *c,
	struct hf_move *move, struct hf_error *err)
{
	struct hf_arena *a = s->arena;
	struct hf_envelope *e = hf_new(a, struct hf_envelope);
	struct hf_str bytes;
	struct hf_pointer written;
	const struct hf_role *role = hf_root_deploy(s->roots.trust.root, c->environment);
	if (role == NULL)
		return hf_refuse(&s->refusal, err, HF_REFUSED_UNKNOWN_ENVIRONMENT,
			"root %lld names nobody who may deploy to \"%s\"",
			(long long)s->roots.trust.root->version, c->environment);
	move->now = hf_time_now();
	move->expires = move->now + (p->expires > 0 ? p->expires : EXPIRES_DAYS * DAY);
	move->reason = reason_text(a, p);
	int result = hf_accept_release_allowed(&s->roots.trust, &move->release, &s->refusal, err);
	if (result == 0 && c->exists && c->refusal != HF_REFUSED_NOTHING)
		result = hf_log_last_seq(
			a, s->store, &s->roots, c->environment, c->fleet, &move->seq_floor, err);
	if (result == 0)
		result = hf_channel_next(a, &s->roots, c, move, e, err);
	if (result == 0)
		result = release_sign_all(s, e, &bytes, err);
	if (result == 0 && p->out != NULL)
		return release_write_file(p->out, bytes, err);
	if (result == 0)
		result = release_enough(s, e, &role, 1, err);
	if (result == 0)
		result = hf_channel_write(
			a, s->store, &s->roots, c, bytes, move->now, &written, &s->refusal, err);
	if (result == 0)
		result = log_move(s, &written, err);
	return result < 0 ? result : move_tell(s, &written, err);
}

/* What the root demands of a promotion to this environment, or an override that says why there is none. */
static int evidence_get(
	struct release_session *s, const struct move_params *p, struct hf_move *move, struct hf_error *err)
{
	const struct hf_promotion_rule *rule = hf_root_rule(s->roots.trust.root, p->environment);
	if (p->override != NULL && (rule == NULL || *p->override == '\0'))
		return hf_fail(err, HF_E_ARGUMENT,
			rule == NULL ? "--override: the root demands no evidence here"
				     : "--override: say why");
	if (rule == NULL || p->override != NULL)
		return 0;
	struct hf_evidence *e = hf_new(s->arena, struct hf_evidence);
	move->evidence = e;
	return hf_evidence_find(s->arena, s->store, &s->roots, rule, &move->release, e, &s->refusal, err);
}

static int promote_run(struct hf_arena *a, const struct move_params *p, struct hf_error *err)
{
	struct release_session s;
	struct hf_channel c;
	struct hf_manifest m;
	struct hf_move move = { .kind = HF_POINTER_FORWARD };
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = channel_open(&s, p, &c, err);
	if (result == 0)
		result = release_find(&s, p->base.words.at[0], &move.release, err);
	if (result == 0)
		result = hf_release_read(a, s.store, &s.roots, &move.release, &m, NULL, &s.refusal, err);
	if (result == 0 && p->rollout != NULL) {
		result = hf_yaml_load(a, p->rollout,
			&(struct hf_yaml_options){ .plain = true, .strict = true }, &move.rollout, err);
		if (result == 0 && !hf_is(move.rollout, HF_DICT))
			result = hf_fail(err, HF_E_ARGUMENT, "%s: a rollout is a mapping", p->rollout);
		struct hf_rollout checked;
		if (result == 0)
			result = hf_rollout_parse(a, move.rollout, &checked, err);
	}
	if (result == 0)
		result = evidence_get(&s, p, &move, err);
	if (result == 0)
		result = move_make(&s, p, &c, &move, err);
	return release_close(&s, result, err);
}

static int present_of(struct release_session *s, const struct hf_channel *c, struct hf_error *err)
{
	if (!c->exists)
		return hf_fail(
			err, HF_E_NOT_FOUND, "nothing was promoted to %s/%s yet", c->environment, c->fleet);
	if (c->refusal != HF_REFUSED_NOTHING)
		return hf_refuse(&s->refusal, err, c->refusal, "pointer of %s/%s (%s)", c->environment,
			c->fleet, c->why);
	return 0;
}

static int reason_given(const struct move_params *p, struct hf_error *err)
{
	if (p->reason == NULL || *p->reason == '\0')
		return hf_fail(err, HF_E_ARGUMENT, "a reason is required: --reason TEXT");
	return 0;
}

/* Releases the fleet had, as a stack: a promotion puts one on top, a rollback takes those above its release
 * off. */
static size_t release_stack(struct release_session *s, const struct hf_channel *c,
	const struct hf_log_entries *log, struct hf_digest *stack)
{
	size_t n = 0;
	for (size_t i = 0; i < log->n; i++) {
		const struct hf_value *d = log->at[i].details;
		const char *kind = hf_dict_cstr(d, "kind", "");
		struct hf_digest release;
		if (*kind == '\0' || strcmp(hf_dict_cstr(d, "fleet", ""), c->fleet) != 0 ||
			!hf_digest_parse(hf_str(hf_dict_cstr(d, "release", "")), &release))
			continue;
		if (strcmp(kind, "rollback") == 0)
			while (n > 0 && !hf_digest_equal(&stack[n - 1], &release))
				n--;
		if (strcmp(kind, "halt") != 0 && (n == 0 || !hf_digest_equal(&stack[n - 1], &release)))
			stack[n++] = release;
	}
	return n;
}

/* What the fleet had before the present release, leaving out what was revoked. */
static int release_before(
	struct release_session *s, const struct hf_channel *c, struct hf_digest *ret, struct hf_error *err)
{
	const struct hf_root *root = s->roots.trust.root;
	struct hf_log_entries log;
	int result = hf_log_read(s->arena, s->store, &s->roots, c->environment, 0, &log, &s->refusal, err);
	if (result < 0)
		return result;
	struct hf_digest *stack = hf_new_array(s->arena, log.n + 1, struct hf_digest);
	for (size_t i = release_stack(s, c, &log, stack); i-- > 0;) {
		if (hf_digest_equal(&stack[i], &c->pointer.release) ||
			hf_root_revocation(root, &stack[i]) != NULL)
			continue;
		*ret = stack[i];
		return 0;
	}
	return hf_fail(err, HF_E_NOT_FOUND,
		"%s/%s had no release before that could be used: name one with --to", c->environment,
		c->fleet);
}

static int rollback_run(struct hf_arena *a, const struct move_params *p, struct hf_error *err)
{
	struct release_session s = { .arena = a, .base = &p->base };
	struct hf_channel c;
	struct hf_manifest m;
	struct hf_move move = { .kind = HF_POINTER_ROLLBACK };
	int result = reason_given(p, err);
	if (result == 0)
		result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = channel_open(&s, p, &c, err);
	if (result == 0)
		result = present_of(&s, &c, err);
	if (result == 0)
		result = p->to != NULL ? release_find(&s, p->to, &move.release, err)
				       : release_before(&s, &c, &move.release, err);
	if (result == 0)
		result = hf_release_read(a, s.store, &s.roots, &move.release, &m, NULL, &s.refusal, err);
	if (result == 0)
		result = move_make(&s, p, &c, &move, err);
	return release_close(&s, result, err);
}

static int halt_run(struct hf_arena *a, const struct move_params *p, struct hf_error *err)
{
	struct release_session s = { .arena = a, .base = &p->base };
	struct hf_channel c;
	struct hf_move move = { .kind = HF_POINTER_HALT };
	int result = reason_given(p, err);
	if (result == 0)
		result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = channel_open(&s, p, &c, err);
	if (result == 0)
		result = present_of(&s, &c, err);
	if (result == 0) {
		move.release = c.pointer.release;
		move.rollout = c.pointer.rollout;
		result = move_make(&s, p, &c, &move, err);
	}
	return release_close(&s, result, err);
}

static int move_start(
	struct cli_call *call, int (*run)(struct hf_arena *, const struct move_params *, struct hf_error *))
{
	struct hf_error err;
	struct move_params p = { 0 };
	release_base_read(call, &p.base);
	p.environment = cli_value(call, "environment", NULL);
	p.fleet = cli_value(call, "fleet", NULL);
	p.reason = cli_value(call, "reason", NULL);
	p.rollout = cli_value(call, "rollout", NULL);
	p.to = cli_value(call, "to", NULL);
	p.out = cli_value(call, "out", NULL);
	p.override = cli_value(call, "override", NULL);
	int result = release_span(call, "expires", &p.expires, &err);
	if (result == 0)
		result = run(call->arena, &p, &err);
	return release_status(call, result, &err);
}

#define MOVE_COMMAND(title, symbol, min, max, usage, text)                                                   \
	RELEASE_COMMAND("release " title, release_##symbol, move_start, symbol, min, max, usage, text)
MOVE_COMMAND("promote", promote, 1, 1, "RELEASE|ENVIRONMENT/FLEET",
	"let a fleet of an environment install a release, or what another channel has");
MOVE_COMMAND("rollback", rollback, 0, 0, "", "order a fleet back to an older release, at once and signed");
MOVE_COMMAND("halt", halt, 0, 0, "", "stop a rollout: hosts that did not begin stay as they are");
