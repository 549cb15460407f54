/* lib/release/evidence.c - what the log of an environment says about a release; declared in manage.h. */
#include <string.h>

#include "lib/release/manage.h"

/* What one fleet has seen of the release, entry by entry. */
struct fleet_view {
	const char *fleet;
	bool there;    /* the release is what the fleet was told to have */
	int64_t since; /* from when on */
};
struct evidence {
	struct fleet_view fleets[HF_EVIDENCE_FLEETS_MAX];
	size_t n_fleets;
	bool attested, passed, failed;
	int64_t soaked, longest;
	int64_t n;
};

static struct fleet_view *fleet_find(struct evidence *e, const char *fleet)
{
	for (size_t i = 0; i < e->n_fleets; i++)
		if (strcmp(e->fleets[i].fleet, fleet) == 0)
			return &e->fleets[i];
	if (e->n_fleets == HF_EVIDENCE_FLEETS_MAX)
		return NULL;
	e->fleets[e->n_fleets] = (struct fleet_view){ .fleet = fleet };
	return &e->fleets[e->n_fleets++];
}

/* The last word counts: what was attested as failed must be attested as passed again. */
static void entry_take(
	struct evidence *e, const struct hf_log_entry *entry, const char *release, int64_t soak)
{
	const struct hf_value *d = entry->details;
	struct fleet_view *f = fleet_find(e, hf_dict_cstr(d, "fleet", ""));
	bool same = strcmp(hf_dict_cstr(d, "release", ""), release) == 0;
	if (f == NULL)
		return;
	if (strcmp(entry->what, "attest") != 0) {
		if (same && !f->there)
			f->since = entry->when;
		f->there = same;
		return;
	}
	if (!same)
		return;
	bool passed = strcmp(hf_dict_cstr(d, "result", ""), "pass") == 0;
	int64_t soaked = f->there ? entry->when - f->since : 0;
	e->attested = true;
	e->failed = !passed;
	e->longest = soaked > e->longest ? soaked : e->longest;
	if (!passed) {
		e->passed = false;
	} else if (f->there && soaked >= soak) {
		e->passed = true;
		e->soaked = soaked;
		e->n = entry->n;
	}
}

int hf_evidence_find(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_promotion_rule *rule, const struct hf_digest *release, struct hf_evidence *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_log_entries log;
	struct evidence e = { 0 };
	char hex[HF_SHA256_HEX];
	int result = hf_log_read(a, store, roots, rule->after, 0, &log, ret_refusal, err);
	if (result < 0)
		return result;
	hf_digest_hex(release, hex);
	for (size_t i = 0; i < log.n; i++)
		entry_take(&e, &log.at[i], hex, rule->soak);
	if (!e.passed)
		return hf_refuse(ret_refusal, err, HF_REFUSED_NO_EVIDENCE,
			e.failed ? "release %.12s was attested as failed in \"%s\" (%lld of %lld s soaked)"
			: e.attested
				? "release %.12s was attested in \"%s\" after %lld s; %lld s are demanded"
				: "nobody attested that release %.12s passed in \"%s\" (%lld of %lld s "
				  "soaked)",
			hex, rule->after, (long long)e.longest, (long long)rule->soak);
	*ret = (struct hf_evidence){ .environment = rule->after, .n = e.n, .entry = log.at[e.n - 1].digest };
	return 0;
}
