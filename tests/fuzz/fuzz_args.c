/* key=value text and free-form arguments: pieces, pairs, and whole tasks. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/engine/args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_str text = { (const char *)data, size };
	struct hf_value *out, *task;
	struct hf_action action;
	static const char *const keep[] = { "chdir", "creates", NULL };
	if (hf_args_split(a, text, &out, &err) == 0)
		for (size_t i = 0; i < hf_list_len(out); i++)
			if (!hf_is(hf_list_at(out, i), HF_STRING))
				abort();
	if (hf_args_pairs(a, text, false, NULL, &out, &err) == 0 && !hf_is(out, HF_DICT))
		abort();
	if (hf_args_pairs(a, text, true, NULL, &out, &err) == 0 && !hf_is(out, HF_DICT))
		abort();
	if (hf_args_pairs(a, text, true, keep, &out, &err) == 0 && !hf_is(out, HF_DICT))
		abort();
	if (hf_yaml_parse(a, text, "task", NULL, &task, &err) == 0 && hf_is(task, HF_DICT) &&
		hf_action_parse(a, task, NULL, NULL, &action, &err) == 0 && action.name != NULL &&
		!hf_is(action.args, HF_DICT))
		abort();
	return 0;
}
