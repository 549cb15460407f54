#include "modules/text_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "modules/file_mode.h"

const char *const hf_text_path_aliases[] = { "dest", "destfile", "name", NULL };

struct hf_text_edit hf_text_edit(
	struct hf_module_context *c, struct hf_change *change, const struct hf_text_options *options)
{
	return (struct hf_text_edit){ .c = c,
		.change = change,
		.attr = &options->attr,
		.validate = options->validate,
		.backup = options->backup == HF_YES,
		.message = "" };
}

int hf_text_load(struct hf_text_edit *e, const char *path, struct hf_error *err)
{
	struct stat st;
	e->path = path;
	e->exists = stat(path, &st) == 0;
	e->before = HF_STR("");
	if (e->exists && S_ISDIR(st.st_mode)) {
		hf_result_int(e->c, e->change, "rc", 256);
		return hf_fail(err, HF_E_TASK, "Path %s is a directory !", path);
	}
	return e->exists ? hf_fs_read(hf_task_arena(e->c), path, HF_FILE_TEXT_MAX, &e->before, err) : 0;
}

static const char *text_real(const struct hf_text_edit *e)
{
	return e->real != NULL ? e->real : hf_file_realpath(hf_task_arena(e->c), e->path);
}

/* Bytes up to and with the next end of line. */
static size_t line_length(struct hf_str text, bool any)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n')
			return i + 1;
		if (any && text.p[i] == '\r')
			return i + 1 < text.n && text.p[i + 1] == '\n' ? i + 2 : i + 1;
	}
	return text.n;
}

void hf_text_split(struct hf_arena *a, struct hf_str text, bool any, struct hf_text_line_list *ret)
{
	*ret = (struct hf_text_line_list){ 0 };
	while (text.n > 0) {
		size_t n = line_length(text, any);
		*hf_vec_push(a, ret) = hf_strn(text.p, n);
		text.p += n;
		text.n -= n;
	}
}

struct hf_str hf_text_join(struct hf_arena *a, const struct hf_text_line_list *lines)
{
	size_t n = 0;
	for (size_t i = 0; i < lines->n; i++)
		n += lines->at[i].n;
	char *p = hf_alloc(a, n + 1);
	n = 0;
	for (size_t i = 0; i < lines->n; i++) {
		if (lines->at[i].n > 0)
			memcpy(p + n, lines->at[i].p, lines->at[i].n);
		n += lines->at[i].n;
	}
	p[n] = '\0';
	return hf_strn(p, n);
}

void hf_text_insert(struct hf_arena *a, struct hf_text_line_list *lines, size_t at, struct hf_str line)
{
	(void)hf_vec_push(a, lines);
	memmove(lines->at + at + 1, lines->at + at, (lines->n - 1 - at) * sizeof(*lines->at));
	lines->at[at] = line;
}

void hf_text_remove(struct hf_text_line_list *lines, size_t from, size_t n)
{
	memmove(lines->at + from, lines->at + from + n, (lines->n - from - n) * sizeof(*lines->at));
	lines->n -= n;
}

bool hf_text_line_is(struct hf_str line, struct hf_str text)
{
	while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	return hf_str_equal(line, text);
}

/* Would a file that is made now need its attributes changed? */
static int fresh_differs(struct hf_text_edit *e, bool *ret, struct hf_error *err)
{
	mode_t fresh = 0666 & ~hf_file_umask();
	struct hf_file_want want;
	int result = hf_file_attr_want(e->c, e->change, e->path, e->attr, S_IFREG | fresh, &want, err);
	if (result == 0)
		*ret = (want.mode != HF_KEEP_MODE && want.mode != fresh) ||
		       (want.uid != HF_KEEP_UID && want.uid != geteuid()) ||
		       (want.gid != HF_KEEP_GID && want.gid != getegid());
	return result;
}

static void look_diff(struct hf_text_edit *e, const struct hf_file_diff *attrs, bool attr_changed)
{
	struct hf_arena *a = hf_task_arena(e->c);
	if (!hf_task_diff(e->c))
		return;
	const char *header = e->bare_header ? e->path : hf_sprintf(a, "%s (content)", e->path);
	if (e->content_changed)
		hf_change_diff(e->c, e->change, header, e->before, header, e->after);
	if (attr_changed && hf_dict_len(attrs->before) > 0)
		hf_change_diff_values(e->c, e->change, attrs->before, attrs->after);
}

int hf_text_look(struct hf_text_edit *e, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(e->c);
	bool attr_changed = false;
	struct hf_file_diff diff = { NULL, NULL };
	if (hf_task_diff(e->c))
		diff = (struct hf_file_diff){ hf_value_dict(a), hf_value_dict(a) };
	int result = 0;
	if (e->exists)
		result = hf_file_attr_sync(
			e->c, e->change, e->path, e->attr, &diff, false, &attr_changed, err);
	else if (e->content_changed && !hf_task_check_mode(e->c))
		result = fresh_differs(e, &attr_changed, err);
	if (result < 0)
		return result;
	if (attr_changed && !e->no_attr_words)
		e->message = hf_sprintf(a, "%s%sownership, perms or SE linux context changed", e->message,
			e->content_changed ? " and " : "");
	if (e->content_changed && e->backup && e->exists)
		e->backup_file = hf_file_backup_name(a, e->path);
	hf_result_cstr(e->c, e->change, "msg", e->message);
	look_diff(e, &diff, attr_changed);
	e->change->changed = e->content_changed || attr_changed;
	e->change->state = e;
	return 0;
}

static int text_validate(struct hf_text_edit *e, const struct hf_file_content *f, struct hf_error *err)
{
	int result = hf_file_content_validate(e->c, e->change, f, err);
	const struct hf_value *rc = hf_dict_get(e->change->result, "exit_status");
	if (result < 0 && rc != NULL && e->bare_refusal)
		return hf_fail(err, HF_E_TASK, "failed to validate");
	if (result < 0 && rc != NULL)
		return hf_fail(err, HF_E_TASK, "failed to validate: rc:%lld error:%s",
			(long long)hf_dict_int(e->change->result, "exit_status", 0),
			hf_dict_cstr(e->change->result, "stderr", ""));
	return result;
}

static int text_write(struct hf_text_edit *e, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(e->c);
	struct hf_file_content f = { .path = text_real(e),
		.data = e->after,
		.attr = e->attr,
		.backup = e->backup_file,
		.as_led_to = true };
	const char *dir = hf_path_dir(a, f.path);
	int result = 0;
	if (*dir != '\0' && !hf_fs_exists(dir) && e->no_parents)
		return hf_fail(err, HF_E_TASK, "Destination directory %s does not exist", dir);
	if (*dir != '\0' && !hf_fs_exists(dir))
		result = hf_fs_mkdirs(dir, 0777, err);
	if (result < 0)
		return hf_wrap(err, "Error creating %s", dir);
	if (e->validate != NULL) {
		f.validate = e->validate;
		struct hf_file_attr none = { 0 }; /* the validator sees the bytes with a private mode */
		struct hf_file_content probe = f;
		probe.attr = &none;
		result = text_validate(e, &probe, err);
		f.validate = NULL;
	}
	return result < 0 ? result : hf_file_content_write(e->c, e->change, &f, err);
}

int hf_text_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_text_edit *e = change->state;
	bool changed = false;
	if (e->content_changed) {
		int result = text_write(e, err);
		change->changed = result == 0;
		if (result < 0)
			return result;
	}
	return hf_file_attr_sync(c, change, e->path, e->attr, NULL, true, &changed, err);
}

int hf_text_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct hf_text_edit *e = change->state;
	int result = e->exists ? hf_undo_file(undo, text_real(e), err)
			       : hf_file_undo_new(undo, hf_task_arena(c), text_real(e), err);
	if (result == 0 && e->backup_file != NULL)
		result = hf_undo_file(undo, e->backup_file, err);
	return result;
}
