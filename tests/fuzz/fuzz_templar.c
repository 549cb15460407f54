/* Ansible's templating: values, conditions, files and every filter, with nothing in reach outside of them. */
#include <stdint.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/templar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char variables[] =
	"{\"n\": 5, \"f\": 1.5, \"s\": \"text \\u00e9\", \"e\": \"\", \"t\": true, \"nil\": null,"
	" \"l\": [3, 1, 2], \"d\": {\"k\": \"v\", \"n\": [1]}, \"lazy\": \"{{ n }}{{ s }}\","
	" \"self\": \"{{ self }}\", \"u\": [{\"a\": 1, \"b\": \"x\"}, {\"a\": 2}]}";

static int variable(void *data, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	(void)err;
	struct hf_value key = { .type = HF_STRING, .u.string = name };
	*ret = hf_dict_find(data, &key);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_value *vars, *v, text = { .type = HF_STRING };
	struct hf_str out;
	bool holds;
	if (hf_json_parse(a, hf_str(variables), "variables", &vars, &err) < 0)
		__builtin_trap();
	const struct hf_templar_source source = { .data = vars,
		.variable = variable,
		.sealed = true,
		.limits = { .steps = 20000, .output = 1 << 16, .depth = 50, .range = 1000 } };
	struct hf_templar *t = hf_templar_new(a, &source);
	text.u.string = hf_strn(hf_strndup(a, (const char *)data, size), size);
	if (hf_templar_value(t, a, &text, NULL, &v, &err) == 0)
		(void)hf_value_text(a, v);
	if (hf_templar_condition(t, a, &text, NULL, &holds, &err) < 0)
		holds = false;
	const struct hf_templar_file how = {
		.path = "/nonexistent/t.j2", .trim_blocks = holds, .lstrip_blocks = -1
	};
	if (hf_templar_file(t, a, text.u.string, &how, NULL, &out, NULL, &err) == 0 && out.p == NULL)
		__builtin_trap();
	return 0;
}
