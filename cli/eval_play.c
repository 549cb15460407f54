#include "cli/eval_play.h"

#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/engine/args.h"
#include "lib/engine/run.h"
#include "modules/registry.h"

struct recorder {
	struct hf_arena *arena;
	struct hf_value *events, *items; /* items of the loop on its way; NULL: none yet */
};

static void copy_key(const struct recorder *r, struct hf_value *to, const struct hf_value *from,
	const char *key, const char *as)
{
	const struct hf_value *v = hf_dict_get(from, key);
	if (v != NULL)
		hf_dict_put(to, as, hf_value_copy(r->arena, v));
}

static bool names(const struct hf_value *result, const char *which, const char *key)
{
	const struct hf_value *v = hf_dict_get(result, which);
	return hf_is(v, HF_STRING) && hf_str_is(v->u.string, key);
}

/* Not what every result has, nor the loop's variables. */
static bool is_said(const struct hf_value *result, const char *key)
{
	static const char *const common[] = { "changed", "failed", "results", "ansible_loop_var",
		"ansible_loop", "ansible_index_var", "failed_when_result", "assertion", "evaluated_to",
		"skipped_reason", "item" };
	for (size_t i = 0; i < HF_COUNT(common); i++) {
		if (strcmp(common[i], key) == 0)
			return false;
	}
	return !names(result, "ansible_loop_var", key) && !names(result, "ansible_index_var", key);
}

/* What a person would read of this module's result. */
static void copy_result(const struct recorder *r, struct hf_value *to, const struct hf_value *e)
{
	const struct hf_value *result = hf_dict_get(e, "result");
	const char *module = hf_action_short(hf_dict_cstr(e, "module", ""));
	const char *status = hf_dict_cstr(e, "status", "");
	if (!hf_is(result, HF_DICT)) {
		copy_key(r, to, e, "msg", "censored");
		return;
	}
	copy_key(r, to, result, "attempts", "attempts");
	if (strcmp(status, "skipped") == 0)
		return;
	if (strcmp(module, "set_fact") == 0)
		copy_key(r, to, result, "ansible_facts", "facts");
	if (strcmp(module, "command") == 0) {
		copy_key(r, to, result, "rc", "rc");
		if (strncmp(hf_dict_cstr(result, "stdout", ""), "skipped, since", 14) != 0)
			copy_key(r, to, result, "stdout", "stdout");
	}
	if (strcmp(module, "debug") != 0 && strcmp(module, "assert") != 0 && strcmp(module, "fail") != 0)
		return;
	HF_DICT_EACH (result, k) {
		const char *key = hf_value_text(r->arena, hf_entry_key(k)).p;
		if (is_said(result, key))
			hf_dict_put(to, key, hf_value_copy(r->arena, hf_entry_value(k)));
	}
}

static void record(void *data, const struct hf_value *e)
{
	struct recorder *r = data;
	struct hf_arena *a = r->arena;
	if (strcmp(hf_dict_cstr(e, "type", ""), "task") != 0)
		return;
	struct hf_value *one = hf_value_dict(a), *item = hf_dict_get(e, "item");
	const char *status = hf_dict_cstr(e, "status", "");
	if (strcmp(status, "rescued") == 0)
		status = "failed";
	if (item != NULL) {
		if (strcmp(status, "ignored") == 0)
			status = "failed";
		hf_dict_put(one, "item", hf_value_copy(a, item));
		hf_dict_put(one, "status", hf_value_cstr(a, status));
		copy_result(r, one, e);
		if (r->items == NULL)
			r->items = hf_value_list(a);
		hf_list_append(r->items, one);
		return;
	}
	const char *task = hf_dict_cstr(e, "task", ""), *role = hf_dict_cstr(e, "role", NULL);
	/* Cases name tasks without their role. */
	if (role != NULL && strlen(task) > strlen(role) + 3)
		task += strlen(role) + 3;
	hf_dict_put(one, "task", hf_value_cstr(a, task));
	hf_dict_put(one, "status", hf_value_cstr(a, status));
	if (r->items != NULL && hf_is(hf_dict_get(e, "result"), HF_DICT) &&
		hf_dict_get(hf_dict_get(e, "result"), "results") != NULL)
		hf_dict_put(one, "items", r->items);
	else if (hf_dict_get(e, "result") == NULL || hf_dict_get(hf_dict_get(e, "result"), "results") == NULL)
		copy_result(r, one, e);
	r->items = NULL;
	hf_list_append(r->events, one);
}

/* The play around what the case gives: a list is its tasks, a dict its body. */
static struct hf_value *play_of(const struct eval_case *c, struct hf_value *body)
{
	struct hf_arena *a = c->arena;
	struct hf_value *play = hf_value_dict(a), *plays = hf_value_list(a), *vars = hf_value_dict(a);
	hf_dict_put(play, "hosts", hf_value_cstr(a, "all"));
	hf_dict_put(play, "gather_facts", hf_value_bool(a, false));
	if (hf_is(c->vars, HF_DICT)) {
		HF_DICT_EACH (c->vars, e)
			hf_dict_set(vars, hf_entry_key(e), hf_entry_value(e));
	}
	if (hf_is(body, HF_DICT)) {
		const struct hf_value *own = hf_dict_get(body, "vars");
		HF_DICT_EACH (body, e)
			hf_dict_set(play, hf_entry_key(e), hf_entry_value(e));
		if (hf_is(own, HF_DICT)) {
			HF_DICT_EACH (own, e)
				hf_dict_set(vars, hf_entry_key(e), hf_entry_value(e));
		}
	} else {
		hf_dict_put(play, "tasks", body);
	}
	hf_dict_put(play, "vars", vars);
	hf_list_append(plays, play);
	return plays;
}

int cli_eval_play(const struct eval_case *c, struct hf_value **ret, struct hf_error *err)
{
	static const char *const groups[] = { "grp", NULL };
	struct hf_arena *a = c->arena;
	struct hf_value *body = NULL, *host_vars = hf_value_dict(a);
	int r = hf_yaml_parse(a, hf_value_text(a, c->input), "play", NULL, &body, err);
	if (r < 0)
		return r;
	hf_dict_put(host_vars, "hv", hf_value_int(a, 1));
	struct recorder recorder = { a, hf_value_list(a), NULL };
	struct hf_run_hooks hooks = { .data = &recorder, .event = record };
	const char *books[] = { hf_path_join(a, c->base == NULL ? "." : c->base, "play.yml"), NULL };
	struct hf_run_options options = {
		.registry = &hf_modules,
		.playbooks = books,
		.plays = play_of(c, body),
		.host_name = "host1",
		.host_vars = host_vars,
		.groups = groups,
		.connection = "local",
		.hooks = &hooks,
	};
	struct hf_run_summary summary;
	r = hf_run_playbooks(&options, &summary, err);
	if (r < 0)
		return r;
	*ret = hf_value_dict(a);
	hf_dict_put(*ret, "events", recorder.events);
	hf_dict_put(*ret, "rc", hf_value_int(a, summary.exit_status));
	return 0;
}
