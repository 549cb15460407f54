#include "agent/drift_set.h"

#include <stdio.h>

#include "agent/ledger.h"
#include "agent/look.h"
#include "lib/base/time.h"

struct touched {
	enum hf_thing kind; /* of a thing */
	const char *name;   /* NULL: all of that kind */
	const char *actor;
	uint64_t since_ms;
	unsigned attempts;
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
	return t;
}

static const char *thing_key(struct hf_arena *a, enum hf_thing kind, const char *name)
{
	return hf_sprintf(a, "%s %s", hf_thing_names[kind], name == NULL ? "*" : name);
}

void hf_drift_set_add(struct hf_drift_set *s, enum hf_thing kind, const char *name, const char *actor)
{
	hf_auto_arena a = hf_arena_new();
	struct touched *t = touched_add(s, &s->things, thing_key(a, kind, name), actor);
	t->kind = kind;
	if (t->name == NULL)
		t->name = hf_strdup(s->arena, name);
}

/* The marker thing keeps the set from being empty while only resources are named. */
static struct touched *id_add(struct hf_drift_set *s, const char *id, const char *actor)
{
	touched_add(s, &s->things, "id", NULL)->kind = HF_THINGS;
	return touched_add(s, &s->ids, id, actor);
}

void hf_drift_set_name(struct hf_drift_set *s, const char *id)
{
	id_add(s, id, NULL);
}

void hf_drift_set_again(struct hf_drift_set *s, const struct hf_drift_touch *t)
{
	id_add(s, t->id, t->actor)->attempts = t->attempts + 1;
}

void hf_drift_set_move(struct hf_drift_set *to, struct hf_drift_set *from)
{
	HF_MAP_EACH (&from->ids, e) {
		const struct touched *t = e->value;
		id_add(to, e->key, t->actor)->attempts = t->attempts;
	}
	hf_drift_set_clear(from);
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
	const struct touched *touched; /* what is being looked up */
	unsigned rows, refused;        /* its resources; those that are backed off */
};

struct stored {
	char stat[HF_LOOK_MAX], what[HF_LOOK_MAX];
	bool found;
};

static int stored_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct stored *s = data;
	s->found = true;
	snprintf(s->stat, sizeof(s->stat), "%s", hf_state_text(row, 0));
	snprintf(s->what, sizeof(s->what), "%s", hf_state_text(row, 1));
	return 1;
}

static int stored_find(struct hf_state *state, const char *path, struct stored *ret, struct hf_error *err)
{
	*ret = (struct stored){ 0 };
	return hf_state_query(
		state, err, stored_row, ret, "SELECT look,hash FROM paths WHERE path=?", "s", path);
}

static bool is_path(const struct touched *t)
{
	return t->name != NULL && (t->kind == HF_THING_PATH || t->kind == HF_THING_TREE);
}

/* Whether the path looks as it did when its task was done with it: then nothing needs to be asked. */
static int look_same(struct hf_state *state, const struct touched *t, bool *ret, struct hf_error *err)
{
	struct stored stored;
	struct hf_look look;
	int result = stored_find(state, t->name, &stored, err);
	if (result < 0)
		return result;
	hf_look_take(t->name, t->kind == HF_THING_TREE, true, &look);
	*ret = stored.found && strcmp(stored.what, look.what) == 0;
	if (*ret && strcmp(stored.stat, look.stat) != 0)
		result = hf_state_exec(
			state, err, "UPDATE paths SET look=? WHERE path=?", "ss", look.stat, t->name);
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
	const struct touched *t = c->touched;
	int policy = policy_find(c, row->policy);
	bool contended = strcmp(row->state, "contended") == 0, refused = contended && row->retry_at > c->now;
	c->rows++;
	c->refused += refused ? 1 : 0;
	if (refused)
		return 0; /* backed off: it is looked at when its time has come */
	bool wanted = policy == HF_POLICY_CORRECT || policy == HF_POLICY_WINDOW;
	bool allowed = wanted && !c->paused && (policy == HF_POLICY_CORRECT || c->window);
	struct hf_map *into = allowed ? c->correct : c->report;
	struct hf_drift_touch *one = hf_map_get(into, row->id);
	if (one != NULL) {
		if (one->actor == NULL)
			one->actor = hf_strdup(c->arena, t->actor);
		return 0;
	}
	one = hf_new(c->arena, struct hf_drift_touch);
	*one = (struct hf_drift_touch){ .id = hf_strdup(c->arena, row->id),
		.title = hf_strdup(c->arena, row->title),
		.file = hf_strdup(c->arena, row->file),
		.line = row->line,
		.actor = hf_strdup(c->arena, t->actor),
		.policy = policy,
		.streak = row->streak,
		.last_change = row->changed,
		.since_ms = t->since_ms,
		.attempts = t->attempts,
		.by_path = is_path(t),
		.drifted = strcmp(row->state, "drifted") == 0,
		.contended = contended,
		.held = wanted && !allowed };
	hf_map_set(into, one->id, one);
	return 0;
}

static char *fight_find(struct hf_drift_set *s, const char *name)
{
	for (size_t i = 0; i < HF_FIGHTS_MAX; i++)
		if (s->fought[i][0] != '\0' && strcmp(s->fought[i], name) == 0)
			return s->fought[i];
	return NULL;
}

bool hf_drift_set_fought(const struct hf_drift_set *s, const char *name)
{
	return name != NULL && fight_find((struct hf_drift_set *)(uintptr_t)s, name) != NULL;
}

void hf_drift_set_peace(struct hf_drift_set *s)
{
	memset(s->fought, 0, sizeof(s->fought));
}

static void fight_note(struct hf_drift_set *s, const struct touched *t, unsigned rows, unsigned refused)
{
	if (!is_path(t) || strlen(t->name) >= HF_FOUGHT_MAX)
		return;
	char *known = fight_find(s, t->name);
	bool fought = rows > 0 && rows == refused;
	if (fought && known == NULL)
		snprintf(s->fought[s->fights++ % HF_FIGHTS_MAX], HF_FOUGHT_MAX, "%s", t->name);
	else if (!fought && known != NULL)
		known[0] = '\0';
}

static int choose(struct choice *c, struct hf_error *err)
{
	struct hf_state *state = c->agent->state;
	int result = 0;
	HF_MAP_EACH (&c->set->ids, e) {
		c->touched = e->value;
		if ((result = hf_ledger_find(state, e->key, choose_row, c, err)) < 0)
			return result;
	}
	HF_MAP_EACH (&c->set->things, e) {
		bool same = false;
		c->touched = e->value;
		c->rows = c->refused = 0;
		if (c->touched->kind == HF_THINGS)
			continue;
		if (is_path(c->touched))
			result = look_same(state, c->touched, &same, err);
		if (result == 0 && !same)
			result = hf_ledger_watching(state, hf_thing_names[c->touched->kind], c->touched->name,
				choose_row, c, err);
		if (result < 0)
			return result;
		if (!same)
			fight_note(c->set, c->touched, c->rows, c->refused);
	}
	return 0;
}

/* Items of a loop stand at one place. */
static void place_add(
	struct hf_arena *a, struct hf_map *known, struct hf_value *places, const struct hf_drift_touch *t)
{
	const char *key = hf_sprintf(a, "%lld %s", (long long)t->line, t->file);
	if (hf_map_find(known, key) != NULL)
		return;
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "file", hf_value_cstr(a, t->file));
	hf_dict_put(v, "line", hf_value_int(a, t->line));
	hf_list_append(places, v);
	hf_map_set(known, key, v);
}

static void choice_fill(struct hf_arena *a, struct hf_map *chosen, struct hf_drift_choice *ret)
{
	struct hf_map known;
	hf_map_init_str(&known, a);
	ret->ids = hf_value_list(a);
	ret->places = hf_value_list(a);
	HF_MAP_EACH (chosen, e) {
		hf_list_append(ret->ids, hf_value_cstr(a, e->key));
		place_add(a, &known, ret->places, e->value);
	}
}

int hf_drift_set_choose(struct hf_drift_set *s, struct hf_agent *agent, struct hf_arena *a,
	struct hf_drift_choice *ret, struct hf_error *err)
{
	struct hf_map correct, report;
	hf_map_init_str(&correct, a);
	hf_map_init_str(&report, a);
	int64_t now = hf_time_now();
	struct choice c = { s, agent, a, &correct, &report, agent->paused_until > now,
		hf_config_window_open(&agent->config, now), now, NULL, 0, 0 };
	int result = choose(&c, err);
	if (result < 0)
		return result;
	hf_drift_set_clear(s);
	struct hf_map *chosen = correct.live > 0 ? &correct : &report;
	*ret = (struct hf_drift_choice){ .correct = correct.live > 0, .pending = *chosen };
	if (chosen->live > 0)
		choice_fill(a, chosen, ret);
	if (correct.live > 0)
		HF_MAP_EACH (&report, e) {
			const struct hf_drift_touch *t = e->value;
			id_add(s, t->id, t->actor)->attempts = t->attempts;
		}
	return 0;
}

static int ready_row(void *data, const struct hf_ledger_row *row, struct hf_error *err)
{
	*(bool *)data = *(bool *)data || strcmp(row->state, "contended") != 0;
	return 0;
}

int hf_drift_set_likely(
	struct hf_state *state, enum hf_thing kind, const char *name, bool *ret, struct hf_error *err)
{
	struct touched t = { .kind = kind, .name = name };
	struct stored stored;
	struct hf_look look;
	*ret = false;
	if (!is_path(&t)) /* there is no look to compare with: its module is asked for certain */
		return hf_ledger_watching(state, hf_thing_names[kind], name, ready_row, ret, err);
	if (kind == HF_THING_TREE)
		return 0;
	int result = stored_find(state, name, &stored, err);
	if (result < 0)
		return result;
	hf_look_take(name, false, false, &look);
	if (stored.found && strcmp(stored.stat, look.stat) == 0)
		return 0;
	return hf_ledger_watching(state, hf_thing_names[kind], name, ready_row, ret, err);
}
