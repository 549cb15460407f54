/* agent/plan.h - what the wanted release would do on this host: a check of everything that would not be
 * recalled, by an apply role of its own beside whatever else is at work; the answer goes to the local socket
 * when it ends. One at a time. */
#pragma once
#include "agent/agent.h"

typedef void (*hf_plan_answer)(struct hf_ctl *ctl, uint64_t ticket, const struct hf_value *answer);

HF_CHECK int hf_plan_new(
	struct hf_agent *agent, hf_plan_answer answer, struct hf_plan **ret, struct hf_error *err);
/* ticket: of the client that waits (agent/ctl.h). */
HF_CHECK int hf_plan_begin(struct hf_plan *p, uint64_t ticket, bool full, struct hf_error *err);
