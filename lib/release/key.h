/* lib/release/key.h - public keys and the check of one signature. Nothing here reads files or parses text
 * beyond base64; private keys are in keyfile.h. */
#pragma once
#include <stdbool.h>

#include "lib/base/digest.h"

enum hf_key_algorithm { HF_KEY_ED25519, HF_KEY_ECDSA_P256, HF_KEY_ALGORITHMS };
enum {
	HF_KEY_RAW_MAX = 65,   /* Ed25519: 32 bytes; P-256: the uncompressed point */
	HF_SIGNATURE_MAX = 80, /* Ed25519: 64 bytes; P-256: DER, up to 72 */
};

struct hf_key {
	enum hf_key_algorithm algorithm;
	unsigned char raw[HF_KEY_RAW_MAX];
	size_t n;
	struct hf_digest id; /* SHA-256 of the raw public key */
	const char *name;    /* label for people; may be NULL */
};

/* "ed25519", "ecdsa-p256" */
const char *hf_key_algorithm_name(enum hf_key_algorithm algorithm);
bool hf_key_algorithm_find(const char *name, enum hf_key_algorithm *ret);
/* False when the bytes have not the length the algorithm wants. Fills the id. */
bool hf_key_init(struct hf_key *k, enum hf_key_algorithm algorithm, struct hf_str raw);
/* True only for a good signature; every failure inside OpenSSL is false too. */
bool hf_key_verify(const struct hf_key *k, struct hf_str message, struct hf_str signature);

/* Those who may sign something, and how many of them must. */
enum { HF_ROLE_KEYS_MAX = 32 };
struct hf_role {
	const struct hf_key *keys[HF_ROLE_KEYS_MAX]; /* distinct */
	size_t n;
	size_t threshold; /* 1 … n */
};
