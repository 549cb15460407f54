/* lib/template/eval.h - one rendering in progress: frames of names, the context around them, output. Private.
 * Owns:  everything made while rendering lives in the arena given to hf_template_render(). */
#pragma once
#include "lib/template/tree.h"

/* C stack one rendering may use, and values one operation may build. */
enum { HF_EVAL_STACK_MAX = 3 << 20, HF_EVAL_TEXT_MAX = 64 << 20 };

struct block_ref { /* one definition of a block; parent: the one it overrides */
	const struct hf_template *template;
	const struct node *node;
	struct block_ref *parent;
};

struct root_frame { /* the top level of a template that ran in a context */
	struct frame *frame;
	struct root_frame *older;
};

/* What a template sees beyond its own names. */
struct context {
	struct root_frame *roots; /* newest first */
	struct hf_value *locals;  /* dict of the names around an include or a scoped block; may be NULL */
	struct context *outer;    /* the context included from */
	bool plain;               /* neither locals nor outer, not isolated */
	bool isolated;            /* imported without context: globals only */
	struct {
		struct block_ref **at;
		size_t n, room;
	} blocks;                         /* newest definition of each block */
	const struct hf_template *parent; /* set once `extends` ran */
};

struct frame {
	struct frame *parent; /* of the function around, for closures */
	struct hf_value **slots;
	const struct scope *scope; /* innermost scope entered */
	struct context *context;
	const struct hf_template *template;
	const struct block_ref *block; /* of a block's frame */
};

/* Flags with a meaning of their own on these types. */
enum {
	HF_UNDEFINED_NAME = HF_VALUE_QUOTED,    /* undefined: u.string is the name alone, not a message */
	HF_UNDEFINED_LENIENT = HF_VALUE_MARKUP, /* undefined: plain even in strict modes */
	HF_TUPLE_GROUP = HF_VALUE_QUOTED,       /* tuple: has the attributes grouper and list */
};

enum jump { JUMP_NONE, JUMP_BREAK, JUMP_CONTINUE };

struct hf_eval {
	struct hf_arena *arena;
	const struct hf_template_env *env;
	const struct hf_render *how;
	struct hf_buf *out;
	struct frame *frame;
	uint64_t steps; /* left */
	size_t depth;   /* of macros, includes, blocks and recursive loops */
	const char *stack_base;
	unsigned marks; /* of what was printed into out */
	enum jump jump;
	bool autoescape, muted; /* muted: a child template outside its blocks */
	size_t range_max;
	struct {
		const struct hf_template **at;
		size_t n, room;
	} loaded;
};

static inline bool eval_strict(const struct hf_eval *e)
{
	return e->env->undefined == HF_UNDEFINED_STRICT || e->env->undefined == HF_UNDEFINED_STRICT_CHAINABLE;
}
/* This undefined value raises when it is used. That of an inline if without else never is strict. */
static inline bool undefined_strict(const struct hf_eval *e, const struct hf_value *v)
{
	return v->type == HF_UNDEFINED && !(v->flags & HF_UNDEFINED_LENIENT) && eval_strict(e);
}
static inline bool eval_chainable(const struct hf_eval *e)
{
	return e->env->undefined == HF_UNDEFINED_CHAINABLE ||
	       e->env->undefined == HF_UNDEFINED_STRICT_CHAINABLE;
}
/* TypeError, ValueError and their like. */
#define hf_raise(err, ...) hf_fail((err), HF_E_TEMPLATE, __VA_ARGS__)

/* Appends without a call where there is room already. */
static inline void hf_emit_text(struct hf_buf *out, const char *p, size_t n)
{
	if (n < out->size - out->n && n <= out->max - out->n) {
		memcpy(out->p + out->n, p, n);
		out->n += n;
		out->p[out->n] = '\0';
	} else {
		hf_buf_append(out, p, n);
	}
}

static inline bool hf_entry_is(const struct hf_map_entry *e, const struct hf_value *key, uint32_t hash)
{
	const struct hf_value *k = e->key;
	return e->hash == hash && k != NULL && k->type == HF_STRING && k->u.string.n == key->u.string.n &&
	       memcmp(k->u.string.p, key->u.string.p, key->u.string.n) == 0;
}

/* Value of a text key whose hash is known; NULL when there is none. *hint: entry where it was found last
 * time. */
static inline struct hf_value *hf_dict_lookup(
	const struct hf_dict *d, const struct hf_value *key, uint32_t hash, uint32_t *hint)
{
	const struct hf_map *m = &d->map;
	if (*hint < m->count && hf_entry_is(&m->entries[*hint], key, hash))
		return m->entries[*hint].value;
	const struct hf_map_entry *found = hf_map_find_hashed(m, hash, key);
	if (found == NULL)
		return NULL;
	*hint = (uint32_t)(found - m->entries);
	return found->value;
}

/* A name that the innermost function itself has set; NULL: look further. */
static inline struct hf_value *hf_name_local(const struct hf_eval *e, const struct node *n)
{
	const struct name_node *name = &n->u.name;
	return name->n_refs > 0 && name->refs[0].depth == 0 ? e->frame->slots[name->refs[0].slot] : NULL;
}

HF_CHECK int hf_eval_node(
	struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err);
/* The same, without a call for what is at hand. */
static inline int hf_eval_quick(
	struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err)
{
	if (n->kind == N_NAME) {
		struct hf_value *v = hf_name_local(e, n);
		if (v != NULL) {
			*ret = v;
			return 0;
		}
	}
	return hf_eval_node(e, n, ret, err);
}

/* expression.c */
HF_CHECK int hf_eval_node(
	struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_eval_condition(struct hf_eval *e, const struct node *n, bool *ret, struct hf_error *err);
HF_CHECK int hf_eval_assign(
	struct hf_eval *e, const struct node *target, struct hf_value *v, struct hf_error *err);
/* statement.c */
HF_CHECK int hf_exec_nodes(struct hf_eval *e, const struct nodes *list, struct hf_error *err);
/* Runs nodes with output of their own and gives the text, as Markup when autoescape is on. */
HF_CHECK int hf_exec_capture(
	struct hf_eval *e, const struct nodes *list, struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_exec_for(struct hf_eval *e, const struct node *n, struct hf_error *err);
HF_CHECK int hf_emit(struct hf_eval *e, struct hf_value *v, struct hf_error *err);

/* frame.c: scopes and contexts. */
struct frame *hf_frame_new(struct hf_eval *e, const struct hf_template *t, const struct scope *scope,
	struct frame *parent, struct context *context);
void hf_scope_enter(struct hf_eval *e, const struct scope *s); /* its names start unset */
static inline void hf_scope_leave(struct hf_eval *e, const struct scope *before)
{
	e->frame->scope = before;
}
HF_CHECK int hf_name_get(
	struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err);
/* All names visible at this place of the template, as a dict. */
struct hf_value *hf_frame_locals(struct hf_eval *e);
/* One level deeper; HF_E_LIMIT when that is too deep. Pair with e->depth--. */
HF_CHECK int hf_eval_descend(struct hf_eval *e, struct hf_error *err);

/* module.c: include, import, extends, blocks. */
HF_CHECK int hf_exec_include(struct hf_eval *e, const struct node *n, struct hf_error *err);
HF_CHECK int hf_exec_import(struct hf_eval *e, const struct node *n, struct hf_error *err);
HF_CHECK int hf_exec_from(struct hf_eval *e, const struct node *n, struct hf_error *err);
HF_CHECK int hf_exec_extends(struct hf_eval *e, const struct node *n, struct hf_error *err);
HF_CHECK int hf_exec_block(struct hf_eval *e, const struct node *n, struct hf_error *err);
HF_CHECK int hf_exec_root(
	struct hf_eval *e, const struct hf_template *t, struct context *context, struct hf_error *err);
extern struct hf_value hf_self_value, hf_super_value;

/* call.c */
HF_CHECK int hf_call_node(
	struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err);
/* Filter node applied to input (which is what its target gave). */
HF_CHECK int hf_filter_node(struct hf_eval *e, const struct node *n, struct hf_value *input,
	struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_test_node(struct hf_eval *e, const struct node *n, bool *ret, struct hf_error *err);
struct hf_value *hf_function_value(struct hf_arena *a, const struct hf_callable_row *row);
struct hf_value *hf_method_value(
	struct hf_arena *a, const struct hf_callable_row *row, struct hf_value *self);
bool hf_value_callable(const struct hf_value *v);

/* macro.c */
struct hf_value *hf_macro_value(struct hf_eval *e, const struct node *n);
HF_CHECK int hf_exec_call_block(struct hf_eval *e, const struct node *n, struct hf_error *err);

/* attribute.c: names and items of values. *ret is an undefined value when there is nothing of that name. */
HF_CHECK int hf_attribute_node(
	struct hf_eval *e, const struct node *n, struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_slice_value(struct hf_eval *e, struct hf_value *v, struct hf_value *const bounds[3],
	struct hf_value **ret, struct hf_error *err);
struct hf_value *hf_undefined_attribute(struct hf_eval *e, const struct hf_value *v, struct hf_str name);
/* x.y as a method of a built-in type; NULL when it is none. */
HF_CHECK int hf_eval_resolve(struct hf_eval *e, struct hf_value **v, struct hf_error *err);

/* convert.c */
/* v itself when it is a list or tuple, else a list of what iterating it gives. */
HF_CHECK int hf_eval_sequence(
	struct hf_eval *e, struct hf_value *v, struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_eval_equal(struct hf_eval *e, const struct hf_value *a, const struct hf_value *b, bool *ret,
	struct hf_error *err);
HF_CHECK int hf_eval_contains(struct hf_eval *e, struct hf_value *container, struct hf_value *item, bool *ret,
	struct hf_error *err);
HF_CHECK int hf_eval_length(struct hf_eval *e, struct hf_value *v, int64_t *ret, struct hf_error *err);
HF_CHECK int hf_eval_int(struct hf_eval *e, const struct hf_value *v, const char *what, int64_t *ret,
	struct hf_error *err); /* an integer as Python's __index__ */
/* A generator of the items of a list; the list itself where the environment wants lists. */
struct hf_value *hf_iterator_value(struct hf_eval *e, struct hf_value *list);
/* dict.keys() and its like: a view that prints as NAME([...]). */
struct hf_value *hf_view_value(struct hf_eval *e, const char *type_name, struct hf_value *list);
extern const struct hf_object_kind hf_range_kind, hf_iterator_kind, hf_view_kinds[3], hf_loop_kind,
	hf_macro_kind, hf_function_kind, hf_method_kind, hf_namespace_kind, hf_module_kind;
struct range {
	int64_t start, stop, step, n;
};
/* SECRET and UNSAFE of v and of everything in it. */
unsigned hf_value_marks(const struct hf_value *v);
/* Fails when text of n bytes would pass the bound of one value. */
HF_CHECK int hf_eval_room(struct hf_eval *e, uint64_t n, struct hf_error *err);
/* Text of a finished buffer as a value with these marks. */
HF_CHECK int hf_buf_value(struct hf_eval *e, const struct hf_buf *b, unsigned flags, struct hf_value **ret,
	struct hf_error *err);
void hf_text_escape(struct hf_buf *out, struct hf_str s);
/* Text of v, escaped unless it is Markup. */
HF_CHECK int hf_eval_escaped(struct hf_eval *e, struct hf_value *v, struct hf_str *ret, struct hf_error *err);

/* loop.c */
struct loop {
	const struct for_node *node;
	struct frame *frame; /* around a recursive loop */
	struct hf_value *items;
	int64_t index, n; /* index of the current item */
	int64_t depth0;
	struct hf_value *value;   /* the `loop` object */
	struct hf_value *changed; /* what changed() saw last */
};
int hf_loop_field(struct hf_str name);
HF_CHECK int hf_loop_attribute(
	struct hf_eval *e, struct loop *l, int field, struct hf_value **ret, struct hf_error *err);
