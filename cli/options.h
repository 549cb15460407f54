/* cli/options.h - from argv to a command with its options; help made from the tables. */
#pragma once
#include "cli/command.h"

/* Fills *ret from argv (without "holdfast"). Returns -1 to go on, else the exit status: help was asked for
 * and printed, or the command line is wrong and a sentence was printed. */
int cli_options_read(struct hf_arena *a, int argc, char **argv, struct cli_call *ret);
void cli_help_all(void);
void cli_help_command(const struct cli_command *command);
