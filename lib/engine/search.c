#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/state.h"

enum { PLACES_TEXT_MAX = 1500 };
#define WHERE_SOUGHT                                                                                         \
	" on the Ansible Controller.\nIf you are using a module and expect the file to exist on the "        \
	"remote, "                                                                                           \
	"see the remote_src option"

static void add_dir(struct hf_arena *a, struct hf_value *list, const char *dir)
{
	for (size_t i = 0; i < hf_list_len(list); i++) {
		if (hf_str_is(hf_list_at(list, i)->u.string, dir))
			return;
	}
	hf_list_append(list, hf_value_cstr(a, dir));
}

/* Folders a task searches, nearest first: its role, the file it stands in, roles and files around it, the
 * playbook. */
static struct hf_value *task_dirs(struct hf_run *run, const struct hf_node *n, struct hf_arena *a)
{
	struct hf_value *list = hf_value_list(a);
	if (n != NULL) {
		for (const struct hf_role *r = n->role; r != NULL; r = r->parent)
			add_dir(a, list, r->dir);
		for (const struct hf_node *up = n; up != NULL; up = up->parent) {
			if (up->dir != NULL)
				add_dir(a, list, up->dir);
		}
		if (n->play != NULL && n->play->node.dir != NULL)
			add_dir(a, list, n->play->node.dir);
	}
	add_dir(a, list, run->loader.base);
	return list;
}

struct hf_value *hf_search_dirs(
	struct hf_run *run, const struct hf_node *n, struct hf_arena *a, const char *kind)
{
	struct hf_value *dirs = task_dirs(run, n, a), *out = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(dirs); i++) {
		const char *dir = hf_list_at(dirs, i)->u.string.p;
		/* roles/x/tasks also means roles/x. */
		if (kind[0] != '\0' && strcmp(hf_path_base(dir), "tasks") == 0)
			add_dir(a, out, hf_path_join(a, hf_path_dir(a, dir), kind));
		if (kind[0] != '\0')
			add_dir(a, out, hf_path_join(a, dir, kind));
		add_dir(a, out, dir);
	}
	return out;
}

int hf_search_file(struct hf_run *run, const struct hf_node *n, struct hf_arena *a, const char *kind,
	const char *name, char **ret, struct hf_error *err)
{
	if (name[0] == '/' || name[0] == '~') {
		const char *path = hf_path_expand_user(a, name, NULL);
		if (!hf_fs_exists(path))
			return hf_fail(
				err, HF_E_NOT_FOUND, "Could not find or access '%s'" WHERE_SOUGHT, name);
		*ret = hf_strdup(a, path);
		return 0;
	}
	struct hf_value *dirs = hf_search_dirs(run, n, a, kind == NULL ? "" : kind);
	hf_auto_buf places = hf_buf_init(PLACES_TEXT_MAX);
	for (size_t i = 0; i < hf_list_len(dirs); i++) {
		char *path = hf_path_join(a, hf_list_at(dirs, i)->u.string.p, name);
		if (hf_fs_exists(path)) {
			*ret = path;
			return 0;
		}
		hf_buf_printf(&places, "\n\t%s", path);
	}
	return hf_fail(err, HF_E_NOT_FOUND, "Could not find or access '%s'\nSearched in:%s" WHERE_SOUGHT,
		name, places.p == NULL ? "" : places.p);
}
