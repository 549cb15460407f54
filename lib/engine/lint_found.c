#include <string.h>

#include "lib/base/fs.h"
#include "lib/engine/lint_internal.h"

static void add(
	struct linter *l, const char *kind, const char *name, const char *text, struct hf_pos pos, bool note)
{
	for (size_t i = 0; i < l->file->findings.n; i++) {
		const struct hf_lint_finding *f = l->file->findings.at[i];
		if (f->pos.line == pos.line && f->pos.column == pos.column && strcmp(f->text, text) == 0)
			return;
	}
	struct hf_lint_finding *f = *hf_vec_push(l->arena, &l->file->findings) =
		hf_new(l->arena, struct hf_lint_finding);
	*f = (struct hf_lint_finding){ kind, name, text, pos, l->sure && !note, note };
	if (f->pos.file == NULL)
		f->pos.file = l->file->path;
	*hf_vec_push(l->arena, &l->out->findings) = f;
}

void lint_report(struct linter *l, const char *kind, const char *name, const char *text, struct hf_pos pos)
{
	add(l, kind, name, text, pos, false);
}

void lint_note(struct linter *l, const char *kind, const char *name, const char *text, struct hf_pos pos)
{
	add(l, kind, name, text, pos, true);
}

void lint_lead(struct linter *l, const char *path, enum lint_type type, struct lint_role *role, bool sure)
{
	*hf_vec_push(l->arena, &l->file->refs) = (struct lint_ref){ path, type, role, sure };
}

struct hf_plugin_places lint_places(const struct linter *l)
{
	return (struct hf_plugin_places){ .role_dir = l->file->role == NULL ? NULL : l->file->role->dir,
		.play_dir = l->play_dir,
		.collections_path = l->loader.collections_path };
}

/* --- roles --- */

struct lint_role *lint_role_at(struct linter *l, const char *dir)
{
	struct lint_role *role = hf_map_get(&l->roles, dir);
	if (role != NULL)
		return role;
	role = hf_new(l->arena, struct lint_role);
	role->dir = dir;
	role->name = hf_path_base(dir);
	hf_map_set(&l->roles, dir, role);
	char *path = hf_load_find(l->arena, hf_path_join(l->arena, dir, "meta/main"));
	struct hf_value *meta = NULL;
	struct hf_error err; /* what is wrong with it is found when the file itself is read */
	if (path != NULL && hf_load_yaml(&l->loader, path, &meta, &err) == 0 && hf_is(meta, HF_DICT))
		role->collections = hf_dict_get(meta, "collections");
	return role;
}

struct lint_role *lint_role_find(struct linter *l, const char *name)
{
	struct hf_play play = { .node = { .kind = HF_NODE_PLAY, .dir = l->play_dir } };
	struct hf_role own = { .dir = l->file->role == NULL ? NULL : l->file->role->dir };
	struct hf_node at = { .kind = HF_NODE_TASK, .play = &play, .role = own.dir == NULL ? NULL : &own };
	const char *dir = NULL;
	struct hf_error err;
	if (own.dir != NULL)
		own.collections = (struct hf_value *)(uintptr_t)l->file->role->collections;
	play.node.kw[HF_KW_collections] = (struct hf_value *)(uintptr_t)l->collections;
	l->loader.base = l->play_dir != NULL ? l->play_dir : hf_path_dir(l->arena, l->file->path);
	if (hf_load_find_role(&l->loader, &at, name, &dir, &err) < 0)
		dir = hf_map_get(&l->role_names, name);
	return dir == NULL ? NULL : lint_role_at(l, dir);
}
