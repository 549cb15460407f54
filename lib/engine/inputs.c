#include "lib/engine/inputs.h"

#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/state.h"

static void digest_add(struct hf_inputs *inputs, const char *hex)
{
	struct hf_arena *a = inputs->digests->u.list->arena;
	hf_list_append(inputs->digests, hf_value_cstr(a, hex));
}

void hf_input_text(struct hf_inputs *inputs, struct hf_str text)
{
	char hex[HF_SHA256_HEX];
	struct hf_digest d = hf_sha256(text);
	digest_add(inputs, hf_digest_hex(&d, hex));
}

/* Name, mode and content: a folder's files are copied with all three. The sum does not depend on the order in
 * which the folder is read. */
static int tree_visit(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	unsigned char *sum = data;
	char content[HF_DIGEST_HEX_MAX] = "", row[2 * HF_DIGEST_HEX_MAX];
	if (S_ISREG(st->st_mode)) {
		int result = hf_hash_file_hex("sha256", path, content, err);
		if (result < 0)
			return result;
	}
	struct hf_digest name = hf_sha256(hf_str(relative));
	int n = snprintf(row, sizeof(row), "%o %s ", st->st_mode, content);
	struct hf_digest both = hf_hmac_sha256(
		hf_strn((const char *)name.bytes, sizeof(name.bytes)), hf_strn(row, (size_t)n));
	for (size_t i = 0; i < HF_SHA256_SIZE; i++)
		sum[i] ^= both.bytes[i];
	return 0;
}

void hf_input_source(struct hf_module_context *c, struct hf_inputs *inputs, const char *sub, const char *name)
{
	char *path, hex[HF_DIGEST_HEX_MAX];
	struct hf_error ignored; /* what cannot be read is check's to report */
	if (hf_task_find(c, sub, name, &path, &ignored) < 0)
		return;
	if (!hf_fs_is_dir(path)) {
		if (hf_hash_file_hex("sha256", path, hex, &ignored) == 0)
			digest_add(inputs, hex);
		return;
	}
	struct hf_digest sum = { 0 };
	if (hf_fs_walk(path, tree_visit, sum.bytes, &ignored) == 0)
		digest_add(inputs, hf_digest_hex(&sum, hex));
}
