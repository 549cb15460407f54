/* What modules ask of the task that runs them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/engine/become.h"

enum { SOURCE_MAX = 256 << 20, WARNINGS_MAX = 1000 };
extern char **environ;

/* The context is the task; the cast is here and nowhere else. */
static struct hf_task *task(const struct hf_module_context *c)
{
	return (struct hf_task *)(uintptr_t)c;
}

struct hf_arena *hf_task_arena(struct hf_module_context *c)
{
	return task(c)->arena;
}

bool hf_task_check_mode(const struct hf_module_context *c)
{
	return task(c)->check;
}

bool hf_task_acts(const struct hf_module_context *c)
{
	return !task(c)->run->options->go_on || task(c)->node->handler;
}

bool hf_task_awaited(const struct hf_module_context *c)
{
	const struct hf_run *run = task(c)->run;
	return run->options->go_on && !run->options->plan && run->hooks->differs != NULL &&
	       task(c)->resource != NULL;
}

void hf_task_differs(struct hf_module_context *c, struct hf_value *before, struct hf_value *after)
{
	struct hf_task *t = task(c);
	struct hf_change change = { .diff = hf_value_list(t->arena) };
	if (!hf_task_awaited(c))
		return;
	hf_change_diff_values(c, &change, before, after);
	hf_become_raise(t);
	t->run->hooks->differs(t->run->hooks->data, t->resource,
		hf_list_len(change.diff) == 0 ? NULL : hf_list_at(change.diff, 0));
	hf_become_lower(t);
}

bool hf_task_diff(const struct hf_module_context *c)
{
	return task(c)->diff && !task(c)->no_log;
}

int hf_task_yaml(struct hf_module_context *c, struct hf_str text, const char *path, struct hf_value **ret,
	struct hf_error *err)
{
	return hf_load_parse(&task(c)->run->loader, task(c)->arena, text, path, ret, err);
}

int hf_task_verbosity(const struct hf_module_context *c)
{
	return task(c)->run->options->verbosity;
}

bool hf_task_told(const struct hf_module_context *c)
{
	const struct hf_task *t = task(c);
	return !t->run->options->brief || t->node->kw[HF_KW_register] != NULL;
}

const struct hf_value *hf_task_facts(struct hf_module_context *c)
{
	return task(c)->host->run->facts;
}

const char *hf_task_name(const struct hf_module_context *c)
{
	return task(c)->title;
}

struct hf_pos hf_task_pos(const struct hf_module_context *c)
{
	return task(c)->node->pos;
}

/* Where the user that the task becomes may not enter the playbook's folder, its home, else /tmp, as Ansible's
 * modules go to where they may work. */
const char *hf_task_dir(const struct hf_module_context *c)
{
	const struct hf_task *t = task(c);
	const char *dir = t->node->play->node.dir, *home = getenv("HOME");
	if (dir == NULL)
		dir = t->run->loader.base;
	if (!t->forked || t->become_uid == 0 || faccessat(AT_FDCWD, dir, X_OK, AT_EACCESS) == 0)
		return dir;
	return home != NULL && faccessat(AT_FDCWD, home, X_OK, AT_EACCESS) == 0 ? home : "/tmp";
}

bool hf_task_given(const struct hf_module_context *c, const char *option)
{
	return task(c)->given != NULL && hf_dict_get(task(c)->given, option) != NULL;
}

bool hf_task_null(const struct hf_module_context *c, const char *option)
{
	return hf_is(hf_dict_get(task(c)->args, option), HF_NULL);
}

const char *const *hf_task_env(struct hf_module_context *c)
{
	struct hf_task *t = task(c);
	if (t->env != NULL)
		return t->env;
	HF_VEC(const char *) out = { 0 };
	for (char **e = environ; *e != NULL; e++) {
		size_t n = strcspn(*e, "=");
		bool replaced = t->environment != NULL &&
				hf_dict_get(t->environment, hf_strndup(t->arena, *e, n)) != NULL;
		if (!replaced)
			*hf_vec_push(t->arena, &out) = *e;
	}
	if (t->environment != NULL) {
		HF_DICT_EACH (t->environment, e)
			*hf_vec_push(t->arena, &out) =
				hf_sprintf(t->arena, "%s=%s", hf_value_text(t->arena, hf_entry_key(e)).p,
					hf_value_text(t->arena, hf_entry_value(e)).p);
	}
	*hf_vec_push(t->arena, &out) = NULL;
	t->env = out.at;
	return t->env;
}

int hf_task_run(struct hf_module_context *c, const struct hf_proc_spec *spec, struct hf_proc_result *ret,
	struct hf_error *err)
{
	struct hf_task *t = task(c);
	struct hf_proc_spec own = *spec;
	if (own.env == NULL)
		own.env = hf_task_env(c);
	uint64_t now = hf_time_monotonic_ms(), end = t->deadline_ms;
	if (t->run->deadline_ms != 0 && (end == 0 || t->run->deadline_ms < end))
		end = t->run->deadline_ms;
	if (own.timeout_ms == 0 && end != 0)
		own.timeout_ms = end <= now ? 1 : (uint32_t)(end - now);
	return hf_proc_run(t->arena, &own, ret, err);
}

int hf_task_find(
	struct hf_module_context *c, const char *sub, const char *name, char **ret_path, struct hf_error *err)
{
	struct hf_task *t = task(c);
	hf_become_raise(t);
	int r = hf_search_file(t->run, t->node, t->arena, sub, name, ret_path, err);
	hf_become_lower(t);
	/* Templates are read by hf_task_read(), which may. */
	return r < 0 || (sub != NULL && strcmp(sub, "templates") == 0) ? r : hf_become_lend(t, ret_path, err);
}

int hf_task_stat(struct hf_module_context *c, const char *path, struct stat *ret, struct hf_error *err)
{
	hf_become_raise(task(c));
	int r = stat(path, ret) < 0 ? hf_fail(err, HF_E_TASK, "Source %s not found", path) : 0;
	hf_become_lower(task(c));
	return r;
}

int hf_task_read(struct hf_module_context *c, const char *path, bool raw, struct hf_str *ret,
	bool *ret_secret, struct hf_error *err)
{
	struct hf_task *t = task(c);
	struct hf_str text;
	hf_become_raise(t);
	int r = hf_fs_read(t->arena, path, SOURCE_MAX, &text, err);
	hf_become_lower(t);
	if (r < 0)
		return r;
	bool secret = !raw && hf_vault_is_envelope(text);
	if (secret)
		r = hf_vault_decrypt(t->arena, t->run->vault, text, &text, err);
	if (r < 0)
		return hf_wrap(err, "%s", path);
	if (ret_secret != NULL)
		*ret_secret = secret;
	*ret = text;
	return 0;
}

static const char *option_text(const struct hf_value *options, const char *key)
{
	return options == NULL ? NULL : hf_dict_cstr(options, key, NULL);
}

static int option_switch(const struct hf_value *options, const char *key)
{
	const struct hf_value *v = options == NULL ? NULL : hf_dict_get(options, key);
	return hf_is(v, HF_BOOL) ? (v->u.boolean ? HF_YES : HF_NO) : HF_UNSET;
}

int hf_task_render(struct hf_module_context *c, struct hf_str source, const char *path,
	const struct hf_value *options, struct hf_str *ret, bool *ret_secret, struct hf_error *err)
{
	struct hf_task *t = task(c);
	struct hf_value *dirs = hf_search_dirs(t->run, t->node, t->arena, "templates");
	const char **search = hf_new_array(t->arena, hf_list_len(dirs) + 2, const char *);
	search[0] = path == NULL ? "." : hf_path_dir(t->arena, path);
	for (size_t i = 0; i < hf_list_len(dirs); i++)
		search[i + 1] = hf_list_at(dirs, i)->u.string.p;
	struct hf_templar_file how = {
		.path = path,
		.search = search,
		.dest = option_text(options, "dest"),
		.block_start = option_text(options, "block_start_string"),
		.block_end = option_text(options, "block_end_string"),
		.variable_start = option_text(options, "variable_start_string"),
		.variable_end = option_text(options, "variable_end_string"),
		.comment_start = option_text(options, "comment_start_string"),
		.comment_end = option_text(options, "comment_end_string"),
		.newline_sequence = option_text(options, "newline_sequence"),
		.trim_blocks = option_switch(options, "trim_blocks"),
		.lstrip_blocks = option_switch(options, "lstrip_blocks"),
	};
	t->run->scope = &t->scope;
	hf_become_raise(t);
	int r = hf_templar_file(t->run->templar, t->arena, source, &how, NULL, ret, ret_secret, err);
	hf_become_lower(t);
	return r;
}

int hf_task_evaluate(
	struct hf_module_context *c, struct hf_str expression, struct hf_value **ret, struct hf_error *err)
{
	struct hf_task *t = task(c);
	t->run->scope = &t->scope;
	hf_become_raise(t);
	int r = hf_templar_expression(t->run->templar, t->arena, expression, t->node->pos, NULL, ret, err);
	hf_become_lower(t);
	return r;
}

int hf_task_condition(
	struct hf_module_context *c, const struct hf_value *condition, bool *ret, struct hf_error *err)
{
	struct hf_task *t = task(c);
	t->run->scope = &t->scope;
	int r = hf_templar_condition(t->run->templar, t->arena, condition, NULL, ret, err);
	if (r == 0 || hf_is(condition, HF_LIST))
		return r;
	struct hf_str text = hf_value_text(t->arena, condition);
	return hf_wrap(err, "The conditional check '%.*s' failed. The error was", HF_STR_ARG(text));
}

void hf_task_warn(struct hf_module_context *c, const char *format, ...)
{
	struct hf_task *t = task(c);
	va_list args;
	va_start(args, format);
	char *text = hf_vsprintf(t->arena, format, args);
	va_end(args);
	if (t->warnings == NULL)
		t->warnings = hf_value_list(t->arena);
	if (hf_list_len(t->warnings) < WARNINGS_MAX)
		hf_list_append(t->warnings, hf_value_cstr(t->arena, text));
}

void hf_task_secret(struct hf_module_context *c, struct hf_str secret)
{
	hf_secret_add(task(c)->run, secret);
}

/* --- changes --- */

void hf_change_diff(struct hf_module_context *c, struct hf_change *change, const char *before_header,
	struct hf_str before, const char *after_header, struct hf_str after)
{
	if (!hf_task_diff(c))
		return;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *d = hf_value_dict(a);
	if (before_header != NULL)
		hf_dict_put(d, "before_header", hf_value_cstr(a, before_header));
	if (after_header != NULL)
		hf_dict_put(d, "after_header", hf_value_cstr(a, after_header));
	hf_dict_put(d, "before", hf_value_str(a, before));
	hf_dict_put(d, "after", hf_value_str(a, after));
	hf_list_append(change->diff, d);
}

void hf_change_diff_values(struct hf_module_context *c, struct hf_change *change, struct hf_value *before,
	struct hf_value *after)
{
	if (!hf_task_diff(c))
		return;
	struct hf_value *d = hf_value_dict(hf_task_arena(c));
	hf_dict_put(d, "before", before);
	hf_dict_put(d, "after", after);
	hf_list_append(change->diff, d);
}

void hf_result_put(struct hf_module_context *c HF_UNUSED, struct hf_change *change, const char *key,
	struct hf_value *value)
{
	hf_dict_put(change->result, key, value);
}

void hf_result_cstr(struct hf_module_context *c, struct hf_change *change, const char *key, const char *text)
{
	hf_dict_put(change->result, key,
		text == NULL ? hf_value_null(hf_task_arena(c)) : hf_value_cstr(hf_task_arena(c), text));
}

void hf_result_int(struct hf_module_context *c, struct hf_change *change, const char *key, int64_t number)
{
	hf_dict_put(change->result, key, hf_value_int(hf_task_arena(c), number));
}

void hf_result_bool(struct hf_module_context *c, struct hf_change *change, const char *key, bool b)
{
	hf_dict_put(change->result, key, hf_value_bool(hf_task_arena(c), b));
}
