#include "agent/watch_index.h"

#include <limits.h>
#include <stdlib.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"

void hf_watch_index_init(struct hf_watch_index *x)
{
	*x = (struct hf_watch_index){ .arena = hf_arena_new(), .building = hf_arena_new() };
	hf_map_init_str(&x->nodes, x->arena);
	hf_map_init_str(&x->dirs, x->arena);
	hf_map_init_str(&x->seen, x->building);
}

void hf_watch_index_built(struct hf_watch_index *x)
{
	x->building = hf_arena_free(x->building);
	memset(&x->seen, 0, sizeof(x->seen));
}

void hf_watch_index_done(struct hf_watch_index *x)
{
	hf_watch_index_built(x);
	x->arena = hf_arena_free(x->arena);
}

struct hf_watch_thing *hf_watch_index_thing(struct hf_watch_index *x, enum hf_thing kind, const char *name)
{
	const char *key = hf_sprintf(x->building, "%d %s", (int)kind, name);
	if (hf_map_find(&x->seen, key) != NULL)
		return NULL;
	struct hf_watch_thing *t = hf_new(x->arena, struct hf_watch_thing);
	*t = (struct hf_watch_thing){ kind, hf_strdup(x->arena, name) };
	hf_map_set(&x->seen, key, t);
	*hf_vec_push(x->arena, &x->things) = t;
	return t;
}

static struct hf_watch_node *node_get(
	struct hf_watch_index *x, const struct hf_watch_thing *t, const char *path)
{
	struct hf_watch_node *n = hf_map_get(&x->nodes, path);
	if (n == NULL) {
		hf_auto_arena scratch = hf_arena_new();
		n = hf_new(x->arena, struct hf_watch_node);
		n->path = strcmp(t->name, path) == 0 ? t->name : hf_strdup(x->arena, path);
		hf_map_set(&x->nodes, n->path, n);
		const char *dir = hf_path_dir(scratch, path);
		if (hf_map_find(&x->dirs, dir) == NULL) {
			char *kept = hf_strdup(x->arena, dir);
			hf_map_set(&x->dirs, kept, kept);
		}
	}
	return n;
}

/* The path with links in its parents followed as far as they exist; the last part stays what it is. */
static char *parents_resolve(struct hf_arena *a, const char *path)
{
	char real[PATH_MAX];
	char *dir = hf_path_dir(a, path);
	const char *base = hf_path_base(path);
	if (realpath(dir, real) != NULL)
		return hf_path_join(a, real, base);
	if (strcmp(dir, "/") == 0 || strcmp(dir, path) == 0)
		return hf_strdup(a, path);
	return hf_path_join(a, parents_resolve(a, dir), base);
}

static void node_add(
	struct hf_watch_index *x, struct hf_watch_thing *t, struct hf_arena *scratch, const char *real)
{
	enum { DEPTH_MAX = 128 };
	*hf_vec_push(x->arena, &node_get(x, t, real)->things) = t;
	char *parent = hf_path_dir(scratch, real);
	for (int i = 0; i < DEPTH_MAX && strcmp(parent, "/") != 0; i++) {
		*hf_vec_push(x->arena, &node_get(x, t, parent)->below) = t;
		parent = hf_path_dir(scratch, parent);
	}
}

void hf_watch_index_path(struct hf_watch_index *x, struct hf_watch_thing *t, const char *path, bool tree)
{
	hf_auto_arena scratch = hf_arena_new();
	char real[PATH_MAX];
	if (path[0] != '/')
		return;
	char *plain = parents_resolve(scratch, hf_path_normalize(scratch, path));
	node_add(x, t, scratch, plain);
	/* A link's target counts as well: writing through the link changes what is read through it. */
	if (realpath(plain, real) != NULL && strcmp(real, plain) != 0)
		node_add(x, t, scratch, real);
	if (tree) {
		*hf_vec_push(x->arena, &x->trees) =
			hf_strdup(x->arena, realpath(plain, real) != NULL ? real : plain);
		*hf_vec_push(x->arena, &x->tree_things) = t;
	}
}

bool hf_watch_index_find(const struct hf_watch_index *x, const char *path, hf_watch_hit hit, void *data)
{
	const struct hf_watch_node *n = hf_map_get(&x->nodes, path);
	for (size_t i = 0; i < x->trees.n; i++) {
		size_t length = strlen(x->trees.at[i]);
		if (strncmp(path, x->trees.at[i], length) == 0 && path[length] == '/')
			hit(data, x->tree_things.at[i]);
	}
	if (n == NULL)
		return false;
	for (size_t i = 0; i < n->things.n; i++)
		hit(data, n->things.at[i]);
	for (size_t i = 0; i < n->below.n; i++)
		hit(data, n->below.at[i]);
	return n->below.n > 0;
}
