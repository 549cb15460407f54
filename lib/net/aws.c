#include "lib/net/aws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"

struct work {
	struct hf_aws *aws;
	struct hf_arena *arena;
	struct hf_aws_call call;
	hf_aws_done done;
	bool clock_set, credentials_dropped, sent;
};

static int sign(struct work *w, struct hf_http_attempt *t, const char *host, struct hf_error *err)
{
	struct hf_aws_call *c = &w->call;
	struct hf_aws_key key = { 0 };
	if (hf_credentials_get(w->aws->credentials, &key, err) < 0)
		return -(int)err->code;
	char hex[HF_SHA256_HEX];
	const char *hash = c->payload_hash;
	if (hash == NULL) {
		struct hf_digest d = hf_sha256(c->body);
		hash = hf_digest_hex(&d, hex);
	}
	*hf_vec_push(t->arena, &t->headers) = (struct hf_http_header){ "host", host };
	const struct hf_sigv4 s = {
		.method = c->method,
		.path = c->path,
		.query = c->query,
		.headers = t->headers.at,
		.n_headers = t->headers.n,
		.payload_hash = hash,
		.region = c->region,
		.service = c->service,
		.time = hf_time_now() + w->aws->skew,
		.key = key,
		.s3 = c->s3,
		.hash_header = c->s3,
	};
	struct hf_sigv4_signed out;
	if (hf_sigv4_header(t->arena, &s, &out, err) < 0)
		return -(int)err->code;
	for (size_t i = 0; i < out.added.n; i++)
		*hf_vec_push(t->arena, &t->headers) = out.added.at[i];
	return 0;
}

static int on_prepare(struct hf_http_attempt *t, void *data, struct hf_error *err)
{
	struct work *w = data;
	struct hf_aws_call *c = &w->call;
	const char *host = strstr(c->endpoint, "://");
	if (host == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "endpoint \"%s\" is not a URL", c->endpoint);
	host += 3;
	host = hf_strndup(t->arena, host, strcspn(host, "/"));
	t->url = hf_sprintf(t->arena, "%s%s%s%s", c->endpoint, c->path, c->query == NULL ? "" : "?",
		c->query == NULL ? "" : c->query);
	if (w->aws->credentials == NULL || c->anonymous)
		return 0;
	if (sign(w, t, host, err) < 0)
		return hf_wrap(err, "%s %s", c->method, host);
	return 0;
}

/* Our clock against the server's, when a refusal may be about it. */
static bool clock_correct(struct work *w, const struct hf_http_response *r)
{
	const char *date = hf_http_header(&r->headers, "date");
	int64_t theirs;
	if (w->clock_set || date == NULL || !hf_http_date_parse(date, &theirs))
		return false;
	int64_t skew = theirs - hf_time_now();
	if (llabs((long long)(skew - w->aws->skew)) < HF_AWS_SKEW_MIN)
		return false;
	w->aws->skew = skew;
	w->clock_set = true;
	return true;
}

static bool code_in(const char *code, const char *const *codes)
{
	for (size_t i = 0; code != NULL && codes[i] != NULL; i++)
		if (strcmp(code, codes[i]) == 0)
			return true;
	return false;
}

static enum hf_http_verdict on_judge(const struct hf_http_response *r, void *data)
{
	static const char *const expired[] = { "ExpiredToken", "ExpiredTokenException", "InvalidToken",
		"RequestExpired", NULL };
	struct work *w = data;
	struct hf_aws_answer answer;
	if (r->status < 300)
		return HF_HTTP_DONE;
	hf_aws_error_read(r->arena, r, &answer);
	/* A HEAD is refused without a document: a clock that is far off is reason enough. */
	if ((r->status == 400 || r->status == 401 || r->status == 403) && clock_correct(w, r))
		return HF_HTTP_AGAIN;
	if (code_in(answer.code, expired) && w->aws->credentials != NULL && !w->credentials_dropped &&
		hf_credentials_drop(w->aws->credentials)) {
		w->credentials_dropped = true;
		return HF_HTTP_AGAIN;
	}
	if (w->call.judge != NULL) {
		enum hf_http_verdict verdict = w->call.judge(&w->call, &answer, w->call.data);
		if (verdict != HF_HTTP_DONE)
			return verdict;
	}
	return hf_aws_judge(&answer);
}

static void on_done(const struct hf_http_response *r, const struct hf_error *failure, void *data)
{
	struct work *w = data;
	struct hf_aws_answer answer = { .http = r };
	if (failure == NULL && r->status >= 300)
		hf_aws_error_read(r->arena, r, &answer);
	w->done(&answer, failure, w->call.data);
}

static void on_release(void *data)
{
	struct work *w = data;
	if (w->call.release != NULL)
		w->call.release(w->call.data);
	hf_arena_free(w->arena);
}

struct hf_http_transfer *hf_aws_start(struct hf_aws *aws, const struct hf_aws_call *call, hf_aws_done done)
{
	struct hf_arena *arena = hf_arena_new();
	struct work *w = hf_new(arena, struct work);
	w->aws = aws;
	w->arena = arena;
	w->call = *call;
	w->done = done;
	struct hf_aws_call *c = &w->call;
	c->method = hf_strdup(arena, call->method == NULL ? "GET" : call->method);
	c->path = hf_strdup(arena, call->path == NULL ? "/" : call->path);
	const char **const texts[] = { &c->service, &c->region, &c->endpoint, &c->query, &c->payload_hash };
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		*texts[i] = hf_strdup(arena, *texts[i]);
	const struct hf_http_request r = {
		.method = c->method,
		.url = c->endpoint,
		.headers = call->headers,
		.n_headers = call->n_headers,
		.body = call->body,
		.body_fd = call->body_fd,
		.body_size = call->body_size,
		.to_file = call->to_file,
		.to_fd = call->to_fd,
		.max_body = call->max_body,
		.deadline_ms = call->deadline_ms,
		.attempt_ms = call->attempt_ms,
		.attempts = call->attempts,
		.repeat = call->repeat,
		.prepare = on_prepare,
		.judge = on_judge,
		.release = on_release,
		.data = w,
	};
	return hf_http_start(aws->http, &r, on_done, w);
}

/* --- blocking --- */

struct fetch {
	struct hf_arena *arena;
	struct hf_aws_answer *ret;
	struct hf_error *err;
	int rc;
};

static void fetch_done(const struct hf_aws_answer *answer, const struct hf_error *failure, void *data)
{
	struct fetch *f = data;
	if (failure != NULL) {
		f->rc = -(int)failure->code;
		if (f->err != NULL)
			*f->err = *failure;
		return;
	}
	struct hf_http_response *r = hf_new(f->arena, struct hf_http_response);
	hf_http_response_copy(f->arena, answer->http, r);
	*f->ret = (struct hf_aws_answer){ r, hf_strdup(f->arena, answer->code),
		hf_strdup(f->arena, answer->message), hf_strdup(f->arena, answer->request_id) };
	f->rc = 0;
}

int hf_aws_fetch(struct hf_aws *aws, struct hf_arena *a, const struct hf_aws_call *call,
	struct hf_aws_answer *ret, struct hf_error *err)
{
	struct fetch f = { a, ret, err, -HF_E_INTERNAL };
	struct hf_aws_call mine = *call;
	if (call->judge != NULL)
		return hf_fail(err, HF_E_INTERNAL, "hf_aws_fetch() takes no judge");
	mine.data = &f;
	hf_aws_start(aws, &mine, fetch_done);
	if (hf_http_run(aws->http, err) < 0)
		return -HF_E_INTERNAL;
	return f.rc;
}
