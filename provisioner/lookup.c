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
	int rc = hf_value_render(e->arena, e->env, NULL, l->properties, NULL, NULL, &context, err);
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
	hf_dict_put(e->env->variables, l->name, outputs);
	return 0;
}

int engine_look_up(struct hf_engine *e, struct hf_error *err)
{
	if (hf_dict_len(e->env->unlooked) == 0)
		return 0;
	for (size_t i = 0; i < e->env->lookups.n; i++) {
		int rc = look_up(e, &e->env->lookups.at[i], err);
		if (rc < 0)
			return hf_wrap(err, "%s", e->env->lookups.at[i].name);
	}
	e->env->unlooked = hf_value_dict(e->arena);
	return 0;
}
