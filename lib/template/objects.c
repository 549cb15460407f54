/* lib/template/objects.c - what range, namespace, cycler, joiner and the iterating filters give; declared in
 * eval.h. */
#include "lib/template/builtin.h"
#include "lib/template/eval.h"
#include "lib/template/methods.h"

static int range_next(void *state, struct hf_object *self, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	struct range *g = self->data;
	if (g->n <= 0) {
		*ret = NULL;
		return 0;
	}
	*ret = hf_value_int(e->arena, g->start);
	if (--g->n > 0)
		g->start += g->step;
	return 0;
}

static int range_attribute(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	const struct range *g = self->data;
	const struct hf_callable_row *row = hf_row_find(hf_methods_tuple, name);
	if (row != NULL) {
		struct hf_value range = { .type = HF_OBJECT, .u.object = self }, *items;
		int r = hf_eval_sequence(e, &range, &items, err);
		*ret = r == 0 ? hf_method_value(e->arena, row, items) : NULL;
		return r;
	}
	*ret = hf_str_is(name, "start")  ? hf_value_int(e->arena, g->start)
	       : hf_str_is(name, "stop") ? hf_value_int(e->arena, g->stop)
	       : hf_str_is(name, "step") ? hf_value_int(e->arena, g->step)
					 : NULL;
	return 0;
}

static void range_print(const struct hf_object *self, struct hf_buf *out)
{
	const struct range *g = self->data;
	hf_buf_printf(out, "range(%lld, %lld", (long long)g->start, (long long)g->stop);
	if (g->step != 1)
		hf_buf_printf(out, ", %lld", (long long)g->step);
	hf_buf_put(out, ')');
}

const struct hf_object_kind hf_range_kind = {
	.print = range_print, .type_name = "range", .next = range_next, .attribute = range_attribute
};

struct iterator {
	struct hf_value *list;
	size_t at;
};

static int iterator_next(void *state, struct hf_object *self, struct hf_value **ret, struct hf_error *err)
{
	struct iterator *i = self->data;
	*ret = i->at < hf_list_len(i->list) ? hf_list_at(i->list, i->at++) : NULL;
	return 0;
}

const struct hf_object_kind hf_iterator_kind = { .type_name = "generator", .next = iterator_next };

struct hf_value *hf_iterator_value(struct hf_eval *e, struct hf_value *list)
{
	if (e->env->lists_not_iterators)
		return list;
	struct iterator *i = hf_new(e->arena, struct iterator);
	i->list = list;
	return hf_value_object(e->arena, &hf_iterator_kind, i);
}

static void view_print(const struct hf_object *self, struct hf_buf *out)
{
	hf_buf_printf(out, "%s(", self->kind->type_name);
	hf_value_repr(out, self->data);
	hf_buf_put(out, ')');
}

const struct hf_object_kind hf_view_kinds[3] = {
	{ .type_name = "dict_keys", .print = view_print },
	{ .type_name = "dict_values", .print = view_print },
	{ .type_name = "dict_items", .print = view_print },
};

struct hf_value *hf_view_value(struct hf_eval *e, const char *type_name, struct hf_value *list)
{
	size_t i = 0;
	while (i + 1 < HF_COUNT(hf_view_kinds) && strcmp(hf_view_kinds[i].type_name, type_name) != 0)
		i++;
	return hf_value_object(e->arena, &hf_view_kinds[i], list);
}

bool hf_value_is_lazy(const struct hf_value *v)
{
	if (v->type != HF_OBJECT)
		return false;
	const struct hf_object_kind *kind = v->u.object->kind;
	return kind->next != NULL ||
	       (kind >= hf_view_kinds && kind < hf_view_kinds + HF_COUNT(hf_view_kinds));
}

static int global_range(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	int64_t at[3] = { 0, 0, 1 };
	int r = hf_call_check(call, "range", 3, NULL, err);
	if (r == 0 && call->n_args == 0)
		return hf_raise(err, "range expected at least 1 argument, got 0");
	for (size_t i = 0; r == 0 && i < call->n_args; i++)
		r = hf_eval_int(e, call->args[i], "range", &at[i], err);
	if (r < 0)
		return r;
	if (call->n_args == 1) {
		at[1] = at[0];
		at[0] = 0;
	}
	if (at[2] == 0)
		return hf_raise(err, "range() arg 3 must not be zero");
	uint64_t span = at[2] > 0 ? (uint64_t)at[1] - (uint64_t)at[0] : (uint64_t)at[0] - (uint64_t)at[1];
	uint64_t step = at[2] > 0 ? (uint64_t)at[2] : 0 - (uint64_t)at[2];
	bool empty = at[2] > 0 ? at[1] <= at[0] : at[0] <= at[1];
	uint64_t n = empty ? 0 : (span - 1) / step + 1;
	if (n > e->range_max)
		return hf_fail(err, HF_E_LIMIT, "range of %llu items is larger than %zu",
			(unsigned long long)n, e->range_max);
	struct range *g = hf_new(e->arena, struct range);
	*g = (struct range){ at[0], at[1], at[2], (int64_t)n };
	*ret = hf_value_object(e->arena, &hf_range_kind, g);
	return 0;
}

/* dict(mapping or pairs, name=value …) into a new dict. */
static int dict_from(struct hf_eval *e, const struct hf_call *call, const char *what, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_value *dict = hf_value_dict(e->arena);
	if (call->n_args > 1)
		return hf_raise(err, "%s expected at most 1 argument, got %zu", what, call->n_args);
	int r = call->n_args == 0 ? 0 : hf_dict_update(e, dict, call->args[0], err);
	if (r < 0)
		return r;
	if (call->kwargs != NULL)
		HF_DICT_EACH (call->kwargs, entry)
			hf_dict_set(dict, hf_entry_key(entry), entry->value);
	*ret = dict;
	return 0;
}

/* A dict that lives longer than this rendering takes copies. */
static void dict_put(struct hf_eval *e, struct hf_value *dict, struct hf_value *key, struct hf_value *value)
{
	struct hf_arena *where = dict->u.dict->map.arena;
	if (where != e->arena) {
		key = hf_value_copy(where, key);
		value = hf_value_copy(where, value);
	}
	hf_dict_set(dict, key, value);
}

int hf_dict_update(struct hf_eval *e, struct hf_value *dict, struct hf_value *from, struct hf_error *err)
{
	if (from->type == HF_DICT) {
		HF_DICT_EACH (from, entry)
			dict_put(e, dict, hf_entry_key(entry), entry->value);
		return hf_eval_steps(e, hf_dict_len(from), err);
	}
	struct hf_value *items, *pair;
	int r = hf_eval_sequence(e, from, &items, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(items); i++) {
		r = hf_eval_sequence(e, hf_list_at(items, i), &pair, err);
		if (r == 0 && hf_list_len(pair) != 2)
			r = hf_raise(err,
				"dictionary update sequence element #%zu has length %zu; 2 is required", i,
				hf_list_len(pair));
		if (r == 0 && !hf_value_hashable(hf_list_at(pair, 0)))
			r = hf_raise(err, "unhashable type: '%s'", hf_type_name(hf_list_at(pair, 0)));
		if (r == 0)
			dict_put(e, dict, hf_list_at(pair, 0), hf_list_at(pair, 1));
	}
	return r;
}

static int global_dict(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	return dict_from(e, call, "dict", ret, err);
}

static int namespace_get(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value key = { .type = HF_STRING, .u.string = name };
	*ret = hf_dict_find(self->data, &key);
	return 0;
}

static int namespace_set(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value *value, struct hf_error *err)
{
	struct hf_eval *e = state;
	hf_dict_set(self->data, hf_value_str(e->arena, name), value);
	return 0;
}

const struct hf_object_kind hf_namespace_kind = {
	.type_name = "Namespace", .attribute = namespace_get, .set_attribute = namespace_set
};

static int global_namespace(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *dict;
	int r = dict_from(e, call, "namespace", &dict, err);
	if (r == 0)
		*ret = hf_value_object(e->arena, &hf_namespace_kind, dict);
	return r;
}

struct cycler {
	struct hf_value *items, *self;
	size_t at;
};

static int cycler_next(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	struct cycler *c = input->u.object->data;
	*ret = hf_list_at(c->items, c->at);
	c->at = (c->at + 1) % hf_list_len(c->items);
	return 0;
}

static int cycler_reset(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	((struct cycler *)input->u.object->data)->at = 0;
	*ret = hf_value_null(e->arena);
	return 0;
}

static int cycler_get(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	static const struct hf_callable_row next = { "next", cycler_next, 0 },
					    reset = { "reset", cycler_reset, 0 };
	struct hf_eval *e = state;
	struct cycler *c = self->data;
	*ret = NULL;
	if (hf_str_is(name, "next"))
		*ret = hf_method_value(e->arena, &next, c->self);
	else if (hf_str_is(name, "reset"))
		*ret = hf_method_value(e->arena, &reset, c->self);
	else if (hf_str_is(name, "current"))
		*ret = hf_list_at(c->items, c->at);
	else if (hf_str_is(name, "pos"))
		*ret = hf_value_int(e->arena, (int64_t)c->at);
	else if (hf_str_is(name, "items"))
		*ret = c->items;
	return 0;
}

static const struct hf_object_kind cycler_kind = { .type_name = "Cycler", .attribute = cycler_get };

static int global_cycler(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	int r = hf_call_check(call, "cycler", SIZE_MAX, NULL, err);
	if (r < 0)
		return r;
	if (call->n_args == 0)
		return hf_raise(err, "at least one item has to be provided");
	struct cycler *c = hf_new(e->arena, struct cycler);
	c->items = hf_value_tuple(e->arena);
	for (size_t i = 0; i < call->n_args; i++)
		hf_list_append(c->items, call->args[i]);
	c->self = hf_value_object(e->arena, &cycler_kind, c);
	*ret = c->self;
	return 0;
}

struct joiner {
	struct hf_value *separator;
	bool used;
};

static int joiner_call(void *state, struct hf_object *self, struct hf_value *const *args, size_t n_args,
	struct hf_dict *kwargs, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	struct joiner *j = self->data;
	*ret = j->used ? j->separator : hf_value_borrow(e->arena, HF_STR(""));
	j->used = true;
	return 0;
}

static const struct hf_object_kind joiner_kind = { .type_name = "Joiner", .call = joiner_call };

static int global_joiner(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	static const char *const names[] = { "sep", NULL };
	int r = hf_call_check(call, "joiner", 1, names, err);
	if (r < 0)
		return r;
	struct joiner *j = hf_new(e->arena, struct joiner);
	j->separator = hf_call_arg(call, 0, "sep");
	if (j->separator == NULL)
		j->separator = hf_value_borrow(e->arena, HF_STR(", "));
	*ret = hf_value_object(e->arena, &joiner_kind, j);
	return 0;
}

const struct hf_callable_row hf_globals_builtin[] = {
	{ "range", global_range, 0 },
	{ "dict", global_dict, HF_TAKES_UNDEFINED },
	{ "namespace", global_namespace, HF_TAKES_UNDEFINED },
	{ "cycler", global_cycler, HF_TAKES_UNDEFINED },
	{ "joiner", global_joiner, HF_TAKES_UNDEFINED },
	{ "lipsum", hf_global_lipsum, 0 },
	{ NULL, NULL, 0 },
};
