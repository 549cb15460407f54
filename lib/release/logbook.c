/* lib/release/logbook.c - the signed, hash-chained log of an environment; declared in manage.h. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/release/manage.h"
#include "lib/release/verify.h"

enum { APPEND_TRIES = 20, BATCH = 64 };

static int newest_number(struct hf_arena *a, struct hf_store *store, const char *environment, int64_t *ret,
	struct hf_error *err)
{
	struct hf_store_entries entries;
	const char *prefix = hf_sprintf(a, "log/%s/", environment);
	int64_t newest = 0;
	int result = hf_store_list(a, store, prefix, &entries, err);
	for (size_t i = 0; result == 0 && i < entries.n; i++) {
		struct hf_str name = hf_str(entries.at[i].key + strlen(prefix));
		int64_t n = 0;
		if (!hf_str_ends(name, ".json") || !hf_str_to_int64(hf_strn(name.p, name.n - 5), &n) || n < 1)
			return hf_fail(err, HF_E_PARSE, "\"%s\" in %s is no log entry", entries.at[i].key,
				store->url);
		if (n > newest)
			newest = n;
	}
	if (result == 0)
		*ret = newest;
	return result;
}

/* Keys change; an entry is good if somebody who could deploy under any root signed it. One signature is
 * enough. */
static int entry_check(struct hf_arena *a, const struct hf_roots *roots, const char *environment, int64_t n,
	struct hf_str bytes, struct hf_log_entry *ret, struct hf_digest *ret_digest,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	int result = hf_refuse(
		ret_refusal, err, HF_REFUSED_BROKEN_LOG, "environment \"%s\" is in no root", environment);
	struct hf_str payload = { 0 };
	for (size_t i = roots->n; result < 0 && i-- > 0;) {
		const struct hf_role *deploy = hf_root_deploy(roots->at[i], environment);
		if (deploy == NULL)
			continue;
		struct hf_role one = *deploy;
		one.threshold = 1;
		const struct hf_role *role = &one;
		result = hf_verify(a, bytes, HF_DOC_LOG, &role, 1, &payload, ret_refusal, err);
	}
	struct hf_log_entry e = { 0 };
	if (result == 0)
		result = hf_log_entry_parse(a, payload, &e, ret_refusal, err);
	if (result < 0)
		return hf_wrap(err, "log entry %lld of %s", (long long)n, environment);
	if (e.n != n || strcmp(e.environment, environment) != 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_BROKEN_LOG,
			"entry %lld of %s lies where %lld of %s should", (long long)e.n, e.environment,
			(long long)n, environment);
	e.digest = hf_sha256(payload);
	*ret = e;
	*ret_digest = e.digest;
	return 0;
}

static int entries_get(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const char *environment, int64_t first, int64_t last, struct hf_log_entries *out,
	struct hf_digest *digest, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_store_get gets[BATCH];
	struct hf_buf bytes[BATCH];
	size_t n = (size_t)(last - first + 1);
	for (size_t i = 0; i < n; i++) {
		bytes[i] = hf_buf_init(HF_LOG_MAX + 1);
		gets[i] = (struct hf_store_get){ .key = hf_log_key(a, environment, first + (int64_t)i),
			.out = &bytes[i],
			.max = HF_LOG_MAX };
	}
	int result = hf_store_get_many(store, gets, n, err);
	if (result == -HF_E_NOT_FOUND)
		result = hf_refuse(ret_refusal, err, HF_REFUSED_BROKEN_LOG,
			"an entry from %lld to %lld of %s is missing", (long long)first, (long long)last,
			environment);
	for (size_t i = 0; result == 0 && i < n; i++) {
		struct hf_log_entry e;
		struct hf_digest own;
		int64_t number = first + (int64_t)i;
		result = entry_check(
			a, roots, environment, number, hf_buf_str(&bytes[i]), &e, &own, ret_refusal, err);
		/* The first one read has nothing before it to compare with, unless it is the very first. */
		if (result == 0 && (out->n > 0 || number == 1) && !hf_digest_equal(&e.previous, digest))
			result = hf_refuse(ret_refusal, err, HF_REFUSED_BROKEN_LOG,
				"entry %lld of %s does not follow from the one before", (long long)number,
				environment);
		if (result == 0)
			*(struct hf_log_entry *)hf_vec_push(a, out) = e;
		*digest = own;
	}
	for (size_t i = 0; i < n; i++)
		hf_buf_done(&bytes[i]);
	return result;
}

static int log_range(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const char *environment, size_t last, int64_t *ret_newest, struct hf_log_entries *ret,
	struct hf_digest *ret_digest, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_log_entries entries = { 0 };
	struct hf_digest digest = { 0 };
	int64_t newest = 0;
	int result = newest_number(a, store, environment, &newest, err);
	int64_t first = last > 0 && newest > (int64_t)last ? newest - (int64_t)last + 1 : 1;
	for (; result == 0 && first <= newest; first += BATCH) {
		int64_t end = first + BATCH - 1 < newest ? first + BATCH - 1 : newest;
		result = entries_get(
			a, store, roots, environment, first, end, &entries, &digest, ret_refusal, err);
	}
	if (result < 0)
		return result;
	*ret_newest = newest;
	*ret = entries;
	*ret_digest = digest;
	return 0;
}

int hf_log_read(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const char *environment, size_t last, struct hf_log_entries *ret, enum hf_refusal *ret_refusal,
	struct hf_error *err)
{
	int64_t newest;
	struct hf_digest digest;
	return log_range(a, store, roots, environment, last, &newest, ret, &digest, ret_refusal, err);
}

int hf_log_last_seq(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const char *environment, const char *fleet, int64_t *ret, struct hf_error *err)
{
	struct hf_log_entries entries;
	int64_t seq = 0;
	int result = hf_log_read(a, store, roots, environment, 0, &entries, NULL, err);
	for (size_t i = 0; result == 0 && i < entries.n; i++) {
		const struct hf_value *d = entries.at[i].details;
		if (strcmp(hf_dict_cstr(d, "fleet", ""), fleet) == 0 &&
			hf_dict_int(d, "key_epoch", 0) == roots->trust.root->key_epoch &&
			hf_dict_int(d, "seq", 0) > seq)
			seq = hf_dict_int(d, "seq", 0);
	}
	if (result == 0)
		*ret = seq;
	return result;
}

int hf_log_append(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	struct hf_log_entry *entry, const struct hf_private_key *key, struct hf_error *err)
{
	const struct hf_key *public_key = hf_private_key_public(key);
	for (int i = 0; i < APPEND_TRIES; i++) {
		struct hf_log_entries before;
		int64_t newest = 0;
		int result = log_range(a, store, roots, entry->environment, 1, &newest, &before,
			&entry->previous, NULL, err);
		if (result < 0)
			return result;
		char hex[HF_SHA256_HEX];
		entry->n = newest + 1;
		entry->who =
			hf_sprintf(a, "%s (%.12s)", public_key->name, hf_digest_hex(&public_key->id, hex));
		hf_auto_buf payload = hf_buf_init(HF_LOG_MAX / 2), bytes = hf_buf_init(HF_LOG_MAX);
		struct hf_envelope *e = hf_new(a, struct hf_envelope);
		result = hf_log_entry_write(&payload, entry, err);
		if (result == 0)
			result = hf_buf_check(&payload, "the log entry", err);
		*e = (struct hf_envelope){ .kind = HF_DOC_LOG, .payload = hf_buf_str(&payload) };
		if (result == 0)
			result = hf_envelope_sign(e, key, err);
		if (result < 0)
			return result;
		hf_envelope_write(&bytes, e);
		struct hf_store_put put = { .key = hf_log_key(a, entry->environment, entry->n),
			.data = hf_buf_str(&bytes),
			.fd = -1,
			.when = HF_PUT_CREATE };
		result = hf_store_put(store, &put, err);
		if (result != -HF_E_CONFLICT)
			return result;
	}
	return hf_fail(err, HF_E_BUSY, "the log of %s grew %d times while an entry was added",
		entry->environment, APPEND_TRIES);
}
