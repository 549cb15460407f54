/* provisioner/state.h - what was made and what was about to be made, one small document a resource, in a
 * store (file:///… or s3://…). Every write is conditional on the version that was read, so a late writer
 * loses; a lease with owner, expiry and fencing number keeps two from working at once, and is taken over when
 * its owner is gone. Owns: documents live in the arena given at open. Not thread-safe. */
#pragma once
#include "lib/base/vec.h"
#include "lib/data/value.h"
#include "lib/release/store.h"

enum { HF_STATE_DOC_MAX = 1 << 20, HF_LEASE_SECONDS = 60, HF_STATE_VERSION = 1 };

/* Life of a document: intent → creating → ready → deleting → gone. */
struct hf_state_doc {
	const char *name;
	struct hf_value
		*doc; /* dict: type, status, id, intent, generation, hash, properties, outputs, depends */
	struct hf_etag etag; /* "" when it is not stored yet */
};

struct hf_state;
HF_CHECK int hf_state_open(struct hf_arena *a, const char *url, struct hf_state **ret, struct hf_error *err);
struct hf_state *hf_state_close(struct hf_state *s); /* gives the lease back; accepts NULL; returns NULL */
static inline void hf_state_close_scope(struct hf_state **s)
{
	*s = hf_state_close(*s);
}
#define hf_auto_state HF_CLEANUP(hf_state_close_scope) struct hf_state *

/* HF_E_BUSY names the holder and until when. */
HF_CHECK int hf_state_lock(struct hf_state *s, const char *what, struct hf_error *err);
/* Renew the lease when half of it has passed; HF_E_CONFLICT when somebody took it over. */
HF_CHECK int hf_state_keep(struct hf_state *s, struct hf_error *err);
/* Read every document. */
HF_CHECK int hf_state_load(struct hf_state *s, struct hf_error *err);

struct hf_state_doc *hf_state_find(const struct hf_state *s, const char *name); /* NULL when there is none */
size_t hf_state_count(const struct hf_state *s);
struct hf_state_doc *hf_state_at(const struct hf_state *s, size_t i); /* doc NULL: removed */
/* The document of that name, made when there is none; not stored before hf_state_put(). */
struct hf_state_doc *hf_state_make(struct hf_state *s, const char *name);
/* Store it, durable when this returns. */
HF_CHECK int hf_state_put(struct hf_state *s, struct hf_state_doc *d, struct hf_error *err);
HF_CHECK int hf_state_remove(struct hf_state *s, struct hf_state_doc *d, struct hf_error *err);
