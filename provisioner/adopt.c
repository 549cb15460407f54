/* Taking over what exists already: one resource by its id, or everything that carries the environment's tags.
 */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "provisioner/resource.h"

enum { TAG_PAGES_MAX = 1000, FIND_TEXT_MAX = 64 << 10 };

/* What the file asks of it; HF_E_UNDEFINED when that depends on what is not made. */
static int wanted_of(
	struct hf_engine *e, const struct hf_resource *r, struct hf_value **ret, struct hf_error *err)
{
	int rc = hf_resource_render(e->arena, e->env, r, known_for(e, r), pending_all(e), ret, err);
	if (rc < 0)
		return rc;
	HF_DICT_EACH (*ret, p) {
		if (hf_is(hf_entry_value(p), HF_UNDEFINED))
			return hf_fail_at(err, HF_E_UNDEFINED, r->pos,
				"%s: its %s speaks of a resource that is not there: take that one over first",
				r->name, hf_entry_key(p)->u.string.p);
	}
	return 0;
}

/* It was found: record it as if it had been made now. */
static int adopt(struct hf_engine *e, const struct hf_resource *r, const struct observed *o,
	struct hf_value *wanted, bool tag, struct hf_error *err)
{
	struct hf_state_doc *d = hf_state_make(e->state, r->name);
	const struct hf_change change = {
		.action = HF_CREATE, .name = r->name, .spec = r->spec, .resource = r, .doc = d
	};
	const char *intent = hf_dict_cstr(d->doc, "intent", "");
	if (intent[0] == '\0')
		resource_intent(e, d, r->spec, properties_hash(e->arena, wanted));
	hf_dict_put(d->doc, "type", hf_value_cstr(e->arena, r->spec->type));
	hf_dict_put(d->doc, "id", hf_value_cstr(e->arena, o->id));
	hf_dict_put(d->doc, "outputs", hf_value_copy(e->arena, o->outputs)); /* operations may need its ARN */
	struct hf_value *context = context_make(e, e->arena, r->spec, r->name, wanted, d->doc);
	int rc = tag ? resource_tag(e, e->arena, r->spec, context, err) : 0;
	return rc < 0 ? rc : resource_finish(e, e->arena, &change, d, context, wanted, err);
}

static int import_look(struct hf_engine *e, const struct hf_resource *r, const char *id,
	struct hf_value *wanted, struct observed *ret, struct hf_error *err)
{
	struct hf_value *doc = hf_value_dict(e->arena);
	hf_dict_put(doc, "id", hf_value_cstr(e->arena, id));
	struct hf_value *context = context_make(e, e->arena, r->spec, r->name, wanted, doc);
	if (r->spec->key != NULL) {
		const char *right = resource_key_id(e->arena, r->spec, context);
		if (strcmp(right, id) != 0)
			return hf_fail_at(err, HF_E_ARGUMENT, r->pos,
				"%s: the file's properties make it \"%s\", not \"%s\"", r->name, right, id);
	}
	int rc = resource_observe(e, e->arena, r->spec, context, false, ret, err);
	if (rc < 0)
		return rc;
	if (!ret->present)
		return hf_fail(err, HF_E_NOT_FOUND, "%s: there is no %s \"%s\"", r->name, r->spec->type, id);
	ret->id = id;
	const char *owner = ret->tags == NULL ? NULL : hf_dict_cstr(ret->tags, "holdfast:environment", NULL);
	const char *name = ret->tags == NULL ? "" : hf_dict_cstr(ret->tags, "holdfast:resource", "");
	if (owner != NULL && (strcmp(owner, e->env->name) != 0 || strcmp(name, r->name) != 0))
		return hf_fail(err, HF_E_EXISTS, "%s is \"%s\" of environment %s already", id, name, owner);
	return 0;
}

int hf_engine_import(struct hf_engine *e, const char *name, const char *id, struct hf_error *err)
{
	struct hf_value *wanted;
	struct observed o;
	int rc = engine_ready(e, err);
	if (rc == 0)
		rc = engine_look_up(e, err);
	if (rc < 0)
		return rc;
	const struct hf_resource *r = hf_environment_find(e->env, name);
	if (r == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "%s: there is no resource \"%s\"", e->env->path, name);
	const struct hf_state_doc *d = hf_state_find(e->state, name);
	if (d != NULL)
		return hf_fail(
			err, HF_E_EXISTS, "%s is %s already", name, hf_dict_cstr(d->doc, "id", "being made"));
	rc = wanted_of(e, r, &wanted, err);
	if (rc == 0)
		rc = import_look(e, r, id, wanted, &o, err);
	return rc < 0 ? rc : adopt(e, r, &o, wanted, true, err);
}

/* --- what the tags say --- */

struct tagged {
	const char *arn, *intent;
	bool in_file;
};

struct tag_reader {
	struct hf_engine *engine;
	struct hf_map found; /* resource name → struct tagged */
};

static struct tagged *tagged_put(struct tag_reader *t, const char *name, const char *arn)
{
	struct tagged *row = hf_map_get(&t->found, name);
	if (row == NULL) {
		row = hf_new(t->engine->arena, struct tagged);
		hf_map_set(&t->found, name, row);
	}
	row->arn = arn;
	return row;
}

/* Every page of an operation; each item is given to take. */
static int pages(struct hf_engine *e, const struct hf_spec *spec, struct hf_value *operation,
	const char *items, const char *more, const char *token,
	void (*take)(void *data, struct hf_value *item), void *data, struct hf_error *err)
{
	struct hf_value *request = hf_dict_get(operation, "request");
	for (int page = 0; page < TAG_PAGES_MAX; page++) {
		struct reply reply;
		int rc = engine_call(e, e->arena, spec, operation, operation, &reply, err);
		if (rc < 0)
			return rc;
		struct hf_value *list = hf_wire_items(e->arena, reply.doc, items);
		for (size_t i = 0; i < hf_list_len(list); i++)
			take(data, hf_list_at(list, i));
		const struct hf_value *next = hf_wire_at(e->arena, reply.doc, more);
		const char *text = next == NULL || hf_is(next, HF_NULL) ? "" : hf_wire_text(e->arena, next);
		if (text[0] == '\0')
			return 0;
		hf_dict_put(request, token, hf_value_cstr(e->arena, text));
	}
	return hf_fail(err, HF_E_LIMIT, "%s: more than %d pages of tags", spec->service->name, TAG_PAGES_MAX);
}

static void tagging_take(void *data, struct hf_value *item)
{
	struct tag_reader *t = data;
	struct hf_arena *a = t->engine->arena;
	struct hf_value *tags = tags_read(a, hf_dict_get(item, "Tags"));
	const char *name = hf_dict_cstr(tags, "holdfast:resource", NULL);
	if (name != NULL)
		tagged_put(t, name, hf_dict_cstr(item, "ResourceARN", ""))->intent =
			hf_dict_cstr(tags, "holdfast:intent", "");
}

/* Hears of new resources a while later than EC2's own list. */
static int tagging_read(struct tag_reader *t, struct hf_error *err)
{
	struct hf_arena *a = t->engine->arena;
	const struct hf_spec spec = { .type = "tags",
		.service = hf_service_find(t->engine->env->specs, "tagging") };
	struct hf_value *operation = hf_value_dict(a), *request = hf_value_dict(a),
			*filters = hf_value_list(a), *filter = hf_value_dict(a), *values = hf_value_list(a);
	hf_list_append(values, hf_value_cstr(a, t->engine->env->name));
	hf_dict_put(filter, "Key", hf_value_cstr(a, "holdfast:environment"));
	hf_dict_put(filter, "Values", values);
	hf_list_append(filters, filter);
	hf_dict_put(request, "TagFilters", filters);
	hf_dict_put(operation, "operation", hf_value_cstr(a, "GetResources"));
	hf_dict_put(operation, "request", request);
	return pages(t->engine, &spec, operation, "ResourceTagMappingList", "PaginationToken",
		"PaginationToken", tagging_take, t, err);
}

struct ec2_rows {
	struct hf_arena *arena;
	struct hf_map by_id; /* resource id → dict of our tags */
};

static void ec2_take(void *data, struct hf_value *item)
{
	struct ec2_rows *rows = data;
	const char *id = hf_dict_cstr(item, "resourceId", "");
	struct hf_value *tags = hf_map_get(&rows->by_id, id);
	if (tags == NULL) {
		tags = hf_value_dict(rows->arena);
		hf_map_set(&rows->by_id, id, tags);
	}
	hf_dict_put(tags, hf_dict_cstr(item, "key", ""),
		hf_value_cstr(rows->arena, hf_dict_cstr(item, "value", "")));
}

static int ec2_read(struct tag_reader *t, struct hf_error *err)
{
	static const char *const keys[] = { "holdfast:environment", "holdfast:resource", "holdfast:intent" };
	struct hf_arena *a = t->engine->arena;
	const struct hf_spec spec = { .type = "tags",
		.service = hf_service_find(t->engine->env->specs, "ec2") };
	struct hf_value *operation = hf_value_dict(a), *request = hf_value_dict(a),
			*filters = hf_value_list(a), *filter = hf_value_dict(a), *values = hf_value_list(a);
	struct ec2_rows rows = { .arena = a };
	hf_map_init_str(&rows.by_id, a);
	for (size_t i = 0; i < HF_COUNT(keys); i++)
		hf_list_append(values, hf_value_cstr(a, keys[i]));
	hf_dict_put(filter, "Name", hf_value_cstr(a, "key"));
	hf_dict_put(filter, "Value", values);
	hf_list_append(filters, filter);
	hf_dict_put(request, "Filter", filters);
	hf_dict_put(operation, "operation", hf_value_cstr(a, "DescribeTags"));
	hf_dict_put(operation, "request", request);
	int rc = pages(
		t->engine, &spec, operation, "tagSet.item", "nextToken", "NextToken", ec2_take, &rows, err);
	HF_MAP_EACH (&rows.by_id, r) {
		const struct hf_value *tags = r->value;
		const char *name = hf_dict_cstr(tags, "holdfast:resource", NULL);
		if (name != NULL &&
			strcmp(hf_dict_cstr(tags, "holdfast:environment", ""), t->engine->env->name) == 0)
			tagged_put(t, name, r->key)->intent = hf_dict_cstr(tags, "holdfast:intent", "");
	}
	return rc;
}

/* --- the state again --- */

static void missing_add(
	struct hf_engine *e, struct hf_value *list, const char *name, const char *field, const char *text)
{
	struct hf_value *row = hf_value_dict(e->arena);
	hf_dict_put(row, "name", hf_value_cstr(e->arena, name));
	hf_dict_put(row, field, hf_value_cstr(e->arena, text));
	hf_list_append(list, row);
}

/* By its name, or by what it connects, of which there can be one only. */
static bool found_without_tags(const struct hf_spec *spec)
{
	const struct hf_json_style style = HF_JSON_COMPACT;
	hf_auto_buf text = hf_buf_init(FIND_TEXT_MAX);
	if (spec->find == NULL)
		return spec->key != NULL;
	return hf_json_write(&text, spec->find, &style, NULL) == 0 &&
	       hf_str_find(hf_buf_str(&text), hf_str("$intent"), 0) == SIZE_MAX;
}

/* 1 found, 0 not; reason says why not. */
static int rebuild_one(struct hf_engine *e, const struct hf_resource *r, const struct tagged *t,
	const char **reason, struct hf_error *err)
{
	struct hf_value *wanted, *doc = hf_value_dict(e->arena);
	struct observed o;
	struct hf_error why = { 0 };
	*reason = "AWS has none with this environment's tags";
	int rc = wanted_of(e, r, &wanted, &why);
	if (rc == -HF_E_UNDEFINED) {
		*reason = hf_strdup(e->arena, why.text);
		return 0;
	}
	if (rc < 0) {
		*err = why;
		return rc;
	}
	if (t == NULL && !found_without_tags(r->spec))
		return 0;
	if (t != NULL)
		hf_dict_put(doc, "intent", hf_value_cstr(e->arena, t->intent));
	struct hf_value *context = context_make(e, e->arena, r->spec, r->name, wanted, doc);
	rc = resource_observe(e, e->arena, r->spec, context, true, &o, err);
	if (rc < 0 || !o.present || o.id == NULL)
		return rc;
	struct hf_state_doc *d = hf_state_make(e->state, r->name);
	d->doc = doc;
	rc = resource_ours(e, d, r->spec, &o, &why);
	if (rc < 0) {
		*reason = hf_strdup(e->arena, why.text);
		d->doc = NULL;
		return 0;
	}
	rc = adopt(e, r, &o, wanted, false, err);
	return rc < 0 ? rc : 1;
}

int hf_engine_rebuild(struct hf_engine *e, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *found = hf_value_list(e->arena), *missing = hf_value_list(e->arena),
			*unknown = hf_value_list(e->arena);
	struct tag_reader t = { .engine = e };
	hf_map_init_str(&t.found, e->arena);
	int rc = engine_ready(e, err);
	if (rc == 0)
		rc = engine_look_up(e, err);
	if (rc == 0)
		rc = tagging_read(&t, err);
	if (rc == 0)
		rc = ec2_read(&t, err);
	for (size_t i = 0; rc == 0 && i < e->env->resources.n; i++) {
		const struct hf_resource *r = &e->env->resources.at[e->env->order[i]];
		struct tagged *row = hf_map_get(&t.found, r->name);
		const char *reason;
		if (row != NULL)
			row->in_file = true;
		if (hf_state_find(e->state, r->name) != NULL)
			continue;
		rc = rebuild_one(e, r, row, &reason, err);
		if (rc < 0)
			return hf_wrap(err, "%s", r->name);
		if (rc > 0)
			hf_list_append(found, hf_value_cstr(e->arena, r->name));
		else
			missing_add(e, missing, r->name, "reason", reason);
		rc = 0;
	}
	HF_MAP_EACH (&t.found, row) {
		const struct tagged *one = row->value;
		if (!one->in_file)
			missing_add(e, unknown, row->key, "arn", one->arn);
	}
	*ret = hf_value_dict(e->arena);
	hf_dict_put(*ret, "found", found);
	hf_dict_put(*ret, "missing", missing);
	hf_dict_put(*ret, "unknown", unknown);
	return rc;
}
