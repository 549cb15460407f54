/* lib/engine/jmespath_call.c - JMESPath's functions; see jmespath.h. */
#include <math.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/unicode.h"
#include "lib/engine/jmespath_internal.h"

enum { ARGS_MAX = 16 };

/* Arguments of a call, evaluated; an &expression stays a tree. */
struct args {
	struct hf_value *at[ARGS_MAX];
	const struct jmespath_node *expression;
	size_t n;
	struct hf_str name;
};
typedef int (*function)(struct jmespath_search *s, const struct args *args, struct hf_value **ret);

static int wrong_type(struct jmespath_search *s, const struct args *args)
{
	return hf_fail(s->err, HF_E_TEMPLATE, "JMESPath: %.*s() got a value of the wrong type",
		HF_STR_ARG(args->name));
}

static bool number_of(const struct hf_value *v, double *ret)
{
	if (v->type == HF_INT)
		*ret = (double)v->u.integer;
	else if (v->type == HF_FLOAT)
		*ret = v->u.real;
	return v->type == HF_INT || v->type == HF_FLOAT;
}

static int f_abs(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	double d;
	if (!number_of(args->at[0], &d))
		return wrong_type(s, args);
	*ret = args->at[0]->type == HF_INT ? hf_value_int(s->arena, llabs(args->at[0]->u.integer))
					   : hf_value_float(s->arena, fabs(d));
	return 0;
}

static int f_ceil(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	double d;
	if (!number_of(args->at[0], &d))
		return wrong_type(s, args);
	*ret = hf_value_int(s->arena, (int64_t)ceil(d));
	return 0;
}

static int f_floor(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	double d;
	if (!number_of(args->at[0], &d))
		return wrong_type(s, args);
	*ret = hf_value_int(s->arena, (int64_t)floor(d));
	return 0;
}

static int total(struct jmespath_search *s, const struct args *args, bool average, struct hf_value **ret)
{
	const struct hf_value *list = args->at[0];
	double sum = 0, d;
	bool whole = true;
	if (!hf_is_sequence(list))
		return wrong_type(s, args);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		if (!number_of(hf_list_at(list, i), &d))
			return wrong_type(s, args);
		whole &= hf_list_at(list, i)->type == HF_INT;
		sum += d;
	}
	if (average)
		*ret = hf_list_len(list) == 0 ? hf_value_null(s->arena)
					      : hf_value_float(s->arena, sum / (double)hf_list_len(list));
	else
		*ret = whole && fabs(sum) < 0x1p53 ? hf_value_int(s->arena, (int64_t)sum)
						   : hf_value_float(s->arena, sum);
	return 0;
}

static int f_avg(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return total(s, args, true, ret);
}

static int f_sum(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return total(s, args, false, ret);
}

static int f_contains(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	const struct hf_value *where = args->at[0], *what = args->at[1];
	bool found = false;
	if (where->type == HF_STRING && what->type != HF_STRING)
		return wrong_type(s, args);
	if (where->type == HF_STRING)
		found = hf_str_find(where->u.string, what->u.string, 0) != SIZE_MAX;
	else if (!hf_is_sequence(where))
		return wrong_type(s, args);
	else
		for (size_t i = 0; i < hf_list_len(where); i++)
			found |= hf_value_equal(hf_list_at(where, i), what);
	*ret = hf_value_bool(s->arena, found);
	return 0;
}

static int edge(struct jmespath_search *s, const struct args *args, bool start, struct hf_value **ret)
{
	const struct hf_value *where = args->at[0], *what = args->at[1];
	if (where->type != HF_STRING || what->type != HF_STRING)
		return wrong_type(s, args);
	*ret = hf_value_bool(s->arena, start ? hf_str_starts(where->u.string, what->u.string.p)
					     : hf_str_ends(where->u.string, what->u.string.p));
	return 0;
}

static int f_starts_with(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return edge(s, args, true, ret);
}

static int f_ends_with(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return edge(s, args, false, ret);
}

static int f_join(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	const struct hf_value *glue = args->at[0], *list = args->at[1];
	hf_auto_buf out = hf_buf_init(64 << 20);
	if (glue->type != HF_STRING || !hf_is_sequence(list))
		return wrong_type(s, args);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		if (hf_list_at(list, i)->type != HF_STRING)
			return wrong_type(s, args);
		if (i > 0)
			hf_buf_add(&out, glue->u.string);
		hf_buf_add(&out, hf_list_at(list, i)->u.string);
	}
	int r = hf_buf_check(&out, "joined text", s->err);
	*ret = hf_value_str(s->arena, hf_buf_str(&out));
	return r;
}

static int members(struct jmespath_search *s, const struct args *args, bool keys, struct hf_value **ret)
{
	if (args->at[0]->type != HF_DICT)
		return wrong_type(s, args);
	*ret = hf_value_list(s->arena);
	HF_DICT_EACH (args->at[0], e)
		hf_list_append(*ret, keys ? hf_entry_key(e) : hf_entry_value(e));
	return 0;
}

static int f_keys(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return members(s, args, true, ret);
}

static int f_values(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return members(s, args, false, ret);
}

static int f_length(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	const struct hf_value *v = args->at[0];
	size_t n;
	if (v->type == HF_STRING)
		n = hf_utf8_length(v->u.string);
	else if (hf_is_sequence(v))
		n = hf_list_len(v);
	else if (v->type == HF_DICT)
		n = hf_dict_len(v);
	else
		return wrong_type(s, args);
	*ret = hf_value_int(s->arena, (int64_t)n);
	return 0;
}

static int f_map(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	const struct hf_value *list = args->n > 1 ? args->at[1] : args->at[0];
	struct hf_value *out = hf_value_list(s->arena), *item = NULL;
	if (args->expression == NULL || !hf_is_sequence(list))
		return wrong_type(s, args);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		int r = jmespath_visit(s, args->expression, hf_list_at(list, i), &item);
		if (r < 0)
			return r;
		hf_list_append(out, item);
	}
	*ret = out;
	return 0;
}

static int f_merge(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	*ret = hf_value_dict(s->arena);
	for (size_t i = 0; i < args->n; i++) {
		if (args->at[i]->type != HF_DICT)
			return wrong_type(s, args);
		HF_DICT_EACH (args->at[i], e)
			hf_dict_set(*ret, hf_entry_key(e), hf_entry_value(e));
	}
	return 0;
}

static int f_not_null(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	*ret = hf_value_null(s->arena);
	for (size_t i = args->n; i > 0; i--)
		if (args->at[i - 1]->type != HF_NULL)
			*ret = args->at[i - 1];
	return 0;
}

static int f_reverse(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	const struct hf_value *v = args->at[0];
	if (v->type == HF_STRING) {
		hf_auto_buf out = hf_buf_init(v->u.string.n + 1);
		size_t ends[1] = { v->u.string.n };
		while (ends[0] > 0) {
			size_t from = ends[0] - 1;
			while (from > 0 && ((unsigned char)v->u.string.p[from] & 0xC0) == 0x80)
				from--;
			hf_buf_append(&out, v->u.string.p + from, ends[0] - from);
			ends[0] = from;
		}
		*ret = hf_value_str(s->arena, hf_buf_str(&out));
		return 0;
	}
	if (!hf_is_sequence(v))
		return wrong_type(s, args);
	*ret = hf_value_list(s->arena);
	for (size_t i = hf_list_len(v); i > 0; i--)
		hf_list_append(*ret, hf_list_at(v, i - 1));
	return 0;
}

/* --- order --- */

struct keyed {
	struct hf_value *key, *item;
};

static int keyed_order(const struct keyed *x, const struct keyed *y)
{
	double a = 0, b = 0;
	if (x->key->type == HF_STRING)
		return hf_str_compare(x->key->u.string, y->key->u.string);
	number_of(x->key, &a);
	number_of(y->key, &b);
	return a < b ? -1 : a > b;
}

/* Items with what they are compared by: themselves, or the expression's result. All numbers or all text. */
static int keyed_list(
	struct jmespath_search *s, const struct args *args, bool by, struct keyed **ret, size_t *ret_n)
{
	const struct hf_value *list = args->at[0];
	double d;
	if (!hf_is_sequence(list) || by != (args->expression != NULL))
		return wrong_type(s, args);
	struct keyed *out = hf_new_array(s->arena, hf_list_len(list) + 1, struct keyed);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		out[i] = (struct keyed){ hf_list_at(list, i), hf_list_at(list, i) };
		int r = by ? jmespath_visit(s, args->expression, out[i].item, &out[i].key) : 0;
		if (r < 0)
			return r;
		bool text = out[i].key->type == HF_STRING;
		if ((!text && !number_of(out[i].key, &d)) || text != (out[0].key->type == HF_STRING))
			return wrong_type(s, args);
	}
	*ret = out;
	*ret_n = hf_list_len(list);
	return 0;
}

static void keyed_sort(struct keyed *at, struct keyed *spare, size_t n)
{
	size_t half = n / 2;
	if (n < 2)
		return;
	keyed_sort(at, spare, half);
	keyed_sort(at + half, spare, n - half);
	for (size_t i = 0, j = half, k = 0; k < n; k++)
		spare[k] = j == n || (i < half && keyed_order(&at[i], &at[j]) <= 0) ? at[i++] : at[j++];
	memcpy(at, spare, n * sizeof(*at));
}

static int sorted(struct jmespath_search *s, const struct args *args, bool by, struct hf_value **ret)
{
	struct keyed *list = NULL;
	size_t n = 0;
	int r = keyed_list(s, args, by, &list, &n);
	if (r < 0)
		return r;
	keyed_sort(list, hf_new_array(s->arena, n + 1, struct keyed), n);
	*ret = hf_value_list(s->arena);
	for (size_t i = 0; i < n; i++)
		hf_list_append(*ret, list[i].item);
	return 0;
}

static int extreme(
	struct jmespath_search *s, const struct args *args, bool by, int sign, struct hf_value **ret)
{
	struct keyed *list = NULL;
	size_t n = 0, best = 0;
	int r = keyed_list(s, args, by, &list, &n);
	if (r < 0)
		return r;
	for (size_t i = 1; i < n; i++)
		if (keyed_order(&list[i], &list[best]) * sign > 0)
			best = i;
	*ret = n == 0 ? hf_value_null(s->arena) : list[best].item;
	return 0;
}

static int f_sort(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return sorted(s, args, false, ret);
}

static int f_sort_by(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return sorted(s, args, true, ret);
}

static int f_max(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return extreme(s, args, false, 1, ret);
}

static int f_min(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return extreme(s, args, false, -1, ret);
}

static int f_max_by(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return extreme(s, args, true, 1, ret);
}

static int f_min_by(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	return extreme(s, args, true, -1, ret);
}

/* --- conversions --- */

static int f_to_array(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	*ret = args->at[0];
	if (hf_is_sequence(args->at[0]))
		return 0;
	*ret = hf_value_list(s->arena);
	hf_list_append(*ret, args->at[0]);
	return 0;
}

static int f_to_number(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	struct hf_value *v = args->at[0];
	int64_t whole;
	double d;
	*ret = hf_value_null(s->arena);
	if (number_of(v, &d)) {
		*ret = v;
	} else if (v->type == HF_STRING && hf_str_to_int64(v->u.string, &whole)) {
		*ret = hf_value_int(s->arena, whole);
	} else if (v->type == HF_STRING && v->u.string.n > 0) {
		char *end;
		d = strtod(v->u.string.p, &end);
		if (*end == '\0')
			*ret = hf_value_float(s->arena, d);
	}
	return 0;
}

static int f_to_string(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	*ret = args->at[0];
	if (args->at[0]->type == HF_STRING)
		return 0;
	hf_auto_buf out = hf_buf_init(64 << 20);
	struct hf_json_style style = HF_JSON_COMPACT;
	style.ascii = true;
	int r = hf_json_write(&out, args->at[0], &style, s->err);
	if (r == 0)
		*ret = hf_value_str(s->arena, hf_buf_str(&out));
	return r;
}

static int f_type(struct jmespath_search *s, const struct args *args, struct hf_value **ret)
{
	static const char *const names[] = { [HF_NULL] = "null",
		[HF_BOOL] = "boolean",
		[HF_INT] = "number",
		[HF_BIGINT] = "number",
		[HF_FLOAT] = "number",
		[HF_STRING] = "string",
		[HF_LIST] = "array",
		[HF_TUPLE] = "array",
		[HF_DICT] = "object" };
	uint8_t type = args->at[0]->type;
	*ret = hf_value_cstr(
		s->arena, type < HF_COUNT(names) && names[type] != NULL ? names[type] : "object");
	return 0;
}

static const struct {
	const char *name;
	function fn;
	size_t least, most;
} functions[] = {
	{ "abs", f_abs, 1, 1 },
	{ "avg", f_avg, 1, 1 },
	{ "ceil", f_ceil, 1, 1 },
	{ "contains", f_contains, 2, 2 },
	{ "ends_with", f_ends_with, 2, 2 },
	{ "floor", f_floor, 1, 1 },
	{ "join", f_join, 2, 2 },
	{ "keys", f_keys, 1, 1 },
	{ "length", f_length, 1, 1 },
	{ "map", f_map, 2, 2 },
	{ "max", f_max, 1, 1 },
	{ "max_by", f_max_by, 2, 2 },
	{ "merge", f_merge, 1, ARGS_MAX },
	{ "min", f_min, 1, 1 },
	{ "min_by", f_min_by, 2, 2 },
	{ "not_null", f_not_null, 1, ARGS_MAX },
	{ "reverse", f_reverse, 1, 1 },
	{ "sort", f_sort, 1, 1 },
	{ "sort_by", f_sort_by, 2, 2 },
	{ "starts_with", f_starts_with, 2, 2 },
	{ "sum", f_sum, 1, 1 },
	{ "to_array", f_to_array, 1, 1 },
	{ "to_number", f_to_number, 1, 1 },
	{ "to_string", f_to_string, 1, 1 },
	{ "type", f_type, 1, 1 },
	{ "values", f_values, 1, 1 },
};

int jmespath_call(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret)
{
	struct args args = { .name = n->name };
	for (size_t i = 0; i < HF_COUNT(functions); i++) {
		if (!hf_str_is(n->name, functions[i].name))
			continue;
		if (n->items.n < functions[i].least || n->items.n > functions[i].most)
			return hf_fail(s->err, HF_E_TEMPLATE, "JMESPath: %s() got %zu arguments",
				functions[i].name, n->items.n);
		for (size_t k = 0; k < n->items.n; k++) {
			const struct jmespath_node *item = n->items.at[k];
			args.at[k] = hf_value_null(s->arena);
			int r = 0;
			if (item->kind == JMES_EXPRESSION)
				args.expression = item->left;
			else
				r = jmespath_visit(s, item, v, &args.at[k]);
			if (r < 0)
				return r;
		}
		args.n = n->items.n;
		return functions[i].fn(s, &args, ret);
	}
	return hf_fail(s->err, HF_E_TEMPLATE, "JMESPath: no function %.*s()", HF_STR_ARG(n->name));
}
