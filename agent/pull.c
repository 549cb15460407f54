#include "agent/pull.h"

#include <signal.h>
#include <stdlib.h>

#include "agent/fetch.h"
#include "agent/first.h"
#include "agent/report.h"
#include "agent/timeline.h"
#include "agent/turn.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum {
	DEADLINE_MS = 30 * 60 * 1000,
	STALE_POLLS = 3,
	ROOT_EVERY = 1 /* polls: a revocation counts within one */
};

struct hf_pull {
	struct hf_agent *agent;
	sd_event_source *timer;
	struct hf_child *child;
	struct hf_arena *arena; /* of the poll under way */
	struct hf_fetch fetch;
	bool again; /* a hint came while a poll was under way */
	bool version_noted;
	bool answered; /* the child has told how it ended */
	unsigned failures, polls;
	int64_t last;
	struct hf_buf trouble;
	struct hf_buf alarm; /* the refusal told last: the same one is not told again at every poll */
};

static void trouble_set(struct hf_pull *p, const char *text)
{
	hf_buf_clear(&p->trouble);
	hf_buf_puts(&p->trouble, text);
}

/* Trust read back from the database; all of it or none. */
static int trust_load(struct hf_state *state, struct hf_arena *a, struct hf_trust *t, struct hf_error *err)
{
	const char *root = NULL, *numbers = NULL;
	struct hf_value *v = NULL;
	int result;
	*t = (struct hf_trust){ 0 };
	if ((result = hf_state_get(state, a, "trust.root", &root, err)) < 0 ||
		(result = hf_state_get(state, a, "trust.numbers", &numbers, err)) < 0)
		return result;
	if (root == NULL || numbers == NULL)
		return 0;
	if ((result = hf_json_parse(a, hf_str(numbers), "trust.numbers", &v, err)) < 0)
		return result;
	t->root_bytes = hf_str(root);
	t->key_epoch = hf_dict_int(v, "epoch", 0);
	t->seq = hf_dict_int(v, "seq", 0);
	t->pointer_expires = hf_dict_int(v, "expires", 0);
	t->newest_issued = hf_dict_int(v, "issued", 0);
	if (!hf_digest_parse(hf_str(hf_dict_cstr(v, "pointer", "")), &t->pointer) ||
		!hf_digest_parse(hf_str(hf_dict_cstr(v, "release", "")), &t->release))
		return hf_fail(err, HF_E_INTERNAL, "stored trust is damaged");
	return 0;
}

static void trust_store(struct hf_pull *p, struct hf_value *line)
{
	struct hf_state *state = p->agent->state;
	hf_auto_buf numbers = hf_buf_init(4096);
	hf_auto_arena a = hf_arena_new();
	struct hf_value *rest = hf_value_shallow(a, line);
	struct hf_json_style style = HF_JSON_COMPACT;
	hf_dict_remove(rest, "root");
	hf_dict_remove(rest, "k");
	HF_MUST(hf_json_write(&numbers, rest, &style, err));
	HF_MUST(hf_state_begin(state, err));
	HF_MUST(hf_state_set(state, "trust.root", hf_dict_cstr(line, "root", ""), err));
	HF_MUST(hf_state_set(state, "trust.numbers", hf_buf_str(&numbers).p, err));
	/* A pointer accepted under an older root is looked at again: its signers may have lost their role. */
	HF_MUST(hf_state_set(state, "pointer.etag", NULL, err));
	HF_MUST(hf_state_commit(state, err));
}

/* A halt leaves what is installed; any other pointer says what is wanted. */
static void target_store(struct hf_pull *p, struct hf_value *line)
{
	struct hf_agent *agent = p->agent;
	hf_auto_buf text = hf_buf_init(HF_CHILD_LINE_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_target next = { 0 };
	bool halt = strcmp(hf_dict_cstr(line, "kind", ""), "halt") == 0;
	HF_MUST(hf_json_write(&text, line, &style, err));
	HF_MUST(hf_state_begin(agent->state, err));
	if (!halt)
		HF_MUST(hf_state_set(agent->state, "target", hf_buf_str(&text).p, err));
	HF_MUST(hf_state_set(
		agent->state, "halted", halt ? hf_dict_cstr(line, "reason", "halted") : NULL, err));
	HF_MUST(hf_state_set(agent->state, "pointer.etag", hf_dict_cstr(line, "etag", NULL), err));
	HF_MUST(hf_state_commit(agent->state, err));
	if (halt) {
		hf_log(HF_LOG_WARNING, "the channel is halted: %s", hf_dict_cstr(line, "reason", ""));
		return;
	}
	HF_MUST(hf_target_parse(hf_buf_str(&text).p, &next, err));
	const struct hf_log_field fields[] = { { "HF_RELEASE", next.release }, { NULL, NULL } };
	hf_log_fields(HF_LOG_NOTICE, fields, "the channel names release %s (seq %lld, %s)", next.name,
		(long long)next.seq, next.kind);
	hf_timeline_fetched(agent, hf_dict_int(line, "fetch_ms", 0), hf_dict_int(line, "verify_ms", 0));
	hf_target_replace(&agent->target, &next);
	hf_auto_arena a = hf_arena_new();
	const char *trouble = hf_turn_trouble(a, &agent->target);
	if (trouble != NULL)
		hf_report_alarm(agent, "bad-rollout", NULL, "release %s: %s", agent->target.name, trouble);
}

/* The version that was good for a poll; only rises, but for what the administrator allowed. */
static void version_note(struct hf_pull *p)
{
	hf_auto_arena a = hf_arena_new();
	const char *newest = NULL;
	if (p->version_noted)
		return;
	HF_MUST(hf_state_get(p->agent->state, a, "agent.newest", &newest, err));
	if (newest == NULL || strcmp(newest, PACKAGE_VERSION) != 0)
		HF_MUST(hf_state_set(p->agent->state, "agent.newest", PACKAGE_VERSION, err));
	p->version_noted = true;
}

static void poll_good(struct hf_pull *p)
{
	version_note(p);
	p->failures = 0;
	p->last = hf_time_now();
	hf_buf_clear(&p->alarm);
	hf_buf_done(&p->trouble);
}

static void failure_count(struct hf_pull *p, const char *text)
{
	p->failures++;
	hf_first_failed(p->agent, "", text);
	hf_log(p->failures == 1 ? HF_LOG_WARNING : HF_LOG_DEBUG, "store: %s", text);
	if (p->failures == STALE_POLLS)
		hf_report_alarm(p->agent, "store-unreachable", "store-unreachable", "%s", text);
}

static void poll_failed(struct hf_pull *p, const struct hf_value *line)
{
	const char *refusal = hf_dict_cstr(line, "refusal", ""),
		   *text = hf_dict_cstr(line, "text", "the poll failed");
	trouble_set(p, text);
	if (*refusal == '\0') {
		failure_count(p, text);
	} else if (!hf_str_is(hf_buf_str(&p->alarm), text)) {
		hf_buf_clear(&p->alarm);
		hf_buf_puts(&p->alarm, text);
		hf_report_alarm(p->agent, refusal, NULL, "%s", text);
		hf_first_failed(p->agent, refusal, text);
	}
}

static void on_line(void *data, struct hf_child *c, struct hf_str text)
{
	struct hf_pull *p = data;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *line = NULL;
	HF_MUST(hf_json_parse(a, text, "poll", &line, err));
	const char *kind = hf_dict_cstr(line, "k", "");
	if (strcmp(kind, "trust") == 0) {
		trust_store(p, line);
		hf_child_answer(c, 'y');
		return;
	}
	p->answered = true;
	if (strcmp(kind, "error") == 0) {
		poll_failed(p, line);
		return;
	}
	poll_good(p);
	if (strcmp(kind, "target") == 0) {
		target_store(p, line);
		hf_child_answer(c, 'y');
	}
}

static void poll_again(struct hf_pull *p)
{
	uint32_t r = hf_hash_bytes(&p->polls, sizeof(p->polls));
	uint64_t splay = p->agent->config.splay_s > 0 ? r % (uint64_t)(p->agent->config.splay_s * 1000) : 0;
	hf_timer_set(p->timer, p->again ? 0 : (uint64_t)p->agent->config.poll_s * 1000 + splay);
	p->again = false;
}

static void on_ended(void *data, struct hf_child *c, int status, bool timed_out)
{
	struct hf_pull *p = data;
	p->child = NULL;
	p->arena = hf_arena_free(p->arena);
	if (!p->answered) {
		trouble_set(p, timed_out ? "a poll did not end in time" : "a poll was killed");
		hf_log(HF_LOG_DEBUG, "poll: status %d", status);
		failure_count(p, hf_buf_str(&p->trouble).p);
	}
	poll_again(p);
	p->agent->above->wake(p->agent);
	hf_report_state(p->agent);
}

static int fetch_body(int socket, void *data)
{
	struct hf_pull *p = data;
	return hf_fetch_body(socket, &p->fetch);
}

static int poll_start(struct hf_pull *p, struct hf_error *err)
{
	struct hf_agent *agent = p->agent;
	p->arena = hf_arena_new();
	p->fetch =
		(struct hf_fetch){ .config = &agent->config, .look_for_root = p->polls++ % ROOT_EVERY == 0 };
	p->answered = false;
	int result = trust_load(agent->state, p->arena, &p->fetch.trust, err);
	if (result == 0)
		result = hf_state_get(agent->state, p->arena, "pointer.etag", &p->fetch.etag, err);
	if (result == 0)
		result = hf_state_get(agent->state, p->arena, "agent.newest", &p->fetch.agent_newest, err);
	if (result < 0)
		return result;
	struct hf_child_spec spec = { .name = "poll",
		.body = fetch_body,
		.data = p,
		.deadline_ms = DEADLINE_MS,
		.keep_fd = -1,
		.line = on_line,
		.ended = on_ended };
	return hf_child_start(agent->loop, &spec, &p->child, err);
}

static int on_timer(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_pull *p = data;
	struct hf_error err = { 0 };
	if (p->child == NULL && poll_start(p, &err) < 0) {
		hf_log(HF_LOG_ERROR, "poll: %s", err.text);
		p->arena = hf_arena_free(p->arena);
		poll_again(p);
	}
	return 0;
}

int hf_pull_new(struct hf_agent *agent, struct hf_pull **ret, struct hf_error *err)
{
	enum { TEXT_MAX = 4096 };
	struct hf_pull *p = hf_new(agent->arena, struct hf_pull);
	*p = (struct hf_pull){
		.agent = agent, .trouble = hf_buf_init(TEXT_MAX), .alarm = hf_buf_init(TEXT_MAX)
	};
	p->timer = hf_timer_new(agent->loop, false, on_timer, p);
	*ret = p;
	return 0;
}

void hf_pull_now(struct hf_pull *p)
{
	if (p->child != NULL)
		p->again = true;
	else
		hf_timer_set(p->timer, 0);
}

bool hf_pull_busy(const struct hf_pull *p)
{
	return p->child != NULL;
}

bool hf_pull_stale(const struct hf_pull *p)
{
	return p->failures >= STALE_POLLS;
}

const char *hf_pull_trouble(const struct hf_pull *p)
{
	return p->trouble.n > 0 ? p->trouble.p : "";
}

int64_t hf_pull_last(const struct hf_pull *p)
{
	return p->last;
}

void hf_pull_stop(struct hf_pull *p)
{
	if (p->child != NULL)
		hf_child_stop(p->child, SIGKILL);
}

int hf_pull_allowed(struct hf_agent *agent, const char *release, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_fetch f = { .config = &agent->config };
	int result = trust_load(agent->state, a, &f.trust, err);
	return result < 0 ? result : hf_fetch_allowed(&f, release, err);
}
