/* modules/lvol.c - a logical volume, a snapshot, a thin pool or a volume in one, through LVM's commands. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/commands.h"

enum { PERCENT_MAX = 100 };

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *vg, *lv, *size, *opts, *state, *snapshot, *thinpool;
	struct hf_value *pvs;
	enum hf_tristate force, shrink, active, resizefs;
};
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)  offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "vg", HF_ARG_STR, AT(vg), HF_REQUIRED, .help = "The volume group." },
	{ "lv", HF_ARG_STR, AT(lv), .help = "The volume." },
	{ "size", HF_ARG_STR, AT(size),
		.help = "Size in MiB or with a unit, or 40%VG, 100%FREE; + and - change what there is." },
	{ "opts", HF_ARG_STR, AT(opts), .help = "More words for lvcreate." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether it shall be there." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false",
		.help = "Allow it to be removed or made smaller." },
	{ "shrink", HF_ARG_BOOL, AT(shrink), .dflt = "true", .help = "Make it smaller where size is less." },
	{ "active", HF_ARG_BOOL, AT(active), .dflt = "true", .help = "Whether it can be used." },
	{ "snapshot", HF_ARG_STR, AT(snapshot), .help = "Name of a snapshot of lv." },
	{ "pvs", HF_ARG_LIST, AT(pvs), .elements = HF_ARG_STR, .help = "Devices to take the room from." },
	{ "resizefs", HF_ARG_BOOL, AT(resizefs), .dflt = "false", .help = "Resize the file system as well." },
	{ "thinpool", HF_ARG_STR, AT(thinpool), .help = "A thin pool; with lv, the pool it is made in." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ .kind = HF_RULE_ONE_OF, .names = NAMES("lv", "thinpool") },
	{ HF_RULE_END },
};

struct volume {
	const char *name;
	double size;
	bool active, pool, thin;
};
struct work {
	struct hf_commands m; /* first: hf_commands_apply() finds it there */
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	const char *size, *whole, *unit; /* number; VG, PVS, FREE, ORIGIN or NULL; letter of size */
	char sign, option;               /* '+', '-' or 0; L, l or V */
	double room, extent, total;
	HF_VEC(struct volume) volumes;
	const struct volume *now; /* NULL: not there */
	const char *name;         /* what lvcreate is to make */
};

/* --- what size means
 * ------------------------------------------------------------------------------------------- */
static int percent_parse(struct work *w, const char *percent, struct hf_error *err)
{
	static const char *const wholes[] = { "VG", "PVS", "FREE", "ORIGIN" };
	int64_t n;
	w->whole = percent + 1;
	w->option = 'l';
	w->unit = "";
	if (!hf_str_to_int64(hf_strn(w->size, (size_t)(percent - w->size)), &n))
		return hf_fail(err, HF_E_TASK, "Bad size specification of '%s'", w->size);
	if (n > PERCENT_MAX)
		return hf_fail(err, HF_E_TASK, "Size percentage cannot be larger than 100%%");
	if (strcmp(w->whole, "ORIGIN") == 0 && w->p->snapshot == NULL)
		return hf_fail(err, HF_E_TASK, "Percentage of ORIGIN supported only for snapshot volumes");
	for (size_t i = 0; i < HF_COUNT(wholes); i++)
		if (strcmp(w->whole, wholes[i]) == 0)
			return 0;
	return hf_fail(err, HF_E_TASK, "Specify extents as a percentage of VG|PVS|FREE|ORIGIN");
}

static int size_parse(struct work *w, struct hf_error *err)
{
	const char *size = w->p->size, *percent;
	char *end;
	w->option = 'L';
	w->unit = "m";
	if (size == NULL || *size == '\0')
		return 0;
	if (*size == '+' || *size == '-')
		w->sign = *size++;
	w->size = size;
	percent = strchr(size, '%');
	if (percent != NULL)
		return percent_parse(w, percent, err);
	size_t n = strlen(size);
	if (n > 0 && strchr("bskmgtpe", tolower((unsigned char)size[n - 1])) != NULL) {
		w->unit = size + n - 1;
		w->size = hf_strndup(w->a, size, n - 1);
	}
	(void)strtod(w->size, &end);
	if (!isdigit((unsigned char)w->size[0]) || *end != '\0')
		return hf_fail(err, HF_E_TASK, "Bad size specification of '%s'", w->size);
	return 0;
}

/* --- what there is
 * --------------------------------------------------------------------------------------------- */
static const char *units(struct work *w)
{
	return *w->unit == '\0' ? "m" : hf_sprintf(w->a, "%c", tolower((unsigned char)*w->unit));
}

static struct hf_str field(struct hf_str *line)
{
	struct hf_str piece = HF_STR("");
	(void)hf_str_split(line, ';', &piece);
	return hf_str_trim(piece);
}

static double field_number(struct work *w, struct hf_str *line)
{
	return strtod(hf_str_dup(w->a, field(line)), NULL);
}

/* *there: the group exists. */
static int group_read(struct work *w, bool *there, struct hf_error *err)
{
	struct hf_words words = hf_words(w->a, "vgs", "--noheadings", "--nosuffix", "-o",
		"vg_name,size,free,vg_extent_size", "--units", units(w), "--separator", ";", w->p->vg, NULL);
	struct hf_proc_result ran;
	struct hf_str line = HF_STR("");
	int r = hf_commands_need(w->c, "vgs", err);
	if (r == 0)
		r = hf_host_run(w->c, &words, NULL, &ran, err);
	*there = r == 0 && ran.status == 0;
	if (!*there)
		return r;
	(void)hf_str_split(&ran.out, '\n', &line);
	(void)field(&line);
	w->total = field_number(w, &line);
	w->room = field_number(w, &line);
	w->extent = field_number(w, &line);
	return 0;
}

static int volumes_read(struct work *w, struct hf_error *err)
{
	struct hf_words words = hf_words(w->a, "lvs", "-a", "--noheadings", "--nosuffix", "-o",
		"lv_name,size,lv_attr", "--units", units(w), "--separator", ";", w->p->vg, NULL);
	struct hf_str out, line;
	int r = hf_host_output(w->c, &words, &out, err);
	while (r == 0 && hf_str_split(&out, '\n', &line)) {
		struct hf_str name = field(&line);
		struct volume *v = hf_vec_push(w->a, &w->volumes);
		if (hf_str_starts(name, "["))
			name = hf_strn(name.p + 1, name.n - 2);
		v->name = hf_str_dup(w->a, name);
		v->size = field_number(w, &line);
		struct hf_str attr = field(&line);
		v->active = attr.n > 4 && attr.p[4] == 'a';
		v->pool = attr.n > 0 && attr.p[0] == 't';
		v->thin = attr.n > 0 && attr.p[0] == 'V';
	}
	return r;
}

static const struct volume *volume_find(const struct work *w, const char *name)
{
	for (size_t i = 0; name != NULL && i < w->volumes.n; i++)
		if (strcmp(w->volumes.at[i].name, name) == 0)
			return &w->volumes.at[i];
	return NULL;
}

/* The volume the task is about. */
static int volume_choose(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	w->name = p->lv != NULL ? p->lv : p->thinpool;
	if (p->snapshot != NULL) {
		const struct volume *origin = volume_find(w, p->lv);
		if (origin == NULL)
			origin = volume_find(w, p->thinpool);
		if (origin == NULL)
			return hf_fail(err, HF_E_TASK,
				"Snapshot origin LV %s does not exist in volume group %s.",
				p->lv == NULL ? "None" : p->lv, p->vg);
		if (origin->pool || p->thinpool != NULL)
			return hf_fail(err, HF_E_TASK, "Snapshots of thin pool LVs are not supported.");
		w->name = p->snapshot;
	} else if (p->thinpool != NULL && p->lv != NULL && volume_find(w, p->thinpool) == NULL) {
		return hf_fail(err, HF_E_TASK, "Thin pool LV %s does not exist in volume group %s.",
			p->thinpool, p->vg);
	}
	const char *base = strrchr(w->name, '/');
	w->now = volume_find(w, w->name);
	if (w->now == NULL && base != NULL)
		w->now = volume_find(w, base + 1);
	return 0;
}

/* --- what is to be done
 * ---------------------------------------------------------------------------------------- */
static int create_check(struct work *w, struct hf_error *err)
{
	const struct volume *origin = volume_find(w, w->p->lv);
	if (w->sign == '-')
		return hf_fail(
			err, HF_E_TASK, "Bad size specification of '%c%s' for creating LV", w->sign, w->size);
	if (w->size == NULL && !(w->p->snapshot != NULL && origin != NULL && origin->thin))
		return hf_fail(err, HF_E_TASK, "No size given.");
	if (w->p->thinpool != NULL && w->p->lv != NULL && w->p->snapshot == NULL && w->option == 'l')
		return hf_fail(err, HF_E_TASK, "Thin volume sizing with percentage not supported.");
	return 0;
}

static int create(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	int r = create_check(w, err);
	if (r < 0)
		return r;
	struct hf_words *make = hf_commands_add(&w->m, "lvcreate", "--yes", NULL);
	const char *opts = p->opts == NULL ? "" : p->opts;
	bool thin = p->thinpool != NULL && p->snapshot == NULL;
	if (p->snapshot == NULL && p->lv != NULL) {
		hf_words_add(make, "-n");
		hf_words_add(make, p->lv);
	}
	if (w->size != NULL) {
		hf_words_addf(make, "-%c", thin && p->lv != NULL ? 'V' : w->option);
		hf_words_addf(make, "%s%s", w->size, w->unit);
	}
	if (p->snapshot != NULL) {
		hf_words_add(make, "-s");
		hf_words_add(make, "-n");
		hf_words_add(make, p->snapshot);
	}
	r = hf_words_split(make, opts, err);
	if (thin)
		hf_words_add(make, "-T");
	if (thin || p->snapshot != NULL)
		hf_words_addf(make, "%s/%s", p->vg, thin ? p->thinpool : p->lv);
	else {
		hf_words_add(make, p->vg);
		hf_words_text(make, p->pvs);
	}
	hf_commands_back(&w->m, "lvremove", "--force", hf_sprintf(w->a, "%s/%s", p->vg, w->name), NULL);
	return r;
}

/* Bytes it has now, to be given back to it. */
static int bytes_now(struct work *w, const char **ret, struct hf_error *err)
{
	struct hf_words words = hf_words(w->a, "lvs", "--noheadings", "--nosuffix", "-o", "size", "--units",
		"b", hf_sprintf(w->a, "%s/%s", w->p->vg, w->now->name), NULL);
	struct hf_str out;
	int r = hf_host_output(w->c, &words, &out, err);
	if (r == 0)
		*ret = hf_sprintf(w->a, "%.*sb", HF_STR_ARG(hf_str_trim(out)));
	return r;
}

static int resize(struct work *w, bool grow, struct hf_error *err)
{
	const struct params *p = w->p;
	const char *bytes = NULL;
	struct hf_words *change = hf_commands_add(&w->m, grow ? "lvextend" : "lvreduce", NULL);
	if (!grow)
		hf_words_add(change, "--force");
	if (p->resizefs == HF_YES)
		hf_words_add(change, "--resizefs");
	hf_words_addf(change, "-%c", w->option);
	hf_words_addf(change, "%s%s%s", w->sign == '+' ? "+" : w->sign == '-' ? "-" : "", w->size, w->unit);
	hf_words_addf(change, "%s/%s", p->vg, w->now->name);
	hf_words_text(change, p->pvs);
	if (!grow)
		w->m.gone = "what was in the part of the volume that is cut off is gone";
	else if (p->resizefs == HF_YES)
		w->m.gone = "a file system that has grown is not made smaller again";
	int r = w->m.gone != NULL ? 0 : bytes_now(w, &bytes, err);
	if (bytes != NULL)
		hf_commands_back(&w->m, "lvreduce", "--force", "-L", bytes,
			hf_sprintf(w->a, "%s/%s", p->vg, w->now->name), NULL);
	return r;
}

static int may_shrink(struct work *w, double size, double least, struct hf_error *err)
{
	if (size < least)
		return hf_fail(err, HF_E_TASK, "Sorry, no shrinking of %s to 0 permitted.", w->now->name);
	if (w->p->force != HF_YES)
		return hf_fail(err, HF_E_TASK, "Sorry, no shrinking of %s without force=true%s", w->now->name,
			w->option == 'l' ? "" : ".");
	return 0;
}

static int resize_percent(struct work *w, struct hf_error *err)
{
	bool of_all = strcmp(w->whole, "VG") == 0 || strcmp(w->whole, "PVS") == 0;
	double want = strtod(w->size, NULL) * (of_all ? w->total : w->room) / PERCENT_MAX;
	if (w->sign == '+')
		want += w->now->size;
	else if (w->sign == '-')
		want = w->now->size - want;
	want -= fmod(want, w->extent);
	if (w->now->size < want) {
		if (w->room > 0 && w->room >= want - w->now->size)
			return resize(w, true, err);
		return hf_fail(err, HF_E_TASK,
			"Logical Volume %s could not be extended. Not enough free space left (%.1fm required "
			"/ "
			"%.1fm available)",
			w->now->name, want - w->now->size, w->room);
	}
	if (w->p->shrink != HF_YES || w->now->size <= want + w->extent)
		return 0;
	int r = may_shrink(w, want, 1, err);
	return r < 0 ? r : resize(w, false, err);
}

static int resize_absolute(struct work *w, struct hf_error *err)
{
	double want = strtod(w->size, NULL);
	if (want > w->now->size || w->sign == '+')
		return resize(w, true, err);
	if (!(w->p->shrink == HF_YES && want < w->now->size) && w->sign != '-')
		return 0;
	int r = may_shrink(w, want == 0 ? 0 : 1, 1, err);
	return r < 0 ? r : resize(w, false, err);
}

static int change_existing(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	const char *path = hf_sprintf(w->a, "%s/%s", p->vg, w->now->name);
	int r = 0;
	if (strcmp(p->state, "absent") == 0) {
		if (p->force != HF_YES)
			return hf_fail(err, HF_E_TASK,
				"Sorry, no removal of logical volume %s without force=true.", w->now->name);
		hf_commands_add(&w->m, "lvremove", "--force", path, NULL);
		w->m.gone = "a volume that was removed does not come back with what was in it";
		return 0;
	}
	if (w->size != NULL)
		r = w->option == 'l' ? resize_percent(w, err) : resize_absolute(w, err);
	bool active = p->active == HF_YES;
	if (r == 0 && active != w->now->active) {
		hf_commands_add(&w->m, "lvchange", active ? "-ay" : "-an", path, NULL);
		hf_commands_back(&w->m, "lvchange", active ? "-an" : "-ay", path, NULL);
	}
	return r;
}

static void report(struct work *w, struct hf_change *change)
{
	if (strcmp(w->p->state, "absent") == 0 && w->now != NULL)
		return;
	if (w->now == NULL) {
		hf_result_cstr(w->c, change, "msg", "");
		return;
	}
	hf_result_cstr(w->c, change, "vg", w->p->vg);
	hf_result_cstr(w->c, change, "lv", w->now->name);
	hf_result_put(w->c, change, "size", hf_value_float(w->a, w->now->size));
}

static int lvol_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = hf_new(hf_task_arena(c), struct work);
	*w = (struct work){ .c = c, .a = hf_task_arena(c), .p = params, .m = { .c = c } };
	change->state = w;
	bool there = false, present = strcmp(w->p->state, "present") == 0;
	int r = size_parse(w, err);
	if (r == 0)
		r = group_read(w, &there, err);
	if (r == 0 && !there) {
		const char *said = hf_sprintf(w->a, "Volume group %s does not exist.", w->p->vg);
		hf_result_cstr(c, change, "stdout", said);
		return present ? hf_fail(err, HF_E_TASK, "%s", said) : 0;
	}
	if (r == 0)
		r = volumes_read(w, err);
	if (r == 0)
		r = volume_choose(w, err);
	if (r == 0 && w->now != NULL)
		r = change_existing(w, err);
	else if (r == 0 && present)
		r = create(w, err);
	if (r == 0)
		report(w, change);
	change->changed = r == 0 && w->m.todo.n > 0;
	return r;
}

static void lvol_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, 300);
}

const struct hf_module hf_module_lvol = {
	.name = "lvol",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = lvol_check,
	.apply = hf_commands_apply,
	.undo = hf_commands_undo,
	.restore = hf_commands_restore,
	.watch = lvol_watch,
};
