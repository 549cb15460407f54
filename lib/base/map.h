/* lib/base/map.h - a hash map that keeps insertion order; keys are opaque pointers compared through
 * hf_map_kind. Owns:  entries and index live in the arena given at init; keys and values are borrowed. Use:
 * hf_map_init_str() for C-string keys. Iterate entries[0 … count) and skip those whose key is NULL (deleted).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"

struct hf_map_kind {
	uint32_t (*hash)(const void *key);
	bool (*equal)(const void *a, const void *b);
};

struct hf_map_entry {
	const void *key; /* NULL: deleted */
	void *value;
	uint32_t hash;
};

struct hf_map {
	struct hf_arena *arena;
	const struct hf_map_kind *kind;
	struct hf_map_entry *entries;
	uint32_t *index; /* entry number + 1; 0 empty */
	uint32_t count;  /* entries used, deleted ones included */
	uint32_t live;   /* entries not deleted */
	uint32_t room, index_size;
};

void hf_map_init(struct hf_map *m, struct hf_arena *a, const struct hf_map_kind *kind);
void hf_map_init_str(struct hf_map *m, struct hf_arena *a); /* const char * keys */
struct hf_map_entry *hf_map_find(const struct hf_map *m, const void *key);
/* The same for a key whose hash is known already. */
struct hf_map_entry *hf_map_find_hashed(const struct hf_map *m, uint32_t hash, const void *key);
void *hf_map_get(const struct hf_map *m, const void *key); /* value or NULL */
/* Insert or replace the value; an existing key keeps its place and its key pointer. */
void hf_map_set(struct hf_map *m, const void *key, void *value);
bool hf_map_remove(struct hf_map *m, const void *key);
void hf_map_clear(struct hf_map *m);

#define HF_MAP_EACH(m, e)                                                                                    \
	for (struct hf_map_entry *e = (m)->entries; e != NULL && e < (m)->entries + (m)->count; e++)         \
		if (e->key != NULL)
