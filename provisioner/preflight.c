/* Before anything is made: are the instance types to be had in the zones that are meant, and do the account's
 * quotas of vCPUs leave room? What cannot be asked (a missing permission, an endpoint that does not know) is
 * told and does not stop anybody; what is certain to fail does. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "provisioner/resource.h"

enum { PAGES_MAX = 20, TYPES_MAX = 100, CLASS_NAME_MAX = 8 };

/* What some machines need that a change makes. */
struct need {
	const char *name;
	struct hf_value *types, *zones; /* lists of texts; no zones: they are not known before they exist */
	int64_t count, least;
	bool spot, on_demand, other; /* markets; other: what is reserved or paid for already */
	bool replaces;               /* what runs of it goes first, and leaves its room */
};

struct flight {
	struct hf_engine *engine;
	struct hf_arena *arena;
	const struct hf_plan *plan;
	struct {
		struct need *at;
		size_t n, room;
	} needs;
	struct hf_value *types;  /* type → true, of all needs */
	struct hf_value *places; /* type → list of zones that have it */
	struct hf_value *vcpus;  /* type → number */
	struct hf_value *used;   /* quota → vCPUs of what runs; NULL: not known */
	struct hf_value *quotas; /* quota → its value; absent: not known */
	int rc;
	struct hf_error failure;
};

/* --- quotas --- */

/* First letters of a type → codes of its quotas of vCPUs (docs: "Amazon EC2 instance type quotas"). */
static const struct quota_row {
	const char *letters, *on_demand, *spot;
} quota_rows[] = {
	{ " a c d h i im is m r t z ", "L-1216C47A", "L-34B43A08" },
	{ " g gr vt ", "L-DB2E81BA", "L-3819A6DF" },
	{ " p ", "L-417A185B", "L-7212CCBC" },
	{ " inf ", "L-1945791B", "L-B5D1601B" },
	{ " trn ", "L-2C3B7624", "L-6B0D517C" },
	{ " dl ", "L-6E869C2A", "L-85EED4F7" },
	{ " f ", "L-74FC7D96", "L-88CF9481" },
	{ " x ", "L-7295265B", "L-E3A00192" },
};
static const char quota_spot_p5[] = "L-C4BD4855";

/* NULL: a class that is not known here. */
static const char *quota_of(struct hf_arena *a, const char *type, bool spot)
{
	size_t n = strcspn(type, "0123456789-.");
	if (spot && strncmp(type, "p5", 2) == 0)
		return quota_spot_p5;
	const char *word = n > CLASS_NAME_MAX ? "?" : hf_sprintf(a, " %.*s ", (int)n, type);
	for (size_t i = 0; i < HF_COUNT(quota_rows); i++)
		if (strstr(quota_rows[i].letters, word) != NULL)
			return spot ? quota_rows[i].spot : quota_rows[i].on_demand;
	return NULL;
}

/* --- what is needed --- */

static bool is_type(const struct hf_resource *r, const char *type)
{
	return strcmp(r->spec->type, type) == 0;
}

static const struct hf_value *property_of(struct flight *f, const struct hf_resource *r, const char *name,
	const struct hf_value *known, const struct hf_value *pending)
{
	struct hf_value *out = NULL;
	if (name == NULL ||
		hf_property_render(f->arena, f->engine->env, r, name, known, pending, &out, NULL) < 0)
		return NULL;
	return hf_is(out, HF_UNDEFINED) ? NULL : out; /* known after apply */
}

/* Instead of the id of what does not exist yet: a subnet's zone, a template's name. */
static struct hf_value *stand_in(struct flight *f, const struct hf_resource *r)
{
	struct hf_value *outputs = hf_value_dict(f->arena);
	const struct hf_value *zone = property_of(f, r, "AvailabilityZone", NULL, NULL);
	const char *text =
		is_type(r, "ec2.subnet")
			? hf_sprintf(f->arena, "zone:%s", zone == NULL ? "" : hf_wire_text(f->arena, zone))
			: hf_sprintf(f->arena, "template:%s", r->name);
	hf_dict_put(outputs, "id", hf_value_cstr(f->arena, text));
	return outputs;
}

/* What r speaks of, with stand-ins. */
static void known_make(
	struct flight *f, const struct hf_resource *r, struct hf_value *known, struct hf_value *pending)
{
	const struct hf_environment *env = f->engine->env;
	for (size_t i = 0; i < r->depends.n; i++) {
		const struct hf_resource *d = &env->resources.at[r->depends.at[i]];
		if (!is_type(d, "ec2.subnet") && !is_type(d, "ec2.launch_template")) {
			hf_dict_put(pending, d->base, hf_value_bool(f->arena, true));
			continue;
		}
		struct hf_value *outputs = stand_in(f, d), *all = hf_dict_get(known, d->base);
		if (d->each != NULL && all == NULL)
			hf_dict_put(known, d->base, all = hf_value_dict(f->arena));
		hf_dict_put(d->each == NULL ? known : all,
			d->each == NULL ? d->base : hf_dict_cstr(d->each, "key", ""), outputs);
	}
}

/* Texts of a value or a list, each split at its commas; those that begin with prefix, without it. false: some
 * do not. */
static bool texts_add(struct flight *f, const struct hf_value *v, const char *prefix, struct hf_value *out)
{
	bool all = true;
	for (size_t i = 0; v != NULL && i < (hf_is(v, HF_LIST) ? hf_list_len(v) : 1); i++) {
		struct hf_str rest = hf_str(hf_wire_text(f->arena, hf_is(v, HF_LIST) ? hf_list_at(v, i) : v)),
			      one;
		while (hf_str_split(&rest, ',', &one)) {
			bool fits = hf_str_starts(one, prefix) && one.n > strlen(prefix);
			all = all && fits;
			if (fits)
				hf_list_append(out, hf_value_str(f->arena, hf_strn(one.p + strlen(prefix),
										   one.n - strlen(prefix))));
		}
	}
	return all;
}

static void markets_read(struct need *need, const struct hf_value *v)
{
	static const char *const spot[] = { "spot", "SPOT" }, *const plain[] = { "on-demand", "ON_DEMAND" };
	size_t n = v == NULL ? 0 : hf_is(v, HF_LIST) ? hf_list_len(v) : 1;
	need->on_demand = n == 0;
	for (size_t i = 0; i < n; i++) {
		const struct hf_value *one = hf_is(v, HF_LIST) ? hf_list_at(v, i) : v;
		bool is_spot = false, is_plain = false;
		for (size_t k = 0; k < HF_COUNT(spot) && hf_is(one, HF_STRING); k++) {
			is_spot = is_spot || hf_str_is(one->u.string, spot[k]);
			is_plain = is_plain || hf_str_is(one->u.string, plain[k]);
		}
		need->spot = need->spot || is_spot;
		need->on_demand = need->on_demand || is_plain;
		need->other = need->other || (!is_spot && !is_plain);
	}
}

static int64_t number_of(const struct hf_value *v, int64_t other)
{
	return hf_is(v, HF_INT) ? v->u.integer : other;
}

static void need_read(
	struct flight *f, const struct hf_resource *r, const struct hf_value *rule, bool replaces)
{
	struct hf_value *known = hf_value_dict(f->arena), *pending = hf_value_dict(f->arena);
	struct hf_value *templates = hf_value_list(f->arena);
	struct need need = { .name = r->name,
		.types = hf_value_list(f->arena),
		.zones = hf_value_list(f->arena),
		.replaces = replaces };
	known_make(f, r, known, pending);
#define PROPERTY(key) property_of(f, r, hf_dict_cstr(rule, key, NULL), known, pending)
	texts_add(f, PROPERTY("types"), "", need.types);
	texts_add(f, PROPERTY("template"), "template:", templates);
	for (size_t i = 0; hf_list_len(need.types) == 0 && i < hf_list_len(templates); i++) {
		const struct hf_resource *t =
			hf_environment_find(f->engine->env, hf_list_at(templates, i)->u.string.p);
		if (t != NULL)
			texts_add(f, property_of(f, t, "InstanceType", NULL, pending), "", need.types);
	}
	if (!texts_add(f, PROPERTY("zones"), "zone:", need.zones)) /* one subnet may be anywhere */
		need.zones = hf_value_list(f->arena);
	texts_add(f, PROPERTY("zone"), "", need.zones);
	need.least = number_of(PROPERTY("least"), -1);
	need.count = number_of(PROPERTY("count"), need.least >= 0 ? need.least : 1);
	if (need.least < 0 || need.least > need.count)
		need.least = need.count;
	markets_read(&need, PROPERTY("markets"));
#undef PROPERTY
	for (size_t i = 0; i < hf_list_len(need.types); i++)
		hf_dict_set(f->types, hf_list_at(need.types, i), hf_value_bool(f->arena, true));
	if (hf_list_len(need.types) > 0)
		*hf_vec_push(f->arena, &f->needs) = need;
}

static void needs_collect(struct flight *f)
{
	for (size_t i = 0; i < f->plan->changes.n; i++) {
		const struct hf_change *c = &f->plan->changes.at[i];
		const struct hf_value *rule = hf_dict_get(c->spec->doc, "preflight");
		if (rule != NULL && c->resource != NULL &&
			(c->action == HF_CREATE || c->action == HF_REPLACE))
			need_read(f, c->resource, rule, c->action == HF_REPLACE);
	}
}

/* --- what AWS says --- */

/* One look-up; false: it could not be asked, which is told. */
static bool ask(struct flight *f, const char *type, const struct hf_value *context, struct reply *reply)
{
	const struct hf_spec *spec = hf_spec_find(f->engine->env->specs, type);
	struct hf_error why = { 0 };
	char text[HF_ERROR_TEXT_MAX];
	if (engine_call(f->engine, f->arena, spec, spec->read, context, reply, &why) == 0)
		return true;
	resource_tell(f->engine, f->needs.at[0].name, HF_CREATE,
		hf_sprintf(f->arena, "not checked beforehand: %s", hf_error_print(&why, text, sizeof(text))));
	return false;
}

static struct hf_value *types_context(struct flight *f)
{
	struct hf_value *context = hf_value_dict(f->arena), *list = hf_value_list(f->arena);
	HF_DICT_EACH (f->types, e)
		if (hf_list_len(list) < TYPES_MAX)
			hf_list_append(list, hf_entry_key(e));
	hf_dict_put(context, "InstanceTypes", list);
	return context;
}

static void places_ask(struct flight *f)
{
	struct reply reply;
	if (hf_dict_len(f->types) > TYPES_MAX || !ask(f, "ec2.offerings", types_context(f), &reply))
		return;
	struct hf_value *items = hf_wire_items(f->arena, reply.doc, "instanceTypeOfferingSet.item");
	if (hf_dict_cstr(reply.doc, "nextToken", "")[0] != '\0')
		return; /* what is not on this page may be on the next */
	f->places = hf_value_dict(f->arena);
	for (size_t i = 0; i < hf_list_len(items); i++) {
		const char *type = hf_dict_cstr(hf_list_at(items, i), "instanceType", "");
		struct hf_value *zones = hf_dict_get(f->places, type);
		if (zones == NULL)
			hf_dict_put(f->places, type, zones = hf_value_list(f->arena));
		hf_list_append(
			zones, hf_value_cstr(f->arena, hf_dict_cstr(hf_list_at(items, i), "location", "")));
	}
}

static void vcpus_ask(struct flight *f)
{
	struct reply reply;
	if (!ask(f, "ec2.instance_types", types_context(f), &reply))
		return;
	struct hf_value *items = hf_wire_items(f->arena, reply.doc, "instanceTypeSet.item");
	for (size_t i = 0; i < hf_list_len(items); i++) {
		const struct hf_value *n =
			hf_wire_at(f->arena, hf_list_at(items, i), "vCpuInfo.defaultVCpus");
		if (n != NULL)
			hf_dict_put(f->vcpus, hf_dict_cstr(hf_list_at(items, i), "instanceType", ""),
				hf_value_int(f->arena, strtoll(hf_wire_text(f->arena, n), NULL, 10)));
	}
}

static void add(struct flight *f, struct hf_value *sums, const char *key, int64_t n)
{
	hf_dict_put(sums, key, hf_value_int(f->arena, hf_dict_int(sums, key, 0) + n));
}

static void used_count(struct flight *f, struct hf_value *item)
{
	const struct hf_value *cores = hf_wire_at(f->arena, item, "cpuOptions.coreCount"),
			      *threads = hf_wire_at(f->arena, item, "cpuOptions.threadsPerCore");
	bool spot = strcmp(hf_dict_cstr(item, "instanceLifecycle", ""), "spot") == 0;
	const char *type = hf_dict_cstr(item, "instanceType", ""), *quota = quota_of(f->arena, type, spot);
	int64_t n = hf_dict_int(f->vcpus, type, 0);
	if (n == 0 && cores != NULL && threads != NULL)
		n = strtoll(hf_wire_text(f->arena, cores), NULL, 10) *
		    strtoll(hf_wire_text(f->arena, threads), NULL, 10);
	if (quota != NULL)
		add(f, f->used, quota, n);
}

static void used_ask(struct flight *f)
{
	struct hf_value *context = hf_value_dict(f->arena);
	f->used = hf_value_dict(f->arena);
	for (int page = 0; page < PAGES_MAX; page++) {
		struct reply reply;
		if (!ask(f, "ec2.running", context, &reply))
			return;
		struct hf_value *items =
			hf_wire_items(f->arena, reply.doc, "reservationSet.item[].instancesSet.item");
		for (size_t i = 0; i < hf_list_len(items); i++)
			used_count(f, hf_list_at(items, i));
		struct hf_value *next = hf_dict_get(reply.doc, "nextToken");
		if (next == NULL || hf_wire_text(f->arena, next)[0] == '\0')
			return;
		hf_dict_put(context, "NextToken", next);
	}
}

/* <0: not known. */
static double quota_ask(struct flight *f, const char *code)
{
	struct hf_value *known = hf_dict_get(f->quotas, code), *context = hf_value_dict(f->arena);
	struct reply reply;
	if (known == NULL) {
		hf_dict_put(context, "ServiceCode", hf_value_cstr(f->arena, "ec2"));
		hf_dict_put(context, "QuotaCode", hf_value_cstr(f->arena, code));
		known = ask(f, "servicequotas.quota", context, &reply)
				? hf_wire_at(f->arena, reply.doc, "Quota.Value")
				: NULL;
		if (known == NULL)
			known = hf_value_cstr(f->arena, "-1");
		hf_dict_put(f->quotas, code, known);
	}
	return strtod(hf_wire_text(f->arena, known), NULL);
}

/* --- whether it fits --- */

static bool list_has(const struct hf_value *list, const struct hf_value *text)
{
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++)
		if (hf_value_equal(hf_list_at(list, i), text))
			return true;
	return false;
}

static const char *joined(struct hf_arena *a, const struct hf_value *list)
{
	const char *out = "";
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++)
		out = hf_sprintf(a, "%s%s%s", out, i > 0 ? ", " : "", hf_wire_text(a, hf_list_at(list, i)));
	return out;
}

/* Some type is to be had in some zone; the others are told of. */
static int places_check(struct flight *f, const struct need *need, struct hf_error *err)
{
	const char *first = NULL;
	bool some = false;
	for (size_t i = 0; i < hf_list_len(need->types); i++) {
		const char *type = hf_list_at(need->types, i)->u.string.p;
		const struct hf_value *there = hf_dict_get(f->places, type);
		size_t missing = 0;
		for (size_t k = 0; k < hf_list_len(need->zones); k++)
			missing += !list_has(there, hf_list_at(need->zones, k));
		if (there != NULL && missing < hf_list_len(need->zones) + (hf_list_len(need->zones) == 0))
			some = true;
		if (there != NULL && missing == 0)
			continue;
		const char *text =
			there == NULL
				? hf_sprintf(
					  f->arena, "%s is offered in no zone of %s", type, f->engine->region)
				: hf_sprintf(f->arena, "%s is not offered everywhere in %s; it is in %s",
					  type, joined(f->arena, need->zones), joined(f->arena, there));
		resource_tell(f->engine, need->name, HF_CREATE, text);
		first = first == NULL ? text : first;
	}
	return some ? 0 : hf_fail(err, HF_E_UNSUPPORTED, "%s: %s", need->name, first);
}

static int64_t left_of(struct flight *f, const char *code)
{
	double quota = quota_ask(f, code);
	return quota < 0 ? INT32_MAX : (int64_t)quota - hf_dict_int(f->used, code, 0);
}

/* quota → vCPUs of the smallest type that counts against it; false: that is not known of some type. */
static bool smallest_collect(struct flight *f, const struct need *need, struct hf_value *smallest)
{
	for (size_t i = 0; i < hf_list_len(need->types) * 2; i++) {
		bool spot = i % 2 == 1;
		const char *type = hf_list_at(need->types, i / 2)->u.string.p;
		const char *code = quota_of(f->arena, type, spot);
		int64_t n = hf_dict_int(f->vcpus, type, 0);
		if (spot ? !need->spot : !need->on_demand)
			continue;
		if (code == NULL || n == 0)
			return false;
		int64_t least = hf_dict_int(smallest, code, n);
		hf_dict_put(smallest, code, hf_value_int(f->arena, n < least ? n : least));
	}
	return true;
}

/* A search has room for so many: in each quota as many of its smallest type as fit. */
static int choice_check(struct flight *f, const struct need *need, struct hf_error *err)
{
	struct hf_value *smallest = hf_value_dict(f->arena);
	const char *codes = "";
	int64_t room = 0;
	if (need->other || !smallest_collect(f, need, smallest))
		return 0; /* it may fit */
	HF_DICT_EACH (smallest, e) {
		const char *code = hf_entry_key(e)->u.string.p;
		int64_t left = left_of(f, code);
		room += left <= 0 ? 0 : left / hf_entry_value(e)->u.integer;
		codes = hf_sprintf(f->arena, "%s%s%s: %lld vCPUs left", codes, codes[0] == '\0' ? "" : ", ",
			code, (long long)(left < 0 ? 0 : left));
	}
	if (room >= need->least)
		return 0;
	return hf_fail(err, HF_E_DENIED,
		"%s: the account's quotas leave room for %lld of at least %lld instances (%s): ask for more "
		"at Service "
		"Quotas",
		need->name, (long long)room, (long long)need->least, codes);
}

static int quotas_check(struct flight *f, struct hf_error *err)
{
	struct hf_value *wanted = hf_value_dict(f->arena), *names = hf_value_dict(f->arena);
	for (size_t i = 0; i < f->needs.n; i++) {
		const struct need *need = &f->needs.at[i];
		if (need->replaces)
			continue;
		if (hf_list_len(need->types) > 1 || need->spot + need->on_demand + need->other != 1) {
			int rc = choice_check(f, need, err);
			if (rc < 0)
				return rc;
			continue;
		}
		const char *type = hf_list_at(need->types, 0)->u.string.p;
		const char *code = need->other ? NULL : quota_of(f->arena, type, need->spot);
		if (code == NULL)
			continue;
		add(f, wanted, code, need->least * hf_dict_int(f->vcpus, type, 0));
		hf_dict_put(names, code,
			hf_value_cstr(f->arena,
				hf_sprintf(f->arena, "%s%s%s (%lld x %s)", hf_dict_cstr(names, code, ""),
					hf_dict_get(names, code) == NULL ? "" : ", ", need->name,
					(long long)need->least, type)));
	}
	HF_DICT_EACH (wanted, e) {
		const char *code = hf_entry_key(e)->u.string.p;
		double quota = quota_ask(f, code);
		int64_t n = hf_entry_value(e)->u.integer, used = hf_dict_int(f->used, code, 0);
		if (quota >= 0 && (double)(used + n) > quota)
			return hf_fail(err, HF_E_DENIED,
				"%s: %lld vCPUs are needed, and the account's quota %s is %.0f, of which "
				"%lld are in use: "
				"ask for more at Service Quotas",
				hf_dict_cstr(names, code, ""), (long long)n, code, quota, (long long)used);
	}
	return 0;
}

static void flight_run(void *data)
{
	struct flight *f = data;
	places_ask(f);
	for (size_t i = 0; f->rc == 0 && f->places != NULL && i < f->needs.n; i++)
		f->rc = places_check(f, &f->needs.at[i], &f->failure);
	if (f->rc < 0)
		return;
	vcpus_ask(f);
	used_ask(f);
	f->rc = quotas_check(f, &f->failure);
}

int engine_preflight(struct hf_engine *e, const struct hf_plan *plan, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct flight f = { .engine = e, .arena = a, .plan = plan };
	f.types = hf_value_dict(a);
	f.vcpus = hf_value_dict(a);
	f.quotas = hf_value_dict(a);
	needs_collect(&f);
	if (f.needs.n == 0)
		return 0;
	int rc = hf_fiber_start(e->fibers, flight_run, &f, err);
	if (rc == 0)
		rc = hf_fibers_run(e->fibers, err);
	if (rc == 0 && f.rc < 0 && err != NULL)
		*err = f.failure;
	return rc < 0 ? rc : f.rc;
}
