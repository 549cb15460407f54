/* lib/engine/lookup.h - lookup plugins: one row each, used by lookup(), query() and with_*. */
#pragma once
#include "lib/engine/templar_internal.h"

struct lookup_call {
	struct hf_templar *templar;
	struct hf_arena *arena;
	struct hf_value *locals;
	const struct chain *chain;
	const char *const *search; /* of the template file that asks; NULL elsewhere */
	struct hf_value *terms;    /* list */
	struct hf_value *options;  /* dict, may be NULL */
	const char *name;
};
/* Appends its results to into, a list. */
typedef int (*lookup_fn)(const struct lookup_call *c, struct hf_value *into, struct hf_error *err);
struct lookup_row {
	const char *name;
	lookup_fn fn;
	bool outside; /* reaches files, the environment or programs */
};
extern const struct lookup_row hf_lookups_list[], hf_lookups_file[], hf_lookups_var[], hf_lookups_parse[],
	hf_lookups_config[];

struct hf_value *lookup_option(const struct lookup_call *c, const char *name); /* NULL: not given */
HF_CHECK int lookup_text(
	const struct lookup_call *c, const struct hf_value *v, struct hf_str *ret, struct hf_error *err);
bool lookup_bool(const struct lookup_call *c, const char *name, bool fallback);
const char *lookup_cstr(const struct lookup_call *c, const char *name, const char *fallback);
/* Path of a file by the rules of the present place. */
HF_CHECK int lookup_find(
	const struct lookup_call *c, const char *kind, const char *name, char **ret, struct hf_error *err);
/* Its content, decrypted when it is a vault envelope. */
HF_CHECK int lookup_read(
	const struct lookup_call *c, const char *path, struct hf_str *ret, struct hf_error *err);
/* The variable, templated; *ret NULL: none. */
HF_CHECK int lookup_variable(
	const struct lookup_call *c, struct hf_str name, struct hf_value **ret, struct hf_error *err);
/* "a=1 b='two words'" of a term: the words, as a list of strings without quotes around values. */
HF_CHECK int lookup_words(
	const struct lookup_call *c, struct hf_str term, struct hf_value **ret, struct hf_error *err);
/* One level of lists taken away. */
struct hf_value *lookup_flatten(struct hf_arena *a, struct hf_value *list);
enum { LOOKUP_ITEMS_MAX = 1000000, LOOKUP_FILE_MAX = 64 << 20, LOOKUP_TIMEOUT_MS = 600000 };
