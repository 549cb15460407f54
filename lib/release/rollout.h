/* lib/release/rollout.h - whose turn it is: a pointer's "rollout", from which every host decides by itself.
 *   canary: {hosts: [NAME], percent: N}        go at once; without waves nobody else does, by this pointer
 *   waves: [{percent: N, after: SPAN}]         of the whole fleet, so long after the pointer was issued
 *   soak: SPAN                                 after, where a wave does not say; without waves: everybody
 *   windows: ["mon-fri 02:00-04:30 ZONE"]      only while one is open, canaries too
 *   budget, concurrency: N                     hosts that may fail, that may be at work: canary alone begins,
 *                                            the others by the next pointers, never by the clock
 *
 * Fails: HF_E_ARGUMENT with the place in the document; unknown keys are errors. */
#pragma once
#include "lib/base/digest.h"
#include "lib/data/value.h"
#include "lib/release/window.h"

enum { HF_ROLLOUT_WAVES = 64, HF_ROLLOUT_WINDOWS = 32 };

struct hf_rollout {
	bool canary;                  /* asked for, perhaps of nobody */
	const struct hf_value *hosts; /* names of canaries; NULL: none */
	double percent;
	struct {
		double percent;
		int64_t after_s;
	} waves[HF_ROLLOUT_WAVES];
	size_t n_waves;
	int64_t soak_s; /* 0: none */
	struct hf_window windows[HF_ROLLOUT_WINDOWS];
	size_t n_windows;
	int64_t budget, concurrency;
};
HF_CHECK int hf_rollout_parse(
	struct hf_arena *a, const struct hf_value *v, struct hf_rollout *ret, struct hf_error *err);

/* Where a host stands in the fleet for this release, from 0 to below 100: the first eight bytes of the
 * SHA-256 of "RELEASE HOST", as a number, to a thousandth. Each release has another order. */
double hf_rollout_place(const char *release, const char *host);

enum hf_turn_kind {
	HF_TURN_NOW,
	HF_TURN_WAVE,    /* at a known time */
	HF_TURN_WINDOW,  /* when one opens */
	HF_TURN_POINTER, /* not by this pointer */
};
struct hf_turn {
	enum hf_turn_kind kind;
	int64_t at; /* of WAVE */
};
struct hf_turn hf_rollout_turn(
	const struct hf_rollout *r, const char *release, const char *host, int64_t issued, int64_t now);
