/* agent/identity.h - which instance this state belongs to. An image taken of a host carries the host's state:
 * the instance id of another machine in it says so, and this host becomes a new one. What it may believe
 * (root, numbers, newest time, agent version) survives; the name, what waited to be reported, the run under
 * way, and what the ledger calls done do not.
 * Fails: HF_E_IO from the database. An instance service that does not answer is told and changes nothing. */
#pragma once
#include "agent/agent.h"

/* After the state is open, before anything is read from it: may set config.host and config.mqtt.client_id. */
HF_CHECK int hf_identity_settle(struct hf_agent *agent, struct hf_error *err);
/* Raises the alarm of a clone found just now; once the spool is there. */
void hf_identity_tell(struct hf_agent *agent);
/* Whether there is an instance service to ask, as far as can be told without asking. */
bool hf_identity_asks(const struct hf_agent *agent);
