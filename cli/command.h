/* cli/command.h - what a subcommand of `holdfast` is: a row of text and a function. Help, completion and
 * manuals are made from the same rows. Only the files of cli/ print. */
#pragma once
#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/error.h"

/* Exit statuses, as the manual states them. 0 to 4 and 99 are ansible-playbook's own. */
enum cli_status {
	CLI_OK = 0,
	CLI_ERROR = 1,    /* it could not be done; one sentence on standard error */
	CLI_CHANGES = 2,  /* a host failed (apply); differences were found (diff, plan --detailed-exitcode) */
	CLI_PARSE = 4,    /* a document or a playbook is wrong */
	CLI_USAGE = 5,    /* the command line is wrong */
	CLI_CONFLICT = 6, /* somebody else was first */
	CLI_REFUSED = 7,  /* a rule of trust refused it */
	CLI_ABSENT = 8,   /* it does not exist; the agent does not run */
	CLI_INTERRUPTED = 99,
};

struct cli_option {
	const char *name;     /* "extra-vars"; NULL ends the table */
	char letter;          /* 'e', or 0 */
	const char *argument; /* "VARS"; NULL: a flag */
	const char *help;     /* one line */
};

struct cli_call;

struct cli_command {
	const char *name;      /* one to three words: "apply", "release build" */
	const char *summary;   /* one line, no full stop */
	const char *arguments; /* of the usage line: "PLAYBOOK…" */
	const struct cli_option *options;
	unsigned min_arguments, max_arguments;
	int (*run)(struct cli_call *call); /* returns an exit status */
	const char *details;               /* paragraphs under the usage line; may be NULL */
};

extern const struct cli_command *const cli_commands[]; /* main.c; NULL-terminated */

/* What was typed. Arguments are NULL-terminated. */
struct cli_call {
	struct hf_arena *arena; /* lives as long as the command */
	const struct cli_command *command;
	unsigned n_arguments;
	const char *const *arguments;
	const char *const **values; /* per option: NULL-terminated list of what was given; "" for flags */
};

bool cli_given(const struct cli_call *call, const char *option);
unsigned cli_count(const struct cli_call *call, const char *option); /* -vvv is 3 */
const char *cli_value(
	const struct cli_call *call, const char *option, const char *fallback); /* the last one */
const char *const *cli_values(const struct cli_call *call, const char *option); /* in order; NULL: none */
/* Whole number within bounds; fallback when not given. HF_E_ARGUMENT names the option. */
HF_CHECK int cli_number(const struct cli_call *call, const char *option, long long low, long long high,
	long long fallback, long long *ret, struct hf_error *err);

/* Print the error as `holdfast COMMAND: file:line:col: text` and give the exit status that fits its code. */
int cli_fail(const struct cli_call *call, const struct hf_error *err);
/* A wrong command line: the sentence and a pointer to --help; CLI_USAGE. */
int cli_usage(const struct cli_call *call, const char *format, ...) HF_PRINTF(2, 3);
/* Colour belongs on a terminal, and not where NO_COLOR is set. */
bool cli_colour(int fd);
