#include "agent/work.h"

#include <signal.h>

#include "agent/broker.h"
#include "agent/first.h"
#include "agent/drift.h"
#include "agent/gate.h"
#include "agent/job.h"
#include "agent/ledger.h"
#include "agent/pull.h"
#include "agent/reboot.h"
#include "agent/report.h"
#include "agent/timeline.h"
#include "agent/turn.h"
#include "agent/work_runs.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { ATTEMPTS_MAX = 5, GATE_AGAIN_MS = 1000, REBOOT_PATIENCE_MS = 600000 };

struct hf_work {
	struct hf_agent *agent;
	struct hf_child *child;
	struct hf_run run;          /* id 0: idle */
	struct hf_arena *end_arena; /* of the end line of the phase at work */
	struct hf_value *end;
	struct hf_gate_job gates;
	sd_event_source *gate_timer, *reboot_timer, *turn_timer;
	uint64_t gate_deadline_ms;
	bool full, stopping, broker_was, rebooting;
	unsigned attempts; /* a phase whose worker was killed is begun again, so many times */
};

static void phase_start(struct hf_work *w);

static void phase_set(struct hf_work *w, enum hf_phase phase)
{
	w->run.phase = phase;
	w->attempts = 0;
	if (phase == HF_PHASE_GATES)
		hf_timeline_mark(w->agent, "gates_at");
	HF_MUST(hf_runs_phase_set(w->agent->state, w->run.id, phase, err));
	phase_start(w);
}

/* --- how a run ends --- */

static void rest_set(struct hf_agent *agent, enum hf_host_state rest, const char *message)
{
	agent->rest = rest;
	struct hf_arena *a = hf_arena_new();
	const char *copy = message == NULL || *message == '\0' ? NULL : hf_strdup(a, message);
	hf_arena_free(agent->rest_arena);
	agent->rest_arena = a;
	agent->rest_message = copy;
	HF_MUST(hf_state_set(agent->state, "rest", hf_host_state_names[rest], err));
	HF_MUST(hf_state_set(agent->state, "rest.message", copy, err));
}

static void installed_set(struct hf_agent *agent, const char *json)
{
	struct hf_target t = { 0 };
	HF_MUST(hf_state_set(agent->state, "installed", json, err));
	if (json != NULL)
		HF_MUST(hf_target_parse(json, &t, err));
	hf_target_replace(&agent->installed, &t);
}

static void run_finish(struct hf_work *w, const char *status, enum hf_host_state rest)
{
	struct hf_agent *agent = w->agent;
	int64_t id = w->run.id;
	const struct hf_log_field fields[] = { { "HF_RUN", hf_sprintf(w->run.arena, "%lld", (long long)id) },
		{ NULL, NULL } };
	hf_log_fields(HF_LOG_NOTICE, fields, "run %lld (%s): %s%s%s", (long long)id, w->run.kind, status,
		w->run.message != NULL ? ": " : "", w->run.message != NULL ? w->run.message : "");
	HF_MUST(hf_state_begin(agent->state, err));
	rest_set(agent, rest, w->run.message);
	HF_MUST(hf_runs_end(agent->state, id, status, w->run.message, err));
	HF_MUST(hf_state_commit(agent->state, err));
	w->run.arena = hf_arena_free(w->run.arena);
	w->end_arena = hf_arena_free(w->end_arena);
	w->run = (struct hf_run){ 0 };
	w->end = NULL;
	w->full = false;
	hf_report_run(agent, id);
	hf_drift_rewatch(agent->drift);
	hf_report_state(agent);
	hf_work_next(w);
}

static void run_succeed(struct hf_work *w)
{
	struct hf_agent *agent = w->agent;
	HF_MUST(hf_state_begin(agent->state, err));
	installed_set(agent, w->run.spec);
	hf_timeline_mark(agent, "ready_at");
	if (w->run.undo != NULL)
		HF_MUST(hf_runs_undone(agent->state, w->run.undo, err));
	HF_MUST(hf_state_commit(agent->state, err));
	bool back = strcmp(w->run.kind, "rollback") == 0;
	if (!back)
		run_finish(w, "ok", HF_HOST_OK);
	else if (w->run.partial)
		run_finish(w, "rolled_back_partial", HF_HOST_ROLLED_BACK_PARTIAL);
	else
		run_finish(w, "rolled_back", HF_HOST_ROLLED_BACK);
}

/* The release is refused on this host until the channel names something newer; what it changed is taken back.
 */
static void run_fail(struct hf_work *w, const char *message)
{
	struct hf_agent *agent = w->agent;
	w->run.message = hf_strdup(w->run.arena, message);
	HF_MUST(hf_runs_message_set(agent->state, w->run.id, message, err));
	HF_MUST(hf_runs_quarantine(agent->state, &w->run.target, agent->target.seq, message, err));
	hf_report_alarm(agent, "release-failed", NULL, "release %s: %s", w->run.target.name, message);
	hf_first_failed(agent, "", message);
	if (agent->config.on_failure == HF_ON_FAILURE_KEEP) {
		HF_MUST(hf_state_exec(agent->state, err, "UPDATE ledger SET state='ok'", ""));
		run_finish(w, "failed", HF_HOST_FAILED);
		return;
	}
	phase_set(w, HF_PHASE_REVERT);
}

static void restored(struct hf_work *w, bool good)
{
	if (!good)
		run_finish(w, "failed", HF_HOST_FAILED);
	else if (w->run.partial)
		run_finish(w, "rolled_back_partial", HF_HOST_ROLLED_BACK_PARTIAL);
	else
		run_finish(w, "rolled_back", HF_HOST_ROLLED_BACK);
}

/* --- what a phase's end means --- */

static void partial_note(struct hf_work *w)
{
	const struct hf_value *list = w->end == NULL ? NULL : hf_dict_get(w->end, "impossible");
	if (!hf_is(list, HF_LIST) || hf_list_len(list) == 0)
		return;
	hf_auto_buf b = hf_buf_init(HF_ERROR_TEXT_MAX);
	hf_buf_puts(&b, w->run.message != NULL ? w->run.message : "taken back in part");
	for (size_t i = 0; i < hf_list_len(list); i++)
		hf_buf_printf(&b, "; not taken back: %s (%s)",
			hf_dict_cstr(hf_list_at(list, i), "title", "?"),
			hf_dict_cstr(hf_list_at(list, i), "reason", "?"));
	w->run.partial = true;
	w->run.message = hf_strdup(w->run.arena, hf_buf_str(&b).p);
	HF_MUST(hf_runs_partial_set(w->agent->state, w->run.id, w->run.message, err));
}

static void apply_ended(struct hf_work *w, bool good, const char *why)
{
	struct hf_agent *agent = w->agent;
	hf_auto_arena a = hf_arena_new();
	const char *log = hf_job_log(agent, a, w->run.id, hf_phase_names[w->run.phase]);
	if (w->run.phase == HF_PHASE_APPLY)
		HF_MUST(hf_runs_counts(agent->state, w->run.id, w->end, err));
	const char *release =
		w->run.phase == HF_PHASE_RESTORE ? agent->installed.release : w->run.target.release;
	HF_MUST(hf_ledger_import(agent->state, log, w->run.id, release, err));
	if (w->run.phase == HF_PHASE_RESTORE)
		restored(w, good);
	else if (good)
		phase_set(w, HF_PHASE_GATES);
	else
		run_fail(w, why);
}

static void undo_ended(struct hf_work *w, bool good, const char *why)
{
	struct hf_agent *agent = w->agent;
	struct hf_error refused = { 0 };
	partial_note(w);
	if (!good) {
		w->run.message = hf_strdup(w->run.arena, why);
		run_finish(w, "failed", HF_HOST_FAILED);
		return;
	}
	if (w->run.phase == HF_PHASE_UNDO) {
		if (w->run.target.release != NULL) {
			phase_set(w, HF_PHASE_APPLY);
			return;
		}
		/* Nothing was installed before: the host is as it was before holdfast. */
		HF_MUST(hf_state_begin(agent->state, err));
		HF_MUST(hf_state_exec(agent->state, err, "DELETE FROM ledger", ""));
		installed_set(agent, NULL);
		HF_MUST(hf_runs_undone(agent->state, w->run.undo, err));
		HF_MUST(hf_state_commit(agent->state, err));
		restored(w, true);
		return;
	}
	HF_MUST(hf_state_exec(agent->state, err, "UPDATE runs SET undone=1 WHERE id=?", "i", w->run.id));
	if (agent->installed.release == NULL) {
		HF_MUST(hf_state_exec(agent->state, err, "DELETE FROM ledger", ""));
		restored(w, true);
	} else if (hf_pull_allowed(agent, agent->installed.release, &refused) < 0) {
		hf_report_alarm(agent, "restore-refused", NULL, "%s", refused.text);
		restored(w, false);
	} else {
		phase_set(w, HF_PHASE_RESTORE);
	}
}

/* --- a reboot in the middle --- */

static void on_reboot_ended(void *data, struct hf_child *c, int status, bool timed_out)
{
	struct hf_work *w = data;
	w->child = NULL;
	if (w->stopping)
		return;
	if (status == 0 && !timed_out)
		hf_timer_set(w->reboot_timer, REBOOT_PATIENCE_MS);
	else
		run_fail(w, "the host could not be rebooted");
}

/* First its delay, then patience: whoever is still here after that was not rebooted. */
static int on_reboot_timer(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_work *w = data;
	hf_auto_arena a = hf_arena_new();
	struct hf_reboot r;
	if (w->rebooting || !hf_reboot_asked(a, hf_reboot_path(w->agent, a, w->run.id), &r)) {
		run_fail(w, "the host was told to reboot and did not");
		return 0;
	}
	w->rebooting = true;
	HF_MUST(hf_reboot_start(w->agent, r.command, on_reboot_ended, w, &w->child, err));
	return 0;
}

static void reboot_begin(struct hf_work *w)
{
	struct hf_agent *agent = w->agent;
	hf_auto_arena a = hf_arena_new();
	struct hf_reboot r = { .message = "" };
	if (!hf_reboot_asked(a, hf_reboot_path(agent, a, w->run.id), &r)) {
		phase_start(w); /* asked for in an earlier boot, and obeyed */
		return;
	}
	hf_log(HF_LOG_NOTICE, "run %lld: the host is rebooted (%s) and the run goes on afterwards",
		(long long)w->run.id, r.message);
	hf_report_alarm(agent, "reboot", "reboot", "run %lld reboots this host and goes on afterwards: %s",
		(long long)w->run.id, r.message);
	w->rebooting = false;
	hf_timer_set(w->reboot_timer, (uint64_t)(r.delay_s > 0 ? r.delay_s : 0) * 1000);
}

static const char *failure_of(const struct hf_work *w, bool timed_out)
{
	if (timed_out)
		return "the run did not end within run_deadline";
	return w->end == NULL ? "the apply role did not finish"
			      : hf_dict_cstr(w->end, "message", "a task failed");
}

static void phase_ended(struct hf_work *w, int status, bool timed_out)
{
	bool good = status == 0 && w->end != NULL && hf_dict_int(w->end, "exit", 1) == 0;
	const char *why = failure_of(w, timed_out);
	if (w->end != NULL && hf_dict_bool(w->end, "reboot", false) && !timed_out) {
		reboot_begin(w);
		return;
	}
	bool killed = w->end == NULL || hf_dict_bool(w->end, "cancelled", false);
	if (killed && !timed_out && ++w->attempts < ATTEMPTS_MAX) {
		hf_log(HF_LOG_WARNING, "run %lld: the apply role was ended (status %d); going on",
			(long long)w->run.id, status);
		phase_start(w);
		return;
	}
	if (w->run.phase == HF_PHASE_APPLY || w->run.phase == HF_PHASE_RESTORE)
		apply_ended(w, good, why);
	else
		undo_ended(w, good, why);
}

static void on_line(void *data, struct hf_child *c, struct hf_str text)
{
	struct hf_work *w = data;
	struct hf_arena *a = hf_arena_new();
	struct hf_value *line = NULL;
	HF_MUST(hf_json_loads(a, text, &line, err));
	if (strcmp(hf_dict_cstr(line, "k", ""), "end") != 0) {
		hf_arena_free(a);
		return;
	}
	hf_arena_free(w->end_arena);
	w->end_arena = a;
	w->end = line;
}

static void on_ended(void *data, struct hf_child *c, int status, bool timed_out)
{
	struct hf_work *w = data;
	w->child = NULL;
	if (!w->stopping)
		phase_ended(w, status, timed_out);
}

/* --- gates --- */

static void gates_decide(struct hf_work *w)
{
	bool ok = w->end != NULL && hf_dict_bool(w->end, "ok", false);
	bool cut_off = ok && w->broker_was && !hf_broker_connected(w->agent->broker);
	if (ok && !cut_off) {
		run_succeed(w);
	} else if (hf_time_monotonic_ms() < w->gate_deadline_ms && (cut_off || w->end == NULL)) {
		hf_timer_set(w->gate_timer, GATE_AGAIN_MS);
	} else {
		const char *text =
			w->end == NULL ? "the gates could not be checked" : hf_dict_cstr(w->end, "text", "");
		run_fail(w, cut_off ? "gate broker: the broker is out of reach since this release" : text);
	}
}

static void on_gate_line(void *data, struct hf_child *c, struct hf_str text)
{
	struct hf_work *w = data;
	hf_arena_free(w->end_arena);
	w->end_arena = hf_arena_new();
	HF_MUST(hf_json_loads(w->end_arena, text, &w->end, err));
}

static void on_gate_ended(void *data, struct hf_child *c, int status, bool timed_out)
{
	struct hf_work *w = data;
	w->child = NULL;
	if (!w->stopping)
		gates_decide(w);
}

static int gate_body(int socket, void *data)
{
	struct hf_work *w = data;
	return hf_gate_body(socket, &w->gates);
}

static int on_gate_timer(sd_event_source *source, uint64_t now, void *data)
{
	phase_start(data);
	return 0;
}

static int gates_start(struct hf_work *w, struct hf_error *err)
{
	uint64_t now = hf_time_monotonic_ms(), most = (uint64_t)w->agent->config.gate_deadline_s * 1000;
	if (w->gate_deadline_ms == 0)
		w->gate_deadline_ms = now + most;
	w->gates = (struct hf_gate_job){ &w->agent->config, w->run.target.gates,
		w->gate_deadline_ms > now ? w->gate_deadline_ms - now : 1 };
	struct hf_child_spec spec = { .name = "gates",
		.body = gate_body,
		.data = w,
		.keep_fd = -1,
		.deadline_ms = w->gates.deadline_ms + most,
		.line = on_gate_line,
		.ended = on_gate_ended };
	return hf_child_start(w->agent->loop, &spec, &w->child, err);
}

/* --- phases --- */

static struct hf_value *revert_list(struct hf_work *w, struct hf_arena *a)
{
	struct hf_value *list = hf_value_list(a), *one = hf_value_dict(a);
	hf_dict_put(one, "run", hf_value_int(a, w->run.id));
	hf_dict_put(one, "log",
		hf_value_cstr(a, hf_job_log(w->agent, a, w->run.id, hf_phase_names[HF_PHASE_APPLY])));
	hf_list_append(list, one);
	return list;
}

static int worker_start(struct hf_work *w, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	enum hf_phase phase = w->run.phase;
	bool undo = phase == HF_PHASE_UNDO || phase == HF_PHASE_REVERT;
	struct hf_job job = { .mode = undo ? HF_JOB_UNDO : HF_JOB_APPLY,
		.run = w->run.id,
		.log = hf_job_log(w->agent, a, w->run.id, hf_phase_names[phase]) };
	if (phase == HF_PHASE_UNDO)
		job.undo = hf_runs_undo_list(w->agent, a, w->run.undo);
	else if (phase == HF_PHASE_REVERT)
		job.undo = revert_list(w, a);
	else
		job.target = phase == HF_PHASE_RESTORE ? &w->agent->installed : &w->run.target;
	job.full = w->full || w->run.undo != NULL || phase == HF_PHASE_RESTORE;
	struct hf_job_watcher watcher = { on_line, on_ended, w };
	return hf_job_start(w->agent, &job, &watcher, &w->child, err);
}

static void phase_start(struct hf_work *w)
{
	struct hf_error err = { 0 };
	w->end = NULL;
	w->end_arena = hf_arena_free(w->end_arena);
	if (w->run.phase != HF_PHASE_GATES)
		w->gate_deadline_ms = 0;
	hf_report_state(w->agent);
	if ((w->run.phase == HF_PHASE_GATES ? gates_start(w, &err) : worker_start(w, &err)) < 0)
		hf_agent_fatal(&err);
}

static void run_begin(struct hf_work *w, const char *kind, const char *spec, const struct hf_value *undo,
	const char *reason)
{
	struct hf_agent *agent = w->agent;
	HF_MUST(hf_runs_begin(agent, kind, spec, undo, w->full, reason, &w->run, err));
	hf_log(HF_LOG_NOTICE, "run %lld (%s) begins: release %s", (long long)w->run.id, kind,
		w->run.target.name != NULL ? w->run.target.name : "none");
	hf_timeline_mark(agent, "apply_at");
	w->broker_was = hf_broker_connected(agent->broker);
	w->attempts = 0;
	phase_start(w);
}

/* It may be a wave's that is to come: then it is asked again. */
static bool turn_come(struct hf_work *w)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_turn_answer turn;
	hf_turn_ask(w->agent, a, &turn);
	int64_t left = turn.at - hf_time_now(); /* below 0 where the clock was set meanwhile */
	if (!turn.now && turn.at > 0)
		hf_timer_set(w->turn_timer, left > 0 ? (uint64_t)left * 1000 : 0);
	return turn.now;
}

static bool target_due(struct hf_work *w)
{
	struct hf_agent *agent = w->agent;
	bool blocked = false;
	if (agent->target.release == NULL)
		return false;
	if (hf_target_same(&agent->target, &agent->installed) && !w->full) {
		/* The same release named again, by a newer pointer perhaps: nothing is to be run. */
		if (agent->installed.seq != agent->target.seq) {
			hf_auto_arena a = hf_arena_new();
			const char *json = NULL;
			HF_MUST(hf_state_get(agent->state, a, "target", &json, err));
			installed_set(agent, json);
			/* What was taken back is no longer wanted either. */
			if (agent->rest == HF_HOST_ROLLED_BACK && strcmp(agent->target.kind, "forward") == 0)
				rest_set(agent, HF_HOST_OK, NULL);
			hf_report_state(agent);
		}
		return false;
	}
	HF_MUST(hf_runs_blocked(agent->state, &agent->target, &blocked, err));
	return !blocked && (hf_target_same(&agent->target, &agent->installed) || turn_come(w));
}

static void target_run(struct hf_work *w)
{
	struct hf_agent *agent = w->agent;
	hf_auto_arena a = hf_arena_new();
	const char *spec = NULL;
	HF_MUST(hf_state_get(agent->state, a, "target", &spec, err));
	bool back = strcmp(agent->target.kind, "rollback") == 0 && agent->installed.release != NULL &&
		    !hf_target_same(&agent->target, &agent->installed);
	struct hf_value *undo = NULL;
	if (back)
		HF_MUST(hf_runs_since(agent->state, a, agent->target.release, &undo, err));
	run_begin(w, back ? "rollback" : "release", spec, undo, agent->target.reason);
}

/* Everything anew, of what is here: what the channel names is not to be begun yet. */
static void installed_run(struct hf_work *w)
{
	hf_auto_arena a = hf_arena_new();
	const char *spec = NULL;
	HF_MUST(hf_state_get(w->agent->state, a, "installed", &spec, err));
	run_begin(w, "release", spec, NULL, w->agent->installed.reason);
}

void hf_work_next(struct hf_work *w)
{
	struct hf_agent *agent = w->agent;
	if (w->run.id != 0 || w->stopping || agent->drift == NULL || hf_drift_busy(agent->drift))
		return;
	bool paused = agent->paused_until > hf_time_now();
	if (!paused && target_due(w))
		target_run(w);
	else if (!paused && w->full && agent->installed.release != NULL)
		installed_run(w);
	else
		(void)hf_drift_due(agent->drift);
}

int hf_work_rollback(struct hf_work *w, int64_t run, const char *reason, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *undo = NULL;
	const char *before = NULL;
	if (w->run.id != 0 || hf_drift_busy(w->agent->drift))
		return hf_fail(err, HF_E_BUSY, "a run is at work");
	int result = hf_runs_from(w->agent->state, a, run, &undo, &before, err);
	if (result < 0)
		return result;
	if (w->agent->installed.release != NULL)
		result = hf_runs_quarantine(
			w->agent->state, &w->agent->installed, w->agent->target.seq, reason, err);
	if (result < 0)
		return result;
	run_begin(w, "rollback", before, undo, reason);
	return 0;
}

void hf_work_recover(struct hf_work *w)
{
	HF_MUST(hf_runs_unfinished(w->agent->state, &w->run, err));
	if (w->run.id == 0)
		return;
	hf_log(HF_LOG_NOTICE, "run %lld (%s) goes on where it was interrupted: phase %s",
		(long long)w->run.id, w->run.kind, hf_phase_names[w->run.phase]);
	w->full = w->run.full;
	hf_auto_arena a = hf_arena_new();
	struct hf_reboot r;
	if (hf_reboot_asked(a, hf_reboot_path(w->agent, a, w->run.id), &r))
		reboot_begin(w); /* a kill came between the request and the reboot */
	else
		phase_start(w);
}

static int on_turn(sd_event_source *source, uint64_t now, void *data)
{
	hf_work_next(data);
	return 0;
}

int hf_work_new(struct hf_agent *agent, struct hf_work **ret, struct hf_error *err)
{
	struct hf_work *w = hf_new(agent->arena, struct hf_work);
	w->agent = agent;
	w->gate_timer = hf_timer_new(agent->loop, false, on_gate_timer, w);
	w->turn_timer = hf_timer_new(agent->loop, false, on_turn, w);
	w->reboot_timer = hf_timer_new(agent->loop, false, on_reboot_timer, w);
	*ret = w;
	return 0;
}

bool hf_work_busy(const struct hf_work *w)
{
	return w->run.id != 0;
}

bool hf_work_state(const struct hf_work *w, enum hf_host_state *ret)
{
	if (w->run.id == 0)
		return w->agent->drift != NULL && hf_drift_correcting(w->agent->drift)
			       ? (*ret = HF_HOST_CORRECTING, true)
			       : false;
	*ret = w->run.phase == HF_PHASE_GATES ? HF_HOST_GATED : HF_HOST_CONVERGING;
	return true;
}

pid_t hf_work_pid(const struct hf_work *w)
{
	return w->child != NULL ? hf_child_pid(w->child) : 0;
}

void hf_work_full(struct hf_work *w)
{
	w->full = true;
	hf_work_next(w);
}

void hf_work_stop(struct hf_work *w)
{
	w->stopping = true;
	if (w->child != NULL)
		hf_child_stop(w->child, SIGKILL); /* the run is resumed when the agent comes back */
}
