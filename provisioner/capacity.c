/* At least N of M instances: markets × types × subnets in the order of the file, until there are enough. What
 * was refused is not asked for again for three minutes. Nothing is ever bought: a reservation or a capacity
 * block is named by its id. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "provisioner/resource.h"

enum { REFUSED_MS = 180000, CANDIDATES_MAX = 2000, ROUND_MS = 5000, STARTING_MS = 300000 };

struct search {
	struct hf_engine *engine;
	struct hf_arena *arena;
	const struct hf_change *change;
	struct hf_state_doc *doc;
	struct hf_value *context;
	struct hf_value *refused; /* of the document: candidate → when, in ms */
	const char *last;         /* why the last candidate was passed over */
	int64_t have, wanted, least;
	uint64_t start_ms;
};

struct candidate {
	const char *market, *reservation, *type, *subnet, *name;
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

/* What there is of it. The number is the wanted one as long as it is enough. */
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
	int64_t n = (int64_t)hf_list_len(ids), wanted = count_of(context, "Count", n);
	bool enough = n <= wanted && n >= count_of(context, "AtLeast", wanted);
	hf_dict_put(o->values, "Count", hf_value_int(a, enough ? wanted : n));
	hf_dict_put(o->outputs, "instance_ids", ids);
	hf_dict_put(o->outputs, "private_ips", ips);
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
static bool means_elsewhere(const struct reply *reply)
{
	static const char *const codes[] = { "InsufficientInstanceCapacity", "InsufficientHostCapacity",
		"InsufficientReservedInstanceCapacity", "ReservationCapacityExceeded",
		"MaxSpotInstanceCountExceeded", "VcpuLimitExceeded", "InstanceLimitExceeded",
		"UnfulfillableCapacity", "Unsupported", "InsufficientFreeAddressesInSubnet",
		"SpotMaxPriceTooLow", "InvalidCapacityReservationId.NotFound" };
	for (size_t i = 0; i < HF_COUNT(codes); i++)
		if (reply->code != NULL && strcmp(codes[i], reply->code) == 0)
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

static const char *objection(const struct search *s, const struct candidate *c)
{
	const struct hf_value *when = hf_dict_get(s->refused, c->name);
	int64_t age = when == NULL ? REFUSED_MS : hf_time_now_ms() - when->u.integer;
	if (age >= 0 && age < REFUSED_MS)
		return hf_sprintf(s->arena, "refused %lld s ago", (long long)(age / 1000));
	return price_objection(s, c);
}

/* The request of one candidate has a token of its own: another must not carry it. */
static void candidate_context(const struct search *s, const struct candidate *c, struct hf_value *context)
{
	struct hf_arena *a = s->arena;
	int64_t missing = s->wanted - s->have;
	struct hf_digest digest =
		hf_sha256(hf_str(hf_sprintf(a, "%s|%s|%lld|%lld", hf_dict_cstr(s->context, "intent", ""),
			c->name, (long long)missing, (long long)hf_dict_int(s->doc->doc, "searches", 0))));
	char hex[HF_SHA256_HEX];
	hf_digest_hex(&digest, hex);
	hf_dict_put(context, "token", hf_value_cstr(a, hf_sprintf(a, "hf-%.40s", hex)));
	hf_dict_put(context, "missing", hf_value_int(a, missing));
	hf_dict_put(context, "instance_type", hf_value_cstr(a, c->type));
	hf_dict_put(context, "subnet", hf_value_cstr(a, c->subnet));
	if (strcmp(c->market, "spot") == 0 || strcmp(c->market, "capacity-block") == 0)
		hf_dict_put(context, "market", hf_value_cstr(a, c->market));
	if (strcmp(c->market, "spot") == 0 && hf_dict_get(context, "MaxPrice") != NULL)
		hf_dict_put(context, "spot_price", hf_dict_get(context, "MaxPrice"));
	if (c->reservation != NULL)
		hf_dict_put(context, "reservation", hf_value_cstr(a, c->reservation));
}

static int candidate_try(struct search *s, const struct candidate *c, struct hf_error *err)
{
	struct hf_engine *e = s->engine;
	const char *why = objection(s, c);
	struct hf_value *context = hf_value_shallow(s->arena, s->context);
	struct hf_error refusal = { 0 };
	struct reply reply;
	struct observed o;
	if (why != NULL) {
		s->last = hf_sprintf(s->arena, "%s: %s", c->name, why);
		tell(s, c, why);
		return 0;
	}
	candidate_context(s, c, context);
	int rc =
		engine_call(e, s->arena, s->change->spec, s->change->spec->create, context, &reply, &refusal);
	if (rc < 0 && !means_elsewhere(&reply)) {
		if (err != NULL)
			*err = refusal;
		return rc;
	}
	if (rc < 0) {
		why = hf_sprintf(s->arena, "%s: %s", reply.code, reply.message == NULL ? "" : reply.message);
		s->last = hf_sprintf(s->arena, "%s: %s", c->name, why);
		hf_dict_put(
			s->refused, hf_strdup(e->arena, c->name), hf_value_int(e->arena, hf_time_now_ms()));
		tell(s, c, why);
		return hf_state_put(e->state, s->doc, err);
	}
	s->have += (int64_t)hf_list_len(hf_wire_items(s->arena, reply.doc, "instancesSet.item"));
	return s->have < s->wanted ? 0 : look(s, &o, err);
}

/* "spot", "on-demand", {reservation: id} or {capacity_block: id}. */
static int market_read(
	struct search *s, const struct hf_value *v, struct candidate *ret, struct hf_error *err)
{
	ret->reservation = NULL;
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
		}
		if (ret->reservation != NULL)
			return 0;
	}
	return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v),
		"%s: Markets holds \"spot\", \"on-demand\", {reservation: ID} and {capacity_block: ID}",
		s->change->name);
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
	size_t n = hf_list_len(markets) * hf_list_len(types) * hf_list_len(subnets);
	if (n > CANDIDATES_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d candidates", CANDIDATES_MAX);
	for (size_t i = 0; i < n && s->have < s->wanted; i++) {
		size_t below = hf_list_len(types) * hf_list_len(subnets);
		struct candidate c;
		int rc = market_read(s, hf_list_at(markets, i / below), &c, err);
		if (rc < 0)
			return rc;
		c.type = hf_wire_text(s->arena, hf_list_at(types, i % below / hf_list_len(subnets)));
		c.subnet = hf_wire_text(s->arena, hf_list_at(subnets, i % hf_list_len(subnets)));
		c.name = hf_sprintf(s->arena, "%s %s in %s", c.reservation == NULL ? c.market : c.reservation,
			c.type, c.subnet);
		rc = candidate_try(s, &c, err);
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
