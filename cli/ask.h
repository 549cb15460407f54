/* cli/ask.h - one question to the resident agent over its local socket. */
#pragma once
#include "cli/command.h"
#include "lib/data/value.h"

/* Rows every command that talks to the agent shares. */
#define CLI_ASK_OPTIONS                                                                                      \
	{ "socket", 0, "PATH", "the agent's socket (/run/holdfast/ctl.sock) [HOLDFAST_SOCKET]" },            \
	{                                                                                                    \
		"json", 'j', NULL, "print one JSON document on standard output"                              \
	}

/* Sends {"command": name, …} (request may be NULL) and gives the answer. HF_E_NOT_FOUND when no agent
 * listens; the agent's own refusals keep their code. */
HF_CHECK int cli_ask(const struct cli_call *call, const char *name, struct hf_value *request,
	struct hf_value **ret, struct hf_error *err);
/* Indented JSON and a newline on standard output. */
int cli_ask_print_json(const struct cli_call *call, const struct hf_value *v);
/* "3 s", "5 min", "2 h", "4 d" since an RFC 3339 time or epoch seconds. */
const char *cli_ask_ago(struct hf_arena *a, int64_t then);
/* Print the diff of a drift event as people read it, indented. */
void cli_ask_print_diff(const struct hf_value *diff);
