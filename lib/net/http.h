/* lib/net/http.h - HTTP(S) requests, many at once, blocking or on a loop that belongs to somebody else.
 * Owns:  struct hf_http owns its connections and transfers. A request is copied when it is started, except
 * its body and what its hooks point at: those stay valid until done() was called. Loop:  without hooks,
 * hf_http_run() or hf_http_fetch() block until everything is finished. With hooks (hf_http_loop) the owner of
 * the loop calls hf_http_ready() and hf_http_expired(), and nothing here ever blocks but name resolution
 * inside libcurl's own thread. Fails: HF_E_NET transport, HF_E_TIMEOUT a deadline or a stalled answer,
 * HF_E_LIMIT an answer past its bound. A status of 400 and more is an answer, not a failure: hf_http_expect()
 * turns it into one. Not thread-safe. Redirects are off, TLS is at least 1.2, proxies come from the
 * environment only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"

enum {
	HF_HTTP_BODY_MAX = 16 << 20, /* of an answer kept in memory, unless the request says otherwise */
	HF_HTTP_ERROR_BODY_MAX = 64 << 10, /* of an error document; the rest is dropped */
	HF_HTTP_HEADERS_MAX = 128,
	HF_HTTP_HEADER_BYTES_MAX = 64 << 10,
	HF_HTTP_ATTEMPTS = 5,
	HF_HTTP_ATTEMPTS_MAX = 50,
	HF_HTTP_REDIRECTS_MAX = 10,
	HF_HTTP_DEADLINE_MS = 120000,
	HF_HTTP_CONNECT_MS = 10000,
	HF_HTTP_STALL_S = 20, /* fewer than HF_HTTP_STALL_BYTES a second for so long: given up */
	HF_HTTP_STALL_BYTES = 256,
	HF_HTTP_PARALLEL = 8,
	HF_HTTP_BACKOFF_MS = 100,       /* the n-th wait is random below BACKOFF * 2^n */
	HF_HTTP_BACKOFF_SLOW_MS = 1000, /* after SlowDown, 429, 503 */
	HF_HTTP_BACKOFF_MAX_MS = 20000,
};

struct hf_http;
struct hf_http_transfer;

struct hf_http_header {
	const char *name, *value;
};
struct hf_http_headers {
	struct hf_http_header *at; /* an HF_VEC */
	size_t n, room;
};

enum hf_http_ready { HF_HTTP_READ = 1, HF_HTTP_WRITE = 2 };

/* Hooks into somebody's loop. watch: tell me when fd is ready for `what`; 0 forgets fd. timer: call
 * hf_http_expired() after ms; -1 stops it. Both return <0 when the loop refuses; transfers then fail. */
struct hf_http_loop {
	int (*watch)(void *data, int fd, unsigned what);
	int (*timer)(void *data, int64_t ms);
	void *data;
};

struct hf_http_options {
	const struct hf_http_loop *loop; /* copied; NULL: blocking */
	unsigned parallel;               /* transfers at work at once; 0: HF_HTTP_PARALLEL */
	struct hf_str ca_pem;   /* trusted certificates as text, so that no file is opened; empty: system's */
	const char *user_agent; /* NULL: holdfast/VERSION */
};

struct hf_http_response {
	struct hf_arena *arena; /* the transfer's; what must outlive done() is copied out */
	int status;
	struct hf_http_headers headers; /* of the last answer, in order */
	struct hf_str body;             /* terminated; empty when the body went to to_fd */
	uint64_t received;              /* bytes of the body, wherever they went */
	unsigned attempts;
	uint64_t ms;
	const char *method, *place; /* place: host and path, for messages; never the query */
	const char *url;            /* where the answer came from, after redirects */
};

/* One try, before it is sent: prepare() may replace the URL and the headers, which start as the request's. */
struct hf_http_attempt {
	struct hf_arena *arena;
	unsigned number; /* 1 is the first */
	const char *url;
	struct hf_http_headers headers;
};

enum hf_http_verdict {
	HF_HTTP_DONE,  /* the answer is final */
	HF_HTTP_RETRY, /* again after a short wait */
	HF_HTTP_SLOW,  /* again after a long wait: the server is overloaded */
	HF_HTTP_AGAIN, /* again at once: prepare() will do something different */
};

enum hf_http_repeat {
	HF_HTTP_REPEAT,        /* the request may be sent twice without harm */
	HF_HTTP_REPEAT_UNSENT, /* only when the server cannot have acted on it */
	HF_HTTP_ONCE,
};

struct hf_http_request {
	const char *method; /* NULL: GET */
	const char *url;
	const struct hf_http_header *headers;
	size_t n_headers;
	struct hf_str body;
	int body_fd; /* when body_size > 0 and body is empty: sent from its start with pread */
	uint64_t body_size;

	bool to_file; /* bodies of 2xx answers go to to_fd at its present offset, others to memory */
	int to_fd;
	uint64_t max_body; /* 0: HF_HTTP_BODY_MAX */

	uint32_t deadline_ms; /* for all attempts together; 0: HF_HTTP_DEADLINE_MS */
	uint32_t attempt_ms;  /* for one; 0: what is left */
	uint32_t connect_ms;  /* 0: HF_HTTP_CONNECT_MS */
	unsigned attempts;    /* 0: HF_HTTP_ATTEMPTS */
	enum hf_http_repeat repeat;

	bool follow;         /* redirects, never from https to http */
	bool direct;         /* never through a proxy */
	bool insecure;       /* do not check the server's certificate */
	const char *ca_file; /* instead of the system's certificates */
	const char *client_cert, *client_key;
	const char *user, *password; /* basic authentication */
	const char *unix_socket;

	/* All optional. prepare: <0 ends the transfer with err. judge: looks at an answer; NULL:
	 * hf_http_judge(). */
	int (*prepare)(struct hf_http_attempt *t, void *data, struct hf_error *err);
	enum hf_http_verdict (*judge)(const struct hf_http_response *r, void *data);
	void (*release)(void *data); /* the transfer ends, with or without done() */
	void *data;
};

/* failure is NULL when an answer came, whatever its status; otherwise r->status is that of the last answer or
 * 0. */
typedef void (*hf_http_done)(const struct hf_http_response *r, const struct hf_error *failure, void *data);

HF_CHECK int hf_http_new(const struct hf_http_options *options, struct hf_http **ret, struct hf_error *err);
struct hf_http *hf_http_free(
	struct hf_http *h); /* accepts NULL; transfers in flight end without done(); returns NULL */
static inline void hf_http_close(struct hf_http **h)
{
	*h = hf_http_free(*h);
}
#define hf_auto_http HF_CLEANUP(hf_http_close) struct hf_http *

/* Queue a request; done() is called later, never from inside. The handle is valid until then. */
struct hf_http_transfer *hf_http_start(
	struct hf_http *h, const struct hf_http_request *r, hf_http_done done, void *data);
void hf_http_cancel(struct hf_http_transfer *t); /* done() is not called */
size_t hf_http_active(const struct hf_http *h);

/* Blocking: until no transfer is left. Fails only when libcurl does. */
HF_CHECK int hf_http_run(struct hf_http *h, struct hf_error *err);
/* Blocking for wait_ms at most: whatever can be done now, or the next thing that happens. */
HF_CHECK int hf_http_turn(struct hf_http *h, uint32_t wait_ms, struct hf_error *err);
/* Blocking: one request and its answer in arena a. */
HF_CHECK int hf_http_fetch(struct hf_http *h, struct hf_arena *a, const struct hf_http_request *r,
	struct hf_http_response *ret, struct hf_error *err);

/* Everything of r in arena a, so that it outlives done(). */
void hf_http_response_copy(
	struct hf_arena *a, const struct hf_http_response *r, struct hf_http_response *ret);

/* From the loop. */
void hf_http_ready(struct hf_http *h, int fd, unsigned what);
void hf_http_expired(struct hf_http *h);

/* First header of that name in any case; NULL when there is none. */
const char *hf_http_header(const struct hf_http_headers *headers, const char *name);
/* The usual judgement: 408, 500, 502, 504 again; 429, 503 slowly; everything else is final. */
enum hf_http_verdict hf_http_judge(const struct hf_http_response *r, void *unused);
/* Seconds to wait named by Retry-After (seconds or a date); -1 when absent or senseless. */
int64_t hf_http_retry_after(const struct hf_http_headers *headers);
/* "Sat, 21 Nov 2026 05:50:37 GMT" to seconds since the epoch. */
bool hf_http_date_parse(const char *text, int64_t *ret);
/* 0 for 2xx; otherwise "PUT host/path: 403 DETAIL" with a fitting code. detail may be NULL. */
HF_CHECK int hf_http_expect(const struct hf_http_response *r, const char *detail, struct hf_error *err);
