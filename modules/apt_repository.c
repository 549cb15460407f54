/* modules/apt_repository.c - one-line sources in /etc/apt/sources.list and sources.list.d. */
#include <ctype.h>
#include <sys/stat.h>

#include "lib/base/scope.h"
#include "modules/apt.h"
#include "modules/file_mode.h"

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *repo, *state, *mode, *filename, *codename;
	int update_cache, validate_certs, install_python_apt;
	int64_t update_cache_retries, update_cache_retry_max_delay;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "repo", HF_ARG_STR, AT(repo), .flags = HF_REQUIRED },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ "mode", HF_ARG_MODE, AT(mode) },
	{ "update_cache", HF_ARG_BOOL, AT(update_cache), .dflt = "yes", .aliases = ALIASES("update-cache") },
	{ "update_cache_retries", HF_ARG_INT, AT(update_cache_retries), .dflt = "5" },
	{ "update_cache_retry_max_delay", HF_ARG_INT, AT(update_cache_retry_max_delay), .dflt = "12" },
	{ "validate_certs", HF_ARG_BOOL, AT(validate_certs), .dflt = "yes", .help = "for ppa: only" },
	{ "filename", HF_ARG_STR, AT(filename) },
	{ "codename", HF_ARG_STR, AT(codename), .help = "for ppa: only" },
	{ "install_python_apt", HF_ARG_BOOL, AT(install_python_apt), .dflt = "yes",
		.help = "nothing to install: no Python" },
	{ .type = HF_ARG_END },
};
#define MAIN_LIST "/etc/apt/sources.list"
#define PARTS     "/etc/apt/sources.list.d"
enum { FILES_MAX = 1000 };

struct files { /* grown by hf_vec_push() */
	struct hf_edit *at;
	size_t n, room;
};
struct state {
	struct files files; /* that change */
	const char *source; /* as it is compared: single blanks */
	bool found;
	const char *set_mode; /* a file that was there and gets a line: its mode is set as well */
	mode_t mode;
};

struct line {
	bool valid, enabled;
	const char *source, *comment;
	const char *bare; /* without what made it a comment, and its own */
};

static const char *single_blanks(struct hf_arena *a, struct hf_str text)
{
	char *out = hf_alloc(a, text.n + 1);
	size_t n = 0;
	text = hf_str_trim(text);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i] == '\t' ? ' ' : text.p[i];
		if (c != ' ' || n == 0 || out[n - 1] != ' ')
			out[n++] = c;
	}
	out[n] = '\0';
	return out;
}

static struct line line_parse(struct hf_arena *a, struct hf_str raw)
{
	struct line line = { .enabled = true, .comment = "" };
	struct hf_str text = hf_str_trim(raw);
	if (text.n > 0 && text.p[0] == '#') {
		line.enabled = false;
		text = hf_strn(text.p + 1, text.n - 1);
	}
	const char *hash = text.n == 0 ? NULL : memchr(text.p, '#', text.n);
	if (hash != NULL && hash > text.p) {
		line.comment =
			hf_str_dup(a, hf_str_trim(hf_strn(hash + 1, text.n - (size_t)(hash - text.p) - 1)));
		text.n = (size_t)(hash - text.p);
	}
	const char *source = single_blanks(a, text);
	line.bare = hf_str_dup(a, text);
	line.valid = strncmp(source, "deb ", 4) == 0 || strncmp(source, "deb-src ", 8) == 0;
	line.source = line.valid ? source : hf_str_dup(a, hf_str_trim(text));
	return line;
}

/* The address without scheme and user name, '_' for everything but letters and digits. */
static const char *file_name(struct hf_arena *a, const struct params *p, const char *source)
{
	if (p->filename != NULL)
		return hf_sprintf(a, "%s.list", p->filename);
	const char *text = strchr(source, ' ');
	text = text == NULL ? source : text + 1;
	if (text[0] == '[') {
		const char *close = strchr(text, ']');
		text = close == NULL ? text : close + 1 + strspn(close + 1, " ");
	}
	const char *mark = strstr(text, "://");
	text = mark == NULL ? text : mark + 3;
	const char *at = memchr(text, '@', strcspn(text, " "));
	text = at == NULL ? text : at + 1;
	char *out = hf_strndup(a, text, strcspn(text, " "));
	size_t n = 0;
	for (const char *q = out; *q != '\0'; q++) {
		if (isalnum((unsigned char)*q))
			out[n++] = *q;
		else if (n > 0 && out[n - 1] != '_')
			out[n++] = '_';
	}
	while (n > 0 && out[n - 1] == '_')
		n--;
	out[n] = '\0';
	return hf_sprintf(a, "%s.list", out);
}

/* One line that names our source, as it shall be. */
static void line_put(struct hf_buf *out, const struct line *line, struct hf_str raw, bool present)
{
	if (!present && line->enabled)
		return;
	if (present && !line->enabled)
		hf_buf_printf(
			out, "%s%s%s\n", line->source, line->comment[0] == '\0' ? "" : " # ", line->comment);
	else
		hf_buf_printf(out, "%.*s\n", HF_STR_ARG(raw));
}

/* Lines of one file: a disabled one is enabled, or an enabled one is taken out. */
static int file_plan(
	struct hf_module_context *c, struct state *s, const char *path, bool present, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_edit file;
	int r = hf_edit_open(c, path, 0644, &file, err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = file.before, raw;
	bool hit = false;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &raw)) {
		struct line line = line_parse(a, raw);
		bool ours = line.valid && strcmp(line.source, s->source) == 0;
		s->found = s->found || ours;
		hit = hit || (ours && line.enabled != present);
		if (ours)
			line_put(&out, &line, raw, present);
		else
			hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(raw));
	}
	if (!hit)
		return 0;
	file.remove = !present && out.n == 0;
	hf_edit_set(c, &file, &out);
	*hf_vec_push(a, &s->files) = file;
	return 0;
}

static int files_plan(struct hf_module_context *c, struct state *s, bool present, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	int r = hf_fs_exists(MAIN_LIST) ? file_plan(c, s, MAIN_LIST, present, err) : 0;
	hf_auto_dir dir = opendir(PARTS);
	for (int i = 0; r == 0 && dir != NULL && i < FILES_MAX; i++) {
		struct dirent *entry = readdir(dir);
		if (entry == NULL)
			break;
		if (hf_str_ends(hf_str(entry->d_name), ".list"))
			r = file_plan(c, s, hf_path_join(a, PARTS, entry->d_name), present, err);
	}
	return r;
}

static int source_add(
	struct hf_module_context *c, const struct params *p, struct state *s, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *name = file_name(a, p, s->source);
	struct hf_edit file;
	const char *path = hf_path_join(a, PARTS, name);
	struct stat st = { .st_mode = S_IFREG | 0644 };
	if (stat(path, &st) == 0 && p->mode != NULL)
		s->set_mode = path;
	s->mode = 0644;
	int r = p->mode == NULL ? 0 : hf_file_mode_parse(p->mode, st.st_mode, &s->mode, err);
	if (r == 0)
		r = hf_edit_open(c, path, s->mode, &file, err);
	if (r < 0)
		return r;
	bool newline = file.before.n > 0 && file.before.p[file.before.n - 1] != '\n';
	file.after =
		hf_str(hf_sprintf(a, "%.*s%s%s\n", HF_STR_ARG(file.before), newline ? "\n" : "", s->source));
	*hf_vec_push(a, &s->files) = file;
	return 0;
}

static int apt_repository_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	bool present = strcmp(p->state, "present") == 0;
	change->state = s;
	if (p->repo[0] == '\0')
		return hf_fail(err, HF_E_TASK, "Please set argument 'repo' to a non-empty value");
	if (strncmp(p->repo, "ppa:", 4) == 0)
		return hf_fail(err, HF_E_UNSUPPORTED,
			"apt_repository: ppa: needs Launchpad's interface; write the deb line instead");
	struct line line = line_parse(a, hf_str(p->repo));
	if (!line.valid || !line.enabled)
		return hf_fail(err, HF_E_TASK, "Invalid repository string: %s", line.bare);
	s->source = line.source;
	int r = files_plan(c, s, present, err);
	if (r == 0 && present && !s->found)
		r = source_add(c, p, s, err);
	struct hf_value *added = hf_value_list(a), *removed = hf_value_list(a);
	for (size_t i = 0; i < s->files.n; i++) {
		const struct hf_edit *file = &s->files.at[i];
		hf_edit_describe(c, change, file);
		if (!file->existed || file->remove)
			hf_list_append(file->remove ? removed : added, hf_value_cstr(a, file->path));
	}
	hf_result_cstr(c, change, "repo", p->repo);
	hf_result_cstr(c, change, "state", p->state);
	hf_result_put(c, change, "sources_added", added);
	hf_result_put(c, change, "sources_removed", removed);
	return r;
}

static int apt_repository_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->files.n; i++)
		r = hf_edit_write(&s->files.at[i], err);
	if (r == 0 && s->set_mode != NULL && chmod(s->set_mode, s->mode) < 0)
		r = hf_fail_errno(err, HF_E_IO, "chmod %s", s->set_mode);
	if (r < 0 || p->update_cache != HF_YES)
		return r;
	r = hf_apt_update(c, p->update_cache_retries, p->update_cache_retry_max_delay, 60, err);
	for (size_t i = 0; r < 0 && i < s->files.n;
		i++) { /* a source that cannot be read breaks every later update */
		struct hf_edit back = s->files.at[i];
		back.before = s->files.at[i].remove ? HF_STR("") : s->files.at[i].after;
		back.after = s->files.at[i].before;
		back.remove = !s->files.at[i].existed;
		back.existed = !s->files.at[i].remove;
		if (hf_edit_write(&back, NULL) < 0)
			return hf_wrap(err, "(and %s could not be put back)", back.path);
	}
	return r;
}

static int apt_repository_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	int r = 0;
	(void)c;
	(void)params;
	for (size_t i = 0; r == 0 && i < s->files.n; i++)
		r = hf_edit_undo(undo, &s->files.at[i], err);
	return r;
}

static void apt_repository_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_path(w, MAIN_LIST);
	hf_watch_tree(w, PARTS);
}

const struct hf_module hf_module_apt_repository = {
	.name = "apt_repository",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.check = apt_repository_check,
	.apply = apt_repository_apply,
	.undo = apt_repository_undo,
	.watch = apt_repository_watch,
};
