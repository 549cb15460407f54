#include "lib/template/eval.h"

struct frame *hf_frame_new(struct hf_eval *e, const struct hf_template *t, const struct scope *scope,
	struct frame *parent, struct context *context)
{
	struct frame *f = hf_new(e->arena, struct frame);
	f->parent = parent;
	f->slots = scope->n_slots == 0 ? NULL : hf_new_array(e->arena, scope->n_slots, struct hf_value *);
	f->scope = scope;
	f->context = context;
	f->template = t;
	return f;
}

void hf_scope_enter(struct hf_eval *e, const struct scope *s)
{
	e->frame->scope = s;
	for (size_t i = 0; i < s->n; i++)
		e->frame->slots[s->names[i].slot] = NULL;
}

int hf_eval_descend(struct hf_eval *e, struct hf_error *err)
{
	const char *here = __builtin_frame_address(0);
	size_t limit = e->env->limits.depth == 0 ? HF_TEMPLATE_DEPTH : e->env->limits.depth;
	ptrdiff_t used = e->stack_base - here;
	if (e->depth >= limit || used > HF_EVAL_STACK_MAX || used < -HF_EVAL_STACK_MAX)
		return hf_fail(err, HF_E_LIMIT,
			"macros, includes and blocks call each other more than %zu deep", limit);
	e->depth++;
	return hf_eval_steps(e, 1, err);
}

/* Value a root scope gave a name, NULL when it gave none. */
static struct hf_value *root_get(const struct frame *f, struct hf_str name)
{
	const struct scope *root = f->template->root;
	const struct scope_name *known = hf_scope_find(root, name);
	return known == NULL ? NULL : f->slots[known->slot];
}

static int context_get(struct hf_eval *e, struct context *c, struct hf_value *key, uint32_t hash,
	bool skip_newest, struct hf_value **ret, struct hf_error *err)
{
	for (; c != NULL; c = c->outer) {
		struct root_frame *r = c->roots;
		if (skip_newest && r != NULL)
			r = r->older;
		skip_newest = false;
		for (; r != NULL; r = r->older) {
			struct hf_value *v = root_get(r->frame, key->u.string);
			if (v != NULL) {
				*ret = v;
				return 0;
			}
		}
		if (c->locals != NULL && (*ret = hf_dict_find(c->locals, key)) != NULL)
			return 0;
		if (c->isolated) {
			*ret = NULL;
			return 0;
		}
	}
	const struct hf_value *variables = e->how->variables;
	if (variables != NULL) {
		const struct hf_map_entry *found = hf_map_find_hashed(&variables->u.dict->map, hash, key);
		if (found != NULL) {
			*ret = found->value;
			return 0;
		}
	}
	*ret = NULL;
	return e->env->variable == NULL ? 0 : e->env->variable(e, key->u.string, ret, err);
}

int hf_eval_resolve(struct hf_eval *e, struct hf_value **v, struct hf_error *err)
{
	return e->env->resolve == NULL ? 0 : e->env->resolve(e, v, err);
}

/* A name the template itself did not set. */
static int name_outside(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	const struct name_node *name = &n->u.name;
	const struct context *c = e->frame->context;
	const struct hf_value *variables = e->how->variables;
	struct hf_value *found;
	bool only_root = name->own_root && c->roots != NULL && c->roots->older == NULL;
	if (only_root && c->plain && variables != NULL && e->env->resolve == NULL &&
		(found = hf_dict_lookup(variables->u.dict, name->key, name->hash, name->hint)) != NULL) {
		if (name->cached)
			e->frame->slots[name->refs[0].slot] = found;
		*ret = found;
		return 0;
	}
	int r = context_get(e, e->frame->context, name->key, name->hash, only_root, &found, err);
	if (r == 0 && found != NULL)
		r = hf_eval_resolve(e, &found, err);
	if (r == 0)
		*ret = found != NULL ? found : name->global != NULL ? name->global : name->undefined;
	return r;
}

int hf_name_get(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	const struct name_node *name = &n->u.name;
	const struct frame *f = e->frame;
	for (uint32_t i = 0, depth = 0; i < name->n_refs; i++) {
		for (; depth < name->refs[i].depth; depth++)
			f = f->parent;
		struct hf_value *v = f->slots[name->refs[i].slot];
		if (v != NULL) {
			*ret = v;
			return 0;
		}
	}
	return name_outside(e, n, ret, err);
}

/* Names of the frames around, innermost last, so that inner ones win. */
static void locals_add(struct hf_value *dict, const struct frame *f)
{
	const struct scope *chain[HF_NODE_HEIGHT_MAX * 2];
	size_t n = 0;
	if (f->parent != NULL)
		locals_add(dict, f->parent);
	for (const struct scope *s = f->scope; s != NULL && n < HF_COUNT(chain); s = s->parent) {
		chain[n++] = s;
		if (s->function == s)
			break;
	}
	while (n-- > 0)
		for (size_t i = 0; i < chain[n]->n; i++) {
			struct hf_value *v = f->slots[chain[n]->names[i].slot];
			if (v != NULL)
				hf_dict_set(dict, chain[n]->names[i].name, v);
		}
}

struct hf_value *hf_frame_locals(struct hf_eval *e)
{
	struct hf_value *dict = hf_value_dict(e->arena);
	locals_add(dict, e->frame);
	return dict;
}

int hf_eval_lookup(struct hf_eval *e, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	for (const struct frame *f = e->frame; f != NULL; f = f->parent)
		for (const struct scope *s = f->scope; s != NULL; s = s->function == s ? NULL : s->parent) {
			const struct scope_name *known = hf_scope_find(s, name);
			if (known != NULL && f->slots[known->slot] != NULL) {
				*ret = f->slots[known->slot];
				return 0;
			}
		}
	struct hf_value *key = hf_value_str(e->arena, name), *found;
	int r = context_get(e, e->frame->context, key, hf_value_hash(key), false, &found, err);
	if (r == 0 && found != NULL)
		r = hf_eval_resolve(e, &found, err);
	if (r == 0)
		*ret = found;
	return r;
}

struct hf_value *hf_eval_locals(struct hf_eval *e)
{
	return hf_frame_locals(e);
}
