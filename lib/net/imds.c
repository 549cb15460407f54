#include "lib/net/imds.h"

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { TOKEN_SECONDS = 21600, TOKEN_MARGIN_MS = 60000, TOKEN_MAX = 1024 };

struct hf_imds {
	struct hf_arena *arena;
	struct hf_http *http;
	const char *endpoint;
	char token[TOKEN_MAX];
	uint64_t token_until_ms; /* monotonic; 0: none */
};

static const char *imds_endpoint(const struct hf_aws_io *io)
{
	const char *endpoint = io->env(io->data, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = io->env(io->data, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	if (endpoint != NULL && endpoint[0] != '\0')
		return endpoint;
	return mode != NULL && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]"
							     : "http://169.254.169.254";
}

int hf_imds_new(const struct hf_aws_io *io, struct hf_imds **ret, struct hf_error *err)
{
	const char *off = io->env(io->data, "AWS_EC2_METADATA_DISABLED");
	if (off != NULL && strcasecmp(off, "true") == 0)
		return hf_fail(err, HF_E_UNSUPPORTED,
			"instance metadata is switched off (AWS_EC2_METADATA_DISABLED)");
	struct hf_http *http = NULL;
	if (hf_http_new(NULL, &http, err) < 0)
		return hf_wrap(err, "instance metadata");
	struct hf_arena *arena = hf_arena_new();
	struct hf_imds *m = hf_new(arena, struct hf_imds);
	m->arena = arena;
	m->http = http;
	struct hf_str endpoint = hf_str(imds_endpoint(io));
	while (endpoint.n > 0 && endpoint.p[endpoint.n - 1] == '/')
		endpoint.n--;
	m->endpoint = hf_str_dup(arena, endpoint);
	*ret = m;
	return 0;
}

struct hf_imds *hf_imds_free(struct hf_imds *m)
{
	if (m != NULL) {
		hf_http_free(m->http);
		hf_arena_free(m->arena);
	}
	return NULL;
}

static int imds_ask(struct hf_imds *m, struct hf_arena *a, const char *method, const char *path,
	const struct hf_http_header *header, struct hf_http_response *ret, struct hf_error *err)
{
	const struct hf_http_request r = {
		.method = method,
		.url = hf_sprintf(a, "%s/latest/%s", m->endpoint, path),
		.headers = header,
		.n_headers = 1,
		.max_body = HF_IMDS_BODY_MAX,
		.deadline_ms = HF_IMDS_DEADLINE_MS,
		.attempt_ms = HF_IMDS_ATTEMPT_MS,
		.connect_ms = HF_IMDS_ATTEMPT_MS,
		.attempts = 2,
		.direct = true,
	};
	return hf_http_fetch(m->http, a, &r, ret, err);
}

static int token_fetch(struct hf_imds *m, struct hf_error *err)
{
	static const struct hf_http_header ttl = { "X-aws-ec2-metadata-token-ttl-seconds", "21600" };
	hf_auto_arena scratch = hf_arena_new();
	struct hf_http_response r;
	if (imds_ask(m, scratch, "PUT", "api/token", &ttl, &r, err) < 0 || hf_http_expect(&r, NULL, err) < 0)
		return hf_wrap(err, "instance metadata token");
	if (r.body.n == 0 || r.body.n >= TOKEN_MAX || memchr(r.body.p, '\n', r.body.n) != NULL)
		return hf_fail(err, HF_E_PARSE, "instance metadata: %s gave no token", m->endpoint);
	memcpy(m->token, r.body.p, r.body.n);
	m->token[r.body.n] = '\0';
	m->token_until_ms = hf_time_monotonic_ms() + (uint64_t)TOKEN_SECONDS * 1000 - TOKEN_MARGIN_MS;
	return 0;
}

int hf_imds_get(
	struct hf_imds *m, struct hf_arena *a, const char *path, struct hf_str *ret, struct hf_error *err)
{
	struct hf_http_response r = { 0 };
	for (int turn = 0; turn < 2;
		turn++) { /* a second turn when the token is refused: it may have been revoked */
		if (m->token_until_ms <= hf_time_monotonic_ms() && token_fetch(m, err) < 0)
			return err == NULL ? -HF_E_NET : -(int)err->code;
		const struct hf_http_header header = { "X-aws-ec2-metadata-token", m->token };
		if (imds_ask(m, a, "GET", path, &header, &r, err) < 0)
			return hf_wrap(err, "instance metadata");
		if (r.status != 401)
			break;
		m->token_until_ms = 0;
	}
	if (hf_http_expect(&r, NULL, err) < 0)
		return hf_wrap(err, "instance metadata");
	*ret = r.body;
	return 0;
}

int hf_imds_identity(
	struct hf_imds *m, struct hf_arena *a, struct hf_imds_identity *ret, struct hf_error *err)
{
	struct hf_imds_identity out = { 0 };
	struct hf_value *v;
	if (hf_imds_get(m, a, "dynamic/instance-identity/document", &out.document, err) < 0 ||
		hf_json_parse(a, out.document, "instance identity document", &v, err) < 0)
		return err == NULL ? -HF_E_NET : -(int)err->code;
	int rc = hf_imds_get(m, a, "dynamic/instance-identity/pkcs7", &out.pkcs7, err);
	if (rc < 0 && rc != -HF_E_NOT_FOUND)
		return rc;
	if (!hf_is(v, HF_DICT))
		return hf_fail(err, HF_E_PARSE, "the instance identity document is not a JSON object");
	const struct {
		const char *name, **to;
	} rows[] = {
		{ "instanceId", &out.instance_id },
		{ "instanceType", &out.instance_type },
		{ "imageId", &out.image_id },
		{ "accountId", &out.account_id },
		{ "region", &out.region },
		{ "availabilityZone", &out.zone },
		{ "architecture", &out.architecture },
		{ "privateIp", &out.private_ip },
	};
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		*rows[i].to = hf_dict_cstr(v, rows[i].name, NULL);
	if (out.instance_id == NULL || out.region == NULL)
		return hf_fail(
			err, HF_E_PARSE, "the instance identity document names no instance or no region");
	*ret = out;
	return 0;
}

int hf_imds_tags(struct hf_imds *m, struct hf_arena *a, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *tags = hf_value_dict(a);
	struct hf_str names, name;
	struct hf_error failure = { 0 };
	int rc = hf_imds_get(m, a, "meta-data/tags/instance", &names, &failure);
	if (rc == -HF_E_NOT_FOUND) {
		*ret = tags;
		return 0;
	}
	if (rc < 0) {
		if (err != NULL)
			*err = failure;
		return rc;
	}
	for (size_t n = 0; hf_str_split(&names, '\n', &name); n++) {
		struct hf_str value;
		name = hf_str_trim(name);
		if (name.n == 0)
			continue;
		if (n >= HF_IMDS_TAGS_MAX)
			return hf_fail(
				err, HF_E_LIMIT, "instance metadata: more than %d tags", HF_IMDS_TAGS_MAX);
		const char *path =
			hf_sprintf(a, "meta-data/tags/instance/%s", hf_uri_encode_dup(a, name, false));
		rc = hf_imds_get(m, a, path, &value, err);
		if (rc < 0)
			return rc;
		hf_dict_put(tags, hf_str_dup(a, name), hf_value_str(a, value));
	}
	*ret = tags;
	return 0;
}
