/* What answers of AWS mean: error documents, codes worth another try, dates, XML, paths into answers. */
#include "lib/base/scope.h"
#include "lib/net/aws.h"
#include "lib/net/xml.h"
#include "provisioner/wire.h"
#include "tests/unit/unit.h"

static const struct error_row {
	const char *title;
	int status;
	const char *header, *body;
	const char *code, *message;
	enum hf_code want;
	enum hf_http_verdict verdict;
} errors[] = {
	{ "S3 document", 404, NULL,
		"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>",
		"NoSuchKey", "gone", HF_E_NOT_FOUND, HF_HTTP_DONE },
	{ "EC2 document", 400, NULL,
		"<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>m</Message></Error></"
		"Errors>"
		"<RequestID>r</RequestID></Response>",
		"InvalidVpcID.NotFound", "m", HF_E_NOT_FOUND, HF_HTTP_DONE },
	{ "query document", 400, NULL,
		"<ErrorResponse "
		"xmlns=\"x\"><Error><Code>Throttling</Code><Message>slow</Message></Error></ErrorResponse>",
		"Throttling", "slow", HF_E_BUSY, HF_HTTP_SLOW },
	{ "JSON with a name space", 400, NULL,
		"{\"__type\":\"com.amazon.coral#ResourceNotFoundException\",\"message\":\"m\"}",
		"ResourceNotFoundException", "m", HF_E_NOT_FOUND, HF_HTTP_DONE },
	{ "REST JSON names it in a header", 409, "ResourceInUseException:http://internal/",
		"{\"message\":\"m\"}", "ResourceInUseException", "m", HF_E_BUSY, HF_HTTP_DONE },
	{ "a duplicate", 400, NULL,
		"<Response><Errors><Error><Code>InvalidGroup.Duplicate</Code></Error></Errors></Response>",
		"InvalidGroup.Duplicate", NULL, HF_E_EXISTS, HF_HTTP_DONE },
	{ "denied with status 400", 400, NULL, "{\"__type\":\"AccessDeniedException\"}",
		"AccessDeniedException", NULL, HF_E_DENIED, HF_HTTP_DONE },
	{ "request timed out at S3", 400, NULL, "<Error><Code>RequestTimeout</Code></Error>",
		"RequestTimeout", NULL, HF_E_TIMEOUT, HF_HTTP_RETRY },
	{ "no document", 503, NULL, "", NULL, NULL, HF_E_BUSY, HF_HTTP_SLOW },
	{ "a proxy's page", 502, NULL, "<html><body>Bad Gateway<br></body></html>", NULL, NULL, HF_E_NET,
		HF_HTTP_RETRY },
	{ "JSON that is a list", 500, NULL, "[1]", NULL, NULL, HF_E_NET, HF_HTTP_RETRY },
};

static void error_read(void **state)
{
	const struct error_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_http_header header = { "x-amzn-ErrorType", r->header };
	const struct hf_http_response response = { .arena = a,
		.status = r->status,
		.body = hf_str(r->body),
		.headers = { &header, r->header == NULL ? 0 : 1, 1 },
		.method = "POST",
		.place = "host/",
		.attempts = 1 };
	struct hf_aws_answer answer;
	struct hf_error err = { 0 };
	hf_aws_error_read(a, &response, &answer);
	if (r->code == NULL)
		assert_null(answer.code);
	else
		assert_string_equal(answer.code, r->code);
	if (r->message == NULL)
		assert_null(answer.message);
	else
		assert_string_equal(answer.message, r->message);
	assert_int_equal(hf_aws_judge(&answer), r->verdict);
	assert_int_equal(hf_aws_expect(&answer, &err), -(int)r->want);
	assert_non_null(strstr(err.text, "POST host/: "));
}

static const struct date_row {
	const char *title, *text;
	bool ok;
	int64_t want;
} dates[] = {
	{ "a date", "Sat, 21 Nov 2026 05:50:37 GMT", true, 1795240237 },
	{ "the epoch", "Thu, 01 Jan 1970 00:00:00 GMT", true, 0 },
	{ "another zone", "Sat, 21 Nov 2026 05:50:37 CET", false, 0 },
	{ "no such month", "Sat, 21 Nox 2026 05:50:37 GMT", false, 0 },
	{ "too short", "Sat, 21 Nov", false, 0 },
	{ "empty", "", false, 0 },
};

static void date_read(void **state)
{
	const struct date_row *r = *state;
	int64_t got = 0;
	assert_int_equal(hf_http_date_parse(r->text, &got), r->ok);
	assert_int_equal(got, r->want);
}

static const struct xml_row {
	const char *title, *text, *path, *want; /* want NULL: not found; path NULL: refused */
	enum hf_code code;
} xmls[] = {
	{ "a leaf", "<a><b>x</b></a>", "b", "x", HF_OK },
	{ "two steps", "<a><b><c>1 &amp; 2</c></b></a>", "b/c", "1 & 2", HF_OK },
	{ "the first of several", "<a><b>1</b><b>2</b></a>", "b", "1", HF_OK },
	{ "missing", "<a><b/></a>", "b/c", NULL, HF_OK },
	{ "character data in pieces", "<a><b>x<![CDATA[<y>]]>z</b></a>", "b", "x<y>z", HF_OK },
	{ "not closed", "<a><b></a>", NULL, NULL, HF_E_PARSE },
	{ "two roots", "<a/><b/>", NULL, NULL, HF_E_PARSE },
	{ "nothing", "", NULL, NULL, HF_E_PARSE },
	{ "a document type", "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", NULL, NULL, HF_E_PARSE },
};

static void xml_read(void **state)
{
	const struct xml_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_xml *root = NULL;
	struct hf_error err = { 0 };
	assert_int_equal(hf_xml_parse(a, hf_str(r->text), "test", &root, &err), -(int)r->code);
	if (r->path == NULL)
		return;
	const char *got = hf_xml_text(root, r->path, NULL);
	if (r->want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, r->want);
}

static const struct path_row {
	const char *title, *xml, *path, *want; /* want: Python's repr */
} paths[] = {
	{ "one step", "<a><b>x</b></a>", "b", "'x'" },
	{ "first of a list", "<a><s><i><n>1</n></i><i><n>2</n></i></s></a>", "s.i.n", "'1'" },
	{ "each of a list", "<a><s><i><n>1</n></i><i><n>2</n></i></s></a>", "s.i[].n", "['1', '2']" },
	{ "each of a single one", "<a><s><i><n>1</n></i></s></a>", "s.i[].n", "['1']" },
	{ "lists in lists", "<a><s><i><k><n>1</n></k><k><n>2</n></k></i><i><k><n>3</n></k></i></s></a>",
		"s.i[].k[].n", "['1', '2', '3']" },
	{ "missing", "<a><b>x</b></a>", "c.d", NULL },
	{ "below a leaf", "<a><b>x</b></a>", "b.c", NULL },
};

static void path_read(void **state)
{
	const struct path_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_xml *root = NULL;
	assert_int_equal(hf_xml_parse(a, hf_str(r->xml), "test", &root, NULL), 0);
	const struct hf_value *got = hf_wire_at(a, hf_xml_value(a, root), r->path);
	if (r->want == NULL) {
		assert_null(got);
		return;
	}
	hf_auto_buf text = hf_buf_init(1000);
	hf_value_repr(&text, got);
	assert_string_equal(text.p, r->want);
}

static const struct endpoint_row {
	const char *title, *service, *prefix, *region, *set, *to;
	const char *base, *signing; /* base NULL: refused */
} endpoints[] = {
	{ "regional", "ec2", NULL, "eu-west-1", NULL, NULL, "https://ec2.eu-west-1.amazonaws.com",
		"eu-west-1" },
	{ "global", "iam", NULL, "eu-west-1", NULL, NULL, "https://iam.amazonaws.com", "us-east-1" },
	{ "other host name", "sagemaker", "api.sagemaker", "us-west-2", NULL, NULL,
		"https://api.sagemaker.us-west-2.amazonaws.com", "us-west-2" },
	{ "China", "s3", NULL, "cn-north-1", NULL, NULL, "https://s3.cn-north-1.amazonaws.com.cn",
		"cn-north-1" },
	{ "one for all", "ec2", NULL, "eu-west-1", "AWS_ENDPOINT_URL", "http://127.0.0.1:5/",
		"http://127.0.0.1:5", "eu-west-1" },
	{ "one for the service", "s3", NULL, "eu-west-1", "AWS_ENDPOINT_URL_S3", "http://h", "http://h",
		"eu-west-1" },
	{ "another service's", "ec2", NULL, "eu-west-1", "AWS_ENDPOINT_URL_S3", "http://h",
		"https://ec2.eu-west-1.amazonaws.com", "eu-west-1" },
	{ "not a URL", "s3", NULL, "eu-west-1", "AWS_ENDPOINT_URL", "ftp://h", NULL, NULL },
	{ "no region", "s3", NULL, "evil.example/", NULL, NULL, NULL, NULL },
	{ "FIPS is not known", "s3", NULL, "us-east-1", "AWS_USE_FIPS_ENDPOINT", "true", NULL, NULL },
};

static const char *row_env(void *data, const char *name)
{
	const struct endpoint_row *r = data;
	return r->set != NULL && strcmp(name, r->set) == 0 ? r->to : NULL;
}

static int row_read(
	void *data, struct hf_arena *a, const char *path, struct hf_str *ret, struct hf_error *err)
{
	return hf_fail(err, HF_E_NOT_FOUND, "%s", path);
}

static void endpoint_find(void **state)
{
	struct endpoint_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	const struct hf_aws_io io = { .env = row_env, .read = row_read, .data = r };
	struct hf_aws_endpoint got;
	int rc = hf_aws_endpoint(a, &io, r->service, r->prefix, r->region, &got, NULL);
	assert_int_equal(rc < 0, r->base == NULL);
	if (r->base == NULL)
		return;
	assert_string_equal(got.base, r->base);
	assert_string_equal(got.region, r->signing);
}

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, errors, error_read);
	UNIT_ADD_ROWS(&tests, dates, date_read);
	UNIT_ADD_ROWS(&tests, xmls, xml_read);
	UNIT_ADD_ROWS(&tests, paths, path_read);
	UNIT_ADD_ROWS(&tests, endpoints, endpoint_find);
	return unit_run(&tests);
}
