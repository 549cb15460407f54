#include "modules/copy_work.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "modules/file_content.h"
#include "modules/file_work.h"

struct hf_copy_work *hf_copy_work_new(struct hf_module_context *c, const struct hf_copy_params *p,
	struct hf_change *change, struct hf_error *err)
{
	struct hf_copy_work *w = hf_new(hf_task_arena(c), struct hf_copy_work);
	*w = (struct hf_copy_work){ .c = c, .p = p, .change = change, .err = err };
	hf_map_init_str(&w->touched, hf_task_arena(c));
	change->state = w;
	return w;
}

void hf_copy_work_touches(struct hf_copy_work *w, const char *path)
{
	if (!w->touch)
		hf_map_set(&w->touched, hf_strdup(hf_task_arena(w->c), path), w);
}

static bool mode_preserved(const struct hf_copy_work *w)
{
	return w->p->attr.mode != NULL && strcmp(w->p->attr.mode, "preserve") == 0;
}

/* Done once, and only where somebody can read it: to hash costs more than everything else about a small file
 * that is as it should be. */
static int source_sum(struct hf_copy_work *w, struct hf_copy_source *s)
{
	char hex[HF_DIGEST_HEX_MAX];
	if (*s->sha1 != '\0')
		return 0;
	int result = s->in_memory ? hf_hash_hex("sha1", s->data, hex, w->err)
				  : hf_hash_file_hex("sha1", s->path, hex, w->err);
	if (result < 0)
		return result;
	memcpy(s->sha1, hex, sizeof(s->sha1));
	return 0;
}

int hf_copy_work_source(struct hf_copy_work *w, struct hf_copy_source *s)
{
	struct stat st;
	if (s->path != NULL && (!s->in_memory || mode_preserved(w))) {
		int found = hf_task_stat(w->c, s->path, &st, w->err);
		if (found < 0)
			return found;
		s->mode = st.st_mode & 07777;
	}
	return w->p->checksum != NULL || (!w->tree && hf_task_told(w->c)) ? source_sum(w, s) : 0;
}

struct hf_file_attr hf_copy_work_attr(struct hf_copy_work *w, const struct hf_copy_source *s)
{
	struct hf_file_attr attr = w->p->attr;
	if (mode_preserved(w))
		/* content has been in a file of Ansible's that only its owner may read: that mode is kept. */
		attr.mode = s->path != NULL ? hf_file_mode_text(hf_task_arena(w->c), s->mode) : "0600";
	return attr;
}

/* Directories above a file that `dest: dir/` asks for, with directory_mode and the owner on each new one. */
static int parents_make(struct hf_copy_work *w, const char *dir)
{
	struct hf_arena *a = hf_task_arena(w->c);
	struct hf_file_attr attr = w->p->attr;
	attr.mode = w->p->directory_mode;
	char *at = hf_strdup(a, dir);
	for (char *end = at; *end != '\0';) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		char saved = *end;
		*end = '\0';
		if (!hf_fs_exists(at)) {
			hf_copy_work_touches(w, at);
			bool unused = false;
			if (w->touch && mkdir(at, 0777) < 0 && errno != EEXIST)
				return hf_fail_errno(w->err, HF_E_TASK, "make directory %s", at);
			int result = w->touch ? hf_file_attr_sync(w->c, w->change, at, &attr, NULL, true,
							&unused, w->err)
					      : 0;
			if (result < 0)
				return result;
		}
		*end = saved;
		end += strspn(end, "/");
	}
	return 0;
}

static bool content_same(const struct hf_copy_source *s, const char *path, const struct stat *seen)
{
	return s->in_memory ? hf_file_content_same(path, seen, s->data)
			    : hf_file_content_same_file(path, s->path);
}

static int report(struct hf_copy_work *w, struct hf_copy_source *s, const char *dest)
{
	if (w->tree)
		return 0;
	int result = source_sum(w, s);
	if (result < 0)
		return result;
	hf_result_cstr(w->c, w->change, "dest", dest);
	hf_result_cstr(w->c, w->change, "checksum", s->sha1);
	return 0;
}

static int report_copied(struct hf_copy_work *w, const struct hf_copy_source *s)
{
	char md5[HF_DIGEST_HEX_MAX];
	if (w->tree)
		return 0;
	if (s->path != NULL)
		hf_result_cstr(w->c, w->change, "src", s->path);
	int result = s->in_memory ? hf_hash_hex("md5", s->data, md5, w->err)
				  : hf_hash_file_hex("md5", s->path, md5, w->err);
	if (result == 0)
		hf_result_cstr(w->c, w->change, "md5sum", md5);
	return result;
}

/* Nothing below this line of the host will take the file: say why before anything is written. */
static int place_refused(struct hf_copy_work *w, const char *dest)
{
	const char *dir = hf_path_dir(hf_task_arena(w->c), dest);
	if (hf_task_check_mode(w->c))
		return 0; /* a task before this one may only have said it would make the directory */
	if (!hf_fs_exists(dir))
		return hf_fail(w->err, HF_E_TASK, "Destination directory %s does not exist", dir);
	if (access(dir, W_OK) < 0 && w->p->attr.unsafe_writes != HF_YES)
		return hf_fail(w->err, HF_E_TASK, "Destination %s not writable", dir);
	return 0;
}

static void diff_source(struct hf_copy_work *w, const struct hf_copy_source *s, const char *dest)
{
	struct hf_str after = s->data;
	struct hf_error unreadable;
	if (w->touch || !hf_task_diff(w->c))
		return;
	if (!s->in_memory &&
		hf_fs_read(hf_task_arena(w->c), s->path, HF_FILE_DIFF_MAX, &after, &unreadable) < 0)
		return;
	hf_file_content_diff(w->c, w->change, dest, s->shown != NULL ? s->shown : dest, after);
}

static int file_replace(struct hf_copy_work *w, struct hf_copy_source *s, const char *dest)
{
	struct hf_arena *a = hf_task_arena(w->c);
	w->changed = true;
	hf_copy_work_touches(w, dest);
	diff_source(w, s, dest);
	if (w->p->backup == HF_YES && hf_fs_exists(dest) && !w->touch && !w->tree)
		w->backup = hf_file_backup_name(a, dest);
	int result = report(w, s, dest);
	if (result == 0)
		result = report_copied(w, s);
	if (result < 0 || !w->touch)
		return result;
	struct hf_file_attr attr = hf_copy_work_attr(w, s);
	struct hf_file_content f = { .path = dest,
		.data = s->data,
		.source = s->in_memory ? NULL : s->path,
		.attr = &attr,
		.validate = w->p->validate,
		.from_source = w->p->remote_src == HF_YES && !s->in_memory,
		.unsynced = w->tree };
	if (w->p->backup == HF_YES && hf_fs_exists(dest))
		f.backup = w->backup != NULL ? w->backup : hf_file_backup_name(a, dest);
	return hf_file_content_write(w->c, w->change, &f, w->err);
}

/* As most files are most of the time: nothing to do about it, and nobody to tell. */
static bool file_passed(struct hf_copy_work *w, const char *dest, const struct hf_file_attr *attr)
{
	struct hf_error unheard HF_UNINITIALIZED;
	bool changed = false;
	if (w->touch || hf_task_told(w->c))
		return false;
	struct hf_change unread = { .result = hf_value_dict(hf_task_arena(w->c)) };
	return hf_file_attr_sync(w->c, &unread, dest, attr, NULL, false, &changed, &unheard) == 0 && !changed;
}

/* The bytes are there already: attributes alone. */
static int file_keep(
	struct hf_copy_work *w, struct hf_copy_source *s, const char *dest, const struct stat *seen)
{
	struct hf_arena *a = hf_task_arena(w->c);
	struct hf_file_attr attr = hf_copy_work_attr(w, s);
	struct hf_file_diff diff = { NULL, NULL };
	if (!w->touch)
		attr.seen = seen;
	if (file_passed(w, dest, &attr))
		return 0;
	if (hf_task_diff(w->c) && !w->touch)
		diff = (struct hf_file_diff){ hf_value_dict(a), hf_value_dict(a) };
	if (diff.before != NULL) {
		hf_dict_put(diff.before, "path", hf_value_cstr(a, dest));
		hf_dict_put(diff.after, "path", hf_value_cstr(a, dest));
	}
	int result = report(w, s, dest);
	if (result < 0)
		return result;
	if (!w->tree && w->p->remote_src != HF_YES)
		hf_result_cstr(w->c, w->change, "path", dest);
	bool changed = false;
	result = hf_file_attr_sync(w->c, w->change, dest, &attr, &diff, w->touch, &changed, w->err);
	if (result < 0)
		return result;
	if (changed) {
		w->changed = true;
		hf_copy_work_touches(w, dest);
	}
	if (w->p->remote_src == HF_YES)
		return report_copied(w, s);
	if (diff.before != NULL && changed)
		hf_change_diff_values(w->c, w->change, diff.before, diff.after);
	return 0;
}

/* `force: no` and something is there: it stays whatever it is. */
static void file_leave(struct hf_copy_work *w, const struct hf_copy_source *s, const char *dest)
{
	if (w->tree)
		return;
	w->bare = w->p->remote_src != HF_YES;
	hf_result_cstr(w->c, w->change, "dest", dest);
	if (s->path != NULL)
		hf_result_cstr(w->c, w->change, "src", s->path);
}

/* force: false never touches what is there. */
static bool left_alone(const struct hf_copy_work *w, const char *dest)
{
	return w->p->force == HF_NO && hf_fs_exists(dest);
}

/* Into a folder that is not there yet. */
static int file_with_parents(struct hf_copy_work *w, struct hf_copy_source *s, const char *dest)
{
	w->changed = true;
	int result = parents_make(w, hf_path_dir(hf_task_arena(w->c), dest));
	return result < 0 ? result : file_replace(w, s, dest);
}

static const struct stat *regular(const struct stat *st)
{
	return S_ISREG(st->st_mode) ? st : NULL;
}

int hf_copy_work_file(
	struct hf_copy_work *w, struct hf_copy_source *s, const char *relative, const char *dest, bool follow)
{
	struct hf_arena *a = hf_task_arena(w->c);
	struct stat st = { 0 };
	if (dest[strlen(dest) - 1] == '/') {
		dest = hf_path_join(a, dest, relative);
		if (!hf_fs_exists(hf_path_dir(a, dest)))
			return file_with_parents(w, s, dest);
	}
	if (lstat(dest, &st) == 0 && !S_ISREG(st.st_mode) && hf_fs_is_dir(dest)) {
		if (s->path == NULL)
			return hf_fail(w->err, HF_E_TASK, "can not use content with a dir as dest");
		dest = hf_path_join(a, dest, relative);
		st.st_mode = lstat(dest, &st) == 0 ? st.st_mode : 0;
	}
	bool link = S_ISLNK(st.st_mode);
	if (link && follow && hf_fs_exists(dest)) {
		dest = hf_file_realpath(a, dest);
		link = false;
	}
	if (left_alone(w, dest)) {
		file_leave(w, s, dest);
		return 0;
	}
	const struct stat *seen = regular(&st);
	if (!link && content_same(s, dest, seen))
		return file_keep(w, s, dest, seen);
	int result = place_refused(w, dest);
	return result < 0 ? result : file_replace(w, s, dest);
}

/* A failure names what it is about and nothing of what would have been. */
static void failure_report(struct hf_copy_work *w)
{
	static const char *const gone[] = { "dest", "md5sum", "src" };
	for (size_t i = 0; i < HF_COUNT(gone); i++)
		hf_dict_remove(w->change->result, gone[i]);
	hf_file_attr_forget(w->change);
	w->changed = w->change->changed = false;
}

int hf_copy_work_end(struct hf_copy_work *w, int outcome)
{
	if (!w->touch)
		w->change->changed = w->changed;
	if (outcome == 0 && w->touch && w->tree) {
		hf_auto_fd fd = open(w->p->dest, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && syncfs(fd) < 0)
			outcome = hf_fail_errno(w->err, HF_E_IO, "sync the file system of %s", w->p->dest);
	}
	if (outcome < 0)
		failure_report(w);
	return w->bare && outcome == 0 ? outcome : hf_file_attr_done(w->c, w->change, outcome);
}

int hf_copy_work_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct hf_copy_work *w = change->state;
	HF_MAP_EACH (&w->touched, e) {
		int result = hf_undo_file(undo, e->key, err);
		if (result < 0)
			return result;
	}
	return w->backup != NULL ? hf_undo_file(undo, w->backup, err) : 0;
}

void hf_copy_work_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct hf_copy_params *p = params;
	if (hf_fs_is_dir(p->dest))
		hf_watch_tree(w, p->dest);
	else
		hf_watch_path(w, p->dest);
}
