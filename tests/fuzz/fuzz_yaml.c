/* The YAML reader never reads past its input, loops or grows beyond its bounds, whatever it is fed. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/data/yaml_quick.h"

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
	/* What the quick reader takes, libyaml takes too, to the same text. */
	const struct hf_value *quick = hf_yaml_quick(a, text, "fuzz");
	if (quick != NULL) {
		struct hf_str q = hf_value_text(a, quick);
		if (hf_yaml_parse_all(a, text, "fuzz", NULL, &v, &err) < 0 || hf_list_len(v) != 1 ||
			!hf_str_equal(q, hf_value_text(a, hf_list_at(v, 0))))
			abort();
	}
	return 0;
}
