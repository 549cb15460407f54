#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/args.h"
#include "lib/engine/keyword.h"

static const char *const raw_actions[] = { "command", "shell", "script", "raw", "win_command", "win_shell",
	NULL };
static const char *const raw_params_too[] = { "include_vars", "include_tasks", "include_role", "import_tasks",
	"import_role", "add_host", "group_by", "set_fact", "meta", NULL };

const char *hf_action_short(const char *name)
{
	static const char *const own[] = { "ansible.builtin.", "ansible.legacy." };
	for (size_t i = 0; i < HF_COUNT(own); i++) {
		if (strncmp(name, own[i], strlen(own[i])) == 0)
			return name + strlen(own[i]);
	}
	return name;
}

static bool listed(const char *name, const char *const *names)
{
	const char *s = hf_action_short(name);
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(s, names[i]) == 0)
			return true;
	}
	return false;
}

bool hf_action_is_raw(const char *name)
{
	return listed(name, raw_actions) || strncmp(name, "ansible.windows.win_command", 27) == 0 ||
	       strncmp(name, "ansible.windows.win_shell", 25) == 0;
}

static bool has_delimiter(struct hf_str s)
{
	return hf_str_find(s, HF_STR("{{"), 0) != SIZE_MAX || hf_str_find(s, HF_STR("{%"), 0) != SIZE_MAX ||
	       hf_str_find(s, HF_STR("{#"), 0) != SIZE_MAX;
}

static void merge(struct hf_value *into, const struct hf_value *from)
{
	HF_DICT_EACH (from, e)
		hf_dict_set(into, hf_entry_key(e), hf_entry_value(e));
}

/* `args:` of the task: below what the module itself is given. */
static int take_args_keyword(const struct hf_value *given, struct hf_value *args, struct hf_error *err)
{
	if (given == NULL)
		return 0;
	if (hf_is(given, HF_DICT)) {
		merge(args, given);
		return 0;
	}
	if (!hf_is(given, HF_STRING))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(given),
			"Complex args must be a dictionary or variable string (\"{{var}}\").");
	if (!has_delimiter(given->u.string))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(given),
			"Complex args containing variables cannot use bare variables (without Jinja2 "
			"delimiters), and must "
			"use the full variable style ('{{var_name}}')");
	hf_dict_put(args, "_variable_params", (struct hf_value *)(uintptr_t)given);
	return 0;
}

static void place_all(struct hf_value *dict, struct hf_pos pos)
{
	HF_DICT_EACH (dict, e) {
		hf_value_at(hf_entry_key(e), pos);
		hf_value_at(hf_entry_value(e), pos);
	}
}

static int pairs_of(struct hf_arena *a, struct hf_str text, const char *action, const struct hf_value *at,
	struct hf_value **ret, struct hf_error *err)
{
	int r = hf_args_pairs(a, text, hf_action_is_raw(action), NULL, ret, err);
	if (r < 0)
		return hf_error_set_pos(err, hf_value_pos(at));
	place_all(*ret, hf_value_pos(at));
	HF_DICT_EACH (*ret, e)
		e->value = hf_value_taint(a, hf_entry_value(e), at);
	return 0;
}

/* `copy: {…}`, `copy: src=a dest=b`, `command: text`. */
static int take_new_style(struct hf_arena *a, const char *action, const struct hf_value *thing,
	struct hf_value *args, struct hf_error *err)
{
	if (hf_is(thing, HF_NULL))
		return 0;
	if (hf_is(thing, HF_DICT)) {
		merge(args, thing);
		return 0;
	}
	if (!hf_is(thing, HF_STRING))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(thing),
			"unexpected parameter type in action: <class '%s'>", hf_type_name(thing));
	struct hf_value *pairs = NULL;
	int r = pairs_of(a, thing->u.string, action, thing, &pairs, err);
	if (r == 0)
		merge(args, pairs);
	return r;
}

/* "copy src=a dest=b": the module's name and the rest. */
static int take_module_text(struct hf_arena *a, const struct hf_value *text, struct hf_value *args,
	struct hf_action *action, struct hf_error *err)
{
	struct hf_value *pieces = NULL;
	int r = hf_args_split(a, text->u.string, &pieces, err);
	if (r < 0)
		return hf_error_set_pos(err, hf_value_pos(text));
	if (hf_list_len(pieces) == 0)
		return 0;
	hf_auto_buf rest = hf_buf_init(HF_ARGS_TEXT_MAX * 2);
	for (size_t i = 1; i < hf_list_len(pieces); i++) {
		if (rest.n > 0 && rest.p[rest.n - 1] != '\n')
			hf_buf_put(&rest, ' ');
		hf_buf_add(&rest, hf_list_at(pieces, i)->u.string);
	}
	action->name = hf_str_dup(a, hf_str_trim(hf_list_at(pieces, 0)->u.string));
	struct hf_value *pairs = NULL;
	r = pairs_of(a, hf_buf_str(&rest), action->name, text, &pairs, err);
	if (r == 0)
		merge(args, pairs);
	return r;
}

/* `action: copy src=a` and `action: {module: copy, src: a}`. */
static int take_old_style(struct hf_arena *a, const struct hf_value *thing, struct hf_value *args,
	struct hf_action *action, struct hf_error *err)
{
	if (hf_is(thing, HF_STRING))
		return take_module_text(a, thing, args, action, err);
	if (!hf_is(thing, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(thing),
			"unexpected parameter type in action: <class '%s'>", hf_type_name(thing));
	const struct hf_value *module = hf_dict_get(thing, "module");
	if (!hf_is(module, HF_STRING))
		return 0;
	merge(args, thing);
	hf_dict_remove(args, "module");
	const struct hf_value *inner = hf_dict_get(thing, "args");
	if (hf_is(inner, HF_DICT)) {
		hf_dict_remove(args, "args");
		merge(args, inner);
	} else if (hf_is(inner, HF_STRING)) {
		struct hf_value *pairs = NULL;
		int r = pairs_of(a, inner->u.string, "", inner, &pairs, err);
		if (r < 0)
			return r;
		hf_dict_remove(args, "args");
		merge(args, pairs);
	}
	return take_module_text(a, module, args, action, err);
}

static int check_args(
	struct hf_arena *a, const struct hf_value *task, struct hf_action *action, struct hf_error *err)
{
	HF_DICT_EACH (action->args, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (hf_is(key, HF_STRING) && hf_str_starts(key->u.string, "_ansible_"))
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
				"invalid parameter specified for action '%s': '%s'", action->name,
				key->u.string.p);
	}
	struct hf_value *raw = hf_dict_get(action->args, "_raw_params");
	if (raw == NULL || !hf_value_truthy(raw) || hf_action_is_raw(action->name) ||
		listed(action->name, raw_params_too))
		return 0;
	if (!hf_is(raw, HF_STRING) || !has_delimiter(raw->u.string))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(task),
			"this task '%s' has extra params, which is only allowed in the following modules: "
			"command, shell, "
			"script, raw, include_vars, include_tasks, include_role, import_tasks, import_role, "
			"add_host, group_by, "
			"set_fact, meta",
			action->name);
	hf_dict_remove(action->args, "_raw_params");
	hf_dict_put(action->args, "_variable_params", raw);
	(void)a;
	return 0;
}

static int no_action(const struct hf_value *stranger, const struct hf_value *task, struct hf_error *err)
{
	if (stranger == NULL)
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(task), "no module/action detected in task.");
	return hf_fail_at(err, HF_E_PARSE, hf_value_pos(stranger),
		"couldn't resolve module/action '%s'. This often indicates a misspelling, missing "
		"collection, or incorrect "
		"module path.",
		stranger->u.string.p);
}

/* A key that is neither keyword nor with_…: the module. */
static int take_module_keys(struct hf_arena *a, const struct hf_value *task,
	bool (*is_action)(const void *data, const char *name), const void *data, struct hf_action *action,
	struct hf_error *err)
{
	const struct hf_value *stranger = NULL;
	HF_DICT_EACH (task, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (!hf_is(key, HF_STRING))
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key), "a task's keys must be text");
		if (hf_keyword_find(key->u.string, HF_IN_TASK | HF_IN_HANDLER) >= 0 ||
			hf_str_starts(key->u.string, "with_"))
			continue;
		if (is_action != NULL && !is_action(data, key->u.string.p)) {
			if (stranger == NULL)
				stranger = key;
			continue;
		}
		if (action->name != NULL)
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
				"conflicting action statements: %s, %s", action->name, key->u.string.p);
		action->name = key->u.string.p;
		action->pos = hf_value_pos(key);
		int r = take_new_style(a, action->name, hf_entry_value(e), action->args, err);
		if (r < 0)
			return r;
	}
	return action->name == NULL ? no_action(stranger, task, err) : 0;
}

int hf_action_parse(struct hf_arena *a, const struct hf_value *task,
	bool (*is_action)(const void *data, const char *name), const void *data, struct hf_action *ret,
	struct hf_error *err)
{
	if (!hf_is(task, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(task), "a task must be a dictionary");
	struct hf_action action = { .args = hf_value_dict(a), .delegate = hf_dict_get(task, "delegate_to") };
	hf_value_at(action.args, hf_value_pos(task));
	int r = take_args_keyword(hf_dict_get(task, "args"), action.args, err);
	const struct hf_value *old = hf_dict_get(task, "action"), *local = hf_dict_get(task, "local_action");
	if (r == 0 && old != NULL && local != NULL)
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(local),
			"action and local_action are mutually exclusive");
	if (r == 0 && (old != NULL || local != NULL)) {
		action.pos = hf_value_pos(old != NULL ? old : local);
		r = take_old_style(a, old != NULL ? old : local, action.args, &action, err);
	}
	if (local != NULL)
		action.delegate = hf_value_cstr(a, "localhost");
	if (r == 0)
		r = take_module_keys(a, task, is_action, data, &action, err);
	if (r == 0)
		r = check_args(a, task, &action, err);
	if (r == 0)
		*ret = action;
	return r;
}
