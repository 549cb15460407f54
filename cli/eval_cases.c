#include "cli/eval_cases.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/eval_jinja.h"
#include "cli/eval_play.h"
#include "cli/eval_value.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/engine/args.h"
#include "modules/registry.h"

enum { CASE_LINE_MAX = 64 << 20 };

/* --- the world a case sees --- */

static int world_variable(void *data, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	const struct eval_world *w = data;
	struct hf_value key = { .type = HF_STRING, .u.string = name };
	*ret = w->vars == NULL ? NULL : hf_dict_find(w->vars, &key);
	return 0;
}

static int world_names(void *data, struct hf_arena *a, struct hf_value **ret, struct hf_error *err)
{
	const struct eval_world *w = data;
	*ret = hf_value_list(a);
	if (w->vars != NULL)
		HF_DICT_EACH (w->vars, e)
			hf_list_append(*ret, hf_entry_key(e));
	return 0;
}

static int world_find(
	void *data, struct hf_arena *a, const char *kind, const char *name, char **ret, struct hf_error *err)
{
	const struct eval_world *w = data;
	const char *base = w->base == NULL ? "." : w->base;
	const char *const places[] = { hf_sprintf(a, "%s/%s/%s", base, kind, name),
		hf_sprintf(a, "%s/%s", base, name) };
	for (size_t i = 0; i < HF_COUNT(places); i++)
		if (hf_fs_exists(places[i])) {
			*ret = hf_path_normalize(a, places[i]);
			return 0;
		}
	return hf_fail(err, HF_E_NOT_FOUND, "could not locate file in lookup: %s", name);
}

static int world_lookup(void *data HF_UNUSED, struct hf_arena *a, const char *name,
	const struct hf_value *terms, const struct hf_value *options, struct hf_value **ret,
	struct hf_error *err)
{
	return hf_modules.lookup(a, name, terms, options, ret, err);
}

struct hf_templar *cli_eval_templar(struct hf_arena *a, struct eval_world *w)
{
	const struct hf_templar_source source = { .data = w,
		.sealed = w->sealed,
		.variable = world_variable,
		.names = world_names,
		.find_file = world_find,
		.lookup = world_lookup };
	return hf_templar_new(a, &source);
}

static struct hf_templar *case_templar(const struct eval_case *c)
{
	struct eval_world *w = hf_new(c->arena, struct eval_world);
	w->vars = c->vars;
	w->base = c->base;
	struct hf_templar *t = cli_eval_templar(c->arena, w);
	const char *password = hf_dict_cstr(c->options, "vault_password", NULL);
	if (password != NULL) {
		struct hf_vault *vault = hf_vault_new(c->arena);
		hf_vault_add(vault, NULL, hf_str(password));
		hf_templar_set_vault(t, vault);
	}
	return t;
}

/* --- engines --- */

static int case_file(
	const struct eval_case *c, struct hf_templar *t, struct hf_value **ret, struct hf_error *err)
{
	const char *base = c->base == NULL ? "." : c->base;
	const char *const search[] = { hf_sprintf(c->arena, "%s/templates", base), base, NULL };
	struct hf_str text = { 0 };
	const struct hf_templar_file how = {
		.path = hf_sprintf(c->arena, "%s/templates/case.j2", base),
		.search = search,
		.block_start = hf_dict_cstr(c->options, "block_start_string", NULL),
		.block_end = hf_dict_cstr(c->options, "block_end_string", NULL),
		.variable_start = hf_dict_cstr(c->options, "variable_start_string", NULL),
		.variable_end = hf_dict_cstr(c->options, "variable_end_string", NULL),
		.comment_start = hf_dict_cstr(c->options, "comment_start_string", NULL),
		.comment_end = hf_dict_cstr(c->options, "comment_end_string", NULL),
		.newline_sequence = hf_dict_cstr(c->options, "newline_sequence", NULL),
		.trim_blocks = hf_dict_bool(c->options, "trim_blocks", true),
		.lstrip_blocks = hf_dict_bool(c->options, "lstrip_blocks", false),
	};
	int r = hf_templar_file(t, c->arena, c->input->u.string, &how, NULL, &text, NULL, err);
	if (r == 0)
		*ret = hf_value_str(c->arena, text);
	return r;
}

static int engine_ansible(const struct eval_case *c, struct hf_value **ret, struct hf_error *err)
{
	struct hf_templar *t = case_templar(c);
	int r = strcmp(hf_dict_cstr(c->options, "mode", ""), "file") == 0
			? case_file(c, t, ret, err)
			: hf_templar_args(t, c->arena, c->input, NULL, ret, err);
	return r;
}

static int engine_when(const struct eval_case *c, struct hf_value **ret, struct hf_error *err)
{
	struct hf_templar *t = case_templar(c);
	bool holds = false;
	int r = hf_templar_condition(t, c->arena, c->input, NULL, &holds, err);
	if (r == 0)
		*ret = hf_value_bool(c->arena, holds);
	return r;
}

static int engine_yaml(const struct eval_case *c, struct hf_value **ret, struct hf_error *err)
{
	const struct hf_yaml_options options = { .plain = strcmp(hf_dict_cstr(c->options, "loader", ""),
								  "safe") == 0 };
	struct hf_value *v = NULL;
	int r = hf_dict_bool(c->options, "all", false)
			? hf_yaml_parse_all(c->arena, c->input->u.string, "input", &options, &v, err)
			: hf_yaml_parse(c->arena, c->input->u.string, "input", &options, &v, err);
	if (r == 0)
		*ret = cli_value_encode(c->arena, v, true);
	return r;
}

static int engine_split(const struct eval_case *c, struct hf_value **ret, struct hf_error *err)
{
	return hf_args_split(c->arena, c->input->u.string, ret, err);
}

static int engine_pairs(const struct eval_case *c, struct hf_value **ret, struct hf_error *err)
{
	return hf_args_pairs(
		c->arena, c->input->u.string, hf_dict_bool(c->options, "check_raw", false), NULL, ret, err);
}

/* The one task of a document that is a task or a list of one. */
static int task_read(const struct eval_case *c, struct hf_value **ret, struct hf_error *err)
{
	int r = hf_yaml_parse(c->arena, c->input->u.string, "input", NULL, ret, err);
	if (r == 0 && hf_is(*ret, HF_LIST) && hf_list_len(*ret) == 1)
		*ret = hf_list_at(*ret, 0);
	return r == 0 && !hf_is(*ret, HF_DICT) ? hf_fail(err, HF_E_PARSE, "a task is a mapping") : r;
}

static bool action_known(const void *data, const char *name)
{
	(void)data;
	return hf_action_is_known(name);
}

static int engine_task(const struct eval_case *c, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *task = NULL;
	struct hf_action action = { 0 };
	int r = task_read(c, &task, err);
	if (r == 0)
		r = hf_action_parse(c->arena, task, action_known, NULL, &action, err);
	if (r < 0)
		return r;
	struct hf_value *out = hf_value_dict(c->arena);
	hf_dict_put(out, "action",
		action.name == NULL ? hf_value_null(c->arena) : hf_value_cstr(c->arena, action.name));
	hf_dict_put(out, "args", action.args == NULL ? hf_value_dict(c->arena) : action.args);
	hf_dict_put(out, "delegate_to", action.delegate == NULL ? hf_value_null(c->arena) : action.delegate);
	*ret = out;
	return 0;
}

static int loop_with(const struct eval_case *c, struct hf_templar *t, const char *name,
	struct hf_value *terms, struct hf_value **ret, struct hf_error *err)
{
	const char *plugin = name + strlen("with_");
	if (strcmp(plugin, "first_found") != 0) {
		int r = hf_templar_value(t, c->arena, terms, NULL, &terms, err);
		if (r < 0)
			return r;
	}
	return hf_templar_lookup(t, c->arena, plugin, terms, NULL, NULL, ret, err);
}

static int engine_loop(const struct eval_case *c, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *task = NULL, *loop;
	int r = task_read(c, &task, err);
	if (r < 0)
		return r;
	struct hf_templar *t = case_templar(c);
	loop = hf_dict_get(task, "loop");
	r = loop == NULL ? hf_fail(err, HF_E_ARGUMENT, "the task has no loop") : 0;
	HF_DICT_EACH (task, e) {
		if (!hf_is(hf_entry_key(e), HF_STRING) || !hf_str_starts(hf_entry_key(e)->u.string, "with_"))
			continue;
		if (loop != NULL)
			return hf_fail(err, HF_E_ARGUMENT, "duplicate loop in task: %s",
				hf_entry_key(e)->u.string.p + strlen("with_"));
		r = loop_with(c, t, hf_entry_key(e)->u.string.p, hf_entry_value(e), ret, err);
	}
	if (hf_is(loop, HF_NULL)) { /* none, as in a play */
		*ret = loop;
	} else if (loop != NULL) {
		r = hf_templar_value(t, c->arena, loop, NULL, ret, err);
		if (r == 0 && (*ret)->type != HF_LIST)
			r = hf_fail(err, HF_E_ARGUMENT,
				"Invalid data passed to 'loop', it requires a list, got this instead: %s",
				hf_value_text(c->arena, *ret).p);
	}
	return r;
}

static const struct engine_row {
	const char *name;
	eval_engine fn;
	const char *parse_error; /* kind of HF_E_PARSE */
	bool encoded;            /* the result is JSON already */
} engines[] = {
	{ "ansible", engine_ansible, "syntax", false },
	{ "when", engine_when, "syntax", false },
	{ "yaml", engine_yaml, "yaml", true },
	{ "split_args", engine_split, "parse", false },
	{ "parse_kv", engine_pairs, "parse", false },
	{ "task_parse", engine_task, "parse", false },
	{ "loop_items", engine_loop, "parse", false },
	{ "play", cli_eval_play, "runtime", false },
};

/* --- one line --- */

static const char *error_kind(const struct engine_row *row, const struct hf_error *err)
{
	switch (err->code) {
	case HF_E_PARSE:
		return row->parse_error;
	case HF_E_UNDEFINED:
		return "undefined";
	case HF_E_NOT_FOUND:
		return "notfound";
	default:
		return strcmp(row->parse_error, "syntax") == 0 ? "runtime" : row->parse_error;
	}
}

static int case_run(struct hf_arena *a, struct hf_value *whole, const struct engine_row **ret_row,
	struct hf_value **ret, struct hf_error *err)
{
	struct eval_case c = { .arena = a, .whole = whole, .engine = hf_dict_cstr(whole, "engine", "") };
	struct hf_value *input = hf_dict_get(whole, "template");
	*ret_row = &engines[0];
	for (size_t i = 0; i < HF_COUNT(engines); i++)
		if (strcmp(engines[i].name, c.engine) == 0)
			*ret_row = &engines[i];
	if (strcmp((*ret_row)->name, c.engine) != 0)
		return hf_fail(err, HF_E_UNSUPPORTED, "no engine '%s'", c.engine);
	input = input != NULL ? input : hf_dict_get(whole, "input");
	if (input == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "no template or input");
	c.base = hf_dict_cstr(whole, "basedir", NULL);
	c.options = hf_dict_get(whole, "opts");
	struct hf_value *vars = hf_dict_get(whole, "vars");
	int r = cli_value_decode(a, input, &c.input, err);
	if (r == 0 && vars != NULL)
		r = cli_value_decode(a, vars, &c.vars, err);
	if (r == 0)
		r = (*ret_row)->fn(&c, ret, err);
	if (r == 0 && !(*ret_row)->encoded)
		*ret = cli_value_encode(a, *ret, false);
	return r;
}

static void line_answer(struct hf_arena *a, struct hf_str line, struct hf_buf *out)
{
	struct hf_error err = { 0 };
	struct hf_value *whole = NULL, *result = NULL, *answer = hf_value_dict(a);
	const struct engine_row *row = &engines[0];
	int r = hf_json_loads(a, line, &whole, &err);
	if (r == 0 && whole->type != HF_DICT)
		r = hf_fail(&err, HF_E_PARSE, "a case is an object");
	if (r == 0) {
		struct hf_value *id = hf_dict_get(whole, "id");
		hf_dict_put(answer, "id", id == NULL ? hf_value_null(a) : id);
		if (strcmp(hf_dict_cstr(whole, "engine", ""), "jinja2") == 0) {
			row = NULL;
			r = cli_eval_jinja(a, whole, &result, &err);
		} else {
			r = case_run(a, whole, &row, &result, &err);
		}
	}
	if (r == 0 && row == NULL) { /* an answer of its own: result, or error and message */
		HF_DICT_EACH (result, e)
			hf_dict_set(answer, hf_entry_key(e), hf_entry_value(e));
		r = hf_json_write(out, answer, &HF_JSON_PYTHON, &err);
	} else if (r == 0) {
		hf_dict_put(answer, "result", result);
		r = hf_json_write(out, answer, &HF_JSON_PYTHON, &err);
	}
	if (r < 0) {
		char message[HF_ERROR_TEXT_MAX + 512];
		hf_buf_clear(out);
		hf_dict_remove(answer, "result");
		hf_dict_put(
			answer, "error", hf_value_cstr(a, row == NULL ? "runtime" : error_kind(row, &err)));
		hf_dict_put(
			answer, "message", hf_value_cstr(a, hf_error_print(&err, message, sizeof(message))));
		if (hf_json_write(out, answer, &HF_JSON_PYTHON, &err) < 0)
			hf_buf_puts(out, "{\"error\": \"runtime\"}");
	}
	hf_buf_put(out, '\n');
}

int cli_eval_cases(void)
{
	hf_auto_free char *line = NULL;
	hf_auto_buf out = hf_buf_init(CASE_LINE_MAX * 2);
	size_t room = 0;
	ssize_t n;
	while ((n = getline(&line, &room, stdin)) > 0) {
		hf_auto_arena a = hf_arena_new();
		hf_buf_clear(&out);
		line_answer(a, hf_strn(line, (size_t)n), &out);
		fwrite(hf_buf_str(&out).p, 1, out.n, stdout);
		if (fflush(stdout) != 0)
			return 1;
	}
	return ferror(stdin) ? 1 : 0;
}
