#include "lib/engine/lint.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/config.h"
#include "lib/engine/lint_internal.h"

static const char *const verdicts[] = { [HF_LINT_PORTABLE] = "portable",
	[HF_LINT_REACHED] = "portable unless reached",
	[HF_LINT_REFUSED] = "not portable" };

const char *hf_lint_verdict_word(enum hf_lint_verdict v)
{
	return verdicts[v];
}

/* --- one file --- */

static void lead_beside(struct linter *l, const char *dir)
{
	static const char *const names[] = { "group_vars", "host_vars" };
	for (size_t i = 0; i < HF_COUNT(names); i++)
		lint_lead_all(l, hf_path_join(l->arena, dir, names[i]), LINT_VARS, NULL);
}

static void read_playbook(struct linter *l, const struct hf_value *v)
{
	static const char *const imports[] = { "import_playbook", "ansible.builtin.import_playbook" };
	l->play_dir = hf_path_dir(l->arena, l->file->path);
	for (size_t i = 0; hf_is(v, HF_LIST) && i < hf_list_len(v); i++) {
		const struct hf_value *one = hf_list_at(v, i), *file = NULL;
		for (size_t k = 0; file == NULL && hf_is(one, HF_DICT) && k < HF_COUNT(imports); k++)
			file = hf_dict_get(one, imports[k]);
		if (file == NULL && hf_is(one, HF_DICT))
			lint_play(l, one);
		if (!hf_is(file, HF_STRING) || hf_templar_is_template(l->templar, file))
			continue;
		const char *path = hf_path_join(l->arena, l->play_dir, file->u.string.p);
		if (hf_fs_exists(path))
			lint_lead(l, hf_path_normalize(l->arena, path), LINT_PLAYBOOK, NULL, true);
		else
			lint_report(l, "file", file->u.string.p,
				hf_sprintf(l->arena, "the playbook: %s could not be found", path),
				hf_value_pos(file));
	}
	l->sure = false;
	lead_beside(l, l->play_dir);
	const char *const *sources = l->options->inventories;
	for (size_t i = 0; sources != NULL && sources[i] != NULL; i++)
		if (hf_fs_exists(sources[i]))
			lead_beside(
				l, hf_fs_is_dir(sources[i]) ? sources[i] : hf_path_dir(l->arena, sources[i]));
}

static void read_meta(struct linter *l, const struct hf_value *v)
{
	const struct hf_value *list = hf_is(v, HF_DICT) ? hf_dict_get(v, "dependencies") : NULL;
	for (size_t i = 0; hf_is(list, HF_LIST) && i < hf_list_len(list); i++)
		lint_role_entry(l, hf_list_at(list, i));
}

static void read_yaml(struct linter *l)
{
	struct hf_value *v = NULL;
	struct hf_error err;
	struct lint_file *f = l->file;
	int r = hf_load_yaml(&l->loader, f->path, &v, &err);
	if (r == -HF_E_DENIED) {
		lint_note(l, "vault", "file", "encrypted: not read", (struct hf_pos){ f->path, 0, 0 });
	} else if (r < 0) {
		lint_report(l, "syntax", "file", hf_strdup(l->arena, err.text),
			(struct hf_pos){ f->path, err.pos.line, err.pos.column });
	} else if (f->type == LINT_PLAYBOOK) {
		read_playbook(l, v);
	} else if (f->type == LINT_TASKS || f->type == LINT_HANDLERS) {
		l->sure = f->type == LINT_TASKS;
		lint_tasks(l, v);
	} else if (f->type == LINT_META) {
		read_meta(l, v);
	} else {
		lint_value(l, v);
	}
}

static void read_plugin(struct linter *l)
{
	const char *folder = hf_path_base(hf_path_dir(l->arena, l->file->path));
	l->sure = false;
	lint_report(l, "plugin", hf_path_base(l->file->path),
		hf_sprintf(l->arena, "a Python plugin (%s): holdfast runs no Python", folder),
		(struct hf_pos){ l->file->path, 1, 1 });
}

struct lint_file *lint_file_read(
	struct linter *l, const char *path, enum lint_type type, struct lint_role *role)
{
	const char *key = hf_sprintf(l->arena, "%d %s %s", (int)type, role == NULL ? "" : role->dir, path);
	struct lint_file *f = hf_map_get(&l->files, key);
	if (f != NULL)
		return f;
	f = hf_new(l->arena, struct lint_file);
	*f = (struct lint_file){ .path = path, .type = type, .role = role, .order = l->files.count + 1 };
	hf_map_set(&l->files, key, f);
	struct lint_file *outer = l->file;
	l->file = f;
	l->sure = true;
	l->pos = (struct hf_pos){ path, 1, 1 };
	l->collections = NULL;
	l->out->files++;
	if (type == LINT_TEMPLATE)
		lint_template_file(l, path);
	else if (type == LINT_PLUGIN)
		read_plugin(l);
	else
		read_yaml(l);
	l->file = outer;
	return f;
}

/* --- what can be reached --- */

enum way { WAY_NONE, WAY_MAYBE, WAY_SURE };

struct reach {
	struct linter *linter;
	struct hf_lint_unit *unit;
	struct hf_map ways; /* struct lint_file * → enum way, in the order of discovery */
	HF_VEC(struct lint_file *) files;
	unsigned depth;
};

static uint32_t pointer_hash(const void *key)
{
	uint64_t n = (uintptr_t)key;
	return (uint32_t)((n >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

static bool pointer_equal(const void *x, const void *y)
{
	return x == y;
}

static void follow(struct reach *w, struct lint_file *f, enum way way)
{
	enum way known = (enum way)(uintptr_t)hf_map_get(&w->ways, f);
	if (known >= way || w->depth >= LINT_DEPTH_MAX)
		return;
	f->reached = true;
	if (known == WAY_NONE)
		*hf_vec_push(w->linter->arena, &w->files) = f;
	hf_map_set(&w->ways, f, (void *)(uintptr_t)way);
	w->depth++;
	for (size_t i = 0; i < f->refs.n; i++) {
		const struct lint_ref *ref = &f->refs.at[i];
		const char *outer = w->linter->play_dir;
		struct lint_file *next = lint_file_read(w->linter, ref->path, ref->type, ref->role);
		w->linter->play_dir = outer;
		follow(w, next, way == WAY_SURE && ref->sure ? WAY_SURE : WAY_MAYBE);
	}
	w->depth--;
}

static int by_place(const void *x, const void *y)
{
	const struct hf_pos *p = &((const struct hf_lint_seen *)x)->finding->pos,
			    *q = &((const struct hf_lint_seen *)y)->finding->pos;
	int order = strcmp(p->file, q->file);
	if (order == 0)
		order = p->line < q->line ? -1 : p->line > q->line;
	return order != 0 ? order : p->column < q->column ? -1 : p->column > q->column;
}

static struct reach reach_new(struct linter *l, const char *kind, const char *path, const char *name)
{
	static const struct hf_map_kind pointers = { pointer_hash, pointer_equal };
	struct reach w = { .linter = l, .unit = hf_new(l->arena, struct hf_lint_unit) };
	*w.unit = (struct hf_lint_unit){ .kind = kind, .path = path, .name = name };
	hf_map_init(&w.ways, l->arena, &pointers);
	return w;
}

static void finish(struct reach *w)
{
	struct hf_lint_unit *u = w->unit;
	u->files = w->files.n;
	for (size_t i = 0; i < w->files.n; i++) {
		const struct lint_file *f = w->files.at[i];
		bool way = (enum way)(uintptr_t)hf_map_get(&w->ways, f) == WAY_SURE;
		for (size_t j = 0; j < f->findings.n; j++) {
			struct hf_lint_seen seen = { f->findings.at[j], way && f->findings.at[j]->sure };
			*hf_vec_push(w->linter->arena, &u->findings) = seen;
			enum hf_lint_verdict v = seen.finding->note ? HF_LINT_PORTABLE
						 : seen.sure        ? HF_LINT_REFUSED
								    : HF_LINT_REACHED;
			u->verdict = v > u->verdict ? v : u->verdict;
		}
	}
	if (u->findings.n > 1)
		qsort(u->findings.at, u->findings.n, sizeof(*u->findings.at), by_place);
	struct hf_lint *out = w->linter->out;
	out->verdict = u->verdict > out->verdict ? u->verdict : out->verdict;
	*hf_vec_push(w->linter->arena, &out->units) = u;
}

/* --- units --- */

static void playbook_unit(struct linter *l, const char *path)
{
	struct reach w = reach_new(l, "playbook", path, hf_path_base(path));
	l->play_dir = hf_path_dir(l->arena, path);
	follow(&w, lint_file_read(l, path, LINT_PLAYBOOK, NULL), WAY_SURE);
	l->play_dir = NULL;
	finish(&w);
}

static bool is_main(const struct lint_ref *ref)
{
	return strncmp(hf_path_base(ref->path), "main.", 5) == 0;
}

/* What its own main files lead to is sure, as far as conditions say; the rest may be asked for by name. */
static void role_unit(struct linter *l, const struct lint_file *all, const struct lint_role *role)
{
	struct reach w = reach_new(l, "role", role->dir, role->name);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < all->refs.n; i++) {
			const struct lint_ref *ref = &all->refs.at[i];
			if (ref->role == role && (is_main(ref) || pass > 0))
				follow(&w, lint_file_read(l, ref->path, ref->type, ref->role),
					is_main(ref) ? WAY_SURE : WAY_MAYBE);
		}
	}
	finish(&w);
}

static void loose_units(struct linter *l, const struct lint_file *all)
{
	for (size_t i = 0; i < all->refs.n; i++) {
		const struct lint_ref *ref = &all->refs.at[i];
		if (ref->role != NULL || ref->type == LINT_PLAYBOOK ||
			lint_file_read(l, ref->path, ref->type, NULL)->reached)
			continue;
		struct reach w = reach_new(l, "file", ref->path, hf_path_base(ref->path));
		follow(&w, lint_file_read(l, ref->path, ref->type, NULL), WAY_MAYBE);
		if (w.files.at[0]->findings.n > 0)
			finish(&w);
	}
}

static int folder(struct linter *l, const char *path, struct hf_error *err)
{
	struct lint_file *all = hf_new(l->arena, struct lint_file);
	all->path = path;
	l->file = all;
	int r = lint_walk(l, path, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all->refs.n; i++)
		if (all->refs.at[i].type == LINT_PLAYBOOK)
			playbook_unit(l, all->refs.at[i].path);
	HF_VEC(const struct lint_role *) here = { 0 }; /* what they use comes to l->roles meanwhile */
	HF_MAP_EACH (&l->roles, e) {
		bool found = false;
		for (size_t i = 0; !found && i < all->refs.n; i++)
			found = all->refs.at[i].role == e->value;
		if (found)
			*hf_vec_push(l->arena, &here) = e->value;
	}
	for (size_t i = 0; i < here.n; i++)
		role_unit(l, all, here.at[i]);
	loose_units(l, all);
	return 0;
}

/* What lies in a tree of collections finds the others there. */
static void collections_around(struct linter *l, const char *path)
{
	static const char root[] = "/ansible_collections/";
	const char *at = strstr(path, root);
	size_t n = 0;
	while (l->loader.collections_path != NULL && l->loader.collections_path[n] != NULL)
		n++;
	if (at == NULL)
		return;
	const char **paths = hf_new_array(l->arena, n + 2, const char *);
	for (size_t i = 0; i < n; i++)
		paths[i] = l->loader.collections_path[i];
	paths[n] = hf_strndup(l->arena, path, (size_t)(at - path));
	l->loader.collections_path = paths;
}

static int one_path(struct linter *l, const char *given, struct hf_error *err)
{
	char *real = realpath(given, NULL);
	if (real == NULL)
		return hf_fail_errno(err, HF_E_NOT_FOUND, "%s", given);
	const char *path = hf_strdup(l->arena, real);
	free(real);
	collections_around(l, path);
	if (hf_fs_is_dir(path))
		return folder(l, path, err);
	playbook_unit(l, path);
	return 0;
}

static int lint_init(struct linter *l, struct hf_arena *a, const struct hf_lint_options *options,
	struct hf_lint *out, struct hf_error *err)
{
	struct hf_templar_source none = { 0 };
	struct hf_config config;
	struct hf_run_options run = { .roles_path = options->roles_path,
		.collections_path = options->collections_path };
	int r = hf_config_read(a, &run, ".", &config, err);
	if (r < 0)
		return r;
	*l = (struct linter){ .arena = a, .options = options, .out = out, .sure = true };
	l->templar = hf_templar_new(a, &none);
	l->loader = (struct hf_loader){ .arena = a,
		.registry = options->registry,
		.templar = l->templar,
		.vault = hf_vault_new(a),
		.base = ".",
		.roles_path = config.roles_path,
		.collections_path = config.collections_path };
	hf_map_init_str(&l->loader.files, a);
	hf_map_init_str(&l->files, a);
	hf_map_init_str(&l->roles, a);
	hf_map_init_str(&l->role_names, a);
	lint_text_init(l);
	return 0;
}

int hf_lint_run(
	struct hf_arena *a, const struct hf_lint_options *options, struct hf_lint *ret, struct hf_error *err)
{
	struct linter l;
	*ret = (struct hf_lint){ 0 };
	int r = lint_init(&l, a, options, ret, err);
	for (size_t i = 0; r == 0 && options->paths[i] != NULL; i++)
		r = one_path(&l, options->paths[i], err);
	return r;
}
