/* agent/watch_index.h - from a path that something happened to, to the watched things it concerns.
 * Every path is kept with its parents resolved (links followed), and each parent is a node too: renaming or
 * making one concerns everything below. Owns: an arena of its own, replaced as a whole when the set changes.
 */
#pragma once
#include "agent/watch.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"

struct hf_watch_thing {
	enum hf_thing kind;
	const char *name;
};
struct hf_watch_node {
	const char *path;
	HF_VEC(struct hf_watch_thing *) things; /* this is their path, or a file that stands for them */
	HF_VEC(struct hf_watch_thing *) below;  /* this is a parent of theirs */
};
struct hf_watch_index {
	struct hf_arena *arena;
	struct hf_map nodes;                    /* path → node */
	struct hf_map dirs;                     /* folders that hold a node: path → path */
	HF_VEC(struct hf_watch_thing *) things; /* each once */
	HF_VEC(const char *) trees;             /* resolved */
	HF_VEC(struct hf_watch_thing *) tree_things;
	struct hf_arena *building; /* NULL: it is built */
	struct hf_map seen;        /* in that arena */
};
void hf_watch_index_init(struct hf_watch_index *x);
/* Nothing more is added: what only that needed goes. */
void hf_watch_index_built(struct hf_watch_index *x);
void hf_watch_index_done(struct hf_watch_index *x);
/* NULL when it is there already. */
struct hf_watch_thing *hf_watch_index_thing(struct hf_watch_index *x, enum hf_thing kind, const char *name);
void hf_watch_index_path(struct hf_watch_index *x, struct hf_watch_thing *t, const char *path, bool tree);
/* Calls hit() for each thing concerned; returns whether a parent was: handles and watches are then to be
 * renewed. */
typedef void (*hf_watch_hit)(void *data, const struct hf_watch_thing *t);
bool hf_watch_index_find(const struct hf_watch_index *x, const char *path, hf_watch_hit hit, void *data);
