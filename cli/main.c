/* cli/main.c - `holdfast`: the table of its commands. Each row is defined in the file of its name. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"

#define COMMAND(name) extern const struct cli_command cli_command_##name;
#include "cli/commands.def"
#undef COMMAND

const struct cli_command *const cli_commands[] = {
#define COMMAND(name) &cli_command_##name,
#include "cli/commands.def"
#undef COMMAND
	NULL,
};

static int help(int argc, char **argv)
{
	if (argc < 1) {
		cli_help_all();
		return CLI_OK;
	}
	char ask[] = "--help", *words[5] = { ask, ask, ask, ask, NULL };
	const int typed = argc < 3 ? argc : 3;
	for (int i = 0; i < typed; i++)
		words[i] = argv[i];
	hf_auto_arena a = hf_arena_new();
	struct cli_call call;
	int status = cli_options_read(a, typed + 1, words, &call);
	return status >= 0 ? status : CLI_OK;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	hf_log_init("holdfast", HF_LOG_WARNING);
	if (argc < 2) {
		cli_help_all();
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("holdfast %s\n", PACKAGE_VERSION);
		return CLI_OK;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help(argc - 2, argv + 2);
	hf_auto_arena a = hf_arena_new();
	struct cli_call call;
	int status = cli_options_read(a, argc - 1, argv + 1, &call);
	if (status >= 0)
		return status;
	status = call.command->run(&call);
	if (fflush(stdout) != 0 && status == CLI_OK) {
		fprintf(stderr, "holdfast %s: standard output: write failed\n", call.command->name);
		return CLI_ERROR;
	}
	return status;
}
