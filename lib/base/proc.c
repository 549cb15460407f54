#include "lib/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"

enum { GRACE_MS = 1000, DEFAULT_TIMEOUT_MS = 120000, READ_SIZE = 65536 };

extern char **environ;

/* What the parent holds of a running child. */
struct child {
	pid_t pid;
	int in, out, err; /* our ends; -1 when closed */
	struct hf_str input;
	struct hf_buf out_buf, err_buf;
	bool truncated;
};

static const char *env_get(const char *const *env, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; env != NULL && env[i] != NULL; i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=')
			return env[i] + n + 1;
	return NULL;
}

static char *path_search(struct hf_arena *a, const char *name, const char *path)
{
	if (strchr(name, '/') != NULL)
		return access(name, X_OK) == 0 ? hf_strdup(a, name) : NULL;
	struct hf_str rest = hf_str(path), dir;
	while (hf_str_split(&rest, ':', &dir)) {
		char *full = hf_sprintf(a, "%.*s/%s", HF_STR_ARG(dir.n > 0 ? dir : HF_STR(".")), name);
		struct stat st;
		if (access(full, X_OK) == 0 && stat(full, &st) == 0 && S_ISREG(st.st_mode))
			return full;
	}
	return NULL;
}

char *hf_proc_which(struct hf_arena *a, const char *name)
{
	const char *path = getenv("PATH");
	return path_search(a, name,
		hf_sprintf(a, "%s:/usr/local/sbin:/usr/sbin:/sbin",
			path != NULL ? path : "/usr/local/bin:/usr/bin:/bin"));
}

/* In the child: only async-signal-safe calls from here on (initgroups excepted: we are single-threaded). */
static HF_NORETURN void child_fail(int report)
{
	int errnum = errno;
	(void)!write(report, &errnum, sizeof(errnum));
	_exit(127);
}

static void child_identity(const struct hf_proc_spec *spec, int report)
{
	if (!spec->set_user)
		return;
	int groups = spec->user_name != NULL ? initgroups(spec->user_name, spec->gid) : setgroups(0, NULL);
	if (groups < 0 || setgid(spec->gid) < 0 || setuid(spec->uid) < 0)
		child_fail(report);
}

static HF_NORETURN void child_main(const struct hf_proc_spec *spec, const char *program, const int fds[3],
	int report, const sigset_t *mask)
{
	setpgid(0, 0);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0 && dup2(fds[i], i) < 0)
			child_fail(report);
	int kept = dup2(report, 3);
	fcntl(kept, F_SETFD, FD_CLOEXEC);
	(void)syscall(SYS_close_range, 4u, ~0u, 0u);
	if (spec->umask != HF_PROC_KEEP_UMASK)
		umask(spec->umask);
	child_identity(spec, kept);
	if (spec->dir != NULL && chdir(spec->dir) < 0)
		child_fail(kept);
	execve(program, (char *const *)spec->argv,
		(char *const *)(spec->env != NULL ? spec->env : (const char *const *)environ));
	child_fail(kept);
}

static void pipe_pair(int pair[2], bool wanted)
{
	pair[0] = pair[1] = -1;
	if (wanted && pipe2(pair, O_CLOEXEC) < 0)
		pair[0] = pair[1] = -1;
}

static void close_two(int pair[2])
{
	hf_close_fd(&pair[0]);
	hf_close_fd(&pair[1]);
}

/* 0, or the errno with which the child could not become the program. */
static int start_report(int fd)
{
	int errnum = 0;
	ssize_t n;
	do
		n = read(fd, &errnum, sizeof(errnum));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(errnum) ? errnum : 0;
}

static int child_start(
	const struct hf_proc_spec *spec, const char *program, struct child *c, struct hf_error *err)
{
	int in[2], out[2], errs[2], report[2];
	bool has_input = spec->input.n > 0;
	pipe_pair(in, has_input);
	pipe_pair(out, !spec->inherit_output);
	pipe_pair(errs, !spec->inherit_output && !spec->merge_output);
	pipe_pair(report, true);
	hf_auto_fd null_fd = has_input ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old); /* no handler of ours may run in the child before exec */
	pid_t pid = report[1] < 0 ? -1 : fork();
	if (pid == 0) {
		int error_fd = spec->merge_output ? (spec->inherit_output ? 1 : out[1]) : errs[1];
		child_main(spec, program, (int[3]){ has_input ? in[0] : null_fd, out[1], error_fd },
			report[1], &old);
	}
	int errnum = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	hf_close_fd(&in[0]);
	hf_close_fd(&out[1]);
	hf_close_fd(&errs[1]);
	hf_close_fd(&report[1]);
	int failure = pid < 0 ? errnum : start_report(report[0]);
	hf_close_fd(&report[0]);
	if (failure != 0) {
		if (pid > 0)
			waitpid(pid, NULL, 0);
		close_two(in);
		close_two(out);
		close_two(errs);
		errno = failure;
		return hf_fail_errno(
			err, failure == ENOENT ? HF_E_NOT_FOUND : HF_E_IO, "start %s", spec->argv[0]);
	}
	c->pid = pid;
	c->in = in[1];
	c->out = out[0];
	c->err = errs[0];
	return 0;
}

static void feed_input(struct child *c)
{
	ssize_t n = write(c->in, c->input.p, c->input.n);
	if (n > 0) {
		c->input.p += n;
		c->input.n -= (size_t)n;
	}
	if ((n < 0 && errno != EAGAIN && errno != EINTR) || c->input.n == 0)
		hf_close_fd(&c->in);
}

static void take_output(struct child *c, int *fd, struct hf_buf *buf)
{
	char block[READ_SIZE];
	ssize_t n = read(*fd, block, sizeof(block));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		hf_close_fd(fd);
		return;
	}
	size_t room = buf->max - buf->n;
	if ((size_t)n > room) {
		c->truncated = true;
		n = (ssize_t)room;
	}
	hf_buf_append(buf, block, (size_t)n);
}

static bool child_has_ended(pid_t pid)
{
	siginfo_t info = { 0 };
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* How long poll may sleep. A program that has ended but left a grandchild holding the pipe is not waited for
 * beyond what is already readable. */
static int wait_time(uint64_t now, uint64_t deadline)
{
	enum { LOOK_MS = 50 };
	if (deadline != 0 && deadline - now < LOOK_MS)
		return (int)(deadline - now);
	return LOOK_MS;
}

static void stop_group(pid_t pid, int *stage, uint64_t now, uint64_t *deadline)
{
	kill(-pid, *stage == 0 ? SIGTERM : SIGKILL);
	*stage += 1;
	*deadline = *stage == 1 ? now + GRACE_MS : 0;
}

/* Move bytes until both streams are closed or the child has ended; returns whether the deadline struck. */
static bool child_converse(struct child *c, uint64_t deadline)
{
	int stage = 0;
	bool timed_out = false;
	while (c->in >= 0 || c->out >= 0 || c->err >= 0 || !child_has_ended(c->pid)) {
		uint64_t now = hf_time_monotonic_ms();
		/* Asked before poll: what it wrote and then ended is readable in that poll. Asked after one
		 * that found nothing, it could have written and ended in between, and its output would be
		 * lost. */
		bool ended = child_has_ended(c->pid);
		if (deadline != 0 && now >= deadline) {
			timed_out = true;
			stop_group(c->pid, &stage, now, &deadline);
		}
		struct pollfd p[3] = { { c->in, POLLOUT, 0 }, { c->out, POLLIN, 0 }, { c->err, POLLIN, 0 } };
		int ready = poll(p, 3, wait_time(now, deadline));
		if (ready > 0) {
			if (p[0].revents != 0)
				feed_input(c);
			if (p[1].revents != 0)
				take_output(c, &c->out, &c->out_buf);
			if (p[2].revents != 0)
				take_output(c, &c->err, &c->err_buf);
		} else if (ready == 0 && ended) {
			break; /* only a background grandchild still holds the pipes */
		}
	}
	return timed_out;
}

static void child_reap(struct child *c, struct hf_proc_result *r)
{
	int status = 0;
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (WIFSIGNALED(status)) {
		r->signal = WTERMSIG(status);
		r->status = 128 + r->signal;
	} else {
		r->status = WEXITSTATUS(status);
	}
}

int hf_proc_run(
	struct hf_arena *a, const struct hf_proc_spec *spec, struct hf_proc_result *ret, struct hf_error *err)
{
	const char *path = env_get(spec->env != NULL ? spec->env : (const char *const *)environ, "PATH");
	const char *name = spec->argv[0];
	/* "./configure" means the one in the folder where it will run. */
	bool of_dir = spec->dir != NULL && name[0] != '/' && strchr(name, '/') != NULL;
	const char *program = path_search(a, of_dir ? hf_sprintf(a, "%s/%s", spec->dir, name) : name,
		path != NULL ? path : "/usr/local/bin:/usr/bin:/bin");
	if (program == NULL)
		return hf_fail(err, HF_E_NOT_FOUND, "no program named %s", spec->argv[0]);
	size_t max = spec->max_output != 0 ? spec->max_output : HF_PROC_OUTPUT_MAX;
	struct child c = { .input = spec->input, .out_buf = hf_buf_init(max), .err_buf = hf_buf_init(max) };
	uint64_t start = hf_time_monotonic_ms();
	int result = child_start(spec, of_dir ? name : program, &c, err);
	if (result < 0)
		return result;
	if (c.in >= 0)
		fcntl(c.in, F_SETFL, O_NONBLOCK);
	sigset_t pipe_signal, old;
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe_signal, &old);
	struct hf_proc_result r = { 0 };
	r.timed_out = child_converse(&c, spec->timeout_ms != 0 ? start + spec->timeout_ms : 0);
	sigtimedwait(&pipe_signal, NULL, &(struct timespec){ 0 });
	sigprocmask(SIG_SETMASK, &old, NULL);
	hf_close_fd(&c.in);
	hf_close_fd(&c.out);
	hf_close_fd(&c.err);
	child_reap(&c, &r);
	r.truncated = c.truncated;
	r.out = hf_buf_dup(a, &c.out_buf);
	r.err = hf_buf_dup(a, &c.err_buf);
	r.ms = hf_time_monotonic_ms() - start;
	hf_buf_done(&c.out_buf);
	hf_buf_done(&c.err_buf);
	*ret = r;
	return 0;
}

int hf_proc_output(struct hf_arena *a, const char *const *argv, struct hf_str *ret_out, struct hf_error *err)
{
	struct hf_proc_spec spec = {
		.argv = argv, .timeout_ms = DEFAULT_TIMEOUT_MS, .umask = HF_PROC_KEEP_UMASK
	};
	struct hf_proc_result r;
	int result = hf_proc_run(a, &spec, &r, err);
	if (result < 0)
		return result;
	if (r.timed_out)
		return hf_fail(
			err, HF_E_TIMEOUT, "%s did not end in %d s", argv[0], DEFAULT_TIMEOUT_MS / 1000);
	if (r.status != 0) {
		struct hf_str rest = hf_str_trim(r.err.n > 0 ? r.err : r.out), line = { 0 };
		hf_str_split(&rest, '\n', &line);
		return hf_fail(err, HF_E_IO, "%s exited with %d: %.*s", argv[0], r.status, HF_STR_ARG(line));
	}
	if (ret_out != NULL)
		*ret_out = r.out;
	return 0;
}
