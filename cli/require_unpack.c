/* Archives and folders of others, taken apart with suspicion: what they hold lands below one folder. */
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/require.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/release/document.h"
#include "modules/archive_late.h"

enum { BLOCK = 64 << 10 };

struct unpack {
	struct hf_arena *arena;
	const char *folder;
	size_t files;
	int64_t bytes;
};

/* Relative, without "..": one leading "./" is how tar writes it. NULL: the folder itself. */
static int path_of(struct unpack *u, const char *name, const char **ret, struct hf_error *err)
{
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	struct hf_str path = hf_str(name);
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	*ret = NULL;
	if (path.n == 0 || hf_str_is(path, "."))
		return 0;
	*ret = hf_str_dup(u->arena, path);
	return hf_file_path_check(path, NULL, err);
}

static int content_write(struct unpack *u, struct archive *r, int fd, const char *path, struct hf_error *err)
{
	char block[BLOCK];
	for (la_ssize_t n; (n = archive_read_data(r, block, sizeof(block))) != 0;) {
		if (n < 0)
			return hf_fail(err, HF_E_PARSE, "%s: %s", path, archive_error_string(r));
		u->bytes += n;
		if (u->bytes > HF_RELEASE_SIZE_MAX)
			return hf_fail(
				err, HF_E_LIMIT, "more than %lld bytes", (long long)HF_RELEASE_SIZE_MAX);
		int result = hf_fs_write_all(fd, hf_strn(block, (size_t)n), err);
		if (result < 0)
			return result;
	}
	return 0;
}

/* Parents are real folders: nothing is written through a link that came with the archive. */
static int parent_make(struct unpack *u, const char *path, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str rest = hf_str(hf_path_dir(a, path)), part;
	const char *at = u->folder;
	while (hf_str_split(&rest, '/', &part)) {
		struct stat st;
		if (hf_str_is(part, "."))
			continue;
		at = hf_sprintf(a, "%s/%.*s", at, HF_STR_ARG(part));
		if (lstat(at, &st) < 0 ? mkdir(at, 0755) < 0 : !S_ISDIR(st.st_mode))
			return hf_fail(err, HF_E_ARGUMENT, "%s: its folder is none", path);
	}
	return 0;
}

static int file_unpack(
	struct unpack *u, struct archive *r, struct archive_entry *e, const char *path, struct hf_error *err)
{
	const char *target = hf_path_join(u->arena, u->folder, path);
	mode_t mode = (archive_entry_perm(e) & 0100) != 0 ? 0755 : 0644;
	(void)unlink(target); /* the last of two counts, as in tar */
	hf_auto_fd fd = open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "create %s", target);
	int result = content_write(u, r, fd, path, err);
	if (result == 0 && fchmod(fd, mode) < 0)
		return hf_fail_errno(err, HF_E_IO, "chmod %s", target);
	return result;
}

static int link_make(struct unpack *u, const char *path, const char *to, struct hf_error *err)
{
	const char *target = hf_path_join(u->arena, u->folder, path);
	if (symlink(to, target) < 0)
		return hf_fail_errno(err, HF_E_IO, "link %s", target);
	return 0;
}

static int entry_unpack(struct unpack *u, struct archive *r, struct archive_entry *e, struct hf_error *err)
{
	const char *path = NULL, *name = archive_entry_pathname(e);
	__LA_MODE_T kind = archive_entry_filetype(e);
	if (name == NULL)
		return hf_fail(err, HF_E_PARSE, "an entry without a name");
	int result = path_of(u, name, &path, err);
	if (result < 0 || path == NULL)
		return result;
	if (++u->files > HF_FILES_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d files", HF_FILES_MAX);
	if ((result = parent_make(u, path, err)) < 0)
		return result;
	if (archive_entry_hardlink(e) == NULL && kind == AE_IFREG)
		return file_unpack(u, r, e, path, err);
	if (kind == AE_IFDIR)
		return parent_make(u, hf_sprintf(u->arena, "%s/x", path), err);
	if (kind == AE_IFLNK)
		return link_make(u, path, archive_entry_symlink(e), err);
	return hf_fail(err, HF_E_UNSUPPORTED, "%s: neither a file, a folder nor a symbolic link", path);
}

/* Links must lead to something inside the folder. */
static int link_check(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	const char *root = data;
	size_t n = strlen(root);
	if (!S_ISLNK(st->st_mode))
		return 0;
	hf_auto_free char *real = realpath(path, NULL);
	if (real == NULL || strncmp(real, root, n) != 0 || (real[n] != '/' && real[n] != '\0'))
		return hf_fail(
			err, HF_E_UNSUPPORTED, "%s: a link that leads out of it, or nowhere", relative);
	return 0;
}

static int links_check(const char *folder, struct hf_error *err)
{
	hf_auto_free char *root = realpath(folder, NULL);
	if (root == NULL)
		return hf_fail_errno(err, HF_E_IO, "%s", folder);
	return hf_fs_walk(folder, link_check, root, err);
}

static int all_unpack(struct unpack *u, struct archive *r, const char *archive, struct hf_error *err)
{
	struct archive_entry *e;
	archive_read_support_filter_all(r);
	archive_read_support_format_tar(r);
	if (archive_read_open_filename(r, archive, BLOCK) != ARCHIVE_OK)
		return hf_fail(err, HF_E_PARSE, "no tar archive: %s", archive_error_string(r));
	for (;;) {
		int status = archive_read_next_header(r, &e);
		if (status == ARCHIVE_EOF)
			return 0;
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return hf_fail(err, HF_E_PARSE, "no tar archive: %s", archive_error_string(r));
		int result = entry_unpack(u, r, e, err);
		if (result < 0)
			return result;
	}
}

int require_unpack(const char *archive, const char *folder, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct unpack u = { .arena = a, .folder = folder };
	int result = hf_archive_ready(err);
	if (result == 0)
		result = hf_fs_mkdirs(folder, 0755, err);
	if (result < 0)
		return result;
	struct archive *r = archive_read_new();
	result = all_unpack(&u, r, archive, err);
	archive_read_free(r);
	return result < 0 ? result : links_check(folder, err);
}

/* --- folders --- */

struct copy {
	struct unpack to;
	const char *from;
};

static bool is_git(const char *relative)
{
	for (const char *at = relative; (at = strstr(at, ".git")) != NULL; at++)
		if ((at == relative || at[-1] == '/') && (at[4] == '\0' || at[4] == '/'))
			return true;
	return false;
}

static int copy_entry(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct copy *c = data;
	if (*relative == '\0' || is_git(relative))
		return 0;
	int result = hf_file_path_check(hf_str(relative), NULL, err);
	if (result == 0)
		result = parent_make(&c->to, relative, err);
	if (result < 0)
		return result;
	const char *target = hf_path_join(c->to.arena, c->to.folder, relative);
	if (S_ISDIR(st->st_mode))
		return hf_fs_mkdirs(target, 0755, err);
	if (S_ISLNK(st->st_mode)) {
		char to[4096] = "";
		if (readlink(path, to, sizeof(to) - 1) < 0)
			return hf_fail_errno(err, HF_E_IO, "%s", path);
		return link_make(&c->to, relative, to, err);
	}
	if (!S_ISREG(st->st_mode))
		return hf_fail(err, HF_E_UNSUPPORTED, "%s: neither a file, a folder nor a link", relative);
	hf_auto_arena scratch = hf_arena_new();
	struct hf_str bytes;
	result = hf_fs_read(scratch, path, (size_t)HF_FILE_SIZE_MAX, &bytes, err);
	c->to.bytes += result == 0 ? (int64_t)bytes.n : 0;
	if (c->to.bytes > HF_RELEASE_SIZE_MAX || ++c->to.files > HF_FILES_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: larger than a release may be", c->from);
	struct hf_fs_attr attr = { (st->st_mode & 0100) != 0 ? 0755 : 0644, HF_KEEP_UID, HF_KEEP_GID, false };
	return result < 0 ? result : hf_fs_replace(target, bytes, attr, err);
}

int require_copy(struct hf_arena *a, const char *from, const char *to, struct hf_error *err)
{
	struct copy c = { .from = from };
	c.to = (struct unpack){ .arena = a, .folder = to };
	int result = hf_fs_mkdirs(to, 0755, err);
	if (result == 0)
		result = hf_fs_walk(from, copy_entry, &c, err);
	return result < 0 ? result : links_check(to, err);
}

/* --- one hash --- */

struct lines {
	HF_VEC(const char *) at;
	struct hf_arena *arena;
};

static int line_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int line_add(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct lines *l = data;
	char to[4096] = "", hex[HF_SHA256_HEX];
	if (S_ISDIR(st->st_mode))
		return 0;
	if (S_ISLNK(st->st_mode)) {
		if (readlink(path, to, sizeof(to) - 1) < 0)
			return hf_fail_errno(err, HF_E_IO, "%s", path);
		*hf_vec_push(l->arena, &l->at) = hf_sprintf(l->arena, "%s link %s\n", relative, to);
		return 0;
	}
	struct hf_digest digest;
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	int result = hf_sha256_fd(fd, (uint64_t)HF_FILE_SIZE_MAX, &digest, NULL, err);
	if (result == 0)
		*hf_vec_push(l->arena, &l->at) = hf_sprintf(l->arena, "%s %s %s\n", relative,
			(st->st_mode & 0100) != 0 ? "0755" : "0644", hf_digest_hex(&digest, hex));
	return result;
}

int require_tree_hash(struct hf_arena *a, const char *folder, const char **ret, struct hf_error *err)
{
	enum { LINES_MAX = 256 << 20 };
	struct lines l = { .arena = a };
	hf_auto_buf all = hf_buf_init(LINES_MAX);
	char hex[HF_SHA256_HEX];
	int result = hf_fs_walk(folder, line_add, &l, err);
	if (result < 0)
		return result;
	if (l.at.n == 0)
		return hf_fail(err, HF_E_ARGUMENT, "there is nothing in it");
	qsort(l.at.at, l.at.n, sizeof(*l.at.at), line_compare);
	for (size_t i = 0; i < l.at.n; i++)
		hf_buf_puts(&all, l.at.at[i]);
	struct hf_digest digest = hf_sha256(hf_buf_str(&all));
	*ret = hf_strdup(a, hf_digest_hex(&digest, hex));
	return hf_buf_check(&all, folder, err);
}
