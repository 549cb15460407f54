/* lib/release/ignore.h - the patterns of .holdfastignore, read as git reads .gitignore. */
#pragma once
#include <stdbool.h>

#include "lib/base/str.h"

struct hf_ignore; /* opaque: its fields are in ignore.c */
enum { HF_IGNORE_PATTERNS_MAX = 10000 };
HF_CHECK int hf_ignore_parse(
	struct hf_arena *a, struct hf_str text, struct hf_ignore **ret, struct hf_error *err);
/* The last pattern that matches decides. What lies in an ignored folder is not asked for. ignore may be NULL.
 */
bool hf_ignore_match(const struct hf_ignore *ignore, const char *path, bool is_folder);
/* One pattern against one path: "*" and "?" stop at slashes, "**" does not, "[a-z]" and "[!a-z]" are sets. */
bool hf_ignore_glob(const char *pattern, const char *path);
