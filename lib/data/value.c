#include "lib/data/value.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/vec.h"

static struct hf_value *value_new(struct hf_arena *a, enum hf_type type)
{
	struct hf_value *v = hf_alloc(a, sizeof(*v));
	*v = (struct hf_value){ .type = (uint8_t)type };
	return v;
}

struct hf_value *hf_value_null(struct hf_arena *a)
{
	return value_new(a, HF_NULL);
}

struct hf_value *hf_value_omit(struct hf_arena *a)
{
	return value_new(a, HF_OMIT);
}

struct hf_value *hf_value_bool(struct hf_arena *a, bool b)
{
	struct hf_value *v = value_new(a, HF_BOOL);
	v->u.boolean = b;
	return v;
}

struct hf_value *hf_value_int(struct hf_arena *a, int64_t i)
{
	struct hf_value *v = value_new(a, HF_INT);
	v->u.integer = i;
	return v;
}

struct hf_value *hf_value_float(struct hf_arena *a, double d)
{
	struct hf_value *v = value_new(a, HF_FLOAT);
	v->u.real = d;
	return v;
}

struct hf_value *hf_value_borrow(struct hf_arena *a, struct hf_str s)
{
	struct hf_value *v = value_new(a, HF_STRING);
	v->u.string = s;
	return v;
}

struct hf_value *hf_value_str(struct hf_arena *a, struct hf_str s)
{
	return hf_value_borrow(a, (struct hf_str){ hf_str_dup(a, s), s.n });
}

struct hf_value *hf_value_cstr(struct hf_arena *a, const char *s)
{
	return hf_value_str(a, hf_str(s));
}

struct hf_value *hf_value_bytes(struct hf_arena *a, struct hf_str s)
{
	struct hf_value *v = hf_value_str(a, s);
	v->type = HF_BYTES;
	return v;
}

struct hf_value *hf_value_bigint(struct hf_arena *a, struct hf_str digits)
{
	int64_t small;
	if (hf_str_to_int64(digits, &small))
		return hf_value_int(a, small);
	struct hf_value *v = hf_value_str(a, digits);
	v->type = HF_BIGINT;
	return v;
}

static struct hf_value *sequence_new(struct hf_arena *a, enum hf_type type)
{
	struct hf_value *v = value_new(a, type);
	v->u.list = hf_alloc(a, sizeof(*v->u.list));
	*v->u.list = (struct hf_list){ .arena = a };
	return v;
}

struct hf_value *hf_value_list(struct hf_arena *a)
{
	return sequence_new(a, HF_LIST);
}

struct hf_value *hf_value_tuple(struct hf_arena *a)
{
	return sequence_new(a, HF_TUPLE);
}

static uint32_t key_hash(const void *key)
{
	return hf_value_hash(key);
}

static bool key_equal(const void *a, const void *b)
{
	return hf_value_equal(a, b);
}

static const struct hf_map_kind key_kind = { key_hash, key_equal };

static struct hf_value *mapping_new(struct hf_arena *a, enum hf_type type)
{
	struct hf_value *v = value_new(a, type);
	v->u.dict = hf_alloc(a, sizeof(*v->u.dict));
	hf_map_init(&v->u.dict->map, a, &key_kind);
	return v;
}

struct hf_value *hf_value_dict(struct hf_arena *a)
{
	return mapping_new(a, HF_DICT);
}

struct hf_value *hf_value_set(struct hf_arena *a)
{
	return mapping_new(a, HF_SET);
}

struct hf_value *hf_value_undefined(struct hf_arena *a, const char *hint)
{
	struct hf_value *v = value_new(a, HF_UNDEFINED);
	v->u.string = hf_str(hint == NULL ? NULL : hf_strdup(a, hint));
	return v;
}

struct hf_value *hf_value_object(struct hf_arena *a, const struct hf_object_kind *kind, void *data)
{
	struct hf_value *v = value_new(a, HF_OBJECT);
	v->u.object = hf_new(a, struct hf_object);
	*v->u.object = (struct hf_object){ kind, data };
	return v;
}

struct hf_value *hf_value_at(struct hf_value *v, struct hf_pos pos)
{
	v->file = pos.file;
	v->line = pos.line;
	v->column = pos.column > UINT16_MAX ? UINT16_MAX : (uint16_t)pos.column;
	return v;
}

struct hf_pos hf_value_pos(const struct hf_value *v)
{
	return (struct hf_pos){ v->file, v->line, v->column };
}

const char *hf_type_name(const struct hf_value *v)
{
	static const char *const names[] = {
		[HF_UNDEFINED] = "Undefined",
		[HF_NULL] = "NoneType",
		[HF_BOOL] = "bool",
		[HF_INT] = "int",
		[HF_BIGINT] = "int",
		[HF_FLOAT] = "float",
		[HF_STRING] = "str",
		[HF_BYTES] = "bytes",
		[HF_LIST] = "list",
		[HF_TUPLE] = "tuple",
		[HF_DICT] = "dict",
		[HF_SET] = "set",
		[HF_DATE] = "date",
		[HF_DATETIME] = "datetime",
		[HF_TIMEDELTA] = "timedelta",
		[HF_OMIT] = "omit",
		[HF_OBJECT] = "object",
	};
	if (v->type == HF_OBJECT && v->u.object->kind->type_name != NULL)
		return v->u.object->kind->type_name;
	return v->type < HF_COUNT(names) ? names[v->type] : "object";
}

bool hf_value_truthy(const struct hf_value *v)
{
	switch ((enum hf_type)v->type) {
	case HF_UNDEFINED:
	case HF_NULL:
		return false;
	case HF_BOOL:
		return v->u.boolean;
	case HF_INT:
	case HF_TIMEDELTA:
		return v->u.integer != 0;
	case HF_FLOAT:
		return v->u.real != 0;
	case HF_STRING:
	case HF_BYTES:
		return v->u.string.n > 0;
	case HF_LIST:
	case HF_TUPLE:
		return v->u.list->n > 0;
	case HF_DICT:
	case HF_SET:
		return v->u.dict->map.live > 0;
	case HF_BIGINT:
	case HF_DATE:
	case HF_DATETIME:
	case HF_OMIT:
	case HF_OBJECT:
		return true;
	}
	return true;
}

static bool is_number(const struct hf_value *v)
{
	return v->type == HF_BOOL || v->type == HF_INT || v->type == HF_FLOAT || v->type == HF_BIGINT;
}

static bool integral(const struct hf_value *v, int64_t *ret)
{
	if (v->type == HF_BOOL || v->type == HF_INT) {
		*ret = v->type == HF_BOOL ? v->u.boolean : v->u.integer;
		return true;
	}
	if (v->type == HF_FLOAT && v->u.real >= -0x1p63 && v->u.real < 0x1p63 &&
		v->u.real == trunc(v->u.real)) {
		*ret = (int64_t)v->u.real;
		return true;
	}
	return false;
}

static bool number_equal(const struct hf_value *a, const struct hf_value *b)
{
	int64_t x, y;
	bool xi = integral(a, &x), yi = integral(b, &y);
	if (xi && yi)
		return x == y;
	if (xi || yi)
		return false;
	if (a->type == HF_BIGINT && b->type == HF_BIGINT)
		return hf_str_equal(a->u.string, b->u.string);
	double p = a->type == HF_FLOAT ? a->u.real : strtod(a->u.string.p, NULL);
	double q = b->type == HF_FLOAT ? b->u.real : strtod(b->u.string.p, NULL);
	return p == q;
}

static bool dict_equal(const struct hf_value *a, const struct hf_value *b)
{
	if (hf_dict_len(a) != hf_dict_len(b))
		return false;
	HF_DICT_EACH (a, e) {
		const struct hf_map_entry *other = hf_map_find(&b->u.dict->map, e->key);
		if (other == NULL)
			return false;
		if (a->type == HF_DICT && !hf_value_equal(e->value, other->value))
			return false;
	}
	return true;
}

static bool sequence_equal(const struct hf_value *a, const struct hf_value *b)
{
	if (a->u.list->n != b->u.list->n)
		return false;
	for (size_t i = 0; i < a->u.list->n; i++)
		if (!hf_value_equal(a->u.list->at[i], b->u.list->at[i]))
			return false;
	return true;
}

static bool time_equal(const struct hf_time_value *x, const struct hf_time_value *y)
{
	return x->year == y->year && x->month == y->month && x->day == y->day && x->hour == y->hour &&
	       x->minute == y->minute && x->second == y->second && x->microsecond == y->microsecond &&
	       x->has_zone == y->has_zone && x->zone_minutes == y->zone_minutes;
}

bool hf_value_equal(const struct hf_value *a, const struct hf_value *b)
{
	if (a == b)
		return a->type != HF_FLOAT || a->u.real == a->u.real;
	if (is_number(a) && is_number(b))
		return number_equal(a, b);
	if (a->type != b->type)
		return false;
	switch ((enum hf_type)a->type) {
	case HF_UNDEFINED:
	case HF_NULL:
	case HF_OMIT:
		return true;
	case HF_STRING:
	case HF_BYTES:
		return hf_str_equal(a->u.string, b->u.string);
	case HF_LIST:
	case HF_TUPLE:
		return a->u.list == b->u.list || sequence_equal(a, b);
	case HF_DICT:
	case HF_SET:
		return a->u.dict == b->u.dict || dict_equal(a, b);
	case HF_DATE:
	case HF_DATETIME:
		return time_equal(a->u.time, b->u.time);
	case HF_TIMEDELTA:
		return a->u.integer == b->u.integer;
	case HF_OBJECT:
		return a->u.object == b->u.object;
	case HF_BOOL:
	case HF_INT:
	case HF_BIGINT:
	case HF_FLOAT:
		break; /* numbers: done above */
	}
	return false;
}

uint32_t hf_value_hash(const struct hf_value *v)
{
	int64_t whole;
	if (v->type == HF_STRING)
		return hf_hash_bytes(v->u.string.p, v->u.string.n);
	if (integral(v, &whole))
		return hf_hash_bytes(&whole, sizeof(whole));
	switch ((enum hf_type)v->type) {
	case HF_STRING:
	case HF_BYTES:
	case HF_BIGINT:
		return hf_hash_bytes(v->u.string.p, v->u.string.n);
	case HF_FLOAT:
		return hf_hash_bytes(&v->u.real, sizeof(v->u.real));
	case HF_TUPLE: {
		uint32_t h = 17;
		for (size_t i = 0; i < v->u.list->n; i++)
			h = h * 31 + hf_value_hash(v->u.list->at[i]);
		return h;
	}
	case HF_TIMEDELTA:
		return hf_hash_bytes(&v->u.integer, sizeof(v->u.integer));
	case HF_OBJECT:
		return hf_hash_bytes(&v->u.object, sizeof(v->u.object));
	case HF_UNDEFINED:
	case HF_NULL:
	case HF_BOOL:
	case HF_INT:
	case HF_LIST:
	case HF_DICT:
	case HF_SET:
	case HF_DATE:
	case HF_DATETIME:
	case HF_OMIT:
		break;
	}
	return v->type;
}

bool hf_value_hashable(const struct hf_value *v)
{
	if (v->type == HF_TUPLE)
		for (size_t i = 0; i < v->u.list->n; i++)
			if (!hf_value_hashable(v->u.list->at[i]))
				return false;
	return v->type != HF_LIST && v->type != HF_DICT && v->type != HF_SET && v->type != HF_UNDEFINED;
}

bool hf_value_has_secret(const struct hf_value *v)
{
	if (v == NULL)
		return false;
	if (v->flags & HF_VALUE_SECRET)
		return true;
	if (hf_is_sequence(v))
		for (size_t i = 0; i < v->u.list->n; i++)
			if (hf_value_has_secret(v->u.list->at[i]))
				return true;
	if (v->type == HF_DICT || v->type == HF_SET)
		HF_DICT_EACH (v, e)
			if (hf_value_has_secret(hf_entry_key(e)) || hf_value_has_secret(e->value))
				return true;
	return false;
}

void hf_list_append(struct hf_value *list, struct hf_value *item)
{
	struct hf_list *l = list->u.list;
	l->at = hf_vec_grow(l->arena, l->at, &l->n, &l->room, sizeof(*l->at));
	l->at[l->n - 1] = item;
}

void hf_dict_set(struct hf_value *dict, struct hf_value *key, struct hf_value *value)
{
	hf_map_set(&dict->u.dict->map, key, value);
}

void hf_dict_put(struct hf_value *dict, const char *key, struct hf_value *value)
{
	hf_dict_set(dict, hf_value_cstr(dict->u.dict->map.arena, key), value);
}

struct hf_value *hf_dict_find(const struct hf_value *dict, const struct hf_value *key)
{
	return hf_map_get(&dict->u.dict->map, key);
}

/* A text key among few: compared at once, since most dictionaries are too small for a hash to pay. */
static struct hf_value *get_small(const struct hf_map *m, struct hf_str key)
{
	for (uint32_t i = 0; i < m->count; i++) {
		const struct hf_value *k = m->entries[i].key;
		if (k != NULL && k->type == HF_STRING && hf_str_equal(k->u.string, key))
			return m->entries[i].value;
	}
	return NULL;
}

struct hf_value *hf_dict_get(const struct hf_value *dict, const char *key)
{
	if (dict == NULL || (dict->type != HF_DICT && dict->type != HF_SET))
		return NULL; /* so that a path through an odd document ends nowhere */
	struct hf_value probe = { .type = HF_STRING, .u.string = hf_str(key) };
	const struct hf_map *m = &dict->u.dict->map;
	return m->index == NULL ? get_small(m, probe.u.string) : hf_map_get(m, &probe);
}

bool hf_dict_remove(struct hf_value *dict, const char *key)
{
	struct hf_value probe = { .type = HF_STRING, .u.string = hf_str(key) };
	return hf_map_remove(&dict->u.dict->map, &probe);
}

const char *hf_dict_cstr(const struct hf_value *dict, const char *key, const char *fallback)
{
	const struct hf_value *v = hf_is(dict, HF_DICT) ? hf_dict_get(dict, key) : NULL;
	return hf_is(v, HF_STRING) ? v->u.string.p : fallback;
}

int64_t hf_dict_int(const struct hf_value *dict, const char *key, int64_t fallback)
{
	const struct hf_value *v = hf_is(dict, HF_DICT) ? hf_dict_get(dict, key) : NULL;
	return hf_is(v, HF_INT) ? v->u.integer : fallback;
}

bool hf_dict_bool(const struct hf_value *dict, const char *key, bool fallback)
{
	const struct hf_value *v = hf_is(dict, HF_DICT) ? hf_dict_get(dict, key) : NULL;
	return hf_is(v, HF_BOOL) ? v->u.boolean : fallback;
}

struct hf_value *hf_value_shallow(struct hf_arena *a, const struct hf_value *v)
{
	struct hf_value *copy = hf_new(a, struct hf_value);
	*copy = *v;
	if (hf_is_sequence(v)) {
		copy->u.list = hf_new(a, struct hf_list);
		copy->u.list->arena = a;
		for (size_t i = 0; i < v->u.list->n; i++)
			hf_list_append(copy, v->u.list->at[i]);
	} else if (v->type == HF_DICT || v->type == HF_SET) {
		copy->u.dict = hf_new(a, struct hf_dict);
		hf_map_init(&copy->u.dict->map, a, &key_kind);
		HF_DICT_EACH (v, e)
			hf_map_set(&copy->u.dict->map, e->key, e->value);
	}
	return copy;
}

struct hf_value *hf_value_copy(struct hf_arena *a, const struct hf_value *v)
{
	struct hf_value *copy = hf_new(a, struct hf_value);
	*copy = *v;
	switch ((enum hf_type)v->type) {
	case HF_UNDEFINED:
	case HF_BIGINT:
	case HF_STRING:
	case HF_BYTES:
		if (v->u.string.p != NULL)
			copy->u.string.p = hf_str_dup(a, v->u.string);
		break;
	case HF_LIST:
	case HF_TUPLE:
		copy->u.list = hf_new(a, struct hf_list);
		copy->u.list->arena = a;
		for (size_t i = 0; i < v->u.list->n; i++)
			hf_list_append(copy, hf_value_copy(a, v->u.list->at[i]));
		break;
	case HF_DICT:
	case HF_SET:
		copy->u.dict = hf_new(a, struct hf_dict);
		hf_map_init(&copy->u.dict->map, a, &key_kind);
		HF_DICT_EACH (v, e)
			hf_map_set(&copy->u.dict->map, hf_value_copy(a, e->key),
				e->value == NULL ? NULL : hf_value_copy(a, e->value));
		break;
	case HF_DATE:
	case HF_DATETIME:
		copy->u.time = hf_new(a, struct hf_time_value);
		*copy->u.time = *v->u.time;
		break;
	case HF_NULL:
	case HF_BOOL:
	case HF_INT:
	case HF_FLOAT:
	case HF_TIMEDELTA:
	case HF_OMIT:
	case HF_OBJECT:
		break;
	}
	return copy;
}

struct hf_value *hf_value_with_flags(struct hf_arena *a, struct hf_value *v, unsigned flags)
{
	if ((v->flags & flags) == flags)
		return v;
	struct hf_value *copy = hf_new(a, struct hf_value);
	*copy = *v;
	copy->flags |= (uint8_t)flags;
	return copy;
}

struct hf_value *hf_value_taint(struct hf_arena *a, struct hf_value *v, const struct hf_value *source)
{
	return hf_value_with_flags(a, v, source->flags & (HF_VALUE_SECRET | HF_VALUE_UNSAFE));
}
