/* Calls to AWS from fibers: one goes on when its answer is there, the others meanwhile. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "provisioner/resource.h"

enum {
	RETRY_SECONDS = 180,
	RETRY_FIRST_MS = 500,
	RETRY_MOST_MS = 8000,
	CALL_DEADLINE_MS = 180000,
	CALL_ATTEMPTS = 14,
	PACE_FIRST_MS = 20,
	PACE_MOST_MS = 1000,
};

/* How fast a service takes calls: it says so by refusing some. The gap between two doubles with every
 * refusal, and halves with every answer. */
struct pace {
	uint32_t gap_ms;
	uint64_t next_ms; /* no call before */
};

struct wait {
	struct hf_engine *engine;
	struct hf_arena *arena;
	const struct hf_service *service;
	struct hf_fiber *fiber; /* NULL: nobody waits, the call blocks */
	bool done;
	struct pace *pace;
	struct reply *reply;
	int rc;
	struct hf_error failure;
};

static void call_done(const struct hf_aws_answer *answer, const struct hf_error *failure, void *data)
{
	struct wait *w = data;
	w->done = true;
	if (failure != NULL) {
		w->failure = *failure;
		w->rc = -(int)failure->code;
	} else {
		w->rc = hf_aws_expect(answer, &w->failure);
		w->reply->code = hf_strdup(w->arena, answer->code);
		w->reply->message = hf_strdup(w->arena, answer->message);
		if (w->rc == 0)
			w->rc = hf_wire_answer(
				w->arena, w->service, answer->http, &w->reply->doc, &w->failure);
	}
	if (w->fiber != NULL)
		hf_fiber_wake(w->fiber);
}

/* Looks at every attempt, also those that are repeated. */
static enum hf_http_verdict call_judge(
	struct hf_aws_call *call, const struct hf_aws_answer *answer, void *data)
{
	struct wait *w = data;
	struct pace *p = w->pace;
	if (hf_aws_judge(answer) == HF_HTTP_SLOW) {
		p->gap_ms = p->gap_ms * 2 < PACE_FIRST_MS ? PACE_FIRST_MS : p->gap_ms * 2;
		p->gap_ms = p->gap_ms > PACE_MOST_MS ? PACE_MOST_MS : p->gap_ms;
	} else {
		p->gap_ms /= 2;
	}
	return HF_HTTP_DONE;
}

static struct pace *pace_of(struct hf_engine *e, const struct hf_service *service)
{
	struct pace *p = hf_map_get(&e->paces, service->name);
	if (p == NULL) {
		p = hf_new(e->arena, struct pace);
		hf_map_set(&e->paces, service->name, p);
	}
	return p;
}

/* Its turn: calls to one service leave one gap after the other. */
static void pace_wait(struct hf_engine *e, struct pace *p)
{
	uint64_t now = hf_time_monotonic_ms(), start = p->next_ms > now ? p->next_ms : now;
	p->next_ms = start + p->gap_ms;
	if (start > now && hf_fiber_self(e->fibers) != NULL)
		hf_fiber_sleep(e->fibers, (uint32_t)(start - now));
}

static int endpoint_of(struct hf_engine *e, const struct hf_service *service,
	const struct hf_aws_endpoint **ret, struct hf_error *err)
{
	struct hf_aws_endpoint *endpoint = hf_map_get(&e->endpoints, service->name);
	if (endpoint == NULL) {
		endpoint = hf_new(e->arena, struct hf_aws_endpoint);
		int rc = hf_aws_endpoint(e->arena, &hf_aws_io_process, service->name, service->prefix,
			e->region, endpoint, err);
		if (rc < 0)
			return rc;
		hf_map_set(&e->endpoints, service->name, endpoint);
	}
	*ret = endpoint;
	return 0;
}

static int call_once(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *operation, const struct hf_value *context, struct reply *ret,
	struct hf_error *err)
{
	const struct hf_aws_endpoint *endpoint = NULL;
	struct hf_aws_call call = {
		.deadline_ms = CALL_DEADLINE_MS, .attempts = CALL_ATTEMPTS, .judge = call_judge
	};
	if (operation == spec->create && hf_spec_dedupe(spec) == HF_DEDUPE_TAG)
		call.repeat = HF_HTTP_REPEAT_UNSENT; /* a second one would be made */
	int rc = hf_wire_request(a, spec->service, operation, context, &call, err);
	if (rc == 0)
		rc = endpoint_of(e, spec->service, &endpoint, err);
	if (rc < 0)
		return rc;
	call.endpoint = endpoint->base;
	call.region = endpoint->region;
	struct wait w = { .engine = e,
		.arena = a,
		.service = spec->service,
		.fiber = hf_fiber_self(e->fibers),
		.pace = pace_of(e, spec->service),
		.reply = ret };
	call.data = &w;
	*ret = (struct reply){ .doc = hf_value_dict(a) };
	pace_wait(e, w.pace);
	hf_aws_start(&e->aws, &call, call_done);
	while (!w.done) {
		if (w.fiber != NULL)
			hf_fiber_wait(e->fibers);
		else if (hf_http_turn(e->http, 1000, err) < 0)
			return -HF_E_INTERNAL;
	}
	if (w.rc < 0 && err != NULL)
		*err = w.failure;
	return w.rc;
}

bool reply_in(const struct hf_value *operation, const char *list, const struct reply *reply)
{
	const struct hf_value *codes = hf_dict_get(operation, list);
	for (size_t i = 0; hf_is(codes, HF_LIST) && reply->code != NULL && i < hf_list_len(codes); i++) {
		struct hf_str row = hf_list_at(codes, i)->u.string;
		size_t n = strcspn(row.p, ":");
		if (!hf_str_is(hf_strn(row.p, n), reply->code))
			continue;
		if (row.p[n] == '\0' ||
			(reply->message != NULL && strstr(reply->message, row.p + n + 1) != NULL))
			return true;
	}
	return false;
}

int engine_call(struct hf_engine *e, struct hf_arena *a, const struct hf_spec *spec,
	const struct hf_value *operation, const struct hf_value *context, struct reply *ret,
	struct hf_error *err)
{
	uint64_t until = hf_time_monotonic_ms() +
			 (uint64_t)hf_dict_int(operation, "retry_seconds", RETRY_SECONDS) * 1000;
	uint32_t wait = RETRY_FIRST_MS;
	*ret = (struct reply){ 0 }; /* callers look at it after a failure, too: also one before the call */
	for (;;) {
		int rc = call_once(e, a, spec, operation, context, ret, err);
		if (rc == 0)
			return 0;
		if (reply_in(operation, "ignore", ret)) {
			ret->code = NULL;
			return 0;
		}
		const char *name =
			hf_dict_cstr(operation, "operation", hf_dict_cstr(operation, "method", "call"));
		if (!reply_in(operation, "retry", ret) || hf_time_monotonic_ms() + wait > until)
			return hf_wrap(err, "%s %s", spec->service->name, name);
		hf_fiber_sleep(e->fibers, wait);
		wait = wait * 2 < RETRY_MOST_MS ? wait * 2 : RETRY_MOST_MS;
	}
}
