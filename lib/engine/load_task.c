#include <string.h>

#include "lib/base/fs.h"
#include "lib/engine/absent.h"
#include "lib/engine/args.h"
#include "lib/engine/playbook.h"

struct hf_node *hf_load_node(
	struct hf_loader *l, enum hf_node_kind kind, struct hf_node *parent, struct hf_pos pos)
{
	struct hf_node *n = hf_new(l->arena, struct hf_node);
	n->kind = kind;
	n->parent = parent;
	n->pos = pos;
	n->id = ++l->next_id;
	if (parent != NULL) {
		n->play = parent->play;
		n->role = parent->role;
		n->dir = parent->dir;
		n->handler = parent->handler;
	}
	return n;
}

int hf_load_check_vars(const struct hf_value *vars, struct hf_error *err)
{
	if (!hf_is(vars, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(vars),
			"Vars in a task/block/play must be specified as a dictionary");
	HF_DICT_EACH (vars, e) {
		const struct hf_value *key = hf_entry_key(e);
		bool ok = hf_is(key, HF_STRING) && hf_str_is_name(key->u.string);
		if (!ok)
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
				"Invalid variable name in vars specified for the task, block or play: '%s' "
				"is not a valid variable name",
				hf_is(key, HF_STRING) ? key->u.string.p : "");
	}
	return 0;
}

static int check_keyword(struct hf_loader *l, enum hf_keyword k, struct hf_value *v, struct hf_error *err)
{
	struct hf_arena *a = l->arena;
	if (k == HF_KW_module_defaults && !hf_is(v, HF_NULL))
		return hf_defaults_check(l, v, err);
	if (k == HF_KW_vars && !hf_is(v, HF_NULL) && !hf_is(v, HF_LIST))
		return hf_load_check_vars(v, err);
	const char *why = hf_keyword_refused(a, k, v);
	/* A strategy that nobody has is, for Ansible's exit status too, a wrong word. */
	if (why != NULL)
		return hf_fail_at(err, k == HF_KW_strategy ? HF_E_ARGUMENT : HF_E_UNSUPPORTED,
			hf_value_pos(v), "%s", why);
	if (k == HF_KW_register && !hf_is(v, HF_STRING))
		return hf_fail_at(
			err, HF_E_PARSE, hf_value_pos(v), "'register' must be the name of a variable");
	if (k == HF_KW_register && !hf_str_is_name(v->u.string))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(v),
			"Invalid variable name in 'register' specified: '%s'", v->u.string.p);
	return 0;
}

static int unknown_keyword(
	const struct hf_value *key, unsigned places, const char *what, struct hf_error *err)
{
	const char *near = hf_keyword_nearest(key->u.string.p, places);
	if (near == NULL)
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
			"'%s' is not a valid attribute for a %s", key->u.string.p, what);
	return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
		"'%s' is not a valid attribute for a %s (did you mean '%s'?)", key->u.string.p, what, near);
}

int hf_load_keywords(struct hf_loader *l, struct hf_node *n, const struct hf_value *ds, unsigned places,
	const char *what, struct hf_value *others, struct hf_error *err)
{
	HF_DICT_EACH (ds, e) {
		struct hf_value *key = hf_entry_key(e), *v = hf_entry_value(e);
		int k = hf_is(key, HF_STRING) ? hf_keyword_find(key->u.string, places) : -1;
		if (k >= 0) {
			int r = check_keyword(l, (enum hf_keyword)k, v, err);
			if (r < 0)
				return r;
			n->kw[k] = v;
		} else if (others != NULL) {
			hf_dict_set(others, key, v);
		} else if (!hf_is(key, HF_STRING)) {
			return hf_fail_at(
				err, HF_E_PARSE, hf_value_pos(key), "keys of a %s must be text", what);
		} else {
			return unknown_keyword(key, places, what, err);
		}
	}
	/* A null means: as if it were not there. */
	for (int k = 0; k < HF_KW_COUNT; k++) {
		if (n->kw[k] != NULL && hf_is(n->kw[k], HF_NULL) && k != HF_KW_until && k != HF_KW_when)
			n->kw[k] = NULL;
	}
	return 0;
}

/* --- blocks --- */

static int load_block(struct hf_loader *l, struct hf_node *parent, const char *dir, const struct hf_value *ds,
	bool handlers, struct hf_node **ret, struct hf_error *err)
{
	struct hf_node *n = hf_load_node(l, HF_NODE_BLOCK, parent, hf_value_pos(ds));
	n->dir = dir;
	n->handler = handlers;
	int r = hf_load_keywords(l, n, ds, HF_IN_BLOCK, "Block", NULL, err);
	if (r < 0)
		return r;
	const struct {
		enum hf_keyword k;
		struct hf_nodes *nodes;
	} parts[] = { { HF_KW_block, &n->body }, { HF_KW_rescue, &n->rescue }, { HF_KW_always, &n->always } };
	for (size_t i = 0; i < HF_COUNT(parts); i++) {
		if (n->kw[parts[i].k] == NULL)
			continue;
		r = hf_load_tasks(l, n, dir, n->kw[parts[i].k], handlers, parts[i].nodes, err);
		if (r < 0)
			return r;
		n->kw[parts[i].k] = NULL;
	}
	*ret = n;
	return 0;
}

/* --- tasks --- */

static struct hf_plugin_places places_of(const struct hf_loader *l, const struct hf_node *n)
{
	return (struct hf_plugin_places){ .role_dir = n->role == NULL ? NULL : n->role->dir,
		.play_dir = n->play == NULL ? l->base : n->play->node.dir,
		.collections_path = l->collections_path };
}

static int check_loop_control(const struct hf_value *control, struct hf_error *err)
{
	static const char *const known[] = { "loop_var", "index_var", "label", "pause", "extended",
		"extended_allitems", "break_when" };
	if (control == NULL)
		return 0;
	if (!hf_is(control, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(control),
			"the `loop_control` value must be specified as a dictionary and cannot be a variable "
			"itself (though it can contain variables)");
	HF_DICT_EACH (control, e) {
		const struct hf_value *key = hf_entry_key(e);
		size_t i = 0;
		while (i < HF_COUNT(known) && !(hf_is(key, HF_STRING) && hf_str_is(key->u.string, known[i])))
			i++;
		if (i == HF_COUNT(known))
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
				"'%s' is not a valid attribute for a LoopControl",
				hf_is(key, HF_STRING) ? key->u.string.p : hf_type_name(key));
	}
	return 0;
}

static int take_loop(struct hf_loader *l, struct hf_node *n, const struct hf_value *ds, struct hf_error *err)
{
	n->loop = n->kw[HF_KW_loop];
	HF_DICT_EACH (ds, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (!hf_is(key, HF_STRING) || !hf_str_starts(key->u.string, "with_"))
			continue;
		if (n->loop != NULL)
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key), "duplicate loop in task: %s",
				key->u.string.p + 5);
		n->with = key->u.string.p + 5;
		/* One that holdfast alone has not is refused when the task is reached. */
		struct hf_plugin_places places = places_of(l, n);
		if (!hf_templar_has_lookup(n->with) &&
			!hf_plugin_possible(l->arena, &places, HF_PLUGIN_LOOKUP, n->with))
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
				"'%s' is not a valid attribute for a Task", key->u.string.p);
		n->loop = hf_entry_value(e);
		if (hf_is(n->loop, HF_NULL))
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
				"you must specify a value when using %s", key->u.string.p);
	}
	return check_loop_control(n->kw[HF_KW_loop_control], err);
}

/* Ansible takes every key that is no keyword for a module, so one too many is a conflict to it; what a person
 * meant was most often a keyword. */
static int stranger(
	const struct hf_value *others, const struct hf_value *key, unsigned places, struct hf_error *err)
{
	const char *names[2] = { NULL, NULL }, *near = hf_keyword_nearest(key->u.string.p, places);
	size_t n = 0;
	HF_DICT_EACH (others, e) {
		struct hf_str name = hf_entry_key(e)->u.string;
		if (n < 2 && !hf_str_starts(name, "with_"))
			names[n++] = name.p;
	}
	if (n < 2)
		return unknown_keyword(key, places, "Task", err);
	return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
		"conflicting action statements: %s, %s: '%s' is not a valid attribute for a Task%s%s%s",
		names[0], names[1], key->u.string.p, near == NULL ? "" : " (did you mean '",
		near == NULL ? "" : near, near == NULL ? "" : "'?)");
}

static int task_keywords(struct hf_loader *l, struct hf_node *n, const struct hf_value *ds,
	const struct hf_action *action, bool handlers, struct hf_error *err)
{
	struct hf_value *others = hf_value_dict(l->arena);
	unsigned places = HF_IN_TASK | (handlers ? HF_IN_HANDLER : 0);
	int r = hf_load_keywords(l, n, ds, places, "Task", others, err);
	if (r < 0)
		return r;
	HF_DICT_EACH (others, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (hf_str_starts(key->u.string, "with_"))
			continue;
		if (action->name == NULL || !hf_str_is(key->u.string, action->name))
			return stranger(others, key, places, err);
	}
	if (action->delegate != NULL)
		n->kw[HF_KW_delegate_to] = (struct hf_value *)(uintptr_t)action->delegate;
	n->kw[HF_KW_action] = n->kw[HF_KW_local_action] = n->kw[HF_KW_args] = NULL;
	return take_loop(l, n, ds, err);
}

static const struct {
	const char *name;
	enum hf_task_kind kind;
	bool is_static;
} special[] = {
	{ "meta", HF_TASK_META, false },
	{ "include_tasks", HF_TASK_INCLUDE_TASKS, false },
	{ "include_role", HF_TASK_INCLUDE_ROLE, false },
	{ "import_tasks", HF_TASK_INCLUDE_TASKS, true },
	{ "import_role", HF_TASK_INCLUDE_ROLE, true },
};

int hf_load_text(struct hf_loader *l, const struct hf_node *n, struct hf_value *v, struct hf_str *ret,
	struct hf_error *err)
{
	if (l->text != NULL && hf_templar_is_template(l->templar, v))
		return l->text(l->data, n, v, ret, err);
	*ret = hf_value_text(l->arena, v);
	return 0;
}

static int import_tasks(struct hf_loader *l, struct hf_node *n, struct hf_error *err)
{
	struct hf_value *file = hf_dict_get(n->args, "_raw_params");
	if (file == NULL)
		file = hf_dict_get(n->args, "file");
	if (n->loop != NULL)
		return hf_fail_at(err, HF_E_PARSE, n->pos,
			"You cannot use loops on 'import_tasks' statements. You should use 'include_tasks' "
			"instead.");
	if (!hf_is(file, HF_STRING))
		return hf_fail_at(err, HF_E_PARSE, n->pos, "No file specified for %s", n->action);
	struct hf_str name;
	int r = hf_load_text(l, n, file, &name, err);
	if (r < 0)
		return r;
	const char *const below[] = { "handlers", "tasks" };
	const char *given = hf_path_expand_user(l->arena, hf_str_dup(l->arena, name), NULL);
	char *path = hf_path_join(l->arena, n->dir, given);
	for (size_t i = n->handler ? 0 : 1; i < HF_COUNT(below) && n->role != NULL && !hf_fs_exists(path);
		i++)
		path = hf_path_join(l->arena, hf_sprintf(l->arena, "%s/%s", n->role->dir, below[i]), given);
	if (!hf_fs_exists(path))
		path = hf_path_join(l->arena, l->base, given);
	if (!hf_fs_exists(path))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(file), "Could not find or access '%.*s'",
			HF_STR_ARG(name));
	n->kind = HF_NODE_BLOCK;
	n->implicit = true;
	return hf_load_task_file(l, n, path, n->handler, &n->body, err);
}

static const char *arg_text(const struct hf_node *n, const char *key)
{
	return hf_dict_cstr(n->args, key, NULL);
}

static int import_role(struct hf_loader *l, struct hf_node *n, struct hf_error *err)
{
	struct hf_value *name = hf_dict_get(n->args, "name");
	if (name == NULL)
		name = hf_dict_get(n->args, "role");
	if (name == NULL)
		return hf_fail_at(err, HF_E_PARSE, n->pos, "'name' is a required field for import_role.");
	if (n->loop != NULL)
		return hf_fail_at(err, HF_E_PARSE, n->pos,
			"You cannot use loops on 'import_role' statements. You should use 'include_role' "
			"instead.");
	struct hf_str text;
	int r = hf_load_text(l, n, name, &text, err);
	if (r < 0)
		return r;
	n->kind = HF_NODE_BLOCK;
	n->implicit = true;
	struct hf_role_files files = { arg_text(n, "tasks_from"), arg_text(n, "vars_from"),
		arg_text(n, "defaults_from"), arg_text(n, "handlers_from") };
	struct hf_node *entry = *hf_vec_push(l->arena, &n->body) = hf_load_node(l, HF_NODE_ROLE, n, n->pos);
	r = hf_load_role(
		l, entry, hf_str_dup(l->arena, text), n->role, &files, NULL, &n->play->handlers, err);
	if (r < 0)
		return r;
	struct hf_role *role = entry->role;
	role->is_public = true;
	role->from_include = true;
	role->allow_duplicates = hf_dict_bool(n->args, "allow_duplicates", true);
	role->keyword_vars = n->kw[HF_KW_vars];
	*hf_vec_push(l->arena, &n->play->all_roles) = role;
	*hf_vec_push(l->arena, &n->play->more_roles) = role->name;
	return 0;
}

/* A module that Ansible could not have either is refused where the file is loaded, as there; one that
 * holdfast alone has not may stand in a task that never runs. */
static int check_known(struct hf_loader *l, const struct hf_node *n, struct hf_error *err)
{
	struct hf_plugin_places places = places_of(l, n);
	if (strstr(n->action, "{{") != NULL ||
		hf_plugin_possible(l->arena, &places, HF_PLUGIN_MODULE, n->action))
		return 0;
	return hf_fail_at(err, HF_E_PARSE, n->pos, "%s",
		hf_plugin_absent(l->arena, &places, HF_PLUGIN_MODULE, n->action));
}

static int check_include(struct hf_loader *l, const struct hf_node *n, struct hf_error *err)
{
	static const char *const tasks_keys[] = { "_raw_params", "file", "apply", NULL };
	static const char *const role_keys[] = { "name", "role", "tasks_from", "vars_from", "defaults_from",
		"handlers_from", "allow_duplicates", "public", "rolespec_validate", "apply", NULL };
	const char *const *known = n->task == HF_TASK_INCLUDE_TASKS ? tasks_keys : role_keys;
	HF_DICT_EACH (n->args, e) {
		const char *key = hf_value_text(l->arena, hf_entry_key(e)).p;
		size_t i = 0;
		while (known[i] != NULL && strcmp(known[i], key) != 0)
			i++;
		if (known[i] == NULL)
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(hf_entry_key(e)),
				"Invalid options for %s: %s", n->action, key);
	}
	return 0;
}

static int find_action(struct hf_loader *l, struct hf_node *n, struct hf_error *err)
{
	const char *name = hf_action_short(n->action);
	for (size_t i = 0; i < HF_COUNT(special); i++) {
		if (strcmp(name, special[i].name) != 0)
			continue;
		n->task = special[i].kind;
		if (n->task == HF_TASK_INCLUDE_TASKS || n->task == HF_TASK_INCLUDE_ROLE)
			n->dynamic = !special[i].is_static;
		if (!special[i].is_static)
			return n->dynamic ? check_include(l, n, err) : 0;
		return n->task == HF_TASK_INCLUDE_TASKS ? import_tasks(l, n, err) : import_role(l, n, err);
	}
	if (strcmp(name, "include") == 0)
		return hf_fail_at(err, HF_E_PARSE, n->pos,
			"[DEPRECATED]: ansible.builtin.include has been removed. Use include_tasks or "
			"import_tasks instead.");
	n->module = hf_module_find(l->registry, n->action);
	const struct hf_value *collections = hf_node_keyword(n, HF_KW_collections);
	if (collections == NULL && n->role != NULL)
		collections = n->role->collections;
	for (size_t i = 0; n->module == NULL && hf_is(collections, HF_LIST) && i < hf_list_len(collections);
		i++)
		n->module = hf_module_find(l->registry,
			hf_sprintf(l->arena, "%s.%s", hf_value_text(l->arena, hf_list_at(collections, i)).p,
				n->action));
	return n->module == NULL ? check_known(l, n, err) : 0;
}

/* Keys we know for modules, or that can be nothing else. */
static bool is_action(const void *data, const char *name)
{
	for (size_t i = 0; i < HF_COUNT(special); i++) {
		if (strcmp(hf_action_short(name), special[i].name) == 0)
			return true;
	}
	return strchr(name, '.') != NULL || hf_action_is_known(name) || hf_module_find(data, name) != NULL;
}

static int load_task(struct hf_loader *l, struct hf_node *parent, const char *dir, const struct hf_value *ds,
	bool handlers, struct hf_node **ret, struct hf_error *err)
{
	struct hf_action action = { 0 };
	int r = hf_action_parse(l->arena, ds, is_action, l->registry, &action, err);
	if (r < 0 && action.name == NULL)
		r = hf_action_parse(l->arena, ds, NULL, NULL, &action, err);
	if (r < 0)
		return r;
	struct hf_node *n = hf_load_node(l, HF_NODE_TASK, parent, hf_value_pos(ds));
	n->dir = dir;
	n->handler = handlers;
	n->action = action.name;
	n->args = action.args;
	r = task_keywords(l, n, ds, &action, handlers, err);
	if (r == 0)
		r = find_action(l, n, err);
	if (r == 0)
		*ret = n;
	return r;
}

int hf_load_tasks(struct hf_loader *l, struct hf_node *parent, const char *dir, const struct hf_value *list,
	bool handlers, struct hf_nodes *ret, struct hf_error *err)
{
	if (list == NULL || hf_is(list, HF_NULL))
		return 0;
	if (!hf_is(list, HF_LIST))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(list),
			"A malformed block was encountered while loading tasks: "
			"a list of tasks is needed, this is a %s",
			hf_type_name(list));
	if (l->depth >= HF_LOAD_DEPTH_MAX)
		return hf_fail_at(err, HF_E_LIMIT, hf_value_pos(list),
			"blocks and imports are nested more than %d deep", HF_LOAD_DEPTH_MAX);
	l->depth++;
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++) {
		const struct hf_value *ds = hf_list_at(list, i);
		if (l->next_id >= HF_NODES_MAX)
			r = hf_fail_at(err, HF_E_LIMIT, hf_value_pos(ds), "more than %d tasks", HF_NODES_MAX);
		else if (hf_is(ds, HF_NULL))
			continue;
		else if (!hf_is(ds, HF_DICT))
			r = hf_fail_at(err, HF_E_PARSE, hf_value_pos(ds),
				"a task or block must be a dictionary, this is a %s", hf_type_name(ds));
		else if (hf_dict_get(ds, "block") != NULL)
			r = load_block(l, parent, dir, ds, handlers, hf_vec_push(l->arena, ret), err);
		else
			r = load_task(l, parent, dir, ds, handlers, hf_vec_push(l->arena, ret), err);
	}
	l->depth--;
	return r;
}

int hf_load_task_file(struct hf_loader *l, struct hf_node *parent, const char *path, bool handlers,
	struct hf_nodes *ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = hf_load_yaml(l, path, &v, err);
	if (r < 0)
		return r;
	return hf_load_tasks(l, parent, hf_path_dir(l->arena, path), v, handlers, ret, err);
}
