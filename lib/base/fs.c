#include "lib/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/scope.h"

enum { READ_STEP = 65536, TEMP_TRIES = 100, XATTR_BYTES_MAX = 65536 };

static int sys_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return renameat(from_dir, from, to_dir, to);
}

unsigned hf_fs_replaced;
struct hf_sys hf_sys = { write, fsync, sys_renameat, fchmod, fchown };

static ssize_t read_again(int fd, void *p, size_t n)
{
	ssize_t got;
	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Exact for regular files; others grow and waste at most as much again. */
static size_t first_size(int fd, size_t max, bool *ret_exact)
{
	struct stat st;
	size_t size = READ_STEP;
	bool known = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
	if (known)
		size = (size_t)st.st_size;
	*ret_exact = known && size <= max;
	return size > max ? max : size;
}

int hf_fs_read_fd(struct hf_arena *a, int fd, size_t max, struct hf_str *ret, struct hf_error *err)
{
	bool exact;
	size_t size = first_size(fd, max, &exact), n = 0;
	size_t room =
		size + 1; /* one byte more than there should be: a file that does not give it has ended */
	char *p = hf_alloc(a, room);
	for (;;) {
		ssize_t got = read_again(fd, p + n, room - n);
		if (got < 0)
			return hf_fail_errno(err, HF_E_IO, "read");
		n += (size_t)got;
		if (n > max)
			return hf_fail(err, HF_E_LIMIT, "more than %zu bytes", max);
		if (got == 0 || (exact && n == size))
			break;
		if (n < room)
			continue;
		room = room * 2 + READ_STEP;
		if (room - 1 > max)
			room = max + 1;
		char *wider = hf_alloc(a, room);
		memcpy(wider, p, n);
		p = wider;
	}
	p[n] = '\0';
	*ret = (struct hf_str){ p, n };
	return 0;
}

int hf_fs_read(struct hf_arena *a, const char *path, size_t max, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return hf_fail_errno(err, errno == ENOENT ? HF_E_NOT_FOUND : HF_E_IO, "open %s", path);
	if (hf_fs_read_fd(a, fd, max, ret, err) < 0)
		return hf_wrap(err, "%s", path);
	return 0;
}

int hf_fs_write_all(int fd, struct hf_str data, struct hf_error *err)
{
	while (data.n > 0) {
		ssize_t n = hf_sys.write(fd, data.p, data.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_fail_errno(err, HF_E_IO, "write");
		data.p += n;
		data.n -= (size_t)n;
	}
	return 0;
}

int hf_fs_temp_open(struct hf_arena *a, const char *target, struct hf_fs_temp *ret, struct hf_error *err)
{
	const char *base = hf_path_base(target);
	size_t dir = (size_t)(base - target);
	for (int i = 0; i < TEMP_TRIES; i++) {
		uint32_t random =
			hf_hash_bytes(&i, sizeof(i)) ^ (uint32_t)getpid() ^ (uint32_t)(i * 2654435761u);
		char *path = hf_sprintf(a, "%.*s.hf-%08x.%.32s.tmp", (int)dir, target, random, base);
		int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd >= 0) {
			*ret = (struct hf_fs_temp){ fd, path, hf_strdup(a, target) };
			return 0;
		}
		if (errno != EEXIST)
			return hf_fail_errno(err, HF_E_IO, "create a temporary file beside %s", target);
	}
	return hf_fail(err, HF_E_LIMIT, "no free temporary name beside %s", target);
}

void hf_fs_temp_discard(struct hf_fs_temp *t)
{
	if (t->fd >= 0) {
		unlink(t->path);
		close(t->fd);
		t->fd = -1;
	}
}

/* Copy extended attributes (ACLs, SELinux labels, capabilities of scripts, user.*). Those the new file system
 * or an unprivileged caller may not set are left out: they describe the old inode, not what was asked for. */
static void copy_xattrs(const char *from, int to_fd)
{
	char names[XATTR_BYTES_MAX], value[XATTR_BYTES_MAX];
	ssize_t total = llistxattr(from, names, sizeof(names));
	for (ssize_t at = 0; at < total; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t n = lgetxattr(from, names + at, value, sizeof(value));
		if (n >= 0)
			(void)!fsetxattr(to_fd, names + at, value, (size_t)n, 0);
	}
}

static int sync_dir_of(const char *path, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	const char *dir = hf_path_dir(scratch, path);
	hf_auto_fd fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || hf_sys.fsync(fd) < 0)
		return hf_fail_errno(err, HF_E_IO, "sync directory %s", dir);
	return 0;
}

static mode_t default_mode(void)
{
	mode_t mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

/* Fill the KEEP fields from the file that is replaced (old, NULL when there is none). */
static struct hf_fs_attr wanted_attributes(struct hf_fs_attr attr, const struct stat *old)
{
	if (attr.mode == HF_KEEP_MODE)
		attr.mode = old != NULL ? old->st_mode & 07777 : default_mode();
	if (attr.uid == HF_KEEP_UID && old != NULL)
		attr.uid = old->st_uid;
	if (attr.gid == HF_KEEP_GID && old != NULL)
		attr.gid = old->st_gid;
	return attr;
}

static int temp_attributes(struct hf_fs_temp *t, struct hf_fs_attr attr, struct hf_error *err)
{
	struct stat old, now;
	bool replaces = lstat(t->target, &old) == 0 && S_ISREG(old.st_mode);
	attr = wanted_attributes(attr, replaces ? &old : NULL);
	if (fstat(t->fd, &now) < 0)
		return hf_fail_errno(err, HF_E_IO, "stat %s", t->path);
	bool owner_differs = (attr.uid != HF_KEEP_UID && attr.uid != now.st_uid) ||
			     (attr.gid != HF_KEEP_GID && attr.gid != now.st_gid);
	if (owner_differs && hf_sys.fchown(t->fd, attr.uid, attr.gid) < 0)
		return hf_fail_errno(err, HF_E_IO, "set owner of %s", t->target);
	if (replaces)
		copy_xattrs(t->target, t->fd);
	if (hf_sys.fchmod(t->fd, attr.mode) < 0) /* after chown, which clears setuid bits, and after ACLs */
		return hf_fail_errno(err, HF_E_IO, "set mode of %s", t->target);
	return 0;
}

int hf_fs_temp_commit(struct hf_fs_temp *t, struct hf_fs_attr attr, struct hf_error *err)
{
	int result = temp_attributes(t, attr, err);
	if (result == 0 && attr.sync && hf_sys.fsync(t->fd) < 0)
		result = hf_fail_errno(err, HF_E_IO, "sync %s", t->path);
	hf_fs_replaced++;
	if (result == 0 && hf_sys.renameat(AT_FDCWD, t->path, AT_FDCWD, t->target) < 0)
		result = hf_fail_errno(err, HF_E_IO, "rename to %s", t->target);
	if (result < 0) {
		hf_fs_temp_discard(t);
		return result;
	}
	close(t->fd);
	t->fd = -1;
	return attr.sync ? sync_dir_of(t->target, err) : 0;
}

int hf_fs_replace(const char *path, struct hf_str data, struct hf_fs_attr attr, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct hf_fs_temp t;
	int result = hf_fs_temp_open(scratch, path, &t, err);
	if (result < 0)
		return result;
	if (hf_fs_write_all(t.fd, data, err) < 0) {
		hf_fs_temp_discard(&t);
		return hf_wrap(err, "%s", path);
	}
	return hf_fs_temp_commit(&t, attr, err);
}

/* For kernels without openat2: one component at a time, no links, no "..". */
static int open_walk(int dir_fd, const char *path, int flags, mode_t mode)
{
	hf_auto_fd at = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	while (at >= 0) {
		size_t n = strcspn(path, "/");
		char name[256];
		if (n == 0 || n >= sizeof(name) || (n == 2 && memcmp(path, "..", 2) == 0)) {
			errno = EXDEV;
			return -1;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		path += n + strspn(path + n, "/");
		if (*path == '\0')
			return openat(at, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
		int next = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close(at);
		at = next;
	}
	return -1;
}

int hf_fs_open_beneath(
	int dir_fd, const char *path, int flags, mode_t mode, int *ret_fd, struct hf_error *err)
{
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC,
		.mode = (flags & O_CREAT) ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open_walk(dir_fd, path, flags, mode);
	if (fd < 0)
		return hf_fail_errno(err, errno == ENOENT ? HF_E_NOT_FOUND : HF_E_IO, "open %s", path);
	*ret_fd = fd;
	return 0;
}

int hf_fs_mkdirs(const char *path, mode_t mode, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	char *copy = hf_strdup(scratch, path);
	for (char *p = copy + 1; *copy != '\0'; p++) {
		if (*p != '/' && *p != '\0')
			continue;
		char saved = *p;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && (errno != EEXIST || !hf_fs_is_dir(copy)))
			return hf_fail_errno(err, HF_E_IO, "make directory %s", copy);
		*p = saved;
		if (saved == '\0')
			break;
	}
	return 0;
}

static int remove_below(int dir_fd, const char *name, int depth)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (depth >= HF_FS_DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	hf_auto_dir dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return -1;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (remove_below(dirfd(dir), e->d_name, depth + 1) < 0)
			return -1;
	}
	return unlinkat(dir_fd, name, AT_REMOVEDIR);
}

int hf_fs_remove_tree(const char *path, struct hf_error *err)
{
	if (remove_below(AT_FDCWD, path, 0) < 0)
		return hf_fail_errno(err, HF_E_IO, "remove %s", path);
	return 0;
}

static int walk_below(struct hf_arena *a, const char *path, const char *relative, int depth,
	hf_fs_visit visit, void *data, struct hf_error *err)
{
	if (depth >= HF_FS_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: more than %d directory levels", path, HF_FS_DEPTH_MAX);
	hf_auto_dir dir = opendir(path);
	if (dir == NULL)
		return hf_fail_errno(err, HF_E_IO, "open directory %s", path);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		struct hf_arena_mark mark = hf_arena_mark(a);
		char *child = hf_path_join(a, path, e->d_name);
		char *below =
			*relative == '\0' ? hf_strdup(a, e->d_name) : hf_path_join(a, relative, e->d_name);
		struct stat st;
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			return hf_fail_errno(err, HF_E_IO, "stat %s", child);
		}
		int result = visit(data, child, below, &st, err);
		if (result == 0 && S_ISDIR(st.st_mode))
			result = walk_below(a, child, below, depth + 1, visit, data, err);
		if (result < 0)
			return result;
		hf_arena_reset(a, mark);
	}
	return 0;
}

int hf_fs_walk(const char *path, hf_fs_visit visit, void *data, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	return walk_below(scratch, path, "", 0, visit, data, err);
}

bool hf_fs_exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

bool hf_fs_is_dir(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}
