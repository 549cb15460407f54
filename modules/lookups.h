/* modules/lookups.h - lookups of the programs: those that speak over the network. */
#pragma once
#include "lib/data/value.h"

/* The member `lookup` of the registry: *ret NULL when there is none of that name. */
HF_CHECK int hf_lookups(struct hf_arena *a, const char *name, const struct hf_value *terms,
	const struct hf_value *options, struct hf_value **ret, struct hf_error *err);
