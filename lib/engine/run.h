/* lib/engine/run.h - run playbooks on this host: the one door through which cli and agent use the engine.
 * Owns:  everything of a run lives in its own arena, freed when hf_run_playbooks() returns; what hooks are
 * given is valid during the call only. Fails: HF_E_PARSE and friends with file:line:column before anything
 * was touched. Failing tasks are not errors: look at the summary. */
#pragma once
#include "lib/base/digest.h"
#include "lib/engine/module.h"

/* A task instance (task, or one item of its loop) that stands for something lasting on the host. */
struct hf_resource {
	const char *id; /* stable over releases: hash of play, role, block path, task name, module, item */
	const char *fingerprint; /* hash of module, bound arguments, contents of its source files */
	const char *title;       /* "role : task" and item label, for people */
	const char *module;
	const char
		*policy; /* holdfast_policy: report, correct, correct-in-window; NULL: the agent's default */
	bool needed;     /* others may ask what it did: a look at other resources recalls it */
	bool unknown;    /* given to journal: looking cannot tell, so that nothing may come of it */
	bool handler;    /* runs because it was notified: recalled only when the same run is resumed */
	struct hf_pos pos;
	const struct hf_value *args; /* dict as bound; secrets marked */
	/* list of {kind: path|tree|unit|packages|users|mounts|sysctl|poll, name: path, unit, sysctl key, or
	 * the seconds of a poll as an integer}; see hf_watch_… */
	const struct hf_value *watches;
	const struct hf_value *notifies; /* list of handler names */
	/* What its templates asked for: {name: "file:line", null where nobody wrote it (facts, results)};
	 * only once it is settled, and where watches are collected. NULL: none. */
	const struct hf_value *variables;
};

struct hf_run_options;
/* Every member may be NULL. data is passed to each. */
struct hf_run_hooks {
	void *data;
	/* Everything is read and nothing has run: may wait here for what the run is about, and set check and
	 * plan of options accordingly. */
	int (*loaded)(void *data, struct hf_run_options *options, struct hf_error *err);
	/* Whether the task at pos is one of those the run is about. Others of which nobody can ask what they
	 * did are passed over. NULL: all are. */
	bool (*wanted)(void *data, struct hf_pos pos);
	/* One object of the jsonl output (DESIGN section 4): type task, stats, play, warning … secrets
	 * already hidden. */
	/* The event of a task instance, its diff in it, comes right before settled() of that instance. */
	void (*event)(void *data, const struct hf_value *event);
	/* Before check: answer *ret_result with the stored result to leave the task alone (unchanged since,
	 * or already done before a reboot), or NULL to run it. */
	int (*recall)(void *data, struct hf_arena *a, const struct hf_resource *r,
		struct hf_value **ret_result, struct hf_error *err);
	/* Check has already seen that the resource differs, and goes on looking; diff may be NULL. May be
	 * NULL. */
	void (*differs)(void *data, const struct hf_resource *r, const struct hf_value *diff);
	/* Undo record (dict {resource, module, steps: [...]}); must be durable on return, or the change is
	 * not made. */
	int (*journal)(
		void *data, const struct hf_resource *r, const struct hf_value *record, struct hf_error *err);
	/* Save a file pre-image; fd is open at offset 0. ret: its content address. Durable on return. */
	int (*save)(void *data, int fd, struct hf_digest *ret, struct hf_error *err);
	/* After a task instance: its result as registered. status: ok, changed, skipped, failed. */
	int (*settled)(void *data, const struct hf_resource *r, const char *status,
		const struct hf_value *result, struct hf_error *err);
	/* True: stop at the next task boundary. */
	bool (*cancelled)(void *data);
	/* vars_prompt: what is typed, without its newline; NULL: nobody is there. hide: do not show it. */
	const char *(*ask)(void *data, struct hf_arena *a, const char *prompt, bool hide);
	/* --step: 'y', 'n' or 'c'. */
	char (*step)(void *data, const char *task);
};

/* Mirrors ansible-playbook's arguments; lists are NULL-terminated or NULL. */
struct hf_run_options {
	const struct hf_module_registry *registry;
	const char *const *playbooks;
	const struct hf_value
		*plays; /* instead of reading playbooks[0], which then says where names start from */
	const char *const *inventories; /* files, directories or "host," lists; NULL: localhost only */
	const char *const *extra_vars;  /* "k=v k=v", JSON/YAML text or @file, in order */
	const char *const *tags, *const *skip_tags;
	const char *limit;
	const char *start_at_task;
	const char *const *vault_password_files; /* "path" or "label@path" */
	const char *const
		*groups; /* groups this host is in besides the inventory's (environment, fleet, roles) */
	const struct hf_value *host_vars; /* inventory variables of host_name; dict or NULL */
	const char *host_name;            /* inventory_hostname; NULL: "localhost" */
	const char *roles_path,
		*collections_path; /* ':'-separated; NULL: ansible.cfg, then Ansible's defaults */
	const char *become_user, *become_method;
	const char *connection;      /* "local": every host of the inventory is this machine */
	const char *fact_cache_file; /* facts kept here between runs; NULL: not kept */
	bool plan;                   /* with check: events say plan: change, none, unknown (and why), fail */
	bool become, check, diff, force_handlers, step, flush_cache;
	bool list_tasks, list_tags, list_hosts, syntax_check;
	bool go_on; /* a look whether resources are as they were left: a failed task keeps no other from
		       running, and what is done each time it is asked for (restart) is not: see
		       hf_task_acts() */
	bool brief; /* of a task that neither changed anything nor failed, the hooks read no more than how it
		       ended and its msg: see hf_task_told() */
	bool watches;    /* collect hf_resource.watches (agent) */
	bool no_lookups; /* templates reach no files, environment or programs; see hf_templar_source.sealed */
	int verbosity;
	uint32_t deadline_s; /* of the whole run; 0: none */
	const struct hf_run_hooks *hooks;
};

struct hf_run_summary {
	unsigned ok, changed, failed, skipped, unreachable, rescued, ignored;
	int exit_status; /* as ansible-playbook's */
};

HF_CHECK int hf_run_playbooks(
	const struct hf_run_options *options, struct hf_run_summary *ret, struct hf_error *err);
/* Take back what a journal record describes; blobs: directory with saved pre-images (<aa>/<sha256>). */
HF_CHECK int hf_run_undo(const struct hf_module_registry *registry, const struct hf_value *record,
	const char *blobs, const struct hf_run_hooks *hooks, struct hf_error *err);
