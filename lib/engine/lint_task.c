/* Plays, blocks and tasks read as they are written: modules, options, keywords, files they lead to. */
#include <glob.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/args.h"
#include "lib/engine/lint_internal.h"

enum { PATTERN_MAX = 4096 };

static bool plain_text(const struct linter *l, const struct hf_value *v)
{
	return hf_is(v, HF_STRING) && !hf_templar_is_template(l->templar, v);
}

/* --- keywords --- */

static bool is_condition(enum hf_keyword k)
{
	return k == HF_KW_when || k == HF_KW_changed_when || k == HF_KW_failed_when || k == HF_KW_until;
}

/* Lists of tasks, which are read as such, and names that mean no template. */
static bool is_structure(enum hf_keyword k)
{
	static const enum hf_keyword keys[] = { HF_KW_block, HF_KW_rescue, HF_KW_always, HF_KW_tasks,
		HF_KW_pre_tasks, HF_KW_post_tasks, HF_KW_handlers, HF_KW_roles, HF_KW_action,
		HF_KW_local_action, HF_KW_args };
	for (size_t i = 0; i < HF_COUNT(keys); i++)
		if (keys[i] == k)
			return true;
	return false;
}

static void keyword_value(
	struct linter *l, enum hf_keyword k, const struct hf_value *key, const struct hf_value *v)
{
	const char *why = hf_keyword_refused(l->arena, k, v);
	if (why != NULL)
		lint_report(l, "keyword", hf_keyword_name(k), why, hf_value_pos(key));
	if (is_condition(k))
		lint_condition(l, v);
	else if (!is_structure(k))
		lint_value(l, v);
	if (k == HF_KW_loop_control && hf_is(v, HF_DICT))
		lint_condition(l, hf_dict_get(v, "break_when"));
}

/* Keywords of a play, role entry or block: here every key is one. */
static void all_keywords(
	struct linter *l, const struct hf_value *ds, unsigned places, const char *what, bool others)
{
	HF_DICT_EACH (ds, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (!hf_is(key, HF_STRING))
			continue;
		int k = hf_keyword_find(key->u.string, places);
		if (k >= 0)
			keyword_value(l, (enum hf_keyword)k, key, hf_entry_value(e));
		else if (others)
			lint_value(l, hf_entry_value(e));
		else
			lint_report(l, "keyword", key->u.string.p,
				hf_sprintf(l->arena, "'%s' is not a valid attribute for a %s",
					key->u.string.p, what),
				hf_value_pos(key));
	}
}

/* --- modules and their options --- */

static const struct hf_module *find_module(const struct linter *l, const char *name)
{
	const struct hf_module *m = hf_module_find(l->options->registry, name);
	const struct hf_value *lists[] = { l->collections,
		l->file->role == NULL ? NULL : l->file->role->collections };
	for (size_t i = 0; i < HF_COUNT(lists); i++)
		for (size_t j = 0; m == NULL && hf_is(lists[i], HF_LIST) && j < hf_list_len(lists[i]); j++)
			m = hf_module_find(l->options->registry,
				hf_sprintf(l->arena, "%s.%s",
					hf_value_text(l->arena, hf_list_at(lists[i], j)).p, name));
	return m;
}

static bool chosen(const struct hf_arg *arg, const char *value)
{
	for (size_t i = 0; arg->choices[i] != NULL; i++)
		if (strcmp(arg->choices[i], value) == 0)
			return true;
	return false;
}

static void option(
	struct linter *l, const struct hf_module *m, const struct hf_value *key, const struct hf_value *v)
{
	const char *name = key->u.string.p;
	const struct hf_arg *arg = hf_schema_find(m->schema.args, name);
	struct hf_pos pos = hf_value_pos(key);
	if (arg == NULL)
		lint_report(l, "option", hf_sprintf(l->arena, "%s.%s", m->name, name),
			hf_sprintf(l->arena, "module '%s' has no option '%s'", m->name, name), pos);
	else if ((arg->flags & HF_REFUSED) != 0)
		lint_report(l, "option", hf_sprintf(l->arena, "%s.%s", m->name, name),
			hf_sprintf(l->arena, "option '%s' of module '%s' is refused: %s", name, m->name,
				arg->help == NULL ? "holdfast does not do it" : arg->help),
			pos);
	else if (arg->choices != NULL && arg->type != HF_ARG_LIST && plain_text(l, v) &&
		 !chosen(arg, v->u.string.p))
		lint_report(l, "option", hf_sprintf(l->arena, "%s.%s=%s", m->name, name, v->u.string.p),
			hf_sprintf(l->arena, "option '%s' of module '%s' takes no '%s' here", name, m->name,
				v->u.string.p),
			hf_value_pos(v));
}

static void options(struct linter *l, const struct hf_module *m, const struct hf_value *args)
{
	HF_DICT_EACH (args, e) {
		const struct hf_value *key = hf_entry_key(e);
		bool own = hf_is(key, HF_STRING) && key->u.string.n > 0 && key->u.string.p[0] != '_';
		if (own && (m->flags & (HF_MODULE_ANY_ARGS | HF_MODULE_LOOSE_ARGS)) == 0 &&
			m->schema.args != NULL)
			option(l, m, key, hf_entry_value(e));
	}
}

/* --- files that a task leads to --- */

static const char *folder_of(const struct linter *l, const char *kind)
{
	if (l->file->role != NULL)
		return hf_path_join(l->arena, l->file->role->dir, kind);
	return hf_path_dir(l->arena, l->file->path);
}

static const char *first_there(
	const struct linter *l, const char *name, const char *kind, const char *const *extensions)
{
	const char *dirs[] = { hf_path_dir(l->arena, l->file->path), folder_of(l, kind),
		l->file->role == NULL ? NULL : l->file->role->dir,
		hf_path_join(l->arena, hf_path_dir(l->arena, l->file->path), kind),
		l->play_dir == NULL ? NULL : l->play_dir,
		l->play_dir == NULL ? NULL : hf_path_join(l->arena, l->play_dir, kind) };
	for (size_t i = 0; i < HF_COUNT(dirs); i++) {
		for (size_t x = 0; dirs[i] != NULL && extensions[x] != NULL; x++) {
			const char *path = hf_sprintf(
				l->arena, "%s%s", hf_path_join(l->arena, dirs[i], name), extensions[x]);
			if (hf_fs_exists(path) && !hf_fs_is_dir(path))
				return hf_path_normalize(l->arena, path);
		}
	}
	return NULL;
}

/* "{{ x }}-a.yml" is "*-a.yml". */
static void pattern_of(struct hf_str name, struct hf_buf *out)
{
	static const char opens[] = "{%", closes[] = "}%";
	for (size_t i = 0; i < name.n; i++) {
		bool open = name.p[i] == '{' && i + 1 < name.n && strchr(opens, name.p[i + 1]) != NULL;
		if (!open) {
			hf_buf_put(out, name.p[i]);
			continue;
		}
		hf_buf_put(out, '*');
		for (i += 2; i < name.n && (name.p[i] != '}' || strchr(closes, name.p[i - 1]) == NULL); i++)
			continue;
	}
}

static void lead_match(struct linter *l, const char *found, enum lint_type type)
{
	struct lint_role *role = NULL;
	const char *path = hf_strdup(l->arena, found);
	if (!hf_fs_is_dir(path) && (type == LINT_TEMPLATE || lint_classify(l, path, &role) != LINT_PLAYBOOK))
		lint_lead(l, path, type, l->file->role, false);
}

/* Which file it is shows only when it runs: all whose names fit may be meant. */
static void lead_pattern(struct linter *l, struct hf_str name, const char *kind, enum lint_type type)
{
	const char *dirs[] = { hf_path_dir(l->arena, l->file->path), folder_of(l, kind), l->play_dir };
	hf_auto_buf pattern = hf_buf_init(PATTERN_MAX);
	glob_t found;
	pattern_of(name, &pattern);
	for (size_t d = 0; d < HF_COUNT(dirs) && dirs[d] != NULL; d++) {
		if (glob(hf_path_join(l->arena, dirs[d], hf_buf_str(&pattern).p), 0, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc && i < LINT_FILES_MAX; i++)
			lead_match(l, found.gl_pathv[i], type);
		globfree(&found);
		break;
	}
}

static void lead_named(
	struct linter *l, const struct hf_value *name, const char *kind, enum lint_type type, bool must)
{
	static const char *const plain[] = { "", NULL }, *const yaml[] = { "", ".yml", ".yaml", ".json",
		NULL };
	if (name == NULL || hf_is(name, HF_NULL))
		return;
	if (!plain_text(l, name)) {
		if (hf_is(name, HF_STRING))
			lead_pattern(l, name->u.string, kind, type);
		return;
	}
	const char *path = first_there(l, name->u.string.p, kind, type == LINT_TEMPLATE ? plain : yaml);
	if (path == NULL && type == LINT_HANDLERS) /* a handler may include what the tasks do */
		path = first_there(l, name->u.string.p, "tasks", yaml);
	if (path != NULL)
		lint_lead(l, path, type, l->file->role, l->sure);
	else if (must)
		lint_report(l, "file", name->u.string.p,
			hf_sprintf(l->arena, "Could not find or access '%s'", name->u.string.p),
			hf_value_pos(name));
}

static bool own_delimiters(const struct hf_value *args)
{
	static const char *const names[] = { "variable_start_string", "block_start_string",
		"comment_start_string" };
	for (size_t i = 0; i < HF_COUNT(names); i++)
		if (hf_dict_get(args, names[i]) != NULL)
			return true;
	return false;
}

static struct hf_value *either(const struct hf_value *args, const char *x, const char *y)
{
	struct hf_value *v = hf_dict_get(args, x);
	return v != NULL ? v : hf_dict_get(args, y);
}

static void lead_task(struct linter *l, const char *action, const struct hf_value *args, bool handlers)
{
	const char *s = hf_action_short(action);
	enum lint_type tasks = handlers ? LINT_HANDLERS : LINT_TASKS;
	if (strcmp(s, "include_tasks") == 0 || strcmp(s, "import_tasks") == 0)
		lead_named(
			l, either(args, "_raw_params", "file"), handlers ? "handlers" : "tasks", tasks, true);
	else if (strcmp(s, "include_vars") == 0)
		lead_named(l, either(args, "_raw_params", "file"), "vars", LINT_VARS, false);
	else if (strcmp(s, "template") == 0 && !own_delimiters(args))
		lead_named(l, hf_dict_get(args, "src"), "templates", LINT_TEMPLATE, false);
	else if (strcmp(s, "include_role") == 0 || strcmp(s, "import_role") == 0) {
		const struct hf_value *name = either(args, "name", "role");
		if (plain_text(l, name))
			lint_role_lead(l, name->u.string.p, args, hf_value_pos(name));
	} else if (strcmp(s, "assert") == 0) {
		lint_condition(l, hf_dict_get(args, "that"));
	} else if (strcmp(s, "debug") == 0) {
		lint_condition(l, hf_dict_get(args, "var"));
	}
}

/* --- tasks --- */

static bool is_special(const char *name)
{
	static const char *const names[] = { "meta", "include_tasks", "include_role", "import_tasks",
		"import_role" };
	for (size_t i = 0; i < HF_COUNT(names); i++)
		if (strcmp(hf_action_short(name), names[i]) == 0)
			return true;
	return false;
}

static bool is_action(const void *data, const char *name)
{
	return strchr(name, '.') != NULL || is_special(name) || hf_action_is_known(name) ||
	       hf_module_find(data, name) != NULL;
}

static void stranger_keys(
	struct linter *l, const struct hf_value *ds, const struct hf_action *action, bool handlers)
{
	unsigned places = HF_IN_TASK | (handlers ? HF_IN_HANDLER : 0);
	HF_DICT_EACH (ds, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (!hf_is(key, HF_STRING) || hf_str_is(key->u.string, action->name))
			continue;
		int k = hf_keyword_find(key->u.string, places);
		if (k >= 0) {
			keyword_value(l, (enum hf_keyword)k, key, hf_entry_value(e));
		} else if (hf_str_starts(key->u.string, "with_")) {
			lint_value(l, hf_entry_value(e));
			lint_lookup_name(l, key->u.string.p + 5, hf_value_pos(key));
		} else {
			lint_report(l, "keyword", key->u.string.p,
				hf_sprintf(l->arena, "'%s' is not a valid attribute for a Task",
					key->u.string.p),
				hf_value_pos(key));
		}
	}
}

static void named_module(struct linter *l, const struct hf_action *action)
{
	const struct hf_module *m = find_module(l, action->name);
	struct hf_plugin_places places = lint_places(l);
	if (strstr(action->name, "{{") != NULL)
		return;
	if (m == NULL && !is_special(action->name))
		lint_report(l, "module", action->name,
			hf_plugin_absent(l->arena, &places, HF_PLUGIN_MODULE, action->name), action->pos);
	if (m != NULL)
		options(l, m, action->args);
}

static bool tagged_never(const struct hf_value *tags)
{
	if (hf_is(tags, HF_STRING))
		return hf_str_find(tags->u.string, HF_STR("never"), 0) != SIZE_MAX;
	for (size_t i = 0; hf_is_sequence(tags) && i < hf_list_len(tags); i++)
		if (hf_is(hf_list_at(tags, i), HF_STRING) &&
			hf_str_is(hf_list_at(tags, i)->u.string, "never"))
			return true;
	return false;
}

static bool has_loop(const struct hf_value *ds)
{
	HF_DICT_EACH (ds, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (hf_is(key, HF_STRING) &&
			(hf_str_is(key->u.string, "loop") || hf_str_starts(key->u.string, "with_")))
			return true;
	}
	return false;
}

static bool may_not_run(const struct hf_value *ds)
{
	const struct hf_value *when = hf_dict_get(ds, "when");
	return (when != NULL && !hf_is(when, HF_NULL)) || has_loop(ds) ||
	       tagged_never(hf_dict_get(ds, "tags"));
}

static void task(struct linter *l, const struct hf_value *ds, bool handlers)
{
	struct hf_action action = { 0 };
	struct hf_error err;
	l->out->tasks++;
	int r = hf_action_parse(l->arena, ds, is_action, l->options->registry, &action, &err);
	if (r < 0 && action.name == NULL)
		r = hf_action_parse(l->arena, ds, NULL, NULL, &action, &err);
	if (r < 0 || action.name == NULL) {
		lint_report(l, "syntax", "task", hf_strdup(l->arena, err.text),
			err.pos.file == NULL ? hf_value_pos(ds) : err.pos);
		return;
	}
	stranger_keys(l, ds, &action, handlers);
	named_module(l, &action);
	lint_value(l, action.args);
	lead_task(l, action.name, action.args, handlers);
}

static void block(struct linter *l, const struct hf_value *ds)
{
	bool sure = l->sure;
	all_keywords(l, ds, HF_IN_BLOCK, "Block", false);
	lint_tasks(l, hf_dict_get(ds, "block"));
	lint_tasks(l, hf_dict_get(ds, "always"));
	l->sure = false;
	lint_tasks(l, hf_dict_get(ds, "rescue"));
	l->sure = sure;
}

void lint_tasks(struct linter *l, const struct hf_value *list)
{
	bool handlers = l->file->type == LINT_HANDLERS, sure = l->sure;
	if (list == NULL || hf_is(list, HF_NULL) || l->depth >= LINT_DEPTH_MAX)
		return;
	if (!hf_is(list, HF_LIST)) {
		lint_report(l, "syntax", "tasks", "a list of tasks is needed", hf_value_pos(list));
		return;
	}
	l->depth++;
	for (size_t i = 0; i < hf_list_len(list); i++) {
		const struct hf_value *ds = hf_list_at(list, i);
		l->pos = hf_value_pos(ds);
		l->sure = sure && !(hf_is(ds, HF_DICT) && may_not_run(ds));
		if (hf_is(ds, HF_DICT) && hf_dict_get(ds, "block") != NULL)
			block(l, ds);
		else if (hf_is(ds, HF_DICT))
			task(l, ds, handlers);
		else if (!hf_is(ds, HF_NULL))
			lint_report(l, "syntax", "task", "a task or block must be a dictionary", l->pos);
	}
	l->sure = sure;
	l->depth--;
}

/* --- roles and plays --- */

static void lead_part(struct linter *l, struct lint_role *role, const char *folder,
	const struct hf_value *from, enum lint_type type)
{
	const char *name = from != NULL && plain_text(l, from) ? from->u.string.p : "main";
	const char *dir = hf_path_join(l->arena, role->dir, folder);
	char *path = hf_load_find(l->arena, hf_path_join(l->arena, dir, name));
	if (path != NULL)
		lint_lead(l, path, type, role, l->sure);
	else if (type == LINT_VARS && hf_fs_is_dir(hf_path_join(l->arena, dir, name)))
		lint_lead_all(l, hf_path_join(l->arena, dir, name), type, role);
}

void lint_role_lead(struct linter *l, const char *name, const struct hf_value *args, struct hf_pos pos)
{
	struct lint_role *role = lint_role_find(l, name);
	if (role == NULL) {
		lint_report(l, "role", name, hf_sprintf(l->arena, "the role '%s' was not found", name), pos);
		return;
	}
	lead_part(l, role, "defaults", hf_dict_get(args, "defaults_from"), LINT_VARS);
	lead_part(l, role, "vars", hf_dict_get(args, "vars_from"), LINT_VARS);
	lead_part(l, role, "meta", NULL, LINT_META);
	lead_part(l, role, "tasks", hf_dict_get(args, "tasks_from"), LINT_TASKS);
	lead_part(l, role, "handlers", hf_dict_get(args, "handlers_from"), LINT_HANDLERS);
}

void lint_role_entry(struct linter *l, const struct hf_value *entry)
{
	const struct hf_value *name = hf_is(entry, HF_DICT) ? either(entry, "role", "name") : entry;
	bool sure = l->sure;
	if (hf_is(entry, HF_DICT)) {
		l->sure = sure && !may_not_run(entry);
		all_keywords(l, entry, HF_IN_ROLE, "RoleInclude", true);
	}
	if (name != NULL && plain_text(l, name)) {
		struct hf_value *none = hf_value_dict(l->arena);
		lint_role_lead(l, name->u.string.p, none, hf_value_pos(name));
	}
	l->sure = sure;
}

void lint_play(struct linter *l, const struct hf_value *play)
{
	static const char *const parts[] = { "pre_tasks", "tasks", "post_tasks" };
	l->collections = hf_dict_get(play, "collections");
	l->pos = hf_value_pos(play);
	all_keywords(l, play, HF_IN_PLAY, "Play", false);
	const struct hf_value *roles = hf_dict_get(play, "roles"), *files = hf_dict_get(play, "vars_files");
	for (size_t i = 0; hf_is(roles, HF_LIST) && i < hf_list_len(roles); i++)
		lint_role_entry(l, hf_list_at(roles, i));
	for (size_t i = 0; hf_is(files, HF_LIST) && i < hf_list_len(files); i++)
		if (plain_text(l, hf_list_at(files, i)))
			lead_named(l, hf_list_at(files, i), "vars", LINT_VARS, false);
	for (size_t i = 0; i < HF_COUNT(parts); i++)
		lint_tasks(l, hf_dict_get(play, parts[i]));
	l->file->type = LINT_HANDLERS;
	l->sure = false;
	lint_tasks(l, hf_dict_get(play, "handlers"));
	l->file->type = LINT_PLAYBOOK;
	l->sure = true;
}
