/* lib/engine/jmespath_internal.h - the tree of a JMESPath expression; for jmespath*.c alone. */
#pragma once
#include "lib/base/vec.h"
#include "lib/engine/jmespath.h"

enum jmespath_kind {
	JMES_IDENTITY,
	JMES_FIELD,
	JMES_LITERAL,
	JMES_INDEX,
	JMES_SLICE,
	JMES_SUB,  /* left, then right on its result */
	JMES_PIPE, /* as SUB; ends projections */
	JMES_OR,
	JMES_AND,
	JMES_NOT,
	JMES_COMPARE,
	JMES_FLATTEN,
	JMES_PROJECT,
	JMES_PROJECT_VALUES,
	JMES_FILTER, /* left, right, condition */
	JMES_LIST,
	JMES_HASH,
	JMES_CALL,
	JMES_EXPRESSION, /* &expr */
};

enum jmespath_compare { JMES_EQ, JMES_NE, JMES_LT, JMES_LE, JMES_GT, JMES_GE };

struct jmespath_node {
	enum jmespath_kind kind;
	struct jmespath_node *left, *right, *condition;
	HF_VEC(struct jmespath_node *) items; /* of LIST, HASH, CALL */
	HF_VEC(struct hf_value *) keys;       /* of HASH */
	struct hf_str name;                   /* of FIELD and CALL */
	struct hf_value *literal;
	enum jmespath_compare compare;
	int64_t number[3]; /* of INDEX and SLICE */
	bool given[3];
};

struct jmespath_search {
	struct hf_arena *arena;
	uint64_t steps;
	int depth;
	struct hf_error *err;
};
HF_CHECK int jmespath_visit(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret);
HF_CHECK int jmespath_call(
	struct jmespath_search *s, const struct jmespath_node *n, struct hf_value *v, struct hf_value **ret);
bool jmespath_false(const struct hf_value *v);
