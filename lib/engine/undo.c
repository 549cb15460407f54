/* Describing the way back: files and trees as they are before a change. Steps are plain dicts so that they
 * can be kept: {do: file, path, kind: absent|file|dir|link|fifo|char|block, mode, uid, gid, mtime, nsec,
 * blob, target, rdev, xattrs} {do: tree, path, entries: [file steps, parents first]} {do: module, step: {…}}
 *   {do: impossible, reason} */
#include "lib/engine/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"

enum { NAMES_BYTES_MAX = 65536, XATTR_VALUE_MAX = 65536, TREE_ENTRIES_MAX = 200000, LINK_MAX_BYTES = 4096 };

static void put_text(struct hf_undo *u, struct hf_value *d, const char *key, const char *text)
{
	hf_dict_put(d, key, hf_value_cstr(u->arena, text));
}

static void put_int(struct hf_undo *u, struct hf_value *d, const char *key, int64_t n)
{
	hf_dict_put(d, key, hf_value_int(u->arena, n));
}

static const char *kind_of(mode_t mode)
{
	static const struct {
		mode_t bits;
		const char *name;
	} kinds[] = { { S_IFREG, "file" }, { S_IFDIR, "dir" }, { S_IFLNK, "link" }, { S_IFIFO, "fifo" },
		{ S_IFCHR, "char" }, { S_IFBLK, "block" } };
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		if ((mode & S_IFMT) == kinds[i].bits)
			return kinds[i].name;
	}
	return "socket";
}

static void put_xattrs(struct hf_undo *u, struct hf_value *d, const char *path)
{
	char *names = hf_alloc(u->arena, NAMES_BYTES_MAX);
	ssize_t n = llistxattr(path, names, NAMES_BYTES_MAX);
	if (n <= 0)
		return;
	struct hf_value *all = hf_value_dict(u->arena);
	for (char *name = names; name < names + n; name += strlen(name) + 1) {
		unsigned char *value = hf_alloc(u->arena, XATTR_VALUE_MAX);
		ssize_t size = lgetxattr(path, name, value, XATTR_VALUE_MAX);
		if (size < 0)
			continue;
		char *hex = hf_alloc(u->arena, 2 * (size_t)size + 1);
		hf_hex(value, (size_t)size, hex);
		put_text(u, all, name, hex);
	}
	hf_dict_put(d, "xattrs", all);
}

static int put_content(struct hf_undo *u, struct hf_value *d, const char *path, struct hf_error *err)
{
	if (u->hooks == NULL || u->hooks->save == NULL)
		return 0;
	hf_auto_fd fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	struct hf_digest digest;
	int r = u->hooks->save(u->hooks->data, fd, &digest, err);
	if (r < 0)
		return hf_wrap(err, "save %s", path);
	char hex[HF_SHA256_HEX];
	put_text(u, d, "blob", hf_digest_hex(&digest, hex));
	return 0;
}

static int describe(struct hf_undo *u, const char *path, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *d = hf_value_dict(u->arena);
	struct stat st;
	put_text(u, d, "do", "file");
	put_text(u, d, "path", path);
	*ret = d;
	if (lstat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return hf_fail_errno(err, HF_E_IO, "stat %s", path);
		put_text(u, d, "kind", "absent");
		return 0;
	}
	put_text(u, d, "kind", kind_of(st.st_mode));
	put_int(u, d, "mode", st.st_mode & 07777);
	put_int(u, d, "uid", st.st_uid);
	put_int(u, d, "gid", st.st_gid);
	put_int(u, d, "mtime", st.st_mtim.tv_sec);
	put_int(u, d, "nsec", st.st_mtim.tv_nsec);
	put_xattrs(u, d, path);
	if (S_ISLNK(st.st_mode)) {
		char target[LINK_MAX_BYTES];
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			return hf_fail_errno(err, HF_E_IO, "readlink %s", path);
		hf_dict_put(d, "target", hf_value_str(u->arena, hf_strn(target, (size_t)n)));
	}
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		put_int(u, d, "rdev", (int64_t)st.st_rdev);
	return S_ISREG(st.st_mode) ? put_content(u, d, path, err) : 0;
}

int hf_undo_file(struct hf_undo *u, const char *path, struct hf_error *err)
{
	struct hf_value *d = NULL;
	int r = describe(u, path, &d, err);
	if (r == 0)
		hf_list_append(u->steps, d);
	return r;
}

struct walk {
	struct hf_undo *undo;
	struct hf_value *entries;
};

static int visit(void *data, const char *path, const char *relative HF_UNUSED,
	const struct stat *st HF_UNUSED, struct hf_error *err)
{
	const struct walk *w = data;
	struct hf_value *d = NULL;
	if (hf_list_len(w->entries) >= TREE_ENTRIES_MAX)
		return hf_fail(
			err, HF_E_LIMIT, "%s: more than %d entries to remember", path, TREE_ENTRIES_MAX);
	int r = describe(w->undo, path, &d, err);
	if (r == 0)
		hf_list_append(w->entries, d);
	return r;
}

int hf_undo_tree(struct hf_undo *u, const char *path, struct hf_error *err)
{
	struct stat st;
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return hf_undo_file(u, path, err);
	struct hf_value *d = hf_value_dict(u->arena), *top = NULL;
	struct walk w = { u, hf_value_list(u->arena) };
	int r = describe(u, path, &top, err);
	if (r < 0)
		return r;
	hf_list_append(w.entries, top);
	r = hf_fs_walk(path, visit, &w, err);
	if (r < 0)
		return r;
	put_text(u, d, "do", "tree");
	put_text(u, d, "path", path);
	hf_dict_put(d, "entries", w.entries);
	hf_list_append(u->steps, d);
	return 0;
}

void hf_undo_step(struct hf_undo *u, struct hf_value *step)
{
	struct hf_value *d = hf_value_dict(u->arena);
	put_text(u, d, "do", "module");
	hf_dict_put(d, "step", step);
	hf_list_append(u->steps, d);
}

void hf_undo_impossible(struct hf_undo *u, const char *reason)
{
	struct hf_value *d = hf_value_dict(u->arena);
	put_text(u, d, "do", "impossible");
	put_text(u, d, "reason", reason);
	hf_list_append(u->steps, d);
}
