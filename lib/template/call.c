#include <time.h>

#include "lib/base/scope.h"
#include "lib/template/builtin.h"
#include "lib/template/eval.h"
#include "lib/template/methods.h"

struct method {
	const struct hf_callable_row *row;
	struct hf_value *self;
};

struct hf_value *hf_call_arg(const struct hf_call *call, size_t position, const char *name)
{
	if (position < call->n_args)
		return call->args[position];
	return call->kwargs == NULL || name == NULL ? NULL : hf_dict_get(call->kwargs, name);
}

int hf_call_check(const struct hf_call *call, const char *what, size_t max, const char *const *names,
	struct hf_error *err)
{
	if (call->n_args > max)
		return hf_raise(err, "%s takes at most %zu argument%s but %zu were given", what, max,
			max == 1 ? "" : "s", call->n_args);
	if (call->kwargs == NULL)
		return 0;
	HF_DICT_EACH (call->kwargs, entry) {
		const char *name = hf_entry_key(entry)->u.string.p;
		size_t i = 0;
		while (names != NULL && names[i] != NULL && strcmp(names[i], name) != 0)
			i++;
		if (names == NULL || names[i] == NULL)
			return hf_raise(err, "%s got an unexpected keyword argument '%s'", what, name);
		if (i < call->n_args)
			return hf_raise(err, "%s got multiple values for argument '%s'", what, name);
	}
	return 0;
}

static int function_call(void *state, struct hf_object *self, struct hf_value *const *args, size_t n_args,
	struct hf_dict *kwargs, struct hf_value **ret, struct hf_error *err)
{
	const struct hf_callable_row *row = self->data;
	struct hf_value named = { .type = HF_DICT, .u.dict = kwargs };
	struct hf_call call = { args, n_args, kwargs == NULL ? NULL : &named, { 0 } };
	return row->fn(state, NULL, &call, ret, err);
}

static int method_call(void *state, struct hf_object *self, struct hf_value *const *args, size_t n_args,
	struct hf_dict *kwargs, struct hf_value **ret, struct hf_error *err)
{
	const struct method *m = self->data;
	struct hf_value named = { .type = HF_DICT, .u.dict = kwargs };
	struct hf_call call = { args, n_args, kwargs == NULL ? NULL : &named, { 0 } };
	return m->row->fn(state, m->self, &call, ret, err);
}

const struct hf_object_kind hf_function_kind = { .type_name = "function", .call = function_call };
const struct hf_object_kind hf_method_kind = { .type_name = "builtin_function_or_method",
	.call = method_call };

struct hf_value *hf_function_value(struct hf_arena *a, const struct hf_callable_row *row)
{
	return hf_value_object(a, &hf_function_kind, (void *)(uintptr_t)row);
}

struct hf_value *hf_method_value(struct hf_arena *a, const struct hf_callable_row *row, struct hf_value *self)
{
	struct method *m = hf_new(a, struct method);
	*m = (struct method){ row, self };
	return hf_value_object(a, &hf_method_kind, m);
}

bool hf_value_callable(const struct hf_value *v)
{
	return v->type == HF_OBJECT && v->u.object->kind->call != NULL;
}

/* Marks pass from the input and the arguments to the result; text made of a container takes those inside it
 * too. */
static struct hf_value *result_taint(
	struct hf_eval *e, struct hf_value *result, const struct hf_value *input, const struct hf_call *call)
{
	bool text = result->type == HF_STRING || result->type == HF_BYTES;
	unsigned flags = 0;
	if (input != NULL)
		flags |= text ? hf_value_marks(input) : input->flags;
	for (size_t i = 0; i < call->n_args; i++)
		flags |= text ? hf_value_marks(call->args[i]) : call->args[i]->flags;
	if (call->kwargs != NULL)
		flags |= hf_value_marks(call->kwargs);
	flags &= HF_VALUE_SECRET | HF_VALUE_UNSAFE;
	return flags == 0 ? result : hf_value_with_flags(e->arena, result, flags);
}

static int call_refused(struct hf_eval *e, const struct hf_callable_row *row, const struct hf_value *input,
	const struct hf_call *call, struct hf_error *err)
{
	if (e->env->sealed && row->flags & HF_REACHES_OUT)
		return hf_fail(err, HF_E_DENIED,
			"'%s' reaches outside of templates, which is switched off here", row->name);
	if (row->flags & HF_NO_ARGUMENTS &&
		(call->n_args > 0 || (call->kwargs != NULL && hf_dict_len(call->kwargs) > 0)))
		return hf_raise(err, "'%s' takes no arguments", row->name);
	if (!eval_strict(e) || row->flags & HF_TAKES_UNDEFINED)
		return 0;
	if (input != NULL && undefined_strict(e, input))
		return hf_eval_undefined(e, input, err);
	for (size_t i = 0; i < call->n_args; i++)
		if (undefined_strict(e, call->args[i]))
			return hf_eval_undefined(e, call->args[i], err);
	return 0;
}

/* What one filter does may be much: a regular expression, a hash of many rounds. Its time counts as steps, so
 * that a loop over such things ends too. The clock is the cheap one; what is quicker than its tick is not
 * worth counting. */
enum { SLOW_MS = 100, STEPS_A_MS = 100 };

static uint64_t clock_ms(void)
{
	struct timespec t = { 0 };
	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int row_call(struct hf_eval *e, const struct hf_callable_row *row, struct hf_value *input,
	const struct hf_call *call, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *result = input;
	int r = call_refused(e, row, input, call, err);
	if (r == 0)
		r = hf_eval_steps(e, 1, err);
	uint64_t start = input == NULL ? 0 : clock_ms();
	if (r == 0)
		r = row->fn(e, input, call, &result, err);
	uint64_t took = input == NULL ? 0 : clock_ms() - start;
	if (r == 0 && took >= SLOW_MS)
		r = hf_eval_steps(e, took * STEPS_A_MS, err);
	if (r == 0)
		*ret = result_taint(e, result, input, call);
	return r;
}

static int keywords_merge(
	struct hf_eval *e, const struct node *star_star, struct hf_value *kwargs, struct hf_error *err)
{
	struct hf_value *more;
	int r = hf_eval_node(e, star_star, &more, err);
	if (r < 0)
		return r;
	if (more->type == HF_UNDEFINED && !eval_strict(e))
		return hf_raise(err, "argument after ** must be a mapping, not Undefined");
	if (more->type != HF_DICT)
		return hf_raise(err, "argument after ** must be a mapping, not %s", hf_type_name(more));
	HF_DICT_EACH (more, entry) {
		struct hf_value *key = hf_entry_key(entry);
		if (key->type != HF_STRING)
			return hf_raise(err, "keywords must be strings");
		if (hf_dict_find(kwargs, key) != NULL)
			return hf_raise(
				err, "got multiple values for keyword argument '%s'", key->u.string.p);
		hf_dict_set(kwargs, key, entry->value);
	}
	return 0;
}

enum { INLINE_ARGUMENTS = 6 };

/* *values of a call, behind its other positional arguments. */
static int star_append(struct hf_eval *e, const struct node *star, struct hf_call *call, struct hf_error *err)
{
	struct hf_value *more = NULL;
	int r = hf_eval_node(e, star, &more, err);
	if (r == 0)
		r = hf_eval_sequence(e, more, &more, err);
	if (r < 0)
		return r;
	size_t n = call->n_args;
	struct hf_value **wide = hf_new_array(e->arena, n + hf_list_len(more), struct hf_value *);
	if (n > 0)
		memcpy(wide, call->args, n * sizeof(*wide));
	for (size_t i = 0; i < hf_list_len(more); i++)
		wide[n++] = hf_list_at(more, i);
	call->args = wide;
	call->n_args = n;
	return hf_eval_steps(e, n, err);
}

static int keywords_eval(
	struct hf_eval *e, const struct arguments *given, struct hf_call *call, struct hf_error *err)
{
	int r = 0;
	call->kwargs = hf_value_dict(e->arena);
	for (size_t i = 0; r == 0 && i < given->n_keywords; i++) {
		struct hf_value *value = NULL;
		if (hf_dict_find(call->kwargs, given->keywords[i].name) != NULL)
			return hf_fail(err, HF_E_PARSE, "keyword argument repeated: %s",
				given->keywords[i].name->u.string.p);
		r = hf_eval_node(e, given->keywords[i].value, &value, err);
		hf_dict_set(call->kwargs, given->keywords[i].name, value);
	}
	if (r == 0 && given->star_star != NULL)
		r = keywords_merge(e, given->star_star, call->kwargs, err);
	return r;
}

/* Arguments evaluated; small calls use the room the caller has on its stack. */
static int arguments_eval(struct hf_eval *e, const struct arguments *given, struct hf_value **room,
	struct hf_call *call, struct hf_error *err)
{
	struct hf_value **at = room;
	size_t n = given->positional.n;
	int r = 0;
	if (n > INLINE_ARGUMENTS)
		at = hf_new_array(e->arena, n, struct hf_value *);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = hf_eval_node(e, given->positional.at[i], &at[i], err);
	call->args = at;
	call->n_args = n;
	if (r == 0 && given->star != NULL)
		r = star_append(e, given->star, call, err);
	return r < 0 || (given->n_keywords == 0 && given->star_star == NULL)
		       ? r
		       : keywords_eval(e, given, call, err);
}

static struct hf_pos node_pos(const struct hf_eval *e, const struct node *n)
{
	return (struct hf_pos){ e->frame->template->name, n->line, n->column };
}

/* object.name(…) where name is a method of a built-in type: no bound method has to be made. */
static int method_direct(struct hf_eval *e, const struct node *target, struct hf_value **ret_self,
	const struct hf_callable_row **ret_row, struct hf_error *err)
{
	const struct attribute_node *at = &target->u.attribute;
	struct hf_value *self;
	*ret_row = NULL;
	int r = hf_eval_node(e, at->object, &self, err);
	if (r < 0)
		return r;
	*ret_self = self;
	if (self->type == HF_STRING)
		*ret_row = at->of_str;
	else if (self->type == HF_DICT)
		*ret_row = at->of_dict;
	else if (self->type == HF_LIST)
		*ret_row = at->of_list;
	return 0;
}

int hf_call_node(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	const struct node *target = n->u.call.target;
	const struct hf_callable_row *row = NULL;
	struct hf_value *room[INLINE_ARGUMENTS], *callee = NULL, *self = NULL;
	struct hf_call call = { .pos = node_pos(e, n) };
	int r;
	if (target->kind == N_ATTRIBUTE) {
		r = method_direct(e, target, &self, &row, err);
		if (r == 0 && row == NULL && self->type == HF_OBJECT &&
			self->u.object->kind == &hf_loop_kind && target->u.attribute.loop_field >= 0)
			r = hf_loop_attribute(
				e, self->u.object->data, target->u.attribute.loop_field, &callee, err);
		else if (r == 0 && row == NULL)
			r = hf_eval_attribute(e, self, target->u.attribute.key->u.string, &callee, err);
	} else {
		r = hf_eval_node(e, target, &callee, err);
	}
	if (r == 0 && callee != NULL && callee->type == HF_UNDEFINED)
		return hf_eval_undefined(e, callee, err);
	if (r == 0)
		r = arguments_eval(e, &n->u.call.args, room, &call, err);
	if (r < 0)
		return r;
	return row != NULL ? row_call(e, row, self, &call, ret, err)
			   : hf_eval_call(e, callee, &call, ret, err);
}

int hf_eval_call(struct hf_eval *e, struct hf_value *callee, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	if (callee->type == HF_UNDEFINED)
		return hf_eval_undefined(e, callee, err);
	if (!hf_value_callable(callee))
		return hf_raise(err, "'%s' object is not callable", hf_type_name(callee));
	struct hf_object *object = callee->u.object;
	if (object->kind == &hf_function_kind)
		return row_call(e, object->data, NULL, call, ret, err);
	if (object->kind == &hf_method_kind) {
		const struct method *m = object->data;
		return row_call(e, m->row, m->self, call, ret, err);
	}
	int r = hf_eval_steps(e, 1, err);
	return r < 0 ? r
		     : object->kind->call(e, object, call->args, call->n_args,
			       call->kwargs == NULL ? NULL : call->kwargs->u.dict, ret, err);
}

int hf_filter_node(struct hf_eval *e, const struct node *n, struct hf_value *input, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_value *room[INLINE_ARGUMENTS];
	struct hf_call call = { .pos = node_pos(e, n) };
	if (n->u.call.row == NULL)
		return hf_raise(err, "No filter named '%s'.", n->u.call.name->u.string.p);
	int r = arguments_eval(e, &n->u.call.args, room, &call, err);
	return r < 0 ? r : row_call(e, n->u.call.row, input, &call, ret, err);
}

int hf_test_node(struct hf_eval *e, const struct node *n, bool *ret, struct hf_error *err)
{
	struct hf_value *room[INLINE_ARGUMENTS], *input, *result;
	struct hf_call call = { .pos = node_pos(e, n) };
	int r = hf_eval_node(e, n->u.call.target, &input, err);
	if (r == 0 && n->u.call.row == NULL)
		return hf_raise(err, "No test named '%s'.", n->u.call.name->u.string.p);
	if (r == 0)
		r = arguments_eval(e, &n->u.call.args, room, &call, err);
	if (r == 0)
		r = call_refused(e, n->u.call.row, input, &call, err);
	if (r == 0)
		r = n->u.call.row->fn(e, input, &call, &result, err);
	return r != 0 ? r : hf_eval_truth(e, result, ret, err);
}

int hf_eval_filter(struct hf_eval *e, struct hf_str name, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	const struct hf_callable_row *row = hf_builtin_filter(e->env, name);
	if (row == NULL)
		return hf_raise(err, "No filter named '%.*s'.", HF_STR_ARG(name));
	return row_call(e, row, input, call, ret, err);
}

int hf_eval_test(struct hf_eval *e, struct hf_str name, struct hf_value *input, const struct hf_call *call,
	bool *ret, struct hf_error *err)
{
	const struct hf_callable_row *row = hf_builtin_test(e->env, name);
	if (row == NULL)
		return hf_raise(err, "No test named '%.*s'.", HF_STR_ARG(name));
	struct hf_value *result;
	int r = call_refused(e, row, input, call, err);
	if (r == 0)
		r = hf_eval_steps(e, 1, err);
	if (r == 0)
		r = row->fn(e, input, call, &result, err);
	return r < 0 ? r : hf_eval_truth(e, result, ret, err);
}
