/* modules/lvg.c - a volume group and the devices it is made of, through LVM's commands. */
#include "lib/base/scope.h"
#include "modules/commands.h"
#include "modules/file_attr.h"

static const char *const states[] = { "absent", "present", "active", "inactive", NULL };
struct params {
	const char *vg, *pesize, *pv_options, *vg_options, *state;
	struct hf_value *pvs;
	enum hf_tristate pvresize, force, reset_vg_uuid, reset_pv_uuid;
};
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)  offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "vg", HF_ARG_STR, AT(vg), HF_REQUIRED, .help = "The volume group." },
	{ "pvs", HF_ARG_LIST, AT(pvs), .elements = HF_ARG_STR,
		.help = "The devices it is made of, and no others." },
	{ "pesize", HF_ARG_STR, AT(pesize), .dflt = "4", .help = "Size of an extent of a new group (MiB)." },
	{ "pv_options", HF_ARG_STR, AT(pv_options), .dflt = "", .help = "More words for pvcreate." },
	{ "pvresize", HF_ARG_BOOL, AT(pvresize), .dflt = "false",
		.help = "Let the devices grow to their size." },
	{ "vg_options", HF_ARG_STR, AT(vg_options), .dflt = "", .help = "More words for vgcreate." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether it shall be there; active, inactive: and its volumes usable or not." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false", .help = "Remove it with the volumes in it." },
	{ "reset_vg_uuid", HF_ARG_BOOL, AT(reset_vg_uuid), .dflt = "false",
		.help = "Give the group a new UUID, every time." },
	{ "reset_pv_uuid", HF_ARG_BOOL, AT(reset_pv_uuid), .dflt = "false",
		.help = "Give the devices new UUIDs, every time." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ .kind = HF_RULE_IF, .when = "reset_pv_uuid", .equals = "true", .names = NAMES("pvs") },
	{ HF_RULE_END },
};

struct work {
	struct hf_commands m; /* first: hf_commands_apply() finds it there */
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	bool exists;
	int64_t volumes;
	struct hf_value *wanted, *there, *given; /* devices: as they are, now in the group, as written */
};

static int ask(struct work *w, struct hf_words *words, struct hf_str *ret, struct hf_error *err)
{
	return hf_host_output(w->c, words, ret, err);
}

static struct hf_value *field(struct work *w, struct hf_str *line)
{
	struct hf_str piece = HF_STR("");
	(void)hf_str_split(line, ';', &piece);
	return hf_value_str(w->a, hf_str_trim(piece));
}

static int group_find(struct work *w, struct hf_error *err)
{
	struct hf_words words = hf_words(
		w->a, "vgs", "--noheadings", "-o", "vg_name,pv_count,lv_count", "--separator", ";", NULL);
	struct hf_str out, line;
	int r = hf_commands_need(w->c, "vgs", err);
	if (r == 0)
		r = ask(w, &words, &out, err);
	while (r == 0 && hf_str_split(&out, '\n', &line)) {
		struct hf_str name = field(w, &line)->u.string;
		(void)field(w, &line);
		if (!hf_str_is(name, w->p->vg))
			continue;
		w->exists = true;
		(void)hf_str_to_int64(hf_str_trim(line), &w->volumes);
	}
	return r;
}

/* The devices as given, with links resolved. */
static int devices_take(struct work *w, struct hf_error *err)
{
	bool present = strcmp(w->p->state, "absent") != 0;
	w->wanted = hf_value_list(w->a);
	w->there = hf_value_list(w->a);
	w->given = w->p->pvs != NULL ? w->p->pvs : hf_value_list(w->a);
	if (present && !w->exists && hf_list_len(w->given) == 0)
		return hf_fail(err, HF_E_TASK, "No physical volumes given.");
	for (size_t i = 0; i < hf_list_len(w->given); i++) {
		const char *name = hf_value_text(w->a, hf_list_at(w->given, i)).p;
		const char *real = hf_file_realpath(w->a, name);
		if (present && !hf_fs_exists(real))
			return hf_fail(err, HF_E_TASK, "Device %s not found.", real);
		hf_list_append(w->wanted, hf_value_cstr(w->a, real));
	}
	return 0;
}

static int device_name(struct work *w, const char **name, struct hf_error *err)
{
	struct hf_str out;
	if (strncmp(*name, "/dev/dm-", 8) != 0)
		return 0;
	struct hf_words words =
		hf_words(w->a, "dmsetup", "info", "-C", "--noheadings", "-o", "name", *name, NULL);
	int r = ask(w, &words, &out, err);
	if (r == 0)
		*name = hf_sprintf(w->a, "/dev/mapper/%.*s", HF_STR_ARG(hf_str_trim(out)));
	return r;
}

static int devices_find(struct work *w, struct hf_error *err)
{
	struct hf_words words =
		hf_words(w->a, "pvs", "--noheadings", "-o", "pv_name,vg_name", "--separator", ";", NULL);
	hf_auto_buf filter = hf_buf_init(1 << 16);
	struct hf_str out, line;
	const struct hf_value *const lists[] = { w->wanted, w->given };
	for (size_t k = 0; k < HF_COUNT(lists); k++)
		for (size_t i = 0; i < hf_list_len(lists[k]); i++)
			hf_buf_printf(
				&filter, "pv_name = %s || ", hf_value_text(w->a, hf_list_at(lists[k], i)).p);
	if (filter.n > 0) {
		hf_words_add(&words, "--select");
		hf_words_addf(&words, "%svg_name = %s", filter.p, w->p->vg);
	}
	int r = hf_commands_need(w->c, "pvs", err);
	if (r == 0)
		r = ask(w, &words, &out, err);
	while (r == 0 && hf_str_split(&out, '\n', &line)) {
		const char *name = field(w, &line)->u.string.p, *group = field(w, &line)->u.string.p;
		r = device_name(w, &name, err);
		if (r == 0 && strcmp(group, w->p->vg) == 0)
			hf_list_append(w->there, hf_value_cstr(w->a, hf_file_realpath(w->a, name)));
		else if (r == 0 && *group != '\0' && hf_list_has(w->wanted, name))
			return hf_fail(
				err, HF_E_TASK, "Device %s is already in %s volume group.", name, group);
	}
	return r;
}

/* pvcreate for what is in `list` and not in `but`; *ret: those. */
static int devices_make(struct work *w, const struct hf_value *list, const struct hf_value *but,
	struct hf_value **ret, struct hf_error *err)
{
	*ret = hf_value_list(w->a);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		const char *name = hf_value_text(w->a, hf_list_at(list, i)).p;
		if (hf_list_has(but, name) || hf_list_has(*ret, name))
			continue;
		struct hf_words *make = hf_commands_add(&w->m, "pvcreate", NULL);
		int r = hf_words_split(make, w->p->pv_options, err);
		if (r < 0)
			return r;
		hf_words_add(make, "-f");
		hf_words_add(make, name);
		hf_commands_back(&w->m, "pvremove", "-f", name, NULL);
		hf_list_append(*ret, hf_value_cstr(w->a, name));
	}
	return 0;
}

static bool autoactivation(struct work *w, const char *program)
{
	struct hf_words words = hf_words(w->a, program, "--help", NULL);
	struct hf_str out;
	return ask(w, &words, &out, NULL) == 0 &&
	       hf_str_find(out, HF_STR("--setautoactivation"), 0) != SIZE_MAX;
}

static int group_make(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	struct hf_value *made;
	int r = devices_make(w, w->wanted, w->there, &made, err);
	if (r < 0)
		return r;
	struct hf_words *make = hf_commands_add(&w->m, "vgcreate", NULL);
	r = hf_words_split(make, p->vg_options, err);
	if (r < 0)
		return r;
	if (strcmp(p->state, "present") != 0 && strstr(p->vg_options, "--setautoactivation") == NULL &&
		autoactivation(w, "vgcreate")) {
		hf_words_add(make, "--setautoactivation");
		hf_words_add(make, strcmp(p->state, "active") == 0 ? "y" : "n");
	}
	hf_words_add(make, "-s");
	hf_words_add(make, p->pesize);
	hf_words_add(make, p->vg);
	hf_words_text(make, w->wanted);
	hf_commands_back(&w->m, "vgremove", "--force", p->vg, NULL);
	return 0;
}

static int group_remove(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	if (w->volumes != 0 && p->force != HF_YES)
		return hf_fail(err, HF_E_TASK,
			"Refuse to remove non-empty volume group %s without force=true", p->vg);
	hf_commands_add(&w->m, "vgremove", "--force", p->vg, NULL);
	w->m.gone = "a volume group that was removed does not come back with what was in it";
	return 0;
}

struct usable {
	bool automatic, on, off; /* activated by itself; some volume can be used, some cannot */
};

/* lv_attr's fifth letter is "a" for a volume that can be used. */
static int usable_read(struct work *w, bool knows, struct usable *ret, struct hf_error *err)
{
	struct hf_words words = hf_words(w->a, "vgs", "--noheadings", "-o",
		knows ? "lv_attr,autoactivation" : "lv_attr", "--separator", ";", w->p->vg, NULL);
	struct hf_str out, line;
	int r = ask(w, &words, &out, err);
	while (r == 0 && hf_str_split(&out, '\n', &line)) {
		struct hf_str attr = field(w, &line)->u.string;
		bool on = attr.n > 4 && attr.p[4] == 'a';
		ret->on = ret->on || on;
		ret->off = ret->off || (!on && attr.n > 4);
		ret->automatic = ret->automatic || hf_str_is(hf_str_trim(line), "enabled");
	}
	return r;
}

static int group_activate(struct work *w, bool active, struct hf_error *err)
{
	bool knows = autoactivation(w, "vgchange");
	struct usable now = { 0 };
	const char *flag = active ? "y" : "n", *old = active ? "n" : "y";
	int r = usable_read(w, knows, &now, err);
	if (r == 0 && knows && now.automatic != active) {
		hf_commands_add(&w->m, "vgchange", "--setautoactivation", flag, w->p->vg, NULL);
		hf_commands_back(&w->m, "vgchange", "--setautoactivation", old, w->p->vg, NULL);
	}
	if (r == 0 && (active ? now.off : now.on)) {
		hf_commands_add(&w->m, "vgchange", "--activate", flag, w->p->vg, NULL);
		hf_commands_back(&w->m, "vgchange", "--activate", old, w->p->vg, NULL);
	}
	return r;
}

static int device_resize(struct work *w, const char *device, struct hf_error *err)
{
	struct hf_words words =
		hf_words(w->a, "pvdisplay", device, "--units", "b", "--columns", "--noheadings", "--nosuffix",
			"--separator", ";", "-o", "dev_size,pv_size,pe_start,vg_extent_size", NULL);
	struct hf_str out;
	int64_t n[4] = { 0 };
	int r = ask(w, &words, &out, err);
	for (size_t i = 0; r == 0 && i < HF_COUNT(n); i++)
		if (!hf_str_to_int64(field(w, &out)->u.string, &n[i]))
			r = hf_fail(err, HF_E_TASK, "pvdisplay does not say how large %s is", device);
	if (r == 0 && n[0] - (n[2] + n[1]) > n[3]) {
		hf_commands_add(&w->m, "pvresize", device, NULL);
		w->m.gone = "a device that has grown in its volume group does not shrink again";
	}
	return r;
}

static int devices_change(struct work *w, struct hf_error *err)
{
	struct hf_value *added, *removed = hf_value_list(w->a);
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(w->there); i++) {
		const char *name = hf_value_text(w->a, hf_list_at(w->there, i)).p;
		if (w->p->pvresize == HF_YES)
			r = device_resize(w, name, err);
		if (w->p->reset_pv_uuid == HF_YES && hf_task_acts(w->c)) {
			hf_commands_add(&w->m, "pvchange", "-u", name, NULL);
			w->m.gone = "an UUID that was replaced is gone";
		}
		if (!hf_list_has(w->wanted, name))
			hf_list_append(removed, hf_value_cstr(w->a, name));
	}
	if (r == 0)
		r = devices_make(w, w->wanted, w->there, &added, err);
	if (r == 0 && hf_list_len(added) > 0) {
		hf_words_text(hf_commands_add(&w->m, "vgextend", w->p->vg, NULL), added);
		hf_words_text(hf_commands_back(&w->m, "vgreduce", "--force", w->p->vg, NULL), added);
	}
	if (r == 0 && hf_list_len(removed) > 0) {
		hf_words_text(hf_commands_add(&w->m, "vgreduce", "--force", w->p->vg, NULL), removed);
		hf_words_text(hf_commands_back(&w->m, "vgextend", w->p->vg, NULL), removed);
	}
	return r;
}

static int group_change(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	int r = 0;
	if (strcmp(p->state, "absent") == 0)
		return group_remove(w, err);
	if (strcmp(p->state, "present") != 0)
		r = group_activate(w, strcmp(p->state, "active") == 0, err);
	if (r == 0 && p->reset_vg_uuid == HF_YES && hf_task_acts(w->c)) {
		hf_commands_add(&w->m, "vgchange", "-u", p->vg, NULL);
		w->m.gone = "an UUID that was replaced is gone";
	}
	return r == 0 && hf_list_len(w->wanted) > 0 ? devices_change(w, err) : r;
}

static int lvg_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = hf_new(hf_task_arena(c), struct work);
	*w = (struct work){ .c = c, .a = hf_task_arena(c), .p = params, .m = { .c = c } };
	change->state = w;
	bool present = strcmp(w->p->state, "absent") != 0;
	int r = group_find(w, err);
	if (r == 0)
		r = devices_take(w, err);
	if (r == 0 && present)
		r = devices_find(w, err);
	if (r == 0 && w->exists)
		r = group_change(w, err);
	else if (r == 0 && present)
		r = group_make(w, err);
	change->changed = w->m.todo.n > 0;
	return r;
}

static void lvg_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, 300);
}

const struct hf_module hf_module_lvg = {
	.name = "lvg",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = lvg_check,
	.apply = hf_commands_apply,
	.undo = hf_commands_undo,
	.restore = hf_commands_restore,
	.watch = lvg_watch,
};
