/* What an environment looks up before it is planned: images, zones, settings, the account. */
#include <string.h>

#include "provisioner/resource.h"

/* The one that is meant: of several the newest, where the type says by which time. */
static struct hf_value *item_choose(struct hf_arena *a, const struct hf_spec *spec, struct hf_value *items)
{
	const char *newest = hf_dict_cstr(spec->read, "newest", NULL), *best = "";
	struct hf_value *found = NULL;
	for (size_t i = 0; i < hf_list_len(items); i++) {
		struct hf_value *item = hf_list_at(items, i);
		struct hf_value *when = newest == NULL ? NULL : hf_wire_at(a, item, newest);
		const char *text = when == NULL ? "" : hf_wire_text(a, when);
		if (found != NULL && strcmp(text, best) <= 0)
			continue;
		found = item;
		best = text;
	}
	return found;
}

static int look_up(struct hf_engine *e, const struct hf_lookup *l, struct hf_error *err)
{
	struct hf_value *context, *outputs = hf_value_dict(e->arena);
	struct reply reply;
	int rc = hf_lookup_render(e->arena, e->env, l, &context, err);
	HF_DICT_EACH (l->spec->properties, p) {
		struct hf_value *v = rc < 0 ? NULL : hf_dict_find(context, hf_entry_key(p));
		if (v != NULL)
			hf_dict_set(
				context, hf_entry_key(p), property_encode(e->arena, hf_entry_value(p), v));
	}
	if (rc == 0)
		rc = engine_call(e, e->arena, l->spec, l->spec->read, context, &reply, err);
	if (rc < 0)
		return rc;
	struct hf_value *items =
		hf_wire_items(e->arena, reply.doc, hf_dict_cstr(l->spec->read, "items", NULL));
	struct hf_value *item = item_choose(e->arena, l->spec, items);
	if (item == NULL)
		return hf_fail_at(err, HF_E_NOT_FOUND, l->pos, "AWS has no %s like that", l->spec->type);
	const struct hf_value *paths = hf_dict_get(l->spec->read, "outputs");
	HF_DICT_EACH (paths, row) {
		struct hf_value *v = hf_wire_at(e->arena, item, hf_entry_value(row)->u.string.p);
		hf_dict_set(outputs, hf_entry_key(row), v == NULL ? hf_value_cstr(e->arena, "") : v);
	}
	hf_environment_looked(e->env, l, outputs);
	return 0;
}

/* Those of which everything is known. A look-up may speak of one that comes before it. */
static int look_up_some(struct hf_engine *e, struct hf_error *err)
{
	for (size_t i = 0; i < e->env->lookups.n; i++) {
		const struct hf_lookup *l = &e->env->lookups.at[i];
		if (l->scope->unexpanded || hf_dict_get(e->env->looked, l->name) != NULL)
			continue;
		int rc = look_up(e, l, err);
		if (rc < 0)
			return hf_wrap(err, "%s", l->name);
	}
	return 0;
}

/* What is looked up may be what a for_each goes over, and the modules it makes may look up more. */
int engine_look_up(struct hf_engine *e, struct hf_error *err)
{
	int rc = look_up_some(e, err);
	for (int round = 0; rc == 0 && e->env->n_unexpanded > 0; round++) {
		if (round > HF_MODULE_DEPTH_MAX)
			return hf_fail(err, HF_E_INTERNAL, "%s: a for_each is not known after %d look-ups",
				e->env->path, round);
		rc = hf_environment_expand(e->arena, e->env, err);
		if (rc == 0)
			rc = look_up_some(e, err);
	}
	return rc;
}
