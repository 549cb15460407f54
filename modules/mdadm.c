/* modules/mdadm.c - an array of disks of the kernel's own, through mdadm. */
#include <ctype.h>

#include "modules/commands.h"
#include "modules/file_attr.h"

enum { WATCH_SECONDS = 300 };

static const char *const states[] = { "present", "stopped", "absent", NULL };
static const char *const metadata[] = { "0.90", "1.0", "1.1", "1.2", NULL };
static const char *const bitmaps[] = { "internal", "none", NULL };
struct params {
	const char *device, *level, *state, *chunk, *metadata, *bitmap, *layout, *homehost;
	struct hf_value *devices, *spares;
	enum hf_tristate force, assume_clean;
};
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)  offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "device", HF_ARG_PATH, AT(device), HF_REQUIRED, .aliases = NAMES("name"),
		.help = "The array: /dev/md0, /dev/md/scratch." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "present: it is there and runs; stopped: its disks keep it; absent: they are none of "
			"its any more." },
	{ "level", HF_ARG_STR, AT(level), .help = "0, 1, 4, 5, 6, 10 or linear; raid1 is 1." },
	{ "devices", HF_ARG_LIST, AT(devices), .elements = HF_ARG_PATH, .help = "The disks it is made of." },
	{ "spares", HF_ARG_LIST, AT(spares), .elements = HF_ARG_PATH,
		.help = "Disks to take when one fails." },
	{ "chunk", HF_ARG_STR, AT(chunk), .help = "Of a new one: how much goes on a disk at a time, 512K." },
	{ "metadata", HF_ARG_STR, AT(metadata), .dflt = "1.2", .choices = metadata,
		.help = "Of a new one: how its disks are marked." },
	{ "bitmap", HF_ARG_STR, AT(bitmap), .choices = bitmaps,
		.help = "Of a new one: whether it notes what is being written." },
	{ "layout", HF_ARG_STR, AT(layout), .help = "Of a new one: n2, f2, left-symmetric." },
	{ "homehost", HF_ARG_STR, AT(homehost), .help = "Of a new one: the host it belongs to." },
	{ "assume_clean", HF_ARG_BOOL, AT(assume_clean), .dflt = "false",
		.help = "Of a new one: its disks hold the same already." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false",
		.help = "Go over disks that hold something; let absent destroy it." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = { { HF_RULE_END } };

struct member {
	const char *path; /* as the options have it */
	const char *real;
	bool spare;
	const char *uuid, *level; /* of the array whose mark it bears; NULL: none */
	const char *holds;        /* what else is on it; NULL: nothing */
};
struct work {
	struct hf_commands m; /* the first: hf_commands_apply() finds it there */
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_value *now; /* what mdadm tells of the array; NULL: it does not run */
	HF_VEC(struct member) wanted;
	HF_VEC(const char *) members; /* of the array that runs */
};

/* --- what there is ---------------------------------------------------------------------------------- */
/* KEY=value lines as a dict; *ret NULL: the program says there is nothing. */
static int exported(struct work *w, struct hf_words *words, struct hf_value **ret, struct hf_error *err)
{
	struct hf_proc_result ran;
	struct hf_str line, name;
	int r = hf_host_run(w->c, words, NULL, &ran, err);
	*ret = NULL;
	if (r < 0 || ran.status != 0)
		return r;
	*ret = hf_value_dict(w->a);
	while (hf_str_split(&ran.out, '\n', &line))
		if (hf_str_split(&line, '=', &name))
			hf_dict_put(*ret, hf_str_dup(w->a, hf_str_trim(name)),
				hf_value_str(w->a, hf_str_trim(line)));
	return 0;
}

/* "raid1" and "1" are the same level. */
static const char *level_of(const char *text)
{
	return text != NULL && hf_str_starts(hf_str(text), "raid") && text[4] != '\0' ? text + 4 : text;
}

static int array_look(struct work *w, struct hf_error *err)
{
	struct hf_words words = hf_words(w->a, "mdadm", "--detail", "--export", w->p->device, NULL);
	int r = exported(w, &words, &w->now, err);
	w->members.n = 0;
	if (r < 0 || w->now == NULL)
		return r;
	HF_DICT_EACH (w->now, e) {
		struct hf_str key = hf_entry_key(e)->u.string;
		if (hf_str_starts(key, "MD_DEVICE_") && hf_str_ends(key, "_DEV"))
			*hf_vec_push(w->a, &w->members) =
				hf_file_realpath(w->a, hf_entry_value(e)->u.string.p);
	}
	return 0;
}

static int member_look(struct work *w, struct member *m, struct hf_error *err)
{
	struct hf_words examine = hf_words(w->a, "mdadm", "--examine", "--export", m->path, NULL);
	struct hf_words probe = hf_words(w->a, "blkid", "-p", "-o", "export", m->path, NULL);
	struct hf_value *mark, *found;
	if (!hf_fs_exists(m->path))
		return hf_fail(err, HF_E_TASK, "device %s not found", m->path);
	int r = exported(w, &examine, &mark, err);
	if (r == 0)
		r = exported(w, &probe, &found, err);
	if (r < 0)
		return r;
	m->uuid = mark == NULL ? NULL : hf_dict_cstr(mark, "MD_UUID", NULL);
	m->level = mark == NULL ? NULL : hf_dict_cstr(mark, "MD_LEVEL", NULL);
	if (found == NULL || m->uuid != NULL)
		return 0;
	m->holds = hf_dict_cstr(found, "TYPE", hf_dict_cstr(found, "PTTYPE", NULL));
	return 0;
}

static int wanted_look(struct work *w, const struct hf_value *list, bool spare, struct hf_error *err)
{
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++) {
		struct member *m = hf_vec_push(w->a, &w->wanted);
		m->path = hf_list_at(list, i)->u.string.p;
		m->real = hf_file_realpath(w->a, m->path);
		m->spare = spare;
		for (size_t k = 0; k + 1 < w->wanted.n; k++)
			if (strcmp(w->wanted.at[k].real, m->real) == 0)
				return hf_fail(err, HF_E_TASK, "device %s is named twice", m->path);
		int r = member_look(w, m, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool runs_on(const struct work *w, const struct member *m)
{
	for (size_t i = 0; i < w->members.n; i++)
		if (strcmp(w->members.at[i], m->real) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct work *w, const char *real)
{
	for (size_t i = 0; i < w->wanted.n; i++)
		if (strcmp(w->wanted.at[i].real, real) == 0)
			return true;
	return false;
}

/* --- what is to be done ----------------------------------------------------------------------------- */
/* Never over what somebody may want. */
static int may_take(struct work *w, const struct member *m, struct hf_error *err)
{
	const char *holds = m->uuid != NULL ? "a part of another array" : m->holds;
	if (holds == NULL)
		return 0;
	if (w->p->force != HF_YES)
		return hf_fail(err, HF_E_TASK, "%s holds %s; force: true goes over it", m->path, holds);
	w->m.gone = hf_sprintf(w->a, "what was on %s is gone", m->path);
	return 0;
}

static int level_check(const struct work *w, const char *level, struct hf_error *err)
{
	const char *want = level_of(w->p->level);
	if (want == NULL || level == NULL || strcmp(level_of(level), want) == 0)
		return 0;
	return hf_fail(err, HF_E_TASK,
		"%s is of level %s, not %s; the level of an array that is there is not "
		"changed",
		w->p->device, level_of(level), want);
}

/* An array that runs: its disks are those wanted, or more come. */
static int join(struct work *w, struct hf_error *err)
{
	int r = level_check(w, hf_dict_cstr(w->now, "MD_LEVEL", NULL), err);
	for (size_t i = 0; r == 0 && w->wanted.n > 0 && i < w->members.n; i++)
		if (!is_wanted(w, w->members.at[i]))
			r = hf_fail(err, HF_E_TASK,
				"%s has %s, which neither devices nor spares name; take it out with mdadm",
				w->p->device, w->members.at[i]);
	const char *own = r < 0 ? NULL : hf_dict_cstr(w->now, "MD_UUID", NULL);
	for (size_t i = 0; r == 0 && i < w->wanted.n; i++) {
		const struct member *m = &w->wanted.at[i];
		if (runs_on(w, m))
			continue;
		if (!hf_same(own, m->uuid))
			r = may_take(w, m, err);
		hf_commands_add(&w->m, "mdadm", w->p->device, "--add", m->path, NULL);
		hf_commands_back(&w->m, "mdadm", w->p->device, "--remove", m->path, NULL);
		hf_commands_back(&w->m, "mdadm", w->p->device, "--fail", m->path, NULL);
	}
	return r;
}

static void option_add(struct hf_words *words, const char *name, const char *value)
{
	if (value != NULL)
		hf_words_addf(words, "--%s=%s", name, value);
}

static int create(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	size_t n = hf_list_len(p->devices), spares = w->wanted.n - n;
	int r = p->level != NULL ? 0 : hf_fail(err, HF_E_TASK, "level is needed to make %s", p->device);
	for (size_t i = 0; r == 0 && i < w->wanted.n; i++)
		r = may_take(w, &w->wanted.at[i], err);
	if (r < 0)
		return r;
	struct hf_words *make = hf_commands_add(&w->m, "mdadm", "--create", p->device, "--run", NULL);
	struct hf_words *clear = hf_commands_back(&w->m, "mdadm", "--zero-superblock", NULL);
	hf_commands_back(&w->m, "mdadm", "--stop", p->device, NULL);
	option_add(make, "level", level_of(p->level));
	hf_words_addf(make, "--raid-devices=%zu", n);
	if (spares > 0)
		hf_words_addf(make, "--spare-devices=%zu", spares);
	option_add(make, "metadata", p->metadata);
	option_add(make, "chunk", p->chunk);
	option_add(make, "bitmap", p->bitmap);
	option_add(make, "layout", p->layout);
	option_add(make, "homehost", p->homehost);
	if (p->assume_clean == HF_YES)
		hf_words_add(make, "--assume-clean");
	for (size_t i = 0; i < w->wanted.n; i++) {
		hf_words_add(make, w->wanted.at[i].path);
		hf_words_add(clear, w->wanted.at[i].path);
	}
	return 0;
}

/* Disks that bear the marks of one array are put together again. */
static int start(struct work *w, struct hf_error *err)
{
	const char *uuid = w->wanted.at[0].uuid;
	size_t same = 0;
	for (size_t i = 0; i < w->wanted.n; i++)
		same += uuid != NULL && hf_same(w->wanted.at[i].uuid, uuid);
	if (same < w->wanted.n)
		return create(w, err);
	int r = level_check(w, w->wanted.at[0].level, err);
	if (r < 0)
		return r;
	struct hf_words *assemble = hf_commands_add(&w->m, "mdadm", "--assemble", w->p->device, NULL);
	for (size_t i = 0; i < w->wanted.n; i++)
		hf_words_add(assemble, w->wanted.at[i].path);
	hf_commands_back(&w->m, "mdadm", "--stop", w->p->device, NULL);
	return 0;
}

static void stop(struct work *w)
{
	hf_commands_add(&w->m, "mdadm", "--stop", w->p->device, NULL);
	struct hf_words *assemble = hf_commands_back(&w->m, "mdadm", "--assemble", w->p->device, NULL);
	for (size_t i = 0; i < w->members.n; i++)
		hf_words_add(assemble, w->members.at[i]);
}

static int clear(struct work *w, struct hf_error *err)
{
	struct hf_words words = hf_words(w->a, "mdadm", "--zero-superblock", NULL);
	size_t plain = words.n;
	if (w->now != NULL) {
		stop(w);
		for (size_t i = 0; i < w->members.n; i++)
			hf_words_add(&words, w->members.at[i]);
	} else {
		for (size_t i = 0; i < w->wanted.n; i++)
			if (w->wanted.at[i].uuid != NULL)
				hf_words_add(&words, w->wanted.at[i].path);
	}
	if (words.n == plain)
		return 0;
	if (w->p->force != HF_YES)
		return hf_fail(
			err, HF_E_TASK, "Sorry, no removal of array %s without force: true.", w->p->device);
	*hf_vec_push(w->a, &w->m.todo) = words;
	w->m.gone = "an array whose disks were cleared does not come back";
	return 0;
}

/* --- telling ---------------------------------------------------------------------------------------- */
static struct hf_value *describe(struct work *w)
{
	struct hf_value *dict = hf_value_dict(w->a), *devices = hf_value_list(w->a);
	hf_dict_put(dict, "state", hf_value_cstr(w->a, w->now != NULL ? "present" : "stopped"));
	if (w->now == NULL)
		return dict;
	for (size_t i = 0; i < w->members.n; i++)
		hf_list_append(devices, hf_value_cstr(w->a, w->members.at[i]));
	hf_dict_put(dict, "level", hf_value_cstr(w->a, level_of(hf_dict_cstr(w->now, "MD_LEVEL", ""))));
	hf_dict_put(dict, "uuid", hf_value_cstr(w->a, hf_dict_cstr(w->now, "MD_UUID", "")));
	hf_dict_put(dict, "metadata", hf_value_cstr(w->a, hf_dict_cstr(w->now, "MD_METADATA", "")));
	hf_dict_put(dict, "devices", devices);
	return dict;
}

static void report(struct work *w, struct hf_change *change)
{
	hf_result_cstr(w->c, change, "device", w->p->device);
	hf_result_put(w->c, change, "array", describe(w));
}

/* What is to come, for the diff. */
static struct hf_value *planned(struct work *w)
{
	struct hf_value *lines = hf_value_list(w->a), *dict = hf_value_dict(w->a);
	for (size_t i = 0; i < w->m.todo.n; i++)
		hf_list_append(lines, hf_value_cstr(w->a, hf_words_line(&w->m.todo.at[i])));
	hf_dict_put(dict, "state", hf_value_cstr(w->a, w->p->state));
	hf_dict_put(dict, "commands", lines);
	return dict;
}

static int decide(struct work *w, struct hf_error *err)
{
	const char *state = w->p->state;
	if (strcmp(state, "stopped") == 0) {
		if (w->now != NULL)
			stop(w);
		return 0;
	}
	if (strcmp(state, "absent") == 0)
		return clear(w, err);
	if (w->now != NULL)
		return join(w, err);
	if (w->p->devices == NULL || hf_list_len(w->p->devices) == 0)
		return hf_fail(err, HF_E_TASK, "devices are needed for %s, which does not run", w->p->device);
	return start(w, err);
}

static int mdadm_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	static const char *const levels[] = { "0", "1", "4", "5", "6", "10", "linear", NULL };
	const struct params *p = params;
	struct work *w = hf_new(hf_task_arena(c), struct work);
	*w = (struct work){ .c = c, .a = hf_task_arena(c), .p = p, .m = { .c = c } };
	change->state = w;
	const char *level = level_of(p->level);
	bool known = level == NULL;
	for (size_t i = 0; !known && levels[i] != NULL; i++)
		known = strcmp(levels[i], level) == 0;
	if (!known)
		return hf_fail(err, HF_E_TASK, "level '%s' is none of 0, 1, 4, 5, 6, 10, linear", p->level);
	int r = hf_commands_need(c, "mdadm", err);
	if (r == 0)
		r = array_look(w, err);
	if (r == 0)
		r = wanted_look(w, p->devices, false, err);
	if (r == 0)
		r = wanted_look(w, p->spares, true, err);
	if (r == 0)
		r = decide(w, err);
	if (r < 0)
		return r;
	change->changed = w->m.todo.n > 0;
	report(w, change);
	if (change->changed)
		hf_change_diff_values(c, change, describe(w), planned(w));
	return 0;
}

static int mdadm_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = change->state;
	int r = hf_commands_apply(c, params, change, err);
	if (r == 0)
		r = array_look(w, err);
	if (r == 0)
		report(w, change);
	return r;
}

static void mdadm_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, WATCH_SECONDS);
}

const struct hf_module hf_module_mdadm = {
	.name = "mdadm",
	.collection = "holdfast",
	.schema = { args, rules, sizeof(struct params) },
	.check = mdadm_check,
	.apply = mdadm_apply,
	.undo = hf_commands_undo,
	.restore = hf_commands_restore,
	.watch = mdadm_watch,
};
