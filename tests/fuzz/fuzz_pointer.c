/* Any bytes as the payload of a pointer or a log entry, as if a thief of a key had signed them: refused, or
 * read and written back to something that is read the same. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/release/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int result)
{
	if (result < 0)
		abort();
}

static void pointer(struct hf_arena *a, struct hf_str payload, struct hf_error *err)
{
	struct hf_pointer p, again;
	if (hf_pointer_parse(a, payload, &p, NULL, err) < 0)
		return;
	hf_auto_buf out = hf_buf_init(HF_POINTER_MAX * 8);
	must(hf_pointer_write(&out, &p, err));
	must(hf_pointer_parse(a, hf_buf_str(&out), &again, NULL, err));
	if (again.seq != p.seq || again.kind != p.kind || !hf_digest_equal(&again.release, &p.release))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_log_entry entry;
	struct hf_str payload = hf_strn((const char *)data, size);
	pointer(a, payload, &err);
	(void)!hf_log_entry_parse(a, payload, &entry, NULL, &err);
	return 0;
}
