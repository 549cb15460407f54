/* Texts that become values: Python's literals, numbers in all their forms, YAML's plain words, key=value
 * words of tasks. What is read prints, and prints the same when read again. */
#include <stdint.h>

#include "lib/base/scope.h"
#include "lib/engine/args.h"
#include "lib/engine/literal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void literal_check(struct hf_arena *a, struct hf_str text)
{
	struct hf_value *v, *again;
	if (!hf_literal_parse(a, text, &v) || (v->type != HF_LIST && v->type != HF_DICT) ||
		!hf_literal_stable(v))
		return;
	struct hf_str printed = hf_value_text(a, v);
	if (!hf_literal_parse(a, printed, &again))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_str text = { (const char *)data, size };
	struct hf_value *v;
	int64_t number;
	literal_check(a, text);
	(void)hf_str_to_int64(text, &number);
	if (hf_args_split(a, text, &v, &err) == 0)
		(void)hf_value_text(a, v);
	if (hf_args_pairs(a, text, size % 2 == 0, NULL, &v, &err) == 0)
		(void)hf_value_text(a, v);
	return 0;
}
