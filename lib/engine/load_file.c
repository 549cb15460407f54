#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/yaml.h"
#include "lib/engine/playbook.h"

enum { VAR_FILES_MAX = 4096, VAR_DEPTH_MAX = 16 };

/* What stands in a vault beside passwords, a user's name or a port, is short: only longer texts are looked
 * for in what others print. */
enum { SECRET_MIN = 8 };

static void mark_secret(struct hf_loader *l, struct hf_value *v)
{
	v->flags |= HF_VALUE_SECRET;
	if (hf_is(v, HF_STRING) && l->secret != NULL && v->u.string.n >= SECRET_MIN)
		l->secret(l->data, v->u.string);
	if (hf_is(v, HF_DICT)) {
		HF_DICT_EACH (v, e)
			mark_secret(l, hf_entry_value(e));
	} else if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v); i++)
			mark_secret(l, hf_list_at(v, i));
	}
}

struct warned {
	struct hf_loader *loader;
};

static void yaml_warning(void *data, struct hf_pos pos, const char *text)
{
	const struct warned *w = data;
	if (w->loader->warning != NULL)
		w->loader->warning(w->loader->data,
			hf_sprintf(w->loader->arena, "%s:%u:%u: %s", pos.file, pos.line, pos.column, text));
}

int hf_load_parse(struct hf_loader *l, struct hf_arena *a, struct hf_str text, const char *path,
	struct hf_value **ret, struct hf_error *err)
{
	const char *word = l->duplicate_keys != NULL ? l->duplicate_keys : "warn";
	struct warned w = { l };
	struct hf_yaml_options options = { .warning = strcmp(word, "ignore") == 0 ? NULL : yaml_warning,
		.strict = strcmp(word, "error") == 0,
		.data = &w };
	return hf_yaml_parse(a, text, path, &options, ret, err);
}

int hf_load_yaml(struct hf_loader *l, const char *path, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *v = hf_map_get(&l->files, path);
	if (v != NULL) {
		*ret = v;
		return 0;
	}
	struct hf_str text;
	int r = hf_fs_read(l->arena, path, HF_YAML_SIZE_MAX, &text, err);
	bool secret = r == 0 && hf_vault_is_envelope(text);
	if (secret)
		r = hf_vault_decrypt(l->arena, l->vault, text, &text, err);
	if (r < 0)
		return secret ? hf_wrap(err, "%s", path) : r;
	r = hf_load_parse(l, l->arena, text, path, &v, err);
	if (r < 0)
		return r;
	if (secret)
		mark_secret(l, v);
	hf_map_set(&l->files, hf_strdup(l->arena, path), v);
	*ret = v;
	return 0;
}

static const char *const extensions[] = { "", ".yml", ".yaml", ".json" };

char *hf_load_find(struct hf_arena *a, const char *path)
{
	for (size_t i = 0; i < HF_COUNT(extensions); i++) {
		char *p = hf_sprintf(a, "%s%s", path, extensions[i]);
		if (hf_fs_exists(p) && !hf_fs_is_dir(p))
			return p;
	}
	return NULL;
}

static int merge_file(struct hf_loader *l, const char *path, struct hf_value *into, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = hf_load_yaml(l, path, &v, err);
	if (r < 0)
		return r;
	if (hf_is(v, HF_NULL))
		return 0;
	if (!hf_is(v, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(v),
			"variable files must contain a dictionary of variables");
	HF_DICT_EACH (v, e)
		hf_dict_set(into, hf_entry_key(e), hf_entry_value(e));
	return 0;
}

static bool is_vars_file(const char *name)
{
	size_t n = strlen(name);
	if (name[0] == '.' || (n > 0 && name[n - 1] == '~'))
		return false;
	const char *dot = strrchr(name, '.');
	if (dot == NULL)
		return true;
	for (size_t i = 1; i < HF_COUNT(extensions); i++) {
		if (strcmp(dot, extensions[i]) == 0)
			return true;
	}
	return false;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Every variable file below dir, in order of name. */
static int merge_dir(
	struct hf_loader *l, const char *dir, unsigned depth, struct hf_value *into, struct hf_error *err)
{
	if (depth > VAR_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: folders are nested too deeply", dir);
	hf_auto_dir d = opendir(dir);
	if (d == NULL)
		return hf_fail_errno(err, HF_E_IO, "open %s", dir);
	HF_VEC(const char *) names = { 0 };
	for (const struct dirent *e; (e = readdir(d)) != NULL && names.n < VAR_FILES_MAX;) {
		if (is_vars_file(e->d_name))
			*hf_vec_push(l->arena, &names) = hf_strdup(l->arena, e->d_name);
	}
	if (names.n > 0)
		qsort(names.at, names.n, sizeof(*names.at), by_name);
	int r = 0;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const char *path = hf_path_join(l->arena, dir, names.at[i]);
		r = hf_fs_is_dir(path) ? merge_dir(l, path, depth + 1, into, err)
				       : merge_file(l, path, into, err);
	}
	return r;
}

int hf_load_vars(
	struct hf_loader *l, const char *dir, const char *name, struct hf_value **ret, struct hf_error *err)
{
	const char *path = hf_path_join(l->arena, dir, name);
	struct hf_value *all = hf_value_dict(l->arena);
	bool found = false;
	int r = 0;
	if (hf_fs_is_dir(path)) {
		found = true;
		r = merge_dir(l, path, 0, all, err);
	}
	for (size_t i = 0; r == 0 && i < HF_COUNT(extensions); i++) {
		const char *file = hf_sprintf(l->arena, "%s%s", path, extensions[i]);
		if (!hf_fs_exists(file) || hf_fs_is_dir(file))
			continue;
		found = true;
		r = merge_file(l, file, all, err);
		break;
	}
	if (r == 0)
		*ret = found ? all : NULL;
	return r;
}
