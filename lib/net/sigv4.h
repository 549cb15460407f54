/* lib/net/sigv4.h - AWS Signature Version 4, by header and by query.
 * Pure: no network, no clock. Owns: results live in the arena given.
 * Rules: S3 paths are decoded and encoded once; for every other service the path on the wire is normalised
 * and encoded again. Query pairs are decoded, encoded and sorted. Every header given is signed but the few
 * that proxies may change. The canonical request is returned, so that a refused signature can be explained.
 */
#pragma once
#include "lib/net/http.h"

#define HF_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD" /* S3 over TLS only */

enum { HF_SIGV4_TEXT_MAX = 1 << 20, HF_SIGV4_PAIRS_MAX = 1024, HF_SIGV4_EXPIRES_MAX = 604800 };

struct hf_aws_key {
	const char *access, *secret;
	const char *token; /* NULL: a long-lived key */
};

struct hf_sigv4 {
	const char *method;
	const char *path;                     /* as on the wire; "" means "/" */
	const char *query;                    /* as on the wire, without "?"; NULL: none */
	const struct hf_http_header *headers; /* host among them */
	size_t n_headers;
	const char *payload_hash; /* hex, or HF_SIGV4_UNSIGNED */
	const char *region, *service;
	int64_t time; /* seconds since the epoch */
	struct hf_aws_key key;
	bool s3;             /* path encoded once, never normalised */
	bool keep_path;      /* do not normalise */
	bool hash_header;    /* send and sign x-amz-content-sha256 (header form) */
	bool token_unsigned; /* send the session token but leave it out of the signature */
	uint32_t expires;    /* seconds (query form) */
};

struct hf_sigv4_signed {
	const char *canonical, *string_to_sign, *signature;
	struct hf_http_headers
		added;     /* header form: to be sent besides the ones given; authorization is the last */
	const char *query; /* query form: the whole query to send, without "?" */
};

HF_CHECK int hf_sigv4_header(
	struct hf_arena *a, const struct hf_sigv4 *s, struct hf_sigv4_signed *ret, struct hf_error *err);
HF_CHECK int hf_sigv4_query(
	struct hf_arena *a, const struct hf_sigv4 *s, struct hf_sigv4_signed *ret, struct hf_error *err);

/* Percent-encode as AWS wants it: everything but letters, digits, "-._~"; slashes too unless keep_slash. */
void hf_uri_encode(struct hf_buf *out, struct hf_str s, bool keep_slash);
char *hf_uri_encode_dup(struct hf_arena *a, struct hf_str s, bool keep_slash);
/* %XX to bytes; anything else as it is. */
struct hf_str hf_uri_decode(struct hf_arena *a, struct hf_str s);
