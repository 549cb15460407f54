/* Any bytes as the payload of a root, as if a thief of a key had signed them: refused, or read and written
 * back to something that is read the same. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_root r, again;
	if (hf_root_parse(a, hf_strn((const char *)data, size), &r, NULL, &err) < 0)
		return 0;
	hf_auto_buf out = hf_buf_init(HF_ROOT_MAX * 8);
	must(hf_root_write(&out, &r, &err));
	must(hf_root_parse(a, hf_buf_str(&out), &again, NULL, &err));
	if (again.n_keys != r.n_keys || again.root.threshold != r.root.threshold ||
		again.n_revoked != r.n_revoked)
		abort();
	return 0;
}
