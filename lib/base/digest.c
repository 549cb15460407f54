#include "lib/base/digest.h"

/* OpenSSL 3 calls SHA256_Init() and its like deprecated; why they are used here stands below. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"

enum { READ_SIZE = 65536 };

static void digest_context_free(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}
#define auto_context HF_CLEANUP(digest_context_free) EVP_MD_CTX *

/* SHA-256 is what names everything here, so nearly every start of a program comes by: by libcrypto's own
 * functions, for whoever asks its providers has them loaded first, at 200 KB and 6 million instructions. */
_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct hf_sha256), "room for OpenSSL's state");

static SHA256_CTX *context_of(struct hf_sha256 *s)
{
	return (SHA256_CTX *)s->state;
}

void hf_sha256_begin(struct hf_sha256 *s)
{
	SHA256_Init(context_of(s));
}

void hf_sha256_add(struct hf_sha256 *s, struct hf_str data)
{
	SHA256_Update(context_of(s), data.p, data.n);
}

struct hf_digest hf_sha256_end(struct hf_sha256 *s)
{
	struct hf_digest d;
	SHA256_Final(d.bytes, context_of(s));
	return d;
}

struct hf_digest hf_sha256(struct hf_str data)
{
	struct hf_sha256 s;
	hf_sha256_begin(&s);
	hf_sha256_add(&s, data);
	return hf_sha256_end(&s);
}

const char *hf_digest_hex(const struct hf_digest *d, char *out)
{
	hf_hex(d->bytes, sizeof(d->bytes), out);
	return out;
}

bool hf_digest_parse(struct hf_str hex, struct hf_digest *ret)
{
	struct hf_digest d;
	for (size_t i = 0; i < hex.n; i++)
		if (hex.p[i] >= 'A' && hex.p[i] <= 'F')
			return false; /* one spelling only: names are compared as text */
	if (!hf_unhex(hex, d.bytes, sizeof(d.bytes)))
		return false;
	*ret = d;
	return true;
}

struct hf_digest hf_hmac_sha256(struct hf_str key, struct hf_str data)
{
	struct hf_digest d;
	unsigned int n = sizeof(d.bytes);
	if (HMAC(EVP_sha256(), key.p == NULL ? "" : key.p, (int)key.n, (const unsigned char *)data.p, data.n,
		    d.bytes, &n) == NULL)
		abort();
	return d;
}

typedef bool (*feed)(void *context, const void *data, size_t n);

/* Everything left in fd. */
static int digest_feed(
	feed add, void *context, int fd, uint64_t max, uint64_t *ret_size, struct hf_error *err)
{
	unsigned char block[READ_SIZE] HF_UNINITIALIZED;
	uint64_t total = 0;
	for (;;) {
		ssize_t n = read(fd, block, sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_fail_errno(err, HF_E_IO, "read");
		if (n == 0)
			break;
		total += (uint64_t)n;
		if (total > max)
			return hf_fail(err, HF_E_LIMIT, "more than %llu bytes", (unsigned long long)max);
		if (!add(context, block, (size_t)n))
			return hf_fail(err, HF_E_INTERNAL, "OpenSSL digest update failed");
	}
	if (ret_size != NULL)
		*ret_size = total;
	return 0;
}

static bool sha256_feed(void *context, const void *data, size_t n)
{
	hf_sha256_add(context, hf_strn(data, n));
	return true;
}

static bool other_feed(void *context, const void *data, size_t n)
{
	return EVP_DigestUpdate(context, data, n) == 1;
}

int hf_sha256_fd(int fd, uint64_t max, struct hf_digest *ret, uint64_t *ret_size, struct hf_error *err)
{
	struct hf_sha256 s;
	hf_sha256_begin(&s);
	int result = digest_feed(sha256_feed, &s, fd, max, ret_size, err);
	if (result == 0)
		*ret = hf_sha256_end(&s);
	return result;
}

/* OpenSSL looks an algorithm up among its providers each time it is used unless it was fetched before. */
static const EVP_MD *fetched(const char *algorithm)
{
	static struct {
		const char *name;
		EVP_MD *md;
	} rows[] = { { "sha1", NULL }, { "sha256", NULL }, { "md5", NULL } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (strcmp(rows[i].name, algorithm) == 0) {
			if (rows[i].md == NULL)
				rows[i].md = EVP_MD_fetch(NULL, algorithm, NULL);
			return rows[i].md;
		}
	return NULL;
}

static int hash_start(const char *algorithm, EVP_MD_CTX *context, struct hf_error *err)
{
	const EVP_MD *md = fetched(algorithm);
	if (md == NULL)
		md = EVP_get_digestbyname(algorithm);
	if (md == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "no hash algorithm named \"%s\"", algorithm);
	if (context == NULL || EVP_DigestInit_ex(context, md, NULL) != 1)
		return hf_fail(
			err, HF_E_ARGUMENT, "hash algorithm \"%s\" is switched off in OpenSSL", algorithm);
	return 0;
}

static int hash_end(EVP_MD_CTX *context, char *out, struct hf_error *err)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	if (EVP_DigestFinal_ex(context, bytes, &n) != 1 || 2 * n + 1 > HF_DIGEST_HEX_MAX)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL digest failed");
	hf_hex(bytes, n, out);
	return 0;
}

int hf_hash_hex(const char *algorithm, struct hf_str data, char out[HF_DIGEST_HEX_MAX], struct hf_error *err)
{
	auto_context context = EVP_MD_CTX_new();
	int result = hash_start(algorithm, context, err);
	if (result < 0)
		return result;
	if (EVP_DigestUpdate(context, data.p == NULL ? "" : data.p, data.n) != 1)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL digest update failed");
	return hash_end(context, out, err);
}

int hf_hash_file_hex(
	const char *algorithm, const char *path, char out[HF_DIGEST_HEX_MAX], struct hf_error *err)
{
	auto_context context = EVP_MD_CTX_new();
	int result = hash_start(algorithm, context, err);
	if (result < 0)
		return result;
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	result = digest_feed(other_feed, context, fd, UINT64_MAX, NULL, err);
	if (result < 0)
		return hf_wrap(err, "%s", path);
	return hash_end(context, out, err);
}
