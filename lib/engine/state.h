/* lib/engine/state.h - a run in progress: what run*.c, vars*.c, exec*.c and context.c share. Private to the
 * engine. Owns:  everything lives in hf_run.arena; a task's temporaries in hf_task.arena and die with it. */
#pragma once
#include "lib/engine/event.h"
#include "lib/engine/inventory.h"
#include "lib/engine/playbook.h"
#include "lib/engine/run.h"
#include "lib/engine/templar.h"

enum { HF_SCOPE_LAYERS_MAX = 4096 };

/* ansible-playbook's exit statuses. */
enum {
	EXIT_DONE = 0,
	EXIT_ERROR = 1,
	EXIT_HOSTS_FAILED = 2,
	EXIT_UNREACHABLE = 4,
	EXIT_PARSE = 4,
	EXIT_OPTIONS = 5,
	EXIT_UNEXPECTED = 250
};

struct hf_host_vars {
	struct hf_value *inventory; /* groups, group_vars, host, host_vars merged */
	struct hf_value *facts;     /* ansible_facts: names without ansible_ */
	struct hf_value *fact_vars; /* the same as variables: ansible_… */
	struct hf_value *set;       /* set_fact and register */
	struct hf_value *included;  /* include_vars */
	struct hf_value *files;     /* vars_files of the present play */
	struct hf_value *stats;     /* set_stats per_host */
	const char *inventory_of;   /* the playbook directory `inventory` was merged for */
	unsigned count[HF_ST_COUNT];
	bool failed;         /* out of the run */
	bool failing;        /* on the way up to a rescue */
	bool handler_failed; /* in this play: it runs no more of them */
	bool rescuing;       /* inside a block that has a rescue: counts nested ones */
	unsigned rescue_depth;
	bool unreachable, ended, ended_role;
	bool gathered;
	struct hf_value *flat; /* hostvars[name], for generation flat_at */
	uint64_t flat_at;
	bool flattening;
};

/* How Ansible would reach the host of the task under way; connection.c. */
struct hf_connection {
	const char *address, *user; /* user: NULL, nobody said */
};

/* Where a name is looked up: one task on one host, or a play before its tasks. */
struct hf_scope {
	struct hf_run *run;
	struct hf_host *host;                   /* may be NULL */
	struct hf_play *play;                   /* may be NULL */
	const struct hf_node *node;             /* may be NULL */
	struct hf_host *delegate;               /* who does it for host; may be NULL */
	const struct hf_connection *connection; /* NULL: no task is under way */
	struct hf_value *locals;                /* loop variables, a task's own result; dict or NULL */
	const struct hf_value **layers;         /* below magic and extra variables, highest first */
	size_t n_layers, room;
	struct hf_arena *arena; /* for what magic variables make */
	struct hf_value *used;  /* names asked for: where each was given; NULL: none yet */
};

/* One file or role to be included, as one item of one host's loop asked for it. */
struct hf_include {
	struct hf_host *host;
	const char *name;
	struct hf_value *args, *locals; /* dicts in the run's arena */
	bool done;
};

struct hf_task;
/* plan.c: what a planned run would change, and the names of results nobody can know. */
struct hf_planned {
	const char *path, *title; /* path, or a registered name; of which task */
};
struct hf_plan_state {
	HF_VEC(struct hf_planned) changes;
	HF_VEC(struct hf_planned) names;
	struct hf_map handlers; /* id → the run: perhaps notified; a host: surely */
	const char *first;      /* title of the first task that would change something, or might */
};

/* A playbook that was named, and where its plays are. */
struct hf_book {
	const char *path;
	size_t first, plays;
};

struct hf_run {
	struct hf_arena *arena;
	const struct hf_run_options *options;
	const struct hf_run_hooks *hooks;
	struct hf_templar *templar;
	struct hf_vault *vault;
	struct hf_loader loader;
	struct hf_inventory *inventory;
	struct hf_plays plays;
	HF_VEC(struct hf_book) books;
	struct hf_value *extra; /* -e */
	struct hf_value *only_tags, *skip_tags;
	struct hf_scope *scope;   /* templates look here now */
	struct hf_map magic;      /* name → row number + 1 */
	uint64_t generation;      /* counts changes of any host's variables */
	struct hf_value *secrets; /* list of texts to hide */
	struct hf_value *stats;   /* set_stats */
	struct hf_map roles_done; /* "host|identity" */
	/* the play */
	struct hf_play *play;
	struct hf_hosts play_hosts;         /* all that match */
	struct hf_hosts batch;              /* of `serial` */
	struct hf_map notified;             /* "host|handler id" → host */
	HF_VEC(struct hf_include) includes; /* of the task on its way */
	bool play_over, run_over;
	/* of ansible.cfg; NULL: not given */
	const char *gathering, *strategy;
	double task_timeout;
	bool any_errors_fatal, facts_apart; /* facts_apart: only under ansible_facts */
	bool started;                       /* --start-at-task was found, or not asked for */
	char step;                          /* 'c': no more questions */
	uint64_t deadline_ms;
	int start_dir; /* a descriptor of where the run was started, + 1; 0: not opened yet */
	int task_dir;  /* the same of where the last task ran */
	const char *task_dir_path;
	int fatal;       /* exit status of an error outside tasks; 0: by its kind */
	double max_fail; /* max_fail_percentage of the play; below 0: none */
	unsigned task_number,
		task_count; /* of the play: how many were met, how many there are as far as is known */
	unsigned jobs, include_depth;
	unsigned errors_cleared;      /* how often meta: clear_host_errors ran */
	struct hf_map resource_names; /* how often a resource's description was seen */
	struct hf_map places;         /* wanted.c: how many tasks stand at a place */
	bool places_known;
	struct hf_plan_state plan;
};

/* --- vars.c, vars_load.c, magic.c --- */
void hf_scope_init(struct hf_scope *s, struct hf_run *run, struct hf_arena *a, struct hf_play *play,
	struct hf_host *host, const struct hf_node *node);
/* As stored, not templated; *ret NULL: not defined. */
int hf_scope_lookup(struct hf_scope *s, struct hf_str name, struct hf_value **ret, struct hf_error *err);
int hf_scope_names(struct hf_scope *s, struct hf_arena *a, struct hf_value **ret, struct hf_error *err);
void hf_magic_init(struct hf_run *run);
int hf_magic_lookup(struct hf_scope *s, struct hf_str name, struct hf_value **ret, struct hf_error *err);
struct hf_value *hf_magic_names(struct hf_arena *a);
/* The source a run's templar is made with. */
struct hf_templar_source hf_vars_source(struct hf_run *run);
/* Make room for what is known of a host. */
void hf_vars_host(struct hf_run *run, struct hf_host *h);
HF_CHECK int hf_vars_inventory(
	struct hf_run *run, struct hf_host *h, const char *play_dir, struct hf_error *err);
HF_CHECK int hf_vars_files(struct hf_run *run, struct hf_play *play, struct hf_host *h, struct hf_error *err);
HF_CHECK int hf_vars_extra(struct hf_run *run, struct hf_error *err);
void hf_vars_put(struct hf_run *run, struct hf_value **dict, const char *name, const struct hf_value *v);
/* v and all in it are never templated again. */
void hf_mark_unsafe(struct hf_value *v);
/* Facts as a module returned them. */
void hf_vars_facts(struct hf_run *run, struct hf_host *h, const struct hf_value *facts);
HF_CHECK int hf_vars_load_cache(struct hf_run *run, struct hf_host *h, struct hf_error *err);
HF_CHECK int hf_vars_save_cache(struct hf_run *run, const struct hf_host *h, struct hf_error *err);

/* --- connection.c --- */
struct hf_task;
/* From here on the variables of t's scope are those of a task under way. */
void hf_connection_note(struct hf_task *t);
/* ansible_host and the like where no variable says; NULL: not one of them, or not known. */
struct hf_value *hf_connection_lookup(struct hf_scope *s, struct hf_str name);
void hf_connection_names(const struct hf_scope *s, struct hf_arena *a, struct hf_value *set);

/* --- search.c --- */
/* Folders a file of kind ("files", "templates", "vars", "tasks"; "" for none) is looked for, best first. */
struct hf_value *hf_search_dirs(
	struct hf_run *run, const struct hf_node *n, struct hf_arena *a, const char *kind);
HF_CHECK int hf_search_file(struct hf_run *run, const struct hf_node *n, struct hf_arena *a, const char *kind,
	const char *name, char **ret, struct hf_error *err);

/* --- tags.c --- */
HF_CHECK int hf_tags_run(
	struct hf_run *run, struct hf_scope *s, const struct hf_node *n, bool *ret, struct hf_error *err);
HF_CHECK int hf_tags_of(struct hf_run *run, struct hf_scope *s, const struct hf_node *n,
	struct hf_value **ret, struct hf_error *err);
struct hf_value *hf_tags_list(struct hf_arena *a, const char *const *options, bool *ret_given);

/* --- plan.c --- */
/* Why nobody can know whether and how t runs; NULL: it can be looked at. */
const char *hf_plan_unsure(struct hf_task *t);
void hf_plan_notified(struct hf_task *t, const struct hf_node *h);
/* After a check: a failure that earlier tasks will have mended by then is none. */
HF_CHECK int hf_plan_looked(struct hf_task *t, const struct hf_resource *r, struct hf_change *change,
	int result, struct hf_error *err);
void hf_plan_take(struct hf_task *t);    /* after the module: what it left in the result */
void hf_plan_settled(struct hf_task *t); /* after the task */

/* --- wanted.c --- */
/* Role, blocks and name of a task as written, innermost first. */
void hf_resource_place(struct hf_arena *a, const struct hf_node *n, struct hf_buf *out);
/* Nothing of the play can tell whether n ran: no register, no rescue, no twin that its order tells apart. */
bool hf_task_alone(struct hf_run *run, const struct hf_node *n);
/* The hooks want a few tasks only, and n is none of them. */
bool hf_task_passed_over(struct hf_run *run, const struct hf_node *n);

/* --- exec_block.c --- */
HF_CHECK int hf_exec_play_nodes(
	struct hf_run *run, const struct hf_nodes *nodes, const struct hf_hosts *hosts, struct hf_error *err);
/* The host of that name is this machine. */
bool hf_host_is_here(struct hf_run *run, const struct hf_play *play, const struct hf_host *h);
bool hf_host_active(const struct hf_host *h);
/* In the middle of tasks, where a block may rescue a handler's failure; and at the end of a section. */
HF_CHECK int hf_exec_flush(struct hf_run *run, const struct hf_hosts *hosts, struct hf_error *err);
HF_CHECK int hf_exec_flush_last(struct hf_run *run, const struct hf_hosts *hosts, struct hf_error *err);
HF_CHECK int hf_exec_play(struct hf_run *run, struct hf_play *play, struct hf_error *err);

/* --- exec_task.c --- */
struct hf_become;
/* One task on one host, on its way. */
struct hf_task {
	struct hf_run *run;
	const struct hf_node *node;
	struct hf_host *host;
	struct hf_host *delegate; /* NULL: host itself */
	struct hf_arena *arena;
	struct hf_scope scope;
	const char *title;     /* "role : name", templated */
	const char *label;     /* of the loop's item; NULL outside loops */
	struct hf_value *item; /* NULL outside loops */
	bool check, diff, no_log, ignore_errors;
	bool refused; /* holdfast has not what it asks for: ignore_errors, failed_when, rescue do not help */
	struct hf_value *result; /* dict, as registered */
	enum hf_status status;
	uint64_t started_ms;
	/* the module's view */
	const struct hf_module *module;
	struct hf_value *args;  /* templated, omit removed */
	struct hf_value *given; /* as bound */
	void *params;
	const struct hf_resource *resource; /* while its module looks and changes; NULL: it leaves none */
	struct hf_value *warnings;          /* list or NULL */
	const char *const *env;
	struct hf_value *environment; /* dict or NULL */
	struct hf_hash_state *hash;
	uint64_t deadline_ms;
	bool raised;                     /* failed before or around the module: the loop does not go on */
	bool forked;                     /* inside the child of become */
	uid_t become_uid;                /* who the child is; 0: who started the run */
	const char *lent;                /* folder with sources that user may read; NULL: none was needed */
	struct hf_value *lent_paths;     /* dict: source → where it is lent */
	const char *unsure, *any_unsure; /* plan: why nobody can know; of this item, of any */
};
/* Runs n on every active host of hosts. */
HF_CHECK int hf_exec_task(
	struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts, struct hf_error *err);
/* task_keyword.c: a keyword's value, templated; *ret NULL when not given. */
HF_CHECK int hf_task_keyword(
	struct hf_task *t, enum hf_keyword k, struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_task_flag(
	struct hf_task *t, enum hf_keyword k, bool fallback, bool *ret, struct hf_error *err);
HF_CHECK int hf_task_number(
	struct hf_task *t, enum hf_keyword k, double fallback, double *ret, struct hf_error *err);
/* exec_loop.c: *ret_items NULL: no loop. */
HF_CHECK int hf_loop_items(struct hf_task *t, struct hf_value **ret_items, struct hf_error *err);
HF_CHECK int hf_loop_run(struct hf_task *t, struct hf_value *items, struct hf_error *err);
/* exec_once.c: when, arguments, module, until, changed_when: fills t->result and t->status. */
HF_CHECK int hf_task_once(struct hf_task *t, struct hf_error *err);
/* changed_when and failed_when once more, over t->result; scope.locals must be the task's own. */
void hf_task_conditions(struct hf_task *t);
void hf_task_fail(struct hf_task *t, const struct hf_error *err);
/* defaults.c: what module_defaults give this task's module, put into args. */
HF_CHECK int hf_defaults_add(struct hf_task *t, struct hf_value *args, struct hf_error *err);
/* exec_module.c: t->module with t->args; puts keys into t->result. An error is the task's failure. */
HF_CHECK int hf_module_direct(struct hf_task *t, struct hf_error *err);
/* no_log.c: takes the module's secrets out of t->result and of why it failed; failed NULL: it has not. */
void hf_no_log_strip(struct hf_task *t, struct hf_error *failed);
/* exec_become.c: the same as the task wants it: here, or in a child of another user or with a time limit. */
HF_CHECK int hf_module_run(struct hf_task *t, struct hf_error *err);
HF_CHECK int hf_module_fork(
	struct hf_task *t, const struct hf_become *b, uint32_t timeout_s, struct hf_error *err);
HF_CHECK int hf_module_async(
	struct hf_task *t, const struct hf_become *b, int64_t limit_s, int64_t poll_s, struct hf_error *err);
/* exec_include.c */
HF_CHECK int hf_include_note(struct hf_task *t, struct hf_error *err);
HF_CHECK int hf_include_run(struct hf_run *run, const struct hf_node *n, struct hf_error *err);
/* prompt.c */
HF_CHECK int hf_prompt_vars(struct hf_run *run, struct hf_play *play, struct hf_error *err);
/* exec_meta.c */
HF_CHECK int hf_meta_run(
	struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts, struct hf_error *err);
/* exec_handler.c */
/* Which handlers wait on that host, for who asked for more. */
void hf_handlers_said(struct hf_run *run, const struct hf_host *host);
HF_CHECK int hf_notify(struct hf_task *t, struct hf_error *err);
/* settle.c: facts, register, statistics, events of one finished task. */
HF_CHECK int hf_task_settle(struct hf_task *t, struct hf_error *err);

/* --- event.c --- */
/* A text to hide wherever it turns up: in outputs, messages, names, differences. Very short ones would hide
 * too much else and are left. run: a struct hf_run, as callbacks hand it on. */
void hf_secret_add(void *run, struct hf_str text);
/* text with the run's secrets hidden. */
struct hf_value *hf_hide(struct hf_run *run, struct hf_arena *a, const struct hf_value *v);
