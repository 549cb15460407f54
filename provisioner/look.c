/* Looking at everything there is, before it is compared: in parallel, and where a service can list several
 * ids in one call, a batch at a time. What an answer held is dropped as soon as the values we compare are
 * taken from it. */
#include <string.h>

#include "lib/base/scope.h"
#include "provisioner/resource.h"

enum { BATCH_MAX = 100 };

struct batch {
	struct look *looks[BATCH_MAX];
	size_t n;
};

struct looker {
	struct hf_engine *engine;
	struct {
		struct batch *at;
		size_t n, room;
	} batches;
	size_t next;
	int rc;
	struct hf_error failure;
};

/* The member of the read request that is a list of nothing but $id; NULL when several cannot be asked for at
 * once. */
static const char *batch_member(const struct hf_spec *spec)
{
	const struct hf_value *request = hf_dict_get(spec->read, "request");
	const char *found = NULL;
	if (!hf_is(request, HF_DICT) || hf_dict_get(spec->read, "match") != NULL ||
		hf_dict_get(spec->read, "where") != NULL || hf_dict_get(spec->read, "id") == NULL)
		return NULL;
	HF_DICT_EACH (request, e) {
		const struct hf_value *v = hf_entry_value(e);
		if (found != NULL || !hf_is(v, HF_LIST) || hf_list_len(v) != 1 ||
			!hf_is(hf_list_at(v, 0), HF_STRING) || !hf_str_is(hf_list_at(v, 0)->u.string, "$id"))
			return NULL;
		found = hf_entry_key(e)->u.string.p;
	}
	return found;
}

static struct hf_value *look_context(struct hf_engine *e, struct hf_arena *a, const struct look *k)
{
	const struct hf_value *properties = hf_dict_get(k->doc->doc, "properties");
	return context_make(
		e, a, k->spec, k->doc->name, properties == NULL ? hf_value_dict(a) : properties, k->doc->doc);
}

/* Out of the arena of the answer. */
static void look_keep(struct hf_engine *e, struct look *k, const struct observed *o)
{
	k->observed = (struct observed){ .present = o->present };
	if (!o->present)
		return;
	k->observed.id = o->id == NULL ? NULL : hf_strdup(e->arena, o->id);
	k->observed.values = hf_value_copy(e->arena, o->values);
	k->observed.outputs = hf_value_copy(e->arena, o->outputs);
	k->observed.tags = o->tags == NULL ? NULL : hf_value_copy(e->arena, o->tags);
}

static int look_single(struct hf_engine *e, struct look *k, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct observed o;
	int rc = resource_observe(e, a, k->spec, look_context(e, a, k), false, &o, err);
	if (rc == 0)
		look_keep(e, k, &o);
	return rc;
}

static struct hf_value *batch_operation(struct hf_arena *a, const struct batch *b, const char *member)
{
	const struct hf_spec *spec = b->looks[0]->spec;
	struct hf_value *operation = hf_value_shallow(a, spec->read), *ids = hf_value_list(a),
			*request = hf_value_shallow(a, hf_dict_get(spec->read, "request"));
	for (size_t i = 0; i < b->n; i++)
		hf_list_append(ids, hf_dict_get(b->looks[i]->doc->doc, "id"));
	hf_dict_put(request, member, ids);
	hf_dict_put(operation, "request", request);
	return operation;
}

/* The item of the answer with that id, unless its state says that it is gone. */
static struct hf_value *batch_item(
	struct hf_arena *a, const struct hf_spec *spec, struct hf_value *items, const char *id)
{
	const struct hf_value *gone = hf_dict_get(spec->read, "gone");
	for (size_t i = 0; i < hf_list_len(items); i++) {
		struct hf_value *item = hf_list_at(items, i);
		const struct hf_value *found = hf_wire_at(a, item, hf_dict_cstr(spec->read, "id", ""));
		if (found != NULL && strcmp(hf_wire_text(a, found), id) == 0)
			return hf_is(gone, HF_DICT) && value_in(a, item, gone) ? NULL : item;
	}
	return NULL;
}

/* One that is gone makes AWS refuse all of them: then each is asked for by itself. */
static int look_batch(struct hf_engine *e, struct batch *b, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	const struct hf_spec *spec = b->looks[0]->spec;
	const char *member = b->n > 1 ? batch_member(spec) : NULL;
	struct reply reply;
	int rc = 0;
	if (member != NULL)
		rc = engine_call(e, a, spec, batch_operation(a, b, member), hf_value_dict(a), &reply, err);
	if (rc < 0 && !reply_in(spec->read, "absent", &reply))
		return rc;
	if (member == NULL || rc < 0) {
		rc = 0;
		for (size_t i = 0; rc == 0 && i < b->n; i++) {
			rc = look_single(e, b->looks[i], err);
			if (rc < 0)
				hf_wrap(err, "%s", b->looks[i]->doc->name);
		}
		return rc;
	}
	struct hf_value *items = hf_wire_items(a, reply.doc, hf_dict_cstr(spec->read, "items", NULL));
	for (size_t i = 0; rc == 0 && i < b->n; i++) {
		struct look *k = b->looks[i];
		struct observed o = { .values = hf_value_dict(a), .outputs = hf_value_dict(a) };
		o.item = batch_item(a, spec, items, hf_dict_cstr(k->doc->doc, "id", ""));
		o.present = o.item != NULL;
		if (o.present)
			rc = resource_take(e, a, spec, look_context(e, a, k), &o, err);
		if (rc == 0)
			look_keep(e, k, &o);
		else
			hf_wrap(err, "%s", k->doc->name);
	}
	return rc;
}

static void look_run(void *data)
{
	struct looker *l = data;
	while (l->next < l->batches.n && l->rc == 0) {
		struct hf_error why = { 0 };
		int rc = look_batch(l->engine, &l->batches.at[l->next++], &why);
		if (rc < 0 && l->rc == 0) {
			l->rc = rc;
			l->failure = why;
		}
	}
}

/* Into the open batch of its type, or a new one. open: type → number of the batch + 1. */
static void batch_put(struct looker *l, struct hf_map *open, struct look *k)
{
	struct hf_arena *a = l->engine->arena;
	size_t number = (size_t)(uintptr_t)hf_map_get(open, k->spec->type);
	bool alone = batch_member(k->spec) == NULL;
	if (alone || number == 0 || l->batches.at[number - 1].n == BATCH_MAX) {
		*hf_vec_push(a, &l->batches) = (struct batch){ .n = 0 };
		number = l->batches.n;
		if (!alone)
			hf_map_set(open, k->spec->type, (void *)(uintptr_t)number);
	}
	struct batch *b = &l->batches.at[number - 1];
	b->looks[b->n++] = k;
}

int look_at_all(struct hf_engine *e, const struct targets *targets, struct hf_map *ret, struct hf_error *err)
{
	struct looker l = { .engine = e };
	struct hf_map open;
	hf_map_init_str(&open, e->arena);
	for (size_t i = 0; i < hf_state_count(e->state); i++) {
		struct hf_state_doc *d = hf_state_at(e->state, i);
		if (d->doc == NULL || !target_chosen(targets, d->name))
			continue;
		const char *type = hf_dict_cstr(d->doc, "type", "");
		const struct hf_spec *spec = hf_spec_find(e->env->specs, type);
		if (spec == NULL)
			return hf_fail(err, HF_E_UNSUPPORTED,
				"%s in the state is of type \"%s\", which is not known", d->name, type);
		struct look *k = hf_new(e->arena, struct look);
		*k = (struct look){ .doc = d, .spec = spec };
		hf_map_set(ret, d->name, k);
		if (hf_dict_get(d->doc, "id") != NULL) /* else begun only: apply looks for it by its tag */
			batch_put(&l, &open, k);
	}
	for (size_t i = 0; i < e->options.parallel && i < l.batches.n; i++) {
		int rc = hf_fiber_start(e->fibers, look_run, &l, err);
		if (rc < 0)
			return rc;
	}
	int rc = hf_fibers_run(e->fibers, err);
	if (rc == 0 && l.rc < 0 && err != NULL)
		*err = l.failure;
	return rc < 0 ? rc : l.rc;
}
