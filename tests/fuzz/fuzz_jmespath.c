/* JMESPath (json_query): parsing and searching stay within their bounds, whatever the expression. */
#include <stdint.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/jmespath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char searched[] =
	"{\"a\": [{\"b\": 1, \"c\": \"x\"}, {\"b\": 2.5, \"c\": \"\\u00e9\", \"d\": null}, {}],"
	" \"l\": [3, 1, 2], \"s\": [\"q\", \"p\"], \"n\": -7, \"t\": true, \"o\": {\"k\": {\"k\": [[1], [2, "
	"[3]]]}}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_str text = { (const char *)data, size };
	struct jmespath_node *expression;
	struct hf_value *v, *found;
	if (hf_json_parse(a, hf_str(searched), "searched", &v, &err) < 0)
		__builtin_trap();
	if (hf_jmespath_compile(a, text, &expression, &err) == 0 &&
		hf_jmespath_search(a, expression, v, &found, &err) == 0)
		(void)hf_value_text(a, found);
	return 0;
}
