/* lib/engine/lookup_config.c - lookup('config'): what a setting of Ansible's is here. Settings that have no
 * effect on one host are answered too: playbooks ask for paths and colours. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/config.h"
#include "lib/engine/filters.h"
#include "lib/engine/lookup.h"

enum setting_type { ANY, BOOL, INT, FLOAT, LIST, PATH, PATHS, PATHLIST };

static const struct setting {
	const char *name;
	enum setting_type type;
	const char *fallback, *variables, *keys;
} settings[] = {
#define HF_SETTING(name, type, fallback, variables, keys) { #name, type, fallback, variables, keys },
#include "lib/engine/setting.def"
#undef HF_SETTING
};

static int setting_compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct setting *)row)->name);
}

static const struct setting *setting_find(const char *name)
{
	return bsearch(name, settings, HF_COUNT(settings), sizeof(settings[0]), setting_compare);
}

/* What was given: the environment wins over the file, a later name over an earlier one. *ret NULL: nothing.
 */
static int setting_text(struct hf_arena *a, const struct setting *s, const char **ret, const char **ret_dir,
	struct hf_error *err)
{
	struct hf_str names = hf_str(s->variables), name;
	*ret = NULL;
	*ret_dir = ".";
	while (hf_str_split(&names, ' ', &name)) {
		const char *v = getenv(hf_str_dup(a, name));
		*ret = v != NULL ? v : *ret;
	}
	if (*ret != NULL)
		return 0;
	const char *path = NULL;
	int r = hf_config_setting(a, s->keys, ret, &path, err);
	if (r == 0 && *ret != NULL)
		*ret_dir = hf_path_dir(a, path);
	return r;
}

static const char *absolute(struct hf_arena *a, const char *path)
{
	char here[PATH_MAX];
	if (path[0] != '/' && getcwd(here, sizeof(here)) != NULL)
		path = hf_path_join(a, here, path);
	return hf_path_normalize(a, path);
}

static int home_of(struct hf_arena *a, const char **ret, struct hf_error *err);

static int path_value(
	struct hf_arena *a, const char *dir, struct hf_str text, struct hf_value **ret, struct hf_error *err)
{
	const char *path = hf_path_expand_user(a, hf_str_dup(a, text), NULL), *front = NULL;
	int r = 0;
	if (path[0] == '$' && (path[1] == '/' || path[1] == '\0'))
		r = home_of(a, &front, err);
	if (r < 0)
		return r;
	path = front != NULL ? hf_sprintf(a, "%s%s", front, path + 1) : hf_path_join(a, dir, path);
	*ret = hf_value_cstr(a, absolute(a, path));
	return 0;
}

static int list_value(struct hf_arena *a, const struct setting *s, const char *dir, const char *text,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *list = hf_value_list(a), *v = NULL;
	struct hf_str rest = hf_str(text), item;
	int r = 0;
	*ret = list;
	if (text == s->fallback && *text == '\0')
		return 0;
	while (r == 0 && hf_str_split(&rest, s->type == PATHS ? ':' : ',', &item)) {
		if (s->type == LIST)
			v = hf_value_str(a, hf_str_trim(item));
		else
			r = path_value(a, dir, s->type == PATHLIST ? hf_str_trim(item) : item, &v, err);
		if (r == 0)
			hf_list_append(list, v);
	}
	return r;
}

static struct hf_str unquoted(struct hf_str text)
{
	bool quoted =
		text.n > 1 && (text.p[0] == '"' || text.p[0] == '\'') && text.p[text.n - 1] == text.p[0];
	return quoted ? hf_strn(text.p + 1, text.n - 2) : text;
}

static int setting_value(
	struct hf_arena *a, const struct setting *s, struct hf_value **ret, struct hf_error *err)
{
	const char *given = NULL, *dir = ".";
	int r = setting_text(a, s, &given, &dir, err);
	const char *text = given != NULL ? given : s->fallback;
	int64_t number;
	char *end;
	if (r < 0)
		return r;
	if (text == NULL) {
		*ret = hf_value_null(a);
		return 0;
	}
	struct hf_value *plain = hf_value_str(a, unquoted(hf_str(text)));
	switch (s->type) {
	case ANY:
		*ret = plain;
		return 0;
	case BOOL:
		*ret = hf_value_bool(a, filter_truth(plain));
		return 0;
	case INT:
		if (!hf_str_to_int64(hf_str(text), &number))
			return hf_fail(err, HF_E_ARGUMENT, "%s: '%s' is not an integer", s->name, text);
		*ret = hf_value_int(a, number);
		return 0;
	case FLOAT:
		*ret = hf_value_float(a, strtod(text, &end));
		return *end == '\0' ? 0
				    : hf_fail(err, HF_E_ARGUMENT, "%s: '%s' is not a number", s->name, text);
	case PATH:
		return path_value(a, dir, hf_str(text), ret, err);
	case LIST:
	case PATHS:
	case PATHLIST:
		return list_value(a, s, dir, text, ret, err);
	}
	return hf_fail(err, HF_E_INTERNAL, "a setting without a type");
}

static int home_of(struct hf_arena *a, const char **ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = setting_value(a, setting_find("ANSIBLE_HOME"), &v, err);
	if (r == 0)
		*ret = v->u.string.p;
	return r;
}

static int config_file(struct hf_arena *a, struct hf_value **ret)
{
	const char *path = hf_config_path(a);
	*ret = path == NULL ? hf_value_null(a) : hf_value_cstr(a, absolute(a, path));
	return 0;
}

/* *ret NULL: there is no such setting, and the caller takes that. */
static int term_value(const struct lookup_call *c, const char *name, const char *missing,
	struct hf_value **ret, struct hf_error *err)
{
	const struct setting *s = setting_find(name);
	*ret = NULL;
	if (strcmp(name, "CONFIG_FILE") == 0)
		return config_file(c->arena, ret);
	if (s != NULL)
		return setting_value(c->arena, s, ret, err);
	if (strcmp(missing, "error") == 0)
		return hf_fail(err, HF_E_NOT_FOUND, "Unable to find setting %s", name);
	if (strcmp(missing, "warn") == 0)
		templar_warn(c->templar, "Skipping, did not find setting %s", name);
	return 0;
}

static int lookup_config(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	const char *missing = lookup_cstr(c, "on_missing", "error");
	bool type = lookup_cstr(c, "plugin_type", NULL) != NULL,
	     name = lookup_cstr(c, "plugin_name", NULL) != NULL;
	if (type != name)
		return hf_fail(err, HF_E_ARGUMENT,
			"Both plugin_type and plugin_name are required, cannot use one without the other");
	if (type)
		return hf_fail(err, HF_E_UNSUPPORTED,
			"config: settings of plugins are not supported: holdfast runs no Python plugins");
	if (strcmp(missing, "error") != 0 && strcmp(missing, "warn") != 0 && strcmp(missing, "skip") != 0)
		return hf_fail(err, HF_E_ARGUMENT,
			"\"on_missing\" must be a string and one of \"error\", \"warn\" or \"skip\", not %s",
			missing);
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		const struct hf_value *term = hf_list_at(c->terms, i);
		struct hf_value *v = NULL;
		if (term->type != HF_STRING)
			return hf_fail(err, HF_E_TEMPLATE,
				"Invalid setting identifier, \"%s\" is not a string, its a %s",
				hf_value_text(c->arena, term).p, hf_type_name(term));
		int r = term_value(c, term->u.string.p, missing, &v, err);
		if (r < 0)
			return r;
		if (v != NULL && lookup_bool(c, "show_origin", false)) {
			struct hf_value *pair = hf_value_tuple(c->arena);
			hf_list_append(pair, v);
			hf_list_append(pair, hf_value_null(c->arena));
			v = pair;
		}
		if (v != NULL)
			hf_list_append(into, v);
	}
	return 0;
}

const struct lookup_row hf_lookups_config[] = {
	{ "config", lookup_config, true }, /* reads ansible.cfg and the environment */
	{ 0 },
};
