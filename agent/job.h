/* agent/job.h - what the supervisor tells an apply role to do: the one line it reads first. */
#pragma once
#include "agent/agent.h"

enum hf_job_mode { HF_JOB_APPLY, HF_JOB_CHECK, HF_JOB_UNDO, HF_JOB_PLAN };
struct hf_job {
	enum hf_job_mode mode;
	int64_t run;
	const char *log;                /* full path */
	const struct hf_target *target; /* APPLY, CHECK */
	bool full;                      /* recall nothing but what this run settled itself */
	bool tell;                      /* tell settled lines: drift runs */
	const struct hf_value *touched; /* list of ids; NULL: a release run */
	const struct hf_value *places;  /* where they stand; NULL: go through everything */
	const struct hf_value *undo;    /* list of {"run","log"} */
};
/* data, line and ended as in hf_child_spec. */
struct hf_job_watcher {
	void (*line)(void *data, struct hf_child *c, struct hf_str line);
	void (*ended)(void *data, struct hf_child *c, int status, bool timed_out);
	void *data;
};
HF_CHECK int hf_job_start(struct hf_agent *agent, const struct hf_job *job,
	const struct hf_job_watcher *watcher, struct hf_child **ret, struct hf_error *err);
/* A fork that has read the release and waits: what it is to look at comes later, in milliseconds less.
 * log: the one its job will most likely name. */
HF_CHECK int hf_job_prepare(struct hf_agent *agent, const struct hf_target *target, const char *log,
	const struct hf_job_watcher *watcher, struct hf_child **ret, struct hf_error *err);
HF_CHECK int hf_job_give(
	struct hf_agent *agent, const struct hf_job *job, struct hf_child *child, struct hf_error *err);
/* <state_dir>/runs/<run>.<phase>.jsonl */
const char *hf_job_log(struct hf_agent *agent, struct hf_arena *a, int64_t run, const char *phase);
