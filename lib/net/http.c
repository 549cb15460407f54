#include "lib/net/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "lib/base/curl_late.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/net/http_transfer.h"

enum { POLL_MS = 1000, IDLE_CONNECTIONS = 8 };

struct hf_http {
	CURLM *multi;
	struct hf_http_options options;
	struct hf_http_loop loop;
	bool has_loop;
	struct hf_http_transfer *first, *last;
	size_t total, active;
	int64_t curl_due; /* monotonic ms when libcurl wants to be called; -1: not */
	bool broken;      /* the loop refused a watch */
	struct hf_arena *arena;
};

/* --- the loop's side --- */

static int on_watch(CURL *easy, curl_socket_t fd, int what, void *data, void *unused)
{
	static const unsigned bits[] = {
		[CURL_POLL_IN] = HF_HTTP_READ,
		[CURL_POLL_OUT] = HF_HTTP_WRITE,
		[CURL_POLL_INOUT] = HF_HTTP_READ | HF_HTTP_WRITE,
		[CURL_POLL_REMOVE] = 0,
	};
	struct hf_http *h = data;
	unsigned want = what >= 0 && (size_t)what < HF_COUNT(bits) ? bits[what] : 0;
	if (h->loop.watch(h->loop.data, fd, want) < 0)
		h->broken = true;
	return 0;
}

/* One timer serves libcurl and the waits between attempts. */
static void timer_update(struct hf_http *h)
{
	if (!h->has_loop)
		return;
	int64_t due = h->curl_due;
	for (const struct hf_http_transfer *t = h->first; t != NULL; t = t->next) {
		if (t->state == TRANSFER_WAITING && (due < 0 || (int64_t)t->due_ms < due))
			due = (int64_t)t->due_ms;
		else if (t->state == TRANSFER_QUEUED && h->active < h->options.parallel)
			due = 0;
	}
	int64_t now = (int64_t)hf_time_monotonic_ms();
	if (h->loop.timer(h->loop.data, due < 0 ? -1 : due > now ? due - now : 0) < 0)
		h->broken = true;
}

static int on_timer(CURLM *multi, long ms, void *data)
{
	struct hf_http *h = data;
	h->curl_due = ms < 0 ? -1 : (int64_t)hf_time_monotonic_ms() + ms;
	timer_update(h);
	return 0;
}

/* --- life --- */

int hf_http_new(const struct hf_http_options *options, struct hf_http **ret, struct hf_error *err)
{
	int result = hf_curl_ready(err);
	if (result < 0)
		return result;
	CURLM *multi = curl_multi_init();
	if (multi == NULL)
		return hf_fail(err, HF_E_INTERNAL, "libcurl has no memory");
	struct hf_arena *arena = hf_arena_new();
	struct hf_http *h = hf_new(arena, struct hf_http);
	h->arena = arena;
	h->multi = multi;
	h->curl_due = -1;
	if (options != NULL)
		h->options = *options;
	if (h->options.parallel == 0)
		h->options.parallel = HF_HTTP_PARALLEL;
	h->options.user_agent = h->options.user_agent == NULL ? PACKAGE_NAME "/" PACKAGE_VERSION
							      : hf_strdup(arena, h->options.user_agent);
	if (h->options.ca_pem.n > 0)
		h->options.ca_pem.p = hf_strndup(arena, h->options.ca_pem.p, h->options.ca_pem.n);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
	if (h->options.loop != NULL) {
		h->loop = *h->options.loop;
		h->has_loop = true;
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch);
		curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, h);
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
		curl_multi_setopt(multi, CURLMOPT_TIMERDATA, h);
	}
	*ret = h;
	return 0;
}

static void transfer_stop(struct hf_http_transfer *t)
{
	struct hf_http *h = t->http;
	if (t->state == TRANSFER_ACTIVE) {
		curl_multi_remove_handle(h->multi, t->easy);
		h->active--;
	}
	transfer_close(t);
}

static void transfer_free(struct hf_http_transfer *t)
{
	struct hf_http *h = t->http;
	transfer_stop(t);
	*(t->previous == NULL ? &h->first : &t->previous->next) = t->next;
	*(t->next == NULL ? &h->last : &t->next->previous) = t->previous;
	h->total--;
	if (t->request.release != NULL)
		t->request.release(t->request.data);
	hf_buf_done(&t->body);
	hf_arena_free(t->arena);
}

struct hf_http *hf_http_free(struct hf_http *h)
{
	if (h == NULL)
		return NULL;
	while (h->first != NULL)
		transfer_free(h->first);
	curl_multi_cleanup(h->multi);
	hf_arena_free(h->arena);
	return NULL;
}

size_t hf_http_active(const struct hf_http *h)
{
	return h->total;
}

void hf_http_cancel(struct hf_http_transfer *t)
{
	struct hf_http *h = t->http;
	transfer_free(t);
	timer_update(h);
}

static void request_copy(struct hf_arena *a, struct hf_http_request *r)
{
	const char **const texts[] = { &r->method, &r->url, &r->ca_file, &r->client_cert, &r->client_key,
		&r->user, &r->password, &r->unix_socket };
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		*texts[i] = hf_strdup(a, *texts[i]);
	struct hf_http_header *headers = hf_new_array(a, r->n_headers, struct hf_http_header);
	for (size_t i = 0; i < r->n_headers; i++) {
		headers[i].name = hf_strdup(a, r->headers[i].name);
		headers[i].value = hf_strdup(a, r->headers[i].value);
	}
	r->headers = headers;
	if (r->body.n > 0)
		r->body_size = r->body.n;
	if (r->attempts == 0)
		r->attempts = HF_HTTP_ATTEMPTS;
	if (r->attempts > HF_HTTP_ATTEMPTS_MAX)
		r->attempts = HF_HTTP_ATTEMPTS_MAX;
	if (r->repeat == HF_HTTP_ONCE)
		r->attempts = 1;
}

struct hf_http_transfer *hf_http_start(
	struct hf_http *h, const struct hf_http_request *r, hf_http_done done, void *data)
{
	struct hf_arena *arena = hf_arena_new();
	struct hf_http_transfer *t = hf_new(arena, struct hf_http_transfer);
	t->arena = arena;
	t->http = h;
	t->request = *r;
	request_copy(arena, &t->request);
	t->done = done;
	t->data = data;
	t->body = hf_buf_init(
		r->max_body > HF_HTTP_ERROR_BODY_MAX && !r->to_file ? (size_t)r->max_body : HF_HTTP_BODY_MAX);
	t->response.arena = arena;
	t->response.method = t->request.method == NULL ? "GET" : t->request.method;
	t->response.place = t->response.url = t->request.url;
	t->start_offset = r->to_file ? lseek(r->to_fd, 0, SEEK_CUR) : 0;
	t->previous = h->last;
	*(h->last == NULL ? &h->first : &h->last->next) = t;
	h->last = t;
	h->total++;
	timer_update(h);
	return t;
}

/* --- attempts --- */

static void transfer_finish(struct hf_http_transfer *t)
{
	transfer_stop(t);
	t->state = TRANSFER_WAITING; /* no longer libcurl's */
	t->response.ms = hf_time_monotonic_ms() - t->started_ms;
	t->done(&t->response, t->failed ? &t->failure : NULL, t->data);
	transfer_free(t);
}

static void transfer_go(struct hf_http *h, struct hf_http_transfer *t)
{
	if (t->started_ms == 0) { /* time spent in the queue does not count */
		t->started_ms = hf_time_monotonic_ms();
		t->deadline_ms = t->started_ms +
				 (t->request.deadline_ms == 0 ? HF_HTTP_DEADLINE_MS : t->request.deadline_ms);
	}
	struct hf_error failure = { 0 };
	if (transfer_open(t, &h->options, &failure) < 0) {
		t->failed = true;
		t->failure = failure;
		transfer_finish(t);
		return;
	}
	t->state = TRANSFER_ACTIVE;
	h->active++;
	CURLMcode code = curl_multi_add_handle(h->multi, t->easy);
	if (code != CURLM_OK) {
		t->failed = true;
		hf_fail(&t->failure, HF_E_INTERNAL, "libcurl: %s", curl_multi_strerror(code));
		transfer_finish(t);
	}
}

static uint64_t random_below(uint64_t bound)
{
	uint64_t r = 0;
	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
		r = hf_time_monotonic_ms() * 0x9E3779B97F4A7C15ull >> 20;
	return r % (bound + 1);
}

/* Full jitter: a thousand hosts that failed together do not come back together. */
static uint64_t wait_ms(const struct hf_http_transfer *t, enum hf_http_verdict verdict)
{
	if (verdict == HF_HTTP_AGAIN)
		return 0;
	uint64_t base = verdict == HF_HTTP_SLOW ? HF_HTTP_BACKOFF_SLOW_MS : HF_HTTP_BACKOFF_MS;
	unsigned shift = t->response.attempts < 10 ? t->response.attempts : 10;
	uint64_t most = base << shift;
	uint64_t wait = random_below(most < HF_HTTP_BACKOFF_MAX_MS ? most : HF_HTTP_BACKOFF_MAX_MS);
	int64_t asked = hf_http_retry_after(&t->response.headers);
	if (asked >= 0 && (uint64_t)asked * 1000 > wait)
		wait = (uint64_t)asked * 1000 + random_below(HF_HTTP_BACKOFF_MS);
	return wait;
}

static enum hf_http_verdict transfer_judge(struct hf_http_transfer *t, CURLcode code)
{
	if (transfer_failed(t, code))
		return transfer_may_repeat(t, code) ? HF_HTTP_RETRY : HF_HTTP_DONE;
	if (t->request.repeat == HF_HTTP_ONCE)
		return HF_HTTP_DONE;
	enum hf_http_verdict verdict = t->request.judge == NULL
					       ? hf_http_judge(&t->response, NULL)
					       : t->request.judge(&t->response, t->request.data);
	int status = t->response.status;
	if (verdict == HF_HTTP_RETRY && t->request.repeat == HF_HTTP_REPEAT_UNSENT && status >= 500)
		return HF_HTTP_DONE;
	return verdict;
}

static void transfer_ended(struct hf_http_transfer *t, CURLcode code)
{
	enum hf_http_verdict verdict = transfer_judge(t, code);
	uint64_t now = hf_time_monotonic_ms();
	if (verdict != HF_HTTP_DONE && t->response.attempts < t->request.attempts) {
		uint64_t due = now + wait_ms(t, verdict);
		if (due < t->deadline_ms) {
			transfer_stop(t);
			t->state = TRANSFER_WAITING;
			t->due_ms = due;
			return;
		}
	}
	if (t->failed && t->response.attempts > 1)
		hf_wrap(&t->failure, "after %u attempts", t->response.attempts);
	transfer_finish(t);
}

static void collect(struct hf_http *h)
{
	CURLMsg *m;
	int left;
	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		struct hf_http_transfer *t = NULL;
		CURLcode code = m->data.result; /* m dies with the handle */
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		transfer_ended(t, code);
	}
}

/* Put to work whatever is due and has room. Restarts from the front because done() may change the list. */
static void dispatch(struct hf_http *h)
{
	bool again = true;
	while (again && h->active < h->options.parallel) {
		again = false;
		uint64_t now = hf_time_monotonic_ms();
		for (struct hf_http_transfer *t = h->first; t != NULL && !again; t = t->next) {
			if (t->state == TRANSFER_QUEUED ||
				(t->state == TRANSFER_WAITING && t->due_ms <= now)) {
				transfer_go(h, t);
				again = true;
			}
		}
	}
}

static int64_t next_due(const struct hf_http *h, uint32_t wait_ms)
{
	uint64_t now = hf_time_monotonic_ms(), due = now + wait_ms;
	for (const struct hf_http_transfer *t = h->first; t != NULL; t = t->next)
		if (t->state == TRANSFER_WAITING && t->due_ms < due)
			due = t->due_ms;
	return due > now ? (int64_t)(due - now) : 0;
}

int hf_http_turn(struct hf_http *h, uint32_t wait_ms, struct hf_error *err)
{
	int running = 0;
	if (h->has_loop)
		return hf_fail(err, HF_E_INTERNAL, "a client that belongs to a loop cannot block");
	size_t before = h->total;
	dispatch(h);
	CURLMcode code = curl_multi_perform(h->multi, &running);
	if (code != CURLM_OK)
		return hf_fail(err, HF_E_INTERNAL, "libcurl: %s", curl_multi_strerror(code));
	collect(h);
	dispatch(h);
	if (h->first != NULL && h->total >= before)
		curl_multi_poll(h->multi, NULL, 0, (int)next_due(h, wait_ms), NULL);
	return 0;
}

int hf_http_run(struct hf_http *h, struct hf_error *err)
{
	while (h->first != NULL) {
		int rc = hf_http_turn(h, POLL_MS, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The loop took no watch or timer: nothing would ever wake these transfers. */
static void fail_all(struct hf_http *h)
{
	for (size_t n = h->total; n > 0 && h->first != NULL; n--) {
		h->first->failed = true;
		hf_fail(&h->first->failure, HF_E_INTERNAL, "%s: the event loop refused a watch",
			h->first->response.place);
		transfer_finish(h->first);
	}
	h->broken = false;
}

static void loop_turn(struct hf_http *h)
{
	collect(h);
	dispatch(h);
	if (h->broken)
		fail_all(h);
	timer_update(h);
}

void hf_http_ready(struct hf_http *h, int fd, unsigned what)
{
	int running, bits = ((what & HF_HTTP_READ) != 0 ? CURL_CSELECT_IN : 0) |
			    ((what & HF_HTTP_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	curl_multi_socket_action(h->multi, fd, bits, &running);
	loop_turn(h);
}

void hf_http_expired(struct hf_http *h)
{
	int running;
	if (h->curl_due >= 0 && h->curl_due <= (int64_t)hf_time_monotonic_ms()) {
		h->curl_due = -1;
		curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	loop_turn(h);
}

/* --- one request --- */

struct fetch {
	struct hf_arena *arena;
	struct hf_http_response *ret;
	struct hf_error *err;
	int rc;
};

static void fetch_done(const struct hf_http_response *r, const struct hf_error *failure, void *data)
{
	struct fetch *f = data;
	if (failure != NULL) {
		f->rc = -(int)failure->code;
		if (f->err != NULL)
			*f->err = *failure;
		return;
	}
	f->rc = 0;
	hf_http_response_copy(f->arena, r, f->ret);
}

int hf_http_fetch(struct hf_http *h, struct hf_arena *a, const struct hf_http_request *r,
	struct hf_http_response *ret, struct hf_error *err)
{
	struct fetch f = { a, ret, err, -HF_E_INTERNAL };
	hf_http_start(h, r, fetch_done, &f);
	if (hf_http_run(h, err) < 0)
		return err == NULL ? -HF_E_INTERNAL : -(int)err->code;
	return f.rc;
}
