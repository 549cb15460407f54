#include "agent/report.h"

#include <stdarg.h>

#include "agent/fit.h"
#include "agent/ready.h"
#include "agent/timeline.h"
#include "agent/turn.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { DIFF_MAX = 100 << 10, MESSAGE_MAX = 1024, STATE_MAX = 4096 - HF_REPORT_HEAD_MAX };

const char *const hf_host_state_names[] = { "starting", "converging", "ok", "drifted", "correcting",
	"contended", "failed", "gated", "rolled_back", "rolled_back_partial", "quarantined", "paused",
	"stale-store", NULL };

const char *const hf_notice_names[] = { "none", "rebalance", "interruption", NULL };

const char *hf_report_topic(const struct hf_agent *agent, struct hf_arena *a, const char *leaf)
{
	return hf_topic(a, &agent->config, agent->config.host, leaf);
}

static void put_cstr(struct hf_value *dict, struct hf_arena *a, const char *key, const char *text)
{
	if (text != NULL && *text != '\0')
		hf_dict_put(dict, key, hf_value_cstr(a, text));
}

static void put_int(struct hf_value *dict, struct hf_arena *a, const char *key, int64_t n)
{
	hf_dict_put(dict, key, hf_value_int(a, n));
}

static void put_time(struct hf_value *dict, struct hf_arena *a, const char *key, int64_t t)
{
	char text[HF_TIME_TEXT];
	if (t > 0)
		hf_dict_put(dict, key, hf_value_cstr(a, hf_time_print(t, text)));
}

static struct hf_value *target_value(struct hf_arena *a, const struct hf_target *t)
{
	struct hf_value *v = hf_value_dict(a);
	put_cstr(v, a, "release", t->release);
	put_cstr(v, a, "name", t->name);
	put_int(v, a, "seq", t->seq);
	put_cstr(v, a, "kind", t->kind);
	return v;
}

struct counts {
	int64_t resources, drifted, contended;
	int64_t refused; /* what the channel names is quarantined here up to this number; -1: it is not */
};

static int counts_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct counts *c = data;
	c->resources = sqlite3_column_int64(row, 0);
	c->drifted = sqlite3_column_int64(row, 1);
	c->contended = sqlite3_column_int64(row, 2);
	return 1;
}

static struct counts counts_get(const struct hf_agent *agent)
{
	struct counts c = { .refused = -1 };
	HF_MUST(hf_state_query(agent->state, err, counts_row, &c,
		"SELECT count(state), CAST(total(state='drifted') AS INTEGER), CAST(total(state='contended') "
		"AS "
		"INTEGER) FROM ledger",
		""));
	if (agent->target.release != NULL)
		HF_MUST(hf_state_number(agent->state, err, -1, &c.refused,
			"SELECT seq FROM quarantine WHERE release=? AND seq>=?", "si", agent->target.release,
			agent->target.seq));
	return c;
}

static struct hf_facts facts_get(const struct hf_agent *agent)
{
	struct hf_facts now = { 0 };
	agent->above->facts(agent, &now);
	return now;
}

static enum hf_host_state state_with(
	const struct hf_agent *agent, const struct counts *c, const struct hf_facts *now)
{
	if (now->at_work)
		return now->doing;
	if (agent->paused_until > hf_time_now())
		return HF_HOST_PAUSED;
	/* What is not as it was, or was left half done, is the worse news. */
	if (c->refused >= 0 && (agent->rest == HF_HOST_OK || agent->rest == HF_HOST_ROLLED_BACK))
		return HF_HOST_QUARANTINED;
	if (agent->rest != HF_HOST_OK)
		return agent->rest;
	if (agent->installed.release == NULL)
		return now->stale ? HF_HOST_STALE_STORE : HF_HOST_STARTING;
	if (c->contended > 0)
		return HF_HOST_CONTENDED;
	if (c->drifted > 0)
		return HF_HOST_DRIFTED;
	return now->stale ? HF_HOST_STALE_STORE : HF_HOST_OK;
}

enum hf_host_state hf_report_host_state(const struct hf_agent *agent)
{
	struct counts c = counts_get(agent);
	struct hf_facts now = facts_get(agent);
	return state_with(agent, &c, &now);
}

struct run_list {
	struct hf_arena *a;
	struct hf_value *value;
};

static int run_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	static const char *const texts[] = { "cause", "release", "name", "status", "message", "reason" };
	static const char *const numbers[] = { "run", "ok", "changed", "failed", "skipped", "recalled",
		"seq" };
	static const char *const spent[] = { "fetch_ms", "verify_ms" }; /* of the poll that brought it */
	struct run_list *l = data;
	l->value = hf_value_dict(l->a);
	for (size_t i = 0; i < HF_COUNT(numbers); i++)
		put_int(l->value, l->a, numbers[i], sqlite3_column_int64(row, (int)i));
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		put_cstr(l->value, l->a, texts[i], hf_state_text(row, (int)(HF_COUNT(numbers) + i)));
	put_time(l->value, l->a, "started", sqlite3_column_int64(row, 13));
	put_time(l->value, l->a, "ended", sqlite3_column_int64(row, 14));
	for (size_t i = 0; i < HF_COUNT(spent); i++)
		if (sqlite3_column_type(row, 15 + (int)i) == SQLITE_INTEGER)
			put_int(l->value, l->a, spent[i], sqlite3_column_int64(row, 15 + (int)i));
	return 1;
}

static struct hf_value *run_value(struct hf_agent *agent, struct hf_arena *a, int64_t run)
{
	struct run_list l = { a, NULL };
	HF_MUST(hf_state_query(agent->state, err, run_row, &l,
		"SELECT "
		"id,ok,changed,failed,skipped,recalled,seq,kind,release,name,status,message,reason,started,"
		"ended,json_extract(spec,'$.fetch_ms'),json_extract(spec,'$.verify_ms') FROM runs"
		" WHERE id=? OR (?=0 AND id=(SELECT max(id) FROM runs))",
		"ii", run, run));
	return l.value;
}

/* Why what is wanted is not begun. */
static void turn_put(
	const struct hf_agent *agent, struct hf_arena *a, struct hf_value *v, const struct hf_facts *now)
{
	struct hf_turn_answer turn;
	hf_turn_ask(agent, a, &turn);
	if (turn.now || now->at_work)
		return;
	put_cstr(v, a, "waits", turn.text);
	if (turn.at > 0)
		put_time(v, a, "waits_until", turn.at);
}

static void ready_put(
	const struct hf_agent *agent, struct hf_arena *a, enum hf_host_state state, struct hf_value *v)
{
	const struct hf_notice_now *n = &agent->notice;
	const char *why;
	enum hf_ready word = hf_ready_now(agent, a, state, &why);
	if (word != HF_READY_UNKNOWN)
		put_cstr(v, a, "readiness", hf_ready_names[word]);
	put_cstr(v, a, "readiness_because", why);
	if (n->kind == HF_NOTICE_NONE)
		return;
	struct hf_value *notice = hf_value_dict(a);
	put_cstr(notice, a, "kind", hf_notice_names[n->kind]);
	put_cstr(notice, a, "action", n->action);
	put_cstr(notice, a, "time", n->time);
	put_cstr(notice, a, "drain", n->drain);
	hf_dict_put(v, "notice", notice);
}

static struct hf_value *body_make(struct hf_agent *agent, struct hf_arena *a, const struct hf_facts *now)
{
	struct counts c = counts_get(agent);
	struct hf_value *v = hf_value_dict(a);
	enum hf_host_state state = state_with(agent, &c, now);
	put_cstr(v, a, "state", hf_host_state_names[state]);
	ready_put(agent, a, state, v);
	put_cstr(v, a, "message", agent->rest_message);
	if (agent->installed.release != NULL)
		hf_dict_put(v, "installed", target_value(a, &agent->installed));
	if (agent->target.release != NULL)
		hf_dict_put(v, "wanted", target_value(a, &agent->target));
	if (c.refused >= 0)
		put_int(v, a, "quarantined_until", c.refused);
	else if (agent->target.release != NULL && !hf_target_same(&agent->target, &agent->installed))
		turn_put(agent, a, v, now);
	put_int(v, a, "resources", c.resources);
	put_int(v, a, "drifted", c.drifted);
	put_int(v, a, "contended", c.contended);
	struct hf_value *timeline = hf_timeline_value(agent, a);
	if (timeline != NULL)
		hf_dict_put(v, "ready_in", timeline);
	if (agent->paused_until > hf_time_now()) {
		put_time(v, a, "paused_until", agent->paused_until);
		put_cstr(v, a, "pause_reason", agent->pause_reason);
	}
	put_cstr(v, a, "store_trouble", now->store_trouble);
	return v;
}

struct hf_value *hf_report_status(struct hf_agent *agent, struct hf_arena *a)
{
	struct hf_facts now = facts_get(agent);
	struct hf_value *v = body_make(agent, a, &now), *mqtt = hf_value_dict(a),
			*run = run_value(agent, a, 0);
	int64_t waiting = 0;
	HF_MUST(hf_spool_waiting(agent->spool, &waiting, err));
	put_cstr(v, a, "host", agent->config.host);
	put_cstr(v, a, "environment", agent->config.environment);
	put_cstr(v, a, "fleet", agent->config.fleet);
	put_cstr(v, a, "store", agent->config.store);
	put_time(v, a, "polled", now.polled);
	hf_dict_put(mqtt, "configured", hf_value_bool(a, agent->broker != NULL));
	hf_dict_put(mqtt, "connected", hf_value_bool(a, now.connected));
	put_int(mqtt, a, "waiting", waiting);
	put_int(mqtt, a, "last", hf_spool_last(agent->spool));
	put_cstr(mqtt, a, "boot", hf_spool_boot(agent->spool));
	if (agent->broker != NULL) {
		put_cstr(mqtt, a, "trouble", now.broker_trouble);
		put_int(mqtt, a, "pid", now.broker);
	}
	hf_dict_put(v, "mqtt", mqtt);
	struct hf_value *cloud = agent->above->elsewhere(agent, a);
	if (cloud != NULL)
		hf_dict_put(v, "aws", cloud);
	if (run != NULL)
		hf_dict_put(v, "last_run", run);
	put_int(v, a, "pid", getpid());
	put_int(v, a, "worker_pid", now.worker);
	put_time(v, a, "started", agent->started);
	return v;
}

static void report_put(struct hf_agent *agent, const struct hf_report *r)
{
	HF_MUST(hf_spool_put(agent->spool, r, err));
	HF_MUST(hf_spool_drain(agent->spool, err));
}

void hf_report_state(struct hf_agent *agent)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_facts now = facts_get(agent);
	struct hf_value *whole = body_make(agent, a, &now), *v = hf_fit(a, whole, STATE_MAX);
	hf_ready_write(agent, hf_dict_cstr(whole, "readiness", NULL));
	hf_auto_buf text = hf_buf_init(STATE_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	const char *before = NULL;
	struct hf_report r = { .topic = hf_report_topic(agent, a, "state"),
		.kind = "state",
		.flags = HF_SPOOL_RETAIN | HF_SPOOL_QOS1,
		.prio = HF_PRIO_STATE,
		.key = "state",
		.body = v };
	HF_MUST(hf_json_write(&text, v, &style, err));
	HF_MUST(hf_state_get(agent->state, a, "state.published", &before, err));
	if (before != NULL && strcmp(before, hf_buf_str(&text).p) == 0)
		return;
	HF_MUST(hf_state_begin(agent->state, err));
	HF_MUST(hf_spool_put(agent->spool, &r, err));
	HF_MUST(hf_state_set(agent->state, "state.published", hf_buf_str(&text).p, err));
	HF_MUST(hf_state_commit(agent->state, err));
	HF_MUST(hf_spool_drain(agent->spool, err));
}

void hf_report_alarm(struct hf_agent *agent, const char *word, const char *key, const char *format, ...)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = hf_value_dict(a);
	va_list args;
	va_start(args, format);
	const char *text = hf_vsprintf(a, format, args);
	va_end(args);
	put_cstr(v, a, "alarm", word);
	put_cstr(v, a, "message", text);
	struct hf_report r = { .topic = hf_report_topic(agent, a, "alarm"),
		.kind = "alarm",
		.flags = HF_SPOOL_QOS1,
		.prio = HF_PRIO_ALARM,
		.key = key,
		.body = v };
	hf_log(HF_LOG_WARNING, "alarm %s: %s", word, text);
	report_put(agent, &r);
}

/* Topics carry 120 KB at most: a diff longer than that is cut and says so. */
static const struct hf_value *diff_fit(struct hf_arena *a, const struct hf_value *diff)
{
	hf_auto_buf b = hf_buf_init(DIFF_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	if (hf_json_write(&b, diff, &style, NULL) == 0 && !b.failed)
		return diff;
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "truncated", hf_value_bool(a, true));
	return v;
}

static void drift_note(struct hf_agent *agent, const struct hf_drift_event *e, struct hf_str diff)
{
	enum { HISTORY_MAX = 5000 };
	HF_MUST(hf_state_exec(agent->state, err,
		"INSERT INTO drift(t,resource,title,class,action,actor,diff,run,message) "
		"VALUES(?,?,?,?,?,?,?,?,?)",
		"issssstis", hf_time_now_ms(), e->resource, e->title, e->class, e->action, e->actor, diff,
		e->run, e->message));
	HF_MUST(hf_state_exec(agent->state, err, "DELETE FROM drift WHERE id <= ?", "i",
		hf_state_last_id(agent->state) - HISTORY_MAX));
}

void hf_report_drift(struct hf_agent *agent, const struct hf_drift_event *e)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf diff = hf_buf_init(2 * DIFF_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_value *v = hf_value_dict(a);
	put_cstr(v, a, "resource", e->resource);
	put_cstr(v, a, "title", e->title);
	put_cstr(v, a, "module", e->module);
	put_cstr(v, a, "class", e->class);
	put_cstr(v, a, "action", e->action);
	put_cstr(v, a, "policy", e->policy);
	put_cstr(v, a, "actor", e->actor != NULL ? e->actor : "unknown");
	put_cstr(v, a, "message", e->message);
	put_int(v, a, "run", e->run);
	if (e->ms >= 0)
		put_int(v, a, "ms", e->ms);
	if (e->diff != NULL) {
		const struct hf_value *fit = diff_fit(a, e->diff);
		hf_dict_put(v, "diff", hf_value_copy(a, fit));
		HF_MUST(hf_json_write(&diff, fit, &style, err));
	}
	struct hf_report r = { .topic = hf_report_topic(agent, a, "drift"),
		.kind = "drift",
		.flags = HF_SPOOL_QOS1,
		.prio = HF_PRIO_DRIFT,
		.body = v };
	const struct hf_log_field fields[] = { { "HF_RESOURCE", e->resource }, { "HF_TASK", e->title },
		{ "HF_RELEASE", agent->installed.release }, { NULL, NULL } };
	hf_log_fields(HF_LOG_NOTICE, agent->installed.release == NULL ? NULL : fields,
		"drift: %s (%s): %s, by %s%s%s", e->title, e->class, e->action,
		e->actor != NULL ? e->actor : "unknown", e->message != NULL ? ": " : "",
		e->message != NULL ? e->message : "");
	HF_MUST(hf_state_begin(agent->state, err));
	drift_note(agent, e, hf_buf_str(&diff));
	HF_MUST(hf_spool_put(agent->spool, &r, err));
	HF_MUST(hf_state_commit(agent->state, err));
	HF_MUST(hf_spool_drain(agent->spool, err));
}

void hf_report_run(struct hf_agent *agent, int64_t run)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = run_value(agent, a, run);
	if (v != NULL)
		agent->above->reported(agent, a, run, v);
	struct hf_report r = { .topic = hf_report_topic(agent, a, "run"),
		.kind = "run",
		.flags = HF_SPOOL_QOS1,
		.prio = HF_PRIO_RUN,
		.body = v };
	if (v != NULL)
		report_put(agent, &r);
}
