#include "agent/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/ctl_command.h"
#include "lib/base/log.h"
#include "lib/data/json.h"

enum { CLIENTS_MAX = 16, REQUEST_MAX = 64 << 10, ANSWER_MAX = 64 << 20, SEND_MS = 5000, BACKLOG = 8 };

struct client {
	struct hf_ctl *ctl; /* NULL: free */
	int fd;
	sd_event_source *io;
	struct hf_buf in;
	uint64_t ticket;
	bool waits; /* its answer comes later */
};

struct hf_ctl {
	struct hf_agent *agent;
	int fd;
	struct client clients[CLIENTS_MAX];
	uint64_t tickets;
};

static void client_drop(struct client *c)
{
	c->io = sd_event_source_disable_unref(c->io);
	hf_close_fd(&c->fd);
	hf_buf_done(&c->in);
	c->ctl = NULL;
}

/* The descriptor blocks with a send timeout: a client that does not read loses its answer, never our time. */
static void answer_send(struct client *c, const struct hf_value *answer)
{
	hf_auto_buf b = hf_buf_init(ANSWER_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_error err = { 0 };
	style.hide_secrets = true;
	if (hf_json_write(&b, answer, &style, &err) < 0 || b.failed) {
		hf_buf_clear(&b);
		hf_buf_puts(&b, "{\"error\":\"the answer is too long\",\"code\":\"limit\"}");
	}
	hf_buf_put(&b, '\n');
	size_t at = 0;
	while (at < b.n) {
		ssize_t n = send(c->fd, b.p + at, b.n - at, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

/* Whether the answer comes later. */
static bool request_serve(struct client *c, struct hf_str text)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *request = NULL, *answer = hf_value_dict(a);
	struct hf_error err = { 0 };
	int result = hf_json_parse(a, text, "request", &request, &err);
	if (result == 0 && !hf_is(request, HF_DICT))
		result = hf_fail(&err, HF_E_ARGUMENT, "a request must be an object");
	if (result == 0)
		result = hf_ctl_command(c->ctl->agent, a, request, answer, c->ticket, &err);
	if (result == HF_CTL_LATER)
		return c->waits = true;
	if (result < 0) {
		hf_dict_put(answer, "error", hf_value_cstr(a, err.text));
		hf_dict_put(answer, "code", hf_value_cstr(a, hf_code_name(err.code)));
	}
	answer_send(c, answer);
	return false;
}

void hf_ctl_answer(struct hf_ctl *ctl, uint64_t ticket, const struct hf_value *answer)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &ctl->clients[i];
		if (c->ctl == NULL || !c->waits || c->ticket != ticket)
			continue;
		answer_send(c, answer);
		client_drop(c);
	}
}

static int on_client(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct client *c = data;
	char block[4096];
	ssize_t n = recv(fd, block, sizeof(block), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0)
		hf_buf_append(&c->in, block, (size_t)n);
	if (n <= 0 || c->in.failed) {
		client_drop(c);
		return 0;
	}
	char *end = memchr(c->in.p, '\n', c->in.n);
	if (end != NULL) {
		struct hf_str text = hf_strn(c->in.p, (size_t)(end - c->in.p));
		if (!c->waits && !request_serve(c, text))
			client_drop(c); /* one request a connection */
	}
	return 0;
}

static bool peer_allowed(int fd)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}

static int on_connect(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct hf_ctl *ctl = data;
	hf_auto_fd peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	struct client *c = NULL;
	for (size_t i = 0; i < CLIENTS_MAX && c == NULL; i++)
		if (ctl->clients[i].ctl == NULL)
			c = &ctl->clients[i];
	if (peer < 0 || c == NULL || !peer_allowed(peer))
		return 0;
	struct timeval patience = { .tv_sec = SEND_MS / 1000 };
	setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	*c = (struct client){
		.ctl = ctl, .ticket = ++ctl->tickets, .fd = hf_take_fd(&peer), .in = hf_buf_init(REQUEST_MAX)
	};
	if (sd_event_add_io(ctl->agent->loop, &c->io, c->fd, EPOLLIN, on_client, c) < 0)
		client_drop(c);
	return 0;
}

int hf_ctl_new(struct hf_agent *agent, struct hf_ctl **ret, struct hf_error *err)
{
	struct hf_ctl *ctl = hf_new(agent->arena, struct hf_ctl);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	ctl->agent = agent;
	int n = snprintf(at.sun_path, sizeof(at.sun_path), "%s/ctl.sock", agent->config.run_dir);
	if (n < 0 || (size_t)n >= sizeof(at.sun_path))
		return hf_fail(
			err, HF_E_ARGUMENT, "run_dir %s is too long for a socket", agent->config.run_dir);
	(void)unlink(at.sun_path); /* left by a killed agent; the lock says that it is dead */
	ctl->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(0177);
	int bound = ctl->fd < 0 ? -1 : bind(ctl->fd, (struct sockaddr *)&at, sizeof(at));
	umask(before);
	if (bound < 0 || listen(ctl->fd, BACKLOG) < 0)
		return hf_fail_errno(err, HF_E_IO, "socket %s", at.sun_path);
	if (sd_event_add_io(agent->loop, NULL, ctl->fd, EPOLLIN, on_connect, ctl) < 0)
		return hf_fail(err, HF_E_IO, "watch %s", at.sun_path);
	*ret = ctl;
	return 0;
}
