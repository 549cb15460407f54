/* lib/engine/module.h - the whole contract between the engine and a module.
 * A module compares the host with its arguments (check), says how to go back (undo), makes the change
 * (apply), and names what could disturb the result (watch). The engine decides when each is called; a module
 * holds no globals. Order:  check → [undo, made durable] → apply. In check mode only check runs. After apply,
 * check must report nothing. Errors: a task that fails returns -HF_E_TASK (or the error of what it called)
 * with one sentence in err; keys already in change->result are still given to `register`. */
#pragma once
#include "lib/base/proc.h"
#include "lib/data/schema.h"
#include "lib/data/value.h"

struct hf_module_context; /* one task on its way; reached through the hf_task_… functions below */

struct hf_change {
	bool changed;
	bool skipped; /* nothing was to be done: `creates` exists, check mode of command … */
	bool unknown; /* looking cannot tell (command): plans say "unknown", apply runs */
	struct hf_value
		*result; /* dict, made by the engine: the keys Ansible's module returns. `changed`, `failed`,
			    `msg` of a failure, `skipped`, `diff`, `invocation` are the engine's */
	struct hf_value *diff; /* list, made by the engine; see hf_change_diff() */
	void *state;           /* the module's own, from check to apply, in the task's arena */
};

struct hf_undo;    /* steps back, in the order they were described; taken in reverse */
struct hf_watches; /* what to listen to */
struct hf_inputs;  /* what else went into a task */

enum hf_module_flags {
	HF_MODULE_FREE_FORM = 1 << 0, /* `command: text`: bound as _raw_params */
	HF_MODULE_ANY_ARGS =
		1 << 1, /* no table: params is a struct hf_value ** to the dict (set_fact, add_host) */
	HF_MODULE_NO_RESOURCE =
		1 << 2, /* leaves nothing lasting to be watched or undone (debug, stat, setup) */
	HF_MODULE_NO_BECOME =
		1 << 3, /* runs on the controller side: become does not apply (debug, set_fact) */
	HF_MODULE_NO_CHECK = 1 << 4, /* check mode skips it (Ansible: "does not support check mode") */
	HF_MODULE_READ_ONLY =
		1 << 5,             /* check does the whole work; apply is NULL (stat, setup, find, slurp) */
	HF_MODULE_NO_DIFF = 1 << 6, /* shows no differences (Ansible: "does not support diff mode") */
	HF_MODULE_LOOSE_ARGS =
		1 << 7, /* what its table lacks is passed over with a warning, as by Ansible's action */
};

struct hf_module {
	const char *name;           /* without collection: "copy" */
	const char *collection;     /* "ansible.builtin" */
	const char *const *aliases; /* other names, full or short; NULL-terminated; may be NULL */
	const char *const
		*free_form_options; /* options taken out of free-form text (creates, chdir …); may be NULL */
	struct hf_schema schema;
	/* Of HF_MODULE_ANY_ARGS: what manuals and tables say it takes; nothing is bound by it. May be NULL.
	 */
	const struct hf_arg *shown;
	unsigned flags;
	/* What besides the arguments decides what check and apply want: source files and rendered text.
	 * Called before recall, so that a release that changed only these is not taken for unchanged. May be
	 * NULL. */
	int (*inputs)(struct hf_module_context *c, const void *params, struct hf_inputs *inputs,
		struct hf_error *err);
	int (*check)(struct hf_module_context *c, const void *params, struct hf_change *change,
		struct hf_error *err);
	int (*apply)(struct hf_module_context *c, const void *params, struct hf_change *change,
		struct hf_error *err);
	/* Describe how to restore what check saw; recorded durably before apply. A module without undo leaves
	 * a record that says it cannot. */
	int (*undo)(struct hf_module_context *c, const void *params, const struct hf_change *change,
		struct hf_undo *undo, struct hf_error *err);
	/* Take one step that undo described with hf_undo_step(). */
	int (*restore)(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err);
	void (*watch)(struct hf_module_context *c, const void *params, struct hf_watches *w);
};

/* modules/registry.c; the engine is given these by the program so that lib needs nothing of modules/. */
struct hf_module_registry {
	const struct hf_module *const *modules; /* NULL-terminated */
	/* Lookups that speak over the network; *ret NULL: there is none of that name. May be NULL. */
	int (*lookup)(struct hf_arena *a, const char *name, const struct hf_value *terms,
		const struct hf_value *options, struct hf_value **ret, struct hf_error *err);
};
/* The options that manuals and tables show; NULL when there are none. */
static inline const struct hf_arg *hf_module_args(const struct hf_module *m)
{
	return m->schema.args != NULL ? m->schema.args : m->shown;
}
/* By short name, collection.name or alias; ansible.legacy.x is ansible.builtin.x. NULL when there is none. */
const struct hf_module *hf_module_find(const struct hf_module_registry *registry, const char *name);

/* --- what a module may ask -------------------------------------------------------------------------------
 */
struct hf_arena *hf_task_arena(struct hf_module_context *c); /* lives until the task is done */
bool hf_task_check_mode(const struct hf_module_context *c);
bool hf_task_diff(const struct hf_module_context *c); /* diffs are wanted; skip the work otherwise */
/* Whether what is done each time it is asked for is due: restart, touch, flush, whatever is forced. Not where
 * the agent looks whether a resource still is as it was left: there only what differs counts; but handlers of
 * what was put right do their work. */
bool hf_task_acts(const struct hf_module_context *c);
/* Whether somebody waits for the first word that the resource is not as it should be: the agent's look after
 * an event. A check that must ask who may not answer for long (systemd reads its units again) then says what
 * it knows before it asks. What it finds in the end counts. before, after: as for hf_change_diff_values(). */
bool hf_task_awaited(const struct hf_module_context *c);
void hf_task_differs(struct hf_module_context *c, struct hf_value *before, struct hf_value *after);
int hf_task_verbosity(const struct hf_module_context *c); /* how many -v */
/* Whether anybody can read the whole result of this task though it changes nothing (register, -v, the agent);
 * else what costs work and only informs, such as a checksum, may be left out of it. */
bool hf_task_told(const struct hf_module_context *c);
const struct hf_value *hf_task_facts(struct hf_module_context *c); /* ansible_facts so far: a dict */
const char *hf_task_name(const struct hf_module_context *c);
struct hf_pos hf_task_pos(const struct hf_module_context *c);
const char *hf_task_dir(const struct hf_module_context *c);                /* the playbook's directory */
bool hf_task_given(const struct hf_module_context *c, const char *option); /* the playbook named it */
bool hf_task_null(const struct hf_module_context *c, const char *option);  /* named it, and gave it null */
/* NAME=value list for programs the task starts: ours plus `environment:` and, under become, the user's HOME …
 */
const char *const *hf_task_env(struct hf_module_context *c);
/* Run a program as the task would: its environment, its deadline. spec.env and timeout are filled when unset.
 */
HF_CHECK int hf_task_run(struct hf_module_context *c, const struct hf_proc_spec *spec,
	struct hf_proc_result *ret, struct hf_error *err);
/* A source file of the release as Ansible searches it: role's sub/, play's sub/, then without sub. sub:
 * "files", "templates", "vars" … HF_E_NOT_FOUND lists the places. */
HF_CHECK int hf_task_find(struct hf_module_context *c, const char *sub, const char *name, char **ret_path,
	struct hf_error *err);
/* stat(2) of a source, which the user that the task becomes may not be able to see. */
struct stat;
HF_CHECK int hf_task_stat(
	struct hf_module_context *c, const char *path, struct stat *ret, struct hf_error *err);
/* Bytes of a source file; a vaulted file is decrypted unless raw (ret_secret then true). */
HF_CHECK int hf_task_read(struct hf_module_context *c, const char *path, bool raw, struct hf_str *ret,
	bool *ret_secret, struct hf_error *err);
/* YAML of such a file, in the task's arena, with what the settings say of keys given twice. */
HF_CHECK int hf_task_yaml(struct hf_module_context *c, struct hf_str text, const char *path,
	struct hf_value **ret, struct hf_error *err);
/* Render a template file's text with the task's variables as the template module does. options: dict with
 * Ansible's names (trim_blocks, variable_start_string …) or NULL. ret_secret: a secret went into the text. */
HF_CHECK int hf_task_render(struct hf_module_context *c, struct hf_str source, const char *path,
	const struct hf_value *options, struct hf_str *ret, bool *ret_secret, struct hf_error *err);
/* Value of an expression (debug's var) and truth of a condition (assert's that). */
HF_CHECK int hf_task_evaluate(
	struct hf_module_context *c, struct hf_str expression, struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_task_condition(
	struct hf_module_context *c, const struct hf_value *condition, bool *ret, struct hf_error *err);
/* One line for people, kept in result.warnings. */
void hf_task_warn(struct hf_module_context *c, const char *format, ...) HF_PRINTF(2, 3);
/* The text that hides: anything containing one of the run's secrets is shown as ********. */
void hf_task_secret(struct hf_module_context *c, struct hf_str secret);

/* --- describing a change -----------------------------------------------------------------------------------
 */
/* Text diff of one file or setting; headers as Ansible's (path; may be NULL). No-op when diffs are not
 * wanted. */
void hf_change_diff(struct hf_module_context *c, struct hf_change *change, const char *before_header,
	struct hf_str before, const char *after_header, struct hf_str after);
/* {"before": …, "after": …} of attributes (state, mode, owner): values are dicts. */
void hf_change_diff_values(struct hf_module_context *c, struct hf_change *change, struct hf_value *before,
	struct hf_value *after);
/* result[key] = … */
void hf_result_put(
	struct hf_module_context *c, struct hf_change *change, const char *key, struct hf_value *value);
void hf_result_cstr(struct hf_module_context *c, struct hf_change *change, const char *key, const char *text);
void hf_result_int(struct hf_module_context *c, struct hf_change *change, const char *key, int64_t number);
void hf_result_bool(struct hf_module_context *c, struct hf_change *change, const char *key, bool b);

/* --- describing the way back --- */
/* path as it is now: content, kind, owner, mode, times, xattrs, or its absence. A directory: itself, not its
 * content. The pre-image is saved at once, content-addressed. */
HF_CHECK int hf_undo_file(struct hf_undo *u, const char *path, struct hf_error *err);
/* path and everything below it. */
HF_CHECK int hf_undo_tree(struct hf_undo *u, const char *path, struct hf_error *err);
/* What the module's own restore() understands; step is a dict. */
void hf_undo_step(struct hf_undo *u, struct hf_value *step);
/* This cannot be undone; says why. Rollback reports it by name. */
void hf_undo_impossible(struct hf_undo *u, const char *reason);

/* --- describing what else goes in ------------------------------------------------------------------------
 */
/* A source file of the release, or a folder with everything in it; found as hf_task_find() does. One that is
 * not there is no input: check says so better. */
void hf_input_source(
	struct hf_module_context *c, struct hf_inputs *inputs, const char *sub, const char *name);
void hf_input_text(struct hf_inputs *inputs, struct hf_str text);

/* --- describing what could disturb it ----------------------------------------------------------------------
 */
void hf_watch_path(
	struct hf_watches *w, const char *path); /* file or link: itself, its parents, its replacement */
void hf_watch_tree(struct hf_watches *w, const char *path); /* everything below as well */
void hf_watch_unit(struct hf_watches *w, const char *unit); /* state and files of a systemd unit */
void hf_watch_packages(struct hf_watches *w);               /* dpkg status, rpm database */
void hf_watch_users(struct hf_watches *w);                  /* passwd, group, shadow */
void hf_watch_mounts(struct hf_watches *w);
void hf_watch_sysctl(struct hf_watches *w, const char *key);
void hf_watch_poll(struct hf_watches *w, unsigned seconds); /* nothing tells: look every so often */
