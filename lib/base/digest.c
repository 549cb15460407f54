#include "lib/base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
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

/* A context ready for SHA-256, the same every time: to look the algorithm up and to make a context cost more
 * than to hash a small file. NULL: OpenSSL has no SHA-256. */
static EVP_MD_CTX *sha256_start(void)
{
	static EVP_MD_CTX *context;
	static EVP_MD *md;
	if (context == NULL)
		context = EVP_MD_CTX_new();
	if (md == NULL)
		md = EVP_MD_fetch(NULL, "SHA256", NULL);
	return context != NULL && md != NULL && EVP_DigestInit_ex2(context, md, NULL) == 1 ? context : NULL;
}

struct hf_digest hf_sha256(struct hf_str data)
{
	struct hf_digest d;
	EVP_MD_CTX *context = sha256_start();
	if (context == NULL || EVP_DigestUpdate(context, data.p, data.n) != 1 ||
		EVP_DigestFinal_ex(context, d.bytes, NULL) != 1)
		abort();
	return d;
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

/* Feed everything left in fd to the context. */
static int digest_feed(EVP_MD_CTX *context, int fd, uint64_t max, uint64_t *ret_size, struct hf_error *err)
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
		if (EVP_DigestUpdate(context, block, (size_t)n) != 1)
			return hf_fail(err, HF_E_INTERNAL, "OpenSSL digest update failed");
	}
	if (ret_size != NULL)
		*ret_size = total;
	return 0;
}

int hf_sha256_fd(int fd, uint64_t max, struct hf_digest *ret, uint64_t *ret_size, struct hf_error *err)
{
	EVP_MD_CTX *context = sha256_start();
	struct hf_digest d;
	uint64_t size = 0;
	if (context == NULL)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL has no SHA-256");
	int result = digest_feed(context, fd, max, &size, err);
	if (result < 0)
		return result;
	if (EVP_DigestFinal_ex(context, d.bytes, NULL) != 1)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL digest failed");
	*ret = d;
	if (ret_size != NULL)
		*ret_size = size;
	return 0;
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
	result = digest_feed(context, fd, UINT64_MAX, NULL, err);
	if (result < 0)
		return hf_wrap(err, "%s", path);
	return hash_end(context, out, err);
}
