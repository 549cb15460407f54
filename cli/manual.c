/* holdfast manual: the manual pages of the commands, from their tables. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"

enum { PAGE_MAX = 1 << 20 };

static const struct cli_option options[] = {
	{ "folder", 0, "DIR", "write holdfast.1 and one page a command there" },
	{ NULL },
};

/* Text of a roff line: what roff would take for itself is escaped. */
static void roff(struct hf_buf *b, const char *text)
{
	if (*text == '.' || *text == '\'')
		hf_buf_printf(b, "\\&");
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			hf_buf_printf(b, "\\(rs");
		else if (*text == '-')
			hf_buf_printf(b, "\\-");
		else
			hf_buf_printf(b, "%c", *text);
		if (*text == '\n' && (text[1] == '.' || text[1] == '\''))
			hf_buf_printf(b, "\\&");
	}
}

static const char *page_name(struct hf_arena *a, const char *command)
{
	char *name = hf_sprintf(a, "holdfast-%s", command);
	for (char *at = name; *at != '\0'; at++)
		if (*at == ' ')
			*at = '-';
	return name;
}

static void head(struct hf_arena *a, struct hf_buf *b, const char *name, const char *summary)
{
	char *title = hf_strdup(a, name);
	for (char *at = title; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	hf_buf_printf(
		b, ".TH \"%s\" 1 \"\" \"holdfast %s\" \"holdfast\"\n.SH NAME\n", title, PACKAGE_VERSION);
	roff(b, name);
	hf_buf_printf(b, " \\- ");
	roff(b, summary);
	hf_buf_printf(b, "\n");
}

static void option_page(struct hf_buf *b, const struct cli_option *o)
{
	hf_buf_printf(b, ".TP\n");
	if (o->letter != 0)
		hf_buf_printf(b, "\\fB\\-%c\\fR, ", o->letter);
	hf_buf_printf(b, "\\fB\\-\\-");
	roff(b, o->name);
	hf_buf_printf(b, "\\fR");
	if (o->argument != NULL) {
		hf_buf_printf(b, " \\fI");
		roff(b, o->argument);
		hf_buf_printf(b, "\\fR");
	}
	hf_buf_printf(b, "\n");
	roff(b, o->help);
	hf_buf_printf(b, "\n");
}

static void command_page(struct hf_arena *a, struct hf_buf *b, const struct cli_command *c)
{
	head(a, b, page_name(a, c->name), c->summary);
	hf_buf_printf(b, ".SH SYNOPSIS\n\\fBholdfast %s\\fR", c->name);
	if (c->options != NULL)
		hf_buf_printf(b, " [\\fIOPTIONS\\fR]");
	if (c->arguments != NULL) {
		hf_buf_printf(b, " \\fI");
		roff(b, c->arguments);
		hf_buf_printf(b, "\\fR");
	}
	hf_buf_printf(b, "\n");
	if (c->details != NULL) {
		hf_buf_printf(b, ".SH DESCRIPTION\n");
		roff(b, c->details);
		hf_buf_printf(b, "\n");
	}
	hf_buf_printf(b, ".SH OPTIONS\n");
	for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
		option_page(b, o);
	option_page(b, &(struct cli_option){ "help", 'h', NULL, "show this" });
	hf_buf_printf(b, ".SH \"SEE ALSO\"\n\\fBholdfast\\fR(1), \\fBholdfastd\\fR(8)\n");
}

static void front_page(struct hf_arena *a, struct hf_buf *b)
{
	head(a, b, "holdfast", "declared state for machine-learning hosts, from signed Ansible releases");
	hf_buf_printf(b,
		".SH SYNOPSIS\n\\fBholdfast\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n"
		".SH DESCRIPTION\nRuns Ansible playbooks without Python, makes and signs releases of "
		"them, and speaks with the resident agent. Each command has a page of its own.\n"
		".SH COMMANDS\n");
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		hf_buf_printf(b, ".TP\n\\fB");
		roff(b, page_name(a, cli_commands[i]->name));
		hf_buf_printf(b, "\\fR(1)\n");
		roff(b, cli_commands[i]->summary);
		hf_buf_printf(b, "\n");
	}
	hf_buf_printf(b,
		".SH \"EXIT STATUS\"\n0 done; 1 could not be done; 2 a host failed or differences were "
		"found; 4 a document is wrong; 5 the command line is wrong; 6 somebody else was first; "
		"7 refused by a rule of trust; 8 it does not exist; 99 interrupted.\n"
		".SH \"SEE ALSO\"\n\\fBholdfastd\\fR(8), \\fBholdfast.yaml\\fR(5)\n");
}

static int page_write(const char *folder, const char *name, const struct hf_buf *b, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_fs_attr how = { 0644, HF_KEEP_UID, HF_KEEP_GID, false };
	return hf_fs_replace(hf_sprintf(a, "%s/%s.1", folder, name), hf_buf_str(b), how, err);
}

static int pages_write(struct cli_call *call, const char *folder, struct hf_error *err)
{
	hf_auto_buf front = hf_buf_init(PAGE_MAX);
	front_page(call->arena, &front);
	int result = hf_fs_mkdirs(folder, 0755, err);
	if (result == 0)
		result = page_write(folder, "holdfast", &front, err);
	for (size_t i = 0; cli_commands[i] != NULL && result == 0; i++) {
		hf_auto_buf b = hf_buf_init(PAGE_MAX);
		command_page(call->arena, &b, cli_commands[i]);
		result = page_write(folder, page_name(call->arena, cli_commands[i]->name), &b, err);
	}
	return result;
}

static int manual_run(struct cli_call *call)
{
	struct hf_error err = { 0 };
	const char *folder = cli_value(call, "folder", NULL);
	if (folder != NULL)
		return pages_write(call, folder, &err) < 0 ? cli_fail(call, &err) : CLI_OK;
	hf_auto_buf b = hf_buf_init(PAGE_MAX);
	if (call->n_arguments == 0)
		front_page(call->arena, &b);
	for (size_t i = 0; call->n_arguments == 1 && cli_commands[i] != NULL; i++)
		if (strcmp(cli_commands[i]->name, call->arguments[0]) == 0)
			command_page(call->arena, &b, cli_commands[i]);
	if (b.n == 0)
		return cli_usage(call, "no command \"%s\"", call->arguments[0]);
	printf("%.*s", HF_STR_ARG(hf_buf_str(&b)));
	return CLI_OK;
}

const struct cli_command cli_command_manual = {
	.name = "manual",
	.summary = "print a manual page, or write all of them",
	.arguments = "[COMMAND]",
	.options = options,
	.max_arguments = 1,
	.run = manual_run,
	.details = "Packages install the pages. To read one: holdfast manual 'release push' | man -l -",
};
