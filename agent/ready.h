/* agent/ready.h - may jobs run on this host? One word, ready, degraded or drain, in the state and in a file
 * for schedulers: the worst of what the state, a notice of the cloud and others on this host say, who write
 * the same words into files below <run_dir>/ready.d (holdfast.gpu.health does). No word before a release is
 * on. */
#pragma once
#include "agent/agent.h"

enum hf_ready { HF_READY, HF_READY_DEGRADED, HF_READY_DRAIN, HF_READY_UNKNOWN };
extern const char *const hf_ready_names[];

/* state: the host's, as it is told. *ret_why: who says so; "" where all is well. */
enum hf_ready hf_ready_now(
	const struct hf_agent *agent, struct hf_arena *a, enum hf_host_state state, const char **ret_why);
/* Brings the file up to date; cheap where it is. NULL: there is no word. */
void hf_ready_write(struct hf_agent *agent, const char *word);
