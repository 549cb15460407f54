#include "lib/template/eval.h"

struct macro { /* a macro and the place it was defined in */
	const struct node *node;
	struct frame *frame;
	bool autoescape;
};

static struct hf_value *param_name(const struct macro_node *m, size_t i)
{
	return m->params.at[i]->u.name.key;
}

/* A parameter that was not given: its default, evaluated now with the parameters before it in sight. */
static int param_default(struct hf_eval *e, const struct macro_node *m, size_t i, struct hf_error *err)
{
	size_t first = m->params.n - m->defaults.n;
	struct hf_value *v;
	if (i >= first) {
		int r = hf_eval_node(e, m->defaults.at[i - first], &v, err);
		if (r < 0)
			return r;
	} else {
		v = hf_value_undefined(e->arena, hf_sprintf(e->arena, "parameter '%s' was not provided",
							 param_name(m, i)->u.string.p));
	}
	return hf_eval_assign(e, m->params.at[i], v, err);
}

struct bound {                   /* arguments not yet given to a parameter */
	struct hf_value *kwargs; /* a copy; NULL when there are none */
	struct hf_value *caller;
};

static int params_bind(struct hf_eval *e, const struct macro_node *m, struct hf_value *const *args,
	size_t n_args, struct bound *b, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < m->params.n; i++) {
		struct hf_value *v = b->kwargs == NULL ? NULL : hf_dict_find(b->kwargs, param_name(m, i));
		if (i < n_args) {
			r = hf_eval_assign(e, m->params.at[i], args[i], err);
		} else if (v != NULL) {
			hf_dict_remove(b->kwargs, param_name(m, i)->u.string.p);
			r = hf_eval_assign(e, m->params.at[i], v, err);
		} else {
			r = param_default(e, m, i, err);
		}
	}
	return r;
}

static int extras_bind(struct hf_eval *e, const struct macro_node *m, struct hf_value *const *args,
	size_t n_args, struct bound *b, struct hf_error *err)
{
	struct hf_value **slots = e->frame->slots;
	const char *name = m->name->u.string.p;
	if (m->uses_caller && !m->explicit_caller) {
		b->caller = b->kwargs == NULL ? NULL : hf_dict_get(b->kwargs, "caller");
		if (b->caller != NULL)
			hf_dict_remove(b->kwargs, "caller");
		slots[m->caller_slot] =
			b->caller != NULL ? b->caller : hf_value_undefined(e->arena, "No caller defined");
	}
	if (m->uses_kwargs)
		slots[m->kwargs_slot] = b->kwargs == NULL ? hf_value_dict(e->arena) : b->kwargs;
	else if (b->kwargs != NULL)
		HF_DICT_EACH (b->kwargs, entry)
			return hf_raise(err, "macro '%s' takes no keyword argument '%s'", name,
				hf_entry_key(entry)->u.string.p);
	if (m->uses_varargs) {
		struct hf_value *rest = hf_value_tuple(e->arena);
		for (size_t i = m->params.n; i < n_args; i++)
			hf_list_append(rest, args[i]);
		slots[m->varargs_slot] = rest;
	} else if (n_args > m->params.n) {
		return hf_raise(err, "macro '%s' takes not more than %zu argument(s)", name, m->params.n);
	}
	return 0;
}

static int macro_call(void *state, struct hf_object *self, struct hf_value *const *args, size_t n_args,
	struct hf_dict *kwargs, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	const struct macro *macro = self->data;
	const struct macro_node *m = &macro->node->u.macro;
	struct hf_value given = { .type = HF_DICT, .u.dict = kwargs };
	struct bound b = { .kwargs = kwargs == NULL ? NULL : hf_value_shallow(e->arena, &given) };
	int r = hf_eval_descend(e, err);
	if (r < 0)
		return r;
	struct frame *before = e->frame;
	bool autoescape = e->autoescape, muted = e->muted;
	e->frame = hf_frame_new(e, macro->frame->template, m->scope, macro->frame, macro->frame->context);
	e->autoescape = macro->autoescape;
	e->muted = false;
	if (m->explicit_caller && m->uses_caller && n_args > m->params.n)
		r = hf_raise(err, "macro '%s' takes not more than %zu argument(s)", m->name->u.string.p,
			m->params.n);
	if (r == 0)
		r = params_bind(e, m, args, n_args, &b, err);
	if (r == 0)
		r = extras_bind(e, m, args, n_args, &b, err);
	if (r == 0)
		r = hf_exec_capture(e, &m->body, ret, err);
	e->frame = before;
	e->autoescape = autoescape;
	e->muted = muted;
	e->depth--;
	if (r == 0) /* the place of the call decides whether the text counts as safe */
		(*ret)->flags =
			(uint8_t)(((*ret)->flags & ~HF_VALUE_MARKUP) | (autoescape ? HF_VALUE_MARKUP : 0));
	return r;
}

static int macro_attribute(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	const struct macro_node *m = &((const struct macro *)self->data)->node->u.macro;
	*ret = NULL;
	if (hf_str_is(name, "name")) {
		*ret = m->target == NULL ? hf_value_null(e->arena) : m->name;
	} else if (hf_str_is(name, "arguments")) {
		*ret = hf_value_tuple(e->arena);
		for (size_t i = 0; i < m->params.n; i++)
			hf_list_append(*ret, param_name(m, i));
	} else if (hf_str_is(name, "catch_kwargs")) {
		*ret = hf_value_bool(e->arena, m->uses_kwargs);
	} else if (hf_str_is(name, "catch_varargs")) {
		*ret = hf_value_bool(e->arena, m->uses_varargs);
	} else if (hf_str_is(name, "caller")) {
		*ret = hf_value_bool(e->arena, m->uses_caller);
	}
	return 0;
}

const struct hf_object_kind hf_macro_kind = {
	.type_name = "Macro", .call = macro_call, .attribute = macro_attribute
};

struct hf_value *hf_macro_value(struct hf_eval *e, const struct node *n)
{
	struct macro *m = hf_new(e->arena, struct macro);
	*m = (struct macro){ n, e->frame, e->autoescape };
	return hf_value_object(e->arena, &hf_macro_kind, m);
}

/* {% call(x) f(…) %}: f is called with the block as its keyword argument caller. */
int hf_exec_call_block(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	const struct node *call = n->u.macro.call;
	struct node with_caller = *call;
	struct keyword *keywords = hf_new_array(e->arena, call->u.call.args.n_keywords + 1, struct keyword);
	if (call->u.call.args.n_keywords > 0)
		memcpy(keywords, call->u.call.args.keywords,
			call->u.call.args.n_keywords * sizeof(*keywords));
	struct node value = {
		.kind = N_CONST, .line = n->line, .column = n->column, .u.constant = hf_macro_value(e, n)
	};
	keywords[call->u.call.args.n_keywords] = (struct keyword){ n->u.macro.name, &value };
	with_caller.u.call.args.keywords = keywords;
	with_caller.u.call.args.n_keywords++;
	struct hf_value *v;
	int r = hf_eval_node(e, &with_caller, &v, err);
	return r < 0 ? r : hf_emit(e, v, err);
}
