#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/module.h"
#include "modules/cmdline.h"

/* command and shell: one program, or one line for a shell. */
struct command {
	const char *raw, *cmd, *chdir, *executable, *creates, *removes;
	struct hf_value *argv;
	struct hf_str input;
	enum hf_tristate expand, add_newline, strip;
};

struct command_state {
	const char **argv;
	const char *dir;
};

#define COMMAND_COMMON                                                                                       \
	{ "_raw_params", HF_ARG_STR, offsetof(struct command, raw), .help = "The command, in free form." },  \
		{ "cmd", HF_ARG_STR, offsetof(struct command, cmd), .help = "The command to run." },         \
		{ "chdir", HF_ARG_PATH, offsetof(struct command, chdir),                                     \
			.help = "Change into this directory first." },                                       \
		{ "creates", HF_ARG_PATH, offsetof(struct command, creates),                                 \
			.help = "A path or pattern; when something matches, the command is not run." },      \
		{ "removes", HF_ARG_PATH, offsetof(struct command, removes),                                 \
			.help = "A path or pattern; when nothing matches, the command is not run." },        \
		{ "stdin", HF_ARG_TEXT, offsetof(struct command, input),                                     \
			.help = "Text for standard input." },                                                \
		{ "stdin_add_newline", HF_ARG_BOOL, offsetof(struct command, add_newline), .dflt = "true",   \
			.help = "Add a newline to stdin." },                                                 \
		{ "strip_empty_ends", HF_ARG_BOOL, offsetof(struct command, strip), .dflt = "true",          \
			.help = "Drop newlines at the end of stdout and stderr." },                          \
		{ "executable", HF_ARG_STR, offsetof(struct command, executable),                            \
			.help = "The shell to use (shell); command ignores it with a warning." },            \
	{                                                                                                    \
		"argv", HF_ARG_LIST, offsetof(struct command, argv),                                         \
			.elements = HF_ARG_STR, .help = "The command as a list of words, taken as they are." \
	}

static const struct hf_arg command_args[] = {
	COMMAND_COMMON,
	{ "expand_argument_vars", HF_ARG_BOOL, offsetof(struct command, expand), .dflt = "true",
		.help = "Expand $VARIABLES and ~ in the words." },
	{ .type = HF_ARG_END },
};
static const struct hf_arg shell_args[] = { COMMAND_COMMON, { .type = HF_ARG_END } };
static const char *const free_form_options[] = { "creates", "removes", "chdir", "executable", "warn", "stdin",
	"stdin_add_newline", "strip_empty_ends", NULL };

static int command_fail(struct hf_module_context *c, struct hf_change *change, int rc, const char *message,
	struct hf_error *err)
{
	hf_result_int(c, change, "rc", rc);
	return hf_fail(err, HF_E_TASK, "%s", message);
}

static bool blank(const char *s)
{
	return s == NULL || s[strspn(s, " \t\r\n")] == '\0';
}

/* What is given twice or not at all. */
static int command_given(
	struct hf_module_context *c, const struct command *p, struct hf_change *change, struct hf_error *err)
{
	bool raw = !blank(p->raw), cmd = !blank(p->cmd), argv = p->argv != NULL && hf_list_len(p->argv) > 0;
	if (!raw && !cmd && !argv)
		return command_fail(c, change, 256, "no command given", err);
	if (((raw || cmd) && argv) || (raw && cmd))
		return command_fail(c, change, 256, "only command or argv can be given, not both", err);
	return 0;
}

static char **argv_words(struct hf_arena *a, const struct hf_value *argv, size_t *ret_n)
{
	size_t n = argv != NULL ? hf_list_len(argv) : 0;
	char **words = hf_new_array(a, n + 1, char *);
	for (size_t i = 0; i < n; i++)
		words[i] = hf_str_dup(a, hf_value_text(a, hf_list_at(argv, i)));
	*ret_n = n;
	return words;
}

static void shell_argv(
	struct hf_arena *a, const struct command *p, const char *line, struct command_state *state)
{
	state->argv = hf_new_array(a, 4, const char *);
	state->argv[0] = p->executable != NULL ? p->executable : "/bin/sh";
	state->argv[1] = "-c";
	state->argv[2] = line;
}

/* The words to execute, and the result's "cmd": text for a shell, a list otherwise. */
static int command_words(struct hf_module_context *c, const struct command *p, bool shell,
	struct hf_change *change, struct command_state *state, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	int result = command_given(c, p, change, err);
	if (result < 0)
		return result;
	const char *line = !blank(p->raw) ? p->raw : p->cmd;
	size_t n;
	char **words = argv_words(a, p->argv, &n);
	if (shell && n == 0) {
		hf_result_cstr(c, change, "cmd", line);
		shell_argv(a, p, line, state);
		return 0;
	}
	if (n == 0 && hf_cmdline_split(a, line, &words, &n, err) < 0)
		return -HF_E_TASK;
	struct hf_value *shown = hf_value_list(a);
	for (size_t i = 0; i < n; i++) {
		hf_list_append(shown, hf_value_cstr(a, words[i]));
		if (p->expand == HF_YES && !shell)
			words[i] = hf_strdup(a, hf_cmdline_expand(a, words[i], hf_task_env(c)));
	}
	hf_result_put(c, change, "cmd", shown);
	state->argv = (const char **)words;
	if (shell)
		shell_argv(a, p, hf_cmdline_join(a, words), state);
	return 0;
}

/* Where a condition says there is nothing to do, the sentence that says so. */
static const char *command_needless(
	struct hf_module_context *c, const struct command *p, const char *dir, struct hf_change *change)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *did = hf_task_check_mode(c) ? "Would" : "Did";
	const char *path = NULL, *how = NULL;
	if (p->creates != NULL && hf_cmdline_glob(a, dir, p->creates)) {
		path = p->creates;
		how = "exists";
	} else if (p->removes != NULL && !hf_cmdline_glob(a, dir, p->removes)) {
		path = p->removes;
		how = "does not exist";
	}
	if (path == NULL)
		return NULL;
	const char *out = hf_sprintf(a, "skipped, since %s %s", path, how);
	hf_result_cstr(c, change, "stdout", out);
	hf_result_put(c, change, "stdout_lines", hf_cmdline_lines(a, hf_str(out)));
	return hf_sprintf(a, "%s not run command since '%s' %s", did, path, how);
}

static int command_look(struct hf_module_context *c, const struct command *p, bool shell,
	struct hf_change *change, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct command_state *state = change->state = hf_new(a, struct command_state);
	static const char *const promised[] = { "rc", "cmd", "start", "end", "delta" };
	hf_cmdline_report(c, change, &(struct hf_proc_result){ .out = HF_STR(""), .err = HF_STR("") }, false);
	for (size_t i = 0; i < HF_COUNT(promised); i++)
		hf_result_put(c, change, promised[i], hf_value_null(a));
	if (!shell && p->executable != NULL)
		hf_task_warn(c,
			"As of Ansible 2.4, the parameter 'executable' is no longer supported with the "
			"'command' module. Not using '%s'.",
			p->executable);
	int result = command_words(c, p, shell, change, state, err);
	if (result < 0)
		return result;
	state->dir = p->chdir != NULL ? hf_path_join(a, hf_task_dir(c), p->chdir) : hf_task_dir(c);
	if (p->chdir != NULL && (!hf_fs_is_dir(state->dir) || access(state->dir, X_OK) < 0)) {
		int number = hf_fs_is_dir(state->dir) ? EACCES : hf_fs_exists(state->dir) ? ENOTDIR : ENOENT;
		return hf_fail(err, HF_E_TASK,
			"Unable to change directory before execution: [Errno %d] %s: b'%s'", number,
			strerror(number), p->chdir);
	}
	const char *needless = command_needless(c, p, state->dir, change);
	if (needless != NULL) {
		hf_result_int(c, change, "rc", 0);
		hf_result_cstr(c, change, "msg", needless);
		return 0;
	}
	change->changed = true;
	change->unknown = p->creates == NULL && p->removes == NULL;
	if (hf_task_check_mode(c)) {
		hf_result_int(c, change, "rc", 0);
		hf_result_cstr(c, change, "msg", "Command would have run if not in check mode");
		change->skipped = p->creates == NULL && p->removes == NULL;
		change->changed = !change->skipped;
	}
	return 0;
}

/* The program could not even be started: Ansible's words for it. */
static int command_not_started(struct hf_module_context *c, struct hf_change *change,
	const struct command_state *state, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	int number = err->errnum != 0 ? err->errnum : ENOENT;
	if (strchr(state->argv[0], '/') != NULL && hf_fs_exists(hf_path_join(a, state->dir, state->argv[0])))
		number = EACCES;
	hf_result_cstr(c, change, "cmd", hf_cmdline_join(a, (char **)state->argv));
	hf_result_int(c, change, "rc", number);
	change->changed = false;
	return hf_fail(err, HF_E_TASK, "[Errno %d] %s: b'%s'", number, strerror(number), state->argv[0]);
}

static int command_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct command *p = params;
	const struct command_state *state = change->state;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str input = p->input;
	if (input.n > 0 && p->add_newline == HF_YES) {
		char *line = hf_strndup(a, input.p, input.n + 1);
		line[input.n] = '\n';
		input = hf_strn(line, input.n + 1);
	}
	struct hf_proc_spec spec = {
		.argv = state->argv, .dir = state->dir, .input = input, .umask = HF_PROC_KEEP_UMASK
	};
	struct hf_proc_result r;
	struct timeval start, end;
	gettimeofday(&start, NULL);
	int result = hf_task_run(c, &spec, &r, err);
	if (result == -HF_E_NOT_FOUND || result == -HF_E_IO)
		return command_not_started(c, change, state, err);
	if (result < 0)
		return result;
	gettimeofday(&end, NULL);
	hf_cmdline_report(c, change, &r, p->strip == HF_YES);
	hf_result_cstr(c, change, "start", hf_cmdline_moment(a, &start));
	hf_result_cstr(c, change, "end", hf_cmdline_moment(a, &end));
	hf_result_cstr(c, change, "delta", hf_cmdline_delta(a, &start, &end));
	if (r.timed_out)
		return hf_fail(err, HF_E_TASK, "the command did not end before its deadline and was stopped");
	if (r.status != 0)
		return hf_fail(err, HF_E_TASK, "non-zero return code");
	hf_result_cstr(c, change, "msg", "");
	return 0;
}

static int command_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return command_look(c, params, false, change, err);
}

static int shell_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return command_look(c, params, true, change, err);
}

static int command_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	hf_undo_impossible(undo, "what a command does is known to the command only");
	return 0;
}

static void command_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct command *p = params;
	if (p->creates != NULL && strpbrk(p->creates, "*?[") == NULL)
		hf_watch_path(w, p->creates);
}

const struct hf_module hf_module_command = {
	.name = "command",
	.collection = "ansible.builtin",
	.free_form_options = free_form_options,
	.schema = { command_args, NULL, sizeof(struct command) },
	.flags = HF_MODULE_FREE_FORM | HF_MODULE_NO_DIFF,
	.check = command_check,
	.apply = command_apply,
	.undo = command_undo,
	.watch = command_watch,
};

const struct hf_module hf_module_shell = {
	.name = "shell",
	.collection = "ansible.builtin",
	.free_form_options = free_form_options,
	.schema = { shell_args, NULL, sizeof(struct command) },
	.flags = HF_MODULE_FREE_FORM | HF_MODULE_NO_DIFF,
	.check = shell_check,
	.apply = command_apply,
	.undo = command_undo,
	.watch = command_watch,
};
