#include "lib/net/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/net/credentials_chain.h"

enum { RETRY_AFTER_S = 30 };

/* --- the process's own environment and files --- */

static const char *process_env(void *data, const char *name)
{
	return getenv(name);
}

static int process_read(
	void *data, struct hf_arena *a, const char *path, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return hf_fail_errno(
			err, errno == ENOENT || errno == ENOTDIR ? HF_E_NOT_FOUND : HF_E_IO, "open %s", path);
	if (hf_fs_read_fd(a, fd, HF_AWS_FILE_MAX, ret, err) < 0)
		return hf_wrap(err, "%s", path);
	return 0;
}

const struct hf_aws_io hf_aws_io_process = { process_env, process_read, NULL, { NULL, 0 } };

const char *io_env(const struct hf_aws_io *io, const char *name)
{
	const char *value = io->env(io->data, name);
	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* --- life --- */

struct hf_credentials *hf_credentials_new(const struct hf_aws_io *io)
{
	struct hf_arena *arena = hf_arena_new();
	struct hf_credentials *c = hf_new(arena, struct hf_credentials);
	c->arena = arena;
	c->io = *io;
	return c;
}

struct hf_credentials *hf_credentials_fixed(const struct hf_aws_key *key)
{
	struct hf_credentials *c = hf_credentials_new(&hf_aws_io_process);
	c->fixed = true;
	c->present = (struct found){ { hf_strdup(c->arena, key->access), hf_strdup(c->arena, key->secret),
					     hf_strdup(c->arena, key->token) },
		0, "given" };
	return c;
}

struct hf_credentials *hf_credentials_free(struct hf_credentials *c)
{
	if (c != NULL) {
		hf_imds_free(c->imds);
		hf_http_free(c->http);
		hf_arena_free(c->generation);
		hf_arena_free(c->arena);
	}
	return NULL;
}

int credentials_client(struct hf_credentials *c, struct hf_http **ret, struct hf_error *err)
{
	int rc = c->http == NULL ? hf_aws_http_new(&c->io, NULL, &c->http, err) : 0;
	*ret = c->http;
	return rc;
}

/* --- the chain --- */

int source_environment(struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err)
{
	const char *access = io_env(&c->io, "AWS_ACCESS_KEY_ID");
	const char *secret = io_env(&c->io, "AWS_SECRET_ACCESS_KEY");
	if (access == NULL && secret == NULL)
		return 0;
	if (access == NULL || secret == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "%s is set, but %s is not",
			access == NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
			access == NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY");
	*ret = (struct found){ { hf_strdup(a, access), hf_strdup(a, secret),
				       hf_strdup(a, io_env(&c->io, "AWS_SESSION_TOKEN")) },
		0, "environment" };
	return 0;
}

static int chain_run(struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err)
{
	static int (*const sources[])(struct hf_credentials *, struct hf_arena *, struct found *,
		struct hf_error *) = { source_environment, source_profile, source_web_identity,
		source_container, source_instance };
	for (size_t i = 0; i < HF_COUNT(sources); i++) {
		struct found found = { 0 };
		int rc = sources[i](c, a, &found, err);
		if (rc < 0)
			return rc;
		if (found.source != NULL) {
			*ret = found;
			return 0;
		}
	}
	return hf_fail(err, HF_E_DENIED,
		"no AWS credentials: none in the environment (AWS_ACCESS_KEY_ID …), none in a profile, no "
		"web identity, "
		"no container role, no instance role%s%s",
		c->no_instance[0] == '\0' ? "" : ": ", c->no_instance);
}

static bool still_good(const struct hf_credentials *c, int64_t now)
{
	if (c->present.source == NULL)
		return false;
	return c->present.expires == 0 || now < c->present.expires - HF_AWS_REFRESH_S ||
	       (now < c->present.expires && now < c->not_before);
}

int hf_credentials_get(struct hf_credentials *c, struct hf_aws_key *ret, struct hf_error *err)
{
	int64_t now = hf_time_now();
	if (!c->fixed && !still_good(c, now)) {
		hf_auto_arena fresh = hf_arena_new();
		struct found found = { 0 };
		struct hf_error failure = { 0 };
		int rc = chain_run(c, fresh, &found, &failure);
		c->not_before = now + RETRY_AFTER_S;
		if (rc == 0) {
			hf_arena_free(c->generation);
			c->generation = hf_take_arena(&fresh);
			c->present = found;
		} else if (c->present.source == NULL || now >= c->present.expires) {
			if (err != NULL)
				*err = failure;
			return hf_wrap(err, "credentials");
		}
	}
	*ret = c->present.key;
	return 0;
}

bool hf_credentials_drop(struct hf_credentials *c)
{
	if (c->fixed || c->present.source == NULL || c->present.expires == 0)
		return false;
	c->present.source = NULL;
	return true;
}

const char *hf_credentials_source(const struct hf_credentials *c)
{
	return c->present.source;
}

int64_t hf_credentials_expires(const struct hf_credentials *c)
{
	return c->present.expires;
}

/* --- region --- */

int hf_aws_region(struct hf_arena *a, const struct hf_aws_io *io, const char **ret, struct hf_error *err)
{
	static const char *const names[] = { "AWS_REGION", "AWS_DEFAULT_REGION" };
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		const char *value = io_env(io, names[i]);
		if (value != NULL) {
			*ret = hf_strdup(a, value);
			return 0;
		}
	}
	const char *region = NULL;
	if (hf_aws_profile_get(a, io, NULL, "region", &region, err) < 0)
		return hf_wrap(err, "region");
	if (region != NULL) {
		*ret = region;
		return 0;
	}
	hf_auto_imds imds = NULL;
	struct hf_str text;
	struct hf_error why = { 0 };
	if (hf_imds_new(io, &imds, &why) < 0 ||
		hf_imds_get(imds, a, "meta-data/placement/region", &text, &why) < 0)
		return hf_fail(err, HF_E_ARGUMENT,
			"no AWS region: none in AWS_REGION, AWS_DEFAULT_REGION or the profile, and %s",
			why.text);
	*ret = hf_str_dup(a, hf_str_trim(text));
	return 0;
}
