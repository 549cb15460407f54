/* Templates inside the values of an environment and its modules. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/template/template.h"
#include "provisioner/bootstrap.h"
#include "provisioner/scope.h"

enum { RENDER_OUTPUT_MAX = 4 << 20, RENDER_DEPTH_MAX = 64, RENDER_STEPS_MAX = 1000000 };

static const struct hf_template_env language = {
	.undefined = HF_UNDEFINED_STRICT,
	.lists_not_iterators = true,
	.keep_trailing_newline = true,
	.limits = { .steps = RENDER_STEPS_MAX, .output = RENDER_OUTPUT_MAX },
};

static int text_compile(
	struct hf_arena *a, const struct hf_value *v, struct hf_template **ret, struct hf_error *err)
{
	*ret = NULL;
	if (!hf_is(v, HF_STRING) || !hf_template_is_template(&language, v->u.string))
		return 0;
	struct hf_error why = { 0 };
	int rc = hf_template_compile(a, &language, v->u.string, "template", ret, &why);
	if (rc < 0)
		return hf_fail_at(err, why.code, hf_value_pos(v), "%s", why.text);
	return 0;
}

int hf_value_paths(struct hf_arena *a, const struct hf_value *v, struct hf_value *paths, struct hf_error *err)
{
	struct hf_template *t;
	int rc = text_compile(a, v, &t, err);
	if (rc == 0 && t != NULL) {
		struct hf_value *found = hf_template_paths(a, t);
		for (size_t i = 0; i < hf_list_len(found); i++)
			hf_dict_set(paths, hf_list_at(found, i), (struct hf_value *)(uintptr_t)v);
	}
	for (size_t i = 0; rc == 0 && hf_is_sequence(v) && i < hf_list_len(v); i++)
		rc = hf_value_paths(a, hf_list_at(v, i), paths, err);
	if (rc < 0 || !hf_is(v, HF_DICT))
		return rc;
	HF_DICT_EACH (v, e) {
		rc = hf_value_paths(a, hf_entry_value(e), paths, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- names --- */

struct rendering {
	struct hf_arena *arena;
	const struct hf_environment *env;
	const struct hf_value *known, *pending;
	bool early;            /* nothing that is made is known */
	const char *waits_for; /* the last name that was not known */
	bool waits_for_look;
	int chain;
	struct hf_map memo; /* input or output of a module → its value; "" while it is being made */
};

/* Where a value stands: whose names its templates see. */
struct place {
	const struct hf_scope *scope;
	const struct hf_value *each;
};

static int render(struct rendering *r, struct place at, struct hf_value *v, int depth, struct hf_value **ret,
	struct hf_error *err);

/* An input or an output, once a rendering: they may speak of each other in chains. */
static int render_once(struct rendering *r, struct place at, const char *key, struct hf_value *v,
	struct hf_value **ret, struct hf_error *err)
{
	static struct hf_value open;
	struct hf_value *found = hf_map_get(&r->memo, key);
	if (found == &open)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v), "it needs itself");
	if (found == NULL) {
		hf_map_set(&r->memo, key, &open);
		if (++r->chain > HF_MODULE_CHAIN_MAX)
			return hf_fail_at(err, HF_E_LIMIT, hf_value_pos(v),
				"more than %d inputs and outputs hang on each other", HF_MODULE_CHAIN_MAX);
		int rc = render(r, at, v, 0, &found, err);
		if (rc < 0)
			return rc;
		r->chain--;
		hf_map_set(&r->memo, key, found);
	}
	*ret = found;
	return 0;
}

static int input_value(struct rendering *r, const struct hf_scope *s, const char *name, struct hf_value **ret,
	struct hf_error *err)
{
	const struct hf_value *row = hf_dict_get(s->declared, name);
	struct hf_value *given = hf_dict_get(s->inputs, name);
	const char *key = hf_sprintf(r->arena, "%s|in|%s", s->name, name);
	const struct place outside = { s->parent, s->each }, inside = { s, NULL };
	if (given == NULL)
		return render_once(r, inside, key, hf_dict_get(row, "default"), ret, err);
	int rc = render_once(r, outside, key, given, ret, err);
	const char *type = hf_dict_cstr(row, "type", "any");
	if (rc == 0 && !hf_is(*ret, HF_UNDEFINED) && !hf_type_fits(type, *ret))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(given),
			"%s: input %s must be of type %s, not %s", s->name, name, type, hf_type_name(*ret));
	return rc < 0 ? hf_wrap(err, "%s: input %s", s->name, name) : 0;
}

static void wait_for(struct rendering *r, const char *name, bool look, bool *waits)
{
	*waits = true;
	r->waits_for = name;
	r->waits_for_look = look;
}

/* The outputs of one instance of a module; only: the one that is read, NULL: all of them. */
static int instance_value(struct rendering *r, const struct hf_scope *s, const char *only,
	struct hf_value *into, bool *waits, struct hf_error *err)
{
	const struct place inside = { s, NULL };
	if (s->unexpanded)
		wait_for(r, s->name, true, waits);
	HF_DICT_EACH (s->outputs, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		struct hf_value *v;
		if (*waits || (only != NULL && strcmp(only, name) != 0))
			continue;
		int rc = render_once(r, inside, hf_sprintf(r->arena, "%s|out|%s", s->name, name),
			hf_entry_value(e), &v, err);
		if (rc < 0)
			return hf_wrap(err, "%s: output %s", s->name, name);
		if (hf_is(v, HF_UNDEFINED))
			*waits = true;
		else
			hf_dict_put(into, name, v);
	}
	return 0;
}

static struct hf_value *dict_within(struct hf_arena *a, struct hf_value *dict, const char *name)
{
	struct hf_value *found = hf_dict_get(dict, name);
	if (found == NULL) {
		found = hf_value_dict(a);
		hf_dict_put(dict, name, found);
	}
	return found;
}

static int module_value(struct rendering *r, const struct hf_module *m, struct hf_str path,
	struct hf_value *into, bool *waits, struct hf_error *err)
{
	struct hf_str key = { 0 }, only = { 0 };
	if (m->by_key)
		hf_str_split(&path, '.', &key);
	hf_str_split(&path, '.', &only);
	for (size_t i = 0; i < m->instances.n && !*waits; i++) {
		const struct hf_scope *s = m->instances.at[i];
		const char *mine = m->by_key ? hf_dict_cstr(s->each, "key", "") : "";
		if (m->by_key && key.n > 0 && !s->unexpanded && !hf_str_is(key, mine))
			continue;
		int rc = instance_value(r, s, only.n == 0 ? NULL : hf_str_dup(r->arena, only),
			m->by_key ? dict_within(r->arena, into, mine) : into, waits, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* module.NAME.OUTPUT, module.NAME.KEY.OUTPUT; less of it means all below. */
static int modules_value(struct rendering *r, const struct hf_scope *s, struct hf_str path,
	struct hf_value *variables, bool *waits, struct hf_error *err)
{
	struct hf_value *all = dict_within(r->arena, variables, "module");
	struct hf_str name = { 0 };
	hf_str_split(&path, '.', &name);
	HF_MAP_EACH (&s->modules, e) {
		const char *mine = e->key;
		if (name.n > 0 && !hf_str_is(name, mine))
			continue;
		int rc = module_value(r, e->value, path, dict_within(r->arena, all, mine), waits, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What a name of the language or of the file itself is; NULL: none of them. */
static struct hf_value *plain_value(const struct rendering *r, struct place at, const char *name)
{
	const struct hf_environment *env = r->env;
	if (strcmp(name, "environment") == 0)
		return hf_value_cstr(r->arena, env->name);
	if (strcmp(name, "region") == 0)
		return hf_value_cstr(r->arena, env->region == NULL ? "" : env->region);
	if (strcmp(name, "each") == 0 && at.each != NULL)
		return hf_value_copy(r->arena, at.each);
	return hf_dict_get(at.scope->variables, name);
}

/* What a resource has given; NULL: nothing of that name. */
static struct hf_value *made_value(
	struct rendering *r, const struct hf_scope *s, const char *name, bool *waits)
{
	const char *base = s->prefix[0] == '\0' ? name : hf_sprintf(r->arena, "%s%s", s->prefix, name);
	if ((r->pending != NULL && hf_dict_get(r->pending, base) != NULL) ||
		(r->early && hf_dict_get(s->resources, name) != NULL)) {
		wait_for(r, name, false, waits);
		return NULL;
	}
	if (hf_map_get(&r->env->bases, base) == NULL && hf_dict_get(s->resources, name) != NULL)
		return hf_value_dict(r->arena); /* of a for_each over nothing */
	return r->known == NULL ? NULL : hf_dict_get(r->known, base);
}

static int name_put(struct rendering *r, struct place at, struct hf_str path, struct hf_value *variables,
	bool *waits, struct hf_error *err)
{
	const struct hf_scope *s = at.scope;
	struct hf_str first;
	if (!hf_str_split(&path, '.', &first))
		return 0;
	const char *name = hf_str_dup(r->arena, first);
	struct hf_value *v = plain_value(r, at, name);
	int rc = 0;
	if (v != NULL) {
		if (strcmp(name, "each") == 0 && hf_is(hf_dict_get(v, "value"), HF_UNDEFINED))
			wait_for(r, name, true, waits);
	} else if (hf_dict_get(s->unlooked, name) != NULL) {
		wait_for(r, name, true, waits);
	} else if (hf_dict_get(s->declared, name) != NULL) {
		rc = input_value(r, s, name, &v, err);
	} else if (strcmp(name, "module") == 0) {
		return modules_value(r, s, path, variables, waits, err);
	} else {
		v = made_value(r, s, name, waits);
	}
	if (rc == 0 && v != NULL && hf_is(v, HF_UNDEFINED))
		*waits = true;
	else if (rc == 0 && v != NULL)
		hf_dict_put(variables, name, v);
	return rc;
}

/* --- values --- */

static int text_evaluate(const struct rendering *r, const struct hf_template *t, struct hf_value *variables,
	struct hf_value **ret, struct hf_error *err)
{
	const struct hf_render how = { r->arena, &language, variables, NULL };
	if (hf_template_single(t))
		return hf_template_evaluate(t, &how, ret, err);
	hf_auto_buf out = hf_buf_init(RENDER_OUTPUT_MAX);
	int rc = hf_template_render(t, &how, &out, NULL, err);
	if (rc == 0)
		*ret = hf_value_str(r->arena, hf_buf_str(&out));
	return rc;
}

static int render_text(
	struct rendering *r, struct place at, struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	struct hf_template *t;
	struct hf_error why = { 0 };
	bool waits = false;
	int rc = text_compile(r->arena, v, &t, err);
	*ret = v;
	if (rc < 0 || t == NULL)
		return rc;
	struct hf_value *paths = hf_template_paths(r->arena, t), *variables = hf_value_dict(r->arena);
	for (size_t i = 0; i < hf_list_len(paths) && !waits; i++) {
		rc = name_put(r, at, hf_list_at(paths, i)->u.string, variables, &waits, err);
		if (rc < 0)
			return rc;
	}
	if (waits) {
		*ret = hf_value_at(hf_value_undefined(r->arena, "known after apply"), hf_value_pos(v));
		return 0;
	}
	rc = text_evaluate(r, t, variables, ret, &why);
	if (rc == 0 && hf_is(*ret, HF_UNDEFINED))
		rc = hf_fail(&why, HF_E_UNDEFINED, "%.*s is not defined", HF_STR_ARG(v->u.string));
	if (rc < 0)
		return hf_fail_at(err, why.code, hf_value_pos(v), "%s", why.text);
	*ret = hf_value_at(hf_value_copy(r->arena, *ret), hf_value_pos(v));
	return 0;
}

/* The parts of a container; *unknown when one of them is. */
static int render_parts(struct rendering *r, struct place at, const struct hf_value *v, int depth,
	struct hf_value *out, bool *unknown, struct hf_error *err)
{
	struct hf_value *item;
	for (size_t i = 0; hf_is(v, HF_LIST) && i < hf_list_len(v); i++) {
		int rc = render(r, at, hf_list_at(v, i), depth + 1, &item, err);
		if (rc < 0)
			return rc;
		*unknown = *unknown || hf_is(item, HF_UNDEFINED);
		hf_list_append(out, item);
	}
	if (!hf_is(v, HF_DICT))
		return 0;
	HF_DICT_EACH (v, e) {
		int rc = render(r, at, hf_entry_value(e), depth + 1, &item, err);
		if (rc < 0)
			return rc;
		*unknown = *unknown || hf_is(item, HF_UNDEFINED);
		hf_dict_set(out, hf_entry_key(e), item);
	}
	return 0;
}

static int render(struct rendering *r, struct place at, struct hf_value *v, int depth, struct hf_value **ret,
	struct hf_error *err)
{
	bool unknown = false;
	if (depth > RENDER_DEPTH_MAX)
		return hf_fail_at(err, HF_E_LIMIT, hf_value_pos(v), "nested too deep");
	if (hf_is(v, HF_STRING))
		return render_text(r, at, v, ret, err);
	*ret = v;
	if (!hf_is(v, HF_LIST) && !hf_is(v, HF_DICT))
		return 0;
	struct hf_value *out = hf_is(v, HF_LIST) ? hf_value_list(r->arena) : hf_value_dict(r->arena);
	int rc = render_parts(r, at, v, depth, out, &unknown, err);
	if (rc < 0)
		return rc;
	*ret = hf_value_at(
		unknown ? hf_value_undefined(r->arena, "known after apply") : out, hf_value_pos(v));
	return 0;
}

static struct rendering rendering_of(struct hf_arena *a, const struct hf_environment *env,
	const struct hf_value *known, const struct hf_value *pending)
{
	struct rendering r = { .arena = a, .env = env, .known = known, .pending = pending };
	hf_map_init_str(&r.memo, a);
	return r;
}

int hf_value_render_early(struct hf_arena *a, const struct hf_environment *env, const struct hf_scope *s,
	struct hf_value *v, struct hf_value **ret, const char **ret_waits, bool *ret_look,
	struct hf_error *err)
{
	struct rendering r = rendering_of(a, env, NULL, NULL);
	r.early = true;
	const struct place at = { s, NULL };
	int rc = render(&r, at, v, 0, ret, err);
	if (rc < 0)
		return rc;
	bool waits = hf_is(*ret, HF_UNDEFINED);
	*ret_waits = !waits ? NULL : r.waits_for == NULL ? "something" : r.waits_for;
	*ret_look = waits && r.waits_for_look;
	return 0;
}

/* The text machines start with, of the environment's parts and the resource's own. */
static int bootstrap_render(struct rendering *how, const struct hf_resource *r, struct hf_value *own,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = how->arena;
	const struct hf_environment *env = how->env;
	const struct place outside = { &env->root, r->each };
	struct hf_value *parts;
	struct hf_str text;
	if (hf_is(own, HF_UNDEFINED))
		return 0;
	int rc = render(how, outside, env->bootstrap, 0, &parts, err);
	if (rc < 0 || hf_is(parts, HF_UNDEFINED)) {
		*ret = rc < 0 ? own : parts;
		return rc;
	}
	struct hf_value *given = hf_value_shallow(a, parts);
	HF_DICT_EACH (own, e) {
		hf_dict_set(given, hf_entry_key(e), hf_entry_value(e));
	}
	hf_dict_put(given, "environment", hf_value_cstr(a, env->name));
	if (hf_dict_get(given, "region") == NULL && env->region != NULL)
		hf_dict_put(given, "region", hf_value_cstr(a, env->region));
	rc = hf_bootstrap_of(a, given, &text, err);
	if (rc < 0)
		return hf_error_set_pos(err, hf_value_pos(own));
	*ret = hf_value_at(hf_value_str(a, text), hf_value_pos(own));
	return 0;
}

static int property_render(struct rendering *how, const struct hf_resource *r, const char *name,
	struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	const struct place at = { r->scope, r->each };
	bool starts = r->bootstrap != NULL && strcmp(name, r->bootstrap) == 0;
	int rc = render(how, at, v, 0, ret, err);
	if (rc == 0 && starts)
		rc = bootstrap_render(how, r, *ret, ret, err);
	if (rc < 0)
		return hf_wrap(err, "%s: %s", r->name, name);
	return starts ? 0 : hf_property_fit(how->arena, r, name, *ret, ret, err);
}

int hf_resource_render(struct hf_arena *a, const struct hf_environment *env, const struct hf_resource *r,
	const struct hf_value *known, const struct hf_value *pending, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_value *out = hf_value_dict(a), *item;
	struct rendering how = rendering_of(a, env, known, pending);
	HF_DICT_EACH (r->properties, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		int rc = property_render(&how, r, name, hf_entry_value(e), &item, err);
		if (rc < 0)
			return hf_scope_wrap(r->scope, err);
		if (!hf_is(item, HF_NULL))
			hf_dict_set(out, hf_entry_key(e), item);
	}
	*ret = out;
	return 0;
}

int hf_property_render(struct hf_arena *a, const struct hf_environment *env, const struct hf_resource *r,
	const char *name, const struct hf_value *known, const struct hf_value *pending, struct hf_value **ret,
	struct hf_error *err)
{
	struct rendering how = rendering_of(a, env, known, pending);
	struct hf_value *v = hf_dict_get(r->properties, name);
	*ret = NULL;
	return v == NULL ? 0 : property_render(&how, r, name, v, ret, err);
}

int hf_root_render(struct hf_arena *a, const struct hf_environment *env, struct hf_value *v,
	struct hf_value **ret, struct hf_error *err)
{
	struct rendering how = rendering_of(a, env, NULL, NULL);
	const struct place at = { &env->root, NULL };
	how.early = true;
	return render(&how, at, v, 0, ret, err);
}

int hf_lookup_render(struct hf_arena *a, const struct hf_environment *env, const struct hf_lookup *l,
	struct hf_value **ret, struct hf_error *err)
{
	struct rendering how = rendering_of(a, env, NULL, NULL);
	const struct place at = { l->scope, NULL };
	how.early = true;
	int rc = render(&how, at, l->properties, 0, ret, err);
	if (rc == 0 && hf_is(*ret, HF_UNDEFINED))
		rc = hf_fail_at(err, HF_E_UNDEFINED, l->pos,
			"%s: it speaks of \"%s\", which is not known before apply; a look-up is asked before",
			l->name, how.waits_for == NULL ? "something" : how.waits_for);
	return rc < 0 ? hf_scope_wrap(l->scope, err) : 0;
}

int hf_environment_outputs(struct hf_arena *a, const struct hf_environment *env, const struct hf_value *known,
	const struct hf_value *pending, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_dict(a), *item;
	struct rendering how = rendering_of(a, env, known, pending);
	const struct place at = { &env->root, NULL };
	HF_DICT_EACH (env->outputs, e) {
		int rc = render(&how, at, hf_entry_value(e), 0, &item, err);
		if (rc < 0)
			return hf_wrap(err, "output %s", hf_entry_key(e)->u.string.p);
		hf_dict_set(out, hf_entry_key(e), item);
	}
	*ret = out;
	return 0;
}
