/* One requirement becomes a folder: from a repository, a tarball, a folder or a Galaxy server. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/require.h"
#include "lib/base/fs.h"
#include "lib/base/proc.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/net/http.h"

enum { GIT_MS = 600000, DOWNLOAD_MS = 600000, META_MAX = 4 << 20 };
#define DOWNLOAD_MAX ((uint64_t)512 << 20)

const char *require_new_path(struct require *r, const char *what)
{
	return hf_sprintf(r->arena, "%s/%s-%u", r->temp, what, ++r->number);
}

/* --- git --- */

/* Repositories are fetched over these ways only: others would run programs that the URL names. */
static int git_run(struct hf_arena *a, const char *const *words, struct hf_str *ret, struct hf_error *err)
{
	HF_VEC(const char *) argv = { 0 };
	static const char *const start[] = { "env", "GIT_ALLOW_PROTOCOL=file:git:http:https:ssh",
		"GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "git", "-c", "safe.bareRepository=all" };
	for (size_t i = 0; i < HF_COUNT(start); i++)
		*hf_vec_push(a, &argv) = start[i];
	for (size_t i = 0; words[i] != NULL; i++)
		*hf_vec_push(a, &argv) = words[i];
	*hf_vec_push(a, &argv) = NULL;
	struct hf_proc_spec spec = { .argv = argv.at, .timeout_ms = GIT_MS, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result run;
	int result = hf_proc_run(a, &spec, &run, err);
	if (result < 0)
		return hf_wrap(err, "git");
	if (run.status != 0)
		return hf_fail(err, HF_E_IO, "git: %.*s", HF_STR_ARG(hf_str_trim(run.err)));
	if (ret != NULL)
		*ret = hf_str_trim(run.out);
	return 0;
}

static int git_fetch(struct require *r, struct requirement *q, const char *folder, struct hf_error *err)
{
	struct hf_arena *a = r->arena;
	const char *clone = require_new_path(r, "git"), *archive = require_new_path(r, "tar");
	const char *at = hf_sprintf(a, "--git-dir=%s", clone);
	bool local = strstr(q->source, "://") == NULL && strchr(q->source, ':') == NULL;
	const char *source = local ? hf_path_join(a, r->base, q->source) : q->source;
	struct hf_str commit = { 0 };
	int result = git_run(
		a, (const char *const[]){ "clone", "-q", "--bare", "--", source, clone, NULL }, NULL, err);
	if (result == 0) {
		const char *version = q->commit != NULL                                     ? q->commit
				      : *q->version == '\0' || strcmp(q->version, "*") == 0 ? "HEAD"
											    : q->version;
		result = git_run(a,
			(const char *const[]){ at, "rev-parse", "--verify", "--end-of-options",
				hf_sprintf(a, "%s^{commit}", version), NULL },
			&commit, err);
		if (result < 0)
			return hf_wrap(err, "%s has no %s", q->source, version);
	}
	if (result < 0)
		return result;
	q->commit = hf_str_dup(a, commit);
	const char *tree = *q->below == '\0' ? q->commit : hf_sprintf(a, "%s:%s", q->commit, q->below);
	result = git_run(a, (const char *const[]){ at, "archive", "--format=tar", "-o", archive, tree, NULL },
		NULL, err);
	return result < 0 ? result : require_unpack(archive, folder, err);
}

/* --- tarballs --- */

int require_get(struct require *r, const char *url, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_http http = NULL;
	struct hf_http_response answer;
	struct hf_http_request q = { .url = url, .follow = true };
	int result = hf_http_new(NULL, &http, err);
	if (result == 0)
		result = hf_http_fetch(http, r->arena, &q, &answer, err);
	if (result == 0)
		result = hf_http_expect(&answer, NULL, err);
	if (result == 0)
		*ret = answer.body;
	return result;
}

int require_download(const char *url, const char *path, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_http http = NULL;
	hf_auto_fd fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct hf_http_response answer;
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "create %s", path);
	struct hf_http_request q = { .url = url,
		.follow = true,
		.to_file = true,
		.to_fd = fd,
		.max_body = DOWNLOAD_MAX,
		.deadline_ms = DOWNLOAD_MS };
	int result = hf_http_new(NULL, &http, err);
	if (result == 0)
		result = hf_http_fetch(http, a, &q, &answer, err);
	return result < 0 ? result : hf_http_expect(&answer, NULL, err);
}

static const char *file_path(const char *source)
{
	static const char scheme[] = "file://";
	return strncmp(source, scheme, strlen(scheme)) == 0 ? source + strlen(scheme) : source;
}

static int tarball_fetch(struct require *r, struct requirement *q, const char *folder, struct hf_error *err)
{
	struct hf_arena *a = r->arena;
	char hex[HF_DIGEST_HEX_MAX];
	const char *url = q->type == REQUIRE_GALAXY ? q->url : q->source;
	const char *path = hf_path_join(a, r->base, file_path(q->source));
	int result = 0;
	if (q->type != REQUIRE_FILE) {
		path = require_new_path(r, "tar");
		result = require_download(url, path, err);
	}
	if (result == 0)
		result = hf_hash_file_hex("sha256", path, hex, err);
	if (result < 0)
		return result;
	if (q->sha256 != NULL && strcmp(q->sha256, hex) != 0)
		return hf_fail(
			err, HF_E_TRUST, "%s has SHA-256 %s, and %s was promised", url, hex, q->sha256);
	q->sha256 = hf_strdup(a, hex);
	result = require_unpack(path, folder, err);
	return result < 0 ? hf_wrap(err, "%s", url) : 0;
}

/* --- what was fetched --- */

static bool has(struct hf_arena *a, const char *folder, const char *name)
{
	return hf_fs_exists(hf_path_join(a, folder, name));
}

static bool is_role(struct hf_arena *a, const char *folder)
{
	static const char *const names[] = { "meta", "tasks", "defaults", "vars", "handlers", "files",
		"templates" };
	for (size_t i = 0; i < HF_COUNT(names); i++)
		if (has(a, folder, names[i]))
			return true;
	return false;
}

/* Tarballs of roles have one folder at the top, named after repository and version. */
static int role_find(struct hf_arena *a, struct requirement *q, struct hf_error *err)
{
	const char *only = NULL;
	size_t n = 0;
	if (is_role(a, q->folder))
		return 0;
	hf_auto_dir dir = opendir(q->folder);
	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		const char *path = hf_path_join(a, q->folder, e->d_name);
		if (e->d_name[0] == '.' || !hf_fs_is_dir(path))
			continue;
		only = path;
		n++;
	}
	if (n != 1 || !is_role(a, only))
		return hf_fail(err, HF_E_ARGUMENT, "there is no role in it: no tasks, no meta, no defaults");
	q->folder = only;
	return 0;
}

/* Its own words: MANIFEST.json of what was built, galaxy.yml of a source tree. */
static int collection_words(
	struct hf_arena *a, const char *folder, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	struct hf_str text;
	const char *manifest = hf_path_join(a, folder, "MANIFEST.json"),
		   *source = hf_path_join(a, folder, "galaxy.yml");
	int result;
	if (hf_fs_exists(manifest)) {
		if ((result = hf_fs_read(a, manifest, META_MAX, &text, err)) < 0 ||
			(result = hf_json_parse(a, text, "MANIFEST.json", &v, err)) < 0)
			return result;
		v = hf_is(v, HF_DICT) ? hf_dict_get(v, "collection_info") : NULL;
	} else if (hf_fs_exists(source)) {
		result = hf_yaml_load(a, source, &(struct hf_yaml_options){ .plain = true }, &v, err);
		if (result < 0)
			return result;
	} else {
		return hf_fail(err, HF_E_ARGUMENT,
			"there is no collection in it: neither MANIFEST.json nor galaxy.yml");
	}
	if (!hf_is(v, HF_DICT))
		return hf_fail(err, HF_E_PARSE, "it does not say whose collection it is");
	*ret = v;
	return 0;
}

static int collection_find(struct require *r, struct requirement *q, struct hf_error *err)
{
	struct hf_arena *a = r->arena;
	struct hf_value *v = NULL;
	int result = collection_words(a, q->folder, &v, err);
	if (result < 0)
		return result;
	const char *name =
		hf_sprintf(a, "%s.%s", hf_dict_cstr(v, "namespace", "?"), hf_dict_cstr(v, "name", "?"));
	if (q->name != NULL && strcmp(q->name, name) != 0)
		return hf_fail(err, HF_E_ARGUMENT, "it is collection %s", name);
	q->name = name;
	const struct hf_value *needs = hf_dict_get(v, "dependencies");
	if (!hf_is(needs, HF_DICT))
		return 0;
	HF_DICT_EACH (needs, e) {
		struct hf_value *one = hf_value_dict(a);
		hf_dict_put(one, "name", hf_entry_key(e));
		hf_dict_put(one, "version", hf_entry_value(e));
		if ((result = require_collection_add(r, one, true, err)) < 0)
			return result;
	}
	return 0;
}

/* A dependency is another requirement when it says where it lies, or is named as Galaxy names roles. */
static int role_needs(struct require *r, const struct requirement *q, struct hf_error *err)
{
	struct hf_arena *a = r->arena;
	struct hf_value *v = NULL;
	const char *path = hf_path_join(a, q->folder, "meta/main.yml");
	if (!hf_fs_exists(path))
		return 0;
	int result = hf_yaml_load(a, path, NULL, &v, err);
	const struct hf_value *needs = hf_is(v, HF_DICT) ? hf_dict_get(v, "dependencies") : NULL;
	for (size_t i = 0; result == 0 && hf_is(needs, HF_LIST) && i < hf_list_len(needs); i++) {
		const struct hf_value *one = hf_list_at(needs, i);
		const char *name = hf_is(one, HF_STRING) ? one->u.string.p : NULL;
		bool placed = hf_is(one, HF_DICT) && hf_dict_get(one, "src") != NULL;
		if (hf_is(one, HF_DICT))
			name = hf_dict_cstr(one, "role", hf_dict_cstr(one, "name", NULL));
		const char *dot = name == NULL ? NULL : strchr(name, '.');
		/* namespace.name; with two dots it is a role of a collection */
		if (placed || (dot != NULL && strchr(dot + 1, '.') == NULL))
			result = require_role_add(r, one, true, err);
	}
	return result;
}

int require_fetch(struct require *r, struct requirement *q, struct hf_error *err)
{
	const char *folder = require_new_path(r, "tree"), *tree = NULL;
	int result = 0;
	switch (q->type) {
	case REQUIRE_GIT:
		result = git_fetch(r, q, folder, err);
		break;
	case REQUIRE_DIR:
		result = require_copy(r->arena, hf_path_join(r->arena, r->base, q->source), folder, err);
		break;
	case REQUIRE_GALAXY:
		if (q->url == NULL)
			result = require_galaxy_find(r, q, err);
		if (result == 0)
			result = tarball_fetch(r, q, folder, err);
		break;
	case REQUIRE_URL:
	case REQUIRE_FILE:
		result = tarball_fetch(r, q, folder, err);
		break;
	}
	q->folder = folder;
	if (result == 0)
		result = q->kind == REQUIRE_ROLE ? role_find(r->arena, q, err) : collection_find(r, q, err);
	if (result == 0 && q->kind == REQUIRE_ROLE)
		result = role_needs(r, q, err);
	if (result == 0)
		result = require_tree_hash(r->arena, q->folder, &tree, err);
	if (result == 0 && q->tree != NULL && strcmp(q->tree, tree) != 0)
		result = hf_fail(err, HF_E_TRUST,
			"its files are not those that " REQUIRE_LOCK
			" pins (%.12s, not %.12s): look at what changed, then holdfast release lock",
			tree, q->tree);
	if (result < 0)
		return hf_wrap(err, "%s", require_title(r->arena, q));
	q->tree = tree;
	return 0;
}
