#include "agent/drift_set.h"

#include "agent/ledger.h"
#include "agent/look.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

struct touched {
	const char *actor;
	uint64_t since_ms;
	unsigned attempts;
	bool looked, same;
};

static void start_empty(struct hf_drift_set *s)
{
	s->arena = hf_arena_new();
	hf_map_init_str(&s->things, s->arena);
	hf_map_init_str(&s->ids, s->arena);
}

void hf_drift_set_init(struct hf_drift_set *s)
{
	start_empty(s);
}

void hf_drift_set_clear(struct hf_drift_set *s)
{
	hf_arena_free(s->arena);
	start_empty(s);
}

static struct touched *touched_add(
	struct hf_drift_set *s, struct hf_map *map, const char *key, const char *actor)
{
	struct touched *t = hf_map_get(map, key);
	if (t == NULL) {
		t = hf_new(s->arena, struct touched);
		t->since_ms = hf_time_monotonic_ms();
		hf_map_set(map, hf_strdup(s->arena, key), t);
	}
	if (t->actor == NULL && actor != NULL)
		t->actor = hf_strdup(s->arena, actor);
	t->looked = false;
	return t;
}

static const char *thing_key(struct hf_arena *a, enum hf_thing kind, const char *name)
{
	return hf_sprintf(a, "%s %s", hf_thing_names[kind], name == NULL ? "*" : name);
}

void hf_drift_set_add(struct hf_drift_set *s, enum hf_thing kind, const char *name, const char *actor)
{
	hf_auto_arena a = hf_arena_new();
	touched_add(s, &s->things, thing_key(a, kind, name), actor);
}

/* The marker thing keeps the set from being empty while only resources are named. */
static struct touched *id_add(struct hf_drift_set *s, const char *id, const char *actor)
{
	touched_add(s, &s->things, "id", NULL);
	return touched_add(s, &s->ids, id, actor);
}

void hf_drift_set_again(struct hf_drift_set *s, const struct hf_drift_touch *t)
{
	id_add(s, t->id, t->actor)->attempts = t->attempts + 1;
}

static int state_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	id_add(data, hf_state_text(row, 0), NULL);
	return 0;
}

int hf_drift_set_state(struct hf_drift_set *s, struct hf_state *state, const char *word, struct hf_error *err)
{
	return hf_state_query(state, err, state_row, s, "SELECT id FROM ledger WHERE state=? AND retry_at<=?",
		"si", word, hf_time_now());
}

struct choice {
	struct hf_drift_set *set;
	struct hf_agent *agent;
	struct hf_arena *arena;
	struct hf_map *correct, *report; /* id → struct hf_drift_touch */
	bool paused, window;
	int64_t now;
};

struct stored {
	char what[HF_LOOK_MAX];
	bool found;
};

static int stored_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct stored *s = data;
	s->found = true;
	snprintf(s->what, sizeof(s->what), "%s", hf_state_text(row, 0));
	return 1;
}

/* Whether the path looks as it did when its task was done with it: then nothing needs to be asked. */
static int look_same(struct choice *c, struct touched *t, const char *path, bool tree, struct hf_error *err)
{
	struct stored stored = { 0 };
	struct hf_look look;
	if (t->looked)
		return 0;
	int result = hf_state_query(
		c->agent->state, err, stored_row, &stored, "SELECT hash FROM paths WHERE path=?", "s", path);
	if (result < 0)
		return result;
	hf_look_take(path, tree, true, &look);
	t->looked = true;
	t->same = stored.found && strcmp(stored.what, look.what) == 0;
	if (t->same)
		result = hf_state_exec(c->agent->state, err,
			"UPDATE paths SET look=? WHERE path=? AND look<>?", "sss", look.stat, path,
			look.stat);
	return result;
}

/* The touched thing among one resource's watches that really looks different; NULL: none. */
static int resource_touched(
	struct choice *c, const struct hf_ledger_row *row, struct touched **ret, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *list = NULL;
	*ret = hf_map_get(&c->set->ids, row->id);
	if (*ret != NULL || *row->watches == '\0')
		return 0;
	int result = hf_json_parse(a, hf_str(row->watches), "watches", &list, err);
	for (size_t i = 0; result == 0 && *ret == NULL && hf_is(list, HF_LIST) && i < hf_list_len(list);
		i++) {
		const struct hf_value *w = hf_list_at(list, i), *name = hf_dict_get(w, "name");
		const char *kind = hf_dict_cstr(w, "kind", ""),
			   *text = name == NULL ? "" : hf_value_text(a, name).p;
		struct touched *t = hf_map_get(&c->set->things, hf_sprintf(a, "%s %s", kind, text));
		bool tree = strcmp(kind, "tree") == 0;
		if (t == NULL)
			t = hf_map_get(&c->set->things, hf_sprintf(a, "%s *", kind));
		if (t != NULL && (tree || strcmp(kind, "path") == 0))
			result = look_same(c, t, text, tree, err);
		if (t != NULL && !t->same)
			*ret = t;
	}
	return result;
}

static int policy_find(const struct choice *c, const char *word)
{
	for (int i = 0; hf_policy_names[i] != NULL; i++)
		if (strcmp(word, hf_policy_names[i]) == 0)
			return i;
	return c->agent->config.policy;
}

static int choose_row(void *data, const struct hf_ledger_row *row, struct hf_error *err)
{
	struct choice *c = data;
	struct touched *t = NULL;
	int result = resource_touched(c, row, &t, err);
	if (result < 0 || t == NULL)
		return result;
	int policy = policy_find(c, row->policy);
	bool contended = strcmp(row->state, "contended") == 0;
	if (contended && row->retry_at > c->now)
		return 0; /* backed off: it is looked at when its time has come */
	bool wanted = policy == HF_POLICY_CORRECT || policy == HF_POLICY_WINDOW;
	bool allowed = wanted && !c->paused && (policy == HF_POLICY_CORRECT || c->window);
	struct hf_drift_touch *one = hf_new(c->arena, struct hf_drift_touch);
	*one = (struct hf_drift_touch){ .id = hf_strdup(c->arena, row->id),
		.title = hf_strdup(c->arena, row->title),
		.actor = hf_strdup(c->arena, t->actor),
		.policy = policy,
		.streak = row->streak,
		.last_change = row->changed,
		.since_ms = t->since_ms,
		.attempts = t->attempts,
		.drifted = strcmp(row->state, "drifted") == 0,
		.contended = contended,
		.held = wanted && !allowed };
	hf_map_set(allowed ? c->correct : c->report, one->id, one);
	return 0;
}

int hf_drift_set_choose(struct hf_drift_set *s, struct hf_agent *agent, struct hf_arena *a,
	struct hf_map *ret_pending, struct hf_value **ret_ids, bool *ret_correct, struct hf_error *err)
{
	struct hf_map correct, report;
	hf_map_init_str(&correct, a);
	hf_map_init_str(&report, a);
	int64_t now = hf_time_now();
	struct choice c = { s, agent, a, &correct, &report, agent->paused_until > now,
		hf_config_window_open(&agent->config, now), now };
	int result = hf_ledger_list(agent->state, choose_row, &c, err);
	if (result < 0)
		return result;
	hf_drift_set_clear(s);
	struct hf_map *chosen = correct.live > 0 ? &correct : &report;
	struct hf_value *ids = chosen->live > 0 ? hf_value_list(a) : NULL;
	HF_MAP_EACH (chosen, e)
		hf_list_append(ids, hf_value_cstr(a, e->key));
	if (correct.live > 0)
		HF_MAP_EACH (&report, e) {
			const struct hf_drift_touch *t = e->value;
			id_add(s, t->id, t->actor)->attempts = t->attempts;
		}
	*ret_correct = correct.live > 0;
	*ret_pending = *chosen;
	*ret_ids = ids;
	return 0;
}
