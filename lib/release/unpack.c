#include "lib/release/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/scope.h"

enum { COPY_SIZE = 65536 };

static void digest_free(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

/* The declared length is enforced while reading: not one byte more is written. */
static int copy_checked(
	const struct hf_file *file, int in, int out, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	HF_CLEANUP(digest_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL has no SHA-256");
	char block[COPY_SIZE] HF_UNINITIALIZED;
	int64_t at = 0;
	for (;;) {
		ssize_t n = read(in, block, sizeof(block));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_fail_errno(err, HF_E_IO, "read the object of %s", file->path);
		if (n == 0)
			break;
		at += n;
		if (at > file->size)
			break;
		if (EVP_DigestUpdate(context, block, (size_t)n) != 1)
			return hf_fail(err, HF_E_INTERNAL, "OpenSSL digest update failed");
		int result = hf_fs_write_all(out, hf_strn(block, (size_t)n), err);
		if (result < 0)
			return hf_wrap(err, "%s", file->path);
	}
	struct hf_digest digest;
	if (at != file->size)
		return hf_refuse(ret_refusal, err, HF_REFUSED_SIZE_MISMATCH,
			"file \"%s\" should have %lld bytes", file->path, (long long)file->size);
	if (EVP_DigestFinal_ex(context, digest.bytes, NULL) != 1)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL digest failed");
	if (!hf_digest_equal(&digest, &file->sha256))
		return hf_refuse(ret_refusal, err, HF_REFUSED_HASH_MISMATCH, "file \"%s\"", file->path);
	return 0;
}

/* Every folder of path below root. The tree is ours and fresh: nothing in it is a link. */
static int make_folders(int root, const char *path, struct hf_error *err)
{
	char folder[HF_PATH_MAX + 1];
	for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
		if (mkdirat(root, folder, 0755) == 0) {
			if (fchmodat(root, folder, 0755, 0) < 0) /* whatever the umask is */
				return hf_fail_errno(err, HF_E_IO, "set mode of folder %s", folder);
		} else if (errno != EEXIST) {
			return hf_fail_errno(err, HF_E_IO, "make folder %s", folder);
		}
	}
	return 0;
}

static int unpack_file(const struct hf_file *file, int root, hf_object_open open_object, void *data,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	/* The manifest was checked when it was parsed; this door checks for itself. */
	int result = hf_file_path_check(hf_str(file->path), ret_refusal, err);
	if (result < 0)
		return result;
	if (file->mode != 0644 && file->mode != 0755)
		return hf_refuse(ret_refusal, err, HF_REFUSED_UNSAFE_MODE, "file \"%s\" has mode %04o",
			file->path, file->mode);
	hf_auto_fd in = -1;
	result = open_object(data, file, &in, err);
	if (result == -HF_E_NOT_FOUND)
		return hf_refuse(ret_refusal, err, HF_REFUSED_MISSING_OBJECT, "file \"%s\"", file->path);
	if (result == 0)
		result = make_folders(root, file->path, err);
	hf_auto_fd out = -1;
	if (result == 0)
		result = hf_fs_open_beneath(
			root, file->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, &out, err);
	if (result == 0)
		result = copy_checked(file, in, out, ret_refusal, err);
	if (result == 0 && fchmod(out, file->mode) < 0)
		return hf_fail_errno(err, HF_E_IO, "set mode of %s", file->path);
	return result;
}

static int unpack_into(const struct hf_manifest *m, const char *folder, hf_object_open open_object,
	void *data, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	if (mkdir(folder, 0755) < 0 || chmod(folder, 0755) < 0)
		return hf_fail_errno(err, HF_E_IO, "make folder %s", folder);
	hf_auto_fd root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (root < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", folder);
	for (size_t i = 0; i < m->n_files; i++) {
		int result = unpack_file(&m->files[i], root, open_object, data, ret_refusal, err);
		if (result < 0)
			return result;
	}
	if (syncfs(root) < 0) /* once for all files: the rename must not come before them */
		return hf_fail_errno(err, HF_E_IO, "sync %s", folder);
	return 0;
}

int hf_unpack(struct hf_arena *a, const struct hf_manifest *m, const struct hf_digest *release,
	const char *releases, hf_object_open open_object, void *data, const char **ret_path,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	char hex[HF_SHA256_HEX];
	hf_digest_hex(release, hex);
	char *target = hf_path_join(a, releases, hex);
	if (hf_fs_is_dir(target)) {
		*ret_path = target;
		return 0;
	}
	char *temp = hf_sprintf(a, "%s/.unpack-%s", releases, hex);
	int result = hf_fs_mkdirs(releases, 0755, err);
	if (result == 0)
		result = hf_fs_remove_tree(temp, err); /* of an attempt that was cut off */
	if (result == 0)
		result = unpack_into(m, temp, open_object, data, ret_refusal, err);
	if (result == 0 && rename(temp, target) < 0)
		result = hf_fail_errno(err, HF_E_IO, "rename to %s", target);
	if (result < 0) {
		struct hf_error
			ignored; /* the first failure is the one to tell; the next attempt clears the rest */
		(void)!hf_fs_remove_tree(temp, &ignored);
		return hf_wrap(err, "unpack release %.12s", hex);
	}
	hf_auto_fd parent = open(releases, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0 || fsync(parent) < 0)
		return hf_fail_errno(err, HF_E_IO, "sync %s", releases);
	*ret_path = target;
	return 0;
}

struct checking {
	const struct hf_manifest *manifest;
	size_t files;
	enum hf_refusal *refusal;
};

static int check_visit(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct checking *c = data;
	if (S_ISDIR(st->st_mode))
		return 0;
	const struct hf_file *file = hf_manifest_find(c->manifest, relative);
	if (file == NULL || !S_ISREG(st->st_mode))
		return hf_refuse(c->refusal, err, HF_REFUSED_HASH_MISMATCH,
			"\"%s\" does not belong to the release", relative);
	if ((st->st_mode & 07777) != file->mode)
		return hf_refuse(c->refusal, err, HF_REFUSED_UNSAFE_MODE, "file \"%s\" has mode %04o",
			relative, (unsigned)(st->st_mode & 07777));
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	struct hf_digest digest;
	uint64_t size = 0;
	int result = hf_sha256_fd(fd, UINT64_MAX, &digest, &size, err);
	if (result < 0)
		return result;
	if (size != (uint64_t)file->size)
		return hf_refuse(c->refusal, err, HF_REFUSED_SIZE_MISMATCH, "file \"%s\"", relative);
	if (!hf_digest_equal(&digest, &file->sha256))
		return hf_refuse(c->refusal, err, HF_REFUSED_HASH_MISMATCH, "file \"%s\"", relative);
	c->files++;
	return 0;
}

int hf_unpack_check(
	const struct hf_manifest *m, const char *folder, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct checking c = { m, 0, ret_refusal };
	int result = hf_fs_walk(folder, check_visit, &c, err);
	if (result < 0)
		return hf_wrap(err, "%s", folder);
	if (c.files != m->n_files)
		return hf_refuse(ret_refusal, err, HF_REFUSED_MISSING_OBJECT, "%s has %zu of %zu files",
			folder, c.files, m->n_files);
	return 0;
}

char *hf_object_cache_path(
	struct hf_arena *a, const struct hf_object_cache *cache, const struct hf_digest *sha256)
{
	char hex[HF_SHA256_HEX];
	hf_digest_hex(sha256, hex);
	return hf_sprintf(a, "%s/%.2s/%s", cache->folder, hex, hex);
}

int hf_object_cache_open(void *data, const struct hf_file *file, int *ret_fd, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	const char *path = hf_object_cache_path(scratch, data, &file->sha256);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return hf_fail_errno(err, errno == ENOENT ? HF_E_NOT_FOUND : HF_E_IO, "open %s", path);
	*ret_fd = fd;
	return 0;
}

int hf_object_cache_missing(struct hf_arena *a, const struct hf_object_cache *cache,
	const struct hf_manifest *m, size_t **ret_index, size_t *ret_n, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_map seen;
	hf_map_init_str(&seen, scratch);
	size_t *index = hf_new_array(a, m->n_files, size_t);
	size_t n = 0;
	for (size_t i = 0; i < m->n_files; i++) {
		char hex[HF_SHA256_HEX];
		hf_digest_hex(&m->files[i].sha256, hex);
		if (hf_map_find(&seen, hex) != NULL)
			continue;
		hf_map_set(&seen, hf_strdup(scratch, hex), index);
		const char *path = hf_object_cache_path(scratch, cache, &m->files[i].sha256);
		struct stat st;
		if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == m->files[i].size)
			continue;
		index[n++] = i;
	}
	*ret_index = index;
	*ret_n = n;
	return 0;
}
