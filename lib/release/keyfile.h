/* lib/release/keyfile.h - private keys: made, kept as PKCS#8 PEM, used to sign. For people's tools; a host
 * has none. Owns:  a private key is freed with hf_private_key_free(), which wipes it. Fails: HF_E_DENIED for
 * a file others may read or a wrong passphrase; HF_E_PARSE for one that holds no such key. */
#pragma once
#include "lib/release/envelope.h"

struct evp_pkey_st;    /* OpenSSL's EVP_PKEY */
struct hf_private_key; /* opaque: its fields are in keyfile.c */

HF_CHECK int hf_private_key_generate(
	enum hf_key_algorithm algorithm, struct hf_private_key **ret, struct hf_error *err);
/* passphrase: NULL when none; needed only where the file is encrypted. The key's name is the file's, without
 * ".pem". "awskms:KEY" is a key in AWS KMS (kms.h). */
HF_CHECK int hf_private_key_load(
	const char *path, const char *passphrase, struct hf_private_key **ret, struct hf_error *err);
/* A key that is elsewhere: pair is its public half (taken), sign is asked for every signature, done ends it.
 */
typedef int (*hf_remote_sign)(void *data, const struct hf_key *key, struct hf_str message,
	struct hf_signature *ret, struct hf_error *err);
HF_CHECK int hf_private_key_remote(struct evp_pkey_st **pair, const char *name, hf_remote_sign sign,
	void (*done)(void *data), void *data, struct hf_private_key **ret, struct hf_error *err);
/* Mode 0600; an existing file is never replaced (HF_E_EXISTS). passphrase NULL: not encrypted. */
HF_CHECK int hf_private_key_save(
	const struct hf_private_key *k, const char *path, const char *passphrase, struct hf_error *err);
struct hf_private_key *hf_private_key_free(struct hf_private_key *k); /* accepts NULL; returns NULL */
const struct hf_key *hf_private_key_public(const struct hf_private_key *k);

/* SubjectPublicKeyInfo PEM. */
HF_CHECK int hf_public_key_save(const struct hf_private_key *k, const char *path, struct hf_error *err);
/* Only the public half; the file may hold a private key too, if it needs no passphrase or one is given. */
HF_CHECK int hf_public_key_load(struct hf_arena *a, const char *path, const char *passphrase,
	struct hf_key *ret, struct hf_error *err);

/* Adds one signature. HF_E_EXISTS when this key signed already. */
HF_CHECK int hf_envelope_sign(struct hf_envelope *e, const struct hf_private_key *k, struct hf_error *err);

static inline void hf_private_key_free_scope(struct hf_private_key **k)
{
	*k = hf_private_key_free(*k);
}
#define hf_auto_private_key HF_CLEANUP(hf_private_key_free_scope) struct hf_private_key *
