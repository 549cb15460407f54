#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "lib/template/arith.h"
#include "lib/template/eval.h"

int hf_eval_undefined(struct hf_eval *e, const struct hf_value *v, struct hf_error *err)
{
	if (v->u.string.p == NULL)
		return hf_fail(err, HF_E_UNDEFINED, "undefined value");
	if (v->flags & HF_UNDEFINED_NAME)
		return hf_fail(err, HF_E_UNDEFINED, "'%s' is undefined", v->u.string.p);
	return hf_fail(err, HF_E_UNDEFINED, "%s", v->u.string.p);
}

unsigned hf_value_marks(const struct hf_value *v)
{
	unsigned marks = v->flags & (HF_VALUE_SECRET | HF_VALUE_UNSAFE);
	if (v->type < HF_LIST || v->type > HF_SET || marks == (HF_VALUE_SECRET | HF_VALUE_UNSAFE))
		return marks;
	if (hf_is_sequence(v))
		for (size_t i = 0; i < hf_list_len(v); i++)
			marks |= hf_value_marks(hf_list_at(v, i));
	else
		HF_DICT_EACH (v, entry) {
			marks |= hf_value_marks(hf_entry_key(entry));
			if (entry->value != NULL)
				marks |= hf_value_marks(entry->value);
		}
	return marks;
}

int hf_eval_truth(struct hf_eval *e, struct hf_value *v, bool *ret, struct hf_error *err)
{
	if (undefined_strict(e, v))
		return hf_eval_undefined(e, v, err);
	int64_t n;
	if (v->type == HF_OBJECT && v->u.object->kind == &hf_range_kind) {
		const struct range *range = v->u.object->data;
		*ret = range->n > 0;
		return 0;
	}
	if (v->type == HF_OBJECT && v->u.object->kind >= hf_view_kinds &&
		v->u.object->kind < hf_view_kinds + HF_COUNT(hf_view_kinds)) {
		int r = hf_eval_length(e, v, &n, err);
		*ret = r == 0 && n > 0;
		return r;
	}
	*ret = hf_value_truthy(v);
	return 0;
}

int hf_eval_text(struct hf_eval *e, struct hf_value *v, struct hf_str *ret, struct hf_error *err)
{
	switch ((int)v->type) {
	case HF_STRING:
	case HF_BIGINT:
		*ret = v->u.string;
		return 0;
	case HF_UNDEFINED:
		if (undefined_strict(e, v))
			return hf_eval_undefined(e, v, err);
		*ret = HF_STR("");
		return 0;
	default:
		break;
	}
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	hf_value_print(&out, v);
	int r = hf_buf_check(&out, "text of a value", err);
	if (r == 0)
		*ret = hf_buf_dup(e->arena, &out);
	return r;
}

void hf_text_escape(struct hf_buf *out, struct hf_str s)
{
	static const char *const entities[256] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['\''] = "&#39;", ['"'] = "&#34;"
	};
	size_t done = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *entity = entities[(unsigned char)s.p[i]];
		if (entity == NULL)
			continue;
		hf_buf_append(out, s.p + done, i - done);
		hf_buf_puts(out, entity);
		done = i + 1;
	}
	hf_buf_append(out, s.p + done, s.n - done);
}

int hf_eval_escaped(struct hf_eval *e, struct hf_value *v, struct hf_str *ret, struct hf_error *err)
{
	struct hf_str text;
	int r = hf_eval_text(e, v, &text, err);
	if (r < 0)
		return r;
	if (v->flags & HF_VALUE_MARKUP) {
		*ret = text;
		return 0;
	}
	hf_auto_buf out = hf_buf_init(HF_EVAL_TEXT_MAX);
	hf_text_escape(&out, text);
	r = hf_buf_check(&out, "escaped text", err);
	if (r == 0)
		*ret = hf_buf_dup(e->arena, &out);
	return r;
}

int hf_eval_room(struct hf_eval *e, uint64_t n, struct hf_error *err)
{
	if (n > HF_EVAL_TEXT_MAX)
		return hf_fail(err, HF_E_LIMIT, "a value of %llu bytes or items is larger than %d",
			(unsigned long long)n, HF_EVAL_TEXT_MAX);
	return hf_eval_steps(e, n / 16, err);
}

int hf_buf_value(struct hf_eval *e, const struct hf_buf *b, unsigned flags, struct hf_value **ret,
	struct hf_error *err)
{
	int r = hf_buf_check(b, "text of a value", err);
	if (r < 0)
		return r;
	*ret = hf_value_borrow(e->arena, hf_buf_dup(e->arena, b));
	(*ret)->flags = (uint8_t)flags;
	return 0;
}

static struct hf_value *characters(struct hf_eval *e, const struct hf_value *v)
{
	struct hf_value *list = hf_value_list(e->arena);
	uint32_t point;
	for (size_t i = 0; i < v->u.string.n;) {
		size_t width = hf_utf8_decode(v->u.string.p + i, v->u.string.n - i, &point);
		struct hf_value *c = hf_value_str(e->arena, hf_strn(v->u.string.p + i, width));
		hf_list_append(list, hf_value_taint(e->arena, c, v));
		i += width;
	}
	return list;
}

static int object_items(struct hf_eval *e, struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	const struct hf_object_kind *kind = v->u.object->kind;
	struct hf_value *list;
	if (kind >= hf_view_kinds && kind < hf_view_kinds + HF_COUNT(hf_view_kinds)) {
		*ret = v->u.object->data;
		return 0;
	}
	if (kind->next == NULL)
		return hf_raise(err, "'%s' object is not iterable", hf_type_name(v));
	struct hf_object source = *v->u.object;
	struct range again;
	if (kind == &hf_range_kind) { /* a range can be walked again and again */
		again = *(struct range *)source.data;
		source.data = &again;
	}
	list = hf_value_list(e->arena);
	for (;;) {
		struct hf_value *item = NULL;
		int r = hf_eval_steps(e, 1, err);
		if (r == 0)
			r = kind->next(e, &source, &item, err);
		if (r < 0)
			return r;
		if (item == NULL)
			break;
		hf_list_append(list, item);
	}
	*ret = list;
	return 0;
}

int hf_eval_sequence(struct hf_eval *e, struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *list;
	switch ((int)v->type) {
	case HF_LIST:
	case HF_TUPLE:
		*ret = v;
		return 0;
	case HF_UNDEFINED:
		if (undefined_strict(e, v))
			return hf_eval_undefined(e, v, err);
		*ret = hf_value_list(e->arena);
		return 0;
	case HF_STRING:
		*ret = characters(e, v);
		return hf_eval_steps(e, v->u.string.n, err);
	case HF_BYTES:
		list = hf_value_list(e->arena);
		for (size_t i = 0; i < v->u.string.n; i++)
			hf_list_append(list, hf_value_int(e->arena, (unsigned char)v->u.string.p[i]));
		break;
	case HF_DICT:
	case HF_SET:
		list = hf_value_list(e->arena);
		HF_DICT_EACH (v, entry)
			hf_list_append(list, hf_entry_key(entry));
		break;
	case HF_OBJECT:
		return object_items(e, v, ret, err);
	default:
		return hf_raise(err, "'%s' object is not iterable", hf_type_name(v));
	}
	*ret = list;
	return hf_eval_steps(e, hf_list_len(list), err);
}

int hf_eval_list(struct hf_eval *e, struct hf_value *v, struct hf_value **ret_list, struct hf_error *err)
{
	struct hf_value *items;
	int r = hf_eval_sequence(e, v, &items, err);
	if (r < 0)
		return r;
	struct hf_value *list = hf_value_list(e->arena);
	for (size_t i = 0; i < hf_list_len(items); i++)
		hf_list_append(list, hf_list_at(items, i));
	*ret_list = hf_value_taint(e->arena, list, v);
	return hf_eval_steps(e, hf_list_len(items), err);
}

/* Objects compare by what they hold: ranges and views as sequences. */
static bool object_equal(const struct hf_value *a, const struct hf_value *b)
{
	if (a->u.object == b->u.object)
		return true;
	if (a->u.object->kind != b->u.object->kind)
		return false;
	if (a->u.object->kind == &hf_range_kind) {
		const struct range *x = a->u.object->data, *y = b->u.object->data;
		return x->n == y->n &&
		       (x->n == 0 || (x->start == y->start && (x->n == 1 || x->step == y->step)));
	}
	if (a->u.object->kind == &hf_view_kinds[0] || a->u.object->kind == &hf_view_kinds[2])
		return hf_value_equal(a->u.object->data, b->u.object->data);
	return false;
}

int hf_eval_equal(struct hf_eval *e, const struct hf_value *a, const struct hf_value *b, bool *ret,
	struct hf_error *err)
{
	if (undefined_strict(e, a) || undefined_strict(e, b))
		return hf_eval_undefined(e, undefined_strict(e, a) ? a : b, err);
	if (a->type == HF_OBJECT && b->type == HF_OBJECT)
		*ret = object_equal(a, b);
	else
		*ret = hf_value_equal(a, b);
	return 0;
}

static int sequence_order(struct hf_eval *e, const struct hf_value *a, const struct hf_value *b,
	int *ret_order, struct hf_error *err)
{
	size_t n = hf_list_len(a) < hf_list_len(b) ? hf_list_len(a) : hf_list_len(b);
	for (size_t i = 0; i < n; i++) {
		bool equal;
		int r = hf_eval_equal(e, hf_list_at(a, i), hf_list_at(b, i), &equal, err);
		if (r < 0)
			return r;
		if (!equal)
			return hf_eval_compare(e, hf_list_at(a, i), hf_list_at(b, i), ret_order, err);
	}
	*ret_order = (hf_list_len(a) > hf_list_len(b)) - (hf_list_len(a) < hf_list_len(b));
	return hf_eval_steps(e, n, err);
}

static bool is_time(const struct hf_value *v)
{
	return v->type == HF_DATE || v->type == HF_DATETIME || v->type == HF_TIMEDELTA;
}

/* Orders times of one kind. */
static int64_t time_number(const struct hf_value *v)
{
	if (v->type == HF_TIMEDELTA)
		return v->u.integer;
	const struct hf_time_value *t = v->u.time;
	int64_t days = (int64_t)t->year * 372 + t->month * 31 + t->day;
	int64_t minutes = (days * 24 + t->hour) * 60 + t->minute - (t->has_zone ? t->zone_minutes : 0);
	return (minutes * 60 + t->second) * 1000000 + t->microsecond;
}

int hf_eval_compare(struct hf_eval *e, const struct hf_value *a, const struct hf_value *b, int *ret_order,
	struct hf_error *err)
{
	if (a->type == HF_UNDEFINED || b->type == HF_UNDEFINED)
		return hf_eval_undefined(e, a->type == HF_UNDEFINED ? a : b, err);
	if (hf_arith_is_number(a) && hf_arith_is_number(b)) {
		*ret_order = hf_arith_compare(a, b);
		return 0;
	}
	if (a->type == b->type && (a->type == HF_STRING || a->type == HF_BYTES)) {
		*ret_order = hf_str_compare(a->u.string, b->u.string);
		return 0;
	}
	if (hf_is_sequence(a) && a->type == b->type)
		return sequence_order(e, a, b, ret_order, err);
	if (a->type == b->type && is_time(a)) {
		int64_t x = time_number(a), y = time_number(b);
		*ret_order = (x > y) - (x < y);
		return 0;
	}
	return hf_raise(err, "'<' not supported between instances of '%s' and '%s'", hf_type_name(a),
		hf_type_name(b));
}

static int contains_item(
	struct hf_eval *e, struct hf_value *container, struct hf_value *item, bool *ret, struct hf_error *err)
{
	struct hf_value *items;
	int r = hf_eval_sequence(e, container, &items, err);
	if (r == -HF_E_TEMPLATE && container->type != HF_OBJECT)
		return hf_raise(err, "argument of type '%s' is not iterable", hf_type_name(container));
	bool found = false;
	for (size_t i = 0; r == 0 && !found && i < hf_list_len(items); i++) {
		found = hf_list_at(items, i) == item; /* the same object is in, whatever == says */
		if (!found)
			r = hf_eval_equal(e, hf_list_at(items, i), item, &found, err);
	}
	*ret = found;
	return r;
}

int hf_eval_contains(
	struct hf_eval *e, struct hf_value *container, struct hf_value *item, bool *ret, struct hf_error *err)
{
	if (undefined_strict(e, item) && container->type != HF_LIST)
		return hf_eval_undefined(e, item, err);
	if (container->type == HF_STRING) {
		if (item->type != HF_STRING)
			return item->type == HF_UNDEFINED
				       ? hf_eval_undefined(e, item, err)
				       : hf_raise(err,
						 "'in <string>' requires string as left operand, not %s",
						 hf_type_name(item));
		*ret = hf_str_find(container->u.string, item->u.string, 0) != SIZE_MAX;
		return 0;
	}
	if (container->type == HF_DICT || container->type == HF_SET) {
		if (!hf_value_hashable(item) && item->type != HF_UNDEFINED)
			return hf_raise(err, "unhashable type: '%s'", hf_type_name(item));
		*ret = hf_map_find(&container->u.dict->map, item) != NULL;
		return 0;
	}
	return contains_item(e, container, item, ret, err);
}

int hf_eval_length(struct hf_eval *e, struct hf_value *v, int64_t *ret, struct hf_error *err)
{
	switch ((int)v->type) {
	case HF_STRING:
		*ret = (int64_t)hf_utf8_length(v->u.string);
		return 0;
	case HF_BYTES:
		*ret = (int64_t)v->u.string.n;
		return 0;
	case HF_LIST:
	case HF_TUPLE:
		*ret = (int64_t)hf_list_len(v);
		return 0;
	case HF_DICT:
	case HF_SET:
		*ret = (int64_t)hf_dict_len(v);
		return 0;
	case HF_UNDEFINED:
		if (undefined_strict(e, v))
			return hf_eval_undefined(e, v, err);
		*ret = 0;
		return 0;
	default:
		break;
	}
	if (v->type == HF_OBJECT && v->u.object->kind == &hf_range_kind) {
		*ret = ((const struct range *)v->u.object->data)->n;
		return 0;
	}
	if (v->type == HF_OBJECT && v->u.object->kind >= hf_view_kinds &&
		v->u.object->kind < hf_view_kinds + HF_COUNT(hf_view_kinds)) {
		*ret = (int64_t)hf_list_len(v->u.object->data);
		return 0;
	}
	if (v->type == HF_OBJECT && v->u.object->kind == &hf_loop_kind) {
		*ret = ((const struct loop *)v->u.object->data)->n;
		return 0;
	}
	return hf_raise(err, "object of type '%s' has no len()", hf_type_name(v));
}

int hf_eval_int(
	struct hf_eval *e, const struct hf_value *v, const char *what, int64_t *ret, struct hf_error *err)
{
	if (v->type == HF_INT || v->type == HF_BOOL) {
		*ret = v->type == HF_INT ? v->u.integer : v->u.boolean;
		return 0;
	}
	if (v->type == HF_UNDEFINED)
		return hf_eval_undefined(e, v, err);
	if (v->type == HF_BIGINT)
		return hf_fail(err, HF_E_LIMIT, "%s is too large", what);
	return hf_raise(err, "%s: '%s' object cannot be interpreted as an integer", what, hf_type_name(v));
}
