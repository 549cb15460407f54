/* modules/mount.c - lines of fstab, and what is mounted. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/file_content.h"
#include "modules/host.h"

enum state { ABSENT, ABSENT_FROM_FSTAB, MOUNTED, PRESENT, UNMOUNTED, REMOUNTED, EPHEMERAL };
static const char *const states[] = { "absent", "absent_from_fstab", "mounted", "present", "unmounted",
	"remounted", "ephemeral", NULL };
struct params {
	const char *path, *src, *fstype, *opts, *dump, *passno, *fstab;
	int state, boot, backup, opts_no_log;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), .flags = HF_REQUIRED, .aliases = ALIASES("name") },
	{ "src", HF_ARG_PATH, AT(src) },
	{ "fstype", HF_ARG_STR, AT(fstype) },
	{ "opts", HF_ARG_STR, AT(opts) },
	{ "opts_no_log", HF_ARG_BOOL, AT(opts_no_log), .dflt = "no" },
	{ "dump", HF_ARG_STR, AT(dump), .dflt = "0" },
	{ "passno", HF_ARG_STR, AT(passno), .dflt = "0" },
	{ "state", HF_ARG_ENUM, AT(state), .flags = HF_REQUIRED, .choices = states },
	{ "fstab", HF_ARG_STR, AT(fstab), .dflt = "/etc/fstab" },
	{ "boot", HF_ARG_BOOL, AT(boot), .dflt = "yes" },
	{ "backup", HF_ARG_BOOL, AT(backup), .dflt = "no" },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_IF, ALIASES("src", "fstype"), .when = "state", .equals = "mounted" },
	{ HF_RULE_IF, ALIASES("src", "fstype"), .when = "state", .equals = "present" },
	{ HF_RULE_IF, ALIASES("src", "fstype"), .when = "state", .equals = "ephemeral" },
	{ HF_RULE_END },
};
enum { FIELDS = 6 };

struct plan {
	struct hf_edit fstab;
	const char *opts,
		*backup; /* backup: where the old fstab is kept; chosen by check, so that undo knows it */
	bool mount, unmount, remount, make, remove; /* make, remove: the folder */
};

static const char *escape(struct hf_arena *a, const char *text)
{
	struct hf_buf out = hf_buf_init(HF_EDIT_MAX);
	for (const char *p = text; *p != '\0'; p++)
		if (*p == '\\' || *p == ' ' || *p == '&')
			hf_buf_printf(&out, "\\%03o", (unsigned)(unsigned char)*p);
		else
			hf_buf_put(&out, *p);
	const char *done = hf_buf_dup(a, &out).p;
	hf_buf_done(&out);
	return done;
}

/* Place, root and source of what is mounted on path now, from the kernel; false: nothing is. */
static bool mounted(
	struct hf_module_context *c, const char *path, const char **ret_source, const char **ret_root)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *place = escape(a, path);
	struct hf_str text, line;
	bool found = false;
	if (hf_fs_read(a, "/proc/self/mountinfo", HF_EDIT_MAX, &text, NULL) < 0)
		return false;
	while (hf_str_split(&text, '\n', &line)) {
		struct hf_str rest = line, field, root = HF_STR(""), where = HF_STR(""), source = HF_STR("");
		bool after = false;
		for (int i = 0, tail = 0; i < 64 && hf_str_split(&rest, ' ', &field); i++) {
			root = i == 3 ? field : root;
			where = i == 4 ? field : where;
			tail += after;
			source = after && tail == 2 ? field : source;
			after = after || hf_str_is(field, "-");
		}
		if (!hf_str_is(where, place))
			continue;
		found = true;
		*ret_source = hf_str_dup(a, source);
		*ret_root = hf_str_dup(a, root);
	}
	return found;
}

static size_t fields_split(struct hf_arena *a, struct hf_str line, const char *field[FIELDS])
{
	size_t n = 0;
	for (size_t i = 0; i < line.n;) {
		size_t start = i;
		while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t')
			i++;
		if (i > start && n < FIELDS)
			field[n] = hf_strndup(a, line.p + start, i - start);
		n += i > start;
		i += i == start;
	}
	return n;
}

/* False for comments and what is no line of fstab. The last two fields may be missing, but such a line is
 * never what is declared, and it is not taken away. */
static bool line_read(struct hf_arena *a, struct hf_str line, bool put, const char *field[FIELDS])
{
	struct hf_str text = hf_str_trim(line);
	size_t n = text.n == 0 || text.p[0] == '#' ? 0 : fields_split(a, text, field);
	return n >= (put ? 4 : FIELDS) && n <= FIELDS;
}

/* Is this the line of our mount? Swap has no place: its source names it. */
static bool line_is_ours(const char *const field[FIELDS], const char *place, const char *src)
{
	if (strcmp(field[1], place) != 0)
		return false;
	return strcmp(field[1], "none") != 0 || strcmp(field[2], "swap") != 0 || src == NULL ||
	       strcmp(field[0], src) == 0;
}

static const char *line_text(struct hf_arena *a, const char *const want[FIELDS])
{
	return hf_sprintf(a, "%s %s %s %s %s %s\n", want[0], want[1], want[2], want[3], want[4], want[5]);
}

static bool fields_same(const char *const field[FIELDS], const char *const want[FIELDS])
{
	for (size_t i = 0; i < FIELDS; i++)
		if (strcmp(field[i], want[i]) != 0)
			return false;
	return true;
}

/* A last line without its end is no reason to write. */
static bool only_newline(struct hf_str before, const struct hf_buf *after)
{
	return before.n > 0 && after->n == before.n + 1 && memcmp(after->p, before.p, before.n) == 0;
}

static void fstab_plan(struct hf_module_context *c, const struct params *p, struct plan *plan)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *place = escape(a, p->path);
	bool put = p->state == MOUNTED || p->state == PRESENT, exists = false;
	const char *want[FIELDS] = { put ? escape(a, p->src) : "", place, put ? escape(a, p->fstype) : "",
		escape(a, plan->opts), p->dump, p->passno };
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = plan->fstab.before, line;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
		const char *field[FIELDS] = { "", "", "", "", "", "" }; /* zeros left out are written */
		bool ours = line_read(a, line, put, field) && line_is_ours(field, place, p->src);
		exists = exists || ours;
		if (!ours || (put && fields_same(field, want)))
			hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(line));
		else if (put)
			hf_buf_puts(&out, line_text(a, want));
	}
	if (put && !exists)
		hf_buf_puts(&out, line_text(a, want));
	if (!only_newline(plan->fstab.before, &out))
		hf_edit_set(c, &plan->fstab, &out);
}

/* Not at boot is one more option, whatever the others say. */
static const char *options(struct hf_module_context *c, const struct params *p)
{
	const char *opts = p->opts == NULL ? "defaults" : p->opts;
	struct hf_str rest = hf_str(opts), one;
	bool noauto = false;
	while (hf_str_split(&rest, ',', &one))
		noauto = noauto || hf_str_is(one, "noauto");
	if (p->boot == HF_NO)
		return hf_sprintf(hf_task_arena(c), "%s,noauto", opts);
	if (noauto)
		hf_task_warn(c, "Ignore the 'boot' due to 'opts' contains 'noauto'.");
	return opts;
}

static int plan_ephemeral(struct hf_module_context *c, const struct params *p, bool is_mounted,
	const char *source, const char *root, struct plan *plan, struct hf_error *err)
{
	plan->mount = !is_mounted;
	plan->remount = is_mounted && hf_task_acts(c);
	if (is_mounted && strcmp(source, p->src) != 0 && strcmp(root, p->src) != 0)
		return hf_fail(err, HF_E_TASK,
			"Ephemeral mount point is already mounted with a different source than the specified "
			"one. Failing in order to prevent an unwanted unmount or override operation. Try "
			"replacing this command with "
			"a \"state: unmounted\" followed by a \"state: ephemeral\", or use a different "
			"destination path.");
	return 0;
}

static int plan_mounts(
	struct hf_module_context *c, const struct params *p, struct plan *plan, struct hf_error *err)
{
	const char *source = "", *root = "";
	bool is_mounted = mounted(c, p->path, &source, &root), edited = hf_edit_changed(&plan->fstab);
	switch ((enum state)p->state) {
	case ABSENT:
		plan->unmount = edited && is_mounted;
		plan->remove = edited && hf_fs_exists(p->path);
		return 0;
	case UNMOUNTED:
		plan->unmount = is_mounted;
		return 0;
	case REMOUNTED:
		plan->remount = hf_task_acts(c);
		return 0;
	case MOUNTED:
		plan->mount = !is_mounted;
		plan->remount = is_mounted && edited;
		return 0;
	case EPHEMERAL:
		return plan_ephemeral(c, p, is_mounted, source, root, plan, err);
	case PRESENT:
	case ABSENT_FROM_FSTAB:
		return 0;
	}
	return 0;
}

static int mount_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct plan *plan = hf_new(hf_task_arena(c), struct plan);
	change->state = plan;
	plan->opts = options(c, p);
	int r = hf_edit_open_text(c, p->fstab, 0644, &plan->fstab, err);
	if (r < 0)
		return r;
	if (p->state <= PRESENT)
		fstab_plan(c, p, plan);
	r = plan_mounts(c, p, plan, err);
	plan->make = plan->mount && !hf_fs_exists(p->path);
	if (p->backup == HF_YES && hf_edit_changed(&plan->fstab) && plan->fstab.existed)
		plan->backup = hf_file_backup_name(hf_task_arena(c), p->fstab);
	hf_edit_describe(c, change, &plan->fstab);
	change->changed = hf_edit_changed(&plan->fstab) || plan->mount || plan->unmount || plan->remount;
	const char *const rows[][2] = { { "name", p->path }, { "src", p->src }, { "fstype", p->fstype },
		{ "opts", plan->opts }, { "dump", p->dump }, { "passno", p->passno }, { "fstab", p->fstab },
		{ "boot", p->boot == HF_NO ? "no" : "yes" }, { "backup_file", "" } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i][1] != NULL)
			hf_result_cstr(c, change, rows[i][0], rows[i][1]);
	return r;
}

/* What is mounted, and where. */
static void place_words(const struct params *p, const struct plan *plan, struct hf_words *w)
{
	if (p->state != EPHEMERAL && strcmp(p->fstab, "/etc/fstab") != 0) {
		hf_words_add(w, "-T");
		hf_words_add(w, p->fstab);
	}
	if (p->state == EPHEMERAL) {
		hf_words_add(w, "-t");
		hf_words_add(w, p->fstype);
		if (strcmp(plan->opts, "defaults") != 0) {
			hf_words_add(w, "-o");
			hf_words_add(w, plan->opts);
		}
		hf_words_add(w, p->src);
	}
	hf_words_add(w, p->path);
}

static int do_mount(
	struct hf_module_context *c, const struct params *p, const struct plan *plan, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "mount", NULL);
	place_words(p, plan, &w);
	return hf_host_output(c, &w, NULL, err);
}

static int do_remount(
	struct hf_module_context *c, const struct params *p, const struct plan *plan, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	bool named = p->state == REMOUNTED && strcmp(plan->opts, "defaults") != 0;
	struct hf_words w =
		hf_words(a, "mount", "-o", named ? hf_sprintf(a, "remount,%s", plan->opts) : "remount", NULL);
	struct hf_words off = hf_words(a, "umount", p->path, NULL);
	place_words(p, plan, &w);
	struct hf_error first = { 0 };
	if (hf_host_output(c, &w, NULL, &first) == 0)
		return 0;
	if (named)
		return hf_fail(err, HF_E_TASK,
			"Options were specified with remounted, but the remount command failed: %s",
			first.text);
	int r = hf_host_output(c, &off, NULL, err);
	return r < 0 ? r : do_mount(c, p, plan, err);
}

static int fstab_write(struct hf_module_context *c, const struct params *p, const struct plan *plan,
	struct hf_change *change, struct hf_error *err)
{
	int r = 0;
	if (plan->backup != NULL) {
		r = hf_file_backup(p->fstab, plan->backup, err);
		hf_result_cstr(c, change, "backup_file", plan->backup);
	}
	return r < 0 ? r : hf_edit_write(&plan->fstab, err);
}

static int do_unmount(
	struct hf_module_context *c, const struct params *p, const struct plan *plan, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "umount", p->path, NULL);
	if (plan->unmount && hf_host_output(c, &w, NULL, err) < 0)
		return hf_wrap(err, "Error unmounting %s", p->path);
	if (plan->remove && rmdir(p->path) < 0)
		return hf_fail_errno(err, HF_E_TASK, "Error rmdir %s", p->path);
	return 0;
}

/* The folders from `first` down to the path, which were made for a mount that failed. */
static void folders_remove(struct hf_arena *a, const char *path, const char *first)
{
	char *name = hf_strndup(a, path, strlen(path));
	for (char *slash; strlen(name) >= strlen(first) && rmdir(name) == 0; *slash = '\0') {
		slash = strrchr(name, '/');
		if (slash == NULL)
			return;
	}
}

/* The first folder on the way to the path that is not there. */
static const char *folder_missing(struct hf_arena *a, const char *path)
{
	for (const char *p = path; *p != '\0' && (p = strchr(p + 1, '/')) != NULL;) {
		const char *first = hf_strndup(a, path, (size_t)(p - path));
		if (!hf_fs_exists(first))
			return first;
	}
	return path;
}

static int mount_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	const char *first = plan->make ? folder_missing(hf_task_arena(c), p->path) : NULL;
	int r = plan->make ? hf_fs_mkdirs(p->path, 0755, err) : 0;
	if (r == 0)
		r = fstab_write(c, p, plan, change, err);
	if (r == 0)
		r = do_unmount(c, p, plan, err);
	if (r < 0 || (!plan->mount && !plan->remount))
		return r;
	r = plan->mount ? do_mount(c, p, plan, err) : do_remount(c, p, plan, err);
	if (r == 0)
		return 0;
	struct hf_edit back = plan->fstab; /* a line that does not mount may keep the host from booting */
	back.after = plan->fstab.before;
	back.before = plan->fstab.after;
	if (first != NULL)
		folders_remove(hf_task_arena(c), p->path, first);
	if (hf_edit_write(&back, NULL) < 0)
		return hf_wrap(err, "Error mounting %s (and fstab could not be put back)", p->path);
	return hf_wrap(err, "Error mounting %s", p->path);
}

static int mount_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	/* Taken in reverse: fstab first; then the folder before what is mounted on it, or after it is free.
	 */
	int r = plan->make ? hf_undo_file(undo, p->path, err) : 0;
	if (r == 0 && (plan->mount || plan->unmount || plan->remount)) {
		struct hf_value *step = hf_step(c, plan->mount ? "unmount" : "mount");
		hf_dict_put(step, "path", hf_value_cstr(a, p->path));
		hf_undo_step(undo, step);
	}
	if (r == 0 && plan->remove)
		r = hf_undo_file(undo, p->path, err);
	if (r == 0 && plan->backup != NULL)
		r = hf_undo_file(undo, plan->backup, err);
	return r < 0 ? r : hf_edit_undo(undo, &plan->fstab, err);
}

static int mount_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *path = hf_step_text(step, "path"), *source, *root;
	bool off = strcmp(hf_step_text(step, "what"), "unmount") == 0, is = mounted(c, path, &source, &root);
	struct hf_words w = off  ? hf_words(a, "umount", path, NULL)
			    : is ? hf_words(a, "mount", "-o", "remount", path, NULL)
				 : hf_words(a, "mount", path, NULL);
	return off && !is ? 0 : hf_host_output(c, &w, NULL, err);
}

static void mount_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	hf_watch_mounts(w);
	hf_watch_path(w, p->fstab);
}

const struct hf_module hf_module_mount = {
	.name = "mount",
	.collection = "ansible.posix",
	.schema = { args, rules, sizeof(struct params) },
	.check = mount_check,
	.apply = mount_apply,
	.undo = mount_undo,
	.restore = mount_restore,
	.watch = mount_watch,
};
