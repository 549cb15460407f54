/* At least N of M instances: markets × types × subnets in the order of the file, until there are enough. What
 * was refused is not asked for again for three minutes. A fleet asks for all types in all subnets with one
 * call a market, and AWS chooses. Capacity blocks are bought by block.c, and only where a human said yes. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "provisioner/resource.h"

enum {
	REFUSED_MS = 180000,
	CANDIDATES_MAX = 2000,
	POOL_MAX = 300, /* overrides of one CreateFleet */
	ROUND_MS = 5000,
	STARTING_MS = 300000,
	EARLY_TRIES = 40, /* of a fleet whose instance profile is not believed yet */
	EARLY_WAIT_MS = 3000,
};

struct search {
	struct hf_engine *engine;
	struct hf_arena *arena;
	const struct hf_change *change;
	struct hf_state_doc *doc;
	struct hf_value *context;
	struct hf_value *refused; /* of the document: candidate → when, in ms */
	const char *last;         /* why the last candidate was passed over */
	struct hf_value *zones;   /* subnet → zone, of those that were asked about */
	int64_t have, wanted, least;
	uint64_t start_ms;
};

struct candidate {
	const char *market, *reservation, *type, *subnet, *name;
	const struct hf_value *wish; /* the capacity block that may be bought for it */
	struct hf_value *pool;       /* of a fleet: what AWS may choose from */
	int attempt;
};

static void tell(const struct search *s, const struct candidate *c, const char *why)
{
	const struct hf_engine_options *o = &s->engine->options;
	if (o->event != NULL)
		o->event(o->data, s->change->name, HF_CREATE, HF_WAITS, hf_time_monotonic_ms() - s->start_ms,
			hf_sprintf(s->arena, "%s: %s", c->name, why));
}

static int64_t count_of(const struct hf_value *context, const char *name, int64_t other)
{
	const struct hf_value *v = hf_dict_get(context, name);
	return hf_is(v, HF_INT) ? v->u.integer : other;
}

/* The fleets its instances say they are of, and those we were told of. */
static struct hf_value *fleets_of(struct hf_arena *a, const struct hf_value *context, struct hf_value *items)
{
	const struct hf_value *known = hf_dict_get(context, "fleet_ids");
	struct hf_value *seen = hf_value_dict(a), *out = hf_value_list(a);
	for (size_t i = 0; hf_is(known, HF_LIST) && i < hf_list_len(known); i++)
		hf_dict_set(seen, hf_list_at(known, i), hf_list_at(known, i));
	for (size_t i = 0; i < hf_list_len(items); i++) {
		struct hf_value *tags = tags_read(a, hf_wire_at(a, hf_list_at(items, i), "tagSet.item[]"));
		struct hf_value *id = hf_dict_get(tags, "aws:ec2:fleet-id");
		if (id != NULL)
			hf_dict_set(seen, id, id);
	}
	HF_DICT_EACH (seen, e)
		hf_list_append(out, hf_entry_value(e));
	return out;
}

bool capacity_none_wanted(const struct hf_value *context)
{
	return count_of(context, "AtLeast", count_of(context, "Count", 1)) == 0;
}

/* What there is of it, which may be nothing. The number is the wanted one as long as it is enough. */
void capacity_observe(struct hf_arena *a, const struct hf_value *context, struct hf_value *items,
	const struct hf_value *gone, struct observed *o)
{
	struct hf_value *ids = hf_value_list(a), *ips = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(items); i++) {
		struct hf_value *item = hf_list_at(items, i);
		if (value_in(a, item, gone))
			continue;
		hf_list_append(ids, hf_value_cstr(a, hf_dict_cstr(item, "instanceId", "")));
		hf_list_append(ips, hf_value_cstr(a, hf_dict_cstr(item, "privateIpAddress", "")));
	}
	hf_dict_put(o->outputs, "fleet_ids", fleets_of(a, context, items));
	int64_t n = (int64_t)hf_list_len(ids), wanted = count_of(context, "Count", n);
	bool enough = n <= wanted && n >= count_of(context, "AtLeast", wanted);
	hf_dict_put(o->values, "Count", hf_value_int(a, enough ? wanted : n));
	hf_dict_put(o->outputs, "instance_ids", ids);
	hf_dict_put(o->outputs, "private_ips", ips);
	if (hf_list_len(ids) == 0) /* there is nothing that could carry tags */
		o->tags = hf_dict_get(context, "tag_map");
	o->id = hf_dict_cstr(context, "intent", "");
}

static int look(struct search *s, struct observed *o, struct hf_error *err)
{
	int rc = resource_observe(s->engine, s->arena, s->change->spec, s->context, false, o, err);
	if (rc == 0) {
		const struct hf_value *ids = hf_dict_get(o->outputs, "instance_ids");
		s->have = o->present ? (int64_t)hf_list_len(ids) : 0;
	}
	return rc;
}

/* "try the next": what Karpenter and people take for "no capacity here". */
static bool means_elsewhere(const char *code)
{
	static const char *const codes[] = { "InsufficientInstanceCapacity", "InsufficientHostCapacity",
		"InsufficientReservedInstanceCapacity", "ReservationCapacityExceeded",
		"MaxSpotInstanceCountExceeded", "VcpuLimitExceeded", "InstanceLimitExceeded",
		"UnfulfillableCapacity", "Unsupported", "InsufficientFreeAddressesInSubnet",
		"SpotMaxPriceTooLow", "InvalidCapacityReservationId.NotFound", "InvalidFleetConfiguration" };
	for (size_t i = 0; i < HF_COUNT(codes); i++)
		if (code != NULL && strcmp(codes[i], code) == 0)
			return true;
	return false;
}

static bool number_read(const char *text, double *ret)
{
	char *end;
	*ret = strtod(text, &end);
	return end != text && *end == '\0';
}

/* NULL: it may be asked for. */
static const char *price_objection(const struct search *s, const struct candidate *c)
{
	const struct hf_value *cap = hf_dict_get(s->context, "MaxPrice");
	if (cap == NULL || strcmp(c->market, "on-demand") != 0)
		return NULL; /* AWS keeps the cap of spot; what is reserved is paid for */
	const struct hf_value *price = hf_dict_get(hf_dict_get(s->context, "Prices"), c->type);
	double most, costs;
	if (price == NULL)
		return "there is a MaxPrice, and Prices does not say what it costs on demand";
	if (!number_read(hf_wire_text(s->arena, cap), &most) ||
		!number_read(hf_wire_text(s->arena, price), &costs))
		return "MaxPrice and Prices are not numbers";
	return costs > most ? hf_sprintf(s->arena, "it costs %g, more than %g", costs, most) : NULL;
}

/* Of these codes the reason is not the request: whoever asks next need not ask. */
static bool means_scarce(const char *code)
{
	return strcmp(code, "InsufficientInstanceCapacity") == 0 ||
	       strcmp(code, "InsufficientHostCapacity") == 0;
}

/* What any search of this environment was refused, in this run or a run before. */
static struct hf_value *scarce_of(struct hf_engine *e)
{
	if (e->scarce != NULL)
		return e->scarce;
	e->scarce = hf_value_dict(e->arena);
	for (size_t i = 0; i < hf_state_count(e->state); i++) {
		const struct hf_state_doc *d = hf_state_at(e->state, i);
		const struct hf_value *known = d->doc == NULL ? NULL : hf_dict_get(d->doc, "scarce");
		if (!hf_is(known, HF_DICT))
			continue;
		HF_DICT_EACH (known, row) {
			const char *name = hf_entry_key(row)->u.string.p;
			int64_t when = hf_dict_int(known, name, 0);
			if (when > hf_dict_int(e->scarce, name, 0))
				hf_dict_put(e->scarce, name, hf_value_int(e->arena, when));
		}
	}
	return e->scarce;
}

static void scarce_add(struct search *s, const char *name)
{
	struct hf_arena *a = s->engine->arena;
	struct hf_value *own = hf_dict_get(s->doc->doc, "scarce"), *now = hf_value_int(a, hf_time_now_ms());
	if (!hf_is(own, HF_DICT))
		hf_dict_put(s->doc->doc, "scarce", own = hf_value_dict(a));
	hf_dict_put(own, name, now);
	hf_dict_put(scarce_of(s->engine), name, now);
}

static const char *objection(const struct search *s, const struct candidate *c)
{
	int64_t own = hf_dict_int(s->refused, c->name, 0),
		others = hf_dict_int(scarce_of(s->engine), c->name, 0);
	int64_t age = hf_time_now_ms() - (own > others ? own : others);
	if (age >= 0 && age < REFUSED_MS)
		return hf_sprintf(s->arena, "refused %lld s ago", (long long)(age / 1000));
	return price_objection(s, c);
}

static void pool_context(const struct search *s, const struct candidate *c, struct hf_value *context)
{
	struct hf_arena *a = s->arena;
	bool spot = strcmp(c->market, "spot") == 0;
	const struct hf_value *version = hf_dict_get(context, "LaunchTemplateVersion");
	hf_dict_put(context, "overrides", c->pool);
	hf_dict_put(context, "market", hf_value_cstr(a, c->market));
	hf_dict_put(context, "template_version",
		hf_value_cstr(a, version == NULL ? "$Default" : hf_wire_text(a, version)));
	hf_dict_put(context, spot ? "spot_strategy" : "on_demand_strategy",
		hf_value_cstr(a, spot ? hf_dict_cstr(context, "SpotStrategy", "price-capacity-optimized")
				      : hf_dict_cstr(context, "OnDemandStrategy", "prioritized")));
}

/* The request of one candidate has a token of its own: another must not carry it. */
static void candidate_context(const struct search *s, const struct candidate *c, struct hf_value *context)
{
	struct hf_arena *a = s->arena;
	int64_t missing = s->wanted - s->have;
	struct hf_digest digest = hf_sha256(
		hf_str(hf_sprintf(a, "%s|%s|%lld|%lld|%d|%s", hf_dict_cstr(s->context, "intent", ""), c->name,
			(long long)missing, (long long)hf_dict_int(s->doc->doc, "searches", 0), c->attempt,
			c->pool == NULL ? "" : properties_hash(a, c->pool))));
	char hex[HF_SHA256_HEX];
	hf_digest_hex(&digest, hex);
	hf_dict_put(context, "token", hf_value_cstr(a, hf_sprintf(a, "hf-%.40s", hex)));
	hf_dict_put(context, "missing", hf_value_int(a, missing));
	if (c->pool != NULL) {
		pool_context(s, c, context);
		return;
	}
	hf_dict_put(context, "instance_type", hf_value_cstr(a, c->type));
	hf_dict_put(context, "subnet", hf_value_cstr(a, c->subnet));
	if (strcmp(c->market, "spot") == 0 || strcmp(c->market, "capacity-block") == 0)
		hf_dict_put(context, "market", hf_value_cstr(a, c->market));
	if (strcmp(c->market, "spot") == 0 && hf_dict_get(context, "MaxPrice") != NULL)
		hf_dict_put(context, "spot_price", hf_dict_get(context, "MaxPrice"));
	if (c->reservation != NULL)
		hf_dict_put(context, "reservation", hf_value_cstr(a, c->reservation));
}

/* It has none: told, remembered for three minutes. */
static int refused(struct search *s, const struct candidate *c, const char *code, const char *message,
	struct hf_error *err)
{
	struct hf_engine *e = s->engine;
	const char *why = hf_sprintf(s->arena, "%s: %s", code, message == NULL ? "" : message);
	s->last = hf_sprintf(s->arena, "%s: %s", c->name, why);
	hf_dict_put(s->refused, hf_strdup(e->arena, c->name), hf_value_int(e->arena, hf_time_now_ms()));
	if (means_scarce(code))
		scarce_add(s, c->name);
	tell(s, c, why);
	return hf_state_put(e->state, s->doc, err);
}

/* It may be asked for; otherwise people are told why not. */
static bool allowed(struct search *s, const struct candidate *c)
{
	const char *why = objection(s, c);
	if (why == NULL)
		return true;
	s->last = hf_sprintf(s->arena, "%s: %s", c->name, why);
	tell(s, c, why);
	return false;
}

static int candidate_try(struct search *s, const struct candidate *c, struct hf_error *err)
{
	const struct hf_spec *spec = s->change->spec;
	struct hf_value *context = hf_value_shallow(s->arena, s->context);
	struct hf_error refusal = { 0 };
	struct reply reply;
	struct observed o;
	if (!allowed(s, c))
		return 0;
	candidate_context(s, c, context);
	int rc = engine_call(s->engine, s->arena, spec, spec->create, context, &reply, &refusal);
	if (rc < 0 && means_elsewhere(reply.code))
		return refused(s, c, reply.code, reply.message, err);
	if (rc < 0) {
		if (err != NULL)
			*err = refusal;
		return rc;
	}
	struct hf_value *made = hf_wire_items(s->arena, reply.doc, hf_dict_cstr(spec->create, "made", ""));
	s->have += (int64_t)hf_list_len(made);
	return s->have < s->wanted ? 0 : look(s, &o, err);
}

/* --- a fleet --- */

/* Told with the answer alone: instances say it themselves, but a fleet may have none. */
static int fleet_keep(struct search *s, struct reply *reply, struct hf_error *err)
{
	struct hf_arena *a = s->engine->arena;
	struct hf_value *outputs = hf_dict_get(s->doc->doc, "outputs"), *ids;
	struct hf_value *id =
		hf_wire_at(s->arena, reply->doc, hf_dict_cstr(s->change->spec->create, "id", ""));
	if (id == NULL)
		return hf_fail(err, HF_E_PARSE, "the answer names no fleet");
	if (!hf_is(outputs, HF_DICT))
		outputs = hf_value_dict(a);
	ids = hf_dict_get(outputs, "fleet_ids");
	ids = hf_is(ids, HF_LIST) ? hf_value_copy(a, ids) : hf_value_list(a);
	hf_list_append(ids, hf_value_copy(a, id));
	hf_dict_put(outputs, "fleet_ids", ids);
	hf_dict_put(s->doc->doc, "outputs", outputs);
	hf_dict_put(s->context, "fleet_ids", ids);
	return hf_state_put(s->engine->state, s->doc, err);
}

/* One row of what a fleet could not do, which comes with HTTP 200. *ret_early: not believed yet. */
static int fleet_error(
	struct search *s, const char *market, struct hf_value *row, bool *ret_early, struct hf_error *err)
{
	struct hf_arena *a = s->arena;
	const struct hf_value *overrides =
		hf_dict_get(hf_dict_get(row, "launchTemplateAndOverrides"), "overrides");
	struct candidate c = { .market = market,
		.type = hf_dict_cstr(overrides, "instanceType", "?"),
		.subnet = hf_dict_cstr(overrides, "subnetId", "?") };
	const struct reply why = { .code = hf_dict_cstr(row, "errorCode", "?"),
		.message = hf_dict_cstr(row, "errorMessage", "") };
	c.name = hf_sprintf(a, "%s %s in %s", c.market, c.type, c.subnet);
	if (means_elsewhere(why.code))
		return refused(s, &c, why.code, why.message, err);
	s->last = hf_sprintf(a, "%s: %s: %s", c.name, why.code, why.message);
	tell(s, &c, hf_sprintf(a, "%s: %s", why.code, why.message));
	if (reply_in(s->change->spec->create, "retry", &why)) {
		*ret_early = true;
		return 0;
	}
	return hf_fail(err, HF_E_TASK, "%s", s->last);
}

/* Every type in every subnet that is not refused, with the order of the file as priority. */
static struct hf_value *pool_make(
	struct search *s, const char *market, const struct hf_value *types, const struct hf_value *subnets)
{
	struct hf_arena *a = s->arena;
	struct hf_value *pool = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(types) * hf_list_len(subnets); i++) {
		struct hf_value *row = hf_value_dict(a);
		struct candidate c = { .market = market,
			.type = hf_wire_text(a, hf_list_at(types, i / hf_list_len(subnets))),
			.subnet = hf_wire_text(a, hf_list_at(subnets, i % hf_list_len(subnets))) };
		c.name = hf_sprintf(a, "%s %s in %s", c.market, c.type, c.subnet);
		if (!allowed(s, &c))
			continue;
		hf_dict_put(row, "InstanceType", hf_value_cstr(a, c.type));
		hf_dict_put(row, "SubnetId", hf_value_cstr(a, c.subnet));
		hf_dict_put(row, "Priority", hf_value_int(a, (int64_t)i));
		if (strcmp(market, "spot") == 0 && hf_dict_get(s->context, "MaxPrice") != NULL)
			hf_dict_put(row, "MaxPrice", hf_dict_get(s->context, "MaxPrice"));
		hf_list_append(pool, row);
	}
	return pool;
}

/* *ret_again: some of it was only too early. */
static int fleet_ask(struct search *s, const struct candidate *c, bool *ret_again, struct hf_error *err)
{
	const struct hf_spec *spec = s->change->spec;
	struct hf_value *context = hf_value_shallow(s->arena, s->context);
	struct reply reply;
	struct observed o;
	candidate_context(s, c, context);
	int rc = engine_call(s->engine, s->arena, spec, spec->create, context, &reply, err);
	*ret_again = false;
	if (rc == 0)
		rc = fleet_keep(s, &reply, err);
	if (rc < 0)
		return rc;
	struct hf_value *made = hf_wire_items(s->arena, reply.doc, hf_dict_cstr(spec->create, "made", ""));
	struct hf_value *errors = hf_wire_items(s->arena, reply.doc, "errorSet.item");
	s->have += (int64_t)hf_list_len(made);
	for (size_t i = 0; rc == 0 && i < hf_list_len(errors); i++)
		rc = fleet_error(s, c->market, hf_list_at(errors, i), ret_again, err);
	*ret_again = *ret_again && hf_list_len(made) == 0;
	return rc < 0 || s->have < s->wanted ? rc : look(s, &o, err);
}

static int fleet_try(struct search *s, struct candidate *c, const struct hf_value *types,
	const struct hf_value *subnets, struct hf_error *err)
{
	if (c->reservation != NULL || c->wish != NULL)
		return hf_fail(
			err, HF_E_ARGUMENT, "%s: Markets of a fleet are spot and on-demand", s->change->name);
	if (hf_list_len(types) * hf_list_len(subnets) > POOL_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: a fleet chooses from %d types and subnets at most",
			s->change->name, POOL_MAX);
	bool again = true;
	for (c->attempt = 0; again && c->attempt < EARLY_TRIES; c->attempt++) {
		c->pool = pool_make(s, c->market, types, subnets);
		c->name = hf_sprintf(s->arena, "a fleet of %s", c->market);
		if (hf_list_len(c->pool) == 0)
			return 0;
		if (c->attempt > 0)
			hf_fiber_sleep(s->engine->fibers, EARLY_WAIT_MS);
		int rc = fleet_ask(s, c, &again, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- a capacity block --- */

static int zones_ask(struct search *s, struct hf_error *err)
{
	const struct hf_value *operation = hf_dict_get(s->change->spec->doc, "zones");
	struct reply reply;
	if (s->zones != NULL)
		return 0;
	int rc = engine_call(s->engine, s->arena, s->change->spec, operation, s->context, &reply, err);
	if (rc < 0)
		return rc;
	struct hf_value *items = hf_wire_items(s->arena, reply.doc, hf_dict_cstr(operation, "items", NULL));
	s->zones = hf_value_dict(s->arena);
	for (size_t i = 0; i < hf_list_len(items); i++)
		hf_dict_put(s->zones, hf_dict_cstr(hf_list_at(items, i), "subnetId", ""),
			hf_value_cstr(s->arena, hf_dict_cstr(hf_list_at(items, i), "availabilityZone", "")));
	return 0;
}

static void wish_put(
	struct hf_value *context, const struct hf_value *wish, const char *key, const char *property)
{
	struct hf_value *v = hf_dict_get(wish, key);
	hf_dict_remove(context, property);
	if (v != NULL)
		hf_dict_put(context, property, v);
}

/* The block of this type that we have, or buy: then it is a reservation like another. */
static int block_try(
	struct search *s, struct candidate *c, const struct hf_value *subnets, struct hf_error *err)
{
	struct hf_value *context = hf_value_shallow(s->arena, s->context);
	struct block block;
	c->name = hf_sprintf(s->arena, "capacity-block %s", c->type);
	hf_dict_put(context, "InstanceType", hf_value_cstr(s->arena, c->type));
	hf_dict_put(context, "InstanceCount", hf_value_int(s->arena, s->wanted));
	wish_put(context, c->wish, "hours", "CapacityDurationHours");
	wish_put(context, c->wish, "most", "MaxPrice");
	wish_put(context, c->wish, "after", "StartDateRange");
	wish_put(context, c->wish, "before", "EndDateRange");
	int rc = zones_ask(s, err);
	if (rc == 0)
		rc = block_get(s->engine, s->arena, s->doc, context, &block, err);
	if (rc < 0)
		return rc;
	const char *why = block.why;
	if (block.id != NULL && strcmp(block.state, "active") != 0)
		why = hf_sprintf(s->arena, "%s is %s and begins %s", block.id, block.state, block.start);
	if (why != NULL) {
		s->last = hf_sprintf(s->arena, "%s: %s", c->name, why);
		tell(s, c, why);
		return 0;
	}
	c->reservation = block.id;
	for (size_t i = 0; i < hf_list_len(subnets) && s->have < s->wanted; i++) {
		c->subnet = hf_wire_text(s->arena, hf_list_at(subnets, i));
		if (strcmp(hf_dict_cstr(s->zones, c->subnet, ""), block.zone) != 0)
			continue;
		c->name = hf_sprintf(s->arena, "%s %s in %s", block.id, c->type, c->subnet);
		rc = candidate_try(s, c, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- the search --- */

/* {hours: 24, most: PRICE, after: DATE, before: DATE} */
static bool wish_valid(const struct hf_value *v)
{
	static const char *const keys[] = { "hours", "most", "after", "before" };
	if (!hf_is(v, HF_DICT) || !hf_is(hf_dict_get(v, "hours"), HF_INT))
		return false;
	HF_DICT_EACH (v, e) {
		bool known = false;
		for (size_t i = 0; i < HF_COUNT(keys); i++)
			known = known || hf_str_is(hf_entry_key(e)->u.string, keys[i]);
		if (!known)
			return false;
	}
	return true;
}

/* "spot", "on-demand", {reservation: id}, {capacity_block: id} or {capacity_block: {hours: …}}. */
static int market_read(
	struct search *s, const struct hf_value *v, struct candidate *ret, struct hf_error *err)
{
	*ret = (struct candidate){ 0 };
	if (hf_is(v, HF_STRING) && (hf_str_is(v->u.string, "spot") || hf_str_is(v->u.string, "on-demand"))) {
		ret->market = v->u.string.p;
		return 0;
	}
	if (hf_is(v, HF_DICT) && hf_dict_len(v) == 1) {
		ret->reservation = hf_dict_cstr(v, "reservation", NULL);
		ret->market = "reservation";
		if (ret->reservation == NULL) {
			ret->reservation = hf_dict_cstr(v, "capacity_block", NULL);
			ret->market = "capacity-block";
			if (wish_valid(hf_dict_get(v, "capacity_block")))
				ret->wish = hf_dict_get(v, "capacity_block");
		}
		if (ret->reservation != NULL || ret->wish != NULL)
			return 0;
	}
	return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v),
		"%s: Markets holds \"spot\", \"on-demand\", {reservation: ID}, {capacity_block: ID} and "
		"{capacity_block: {hours: N, most: PRICE, after: DATE, before: DATE}}",
		s->change->name);
}

/* One type of a market, in every subnet. */
static int type_try(struct search *s, const struct candidate *market, const char *type,
	const struct hf_value *subnets, struct hf_error *err)
{
	struct candidate c = *market;
	c.type = type;
	if (c.wish != NULL)
		return block_try(s, &c, subnets, err);
	for (size_t i = 0; i < hf_list_len(subnets) && s->have < s->wanted; i++) {
		c.subnet = hf_wire_text(s->arena, hf_list_at(subnets, i));
		c.name = hf_sprintf(s->arena, "%s %s in %s", c.reservation == NULL ? c.market : c.reservation,
			c.type, c.subnet);
		int rc = candidate_try(s, &c, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Every candidate once, in order. */
static int candidates_round(struct search *s, struct hf_error *err)
{
	const struct hf_value *markets = hf_dict_get(s->context, "Markets"),
			      *types = hf_dict_get(s->context, "InstanceTypes"),
			      *subnets = hf_dict_get(s->context, "SubnetIds");
	struct hf_value *usual = hf_value_list(s->arena);
	hf_list_append(usual, hf_value_cstr(s->arena, "on-demand"));
	if (markets == NULL)
		markets = usual;
	if (hf_list_len(markets) * hf_list_len(types) * hf_list_len(subnets) == 0)
		return hf_fail(err, HF_E_ARGUMENT, "Markets, InstanceTypes and SubnetIds cannot be empty");
	if (hf_list_len(markets) * hf_list_len(types) * hf_list_len(subnets) > CANDIDATES_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d candidates", CANDIDATES_MAX);
	for (size_t i = 0; i < hf_list_len(markets) && s->have < s->wanted; i++) {
		struct candidate market;
		int rc = market_read(s, hf_list_at(markets, i), &market, err);
		if (rc == 0 && s->change->spec->pooled)
			rc = fleet_try(s, &market, types, subnets, err);
		for (size_t k = 0;
			rc == 0 && !s->change->spec->pooled && k < hf_list_len(types) && s->have < s->wanted;
			k++)
			rc = type_try(s, &market, hf_wire_text(s->arena, hf_list_at(types, k)), subnets, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Those that start are waited for: one that dies at once is none. */
static int started_wait(struct search *s, struct observed *o, struct hf_error *err)
{
	uint64_t until = hf_time_monotonic_ms() + STARTING_MS;
	for (;;) {
		int rc = look(s, o, err);
		if (rc < 0 || !o->present ||
			strcmp(hf_dict_cstr(hf_dict_get(o->item, "instanceState"), "name", ""), "pending") !=
				0 ||
			hf_time_monotonic_ms() > until)
			return rc;
		hf_fiber_sleep(s->engine->fibers, 500);
	}
}

static int search_run(struct search *s, struct hf_error *err)
{
	uint64_t deadline = s->start_ms + 1000 * (uint64_t)count_of(s->context, "Deadline", 0);
	struct observed o;
	int rc = look(s, &o, err);
	while (rc == 0 && s->have < s->wanted) {
		rc = candidates_round(s, err);
		if (rc < 0 || s->have >= s->least || hf_time_monotonic_ms() + ROUND_MS > deadline)
			break;
		hf_fiber_sleep(s->engine->fibers, ROUND_MS);
	}
	if (rc == 0)
		rc = started_wait(s, &o, err);
	if (rc < 0 || s->have >= s->least)
		return rc;
	return hf_fail(err, HF_E_TASK, "there is capacity for %lld of at least %lld instances; last: %s",
		(long long)s->have, (long long)s->least, s->last == NULL ? "it did not stay" : s->last);
}

int capacity_search(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_state_doc *d, const struct hf_value *properties, struct hf_error *err)
{
	struct search s = { .engine = e,
		.arena = a,
		.change = change,
		.doc = d,
		.context = context_make(e, a, change->spec, d->name, properties, d->doc),
		.refused = hf_dict_get(d->doc, "refused"),
		.start_ms = hf_time_monotonic_ms() };
	s.wanted = count_of(s.context, "Count", 0);
	s.least = count_of(s.context, "AtLeast", s.wanted);
	if (!hf_is(s.refused, HF_DICT)) {
		s.refused = hf_value_dict(e->arena);
		hf_dict_put(d->doc, "refused", s.refused);
	}
	/* A token of an older search may name instances that are gone. */
	hf_dict_put(d->doc, "searches", hf_value_int(e->arena, hf_dict_int(d->doc, "searches", 0) + 1));
	int rc = hf_state_put(e->state, d, err);
	return rc < 0 ? rc : search_run(&s, err);
}

/* The search is its own intent: every instance carries it, and what a run before began is counted first. */
int capacity_create(struct hf_engine *e, struct hf_arena *a, const struct hf_change *change,
	struct hf_value *properties, struct hf_error *err)
{
	struct hf_state_doc *d = hf_state_make(e->state, change->name);
	uint64_t age = hf_time_monotonic_ms() - e->started_ms;
	if (hf_dict_get(d->doc, "intent") == NULL)
		resource_intent(e, d, change->spec, properties_hash(a, properties));
	else if (age < HF_ENGINE_SETTLE_MS)
		hf_fiber_sleep(e->fibers, (uint32_t)(HF_ENGINE_SETTLE_MS - age));
	hf_dict_put(d->doc, "id", hf_value_cstr(e->arena, hf_dict_cstr(d->doc, "intent", "")));
	hf_dict_put(d->doc, "status", hf_value_cstr(e->arena, "creating"));
	hf_dict_put(d->doc, "properties", hf_value_copy(e->arena, properties));
	resource_depends(e, d, change->resource);
	int rc = capacity_search(e, a, change, d, properties, err);
	if (rc < 0)
		return rc;
	const struct hf_value *context = context_make(e, a, change->spec, d->name, properties, d->doc);
	return resource_finish(e, a, change, d, context, properties, err);
}

/* Those beyond the wanted number, newest last as AWS lists them. */
struct hf_value *capacity_surplus(
	struct hf_arena *a, const struct hf_value *context, const struct observed *o)
{
	const struct hf_value *ids = hf_dict_get(o->outputs, "instance_ids");
	int64_t wanted = count_of(context, "Count", INT64_MAX);
	struct hf_value *out = hf_value_list(a);
	for (size_t i = 0; hf_is(ids, HF_LIST) && i < hf_list_len(ids); i++)
		if ((int64_t)i >= wanted)
			hf_list_append(out, hf_list_at(ids, i));
	return hf_list_len(out) == 0 ? NULL : out;
}

int capacity_found(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	struct hf_value *context, struct hf_error *err)
{
	struct observed o;
	int rc = resource_observe(e, a, spec, context, false, &o, err);
	if (rc < 0 || !o.present)
		return rc;
	hf_dict_put(context, "instance_ids", hf_dict_get(o.outputs, "instance_ids"));
	hf_dict_put(context, "fleet_ids", hf_dict_get(o.outputs, "fleet_ids"));
	return 0;
}
