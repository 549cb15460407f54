#include "modules/git_dir.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/proc.h"

enum { GIT_FILE_MAX = 64 << 10 };
static const char says[] = "gitdir: ";

int hf_git_dir_find(struct hf_arena *a, const char *dest, bool bare, const char **ret, struct hf_error *err)
{
	const char *path = hf_path_join(a, dest, ".git");
	struct stat st;
	struct hf_str text;
	if (bare || stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
		*ret = bare ? dest : path;
		return 0;
	}
	int result = hf_fs_read(a, path, GIT_FILE_MAX, &text, err);
	if (result < 0)
		return result;
	const char *named = hf_str_starts(text, says) ? hf_str_dup(a, hf_str_trim(text)) + strlen(says) : "";
	const char *folder = *named == '/' ? named : hf_path_join(a, dest, named);
	if (*named == '\0' || !hf_fs_is_dir(folder))
		return hf_fail(err, HF_E_TASK,
			"Current repo does not have a valid reference to a separate Git dir or it refers to "
			"the invalid path");
	*ret = folder;
	return 0;
}

static int folder_move(struct hf_arena *a, const char *from, const char *to, struct hf_error *err)
{
	const char *const argv[] = { "mv", "-T", "--", from, to, NULL };
	int result = hf_proc_output(a, argv, NULL, err);
	return result < 0 ? hf_wrap(err, "Unable to move git dir") : 0;
}

static int reference_write(
	struct hf_arena *a, const char *dest, const char *folder, const char *end, struct hf_error *err)
{
	return hf_fs_replace(hf_path_join(a, dest, ".git"),
		hf_str(hf_sprintf(a, "%s%s%s", says, folder, end)), HF_FS_KEEP, err);
}

int hf_git_dir_move(
	struct hf_arena *a, const char *dest, const char *from, const char *to, struct hf_error *err)
{
	int result = folder_move(a, from, to, err);
	return result < 0 ? result : reference_write(a, dest, to, "", err);
}

int hf_git_dir_restore(
	struct hf_arena *a, const char *dest, const char *before, const char *now, struct hf_error *err)
{
	const char *inside = hf_path_join(a, dest, ".git");
	if (!hf_fs_is_dir(now))
		return 0;
	if (before == NULL)
		return hf_fs_remove_tree(now, err);
	if (strcmp(before, inside) != 0) {
		int result = folder_move(a, now, before, err);
		return result < 0 ? result : reference_write(a, dest, before, "\n", err);
	}
	if (unlink(inside) < 0 && errno != ENOENT)
		return hf_fail_errno(err, HF_E_IO, "remove %s", inside);
	return folder_move(a, now, before, err);
}
