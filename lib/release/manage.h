/* lib/release/manage.h - what people's tools do to a store: read its chain of roots, push releases, move
 * channels, keep the log, collect garbage. A host uses none of it. Owns:  results live in the arena given.
 * Fails: as store.h and accept.h; HF_E_CONFLICT names who was first and with what. Not thread-safe. */
#pragma once
#include "lib/release/accept.h"
#include "lib/release/keyfile.h"
#include "lib/release/store.h"
#include "lib/release/tree.h"

enum { HF_ROOTS_MAX = 1000, HF_LOG_ENTRIES_MAX = 1000000, HF_SIGNERS_TEXT = 512 };

/* --- roots -------------------------------------------------------------------------------------------------
 */
struct hf_roots {
	struct hf_trust trust;     /* .root is the newest */
	const struct hf_root **at; /* all, oldest first */
	size_t n;
};
/* Walks root/1.json, root/2.json … . pin: path of a file that must equal root/1.json; NULL: believe the
 * store's. */
HF_CHECK int hf_roots_load(struct hf_arena *a, struct hf_store *store, const char *pin, struct hf_roots *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err);
/* Publishes root 1 or N+1 after checking it as a host would. */
HF_CHECK int hf_roots_publish(struct hf_arena *a, struct hf_store *store, const char *pin,
	struct hf_str bytes, struct hf_root *ret, enum hf_refusal *ret_refusal, struct hf_error *err);
/* "alice, bob": names (or short ids) of those whose signatures an envelope carries. */
const char *hf_signers(const struct hf_roots *roots, const struct hf_envelope *e, char out[HF_SIGNERS_TEXT]);

/* --- releases --- */
struct hf_push_report {
	size_t objects, uploaded; /* distinct objects; those the store lacked */
	uint64_t bytes, uploaded_bytes;
	bool existed; /* the release document was there already */
};
/* Uploads what the store lacks, then the document, which makes the release visible. May be repeated after a
 * cut. */
HF_CHECK int hf_push(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_tree *tree, struct hf_str document, struct hf_push_report *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err);
/* Reads and checks releases/<hash>.json.
 * ret_envelope may be NULL. A revoked release is given, too: *ret_refusal is then HF_REFUSED_REVOKED. */
HF_CHECK int hf_release_read(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_digest *release, struct hf_manifest *ret, struct hf_envelope *ret_envelope,
	enum hf_refusal *ret_refusal, struct hf_error *err);
/* The only release whose hash starts with text (six digits at least). */
HF_CHECK int hf_release_find(struct hf_arena *a, struct hf_store *store, const char *text,
	struct hf_digest *ret, struct hf_error *err);
/* Every object of m is in the store with its size, and (deep) its bytes hash right. */
HF_CHECK int hf_release_check(struct hf_arena *a, struct hf_store *store, const struct hf_manifest *m,
	bool deep, enum hf_refusal *ret_refusal, struct hf_error *err);

/* --- channels --- */
struct hf_channel {
	const char *environment, *fleet;
	bool exists;
	enum hf_refusal
		refusal; /* why the present pointer is not believed; then only bytes and etag are set */
	char why[HF_ERROR_TEXT_MAX / 4];
	struct hf_pointer pointer;
	struct hf_digest digest; /* of its payload */
	char signers[HF_SIGNERS_TEXT];
	struct hf_str bytes;
	struct hf_etag etag;
};
HF_CHECK int hf_channel_read(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const char *environment, const char *fleet, struct hf_channel *ret, struct hf_error *err);
/* All channels of the store, sorted. */
struct hf_channels {
	struct hf_channel *at;
	size_t n, room;
};
HF_CHECK int hf_channels_read(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	struct hf_channels *ret, struct hf_error *err);

struct hf_move {
	enum hf_pointer_kind kind;
	struct hf_digest release;
	const char *reason; /* "" when none */
	int64_t now, expires;
	int64_t seq_floor;        /* highest number of this epoch known from the log, where the pointer is not
				     believed; 0 */
	struct hf_value *rollout; /* NULL: none */
	const struct hf_evidence *evidence; /* NULL: none */
};
/* The next pointer of a channel, not signed yet. */
HF_CHECK int hf_channel_next(struct hf_arena *a, const struct hf_roots *roots,
	const struct hf_channel *channel, const struct hf_move *move, struct hf_envelope *ret,
	struct hf_error *err);
/* Checks the signed pointer as a host would, and writes it if the channel still is as it was read. */
HF_CHECK int hf_channel_write(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_channel *channel, struct hf_str bytes, int64_t now, struct hf_pointer *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err);

/* --- log --- */
/* Appends; entry->n, previous and who are filled in. Another's entry that came between is followed. */
HF_CHECK int hf_log_append(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	struct hf_log_entry *entry, const struct hf_private_key *key, struct hf_error *err);
struct hf_log_entries {
	struct hf_log_entry *at;
	size_t n, room;
};
/* The highest number the log knows for this fleet in this key epoch; 0 when none. */
HF_CHECK int hf_log_last_seq(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const char *environment, const char *fleet, int64_t *ret, struct hf_error *err);
/* Oldest first. Signatures and chain are checked: broken-log. last: at most that many from the end; 0: all.
 */
HF_CHECK int hf_log_read(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const char *environment, size_t last, struct hf_log_entries *ret, enum hf_refusal *ret_refusal,
	struct hf_error *err);

enum { HF_EVIDENCE_FLEETS_MAX = 256 };
/* The entry that attests the release as the rule demands: the last word about it is "pass", said while a
 * fleet had had it for as long as it must soak. no-evidence. */
HF_CHECK int hf_evidence_find(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_promotion_rule *rule, const struct hf_digest *release, struct hf_evidence *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err);

/* --- garbage --- */
struct hf_gc_options {
	int64_t now, keep_seconds; /* younger releases and objects stay, whoever needs them */
	size_t keep_log; /* releases named by that many of the last log entries of an environment stay */
	bool dry_run;
};
struct hf_gc_report {
	size_t releases_kept, releases_removed, objects_kept, objects_removed;
	uint64_t bytes_removed;
};
/* Removes nothing at all when any document that could name a release cannot be read. */
HF_CHECK int hf_gc(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_gc_options *options, struct hf_gc_report *ret, enum hf_refusal *ret_refusal,
	struct hf_error *err);
