/* lib/engine/event.h - what a run tells of itself through its hooks. Private to the engine.
 * Owns:  nothing; an event lives during the call. Fails: never, nobody need listen. */
#pragma once
#include "lib/data/value.h"
#include "lib/engine/playbook.h"

enum hf_status {
	HF_ST_OK,
	HF_ST_CHANGED,
	HF_ST_SKIPPED,
	HF_ST_FAILED,
	HF_ST_UNREACHABLE,
	HF_ST_RESCUED,
	HF_ST_IGNORED,
	HF_ST_COUNT
};

struct hf_host;
struct hf_run;
struct hf_task;
/* result without what modules tell only the engine and its printer. */
void hf_result_plain(struct hf_value *result);
/* Whether the task counts as failed for its host: failed_when has the word where it spoke. */
bool hf_result_counts_as_failed(const struct hf_value *result);
/* How many tasks these are, handlers and what only a failure brings left out. */
unsigned hf_count_tasks(struct hf_run *run, const struct hf_nodes *nodes);
void hf_event_play(struct hf_run *run, const struct hf_play *play);
void hf_event_task_start(struct hf_run *run, const struct hf_node *n, const char *title);
void hf_event_item(struct hf_task *t);
void hf_event_task(struct hf_task *t);
void hf_event_retry(struct hf_task *t, unsigned attempt, unsigned retries);
void hf_event_warning(struct hf_run *run, const char *text);
void hf_event_text(struct hf_run *run, const char *type, const char *text);
/* What only who asked for more (-v) is told. */
void hf_event_verbose(struct hf_run *run, int level, const char *text);
void hf_event_playbook(struct hf_run *run, const char *path, size_t plays);
/* A meta task is done on h, or its condition keeps it from that. */
void hf_event_meta(
	struct hf_run *run, const struct hf_host *h, const char *reason, const char *msg, bool skipped);
void hf_event_stats(struct hf_run *run);
const char *hf_status_word(enum hf_status s);
