/* lib/release/accept.h - what a host believes, and whether new bytes may change it. Pure functions: trusted
 * state and received bytes in, new trusted state or a refusal out; they touch no file, no clock and no
 * network. Use:   the order of a TUF client. Take the time once; walk root/N+1.json, root/N+2.json … until
 * the store has none, persisting each state before the next step; hf_accept_root_expiry(); then the pointer;
 * persist; then its release; then every object; only then act. After a new root the pointer is fetched again
 * without etag. Owns:  states are plain values; what they point to lives in the arena given to the call that
 * made them. Fails: HF_E_TRUST with *ret_refusal; the state given stays valid. */
#pragma once
#include "lib/release/document.h"

/* Who this host is, and the least it may believe (user data and configuration): survives the loss of the
 * state. */
struct hf_accept_config {
	const char *environment, *fleet;
	const char *agent_version;
	int64_t min_root, min_epoch, min_seq; /* 0: none */
	bool pinned;
	struct hf_digest pin; /* SHA-256 of the first root's envelope as received */
};

struct hf_trust {
	/* The newest root accepted. Persist root_bytes; hf_accept_restore() gives root again. */
	struct hf_str root_bytes;
	const struct hf_root *root;
	/* The newest pointer accepted; seq 0: none yet. Persist all of these. */
	int64_t key_epoch, seq;
	struct hf_digest pointer; /* SHA-256 of its payload */
	struct hf_digest release;
	int64_t pointer_expires;
	int64_t newest_issued; /* time never counts as earlier than this */
};

/* The first root: trusted because an administrator put it there (or pinned its hash), yet it must be signed
 * by its own root role. An expired one is accepted: its successors may be fresh. */
HF_CHECK int hf_accept_first_root(struct hf_arena *a, const struct hf_accept_config *config,
	struct hf_str bytes, struct hf_trust *ret, enum hf_refusal *ret_refusal, struct hf_error *err);
/* Root N+1: signed by the root roles of N and of N+1; version, key epoch and floor never fall. */
HF_CHECK int hf_accept_root(struct hf_arena *a, const struct hf_trust *trust, struct hf_str bytes,
	struct hf_trust *ret, enum hf_refusal *ret_refusal, struct hf_error *err);
/* Parses trust->root_bytes read back from the host's own state. */
HF_CHECK int hf_accept_restore(
	struct hf_arena *a, struct hf_trust *trust, enum hf_refusal *ret_refusal, struct hf_error *err);
/* After the walk: expired-root, below-minimum, agent-too-old. */
HF_CHECK int hf_accept_root_current(const struct hf_accept_config *config, const struct hf_trust *trust,
	int64_t now, enum hf_refusal *ret_refusal, struct hf_error *err);

/* *ret equals trust when it is the pointer accepted already (and still fresh). */
HF_CHECK int hf_accept_pointer(struct hf_arena *a, const struct hf_accept_config *config,
	const struct hf_trust *trust, struct hf_str bytes, int64_t now, struct hf_pointer *ret_pointer,
	struct hf_trust *ret, enum hf_refusal *ret_refusal, struct hf_error *err);
/* On every poll, changed or not: whether the pointer accepted still counts. below-minimum, expired-pointer,
 * or, under a newer root, wrong-epoch and revoked. Keep enforcing; raise the alarm. */
HF_CHECK int hf_accept_fresh(const struct hf_accept_config *config, const struct hf_trust *trust, int64_t now,
	enum hf_refusal *ret_refusal, struct hf_error *err);

/* Whether the host may install this release at all: revoked. Ask before automatic rollbacks too. */
HF_CHECK int hf_accept_release_allowed(const struct hf_trust *trust, const struct hf_digest *release,
	enum hf_refusal *ret_refusal, struct hf_error *err);
/* releases/<release>.json: signature, hash, format, revoked, agent-too-old. */
HF_CHECK int hf_accept_release(struct hf_arena *a, const struct hf_accept_config *config,
	const struct hf_trust *trust, const struct hf_digest *release, struct hf_str bytes,
	struct hf_manifest *ret, enum hf_refusal *ret_refusal, struct hf_error *err);
/* The bytes of one file, read from offset 0 of fd: size-mismatch, hash-mismatch. */
HF_CHECK int hf_accept_object(
	const struct hf_file *file, int fd, enum hf_refusal *ret_refusal, struct hf_error *err);
/* An update of the agent itself: agent-downgrade below the installed version or the root's floor. */
HF_CHECK int hf_accept_agent(const struct hf_accept_config *config, const struct hf_trust *trust,
	const char *version, enum hf_refusal *ret_refusal, struct hf_error *err);
/* The agent's own packages among the files of a release (holdfast_VERSION_ARCH.deb, holdfast-VERSION-….rpm):
 * each must be one that hf_accept_agent() takes, or the version allowed (may be NULL). */
HF_CHECK int hf_accept_packages(struct hf_arena *a, const struct hf_accept_config *config,
	const struct hf_trust *trust, const struct hf_manifest *m, const char *allowed,
	enum hf_refusal *ret_refusal, struct hf_error *err);
