#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/file_content.h"
#include "modules/file_work.h"

static const char *const states[] = { "absent", "directory", "file", "hard", "link", "touch", NULL };
static const char *const path_aliases[] = { "dest", "name", NULL };

static const struct hf_arg file_args[] = {
	{ "path", HF_ARG_PATH, offsetof(struct hf_file_params, path), HF_REQUIRED, .aliases = path_aliases,
		.help = "The file, directory or link." },
	{ "state", HF_ARG_ENUM, offsetof(struct hf_file_params, state), .choices = states,
		.help = "What path shall be; without it what it is, or file." },
	{ "src", HF_ARG_PATH, offsetof(struct hf_file_params, src),
		.help = "Where a link or hard link leads." },
	{ "recurse", HF_ARG_BOOL, offsetof(struct hf_file_params, recurse), .dflt = "false",
		.help = "Set attributes on everything below a directory as well." },
	{ "force", HF_ARG_BOOL, offsetof(struct hf_file_params, force), .dflt = "false",
		.help = "Make links to what does not exist, or in place of a file." },
	{ "follow", HF_ARG_BOOL, offsetof(struct hf_file_params, follow), .dflt = "true",
		.help = "Where path is a link, change what it leads to." },
	{ "modification_time", HF_ARG_STR, offsetof(struct hf_file_params, mtime),
		.help = "preserve, now, or a time in modification_time_format." },
	{ "modification_time_format", HF_ARG_STR, offsetof(struct hf_file_params, mtime_format),
		.dflt = "%Y%m%d%H%M.%S", .help = "As strptime(3)." },
	{ "access_time", HF_ARG_STR, offsetof(struct hf_file_params, atime),
		.help = "preserve, now, or a time in access_time_format." },
	{ "access_time_format", HF_ARG_STR, offsetof(struct hf_file_params, atime_format),
		.dflt = "%Y%m%d%H%M.%S", .help = "As strptime(3)." },
	HF_FILE_ATTR_ARGS(struct hf_file_params, attr),
	{ .type = HF_ARG_END },
};

const char *hf_file_work_reason(struct hf_file_work *w, int errnum, const char *path)
{
	return hf_sprintf(hf_task_arena(w->c), "[Errno %d] %s: b'%s'", errnum, strerror(errnum), path);
}

const struct stat *hf_file_work_look(struct hf_file_work *w, const char *path)
{
	if (!w->touch && w->seen_path != NULL && strcmp(w->seen_path, path) == 0)
		return &w->seen;
	w->seen_path = lstat(path, &w->seen) < 0 ? NULL : hf_strdup(hf_task_arena(w->c), path);
	return w->seen_path == NULL ? NULL : &w->seen;
}

static const char *state_at(struct hf_file_work *w, const char *path)
{
	const struct stat *st = hf_file_work_look(w, path);
	return st == NULL ? "absent" : hf_file_state_of(st);
}

const char *hf_file_work_followed(struct hf_file_work *w, const char *path)
{
	const struct stat *st = w->p->follow == HF_YES ? hf_file_work_look(w, path) : NULL;
	return st == NULL || !S_ISLNK(st->st_mode) ? path : hf_file_realpath(hf_task_arena(w->c), path);
}

static int time_parse(struct hf_file_work *w, const char *text, const char *format, struct hf_file_time *ret)
{
	bool touching = w->state == FILE_TOUCH && hf_task_acts(w->c);
	*ret = (struct hf_file_time){ touching ? FILE_TIME_NOW : FILE_TIME_KEEP, 0 };
	if (text == NULL)
		return 0;
	if (strcmp(text, "preserve") == 0 || strcmp(text, "now") == 0) {
		ret->kind = *text == 'n' ? FILE_TIME_NOW : FILE_TIME_KEEP;
		return 0;
	}
	struct tm tm = { .tm_isdst = -1, .tm_mday = 1 };
	const char *end = strptime(text, format, &tm);
	if (end == NULL || *end != '\0')
		return hf_fail(w->err, HF_E_TASK,
			"Error while obtaining timestamp for time %s using format %s: time data '%s' does "
			"not match "
			"format '%s'",
			text, format, text, format);
	tm.tm_isdst = -1;
	*ret = (struct hf_file_time){ FILE_TIME_AT, mktime(&tm) };
	return 0;
}

static struct timespec time_spec(struct hf_file_time t)
{
	return (struct timespec){ t.kind == FILE_TIME_AT ? t.at : 0, t.kind == FILE_TIME_KEEP  ? UTIME_OMIT
								     : t.kind == FILE_TIME_NOW ? UTIME_NOW
											       : 0 };
}

static bool time_same(struct hf_file_time t, const struct timespec *now)
{
	return t.kind == FILE_TIME_KEEP ||
	       (t.kind == FILE_TIME_AT && t.at == now->tv_sec && now->tv_nsec == 0);
}

static int times_sync(struct hf_file_work *w, const char *path)
{
	struct stat st;
	if (w->mtime.kind == FILE_TIME_KEEP && w->atime.kind == FILE_TIME_KEEP)
		return 0;
	if (stat(path, &st) < 0) {
		if (!w->touch && errno == ENOENT) {
			w->changed = true;
			return 0;
		}
		hf_result_cstr(w->c, w->change, "path", path);
		return hf_fail(w->err, HF_E_TASK, "Error while updating modification or access time: %s",
			hf_file_work_reason(w, errno, path));
	}
	if (time_same(w->mtime, &st.st_mtim) && time_same(w->atime, &st.st_atim))
		return 0;
	w->changed = true;
	struct timespec both[2] = { time_spec(w->atime), time_spec(w->mtime) };
	if (w->touch && utimensat(AT_FDCWD, path, both, 0) < 0) {
		hf_result_cstr(w->c, w->change, "path", path);
		return hf_fail(w->err, HF_E_TASK, "Error while updating modification or access time: %s",
			hf_file_work_reason(w, errno, path));
	}
	return 0;
}

int hf_file_work_attributes(struct hf_file_work *w, const char *path)
{
	struct hf_file_attr attr = w->p->attr;
	if (!w->touch && hf_file_attr_asks(&attr))
		attr.seen = hf_file_work_look(w, path);
	int result = hf_file_attr_sync(w->c, w->change, path, &attr, &w->diff, w->touch, &w->changed, w->err);
	return result < 0 ? result : times_sync(w, path);
}

static int state_file(struct hf_file_work *w)
{
	const char *path = w->path;
	if (strcmp(w->before, "file") != 0) {
		path = hf_file_work_followed(w, path);
		w->before = state_at(w, path);
	}
	hf_result_cstr(w->c, w->change, "path", path);
	if (strcmp(w->before, "file") != 0 && strcmp(w->before, "hard") != 0) {
		hf_result_cstr(w->c, w->change, "state", w->before);
		return hf_fail(w->err, HF_E_TASK, "file (%s) is %s, cannot continue", path, w->before);
	}
	return hf_file_work_attributes(w, path);
}

/* Everything of a path that is missing, made part by part with the asked attributes on each new directory. */
static int directory_make(struct hf_file_work *w, const char *path)
{
	char *at = hf_strdup(hf_task_arena(w->c), path);
	for (char *end = at; *end != '\0';) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		char saved = *end;
		*end = '\0';
		if (!hf_fs_exists(at)) {
			if (mkdir(at, 0777) < 0 && (errno != EEXIST || !hf_fs_is_dir(at)))
				return hf_fail(w->err, HF_E_TASK,
					"There was an issue creating %s as requested: %s", at,
					hf_file_work_reason(w, errno, at));
			w->changed = true;
			int result = hf_file_attr_sync(
				w->c, w->change, at, &w->p->attr, NULL, true, &w->changed, w->err);
			if (result < 0)
				return hf_wrap(w->err, "There was an issue creating %s as requested", at);
		}
		*end = saved;
		end += strspn(end, "/");
	}
	return times_sync(w, path);
}

struct recursion {
	struct hf_file_work *w;
	unsigned depth;
};

static int recurse_visit(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct recursion *r = data;
	int result = hf_file_work_attributes(r->w, path);
	if (result < 0 || !S_ISLNK(st->st_mode) || r->w->p->follow != HF_YES)
		return result;
	char *target = hf_file_realpath(hf_task_arena(r->w->c), path);
	if (!hf_fs_exists(target))
		return 0;
	if (hf_fs_is_dir(target)) {
		if (r->depth >= HF_FS_DEPTH_MAX)
			return hf_fail(err, HF_E_TASK,
				"Could not recursively set attributes on %s: links lead in a circle", path);
		struct recursion deeper = { r->w, r->depth + 1 };
		result = hf_fs_walk(target, recurse_visit, &deeper, err);
	}
	return result < 0 ? result : hf_file_work_attributes(r->w, target);
}

static int state_directory(struct hf_file_work *w)
{
	const char *path = hf_file_work_followed(w, w->path);
	w->before = state_at(w, path);
	hf_result_cstr(w->c, w->change, "path", path);
	if (strcmp(w->before, "absent") == 0) {
		w->changed = true;
		return w->touch ? directory_make(w, path) : 0;
	}
	if (strcmp(w->before, "directory") != 0)
		return hf_fail(w->err, HF_E_TASK, "%s already exists as a %s", path, w->before);
	int result = hf_file_work_attributes(w, path);
	if (result < 0 || w->p->recurse != HF_YES)
		return result;
	struct recursion r = { w, 0 };
	return hf_fs_walk(path, recurse_visit, &r, w->err);
}

static int state_absent(struct hf_file_work *w)
{
	hf_result_cstr(w->c, w->change, "path", w->path);
	if (strcmp(w->before, "absent") == 0) {
		hf_result_cstr(w->c, w->change, "state", "absent");
		return 0;
	}
	w->changed = true;
	if (w->touch) {
		bool tree = strcmp(w->before, "directory") == 0;
		int result = 0;
		if (tree)
			result = hf_fs_remove_tree(w->path, w->err);
		else if (unlink(w->path) < 0 && errno != ENOENT)
			result = hf_fail(w->err, HF_E_TASK, "unlinking failed: %s ",
				hf_file_work_reason(w, errno, w->path));
		if (result < 0)
			return tree ? hf_wrap(w->err, "rmtree failed") : result;
	}
	hf_result_cstr(w->c, w->change, "state", "absent");
	return 0;
}

static int state_touch(struct hf_file_work *w)
{
	bool absent = strcmp(w->before, "absent") == 0;
	if (absent) {
		w->changed = true;
		if (!w->touch) {
			hf_result_cstr(w->c, w->change, "dest", w->path);
			return 0;
		}
		hf_dict_remove(w->change->result, "dest");
		hf_auto_fd fd = open(w->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
		if (fd < 0) {
			hf_result_cstr(w->c, w->change, "path", w->path);
			return hf_fail(w->err, HF_E_TASK, "Error, could not touch target: %s",
				hf_file_work_reason(w, errno, w->path));
		}
	}
	hf_result_cstr(w->c, w->change, "dest", w->path);
	int result = hf_file_work_attributes(w, hf_file_work_followed(w, w->path));
	if (result < 0 && absent && w->touch)
		unlink(w->path); /* what was made for a task that fails is not left behind */
	return result;
}

/* `path: dir` with a file to put there means the file inside. */
static const char *work_path(struct hf_file_work *w, const struct hf_file_params *p)
{
	const char *base = p->basename != NULL ? p->basename : p->src != NULL ? hf_path_base(p->src) : "";
	if (p->state == FILE_LINK || p->state == FILE_ABSENT || *base == '\0' || !hf_fs_is_dir(p->path))
		return p->path;
	return hf_path_join(hf_task_arena(w->c), p->path, base);
}

/* Without `state`, what is there already; a directory for recurse, else a file. */
static enum file_state work_state(const struct hf_file_params *p, const char *before)
{
	static const struct {
		const char *name;
		enum file_state state;
	} found[] = { { "directory", FILE_DIRECTORY }, { "file", FILE_FILE }, { "hard", FILE_HARD },
		{ "link", FILE_LINK } };
	if (p->state >= 0)
		return (enum file_state)p->state;
	for (size_t i = 0; i < HF_COUNT(found); i++)
		if (strcmp(found[i].name, before) == 0)
			return found[i].state;
	return p->recurse == HF_YES ? FILE_DIRECTORY : FILE_FILE;
}

static int work_refuse(struct hf_file_work *w, const char *message)
{
	hf_result_cstr(w->c, w->change, "path", w->path);
	return hf_fail(w->err, HF_E_TASK, "%s", message);
}

static int work_prepare(struct hf_file_work *w)
{
	const struct hf_file_params *p = w->p;
	w->path = work_path(w, p);
	w->src = p->src;
	w->before = state_at(w, w->path);
	w->state = work_state(p, w->before);
	if (p->recurse == HF_YES && w->state != FILE_DIRECTORY)
		return work_refuse(w, "recurse option requires state to be 'directory'");
	if (p->src != NULL && *p->src != '\0' && w->state != FILE_LINK && w->state != FILE_HARD)
		return work_refuse(w, "src option requires state to be 'link' or 'hard'");
	int result = time_parse(w, p->mtime, p->mtime_format, &w->mtime);
	return result < 0 ? result : time_parse(w, p->atime, p->atime_format, &w->atime);
}

static int content_list(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct hf_value *content = data;
	struct hf_value *list = hf_dict_get(content, S_ISDIR(st->st_mode) ? "directories" : "files");
	hf_list_append(list, hf_value_cstr(list->u.list->arena, path));
	return 0;
}

/* {"path": …, "state": …} before and after, with what an absent directory held. */
static void diff_finish(struct hf_file_work *w)
{
	struct hf_arena *a = hf_task_arena(w->c);
	bool gone = w->state == FILE_ABSENT && strcmp(w->before, "absent") == 0;
	if (w->touch || gone || w->diff.before == NULL)
		return;
	const char *after = states[w->state];
	if (strcmp(w->before, after) != 0) {
		hf_dict_put(w->diff.before, "state", hf_value_cstr(a, w->before));
		hf_dict_put(w->diff.after, "state", hf_value_cstr(a, after));
	}
	if (w->state == FILE_ABSENT && strcmp(w->before, "directory") == 0) {
		struct hf_value *content = hf_value_dict(a);
		hf_dict_put(content, "directories", hf_value_list(a));
		hf_dict_put(content, "files", hf_value_list(a));
		struct hf_error unreadable;
		if (hf_fs_walk(w->path, content_list, content, &unreadable) == 0)
			hf_dict_put(w->diff.before, "path_content", content);
	}
	/* Shown where differences are wanted, and always part of the result. */
	struct hf_value *both = hf_value_dict(a);
	hf_dict_put(both, "before", w->diff.before);
	hf_dict_put(both, "after", w->diff.after);
	hf_result_put(w->c, w->change, "diff", both);
}

int hf_file_work_run(struct hf_module_context *c, const struct hf_file_params *p, struct hf_change *change,
	bool touch, struct hf_error *err)
{
	static int (*const steps[])(struct hf_file_work *) = { state_absent, state_directory, state_file,
		hf_file_work_hard, hf_file_work_link, state_touch };
	struct hf_arena *a = hf_task_arena(c);
	struct hf_file_work *w = hf_new(a, struct hf_file_work);
	*w = (struct hf_file_work){ .c = c, .p = p, .change = change, .err = err, .touch = touch };
	int result = work_prepare(w);
	if (result == 0 && !touch) {
		w->diff = (struct hf_file_diff){ hf_value_dict(a), hf_value_dict(a) };
		hf_dict_put(w->diff.before, "path", hf_value_cstr(a, w->path));
		hf_dict_put(w->diff.after, "path", hf_value_cstr(a, w->path));
	}
	if (result == 0)
		result = steps[w->state](w);
	if (result == 0)
		diff_finish(w);
	if (!touch) {
		change->changed = w->changed;
		change->state = w;
	}
	return hf_file_attr_done(c, change, result);
}

static int file_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return hf_file_work_run(c, params, change, false, err);
}

static int file_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return hf_file_work_run(c, params, change, true, err);
}

static int file_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct hf_file_work *w = change->state;
	const char *path = hf_dict_cstr(change->result, "path", w->path);
	bool absent = strcmp(hf_file_state(path), "absent") == 0;
	if (w->state == FILE_DIRECTORY && absent)
		return hf_file_undo_new(undo, hf_task_arena(c), path, err);
	bool tree = w->state == FILE_ABSENT || (w->state == FILE_DIRECTORY && w->p->recurse == HF_YES);
	if (tree && strcmp(hf_file_state(path), "directory") == 0)
		return hf_undo_tree(undo, path, err);
	const char *followed = hf_file_realpath(hf_task_arena(c), path);
	if (w->state == FILE_LINK && w->src != NULL) /* attributes go to what the new link leads to */
		followed = hf_file_realpath(hf_task_arena(c),
			hf_path_join(hf_task_arena(c), hf_path_dir(hf_task_arena(c), path), w->src));
	int result = w->p->follow == HF_YES && strcmp(followed, path) != 0 && hf_fs_exists(followed)
			     ? hf_undo_file(undo, followed, err)
			     : 0;
	return result < 0 ? result : hf_undo_file(undo, path, err);
}

static void file_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct hf_file_params *p = params;
	if (p->recurse == HF_YES)
		hf_watch_tree(w, p->path);
	else
		hf_watch_path(w, p->path);
}

const struct hf_module hf_module_file = {
	.name = "file",
	.collection = "ansible.builtin",
	.schema = { file_args, NULL, sizeof(struct hf_file_params) },
	.check = file_check,
	.apply = file_apply,
	.undo = file_undo,
	.watch = file_watch,
};
