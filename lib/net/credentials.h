/* lib/net/credentials.h - whose name requests to AWS are signed in, and in which region.
 * Order: environment, profile (static keys, or a role through its source), web identity token, container,
 * instance role (IMDSv2). The first that is configured is used; if it fails, that is the error: nobody is
 * helped by a request under another identity. Refreshed ahead of expiry; while a refresh fails the old ones
 * are used as long as they hold. Blocks: a refresh makes requests on a client of its own, under short
 * deadlines. Opens no file by itself: the environment and the files come through struct hf_aws_io, so a
 * process that may not open files can hand their text in. Not thread-safe. */
#pragma once
#include "lib/net/sigv4.h"

enum {
	HF_AWS_FILE_MAX = 1 << 20,
	HF_AWS_PROFILE_DEPTH_MAX = 5,
	HF_AWS_REFRESH_S = 300, /* this long before expiry new ones are fetched */
};

/* Where configuration comes from. read: HF_E_NOT_FOUND when there is no such file. */
struct hf_aws_io {
	const char *(*env)(void *data, const char *name); /* NULL or "" when unset */
	int (*read)(
		void *data, struct hf_arena *a, const char *path, struct hf_str *ret, struct hf_error *err);
	void *data;
	struct hf_str ca_pem; /* for HTTPS, see hf_http_options */
};
extern const struct hf_aws_io hf_aws_io_process; /* getenv() and the files themselves */

struct hf_credentials;
/* io is copied. Touches nothing yet. */
struct hf_credentials *hf_credentials_new(const struct hf_aws_io *io) HF_RETURNS_NONNULL;
struct hf_credentials *hf_credentials_fixed(const struct hf_aws_key *key) HF_RETURNS_NONNULL;
struct hf_credentials *hf_credentials_free(struct hf_credentials *c); /* accepts NULL; returns NULL */
static inline void hf_credentials_close(struct hf_credentials **c)
{
	*c = hf_credentials_free(*c);
}
#define hf_auto_credentials HF_CLEANUP(hf_credentials_close) struct hf_credentials *

/* The text of *ret holds until the next call. HF_E_DENIED when no source is configured: the error names all.
 */
HF_CHECK int hf_credentials_get(struct hf_credentials *c, struct hf_aws_key *ret, struct hf_error *err);
/* The server called them expired: fetch anew at the next call. False when they cannot change. */
bool hf_credentials_drop(struct hf_credentials *c);
const char *hf_credentials_source(const struct hf_credentials *c); /* "environment", "profile prod", … */
int64_t hf_credentials_expires(const struct hf_credentials *c);    /* seconds since the epoch; 0: never */

/* AWS_REGION, AWS_DEFAULT_REGION, the profile's region, the instance's. */
HF_CHECK int hf_aws_region(
	struct hf_arena *a, const struct hf_aws_io *io, const char **ret, struct hf_error *err);
/* Value of key in the chosen profile (AWS_PROFILE or "default"); NULL when unset. */
HF_CHECK int hf_aws_profile_get(struct hf_arena *a, const struct hf_aws_io *io, const char *profile,
	const char *key, const char **ret, struct hf_error *err);
