/* What bootstrap texts have in common: their options, and the script in the middle of each. */
#include <stdlib.h>
#include <string.h>

#include "cli/bootstrap.h"
#include "cli/bootstrap_text.inc"
#include "lib/base/digest.h"
#include "lib/base/scope.h"

const char *const bootstrap_install = text_install;

static const char *option_or_set(const struct cli_call *call, const char *option, const char *variable)
{
	const char *set = getenv(variable);
	return cli_value(call, option, set == NULL || *set == '\0' ? NULL : set);
}

/* Whatever goes into the script is made of characters that need no quoting in a shell, a URL or a signature.
 */
static int plain(const char *what, const char *text, const char *others, struct hf_error *err)
{
	bool good = text != NULL && *text != '\0';
	for (const char *at = text; good && *at != '\0'; at++)
		good = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
		       (*at >= '0' && *at <= '9') || strchr(others, *at) != NULL;
	if (text == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "--%s is required", what);
	if (!good)
		return hf_fail(err, HF_E_ARGUMENT, "--%s \"%s\" may have letters, digits and \"%s\"", what,
			text, others);
	return 0;
}

static int hash_check(const char *text, struct hf_error *err)
{
	struct hf_digest d;
	if (text == NULL)
		return hf_fail(err, HF_E_ARGUMENT,
			"--bundle is required: the hash that `holdfast bootstrap bundle` printed");
	if (!hf_digest_parse(hf_str(text), &d))
		return hf_fail(err, HF_E_ARGUMENT, "--bundle \"%s\" is no SHA-256 of 64 digits", text);
	return 0;
}

/* Where the bundle lies, for a client that knows nothing of buckets. */
static int address_make(struct hf_arena *a, struct bootstrap *b, const char *endpoint, struct hf_error *err)
{
	const char *rest = b->store + strlen("s3://"), *slash = strchr(rest, '/');
	if (strncmp(b->store, "s3://", strlen("s3://")) != 0)
		return hf_fail(err, HF_E_ARGUMENT,
			"--store \"%s\": a new machine fetches from s3://bucket/prefix", b->store);
	const char *bucket = slash == NULL ? rest : hf_strndup(a, rest, (size_t)(slash - rest));
	const char *prefix = slash == NULL || slash[1] == '\0' ? "" : slash;
	size_t n = strlen(prefix);
	if (n > 0 && prefix[n - 1] == '/')
		prefix = hf_strndup(a, prefix, n - 1);
	const char *key = hf_sprintf(a, "%s/bootstrap/%s.tar", prefix, b->bundle);
	const char *domain = strncmp(b->region, "cn-", 3) == 0 ? "amazonaws.com.cn" : "amazonaws.com";
	b->object = hf_sprintf(a, "s3://%s%s", bucket, key);
	if (endpoint != NULL) {
		b->url = endpoint;
		b->path = hf_sprintf(a, "/%s%s", bucket, key);
	} else if (strchr(bucket, '.') != NULL) { /* no certificate has a wildcard of two labels */
		b->url = hf_sprintf(a, "https://s3.%s.%s", b->region, domain);
		b->path = hf_sprintf(a, "/%s%s", bucket, key);
	} else {
		b->url = hf_sprintf(a, "https://%s.s3.%s.%s", bucket, b->region, domain);
		b->path = key;
	}
	return 0;
}

int bootstrap_read(const struct cli_call *call, struct bootstrap *ret, struct hf_error *err)
{
	struct bootstrap b = { .environment = cli_value(call, "environment", NULL),
		.fleet = cli_value(call, "fleet", NULL),
		.store = option_or_set(call, "store", "HOLDFAST_STORE"),
		.region = option_or_set(call, "region", "AWS_REGION"),
		.bundle = cli_value(call, "bundle", NULL),
		.report = cli_value(call, "report", "") };
	const char *endpoint = cli_value(call, "endpoint", NULL);
	const struct {
		const char *what, *text, *others;
	} parts[] = { { "environment", b.environment, "._-" }, { "fleet", b.fleet, "._-" },
		{ "store", b.store, "._-/:" }, { "region", b.region, "-" },
		{ "endpoint", endpoint == NULL ? "none" : endpoint, "._-:/" },
		{ "report", *b.report == '\0' ? "none" : b.report, "._-:" } };
	int result = 0;
	for (size_t i = 0; i < HF_COUNT(parts) && result == 0; i++)
		result = plain(parts[i].what, parts[i].text, parts[i].others, err);
	if (result == 0)
		result = hash_check(b.bundle, err);
	if (result == 0)
		result = cli_number(call, "min-epoch", 0, INT64_MAX, 0, &b.min_epoch, err);
	if (result == 0)
		result = cli_number(call, "min-seq", 0, INT64_MAX, 0, &b.min_seq, err);
	if (result == 0)
		result = address_make(call->arena, &b, endpoint, err);
	if (result == 0)
		*ret = b;
	return result;
}

void bootstrap_script(const struct bootstrap *b, enum bootstrap_way way, struct hf_buf *out)
{
	hf_buf_printf(out, "#!/bin/sh\nH=%s\nR=%s\nU=%s\nP=%s\nE=%s/%s\n", b->bundle, b->region, b->url,
		b->path, b->environment, b->fleet);
	hf_buf_printf(out, "A='%s %s %s %lld %lld'\nB=%s\nX=%s\n", b->environment, b->fleet, b->store,
		b->min_epoch, b->min_seq, b->report, way == BOOTSTRAP_AWS_COMMAND ? b->object : "");
	hf_buf_puts(out, text_user_data);
}
