/* cli/bootstrap.h - archives for new machines: the bundle in the store, user data packed small. */
#pragma once
#include "cli/command.h"
#include "lib/base/str.h"

enum { BOOTSTRAP_BUNDLE_MAX = 300 << 20, BOOTSTRAP_MEMBERS_MAX = 8 };
struct bootstrap_member {
	const char *name;
	struct hf_str data;
	unsigned mode;
};
/* A tar of the members, or the one member as gzip. */
HF_CHECK int bootstrap_pack(struct hf_arena *a, const struct bootstrap_member *members, size_t n, bool gzip,
	struct hf_str *ret, struct hf_error *err);
