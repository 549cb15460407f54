/* agent/first.h - a host that has not reached its first release yet says why, with a code, where somebody
 * looks: on the console, in the journal, to the broker. The codes are those of docs/bootstrap.md; the table
 * is in first.c. */
#pragma once
#include "agent/agent.h"

/* refusal: the word of lib/release, or ""; text: one sentence. Said once while it stays the same; silent once
 * a release is installed. */
void hf_first_failed(struct hf_agent *agent, const char *refusal, const char *text);
