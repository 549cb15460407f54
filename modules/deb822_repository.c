/* modules/deb822_repository.c - sources in the deb822 format: /etc/apt/sources.list.d/NAME.sources and its
 * key. */
#include <ctype.h>
#include <sys/stat.h>

#include "lib/base/scope.h"
#include "modules/file_attr.h"
#include "modules/file_mode.h"
#include "modules/host.h"
#include "modules/openpgp.h"
#include "modules/web.h"

static const char *const states[] = { "present", "absent", NULL };
static const char *const kinds[] = { "deb", "deb-src", NULL };
struct params {
	int allow_downgrade_to_insecure, allow_insecure, allow_weak, by_hash, check_date, check_valid_until,
		enabled, pdiffs;
	int trusted;
	struct hf_value *architectures, *components, *languages, *suites, *targets, *types, *uris;
	int64_t date_max_future;
	const char *inrelease_path, *name, *signed_by, *mode, *state;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "allow_downgrade_to_insecure", HF_ARG_BOOL, AT(allow_downgrade_to_insecure) },
	{ "allow_insecure", HF_ARG_BOOL, AT(allow_insecure) },
	{ "allow_weak", HF_ARG_BOOL, AT(allow_weak) },
	{ "architectures", HF_ARG_LIST, AT(architectures), .elements = HF_ARG_STR },
	{ "by_hash", HF_ARG_BOOL, AT(by_hash) },
	{ "check_date", HF_ARG_BOOL, AT(check_date) },
	{ "check_valid_until", HF_ARG_BOOL, AT(check_valid_until) },
	{ "components", HF_ARG_LIST, AT(components), .elements = HF_ARG_STR },
	{ "date_max_future", HF_ARG_INT, AT(date_max_future) },
	{ "enabled", HF_ARG_BOOL, AT(enabled) },
	{ "inrelease_path", HF_ARG_STR, AT(inrelease_path) },
	{ "languages", HF_ARG_LIST, AT(languages), .elements = HF_ARG_STR },
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED },
	{ "pdiffs", HF_ARG_BOOL, AT(pdiffs) },
	{ "signed_by", HF_ARG_STR, AT(signed_by),
		.help = "a file, an address, fingerprints or the key itself" },
	{ "suites", HF_ARG_LIST, AT(suites), .elements = HF_ARG_STR },
	{ "targets", HF_ARG_LIST, AT(targets), .elements = HF_ARG_STR },
	{ "trusted", HF_ARG_BOOL, AT(trusted) },
	{ "types", HF_ARG_LIST, AT(types), .elements = HF_ARG_STR, .dflt = "deb", .choices = kinds },
	{ "uris", HF_ARG_LIST, AT(uris), .elements = HF_ARG_STR },
	{ "mode", HF_ARG_MODE, AT(mode), .dflt = "0644" },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ .type = HF_ARG_END },
};

struct state {
	struct hf_edit sources, key[2]; /* key[0] .asc, key[1] .gpg */
	mode_t mode;
	bool set_mode;
};

/* Small letters; '-' for '_' and blanks; nothing else. */
static const char *slug(struct hf_arena *a, const char *name)
{
	char *out = hf_strdup(a, name);
	size_t n = 0;
	for (const char *p = name; *p != '\0'; p++) {
		char c = (char)tolower((unsigned char)*p);
		bool gap = c == '_' || isspace((unsigned char)c);
		if (gap && p > name && (p[-1] == '_' || isspace((unsigned char)p[-1])))
			continue;
		if (gap || isalnum((unsigned char)c) || c == '-')
			out[n++] = gap ? '-' : c;
	}
	out[n] = '\0';
	return out;
}

static void text_put(struct hf_buf *out, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (strchr(value, '\n') == NULL) {
		hf_buf_printf(out, "%s: %s\n", name, value);
		return;
	}
	hf_buf_printf(out, "%s:\n", name);
	struct hf_str rest = hf_str_trim(hf_str(value)), line;
	while (hf_str_split(&rest, '\n', &line)) {
		line = hf_str_trim(line);
		hf_buf_printf(out, "    %.*s\n", HF_STR_ARG(line.n == 0 ? HF_STR(".") : line));
	}
}

static void list_put(struct hf_buf *out, const char *name, const struct hf_value *list)
{
	if (list == NULL)
		return;
	hf_buf_printf(out, "%s: ", name);
	for (size_t i = 0; i < hf_list_len(list); i++)
		hf_buf_printf(out, "%s%s", i == 0 ? "" : " ", hf_list_at(list, i)->u.string.p);
	hf_buf_put(out, '\n');
}

static void bool_put(struct hf_buf *out, const char *name, int value)
{
	if (value != HF_UNSET)
		text_put(out, name, value == HF_YES ? "yes" : "no");
}

/* Fields in the order of their option names, as Ansible writes them. */
static void stanza(
	struct hf_module_context *c, const struct params *p, const char *signed_by, struct hf_buf *out)
{
	bool_put(out, "Allow-Downgrade-To-Insecure", p->allow_downgrade_to_insecure);
	bool_put(out, "Allow-Insecure", p->allow_insecure);
	bool_put(out, "Allow-Weak", p->allow_weak);
	list_put(out, "Architectures", p->architectures);
	bool_put(out, "By-Hash", p->by_hash);
	bool_put(out, "Check-Date", p->check_date);
	bool_put(out, "Check-Valid-Until", p->check_valid_until);
	list_put(out, "Components", p->components);
	if (hf_task_given(c, "date_max_future"))
		text_put(out, "Date-Max-Future",
			hf_sprintf(hf_task_arena(c), "%lld", (long long)p->date_max_future));
	bool_put(out, "Enabled", p->enabled);
	text_put(out, "Inrelease-Path", p->inrelease_path);
	list_put(out, "Languages", p->languages);
	text_put(out, "X-Repolib-Name", p->name);
	bool_put(out, "Pdiffs", p->pdiffs);
	text_put(out, "Signed-By", signed_by);
	list_put(out, "Suites", p->suites);
	list_put(out, "Targets", p->targets);
	bool_put(out, "Trusted", p->trusted);
	list_put(out, "Types", p->types);
	list_put(out, "URIs", p->uris);
}

/* An address is fetched and kept beside apt's keyrings; a file, fingerprints or a key go into the stanza as
 * they are. */
static int key_plan(struct hf_module_context *c, const struct params *p, struct state *s,
	const char **ret_signed_by, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	*ret_signed_by = p->signed_by;
	if (p->signed_by == NULL || strstr(p->signed_by, "://") == NULL || hf_fs_exists(p->signed_by))
		return 0;
	struct hf_web_request request = { .url = p->signed_by,
		.method = "GET",
		.agent = "ansible-httpget",
		.timeout_s = 30,
		.follow = HF_WEB_FOLLOW_SAFE };
	struct hf_web_response response;
	int r = hf_web_perform(a, &request, &response, err);
	if (r == 0 && response.status >= 300)
		r = hf_fail(err, HF_E_TASK, "HTTP Error %d: %s", response.status, response.reason);
	if (r < 0)
		return hf_wrap(err, "Could not fetch signed_by key");
	struct hf_edit *file = &s->key[hf_openpgp_armored(response.body) ? 0 : 1];
	file->after = response.body;
	*ret_signed_by = file->path;
	return 0;
}

/* signed_by: what the stanza says of the key. */
static void report(struct hf_module_context *c, const struct params *p, const struct state *s,
	const char *signed_by, struct hf_change *change)
{
	struct hf_arena *a = hf_task_arena(c);
	bool absent = s->sources.remove;
	hf_edit_describe(c, change, &s->sources);
	hf_edit_describe(c, change, &s->key[0]);
	hf_edit_describe(c, change, &s->key[1]);
	change->changed = change->changed || s->set_mode;
	hf_result_put(c, change, "repo", absent ? hf_value_null(a) : hf_value_str(a, s->sources.after));
	hf_result_cstr(c, change, "dest", s->sources.path);
	if (absent)
		signed_by = s->key[1].path;
	bool file = absent ||
		    (signed_by != NULL && (strcmp(signed_by, p->signed_by) != 0 || hf_fs_exists(signed_by)));
	hf_result_put(c, change, "key_filename", file ? hf_value_cstr(a, signed_by) : hf_value_null(a));
}

static int deb822_repository_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	const char *name = slug(a, p->name), *signed_by = NULL;
	bool absent = strcmp(p->state, "absent") == 0;
	const char *path = hf_sprintf(a, "/etc/apt/sources.list.d/%s.sources", name);
	struct stat st;
	change->state = s;
	bool there = stat(path, &st) == 0;
	int r = hf_file_mode_parse(p->mode, there ? st.st_mode : S_IFREG | 0644, &s->mode, err);
	if (r == 0)
		r = hf_edit_open(c, path, s->mode, &s->sources, err);
	for (size_t i = 0; r == 0 && i < HF_COUNT(s->key); i++)
		r = hf_edit_open(c, hf_sprintf(a, "/etc/apt/keyrings/%s.%s", name, i == 0 ? "asc" : "gpg"),
			0644, &s->key[i], err);
	if (r < 0)
		return r;
	s->sources.remove = s->key[0].remove = s->key[1].remove = absent;
	if (!absent) {
		hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
		r = key_plan(c, p, s, &signed_by, err);
		if (r < 0)
			return r;
		stanza(c, p, signed_by, &out);
		hf_edit_set(c, &s->sources, &out);
		s->set_mode = there && (st.st_mode & 07777) != s->mode;
	}
	report(c, p, s, signed_by, change);
	return hf_file_attr_done(c, change, 0);
}

static int deb822_repository_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct state *s = change->state;
	(void)params;
	hf_file_attr_forget(change);
	int r = hf_edit_write(&s->key[0], err);
	if (r == 0)
		r = hf_edit_write(&s->key[1], err);
	if (r == 0)
		r = hf_edit_write(&s->sources, err);
	if (r == 0 && s->set_mode && chmod(s->sources.path, s->mode) < 0)
		r = hf_fail_errno(err, HF_E_IO, "chmod %s", s->sources.path);
	return hf_file_attr_done(c, change, r);
}

static int deb822_repository_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	(void)c;
	(void)params;
	int r = hf_edit_undo(undo, &s->key[0], err);
	if (r == 0)
		r = hf_edit_undo(undo, &s->key[1], err);
	return r < 0 ? r : hf_undo_file(undo, s->sources.path, err);
}

static void deb822_repository_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	const char *name = slug(a, p->name);
	hf_watch_path(w, hf_sprintf(a, "/etc/apt/sources.list.d/%s.sources", name));
	hf_watch_path(w, hf_sprintf(a, "/etc/apt/keyrings/%s.asc", name));
	hf_watch_path(w, hf_sprintf(a, "/etc/apt/keyrings/%s.gpg", name));
}

const struct hf_module hf_module_deb822_repository = {
	.name = "deb822_repository",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.check = deb822_repository_check,
	.apply = deb822_repository_apply,
	.undo = deb822_repository_undo,
	.watch = deb822_repository_watch,
};
