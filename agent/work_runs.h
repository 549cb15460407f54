/* agent/work_runs.h - the table runs: what each run was for, how far it is, and which runs a rollback takes
 * back. */
#pragma once
#include "agent/agent.h"
#include "lib/data/value.h"

enum hf_phase { HF_PHASE_UNDO, HF_PHASE_APPLY, HF_PHASE_GATES, HF_PHASE_REVERT, HF_PHASE_RESTORE };
extern const char *const hf_phase_names[];

struct hf_run {
	int64_t id; /* 0: none */
	struct hf_arena *arena;
	const char *kind; /* release, rollback */
	const char *spec; /* JSON of the target; NULL: back to nothing */
	const char *message;
	struct hf_target target; /* its arena is the run's */
	struct hf_value *undo;   /* list of run numbers, newest first; NULL: none */
	enum hf_phase phase;
	bool partial, full;
};
HF_CHECK int hf_runs_begin(struct hf_agent *agent, const char *kind, const char *spec,
	const struct hf_value *undo, bool full, const char *reason, struct hf_run *ret, struct hf_error *err);
HF_CHECK int hf_runs_unfinished(struct hf_state *s, struct hf_run *ret, struct hf_error *err);
HF_CHECK int hf_runs_phase_set(struct hf_state *s, int64_t id, enum hf_phase phase, struct hf_error *err);
HF_CHECK int hf_runs_message_set(struct hf_state *s, int64_t id, const char *message, struct hf_error *err);
HF_CHECK int hf_runs_partial_set(struct hf_state *s, int64_t id, const char *message, struct hf_error *err);
/* From the end line of a phase; NULL: nothing is known. */
HF_CHECK int hf_runs_counts(struct hf_state *s, int64_t id, const struct hf_value *end, struct hf_error *err);
HF_CHECK int hf_runs_end(
	struct hf_state *s, int64_t id, const char *status, const char *message, struct hf_error *err);
HF_CHECK int hf_runs_undone(struct hf_state *s, const struct hf_value *ids, struct hf_error *err);

/* Runs to take back to get to that release: all since it was installed; if it never was, those of what is
 * installed. */
HF_CHECK int hf_runs_since(struct hf_state *s, struct hf_arena *a, const char *release,
	struct hf_value **ret_ids, struct hf_error *err);
/* run and everything after it; 0: the newest release run. ret_before: target installed before it, NULL for
 * none. */
HF_CHECK int hf_runs_from(struct hf_state *s, struct hf_arena *a, int64_t run, struct hf_value **ret_ids,
	const char **ret_before, struct hf_error *err);
/* As the undo job wants it. */
struct hf_value *hf_runs_undo_list(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *ids);

HF_CHECK int hf_runs_quarantine(
	struct hf_state *s, const struct hf_target *t, int64_t seq, const char *reason, struct hf_error *err);
/* Whether this very pointer's release is quarantined; a pointer with a higher seq lifts it. */
HF_CHECK int hf_runs_blocked(struct hf_state *s, const struct hf_target *t, bool *ret, struct hf_error *err);
