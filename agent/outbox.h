/* agent/outbox.h - what waits on disk for services beside the broker: a queue a destination, bounded
 * together. What does not fit pushes out the oldest; how many is counted. Fails: HF_E_IO from the database.
 */
#pragma once
#include "agent/state.h"

enum hf_sink {
	HF_SINK_LOGS,
	HF_SINK_EVENTS,
	HF_SINK_COMPLIANCE,
	HF_SINK_INVENTORY,
	HF_SINK_REPORTS,
	HF_SINKS
};
extern const char *const hf_sink_names[];

struct hf_outbox_row {
	int64_t seq, t_ms;
	const char *kind; /* of the report; for a whole report its key */
	struct hf_str body;
};
/* once: while one waits for that destination nothing is added. t_ms: now. */
HF_CHECK int hf_outbox_put(struct hf_state *s, int64_t bound, enum hf_sink sink, bool once, const char *kind,
	struct hf_str body, struct hf_error *err);
/* The oldest rows, copied, as many as fit into the numbers given (one always does). */
struct hf_outbox_rows {
	struct hf_outbox_row *at;
	size_t n, room;
};
HF_CHECK int hf_outbox_take(struct hf_state *s, struct hf_arena *a, enum hf_sink sink, size_t most,
	size_t bytes, struct hf_outbox_rows *ret, struct hf_error *err);
/* Everything of that destination up to and with seq is done with. */
HF_CHECK int hf_outbox_done(struct hf_state *s, enum hf_sink sink, int64_t seq, struct hf_error *err);
HF_CHECK int hf_outbox_waiting(struct hf_state *s, enum hf_sink sink, int64_t *ret, struct hf_error *err);
HF_CHECK int hf_outbox_dropped(struct hf_state *s, int64_t *ret, struct hf_error *err);
