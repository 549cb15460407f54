/* Any bytes as the payload of a release, as if a thief of a key had signed them: refused, or read, with
 * paths that stay inside a folder, and written back to something that is read the same. */
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
	struct hf_manifest m, again;
	if (hf_manifest_parse(a, hf_strn((const char *)data, size), &m, NULL, &err) < 0)
		return 0;
	for (size_t i = 0; i < m.n_files; i++)
		must(hf_file_path_check(hf_str(m.files[i].path), NULL, &err));
	hf_auto_buf out = hf_buf_init(HF_RELEASE_MAX * 2);
	must(hf_manifest_write(&out, &m, &err));
	must(hf_manifest_parse(a, hf_buf_str(&out), &again, NULL, &err));
	if (again.n_files != m.n_files)
		abort();
	return 0;
}
