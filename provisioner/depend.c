/* Who needs whom: every name a template speaks of is a variable, an input, a look-up, a resource or a
 * module's output; through inputs and outputs it ends at resources. */
#include <string.h>

#include "provisioner/scope.h"

/* Resources that an input or an output of a module comes from. */
struct source {
	enum { NEW, OPEN, DONE } mark;
	HF_VEC(size_t) needs;
};

struct finder {
	struct hf_arena *arena;
	struct hf_environment *env;
	struct hf_map sources; /* "module.net|in|name" → struct source */
	size_t *seen;          /* of each resource: for whom it was added last */
	size_t turn;
	int chain;
};

void *hf_number_pack(size_t i)
{
	return (void *)(uintptr_t)(i + 1);
}

size_t hf_number_of(const struct hf_map *m, const char *key)
{
	void *packed = hf_map_get(m, key);
	return packed == NULL ? SIZE_MAX : (size_t)(uintptr_t)packed - 1;
}

/* Whose names are looked up, and where what is found goes. */
struct asker {
	const struct hf_scope *scope;
	bool each;
	const char *what; /* for messages: "vpc: " */
	struct source *into;
};

static int paths_follow(
	struct finder *f, const struct asker *who, const struct hf_value *v, struct hf_error *err);

static void need(struct finder *f, struct source *into, size_t i)
{
	*hf_vec_push(f->arena, &into->needs) = i;
}

static bool base_need(struct finder *f, struct source *into, const char *base)
{
	const struct hf_environment *env = f->env;
	size_t i = hf_number_of(&env->bases, base);
	for (; i < env->resources.n && strcmp(env->resources.at[i].base, base) == 0; i++)
		need(f, into, i);
	return hf_map_get(&env->bases, base) != NULL;
}

/* An input or output, once for everybody that speaks of it. */
static int source_follow(struct finder *f, const struct asker *inside, const char *key,
	const struct hf_value *v, struct source *into, struct hf_error *err)
{
	struct source *s = hf_map_get(&f->sources, key);
	if (s == NULL) {
		s = hf_new(f->arena, struct source);
		hf_map_set(&f->sources, key, s);
	}
	if (s->mark == OPEN)
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v),
			"%sit needs itself, by way of other modules", inside->what);
	if (s->mark == NEW) {
		struct asker deeper = *inside;
		deeper.into = s;
		s->mark = OPEN;
		if (++f->chain > HF_MODULE_CHAIN_MAX)
			return hf_fail_at(err, HF_E_LIMIT, hf_value_pos(v),
				"more than %d inputs and outputs hang on each other", HF_MODULE_CHAIN_MAX);
		int rc = v == NULL ? 0 : paths_follow(f, &deeper, v, err);
		if (rc < 0)
			return rc;
		f->chain--;
		s->mark = DONE;
	}
	for (size_t i = 0; into != NULL && i < s->needs.n; i++)
		need(f, into, s->needs.at[i]);
	return 0;
}

static int input_follow(struct finder *f, const struct hf_scope *s, const char *name, struct source *into,
	struct hf_error *err)
{
	const struct hf_value *given = hf_dict_get(s->inputs, name), *row = hf_dict_get(s->declared, name);
	const struct asker inside = {
		.scope = given == NULL ? s : s->parent,
		.each = given != NULL && s->each != NULL,
		.what = hf_sprintf(f->arena, "%s: input %s: ", s->name, name),
	};
	return source_follow(f, &inside, hf_sprintf(f->arena, "%s|in|%s", s->name, name),
		given == NULL ? hf_dict_get(row, "default") : given, into, err);
}

static int output_follow(struct finder *f, const struct hf_scope *s, const char *name, struct source *into,
	struct hf_error *err)
{
	const struct asker inside = { .scope = s,
		.what = hf_sprintf(f->arena, "%s: output %s: ", s->name, name) };
	int rc = source_follow(f, &inside, hf_sprintf(f->arena, "%s|out|%s", s->name, name),
		hf_dict_get(s->outputs, name), into, err);
	return rc < 0 ? hf_scope_wrap(s, err) : 0;
}

static int instance_follow(struct finder *f, const struct asker *who, const struct hf_scope *s,
	struct hf_str output, const struct hf_value *v, struct hf_error *err)
{
	if (output.n > 0) {
		const char *name = hf_str_dup(f->arena, output);
		if (hf_dict_get(s->outputs, name) != NULL)
			return output_follow(f, s, name, who->into, err);
		const char *near = hf_key_nearest(f->arena, s->outputs, name);
		return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(v),
			"%s%s (%s) has no output \"%s\"%s%s%s", who->what, s->name, s->path, name,
			near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
			near == NULL ? "" : "\"?");
	}
	HF_DICT_EACH (s->outputs, e) {
		int rc = output_follow(f, s, hf_entry_key(e)->u.string.p, who->into, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int module_follow(struct finder *f, const struct asker *who, const struct hf_module *m,
	struct hf_str path, const struct hf_value *v, struct hf_error *err)
{
	struct hf_str key = { 0 }, output = { 0 };
	bool found = false;
	if (m->by_key)
		hf_str_split(&path, '.', &key);
	hf_str_split(&path, '.', &output);
	for (size_t i = 0; i < m->instances.n; i++) {
		const struct hf_scope *s = m->instances.at[i];
		if (m->by_key && key.n > 0 && !s->unexpanded &&
			!hf_str_is(key, hf_dict_cstr(s->each, "key", "")))
			continue;
		found = true;
		int rc = instance_follow(f, who, s, output, v, err);
		if (rc < 0)
			return rc;
	}
	if (!found && key.n > 0)
		return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(v),
			"%sthere is no \"%.*s\" among the keys of this module's for_each", who->what,
			HF_STR_ARG(key));
	return 0;
}

static int modules_follow(struct finder *f, const struct asker *who, struct hf_str path,
	const struct hf_value *v, struct hf_error *err)
{
	struct hf_str name = { 0 };
	bool found = false;
	hf_str_split(&path, '.', &name);
	HF_MAP_EACH (&who->scope->modules, e) {
		const char *mine = e->key;
		if (name.n > 0 && !hf_str_is(name, mine))
			continue;
		found = true;
		int rc = module_follow(f, who, e->value, path, v, err);
		if (rc < 0)
			return rc;
	}
	if (!found && name.n > 0)
		return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(v), "%sthere is no module \"%.*s\"",
			who->what, HF_STR_ARG(name));
	return 0;
}

static bool name_is_value(const struct asker *who, const char *name)
{
	const struct hf_scope *s = who->scope;
	if (strcmp(name, "environment") == 0 || strcmp(name, "region") == 0)
		return true;
	if (strcmp(name, "each") == 0 && who->each)
		return true;
	return hf_dict_get(s->variables, name) != NULL || hf_dict_get(s->unlooked, name) != NULL;
}

/* What a template reads of something that was made or looked up is among its outputs. */
static int output_check(struct finder *f, const struct asker *who, const struct hf_spec *spec,
	struct hf_str step, const struct hf_value *v, struct hf_error *err)
{
	const struct hf_value *outputs = hf_dict_get(spec->read, "outputs");
	if (step.n == 0 || (!spec->lookup && hf_str_is(step, "id")))
		return 0;
	const char *name = hf_str_dup(f->arena, step);
	if (hf_is(outputs, HF_DICT) && hf_dict_get(outputs, name) != NULL)
		return 0;
	struct hf_value *all =
		hf_is(outputs, HF_DICT) ? hf_value_shallow(f->arena, outputs) : hf_value_dict(f->arena);
	if (!spec->lookup)
		hf_dict_put(all, "id", NULL);
	const char *near = hf_key_nearest(f->arena, all, name);
	return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(v), "%s%s has no output \"%s\"%s%s%s", who->what,
		spec->type, name, near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
		near == NULL ? "" : "\"?");
}

/* rest: what is read of it: an output, or KEY.OUTPUT of a for_each. */
static int resource_path_check(struct finder *f, const struct asker *who, const char *base,
	struct hf_str rest, const struct hf_value *v, struct hf_error *err)
{
	static const char *const methods[] = { "items", "keys", "values", "get" };
	const struct hf_environment *env = f->env;
	const struct hf_resource *r = &env->resources.at[hf_number_of(&env->bases, base)];
	struct hf_str step = { 0 };
	if (r->each == NULL) {
		hf_str_split(&rest, '.', &step);
		return output_check(f, who, r->spec, step, v, err);
	}
	if (!hf_str_split(&rest, '.', &step))
		return 0;
	for (size_t i = 0; i < HF_COUNT(methods); i++)
		if (hf_str_is(step, methods[i]))
			return 0;
	const char *name = hf_sprintf(f->arena, "%s.%.*s", base, HF_STR_ARG(step));
	if (!r->unexpanded && hf_map_get(&env->names, name) == NULL)
		return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(v),
			"%sthere is no \"%.*s\" among the keys of %s", who->what, HF_STR_ARG(step), base);
	struct hf_str output = { 0 };
	hf_str_split(&rest, '.', &output);
	return output_check(f, who, r->spec, output, v, err);
}

static const struct hf_lookup *lookup_find(
	const struct hf_environment *env, const struct hf_scope *s, const char *name)
{
	for (size_t i = 0; i < env->lookups.n; i++)
		if (env->lookups.at[i].scope == s && strcmp(env->lookups.at[i].base, name) == 0)
			return &env->lookups.at[i];
	return NULL;
}

static int path_follow(struct finder *f, const struct asker *who, struct hf_str path,
	const struct hf_value *v, struct hf_error *err)
{
	const struct hf_scope *s = who->scope;
	struct hf_str first;
	if (!hf_str_split(&path, '.', &first))
		return 0;
	const char *name = hf_str_dup(f->arena, first);
	if (name_is_value(who, name)) {
		const struct hf_lookup *l = lookup_find(f->env, s, name);
		struct hf_str step = { 0 };
		hf_str_split(&path, '.', &step);
		return l == NULL ? 0 : output_check(f, who, l->spec, step, v, err);
	}
	if (hf_dict_get(s->declared, name) != NULL)
		return input_follow(f, s, name, who->into, err);
	if (strcmp(name, "module") == 0)
		return modules_follow(f, who, path, v, err);
	const char *base = hf_sprintf(f->arena, "%s%s", s->prefix, name);
	if (base_need(f, who->into, base))
		return resource_path_check(f, who, base, path, v, err);
	if (hf_dict_get(s->resources, name) != NULL)
		return 0; /* of a for_each over nothing */
	return hf_fail_at(err, HF_E_UNDEFINED, hf_value_pos(v), "%s\"%s\" is neither a%s nor a resource",
		who->what, name, s->parent == NULL ? " variable" : "n input");
}

static int paths_follow(
	struct finder *f, const struct asker *who, const struct hf_value *v, struct hf_error *err)
{
	struct hf_value *paths = hf_value_dict(f->arena);
	int rc = hf_value_paths(f->arena, v, paths, err);
	if (rc < 0)
		return rc;
	HF_DICT_EACH (paths, e) {
		rc = path_follow(f, who, hf_entry_key(e)->u.string, hf_entry_value(e), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* "net" or "net.KEY": a module of this scope of which there is none, or not known yet which. */
static bool module_open(const struct hf_scope *s, const char *name)
{
	struct hf_str rest = hf_str(name), first = { 0 };
	hf_str_split(&rest, '.', &first);
	HF_MAP_EACH (&s->modules, e) {
		const struct hf_module *m = e->value;
		if (hf_str_is(first, (const char *)e->key))
			return m->instances.n == 0 || m->instances.at[0]->unexpanded;
	}
	return false;
}

/* "subnet", "subnet.KEY", or "module.net" for all that is in it. */
static bool named_need(struct finder *f, const struct hf_scope *s, struct source *into, const char *name)
{
	static const char modules[] = "module.";
	const struct hf_environment *env = f->env;
	const char *base = hf_sprintf(f->arena, "%s%s", s->prefix, name);
	size_t n = strlen(base), before = into->needs.n;
	if (strncmp(name, modules, strlen(modules)) != 0) {
		const struct hf_resource *one = hf_environment_like(env, base);
		if (base_need(f, into, base))
			return true;
		if (one != NULL)
			need(f, into, (size_t)(one - env->resources.at));
		return one != NULL || hf_dict_get(s->resources, name) != NULL;
	}
	for (size_t i = 0; i < env->resources.n; i++) {
		const char *other = env->resources.at[i].name;
		if (strncmp(other, base, n) == 0 && other[n] == '.')
			need(f, into, i);
	}
	return into->needs.n > before || module_open(s, name + strlen(modules));
}

/* Nothing that is made is needed for it, but its names must be right. */
static int each_follow(struct finder *f, const struct hf_scope *s, const char *what,
	const struct hf_value *for_each, struct hf_error *err)
{
	struct source ignored = { 0 };
	const struct asker who = {
		.scope = s, .what = hf_sprintf(f->arena, "%s: for_each: ", what), .into = &ignored
	};
	return paths_follow(f, &who, for_each, err);
}

static int resource_follow(struct finder *f, size_t number, struct hf_error *err)
{
	struct hf_resource *r = &f->env->resources.at[number];
	struct source all = { 0 };
	const struct asker who = {
		.scope = r->scope,
		.each = r->each != NULL,
		.what = hf_sprintf(f->arena, "%s: ", r->name),
		.into = &all,
	};
	for (size_t i = 0; r->depends_on != NULL && i < hf_list_len(r->depends_on); i++) {
		const struct hf_value *name = hf_list_at(r->depends_on, i);
		if (!named_need(f, r->scope, &all, hf_is(name, HF_STRING) ? name->u.string.p : "")) {
			hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(name), "%s: depends_on names no resource",
				r->name);
			return hf_scope_wrap(r->scope, err);
		}
	}
	int rc = paths_follow(f, &who, r->properties, err);
	if (rc == 0 && r->for_each != NULL && hf_number_of(&f->env->bases, r->base) == number)
		rc = each_follow(f, r->scope, r->base, r->for_each, err);
	if (rc < 0)
		return hf_scope_wrap(r->scope, err);
	struct asker outside = who; /* the environment's part of what machines start with */
	outside.scope = &f->env->root;
	rc = r->bootstrap == NULL ? 0 : paths_follow(f, &outside, f->env->bootstrap, err);
	if (rc < 0)
		return rc;
	f->turn++;
	for (size_t i = 0; i < all.needs.n; i++) {
		size_t other = all.needs.at[i];
		if (f->seen[other] == f->turn)
			continue;
		f->seen[other] = f->turn;
		*hf_vec_push(f->arena, &r->depends) = other;
	}
	return 0;
}

/* What nobody speaks of must be right, too. */
static int scope_follow(struct finder *f, const struct hf_scope *s, struct hf_error *err)
{
	struct source ignored = { 0 };
	int rc = 0;
	HF_DICT_EACH (s->declared, e) {
		rc = rc < 0 ? rc : input_follow(f, s, hf_entry_key(e)->u.string.p, &ignored, err);
	}
	HF_DICT_EACH (s->outputs, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		const struct asker who = { .scope = s, .what = "", .into = &ignored };
		if (rc == 0)
			rc = s->parent == NULL ? paths_follow(f, &who, hf_entry_value(e), err)
					       : output_follow(f, s, name, &ignored, err);
	}
	HF_MAP_EACH (&s->modules, e) {
		const struct hf_module *m = e->value;
		const struct hf_scope *first = m->instances.n == 0 ? NULL : m->instances.at[0];
		if (rc == 0 && first != NULL && first->for_each != NULL)
			rc = each_follow(f, s, first->name, first->for_each, err);
		for (size_t i = 0; rc == 0 && i < m->instances.n; i++)
			rc = scope_follow(f, m->instances.at[i], err);
	}
	return rc;
}

/* Look-ups come first, so they may speak of nothing that is made. */
static int lookups_check(struct finder *f, struct hf_error *err)
{
	for (size_t i = 0; i < f->env->lookups.n; i++) {
		const struct hf_lookup *l = &f->env->lookups.at[i];
		struct source found = { 0 };
		const struct asker who = {
			.scope = l->scope, .what = hf_sprintf(f->arena, "%s: ", l->name), .into = &found
		};
		int rc = paths_follow(f, &who, l->properties, err);
		if (rc == 0 && found.needs.n > 0)
			rc = hf_fail_at(err, HF_E_UNDEFINED, l->pos,
				"%s: it speaks of %s, which is not there before apply; a look-up is asked "
				"before anything is made",
				l->name, f->env->resources.at[found.needs.at[0]].name);
		if (rc < 0)
			return hf_scope_wrap(l->scope, err);
	}
	return 0;
}

/* --- order --- */

struct sorting {
	struct hf_environment *env;
	char *mark; /* 0 new, 1 open, 2 done */
	size_t n;
	size_t *order;
	struct frame {
		size_t number, next;
	} * stack;
};

/* Depth first with a stack of its own: the graph may be deep. */
static int sort_from(struct sorting *s, size_t start, struct hf_error *err)
{
	struct frame *stack = s->stack;
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
		hf_new_array(a, env->resources.n + 1, size_t),
		hf_new_array(a, env->resources.n + 1, struct frame) };
	for (size_t i = 0; i < env->resources.n; i++) {
		int rc = s.mark[i] == 0 ? sort_from(&s, i, err) : 0;
		if (rc < 0)
			return rc;
	}
	env->order = s.order;
	return 0;
}

int hf_depends_find(struct hf_arena *a, struct hf_environment *env, struct hf_error *err)
{
	struct finder f = { .arena = a, .env = env };
	f.seen = hf_new_array(a, env->resources.n + 1, size_t);
	hf_map_init_str(&f.sources, a);
	int rc = lookups_check(&f, err);
	for (size_t i = 0; rc == 0 && i < env->resources.n; i++)
		rc = resource_follow(&f, i, err);
	if (rc == 0)
		rc = scope_follow(&f, &env->root, err);
	return rc < 0 ? rc : order_make(a, env, err);
}
