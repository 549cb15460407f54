#include <inttypes.h>
#include <stdio.h>

#include "lib/base/scope.h"
#include "lib/template/eval.h"

/* Decimal text of an integer without the cost of printf. */
static void put_int(struct hf_buf *out, int64_t i)
{
	char digits[24], *p = digits + sizeof(digits); /* room for any int64_t */
	if (i >= 0 && i < 10) {
		digits[0] = (char)('0' + i);
		hf_emit_text(out, digits, 1);
		return;
	}
	uint64_t rest = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	do
		*--p = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (i < 0)
		*--p = '-';
	hf_emit_text(out, p, (size_t)(digits + sizeof(digits) - p));
}

static int emit_any(struct hf_eval *e, struct hf_value *v, struct hf_error *err);

int hf_emit(struct hf_eval *e, struct hf_value *v, struct hf_error *err)
{
	if (v->flags == 0 && !e->muted && !e->autoescape && e->env->finalize == NULL) {
		if (v->type == HF_STRING) {
			hf_emit_text(e->out, v->u.string.p, v->u.string.n);
			return 0;
		}
		if (v->type == HF_INT) {
			put_int(e->out, v->u.integer);
			return 0;
		}
	}
	return emit_any(e, v, err);
}

/* Everything but plain text and whole numbers. */
static int emit_any(struct hf_eval *e, struct hf_value *v, struct hf_error *err)
{
	if (e->env->finalize != NULL) {
		int r = e->env->finalize(e, &v, err);
		if (r < 0)
			return r;
	}
	if (e->muted)
		return 0;
	e->marks |= v->type < HF_LIST || v->type > HF_SET ? v->flags & (HF_VALUE_SECRET | HF_VALUE_UNSAFE)
							  : hf_value_marks(v);
	if (v->type == HF_INT) {
		put_int(e->out, v->u.integer);
		return 0;
	}
	bool escape = e->autoescape && !(v->flags & HF_VALUE_MARKUP);
	if (v->type == HF_STRING && !escape) {
		hf_emit_text(e->out, v->u.string.p, v->u.string.n);
		return 0;
	}
	struct hf_str text;
	int r = hf_eval_text(e, v, &text, err);
	if (r < 0)
		return r;
	if (escape)
		hf_text_escape(e->out, text);
	else
		hf_buf_add(e->out, text);
	return 0;
}

static int exec_text(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	if (!e->muted)
		hf_emit_text(e->out, n->u.text.p, n->u.text.n);
	return 0;
}

static int exec_print(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	struct hf_value *v;
	int r = hf_eval_quick(e, n->u.print, &v, err);
	return r < 0 ? r : hf_emit(e, v, err);
}

static int exec_do(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	struct hf_value *v;
	return hf_eval_node(e, n->u.print, &v, err);
}

static int exec_if(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	for (size_t i = 0; i < n->u.branches.n; i++) {
		const struct branch *b = &n->u.branches.at[i];
		bool holds = true;
		int r = b->test == NULL ? 0 : hf_eval_condition(e, b->test, &holds, err);
		if (r < 0)
			return r;
		if (holds)
			return hf_exec_nodes(e, &b->body, err);
	}
	return 0;
}

static int exec_set(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	struct hf_value *v;
	int r = hf_eval_node(e, n->u.assign.value, &v, err);
	return r < 0 ? r : hf_eval_assign(e, n->u.assign.target, v, err);
}

int hf_exec_capture(struct hf_eval *e, const struct nodes *list, struct hf_value **ret, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	struct hf_buf *outer = e->out;
	unsigned marks = e->marks;
	bool muted = e->muted;
	e->out = &out;
	e->marks = 0;
	e->muted = false;
	int r = hf_exec_nodes(e, list, err);
	if (r == 0)
		r = hf_buf_value(e, &out, e->marks | (e->autoescape ? HF_VALUE_MARKUP : 0), ret, err);
	e->out = outer;
	e->marks = marks;
	e->muted = muted;
	return r;
}

/* A row of filters over text that a block gave: the innermost has no target of its own. */
static int filters_apply(struct hf_eval *e, const struct node *n, struct hf_value *text,
	struct hf_value **ret, struct hf_error *err)
{
	if (n->u.call.target != NULL) {
		int r = filters_apply(e, n->u.call.target, text, &text, err);
		if (r < 0)
			return r;
	}
	return hf_filter_node(e, n, text, ret, err);
}

static int exec_set_block(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	const struct scope *before = e->frame->scope;
	struct hf_value *v;
	hf_scope_enter(e, n->u.assign.scope);
	int r = hf_exec_capture(e, &n->u.assign.body, &v, err);
	hf_scope_leave(e, before);
	if (r == 0 && n->u.assign.value != NULL)
		r = filters_apply(e, n->u.assign.value, v, &v, err);
	return r < 0 ? r : hf_eval_assign(e, n->u.assign.target, v, err);
}

static int exec_filter_block(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	const struct scope *before = e->frame->scope;
	struct hf_value *v;
	hf_scope_enter(e, n->u.scoped.scope);
	int r = hf_exec_capture(e, &n->u.scoped.body, &v, err);
	hf_scope_leave(e, before);
	if (r == 0)
		r = filters_apply(e, n->u.scoped.expression, v, &v, err);
	return r < 0 ? r : hf_emit(e, v, err);
}

static int exec_autoescape(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	const struct scope *before = e->frame->scope;
	bool autoescape = e->autoescape, now;
	int r = hf_eval_condition(e, n->u.scoped.expression, &now, err);
	if (r < 0)
		return r;
	e->autoescape = now;
	hf_scope_enter(e, n->u.scoped.scope);
	r = hf_exec_nodes(e, &n->u.scoped.body, err);
	hf_scope_leave(e, before);
	e->autoescape = autoescape;
	return r;
}

static int exec_with(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	const struct with_node *w = &n->u.with;
	const struct scope *before = e->frame->scope;
	struct hf_value **values = hf_new_array(e->arena, w->values.n, struct hf_value *);
	int r = 0;
	for (size_t i = 0; r == 0 && i < w->values.n; i++)
		r = hf_eval_node(e, w->values.at[i], &values[i], err);
	if (r < 0)
		return r;
	hf_scope_enter(e, w->scope);
	for (size_t i = 0; r == 0 && i < w->targets.n; i++)
		r = hf_eval_assign(e, w->targets.at[i], values[i], err);
	if (r == 0)
		r = hf_exec_nodes(e, &w->body, err);
	hf_scope_leave(e, before);
	return r;
}

static int exec_macro(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	return hf_eval_assign(e, n->u.macro.target, hf_macro_value(e, n), err);
}

static int exec_jump(struct hf_eval *e, const struct node *n, struct hf_error *err)
{
	e->jump = n->kind == N_BREAK ? JUMP_BREAK : JUMP_CONTINUE;
	return 0;
}

typedef int (*exec_function)(struct hf_eval *e, const struct node *n, struct hf_error *err);
static const exec_function functions[N_STATEMENTS_END - N_EXPRESSIONS_END] = {
	[N_TEXT - N_EXPRESSIONS_END] = exec_text,
	[N_PRINT - N_EXPRESSIONS_END] = exec_print,
	[N_FOR - N_EXPRESSIONS_END] = hf_exec_for,
	[N_IF - N_EXPRESSIONS_END] = exec_if,
	[N_SET - N_EXPRESSIONS_END] = exec_set,
	[N_SET_BLOCK - N_EXPRESSIONS_END] = exec_set_block,
	[N_WITH - N_EXPRESSIONS_END] = exec_with,
	[N_MACRO - N_EXPRESSIONS_END] = exec_macro,
	[N_CALL_BLOCK - N_EXPRESSIONS_END] = hf_exec_call_block,
	[N_FILTER_BLOCK - N_EXPRESSIONS_END] = exec_filter_block,
	[N_BLOCK - N_EXPRESSIONS_END] = hf_exec_block,
	[N_EXTENDS - N_EXPRESSIONS_END] = hf_exec_extends,
	[N_INCLUDE - N_EXPRESSIONS_END] = hf_exec_include,
	[N_IMPORT - N_EXPRESSIONS_END] = hf_exec_import,
	[N_FROM - N_EXPRESSIONS_END] = hf_exec_from,
	[N_AUTOESCAPE - N_EXPRESSIONS_END] = exec_autoescape,
	[N_DO - N_EXPRESSIONS_END] = exec_do,
	[N_BREAK - N_EXPRESSIONS_END] = exec_jump,
	[N_CONTINUE - N_EXPRESSIONS_END] = exec_jump,
};

int hf_exec_nodes(struct hf_eval *e, const struct nodes *list, struct hf_error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct node *n = list->at[i];
		int r = 0;
		if (n->kind == N_TEXT) {
			if (!e->muted)
				hf_emit_text(e->out, n->u.text.p, n->u.text.n);
		} else if (n->kind == N_PRINT) {
			r = exec_print(e, n, err);
		} else {
			r = functions[n->kind - N_EXPRESSIONS_END](e, n, err);
		}
		if (r == 0 && e->out->failed)
			r = hf_buf_check(e->out, "output", err);
		if (r < 0) {
			if (err != NULL && err->pos.line == 0)
				err->pos = (struct hf_pos){ e->frame->template->name, n->line, n->column };
			return r;
		}
		if (e->jump != JUMP_NONE)
			break;
	}
	return 0;
}
