/* agent/cloud_role.h - the net role that speaks to AWS: one batch for each destination, then it ends.
 * It is forked with its job in memory, gives up its rights as the other net roles do, and tells on its socket
 * {"k":"done","sink":…} or {"k":"failed","sink":…,"text":…,"hopeless":…}: hopeless ones are not sent again.
 */
#pragma once
#include "agent/config.h"
#include "agent/outbox.h"

struct hf_cloud_job {
	struct hf_arena *arena;
	const struct hf_config *config;
	bool want[HF_SINKS];
	struct hf_outbox_rows logs, events;      /* their bodies are whole reports, JSON */
	struct hf_outbox_rows reports;           /* kind: key in the store, body: path of the file */
	struct hf_value *compliance, *inventory; /* requests but for the instance's id */
};
/* What the forked role does; its exit status. */
int hf_cloud_role_body(int socket, struct hf_cloud_job *job);
