/* Whatever a server answers: the XML reader and the reading of error documents stay within their bounds. */
#include <stdint.h>

#include "lib/base/scope.h"
#include "lib/net/aws.h"
#include "lib/net/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_xml *root;
	struct hf_str text = { (const char *)data, size };
	if (hf_xml_parse(a, text, "fuzz", &root, &err) == 0) {
		hf_auto_buf out = hf_buf_init(1 << 20);
		hf_value_print(&out, hf_xml_value(a, root));
	}
	const struct hf_http_response r = {
		.arena = a, .status = 400, .body = text, .method = "GET", .place = "fuzz", .attempts = 1
	};
	struct hf_aws_answer answer;
	hf_aws_error_read(a, &r, &answer);
	if (hf_aws_expect(&answer, &err) < 0 && err.text[0] == '\0')
		__builtin_trap(); /* a refusal always says something */
	return 0;
}
