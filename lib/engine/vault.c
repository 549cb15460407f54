#include "lib/engine/vault.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base/fs.h"
#include "lib/base/proc.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"

enum {
	VAULT_ROUNDS = 10000,
	VAULT_KEY = 32,
	VAULT_IV = 16,
	VAULT_MAC = 32,
	VAULT_SALT = 32,
	VAULT_BLOCK = 16,
	VAULT_SIZE_MAX = 64 << 20,
	VAULT_PASSWORD_MAX = 1 << 16,
	VAULT_LINE = 80,
};

struct secret {
	const char *label;
	struct hf_str password;
};

typedef HF_VEC(struct secret) secret_vec;

struct hf_vault {
	struct hf_arena *arena;
	secret_vec secrets;
};

struct hf_vault *hf_vault_new(struct hf_arena *a)
{
	struct hf_vault *v = hf_new(a, struct hf_vault);
	v->arena = a;
	return v;
}

void hf_vault_add(struct hf_vault *v, const char *label, struct hf_str password)
{
	*hf_vec_push(v->arena, &v->secrets) =
		(struct secret){ hf_strdup(v->arena, label == NULL ? "default" : label),
			{ hf_str_dup(v->arena, password), password.n } };
}

int hf_vault_add_file(struct hf_vault *v, const char *id, struct hf_error *err)
{
	const char *at = strchr(id, '@'), *path = at == NULL ? id : at + 1;
	const char *label = at == NULL ? NULL : hf_strndup(v->arena, id, (size_t)(at - id));
	hf_auto_arena scratch = hf_arena_new();
	struct hf_str text = { 0 };
	if (strcmp(path, "prompt") == 0 || strcmp(path, "prompt_ask_vault_pass") == 0)
		return hf_fail(
			err, HF_E_UNSUPPORTED, "vault password by prompt is not supported: give a file");
	int r;
	if (access(path, X_OK) == 0 && !hf_fs_is_dir(path)) {
		const char *const argv[] = { path[0] == '/' ? path : hf_sprintf(scratch, "./%s", path),
			NULL };
		r = hf_proc_output(scratch, argv, &text, err);
	} else {
		r = hf_fs_read(scratch, path, VAULT_PASSWORD_MAX, &text, err);
	}
	if (r < 0)
		return hf_wrap(err, "vault password file %s", path);
	text = hf_str_trim(text);
	if (text.n == 0)
		return hf_fail(err, HF_E_ARGUMENT, "vault password file %s is empty", path);
	hf_vault_add(v, label, text);
	OPENSSL_cleanse((void *)(uintptr_t)text.p, text.n);
	return 0;
}

bool hf_vault_is_envelope(struct hf_str text)
{
	return hf_str_starts(text, "$ANSIBLE_VAULT;");
}

/* --- keys --- */

struct keys {
	unsigned char cipher[VAULT_KEY], mac[VAULT_KEY], iv[VAULT_IV];
};

static int keys_derive(struct hf_str password, const unsigned char *salt, size_t salt_size, struct keys *ret,
	struct hf_error *err)
{
	unsigned char out[VAULT_KEY * 2 + VAULT_IV];
	if (PKCS5_PBKDF2_HMAC(password.p, (int)password.n, salt, (int)salt_size, VAULT_ROUNDS, EVP_sha256(),
		    sizeof(out), out) != 1)
		return hf_fail(err, HF_E_INTERNAL, "PBKDF2 failed");
	memcpy(ret->cipher, out, VAULT_KEY);
	memcpy(ret->mac, out + VAULT_KEY, VAULT_KEY);
	memcpy(ret->iv, out + (size_t)VAULT_KEY * 2, VAULT_IV);
	OPENSSL_cleanse(out, sizeof(out));
	return 0;
}

/* AES-256-CTR is its own inverse. */
static bool cipher_apply(const struct keys *k, const unsigned char *in, size_t n, unsigned char *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int done = 0, rest = 0;
	bool ok = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, k->cipher, k->iv) == 1 &&
		  EVP_EncryptUpdate(ctx, out, &done, in, (int)n) == 1 &&
		  EVP_EncryptFinal_ex(ctx, out + done, &rest) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok && (size_t)(done + rest) == n;
}

static bool mac_make(const struct keys *k, const unsigned char *data, size_t n, unsigned char out[VAULT_MAC])
{
	unsigned int size = 0;
	return HMAC(EVP_sha256(), k->mac, VAULT_KEY, data, n, out, &size) != NULL && size == VAULT_MAC;
}

/* --- envelopes --- */

struct envelope {
	struct hf_str label; /* p NULL: none */
	unsigned char *salt, *mac, *data;
	size_t salt_size, mac_size, data_size;
};

static bool hex_line(struct hf_arena *a, struct hf_str *rest, unsigned char **ret, size_t *ret_size)
{
	struct hf_str line;
	if (!hf_str_split(rest, '\n', &line) || line.n % 2 != 0)
		return false;
	*ret_size = line.n / 2;
	*ret = hf_alloc(a, line.n / 2 + 1);
	return hf_unhex(line, *ret, line.n / 2);
}

/* The first line. */
static int header_parse(struct hf_str header, struct envelope *ret, struct hf_error *err)
{
	struct hf_str part, fields[4] = { 0 };
	header = hf_str_trim(header);
	for (int i = 0; i < 4 && hf_str_split(&header, ';', &part); i++)
		fields[i] = part;
	bool labelled = hf_str_is(fields[1], "1.2");
	if (labelled)
		ret->label = fields[3];
	if (!hf_str_is(fields[1], "1.1") && !labelled)
		return hf_fail(
			err, HF_E_UNSUPPORTED, "vault format '%.*s' is not supported", HF_STR_ARG(fields[1]));
	if (!hf_str_is(hf_str_trim(fields[2]), "AES256"))
		return hf_fail(
			err, HF_E_UNSUPPORTED, "vault cipher '%.*s' is not supported", HF_STR_ARG(fields[2]));
	return 0;
}

/* Hexadecimal text without its line ends. */
static struct hf_str hex_join(struct hf_arena *a, struct hf_str text)
{
	char *hex = hf_alloc(a, text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		if (strchr("\n\r \t", text.p[i]) == NULL || text.p[i] == '\0')
			hex[n++] = text.p[i];
	return hf_strn(hex, n);
}

/* "$ANSIBLE_VAULT;1.2;AES256;label\n" and hex of "hex(salt)\nhex(hmac)\nhex(data)". */
static int envelope_parse(struct hf_arena *a, struct hf_str text, struct envelope *ret, struct hf_error *err)
{
	struct hf_str header;
	if (text.n > VAULT_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "a vault envelope larger than %d bytes", VAULT_SIZE_MAX);
	if (!hf_vault_is_envelope(text) || !hf_str_split(&text, '\n', &header))
		return hf_fail(err, HF_E_PARSE, "not a vault envelope");
	*ret = (struct envelope){ 0 };
	int r = header_parse(header, ret, err);
	if (r < 0)
		return r;
	struct hf_str hex = hex_join(a, text);
	unsigned char *inner = hf_alloc(a, hex.n / 2 + 1);
	size_t n = hex.n;
	if (n % 2 != 0 || !hf_unhex(hex, inner, n / 2))
		return hf_fail(err, HF_E_PARSE, "a vault envelope that is not hexadecimal");
	struct hf_str rest = hf_strn((const char *)inner, n / 2);
	if (!hex_line(a, &rest, &ret->salt, &ret->salt_size) ||
		!hex_line(a, &rest, &ret->mac, &ret->mac_size) ||
		!hex_line(a, &rest, &ret->data, &ret->data_size) || ret->mac_size != VAULT_MAC ||
		ret->data_size == 0 || ret->data_size % VAULT_BLOCK != 0)
		return hf_fail(err, HF_E_PARSE, "a vault envelope that is damaged");
	return 0;
}

/* 1: opened, 0: another password, <0: failure */
static int envelope_open(struct hf_arena *a, const struct envelope *e, struct hf_str password,
	struct hf_str *ret, struct hf_error *err)
{
	struct keys k;
	unsigned char mac[VAULT_MAC];
	int r = keys_derive(password, e->salt, e->salt_size, &k, err);
	if (r < 0)
		return r;
	if (!mac_make(&k, e->data, e->data_size, mac) || CRYPTO_memcmp(mac, e->mac, VAULT_MAC) != 0) {
		OPENSSL_cleanse(&k, sizeof(k));
		return 0;
	}
	unsigned char *plain = hf_alloc(a, e->data_size + 1);
	bool ok = cipher_apply(&k, e->data, e->data_size, plain);
	OPENSSL_cleanse(&k, sizeof(k));
	size_t padding = plain[e->data_size - 1];
	if (!ok || padding == 0 || padding > VAULT_BLOCK)
		return hf_fail(err, HF_E_PARSE, "a vault envelope with damaged padding");
	plain[e->data_size - padding] = '\0';
	*ret = hf_strn((char *)plain, e->data_size - padding);
	return 1;
}

int hf_vault_decrypt(struct hf_arena *a, const struct hf_vault *v, struct hf_str envelope, struct hf_str *ret,
	struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct envelope e;
	int r = envelope_parse(scratch, envelope, &e, err);
	if (r < 0)
		return r;
	if (v == NULL || v->secrets.n == 0)
		return hf_fail(err, HF_E_NOT_FOUND, "Attempting to decrypt but no vault secrets found");
	for (int pass = 0; pass < 2; pass++) /* the label's own secrets first */
		for (size_t i = 0; i < v->secrets.n; i++) {
			const struct secret *s = &v->secrets.at[i];
			if (hf_str_is(e.label.p == NULL ? HF_STR("default") : e.label, s->label) !=
				(pass == 0))
				continue;
			r = envelope_open(a, &e, s->password, ret, err);
			if (r != 0)
				return r < 0 ? r : 0;
		}
	return hf_fail(
		err, HF_E_DENIED, "Decryption failed (no vault secrets were found that could decrypt)");
}

static void hex_add(struct hf_buf *out, const unsigned char *bytes, size_t n)
{
	char *room = hf_buf_room(out, n * 2 + 1);
	if (room == NULL)
		return;
	hf_hex(bytes, n, room);
	hf_buf_added(out, n * 2);
}

int hf_vault_encrypt(struct hf_arena *a, struct hf_str plain, struct hf_str password, const char *label,
	const unsigned char *salt, size_t salt_size, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	unsigned char own_salt[VAULT_SALT], mac[VAULT_MAC];
	struct keys k;
	if (plain.n > VAULT_SIZE_MAX / 4)
		return hf_fail(err, HF_E_LIMIT, "more than %d bytes to encrypt", VAULT_SIZE_MAX / 4);
	if (salt == NULL) {
		if (getrandom(own_salt, sizeof(own_salt), 0) != (ssize_t)sizeof(own_salt))
			return hf_fail_errno(err, HF_E_IO, "random bytes for a salt");
		salt = own_salt;
		salt_size = sizeof(own_salt);
	}
	int r = keys_derive(password, salt, salt_size, &k, err);
	if (r < 0)
		return r;
	size_t padding = VAULT_BLOCK - plain.n % VAULT_BLOCK, n = plain.n + padding;
	unsigned char *padded = hf_alloc(scratch, n), *data = hf_alloc(scratch, n);
	if (plain.n > 0)
		memcpy(padded, plain.p, plain.n);
	memset(padded + plain.n, (int)padding, padding);
	bool ok = cipher_apply(&k, padded, n, data) && mac_make(&k, data, n, mac);
	OPENSSL_cleanse(&k, sizeof(k));
	if (!ok)
		return hf_fail(err, HF_E_INTERNAL, "AES-256-CTR or HMAC failed");
	hf_auto_buf inner = hf_buf_init(VAULT_SIZE_MAX), hex = hf_buf_init(VAULT_SIZE_MAX * 2),
		    out = hf_buf_init(VAULT_SIZE_MAX * 4u);
	hex_add(&inner, salt, salt_size);
	hf_buf_put(&inner, '\n');
	hex_add(&inner, mac, VAULT_MAC);
	hf_buf_put(&inner, '\n');
	hex_add(&inner, data, n);
	hex_add(&hex, (const unsigned char *)hf_buf_str(&inner).p, inner.n);
	if (label == NULL || strcmp(label, "default") == 0)
		hf_buf_puts(&out, "$ANSIBLE_VAULT;1.1;AES256\n");
	else
		hf_buf_printf(&out, "$ANSIBLE_VAULT;1.2;AES256;%s\n", label);
	for (size_t i = 0; i < hex.n; i += VAULT_LINE) {
		hf_buf_append(&out, hex.p + i, hex.n - i < VAULT_LINE ? hex.n - i : VAULT_LINE);
		hf_buf_put(&out, '\n');
	}
	r = hf_buf_check(&out, "vault envelope", err);
	if (r == 0)
		*ret = hf_buf_dup(a, &out);
	return r;
}
