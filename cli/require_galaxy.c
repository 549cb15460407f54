/* A Galaxy server's API: which versions there are of a role or a collection, and where one lies. */
#include <ctype.h>
#include <string.h>

#include "cli/require.h"
#include "lib/data/json.h"
#include "lib/release/document.h"

enum { PAGES_MAX = 50 };

static int json_get(struct require *r, const char *url, struct hf_value **ret, struct hf_error *err)
{
	struct hf_str text;
	int result = require_get(r, url, &text, err);
	if (result == 0)
		result = hf_json_parse(r->arena, text, url, ret, err);
	if (result == 0 && !hf_is(*ret, HF_DICT))
		result = hf_fail(err, HF_E_PARSE, "%s: no answer of a Galaxy server", url);
	return result;
}

/* https://host or https://host/api: the part that all addresses start with, without a slash at its end. */
static int root_find(struct require *r, const struct requirement *q, const char **ret, struct hf_error *err)
{
	const char *server = q->server != NULL ? q->server : r->galaxy;
	if (server == NULL)
		return hf_fail(err, HF_E_ARGUMENT,
			"it comes from a Galaxy server and none is configured: give --galaxy-server URL "
			"(ANSIBLE_GALAXY_SERVER), or say where its repository or tarball lies (%s)",
			q->kind == REQUIRE_ROLE ? "src: https://…, scm: git" : "name: https://…, type: git");
	struct hf_str s = hf_str(server);
	while (s.n > 0 && s.p[s.n - 1] == '/')
		s.n--;
	if (hf_str_ends(s, "/api"))
		s.n -= strlen("/api");
	*ret = hf_str_dup(r->arena, s);
	return 0;
}

/* What a link in an answer means: whole, or from the server's top. */
static const char *absolute(struct hf_arena *a, const char *root, const char *link)
{
	if (strstr(link, "://") != NULL)
		return link;
	const char *host = strstr(root, "://"), *path = strchr(host == NULL ? root : host + 3, '/');
	size_t n = path == NULL ? strlen(root) : (size_t)(path - root);
	return hf_sprintf(a, "%.*s%s%s", (int)n, root, *link == '/' ? "" : "/", link);
}

static bool is_release(const char *version) /* 1.2.3, not 1.2.3-beta.1 */
{
	return strchr(version, '-') == NULL;
}

/* One of ">=1.0", "<2", "!=1.5", "1.2.3", "*". */
static bool satisfies_one(struct hf_arena *a, const char *version, struct hf_str rule)
{
	static const char *const operators[] = { ">=", "<=", "!=", "==", ">", "<", "=", NULL };
	const char *op = "==";
	for (size_t i = 0; operators[i] != NULL; i++)
		if (hf_str_starts(rule, operators[i])) {
			op = operators[i];
			rule = hf_str_trim(hf_strn(rule.p + strlen(op), rule.n - strlen(op)));
			break;
		}
	if (rule.n == 0 || hf_str_is(rule, "*"))
		return is_release(version);
	const char *wanted = hf_str_dup(a, rule);
	int order = hf_version_compare(version, wanted);
	if (!is_release(version) && strcmp(version, wanted) != 0)
		return false;
	bool equal = order == 0 && is_release(version) == is_release(wanted);
	switch (op[0]) {
	case '>':
		return order > 0 || (op[1] == '=' && equal);
	case '<':
		return order < 0 || (op[1] == '=' && equal);
	case '!':
		return !equal;
	}
	return equal;
}

static bool satisfies(struct hf_arena *a, const char *version, const char *rules)
{
	struct hf_str rest = hf_str(*rules == '\0' ? "*" : rules), rule;
	while (hf_str_split(&rest, ',', &rule))
		if (!satisfies_one(a, version, hf_str_trim(rule)))
			return false;
	return true;
}

/* --- collections --- */

static int collection_versions(
	struct require *r, struct requirement *q, const char *root, const char *url, struct hf_error *err)
{
	struct hf_value *page = NULL;
	const char *best = NULL;
	for (int i = 0; url != NULL && i < PAGES_MAX; i++) {
		int result = json_get(r, url, &page, err);
		if (result < 0)
			return result;
		const struct hf_value *list = hf_dict_get(page, "data"), *links = hf_dict_get(page, "links");
		for (size_t k = 0; hf_is(list, HF_LIST) && k < hf_list_len(list); k++) {
			const struct hf_value *one = hf_list_at(list, k);
			const char *v = hf_is(one, HF_DICT) ? hf_dict_cstr(one, "version", NULL) : NULL;
			if (v != NULL && satisfies(r->arena, v, q->version) &&
				(best == NULL || hf_version_compare(v, best) > 0))
				best = v;
		}
		const char *next = hf_is(links, HF_DICT) ? hf_dict_cstr(links, "next", NULL) : NULL;
		url = next == NULL ? NULL : absolute(r->arena, root, next);
	}
	if (best == NULL)
		return hf_fail(err, HF_E_NOT_FOUND, "%s has no version \"%s\" of it", root, q->version);
	q->resolved = best;
	return 0;
}

static int collection_look(struct require *r, struct requirement *q, const char *root, struct hf_error *err)
{
	struct hf_arena *a = r->arena;
	struct hf_value *v = NULL;
	const char *dot = strchr(q->source, '.');
	const char *base = hf_sprintf(a, "%s/api/v3/collections/%.*s/%s/versions/", root,
		(int)(dot - q->source), q->source, dot + 1);
	int result = collection_versions(r, q, root, hf_sprintf(a, "%s?limit=100", base), err);
	if (result == 0)
		result = json_get(r, hf_sprintf(a, "%s%s/", base, q->resolved), &v, err);
	if (result < 0)
		return result;
	const struct hf_value *artifact = hf_dict_get(v, "artifact");
	const char *url = hf_dict_cstr(v, "download_url", NULL);
	if (url == NULL || !hf_is(artifact, HF_DICT))
		return hf_fail(err, HF_E_PARSE, "%s does not say where version %s lies", root, q->resolved);
	q->url = absolute(a, root, url);
	q->sha256 = hf_dict_cstr(artifact, "sha256", NULL);
	return 0;
}

/* --- roles --- */

static const char *plain_version(const char *v) /* "v1.2" is 1.2 */
{
	return (*v == 'v' || *v == 'V') && isdigit((unsigned char)v[1]) ? v + 1 : v;
}

/* The version asked for, or the highest. */
static const struct hf_value *version_pick(const struct hf_value *list, const char *asked)
{
	const struct hf_value *best = NULL;
	for (size_t i = 0; i < hf_list_len(list); i++) {
		const struct hf_value *one = hf_list_at(list, i);
		const char *name = hf_is(one, HF_DICT) ? hf_dict_cstr(one, "name", NULL) : NULL;
		if (name == NULL || (*asked != '\0' && strcmp(asked, name) != 0))
			continue;
		if (best == NULL || hf_version_compare(plain_version(name),
					    plain_version(hf_dict_cstr(best, "name", ""))) > 0)
			best = one;
	}
	return best;
}

static int role_version(struct require *r, struct requirement *q, const char *root,
	const struct hf_value *role, struct hf_error *err)
{
	struct hf_arena *a = r->arena;
	struct hf_value *page = NULL;
	const struct hf_value *best = NULL;
	int result = json_get(r,
		hf_sprintf(a, "%s/api/v1/roles/%lld/versions/?page_size=100", root,
			(long long)hf_dict_int(role, "id", 0)),
		&page, err);
	if (result < 0)
		return result;
	const struct hf_value *list = hf_dict_get(page, "results");
	if (hf_is(list, HF_LIST) && hf_list_len(list) > 0) {
		best = version_pick(list, q->version);
		if (best == NULL)
			return hf_fail(
				err, HF_E_NOT_FOUND, "%s has no version \"%s\" of it", root, q->version);
		q->resolved = hf_dict_cstr(best, "name", "");
		q->url = hf_dict_cstr(best, "download_url", hf_dict_cstr(best, "source", NULL));
	} else { /* nothing was ever released: the branch */
		q->resolved =
			*q->version == '\0' ? hf_dict_cstr(role, "github_branch", "master") : q->version;
	}
	if (q->url == NULL)
		q->url = hf_sprintf(a, "https://github.com/%s/%s/archive/%s.tar.gz",
			hf_dict_cstr(role, "github_user", ""), hf_dict_cstr(role, "github_repo", ""),
			q->resolved);
	q->url = absolute(a, root, q->url);
	return 0;
}

static int role_look(struct require *r, struct requirement *q, const char *root, struct hf_error *err)
{
	struct hf_value *v = NULL;
	const char *dot = strchr(q->source, '.');
	int result = json_get(r,
		hf_sprintf(r->arena, "%s/api/v1/roles/?owner__username=%.*s&name=%s", root,
			(int)(dot - q->source), q->source, dot + 1),
		&v, err);
	if (result < 0)
		return result;
	const struct hf_value *list = hf_dict_get(v, "results");
	if (!hf_is(list, HF_LIST) || hf_list_len(list) == 0 || !hf_is(hf_list_at(list, 0), HF_DICT))
		return hf_fail(err, HF_E_NOT_FOUND, "%s has no role %s", root, q->source);
	return role_version(r, q, root, hf_list_at(list, 0), err);
}

int require_galaxy_find(struct require *r, struct requirement *q, struct hf_error *err)
{
	const char *root = NULL;
	int result = root_find(r, q, &root, err);
	if (result < 0)
		return result;
	return q->kind == REQUIRE_ROLE ? role_look(r, q, root, err) : collection_look(r, q, root, err);
}
