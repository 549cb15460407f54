#include "agent/drift.h"

#include <signal.h>
#include <unistd.h>

#include "agent/differs.h"
#include "agent/drift_set.h"
#include "agent/job.h"
#include "agent/ledger.h"
#include "agent/look.h"
#include "agent/report.h"
#include "agent/sweep.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum {
	SLOW_MS = 300,
	STREAK_MAX = 5,
	STREAK_WINDOW_S = 600,
	BACKOFF_FIRST_S = 60,
	BACKOFF_MAX_S = 86400,
	WARM_MS = 30000,
	FOUND_FILE_MS = 25,
	FOUND_MS = 2,
	ATTEMPTS_MAX = 3,
	AGAIN_MS = 500,
	LOST_EVERY_MS = 2000,
	FOUGHT_MS = 1000 /* nobody needs to be quick where nothing is done for now */
};

struct hf_drift {
	struct hf_agent *agent;
	struct hf_drift_set set;   /* touched and not looked at yet */
	struct hf_drift_set later; /* corrections that failed, tried again in a moment */
	struct hf_sweep *paths;
	sd_event_source *debounce, *sweep, *hash_sweep, *lost, *retry, *slow, *cool, *found, *again;
	struct hf_child *child;
	struct hf_child *warm;      /* has read the release and waits for work */
	struct hf_arena *run_arena; /* of the drift run at work */
	struct hf_map pending;      /* id → struct hf_drift_touch: what this run looks at */
	int64_t run;
	uint64_t lost_ms; /* when events were lost and swept for last; 0: never */
	bool correct, ended;
	bool found_any, is_slow;    /* the run puts something right; and has been at it for SLOW_MS */
	bool dozing;                /* all that was touched is backed off: it waits for FOUGHT_MS */
	bool noted;                 /* the run has its row */
	char packages[HF_LOOK_MAX]; /* how what packages depend on looked when they were last asked about */
	bool whole;  /* the next run goes through everything: a resource was not where it should stand */
	bool window; /* one was open when that was last looked at */
};

static void warm_up(struct hf_drift *d);

/* --- from things to resources --- */

static int on_debounce(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_drift *d = data;
	d->agent->above->wake(d->agent);
	return 0;
}

static void debounce(struct hf_drift *d)
{
	if (d->set.things.live > 0 && !d->agent->above->running(d->agent))
		hf_timer_set(d->debounce, (uint64_t)d->agent->config.debounce_ms);
}

void hf_drift_touched(struct hf_drift *d, enum hf_thing kind, const char *name, const char *actor)
{
	bool idle = d->set.things.live == 0, likely = false;
	bool fought = hf_drift_set_fought(&d->set, name);
	hf_drift_set_add(&d->set, kind, name, actor);
	if (idle && fought) {
		d->dozing = true;
		hf_timer_set(d->debounce, FOUGHT_MS);
	}
	if (fought || (!idle && !d->dozing))
		return;
	d->dozing = false;
	debounce(d);
	if (d->warm != NULL || d->child != NULL || d->agent->above->running(d->agent))
		return;
	HF_MUST(hf_drift_set_likely(d->agent->state, kind, name, &likely, err));
	if (likely)
		warm_up(d); /* it reads the release while the burst settles */
}

/* --- the child that waits --- */

static void cool_down(struct hf_drift *d)
{
	if (d->warm == NULL)
		return;
	hf_child_stop(d->warm, SIGKILL);
	d->warm = NULL; /* its end is told to on_ended(), which knows it no more */
}

static int on_cool(sd_event_source *source, uint64_t now, void *data)
{
	cool_down(data);
	return 0;
}

static void on_differs(void *data, const char *path)
{
	struct hf_drift *d = data;
	hf_drift_set_add(&d->set, HF_THING_PATH, path, NULL);
	hf_drift_set_add(&d->set, HF_THING_TREE, path, NULL);
}

void hf_drift_sweep(struct hf_drift *d, bool hash)
{
	if (hash)
		HF_MUST(hf_sweep_by_content(d->paths, on_differs, d, err));
	else
		HF_MUST(hf_sweep_by_stat(d->paths, on_differs, d, err));
	debounce(d);
}

/* Whether the databases of packages, and what says which version is wanted, stand as they did when package
 * resources were last asked about: to ask again would give the same. Changes of the databases are events. */
static bool packages_stand(struct hf_drift *d)
{
	static const char *const paths[] = { "/var/lib/dpkg/status", "/var/lib/apt/extended_states",
		"/var/lib/apt/lists", "/etc/apt", "/etc/apt/preferences", "/etc/apt/preferences.d",
		"/etc/apt/sources.list", "/etc/apt/sources.list.d", "/var/lib/rpm/rpmdb.sqlite",
		"/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/etc/dnf", "/etc/yum.repos.d",
		"/var/cache/dnf", "/var/cache/libdnf5", NULL };
	char now[HF_LOOK_MAX];
	hf_look_stats(paths, now);
	bool same = strcmp(now, d->packages) == 0;
	memcpy(d->packages, now, sizeof(now));
	return same;
}

/* What is no path has no look: it is checked by its module. */
static void sweep_rest(struct hf_drift *d)
{
	static const enum hf_thing kinds[] = { HF_THING_UNIT, HF_THING_PACKAGES, HF_THING_USERS,
		HF_THING_MOUNTS, HF_THING_SYSCTL };
	for (size_t i = 0; i < HF_COUNT(kinds); i++)
		if (kinds[i] != HF_THING_PACKAGES || !packages_stand(d))
			hf_drift_set_add(&d->set, kinds[i], NULL, NULL);
	debounce(d);
}

static int on_sweep(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_drift *d = data;
	hf_drift_sweep(d, false);
	if (d->agent->config.n_windows > 0 && hf_config_window_open(&d->agent->config, hf_time_now()))
		HF_MUST(hf_drift_set_state(&d->set, d->agent->state, "drifted", err));
	HF_MUST(hf_drift_set_state(&d->set, d->agent->state, "contended", err));
	debounce(d);
	hf_timer_set(d->sweep, (uint64_t)d->agent->config.sweep_s * 1000);
	return 0;
}

static int on_hash_sweep(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_drift *d = data;
	hf_drift_sweep(d, true);
	sweep_rest(d);
	hf_timer_set(d->hash_sweep, (uint64_t)d->agent->config.hash_sweep_s * 1000);
	return 0;
}

static void lost_sweep(struct hf_drift *d, const char *why)
{
	d->lost_ms = hf_time_monotonic_ms();
	hf_report_alarm(d->agent, "events-lost", "events-lost", "%s: everything is looked at", why);
	d->packages[0] = '\0';
	hf_drift_sweep(d, true);
	sweep_rest(d);
}

static int on_lost(sd_event_source *source, uint64_t now, void *data)
{
	lost_sweep(data, "events were lost again");
	return 0;
}

/* A storm overflows a queue many times a second: it is told and swept for at its start, then now and then,
 * and once after its end. */
void hf_drift_lost(struct hf_drift *d, const char *why)
{
	uint64_t since = hf_time_monotonic_ms() - d->lost_ms;
	if (d->lost_ms == 0 || since >= LOST_EVERY_MS)
		lost_sweep(d, why);
	else
		hf_timer_set(d->lost, LOST_EVERY_MS - since);
}

static int watch_row(void *data, const struct hf_ledger_row *row, struct hf_error *err)
{
	struct hf_drift *d = data;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *list = NULL;
	if (*row->watches == '\0')
		return 0;
	int result = hf_json_parse(a, hf_str(row->watches), "watches", &list, err);
	for (size_t i = 0; result == 0 && hf_is(list, HF_LIST) && i < hf_list_len(list); i++) {
		const char *kind = hf_dict_cstr(hf_list_at(list, i), "kind", "");
		const struct hf_value *name = hf_dict_get(hf_list_at(list, i), "name");
		for (int k = 0; hf_thing_names[k] != NULL; k++)
			if (strcmp(kind, hf_thing_names[k]) == 0)
				hf_watch_add(d->agent->watch, (enum hf_thing)k,
					name == NULL ? "" : hf_value_text(a, name).p);
	}
	return result;
}

void hf_drift_rewatch(struct hf_drift *d)
{
	cool_down(d); /* it may have read another release */
	hf_watch_begin(d->agent->watch);
	HF_MUST(hf_ledger_list(d->agent->state, watch_row, d, err));
	hf_watch_commit(d->agent->watch);
	hf_drift_sweep(d, false); /* between the last look and the new marks nobody listened */
}

void hf_drift_start(struct hf_drift *d)
{
	/* What was left as somebody made it may be put right now: a window or the end of a pause came
	 * meanwhile. */
	HF_MUST(hf_drift_set_state(&d->set, d->agent->state, "drifted", err));
	HF_MUST(hf_drift_set_state(&d->set, d->agent->state, "contended", err));
	d->window = hf_config_window_open(&d->agent->config, hf_time_now());
	hf_drift_rewatch(d);
	hf_drift_sweep(d, true);
	sweep_rest(d);
	hf_timer_set(d->sweep, (uint64_t)d->agent->config.sweep_s * 1000);
	hf_timer_set(d->hash_sweep, (uint64_t)d->agent->config.hash_sweep_s * 1000);
}

/* --- what a look-again found --- */

static void event_report(struct hf_drift *d, const struct hf_drift_touch *t, const struct hf_value *line,
	const char *class, const char *action)
{
	struct hf_drift_event e = { .resource = t->id,
		.title = hf_dict_cstr(line, "title", t->title),
		.module = hf_dict_cstr(line, "module", NULL),
		.class = class,
		.action = action,
		.actor = t->actor,
		.policy = hf_policy_names[t->policy],
		.diff = hf_dict_get(line, "diff"),
		.message = hf_dict_cstr(line, "msg", NULL),
		.run = d->run,
		.ms = (int64_t)(hf_time_monotonic_ms() - t->since_ms) };
	hf_report_drift(d->agent, &e);
}

/* Corrections in a row: the fifth is the last for a while, and the only one that raises an alarm. */
static void streak_count(struct hf_drift *d, const struct hf_drift_touch *t, const struct hf_value *line)
{
	struct hf_state *s = d->agent->state;
	int64_t now = hf_time_now(),
		streak = now - t->last_change <= STREAK_WINDOW_S || t->contended ? t->streak + 1 : 1;
	int64_t over = streak - STREAK_MAX, wait = BACKOFF_FIRST_S;
	for (int64_t i = 0; i < over && wait < BACKOFF_MAX_S; i++)
		wait *= 2;
	HF_MUST(hf_state_exec(s, err,
		"UPDATE ledger SET streak=?, changed=?, changed_by='correction' WHERE id=?", "iis", streak,
		now, t->id));
	if (over < 0)
		return;
	HF_MUST(hf_state_exec(s, err, "UPDATE ledger SET state='contended', retry_at=? WHERE id=?", "is",
		now + (wait > BACKOFF_MAX_S ? BACKOFF_MAX_S : wait), t->id));
	hf_timer_set(d->retry, (uint64_t)wait * 1000);
	if (over > 0)
		return;
	event_report(d, t, line, "contended", "backed-off");
	hf_report_alarm(d->agent, "contended", t->id,
		"%s was corrected %d times in a row: somebody else manages it", t->title, STREAK_MAX);
}

/* The row of a correction is written with the first resource that was not as it should be: a look that found
 * nothing is no run, and what was cut short before needs no row, the sweep at start finds it. */
static void run_note(struct hf_drift *d)
{
	struct hf_agent *agent = d->agent;
	if (d->run == 0 || d->noted)
		return;
	HF_MUST(hf_state_exec(agent->state, err,
		"INSERT INTO runs(id,kind,release,name,status,started,phase) "
		"VALUES(?,'drift',?,?,'running',?,'apply')",
		"issi", d->run, agent->installed.release, agent->installed.name, hf_time_now()));
	d->noted = true;
}

struct told {
	const struct hf_value *diff;
	const char *message;
	bool failed, same;
};

static int told_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct told *t = data;
	hf_auto_arena a = hf_arena_new();
	const char *text = hf_state_text(row, 0), *action = hf_state_text(row, 1);
	struct hf_value *v = NULL;
	bool left = strcmp(action, "reported") == 0 || strcmp(action, "held-back") == 0;
	if (t->failed) {
		t->same = strcmp(action, "correction-failed") == 0 &&
			  strcmp(hf_state_text(row, 2), t->message) == 0;
		return 1;
	}
	int result = !left || *text == '\0' ? 0 : hf_json_loads(a, hf_str(text), &v, err);
	t->same = left && hf_differs_same(t->diff, v);
	return result < 0 ? result : 1;
}

/* Something else drew eyes to what is known to differ, and it differs, or fails, as it did when it was told.
 */
static bool known_already(struct hf_drift *d, const struct hf_drift_touch *t, const struct hf_value *line)
{
	struct told told = { hf_dict_get(line, "diff"), hf_dict_cstr(line, "msg", ""), t->failed, false };
	if (t->drifted)
		HF_MUST(hf_state_query(d->agent->state, err, told_row, &told,
			"SELECT diff,action,message FROM drift WHERE resource=? ORDER BY id DESC LIMIT 1",
			"s", t->id));
	return told.same;
}

static void differs_store(struct hf_drift *d, const struct hf_drift_touch *t, const struct hf_value *line)
{
	HF_MUST(hf_ledger_state_set(d->agent->state, t->id, "drifted", err));
	if (known_already(d, t, line))
		return;
	event_report(d, t, line, "external",
		t->failed ? "correction-failed"
		: t->held ? "held-back"
			  : "reported");
}

static void settled_store(struct hf_drift *d, const struct hf_value *line)
{
	struct hf_state *s = d->agent->state;
	struct hf_drift_touch *t = hf_map_get(&d->pending, hf_dict_cstr(line, "id", ""));
	const char *status = hf_dict_cstr(line, "status", "");
	bool changed = strcmp(status, "changed") == 0, failed = strcmp(status, "failed") == 0;
	if (t == NULL)
		return;
	t->seen = true;
	if (changed && d->correct) {
		HF_MUST(hf_ledger_settled(s, line, d->run, d->agent->installed.release, -1, err));
		event_report(d, t, line, "corrective", "corrected");
		streak_count(d, t, line);
		/* Whoever disturbed it may not have been done, and looked the same to us as our own write. */
		hf_drift_set_name(&d->set, t->id);
		return;
	}
	HF_MUST(hf_ledger_looks_store(s, hf_dict_get(line, "looks"), err));
	t->failed = failed && d->correct;
	if (changed || failed) {
		differs_store(d, t, line);
		return;
	}
	if (t->drifted || t->contended || t->told)
		event_report(d, t, line, t->contended ? "contended" : "external", "resolved");
	HF_MUST(hf_ledger_state_set(s, t->id, "ok", err));
	if (t->contended) /* nobody touched it while we kept away: the fight is over */
		HF_MUST(hf_state_exec(s, err, "UPDATE ledger SET streak=0 WHERE id=?", "s", t->id));
}

/* One transaction a result: one wait for the disk between the repair and its report. */
static void settled_take(struct hf_drift *d, const struct hf_value *line)
{
	struct hf_state *s = d->agent->state;
	const char *status = hf_dict_cstr(line, "status", "");
	HF_MUST(hf_state_begin(s, err));
	if (strcmp(status, "changed") == 0 || strcmp(status, "failed") == 0)
		run_note(d);
	settled_store(d, line);
	HF_MUST(hf_state_commit(s, err));
	HF_MUST(hf_spool_drain(d->agent->spool, err));
}

/* A repair takes milliseconds or, with packages, users and units, which are others' programs' work, much
 * longer: then that it has begun is told. */
static int on_found(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_drift *d = data;
	hf_auto_arena a = hf_arena_new();
	HF_MAP_EACH (&d->pending, e) {
		struct hf_drift_touch *t = e->value;
		if (!t->found || t->seen || t->told)
			continue;
		t->told = true;
		event_report(d, t, hf_value_dict(a), "external", "correcting");
	}
	return 0;
}

/* What is only told of is told as soon as it is seen; what its module finds in the end counts. */
static void left_take(struct hf_drift *d, struct hf_drift_touch *t, const struct hf_value *line)
{
	HF_MUST(hf_state_begin(d->agent->state, err));
	differs_store(d, t, line);
	HF_MUST(hf_state_commit(d->agent->state, err));
	HF_MUST(hf_spool_drain(d->agent->spool, err));
	t->drifted = true;
}

static void found_take(struct hf_drift *d, const struct hf_value *line)
{
	struct hf_drift_touch *t = hf_map_get(&d->pending, hf_dict_cstr(line, "id", ""));
	if (t == NULL)
		return;
	if (!d->correct) {
		left_take(d, t, line);
		return;
	}
	t->found = true;
	if (!d->found_any && d->is_slow) {
		d->found_any = true;
		hf_report_state(d->agent);
	}
	d->found_any = true;
	hf_timer_set(d->found, t->by_path ? FOUND_FILE_MS : FOUND_MS);
}

static void on_line(void *data, struct hf_child *c, struct hf_str text)
{
	struct hf_drift *d = data;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *line = NULL;
	HF_MUST(hf_json_loads(
		a, text, &line, err)); /* whatever bytes lie in a file, its diff is no reason to end */
	const char *kind = hf_dict_cstr(line, "k", "");
	if (strcmp(kind, "settled") == 0)
		settled_take(d, line);
	if (strcmp(kind, "found") == 0)
		found_take(d, line);
	if (strcmp(kind, "end") != 0)
		return;
	d->ended = true;
	if (hf_dict_get(line, "message") != NULL) {
		hf_log(HF_LOG_WARNING, "drift run: %s", hf_dict_cstr(line, "message", ""));
		run_note(d);
	}
	if (d->noted)
		HF_MUST(hf_state_exec(d->agent->state, err,
			"UPDATE runs SET ok=?,changed=?,failed=?,skipped=?,recalled=?,message=? WHERE id=?",
			"iiiiisi", hf_dict_int(line, "ok", 0), hf_dict_int(line, "changed", 0),
			hf_dict_int(line, "failed", 0), hf_dict_int(line, "skipped", 0),
			hf_dict_int(line, "recalled", 0), hf_dict_cstr(line, "message", NULL), d->run));
}

static void run_close(struct hf_drift *d, bool good)
{
	if (d->run == 0 || !d->noted)
		return;
	HF_MUST(hf_state_exec(d->agent->state, err, "UPDATE runs SET status=?, ended=? WHERE id=?", "sii",
		good ? "ok" : "failed", hf_time_now(), d->run));
	hf_report_run(d->agent, d->run);
}

/* A look that ended early is repeated; one that did not come across its resource goes through everything
 * once: the ledger may name an older place. */
static void unseen_again(struct hf_drift *d, bool good)
{
	HF_MAP_EACH (&d->pending, e) {
		const struct hf_drift_touch *t = e->value;
		if (t->seen || t->attempts >= ATTEMPTS_MAX)
			continue;
		hf_drift_set_again(&d->set, t);
		d->whole = d->whole || good;
	}
}

/* What it needs may just be put right itself, a folder above it for one: it is tried again a little later. */
static void failed_again(struct hf_drift *d)
{
	unsigned most = 0;
	HF_MAP_EACH (&d->pending, e) {
		const struct hf_drift_touch *t = e->value;
		if (!t->failed || t->attempts >= ATTEMPTS_MAX)
			continue;
		hf_drift_set_again(&d->later, t);
		most = t->attempts > most ? t->attempts : most;
	}
	if (d->later.ids.live > 0)
		hf_timer_set(d->again, (uint64_t)AGAIN_MS << most);
}

static void on_ended(void *data, struct hf_child *c, int status, bool timed_out)
{
	struct hf_drift *d = data;
	bool good = status == 0 && d->ended;
	if (c == d->warm) {
		d->warm = NULL;
		hf_log(HF_LOG_WARNING, "an apply role that waited for work ended (status %d)", status);
	}
	if (c != d->child)
		return;
	d->child = NULL;
	run_close(d, good);
	if (!good)
		hf_log(HF_LOG_WARNING, "a look at touched resources ended early (status %d): it is repeated",
			status);
	unseen_again(d, good);
	failed_again(d);
	d->run_arena = hf_arena_free(d->run_arena);
	d->run = 0;
	d->pending = (struct hf_map){ 0 };
	hf_report_state(d->agent);
	d->agent->above->wake(d->agent);
	if (d->child == NULL && good && !d->agent->above->running(d->agent))
		warm_up(d); /* where one thing drifts, more may */
}

/* --- starting a run --- */

static int run_next(struct hf_agent *agent, int64_t *ret, struct hf_error *err)
{
	return hf_state_number(agent->state, err, 0, ret,
		"SELECT 1 + coalesce(max(seq), 0) FROM sqlite_sequence WHERE name='runs'", "");
}

static void warm_up(struct hf_drift *d)
{
	struct hf_agent *agent = d->agent;
	hf_auto_arena a = hf_arena_new();
	struct hf_job_watcher watcher = { on_line, on_ended, d };
	int64_t next = 0;
	if (d->warm != NULL || agent->installed.release == NULL)
		return;
	HF_MUST(run_next(agent, &next, err));
	const char *log = hf_job_log(agent, a, next, "drift");
	(void)unlink(log); /* of a correction that was cut short before it had a row */
	HF_MUST(hf_job_prepare(agent, &agent->installed, log, &watcher, &d->warm, err));
	hf_timer_set(d->cool, WARM_MS);
}

static int run_start(struct hf_drift *d, const struct hf_drift_choice *choice, struct hf_error *err)
{
	struct hf_agent *agent = d->agent;
	hf_auto_arena a = hf_arena_new();
	int result = 0;
	d->run = 0;
	d->noted = false;
	d->correct = choice->correct;
	d->pending = choice->pending;
	if (d->correct)
		result = run_next(agent, &d->run, err);
	struct hf_job job = { .mode = d->correct ? HF_JOB_APPLY : HF_JOB_CHECK,
		.run = d->run,
		.tell = true,
		.touched = choice->ids,
		.places = d->whole ? NULL : choice->places,
		.target = &agent->installed,
		.log = hf_job_log(agent, a, d->run, d->correct ? "drift" : "check") };
	d->ended = d->whole = d->found_any = d->is_slow = false;
	if (result < 0)
		return result;
	warm_up(d);
	d->child = d->warm;
	d->warm = NULL;
	struct hf_error gone = { 0 };
	if (hf_job_give(agent, &job, d->child, &gone) == 0)
		return 0;
	hf_log(HF_LOG_WARNING, "%s", gone.text); /* on_ended() repeats the look */
	hf_child_stop(d->child, SIGKILL);
	return 0;
}

bool hf_drift_due(struct hf_drift *d)
{
	struct hf_agent *agent = d->agent;
	struct hf_drift_choice choice = { 0 };
	if (d->child != NULL)
		return true;
	d->dozing = false;
	if (d->set.things.live == 0 || agent->installed.release == NULL) {
		if (agent->installed.release == NULL)
			hf_drift_set_clear(&d->set);
		return false;
	}
	d->run_arena = hf_arena_new();
	HF_MUST(hf_drift_set_choose(&d->set, agent, d->run_arena, &choice, err));
	if (choice.ids == NULL) {
		d->run_arena = hf_arena_free(d->run_arena);
		return false;
	}
	HF_MUST(run_start(d, &choice, err));
	hf_timer_set(d->slow, SLOW_MS); /* a repair of milliseconds is told by its event alone */
	return true;
}

static int on_slow(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_drift *d = data;
	d->is_slow = d->child != NULL;
	if (hf_drift_correcting(d))
		hf_report_state(d->agent);
	return 0;
}

static int on_retry(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_drift *d = data;
	hf_drift_set_peace(&d->set);
	HF_MUST(hf_drift_set_state(&d->set, d->agent->state, "contended", err));
	debounce(d);
	return 0;
}

static int on_again(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_drift *d = data;
	hf_drift_set_move(&d->set, &d->later);
	debounce(d);
	return 0;
}

void hf_drift_window(struct hf_drift *d)
{
	bool before = d->window;
	d->window = hf_config_window_open(&d->agent->config, hf_time_now());
	if (d->window && !before)
		hf_drift_resume(d);
}

void hf_drift_resume(struct hf_drift *d)
{
	HF_MUST(hf_drift_set_state(&d->set, d->agent->state, "drifted", err));
	hf_drift_sweep(d, false);
}

int hf_drift_new(struct hf_agent *agent, struct hf_drift **ret, struct hf_error *err)
{
	struct hf_drift *d = hf_new(agent->arena, struct hf_drift);
	d->agent = agent;
	hf_drift_set_init(&d->set);
	hf_drift_set_init(&d->later);
	d->paths = hf_sweep_new(agent->arena, agent->state);
	d->debounce = hf_timer_new(agent->loop, true, on_debounce, d);
	d->sweep = hf_timer_new(agent->loop, false, on_sweep, d);
	d->hash_sweep = hf_timer_new(agent->loop, false, on_hash_sweep, d);
	d->lost = hf_timer_new(agent->loop, false, on_lost, d);
	d->slow = hf_timer_new(agent->loop, false, on_slow, d);
	d->cool = hf_timer_new(agent->loop, false, on_cool, d);
	d->found = hf_timer_new(agent->loop, true, on_found, d);
	d->retry = hf_timer_new(agent->loop, false, on_retry, d);
	d->again = hf_timer_new(agent->loop, true, on_again, d);
	*ret = d;
	return 0;
}

bool hf_drift_busy(const struct hf_drift *d)
{
	return d->child != NULL;
}

bool hf_drift_correcting(const struct hf_drift *d)
{
	return d->child != NULL && d->correct && d->found_any;
}
