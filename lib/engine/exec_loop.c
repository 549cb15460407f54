#include <math.h>
#include <string.h>
#include <time.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/engine/state.h"

enum { LOOP_MAX = 1000000 };

struct control {
	const char *var, *index_var;
	struct hf_value *label, *break_when;
	double pause;
	bool extended, allitems;
};

/* Where with_first_found looks: beside what such a task reads. */
static const char *found_folder(const char *action)
{
	if (action != NULL && strstr(action, "template") != NULL)
		return "templates";
	return action != NULL && strstr(action, "var") != NULL ? "vars" : "files";
}

/* The terms as the lookup of that name takes them: text stays one term, a list is spread. */
static int with_items(struct hf_task *t, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *terms = t->node->loop;
	if (!hf_templar_has_lookup(t->node->with))
		return hf_fail_at(
			err, HF_E_NOT_FOUND, t->node->pos, "lookup plugin (%s) not found", t->node->with);
	int r = 0;
	bool raw = strcmp(t->node->with, "first_found") == 0;
	if (!raw)
		r = hf_templar_value(t->run->templar, t->arena, terms, NULL, &terms, err);
	if (r < 0)
		return r;
	bool wants_list = strcmp(t->node->with, "list") == 0 || strcmp(t->node->with, "indexed_items") == 0;
	if (wants_list && hf_is(terms, HF_DICT))
		return hf_fail_at(
			err, HF_E_TASK, hf_value_pos(terms), "with_%s expects a list", t->node->with);
	if (!hf_is_sequence(terms)) {
		struct hf_value *list = hf_value_list(t->arena);
		hf_list_append(list, terms);
		terms = list;
	}
	struct hf_value *options = hf_value_dict(t->arena);
	if (raw)
		hf_dict_put(options, "_subdir", hf_value_cstr(t->arena, found_folder(t->node->action)));
	return hf_templar_lookup(t->run->templar, t->arena, t->node->with, terms, options, NULL, ret, err);
}

static int loop_value(struct hf_task *t, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = hf_templar_value(t->run->templar, t->arena, t->node->loop, NULL, &v, err);
	if (r < 0)
		return r;
	if (!hf_is(v, HF_LIST) && !hf_is(v, HF_TUPLE)) {
		struct hf_str text = hf_value_text(t->arena, v);
		return hf_fail_at(err, HF_E_TASK, hf_value_pos(t->node->loop),
			"Invalid data passed to 'loop', it requires a list, got this instead: %s. Hint: If "
			"you passed a list/dict of "
			"just one element, try adding wantlist=True to your lookup invocation or use q/query "
			"instead of lookup.",
			text.p);
	}
	*ret = v;
	return 0;
}

static int all_conditions(struct hf_task *t, bool *ret)
{
	struct hf_value *levels[HF_NODE_LEVELS_MAX];
	struct hf_error ignored;
	size_t n = hf_node_collect(t->node, HF_KW_when, levels);
	*ret = true;
	for (size_t i = 0; *ret && i < n; i++) {
		int r = hf_templar_condition(t->run->templar, t->arena, levels[i], NULL, ret, &ignored);
		if (r < 0)
			return r;
	}
	return 0;
}

int hf_loop_items(struct hf_task *t, struct hf_value **ret_items, struct hf_error *err)
{
	*ret_items = NULL;
	if (t->node->loop == NULL)
		return 0;
	t->run->scope = &t->scope;
	int r = t->node->with != NULL ? with_items(t, ret_items, err) : loop_value(t, ret_items, err);
	if (r == 0 && hf_list_len(*ret_items) > LOOP_MAX)
		return hf_fail_at(err, HF_E_LIMIT, t->node->pos, "a loop over more than %d items", LOOP_MAX);
	bool absent = r < 0 && t->node->with != NULL && !hf_templar_has_lookup(t->node->with);
	if (r != -HF_E_UNDEFINED && !absent)
		return r;
	/* A list that is not there is no error when the condition says so. */
	bool holds = true;
	if (all_conditions(t, &holds) == 0 && !holds) {
		*ret_items = NULL;
		return 0;
	}
	return r;
}

static int read_control(struct hf_task *t, struct control *c, struct hf_error *err)
{
	const struct hf_value *given = t->node->kw[HF_KW_loop_control];
	static const char *const known[] = { "loop_var", "index_var", "label", "pause", "extended",
		"extended_allitems", "break_when", NULL };
	*c = (struct control){ .var = "item", .allitems = true };
	if (given == NULL)
		return 0;
	HF_DICT_EACH (given, e) {
		const char *key = hf_value_text(t->arena, hf_entry_key(e)).p;
		size_t i = 0;
		while (known[i] != NULL && strcmp(known[i], key) != 0)
			i++;
		if (known[i] == NULL)
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(hf_entry_key(e)),
				"'%s' is not a valid attribute for a LoopControl", key);
	}
	struct hf_value *values[5];
	const char *const names[] = { "loop_var", "index_var", "pause", "extended", "extended_allitems" };
	t->run->scope = &t->scope;
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		values[i] = hf_dict_get(given, names[i]);
		if (values[i] == NULL)
			continue;
		int r = hf_templar_value(t->run->templar, t->arena, values[i], NULL, &values[i], err);
		if (r < 0)
			return r;
	}
	if (values[0] != NULL)
		c->var = hf_value_text(t->arena, values[0]).p;
	if (values[1] != NULL)
		c->index_var = hf_value_text(t->arena, values[1]).p;
	if (hf_is(values[2], HF_INT))
		c->pause = (double)values[2]->u.integer;
	else if (hf_is(values[2], HF_FLOAT))
		c->pause = values[2]->u.real;
	c->extended = values[3] != NULL && hf_text_bool(hf_value_text(t->arena, values[3])) == HF_YES;
	c->allitems = values[4] == NULL || hf_text_bool(hf_value_text(t->arena, values[4])) == HF_YES;
	c->label = hf_dict_get(given, "label");
	c->break_when = hf_dict_get(given, "break_when");
	return 0;
}

static struct hf_value *extended(struct hf_arena *a, struct hf_value *items, size_t i, bool all)
{
	struct hf_value *d = hf_value_dict(a);
	int64_t n = (int64_t)hf_list_len(items), at = (int64_t)i;
	hf_dict_put(d, "index", hf_value_int(a, at + 1));
	hf_dict_put(d, "index0", hf_value_int(a, at));
	hf_dict_put(d, "first", hf_value_bool(a, at == 0));
	hf_dict_put(d, "last", hf_value_bool(a, at + 1 == n));
	hf_dict_put(d, "length", hf_value_int(a, n));
	hf_dict_put(d, "revindex", hf_value_int(a, n - at));
	hf_dict_put(d, "revindex0", hf_value_int(a, n - at - 1));
	if (all)
		hf_dict_put(d, "allitems", items);
	if (at + 1 < n)
		hf_dict_put(d, "nextitem", hf_list_at(items, i + 1));
	if (at > 0)
		hf_dict_put(d, "previtem", hf_list_at(items, i - 1));
	return d;
}

static void sleep_for(double seconds)
{
	struct timespec left = { .tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - floor(seconds)) * 1e9) };
	nanosleep(&left, NULL);
}

/* As Ansible: what items warned of is the whole task's. */
static struct hf_value *gather_warnings(struct hf_arena *a, const struct hf_value *results)
{
	struct hf_value *all = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(results); i++) {
		struct hf_value *one = hf_list_at(results, i), *list = hf_dict_get(one, "warnings");
		for (size_t k = 0; list != NULL && hf_is(list, HF_LIST) && k < hf_list_len(list); k++)
			hf_list_append(all, hf_list_at(list, k));
		hf_dict_remove(one, "warnings");
	}
	return all;
}

/* Whether the loop counts as failed: one item with failed_when's word is enough that only such words count.
 */
static bool fails(const struct hf_value *results, bool failed)
{
	bool own = false, counts = false;
	for (size_t i = 0; i < hf_list_len(results); i++) {
		const struct hf_value *one = hf_list_at(results, i);
		if (hf_dict_get(one, "failed_when_result") == NULL)
			continue;
		own = true;
		counts = counts || hf_result_counts_as_failed(one);
	}
	return own ? counts : failed;
}

static void sum_up(struct hf_task *t, struct hf_value *results)
{
	struct hf_arena *a = t->arena;
	struct hf_value *sum = hf_value_dict(a), *warnings = gather_warnings(a, results);
	bool changed = false, failed = false, skipped = true, unreachable = false;
	for (size_t i = 0; i < hf_list_len(results); i++) {
		const struct hf_value *one = hf_list_at(results, i);
		changed = changed || hf_dict_bool(one, "changed", false);
		failed = failed || hf_dict_bool(one, "failed", false);
		unreachable = unreachable || hf_dict_bool(one, "unreachable", false);
		skipped = skipped && hf_dict_bool(one, "skipped", false);
	}
	hf_dict_put(sum, "results", results);
	hf_dict_put(sum, "skipped", hf_value_bool(a, skipped));
	if (failed)
		hf_dict_put(sum, "failed", hf_value_bool(a, true));
	if (unreachable)
		hf_dict_put(sum, "unreachable", hf_value_bool(a, true));
	if (hf_list_len(warnings) > 0)
		hf_dict_put(sum, "warnings", warnings);
	const char *msg = skipped  ? "All items skipped"
			  : failed ? "One or more items failed"
				   : "All items completed";
	hf_dict_put(sum, "msg", hf_value_cstr(a, msg));
	hf_dict_put(sum, "changed", hf_value_bool(a, changed));
	t->result = sum;
	t->status = unreachable              ? HF_ST_UNREACHABLE
		    : fails(results, failed) ? HF_ST_FAILED
		    : skipped                ? HF_ST_SKIPPED
		    : changed                ? HF_ST_CHANGED
					     : HF_ST_OK;
}

/* before: what the item before left under the registered name; NULL: there was none. */
static void set_locals(
	struct hf_task *t, const struct control *c, struct hf_value *items, size_t i, struct hf_value *before)
{
	struct hf_arena *a = t->arena;
	struct hf_value *locals = hf_value_dict(a), *name = t->node->kw[HF_KW_register];
	if (before != NULL && name != NULL)
		hf_dict_set(locals, name, before);
	hf_dict_put(locals, "ansible_loop_var", hf_value_cstr(a, c->var));
	hf_dict_put(locals, c->var, hf_list_at(items, i));
	if (c->index_var != NULL) {
		hf_dict_put(locals, "ansible_index_var", hf_value_cstr(a, c->index_var));
		hf_dict_put(locals, c->index_var, hf_value_int(a, (int64_t)i));
	}
	if (c->extended)
		hf_dict_put(locals, "ansible_loop", extended(a, items, i, c->allitems));
	t->scope.locals = locals;
	t->item = hf_list_at(items, i);
}

/* As Ansible, where what was done stays done, and the item is a failed one. */
static void label_item(struct hf_task *t, const struct control *c)
{
	struct hf_str text;
	struct hf_error why;
	struct hf_value *name = t->node->kw[HF_KW_register];
	t->label = NULL;
	if (c->label == NULL)
		return;
	if (name != NULL)
		hf_dict_set(t->scope.locals, name, t->result);
	struct hf_str source = hf_value_text(t->arena, c->label);
	t->run->scope = &t->scope;
	if (hf_templar_text(t->run->templar, t->arena, source, hf_value_pos(c->label), NULL, &text, &why) ==
		0) {
		t->label = text.p;
		return;
	}
	hf_dict_put(t->result, "failed", hf_value_bool(t->arena, true));
	hf_dict_put(t->result, "msg",
		hf_value_cstr(t->arena,
			hf_sprintf(t->arena, "Failed to template loop_control.label: %s", why.text)));
	t->status = HF_ST_FAILED;
}

static void finish_item(struct hf_task *t, const struct control *c, size_t i, struct hf_value *results)
{
	struct hf_arena *a = t->arena;
	if (c->index_var != NULL) {
		hf_dict_put(t->result, c->index_var, hf_value_int(a, (int64_t)i));
		hf_dict_put(t->result, "ansible_index_var", hf_value_cstr(a, c->index_var));
	}
	if (c->extended)
		hf_dict_put(t->result, "ansible_loop", hf_dict_get(t->scope.locals, "ansible_loop"));
	hf_dict_put(t->result, c->var, t->item);
	hf_dict_put(t->result, "ansible_loop_var", hf_value_cstr(a, c->var));
	hf_list_append(results, t->result);
}

int hf_loop_run(struct hf_task *t, struct hf_value *items, struct hf_error *err)
{
	struct control c;
	struct hf_error own;
	struct hf_value *results = hf_value_list(t->arena);
	if (hf_list_len(items) == 0) {
		hf_dict_put(t->result, "changed", hf_value_bool(t->arena, false));
		hf_dict_put(t->result, "skipped", hf_value_bool(t->arena, true));
		hf_dict_put(t->result, "skipped_reason", hf_value_cstr(t->arena, "No items in the list"));
		hf_dict_put(t->result, "results", results);
		t->status = HF_ST_SKIPPED;
		return 0;
	}
	if (read_control(t, &c, &own) < 0) {
		hf_task_fail(t, &own);
		return 0;
	}
	bool ignored = true;
	struct hf_value *before = NULL;
	uint64_t started_ms = t->started_ms;
	for (size_t i = 0; i < hf_list_len(items); i++) {
		if (i > 0 && c.pause > 0)
			sleep_for(c.pause);
		set_locals(t, &c, items, i, before);
		t->result = hf_value_dict(t->arena);
		t->started_ms = hf_time_monotonic_ms(); /* an item's own duration */
		int r = hf_task_once(t, err);
		if (r < 0)
			return r;
		if (t->raised || t->refused) {
			t->item = NULL;
			t->scope.locals = NULL;
			t->started_ms = started_ms;
			return 0;
		}
		label_item(t, &c);
		if (t->status == HF_ST_FAILED) {
			ignored = ignored && t->ignore_errors;
			if (t->ignore_errors)
				t->status = HF_ST_IGNORED;
		}
		finish_item(t, &c, i, results);
		before = t->result;
		hf_event_item(t);
		bool stop = false;
		t->run->scope = &t->scope;
		if (c.break_when != NULL && hf_templar_condition(t->run->templar, t->arena, c.break_when,
						    NULL, &stop, &own) < 0) {
			hf_task_fail(t, &own);
			break;
		}
		if (stop)
			break;
	}
	t->item = NULL;
	t->started_ms = started_ms;
	t->label = NULL;
	t->scope.locals = NULL;
	t->ignore_errors = ignored;
	sum_up(t, results);
	return 0;
}
