/* cli/bootstrap.h - what a new machine is given so that it becomes a host of a fleet. A bundle (package, root
 * of trust, configuration) lies in the store under its hash; the texts pin that hash and fetch it. */
#pragma once
#include "cli/command.h"
#include "lib/base/str.h"

/* What every text is about, checked: each part is fit to stand in single quotes of a shell. */
struct bootstrap {
	const char *environment, *fleet, *store, *region, *bundle;
	const char *url, *path; /* of the bundle: scheme and host, absolute path */
	const char *object;     /* s3://bucket/key of the bundle */
	const char *report;     /* host:port of a broker, or "" */
	long long min_epoch, min_seq;
};
enum bootstrap_way { BOOTSTRAP_ROLE, BOOTSTRAP_AWS_COMMAND };

HF_CHECK int bootstrap_read(const struct cli_call *call, struct bootstrap *ret, struct hf_error *err);
/* The script a machine runs as root. */
void bootstrap_script(const struct bootstrap *b, enum bootstrap_way way, struct hf_buf *out);
extern const char *const bootstrap_install; /* the bundle's own script */

enum { BOOTSTRAP_BUNDLE_MAX = 300 << 20, BOOTSTRAP_MEMBERS_MAX = 8 };
struct bootstrap_member {
	const char *name;
	struct hf_str data;
	unsigned mode;
};
/* A tar of the members, or the one member as gzip. */
HF_CHECK int bootstrap_pack(struct hf_arena *a, const struct bootstrap_member *members, size_t n, bool gzip,
	struct hf_str *ret, struct hf_error *err);
