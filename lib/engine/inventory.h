/* lib/engine/inventory.h - hosts, groups, and patterns over them; inventory_read.h fills them.
 * Owns: everything lives in the arena of hf_inventory_new(). Fails: HF_E_LIMIT past a bound. */
#pragma once
#include "lib/base/vec.h"
#include "lib/data/value.h"

enum { HF_HOSTS_MAX = 10000, HF_GROUPS_MAX = 10000, HF_GROUP_DEPTH_MAX = 64 };

struct hf_host;
struct hf_group {
	const char *name;
	struct hf_value *vars; /* dict */
	HF_VEC(struct hf_group *) parents, children;
	HF_VEC(struct hf_host *) hosts;
	int64_t priority;
	unsigned depth;
};

struct hf_host_vars; /* what a run knows of a host; vars.h */
struct hf_host {
	const char *name;
	struct hf_value *vars;            /* dict: of the inventory */
	HF_VEC(struct hf_group *) groups; /* it was put into directly */
	bool implicit;                    /* localhost that nobody named: in no group, not even all */
	unsigned index;
	const char *source; /* file it was first named in; NULL: a list or nobody */
	struct hf_host_vars *run;
};

struct hf_inventory {
	struct hf_arena *arena;
	struct hf_map groups, hosts;    /* by name */
	HF_VEC(struct hf_host *) order; /* hosts as they came */
	HF_VEC(const char *) sources;   /* absolute paths of files and directories */
	struct hf_group *all, *ungrouped;
	const char *reading; /* the file on its way */
	bool named;          /* a source was asked for: without hosts "all" is nobody, not this machine */
};

struct hf_inventory *hf_inventory_new(struct hf_arena *a) HF_RETURNS_NONNULL;
struct hf_group *hf_inventory_group(struct hf_inventory *v, const char *name); /* made when there is none */
struct hf_host *hf_inventory_host(struct hf_inventory *v, const char *name);   /* made when there is none */
void hf_inventory_join(struct hf_inventory *v, struct hf_group *g, struct hf_host *h);
/* h is no member of g any more. */
void hf_inventory_leave(struct hf_group *g, struct hf_host *h);
void hf_inventory_nest(struct hf_inventory *v, struct hf_group *parent, struct hf_group *child);
/* After all sources: hosts without a group go to ungrouped, top groups below all. */
void hf_inventory_settle(struct hf_inventory *v);
/* Every group of h, those furthest from it first (all, …), as its variables are merged. */
struct hf_groups {
	struct hf_group **at;
	size_t n, room;
};
struct hf_groups hf_inventory_groups_of(struct hf_inventory *v, const struct hf_host *h);
/* Hosts of g, then of its children, then of theirs. */
struct hf_hosts {
	struct hf_host **at;
	size_t n, room;
};
struct hf_hosts hf_inventory_members(struct hf_inventory *v, const struct hf_group *g);
/* "web:&prod:!old", "*.example", "~re", "web[0:2]"; commas or colons between. localhost is made up when
 * nobody named it. *ret_unmatched (may be NULL): the first piece that named nothing. */
HF_CHECK int hf_inventory_match(struct hf_inventory *v, const char *pattern, struct hf_hosts *ret,
	const char **ret_unmatched, struct hf_error *err);

/* localhost under one of its names, made up when nobody named it; NULL for another name. */
struct hf_host *hf_inventory_local(struct hf_inventory *v, const char *name);
