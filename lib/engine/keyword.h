/* lib/engine/keyword.h - the keywords of the playbook language, from keyword.def: where each may stand, what
 * inherits. */
#pragma once
#include <stdbool.h>

#include "lib/base/str.h"

enum hf_keyword {
#define HF_KEYWORD(name, flags) HF_KW_##name,
#include "lib/engine/keyword.def"
#undef HF_KEYWORD
	HF_KW_COUNT
};

enum hf_keyword_place {
	HF_IN_PLAY = 1 << 0,
	HF_IN_ROLE = 1 << 1,
	HF_IN_BLOCK = 1 << 2,
	HF_IN_TASK = 1 << 3,
	HF_IN_HANDLER = 1 << 4,
	HF_KW_INHERITED = 1 << 5,
	HF_KW_EXTENDED = 1 << 6,
};

const char *hf_keyword_name(enum hf_keyword k);
unsigned hf_keyword_flags(enum hf_keyword k);
/* -1 when name is no keyword at any place in places. */
int hf_keyword_find(struct hf_str name, unsigned places);
/* The keyword nearest to name that may stand in places; NULL when none is near. */
const char *hf_keyword_nearest(const char *name, unsigned places);
