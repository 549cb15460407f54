#include "agent/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/scope.h"

/* Files a net role may read, never write: what name resolution and TLS need, and nothing else. */
static const char *const mqtt_files[] = { "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
	"/etc/gai.conf", "/etc/host.conf", "/run/systemd/resolve", "/etc/ssl", "/usr/lib/ssl",
	"/usr/share/ca-certificates", NULL };
static const char *const store_files[] = { "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf",
	"/etc/gai.conf", "/etc/host.conf", "/run/systemd/resolve", "/etc/ssl", "/usr/lib/ssl",
	"/usr/share/ca-certificates", "/etc/pki", "/usr/local/share/ca-certificates", "/var/run/secrets",
	"/run/secrets", "/root/.aws", "/etc/holdfast/aws", NULL };

static const struct {
	const char *name;
	const char *const *files;
} roles[] = {
	[HF_SANDBOX_MQTT] = { "mqtt", mqtt_files },
	[HF_SANDBOX_STORE] = { "store", store_files },
};

/* Everything a net role calls, by what it is for. All else fails with EPERM: no exec, no fork, no signal to
 * others, no mount, no socket but those of the Internet and the resolver's. */
static const int allowed[] = {
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	/* descriptors it has; openat reaches only what landlock leaves */
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(stat),
	SCMP_SYS(statx),
	SCMP_SYS(fcntl),
	SCMP_SYS(ioctl),
	SCMP_SYS(dup),
	SCMP_SYS(openat),
	SCMP_SYS(open),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	SCMP_SYS(lstat),
	/* sockets */
	SCMP_SYS(socket),
	SCMP_SYS(socketpair),
	SCMP_SYS(connect),
	SCMP_SYS(bind),
	SCMP_SYS(sendto),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(shutdown),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	/* the loop */
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(eventfd2),
	SCMP_SYS(signalfd4),
	SCMP_SYS(inotify_init1),
	/* time, chance, signals, itself */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(uname),
	SCMP_SYS(getrlimit),
	SCMP_SYS(prlimit64),
	SCMP_SYS(sysinfo),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getcwd),
	/* libcurl resolves names in a thread of its own */
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(futex),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(tgkill),
	SCMP_SYS(membarrier),
};

static int user_become(const char *user, struct hf_error *err)
{
	if (geteuid() != 0)
		return 0; /* started by an ordinary user, for tests: there is nothing to give up */
	struct passwd *pw = getpwnam(user);
	if (pw == NULL)
		return hf_fail(err, HF_E_NOT_FOUND,
			"no user named %s (make it, or name another with user:): the net role does not run "
			"as root",
			user);
	if (setgroups(0, NULL) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return hf_fail_errno(err, HF_E_DENIED, "become %s", user);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user forgets it */
	return 0;
}

static int files_allow(int ruleset, const char *const *files, struct hf_error *err)
{
	for (size_t i = 0; files[i] != NULL; i++) {
		hf_auto_fd fd = open(files[i], O_PATH | O_CLOEXEC);
		struct stat st;
		if (fd < 0 || fstat(fd, &st) < 0)
			continue; /* not on this system */
		struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
			.parent_fd = fd };
		if (S_ISDIR(st.st_mode))
			rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
			return hf_fail_errno(err, HF_E_DENIED, "landlock rule for %s", files[i]);
	}
	return 0;
}

static int landlock_enter(const char *const *files, const char **ret_missing, struct hf_error *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	/* EPERM: the filter of a container around us. */
	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM)) {
		*ret_missing = "landlock";
		return 0;
	}
	struct landlock_ruleset_attr attr = { .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	hf_auto_fd ruleset = abi < 0 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return hf_fail_errno(err, HF_E_DENIED, "landlock ruleset");
	int result = files_allow(ruleset, files, err);
	if (result == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return hf_fail_errno(err, HF_E_DENIED, "landlock");
	return result;
}

static int seccomp_enter(struct hf_error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter == NULL ? -ENOMEM : 0;
	for (size_t i = 0; i < HF_COUNT(allowed) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	/* A thread is made by clone with CLONE_THREAD; anything else would be a process. clone3 hides its
	 * flags, so libc is told that there is none and uses clone. */
	enum { CLONE_THREAD_FLAG = 0x00010000 };
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD_FLAG, CLONE_THREAD_FLAG));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	if (r == 0)
		return 0;
	errno = -r;
	return hf_fail_errno(err, HF_E_DENIED, "seccomp filter");
}

int hf_sandbox_enter(
	enum hf_sandbox_role role, const char *user, const char **ret_missing, struct hf_error *err)
{
	const char *missing = NULL;
	int result = user_become(user, err);
	if (result == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		result = hf_fail_errno(err, HF_E_DENIED, "no_new_privs");
	if (result == 0)
		result = landlock_enter(roles[role].files, &missing, err);
	if (result == 0)
		result = seccomp_enter(err);
	if (result < 0)
		return hf_wrap(err, "net role %s", roles[role].name);
	prctl(PR_SET_DUMPABLE, 0); /* its memory holds the broker's key: nobody of the same user reads it */
	*ret_missing = missing;
	return 0;
}
