/* lib/release/channel.c - pointers as people's tools read and move them; declared in manage.h. */
#include <stdio.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/base/vec.h"
#include "lib/release/manage.h"
#include "lib/release/verify.h"

/* Signature, format and place of a pointer that lies in the store. Its age does not matter here. */
static int pointer_check(struct hf_arena *a, const struct hf_roots *roots, struct hf_str bytes,
	struct hf_channel *c, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const struct hf_role *role = hf_root_deploy(roots->trust.root, c->environment);
	if (role == NULL)
		return hf_refuse(ret_refusal, err, HF_REFUSED_UNKNOWN_ENVIRONMENT, "environment \"%s\"",
			c->environment);
	hf_auto_arena scratch = hf_arena_new();
	struct hf_envelope *e = hf_new(scratch, struct hf_envelope);
	struct hf_str payload;
	struct hf_pointer p;
	int result = hf_verify(a, bytes, HF_DOC_POINTER, &role, 1, &payload, ret_refusal, err);
	if (result == 0)
		result = hf_envelope_scan(scratch, bytes, HF_DOC_POINTER, e, ret_refusal, err);
	if (result == 0)
		result = hf_pointer_parse(a, payload, &p, ret_refusal, err);
	if (result < 0)
		return result;
	if (strcmp(p.environment, c->environment) != 0 || strcmp(p.fleet, c->fleet) != 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_WRONG_ENVIRONMENT,
			"the pointer of %s/%s lies at %s/%s", p.environment, p.fleet, c->environment,
			c->fleet);
	c->pointer = p;
	c->digest = hf_sha256(payload);
	hf_signers(roots, e, c->signers);
	return 0;
}

int hf_channel_read(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const char *environment, const char *fleet, struct hf_channel *ret, struct hf_error *err)
{
	if (!hf_channel_name_valid(environment) || !hf_channel_name_valid(fleet))
		return hf_fail(err, HF_E_ARGUMENT,
			"\"%s/%s\": environments and fleets are named with lower-case letters, digits, \"-\" "
			"and \"_\"",
			environment, fleet);
	struct hf_channel c = { .environment = hf_strdup(a, environment), .fleet = hf_strdup(a, fleet) };
	hf_auto_buf bytes = hf_buf_init(HF_POINTER_MAX + 1);
	struct hf_store_get get = {
		.key = hf_pointer_key(a, environment, fleet), .out = &bytes, .max = HF_POINTER_MAX
	};
	int result = hf_store_get(store, &get, err);
	if (result < 0 && result != -HF_E_NOT_FOUND)
		return result;
	if (result == 0) {
		struct hf_error why;
		c.exists = true;
		c.bytes = hf_buf_dup(a, &bytes);
		c.etag = get.etag;
		result = pointer_check(a, roots, c.bytes, &c, &c.refusal, &why);
		if (result < 0 && result != -HF_E_TRUST)
			return hf_fail(err, why.code, "%s", why.text);
		if (result < 0)
			snprintf(c.why, sizeof(c.why), "%.*s", (int)sizeof(c.why) - 1, why.text);
	}
	*ret = c;
	return 0;
}

int hf_channels_read(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	struct hf_channels *ret, struct hf_error *err)
{
	static const char prefix[] = "channels/";
	struct hf_store_entries entries;
	struct hf_channels channels = { 0 };
	int result = hf_store_list(a, store, prefix, &entries, err);
	for (size_t i = 0; result == 0 && i < entries.n; i++) {
		struct hf_str rest = hf_str(entries.at[i].key + strlen(prefix)), environment, fleet;
		if (!hf_str_ends(rest, ".json") || !hf_str_split(&rest, '/', &environment) ||
			!hf_str_split(&rest, '/', &fleet) || fleet.n <= strlen(".json"))
			return hf_fail(
				err, HF_E_PARSE, "\"%s\" in %s is no channel", entries.at[i].key, store->url);
		fleet.n -= strlen(".json");
		result = hf_channel_read(a, store, roots, hf_str_dup(a, environment), hf_str_dup(a, fleet),
			hf_vec_push(a, &channels), err);
	}
	if (result == 0)
		*ret = channels;
	return result;
}

int hf_channel_next(struct hf_arena *a, const struct hf_roots *roots, const struct hf_channel *channel,
	const struct hf_move *move, struct hf_envelope *ret, struct hf_error *err)
{
	const struct hf_root *root = roots->trust.root;
	const struct hf_pointer *present = &channel->pointer;
	bool known = channel->exists && channel->refusal == HF_REFUSED_NOTHING;
	struct hf_pointer p = { .environment = channel->environment,
		.fleet = channel->fleet,
		.key_epoch = root->key_epoch,
		.seq = 1,
		.issued = move->now,
		.expires = move->expires,
		.release = move->release,
		.kind = move->kind,
		.reason = move->reason,
		.rollout = move->rollout,
		.has_evidence = move->evidence != NULL };
	if (move->evidence != NULL)
		p.evidence = *move->evidence;
	/* In a new key epoch numbers start again. A pointer nobody believes tells no number to go on from. */
	if (move->seq_floor >= p.seq)
		p.seq = move->seq_floor + 1;
	if (known) {
		p.has_previous = true;
		p.previous = present->release;
		if (present->key_epoch == root->key_epoch && present->seq >= p.seq)
			p.seq = present->seq + 1;
		if (p.issued < present->issued)
			p.issued = present->issued; /* a clock that is behind must not make hosts see time run
						       back */
	}
	if (p.expires <= p.issued)
		return hf_fail(err, HF_E_ARGUMENT, "the pointer would expire before it is issued");
	hf_auto_buf payload = hf_buf_init(HF_POINTER_MAX / 4 * 3 - 4096);
	int result = hf_pointer_write(&payload, &p, err);
	if (result == 0)
		result = hf_buf_check(&payload, "the pointer", err);
	if (result < 0)
		return result;
	*ret = (struct hf_envelope){ .kind = HF_DOC_POINTER, .payload = hf_buf_dup(a, &payload) };
	return 0;
}

/* The other manager's pointer, for the message. */
static int conflict_tell(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_channel *mine, struct hf_error *err)
{
	struct hf_channel c;
	char hex[HF_SHA256_HEX], when[HF_TIME_TEXT];
	int result = hf_channel_read(a, store, roots, mine->environment, mine->fleet, &c, err);
	if (result < 0)
		return result;
	if (!c.exists || c.refusal != HF_REFUSED_NOTHING)
		return hf_fail(err, HF_E_CONFLICT, "%s/%s was changed by somebody else meanwhile",
			mine->environment, mine->fleet);
	return hf_fail(err, HF_E_CONFLICT,
		"somebody else was first: %s moved %s/%s to release %.12s at %s (pointer %lld, %s%s%s); look "
		"at it, then "
		"decide again",
		c.signers, c.environment, c.fleet, hf_digest_hex(&c.pointer.release, hex),
		hf_time_print(c.pointer.issued, when), (long long)c.pointer.seq,
		hf_pointer_kind_name(c.pointer.kind), *c.pointer.reason == '\0' ? "" : ": ",
		c.pointer.reason);
}

int hf_channel_write(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_channel *channel, struct hf_str bytes, int64_t now, struct hf_pointer *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	/* As a host that has accepted the present pointer. */
	struct hf_accept_config config = { .environment = channel->environment, .fleet = channel->fleet };
	struct hf_trust trust = roots->trust, next;
	struct hf_pointer p;
	if (channel->exists && channel->refusal == HF_REFUSED_NOTHING) {
		trust.key_epoch = channel->pointer.key_epoch;
		trust.seq = channel->pointer.seq;
		trust.pointer = channel->digest;
	}
	int result = hf_accept_pointer(a, &config, &trust, bytes, now, &p, &next, ret_refusal, err);
	if (result < 0)
		return result;
	struct hf_store_put put = { .key = hf_pointer_key(a, channel->environment, channel->fleet),
		.data = bytes,
		.fd = -1,
		.when = channel->exists ? HF_PUT_MATCH : HF_PUT_CREATE,
		.etag = channel->etag.text };
	result = hf_store_put(store, &put, err);
	if (result == -HF_E_CONFLICT)
		return conflict_tell(a, store, roots, channel, err);
	if (result == 0)
		*ret = p;
	return result;
}
