/* lib/engine/inputs.h - what went into a task besides its arguments, as digests in the order they were named.
 */
#pragma once
#include "lib/engine/module.h"

struct hf_inputs {
	struct hf_value *digests; /* list of strings */
};
