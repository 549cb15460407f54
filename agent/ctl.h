/* agent/ctl.h - the local command socket <run_dir>/ctl.sock: one JSON object a line in, one or more out, root
 * only. Commands are rows of a table in ctl.c. */
#pragma once
#include "agent/agent.h"

HF_CHECK int hf_ctl_new(struct hf_agent *agent, struct hf_ctl **ret, struct hf_error *err);
/* The answer to a client that waits; one that has gone meanwhile is passed over. */
void hf_ctl_answer(struct hf_ctl *ctl, uint64_t ticket, const struct hf_value *answer);
