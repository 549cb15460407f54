/* Which files a repository has, and what each is, told by where it lies and how it looks. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/lint_internal.h"

enum { PARTS_MAX = 64 };

static const struct {
	const char *folder;
	enum lint_type type;
} folders[] = {
	{ "tasks", LINT_TASKS },
	{ "handlers", LINT_HANDLERS },
	{ "vars", LINT_VARS },
	{ "defaults", LINT_VARS },
	{ "group_vars", LINT_VARS },
	{ "host_vars", LINT_VARS },
	{ "meta", LINT_META },
	{ "templates", LINT_TEMPLATE },
	{ "files", LINT_SKIP },
	{ "library", LINT_PLUGIN },
	{ "module_utils", LINT_SKIP },
	{ "action_plugins", LINT_PLUGIN },
	{ "filter_plugins", LINT_PLUGIN },
	{ "test_plugins", LINT_PLUGIN },
	{ "lookup_plugins", LINT_PLUGIN },
	{ "callback_plugins", LINT_PLUGIN },
	{ "connection_plugins", LINT_PLUGIN },
	{ "strategy_plugins", LINT_PLUGIN },
	{ "vars_plugins", LINT_PLUGIN },
	{ "inventory_plugins", LINT_PLUGIN },
	{ "plugins", LINT_PLUGIN },
};

static bool left_out(const char *part)
{
	static const char *const names[] = { ".git", ".github", ".gitlab", ".tox", ".venv", "venv",
		"node_modules", "molecule", "tests", "docs", "examples", NULL };
	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], part) == 0)
			return true;
	return false;
}

/* A folder with something a role has. */
static bool is_role(struct linter *l, const char *dir)
{
	static const char *const marks[] = { "tasks", "meta/main", "defaults/main", "handlers/main",
		"vars/main" };
	if (strcmp(hf_path_base(hf_path_dir(l->arena, dir)), "roles") == 0)
		return true;
	if (hf_load_find(l->arena, hf_path_join(l->arena, dir, "tasks/main")) != NULL)
		return true;
	for (size_t i = 1; i < HF_COUNT(marks); i++)
		if (hf_load_find(l->arena, hf_path_join(l->arena, dir, marks[i])) != NULL &&
			hf_fs_is_dir(hf_path_join(l->arena, dir, marks[0])))
			return true;
	return false;
}

static bool is_yaml(const char *path)
{
	struct hf_str s = hf_str(path);
	return hf_str_ends(s, ".yml") || hf_str_ends(s, ".yaml");
}

static bool is_python(const char *path)
{
	return hf_str_ends(hf_str(path), ".py") && strcmp(hf_path_base(path), "__init__.py") != 0;
}

/* A file outside the folders that say what they hold. */
static enum lint_type by_content(struct linter *l, const char *path)
{
	struct hf_value *v = NULL;
	struct hf_error err;
	if (!is_yaml(path) || hf_load_yaml(&l->loader, path, &v, &err) < 0 || !hf_is(v, HF_LIST))
		return LINT_SKIP;
	for (size_t i = 0; i < hf_list_len(v); i++) {
		const struct hf_value *one = hf_list_at(v, i);
		if (!hf_is(one, HF_DICT))
			return LINT_SKIP;
		if (hf_dict_get(one, "hosts") != NULL || hf_dict_get(one, "import_playbook") != NULL ||
			hf_dict_get(one, "ansible.builtin.import_playbook") != NULL)
			return LINT_PLAYBOOK;
	}
	return LINT_SKIP;
}

static enum lint_type check_type(enum lint_type type, const char *path)
{
	bool wanted = type == LINT_PLUGIN     ? is_python(path)
		      : type == LINT_TEMPLATE ? hf_path_base(path)[0] != '.'
		      : type == LINT_META     ? strncmp(hf_path_base(path), "main.", 5) == 0 && is_yaml(path)
		      : type == LINT_SKIP     ? false
					      : is_yaml(path);
	return wanted ? type : LINT_SKIP;
}

enum lint_type lint_classify(struct linter *l, const char *path, struct lint_role **ret_role)
{
	const char *dir = hf_path_dir(l->arena, path);
	*ret_role = NULL;
	/* Nearest folder last: roles/x/tasks/vars/main.yml stands under tasks. */
	enum lint_type type = LINT_TYPES_NONE;
	const char *owner = NULL;
	for (unsigned n = 0;
		n < PARTS_MAX && dir[0] != '\0' && strcmp(dir, "/") != 0 && strcmp(dir, ".") != 0; n++) {
		const char *part = hf_path_base(dir);
		dir = hf_path_dir(l->arena, dir);
		for (size_t i = 0; i < HF_COUNT(folders); i++) {
			if (strcmp(folders[i].folder, part) != 0)
				continue;
			if (type == LINT_TYPES_NONE || is_role(l, dir)) {
				type = folders[i].type;
				owner = dir;
			}
		}
		if (owner != NULL && is_role(l, owner)) {
			*ret_role = lint_role_at(l, owner);
			break;
		}
	}
	return type == LINT_TYPES_NONE ? by_content(l, path) : check_type(type, path);
}

struct walk {
	struct linter *linter;
	const char *root;
	size_t files;
};

static bool skipped(const struct walk *w, const char *relative)
{
	if (w->linter->options->all)
		return false;
	struct hf_str rest = hf_str(relative), part;
	while (hf_str_split(&rest, '/', &part))
		if (left_out(hf_str_dup(w->linter->arena, part)))
			return true;
	return false;
}

static int visit(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct walk *w = data;
	struct linter *l = w->linter;
	if (S_ISDIR(st->st_mode) && strcmp(hf_path_base(hf_path_dir(l->arena, path)), "roles") == 0 &&
		!skipped(w, relative))
		hf_map_set(
			&l->role_names, hf_strdup(l->arena, hf_path_base(path)), hf_strdup(l->arena, path));
	if (!S_ISREG(st->st_mode) || skipped(w, relative))
		return 0;
	if (++w->files > LINT_FILES_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: more than %d files", w->root, LINT_FILES_MAX);
	struct lint_role *role = NULL;
	const char *own = hf_strdup(l->arena, path);
	enum lint_type type = lint_classify(l, own, &role);
	if (type != LINT_SKIP)
		lint_lead(l, own, type, role, true);
	return 0;
}

int lint_walk(struct linter *l, const char *root, struct hf_error *err)
{
	struct walk w = { l, root, 0 };
	return hf_fs_walk(root, visit, &w, err);
}

struct gather {
	struct linter *linter;
	enum lint_type type;
	struct lint_role *role;
};

static int gather_one(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	const struct gather *g = data;
	(void)relative;
	(void)err;
	if (S_ISREG(st->st_mode) && check_type(g->type, path) != LINT_SKIP)
		lint_lead(g->linter, hf_strdup(g->linter->arena, path), g->type, g->role, g->linter->sure);
	return 0;
}

void lint_lead_all(struct linter *l, const char *dir, enum lint_type type, struct lint_role *role)
{
	struct gather g = { l, type, role };
	struct hf_error err;
	if (hf_fs_is_dir(dir) && hf_fs_walk(dir, gather_one, &g, &err) < 0)
		lint_note(l, "file", dir, hf_strdup(l->arena, err.text), l->pos);
}
