#include "agent/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"

/* Beyond this a file counts by size and time; hashing it at every event would cost the host more than it
 * tells. */
#define HASH_MAX     ((uint64_t)256 << 20)
#define PRINT_FACTOR UINT64_C(0x9e3779b97f4a7c15) /* odd, its bits spread evenly */
enum { LINK_MAX = 4096, TREE_ENTRIES_MAX = 200000 };

/* A sweep prints a thousand of these: printf, and divisions, would cost more than the stat itself. */
enum { DIGITS_MAX = 22 }; /* 2^64 in base 8 */

static char *number_end(char *out, const char *digits, size_t n, char behind)
{
	memcpy(out, digits, n);
	out[n] = behind;
	return out + n + 1;
}

static char *decimal_print(char *out, uint64_t n, unsigned least, char behind)
{
	char digits[DIGITS_MAX] HF_UNINITIALIZED;
	size_t at = sizeof(digits);
	for (; n > 0 || sizeof(digits) - at < least; n /= 10)
		digits[--at] = (char)('0' + n % 10);
	return number_end(out, digits + at, sizeof(digits) - at, behind);
}

/* Base 2^bits. */
static char *power_print(char *out, uint64_t n, unsigned bits, char behind)
{
	char digits[DIGITS_MAX] HF_UNINITIALIZED;
	size_t at = sizeof(digits);
	do {
		digits[--at] = "0123456789abcdef"[n & ((1u << bits) - 1)];
		n >>= bits;
	} while (n > 0);
	return number_end(out, digits + at, sizeof(digits) - at, behind);
}

static char *time_print(char *out, const struct timespec *t)
{
	if (t->tv_sec < 0)
		*out++ = '-';
	out = decimal_print(out, (uint64_t)(t->tv_sec < 0 ? -t->tv_sec : t->tv_sec), 1, '.');
	return decimal_print(out, (uint64_t)t->tv_nsec, 9, ' ');
}

static void stat_print(const struct stat *st, char out[HF_LOOK_MAX])
{
	char *p = power_print(out, st->st_mode, 3, ' ');
	p = decimal_print(p, st->st_uid, 1, ' ');
	p = decimal_print(p, st->st_gid, 1, ' ');
	p = decimal_print(p, S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size, 1, ' ');
	p = time_print(p, &st->st_mtim);
	p = time_print(p, &st->st_ctim);
	p = decimal_print(p, st->st_ino, 1, ' ');
	power_print(p, st->st_dev, 4, '\0');
}

static void file_print(const char *path, const struct stat *st, char *out, size_t size)
{
	char hex[HF_SHA256_HEX];
	struct hf_digest d;
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		snprintf(out, size, "unreadable %d", errno);
	else if ((uint64_t)st->st_size > HASH_MAX || hf_sha256_fd(fd, HASH_MAX, &d, NULL, NULL) < 0)
		snprintf(out, size, "large %lld %lld", (long long)st->st_size, (long long)st->st_mtim.tv_sec);
	else
		snprintf(out, size, "%s", hf_digest_hex(&d, hex));
}

static void what_print(const char *path, const struct stat *st, char out[HF_LOOK_MAX])
{
	char more[HF_LOOK_MAX - 64] = "", target[LINK_MAX] HF_UNINITIALIZED, hex[HF_SHA256_HEX];
	if (S_ISREG(st->st_mode)) {
		file_print(path, st, more, sizeof(more));
	} else if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlink(path, target, sizeof(target));
		struct hf_digest d = hf_sha256(hf_strn(target, n < 0 ? 0 : (size_t)n));
		snprintf(more, sizeof(more), "%s", hf_digest_hex(&d, hex));
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		snprintf(more, sizeof(more), "%llx", (unsigned long long)st->st_rdev);
	}
	int n = snprintf(out, HF_LOOK_MAX, "%o %u %u %s", st->st_mode, st->st_uid, st->st_gid, more);
	/* Of a file with several names it counts which one it is: a copy of it is not the same thing. */
	if (S_ISREG(st->st_mode) && st->st_nlink > 1)
		snprintf(out + n, HF_LOOK_MAX - (size_t)n, " %llu", (unsigned long long)st->st_ino);
}

struct tree {
	struct hf_sha256 stat, what;
	bool content; /* what is asked for */
	int entries;
};

static void line_add(struct hf_sha256 *to, const char *relative, const char *text)
{
	hf_sha256_add(to, hf_strn(relative, strlen(relative) + 1));
	hf_sha256_add(to, hf_strn(text, strlen(text) + 1));
}

static int tree_entry(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct tree *t = data;
	char text[HF_LOOK_MAX];
	if (++t->entries > TREE_ENTRIES_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s has more than %d entries", path, TREE_ENTRIES_MAX);
	stat_print(st, text);
	line_add(&t->stat, relative, text);
	if (!t->content)
		return 0;
	what_print(path, st, text);
	line_add(&t->what, relative, text);
	return 0;
}

static void digest_print(struct hf_sha256 *all, char out[HF_LOOK_MAX])
{
	struct hf_digest d = hf_sha256_end(all);
	char hex[HF_SHA256_HEX];
	snprintf(out, HF_LOOK_MAX, "tree %s", hf_digest_hex(&d, hex));
}

static void tree_take(const char *path, bool content, struct hf_look *ret)
{
	struct tree t = { .content = content };
	struct hf_error err = { 0 };
	hf_sha256_begin(&t.stat);
	hf_sha256_begin(&t.what);
	if (hf_fs_walk(path, tree_entry, &t, &err) < 0) {
		snprintf(ret->stat, sizeof(ret->stat), "unreadable %d %d", (int)err.code, err.errnum);
		if (content)
			snprintf(ret->what, sizeof(ret->what), "unreadable %d %d", (int)err.code, err.errnum);
		return;
	}
	digest_print(&t.stat, ret->stat);
	if (content)
		digest_print(&t.what, ret->what);
}

bool hf_look_is_tree(const char *what)
{
	return strncmp(what, "tree ", 5) == 0;
}

uint64_t hf_look_print(const struct stat *st)
{
	const uint64_t fields[] = { st->st_mode, (uint64_t)st->st_uid << 32 | st->st_gid,
		S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size, (uint64_t)st->st_mtim.tv_sec,
		(uint64_t)st->st_mtim.tv_nsec, (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec,
		st->st_ino, st->st_dev };
	uint64_t print = 0;
	for (size_t i = 0; i < HF_COUNT(fields); i++) {
		print = (print ^ fields[i]) * PRINT_FACTOR;
		print ^= print >> 32;
	}
	return print;
}

void hf_look_of(int failed, const struct stat *st, char out[HF_LOOK_MAX])
{
	if (failed < 0)
		snprintf(out, HF_LOOK_MAX, "absent");
	else
		stat_print(st, out);
}

void hf_look_take(const char *path, bool tree, bool content, struct hf_look *ret)
{
	struct stat st;
	int failed = lstat(path, &st);
	ret->stat[0] = ret->what[0] = '\0';
	if (failed == 0 && tree && S_ISDIR(st.st_mode)) {
		tree_take(path, content, ret);
		return;
	}
	hf_look_of(failed, &st, ret->stat);
	if (content && failed < 0)
		snprintf(ret->what, sizeof(ret->what), "absent");
	else if (content)
		what_print(path, &st, ret->what);
}

void hf_look_stats(const char *const *paths, char out[HF_LOOK_MAX])
{
	hf_auto_buf all = hf_buf_init(64 * HF_LOOK_MAX);
	char hex[HF_SHA256_HEX];
	struct hf_look look;
	for (; *paths != NULL; paths++) {
		hf_look_take(*paths, false, false, &look);
		hf_buf_puts(&all, look.stat);
		hf_buf_put(&all, '\n');
	}
	struct hf_digest d = hf_sha256(hf_buf_str(&all));
	snprintf(out, HF_LOOK_MAX, "%s", hf_digest_hex(&d, hex));
}
