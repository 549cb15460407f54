/* holdfast apply: run playbooks on this host, with ansible-playbook's own arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/apply_print.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/engine/config.h"
#include "lib/engine/lint.h"
#include "lib/engine/run.h"
#include "modules/registry.h"

static const struct cli_option options[] = {
	{ "inventory", 'i', "SOURCE", "inventory file, folder or \"host,\" list; may be repeated" },
	{ "extra-vars", 'e', "VARS", "k=v, JSON or @file; may be repeated" },
	{ "tags", 't', "TAGS", "run only what is tagged so" },
	{ "skip-tags", 0, "TAGS", "leave out what is tagged so" },
	{ "limit", 'l', "PATTERN", "only these hosts of the inventory" },
	{ "check", 'C', NULL, "say what would change, change nothing" },
	{ "diff", 'D', NULL, "show what changes inside files" },
	{ "start-at-task", 0, "NAME", "begin at the task of this name" },
	{ "step", 0, NULL, "ask before each task" },
	{ "list-tasks", 0, NULL, "show the tasks and end" },
	{ "list-tags", 0, NULL, "show the tags and end" },
	{ "list-hosts", 0, NULL, "show the hosts and end" },
	{ "syntax-check", 0, NULL, "read everything, run nothing" },
	{ "strict", 0, NULL, "refuse if anything within reach is not there, whether it would run or not" },
	{ "flush-cache", 0, NULL, "forget kept facts" },
	{ "force-handlers", 0, NULL, "run handlers even if a task fails" },
	{ "become", 'b', NULL, "run tasks as another user" },
	{ "become-user", 0, "USER", "that user; root by default" },
	{ "become-method", 0, "METHOD", "accepted; holdfast sets the user itself" },
	{ "connection", 'c', "TYPE", "local: every host of the inventory is this machine" },
	{ "vault-password-file", 0, "FILE", "file or program with the vault password; may be repeated" },
	{ "vault-id", 0, "LABEL@FILE", "the same with a label; may be repeated" },
	{ "forks", 'f', "N", "accepted; there is one machine" },
	{ "fact-cache", 0, "FILE", "keep facts here between runs" },
	{ "roles-path", 0, "PATHS", "where roles are, colons between" },
	{ "collections-path", 0, "PATHS", "where collections are, colons between" },
	{ "no-lookups", 0, NULL,
		"refuse lookups, filters and tests that reach files, environment, network, programs" },
	{ "output", 'o', "FORMAT", "human (default) or jsonl: one object a line" },
	{ "verbose", 'v', NULL, "say more; up to -vvvv" },
	{ NULL, 0, NULL, NULL },
};

/* Asked on the terminal whatever standard output is. */
static const char *ask_text(void *data, struct hf_arena *a, const char *prompt, bool hide)
{
	struct termios before, quiet;
	char *line = NULL;
	size_t room = 0;
	(void)data;
	if (!isatty(STDIN_FILENO))
		return NULL;
	progress_hide();
	/* Before the prompt: who answers at once is neither seen nor lost. */
	bool hidden = hide && tcgetattr(STDIN_FILENO, &before) == 0;
	if (hidden) {
		quiet = before;
		quiet.c_lflag &= (tcflag_t)~ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	printf("%s", prompt);
	fflush(stdout);
	ssize_t n = getline(&line, &room, stdin);
	if (hidden) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		putchar('\n');
	}
	const char *answer = n < 0 ? NULL : hf_strndup(a, line, strcspn(line, "\r\n"));
	free(line);
	return answer;
}

static char ask_step(void *data, const char *task)
{
	char answer[16] = "";
	(void)data;
	progress_hide();
	printf("Perform task: TASK: %s (N)o/(y)es/(c)ontinue: ", task);
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) == NULL)
		return 'n';
	return answer[0] == 'y' || answer[0] == 'Y' ? 'y' : answer[0] == 'c' || answer[0] == 'C' ? 'c' : 'n';
}

static const char *const *joined(struct hf_arena *a, const char *const *x, const char *const *y)
{
	size_t n = 0, m = 0;
	while (x != NULL && x[n] != NULL)
		n++;
	while (y != NULL && y[m] != NULL)
		m++;
	if (n + m == 0)
		return NULL;
	const char **all = hf_new_array(a, n + m + 1, const char *);
	for (size_t i = 0; i < n + m; i++)
		all[i] = i < n ? x[i] : y[i - n];
	return all;
}

static void read_options(const struct cli_call *call, struct hf_run_options *o)
{
	*o = (struct hf_run_options){
		.registry = &hf_modules,
		.playbooks = call->arguments,
		.inventories = cli_values(call, "inventory"),
		.extra_vars = cli_values(call, "extra-vars"),
		.tags = cli_values(call, "tags"),
		.skip_tags = cli_values(call, "skip-tags"),
		.limit = cli_value(call, "limit", NULL),
		.start_at_task = cli_value(call, "start-at-task", NULL),
		.vault_password_files = joined(
			call->arena, cli_values(call, "vault-password-file"), cli_values(call, "vault-id")),
		.roles_path = cli_value(call, "roles-path", NULL),
		.collections_path = cli_value(call, "collections-path", NULL),
		.become_user = cli_value(call, "become-user", NULL),
		.become_method = cli_value(call, "become-method", NULL),
		.connection = cli_value(call, "connection", NULL),
		.fact_cache_file = cli_value(call, "fact-cache", NULL),
		.become = cli_given(call, "become"),
		.check = cli_given(call, "check"),
		.diff = cli_given(call, "diff"),
		.force_handlers = cli_given(call, "force-handlers"),
		.step = cli_given(call, "step"),
		.flush_cache = cli_given(call, "flush-cache"),
		.list_tasks = cli_given(call, "list-tasks"),
		.list_tags = cli_given(call, "list-tags"),
		.list_hosts = cli_given(call, "list-hosts"),
		.syntax_check = cli_given(call, "syntax-check"),
		.no_lookups = cli_given(call, "no-lookups"),
		.verbosity = (int)cli_count(call, "verbose"),
	};
}

/* Everything at once, so that one look mends it all. */
static int strict(const struct cli_call *call, struct hf_error *err)
{
	struct hf_lint_options o = { .registry = &hf_modules,
		.paths = call->arguments,
		.roles_path = cli_value(call, "roles-path", NULL),
		.collections_path = cli_value(call, "collections-path", NULL),
		.inventories = cli_values(call, "inventory") };
	struct hf_lint found;
	size_t n = 0;
	int r = hf_lint_run(call->arena, &o, &found, err);
	for (size_t i = 0; r == 0 && i < found.findings.n; i++) {
		const struct hf_lint_finding *f = found.findings.at[i];
		if (f->note)
			continue;
		n++;
		fprintf(stderr, "%s:%u:%u: %s\n", f->pos.file, f->pos.line, f->pos.column, f->text);
	}
	if (r == 0 && n > 0)
		return hf_fail(err, HF_E_PARSE,
			"--strict: %zu thing%s within reach %s not there; nothing was run", n,
			n == 1 ? "" : "s", n == 1 ? "is" : "are");
	return r;
}

static int run_apply(struct cli_call *call)
{
	const char *output = cli_value(call, "output", "human"),
		   *connection = cli_value(call, "connection", "local");
	if (strcmp(output, "human") != 0 && strcmp(output, "jsonl") != 0)
		return cli_usage(call, "--output is human or jsonl, not %s", output);
	if (strcmp(connection, "local") != 0)
		return cli_usage(call,
			"--connection %s: holdfast changes only the machine it runs on; local is meant",
			connection);
	struct apply_print print = {
		.jsonl = strcmp(output, "jsonl") == 0,
		.colour = cli_colour(STDOUT_FILENO),
		.terminal = isatty(STDOUT_FILENO) != 0,
		.verbosity = (int)cli_count(call, "verbose"),
		.started_ms = hf_time_monotonic_ms(),
	};
	struct hf_run_hooks hooks = {
		.data = &print, .event = apply_print_event, .step = ask_step, .ask = ask_text
	};
	struct hf_run_options o;
	struct hf_run_summary summary;
	struct hf_error err;
	struct hf_config config;
	read_options(call, &o);
	if (hf_config_read(call->arena, &o, ".", &config, &err) < 0) {
		cli_fail(call, &err);
		return CLI_PARSE;
	}
	print.hide_skipped = !hf_config_bool(config.show_skipped, true);
	print.hide_ok = !hf_config_bool(config.show_ok, true);
	int64_t level = 0;
	if (config.verbosity != NULL && hf_str_to_int64(hf_str(config.verbosity), &level) &&
		level > o.verbosity)
		print.verbosity = o.verbosity = level > 4 ? 4 : (int)level;
	o.hooks = &hooks;
	o.brief = print.verbosity < 1;
	if (cli_given(call, "strict") && strict(call, &err) < 0)
		return cli_fail(call, &err);
	apply_print_versions(&print, hf_config_path(call->arena));
	if (!print.jsonl && progress_possible())
		progress_start();
	int r = hf_run_playbooks(&o, &summary, &err);
	progress_stop();
	apply_print_done(&print);
	fflush(stdout);
	if (r < 0) {
		int status = cli_fail(call, &err);
		return summary.exit_status != 0 ? summary.exit_status : status;
	}
	return summary.exit_status;
}

const struct cli_command cli_command_apply = {
	.name = "apply",
	.summary = "run playbooks on this host",
	.arguments = "PLAYBOOK…",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 100,
	.run = run_apply,
	.details =
		"Takes ansible-playbook's own arguments. Exit status: 0 all is well, 1 it could not run, "
		"2 a host failed, "
		"4 a playbook is wrong. On a terminal a task that is still at work after two seconds is said "
		"(\"task 12 of 40 … 3 s\"), and what took more than a second says how long.",
};
