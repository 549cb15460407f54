/* lib/net/imds.h - what an EC2 instance can ask about itself, IMDSv2 only.
 * Blocks for at most HF_IMDS_DEADLINE_MS a question. AWS_EC2_METADATA_DISABLED,
 * AWS_EC2_METADATA_SERVICE_ENDPOINT and …_ENDPOINT_MODE are honoured. Off EC2 the error is HF_E_NET or
 * HF_E_TIMEOUT, switched off HF_E_UNSUPPORTED. */
#pragma once
#include "lib/data/value.h"
#include "lib/net/credentials.h"

enum {
	HF_IMDS_DEADLINE_MS = 5000,
	HF_IMDS_ATTEMPT_MS = 1000,
	HF_IMDS_BODY_MAX = 256 << 10,
	HF_IMDS_TAGS_MAX = 256
};

struct hf_imds;
HF_CHECK int hf_imds_new(const struct hf_aws_io *io, struct hf_imds **ret, struct hf_error *err);
struct hf_imds *hf_imds_free(struct hf_imds *m); /* accepts NULL; returns NULL */
static inline void hf_imds_close(struct hf_imds **m)
{
	*m = hf_imds_free(*m);
}
#define hf_auto_imds HF_CLEANUP(hf_imds_close) struct hf_imds *

/* path below /latest/, such as "meta-data/instance-id". HF_E_NOT_FOUND for a 404. */
HF_CHECK int hf_imds_get(
	struct hf_imds *m, struct hf_arena *a, const char *path, struct hf_str *ret, struct hf_error *err);

struct hf_imds_identity {
	const char *instance_id, *instance_type, *image_id, *account_id, *region, *zone, *architecture,
		*private_ip;
	struct hf_str document, pkcs7; /* pkcs7: AWS's signature over the document */
};
HF_CHECK int hf_imds_identity(
	struct hf_imds *m, struct hf_arena *a, struct hf_imds_identity *ret, struct hf_error *err);
/* A dict of the instance's tags; empty when tags in metadata are not enabled. */
HF_CHECK int hf_imds_tags(struct hf_imds *m, struct hf_arena *a, struct hf_value **ret, struct hf_error *err);
