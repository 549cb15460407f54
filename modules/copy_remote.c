#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/copy_work.h"
#include "modules/file_content.h"

static int entry_owner(struct hf_copy_work *w, const char *path)
{
	struct hf_file_attr attr = { .owner = w->p->attr.owner, .group = w->p->attr.group };
	bool changed = false;
	int result = hf_file_attr_sync(w->c, w->change, path, &attr, NULL, w->touch, &changed, w->err);
	if (result == 0 && changed) {
		w->changed = true;
		hf_copy_work_touches(w, path);
	}
	return result;
}

static int owner_visit(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	return entry_owner(data, path);
}

static int merge_file(struct hf_copy_work *w, const char *source, const char *dest, const struct stat *st)
{
	if (hf_file_content_same_file(dest, source))
		return 0;
	w->changed = true;
	hf_copy_work_touches(w, dest);
	if (!w->touch)
		return 0;
	struct hf_file_attr attr = { .mode = hf_file_mode_text(hf_task_arena(w->c), st->st_mode) };
	struct hf_file_content f = { .path = dest, .source = source, .attr = &attr, .unsynced = true };
	return hf_file_content_write(w->c, w->change, &f, w->err);
}

static int merge_link(struct hf_copy_work *w, const char *source, const char *dest)
{
	char want[PATH_MAX], have[PATH_MAX];
	ssize_t n = readlink(source, want, sizeof(want) - 1), m = readlink(dest, have, sizeof(have) - 1);
	if (n < 0)
		return hf_fail_errno(w->err, HF_E_IO, "read link %s", source);
	want[n] = '\0';
	if (m == n && memcmp(want, have, (size_t)n) == 0)
		return 0;
	w->changed = true;
	hf_copy_work_touches(w, dest);
	if (!w->touch)
		return 0;
	if ((unlink(dest) < 0 && errno != ENOENT) || symlink(want, dest) < 0)
		return hf_fail_errno(w->err, HF_E_TASK, "failed to copy: %s to %s", source, dest);
	return 0;
}

static int merge_tree(struct hf_copy_work *w, const char *source, const char *dest, unsigned depth);

static int merge_entry(struct hf_copy_work *w, const char *source, const char *dest, unsigned depth)
{
	struct stat st;
	bool follow = w->p->local_follow == HF_YES;
	if ((follow ? stat(source, &st) : lstat(source, &st)) < 0 && lstat(source, &st) < 0)
		return hf_fail_errno(w->err, HF_E_IO, "stat %s", source);
	if (S_ISLNK(st.st_mode))
		return merge_link(w, source, dest);
	if (S_ISDIR(st.st_mode))
		return merge_tree(w, source, dest, depth + 1);
	if (S_ISREG(st.st_mode))
		return merge_file(w, source, dest, &st);
	return hf_fail(
		w->err, HF_E_TASK, "failed to copy: %s to %s: not a file, directory or link", source, dest);
}

/* Make dest hold what source holds; what only dest has stays. */
static int merge_tree(struct hf_copy_work *w, const char *source, const char *dest, unsigned depth)
{
	struct hf_arena *a = hf_task_arena(w->c);
	struct stat st;
	hf_auto_dir d = opendir(source);
	if (d == NULL || fstat(dirfd(d), &st) < 0)
		return hf_fail_errno(w->err, HF_E_IO, "open directory %s", source);
	if (depth >= HF_FS_DEPTH_MAX)
		return hf_fail(
			w->err, HF_E_LIMIT, "%s: more than %d directory levels", source, HF_FS_DEPTH_MAX);
	bool made = !hf_fs_exists(dest);
	if (made) {
		w->changed = true;
		hf_copy_work_touches(w, dest);
		int result = w->touch ? hf_fs_mkdirs(dest, 0777, w->err) : 0;
		if (result < 0)
			return result;
	}
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		int result = merge_entry(
			w, hf_path_join(a, source, e->d_name), hf_path_join(a, dest, e->d_name), depth);
		if (result < 0)
			return result;
	}
	/* The top directory of a new tree keeps the mode of mkdir, as its own mode option applies to it. */
	if (made && w->touch && depth > 0 && chmod(dest, st.st_mode & 07777) < 0)
		return hf_fail_errno(w->err, HF_E_IO, "set mode of %s", dest);
	return 0;
}

/* Owner and group on everything below, what was there before included. */
static int tree_owner(struct hf_copy_work *w, const char *into)
{
	if ((w->p->attr.owner == NULL && w->p->attr.group == NULL) || !hf_fs_is_dir(into))
		return 0;
	int result = entry_owner(w, into);
	return result < 0 ? result : hf_fs_walk(into, owner_visit, w, w->err);
}

static int top_attributes(struct hf_copy_work *w, const char *source, const char *named)
{
	struct stat st;
	struct hf_copy_source top = { .path = source };
	if (stat(source, &st) == 0)
		top.mode = st.st_mode & 07777;
	struct hf_file_attr attr = hf_copy_work_attr(w, &top);
	bool changed = false;
	int result = hf_file_attr_sync(w->c, w->change, named, &attr, NULL, w->touch, &changed, w->err);
	if (changed) {
		w->changed = true;
		hf_copy_work_touches(w, named);
	}
	return result;
}

static void tree_report(struct hf_copy_work *w, const char *source, const char *dest)
{
	struct hf_arena *a = hf_task_arena(w->c);
	hf_result_cstr(w->c, w->change, "dest", dest);
	hf_result_cstr(w->c, w->change, "src", source);
	hf_result_put(w->c, w->change, "checksum", hf_value_null(a));
	hf_result_put(w->c, w->change, "md5sum", hf_value_null(a));
}

int hf_copy_remote_tree(struct hf_copy_work *w, const char *source, const char *dest)
{
	struct hf_arena *a = hf_task_arena(w->c);
	bool inside = source[strlen(source) - 1] == '/', exists = hf_fs_is_dir(dest);
	const char *top = inside ? hf_path_dir(a, source) : source;
	const char *into = inside ? dest : hf_path_join(a, dest, hf_path_base(top));
	/* dest/NAME where dest is there already; dest itself, with NAME inside, where it is new. */
	const char *named = exists && !inside ? into : dest;
	w->tree = true;
	tree_report(w, source, exists && inside ? hf_path_join(a, named, "") : named);
	if (w->p->force == HF_NO && hf_fs_exists(named)) {
		hf_result_cstr(w->c, w->change, "msg", "file already exists");
		return 0;
	}
	if (!exists && !inside)
		hf_copy_work_touches(w, dest);
	int result = merge_tree(w, top, into, inside && !exists ? 1 : 0);
	if (result == 0)
		result = tree_owner(w, into);
	return result < 0 ? result : top_attributes(w, source, named);
}
