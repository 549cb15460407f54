/* lib/engine/twister.h - Python's random.Random(seed): the Mersenne Twister with CPython's seeding and
 * choosing. */
#pragma once
#include "lib/base/error.h"
#include "lib/base/str.h"

struct hf_twister {
	uint32_t state[624];
	int at;
	bool system; /* no seed: the kernel's random numbers */
};

void hf_twister_system(struct hf_twister *t);
void hf_twister_seed_text(struct hf_twister *t, struct hf_str text);
void hf_twister_seed_int(struct hf_twister *t, uint64_t magnitude);
/* Random._randbelow(n), n > 0. */
uint64_t hf_twister_below(struct hf_twister *t, uint64_t n);
