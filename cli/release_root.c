/* holdfast release init, root, revoke: who may sign what, and what nobody may install any more. */
#include <stdio.h>
#include <string.h>

#include "cli/release.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"

enum { EXPIRES_DAYS = 365, DAY = 86400, EXPIRY_WARNING_DAYS = 30 };

struct root_params {
	struct release_base base;
	struct release_words add, remove, thresholds, environments, promotion;
	const char *out, *reason, *agent_floor;
	int64_t expires;
	bool new_epoch;
};
#define ROOT_OPTIONS                                                                                         \
	RELEASE_STORE, RELEASE_KEYS,                                                                         \
		{ "expires", 0, "SPAN", "the root must be renewed within this time (365d)" },                \
	{                                                                                                    \
		"out", 'o', "FILE", "write the root there for others to sign"                                \
	}
#define ROLE_OPTIONS                                                                                         \
	{ "add", 'a', "ROLE=FILE", "key (public or private file) for root, release or deploy:ENVIRONMENT" }, \
		{ "threshold", 't', "ROLE=N", "how many holders of the role must sign (1)" },                \
	{                                                                                                    \
		"promotion", 'p', "ENVIRONMENT=RULE",                                                        \
			"what a promotion must show: after=ENVIRONMENT,soak=SPAN,override=N; or none"        \
	}
static const struct cli_option init_options[] = {
	ROOT_OPTIONS,
	ROLE_OPTIONS,
	{ "environment", 'E', "NAME", "an environment the signing keys may deploy to; may be repeated" },
	{ NULL },
};
static const struct cli_option root_options[] = {
	ROOT_OPTIONS,
	ROLE_OPTIONS,
	{ "remove", 'r', "ROLE=KEY", "take a key (name or id) out of a role" },
	{ "new-epoch", 0, NULL, "after a deploy key was stolen: older pointers and numbers stop counting" },
	{ "agent-floor", 0, "VERSION", "older agents refuse to work" },
	{ NULL },
};
static const struct cli_option rotate_options[] = {
	ROOT_OPTIONS,
	{ "new-epoch", 0, NULL, "the old key was stolen: older pointers and numbers stop counting" },
	{ NULL },
};
static const struct cli_option revoke_options[] = {
	ROOT_OPTIONS,
	{ "reason", 0, "TEXT", "why; shown on every host" },
	{ NULL },
};

/* A root being made. Roles point at keys in the arena; the list of keys is what roles use. */
struct draft {
	struct release_session *session;
	struct hf_root root;
	struct hf_deploy_role deploy[HF_ENVIRONMENTS_MAX];
};

static void draft_from(struct draft *d, struct release_session *s, const struct hf_root *old)
{
	*d = (struct draft){ .session = s };
	if (old != NULL)
		d->root = *old;
	for (size_t i = 0; i < d->root.n_deploy; i++)
		d->deploy[i] = old->deploy[i];
	d->root.deploy = d->deploy;
}

/* "root", "release", "deploy:ENVIRONMENT"; the last is made where it is new. */
static int role_find(struct draft *d, struct hf_str name, struct hf_role **ret, struct hf_error *err)
{
	if (hf_str_is(name, "root") || hf_str_is(name, "release")) {
		*ret = name.p[1] == 'o' ? &d->root.root : &d->root.release;
		return 0;
	}
	static const char deploy[] = "deploy:";
	if (!hf_str_starts(name, deploy))
		return hf_fail(err, HF_E_ARGUMENT, "\"%.*s\" is no role: root, release or deploy:ENVIRONMENT",
			HF_STR_ARG(name));
	const char *environment =
		hf_strndup(d->session->arena, name.p + strlen(deploy), name.n - strlen(deploy));
	size_t i = 0;
	while (i < d->root.n_deploy && strcmp(d->deploy[i].environment, environment) != 0)
		i++;
	if (i == HF_ENVIRONMENTS_MAX || !hf_channel_name_valid(environment))
		return hf_fail(err, HF_E_ARGUMENT, "\"%s\" cannot be an environment, or there are too many",
			environment);
	if (i == d->root.n_deploy)
		d->deploy[d->root.n_deploy++] = (struct hf_deploy_role){ .environment = environment };
	*ret = &d->deploy[i].role;
	return 0;
}

static int role_add(struct hf_role *role, const struct hf_key *key, struct hf_error *err)
{
	for (size_t i = 0; i < role->n; i++)
		if (hf_digest_equal(&role->keys[i]->id, &key->id))
			return 0;
	if (role->n == HF_ROLE_KEYS_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d keys in a role", HF_ROLE_KEYS_MAX);
	role->keys[role->n++] = key;
	if (role->threshold == 0)
		role->threshold = 1;
	return 0;
}

/* Splits "ROLE=VALUE" and finds the role. */
static int assignment(struct draft *d, const char *text, struct hf_role **ret_role, const char **ret_value,
	struct hf_error *err)
{
	const char *equals = strchr(text, '=');
	if (equals == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "\"%s\": write it as ROLE=VALUE", text);
	*ret_value = equals + 1;
	return role_find(d, hf_strn(text, (size_t)(equals - text)), ret_role, err);
}

static int roles_add(struct draft *d, const struct root_params *p, struct hf_error *err)
{
	struct hf_arena *a = d->session->arena;
	const char *passphrase = NULL, *file;
	int result = release_passphrase(a, &p->base, &passphrase, err);
	for (size_t i = 0; result == 0 && i < p->add.n; i++) {
		struct hf_role *role;
		struct hf_key *key = hf_new(a, struct hf_key);
		result = assignment(d, p->add.at[i], &role, &file, err);
		if (result == 0)
			result = hf_public_key_load(a, file, passphrase, key, err);
		if (result == 0)
			result = role_add(role, key, err);
	}
	return result;
}

static int roles_remove(struct draft *d, const struct root_params *p, struct hf_error *err)
{
	for (size_t i = 0; i < p->remove.n; i++) {
		struct hf_role *role;
		const char *name;
		int result = assignment(d, p->remove.at[i], &role, &name, err);
		size_t found = SIZE_MAX;
		for (size_t k = 0; result == 0 && k < role->n; k++) {
			char hex[HF_SHA256_HEX];
			hf_digest_hex(&role->keys[k]->id, hex);
			bool named = role->keys[k]->name != NULL && strcmp(role->keys[k]->name, name) == 0;
			if (named || (strlen(name) >= 8 && strncmp(hex, name, strlen(name)) == 0))
				found = k;
		}
		if (result == 0 && found == SIZE_MAX)
			result = hf_fail(err, HF_E_NOT_FOUND, "--remove %s: the role has no such key",
				p->remove.at[i]);
		if (result < 0)
			return result;
		memmove(&role->keys[found], &role->keys[found + 1],
			(role->n - found - 1) * sizeof(role->keys[0]));
		role->n--;
	}
	return 0;
}

static int thresholds_set(struct draft *d, const struct root_params *p, struct hf_error *err)
{
	for (size_t i = 0; i < p->thresholds.n; i++) {
		struct hf_role *role;
		const char *value;
		int64_t n = 0;
		int result = assignment(d, p->thresholds.at[i], &role, &value, err);
		if (result < 0)
			return result;
		if (!hf_str_to_int64(hf_str(value), &n) || n < 1 || n > (int64_t)role->n)
			return hf_fail(err, HF_E_ARGUMENT, "--threshold %s: the role has %zu keys",
				p->thresholds.at[i], role->n);
		role->threshold = (size_t)n;
	}
	return 0;
}

/* Every key some role uses, once. Environments that lost their last key go. */
static void draft_keys(struct draft *d)
{
	const struct hf_role *roles[HF_ENVIRONMENTS_MAX + 2] = { &d->root.root, &d->root.release };
	size_t n_roles = 2, kept = 0;
	for (size_t i = 0; i < d->root.n_deploy; i++)
		if (d->deploy[i].role.n > 0)
			d->deploy[kept++] = d->deploy[i];
	d->root.n_deploy = kept;
	for (size_t i = 0; i < kept; i++)
		roles[n_roles++] = &d->deploy[i].role;
	struct hf_key *keys = hf_new_array(d->session->arena, n_roles * HF_ROLE_KEYS_MAX, struct hf_key);
	size_t n = 0;
	for (size_t i = 0; i < n_roles; i++)
		for (size_t k = 0; k < roles[i]->n; k++) {
			size_t at = 0;
			while (at < n && !hf_digest_equal(&keys[at].id, &roles[i]->keys[k]->id))
				at++;
			if (at == n)
				keys[n++] = *roles[i]->keys[k];
		}
	d->root.keys = keys;
	d->root.n_keys = n;
}

static void key_print(const struct hf_key *k)
{
	char hex[HF_SHA256_HEX];
	hf_digest_hex(&k->id, hex);
	printf("    %.16s  %s%s\n", hex, k->name == NULL ? "" : k->name,
		k->algorithm == HF_KEY_ED25519 ? "" : "  (ecdsa-p256)");
}

static void role_print(const char *title, const char *environment, const struct hf_role *role)
{
	printf("  %s%s: %zu of %zu\n", title, environment, role->threshold, role->n);
	for (size_t i = 0; i < role->n; i++)
		key_print(role->keys[i]);
}

static struct hf_value *role_value(struct hf_arena *a, const struct hf_role *role)
{
	struct hf_value *v = hf_value_dict(a), *keys = hf_value_list(a);
	for (size_t i = 0; i < role->n; i++) {
		struct hf_value *key = hf_value_dict(a);
		hf_dict_put(key, "id", release_digest_value(a, &role->keys[i]->id));
		hf_dict_put(key, "name",
			hf_value_cstr(a, role->keys[i]->name == NULL ? "" : role->keys[i]->name));
		hf_dict_put(
			key, "algorithm", hf_value_cstr(a, hf_key_algorithm_name(role->keys[i]->algorithm)));
		hf_list_append(keys, key);
	}
	hf_dict_put(v, "threshold", hf_value_int(a, (int64_t)role->threshold));
	hf_dict_put(v, "keys", keys);
	return v;
}

static int root_json(struct hf_arena *a, const struct hf_root *r, struct hf_error *err)
{
	struct hf_value *v = hf_value_dict(a), *deploy = hf_value_dict(a), *revoked = hf_value_list(a);
	hf_dict_put(v, "version", hf_value_int(a, r->version));
	hf_dict_put(v, "key_epoch", hf_value_int(a, r->key_epoch));
	hf_dict_put(v, "issued", release_time_value(a, r->issued));
	hf_dict_put(v, "expires", release_time_value(a, r->expires));
	hf_dict_put(v, "root", role_value(a, &r->root));
	hf_dict_put(v, "release", role_value(a, &r->release));
	for (size_t i = 0; i < r->n_deploy; i++)
		hf_dict_put(deploy, r->deploy[i].environment, role_value(a, &r->deploy[i].role));
	hf_dict_put(v, "deploy", deploy);
	for (size_t i = 0; i < r->n_revoked; i++) {
		struct hf_value *row = hf_value_dict(a);
		hf_dict_put(row, "release", release_digest_value(a, &r->revoked[i].release));
		hf_dict_put(row, "reason", hf_value_cstr(a, r->revoked[i].reason));
		hf_dict_put(row, "revoked", release_time_value(a, r->revoked[i].revoked));
		hf_list_append(revoked, row);
	}
	hf_dict_put(v, "revoked", revoked);
	hf_dict_put(v, "promotion", release_rules_value(a, r));
	hf_dict_put(v, "agent_floor",
		r->agent_floor == NULL ? hf_value_null(a) : hf_value_cstr(a, r->agent_floor));
	return release_print_json(v, err);
}

static int root_tell(struct release_session *s, const struct hf_root *r, struct hf_error *err)
{
	if (s->base->json)
		return root_json(s->arena, r, err);
	char until[HF_TIME_TEXT];
	int64_t left = (r->expires - hf_time_now()) / DAY;
	printf("root %lld, key epoch %lld, valid until %s%s\n", (long long)r->version,
		(long long)r->key_epoch, hf_time_print(r->expires, until),
		left < EXPIRY_WARNING_DAYS ? "  RENEW IT" : "");
	role_print("root", "", &r->root);
	role_print("release", "", &r->release);
	for (size_t i = 0; i < r->n_deploy; i++)
		role_print("deploy:", r->deploy[i].environment, &r->deploy[i].role);
	for (size_t i = 0; i < r->n_revoked; i++)
		printf("  revoked %s: %s\n", release_short(s->arena, &r->revoked[i].release),
			r->revoked[i].reason);
	for (size_t i = 0; i < r->n_rules; i++)
		printf("  promotion to %s: after %s, soaked %lld s, or signed by %lld\n",
			r->rules[i].environment, r->rules[i].after, (long long)r->rules[i].soak,
			(long long)r->rules[i].override);
	if (r->agent_floor != NULL)
		printf("  agents from %s\n", r->agent_floor);
	return 0;
}

/* Signs the draft; publishes it, or writes it to --out. Root N+1 needs the thresholds of N and of itself. */
static int draft_finish(
	struct draft *d, const struct root_params *p, const struct hf_root *old, struct hf_error *err)
{
	struct release_session *s = d->session;
	if (s->n_keys == 0)
		return hf_fail(err, HF_E_ARGUMENT, "who signs it? Give --key FILE or set HOLDFAST_KEY");
	d->root.issued = hf_time_now();
	d->root.expires = d->root.issued + (p->expires > 0 ? p->expires : EXPIRES_DAYS * DAY);
	draft_keys(d);
	hf_auto_buf payload = hf_buf_init(HF_ROOT_MAX / 2);
	struct hf_envelope *e = hf_new(s->arena, struct hf_envelope);
	struct hf_root checked, published;
	struct hf_str bytes;
	int result = hf_root_write(&payload, &d->root, err);
	if (result == 0)
		result = hf_root_parse(s->arena, hf_buf_str(&payload), &checked, &s->refusal, err);
	if (result < 0)
		return result;
	*e = (struct hf_envelope){ .kind = HF_DOC_ROOT, .payload = hf_buf_dup(s->arena, &payload) };
	result = release_sign_all(s, e, &bytes, err);
	if (result == 0 && p->out != NULL)
		return release_write_file(p->out, bytes, err);
	const struct hf_role *roles[] = { &checked.root, old == NULL ? NULL : &old->root };
	if (result == 0)
		result = release_enough(s, e, roles, old == NULL ? 1 : 2, err);
	if (result == 0)
		result = hf_roots_publish(
			s->arena, s->store, p->base.pin, bytes, &published, &s->refusal, err);
	return result < 0 ? result : root_tell(s, &published, err);
}

/* What is not said otherwise, the signing keys hold. */
static int init_defaults(struct draft *d, const struct root_params *p, struct hf_error *err)
{
	struct release_session *s = d->session;
	int result = 0;
	for (size_t i = 0; i < p->environments.n; i++) {
		struct hf_role *role;
		const char *name = hf_sprintf(s->arena, "deploy:%s", p->environments.at[i]);
		result = role_find(d, hf_str(name), &role, err);
		for (size_t k = 0; result == 0 && k < s->n_keys; k++)
			result = role_add(role, hf_private_key_public(s->keys[k]), err);
		if (result < 0)
			return result;
	}
	struct hf_role *const roles[] = { &d->root.root, &d->root.release };
	for (size_t i = 0; i < HF_COUNT(roles); i++)
		for (size_t k = 0; roles[i]->n < s->n_keys && k < s->n_keys && result == 0; k++)
			if (k > 0 || roles[i]->n == 0)
				result = role_add(roles[i], hf_private_key_public(s->keys[k]), err);
	if (result == 0 && d->root.n_deploy == 0)
		return hf_fail(err, HF_E_ARGUMENT,
			"which environments? Give --environment NAME or --add deploy:NAME=FILE");
	return result;
}

static int init_run(struct hf_arena *a, const struct root_params *p, struct hf_error *err)
{
	struct release_session s;
	struct draft *d = hf_new(a, struct draft);
	int result = release_open(a, &p->base, RELEASE_STORE_ONLY, &s, err);
	draft_from(d, &s, NULL);
	d->root.version = d->root.key_epoch = 1;
	if (result == 0)
		result = roles_add(d, p, err);
	if (result == 0)
		result = init_defaults(d, p, err);
	if (result == 0)
		result = thresholds_set(d, p, err);
	if (result == 0)
		result = release_rules_set(a, &d->root, p->promotion, err);
	if (result == 0)
		result = draft_finish(d, p, NULL, err);
	return release_close(&s, result, err);
}

static bool root_edits(const struct root_params *p)
{
	return p->add.n + p->remove.n + p->thresholds.n + p->promotion.n > 0 || p->new_epoch ||
	       p->agent_floor != NULL || p->expires > 0;
}

static int root_change(
	struct draft *d, const struct root_params *p, const struct hf_root *old, struct hf_error *err)
{
	draft_from(d, d->session, old);
	d->root.version++;
	d->root.key_epoch += p->new_epoch ? 1 : 0;
	if (p->agent_floor != NULL)
		d->root.agent_floor = p->agent_floor;
	int result = roles_add(d, p, err);
	if (result == 0)
		result = roles_remove(d, p, err);
	if (result == 0)
		result = thresholds_set(d, p, err);
	if (result == 0)
		result = release_rules_set(d->session->arena, &d->root, p->promotion, err);
	if (result == 0)
		result = draft_finish(d, p, old, err);
	if (result == 0 && !p->base.json && p->out == NULL)
		printf("Pointers signed by keys that lost their role%s must be promoted anew.\n",
			p->new_epoch ? ", and all of the old epoch," : "");
	return result;
}

static int root_run(struct hf_arena *a, const struct root_params *p, struct hf_error *err)
{
	struct release_session s;
	struct draft *d = hf_new(a, struct draft);
	d->session = &s;
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = root_edits(p) ? root_change(d, p, s.roots.trust.root, err)
				       : root_tell(&s, s.roots.trust.root, err);
	return release_close(&s, result, err);
}

/* The key that a role knows by this file, name or id. */
static const struct hf_key *key_named(
	struct release_session *s, const char *text, const char *passphrase, struct hf_error *err)
{
	const struct hf_root *root = s->roots.trust.root;
	struct hf_key loaded;
	struct hf_error no_file;
	bool file =
		hf_fs_exists(text) && hf_public_key_load(s->arena, text, passphrase, &loaded, &no_file) == 0;
	for (size_t i = 0; i < root->n_keys; i++) {
		const struct hf_key *k = &root->keys[i];
		char hex[HF_SHA256_HEX];
		hf_digest_hex(&k->id, hex);
		if (file ? hf_digest_equal(&k->id, &loaded.id)
			 : (k->name != NULL && strcmp(k->name, text) == 0) ||
					(strlen(text) >= 8 && strncmp(hex, text, strlen(text)) == 0))
			return k;
	}
	(void)!hf_fail(
		err, HF_E_NOT_FOUND, "no role of root %lld has the key %s", (long long)root->version, text);
	return NULL;
}

/* Puts the new key in the old one's place; *ret_root: it now helps to sign roots. */
static int role_rotate(struct hf_role *role, const struct hf_key *old, const struct hf_key *new,
	bool *ret_here, struct hf_error *err)
{
	*ret_here = false;
	for (size_t i = 0; i < role->n; i++) {
		if (hf_digest_equal(&role->keys[i]->id, &new->id))
			return hf_fail(err, HF_E_EXISTS, "the new key holds a role of the old one already");
		if (!hf_digest_equal(&role->keys[i]->id, &old->id))
			continue;
		role->keys[i] = new;
		*ret_here = true;
	}
	return 0;
}

static int draft_rotate(struct draft *d, const struct hf_key *old, const struct hf_key *new, bool *ret_root,
	struct hf_error *err)
{
	bool here = false;
	int result = role_rotate(&d->root.root, old, new, ret_root, err);
	if (result == 0)
		result = role_rotate(&d->root.release, old, new, &here, err);
	for (size_t i = 0; result == 0 && i < d->root.n_deploy; i++)
		result = role_rotate(&d->deploy[i].role, old, new, &here, err);
	return result;
}

static int rotate_make(struct draft *d, const struct root_params *p, struct hf_error *err)
{
	struct release_session *s = d->session;
	const char *path = p->base.words.at[1], *passphrase = NULL;
	struct hf_key *new = hf_new(s->arena, struct hf_key);
	bool signs_roots = false;
	int result = release_passphrase(s->arena, &p->base, &passphrase, err);
	const struct hf_key *old = result < 0 ? NULL : key_named(s, p->base.words.at[0], passphrase, err);
	if (old == NULL)
		return result < 0 ? result : -HF_E_NOT_FOUND;
	result = hf_public_key_load(s->arena, path, passphrase, new, err);
	draft_from(d, s, s->roots.trust.root);
	d->root.version++;
	d->root.key_epoch += p->new_epoch ? 1 : 0;
	if (result == 0)
		result = draft_rotate(d, old, new, &signs_roots, err);
	/* A new holder of the root role signs the root that makes it one. */
	if (result == 0 && signs_roots && s->n_keys < HF_SIGNATURES_MAX) {
		result = hf_private_key_load(path, passphrase, &s->keys[s->n_keys], err);
		s->n_keys += result == 0;
	}
	return result < 0 ? result : draft_finish(d, p, s->roots.trust.root, err);
}

static int rotate_run(struct hf_arena *a, const struct root_params *p, struct hf_error *err)
{
	struct release_session s;
	struct draft *d = hf_new(a, struct draft);
	d->session = &s;
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = rotate_make(d, p, err);
	if (result == 0 && !p->base.json && p->out == NULL)
		printf("Pointers that only the old key signed must be promoted anew%s.\n",
			p->new_epoch ? ", as all of the old epoch" : "");
	return release_close(&s, result, err);
}

/* Whoever still points at it must be told: hosts refuse it from now on. */
static int revoked_channels(struct release_session *s, const struct hf_digest *release, struct hf_error *err)
{
	struct hf_channels channels;
	int result = hf_channels_read(s->arena, s->store, &s->roots, &channels, err);
	for (size_t i = 0; result == 0 && i < channels.n; i++)
		if (channels.at[i].refusal == HF_REFUSED_NOTHING &&
			hf_digest_equal(&channels.at[i].pointer.release, release))
			fprintf(stderr, "holdfast: %s/%s still names it: order a rollback\n",
				channels.at[i].environment, channels.at[i].fleet);
	return result;
}

static int revoke_run(struct hf_arena *a, const struct root_params *p, struct hf_error *err)
{
	struct release_session s;
	struct draft *d = hf_new(a, struct draft);
	struct hf_digest release;
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0 && (p->reason == NULL || *p->reason == '\0'))
		result = hf_fail(err, HF_E_ARGUMENT, "a reason is required: --reason TEXT");
	if (result == 0)
		result = release_find(&s, p->base.words.at[0], &release, err);
	const struct hf_root *old = result < 0 ? NULL : s.roots.trust.root;
	if (result == 0 && hf_root_revocation(old, &release) != NULL)
		result = hf_fail(
			err, HF_E_EXISTS, "release %s is revoked already", release_short(a, &release));
	draft_from(d, &s, old);
	if (result == 0) {
		struct hf_revocation *rows = hf_new_array(a, old->n_revoked + 1, struct hf_revocation);
		for (size_t i = 0; i < old->n_revoked; i++)
			rows[i] = old->revoked[i];
		rows[old->n_revoked] = (struct hf_revocation){ release, p->reason, hf_time_now() };
		d->root.revoked = rows;
		d->root.n_revoked = old->n_revoked + 1;
		d->root.version++;
		result = draft_finish(d, p, old, err);
	}
	if (result == 0 && p->out == NULL)
		result = revoked_channels(&s, &release, err);
	return release_close(&s, result, err);
}

static int root_start(
	struct cli_call *call, int (*run)(struct hf_arena *, const struct root_params *, struct hf_error *))
{
	struct hf_error err;
	struct root_params p = { 0 };
	release_base_read(call, &p.base);
	p.add = release_words(call, "add");
	p.remove = release_words(call, "remove");
	p.thresholds = release_words(call, "threshold");
	p.environments = release_words(call, "environment");
	p.promotion = release_words(call, "promotion");
	p.out = cli_value(call, "out", NULL);
	p.reason = cli_value(call, "reason", NULL);
	p.agent_floor = cli_value(call, "agent-floor", NULL);
	p.new_epoch = cli_given(call, "new-epoch");
	int result = release_span(call, "expires", &p.expires, &err);
	if (result == 0)
		result = run(call->arena, &p, &err);
	return release_status(call, result, &err);
}

#define ROOT_COMMAND(title, symbol, min, max, usage, text)                                                   \
	RELEASE_COMMAND("release " title, release_##symbol, root_start, symbol, min, max, usage, text)
RELEASE_COMMAND("key rotate", key_rotate, root_start, rotate, 2, 2, "OLD NEW",
	"put a new key in an old one's place in every role: publishes the next root");
ROOT_COMMAND("init", init, 0, 0, "", "make the first root of a store: who may sign what");
ROOT_COMMAND(
	"root", root, 0, 0, "", "show the newest root, or change it: keys, thresholds, expiry, key epoch");
ROOT_COMMAND("revoke", revoke, 1, 1, "RELEASE", "no host installs this release any more, rollbacks included");
