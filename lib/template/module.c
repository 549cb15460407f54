#include "lib/base/scope.h"
#include "lib/template/eval.h"

struct module { /* what import gives */
	struct frame *frame;
	struct hf_value *body;
};

static struct block_ref *block_find(const struct context *c, const struct hf_value *name)
{
	for (size_t i = 0; i < c->blocks.n; i++)
		if (hf_value_equal(c->blocks.at[i]->node->u.block.name, name))
			return c->blocks.at[i];
	return NULL;
}

/* The blocks of a template join those of the templates that extend it, which come first. */
static void blocks_add(struct hf_eval *e, struct context *c, const struct hf_template *t)
{
	for (size_t i = 0; i < t->blocks.n; i++) {
		struct block_ref *ref = hf_new(e->arena, struct block_ref);
		*ref = (struct block_ref){ t, t->blocks.at[i], NULL };
		struct block_ref *last = block_find(c, ref->node->u.block.name);
		while (last != NULL && last->parent != NULL)
			last = last->parent;
		if (last != NULL)
			last->parent = ref;
		else
			*hf_vec_push(e->arena, &c->blocks) = ref;
	}
}

int hf_exec_root(
	struct hf_eval *e, const struct hf_template *t, struct context *context, struct hf_error *err)
{
	struct frame *before = e->frame;
	bool muted = e->muted;
	int r = hf_eval_descend(e, err);
	if (r < 0)
		return r;
	context->parent = NULL;
	context->plain = context->locals == NULL && context->outer == NULL && !context->isolated;
	blocks_add(e, context, t);
	e->frame = hf_frame_new(e, t, t->root, NULL, context);
	struct root_frame *root = hf_new(e->arena, struct root_frame);
	*root = (struct root_frame){ e->frame, context->roots };
	context->roots = root;
	r = hf_exec_nodes(e, &t->body, err);
	e->muted = muted;
	if (r == 0 && context->parent != NULL)
		r = hf_exec_root(e, context->parent, context, err);
	e->frame = before;
	e->depth--;
	return r;
}

static int template_load(
	struct hf_eval *e, struct hf_str name, const struct hf_template **ret, struct hf_error *err)
{
	for (size_t i = 0; i < e->loaded.n; i++)
		if (hf_str_is(name, e->loaded.at[i]->name)) {
			*ret = e->loaded.at[i];
			return 0;
		}
	if (e->env->load == NULL)
		return hf_fail(err, HF_E_NOT_FOUND, "template '%.*s' not found: there is no loader",
			HF_STR_ARG(name));
	const char *wanted = hf_strndup(e->arena, name.p, name.n);
	struct hf_str source;
	struct hf_template *t;
	int r = e->env->load(e->how->data, e->arena, wanted, e->frame->template->name, &source, err);
	if (r < 0)
		return r;
	r = hf_template_compile(e->arena, e->env, source, wanted, &t, err);
	if (r < 0)
		return r;
	*hf_vec_push(e->arena, &e->loaded) = t;
	*ret = t;
	return 0;
}

/* name: text, or a list of names of which the first that exists is taken. */
static int template_choose(
	struct hf_eval *e, struct hf_value *name, const struct hf_template **ret, struct hf_error *err)
{
	if (name->type == HF_STRING)
		return template_load(e, name->u.string, ret, err);
	if (name->type == HF_UNDEFINED)
		return hf_eval_undefined(e, name, err);
	if (!hf_is_sequence(name))
		return hf_raise(err, "no loader for a template named by '%s'", hf_type_name(name));
	for (size_t i = 0; i < hf_list_len(name); i++) {
		struct hf_value *one = hf_list_at(name, i);
		if (one->type == HF_UNDEFINED)
			return hf_eval_undefined(e, one, err);
		if (one->type != HF_STRING)
			return hf_raise(err, "no loader for a template named by '%s'", hf_type_name(one));
		int r = template_load(e, one->u.string, ret, err);
		if (r != -HF_E_NOT_FOUND)
			return r;
	}
	return hf_fail(err, HF_E_NOT_FOUND, "none of the templates given were found");
}

static struct context *context_inner(struct hf_eval *e, bool with_context)
{
	struct context *c = hf_new(e->arena, struct context);
	c->isolated = !with_context;
	if (with_context) {
		c->outer = e->frame->context;
		c->locals = hf_frame_locals(e);
	}
	return c;
}

int hf_exec_include(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	const struct include_node *i = &n->u.include;
	struct hf_value *name;
	const struct hf_template *t;
	int r = hf_eval_node(e, i->name, &name, err);
	if (r == 0)
		r = template_choose(e, name, &t, err);
	if (r == -HF_E_NOT_FOUND && i->ignore_missing)
		return 0;
	return r < 0 ? r : hf_exec_root(e, t, context_inner(e, i->with_context), err);
}

static int module_attribute(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	const struct module *m = self->data;
	*ret = NULL;
	if (name.n > 0 && name.p[0] == '_')
		return 0;
	const struct scope_name *known = hf_scope_find(m->frame->template->root, name);
	if (known != NULL)
		*ret = m->frame->slots[known->slot];
	return 0;
}

static void module_print(const struct hf_object *self, struct hf_buf *out)
{
	hf_buf_add(out, ((const struct module *)self->data)->body->u.string);
}

const struct hf_object_kind hf_module_kind = {
	.type_name = "TemplateModule", .print = module_print, .attribute = module_attribute
};

static int module_load(struct hf_eval *e, const struct include_node *i, struct hf_value **ret,
	const struct hf_template **ret_template, struct hf_error *err)
{
	struct hf_value *name;
	const struct hf_template *t;
	int r = hf_eval_node(e, i->name, &name, err);
	if (r == 0)
		r = template_choose(e, name, &t, err);
	if (r < 0)
		return r;
	struct context *c = context_inner(e, i->with_context);
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	struct hf_buf *outer = e->out;
	unsigned marks = e->marks;
	bool muted = e->muted;
	e->out = &out;
	e->marks = 0;
	e->muted = false;
	struct module *m = hf_new(e->arena, struct module);
	r = hf_exec_root(e, t, c, err);
	if (r == 0)
		r = hf_buf_value(e, &out, e->marks | (e->autoescape ? HF_VALUE_MARKUP : 0), &m->body, err);
	e->out = outer;
	e->marks = marks;
	e->muted = muted;
	if (r < 0)
		return r;
	struct root_frame *root = c->roots;
	while (root->frame->template != t && root->older != NULL)
		root = root->older;
	m->frame = root->frame;
	*ret = hf_value_object(e->arena, &hf_module_kind, m);
	(*ret)->flags = m->body->flags;
	*ret_template = t;
	return 0;
}

int hf_exec_import(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	struct hf_value *module;
	const struct hf_template *t;
	int r = module_load(e, &n->u.include, &module, &t, err);
	return r < 0 ? r : hf_eval_assign(e, n->u.include.target, module, err);
}

int hf_exec_from(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	const struct include_node *from = &n->u.include;
	struct hf_value *module;
	const struct hf_template *t;
	int r = module_load(e, from, &module, &t, err);
	for (size_t i = 0; r == 0 && i < from->n_names; i++) {
		struct hf_value *v;
		struct hf_str name = from->names[i].name->u.string;
		r = module_attribute(e, module->u.object, name, &v, err);
		if (r == 0 && v == NULL)
			v = hf_value_undefined(e->arena,
				hf_sprintf(e->arena,
					"the template '%s' does not export the requested name '%.*s'",
					t->name, HF_STR_ARG(name)));
		if (r == 0)
			r = hf_eval_assign(e, from->names[i].target, v, err);
	}
	return r;
}

int hf_exec_extends(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	struct hf_value *name;
	struct context *c = e->frame->context;
	const struct hf_template *t;
	if (c->parent != NULL)
		return hf_raise(err, "extended multiple times");
	int r = hf_eval_node(e, n->u.print, &name, err);
	if (r == 0)
		r = template_choose(e, name, &t, err);
	if (r < 0)
		return r;
	c->parent = t;
	e->muted = true; /* what stands outside blocks from here on is not printed */
	return 0;
}

static int block_run(struct hf_eval *e, const struct block_ref *ref, struct context *c, struct hf_error *err)
{
	const struct block_node *b = &ref->node->u.block;
	int r = hf_eval_descend(e, err);
	if (r < 0)
		return r;
	struct frame *before = e->frame;
	bool muted = e->muted;
	e->frame = hf_frame_new(e, ref->template, b->scope, NULL, c);
	e->frame->block = ref;
	e->muted = false;
	r = hf_exec_nodes(e, &b->body, err);
	e->frame = before;
	e->muted = muted;
	e->depth--;
	return r;
}

int hf_exec_block(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	struct context *c = e->frame->context;
	if (e->muted)
		return 0;
	const struct block_ref *ref = block_find(c, n->u.block.name);
	if (ref == NULL)
		return hf_raise(err, "block '%s' is not known here", n->u.block.name->u.string.p);
	if (n->u.block.required && ref->parent == NULL)
		return hf_raise(err, "Required block '%s' not found", n->u.block.name->u.string.p);
	if (n->u.block.scoped) {
		struct context *scoped = hf_new(e->arena, struct context);
		*scoped = (struct context){ .outer = c, .locals = hf_frame_locals(e), .blocks = c->blocks };
		c = scoped;
	}
	return block_run(e, ref, c, err);
}

/* Text of a block as a value. */
static int block_value(
	struct hf_eval *e, const struct block_ref *ref, struct hf_value **ret, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	struct hf_buf *outer = e->out;
	unsigned marks = e->marks;
	e->out = &out;
	e->marks = 0;
	int r = block_run(e, ref, e->frame->context, err);
	if (r == 0)
		r = hf_buf_value(e, &out, e->marks | (e->autoescape ? HF_VALUE_MARKUP : 0), ret, err);
	e->out = outer;
	e->marks = marks;
	return r;
}

static int reference_call(void *state, struct hf_object *self, struct hf_value *const *args, size_t n_args,
	struct hf_dict *kwargs, struct hf_value **ret, struct hf_error *err)
{
	if (n_args > 0 || kwargs != NULL)
		return hf_raise(err, "a block takes no arguments");
	return block_value(state, self->data, ret, err);
}

static int reference_attribute(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err);
static const struct hf_object_kind reference_kind = {
	.type_name = "BlockReference", .call = reference_call, .attribute = reference_attribute
};

static int reference_up(struct hf_eval *e, const struct block_ref *ref, struct hf_value **ret)
{
	if (ref != NULL && ref->parent != NULL)
		*ret = hf_value_object(e->arena, &reference_kind, ref->parent);
	else
		*ret = hf_value_undefined(
			e->arena, ref == NULL ? "super is undefined outside of a block"
					      : hf_sprintf(e->arena, "there is no parent block called '%s'.",
							ref->node->u.block.name->u.string.p));
	return 0;
}

static int reference_attribute(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	*ret = NULL;
	return hf_str_is(name, "super") ? reference_up(state, self->data, ret) : 0;
}

/* The block being run, found through the functions around this place. */
static const struct block_ref *block_current(const struct hf_eval *e)
{
	const struct frame *f = e->frame;
	while (f != NULL && f->block == NULL)
		f = f->parent;
	return f == NULL ? NULL : f->block;
}

static int super_call(void *state, struct hf_object *self, struct hf_value *const *args, size_t n_args,
	struct hf_dict *kwargs, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	struct hf_value *up;
	int r = reference_up(e, block_current(e), &up);
	if (r == 0 && up->type == HF_UNDEFINED)
		return hf_eval_undefined(e, up, err);
	return r < 0 ? r : reference_call(state, up->u.object, args, n_args, kwargs, ret, err);
}

static int super_attribute(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	const struct block_ref *ref = block_current(e);
	*ret = NULL;
	return hf_str_is(name, "super") ? reference_up(e, ref == NULL ? NULL : ref->parent, ret) : 0;
}

static int self_attribute(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	struct hf_value key = { .type = HF_STRING, .u.string = name };
	struct block_ref *ref = block_find(e->frame->context, &key);
	*ret = ref == NULL ? NULL : hf_value_object(e->arena, &reference_kind, ref);
	return 0;
}

static const struct hf_object_kind super_kind = {
	.type_name = "BlockReference", .call = super_call, .attribute = super_attribute
};
static const struct hf_object_kind self_kind = { .type_name = "TemplateReference",
	.attribute = self_attribute };
static struct hf_object super_object = { &super_kind, NULL }, self_object = { &self_kind, NULL };
struct hf_value hf_super_value = { .type = HF_OBJECT, .u.object = &super_object };
struct hf_value hf_self_value = { .type = HF_OBJECT, .u.object = &self_object };
