#include "modules/host.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/cmdline.h"
#include "modules/file_attr.h"

enum { MESSAGE_MAX = 600, WORDS_MAX = 100000 };

void hf_words_add(struct hf_words *w, const char *word)
{
	if (w->n + 2 > w->room) {
		size_t wider = w->room == 0 ? 16 : w->room * 2;
		const char **at = hf_new_array(w->arena, wider, const char *);
		if (w->n > 0)
			memcpy(at, w->at, w->n * sizeof(*at));
		w->at = at;
		w->room = wider;
	}
	w->at[w->n++] = word;
	w->at[w->n] = NULL;
}

struct hf_words hf_words(struct hf_arena *a, const char *first, ...)
{
	struct hf_words w = { .arena = a };
	va_list args;
	va_start(args, first);
	for (const char *word = first; word != NULL && w.n < WORDS_MAX; word = va_arg(args, const char *))
		hf_words_add(&w, word);
	va_end(args);
	return w;
}

void hf_words_addf(struct hf_words *w, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	hf_words_add(w, hf_vsprintf(w->arena, format, args));
	va_end(args);
}

void hf_words_text(struct hf_words *w, const struct hf_value *list)
{
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++)
		hf_words_add(w, hf_value_text(w->arena, hf_list_at(list, i)).p);
}

int hf_words_split(struct hf_words *w, const char *text, struct hf_error *err)
{
	hf_auto_buf word = hf_buf_init(HF_EDIT_MAX);
	char quote = '\0';
	bool started = false;
	for (const char *p = text; *p != '\0'; p++) {
		if (quote == '\0' && strchr(" \t\n", *p) != NULL) {
			if (started)
				hf_words_add(w, hf_buf_dup(w->arena, &word).p);
			hf_buf_clear(&word);
			started = false;
			continue;
		}
		started = true;
		if (*p == quote)
			quote = '\0';
		else if (quote == '\0' && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (*p == '\\' && quote != '\'' && p[1] != '\0')
			hf_buf_put(&word, *++p);
		else
			hf_buf_put(&word, *p);
	}
	if (quote != '\0')
		return hf_fail(err, HF_E_TASK, "no closing quotation in: %s", text);
	if (started)
		hf_words_add(w, hf_buf_dup(w->arena, &word).p);
	return 0;
}

const char *hf_words_line(const struct hf_words *w)
{
	hf_auto_buf line = hf_buf_init(HF_EDIT_MAX);
	for (size_t i = 0; i < w->n; i++)
		hf_buf_printf(&line, "%s%s", i == 0 ? "" : " ", w->at[i]);
	return hf_buf_dup(w->arena, &line).p;
}

static const char *const *env_join(struct hf_module_context *c, const char *const *extra)
{
	struct hf_words env = { .arena = hf_task_arena(c) };
	const char *const *own = hf_task_env(c);
	for (size_t i = 0; own != NULL && own[i] != NULL && i < WORDS_MAX; i++) {
		bool replaced = false;
		for (size_t k = 0; extra[k] != NULL; k++) {
			size_t n = strcspn(extra[k], "=") + 1;
			replaced = replaced || strncmp(own[i], extra[k], n) == 0;
		}
		if (!replaced)
			hf_words_add(&env, own[i]);
	}
	for (size_t k = 0; extra[k] != NULL; k++)
		hf_words_add(&env, extra[k]);
	return env.at;
}

int hf_host_run(struct hf_module_context *c, const struct hf_words *w, const char *const *extra_env,
	struct hf_proc_result *ret, struct hf_error *err)
{
	struct hf_proc_spec spec = { .argv = w->at, .umask = HF_PROC_KEEP_UMASK };
	if (extra_env != NULL)
		spec.env = env_join(c, extra_env);
	return hf_task_run(c, &spec, ret, err);
}

int hf_host_output(
	struct hf_module_context *c, const struct hf_words *w, struct hf_str *ret_out, struct hf_error *err)
{
	static const char *const plain[] = { "LC_ALL=C.UTF-8", "LANG=C.UTF-8", NULL };
	struct hf_proc_result ran;
	int r = hf_host_run(c, w, plain, &ran, err);
	if (r < 0)
		return r;
	if (ran.status != 0) {
		struct hf_str said = hf_str_trim(ran.err.n > 0 ? ran.err : ran.out);
		said.n = said.n > MESSAGE_MAX ? MESSAGE_MAX : said.n;
		return hf_fail(err, HF_E_TASK, "'%s' failed (rc %d): %.*s", hf_words_line(w), ran.status,
			HF_STR_ARG(said));
	}
	if (ret_out != NULL)
		*ret_out = ran.out;
	return 0;
}

int hf_host_must(struct hf_module_context *c, struct hf_change *change, const struct hf_words *w,
	const char *dir, const char *const *extra_env, struct hf_str *ret_out, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_proc_spec spec = { .argv = w->at, .dir = dir, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result ran;
	if (extra_env != NULL)
		spec.env = env_join(c, extra_env);
	int r = hf_task_run(c, &spec, &ran, err);
	if (r < 0)
		return r;
	if (ran.status != 0) {
		struct hf_str said = ran.err;
		hf_result_cstr(c, change, "cmd", hf_cmdline_join(a, (char *const *)(uintptr_t)w->at));
		hf_host_report(c, change, &ran);
		change->changed = false;
		while (said.n > 0 && strchr(" \t\r\n", said.p[said.n - 1]) != NULL)
			said.n--;
		return hf_fail(err, HF_E_TASK, "%.*s", HF_STR_ARG(said));
	}
	if (ret_out != NULL)
		*ret_out = ran.out;
	return 0;
}

int hf_host_program(struct hf_module_context *c, const char *name, const char **ret, struct hf_error *err)
{
	const char *found = name[0] == '/' ? name : hf_proc_which(hf_task_arena(c), name);
	if (found == NULL)
		return hf_fail(err, HF_E_TASK, "Failed to find required executable \"%s\" in paths", name);
	*ret = found;
	return 0;
}

void hf_host_report(struct hf_module_context *c, struct hf_change *change, const struct hf_proc_result *ran)
{
	struct hf_arena *a = hf_task_arena(c);
	hf_result_int(c, change, "rc", ran->status);
	hf_result_put(c, change, "stdout", hf_value_str(a, ran->out));
	hf_result_put(c, change, "stderr", hf_value_str(a, ran->err));
}

int hf_edit_open(
	struct hf_module_context *c, const char *path, mode_t mode, struct hf_edit *ret, struct hf_error *err)
{
	struct hf_edit e = { .path = path, .mode = mode, .before = HF_STR(""), .after = HF_STR("") };
	struct stat st;
	if (stat(path, &st) == 0) {
		int r = hf_fs_read(hf_task_arena(c), path, HF_EDIT_MAX, &e.before, err);
		if (r < 0)
			return r;
		e.existed = true;
		e.after = e.before;
	} else if (errno != ENOENT && errno != ENOTDIR) {
		return hf_fail_errno(err, HF_E_IO, "look at %s", path);
	}
	*ret = e;
	return 0;
}

struct hf_str hf_text_newlines(struct hf_arena *a, struct hf_str text)
{
	if (text.n == 0 || memchr(text.p, '\r', text.n) == NULL)
		return text;
	char *out = hf_alloc(a, text.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		bool pair = text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] == '\n';
		if (!pair)
			out[n++] = text.p[i] == '\r' ? '\n' : text.p[i];
	}
	out[n] = '\0';
	return hf_strn(out, n);
}

int hf_edit_open_text(
	struct hf_module_context *c, const char *path, mode_t mode, struct hf_edit *ret, struct hf_error *err)
{
	int r = hf_edit_open(c, path, mode, ret, err);
	if (r == 0)
		ret->before = ret->after = hf_text_newlines(hf_task_arena(c), ret->before);
	return r;
}

bool hf_edit_changed(const struct hf_edit *e)
{
	if (e->remove)
		return e->existed;
	return !hf_str_equal(e->before, e->after) || (!e->existed && e->after.n > 0);
}

void hf_edit_describe(struct hf_module_context *c, struct hf_change *change, const struct hf_edit *e)
{
	if (!hf_edit_changed(e))
		return;
	change->changed = true;
	hf_change_diff(c, change, e->path, e->before, e->remove ? "/dev/null" : e->path,
		e->remove ? HF_STR("") : e->after);
}

int hf_edit_write(const struct hf_edit *e, struct hf_error *err)
{
	if (!hf_edit_changed(e))
		return 0;
	if (e->remove) {
		if (unlink(e->path) < 0 && errno != ENOENT)
			return hf_fail_errno(err, HF_E_IO, "remove %s", e->path);
		return 0;
	}
	struct hf_fs_attr attr = HF_FS_KEEP;
	hf_auto_arena scratch = hf_arena_new();
	struct stat st;
	if (!e->existed) {
		attr.mode = e->mode;
		int r = hf_fs_mkdirs(hf_path_dir(scratch, e->path), 0755, err);
		if (r < 0)
			return r;
	}
	if (!e->link_gives_way)
		return hf_fs_replace(hf_file_realpath(scratch, e->path), e->after, attr, err);
	if (e->existed && stat(e->path, &st) == 0)
		attr = (struct hf_fs_attr){ st.st_mode & 07777, st.st_uid, st.st_gid, attr.sync };
	return hf_fs_replace(e->path, e->after, attr, err);
}

int hf_edit_undo(struct hf_undo *u, const struct hf_edit *e, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	if (!hf_edit_changed(e))
		return 0;
	bool itself = e->remove || e->link_gives_way;
	return hf_undo_file(u, itself ? e->path : hf_file_realpath(scratch, e->path), err);
}

void hf_edit_set(struct hf_module_context *c, struct hf_edit *e, const struct hf_buf *text)
{
	e->after = hf_buf_dup(hf_task_arena(c), text);
}

struct hf_value *hf_step(struct hf_module_context *c, const char *what)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_value_dict(a);
	hf_dict_put(step, "what", hf_value_cstr(a, what));
	return step;
}

const char *hf_step_text(const struct hf_value *step, const char *key)
{
	return hf_dict_cstr(step, key, "");
}

struct hf_value *hf_text_list(struct hf_arena *a, const char *first, ...)
{
	struct hf_value *list = hf_value_list(a);
	va_list args;
	va_start(args, first);
	for (const char *text = first; text != NULL && hf_list_len(list) < WORDS_MAX;
		text = va_arg(args, const char *))
		hf_list_append(list, hf_value_cstr(a, text));
	va_end(args);
	return list;
}

bool hf_list_has(const struct hf_value *list, const char *text)
{
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++)
		if (hf_is(hf_list_at(list, i), HF_STRING) &&
			strcmp(hf_list_at(list, i)->u.string.p, text) == 0)
			return true;
	return false;
}

struct hf_str hf_host_base64(struct hf_arena *a, struct hf_str data)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)data.p;
	size_t n = 0;
	char *out = hf_alloc(a, (data.n + 2) / 3 * 4 + 1);
	for (size_t i = 0; i < data.n; i += 3) {
		size_t left = data.n - i;
		unsigned word = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) |
				(left > 2 ? p[i + 2] : 0);
		out[n++] = digits[word >> 18];
		out[n++] = digits[word >> 12 & 63];
		out[n++] = left > 1 ? digits[word >> 6 & 63] : '=';
		out[n++] = left > 2 ? digits[word & 63] : '=';
	}
	out[n] = '\0';
	return hf_strn(out, n);
}
