/* modules/selinux.c - SELinux's mode and policy: the running system's and the configuration's. */
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/host.h"

#define ENFORCE "/sys/fs/selinux/enforce"
#define CONFIG  "/etc/selinux/config"

static const char *const states[] = { "enforcing", "permissive", "disabled", NULL };
struct params {
	const char *policy, *state, *configfile;
	int update_kernel_param;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "policy", HF_ARG_STR, AT(policy) },
	{ "state", HF_ARG_STR, AT(state), .flags = HF_REQUIRED, .choices = states },
	{ "configfile", HF_ARG_STR, AT(configfile), .dflt = CONFIG, .aliases = ALIASES("conf", "file") },
	{ "update_kernel_param", HF_ARG_BOOL, AT(update_kernel_param), .dflt = "no",
		.help = "put selinux=0 on every kernel's command line where state is disabled, and take it "
			"off where it is not; needs grubby" },
	{ .type = HF_ARG_END },
};

struct state {
	struct hf_edit file;
	const char *running;  /* enforcing, permissive, disabled */
	const char *switches; /* to what the running system is switched at once; NULL: it stays */
	const char *said;     /* what has changed, as Ansible's module lists it */
	bool kernels_change;  /* the kernels' command lines do not say what they shall */
	const char *kernels;  /* enabled, disabled; <inconsistent>: not all the same */
};

static const char *running(struct hf_module_context *c)
{
	struct hf_str text;
	if (hf_fs_read(hf_task_arena(c), ENFORCE, 64, &text, NULL) < 0)
		return "disabled";
	return text.n > 0 && text.p[0] == '1' ? "enforcing" : "permissive";
}

static void say(struct hf_arena *a, struct state *s, const char *what, const char *from, const char *to)
{
	s->said = hf_sprintf(a, "%s%s%s changed from '%s' to '%s'", s->said, *s->said == '\0' ? "" : ", ",
		what, from == NULL ? "None" : from, to);
}

/* Which of both the command lines of all kernels say. */
static int kernels_look(struct hf_module_context *c, struct state *s, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "grubby", "--info=ALL", NULL);
	struct hf_proc_result ran;
	struct hf_str line, word;
	bool all_on = true, all_off = true;
	if (hf_proc_which(a, "grubby") == NULL)
		return hf_fail(err, HF_E_TASK, "'grubby' command not found on host");
	int r = hf_host_run(c, &w, NULL, &ran, err);
	if (r == 0 && ran.status != 0)
		r = hf_fail(err, HF_E_TASK, "unable to run grubby");
	if (r < 0)
		return r;
	while (hf_str_split(&ran.out, '\n', &line)) {
		if (!hf_str_starts(line, "args=\"") || !hf_str_ends(line, "\"") || line.n < 7)
			continue;
		struct hf_str rest = hf_strn(line.p + 6, line.n - 7);
		bool off = false;
		while (!off && hf_str_split(&rest, ' ', &word))
			off = hf_str_is(word, "selinux=0");
		all_on = all_on && !off;
		all_off = all_off && off;
	}
	s->kernels = all_on == all_off ? "<inconsistent>" : all_on ? "enabled" : "disabled";
	return 0;
}

static int kernels_set(struct hf_module_context *c, bool on, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "grubby", "--update-kernel=ALL",
		on ? "--remove-args" : "--args", "selinux=0", NULL);
	struct hf_proc_result ran;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	return r < 0 || ran.status == 0 ? r
					: hf_fail(err, HF_E_TASK, "unable to %s kernel config",
						  on ? "remove selinux=0 from" : "add selinux=0 to");
}

/* What the file's first line KEY=… says; NULL: there is none. */
static const char *setting(struct hf_arena *a, struct hf_str text, const char *key)
{
	struct hf_str line;
	while (text.n > 0 && hf_str_split(&text, '\n', &line))
		if (hf_str_starts(line, key))
			return hf_str_dup(
				a, hf_str_trim(hf_strn(line.p + strlen(key), line.n - strlen(key))));
	return NULL;
}

/* The file's text with every line KEY=… as it shall be, or such a line at its end. */
static void setting_put(struct hf_module_context *c, struct hf_edit *file, const char *key, const char *value)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = file->after, line;
	bool found = false;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
		bool mine = hf_str_starts(line, key);
		found = found || mine;
		if (mine)
			hf_buf_printf(&out, "%s%s\n", key, value);
		else
			hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(line));
	}
	if (!found)
		hf_buf_printf(&out, "%s%s\n", key, value);
	hf_edit_set(c, file, &out);
}

/* The policy that the running system has is the one that the usual file names. */
static int policy_plan(
	struct hf_module_context *c, const struct params *p, struct state *s, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str usual;
	const char *have = setting(a, s->file.before, "SELINUXTYPE=");
	if (p->policy == NULL || *p->policy == '\0' || hf_same(have, p->policy))
		return 0;
	if (!hf_fs_exists(hf_sprintf(a, "/etc/selinux/%s/policy", p->policy)))
		return hf_fail(err, HF_E_TASK, "Policy %s does not exist in /etc/selinux/", p->policy);
	const char *now = hf_fs_read(a, CONFIG, HF_EDIT_MAX, &usual, NULL) < 0
				  ? NULL
				  : setting(a, usual, "SELINUXTYPE=");
	if (!hf_same(now, p->policy))
		say(a, s, "Running SELinux policy", now, p->policy);
	say(a, s, hf_sprintf(a, "SELinux policy configuration in '%s'", p->configfile), have, p->policy);
	setting_put(c, &s->file, "SELINUXTYPE=", p->policy);
	return 0;
}

/* *ret_reboot: what is declared comes with the next boot. */
static void state_plan(struct hf_module_context *c, const struct params *p, struct state *s, bool *ret_reboot)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *have = setting(a, s->file.before, "SELINUX=");
	bool disabled = strcmp(p->state, "disabled") == 0, on = strcmp(s->running, "disabled") != 0;
	*ret_reboot = false;
	if (strcmp(s->running, p->state) != 0) {
		*ret_reboot = disabled || !on;
		if (!on) {
			hf_task_warn(c, "Reboot is required to set SELinux state to '%s'", p->state);
		} else if (!disabled) {
			s->switches = p->state;
			say(a, s, "SELinux state", s->running, p->state);
		} else if (strcmp(s->running, "enforcing") == 0) {
			s->switches = "permissive";
			hf_task_warn(c,
				"SELinux state temporarily changed from '%s' to 'permissive'. State change "
				"will take effect next reboot.",
				s->running);
		} else {
			hf_task_warn(c, "SELinux state change will take effect next reboot");
		}
	}
	if (!hf_same(have, p->state)) {
		say(a, s, "Config SELinux state", have, p->state);
		setting_put(c, &s->file, "SELINUX=", p->state);
	}
}

static void kernels_plan(struct hf_module_context *c, const struct params *p, struct state *s)
{
	bool on = strcmp(p->state, "disabled") != 0;
	const char *want = on ? "enabled" : "disabled";
	s->kernels_change = s->kernels != NULL && strcmp(s->kernels, want) != 0;
	if (s->kernels_change)
		say(hf_task_arena(c), s, "Kernel SELinux state", s->kernels, want);
}

static int selinux_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	bool reboot = false;
	change->state = s;
	if (!hf_fs_exists(p->configfile))
		return hf_fail(err, HF_E_TASK, "Unable to find file %s", p->configfile);
	int r = p->update_kernel_param == HF_YES ? kernels_look(c, s, err) : 0;
	if (r == 0 && strcmp(p->state, "disabled") != 0 && (p->policy == NULL || *p->policy == '\0'))
		r = hf_fail(err, HF_E_TASK, "Policy is required if state is not 'disabled'");
	if (r == 0)
		r = hf_edit_open(c, p->configfile, 0644, &s->file, err);
	if (r < 0)
		return r;
	s->said = "";
	s->running = running(c);
	r = policy_plan(c, p, s, err);
	if (r < 0)
		return r;
	state_plan(c, p, s, &reboot);
	kernels_plan(c, p, s);
	hf_edit_describe(c, change, &s->file);
	change->changed = change->changed || s->switches != NULL || s->kernels_change;
	const char *policy = p->policy != NULL && *p->policy != '\0'
				     ? p->policy
				     : setting(a, s->file.before, "SELINUXTYPE=");
	hf_result_cstr(c, change, "configfile", p->configfile);
	hf_result_cstr(c, change, "state", p->state);
	hf_result_put(c, change, "policy", policy == NULL ? hf_value_null(a) : hf_value_cstr(a, policy));
	hf_result_bool(c, change, "reboot_required", reboot);
	hf_result_cstr(c, change, "msg", s->said);
	return 0;
}

static int enforce(const char *state, struct hf_error *err)
{
	hf_auto_fd fd = open(ENFORCE, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", ENFORCE);
	return hf_fs_write_all(fd, hf_str(strcmp(state, "enforcing") == 0 ? "1" : "0"), err);
}

static int selinux_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	int r = hf_edit_write(&s->file, err);
	if (r == 0 && s->switches != NULL)
		r = enforce(s->switches, err);
	return r < 0 || !s->kernels_change ? r : kernels_set(c, strcmp(p->state, "disabled") != 0, err);
}

static int selinux_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	(void)params;
	if (s->switches != NULL) {
		struct hf_value *step = hf_step(c, "enforce");
		hf_dict_put(step, "state", hf_value_cstr(hf_task_arena(c), s->running));
		hf_undo_step(undo, step);
	}
	if (s->kernels_change && s->kernels[0] == '<') {
		hf_undo_impossible(undo, "the kernels' command lines did not all say the same of SELinux");
	} else if (s->kernels_change) {
		struct hf_value *step = hf_step(c, "kernels");
		hf_dict_put(step, "state", hf_value_cstr(hf_task_arena(c), s->kernels));
		hf_undo_step(undo, step);
	}
	return hf_edit_undo(undo, &s->file, err);
}

static int selinux_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const char *state = hf_step_text(step, "state");
	return strcmp(hf_step_text(step, "what"), "kernels") == 0
		       ? kernels_set(c, strcmp(state, "enabled") == 0, err)
		       : enforce(state, err);
}

static void selinux_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	hf_watch_path(w, p->configfile);
	hf_watch_poll(w, 300);
}

const struct hf_module hf_module_selinux = {
	.name = "selinux",
	.collection = "ansible.posix",
	.schema = { args, NULL, sizeof(struct params) },
	.check = selinux_check,
	.apply = selinux_apply,
	.undo = selinux_undo,
	.restore = selinux_restore,
	.watch = selinux_watch,
};
