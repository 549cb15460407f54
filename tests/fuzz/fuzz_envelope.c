/* Any bytes as an envelope of any kind: what the scanner takes, it writes back to the same bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/release/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_str bytes = hf_strn((const char *)data, size);
	for (unsigned kind = 0; kind < HF_DOC_KINDS; kind++) {
		hf_auto_arena a = hf_arena_new();
		struct hf_error err;
		struct hf_envelope *e = hf_new(a, struct hf_envelope);
		if (hf_envelope_scan(a, bytes, (enum hf_document)kind, e, NULL, &err) < 0)
			continue;
		hf_auto_buf again = hf_buf_init(size + 1);
		hf_envelope_write(&again, e);
		if (!hf_str_equal(hf_buf_str(&again), bytes))
			abort();
	}
	return 0;
}
