#include "agent/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"

enum { READ_SIZE = 32 << 10, GRACE_US = 3000000, FDS_KEPT_MAX = 8, GIVE_S = 5 };

struct hf_child {
	struct hf_child_spec spec;
	sd_event *loop;
	pid_t pid;
	int socket;
	struct hf_buf in;
	sd_event_source *readable, *exit, *timer;
	bool timed_out, closed, reaped;
	int status;
};

static void descriptors_close(const int *kept, size_t n_kept)
{
	int sorted[FDS_KEPT_MAX];
	size_t n = 0;
	for (size_t i = 0; i < n_kept && n < FDS_KEPT_MAX; i++)
		if (kept[i] > STDERR_FILENO)
			sorted[n++] = kept[i];
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && sorted[j] < sorted[j - 1]; j--) {
			int t = sorted[j];
			sorted[j] = sorted[j - 1];
			sorted[j - 1] = t;
		}
	unsigned first = STDERR_FILENO + 1;
	for (size_t i = 0; i < n; i++) {
		if ((unsigned)sorted[i] > first)
			(void)syscall(SYS_close_range, first, (unsigned)sorted[i] - 1, 0u);
		first = (unsigned)sorted[i] + 1;
	}
	(void)syscall(SYS_close_range, first, ~0u, 0u);
}

void hf_child_enter(pid_t parent, const int *kept, size_t n_kept)
{
	sigset_t none;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1); /* the parent died before the request above */
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	descriptors_close(kept, n_kept);
}

static HF_NORETURN void child_run(const struct hf_child_spec *spec, int socket, pid_t parent)
{
	const int kept[] = { socket, spec->keep_fd };
	hf_child_enter(parent, kept, HF_COUNT(kept));
	unsetenv("NOTIFY_SOCKET"); /* only the supervisor speaks for the unit */
	if (spec->body != NULL)
		_exit(spec->body(socket, spec->data));
	if (socket != HF_CHILD_SOCKET) {
		dup2(socket, HF_CHILD_SOCKET);
		close(socket);
	} else {
		fcntl(socket, F_SETFD, 0);
	}
	execv(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
	_exit(127);
}

static void child_free(struct hf_child *c)
{
	sd_event_source_disable_unref(c->readable);
	sd_event_source_disable_unref(c->exit);
	sd_event_source_disable_unref(c->timer);
	hf_close_fd(&c->socket);
	hf_buf_done(&c->in);
	free(c);
}

/* Both its exit and the end of its stream were seen: nothing more can come. */
static void child_finish(struct hf_child *c)
{
	if (!c->closed || !c->reaped)
		return;
	c->spec.ended(c->spec.data, c, c->status, c->timed_out);
	child_free(c);
}

static void lines_deliver(struct hf_child *c)
{
	size_t start = 0;
	for (size_t i = 0; i < c->in.n; i++)
		if (c->in.p[i] == '\n') {
			c->spec.line(c->spec.data, c, hf_strn(c->in.p + start, i - start));
			start = i + 1;
		}
	if (start > 0) {
		memmove(c->in.p, c->in.p + start, c->in.n - start);
		c->in.n -= start;
	}
	if (c->in.n == 0)
		hf_buf_done(&c->in); /* a long line's room is not kept for the idle hours */
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct hf_child *c = data;
	for (;;) {
		char *room = hf_buf_room(&c->in, READ_SIZE);
		ssize_t n = room == NULL ? 0 : read(fd, room, READ_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			break;
		size_t before = c->in.n;
		hf_buf_added(&c->in, (size_t)n);
		if (memchr(c->in.p + before, '\n', (size_t)n) != NULL)
			lines_deliver(c);
	}
	if (c->in.failed)
		kill(-c->pid, SIGKILL); /* a line beyond the bound: the child is broken */
	c->closed = true;
	sd_event_source_set_enabled(c->readable, SD_EVENT_OFF);
	child_finish(c);
	return 0;
}

static int on_exit_seen(sd_event_source *source, const siginfo_t *info, void *data)
{
	struct hf_child *c = data;
	c->status = info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
	c->reaped = true;
	if (c->timer != NULL)
		sd_event_source_set_enabled(c->timer, SD_EVENT_OFF);
	kill(-c->pid, SIGKILL); /* whatever it started goes with it */
	if (!c->closed)
		on_readable(c->readable, c->socket, EPOLLIN, c);
	else
		child_finish(c);
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_child *c = data;
	kill(-c->pid, c->timed_out ? SIGKILL : SIGTERM);
	c->timed_out = true;
	sd_event_source_set_time(source, now + GRACE_US);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

static int sources_add(struct hf_child *c)
{
	uint64_t now = 0;
	int r = sd_event_add_io(c->loop, &c->readable, c->socket, EPOLLIN, on_readable, c);
	if (r >= 0)
		r = sd_event_add_child(c->loop, &c->exit, c->pid, WEXITED, on_exit_seen, c);
	if (r >= 0 && c->spec.deadline_ms > 0)
		r = sd_event_now(c->loop, CLOCK_MONOTONIC, &now);
	if (r >= 0 && c->spec.deadline_ms > 0)
		r = sd_event_add_time(c->loop, &c->timer, CLOCK_MONOTONIC, now + c->spec.deadline_ms * 1000,
			0, on_deadline, c);
	return r;
}

int hf_child_start(
	sd_event *loop, const struct hf_child_spec *spec, struct hf_child **ret, struct hf_error *err)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return hf_fail_errno(err, HF_E_IO, "socket pair for %s", spec->name);
	pid_t self = getpid(), pid = fork();
	if (pid == 0)
		child_run(spec, pair[1], self);
	int errnum = errno;
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		errno = errnum;
		return hf_fail_errno(err, HF_E_IO, "start %s", spec->name);
	}
	setpgid(pid, pid); /* here as well: a stop must not race with the child's own call */
	struct hf_child *c = hf_xmalloc(sizeof(*c));
	*c = (struct hf_child){ .spec = *spec,
		.loop = loop,
		.pid = pid,
		.socket = pair[0],
		.in = hf_buf_init(HF_CHILD_LINE_MAX) };
	struct hf_error told = { 0 };
	int result = spec->input.n > 0 ? hf_child_tell(c->socket, spec->input, &told) : 0;
	if (result < 0 && told.errnum == EPIPE)
		result = 0; /* killed before it read: ended() will say so */
	else if (result < 0 && err != NULL)
		*err = told;
	fcntl(c->socket, F_SETFL, O_NONBLOCK);
	int r = result < 0 ? 0 : sources_add(c);
	if (result < 0 || r < 0) {
		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
		child_free(c);
		errno = -r;
		return result < 0 ? hf_wrap(err, "start %s", spec->name)
				  : hf_fail_errno(err, HF_E_IO, "watch %s", spec->name);
	}
	*ret = c;
	return 0;
}

void hf_child_answer(struct hf_child *c, char byte)
{
	/* One byte fits: the child asks again only after it has read the last answer. A child that has gone
	 * is told by its exit. */
	(void)!send(c->socket, &byte, 1, MSG_NOSIGNAL);
}

int hf_child_give(struct hf_child *c, struct hf_str line, uint64_t deadline_ms, struct hf_error *err)
{
	struct timeval patience = { .tv_sec = GIVE_S };
	uint64_t now = 0;
	fcntl(c->socket, F_SETFL, 0);
	setsockopt(c->socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	int result = hf_child_tell(c->socket, line, err);
	fcntl(c->socket, F_SETFL, O_NONBLOCK);
	if (result < 0)
		return result;
	int r = sd_event_now(c->loop, CLOCK_MONOTONIC, &now);
	if (r >= 0)
		r = sd_event_add_time(
			c->loop, &c->timer, CLOCK_MONOTONIC, now + deadline_ms * 1000, 0, on_deadline, c);
	errno = -r;
	return r < 0 ? hf_fail_errno(err, HF_E_IO, "deadline of %s", c->spec.name) : 0;
}

void hf_child_stop(struct hf_child *c, int signal)
{
	kill(-c->pid, signal);
}

pid_t hf_child_pid(const struct hf_child *c)
{
	return c->pid;
}

int hf_child_tell(int socket, struct hf_str line, struct hf_error *err)
{
	int result = hf_fs_write_all(socket, line, err);
	return result < 0 ? result : hf_fs_write_all(socket, HF_STR("\n"), err);
}

int hf_child_ask(int socket, struct hf_str line, char *ret_answer, struct hf_error *err)
{
	char answer;
	ssize_t n;
	int result = hf_child_tell(socket, line, err);
	if (result < 0)
		return result;
	do
		n = read(socket, &answer, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return hf_fail(err, HF_E_CANCELLED, "the supervisor has gone");
	*ret_answer = answer;
	return 0;
}
