/* Modules: a file with inputs, resources and outputs that several environments use, each call of it under a
 * name of its own. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/data/schema.h"
#include "lib/data/yaml.h"
#include "provisioner/scope.h"

/* What a file that is a module holds. */
struct module {
	const char *description;
	struct hf_value *inputs, *data, *modules, *resources, *outputs;
};

static const struct hf_arg module_args[] = {
	{ "description", HF_ARG_STR, offsetof(struct module, description) },
	{ "inputs", HF_ARG_DICT, offsetof(struct module, inputs) },
	{ "data", HF_ARG_DICT, offsetof(struct module, data) },
	{ "modules", HF_ARG_DICT, offsetof(struct module, modules) },
	{ "resources", HF_ARG_DICT, offsetof(struct module, resources) },
	{ "outputs", HF_ARG_DICT, offsetof(struct module, outputs) },
	{ .type = HF_ARG_END },
};
static const struct hf_schema module_schema = { module_args, NULL, sizeof(struct module) };

struct call {
	const char *source;
	struct hf_value *inputs, *for_each;
};

static const struct hf_arg call_args[] = {
	{ "source", HF_ARG_STR, offsetof(struct call, source), .flags = HF_REQUIRED },
	{ "inputs", HF_ARG_DICT, offsetof(struct call, inputs) },
	{ "for_each", HF_ARG_RAW, offsetof(struct call, for_each) },
	{ .type = HF_ARG_END },
};
static const struct hf_schema call_schema = { call_args, NULL, sizeof(struct call) };

struct input {
	const char *type, *description;
	struct hf_value *dflt;
};

static const struct hf_arg input_args[] = {
	{ "type", HF_ARG_STR, offsetof(struct input, type), .dflt = "any" },
	{ "description", HF_ARG_STR, offsetof(struct input, description) },
	{ "default", HF_ARG_RAW, offsetof(struct input, dflt) },
	{ .type = HF_ARG_END },
};
static const struct hf_schema input_schema = { input_args, NULL, sizeof(struct input) };

/* --- the file --- */

/* Beside the file that calls it; a folder holds its module.yaml. */
static const char *source_path(struct hf_arena *a, const struct hf_scope *s, const char *source)
{
	const char *path = hf_path_join(a, hf_path_dir(a, s->path), source);
	if (hf_fs_is_dir(path))
		path = hf_path_join(a, path, "module.yaml");
	return hf_path_normalize(a, path);
}

static int file_load(struct hf_arena *a, struct hf_environment *env, const char *path, struct hf_value **ret,
	struct hf_error *err)
{
	const struct hf_yaml_options strict = { .plain = true, .strict = true };
	struct hf_value *doc = hf_map_get(&env->files, path);
	if (doc == NULL) {
		int rc = hf_yaml_load(a, path, &strict, &doc, err);
		if (rc < 0)
			return rc;
		if (!hf_is(doc, HF_DICT))
			return hf_fail(err, HF_E_PARSE, "%s: a module is a dict", path);
		hf_map_set(&env->files, path, doc);
	}
	*ret = doc;
	return 0;
}

static int input_declare(struct hf_arena *a, struct hf_scope *s, const struct hf_value *key,
	struct hf_value *v, struct hf_error *err)
{
	struct input input = { .type = "any" };
	const char *name = hf_is(key, HF_STRING) ? key->u.string.p : "";
	if (!hf_name_valid(hf_str(name)))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"an input is named with letters, digits and _");
	if (!hf_is(v, HF_NULL) && !hf_is(v, HF_DICT))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"input %s is a dict with type, default and description, or nothing", name);
	int rc = hf_is(v, HF_NULL) ? 0 : hf_schema_bind(a, &input_schema, v, name, &input, NULL, err);
	if (rc < 0)
		return hf_error_set_pos(err, hf_value_pos(key));
	if (!hf_type_known(input.type))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"input %s: \"%s\" is no type: any, str, bool, int, list, dict or json", name,
			input.type);
	struct hf_value *row = hf_value_dict(a);
	hf_dict_put(row, "type", hf_value_cstr(a, input.type));
	struct hf_value *dflt = hf_is(v, HF_DICT) ? hf_dict_get(v, "default") : NULL;
	if (dflt != NULL && !hf_is_template(dflt) && !hf_type_fits(input.type, dflt))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(dflt),
			"input %s: its default must be of type %s, not %s", name, input.type,
			hf_type_name(dflt));
	if (dflt != NULL)
		hf_dict_put(row, "default", dflt);
	hf_dict_put(s->declared, name, row);
	return 0;
}

/* Every input is one the module has, and of its type; none it must have is missing. At the call's place. */
static int inputs_check(struct hf_arena *a, const struct hf_scope *s, struct hf_error *err)
{
	HF_DICT_EACH (s->inputs, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		const struct hf_value *v = hf_entry_value(e), *row = hf_dict_get(s->declared, name);
		const char *near = row != NULL ? NULL : hf_key_nearest(a, s->declared, name);
		if (row == NULL)
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(hf_entry_key(e)),
				"%s: %s has no input \"%s\"%s%s%s", s->name, s->path, name,
				near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
				near == NULL ? "" : "\"?");
		const char *type = hf_dict_cstr(row, "type", "any");
		if (!hf_is_template(v) && !hf_type_fits(type, v))
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v),
				"%s: input %s must be of type %s, not %s", s->name, name, type,
				hf_type_name(v));
	}
	HF_DICT_EACH (s->declared, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		if (hf_dict_get(hf_entry_value(e), "default") == NULL && hf_dict_get(s->inputs, name) == NULL)
			return hf_fail_at(
				err, HF_E_ARGUMENT, s->pos, "%s: %s needs input %s", s->name, s->path, name);
	}
	return 0;
}

/* --- calls --- */

static int nesting_check(const struct hf_scope *s, struct hf_error *err)
{
	int depth = 0;
	for (const struct hf_scope *above = s->parent; above != NULL; above = above->parent) {
		if (above->parent != NULL && strcmp(above->path, s->path) == 0)
			return hf_fail_at(
				err, HF_E_ARGUMENT, s->pos, "%s: %s is inside itself", s->name, s->path);
		if (++depth > HF_MODULE_DEPTH_MAX)
			return hf_fail_at(err, HF_E_LIMIT, s->pos, "%s: modules are nested deeper than %d",
				s->name, HF_MODULE_DEPTH_MAX);
	}
	return 0;
}

static int instance_fill(
	struct hf_arena *a, struct hf_environment *env, struct hf_scope *s, struct hf_error *err)
{
	struct hf_value *doc;
	struct module module;
	int rc = file_load(a, env, s->path, &doc, err);
	if (rc == 0)
		rc = hf_schema_bind(a, &module_schema, doc, s->path, &module, NULL, err);
	for (size_t i = 0; rc == 0 && module.inputs != NULL && i < module.inputs->u.dict->map.count; i++) {
		const struct hf_map_entry *e = &module.inputs->u.dict->map.entries[i];
		rc = input_declare(a, s, hf_entry_key(e), hf_entry_value(e), err);
	}
	if (rc < 0)
		return hf_call_wrap(s, err);
	rc = inputs_check(a, s, err);
	if (rc < 0)
		return rc;
	if (module.outputs != NULL)
		s->outputs = module.outputs;
	if (module.resources != NULL)
		s->resources = module.resources;
	rc = hf_scope_fill(a, env, s, module.data, module.modules, err);
	return rc < 0 ? hf_call_wrap(s, err) : 0;
}

static int instance_add(struct hf_arena *a, struct hf_environment *env, struct hf_scope *parent,
	const struct hf_value *key, const struct call *call, const struct hf_item *item, struct hf_module *m,
	struct hf_error *err)
{
	struct hf_scope *s = hf_new(a, struct hf_scope);
	s->name = hf_sprintf(a, "%smodule.%s", parent->prefix, key->u.string.p);
	if (item != NULL)
		s->name = hf_sprintf(a, "%s.%s", s->name, item->key == NULL ? "*" : item->key);
	s->prefix = hf_sprintf(a, "%s.", s->name);
	s->path = source_path(a, parent, call->source);
	s->pos = hf_value_pos(key);
	s->parent = parent;
	s->variables = hf_value_dict(a);
	s->unlooked = hf_value_dict(a);
	s->inputs = call->inputs == NULL ? hf_value_dict(a) : call->inputs;
	s->declared = hf_value_dict(a);
	s->outputs = hf_value_dict(a);
	s->resources = hf_value_dict(a);
	s->for_each = call->for_each;
	s->each = item == NULL ? NULL : item->each;
	s->unexpanded = parent->unexpanded || (item != NULL && item->key == NULL);
	hf_map_init_str(&s->modules, a);
	if (++env->n_modules > HF_MODULES_MAX)
		return hf_fail_at(err, HF_E_LIMIT, s->pos, "more than %d modules", HF_MODULES_MAX);
	env->n_unexpanded += s->unexpanded;
	int rc = nesting_check(s, err);
	if (rc == 0)
		rc = instance_fill(a, env, s, err);
	*hf_vec_push(a, &m->instances) = s;
	return rc;
}

static int call_read(struct hf_arena *a, struct hf_environment *env, struct hf_scope *s,
	const struct hf_value *key, struct hf_value *v, struct hf_error *err)
{
	struct call call;
	struct hf_items items = { 0 };
	if (!hf_is(key, HF_STRING) || !hf_name_valid(key->u.string))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"a module is named with letters, digits and _");
	if (!hf_is(v, HF_DICT))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"module %s is a dict with source and inputs", key->u.string.p);
	const char *what = hf_sprintf(a, "%smodule.%s", s->prefix, key->u.string.p);
	int rc = hf_schema_bind(a, &call_schema, v, what, &call, NULL, err);
	if (rc < 0)
		return hf_error_set_pos(err, hf_value_pos(key));
	struct hf_module *m = hf_new(a, struct hf_module);
	m->by_key = call.for_each != NULL;
	hf_map_set(&s->modules, key->u.string.p, m);
	if (call.for_each == NULL)
		return instance_add(a, env, s, key, &call, NULL, m, err);
	rc = hf_each_items(a, env, s, call.for_each, what, &items, err);
	for (size_t i = 0; rc == 0 && i < items.n; i++)
		rc = instance_add(a, env, s, key, &call, &items.at[i], m, err);
	return rc;
}

int hf_modules_read(struct hf_arena *a, struct hf_environment *env, struct hf_scope *s,
	struct hf_value *calls, struct hf_error *err)
{
	HF_DICT_EACH (calls, e) {
		int rc = call_read(a, env, s, hf_entry_key(e), hf_entry_value(e), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
