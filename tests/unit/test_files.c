/* lib/base/fs and proc on a real directory: whole or not at all, also when a system call fails. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "lib/base/fs.h"
#include "lib/base/proc.h"
#include "lib/base/scope.h"
#include "tests/unit/unit.h"

struct place {
	struct hf_arena *a;
	char *dir;
};

static int place_make(void **state)
{
	struct place *p = test_malloc(sizeof(*p));
	p->a = hf_arena_new();
	p->dir = hf_strdup(p->a, "/tmp/hf-files-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	*state = p;
	return 0;
}

static int place_remove(void **state)
{
	struct place *p = *state;
	assert_int_equal(hf_fs_remove_tree(p->dir, NULL), 0);
	hf_arena_free(p->a);
	test_free(p);
	return 0;
}

static const char *text_of(struct place *p, const char *path)
{
	struct hf_str s;
	assert_int_equal(hf_fs_read(p->a, path, 1 << 20, &s, NULL), 0);
	return s.p;
}

static unsigned entries_in(const char *dir)
{
	unsigned n = 0;
	hf_auto_dir d = opendir(dir);
	while (readdir(d) != NULL)
		n++;
	return n - 2;
}

static void replace_keeps_mode_and_attributes(void **state)
{
	struct place *p = *state;
	char *path = hf_path_join(p->a, p->dir, "f"), value[8];
	assert_int_equal(hf_fs_replace(path, HF_STR("one"),
				 (struct hf_fs_attr){ 0640, HF_KEEP_UID, HF_KEEP_GID, true }, NULL),
		0);
	bool has_xattrs = setxattr(path, "user.origin", "yes", 3, 0) == 0;
	assert_int_equal(hf_fs_replace(path, HF_STR("two"), HF_FS_KEEP, NULL), 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_string_equal(text_of(p, path), "two");
	if (has_xattrs)
		assert_int_equal(getxattr(path, "user.origin", value, sizeof(value)), 3);
}

static void replace_replaces_a_link_not_its_target(void **state)
{
	struct place *p = *state;
	char *target = hf_path_join(p->a, p->dir, "target"), *link = hf_path_join(p->a, p->dir, "link");
	assert_int_equal(hf_fs_replace(target, HF_STR("safe"), HF_FS_KEEP, NULL), 0);
	assert_int_equal(symlink("target", link), 0);
	assert_int_equal(hf_fs_replace(link, HF_STR("new"), HF_FS_KEEP, NULL), 0);
	assert_string_equal(text_of(p, target), "safe");
	assert_string_equal(text_of(p, link), "new");
}

static ssize_t failing_write(int fd, const void *bytes, size_t n)
{
	errno = ENOSPC;
	return -1;
}

static int failing_fd(int fd)
{
	errno = EIO;
	return -1;
}

static int failing_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	errno = EXDEV;
	return -1;
}

static int failing_chmod(int fd, mode_t mode)
{
	errno = EPERM;
	return -1;
}

static const struct fault_row {
	const char *title;
	size_t offset; /* of the replaced call in struct hf_sys */
	void (*call)(void);
	const char *want;
} faults[] = {
	{ "replace: disk full", offsetof(struct hf_sys, write), (void (*)(void))failing_write,
		"No space left" },
	{ "replace: fsync fails", offsetof(struct hf_sys, fsync), (void (*)(void))failing_fd,
		"Input/output error" },
	{ "replace: rename fails", offsetof(struct hf_sys, renameat), (void (*)(void))failing_rename,
		"rename to" },
	{ "replace: chmod fails", offsetof(struct hf_sys, fchmod), (void (*)(void))failing_chmod,
		"set mode of" },
};

static void replace_is_whole_or_not_at_all(void **state)
{
	const struct fault_row *fault = *state;
	assert_int_equal(place_make(state), 0);
	struct place *p = *state;
	struct hf_error err;
	char *path = hf_path_join(p->a, p->dir, "f");
	assert_int_equal(hf_fs_replace(path, HF_STR("before"), HF_FS_KEEP, NULL), 0);
	struct hf_sys saved = hf_sys;
	memcpy((char *)&hf_sys + fault->offset, &fault->call, sizeof(fault->call));
	int result = hf_fs_replace(path, HF_STR("after"), HF_FS_KEEP, &err);
	hf_sys = saved;
	assert_int_equal(result, -HF_E_IO);
	assert_non_null(strstr(err.text, fault->want));
	assert_string_equal(text_of(p, path), "before");
	assert_int_equal(entries_in(p->dir), 1);
	place_remove(state);
}

static void open_beneath_never_leaves(void **state)
{
	struct place *p = *state;
	hf_auto_fd dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = -1;
	assert_int_equal(symlinkat("/etc", dir, "out"), 0);
	assert_int_equal(mkdirat(dir, "in", 0755), 0);
	assert_int_equal(hf_fs_open_beneath(dir, "out/passwd", O_RDONLY, 0, &fd, NULL), -HF_E_IO);
	assert_int_equal(hf_fs_open_beneath(dir, "../../etc/passwd", O_RDONLY, 0, &fd, NULL), -HF_E_IO);
	assert_int_equal(hf_fs_open_beneath(dir, "/etc/passwd", O_RDONLY, 0, &fd, NULL), -HF_E_IO);
	assert_int_equal(fd, -1);
	assert_int_equal(hf_fs_open_beneath(dir, "in/f", O_WRONLY | O_CREAT, 0644, &fd, NULL), 0);
	close(fd);
}

static void read_refuses_what_is_too_large(void **state)
{
	struct place *p = *state;
	struct hf_error err;
	struct hf_str s;
	char *path = hf_path_join(p->a, p->dir, "f");
	assert_int_equal(hf_fs_replace(path, HF_STR("12345"), HF_FS_KEEP, NULL), 0);
	assert_int_equal(hf_fs_read(p->a, path, 5, &s, &err), 0);
	assert_int_equal(hf_fs_read(p->a, path, 4, &s, &err), -HF_E_LIMIT);
	assert_int_equal(hf_fs_read(p->a, "/proc/self/status", 1 << 20, &s, &err), 0);
	assert_true(s.n > 100);
	assert_int_equal(hf_fs_read(p->a, "/nonexistent", 4, &s, &err), -HF_E_NOT_FOUND);
}

static unsigned open_descriptors(void)
{
	return entries_in("/proc/self/fd");
}

static void run_captures_both_streams(void **state)
{
	struct place *p = *state;
	unsigned before = open_descriptors();
	const char *const argv[] = { "sh", "-c", "cat; echo problem >&2; exit 3", NULL };
	struct hf_proc_spec spec = { .argv = argv, .input = HF_STR("fed"), .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result r;
	assert_int_equal(hf_proc_run(p->a, &spec, &r, NULL), 0);
	assert_int_equal(r.status, 3);
	assert_string_equal(r.out.p, "fed");
	assert_string_equal(r.err.p, "problem\n");
	assert_int_equal(open_descriptors(), before);
}

static void run_takes_a_program_of_its_folder(void **state)
{
	struct place *p = *state;
	const char *const argv[] = { "./bin/sh", "-c", "pwd", NULL };
	struct hf_proc_spec spec = { .argv = argv, .dir = "/usr", .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result r;
	assert_int_equal(hf_proc_run(p->a, &spec, &r, NULL), 0);
	assert_string_equal(r.out.p, "/usr\n");
	spec.dir = "/usr/bin";
	assert_int_equal(hf_proc_run(p->a, &spec, &r, NULL), -HF_E_NOT_FOUND);
}

static void run_ends_the_whole_group_at_the_deadline(void **state)
{
	struct place *p = *state;
	const char *const argv[] = { "sh", "-c", "sleep 60 & echo $!; wait", NULL };
	struct hf_proc_spec spec = { .argv = argv, .timeout_ms = 2000, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result r;
	assert_int_equal(hf_proc_run(p->a, &spec, &r, NULL), 0);
	assert_true(r.timed_out);
	assert_int_equal(r.signal, SIGTERM);
	int64_t grandchild;
	assert_true(hf_str_to_int64(hf_str_trim(r.out), &grandchild));
	for (int i = 0; i < 6000 && kill((pid_t)grandchild, 0) == 0; i++) {
		char status[64];
		struct hf_str s;
		snprintf(status, sizeof(status), "/proc/%d/stat", (int)grandchild);
		if (hf_fs_read(p->a, status, 4096, &s, NULL) < 0 || strstr(s.p, ") Z ") != NULL)
			return; /* ended; an orphan's zombie is the init process's to collect */
		usleep(10000);
	}
	assert_int_not_equal(kill((pid_t)grandchild, 0), 0);
}

static void run_does_not_wait_for_background_children(void **state)
{
	struct place *p = *state;
	const char *const argv[] = { "sh", "-c", "sleep 60 & echo done; echo $! >&2", NULL };
	struct hf_proc_spec spec = { .argv = argv, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result r;
	assert_int_equal(hf_proc_run(p->a, &spec, &r, NULL), 0);
	int64_t sleeper;
	assert_string_equal(r.out.p, "done\n");
	assert_true(hf_str_to_int64(hf_str_trim(r.err), &sleeper));
	assert_int_equal(kill((pid_t)sleeper, SIGKILL), 0);
	assert_true(r.ms < 50000);
}

static void run_bounds_output(void **state)
{
	struct place *p = *state;
	const char *const argv[] = { "head", "-c", "1000000", "/dev/zero", NULL };
	struct hf_proc_spec spec = { .argv = argv, .max_output = 1000, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result r;
	assert_int_equal(hf_proc_run(p->a, &spec, &r, NULL), 0);
	assert_true(r.truncated);
	assert_int_equal(r.out.n, 1000);
	assert_int_equal(r.status, 0);
}

static void run_names_a_missing_program(void **state)
{
	struct place *p = *state;
	struct hf_error err;
	const char *const argv[] = { "no-such-program", NULL };
	struct hf_proc_spec spec = { .argv = argv, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result r;
	assert_int_equal(hf_proc_run(p->a, &spec, &r, &err), -HF_E_NOT_FOUND);
	assert_string_equal(err.text, "no program named no-such-program");
}

static void run_hands_no_descriptor_down(void **state)
{
	struct place *p = *state;
	hf_auto_fd leaked = open("/dev/null", O_RDONLY);            /* NOLINT: without O_CLOEXEC on purpose */
	const char *const argv[] = { "ls", "/proc/self/fd", NULL }; /* 3 is the folder it reads */
	struct hf_proc_spec spec = { .argv = argv, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result r;
	assert_int_equal(hf_proc_run(p->a, &spec, &r, NULL), 0);
	assert_string_equal(r.out.p, "0\n1\n2\n3\n");
	assert_true(leaked >= 0);
}

#define PLACED(list, f)                                                                                      \
	unit_add(list, (struct CMUnitTest)cmocka_unit_test_setup_teardown(f, place_make, place_remove))

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, faults, replace_is_whole_or_not_at_all);
	PLACED(&tests, replace_keeps_mode_and_attributes);
	PLACED(&tests, replace_replaces_a_link_not_its_target);
	PLACED(&tests, open_beneath_never_leaves);
	PLACED(&tests, read_refuses_what_is_too_large);
	PLACED(&tests, run_captures_both_streams);
	PLACED(&tests, run_takes_a_program_of_its_folder);
	PLACED(&tests, run_ends_the_whole_group_at_the_deadline);
	PLACED(&tests, run_does_not_wait_for_background_children);
	PLACED(&tests, run_bounds_output);
	PLACED(&tests, run_names_a_missing_program);
	PLACED(&tests, run_hands_no_descriptor_down);
	return unit_run(&tests);
}
