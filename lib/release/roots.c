/* lib/release/roots.c - the chain of roots as people's tools walk and extend it; declared in manage.h. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/release/manage.h"

static int root_get(
	struct hf_arena *a, struct hf_store *store, int64_t version, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_buf bytes = hf_buf_init(HF_ROOT_MAX + 1);
	struct hf_store_get get = { .key = hf_root_key_name(a, version), .out = &bytes, .max = HF_ROOT_MAX };
	int result = hf_store_get(store, &get, err);
	if (result == 0)
		*ret = hf_buf_dup(a, &bytes);
	return result;
}

static int first_root(struct hf_arena *a, struct hf_store *store, const char *pin, struct hf_trust *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_accept_config config = { 0 };
	struct hf_str bytes, pinned;
	int result = 0;
	if (pin != NULL) {
		result = hf_fs_read(a, pin, HF_ROOT_MAX, &pinned, err);
		config.pinned = true;
		config.pin = result < 0 ? config.pin : hf_sha256(pinned);
	}
	if (result == 0)
		result = root_get(a, store, 1, &bytes, err);
	if (result == -HF_E_NOT_FOUND && pin == NULL)
		return hf_fail(err, HF_E_NOT_FOUND, "%s has no root yet: make one with holdfast release init",
			store->url);
	return result < 0 ? result : hf_accept_first_root(a, &config, bytes, ret, ret_refusal, err);
}

int hf_roots_load(struct hf_arena *a, struct hf_store *store, const char *pin, struct hf_roots *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_roots roots = { .at = hf_new_array(a, HF_ROOTS_MAX, const struct hf_root *) };
	struct hf_trust trust;
	int result = first_root(a, store, pin, &trust, ret_refusal, err);
	if (result < 0)
		return result;
	roots.at[roots.n++] = trust.root;
	while (roots.n < HF_ROOTS_MAX) {
		struct hf_str bytes;
		struct hf_trust next;
		int64_t version = trust.root->version + 1;
		result = root_get(a, store, version, &bytes, err);
		if (result == -HF_E_NOT_FOUND)
			break;
		if (result == 0)
			result = hf_accept_root(a, &trust, bytes, &next, ret_refusal, err);
		if (result < 0)
			return hf_wrap(err, "root %lld of %s", (long long)version, store->url);
		trust = next;
		roots.at[roots.n++] = trust.root;
	}
	roots.trust = trust;
	*ret = roots;
	return 0;
}

int hf_roots_publish(struct hf_arena *a, struct hf_store *store, const char *pin, struct hf_str bytes,
	struct hf_root *ret, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_roots roots;
	struct hf_trust next;
	struct hf_accept_config config = { 0 };
	int result = hf_roots_load(a, store, pin, &roots, ret_refusal, err);
	if (result == -HF_E_NOT_FOUND)
		result = hf_accept_first_root(a, &config, bytes, &next, ret_refusal, err);
	else if (result == 0)
		result = hf_accept_root(a, &roots.trust, bytes, &next, ret_refusal, err);
	if (result < 0)
		return result;
	struct hf_store_put put = {
		.key = hf_root_key_name(a, next.root->version), .data = bytes, .fd = -1, .when = HF_PUT_CREATE
	};
	result = hf_store_put(store, &put, err);
	if (result == -HF_E_CONFLICT)
		return hf_fail(err, HF_E_CONFLICT,
			"somebody else was first: root %lld exists already in %s; make the change again on "
			"top of it",
			(long long)next.root->version, store->url);
	if (result == 0)
		*ret = *next.root;
	return result;
}

static const struct hf_key *any_key(const struct hf_roots *roots, const struct hf_digest *id)
{
	for (size_t i = roots->n; i-- > 0;) {
		const struct hf_key *key = hf_root_key(roots->at[i], id);
		if (key != NULL)
			return key;
	}
	return NULL;
}

const char *hf_signers(const struct hf_roots *roots, const struct hf_envelope *e, char out[HF_SIGNERS_TEXT])
{
	hf_auto_buf text = hf_buf_init(HF_SIGNERS_TEXT - 1);
	for (size_t i = 0; i < e->n; i++) {
		char hex[HF_SHA256_HEX];
		const struct hf_key *key = any_key(roots, &e->signatures[i].key_id);
		hf_digest_hex(&e->signatures[i].key_id, hex);
		hf_buf_puts(&text, i == 0 ? "" : ", ");
		if (key != NULL && key->name != NULL)
			hf_buf_puts(&text, key->name);
		else
			hf_buf_printf(&text, "%.12s", hex);
	}
	struct hf_str s = hf_buf_str(&text);
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return out;
}
