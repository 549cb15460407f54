/* agent/looks.h - how a task leaves the paths it watches: the measure by which later events are judged.
 * What a module was satisfied with must be what is noted: a path that somebody changed between the module's
 * look and ours is noted as one that no look is the same as, so that the next event or sweep asks the module
 * again. Owns: an arena, renewed with every task. */
#pragma once
#include "lib/base/map.h"
#include "lib/data/value.h"

struct hf_looks {
	struct hf_arena *arena; /* NULL: no task has begun */
	struct hf_map before;   /* path → what stat told when the task began */
};
/* {kind, name} whatever the kind: what the agent works with. watches: hf_resource.watches. */
struct hf_value *hf_looks_watches(struct hf_arena *a, const struct hf_value *watches);
/* Before the module looks. */
void hf_looks_before(struct hf_looks *l, const struct hf_value *watches);
/* After it: {path: [stat, what, whether a tree]}. touched: it may have changed them itself, so that how they
 * were before says nothing. */
struct hf_value *hf_looks_after(
	struct hf_looks *l, struct hf_arena *a, const struct hf_value *watches, bool touched);
void hf_looks_done(struct hf_looks *l);
