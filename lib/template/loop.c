#include "lib/template/builtin.h"
#include "lib/template/eval.h"
#include "lib/template/methods.h"

enum loop_field {
	LOOP_INDEX,
	LOOP_INDEX0,
	LOOP_REVINDEX,
	LOOP_REVINDEX0,
	LOOP_FIRST,
	LOOP_LAST,
	LOOP_LENGTH,
	LOOP_DEPTH,
	LOOP_DEPTH0,
	LOOP_PREVITEM,
	LOOP_NEXTITEM,
	LOOP_CYCLE,
	LOOP_CHANGED,
};

static const char *const fields[] = { "index", "index0", "revindex", "revindex0", "first", "last", "length",
	"depth", "depth0", "previtem", "nextitem", "cycle", "changed", NULL };

int hf_loop_field(struct hf_str name)
{
	for (int i = 0; fields[i] != NULL; i++)
		if (hf_str_is_word(name, fields[i]))
			return i;
	return -1;
}

static int loop_cycle(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	const struct loop *l = input->u.object->data;
	if (call->n_args == 0)
		return hf_raise(err, "no items for cycling given");
	*ret = call->args[(size_t)l->index % call->n_args];
	return 0;
}

static int loop_changed(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	struct loop *l = input->u.object->data;
	struct hf_value *now = hf_value_tuple(e->arena);
	for (size_t i = 0; i < call->n_args; i++)
		hf_list_append(now, call->args[i]);
	bool same = l->changed != NULL && hf_value_equal(now, l->changed);
	l->changed = now;
	*ret = hf_value_bool(e->arena, !same);
	return 0;
}

static const struct hf_callable_row loop_methods[] = {
	{ "cycle", loop_cycle, HF_TAKES_UNDEFINED },
	{ "changed", loop_changed, HF_TAKES_UNDEFINED },
};

static struct hf_value *loop_neighbour(struct hf_eval *e, const struct loop *l, int64_t at)
{
	if (at < 0 || at >= l->n)
		return hf_value_undefined(
			e->arena, at < 0 ? "there is no previous item" : "there is no next item");
	return hf_list_at(l->items, (size_t)at);
}

int hf_loop_attribute(
	struct hf_eval *e, struct loop *l, int field, struct hf_value **ret, struct hf_error *err)
{
	switch ((enum loop_field)field) {
	case LOOP_INDEX:
		*ret = hf_value_int(e->arena, l->index + 1);
		break;
	case LOOP_INDEX0:
		*ret = hf_value_int(e->arena, l->index);
		break;
	case LOOP_REVINDEX:
		*ret = hf_value_int(e->arena, l->n - l->index);
		break;
	case LOOP_REVINDEX0:
		*ret = hf_value_int(e->arena, l->n - l->index - 1);
		break;
	case LOOP_FIRST:
		*ret = hf_value_bool(e->arena, l->index == 0);
		break;
	case LOOP_LAST:
		*ret = hf_value_bool(e->arena, l->index == l->n - 1);
		break;
	case LOOP_LENGTH:
		*ret = hf_value_int(e->arena, l->n);
		break;
	case LOOP_DEPTH:
		*ret = hf_value_int(e->arena, l->depth0 + 1);
		break;
	case LOOP_DEPTH0:
		*ret = hf_value_int(e->arena, l->depth0);
		break;
	case LOOP_PREVITEM:
		*ret = loop_neighbour(e, l, l->index - 1);
		break;
	case LOOP_NEXTITEM:
		*ret = loop_neighbour(e, l, l->index + 1);
		break;
	case LOOP_CYCLE:
	case LOOP_CHANGED:
		*ret = hf_method_value(e->arena, &loop_methods[field - LOOP_CYCLE], l->value);
		break;
	}
	return 0;
}

static int loop_get(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	int field = hf_loop_field(name);
	*ret = NULL;
	return field < 0 ? 0 : hf_loop_attribute(state, self->data, field, ret, err);
}

static int for_run(struct hf_eval *e, const struct node *n, struct hf_value *items, int64_t depth0,
	struct hf_error *err);

/* loop(items) of a recursive loop: its body runs again one level deeper. */
static int loop_call(void *state, struct hf_object *self, struct hf_value *const *args, size_t n_args,
	struct hf_dict *kwargs, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	const struct loop *l = self->data;
	if (!l->node->recursive)
		return hf_raise(err, "The loop must have the 'recursive' marker to be called recursively.");
	if (n_args != 1)
		return hf_raise(err, "loop() takes the items to walk as its only argument");
	int r = hf_eval_descend(e, err);
	if (r < 0)
		return r;
	struct frame *before = e->frame;
	struct node *n = (struct node *)((uintptr_t)l->node - offsetof(struct node, u.loop));
	struct hf_buf out = hf_buf_init(HF_EVAL_TEXT_MAX), *outer = e->out;
	bool muted = e->muted;
	unsigned marks = e->marks;
	e->frame = l->frame;
	e->out = &out;
	e->muted = false;
	e->marks = 0;
	r = for_run(e, n, args[0], l->depth0 + 1, err);
	if (r == 0)
		r = hf_buf_value(e, &out, e->marks | (e->autoescape ? HF_VALUE_MARKUP : 0), ret, err);
	e->frame = before;
	e->out = outer;
	e->muted = muted;
	e->marks = marks;
	hf_buf_done(&out);
	e->depth--;
	return r;
}

/* Only at its end can a loop be iterated from inside: there is nothing left then. */
static int loop_next(void *state, struct hf_object *self, struct hf_value **ret, struct hf_error *err)
{
	const struct loop *l = self->data;
	if (l->index + 1 < l->n)
		return hf_raise(err, "iterating over `loop` itself is not supported");
	*ret = NULL;
	return 0;
}

const struct hf_object_kind hf_loop_kind = {
	.type_name = "LoopContext", .next = loop_next, .call = loop_call, .attribute = loop_get
};

/* Items for which the loop's own condition holds. */
static int for_filter(
	struct hf_eval *e, const struct for_node *f, struct hf_value **items, struct hf_error *err)
{
	struct hf_value *kept = hf_value_list(e->arena);
	for (size_t i = 0; i < hf_list_len(*items); i++) {
		bool holds;
		int r = hf_eval_steps(e, 1, err);
		if (r == 0)
			r = hf_eval_assign(e, f->target, hf_list_at(*items, i), err);
		if (r == 0)
			r = hf_eval_condition(e, f->test, &holds, err);
		if (r < 0)
			return r;
		if (holds)
			hf_list_append(kept, hf_list_at(*items, i));
	}
	*items = kept;
	return 0;
}

static int for_items(struct hf_eval *e, const struct for_node *f, struct loop *l, struct hf_error *err)
{
	/* The list may grow while it is walked, as in Python. */
	for (size_t i = 0; i < hf_list_len(l->items); i++) {
		l->index = (int64_t)i;
		l->n = (int64_t)hf_list_len(l->items);
		if (i > 0)
			hf_scope_enter(e, f->scope);
		e->frame->slots[f->loop_slot] = l->value;
		struct hf_value *item = hf_list_at(l->items, i);
		int r = 0;
		if (f->target->kind == N_NAME)
			e->frame->slots[f->target->u.name.refs[0].slot] = item;
		else
			r = hf_eval_assign(e, f->target, item, err);
		if (r == 0)
			r = hf_eval_steps(e, 1, err);
		if (r == 0)
			r = hf_exec_nodes(e, &f->body, err);
		if (r < 0)
			return r;
		enum jump jump = e->jump;
		e->jump = JUMP_NONE;
		if (jump == JUMP_BREAK)
			break;
	}
	return 0;
}

/* items: what the loop walks, evaluated outside of it. */
static int for_run(
	struct hf_eval *e, const struct node *n, struct hf_value *items, int64_t depth0, struct hf_error *err)
{
	const struct for_node *f = &n->u.loop;
	struct frame *outer = e->frame;
	const struct scope *before = e->frame->scope;
	int r = hf_eval_sequence(e, items, &items, err);
	if (r < 0)
		return r;
	unsigned flags = items->flags & (HF_VALUE_SECRET | HF_VALUE_UNSAFE);
	if (flags != 0) {
		struct hf_value *marked = hf_value_list(e->arena);
		for (size_t i = 0; i < hf_list_len(items); i++)
			hf_list_append(marked, hf_value_with_flags(e->arena, hf_list_at(items, i), flags));
		items = marked;
	}
	if (f->recursive)
		e->frame = hf_frame_new(e, outer->template, f->targets, outer, outer->context);
	hf_scope_enter(e, f->targets);
	if (f->test != NULL)
		r = for_filter(e, f, &items, err);
	struct loop plain = { .node = f, .frame = outer, .items = items, .depth0 = depth0 }, *l = &plain;
	if (f->uses_loop) {
		l = hf_new(e->arena, struct loop);
		*l = plain;
		l->value = hf_value_object(e->arena, &hf_loop_kind, l);
	}
	hf_scope_enter(e, f->scope);
	bool any = hf_list_len(items) > 0;
	if (r == 0)
		r = for_items(e, f, l, err);
	hf_scope_enter(e, f->targets); /* nothing of the loop is left behind */
	e->frame = outer;
	hf_scope_leave(e, before);
	if (r < 0 || any || f->otherwise.n == 0)
		return r;
	hf_scope_enter(e, f->else_scope);
	r = hf_exec_nodes(e, &f->otherwise, err);
	hf_scope_leave(e, before);
	return r;
}

int hf_exec_for(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	struct hf_value *items;
	int r = hf_eval_node(e, n->u.loop.iterable, &items, err);
	if (r == 0)
		r = for_run(e, n, items, 0, err);
	if (r < 0 && err != NULL && err->pos.line == 0)
		err->pos = (struct hf_pos){ e->frame->template->name, n->line, n->column };
	return r;
}
