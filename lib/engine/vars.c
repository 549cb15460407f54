#include <string.h>

#include "lib/base/fs.h"
#include "lib/engine/state.h"

/* --- layers of a scope, highest first; the order is Ansible's table of precedence --- */

static void push(struct hf_scope *s, const struct hf_value *dict)
{
	if (dict == NULL || !hf_is(dict, HF_DICT) || hf_dict_len(dict) == 0 ||
		s->n_layers == HF_SCOPE_LAYERS_MAX)
		return;
	s->layers = hf_vec_grow(s->arena, s->layers, &s->n_layers, &s->room, sizeof(*s->layers));
	s->layers[s->n_layers - 1] = dict;
}

static void push_include_params(struct hf_scope *s)
{
	for (const struct hf_node *n = s->node; n != NULL; n = n->parent) {
		if (n->kind == HF_NODE_TASK && n->dynamic && n != s->node)
			push(s, n->kw[HF_KW_vars]);
	}
}

static void push_role_params(struct hf_scope *s)
{
	for (const struct hf_role *r = s->node == NULL ? NULL : s->node->role; r != NULL; r = r->parent)
		push(s, r->params);
}

static void push_task_vars(struct hf_scope *s)
{
	for (const struct hf_node *n = s->node; n != NULL; n = n->parent) {
		if (n->kind == HF_NODE_TASK || n->kind == HF_NODE_BLOCK)
			push(s, n->kw[HF_KW_vars]);
	}
}

/* What a role gives those beside it: its vars/main and those of its dependencies. */
static void push_exports(struct hf_scope *s, const struct hf_role *role, unsigned depth)
{
	push(s, role->vars);
	for (size_t i = role->deps.n; depth < HF_LOAD_DEPTH_MAX && i > 0; i--)
		push_exports(s, role->deps.at[i - 1], depth + 1);
}

static void push_role_vars(struct hf_scope *s)
{
	const struct hf_role *role = s->node == NULL ? NULL : s->node->role;
	if (role == NULL)
		return;
	push(s, role->keyword_vars);
	push_exports(s, role, 0);
	for (const struct hf_role *r = role->parent; r != NULL; r = r->parent) {
		push(s, r->vars);
		push(s, r->keyword_vars);
	}
}

static void push_defaults(struct hf_scope *s, const struct hf_role *role, unsigned depth)
{
	push(s, role->defaults);
	for (size_t i = role->deps.n; depth < HF_LOAD_DEPTH_MAX && i > 0; i--)
		push_defaults(s, role->deps.at[i - 1], depth + 1);
}

static void push_own_defaults(struct hf_scope *s)
{
	const struct hf_role *role = s->node == NULL ? NULL : s->node->role;
	if (role == NULL)
		return;
	push(s, role->defaults);
	for (const struct hf_role *r = role->parent; r != NULL; r = r->parent)
		push(s, r->defaults);
	for (size_t i = role->deps.n; i > 0; i--)
		push_defaults(s, role->deps.at[i - 1], 0);
}

static bool exports(const struct hf_role *r)
{
	return r->is_public && r->parent == NULL;
}

void hf_scope_init(struct hf_scope *s, struct hf_run *run, struct hf_arena *a, struct hf_play *play,
	struct hf_host *host, const struct hf_node *node)
{
	s->run = run;
	s->host = host;
	s->play = play;
	s->node = node;
	s->delegate = NULL;
	s->connection = NULL;
	s->locals = NULL;
	s->arena = a;
	s->layers = NULL;
	s->n_layers = s->room = 0;
	s->used = NULL;
	struct hf_host_vars *v = host == NULL ? NULL : host->run;
	push_include_params(s);
	push_role_params(s);
	if (v != NULL) {
		push(s, v->set);
		push(s, v->included);
	}
	push_task_vars(s);
	push_role_vars(s);
	for (size_t i = play == NULL ? 0 : play->all_roles.n; i > 0; i--) {
		if (exports(play->all_roles.at[i - 1]))
			push_exports(s, play->all_roles.at[i - 1], 0);
	}
	if (v != NULL)
		push(s, v->files);
	if (play != NULL) {
		push(s, play->import_vars);
		push(s, play->vars);
	}
	if (v != NULL) {
		push(s, run->facts_apart ? NULL : v->fact_vars);
		push(s, v->inventory);
	}
	push_own_defaults(s);
	for (size_t i = play == NULL ? 0 : play->all_roles.n; i > 0; i--) {
		if (exports(play->all_roles.at[i - 1]))
			push_defaults(s, play->all_roles.at[i - 1], 0);
	}
}

int hf_scope_lookup(struct hf_scope *s, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	const struct hf_value key = { .type = HF_STRING, .u.string = name };
	*ret = s->locals == NULL ? NULL : hf_dict_find(s->locals, &key);
	if (*ret != NULL)
		return 0;
	int r = hf_magic_lookup(s, name, ret, err);
	if (r < 0 || *ret != NULL)
		return r;
	*ret = hf_dict_find(s->run->extra, &key);
	for (size_t i = 0; *ret == NULL && i < s->n_layers; i++)
		*ret = hf_dict_find(s->layers[i], &key);
	if (*ret == NULL)
		*ret = hf_connection_lookup(s, name);
	return 0;
}

static void add_names(struct hf_arena *a, struct hf_value *set, const struct hf_value *dict)
{
	if (dict == NULL)
		return;
	HF_DICT_EACH (dict, e) {
		if (hf_is(hf_entry_key(e), HF_STRING))
			hf_dict_set(set, hf_entry_key(e), hf_value_null(a));
	}
}

int hf_scope_names(
	struct hf_scope *s, struct hf_arena *a, struct hf_value **ret, struct hf_error *err HF_UNUSED)
{
	struct hf_value *set = hf_value_dict(a), *list = hf_value_list(a);
	hf_connection_names(s, a, set);
	for (size_t i = s->n_layers; i > 0; i--)
		add_names(a, set, s->layers[i - 1]);
	add_names(a, set, s->run->extra);
	const struct hf_value *magic = hf_magic_names(a);
	for (size_t i = 0; i < hf_list_len(magic); i++)
		hf_dict_set(set, hf_list_at(magic, i), hf_value_null(a));
	add_names(a, set, s->locals);
	HF_DICT_EACH (set, e)
		hf_list_append(list, hf_entry_key(e));
	*ret = list;
	return 0;
}

/* --- what the templar asks --- */

/* Which variables a resource came from, and where each was given: for those who explain it. */
static void use_note(struct hf_scope *s, struct hf_str name, const struct hf_value *v)
{
	enum { USED_MAX = 64 };
	const struct hf_value key = { .type = HF_STRING, .u.string = name };
	struct hf_arena *a = s->arena;
	if (!s->run->options->watches || v == NULL || s->node == NULL)
		return;
	if (s->used == NULL)
		s->used = hf_value_dict(a);
	if (hf_dict_len(s->used) == USED_MAX || hf_dict_find(s->used, &key) != NULL)
		return;
	struct hf_value *from = v->file == NULL ? hf_value_null(a)
						: hf_value_cstr(a, hf_sprintf(a, "%s:%u", v->file, v->line));
	hf_dict_set(s->used, hf_value_str(a, name), from);
}

static int source_variable(void *data, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_run *run = data;
	*ret = NULL;
	if (run->scope == NULL)
		return 0;
	int result = hf_scope_lookup(run->scope, name, ret, err);
	if (result == 0)
		use_note(run->scope, name, *ret);
	return result;
}

static int source_names(void *data, struct hf_arena *a, struct hf_value **ret, struct hf_error *err)
{
	struct hf_run *run = data;
	*ret = hf_value_list(a);
	return run->scope == NULL ? 0 : hf_scope_names(run->scope, a, ret, err);
}

static int source_find(
	void *data, struct hf_arena *a, const char *kind, const char *name, char **ret, struct hf_error *err)
{
	struct hf_run *run = data;
	return hf_search_file(run, run->scope == NULL ? NULL : run->scope->node, a, kind, name, ret, err);
}

/* Names of hosts a pattern means; the rest is the program's. */
static int source_lookup(void *data, struct hf_arena *a, const char *name, const struct hf_value *terms,
	const struct hf_value *options, struct hf_value **ret, struct hf_error *err)
{
	struct hf_run *run = data;
	*ret = NULL;
	if (strcmp(name, "inventory_hostnames") != 0) {
		const struct hf_module_registry *registry = run->options->registry;
		return registry == NULL || registry->lookup == NULL
			       ? 0
			       : registry->lookup(a, name, terms, options, ret, err);
	}
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; i < (hf_is_sequence(terms) ? hf_list_len(terms) : 1); i++) {
		const struct hf_value *term = hf_is_sequence(terms) ? hf_list_at(terms, i) : terms;
		struct hf_hosts hosts = { 0 };
		int r = hf_inventory_match(run->inventory, hf_value_text(a, term).p, &hosts, NULL, err);
		if (r < 0)
			return r;
		for (size_t h = 0; h < hosts.n; h++)
			hf_list_append(list, hf_value_cstr(a, hosts.at[h]->name));
	}
	*ret = list;
	return 0;
}

static void source_warning(void *data, const char *text)
{
	hf_event_warning(data, text);
}

struct hf_templar_source hf_vars_source(struct hf_run *run)
{
	return (struct hf_templar_source){
		.data = run,
		.variable = source_variable,
		.names = source_names,
		.find_file = source_find,
		.lookup = source_lookup,
		.warning = source_warning,
		.secret = hf_secret_add,
	};
}

/* --- what is known of a host --- */

void hf_vars_host(struct hf_run *run, struct hf_host *h)
{
	if (h->run != NULL)
		return;
	struct hf_host_vars *v = hf_new(run->arena, struct hf_host_vars);
	v->inventory = hf_value_dict(run->arena);
	v->facts = hf_value_dict(run->arena);
	v->fact_vars = hf_value_dict(run->arena);
	v->set = hf_value_dict(run->arena);
	v->included = hf_value_dict(run->arena);
	v->files = hf_value_dict(run->arena);
	h->run = v;
}

void hf_vars_put(struct hf_run *run, struct hf_value **dict, const char *name, const struct hf_value *v)
{
	hf_dict_put(*dict, name, hf_value_copy(run->arena, v));
	run->generation++;
}

void hf_mark_unsafe(struct hf_value *v)
{
	if (hf_is(v, HF_STRING)) {
		v->flags |= HF_VALUE_UNSAFE;
	} else if (hf_is(v, HF_DICT)) {
		HF_DICT_EACH (v, e)
			hf_mark_unsafe(hf_entry_value(e));
	} else if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v); i++)
			hf_mark_unsafe(hf_list_at(v, i));
	}
}

void hf_vars_facts(struct hf_run *run, struct hf_host *h, const struct hf_value *facts)
{
	static const char prefix[] = "ansible_";
	if (!hf_is(facts, HF_DICT))
		return;
	HF_DICT_EACH (facts, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (!hf_is(key, HF_STRING))
			continue;
		struct hf_value *v = hf_value_copy(run->arena, hf_entry_value(e));
		hf_mark_unsafe(v);
		const char *name = key->u.string.p;
		bool prefixed = strncmp(name, prefix, sizeof(prefix) - 1) == 0;
		/* ansible_local keeps its name inside ansible_facts too. */
		hf_dict_put(h->run->facts,
			prefixed && strcmp(name, "ansible_local") != 0 ? name + sizeof(prefix) - 1 : name, v);
		if (strcmp(name, "ansible_local") == 0)
			hf_dict_put(h->run->facts, "local", v);
		hf_dict_put(h->run->fact_vars, name, v);
	}
	run->generation++;
}
