#include "agent/ctl_command.h"

#include "agent/broker.h"
#include "agent/drift.h"
#include "agent/plan.h"
#include "agent/pull.h"
#include "agent/report.h"
#include "agent/work.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/data/schema.h"

enum { ROWS_DEFAULT = 50, ROWS_MAX = 5000, PAUSE_MAX_S = 30 * 86400 };

/* Columns of a query to dicts; text that is JSON already is parsed back. */
struct rows {
	struct hf_arena *a;
	struct hf_value *list;
};

static struct hf_value *column_value(struct hf_arena *a, sqlite3_stmt *row, int i, struct hf_error *err)
{
	const char *name = sqlite3_column_name(row, i), *text = hf_state_text(row, i);
	static const char *const json[] = { "diff", "watches", "notifies", "args", "variables", NULL };
	if (sqlite3_column_type(row, i) == SQLITE_INTEGER)
		return hf_value_int(a, sqlite3_column_int64(row, i));
	for (size_t j = 0; json[j] != NULL; j++) {
		struct hf_value *v = NULL;
		if (strcmp(name, json[j]) == 0 && *text != '\0' &&
			hf_json_loads(a, hf_str(hf_strdup(a, text)), &v, err) == 0)
			return v;
	}
	return sqlite3_column_type(row, i) == SQLITE_NULL ? hf_value_null(a) : hf_value_cstr(a, text);
}

static int rows_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct rows *r = data;
	struct hf_value *v = hf_value_dict(r->a);
	for (int i = 0; i < sqlite3_column_count(row); i++)
		hf_dict_put(v, sqlite3_column_name(row, i), column_value(r->a, row, i, NULL));
	hf_list_append(r->list, v);
	return 0;
}

static int64_t limit_of(const struct hf_value *request)
{
	int64_t n = hf_dict_int(request, "limit", ROWS_DEFAULT);
	return n < 1 || n > ROWS_MAX ? ROWS_DEFAULT : n;
}

static int do_status(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err)
{
	hf_dict_put(answer, "status", hf_report_status(agent, a));
	return 0;
}

static int do_drift(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err)
{
	struct rows events = { a, hf_value_list(a) }, now = { a, hf_value_list(a) };
	int result = hf_state_query(agent->state, err, rows_row, &events,
		"SELECT * FROM (SELECT * FROM drift WHERE id>? ORDER BY id DESC LIMIT ?) ORDER BY id", "ii",
		hf_dict_int(request, "since", 0), limit_of(request));
	if (result == 0)
		result = hf_state_query(agent->state, err, rows_row, &now,
			"SELECT id AS resource, title, module, state, checked, retry_at,"
			" (SELECT diff FROM drift WHERE drift.resource=ledger.id ORDER BY drift.id DESC "
			"LIMIT 1) AS diff,"
			" (SELECT message FROM drift WHERE drift.resource=ledger.id ORDER BY drift.id DESC "
			"LIMIT 1) AS message,"
			" (SELECT actor FROM drift WHERE drift.resource=ledger.id ORDER BY drift.id DESC "
			"LIMIT 1) AS actor"
			" FROM ledger WHERE state<>'ok' ORDER BY position",
			"");
	hf_dict_put(answer, "events", events.list);
	hf_dict_put(answer, "now", now.list);
	return result;
}

static int do_explain(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err)
{
	const char *what = hf_dict_cstr(request, "resource", "");
	struct rows found = { a, hf_value_list(a) };
	int result = hf_state_query(agent->state, err, rows_row, &found,
		"SELECT "
		"id,title,module,policy,file,line,args,watches,notifies,status,state,release,run,checked,"
		"changed,changed_by,"
		"streak,retry_at,variables,"
		"(SELECT actor FROM drift WHERE drift.resource=ledger.id ORDER BY drift.id DESC LIMIT 1) AS "
		"actor,"
		"(SELECT action FROM drift WHERE drift.resource=ledger.id ORDER BY drift.id DESC LIMIT 1) AS "
		"action,"
		"(SELECT t/1000 FROM drift WHERE drift.resource=ledger.id ORDER BY drift.id DESC LIMIT 1) AS "
		"drifted "
		"FROM ledger WHERE id=?1 OR title=?1 OR instr(watches, '\"' || ?1 || '\"')>0 "
		"ORDER BY position",
		"s", what);
	if (result == 0 && hf_list_len(found.list) == 0)
		return hf_fail(err, HF_E_NOT_FOUND,
			"no resource of the installed release is \"%s\" (id, title or path)", what);
	hf_dict_put(answer, "resources", found.list);
	return result;
}

static int do_history(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err)
{
	struct rows runs = { a, hf_value_list(a) }, quarantine = { a, hf_value_list(a) };
	int result = hf_state_query(agent->state, err, rows_row, &runs,
		"SELECT "
		"id,kind,release,name,seq,reason,phase,status,started,ended,ok,changed,failed,skipped,"
		"recalled,undone,message"
		" FROM runs ORDER BY id DESC LIMIT ?",
		"i", limit_of(request));
	if (result == 0)
		result = hf_state_query(agent->state, err, rows_row, &quarantine,
			"SELECT release,seq,reason,at FROM quarantine", "");
	hf_dict_put(answer, "runs", runs.list);
	hf_dict_put(answer, "quarantine", quarantine.list);
	return result;
}

static int do_rollback(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err)
{
	return hf_work_rollback(agent->work, hf_dict_int(request, "run", 0),
		hf_dict_cstr(request, "reason", "asked for on this host"), err);
}

static int do_pause(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err)
{
	int64_t seconds = hf_dict_int(request, "seconds", 0);
	const char *reason = hf_dict_cstr(request, "reason", "");
	if (seconds < 1 || seconds > PAUSE_MAX_S)
		return hf_fail(err, HF_E_ARGUMENT, "a pause lasts from one second to 30 days");
	int64_t until = hf_time_now() + seconds;
	int result = hf_state_set(agent->state, "pause.until", hf_sprintf(a, "%lld", (long long)until), err);
	if (result == 0)
		result = hf_state_set(agent->state, "pause.reason", reason, err);
	if (result < 0)
		return result;
	agent->paused_until = until;
	agent->pause_reason = hf_strdup(agent->arena, reason);
	hf_log(HF_LOG_NOTICE, "paused for %lld s: %s", (long long)seconds, reason);
	hf_report_state(agent);
	return 0;
}

static int do_resume(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err)
{
	int result = hf_state_set(agent->state, "pause.until", NULL, err);
	if (result < 0)
		return result;
	agent->paused_until = 0;
	hf_drift_resume(agent->drift);
	hf_work_next(agent->work);
	hf_report_state(agent);
	return 0;
}

static int do_run(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err)
{
	if (hf_dict_bool(request, "full", false)) {
		if (hf_work_busy(agent->work))
			return hf_fail(err, HF_E_BUSY, "a run is at work");
		hf_work_full(agent->work);
	}
	hf_pull_now(agent->pull);
	return 0;
}

static void doctor_line(
	struct hf_arena *a, struct hf_value *list, bool good, const char *what, const char *text)
{
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "check", hf_value_cstr(a, what));
	hf_dict_put(v, "ok", hf_value_bool(a, good));
	hf_dict_put(v, "text", hf_value_cstr(a, text));
	hf_list_append(list, v);
}

static int do_doctor(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, struct hf_error *err)
{
	struct hf_value *list = hf_value_list(a);
	const char *trouble = hf_pull_trouble(agent->pull);
	int64_t waiting = 0;
	int result = hf_spool_waiting(agent->spool, &waiting, err);
	doctor_line(a, list, *trouble == '\0' && hf_pull_last(agent->pull) > 0, "store",
		*trouble != '\0'                ? trouble
		: hf_pull_last(agent->pull) > 0 ? "answers"
						: "was not asked yet");
	doctor_line(a, list, agent->broker == NULL || hf_broker_connected(agent->broker), "broker",
		agent->broker == NULL                ? "none is configured"
		: hf_broker_connected(agent->broker) ? "connected"
						     : hf_broker_trouble(agent->broker));
	doctor_line(a, list, true, "spool", hf_sprintf(a, "%lld reports wait", (long long)waiting));
	doctor_line(a, list, agent->installed.release != NULL, "release",
		agent->installed.release != NULL ? agent->installed.name : "none is installed");
	doctor_line(a, list, agent->rest == HF_HOST_OK, "last run",
		agent->rest_message != NULL ? agent->rest_message : hf_host_state_names[agent->rest]);
	hf_dict_put(answer, "checks", list);
	return result;
}

static const struct {
	const char *name;
	int (*run)(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
		struct hf_value *answer, struct hf_error *err);
} commands[] = {
	{ "status", do_status },
	{ "drift", do_drift },
	{ "explain", do_explain },
	{ "history", do_history },
	{ "rollback", do_rollback },
	{ "pause", do_pause },
	{ "resume", do_resume },
	{ "run", do_run },
	{ "doctor", do_doctor },
};

int hf_ctl_command(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *request,
	struct hf_value *answer, uint64_t ticket, struct hf_error *err)
{
	const char *name = hf_dict_cstr(request, "command", "");
	/* The one question whose answer takes its time. */
	if (strcmp(name, "plan") == 0) {
		int result = hf_plan_begin(agent->plan, ticket, hf_dict_bool(request, "full", false), err);
		return result < 0 ? result : HF_CTL_LATER;
	}
	for (size_t i = 0; i < HF_COUNT(commands); i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(agent, a, request, answer, err);
	return hf_fail(err, HF_E_ARGUMENT, "no command named \"%s\"", name);
}
