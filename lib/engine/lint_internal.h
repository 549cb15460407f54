/* lib/engine/lint_internal.h - what the files of lint share. */
#pragma once
#include "lib/engine/absent.h"
#include "lib/engine/lint.h"
#include "lib/engine/playbook.h"

enum lint_type {
	LINT_PLAYBOOK,
	LINT_TASKS,
	LINT_HANDLERS,
	LINT_VARS,
	LINT_META,
	LINT_TEMPLATE,
	LINT_PLUGIN, /* Python beside the playbooks */
	LINT_SKIP,
	LINT_TYPES_NONE, /* not told yet */
};
enum { LINT_DEPTH_MAX = 128, LINT_FILES_MAX = 200000 };

struct lint_role {
	const char *name, *dir;
	const struct hf_value *collections; /* of its meta; may be NULL */
};

/* Another file that this one leads to. */
struct lint_ref {
	const char *path;
	enum lint_type type;
	struct lint_role *role;
	bool sure;
};

struct lint_file {
	const char *path;
	enum lint_type type;
	struct lint_role *role;
	HF_VEC(struct hf_lint_finding *) findings;
	HF_VEC(struct lint_ref) refs;
	unsigned order; /* in which it was first met */
	bool reached;   /* some unit has it */
};

struct linter {
	struct hf_arena *arena;
	const struct hf_lint_options *options;
	struct hf_lint *out;
	struct hf_loader loader; /* for its cache of documents */
	struct hf_templar *templar;
	struct hf_template_env env[2]; /* enum templar_way; told what is seen */
	struct hf_map files;           /* "type path" → struct lint_file * */
	struct hf_map roles;           /* folder → struct lint_role * */
	struct hf_map role_names;      /* name → folder, of what the walk found */
	const char *play_dir;          /* of the playbook being read; may be NULL */
	/* the place that is read now */
	struct lint_file *file;
	bool sure;
	const struct hf_value *collections; /* of the play */
	struct hf_pos pos;
	bool whole_file; /* positions of seen names are those in the text itself */
	unsigned depth;
};

/* lint_found.c */
void lint_report(struct linter *l, const char *kind, const char *name, const char *text, struct hf_pos pos);
void lint_note(struct linter *l, const char *kind, const char *name, const char *text, struct hf_pos pos);
void lint_lead(struct linter *l, const char *path, enum lint_type type, struct lint_role *role, bool sure);
struct hf_plugin_places lint_places(const struct linter *l);
struct lint_role *lint_role_at(struct linter *l, const char *dir);
/* The role of that name as Ansible finds it; NULL: there is none. */
struct lint_role *lint_role_find(struct linter *l, const char *name);

/* lint.c */
struct lint_file *lint_file_read(
	struct linter *l, const char *path, enum lint_type type, struct lint_role *role);

/* lint_text.c */
void lint_text_init(struct linter *l);
/* Every string inside v as a template. */
void lint_value(struct linter *l, const struct hf_value *v);
/* A condition, a list of them, or a bare expression. */
void lint_condition(struct linter *l, const struct hf_value *v);
void lint_template_file(struct linter *l, const char *path);
void lint_lookup_name(struct linter *l, const char *name, struct hf_pos pos);

/* lint_task.c */
void lint_tasks(struct linter *l, const struct hf_value *list);
void lint_play(struct linter *l, const struct hf_value *play);
void lint_role_entry(struct linter *l, const struct hf_value *entry);
/* Files of a role that every use of it reads. */
void lint_role_lead(struct linter *l, const char *name, const struct hf_value *args, struct hf_pos pos);

/* lint_tree.c */
enum lint_type lint_classify(struct linter *l, const char *path, struct lint_role **ret_role);
HF_CHECK int lint_walk(struct linter *l, const char *root, struct hf_error *err);
/* All files of a kind ("tasks", "templates" …) of a role or of the folder dir. */
void lint_lead_all(struct linter *l, const char *dir, enum lint_type type, struct lint_role *role);
