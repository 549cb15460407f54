#include <dirent.h>
#include <regex.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/data/yaml.h"
#include "lib/engine/module.h"

enum { FILES_MAX = 10000, DEPTH_MAX = 64 };

struct params {
	const char *file, *dir, *name, *raw, *matching;
	int64_t depth;
	struct hf_value *ignore_files, *extensions;
	enum hf_tristate ignore_unknown;
	const char *hash_behaviour;
};

static const char *const hash_choices[] = { "replace", "merge", NULL };
static const struct hf_arg args[] = {
	{ "_raw_params", HF_ARG_STR, offsetof(struct params, raw), .help = "The file, as free text." },
	{ "depth", HF_ARG_INT, offsetof(struct params, depth), .dflt = "0",
		.help = "How deep dir is searched; 0: all." },
	{ "dir", HF_ARG_PATH, offsetof(struct params, dir),
		.help = "A folder of files, read in order of name." },
	{ "extensions", HF_ARG_LIST, offsetof(struct params, extensions), .dflt = "json,yaml,yml",
		.elements = HF_ARG_STR, .help = "Which files of dir." },
	{ "file", HF_ARG_PATH, offsetof(struct params, file), .help = "A file of variables." },
	{ "files_matching", HF_ARG_STR, offsetof(struct params, matching),
		.help = "Regular expression for names in dir." },
	{ "hash_behaviour", HF_ARG_STR, offsetof(struct params, hash_behaviour), .choices = hash_choices,
		.help = "Whether dictionaries of several files are merged." },
	{ "ignore_files", HF_ARG_LIST, offsetof(struct params, ignore_files), .elements = HF_ARG_STR,
		.help = "Names in dir to leave out." },
	{ "ignore_unknown_extensions", HF_ARG_BOOL, offsetof(struct params, ignore_unknown), .dflt = "no",
		.help = "Leave files with other extensions out instead of failing." },
	{ "name", HF_ARG_STR, offsetof(struct params, name), .help = "Put all into this one variable." },
	{ .type = HF_ARG_END },
};

static void merge(struct hf_value *into, const struct hf_value *from, bool deep)
{
	HF_DICT_EACH (from, e) {
		struct hf_value *old = deep ? hf_dict_find(into, hf_entry_key(e)) : NULL;
		if (hf_is(old, HF_DICT) && hf_is(hf_entry_value(e), HF_DICT))
			merge(old, hf_entry_value(e), true);
		else
			hf_dict_set(into, hf_entry_key(e), hf_entry_value(e));
	}
}

static bool has_extension(const struct params *p, const char *path)
{
	const char *dot = strrchr(hf_path_base(path), '.'), *own = dot == NULL ? "" : dot + 1;
	for (size_t i = 0; i < hf_list_len(p->extensions); i++) {
		const char *want = hf_list_at(p->extensions, i)->u.string.p;
		if (strcmp(own, want[0] == '.' ? want + 1 : want) == 0)
			return true;
	}
	return false;
}

static int read_file(struct hf_module_context *c, const struct params *p, const char *path,
	struct hf_value *into, struct hf_value *included, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str text;
	bool secret = false;
	int r = hf_task_read(c, path, false, &text, &secret, err);
	struct hf_value *v = NULL;
	if (r == 0)
		r = hf_yaml_parse(a, text, path, NULL, &v, err);
	if (r < 0)
		return r;
	if (!hf_is(v, HF_DICT) && !hf_is(v, HF_NULL))
		return hf_fail(err, HF_E_TASK, "%s must be stored as a dictionary/hash", path);
	if (hf_is(v, HF_DICT))
		merge(into, secret ? hf_value_with_flags(a, v, HF_VALUE_SECRET) : v,
			p->hash_behaviour != NULL && strcmp(p->hash_behaviour, "merge") == 0);
	hf_list_append(included, hf_value_cstr(a, path));
	return 0;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static bool ignored(const struct params *p, const char *name)
{
	for (size_t i = 0; p->ignore_files != NULL && i < hf_list_len(p->ignore_files); i++) {
		if (strcmp(name, hf_list_at(p->ignore_files, i)->u.string.p) == 0)
			return true;
	}
	return false;
}

static bool matches(const struct params *p, const char *name)
{
	regex_t re;
	if (p->matching == NULL)
		return true;
	if (regcomp(&re, p->matching, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	bool found = regexec(&re, name, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

struct names {
	const char **at;
	size_t n, room;
};

static int list_dir(struct hf_module_context *c, const struct params *p, const char *dir, struct names *ret,
	struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	hf_auto_dir d = opendir(dir);
	if (d == NULL)
		return hf_fail_errno(err, HF_E_TASK, "%s directory does not exist", dir);
	for (const struct dirent *e; (e = readdir(d)) != NULL && ret->n < FILES_MAX;) {
		if (e->d_name[0] != '.' && !ignored(p, e->d_name))
			*hf_vec_push(a, ret) = hf_strdup(a, e->d_name);
	}
	if (ret->n > 0)
		qsort(ret->at, ret->n, sizeof(*ret->at), by_name);
	return 0;
}

static int read_one(struct hf_module_context *c, const struct params *p, const char *path,
	struct hf_value *into, struct hf_value *included, struct hf_error *err)
{
	if (!matches(p, hf_path_base(path)))
		return 0;
	if (has_extension(p, path))
		return read_file(c, p, path, into, included, err);
	if (p->ignore_unknown == HF_YES)
		return 0;
	return hf_fail(err, HF_E_TASK, "%s does not have a valid extension: json, yaml, yml", path);
}

static int read_dir(struct hf_module_context *c, const struct params *p, const char *dir, int64_t level,
	struct hf_value *into, struct hf_value *included, struct hf_error *err)
{
	if (level > DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: folders are nested too deeply", dir);
	struct names names = { 0 };
	int r = list_dir(c, p, dir, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const char *path = hf_path_join(hf_task_arena(c), dir, names.at[i]);
		if (!hf_fs_is_dir(path))
			r = read_one(c, p, path, into, included, err);
	}
	for (size_t i = 0; r == 0 && i < names.n && (p->depth == 0 || level < p->depth); i++) {
		const char *path = hf_path_join(hf_task_arena(c), dir, names.at[i]);
		if (hf_fs_is_dir(path))
			r = read_dir(c, p, path, level + 1, into, included, err);
	}
	return r;
}

/* A block of text names it without the newlines it ends in. */
static const char *file_named(struct hf_arena *a, const struct params *p)
{
	if (p->file != NULL || p->raw == NULL)
		return p->file;
	struct hf_str raw = hf_str(p->raw);
	while (raw.n > 0 && raw.p[raw.n - 1] == '\n')
		raw.n--;
	return hf_str_dup(a, raw);
}

static int include_vars_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	const char *file = file_named(a, p);
	struct hf_value *vars = hf_value_dict(a), *included = hf_value_list(a);
	char *path = NULL;
	if ((file == NULL) == (p->dir == NULL))
		return hf_fail(err, HF_E_TASK, "include_vars needs either a file or a dir");
	int r = file != NULL && *file == '\0'
			? hf_fail(err, HF_E_TASK, "Could not find file on the Ansible Controller.")
			: hf_task_find(c, "vars", p->dir != NULL ? p->dir : file, &path, err);
	if (r == 0)
		r = p->dir != NULL ? read_dir(c, p, path, 1, vars, included, err)
				   : read_file(c, p, path, vars, included, err);
	if (r < 0 && err->code != HF_E_UNSUPPORTED) {
		hf_result_put(c, change, "ansible_facts", hf_value_dict(a));
		hf_result_put(c, change, "ansible_included_var_files", hf_value_list(a));
		hf_result_cstr(c, change, "message", err->text);
		return hf_fail(err, HF_E_TASK, "%s", hf_strdup(a, err->text));
	}
	if (r < 0)
		return r;
	if (p->name != NULL && p->name[0] != '\0') {
		struct hf_value *one = hf_value_dict(a);
		hf_dict_put(one, p->name, vars);
		vars = one;
	}
	hf_result_put(c, change, "ansible_facts", vars);
	hf_result_put(c, change, "ansible_included_var_files", included);
	return 0;
}

const struct hf_module hf_module_include_vars = {
	.name = "include_vars",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_FREE_FORM | HF_MODULE_NO_RESOURCE | HF_MODULE_NO_BECOME | HF_MODULE_READ_ONLY,
	.check = include_vars_check,
};
