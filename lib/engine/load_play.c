#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/args.h"
#include "lib/engine/playbook.h"

static int load_roles(struct hf_loader *l, struct hf_play *play, struct hf_error *err)
{
	const struct hf_value *list = play->node.kw[HF_KW_roles];
	if (list == NULL)
		return 0;
	if (!hf_is(list, HF_LIST))
		return hf_fail_at(
			err, HF_E_PARSE, hf_value_pos(list), "A malformed role declaration was encountered.");
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++)
		r = hf_load_role_entry(
			l, &play->node, NULL, hf_list_at(list, i), &play->roles, &play->handlers, err);
	return r;
}

static int play_vars(struct hf_loader *l, struct hf_play *play, struct hf_error *err)
{
	struct hf_value *vars = play->node.kw[HF_KW_vars];
	play->vars = hf_value_dict(l->arena);
	if (vars == NULL)
		return 0;
	/* A list of dicts is the old form; later ones win. */
	for (size_t i = 0; hf_is(vars, HF_LIST) && i < hf_list_len(vars); i++) {
		const struct hf_value *one = hf_list_at(vars, i);
		int r = hf_load_check_vars(one, err);
		if (r < 0)
			return r;
		HF_DICT_EACH (one, e)
			hf_dict_set(play->vars, hf_entry_key(e), hf_entry_value(e));
	}
	if (!hf_is(vars, HF_LIST)) {
		int r = hf_load_check_vars(vars, err);
		if (r < 0)
			return r;
		play->vars = vars;
	}
	return 0;
}

static int check_hosts(const struct hf_play *play, struct hf_error *err)
{
	const struct hf_value *hosts = play->node.kw[HF_KW_hosts];
	if (hosts == NULL)
		return hf_fail_at(
			err, HF_E_PARSE, play->node.pos, "the field 'hosts' is required but was not set");
	if (!hf_is(hosts, HF_STRING) && !hf_is_sequence(hosts))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(hosts),
			"Hosts list must be a sequence or string. Please check your playbook.");
	if (hf_is(hosts, HF_STRING) ? hosts->u.string.n == 0 : hf_list_len(hosts) == 0)
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(hosts),
			"Hosts list cannot be empty. Please check your playbook");
	return 0;
}

/* `user` of a play is the old word for remote_user. */
static const struct hf_value *with_remote_user(struct hf_arena *a, const struct hf_value *ds)
{
	struct hf_value *user = hf_dict_get(ds, "user");
	if (user == NULL)
		return ds;
	struct hf_value *play = hf_value_shallow(a, ds);
	hf_dict_remove(play, "user");
	hf_dict_put(play, "remote_user", user);
	return play;
}

static int load_play(struct hf_loader *l, const char *dir, const struct hf_value *ds, struct hf_value *vars,
	struct hf_plays *ret, struct hf_error *err)
{
	struct hf_play *play = hf_new(l->arena, struct hf_play);
	struct hf_node *n = &play->node;
	n->kind = HF_NODE_PLAY;
	n->play = play;
	n->pos = hf_value_pos(ds);
	n->dir = dir;
	n->id = ++l->next_id;
	play->import_vars = vars;
	if (hf_dict_get(ds, "user") != NULL && hf_dict_get(ds, "remote_user") != NULL)
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(ds),
			"both 'user' and 'remote_user' are set for this play. The use of 'user' is "
			"deprecated, and "
			"should be removed");
	ds = with_remote_user(l->arena, ds);
	int r = hf_load_keywords(l, n, ds, HF_IN_PLAY, "Play", NULL, err);
	if (r == 0)
		r = check_hosts(play, err);
	if (r == 0)
		r = play_vars(l, play, err);
	if (r < 0)
		return r;
	const struct hf_value *name = n->kw[HF_KW_name];
	const struct hf_value *hosts = n->kw[HF_KW_hosts];
	if (name == NULL && hf_is_sequence(hosts)) {
		hf_auto_buf out = hf_buf_init(1 << 16);
		for (size_t i = 0; i < hf_list_len(hosts); i++)
			hf_buf_printf(&out, "%s%s", i == 0 ? "" : ",",
				hf_value_text(l->arena, hf_list_at(hosts, i)).p);
		play->name = hf_buf_dup(l->arena, &out).p;
	} else {
		play->name = hf_value_text(l->arena, name != NULL ? name : hosts).p;
	}
	r = load_roles(l, play, err);
	const struct {
		enum hf_keyword k;
		struct hf_nodes *nodes;
		bool handlers;
	} parts[] = {
		{ HF_KW_pre_tasks, &play->pre_tasks, false },
		{ HF_KW_tasks, &play->tasks, false },
		{ HF_KW_post_tasks, &play->post_tasks, false },
		{ HF_KW_handlers, &play->own_handlers, true },
	};
	for (size_t i = 0; r == 0 && i < HF_COUNT(parts); i++)
		r = hf_load_tasks(l, n, dir, n->kw[parts[i].k], parts[i].handlers, parts[i].nodes, err);
	if (r == 0) {
		for (size_t i = 0; i < play->own_handlers.n; i++)
			*hf_vec_push(l->arena, &play->handlers) = play->own_handlers.at[i];
		*hf_vec_push(l->arena, ret) = play;
	}
	return r;
}

static struct hf_value *merged(struct hf_arena *a, struct hf_value *below, struct hf_value *above)
{
	if (below == NULL || above == NULL)
		return below == NULL ? above : below;
	struct hf_value *all = hf_value_shallow(a, below);
	HF_DICT_EACH (above, e)
		hf_dict_set(all, hf_entry_key(e), hf_entry_value(e));
	return all;
}

/* The plays of an imported playbook take the import's tags and conditions. */
static void give_keywords(struct hf_loader *l, struct hf_play *play, const struct hf_value *entry)
{
	static const enum hf_keyword keys[] = { HF_KW_tags, HF_KW_when };
	for (size_t i = 0; i < HF_COUNT(keys); i++) {
		struct hf_value *given = hf_dict_get(entry, hf_keyword_name(keys[i])),
				*own = play->node.kw[keys[i]];
		if (given == NULL || hf_is(given, HF_NULL))
			continue;
		struct hf_value *list = hf_value_list(l->arena);
		struct hf_value *parts[] = { given, own };
		for (size_t p = 0; p < HF_COUNT(parts) && parts[p] != NULL; p++) {
			for (size_t j = 0; hf_is(parts[p], HF_LIST) && j < hf_list_len(parts[p]); j++)
				hf_list_append(list, hf_list_at(parts[p], j));
			if (!hf_is(parts[p], HF_LIST))
				hf_list_append(list, parts[p]);
		}
		play->node.kw[keys[i]] = list;
	}
}

static const char *const import_keys[] = { "import_playbook", "ansible.builtin.import_playbook",
	"ansible.legacy.import_playbook" };

static struct hf_value *import_of(const struct hf_value *entry)
{
	for (size_t i = 0; i < HF_COUNT(import_keys); i++) {
		struct hf_value *v = hf_dict_get(entry, import_keys[i]);
		if (v != NULL)
			return v;
	}
	return NULL;
}

static int check_import_keys(const struct hf_value *entry, struct hf_error *err)
{
	static const char *const known[] = { "name", "vars", "tags", "when" };
	HF_DICT_EACH (entry, e) {
		const struct hf_value *key = hf_entry_key(e);
		bool ok = false;
		for (size_t i = 0; i < HF_COUNT(known); i++)
			ok = ok || (hf_is(key, HF_STRING) && hf_str_is(key->u.string, known[i]));
		for (size_t i = 0; i < HF_COUNT(import_keys); i++)
			ok = ok || (hf_is(key, HF_STRING) && hf_str_is(key->u.string, import_keys[i]));
		if (!ok)
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(key),
				"'%s' is not a valid attribute for a PlaybookInclude",
				hf_is(key, HF_STRING) ? key->u.string.p : "?");
	}
	return 0;
}

static int import_playbook(struct hf_loader *l, const char *dir, const struct hf_value *entry,
	struct hf_value *file, struct hf_value *vars, struct hf_plays *ret, struct hf_error *err)
{
	int r = check_import_keys(entry, err);
	if (r < 0)
		return r;
	if (!hf_is(file, HF_STRING))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(file),
			"playbook import parameter must be a string indicating a file path");
	struct hf_value *own = hf_dict_get(entry, "vars");
	if (own != NULL && (r = hf_load_check_vars(own, err)) < 0)
		return r;
	struct hf_node scope = { .kind = HF_NODE_BLOCK, .pos = hf_value_pos(file), .dir = dir };
	struct hf_str name;
	r = hf_load_text(l, &scope, file, &name, err);
	if (r < 0)
		return r;
	const char *path = hf_path_join(l->arena, dir, hf_str_dup(l->arena, name));
	const char *collected =
		hf_fs_exists(path) ? NULL : hf_load_find_playbook(l, hf_str_dup(l->arena, name));
	if (collected != NULL)
		path = collected;
	if (!hf_fs_exists(path))
		return hf_fail_at(
			err, HF_E_ARGUMENT, hf_value_pos(file), "the playbook: %s could not be found", path);
	size_t before = ret->n;
	r = hf_load_playbook(l, path, merged(l->arena, vars, own), ret, err);
	for (size_t i = before; r == 0 && i < ret->n; i++)
		give_keywords(l, ret->at[i], entry);
	return r;
}

int hf_load_playbook(struct hf_loader *l, const char *path, struct hf_value *vars, struct hf_plays *ret,
	struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = hf_load_yaml(l, path, &v, err);
	if (r < 0)
		return r;
	if (hf_is(v, HF_NULL))
		return hf_fail(err, HF_E_PARSE, "%s: Empty playbook, nothing to do", path);
	if (!hf_is(v, HF_LIST))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(v),
			"A playbook must be a list of plays, got a <class '%s'> instead", hf_type_name(v));
	if (l->depth >= HF_LOAD_DEPTH_MAX)
		return hf_fail_at(err, HF_E_LIMIT, hf_value_pos(v),
			"playbooks import each other more than %d deep", HF_LOAD_DEPTH_MAX);
	l->depth++;
	const char *dir = hf_path_dir(l->arena, path);
	for (size_t i = 0; r == 0 && i < hf_list_len(v); i++) {
		const struct hf_value *entry = hf_list_at(v, i);
		if (!hf_is(entry, HF_DICT)) {
			r = hf_fail_at(err, HF_E_PARSE, hf_value_pos(entry),
				"playbook entries must be either valid plays or 'import_playbook' "
				"statements");
			break;
		}
		struct hf_value *file = import_of(entry);
		r = file != NULL ? import_playbook(l, dir, entry, file, vars, ret, err)
				 : load_play(l, dir, entry, vars, ret, err);
	}
	l->depth--;
	return r;
}
