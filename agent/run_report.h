/* agent/run_report.h - the whole story of one run as a JSON file: its row, and every task of its logs with
 * what it said. Diffs and messages are those of events, secrets hidden; arguments and results are not in it.
 * Fails: HF_E_IO. A story longer than HF_RUN_REPORT_MAX is cut and says so. */
#pragma once
#include "agent/agent.h"

enum { HF_RUN_REPORT_MAX = 1 << 20 };

struct hf_run_report {
	const char *path, *key; /* key: <environment>/<fleet>/<host>/<run>-<hash>.json */
	const char *sha256;
	int64_t size;
};
HF_CHECK int hf_run_report_write(struct hf_agent *agent, struct hf_arena *a, int64_t run,
	const struct hf_value *row, struct hf_run_report *ret, struct hf_error *err);
