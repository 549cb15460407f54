/* cli/release.h - what the commands of `holdfast release` and `holdfast key` share: the store, the chain of
 * roots, keys, and how results are told. */
#pragma once
#include "cli/command.h"
#include "lib/release/manage.h"

/* A family of commands reads its options into a struct that starts with this one. */
struct release_words {
	const char *const *at;
	size_t n;
};
struct release_base {
	struct release_words words; /* arguments that are no options */
	const char *store, *pin, *passphrase_file;
	struct release_words keys;
	bool json;
};
#define RELEASE_JSON                                                                                         \
	{                                                                                                    \
		"json", 'j', NULL, "print one JSON document on standard output"                              \
	}
#define RELEASE_STORE                                                                                        \
	{ "store", 's', "URL", "file:///path or s3://bucket/prefix [HOLDFAST_STORE]" },                      \
		{ "root", 0, "FILE", "trust only a store whose first root is this file [HOLDFAST_ROOT]" },   \
		RELEASE_JSON
#define RELEASE_PASSPHRASE                                                                                   \
	{                                                                                                    \
		"passphrase-file", 0, "FILE",                                                                \
			"its first line opens encrypted keys [HOLDFAST_KEY_PASSPHRASE]"                      \
	}
#define RELEASE_KEYS                                                                                         \
	{ "key", 'k', "FILE", "sign with this private key; may be repeated [HOLDFAST_KEY]" },                \
		RELEASE_PASSPHRASE

void release_base_read(const struct cli_call *call, struct release_base *ret);
/* What the entry playbook of a folder is sure to stumble over is an error that lists it; what it may is told
 * on standard error. */
HF_CHECK int release_lint(struct hf_arena *a, const char *folder, const char *entry, struct hf_error *err);
/* What was given for an option that may be repeated. */
struct release_words release_words(const struct cli_call *call, const char *option);
/* "90", "15m", "12h", "30d", "2w" in seconds; 0 when not given. */
HF_CHECK int release_span(
	const struct cli_call *call, const char *option, int64_t *ret, struct hf_error *err);
/* The same of a text; what names it in the message. */
HF_CHECK int release_span_parse(const char *what, const char *text, int64_t *ret, struct hf_error *err);
/* The rules of --promotion ENVIRONMENT=RULE, put into the root. */
HF_CHECK int release_rules_set(
	struct hf_arena *a, struct hf_root *root, struct release_words rules, struct hf_error *err);
struct hf_value *release_rules_value(struct hf_arena *a, const struct hf_root *root);
/* The exit status; tells the failure. */
int release_status(const struct cli_call *call, int result, const struct hf_error *err);

struct release_session {
	struct hf_arena *arena;
	const struct release_base *base;
	struct hf_store *store;
	struct hf_roots roots;
	struct hf_private_key *keys[HF_SIGNATURES_MAX];
	size_t n_keys;
	enum hf_refusal refusal;
	size_t expected; /* what the batch under way amounts to; 0: not known */
	uint64_t expected_bytes;
};
enum release_needs { RELEASE_STORE_ONLY, RELEASE_ROOTS };
/* Opens the store, loads the keys given and, where needed, walks the roots. */
HF_CHECK int release_open(struct hf_arena *a, const struct release_base *base, enum release_needs needs,
	struct release_session *ret, struct hf_error *err);
/* Closes everything; tells a failure as JSON where that was asked for. Returns result. */
int release_close(struct release_session *s, int result, const struct hf_error *err);
HF_CHECK int release_keys(struct hf_arena *a, const struct release_base *base, struct release_session *ret,
	struct hf_error *err);
/* NULL when neither the option nor the variable is there. */
HF_CHECK int release_passphrase(
	struct hf_arena *a, const struct release_base *base, const char **ret, struct hf_error *err);

/* Signs with every key of the session; *ret_bytes is the envelope as written. */
HF_CHECK int release_sign_all(
	struct release_session *s, struct hf_envelope *e, struct hf_str *ret_bytes, struct hf_error *err);
/* Before anything is written: are these signatures enough? The message says how to go on. */
HF_CHECK int release_enough(struct release_session *s, const struct hf_envelope *e,
	const struct hf_role *const *roles, size_t n_roles, struct hf_error *err);
/* Writes an envelope to a file people pass on, replacing what was there. */
HF_CHECK int release_write_file(const char *path, struct hf_str bytes, struct hf_error *err);
/* release_find(): a hash, its first digits, or (with a slash) a channel such as test/web, meaning what it
 * names. */
HF_CHECK int release_find(
	struct release_session *s, const char *text, struct hf_digest *ret, struct hf_error *err);

HF_CHECK int release_print_json(const struct hf_value *v, struct hf_error *err);
struct hf_value *release_time_value(struct hf_arena *a, int64_t seconds);
struct hf_value *release_digest_value(struct hf_arena *a, const struct hf_digest *d);
/* The word of the log for this move: promote, override, rollback, halt. */
const char *release_move_word(const struct hf_root *root, const struct hf_pointer *p);
struct hf_value *release_pointer_value(struct hf_arena *a, const struct hf_pointer *p);
/* First twelve digits, in the arena. */
const char *release_short(struct hf_arena *a, const struct hf_digest *d);
/* "1.4 MB" */
const char *release_size(struct hf_arena *a, uint64_t bytes);

/* Tasks that differ between two versions of a file (either may be NULL): printed, or put into rows. */
bool release_holds_tasks(const char *path);
HF_CHECK int release_task_changes(struct release_session *s, const struct hf_file *old,
	const struct hf_file *new, struct hf_value *rows, struct hf_error *err);

/* A command of a family: symbol_run does it, symbol_options are its options, start reads what they were
 * given. */
#define RELEASE_COMMAND(title, id, start, symbol, min, max, usage, text)                                     \
	static int symbol##_command(struct cli_call *call)                                                   \
	{                                                                                                    \
		return start(call, symbol##_run);                                                            \
	}                                                                                                    \
	const struct cli_command cli_command_##id = {                                                        \
		.name = title,                                                                               \
		.summary = text,                                                                             \
		.arguments = usage,                                                                          \
		.options = symbol##_options,                                                                 \
		.min_arguments = min,                                                                        \
		.max_arguments = max,                                                                        \
		.run = symbol##_command,                                                                     \
	}
