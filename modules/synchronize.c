/* modules/synchronize.c - rsync(1) between two places of this host. */
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/cmdline.h"
#include "modules/file_content.h"
#include "modules/host.h"

#define MARK "<<CHANGED>>"
enum { TEXT_MAX = 64 << 20 };

static const char *const modes[] = { "pull", "push", NULL };
struct params {
	const char *src, *dest, *private_key, *rsync_path, *mode;
	struct hf_value *rsync_opts, *link_dest;
	enum hf_tristate delete, archive, checksum, compress, existing_only, dirs, recursive, links,
		copy_links, perms, times, owner, group, set_remote_user, use_ssh_args, multiplexing, partial,
		verify_host, delay_updates;
	int64_t dest_port, rsync_timeout;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "src", HF_ARG_PATH, AT(src), HF_REQUIRED,
		.help = "What to copy; a slash at the end means the content of the folder." },
	{ "dest", HF_ARG_PATH, AT(dest), HF_REQUIRED, .help = "Where to." },
	{ "dest_port", HF_ARG_INT, AT(dest_port), .dflt = "22", .help = "Of SSH, which is not used." },
	{ "delete", HF_ARG_BOOL, AT(delete), .dflt = "false", .help = "Delete at dest what src has not." },
	{ "private_key", HF_ARG_PATH, AT(private_key), .help = "Of SSH, which is not used." },
	{ "rsync_path", HF_ARG_STR, AT(rsync_path), .help = "rsync's --rsync-path." },
	{ "archive", HF_ARG_BOOL, AT(archive), .dflt = "true",
		.help = "Recursive, links, perms, times, owner, group, devices." },
	{ "checksum", HF_ARG_BOOL, AT(checksum), .dflt = "false",
		.help = "Compare bytes instead of size and time." },
	{ "compress", HF_ARG_BOOL, AT(compress), .dflt = "true", .help = "rsync's --compress." },
	{ "existing_only", HF_ARG_BOOL, AT(existing_only), .dflt = "false", .help = "Make nothing new." },
	{ "dirs", HF_ARG_BOOL, AT(dirs), .dflt = "false", .help = "Folders without what is in them." },
	{ "recursive", HF_ARG_BOOL, AT(recursive), .help = "Default: as archive says." },
	{ "links", HF_ARG_BOOL, AT(links), .help = "Default: as archive says." },
	{ "copy_links", HF_ARG_BOOL, AT(copy_links), .dflt = "false", .help = "What links lead to." },
	{ "perms", HF_ARG_BOOL, AT(perms), .help = "Default: as archive says." },
	{ "times", HF_ARG_BOOL, AT(times), .help = "Default: as archive says." },
	{ "owner", HF_ARG_BOOL, AT(owner), .help = "Default: as archive says." },
	{ "group", HF_ARG_BOOL, AT(group), .help = "Default: as archive says." },
	{ "set_remote_user", HF_ARG_BOOL, AT(set_remote_user), .dflt = "true",
		.help = "Of SSH, which is not used." },
	{ "rsync_timeout", HF_ARG_INT, AT(rsync_timeout), .dflt = "0", .help = "rsync's --timeout." },
	{ "rsync_opts", HF_ARG_LIST, AT(rsync_opts), .elements = HF_ARG_STR, .help = "Further options." },
	{ "use_ssh_args", HF_ARG_BOOL, AT(use_ssh_args), .dflt = "false",
		.help = "Of SSH, which is not used." },
	{ "ssh_connection_multiplexing", HF_ARG_BOOL, AT(multiplexing), .dflt = "false",
		.help = "Of SSH, which is not used." },
	{ "partial", HF_ARG_BOOL, AT(partial), .dflt = "false", .help = "rsync's --partial." },
	{ "verify_host", HF_ARG_BOOL, AT(verify_host), .dflt = "false",
		.help = "Of SSH, which is not used." },
	{ "delay_updates", HF_ARG_BOOL, AT(delay_updates), .dflt = "true",
		.help = "rsync's --delay-updates." },
	{ "mode", HF_ARG_STR, AT(mode), .dflt = "push", .choices = modes,
		.help = "Both ends are this host: no difference." },
	{ "link_dest", HF_ARG_LIST, AT(link_dest), .elements = HF_ARG_PATH,
		.help = "Folders whose unchanged files are linked instead of copied." },
	{ .type = HF_ARG_END },
};

struct work {
	const char *src, *dest;
	const char *shown; /* the command as text */
};

static int local_only(const char *option, const char *path, struct hf_error *err)
{
	if (strchr(path, ':') == NULL)
		return 0;
	return hf_fail(err, HF_E_UNSUPPORTED, "%s: %s names another machine; this host copies only on itself",
		option, path);
}

/* Relative paths lie in the release, a slash at the end stays. */
static int source_find(struct hf_module_context *c, const char *src, const char **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	size_t n = strlen(src);
	char *found;
	*ret = src;
	if (n == 0 || src[0] == '/')
		return 0;
	int r = hf_task_find(c, "files", src, &found, err);
	if (r == 0)
		*ret = src[n - 1] == '/' && !hf_str_ends(hf_str(found), "/") ? hf_sprintf(a, "%s/", found)
									     : found;
	return r;
}

/* Options that are words of rsync; those of --archive are named only where they differ from it. */
static const struct flag {
	size_t at;
	const char *on, *off;
	bool of_archive;
} flags[] = {
	{ AT(delete), "--delete-after", NULL, false },
	{ AT(existing_only), "--existing", NULL, false },
	{ AT(checksum), "--checksum", NULL, false },
	{ AT(copy_links), "--copy-links", NULL, false },
	{ AT(archive), "--archive", NULL, false },
	{ AT(recursive), "--recursive", "--no-recursive", true },
	{ AT(links), "--links", "--no-links", true },
	{ AT(perms), "--perms", "--no-perms", true },
	{ AT(times), "--times", "--no-times", true },
	{ AT(owner), "--owner", "--no-owner", true },
	{ AT(group), "--group", "--no-group", true },
	{ AT(dirs), "--dirs", NULL, false },
};

static const char *flag_word(const struct flag *f, enum hf_tristate value, bool archive)
{
	if (value == HF_UNSET || (f->of_archive && archive == (value == HF_YES)))
		return NULL;
	return value == HF_YES ? f->on : f->of_archive && !archive ? NULL : f->off;
}

static void flags_add(struct hf_words *w, const struct params *p, bool dry)
{
	if (p->delay_updates == HF_YES) {
		hf_words_add(w, "--delay-updates");
		hf_words_add(w, "-F");
	}
	if (p->compress == HF_YES)
		hf_words_add(w, "--compress");
	if (p->rsync_timeout != 0)
		hf_words_addf(w, "--timeout=%lld", (long long)p->rsync_timeout);
	if (dry)
		hf_words_add(w, "--dry-run");
	for (size_t i = 0; i < HF_COUNT(flags); i++) {
		enum hf_tristate value =
			*(const enum hf_tristate *)(const void *)((const char *)p + flags[i].at);
		const char *word = flag_word(&flags[i], value, p->archive == HF_YES);
		if (word != NULL)
			hf_words_add(w, word);
	}
}

static int links_add(struct hf_arena *a, struct hf_words *w, const struct params *p, const char *dest,
	struct hf_error *err)
{
	if (p->link_dest == NULL || hf_list_len(p->link_dest) == 0)
		return 0;
	const char *parent = hf_path_normalize(a, hf_path_dir(a, dest));
	hf_words_add(w, "-H");
	hf_words_add(w, "-vv");
	for (size_t i = 0; i < hf_list_len(p->link_dest); i++) {
		const char *path = hf_path_normalize(a, hf_value_text(a, hf_list_at(p->link_dest, i)).p);
		if (strncmp(parent, path, strlen(path)) == 0)
			return hf_fail(err, HF_E_TASK,
				"Hardlinking into a subdirectory of the source would cause recursion. %s and "
				"%s",
				parent, dest);
		hf_words_addf(w, "--link-dest=%s", path);
	}
	return 0;
}

/* The words, and in ret_text the command as Ansible shows it. */
static int words_make(struct hf_module_context *c, const struct params *p, struct work *work, bool dry,
	struct hf_words *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *rsync = hf_proc_which(a, "rsync");
	if (rsync == NULL)
		return hf_fail(err, HF_E_TASK, "Failed to find required executable \"rsync\"");
	*ret = hf_words(a, rsync, NULL);
	flags_add(ret, p, dry);
	const char *shown = hf_words_line(ret);
	size_t from = ret->n;
	if (p->rsync_path != NULL) {
		hf_words_addf(ret, "--rsync-path=%s", p->rsync_path);
		shown = hf_sprintf(a, "%s --rsync-path=%s", shown, hf_cmdline_quote(a, p->rsync_path));
		from = ret->n;
	}
	int r = 0;
	for (size_t i = 0; r == 0 && p->rsync_opts != NULL && i < hf_list_len(p->rsync_opts); i++) {
		const char *option = hf_value_text(a, hf_list_at(p->rsync_opts, i)).p;
		shown = hf_sprintf(a, "%s %s", shown, option);
		r = hf_words_split(ret, option, err);
	}
	from = ret->n;
	if (p->partial == HF_YES)
		hf_words_add(ret, "--partial");
	if (r == 0)
		r = links_add(a, ret, p, work->dest, err);
	for (size_t i = from; r == 0 && i < ret->n; i++)
		shown = hf_sprintf(a, "%s %s", shown, ret->at[i]);
	hf_words_add(ret, "--out-format=" MARK "%i %n%L");
	hf_words_add(ret, work->src);
	hf_words_add(ret, work->dest);
	work->shown = hf_sprintf(a, "%s --out-format='" MARK "%%i %%n%%L' %s %s", shown,
		hf_cmdline_quote(a, work->src), hf_cmdline_quote(a, work->dest));
	return r;
}

static struct hf_str marks_drop(struct hf_arena *a, struct hf_str out, bool links, bool *ret_changed)
{
	struct hf_buf clean = hf_buf_init(TEXT_MAX);
	struct hf_str mark = HF_STR(MARK);
	bool any = false, still = false;
	for (size_t i = 0; i < out.n;) {
		if (out.n - i >= mark.n && memcmp(out.p + i, mark.p, mark.n) == 0) {
			i += mark.n;
			any = true;
			still = still || (i < out.n && out.p[i] == '.');
			continue;
		}
		hf_buf_put(&clean, out.p[i++]);
	}
	*ret_changed = links ? !still : any;
	struct hf_str text = hf_buf_dup(a, &clean);
	hf_buf_done(&clean);
	return text;
}

static void report(struct hf_module_context *c, struct hf_change *change, struct hf_str text)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *lines = hf_value_list(a);
	struct hf_str rest = text, line;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line))
		if (line.n > 0)
			hf_list_append(lines, hf_value_str(a, line));
	hf_result_put(c, change, "msg", hf_value_str(a, text));
	hf_result_put(c, change, "stdout_lines", lines);
	if (hf_task_diff(c) && hf_list_len(change->diff) == 0) {
		struct hf_value *diff = hf_value_dict(a);
		hf_dict_put(diff, "prepared", hf_value_str(a, text));
		hf_list_append(change->diff, diff);
	}
}

static int rsync(struct hf_module_context *c, const struct params *p, struct hf_change *change, bool dry,
	struct hf_error *err)
{
	struct work *work = change->state;
	struct hf_words w;
	struct hf_proc_result ran;
	bool changed;
	int r = words_make(c, p, work, dry, &w, err);
	if (r == 0)
		r = hf_host_run(c, &w, NULL, &ran, err);
	if (r < 0)
		return r;
	hf_result_cstr(c, change, "cmd", work->shown);
	hf_result_int(c, change, "rc", ran.status);
	if (ran.status != 0)
		return hf_fail(err, HF_E_TASK, "%.*s", HF_STR_ARG(ran.err));
	bool links = p->link_dest != NULL && hf_list_len(p->link_dest) > 0;
	struct hf_str text = marks_drop(hf_task_arena(c), ran.out, links, &changed);
	change->changed = changed || !dry;
	report(c, change, text);
	return 0;
}

static int synchronize_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct work *work = hf_new(hf_task_arena(c), struct work);
	change->state = work;
	work->dest = p->dest[0] == '/' ? p->dest : hf_path_join(hf_task_arena(c), hf_task_dir(c), p->dest);
	int r = local_only("src", p->src, err);
	if (r == 0)
		r = local_only("dest", p->dest, err);
	if (r == 0)
		r = source_find(c, p->src, &work->src, err);
	if (r == 0)
		r = rsync(c, p, change, true, err);
	if (r == 0 && !change->changed && !hf_task_check_mode(c)) { /* as if it had run */
		struct hf_words w;
		r = words_make(c, p, work, false, &w, err);
		hf_result_cstr(c, change, "cmd", work->shown);
	}
	return r;
}

static int synchronize_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return rsync(c, params, change, false, err);
}

/* What rsync may touch: dest, or below it the name of a folder that is copied as a whole. */
static int synchronize_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct work *work = change->state;
	struct hf_arena *a = hf_task_arena(c);
	const char *target = work->dest;
	bool content = hf_str_ends(hf_str(work->src), "/"),
	     below = hf_fs_is_dir(work->dest) || hf_str_ends(hf_str(work->dest), "/");
	if (!content && below && p->delete != HF_YES)
		target = hf_path_join(a, work->dest, hf_path_base(work->src));
	if (hf_fs_exists(target))
		return hf_undo_tree(undo, hf_file_realpath(a, target), err);
	struct hf_value *step = hf_step(c, "tree");
	char *top = hf_strdup(a, target);
	while (strlen(top) > 1 && top[strlen(top) - 1] == '/')
		top[strlen(top) - 1] = '\0';
	for (const char *up = hf_path_dir(a, top); *up != '\0' && !hf_fs_exists(up); up = hf_path_dir(a, up))
		top = hf_strdup(a, up);
	hf_dict_put(step, "path", hf_value_cstr(a, top));
	hf_undo_step(undo, step);
	return 0;
}

/* What was not there before goes again, with all that rsync made in it. */
static int synchronize_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const char *path = hf_step_text(step, "path");
	(void)c;
	return path[0] == '/' ? hf_fs_remove_tree(path, err) : 0;
}

static void synchronize_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	hf_watch_tree(w, ((const struct params *)params)->dest);
}

const struct hf_module hf_module_synchronize = {
	.name = "synchronize",
	.collection = "ansible.posix",
	.schema = { args, NULL, sizeof(struct params) },
	.check = synchronize_check,
	.apply = synchronize_apply,
	.undo = synchronize_undo,
	.restore = synchronize_restore,
	.watch = synchronize_watch,
};
