/* lib/engine/filters_hash.c - digests and password hashes. */
#include <crypt.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/engine/filters.h"

static int digest_of(struct hf_eval *e, struct hf_value *input, const char *algorithm, struct hf_value **ret,
	struct hf_error *err)
{
	char hex[HF_DIGEST_HEX_MAX];
	struct hf_str text = input->u.string;
	static const char *const names[][2] = { { "blake2b", "blake2b512" }, { "blake2s", "blake2s256" },
		{ "sha3_224", "sha3-224" }, { "sha3_256", "sha3-256" }, { "sha3_384", "sha3-384" },
		{ "sha3_512", "sha3-512" } };
	for (size_t i = 0; i < HF_COUNT(names); i++) /* Python's name, OpenSSL's name */
		if (strcmp(algorithm, names[i][0]) == 0)
			algorithm = names[i][1];
	int r = input->type == HF_BYTES ? 0 : hf_eval_text(e, input, &text, err);
	if (r == 0)
		r = hf_hash_hex(algorithm, text, hex, err);
	return r == -HF_E_ARGUMENT ? hf_fail(err, HF_E_TEMPLATE, "unsupported hash type %s", algorithm)
	       : r < 0             ? r
				   : filter_return_text(e, input, hf_str(hex), ret);
}

FILTER(hash)
{
	FILTER_ARGS(1, "hashtype");
	struct hf_str algorithm;
	int r = filter_text_arg(e, call, 0, "hashtype", "sha1", &algorithm, err);
	return r < 0 ? r : digest_of(e, input, hf_str_dup(hf_eval_arena(e), algorithm), ret, err);
}

FILTER(md5)
{
	return digest_of(e, input, "md5", ret, err);
}

FILTER(sha1)
{
	return digest_of(e, input, "sha1", ret, err);
}

/* --- password_hash --- */

static const struct method {
	const char *name, *other_name, *ident;
	size_t salt_size, salt_max;
	int64_t rounds, rounds_min, rounds_max; /* 0: has none */
	int64_t rounds_implied;                 /* not written when it is this */
} methods[] = {
	{ "sha512", "sha512_crypt", "6", 16, 16, 656000, 1000, 999999999, 5000 },
	{ "sha256", "sha256_crypt", "5", 16, 16, 535000, 1000, 999999999, 5000 },
	{ "md5", "md5_crypt", "1", 8, 8, 0, 0, 0, 0 },
	{ "blowfish", "bcrypt", "2b", 22, 22, 12, 4, 31, 0 },
};

static const char salt_alphabet[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static int salt_random(struct hf_arena *a, size_t n, struct hf_str *ret, struct hf_error *err)
{
	unsigned char bytes[64];
	char *salt = hf_alloc(a, n + 1);
	if (n > sizeof(bytes) || getrandom(bytes, n, 0) != (ssize_t)n)
		return hf_fail_errno(err, HF_E_IO, "random bytes for a salt");
	for (size_t i = 0; i < n; i++)
		salt[i] = salt_alphabet[bytes[i] & 63];
	salt[n] = '\0';
	*ret = hf_strn(salt, n);
	return 0;
}

static int salt_check(const struct method *m, struct hf_str salt, struct hf_error *err)
{
	for (size_t i = 0; i < salt.n; i++)
		if (salt.p[i] == '\0' || strchr(salt_alphabet, salt.p[i]) == NULL)
			return hf_fail(err, HF_E_TEMPLATE, "invalid character in the salt for %s", m->name);
	bool exact = m->salt_max == 22;
	if (salt.n > m->salt_max || (exact && salt.n < m->salt_max))
		return hf_fail(err, HF_E_TEMPLATE, "the salt for %s must have %s %zu characters", m->name,
			exact ? "exactly" : "at most", m->salt_max);
	return 0;
}

static const struct method *method_find(struct hf_str name)
{
	for (size_t i = 0; i < HF_COUNT(methods); i++)
		if (hf_str_is(name, methods[i].name) || hf_str_is(name, methods[i].other_name))
			return &methods[i];
	return NULL;
}

static const char *setting_text(
	struct hf_arena *a, const struct method *m, const char *ident, struct hf_str salt, int64_t rounds)
{
	if (m->salt_max == 22)
		return hf_sprintf(a, "$%s$%02d$%.*s", ident, (int)rounds, HF_STR_ARG(salt));
	if (m->rounds == 0 || rounds == m->rounds_implied)
		return hf_sprintf(a, "$%s$%.*s$", m->ident, HF_STR_ARG(salt));
	return hf_sprintf(a, "$%s$rounds=%d$%.*s$", m->ident, (int)rounds, HF_STR_ARG(salt));
}

enum { HASH_ROUNDS_MAX = 20000000, HASH_COST_MAX = 18 }; /* about ten seconds each */

struct hashing {
	const struct method *method;
	struct hf_str salt, ident;
	int64_t rounds;
};

static int salt_option(struct hf_eval *e, const struct hf_call *call, struct hashing *h, struct hf_error *err)
{
	int64_t size;
	size_t most = h->method->salt_max;
	int r = filter_int_arg(call, 2, "salt_size", (int64_t)h->method->salt_size, &size, err);
	if (r == 0 && filter_arg(call, 1, "salt") != NULL)
		r = filter_text_arg(e, call, 1, "salt", "", &h->salt, err);
	else if (r == 0)
		r = salt_random(hf_eval_arena(e), size < 0 || (size_t)size > most ? most : (size_t)size,
			&h->salt, err);
	return r < 0 ? r : salt_check(h->method, h->salt, err);
}

static int hashing_options(
	struct hf_eval *e, const struct hf_call *call, struct hashing *h, struct hf_error *err)
{
	struct hf_str name;
	int r = filter_text_arg(e, call, 0, "hashtype", "sha512", &name, err);
	if (r < 0)
		return r;
	const struct method *m = h->method = method_find(name);
	if (m == NULL)
		return hf_fail(err, HF_E_TEMPLATE,
			"password_hash: '%.*s' is not in the list of supported algorithms: md5, blowfish, "
			"sha256, sha512",
			HF_STR_ARG(name));
	r = filter_int_arg(call, 3, "rounds", m->rounds, &h->rounds, err);
	if (r == 0 && m->rounds != 0 && (h->rounds < m->rounds_min || h->rounds > m->rounds_max))
		r = hf_fail(err, HF_E_TEMPLATE, "rounds for %s must be between %d and %d", m->name,
			(int)m->rounds_min, (int)m->rounds_max);
	int64_t most = m->salt_max == 22 ? HASH_COST_MAX : HASH_ROUNDS_MAX;
	if (r == 0 && m->rounds != 0 && h->rounds > most)
		r = hf_fail(err, HF_E_LIMIT, "%lld rounds of %s would take minutes: at most %lld",
			(long long)h->rounds, m->name, (long long)most);
	h->ident = hf_str(m->ident);
	if (r == 0 && filter_arg(call, 4, "ident") != NULL)
		r = filter_text_arg(e, call, 4, "ident", m->ident, &h->ident, err);
	return r < 0 ? r : salt_option(e, call, h, err);
}

FILTER(password_hash)
{
	FILTER_ARGS(5, "hashtype", "salt", "salt_size", "rounds", "ident");
	struct hf_arena *a = hf_eval_arena(e);
	struct hashing h = { 0 };
	if (input->type != HF_STRING)
		return hf_fail(
			err, HF_E_TEMPLATE, "secret must be unicode or bytes, not %s", hf_type_name(input));
	int r = hashing_options(e, call, &h, err);
	if (r < 0)
		return r;
	if (input->u.string.n >= CRYPT_MAX_PASSPHRASE_SIZE)
		return hf_fail(err, HF_E_TEMPLATE,
			"password_hash: a password of %zu bytes is too long: the C library takes less than "
			"%d",
			input->u.string.n, CRYPT_MAX_PASSPHRASE_SIZE);
	if (memchr(input->u.string.p, '\0', input->u.string.n) != NULL)
		return hf_fail(err, HF_E_TEMPLATE, "a password with a NUL in it cannot be hashed");
	struct crypt_data *data = hf_zalloc(a, sizeof(*data));
	const char *setting = setting_text(a, h.method, hf_str_dup(a, h.ident), h.salt, h.rounds);
	const char *hashed = crypt_r(hf_str_dup(a, input->u.string), setting, data);
	if (hashed == NULL || hashed[0] == '*')
		return hf_fail(err, HF_E_TEMPLATE, "password_hash: this system's crypt cannot do %s",
			h.method->name);
	return filter_return_text(e, input, hf_str(hashed), ret);
}

const struct hf_callable_row hf_ansible_filters_hash[] = {
	{ "hash", hash, 0 },
	{ "md5", md5, HF_NO_ARGUMENTS },
	{ "sha1", sha1, HF_NO_ARGUMENTS },
	{ "checksum", sha1, HF_NO_ARGUMENTS },
	{ "password_hash", password_hash, 0 },
	{ 0 },
};
