/* modules/crypto.h - keys, requests and certificates: reading them, describing them as Ansible does, and the
 * file that one of them is kept in.
 * Owns:  what an hf_auto_… holds ends with its scope; everything else lives in the task's arena. */
#pragma once
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/base/scope.h"
#include "modules/file_content.h"
#include "modules/host.h"

#define HF_CRYPTO_FREE(type, name)                                                                           \
	static inline void hf_free_##name(type **it)                                                         \
	{                                                                                                    \
		type##_free(*it);                                                                            \
		*it = NULL;                                                                                  \
	}
HF_CRYPTO_FREE(EVP_PKEY, key)
HF_CRYPTO_FREE(X509_REQ, request)
HF_CRYPTO_FREE(X509, certificate)
HF_CRYPTO_FREE(X509_NAME, name)
HF_CRYPTO_FREE(GENERAL_NAME, general_name)
static inline void hf_free_bio(BIO **it)
{
	BIO_free(*it);
	*it = NULL;
}
typedef STACK_OF(X509_EXTENSION) hf_extensions;
static inline void hf_free_extensions(hf_extensions **it)
{
	sk_X509_EXTENSION_pop_free(*it, X509_EXTENSION_free);
	*it = NULL;
}
#define hf_auto_key          HF_CLEANUP(hf_free_key) EVP_PKEY *
#define hf_auto_bio          HF_CLEANUP(hf_free_bio) BIO *
#define hf_auto_request      HF_CLEANUP(hf_free_request) X509_REQ *
#define hf_auto_certificate  HF_CLEANUP(hf_free_certificate) X509 *
#define hf_auto_name         HF_CLEANUP(hf_free_name) X509_NAME *
#define hf_auto_general_name HF_CLEANUP(hf_free_general_name) GENERAL_NAME *
#define hf_auto_extensions   HF_CLEANUP(hf_free_extensions) hf_extensions *

/* --- reading; path or content, which may be NULL. A file that is not there fails as Python says it. --- */
HF_CHECK int hf_crypto_read(
	struct hf_arena *a, const char *path, const char *content, struct hf_str *ret, struct hf_error *err);
/* NULL where text is no key, or the passphrase is another, missing or too many. */
EVP_PKEY *hf_crypto_key_parse(struct hf_str text, const char *passphrase);
EVP_PKEY *hf_crypto_public_parse(struct hf_str text); /* NULL where it is none */
HF_CHECK int hf_crypto_key(struct hf_arena *a, const char *path, const char *content, const char *passphrase,
	EVP_PKEY **ret, struct hf_error *err);
HF_CHECK int hf_crypto_request(struct hf_str text, X509_REQ **ret, struct hf_error *err);
HF_CHECK int hf_crypto_certificate(struct hf_str text, bool der_too, X509 **ret, struct hf_error *err);
struct hf_str hf_crypto_bio_text(struct hf_arena *a, BIO *bio); /* what was written into it */
/* sha256, sha384, sha512, sha1, md5; NULL otherwise. *ret_needed: this key signs with a digest at all. */
const EVP_MD *hf_crypto_digest(const char *name, const EVP_PKEY *key, bool *ret_needed);
/* "+1w2d", "20300102030405Z" …: seconds since the epoch. */
HF_CHECK int hf_crypto_time(const char *text, const char *what, int64_t *ret, struct hf_error *err);

/* --- the options of modules that tell what one of them says --- */
struct hf_crypto_info_params {
	const char *path, *content, *encoding, *backend;
};
#define HF_CRYPTO_NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* Rows for a module's table. T: its params struct; M: its member of type struct hf_crypto_info_params. */
/* clang-format off */
#define HF_CRYPTO_INFO_ARGS(T, M, PATH_HELP, CONTENT_HELP) \
	{ "path", HF_ARG_PATH, offsetof(T, M.path), .help = PATH_HELP }, \
	{ "content", HF_ARG_STR, offsetof(T, M.content), .help = CONTENT_HELP }, \
	{ "name_encoding", HF_ARG_STR, offsetof(T, M.encoding), .dflt = "ignore", \
		.choices = HF_CRYPTO_NAMES("ignore", "idna", "unicode"), \
		.help = "How names beyond ASCII are shown; only ignore and idna, which is how they are " \
			"kept." }, \
	{ "select_crypto_backend", HF_ARG_STR, offsetof(T, M.backend), .dflt = "auto", \
		.choices = HF_CRYPTO_NAMES("auto", "cryptography"), \
		.help = "No effect: OpenSSL's library is used." }
/* clang-format on */
extern const struct hf_rule hf_crypto_info_rules[];
/* what: for messages, "CSR". */
HF_CHECK int hf_crypto_info_read(struct hf_arena *a, const struct hf_crypto_info_params *p, const char *what,
	struct hf_str *ret, struct hf_error *err);

/* --- as Ansible describes them --- */
/* Digests by every algorithm that Python's hashlib promises, or by the first that one would choose. */
struct hf_value *hf_crypto_fingerprints(struct hf_arena *a, const void *p, size_t n, bool one);
struct hf_value *hf_crypto_key_fingerprints(struct hf_arena *a, const EVP_PKEY *key, bool one);
const char *hf_crypto_key_type(const EVP_PKEY *key); /* RSA, ECC, Ed25519 … */
/* public_key, public_key_type, public_key_data, public_key_fingerprints */
void hf_crypto_put_key(struct hf_arena *a, struct hf_value *dict, const EVP_PKEY *key, bool one);
struct hf_value *hf_crypto_key_data(struct hf_arena *a, const EVP_PKEY *key);
struct hf_value *hf_crypto_integer(struct hf_arena *a, const ASN1_INTEGER *number);
const char *hf_crypto_colons(struct hf_arena *a, const void *p, size_t n); /* "0a:1b" */

HF_CHECK int hf_crypto_request_info(
	struct hf_arena *a, X509_REQ *request, bool one, struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_crypto_certificate_info(
	struct hf_arena *a, X509 *certificate, bool one, struct hf_value **ret, struct hf_error *err);

/* --- names --- */
/* "DNS:a.example", "IP:10.0.0.0/8", "dirName:CN=a,O=b" … what: for messages. */
HF_CHECK int hf_crypto_name_parse(
	const char *text, const char *what, GENERAL_NAME **ret, struct hf_error *err);
struct hf_str hf_crypto_name_text(struct hf_arena *a, const GENERAL_NAME *name);
/* One more part; type by OpenSSL's names or numbers. */
HF_CHECK int hf_crypto_name_add(
	X509_NAME *name, const char *type, struct hf_str value, int set, struct hf_error *err);
/* "CN = a, O=b" or "/O=b/CN=a" into name, in the order written. whole: only one part, to the end of text. */
HF_CHECK int hf_crypto_dn_parse(X509_NAME *name, const char *text, bool whole, int set, struct hf_error *err);
const char *hf_crypto_object_name(struct hf_arena *a, const ASN1_OBJECT *object, bool brief);
struct hf_value *hf_crypto_name_pairs(struct hf_arena *a, const X509_NAME *name);

/* --- the file one of them is kept in --- */
struct hf_crypto_file {
	const char *path;
	const struct hf_file_attr *attr;
	struct hf_str old;  /* .p NULL: there is none */
	struct hf_str text; /* what it is to hold; .p NULL: it stays */
	bool absent;        /* it is to go */
	const char *backup;
};
/* The folder of path must be there; fails as Ansible says it. */
HF_CHECK int hf_crypto_folder(
	struct hf_module_context *c, struct hf_change *change, const char *path, struct hf_error *err);
/* The same, and reads what the file holds. */
HF_CHECK int hf_crypto_file_open(struct hf_module_context *c, struct hf_change *change, bool backup,
	struct hf_crypto_file *f, struct hf_error *err);
/* What is to be done, beside writing: attributes, removal. changed: it is written. */
HF_CHECK int hf_crypto_file_look(struct hf_module_context *c, struct hf_change *change, bool changed,
	const struct hf_crypto_file *f, struct hf_error *err);
/* A module's apply and undo, where its check left in change->state what begins with struct hf_crypto_file. */
int hf_crypto_file_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err);
int hf_crypto_file_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err);
