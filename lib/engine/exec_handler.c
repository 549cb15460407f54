#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/state.h"

static const char *handler_name(struct hf_task *t, const struct hf_node *h)
{
	const struct hf_value *name = h->kw[HF_KW_name];
	if (name == NULL)
		return NULL;
	if (!hf_templar_is_template(t->run->templar, name))
		return hf_value_text(t->arena, name).p;
	struct hf_scope *s = hf_new(t->arena, struct hf_scope);
	struct hf_str made;
	struct hf_error ignored;
	hf_scope_init(s, t->run, t->arena, t->run->play, t->host, h);
	t->run->scope = s;
	int r = hf_templar_text(t->run->templar, t->arena, hf_value_text(t->arena, name), hf_value_pos(name),
		NULL, &made, &ignored);
	t->run->scope = &t->scope;
	return r < 0 ? NULL : made.p;
}

/* "role : name", the role with or without its collection. */
static bool of_role(struct hf_task *t, const struct hf_node *h, const char *name, const char *wanted)
{
	const struct hf_role *r = h->role;
	if (r == NULL)
		return false;
	const char *roles[] = { r->name, r->short_name,
		r->collection == NULL ? NULL : hf_sprintf(t->arena, "%s.%s", r->collection, r->short_name) };
	for (size_t i = 0; i < HF_COUNT(roles); i++)
		if (roles[i] != NULL && strcmp(hf_sprintf(t->arena, "%s : %s", roles[i], name), wanted) == 0)
			return true;
	return false;
}

static bool names_handler(struct hf_task *t, const struct hf_node *h, const char *wanted)
{
	const char *name = handler_name(t, h);
	if (name == NULL)
		return false;
	if (strcmp(name, wanted) == 0)
		return true;
	return of_role(t, h, name, wanted);
}

static bool listens(struct hf_task *t, const struct hf_node *h, const char *wanted)
{
	struct hf_value *v = h->kw[HF_KW_listen];
	struct hf_error ignored;
	if (v == NULL)
		return false;
	if (hf_templar_is_template(t->run->templar, v) &&
		hf_templar_value(t->run->templar, t->arena, v, NULL, &v, &ignored) < 0)
		return false;
	for (size_t i = 0; i < (hf_is_sequence(v) ? hf_list_len(v) : 1); i++) {
		const struct hf_value *one = hf_is_sequence(v) ? hf_list_at(v, i) : v;
		const char *text = hf_value_text(t->arena, one).p;
		if (strcmp(text, wanted) == 0 || of_role(t, h, text, wanted))
			return true;
	}
	return false;
}

static const char *pending_key(struct hf_run *run, const struct hf_host *host, const struct hf_node *h)
{
	return hf_sprintf(run->arena, "%s|%u", host->name, h->id);
}

static void note(struct hf_task *t, const struct hf_node *h)
{
	hf_map_set(&t->run->notified, pending_key(t->run, t->host, h), t->host);
	if (t->run->options->plan)
		hf_plan_notified(t, h);
}

static void leaves(struct hf_arena *a, const struct hf_nodes *nodes, struct hf_nodes *out)
{
	for (size_t i = 0; i < nodes->n; i++) {
		if (nodes->at[i]->kind == HF_NODE_TASK)
			*hf_vec_push(a, out) = nodes->at[i];
		else
			leaves(a, &nodes->at[i]->body, out);
	}
}

static bool notify_one(struct hf_task *t, const struct hf_nodes *handlers, const char *wanted)
{
	bool found = false;
	/* Of several with one name: of the list loaded last the first. */
	const struct hf_node *meant = NULL;
	for (size_t i = handlers->n; i > 0; i--) {
		const struct hf_node *h = handlers->at[i - 1];
		if ((meant == NULL || h->parent == meant->parent) && names_handler(t, h, wanted))
			meant = h;
	}
	if (meant != NULL) {
		note(t, meant);
		found = true;
	}
	for (size_t i = 0; i < handlers->n; i++) {
		if (listens(t, handlers->at[i], wanted)) {
			note(t, handlers->at[i]);
			found = true;
		}
	}
	return found;
}

int hf_notify(struct hf_task *t, struct hf_error *err)
{
	struct hf_value *levels[HF_NODE_LEVELS_MAX];
	size_t n = hf_node_collect(t->node, HF_KW_notify, levels);
	if (n == 0)
		return 0;
	struct hf_nodes handlers = { 0 };
	leaves(t->arena, &t->run->play->handlers, &handlers);
	t->run->scope = &t->scope;
	for (size_t i = 0; i < n; i++) {
		struct hf_value *v = NULL;
		struct hf_error own;
		if (hf_templar_value(t->run->templar, t->arena, levels[i], NULL, &v, &own) < 0) {
			hf_task_fail(t, &own);
			return 0;
		}
		for (size_t j = 0; j < (hf_is_sequence(v) ? hf_list_len(v) : 1); j++) {
			const char *wanted =
				hf_value_text(t->arena, hf_is_sequence(v) ? hf_list_at(v, j) : v).p;
			if (!notify_one(t, &handlers, wanted))
				return hf_fail_at(err, HF_E_ARGUMENT, t->node->pos,
					"The requested handler '%s' was not found in either the main "
					"handlers list nor in the "
					"listening handlers list",
					wanted);
			if (!t->node->handler)
				hf_event_verbose(t->run, 2,
					hf_sprintf(t->arena, "Notification for handler %s has been saved.",
						wanted));
		}
	}
	return 0;
}

/* What the play says counts more than the command line. */
static bool is_forced(const struct hf_run *run)
{
	const struct hf_value *force = run->play->node.kw[HF_KW_force_handlers];
	if (force == NULL || hf_is(force, HF_NULL))
		return run->options->force_handlers;
	return hf_text_bool(hf_value_text(run->arena, force)) == HF_YES;
}

/* Hosts that were told to run h and still can; their notice is taken. */
static struct hf_hosts take_notified(
	struct hf_run *run, const struct hf_node *h, const struct hf_hosts *hosts, bool forced)
{
	struct hf_hosts who = { 0 };
	for (size_t i = 0; i < hosts->n; i++) {
		struct hf_host *host = hosts->at[i];
		const char *key = pending_key(run, host, h);
		bool able = hf_host_active(host) || (forced && !host->run->unreachable && !host->run->ended &&
							    !host->run->handler_failed);
		if (!able || hf_map_get(&run->notified, key) == NULL)
			continue;
		hf_map_remove(&run->notified, key);
		*hf_vec_push(run->arena, &who) = host;
	}
	return who;
}

/* inside: in the middle of tasks, where a block may rescue what fails here. */
static int run_handler(struct hf_run *run, const struct hf_node *h, const struct hf_hosts *who, bool forced,
	bool inside, struct hf_error *err)
{
	bool *failed = hf_new_array(run->arena, who->n, bool), over = run->play_over;
	for (size_t i = 0; forced && i < who->n; i++) {
		failed[i] = who->at[i]->run->failed;
		who->at[i]->run->failed = who->at[i]->run->failing = false;
	}
	run->play_over = run->play_over && !forced;
	int r = hf_exec_task(run, h, who, err);
	run->play_over = run->play_over || over;
	for (size_t i = 0; i < who->n; i++) {
		struct hf_host_vars *v = who->at[i]->run;
		v->handler_failed = v->failing;
		if (inside)
			continue;
		v->failed = v->failed || v->failing || failed[i];
		v->failing = false;
	}
	return r;
}

void hf_handlers_said(struct hf_run *run, const struct hf_host *host)
{
	struct hf_nodes handlers = { 0 };
	if (run->options->verbosity < 2)
		return;
	leaves(run->arena, &run->play->handlers, &handlers);
	for (size_t i = 0; i < handlers.n; i++) {
		const struct hf_value *name = handlers.at[i]->kw[HF_KW_name];
		if (hf_map_get(&run->notified, pending_key(run, host, handlers.at[i])) == NULL)
			continue;
		const struct hf_role *role = handlers.at[i]->role;
		hf_event_verbose(run, 2,
			hf_sprintf(run->arena, "NOTIFIED HANDLER %s%s%s for %s",
				role == NULL ? "" : role->name, role == NULL ? "" : " : ",
				name == NULL ? handlers.at[i]->action : hf_value_text(run->arena, name).p,
				host->name));
	}
}

static int flush(struct hf_run *run, const struct hf_hosts *hosts, bool inside, struct hf_error *err)
{
	struct hf_nodes handlers = { 0 };
	bool forced = !inside && is_forced(run);
	leaves(run->arena, &run->play->handlers, &handlers);
	int r = 0;
	for (size_t i = 0; r == 0 && i < handlers.n; i++) {
		struct hf_hosts who = take_notified(run, handlers.at[i], hosts, forced);
		if (who.n > 0)
			r = run_handler(run, handlers.at[i], &who, forced, inside, err);
	}
	return r;
}

int hf_exec_flush(struct hf_run *run, const struct hf_hosts *hosts, struct hf_error *err)
{
	return flush(run, hosts, true, err);
}

int hf_exec_flush_last(struct hf_run *run, const struct hf_hosts *hosts, struct hf_error *err)
{
	for (size_t i = 0; i < hosts->n; i++)
		hf_handlers_said(run, hosts->at[i]);
	return flush(run, hosts, false, err);
}
