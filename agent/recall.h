/* agent/recall.h - which stored results the apply role may answer instead of running a task.
 * Three rules: a resumed run takes everything it settled before, as it was; a release run takes what has the
 * same fingerprint and has not drifted; a drift run takes everything but what was touched. */
#pragma once
#include "lib/engine/run.h"

struct hf_recall;
struct hf_recall_options {
	const char *ledger;             /* file of {"id","fp","state","status","result"} lines; NULL: none */
	const char *log;                /* this run's own log, from before a kill; NULL: none */
	const struct hf_value *touched; /* list of ids; NULL: a release run */
};
HF_CHECK int hf_recall_load(struct hf_arena *a, const struct hf_recall_options *options,
	struct hf_recall **ret, struct hf_error *err);
/* NULL: run it. */
struct hf_value *hf_recall_answer(
	struct hf_recall *r, struct hf_arena *a, const struct hf_resource *resource);
/* Resources seen this run, run or recalled, in order. */
void hf_recall_seen(struct hf_recall *r, const struct hf_resource *resource);
/* [id, file, line, needed] of each. */
struct hf_value *hf_recall_seen_row(struct hf_arena *a, const struct hf_resource *resource);
struct hf_value *hf_recall_seen_list(struct hf_recall *r, struct hf_arena *a);
