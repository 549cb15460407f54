#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/args.h"
#include "lib/engine/state.h"

enum { INCLUDE_DEPTH_MAX = 64 };

/* --- while the including task runs: what is asked for --- */

static char *find_tasks(struct hf_task *t, const char *name)
{
	const struct hf_node *n = t->node;
	struct hf_arena *a = t->run->arena;
	name = hf_path_expand_user(a, name, NULL);
	char *path = hf_path_join(a, n->dir, name);
	if (!hf_fs_exists(path) && n->role != NULL)
		path = hf_path_join(
			a, hf_path_join(a, n->role->dir, n->handler ? "handlers" : "tasks"), name);
	if (!hf_fs_exists(path) && n->role != NULL && n->handler)
		path = hf_path_join(a, hf_path_join(a, n->role->dir, "tasks"), name);
	if (!hf_fs_exists(path) && n->role != NULL)
		path = hf_path_join(a, n->role->dir, name);
	if (!hf_fs_exists(path))
		path = hf_path_join(a, hf_path_join(a, n->play->node.dir, "tasks"), name);
	if (!hf_fs_exists(path))
		path = hf_path_join(a, n->play->node.dir, name);
	return hf_fs_exists(path) ? hf_path_normalize(a, path) : NULL;
}

static int tasks_path(struct hf_task *t, struct hf_value *args, const char **ret, struct hf_error *err)
{
	struct hf_value *file = hf_dict_get(args, "_raw_params");
	if (file == NULL)
		file = hf_dict_get(args, "file");
	if (file == NULL || hf_is(file, HF_NULL))
		return hf_fail_at(err, HF_E_TASK, t->node->pos, "No file specified for include_tasks");
	const char *name = hf_value_text(t->arena, file).p;
	*ret = find_tasks(t, name);
	/* As Ansible: a file that is not there fails the host whatever ignore_errors says. */
	t->ignore_errors = t->ignore_errors && *ret != NULL;
	if (*ret == NULL)
		return hf_fail_at(err, HF_E_TASK, t->node->pos,
			"Could not find or access '%s' on the Ansible Controller.",
			hf_path_join(t->arena, t->node->dir, name));
	struct hf_value *doc = NULL;
	int r = hf_load_yaml(&t->run->loader, *ret, &doc, err);
	if (r == 0 && !hf_is(doc, HF_LIST) && !hf_is(doc, HF_NULL)) {
		t->ignore_errors = false;
		return hf_fail_at(err, HF_E_TASK, hf_value_pos(doc),
			"included task files must contain a list of tasks");
	}
	/* What is no YAML ends the run when the file is loaded. */
	return 0;
}

static int role_name(struct hf_task *t, struct hf_value *args, const char **ret, struct hf_error *err)
{
	struct hf_value *name = hf_dict_get(args, "name");
	if (name == NULL)
		name = hf_dict_get(args, "role");
	if (name == NULL || hf_is(name, HF_NULL))
		return hf_fail_at(
			err, HF_E_TASK, t->node->pos, "'name' is a required field for include_role.");
	*ret = hf_strdup(t->run->arena, hf_value_text(t->arena, name).p);
	const char *dir = NULL;
	int r = hf_load_find_role(&t->run->loader, t->node, *ret, &dir, err);
	t->ignore_errors = t->ignore_errors && r == 0;
	return r;
}

int hf_include_note(struct hf_task *t, struct hf_error *err)
{
	struct hf_run *run = t->run;
	struct hf_value *args = NULL, *apply = hf_dict_get(t->node->args, "apply");
	struct hf_value *plain = hf_value_shallow(t->arena, t->node->args);
	hf_dict_remove(plain, "apply");
	run->scope = &t->scope;
	int r = hf_templar_args(run->templar, t->arena, plain, NULL, &args, err);
	const char *name = NULL;
	if (r == 0)
		r = t->node->task == HF_TASK_INCLUDE_TASKS ? tasks_path(t, args, &name, err)
							   : role_name(t, args, &name, err);
	if (r < 0)
		return r;
	struct hf_include *in = hf_vec_push(run->arena, &run->includes);
	in->host = t->host;
	in->name = name;
	in->args = hf_value_copy(run->arena, args);
	if (apply != NULL)
		hf_dict_put(in->args, "apply", apply);
	in->locals = t->scope.locals == NULL ? NULL : hf_value_copy(run->arena, t->scope.locals);
	hf_dict_put(t->result, t->node->task == HF_TASK_INCLUDE_TASKS ? "include" : "include_role",
		hf_value_cstr(t->arena, name));
	return 0;
}

/* --- afterwards: load and run, hosts that ask for the same together --- */

static bool same(const struct hf_include *x, const struct hf_include *y)
{
	if (strcmp(x->name, y->name) != 0 || !hf_value_equal(x->args, y->args))
		return false;
	if (x->locals == NULL || y->locals == NULL)
		return x->locals == y->locals;
	return hf_value_equal(x->locals, y->locals);
}

static struct hf_node *copy_with_locals(
	struct hf_run *run, const struct hf_node *n, const struct hf_value *locals)
{
	struct hf_node *copy = hf_new(run->arena, struct hf_node);
	*copy = *n;
	if (locals == NULL)
		return copy;
	struct hf_value *vars = hf_value_shallow(run->arena, locals);
	if (n->kw[HF_KW_vars] != NULL) {
		HF_DICT_EACH (n->kw[HF_KW_vars], e)
			hf_dict_set(vars, hf_entry_key(e), hf_entry_value(e));
	}
	copy->kw[HF_KW_vars] = vars;
	return copy;
}

/* `apply:` is a block around what is included. */
static int apply_block(struct hf_run *run, struct hf_node *parent, const struct hf_value *args,
	struct hf_node **ret, struct hf_error *err)
{
	const struct hf_value *apply = hf_dict_get(args, "apply");
	struct hf_node *block = hf_load_node(&run->loader, HF_NODE_BLOCK, parent, parent->pos);
	block->implicit = true;
	*ret = block;
	if (apply == NULL || hf_is(apply, HF_NULL))
		return 0;
	if (!hf_is(apply, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(apply),
			"Expected a dict for apply but got %s instead", hf_type_name(apply));
	return hf_load_keywords(&run->loader, block, apply, HF_IN_BLOCK, "Block", NULL, err);
}

static int load_role(struct hf_run *run, struct hf_node *block, struct hf_node *asking,
	const struct hf_include *in, struct hf_error *err)
{
	struct hf_role_files files = { hf_dict_cstr(in->args, "tasks_from", NULL),
		hf_dict_cstr(in->args, "vars_from", NULL), hf_dict_cstr(in->args, "defaults_from", NULL),
		hf_dict_cstr(in->args, "handlers_from", NULL) };
	struct hf_node *entry = hf_load_node(&run->loader, HF_NODE_ROLE, block, block->pos);
	*hf_vec_push(run->arena, &block->body) = entry;
	int r = hf_load_role(
		&run->loader, entry, in->name, asking->role, &files, NULL, &run->play->handlers, err);
	if (r < 0)
		return r;
	entry->role->from_include = true;
	entry->role->keyword_vars = asking->kw[HF_KW_vars];
	entry->role->allow_duplicates = hf_dict_bool(in->args, "allow_duplicates", true);
	const struct hf_value *is_public = hf_dict_get(in->args, "public");
	entry->role->is_public =
		is_public != NULL && hf_text_bool(hf_value_text(run->arena, is_public)) == HF_YES;
	*hf_vec_push(run->arena, &run->play->more_roles) = entry->role->name;
	if (entry->role->is_public)
		*hf_vec_push(run->arena, &run->play->all_roles) = entry->role;
	return 0;
}

static int run_one(struct hf_run *run, const struct hf_node *n, const struct hf_include *in,
	const struct hf_hosts *hosts, struct hf_error *err)
{
	struct hf_node *asking = copy_with_locals(run, n, in->locals), *block = NULL;
	int r = apply_block(run, asking, in->args, &block, err);
	if (r < 0)
		return r;
	if (n->task == HF_TASK_INCLUDE_TASKS)
		r = hf_load_task_file(&run->loader, block, in->name, n->handler, &block->body, err);
	else
		r = load_role(run, block, asking, in, err);
	if (r < 0)
		return r;
	struct hf_nodes nodes = { &block, 1, 1 };
	run->task_count += hf_count_tasks(run, &nodes);
	return hf_exec_play_nodes(run, &nodes, hosts, err);
}

int hf_include_run(struct hf_run *run, const struct hf_node *n, struct hf_error *err)
{
	struct hf_include *list = run->includes.at;
	size_t count = run->includes.n;
	memset(&run->includes, 0, sizeof(run->includes));
	if (count > 0 && ++run->include_depth > INCLUDE_DEPTH_MAX)
		return hf_fail_at(
			err, HF_E_LIMIT, n->pos, "includes are nested more than %d deep", INCLUDE_DEPTH_MAX);
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (list[i].done)
			continue;
		struct hf_hosts hosts = { 0 };
		for (size_t j = i; j < count; j++) {
			if (list[j].done || !same(&list[i], &list[j]))
				continue;
			/* A host that asks twice for the same runs it twice. */
			bool twice = false;
			for (size_t k = 0; k < hosts.n; k++)
				twice = twice || hosts.at[k] == list[j].host;
			if (twice)
				continue;
			list[j].done = true;
			*hf_vec_push(run->arena, &hosts) = list[j].host;
		}
		r = run_one(run, n, &list[i], &hosts, err);
	}
	if (count > 0)
		run->include_depth--;
	return r;
}
