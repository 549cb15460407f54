#include "agent/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/scope.h"

struct header {
	uint32_t kind, id, length;
};

/* Room for a few full packets; beyond it a sender is told HF_E_BUSY. */
enum { SOCKET_ROOM = 4 * HF_WIRE_MAX };

void hf_wire_room(int socket)
{
	int room = SOCKET_ROOM;
	if (setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		(void)setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

int hf_wire_pair(bool first_nonblocking, int ret_pair[2], struct hf_error *err)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return hf_fail_errno(err, HF_E_IO, "socket pair");
	for (int i = 0; i < 2; i++)
		hf_wire_room(pair[i]);
	if (first_nonblocking)
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
	ret_pair[0] = pair[0];
	ret_pair[1] = pair[1];
	return 0;
}

int hf_wire_send(
	int socket, enum hf_wire_kind kind, uint32_t id, struct hf_str payload, int fd, struct hf_error *err)
{
	struct header h = { (uint32_t)kind, id, (uint32_t)payload.n };
	if (payload.n > HF_WIRE_MAX - sizeof(h))
		return hf_fail(
			err, HF_E_LIMIT, "a message of %zu bytes is longer than %d", payload.n, HF_WIRE_MAX);
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)(uintptr_t)payload.p, payload.n } };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
	if (fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(socket, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	if (errno == EAGAIN)
		return hf_fail(err, HF_E_BUSY, "the net role does not keep up");
	return hf_fail_errno(err, HF_E_NET, "send to the other role");
}

static int control_fd(struct msghdr *m)
{
	int fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
			c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

int hf_wire_receive(int socket, struct hf_buf *buffer, struct hf_wire_message *ret, struct hf_error *err)
{
	hf_buf_clear(buffer);
	char *room = hf_buf_room(buffer, HF_WIRE_MAX);
	if (room == NULL)
		return hf_fail(err, HF_E_INTERNAL, "a receive buffer holds less than %d bytes", HF_WIRE_MAX);
	struct header h;
	struct iovec iov[2] = { { &h, sizeof(h) }, { room, HF_WIRE_MAX } };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr m = { .msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t n;
	do
		n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN))
		return 1;
	if (n < 0)
		return hf_fail_errno(err, HF_E_NET, "receive from the other role");
	if (n == 0)
		return hf_fail(err, HF_E_NET, "the other role has gone");
	hf_auto_fd fd = control_fd(&m);
	if ((size_t)n < sizeof(h) || h.length != (size_t)n - sizeof(h) ||
		(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		return hf_fail(err, HF_E_NET, "a malformed message from the other role");
	hf_buf_added(buffer, h.length);
	*ret = (struct hf_wire_message){ (enum hf_wire_kind)h.kind, h.id, hf_buf_str(buffer),
		hf_take_fd(&fd) };
	return 0;
}
