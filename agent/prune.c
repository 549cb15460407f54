#include "agent/prune.h"

#include <dirent.h>
#include <stdlib.h>

#include "agent/job.h"
#include "agent/prune_files.h"
#include "agent/work_runs.h"
#include "lib/base/fs.h"
#include "lib/base/vec.h"

enum {
	DRIFT_RUNS_KEPT = 1000, /* and of them only what they said */
	RUNS_KEPT = 200,        /* the newest, whatever they did */
	RELEASES_KEPT = 5,      /* unpacked */
	UNDO_RELEASES = 20      /* a rollback leads to one of so many */
};

struct keep {
	struct hf_arena *a;
	struct hf_map names;
};

static int keep_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct keep *k = data;
	hf_map_set(&k->names, hf_strdup(k->a, hf_state_text(row, 0)), k);
	return 0;
}

/* What decides is the part of the name before the first dot: a run, a release. */
static int folder_prune(const char *path, const struct hf_map *kept, struct hf_error *err)
{
	hf_auto_dir dir = opendir(path);
	struct dirent *e;
	int result = 0;
	if (dir == NULL)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	while (result == 0 && (e = readdir(dir)) != NULL) {
		hf_auto_arena a = hf_arena_new();
		const char *stem = hf_strndup(a, e->d_name, strcspn(e->d_name, "."));
		if (*stem != '\0' && strcmp(stem, "recall") != 0 && hf_map_find(kept, stem) == NULL)
			result = hf_fs_remove_tree(hf_path_join(a, path, e->d_name), err);
	}
	return result;
}

/* --- runs that no rollback takes back --- */

struct run_list {
	struct hf_agent *agent;
	struct hf_arena *a;
	int64_t oldest; /* no rollback takes back what came before */
	size_t seen;
	const char *newer; /* release of the run after this one, "" where that did not end well */
	HF_VEC(int64_t) gone;
};

static int undo_find(struct run_list *l, int64_t id, bool *ret, struct hf_error *err)
{
	static const enum hf_phase phases[] = { HF_PHASE_APPLY, HF_PHASE_RESTORE };
	int result = 0;
	*ret = false;
	for (size_t i = 0; result == 0 && !*ret && i < HF_COUNT(phases); i++)
		result = hf_prune_has_undo(
			hf_job_log(l->agent, l->a, id, hf_phase_names[phases[i]]), ret, err);
	return result;
}

/* id, release, status, undone, whether it changed anything; the newest first. */
static int run_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct run_list *l = data;
	int64_t id = sqlite3_column_int64(row, 0);
	const char *release = hf_strdup(l->a, hf_state_text(row, 1)), *status = hf_state_text(row, 2);
	bool good = strcmp(status, "ok") == 0, undo = true;
	int result = 0;
	bool gone = sqlite3_column_int(row, 3) != 0 || id < l->oldest;
	/* One like it came after it, and it did nothing: whoever counts back from that one misses nothing. */
	if (!gone && good && strcmp(release, l->newer) == 0 && sqlite3_column_int(row, 4) == 0) {
		result = undo_find(l, id, &undo, err);
		gone = !undo;
	}
	if (++l->seen > RUNS_KEPT && gone && strcmp(status, "running") != 0)
		*hf_vec_push(l->a, &l->gone) = id;
	l->newer = good ? release : "";
	return result;
}

/* Where the oldest release that a rollback may lead to was installed last, or what is installed came first:
 * whichever is longer ago. */
static int oldest_find(struct hf_agent *agent, int64_t *ret, struct hf_error *err)
{
	int64_t release = 0, first = 0;
	int result = hf_state_number(agent->state, err, 0, &release,
		"SELECT min(id) FROM (SELECT max(id) AS id FROM runs WHERE kind<>'drift' AND undone=0 AND "
		"status IN ('ok','rolled_back','rolled_back_partial') GROUP BY release ORDER BY id DESC "
		"LIMIT ?)",
		"i", (int64_t)UNDO_RELEASES);
	if (result == 0)
		result = hf_state_number(agent->state, err, 0, &first,
			"SELECT 1+max(id) FROM runs WHERE kind<>'drift' AND undone=0 AND release IS NOT ?",
			"s", agent->installed.release);
	if (result == 0)
		*ret = release < first ? release : first;
	return result;
}

static int runs_prune(struct hf_agent *agent, struct hf_arena *a, struct hf_error *err)
{
	struct run_list l = { .agent = agent, .a = a, .newer = "" };
	int result = oldest_find(agent, &l.oldest, err);
	if (result == 0)
		result = hf_state_query(agent->state, err, run_row, &l,
			"SELECT id,release,status,undone,changed+failed FROM runs WHERE kind<>'drift' ORDER "
			"BY id "
			"DESC",
			"");
	if (result < 0 || l.gone.n == 0)
		return result;
	result = hf_state_begin(agent->state, err);
	for (size_t i = 0; result == 0 && i < l.gone.n; i++)
		result = hf_state_exec(agent->state, err, "DELETE FROM runs WHERE id=?", "i", l.gone.at[i]);
	if (result == 0)
		result = hf_state_commit(agent->state, err);
	if (result < 0)
		hf_state_abandon(agent->state);
	return result;
}

static int logs_prune(struct hf_agent *agent, struct hf_arena *a, struct hf_error *err)
{
	struct keep k = { .a = a };
	hf_map_init_str(&k.names, a);
	hf_map_set(&k.names, "0", &k);
	int result = hf_state_exec(agent->state, err,
		"DELETE FROM runs WHERE kind='drift' AND id <= (SELECT max(id) FROM runs) - ?", "i",
		(int64_t)DRIFT_RUNS_KEPT);
	if (result == 0)
		result = hf_state_query(agent->state, err, keep_row, &k, "SELECT id FROM runs", "");
	return result < 0 ? result
			  : folder_prune(hf_sprintf(a, "%s/runs", agent->config.state_dir), &k.names, err);
}

/* --- files --- */

static int releases_prune(struct hf_agent *agent, struct hf_arena *a, struct hf_error *err)
{
	struct keep k = { .a = a };
	hf_map_init_str(&k.names, a);
	if (agent->installed.release != NULL)
		hf_map_set(&k.names, hf_strdup(a, agent->installed.release), &k);
	if (agent->target.release != NULL)
		hf_map_set(&k.names, hf_strdup(a, agent->target.release), &k);
	int result = hf_state_query(agent->state, err, keep_row, &k,
		"SELECT release FROM runs WHERE kind<>'drift' AND release IS NOT NULL GROUP BY release ORDER "
		"BY max(id) DESC LIMIT ?",
		"i", (int64_t)RELEASES_KEPT);
	if (result == 0)
		result = folder_prune(hf_sprintf(a, "%s/releases", agent->config.state_dir), &k.names, err);
	return result < 0 ? result : hf_prune_objects(agent->config.state_dir, err);
}

/* A correction is never taken back: only what releases found counts. */
static int blobs_prune(struct hf_agent *agent, struct hf_arena *a, struct hf_error *err)
{
	struct keep k = { .a = a };
	hf_map_init_str(&k.names, a);
	int result = hf_state_query(
		agent->state, err, keep_row, &k, "SELECT id FROM runs WHERE kind<>'drift' AND undone=0", "");
	return result < 0 ? result : hf_prune_blobs(agent->config.state_dir, &k.names, err);
}

int hf_prune(struct hf_agent *agent, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	int result = runs_prune(agent, a, err);
	if (result == 0)
		result = logs_prune(agent, a, err);
	if (result == 0)
		result = releases_prune(agent, a, err);
	if (result == 0)
		result = blobs_prune(agent, a, err);
	if (result == 0)
		result = hf_state_exec(agent->state, err,
			"DELETE FROM paths WHERE path NOT IN (SELECT name FROM watch WHERE kind IN "
			"('path','tree'))",
			"");
	return result;
}
