#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/module.h"
#include "modules/cmdline.h"

/* script: a file of the release, run on this host. raw: a line for a shell and nothing else. */
struct script {
	const char *raw, *cmd, *creates, *removes, *chdir, *executable;
	enum hf_tristate decrypt;
};

struct script_state {
	const char *source, *word; /* the file, and how the playbook wrote it */
};

static const struct hf_arg script_args[] = {
	{ "_raw_params", HF_ARG_STR, offsetof(struct script, raw),
		.help = "The script and its arguments, in free form." },
	{ "cmd", HF_ARG_STR, offsetof(struct script, cmd), .help = "The script and its arguments." },
	{ "chdir", HF_ARG_STR, offsetof(struct script, chdir), .help = "Absolute directory to run it in." },
	{ "creates", HF_ARG_STR, offsetof(struct script, creates), .help = "Skip when this path exists." },
	{ "removes", HF_ARG_STR, offsetof(struct script, removes),
		.help = "Skip when this path does not exist." },
	{ "executable", HF_ARG_STR, offsetof(struct script, executable),
		.help = "Program to run the script with." },
	{ "decrypt", HF_ARG_BOOL, offsetof(struct script, decrypt), .dflt = "true",
		.help = "Decrypt a vaulted script." },
	{ .type = HF_ARG_END },
};
static const struct hf_arg raw_args[] = {
	{ "_raw_params", HF_ARG_STR, offsetof(struct script, raw), .help = "The line, in free form." },
	{ "executable", HF_ARG_STR, offsetof(struct script, executable), .dflt = "/bin/sh",
		.help = "The shell." },
	{ .type = HF_ARG_END },
};
static const char *const free_form_options[] = { "creates", "removes", "chdir", "executable", "decrypt",
	NULL };
static const char *const raw_options[] = { "executable", NULL };

static int script_skip(
	struct hf_module_context *c, struct hf_change *change, const char *path, const char *how)
{
	change->skipped = true;
	hf_result_cstr(c, change, "msg", hf_sprintf(hf_task_arena(c), "%s %s", path, how));
	return 0;
}

static bool given(const char *text)
{
	return text != NULL && *text != '\0';
}

/* Path and words of the reason to leave it alone; NULL when there is none. */
static const char *script_needless(struct hf_module_context *c, const struct script *p, const char **ret_how)
{
	if (given(p->creates) && hf_cmdline_glob(hf_task_arena(c), hf_task_dir(c), p->creates)) {
		*ret_how = "exists, matching creates option";
		return p->creates;
	}
	if (given(p->removes) && !hf_cmdline_glob(hf_task_arena(c), hf_task_dir(c), p->removes)) {
		*ret_how = "does not exist, matching removes option";
		return p->removes;
	}
	return NULL;
}

static int script_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct script *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct script_state *state = change->state = hf_new(a, struct script_state);
	const char *line = p->raw != NULL ? p->raw : p->cmd, *how;
	if (line == NULL)
		return hf_fail(err, HF_E_TASK, "one of the following is required: _raw_params, cmd");
	const char *needless = script_needless(c, p, &how);
	if (needless != NULL)
		return script_skip(c, change, needless, how);
	if (p->chdir != NULL && *p->chdir != '/')
		return hf_fail(err, HF_E_TASK,
			"chdir %s must be an absolute path for a Unix-aware remote node", p->chdir);
	char **words, *source;
	size_t n;
	if (hf_cmdline_split(a, line, &words, &n, err) < 0)
		return -HF_E_TASK;
	if (n == 0)
		return hf_fail(err, HF_E_TASK, "no script given");
	int result = hf_task_find(c, "files", words[0], &source, err);
	if (result < 0)
		return result;
	*state = (struct script_state){ source, words[0] };
	change->changed = true;
	change->unknown = true;
	if (hf_task_check_mode(c) && !given(p->creates) && !given(p->removes)) {
		change->changed = false;
		return script_skip(c, change, "Check mode", "is not supported for this task.");
	}
	return 0;
}

/* The line with every mention of the script replaced by the place it was copied to. */
static const char *script_line(struct hf_arena *a, const char *line, const char *word, const char *place)
{
	hf_auto_buf out = hf_buf_init(1 << 24);
	size_t n = strlen(word);
	for (const char *p = line; *p != '\0';) {
		if (n > 0 && strncmp(p, word, n) == 0) {
			hf_buf_puts(&out, place);
			p += n;
		} else {
			hf_buf_put(&out, *p++);
		}
	}
	return hf_str_dup(a, hf_str_trim(hf_buf_str(&out)));
}

static int script_finish(struct hf_module_context *c, struct hf_change *change,
	const struct hf_proc_result *r, struct hf_error *err)
{
	hf_cmdline_report(c, change, r, false);
	if (r->timed_out)
		return hf_fail(err, HF_E_TASK, "the command did not end before its deadline and was stopped");
	if (r->status != 0)
		return hf_fail(err, HF_E_TASK, "non-zero return code");
	return 0;
}

static int script_run(struct hf_module_context *c, const struct script *p, const struct script_state *state,
	const char *dir, struct hf_change *change, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	char *place = hf_path_join(a, dir, hf_path_base(state->source));
	struct hf_str text;
	bool secret;
	int result = hf_task_read(c, state->source, p->decrypt == HF_NO, &text, &secret, err);
	if (result < 0)
		return result;
	/* Open to the user the task becomes; nobody else can list the directory to learn its random name's
	 * content. */
	struct hf_fs_attr attr = { 0755, HF_KEEP_UID, HF_KEEP_GID, false };
	if (chmod(dir, 0711) < 0)
		return hf_fail_errno(err, HF_E_IO, "set mode of %s", dir);
	result = hf_fs_replace(place, text, attr, err);
	if (result < 0)
		return result;
	const char *line = script_line(a, p->raw != NULL ? p->raw : p->cmd, state->word, place);
	if (p->executable != NULL)
		line = hf_sprintf(a, "%s %s", p->executable, line);
	const char *argv[] = { "/bin/sh", "-c", line, NULL };
	struct hf_proc_spec spec = {
		.argv = argv, .dir = p->chdir != NULL ? p->chdir : hf_task_dir(c), .umask = HF_PROC_KEEP_UMASK
	};
	struct hf_proc_result r;
	result = hf_task_run(c, &spec, &r, err);
	return result < 0 ? result : script_finish(c, change, &r, err);
}

static int script_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	char *dir;
	int result = hf_cmdline_temp_dir(hf_task_arena(c), "script", &dir, err);
	if (result < 0)
		return result;
	result = script_run(c, params, change->state, dir, change, err);
	struct hf_error ignored;
	(void)!hf_fs_remove_tree(dir, result < 0 ? &ignored : err);
	return result;
}

static int script_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	hf_undo_impossible(undo, "what a script does is known to the script only");
	return 0;
}

static int raw_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct script *p = params;
	if (p->raw == NULL || *p->raw == '\0')
		return hf_fail(err, HF_E_TASK, "no command given");
	change->changed = !hf_task_check_mode(c);
	change->skipped = hf_task_check_mode(c);
	change->unknown = true;
	return 0;
}

static int raw_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct script *p = params;
	const char *argv[] = { p->executable, "-c", p->raw, NULL };
	struct hf_proc_spec spec = { .argv = argv, .dir = hf_task_dir(c), .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result r;
	int result = hf_task_run(c, &spec, &r, err);
	return result < 0 ? result : script_finish(c, change, &r, err);
}

static int script_inputs(
	struct hf_module_context *c, const void *params, struct hf_inputs *inputs, struct hf_error *err)
{
	const struct script *p = params;
	char **words;
	size_t n;
	const char *line = given(p->raw) ? p->raw : p->cmd;
	struct hf_error ignored; /* check says what is wrong with the line */
	if (given(line) && hf_cmdline_split(hf_task_arena(c), line, &words, &n, &ignored) == 0 && n > 0)
		hf_input_source(c, inputs, "files", words[0]);
	return 0;
}

static void script_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct script *p = params;
	(void)c;
	if (given(p->creates) && strpbrk(p->creates, "*?[") == NULL)
		hf_watch_path(w, p->creates);
}

const struct hf_module hf_module_script = {
	.name = "script",
	.collection = "ansible.builtin",
	.free_form_options = free_form_options,
	.schema = { script_args, NULL, sizeof(struct script) },
	.flags = HF_MODULE_FREE_FORM | HF_MODULE_NO_DIFF,
	.inputs = script_inputs,
	.check = script_check,
	.apply = script_apply,
	.undo = script_undo,
	.watch = script_watch,
};

const struct hf_module hf_module_raw = {
	.name = "raw",
	.collection = "ansible.builtin",
	.free_form_options = raw_options,
	.schema = { raw_args, NULL, sizeof(struct script) },
	.flags = HF_MODULE_FREE_FORM | HF_MODULE_NO_DIFF,
	.check = raw_check,
	.apply = raw_apply,
	.undo = script_undo,
};
