/* lib/engine/watch.h - private: what hf_watch_… functions fill. */
#pragma once
#include "lib/engine/module.h"

struct hf_watches {
	struct hf_arena *arena;
	struct hf_value *list; /* of {kind, path | unit | key | seconds} */
};
