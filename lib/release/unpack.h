/* lib/release/unpack.h - verified objects become the folder of a release, whole or not at all.
 * The folder is <releases>/<sha256>; it is built beside under a temporary name and renamed. Objects are
 * copied, and hashed while they are copied: what lands in the folder is what was checked, even if the source
 * changes meanwhile. Fails: HF_E_TRUST with unsafe-path, unsafe-mode, hash-mismatch, size-mismatch,
 * missing-object; HF_E_IO. */
#pragma once
#include "lib/release/document.h"

/* Gives a readable descriptor of the object at offset 0, HF_E_NOT_FOUND when it is not there. Closed by the
 * caller of this function. */
typedef int (*hf_object_open)(void *data, const struct hf_file *file, int *ret_fd, struct hf_error *err);

/* *ret_path: the folder, in the arena. A folder that is there already is kept and not looked at again: it was
 * made by this function. Folders get mode 0755, files those of the manifest, owner the process. */
HF_CHECK int hf_unpack(struct hf_arena *a, const struct hf_manifest *m, const struct hf_digest *release,
	const char *releases, hf_object_open open_object, void *data, const char **ret_path,
	enum hf_refusal *ret_refusal, struct hf_error *err);
/* Compares the folder with the manifest: HF_E_TRUST names the first file that is missing, added or changed.
 */
HF_CHECK int hf_unpack_check(
	const struct hf_manifest *m, const char *folder, enum hf_refusal *ret_refusal, struct hf_error *err);

/* A folder of content-addressed objects on the host: <folder>/<aa>/<sha256>. */
struct hf_object_cache {
	const char *folder;
};
char *hf_object_cache_path(
	struct hf_arena *a, const struct hf_object_cache *cache, const struct hf_digest *sha256);
/* An hf_object_open over a struct hf_object_cache *. */
int hf_object_cache_open(void *data, const struct hf_file *file, int *ret_fd, struct hf_error *err);
/* Indices of files whose object the cache lacks, one per distinct object. */
HF_CHECK int hf_object_cache_missing(struct hf_arena *a, const struct hf_object_cache *cache,
	const struct hf_manifest *m, size_t **ret_index, size_t *ret_n, struct hf_error *err);
