#include <stdio.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/template/arith.h"
#include "lib/template/eval.h"
#include "lib/template/methods.h"

struct hf_value *hf_undefined_attribute(struct hf_eval *e, const struct hf_value *v, struct hf_str name)
{
	return hf_value_undefined(e->arena, hf_sprintf(e->arena, "'%s object' has no attribute '%.*s'",
						    hf_type_name(v), HF_STR_ARG(name)));
}

const struct hf_callable_row *hf_row_find(const struct hf_callable_row *rows, struct hf_str name)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (hf_str_is_word(name, rows->name))
			return rows;
	return NULL;
}

const struct hf_callable_row *hf_methods_of(const struct hf_value *v)
{
	switch ((enum hf_type)v->type) {
	case HF_STRING:
		return hf_methods_str;
	case HF_LIST:
		return hf_methods_list;
	case HF_TUPLE:
		return hf_methods_tuple;
	case HF_DICT:
		return hf_methods_dict;
	case HF_SET:
		return hf_methods_set;
	case HF_BOOL:
	case HF_INT:
	case HF_BIGINT:
		return hf_methods_int;
	case HF_FLOAT:
		return hf_methods_float;
	case HF_BYTES:
		return hf_methods_bytes;
	case HF_DATE:
		return hf_methods_date;
	case HF_DATETIME:
		return hf_methods_datetime;
	case HF_TIMEDELTA:
		return hf_methods_timedelta;
	case HF_UNDEFINED:
	case HF_NULL:
	case HF_OMIT:
	case HF_OBJECT:
		break;
	}
	return NULL;
}

struct field {
	const char *name;
	int64_t value;
};

static struct hf_value *field_of(struct hf_arena *a, const struct field *fields, size_t n, struct hf_str name)
{
	for (size_t i = 0; i < n; i++)
		if (hf_str_is(name, fields[i].name))
			return hf_value_int(a, fields[i].value);
	return NULL;
}

static struct hf_value *number_field(struct hf_arena *a, const struct hf_value *v, struct hf_str name)
{
	bool real = hf_str_is(name, "real"), imaginary = hf_str_is(name, "imag");
	if (v->type == HF_FLOAT)
		return real || imaginary ? hf_value_float(a, real ? v->u.real : 0) : NULL;
	if (real || hf_str_is(name, "numerator"))
		return v->type == HF_BOOL ? hf_value_int(a, v->u.boolean) : hf_value_shallow(a, v);
	const struct field fields[] = { { "imag", 0 }, { "denominator", 1 } };
	return field_of(a, fields, HF_COUNT(fields), name);
}

/* Fields of numbers, dates and time spans that are no methods. *ret NULL: no such field. */
static void plain_field(
	struct hf_eval *e, const struct hf_value *v, struct hf_str name, struct hf_value **ret)
{
	*ret = NULL;
	if (hf_arith_is_number(v)) {
		*ret = number_field(e->arena, v, name);
	} else if (v->type == HF_TIMEDELTA) {
		int64_t day = INT64_C(86400000000);
		int64_t days = v->u.integer / day - (v->u.integer % day < 0),
			rest = v->u.integer - days * day;
		const struct field fields[] = { { "days", days }, { "seconds", rest / 1000000 },
			{ "microseconds", rest % 1000000 } };
		*ret = field_of(e->arena, fields, HF_COUNT(fields), name);
	} else if (v->type == HF_DATE || v->type == HF_DATETIME) {
		const struct hf_time_value *t = v->u.time;
		const struct field fields[] = { { "year", t->year }, { "month", t->month }, { "day", t->day },
			{ "hour", t->hour }, { "minute", t->minute }, { "second", t->second },
			{ "microsecond", t->microsecond } };
		*ret = field_of(e->arena, fields, v->type == HF_DATE ? 3 : HF_COUNT(fields), name);
	}
}

/* x.__class__: nothing but its name. */
static int class_attribute(
	void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_eval *e = state;
	const struct hf_value *v = self->data;
	bool markup = v->type == HF_STRING && v->flags & HF_VALUE_MARKUP;
	*ret = hf_str_is(name, "__name__") ? hf_value_cstr(e->arena, markup ? "Markup" : hf_type_name(v))
					   : NULL;
	return 0;
}

static const struct hf_object_kind class_kind = { .type_name = "type", .attribute = class_attribute };

/* What Python's getattr() finds; *ret NULL when there is nothing. */
static int attribute_only(struct hf_eval *e, struct hf_value *v, struct hf_str name, struct hf_value **ret,
	struct hf_error *err)
{
	*ret = NULL;
	if (v->type == HF_OBJECT) {
		const struct hf_object_kind *kind = v->u.object->kind;
		return kind->attribute == NULL ? 0 : kind->attribute(e, v->u.object, name, ret, err);
	}
	if (v->type == HF_TUPLE && v->flags & HF_TUPLE_GROUP &&
		(hf_str_is(name, "grouper") || hf_str_is(name, "list"))) {
		*ret = hf_list_at(v, hf_str_is(name, "list"));
		return 0;
	}
	if (hf_str_is(name, "__class__")) {
		*ret = hf_value_object(e->arena, &class_kind, v);
		return 0;
	}
	const struct hf_callable_row *row = hf_row_find(hf_methods_of(v), name);
	if (row != NULL)
		*ret = hf_method_value(e->arena, row, v);
	else
		plain_field(e, v, name, ret);
	return 0;
}

static int undefined_used(struct hf_eval *e, struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	if (!eval_chainable(e) || v->flags & HF_UNDEFINED_LENIENT)
		return hf_eval_undefined(e, v, err);
	*ret = v;
	return 0;
}

static int found(struct hf_eval *e, struct hf_value *object, struct hf_value *v, struct hf_value **ret,
	struct hf_error *err)
{
	int r = e->env->resolve == NULL ? 0 : e->env->resolve(e, &v, err);
	if (r == 0)
		*ret = object->flags == 0 ? v : hf_value_taint(e->arena, v, object);
	return r;
}

int hf_eval_attribute(struct hf_eval *e, struct hf_value *v, struct hf_str name, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_value *out;
	if (v->type == HF_UNDEFINED)
		return undefined_used(e, v, ret, err);
	int r = attribute_only(e, v, name, &out, err);
	if (r < 0)
		return r;
	if (out == NULL && v->type == HF_DICT) {
		struct hf_value key = { .type = HF_STRING, .u.string = name };
		out = hf_dict_find(v, &key);
	}
	if (out == NULL) {
		*ret = hf_undefined_attribute(e, v, name);
		return 0;
	}
	return found(e, v, out, ret, err);
}

static int undefined_item(struct hf_eval *e, struct hf_value *v, struct hf_value *key, struct hf_value **ret,
	struct hf_error *err)
{
	if (key->type == HF_STRING) {
		*ret = hf_undefined_attribute(e, v, key->u.string);
		return 0;
	}
	hf_auto_buf text = hf_buf_init(512);
	hf_value_repr(&text, key);
	*ret = hf_value_undefined(e->arena, hf_sprintf(e->arena, "%s object has no element %.*s",
						    hf_type_name(v), HF_STR_ARG(hf_buf_str(&text))));
	return 0;
}

/* Index into n things, negative from the end; -1 when out of range. */
static int64_t index_of(int64_t i, int64_t n)
{
	if (i < 0)
		i += n;
	return i < 0 || i >= n ? -1 : i;
}

static struct hf_value *text_at(struct hf_eval *e, const struct hf_value *v, int64_t index)
{
	int64_t i = index_of(index, (int64_t)hf_utf8_length(v->u.string));
	if (i < 0)
		return NULL;
	size_t from = hf_utf8_offset(v->u.string, (size_t)i);
	uint32_t point;
	size_t width = hf_utf8_decode(v->u.string.p + from, v->u.string.n - from, &point);
	struct hf_value *c = hf_value_str(e->arena, hf_strn(v->u.string.p + from, width));
	c->flags = v->flags & HF_VALUE_MARKUP;
	return c;
}

/* What v[key] gives in Python; NULL when that raises. */
static struct hf_value *item_only(struct hf_eval *e, struct hf_value *v, struct hf_value *key)
{
	if (v->type == HF_DICT)
		return hf_value_hashable(key) ? hf_dict_find(v, key) : NULL;
	if (key->type != HF_INT && key->type != HF_BOOL)
		return NULL;
	int64_t index = key->type == HF_INT ? key->u.integer : key->u.boolean;
	if (v->type == HF_STRING)
		return text_at(e, v, index);
	if (v->type == HF_BYTES) {
		int64_t i = index_of(index, (int64_t)v->u.string.n);
		return i < 0 ? NULL : hf_value_int(e->arena, (unsigned char)v->u.string.p[i]);
	}
	if (hf_is_sequence(v)) {
		int64_t i = index_of(index, (int64_t)hf_list_len(v));
		return i < 0 ? NULL : hf_list_at(v, (size_t)i);
	}
	if (v->type == HF_OBJECT && v->u.object->kind == &hf_range_kind) {
		const struct range *g = v->u.object->data;
		int64_t i = index_of(index, g->n);
		return i < 0 ? NULL : hf_value_int(e->arena, g->start + i * g->step);
	}
	return NULL;
}

int hf_eval_item(struct hf_eval *e, struct hf_value *v, struct hf_value *key, struct hf_value **ret,
	struct hf_error *err)
{
	if (v->type == HF_UNDEFINED)
		return undefined_used(e, v, ret, err);
	if (undefined_strict(e, key))
		return hf_eval_undefined(e, key, err);
	struct hf_value *out = item_only(e, v, key);
	if (out == NULL && key->type == HF_STRING) {
		int r = attribute_only(e, v, key->u.string, &out, err);
		if (r < 0)
			return r;
	}
	if (out == NULL)
		return undefined_item(e, v, key, ret, err);
	int r = found(e, v, out, ret, err);
	if (r == 0 && key->flags & (HF_VALUE_SECRET | HF_VALUE_UNSAFE))
		*ret = hf_value_taint(e->arena, *ret, key);
	return r;
}

int hf_attribute_node(struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	const struct attribute_node *at = &n->u.attribute;
	struct hf_value *v;
	int r = hf_eval_quick(e, at->object, &v, err);
	if (r < 0)
		return r;
	if (v->type == HF_DICT && at->of_dict == NULL) {
		struct hf_value *item = hf_dict_lookup(v->u.dict, at->key, at->hash, at->hint);
		if (item != NULL && (e->env->resolve != NULL || v->flags != 0))
			return found(e, v, item, ret, err);
		if (item != NULL) {
			*ret = item;
			return 0;
		}
		*ret = hf_undefined_attribute(e, v, at->key->u.string);
		return 0;
	}
	if (v->type == HF_OBJECT && v->u.object->kind == &hf_loop_kind && at->loop_field >= 0)
		return hf_loop_attribute(e, v->u.object->data, at->loop_field, ret, err);
	return hf_eval_attribute(e, v, at->key->u.string, ret, err);
}

static int slice_step(
	struct hf_eval *e, const struct hf_value *given, int64_t n, int64_t *ret, struct hf_error *err)
{
	int64_t step = 1;
	int r = given == NULL || given->type == HF_NULL ? 0 : hf_eval_int(e, given, "slice step", &step, err);
	if (r < 0)
		return r;
	if (step == 0)
		return hf_raise(err, "slice step cannot be zero");
	/* A step past the end takes one item at most; the bound keeps later sums in range. */
	*ret = step > n + 1 ? n + 1 : step < -(n + 1) ? -(n + 1) : step;
	return 0;
}

/* Python's slice.indices(): bounds clamped to n. */
static int slice_indices(
	struct hf_eval *e, struct hf_value *const bounds[3], int64_t n, int64_t ret[3], struct hf_error *err)
{
	int64_t step = 1;
	int r = slice_step(e, bounds[2], n, &step, err);
	if (r < 0)
		return r;
	int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
	ret[0] = step > 0 ? low : high;
	ret[1] = step > 0 ? high : low;
	ret[2] = step;
	for (int i = 0; i < 2; i++) {
		if (bounds[i] == NULL || bounds[i]->type == HF_NULL)
			continue;
		int64_t at;
		if (bounds[i]->type == HF_BIGINT)
			at = bounds[i]->u.string.p[0] == '-' ? INT64_MIN / 2 : INT64_MAX;
		else if ((r = hf_eval_int(e, bounds[i], "slice index", &at, err)) < 0)
			return r;
		if (at < 0)
			at = at + n < low ? low : at + n;
		ret[i] = at > high ? high : at;
	}
	return 0;
}

static int slice_text(struct hf_eval *e, const struct hf_value *v, const int64_t at[3], struct hf_value **ret,
	struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	if (at[2] == 1 && v->type == HF_STRING) {
		size_t from = hf_utf8_offset(v->u.string, (size_t)at[0]);
		size_t to = at[1] <= at[0] ? from : hf_utf8_offset(v->u.string, (size_t)at[1]);
		hf_buf_append(&out, v->u.string.p + from, to - from);
	} else {
		struct hf_value *items;
		int r = hf_eval_sequence(e, (struct hf_value *)(uintptr_t)v, &items, err);
		if (r < 0)
			return r;
		for (int64_t i = at[0]; at[2] > 0 ? i < at[1] : i > at[1]; i += at[2]) {
			const struct hf_value *c = hf_list_at(items, (size_t)i);
			if (v->type == HF_BYTES)
				hf_buf_put(&out, (char)c->u.integer);
			else
				hf_buf_add(&out, c->u.string);
		}
	}
	int r = hf_buf_value(e, &out, v->flags & HF_VALUE_MARKUP, ret, err);
	if (r == 0)
		(*ret)->type = v->type;
	return r;
}

static struct hf_value *slice_range(struct hf_eval *e, const struct range *g, const int64_t at[3])
{
	struct range *part = hf_new(e->arena, struct range);
	int64_t span = at[2] > 0 ? at[1] - at[0] : at[0] - at[1], step = at[2] > 0 ? at[2] : -at[2];
	*part = (struct range){ g->start + at[0] * g->step, g->start + at[1] * g->step, g->step * at[2],
		span <= 0 ? 0 : (span + step - 1) / step };
	return hf_value_object(e->arena, &hf_range_kind, part);
}

static int slice_list(struct hf_eval *e, const struct hf_value *v, const int64_t at[3], struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_value *list = v->type == HF_TUPLE ? hf_value_tuple(e->arena) : hf_value_list(e->arena);
	for (int64_t i = at[0]; at[2] > 0 ? i < at[1] : i > at[1]; i += at[2])
		hf_list_append(list, hf_list_at(v, (size_t)i));
	*ret = list;
	return hf_eval_steps(e, hf_list_len(list), err);
}

int hf_slice_value(struct hf_eval *e, struct hf_value *v, struct hf_value *const bounds[3],
	struct hf_value **ret, struct hf_error *err)
{
	if (v->type == HF_UNDEFINED)
		return undefined_used(e, v, ret, err);
	bool is_text = v->type == HF_STRING || v->type == HF_BYTES;
	bool is_range = v->type == HF_OBJECT && v->u.object->kind == &hf_range_kind;
	if (!is_text && !hf_is_sequence(v) && !is_range) {
		*ret = hf_value_undefined(
			e->arena, hf_sprintf(e->arena, "'%s' object is not subscriptable", hf_type_name(v)));
		return 0;
	}
	int64_t n, at[3];
	int r = hf_eval_length(e, v, &n, err);
	if (r == 0)
		r = slice_indices(e, bounds, n, at, err);
	if (r < 0)
		return r;
	if (is_range)
		*ret = slice_range(e, v->u.object->data, at);
	else
		r = is_text ? slice_text(e, v, at, ret, err) : slice_list(e, v, at, ret, err);
	if (r == 0)
		*ret = hf_value_taint(e->arena, *ret, v);
	return r;
}
