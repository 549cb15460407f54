#include <stdio.h>

#include "lib/template/builtin.h"
#include "lib/template/eval.h"
#include "lib/template/methods.h"
#include "lib/template/tree.h"

struct pending { /* a name that is read; its scopes are complete only after the whole tree was seen */
	struct node *node;
	const struct scope *scope;
	bool in_block;
};

struct linker {
	struct hf_arena *arena;
	struct hf_template *template;
	const struct hf_template_env *env;
	struct hf_error *err;
	struct {
		struct pending *at;
		size_t n, room;
	} reads;
	struct macro_use {
		struct macro_node *macro;
		struct macro_use *outer;
	} * macros;
	struct loop_use {
		struct for_node *loop;
		struct loop_use *outer;
	} * loops;
	bool in_block;
	bool soft; /* inside {% if %} or an inline if: an unknown filter fails only when reached */
};

static int link_node(struct linker *k, struct node *n, struct scope *s);

static struct scope *scope_new(struct linker *k, struct scope *parent, bool function)
{
	struct scope *s = hf_new(k->arena, struct scope);
	s->parent = parent;
	s->function = function ? s : parent->function;
	return s;
}

const struct scope_name *hf_scope_find(const struct scope *s, struct hf_str name)
{
	for (size_t i = 0; i < s->n; i++)
		if (hf_str_equal(s->names[i].name->u.string, name))
			return &s->names[i];
	return NULL;
}

static uint32_t scope_declare(struct linker *k, struct scope *s, struct hf_value *name)
{
	const struct scope_name *known = hf_scope_find(s, name->u.string);
	if (known != NULL)
		return known->slot;
	s->names = hf_vec_grow(k->arena, s->names, &s->n, &s->room, sizeof(*s->names));
	struct scope_name *added = &s->names[s->n - 1];
	added->name = name;
	added->slot = s->function->n_slots++;
	return added->slot;
}

static struct slot_ref *ref_one(struct linker *k, uint32_t slot)
{
	struct slot_ref *ref = hf_new(k->arena, struct slot_ref);
	ref->slot = slot;
	return ref;
}

/* Declares what a target assigns; the target's own node then holds the slot. */
static int link_target(struct linker *k, struct node *n, struct scope *s)
{
	if (n->kind == N_NAMESPACE_TARGET)
		return link_node(k, n->u.namespace_target.name, s);
	if (n->kind == N_NAME) {
		n->u.name.refs = ref_one(k, scope_declare(k, s, n->u.name.key));
		n->u.name.n_refs = 1;
		return 0;
	}
	for (size_t i = 0; i < n->u.list.n; i++) {
		int r = link_target(k, n->u.list.at[i], s);
		if (r < 0)
			return r;
	}
	return 0;
}

static int link_list(struct linker *k, const struct nodes *list, struct scope *s)
{
	for (size_t i = 0; i < list->n; i++) {
		int r = list->at[i] == NULL ? 0 : link_node(k, list->at[i], s);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A body in a scope of its own is not "soft" any more, as in Jinja2. */
static int link_body(struct linker *k, const struct nodes *list, struct scope *s)
{
	bool soft = k->soft;
	k->soft = false;
	int r = link_list(k, list, s);
	k->soft = soft;
	return r;
}

static void link_name(struct linker *k, struct node *n, struct scope *s)
{
	struct hf_str name = n->u.name.key->u.string;
	*hf_vec_push(k->arena, &k->reads) = (struct pending){ n, s, k->in_block };
	*hf_vec_push(k->arena, &k->template->names) = n;
	if (k->loops != NULL && hf_str_is(name, "loop"))
		k->loops->loop->uses_loop = true;
	for (struct macro_use *m = k->macros; m != NULL; m = m->outer) {
		m->macro->uses_caller |= hf_str_is(name, "caller");
		m->macro->uses_varargs |= hf_str_is(name, "varargs");
		m->macro->uses_kwargs |= hf_str_is(name, "kwargs");
	}
}

static int link_arguments(struct linker *k, struct arguments *args, struct scope *s)
{
	int r = link_list(k, &args->positional, s);
	for (size_t i = 0; r == 0 && i < args->n_keywords; i++)
		r = link_node(k, args->keywords[i].value, s);
	if (r == 0 && args->star != NULL)
		r = link_node(k, args->star, s);
	if (r == 0 && args->star_star != NULL)
		r = link_node(k, args->star_star, s);
	return r;
}

static struct hf_str constant_text(const struct arguments *args, size_t i)
{
	const struct node *n = i < args->positional.n ? args->positional.at[i] : NULL;
	bool text = n != NULL && n->kind == N_CONST && hf_is(n->u.constant, HF_STRING);
	return text ? n->u.constant->u.string : (struct hf_str){ 0 };
}

static void tell(const struct linker *k, const struct node *n, enum hf_seen_kind kind, struct hf_str name,
	struct hf_str argument)
{
	struct hf_template_seen seen = { kind, name, argument, true, n->line, n->column };
	if (kind == HF_SEEN_FILTER)
		seen.known = hf_builtin_filter(k->env, name) != NULL;
	else if (kind == HF_SEEN_TEST)
		seen.known = hf_builtin_test(k->env, name) != NULL;
	k->env->seen(k->env->seen_data, &seen);
}

/* map('upper') and selectattr('state', 'search') name filters and tests as text. */
static void tell_filter(const struct linker *k, const struct node *n)
{
	static const struct {
		const char *name;
		enum hf_seen_kind kind;
		size_t argument;
	} rows[] = { { "map", HF_SEEN_FILTER, 0 }, { "select", HF_SEEN_TEST, 0 },
		{ "reject", HF_SEEN_TEST, 0 }, { "selectattr", HF_SEEN_TEST, 1 },
		{ "rejectattr", HF_SEEN_TEST, 1 } };
	const struct call_node *call = &n->u.call;
	struct hf_str none = { 0 };
	tell(k, n, n->kind == N_FILTER ? HF_SEEN_FILTER : HF_SEEN_TEST, call->name->u.string, none);
	for (size_t i = 0; n->kind == N_FILTER && i < sizeof(rows) / sizeof(*rows); i++) {
		struct hf_str inner = constant_text(&call->args, rows[i].argument);
		if (inner.p != NULL && hf_str_is(call->name->u.string, rows[i].name))
			tell(k, n, rows[i].kind, inner, none);
	}
}

static int link_call(struct linker *k, struct node *n, struct scope *s)
{
	const struct node *target = n->u.call.target;
	if (k->env->seen != NULL && target->kind == N_NAME)
		tell(k, n, HF_SEEN_CALL, target->u.name.key->u.string, constant_text(&n->u.call.args, 0));
	int r = link_node(k, n->u.call.target, s);
	return r < 0 ? r : link_arguments(k, &n->u.call.args, s);
}

static int link_filter(struct linker *k, struct node *n, struct scope *s)
{
	struct call_node *call = &n->u.call;
	struct hf_str name = call->name->u.string;
	call->row = n->kind == N_FILTER ? hf_builtin_filter(k->env, name) : hf_builtin_test(k->env, name);
	if (k->env->seen != NULL)
		tell_filter(k, n);
	else if (call->row == NULL && (!k->soft || k->env->unknown_is_always_error)) {
		struct hf_pos pos = { k->template->name, n->line, n->column };
		return hf_fail_at(k->err, HF_E_PARSE, pos, "No %s named '%.*s'.",
			n->kind == N_FILTER ? "filter" : "test", HF_STR_ARG(name));
	}
	int r = call->target == NULL ? 0 : link_node(k, call->target, s);
	return r < 0 ? r : link_arguments(k, &call->args, s);
}

static int link_for(struct linker *k, struct node *n, struct scope *s)
{
	struct for_node *f = &n->u.loop;
	int r = link_node(k, f->iterable, s);
	f->targets = scope_new(k, s, f->recursive);
	f->scope = scope_new(k, f->targets, false);
	f->else_scope = scope_new(k, s, false);
	if (r == 0)
		r = link_target(k, f->target, f->targets);
	if (r == 0 && hf_scope_find(f->targets, HF_STR("loop")) != NULL) {
		struct hf_pos pos = { k->template->name, n->line, n->column };
		return hf_fail_at(
			k->err, HF_E_PARSE, pos, "Can't assign to special loop variable in for-loop target");
	}
	if (r == 0 && f->test != NULL)
		r = link_node(k, f->test, f->targets);
	struct hf_value *name = hf_value_cstr(k->arena, "loop");
	f->loop_slot = scope_declare(k, f->scope, name);
	struct loop_use use = { f, k->loops };
	k->loops = &use;
	f->uses_loop = f->recursive;
	if (r == 0)
		r = link_body(k, &f->body, f->scope);
	k->loops = use.outer;
	return r < 0 ? r : link_body(k, &f->otherwise, f->else_scope);
}

static int link_if(struct linker *k, struct node *n, struct scope *s)
{
	bool soft = k->soft;
	k->soft = true;
	int r = 0;
	for (size_t i = 0; r == 0 && i < n->u.branches.n; i++) {
		struct branch *b = &n->u.branches.at[i];
		if (b->test != NULL)
			r = link_node(k, b->test, s);
		if (r == 0)
			r = link_list(k, &b->body, s);
	}
	k->soft = soft;
	return r;
}

static int link_condition(struct linker *k, struct node *n, struct scope *s)
{
	bool soft = k->soft;
	k->soft = true;
	int r = link_node(k, n->u.condition.test, s);
	if (r == 0)
		r = link_node(k, n->u.condition.then, s);
	if (r == 0 && n->u.condition.otherwise != NULL)
		r = link_node(k, n->u.condition.otherwise, s);
	k->soft = soft;
	return r;
}

static int link_set(struct linker *k, struct node *n, struct scope *s)
{
	int r = n->u.assign.value == NULL ? 0 : link_node(k, n->u.assign.value, s);
	if (r == 0 && n->kind == N_SET_BLOCK) {
		n->u.assign.scope = scope_new(k, s, false);
		r = link_body(k, &n->u.assign.body, n->u.assign.scope);
	}
	return r < 0 ? r : link_target(k, n->u.assign.target, s);
}

static int link_with(struct linker *k, struct node *n, struct scope *s)
{
	struct with_node *w = &n->u.with;
	w->scope = scope_new(k, s, false);
	int r = link_list(k, &w->values, s);
	for (size_t i = 0; r == 0 && i < w->targets.n; i++)
		r = link_target(k, w->targets.at[i], w->scope);
	return r < 0 ? r : link_body(k, &w->body, w->scope);
}

static int link_caller(struct linker *k, struct node *n)
{
	struct macro_node *m = &n->u.macro;
	const struct scope_name *given = hf_scope_find(m->scope, HF_STR("caller"));
	m->explicit_caller = given != NULL;
	if (!m->uses_caller)
		return 0;
	for (size_t i = 0; given != NULL && i < m->params.n - m->defaults.n; i++)
		if (hf_str_is(m->params.at[i]->u.name.key->u.string, "caller")) {
			struct hf_pos pos = { k->template->name, n->line, n->column };
			return hf_fail_at(k->err, HF_E_PARSE, pos,
				"When defining macros or call blocks the special \"caller\" "
				"argument must be omitted or be given a default.");
		}
	m->caller_slot = scope_declare(k, m->scope, hf_value_cstr(k->arena, "caller"));
	return 0;
}

static int link_macro(struct linker *k, struct node *n, struct scope *s)
{
	struct macro_node *m = &n->u.macro;
	int r = 0;
	if (m->call != NULL)
		r = link_node(k, m->call, s);
	if (r == 0 && m->target != NULL)
		r = link_target(k, m->target, s);
	m->scope = scope_new(k, s, true);
	for (size_t i = 0; i < m->params.n; i++) {
		struct hf_pos pos = { k->template->name, m->params.at[i]->line, m->params.at[i]->column };
		struct hf_str name = m->params.at[i]->u.name.key->u.string;
		if (hf_scope_find(m->scope, name) != NULL)
			return hf_fail_at(k->err, HF_E_TEMPLATE, pos,
				"duplicate argument '%.*s' in macro definition", HF_STR_ARG(name));
		(void)link_target(k, m->params.at[i], m->scope);
	}
	struct macro_use use = { m, k->macros };
	k->macros = &use;
	if (r == 0)
		r = link_body(k, &m->defaults, m->scope);
	if (r == 0)
		r = link_body(k, &m->body, m->scope);
	k->macros = use.outer;
	if (r == 0)
		r = link_caller(k, n);
	m->uses_varargs &= hf_scope_find(m->scope, HF_STR("varargs")) == NULL;
	m->uses_kwargs &= hf_scope_find(m->scope, HF_STR("kwargs")) == NULL;
	if (m->uses_varargs)
		m->varargs_slot = scope_declare(k, m->scope, hf_value_cstr(k->arena, "varargs"));
	if (m->uses_kwargs)
		m->kwargs_slot = scope_declare(k, m->scope, hf_value_cstr(k->arena, "kwargs"));
	return r;
}

static void loops_all_used(struct linker *k)
{
	for (struct loop_use *l = k->loops; l != NULL; l = l->outer)
		l->loop->uses_loop = true;
}

static int link_block(struct linker *k, struct node *n)
{
	struct block_node *b = &n->u.block;
	if (b->scoped)
		loops_all_used(k);
	b->scope = scope_new(k, NULL, true);
	struct loop_use *loops = k->loops;
	struct macro_use *macros = k->macros;
	bool in_block = k->in_block;
	k->loops = NULL;
	k->macros = NULL;
	k->in_block = true;
	int r = link_body(k, &b->body, b->scope);
	k->loops = loops;
	k->macros = macros;
	k->in_block = in_block;
	return r;
}

static int link_include(struct linker *k, struct node *n, struct scope *s)
{
	struct include_node *i = &n->u.include;
	if (i->with_context)
		loops_all_used(k);
	int r = link_node(k, i->name, s);
	if (r == 0 && i->target != NULL)
		r = link_target(k, i->target, s);
	for (size_t at = 0; r == 0 && at < i->n_names; at++)
		r = link_target(k, i->names[at].target, s);
	return r;
}

static int link_scoped(struct linker *k, struct node *n, struct scope *s)
{
	struct scoped_node *b = &n->u.scoped;
	b->scope = scope_new(k, s, false);
	int r = link_node(k, b->expression, s);
	return r < 0 ? r : link_body(k, &b->body, b->scope);
}

static int link_compare(struct linker *k, struct node *n, struct scope *s)
{
	int r = link_node(k, n->u.compare.first, s);
	for (size_t i = 0; r == 0 && i < n->u.compare.n; i++)
		r = link_node(k, n->u.compare.at[i].value, s);
	return r;
}

static int link_slice(struct linker *k, struct node *n, struct scope *s)
{
	struct node *parts[] = { n->u.slice.start, n->u.slice.stop, n->u.slice.step };
	int r = 0;
	for (size_t i = 0; r == 0 && i < HF_COUNT(parts); i++)
		r = parts[i] == NULL ? 0 : link_node(k, parts[i], s);
	return r;
}

static int link_attribute(struct linker *k, struct node *n, struct scope *s)
{
	struct attribute_node *at = &n->u.attribute;
	struct hf_str name = at->key->u.string;
	*hf_vec_push(k->arena, &k->template->steps) = n;
	at->hash = hf_value_hash(at->key);
	at->hint = hf_new(k->arena, uint32_t);
	at->loop_field = hf_loop_field(name);
	at->of_str = hf_row_find(hf_methods_str, name);
	at->of_list = hf_row_find(hf_methods_list, name);
	at->of_dict = hf_row_find(hf_methods_dict, name);
	return link_node(k, at->object, s);
}

static int link_expression(struct linker *k, struct node *n, struct scope *s)
{
	int r = 0;
	switch ((int)n->kind) {
	case N_NAME:
		link_name(k, n, s);
		return 0;
	case N_LIST:
	case N_TUPLE:
	case N_DICT:
	case N_CONCAT:
		return link_list(k, &n->u.list, s);
	case N_COMPARE:
		return link_compare(k, n, s);
	case N_CONDITION:
		return link_condition(k, n, s);
	case N_ATTRIBUTE:
		return link_attribute(k, n, s);
	case N_SLICE:
		return link_slice(k, n, s);
	case N_CALL:
		return link_call(k, n, s);
	case N_FILTER:
	case N_TEST:
		return link_filter(k, n, s);
	case N_CONST:
		return 0;
	case N_ITEM:
		*hf_vec_push(k->arena, &k->template->steps) = n;
		__attribute__((fallthrough));
	default: /* one or two operands, items */
		r = link_node(k, n->u.pair.left, s);
		return r < 0 || n->u.pair.right == NULL ? r : link_node(k, n->u.pair.right, s);
	}
}

static int link_statement(struct linker *k, struct node *n, struct scope *s)
{
	switch ((int)n->kind) {
	case N_PRINT:
	case N_DO:
	case N_EXTENDS:
		return link_node(k, n->u.print, s);
	case N_FOR:
		return link_for(k, n, s);
	case N_IF:
		return link_if(k, n, s);
	case N_SET:
	case N_SET_BLOCK:
		return link_set(k, n, s);
	case N_WITH:
		return link_with(k, n, s);
	case N_MACRO:
	case N_CALL_BLOCK:
		return link_macro(k, n, s);
	case N_FILTER_BLOCK:
	case N_AUTOESCAPE:
		return link_scoped(k, n, s);
	case N_BLOCK:
		return link_block(k, n);
	case N_INCLUDE:
	case N_IMPORT:
	case N_FROM:
		return link_include(k, n, s);
	default:
		return 0;
	}
}

static int link_node(struct linker *k, struct node *n, struct scope *s)
{
	int r = n->kind < N_EXPRESSIONS_END ? link_expression(k, n, s) : link_statement(k, n, s);
	if (r == 0 && n->kind < N_EXPRESSIONS_END)
		hf_fold(k->arena, k->env, n);
	return r;
}

/* One slot a function and name, apart from the names of its scopes. */
static uint32_t cache_slot(struct linker *k, struct scope *function, struct hf_value *name)
{
	for (size_t i = 0; i < function->n_cached; i++)
		if (hf_str_equal(function->cached[i].name->u.string, name->u.string))
			return function->cached[i].slot;
	function->cached = hf_vec_grow(k->arena, function->cached, &function->n_cached,
		&function->cached_room, sizeof(*function->cached));
	struct scope_name *added = &function->cached[function->n_cached - 1];
	*added = (struct scope_name){ name, function->n_slots++ };
	return added->slot;
}

static void resolve_read(struct linker *k, const struct pending *read)
{
	struct node *n = read->node;
	const struct scope *s = read->scope;
	struct name_node *name = &n->u.name;
	struct hf_str text = name->key->u.string;
	struct {
		struct slot_ref *at;
		size_t n, room;
	} refs = { 0 };
	uint32_t depth = 0;
	for (; s != NULL; s = s->parent) {
		const struct scope_name *known = hf_scope_find(s, text);
		if (known != NULL)
			*hf_vec_push(k->arena, &refs) = (struct slot_ref){ depth, known->slot };
		depth += s->function == s;
		name->own_root |= s->is_root;
	}
	if (refs.n == 0) {
		name->cached = true;
		*hf_vec_push(k->arena, &refs) =
			(struct slot_ref){ 0, cache_slot(k, read->scope->function, name->key) };
	}
	name->refs = refs.at;
	name->n_refs = (uint32_t)refs.n;
	name->hash = hf_value_hash(name->key);
	name->hint = hf_new(k->arena, uint32_t);
	name->undefined =
		hf_value_with_flags(k->arena, hf_value_undefined(k->arena, text.p), HF_UNDEFINED_NAME);
	const struct hf_callable_row *row = hf_builtin_global(k->env, text);
	name->global = row == NULL ? NULL : hf_function_value(k->arena, row);
	if (name->cached && (hf_str_is(text, "self") || (read->in_block && hf_str_is(text, "super")))) {
		n->kind = N_CONST;
		n->u.constant = text.n == 4 ? &hf_self_value : &hf_super_value;
	}
}

int hf_scope_link(struct hf_arena *a, struct hf_template *t, struct hf_error *err)
{
	struct linker k = { .arena = a, .template = t, .env = t->env, .err = err };
	t->root = scope_new(&k, NULL, true);
	t->root->is_root = true;
	int r = t->expression != NULL ? link_node(&k, t->expression, t->root)
				      : link_list(&k, &t->body, t->root);
	if (r < 0)
		return r;
	for (size_t i = 0; i < k.reads.n; i++)
		resolve_read(&k, &k.reads.at[i]);
	return 0;
}
