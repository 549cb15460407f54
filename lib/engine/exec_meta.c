#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/state.h"

typedef int (*meta_fn)(struct hf_run *run, const struct hf_hosts *hosts, struct hf_error *err);

static int nothing(
	struct hf_run *run HF_UNUSED, const struct hf_hosts *hosts HF_UNUSED, struct hf_error *err HF_UNUSED)
{
	return 0;
}

static int clear_facts(struct hf_run *run, const struct hf_hosts *hosts, struct hf_error *err HF_UNUSED)
{
	for (size_t i = 0; i < hosts->n; i++) {
		hosts->at[i]->run->facts = hf_value_dict(run->arena);
		hosts->at[i]->run->fact_vars = hf_value_dict(run->arena);
		hosts->at[i]->run->gathered = false;
	}
	run->generation++;
	return 0;
}

static int clear_errors(
	struct hf_run *run, const struct hf_hosts *hosts HF_UNUSED, struct hf_error *err HF_UNUSED)
{
	/* As Ansible: what is left of this play goes on without them, but for those that are in an `always`.
	 */
	run->errors_cleared++;
	for (size_t i = 0; i < run->play_hosts.n; i++) {
		struct hf_host_vars *v = run->play_hosts.at[i]->run;
		v->ended = v->ended || v->failed || v->failing || v->unreachable;
		v->failed = v->failing = v->unreachable = false;
	}
	return 0;
}

static int end_host(
	struct hf_run *run HF_UNUSED, const struct hf_hosts *hosts, struct hf_error *err HF_UNUSED)
{
	for (size_t i = 0; i < hosts->n; i++)
		hosts->at[i]->run->ended = true;
	return 0;
}

static int end_role(
	struct hf_run *run HF_UNUSED, const struct hf_hosts *hosts, struct hf_error *err HF_UNUSED)
{
	for (size_t i = 0; i < hosts->n; i++)
		hosts->at[i]->run->ended_role = true;
	return 0;
}

static int end_play(
	struct hf_run *run, const struct hf_hosts *hosts HF_UNUSED, struct hf_error *err HF_UNUSED)
{
	for (size_t i = 0; i < run->play_hosts.n; i++)
		run->play_hosts.at[i]->run->ended = true;
	run->play_over = true;
	return 0;
}

static int end_batch(
	struct hf_run *run, const struct hf_hosts *hosts HF_UNUSED, struct hf_error *err HF_UNUSED)
{
	for (size_t i = 0; i < run->batch.n; i++)
		run->batch.at[i]->run->ended = true;
	return 0;
}

static const struct {
	const char *name;
	meta_fn fn;
	bool everybody; /* one host's condition decides for all */
} rows[] = {
	{ "noop", nothing, false },
	{ "flush_handlers", hf_exec_flush, false },
	{ "refresh_inventory", nothing, false },
	{ "reset_connection", nothing, false },
	{ "clear_facts", clear_facts, false },
	{ "clear_host_errors", clear_errors, true },
	{ "end_host", end_host, false },
	{ "end_role", end_role, false },
	{ "end_play", end_play, true },
	{ "end_batch", end_batch, true },
};

static int holds_on(
	struct hf_run *run, const struct hf_node *n, struct hf_host *h, bool *ret, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *levels[HF_NODE_LEVELS_MAX];
	size_t count = hf_node_collect(n, HF_KW_when, levels);
	struct hf_scope *s = hf_new(a, struct hf_scope);
	hf_scope_init(s, run, a, run->play, h, n);
	run->scope = s;
	*ret = true;
	int r = 0;
	for (size_t i = 0; r == 0 && *ret && i < count; i++)
		r = hf_templar_condition(run->templar, a, levels[i], NULL, ret, err);
	run->scope = NULL;
	return r;
}

/* Ansible shows a line for each host that does it. */
static const char *title_of(struct hf_run *run, const struct hf_node *n)
{
	const struct hf_value *name = n->kw[HF_KW_name];
	const char *text = name == NULL ? n->action : hf_value_text(run->arena, name).p;
	return n->role == NULL ? text : hf_sprintf(run->arena, "%s : %s", n->role->name, text);
}

int hf_meta_run(
	struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts, struct hf_error *err)
{
	const char *what = hf_dict_cstr(n->args, "_raw_params", "");
	size_t row = 0;
	while (row < HF_COUNT(rows) && strcmp(rows[row].name, what) != 0)
		row++;
	if (row == HF_COUNT(rows))
		return hf_fail_at(err, HF_E_PARSE, n->pos, "invalid meta action requested: %s", what);
	struct hf_hosts who = { 0 };
	for (size_t i = 0; i < hosts->n; i++) {
		bool holds = false;
		if (!hf_host_active(hosts->at[i]))
			continue;
		if (who.n == 0 || !rows[row].everybody)
			hf_event_task_start(run, n, title_of(run, n));
		int r = holds_on(run, n, hosts->at[i], &holds, err);
		if (r < 0)
			return hf_wrap(err, "meta: %s", what);
		if (holds)
			*hf_vec_push(run->arena, &who) = hosts->at[i];
		else if (rows[row].everybody)
			return 0;
	}
	return who.n == 0 ? 0 : rows[row].fn(run, &who, err);
}
