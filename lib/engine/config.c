#include "lib/engine/config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"

enum { CONFIG_MAX = 1 << 20, LINES_MAX = 20000 };

static const char *config_path(struct hf_arena *a)
{
	const char *home = getenv("HOME"), *named = getenv("ANSIBLE_CONFIG");
	if (named != NULL && named[0] != '\0')
		return hf_fs_is_dir(named) ? hf_path_join(a, named, "ansible.cfg") : named;
	if (hf_fs_exists("ansible.cfg"))
		return "ansible.cfg";
	if (home != NULL && hf_fs_exists(hf_sprintf(a, "%s/.ansible.cfg", home)))
		return hf_sprintf(a, "%s/.ansible.cfg", home);
	return hf_fs_exists("/etc/ansible/ansible.cfg") ? "/etc/ansible/ansible.cfg" : NULL;
}

static const char *expand(struct hf_arena *a, const char *dir, struct hf_str path)
{
	const char *home = getenv("HOME");
	char *text = hf_str_dup(a, path);
	if (text[0] == '~' && (text[1] == '/' || text[1] == '\0') && home != NULL)
		return hf_sprintf(a, "%s%s", home, text + 1);
	return hf_path_join(a, dir, text);
}

static const char *const *paths(struct hf_arena *a, const char *dir, const char *text, char separator)
{
	HF_VEC(const char *) out = { 0 };
	struct hf_str rest = hf_str(text), piece;
	while (hf_str_split(&rest, separator, &piece)) {
		if (hf_str_trim(piece).n > 0)
			*hf_vec_push(a, &out) = expand(a, dir, hf_str_trim(piece));
	}
	*hf_vec_push(a, &out) = NULL;
	return out.at;
}

/* Settings of [defaults] that are ours to follow; NULL when the file does not give them. */
struct settings {
	const char *dir, *roles_path, *collections_path, *inventory, *gathering;
};

static void take(struct hf_arena *a, struct settings *s, struct hf_str key, struct hf_str value)
{
	const struct {
		const char *name;
		const char **into;
	} rows[] = {
		{ "roles_path", &s->roles_path },
		{ "collections_path", &s->collections_path },
		{ "collections_paths", &s->collections_path },
		{ "inventory", &s->inventory },
		{ "gathering", &s->gathering },
	};
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		if (hf_str_is(key, rows[i].name))
			*rows[i].into = hf_str_dup(a, value);
	}
}

static int read_file(struct hf_arena *a, const char *path, struct settings *s, struct hf_error *err)
{
	struct hf_str text, line;
	int r = hf_fs_read(a, path, CONFIG_MAX, &text, err);
	if (r < 0)
		return r;
	bool defaults = false;
	s->dir = hf_path_dir(a, path);
	for (size_t n = 0; n < LINES_MAX && hf_str_split(&text, '\n', &line); n++) {
		line = hf_str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (line.p[0] == '[') {
			defaults = hf_str_is(line, "[defaults]");
			continue;
		}
		size_t at = hf_str_find(line, HF_STR("="), 0);
		if (defaults && at != SIZE_MAX) {
			struct hf_str value = hf_strn(line.p + at + 1, line.n - at - 1);
			size_t comment = hf_str_find(value, HF_STR(" ;"), 0);
			if (comment != SIZE_MAX)
				value.n = comment;
			take(a, s, hf_str_trim(hf_strn(line.p, at)), hf_str_trim(value));
		}
	}
	return 0;
}

static const char *pick(const char *option, const char *variable, const char *file, const char *fallback)
{
	const char *from_env = variable == NULL ? NULL : getenv(variable);
	return option != NULL ? option : from_env != NULL ? from_env : file != NULL ? file : fallback;
}

int hf_config_read(struct hf_arena *a, const struct hf_run_options *options, const char *base,
	struct hf_config *ret, struct hf_error *err)
{
	struct settings s = { .dir = "." };
	const char *path = config_path(a);
	int r = path == NULL ? 0 : read_file(a, path, &s, err);
	if (r < 0)
		return r;
	(void)base;
	const char *inventory = pick(NULL, "ANSIBLE_INVENTORY", s.inventory, NULL);
	*ret = (struct hf_config){
		.roles_path = paths(a, s.dir,
			pick(options->roles_path, "ANSIBLE_ROLES_PATH", s.roles_path,
				"~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles"),
			':'),
		.collections_path = paths(a, s.dir,
			pick(options->collections_path, "ANSIBLE_COLLECTIONS_PATH", s.collections_path,
				"~/.ansible/collections:/usr/share/ansible/collections"),
			':'),
		.inventories = inventory == NULL ? NULL : paths(a, s.dir, inventory, ','),
		.gathering = pick(NULL, "ANSIBLE_GATHERING", s.gathering, NULL),
	};
	return 0;
}
