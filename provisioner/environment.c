#include "provisioner/environment.h"

#include <string.h>

#include "lib/data/schema.h"
#include "lib/data/yaml.h"
#include "provisioner/bootstrap.h"

struct header {
	const char *environment, *region, *state;
	struct hf_value *variables, *tags, *outputs, *accounts, *resources, *bootstrap, *data;
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
	{ "accounts", HF_ARG_LIST, offsetof(struct header, accounts), .elements = HF_ARG_STR },
	{ "resources", HF_ARG_DICT, offsetof(struct header, resources), .flags = HF_REQUIRED },
	{ .type = HF_ARG_END },
};
static const struct hf_schema header_schema = { header_args, NULL, sizeof(struct header) };

struct row {
	const char *type;
	struct hf_value *properties, *for_each, *depends_on, *bootstrap;
	enum hf_tristate prevent_destroy;
};

static const struct hf_arg row_args[] = {
	{ "type", HF_ARG_STR, offsetof(struct row, type), .flags = HF_REQUIRED },
	{ "properties", HF_ARG_DICT, offsetof(struct row, properties) },
	{ "for_each", HF_ARG_RAW, offsetof(struct row, for_each) },
	{ "bootstrap", HF_ARG_RAW, offsetof(struct row, bootstrap) },
	{ "depends_on", HF_ARG_LIST, offsetof(struct row, depends_on), .elements = HF_ARG_STR },
	{ "prevent_destroy", HF_ARG_BOOL, offsetof(struct row, prevent_destroy) },
	{ .type = HF_ARG_END },
};
static const struct hf_schema row_schema = { row_args, NULL, sizeof(struct row) };

/* Names become keys of the state and names in templates. */
static bool name_valid(struct hf_str s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	return s.n > 0 && s.n <= HF_RESOURCE_NAME_MAX && strspn(s.p, letters) == s.n &&
	       (s.p[0] < '0' || s.p[0] > '9');
}

static bool each_valid(struct hf_str s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-";
	return s.n > 0 && s.n <= HF_RESOURCE_NAME_MAX && strspn(s.p, letters) == s.n;
}

/* --- checks that need no network --- */

static bool type_fits(const char *type, const struct hf_value *v)
{
	static const struct {
		const char *type;
		unsigned kinds; /* bits of enum hf_type */
	} fits[] = {
		{ "str", 1u << HF_STRING | 1u << HF_INT | 1u << HF_FLOAT | 1u << HF_BOOL },
		{ "bool", 1u << HF_BOOL },
		{ "int", 1u << HF_INT },
		{ "list", 1u << HF_LIST },
		{ "dict", 1u << HF_DICT },
		{ "tags", 1u << HF_DICT },
		{ "filters", 1u << HF_DICT },
		{ "json", 1u << HF_DICT | 1u << HF_LIST | 1u << HF_STRING },
	};
	for (size_t i = 0; i < HF_COUNT(fits); i++)
		if (strcmp(fits[i].type, type) == 0)
			return (fits[i].kinds >> v->type & 1u) != 0;
	return false;
}

static int property_check(const struct hf_resource *r, const struct hf_value *key, const struct hf_value *v,
	struct hf_error *err)
{
	const char *name = key->u.string.p;
	const struct hf_value *row = hf_dict_get(r->spec->properties, name);
	if (row == NULL)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key), "%s: %s has no property \"%s\"",
			r->name, r->spec->type, name);
	if (r->bootstrap != NULL && strcmp(r->bootstrap, name) == 0)
		return 0; /* a text is made of it */
	bool template = hf_is(v, HF_STRING) && hf_str_find(v->u.string, HF_STR("{{"), 0) != SIZE_MAX;
	const char *type = hf_dict_cstr(row, "type", "str");
	if (template || hf_is(v, HF_NULL))
		return 0;
	if (!type_fits(type, v))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v), "%s: %s must be of type %s, not %s",
			r->name, name, type, hf_type_name(v));
	const struct hf_value *choices = hf_dict_get(row, "choices");
	for (size_t i = 0; hf_is(choices, HF_LIST); i++) {
		if (i == hf_list_len(choices))
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v), "%s: %s cannot be \"%s\"",
				r->name, name, hf_is(v, HF_STRING) ? v->u.string.p : "that");
		if (hf_value_equal(hf_list_at(choices, i), v))
			break;
	}
	return 0;
}

static int properties_check(const struct hf_resource *r, struct hf_error *err)
{
	HF_DICT_EACH (r->properties, e) {
		int rc = property_check(r, hf_entry_key(e), hf_entry_value(e), err);
		if (rc < 0)
			return rc;
	}
	HF_DICT_EACH (r->spec->properties, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		if (hf_dict_bool(hf_entry_value(e), "required", false) &&
			hf_dict_get(r->properties, name) == NULL)
			return hf_fail_at(
				err, HF_E_ARGUMENT, r->pos, "%s: %s needs %s", r->name, r->spec->type, name);
	}
	return 0;
}

/* --- resources --- */

/* A number in a map: 0 would be "none". */
static void *number_pack(size_t i)
{
	return (void *)(uintptr_t)(i + 1);
}

static size_t number_of(const struct hf_map *m, const char *key)
{
	void *packed = hf_map_get(m, key);
	return packed == NULL ? SIZE_MAX : (size_t)(uintptr_t)packed - 1;
}

/* What its machines start with stands in the properties as a dict, until it is rendered: the environment's
 * part, and fleet and kind of its own. */
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
	struct hf_value *parts = hf_value_shallow(a, env->bootstrap);
	hf_dict_put(parts, "kind", hf_value_cstr(a, hf_dict_cstr(rule, "kind", "user-data")));
	if (hf_is(given, HF_STRING))
		hf_dict_put(parts, "fleet", (struct hf_value *)(uintptr_t)given);
	else if (hf_is(given, HF_DICT))
		HF_DICT_EACH (given, e)
			hf_dict_set(parts, hf_entry_key(e), hf_entry_value(e));
	r->bootstrap = property;
	r->properties = hf_value_shallow(a, r->properties);
	hf_dict_put(r->properties, property, hf_value_at(parts, hf_value_pos(given)));
	return hf_bootstrap_names(parts, err);
}

static int resource_add(struct hf_arena *a, struct hf_environment *env, const struct hf_value *key,
	const struct row *row, struct hf_value *each, struct hf_error *err)
{
	struct hf_resource r = {
		.base = key->u.string.p,
		.properties = row->properties == NULL ? hf_value_dict(a) : row->properties,
		.each = each,
		.prevent_destroy = row->prevent_destroy == HF_YES,
		.pos = hf_value_pos(key),
	};
	r.name = each == NULL ? r.base : hf_sprintf(a, "%s.%s", r.base, hf_dict_cstr(each, "key", ""));
	r.spec = hf_spec_find(env->specs, row->type);
	if (r.spec != NULL && r.spec->lookup)
		return hf_fail_at(err, HF_E_ARGUMENT, r.pos,
			"%s: %s is looked up, not made: it belongs under data", r.name, row->type);
	if (r.spec == NULL) {
		const char *near = hf_spec_nearest(env->specs, row->type);
		return hf_fail_at(err, HF_E_ARGUMENT, r.pos, "%s: there is no type \"%s\"%s%s%s", r.name,
			row->type, near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
			near == NULL ? "" : "\"?");
	}
	int rc = row->bootstrap == NULL ? 0 : bootstrap_add(a, env, &r, row->bootstrap, err);
	if (rc < 0)
		return rc;
	if (env->resources.n >= HF_RESOURCES_MAX)
		return hf_fail_at(err, HF_E_LIMIT, r.pos, "more than %d resources", HF_RESOURCES_MAX);
	*hf_vec_push(a, &env->resources) = r;
	hf_map_set(&env->names, r.name, number_pack(env->resources.n - 1));
	if (hf_map_get(&env->bases, r.base) == NULL)
		hf_map_set(&env->bases, r.base, number_pack(env->resources.n - 1));
	return properties_check(&r, err);
}

static int each_add(struct hf_arena *a, struct hf_environment *env, const struct hf_value *key,
	const struct row *row, struct hf_value *name, struct hf_value *value, struct hf_error *err)
{
	struct hf_value *each = hf_value_dict(a);
	struct hf_value *text = hf_value_str(a, hf_value_text(a, name));
	if (!each_valid(text->u.string))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(row->for_each),
			"%s: \"%s\" of for_each is no name: letters, digits, _ and - only", key->u.string.p,
			text->u.string.p);
	hf_dict_put(each, "key", text);
	hf_dict_put(each, "value", value);
	return resource_add(a, env, key, row, each, err);
}

static int resource_read(struct hf_arena *a, struct hf_environment *env, struct hf_value *key,
	struct hf_value *v, struct hf_error *err)
{
	struct row row;
	if (!hf_is(key, HF_STRING) || !name_valid(key->u.string))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"a resource is named with letters, digits and _");
	if (!hf_is(v, HF_DICT))
		return hf_fail_at(
			err, HF_E_ARGUMENT, hf_value_pos(key), "%s: a resource is a dict", key->u.string.p);
	int rc = hf_schema_bind(a, &row_schema, v, key->u.string.p, &row, NULL, err);
	if (rc < 0)
		return hf_error_set_pos(err, hf_value_pos(key));
	if (row.for_each == NULL)
		return resource_add(a, env, key, &row, NULL, err);
	struct hf_value *items;
	rc = hf_value_render(a, env, NULL, row.for_each, NULL, NULL, &items, err);
	if (rc < 0)
		return hf_wrap(err, "%s: for_each", key->u.string.p);
	for (size_t i = 0; hf_is_sequence(items) && i < hf_list_len(items); i++) {
		rc = each_add(a, env, key, &row, hf_list_at(items, i), hf_list_at(items, i), err);
		if (rc < 0)
			return rc;
	}
	if (!hf_is(items, HF_DICT))
		return hf_is_sequence(items) ? 0
					     : hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(row.for_each),
						       "%s: for_each is a list or a dict", key->u.string.p);
	HF_DICT_EACH (items, e) {
		rc = each_add(a, env, key, &row, hf_entry_key(e), hf_entry_value(e), err);
		if (rc < 0)
			return rc;
	}
	return 0;
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

static int lookup_read(struct hf_arena *a, struct hf_environment *env, const struct hf_value *key,
	struct hf_value *v, struct hf_error *err)
{
	struct lookup_row row;
	if (!hf_is(key, HF_STRING) || !name_valid(key->u.string) || !hf_is(v, HF_DICT))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"a look-up is a dict, named with letters, digits and _");
	const char *name = key->u.string.p;
	int rc = hf_schema_bind(a, &lookup_schema, v, name, &row, NULL, err);
	if (rc < 0)
		return hf_error_set_pos(err, hf_value_pos(key));
	struct hf_resource as = { .name = name,
		.base = name,
		.spec = hf_spec_find(env->specs, row.type),
		.properties = row.properties == NULL ? hf_value_dict(a) : row.properties,
		.pos = hf_value_pos(key) };
	if (as.spec == NULL || !as.spec->lookup)
		return hf_fail_at(err, HF_E_ARGUMENT, as.pos, "%s: \"%s\" is nothing that is looked up", name,
			row.type);
	if (hf_dict_get(env->variables, name) != NULL)
		return hf_fail_at(err, HF_E_ARGUMENT, as.pos, "%s is a variable as well", name);
	rc = properties_check(&as, err);
	if (rc < 0)
		return rc;
	*hf_vec_push(a, &env->lookups) = (struct hf_lookup){ name, as.spec, as.properties, as.pos };
	return 0;
}

static int lookups_read(
	struct hf_arena *a, struct hf_environment *env, const struct hf_value *data, struct hf_error *err)
{
	int rc = 0;
	if (data == NULL)
		return 0;
	HF_DICT_EACH (data, e) {
		rc = lookup_read(a, env, hf_entry_key(e), hf_entry_value(e), err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < env->lookups.n; i++)
		hf_dict_put(env->unlooked, env->lookups.at[i].name, hf_value_bool(a, true));
	return 0;
}

/* --- who needs whom --- */

static void depend_on_base(
	struct hf_arena *a, struct hf_environment *env, struct hf_resource *r, const char *base)
{
	size_t i = number_of(&env->bases, base);
	for (; i < env->resources.n && strcmp(env->resources.at[i].base, base) == 0; i++)
		*hf_vec_push(a, &r->depends) = i;
	i = number_of(&env->bases, base) == SIZE_MAX ? number_of(&env->names, base) : SIZE_MAX;
	if (i != SIZE_MAX)
		*hf_vec_push(a, &r->depends) = i;
}

static bool name_known(
	const struct hf_environment *env, const struct hf_resource *r, const char *name, bool *resource)
{
	static const char *const always[] = { "environment", "region" };
	*resource = false;
	for (size_t i = 0; i < HF_COUNT(always); i++)
		if (strcmp(always[i], name) == 0)
			return true;
	if (hf_dict_get(env->variables, name) != NULL || hf_dict_get(env->unlooked, name) != NULL)
		return true;
	if (r != NULL && r->each != NULL && strcmp(name, "each") == 0)
		return true;
	*resource = hf_map_get(&env->bases, name) != NULL;
	return *resource;
}

static int names_check(struct hf_arena *a, struct hf_environment *env, struct hf_resource *r,
	const struct hf_value *v, struct hf_error *err)
{
	struct hf_value *names = hf_value_dict(a);
	int rc = hf_value_names(a, v, names, err);
	if (rc < 0)
		return rc;
	HF_DICT_EACH (names, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		bool resource;
		if (!name_known(env, r, name, &resource))
			return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(hf_entry_value(e)),
				"%s%s\"%s\" is neither a variable nor a resource", r == NULL ? "" : r->name,
				r == NULL ? "" : ": ", name);
		if (resource && r != NULL)
			depend_on_base(a, env, r, name);
	}
	return 0;
}

static int explicit_depends(struct hf_arena *a, struct hf_environment *env, const struct hf_value *resources,
	struct hf_error *err)
{
	for (size_t i = 0; i < env->resources.n; i++) {
		struct hf_resource *r = &env->resources.at[i];
		const struct hf_value *list = hf_dict_get(hf_dict_get(resources, r->base), "depends_on");
		for (size_t k = 0; hf_is(list, HF_LIST) && k < hf_list_len(list); k++) {
			const struct hf_value *name = hf_list_at(list, k);
			size_t before = r->depends.n;
			depend_on_base(a, env, r, hf_is(name, HF_STRING) ? name->u.string.p : "");
			if (r->depends.n == before)
				return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(name),
					"%s: depends_on names no resource", r->name);
		}
		int rc = names_check(a, env, r, r->properties, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

struct sorting {
	struct hf_environment *env;
	char *mark; /* 0 new, 1 open, 2 done */
	size_t n;
	size_t *order;
};

/* Depth first with a stack of its own: the graph may be deep. */
static int sort_from(struct hf_arena *a, struct sorting *s, size_t start, struct hf_error *err)
{
	struct frame {
		size_t number, next;
	};
	struct frame *stack = hf_new_array(a, s->env->resources.n + 1, struct frame);
	size_t depth = 1;
	stack[0] = (struct frame){ start, 0 };
	s->mark[start] = 1;
	while (depth > 0) {
		struct frame *top = &stack[depth - 1];
		const struct hf_resource *r = &s->env->resources.at[top->number];
		if (top->next == r->depends.n) {
			s->mark[top->number] = 2;
			s->order[s->n++] = top->number;
			depth--;
			continue;
		}
		size_t need = r->depends.at[top->next++];
		if (s->mark[need] == 1)
			return hf_fail_at(err, HF_E_ARGUMENT, r->pos,
				"%s and %s need each other: neither can be first", r->name,
				s->env->resources.at[need].name);
		if (s->mark[need] == 0) {
			s->mark[need] = 1;
			stack[depth++] = (struct frame){ need, 0 };
		}
	}
	return 0;
}

static int order_make(struct hf_arena *a, struct hf_environment *env, struct hf_error *err)
{
	struct sorting s = { env, hf_zalloc(a, env->resources.n + 1), 0,
		hf_new_array(a, env->resources.n + 1, size_t) };
	for (size_t i = 0; i < env->resources.n; i++) {
		int rc = s.mark[i] == 0 ? sort_from(a, &s, i, err) : 0;
		if (rc < 0)
			return rc;
	}
	env->order = s.order;
	return 0;
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

/* Look-ups come first, so they may speak of nothing that is made. */
static int lookups_check(struct hf_arena *a, struct hf_environment *env, struct hf_error *err)
{
	for (size_t i = 0; i < env->lookups.n; i++) {
		const struct hf_lookup *l = &env->lookups.at[i];
		struct hf_value *names = hf_value_dict(a);
		int rc = hf_value_names(a, l->properties, names, err);
		if (rc < 0)
			return rc;
		HF_DICT_EACH (names, e) {
			const char *name = hf_entry_key(e)->u.string.p;
			bool resource;
			if (!name_known(env, NULL, name, &resource) || resource ||
				hf_dict_get(env->unlooked, name) != NULL)
				return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(hf_entry_value(e)),
					"%s: \"%s\" is no variable; a look-up speaks of nothing else",
					l->name, name);
		}
		if (hf_map_get(&env->bases, l->name) != NULL)
			return hf_fail_at(err, HF_E_ARGUMENT, l->pos, "%s is a resource as well", l->name);
	}
	return 0;
}

static int environment_fill(
	struct hf_arena *a, struct hf_environment *env, const struct header *h, struct hf_error *err)
{
	int rc = lookups_read(a, env, h->data, err);
	if (rc < 0)
		return rc;
	HF_DICT_EACH (h->resources, e) {
		rc = resource_read(a, env, hf_entry_key(e), hf_entry_value(e), err);
		if (rc < 0)
			return rc;
	}
	rc = lookups_check(a, env, err);
	if (rc == 0)
		rc = explicit_depends(a, env, h->resources, err);
	if (rc == 0)
		rc = names_check(a, env, NULL, env->outputs, err);
	return rc < 0 ? rc : order_make(a, env, err);
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
	rc = hf_schema_bind(a, &header_schema, doc, path, &h, NULL, err);
	if (rc < 0)
		return rc;
	struct hf_environment *env = hf_new(a, struct hf_environment);
	hf_map_init_str(&env->names, a);
	hf_map_init_str(&env->bases, a);
	env->path = hf_strdup(a, path);
	env->name = h.environment;
	env->region = h.region;
	env->state = h.state;
	env->variables = h.variables == NULL ? hf_value_dict(a) : h.variables;
	env->tags = h.tags == NULL ? hf_value_dict(a) : h.tags;
	env->outputs = h.outputs == NULL ? hf_value_dict(a) : h.outputs;
	env->bootstrap = h.bootstrap;
	env->unlooked = hf_value_dict(a);
	env->accounts = h.accounts;
	if (!each_valid(hf_str(env->name)))
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
	size_t i = number_of(&env->names, name);
	return i == SIZE_MAX ? NULL : &env->resources.at[i];
}
