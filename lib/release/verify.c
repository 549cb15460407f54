#include "lib/release/verify.h"

#include "lib/base/scope.h"

static const struct hf_key *role_key(const struct hf_role *role, const struct hf_digest *id)
{
	for (size_t i = 0; i < role->n; i++)
		if (hf_digest_equal(&role->keys[i]->id, id))
			return role->keys[i];
	return NULL;
}

/* Signers are distinct: the scanner refused an envelope that names one key twice. */
static int role_satisfied(const struct hf_envelope *e, struct hf_str pae, const struct hf_role *role,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const char *name = hf_document_name(e->kind);
	size_t good = 0;
	for (size_t i = 0; i < e->n; i++) {
		const struct hf_signature *s = &e->signatures[i];
		const struct hf_key *key = role_key(role, &s->key_id);
		if (key == NULL)
			continue;
		if (!hf_key_verify(key, pae, hf_strn((const char *)s->bytes, s->n))) {
			char hex[HF_SHA256_HEX];
			return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_SIGNATURE,
				"%s: the signature of key %.12s does not fit", name,
				hf_digest_hex(&key->id, hex));
		}
		good++;
	}
	if (good == 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_UNKNOWN_KEY,
			"%s: none of its %zu signers may sign it", name, e->n);
	if (role->threshold == 0 || good < role->threshold)
		return hf_refuse(ret_refusal, err, HF_REFUSED_BELOW_THRESHOLD,
			"%s: signed by %zu of the %zu who must sign it", name, good, role->threshold);
	return 0;
}

int hf_verify_envelope(const struct hf_envelope *e, const struct hf_role *const *roles, size_t n_roles,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	if (e->n == 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_UNSIGNED, "%s without a signature",
			hf_document_name(e->kind));
	if (n_roles == 0)
		return hf_fail(err, HF_E_INTERNAL, "a document is checked against no role");
	hf_auto_arena scratch = hf_arena_new();
	struct hf_str pae = hf_envelope_pae(scratch, e->kind, e->payload);
	for (size_t i = 0; i < n_roles; i++) {
		int result = role_satisfied(e, pae, roles[i], ret_refusal, err);
		if (result < 0)
			return result;
	}
	return 0;
}

int hf_verify(struct hf_arena *a, struct hf_str bytes, enum hf_document kind,
	const struct hf_role *const *roles, size_t n_roles, struct hf_str *ret_payload,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_envelope *e = hf_new(scratch, struct hf_envelope);
	int result = hf_envelope_scan(scratch, bytes, kind, e, ret_refusal, err);
	if (result == 0)
		result = hf_verify_envelope(e, roles, n_roles, ret_refusal, err);
	if (result == 0)
		*ret_payload = hf_strn(hf_strndup(a, e->payload.p, e->payload.n), e->payload.n);
	return result;
}
