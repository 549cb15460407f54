/* lib/data/schema.h - argument tables: one row an option, bound into a plain struct.
 * Used by modules (Ansible's argument_spec semantics), by configuration files and by the provisioner.
 * Binding copies nothing but what it must convert; text lives in the arena. Every failure names the option
 * and, where known, its place in the user's file. Unknown options are errors that name the nearest known one.
 */
#pragma once
#include "lib/data/value.h"

enum hf_arg_type {
	HF_ARG_END,
	HF_ARG_STR,   /* const char *; numbers and booleans become text as Ansible does */
	HF_ARG_TEXT,  /* struct hf_str: as STR, for content that may hold NUL; .p NULL when not given */
	HF_ARG_BOOL,  /* enum hf_tristate: yes/no/on/off/1/0/true/false in any case */
	HF_ARG_INT,   /* int64_t */
	HF_ARG_FLOAT, /* double */
	HF_ARG_MODE,  /* const char *: octal text or symbolic; an integer becomes its octal text */
	HF_ARG_PATH,  /* const char *: ~ and $VAR expanded as os.path.expanduser/expandvars */
	HF_ARG_LIST,  /* struct hf_value *: a list; text is split at commas; elements checked by .elements */
	HF_ARG_DICT,  /* struct hf_value *: a dict; "k=v,k=v" or JSON text is converted */
	HF_ARG_RAW,   /* struct hf_value *: anything */
	HF_ARG_ENUM,  /* int: index into choices */
	HF_ARG_BYTES, /* int64_t: "10M" … as human_to_bytes */
	HF_ARG_JSON,  /* const char *: containers become JSON text */
};

enum hf_tristate { HF_UNSET = -1, HF_NO = 0, HF_YES = 1 };

enum hf_arg_flags {
	HF_REQUIRED = 1 << 0,
	HF_NO_LOG = 1 << 1,  /* the value is a secret */
	HF_REFUSED = 1 << 2, /* Ansible has it, we do not: giving it is an error that says why (.help) */
};

struct hf_arg {
	const char *name;
	enum hf_arg_type type;
	size_t offset; /* in the params struct */
	unsigned flags;
	const char *dflt; /* text, converted like a given value; NULL: zero (BOOL: HF_UNSET, ENUM: -1) */
	const char *const *choices; /* NULL-terminated; for ENUM, STR and LIST elements */
	const char *const *aliases; /* NULL-terminated */
	enum hf_arg_type elements;  /* of LIST; HF_ARG_END: any */
	const struct hf_arg
		*options; /* suboptions of DICT or of a LIST of DICT: checked, defaults filled in place */
	const char *help; /* one line for manuals; the reason for HF_REFUSED */
};

/* Rules between options; a table ends with kind HF_RULE_END. names: NULL-terminated. */
enum hf_rule_kind {
	HF_RULE_END,
	HF_RULE_EXCLUSIVE, /* at most one of names */
	HF_RULE_ONE_OF,    /* at least one of names */
	HF_RULE_TOGETHER,  /* all or none of names */
	HF_RULE_IF,        /* option `when` equals `equals` → all of names (any of them with any) */
	HF_RULE_BY,        /* option `when` given → all of names */
};
struct hf_rule {
	enum hf_rule_kind kind;
	const char *const *names;
	const char *when, *equals;
	bool any;
};

struct hf_schema {
	const struct hf_arg *args;
	const struct hf_rule *rules; /* may be NULL */
	size_t size;                 /* of the params struct */
};

/* values: a dict. what: for messages, such as `task "motd": copy`. ret_params points to schema->size bytes.
 * ret_given, when not NULL, is filled with a dict {canonical name: value as bound} for reports (secrets
 * marked). */
HF_CHECK int hf_schema_bind(struct hf_arena *a, const struct hf_schema *schema, const struct hf_value *values,
	const char *what, void *ret_params, struct hf_value **ret_given, struct hf_error *err);
/* Every option by its name with its value, default or null, as Ansible tells of a module's arguments; those
 * that are secrets of the table are covered. values: as given, whose aliases stay besides; given: as bound.
 */
struct hf_value *hf_schema_shown(struct hf_arena *a, const struct hf_schema *schema,
	const struct hf_value *values, const struct hf_value *given);
const struct hf_arg *hf_schema_find(const struct hf_arg *args, const char *name); /* by name or alias */
/* "did you mean": the nearest of names, NULL when none is near. */
const char *hf_nearest(const char *word, const char *const *names);
/* Ansible's boolean(): HF_UNSET when text is none of the accepted words. */
enum hf_tristate hf_text_bool(struct hf_str text);
