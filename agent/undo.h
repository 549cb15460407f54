/* agent/undo.h - take back what runs did: their undo records in reverse, newest run first. Each record taken
 * back is noted durably, so that after a kill it is not taken back twice; one that cannot be is named and
 * passed over. */
#pragma once
#include "agent/runlog.h"
#include "lib/engine/run.h"

struct hf_undo_job {
	const struct hf_module_registry *registry;
	const struct hf_run_hooks *hooks;
	const char *blobs;
	struct hf_runlog *log; /* notes go here; own_log is its path */
	const char *own_log;
	const struct hf_value *runs; /* list of {"run": n, "log": path}, newest first */
};
/* failures: a list that gets {"title","reason"} for each record that could not be taken back. */
HF_CHECK int hf_undo_runs(struct hf_arena *a, const struct hf_undo_job *job, struct hf_value *failures,
	int64_t *ret_undone, struct hf_error *err);
/* A kill may come between a change and its result. Such a change is taken back before the run goes on, so
 * that its task makes it again, says so, and what depends on that follows. What cannot be taken back is
 * simply run again. */
HF_CHECK int hf_undo_unsettled(struct hf_arena *a, const struct hf_undo_job *job, struct hf_error *err);
