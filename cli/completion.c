/* holdfast completion: what Tab offers, for three shells, from the tables of the commands. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "lib/base/str.h"

/* "release" of "release push", the whole of "apply". */
static struct hf_str first_word(const char *name)
{
	const char *space = strchr(name, ' ');
	return space == NULL ? hf_str(name) : hf_strn(name, (size_t)(space - name));
}

static const char *second_word(const char *name)
{
	const char *space = strchr(name, ' ');
	return space == NULL ? NULL : space + 1;
}

/* Commands of one family stand together in the table: the first of each is where its word is told. */
static bool family_begins(size_t i)
{
	return i == 0 ||
	       !hf_str_equal(first_word(cli_commands[i]->name), first_word(cli_commands[i - 1]->name));
}

/* Text inside single quotes of a shell. */
static void quoted(const char *text)
{
	putchar('\'');
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	putchar('\'');
}

static void families_print(void)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		if (family_begins(i))
			printf(" %.*s", HF_STR_ARG(first_word(cli_commands[i]->name)));
	fputs(" help", stdout);
}

static void options_print(const struct cli_command *command)
{
	for (const struct cli_option *o = command->options; o != NULL && o->name != NULL; o++)
		printf(" --%s", o->name);
	fputs(" --help", stdout);
}

/* --- bash -------------------------------------------------------------------------------------------------
 */

static void bash_print(void)
{
	fputs("# bash completion of holdfast, made from its tables of commands\n"
	      "_holdfast() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [[ $COMP_CWORD -eq 1 ]]; then\n"
	      "\t\twords='--version",
		stdout);
	families_print();
	fputs("'\n"
	      "\telif [[ $cur == -* ]]; then\n"
	      "\t\tcase \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n",
		stdout);
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const struct cli_command *c = cli_commands[i];
		printf("\t\t'%s'%s) words='", c->name, second_word(c->name) == NULL ? "' '*" : "");
		options_print(c);
		fputs("' ;;\n", stdout);
	}
	fputs("\t\tesac\n"
	      "\telif [[ $COMP_CWORD -eq 2 ]]; then\n"
	      "\t\tcase ${COMP_WORDS[1]} in\n",
		stdout);
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		if (second_word(cli_commands[i]->name) == NULL)
			continue;
		if (family_begins(i))
			printf("\t\t%.*s) words='", HF_STR_ARG(first_word(cli_commands[i]->name)));
		printf(" %s", second_word(cli_commands[i]->name));
		if (cli_commands[i + 1] == NULL || family_begins(i + 1))
			fputs("' ;;\n", stdout);
	}
	fputs("\t\thelp) words='", stdout);
	families_print();
	fputs("' ;;\n"
	      "\t\tesac\n"
	      "\tfi\n"
	      "\tif [[ -n $words ]]; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	      "\telse\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "\tfi\n"
	      "}\n"
	      "complete -o filenames -F _holdfast holdfast\n",
		stdout);
}

/* --- zsh --------------------------------------------------------------------------------------------------
 */

/* _arguments and _describe give ':' and brackets a meaning. */
static void zsh_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (strchr(":[]\\", *text) != NULL)
			putchar('\\');
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
}

static void zsh_option(const struct cli_option *o)
{
	printf(" '*--%s[", o->name);
	zsh_text(o->help);
	fputs("]", stdout);
	if (o->argument != NULL) {
		putchar(':');
		zsh_text(o->argument);
		fputs(":_files", stdout);
	}
	putchar('\'');
}

static void zsh_row(struct hf_str word, const char *summary)
{
	printf(" '%.*s:", HF_STR_ARG(word));
	zsh_text(summary);
	putchar('\'');
}

static void zsh_families(void)
{
	fputs("\tif (( CURRENT == 2 )); then\n\t\trows=(", stdout);
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		if (family_begins(i))
			zsh_row(first_word(cli_commands[i]->name), cli_commands[i]->summary);
	fputs(")\n\t\t_describe command rows\n\t\treturn\n\tfi\n"
	      "\tif (( CURRENT == 3 )); then\n\t\tcase $words[2] in\n",
		stdout);
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const char *second = second_word(cli_commands[i]->name);
		if (second == NULL)
			continue;
		if (family_begins(i))
			printf("\t\t%.*s) rows=(", HF_STR_ARG(first_word(cli_commands[i]->name)));
		zsh_row(hf_str(second), cli_commands[i]->summary);
		if (cli_commands[i + 1] == NULL || family_begins(i + 1))
			fputs(") ;;\n", stdout);
	}
	fputs("\t\tesac\n\t\tif (( $#rows )); then\n\t\t\t_describe command "
	      "rows\n\t\t\treturn\n\t\tfi\n\tfi\n",
		stdout);
}

static void zsh_print(void)
{
	fputs("#compdef holdfast\n# zsh completion of holdfast, made from its tables of commands\n"
	      "_holdfast() {\n\tlocal -a rows\n",
		stdout);
	zsh_families();
	fputs("\tcase \"$words[2] $words[3]\" in\n", stdout);
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const struct cli_command *c = cli_commands[i];
		printf("\t'%s'%s) _arguments", c->name, second_word(c->name) == NULL ? "' '*" : "");
		for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
			zsh_option(o);
		fputs(" '--help[show this]' '*:argument:_files' ;;\n", stdout);
	}
	fputs("\tesac\n}\n_holdfast \"$@\"\n", stdout);
}

/* --- fish -------------------------------------------------------------------------------------------------
 */

static void fish_option(const char *condition, const struct cli_option *o)
{
	printf("complete -c holdfast -n %s -l %s", condition, o->name);
	if (o->letter != 0)
		printf(" -s %c", o->letter);
	fputs(o->argument != NULL ? " -r -d " : " -d ", stdout);
	quoted(o->help);
	putchar('\n');
}

static void fish_print(void)
{
	fputs("# fish completion of holdfast, made from its tables of commands\n", stdout);
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		const struct cli_command *c = cli_commands[i];
		struct hf_str first = first_word(c->name);
		const char *second = second_word(c->name);
		char condition[256];
		if (family_begins(i)) {
			printf("complete -c holdfast -f -n __fish_use_subcommand -a %.*s -d ",
				HF_STR_ARG(first));
			quoted(c->summary);
			putchar('\n');
		}
		if (second != NULL) {
			printf("complete -c holdfast -f -n '__fish_seen_subcommand_from %.*s' -a %s -d ",
				HF_STR_ARG(first), second);
			quoted(c->summary);
			putchar('\n');
		}
		snprintf(condition, sizeof(condition),
			second == NULL
				? "'__fish_seen_subcommand_from %.*s'"
				: "'__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s'",
			HF_STR_ARG(first), second);
		for (const struct cli_option *o = c->options; o != NULL && o->name != NULL; o++)
			fish_option(condition, o);
	}
}

static int completion_run(struct cli_call *call)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = { { "bash", bash_print }, { "zsh", zsh_print }, { "fish", fish_print } };
	for (size_t i = 0; i < HF_COUNT(shells); i++)
		if (strcmp(call->arguments[0], shells[i].name) == 0) {
			shells[i].print();
			return CLI_OK;
		}
	return cli_usage(call, "\"%s\" is none of bash, zsh, fish", call->arguments[0]);
}

const struct cli_command cli_command_completion = {
	.name = "completion",
	.summary = "print what a shell completes command lines with",
	.arguments = "bash|zsh|fish",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = completion_run,
	.details = "Packages install all three. By hand: source <(holdfast completion bash)",
};
