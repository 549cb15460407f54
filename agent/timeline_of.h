/* agent/timeline_of.h - the phases of a new host's start, out of the moments that were noted. */
#pragma once
#include "lib/data/value.h"

/* marks: {"boot_at","bootstrap_at","agent_at","fetch_ms","verify_ms","apply_at","gates_at","ready_at"}, *_at
 * in milliseconds since the epoch. As hf_timeline_value(); NULL without marks or before ready_at. */
struct hf_value *hf_timeline_of(struct hf_arena *a, const struct hf_value *marks);
