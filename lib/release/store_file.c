/* The store in a directory. An etag is the SHA-256 of the content; conditional writes hold a lock on .lock in
 * the root, and every write is a rename, so readers never see half a value. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/base/vec.h"
#include "lib/release/store.h"

enum { COPY_SIZE = 65536, LOCK_PAUSE_MS = 20 };

struct file_store {
	struct hf_store base;
	const char *root;
	int root_fd; /* -1 until the root exists */
};

static struct file_store *file_store(struct hf_store *store)
{
	return (struct file_store *)store;
}

static int file_open(struct hf_arena *a, const char *url, const struct hf_store_options *options,
	struct hf_store **ret, struct hf_error *err)
{
	const char *path = url + strlen("file://");
	if (*path != '/')
		return hf_fail(
			err, HF_E_ARGUMENT, "store \"%s\": the path after file:// starts with a slash", url);
	struct file_store *s = hf_new(a, struct file_store);
	s->root = hf_path_normalize(a, path);
	s->root_fd = -1;
	*ret = &s->base;
	return 0;
}

static void file_close(struct hf_store *store)
{
	hf_close_fd(&file_store(store)->root_fd);
}

static int root_open(struct file_store *s, bool create, struct hf_error *err)
{
	if (s->root_fd >= 0)
		return 0;
	if (create && hf_fs_mkdirs(s->root, 0755, err) < 0)
		return hf_wrap(err, "store %s", s->base.url);
	s->root_fd = open(s->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0)
		return hf_fail_errno(
			err, errno == ENOENT ? HF_E_NOT_FOUND : HF_E_IO, "store %s", s->base.url);
	return 0;
}

static int value_open(
	struct file_store *s, const char *key, int *ret_fd, struct stat *ret_st, struct hf_error *err)
{
	int result = root_open(s, false, err);
	if (result < 0)
		return result;
	hf_auto_fd fd = -1;
	result = hf_fs_open_beneath(
		s->root_fd, key, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, &fd, err);
	if (result == -HF_E_NOT_FOUND)
		return hf_fail(err, HF_E_NOT_FOUND, "no \"%s\" in %s", key, s->base.url);
	if (result < 0)
		return hf_wrap(err, "store %s", s->base.url);
	if (fstat(fd, ret_st) < 0 || !S_ISREG(ret_st->st_mode))
		return hf_fail(err, HF_E_IO, "store %s: \"%s\" is not a plain file", s->base.url, key);
	*ret_fd = hf_take_fd(&fd);
	return 0;
}

static void digest_free(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

/* From in (read with pread from 0) to out and/or buf, hashing on the way. Stops with HF_E_LIMIT past max. */
struct copy {
	int in, out;
	struct hf_buf *buf;
	uint64_t max;
};
static int copy_hashed(
	const struct copy *c, struct hf_digest *ret_digest, uint64_t *ret_size, struct hf_error *err)
{
	HF_CLEANUP(digest_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL has no SHA-256");
	char block[COPY_SIZE];
	uint64_t at = 0;
	for (;;) {
		ssize_t n = pread(c->in, block, sizeof(block), (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_fail_errno(err, HF_E_IO, "read");
		if (n == 0)
			break;
		if ((uint64_t)n > c->max - at)
			return hf_fail(err, HF_E_LIMIT, "more than %llu bytes", (unsigned long long)c->max);
		at += (uint64_t)n;
		if (EVP_DigestUpdate(context, block, (size_t)n) != 1)
			return hf_fail(err, HF_E_INTERNAL, "OpenSSL digest update failed");
		int result = c->out < 0 ? 0 : hf_fs_write_all(c->out, hf_strn(block, (size_t)n), err);
		if (result < 0)
			return result;
		if (c->buf != NULL)
			hf_buf_append(c->buf, block, (size_t)n);
	}
	if (EVP_DigestFinal_ex(context, ret_digest->bytes, NULL) != 1)
		return hf_fail(err, HF_E_INTERNAL, "OpenSSL digest failed");
	*ret_size = at;
	return c->buf == NULL ? 0 : hf_buf_check(c->buf, "the value", err);
}

static void etag_set(const struct hf_digest *d, struct hf_etag *ret)
{
	ret->text[0] = '"';
	hf_digest_hex(d, ret->text + 1);
	ret->text[HF_SHA256_HEX] = '"';
	ret->text[HF_SHA256_HEX + 1] = '\0';
}

/* The etag of what is there now; HF_E_NOT_FOUND when nothing is. */
static int etag_now(struct file_store *s, const char *key, struct hf_etag *ret, struct hf_error *err)
{
	hf_auto_fd fd = -1;
	struct stat st;
	struct hf_digest d;
	uint64_t size = 0;
	int result = value_open(s, key, &fd, &st, err);
	if (result == 0)
		result = copy_hashed(&(struct copy){ fd, -1, NULL, UINT64_MAX }, &d, &size, err);
	if (result == 0)
		etag_set(&d, ret);
	return result;
}

static int get_one(struct file_store *s, struct hf_store_get *item, struct hf_error *err)
{
	hf_auto_fd fd = -1;
	struct stat st;
	struct hf_digest d;
	int result = value_open(s, item->key, &fd, &st, err);
	if (result < 0)
		return result;
	if (item->if_none_match != NULL) {
		result = copy_hashed(&(struct copy){ fd, -1, NULL, UINT64_MAX }, &d, &item->size, err);
		if (result < 0)
			return hf_wrap(err, "%s", item->key);
		etag_set(&d, &item->etag);
		item->not_modified = strcmp(item->etag.text, item->if_none_match) == 0;
		if (item->not_modified) {
			item->size = 0;
			return 0;
		}
	}
	if ((uint64_t)st.st_size > item->max)
		return hf_fail(err, HF_E_LIMIT, "%s: %llu bytes where at most %llu are allowed", item->key,
			(unsigned long long)st.st_size, (unsigned long long)item->max);
	struct copy c = { fd, item->out == NULL ? item->fd : -1, item->out, item->max };
	result = copy_hashed(&c, &d, &item->size, err);
	if (result < 0)
		return hf_wrap(err, "%s", item->key);
	etag_set(&d, &item->etag);
	return 0;
}

static int progress_tell(const struct file_store *s, size_t items, uint64_t bytes, struct hf_error *err)
{
	const struct hf_store_options *o = &s->base.options;
	if (o->progress == NULL || o->progress(o->data, items, bytes) >= 0)
		return 0;
	return hf_fail(err, HF_E_CANCELLED, "stopped on request");
}

static int file_get(struct hf_store *store, struct hf_store_get *items, size_t n, struct hf_error *err)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < n; i++) {
		items[i].not_modified = false;
		items[i].result = get_one(file_store(store), &items[i], err);
		if (items[i].result < 0)
			return items[i].result;
		bytes += items[i].size;
		int result = progress_tell(file_store(store), i + 1, bytes, err);
		if (result < 0)
			return result;
	}
	return 0;
}

static int lock_take(struct file_store *s, int *ret_fd, struct hf_error *err)
{
	hf_auto_fd fd = openat(s->root_fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "store %s: open its lock", s->base.url);
	uint64_t until = hf_time_monotonic_ms() + s->base.options.timeout_ms;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return hf_fail_errno(err, HF_E_IO, "store %s: take its lock", s->base.url);
		if (hf_time_monotonic_ms() >= until)
			return hf_fail(
				err, HF_E_BUSY, "store %s: its lock is held by another program", s->base.url);
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_MS * 1000000L }, NULL);
	}
	*ret_fd = hf_take_fd(&fd);
	return 0;
}

static int condition_check(struct file_store *s, const struct hf_store_put *item, struct hf_error *err)
{
	struct hf_etag now;
	int result = etag_now(s, item->key, &now, err);
	if (result < 0 && result != -HF_E_NOT_FOUND)
		return result;
	if (item->when == HF_PUT_CREATE && result == 0)
		return hf_fail(err, HF_E_CONFLICT, "\"%s\" exists already in %s", item->key, s->base.url);
	if (item->when == HF_PUT_MATCH && (result != 0 || strcmp(now.text, item->etag) != 0))
		return hf_fail(err, HF_E_CONFLICT, "\"%s\" in %s was changed by somebody else", item->key,
			s->base.url);
	return 0;
}

static int put_file(struct hf_store_put *item, int out, struct hf_digest *ret, struct hf_error *err)
{
	hf_auto_fd opened = -1;
	if (item->fd < 0 && (opened = open(item->path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", item->path);
	uint64_t size = 0;
	struct copy c = { item->fd < 0 ? opened : item->fd, out, NULL, item->size };
	int result = copy_hashed(&c, ret, &size, err);
	if (result < 0)
		return result;
	if (size != item->size)
		return hf_fail(err, HF_E_CONFLICT, "it has %llu bytes now where %llu were announced",
			(unsigned long long)size, (unsigned long long)item->size);
	return 0;
}

static int put_content(struct hf_store_put *item, int out, struct hf_error *err)
{
	struct hf_digest d = { 0 };
	int result = 0;
	if (item->data.p != NULL) {
		d = hf_sha256(item->data);
		result = hf_fs_write_all(out, item->data, err);
	} else {
		result = put_file(item, out, &d, err);
	}
	if (result == 0 && item->sha256 != NULL && !hf_digest_equal(&d, item->sha256))
		return hf_fail(err, HF_E_CONFLICT, "its content changed meanwhile");
	etag_set(&d, &item->new_etag);
	return result;
}

static int put_one(struct file_store *s, struct hf_store_put *item, bool sync, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	char *target = hf_path_join(scratch, s->root, item->key);
	if (hf_fs_mkdirs(hf_path_dir(scratch, target), 0755, err) < 0)
		return hf_wrap(err, "store %s", s->base.url);
	hf_auto_fd lock = -1;
	int result = item->when == HF_PUT_ALWAYS ? 0 : lock_take(s, &lock, err);
	if (result == 0 && item->when != HF_PUT_ALWAYS)
		result = condition_check(s, item, err);
	if (result < 0)
		return result;
	struct hf_fs_temp temp;
	result = hf_fs_temp_open(scratch, target, &temp, err);
	if (result < 0)
		return result;
	if (put_content(item, temp.fd, err) < 0) {
		hf_fs_temp_discard(&temp);
		return hf_wrap(err, "put %s", item->key);
	}
	struct hf_fs_attr attr = { 0644, HF_KEEP_UID, HF_KEEP_GID, sync };
	return hf_fs_temp_commit(&temp, attr, err);
}

static int file_put(struct hf_store *store, struct hf_store_put *items, size_t n, struct hf_error *err)
{
	struct file_store *s = file_store(store);
	int result = root_open(s, true, err);
	uint64_t bytes = 0;
	for (size_t i = 0; result == 0 && i < n; i++) {
		result = items[i].result = put_one(s, &items[i], n == 1, err);
		bytes += items[i].data.p != NULL ? items[i].data.n : items[i].size;
		if (result == 0)
			result = progress_tell(s, i + 1, bytes, err);
	}
	/* One flush for many values: what is written after this batch may rely on it. */
	if (result == 0 && n > 1 && syncfs(s->root_fd) < 0)
		return hf_fail_errno(err, HF_E_IO, "sync %s", s->root);
	return result;
}

static int file_head(struct hf_store *store, struct hf_store_head *items, size_t n, struct hf_error *err)
{
	for (size_t i = 0; i < n; i++) {
		hf_auto_fd fd = -1;
		struct stat st;
		int result = value_open(file_store(store), items[i].key, &fd, &st, err);
		if (result < 0 && result != -HF_E_NOT_FOUND)
			return items[i].result = result;
		items[i].result = 0;
		items[i].exists = result == 0;
		items[i].size = result == 0 ? (uint64_t)st.st_size : 0;
	}
	return 0;
}

struct listing {
	struct hf_arena *arena;
	const char *dir, *prefix;
	struct hf_store_entries entries;
};

static int list_visit(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct listing *l = data;
	if (!S_ISREG(st->st_mode))
		return 0;
	char *key = hf_path_join(l->arena, l->dir, relative);
	if (!hf_store_key_valid(key) || !hf_str_starts(hf_str(key), l->prefix))
		return 0;
	if (l->entries.n >= HF_STORE_LIST_MAX)
		return hf_fail(
			err, HF_E_LIMIT, "more than %d keys start with \"%s\"", HF_STORE_LIST_MAX, l->prefix);
	l->entries.at =
		hf_vec_grow(l->arena, l->entries.at, &l->entries.n, &l->entries.room, sizeof(*l->entries.at));
	l->entries.at[l->entries.n - 1] =
		(struct hf_store_entry){ key, (uint64_t)st->st_size, (int64_t)st->st_mtim.tv_sec };
	return 0;
}

static int entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct hf_store_entry *)a)->key, ((const struct hf_store_entry *)b)->key);
}

static int file_list(struct hf_arena *a, struct hf_store *store, const char *prefix,
	struct hf_store_entries *ret, struct hf_error *err)
{
	struct file_store *s = file_store(store);
	const char *slash = strrchr(prefix, '/');
	char *dir = hf_strndup(a, prefix, slash == NULL ? 0 : (size_t)(slash - prefix));
	struct listing l = { .arena = a, .dir = dir, .prefix = prefix };
	char *path = hf_path_join(a, s->root, dir);
	if (hf_fs_exists(path) && hf_fs_walk(path, list_visit, &l, err) < 0)
		return hf_wrap(err, "list %s", store->url);
	if (l.entries.n > 0)
		qsort(l.entries.at, l.entries.n, sizeof(*l.entries.at), entry_compare);
	*ret = l.entries;
	return 0;
}

static int file_remove(struct hf_store *store, const char *key, struct hf_error *err)
{
	struct file_store *s = file_store(store);
	hf_auto_arena scratch = hf_arena_new();
	int result = root_open(s, false, err);
	if (result < 0)
		return result == -HF_E_NOT_FOUND ? 0 : result;
	hf_auto_fd dir = -1;
	const char *parent = hf_path_dir(scratch, key);
	result = hf_fs_open_beneath(
		s->root_fd, *parent == '\0' ? "." : parent, O_RDONLY | O_DIRECTORY, 0, &dir, err);
	if (result < 0)
		return result == -HF_E_NOT_FOUND ? 0 : result;
	if (unlinkat(dir, hf_path_base(key), 0) < 0 && errno != ENOENT)
		return hf_fail_errno(err, HF_E_IO, "remove \"%s\" from %s", key, store->url);
	return 0;
}

const struct hf_store_kind hf_store_file = {
	.scheme = "file",
	.open = file_open,
	.close = file_close,
	.get = file_get,
	.put = file_put,
	.head = file_head,
	.list = file_list,
	.remove = file_remove,
};
