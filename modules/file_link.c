#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/file_work.h"

static int link_refuse(struct hf_file_work *w, const char *message)
{
	if (w->src != NULL)
		hf_result_cstr(w->c, w->change, "path", w->path);
	return hf_fail(w->err, HF_E_TASK, "%s", message);
}

static bool directory_empty(const char *path)
{
	hf_auto_dir dir = opendir(path);
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			return false;
	return true;
}

/* Why a link may not be made here, NULL when it may. */
static const char *link_conflict(struct hf_file_work *w)
{
	struct hf_arena *a = hf_task_arena(w->c);
	bool force = w->p->force == HF_YES, dir = strcmp(w->before, "directory") == 0;
	if (w->src != NULL && !force) {
		const char *base = dir ? w->path : hf_path_dir(a, w->path);
		const char *target = hf_path_join(a, base, w->src);
		if (!hf_fs_exists(target)) {
			hf_result_cstr(w->c, w->change, "src", w->src);
			return hf_sprintf(a,
				"src file does not exist, use \"force=yes\" if you really want to create "
				"the link: %s",
				target);
		}
	}
	if (dir && force && !directory_empty(w->path))
		return hf_sprintf(a, "the directory %s is not empty, refusing to convert it", w->path);
	bool plain = strcmp(w->before, "file") == 0 || strcmp(w->before, "hard") == 0;
	if ((dir || plain) && !force)
		return hf_sprintf(a, "refusing to convert from %s to symlink for %s", w->before, w->path);
	if (w->src == NULL && strcmp(w->before, "link") != 0)
		return "src is required for creating new symlinks";
	return NULL;
}

/* Put a new link (symbolic, or another name of src) where path is, in one step. */
static int link_place(struct hf_file_work *w, bool hard)
{
	struct hf_arena *a = hf_task_arena(w->c);
	bool absent = strcmp(w->before, "absent") == 0;
	const char *at =
		absent ? w->path
		       : hf_sprintf(a, "%s/.hf-%ld.link.tmp", hf_path_dir(a, w->path), (long)getpid());
	int done = 0;
	if (!absent && strcmp(w->before, "directory") == 0)
		done = rmdir(w->path);
	if (done == 0)
		done = hard ? linkat(AT_FDCWD, w->src, AT_FDCWD, at, AT_SYMLINK_FOLLOW) : symlink(w->src, at);
	if (done == 0 && !absent)
		done = rename(at, w->path);
	if (done == 0) {
		struct stat st;
		/* rename(2) does nothing when both are names of one file; the temporary name must go all the
		 * same */
		if (!absent && lstat(at, &st) == 0)
			unlink(at);
		return 0;
	}
	int errnum = errno;
	if (!absent)
		unlink(at);
	hf_result_cstr(w->c, w->change, "path", w->path);
	return hf_fail(w->err, HF_E_TASK, "Error while %s: [Errno %d] %s: b'%s' -> b'%s'",
		absent ? "linking" : "replacing", errnum, strerror(errnum), w->src, at);
}

static void diff_src(struct hf_file_work *w, const char *old)
{
	struct hf_arena *a = hf_task_arena(w->c);
	if (w->diff.before == NULL)
		return;
	hf_dict_put(w->diff.before, "src", hf_value_cstr(a, old));
	hf_dict_put(w->diff.after, "src", hf_value_cstr(a, w->src));
}

static void link_report(struct hf_file_work *w)
{
	struct hf_arena *a = hf_task_arena(w->c);
	hf_result_cstr(w->c, w->change, "dest", w->path);
	hf_result_put(w->c, w->change, "src", w->src != NULL ? hf_value_cstr(a, w->src) : hf_value_null(a));
}

static const char *link_target(struct hf_file_work *w)
{
	char target[PATH_MAX];
	ssize_t n = readlink(w->path, target, sizeof(target) - 1);
	return n < 0 ? NULL : hf_strndup(hf_task_arena(w->c), target, (size_t)n);
}

static int link_attributes(struct hf_file_work *w)
{
	bool leads = hf_fs_exists(w->path);
	if (!w->touch && !leads)
		return 0;
	bool timed = w->mtime.kind != FILE_TIME_KEEP || w->atime.kind != FILE_TIME_KEEP;
	if (leads && !timed && !hf_file_attr_asks(&w->p->attr))
		return 0;
	const char *at = hf_file_work_followed(w, w->path);
	if (at != w->path && !leads) {
		hf_task_warn(w->c,
			"Cannot set fs attributes on a non-existent symlink target. follow should be set to "
			"False to avoid this.");
		return 0;
	}
	return hf_file_work_attributes(w, at);
}

int hf_file_work_link(struct hf_file_work *w)
{
	const char *old = link_target(w);
	if (w->src == NULL && w->p->follow == HF_YES && hf_fs_exists(w->path))
		w->src = old;
	const char *conflict = link_conflict(w);
	if (conflict != NULL)
		return link_refuse(w, conflict);
	if (strcmp(w->before, "link") != 0) {
		w->changed = true;
	} else if (w->src != NULL && old != NULL && strcmp(old, w->src) != 0) {
		diff_src(w, old);
		w->changed = true;
	}
	int result = w->changed && w->touch ? link_place(w, false) : 0;
	if (result < 0)
		return result;
	link_report(w);
	return link_attributes(w);
}

/* Whether path must become another name of src, or why it may not. */
static const char *hard_conflict(struct hf_file_work *w)
{
	struct stat mine, other;
	bool force = w->p->force == HF_YES;
	if (w->src != NULL && stat(w->src, &other) < 0)
		return "src does not exist";
	if (strcmp(w->before, "link") == 0) {
		const char *old = link_target(w);
		w->changed = old == NULL || strcmp(old, w->src) != 0;
		if (w->changed && old != NULL)
			diff_src(w, old);
		return NULL;
	}
	if (strcmp(w->before, "hard") == 0) {
		w->changed = w->src != NULL && (stat(w->path, &mine) < 0 || mine.st_ino != other.st_ino);
		return w->changed && !force ? "Cannot link, different hard link exists at destination" : NULL;
	}
	w->changed = true;
	if (force || strcmp(w->before, "absent") == 0)
		return NULL;
	return strcmp(w->before, "file") == 0 ? "Cannot link, file exists at destination"
					      : "Cannot link: different hard link exists at destination";
}

int hf_file_work_hard(struct hf_file_work *w)
{
	if (strcmp(w->before, "hard") != 0 && w->src == NULL)
		return hf_fail(w->err, HF_E_TASK, "src is required for creating new hardlinks");
	const char *conflict = hard_conflict(w);
	if (conflict != NULL) {
		link_report(w);
		return hf_fail(w->err, HF_E_TASK, "%s", conflict);
	}
	int result = w->changed && w->touch ? link_place(w, true) : 0;
	if (result < 0)
		return result;
	link_report(w);
	if (!w->touch && !hf_fs_exists(w->path))
		return 0;
	return hf_file_work_attributes(w, hf_file_work_followed(w, w->path));
}
