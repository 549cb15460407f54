#include <string.h>

#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/data/json.h"
#include "lib/release/base64.h"
#include "lib/release/document.h"
#include "lib/release/fields.h"

/* As the JSON has it, before names of keys become keys. */
struct raw_root {
	int64_t version, key_epoch, issued, expires;
	struct hf_value *keys, *roles, *floor, *promotion;
};
static const struct hf_field root_fields[] = {
	{ "version", HF_FIELD_NUMBER, offsetof(struct raw_root, version) },
	{ "key_epoch", HF_FIELD_NUMBER, offsetof(struct raw_root, key_epoch) },
	{ "issued", HF_FIELD_TIME, offsetof(struct raw_root, issued) },
	{ "expires", HF_FIELD_TIME, offsetof(struct raw_root, expires) },
	{ "keys", HF_FIELD_DICT, offsetof(struct raw_root, keys) },
	{ "roles", HF_FIELD_DICT, offsetof(struct raw_root, roles) },
	{ "floor", HF_FIELD_DICT, offsetof(struct raw_root, floor) },
	{ "promotion", HF_FIELD_DICT, offsetof(struct raw_root, promotion), true },
	{ .type = HF_FIELD_END },
};
struct raw_key {
	const char *algorithm, *public_key, *name;
};
static const struct hf_field key_fields[] = {
	{ "algorithm", HF_FIELD_TEXT, offsetof(struct raw_key, algorithm) },
	{ "public", HF_FIELD_TEXT, offsetof(struct raw_key, public_key) },
	{ "name", HF_FIELD_TEXT, offsetof(struct raw_key, name), true },
	{ .type = HF_FIELD_END },
};
struct raw_roles {
	struct hf_value *root, *release, *deploy;
};
static const struct hf_field roles_fields[] = {
	{ "root", HF_FIELD_DICT, offsetof(struct raw_roles, root) },
	{ "release", HF_FIELD_DICT, offsetof(struct raw_roles, release) },
	{ "deploy", HF_FIELD_DICT, offsetof(struct raw_roles, deploy) },
	{ .type = HF_FIELD_END },
};
struct raw_role {
	struct hf_value *keys;
	int64_t threshold;
};
static const struct hf_field role_fields[] = {
	{ "keys", HF_FIELD_LIST, offsetof(struct raw_role, keys) },
	{ "threshold", HF_FIELD_NUMBER, offsetof(struct raw_role, threshold) },
	{ .type = HF_FIELD_END },
};
struct raw_floor {
	struct hf_value *revoked;
	const char *agent;
};
static const struct hf_field floor_fields[] = {
	{ "revoked", HF_FIELD_LIST, offsetof(struct raw_floor, revoked) },
	{ "agent", HF_FIELD_TEXT, offsetof(struct raw_floor, agent), true },
	{ .type = HF_FIELD_END },
};
static const struct hf_field rule_fields[] = {
	{ "after", HF_FIELD_NAME, offsetof(struct hf_promotion_rule, after) },
	{ "soak", HF_FIELD_NUMBER, offsetof(struct hf_promotion_rule, soak) },
	{ "override", HF_FIELD_NUMBER, offsetof(struct hf_promotion_rule, override) },
	{ .type = HF_FIELD_END },
};
static const struct hf_field revocation_fields[] = {
	{ "release", HF_FIELD_DIGEST, offsetof(struct hf_revocation, release) },
	{ "reason", HF_FIELD_TEXT, offsetof(struct hf_revocation, reason) },
	{ "revoked", HF_FIELD_TIME, offsetof(struct hf_revocation, revoked) },
	{ .type = HF_FIELD_END },
};

struct root_reader {
	struct hf_arena *arena;
	struct hf_root *root;
	enum hf_refusal *refusal;
	struct hf_error *err;
};

static int read_key(struct root_reader *r, struct hf_str id, const struct hf_value *v, struct hf_key *ret)
{
	struct raw_key raw = { 0 };
	int result = hf_fields_bind(r->arena, v, key_fields, "a key of the root", &raw, r->refusal, r->err);
	if (result < 0)
		return result;
	unsigned char bytes[HF_KEY_RAW_MAX];
	enum hf_key_algorithm algorithm;
	struct hf_str text = hf_str(raw.public_key);
	size_t n = hf_base64_size(text);
	char hex[HF_SHA256_HEX];
	if (!hf_key_algorithm_find(raw.algorithm, &algorithm) || n > sizeof(bytes) ||
		!hf_base64_decode(text, bytes) ||
		!hf_key_init(ret, algorithm, hf_strn((const char *)bytes, n)))
		return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT, "root: key %.*s is malformed",
			HF_STR_ARG(id));
	if (!hf_str_is(id, hf_digest_hex(&ret->id, hex)))
		return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT,
			"root: key %.*s is listed under a name that is not its hash", HF_STR_ARG(id));
	ret->name = raw.name;
	return 0;
}

static int read_keys(struct root_reader *r, const struct hf_value *keys)
{
	if (hf_dict_len(keys) > HF_KEYS_MAX)
		return hf_refuse(
			r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT, "root: more than %d keys", HF_KEYS_MAX);
	struct hf_key *at = hf_new_array(r->arena, hf_dict_len(keys) + 1, struct hf_key);
	size_t n = 0;
	HF_DICT_EACH (keys, e) {
		int result = read_key(r, hf_entry_key(e)->u.string, hf_entry_value(e), &at[n++]);
		if (result < 0)
			return result;
	}
	r->root->keys = at;
	r->root->n_keys = n;
	return 0;
}

static int read_role(struct root_reader *r, const struct hf_value *v, const char *what, struct hf_role *ret)
{
	struct raw_role raw = { 0 };
	int result = hf_fields_bind(r->arena, v, role_fields, what, &raw, r->refusal, r->err);
	if (result < 0)
		return result;
	size_t n = hf_list_len(raw.keys);
	if (n == 0 || n > HF_ROLE_KEYS_MAX || raw.threshold < 1 || raw.threshold > (int64_t)n)
		return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT,
			"%s: threshold %lld of %zu keys cannot be", what, (long long)raw.threshold, n);
	ret->threshold = (size_t)raw.threshold;
	for (ret->n = 0; ret->n < n; ret->n++) {
		struct hf_digest id;
		const struct hf_value *text = hf_list_at(raw.keys, ret->n);
		const struct hf_key *key = NULL;
		if (hf_is(text, HF_STRING) && hf_digest_parse(text->u.string, &id))
			key = hf_root_key(r->root, &id);
		if (key == NULL)
			return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT,
				"%s names a key that is not listed", what);
		for (size_t i = 0; i < ret->n; i++)
			if (ret->keys[i] == key)
				return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT,
					"%s names a key twice", what);
		ret->keys[ret->n] = key;
	}
	return 0;
}

static int read_deploy(struct root_reader *r, const struct hf_value *deploy)
{
	if (hf_dict_len(deploy) > HF_ENVIRONMENTS_MAX)
		return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT,
			"root: more than %d environments", HF_ENVIRONMENTS_MAX);
	struct hf_deploy_role *at = hf_new_array(r->arena, hf_dict_len(deploy) + 1, struct hf_deploy_role);
	size_t n = 0;
	HF_DICT_EACH (deploy, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		if (!hf_channel_name_valid(name))
			return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT,
				"root: an environment has a name that is not allowed");
		at[n].environment = hf_strdup(r->arena, name);
		int result = read_role(
			r, hf_entry_value(e), hf_sprintf(r->arena, "role deploy:%s", name), &at[n].role);
		if (result < 0)
			return result;
		n++;
	}
	r->root->deploy = at;
	r->root->n_deploy = n;
	return 0;
}

static int read_floor(struct root_reader *r, const struct hf_value *v)
{
	struct raw_floor raw = { 0 };
	int result = hf_fields_bind(r->arena, v, floor_fields, "the floor", &raw, r->refusal, r->err);
	if (result < 0)
		return result;
	size_t n = hf_list_len(raw.revoked);
	if (n > HF_REVOKED_MAX)
		return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT, "more than %d revocations",
			HF_REVOKED_MAX);
	struct hf_revocation *at = hf_new_array(r->arena, n + 1, struct hf_revocation);
	for (size_t i = 0; i < n; i++) {
		result = hf_fields_bind(r->arena, hf_list_at(raw.revoked, i), revocation_fields,
			"a revocation", &at[i], r->refusal, r->err);
		if (result < 0)
			return result;
	}
	r->root->revoked = at;
	r->root->n_revoked = n;
	r->root->agent_floor = raw.agent;
	return 0;
}

/* An override by as few as the threshold would be no override. */
static int read_rule(struct root_reader *r, const char *environment, const struct hf_value *v,
	struct hf_promotion_rule *ret)
{
	const struct hf_role *role = hf_root_deploy(r->root, environment);
	int result = hf_fields_bind(r->arena, v, rule_fields, "a promotion rule", ret, r->refusal, r->err);
	if (result < 0)
		return result;
	ret->environment = hf_strdup(r->arena, environment);
	if (role == NULL || hf_root_deploy(r->root, ret->after) == NULL ||
		strcmp(ret->after, environment) == 0)
		return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT,
			"root: promotion to \"%s\" after \"%s\" speaks of environments that are none",
			environment, ret->after);
	if (ret->override <= (int64_t)role->threshold || ret->override > (int64_t)role->n)
		return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT,
			"root: an override of promotion to \"%s\" must take from %zu to %zu signers",
			environment, role->threshold + 1, role->n);
	return 0;
}

static int read_rules(struct root_reader *r, const struct hf_value *v)
{
	if (v == NULL)
		return 0;
	if (hf_dict_len(v) > HF_ENVIRONMENTS_MAX)
		return hf_refuse(r->refusal, r->err, HF_REFUSED_BAD_DOCUMENT,
			"root: more than %d promotion rules", HF_ENVIRONMENTS_MAX);
	struct hf_promotion_rule *at = hf_new_array(r->arena, hf_dict_len(v) + 1, struct hf_promotion_rule);
	size_t n = 0;
	HF_DICT_EACH (v, e) {
		int result = read_rule(r, hf_entry_key(e)->u.string.p, hf_entry_value(e), &at[n++]);
		if (result < 0)
			return result;
	}
	r->root->rules = at;
	r->root->n_rules = n;
	return 0;
}

static int read_roles(struct root_reader *r, const struct hf_value *v)
{
	struct raw_roles raw = { 0 };
	int result = hf_fields_bind(r->arena, v, roles_fields, "roles", &raw, r->refusal, r->err);
	if (result == 0)
		result = read_role(r, raw.root, "role root", &r->root->root);
	if (result == 0)
		result = read_role(r, raw.release, "role release", &r->root->release);
	return result < 0 ? result : read_deploy(r, raw.deploy);
}

int hf_root_parse(struct hf_arena *a, struct hf_str payload, struct hf_root *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct raw_root raw = { 0 };
	struct hf_root root = { 0 };
	struct root_reader r = { a, &root, ret_refusal, err };
	int result = hf_fields_parse(a, payload, root_fields, "root", &raw, ret_refusal, err);
	if (result < 0)
		return result;
	if (raw.version < 1 || raw.key_epoch < 1 || raw.expires <= raw.issued)
		return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT,
			"root: versions and epochs count from 1, and it expires after it was issued");
	root.version = raw.version;
	root.key_epoch = raw.key_epoch;
	root.issued = raw.issued;
	root.expires = raw.expires;
	result = read_keys(&r, raw.keys);
	if (result == 0)
		result = read_roles(&r, raw.roles);
	if (result == 0)
		result = read_floor(&r, raw.floor);
	if (result == 0)
		result = read_rules(&r, raw.promotion);
	if (result == 0)
		*ret = root;
	return result;
}

const struct hf_role *hf_root_deploy(const struct hf_root *r, const char *environment)
{
	for (size_t i = 0; i < r->n_deploy; i++)
		if (strcmp(r->deploy[i].environment, environment) == 0)
			return &r->deploy[i].role;
	return NULL;
}

const struct hf_promotion_rule *hf_root_rule(const struct hf_root *r, const char *environment)
{
	for (size_t i = 0; i < r->n_rules; i++)
		if (strcmp(r->rules[i].environment, environment) == 0)
			return &r->rules[i];
	return NULL;
}

const struct hf_revocation *hf_root_revocation(const struct hf_root *r, const struct hf_digest *release)
{
	for (size_t i = 0; i < r->n_revoked; i++)
		if (hf_digest_equal(&r->revoked[i].release, release))
			return &r->revoked[i];
	return NULL;
}

const struct hf_key *hf_root_key(const struct hf_root *r, const struct hf_digest *id)
{
	for (size_t i = 0; i < r->n_keys; i++)
		if (hf_digest_equal(&r->keys[i].id, id))
			return &r->keys[i];
	return NULL;
}

static struct hf_value *role_value(struct hf_arena *a, const struct hf_role *role)
{
	struct hf_value *keys = hf_value_list(a), *v = hf_value_dict(a);
	char hex[HF_SHA256_HEX];
	for (size_t i = 0; i < role->n; i++)
		hf_list_append(keys, hf_value_cstr(a, hf_digest_hex(&role->keys[i]->id, hex)));
	hf_dict_put(v, "keys", keys);
	hf_dict_put(v, "threshold", hf_value_int(a, (int64_t)role->threshold));
	return v;
}

static struct hf_value *keys_value(struct hf_arena *a, const struct hf_root *r)
{
	struct hf_value *keys = hf_value_dict(a);
	for (size_t i = 0; i < r->n_keys; i++) {
		const struct hf_key *k = &r->keys[i];
		hf_auto_buf text = hf_buf_init(HF_KEY_RAW_MAX * 2);
		char hex[HF_SHA256_HEX];
		hf_base64_encode(&text, hf_strn((const char *)k->raw, k->n));
		struct hf_value *v = hf_value_dict(a);
		hf_dict_put(v, "algorithm", hf_value_cstr(a, hf_key_algorithm_name(k->algorithm)));
		hf_dict_put(v, "public", hf_value_str(a, hf_buf_str(&text)));
		if (k->name != NULL)
			hf_dict_put(v, "name", hf_value_cstr(a, k->name));
		hf_dict_put(keys, hf_digest_hex(&k->id, hex), v);
	}
	return keys;
}

static struct hf_value *floor_value(struct hf_arena *a, const struct hf_root *r)
{
	struct hf_value *floor = hf_value_dict(a), *revoked = hf_value_list(a);
	for (size_t i = 0; i < r->n_revoked; i++) {
		struct hf_value *v = hf_value_dict(a);
		hf_fields_put_digest(a, v, "release", &r->revoked[i].release);
		hf_dict_put(v, "reason", hf_value_cstr(a, r->revoked[i].reason));
		hf_fields_put_time(a, v, "revoked", r->revoked[i].revoked);
		hf_list_append(revoked, v);
	}
	hf_dict_put(floor, "revoked", revoked);
	if (r->agent_floor != NULL)
		hf_dict_put(floor, "agent", hf_value_cstr(a, r->agent_floor));
	return floor;
}

static struct hf_value *rules_value(struct hf_arena *a, const struct hf_root *r)
{
	struct hf_value *rules = hf_value_dict(a);
	for (size_t i = 0; i < r->n_rules; i++) {
		struct hf_value *v = hf_value_dict(a);
		hf_dict_put(v, "after", hf_value_cstr(a, r->rules[i].after));
		hf_dict_put(v, "soak", hf_value_int(a, r->rules[i].soak));
		hf_dict_put(v, "override", hf_value_int(a, r->rules[i].override));
		hf_dict_put(rules, r->rules[i].environment, v);
	}
	return rules;
}

int hf_root_write(struct hf_buf *out, const struct hf_root *r, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = hf_value_dict(a), *roles = hf_value_dict(a), *deploy = hf_value_dict(a);
	for (size_t i = 0; i < r->n_deploy; i++)
		hf_dict_put(deploy, r->deploy[i].environment, role_value(a, &r->deploy[i].role));
	hf_dict_put(roles, "root", role_value(a, &r->root));
	hf_dict_put(roles, "release", role_value(a, &r->release));
	hf_dict_put(roles, "deploy", deploy);
	hf_dict_put(v, "version", hf_value_int(a, r->version));
	hf_dict_put(v, "key_epoch", hf_value_int(a, r->key_epoch));
	hf_fields_put_time(a, v, "issued", r->issued);
	hf_fields_put_time(a, v, "expires", r->expires);
	hf_dict_put(v, "keys", keys_value(a, r));
	hf_dict_put(v, "roles", roles);
	hf_dict_put(v, "floor", floor_value(a, r));
	if (r->n_rules > 0)
		hf_dict_put(v, "promotion", rules_value(a, r));
	return hf_json_write(out, v, &HF_JSON_COMPACT, err);
}
