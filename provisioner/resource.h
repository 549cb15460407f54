/* provisioner/resource.h - what is done to one resource: look, make, change, remove. Runs inside fibers.
 * Internal. */
#pragma once
#include "provisioner/engine.h"
#include "provisioner/wire.h"

struct hf_engine {
	struct hf_arena *arena;
	struct hf_environment *env;
	struct hf_state *state;
	struct hf_http *http;
	struct hf_credentials *credentials;
	struct hf_aws aws;
	const char *region, *account;
	uint64_t started_ms; /* when the lock was ours; monotonic */
	struct hf_fibers *fibers;
	struct hf_engine_options options;
	struct hf_map endpoints; /* service → struct hf_aws_endpoint */
	struct hf_map paces;     /* service → struct pace */
	struct hf_value *scarce; /* candidate of a search → when AWS had none, in ms; NULL: not read yet */
};

/* Connect on first use. */
HF_CHECK int engine_ready(struct hf_engine *e, struct hf_error *err);
/* lookup.c: the outputs of the file's look-ups become variables; once. */
HF_CHECK int engine_look_up(struct hf_engine *e, struct hf_error *err);
/* preflight.c: HF_E_UNSUPPORTED, HF_E_DENIED: machines of the plan cannot be had, by zone or by quota. */
HF_CHECK int engine_preflight(struct hf_engine *e, const struct hf_plan *plan, struct hf_error *err);
/* What templates may know: resource → outputs, for_each → key → outputs. */
struct hf_value *known_all(struct hf_engine *e);
/* The same of what r depends on alone: its templates speak of nothing else. */
struct hf_value *known_for(struct hf_engine *e, const struct hf_resource *r);
/* Names whose outputs are not there: what speaks of them is not known. */
struct hf_value *pending_all(struct hf_engine *e);
void known_put(struct hf_engine *e, struct hf_value *known, const struct hf_state_doc *d);

struct reply {
	struct hf_value *doc;
	const char *code, *message; /* AWS's, when it refused */
};

struct observed {
	bool present;
	const char *id;
	struct hf_value *values, *outputs, *tags; /* dicts; tags: all of them */
	struct hf_value *item;
	struct hf_value *gone; /* not present: what is left of it, in a state that counts as gone */
};

/* Call an operation; refusals named in its ignore list are successes, those in retry are tried again for a
 * while. */
HF_CHECK int engine_call(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *operation, const struct hf_value *context, struct reply *ret,
	struct hf_error *err);
/* A code of the operation's list says it. "Code" or "Code:part of the message". */
bool reply_in(const struct hf_value *operation, const char *list, const struct reply *reply);

/* What "$X" means for a resource. properties: rendered; doc: of its state, for id and intent. */
struct hf_value *context_make(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const char *name, const struct hf_value *properties, const struct hf_value *doc);
/* Read it by the context's id (or key). find: by name or intent tag instead. */
HF_CHECK int resource_observe(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, bool find, struct observed *ret, struct hf_error *err);
HF_CHECK int resource_create(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_value *properties, struct hf_error *err);
HF_CHECK int resource_update(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_value *properties, struct hf_error *err);
HF_CHECK int resource_delete(
	struct hf_engine *e, struct hf_arena *a, const struct hf_change *change, struct hf_error *err);

/* price.c: HF_E_DENIED says what is dearer than the file allows. */
HF_CHECK int engine_price_check(struct hf_engine *e, const struct hf_value *known,
	const struct hf_value *pending, struct hf_error *err);
/* empty.c: what is in it, when the file says force_destroy and its type how. */
HF_CHECK int resource_empty(struct hf_engine *e, const struct hf_change *change,
	const struct hf_value *context, struct hf_error *err);

/* explain.c: what the type's rows (explain: of the type, or of a deletion) say of a failure: "; …", or "". */
const char *resource_why(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *rows, const struct hf_value *context);
/* The same, added to the failure rc. Returns rc. */
int resource_explain(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *rows, const struct hf_value *context, int rc, struct hf_error *err);

/* The steps of a creation that taking over what exists shares. */
void resource_intent(
	struct hf_engine *e, struct hf_state_doc *d, const struct hf_spec *spec, const char *hash);
const char *properties_hash(struct hf_arena *a, const struct hf_value *properties);
/* HF_E_EXISTS when its tags name somebody else. */
HF_CHECK int resource_ours(struct hf_engine *e, const struct hf_state_doc *d, const struct hf_spec *spec,
	const struct observed *o, struct hf_error *err);
HF_CHECK int resource_tag(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	struct hf_value *context, struct hf_error *err);
/* Ready, read, recorded. */
HF_CHECK int resource_finish(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_state_doc *d, const struct hf_value *context, const struct hf_value *properties,
	struct hf_error *err);
/* The id of what AWS knows by its properties. */
const char *resource_key_id(struct hf_arena *a, const struct hf_spec *spec, const struct hf_value *context);
/* The item's value at the rule's path is one of its values. */
bool value_in(struct hf_arena *a, struct hf_value *item, const struct hf_value *rule);
void tag_pair_add(struct hf_arena *a, const struct hf_service *service, struct hf_value *list,
	const char *key, const char *value);

/* capacity.c: instances wherever there are some, for types with the handler "capacity". */
HF_CHECK int capacity_create(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_value *properties, struct hf_error *err);
HF_CHECK int capacity_search(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_state_doc *d, const struct hf_value *properties, struct hf_error *err);
bool capacity_none_wanted(const struct hf_value *context); /* then there is it even when there is nothing */
void capacity_observe(struct hf_arena *a, const struct hf_value *context, struct hf_value *items,
	const struct hf_value *gone, struct observed *o);
/* Ids to be terminated; NULL: none. */
struct hf_value *capacity_surplus(
	struct hf_arena *a, const struct hf_value *context, const struct observed *o);
/* What a removal needs to know that the state may not say: ids of instances and fleets, into the context. */
HF_CHECK int capacity_found(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	struct hf_value *context, struct hf_error *err);
void resource_depends(struct hf_engine *e, struct hf_state_doc *d, const struct hf_resource *r);
/* Tell people something about a resource that is being made. */
void resource_tell(const struct hf_engine *e, const char *name, enum hf_action action, const char *text);

/* block.c: capacity that is paid for at once. */
struct block {
	const char *id; /* NULL: there is none */
	const char *state, *zone, *start;
	const char *why; /* there is none */
};
/* The block a resource has; it is bought when there is none and a human accepted one of the offers. context:
 * has InstanceType, InstanceCount, CapacityDurationHours and the tags. */
HF_CHECK int block_get(struct hf_engine *e, struct hf_arena *a, struct hf_state_doc *d,
	const struct hf_value *context, struct block *ret, struct hf_error *err);
HF_CHECK int block_create(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_value *properties, struct hf_error *err);

/* target.c: which resources a run is about. */
struct targets {
	bool all;
	struct hf_map names;
};
HF_CHECK int targets_choose(struct hf_engine *e, const struct hf_plan_options *options, struct targets *ret,
	struct hf_error *err);
bool target_chosen(const struct targets *t, const char *name);

/* Everything that is compared, of the item that was found in an answer. */
HF_CHECK int resource_take(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *context, struct observed *o, struct hf_error *err);

/* look.c: what there is of everything the state knows. ret: name → struct look. */
struct look {
	struct hf_state_doc *doc;
	const struct hf_spec *spec;
	struct observed observed; /* without its item */
};
HF_CHECK int look_at_all(
	struct hf_engine *e, const struct targets *targets, struct hf_map *ret, struct hf_error *err);

/* compare.c: the same thing, whatever its spelling. */
bool property_same(struct hf_arena *a, const struct hf_value *row, const struct hf_value *wanted,
	const struct hf_value *found);
/* A property as it goes on the wire: base64, JSON as text … */
struct hf_value *property_encode(struct hf_arena *a, const struct hf_value *row, struct hf_value *v);
/* [{Key, Value}] in any spelling to a dict. */
struct hf_value *tags_read(struct hf_arena *a, const struct hf_value *list);
/* The tags people gave: environment's and the resource's. */
struct hf_value *tags_wanted(
	struct hf_arena *a, const struct hf_environment *env, const struct hf_value *properties);
bool tag_is_ours(const char *name); /* holdfast:… and aws:… are not people's */
