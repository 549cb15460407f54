/* agent/ctl_command.h - what the local socket answers: {"command": NAME, …} to a dict. The table is in
 * ctl_command.c. */
#pragma once
#include "agent/agent.h"

enum { HF_CTL_LATER = 1 }; /* the answer comes through hf_ctl_answer() */
/* ticket: names the client that asks. */
HF_CHECK int hf_ctl_command(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, uint64_t ticket, struct hf_error *err);
