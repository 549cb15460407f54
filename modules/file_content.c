#include "modules/file_content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/file_mode.h"
#include "modules/cmdline.h"

/* SMALL: most managed files fit, and a large block on the stack costs more to clear than to read. */
enum { SMALL = 1 << 12, BLOCK = 1 << 16, SEND_MAX = 1 << 30 };

/* Fills buffer as far as the file goes; <0 on failure. */
static ssize_t block_read(int fd, char *buffer, size_t size)
{
	size_t n = 0;
	while (n < size) {
		ssize_t got = read(fd, buffer + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

static int open_regular(const char *path, struct stat *st)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, st) < 0 || !S_ISREG(st->st_mode))
		return -1;
	return hf_take_fd(&fd);
}

bool hf_file_content_same(const char *path, const struct stat *seen, struct hf_str data)
{
	struct stat st;
	char block[SMALL] HF_UNINITIALIZED;
	if (seen == NULL && stat(path, &st) < 0)
		return false;
	if (seen == NULL)
		seen = &st;
	if (!S_ISREG(seen->st_mode) || (size_t)seen->st_size != data.n)
		return false;
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	for (size_t at = 0; fd >= 0 && at < data.n;) {
		size_t left = data.n - at;
		ssize_t n = block_read(fd, block, left < sizeof(block) ? left : sizeof(block));
		if (n <= 0 || (size_t)n > data.n - at || memcmp(block, data.p + at, (size_t)n) != 0)
			return false;
		at += (size_t)n;
	}
	return fd >= 0;
}

bool hf_file_content_same_file(const char *path, const char *source)
{
	struct stat a, b;
	char left[BLOCK], right[BLOCK];
	hf_auto_fd mine = open_regular(path, &a);
	hf_auto_fd other = open_regular(source, &b);
	if (mine < 0 || other < 0 || a.st_size != b.st_size)
		return false;
	if (a.st_ino == b.st_ino && a.st_dev == b.st_dev)
		return true;
	for (off_t at = 0; at < a.st_size; at += BLOCK) {
		ssize_t n = block_read(mine, left, BLOCK), m = block_read(other, right, BLOCK);
		if (n <= 0 || n != m || memcmp(left, right, (size_t)n) != 0)
			return false;
	}
	return true;
}

static bool has_nul(struct hf_str s)
{
	return s.n > 0 && memchr(s.p, '\0', s.n) != NULL;
}

void hf_file_content_diff(struct hf_module_context *c, struct hf_change *change, const char *path,
	const char *after_header, struct hf_str after)
{
	if (!hf_task_diff(c))
		return;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str before = HF_STR("");
	struct stat st;
	struct hf_error unreadable;
	bool exists = stat(path, &st) == 0 && S_ISREG(st.st_mode);
	bool large = exists && st.st_size > HF_FILE_DIFF_MAX;
	if (exists && !large && hf_fs_read(a, path, HF_FILE_DIFF_MAX, &before, &unreadable) < 0)
		return;
	if (!large && after.n <= HF_FILE_DIFF_MAX && !has_nul(before) && !has_nul(after)) {
		hf_change_diff(c, change, exists ? path : NULL, before, after_header, after);
		return;
	}
	struct hf_value *marks = hf_value_dict(a);
	const struct {
		const char *name;
		bool holds;
		int value;
	} rows[] = { { "dst_larger", large, HF_FILE_DIFF_MAX }, { "dst_binary", has_nul(before), 1 },
		{ "src_larger", after.n > HF_FILE_DIFF_MAX, HF_FILE_DIFF_MAX },
		{ "src_binary", after.n <= HF_FILE_DIFF_MAX && has_nul(after), 1 } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i].holds)
			hf_dict_put(marks, rows[i].name, hf_value_int(a, rows[i].value));
	hf_list_append(change->diff, marks);
}

const char *hf_file_backup_name(struct hf_arena *a, const char *path)
{
	char when[64];
	time_t now = time(NULL);
	struct tm local;
	localtime_r(&now, &local);
	strftime(when, sizeof(when), "%Y-%m-%d@%H:%M:%S~", &local);
	return hf_sprintf(a, "%s.%ld.%s", path, (long)getpid(), when);
}

/* Kernels and file systems differ in what they share; any of these means: copy the bytes. */
static bool ranges_refused(int errnum)
{
	return errnum == EXDEV || errnum == EINVAL || errnum == ENOSYS || errnum == EOPNOTSUPP;
}

/* The rest of one file into another: shared extents where the file system can, in the kernel where it cannot.
 */
static int bytes_copy(int from, int to, struct hf_error *err)
{
	for (bool ranges = true;;) {
		ssize_t n = ranges ? copy_file_range(from, NULL, to, NULL, SEND_MAX, 0)
				   : sendfile(to, from, NULL, SEND_MAX);
		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		/* Files of /proc and /sys have no size and give their bytes to reading only. */
		bool again = ranges && (n == 0 ? lseek(from, 0, SEEK_CUR) == 0 : ranges_refused(errno));
		if (!again)
			return n == 0 ? 0 : hf_fail_errno(err, HF_E_IO, "copy");
		ranges = false;
	}
}

static int content_put(const struct hf_file_content *f, int fd, struct hf_error *err)
{
	if (f->source == NULL)
		return hf_fs_write_all(fd, f->data, err);
	hf_auto_fd from = open(f->source, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (from < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", f->source);
	return bytes_copy(from, fd, err);
}

int hf_file_backup(const char *path, const char *backup, struct hf_error *err)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return errno == ENOENT ? 0 : hf_fail_errno(err, HF_E_IO, "stat %s", path);
	hf_auto_fd from = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	hf_auto_arena scratch = hf_arena_new();
	struct hf_fs_temp t;
	if (from < 0)
		return hf_fail_errno(err, HF_E_TASK, "Could not make backup of %s to %s", path, backup);
	if (hf_fs_temp_open(scratch, backup, &t, err) < 0)
		return hf_wrap(err, "Could not make backup of %s to %s", path, backup);
	struct timespec times[2] = { st.st_atim, st.st_mtim };
	if (bytes_copy(from, t.fd, err) < 0 || futimens(t.fd, times) < 0) {
		hf_fs_temp_discard(&t);
		return hf_wrap(err, "Could not make backup of %s to %s", path, backup);
	}
	struct hf_fs_attr attr = { st.st_mode & 07777, st.st_uid, st.st_gid, true };
	return hf_fs_temp_commit(&t, attr, err);
}

static int validate_in(struct hf_module_context *c, struct hf_change *change, const struct hf_file_content *f,
	const char *dir, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *base = hf_path_base(f->path), *dot = strrchr(base, '.');
	char *file = hf_sprintf(a, "%s/source%s", dir, dot != NULL && dot != base ? dot : "");
	hf_auto_fd fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "create %s", file);
	int result = content_put(f, fd, err);
	if (result < 0)
		return result;
	bool unused = false;
	struct hf_file_attr attr = {
		.mode = f->attr->mode, .owner = f->attr->owner, .group = f->attr->group
	};
	result = hf_file_attr_sync(c, change, file, &attr, NULL, true, &unused, err);
	if (result < 0)
		return result;
	const char *mark = strstr(f->validate, "%s");
	const char *line = hf_sprintf(a, "%.*s%s%s", (int)(mark - f->validate), f->validate, file, mark + 2);
	char **argv;
	size_t n;
	if (hf_cmdline_split(a, line, &argv, &n, err) < 0 || n == 0)
		return -HF_E_TASK;
	for (size_t i = 0; i < n; i++)
		argv[i] = hf_strdup(a, hf_cmdline_expand(a, argv[i], hf_task_env(c)));
	struct hf_proc_spec spec = { .argv = (const char *const *)argv, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result r;
	result = hf_task_run(c, &spec, &r, err);
	if (result < 0 || r.status == 0)
		return result;
	hf_cmdline_report(c, change, &r, false);
	hf_result_int(c, change, "exit_status", r.status);
	return hf_fail(err, HF_E_TASK, "failed to validate");
}

int hf_file_content_validate(struct hf_module_context *c, struct hf_change *change,
	const struct hf_file_content *f, struct hf_error *err)
{
	char *dir;
	if (f->validate == NULL)
		return 0;
	if (strstr(f->validate, "%s") == NULL)
		return hf_fail(err, HF_E_TASK, "validate must contain %%s: %s", f->validate);
	int result = hf_cmdline_temp_dir(hf_task_arena(c), "validate", &dir, err);
	if (result < 0)
		return result;
	result = validate_in(c, change, f, dir, err);
	struct hf_error ignored;
	int removed = hf_fs_remove_tree(dir, result < 0 ? &ignored : err);
	return result < 0 ? result : removed;
}

/* Where a file cannot be replaced because something is mounted on it, `unsafe_writes` lets it be overwritten.
 */
static int write_in_place(const struct hf_file_content *f, struct hf_error *err)
{
	hf_auto_fd fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "Could not write data to file (%s)", f->path);
	int result = content_put(f, fd, err);
	if (result == 0 && hf_sys.fsync(fd) < 0)
		result = hf_fail_errno(err, HF_E_IO, "sync %s", f->path);
	return result;
}

/* How the new file shall look from its first moment, so that no secret is ever there with a mode too wide. */
static int content_attr(struct hf_module_context *c, struct hf_change *change,
	const struct hf_file_content *f, struct hf_fs_attr *ret, struct stat *source, struct hf_error *err)
{
	struct stat old;
	struct hf_fs_attr attr = HF_FS_KEEP;
	bool exists = lstat(f->path, &old) == 0, regular = exists && S_ISREG(old.st_mode);
	mode_t fresh = 0666 & ~hf_file_umask();
	attr.mode = regular ? old.st_mode & 07777 : fresh;
	if (f->as_led_to && exists && !regular && stat(f->path, &old) == 0) {
		attr.mode = old.st_mode & 07777;
		attr.uid = old.st_uid;
		attr.gid = old.st_gid;
	}
	if (f->from_source && stat(f->source, source) < 0)
		return hf_fail_errno(err, HF_E_IO, "stat %s", f->source);
	if (f->from_source && exists) {
		attr.mode = source->st_mode & 07777;
		attr.uid = geteuid();
		attr.gid = getegid();
	}
	struct hf_file_want want;
	int result = hf_file_attr_want(c, change, f->path, f->attr, S_IFREG | attr.mode, &want, err);
	if (result < 0)
		return result;
	if (want.mode != HF_KEEP_MODE)
		attr.mode = want.mode;
	attr.uid = want.uid != HF_KEEP_UID ? want.uid : attr.uid;
	attr.gid = want.gid != HF_KEEP_GID ? want.gid : attr.gid;
	attr.sync = !f->unsynced;
	*ret = attr;
	return 0;
}

static int content_replace(struct hf_module_context *c, struct hf_change *change,
	const struct hf_file_content *f, struct hf_error *err)
{
	struct hf_fs_attr attr;
	struct stat source;
	int result = content_attr(c, change, f, &attr, &source, err);
	if (result < 0)
		return result;
	struct hf_fs_temp t;
	result = hf_fs_temp_open(hf_task_arena(c), f->path, &t, err);
	if (result < 0)
		return f->attr->unsafe_writes == HF_YES ? write_in_place(f, err) : result;
	result = content_put(f, t.fd, err);
	if (result == 0 && f->from_source &&
		futimens(t.fd, (struct timespec[2]){ source.st_atim, source.st_mtim }) < 0)
		result = hf_fail_errno(err, HF_E_IO, "set times of %s", f->path);
	if (result < 0) {
		hf_fs_temp_discard(&t);
		return hf_wrap(err, "%s", f->path);
	}
	result = hf_fs_temp_commit(&t, attr, err);
	if (result < 0 && f->attr->unsafe_writes == HF_YES && err->errnum == EBUSY)
		return write_in_place(f, err);
	return result;
}

int hf_file_content_write(struct hf_module_context *c, struct hf_change *change,
	const struct hf_file_content *f, struct hf_error *err)
{
	bool changed = false;
	int result = hf_file_content_validate(c, change, f, err);
	if (result == 0 && f->backup != NULL && hf_fs_exists(f->path)) {
		result = hf_file_backup(f->path, f->backup, err);
		if (result == 0)
			hf_result_cstr(c, change, "backup_file", f->backup);
	}
	if (result == 0)
		result = content_replace(c, change, f, err);
	if (result == 0)
		result = hf_file_attr_sync(c, change, f->path, f->attr, NULL, true, &changed, err);
	return result;
}

int hf_file_undo_new(struct hf_undo *undo, struct hf_arena *a, const char *path, struct hf_error *err)
{
	char *at = hf_strdup(a, path);
	for (char *end = at; *end != '\0';) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		char saved = *end;
		*end = '\0';
		struct stat st;
		int result = lstat(at, &st) < 0 ? hf_undo_file(undo, at, err) : 0;
		if (result < 0)
			return result;
		*end = saved;
		end += strspn(end, "/");
	}
	return 0;
}
