/* lib/template/method.h - what the files of methods share. Private to lib/template. */
#pragma once
#include "lib/template/eval.h"
#include "lib/template/methods.h"

#define METHOD(name)                                                                                         \
	static int method_##name(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,      \
		struct hf_value **ret, struct hf_error *err)
#define STR_METHOD(name)                                                                                     \
	int hf_str_method_##name(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,      \
		struct hf_value **ret, struct hf_error *err)

/* methods_find.c and format.c: methods of str that are long. */
STR_METHOD(split);
STR_METHOD(rsplit);
STR_METHOD(splitlines);
STR_METHOD(partition);
STR_METHOD(rpartition);
STR_METHOD(find);
STR_METHOD(rfind);
STR_METHOD(index);
STR_METHOD(rindex);
STR_METHOD(count);
STR_METHOD(startswith);
STR_METHOD(endswith);
STR_METHOD(replace);
STR_METHOD(join);
STR_METHOD(translate);
STR_METHOD(maketrans);
STR_METHOD(format);
STR_METHOD(format_map);

/* Finished text, Markup when self is. */
HF_CHECK int hf_method_text(struct hf_eval *e, const struct hf_value *self, const struct hf_buf *out,
	struct hf_value **ret, struct hf_error *err);
/* Positional argument that must be a str. */
HF_CHECK int hf_method_argument(struct hf_eval *e, const struct hf_call *call, size_t position,
	const char *what, struct hf_str *ret, struct hf_error *err);
HF_CHECK int hf_method_pad(struct hf_eval *e, const struct hf_value *self, int64_t left, int64_t right,
	struct hf_str fill, struct hf_value **ret, struct hf_error *err);
/* text.replace(old, new, count); count < 0: all. */
HF_CHECK int hf_text_replace(struct hf_eval *e, struct hf_str text, struct hf_str old, struct hf_str new,
	int64_t count, struct hf_buf *out, struct hf_error *err);
/* str.splitlines(); list of str values. */
struct hf_value *hf_text_lines(struct hf_arena *a, struct hf_str s, bool keep_ends);
/* methods_other.c */
HF_CHECK int hf_bytes_encode(struct hf_eval *e, struct hf_str text, struct hf_str encoding,
	struct hf_str errors, struct hf_value **ret, struct hf_error *err);
