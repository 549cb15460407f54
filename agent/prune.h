/* agent/prune.h - forget what nobody can ask for any more: old corrections and runs, folders and objects of
 * old releases, pre-images that no undo record names. What a rollback to one of the last twenty releases
 * needs is kept. Not to be called while a poll, a run or a look is under way. */
#pragma once
#include "agent/agent.h"

HF_CHECK int hf_prune(struct hf_agent *agent, struct hf_error *err);
