#include "agent/cloud.h"

#include <signal.h>
#include <unistd.h>

#include "agent/cloud_body.h"
#include "agent/cloud_role.h"
#include "agent/report.h"
#include "agent/run_report.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/base/vec.h"
#include "lib/data/json.h"

enum {
	DELAY_MS = 1000,
	DEADLINE_MS = 5 * 60 * 1000,
	WAIT_FIRST_MS = 5000,
	WAIT_MAX_MS = 15 * 60 * 1000,
	BATCH_ROWS = 200,
	BATCH_BYTES = 256 << 10,
	REPORTS_WAITING_MAX = 32,
	REPORTS_BATCH = 8
};

struct sink {
	bool on;
	bool answered;  /* by the role at work */
	int64_t upto;   /* newest row of the batch at work */
	uint64_t at_ms; /* not before */
	uint64_t wait_ms;
	struct hf_buf trouble;
};

struct hf_cloud {
	struct hf_agent *agent;
	sd_event_source *timer;
	struct hf_child *child;
	struct hf_arena *arena; /* of the batch at work */
	struct hf_cloud_job job;
	struct sink sinks[HF_SINKS];
};

static void arm(struct hf_cloud *c)
{
	uint64_t now = hf_time_monotonic_ms(), first = UINT64_MAX;
	for (int i = 0; i < HF_SINKS; i++) {
		int64_t waiting = 0;
		if (!c->sinks[i].on)
			continue;
		HF_MUST(hf_outbox_waiting(c->agent->state, (enum hf_sink)i, &waiting, err));
		uint64_t at = c->sinks[i].at_ms > now + DELAY_MS ? c->sinks[i].at_ms : now + DELAY_MS;
		if (waiting > 0 && at < first)
			first = at;
	}
	if (c->child == NULL && first != UINT64_MAX)
		hf_timer_set(c->timer, first - now);
}

static void put(struct hf_cloud *c, enum hf_sink sink, bool once, const char *kind, struct hf_str body)
{
	if (c->sinks[sink].on)
		HF_MUST(hf_outbox_put(
			c->agent->state, c->agent->config.aws.spool_bytes, sink, once, kind, body, err));
}

/* Inside the transaction that stores the report: both are there or neither. */
static void on_report(void *data, const char *kind, struct hf_str body)
{
	struct hf_cloud *c = data;
	bool run = strcmp(kind, "run") == 0, drift = strcmp(kind, "drift") == 0;
	put(c, HF_SINK_LOGS, false, kind, body);
	if (drift)
		put(c, HF_SINK_EVENTS, false, kind, body);
	if (run || drift)
		put(c, HF_SINK_COMPLIANCE, true, kind, (struct hf_str){ 0 });
	if (run || strcmp(kind, "state") == 0)
		put(c, HF_SINK_INVENTORY, true, kind, (struct hf_str){ 0 });
	int enabled = SD_EVENT_OFF;
	if (c->child == NULL && sd_event_source_get_enabled(c->timer, &enabled) >= 0 &&
		enabled == SD_EVENT_OFF)
		arm(c);
}

/* --- whole reports of runs
 * ---------------------------------------------------------------------------------------------- */

static void oldest_report_drop(struct hf_cloud *c)
{
	struct hf_state *s = c->agent->state;
	hf_auto_arena a = hf_arena_new();
	struct hf_outbox_rows rows = { 0 };
	int64_t waiting = 0;
	HF_MUST(hf_outbox_waiting(s, HF_SINK_REPORTS, &waiting, err));
	if (waiting < REPORTS_WAITING_MAX)
		return;
	HF_MUST(hf_outbox_take(s, a, HF_SINK_REPORTS, 1, 1, &rows, err));
	for (size_t i = 0; i < rows.n; i++) {
		(void)unlink(rows.at[i].body.p);
		HF_MUST(hf_outbox_done(s, HF_SINK_REPORTS, rows.at[i].seq, err));
	}
	hf_log(HF_LOG_WARNING, "more than %d reports of runs wait for their store: the oldest is dropped",
		REPORTS_WAITING_MAX);
}

void hf_cloud_run(struct hf_cloud *c, struct hf_arena *a, int64_t run, struct hf_value *body)
{
	struct hf_run_report r = { 0 };
	struct hf_error err = { 0 };
	if (c == NULL || !c->sinks[HF_SINK_REPORTS].on)
		return;
	if (hf_run_report_write(c->agent, a, run, body, &r, &err) < 0) {
		hf_log(HF_LOG_WARNING, "the whole report of run %lld: %s", (long long)run, err.text);
		return;
	}
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "key", hf_value_cstr(a, r.key));
	hf_dict_put(v, "sha256", hf_value_cstr(a, r.sha256));
	hf_dict_put(v, "size", hf_value_int(a, r.size));
	hf_dict_put(body, "report", v);
	oldest_report_drop(c);
	put(c, HF_SINK_REPORTS, false, r.key, hf_str(r.path));
}

/* --- what is true now
 * ---------------------------------------------------------------------------------------------------- */

struct resources {
	struct hf_arena *a;
	struct hf_cloud_resources list;
};

static int resource_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct resources *r = data;
	*hf_vec_push(r->a, &r->list) = (struct hf_cloud_resource){
		.id = hf_strdup(r->a, hf_state_text(row, 0)),
		.title = hf_strdup(r->a, hf_state_text(row, 1)),
		.module = hf_strdup(r->a, hf_state_text(row, 2)),
		.state = hf_strdup(r->a, hf_state_text(row, 3)),
		.checked = sqlite3_column_int64(row, 4),
		.actor = hf_strdup(r->a, hf_state_text(row, 5)),
	};
	return 0;
}

static struct hf_value *compliance_make(struct hf_cloud *c)
{
	struct hf_state *s = c->agent->state;
	struct resources r = { .a = c->arena };
	int64_t run = 0;
	HF_MUST(hf_state_query(s, err, resource_row, &r,
		"SELECT id,title,module,state,checked,CASE state WHEN 'ok' THEN '' ELSE (SELECT actor FROM "
		"drift WHERE drift.resource=ledger.id ORDER BY drift.id DESC LIMIT 1) END FROM ledger ORDER "
		"BY state='ok', position",
		""));
	HF_MUST(hf_state_number(s, err, 0, &run, "SELECT max(id) FROM runs", ""));
	return hf_cloud_compliance(
		c->arena, &r.list, hf_sprintf(c->arena, "%lld", (long long)run), hf_time_now());
}

static struct hf_value *inventory_make(struct hf_cloud *c)
{
	struct hf_agent *agent = c->agent;
	struct hf_arena *a = c->arena;
	struct hf_value *v = hf_value_dict(a);
	const struct {
		const char *name, *value;
	} rows[] = { { "Agent", PACKAGE_VERSION }, { "Host", agent->config.host },
		{ "Environment", agent->config.environment }, { "Fleet", agent->config.fleet },
		{ "State", hf_host_state_names[hf_report_host_state(agent)] },
		{ "Release", agent->installed.release }, { "ReleaseName", agent->installed.name },
		{ "Sequence", agent->installed.release == NULL
				      ? NULL
				      : hf_sprintf(a, "%lld", (long long)agent->installed.seq) } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		hf_dict_put(v, rows[i].name, hf_value_cstr(a, rows[i].value == NULL ? "" : rows[i].value));
	return hf_cloud_inventory(a, v, hf_time_now());
}

/* --- a batch
 * -------------------------------------------------------------------------------------------------------- */

static void rows_take(struct hf_cloud *c, enum hf_sink sink, size_t most, struct hf_outbox_rows *ret)
{
	HF_MUST(hf_outbox_take(c->agent->state, c->arena, sink, most, BATCH_BYTES, ret, err));
	c->sinks[sink].upto = ret->n == 0 ? 0 : ret->at[ret->n - 1].seq;
	c->job.want[sink] = ret->n > 0;
}

static void snapshot_take(struct hf_cloud *c, enum hf_sink sink)
{
	struct hf_outbox_rows rows = { 0 };
	rows_take(c, sink, BATCH_ROWS, &rows);
	if (!c->job.want[sink])
		return;
	if (sink == HF_SINK_COMPLIANCE)
		c->job.compliance = compliance_make(c);
	else
		c->job.inventory = inventory_make(c);
}

static void batch_make(struct hf_cloud *c)
{
	uint64_t now = hf_time_monotonic_ms();
	c->arena = hf_arena_new();
	c->job = (struct hf_cloud_job){ .arena = c->arena, .config = &c->agent->config };
	for (int i = 0; i < HF_SINKS; i++) {
		c->sinks[i].answered = false;
		if (!c->sinks[i].on || c->sinks[i].at_ms > now)
			continue;
		if (i == HF_SINK_LOGS)
			rows_take(c, HF_SINK_LOGS, BATCH_ROWS, &c->job.logs);
		else if (i == HF_SINK_EVENTS)
			rows_take(c, HF_SINK_EVENTS, BATCH_ROWS, &c->job.events);
		else if (i == HF_SINK_REPORTS)
			rows_take(c, HF_SINK_REPORTS, REPORTS_BATCH, &c->job.reports);
		else
			snapshot_take(c, (enum hf_sink)i);
	}
}

static void sink_done(struct hf_cloud *c, enum hf_sink sink)
{
	struct sink *s = &c->sinks[sink];
	for (size_t i = 0; sink == HF_SINK_REPORTS && i < c->job.reports.n; i++)
		(void)unlink(c->job.reports.at[i].body.p);
	HF_MUST(hf_outbox_done(c->agent->state, sink, s->upto, err));
	s->wait_ms = 0;
	s->at_ms = 0;
}

static void sink_good(struct hf_cloud *c, enum hf_sink sink)
{
	struct sink *s = &c->sinks[sink];
	if (s->trouble.n > 0)
		hf_log(HF_LOG_NOTICE, "aws: %s are taken again", hf_sink_names[sink]);
	hf_buf_done(&s->trouble);
	sink_done(c, sink);
}

/* The first failure in a row is said; what cannot ever succeed is not kept. */
static void sink_failed(struct hf_cloud *c, enum hf_sink sink, const char *text, bool hopeless)
{
	struct sink *s = &c->sinks[sink];
	if (s->trouble.n == 0)
		hf_report_alarm(
			c->agent, "aws-refused", hf_sink_names[sink], "%s: %s", hf_sink_names[sink], text);
	hf_buf_clear(&s->trouble);
	hf_buf_puts(&s->trouble, text);
	if (hopeless)
		sink_done(c, sink);
	s->wait_ms = s->wait_ms == 0                ? WAIT_FIRST_MS
		     : s->wait_ms * 2 > WAIT_MAX_MS ? WAIT_MAX_MS
						    : s->wait_ms * 2;
	s->at_ms = hf_time_monotonic_ms() + s->wait_ms;
}

static void on_line(void *data, struct hf_child *child, struct hf_str text)
{
	struct hf_cloud *c = data;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *line = NULL;
	HF_MUST(hf_json_parse(a, text, "aws", &line, err));
	for (int i = 0; i < HF_SINKS; i++) {
		if (strcmp(hf_dict_cstr(line, "sink", ""), hf_sink_names[i]) != 0 || !c->job.want[i])
			continue;
		c->sinks[i].answered = true;
		if (strcmp(hf_dict_cstr(line, "k", ""), "done") == 0)
			sink_good(c, (enum hf_sink)i);
		else
			sink_failed(c, (enum hf_sink)i, hf_dict_cstr(line, "text", "it failed"),
				hf_dict_bool(line, "hopeless", false));
	}
}

static void on_ended(void *data, struct hf_child *child, int status, bool timed_out)
{
	struct hf_cloud *c = data;
	for (int i = 0; i < HF_SINKS; i++)
		if (c->job.want[i] && !c->sinks[i].answered)
			sink_failed(c, (enum hf_sink)i,
				timed_out ? "the role did not end in time"
					  : hf_sprintf(c->arena, "the role ended early (status %d)", status),
				false);
	c->child = NULL;
	c->arena = hf_arena_free(c->arena);
	c->job = (struct hf_cloud_job){ 0 };
	arm(c);
}

static int role_body(int socket, void *data)
{
	struct hf_cloud *c = data;
	return hf_cloud_role_body(socket, &c->job);
}

static int on_timer(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_cloud *c = data;
	struct hf_error err = { 0 };
	bool any = false;
	if (c->child != NULL)
		return 0;
	batch_make(c);
	for (int i = 0; i < HF_SINKS; i++)
		any = any || c->job.want[i];
	struct hf_child_spec spec = { .name = "aws",
		.body = role_body,
		.data = c,
		.deadline_ms = DEADLINE_MS,
		.keep_fd = -1,
		.line = on_line,
		.ended = on_ended };
	if (any && hf_child_start(c->agent->loop, &spec, &c->child, &err) == 0)
		return 0;
	if (any)
		hf_log(HF_LOG_WARNING, "aws: %s", err.text);
	c->arena = hf_arena_free(c->arena);
	arm(c);
	return 0;
}

int hf_cloud_new(struct hf_agent *agent, struct hf_cloud **ret, struct hf_error *err)
{
	const struct hf_config_aws *w = &agent->config.aws;
	enum { TROUBLE_MAX = 4096 };
	const bool on[HF_SINKS] = { [HF_SINK_LOGS] = w->log_group != NULL,
		[HF_SINK_EVENTS] = w->event_bus != NULL,
		[HF_SINK_COMPLIANCE] = w->compliance,
		[HF_SINK_INVENTORY] = w->inventory,
		[HF_SINK_REPORTS] = agent->config.run_reports != NULL };
	bool any = false;
	struct hf_cloud *c = hf_new(agent->arena, struct hf_cloud);
	c->agent = agent;
	for (int i = 0; i < HF_SINKS; i++) {
		c->sinks[i].on = on[i];
		c->sinks[i].trouble = hf_buf_init(TROUBLE_MAX);
		any = any || on[i];
	}
	c->timer = hf_timer_new(agent->loop, false, on_timer, c);
	*ret = any ? c : NULL;
	if (any)
		hf_spool_observe(agent->spool, on_report, c);
	return 0;
}

void hf_cloud_start(struct hf_cloud *c)
{
	if (c != NULL)
		arm(c);
}

struct hf_value *hf_cloud_status(struct hf_cloud *c, struct hf_arena *a)
{
	if (c == NULL)
		return NULL;
	struct hf_value *v = hf_value_dict(a);
	int64_t n = 0;
	for (int i = 0; i < HF_SINKS; i++) {
		if (!c->sinks[i].on)
			continue;
		struct hf_value *one = hf_value_dict(a);
		HF_MUST(hf_outbox_waiting(c->agent->state, (enum hf_sink)i, &n, err));
		hf_dict_put(one, "waiting", hf_value_int(a, n));
		if (c->sinks[i].trouble.n > 0)
			hf_dict_put(one, "trouble", hf_value_cstr(a, c->sinks[i].trouble.p));
		hf_dict_put(v, hf_sink_names[i], one);
	}
	HF_MUST(hf_outbox_dropped(c->agent->state, &n, err));
	hf_dict_put(v, "dropped", hf_value_int(a, n));
	return v;
}

bool hf_cloud_busy(const struct hf_cloud *c)
{
	return c != NULL && c->child != NULL;
}

void hf_cloud_stop(struct hf_cloud *c)
{
	if (c != NULL && c->child != NULL)
		hf_child_stop(c->child, SIGKILL);
}
