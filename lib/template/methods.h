/* lib/template/methods.h - methods of Python's built-in types; the input of each is the object itself.
 * Private. */
#pragma once
#include "lib/template/template.h"

extern const struct hf_callable_row hf_methods_str[], hf_methods_list[], hf_methods_tuple[],
	hf_methods_dict[], hf_methods_int[], hf_methods_float[], hf_methods_bytes[], hf_methods_set[],
	hf_methods_date[], hf_methods_datetime[], hf_methods_timedelta[];
/* The row of that name; NULL when there is none. */
const struct hf_callable_row *hf_row_find(const struct hf_callable_row *rows, struct hf_str name);
/* The methods of a value's type; NULL when it has none. */
const struct hf_callable_row *hf_methods_of(const struct hf_value *v);
/* dict.update(from): a mapping or an iterable of pairs; objects.c */
HF_CHECK int hf_dict_update(
	struct hf_eval *e, struct hf_value *dict, struct hf_value *from, struct hf_error *err);
