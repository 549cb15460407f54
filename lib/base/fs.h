/* lib/base/fs.h - files the safe way: bounded reads, replacement that is whole or not at all, nothing outside
 * a root. Owns:  results live in the caller's arena; returned descriptors are the caller's and O_CLOEXEC.
 * Fails: HF_E_IO with errno, HF_E_LIMIT past a bound. Tests may replace single system calls through hf_sys.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

/* The system calls whose failure must be survivable; tests point them at failing ones to prove it. */
struct hf_sys {
	ssize_t (*write)(int fd, const void *p, size_t n);
	int (*fsync)(int fd);
	int (*renameat)(int from_dir, const char *from, int to_dir, const char *to);
	int (*fchmod)(int fd, mode_t mode);
	int (*fchown)(int fd, uid_t uid, gid_t gid);
};
extern struct hf_sys hf_sys;
/* How many files this process has put in place: what is remembered of a file is asked for again when it
 * moved. */
extern unsigned hf_fs_replaced;

/* Whole file, terminated. max bytes at most. */
HF_CHECK int hf_fs_read(
	struct hf_arena *a, const char *path, size_t max, struct hf_str *ret, struct hf_error *err);
HF_CHECK int hf_fs_read_fd(struct hf_arena *a, int fd, size_t max, struct hf_str *ret, struct hf_error *err);
HF_CHECK int hf_fs_write_all(int fd, struct hf_str data, struct hf_error *err);

/* How a replaced file shall look. Fields left at their KEEP value are taken from the file that is replaced,
 * or, where there is none, from umask and the process. */
#define HF_KEEP_MODE ((mode_t)-1)
#define HF_KEEP_UID  ((uid_t)-1)
#define HF_KEEP_GID  ((gid_t)-1)
struct hf_fs_attr {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	bool sync; /* fsync file and directory before returning */
};
#define HF_FS_KEEP ((struct hf_fs_attr){ HF_KEEP_MODE, HF_KEEP_UID, HF_KEEP_GID, true })

/* Write data to a temporary file beside path, give it attr (extended attributes of the old file are copied),
 * rename it over path. A symbolic link at path is replaced, not followed. On failure path is as it was and
 * nothing is left. */
HF_CHECK int hf_fs_replace(
	const char *path, struct hf_str data, struct hf_fs_attr attr, struct hf_error *err);
/* The same in two steps for content that is streamed: the temporary file is unlinked if never committed. */
struct hf_fs_temp {
	int fd;
	char *path;   /* in the arena */
	char *target; /* in the arena */
};
HF_CHECK int hf_fs_temp_open(
	struct hf_arena *a, const char *target, struct hf_fs_temp *ret, struct hf_error *err);
HF_CHECK int hf_fs_temp_commit(struct hf_fs_temp *t, struct hf_fs_attr attr, struct hf_error *err);
void hf_fs_temp_discard(struct hf_fs_temp *t);

/* openat2(2) with RESOLVE_BENEATH: path is relative and may not leave dir_fd, by ".." or by symbolic link.
 * Where the kernel has no openat2 the components are walked one by one with O_NOFOLLOW. */
HF_CHECK int hf_fs_open_beneath(
	int dir_fd, const char *path, int flags, mode_t mode, int *ret_fd, struct hf_error *err);
/* mkdir -p; existing directories are left as they are. */
HF_CHECK int hf_fs_mkdirs(const char *path, mode_t mode, struct hf_error *err);
/* rm -rf without following links; a path that does not exist is success. At most HF_FS_DEPTH_MAX levels. */
HF_CHECK int hf_fs_remove_tree(const char *path, struct hf_error *err);
/* Every entry below path, parents first; visit returns <0 to stop (its value is returned). Links are not
 * followed. */
enum { HF_FS_DEPTH_MAX = 128 };
typedef int (*hf_fs_visit)(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err);
HF_CHECK int hf_fs_walk(const char *path, hf_fs_visit visit, void *data, struct hf_error *err);
/* lexically: "a//b/../c" → "a/c"; as Python's os.path.normpath */
char *hf_path_normalize(struct hf_arena *a, const char *path);
char *hf_path_join(struct hf_arena *a, const char *dir, const char *name); /* absolute name wins */
const char *hf_path_base(const char *path);
char *hf_path_dir(struct hf_arena *a, const char *path);
/* os.path.expanduser(): ~ and ~NAME in front. home is what ~ alone means; NULL: HOME, then the user database.
 * path itself where there is nothing to do or nobody of that name. */
const char *hf_path_expand_user(struct hf_arena *a, const char *path, const char *home);
bool hf_fs_exists(const char *path); /* follows links */
bool hf_fs_is_dir(const char *path); /* follows links */
