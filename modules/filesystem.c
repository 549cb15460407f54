/* modules/filesystem.c - a file system on a device: made where there is none, never over one unless forced.
 */
#include "modules/host.h"

static const char *const states[] = { "absent", "present", NULL };
static const char *const types[] = { "bcachefs", "btrfs", "ext2", "ext3", "ext4", "ext4dev", "f2fs", "lvm",
	"ocfs2", "reiserfs", "swap", "ufs", "vfat", "xfs", NULL };
/* What makes each, and how it is told to go over what is there. */
static const struct maker {
	const char *type, *program, *quiet, *force, *blkid;
} makers[] = {
	{ "bcachefs", "mkfs.bcachefs", NULL, "--force", "bcachefs" },
	{ "btrfs", "mkfs.btrfs", "-q", "-f", "btrfs" },
	{ "ext2", "mkfs.ext2", "-q", "-F", "ext2" },
	{ "ext3", "mkfs.ext3", "-q", "-F", "ext3" },
	{ "ext4", "mkfs.ext4", "-q", "-F", "ext4" },
	{ "ext4dev", "mkfs.ext4", "-q", "-F", "ext4" },
	{ "f2fs", "mkfs.f2fs", "-q", "-f", "f2fs" },
	{ "lvm", "pvcreate", NULL, "-f", "LVM2_member" },
	{ "ocfs2", "mkfs.ocfs2", "-q", "-Fx", "ocfs2" },
	{ "reiserfs", "mkfs.reiserfs", "-q", "-ff", "reiserfs" },
	{ "swap", "mkswap", NULL, "-f", "swap" },
	{ "ufs", "newfs", NULL, NULL, "ufs" },
	{ "vfat", "mkfs.vfat", NULL, "-I", "vfat" },
	{ "xfs", "mkfs.xfs", "-q", "-f", "xfs" },
};
struct params {
	const char *state, *fstype, *dev, *opts, *uuid;
	int force, resizefs;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ "fstype", HF_ARG_STR, AT(fstype), .choices = types, .aliases = ALIASES("type") },
	{ "dev", HF_ARG_PATH, AT(dev), .flags = HF_REQUIRED, .aliases = ALIASES("device") },
	{ "opts", HF_ARG_STR, AT(opts) },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "no" },
	{ "resizefs", HF_ARG_BOOL, AT(resizefs), .flags = HF_REFUSED,
		.help = "grow it with resize2fs or xfs_growfs in a command task" },
	{ "uuid", HF_ARG_STR, AT(uuid), .flags = HF_REFUSED, .help = "give the mkfs option in opts" },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_IF, ALIASES("fstype"), .when = "state", .equals = "present" },
	{ HF_RULE_END },
};

/* type is one of the choices, which are the rows. */
static const struct maker *maker_of(const char *type)
{
	size_t i = 0;
	while (i + 1 < HF_COUNT(makers) && strcmp(makers[i].type, type) != 0)
		i++;
	return &makers[i];
}

static int type_now(struct hf_module_context *c, const char *dev, const char **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "blkid", "-c", "/dev/null", "-o", "value", "-s", "TYPE", dev, NULL);
	struct hf_proc_result ran;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	if (r == 0)
		*ret = hf_str_dup(a, hf_str_trim(ran.out));
	return r;
}

static int filesystem_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	const char *have;
	bool present = strcmp(p->state, "present") == 0;
	if (!hf_fs_exists(p->dev)) {
		if (present)
			return hf_fail(err, HF_E_TASK, "Device %s not found.", p->dev);
		hf_result_cstr(c, change, "msg", hf_sprintf(a, "Device %s not found.", p->dev));
		return 0;
	}
	int r = type_now(c, p->dev, &have, err);
	if (r != 0)
		return r;
	change->state = hf_strdup(a, have);
	if (!present) {
		change->changed = have[0] != '\0';
		return 0;
	}
	bool same = strcmp(maker_of(p->fstype)->blkid, have) == 0;
	change->changed = !same || p->force == HF_YES;
	if (!same && have[0] != '\0' && p->force != HF_YES)
		return hf_fail(err, HF_E_TASK, "'%s' is already used as %s, use force=true to overwrite",
			p->dev, have);
	if (change->changed) {
		struct hf_value *before = hf_value_dict(a), *after = hf_value_dict(a);
		hf_dict_put(before, "fstype", hf_value_cstr(a, have));
		hf_dict_put(after, "fstype", hf_value_cstr(a, p->fstype));
		hf_change_diff_values(c, change, before, after);
	}
	return 0;
}

static int wipe(struct hf_module_context *c, const char *dev, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "wipefs", "--all", dev, NULL);
	return hf_host_output(c, &w, NULL, err);
}

static int filesystem_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	if (strcmp(p->state, "absent") == 0)
		return wipe(c, p->dev, err);
	const struct maker *maker = maker_of(p->fstype);
	struct hf_words w = hf_words(hf_task_arena(c), maker->program, NULL);
	bool over = p->force == HF_YES || !hf_same(change->state, "");
	if (maker->quiet != NULL)
		hf_words_add(&w, maker->quiet);
	if (over && maker->force != NULL)
		hf_words_add(&w, maker->force);
	int r = p->opts == NULL ? 0 : hf_words_split(&w, p->opts, err);
	hf_words_add(&w, p->dev);
	return r < 0 ? r : hf_host_output(c, &w, NULL, err);
}

static int filesystem_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	(void)err;
	if (!hf_same(change->state, "")) {
		hf_undo_impossible(undo, "what was on the device is gone");
		return 0;
	}
	struct hf_value *step = hf_step(c, "wipe");
	hf_dict_put(step, "dev", hf_value_cstr(hf_task_arena(c), p->dev));
	hf_undo_step(undo, step);
	return 0;
}

static int filesystem_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	return wipe(c, hf_step_text(step, "dev"), err);
}

static void filesystem_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, 3600);
}

const struct hf_module hf_module_filesystem = {
	.name = "filesystem",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.check = filesystem_check,
	.apply = filesystem_apply,
	.undo = filesystem_undo,
	.restore = filesystem_restore,
	.watch = filesystem_watch,
};
