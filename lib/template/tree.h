/* lib/template/tree.h - what a template becomes: nodes, static name scopes, the compiled template. Private to
 * lib/template. Owns:  everything lives in the arena of the template; nothing changes once
 * hf_template_compile() has returned. */
#pragma once
#include "lib/base/vec.h"
#include "lib/template/template.h"

enum { HF_NODE_HEIGHT_MAX = 160, HF_TEMPLATE_SOURCE_MAX = 16 << 20 };

enum node_kind {
	/* expressions */
	N_CONST,
	N_NAME,
	N_LIST,
	N_TUPLE,
	N_DICT,
	N_NOT,
	N_NEGATE,
	N_PLUS,
	N_ARITH,
	N_CONCAT,
	N_COMPARE,
	N_AND,
	N_OR,
	N_CONDITION,
	N_ATTRIBUTE,
	N_ITEM,
	N_SLICE,
	N_CALL,
	N_FILTER,
	N_TEST,
	N_EXPRESSIONS_END,
	/* statements */
	N_TEXT = N_EXPRESSIONS_END,
	N_PRINT,
	N_FOR,
	N_IF,
	N_SET,
	N_SET_BLOCK,
	N_WITH,
	N_MACRO,
	N_CALL_BLOCK,
	N_FILTER_BLOCK,
	N_BLOCK,
	N_EXTENDS,
	N_INCLUDE,
	N_IMPORT,
	N_FROM,
	N_AUTOESCAPE,
	N_DO,
	N_BREAK,
	N_CONTINUE,
	N_STATEMENTS_END,
	/* what set, for and with assign to */
	N_NAMESPACE_TARGET = N_STATEMENTS_END,
	N_KINDS,
};

enum arith_op {
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_FLOORDIV,
	OP_MOD,
	OP_POW,
};

enum compare_op {
	CMP_EQ,
	CMP_NE,
	CMP_LT,
	CMP_LE,
	CMP_GT,
	CMP_GE,
	CMP_IN,
	CMP_NOT_IN,
};

struct node;
struct scope;

struct nodes {
	struct node **at;
	size_t n, room;
};

struct keyword {
	struct hf_value *name;
	struct node *value;
};

struct arguments {
	struct nodes positional;
	struct keyword *keywords;
	size_t n_keywords, keywords_room;
	struct node *star, *star_star;
};

/* Where a name may be found: depth frames outwards, then the slot. */
struct slot_ref {
	uint32_t depth, slot;
};

struct name_node {
	struct hf_value *key; /* the name as a string value */
	uint32_t hash;
	uint32_t n_refs;
	const struct slot_ref *refs; /* innermost scope first */
	uint32_t *hint;              /* as in attribute_node */
	struct hf_value *undefined;  /* given when the name is found nowhere */
	struct hf_value *global;     /* built-in or of the environment, may be NULL */
	bool cached;   /* refs is one slot where a variable from outside is kept once it was found */
	bool own_root; /* refs include the scope of the template itself */
};

struct attribute_node {
	struct node *object;
	struct hf_value *key;
	uint32_t hash;
	uint32_t *hint; /* where the key was found last time: the one thing rendering changes, and only for
			   speed */
	int loop_field; /* enum loop_field, -1: none of that name */
	const struct hf_callable_row *of_str, *of_list, *of_dict;
};

struct call_node {
	struct node *target; /* callee, or what is filtered or tested; NULL in filter blocks */
	struct hf_value *name;
	const struct hf_callable_row *row; /* NULL: unknown, fails when reached */
	struct arguments args;
};

struct compare_node {
	struct node *first;
	struct operand {
		enum compare_op op;
		struct node *value;
	} * at;
	size_t n, room;
};

struct for_node {
	struct node *target, *iterable, *test;
	struct nodes body, otherwise;
	struct scope *targets, *scope, *else_scope; /* targets is the parent of scope */
	uint32_t loop_slot;
	bool recursive, uses_loop;
};

struct if_node {
	struct branch {
		struct node *test; /* NULL: else */
		struct nodes body;
	} * at;
	size_t n, room;
};

struct assign_node {
	struct node *target, *value; /* value: expression of set, filter of a set block or NULL */
	struct nodes body;
	struct scope *scope;
};

struct with_node {
	struct nodes targets, values, body;
	struct scope *scope;
};

/* Also what a call block hands over as `caller`. */
struct macro_node {
	struct hf_value *name;
	struct node *target;           /* where the macro is stored; NULL for a call block */
	struct nodes params, defaults; /* defaults belong to the last params */
	struct nodes body;
	struct scope *scope;
	struct node *call; /* of a call block */
	uint32_t caller_slot, varargs_slot, kwargs_slot;
	bool uses_caller, uses_varargs, uses_kwargs, explicit_caller;
};

struct block_node {
	struct hf_value *name;
	struct nodes body;
	struct scope *scope;
	bool scoped, required;
};

struct include_node {
	struct node *name;   /* template name, list of names or template */
	struct node *target; /* of import */
	struct import_name {
		struct hf_value *name;
		struct node *target;
	} * names;
	size_t n_names, names_room;
	bool ignore_missing, with_context;
};

struct scoped_node { /* filter block, autoescape */
	struct node *expression;
	struct nodes body;
	struct scope *scope;
};

struct node {
	uint8_t kind, op;
	uint16_t height; /* nesting below, bounded so that walking the tree needs little stack */
	uint16_t column;
	uint32_t line;
	union {
		struct hf_value *constant;
		struct name_node name;
		struct {
			struct node *left, *right;
		} pair;
		struct nodes list; /* list, tuple, concat; dict: keys and values in turn */
		struct compare_node compare;
		struct {
			struct node *test, *then, *otherwise;
		} condition;
		struct attribute_node attribute;
		struct {
			struct node *object, *index;
		} item;
		struct {
			struct node *start, *stop, *step;
		} slice;
		struct call_node call;
		struct hf_str text;
		struct node *print; /* print, do, extends */
		struct for_node loop;
		struct if_node branches;
		struct assign_node assign;
		struct with_node with;
		struct macro_node macro;
		struct block_node block;
		struct include_node include;
		struct scoped_node scoped;
		struct {
			struct node *name; /* N_NAME of the namespace */
			struct hf_value *attribute;
		} namespace_target;
	} u;
};

struct scope_name {
	struct hf_value *name;
	uint32_t slot;
};

/* One region of names. Those of a function scope live in a frame of their own, the others in the frame
 * around. */
struct scope {
	struct scope *parent, *function;
	struct scope_name *names;
	size_t n, room;
	/* Of a function scope: */
	uint32_t n_slots;
	struct scope_name *cached; /* slots of names from outside */
	size_t n_cached, cached_room;
	bool is_root;
};

struct hf_template {
	const char *name;
	const struct hf_template_env *env;
	struct nodes body;       /* of a template */
	struct node *expression; /* of a compiled expression; NULL for a template */
	struct scope *root;
	struct nodes blocks;
	struct nodes names; /* every name that is read */
	struct nodes steps; /* every attribute and item that is read of something */
};

struct node *hf_node_new(struct hf_arena *a, enum node_kind kind, uint32_t line, uint32_t column);

/* scope.c: gives every name its slots, filters and tests their functions. Runs once, after parsing. */
HF_CHECK int hf_scope_link(struct hf_arena *a, struct hf_template *t, struct hf_error *err);
/* Slot of the name in this scope alone; NULL when it is not there. */
const struct scope_name *hf_scope_find(const struct scope *s, struct hf_str name);
/* fold.c: an expression of constants becomes its value. */
void hf_fold(struct hf_arena *a, const struct hf_template_env *env, struct node *n);
