/* lib/release/store.h - where releases lie: the same keys and the same conditional writes in a directory
 * (file:///path) and in a bucket (s3://bucket/prefix). A store is never trusted: whoever reads from it checks
 * hashes and signatures. Owns:  a store owns its connections until hf_store_close(); its memory lives in the
 * arena given at open. Fails: HF_E_NOT_FOUND no such key; HF_E_CONFLICT a condition does not hold; HF_E_LIMIT
 * more bytes than asked for; HF_E_DENIED, HF_E_NET, HF_E_TIMEOUT, HF_E_IO from below. Not thread-safe. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/digest.h"
#include "lib/base/error.h"
#include "lib/base/str.h"

enum {
	HF_STORE_KEY_MAX = 512,
	HF_STORE_LIST_MAX = 1000000, /* entries one listing may give */
	HF_STORE_PARALLEL = 16,      /* transfers at a time unless the options say otherwise */
	HF_STORE_TIMEOUT_MS = 120000,
};

/* As the store gave it, quotes included; "" when it gave none. Compared as text, never looked into. */
struct hf_etag {
	char text[128];
};

struct hf_store_get {
	const char *key;
	struct hf_buf *out; /* the bytes are appended here; NULL: they are written to fd */
	int fd;             /* written from its present offset; may hold part of the bytes after a failure */
	uint64_t max;       /* a longer value is HF_E_LIMIT, and no more than max bytes are ever taken */
	const char *if_none_match; /* etag; NULL: always send */
	int result;        /* of this item: 0, -HF_E_…; 1: not tried, because another failed first */
	bool not_modified; /* etag still holds: nothing was written */
	struct hf_etag etag;
	uint64_t size; /* bytes written */
};

enum hf_put_when {
	HF_PUT_ALWAYS,
	HF_PUT_CREATE, /* only if there is no such key (If-None-Match: *) */
	HF_PUT_MATCH,  /* only if the present value has this etag (If-Match) */
};
struct hf_store_put {
	const char *key;
	struct hf_str data; /* the bytes; data.p NULL: size bytes of fd from offset 0 */
	int fd;
	const char *path; /* with data.p NULL and fd < 0: this file is opened only while it is sent */
	uint64_t size;    /* of fd or path; a file of another length is refused */
	const struct hf_digest
		*sha256; /* NULL, or what the bytes must hash to: else HF_E_CONFLICT, nothing is stored */
	enum hf_put_when when;
	const char *etag;        /* for HF_PUT_MATCH */
	int result;              /* as in hf_store_get */
	struct hf_etag new_etag; /* of what was written */
};

struct hf_store_head {
	const char *key;
	int result; /* as in hf_store_get; a missing key is no failure */
	bool exists;
	uint64_t size;
};

struct hf_store_entry {
	const char *key; /* in the arena given */
	uint64_t size;
	int64_t modified; /* seconds since the epoch */
};
struct hf_store_entries {
	struct hf_store_entry *at;
	size_t n, room;
};

struct hf_store_options {
	unsigned parallel;   /* 0: HF_STORE_PARALLEL */
	uint32_t timeout_ms; /* for one item, and for silence within it; 0: HF_STORE_TIMEOUT_MS */
	/* Called after every finished item of a batch and at least four times a second while one waits, with
	 * the items and bytes finished so far; < 0 (-HF_E_CANCELLED) stops the batch. May be NULL. */
	int (*progress)(void *data, size_t items, uint64_t bytes);
	/* What the next batch amounts to, where that is worth showing; zeros: nothing that is. May be NULL.
	 */
	void (*expect)(void *data, size_t items, uint64_t bytes);
	void *data;
};

struct hf_store;
/* What a kind of store implements. Keys are checked before any of these is called. */
struct hf_store_kind {
	const char *scheme; /* "file" */
	int (*open)(struct hf_arena *a, const char *url, const struct hf_store_options *options,
		struct hf_store **ret, struct hf_error *err);
	void (*close)(struct hf_store *store);
	/* Batches: the first failure is returned, the rest ends as not tried. n may be 0. */
	int (*get)(struct hf_store *store, struct hf_store_get *items, size_t n, struct hf_error *err);
	int (*put)(struct hf_store *store, struct hf_store_put *items, size_t n, struct hf_error *err);
	int (*head)(struct hf_store *store, struct hf_store_head *items, size_t n, struct hf_error *err);
	int (*list)(struct hf_arena *a, struct hf_store *store, const char *prefix,
		struct hf_store_entries *ret, struct hf_error *err);
	int (*remove)(struct hf_store *store, const char *key, struct hf_error *err);
};
/* First member of every kind's own struct. */
struct hf_store {
	const struct hf_store_kind *kind;
	const char *url;                 /* without a slash at the end */
	struct hf_store_options options; /* zeros replaced by the defaults */
};
extern const struct hf_store_kind hf_store_file, hf_store_s3;

/* options may be NULL. A url without a scheme is refused. Opening does not touch the network. */
HF_CHECK int hf_store_open(struct hf_arena *a, const char *url, const struct hf_store_options *options,
	struct hf_store **ret, struct hf_error *err);
struct hf_store *hf_store_close(struct hf_store *store); /* accepts NULL; returns NULL */

/* Components of letters, digits, "_", "-", "=", "+", "@", "." (not first), joined by single slashes. */
bool hf_store_key_valid(const char *key);

HF_CHECK int hf_store_get(struct hf_store *store, struct hf_store_get *item, struct hf_error *err);
HF_CHECK int hf_store_get_many(
	struct hf_store *store, struct hf_store_get *items, size_t n, struct hf_error *err);
HF_CHECK int hf_store_put(struct hf_store *store, struct hf_store_put *item, struct hf_error *err);
HF_CHECK int hf_store_put_many(
	struct hf_store *store, struct hf_store_put *items, size_t n, struct hf_error *err);
HF_CHECK int hf_store_head_many(
	struct hf_store *store, struct hf_store_head *items, size_t n, struct hf_error *err);
/* Entries whose key starts with prefix ("" or components, the last of which may be cut short), sorted by key.
 */
HF_CHECK int hf_store_list(struct hf_arena *a, struct hf_store *store, const char *prefix,
	struct hf_store_entries *ret, struct hf_error *err);
/* A key that is not there is success. */
HF_CHECK int hf_store_remove(struct hf_store *store, const char *key, struct hf_error *err);

static inline void hf_store_close_scope(struct hf_store **store)
{
	*store = hf_store_close(*store);
}
#define hf_auto_store HF_CLEANUP(hf_store_close_scope) struct hf_store *
