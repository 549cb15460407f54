/* agent/cloud_body.h - requests to AWS from reports: pure, no network. Texts of reports are JSON objects as
 * the spool printed them. */
#pragma once
#include "agent/config.h"
#include "agent/outbox.h"
#include "lib/data/value.h"

/* PutLogEvents takes 1 MiB and 10,000 events within 24 hours; PutEvents 256 KB and 10 entries. */
enum {
	HF_LOGS_BYTES_MAX = 1 << 20,
	HF_LOGS_EVENT_OVERHEAD = 26,
	HF_LOGS_SPAN_MS = 86400000,
	HF_EVENTS_MAX = 10,
	HF_EVENTS_BYTES_MAX = 250 << 10,
	HF_COMPLIANCE_ITEMS_MAX = 2000,
	HF_COMPLIANCE_BYTES_MAX = 700 << 10,
};

/* From rows[*at] on, as many as one request holds; *at goes past them. */
struct hf_value *hf_cloud_logs(
	struct hf_arena *a, const struct hf_config *c, const struct hf_outbox_rows *rows, size_t *at);
struct hf_value *hf_cloud_events(
	struct hf_arena *a, const struct hf_config *c, const struct hf_outbox_rows *rows, size_t *at);

struct hf_cloud_resource {
	const char *id, *title, *module, *state, *actor;
	int64_t checked;
};
struct hf_cloud_resources {
	struct hf_cloud_resource *at;
	size_t n, room;
};
/* items: those that do not comply first; what does not fit is left out and counted in a last item. */
struct hf_value *hf_cloud_compliance(
	struct hf_arena *a, const struct hf_cloud_resources *items, const char *run, int64_t now);
/* content: a dict of text. */
struct hf_value *hf_cloud_inventory(struct hf_arena *a, struct hf_value *content, int64_t now);
