#include "lib/release/key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

static const struct {
	const char *name;
	size_t raw;
} algorithms[HF_KEY_ALGORITHMS] = {
	[HF_KEY_ED25519] = { "ed25519", 32 },
	[HF_KEY_ECDSA_P256] = { "ecdsa-p256", 65 },
};

const char *hf_key_algorithm_name(enum hf_key_algorithm algorithm)
{
	return algorithms[algorithm].name;
}

bool hf_key_algorithm_find(const char *name, enum hf_key_algorithm *ret)
{
	for (unsigned i = 0; i < HF_KEY_ALGORITHMS; i++)
		if (strcmp(algorithms[i].name, name) == 0) {
			*ret = (enum hf_key_algorithm)i;
			return true;
		}
	return false;
}

bool hf_key_init(struct hf_key *k, enum hf_key_algorithm algorithm, struct hf_str raw)
{
	if (raw.n != algorithms[algorithm].raw)
		return false;
	*k = (struct hf_key){ .algorithm = algorithm, .n = raw.n };
	memcpy(k->raw, raw.p, raw.n);
	k->id = hf_sha256(raw);
	return true;
}

static EVP_PKEY *p256_public(const struct hf_key *k)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	char group[] = "P-256";
	unsigned char point[HF_KEY_RAW_MAX];
	memcpy(point, k->raw, k->n);
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, k->n),
		OSSL_PARAM_construct_end() };
	if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

bool hf_key_verify(const struct hf_key *k, struct hf_str message, struct hf_str signature)
{
	bool edwards = k->algorithm == HF_KEY_ED25519;
	EVP_PKEY *key =
		edwards ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, k->raw, k->n) : p256_public(k);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = key != NULL && context != NULL &&
		    EVP_DigestVerifyInit(context, NULL, edwards ? NULL : EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
			    (const unsigned char *)message.p, message.n) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}
