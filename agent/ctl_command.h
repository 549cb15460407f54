/* agent/ctl_command.h - what the local socket answers: {"command": NAME, …} to a dict. The table is in
 * ctl_command.c. */
#pragma once
#include "agent/agent.h"

HF_CHECK int hf_ctl_command(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err);
