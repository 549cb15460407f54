/* modules/acl.c - access control lists of files, through getfacl(1) and setfacl(1). */
#include "lib/base/scope.h"
#include "modules/cmdline.h"
#include "modules/host.h"

static const char *const states[] = { "absent", "present", "query", NULL };
static const char *const etypes[] = { "group", "mask", "other", "user", NULL };
static const char *const masks[] = { "default", "mask", "no_mask", NULL };
struct params {
	const char *path, *entry, *entity, *etype, *permissions, *state, *recalculate_mask;
	enum hf_tristate follow, dflt, recursive, nfsv4;
};
static const char *const path_aliases[] = { "name", NULL };
static const char *const recursive_aliases[] = { "recurse", NULL };
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), HF_REQUIRED, .aliases = path_aliases,
		.help = "The file or folder." },
	{ "entry", HF_ARG_STR, AT(entry), .help = "The whole entry, [d:]type:entity[:permissions]." },
	{ "entity", HF_ARG_STR, AT(entity), .dflt = "", .help = "User or group the entry is about." },
	{ "etype", HF_ARG_STR, AT(etype), .choices = etypes, .help = "Kind of entry." },
	{ "permissions", HF_ARG_STR, AT(permissions), .help = "Permissions, such as rwx, r-x or X." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "query", .choices = states,
		.help = "Whether the entry shall be there; query only looks." },
	{ "follow", HF_ARG_BOOL, AT(follow), .dflt = "true",
		.help = "Where path is a link, what it leads to." },
	{ "default", HF_ARG_BOOL, AT(dflt), .dflt = "false", .help = "The default list of a folder." },
	{ "recursive", HF_ARG_BOOL, AT(recursive), .dflt = "false", .aliases = recursive_aliases,
		.help = "Everything below as well." },
	{ "recalculate_mask", HF_ARG_STR, AT(recalculate_mask), .dflt = "default", .choices = masks,
		.help = "Whether setfacl computes the mask anew." },
	{ "use_nfsv4_acls", HF_ARG_BOOL, AT(nfsv4), HF_REFUSED, .dflt = "false",
		.help = "lists of NFS 4 are not done" },
	{ .type = HF_ARG_END },
};

/* What is asked for, from entry or from its parts. */
struct wish {
	const char *etype, *entity, *permissions;
	bool dflt;
};

static size_t colons(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += *text == ':';
	return n;
}

static const char *entry_kind(struct hf_str word)
{
	static const struct {
		char letter;
		const char *kind;
	} rows[] = { { 'u', "user" }, { 'g', "group" }, { 'm', "mask" }, { 'o', "other" } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (word.n > 0 && (word.p[0] | ' ') == rows[i].letter)
			return rows[i].kind;
	return NULL;
}

static int entry_split(struct hf_arena *a, const struct params *p, struct wish *ret, struct hf_error *err)
{
	bool present = strcmp(p->state, "present") == 0;
	size_t n = colons(p->entry);
	if (p->etype != NULL || *p->entity != '\0' || p->permissions != NULL)
		return hf_fail(err, HF_E_TASK,
			"'entry' MUST NOT be set when 'entity', 'etype' or 'permissions' are set.");
	if (present && n != 2 && n != 3)
		return hf_fail(err, HF_E_TASK,
			"'entry' MUST have 3 or 4 sections divided by ':' when 'state=present'.");
	if (strcmp(p->state, "absent") == 0 && n != 1 && n != 2)
		return hf_fail(err, HF_E_TASK,
			"'entry' MUST have 2 or 3 sections divided by ':' when 'state=absent'.");
	if (strcmp(p->state, "query") == 0)
		return hf_fail(err, HF_E_TASK, "'entry' MUST NOT be set when 'state=query'.");
	struct hf_str rest = hf_str(p->entry), part = HF_STR("");
	if ((p->entry[0] | ' ') == 'd') {
		ret->dflt = true;
		(void)hf_str_split(&rest, ':', &part);
	}
	if (!hf_str_split(&rest, ':', &part) || (ret->etype = entry_kind(part)) == NULL)
		return hf_fail(err, HF_E_TASK, "'entry' names no type of entry: %s", p->entry);
	struct hf_str entity = HF_STR("");
	(void)hf_str_split(&rest, ':', &entity);
	ret->entity = hf_str_dup(a, entity);
	ret->permissions = rest.n > 0 ? hf_str_dup(a, rest) : NULL;
	return 0;
}

static int wish_make(struct hf_arena *a, const struct params *p, struct wish *ret, struct hf_error *err)
{
	bool absent = strcmp(p->state, "absent") == 0, query = strcmp(p->state, "query") == 0;
	*ret = (struct wish){ p->etype, p->entity, p->permissions, p->dflt == HF_YES };
	if (!hf_fs_exists(p->path))
		return hf_fail(err, HF_E_TASK, "Path not found or not accessible.");
	if (query && p->recursive == HF_YES)
		return hf_fail(err, HF_E_TASK, "'recursive' MUST NOT be set when 'state=query'.");
	if (query && strcmp(p->recalculate_mask, "default") != 0)
		return hf_fail(err, HF_E_TASK,
			"'recalculate_mask' MUST NOT be set to 'mask' or 'no_mask' when 'state=query'.");
	if (p->entry != NULL && *p->entry != '\0')
		return entry_split(a, p, ret, err);
	if (absent && p->permissions != NULL)
		return hf_fail(err, HF_E_TASK, "'permissions' MUST NOT be set when 'state=absent'.");
	if (absent && *p->entity == '\0')
		return hf_fail(err, HF_E_TASK, "'entity' MUST be set when 'state=absent'.");
	if (!query && p->etype == NULL)
		return hf_fail(err, HF_E_TASK, "'etype' MUST be set when 'state=%s'.", p->state);
	return 0;
}

/* setfacl or getfacl with what they have in common. entry NULL: getfacl. */
static int command(struct hf_module_context *c, const struct params *p, const struct wish *wish,
	const char *entry, bool test, struct hf_words *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *name = entry == NULL ? "getfacl" : "setfacl", *program = hf_proc_which(a, name);
	bool mask = strcmp(p->recalculate_mask, "mask") == 0,
	     no_mask = strcmp(p->recalculate_mask, "no_mask") == 0;
	if (program == NULL)
		return hf_fail(err, HF_E_TASK, "Failed to find required executable \"%s\"", name);
	*ret = hf_words(a, program, NULL);
	if (test)
		hf_words_add(ret, "--test");
	if (wish->dflt)
		hf_words_add(ret, "-d");
	if (entry != NULL) {
		hf_words_add(ret, strcmp(p->state, "present") == 0 ? "-m" : "-x");
		hf_words_add(ret, entry);
	} else {
		hf_words_add(ret, "--absolute-names");
		hf_words_add(ret, "--omit-header");
	}
	if (p->recursive == HF_YES)
		hf_words_add(ret, "--recursive");
	if (entry != NULL && (mask || no_mask))
		hf_words_add(ret, mask ? "--mask" : "--no-mask");
	if (p->follow == HF_NO)
		hf_words_add(ret, "--physical");
	hf_words_add(ret, "--");
	hf_words_add(ret, p->path);
	return 0;
}

static struct hf_value *lines_value(struct hf_arena *a, struct hf_str text)
{
	struct hf_value *list = hf_value_list(a);
	struct hf_str line;
	while (text.n > 0 && hf_str_split(&text, '\n', &line))
		if (!hf_str_starts(line, "#"))
			hf_list_append(list, hf_value_str(a, hf_str_trim(line)));
	size_t n = hf_list_len(list);
	if (n > 0 && hf_list_at(list, n - 1)->u.string.n == 0)
		list->u.list->n--;
	return list;
}

/* LC_ALL as Ansible's: what is said is read. */
static int run(struct hf_module_context *c, struct hf_change *change, const struct hf_words *w,
	struct hf_str *ret_out, struct hf_error *err)
{
	static const char *const plain[] = { "LC_ALL=C.UTF-8", "LANG=C.UTF-8", NULL };
	return hf_host_must(c, change, w, NULL, plain, ret_out, err);
}

static int acl_report(struct hf_module_context *c, const struct params *p, const struct wish *wish,
	struct hf_change *change, struct hf_error *err)
{
	struct hf_words w;
	struct hf_str out;
	int r = command(c, p, wish, NULL, false, &w, err);
	if (r == 0)
		r = run(c, change, &w, &out, err);
	if (r == 0)
		hf_result_put(c, change, "acl", lines_value(hf_task_arena(c), out));
	return r;
}

/* `setfacl --test` prints the list every file would get; "*,*" for one that stays. */
static int differs(struct hf_module_context *c, const struct params *p, const struct wish *wish,
	const char *entry, struct hf_change *change, struct hf_error *err)
{
	struct hf_words w;
	struct hf_str out, line;
	int r = command(c, p, wish, entry, true, &w, err);
	if (r == 0)
		r = run(c, change, &w, &out, err);
	if (r < 0)
		return r;
	while (out.n > 0 && hf_str_split(&out, '\n', &line))
		if (!hf_str_starts(line, "#") && line.n > 0 && !hf_str_ends(hf_str_trim(line), "*,*"))
			change->changed = true;
	return 0;
}

static const char *entry_text(struct hf_arena *a, const struct wish *wish)
{
	return hf_sprintf(a, "%s:%s%s%s", wish->etype, wish->entity, wish->permissions != NULL ? ":" : "",
		wish->permissions != NULL ? wish->permissions : "");
}

static int acl_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct wish *wish = hf_new(a, struct wish);
	bool query = strcmp(p->state, "query") == 0;
	change->state = wish;
	int r = wish_make(a, p, wish, err);
	if (r < 0)
		return r;
	if (!query && strcmp(p->state, "absent") == 0)
		wish->permissions = NULL;
	const char *entry = query ? NULL : entry_text(a, wish);
	if (!query)
		r = differs(c, p, wish, entry, change, err);
	if (r == 0)
		r = acl_report(c, p, wish, change, err);
	if (r < 0) /* then the failure is what there is to say */
		return r;
	hf_result_cstr(c, change, "msg", query ? "current acl" : hf_sprintf(a, "%s is %s", entry, p->state));
	return 0;
}

static int acl_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct wish *wish = change->state;
	struct hf_words w;
	int r = command(c, p, wish, entry_text(hf_task_arena(c), wish), false, &w, err);
	if (r == 0)
		r = run(c, change, &w, NULL, err);
	return r < 0 ? r : acl_report(c, p, wish, change, err);
}

/* Lists are extended attributes: they come back with the file. */
static int acl_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	char real[4096];
	(void)c;
	(void)change;
	if (realpath(p->path, real) == NULL)
		return hf_fail_errno(err, HF_E_IO, "%s", p->path);
	return p->recursive == HF_YES ? hf_undo_tree(undo, real, err) : hf_undo_file(undo, real, err);
}

static void acl_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	if (p->recursive == HF_YES)
		hf_watch_tree(w, p->path);
	else
		hf_watch_path(w, p->path);
}

const struct hf_module hf_module_acl = {
	.name = "acl",
	.collection = "ansible.posix",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = acl_check,
	.apply = acl_apply,
	.undo = acl_undo,
	.watch = acl_watch,
};
