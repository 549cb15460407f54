/* lib/base/vec.h - a typed growing array over an arena.
 *   HF_VEC(struct task *) tasks = { 0 };
 *   *hf_vec_push(a, &tasks) = t;
 *   for (size_t i = 0; i < tasks.n; i++) use(tasks.at[i]); */
#pragma once
#include <stddef.h>
#include <string.h>

#include "lib/base/arena.h"

#define HF_VEC(type)                                                                                         \
	struct {                                                                                             \
		type *at;                                                                                    \
		size_t n, room;                                                                              \
	}

/* Where the new, zeroed last element is. */
#define hf_vec_push(a, v)                                                                                    \
	((v)->at = hf_vec_grow((a), (v)->at, &(v)->n, &(v)->room, sizeof(*(v)->at)), &(v)->at[(v)->n - 1])

static inline void *hf_vec_grow(struct hf_arena *a, void *at, size_t *n, size_t *room, size_t size)
{
	if (*n == *room) {
		size_t wider = *room == 0 ? 4 : *room * 2;
		void *p = hf_alloc_array(a, wider, size);
		if (at != NULL)
			memcpy(p, at, *n * size);
		at = p;
		*room = wider;
	}
	++*n;
	return at;
}
