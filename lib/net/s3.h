/* lib/net/s3.h - objects of one S3 bucket (AWS or any server that speaks its protocol).
 * Owns:  struct hf_s3 borrows struct hf_aws; answers live in the arena given or, asynchronously, until done()
 * returns. Keys:  any bytes but NUL; encoded here. Custom endpoints get path-style addresses, AWS gets the
 * bucket in the host name (not when the name has dots, which TLS names cannot hold). A bucket in another
 * region is followed there. Fails: HF_E_NOT_FOUND, HF_E_CONFLICT (a condition does not hold: 412),
 * HF_E_DENIED, HF_E_LIMIT and what http.h names. A 409 of two writers at once is tried again. */
#pragma once
#include "lib/net/aws.h"

enum {
	HF_S3_KEY_MAX = 1024,
	HF_S3_LIST_PAGE = 1000,
	HF_S3_LIST_PAGES_MAX = 10000,
	HF_S3_LIST_BODY_MAX = 8 << 20,
	HF_S3_ETAG_MAX = 128,
};

struct hf_s3;
/* bucket as in s3://bucket. region NULL: as configured. */
HF_CHECK int hf_s3_new(struct hf_arena *a, struct hf_aws *aws, const struct hf_aws_io *io, const char *bucket,
	const char *region, struct hf_s3 **ret, struct hf_error *err);

enum hf_s3_what { HF_S3_GET, HF_S3_HEAD, HF_S3_PUT, HF_S3_DELETE };

struct hf_s3_request {
	enum hf_s3_what what;
	const char *key;
	const char *if_none_match; /* an etag for GET; "*" for a PUT that must create */
	const char *if_match;      /* an etag for a PUT that must replace just that */
	struct hf_str body;        /* PUT; or body_fd from its start */
	int body_fd;
	uint64_t body_size;
	const char *payload_hash; /* PUT from body_fd: its SHA-256 in hex; NULL: read once to compute it */
	const char *content_type; /* NULL: application/octet-stream */
	bool to_file;             /* GET: into to_fd at its present offset */
	int to_fd;
	uint64_t max;         /* GET: a longer object is HF_E_LIMIT; 0: HF_HTTP_BODY_MAX */
	uint32_t deadline_ms; /* for all attempts; 0: HF_HTTP_DEADLINE_MS */
};

struct hf_s3_answer {
	bool not_modified;         /* GET: if_none_match still holds, nothing was sent */
	char etag[HF_S3_ETAG_MAX]; /* as sent, quotes included; "" when there was none */
	uint64_t size;             /* of the object (GET, HEAD) */
	int64_t modified;          /* seconds since the epoch; 0 unknown */
	struct hf_str body;
	unsigned attempts; /* set with a failure too: after a second attempt a 412 may be our own first one's
			      success */
};

typedef void (*hf_s3_done)(const struct hf_s3_answer *answer, const struct hf_error *failure, void *data);

/* Asynchronous: NULL when the request is wrong or body_fd cannot be read (err says why; done() is not
 * called). */
struct hf_http_transfer *hf_s3_start(
	struct hf_s3 *s3, const struct hf_s3_request *r, hf_s3_done done, void *data, struct hf_error *err);
/* Blocking; ret->body is in arena a. */
HF_CHECK int hf_s3_fetch(struct hf_s3 *s3, struct hf_arena *a, const struct hf_s3_request *r,
	struct hf_s3_answer *ret, struct hf_error *err);

struct hf_s3_object {
	const char *key, *etag;
	uint64_t size;
	int64_t modified;
};
struct hf_s3_objects {
	struct hf_s3_object *at;
	size_t n, room;
};
/* Blocking: all keys with that prefix in S3's order (bytewise); HF_E_LIMIT past max of them. */
HF_CHECK int hf_s3_list(struct hf_s3 *s3, struct hf_arena *a, const char *prefix, size_t max,
	struct hf_s3_objects *ret, struct hf_error *err);
