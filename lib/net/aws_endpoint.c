/* Where AWS's services answer. */
#include "lib/net/aws.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/scope.h"

/* One host for the whole partition, signed for one region. */
static const struct {
	const char *service, *host, *region;
} globals[] = {
	{ "iam", "iam.amazonaws.com", "us-east-1" },
	{ "route53", "route53.amazonaws.com", "us-east-1" },
	{ "cloudfront", "cloudfront.amazonaws.com", "us-east-1" },
	{ "budgets", "budgets.amazonaws.com", "us-east-1" },
};

static const char *env(const struct hf_aws_io *io, const char *name)
{
	const char *value = io->env(io->data, name);
	return value == NULL || value[0] == '\0' ? NULL : value;
}

static bool is_true(const char *value)
{
	return value != NULL && strcasecmp(value, "true") == 0;
}

static int configured(struct hf_arena *a, const struct hf_aws_io *io, const char *service, const char **ret,
	struct hf_error *err)
{
	*ret = NULL;
	if (is_true(env(io, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")))
		return 0;
	char *name = hf_sprintf(a, "AWS_ENDPOINT_URL_%s", service);
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
	*ret = env(io, name);
	if (*ret == NULL)
		*ret = env(io, "AWS_ENDPOINT_URL");
	if (*ret != NULL)
		return 0;
	return hf_aws_profile_get(a, io, NULL, "endpoint_url", ret, err);
}

/* A region is part of a host name we sign for: nothing else gets in. */
static bool region_valid(const char *region)
{
	size_t n = strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return n > 0 && n < 64 && region[n] == '\0';
}

static int endpoint_custom(
	struct hf_arena *a, const char *service, const char *url, const char **ret, struct hf_error *err)
{
	struct hf_str base = hf_str(url);
	if (!hf_str_starts(base, "http://") && !hf_str_starts(base, "https://"))
		return hf_fail(
			err, HF_E_ARGUMENT, "endpoint of %s: \"%s\" is not an http(s) URL", service, url);
	while (base.n > 0 && base.p[base.n - 1] == '/')
		base.n--;
	*ret = hf_str_dup(a, base);
	return 0;
}

int hf_aws_endpoint(struct hf_arena *a, const struct hf_aws_io *io, const char *service, const char *prefix,
	const char *region, struct hf_aws_endpoint *ret, struct hf_error *err)
{
	struct hf_aws_endpoint out = { .region = region };
	const char *url;
	bool china = strncmp(region, "cn-", 3) == 0;
	if (!region_valid(region))
		return hf_fail(err, HF_E_ARGUMENT, "\"%s\" is not the name of a region", region);
	if (configured(a, io, service, &url, err) < 0)
		return hf_wrap(err, "endpoint of %s", service);
	out.base = hf_sprintf(a, "https://%s.%s.amazonaws.com%s", prefix == NULL ? service : prefix, region,
		china ? ".cn" : "");
	for (size_t i = 0; !china && i < HF_COUNT(globals); i++) {
		if (strcmp(globals[i].service, service) != 0)
			continue;
		out.region = globals[i].region;
		out.base = hf_sprintf(a, "https://%s", globals[i].host);
	}
	out.custom = url != NULL;
	if (!out.custom &&
		(is_true(env(io, "AWS_USE_FIPS_ENDPOINT")) || is_true(env(io, "AWS_USE_DUALSTACK_ENDPOINT"))))
		return hf_fail(err, HF_E_UNSUPPORTED,
			"endpoint of %s: FIPS and dual-stack names are not known; set AWS_ENDPOINT_URL_…",
			service);
	if (out.custom && endpoint_custom(a, service, url, &out.base, err) < 0)
		return -HF_E_ARGUMENT;
	*ret = out;
	return 0;
}

int hf_aws_http_new(const struct hf_aws_io *io, const struct hf_http_options *options, struct hf_http **ret,
	struct hf_error *err)
{
	struct hf_http_options mine = { 0 };
	hf_auto_arena scratch = hf_arena_new();
	const char *bundle = env(io, "AWS_CA_BUNDLE");
	if (options != NULL)
		mine = *options;
	mine.ca_pem = io->ca_pem;
	if (mine.ca_pem.n == 0 && bundle != NULL) {
		int rc = io->read(io->data, scratch, bundle, &mine.ca_pem, err);
		if (rc < 0)
			return hf_wrap(err, "AWS_CA_BUNDLE");
	}
	return hf_http_new(&mine, ret, err);
}
