/* agent/prune.h - forget what nobody can ask for any more: logs of old corrections, folders of releases that
 * no rollback leads to. What a rollback needs (undo logs and pre-images of runs not taken back) is kept. */
#pragma once
#include "agent/agent.h"

HF_CHECK int hf_prune(struct hf_agent *agent, struct hf_error *err);
