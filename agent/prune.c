#include "agent/prune.h"

#include <dirent.h>
#include <stdlib.h>

#include "lib/base/fs.h"

enum { DRIFT_RUNS_KEPT = 1000, RELEASES_KEPT = 5 };

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
	return result < 0
		       ? result
		       : folder_prune(hf_sprintf(a, "%s/releases", agent->config.state_dir), &k.names, err);
}

int hf_prune(struct hf_agent *agent, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	int result = logs_prune(agent, a, err);
	return result < 0 ? result : releases_prune(agent, a, err);
}
