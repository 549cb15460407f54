/* agent/drift_set.h - what was touched, coalesced, until somebody looks; and which resources that concerns.
 */
#pragma once
#include "agent/agent.h"
#include "agent/watch.h"
#include "lib/base/map.h"

enum { HF_FOUGHT_MAX = 256, HF_FIGHTS_MAX = 8 };
struct hf_drift_set {
	struct hf_arena *arena; /* renewed whenever the set runs empty */
	struct hf_map things;   /* "kind name" → struct touched */
	struct hf_map ids;      /* resources named directly: looked at again, or waiting for a window */
	/* Paths found touched of which every resource is backed off: fights. "": none. Of more at once the
	 * first are forgotten, and looked at as often as they are touched. */
	char fought[HF_FIGHTS_MAX][HF_FOUGHT_MAX];
	unsigned fights; /* noted so far: where the next goes */
};
/* One resource a drift run looks at. */
struct hf_drift_touch {
	const char *id, *title, *actor, *file;
	int policy; /* enum hf_policy */
	int64_t streak, last_change, line;
	uint64_t since_ms;
	unsigned attempts;
	bool drifted, contended;
	bool by_path;           /* it was a path that was touched, not a unit, a user … */
	bool held;              /* it would be corrected, but the host is paused or no window is open */
	bool found, told, seen; /* its correction has begun; that was told; it has ended */
	bool failed;            /* its correction did not succeed */
};
void hf_drift_set_init(struct hf_drift_set *s);
void hf_drift_set_clear(struct hf_drift_set *s);
/* Whether name is a path that is fought over; and that all fights are looked at anew. */
bool hf_drift_set_fought(const struct hf_drift_set *s, const char *name);
void hf_drift_set_peace(struct hf_drift_set *s);
void hf_drift_set_add(struct hf_drift_set *s, enum hf_thing kind, const char *name, const char *actor);
/* One resource, to be looked at whatever its paths look like. */
void hf_drift_set_name(struct hf_drift_set *s, const char *id);
void hf_drift_set_again(struct hf_drift_set *s, const struct hf_drift_touch *t);
/* Everything that was named directly in from, which is empty then. */
void hf_drift_set_move(struct hf_drift_set *to, struct hf_drift_set *from);
/* Every resource in that state, named directly. */
HF_CHECK int hf_drift_set_state(
	struct hf_drift_set *s, struct hf_state *state, const char *word, struct hf_error *err);
/* What the next run looks at. */
struct hf_drift_choice {
	struct hf_map pending;         /* id → struct hf_drift_touch */
	struct hf_value *ids, *places; /* lists; places of {file, line}. NULL: nothing is to be looked at */
	bool correct;
};
/* Take out of the set what the next run looks at: resources to correct first, else those only to report.
 * Things whose look is the stored one (our own writes among them) are dropped. */
HF_CHECK int hf_drift_set_choose(struct hf_drift_set *s, struct hf_agent *agent, struct hf_arena *a,
	struct hf_drift_choice *ret, struct hf_error *err);
/* Whether a touched thing is likely to lead to a run: a cheap guess. */
HF_CHECK int hf_drift_set_likely(
	struct hf_state *state, enum hf_thing kind, const char *name, bool *ret, struct hf_error *err);
