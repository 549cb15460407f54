#include "lib/release/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/release/kms.h"

enum { KEY_FILE_MAX = 65536, KEY_NAME_MAX = 64 };

struct hf_private_key {
	EVP_PKEY *pair;
	struct hf_key key;
	char name[KEY_NAME_MAX + 1];
	hf_remote_sign sign; /* NULL: pair holds the private half */
	void (*done)(void *data);
	void *data;
};

static void bio_free(BIO **bio)
{
	BIO_free(*bio);
}
static void pair_free(EVP_PKEY **pair)
{
	EVP_PKEY_free(*pair);
}
static void digest_free(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}
#define auto_bio    HF_CLEANUP(bio_free) BIO *
#define auto_pair   HF_CLEANUP(pair_free) EVP_PKEY *
#define auto_digest HF_CLEANUP(digest_free) EVP_MD_CTX *

/* The raw public half and its algorithm; false for keys of another kind. */
static bool public_half(EVP_PKEY *pair, struct hf_key *ret)
{
	unsigned char raw[HF_KEY_RAW_MAX];
	size_t n = sizeof(raw);
	if (EVP_PKEY_is_a(pair, "ED25519"))
		return EVP_PKEY_get_raw_public_key(pair, raw, &n) == 1 &&
		       hf_key_init(ret, HF_KEY_ED25519, hf_strn((const char *)raw, n));
	char group[32] = "";
	if (!EVP_PKEY_is_a(pair, "EC") || EVP_PKEY_get_group_name(pair, group, sizeof(group), NULL) != 1 ||
		strcmp(group, "prime256v1") != 0)
		return false;
	unsigned char *point = NULL;
	n = EVP_PKEY_get1_encoded_public_key(pair, &point);
	bool good = n == sizeof(raw) && hf_key_init(ret, HF_KEY_ECDSA_P256, hf_strn((const char *)point, n));
	OPENSSL_free(point);
	return good;
}

/* Takes the pair. */
static int key_wrap(EVP_PKEY **pair, const char *path, struct hf_private_key **ret, struct hf_error *err)
{
	struct hf_private_key *k = hf_xmalloc(sizeof(*k));
	*k = (struct hf_private_key){ .pair = NULL };
	if (!public_half(*pair, &k->key)) {
		free(k);
		return hf_fail(err, HF_E_UNSUPPORTED, "%s is neither an Ed25519 nor a P-256 key", path);
	}
	const char *base = hf_path_base(path);
	const char *dot = strrchr(base, '.');
	size_t n = dot == NULL ? strlen(base) : (size_t)(dot - base);
	memcpy(k->name, base, n < KEY_NAME_MAX ? n : KEY_NAME_MAX);
	k->key.name = k->name;
	k->pair = *pair;
	*pair = NULL;
	*ret = k;
	return 0;
}

int hf_private_key_remote(EVP_PKEY **pair, const char *name, hf_remote_sign sign, void (*done)(void *data),
	void *data, struct hf_private_key **ret, struct hf_error *err)
{
	int result = key_wrap(pair, name, ret, err);
	if (result == 0) {
		(*ret)->sign = sign;
		(*ret)->done = done;
		(*ret)->data = data;
	}
	return result;
}

int hf_private_key_generate(
	enum hf_key_algorithm algorithm, struct hf_private_key **ret, struct hf_error *err)
{
	auto_pair pair = algorithm == HF_KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
						     : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	if (pair == NULL)
		return hf_fail(
			err, HF_E_INTERNAL, "OpenSSL made no %s key", hf_key_algorithm_name(algorithm));
	return key_wrap(&pair, "key", ret, err);
}

/* OpenSSL asks here; without a passphrase it must not ask the terminal. */
static int passphrase_give(char *buffer, int size, int writing, void *data)
{
	const char *passphrase = data;
	size_t n = passphrase == NULL ? 0 : strlen(passphrase);
	if (n == 0 || n > (size_t)size)
		return -1;
	memcpy(buffer, passphrase, n);
	return (int)n;
}

static int file_read(
	struct hf_arena *a, const char *path, bool *ret_private, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return hf_fail_errno(err, errno == ENOENT ? HF_E_NOT_FOUND : HF_E_IO, "open key %s", path);
	if (hf_fs_read_fd(a, fd, KEY_FILE_MAX, ret, err) < 0)
		return hf_wrap(err, "key %s", path);
	*ret_private = hf_str_find(*ret, HF_STR("PRIVATE KEY-----"), 0) != SIZE_MAX;
	if (*ret_private && (st.st_mode & 077) != 0)
		return hf_fail(err, HF_E_DENIED, "key %s may be read by others (mode %04o): chmod 600 it",
			path, (unsigned)(st.st_mode & 07777));
	return 0;
}

static int pair_read(
	struct hf_str pem, const char *path, const char *passphrase, EVP_PKEY **ret, struct hf_error *err)
{
	auto_bio bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	void *given = (void *)(uintptr_t)passphrase;
	*ret = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, passphrase_give, given);
	if (*ret != NULL)
		return 0;
	if (hf_str_find(pem, HF_STR("ENCRYPTED"), 0) == SIZE_MAX)
		return hf_fail(err, HF_E_PARSE, "%s holds no private key in PEM form", path);
	return hf_fail(err, HF_E_DENIED,
		passphrase == NULL
			? "key %s is encrypted: give its passphrase in HOLDFAST_KEY_PASSPHRASE or with "
			  "--passphrase-file"
			: "the passphrase does not open key %s",
		path);
}

int hf_private_key_load(
	const char *path, const char *passphrase, struct hf_private_key **ret, struct hf_error *err)
{
	if (strncmp(path, HF_KMS_SCHEME, strlen(HF_KMS_SCHEME)) == 0)
		return hf_kms_key_open(path, ret, err);
	hf_auto_arena scratch = hf_arena_new();
	struct hf_str pem;
	bool is_private = false;
	int result = file_read(scratch, path, &is_private, &pem, err);
	if (result < 0)
		return result;
	auto_pair pair = NULL;
	result = is_private ? pair_read(pem, path, passphrase, &pair, err)
			    : hf_fail(err, HF_E_PARSE, "%s holds no private key: it cannot sign", path);
	OPENSSL_cleanse((char *)(uintptr_t)pem.p, pem.n);
	return result < 0 ? result : key_wrap(&pair, path, ret, err);
}

int hf_public_key_load(struct hf_arena *a, const char *path, const char *passphrase, struct hf_key *ret,
	struct hf_error *err)
{
	struct hf_str pem = { 0 };
	bool is_private = strncmp(path, HF_KMS_SCHEME, strlen(HF_KMS_SCHEME)) == 0;
	int result = is_private ? 0 : file_read(a, path, &is_private, &pem, err);
	if (result < 0)
		return result;
	hf_auto_private_key k = NULL;
	if (is_private) {
		result = hf_private_key_load(path, passphrase, &k, err);
	} else {
		auto_bio bio = BIO_new_mem_buf(pem.p, (int)pem.n);
		auto_pair pair = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
		result = pair == NULL ? hf_fail(err, HF_E_PARSE, "%s holds no key in PEM form", path)
				      : key_wrap(&pair, path, &k, err);
	}
	if (pem.n > 0)
		OPENSSL_cleanse((char *)(uintptr_t)pem.p, pem.n);
	if (result < 0)
		return result;
	*ret = k->key;
	ret->name = hf_strdup(a, k->name);
	return 0;
}

static int bio_save(BIO *bio, const char *path, mode_t mode, struct hf_error *err)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);
	hf_auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return hf_fail_errno(err, errno == EEXIST ? HF_E_EXISTS : HF_E_IO, "create %s", path);
	int result = n <= 0 ? hf_fail(err, HF_E_INTERNAL, "OpenSSL wrote nothing")
			    : hf_fs_write_all(fd, hf_strn(p, (size_t)n), err);
	if (result == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		result = hf_fail_errno(err, HF_E_IO, "%s", path);
	if (result < 0)
		unlink(path);
	return result;
}

int hf_private_key_save(
	const struct hf_private_key *k, const char *path, const char *passphrase, struct hf_error *err)
{
	auto_bio bio = BIO_new(BIO_s_secmem());
	const EVP_CIPHER *cipher = passphrase == NULL ? NULL : EVP_aes_256_cbc();
	int n = passphrase == NULL ? 0 : (int)strlen(passphrase);
	if (bio == NULL ||
		PEM_write_bio_PKCS8PrivateKey(bio, k->pair, cipher, passphrase, n, NULL, NULL) != 1)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL could not write the key");
	return bio_save(bio, path, 0600, err);
}

int hf_public_key_save(const struct hf_private_key *k, const char *path, struct hf_error *err)
{
	auto_bio bio = BIO_new(BIO_s_mem());
	if (bio == NULL || PEM_write_bio_PUBKEY(bio, k->pair) != 1)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL could not write the key");
	return bio_save(bio, path, 0644, err);
}

struct hf_private_key *hf_private_key_free(struct hf_private_key *k)
{
	if (k != NULL) {
		if (k->done != NULL)
			k->done(k->data);
		EVP_PKEY_free(k->pair); /* wipes its secret */
		free(k);
	}
	return NULL;
}

const struct hf_key *hf_private_key_public(const struct hf_private_key *k)
{
	return &k->key;
}

int hf_envelope_sign(struct hf_envelope *e, const struct hf_private_key *k, struct hf_error *err)
{
	for (size_t i = 0; i < e->n; i++)
		if (hf_digest_equal(&e->signatures[i].key_id, &k->key.id))
			return hf_fail(err, HF_E_EXISTS, "key %s signed this already", k->name);
	if (e->n == HF_SIGNATURES_MAX)
		return hf_fail(err, HF_E_LIMIT, "%d signatures are enough", HF_SIGNATURES_MAX);
	hf_auto_arena scratch = hf_arena_new();
	struct hf_str pae = hf_envelope_pae(scratch, e->kind, e->payload);
	struct hf_signature *s = &e->signatures[e->n];
	size_t n = sizeof(s->bytes);
	s->key_id = k->key.id;
	if (k->sign != NULL) {
		int result = k->sign(k->data, &k->key, pae, s, err);
		e->n += result == 0;
		return result;
	}
	const EVP_MD *digest = k->key.algorithm == HF_KEY_ED25519 ? NULL : EVP_sha256();
	auto_digest context = EVP_MD_CTX_new();
	if (context == NULL || EVP_DigestSignInit(context, NULL, digest, NULL, k->pair) != 1 ||
		EVP_DigestSign(context, s->bytes, &n, (const unsigned char *)pae.p, pae.n) != 1)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL could not sign with key %s", k->name);
	s->n = n;
	e->n++;
	return 0;
}
