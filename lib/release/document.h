/* lib/release/document.h - what signed documents say, as structs. Parsing is strict: every field has one
 * type, a missing or an unknown field is refused, lists are bounded. Only verified payloads come here on a
 * host. Owns:  everything parsed lives in the arena given. Fails: HF_E_TRUST "bad-document: …". */
#pragma once
#include "lib/data/value.h"
#include "lib/release/envelope.h"

enum {
	HF_NAME_MAX = 64,   /* environments, fleets */
	HF_TEXT_MAX = 1024, /* names, reasons */
	HF_PATH_MAX = 1024,
	HF_PATH_PART_MAX = 255,
	HF_FILES_MAX = 50000,
	HF_KEYS_MAX = 256,
	HF_ENVIRONMENTS_MAX = 64,
	HF_REVOKED_MAX = 4096,
};
#define HF_FILE_SIZE_MAX    ((int64_t)1 << 32)
#define HF_RELEASE_SIZE_MAX ((int64_t)1 << 36)
#define HF_NUMBER_MAX       ((int64_t)1 << 53) /* every counter: beyond it JSON readers disagree */

/* --- root ------------------------------------------------------------------------------------------------
 */
struct hf_deploy_role {
	const char *environment;
	struct hf_role role;
};
struct hf_revocation {
	struct hf_digest release;
	const char *reason;
	int64_t revoked; /* when */
};
/* What a promotion to an environment must show, or else how many must sign it. */
struct hf_promotion_rule {
	const char *environment;
	const char *after; /* where the release must have passed before */
	int64_t soak;      /* seconds it must have been there until it was attested */
	int64_t override;  /* this many holders of the deploy role may do without */
};
struct hf_root {
	int64_t version, key_epoch, issued, expires;
	const struct hf_key *keys;
	size_t n_keys;
	struct hf_role root, release;
	const struct hf_deploy_role *deploy;
	size_t n_deploy;
	const struct hf_revocation *revoked; /* the floor */
	size_t n_revoked;
	const struct hf_promotion_rule *rules;
	size_t n_rules;
	const char *agent_floor; /* no agent older than this is installed or believed; NULL: none */
};
HF_CHECK int hf_root_parse(struct hf_arena *a, struct hf_str payload, struct hf_root *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err);
HF_CHECK int hf_root_write(struct hf_buf *out, const struct hf_root *r, struct hf_error *err);
const struct hf_role *hf_root_deploy(const struct hf_root *r, const char *environment); /* NULL: nobody */
const struct hf_revocation *hf_root_revocation(const struct hf_root *r, const struct hf_digest *release);
const struct hf_promotion_rule *hf_root_rule(
	const struct hf_root *r, const char *environment); /* NULL: none */
const struct hf_key *hf_root_key(const struct hf_root *r, const struct hf_digest *id);

/* --- pointer ---------------------------------------------------------------------------------------------
 */
enum hf_pointer_kind { HF_POINTER_FORWARD, HF_POINTER_ROLLBACK, HF_POINTER_HALT, HF_POINTER_KINDS };
/* The log entry that attests a release. */
struct hf_evidence {
	const char *environment;
	int64_t n;
	struct hf_digest entry; /* SHA-256 of its payload */
};
struct hf_pointer {
	const char *environment, *fleet;
	int64_t key_epoch, seq, issued, expires;
	struct hf_digest release;
	bool has_previous;
	struct hf_digest previous; /* the release named before this pointer */
	enum hf_pointer_kind kind;
	bool has_evidence;
	struct hf_evidence evidence;
	const char *reason;       /* "" when none; never empty for a rollback or a halt */
	struct hf_value *rollout; /* a dict, passed through; empty when none */
};
const char *hf_pointer_kind_name(enum hf_pointer_kind kind);
HF_CHECK int hf_pointer_parse(struct hf_arena *a, struct hf_str payload, struct hf_pointer *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err);
HF_CHECK int hf_pointer_write(struct hf_buf *out, const struct hf_pointer *p, struct hf_error *err);

/* --- release ---------------------------------------------------------------------------------------------
 */
struct hf_file {
	const char *path; /* relative, normal, checked by hf_file_path_check() */
	int64_t size;
	struct hf_digest sha256;
	unsigned mode; /* 0644 or 0755 */
};
struct hf_manifest {
	const char *name; /* a label; may be "" */
	int64_t created;
	const char *entry;           /* path of the playbook to run; one of files */
	const struct hf_file *files; /* sorted by path, bytewise, no path twice, none a folder of another */
	size_t n_files;
	struct hf_value *gates; /* a list, passed through */
	const char *min_agent;  /* "" when any */
};
HF_CHECK int hf_manifest_parse(struct hf_arena *a, struct hf_str payload, struct hf_manifest *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err);
HF_CHECK int hf_manifest_write(struct hf_buf *out, const struct hf_manifest *m, struct hf_error *err);
const struct hf_file *hf_manifest_find(const struct hf_manifest *m, const char *path);
int64_t hf_manifest_size(const struct hf_manifest *m); /* of all files */
/* Relative, no empty part, no "." or "..", no control character or backslash, valid UTF-8, within the bounds.
 */
HF_CHECK int hf_file_path_check(struct hf_str path, enum hf_refusal *ret_refusal, struct hf_error *err);

/* --- log entry -------------------------------------------------------------------------------------------
 */
struct hf_log_entry {
	const char *environment;
	int64_t n, when;
	struct hf_digest previous; /* SHA-256 of the payload of entry n-1; zeros for entry 1 */
	const char *who;           /* name and key of whoever signed */
	const char *what;          /* "promote", "rollback", "halt", … */
	struct hf_value *details;  /* a dict: release, seq, fleet, reason … */
	struct hf_digest digest;   /* of its own payload; set by whoever read it */
};
HF_CHECK int hf_log_entry_parse(struct hf_arena *a, struct hf_str payload, struct hf_log_entry *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err);
HF_CHECK int hf_log_entry_write(struct hf_buf *out, const struct hf_log_entry *e, struct hf_error *err);

/* --- where they lie in a store ----------------------------------------------------------------------------
 */
enum { HF_OBJECT_KEY_SIZE = 80, HF_RELEASE_KEY_SIZE = 80 };
const char *hf_object_key(const struct hf_digest *sha256, char out[HF_OBJECT_KEY_SIZE]);
const char *hf_release_key(const struct hf_digest *release, char out[HF_RELEASE_KEY_SIZE]);
char *hf_root_key_name(struct hf_arena *a, int64_t version);
char *hf_pointer_key(struct hf_arena *a, const char *environment, const char *fleet);
char *hf_log_key(struct hf_arena *a, const char *environment, int64_t n);
/* Environments and fleets: lower-case letters, digits, "-" and "_", a letter or digit first, up to
 * HF_NAME_MAX. */
bool hf_channel_name_valid(const char *name);
/* -1, 0, 1 of versions such as "0.10.2", number by number. */
int hf_version_compare(const char *a, const char *b);
