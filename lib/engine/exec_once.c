#include <string.h>
#include <time.h>

#include "lib/base/scope.h"
#include "lib/engine/args.h"
#include "lib/engine/refuse.h"
#include "lib/engine/state.h"

enum { RETRIES_MAX = 100000 };

static void put_flag(struct hf_task *t, const char *key, bool b)
{
	hf_dict_put(t->result, key, hf_value_bool(t->arena, b));
}

void hf_task_fail(struct hf_task *t, const struct hf_error *err)
{
	struct hf_error absent;
	if (err->code != HF_E_UNSUPPORTED && err->code != HF_E_TASK &&
		hf_refuse_named(t->run, t->node, err, &absent))
		err = &absent;
	char placed[HF_ERROR_TEXT_MAX + 512];
	bool refused = err->code == HF_E_UNSUPPORTED;
	struct hf_error why = *err;
	hf_error_set_pos(&why, t->node->pos);
	/* include_vars, as Ansible's, tells why in "message". */
	bool told = hf_dict_get(t->result, "msg") != NULL || hf_dict_get(t->result, "message") != NULL;
	if (!told || err->code != HF_E_TASK)
		hf_dict_put(t->result, "msg",
			hf_value_cstr(t->arena,
				refused ? hf_error_print(&why, placed, sizeof(placed)) : err->text));
	put_flag(t, "failed", true);
	if (hf_dict_get(t->result, "changed") == NULL)
		put_flag(t, "changed", false);
	t->status = HF_ST_FAILED;
	t->refused = t->refused || refused;
}

static int skip(struct hf_task *t, const struct hf_value *condition)
{
	put_flag(t, "changed", false);
	put_flag(t, "skipped", true);
	hf_dict_put(t->result, "skip_reason", hf_value_cstr(t->arena, "Conditional result was False"));
	if (condition != NULL)
		hf_dict_put(t->result, "false_condition", (struct hf_value *)(uintptr_t)condition);
	t->status = HF_ST_SKIPPED;
	return 0;
}

/* 1: goes on; 0: skipped; < 0: failed. */
static int check_when(struct hf_task *t, struct hf_error *err)
{
	struct hf_value *levels[HF_NODE_LEVELS_MAX];
	size_t n = hf_node_collect(t->node, HF_KW_when, levels);
	t->run->scope = &t->scope;
	for (size_t i = 0; i < n; i++) {
		struct hf_value *list = levels[i], *one = hf_value_list(t->arena);
		if (!hf_is(list, HF_LIST)) {
			hf_list_append(one, list);
			list = one;
		}
		for (size_t j = 0; j < hf_list_len(list); j++) {
			struct hf_value *condition = hf_list_at(list, j);
			bool holds = false;
			int r = hf_templar_condition(t->run->templar, t->arena, condition, NULL, &holds, err);
			if (r < 0)
				return hf_error_set_pos(err, hf_value_pos(condition));
			if (!holds)
				return skip(t, condition);
		}
	}
	return 1;
}

/* --- arguments --- */

static void merge(struct hf_value *into, const struct hf_value *from)
{
	HF_DICT_EACH (from, e)
		hf_dict_set(into, hf_entry_key(e), hf_entry_value(e));
}

/* set_fact alone has templates in its keys. */
static int template_keys(struct hf_task *t, struct hf_value **args, struct hf_error *err)
{
	struct hf_value *made = hf_value_dict(t->arena);
	HF_DICT_EACH (*args, e) {
		struct hf_value *key = hf_entry_key(e);
		if (hf_templar_is_template(t->run->templar, key)) {
			int r = hf_templar_value(t->run->templar, t->arena, key, NULL, &key, err);
			if (r < 0)
				return r;
		}
		hf_dict_set(made, key, hf_entry_value(e));
	}
	*args = made;
	return 0;
}

static int template_args(struct hf_task *t, struct hf_error *err)
{
	struct hf_value *args = hf_value_dict(t->arena), *own = t->node->args, *made = NULL;
	t->run->scope = &t->scope;
	int r = hf_defaults_add(t, args, err);
	struct hf_value *spread = hf_dict_get(own, "_variable_params");
	if (r == 0 && spread != NULL) {
		r = hf_templar_value(t->run->templar, t->arena, spread, NULL, &spread, err);
		if (r == 0 && !hf_is(spread, HF_DICT))
			return hf_fail_at(err, HF_E_TASK, hf_value_pos(own),
				"invalid or malformed argument: '%s'", hf_value_text(t->arena, spread).p);
		if (r == 0)
			merge(args, spread);
		own = hf_value_shallow(t->arena, own);
		hf_dict_remove(own, "_variable_params");
	}
	if (r < 0)
		return r;
	/* What these are given is not theirs to be templated before: conditions stay as written. */
	if (strcmp(t->module->name, "assert") == 0 && hf_dict_get(own, "that") != NULL) {
		struct hf_value *that = hf_dict_get(own, "that"), *rest = hf_value_shallow(t->arena, own);
		hf_dict_remove(rest, "that");
		r = hf_templar_args(t->run->templar, t->arena, rest, NULL, &made, err);
		if (r == 0)
			hf_dict_put(made, "that", that);
	} else {
		r = hf_templar_args(t->run->templar, t->arena, own, NULL, &made, err);
	}
	if (r == 0 && strcmp(t->module->name, "set_fact") == 0)
		r = template_keys(t, &made, err);
	if (r < 0)
		return r;
	merge(args, made);
	hf_value_at(args, t->node->pos);
	t->args = args;
	return 0;
}

static int find_module(struct hf_task *t, struct hf_error *err)
{
	const char *shown = t->node->action;
	t->module = t->node->module;
	struct hf_value action = { .type = HF_STRING, .u.string = hf_str(t->node->action) };
	if (t->module == NULL && hf_templar_is_template(t->run->templar, &action)) {
		struct hf_str name;
		t->run->scope = &t->scope;
		int r = hf_templar_text(
			t->run->templar, t->arena, action.u.string, t->node->pos, NULL, &name, err);
		if (r < 0)
			return r;
		t->module = hf_module_find(t->run->options->registry, name.p);
		shown = name.p;
	}
	if (t->module == NULL)
		return hf_refuse_module(t->run, t->node, shown, err);
	return 0;
}

/* --- the result --- */

/* As Ansible's TaskResult.is_failed(): failed_when has the word, even after `until` gave up. */
bool hf_result_counts_as_failed(const struct hf_value *result)
{
	const struct hf_value *own = hf_dict_get(result, "failed_when_result");
	if (own != NULL)
		return !hf_is(own, HF_BOOL) || own->u.boolean;
	return hf_dict_bool(result, "failed", false);
}

static void set_status(struct hf_task *t)
{
	if (t->raised || hf_result_counts_as_failed(t->result))
		t->status = HF_ST_FAILED;
	else if (hf_dict_bool(t->result, "skipped", false))
		t->status = HF_ST_SKIPPED;
	else
		t->status = hf_dict_bool(t->result, "changed", false) ? HF_ST_CHANGED : HF_ST_OK;
}

static int evaluate(struct hf_task *t, enum hf_keyword k, bool *ret, struct hf_error *err)
{
	t->run->scope = &t->scope;
	return hf_templar_condition(t->run->templar, t->arena, t->node->kw[k], NULL, ret, err);
}

static bool given(const struct hf_task *t, enum hf_keyword k)
{
	const struct hf_value *v = t->node->kw[k];
	return v != NULL && !(hf_is(v, HF_LIST) && hf_list_len(v) == 0);
}

/* changed_when and failed_when see the result under its registered name. */
static void apply_conditions(struct hf_task *t)
{
	struct hf_error own;
	bool b = false;
	if (t->refused || hf_dict_bool(t->result, "skipped", false))
		return;
	if (given(t, HF_KW_changed_when)) {
		if (evaluate(t, HF_KW_changed_when, &b, &own) < 0) {
			put_flag(t, "failed", true);
			hf_dict_put(t->result, "changed_when_result", hf_value_cstr(t->arena, own.text));
			hf_dict_put(t->result, "msg", hf_value_cstr(t->arena, own.text));
			return;
		}
		put_flag(t, "changed", b);
	}
	if (given(t, HF_KW_failed_when)) {
		if (evaluate(t, HF_KW_failed_when, &b, &own) < 0) {
			put_flag(t, "failed", true);
			hf_dict_put(t->result, "failed_when_result", hf_value_cstr(t->arena, own.text));
			hf_dict_put(t->result, "msg", hf_value_cstr(t->arena, own.text));
			return;
		}
		put_flag(t, "failed", b);
		put_flag(t, "failed_when_result", b);
	}
}

static void set_registered(struct hf_task *t, struct hf_value *locals)
{
	const struct hf_value *name = t->node->kw[HF_KW_register];
	if (name != NULL)
		hf_dict_set(locals, (struct hf_value *)(uintptr_t)name, t->result);
}

void hf_task_conditions(struct hf_task *t)
{
	set_registered(t, t->scope.locals);
	apply_conditions(t);
}

static void complete(struct hf_task *t)
{
	static const char *const flags[] = { "changed", "failed" };
	for (size_t i = 0; i < HF_COUNT(flags); i++) {
		bool skipped = i > 0 && hf_dict_bool(t->result, "skipped", false);
		if (hf_dict_get(t->result, flags[i]) == NULL && !skipped)
			put_flag(t, flags[i], false);
	}
	if (t->warnings != NULL)
		hf_dict_put(t->result, "warnings", t->warnings);
}

static int run_module(struct hf_task *t, struct hf_error *err)
{
	struct hf_error own;
	t->result = hf_value_dict(t->arena);
	t->warnings = NULL;
	int r = hf_module_run(t, &own);
	/* What the host or the state behind it could not do ends the run; what a task could not do is its
	 * failure. */
	if (r == -HF_E_CANCELLED || r == -HF_E_INTERNAL) {
		*err = own;
		return r;
	}
	if (r < 0)
		hf_task_fail(t, &own);
	complete(t);
	return 0;
}

static void sleep_seconds(double s)
{
	struct timespec left = { .tv_sec = (time_t)s, .tv_nsec = (long)((s - (double)(time_t)s) * 1e9) };
	nanosleep(&left, NULL);
}

struct attempts {
	unsigned total;
	double delay;
};

static int read_attempts(struct hf_task *t, struct attempts *ret, struct hf_error *err)
{
	double retries = -1, delay = 5;
	int r = hf_task_number(t, HF_KW_retries, -1, &retries, err);
	if (r == 0)
		r = hf_task_number(t, HF_KW_delay, 5, &delay, err);
	if (r < 0)
		return r;
	ret->delay = delay < 0 ? 1 : delay;
	if (retries < 0)
		retries = given(t, HF_KW_until) ? 3 : 0;
	ret->total = 1 + (unsigned)(retries > RETRIES_MAX ? RETRIES_MAX : retries);
	return 0;
}

/* 1: that was the last attempt. */
static int attempt_done(struct hf_task *t, struct hf_error *err)
{
	bool done = !hf_dict_bool(t->result, "failed", false);
	if (given(t, HF_KW_until)) {
		int r = evaluate(t, HF_KW_until, &done, err);
		if (r < 0)
			return r;
	}
	return done ? 1 : 0;
}

static int run_attempts(struct hf_task *t, struct hf_error *task_err, struct hf_error *err)
{
	struct attempts n = { 0 };
	int r = read_attempts(t, &n, task_err);
	if (r < 0)
		return r;
	struct hf_value *locals = t->scope.locals,
			*with_result =
				locals == NULL ? hf_value_dict(t->arena) : hf_value_shallow(t->arena, locals);
	for (unsigned i = 1; i <= n.total; i++) {
		t->scope.locals = locals;
		if (run_module(t, err) < 0)
			return -HF_E_INTERNAL;
		if (n.total > 1)
			hf_dict_put(t->result, "attempts", hf_value_int(t->arena, i));
		set_registered(t, with_result);
		t->scope.locals = with_result;
		apply_conditions(t);
		if (n.total == 1 || t->refused)
			break;
		r = attempt_done(t, task_err);
		if (r != 0)
			break;
		if (i == n.total) {
			hf_dict_put(t->result, "attempts", hf_value_int(t->arena, n.total - 1));
			put_flag(t, "failed", true);
			break;
		}
		hf_event_retry(t, i, n.total);
		sleep_seconds(n.delay);
	}
	t->scope.locals = locals;
	return r < 0 ? r : 0;
}

/* set_fact of one item is seen by the next. */
static void keep_facts(struct hf_task *t)
{
	struct hf_value *facts = hf_dict_get(t->result, "ansible_facts");
	if (!hf_is(facts, HF_DICT) || t->module == NULL || strcmp(t->module->name, "debug") == 0)
		return;
	struct hf_host *h = t->host;
	bool delegate_facts = false;
	struct hf_error ignored;
	if (t->delegate != NULL &&
		hf_task_flag(t, HF_KW_delegate_facts, false, &delegate_facts, &ignored) == 0 &&
		delegate_facts)
		h = t->delegate;
	hf_vars_host(t->run, h);
	bool is_set = strcmp(t->module->name, "set_fact") == 0,
	     is_vars = strcmp(t->module->name, "include_vars") == 0;
	if (!is_set && !is_vars) {
		hf_vars_facts(t->run, h, facts);
		h->run->gathered = h->run->gathered || strcmp(t->module->name, "setup") == 0;
	} else {
		struct hf_value **into = is_set ? &h->run->set : &h->run->included;
		HF_DICT_EACH (facts, e)
			hf_vars_put(
				t->run, into, hf_value_text(t->arena, hf_entry_key(e)).p, hf_entry_value(e));
		if (hf_dict_bool(t->result, "_ansible_facts_cacheable", false))
			hf_vars_facts(t->run, h, facts);
	}
	/* The layers of this scope may have been empty and left out. */
	struct hf_value *locals = t->scope.locals;
	const struct hf_connection *connection = t->scope.connection;
	hf_scope_init(&t->scope, t->run, t->arena, t->run->play, t->host, t->node);
	t->scope.locals = locals;
	t->scope.connection = connection;
	t->scope.delegate = t->delegate;
}

/* Secret arguments are hidden wherever their text turns up: in diffs, messages, outputs. */
static void note_secrets(struct hf_run *run, const struct hf_value *v)
{
	if (hf_is(v, HF_DICT)) {
		HF_DICT_EACH (v, e)
			note_secrets(run, hf_entry_value(e));
	} else if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v); i++)
			note_secrets(run, hf_list_at(v, i));
	} else if (hf_is(v, HF_STRING) && hf_is_secret(v)) {
		hf_secret_add(run, v->u.string);
	}
}

/* Who delegate_to names, before the condition, which may ask for his variables. What cannot be said yet is an
 * error only where the task runs. */
static int find_delegate(
	struct hf_task *t, const char **ret_other, struct hf_error *late, struct hf_error *err)
{
	struct hf_value *v = NULL;
	*ret_other = NULL;
	late->code = HF_OK;
	t->delegate = t->scope.delegate = NULL;
	t->scope.connection = NULL;
	if (hf_task_keyword(t, HF_KW_delegate_to, &v, late) < 0 || v == NULL || hf_is(v, HF_NULL))
		return 0;
	const char *name = hf_value_text(t->arena, v).p;
	if (*name == '\0')
		return hf_fail_at(err, HF_E_TASK, hf_value_pos(v),
			"Empty hostname produced from delegate_to: \"%s\"",
			hf_value_text(t->arena, hf_node_keyword(t->node, HF_KW_delegate_to)).p);
	struct hf_host *h = hf_map_get(&t->run->inventory->hosts, name);
	if (h == NULL)
		h = hf_inventory_local(t->run->inventory, name);
	*ret_other = name;
	if (h == NULL)
		return 0;
	hf_vars_host(t->run, h);
	int r = hf_vars_inventory(t->run, h, t->run->play->node.dir, err);
	t->delegate = t->scope.delegate = h;
	if (r == 0 && hf_host_is_here(t->run, t->run->play, h))
		*ret_other = NULL;
	return r;
}

/* delegate_to may only name what is this machine too. */
static int check_delegate(
	struct hf_task *t, const char *other, const struct hf_error *late, struct hf_error *err)
{
	if (late->code != HF_OK) {
		*err = *late;
		return -(int)late->code;
	}
	if (other == NULL)
		return 0;
	return hf_fail_at(err, HF_E_UNSUPPORTED, hf_value_pos(hf_node_keyword(t->node, HF_KW_delegate_to)),
		"delegate_to: '%s' is another machine: holdfast changes only the one it runs on", other);
}

static int task_steps(struct hf_task *t, struct hf_error *task_err, struct hf_error *err)
{
	const char *other = NULL;
	struct hf_error late;
	int r = find_delegate(t, &other, &late, task_err);
	if (r < 0)
		return r;
	hf_connection_note(t);
	r = check_when(t, task_err);
	if (r <= 0)
		return r;
	r = check_delegate(t, other, &late, task_err);
	if (r == 0)
		r = hf_task_flag(t, HF_KW_ignore_errors, false, &t->ignore_errors, task_err);
	if (r == 0 && t->node->dynamic)
		return hf_include_note(t, task_err);
	if (r == 0)
		r = find_module(t, task_err);
	if (r == 0) {
		r = template_args(t, task_err);
		if (r == -HF_E_UNDEFINED)
			r = hf_wrap(task_err,
				"The task includes an option with an undefined variable. The error was");
	}
	if (r == 0)
		r = hf_refuse_late(t->run, t->node, task_err);
	if (r == 0) {
		note_secrets(t->run, t->args);
		r = run_attempts(t, task_err, err);
	}
	return r;
}

int hf_task_once(struct hf_task *t, struct hf_error *err)
{
	struct hf_error own;
	memset(&own, 0, sizeof(own));
	memset(err, 0, sizeof(*err));
	t->status = HF_ST_OK;
	int r = task_steps(t, &own, err);
	if (err->code != HF_OK)
		return -(int)err->code;
	t->raised = r < 0;
	if (r < 0)
		hf_task_fail(t, &own);
	if (t->run->options->plan)
		hf_plan_take(t);
	complete(t);
	set_status(t);
	keep_facts(t);
	if (t->unsure != NULL && t->status != HF_ST_FAILED)
		return hf_notify(t, err);
	if (hf_dict_bool(t->result, "changed", false) && t->status != HF_ST_SKIPPED &&
		t->status != HF_ST_FAILED)
		return hf_notify(t, err);
	return 0;
}
