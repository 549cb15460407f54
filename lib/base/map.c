#include "lib/base/map.h"

#include <string.h>

#include "lib/base/str.h"

/* Small maps are searched without an index: most dictionaries in playbooks have a handful of keys. */
enum { MAP_LINEAR_MAX = 8 };

static uint32_t str_key_hash(const void *key)
{
	return hf_hash_bytes(key, strlen(key));
}

static bool str_key_equal(const void *a, const void *b)
{
	return strcmp(a, b) == 0;
}

static const struct hf_map_kind str_kind = { str_key_hash, str_key_equal };

void hf_map_init(struct hf_map *m, struct hf_arena *a, const struct hf_map_kind *kind)
{
	*m = (struct hf_map){ .arena = a, .kind = kind };
}

void hf_map_init_str(struct hf_map *m, struct hf_arena *a)
{
	hf_map_init(m, a, &str_kind);
}

static bool entry_matches(
	const struct hf_map *m, const struct hf_map_entry *e, uint32_t hash, const void *key)
{
	return e->key != NULL && e->hash == hash && (e->key == key || m->kind->equal(e->key, key));
}

static struct hf_map_entry *find_hashed(const struct hf_map *m, uint32_t hash, const void *key)
{
	if (m->index == NULL) {
		for (uint32_t i = 0; i < m->count; i++)
			if (entry_matches(m, &m->entries[i], hash, key))
				return &m->entries[i];
		return NULL;
	}
	for (uint32_t slot = hash & (m->index_size - 1); m->index[slot] != 0;
		slot = (slot + 1) & (m->index_size - 1)) {
		struct hf_map_entry *e = &m->entries[m->index[slot] - 1];
		if (entry_matches(m, e, hash, key))
			return e;
	}
	return NULL;
}

struct hf_map_entry *hf_map_find(const struct hf_map *m, const void *key)
{
	return m->live == 0 ? NULL : find_hashed(m, m->kind->hash(key), key);
}

struct hf_map_entry *hf_map_find_hashed(const struct hf_map *m, uint32_t hash, const void *key)
{
	return m->live == 0 ? NULL : find_hashed(m, hash, key);
}

void *hf_map_get(const struct hf_map *m, const void *key)
{
	struct hf_map_entry *e = hf_map_find(m, key);
	return e == NULL ? NULL : e->value;
}

static void index_put(struct hf_map *m, uint32_t number)
{
	uint32_t slot = m->entries[number].hash & (m->index_size - 1);
	while (m->index[slot] != 0)
		slot = (slot + 1) & (m->index_size - 1);
	m->index[slot] = number + 1;
}

static void map_grow(struct hf_map *m)
{
	uint32_t room = m->live * 2 < 4 ? 4 : m->live * 2;
	struct hf_map_entry *entries =
		hf_alloc(m->arena, room * sizeof(*entries)); /* the first count are read */
	uint32_t count = 0;
	for (uint32_t i = 0; i < m->count; i++)
		if (m->entries[i].key != NULL)
			entries[count++] = m->entries[i];
	m->entries = entries;
	m->count = count;
	m->room = room;
	m->index = NULL;
	if (room <= MAP_LINEAR_MAX)
		return;
	for (m->index_size = 16; m->index_size < room * 2;)
		m->index_size *= 2;
	m->index = hf_new_array(m->arena, m->index_size, uint32_t);
	for (uint32_t i = 0; i < count; i++)
		index_put(m, i);
}

void hf_map_set(struct hf_map *m, const void *key, void *value)
{
	uint32_t hash = m->kind->hash(key);
	struct hf_map_entry *e = m->live == 0 ? NULL : find_hashed(m, hash, key);
	if (e != NULL) {
		e->value = value;
		return;
	}
	if (m->count == m->room)
		map_grow(m);
	m->entries[m->count] = (struct hf_map_entry){ key, value, hash };
	if (m->index != NULL)
		index_put(m, m->count);
	m->count++;
	m->live++;
}

bool hf_map_remove(struct hf_map *m, const void *key)
{
	struct hf_map_entry *e = hf_map_find(m, key);
	if (e == NULL)
		return false;
	e->key = NULL; /* its index slot stays taken until the next growth */
	e->value = NULL;
	m->live--;
	return true;
}

void hf_map_clear(struct hf_map *m)
{
	hf_map_init(m, m->arena, m->kind);
}
