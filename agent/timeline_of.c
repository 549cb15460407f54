#include "agent/timeline_of.h"

/* A machine that had been up for longer was not started for this. */
enum { BOOT_MAX_MS = 3600 * 1000 };

static int64_t at(const struct hf_value *marks, const char *key)
{
	return hf_dict_int(marks, key, 0);
}

static void span(
	struct hf_arena *a, struct hf_value *to, const char *key, int64_t from, int64_t until, int64_t max)
{
	if (from > 0 && until >= from && until - from <= max)
		hf_dict_put(to, key, hf_value_int(a, until - from));
}

struct hf_value *hf_timeline_of(struct hf_arena *a, const struct hf_value *marks)
{
	static const char *const spent[] = { "fetch_ms", "verify_ms" };
	int64_t agent = at(marks, "agent_at"), ready = at(marks, "ready_at"), boot = at(marks, "boot_at");
	int64_t bootstrap = at(marks, "bootstrap_at"), gates = at(marks, "gates_at");
	if (marks == NULL || agent == 0 || ready < agent)
		return NULL;
	int64_t begun = bootstrap > 0 && bootstrap <= agent ? bootstrap : agent;
	bool fresh = boot > 0 && boot <= begun && begun - boot <= BOOT_MAX_MS;
	struct hf_value *v = hf_value_dict(a);
	span(a, v, "boot_ms", boot, begun, BOOT_MAX_MS);
	if (begun == bootstrap)
		span(a, v, "bootstrap_ms", bootstrap, agent, INT64_MAX);
	for (size_t i = 0; i < HF_COUNT(spent); i++)
		if (hf_dict_get(marks, spent[i]) != NULL)
			hf_dict_put(v, spent[i], hf_value_int(a, at(marks, spent[i])));
	span(a, v, "apply_ms", at(marks, "apply_at"), gates, INT64_MAX);
	span(a, v, "gates_ms", gates, ready, INT64_MAX);
	hf_dict_put(v, "total_ms", hf_value_int(a, ready - (fresh ? boot : begun)));
	return v;
}
