/* agent/timeline.h - how long a new host took until its first release was applied, by phase: kept in the
 * state from the first start on, so that reboots within a run count as well. Times are of the wall clock. */
#pragma once
#include "agent/agent.h"

/* Notes when the machine, its user data and this agent started; once in the life of a state folder. */
void hf_timeline_start(struct hf_agent *agent);
/* key: apply_at, gates_at, ready_at; until the host was ready for the first time a later one replaces it. */
void hf_timeline_mark(struct hf_agent *agent, const char *key);
/* What a poll that brought a release spent on bytes and on proving them. */
void hf_timeline_fetched(struct hf_agent *agent, int64_t fetch_ms, int64_t verify_ms);
/* {"boot_ms","bootstrap_ms","fetch_ms","verify_ms","apply_ms","gates_ms","total_ms"}; a phase that nothing is
 * known of is left out. NULL: not ready yet. */
struct hf_value *hf_timeline_value(const struct hf_agent *agent, struct hf_arena *a);
