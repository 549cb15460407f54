/* The YAML reader never reads past its input, loops or grows beyond its bounds, whatever it is fed; and text
 * of the simple kind means what it means to libyaml. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_value *v;
	struct hf_str text = { (const char *)data, size };
	bool good = hf_yaml_parse_all(a, text, "fuzz", NULL, &v, &err) == 0;
	struct hf_value *libyaml;
	if (good != (hf_yaml_parse_all(a, text, "fuzz", &(struct hf_yaml_options){ .libyaml = true },
			     &libyaml, &err) == 0))
		abort();
	if (good && (hf_value_has_secret(v) != hf_value_has_secret(libyaml)))
		abort();
	hf_auto_buf as_read = hf_buf_init(1 << 20), as_libyaml = hf_buf_init(1 << 20);
	if (good) {
		hf_value_print(&as_read, v);
		hf_value_print(&as_libyaml, libyaml);
		if (!hf_str_equal(hf_buf_str(&as_read), hf_buf_str(&as_libyaml)))
			abort();
	}
	if (hf_yaml_parse(a, text, "fuzz", &(struct hf_yaml_options){ .plain = true }, &v, &err) == 0) {
		hf_auto_buf out = hf_buf_init(1 << 20);
		hf_value_print(&out, v);
	}
	return 0;
}
