#include "lib/net/aws_json.h"

#include "lib/base/scope.h"
#include "lib/data/json.h"

static int answer_take(
	struct hf_arena *a, const struct hf_aws_answer *answer, struct hf_value **ret, struct hf_error *err)
{
	struct hf_str text = answer->http->body;
	if (text.n == 0) {
		*ret = hf_value_dict(a);
		return 0;
	}
	int result = hf_json_parse(a, text, answer->http->place, ret, err);
	if (result == 0 && !hf_is(*ret, HF_DICT))
		return hf_fail(
			err, HF_E_NET, "%s answered with something else than an object", answer->http->place);
	return result;
}

int hf_aws_json_call(struct hf_aws *aws, struct hf_arena *a, const struct hf_aws_io *io,
	const struct hf_aws_json *call, struct hf_value **ret, const char **ret_code, struct hf_error *err)
{
	const struct hf_http_header headers[] = { { "content-type", "application/x-amz-json-1.1" },
		{ "x-amz-target", call->target } };
	hf_auto_buf body = hf_buf_init(HF_AWS_JSON_BODY_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_aws_endpoint where;
	struct hf_aws_answer answer = { 0 };
	*ret_code = "";
	int result = hf_json_write(&body, call->body, &style, err);
	if (result == 0)
		result = hf_buf_check(&body, call->target, err);
	if (result == 0)
		result = hf_aws_endpoint(a, io, call->service, NULL, call->region, &where, err);
	if (result < 0)
		return result;
	struct hf_aws_call request = { .service = call->service,
		.region = where.region,
		.endpoint = where.base,
		.method = "POST",
		.headers = headers,
		.n_headers = HF_COUNT(headers),
		.body = hf_buf_str(&body),
		.body_fd = -1,
		.deadline_ms = HF_AWS_JSON_DEADLINE_MS };
	if ((result = hf_aws_fetch(aws, a, &request, &answer, err)) < 0)
		return result;
	if (answer.code != NULL)
		*ret_code = answer.code;
	result = hf_aws_expect(&answer, err);
	return result < 0 ? hf_wrap(err, "%s", call->target) : answer_take(a, &answer, ret, err);
}
