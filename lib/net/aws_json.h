/* lib/net/aws_json.h - one call of AWS's JSON protocol (Systems Manager, CloudWatch Logs, EventBridge …): a
 * POST to "/" whose operation is named in a header. Blocks, with the retries of aws.h.
 * Fails: as hf_aws_fetch() does, and with HF_E_DENIED, HF_E_NOT_FOUND, HF_E_ARGUMENT … for an error document;
 * *ret_code then names it ("AccessDeniedException"), "" when no answer came. */
#pragma once
#include "lib/data/value.h"
#include "lib/net/aws.h"

enum { HF_AWS_JSON_BODY_MAX = 4 << 20, HF_AWS_JSON_DEADLINE_MS = 60000 };

struct hf_aws_json {
	const char *service;   /* as signed, and the host's first label: "ssm" */
	const char *target;    /* "AmazonSSM.PutComplianceItems" */
	const char *region;    /* hf_aws_region() */
	struct hf_value *body; /* a dict */
};
/* ret: the answer, a dict (empty where the service sends nothing); ret_code: text in arena a. */
HF_CHECK int hf_aws_json_call(struct hf_aws *aws, struct hf_arena *a, const struct hf_aws_io *io,
	const struct hf_aws_json *call, struct hf_value **ret, const char **ret_code, struct hf_error *err);
