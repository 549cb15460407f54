/* lib/engine/undo.h - private: what modules describe on their way, and the records made of it. */
#pragma once
#include "lib/engine/module.h"
#include "lib/engine/run.h"

struct hf_undo {
	struct hf_arena *arena;
	const struct hf_run_hooks *hooks;
	struct hf_value *steps; /* list of dicts */
};
