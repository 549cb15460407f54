#include "provisioner/environment.h"

#include <stdio.h>
#include <string.h>

#include "lib/data/schema.h"
#include "lib/data/yaml.h"
#include "provisioner/bootstrap.h"
#include "provisioner/scope.h"

struct header {
	const char *environment, *region, *state;
	struct hf_value *variables, *tags, *outputs, *accounts, *resources, *bootstrap, *data, *modules,
		*max_hourly_price, *prices;
};

static const struct hf_arg header_args[] = {
	{ "environment", HF_ARG_STR, offsetof(struct header, environment), .flags = HF_REQUIRED },
	{ "region", HF_ARG_STR, offsetof(struct header, region) },
	{ "state", HF_ARG_STR, offsetof(struct header, state) },
	{ "variables", HF_ARG_DICT, offsetof(struct header, variables) },
	{ "tags", HF_ARG_DICT, offsetof(struct header, tags) },
	{ "outputs", HF_ARG_DICT, offsetof(struct header, outputs) },
	{ "bootstrap", HF_ARG_DICT, offsetof(struct header, bootstrap) },
	{ "data", HF_ARG_DICT, offsetof(struct header, data) },
	{ "max_hourly_price", HF_ARG_RAW, offsetof(struct header, max_hourly_price) },
	{ "prices", HF_ARG_DICT, offsetof(struct header, prices) },
	{ "modules", HF_ARG_DICT, offsetof(struct header, modules) },
	{ "accounts", HF_ARG_LIST, offsetof(struct header, accounts), .elements = HF_ARG_STR },
	{ "resources", HF_ARG_DICT, offsetof(struct header, resources) },
	{ .type = HF_ARG_END },
};
static const struct hf_schema header_schema = { header_args, NULL, sizeof(struct header) };

struct row {
	const char *type;
	struct hf_value *properties, *for_each, *depends_on, *bootstrap;
	enum hf_tristate prevent_destroy, force_destroy;
};

static const struct hf_arg row_args[] = {
	{ "type", HF_ARG_STR, offsetof(struct row, type), .flags = HF_REQUIRED },
	{ "properties", HF_ARG_DICT, offsetof(struct row, properties) },
	{ "for_each", HF_ARG_RAW, offsetof(struct row, for_each) },
	{ "bootstrap", HF_ARG_RAW, offsetof(struct row, bootstrap) },
	{ "depends_on", HF_ARG_LIST, offsetof(struct row, depends_on), .elements = HF_ARG_STR },
	{ "prevent_destroy", HF_ARG_BOOL, offsetof(struct row, prevent_destroy) },
	{ "force_destroy", HF_ARG_BOOL, offsetof(struct row, force_destroy) },
	{ .type = HF_ARG_END },
};
static const struct hf_schema row_schema = { row_args, NULL, sizeof(struct row) };

/* Names become keys of the state and names in templates. */
bool hf_name_valid(struct hf_str s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	return s.n > 0 && s.n <= HF_RESOURCE_NAME_MAX && strspn(s.p, letters) == s.n &&
	       (s.p[0] < '0' || s.p[0] > '9');
}

bool hf_key_valid(struct hf_str s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-";
	return s.n > 0 && s.n <= HF_RESOURCE_NAME_MAX && strspn(s.p, letters) == s.n;
}

/* --- resources --- */

/* What its machines start with stands in the properties as a dict, until it is rendered: what is given here;
 * the environment's part is added then, because its templates see the environment's names. */
static int bootstrap_add(struct hf_arena *a, const struct hf_environment *env, struct hf_resource *r,
	const struct hf_value *given, struct hf_error *err)
{
	const struct hf_value *rule = hf_dict_get(r->spec->doc, "bootstrap");
	const char *property = hf_dict_cstr(rule, "property", "");
	if (rule == NULL)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(given), "%s: %s makes no hosts", r->name,
			r->spec->type);
	if (env->bootstrap == NULL)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(given),
			"%s: the file has no part bootstrap, which says where hosts find their package",
			r->name);
	if (hf_dict_get(r->properties, property) != NULL)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(given),
			"%s: bootstrap makes %s; it cannot be given as well", r->name, property);
	struct hf_value *own = hf_value_dict(a), *parts = hf_value_shallow(a, env->bootstrap);
	hf_dict_put(own, "kind", hf_value_cstr(a, hf_dict_cstr(rule, "kind", "user-data")));
	if (hf_is(given, HF_STRING))
		hf_dict_put(own, "fleet", (struct hf_value *)(uintptr_t)given);
	else if (hf_is(given, HF_DICT))
		HF_DICT_EACH (given, e)
			hf_dict_set(own, hf_entry_key(e), hf_entry_value(e));
	HF_DICT_EACH (own, e) {
		hf_dict_set(parts, hf_entry_key(e), hf_entry_value(e));
	}
	r->bootstrap = property;
	r->properties = hf_value_shallow(a, r->properties);
	hf_dict_put(r->properties, property, hf_value_at(own, hf_value_pos(given)));
	return hf_bootstrap_names(hf_value_at(parts, hf_value_pos(given)), err);
}

/* Its full names, in the tag of every resource and in the state. */
static int resource_names(struct hf_arena *a, const struct hf_scope *s, const struct hf_value *key,
	const struct hf_item *item, struct hf_resource *r, struct hf_error *err)
{
	r->base = hf_sprintf(a, "%s%s", s->prefix, key->u.string.p);
	r->name = r->base;
	if (item != NULL)
		r->name = hf_sprintf(a, "%s.%s", r->base, item->key == NULL ? "*" : item->key);
	r->each = item == NULL ? NULL : item->each;
	r->unexpanded = s->unexpanded || (item != NULL && item->key == NULL);
	if (strlen(r->name) > HF_FULL_NAME_MAX)
		return hf_fail_at(
			err, HF_E_LIMIT, r->pos, "%s: its name is longer than %d", r->name, HF_FULL_NAME_MAX);
	return 0;
}

static int resource_spec(
	const struct hf_environment *env, const char *type, struct hf_resource *r, struct hf_error *err)
{
	r->spec = hf_spec_find(env->specs, type);
	if (r->spec != NULL && r->spec->lookup)
		return hf_fail_at(err, HF_E_ARGUMENT, r->pos,
			"%s: %s is looked up, not made: it belongs under data", r->name, type);
	if (r->spec != NULL)
		return 0;
	const char *near = hf_spec_nearest(env->specs, type);
	return hf_fail_at(err, HF_E_ARGUMENT, r->pos, "%s: there is no type \"%s\"%s%s%s", r->name, type,
		near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near, near == NULL ? "" : "\"?");
}

static int resource_add(struct hf_arena *a, struct hf_environment *env, const struct hf_scope *s,
	const struct hf_value *key, const struct row *row, const struct hf_item *item, struct hf_error *err)
{
	struct hf_resource r = {
		.scope = s,
		.properties = row->properties == NULL ? hf_value_dict(a) : row->properties,
		.depends_on = row->depends_on,
		.for_each = row->for_each,
		.prevent_destroy = row->prevent_destroy == HF_YES,
		.force_destroy = row->force_destroy == HF_YES,
		.pos = hf_value_pos(key),
	};
	int rc = resource_names(a, s, key, item, &r, err);
	if (rc == 0)
		rc = resource_spec(env, row->type, &r, err);
	if (rc == 0 && r.force_destroy && hf_dict_get(r.spec->doc, "empty") == NULL)
		rc = hf_fail_at(err, HF_E_ARGUMENT, r.pos,
			"%s: force_destroy empties what must be empty to go; %s holds nothing of that kind",
			r.name, row->type);
	if (rc == 0 && row->bootstrap != NULL)
		rc = bootstrap_add(a, env, &r, row->bootstrap, err);
	if (rc < 0)
		return rc;
	if (env->resources.n >= HF_RESOURCES_MAX)
		return hf_fail_at(err, HF_E_LIMIT, r.pos, "more than %d resources", HF_RESOURCES_MAX);
	env->n_unexpanded += r.unexpanded;
	*hf_vec_push(a, &env->resources) = r;
	hf_map_set(&env->names, r.name, hf_number_pack(env->resources.n - 1));
	if (hf_map_get(&env->bases, r.base) == NULL)
		hf_map_set(&env->bases, r.base, hf_number_pack(env->resources.n - 1));
	return hf_properties_check(&r, err);
}

/* --- for_each --- */

static int item_add(struct hf_arena *a, struct hf_value *for_each, struct hf_value *name,
	struct hf_value *value, const char *what, struct hf_items *ret, struct hf_error *err)
{
	struct hf_value *text = hf_value_str(a, hf_value_text(a, name)), *each = hf_value_dict(a);
	if (!hf_key_valid(text->u.string))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(for_each),
			"%s: \"%s\" of for_each is no name: letters, digits, _ and - only", what,
			text->u.string.p);
	hf_dict_put(each, "key", text);
	hf_dict_put(each, "value", value);
	*hf_vec_push(a, ret) = (struct hf_item){ text->u.string.p, each };
	return 0;
}

/* One that stands for all, so that what is written of it can be checked. */
static void item_unknown(struct hf_arena *a, struct hf_items *ret)
{
	struct hf_value *each = hf_value_dict(a);
	hf_dict_put(each, "key", hf_value_cstr(a, "*"));
	hf_dict_put(each, "value", hf_value_undefined(a, "known after it is looked up"));
	*hf_vec_push(a, ret) = (struct hf_item){ NULL, each };
}

/* Two of one name would be made twice, and known once. */
static int items_differ(struct hf_arena *a, const struct hf_items *items, const struct hf_value *for_each,
	const char *what, struct hf_error *err)
{
	struct hf_value *seen = hf_value_dict(a);
	for (size_t i = 0; i < items->n; i++) {
		const char *key = items->at[i].key;
		if (key != NULL && hf_dict_get(seen, key) != NULL)
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(for_each),
				"%s: for_each has \"%s\" twice", what, key);
		if (key != NULL)
			hf_dict_put(seen, key, items->at[i].each);
	}
	return 0;
}

int hf_each_items(struct hf_arena *a, const struct hf_environment *env, const struct hf_scope *s,
	struct hf_value *for_each, const char *what, struct hf_items *ret, struct hf_error *err)
{
	struct hf_value *items;
	const char *waits;
	bool look;
	int rc = hf_value_render_early(a, env, s, for_each, &items, &waits, &look, err);
	if (rc < 0)
		return hf_wrap(err, "%s: for_each", what);
	if (waits != NULL && look) {
		item_unknown(a, ret);
		return 0;
	}
	if (waits != NULL)
		return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(for_each),
			"%s: its for_each speaks of %s, which is not known before apply: it can go over "
			"variables, inputs and look-ups only",
			what, waits);
	if (!hf_is_sequence(items) && !hf_is(items, HF_DICT))
		return hf_fail_at(
			err, HF_E_ARGUMENT, hf_value_pos(for_each), "%s: for_each is a list or a dict", what);
	for (size_t i = 0; rc == 0 && hf_is_sequence(items) && i < hf_list_len(items); i++)
		rc = item_add(a, for_each, hf_list_at(items, i), hf_list_at(items, i), what, ret, err);
	if (hf_is(items, HF_DICT))
		HF_DICT_EACH (items, e)
			rc = rc < 0 ? rc
				    : item_add(a, for_each, hf_entry_key(e), hf_entry_value(e), what, ret,
					      err);
	return rc < 0 ? rc : items_differ(a, ret, for_each, what, err);
}

/* --- what a file holds --- */

/* Names that mean something else in templates. */
static int name_free(const struct hf_scope *s, const struct hf_value *key, bool look, struct hf_error *err)
{
	static const char *const taken[] = { "module", "each", "environment", "region" };
	const char *name = key->u.string.p, *as = NULL;
	for (size_t i = 0; i < HF_COUNT(taken); i++)
		if (strcmp(taken[i], name) == 0)
			as = "a word of the language";
	if (look && hf_dict_get(s->variables, name) != NULL)
		as = "a variable";
	if (look && hf_dict_get(s->resources, name) != NULL)
		as = "a resource";
	if (hf_dict_get(s->declared, name) != NULL)
		as = "an input";
	if (hf_dict_get(s->unlooked, name) != NULL)
		as = "a look-up";
	return as == NULL ? 0
			  : hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key), "%s is %s as well", name, as);
}

static int resource_read(struct hf_arena *a, struct hf_environment *env, const struct hf_scope *s,
	struct hf_value *key, struct hf_value *v, struct hf_error *err)
{
	struct row row;
	struct hf_items items = { 0 };
	if (!hf_is(key, HF_STRING) || !hf_name_valid(key->u.string))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"a resource is named with letters, digits and _");
	if (!hf_is(v, HF_DICT))
		return hf_fail_at(
			err, HF_E_ARGUMENT, hf_value_pos(key), "%s: a resource is a dict", key->u.string.p);
	int rc = hf_schema_bind(a, &row_schema, v, key->u.string.p, &row, NULL, err);
	if (rc < 0)
		return hf_error_set_pos(err, hf_value_pos(key));
	rc = name_free(s, key, false, err);
	if (rc < 0)
		return rc;
	if (row.for_each == NULL)
		return resource_add(a, env, s, key, &row, NULL, err);
	rc = hf_each_items(a, env, s, row.for_each, key->u.string.p, &items, err);
	for (size_t i = 0; rc == 0 && i < items.n; i++)
		rc = resource_add(a, env, s, key, &row, &items.at[i], err);
	return rc;
}

/* --- look-ups --- */

struct lookup_row {
	const char *type;
	struct hf_value *properties;
};

static const struct hf_arg lookup_args[] = {
	{ "type", HF_ARG_STR, offsetof(struct lookup_row, type), .flags = HF_REQUIRED },
	{ "properties", HF_ARG_DICT, offsetof(struct lookup_row, properties) },
	{ .type = HF_ARG_END },
};
static const struct hf_schema lookup_schema = { lookup_args, NULL, sizeof(struct lookup_row) };

static int lookup_read(struct hf_arena *a, struct hf_environment *env, struct hf_scope *s,
	const struct hf_value *key, struct hf_value *v, struct hf_error *err)
{
	struct lookup_row row;
	if (!hf_is(key, HF_STRING) || !hf_name_valid(key->u.string) || !hf_is(v, HF_DICT))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"a look-up is a dict, named with letters, digits and _");
	const char *base = key->u.string.p, *name = hf_sprintf(a, "%s%s", s->prefix, base);
	int rc = hf_schema_bind(a, &lookup_schema, v, base, &row, NULL, err);
	if (rc < 0)
		return hf_error_set_pos(err, hf_value_pos(key));
	struct hf_resource as = { .name = name,
		.base = name,
		.scope = s,
		.spec = hf_spec_find(env->specs, row.type),
		.properties = row.properties == NULL ? hf_value_dict(a) : row.properties,
		.pos = hf_value_pos(key) };
	if (as.spec == NULL || !as.spec->lookup)
		return hf_fail_at(err, HF_E_ARGUMENT, as.pos, "%s: \"%s\" is nothing that is looked up", name,
			row.type);
	struct hf_value *known = hf_dict_get(env->looked, name);
	if (known == NULL || s->parent != NULL) /* variables of the root outlive an expansion */
		rc = name_free(s, key, true, err);
	if (rc == 0)
		rc = hf_properties_check(&as, err);
	if (rc < 0)
		return rc;
	*hf_vec_push(a, &env->lookups) = (struct hf_lookup){ name, base, s, as.spec, as.properties, as.pos };
	hf_dict_put(known == NULL ? s->unlooked : s->variables, base,
		known == NULL ? hf_value_bool(a, true) : known);
	return 0;
}

int hf_scope_fill(struct hf_arena *a, struct hf_environment *env, struct hf_scope *s,
	const struct hf_value *data, struct hf_value *modules, struct hf_error *err)
{
	int rc = 0;
	for (size_t i = 0; data != NULL && rc == 0 && i < data->u.dict->map.count; i++) {
		const struct hf_map_entry *e = &data->u.dict->map.entries[i];
		rc = lookup_read(a, env, s, hf_entry_key(e), hf_entry_value(e), err);
	}
	if (rc == 0 && modules != NULL)
		rc = hf_modules_read(a, env, s, modules, err);
	if (rc < 0)
		return rc;
	HF_DICT_EACH (s->resources, e) {
		rc = resource_read(a, env, s, hf_entry_key(e), hf_entry_value(e), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int hf_call_wrap(const struct hf_scope *s, struct hf_error *err)
{
	enum { CALL_MAX = 600 };
	char text[CALL_MAX];
	snprintf(text, sizeof(text), "%s, called at %s:%u:%u", s->name,
		s->pos.file == NULL ? "?" : s->pos.file, s->pos.line, s->pos.column);
	if (err != NULL && strstr(err->text, text) != NULL) /* who asked for it stands in the same module */
		return -(int)err->code;
	return hf_wrap(err, "%s", text);
}

int hf_scope_wrap(const struct hf_scope *s, struct hf_error *err)
{
	int rc = err == NULL ? -HF_E_ARGUMENT : -(int)err->code;
	for (; s->parent != NULL; s = s->parent)
		rc = hf_call_wrap(s, err);
	return rc;
}

/* --- the file --- */

static int variables_merge(
	struct hf_arena *a, struct hf_environment *env, const struct hf_value *given, struct hf_error *err)
{
	if (given == NULL)
		return 0;
	HF_DICT_EACH (given, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		if (hf_dict_get(env->variables, name) == NULL)
			return hf_fail(err, HF_E_ARGUMENT, "%s has no variable \"%s\"", env->path, name);
		hf_dict_put(env->variables, name, hf_value_copy(a, hf_entry_value(e)));
	}
	return 0;
}

static struct hf_value *dict_or_none(struct hf_arena *a, struct hf_value *v)
{
	return v == NULL ? hf_value_dict(a) : v;
}

static int environment_fill(
	struct hf_arena *a, struct hf_environment *env, const struct header *h, struct hf_error *err)
{
	env->root = (struct hf_scope){
		.name = "",
		.prefix = "",
		.path = env->path,
		.variables = env->variables,
		.unlooked = hf_value_dict(a),
		.inputs = hf_value_dict(a),
		.declared = hf_value_dict(a),
		.outputs = env->outputs,
		.resources = dict_or_none(a, h->resources),
	};
	hf_map_init_str(&env->root.modules, a);
	hf_map_init_str(&env->names, a);
	hf_map_init_str(&env->bases, a);
	env->resources.n = env->lookups.n = env->n_modules = env->n_unexpanded = 0;
	int rc = hf_scope_fill(a, env, &env->root, h->data, h->modules, err);
	return rc < 0 ? rc : hf_depends_find(a, env, err);
}

static int header_read(
	struct hf_arena *a, const struct hf_environment *env, struct header *ret, struct hf_error *err)
{
	int rc = hf_schema_bind(a, &header_schema, env->doc, env->path, ret, NULL, err);
	if (rc == 0 && ret->resources == NULL && ret->modules == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "%s: it has neither resources nor modules", env->path);
	return rc;
}

int hf_environment_expand(struct hf_arena *a, struct hf_environment *env, struct hf_error *err)
{
	struct header h;
	int rc = header_read(a, env, &h, err);
	return rc < 0 ? rc : environment_fill(a, env, &h, err);
}

void hf_environment_looked(struct hf_environment *env, const struct hf_lookup *l, struct hf_value *outputs)
{
	hf_dict_put(env->looked, l->name, outputs);
	hf_dict_put(l->scope->variables, l->base, outputs);
	hf_dict_remove(l->scope->unlooked, l->base);
}

int hf_environment_load(struct hf_arena *a, const char *path, const struct hf_value *variables,
	struct hf_environment **ret, struct hf_error *err)
{
	const struct hf_yaml_options strict = { .plain = true, .strict = true };
	struct hf_value *doc;
	struct header h;
	int rc = hf_yaml_load(a, path, &strict, &doc, err);
	if (rc < 0)
		return rc;
	if (!hf_is(doc, HF_DICT))
		return hf_fail(err, HF_E_PARSE, "%s: an environment is a dict", path);
	struct hf_environment *env = hf_new(a, struct hf_environment);
	env->path = hf_strdup(a, path);
	env->doc = doc;
	rc = header_read(a, env, &h, err);
	if (rc < 0)
		return rc;
	env->name = h.environment;
	env->region = h.region;
	env->state = h.state;
	env->variables = dict_or_none(a, h.variables);
	env->tags = dict_or_none(a, h.tags);
	env->outputs = dict_or_none(a, h.outputs);
	env->bootstrap = h.bootstrap;
	env->accounts = h.accounts;
	env->max_hourly_price = h.max_hourly_price;
	env->prices = dict_or_none(a, h.prices);
	env->looked = hf_value_dict(a);
	hf_map_init_str(&env->files, a);
	if (!hf_key_valid(hf_str(env->name)))
		return hf_fail(err, HF_E_ARGUMENT, "%s: environment \"%s\" is no name", path, env->name);
	rc = hf_specs_load(a, &env->specs, err);
	if (rc == 0)
		rc = variables_merge(a, env, variables, err);
	if (rc == 0)
		rc = environment_fill(a, env, &h, err);
	if (rc == 0)
		*ret = env;
	return rc;
}

const struct hf_resource *hf_environment_find(const struct hf_environment *env, const char *name)
{
	size_t i = hf_number_of(&env->names, name);
	return i == SIZE_MAX ? NULL : &env->resources.at[i];
}

/* Part by part; "*" stands for any. */
static bool name_like(const char *pattern, const char *name)
{
	struct hf_str left = hf_str(pattern), right = hf_str(name), x, y;
	bool more_left, more_right;
	do {
		more_left = hf_str_split(&left, '.', &x);
		more_right = hf_str_split(&right, '.', &y);
		if (more_left && more_right && !hf_str_is(x, "*") && !hf_str_equal(x, y))
			return false;
	} while (more_left && more_right);
	return more_left == more_right;
}

const struct hf_resource *hf_environment_like(const struct hf_environment *env, const char *name)
{
	const struct hf_resource *found = hf_environment_find(env, name);
	for (size_t i = 0; env->n_unexpanded > 0 && found == NULL && i < env->resources.n; i++)
		if (env->resources.at[i].unexpanded && name_like(env->resources.at[i].name, name))
			found = &env->resources.at[i];
	return found;
}
