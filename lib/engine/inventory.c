#include "lib/engine/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"

struct hf_inventory *hf_inventory_new(struct hf_arena *a)
{
	struct hf_inventory *v = hf_new(a, struct hf_inventory);
	v->arena = a;
	hf_map_init_str(&v->groups, a);
	hf_map_init_str(&v->hosts, a);
	v->all = hf_inventory_group(v, "all");
	v->ungrouped = hf_inventory_group(v, "ungrouped");
	hf_inventory_nest(v, v->all, v->ungrouped);
	return v;
}

struct hf_group *hf_inventory_group(struct hf_inventory *v, const char *name)
{
	struct hf_group *g = hf_map_get(&v->groups, name);
	if (g == NULL) {
		g = hf_new(v->arena, struct hf_group);
		g->name = hf_strdup(v->arena, name);
		g->vars = hf_value_dict(v->arena);
		g->priority = 1;
		hf_map_set(&v->groups, g->name, g);
	}
	return g;
}

struct hf_host *hf_inventory_host(struct hf_inventory *v, const char *name)
{
	struct hf_host *h = hf_map_get(&v->hosts, name);
	if (h == NULL) {
		h = hf_new(v->arena, struct hf_host);
		h->name = hf_strdup(v->arena, name);
		h->vars = hf_value_dict(v->arena);
		h->index = (unsigned)v->order.n;
		h->source = v->reading;
		hf_map_set(&v->hosts, h->name, h);
		*hf_vec_push(v->arena, &v->order) = h;
	}
	return h;
}

void hf_inventory_join(struct hf_inventory *v, struct hf_group *g, struct hf_host *h)
{
	for (size_t i = 0; i < g->hosts.n; i++) {
		if (g->hosts.at[i] == h)
			return;
	}
	*hf_vec_push(v->arena, &g->hosts) = h;
	*hf_vec_push(v->arena, &h->groups) = g;
	h->implicit = false;
}

void hf_inventory_leave(struct hf_group *g, struct hf_host *h)
{
	size_t kept = 0;
	for (size_t i = 0; i < g->hosts.n; i++) {
		if (g->hosts.at[i] != h)
			g->hosts.at[kept++] = g->hosts.at[i];
	}
	g->hosts.n = kept;
	kept = 0;
	for (size_t i = 0; i < h->groups.n; i++) {
		if (h->groups.at[i] != g)
			h->groups.at[kept++] = h->groups.at[i];
	}
	h->groups.n = kept;
}

void hf_inventory_nest(struct hf_inventory *v, struct hf_group *parent, struct hf_group *child)
{
	for (size_t i = 0; i < parent->children.n; i++) {
		if (parent->children.at[i] == child)
			return;
	}
	if (parent == child)
		return;
	*hf_vec_push(v->arena, &parent->children) = child;
	*hf_vec_push(v->arena, &child->parents) = parent;
}

static void deepen(struct hf_group *g, unsigned depth)
{
	if (depth < g->depth || depth > HF_GROUP_DEPTH_MAX)
		return;
	g->depth = depth;
	for (size_t i = 0; i < g->children.n; i++)
		deepen(g->children.at[i], depth + 1);
}

/* Some group holds h besides those that hold everybody. */
static bool is_grouped(const struct hf_inventory *v, const struct hf_host *h)
{
	for (size_t i = 0; i < h->groups.n; i++) {
		if (h->groups.at[i] != v->all && h->groups.at[i] != v->ungrouped)
			return true;
	}
	return false;
}

void hf_inventory_settle(struct hf_inventory *v)
{
	for (size_t i = 0; i < v->order.n; i++) {
		struct hf_host *h = v->order.at[i];
		if (h->groups.n == 0 && !h->implicit)
			hf_inventory_join(v, v->ungrouped, h);
		else if (h->groups.n == 1 && h->groups.at[0] == v->all)
			hf_inventory_join(v, v->ungrouped, h);
		else if (is_grouped(v, h))
			hf_inventory_leave(v->ungrouped, h);
	}
	HF_MAP_EACH (&v->groups, e) {
		struct hf_group *g = e->value;
		if (g != v->all && g->parents.n == 0)
			hf_inventory_nest(v, v->all, g);
		g->depth = 0;
	}
	deepen(v->all, 0);
}

/* --- questions --- */

static void collect_groups(struct hf_arena *a, struct hf_group *g, unsigned depth, struct hf_groups *out)
{
	for (size_t i = 0; i < out->n; i++) {
		if (out->at[i] == g)
			return;
	}
	*hf_vec_push(a, out) = g;
	for (size_t i = 0; depth < HF_GROUP_DEPTH_MAX && i < g->parents.n; i++)
		collect_groups(a, g->parents.at[i], depth + 1, out);
}

static int by_depth(const void *x, const void *y)
{
	const struct hf_group *a = *(const struct hf_group *const *)x,
			      *b = *(const struct hf_group *const *)y;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return strcmp(a->name, b->name);
}

struct hf_groups hf_inventory_groups_of(struct hf_inventory *v, const struct hf_host *h)
{
	struct hf_groups out = { 0 };
	for (size_t i = 0; i < h->groups.n; i++)
		collect_groups(v->arena, h->groups.at[i], 0, &out);
	if (!h->implicit && out.n > 0)
		collect_groups(v->arena, v->all, 0, &out);
	if (out.n > 0)
		qsort(out.at, out.n, sizeof(*out.at), by_depth);
	return out;
}

/* Group by group, level by level, as Ansible lists them. */
struct hf_hosts hf_inventory_members(struct hf_inventory *v, const struct hf_group *g)
{
	struct hf_hosts out = { 0 };
	const struct hf_group **queue = hf_new_array(v->arena, v->groups.live + 1, const struct hf_group *);
	size_t queued = 0;
	bool *seen = hf_new_array(v->arena, v->order.n + 1, bool);
	struct hf_map met;
	hf_map_init_str(&met, v->arena);
	queue[queued++] = g;
	hf_map_set(&met, g->name, (void *)(uintptr_t)g);
	for (size_t n = 0; n < queued; n++) {
		const struct hf_group *one = queue[n];
		for (size_t i = 0; i < one->hosts.n; i++) {
			if (!seen[one->hosts.at[i]->index])
				*hf_vec_push(v->arena, &out) = one->hosts.at[i];
			seen[one->hosts.at[i]->index] = true;
		}
		for (size_t i = 0; i < one->children.n; i++) {
			struct hf_group *child = one->children.at[i];
			if (hf_map_get(&met, child->name) != NULL)
				continue;
			hf_map_set(&met, child->name, child);
			queue[queued++] = child;
		}
	}
	return out;
}
