#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/state.h"

typedef int (*meta_fn)(struct hf_run *run, const struct hf_hosts *hosts, struct hf_error *err);

static int nothing(
	struct hf_run *run HF_UNUSED, const struct hf_hosts *hosts HF_UNUSED, struct hf_error *err HF_UNUSED)
{
	return 0;
}

/* Of all hosts of the play, as in Ansible. */
static int clear_facts(
	struct hf_run *run, const struct hf_hosts *hosts HF_UNUSED, struct hf_error *err HF_UNUSED)
{
	for (size_t i = 0; i < run->play_hosts.n; i++) {
		struct hf_host_vars *v = run->play_hosts.at[i]->run;
		v->facts = hf_value_dict(run->arena);
		v->fact_vars = hf_value_dict(run->arena);
		v->gathered = false;
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

static const struct row {
	const char *name;
	meta_fn fn;
	bool everybody;       /* one host's condition decides for all */
	const char *done;     /* as Ansible says it; with the host's name where it ends in a blank */
	const char *not_done; /* NULL: a condition means nothing to it */
} rows[] = {
	{ "noop", nothing, false, "noop", NULL },
	{ "flush_handlers", hf_exec_flush, false, "triggered running handlers for ",
		"not running handlers for " },
	{ "refresh_inventory", nothing, true, "inventory successfully refreshed", NULL },
	{ "reset_connection", nothing, false, "reset connection", NULL },
	{ "clear_facts", clear_facts, true, "facts cleared", "not clearing facts and fact cache for " },
	{ "clear_host_errors", clear_errors, true, "cleared host errors",
		"not clearing host error state for " },
	{ "end_host", end_host, false, "ending play for ", "continuing execution for " },
	{ "end_role", end_role, false, "ending role ", "continuing role " },
	{ "end_play", end_play, true, "ending play", "continuing play" },
	{ "end_batch", end_batch, true, "ending batch", "continuing current batch" },
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

/* What Ansible says of it to who asked for more; a host that is left out has a line of its own. */
static void tell(struct hf_run *run, const struct row *row, const struct hf_host *h, bool holds)
{
	struct hf_arena *a = run->arena;
	const char *text = holds ? row->done : row->not_done;
	bool names = text[strlen(text) - 1] == ' ';
	text = hf_sprintf(a, "%s%s", text, names ? h->name : "");
	const char *reason =
		holds ? text : hf_sprintf(a, "%s conditional evaluated to False, %s", row->name, text);
	const char *msg = strcmp(row->name, "end_host") == 0
				  ? hf_sprintf(a, "end_host conditional evaluated to false, %s", text)
				  : row->name;
	if (holds && row->fn == hf_exec_flush)
		hf_handlers_said(run, h);
	hf_event_meta(run, h, reason, msg, !holds);
}

static int holds_here(struct hf_run *run, const struct hf_node *n, const struct row *row, struct hf_host *h,
	bool *ret, struct hf_error *err)
{
	*ret = true;
	if (row->not_done != NULL)
		return holds_on(run, n, h, ret, err);
	struct hf_value *levels[HF_NODE_LEVELS_MAX];
	if (hf_node_collect(n, HF_KW_when, levels) > 0)
		hf_event_warning(
			run, hf_sprintf(run->arena, "%s task does not support when conditional", row->name));
	return 0;
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
		hf_event_task_start(run, n, title_of(run, n));
		int r = holds_here(run, n, &rows[row], hosts->at[i], &holds, err);
		if (r < 0)
			return hf_wrap(err, "meta: %s", what);
		tell(run, &rows[row], hosts->at[i], holds);
		if (holds)
			*hf_vec_push(run->arena, &who) = hosts->at[i];
		if (rows[row].everybody)
			break;
	}
	return who.n == 0 ? 0 : rows[row].fn(run, &who, err);
}
