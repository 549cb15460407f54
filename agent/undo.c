#include "agent/undo.h"

#include "lib/base/log.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"

struct record {
	const char *title;
	struct hf_value *value;
};

struct records {
	struct hf_arena *arena;
	HF_VEC(struct record) all;
};

struct done {
	struct hf_arena *arena;
	struct hf_map map;         /* "run:index" */
	struct hf_value *failures; /* those from before a kill are told again */
};

static int record_line(
	void *data, struct hf_arena *a, const char *kind, struct hf_value *line, struct hf_error *err)
{
	struct records *r = data;
	struct hf_value *record = hf_dict_get(line, "record");
	if (strcmp(kind, "undo") == 0 && record != NULL)
		*hf_vec_push(r->arena, &r->all) =
			(struct record){ hf_strdup(r->arena, hf_dict_cstr(line, "title", "")),
				hf_value_copy(r->arena, record) };
	return 0;
}

static void failure_note(struct hf_arena *a, struct hf_value *failures, const char *title, const char *reason)
{
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "title", hf_value_cstr(a, title));
	hf_dict_put(v, "reason", hf_value_cstr(a, reason));
	hf_list_append(failures, v);
}

static int done_line(
	void *data, struct hf_arena *a, const char *kind, struct hf_value *line, struct hf_error *err)
{
	struct done *d = data;
	const char *reason = hf_dict_cstr(line, "reason", NULL);
	if (strcmp(kind, "undone") == 0 && reason != NULL)
		failure_note(d->arena, d->failures, hf_dict_cstr(line, "title", "?"), reason);
	if (strcmp(kind, "undone") == 0)
		hf_map_set(&d->map,
			hf_sprintf(d->arena, "%lld:%lld", (long long)hf_dict_int(line, "run", 0),
				(long long)hf_dict_int(line, "index", 0)),
			d);
	return 0;
}

static int undone_note(const struct hf_undo_job *job, int64_t run, size_t index, const char *title,
	const char *reason, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "k", hf_value_cstr(a, "undone"));
	hf_dict_put(v, "run", hf_value_int(a, run));
	hf_dict_put(v, "index", hf_value_int(a, (int64_t)index));
	if (reason != NULL) {
		hf_dict_put(v, "title", hf_value_cstr(a, title));
		hf_dict_put(v, "reason", hf_value_cstr(a, reason));
	}
	return hf_runlog_add(job->log, v, true, err);
}

static int run_undo(struct hf_arena *a, const struct hf_undo_job *job, const struct hf_value *one,
	const struct done *done, struct hf_value *failures, int64_t *undone, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct records r = { .arena = scratch };
	int64_t run = hf_dict_int(one, "run", 0);
	int result = hf_runlog_read(hf_dict_cstr(one, "log", ""), record_line, &r, err);
	for (size_t i = r.all.n; i > 0 && result == 0; i--) {
		const struct record *rec = &r.all.at[i - 1];
		struct hf_error why = { 0 };
		if (hf_map_find(&done->map,
			    hf_sprintf(scratch, "%lld:%lld", (long long)run, (long long)(i - 1))) != NULL)
			continue;
		if (hf_run_undo(job->registry, rec->value, job->blobs, job->hooks, &why) < 0)
			failure_note(a, failures, rec->title, why.text);
		else
			++*undone;
		result = undone_note(job, run, i - 1, rec->title, why.code == HF_OK ? NULL : why.text, err);
	}
	return result;
}

int hf_undo_runs(struct hf_arena *a, const struct hf_undo_job *job, struct hf_value *failures,
	int64_t *ret_undone, struct hf_error *err)
{
	struct done done = { .arena = a, .failures = failures };
	int64_t undone = 0;
	hf_map_init_str(&done.map, a);
	int result = hf_runlog_read(job->own_log, done_line, &done, err);
	size_t n = hf_is(job->runs, HF_LIST) ? hf_list_len(job->runs) : 0;
	for (size_t i = 0; i < n && result == 0; i++)
		result = run_undo(a, job, hf_list_at(job->runs, i), &done, failures, &undone, err);
	if (result == 0)
		*ret_undone = undone;
	return result;
}

struct unsettled {
	struct hf_arena *arena;
	HF_VEC(struct record) all; /* value NULL: settled since */
	HF_VEC(const char *) ids;
};

static int unsettled_line(
	void *data, struct hf_arena *a, const char *kind, struct hf_value *line, struct hf_error *err)
{
	struct unsettled *u = data;
	const char *id = hf_dict_cstr(line, "id", "");
	struct hf_value *record = hf_dict_get(line, "record");
	if (strcmp(kind, "undo") == 0 && record != NULL) {
		*hf_vec_push(u->arena, &u->all) =
			(struct record){ hf_strdup(u->arena, hf_dict_cstr(line, "title", "")),
				hf_value_copy(u->arena, record) };
		*hf_vec_push(u->arena, &u->ids) = hf_strdup(u->arena, id);
	}
	for (size_t i = 0; strcmp(kind, "settled") == 0 && i < u->all.n; i++)
		if (strcmp(u->ids.at[i], id) == 0)
			u->all.at[i].value = NULL;
	return 0;
}

int hf_undo_unsettled(struct hf_arena *a, const struct hf_undo_job *job, struct hf_error *err)
{
	struct unsettled u = { .arena = a };
	int result = hf_runlog_read(job->own_log, unsettled_line, &u, err);
	for (size_t i = u.all.n; i > 0 && result == 0; i--) {
		struct hf_error why = { 0 };
		if (u.all.at[i - 1].value != NULL &&
			hf_run_undo(job->registry, u.all.at[i - 1].value, job->blobs, job->hooks, &why) < 0)
			hf_log(HF_LOG_NOTICE,
				"%s was cut short and cannot be taken back (%s): it is run again",
				u.all.at[i - 1].title, why.text);
	}
	return result;
}
