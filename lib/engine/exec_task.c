#include <fnmatch.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/engine/args.h"
#include "lib/engine/state.h"

/* --- before a task runs --- */

static const char *included_role(const struct hf_node *n)
{
	return hf_dict_cstr(n->args, "name", hf_dict_cstr(n->args, "role", ""));
}

static const char *title_of(struct hf_task *t)
{
	const struct hf_value *name = t->node->kw[HF_KW_name];
	const char *text = t->node->action;
	if (name != NULL) {
		struct hf_str made;
		struct hf_error ignored;
		text = hf_value_text(t->arena, name).p;
		t->run->scope = &t->scope;
		/* A name that cannot be templated yet is shown as it is written. */
		if (hf_templar_is_template(t->run->templar, name) &&
			hf_templar_text(t->run->templar, t->arena, hf_str(text), hf_value_pos(name), NULL,
				&made, &ignored) == 0)
			text = made.p;
	}
	if (t->node->task == HF_TASK_INCLUDE_ROLE && t->node->dynamic)
		return name != NULL ? text : hf_sprintf(t->arena, "%s : %s", text, included_role(t->node));
	if (t->node->role == NULL)
		return text;
	return hf_sprintf(t->arena, "%s : %s", t->node->role->name, text);
}

static void task_init(
	struct hf_task *t, struct hf_run *run, const struct hf_node *n, struct hf_host *h, struct hf_arena *a)
{
	t->run = run;
	t->node = n;
	t->host = h;
	t->arena = a;
	hf_scope_init(&t->scope, run, a, run->play, h, n);
	t->started_ms = hf_time_monotonic_ms();
	t->title = title_of(t);
}

/* What holds for the whole task, loop or not. A failure here is the task's. */
static int task_modes(struct hf_task *t, struct hf_error *err)
{
	struct hf_error later;
	if (hf_task_flag(t, HF_KW_ignore_errors, false, &t->ignore_errors, &later) < 0)
		t->ignore_errors = false;
	int r = hf_task_flag(t, HF_KW_check_mode, t->run->options->check, &t->check, err);
	if (r == 0)
		r = hf_task_flag(t, HF_KW_diff, t->run->options->diff, &t->diff, err);
	if (r == 0)
		r = hf_task_flag(t, HF_KW_no_log, false, &t->no_log, err);
	return r;
}

static bool start_here(struct hf_run *run, const struct hf_task *t)
{
	const char *want = run->options->start_at_task;
	if (run->started || t->node->implicit)
		return true;
	const char *colon = strstr(t->title, " : ");
	const char *plain = t->node->role != NULL && colon != NULL ? colon + 3 : t->title;
	bool named = t->node->kw[HF_KW_name] != NULL;
	run->started = named && (strcmp(t->title, want) == 0 || strcmp(plain, want) == 0 ||
					fnmatch(want, t->title, 0) == 0 || fnmatch(want, plain, 0) == 0);
	return run->started;
}

static bool step_allows(struct hf_run *run, const char *title)
{
	if (!run->options->step || run->step == 'c' || run->hooks == NULL || run->hooks->step == NULL)
		return true;
	char answer = run->hooks->step(run->hooks->data, title);
	if (answer == 'c')
		run->step = 'c';
	return answer != 'n';
}

/* --- running --- */

/* Loop or single; what fails inside is in t->result. */
static int run_on_host(struct hf_task *t, struct hf_error *err)
{
	struct hf_error own;
	t->result = hf_value_dict(t->arena);
	if (t->run->options->plan && (t->any_unsure = t->unsure = hf_plan_unsure(t)) != NULL) {
		hf_dict_put(t->result, "skipped", hf_value_bool(t->arena, true));
		hf_dict_put(t->result, "changed", hf_value_bool(t->arena, false));
		t->status = HF_ST_SKIPPED;
		int told = hf_notify(t, err);
		return told < 0 ? told : hf_task_settle(t, err);
	}
	int r = task_modes(t, &own);
	struct hf_value *items = NULL;
	if (r == 0)
		r = hf_loop_items(t, &items, &own);
	if (r < 0) {
		hf_task_fail(t, &own);
	} else {
		r = items == NULL ? hf_task_once(t, err) : hf_loop_run(t, items, err);
		if (r < 0)
			return r;
	}
	return hf_task_settle(t, err);
}

static int run_host(struct hf_run *run, const struct hf_node *n, struct hf_host *h, bool *announced, bool *go,
	struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_task *t = hf_new(a, struct hf_task);
	task_init(t, run, n, h, a);
	if (!*announced) {
		*go = start_here(run, t) && step_allows(run, t->title);
		if (*go)
			hf_event_task_start(run, n, t->title);
		*announced = true;
	}
	return *go ? run_on_host(t, err) : 0;
}

/* run_once: the first host's result is everybody's. As in Ansible the template is asked, and a text that is
 * left holds whatever it says. */
static int run_once(
	struct hf_run *run, const struct hf_node *n, struct hf_host *h, bool *ret, struct hf_error *err)
{
	struct hf_value *v = hf_node_keyword(n, HF_KW_run_once);
	*ret = v != NULL && hf_value_truthy(v);
	if (v == NULL || !hf_is(v, HF_STRING))
		return 0;
	hf_auto_arena a = hf_arena_new();
	struct hf_task *t = hf_new(a, struct hf_task);
	task_init(t, run, n, h, a);
	int r = hf_task_keyword(t, HF_KW_run_once, &v, err);
	run->scope = NULL;
	*ret = r == 0 && v != NULL && hf_value_truthy(v);
	return r < 0 ? hf_error_set_pos(err, n->pos) : 0;
}

static void share_result(struct hf_run *run, const struct hf_node *n, const struct hf_host *first,
	const struct hf_hosts *hosts)
{
	const struct hf_value *name = n->kw[HF_KW_register];
	for (size_t i = 0; i < hosts->n; i++) {
		struct hf_host *h = hosts->at[i];
		if (h == first || !hf_host_active(h))
			continue;
		if (name != NULL) {
			const struct hf_value *v = hf_dict_find(first->run->set, name);
			if (v != NULL)
				hf_vars_put(run, &h->run->set, name->u.string.p, v);
		}
		if (n->module != NULL && strcmp(n->module->name, "set_fact") == 0 &&
			hf_is(n->args, HF_DICT)) {
			HF_DICT_EACH (n->args, e) {
				const struct hf_value *v = hf_dict_find(first->run->set, hf_entry_key(e));
				if (v != NULL)
					hf_vars_put(run, &h->run->set,
						hf_value_text(run->arena, hf_entry_key(e)).p, v);
			}
		}
		if (first->run->failing)
			h->run->failing = true;
	}
}

static double percent_failed(const struct hf_hosts *hosts)
{
	size_t failed = 0;
	for (size_t i = 0; i < hosts->n; i++)
		failed += hosts->at[i]->run->failing || hosts->at[i]->run->failed ||
			  hosts->at[i]->run->unreachable;
	return hosts->n == 0 ? 0 : (double)failed * 100 / (double)hosts->n;
}

/* any_errors_fatal and max_fail_percentage: one host's failure may be everybody's. */
static void spread_failure(struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts)
{
	const struct hf_value *fatal = hf_node_keyword(n, HF_KW_any_errors_fatal);
	bool all = fatal == NULL ? run->any_errors_fatal
				 : hf_value_truthy(fatal); /* as written, as in Ansible */
	all = all || (run->max_fail >= 0 && percent_failed(&run->batch) > run->max_fail);
	for (size_t i = 0; all && i < hosts->n; i++) {
		if (hf_host_active(hosts->at[i]))
			hosts->at[i]->run->failing = true;
	}
}

/* Nobody asked for tags, and the task has none. */
static bool tags_are_plain(const struct hf_run *run, const struct hf_node *n)
{
	return hf_list_len(run->skip_tags) == 0 && hf_list_len(run->only_tags) == 1 &&
	       hf_str_is(hf_list_at(run->only_tags, 0)->u.string, "all") &&
	       hf_node_keyword(n, HF_KW_tags) == NULL;
}

static int should_run(
	struct hf_run *run, const struct hf_node *n, struct hf_host *h, bool *ret, struct hf_error *err)
{
	*ret = true;
	if (n->handler || tags_are_plain(run, n))
		return 0;
	hf_auto_arena a = hf_arena_new();
	struct hf_scope *s = hf_new(a, struct hf_scope);
	hf_scope_init(s, run, a, run->play, h, n);
	int r = hf_tags_run(run, s, n, ret, err);
	run->scope = NULL;
	return r < 0 ? hf_error_set_pos(err, n->pos) : 0;
}

static int stopped(struct hf_run *run, struct hf_error *err)
{
	if (run->hooks != NULL && run->hooks->cancelled != NULL && run->hooks->cancelled(run->hooks->data))
		return hf_fail(err, HF_E_CANCELLED, "stopped as asked");
	if (run->deadline_ms != 0 && hf_time_monotonic_ms() > run->deadline_ms)
		return hf_fail(err, HF_E_TIMEOUT, "the run did not end in %u s", run->options->deadline_s);
	return 0;
}

unsigned hf_count_tasks(struct hf_run *run, const struct hf_nodes *nodes)
{
	unsigned n = 0;
	for (size_t i = 0; i < nodes->n; i++) {
		const struct hf_node *one = nodes->at[i];
		struct hf_error unknown;
		bool runs = true;
		if (one->kind != HF_NODE_TASK)
			n += hf_count_tasks(run, &one->body) + hf_count_tasks(run, &one->always);
		/* Tags that cannot be told yet count: it is a guide for who waits. */
		else if (one->task != HF_TASK_META &&
			 (should_run(run, one, NULL, &runs, &unknown) < 0 || runs))
			n++;
	}
	return n;
}

static struct hf_host *first_active(const struct hf_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++) {
		if (hf_host_active(hosts->at[i]))
			return hosts->at[i];
	}
	return NULL;
}

static int run_everywhere(struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts,
	bool once, bool *newly, struct hf_error *err)
{
	bool announced = false, go = true;
	int r = 0;
	for (size_t i = 0; r == 0 && i < hosts->n; i++) {
		struct hf_host *h = hosts->at[i];
		if (!hf_host_active(h))
			continue;
		r = run_host(run, n, h, &announced, &go, err);
		run->scope = NULL;
		*newly = *newly || h->run->failing;
		if (once)
			break;
	}
	return r;
}

/* free and host_pinned: every host goes its own way, so what is for all of them at once is not done, as in
 * Ansible. In which order hosts go on is then nobody's promise; here it is the linear one. */
static bool is_free(const struct hf_run *run)
{
	const struct hf_value *v = run->play->node.kw[HF_KW_strategy];
	const char *name = v != NULL ? hf_value_text(run->arena, v).p : run->strategy;
	return name != NULL && strcmp(hf_action_short(name), "linear") != 0;
}

/* Modules that one host runs for all; what they register is that host's alone. */
static bool is_for_all(const struct hf_node *n)
{
	static const char *const names[] = { "add_host", "pause" };
	for (size_t i = 0; n->module != NULL && i < HF_COUNT(names); i++)
		if (strcmp(n->module->name, names[i]) == 0)
			return true;
	return false;
}

static int free_rules(struct hf_run *run, const struct hf_node *n, bool *once, struct hf_error *err)
{
	if (!is_free(run))
		return 0;
	if (is_for_all(n))
		return hf_fail_at(err, HF_E_ARGUMENT, n->pos,
			"The '%s' module bypasses the host loop, which is currently not supported in "
			"the free "
			"strategy and would instead execute for every host in the inventory list.",
			n->module->name);
	if (*once)
		hf_event_warning(run,
			"Using run_once with the free strategy is not currently supported. This task will "
			"still be executed for every host in the inventory list.");
	*once = false;
	return 0;
}

/* One task that is no meta task, on every host. */
static int run_task(struct hf_run *run, const struct hf_node *n, struct hf_host *first,
	const struct hf_hosts *hosts, struct hf_error *err)
{
	bool once = false, newly = false;
	run->task_number += !n->handler;
	int r = run_once(run, n, first, &once, err);
	if (r == 0)
		r = free_rules(run, n, &once, err);
	if (r == 0)
		r = run_everywhere(run, n, hosts, once || is_for_all(n), &newly, err);
	if (r < 0)
		return r;
	if (once)
		share_result(run, n, first, hosts);
	if (newly && !is_free(run))
		spread_failure(run, n, hosts);
	return 0;
}

int hf_exec_task(
	struct hf_run *run, const struct hf_node *n, const struct hf_hosts *hosts, struct hf_error *err)
{
	struct hf_host *first = first_active(hosts);
	if (first == NULL || run->play_over || hf_task_passed_over(run, n))
		return 0;
	bool run_it = false;
	int r = stopped(run, err);
	if (r == 0)
		r = should_run(run, n, first, &run_it, err);
	if (r < 0 || !run_it)
		return r;
	if (n->task == HF_TASK_META)
		return run->started ? hf_meta_run(run, n, hosts, err) : 0;
	r = run_task(run, n, first, hosts, err);
	return r == 0 && n->dynamic ? hf_include_run(run, n, err) : r;
}
