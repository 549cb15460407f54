/* Capacity blocks: hours of capacity that are paid for beforehand and cannot be given back. AWS takes no
 * token for the purchase, so it is made only for an offer that a human accepted in this very run, after AWS
 * was asked whether the resource has a block already; the purchase is in the state before it is made, and is
 * never sent twice. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/time.h"
#include "provisioner/resource.h"

/* A purchase whose answer was lost must show by then; one that succeeded must be seen by then. */
enum { PURCHASE_SETTLE_MS = 15000, PURCHASE_SEEN_MS = 600000 };

struct offer {
	const char *id, *text;
	const char *why; /* it is not taken; NULL: it may be */
};

static const char *item_text(const struct hf_value *item, const char *name)
{
	return hf_dict_cstr(item, name, "?");
}

static const char *objection(struct hf_arena *a, const struct hf_value *context, const struct hf_value *item)
{
	const struct hf_value *most = hf_dict_get(context, "MaxPrice"),
			      *zone = hf_dict_get(context, "AvailabilityZone");
	const char *fee = item_text(item, "upfrontFee");
	char *end;
	double price = strtod(fee, &end);
	if (zone != NULL && strcmp(hf_wire_text(a, zone), item_text(item, "availabilityZone")) != 0)
		return "it is in another zone than AvailabilityZone";
	if (most == NULL)
		return NULL;
	const char *text = hf_wire_text(a, most);
	char *text_end;
	double cap = strtod(text, &text_end);
	if (end == fee || *end != '\0' || text_end == text || *text_end != '\0')
		return "its price and MaxPrice cannot be compared";
	return price > cap ? hf_sprintf(a, "it costs %s, more than MaxPrice %s", fee, text) : NULL;
}

static struct offer offer_read(
	struct hf_arena *a, const struct hf_value *context, const struct hf_value *item)
{
	struct offer o = { .id = item_text(item, "capacityBlockOfferingId"),
		.why = objection(a, context, item) };
	o.text = hf_sprintf(a, "offer %s: %s x %s in %s, %s h from %s to %s, for %s %s", o.id,
		item_text(item, "instanceCount"), item_text(item, "instanceType"),
		item_text(item, "availabilityZone"), item_text(item, "capacityBlockDurationHours"),
		item_text(item, "startDate"), item_text(item, "endDate"), item_text(item, "upfrontFee"),
		item_text(item, "currencyCode"));
	return o;
}

static bool accepted(const struct hf_engine *e, const char *id)
{
	const char *const *offers = e->options.offers;
	for (size_t i = 0; offers != NULL && offers[i] != NULL; i++)
		if (strcmp(offers[i], id) == 0)
			return true;
	return false;
}

/* What AWS has: by the id we know, else by our tags. */
static int block_look(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *purchase, const struct hf_value *context, struct block *ret,
	struct hf_error *err)
{
	const char *id = purchase == NULL ? NULL : hf_dict_cstr(purchase, "id", NULL);
	struct observed o = { 0 };
	int rc = 0;
	if (id != NULL) {
		struct hf_value *known = hf_value_shallow(a, context);
		hf_dict_put(known, "id", hf_value_cstr(a, id));
		rc = resource_observe(e, a, spec, known, false, &o, err);
	}
	if (rc == 0 && !o.present)
		rc = resource_observe(e, a, spec, context, true, &o, err);
	*ret = (struct block){ 0 };
	if (rc == 0 && o.present)
		*ret = (struct block){ .id = o.id,
			.state = hf_dict_cstr(o.outputs, "state", ""),
			.zone = hf_dict_cstr(o.outputs, "zone", ""),
			.start = hf_dict_cstr(o.outputs, "start", "") };
	return rc;
}

/* A purchase that a run before began may have arrived although nobody read its answer. */
static int purchase_settle(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *purchase, const struct hf_value *context, struct block *ret,
	struct hf_error *err)
{
	uint64_t age = hf_time_monotonic_ms() - e->started_ms;
	if (hf_dict_cstr(purchase, "id", NULL) != NULL) {
		int64_t since = hf_time_now_ms() - hf_dict_int(purchase, "at", 0);
		if (since >= 0 && since < PURCHASE_SEEN_MS)
			return hf_fail(err, HF_E_NOT_FOUND,
				"%s was bought %lld s ago, but AWS does not show it yet: apply again",
				hf_dict_cstr(purchase, "id", ""), (long long)(since / 1000));
		return 0; /* it is over */
	}
	if (age < PURCHASE_SETTLE_MS)
		hf_fiber_sleep(e->fibers, (uint32_t)(PURCHASE_SETTLE_MS - age));
	return block_look(e, a, spec, purchase, context, ret, err);
}

static int block_buy(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	struct hf_state_doc *d, const struct hf_value *context, const struct offer *offer, struct block *ret,
	struct hf_error *err)
{
	struct hf_value *purchase = hf_value_dict(e->arena), *mine = hf_value_shallow(a, context);
	struct reply reply;
	hf_dict_put(purchase, "offering", hf_value_cstr(e->arena, offer->id));
	hf_dict_put(purchase, "at", hf_value_int(e->arena, hf_time_now_ms()));
	hf_dict_put(d->doc, "purchase", purchase);
	hf_dict_put(mine, "offering", hf_value_cstr(a, offer->id));
	if (hf_dict_get(mine, "InstancePlatform") == NULL)
		hf_dict_put(mine, "InstancePlatform", hf_value_cstr(a, "Linux/UNIX"));
	int rc = hf_state_put(e->state, d, err);
	if (rc < 0)
		return rc;
	resource_tell(e, d->name, HF_CREATE, hf_sprintf(a, "buys %s", offer->text));
	rc = engine_call(e, a, spec, spec->create, mine, &reply, err);
	if (rc < 0 && reply.code == NULL)
		return hf_wrap(
			err, "whether %s was bought is not known; the next apply looks for it", offer->id);
	const char *id = rc < 0 ? NULL : hf_wire_id(a, reply.doc, hf_dict_cstr(spec->create, "id", ""));
	if (id == NULL && rc == 0)
		return hf_fail(err, HF_E_PARSE, "the answer to the purchase of %s names no block", offer->id);
	if (rc < 0)
		return rc; /* refused; that it was tried stays in the state, and costs the next run a look */
	hf_dict_put(purchase, "id", hf_value_cstr(e->arena, id));
	*ret = (struct block){ .id = id,
		.state = hf_dict_cstr(hf_dict_get(reply.doc, "capacityReservation"), "state", ""),
		.zone = hf_dict_cstr(hf_dict_get(reply.doc, "capacityReservation"), "availabilityZone", ""),
		.start = hf_dict_cstr(hf_dict_get(reply.doc, "capacityReservation"), "startDate", "") };
	return hf_state_put(e->state, d, err);
}

/* Every offer is told with its price and dates; the first one that a human accepted is bought. */
static int offers_ask(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	struct hf_state_doc *d, const struct hf_value *context, struct block *ret, struct hf_error *err)
{
	const struct hf_value *operation = hf_dict_get(spec->doc, "offers");
	struct reply reply;
	int rc = engine_call(e, a, spec, operation, context, &reply, err);
	if (rc < 0)
		return rc;
	struct hf_value *items = hf_wire_items(a, reply.doc, hf_dict_cstr(operation, "items", NULL));
	struct offer first = { 0 };
	for (size_t i = 0; i < hf_list_len(items); i++) {
		struct offer o = offer_read(a, context, hf_list_at(items, i));
		resource_tell(e, d->name, HF_CREATE,
			hf_sprintf(a, "%s%s%s", o.text,
				o.why == NULL ? "" : "; not taken: ", o.why == NULL ? "" : o.why));
		if (o.why == NULL && accepted(e, o.id))
			return block_buy(e, a, spec, d, context, &o, ret, err);
		if (o.why == NULL && first.id == NULL)
			first = o;
	}
	ret->why =
		first.id == NULL
			? hf_sprintf(a, "none of %zu offers of capacity blocks will do", hf_list_len(items))
			: hf_sprintf(a, "nobody said yes to an offer: --accept-capacity-block %s buys %s",
				  first.id, first.text);
	return 0;
}

int block_get(struct hf_engine *e, struct hf_arena *a, struct hf_state_doc *d, const struct hf_value *context,
	struct block *ret, struct hf_error *err)
{
	const struct hf_spec *spec = hf_spec_find(e->env->specs, "ec2.capacity_block");
	const struct hf_value *purchase = hf_dict_get(d->doc, "purchase");
	int rc = block_look(e, a, spec, purchase, context, ret, err);
	if (rc == 0 && ret->id == NULL && purchase != NULL)
		rc = purchase_settle(e, a, spec, purchase, context, ret, err);
	return rc < 0 || ret->id != NULL ? rc : offers_ask(e, a, spec, d, context, ret, err);
}

int block_create(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_value *properties, struct hf_error *err)
{
	struct hf_state_doc *d = hf_state_make(e->state, change->name);
	if (hf_dict_get(d->doc, "intent") == NULL)
		resource_intent(e, d, change->spec, properties_hash(a, properties));
	hf_dict_put(d->doc, "properties", hf_value_copy(e->arena, properties));
	resource_depends(e, d, change->resource);
	const struct hf_value *context = context_make(e, a, change->spec, d->name, properties, d->doc);
	if (hf_dict_get(d->doc, "id") == NULL) {
		struct block block;
		int rc = block_get(e, a, d, context, &block, err);
		if (rc == 0 && block.id == NULL)
			rc = hf_fail(err, HF_E_DENIED, "%s", block.why);
		if (rc < 0)
			return rc;
		hf_dict_put(d->doc, "id", hf_value_cstr(e->arena, block.id));
		hf_dict_put(d->doc, "status", hf_value_cstr(e->arena, "creating"));
		rc = hf_state_put(e->state, d, err);
		if (rc < 0)
			return rc;
		context = context_make(e, a, change->spec, d->name, properties, d->doc);
	}
	return resource_finish(e, a, change, d, context, properties, err);
}
