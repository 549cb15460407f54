/* lib/template/template.h - Jinja2 3.1 in C: compile once, render many times. Knows no Ansible.
 * Owns:  a compiled template lives in the arena it was compiled into and is never changed by rendering, so
 * one may be rendered again and again, also recursively. Values made while rendering live in the arena given
 * to render. Fails: HF_E_PARSE (syntax, unknown filter or test), HF_E_UNDEFINED, HF_E_NOT_FOUND (template to
 * include), HF_E_LIMIT, HF_E_TEMPLATE (everything else), always with name:line:column in err->pos. Not
 * thread-safe. */
#pragma once
#include "lib/data/value.h"

struct hf_template; /* compiled template or expression; fields in tree.h */
struct hf_eval;     /* one rendering in progress; fields in eval.h */

/* What a call to a filter, test, function, macro or method brought. */
struct hf_call {
	struct hf_value *const *args;
	size_t n_args;
	struct hf_value *kwargs; /* dict with text keys, or NULL */
	struct hf_pos pos;
};
/* Argument by position or name; NULL when not given. Each use marks it as known; hf_call_done() refuses the
 * rest. */
struct hf_value *hf_call_arg(const struct hf_call *call, size_t position, const char *name);
/* -HF_E_TEMPLATE when there are more than max positional arguments or a keyword not in names
 * (NULL-terminated). */
HF_CHECK int hf_call_check(const struct hf_call *call, const char *what, size_t max, const char *const *names,
	struct hf_error *err);

/* Filters, functions: input is NULL for functions. Tests answer with an HF_BOOL. */
typedef int (*hf_callable)(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
enum hf_callable_flags {
	HF_TAKES_UNDEFINED =
		1 << 0,   /* undefined input or arguments are handed over instead of raising (strict mode) */
	HF_PURE = 1 << 1, /* same arguments, same result: may be folded at compile time */
	HF_NO_ARGUMENTS = 1 << 3, /* the value is all it takes: a call with more is refused */
	HF_REACHES_OUT =
		1 << 2, /* looks at files, the environment …: refused where the environment is sealed */
};
struct hf_callable_row {
	const char *name;
	hf_callable fn;
	unsigned flags;
};

enum hf_undefined_mode {
	HF_UNDEFINED_DEFAULT, /* prints empty, is false, iterates empty */
	HF_UNDEFINED_STRICT,  /* any use raises */
	HF_UNDEFINED_CHAINABLE,
	HF_UNDEFINED_STRICT_CHAINABLE, /* Ansible: attributes of undefined are undefined, any use raises */
};

struct hf_template_limits { /* 0: the default below */
	uint64_t steps;
	size_t output, depth, range;
};
enum {
	HF_TEMPLATE_STEPS = 50000000,
	HF_TEMPLATE_OUTPUT = 64 << 20,
	HF_TEMPLATE_DEPTH = 200,
	HF_TEMPLATE_RANGE = 1000000
};

enum hf_seen_kind { HF_SEEN_FILTER, HF_SEEN_TEST, HF_SEEN_CALL };
/* HF_SEEN_CALL: a function called by name, with the text that is its first argument (lookup('env', …)). */
struct hf_template_seen {
	enum hf_seen_kind kind;
	struct hf_str name, argument; /* argument.p NULL: none, or not a constant */
	bool known;
	uint32_t line, column;
};

/* Everything a family of templates shares. Zero-initialised fields mean Jinja2's defaults; tables are
 * searched after the built-in ones unless they hold the same name, which then wins. Strings are borrowed. */
struct hf_template_env {
	const char *block_start, *block_end, *variable_start, *variable_end, *comment_start, *comment_end;
	const char *newline_sequence;
	bool trim_blocks, lstrip_blocks, keep_trailing_newline, autoescape;
	bool unknown_is_always_error; /* unknown filter or test: error even in a branch not taken (Ansible) */
	bool double_backslashes;  /* a backslash in a string literal inside {{ }} stands for itself (playbook
				     strings) */
	bool lists_not_iterators; /* filters give lists where Jinja2 gives generators (Ansible) */
	bool extension_do, extension_loopcontrols;
	bool sealed; /* rows marked HF_REACHES_OUT are refused when called (HF_E_DENIED) */
	enum hf_undefined_mode undefined;
	struct hf_template_limits limits;
	const struct hf_callable_row *filters, *tests, *globals; /* end with name NULL; may be NULL */
	/* For tools that read templates and never render them: told of every filter, test and plugin a text
	 * names, the known ones too. When it is set an unknown one is no error. */
	void (*seen)(void *data, const struct hf_template_seen *what);
	void *seen_data;
	/* Source of an included, imported or extended template; parent is the name of the asking one (or
	 * NULL). HF_E_NOT_FOUND when there is none. NULL: nothing can be included. */
	int (*load)(void *data, struct hf_arena *a, const char *name, const char *parent,
		struct hf_str *ret_source, struct hf_error *err);
	/* Called on the value of every {{ }} before it is printed; may replace it (Ansible: None → "", vault,
	 * lazy). */
	int (*finalize)(struct hf_eval *e, struct hf_value **value, struct hf_error *err);
	/* Any name that is not set in the template and not a global. *ret NULL: not defined. Called at each
	 * use. */
	int (*variable)(struct hf_eval *e, struct hf_str name, struct hf_value **ret, struct hf_error *err);
	/* Called on every value reached through a name, attribute or item, so that text which is itself a
	 * template can be resolved when used (Ansible's lazy variables). May be NULL. */
	int (*resolve)(struct hf_eval *e, struct hf_value **value, struct hf_error *err);
};

/* name: for messages and for `self`; copied. source is copied. */
HF_CHECK int hf_template_compile(struct hf_arena *a, const struct hf_template_env *env, struct hf_str source,
	const char *name, struct hf_template **ret, struct hf_error *err);
/* One expression without delimiters, as in when: . Inline-if included only when with_inline_if. */
HF_CHECK int hf_template_compile_expression(struct hf_arena *a, const struct hf_template_env *env,
	struct hf_str source, const char *name, bool with_inline_if, struct hf_template **ret,
	struct hf_error *err);

/* One rendering: variables (a dict, may be NULL) shadow env->variable. data reaches callbacks as
 * hf_eval_data(). */
struct hf_render {
	struct hf_arena *arena;
	const struct hf_template_env *env;
	struct hf_value *variables;
	void *data;
};
/* Text is appended to out. *ret_marks, when not NULL, gets HF_VALUE_SECRET/UNSAFE of everything printed. */
HF_CHECK int hf_template_render(const struct hf_template *t, const struct hf_render *how, struct hf_buf *out,
	unsigned *ret_marks, struct hf_error *err);
/* Value of an expression, or of a template that is exactly one {{ expression }} (see hf_template_single()).
 */
HF_CHECK int hf_template_evaluate(const struct hf_template *t, const struct hf_render *how,
	struct hf_value **ret, struct hf_error *err);
/* True when the template is exactly one {{ expression }}, so that hf_template_evaluate() may be used. */
bool hf_template_single(const struct hf_template *t);
/* The template is nothing but one {{ name }}: returns the name, else { NULL }. */
struct hf_str hf_template_single_name(const struct hf_template *t);
/* Names the template may read from outside (for dependency tracking), as a list of strings; an upper bound.
 */
struct hf_value *hf_template_names(struct hf_arena *a, const struct hf_template *t);
/* Those that are neither its own nor functions of the language, with what is read of each as far as it is
 * said in so many words: "vpc.id", "module.net.vpc". */
struct hf_value *hf_template_paths(struct hf_arena *a, const struct hf_template *t);
/* False when text has none of the three opening delimiters of env: rendering would give it back unchanged. */
bool hf_template_is_template(const struct hf_template_env *env, struct hf_str text);

/* For callables. */
struct hf_arena *hf_eval_arena(struct hf_eval *e);
void *hf_eval_data(struct hf_eval *e);
const struct hf_template_env *hf_eval_env(struct hf_eval *e);
/* Count work against the step limit; fails with HF_E_LIMIT. */
HF_CHECK int hf_eval_steps(struct hf_eval *e, uint64_t n, struct hf_error *err);
/* Variable as the template sees it now (locals first); *ret NULL when undefined. */
HF_CHECK int hf_eval_lookup(
	struct hf_eval *e, struct hf_str name, struct hf_value **ret, struct hf_error *err);
/* Call a filter or test by name, or a callable value (macro, function, method). */
HF_CHECK int hf_eval_filter(struct hf_eval *e, struct hf_str name, struct hf_value *input,
	const struct hf_call *call, struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_eval_test(struct hf_eval *e, struct hf_str name, struct hf_value *input,
	const struct hf_call *call, bool *ret, struct hf_error *err);
HF_CHECK int hf_eval_call(struct hf_eval *e, struct hf_value *callee, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
/* Python semantics for use in filters: attribute then item (x.y), item then attribute (x['y']), list(x), x <
 * y, x + y … */
HF_CHECK int hf_eval_attribute(struct hf_eval *e, struct hf_value *v, struct hf_str name,
	struct hf_value **ret, struct hf_error *err);
HF_CHECK int hf_eval_item(struct hf_eval *e, struct hf_value *v, struct hf_value *key, struct hf_value **ret,
	struct hf_error *err);
HF_CHECK int hf_eval_list(
	struct hf_eval *e, struct hf_value *v, struct hf_value **ret_list, struct hf_error *err);
HF_CHECK int hf_eval_compare(struct hf_eval *e, const struct hf_value *a, const struct hf_value *b,
	int *ret_order, struct hf_error *err);
HF_CHECK int hf_eval_truth(struct hf_eval *e, struct hf_value *v, bool *ret,
	struct hf_error *err); /* raises on undefined if strict */
HF_CHECK int hf_eval_text(
	struct hf_eval *e, struct hf_value *v, struct hf_str *ret, struct hf_error *err); /* str(v) */
/* An iterator, range or dict view: what Ansible turns into a list when it is printed (hf_eval_list() does
 * it). */
bool hf_value_is_lazy(const struct hf_value *v);
/* The template's own names visible now (set, loop variables, parameters), as a dict: without
 * hf_render.variables. */
struct hf_value *hf_eval_locals(struct hf_eval *e);
/* x == y; in strict modes undefined raises. */
HF_CHECK int hf_eval_equal(struct hf_eval *e, const struct hf_value *a, const struct hf_value *b, bool *ret,
	struct hf_error *err);
/* Raises the undefined error of v. Always fails. */
int hf_eval_undefined(struct hf_eval *e, const struct hf_value *v, struct hf_error *err);
