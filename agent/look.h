/* agent/look.h - what a watched path looks like, in two parts: what stat tells (cheap; any difference means
 * "look closer") and what counts (kind, mode, owner, content). Two looks with the same `what` are the same to
 * a playbook. */
#pragma once
#include <stdbool.h>

#include "lib/base/error.h"

enum { HF_LOOK_MAX = 256 };
struct hf_look {
	char stat[HF_LOOK_MAX];
	char what[HF_LOOK_MAX]; /* "" when only stat was asked for */
};
/* What stat tells of all of them, the absent ones too, as one text. NULL ends the list. */
void hf_look_stats(const char *const *paths, char out[HF_LOOK_MAX]);
/* tree: everything below as well. A path that cannot be read looks like the reason. */
void hf_look_take(const char *path, bool tree, bool content, struct hf_look *ret);

/* For many paths in order of name: what lies in one folder is looked up from there, not from the root. Start
 * with { .fd = -1 }. */
struct hf_look_folder {
	char path[HF_LOOK_MAX];
	size_t n;
	int fd;
};
void hf_look_take_below(
	struct hf_look_folder *folder, const char *path, bool tree, bool content, struct hf_look *ret);
void hf_look_folder_done(struct hf_look_folder *folder);
