/* agent/report.h - topics and bodies of what the fleet hears (DESIGN section 7), and the local status from
 * the same source. Bodies are durable in the spool on return; a failure there is fatal. */
#pragma once
#include "agent/agent.h"

/* hf/1/<env>/<fleet>/<host>/<leaf> */
const char *hf_report_topic(const struct hf_agent *agent, struct hf_arena *a, const char *leaf);
/* The state of the host, from what is true now. */
enum hf_host_state hf_report_host_state(const struct hf_agent *agent);
/* The state document: what `holdfast status --json` prints and the retained state topic carries. */
struct hf_value *hf_report_status(struct hf_agent *agent, struct hf_arena *a);
/* Publish the state if it differs from what was published last. */
void hf_report_state(struct hf_agent *agent);
void hf_report_alarm(struct hf_agent *agent, const char *word, const char *key, const char *format, ...)
	HF_PRINTF(4, 5);
struct hf_drift_event {
	const char *resource, *title, *module, *class, *action, *actor, *policy;
	const struct hf_value *diff; /* hidden already; may be NULL */
	const char *message;         /* why it could not be put right, or looked at; NULL: it could */
	int64_t run;
	int64_t ms; /* from the first event to this report */
};
void hf_report_drift(struct hf_agent *agent, const struct hf_drift_event *e);
void hf_report_run(struct hf_agent *agent, int64_t run);
