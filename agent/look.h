/* agent/look.h - what a watched path looks like, in two parts: what stat tells (cheap; any difference means
 * "look closer") and what counts (kind, mode, owner, content). Two looks with the same `what` are the same to
 * a playbook. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

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
/* hf_look.stat of what lstat told, or that it failed. */
void hf_look_of(int failed, const struct stat *st, char out[HF_LOOK_MAX]);
/* The fields that hf_look.stat is made of, in 64 bits. */
uint64_t hf_look_print(const struct stat *st);
/* Whether that `what` is one of a tree. */
bool hf_look_is_tree(const char *what);
