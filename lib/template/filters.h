/* lib/template/filters.h - what the files of filters share. Private to lib/template. */
#pragma once
#include "lib/template/eval.h"

#define FILTER(name)                                                                                         \
	static int filter_##name(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,      \
		struct hf_value **ret, struct hf_error *err)

/* attribute: "a.b.0" or an integer; fallback (may be NULL) replaces what is undefined. */
HF_CHECK int hf_filter_attribute(struct hf_eval *e, struct hf_value *v, struct hf_value *attribute,
	struct hf_value *fallback, struct hf_value **ret, struct hf_error *err);
/* wordwrap.c */
int hf_filter_wordwrap(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
/* urlize.c */
int hf_filter_urlize(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err);
/* Optional arguments with the value they have when not given. A wrong type raises. */
HF_CHECK int hf_filter_int(struct hf_eval *e, const struct hf_call *call, size_t position, const char *name,
	int64_t fallback, int64_t *ret, struct hf_error *err);
/* As sorted() wants it: an integer or a boolean. */
HF_CHECK int hf_filter_reverse(const struct hf_call *call, size_t position, bool *ret, struct hf_error *err);
HF_CHECK int hf_filter_bool(struct hf_eval *e, const struct hf_call *call, size_t position, const char *name,
	bool fallback, bool *ret, struct hf_error *err);
HF_CHECK int hf_filter_text(struct hf_eval *e, const struct hf_call *call, size_t position, const char *name,
	struct hf_str fallback, struct hf_str *ret, struct hf_error *err);
/* Arguments of a filter, bound in order or by name; what is not given leaves its target alone. */
struct filter_arg {
	const char *name;
	enum { ARG_VALUE, ARG_INT, ARG_INT_OR_NONE, ARG_BOOL, ARG_TEXT } kind;
	void *to; /* struct hf_value **, int64_t *, bool *, struct hf_str * */
};
enum { FILTER_ARGS_MAX = 6 };
HF_CHECK int hf_filter_args(struct hf_eval *e, const struct hf_call *call, const char *what,
	const struct filter_arg *args, size_t n, struct hf_error *err);
/* Text folded for comparing without regard to case; other values as they are. */
struct hf_value *hf_filter_fold_case(struct hf_eval *e, struct hf_value *v);
/* Stable; keys decide, and items move with them. n items each. */
HF_CHECK int hf_filter_sort(struct hf_eval *e, struct hf_value **items, struct hf_value **keys, size_t n,
	bool reverse, struct hf_error *err);
