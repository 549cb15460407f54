/* modules/git_dir.h - where git's own files of a working copy are: in its .git, or in a folder that a file of
 * that name tells of. */
#pragma once
#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/error.h"

/* *ret: the folder, whether it is there or not; HF_E_TASK where a .git file names none. */
HF_CHECK int hf_git_dir_find(
	struct hf_arena *a, const char *dest, bool bare, const char **ret, struct hf_error *err);
/* The folder to another place, which may be on another file system, and dest's .git names it. */
HF_CHECK int hf_git_dir_move(
	struct hf_arena *a, const char *dest, const char *from, const char *to, struct hf_error *err);
/* As it was: the files are back in before; where that is NULL there were none. */
HF_CHECK int hf_git_dir_restore(
	struct hf_arena *a, const char *dest, const char *before, const char *now, struct hf_error *err);
