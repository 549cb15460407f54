/* What follows a finished task: inventory changes, register, statistics, failure, the event. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/state.h"

static void copy_dict(struct hf_run *run, struct hf_value *into, const struct hf_value *from)
{
	if (!hf_is(from, HF_DICT))
		return;
	HF_DICT_EACH (from, e)
		hf_dict_set(into, hf_value_copy(run->arena, hf_entry_key(e)),
			hf_value_copy(run->arena, hf_entry_value(e)));
}

static void add_host(struct hf_task *t, const struct hf_value *asked)
{
	struct hf_run *run = t->run;
	const char *name = hf_dict_cstr(asked, "host_name", NULL);
	if (name == NULL)
		return;
	bool known = hf_map_get(&run->inventory->hosts, name) != NULL;
	hf_event_verbose(run, 2, hf_sprintf(t->arena, "creating host via 'add_host': hostname=%s", name));
	struct hf_host *h = hf_inventory_host(run->inventory, name);
	hf_vars_host(run, h);
	const struct hf_value *groups = hf_dict_get(asked, "groups");
	bool changed = !known;
	for (size_t i = 0; hf_is(groups, HF_LIST) && i < hf_list_len(groups); i++) {
		struct hf_group *g = hf_inventory_group(run->inventory, hf_list_at(groups, i)->u.string.p);
		size_t before = g->hosts.n;
		hf_inventory_join(run->inventory, g, h);
		changed = changed || g->hosts.n != before;
	}
	struct hf_value *before = hf_value_shallow(t->arena, h->vars);
	copy_dict(run, h->vars, hf_dict_get(asked, "host_vars"));
	changed = changed || !hf_value_equal(before, h->vars);
	h->run->inventory_of = NULL;
	hf_inventory_settle(run->inventory);
	run->generation++;
	hf_dict_put(t->result, "changed", hf_value_bool(t->arena, changed));
}

/* Its groups have changed: so may have its variables, from now on. */
static void regroup(struct hf_task *t, struct hf_host *h)
{
	struct hf_error err;
	h->run->inventory_of = NULL;
	if (hf_vars_inventory(t->run, h, t->run->play->node.dir, &err) < 0) {
		t->status = HF_ST_FAILED;
		hf_task_fail(t, &err);
	}
	t->run->generation++;
}

static void add_group(struct hf_task *t, const struct hf_value *name, const struct hf_value *parents)
{
	struct hf_run *run = t->run;
	struct hf_group *g = hf_inventory_group(run->inventory, name->u.string.p);
	size_t before = g->hosts.n;
	hf_inventory_join(run->inventory, g, t->host);
	for (size_t i = 0; hf_is(parents, HF_LIST) && i < hf_list_len(parents); i++)
		hf_inventory_nest(run->inventory,
			hf_inventory_group(run->inventory, hf_list_at(parents, i)->u.string.p), g);
	bool changed = g->hosts.n != before;
	hf_inventory_settle(run->inventory);
	regroup(t, t->host);
	hf_dict_put(t->result, "changed", hf_value_bool(t->arena, changed));
}

static void add_stats(struct hf_task *t, const struct hf_value *asked)
{
	struct hf_run *run = t->run;
	if (run->stats == NULL)
		run->stats = hf_value_dict(run->arena);
	copy_dict(run, run->stats, hf_dict_get(asked, "data"));
}

/* changed_when and failed_when look again at what the inventory made of it. */
static void look_again(struct hf_task *t)
{
	const char *var = hf_dict_cstr(t->result, "ansible_loop_var", NULL);
	struct hf_value *locals = hf_value_dict(t->arena), *before = t->scope.locals;
	if (var != NULL && hf_dict_get(t->result, var) != NULL)
		hf_dict_put(locals, var, hf_dict_get(t->result, var));
	t->scope.locals = locals;
	hf_task_conditions(t);
	t->scope.locals = before;
}

static void apply_requests(struct hf_task *t, struct hf_value *result)
{
	struct hf_value *host = hf_dict_get(result, "add_host"), *group = hf_dict_get(result, "add_group");
	struct hf_value *stats = hf_dict_get(result, "ansible_stats"), *whole = t->result;
	t->result = result;
	if (hf_is(host, HF_DICT))
		add_host(t, host);
	if (hf_is(group, HF_STRING))
		add_group(t, group, hf_dict_get(result, "parent_groups"));
	if (hf_is(host, HF_DICT) || hf_is(group, HF_STRING))
		look_again(t);
	if (hf_is(stats, HF_DICT))
		add_stats(t, stats);
	bool changed = hf_dict_bool(result, "changed", false);
	t->result = whole;
	if (whole != result && changed)
		hf_dict_put(whole, "changed", hf_value_bool(t->arena, true));
	if (changed && t->status == HF_ST_OK)
		t->status = HF_ST_CHANGED;
	else if (!changed && t->status == HF_ST_CHANGED && whole == result)
		t->status = HF_ST_OK;
}

static void requests(struct hf_task *t)
{
	if (t->node->module == NULL || (t->node->module->flags & HF_MODULE_NO_BECOME) == 0 ||
		t->status == HF_ST_SKIPPED)
		return;
	const struct hf_value *results = hf_dict_get(t->result, "results");
	for (size_t i = 0; t->node->loop != NULL && hf_is(results, HF_LIST) && i < hf_list_len(results);
		i++) {
		if (hf_is(hf_list_at(results, i), HF_DICT))
			apply_requests(t, hf_list_at(results, i));
	}
	if (t->node->loop == NULL)
		apply_requests(t, t->result);
}

static void keep_registered(struct hf_task *t)
{
	const struct hf_value *name = t->node->kw[HF_KW_register];
	const struct hf_value *items = hf_dict_get(t->result, "results");
	for (size_t i = 0; hf_is(items, HF_LIST) && i < hf_list_len(items); i++)
		hf_result_plain(hf_list_at(items, i));
	if (name == NULL)
		return;
	struct hf_value *own = hf_value_shallow(t->arena, t->result);
	hf_dict_remove(own, "invocation"); /* as Ansible: only the items of a loop keep it */
	struct hf_value *copy = hf_value_copy(t->run->arena, own);
	hf_result_plain(copy);
	hf_mark_unsafe(copy);
	hf_dict_set(t->host->run->set, hf_value_copy(t->run->arena, name), copy);
	t->run->generation++;
}

static void keep_failure(struct hf_task *t)
{
	struct hf_arena *a = t->run->arena;
	struct hf_value *task = hf_value_dict(a), *result = hf_value_copy(a, t->result);
	const struct hf_value *name = t->node->kw[HF_KW_name];
	const char *colon = name == NULL || t->node->role == NULL ? NULL : strstr(t->title, " : ");
	hf_dict_put(task, "name", hf_value_cstr(a, name == NULL ? "" : colon == NULL ? t->title : colon + 3));
	hf_dict_put(task, "action", hf_value_cstr(a, t->node->action));
	hf_dict_put(task, "args", hf_value_copy(a, t->args != NULL ? t->args : t->node->args));
	hf_dict_put(result, "_ansible_no_log", hf_value_bool(a, t->no_log));
	hf_mark_unsafe(result);
	hf_mark_unsafe(task);
	hf_dict_put(t->host->run->set, "ansible_failed_task", task);
	hf_dict_put(t->host->run->set, "ansible_failed_result", result);
	t->run->generation++;
}

/* A loop of includes counts every file it brought in; everything else counts once. */
static unsigned included_files(const struct hf_task *t)
{
	const struct hf_value *results = hf_dict_get(t->result, "results");
	if (!t->node->dynamic || t->node->loop == NULL || !hf_is(results, HF_LIST))
		return 1;
	unsigned files = 0;
	for (size_t i = 0; i < hf_list_len(results); i++)
		files += !hf_dict_bool(hf_list_at(results, i), "skipped", false);
	return files;
}

static void count(struct hf_task *t)
{
	unsigned *n = t->host->run->count;
	switch (t->status) {
	case HF_ST_CHANGED:
		n[HF_ST_CHANGED]++;
		n[HF_ST_OK]++;
		break;
	case HF_ST_IGNORED:
		n[HF_ST_IGNORED]++;
		n[HF_ST_OK]++;
		if (hf_dict_bool(t->result, "changed", false))
			n[HF_ST_CHANGED]++;
		break;
	case HF_ST_OK:
		n[HF_ST_OK] += included_files(t);
		break;
	case HF_ST_SKIPPED:
	case HF_ST_FAILED:
	case HF_ST_UNREACHABLE:
	case HF_ST_RESCUED: /* whatever its rescue then does */
		n[t->status]++;
		break;
	case HF_ST_COUNT:
		break;
	}
}

int hf_task_settle(struct hf_task *t, struct hf_error *err HF_UNUSED)
{
	requests(t);
	keep_registered(t);
	bool fails = t->status == HF_ST_FAILED;
	if (fails && t->ignore_errors && !t->refused) {
		t->status = HF_ST_IGNORED;
		fails = false;
	}
	if (fails) {
		if (t->host->run->rescue_depth > 0 && !t->refused && !t->node->handler)
			t->status = HF_ST_RESCUED;
		if (!t->node->handler)
			keep_failure(t);
		/* A rescue is asked for by the playbook, whatever the run is about. */
		t->host->run->failing = !t->run->options->go_on || t->refused ||
					t->host->run->rescue_depth > 0 || t->host->run->failing;
		t->host->run->failed = t->host->run->failed || t->refused;
	}
	if (t->status == HF_ST_UNREACHABLE)
		t->host->run->unreachable = true;
	if (t->run->options->plan)
		hf_plan_settled(t);
	count(t);
	hf_event_task(t);
	return 0;
}
