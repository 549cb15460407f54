/* lib/engine/playbook.h - plays, blocks, tasks and roles as loaded: keywords raw, what a file says expanded.
 * Owns:  everything lives in the loader's arena. Nodes are never changed by running them, so one may run on
 * many hosts. Fails: HF_E_PARSE with file:line:column for what Ansible refuses at load; HF_E_UNSUPPORTED for
 * what only we refuse. */
#pragma once
#include "lib/base/vec.h"
#include "lib/engine/keyword.h"
#include "lib/engine/module.h"
#include "lib/engine/templar.h"

enum { HF_LOAD_DEPTH_MAX = 64, HF_NODES_MAX = 1000000 };

struct hf_loader;
struct hf_play;
struct hf_role;
struct hf_node;

struct hf_nodes {
	struct hf_node **at;
	size_t n, room;
};

enum hf_node_kind { HF_NODE_PLAY, HF_NODE_ROLE, HF_NODE_BLOCK, HF_NODE_TASK };
enum hf_task_kind { HF_TASK_MODULE, HF_TASK_META, HF_TASK_INCLUDE_TASKS, HF_TASK_INCLUDE_ROLE };

struct hf_node {
	enum hf_node_kind kind;
	enum hf_task_kind task;
	struct hf_node *parent; /* whose keywords it inherits */
	struct hf_play *play;
	struct hf_role *role; /* NULL outside roles */
	struct hf_pos pos;
	const char *dir; /* of the file it stands in */
	bool dynamic;    /* an include: its children take its vars, not its other keywords */
	bool handler;
	bool implicit;                    /* ours, not the user's: a role's or an import's block */
	bool role_end;                    /* the block of a role: when it is done the role has run */
	struct hf_value *kw[HF_KW_COUNT]; /* own; NULL: not given */
	/* block */
	struct hf_nodes body, rescue, always;
	/* task */
	const char *action;             /* as written */
	const struct hf_module *module; /* NULL: an include, meta, or not known */
	struct hf_value *args;
	const char *with; /* "items" of with_items; NULL with `loop` or without a loop */
	struct hf_value *loop;
	unsigned id; /* counts up in load order */
};

struct hf_role {
	const char *name, *dir;
	const char *short_name, *collection; /* of ns.name; collection is NULL outside one */
	struct hf_role *parent;              /* that depends on or includes it */
	struct hf_value *defaults, *vars;    /* of its files; dicts */
	struct hf_value *params;             /* {role: x, key: value} */
	struct hf_value *keyword_vars;       /* vars: of its entry */
	struct hf_value *collections;        /* of its meta; may be NULL */
	const char *identity;                /* same name and parameters: same text */
	HF_VEC(struct hf_role *) deps;
	bool allow_duplicates, is_public, from_include;
	struct hf_node *node; /* keywords of its entry; parent of its blocks */
};

struct hf_play {
	struct hf_node node;
	const char *name;
	struct hf_value *vars; /* dict, never NULL */
	struct hf_nodes pre_tasks, roles, tasks, post_tasks;
	struct hf_nodes handlers; /* of roles, then the play's own, flat */
	struct hf_nodes own_handlers;
	HF_VEC(struct hf_role *) all_roles;
	HF_VEC(const char *) more_roles; /* of import_role and include_role, as often as they are named */
	struct hf_value *import_vars;    /* of import_playbook; dict or NULL */
};

struct hf_plays {
	struct hf_play **at;
	size_t n, room;
};

struct hf_loader {
	struct hf_arena *arena;
	const struct hf_module_registry *registry;
	struct hf_templar *templar; /* for names of static imports */
	const struct hf_vault *vault;
	const char *base;              /* directory of the first playbook */
	const char *const *roles_path; /* NULL-terminated directories */
	const char *const *collections_path;
	const char *duplicate_keys; /* what of a key given twice: warn (also NULL), error, ignore */
	struct hf_map files;        /* path → parsed document */
	unsigned next_id, depth;
	void (*warning)(void *data, const char *text);
	void (*secret)(void *data, struct hf_str text); /* of a file that is a vault; may be NULL */
	void *data;
	/* Static imports and roles may be named by templates: the text in the scope of node. */
	int (*text)(void *data, const struct hf_node *node, struct hf_value *v, struct hf_str *ret,
		struct hf_error *err);
};

/* --- load_file.c ------------------------------------------------------------------------------------------
 */
/* YAML of a file, with what duplicate_keys says. */
HF_CHECK int hf_load_parse(struct hf_loader *l, struct hf_arena *a, struct hf_str text, const char *path,
	struct hf_value **ret, struct hf_error *err);
/* A YAML document, decrypted when it is a vault; null when empty. Cached by path. */
HF_CHECK int hf_load_yaml(struct hf_loader *l, const char *path, struct hf_value **ret, struct hf_error *err);
/* dir/name, also with .yml, .yaml, .json; a directory gives all its files merged. *ret NULL: there is none.
 */
HF_CHECK int hf_load_vars(
	struct hf_loader *l, const char *dir, const char *name, struct hf_value **ret, struct hf_error *err);
/* path, path.yml, path.yaml, path.json that is a file; NULL when none is. */
char *hf_load_find(struct hf_arena *a, const char *path);

/* --- load_play.c --- */
HF_CHECK int hf_load_playbook(struct hf_loader *l, const char *path, struct hf_value *vars,
	struct hf_plays *ret, struct hf_error *err);

/* --- load_task.c --- */
/* A list of tasks and blocks below parent; handlers: they are handlers. */
HF_CHECK int hf_load_tasks(struct hf_loader *l, struct hf_node *parent, const char *dir,
	const struct hf_value *list, bool handlers, struct hf_nodes *ret, struct hf_error *err);
/* A file of tasks. */
HF_CHECK int hf_load_task_file(struct hf_loader *l, struct hf_node *parent, const char *path, bool handlers,
	struct hf_nodes *ret, struct hf_error *err);
struct hf_node *hf_load_node(
	struct hf_loader *l, enum hf_node_kind kind, struct hf_node *parent, struct hf_pos pos);
/* Take keywords out of ds into n; unknown keys are errors unless others takes them. what: "task", "block" …
 */
/* defaults.c: module_defaults name modules and groups that Ansible knows. */
HF_CHECK int hf_defaults_check(struct hf_loader *l, const struct hf_value *v, struct hf_error *err);
HF_CHECK int hf_load_keywords(struct hf_loader *l, struct hf_node *n, const struct hf_value *ds,
	unsigned places, const char *what, struct hf_value *others, struct hf_error *err);
/* v as text, templated when it is a template. */
HF_CHECK int hf_load_text(struct hf_loader *l, const struct hf_node *n, struct hf_value *v,
	struct hf_str *ret, struct hf_error *err);
HF_CHECK int hf_load_check_vars(const struct hf_value *vars, struct hf_error *err);

/* --- load_role.c --- */
struct hf_role_files { /* tasks_from … ; NULL: main */
	const char *tasks, *vars, *defaults, *handlers;
};
/* The role with its dependencies into entry, a node of kind role that holds its keywords. Handlers are
 * appended. */
HF_CHECK int hf_load_role(struct hf_loader *l, struct hf_node *entry, const char *name,
	struct hf_role *parent, const struct hf_role_files *files, struct hf_value *params,
	struct hf_nodes *ret_handlers, struct hf_error *err);
/* One entry of `roles:` or of meta dependencies. */
HF_CHECK int hf_load_role_entry(struct hf_loader *l, struct hf_node *parent, struct hf_role *parent_role,
	const struct hf_value *entry, struct hf_nodes *ret, struct hf_nodes *ret_handlers,
	struct hf_error *err);
/* "ns.name" of the collection that dir lies in; NULL outside one. */
const char *hf_load_collection_of(struct hf_arena *a, const char *dir);
/* The file of ns.name.playbook; NULL when there is none. */
const char *hf_load_find_playbook(struct hf_loader *l, const char *name);
HF_CHECK int hf_load_find_role(struct hf_loader *l, const struct hf_node *at, const char *name,
	const char **ret_dir, struct hf_error *err);

/* --- node.c --- */
/* The keyword's own or inherited value; NULL when nobody gives it. Extended keywords: see hf_node_collect().
 */
struct hf_value *hf_node_keyword(const struct hf_node *n, enum hf_keyword k);
enum { HF_NODE_LEVELS_MAX = 256 };
/* Values of an extended keyword, outermost first; how many. */
size_t hf_node_collect(const struct hf_node *n, enum hf_keyword k, struct hf_value *out[HF_NODE_LEVELS_MAX]);
/* The next node whose keywords n inherits; NULL at the end. Dynamic includes are stepped over. */
const struct hf_node *hf_node_up(const struct hf_node *n);
