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

/* "name=1" in the policy store's list of changed switches. */
static bool kept(struct hf_module_context *c, const char *name, bool *ret)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "semanage", "boolean", "-l", "-C", "-n", NULL);
	struct hf_str out, line;
	if (hf_proc_which(a, "semanage") == NULL || hf_host_output(c, &w, &out, NULL) < 0)
		return false;
	while (hf_str_split(&out, '\n', &line)) {
		struct hf_str first, rest = line;
		if (hf_str_split(&rest, ' ', &first) && hf_str_is(first, name)) {
			size_t comma = hf_str_find(line, HF_STR(","), 0);
			*ret = comma != SIZE_MAX && hf_str_find(line, HF_STR("on"), comma) != SIZE_MAX;
			return true;
		}
	}
	return false;
}

static int seboolean_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	bool value = false, stored = false;
	if (!hf_fs_exists("/sys/fs/selinux/enforce"))
		return hf_fail(err, HF_E_TASK, "SELinux is disabled on this host.");
	if (!now(c, p->name, &value))
		return hf_fail(err, HF_E_TASK, "SELinux boolean %s does not exist.", p->name);
	bool want = p->state == HF_YES;
	change->changed = value != want;
	if (p->persistent == HF_YES && kept(c, p->name, &stored))
		change->changed = change->changed || stored != want;
	change->state = hf_strdup(hf_task_arena(c), value ? "1" : "0");
	hf_result_cstr(c, change, "name", p->name);
	hf_result_bool(c, change, "state", want);
	hf_result_bool(c, change, "persistent", p->persistent == HF_YES);
	return 0;
}

static int set(struct hf_module_context *c, const char *name, bool on, bool persistent, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "setsebool", NULL);
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

static int seboolean_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, "boolean");
	(void)err;
	hf_dict_put(step, "name", hf_value_cstr(a, p->name));
	hf_dict_put(step, "on", hf_value_bool(a, hf_same(change->state, "1")));
	hf_dict_put(step, "persistent", hf_value_bool(a, p->persistent == HF_YES));
	hf_undo_step(undo, step);
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
