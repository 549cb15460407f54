/* modules/yum_repository.c - one section of a file in /etc/yum.repos.d. */
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "modules/file_attr.h"
#include "modules/host.h"

static const char *const states[] = { "present", "absent", NULL };
static const char *const failovers[] = { "roundrobin", "priority", NULL };
static const char *const cachings[] = { "all", "packages", "none", NULL };
static const char *const resolves[] = { "4", "6", "IPv4", "IPv6", "whatever", NULL };
static const char *const keeps[] = { "0", "1", NULL };
static const char *const filters[] = { "never", "read-only:past", "read-only:present", "read-only:future",
	NULL };

/* Every option that becomes a line: text, list or boolean, in the order of the lines' names. */
struct params {
	const char *name, *file, *reposdir, *state, *description;
	struct hf_file_attr attr;
	int async, countme, enabled, enablegroups, gpgcheck, keepalive, module_hotfixes, protect,
		repo_gpgcheck, s3_enabled;
	int skip_if_unavailable, ssl_check_cert_permissions, sslverify;
	struct hf_value *baseurl, *exclude, *gpgkey, *includepkgs;
	const char *bandwidth, *cost, *deltarpm_metadata_percentage, *deltarpm_percentage, *failovermethod,
		*gpgcakey;
	const char *http_caching, *include, *ip_resolve, *keepcache, *metadata_expire,
		*metadata_expire_filter, *metalink;
	const char *mirrorlist, *mirrorlist_expire, *password, *priority, *proxy, *proxy_password,
		*proxy_username, *retries;
	const char *sslcacert, *sslclientcert, *sslclientkey, *throttle, *timeout, *ui_repoid_vars, *username;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
#define TEXT(option)                                                                                         \
	{                                                                                                    \
#option, HF_ARG_STR, AT(option)                                                              \
	}
#define FLAG(option)                                                                                         \
	{                                                                                                    \
#option, HF_ARG_BOOL, AT(option)                                                             \
	}
#define LIST(option)                                                                                         \
	{                                                                                                    \
#option, HF_ARG_LIST, AT(option), .elements = HF_ARG_STR                                     \
	}
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED },
	{ "file", HF_ARG_STR, AT(file),
		.help = "name of the file without .repo; the repository's own when not given" },
	{ "reposdir", HF_ARG_PATH, AT(reposdir), .dflt = "/etc/yum.repos.d" },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	HF_FILE_ATTR_ARGS(struct params, attr),
	TEXT(description),
	FLAG(async),
	TEXT(bandwidth),
	LIST(baseurl),
	TEXT(cost),
	FLAG(countme),
	TEXT(deltarpm_metadata_percentage),
	TEXT(deltarpm_percentage),
	FLAG(enabled),
	FLAG(enablegroups),
	{ "exclude", HF_ARG_LIST, AT(exclude), .elements = HF_ARG_STR, .aliases = ALIASES("excludepkgs") },
	{ "failovermethod", HF_ARG_STR, AT(failovermethod), .choices = failovers },
	TEXT(gpgcakey),
	FLAG(gpgcheck),
	LIST(gpgkey),
	{ "http_caching", HF_ARG_STR, AT(http_caching), .choices = cachings },
	TEXT(include),
	LIST(includepkgs),
	{ "ip_resolve", HF_ARG_STR, AT(ip_resolve), .choices = resolves },
	FLAG(keepalive),
	{ "keepcache", HF_ARG_STR, AT(keepcache), .choices = keeps },
	TEXT(metadata_expire),
	{ "metadata_expire_filter", HF_ARG_STR, AT(metadata_expire_filter), .choices = filters },
	TEXT(metalink),
	TEXT(mirrorlist),
	TEXT(mirrorlist_expire),
	FLAG(module_hotfixes),
	{ "password", HF_ARG_STR, AT(password), .flags = HF_NO_LOG },
	TEXT(priority),
	FLAG(protect),
	TEXT(proxy),
	{ "proxy_password", HF_ARG_STR, AT(proxy_password), .flags = HF_NO_LOG },
	TEXT(proxy_username),
	FLAG(repo_gpgcheck),
	TEXT(retries),
	FLAG(s3_enabled),
	FLAG(skip_if_unavailable),
	FLAG(ssl_check_cert_permissions),
	{ "sslcacert", HF_ARG_STR, AT(sslcacert), .aliases = ALIASES("ca_cert") },
	{ "sslclientcert", HF_ARG_STR, AT(sslclientcert), .aliases = ALIASES("client_cert") },
	{ "sslclientkey", HF_ARG_STR, AT(sslclientkey), .aliases = ALIASES("client_key") },
	{ "sslverify", HF_ARG_BOOL, AT(sslverify), .aliases = ALIASES("validate_certs") },
	TEXT(throttle),
	TEXT(timeout),
	TEXT(ui_repoid_vars),
	TEXT(username),
	{ .type = HF_ARG_END },
};
enum { FIRST_LINE = 14 }; /* rows before it are not lines of the file, description stands for `name` */

static void value_put(struct hf_buf *out, const char *name, const struct hf_arg *arg, const struct params *p)
{
	const void *at = (const char *)p + arg->offset;
	if (arg->type == HF_ARG_STR) {
		const char *text = *(const char *const *)at;
		if (text != NULL)
			hf_buf_printf(out, "%s = %s\n", name, text);
	} else if (arg->type == HF_ARG_BOOL) {
		int flag = *(const int *)at;
		if (flag != HF_UNSET)
			hf_buf_printf(out, "%s = %d\n", name, flag == HF_YES);
	} else {
		const struct hf_value *list = *(struct hf_value *const *)at;
		bool words = strcmp(name, "exclude") == 0 || strcmp(name, "includepkgs") == 0;
		for (size_t i = 0; list != NULL && i < hf_list_len(list); i++)
			hf_buf_printf(out, "%s%s%s%s", i == 0 ? name : "",
				i == 0  ? " = "
				: words ? " "
					: "\n\t",
				hf_list_at(list, i)->u.string.p, i + 1 == hf_list_len(list) ? "\n" : "");
	}
}

/* Lines sorted by name, as Ansible writes them; `name` comes from description. */
static void section_put(struct hf_buf *out, const struct params *p)
{
	bool named = false;
	hf_buf_printf(out, "[%s]\n", p->name);
	for (size_t i = FIRST_LINE; args[i].type != HF_ARG_END; i++) {
		if (!named && strcmp(args[i].name, "name") > 0) {
			hf_buf_printf(out, "name = %s\n", p->description == NULL ? p->name : p->description);
			named = true;
		}
		value_put(out, args[i].name, &args[i], p);
	}
	hf_buf_put(out, '\n');
}

static bool section_is(struct hf_str line, const char *name)
{
	size_t n = strlen(name);
	return line.n >= n + 2 && line.p[0] == '[' && memcmp(line.p + 1, name, n) == 0 &&
	       line.p[n + 1] == ']';
}

/* The file with our section put, replaced or left out; false: it has none and shall have none. */
static bool file_plan(const struct params *p, struct hf_str before, bool present, struct hf_buf *out)
{
	bool inside = false, put = false;
	struct hf_str rest = before, line;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
		bool head = line.n > 0 && line.p[0] == '[';
		inside = head ? section_is(line, p->name) : inside;
		if (head && inside && present && !put)
			section_put(out, p);
		put = put || (head && inside);
		if (!inside)
			hf_buf_printf(out, "%.*s\n", HF_STR_ARG(line));
	}
	if (present && !put)
		section_put(out, p);
	return present || put;
}

struct option {
	struct hf_str key, value; /* a value of several lines has their ends in it */
};
struct options {
	struct option *at;
	size_t n, room;
};

static int option_compare(const void *x, const void *y)
{
	const struct option *a = x, *b = y;
	return hf_str_compare(a->key, b->key);
}

/* What configparser makes of a section: its options by name, whatever blanks and comments are between. */
static struct options section_read(struct hf_arena *a, struct hf_str text, const char *name)
{
	struct options found = { 0 };
	struct hf_str line;
	bool inside = false;
	while (text.n > 0 && hf_str_split(&text, '\n', &line)) {
		struct hf_str rest = hf_str_trim(line);
		inside = line.n > 0 && line.p[0] == '[' ? section_is(line, name) : inside;
		if (!inside || rest.n == 0 || strchr("[#;", rest.p[0]) != NULL)
			continue;
		if (strchr(" \t", line.p[0]) != NULL && found.n > 0) {
			struct hf_str *value = &found.at[found.n - 1].value;
			*value = hf_str(hf_sprintf(a, "%.*s\n%.*s", HF_STR_ARG(*value), HF_STR_ARG(rest)));
			continue;
		}
		size_t end = 0;
		while (end < rest.n && strchr("=:", rest.p[end]) == NULL)
			end++;
		struct option *o = hf_vec_push(a, &found);
		o->key = hf_str_trim(hf_strn(rest.p, end));
		o->value =
			end < rest.n ? hf_str_trim(hf_strn(rest.p + end + 1, rest.n - end - 1)) : HF_STR("");
	}
	if (found.n > 1)
		qsort(found.at, found.n, sizeof(*found.at), option_compare);
	return found;
}

/* Does the file say it already, if in another order or with other blanks? */
static bool section_same(struct hf_arena *a, const struct hf_edit *file, const char *name)
{
	struct options was = section_read(a, file->before, name), is = section_read(a, file->after, name);
	if (was.n != is.n || is.n == 0)
		return false;
	for (size_t i = 0; i < is.n; i++)
		if (!hf_str_equal(was.at[i].key, is.at[i].key) ||
			!hf_str_equal(was.at[i].value, is.at[i].value))
			return false;
	return true;
}

struct state {
	struct hf_edit file;
	bool set_attr; /* of a file that is there */
};

static int present_check(const struct params *p, struct hf_error *err)
{
	if (p->baseurl == NULL && p->metalink == NULL && p->mirrorlist == NULL)
		return hf_fail(
			err, HF_E_TASK, "Parameter 'baseurl', 'metalink' or 'mirrorlist' is required.");
	if (p->description == NULL)
		return hf_fail(err, HF_E_TASK, "Parameter 'description' is required.");
	return 0;
}

static int yum_repository_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	struct hf_edit *file = &s->file;
	bool present = strcmp(p->state, "present") == 0;
	change->state = s;
	const char *path = hf_sprintf(a, "%s/%s.repo", p->reposdir, p->file != NULL ? p->file : p->name);
	int r = present ? present_check(p, err) : 0;
	if (r == 0 && !hf_fs_is_dir(p->reposdir))
		r = hf_fail(err, HF_E_TASK, "Repo directory '%s' does not exist.", p->reposdir);
	if (r == 0)
		r = hf_edit_open(c, path, 0644, file, err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	if (file_plan(p, file->before, present, &out))
		hf_edit_set(c, file, &out);
	if (present && section_same(a, file, p->name))
		file->after = file->before;
	file->remove = !present && hf_str_trim(file->after).n == 0;
	hf_edit_describe(c, change, file);
	if (file->existed && !file->remove)
		r = hf_file_attr_sync(c, change, path, &p->attr, NULL, false, &s->set_attr, err);
	change->changed = change->changed || s->set_attr;
	hf_result_cstr(c, change, "repo", p->name);
	hf_result_cstr(c, change, "state", p->state);
	return r;
}

static int yum_repository_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	bool changed = false;
	int r = hf_edit_write(&s->file, err);
	if (r < 0 || !hf_fs_exists(s->file.path))
		return r;
	return hf_file_attr_sync(c, change, s->file.path, &p->attr, NULL, true, &changed, err);
}

static int yum_repository_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	(void)c;
	(void)params;
	return s->set_attr ? hf_undo_file(undo, s->file.path, err) : hf_edit_undo(undo, &s->file, err);
}

static void yum_repository_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	hf_watch_path(w,
		hf_sprintf(hf_task_arena(c), "%s/%s.repo", p->reposdir, p->file != NULL ? p->file : p->name));
}

const struct hf_module hf_module_yum_repository = {
	.name = "yum_repository",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.check = yum_repository_check,
	.apply = yum_repository_apply,
	.undo = yum_repository_undo,
	.watch = yum_repository_watch,
};
