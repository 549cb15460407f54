/* lib/engine/templar.h - Ansible's templating of values over lib/template: lazy variables, results with
 * jinja2_native off as ansible-core 2.17 gives them, omit, unsafe, secret and vault marks, conditions,
 * template files. Owns:  a templar and its cache of compiled templates (bounded) live in the arena of
 * hf_templar_new(); results live in the arena given to each call. One templar serves a whole run; what
 * variables mean may change between calls. Fails: HF_E_PARSE, HF_E_UNDEFINED, HF_E_NOT_FOUND, HF_E_TEMPLATE,
 * HF_E_LIMIT with position; HF_E_DENIED (vault). */
#pragma once
#include "lib/engine/vault.h"
#include "lib/template/template.h"

struct hf_templar;

/* What the engine answers. Members may be NULL; data is passed to each. */
struct hf_templar_source {
	void *data;
	/* Lookups, filters and tests that reach files, the environment, the network or programs are refused
	 * (HF_E_DENIED). Includes stay within their folders either way. */
	bool sealed;
	struct hf_template_limits limits; /* of every rendering; zeros: the defaults */
	/* The variable as stored, not templated; *ret NULL: there is none. Called at every use. A value of
	 * type HF_OBJECT (hostvars) is handed on as it is. */
	int (*variable)(void *data, struct hf_str name, struct hf_value **ret, struct hf_error *err);
	/* Names of all variables, as a list of strings (for vars, varnames). */
	int (*names)(void *data, struct hf_arena *a, struct hf_value **ret, struct hf_error *err);
	/* Path of a file as a task at the present place would find it. kind: "files", "templates", "vars",
	 * "tasks". -HF_E_NOT_FOUND names the places searched. NULL: relative to the working directory. */
	int (*find_file)(void *data, struct hf_arena *a, const char *kind, const char *name, char **ret,
		struct hf_error *err);
	/* Result of a lookup plugin that is not built in; *ret NULL: no such plugin either. */
	int (*lookup)(void *data, struct hf_arena *a, const char *name, const struct hf_value *terms,
		const struct hf_value *options, struct hf_value **ret, struct hf_error *err);
	void (*warning)(void *data, const char *text);
	/* Called with every plain text that came out of a vault, so that it is shown nowhere. */
	void (*secret)(void *data, struct hf_str text);
	/* Called with the name of every variable a template used, for fingerprints. */
	void (*used)(void *data, struct hf_str name);
};

struct hf_templar *hf_templar_new(
	struct hf_arena *a, const struct hf_templar_source *source) HF_RETURNS_NONNULL;
void hf_templar_set_vault(struct hf_templar *t, const struct hf_vault *vault); /* borrowed; may be NULL */

/* jinja2_extensions of ansible.cfg: a list with commas, or NULL. HF_E_UNSUPPORTED names one that is not
 * there. */
HF_CHECK int hf_templar_extensions(struct hf_templar *t, const char *names, struct hf_error *err);

/* Template any value, recursively: strings, items, dict values (not keys). locals (dict or NULL) shadow the
 * source. An undefined variable is an error. */
HF_CHECK int hf_templar_value(struct hf_templar *t, struct hf_arena *a, const struct hf_value *v,
	struct hf_value *locals, struct hf_value **ret, struct hf_error *err);
/* As hf_templar_value() for module arguments: a dict's keys whose value became `omit` are left out (top
 * level). */
HF_CHECK int hf_templar_args(struct hf_templar *t, struct hf_arena *a, const struct hf_value *v,
	struct hf_value *locals, struct hf_value **ret, struct hf_error *err);
/* Template text to text (names, paths, labels): no literal parsing. pos: where the text stands. */
HF_CHECK int hf_templar_text(struct hf_templar *t, struct hf_arena *a, struct hf_str text, struct hf_pos pos,
	struct hf_value *locals, struct hf_str *ret, struct hf_error *err);
/* when, that, changed_when, failed_when, until: bool, string (an expression), null, or a list of those (and).
 */
HF_CHECK int hf_templar_condition(struct hf_templar *t, struct hf_arena *a, const struct hf_value *condition,
	struct hf_value *locals, bool *ret, struct hf_error *err);
/* As above; *ret_failed names the first item that was false (borrowed), for assert and for "skip_reason". */
HF_CHECK int hf_templar_condition_why(struct hf_templar *t, struct hf_arena *a,
	const struct hf_value *condition, struct hf_value *locals, bool *ret,
	const struct hf_value **ret_failed, struct hf_error *err);
/* A bare expression without delimiters to its value (for `var:` of debug, `loop: name` shorthands). */
HF_CHECK int hf_templar_expression(struct hf_templar *t, struct hf_arena *a, struct hf_str text,
	struct hf_pos pos, struct hf_value *locals, struct hf_value **ret, struct hf_error *err);
/* True when v holds a string with an opening delimiter, somewhere. */
bool hf_templar_is_template(const struct hf_templar *t, const struct hf_value *v);

/* The template module and lookup. Strings that are NULL and HF_UNSET switches keep the module's defaults. */
struct hf_templar_file {
	const char *path;          /* of the template: relative includes, template_path … */
	const char *const *search; /* directories for include, NULL-terminated; NULL: the directory of path,
				      and its parent */
	const char *dest;          /* template_destpath */
	const char *block_start, *block_end, *variable_start, *variable_end, *comment_start, *comment_end,
		*newline_sequence;
	int trim_blocks, lstrip_blocks; /* enum hf_tristate of schema.h: -1 keeps trim on, lstrip off */
};
/* source: the text of the template. *ret_secret (may be NULL): something secret was printed. */
HF_CHECK int hf_templar_file(struct hf_templar *t, struct hf_arena *a, struct hf_str source,
	const struct hf_templar_file *how, struct hf_value *locals, struct hf_str *ret, bool *ret_secret,
	struct hf_error *err);

/* A lookup plugin by name (with_items, with_dict …): terms are templated already unless the plugin wants them
 * raw. The result is a list. HF_E_NOT_FOUND: no plugin of that name. */
HF_CHECK int hf_templar_lookup(struct hf_templar *t, struct hf_arena *a, const char *name,
	struct hf_value *terms, struct hf_value *options, struct hf_value *locals, struct hf_value **ret,
	struct hf_error *err);
bool hf_templar_has_lookup(const char *name);
