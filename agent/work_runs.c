#include "agent/work_runs.h"

#include "agent/job.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { UNDO_MAX = 100000 };

const char *const hf_phase_names[] = { "undo", "apply", "gates", "revert", "restore", NULL };

static int run_fill(struct hf_run *r, struct hf_error *err)
{
	if (r->spec == NULL)
		return 0;
	struct hf_target t = { 0 };
	int result = hf_target_parse(r->spec, &t, err);
	if (result < 0)
		return result;
	r->target = (struct hf_target){ .release = hf_strdup(r->arena, t.release),
		.name = hf_strdup(r->arena, t.name),
		.entry = hf_strdup(r->arena, t.entry),
		.kind = hf_strdup(r->arena, t.kind),
		.reason = hf_strdup(r->arena, t.reason),
		.seq = t.seq,
		.gates = t.gates == NULL ? NULL : hf_value_copy(r->arena, t.gates) };
	hf_arena_free(t.arena);
	return 0;
}

static int ids_print(const struct hf_value *ids, struct hf_buf *out, struct hf_error *err)
{
	struct hf_json_style style = HF_JSON_COMPACT;
	return ids == NULL ? 0 : hf_json_write(out, ids, &style, err);
}

int hf_runs_begin(struct hf_agent *agent, const char *kind, const char *spec, const struct hf_value *undo,
	bool full, const char *reason, struct hf_run *ret, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf ids = hf_buf_init(UNDO_MAX * 8);
	struct hf_run r = { .arena = a,
		.kind = hf_strdup(a, kind),
		.spec = hf_strdup(a, spec),
		.full = full,
		.undo = undo == NULL ? NULL : hf_value_copy(a, undo),
		.phase = undo != NULL ? HF_PHASE_UNDO : HF_PHASE_APPLY };
	const char *previous = NULL;
	int result = run_fill(&r, err);
	if (result == 0)
		result = hf_state_get(agent->state, a, "installed", &previous, err);
	if (result == 0)
		result = ids_print(undo, &ids, err);
	if (result == 0)
		result = hf_state_exec(agent->state, err,
			"INSERT INTO "
			"runs(kind,release,name,entry,seq,reason,previous,phase,status,started,full,spec,"
			"undo)"
			" VALUES(?,?,?,?,?,?,?,?,'running',?,?,?,?)",
			"ssssisssiiss", kind, r.target.release, r.target.name, r.target.entry, r.target.seq,
			reason, previous, hf_phase_names[r.phase], hf_time_now(), (int64_t)full, spec,
			undo == NULL ? NULL : hf_buf_str(&ids).p);
	if (result < 0)
		return result;
	r.id = hf_state_last_id(agent->state);
	hf_take_arena(&a);
	*ret = r;
	return 0;
}

static int unfinished_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct hf_run *r = data;
	const char *undo = hf_state_text(row, 3);
	r->arena = hf_arena_new();
	r->id = sqlite3_column_int64(row, 0);
	r->kind = hf_strdup(r->arena, hf_state_text(row, 1));
	if (sqlite3_column_type(row, 2) != SQLITE_NULL)
		r->spec = hf_strdup(r->arena, hf_state_text(row, 2));
	for (int i = 0; hf_phase_names[i] != NULL; i++)
		if (strcmp(hf_state_text(row, 4), hf_phase_names[i]) == 0)
			r->phase = (enum hf_phase)i;
	r->full = sqlite3_column_int(row, 5) != 0;
	if (sqlite3_column_type(row, 6) != SQLITE_NULL)
		r->message = hf_strdup(r->arena, hf_state_text(row, 6));
	r->partial = sqlite3_column_int(row, 7) != 0;
	int result = *undo == '\0' ? 0
				   : hf_json_parse(r->arena, hf_str(hf_strdup(r->arena, undo)), "undo",
					     &r->undo, err);
	return result < 0 ? result : 1;
}

int hf_runs_unfinished(struct hf_state *s, struct hf_run *ret, struct hf_error *err)
{
	struct hf_run r = { 0 };
	int result = hf_state_query(s, err, unfinished_row, &r,
		"SELECT id,kind,spec,undo,phase,full,message,partial FROM runs WHERE status='running' AND "
		"kind<>'drift'"
		" ORDER BY id DESC LIMIT 1",
		"");
	if (result == 0)
		result = run_fill(&r, err);
	/* A correction that was cut short needs no resuming: the sweep at start finds what it left. */
	if (result == 0)
		result = hf_state_exec(s, err,
			"UPDATE runs SET status='interrupted', ended=? WHERE status='running' AND id<>?",
			"ii", hf_time_now(), r.id);
	if (result == 0)
		*ret = r;
	else
		hf_arena_free(r.arena);
	return result;
}

int hf_runs_phase_set(struct hf_state *s, int64_t id, enum hf_phase phase, struct hf_error *err)
{
	return hf_state_exec(s, err, "UPDATE runs SET phase=? WHERE id=?", "si", hf_phase_names[phase], id);
}

int hf_runs_message_set(struct hf_state *s, int64_t id, const char *message, struct hf_error *err)
{
	return hf_state_exec(s, err, "UPDATE runs SET message=? WHERE id=?", "si", message, id);
}

int hf_runs_partial_set(struct hf_state *s, int64_t id, const char *message, struct hf_error *err)
{
	return hf_state_exec(s, err, "UPDATE runs SET partial=1, message=? WHERE id=?", "si", message, id);
}

int hf_runs_counts(struct hf_state *s, int64_t id, const struct hf_value *end, struct hf_error *err)
{
	if (end == NULL)
		return 0;
	return hf_state_exec(s, err,
		"UPDATE runs SET ok=?, changed=?, failed=?, skipped=?, recalled=? WHERE id=?", "iiiiii",
		hf_dict_int(end, "ok", 0), hf_dict_int(end, "changed", 0), hf_dict_int(end, "failed", 0),
		hf_dict_int(end, "skipped", 0), hf_dict_int(end, "recalled", 0), id);
}

int hf_runs_end(struct hf_state *s, int64_t id, const char *status, const char *message, struct hf_error *err)
{
	return hf_state_exec(s, err, "UPDATE runs SET status=?, message=?, ended=? WHERE id=?", "ssii",
		status, message, hf_time_now(), id);
}

int hf_runs_undone(struct hf_state *s, const struct hf_value *ids, struct hf_error *err)
{
	int result = 0;
	for (size_t i = 0; i < hf_list_len(ids) && result == 0; i++)
		result = hf_state_exec(
			s, err, "UPDATE runs SET undone=1 WHERE id=?", "i", hf_list_at(ids, i)->u.integer);
	return result;
}

struct id_list {
	struct hf_arena *a;
	struct hf_value *ids;
};

static int id_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct id_list *l = data;
	if (hf_list_len(l->ids) >= UNDO_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d runs would be taken back", UNDO_MAX);
	hf_list_append(l->ids, hf_value_int(l->a, sqlite3_column_int64(row, 0)));
	return 0;
}

static int ids_from(
	struct hf_state *s, struct hf_arena *a, int64_t first, struct hf_value **ret, struct hf_error *err)
{
	struct id_list l = { a, hf_value_list(a) };
	int result = hf_state_query(s, err, id_row, &l,
		"SELECT id FROM runs WHERE id>=? AND undone=0 AND kind IN ('release','rollback') AND "
		"status<>'running'"
		" ORDER BY id DESC",
		"i", first);
	if (result == 0)
		*ret = l.ids;
	return result;
}

int hf_runs_since(struct hf_state *s, struct hf_arena *a, const char *release, struct hf_value **ret_ids,
	struct hf_error *err)
{
	int64_t installed = 0;
	int result = hf_state_number(s, err, 0, &installed,
		"SELECT max(id) FROM runs WHERE release=? AND status IN "
		"('ok','rolled_back','rolled_back_partial') AND undone=0",
		"s", release);
	if (result == 0 && installed == 0)
		result = hf_state_number(s, err, 0, &installed,
			"SELECT min(id)-1 FROM runs WHERE undone=0 AND release=(SELECT release FROM runs "
			"WHERE undone=0 AND status='ok'"
			" ORDER BY id DESC LIMIT 1)",
			"");
	return result < 0 ? result : ids_from(s, a, installed + 1, ret_ids, err);
}

struct before {
	struct hf_arena *a;
	const char *spec;
	bool found;
};

static int before_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct before *b = data;
	b->found = true;
	if (sqlite3_column_type(row, 0) != SQLITE_NULL)
		b->spec = hf_strdup(b->a, hf_state_text(row, 0));
	return 1;
}

int hf_runs_from(struct hf_state *s, struct hf_arena *a, int64_t run, struct hf_value **ret_ids,
	const char **ret_before, struct hf_error *err)
{
	struct before b = { a, NULL, false };
	int result = 0;
	if (run == 0)
		result = hf_state_number(s, err, 0, &run,
			"SELECT max(id) FROM runs WHERE kind IN ('release','rollback') AND undone=0 AND "
			"status<>'running'",
			"");
	if (result == 0)
		result = hf_state_query(s, err, before_row, &b,
			"SELECT previous FROM runs WHERE id=? AND kind IN ('release','rollback') AND "
			"undone=0",
			"i", run);
	if (result == 0 && !b.found)
		return hf_fail(
			err, HF_E_NOT_FOUND, "there is no run %lld that can be taken back", (long long)run);
	if (result == 0)
		result = ids_from(s, a, run, ret_ids, err);
	if (result == 0)
		*ret_before = b.spec;
	return result;
}

struct hf_value *hf_runs_undo_list(struct hf_agent *agent, struct hf_arena *a, const struct hf_value *ids)
{
	static const enum hf_phase phases[] = { HF_PHASE_RESTORE, HF_PHASE_APPLY }; /* newest first */
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(ids); i++) {
		int64_t id = hf_list_at(ids, i)->u.integer;
		for (size_t p = 0; p < HF_COUNT(phases); p++) {
			struct hf_value *one = hf_value_dict(a);
			hf_dict_put(one, "run", hf_value_int(a, id * 10 + (int64_t)phases[p]));
			hf_dict_put(one, "log",
				hf_value_cstr(a, hf_job_log(agent, a, id, hf_phase_names[phases[p]])));
			hf_list_append(list, one);
		}
	}
	return list;
}

int hf_runs_quarantine(
	struct hf_state *s, const struct hf_target *t, int64_t seq, const char *reason, struct hf_error *err)
{
	return hf_state_exec(s, err,
		"INSERT INTO quarantine(release,seq,reason,at) VALUES(?,?,?,?)"
		" ON CONFLICT(release) DO UPDATE SET seq=max(seq,excluded.seq), reason=excluded.reason, "
		"at=excluded.at",
		"sisi", t->release, seq, reason, hf_time_now());
}

int hf_runs_blocked(struct hf_state *s, const struct hf_target *t, bool *ret, struct hf_error *err)
{
	int64_t seq = 0;
	int result = hf_state_number(
		s, err, -1, &seq, "SELECT seq FROM quarantine WHERE release=?", "s", t->release);
	if (result == 0)
		*ret = seq >= t->seq;
	return result;
}
