#include "lib/engine/inventory_read.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/yaml.h"

enum { SOURCES_MAX = 4096, SOURCE_DEPTH_MAX = 8 };

static int add_list(struct hf_inventory *v, const char *source, struct hf_error *err)
{
	struct hf_str rest = hf_str(source), piece;
	for (size_t i = 0; i < HF_HOSTS_MAX && hf_str_split(&rest, ',', &piece); i++) {
		piece = hf_str_trim(piece);
		if (piece.n == 0)
			continue;
		struct hf_value *names = NULL;
		int r = hf_inventory_expand(v->arena, piece, &names, err);
		if (r < 0)
			return r;
		for (size_t n = 0; n < hf_list_len(names); n++)
			hf_inventory_join(
				v, v->ungrouped, hf_inventory_host(v, hf_list_at(names, n)->u.string.p));
	}
	return 0;
}

static bool has_extension(const char *path, const char *const *extensions)
{
	const char *dot = strrchr(hf_path_base(path), '.');
	for (size_t i = 0; dot != NULL && extensions[i] != NULL; i++) {
		if (strcmp(dot, extensions[i]) == 0)
			return true;
	}
	return false;
}

static int read_file(struct hf_inventory *v, const char *path, struct hf_error *err)
{
	static const char *const yaml[] = { ".yml", ".yaml", ".json", NULL };
	struct hf_str text;
	int r = hf_fs_read(v->arena, path, HF_YAML_SIZE_MAX, &text, err);
	if (r < 0)
		return r;
	if (hf_str_starts(text, "#!") && access(path, X_OK) == 0)
		return hf_fail(err, HF_E_UNSUPPORTED,
			"%s: inventory scripts are not supported; write its output to a file", path);
	if (!has_extension(path, yaml))
		return hf_inventory_read_ini(v, path, text, err);
	struct hf_value *doc = NULL;
	r = hf_yaml_parse(v->arena, text, path, NULL, &doc, err);
	return r < 0 ? r : hf_inventory_read_yaml(v, doc, err);
}

static int add_file(struct hf_inventory *v, const char *path, struct hf_error *err)
{
	v->reading = hf_strdup(v->arena, path);
	int r = read_file(v, path, err);
	v->reading = NULL;
	return r;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int add_dir(struct hf_inventory *v, const char *path, unsigned depth, struct hf_error *err)
{
	static const char *const skip[] = { ".orig", ".ini", ".cfg", ".retry", ".pyc", ".pyo", ".md", ".rst",
		".bak", NULL };
	if (depth > SOURCE_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: folders are nested too deeply", path);
	hf_auto_dir d = opendir(path);
	if (d == NULL)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	HF_VEC(const char *) names = { 0 };
	for (const struct dirent *e; (e = readdir(d)) != NULL && names.n < SOURCES_MAX;) {
		bool ours = strcmp(e->d_name, "group_vars") == 0 || strcmp(e->d_name, "host_vars") == 0;
		if (e->d_name[0] != '.' && !ours && !has_extension(e->d_name, skip) &&
			strchr(e->d_name, '~') == NULL)
			*hf_vec_push(v->arena, &names) = hf_strdup(v->arena, e->d_name);
	}
	if (names.n > 0)
		qsort(names.at, names.n, sizeof(*names.at), by_name);
	int r = 0;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const char *full = hf_path_join(v->arena, path, names.at[i]);
		r = hf_fs_is_dir(full) ? add_dir(v, full, depth + 1, err) : add_file(v, full, err);
	}
	return r;
}

int hf_inventory_add(struct hf_inventory *v, const char *source, struct hf_error *err)
{
	/* A comma makes a list of hosts, but in the name of a file that is there. */
	if (strchr(source, ',') != NULL && !hf_fs_exists(source))
		return add_list(v, source, err);
	char *path = realpath(source, NULL);
	if (path == NULL)
		return hf_fail_errno(err, HF_E_IO, "inventory %s", source);
	const char *full = hf_strdup(v->arena, path);
	free(path);
	*hf_vec_push(v->arena, &v->sources) = full;
	return hf_fs_is_dir(full) ? add_dir(v, full, 0, err) : add_file(v, full, err);
}
