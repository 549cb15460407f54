/* What one resource is: what "$X" means for it, and reading it as AWS has it. */
#include "provisioner/resource.h"

#include <string.h>

/* --- what "$X" means --- */

void tag_pair_add(struct hf_arena *a, const struct hf_service *service, struct hf_value *list,
	const char *key, const char *value)
{
	struct hf_value *pair = hf_value_dict(a);
	hf_dict_put(pair, service->tag_key, hf_value_cstr(a, key));
	if (value != NULL)
		hf_dict_put(pair, service->tag_value, hf_value_cstr(a, value));
	hf_list_append(list, pair);
}

static struct hf_value *tags_list(struct hf_engine *e, struct hf_arena *a, const struct hf_service *service,
	const char *name, const struct hf_value *properties, const char *intent)
{
	struct hf_value *list = hf_value_list(a);
	struct hf_value *wanted =
		tags_wanted(a, e->env, properties); /* once: the macro asks again and again */
	HF_DICT_EACH (wanted, t) {
		tag_pair_add(a, service, list, hf_entry_key(t)->u.string.p, hf_entry_value(t)->u.string.p);
	}
	tag_pair_add(a, service, list, "holdfast:environment", e->env->name);
	tag_pair_add(a, service, list, "holdfast:resource", name);
	tag_pair_add(a, service, list, "holdfast:intent", intent);
	return list;
}

/* The same as the services want it that take a dict. */
static struct hf_value *tags_map(
	struct hf_arena *a, const struct hf_service *service, const struct hf_value *list)
{
	struct hf_value *map = hf_value_dict(a);
	for (size_t i = 0; i < hf_list_len(list); i++)
		hf_dict_put(map, hf_dict_cstr(hf_list_at(list, i), service->tag_key, ""),
			hf_dict_get(hf_list_at(list, i), service->tag_value));
	return map;
}

struct hf_value *context_make(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const char *name, const struct hf_value *properties, const struct hf_value *doc)
{
	const char *intent = hf_dict_cstr(doc, "intent", ""), *id = hf_dict_cstr(doc, "id", NULL);
	const struct hf_value *outputs = hf_dict_get(doc, "outputs");
	/* a property of the same name counts more than an output */
	struct hf_value *c = hf_is(outputs, HF_DICT) ? hf_value_shallow(a, outputs) : hf_value_dict(a);
	HF_DICT_EACH (spec->properties, p) {
		const char *property = hf_entry_key(p)->u.string.p;
		struct hf_value *v = hf_dict_get(properties, property);
		if (v != NULL)
			hf_dict_put(c, property, property_encode(a, hf_entry_value(p), v));
	}
	hf_dict_put(c, "tags", tags_list(e, a, spec->service, name, properties, intent));
	hf_dict_put(c, "tag_map", tags_map(a, spec->service, hf_dict_get(c, "tags")));
	hf_dict_put(c, "intent", hf_value_cstr(a, intent));
	hf_dict_put(c, "token", hf_value_cstr(a, intent));
	hf_dict_put(c, "region", hf_value_cstr(a, e->region));
	hf_dict_put(c, "environment", hf_value_cstr(a, e->env->name));
	hf_dict_put(c, "resource", hf_value_cstr(a, name));
	if (strcmp(e->region, "us-east-1") != 0) /* where a bucket must not name its region */
		hf_dict_put(c, "region_constraint", hf_value_cstr(a, e->region));
	if (e->account != NULL)
		hf_dict_put(c, "account", hf_value_cstr(a, e->account));
	if (id != NULL)
		hf_dict_put(c, "id", hf_value_cstr(a, id));
	return c;
}

const char *resource_key_id(struct hf_arena *a, const struct hf_spec *spec, const struct hf_value *context)
{
	const char *id = "";
	for (size_t i = 0; i < hf_list_len(spec->key); i++) {
		const struct hf_value *part = hf_dict_get(context, hf_list_at(spec->key, i)->u.string.p);
		id = hf_sprintf(a, "%s%s%s", id, i > 0 ? "|" : "", part == NULL ? "" : hf_wire_text(a, part));
	}
	return id;
}

/* --- look --- */

bool value_in(struct hf_arena *a, struct hf_value *item, const struct hf_value *rule)
{
	const struct hf_value *found = hf_wire_at(a, item, hf_dict_cstr(rule, "path", ""));
	const struct hf_value *values = hf_dict_get(rule, "values");
	for (size_t i = 0; found != NULL && hf_is(values, HF_LIST) && i < hf_list_len(values); i++)
		if (strcmp(hf_wire_text(a, found), hf_wire_text(a, hf_list_at(values, i))) == 0)
			return true;
	return false;
}

static bool item_fits(struct hf_arena *a, const struct hf_value *rules, struct hf_value *item,
	const struct hf_value *context)
{
	const struct hf_value *match = hf_dict_get(rules, "match"), *where = hf_dict_get(rules, "where");
	const struct hf_value *gone = hf_dict_get(rules, "gone");
	if (hf_is(gone, HF_DICT) && value_in(a, item, gone))
		return false;
	if (hf_is(where, HF_DICT)) {
		HF_DICT_EACH (where, e) {
			const struct hf_value *found = hf_wire_at(a, item, hf_entry_key(e)->u.string.p);
			if (found == NULL ||
				strcmp(hf_wire_text(a, found), hf_wire_text(a, hf_entry_value(e))) != 0)
				return false;
		}
	}
	if (!hf_is(match, HF_DICT))
		return true;
	HF_DICT_EACH (match, e) {
		const struct hf_value *wanted = hf_dict_get(context, hf_entry_key(e)->u.string.p);
		const struct hf_value *found = hf_wire_at(a, item, hf_entry_value(e)->u.string.p);
		if (wanted == NULL ? found != NULL && hf_wire_text(a, found)[0] != '\0'
				   : found == NULL ||
					     strcmp(hf_wire_text(a, found), hf_wire_text(a, wanted)) != 0)
			return false;
	}
	return true;
}

static void values_take(struct hf_arena *a, const struct hf_spec *spec, const struct hf_value *paths,
	struct hf_value *item, struct observed *o)
{
	if (!hf_is(paths, HF_DICT))
		return;
	HF_DICT_EACH (paths, e) {
		const char *property = hf_entry_key(e)->u.string.p;
		struct hf_value *found = hf_wire_at(a, item, hf_entry_value(e)->u.string.p);
		const struct hf_value *row = hf_dict_get(spec->properties, property);
		if (strcmp(hf_dict_cstr(row, "type", ""), "tags") == 0)
			o->tags = tags_read(a, found);
		else if (found != NULL)
			hf_dict_put(o->values, property, found);
	}
}

static int observe_more(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, struct observed *o, struct hf_error *err)
{
	const struct hf_value *also = hf_dict_get(spec->read, "also");
	for (size_t i = 0; hf_is(also, HF_LIST) && i < hf_list_len(also); i++) {
		const struct hf_value *operation = hf_list_at(also, i);
		struct reply reply;
		int rc = engine_call(e, a, spec, operation, context, &reply, err);
		if (rc < 0 && reply_in(operation, "absent", &reply))
			continue;
		if (rc < 0)
			return rc;
		struct hf_value *items = hf_wire_items(a, reply.doc, hf_dict_cstr(operation, "items", NULL));
		if (hf_list_len(items) > 0)
			values_take(a, spec, hf_dict_get(operation, "observe"), hf_list_at(items, 0), o);
	}
	return 0;
}

/* Everything of the item that was found. */
int resource_take(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, struct observed *o, struct hf_error *err)
{
	const char *path = hf_dict_cstr(spec->read, "id", NULL);
	const char *id = path == NULL ? NULL : hf_wire_id(a, o->item, path);
	o->id = id != NULL ? id : spec->key != NULL ? resource_key_id(a, spec, context) : NULL;
	struct hf_value *mine = hf_value_shallow(a, context);
	if (o->id != NULL)
		hf_dict_put(mine, "id", hf_value_cstr(a, o->id));
	values_take(a, spec, hf_dict_get(spec->read, "observe"), o->item, o);
	const struct hf_value *outputs = hf_dict_get(spec->read, "outputs");
	if (hf_is(outputs, HF_DICT)) {
		HF_DICT_EACH (outputs, row) {
			struct hf_value *v = hf_wire_at(a, o->item, hf_entry_value(row)->u.string.p);
			hf_dict_set(o->outputs, hf_entry_key(row), v == NULL ? hf_value_cstr(a, "") : v);
			if (v != NULL && hf_dict_get(spec->properties, hf_entry_key(row)->u.string.p) == NULL)
				hf_dict_set(mine, hf_entry_key(row), v);
		}
	}
	return observe_more(e, a, spec, mine, o, err);
}

/* A find that gives no more than an id: the context with it, for the read; *ret NULL: there is none. */
static int find_id(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, struct hf_value **ret, struct hf_error *err)
{
	struct hf_spec other = *spec;
	struct reply reply;
	other.service = spec->find_service;
	int rc = engine_call(e, a, &other, spec->find, context, &reply, err);
	if (rc < 0)
		return rc;
	const char *id = NULL, *path = hf_dict_cstr(spec->find, "id", "");
	struct hf_value *items = hf_wire_items(a, reply.doc, hf_dict_cstr(spec->find, "items", NULL));
	for (size_t i = 0; i < hf_list_len(items) && id == NULL; i++)
		if (item_fits(a, spec->find, hf_list_at(items, i), context))
			id = hf_wire_id(a, hf_list_at(items, i), path);
	*ret = NULL;
	if (id != NULL) {
		*ret = hf_value_shallow(a, context);
		hf_dict_put(*ret, "id", hf_value_cstr(a, id));
	}
	return 0;
}

static struct hf_value *first_fitting(struct hf_arena *a, const struct hf_value *rules,
	struct hf_value *items, const struct hf_value *context)
{
	for (size_t i = 0; i < hf_list_len(items); i++)
		if (item_fits(a, rules, hf_list_at(items, i), context))
			return hf_list_at(items, i);
	return NULL;
}

static void item_choose(struct hf_arena *a, const struct hf_spec *spec, struct hf_value *items,
	const struct hf_value *context, struct observed *o)
{
	o->item = first_fitting(a, spec->read, items, context);
	o->present = o->item != NULL;
	if (o->present || hf_dict_get(spec->read, "gone") == NULL)
		return;
	struct hf_value *any = hf_value_shallow(a, spec->read);
	hf_dict_remove(any, "gone");
	o->gone = first_fitting(a, any, items, context);
}

/* What was found; of a search also that there is nothing, where nothing is wanted. */
static int found_take(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, struct hf_value *items, struct observed *o, struct hf_error *err)
{
	int rc = o->present ? resource_take(e, a, spec, context, o, err) : 0;
	if (rc < 0 || !spec->capacity)
		return rc;
	o->present = o->present || capacity_none_wanted(context);
	if (o->present)
		capacity_observe(a, context, items, hf_dict_get(spec->read, "gone"), o);
	return 0;
}

int resource_observe(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, bool find, struct observed *ret, struct hf_error *err)
{
	const struct hf_value *operation = find && spec->find != NULL ? spec->find : spec->read;
	struct observed o = { .values = hf_value_dict(a), .outputs = hf_value_dict(a) };
	struct reply reply;
	if (operation == spec->find && hf_dict_get(spec->find, "id") != NULL) {
		struct hf_value *known = NULL;
		int rc = find_id(e, a, spec, context, &known, err);
		if (rc < 0 || known == NULL) {
			*ret = o;
			return rc;
		}
		context = known;
		operation = spec->read;
	}
	struct hf_value *items = hf_value_list(a);
	int rc = engine_call(e, a, spec, operation, context, &reply, err);
	if (rc < 0 && !reply_in(spec->read, "absent", &reply))
		return rc;
	if (rc == 0) {
		items = hf_wire_items(a, reply.doc, hf_dict_cstr(spec->read, "items", NULL));
		item_choose(a, spec, items, context, &o);
	}
	rc = found_take(e, a, spec, context, items, &o, err);
	if (rc == 0)
		*ret = o;
	return rc;
}
