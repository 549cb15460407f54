#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/engine/state.h"

typedef struct hf_value *(*magic_fn)(struct hf_scope *s);

static struct hf_value *text(struct hf_scope *s, const char *t)
{
	return t == NULL ? NULL : hf_value_cstr(s->arena, t);
}

static struct hf_value *host_names(struct hf_scope *s, const struct hf_hosts *hosts, bool active_only)
{
	struct hf_value *list = hf_value_list(s->arena);
	for (size_t i = 0; i < hosts->n; i++) {
		if (!active_only || hf_host_active(hosts->at[i]))
			hf_list_append(list, hf_value_cstr(s->arena, hosts->at[i]->name));
	}
	return list;
}

static struct hf_value *inventory_hostname(struct hf_scope *s)
{
	return s->host == NULL ? NULL : text(s, s->host->name);
}

static struct hf_value *inventory_hostname_short(struct hf_scope *s)
{
	return s->host == NULL ? NULL
			       : hf_value_str(s->arena, hf_strn(s->host->name, strcspn(s->host->name, ".")));
}

static struct hf_value *group_names(struct hf_scope *s)
{
	if (s->host == NULL)
		return NULL;
	struct hf_groups groups = hf_inventory_groups_of(s->run->inventory, s->host);
	struct hf_value *list = hf_value_list(s->arena);
	HF_VEC(const char *) names = { 0 };
	for (size_t i = 0; i < groups.n; i++) {
		if (strcmp(groups.at[i]->name, "all") != 0)
			*hf_vec_push(s->arena, &names) = groups.at[i]->name;
	}
	/* Sorted by name: few, so insertion will do. */
	for (size_t i = 1; i < names.n; i++) {
		for (size_t j = i; j > 0 && strcmp(names.at[j], names.at[j - 1]) < 0; j--) {
			const char *swap = names.at[j];
			names.at[j] = names.at[j - 1];
			names.at[j - 1] = swap;
		}
	}
	for (size_t i = 0; i < names.n; i++)
		hf_list_append(list, hf_value_cstr(s->arena, names.at[i]));
	return list;
}

static struct hf_value *groups(struct hf_scope *s)
{
	struct hf_value *dict = hf_value_dict(s->arena);
	HF_MAP_EACH (&s->run->inventory->groups, e) {
		struct hf_hosts members = hf_inventory_members(s->run->inventory, e->value);
		hf_dict_put(dict, e->key, host_names(s, &members, false));
	}
	return dict;
}

static struct hf_value *play_hosts(struct hf_scope *s)
{
	return s->run->play == NULL ? NULL : host_names(s, &s->run->play_hosts, true);
}

static struct hf_value *play_hosts_all(struct hf_scope *s)
{
	return s->run->play == NULL ? NULL : host_names(s, &s->run->play_hosts, false);
}

static struct hf_value *play_batch(struct hf_scope *s)
{
	return s->run->play == NULL ? NULL : host_names(s, &s->run->batch, true);
}

static struct hf_value *play_name(struct hf_scope *s)
{
	return s->play == NULL ? NULL : text(s, s->play->name);
}

static void add_role(
	struct hf_scope *s, struct hf_value *list, const struct hf_role *role, unsigned depth, bool deps)
{
	for (size_t i = 0; deps && depth < HF_LOAD_DEPTH_MAX && i < role->deps.n; i++)
		add_role(s, list, role->deps.at[i], depth + 1, true);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		if (hf_str_is(hf_list_at(list, i)->u.string, role->name))
			return;
	}
	hf_list_append(list, hf_value_cstr(s->arena, role->name));
}

static struct hf_value *roles_where(struct hf_scope *s, bool top, bool deps)
{
	if (s->play == NULL)
		return NULL;
	struct hf_value *list = hf_value_list(s->arena);
	for (size_t i = 0; i < s->play->all_roles.n; i++) {
		const struct hf_role *role = s->play->all_roles.at[i];
		if (role->parent == NULL ? top : deps)
			add_role(s, list, role, 0, false);
	}
	return list;
}

/* As often as the play names them. */
static struct hf_value *play_role_names(struct hf_scope *s)
{
	if (s->play == NULL)
		return NULL;
	struct hf_value *list = hf_value_list(s->arena);
	for (size_t i = 0; i < s->play->roles.n; i++)
		if (s->play->roles.at[i]->role != NULL)
			hf_list_append(list, hf_value_cstr(s->arena, s->play->roles.at[i]->role->name));
	for (size_t i = 0; i < s->play->more_roles.n; i++)
		hf_list_append(list, hf_value_cstr(s->arena, s->play->more_roles.at[i]));
	return list;
}

static struct hf_value *dependent_role_names(struct hf_scope *s)
{
	return roles_where(s, false, true);
}

static struct hf_value *role_names(struct hf_scope *s)
{
	return roles_where(s, true, true);
}

static const struct hf_role *role_of(const struct hf_scope *s)
{
	return s->node == NULL ? NULL : s->node->role;
}

static struct hf_value *role_name(struct hf_scope *s)
{
	return role_of(s) == NULL ? NULL : text(s, role_of(s)->short_name);
}

static struct hf_value *role_full_name(struct hf_scope *s)
{
	return role_of(s) == NULL ? NULL : text(s, role_of(s)->name);
}

static struct hf_value *collection_name(struct hf_scope *s)
{
	return role_of(s) == NULL ? NULL : text(s, role_of(s)->collection);
}

static struct hf_value *role_path(struct hf_scope *s)
{
	return role_of(s) == NULL ? NULL : text(s, role_of(s)->dir);
}

static struct hf_value *parent_roles(struct hf_scope *s, bool paths)
{
	const struct hf_role *role = role_of(s);
	if (role == NULL || role->parent == NULL || !role->from_include)
		return NULL;
	struct hf_value *list = hf_value_list(s->arena);
	for (role = role->parent; role != NULL; role = role->parent)
		hf_list_append(list, hf_value_cstr(s->arena, paths ? role->dir : role->name));
	return list;
}

static struct hf_value *parent_role_names(struct hf_scope *s)
{
	return parent_roles(s, false);
}

static struct hf_value *parent_role_paths(struct hf_scope *s)
{
	return parent_roles(s, true);
}

static struct hf_value *playbook_dir(struct hf_scope *s)
{
	return text(
		s, s->play != NULL && s->play->node.dir != NULL ? s->play->node.dir : s->run->loader.base);
}

static struct hf_value *inventory_dir(struct hf_scope *s)
{
	return s->host == NULL || s->host->source == NULL ? NULL
							  : text(s, hf_path_dir(s->arena, s->host->source));
}

static struct hf_value *inventory_file(struct hf_scope *s)
{
	return s->host == NULL ? NULL : text(s, s->host->source);
}

static const char *absolute(struct hf_arena *a, const char *path)
{
	char *full = realpath(path, NULL);
	const char *kept = full == NULL ? path : hf_strdup(a, full);
	free(full);
	return kept;
}

static struct hf_value *inventory_sources(struct hf_scope *s)
{
	struct hf_value *list = hf_value_list(s->arena);
	const char *const *given = s->run->options->inventories;
	for (size_t i = 0; given != NULL && given[i] != NULL; i++)
		hf_list_append(list,
			hf_value_cstr(s->arena,
				strchr(given[i], ',') != NULL ? given[i] : absolute(s->arena, given[i])));
	return list;
}

static struct hf_value *check_mode(struct hf_scope *s)
{
	return hf_value_bool(s->arena, s->run->options->check);
}

static struct hf_value *diff_mode(struct hf_scope *s)
{
	return hf_value_bool(s->arena, s->run->options->diff);
}

static struct hf_value *forks(struct hf_scope *s)
{
	return hf_value_int(s->arena, 5);
}

static struct hf_value *verbosity(struct hf_scope *s)
{
	return hf_value_int(s->arena, s->run->options->verbosity);
}

static struct hf_value *run_tags(struct hf_scope *s)
{
	return s->run->only_tags;
}

static struct hf_value *skip_tags(struct hf_scope *s)
{
	return s->run->skip_tags;
}

static struct hf_value *limit(struct hf_scope *s)
{
	return text(s, s->run->options->limit);
}

/* Playbooks ask which Ansible runs them: the one whose language this is. */
static struct hf_value *version(struct hf_scope *s)
{
	struct hf_value *v = hf_value_dict(s->arena);
	hf_dict_put(v, "string", text(s, "2.17.0"));
	hf_dict_put(v, "full", text(s, "2.17.0"));
	hf_dict_put(v, "major", hf_value_int(s->arena, 2));
	hf_dict_put(v, "minor", hf_value_int(s->arena, 17));
	hf_dict_put(v, "revision", hf_value_int(s->arena, 0));
	return v;
}

static struct hf_value *omit(struct hf_scope *s)
{
	return hf_value_omit(s->arena);
}

static struct hf_value *facts(struct hf_scope *s)
{
	return s->host == NULL || s->host->run == NULL ? NULL : s->host->run->facts;
}

/* Unique to a role and stable within a run, as Ansible's is. */
static struct hf_value *role_uuid(struct hf_scope *s)
{
	const struct hf_role *role = role_of(s);
	return role == NULL ? NULL
			    : text(s, hf_sprintf(s->arena, "%08x-0000-4000-8000-%012x", role->node->id,
					      (unsigned)s->run->play->node.id));
}

static struct hf_value *play_environment(struct hf_scope *s)
{
	return hf_value_list(s->arena);
}

static struct hf_value *search_path(struct hf_scope *s)
{
	return hf_search_dirs(s->run, s->node, s->arena, "");
}

static struct hf_value *python(struct hf_scope *s)
{
	return text(s, "/usr/bin/python3");
}

/* --- hostvars --- */

/* What the levels say of s->host, the highest winning, and who it is. */
static struct hf_value *gather(struct hf_scope *s)
{
	struct hf_value *flat = hf_value_dict(s->arena);
	for (size_t i = 0; i <= s->n_layers; i++) {
		const struct hf_value *layer =
			i == s->n_layers ? s->run->extra : s->layers[s->n_layers - 1 - i];
		HF_DICT_EACH (layer, e)
			hf_dict_set(flat, hf_entry_key(e), hf_entry_value(e));
	}
	static const char *const magic[] = { "inventory_hostname", "inventory_hostname_short", "group_names",
		"groups", "ansible_facts", "playbook_dir" };
	struct hf_error ignored;
	for (size_t i = 0; i < HF_COUNT(magic); i++) {
		struct hf_value *value = NULL;
		if (hf_magic_lookup(s, hf_str(magic[i]), &value, &ignored) == 0 && value != NULL)
			hf_dict_put(flat, magic[i], value);
	}
	return flat;
}

/* Everything known of a host; what is a template is resolved as that host sees it, or left as it is where it
 * cannot. */
static struct hf_value *flatten(struct hf_run *run, struct hf_host *h)
{
	hf_vars_host(run, h);
	struct hf_host_vars *v = h->run;
	if (v->flat != NULL && v->flat_at == run->generation)
		return v->flat;
	/* Whoever is not in this play was not asked for his variables yet. */
	struct hf_error unread;
	if (run->play != NULL && v->inventory_of == NULL &&
		hf_vars_inventory(run, h, run->play->node.dir, &unread) < 0)
		hf_event_warning(run, hf_sprintf(run->arena, "hostvars of %s: %s", h->name, unread.text));
	struct hf_scope *s = hf_new(run->arena, struct hf_scope), *outer = run->scope;
	hf_scope_init(s, run, run->arena, run->play, h, NULL);
	struct hf_value *flat = gather(s);
	struct hf_error ignored;
	if (!v->flattening) {
		v->flattening = true;
		run->scope = s;
		HF_DICT_EACH (flat, e) {
			struct hf_value *made = NULL;
			if (!hf_templar_is_template(run->templar, hf_entry_value(e)))
				continue;
			if (hf_templar_value(
				    run->templar, run->arena, hf_entry_value(e), NULL, &made, &ignored) < 0)
				made = hf_value_copy(run->arena, hf_entry_value(e));
			hf_mark_unsafe(made);
			e->value = made;
		}
		run->scope = outer;
		v->flattening = false;
		v->flat = flat;
		v->flat_at = run->generation;
	}
	return flat;
}

static struct hf_value *hostvars(struct hf_scope *s)
{
	struct hf_value *dict = hf_value_dict(s->arena);
	const struct hf_inventory *v = s->run->inventory;
	for (size_t i = 0; i < v->order.n; i++)
		hf_dict_put(dict, v->order.at[i]->name, flatten(s->run, v->order.at[i]));
	return dict;
}

/* Of the host a task is delegated to, as the task's own host resolves it, which keeps its name there. */
static struct hf_value *delegated_vars(struct hf_scope *s)
{
	if (s->delegate == NULL)
		return NULL;
	struct hf_scope *other = hf_new(s->arena, struct hf_scope);
	hf_scope_init(other, s->run, s->arena, s->play, s->delegate, s->node);
	struct hf_value *flat = gather(other), *dict = hf_value_dict(s->arena);
	hf_dict_put(flat, "inventory_hostname", text(s, s->host->name));
	hf_dict_put(dict, s->delegate->name, flat);
	return dict;
}

/* --- the table --- */

static const struct {
	const char *name;
	magic_fn fn;
} rows[] = {
	{ "ansible_check_mode", check_mode },
	{ "ansible_collection_name", collection_name },
	{ "ansible_delegated_vars", delegated_vars },
	{ "ansible_dependent_role_names", dependent_role_names },
	{ "ansible_diff_mode", diff_mode },
	{ "ansible_facts", facts },
	{ "ansible_forks", forks },
	{ "ansible_inventory_sources", inventory_sources },
	{ "ansible_limit", limit },
	{ "ansible_parent_role_names", parent_role_names },
	{ "ansible_parent_role_paths", parent_role_paths },
	{ "ansible_play_batch", play_batch },
	{ "ansible_play_hosts", play_hosts },
	{ "ansible_play_hosts_all", play_hosts_all },
	{ "ansible_play_name", play_name },
	{ "ansible_play_role_names", play_role_names },
	{ "ansible_playbook_python", python },
	{ "ansible_role_name", role_full_name },
	{ "ansible_role_names", role_names },
	{ "ansible_run_tags", run_tags },
	{ "ansible_search_path", search_path },
	{ "ansible_skip_tags", skip_tags },
	{ "ansible_verbosity", verbosity },
	{ "ansible_version", version },
	{ "environment", play_environment },
	{ "group_names", group_names },
	{ "groups", groups },
	{ "hostvars", hostvars },
	{ "inventory_dir", inventory_dir },
	{ "inventory_file", inventory_file },
	{ "inventory_hostname", inventory_hostname },
	{ "inventory_hostname_short", inventory_hostname_short },
	{ "omit", omit },
	{ "play_hosts", play_batch },
	{ "playbook_dir", playbook_dir },
	{ "role_name", role_name },
	{ "role_names", play_role_names },
	{ "role_path", role_path },
	{ "role_uuid", role_uuid },
};

static uint32_t name_hash(const void *key)
{
	const struct hf_str *s = key;
	return hf_hash_bytes(s->p, s->n);
}

static bool name_equal(const void *a, const void *b)
{
	return hf_str_equal(*(const struct hf_str *)a, *(const struct hf_str *)b);
}

void hf_magic_init(struct hf_run *run)
{
	static const struct hf_map_kind kind = { name_hash, name_equal };
	hf_map_init(&run->magic, run->arena, &kind);
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		struct hf_str *key = hf_new(run->arena, struct hf_str);
		*key = hf_str(rows[i].name);
		hf_map_set(&run->magic, key, (void *)(uintptr_t)(i + 1));
	}
}

int hf_magic_lookup(
	struct hf_scope *s, struct hf_str name, struct hf_value **ret, struct hf_error *err HF_UNUSED)
{
	size_t row = (size_t)(uintptr_t)hf_map_get(&s->run->magic, &name);
	*ret = row == 0 ? NULL : rows[row - 1].fn(s);
	return 0;
}

struct hf_value *hf_magic_names(struct hf_arena *a)
{
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		hf_list_append(list, hf_value_cstr(a, rows[i].name));
	return list;
}
