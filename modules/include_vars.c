#include <dirent.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/engine/module.h"
#include "lib/engine/regex.h"

enum { FILES_MAX = 10000, DEPTH_MAX = 64, EXTENSIONS_TEXT_MAX = 4096, JSON_TEXT_MAX = 1 << 16 };

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
	{ "extensions", HF_ARG_LIST, offsetof(struct params, extensions), .dflt = "yaml,yml,json",
		.elements = HF_ARG_STR, .help = "Which files of dir." },
	{ "file", HF_ARG_PATH, offsetof(struct params, file), .help = "A file of variables." },
	{ "files_matching", HF_ARG_STR, offsetof(struct params, matching),
		.help = "Regular expression for names in dir." },
	{ "hash_behaviour", HF_ARG_STR, offsetof(struct params, hash_behaviour), .choices = hash_choices,
		.help = "merge: each variable is put over the dictionary of that name there is." },
	{ "ignore_files", HF_ARG_LIST, offsetof(struct params, ignore_files), .elements = HF_ARG_STR,
		.help = "Names in dir to leave out." },
	{ "ignore_unknown_extensions", HF_ARG_BOOL, offsetof(struct params, ignore_unknown), .dflt = "no",
		.help = "Leave files with other extensions out instead of failing." },
	{ "name", HF_ARG_STR, offsetof(struct params, name), .help = "Put all into this one variable." },
	{ .type = HF_ARG_END },
};

static void merge(struct hf_arena *a, struct hf_value *into, const struct hf_value *from, bool deep)
{
	HF_DICT_EACH (from, e) {
		struct hf_value *old = deep ? hf_dict_find(into, hf_entry_key(e)) : NULL;
		struct hf_value *value = hf_entry_value(e);
		if (hf_is(old, HF_DICT) && hf_is(value, HF_DICT)) {
			struct hf_value *both = hf_value_dict(a);
			merge(a, both, old, true);
			merge(a, both, value, true);
			value = both;
		}
		hf_dict_set(into, hf_entry_key(e), value);
	}
}

static bool has_extension(const struct params *p, const char *path)
{
	const char *name = hf_path_base(path) + strspn(hf_path_base(path), "."), *dot = strrchr(name, '.');
	const char *own = dot == NULL ? "" : dot + 1;
	for (size_t i = 0; i < hf_list_len(p->extensions); i++) {
		const char *want = hf_list_at(p->extensions, i)->u.string.p;
		if (strcmp(own, want[0] == '.' ? want + 1 : want) == 0)
			return true;
	}
	return false;
}

static int read_file(struct hf_module_context *c, const char *path, struct hf_value *into,
	struct hf_value *included, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str text;
	bool secret = false;
	int r = hf_task_read(c, path, false, &text, &secret, err);
	struct hf_value *v = NULL;
	if (r == 0)
		r = hf_task_yaml(c, text, path, &v, err);
	if (r < 0)
		return r;
	if (!hf_is(v, HF_DICT) && !hf_is(v, HF_NULL))
		return hf_fail(err, HF_E_TASK, "%s must be stored as a dictionary/hash", path);
	if (hf_is(v, HF_DICT))
		merge(a, into, secret ? hf_value_with_flags(a, v, HF_VALUE_SECRET) : v, false);
	hf_list_append(included, hf_value_cstr(a, path));
	return 0;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Fails where the expression is none; wrong: what is said then. */
static int name_matches(struct hf_module_context *c, const char *pattern, const char *wrong, const char *name,
	bool *ret, struct hf_error *err)
{
	struct hf_regex *made = NULL;
	struct hf_regex_match m = { 0 };
	if (hf_regex_get(hf_str(pattern), 0, &made, err) < 0)
		return wrong == NULL ? -HF_E_TASK : hf_fail(err, HF_E_TASK, "%s: %s", wrong, pattern);
	hf_auto_regex re = made;
	int r = hf_regex_exec(hf_task_arena(c), re, hf_str(name), 0, HF_REGEX_SEARCH, &m, err);
	*ret = r == 0 && m.found;
	return r;
}

/* ignore_files are expressions for how names end. */
static int ignored(struct hf_module_context *c, const struct params *p, const char *name, bool *ret,
	struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	*ret = false;
	for (size_t i = 0; p->ignore_files != NULL && i < hf_list_len(p->ignore_files) && !*ret; i++) {
		const char *one = hf_list_at(p->ignore_files, i)->u.string.p;
		int r = name_matches(
			c, hf_sprintf(a, "%s$", one), "Invalid regular expression", name, ret, err);
		if (r < 0)
			return r;
	}
	return 0;
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
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			*hf_vec_push(a, ret) = hf_strdup(a, e->d_name);
	}
	if (ret->n > 0)
		qsort(ret->at, ret->n, sizeof(*ret->at), by_name);
	return 0;
}

static int read_one(struct hf_module_context *c, const struct params *p, const char *path,
	struct hf_value *into, struct hf_value *included, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *name = hf_path_base(path);
	bool wanted = true, left_out = false;
	int r = p->matching != NULL ? name_matches(c, p->matching, NULL, name, &wanted, err) : 0;
	if (r == 0 && wanted)
		r = ignored(c, p, name, &left_out, err);
	if (r < 0 || !wanted || left_out || !hf_fs_exists(path))
		return r;
	if (has_extension(p, path))
		return read_file(c, path, into, included, err);
	if (p->ignore_unknown == HF_YES)
		return 0;
	hf_auto_buf known = hf_buf_init(EXTENSIONS_TEXT_MAX);
	for (size_t i = 0; i < hf_list_len(p->extensions); i++)
		hf_buf_printf(&known, "%s%s", i > 0 ? ", " : "", hf_list_at(p->extensions, i)->u.string.p);
	return hf_fail(
		err, HF_E_TASK, "%s does not have a valid extension: %s", path, hf_buf_dup(a, &known).p);
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

static bool is_name(const char *text)
{
	return *text != '\0' && (*text < '0' || *text > '9') &&
	       text[strspn(text, "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == '\0';
}

static const char *json_of(struct hf_arena *a, const struct hf_value *v)
{
	hf_auto_buf out = hf_buf_init(JSON_TEXT_MAX);
	struct hf_error ignored;
	return hf_json_write(&out, v, &HF_JSON_PYTHON, &ignored) < 0 ? "" : hf_buf_dup(a, &out).p;
}

/* hash_behaviour: merge. Each variable is put over the one of that name there is, and both must be
 * dictionaries. */
static int merge_with_vars(struct hf_module_context *c, struct hf_value *vars, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	HF_DICT_EACH (vars, e) {
		const char *name = hf_value_text(a, hf_entry_key(e)).p;
		struct hf_value *old = hf_value_null(a), *now = hf_entry_value(e), *both = hf_value_dict(a);
		bool known = false;
		const char *defined = hf_sprintf(a, "%s is defined", name);
		int r = is_name(name) ? hf_task_condition(c, hf_value_cstr(a, defined), &known, err) : 0;
		if (r == 0 && known)
			r = hf_task_evaluate(c, hf_str(name), &old, err);
		if (r < 0)
			return r;
		if (!hf_is(old, HF_DICT) || !hf_is(now, HF_DICT))
			return hf_fail(err, HF_E_TASK,
				"failed to combine variables, expected dicts but got a '%s' and a '%s': "
				"\n%s\n%s",
				hf_type_name(old), hf_type_name(now), json_of(a, old), json_of(a, now));
		merge(a, both, old, true);
		merge(a, both, now, true);
		hf_dict_set(vars, hf_entry_key(e), both);
	}
	return 0;
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

static int source_read(struct hf_module_context *c, const struct params *p, const char *file,
	struct hf_value *into, struct hf_value *included, struct hf_error *err)
{
	char *path = NULL;
	if (file != NULL && *file == '\0')
		return hf_fail(err, HF_E_TASK, "Could not find file on the Ansible Controller.");
	int r = hf_task_find(c, "vars", p->dir != NULL ? p->dir : file, &path, err);
	if (p->dir == NULL)
		return r < 0 ? r : read_file(c, path, into, included, err);
	if (r < 0)
		return hf_fail(err, HF_E_TASK, "%s directory does not exist", p->dir);
	if (!hf_fs_is_dir(path))
		return hf_fail(err, HF_E_TASK, "%s is not a directory", path);
	return read_dir(c, p, path, 1, into, included, err);
}

static int include_vars_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	const char *file = file_named(a, p);
	struct hf_value *vars = hf_value_dict(a), *included = hf_value_list(a);
	if (file != NULL && p->dir != NULL)
		return hf_fail(err, HF_E_TASK,
			"You are mixing file only and dir only arguments, these are incompatible");
	if (file == NULL && p->dir == NULL)
		return hf_fail(err, HF_E_TASK, "include_vars needs either a file or a dir");
	int r = source_read(c, p, file, vars, included, err);
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
	if (p->hash_behaviour != NULL && strcmp(p->hash_behaviour, "merge") == 0)
		r = merge_with_vars(c, vars, err);
	if (r < 0)
		return r;
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
