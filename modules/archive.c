/* modules/archive.c - files of the host put into an archive, or one of them compressed. */
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>

#include "lib/base/scope.h"
#include "modules/archive_work.h"
#include "modules/file_content.h"
#include "modules/host.h"

enum { MEMBERS_MAX = 2000000 };

static const char *const formats[] = { "bz2", "gz", "tar", "xz", "zip", NULL };
struct params {
	struct hf_value *path, *exclude_path, *exclusion_patterns;
	const char *format, *dest;
	enum hf_tristate force_archive, remove;
	struct hf_file_attr attr;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "path", HF_ARG_LIST, AT(path), HF_REQUIRED, .elements = HF_ARG_PATH,
		.help = "Files, folders and patterns with * and ?." },
	{ "format", HF_ARG_STR, AT(format), .dflt = "gz", .choices = formats,
		.help = "Compression of the archive or file." },
	{ "dest", HF_ARG_PATH, AT(dest),
		.help = "The archive; needed for several files, a folder or a pattern." },
	{ "exclude_path", HF_ARG_LIST, AT(exclude_path), .elements = HF_ARG_PATH,
		.help = "Not these of path, patterns too." },
	{ "exclusion_patterns", HF_ARG_LIST, AT(exclusion_patterns), .elements = HF_ARG_PATH,
		.help = "No member whose name matches." },
	{ "force_archive", HF_ARG_BOOL, AT(force_archive), .dflt = "false",
		.help = "An archive even of a single file." },
	{ "remove", HF_ARG_BOOL, AT(remove), .dflt = "false", .help = "Delete what was put in." },
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};

struct paths {
	const char **at;
	size_t n, room;
};
struct work {
	struct hf_module_context *c;
	const struct params *p;
	struct hf_error *err;
	struct hf_archive archive;
	struct paths expanded, excluded, paths, targets, missing, archived;
	const char *root, *dest_real;
	bool rewrite, removes;
};

/* Patterns are expanded, everything else is taken as it is. True when one of them was a pattern. */
static bool paths_expand(struct hf_arena *a, const struct hf_value *list, struct paths *ret)
{
	bool pattern = false;
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++) {
		const char *path = hf_value_text(a, hf_list_at(list, i)).p;
		glob_t found = { 0 };
		if (strpbrk(path, "*?") == NULL) {
			*hf_vec_push(a, ret) = path;
			continue;
		}
		pattern = true;
		if (glob(path, 0, NULL, &found) == 0)
			for (size_t k = 0; k < found.gl_pathc; k++)
				*hf_vec_push(a, ret) = hf_strdup(a, found.gl_pathv[k]);
		globfree(&found);
	}
	return pattern;
}

static bool paths_have(const struct paths *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], path) == 0)
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The folder that all paths share, with a slash at its end; "" for names without a folder. */
static const char *common_root(struct hf_arena *a, const struct paths *paths)
{
	const char *first = paths->at[0];
	const char *slash = strrchr(first, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - first) + 1;
	for (size_t i = 1; i < paths->n; i++) {
		const char *other = paths->at[i], *end = strrchr(other, '/');
		size_t most = end == NULL ? 0 : (size_t)(end - other) + 1, same = 0;
		while (same < n && same < most && first[same] == other[same])
			same++;
		n = same;
	}
	while (n > 0 && first[n - 1] != '/')
		n--;
	return hf_strndup(a, first, n);
}

static bool is_excluded(struct work *w, const char *path, const char *name)
{
	const struct hf_value *list = w->p->exclusion_patterns;
	bool zip = strcmp(w->p->format, "zip") == 0;
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++)
		if (fnmatch(hf_value_text(w->archive.arena, hf_list_at(list, i)).p, zip ? path : name,
			    FNM_NOESCAPE) == 0)
			return true;
	return false;
}

static int member_add(struct work *w, const char *path)
{
	struct hf_arena *a = w->archive.arena;
	bool zip = strcmp(w->p->format, "zip") == 0;
	size_t root = strlen(w->root);
	const char *name = strncmp(path, w->root, root) == 0 ? path + root : path;
	struct hf_archive_member m = { .path = path, .name = name + strspn(name, "/") };
	if (w->archive.n >= MEMBERS_MAX)
		return hf_fail(w->err, HF_E_LIMIT, "more than %d files for one archive", MEMBERS_MAX);
	/* a zip holds what links lead to */
	if ((zip ? stat(path, &m.st) : lstat(path, &m.st)) < 0)
		return hf_fail_errno(
			w->err, HF_E_TASK, "Errors when writing archive at %s: %s", w->archive.dest, path);
	if (S_ISSOCK(m.st.st_mode) || is_excluded(w, path, m.name) || *m.name == '\0')
		return 0;
	if (w->archive.n == w->archive.room) {
		size_t wider = w->archive.room == 0 ? 64 : w->archive.room * 2;
		struct hf_archive_member *all = hf_new_array(a, wider, struct hf_archive_member);
		if (w->archive.n > 0)
			memcpy(all, w->archive.members, w->archive.n * sizeof(*all));
		w->archive.members = all;
		w->archive.room = wider;
	}
	w->archive.members[w->archive.n++] = m;
	if (!zip || !S_ISDIR(m.st.st_mode))
		*hf_vec_push(a, &w->archived) = path;
	return 0;
}

static int walk_visit(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct work *w = data;
	struct stat now;
	(void)st;
	(void)err;
	bool itself = *relative == '\0' || strcmp(relative, ".") == 0;
	/* the archive that is being written does not hold itself */
	bool own = w->dest_real != NULL && lstat(path, &now) == 0 && S_ISREG(now.st_mode) &&
		   strcmp(hf_file_realpath(w->archive.arena, path), w->dest_real) == 0;
	return itself || own ? 0 : member_add(w, hf_strdup(w->archive.arena, path));
}

static int target_add(struct work *w, const char *path)
{
	struct hf_arena *a = w->archive.arena;
	size_t n = strlen(path);
	if (!hf_fs_is_dir(path))
		return member_add(w, path);
	struct stat st;
	/* a link to a folder is walked, its name kept */
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		path = hf_sprintf(a, "%s/", path);
	else
		while (n > 1 && path[n - 1] == '/')
			path = hf_strndup(a, path, --n);
	return hf_fs_walk(path, walk_visit, w, w->err);
}

static struct hf_value *paths_value(struct hf_arena *a, const struct paths *paths)
{
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; i < paths->n; i++)
		hf_list_append(list, hf_value_cstr(a, paths->at[i]));
	return list;
}

static const char *paths_line(struct hf_arena *a, const struct paths *paths)
{
	const char *line = "";
	for (size_t i = 0; i < paths->n; i++)
		line = hf_sprintf(a, "%s%s%s", line, i > 0 ? ", " : "", paths->at[i]);
	return line;
}

static const char *values_line(struct hf_arena *a, const struct hf_value *list)
{
	struct paths paths = { 0 };
	for (size_t i = 0; i < hf_list_len(list); i++)
		*hf_vec_push(a, &paths) = hf_value_text(a, hf_list_at(list, i)).p;
	return paths_line(a, &paths);
}

static int removal_safe(struct work *w)
{
	for (size_t i = 0; w->p->remove == HF_YES && i < w->paths.n; i++) {
		size_t n = strlen(w->paths.at[i]);
		if (hf_fs_is_dir(w->paths.at[i]) && strncmp(w->archive.dest, w->paths.at[i], n) == 0 &&
			(w->paths.at[i][n - 1] == '/' || w->archive.dest[n] == '/'))
			return hf_fail(w->err, HF_E_TASK,
				"Error, created archive can not be contained in source paths when "
				"remove=true");
	}
	return 0;
}

/* Which paths, and what becomes of them. */
static int plan_make(struct work *w)
{
	const struct params *p = w->p;
	struct hf_arena *a = w->archive.arena;
	bool pattern = paths_expand(a, p->path, &w->expanded);
	(void)paths_expand(a, p->exclude_path, &w->excluded);
	for (size_t i = 0; i < w->expanded.n; i++)
		if (!paths_have(&w->excluded, w->expanded.at[i]) && !paths_have(&w->paths, w->expanded.at[i]))
			*hf_vec_push(a, &w->paths) = w->expanded.at[i];
	if (w->paths.n == 0)
		return hf_fail(w->err, HF_E_TASK, "Error, no source paths were found");
	qsort(w->paths.at, w->paths.n, sizeof(*w->paths.at), by_name);
	w->root = common_root(a, &w->paths);
	bool must = p->force_archive == HF_YES || pattern || hf_fs_is_dir(w->paths.at[0]) || w->paths.n > 1;
	if (p->dest == NULL && must)
		return hf_fail(w->err, HF_E_TASK,
			"Error, must specify \"dest\" when archiving multiple files or trees");
	w->archive.dest = p->dest != NULL ? p->dest : hf_sprintf(a, "%s.%s", w->paths.at[0], p->format);
	w->archive.single = !must && strcmp(p->format, "zip") != 0 && strcmp(p->format, "tar") != 0;
	w->dest_real = hf_file_realpath(a, w->archive.dest);
	return removal_safe(w);
}

static int targets_find(struct work *w)
{
	struct hf_arena *a = w->archive.arena;
	struct stat st;
	int r = 0;
	for (size_t i = 0; r == 0 && i < w->paths.n; i++) {
		bool there = lstat(w->paths.at[i], &st) == 0;
		*hf_vec_push(a, there ? &w->targets : &w->missing) = w->paths.at[i];
		if (there)
			r = target_add(w, w->paths.at[i]);
	}
	return r;
}

static const char *state_of(const struct work *w)
{
	static const char *const ends[] = { ".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tbz2",
		".zip" };
	if (w->targets.n > 0 && w->archive.single)
		return "compress";
	if (w->targets.n > 0)
		return w->missing.n > 0 ? "incomplete" : "archive";
	if (!hf_fs_exists(w->archive.dest))
		return "absent";
	for (size_t i = 0; i < HF_COUNT(ends); i++) {
		size_t n = strlen(ends[i]), all = strlen(w->archive.dest);
		if (all > n && strcasecmp(w->archive.dest + all - n, ends[i]) == 0)
			return "archive";
	}
	return "compress";
}

static void report(struct work *w, struct hf_change *change)
{
	struct hf_arena *a = w->archive.arena;
	hf_result_put(w->c, change, "archived", paths_value(a, &w->archived));
	hf_result_cstr(w->c, change, "dest", w->archive.dest);
	hf_result_cstr(w->c, change, "dest_state", state_of(w));
	hf_result_cstr(w->c, change, "arcroot", w->root);
	hf_result_put(w->c, change, "missing", paths_value(a, &w->missing));
	hf_result_put(w->c, change, "expanded_paths", paths_value(a, &w->expanded));
	hf_result_put(w->c, change, "expanded_exclude_paths", paths_value(a, &w->excluded));
}

static int archive_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = hf_new(hf_task_arena(c), struct work);
	const struct params *p = params;
	bool same = false;
	*w = (struct work){
		.c = c, .p = p, .err = err, .archive = { .arena = hf_task_arena(c), .format = p->format }
	};
	change->state = w;
	int r = plan_make(w);
	if (r < 0) {
		struct hf_arena *a = w->archive.arena;
		hf_result_cstr(c, change, "path", values_line(a, p->path));
		if (w->paths.n == 0)
			hf_result_cstr(c, change, "expanded_paths", paths_line(a, &w->expanded));
		if (w->paths.n == 0)
			hf_result_cstr(c, change, "expanded_exclude_paths", paths_line(a, &w->excluded));
		return r;
	}
	r = targets_find(w);
	if (r == 0 && w->targets.n > 0)
		r = hf_archive_same(&w->archive, &same, err);
	if (r < 0)
		return r;
	w->rewrite = w->targets.n > 0 && !same;
	w->removes = w->targets.n > 0 && p->remove == HF_YES;
	change->changed = w->rewrite || w->removes;
	if (hf_fs_exists(w->archive.dest))
		r = hf_file_attr_sync(
			c, change, w->archive.dest, &p->attr, NULL, false, &change->changed, err);
	report(w, change);
	return hf_file_attr_done(c, change, r);
}

static int sources_remove(struct work *w, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < w->archived.n; i++)
		if (hf_fs_exists(w->archived.at[i]))
			r = hf_fs_remove_tree(w->archived.at[i], err);
	for (size_t i = 0; r == 0 && i < w->paths.n; i++)
		if (hf_fs_is_dir(w->paths.at[i]))
			r = hf_fs_remove_tree(w->paths.at[i], err);
	return r < 0 ? hf_wrap(err, "Error deleting some source files") : 0;
}

static int archive_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = change->state;
	const struct params *p = params;
	int r = w->rewrite ? hf_archive_write(&w->archive, err) : 0;
	if (r == 0 && w->removes)
		r = sources_remove(w, err);
	if (r == 0 && hf_fs_exists(w->archive.dest))
		r = hf_file_attr_sync(
			c, change, w->archive.dest, &p->attr, NULL, true, &change->changed, err);
	return hf_file_attr_done(c, change, r);
}

static int archive_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct work *w = change->state;
	(void)c;
	(void)params;
	int r = hf_undo_file(undo, w->archive.dest, err);
	for (size_t i = 0; r == 0 && w->removes && i < w->targets.n; i++)
		r = hf_undo_tree(undo, w->targets.at[i], err);
	return r;
}

static void archive_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	if (p->dest != NULL)
		hf_watch_path(w, p->dest);
}

const struct hf_module hf_module_archive = {
	.name = "archive",
	.collection = "community.general",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = archive_check,
	.apply = archive_apply,
	.undo = archive_undo,
	.watch = archive_watch,
};
