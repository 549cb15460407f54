/* Carrying out a plan: as many steps at once as allowed, each after what it needs. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "provisioner/resource.h"

struct step {
	struct applier *all;
	const struct hf_change *change;
	bool removes; /* a deletion, or the first half of a replacement */
	size_t waits; /* steps that must end before */
	bool started, ended, failed;
	struct {
		size_t *at; /* steps that wait for this one */
		size_t n, room;
	} then;
};

struct applier {
	struct hf_engine *engine;
	struct hf_fiber *conductor; /* woken by every step that ends */
	struct step *steps;
	size_t n, running;
	struct hf_map makes, removes; /* name → struct step */
	int rc;
	struct hf_error failure;
	size_t failures;
};

static void after(struct applier *ap, struct step *first, struct step *then)
{
	if (first == NULL || then == NULL || first == then)
		return;
	*hf_vec_push(ap->engine->arena, &first->then) = (size_t)(then - ap->steps);
	then->waits++;
}

static void steps_make(struct applier *ap, const struct hf_plan *plan)
{
	struct hf_arena *a = ap->engine->arena;
	ap->steps = hf_new_array(a, plan->changes.n * 2, struct step);
	hf_map_init_str(&ap->makes, a);
	hf_map_init_str(&ap->removes, a);
	for (size_t i = 0; i < plan->changes.n; i++) {
		const struct hf_change *c = &plan->changes.at[i];
		if (c->action == HF_DELETE || c->action == HF_REPLACE) {
			ap->steps[ap->n] = (struct step){ .all = ap, .change = c, .removes = true };
			hf_map_set(&ap->removes, c->name, &ap->steps[ap->n++]);
		}
		if (c->action != HF_NONE && c->action != HF_DELETE) {
			ap->steps[ap->n] = (struct step){ .all = ap, .change = c };
			hf_map_set(&ap->makes, c->name, &ap->steps[ap->n++]);
		}
	}
}

/* Made after what it needs; removed after whatever was made with it. */
static void steps_order(struct applier *ap)
{
	const struct hf_environment *env = ap->engine->env;
	for (size_t i = 0; i < ap->n; i++) {
		struct step *s = &ap->steps[i];
		const struct hf_resource *r = s->change->resource;
		if (!s->removes) {
			after(ap, hf_map_get(&ap->removes, s->change->name), s);
			for (size_t k = 0; k < r->depends.n; k++)
				after(ap, hf_map_get(&ap->makes, env->resources.at[r->depends.at[k]].name),
					s);
		}
		const struct hf_value *needs = s->change->doc == NULL || s->change->doc->doc == NULL
						       ? NULL
						       : hf_dict_get(s->change->doc->doc, "depends");
		for (size_t k = 0; hf_is(needs, HF_LIST) && k < hf_list_len(needs); k++) {
			struct step *removal = hf_map_get(&ap->removes, hf_list_at(needs, k)->u.string.p);
			if (removal == NULL)
				continue;
			/* One that stays lets go first, unless it waits for the successor of what is removed.
			 */
			if (s->removes || (removal->change->action == HF_DELETE &&
						  hf_map_get(&ap->removes, s->change->name) == NULL))
				after(ap, s, removal);
		}
	}
}

static int step_do(struct applier *ap, struct step *s, struct hf_arena *a, struct hf_error *err)
{
	struct hf_engine *e = ap->engine;
	struct hf_value *properties;
	if (s->removes)
		return resource_delete(e, a, s->change, err);
	int rc = hf_resource_render(
		a, e->env, s->change->resource, known_for(e, s->change->resource), NULL, &properties, err);
	if (rc < 0)
		return rc;
	if (s->change->action == HF_UPDATE)
		return resource_update(e, a, s->change, properties, err);
	struct hf_state_doc *d = hf_state_find(e->state, s->change->name);
	if (d != NULL &&
		strcmp(hf_dict_cstr(d->doc, "status", ""), "ready") == 0) { /* it is gone: begin anew */
		rc = hf_state_remove(e->state, d, err);
		if (rc < 0)
			return rc;
	}
	return resource_create(e, a, s->change, properties, err);
}

static void tell(
	struct applier *ap, const struct step *s, enum hf_event event, uint64_t start, const char *text)
{
	const struct hf_engine_options *o = &ap->engine->options;
	enum hf_action action = s->removes                        ? HF_DELETE
				: s->change->action == HF_REPLACE ? HF_CREATE
								  : s->change->action;
	if (o->event != NULL)
		o->event(o->data, s->change->name, action, event,
			start == 0 ? 0 : hf_time_monotonic_ms() - start, text);
}

static void step_run(void *data)
{
	struct step *s = data;
	struct applier *ap = s->all;
	struct hf_error why = { 0 };
	uint64_t start = hf_time_monotonic_ms();
	hf_auto_arena a = hf_arena_new();
	tell(ap, s, HF_STARTED, start, "");
	int rc = step_do(ap, s, a, &why);
	s->ended = true;
	ap->running--;
	hf_fiber_wake(ap->conductor);
	if (rc < 0) {
		char text[HF_ERROR_TEXT_MAX];
		s->failed = true;
		ap->failures++;
		tell(ap, s, HF_FAILED, start, hf_error_print(&why, text, sizeof(text)));
		hf_wrap(&why, "%s", s->change->name);
		if (ap->rc == 0) {
			ap->rc = rc;
			ap->failure = why;
		}
		return;
	}
	tell(ap, s, HF_FINISHED, start, "");
	for (size_t i = 0; i < s->then.n; i++)
		ap->steps[s->then.at[i]].waits--;
}

/* The one fiber that starts the others. */
static void conductor(void *data)
{
	struct applier *ap = data;
	struct hf_engine *e = ap->engine;
	ap->conductor = hf_fiber_self(e->fibers);
	for (;;) {
		size_t open = 0;
		for (size_t i = 0; i < ap->n; i++) {
			struct step *s = &ap->steps[i];
			if (s->started || s->waits > 0 || ap->running >= e->options.parallel ||
				ap->rc == -HF_E_CONFLICT)
				continue;
			s->started = true;
			ap->running++;
			if (hf_fiber_start(e->fibers, step_run, s, &ap->failure) < 0) {
				ap->rc = -HF_E_LIMIT;
				ap->running--;
			}
		}
		for (size_t i = 0; i < ap->n; i++)
			open += ap->steps[i].started && !ap->steps[i].ended;
		if (open == 0)
			return;
		hf_fiber_wait(e->fibers);
	}
}

int hf_engine_apply(struct hf_engine *e, const struct hf_plan *plan, struct hf_error *err)
{
	struct applier ap = { .engine = e };
	int rc = engine_preflight(e, plan, err);
	if (rc < 0)
		return rc;
	steps_make(&ap, plan);
	steps_order(&ap);
	rc = hf_fiber_start(e->fibers, conductor, &ap, err);
	if (rc == 0)
		rc = hf_fibers_run(e->fibers, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < ap.n; i++)
		if (!ap.steps[i].started)
			tell(&ap, &ap.steps[i], HF_SKIPPED, 0, "what it needs failed");
	if (ap.rc < 0 && err != NULL)
		*err = ap.failure;
	return ap.rc;
}
