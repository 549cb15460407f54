#include "lib/template/builtin.h"
#include "lib/template/methods.h"
#define EMPTY(n) const struct hf_callable_row n[] = { { NULL, NULL, 0 } }
EMPTY(hf_filters_format);
EMPTY(hf_filters_html);
EMPTY(hf_filters_text);
EMPTY(hf_methods_str);
EMPTY(hf_methods_list);
EMPTY(hf_methods_tuple);
EMPTY(hf_methods_dict);
EMPTY(hf_methods_int);
EMPTY(hf_methods_float);
EMPTY(hf_methods_bytes);
EMPTY(hf_methods_set);
#include "lib/template/arith.h"
#include "lib/template/eval.h"
int hf_format_percent(struct hf_eval *e, struct hf_value *format, struct hf_value *values,
	struct hf_value **ret, struct hf_error *err)
{
	return hf_fail(err, HF_E_UNSUPPORTED, "text %% values is not supported");
}
