/* modules/sefcontext.c - which label SELinux's policy gives to paths, through semanage(8). */
#include "lib/base/scope.h"
#include "modules/host.h"

/* semanage's letters and the words it prints for them. */
static const char *const ftypes[] = { "a", "b", "c", "d", "f", "l", "p", "s", NULL };
static const char *const kinds[] = { "all files", "block device", "character device", "directory",
	"regular file", "symbolic link", "named pipe", "socket" };
static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *target, *setype, *substitute, *seuser, *selevel, *state;
	int ftype;
	enum hf_tristate reload, ignore_selinux_state;
};
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)  offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "target", HF_ARG_STR, AT(target), HF_REQUIRED, .aliases = NAMES("path"),
		.help = "Regular expression of paths." },
	{ "ftype", HF_ARG_ENUM, AT(ftype), .dflt = "a", .choices = ftypes,
		.help = "Kind of file: a all, b block, c character, d directory, f regular, l link, p pipe, "
			"s socket." },
	{ "setype", HF_ARG_STR, AT(setype), .help = "Type of the label." },
	{ "substitute", HF_ARG_STR, AT(substitute), .aliases = NAMES("equal"),
		.help = "Path whose labels count for target." },
	{ "seuser", HF_ARG_STR, AT(seuser), .help = "User of the label." },
	{ "selevel", HF_ARG_STR, AT(selevel), .aliases = NAMES("serange"), .help = "Level of the label." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether the policy shall say so." },
	{ "reload", HF_ARG_BOOL, AT(reload), .dflt = "true", .help = "Load the policy afterwards." },
	{ "ignore_selinux_state", HF_ARG_BOOL, AT(ignore_selinux_state), .dflt = "false",
		.help = "Also where SELinux is off." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ .kind = HF_RULE_EXCLUSIVE, .names = NAMES("setype", "substitute") },
	{ .kind = HF_RULE_EXCLUSIVE, .names = NAMES("substitute", "ftype") },
	{ .kind = HF_RULE_EXCLUSIVE, .names = NAMES("substitute", "seuser") },
	{ .kind = HF_RULE_EXCLUSIVE, .names = NAMES("substitute", "selevel") },
	{ .kind = HF_RULE_IF,
		.when = "state",
		.equals = "present",
		.names = NAMES("setype", "substitute"),
		.any = true },
	{ HF_RULE_END },
};

/* What the policy says now. */
struct record {
	const char *user, *role, *type, *level; /* user NULL: nothing for these paths */
	const char *equal;                      /* NULL: no path stands for it */
};

/* "target   kind   user:role:type:level", in columns of blanks */
static void record_take(struct hf_arena *a, const struct params *p, struct hf_str line, struct record *ret)
{
	const char *kind = kinds[p->ftype];
	struct hf_str target = hf_str(p->target), rest = line;
	if (!hf_str_starts(line, p->target) || line.n <= target.n || line.p[target.n] != ' ')
		return;
	rest = hf_str_trim(hf_strn(line.p + target.n, line.n - target.n));
	if (hf_str_starts(rest, "= ")) {
		ret->equal = hf_str_dup(a, hf_str_trim(hf_strn(rest.p + 2, rest.n - 2)));
		return;
	}
	if (!hf_str_starts(rest, kind) || rest.n <= strlen(kind) || rest.p[strlen(kind)] != ' ')
		return;
	rest = hf_str_trim(hf_strn(rest.p + strlen(kind), rest.n - strlen(kind)));
	struct hf_str user, role, type;
	if (hf_str_split(&rest, ':', &user) && hf_str_split(&rest, ':', &role) &&
		hf_str_split(&rest, ':', &type)) {
		ret->user = hf_str_dup(a, user);
		ret->role = hf_str_dup(a, role);
		ret->type = hf_str_dup(a, type);
		ret->level = hf_str_dup(a, rest);
	}
}

static int record_read(
	struct hf_module_context *c, const struct params *p, struct record *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "semanage", "fcontext", "-l", "-n", NULL);
	struct hf_str out, line;
	*ret = (struct record){ 0 };
	if (hf_proc_which(a, "semanage") == NULL)
		return hf_fail(err, HF_E_TASK,
			"semanage is not there: install policycoreutils-python-utils (semanage-utils)");
	int r = hf_host_output(c, &w, &out, err);
	while (r == 0 && hf_str_split(&out, '\n', &line))
		record_take(a, p, line, ret);
	return r;
}

static const char *label(struct hf_arena *a, const struct params *p, const struct record *r)
{
	return hf_sprintf(a, "%s      %s      %s:%s:%s:%s\n", p->target, ftypes[p->ftype], r->user, r->role,
		r->type, r->level);
}

static void absent(struct hf_arena *a, const struct params *p, const struct record *now, struct record *wish,
	const char **ret_before)
{
	if (now->user != NULL && p->substitute == NULL) {
		wish->user = NULL;
		*ret_before = label(a, p, now);
	}
	if (now->equal != NULL && p->setype == NULL &&
		(p->substitute == NULL || strcmp(p->substitute, now->equal) == 0)) {
		wish->equal = NULL;
		*ret_before = hf_sprintf(a, "%s%s = %s\n", *ret_before, p->target, now->equal);
	}
}

/* Before and after as semanage would list them; both "" where there is nothing. */
static bool compare(struct hf_arena *a, const struct params *p, const struct record *now, struct record *wish,
	const char **ret_before, const char **ret_after)
{
	bool present = strcmp(p->state, "present") == 0;
	const char *equal = hf_sprintf(a, "%s = %s\n", p->target, now->equal == NULL ? "" : now->equal);
	*wish = *now;
	*ret_before = *ret_after = "";
	if (present && p->substitute != NULL) {
		wish->equal = p->substitute;
		*ret_before = now->equal == NULL ? "" : equal;
		*ret_after = hf_sprintf(a, "%s = %s\n", p->target, p->substitute);
	} else if (present) {
		bool there = now->user != NULL;
		wish->type = p->setype;
		wish->user = p->seuser != NULL ? p->seuser : there ? now->user : "system_u";
		wish->level = p->selevel != NULL ? p->selevel : there ? now->level : "s0";
		wish->role = there ? now->role : "object_r";
		*ret_before = there ? label(a, p, now) : "";
		*ret_after = label(a, p, wish);
	} else {
		absent(a, p, now, wish, ret_before);
	}
	return strcmp(*ret_before, *ret_after) != 0;
}

struct work {
	struct record now, wish;
};

static void report(struct hf_module_context *c, const struct params *p, const struct record *wish,
	struct hf_change *change)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct {
		const char *key, *text;
		bool always;
	} rows[] = { { "target", p->target, true }, { "ftype", ftypes[p->ftype], true },
		{ "setype", p->setype, true }, { "substitute", p->substitute, true },
		{ "state", p->state, true },
		{ "seuser", p->substitute == NULL ? wish->user : p->seuser, false },
		{ "serange", p->substitute == NULL ? wish->level : p->selevel, false } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i].always || strcmp(p->state, "present") == 0)
			hf_result_put(c, change, rows[i].key,
				rows[i].text == NULL ? hf_value_null(a) : hf_value_cstr(a, rows[i].text));
}

static int sefcontext_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct work *w = hf_new(hf_task_arena(c), struct work);
	const char *before, *after;
	change->state = w;
	if (p->ignore_selinux_state != HF_YES && !hf_fs_exists("/sys/fs/selinux/enforce"))
		return hf_fail(err, HF_E_TASK, "SELinux is disabled on this host.");
	int r = record_read(c, p, &w->now, err);
	if (r < 0)
		return r;
	change->changed = compare(hf_task_arena(c), p, &w->now, &w->wish, &before, &after);
	if (change->changed)
		hf_change_diff(
			c, change, "semanage fcontext", hf_str(before), "semanage fcontext", hf_str(after));
	report(c, p, &w->wish, change);
	return 0;
}

/* One call of semanage that turns `now` into `wish` for labels, another for substitutes. */
static int record_apply(struct hf_module_context *c, const char *target, const char *ftype, bool reload,
	const struct record *now, const struct record *wish, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	int r = 0;
	const char *noreload = reload ? NULL : "-N";
	bool same = hf_same(now->user, wish->user) && hf_same(now->type, wish->type) &&
		    hf_same(now->level, wish->level);
	if (wish->user == NULL && now->user != NULL) {
		struct hf_words w =
			hf_words(a, "semanage", "fcontext", "-d", "-f", ftype, target, noreload, NULL);
		r = hf_host_output(c, &w, NULL, err);
	} else if (wish->user != NULL && !same) {
		struct hf_words w = hf_words(a, "semanage", "fcontext", now->user == NULL ? "-a" : "-m", "-f",
			ftype, "-t", wish->type, "-s", wish->user, "-r", wish->level, target, noreload, NULL);
		r = hf_host_output(c, &w, NULL, err);
	}
	if (r < 0 || hf_same(now->equal, wish->equal))
		return r;
	struct hf_words w = hf_words(a, "semanage", "fcontext", NULL);
	hf_words_add(&w, wish->equal == NULL ? "-d" : now->equal == NULL ? "-a" : "-m");
	if (wish->equal != NULL) {
		hf_words_add(&w, "-e");
		hf_words_add(&w, wish->equal);
	}
	hf_words_add(&w, target);
	if (noreload != NULL)
		hf_words_add(&w, noreload);
	return hf_host_output(c, &w, NULL, err);
}

static int sefcontext_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct work *w = change->state;
	return record_apply(c, p->target, ftypes[p->ftype], p->reload == HF_YES, &w->now, &w->wish, err);
}

static void record_put(struct hf_arena *a, struct hf_value *step, const char *which, const struct record *r)
{
	struct hf_value *d = hf_value_dict(a);
	const char *const rows[][2] = { { "user", r->user }, { "type", r->type }, { "level", r->level },
		{ "equal", r->equal } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i][1] != NULL)
			hf_dict_put(d, rows[i][0], hf_value_cstr(a, rows[i][1]));
	hf_dict_put(step, which, d);
}

static struct record record_get(const struct hf_value *step, const char *which)
{
	const struct hf_value *d = hf_dict_get(step, which);
	if (!hf_is(d, HF_DICT))
		return (struct record){ 0 };
	return (struct record){ .user = hf_dict_cstr(d, "user", NULL),
		.type = hf_dict_cstr(d, "type", NULL),
		.level = hf_dict_cstr(d, "level", NULL),
		.equal = hf_dict_cstr(d, "equal", NULL) };
}

static int sefcontext_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct work *w = change->state;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, "fcontext");
	(void)err;
	hf_dict_put(step, "target", hf_value_cstr(a, p->target));
	hf_dict_put(step, "ftype", hf_value_cstr(a, ftypes[p->ftype]));
	hf_dict_put(step, "reload", hf_value_bool(a, p->reload == HF_YES));
	record_put(a, step, "before", &w->now);
	record_put(a, step, "after", &w->wish);
	hf_undo_step(undo, step);
	return 0;
}

static int sefcontext_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct record before = record_get(step, "before"), after = record_get(step, "after");
	return record_apply(c, hf_step_text(step, "target"), hf_step_text(step, "ftype"),
		hf_dict_bool(step, "reload", true), &after, &before, err);
}

static void sefcontext_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_path(w, "/etc/selinux");
	hf_watch_poll(w, 300);
}

const struct hf_module hf_module_sefcontext = {
	.name = "sefcontext",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.check = sefcontext_check,
	.apply = sefcontext_apply,
	.undo = sefcontext_undo,
	.restore = sefcontext_restore,
	.watch = sefcontext_watch,
};
