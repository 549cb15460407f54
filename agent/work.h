/* agent/work.h - what the apply role is doing, what it does next, and what its results mean.
 * A run is a row of the table runs; its phase is stored before the phase begins, so that after any kill the
 * same phase is begun again: settled tasks are recalled, undone records are skipped. */
#pragma once
#include "agent/agent.h"

HF_CHECK int hf_work_new(struct hf_agent *agent, struct hf_work **ret, struct hf_error *err);
/* Go on with the run a kill interrupted, if there is one. */
void hf_work_recover(struct hf_work *w);
/* Look whether there is something to do and nothing being done. Cheap; call after every change. */
void hf_work_next(struct hf_work *w);
bool hf_work_busy(const struct hf_work *w);
bool hf_work_state(const struct hf_work *w, enum hf_host_state *ret); /* false: idle */
pid_t hf_work_pid(const struct hf_work *w);                           /* 0: idle */
void hf_work_full(struct hf_work *w); /* the next release run recalls nothing */
/* Take back run and all later ones, then apply what was installed before it; 0: the newest release run. */
HF_CHECK int hf_work_rollback(struct hf_work *w, int64_t run, const char *reason, struct hf_error *err);
void hf_work_stop(struct hf_work *w);
