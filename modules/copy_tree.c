#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "modules/copy_work.h"
#include "modules/file_work.h"

enum { TREE_ENTRIES_MAX = 1000000 };

/* What a source directory holds, links followed where asked, in the three kinds copy treats differently. */
struct entry {
	const char *source, *relative; /* source of a link: where it leads */
};
typedef HF_VEC(struct entry) entries;

struct tree {
	struct hf_copy_work *w;
	entries files, directories, links;
	bool follow;
	size_t seen;
};

/* Directories being walked, to see a link that leads back into one of them. */
struct above {
	const struct above *next;
	dev_t dev;
	ino_t ino;
	unsigned depth;
};

static bool is_above(const struct above *at, const struct stat *st)
{
	for (; at != NULL; at = at->next)
		if (at->dev == st->st_dev && at->ino == st->st_ino)
			return true;
	return false;
}

static void entry_add(struct tree *t, entries *list, const char *source, const char *relative)
{
	*hf_vec_push(hf_task_arena(t->w->c), list) = (struct entry){ source, relative };
}

static int tree_walk(struct tree *t, const char *dir, const char *relative, const struct above *above);

static int tree_link(struct tree *t, const char *path, const char *relative, const struct above *above)
{
	struct hf_arena *a = hf_task_arena(t->w->c);
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return hf_fail_errno(t->w->err, HF_E_IO, "read link %s", path);
	struct stat st;
	bool reachable = stat(path, &st) == 0;
	if (t->follow && reachable && S_ISREG(st.st_mode)) {
		entry_add(t, &t->files, hf_file_realpath(a, path), relative);
	} else if (t->follow && reachable && S_ISDIR(st.st_mode) && !is_above(above, &st)) {
		char *real = hf_file_realpath(a, path);
		entry_add(t, &t->directories, real, relative);
		return tree_walk(t, real, relative, above);
	} else {
		entry_add(t, &t->links, hf_strndup(a, target, (size_t)n), relative);
	}
	return 0;
}

static int tree_entry(struct tree *t, const char *path, const char *relative, const struct above *above)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return hf_fail_errno(t->w->err, HF_E_IO, "stat %s", path);
	if (++t->seen > TREE_ENTRIES_MAX)
		return hf_fail(t->w->err, HF_E_LIMIT, "%s: more than %d entries", path, TREE_ENTRIES_MAX);
	if (S_ISLNK(st.st_mode))
		return tree_link(t, path, relative, above);
	if (S_ISDIR(st.st_mode)) {
		entry_add(t, &t->directories, path, relative);
		return tree_walk(t, path, relative, above);
	}
	entry_add(t, &t->files, path, relative);
	return 0;
}

static int name_compare(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int tree_walk(struct tree *t, const char *dir, const char *relative, const struct above *above)
{
	struct hf_arena *a = hf_task_arena(t->w->c);
	hf_auto_dir d = opendir(dir);
	struct stat st;
	if (d == NULL || fstat(dirfd(d), &st) < 0)
		return hf_fail_errno(t->w->err, HF_E_IO, "open directory %s", dir);
	struct above here = { above, st.st_dev, st.st_ino, above != NULL ? above->depth + 1 : 0 };
	if (here.depth >= HF_FS_DEPTH_MAX)
		return hf_fail(
			t->w->err, HF_E_LIMIT, "%s: more than %d directory levels", dir, HF_FS_DEPTH_MAX);
	HF_VEC(char *) names = { 0 };
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			*hf_vec_push(a, &names) = hf_strdup(a, e->d_name);
	if (names.n > 1)
		qsort(names.at, names.n, sizeof(*names.at), name_compare);
	for (size_t i = 0; i < names.n; i++) {
		const char *below = *relative == '\0' ? names.at[i] : hf_path_join(a, relative, names.at[i]);
		int result = tree_entry(t, hf_path_join(a, dir, names.at[i]), below, &here);
		if (result < 0)
			return result;
	}
	return 0;
}

/* A directory or a link of the tree, through the file module's own states. */
static int tree_file_module(struct tree *t, const char *relative, int state, const char *src)
{
	struct hf_copy_work *w = t->w;
	struct hf_arena *a = hf_task_arena(w->c);
	struct hf_file_params p = { .path = hf_path_join(a, w->p->dest, relative),
		.src = src,
		.state = state,
		.recurse = HF_NO,
		.force = HF_YES,
		.follow = w->p->follow == HF_YES ? HF_YES : HF_NO,
		.attr = w->p->attr };
	p.attr.mode = state == FILE_DIRECTORY ? w->p->directory_mode : NULL;
	/* Its results are about one entry; the task's are about the tree. */
	struct hf_change change = { .result = hf_value_dict(a), .diff = w->change->diff };
	int result = hf_file_work_run(w->c, &p, &change, w->touch, w->err);
	if (change.changed || (w->touch && result == 0 && change.changed)) {
		hf_copy_work_touches(w, p.path);
		w->changed = true;
	}
	return result;
}

/* Of a folder with one file and nothing else Ansible answers what it answers for that file. */
static bool tree_single(const struct tree *t)
{
	return t->files.n == 1 && t->directories.n == 0 && t->links.n == 0;
}

int hf_copy_tree(struct hf_copy_work *w, const char *source)
{
	struct hf_arena *a = hf_task_arena(w->c);
	struct tree t = { .w = w, .follow = w->p->local_follow != HF_NO };
	size_t n = strlen(source);
	bool inside = n > 0 && source[n - 1] == '/';
	char *top = hf_strndup(a, source, inside && n > 1 ? n - 1 : n);
	int result = tree_walk(&t, top, inside ? "" : hf_path_base(top), NULL);
	const char *dest = hf_path_join(a, w->p->dest, "");
	w->tree = w->bare = !tree_single(&t);
	bool follow = t.directories.n == 0 && w->p->follow == HF_YES;
	for (size_t i = 0; result == 0 && i < t.files.n; i++) {
		struct hf_copy_source s = { .path = t.files.at[i].source, .shown = t.files.at[i].source };
		result = hf_copy_work_source(w, &s);
		if (result == 0)
			result = hf_copy_work_file(w, &s, t.files.at[i].relative, dest, follow);
	}
	for (size_t i = 0; result == 0 && i < t.directories.n; i++)
		result = tree_file_module(&t, t.directories.at[i].relative, FILE_DIRECTORY, NULL);
	for (size_t i = 0; result == 0 && i < t.links.n; i++)
		result = tree_file_module(&t, t.links.at[i].relative, FILE_LINK, t.links.at[i].source);
	if (w->tree) {
		hf_result_cstr(w->c, w->change, "dest", dest);
		hf_result_cstr(w->c, w->change, "src", source);
	}
	return result;
}
