/* lib/base/digest.h - SHA-256 of bytes, descriptors and files, and the other hashes Ansible names.
 * Fails: only where a file is read, and for an algorithm that OpenSSL does not provide. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

enum { HF_SHA256_SIZE = 32, HF_SHA256_HEX = 65, HF_DIGEST_HEX_MAX = 129, HF_SHA256_STATE_WORDS = 14 };

struct hf_digest {
	unsigned char bytes[HF_SHA256_SIZE];
};

struct hf_digest hf_sha256(struct hf_str data);
/* The same, fed piece by piece. */
struct hf_sha256 {
	uint64_t state[HF_SHA256_STATE_WORDS];
};
void hf_sha256_begin(struct hf_sha256 *s);
void hf_sha256_add(struct hf_sha256 *s, struct hf_str data);
struct hf_digest hf_sha256_end(struct hf_sha256 *s);
/* out must hold HF_SHA256_HEX bytes; returns out. */
const char *hf_digest_hex(const struct hf_digest *d, char *out);
bool hf_digest_parse(struct hf_str hex, struct hf_digest *ret); /* 64 lower-case hex digits */
static inline bool hf_digest_equal(const struct hf_digest *a, const struct hf_digest *b)
{
	return memcmp(a->bytes, b->bytes, HF_SHA256_SIZE) == 0;
}
/* Reads from the present offset to the end; fails with HF_E_LIMIT past max bytes. *ret_size may be NULL. */
HF_CHECK int hf_sha256_fd(
	int fd, uint64_t max, struct hf_digest *ret, uint64_t *ret_size, struct hf_error *err);
/* HMAC-SHA256 (RFC 2104). */
struct hf_digest hf_hmac_sha256(struct hf_str key, struct hf_str data);
/* Any algorithm OpenSSL knows ("md5", "sha1", "sha512", …) as lower-case hex. HF_E_ARGUMENT for an unknown
 * name. */
HF_CHECK int hf_hash_hex(
	const char *algorithm, struct hf_str data, char out[HF_DIGEST_HEX_MAX], struct hf_error *err);
HF_CHECK int hf_hash_file_hex(
	const char *algorithm, const char *path, char out[HF_DIGEST_HEX_MAX], struct hf_error *err);
