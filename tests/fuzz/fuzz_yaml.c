/* The YAML reader never reads past its input, loops or grows beyond its bounds, whatever it is fed. */
#include <stdint.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_value *v;
	struct hf_str text = { (const char *)data, size };
	if (hf_yaml_parse_all(a, text, "fuzz", NULL, &v, &err) == 0)
		(void)hf_value_has_secret(v);
	if (hf_yaml_parse(a, text, "fuzz", &(struct hf_yaml_options){ .plain = true }, &v, &err) == 0) {
		hf_auto_buf out = hf_buf_init(1 << 20);
		hf_value_print(&out, v);
	}
	return 0;
}
