/* Credentials that somebody else hands out for a while: STS, a container's agent, the instance's metadata. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/net/credentials_chain.h"
#include "lib/net/xml.h"

enum { REMOTE_DEADLINE_MS = 15000, ROLE_SECONDS = 3600, CONTAINER_DEADLINE_MS = 5000 };

static void form_add(struct hf_buf *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	hf_buf_printf(out, "&%s=", name);
	hf_uri_encode(out, hf_str(value), false);
}

static int sts_read(
	struct hf_arena *a, struct hf_str body, const char *action, struct found *ret, struct hf_error *err)
{
	struct hf_xml *root;
	if (hf_xml_parse(a, body, "answer of STS", &root, err) < 0)
		return -HF_E_PARSE;
	const struct hf_xml *node = hf_xml_find(root, hf_sprintf(a, "%sResult/Credentials", action));
	struct found out = {
		{ hf_xml_text(node, "AccessKeyId", NULL), hf_xml_text(node, "SecretAccessKey", NULL),
			hf_xml_text(node, "SessionToken", NULL) },
		0,
		"role",
	};
	const char *expires = hf_xml_text(node, "Expiration", "");
	if (out.key.access == NULL || out.key.secret == NULL || out.key.token == NULL ||
		!hf_time_parse(hf_str(expires), &out.expires))
		return hf_fail(err, HF_E_PARSE, "STS %s: the answer holds no credentials", action);
	*ret = out;
	return 0;
}

static int sts_call(struct hf_credentials *c, struct hf_arena *a, const struct role *role, struct hf_str body,
	const struct hf_aws_key *key, struct hf_aws_answer *ret, struct hf_error *err)
{
	static const struct hf_http_header type = { "content-type",
		"application/x-www-form-urlencoded; charset=utf-8" };
	struct hf_http *http;
	struct hf_aws_endpoint endpoint;
	const char *region = role->region;
	if (region == NULL)
		region = io_env(&c->io, "AWS_REGION");
	if (region == NULL)
		region = io_env(&c->io, "AWS_DEFAULT_REGION");
	if (region == NULL && hf_aws_profile_get(a, &c->io, NULL, "region", &region, err) < 0)
		return err == NULL ? -HF_E_IO : -(int)err->code;
	if (region == NULL)
		region = "us-east-1";
	int rc = hf_aws_endpoint(a, &c->io, "sts", NULL, region, &endpoint, err);
	if (rc < 0)
		return rc;
	rc = credentials_client(c, &http, err);
	if (rc < 0)
		return rc;
	hf_auto_credentials fixed = key == NULL ? NULL : hf_credentials_fixed(key);
	struct hf_aws aws = { http, fixed, 0 };
	const struct hf_aws_call call = {
		.service = "sts",
		.region = endpoint.region,
		.endpoint = endpoint.base,
		.method = "POST",
		.headers = &type,
		.n_headers = 1,
		.body = body,
		.deadline_ms = REMOTE_DEADLINE_MS,
	};
	rc = hf_aws_fetch(&aws, a, &call, ret, err);
	return rc < 0 ? rc : hf_aws_expect(ret, err);
}

int role_assume(struct hf_credentials *c, struct hf_arena *a, const struct role *role,
	const struct hf_aws_key *key, struct found *ret, struct hf_error *err)
{
	const char *action = key == NULL ? "AssumeRoleWithWebIdentity" : "AssumeRole";
	const char *session = role->session;
	if (session == NULL)
		session = io_env(&c->io, "AWS_ROLE_SESSION_NAME");
	if (session == NULL)
		session = hf_sprintf(a, "holdfast-%lld", (long long)hf_time_now());
	hf_auto_buf body = hf_buf_init(HF_AWS_FILE_MAX);
	hf_buf_printf(&body, "Action=%s&Version=2011-06-15", action);
	form_add(&body, "RoleArn", role->arn);
	form_add(&body, "RoleSessionName", session);
	form_add(&body, "ExternalId", role->external_id);
	hf_buf_printf(&body, "&DurationSeconds=%lld",
		(long long)(role->seconds > 0 ? role->seconds : ROLE_SECONDS));
	if (key == NULL) {
		struct hf_str token;
		int rc = c->io.read(c->io.data, a, role->token_file, &token, err);
		if (rc < 0)
			return hf_wrap(err, "web identity token");
		form_add(&body, "WebIdentityToken", hf_str_dup(a, hf_str_trim(token)));
	}
	if (hf_buf_check(&body, "the request to STS", err) < 0)
		return -HF_E_LIMIT;
	struct hf_aws_answer answer;
	int rc = sts_call(c, a, role, hf_buf_str(&body), key, &answer, err);
	if (rc < 0)
		return hf_wrap(err, "assume role %s", role->arn);
	return sts_read(a, answer.http->body, action, ret, err);
}

int source_web_identity(struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err)
{
	const struct role role = { .arn = io_env(&c->io, "AWS_ROLE_ARN"),
		.token_file = io_env(&c->io, "AWS_WEB_IDENTITY_TOKEN_FILE") };
	if (role.token_file == NULL)
		return 0;
	if (role.arn == NULL)
		return hf_fail(
			err, HF_E_ARGUMENT, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
	int rc = role_assume(c, a, &role, NULL, ret, err);
	if (rc == 0)
		ret->source = hf_sprintf(a, "web identity (role %s)", role.arn);
	return rc;
}

/* The JSON that containers' agents and instances answer with. */
static int json_read(
	struct hf_arena *a, struct hf_str body, const char *what, struct found *ret, struct hf_error *err)
{
	struct hf_value *v;
	if (hf_json_parse(a, body, what, &v, err) < 0)
		return -HF_E_PARSE;
	if (!hf_is(v, HF_DICT))
		return hf_fail(err, HF_E_PARSE, "%s is not a JSON object", what);
	const char *code = hf_dict_cstr(v, "Code", "Success");
	if (strcmp(code, "Success") != 0)
		return hf_fail(err, HF_E_DENIED, "%s: %s: %s", what, code,
			hf_dict_cstr(v, "Message", "no reason given"));
	struct found out = {
		{ hf_dict_cstr(v, "AccessKeyId", NULL), hf_dict_cstr(v, "SecretAccessKey", NULL),
			hf_dict_cstr(v, "Token", NULL) },
		0,
		what,
	};
	const char *expires = hf_dict_cstr(v, "Expiration", NULL);
	if (out.key.access == NULL || out.key.secret == NULL)
		return hf_fail(err, HF_E_PARSE, "%s holds no credentials", what);
	if (expires != NULL && !hf_time_parse(hf_str(expires), &out.expires))
		return hf_fail(err, HF_E_PARSE, "%s: \"%s\" is not a time", what, expires);
	*ret = out;
	return 0;
}

/* Keys go over the wire: only over TLS, or to addresses that never leave the host. */
static bool container_url_safe(const char *url)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]", "169.254.170.2",
		"169.254.170.23", "[fd00:ec2::23]" };
	if (strncmp(url, "https://", 8) == 0)
		return true;
	if (strncmp(url, "http://", 7) != 0)
		return false;
	for (size_t i = 0; i < HF_COUNT(hosts); i++) {
		size_t n = strlen(hosts[i]);
		if (strncmp(url + 7, hosts[i], n) == 0 && strchr("/:?", url[7 + n]) != NULL)
			return true;
	}
	return false;
}

static int container_token(
	struct hf_credentials *c, struct hf_arena *a, const char **ret, struct hf_error *err)
{
	const char *file = io_env(&c->io, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	struct hf_str text;
	*ret = io_env(&c->io, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
	if (file == NULL)
		return 0;
	int rc = c->io.read(c->io.data, a, file, &text, err);
	if (rc == 0)
		*ret = hf_str_dup(a, hf_str_trim(text));
	return rc;
}

int source_container(struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err)
{
	const char *relative = io_env(&c->io, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), *token;
	const char *url = relative != NULL ? hf_sprintf(a, "http://169.254.170.2%s", relative)
					   : io_env(&c->io, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct hf_http *http;
	struct hf_http_response r;
	if (url == NULL)
		return 0;
	if (!container_url_safe(url))
		return hf_fail(err, HF_E_ARGUMENT,
			"AWS_CONTAINER_CREDENTIALS_FULL_URI: %s is neither https nor an address of this host",
			url);
	int rc = container_token(c, a, &token, err);
	if (rc < 0)
		return hf_wrap(err, "container credentials");
	rc = credentials_client(c, &http, err);
	if (rc < 0)
		return rc;
	const struct hf_http_header header = { "Authorization", token };
	const struct hf_http_request request = {
		.url = url,
		.headers = &header,
		.n_headers = token == NULL ? 0 : 1,
		.max_body = HF_IMDS_BODY_MAX,
		.deadline_ms = CONTAINER_DEADLINE_MS,
		.attempt_ms = CONTAINER_DEADLINE_MS / 2,
		.direct = true,
	};
	rc = hf_http_fetch(http, a, &request, &r, err);
	if (rc == 0)
		rc = hf_http_expect(&r, NULL, err);
	if (rc < 0)
		return hf_wrap(err, "container credentials");
	return json_read(a, r.body, "container credentials", ret, err);
}

int source_instance(struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err)
{
	struct hf_error why = { 0 };
	struct hf_str roles, role, body;
	int rc = c->imds == NULL ? hf_imds_new(&c->io, &c->imds, &why) : 0;
	if (rc == 0)
		rc = hf_imds_get(c->imds, a, "meta-data/iam/security-credentials/", &roles, &why);
	if (rc < 0) { /* not on EC2, or no role: this source is not configured */
		snprintf(c->no_instance, sizeof(c->no_instance), "%.*s", (int)sizeof(c->no_instance) - 1,
			why.text);
		return 0;
	}
	if (!hf_str_split(&roles, '\n', &role) || hf_str_trim(role).n == 0)
		return 0;
	role = hf_str_trim(role);
	const char *path =
		hf_sprintf(a, "meta-data/iam/security-credentials/%s", hf_uri_encode_dup(a, role, false));
	rc = hf_imds_get(c->imds, a, path, &body, err);
	if (rc < 0)
		return rc;
	rc = json_read(a, body, "instance role", ret, err);
	if (rc == 0)
		ret->source = hf_sprintf(a, "instance role %.*s", HF_STR_ARG(role));
	return rc;
}
