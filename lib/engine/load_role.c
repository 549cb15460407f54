#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/playbook.h"

enum { ROLE_DEPTH_MAX = 64, IDENTITY_MAX = 1 << 20 };

/* --- where roles are --- */

static const char *try_dir(struct hf_arena *a, const char *dir, const char *name)
{
	char *path = hf_path_join(a, dir, name);
	return hf_fs_is_dir(path) ? hf_path_normalize(a, path) : NULL;
}

/* ns.name.last as a file or folder of the collections; ns.name.sub.last lies in the folder sub. */
static const char *in_collections_at(
	struct hf_loader *l, const char *name, const char *folder, const char *suffix, bool is_dir)
{
	const char *dot = strchr(name, '.'), *second = dot == NULL ? NULL : strchr(dot + 1, '.');
	if (second == NULL || strchr(name, '/') != NULL)
		return NULL;
	char *last_part = hf_strdup(l->arena, second + 1);
	for (char *c = last_part; *c != '\0'; c++)
		*c = *c == '.' ? '/' : *c;
	char *relative = hf_sprintf(l->arena, "ansible_collections/%.*s/%.*s/%s/%s%s", (int)(dot - name),
		name, (int)(second - dot - 1), dot + 1, folder, last_part, suffix);
	const char *near = hf_path_join(l->arena, l->base, "collections");
	for (size_t i = 0;; i++) {
		bool last = l->collections_path == NULL || l->collections_path[i] == NULL;
		char *path = hf_path_join(l->arena, last ? near : l->collections_path[i], relative);
		if (is_dir ? hf_fs_is_dir(path) : hf_fs_exists(path))
			return hf_path_normalize(l->arena, path);
		if (last)
			return NULL;
	}
}

static const char *in_collections(struct hf_loader *l, const char *name)
{
	return in_collections_at(l, name, "roles", "", true);
}

const char *hf_load_find_playbook(struct hf_loader *l, const char *name)
{
	static const char *const suffixes[] = { ".yml", ".yaml" };
	const char *found = NULL;
	for (size_t i = 0; found == NULL && i < HF_COUNT(suffixes); i++)
		found = in_collections_at(l, name, "playbooks", suffixes[i], false);
	return found;
}

const char *hf_load_collection_of(struct hf_arena *a, const char *dir)
{
	static const char root[] = "/ansible_collections/";
	const char *found = dir == NULL ? NULL : strstr(dir, root);
	if (found == NULL)
		return NULL;
	struct hf_str rest = hf_str(found + sizeof(root) - 1), space, name;
	if (!hf_str_split(&rest, '/', &space) || !hf_str_split(&rest, '/', &name))
		return NULL;
	return hf_sprintf(a, "%.*s.%.*s", HF_STR_ARG(space), HF_STR_ARG(name));
}

/* Where the role or playbook that asks comes from a collection, that one is asked first. */
static const char *in_own_collection(struct hf_loader *l, const struct hf_node *at, const char *name)
{
	const char *dir = at->role != NULL ? at->role->dir : at->dir;
	const char *own = hf_load_collection_of(l->arena, dir);
	return own == NULL || strchr(name, '.') != NULL
		       ? NULL
		       : in_collections(l, hf_sprintf(l->arena, "%s.%s", own, name));
}

static const char *search_role(struct hf_loader *l, const struct hf_node *at, const char *name)
{
	const char *dir = at->play != NULL && at->play->node.dir != NULL ? at->play->node.dir : l->base;
	const char *found = try_dir(l->arena, hf_path_join(l->arena, dir, "roles"), name);
	for (size_t i = 0; found == NULL && l->roles_path != NULL && l->roles_path[i] != NULL; i++)
		found = try_dir(l->arena, l->roles_path[i], name);
	if (found == NULL && at->role != NULL)
		found = try_dir(l->arena, hf_path_dir(l->arena, at->role->dir), name);
	if (found == NULL)
		found = try_dir(l->arena, dir, name);
	if (found == NULL && name[0] == '~')
		found = try_dir(l->arena, dir, hf_path_expand_user(l->arena, name, NULL));
	return found;
}

int hf_load_find_role(struct hf_loader *l, const struct hf_node *at, const char *name, const char **ret_dir,
	struct hf_error *err)
{
	const char *found = in_collections(l, name);
	if (found == NULL)
		found = in_own_collection(l, at, name);
	const struct hf_value *collections =
		at->role != NULL ? at->role->collections : hf_node_keyword(at, HF_KW_collections);
	bool plain = strchr(name, '.') == NULL && hf_is(collections, HF_LIST);
	for (size_t i = 0; plain && found == NULL && i < hf_list_len(collections); i++)
		found = in_collections(
			l, hf_sprintf(l->arena, "%s.%s",
				   hf_value_text(l->arena, hf_list_at(collections, i)).p, name));
	if (found == NULL)
		found = search_role(l, at, name);
	if (found == NULL)
		return hf_fail_at(err, HF_E_ARGUMENT, at->pos,
			"the role '%s' was not found in %s/roles, the roles path or %s", name, l->base,
			l->base);
	*ret_dir = found;
	return 0;
}

/* --- files of a role --- */

static int role_vars(struct hf_loader *l, const struct hf_role *role, const char *folder, const char *from,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = hf_load_vars(
		l, hf_path_join(l->arena, role->dir, folder), from != NULL ? from : "main", &v, err);
	if (r == 0 && v == NULL && from != NULL)
		r = hf_fail(err, HF_E_PARSE, "Could not find specified file in role: %s/%s", folder, from);
	if (r == 0)
		*ret = v != NULL ? v : hf_value_dict(l->arena);
	return r;
}

static int role_tasks(struct hf_loader *l, struct hf_node *block, const char *folder, const char *from,
	bool handlers, struct hf_nodes *ret, struct hf_error *err)
{
	char *dir = hf_path_join(l->arena, block->role->dir, folder);
	char *path = hf_load_find(l->arena, hf_path_join(l->arena, dir, from != NULL ? from : "main"));
	if (path == NULL && from != NULL)
		return hf_fail_at(err, HF_E_PARSE, block->pos, "Could not find specified file in role: %s/%s",
			folder, from);
	block->dir = dir;
	return path == NULL ? 0 : hf_load_task_file(l, block, path, handlers, ret, err);
}

static int load_meta(struct hf_loader *l, struct hf_role *role, struct hf_value **ret, struct hf_error *err)
{
	char *path = hf_load_find(l->arena, hf_sprintf(l->arena, "%s/meta/main", role->dir));
	struct hf_value *meta = NULL;
	int r = path == NULL ? 0 : hf_load_yaml(l, path, &meta, err);
	if (r < 0)
		return r;
	if (meta == NULL || hf_is(meta, HF_NULL))
		meta = hf_value_dict(l->arena);
	if (!hf_is(meta, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(meta),
			"the 'meta/main.yml' for role %s is not a dictionary", role->name);
	role->allow_duplicates = hf_dict_bool(meta, "allow_duplicates", false);
	role->collections = hf_dict_get(meta, "collections");
	*ret = meta;
	return 0;
}

/* --- argument specs --- */

static int find_spec(struct hf_loader *l, const struct hf_role *role, const struct hf_value *meta,
	const char *entry, struct hf_value **ret, struct hf_error *err)
{
	char *path = hf_load_find(l->arena, hf_sprintf(l->arena, "%s/meta/argument_specs", role->dir));
	struct hf_value *file = NULL;
	int r = path == NULL ? 0 : hf_load_yaml(l, path, &file, err);
	if (r < 0)
		return r;
	const struct hf_value *specs = hf_dict_get(hf_is(file, HF_DICT) ? file : meta, "argument_specs");
	*ret = hf_is(specs, HF_DICT) ? hf_dict_get(specs, entry) : NULL;
	return 0;
}

static int add_validation(struct hf_loader *l, struct hf_node *block, const struct hf_value *meta,
	const char *from, struct hf_error *err)
{
	struct hf_arena *a = l->arena;
	const struct hf_role *role = block->role;
	const char *entry = from == NULL ? "main" : from;
	const char *dot = strrchr(entry, '.');
	if (dot != NULL)
		entry = hf_strndup(a, entry, (size_t)(dot - entry));
	struct hf_value *spec = NULL;
	int r = find_spec(l, role, meta, entry, &spec, err);
	if (r < 0 || !hf_is(spec, HF_DICT))
		return r;
	struct hf_node *n = hf_load_node(l, HF_NODE_TASK, block, hf_value_pos(spec));
	const char *what = hf_dict_cstr(spec, "short_description", NULL);
	n->kw[HF_KW_name] =
		hf_value_cstr(a, hf_sprintf(a, "Validating arguments against arg spec '%s'%s%s", entry,
					 what == NULL ? "" : " - ", what == NULL ? "" : what));
	n->kw[HF_KW_tags] = hf_value_list(a);
	hf_list_append(n->kw[HF_KW_tags], hf_value_cstr(a, "always"));
	n->action = "ansible.builtin.validate_argument_spec";
	n->module = hf_module_find(l->registry, n->action);
	n->args = hf_value_dict(a);
	struct hf_value *options = hf_dict_get(spec, "options"), *context = hf_value_dict(a);
	hf_dict_put(n->args, "argument_spec", hf_is(options, HF_DICT) ? options : hf_value_dict(a));
	hf_dict_put(n->args, "provided_arguments", role->params == NULL ? hf_value_dict(a) : role->params);
	hf_dict_put(context, "type", hf_value_cstr(a, "role"));
	hf_dict_put(context, "name", hf_value_cstr(a, role->name));
	hf_dict_put(context, "argument_spec_name", hf_value_cstr(a, entry));
	hf_dict_put(context, "path", hf_value_cstr(a, role->dir));
	hf_dict_put(n->args, "validate_args_context", context);
	*hf_vec_push(a, &block->body) = n;
	return 0;
}

/* --- loading --- */

static const char *identity(struct hf_loader *l, const struct hf_role *role, const struct hf_node *entry,
	const struct hf_role_files *files)
{
	hf_auto_buf out = hf_buf_init(IDENTITY_MAX);
	struct hf_error ignored;
	hf_buf_printf(&out, "%s|%s|%s|", role->name, role->dir,
		files != NULL && files->tasks != NULL ? files->tasks : "main");
	const enum hf_keyword keys[] = { HF_KW_when, HF_KW_vars, HF_KW_become, HF_KW_become_user,
		HF_KW_environment, HF_KW_delegate_to };
	for (size_t i = 0; i < HF_COUNT(keys); i++) {
		if (entry->kw[keys[i]] != NULL &&
			hf_json_write(&out, entry->kw[keys[i]], &HF_JSON_COMPACT, &ignored) < 0)
			hf_buf_printf(&out, "%u", entry->id);
		hf_buf_put(&out, '|');
	}
	if (role->params != NULL && hf_json_write(&out, role->params, &HF_JSON_COMPACT, &ignored) < 0)
		hf_buf_printf(&out, "%u", entry->id);
	return hf_buf_dup(l->arena, &out).p;
}

static int check_cycle(const struct hf_role *parent, const char *dir, const char *name, struct hf_pos pos,
	struct hf_error *err)
{
	unsigned depth = 0;
	for (const struct hf_role *r = parent; r != NULL; r = r->parent) {
		if (++depth > ROLE_DEPTH_MAX)
			return hf_fail_at(err, HF_E_LIMIT, pos,
				"A recursion loop was detected with the roles specified: '%s' is needed by "
				"itself or more than %d "
				"deep",
				name, ROLE_DEPTH_MAX);
		if (!r->from_include && parent != r && strcmp(r->dir, dir) == 0)
			return hf_fail_at(err, HF_E_ARGUMENT, pos,
				"A recursion loop was detected with the roles specified: '%s' depends on "
				"itself",
				name);
	}
	return 0;
}

static int load_dependencies(struct hf_loader *l, struct hf_role *role, const struct hf_value *meta,
	struct hf_nodes *ret_handlers, struct hf_error *err)
{
	const struct hf_value *list = hf_dict_get(meta, "dependencies");
	if (list == NULL || hf_is(list, HF_NULL))
		return 0;
	if (!hf_is(list, HF_LIST))
		return hf_fail_at(
			err, HF_E_PARSE, hf_value_pos(list), "Expected role dependencies to be a list.");
	if (++l->depth > HF_LOAD_DEPTH_MAX)
		return hf_fail_at(err, HF_E_LIMIT, hf_value_pos(list),
			"A recursion loop was detected with the roles specified");
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++) {
		r = hf_load_role_entry(
			l, role->node, role, hf_list_at(list, i), &role->node->body, ret_handlers, err);
		if (r == 0)
			*hf_vec_push(l->arena, &role->deps) =
				role->node->body.at[role->node->body.n - 1]->role;
	}
	l->depth--;
	return r;
}

int hf_load_role(struct hf_loader *l, struct hf_node *entry, const char *name, struct hf_role *parent,
	const struct hf_role_files *files, struct hf_value *params, struct hf_nodes *ret_handlers,
	struct hf_error *err)
{
	const char *dir = NULL;
	int r = hf_load_find_role(l, entry, name, &dir, err);
	if (r == 0)
		r = check_cycle(parent, dir, name, entry->pos, err);
	if (r < 0)
		return r;
	static const struct hf_role_files main_files;
	const struct hf_role_files *from = files == NULL ? &main_files : files;
	struct hf_role *role = hf_new(l->arena, struct hf_role);
	role->short_name = role->name = name[0] == '~' ? hf_path_base(dir) : name;
	role->dir = dir;
	role->collection = hf_load_collection_of(l->arena, dir);
	if (role->collection != NULL) {
		role->short_name = hf_path_base(dir);
		role->name = hf_sprintf(l->arena, "%s.%s", role->collection, role->short_name);
	}
	role->parent = parent;
	role->params = params;
	role->keyword_vars = entry->kw[HF_KW_vars];
	role->node = entry;
	role->is_public = true;
	entry->role = role;
	struct hf_value *meta = NULL;
	r = role_vars(l, role, "defaults", from->defaults, &role->defaults, err);
	if (r == 0)
		r = role_vars(l, role, "vars", from->vars, &role->vars, err);
	if (r == 0)
		r = load_meta(l, role, &meta, err);
	if (r == 0)
		r = load_dependencies(l, role, meta, ret_handlers, err);
	if (r < 0)
		return r;
	role->identity = identity(l, role, entry, from);
	struct hf_node *block = *hf_vec_push(l->arena, &entry->body) =
		hf_load_node(l, HF_NODE_BLOCK, entry, entry->pos);
	block->implicit = block->role_end = true;
	r = add_validation(l, block, meta, from->tasks, err);
	if (r == 0)
		r = role_tasks(l, block, "tasks", from->tasks, false, &block->body, err);
	struct hf_node *handlers = hf_load_node(l, HF_NODE_BLOCK, entry, entry->pos);
	handlers->implicit = handlers->handler = true;
	return r == 0 ? role_tasks(l, handlers, "handlers", from->handlers, true, ret_handlers, err) : r;
}

int hf_load_role_entry(struct hf_loader *l, struct hf_node *parent, struct hf_role *parent_role,
	const struct hf_value *entry, struct hf_nodes *ret, struct hf_nodes *ret_handlers,
	struct hf_error *err)
{
	struct hf_node *n = hf_load_node(l, HF_NODE_ROLE, parent, hf_value_pos(entry));
	struct hf_value *name = (struct hf_value *)(uintptr_t)entry, *params = NULL;
	int r = 0;
	if (hf_is(entry, HF_DICT)) {
		params = hf_value_dict(l->arena);
		r = hf_load_keywords(l, n, entry, HF_IN_ROLE, "RoleInclude", params, err);
		name = n->kw[HF_KW_role] != NULL ? n->kw[HF_KW_role] : n->kw[HF_KW_name];
		/* Keys for ansible-galaxy, no parameters of the role. */
		hf_dict_remove(params, "src");
		hf_dict_remove(params, "version");
		hf_dict_remove(params, "scm");
		n->kw[HF_KW_name] = n->kw[HF_KW_role] = NULL;
	}
	if (r < 0)
		return r;
	if (name == NULL || !(hf_is(name, HF_STRING) || hf_is(name, HF_INT)))
		return hf_fail_at(
			err, HF_E_ARGUMENT, hf_value_pos(entry), "role definitions must contain a role name");
	struct hf_str text;
	r = hf_load_text(l, n, name, &text, err);
	if (r == 0)
		r = hf_load_role(
			l, n, hf_str_dup(l->arena, text), parent_role, NULL, params, ret_handlers, err);
	if (r < 0)
		return r;
	*hf_vec_push(l->arena, ret) = n;
	*hf_vec_push(l->arena, &n->play->all_roles) = n->role;
	return 0;
}
