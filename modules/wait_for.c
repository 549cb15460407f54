#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/base/vec.h"
#include "lib/engine/regex.h"
#include "modules/file_content.h"

/* wait_for: until a port or a file is there, is gone, or says something. */
enum { WAIT_ABSENT, WAIT_DRAINED, WAIT_PRESENT, WAIT_STARTED, WAIT_STOPPED };
enum { RESPONSE_MAX = 16 << 20 };

struct params {
	const char *host, *path, *search, *message;
	struct hf_value *states, *exclude;
	int state;
	int64_t timeout, connect_timeout, delay, port, pause;
};

static const char *const states[] = { "absent", "drained", "present", "started", "stopped", NULL };
static const struct hf_arg args[] = {
	{ "host", HF_ARG_STR, offsetof(struct params, host), .dflt = "127.0.0.1", .help = "Host of port." },
	{ "port", HF_ARG_INT, offsetof(struct params, port), .help = "TCP port to look at." },
	{ "path", HF_ARG_PATH, offsetof(struct params, path), .help = "File to look at." },
	{ "state", HF_ARG_ENUM, offsetof(struct params, state), .dflt = "started", .choices = states,
		.help = "started or present: there; stopped or absent: gone; drained: nobody is connected to "
			"port." },
	{ "search_regex", HF_ARG_STR, offsetof(struct params, search),
		.help = "Regular expression that the file, or what the port says, must match." },
	{ "timeout", HF_ARG_INT, offsetof(struct params, timeout), .dflt = "300",
		.help = "Seconds to wait." },
	{ "connect_timeout", HF_ARG_INT, offsetof(struct params, connect_timeout), .dflt = "5",
		.help = "Seconds for one attempt to connect." },
	{ "delay", HF_ARG_INT, offsetof(struct params, delay), .dflt = "0",
		.help = "Seconds before the first look." },
	{ "sleep", HF_ARG_INT, offsetof(struct params, pause), .dflt = "1",
		.help = "Seconds between looks." },
	{ "msg", HF_ARG_STR, offsetof(struct params, message), .help = "What to say on failure." },
	{ "active_connection_states", HF_ARG_LIST, offsetof(struct params, states), .elements = HF_ARG_STR,
		.dflt = "ESTABLISHED,FIN_WAIT1,FIN_WAIT2,SYN_RECV,SYN_SENT,TIME_WAIT",
		.help = "Connections that drained counts, by TCP state." },
	{ "exclude_hosts", HF_ARG_LIST, offsetof(struct params, exclude), .elements = HF_ARG_STR,
		.help = "Hosts whose connections drained does not count." },
	{ .type = HF_ARG_END },
};

/* The states of TCP as the kernel numbers them from 1 on. */
static const char *const tcp_states[] = { "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",
	"TIME_WAIT", NULL };
enum { CONNECTIONS_TEXT_MAX = 256 << 20 };

/* An address as /proc/net/tcp and tcp6 write it. */
struct end {
	int family;
	char hex[33];
};
struct ends {
	struct end *at;
	size_t n, room;
};

struct wait {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_error *err;
	struct hf_regex *re;
	uint64_t start, end;
	struct ends ours, excluded; /* of drained: whose connections count, and those of whom do not */
	struct hf_value *groups, *names;
};

static void wait_pause(int64_t seconds)
{
	struct timespec left = { seconds, 0 };
	while (seconds > 0 && nanosleep(&left, &left) < 0 && errno == EINTR) {
	}
}

static int64_t wait_elapsed(const struct wait *w)
{
	return (int64_t)((hf_time_monotonic_ms() - w->start) / 1000);
}

/* connect(2) with a bound; -1 when nobody answers. */
static int connect_one(const struct addrinfo *ai, int timeout_ms)
{
	hf_auto_fd fd =
		socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
	if (fd < 0)
		return -1;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) < 0) {
		struct pollfd p = { fd, POLLOUT, 0 };
		int failure = 0;
		socklen_t size = sizeof(failure);
		if (errno != EINPROGRESS || poll(&p, 1, timeout_ms) <= 0 ||
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0 || failure != 0)
			return -1;
	}
	return hf_take_fd(&fd);
}

static int port_connect(const struct wait *w)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	const char *port = hf_sprintf(w->a, "%lld", (long long)w->p->port);
	int fd = -1;
	if (getaddrinfo(w->p->host, port, &hints, &list) != 0)
		return -1;
	for (const struct addrinfo *ai = list; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = connect_one(ai, (int)w->p->connect_timeout * 1000);
	freeaddrinfo(list);
	return fd;
}

static void match_keep(struct wait *w, const struct hf_regex_match *m)
{
	struct hf_value *names = hf_regex_names(w->a, w->re);
	for (unsigned i = 1; i < m->groups; i++) {
		struct hf_str text = hf_regex_group(m, i);
		hf_list_append(w->groups, text.p != NULL ? hf_value_str(w->a, text) : hf_value_null(w->a));
	}
	HF_DICT_EACH (names, e) {
		unsigned number = (unsigned)hf_entry_value(e)->u.integer;
		struct hf_str text = hf_regex_group(m, number);
		hf_dict_set(w->names, hf_entry_key(e),
			text.p != NULL ? hf_value_str(w->a, text) : hf_value_null(w->a));
	}
}

static int text_matches(struct wait *w, struct hf_str text, bool *ret)
{
	struct hf_regex_match m;
	int result = hf_regex_exec(w->a, w->re, text, 0, HF_REGEX_SEARCH, &m, w->err);
	if (result < 0)
		return result;
	*ret = m.found;
	return 0;
}

/* Read what the port says until it matches, the other side closes, or time is up. */
static int port_listen(struct wait *w, int fd, bool *ret)
{
	hf_auto_buf said = hf_buf_init(RESPONSE_MAX);
	for (uint64_t now = hf_time_monotonic_ms(); now < w->end && !*ret; now = hf_time_monotonic_ms()) {
		struct pollfd p = { fd, POLLIN, 0 };
		char block[1024];
		if (poll(&p, 1, (int)(w->end - now)) <= 0)
			continue;
		ssize_t n = recv(fd, block, sizeof(block), 0);
		if (n <= 0)
			return 0;
		hf_buf_append(&said, block, (size_t)n);
		int result = hf_buf_check(&said, "what the port says", w->err);
		if (result == 0)
			result = text_matches(w, hf_buf_str(&said), ret);
		if (result < 0)
			return result;
	}
	return 0;
}

static int port_there(struct wait *w, bool *ret)
{
	hf_auto_fd fd = port_connect(w);
	*ret = fd >= 0 && w->re == NULL;
	return fd >= 0 && w->re != NULL ? port_listen(w, fd, ret) : 0;
}

static int path_there(struct wait *w, bool *ret)
{
	struct stat st;
	*ret = false;
	if (stat(w->p->path, &st) < 0)
		return errno == ENOENT
			       ? 0
			       : hf_fail(w->err, HF_E_TASK, "%s",
					 w->p->message != NULL ? w->p->message
							       : hf_sprintf(w->a, "Failed to stat %s, %s",
									 w->p->path, strerror(errno)));
	*ret = w->re == NULL;
	if (w->re == NULL)
		return 0;
	hf_auto_arena scratch = hf_arena_new();
	struct hf_error unreadable;
	struct hf_str text;
	if (hf_fs_read(scratch, w->p->path, HF_FILE_TEXT_MAX, &text, &unreadable) < 0)
		return 0; /* it may become readable */
	struct hf_regex_match m;
	int result = hf_regex_exec(scratch, w->re, text, 0, HF_REGEX_SEARCH, &m, w->err);
	*ret = result == 0 && m.found;
	if (*ret)
		match_keep(w, &m);
	return result;
}

static void end_add(struct wait *w, struct ends *into, int family, const void *address, size_t size)
{
	struct end *e = hf_vec_push(w->a, into);
	e->family = family;
	for (size_t i = 0; i < size / sizeof(uint32_t); i++) {
		uint32_t word;
		memcpy(&word, (const char *)address + i * sizeof(word), sizeof(word));
		snprintf(e->hex + i * 8, 9, "%08X", word);
	}
}

/* The addresses of a host; those of IPv4 as they look on sockets of IPv6 too. */
static int ends_of(struct wait *w, const char *host, struct ends *into)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int failure = getaddrinfo(host, NULL, &hints, &list);
	if (failure != 0)
		return hf_fail(w->err, HF_E_TASK, "%s: %s", host, gai_strerror(failure));
	for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		if (ai->ai_family == AF_INET6) {
			struct sockaddr_in6 six;
			memcpy(&six, ai->ai_addr, sizeof(six));
			end_add(w, into, AF_INET6, &six.sin6_addr, sizeof(six.sin6_addr));
		} else if (ai->ai_family == AF_INET) {
			struct sockaddr_in four;
			struct in6_addr mapped = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
			memcpy(&four, ai->ai_addr, sizeof(four));
			memcpy(mapped.s6_addr + 12, &four.sin_addr, sizeof(four.sin_addr));
			end_add(w, into, AF_INET, &four.sin_addr, sizeof(four.sin_addr));
			end_add(w, into, AF_INET6, &mapped, sizeof(mapped));
		}
	}
	freeaddrinfo(list);
	return 0;
}

static bool end_among(const struct ends *e, int family, struct hf_str hex)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->at[i].family == family && hf_str_is(hex, e->at[i].hex))
			return true;
	return false;
}

/* Field number n of a line of /proc/net/tcp. */
static struct hf_str field(struct hf_str line, size_t n)
{
	struct hf_str rest = line, piece = HF_STR("");
	for (size_t i = 0; i <= n;) {
		if (!hf_str_split(&rest, ' ', &piece))
			return HF_STR("");
		i += piece.n > 0;
	}
	return piece;
}

static bool state_counts(const struct wait *w, struct hf_str number)
{
	for (size_t i = 0; i < hf_list_len(w->p->states); i++)
		for (size_t j = 0; tcp_states[j] != NULL; j++)
			if (hf_str_is(hf_list_at(w->p->states, i)->u.string, tcp_states[j]) &&
				hf_str_is(number, hf_sprintf(w->a, "%02zX", j + 1)))
				return true;
	return false;
}

/* Whether a line of the kernel's list is a connection that is waited for. */
static bool connection_counts(struct wait *w, int family, struct hf_str line)
{
	static const char *const all[] = { "00000000", "00000000000000000000000000000000" };
	static const char mapped[] = "0000000000000000FFFF0000";
	struct hf_str local, remote, port = field(line, 1), far = field(line, 2);
	if (!hf_str_split(&port, ':', &local) || !hf_str_split(&far, ':', &remote) ||
		!hf_str_is(port, hf_sprintf(w->a, "%04llX", (long long)w->p->port)) ||
		!state_counts(w, field(line, 3)) || end_among(&w->excluded, family, remote))
		return false;
	struct hf_str any = hf_str(hf_sprintf(w->a, "%s00000000", mapped));
	return end_among(&w->ours, family, local) ||
	       end_among(&w->ours, family, hf_str(all[family == AF_INET6])) ||
	       (hf_str_starts(local, mapped) && end_among(&w->ours, family, any));
}

/* Nobody is connected to the port any more. */
static int port_drained(struct wait *w, bool *ret)
{
	static const struct {
		int family;
		const char *path;
	} lists[] = { { AF_INET, "/proc/net/tcp" }, { AF_INET6, "/proc/net/tcp6" } };
	*ret = true;
	for (size_t i = 0; i < HF_COUNT(lists) && *ret; i++) {
		hf_auto_arena scratch = hf_arena_new();
		struct hf_str text, line;
		if (!hf_fs_exists(lists[i].path))
			continue;
		int result = hf_fs_read(scratch, lists[i].path, CONNECTIONS_TEXT_MAX, &text, w->err);
		if (result < 0)
			return result;
		while (*ret && hf_str_split(&text, '\n', &line))
			*ret = !connection_counts(w, lists[i].family, line);
	}
	return 0;
}

static int drain_begin(struct wait *w)
{
	const struct params *p = w->p;
	if (p->port == 0)
		return hf_fail(
			w->err, HF_E_TASK, "state=drained needs the port whose connections are to end");
	int result = ends_of(w, p->host, &w->ours);
	for (size_t i = 0; p->exclude != NULL && i < hf_list_len(p->exclude) && result == 0; i++)
		result = ends_of(w, hf_list_at(p->exclude, i)->u.string.p, &w->excluded);
	return result;
}

static int wait_look(struct wait *w, bool *ret)
{
	if (w->p->state == WAIT_DRAINED)
		return port_drained(w, ret);

	bool gone = w->p->state == WAIT_ABSENT || w->p->state == WAIT_STOPPED;
	if (gone && w->p->path != NULL) {
		*ret = access(w->p->path, F_OK) < 0;
		return 0;
	}
	if (gone) {
		hf_auto_fd fd = port_connect(w);
		*ret = fd < 0;
		return 0;
	}
	return w->p->path != NULL ? path_there(w, ret) : port_there(w, ret);
}

static const char *timeout_message(const struct wait *w)
{
	const struct params *p = w->p;
	bool gone = p->state == WAIT_ABSENT || p->state == WAIT_STOPPED;
	const char *where =
		p->path != NULL ? p->path : hf_sprintf(w->a, "%s:%lld", p->host, (long long)p->port);
	if (p->message != NULL)
		return p->message;
	if (gone)
		return hf_sprintf(w->a, "Timeout when waiting for %s to %s.", where,
			p->path != NULL ? "be absent" : "stop");
	if (p->state == WAIT_DRAINED)
		return hf_sprintf(w->a, "Timeout when waiting for %s to drain", where);
	if (p->search != NULL)
		return hf_sprintf(w->a, "Timeout when waiting for search string %s in %s", p->search, where);
	return hf_sprintf(w->a, "Timeout when waiting for %s%s", p->path != NULL ? "file " : "", where);
}

static int wait_refuse(const struct params *p, struct hf_error *err)
{
	if (p->port != 0 && p->path != NULL)
		return hf_fail(err, HF_E_TASK, "port and path parameter can not both be passed to wait_for");
	if (p->path != NULL && (p->state == WAIT_STOPPED || p->state == WAIT_DRAINED))
		return hf_fail(err, HF_E_TASK,
			"state=%s should only be used for checking a port in the wait_for module",
			states[p->state]);
	if (p->exclude != NULL && p->state != WAIT_DRAINED)
		return hf_fail(err, HF_E_TASK, "exclude_hosts should only be with state=drained");
	for (size_t i = 0; i < hf_list_len(p->states); i++) {
		const char *state = hf_list_at(p->states, i)->u.string.p;
		bool known = false;
		for (size_t j = 0; tcp_states[j] != NULL; j++)
			known = known || strcmp(tcp_states[j], state) == 0;
		if (!known)
			return hf_fail(err, HF_E_TASK, "unknown active_connection_state (%s) defined", state);
	}
	return 0;
}

static int wait_until(struct wait *w)
{
	const struct params *p = w->p;
	bool met = false;
	if (p->state == WAIT_DRAINED) {
		int result = drain_begin(w);
		if (result < 0)
			return result;
	}
	if (p->port == 0 && p->path == NULL) {
		wait_pause(p->timeout);
		return 0;
	}
	while (!met && hf_time_monotonic_ms() < w->end) {
		int result = wait_look(w, &met);
		if (result < 0)
			return result;
		if (!met)
			wait_pause(p->pause);
	}
	return met ? 0 : hf_fail(w->err, HF_E_TASK, "%s", timeout_message(w));
}

static void put_or_null(struct wait *w, struct hf_change *change, const char *key, const char *text)
{
	hf_result_put(w->c, change, key, text != NULL ? hf_value_cstr(w->a, text) : hf_value_null(w->a));
}

static int wait_for_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_regex *made = NULL;
	hf_result_int(c, change, "elapsed", 0);
	if (p->search != NULL &&
		hf_regex_get(hf_str(p->search), HF_REGEX_MULTILINE | HF_REGEX_BYTES, &made, err) < 0)
		return hf_wrap(err, "Invalid regular expression");
	hf_auto_regex re = made;
	int result = wait_refuse(p, err);
	if (result < 0)
		return result;
	struct wait w = { .c = c,
		.a = a,
		.p = p,
		.err = err,
		.re = re,
		.start = hf_time_monotonic_ms(),
		.groups = hf_value_list(a),
		.names = hf_value_dict(a) };
	w.end = w.start + (uint64_t)p->timeout * 1000;
	wait_pause(p->delay);
	result = wait_until(&w);
	hf_result_int(c, change, "elapsed", wait_elapsed(&w));
	if (result < 0)
		return result;
	hf_result_cstr(c, change, "state", states[p->state]);
	hf_result_put(c, change, "port", p->port != 0 ? hf_value_int(a, p->port) : hf_value_null(a));
	put_or_null(&w, change, "search_regex", p->search);
	put_or_null(&w, change, "path", p->path);
	hf_result_put(c, change, "match_groups", w.groups);
	hf_result_put(c, change, "match_groupdict", w.names);
	return hf_file_attr_done(c, change, 0);
}

const struct hf_module hf_module_wait_for = {
	.name = "wait_for",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE | HF_MODULE_NO_CHECK,
	.check = wait_for_check,
};

/* wait_for_connection: this host is reachable from itself; what is left is the delay. */
static const struct hf_arg connection_args[] = {
	{ "connect_timeout", HF_ARG_INT, offsetof(struct params, connect_timeout), .dflt = "5",
		.help = "Accepted." },
	{ "delay", HF_ARG_INT, offsetof(struct params, delay), .dflt = "0",
		.help = "Seconds to wait first." },
	{ "sleep", HF_ARG_INT, offsetof(struct params, pause), .dflt = "1", .help = "Accepted." },
	{ "timeout", HF_ARG_INT, offsetof(struct params, timeout), .dflt = "600", .help = "Accepted." },
	{ .type = HF_ARG_END },
};

static int connection_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	if (hf_task_check_mode(c)) {
		change->skipped = true;
		return 0;
	}
	wait_pause(p->delay);
	hf_result_int(c, change, "elapsed", p->delay);
	return 0;
}

const struct hf_module hf_module_wait_for_connection = {
	.name = "wait_for_connection",
	.collection = "ansible.builtin",
	.schema = { connection_args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE,
	.check = connection_check,
};
