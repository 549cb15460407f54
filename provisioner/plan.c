/* What must be done so that what there is becomes what the file says. */
#include <string.h>

#include "lib/base/scope.h"
#include "provisioner/resource.h"

struct planner {
	struct hf_engine *engine;
	struct hf_plan *plan;
	struct hf_map looks; /* name → struct look */
	bool drift;
	struct hf_value *known, *pending;
	struct targets targets;
};

/* --- compare --- */

static void differ(struct planner *p, struct hf_change *c, const char *property, struct hf_value *before,
	struct hf_value *after, bool forces)
{
	*hf_vec_push(p->engine->arena, &c->differences) =
		(struct hf_difference){ property, before, after, forces };
}

static struct hf_value *tags_of_people(struct hf_arena *a, const struct hf_value *tags)
{
	struct hf_value *out = hf_value_dict(a);
	if (tags == NULL)
		return out;
	HF_DICT_EACH (tags, t) {
		if (!tag_is_ours(hf_entry_key(t)->u.string.p))
			hf_dict_set(out, hf_entry_key(t), hf_entry_value(t));
	}
	return out;
}

static void tags_compare(
	struct planner *p, struct hf_change *c, const struct look *k, const struct hf_value *wanted)
{
	struct hf_arena *a = p->engine->arena;
	struct hf_value *before = tags_of_people(a, k->observed.tags);
	struct hf_value *after = p->drift ? hf_dict_get(k->doc->doc, "tags") : NULL;
	if (after == NULL)
		after = tags_wanted(a, p->engine->env, wanted);
	if (!hf_value_equal(before, after))
		differ(p, c, "Tags", before, after, false);
}

static void property_compare(struct planner *p, struct hf_change *c, const struct look *k,
	const char *property, const struct hf_value *row, const struct hf_value *wanted)
{
	struct hf_arena *a = p->engine->arena;
	struct hf_value *after = hf_dict_get(wanted, property);
	struct hf_value *stored = hf_dict_get(hf_dict_get(k->doc->doc, "properties"), property);
	bool blind = strcmp(hf_dict_cstr(row, "compare", ""), "none") == 0;
	struct hf_value *found = blind ? NULL : hf_dict_get(k->observed.values, property);
	bool forces = !hf_spec_updatable(c->spec, property);
	if (strcmp(hf_dict_cstr(row, "type", ""), "tags") == 0) {
		tags_compare(p, c, k, wanted);
		return;
	}
	if (after == NULL) { /* nobody asks for it any more: what we set must go, what AWS set may stay */
		if (stored != NULL)
			differ(p, c, property, stored, NULL, true);
		return;
	}
	if (hf_is(after, HF_UNDEFINED)) {
		differ(p, c, property, stored, after, forces);
		return;
	}
	struct hf_value *encoded = property_encode(a, row, after);
	bool same = found != NULL ? property_same(a, row, encoded, found)
				  : property_same(a, row, encoded, property_encode(a, row, stored));
	if (!same)
		differ(p, c, property, found != NULL && encoded == after ? found : stored, after, forces);
}

static enum hf_action compare(
	struct planner *p, struct hf_change *c, const struct look *k, const struct hf_value *wanted)
{
	const char *status = hf_dict_cstr(k->doc->doc, "status", "");
	if (strcmp(status, "intent") == 0 || strcmp(status, "creating") == 0) {
		differ(p, c,
			strcmp(status, "intent") == 0 ? "a run before was stopped while it was made"
						      : "a run before was stopped before it was finished",
			NULL, NULL, false);
		return HF_CREATE;
	}
	if (strcmp(status, "deleting") == 0) {
		differ(p, c, "a run before was stopped while it was deleted", NULL, NULL, true);
		return HF_REPLACE;
	}
	if (!k->observed.present) {
		differ(p, c, "it is gone, deleted by somebody else", NULL, NULL, false);
		return HF_CREATE;
	}
	HF_DICT_EACH (c->spec->properties, row) {
		property_compare(p, c, k, hf_entry_key(row)->u.string.p, hf_entry_value(row), wanted);
	}
	bool forced = hf_dict_bool(k->doc->doc, "force_destroy", false);
	if (!p->drift && c->resource != NULL && c->resource->force_destroy != forced)
		differ(p, c, "force_destroy", hf_value_bool(p->engine->arena, forced),
			hf_value_bool(p->engine->arena, !forced), false);
	enum hf_action action = c->differences.n > 0 ? HF_UPDATE : HF_NONE;
	for (size_t i = 0; i < c->differences.n; i++)
		if (c->differences.at[i].forces)
			action = HF_REPLACE;
	return action;
}

static int guard(const struct hf_change *c, bool protected, struct hf_error *err)
{
	if (!protected || (c->action != HF_REPLACE && c->action != HF_DELETE))
		return 0;
	const char *why = c->differences.n > 0 ? c->differences.at[0].property : "it is no longer wanted";
	return hf_fail_at(err, HF_E_DENIED, c->resource == NULL ? (struct hf_pos){ 0 } : c->resource->pos,
		"%s has prevent_destroy, but would be destroyed (%s)", c->name, why);
}

static void change_add(struct planner *p, const struct hf_change *c)
{
	*hf_vec_push(p->engine->arena, &p->plan->changes) = *c;
	p->plan->counts[c->action]++;
}

static int plan_resource(struct planner *p, const struct hf_resource *r, struct hf_error *err)
{
	struct hf_engine *e = p->engine;
	struct look *k = hf_map_get(&p->looks, r->name);
	struct hf_change c = {
		.name = r->name, .spec = r->spec, .resource = r, .doc = k == NULL ? NULL : k->doc
	};
	struct hf_value *wanted;
	if (!target_chosen(&p->targets, r->name)) {
		if (hf_state_find(e->state, r->name) == NULL) /* its outputs stay unknown */
			hf_dict_put(p->pending, r->base, hf_value_bool(e->arena, true));
		return 0;
	}
	int rc = hf_resource_render(e->arena, e->env, r, p->known, p->pending, &wanted, err);
	if (rc < 0)
		return rc;
	if (k != NULL && k->spec != r->spec)
		return hf_fail_at(err, HF_E_UNSUPPORTED, r->pos,
			"%s was of type %s: give the new one another name", r->name, k->spec->type);
	c.action = k == NULL ? HF_CREATE : compare(p, &c, k, wanted);
	rc = guard(&c, r->prevent_destroy, err);
	if (rc < 0)
		return rc;
	if (c.action == HF_CREATE || c.action == HF_REPLACE)
		hf_dict_put(p->pending, r->base, hf_value_bool(e->arena, true));
	change_add(p, &c);
	return 0;
}

static int plan_deletions(struct planner *p, bool all, struct hf_error *err)
{
	struct hf_engine *e = p->engine;
	for (size_t i = 0; i < hf_state_count(e->state); i++) {
		struct hf_state_doc *d = hf_state_at(e->state, i);
		const struct hf_resource *r = hf_environment_like(e->env, d->name);
		if (d->doc == NULL || (r != NULL && !all) || !target_chosen(&p->targets, d->name))
			continue;
		const struct look *k = hf_map_get(&p->looks, d->name);
		const struct hf_change c = { HF_DELETE, d->name, k->spec, r, d, { 0 } };
		int rc = guard(&c, r != NULL && r->prevent_destroy, err);
		if (rc < 0)
			return rc;
		change_add(p, &c);
	}
	return 0;
}

/* What was applied last against what there is: before is what we left, after what was found. */
static void plan_drift(struct planner *p)
{
	struct hf_engine *e = p->engine;
	for (size_t i = 0; i < hf_state_count(e->state); i++) {
		struct hf_state_doc *d = hf_state_at(e->state, i);
		const struct look *k = d->doc == NULL ? NULL : hf_map_get(&p->looks, d->name);
		if (k == NULL)
			continue;
		struct hf_change c = { .name = d->name,
			.spec = k->spec,
			.resource = hf_environment_like(e->env, d->name),
			.doc = d };
		const struct hf_value *left = hf_dict_get(d->doc, "properties");
		c.action = compare(p, &c, k, left == NULL ? hf_value_dict(e->arena) : left);
		for (size_t n = 0; n < c.differences.n; n++) {
			struct hf_difference *one = &c.differences.at[n];
			struct hf_value *found = one->before;
			one->before = one->after;
			one->after = found;
		}
		change_add(p, &c);
	}
}

static int plan_resources(struct planner *p, struct hf_error *err)
{
	const struct hf_environment *env = p->engine->env;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < env->resources.n; i++)
		rc = plan_resource(p, &env->resources.at[env->order[i]], err);
	return rc < 0 ? rc : engine_price_check(p->engine, p->known, p->pending, err);
}

int hf_engine_plan(struct hf_engine *e, const struct hf_plan_options *options, struct hf_plan **ret,
	struct hf_error *err)
{
	const bool destroy = options->kind == HF_PLAN_DESTROY, drift = options->kind == HF_PLAN_DRIFT;
	struct planner p = { .engine = e, .plan = hf_new(e->arena, struct hf_plan), .drift = drift };
	hf_map_init_str(&p.looks, e->arena);
	p.pending = hf_value_dict(e->arena);
	int rc = engine_ready(e, err);
	if (rc == 0 && options->kind == HF_PLAN_APPLY)
		rc = engine_look_up(e, err);
	if (rc == 0)
		rc = targets_choose(e, options, &p.targets, err);
	if (rc == 0)
		rc = look_at_all(e, &p.targets, &p.looks, err);
	p.known = known_all(e);
	p.plan->outputs = hf_value_dict(e->arena);
	if (rc == 0 && drift) {
		plan_drift(&p);
		*ret = p.plan;
		return 0;
	}
	if (rc == 0 && !destroy)
		rc = plan_resources(&p, err);
	if (rc == 0)
		rc = plan_deletions(&p, destroy, err);
	if (rc == 0 && !destroy)
		rc = hf_environment_outputs(e->arena, e->env, p.known, p.pending, &p.plan->outputs, err);
	if (rc == 0)
		*ret = p.plan;
	return rc;
}
