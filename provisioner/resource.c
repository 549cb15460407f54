#include "provisioner/resource.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { POLL_FIRST_MS = 250, POLL_MOST_MS = 5000, READY_SECONDS = 300, UNSEEN_MS = 60000, QUIET_SECONDS = 10 };

/* --- wait --- */

static bool state_is(const struct hf_value *rule, const char *list, const char *state)
{
	const struct hf_value *words = hf_dict_get(rule, list);
	for (size_t i = 0; hf_is(words, HF_LIST) && i < hf_list_len(words); i++)
		if (strcmp(hf_list_at(words, i)->u.string.p, state) == 0)
			return true;
	return false;
}

/* As many as a property asks for: in that state, or as the service counts them itself. */
static bool enough_now(struct hf_arena *a, const struct hf_value *rule, struct hf_value *item,
	const struct hf_value *context)
{
	const struct hf_value *least = hf_dict_get(context, hf_dict_cstr(rule, "least", ""));
	const char *count = hf_dict_cstr(rule, "count", NULL);
	int64_t have = 0;
	if (count != NULL) {
		const struct hf_value *found = hf_wire_at(a, item, count);
		have = found == NULL ? 0 : strtoll(hf_wire_text(a, found), NULL, 10);
	} else {
		struct hf_value *states = hf_wire_items(a, item, hf_dict_cstr(rule, "path", ""));
		for (size_t i = 0; i < hf_list_len(states); i++)
			have += state_is(rule, "ok", hf_wire_text(a, hf_list_at(states, i)));
	}
	return !hf_is(least, HF_INT) || have >= least->u.integer;
}

/* Nothing of what was before is left beside it. */
static bool single_now(struct hf_arena *a, const struct hf_value *rule, struct hf_value *item)
{
	const char *path = hf_dict_cstr(rule, "single", NULL);
	return path == NULL || hf_list_len(hf_wire_items(a, item, path)) <= 1;
}

static int fail_state(struct hf_arena *a, const struct hf_value *rule, struct hf_value *item,
	const char *state, struct hf_error *err)
{
	const char *path = hf_dict_cstr(rule, "reason", NULL);
	const struct hf_value *why = path == NULL ? NULL : hf_wire_at(a, item, path);
	return hf_fail(err, HF_E_TASK, "it became \"%s\"%s%s", state, why == NULL ? "" : ": ",
		why == NULL ? "" : hf_wire_text(a, why));
}

/* How long something is waited for, and what was seen of it meanwhile. */
struct wait {
	uint64_t spent_ms;
	bool kept; /* what was asked for was there once: another value since then is a way back */
};

/* A change AWS rolls out by itself, and may give up: the value that was asked for, and how far it has come.
 * Rollouts of other values are over or not ours. 1 as it was asked for, 0 perhaps later, <0 given up. */
static int rollout_now(struct hf_arena *a, const struct hf_spec *spec, struct hf_value *item,
	const struct hf_value *context, struct wait *w, struct hf_error *err)
{
	const char *name = hf_dict_cstr(spec->ready, "kept", NULL);
	const struct hf_value *rule = hf_dict_get(spec->ready, "rollouts"), *wanted;
	if (name == NULL || (wanted = hf_dict_get(context, name)) == NULL)
		return 1;
	const struct hf_value *row = hf_dict_get(spec->properties, name);
	struct hf_value *rollouts = hf_wire_items(a, item, hf_dict_cstr(rule, "items", ""));
	for (size_t i = 0; i < hf_list_len(rollouts); i++) {
		struct hf_value *rollout = hf_list_at(rollouts, i);
		const struct hf_value *state = hf_wire_at(a, rollout, hf_dict_cstr(rule, "path", ""));
		if (state != NULL && state_is(rule, "fail", hf_wire_text(a, state)) &&
			property_same(a, row, wanted, hf_wire_at(a, rollout, name)))
			return fail_state(a, rule, rollout, hf_wire_text(a, state), err);
	}
	const struct hf_value *found = hf_wire_at(a, item, name);
	if (found == NULL || property_same(a, row, wanted, found)) {
		w->kept = true;
		return 1;
	}
	/* Just after the change AWS may still show what was before. */
	if (!w->kept && w->spent_ms <= UNSEEN_MS)
		return 0;
	return hf_fail(err, HF_E_TASK, "its %s is %s and not %s: AWS went back to it", name,
		hf_wire_text(a, found), hf_wire_text(a, wanted));
}

/* 1 ready, 0 not yet, <0 failed. */
static int ready_now(struct hf_arena *a, const struct hf_spec *spec, const struct observed *o,
	const struct hf_value *context, struct wait *w, struct hf_error *err)
{
	struct hf_value *item = o->present ? o->item : o->gone;
	if (spec->ready == NULL || item == NULL)
		return o->present ? 1 : 0; /* just made: EC2 may not show it for a while */
	bool counted = hf_dict_get(spec->ready, "count") != NULL;
	if (hf_dict_get(spec->ready, "least") != NULL && !counted)
		return enough_now(a, spec->ready, item, context) ? 1 : 0;
	const struct hf_value *found = hf_wire_at(a, item, hf_dict_cstr(spec->ready, "path", ""));
	const char *state = found == NULL ? "" : hf_wire_text(a, found);
	if (state_is(spec->ready, "fail", state))
		return fail_state(a, spec->ready, item, state, err);
	int rolled = rollout_now(a, spec, item, context, w, err);
	if (rolled <= 0)
		return rolled;
	return o->present && state_is(spec->ready, "ok", state) &&
	       (!counted || (enough_now(a, spec->ready, item, context) && single_now(a, spec->ready, item)));
}

/* What a group waits for is told while it waits: it may go on trying for long. */
static void wait_tell(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	const struct hf_value *context, uint64_t spent)
{
	const struct hf_spec *spec = change->spec;
	if (e->options.event == NULL || spec->ready == NULL || hf_dict_get(spec->ready, "least") == NULL)
		return;
	const char *why = resource_why(e, a, spec, hf_dict_get(spec->doc, "explain"), context);
	if (why[0] != '\0')
		e->options.event(
			e->options.data, change->name, change->action, HF_WAITS, spent, why + strlen("; "));
}

static int ready_wait(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	const struct hf_value *context, struct observed *ret, struct hf_error *err)
{
	const struct hf_spec *spec = change->spec;
	uint64_t start = hf_time_monotonic_ms(), told = QUIET_SECONDS * 1000;
	uint64_t most =
		1000 * (uint64_t)(spec->ready == NULL ? READY_SECONDS
						      : hf_dict_int(spec->ready, "seconds", READY_SECONDS));
	struct wait w = { 0 };
	for (uint32_t wait = POLL_FIRST_MS;; wait = wait * 2 < POLL_MOST_MS ? wait * 2 : POLL_MOST_MS) {
		int rc = resource_observe(e, a, spec, context, false, ret, err);
		w.spent_ms = hf_time_monotonic_ms() - start;
		if (rc == 0)
			rc = ready_now(a, spec, ret, context, &w, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		uint64_t spent = hf_time_monotonic_ms() - start;
		if (spent > most || (!ret->present && spent > UNSEEN_MS))
			return hf_fail(err, HF_E_TIMEOUT, "%s after %llu s",
				ret->present ? "it is not ready" : "it was made, but cannot be seen",
				(unsigned long long)(spent / 1000));
		if (spent > told) {
			wait_tell(e, a, change, context, spent);
			told *= 3;
		}
		hf_fiber_sleep(e->fibers, wait);
	}
}

static int gone_wait(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, struct hf_error *err)
{
	if (spec->vanish == NULL)
		return 0;
	uint64_t until =
		hf_time_monotonic_ms() + 1000 * (uint64_t)hf_dict_int(spec->vanish, "seconds", READY_SECONDS);
	for (uint32_t wait = POLL_FIRST_MS;; wait = wait * 2 < POLL_MOST_MS ? wait * 2 : POLL_MOST_MS) {
		struct reply reply;
		int rc = engine_call(e, a, spec, spec->read, context, &reply, err);
		if (rc < 0)
			return reply_in(spec->read, "absent", &reply) ? 0 : rc;
		struct hf_value *items = hf_wire_items(a, reply.doc, hf_dict_cstr(spec->read, "items", NULL));
		size_t left = 0;
		for (size_t i = 0; i < hf_list_len(items); i++)
			left += !value_in(a, hf_list_at(items, i), spec->vanish);
		if (left == 0)
			return 0;
		if (hf_time_monotonic_ms() > until)
			return hf_fail(err, HF_E_TIMEOUT, "it is still there");
		hf_fiber_sleep(e->fibers, wait);
	}
}

/* --- state --- */

/* A new token for a new attempt. It follows from what is stored, so a restart computes the same. */
void resource_intent(
	struct hf_engine *e, struct hf_state_doc *d, const struct hf_spec *spec, const char *hash)
{
	struct hf_arena *a = e->arena;
	int64_t generation = hf_time_now_ms();
	if (generation <= hf_dict_int(d->doc, "generation", 0))
		generation = hf_dict_int(d->doc, "generation", 0) + 1;
	struct hf_digest digest = hf_sha256(hf_str(hf_sprintf(
		a, "%s|%s|%s|%s|%lld", e->env->name, d->name, spec->type, hash, (long long)generation)));
	char hex[HF_SHA256_HEX];
	hf_digest_hex(&digest, hex);
	hf_dict_put(d->doc, "type", hf_value_cstr(a, spec->type));
	hf_dict_put(d->doc, "status", hf_value_cstr(a, "intent"));
	hf_dict_put(d->doc, "generation", hf_value_int(a, generation));
	hf_dict_put(d->doc, "hash", hf_value_cstr(a, hash));
	hf_dict_put(d->doc, "intent", hf_value_cstr(a, hf_sprintf(a, "hf-%.40s", hex)));
}

const char *properties_hash(struct hf_arena *a, const struct hf_value *properties)
{
	const struct hf_json_style style = { .indent = -1, .compact = true, .sort_keys = true };
	hf_auto_buf text = hf_buf_init(HF_STATE_DOC_MAX);
	char hex[HF_SHA256_HEX];
	if (hf_json_write(&text, properties, &style, NULL) < 0)
		return "";
	struct hf_digest d = hf_sha256(hf_buf_str(&text));
	return hf_strdup(a, hf_digest_hex(&d, hex));
}

void resource_depends(struct hf_engine *e, struct hf_state_doc *d, const struct hf_resource *r)
{
	struct hf_value *names = hf_value_list(e->arena);
	for (size_t i = 0; r != NULL && i < r->depends.n; i++)
		hf_list_append(names, hf_value_cstr(e->arena, e->env->resources.at[r->depends.at[i]].name));
	hf_dict_put(d->doc, "depends", names);
}

void resource_tell(const struct hf_engine *e, const char *name, enum hf_action action, const char *text)
{
	if (e->options.event != NULL)
		e->options.event(e->options.data, name, action, HF_WAITS, 0, text);
}

/* --- make --- */

int resource_ours(struct hf_engine *e, const struct hf_state_doc *d, const struct hf_spec *spec,
	const struct observed *o, struct hf_error *err)
{
	if (!spec->owned_by_tags)
		return 0;
	const char *environment =
		o->tags == NULL ? NULL : hf_dict_cstr(o->tags, "holdfast:environment", NULL);
	const char *resource = o->tags == NULL ? NULL : hf_dict_cstr(o->tags, "holdfast:resource", NULL);
	if (environment != NULL && resource != NULL && strcmp(environment, e->env->name) == 0 &&
		strcmp(resource, d->name) == 0)
		return 0;
	return hf_fail(err, HF_E_EXISTS, "%s exists already and is not of environment %s (its tags say %s)",
		o->id == NULL ? "it" : o->id, e->env->name, environment == NULL ? "nothing" : environment);
}

enum before { FRESH, RECOVERED, UNSETTLED };

/* How long to wait for a call of a run before, which was over when ours took the lock. */
static uint32_t settle_ms(const struct hf_engine *e, const struct hf_spec *spec, enum before before)
{
	if (before == FRESH || (before == RECOVERED && hf_spec_dedupe(spec) != HF_DEDUPE_TAG))
		return 0;
	uint64_t age = hf_time_monotonic_ms() - e->started_ms;
	return age < HF_ENGINE_SETTLE_MS ? (uint32_t)(HF_ENGINE_SETTLE_MS - age) : 0;
}

/* Somebody, perhaps we before a crash, made it. A call that was lost may still arrive: that is waited for
 * where it would leave an orphan (unsettled), which is before a removal, and before AWS is asked for
 * something else. */
static int look_first(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_state_doc *d, const struct hf_value *context, enum before before, struct observed *ret,
	struct hf_error *err)
{
	const struct hf_spec *spec = change->spec;
	bool recovered = before != FRESH;
	uint32_t settle = settle_ms(e, spec, before);
	if (!recovered && !spec->owned_by_tags)
		return 0;
	if (spec->find == NULL && spec->key == NULL)
		return 0;
	for (int turn = 0; turn < 2; turn++) {
		int rc = resource_observe(e, a, spec, context, true, ret, err);
		if (rc < 0)
			return rc;
		if (ret->present) {
			/* A bucket's tags are put after it is made: after a crash it may have none yet. */
			bool bare = recovered && spec->key != NULL &&
				    (ret->tags == NULL || hf_dict_len(ret->tags) == 0);
			return bare ? 0 : resource_ours(e, d, spec, ret, err);
		}
		if (settle == 0 || turn > 0)
			return 0;
		hf_fiber_sleep(e->fibers, settle);
	}
	return 0;
}

/* AWS says that it is there: a list may show it a little later. */
static int found_wait(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, struct observed *ret, struct hf_error *err)
{
	uint64_t start = hf_time_monotonic_ms();
	for (uint32_t wait = POLL_FIRST_MS;; wait *= 2) {
		int rc = resource_observe(e, a, spec, context, true, ret, err);
		if (rc < 0 || (ret->present && ret->id != NULL))
			return rc;
		if (hf_time_monotonic_ms() - start > HF_ENGINE_SETTLE_MS)
			return hf_fail(
				err, HF_E_EXISTS, "AWS says it exists already, but it cannot be found");
		hf_fiber_sleep(e->fibers, wait);
	}
}

static int create_call(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_state_doc *d, const struct hf_value *context, const char **ret_id, struct hf_error *err)
{
	const struct hf_spec *spec = change->spec;
	struct reply reply;
	struct observed o;
	int rc = engine_call(e, a, spec, spec->create, context, &reply, err);
	if (rc < 0 && !reply_in(spec->create, "exists", &reply))
		return rc;
	const char *path = hf_dict_cstr(spec->create, "id", NULL);
	const char *id = rc < 0 || path == NULL ? NULL : hf_wire_id(a, reply.doc, path);
	if (id != NULL || (rc == 0 && spec->key != NULL)) {
		*ret_id = id != NULL ? id : resource_key_id(a, spec, context);
		return 0;
	}
	rc = found_wait(e, a, spec, context, &o, err);
	if (rc < 0)
		return rc;
	*ret_id = o.id;
	return spec->owned_by_tags ? resource_ours(e, d, spec, &o, err) : 0;
}

/* The answer was lost on the way: whether the call arrived is asked of AWS before it is made again. */
static bool create_unsure(const struct hf_spec *spec, int rc)
{
	return (rc == -HF_E_NET || rc == -HF_E_TIMEOUT) && hf_spec_dedupe(spec) == HF_DEDUPE_TAG &&
	       spec->find != NULL;
}

static bool member_of(const struct hf_value *operation, const char *property)
{
	const struct hf_value *members = hf_dict_get(operation, "members");
	for (size_t i = 0; hf_is(members, HF_LIST) && i < hf_list_len(members); i++)
		if (hf_str_is(hf_list_at(members, i)->u.string, property))
			return true;
	return false;
}

/* What the create call could not carry. */
static int create_rest(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(spec->update); i++) {
		const struct hf_value *operation = hf_list_at(spec->update, i);
		bool wanted = hf_dict_bool(operation, "always", false);
		if (hf_dict_bool(operation, "unless_created", false) ||
			hf_dict_get(operation, "when") != NULL)
			continue;
		HF_DICT_EACH (spec->properties, p) {
			const char *property = hf_entry_key(p)->u.string.p;
			wanted = wanted ||
				 (member_of(operation, property) && hf_dict_get(context, property) != NULL &&
					 !hf_spec_created_with(spec, property));
		}
		struct reply reply;
		int rc = wanted ? engine_call(e, a, spec, operation, context, &reply, err) : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Ready, read, recorded. */
int resource_finish(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_state_doc *d, const struct hf_value *context, const struct hf_value *properties,
	struct hf_error *err)
{
	struct observed o;
	int rc = ready_wait(e, a, change, context, &o, err);
	if (rc < 0)
		return resource_explain(
			e, a, change->spec, hf_dict_get(change->spec->doc, "explain"), context, rc, err);
	struct hf_value *outputs = hf_value_copy(e->arena, o.outputs);
	hf_dict_put(outputs, "id", hf_value_cstr(e->arena, hf_dict_cstr(d->doc, "id", "")));
	hf_dict_put(d->doc, "properties", hf_value_copy(e->arena, properties));
	hf_dict_put(d->doc, "tags", tags_wanted(e->arena, e->env, properties));
	hf_dict_put(d->doc, "outputs", outputs);
	hf_dict_put(d->doc, "status", hf_value_cstr(e->arena, "ready"));
	if (change->resource != NULL && change->resource->force_destroy)
		hf_dict_put(d->doc, "force_destroy", hf_value_bool(e->arena, true));
	else
		hf_dict_remove(d->doc, "force_destroy");
	resource_depends(e, d, change->resource);
	return hf_state_put(e->state, d, err);
}

static int create_begin(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_state_doc *d, struct hf_value *properties, struct hf_error *err)
{
	const char *hash = properties_hash(a, properties), *id = NULL;
	bool recovered = hf_dict_get(d->doc, "intent") != NULL;
	struct observed o = { 0 };
	if (!recovered)
		resource_intent(e, d, change->spec, hash);
	struct hf_value *context = context_make(e, a, change->spec, d->name, properties, d->doc);
	bool other = recovered && strcmp(hf_dict_cstr(d->doc, "hash", ""), hash) != 0;
	int rc = look_first(e, a, change, d, context,
		other       ? UNSETTLED
		: recovered ? RECOVERED
			    : FRESH,
		&o, err);
	if (rc < 0)
		return rc;
	if (o.present) {
		id = o.id;
	} else {
		if (other) {
			resource_intent(
				e, d, change->spec, hash); /* another request must not carry the old token */
			context = context_make(e, a, change->spec, d->name, properties, d->doc);
		}
		hf_dict_put(d->doc, "properties", hf_value_copy(e->arena, properties));
		resource_depends(e, d, change->resource);
		rc = hf_state_put(
			e->state, d, err); /* durable before the call: a kill from here on is recovered */
		if (rc == 0)
			rc = create_call(e, a, change, d, context, &id, err);
		if (create_unsure(change->spec, rc)) {
			hf_fiber_sleep(e->fibers, HF_ENGINE_SETTLE_MS);
			int looked = look_first(e, a, change, d, context, RECOVERED, &o, err);
			if (looked == 0)
				rc = o.present ? 0 : create_call(e, a, change, d, context, &id, err);
			id = o.present ? o.id : id;
		}
		if (rc < 0)
			return rc;
	}
	hf_dict_put(d->doc, "id", hf_value_cstr(e->arena, id));
	hf_dict_put(d->doc, "status", hf_value_cstr(e->arena, "creating"));
	return hf_state_put(e->state, d, err);
}

int resource_create(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_value *properties, struct hf_error *err)
{
	if (change->spec->capacity)
		return capacity_create(e, a, change, properties, err);
	if (change->spec->block)
		return block_create(e, a, change, properties, err);
	struct hf_state_doc *d = hf_state_make(e->state, change->name);
	int rc = hf_dict_get(d->doc, "id") == NULL ? create_begin(e, a, change, d, properties, err) : 0;
	if (rc < 0)
		return rc;
	struct hf_value *context = context_make(e, a, change->spec, d->name, properties, d->doc);
	rc = create_rest(e, a, change->spec, context, err);
	return rc < 0 ? rc : resource_finish(e, a, change, d, context, properties, err);
}

/* --- change --- */

static void tags_differ(struct hf_engine *e, struct hf_arena *a, const struct hf_service *service,
	struct hf_value *context, const struct hf_value *properties, const struct observed *o)
{
	struct hf_value *map = hf_value_dict(a);
	struct hf_value *added = hf_value_list(a), *removed = hf_value_list(a), *keys = hf_value_list(a);
	struct hf_value *wanted = tags_wanted(a, e->env, properties);
	HF_DICT_EACH (wanted, t) {
		const char *key = hf_entry_key(t)->u.string.p, *value = hf_entry_value(t)->u.string.p;
		const char *old = o->tags == NULL ? NULL : hf_dict_cstr(o->tags, key, NULL);
		if (old == NULL || strcmp(old, value) != 0) {
			tag_pair_add(a, service, added, key, value);
			hf_dict_put(map, key, hf_value_cstr(a, value));
		}
	}
	for (size_t i = 0; o->tags != NULL && i < o->tags->u.dict->map.count; i++) {
		const struct hf_map_entry *t = &o->tags->u.dict->map.entries[i];
		const char *key = hf_entry_key(t)->u.string.p;
		if (tag_is_ours(key) || hf_dict_get(wanted, key) != NULL)
			continue;
		tag_pair_add(a, service, removed, key, NULL);
		hf_list_append(keys, hf_value_cstr(a, key));
	}
	if (hf_list_len(added) > 0)
		hf_dict_put(context, "added_tags", added);
	if (hf_dict_len(map) > 0)
		hf_dict_put(context, "added_tag_map", map);
	if (hf_list_len(removed) > 0) {
		hf_dict_put(context, "removed_tags", removed);
		hf_dict_put(context, "removed_tag_keys", keys);
	}
}

/* What later operations need of this one's answer: keep: {name: path}. */
static void answer_keep(struct hf_arena *a, const struct hf_value *operation, const struct reply *reply,
	struct hf_value *context)
{
	const struct hf_value *keep = hf_dict_get(operation, "keep");
	if (!hf_is(keep, HF_DICT))
		return;
	HF_DICT_EACH (keep, e) {
		struct hf_value *v = hf_wire_at(a, reply->doc, hf_entry_value(e)->u.string.p);
		if (v != NULL)
			hf_dict_set(context, hf_entry_key(e), v);
	}
}

int resource_update(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_value *properties, struct hf_error *err)
{
	struct hf_state_doc *d = change->doc;
	struct hf_value *context = context_make(e, a, change->spec, d->name, properties, d->doc);
	struct observed o;
	int rc = resource_observe(e, a, change->spec, context, false, &o, err);
	if (rc < 0)
		return rc;
	if (o.present || !change->spec->capacity) /* what a search finds now gets its tags then */
		tags_differ(e, a, change->spec->service, context, properties, &o);
	struct hf_value *surplus = change->spec->capacity ? capacity_surplus(a, context, &o) : NULL;
	if (surplus != NULL)
		hf_dict_put(context, "surplus", surplus);
	for (size_t i = 0; i < hf_list_len(change->spec->update); i++) {
		const struct hf_value *operation = hf_list_at(change->spec->update, i);
		const char *when = hf_dict_cstr(operation, "when", NULL);
		bool wanted = false;
		for (size_t k = 0; k < change->differences.n; k++)
			wanted = wanted || member_of(operation, change->differences.at[k].property);
		if (!wanted || (when != NULL && hf_dict_get(context, when) == NULL))
			continue;
		struct reply reply;
		rc = engine_call(e, a, change->spec, operation, context, &reply, err);
		if (rc < 0)
			return rc;
		answer_keep(a, operation, &reply, context);
	}
	if (change->spec->capacity)
		rc = capacity_search(e, a, change, d, properties, err);
	return rc < 0 ? rc : resource_finish(e, a, change, d, context, properties, err);
}

/* The tags that say whose it is, on what was made without them. */
int resource_tag(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	struct hf_value *context, struct hf_error *err)
{
	struct hf_value *added = hf_value_list(a);
	const struct hf_value *tags = hf_dict_get(context, "tags");
	for (size_t i = 0; i < hf_list_len(tags); i++)
		if (tag_is_ours(hf_dict_cstr(hf_list_at(tags, i), spec->service->tag_key, "")))
			hf_list_append(added, hf_list_at(tags, i));
	hf_dict_put(context, "added_tags", added);
	hf_dict_put(context, "added_tag_map", hf_dict_get(context, "tag_map"));
	for (size_t i = 0; i < hf_list_len(spec->update); i++) {
		const struct hf_value *operation = hf_list_at(spec->update, i);
		const char *when = hf_dict_cstr(operation, "when", "");
		struct reply reply;
		if (!member_of(operation, "Tags") || strcmp(when, "removed_tags") == 0 ||
			strcmp(when, "removed_tag_keys") == 0)
			continue;
		int rc = engine_call(e, a, spec, operation, context, &reply, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- remove --- */

/* What a deletion waits for is told soon, not when all hope is gone. */
static int delete_call(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	const struct hf_value *operation, const struct hf_value *context, struct reply *reply,
	struct hf_error *err)
{
	const struct hf_spec *spec = change->spec;
	const struct hf_value *explain = hf_dict_get(operation, "explain");
	if (explain == NULL)
		return engine_call(e, a, spec, operation, context, reply, err);
	struct hf_value *first = hf_value_shallow(a, operation);
	hf_dict_put(first, "retry_seconds", hf_value_int(a, QUIET_SECONDS));
	int rc = engine_call(e, a, spec, first, context, reply, err);
	if (rc == 0 || !reply_in(operation, "retry", reply))
		return rc;
	const char *why = resource_why(e, a, spec, explain, context);
	if (why[0] != '\0' && e->options.event != NULL)
		e->options.event(e->options.data, change->name, HF_DELETE, HF_WAITS, QUIET_SECONDS * 1000,
			why + strlen("; "));
	rc = engine_call(e, a, spec, operation, context, reply, err);
	return rc < 0 && reply_in(operation, "retry", reply)
		       ? resource_explain(e, a, spec, explain, context, rc, err)
		       : rc;
}

/* needs: a path that must be there, so that what a run before undid is not undone twice. */
static int delete_step(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	const struct hf_value *operation, struct hf_value *context, struct hf_error *err)
{
	const char *needs = hf_dict_cstr(operation, "needs", NULL);
	if (needs != NULL) {
		struct observed o;
		int rc = resource_observe(e, a, change->spec, context, false, &o, err);
		if (rc < 0 || !o.present || hf_wire_at(a, o.item, needs) == NULL)
			return rc;
	}
	struct reply reply;
	int rc = delete_call(e, a, change, operation, context, &reply, err);
	const char *hint = rc == 0 || reply.code == NULL
				   ? NULL
				   : hf_dict_cstr(hf_dict_get(operation, "hint"), reply.code, NULL);
	if (rc < 0 && reply_in(operation, "absent", &reply))
		return 0;
	if (rc < 0 && hint != NULL) { /* nothing happened to it: it is not half deleted */
		hf_wrap(err, "%s", hint);
		hf_dict_put(change->doc->doc, "status", hf_value_cstr(e->arena, "ready"));
		struct hf_error unsaved = { 0 };
		return hf_state_put(e->state, change->doc, &unsaved) < 0
			       ? hf_wrap(err, "%s; the state could not be put back", unsaved.text)
			       : rc;
	}
	if (rc < 0)
		return rc;
	answer_keep(a, operation, &reply, context);
	return 0;
}

/* What was paid for is not given back by forgetting it: also the block that a search bought. */
static void stays_tell(
	struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec, const struct hf_state_doc *d)
{
	const struct hf_spec *block = hf_spec_find(e->env->specs, "ec2.capacity_block");
	const char *bought = hf_dict_cstr(hf_dict_get(d->doc, "purchase"), "id", NULL);
	const char *stays = hf_dict_cstr(bought == NULL ? spec->doc : block->doc, "stays", NULL);
	if (stays != NULL)
		resource_tell(e, d->name, HF_DELETE,
			hf_sprintf(a, "%s: %s", bought == NULL ? hf_dict_cstr(d->doc, "id", "") : bought,
				stays));
}

int resource_delete(
	struct hf_engine *e, struct hf_arena *a, const struct hf_change *change, struct hf_error *err)
{
	struct hf_state_doc *d = change->doc;
	const struct hf_spec *spec = change->spec;
	const struct hf_value *properties = hf_dict_get(d->doc, "properties");
	if (properties == NULL)
		properties = hf_value_dict(a);
	struct hf_value *context = context_make(e, a, spec, d->name, properties, d->doc);
	if (hf_dict_get(d->doc, "id") == NULL) { /* begun, and then killed: it may exist */
		struct observed o = { 0 };
		int rc = look_first(e, a, change, d, context, UNSETTLED, &o, err);
		if (rc < 0 && rc != -HF_E_EXISTS)
			return rc;
		if (rc < 0 || !o.present)
			return hf_state_remove(e->state, d, err);
		hf_dict_put(d->doc, "id", hf_value_cstr(e->arena, o.id));
		context = context_make(e, a, spec, d->name, properties, d->doc);
	}
	hf_dict_put(d->doc, "status", hf_value_cstr(e->arena, "deleting"));
	int rc = hf_state_put(e->state, d, err);
	stays_tell(e, a, spec, d);
	if (rc == 0 && spec->capacity)
		rc = capacity_found(e, a, spec, context, err);
	if (rc == 0)
		rc = resource_empty(e, change, context, err);
	for (size_t i = 0; rc == 0 && i < hf_list_len(spec->remove); i++)
		rc = delete_step(e, a, change, hf_list_at(spec->remove, i), context, err);
	if (rc == 0)
		rc = gone_wait(e, a, spec, context, err);
	return rc < 0 ? rc : hf_state_remove(e->state, d, err);
}
