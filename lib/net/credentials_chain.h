/* lib/net/credentials_chain.h - the sources credentials come from, each in its own function. Internal to
 * lib/net. */
#pragma once
#include "lib/net/aws.h"
#include "lib/net/imds.h"

struct found {
	struct hf_aws_key key;
	int64_t expires;    /* 0: never */
	const char *source; /* NULL: this source is not configured */
};

struct hf_credentials {
	struct hf_arena *arena;
	struct hf_aws_io io;
	bool fixed;
	struct hf_arena *generation; /* holds present */
	struct found present;
	int64_t not_before;   /* no refresh ahead of expiry until then */
	struct hf_http *http; /* own client, blocking */
	struct hf_imds *imds;
	char no_instance[256]; /* why the instance gave none, for the last error */
};

/* Each fills *ret in arena a, or leaves source NULL. */
HF_CHECK int source_environment(
	struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err);
HF_CHECK int source_profile(
	struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err);
HF_CHECK int source_web_identity(
	struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err);
HF_CHECK int source_container(
	struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err);
HF_CHECK int source_instance(
	struct hf_credentials *c, struct hf_arena *a, struct found *ret, struct hf_error *err);

struct role {
	const char *arn, *session, *external_id, *token_file, *region;
	int64_t seconds; /* 0: an hour */
};
/* STS AssumeRole under key, or AssumeRoleWithWebIdentity with the token in role->token_file when key is NULL.
 */
HF_CHECK int role_assume(struct hf_credentials *c, struct hf_arena *a, const struct role *role,
	const struct hf_aws_key *key, struct found *ret, struct hf_error *err);
HF_CHECK int credentials_client(struct hf_credentials *c, struct hf_http **ret, struct hf_error *err);
const char *io_env(const struct hf_aws_io *io, const char *name); /* "" is NULL */
