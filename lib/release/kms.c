#include "lib/release/kms.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/net/aws.h"
#include "lib/release/base64.h"

enum { MESSAGE_MAX = 4096, ANSWER_MAX = 1 << 16, ARN_REGION = 3 /* arn:aws:kms:REGION:… */ };

struct kms {
	struct hf_arena *arena;
	struct hf_http *http;
	struct hf_credentials *credentials;
	struct hf_aws aws;
	struct hf_aws_endpoint endpoint;
	const char *id;
};

static void kms_done(void *data)
{
	struct kms *k = data;
	hf_http_free(k->http);
	hf_credentials_free(k->credentials);
	hf_arena_free(k->arena);
}

/* An ARN names its region. */
static const char *arn_region(struct hf_arena *a, const char *id)
{
	struct hf_str rest = hf_str(id), part = { 0 };
	if (!hf_str_starts(rest, "arn:"))
		return NULL;
	for (int i = 0; i <= ARN_REGION; i++)
		if (!hf_str_split(&rest, ':', &part))
			return NULL;
	return part.n == 0 ? NULL : hf_str_dup(a, part);
}

static int kms_call(struct kms *k, struct hf_arena *a, const char *operation, const struct hf_value *request,
	struct hf_value **ret, struct hf_error *err)
{
	hf_auto_buf body = hf_buf_init(ANSWER_MAX);
	int result = hf_json_write(&body, request, &HF_JSON_COMPACT, err);
	if (result < 0)
		return result;
	const struct hf_http_header headers[] = {
		{ "content-type", "application/x-amz-json-1.1" },
		{ "x-amz-target", hf_sprintf(a, "TrentService.%s", operation) },
	};
	struct hf_aws_call call = { .service = "kms",
		.region = k->endpoint.region,
		.endpoint = k->endpoint.base,
		.method = "POST",
		.headers = headers,
		.n_headers = HF_COUNT(headers),
		.body = hf_buf_str(&body),
		.max_body = ANSWER_MAX };
	struct hf_aws_answer answer;
	result = hf_aws_fetch(&k->aws, a, &call, &answer, err);
	if (result == 0)
		result = hf_aws_expect(&answer, err);
	if (result == 0)
		result = hf_json_parse(a, answer.http->body, operation, ret, err);
	return result < 0 ? hf_wrap(err, "KMS key %s", k->id) : 0;
}

/* A base64 field of an answer. */
static int answer_bytes(struct kms *k, struct hf_arena *a, const struct hf_value *answer, const char *field,
	struct hf_str *ret, struct hf_error *err)
{
	const char *text = hf_is(answer, HF_DICT) ? hf_dict_cstr(answer, field, NULL) : NULL;
	size_t n = text == NULL ? SIZE_MAX : hf_base64_size(hf_str(text));
	unsigned char *bytes = n > ANSWER_MAX ? NULL : hf_alloc(a, n + 1);
	if (bytes == NULL || !hf_base64_decode(hf_str(text), bytes))
		return hf_fail(err, HF_E_PARSE, "KMS key %s: the answer has no %s", k->id, field);
	*ret = hf_strn((const char *)bytes, n);
	return 0;
}

static int kms_sign(void *data, const struct hf_key *key, struct hf_str message, struct hf_signature *ret,
	struct hf_error *err)
{
	struct kms *k = data;
	hf_auto_arena a = hf_arena_new();
	bool edwards = key->algorithm == HF_KEY_ED25519, digest = !edwards && message.n > MESSAGE_MAX;
	if (edwards && message.n > MESSAGE_MAX)
		return hf_fail(err, HF_E_LIMIT,
			"KMS key %s: KMS signs at most %d bytes with an Ed25519 key, this document has %zu; "
			"use an "
			"ECC_NIST_P256 key",
			k->id, MESSAGE_MAX, message.n);
	struct hf_digest hash = hf_sha256(message);
	hf_auto_buf text = hf_buf_init(ANSWER_MAX);
	hf_base64_encode(&text, digest ? hf_strn((const char *)hash.bytes, sizeof(hash.bytes)) : message);
	struct hf_value *request = hf_value_dict(a), *answer = NULL;
	hf_dict_put(request, "KeyId", hf_value_cstr(a, k->id));
	hf_dict_put(request, "Message", hf_value_str(a, hf_buf_str(&text)));
	hf_dict_put(request, "MessageType", hf_value_cstr(a, digest ? "DIGEST" : "RAW"));
	hf_dict_put(
		request, "SigningAlgorithm", hf_value_cstr(a, edwards ? "ED25519_SHA_512" : "ECDSA_SHA_256"));
	struct hf_str signature;
	int result = kms_call(k, a, "Sign", request, &answer, err);
	if (result == 0)
		result = answer_bytes(k, a, answer, "Signature", &signature, err);
	if (result < 0)
		return result;
	if (signature.n > sizeof(ret->bytes) || !hf_key_verify(key, message, signature))
		return hf_fail(err, HF_E_TRUST,
			"KMS key %s: KMS gave a signature that does not fit its public key", k->id);
	memcpy(ret->bytes, signature.p, signature.n);
	ret->n = signature.n;
	return 0;
}

static int kms_connect(struct kms *k, struct hf_error *err)
{
	const struct hf_http_options options = { 0 };
	const char *region = arn_region(k->arena, k->id);
	int result = hf_aws_http_new(&hf_aws_io_process, &options, &k->http, err);
	if (result < 0)
		return result;
	k->credentials = hf_credentials_new(&hf_aws_io_process);
	k->aws = (struct hf_aws){ k->http, k->credentials, 0 };
	if (region == NULL)
		result = hf_aws_region(k->arena, &hf_aws_io_process, &region, err);
	return result < 0 ? result
			  : hf_aws_endpoint(
				    k->arena, &hf_aws_io_process, "kms", NULL, region, &k->endpoint, err);
}

static int public_half(struct kms *k, EVP_PKEY **ret, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *request = hf_value_dict(a), *answer = NULL;
	struct hf_str der;
	hf_dict_put(request, "KeyId", hf_value_cstr(a, k->id));
	int result = kms_call(k, a, "GetPublicKey", request, &answer, err);
	if (result == 0)
		result = answer_bytes(k, a, answer, "PublicKey", &der, err);
	if (result < 0)
		return result;
	const unsigned char *at = (const unsigned char *)der.p;
	*ret = d2i_PUBKEY(NULL, &at, (long)der.n);
	return *ret != NULL ? 0
			    : hf_fail(err, HF_E_PARSE, "KMS key %s: its public half cannot be read", k->id);
}

int hf_kms_key_open(const char *name, struct hf_private_key **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_arena_new();
	struct kms *k = hf_new(a, struct kms);
	EVP_PKEY *pair = NULL;
	k->arena = a;
	k->id = hf_strdup(a, name + strlen(HF_KMS_SCHEME));
	int result =
		*k->id == '\0' ? hf_fail(err, HF_E_ARGUMENT, "%s: which key?", name) : kms_connect(k, err);
	if (result == 0)
		result = public_half(k, &pair, err);
	if (result == 0)
		result = hf_private_key_remote(&pair, name, kms_sign, kms_done, k, ret, err);
	EVP_PKEY_free(pair);
	if (result < 0)
		kms_done(k);
	return result;
}
