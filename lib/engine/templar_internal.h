/* lib/engine/templar_internal.h - what the files of the templar, the filters and the lookups share. */
#pragma once
#include "lib/engine/templar.h"

enum {
	TEMPLAR_CHAIN_MAX = 60, /* variables that refer to each other */
	TEMPLAR_CACHE_ENTRIES = 4000,
	TEMPLAR_CACHE_BYTES = 4 << 20, /* of source text */
};

/* How a text is compiled; each way has its own environment. */
enum templar_way { TEMPLAR_STRING, TEMPLAR_CONDITION, TEMPLAR_WAYS };

struct hf_templar {
	struct hf_arena *arena;
	struct hf_templar_source source;
	const struct hf_vault *vault;
	struct hf_template_env env[TEMPLAR_WAYS];
	struct hf_map cache[TEMPLAR_WAYS]; /* text → struct compiled * */
	size_t cached_bytes;
	const char *owner; /* of the last template file, by name */
	unsigned owner_uid;
};

/* A text compiled. */
struct compiled {
	struct hf_template *template;
	size_t size;  /* of the text */
	bool single;  /* exactly one {{ expression }} */
	bool mutates; /* may change lists and dicts in place: variables are copied for it */
	struct hf_str single_name;
};

/* A variable being resolved, for naming a loop. */
struct chain {
	const struct chain *up;
	struct hf_str name;
};

/* One rendering in progress: the data of hf_eval_data(). */
struct rendering {
	struct hf_templar *templar;
	struct hf_arena *arena;
	struct hf_value *locals;
	const struct chain *chain;
	struct hf_map
		resolved; /* names seen by this rendering: each is resolved once, as in Python's templates */
	unsigned marks;   /* HF_VALUE_UNSAFE, HF_VALUE_SECRET of everything used */
	bool mutates;
	bool file; /* a template file: no literal parsing inside includes either */
	const char *const *search;
	const struct hf_template_env *env;
};

struct compiled_source {
	struct hf_str text;
	struct hf_pos pos;
};

/* templar.c */
HF_CHECK int templar_compile(struct hf_templar *t, struct hf_arena *a, enum templar_way way,
	struct hf_str text, struct hf_pos pos, struct compiled **ret, struct hf_error *err);
HF_CHECK int templar_string(struct hf_templar *t, struct hf_arena *a, const struct hf_value *text,
	struct hf_value *locals, const struct chain *chain, bool convert, struct hf_value **ret,
	struct hf_error *err);
HF_CHECK int templar_any(struct hf_templar *t, struct hf_arena *a, const struct hf_value *v,
	struct hf_value *locals, const struct chain *chain, struct hf_value **ret, struct hf_error *err);
/* A copy whose strings, in all depths, bear flags. */
struct hf_value *templar_mark(struct hf_arena *a, struct hf_value *v, unsigned flags);
struct rendering templar_rendering(
	struct hf_templar *t, struct hf_arena *a, struct hf_value *locals, const struct chain *chain);
/* Text that looks like a list, a dict or a boolean becomes one. */
struct hf_value *templar_convert(struct hf_arena *a, struct hf_str text);
/* Newlines at the end of text are kept: result gets at least as many as source has. */
struct hf_str templar_newlines(
	struct hf_arena *a, struct hf_str result, struct hf_str source, const char *newline);
/* Where err happened: the value's place in the user's file; within the text itself when the text is all there
 * is (line 0). */
void templar_place(struct hf_error *err, struct hf_pos pos);
void templar_warn(const struct hf_templar *t, const char *format, ...) HF_PRINTF(2, 3);

/* templar_env.c */
void templar_env_init(struct hf_templar *t);
int templar_variable(struct hf_eval *e, struct hf_str name, struct hf_value **ret, struct hf_error *err);

/* templar_file.c */
int templar_load(void *data, struct hf_arena *a, const char *name, const char *parent,
	struct hf_str *ret_source, struct hf_error *err);
/* Reads "#jinja2: key: value, …" off the first line. */
HF_CHECK int templar_header(struct hf_templar *t, struct hf_arena *a, struct hf_str *source,
	struct hf_template_env *env, struct hf_error *err);

/* lookup.c: the globals lookup(), query(), q() and what they share with with_*. */
int templar_global_lookup(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
int templar_global_query(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
