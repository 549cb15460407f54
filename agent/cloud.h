/* agent/cloud.h - the supervisor's end of what is told to AWS and to the store for reports: keeps it on disk,
 * sends it in batches through a net role of its own, again with growing waits where that fails. Nothing here
 * ever holds up a run: what is refused is said once, and waits within its bound. */
#pragma once
#include "agent/agent.h"

HF_CHECK int hf_cloud_new(struct hf_agent *agent, struct hf_cloud **ret, struct hf_error *err);
void hf_cloud_start(struct hf_cloud *c); /* whatever waits from before */
/* A whole report of the run, for the store that takes them: written now, sent later. Puts its key, hash and
 * size under "report" of body. */
void hf_cloud_run(struct hf_cloud *c, struct hf_arena *a, int64_t run, struct hf_value *body);
/* What waits, what was dropped, what is wrong: for status; NULL when nothing is configured. */
struct hf_value *hf_cloud_status(struct hf_cloud *c, struct hf_arena *a);
bool hf_cloud_busy(const struct hf_cloud *c);
void hf_cloud_stop(struct hf_cloud *c);
