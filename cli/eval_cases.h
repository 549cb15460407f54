/* cli/eval_cases.h - measured cases: one JSON object a line in, one answer a line out. */
#pragma once
#include "lib/engine/templar.h"

/* A case, decoded. */
struct eval_case {
	struct hf_arena *arena;
	const char *engine, *base; /* base: the case's directory, or NULL */
	struct hf_value *whole;    /* the object as read */
	struct hf_value *input;    /* template or input */
	struct hf_value *vars, *options;
};
typedef int (*eval_engine)(const struct eval_case *c, struct hf_value **ret, struct hf_error *err);

/* Reads standard input to its end; an exit status. */
int cli_eval_cases(void);
/* A templar over plain variables and a directory; for one evaluation. */
struct eval_world {
	struct hf_value *vars;
	const char *base;
	bool sealed; /* see hf_templar_source */
};
struct hf_templar *cli_eval_templar(struct hf_arena *a, struct eval_world *w);
