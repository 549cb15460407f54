/* modules/seboolean.c - one switch of SELinux's policy, now and (persistent) after a reboot. */
#include "modules/host.h"

struct params {
	const char *name;
	int state, persistent, ignore_selinux_state;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED },
	{ "state", HF_ARG_BOOL, AT(state), .flags = HF_REQUIRED },
	{ "persistent", HF_ARG_BOOL, AT(persistent), .dflt = "no" },
	{ "ignore_selinux_state", HF_ARG_BOOL, AT(ignore_selinux_state), .dflt = "no" },
	{ .type = HF_ARG_END },
};

enum { LIST_MAX = 1 << 20 };
struct state {
	bool running;     /* SELinux is on */
	bool value, kept; /* now, and after a reboot */
};

/* "1 1": as it is, as it is pending. */
static bool now(struct hf_module_context *c, const char *name, bool *ret)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str text;
	if (hf_fs_read(a, hf_sprintf(a, "/sys/fs/selinux/booleans/%s", name), 64, &text, NULL) < 0 ||
		text.n == 0)
		return false;
	*ret = text.p[0] == '1';
	return true;
}

/* The store's value: "name=1" among what was changed there, else as semanage(8) lists it, default last:
 *   ssh_sysadm_login               (off  ,  off)  Allow ssh logins as sysadm_r:sysadm_t */
enum stored { STORED_OFF, STORED_ON, STORED_NONE, STORED_UNKNOWN };

static enum stored stored_locally(struct hf_module_context *c, const char *name)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str text, line, key;
	if (hf_fs_read(a, "/etc/selinux/config", LIST_MAX, &text, NULL) < 0)
		return STORED_UNKNOWN;
	const char *path = NULL;
	while (hf_str_split(&text, '\n', &line))
		if (hf_str_split(&line, '=', &key) && hf_str_is(key, "SELINUXTYPE"))
			path = hf_sprintf(a, "/var/lib/selinux/%.*s/active/booleans.local",
				HF_STR_ARG(hf_str_trim(line)));
	if (path == NULL || hf_fs_read(a, path, LIST_MAX, &text, NULL) < 0)
		return STORED_UNKNOWN;
	while (hf_str_split(&text, '\n', &line))
		if (hf_str_split(&line, '=', &key) && hf_str_is(hf_str_trim(key), name))
			return hf_str_is(hf_str_trim(line), "1") ? STORED_ON : STORED_OFF;
	return STORED_UNKNOWN;
}

static int stored(struct hf_module_context *c, const char *name, enum stored *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "semanage", "boolean", "-l", "-n", NULL);
	struct hf_str out, line, head, first;
	*ret = stored_locally(c, name);
	/* Without semanage, setsebool -P is run once and leaves the value where it is found from then on. */
	if (*ret != STORED_UNKNOWN || hf_proc_which(a, "semanage") == NULL)
		return 0;
	int r = hf_host_output(c, &w, &out, err);
	*ret = STORED_NONE;
	while (r == 0 && *ret == STORED_NONE && hf_str_split(&out, '\n', &line))
		if (hf_str_split(&line, ',', &head) && hf_str_split(&head, ' ', &first) &&
			hf_str_is(first, name))
			*ret = hf_str_starts(hf_str_trim(line), "on") ? STORED_ON : STORED_OFF;
	return r;
}

static int seboolean_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct state *s = hf_new(hf_task_arena(c), struct state);
	enum stored kept = STORED_UNKNOWN;
	bool want = p->state == HF_YES, persistent = p->persistent == HF_YES, value = want;
	change->state = s;
	s->running = hf_fs_exists("/sys/fs/selinux/enforce");
	if (!s->running && p->ignore_selinux_state != HF_YES)
		return hf_fail(err, HF_E_TASK, "SELinux is disabled on this host.");
	if (s->running && !now(c, p->name, &value))
		return persistent ? hf_fail(err, HF_E_TASK,
					    "SELinux boolean %s is not defined in persistent policy", p->name)
				  : hf_fail(err, HF_E_TASK,
					    "Failed to determine current state for boolean %s", p->name);
	int r = persistent ? stored(c, p->name, &kept, err) : 0;
	if (r == 0 && kept == STORED_NONE)
		r = hf_fail(
			err, HF_E_TASK, "SELinux boolean %s is not defined in persistent policy", p->name);
	if (r < 0)
		return r;
	s->value = value;
	s->kept = kept == STORED_UNKNOWN ? value : kept == STORED_ON;
	/* As in Ansible's module, persistent is about the store alone: a running value that differs is left.
	 */
	change->changed =
		persistent && kept != STORED_UNKNOWN ? s->kept != want : persistent || value != want;
	hf_result_cstr(c, change, "name", p->name);
	hf_result_bool(c, change, "state", want);
	hf_result_bool(c, change, "persistent", persistent);
	return 0;
}

/* Where SELinux is off there is only the store, and only semanage(8) goes there. */
static int set(struct hf_module_context *c, const char *name, bool on, bool persistent, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "setsebool", NULL);
	if (!hf_fs_exists("/sys/fs/selinux/enforce")) {
		w = hf_words(a, "semanage", "boolean", "-N", "-m", on ? "--on" : "--off", name, NULL);
		return hf_host_output(c, &w, NULL, err);
	}
	if (persistent)
		hf_words_add(&w, "-P");
	hf_words_addf(&w, "%s=%d", name, on);
	return hf_host_output(c, &w, NULL, err);
}

static int seboolean_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	(void)change;
	return set(c, p->name, p->state == HF_YES, p->persistent == HF_YES, err);
}

static void undo_put(
	struct hf_module_context *c, const char *name, bool on, bool persistent, struct hf_undo *undo)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, "boolean");
	hf_dict_put(step, "name", hf_value_cstr(a, name));
	hf_dict_put(step, "on", hf_value_bool(a, on));
	hf_dict_put(step, "persistent", hf_value_bool(a, persistent));
	hf_undo_step(undo, step);
}

/* The steps are taken last first: the store, which sets the value too, and then the value where it was
 * another. */
static int seboolean_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	bool persistent = p->persistent == HF_YES;
	(void)err;
	if (s->running && (!persistent || s->value != s->kept))
		undo_put(c, p->name, s->value, false, undo);
	if (persistent)
		undo_put(c, p->name, s->kept, true, undo);
	return 0;
}

static int seboolean_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	return set(c, hf_step_text(step, "name"), hf_dict_bool(step, "on", false),
		hf_dict_bool(step, "persistent", false), err);
}

static void seboolean_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, 300);
}

const struct hf_module hf_module_seboolean = {
	.name = "seboolean",
	.collection = "ansible.posix",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = seboolean_check,
	.apply = seboolean_apply,
	.undo = seboolean_undo,
	.restore = seboolean_restore,
	.watch = seboolean_watch,
};
