/* requirements.yml as Ansible Galaxy reads it: a list of roles, or a mapping of roles and collections. */
#include <string.h>

#include "cli/require.h"
#include "lib/base/fs.h"
#include "lib/data/yaml.h"
#include "modules/registry.h"

enum { INCLUDE_DEPTH_MAX = 8 };

const char *require_title(struct hf_arena *a, const struct requirement *q)
{
	return hf_sprintf(a, "%s %s", q->kind == REQUIRE_ROLE ? "role" : "collection",
		q->name == NULL ? q->source : q->name);
}

const char *require_place(struct hf_arena *a, const struct requirement *q)
{
	const char *dot = q->kind == REQUIRE_ROLE ? NULL : strchr(q->name, '.');
	if (dot == NULL)
		return hf_sprintf(a, "roles/%s", q->name);
	return hf_sprintf(
		a, "collections/ansible_collections/%.*s/%s", (int)(dot - q->name), q->name, dot + 1);
}

/* Letters, digits, "_", "-" and single dots: what may be a folder of ours. */
static bool is_name(const char *text, size_t dots)
{
	static const char words[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t seen = 0;
	if (*text == '-')
		return false;
	for (;; seen++) {
		size_t n = strspn(text, words);
		if (n == 0 || (text[n] != '.' && text[n] != '\0'))
			return false;
		if (text[n] == '\0')
			return dots == SIZE_MAX || seen == dots;
		text += n + 1;
	}
}

static bool is_remote(const char *text)
{
	return strstr(text, "://") != NULL || strncmp(text, "git@", 4) == 0;
}

/* ".../ansible-role-web.git" and ".../web.tar.gz,v1" are named web and ansible-role-web. */
static const char *role_name_of(struct hf_arena *a, const char *source)
{
	const char *last = strrchr(source, '/');
	struct hf_str name = hf_str(last == NULL ? source : last + 1), rest = name;
	hf_str_split(&rest, ',', &name);
	if (hf_str_ends(name, ".git"))
		name.n -= 4;
	if (hf_str_ends(name, ".tar.gz"))
		name.n -= 7;
	return hf_str_dup(a, name);
}

static bool is_builtin(const char *collection)
{
	for (const struct hf_module *const *m = hf_modules.modules; *m != NULL; m++)
		if ((*m)->collection != NULL && strcmp((*m)->collection, collection) == 0)
			return true;
	return strcmp(collection, "ansible.builtin") == 0;
}

static bool is_known(const struct require *r, const struct requirement *q)
{
	for (size_t i = 0; i < r->wanted.n; i++) {
		const struct requirement *other = &r->wanted.at[i];
		if (other->kind == q->kind && other->name != NULL && q->name != NULL &&
			strcmp(other->name, q->name) == 0)
			return true;
	}
	return false;
}

/* The first that names a thing counts; the tree's own counts before all. */
static int want(struct require *r, struct requirement *q, struct hf_error *err)
{
	struct hf_arena *a = r->arena;
	if (q->name != NULL && !is_name(q->name, q->kind == REQUIRE_ROLE ? SIZE_MAX : 1))
		return hf_fail_at(err, HF_E_PARSE, q->pos, "\"%s\" cannot be the name of a %s", q->name,
			q->kind == REQUIRE_ROLE ? "role" : "collection (namespace.name)");
	if (q->name != NULL && hf_fs_is_dir(hf_path_join(a, r->folder, require_place(a, q))))
		return 0;
	if (q->type == REQUIRE_GALAXY && q->kind == REQUIRE_COLLECTION && is_builtin(q->name))
		return 0;
	if (is_known(r, q))
		return 0;
	if (r->wanted.n == REQUIRE_MAX)
		return hf_fail_at(err, HF_E_LIMIT, q->pos, "more than %d requirements", REQUIRE_MAX);
	*hf_vec_push(a, &r->wanted) = *q;
	return 0;
}

static int keys_check(
	const struct hf_value *v, const char *const *known, const char *what, struct hf_error *err)
{
	HF_DICT_EACH (v, e) {
		const struct hf_value *key = hf_entry_key(e);
		bool found = false;
		for (size_t i = 0; hf_is(key, HF_STRING) && known[i] != NULL && !found; i++)
			found = hf_str_is(key->u.string, known[i]);
		if (!found)
			return hf_fail_at(err, HF_E_UNSUPPORTED, hf_value_pos(key),
				"%s: holdfast does not know \"%s\"", what,
				hf_is(key, HF_STRING) ? key->u.string.p : hf_type_name(key));
	}
	return 0;
}

/* Text of a field; a version such as 1.0 is a number in YAML. NULL when it is not there. */
static const char *field(struct hf_arena *a, const struct hf_value *v, const char *key)
{
	const struct hf_value *f = hf_dict_get(v, key);
	return f == NULL || hf_is(f, HF_NULL) ? NULL : hf_value_text(a, f).p;
}

static const char *without(struct hf_arena *a, const char *text, const char *prefix)
{
	size_t n = strlen(prefix);
	return strncmp(text, prefix, n) == 0 ? hf_strdup(a, text + n) : text;
}

static bool is_tarball(struct hf_str source)
{
	return hf_str_ends(source, ".tar.gz") || hf_str_ends(source, ".tgz") || hf_str_ends(source, ".tar");
}

static bool is_repository(struct hf_str source)
{
	bool github = hf_str_find(source, HF_STR("github.com"), 0) != SIZE_MAX &&
		      hf_str_starts(source, "http") && !is_tarball(source);
	return github || hf_str_starts(source, "git+") || hf_str_starts(source, "git@") ||
	       hf_str_ends(source, ".git");
}

static bool is_folder(struct require *r, const char *source)
{
	return strchr(source, '/') != NULL && hf_fs_is_dir(hf_path_join(r->arena, r->base, source));
}

static int role_type(struct require *r, struct requirement *q, const char *scm, struct hf_error *err)
{
	if (scm != NULL && strcmp(scm, "git") != 0)
		return hf_fail_at(err, HF_E_UNSUPPORTED, q->pos,
			"scm: %s: holdfast fetches from git repositories and tarballs", scm);
	if (scm != NULL || is_repository(hf_str(q->source)))
		q->type = REQUIRE_GIT;
	else if (is_remote(q->source))
		q->type = REQUIRE_URL;
	else if (is_tarball(hf_str(q->source)))
		q->type = REQUIRE_FILE;
	else
		q->type = is_folder(r, q->source) ? REQUIRE_DIR : REQUIRE_GALAXY;
	q->source = without(r->arena, q->source, "git+");
	if (q->type == REQUIRE_GALAXY && !is_name(q->source, 1))
		return hf_fail_at(err, HF_E_PARSE, q->pos,
			"\"%s\" is neither a URL, a tarball, a folder nor a role of a Galaxy server "
			"(namespace.name)",
			q->source);
	return 0;
}

/* "source,version,name" */
static struct hf_value *role_words(struct hf_arena *a, const struct hf_value *v)
{
	static const char *const keys[] = { "src", "version", "name" };
	struct hf_value *dict = hf_value_at(hf_value_dict(a), hf_value_pos(v));
	struct hf_str rest = v->u.string, word;
	for (size_t i = 0; i < HF_COUNT(keys) && hf_str_split(&rest, ',', &word); i++)
		hf_dict_put(dict, keys[i], hf_value_str(a, hf_str_trim(word)));
	return dict;
}

int require_role_add(struct require *r, const struct hf_value *v, bool needed, struct hf_error *err)
{
	static const char *const known[] = { "src", "name", "version", "scm", "role", NULL };
	struct hf_arena *a = r->arena;
	struct requirement q = {
		.kind = REQUIRE_ROLE, .below = "", .pos = hf_value_pos(v), .needed = needed
	};
	if (hf_is(v, HF_STRING))
		v = role_words(a, v);
	if (!hf_is(v, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, q.pos, "a role is a name or a mapping with src");
	int result = needed ? 0 : keys_check(v, known, "a role", err);
	if (result < 0)
		return result;
	const char *name = field(a, v, "name"), *src = field(a, v, "src");
	name = name == NULL ? field(a, v, "role") : name;
	q.source = src == NULL ? name : src;
	q.version = field(a, v, "version") == NULL ? "" : field(a, v, "version");
	if (q.source == NULL)
		return hf_fail_at(err, HF_E_PARSE, q.pos, "a role needs src or name");
	result = role_type(r, &q, field(a, v, "scm"), err);
	q.name = name != NULL ? name : q.type == REQUIRE_GALAXY ? q.source : role_name_of(a, q.source);
	return result < 0 ? result : want(r, &q, err);
}

static int collection_type(struct require *r, const char *type, struct requirement *q, struct hf_error *err)
{
	static const struct {
		const char *word;
		enum require_type type;
	} words[] = { { "git", REQUIRE_GIT }, { "url", REQUIRE_URL }, { "file", REQUIRE_FILE },
		{ "dir", REQUIRE_DIR }, { "galaxy", REQUIRE_GALAXY } };
	struct hf_str source = hf_str(q->source);
	for (size_t i = 0; type != NULL && i < HF_COUNT(words); i++)
		if (strcmp(type, words[i].word) == 0) {
			q->type = words[i].type;
			return 0;
		}
	if (type != NULL)
		return hf_fail_at(err, HF_E_UNSUPPORTED, q->pos,
			"type: %s: holdfast knows git, url, file, dir and galaxy", type);
	if (hf_str_starts(source, "git+") || hf_str_starts(source, "git@"))
		q->type = REQUIRE_GIT;
	else if (is_remote(q->source))
		q->type = REQUIRE_URL;
	else if (is_folder(r, q->source))
		q->type = REQUIRE_DIR;
	else
		q->type = strchr(q->source, '/') != NULL ? REQUIRE_FILE : REQUIRE_GALAXY;
	return 0;
}

/* "repo.git#/below,version": what git's own form of a source carries. */
static void git_words(struct hf_arena *a, struct requirement *q)
{
	struct hf_str rest = hf_str(without(a, q->source, "git+")), source = rest, below;
	hf_str_split(&rest, ',', &source);
	if (rest.n > 0 && *q->version == '\0')
		q->version = hf_str_dup(a, rest);
	rest = source;
	hf_str_split(&rest, '#', &source);
	below = rest;
	while (below.n > 0 && below.p[0] == '/')
		below = hf_strn(below.p + 1, below.n - 1);
	q->source = hf_str_dup(a, source);
	q->below = hf_str_dup(a, below);
}

/* What was written, into source and version; *ret_place is `source` of a mapping. */
static int collection_words(struct require *r, const struct hf_value *v, struct requirement *q,
	const char **ret_place, const char **ret_type, struct hf_error *err)
{
	static const char *const known[] = { "name", "version", "source", "type", NULL };
	struct hf_arena *a = r->arena;
	if (hf_is(v, HF_DICT)) {
		int result = keys_check(v, known, "a collection", err);
		if (result < 0)
			return result;
		q->source = field(a, v, "name");
		q->version = field(a, v, "version") == NULL ? "" : field(a, v, "version");
		*ret_type = field(a, v, "type");
		*ret_place = field(a, v, "source");
	} else if (hf_is(v, HF_STRING)) {
		struct hf_str rest = v->u.string, name = rest;
		if (!is_remote(rest.p))
			hf_str_split(&rest, ':', &name);
		q->source = hf_str_dup(a, name);
		q->version = rest.p == name.p ? "" : hf_str_dup(a, rest);
	}
	if (q->source == NULL)
		q->source = *ret_place;
	return q->source != NULL ? 0 : hf_fail_at(err, HF_E_PARSE, q->pos, "a collection needs a name");
}

int require_collection_add(struct require *r, const struct hf_value *v, bool needed, struct hf_error *err)
{
	struct requirement q = { .kind = REQUIRE_COLLECTION,
		.below = "",
		.version = "",
		.pos = hf_value_pos(v),
		.needed = needed };
	const char *type = NULL, *place = NULL;
	int result = collection_words(r, v, &q, &place, &type, err);
	if (result < 0)
		return result;
	bool named = is_name(q.source, 1), elsewhere = type != NULL && strcmp(type, "galaxy") != 0;
	if (place != NULL && named && elsewhere) { /* the name may be told beside the place */
		q.name = q.source;
		q.source = place;
	} else if (place != NULL && named) {
		q.server = place;
	}
	result = collection_type(r, type, &q, err);
	if (result == 0 && q.type == REQUIRE_GIT)
		git_words(r->arena, &q);
	if (result == 0 && q.type == REQUIRE_GALAXY) {
		if (!named)
			return hf_fail_at(err, HF_E_PARSE, q.pos,
				"\"%s\" is no collection of a Galaxy server (namespace.name)", q.source);
		q.name = q.source;
		q.version = strcmp(q.version, "*") == 0 ? "" : q.version;
	}
	return result < 0 ? result : want(r, &q, err);
}

static int file_read(struct require *r, const char *path, int depth, struct hf_error *err);

static int roles_add(
	struct require *r, const struct hf_value *list, const char *path, int depth, struct hf_error *err)
{
	int result = 0;
	for (size_t i = 0; result == 0 && i < hf_list_len(list); i++) {
		const struct hf_value *v = hf_list_at(list, i);
		const char *include = hf_is(v, HF_DICT) ? field(r->arena, v, "include") : NULL;
		if (include == NULL)
			result = require_role_add(r, v, false, err);
		else
			result = file_read(r, hf_path_join(r->arena, hf_path_dir(r->arena, path), include),
				depth + 1, err);
	}
	return result;
}

static int file_read(struct require *r, const char *path, int depth, struct hf_error *err)
{
	static const char *const known[] = { "roles", "collections", NULL };
	struct hf_value *v = NULL;
	if (depth > INCLUDE_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "%s: includes are more than %d deep, or in a circle", path,
			INCLUDE_DEPTH_MAX);
	int result = hf_yaml_load(r->arena, path, &(struct hf_yaml_options){ .plain = true }, &v, err);
	if (result < 0)
		return result;
	if (hf_is(v, HF_LIST))
		return roles_add(r, v, path, depth, err);
	if (hf_is(v, HF_NULL))
		return 0;
	if (!hf_is(v, HF_DICT))
		return hf_fail(err, HF_E_ARGUMENT,
			"%s: requirements are a list of roles, or a mapping of roles and collections", path);
	result = keys_check(v, known, path, err);
	const struct hf_value *roles = hf_dict_get(v, "roles"), *collections = hf_dict_get(v, "collections");
	if (result == 0 && hf_is(roles, HF_LIST))
		result = roles_add(r, roles, path, depth, err);
	for (size_t i = 0; result == 0 && hf_is(collections, HF_LIST) && i < hf_list_len(collections); i++)
		result = require_collection_add(r, hf_list_at(collections, i), false, err);
	return result;
}

int require_read(struct require *r, struct hf_error *err)
{
	static const char *const names[] = { "requirements.yml", "roles/requirements.yml",
		"collections/requirements.yml" };
	int result = 0;
	for (size_t i = 0; result == 0 && i < HF_COUNT(names); i++) {
		const char *path = hf_path_join(r->arena, r->folder, names[i]);
		if (hf_fs_exists(path))
			result = file_read(r, path, 0, err);
	}
	return result;
}
