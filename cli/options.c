#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/data/schema.h"

enum { OPTIONS_MAX = 64, HELP_COLUMN = 34, VALUES_MAX = 4096, COMMAND_WORDS_MAX = 3 };

static unsigned words_in(const char *name)
{
	unsigned n = 1;
	for (; (name = strchr(name, ' ')) != NULL; name++)
		n++;
	return n;
}

/* The command that the first one to three words name; *ret_words says how many they were. */
static const struct cli_command *command_find(struct hf_arena *a, int argc, char **argv, unsigned *ret_words)
{
	for (unsigned n = COMMAND_WORDS_MAX; n >= 1; n--) {
		if ((unsigned)argc < n)
			continue;
		const char *typed = argv[0];
		for (unsigned i = 1; i < n; i++)
			typed = hf_sprintf(a, "%s %s", typed, argv[i]);
		for (size_t i = 0; cli_commands[i] != NULL; i++)
			if (words_in(cli_commands[i]->name) == n &&
				strcmp(cli_commands[i]->name, typed) == 0) {
				*ret_words = n;
				return cli_commands[i];
			}
	}
	return NULL;
}

static void help_option(const struct cli_option *o)
{
	char left[128];
	int n = o->letter != 0 ? snprintf(left, sizeof(left), "  -%c, --%s", o->letter, o->name)
			       : snprintf(left, sizeof(left), "      --%s", o->name);
	if (o->argument != NULL && n > 0 && (size_t)n < sizeof(left))
		snprintf(left + n, sizeof(left) - (size_t)n, " %s", o->argument);
	printf("%-*s %s\n", HELP_COLUMN, left, o->help);
}

void cli_help_command(const struct cli_command *command)
{
	printf("usage: holdfast %s%s%s%s\n\n%s.\n", command->name,
		command->options != NULL ? " [OPTIONS]" : "", command->arguments != NULL ? " " : "",
		command->arguments != NULL ? command->arguments : "", command->summary);
	if (command->details != NULL)
		printf("\n%s\n", command->details);
	printf("\noptions:\n");
	for (const struct cli_option *o = command->options; o != NULL && o->name != NULL; o++)
		help_option(o);
	help_option(&(struct cli_option){ "help", 'h', NULL, "show this" });
}

void cli_help_all(void)
{
	printf("usage: holdfast COMMAND [OPTIONS] …\n\ncommands:\n");
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		printf("  %-20s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
	printf("\n`holdfast COMMAND --help` shows the options of one. Exit statuses: 0 done, 1 could not be "
	       "done, 2 a host\n"
	       "failed or differences were found, 4 a document is wrong, 5 the command line is wrong, 6 "
	       "somebody else was\n"
	       "first, 7 refused by a rule of trust, 8 it does not exist, 99 interrupted.\n");
}

/* "release" alone, or "release biuld": show what there is under the word. */
static int command_unknown(struct hf_arena *a, int argc, char **argv)
{
	bool family = false;
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const char *name = cli_commands[i]->name;
		size_t n = strlen(argv[0]);
		if (strncmp(name, argv[0], n) == 0 && name[n] == ' ') {
			if (!family)
				fprintf(stderr, "holdfast %s: which one?\n", argv[0]);
			fprintf(stderr, "  %-20s %s\n", name, cli_commands[i]->summary);
			family = true;
		}
	}
	if (family)
		return CLI_USAGE;
	const char *names[OPTIONS_MAX * 2];
	size_t n = 0;
	for (; cli_commands[n] != NULL && n < HF_COUNT(names) - 1; n++)
		names[n] = cli_commands[n]->name;
	names[n] = NULL;
	const char *near = hf_nearest(argv[0], names);
	fprintf(stderr, "holdfast: no command \"%s\"%s%s%s; `holdfast help` lists them\n", argv[0],
		near != NULL ? ", did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
	return CLI_USAGE;
}

static void value_add(struct hf_arena *a, struct cli_call *call, size_t option, const char *value)
{
	size_t n = 0;
	while (call->values[option] != NULL && call->values[option][n] != NULL && n < VALUES_MAX)
		n++;
	const char **wider = hf_new_array(a, n + 2, const char *);
	for (size_t i = 0; i < n; i++)
		wider[i] = call->values[option][i];
	wider[n] = value;
	call->values[option] = wider;
}

/* getopt's tables from ours. Long options answer with OPTION_BASE + row. */
enum { OPTION_BASE = 0x1000 };

static size_t tables_make(
	const struct cli_option *rows, struct option *longs, char *shorts, size_t shorts_size)
{
	size_t n = 0, used = 0;
	shorts[used++] = ':'; /* a missing value is told apart from an unknown option */
	for (; rows != NULL && rows[n].name != NULL && n < OPTIONS_MAX; n++) {
		int wants = rows[n].argument != NULL ? required_argument : no_argument;
		longs[n] = (struct option){ rows[n].name, wants, NULL, OPTION_BASE + (int)n };
		if (rows[n].letter != 0 && used + 3 < shorts_size) {
			shorts[used++] = rows[n].letter;
			if (rows[n].argument != NULL)
				shorts[used++] = ':';
		}
	}
	longs[n] = (struct option){ "help", no_argument, NULL, 'h' };
	shorts[used++] = 'h';
	shorts[used] = '\0';
	return n;
}

static size_t row_of_letter(const struct cli_option *rows, size_t n, int letter)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].letter == letter)
			return i;
	return n;
}

static int options_parse(struct hf_arena *a, int argc, char **argv, struct cli_call *call)
{
	struct option longs[OPTIONS_MAX + 2] = { 0 };
	char shorts[OPTIONS_MAX * 2 + 4];
	const struct cli_option *rows = call->command->options;
	size_t n = tables_make(rows, longs, shorts, sizeof(shorts));
	call->values = hf_new_array(a, n + 1, const char *const *);
	opterr = 0;
	optind = 1;
	for (int got; (got = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
		if (got == 'h' && row_of_letter(rows, n, 'h') == n) {
			cli_help_command(call->command);
			return CLI_OK;
		}
		if (got == ':')
			return cli_usage(call, "%s wants a value", argv[optind - 1]);
		if (got == '?')
			return cli_usage(call, "no option %s",
				optopt != 0 && optopt < OPTION_BASE ? hf_sprintf(a, "-%c", optopt)
								    : argv[optind - 1]);
		size_t row = got >= OPTION_BASE ? (size_t)(got - OPTION_BASE) : row_of_letter(rows, n, got);
		value_add(a, call, row, optarg != NULL ? optarg : "");
	}
	return -1;
}

int cli_options_read(struct hf_arena *a, int argc, char **argv, struct cli_call *ret)
{
	unsigned words = 0;
	struct cli_call call = { .arena = a };
	call.command = command_find(a, argc, argv, &words);
	if (call.command == NULL)
		return command_unknown(a, argc, argv);
	/* getopt wants a name in front: the last word of the command stands there. */
	argc -= (int)words - 1;
	argv += words - 1;
	int status = options_parse(a, argc, argv, &call);
	if (status >= 0)
		return status;
	call.n_arguments = (unsigned)(argc - optind);
	call.arguments = (const char *const *)argv + optind;
	if (call.n_arguments < call.command->min_arguments)
		return cli_usage(&call, "%s is missing",
			call.command->arguments != NULL ? call.command->arguments : "an argument");
	if (call.n_arguments > call.command->max_arguments)
		return cli_usage(&call, "\"%s\" is one argument too many",
			call.arguments[call.command->max_arguments]);
	*ret = call;
	return -1;
}
