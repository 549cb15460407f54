/* provisioner/engine.h - plan and apply of one environment.
 * Owns: everything lives in the arena of hf_engine_open(); one engine works on one environment, once. Blocks;
 * calls to AWS go in parallel on fibers. */
#pragma once
#include "lib/net/aws.h"
#include "provisioner/environment.h"
#include "provisioner/fiber.h"
#include "provisioner/state.h"

enum { HF_ENGINE_PARALLEL = 10, HF_ENGINE_SETTLE_MS = 5000 };

enum hf_action { HF_NONE, HF_CREATE, HF_UPDATE, HF_REPLACE, HF_DELETE };

/* One reason for a change: a property with its values before and after. */
struct hf_difference {
	const char *property;            /* or a sentence where before and after are NULL */
	struct hf_value *before, *after; /* after HF_UNDEFINED: known after apply */
	bool forces;                     /* cannot be changed in place */
};

struct hf_change {
	enum hf_action action;
	const char *name;
	const struct hf_spec *spec;
	const struct hf_resource *resource; /* NULL: no longer in the file */
	struct hf_state_doc *doc;           /* NULL: never made */
	struct {
		struct hf_difference *at;
		size_t n, room;
	} differences;
};

struct hf_plan {
	struct {
		struct hf_change *at;
		size_t n, room;
	} changes; /* those with HF_NONE too, dependencies first; deletions last */
	size_t counts[HF_DELETE + 1];
	struct hf_value *outputs;
};

enum hf_event { HF_STARTED, HF_WAITS, HF_FINISHED, HF_FAILED, HF_SKIPPED };
struct hf_engine_options {
	unsigned parallel; /* 0: HF_ENGINE_PARALLEL */
	/* Ids of offers of capacity blocks a human said yes to: nothing else is ever bought. NULL: none.
	 * NULL-terminated */
	const char *const *offers;
	/* text: why it failed, or what it waits for */
	void (*event)(void *data, const char *name, enum hf_action action, enum hf_event event, uint64_t ms,
		const char *text);
	void *data;
};

struct hf_engine;
/* what: for the lock, "apply" …; NULL: look only, take no lock. */
HF_CHECK int hf_engine_open(struct hf_arena *a, struct hf_environment *env, const char *what,
	const struct hf_engine_options *options, struct hf_engine **ret, struct hf_error *err);
struct hf_engine *hf_engine_close(struct hf_engine *e); /* accepts NULL; returns NULL */
static inline void hf_engine_close_scope(struct hf_engine **e)
{
	*e = hf_engine_close(*e);
}
#define hf_auto_engine HF_CLEANUP(hf_engine_close_scope) struct hf_engine *

enum hf_plan_kind {
	HF_PLAN_APPLY,   /* what must be done so that AWS is what the file says */
	HF_PLAN_DESTROY, /* the deletion of everything */
	HF_PLAN_DRIFT,   /* what became different from what was last applied; the file is not asked */
};
struct hf_plan_options {
	enum hf_plan_kind kind;
	const char *const *targets; /* names, or those before ".KEY"; NULL: everything. NULL-terminated */
};
/* Look at everything there is and compare. A target brings along what it needs (apply) or what needs it
 * (destroy). */
HF_CHECK int hf_engine_plan(struct hf_engine *e, const struct hf_plan_options *options, struct hf_plan **ret,
	struct hf_error *err);
HF_CHECK int hf_engine_apply(struct hf_engine *e, const struct hf_plan *plan, struct hf_error *err);
/* Take what exists already, by its id, under the name the file gives it; it is tagged as ours. HF_E_EXISTS
 * when that name was made already or it is another environment's. */
HF_CHECK int hf_engine_import(struct hf_engine *e, const char *name, const char *id, struct hf_error *err);
/* A state that was lost, from the tags alone: every resource of the file that AWS still has is recorded
 * again. *ret: {"found": [name …], "missing": [{"name", "reason"} …], "unknown": [{"name", "arn"} …]};
 * unknown: tagged with this environment, not in the file. */
HF_CHECK int hf_engine_rebuild(struct hf_engine *e, struct hf_value **ret, struct hf_error *err);
/* The outputs as the state has them, without asking AWS, unless a for_each goes over what is looked up. */
HF_CHECK int hf_engine_outputs(struct hf_engine *e, struct hf_value **ret, struct hf_error *err);
const char *hf_action_name(enum hf_action action);

/* saved.c: a plan as people and programs read it, and a plan that was looked at before it is carried out. */
struct hf_value *hf_plan_value(
	struct hf_arena *a, const struct hf_environment *env, const struct hf_plan *plan);
/* What a plan was made with: --var (a dict), --target (NULL-terminated; NULL: everything). */
struct hf_plan_given {
	struct hf_value *variables;
	const char *const *targets;
};
/* Atomically, mode 0600. */
HF_CHECK int hf_plan_save(struct hf_arena *a, const char *path, const struct hf_environment *env,
	const struct hf_plan *plan, const struct hf_plan_given *given, struct hf_error *err);
HF_CHECK int hf_plan_given(
	struct hf_arena *a, const char *path, struct hf_plan_given *ret, struct hf_error *err);
/* HF_E_CONFLICT names the first change that is not as it was: the file or the world moved since. */
HF_CHECK int hf_plan_holds(struct hf_arena *a, const char *path, const struct hf_environment *env,
	const struct hf_plan *plan, struct hf_error *err);
/* Where the state of an environment lies when its file does not say: .holdfast/NAME beside the file. */
const char *hf_environment_state_url(struct hf_arena *a, const struct hf_environment *env);
