/* Templates: compiling and rendering stay within their bounds, whatever the source. */
#include <stdint.h>

#include "lib/base/scope.h"
#include "lib/template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hf_value *variables(struct hf_arena *a)
{
	struct hf_value *all = hf_value_dict(a), *list = hf_value_list(a);
	for (int i = 3; i > 0; i--)
		hf_list_append(list, hf_value_int(a, i));
	hf_dict_put(all, "l", list);
	hf_dict_put(all, "s", hf_value_cstr(a, "text \xc3\xa9 %s {0}"));
	hf_dict_put(all, "d", hf_value_dict(a));
	hf_dict_put(all, "n", hf_value_int(a, -7));
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf out = hf_buf_init(1 << 20);
	struct hf_error err;
	struct hf_str source = { (const char *)data, size };
	struct hf_template *t;
	struct hf_template_env env = {
		.limits = { .steps = 20000, .output = 1 << 16, .depth = 50, .range = 1000 },
		.trim_blocks = size % 2 == 0,
		.lstrip_blocks = size % 3 == 0,
		.extension_do = true,
		.extension_loopcontrols = true,
		.undefined = size % 4
	};
	struct hf_render how = { .arena = a, .env = &env, .variables = variables(a) };
	unsigned marks;
	if (hf_template_compile(a, &env, source, "fuzz", &t, &err) == 0 &&
		hf_template_render(t, &how, &out, &marks, &err) == 0)
		(void)hf_template_names(a, t);
	struct hf_value *v;
	if (hf_template_compile_expression(a, &env, source, "fuzz", true, &t, &err) == 0 &&
		hf_template_evaluate(t, &how, &v, &err) == 0)
		(void)hf_value_truthy(v);
	return 0;
}
