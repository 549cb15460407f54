#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
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
		.help = "started or present: there; stopped or absent: gone. drained is refused." },
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
	{ "active_connection_states", HF_ARG_LIST, offsetof(struct params, states), HF_REFUSED,
		.help = "only state=drained uses it, which is not done" },
	{ "exclude_hosts", HF_ARG_LIST, offsetof(struct params, exclude), HF_REFUSED,
		.help = "only state=drained uses it, which is not done" },
	{ .type = HF_ARG_END },
};

struct wait {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_error *err;
	struct hf_regex *re;
	uint64_t start, end;
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

static int wait_look(struct wait *w, bool *ret)
{
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
	if (p->state == WAIT_DRAINED)
		return hf_fail(err, HF_E_UNSUPPORTED,
			"state=drained is not done: connections of a port are not counted");
	return 0;
}

static int wait_until(struct wait *w)
{
	const struct params *p = w->p;
	bool met = false;
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
