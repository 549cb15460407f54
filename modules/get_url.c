#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "modules/cmdline.h"
#include "modules/file_content.h"
#include "modules/web.h"

/* get_url: a file from a URL. check downloads into a directory of its own, so that apply only moves what was
 * seen. */
struct params {
	const char *url, *dest, *checksum, *tmp_dest;
	enum hf_tristate backup, force;
	struct hf_web_options web;
	struct hf_file_attr attr;
};

static const char *const force_aliases[] = { "thirsty", NULL };
static const char *const user_aliases[] = { "username", NULL };
static const char *const password_aliases[] = { "password", NULL };

static const struct hf_arg args[] = {
	{ "url", HF_ARG_STR, offsetof(struct params, url), HF_REQUIRED,
		.help = "http, https, ftp or file URL." },
	{ "dest", HF_ARG_PATH, offsetof(struct params, dest), HF_REQUIRED,
		.help = "File, or directory to put the file in." },
	{ "checksum", HF_ARG_STR, offsetof(struct params, checksum), .dflt = "",
		.help = "ALGORITHM:HEX, or ALGORITHM:URL of a list of checksums." },
	{ "force", HF_ARG_BOOL, offsetof(struct params, force), .dflt = "false", .aliases = force_aliases,
		.help = "Download even when dest is there." },
	{ "backup", HF_ARG_BOOL, offsetof(struct params, backup), .dflt = "false",
		.help = "Keep a dated copy of the file that is replaced." },
	{ "tmp_dest", HF_ARG_PATH, offsetof(struct params, tmp_dest), .help = "Directory for the download." },
	HF_WEB_ARGS(struct params, web, "10", user_aliases, password_aliases),
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};

struct get {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_change *change;
	struct hf_error *err;
	char *dir; /* where the download lies; removed at the end */
	const char *file, *dest;
	const char *algorithm, *sum; /* of checksum; sum NULL: not asked */
	const char *backup;
	bool replace; /* content differs */
};

/* What a request that brought no file has nothing to say about. */
static void get_forget(struct get *g)
{
	static const char *const keys[] = { "checksum_src", "checksum_dest", "msg" };
	for (size_t i = 0; i < HF_COUNT(keys); i++)
		hf_dict_remove(g->change->result, keys[i]);
}

static int get_fail(struct get *g, const char *message)
{
	return hf_fail(g->err, HF_E_TASK, "%s", message);
}

static int request(
	struct get *g, const char *url, const char *file, int64_t newer, struct hf_web_response *ret)
{
	struct hf_web_request r = hf_web_request(&g->p->web, url, "GET");
	r.file = file;
	r.newer_than = newer;
	r.follow = HF_WEB_FOLLOW_SAFE;
	uint64_t start = hf_time_monotonic_ms();
	int result = hf_web_perform(g->a, &r, ret, g->err);
	hf_result_int(g->c, g->change, "elapsed", (int64_t)((hf_time_monotonic_ms() - start) / 1000));
	if (result < 0) {
		hf_result_int(g->c, g->change, "status_code", -1);
		return result;
	}
	if (ret->status != 200 && ret->status != 304 && ret->status != 0 && strncmp(url, "ftp:", 4) != 0) {
		hf_result_int(g->c, g->change, "status_code", ret->status);
		hf_result_cstr(g->c, g->change, "response",
			hf_sprintf(g->a, "HTTP Error %d: %s", ret->status, ret->reason));
		get_forget(g);
		return get_fail(g, "Request failed");
	}
	return 0;
}

/* The line of a list of checksums that is about this file. */
static const char *sum_in_list(struct hf_arena *a, struct hf_str text, const char *name)
{
	struct hf_str rest = hf_str_trim(text), line;
	if (memchr(rest.p, '\n', rest.n) == NULL && memchr(rest.p, ' ', rest.n) == NULL)
		return hf_str_dup(a, rest);
	while (hf_str_split(&rest, '\n', &line)) {
		const char *space = memchr(line.p, ' ', line.n);
		if (space == NULL)
			continue;
		struct hf_str file = hf_strn(space + 1, (size_t)(line.p + line.n - space - 1));
		if (file.n > 0 && (file.p[0] == ' ' || file.p[0] == '*'))
			file = hf_strn(file.p + 1, file.n - 1);
		while (file.n > 0 && (file.p[0] == '.' || file.p[0] == '/'))
			file = hf_strn(file.p + 1, file.n - 1);
		if (hf_str_is(hf_str_trim(file), name))
			return hf_strndup(a, line.p, (size_t)(space - line.p));
	}
	return NULL;
}

static int checksum_fetch(struct get *g, const char *url, const char **ret)
{
	struct hf_web_response response;
	const char *name = hf_web_name(g->a, g->p->url);
	if (*name == '\0')
		name = "index.html";
	int result = request(g, url, NULL, 0, &response);
	if (result < 0)
		return result;
	*ret = sum_in_list(g->a, response.body, name);
	if (*ret == NULL) {
		get_forget(g);
		hf_dict_remove(g->change->result, "dest");
		hf_dict_remove(g->change->result, "url");
		return hf_fail(
			g->err, HF_E_TASK, "Unable to find a checksum for file '%s' in '%s'", name, url);
	}
	return 0;
}

static int checksum_parse(struct get *g)
{
	const char *text = g->p->checksum, *colon = strchr(text, ':');
	if (*text == '\0')
		return 0;
	if (colon == NULL)
		return get_fail(g, "The checksum parameter has to be in format <algorithm>:<checksum>");
	g->algorithm = hf_strndup(g->a, text, (size_t)(colon - text));
	const char *sum = colon + 1;
	if (strstr(sum, "://") != NULL || strncmp(sum, "file:", 5) == 0) {
		int result = checksum_fetch(g, sum, &sum);
		if (result < 0)
			return result;
	}
	char *clean = hf_strdup(g->a, sum);
	size_t n = 0;
	for (const char *s = sum; *s != '\0'; s++) {
		if (!isalnum((unsigned char)*s))
			continue;
		if (!isxdigit((unsigned char)*s))
			return get_fail(g, "The checksum format is invalid");
		clean[n++] = (char)tolower((unsigned char)*s);
	}
	clean[n] = '\0';
	g->sum = clean;
	return n == 0 ? get_fail(g, "The checksum format is invalid") : 0;
}

/* Does the file have the sum asked for? */
static int checksum_holds(struct get *g, const char *path, bool *ret, const char **ret_found)
{
	char hex[HF_DIGEST_HEX_MAX];
	int result = hf_hash_file_hex(g->algorithm, path, hex, g->err);
	if (result < 0)
		return result;
	*ret = strcmp(hex, g->sum) == 0;
	if (ret_found != NULL)
		*ret_found = hf_strdup(g->a, hex);
	return 0;
}

static int put_sha1(struct get *g, const char *key, const char *path)
{
	char hex[HF_DIGEST_HEX_MAX];
	int result = hf_hash_file_hex("sha1", path, hex, g->err);
	if (result == 0)
		hf_result_cstr(g->c, g->change, key, hex);
	return result;
}

/* Nothing to fetch: attributes alone. */
static int get_attributes(struct get *g, const char *message)
{
	bool changed = false;
	bool fetched = *message != 'f';
	g->dest = g->p->dest;
	if (fetched)
		get_forget(g);
	int result = hf_file_attr_sync(g->c, g->change, g->dest, &g->p->attr, NULL, false, &changed, g->err);
	g->change->changed = changed;
	hf_result_cstr(g->c, g->change, "msg",
		changed && message[0] == 'f' ? "file already exists but file attributes changed" : message);
	return result;
}

static const char *name_of_response(struct get *g, const struct hf_web_response *r)
{
	const char *disposition = hf_dict_cstr(r->headers, "content-disposition", "");
	const char *at = strstr(disposition, "filename=");
	if (strncmp(disposition, "attachment;", 11) == 0 && at != NULL) {
		at += strlen("filename=");
		at += *at == '"';
		const char *name = hf_path_base(hf_strndup(g->a, at, strcspn(at, "\"")));
		if (*name != '\0')
			return name;
	}
	const char *name = hf_web_name(g->a, r->url);
	return *name != '\0' ? name : "index.html";
}

static int place_refused(struct get *g)
{
	const char *dir = hf_path_dir(g->a, g->dest);
	if (hf_fs_exists(g->dest)) {
		if (access(g->dest, W_OK) < 0)
			return hf_fail(g->err, HF_E_TASK, "Destination %s is not writable", g->dest);
		return put_sha1(g, "checksum_dest", g->dest);
	}
	if (*dir != '\0' && !hf_fs_exists(dir))
		return hf_fail(g->err, HF_E_TASK, "Destination %s does not exist", dir);
	if (*dir != '\0' && access(dir, W_OK) < 0)
		return hf_fail(g->err, HF_E_TASK, "Destination %s is not writable", dir);
	return 0;
}

static int get_download(struct get *g, int64_t newer)
{
	struct hf_web_response response;
	g->file = hf_path_join(g->a, g->dir, "download");
	int result = request(g, g->p->url, g->file, newer, &response);
	if (result < 0)
		return result;
	if (response.status == 304) {
		hf_result_int(g->c, g->change, "status_code", 304);
		return get_attributes(g, "HTTP Error 304: Not Modified");
	}
	g->dest = g->p->dest;
	if (hf_fs_is_dir(g->dest))
		g->dest = hf_path_join(g->a, g->dest, name_of_response(g, &response));
	hf_result_cstr(g->c, g->change, "dest", g->dest);
	hf_result_cstr(g->c, g->change, "msg",
		hf_sprintf(g->a, "OK (%llu bytes)", (unsigned long long)response.size));
	result = put_sha1(g, "checksum_src", g->file);
	if (result == 0)
		result = place_refused(g);
	if (result == 0)
		hf_result_int(g->c, g->change, "status_code", response.status);
	bool holds = true;
	const char *found = "";
	if (result == 0 && g->sum != NULL)
		result = checksum_holds(g, g->file, &holds, &found);
	if (result == 0 && !holds)
		return hf_fail(g->err, HF_E_TASK, "The checksum for %s did not match %s; it was %s.", g->dest,
			g->sum, found);
	return result;
}

static int tmp_dest_refused(struct get *g)
{
	const char *dir = g->p->tmp_dest;
	if (dir == NULL || hf_fs_is_dir(dir))
		return 0;
	if (hf_fs_exists(dir))
		return hf_fail(g->err, HF_E_TASK, "%s is a file but should be a directory.", dir);
	return hf_fail(g->err, HF_E_TASK, "%s directory does not exist.", dir);
}

/* What lies there may save the download: the right sum, or a time to ask the server about. */
static int get_present(struct get *g, bool *ret_holds, int64_t *ret_newer)
{
	const struct params *p = g->p;
	struct stat st;
	if (p->force == HF_YES || hf_fs_is_dir(p->dest) || stat(p->dest, &st) < 0)
		return 0;
	if (g->sum != NULL)
		return checksum_holds(g, p->dest, ret_holds, NULL);
	*ret_newer = st.st_mtim.tv_sec;
	return 0;
}

/* Download and compare. */
static int get_compare(struct get *g)
{
	bool holds = false;
	int64_t newer = 0;
	int result = get_present(g, &holds, &newer);
	if (result == 0 && holds)
		return get_attributes(g, "file already exists");
	if (result == 0)
		result = tmp_dest_refused(g);
	if (result == 0)
		result = hf_cmdline_temp_dir(g->a, "get-url", &g->dir, g->err);
	if (result == 0)
		result = get_download(g, newer);
	if (result < 0 || !hf_is(hf_dict_get(g->change->result, "checksum_src"), HF_STRING))
		return result; /* failed, or 304 */
	g->replace = !hf_file_content_same_file(g->dest, g->file);
	bool changed = g->replace;
	if (!g->replace)
		result = hf_file_attr_sync(
			g->c, g->change, g->dest, &g->p->attr, NULL, false, &changed, g->err);
	if (g->replace && g->p->backup == HF_YES && hf_fs_exists(g->dest))
		g->backup = hf_file_backup_name(g->a, g->dest);
	g->change->changed = changed;
	return result;
}

static int get_md5(struct get *g)
{
	char hex[HF_DIGEST_HEX_MAX];
	if (!hf_fs_exists(g->dest))
		return 0;
	int result = hf_hash_file_hex("md5", g->dest, hex, g->err);
	if (result == 0)
		hf_result_cstr(g->c, g->change, "md5sum", hex);
	return result;
}

static int get_drop(struct get *g, int outcome)
{
	struct hf_error ignored;
	int removed = g->dir != NULL ? hf_fs_remove_tree(g->dir, outcome < 0 ? &ignored : g->err) : 0;
	g->dir = NULL;
	return outcome < 0 ? outcome : removed;
}

static int get_url_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct get *g = change->state = hf_new(a, struct get);
	*g = (struct get){ .c = c, .a = a, .p = p, .change = change, .err = err, .dest = p->dest };
	hf_result_cstr(c, change, "dest", p->dest);
	hf_result_cstr(c, change, "url", p->url);
	hf_result_int(c, change, "elapsed", 0);
	hf_result_put(c, change, "checksum_src", hf_value_null(a));
	hf_result_put(c, change, "checksum_dest", hf_value_null(a));
	int result = checksum_parse(g);
	if (result == 0)
		result = get_compare(g);
	if (result == 0 && !change->changed && hf_is(hf_dict_get(change->result, "checksum_src"), HF_STRING))
		result = get_md5(g);
	if (result < 0)
		hf_dict_remove(change->result, "msg");
	if (result < 0 || !change->changed || hf_task_check_mode(c))
		result = get_drop(g, result);
	return hf_file_attr_done(c, change, result);
}

static int get_url_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct get *g = change->state;
	bool changed = false;
	g->err = err;
	struct hf_file_content f = { .path = g->dest,
		.source = g->file,
		.attr = &g->p->attr,
		.backup = g->backup,
		.as_led_to = true };
	int result = g->replace
			     ? hf_file_content_write(c, change, &f, err)
			     : hf_file_attr_sync(c, change, g->dest, &g->p->attr, NULL, true, &changed, err);
	if (result == 0 && g->replace)
		result = get_md5(g);
	return hf_file_attr_done(c, change, get_drop(g, result));
}

static int get_url_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct get *g = change->state;
	int result = hf_undo_file(undo, g->dest, err);
	return result == 0 && g->backup != NULL ? hf_undo_file(undo, g->backup, err) : result;
}

static void get_url_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	hf_watch_path(w, ((const struct params *)params)->dest);
}

const struct hf_module hf_module_get_url = {
	.name = "get_url",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = get_url_check,
	.apply = get_url_apply,
	.undo = get_url_undo,
	.watch = get_url_watch,
};
