/* Reading AWS's error documents, in XML and JSON, and what their codes mean. */
#include "lib/net/aws.h"

#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/net/xml.h"

static const char *first_text(const struct hf_xml *root, const char *const *paths)
{
	for (size_t i = 0; paths[i] != NULL; i++) {
		const char *text = hf_xml_text(root, paths[i], NULL);
		if (text != NULL && text[0] != '\0')
			return text;
	}
	return NULL;
}

static void read_xml(struct hf_arena *a, struct hf_str body, struct hf_aws_answer *ret)
{
	static const char *const codes[] = { "Code", "Error/Code", "Errors/Error/Code", NULL };
	static const char *const messages[] = { "Message", "Error/Message", "Errors/Error/Message", NULL };
	static const char *const ids[] = { "RequestId", "RequestID", "Error/RequestId", NULL };
	struct hf_xml *root;
	if (hf_xml_parse(a, body, "error document", &root, NULL) < 0)
		return; /* not AWS's: the status alone is told */
	ret->code = first_text(root, codes);
	ret->message = first_text(root, messages);
	ret->request_id = first_text(root, ids);
}

/* "com.amazon.coral#Thing" and "Thing:http://…" are both Thing. */
static const char *plain_code(struct hf_arena *a, const char *code)
{
	if (code == NULL)
		return NULL;
	const char *hash = strchr(code, '#');
	code = hash == NULL ? code : hash + 1;
	return hf_strndup(a, code, strcspn(code, ":"));
}

static void read_json(struct hf_arena *a, struct hf_str body, struct hf_aws_answer *ret)
{
	static const char *const codes[] = { "__type", "code", "Code" };
	static const char *const messages[] = { "message", "Message", "errorMessage" };
	struct hf_value *v;
	if (hf_json_parse(a, body, "error document", &v, NULL) < 0 || !hf_is(v, HF_DICT))
		return;
	for (size_t i = 0; i < HF_COUNT(codes) && ret->code == NULL; i++)
		ret->code = plain_code(a, hf_dict_cstr(v, codes[i], NULL));
	for (size_t i = 0; i < HF_COUNT(messages) && ret->message == NULL; i++)
		ret->message = hf_dict_cstr(v, messages[i], NULL);
}

void hf_aws_error_read(struct hf_arena *a, const struct hf_http_response *r, struct hf_aws_answer *ret)
{
	struct hf_aws_answer out = { .http = r };
	struct hf_str body = hf_str_trim(r->body);
	const char *type = hf_http_header(&r->headers, "x-amzn-errortype");
	out.code = plain_code(a, type);
	if (body.n > 0 && body.p[0] == '<')
		read_xml(a, body, &out);
	else if (body.n > 0 && body.p[0] == '{')
		read_json(a, body, &out);
	static const char *const ids[] = { "x-amzn-requestid", "x-amz-request-id" };
	for (size_t i = 0; i < HF_COUNT(ids) && out.request_id == NULL; i++)
		out.request_id = hf_http_header(&r->headers, ids[i]);
	*ret = out;
}

/* MEANS_FINAL: no use to ask again soon, although its status may be 500. */
enum meaning { MEANS_NOTHING, MEANS_SLOW, MEANS_RETRY, MEANS_CODE, MEANS_FINAL };

/* Exact codes first; families by their ending or beginning below. */
static const struct {
	const char *code;
	enum meaning meaning;
	enum hf_code error;
} meanings[] = {
	{ "Throttling", MEANS_SLOW, HF_E_BUSY },
	{ "ThrottlingException", MEANS_SLOW, HF_E_BUSY },
	{ "ThrottledException", MEANS_SLOW, HF_E_BUSY },
	{ "RequestThrottled", MEANS_SLOW, HF_E_BUSY },
	{ "RequestThrottledException", MEANS_SLOW, HF_E_BUSY },
	{ "TooManyRequestsException", MEANS_SLOW, HF_E_BUSY },
	{ "ProvisionedThroughputExceededException", MEANS_SLOW, HF_E_BUSY },
	{ "RequestLimitExceeded", MEANS_SLOW, HF_E_BUSY },
	{ "BandwidthLimitExceeded", MEANS_SLOW, HF_E_BUSY },
	{ "EC2ThrottledException", MEANS_SLOW, HF_E_BUSY },
	{ "PriorRequestNotComplete", MEANS_SLOW, HF_E_BUSY },
	{ "SlowDown", MEANS_SLOW, HF_E_BUSY },
	{ "RequestTimeout", MEANS_RETRY, HF_E_TIMEOUT },
	{ "RequestTimeoutException", MEANS_RETRY, HF_E_TIMEOUT },
	{ "InternalError", MEANS_RETRY, HF_E_NET },
	{ "InternalFailure", MEANS_RETRY, HF_E_NET },
	{ "ServiceUnavailable", MEANS_SLOW, HF_E_BUSY },
	{ "Unavailable", MEANS_SLOW, HF_E_BUSY },
	{ "IDPCommunicationError", MEANS_RETRY, HF_E_NET },
	{ "OperationAborted", MEANS_RETRY, HF_E_CONFLICT },
	{ "ConditionalRequestConflict", MEANS_RETRY, HF_E_CONFLICT },
	{ "InsufficientInstanceCapacity", MEANS_FINAL, HF_E_BUSY },
	{ "InsufficientHostCapacity", MEANS_FINAL, HF_E_BUSY },
	{ "InsufficientReservedInstanceCapacity", MEANS_FINAL, HF_E_BUSY },
	{ "ReservationCapacityExceeded", MEANS_FINAL, HF_E_BUSY },
	{ "UnfulfillableCapacity", MEANS_FINAL, HF_E_BUSY },
	{ "UnauthorizedOperation", MEANS_CODE, HF_E_DENIED },
	{ "AuthFailure", MEANS_CODE, HF_E_DENIED },
	{ "AccessDenied", MEANS_CODE, HF_E_DENIED },
	{ "AccessDeniedException", MEANS_CODE, HF_E_DENIED },
	{ "InvalidClientTokenId", MEANS_CODE, HF_E_DENIED },
	{ "UnrecognizedClientException", MEANS_CODE, HF_E_DENIED },
	{ "InvalidSignatureException", MEANS_CODE, HF_E_DENIED },
	{ "IncompleteSignature", MEANS_CODE, HF_E_DENIED },
	{ "NoSuchEntity", MEANS_CODE, HF_E_NOT_FOUND },
	{ "ResourceInUseException", MEANS_CODE, HF_E_BUSY },
	{ "DependencyViolation", MEANS_CODE, HF_E_BUSY },
	{ "DeleteConflict", MEANS_CODE, HF_E_BUSY },
	{ "BucketAlreadyOwnedByYou", MEANS_CODE, HF_E_EXISTS },
};

static enum hf_code family(const char *code, enum hf_code other)
{
	struct hf_str s = hf_str(code);
	if (hf_str_ends(s, "NotFound") || hf_str_ends(s, "NotFoundException") || hf_str_starts(s, "NoSuch"))
		return HF_E_NOT_FOUND;
	if (hf_str_ends(s, ".Duplicate") || hf_str_ends(s, "AlreadyExists") ||
		hf_str_ends(s, "AlreadyExistsException"))
		return HF_E_EXISTS;
	return other;
}

enum hf_http_verdict hf_aws_judge(const struct hf_aws_answer *answer)
{
	for (size_t i = 0; answer->code != NULL && i < HF_COUNT(meanings); i++) {
		if (strcmp(meanings[i].code, answer->code) != 0)
			continue;
		if (meanings[i].meaning == MEANS_SLOW)
			return HF_HTTP_SLOW;
		if (meanings[i].meaning == MEANS_RETRY)
			return HF_HTTP_RETRY;
		if (meanings[i].meaning == MEANS_FINAL)
			return HF_HTTP_DONE;
	}
	return hf_http_judge(answer->http, NULL);
}

int hf_aws_expect(const struct hf_aws_answer *answer, struct hf_error *err)
{
	if (answer->http->status < 300)
		return 0;
	char detail[HF_ERROR_TEXT_MAX / 2];
	const char *code = answer->code, *message = answer->message;
	snprintf(detail, sizeof(detail), "%s%s%s", code == NULL ? "" : code,
		code != NULL && message != NULL ? ": " : "", message == NULL ? "" : message);
	struct hf_error failure = { 0 };
	int rc = hf_http_expect(answer->http, detail[0] == '\0' ? NULL : detail, &failure);
	if (rc == 0) /* 3xx: nobody asked for a redirect */
		rc = hf_fail(&failure, HF_E_NET, "%s %s: %d", answer->http->method, answer->http->place,
			answer->http->status);
	if (code != NULL)
		failure.code = family(code, failure.code);
	for (size_t i = 0; code != NULL && i < HF_COUNT(meanings); i++)
		if (strcmp(meanings[i].code, code) == 0)
			failure.code = meanings[i].error;
	if (err != NULL)
		*err = failure;
	return -(int)failure.code;
}
