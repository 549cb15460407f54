#include "modules/crypto.h"

#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/time.h"

enum { FILE_SIZE_MAX = 1 << 20, SHAKE_BYTES = 32, GROUP_NAME_MAX = 80, TIME_DIGITS_MAX = 9 };

/* --- reading ---------------------------------------------------------------------------------------- */
int hf_crypto_read(
	struct hf_arena *a, const char *path, const char *content, struct hf_str *ret, struct hf_error *err)
{
	*ret = hf_str(content);
	if (content != NULL)
		return 0;
	if (access(path, R_OK) < 0)
		return hf_fail(err, HF_E_TASK, "[Errno %d] %s: '%s'", errno, strerror(errno), path);
	return hf_fs_read(a, path, FILE_SIZE_MAX, ret, err);
}

const struct hf_rule hf_crypto_info_rules[] = {
	{ HF_RULE_ONE_OF, HF_CRYPTO_NAMES("path", "content") },
	{ HF_RULE_EXCLUSIVE, HF_CRYPTO_NAMES("path", "content") },
	{ HF_RULE_END },
};

int hf_crypto_info_read(struct hf_arena *a, const struct hf_crypto_info_params *p, const char *what,
	struct hf_str *ret, struct hf_error *err)
{
	if (strcmp(p->encoding, "unicode") == 0)
		return hf_fail(err, HF_E_TASK, "name_encoding: unicode is not supported");
	int r = hf_crypto_read(a, p->path, p->content, ret, err);
	return r < 0 ? hf_wrap(err, "Error while reading %s file from disk", what) : 0;
}

/* Always given to OpenSSL, which would otherwise ask whoever sits at the terminal. */
static int passphrase_give(char *buf, int size, int rwflag, void *data)
{
	const char *text = data;
	size_t n = text == NULL ? 0 : strlen(text);
	(void)rwflag;
	if (n == 0 || n > (size_t)size)
		return -1;
	memcpy(buf, text, n);
	return (int)n;
}

EVP_PKEY *hf_crypto_key_parse(struct hf_str text, const char *passphrase)
{
	hf_auto_bio in = BIO_new_mem_buf(text.p, (int)text.n);
	bool encrypted = hf_str_find(text, HF_STR("ENCRYPTED"), 0) != SIZE_MAX;
	EVP_PKEY *key = NULL;
	if (encrypted == (passphrase != NULL))
		key = PEM_read_bio_PrivateKey(in, NULL, passphrase_give, (void *)(uintptr_t)passphrase);
	ERR_clear_error();
	return key;
}

EVP_PKEY *hf_crypto_public_parse(struct hf_str text)
{
	hf_auto_bio in = BIO_new_mem_buf(text.p, (int)text.n);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(in, NULL, passphrase_give, NULL);
	ERR_clear_error();
	return key;
}

int hf_crypto_key(struct hf_arena *a, const char *path, const char *content, const char *passphrase,
	EVP_PKEY **ret, struct hf_error *err)
{
	struct hf_str text;
	int r = hf_crypto_read(a, path, content, &text, err);
	if (r < 0)
		return r;
	*ret = hf_crypto_key_parse(text, passphrase);
	if (*ret != NULL)
		return 0;
	bool encrypted = hf_str_find(text, HF_STR("ENCRYPTED"), 0) != SIZE_MAX;
	return hf_fail(err, HF_E_TASK, "Wrong%s passphrase provided for private key",
		encrypted == (passphrase != NULL) ? "" : " or empty");
}

int hf_crypto_request(struct hf_str text, X509_REQ **ret, struct hf_error *err)
{
	hf_auto_bio in = BIO_new_mem_buf(text.p, (int)text.n);
	*ret = PEM_read_bio_X509_REQ(in, NULL, passphrase_give, NULL);
	ERR_clear_error();
	return *ret != NULL ? 0 : hf_fail(err, HF_E_TASK, "this is no certificate signing request");
}

int hf_crypto_certificate(struct hf_str text, bool der_too, X509 **ret, struct hf_error *err)
{
	hf_auto_bio in = BIO_new_mem_buf(text.p, (int)text.n);
	if (der_too && hf_str_find(text, HF_STR("-----BEGIN "), 0) == SIZE_MAX)
		*ret = d2i_X509_bio(in, NULL);
	else
		*ret = PEM_read_bio_X509(in, NULL, passphrase_give, NULL);
	ERR_clear_error();
	return *ret != NULL ? 0 : hf_fail(err, HF_E_TASK, "this is no certificate");
}

struct hf_str hf_crypto_bio_text(struct hf_arena *a, BIO *bio)
{
	char *text;
	long n = BIO_get_mem_data(bio, &text);
	return hf_strn(hf_strndup(a, text, (size_t)n), (size_t)n);
}

const EVP_MD *hf_crypto_digest(const char *name, const EVP_PKEY *key, bool *ret_needed)
{
	static const char *const names[] = { "sha256", "sha384", "sha512", "sha1", "md5" };
	*ret_needed = EVP_PKEY_is_a(key, "ED25519") != 1 && EVP_PKEY_is_a(key, "ED448") != 1;
	for (size_t i = 0; i < HF_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return EVP_get_digestbyname(name);
	return NULL;
}

/* --- times ------------------------------------------------------------------------------------------ */
/* "1w2d3h4m5s", each part once and in this order; the last letter may be missing. */
static bool span_parse(const char *at, int64_t *ret)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
	size_t next = 0;
	*ret = 0;
	while (*at != '\0') {
		int64_t n = 0;
		int digits = 0;
		for (; isdigit((unsigned char)*at) && digits < TIME_DIGITS_MAX; digits++)
			n = n * 10 + (*at++ - '0');
		while (next < HF_COUNT(units) && *at != '\0' &&
			tolower((unsigned char)*at) != units[next].letter)
			next++;
		if (digits == 0 || next == HF_COUNT(units))
			return false;
		*ret += n * (*at == '\0' ? 1 : units[next++].seconds);
		at += *at != '\0';
	}
	return true;
}

int hf_crypto_time(const char *text, const char *what, int64_t *ret, struct hf_error *err)
{
	static const char *const formats[] = { "%Y%m%d%H%M%SZ", "%Y%m%d%H%MZ", "%Y%m%d%H%M%S%z",
		"%Y%m%d%H%M%z" };
	static const size_t lengths[] = { 15, 13, 19, 17 };
	if (*text == '+' || *text == '-') {
		int64_t span;
		if (text[1] == '\0' || !span_parse(text + 1, &span))
			return hf_fail(err, HF_E_TASK, "The time spec \"%s\" for %s is invalid", text, what);
		*ret = hf_time_now() + (*text == '+' ? span : -span);
		return 0;
	}
	for (size_t i = 0; i < HF_COUNT(formats); i++) {
		struct tm t = { 0 };
		const char *end = strlen(text) == lengths[i] ? strptime(text, formats[i], &t) : NULL;
		long zone = t.tm_gmtoff;
		if (end == NULL || *end != '\0')
			continue;
		*ret = timegm(&t) - zone;
		return 0;
	}
	return hf_fail(err, HF_E_TASK, "The time spec \"%s\" for %s is invalid", text, what);
}

/* --- describing keys -------------------------------------------------------------------------------- */
const char *hf_crypto_colons(struct hf_arena *a, const void *p, size_t n)
{
	hf_auto_buf text = hf_buf_init(FILE_SIZE_MAX);
	const unsigned char *byte = p;
	for (size_t i = 0; i < n; i++)
		hf_buf_printf(&text, "%s%02x", i > 0 ? ":" : "", byte[i]);
	return hf_buf_dup(a, &text).p;
}

struct hf_value *hf_crypto_fingerprints(struct hf_arena *a, const void *p, size_t n, bool one)
{
	static const struct {
		const char *name, *openssl;
	} rows[] = { { "sha256", "SHA256" }, { "md5", "MD5" }, { "sha1", "SHA1" }, { "sha224", "SHA224" },
		{ "sha384", "SHA384" }, { "sha512", "SHA512" }, { "sha3_224", "SHA3-224" },
		{ "sha3_256", "SHA3-256" }, { "sha3_384", "SHA3-384" }, { "sha3_512", "SHA3-512" },
		{ "shake_128", "SHAKE128" }, { "shake_256", "SHAKE256" }, { "blake2b", "BLAKE2B512" },
		{ "blake2s", "BLAKE2S256" } };
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct hf_value *all = hf_value_dict(a);
	for (size_t i = 0; i < (one ? 1 : HF_COUNT(rows)); i++) {
		EVP_MD *md = EVP_MD_fetch(NULL, rows[i].openssl, NULL);
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		unsigned size = md == NULL ? 0 : (unsigned)EVP_MD_get_size(md);
		bool shake = strncmp(rows[i].name, "shake", 5) == 0;
		bool ok = md != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
			  EVP_DigestUpdate(ctx, p, n) == 1;
		if (ok)
			ok = (shake ? EVP_DigestFinalXOF(ctx, digest, size = SHAKE_BYTES)
				    : EVP_DigestFinal_ex(ctx, digest, &size)) == 1;
		if (ok)
			hf_dict_put(all, rows[i].name, hf_value_cstr(a, hf_crypto_colons(a, digest, size)));
		EVP_MD_CTX_free(ctx);
		EVP_MD_free(md);
	}
	return all;
}

struct hf_value *hf_crypto_key_fingerprints(struct hf_arena *a, const EVP_PKEY *key, bool one)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	struct hf_value *all = hf_crypto_fingerprints(a, der, n > 0 ? (size_t)n : 0, one);
	OPENSSL_free(der);
	return all;
}

static const struct key_type {
	const char *openssl, *name;
	const char *const *numbers; /* result key, OpenSSL's parameter, … */
	bool sized;
} key_types[] = {
	{ "RSA", "RSA",
		(const char *const[]){
			"modulus", OSSL_PKEY_PARAM_RSA_N, "exponent", OSSL_PKEY_PARAM_RSA_E, NULL },
		true },
	{ "DSA", "DSA",
		(const char *const[]){ "p", OSSL_PKEY_PARAM_FFC_P, "q", OSSL_PKEY_PARAM_FFC_Q, "g",
			OSSL_PKEY_PARAM_FFC_G, "y", OSSL_PKEY_PARAM_PUB_KEY, NULL },
		true },
	{ "EC", "ECC",
		(const char *const[]){ "x", OSSL_PKEY_PARAM_EC_PUB_X, "y", OSSL_PKEY_PARAM_EC_PUB_Y, NULL } },
	{ "ED25519", "Ed25519" },
	{ "ED448", "Ed448" },
	{ "X25519", "X25519" },
	{ "X448", "X448" },
};

static const struct key_type *key_type_of(const EVP_PKEY *key)
{
	for (size_t i = 0; i < HF_COUNT(key_types); i++)
		if (EVP_PKEY_is_a(key, key_types[i].openssl) == 1)
			return &key_types[i];
	return NULL;
}

const char *hf_crypto_key_type(const EVP_PKEY *key)
{
	const struct key_type *type = key_type_of(key);
	return type == NULL ? "unknown" : type->name;
}

static struct hf_value *number_value(struct hf_arena *a, const BIGNUM *n)
{
	char *digits = n == NULL ? NULL : BN_bn2dec(n);
	struct hf_value *v = digits == NULL ? hf_value_null(a) : hf_value_bigint(a, hf_str(digits));
	OPENSSL_free(digits);
	return v;
}

struct hf_value *hf_crypto_integer(struct hf_arena *a, const ASN1_INTEGER *number)
{
	BIGNUM *n = number == NULL ? NULL : ASN1_INTEGER_to_BN(number, NULL);
	struct hf_value *v = number_value(a, n);
	BN_free(n);
	return v;
}

struct hf_value *hf_crypto_key_data(struct hf_arena *a, const EVP_PKEY *key)
{
	const struct key_type *type = key_type_of(key);
	struct hf_value *data = hf_value_dict(a);
	char group[GROUP_NAME_MAX] = "";
	size_t n;
	if (type == NULL)
		return data;
	if (type->sized)
		hf_dict_put(data, "size", hf_value_int(a, EVP_PKEY_get_bits(key)));
	for (const char *const *at = type->numbers; at != NULL && *at != NULL; at += 2) {
		BIGNUM *number = NULL;
		(void)EVP_PKEY_get_bn_param(key, at[1], &number);
		hf_dict_put(data, at[0], number_value(a, number));
		BN_free(number);
	}
	if (strcmp(type->name, "ECC") == 0 && EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
						      group, sizeof(group), &n) == 1) {
		const char *curve = strcmp(group, "prime256v1") == 0   ? "secp256r1"
				    : strcmp(group, "prime192v1") == 0 ? "secp192r1"
								       : group;
		hf_dict_put(data, "curve", hf_value_cstr(a, curve));
		hf_dict_put(data, "exponent_size", hf_value_int(a, EVP_PKEY_get_bits(key)));
	}
	return data;
}

void hf_crypto_put_key(struct hf_arena *a, struct hf_value *dict, const EVP_PKEY *key, bool one)
{
	hf_auto_bio out = BIO_new(BIO_s_mem());
	if (PEM_write_bio_PUBKEY(out, key) == 1)
		hf_dict_put(dict, "public_key", hf_value_str(a, hf_crypto_bio_text(a, out)));
	hf_dict_put(dict, "public_key_type", hf_value_cstr(a, hf_crypto_key_type(key)));
	hf_dict_put(dict, "public_key_data", hf_crypto_key_data(a, key));
	hf_dict_put(dict, "public_key_fingerprints", hf_crypto_key_fingerprints(a, key, one));
}

/* --- the file --------------------------------------------------------------------------------------- */
int hf_crypto_folder(
	struct hf_module_context *c, struct hf_change *change, const char *path, struct hf_error *err)
{
	const char *dir = hf_path_dir(hf_task_arena(c), path);
	if (*dir == '\0')
		dir = ".";
	if (hf_fs_is_dir(dir))
		return 0;
	hf_result_cstr(c, change, "name", dir);
	return hf_fail(err, HF_E_TASK, "The directory %s does not exist or the file is not a directory", dir);
}

int hf_crypto_file_open(struct hf_module_context *c, struct hf_change *change, bool backup,
	struct hf_crypto_file *f, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	int r = hf_crypto_folder(c, change, f->path, err);
	if (r < 0)
		return r;
	r = hf_fs_exists(f->path) ? hf_fs_read(a, f->path, FILE_SIZE_MAX, &f->old, err) : 0;
	if (r == 0 && backup && f->old.p != NULL)
		f->backup = hf_file_backup_name(a, f->path);
	return r;
}

int hf_crypto_file_look(struct hf_module_context *c, struct hf_change *change, bool changed,
	const struct hf_crypto_file *f, struct hf_error *err)
{
	change->changed = f->absent ? f->old.p != NULL : changed || f->old.p == NULL;
	if (f->absent || f->old.p == NULL)
		return 0;
	return hf_file_attr_sync(c, change, f->path, f->attr, NULL, false, &change->changed, err);
}

static int file_remove(struct hf_module_context *c, struct hf_change *change, const struct hf_crypto_file *f,
	struct hf_error *err)
{
	struct stat st;
	if (f->backup != NULL && stat(f->path, &st) == 0) {
		struct hf_fs_attr attr = HF_FS_KEEP;
		attr.mode = st.st_mode & 07777;
		int r = hf_fs_replace(f->backup, f->old, attr, err);
		if (r < 0)
			return r;
		hf_result_cstr(c, change, "backup_file", f->backup);
	}
	if (unlink(f->path) < 0 && errno != ENOENT)
		return hf_fail_errno(err, HF_E_TASK, "remove %s", f->path);
	return 0;
}

int hf_crypto_file_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct hf_crypto_file *f = change->state;
	(void)params;
	if (f->absent)
		return file_remove(c, change, f, err);
	struct hf_file_content content = {
		.path = f->path, .data = f->text, .attr = f->attr, .backup = f->backup
	};
	int r = f->text.p == NULL ? 0 : hf_file_content_write(c, change, &content, err);
	return r < 0 ? r : hf_file_attr_sync(c, change, f->path, f->attr, NULL, true, &change->changed, err);
}

int hf_crypto_file_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct hf_crypto_file *f = change->state;
	(void)c;
	(void)params;
	int r = hf_undo_file(undo, f->path, err);
	return r < 0 || f->backup == NULL ? r : hf_undo_file(undo, f->backup, err);
}
