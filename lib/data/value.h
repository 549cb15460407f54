/* lib/data/value.h - the values of playbooks, templates and documents: Python's, with a position and two
 * marks each. Owns:  everything lives in the arena it was made in. Lists and dicts are shared by reference
 * and may be changed in place, as in Python; scalars are never changed after they are made. Marks: a secret
 * value must not be shown (diffs, logs, reports); an unsafe string is never templated again. Both pass to
 * whatever is computed from the value: use hf_value_taint(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/error.h"
#include "lib/base/map.h"
#include "lib/base/str.h"

enum hf_type {
	HF_UNDEFINED, /* u.string: hint or name for messages */
	HF_NULL,
	HF_BOOL,
	HF_INT,    /* fits int64_t */
	HF_BIGINT, /* beyond int64_t: u.string holds decimal digits, '-' in front */
	HF_FLOAT,
	HF_STRING, /* UTF-8, may hold NUL */
	HF_BYTES,
	HF_LIST,
	HF_TUPLE, /* u.list, never changed */
	HF_DICT,
	HF_SET,       /* u.dict, values NULL; insertion order */
	HF_DATE,      /* u.time */
	HF_DATETIME,  /* u.time */
	HF_TIMEDELTA, /* u.integer: microseconds */
	HF_OMIT,      /* Ansible's `omit` */
	HF_OBJECT,    /* something a program added: macro, function, iterator … ; u.object */
};

enum hf_value_flags {
	HF_VALUE_SECRET = 1 << 0,
	HF_VALUE_UNSAFE = 1 << 1, /* !unsafe, lookup and module results */
	HF_VALUE_VAULT = 1 << 2,  /* a string still encrypted: text is the $ANSIBLE_VAULT envelope */
	HF_VALUE_MARKUP = 1 << 3, /* Jinja's Markup (|e, |escape) */
	HF_VALUE_QUOTED = 1 << 4, /* scalar was quoted or a block in the YAML text */
	HF_VALUE_TEXT = 1 << 5,   /* text that stays text: to_json, to_yaml, string (Ansible) */
};

struct hf_list;
struct hf_dict;
struct hf_object;

struct hf_time_value {
	int16_t year;
	uint8_t month, day, hour, minute, second;
	bool has_zone;
	int32_t microsecond;
	int32_t zone_minutes;
};

struct hf_value {
	uint8_t type;  /* enum hf_type */
	uint8_t flags; /* enum hf_value_flags */
	uint16_t column;
	uint32_t line;
	const char *file; /* borrowed; outlives the value */
	union {
		bool boolean;
		int64_t integer;
		double real;
		struct hf_str string; /* terminated */
		struct hf_list *list;
		struct hf_dict *dict;
		struct hf_time_value *time;
		struct hf_object *object;
	} u;
};

struct hf_list {
	struct hf_arena *arena;
	struct hf_value **at;
	size_t n, room;
};

/* Keys are values compared as Python does (1 == 1.0 == True are one key); map keys are struct hf_value *. */
struct hf_dict {
	struct hf_map map;
};

/* What a program adds to the value world. vtable members may be NULL: the operation is then a type error. */
struct hf_object_kind {
	const char *type_name; /* as Python's type(x).__name__ */
	int (*call)(void *state, struct hf_object *self, struct hf_value *const *args, size_t n_args,
		struct hf_dict *kwargs, struct hf_value **ret, struct hf_error *err);
	int (*attribute)(void *state, struct hf_object *self, struct hf_str name, struct hf_value **ret,
		struct hf_error *err);
	int (*set_attribute)(void *state, struct hf_object *self, struct hf_str name, struct hf_value *value,
		struct hf_error *err);
	/* *ret NULL at the end */
	int (*next)(void *state, struct hf_object *self, struct hf_value **ret, struct hf_error *err);
	/* str() and repr() of it; NULL: "<TYPE object>" */
	void (*print)(const struct hf_object *self, struct hf_buf *out);
};
struct hf_object {
	const struct hf_object_kind *kind;
	void *data;
};

/* Constructors. Text is copied unless the name says borrow. */
struct hf_value *hf_value_null(struct hf_arena *a);
struct hf_value *hf_value_bool(struct hf_arena *a, bool b);
struct hf_value *hf_value_int(struct hf_arena *a, int64_t i);
struct hf_value *hf_value_float(struct hf_arena *a, double d);
struct hf_value *hf_value_str(struct hf_arena *a, struct hf_str s);
struct hf_value *hf_value_cstr(struct hf_arena *a, const char *s);
struct hf_value *hf_value_borrow(
	struct hf_arena *a, struct hf_str s); /* s is terminated and outlives the value */
struct hf_value *hf_value_bytes(struct hf_arena *a, struct hf_str s);
struct hf_value *hf_value_bigint(struct hf_arena *a, struct hf_str digits); /* an HF_INT when it fits */
struct hf_value *hf_value_list(struct hf_arena *a);
struct hf_value *hf_value_tuple(struct hf_arena *a);
struct hf_value *hf_value_dict(struct hf_arena *a);
struct hf_value *hf_value_set(struct hf_arena *a);
struct hf_value *hf_value_undefined(struct hf_arena *a, const char *hint);
struct hf_value *hf_value_omit(struct hf_arena *a);
struct hf_value *hf_value_object(struct hf_arena *a, const struct hf_object_kind *kind, void *data);
struct hf_value *hf_value_at(struct hf_value *v, struct hf_pos pos); /* sets the position; returns v */
struct hf_pos hf_value_pos(const struct hf_value *v);

/* Questions. */
static inline bool hf_is(const struct hf_value *v, enum hf_type type)
{
	return v != NULL && v->type == type;
}
static inline bool hf_is_sequence(const struct hf_value *v)
{
	return hf_is(v, HF_LIST) || hf_is(v, HF_TUPLE);
}
static inline bool hf_is_secret(const struct hf_value *v)
{
	return (v->flags & HF_VALUE_SECRET) != 0;
}
const char *hf_type_name(const struct hf_value *v); /* Python's: "str", "int", "NoneType", "dict" … */
bool hf_value_truthy(const struct hf_value *v);     /* Python's bool(); undefined is false */
bool hf_value_equal(const struct hf_value *a, const struct hf_value *b); /* Python's == */
uint32_t hf_value_hash(
	const struct hf_value *v); /* equal values, equal hash; containers hash their type only */
bool hf_value_hashable(const struct hf_value *v); /* what Python lets be a dict key */
/* True when v or anything inside it is secret. */
bool hf_value_has_secret(const struct hf_value *v);

/* Lists. */
void hf_list_append(struct hf_value *list, struct hf_value *item);
static inline size_t hf_list_len(const struct hf_value *list)
{
	return list->u.list->n;
}
static inline struct hf_value *hf_list_at(const struct hf_value *list, size_t i)
{
	return list->u.list->at[i];
}

/* Dicts and sets. hf_dict_set() keeps the place of an existing key. Getters return NULL when there is no such
 * key; hf_dict_get() also when there is no dict. */
void hf_dict_set(struct hf_value *dict, struct hf_value *key, struct hf_value *value);
void hf_dict_put(struct hf_value *dict, const char *key, struct hf_value *value); /* key is copied */
struct hf_value *hf_dict_get(const struct hf_value *dict, const char *key);
struct hf_value *hf_dict_find(const struct hf_value *dict, const struct hf_value *key);
bool hf_dict_remove(struct hf_value *dict, const char *key);
static inline size_t hf_dict_len(const struct hf_value *dict)
{
	return dict->u.dict->map.live;
}
/* HF_DICT_EACH(d, e) { hf_entry_key(e), hf_entry_value(e) } ; the dict must not grow meanwhile. */
#define HF_DICT_EACH(d, e) HF_MAP_EACH (&(d)->u.dict->map, e)
static inline struct hf_value *hf_entry_key(const struct hf_map_entry *e)
{
	return (struct hf_value *)(uintptr_t)e->key;
}
static inline struct hf_value *hf_entry_value(const struct hf_map_entry *e)
{
	return e->value;
}
/* Typed look-ups for results and documents; fallback when absent or of another type. */
const char *hf_dict_cstr(const struct hf_value *dict, const char *key, const char *fallback);
int64_t hf_dict_int(const struct hf_value *dict, const char *key, int64_t fallback);
bool hf_dict_bool(const struct hf_value *dict, const char *key, bool fallback);

/* Copies into another arena. Deep: containers too; shallow: the outer container only. Objects are shared. */
struct hf_value *hf_value_copy(struct hf_arena *a, const struct hf_value *v);
struct hf_value *hf_value_shallow(struct hf_arena *a, const struct hf_value *v);
/* Adds the secret and unsafe marks of source to v, copying v first when it lacks them. */
struct hf_value *hf_value_taint(struct hf_arena *a, struct hf_value *v, const struct hf_value *source);
struct hf_value *hf_value_with_flags(struct hf_arena *a, struct hf_value *v, unsigned flags);

/* Python's str(v) and repr(v), appended. Secret values print in full: hiding is for those who show. */
void hf_value_print(struct hf_buf *out, const struct hf_value *v);
void hf_value_repr(struct hf_buf *out, const struct hf_value *v);
/* str(v) in the arena, terminated. */
struct hf_str hf_value_text(struct hf_arena *a, const struct hf_value *v);
/* Python's repr(float): shortest text that reads back the same. */
void hf_float_print(struct hf_buf *out, double d);
