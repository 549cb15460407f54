/* modules/filesystem.c - a file system on a device: made where there is none, never over one unless forced.
 */
#include <stdlib.h>
#include <strings.h>

#include "lib/data/schema_convert.h"
#include "modules/host.h"

static const char *const states[] = { "absent", "present", NULL };
static const char *const types[] = { "bcachefs", "btrfs", "ext2", "ext3", "ext4", "ext4dev", "f2fs", "lvm",
	"ocfs2", "reiserfs", "swap", "ufs", "vfat", "xfs", NULL };
/* What makes each, how it is told to go over what is there, to bear a UUID, and to grow. */
static const struct maker {
	const char *type, *program, *quiet, *force, *blkid;
	const char *label;            /* as messages have it */
	const char *const *grow;      /* the command, its target last; NULL: it cannot */
	const char *const *info;      /* tells its size, see sizes */
	const char *const *rename;    /* gives another UUID: words, UUID, device */
	const char *const *make_uuid; /* at making: word, UUID, further words; NULL: rename afterwards */
	bool mounted;                 /* grows, and tells its size, only where it is mounted */
	bool random;                  /* rename takes no UUID, it makes one */
} makers[] = {
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define EXT(TYPE, PROGRAM, BLKID, LABEL)                                                                     \
	{                                                                                                    \
		TYPE, PROGRAM, "-q", "-F", BLKID, LABEL, WORDS("resize2fs"), WORDS("tune2fs", "-l"),         \
			WORDS("tune2fs", "-U"), WORDS("-U"), false, false                                    \
	}
	{ "bcachefs", "mkfs.bcachefs", NULL, "--force", "bcachefs", "Bcachefs",
		WORDS("bcachefs", "device", "resize"), WORDS("bcachefs", "show-super"), NULL, WORDS("-U"),
		false, false },
	{ "btrfs", "mkfs.btrfs", "-q", "-f", "btrfs", "Btrfs", WORDS("btrfs", "filesystem", "resize", "max"),
		WORDS("btrfs", "filesystem", "usage", "-b"), NULL, NULL, true, false },
	EXT("ext2", "mkfs.ext2", "ext2", "Ext2"),
	EXT("ext3", "mkfs.ext3", "ext3", "Ext3"),
	EXT("ext4", "mkfs.ext4", "ext4", "Ext4"),
	EXT("ext4dev", "mkfs.ext4", "ext4", "Ext4"),
	{ "f2fs", "mkfs.f2fs", "-q", "-f", "f2fs", "F2fs", WORDS("resize.f2fs"), WORDS("dump.f2fs"), NULL,
		NULL, false, false },
	{ "lvm", "pvcreate", NULL, "-f", "LVM2_member", "LVM", WORDS("pvresize"),
		WORDS("pvs", "--noheadings", "-o", "pv_size", "--units", "b", "--nosuffix"),
		WORDS("pvchange", "-u"), WORDS("-u", "--norestorefile"), false, true },
	{ "ocfs2", "mkfs.ocfs2", "-q", "-Fx", "ocfs2", "Ocfs2", NULL, NULL, NULL, NULL, false, false },
	{ "reiserfs", "mkfs.reiserfs", "-q", "-ff", "reiserfs", "Reiserfs", NULL, NULL, NULL, NULL, false,
		false },
	{ "swap", "mkswap", NULL, "-f", "swap", "Swap", NULL, NULL, NULL, NULL, false, false },
	{ "ufs", "newfs", NULL, NULL, "ufs", "UFS", NULL, NULL, NULL, NULL, false, false },
	{ "vfat", "mkfs.vfat", NULL, "-I", "vfat", "VFAT", WORDS("fatresize", "-s", "max"),
		WORDS("fatresize", "--info"), NULL, NULL, false, false },
	{ "xfs", "mkfs.xfs", "-q", "-f", "xfs", "XFS", WORDS("xfs_growfs"), WORDS("xfs_info"),
		WORDS("xfs_admin", "-U"), NULL, true, false },
#undef EXT
#undef WORDS
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
	{ "resizefs", HF_ARG_BOOL, AT(resizefs), .dflt = "no" },
	{ "uuid", HF_ARG_STR, AT(uuid) },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_IF, ALIASES("fstype"), .when = "state", .equals = "present" },
	{ HF_RULE_EXCLUSIVE, ALIASES("resizefs", "uuid") },
	{ HF_RULE_END },
};
enum { WORK_MAKE, WORK_GROW, WORK_RENAME };
struct work {
	int kind;
	const char *have;   /* the type that is there */
	const char *uuid;   /* the UUID that is there */
	const char *target; /* of growing */
};

/* type is one of the choices, which are the rows. */
static const struct maker *maker_of(const char *type)
{
	size_t i = 0;
	while (i + 1 < HF_COUNT(makers) && strcmp(makers[i].type, type) != 0)
		i++;
	return &makers[i];
}

static int tag_now(
	struct hf_module_context *c, const char *dev, const char *tag, const char **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "blkid", "-c", "/dev/null", "-o", "value", "-s", tag, dev, NULL);
	struct hf_proc_result ran;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	if (r == 0)
		*ret = hf_str_dup(a, hf_str_trim(ran.out));
	return r;
}

/* --- growing ------------------------------------------------------------------------------------------- */

static int device_size(struct hf_module_context *c, const char *dev, uint64_t *ret, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "blockdev", "--getsize64", dev, NULL);
	struct hf_str out;
	struct stat st;
	if (stat(dev, &st) < 0)
		return hf_fail_errno(err, HF_E_TASK, "stat %s", dev);
	if (S_ISREG(st.st_mode)) {
		*ret = (uint64_t)st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return hf_fail(err, HF_E_TASK, "Target device not supported: %s", dev);
	int r = hf_host_output(c, &w, &out, err);
	if (r == 0)
		*ret = strtoull(out.p, NULL, 10);
	return r;
}

/* *ret NULL: it is not mounted. */
static int mount_point(struct hf_module_context *c, const char *dev, const char **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w =
		hf_words(a, "findmnt", "--mtab", "--noheadings", "--output", "TARGET", "--source", dev, NULL);
	struct hf_proc_result ran;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	*ret = NULL;
	if (r == 0 && ran.status == 0)
		*ret = hf_strndup(a, ran.out.p, strcspn(ran.out.p, "\n"));
	return r;
}

/* The number after the first `key` of a text; 0: there is none. */
static uint64_t number_after(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	if (at == NULL)
		return 0;
	at += strlen(key);
	at += strspn(at, " \t:=");
	return strtoull(at, NULL, 10);
}

/* What the programs say of sizes: two numbers that are multiplied, or one. */
static uint64_t size_told(struct hf_arena *a, const struct maker *m, const char *out)
{
	static const struct {
		const char *label, *first, *second;
	} sizes[] = { { "Ext", "Block count", "Block size" }, { "F2fs", "sector size", "total FS sectors" },
		{ "Btrfs", "Device size", NULL }, { "VFAT", "Cur size", NULL }, { "VFAT", "Size", NULL } };
	uint64_t size = 0;
	const char *data = strstr(out, "\ndata");
	if (strcmp(m->label, "LVM") == 0)
		return strtoull(out + strspn(out, " \t\n"), NULL, 10);
	if (strcmp(m->label, "XFS") == 0)
		return data == NULL ? 0 : number_after(data, "bsize") * number_after(data, "blocks");
	if (strcmp(m->label, "Bcachefs") == 0) {
		const struct hf_arg bytes = { .name = "size", .type = HF_ARG_BYTES };
		const char *at = strstr(out, "Size: ");
		struct hf_value *made;
		struct hf_error why;
		if (at == NULL)
			return 0;
		const char *text = hf_strndup(a, at + 6, strcspn(at + 6, "i\n"));
		return hf_schema_convert(a, &bytes, "size", hf_value_cstr(a, text), &made, &why) == 0
			       ? (uint64_t)made->u.integer
			       : 0;
	}
	for (size_t i = 0; size == 0 && i < HF_COUNT(sizes); i++)
		if (strncmp(sizes[i].label, m->label, strlen(sizes[i].label)) == 0)
			size = number_after(out, sizes[i].first) *
			       (sizes[i].second == NULL ? 1 : number_after(out, sizes[i].second));
	return size;
}

static struct hf_words command(struct hf_arena *a, const char *const *words)
{
	struct hf_words w = hf_words(a, words[0], NULL);
	for (size_t i = 1; words[i] != NULL; i++)
		hf_words_add(&w, words[i]);
	return w;
}

/* Where the device is mounted, for file systems that are asked and grown there, and how large it is. */
static int filesystem_size(struct hf_module_context *c, const struct params *p, const char **ret_mount,
	uint64_t *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct maker *m = maker_of(p->fstype);
	struct hf_words w = command(a, m->info);
	struct hf_str out;
	*ret_mount = NULL;
	int r = m->mounted ? mount_point(c, p->dev, ret_mount, err) : 0;
	if (r == 0 && *ret_mount == NULL && strcmp(m->label, "Btrfs") == 0)
		return hf_fail(err, HF_E_TASK, "%s needs to be mounted for %s operations", p->dev, m->label);
	hf_words_add(&w, *ret_mount != NULL ? *ret_mount : p->dev);
	if (r == 0)
		r = hf_host_output(c, &w, &out, err);
	if (r < 0)
		return r;
	*ret = size_told(a, m, out.p);
	return *ret > 0 ? 0
			: hf_fail(err, HF_E_TASK, "unable to process %s output for %s", m->info[0], p->dev);
}

static int grow_look(struct hf_module_context *c, const struct params *p, struct hf_change *change,
	struct work *work, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct maker *m = maker_of(p->fstype);
	const char *mount = NULL;
	uint64_t size = 0, room = 0;
	if (m->grow == NULL)
		return hf_fail(
			err, HF_E_TASK, "module does not support resizing %s filesystem yet.", m->blkid);
	int r = device_size(c, p->dev, &room, err);
	if (r == 0)
		r = filesystem_size(c, p, &mount, &size, err);
	if (r < 0)
		return r;
	change->changed = size < room;
	hf_result_cstr(c, change, "msg",
		change->changed
			? hf_sprintf(a, "resizing filesystem %s on device %s", m->label, p->dev)
			: hf_sprintf(a, "%s filesystem is using the whole device %s", m->label, p->dev));
	if (change->changed && m->mounted && mount == NULL && !hf_task_check_mode(c))
		return hf_fail(err, HF_E_TASK, "%s needs to be mounted for %s operations", p->dev, m->label);
	work->kind = WORK_GROW;
	work->target = mount != NULL ? mount : p->dev;
	return 0;
}

static int rename_look(struct hf_module_context *c, const struct params *p, struct hf_change *change,
	struct work *work, struct hf_error *err)
{
	const struct maker *m = maker_of(p->fstype);
	if (m->rename == NULL)
		return hf_fail(err, HF_E_TASK,
			"%s: the UUID of a file system %s that is there cannot be changed", p->dev, m->blkid);
	int r = tag_now(c, p->dev, "UUID", &work->uuid, err);
	work->kind = WORK_RENAME;
	if (r == 0)
		change->changed = strcasecmp(work->uuid, p->uuid) != 0;
	return r;
}

static int same_look(struct hf_module_context *c, const struct params *p, struct hf_change *change,
	struct work *work, struct hf_error *err)
{
	if (p->resizefs == HF_YES)
		return grow_look(c, p, change, work, err);
	if (p->uuid != NULL && *p->uuid != '\0')
		return rename_look(c, p, change, work, err);
	change->changed = p->force == HF_YES && hf_task_acts(c);
	return 0;
}

static int present_look(struct hf_module_context *c, const struct params *p, struct hf_change *change,
	struct work *work, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct maker *m = maker_of(p->fstype);
	if (p->uuid != NULL && *p->uuid != '\0' && m->rename == NULL && m->make_uuid == NULL)
		return hf_fail(err, HF_E_TASK,
			"module does not support UUID option for this filesystem (%s) yet.", m->blkid);
	if (strcmp(m->blkid, work->have) == 0)
		return same_look(c, p, change, work, err);
	if (work->have[0] != '\0' && p->force != HF_YES)
		return hf_fail(err, HF_E_TASK, "'%s' is already used as %s, use force=true to overwrite",
			p->dev, work->have);
	change->changed = true;
	struct hf_value *before = hf_value_dict(a), *after = hf_value_dict(a);
	hf_dict_put(before, "fstype", hf_value_cstr(a, work->have));
	hf_dict_put(after, "fstype", hf_value_cstr(a, p->fstype));
	hf_change_diff_values(c, change, before, after);
	return 0;
}

static int filesystem_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct work *work = hf_new(a, struct work);
	bool present = strcmp(p->state, "present") == 0;
	change->state = work;
	if (!hf_fs_exists(p->dev)) {
		if (present)
			return hf_fail(err, HF_E_TASK, "Device %s not found.", p->dev);
		hf_result_cstr(c, change, "msg", hf_sprintf(a, "Device %s not found.", p->dev));
		return 0;
	}
	int r = tag_now(c, p->dev, "TYPE", &work->have, err);
	if (r == 0 && present)
		return present_look(c, p, change, work, err);
	change->changed = r == 0 && work->have[0] != '\0';
	return r;
}

static int wipe(struct hf_module_context *c, const char *dev, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "wipefs", "--all", dev, NULL);
	return hf_host_output(c, &w, NULL, err);
}

static int rename_it(struct hf_module_context *c, const struct maker *m, const char *uuid, const char *dev,
	struct hf_str *ret_out, struct hf_error *err)
{
	struct hf_words w = command(hf_task_arena(c), m->rename);
	if (!m->random)
		hf_words_add(&w, uuid);
	hf_words_add(&w, dev);
	return hf_host_output(c, &w, ret_out, err);
}

static bool has_word(const struct hf_words *w, const char *word)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->at[i], word) == 0)
			return true;
	return false;
}

/* What the user's own opts say of it wins. */
static void uuid_words(struct hf_words *w, const char *const *words, const char *uuid)
{
	if (has_word(w, words[0]) || has_word(w, "--uuid"))
		return;
	hf_words_add(w, words[0]);
	hf_words_add(w, uuid);
	for (size_t i = 1; words[i] != NULL; i++)
		hf_words_add(w, words[i]);
}

static int make_it(
	struct hf_module_context *c, const struct params *p, const struct work *work, struct hf_error *err)
{
	const struct maker *maker = maker_of(p->fstype);
	struct hf_words w = hf_words(hf_task_arena(c), maker->program, NULL);
	bool over = p->force == HF_YES || work->have[0] != '\0', named = p->uuid != NULL && *p->uuid != '\0';
	if (maker->quiet != NULL)
		hf_words_add(&w, maker->quiet);
	if (over && maker->force != NULL)
		hf_words_add(&w, maker->force);
	int r = p->opts == NULL ? 0 : hf_words_split(&w, p->opts, err);
	if (r < 0)
		return r;
	if (named && maker->make_uuid != NULL)
		uuid_words(&w, maker->make_uuid, p->uuid);
	hf_words_add(&w, p->dev);
	r = hf_host_output(c, &w, NULL, err);
	return r == 0 && named && maker->make_uuid == NULL ? rename_it(c, maker, p->uuid, p->dev, NULL, err)
							   : r;
}

static int filesystem_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct work *work = change->state;
	struct hf_str out;
	if (strcmp(p->state, "absent") == 0)
		return wipe(c, p->dev, err);
	if (work->kind == WORK_MAKE)
		return make_it(c, p, work, err);
	struct hf_words w = command(hf_task_arena(c), maker_of(p->fstype)->grow);
	hf_words_add(&w, work->target == NULL ? "" : work->target);
	int r = work->kind == WORK_GROW ? hf_host_output(c, &w, &out, err)
					: rename_it(c, maker_of(p->fstype), p->uuid, p->dev, &out, err);
	if (r == 0)
		hf_result_put(c, change, "msg", hf_value_str(hf_task_arena(c), out));
	return r;
}

static int filesystem_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct work *work = change->state;
	bool random = work->kind == WORK_RENAME && maker_of(p->fstype)->random;
	(void)err;
	if (work->kind == WORK_GROW || random) {
		hf_undo_impossible(undo, random ? "the UUID it had cannot be given to it again"
						: "a file system that has grown is not made smaller again");
		return 0;
	}
	if (work->kind == WORK_MAKE && work->have[0] != '\0') {
		hf_undo_impossible(undo, "what was on the device is gone");
		return 0;
	}
	struct hf_value *step = hf_step(c, work->kind == WORK_RENAME ? "uuid" : "wipe");
	hf_dict_put(step, "dev", hf_value_cstr(hf_task_arena(c), p->dev));
	if (work->kind == WORK_RENAME) {
		hf_dict_put(step, "uuid", hf_value_cstr(hf_task_arena(c), work->uuid));
		hf_dict_put(step, "fstype", hf_value_cstr(hf_task_arena(c), p->fstype));
	}
	hf_undo_step(undo, step);
	return 0;
}

static int filesystem_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const char *dev = hf_step_text(step, "dev");
	if (strcmp(hf_step_text(step, "what"), "uuid") == 0)
		return rename_it(c, maker_of(hf_step_text(step, "fstype")), hf_step_text(step, "uuid"), dev,
			NULL, err);
	return wipe(c, dev, err);
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
