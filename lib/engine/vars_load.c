#include <errno.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/engine/args.h"
#include "lib/engine/state.h"

enum { CACHE_MAX = 16 << 20 };

static void merge(struct hf_value *into, const struct hf_value *from)
{
	if (from == NULL || !hf_is(from, HF_DICT))
		return;
	HF_DICT_EACH (from, e)
		hf_dict_set(into, hf_entry_key(e), hf_entry_value(e));
}

/* group_vars/NAME or host_vars/NAME below dir. */
static int merge_folder(struct hf_run *run, struct hf_value *into, const char *dir, const char *folder,
	const char *name, struct hf_error *err)
{
	struct hf_value *v = NULL;
	if (strchr(name, '/') != NULL)
		return 0;
	int r = hf_load_vars(&run->loader, hf_path_join(run->arena, dir, folder), name, &v, err);
	if (r == 0)
		merge(into, v);
	return r;
}

struct merging {
	struct hf_run *run;
	struct hf_value *into;
	const struct hf_groups *groups;
	const struct hf_host *host;
	const char *play_dir;
};

static bool is_all(const struct hf_group *g)
{
	return strcmp(g->name, "all") == 0;
}

/* Folders beside the inventories, then (play) the folder beside the playbook. */
static int merge_places(
	const struct merging *m, const char *folder, const char *name, bool play, struct hf_error *err)
{
	if (play)
		return merge_folder(m->run, m->into, m->play_dir, folder, name, err);
	const struct hf_inventory *v = m->run->inventory;
	int r = 0;
	for (size_t i = 0; r == 0 && i < v->sources.n; i++) {
		const char *source = v->sources.at[i];
		const char *dir = hf_fs_is_dir(source) ? source : hf_path_dir(m->run->arena, source);
		r = merge_folder(m->run, m->into, dir, folder, name, err);
	}
	return r;
}

static int merge_groups(const struct merging *m, bool all, bool files, bool play, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < m->groups->n; i++) {
		const struct hf_group *g = m->groups->at[i];
		if (is_all(g) != all)
			continue;
		if (files)
			r = merge_places(m, "group_vars", g->name, play, err);
		else
			merge(m->into, g->vars);
	}
	return r;
}

int hf_vars_inventory(struct hf_run *run, struct hf_host *h, const char *play_dir, struct hf_error *err)
{
	if (h->run->inventory_of != NULL && strcmp(h->run->inventory_of, play_dir) == 0)
		return 0;
	h->run->inventory_of = play_dir;
	struct hf_value *into = hf_value_dict(run->arena);
	struct hf_groups groups = hf_inventory_groups_of(run->inventory, h);
	/* The implicit localhost still reads group_vars/all. */
	struct hf_group *only_all[] = { run->inventory->all };
	if (groups.n == 0)
		groups = (struct hf_groups){ only_all, 1, 1 };
	struct merging m = { run, into, &groups, h, play_dir };
	int r = merge_groups(&m, true, false, false, err);
	if (r == 0)
		r = merge_groups(&m, false, false, false, err);
	if (r == 0)
		r = merge_groups(&m, true, true, false, err);
	if (r == 0)
		r = merge_groups(&m, true, true, true, err);
	if (r == 0)
		r = merge_groups(&m, false, true, false, err);
	if (r == 0)
		r = merge_groups(&m, false, true, true, err);
	merge(into, h->vars);
	if (r == 0)
		r = merge_places(&m, "host_vars", h->name, false, err);
	if (r == 0)
		r = merge_places(&m, "host_vars", h->name, true, err);
	h->run->inventory = into;
	return r;
}

/* --- vars_files --- */

/* One entry: a name, or a list of which the first that exists is taken. *ret_found: something was read. */
static int one_vars_file(struct hf_run *run, struct hf_scope *s, struct hf_play *play, struct hf_value *entry,
	struct hf_value *into, bool *ret_found, struct hf_error *err)
{
	struct hf_str name;
	run->scope = s;
	int r = hf_templar_text(run->templar, s->arena, hf_value_text(s->arena, entry), hf_value_pos(entry),
		NULL, &name, err);
	if (r < 0)
		return r;
	char *path = NULL;
	r = hf_search_file(run, &play->node, s->arena, "vars", hf_str_dup(s->arena, name), &path, err);
	if (r < 0)
		return hf_error_set_pos(err, hf_value_pos(entry));
	struct hf_value *v = NULL;
	r = hf_load_yaml(&run->loader, path, &v, err);
	if (r < 0)
		return r;
	if (!hf_is(v, HF_DICT) && !hf_is(v, HF_NULL))
		return hf_fail_at(
			err, HF_E_PARSE, hf_value_pos(v), "vars_files must hold a dictionary of variables");
	merge(into, v);
	*ret_found = true;
	return 0;
}

static int vars_files_entry(struct hf_run *run, struct hf_scope *s, struct hf_play *play,
	struct hf_value *entry, struct hf_value *into, struct hf_error *err)
{
	bool found = false;
	if (!hf_is_sequence(entry))
		return one_vars_file(run, s, play, entry, into, &found, err);
	int r = 0;
	for (size_t i = 0; !found && i < hf_list_len(entry); i++) {
		r = one_vars_file(run, s, play, hf_list_at(entry, i), into, &found, err);
		if (r < 0 && r != -HF_E_NOT_FOUND && r != -HF_E_UNDEFINED)
			return r;
	}
	return found ? 0 : r;
}

int hf_vars_files(struct hf_run *run, struct hf_play *play, struct hf_host *h, struct hf_error *err)
{
	h->run->files = hf_value_dict(run->arena);
	struct hf_value *list = play->node.kw[HF_KW_vars_files];
	if (list == NULL)
		return 0;
	struct hf_scope *outer = run->scope, *s = hf_new(run->arena, struct hf_scope);
	struct hf_value *one = hf_value_list(run->arena);
	if (!hf_is_sequence(list)) {
		hf_list_append(one, list);
		list = one;
	}
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++) {
		hf_scope_init(s, run, run->arena, play, h, NULL);
		r = vars_files_entry(run, s, play, hf_list_at(list, i), h->run->files, err);
		/* A name built from facts that are not gathered yet is read again after gathering. */
		if (r == -HF_E_UNDEFINED && !h->run->gathered)
			r = 0;
		/* As Ansible: the play goes on without it; but not without a word. */
		if (r == -HF_E_NOT_FOUND) {
			hf_event_warning(run, hf_sprintf(run->arena, "vars_files: %s", err->text));
			r = 0;
		}
	}
	run->scope = outer;
	run->generation++;
	return r;
}

/* --- extra variables --- */

static int extra_one(struct hf_run *run, const char *text, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r;
	run->fatal = text[0] == '/' || text[0] == '.' ? EXIT_OPTIONS : 0;
	if (run->fatal != 0)
		return hf_fail(err, HF_E_PARSE, "Please prepend extra_vars filename '%s' with '@'", text);
	if (text[0] == '@')
		r = hf_load_yaml(&run->loader, text + 1, &v, err);
	else if (text[0] == '{' || text[0] == '[')
		r = hf_yaml_parse(run->arena, hf_str(text), "<extra vars>", NULL, &v, err);
	else
		r = hf_args_pairs(run->arena, hf_str(text), false, NULL, &v, err);
	if (r < 0)
		return hf_wrap(err, "extra variables");
	if (hf_is(v, HF_NULL))
		return 0;
	run->fatal = hf_is(v, HF_DICT) ? 0 : EXIT_OPTIONS;
	if (run->fatal != 0)
		return hf_fail(err, HF_E_PARSE,
			"Invalid extra vars data supplied. '%s' could not be made into a dictionary", text);
	merge(run->extra, v);
	return 0;
}

int hf_vars_extra(struct hf_run *run, struct hf_error *err)
{
	const char *const *list = run->options->extra_vars;
	int r = 0;
	for (size_t i = 0; r == 0 && list != NULL && list[i] != NULL; i++)
		r = extra_one(run, list[i], err);
	return r;
}

/* --- facts kept between runs --- */

int hf_vars_load_cache(struct hf_run *run, struct hf_host *h, struct hf_error *err)
{
	const char *path = run->options->fact_cache_file;
	if (path == NULL || run->options->flush_cache || !hf_fs_exists(path))
		return 0;
	struct hf_str text;
	struct hf_value *v = NULL;
	int r = hf_fs_read(run->arena, path, CACHE_MAX, &text, err);
	if (r == 0)
		r = hf_json_parse(run->arena, text, path, &v, err);
	if (r == 0)
		hf_vars_facts(run, h, v);
	return r;
}

int hf_vars_save_cache(struct hf_run *run, const struct hf_host *h, struct hf_error *err)
{
	const char *path = run->options->fact_cache_file;
	if (path == NULL || h->run == NULL || hf_dict_len(h->run->fact_vars) == 0)
		return 0;
	hf_auto_buf out = hf_buf_init(CACHE_MAX);
	int r = hf_json_write(&out, h->run->fact_vars, &HF_JSON_COMPACT, err);
	if (r == 0)
		r = hf_buf_check(&out, "facts", err);
	struct hf_fs_attr attr = HF_FS_KEEP;
	attr.mode = 0600;
	return r < 0 ? r : hf_fs_replace(path, hf_buf_str(&out), attr, err);
}
