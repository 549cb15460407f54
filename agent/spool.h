/* agent/spool.h - reports on disk until the broker has them, and the newest of them a while longer.
 * Numbers: (boot, n): boot names one start of the machine, n counts its reports from 1 without gaps; a report
 * that must be dropped for room is counted, and the next report says how many. Fails:   HF_E_IO from the
 * database. A body that is too long is cut (agent/fit.h). */
#pragma once
#include "agent/state.h"
#include "lib/data/value.h"

/* The head is what comes before the body: v, host, boot, n, t, kind, dropped. */
enum { HF_REPORT_MAX = 120 << 10, HF_REPORT_HEAD_MAX = 512, HF_SPOOL_WINDOW = 16 };
/* What is dropped first when there is no room: the highest number. */
enum hf_priority { HF_PRIO_ALARM, HF_PRIO_STATE, HF_PRIO_RUN, HF_PRIO_DRIFT };
enum hf_spool_flags { HF_SPOOL_RETAIN = 1 << 0, HF_SPOOL_QOS1 = 1 << 1 };

struct hf_spool_limits {
	int64_t bytes, keep;
};

struct hf_spool;
/* sender: gives one report to the net role; 0 sent, 1 not now (not connected, or it does not keep up). */
typedef int (*hf_spool_sender)(void *data, uint32_t slot, int flags, const char *topic, struct hf_str body);
HF_CHECK int hf_spool_open(struct hf_arena *a, struct hf_state *state, const char *host,
	struct hf_spool_limits limits, hf_spool_sender sender, void *data, struct hf_spool **ret,
	struct hf_error *err);

/* Hears every report as it is stored, inside the same transaction. */
typedef void (*hf_spool_observer)(void *data, const char *kind, struct hf_str body);
void hf_spool_observe(struct hf_spool *s, hf_spool_observer observer, void *data);

struct hf_report {
	const char *topic; /* below hf/1/<env>/<fleet>/<host>/ already: the whole topic */
	const char *kind;
	int flags; /* enum hf_spool_flags */
	enum hf_priority prio;
	const char *key;       /* a waiting report with the same key is replaced in place; NULL: never */
	struct hf_value *body; /* dict; v, host, boot, n, t, kind are put in front */
};
/* Durable on return. */
HF_CHECK int hf_spool_put(struct hf_spool *s, const struct hf_report *r, struct hf_error *err);
/* Send what waits, as far as the window allows. */
HF_CHECK int hf_spool_drain(struct hf_spool *s, struct hf_error *err);
HF_CHECK int hf_spool_acked(struct hf_spool *s, uint32_t slot, struct hf_error *err);
void hf_spool_disconnected(struct hf_spool *s); /* what was on its way waits again */
/* Numbers a reader misses; those no longer kept are left out. ret_n: how many wait again. */
HF_CHECK int hf_spool_resend(
	struct hf_spool *s, const char *boot, int64_t from, int64_t to, int64_t *ret_n, struct hf_error *err);
const char *hf_spool_boot(const struct hf_spool *s);
int64_t hf_spool_last(const struct hf_spool *s); /* newest n given out */
HF_CHECK int hf_spool_waiting(struct hf_spool *s, int64_t *ret, struct hf_error *err);
