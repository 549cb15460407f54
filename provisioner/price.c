/* The environment's price cap: what an hour of all its machines costs at most, by the prices the file gives
 * or looks up. Refused while planning, before anything is made. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "provisioner/resource.h"

enum { SUMS_MAX = 1200 };

struct pricing {
	struct hf_engine *engine;
	const struct hf_value *prices, *known, *pending;
	double total;
	struct hf_buf *sums; /* "host: 2 × p5.48xlarge = 196.64; …" */
};

static const struct hf_value *property_of(
	const struct pricing *p, const struct hf_resource *r, const char *name)
{
	struct hf_value *out = NULL;
	if (name == NULL || hf_property_render(p->engine->arena, p->engine->env, r, name, p->known,
				    p->pending, &out, NULL) < 0)
		return NULL;
	return hf_is(out, HF_UNDEFINED) ? NULL : out;
}

static int unknown(const struct hf_resource *r, const char *what, struct hf_error *err)
{
	return hf_fail_at(err, HF_E_UNDEFINED, r->pos,
		"%s: there is a max_hourly_price, and its %s is not known before apply", r->name, what);
}

static bool number_read(const char *text, double *ret)
{
	char *end;
	*ret = strtod(text, &end);
	return end != text && *end == '\0' && *ret >= 0;
}

/* Its own, or its launch template's. */
static const struct hf_value *types_of(
	const struct pricing *p, const struct hf_resource *r, const struct hf_value *rule)
{
	const struct hf_environment *env = p->engine->env;
	const struct hf_value *types = property_of(p, r, hf_dict_cstr(rule, "types", NULL));
	for (size_t i = 0; types == NULL && hf_dict_get(rule, "template") != NULL && i < r->depends.n; i++) {
		const struct hf_resource *t = &env->resources.at[r->depends.at[i]];
		if (strcmp(t->spec->type, "ec2.launch_template") == 0)
			types = property_of(p, t, "InstanceType");
	}
	return types;
}

/* The dearest of the types it may become. */
static int price_of(const struct pricing *p, const struct hf_resource *r, const struct hf_value *types,
	const char **ret_type, double *ret, struct hf_error *err)
{
	struct hf_arena *a = p->engine->arena;
	*ret = -1;
	for (size_t i = 0; i < (hf_is(types, HF_LIST) ? hf_list_len(types) : 1); i++) {
		const char *type = hf_wire_text(a, hf_is(types, HF_LIST) ? hf_list_at(types, i) : types);
		const struct hf_value *given = hf_dict_get(p->prices, type);
		double price;
		if (given == NULL || !number_read(hf_wire_text(a, given), &price))
			return hf_fail_at(err, HF_E_ARGUMENT, r->pos,
				"%s: there is a max_hourly_price, and prices does not say what an hour of %s "
				"costs",
				r->name, type);
		if (price > *ret) {
			*ret = price;
			*ret_type = type;
		}
	}
	return 0;
}

static int resource_price(struct pricing *p, const struct hf_resource *r, struct hf_error *err)
{
	const struct hf_value *rule = hf_dict_get(r->spec->doc, "costs"), *count = NULL;
	static const char *const counts[] = { "most", "count", "least" };
	const char *type = "";
	double price;
	if (rule == NULL)
		rule = hf_dict_get(r->spec->doc, "preflight");
	if (rule == NULL)
		return 0;
	const struct hf_value *types = types_of(p, r, rule);
	if (types == NULL)
		return unknown(r, "instance type", err);
	int rc = price_of(p, r, types, &type, &price, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; count == NULL && i < HF_COUNT(counts); i++) {
		const char *name = hf_dict_cstr(rule, counts[i], NULL);
		count = property_of(p, r, name);
		if (count == NULL && name != NULL && hf_dict_get(r->properties, name) != NULL)
			return unknown(r, name, err);
	}
	int64_t n = hf_is(count, HF_INT) ? count->u.integer : 1;
	p->total += price * (double)n;
	if (price * (double)n > 0)
		hf_buf_printf(p->sums, "%s%s: %lld × %s = %.2f", p->sums->n == 0 ? "" : "; ", r->name,
			(long long)n, type, price * (double)n);
	return 0;
}

int engine_price_check(struct hf_engine *e, const struct hf_value *known, const struct hf_value *pending,
	struct hf_error *err)
{
	hf_auto_buf sums = hf_buf_init(SUMS_MAX);
	struct pricing p = { .engine = e, .known = known, .pending = pending, .sums = &sums };
	struct hf_value *cap, *prices;
	double most;
	if (e->env->max_hourly_price == NULL)
		return 0;
	int rc = hf_root_render(e->arena, e->env, e->env->max_hourly_price, &cap, err);
	if (rc == 0)
		rc = hf_root_render(e->arena, e->env, e->env->prices, &prices, err);
	if (rc < 0)
		return hf_wrap(err, "max_hourly_price");
	if (hf_is(cap, HF_UNDEFINED) || hf_is(prices, HF_UNDEFINED) ||
		!number_read(hf_wire_text(e->arena, cap), &most))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(e->env->max_hourly_price),
			"max_hourly_price and prices are numbers, of variables and look-ups");
	p.prices = prices;
	for (size_t i = 0; rc == 0 && i < e->env->resources.n; i++)
		rc = resource_price(&p, &e->env->resources.at[i], err);
	if (rc < 0 || p.total <= most)
		return rc;
	return hf_fail_at(err, HF_E_DENIED, hf_value_pos(e->env->max_hourly_price),
		"an hour of %s would cost up to %.2f, more than max_hourly_price %.2f (%s)", e->env->name,
		p.total, most, sums.p == NULL ? "" : sums.p);
}
