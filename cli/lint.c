/* holdfast lint: what playbooks, roles and collections name that holdfast has not. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/lint.h"
#include "modules/registry.h"

enum { TEXT_MAX = 256 << 20 };

static const struct cli_option options[] = {
	{ "json", 0, NULL, "one JSON document instead of text" },
	{ "all", 'a', NULL, "also molecule, tests, docs and examples" },
	{ "quiet", 'q', NULL, "the verdicts only" },
	{ "roles-path", 0, "PATHS", "where else roles are, colons between" },
	{ "collections-path", 0, "PATHS", "where collections are, colons between" },
	{ 0 },
};

static const char *place(struct hf_arena *a, struct hf_pos pos)
{
	char here[4096];
	size_t n = getcwd(here, sizeof(here)) == NULL ? 0 : strlen(here);
	const char *file = pos.file;
	if (n > 1 && strncmp(file, here, n) == 0 && file[n] == '/')
		file += n + 1;
	return pos.line == 0 ? file : hf_sprintf(a, "%s:%u:%u", file, pos.line, pos.column);
}

static const char *path_shown(struct hf_arena *a, const char *path)
{
	return place(a, (struct hf_pos){ path, 0, 0 });
}

/* --- as text --- */

static void print_findings(struct hf_arena *a, const struct hf_lint_unit *u)
{
	for (size_t i = 0; i < u->findings.n; i++) {
		const struct hf_lint_seen *s = &u->findings.at[i];
		printf("  %s: %s: %s%s\n", place(a, s->finding->pos), s->finding->kind, s->finding->text,
			s->finding->note ? " (a note)"
			: s->sure        ? ""
					 : " (only when reached)");
	}
}

static void print_text(const struct cli_call *call, const struct hf_lint *found)
{
	struct hf_arena *a = call->arena;
	size_t count[3] = { 0 };
	for (size_t i = 0; i < found->units.n; i++) {
		const struct hf_lint_unit *u = found->units.at[i];
		count[u->verdict]++;
		printf("%s %s: %s\n", u->kind, path_shown(a, u->path), hf_lint_verdict_word(u->verdict));
		if (!cli_given(call, "quiet"))
			print_findings(a, u);
	}
	printf("%s%zu portable, %zu portable unless reached, %zu not portable; %zu findings in %zu files, "
	       "%zu tasks, "
	       "%zu expressions\n%s\n",
		found->units.n == 0 ? "" : "\n", count[HF_LINT_PORTABLE], count[HF_LINT_REACHED],
		count[HF_LINT_REFUSED], found->findings.n, found->files, found->tasks, found->expressions,
		hf_lint_verdict_word(found->verdict));
}

/* --- as JSON --- */

static void put(struct hf_arena *a, struct hf_value *d, const char *key, const char *text)
{
	hf_dict_put(d, key, hf_value_cstr(a, text));
}

static struct hf_value *finding_value(struct hf_arena *a, const struct hf_lint_seen *s)
{
	const struct hf_lint_finding *f = s->finding;
	struct hf_value *d = hf_value_dict(a);
	put(a, d, "kind", f->kind);
	put(a, d, "name", f->name);
	put(a, d, "file", path_shown(a, f->pos.file));
	hf_dict_put(d, "line", hf_value_int(a, f->pos.line));
	hf_dict_put(d, "column", hf_value_int(a, f->pos.column));
	put(a, d, "text", f->text);
	put(a, d, "when", f->note ? "note" : s->sure ? "sure" : "reached");
	return d;
}

static struct hf_value *unit_value(struct hf_arena *a, const struct hf_lint_unit *u)
{
	struct hf_value *d = hf_value_dict(a), *list = hf_value_list(a);
	put(a, d, "kind", u->kind);
	put(a, d, "path", path_shown(a, u->path));
	put(a, d, "verdict", hf_lint_verdict_word(u->verdict));
	hf_dict_put(d, "files", hf_value_int(a, (int64_t)u->files));
	for (size_t i = 0; i < u->findings.n; i++)
		hf_list_append(list, finding_value(a, &u->findings.at[i]));
	hf_dict_put(d, "findings", list);
	return d;
}

static int print_json(const struct cli_call *call, const struct hf_lint *found)
{
	struct hf_arena *a = call->arena;
	hf_auto_buf out = hf_buf_init(TEXT_MAX);
	struct hf_value *d = hf_value_dict(a), *list = hf_value_list(a);
	struct hf_json_style style = HF_JSON_PRETTY;
	struct hf_error err;
	put(a, d, "verdict", hf_lint_verdict_word(found->verdict));
	hf_dict_put(d, "files", hf_value_int(a, (int64_t)found->files));
	hf_dict_put(d, "tasks", hf_value_int(a, (int64_t)found->tasks));
	hf_dict_put(d, "expressions", hf_value_int(a, (int64_t)found->expressions));
	for (size_t i = 0; i < found->units.n; i++)
		hf_list_append(list, unit_value(a, found->units.at[i]));
	hf_dict_put(d, "units", list);
	if (hf_json_write(&out, d, &style, &err) < 0)
		return cli_fail(call, &err);
	printf("%s\n", hf_buf_str(&out).p);
	return CLI_OK;
}

static bool has_syntax(const struct hf_lint *found)
{
	for (size_t i = 0; i < found->findings.n; i++)
		if (strcmp(found->findings.at[i]->kind, "syntax") == 0 &&
			strcmp(found->findings.at[i]->name, "file") == 0)
			return true;
	return false;
}

static int run_lint(struct cli_call *call)
{
	struct hf_lint_options o = { .registry = &hf_modules,
		.paths = call->arguments,
		.roles_path = cli_value(call, "roles-path", NULL),
		.collections_path = cli_value(call, "collections-path", NULL),
		.all = cli_given(call, "all") };
	struct hf_lint found;
	struct hf_error err;
	if (hf_lint_run(call->arena, &o, &found, &err) < 0)
		return cli_fail(call, &err);
	int status = CLI_OK;
	if (cli_given(call, "json"))
		status = print_json(call, &found);
	else
		print_text(call, &found);
	if (status != CLI_OK)
		return status;
	return has_syntax(&found) ? CLI_PARSE : found.verdict == HF_LINT_PORTABLE ? CLI_OK : CLI_CHANGES;
}

const struct cli_command cli_command_lint = {
	.name = "lint",
	.summary = "say what playbooks and roles name that holdfast has not",
	.arguments = "PATH…",
	.options = options,
	.min_arguments = 1,
	.max_arguments = 100,
	.run = run_lint,
	.details = "PATH is a playbook, a role, a collection or a whole repository. Nothing is run and "
		   "nothing rendered.\n"
		   "Each playbook (with all it can reach) and each role gets a verdict: portable, portable "
		   "unless reached\n"
		   "(a condition may keep the place from running), not portable. Exit status: 0 all "
		   "portable, 2 something\n"
		   "is missing, 4 a file cannot be read, 1 it could not be done.",
};
