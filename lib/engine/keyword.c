#include "lib/engine/keyword.h"

#include <string.h>

#include "lib/data/schema.h"

enum {
	P = HF_IN_PLAY,
	R = HF_IN_ROLE,
	B = HF_IN_BLOCK,
	T = HF_IN_TASK,
	H = HF_IN_HANDLER,
	I = HF_KW_INHERITED,
	X = HF_KW_EXTENDED
};

static const struct {
	struct hf_str name;
	unsigned flags;
} keywords[] = {
#define HF_KEYWORD(name, flags) { { #name, sizeof(#name) - 1 }, flags },
#include "lib/engine/keyword.def"
#undef HF_KEYWORD
};

const char *hf_keyword_name(enum hf_keyword k)
{
	return keywords[k].name.p;
}

unsigned hf_keyword_flags(enum hf_keyword k)
{
	return keywords[k].flags;
}

int hf_keyword_find(struct hf_str name, unsigned places)
{
	size_t low = 0, high = HF_KW_COUNT;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = hf_str_compare(name, keywords[middle].name);
		if (order == 0)
			return (keywords[middle].flags & places) != 0 ? (int)middle : -1;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

const char *hf_keyword_nearest(const char *name, unsigned places)
{
	const char *names[HF_KW_COUNT + 1];
	size_t n = 0;
	for (size_t i = 0; i < HF_KW_COUNT; i++) {
		if ((keywords[i].flags & places) != 0)
			names[n++] = keywords[i].name.p;
	}
	names[n] = NULL;
	return hf_nearest(name, names);
}
