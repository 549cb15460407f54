/* agent/reboot.h - a release's task asks for a reboot by writing <state_dir>/runs/<run>.reboot: delay,
 * message and command, a line each, then the boot it was asked in. The supervisor obeys; after the boot the
 * run goes on behind that task. A request of an older boot has been obeyed. */
#pragma once
#include "agent/agent.h"

struct hf_reboot {
	int64_t delay_s;
	const char *message, *command; /* command "": systemctl reboot */
};
const char *hf_reboot_path(struct hf_agent *agent, struct hf_arena *a, int64_t run);
/* Whether a request of this boot lies there. */
bool hf_reboot_asked(struct hf_arena *a, const char *path, struct hf_reboot *ret);
/* ended as in hf_child_spec: tells whether the command could be started. */
HF_CHECK int hf_reboot_start(struct hf_agent *agent, const char *command,
	void (*ended)(void *data, struct hf_child *c, int status, bool timed_out), void *data,
	struct hf_child **ret, struct hf_error *err);
