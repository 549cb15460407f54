/* agent/gate.h - what a release asks to hold after it was applied: commands, ports, files; and that the agent
 * still reaches its store and broker. Checked in a forked child, again and again until all hold or the
 * deadline passes. A gate is a dict: {command: [argv] | text, port: n, file: path, module: python module,
 * gpu: n} and a name. */
#pragma once
#include "agent/config.h"

struct hf_gate_job {
	const struct hf_config *config;
	const struct hf_value *gates; /* a list */
	uint64_t deadline_ms;
};
/* A child body (hf_child_spec); data is the struct hf_gate_job. Tells one line:
 * {"k":"gates","ok":bool,"text":why}. */
int hf_gate_body(int socket, void *data);
