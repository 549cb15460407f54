/* What the tests ask of lib/net, one question a run; the answer is one JSON object on standard output.
 *   net_door http METHOD URL [name=value …]       url with {n} is asked `many` times, n counting from 0
 *   net_door s3 get|head|put|delete|list BUCKET KEY [name=value …]
 *   net_door credentials | imds
 * name=value: body, max, deadline (ms), attempts, to (file), follow, once, unsent, many, parallel, loop,
 * etag, create, from (file), skew, region, stall. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/net/imds.h"
#include "lib/net/s3.h"

enum { WATCHES_MAX = 64, MANY_MAX = 1000 };

struct loop {
	struct pollfd at[WATCHES_MAX];
	size_t n;
	int64_t due; /* monotonic ms; -1: none */
};

static int loop_watch(void *data, int fd, unsigned what)
{
	struct loop *l = data;
	short events = (short)(((what & HF_HTTP_READ) != 0 ? POLLIN : 0) |
			       ((what & HF_HTTP_WRITE) != 0 ? POLLOUT : 0));
	for (size_t i = 0; i < l->n; i++) {
		if (l->at[i].fd != fd)
			continue;
		if (what == 0)
			l->at[i] = l->at[--l->n];
		else
			l->at[i].events = events;
		return 0;
	}
	if (what == 0)
		return 0;
	if (l->n == WATCHES_MAX)
		return -1;
	l->at[l->n++] = (struct pollfd){ fd, events, 0 };
	return 0;
}

static int loop_timer(void *data, int64_t ms)
{
	struct loop *l = data;
	l->due = ms < 0 ? -1 : (int64_t)hf_time_monotonic_ms() + ms;
	return 0;
}

/* As an event loop would: one wait for descriptors and the timer, then tell the client. */
static void loop_run(struct loop *l, struct hf_http *h)
{
	while (hf_http_active(h) > 0) {
		int64_t now = (int64_t)hf_time_monotonic_ms();
		int wait = l->due < 0 ? -1 : l->due > now ? (int)(l->due - now) : 0;
		struct pollfd ready[WATCHES_MAX];
		size_t n = l->n;
		memcpy(ready, l->at, n * sizeof(ready[0]));
		if (poll(ready, (nfds_t)n, wait) == 0) {
			l->due = -1;
			hf_http_expired(h);
			continue;
		}
		for (size_t i = 0; i < n; i++)
			if (ready[i].revents != 0)
				hf_http_ready(h, ready[i].fd,
					((ready[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 ? HF_HTTP_READ
												: 0u) |
						((ready[i].revents & POLLOUT) != 0 ? HF_HTTP_WRITE : 0u));
	}
}

static const char *option(char **args, const char *name)
{
	size_t n = strlen(name);
	for (; *args != NULL; args++)
		if (strncmp(*args, name, n) == 0 && (*args)[n] == '=')
			return *args + n + 1;
	return NULL;
}

static uint64_t number(char **args, const char *name, uint64_t fallback)
{
	const char *text = option(args, name);
	uint64_t n;
	return text != NULL && hf_str_to_uint64(hf_str(text), &n) ? n : fallback;
}

static void fail_put(struct hf_arena *a, struct hf_value *out, const struct hf_error *err)
{
	hf_dict_put(out, "error", hf_value_cstr(a, err->text));
	hf_dict_put(out, "code", hf_value_cstr(a, hf_code_name(err->code)));
}

static void print(struct hf_value *v)
{
	hf_auto_buf out = hf_buf_init(HF_JSON_SIZE_MAX);
	struct hf_error err = { 0 };
	const struct hf_json_style style = HF_JSON_PYTHON;
	if (hf_json_write(&out, v, &style, &err) < 0)
		fprintf(stderr, "net_door: %s\n", err.text);
	printf("%.*s\n", HF_STR_ARG(hf_buf_str(&out)));
}

/* --- http --- */

struct many {
	struct hf_arena *arena;
	struct hf_value *answers;
};

static void http_done(const struct hf_http_response *r, const struct hf_error *failure, void *data)
{
	struct many *m = data;
	struct hf_arena *a = m->arena;
	struct hf_value *out = hf_value_dict(a), *headers = hf_value_dict(a);
	hf_dict_put(out, "status", hf_value_int(a, r->status));
	hf_dict_put(out, "attempts", hf_value_int(a, r->attempts));
	hf_dict_put(out, "received", hf_value_int(a, (int64_t)r->received));
	hf_dict_put(out, "ms", hf_value_int(a, (int64_t)r->ms));
	hf_dict_put(out, "url", hf_value_cstr(a, r->url));
	hf_dict_put(out, "body", hf_value_str(a, r->body));
	for (size_t i = 0; i < r->headers.n; i++)
		hf_dict_put(headers, r->headers.at[i].name, hf_value_cstr(a, r->headers.at[i].value));
	hf_dict_put(out, "headers", headers);
	struct hf_error refusal = { 0 };
	if (failure == NULL && hf_http_expect(r, NULL, &refusal) < 0)
		failure = &refusal;
	if (failure != NULL)
		fail_put(a, out, failure);
	hf_list_append(m->answers, out);
}

static int door_http(struct hf_arena *a, char **args)
{
	struct loop loop = { .due = -1 };
	const struct hf_http_loop hooks = { loop_watch, loop_timer, &loop };
	const struct hf_http_options options = {
		.loop = option(args, "loop") == NULL ? NULL : &hooks,
		.parallel = (unsigned)number(args, "parallel", 0),
	};
	struct hf_error err = { 0 };
	hf_auto_http http = NULL;
	const char *to = option(args, "to"), *body = option(args, "body");
	hf_auto_fd fd = to == NULL ? -1 : open(to, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (args[0] == NULL || args[1] == NULL || hf_http_new(&options, &http, &err) < 0)
		return 2;
	struct hf_http_request r = {
		.method = args[0],
		.body = hf_str(body),
		.max_body = number(args, "max", 0),
		.deadline_ms = (uint32_t)number(args, "deadline", 0),
		.attempt_ms = (uint32_t)number(args, "attempt", 0),
		.attempts = (unsigned)number(args, "attempts", 0),
		.follow = option(args, "follow") != NULL,
		.to_file = to != NULL,
		.to_fd = fd,
		.repeat = option(args, "once") != NULL     ? HF_HTTP_ONCE
			  : option(args, "unsent") != NULL ? HF_HTTP_REPEAT_UNSENT
							   : HF_HTTP_REPEAT,
	};
	struct many m = { a, hf_value_list(a) };
	const char *hole = strstr(args[1], "{n}");
	for (uint64_t i = 0; i < number(args, "many", 1) && i < MANY_MAX; i++) {
		r.url = hole == NULL ? args[1]
				     : hf_sprintf(a, "%.*s%llu%s", (int)(hole - args[1]), args[1],
					       (unsigned long long)i, hole + 3);
		hf_http_start(http, &r, http_done, &m);
	}
	if (options.loop != NULL)
		loop_run(&loop, http);
	else if (hf_http_run(http, &err) < 0)
		return 2;
	print(option(args, "many") != NULL ? m.answers : hf_list_at(m.answers, 0));
	return 0;
}

/* --- s3 --- */

static int s3_request(
	struct hf_arena *a, struct hf_s3 *s3, char **args, struct hf_value *out, struct hf_error *err)
{
	static const char *const names[] = {
		[HF_S3_GET] = "get", [HF_S3_HEAD] = "head", [HF_S3_PUT] = "put", [HF_S3_DELETE] = "delete"
	};
	const char *to = option(args, "to"), *from = option(args, "from");
	hf_auto_fd fd = to != NULL     ? open(to, O_RDWR | O_CREAT | O_CLOEXEC, 0600)
			: from != NULL ? open(from, O_RDONLY | O_CLOEXEC)
				       : -1;
	struct stat st = { 0 };
	if (from != NULL && fstat(fd, &st) < 0)
		return hf_fail_errno(err, HF_E_IO, "%s", from);
	struct hf_s3_request r = {
		.key = args[2],
		.body = hf_str(option(args, "body")),
		.body_fd = fd,
		.body_size = (uint64_t)st.st_size,
		.to_file = to != NULL,
		.to_fd = fd,
		.max = number(args, "max", 0),
		.deadline_ms = (uint32_t)number(args, "deadline", 0),
	};
	bool found = false;
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		if (strcmp(args[0], names[i]) == 0) {
			r.what = (enum hf_s3_what)i;
			found = true;
		}
	}
	if (!found)
		return hf_fail(err, HF_E_ARGUMENT, "%s", args[0]);
	r.if_none_match = option(args, "create") != NULL ? "*"
			  : r.what == HF_S3_GET          ? option(args, "etag")
							 : NULL;
	r.if_match = r.what == HF_S3_PUT ? option(args, "etag") : NULL;
	struct hf_s3_answer answer;
	int rc = hf_s3_fetch(s3, a, &r, &answer, err);
	if (rc < 0)
		return rc;
	hf_dict_put(out, "etag", hf_value_cstr(a, answer.etag));
	hf_dict_put(out, "not_modified", hf_value_bool(a, answer.not_modified));
	hf_dict_put(out, "size", hf_value_int(a, (int64_t)answer.size));
	hf_dict_put(out, "modified", hf_value_int(a, answer.modified));
	hf_dict_put(out, "body", hf_value_str(a, answer.body));
	return 0;
}

static int s3_list(
	struct hf_arena *a, struct hf_s3 *s3, char **args, struct hf_value *out, struct hf_error *err)
{
	struct hf_s3_objects objects;
	int rc = hf_s3_list(s3, a, args[2], (size_t)number(args, "max", 100000), &objects, err);
	if (rc < 0)
		return rc;
	struct hf_value *keys = hf_value_list(a);
	for (size_t i = 0; i < objects.n; i++)
		hf_list_append(keys, hf_value_cstr(a, objects.at[i].key));
	hf_dict_put(out, "keys", keys);
	return 0;
}

static int door_s3(struct hf_arena *a, char **args)
{
	struct hf_value *out = hf_value_dict(a);
	struct hf_error err = { 0 };
	struct hf_s3 *s3 = NULL;
	hf_auto_http http = NULL;
	hf_auto_credentials credentials = hf_credentials_new(&hf_aws_io_process);
	if (args[0] == NULL || args[1] == NULL || args[2] == NULL || hf_http_new(NULL, &http, &err) < 0)
		return 2;
	struct hf_aws aws = { http, credentials, -(int64_t)number(args, "skew", 0) };
	int rc = hf_s3_new(a, &aws, &hf_aws_io_process, args[1], option(args, "region"), &s3, &err);
	if (rc == 0)
		rc = strcmp(args[0], "list") == 0 ? s3_list(a, s3, args, out, &err)
						  : s3_request(a, s3, args, out, &err);
	if (rc < 0)
		fail_put(a, out, &err);
	hf_dict_put(out, "skew", hf_value_int(a, aws.skew));
	print(out);
	return 0;
}

/* --- identity --- */

static struct hf_value *text(struct hf_arena *a, const char *s)
{
	return s == NULL ? hf_value_null(a) : hf_value_cstr(a, s);
}

static int door_credentials(struct hf_arena *a, char **args)
{
	struct hf_value *out = hf_value_dict(a);
	struct hf_error err = { 0 };
	struct hf_aws_key key;
	const char *region;
	hf_auto_credentials c = hf_credentials_new(&hf_aws_io_process);
	if (hf_credentials_get(c, &key, &err) < 0) {
		fail_put(a, out, &err);
	} else {
		hf_dict_put(out, "access", text(a, key.access));
		hf_dict_put(out, "secret", text(a, key.secret));
		hf_dict_put(out, "token", text(a, key.token));
		hf_dict_put(out, "source", text(a, hf_credentials_source(c)));
		hf_dict_put(out, "expires", hf_value_int(a, hf_credentials_expires(c)));
	}
	if (hf_aws_region(a, &hf_aws_io_process, &region, &err) == 0)
		hf_dict_put(out, "region", text(a, region));
	else
		hf_dict_put(out, "region_error", text(a, err.text));
	print(out);
	return 0;
}

static int door_imds(struct hf_arena *a, char **args)
{
	struct hf_value *out = hf_value_dict(a), *tags;
	struct hf_error err = { 0 };
	struct hf_imds_identity id;
	hf_auto_imds m = NULL;
	if (hf_imds_new(&hf_aws_io_process, &m, &err) < 0 || hf_imds_identity(m, a, &id, &err) < 0 ||
		hf_imds_tags(m, a, &tags, &err) < 0) {
		fail_put(a, out, &err);
	} else {
		hf_dict_put(out, "instance_id", text(a, id.instance_id));
		hf_dict_put(out, "region", text(a, id.region));
		hf_dict_put(out, "zone", text(a, id.zone));
		hf_dict_put(out, "tags", tags);
	}
	print(out);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct hf_arena *a, char **args);
	} doors[] = { { "http", door_http }, { "s3", door_s3 }, { "credentials", door_credentials },
		{ "imds", door_imds } };
	hf_auto_arena a = hf_arena_new();
	for (size_t i = 0; argc > 1 && i < HF_COUNT(doors); i++)
		if (strcmp(argv[1], doors[i].name) == 0)
			return doors[i].run(a, argv + 2);
	fprintf(stderr, "net_door: what?\n");
	return 2;
}
