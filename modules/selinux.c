/* modules/selinux.c - SELinux's mode and policy: the running system's and the configuration's. */
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/host.h"

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
	{ "configfile", HF_ARG_STR, AT(configfile), .dflt = "/etc/selinux/config",
		.aliases = ALIASES("conf", "file") },
	{ "update_kernel_param", HF_ARG_BOOL, AT(update_kernel_param), .flags = HF_REFUSED,
		.help = "set selinux=0 on the kernel's command line with a command task" },
	{ .type = HF_ARG_END },
};
#define ENFORCE "/sys/fs/selinux/enforce"

struct state {
	struct hf_edit file;
	const char *running; /* enforcing, permissive, disabled */
	bool switches;       /* between enforcing and permissive, at once */
};

static const char *running(struct hf_module_context *c)
{
	struct hf_str text;
	if (hf_fs_read(hf_task_arena(c), ENFORCE, 64, &text, NULL) < 0)
		return "disabled";
	return text.n > 0 && text.p[0] == '1' ? "enforcing" : "permissive";
}

/* The file with SELINUX= and SELINUXTYPE= as they shall be. */
static void file_plan(struct hf_module_context *c, const struct params *p, struct hf_edit *file)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = file->before, line;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
		if (hf_str_starts(line, "SELINUX="))
			hf_buf_printf(&out, "SELINUX=%s\n", p->state);
		else if (hf_str_starts(line, "SELINUXTYPE=") && p->policy != NULL)
			hf_buf_printf(&out, "SELINUXTYPE=%s\n", p->policy);
		else
			hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(line));
	}
	hf_edit_set(c, file, &out);
}

static int selinux_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct state *s = hf_new(hf_task_arena(c), struct state);
	bool disabled = strcmp(p->state, "disabled") == 0;
	change->state = s;
	if (!hf_fs_exists(p->configfile))
		return hf_fail(
			err, HF_E_TASK, "Unable to find file %s: this host has no SELinux", p->configfile);
	if (!disabled && p->policy == NULL)
		return hf_fail(err, HF_E_TASK, "Policy is required if state is not 'disabled'");
	int r = hf_edit_open(c, p->configfile, 0644, &s->file, err);
	if (r < 0)
		return r;
	s->running = running(c);
	file_plan(c, p, &s->file);
	hf_edit_describe(c, change, &s->file);
	bool on = strcmp(s->running, "disabled") != 0, other = strcmp(s->running, p->state) != 0;
	s->switches = on && !disabled && other;
	change->changed = change->changed || s->switches;
	hf_result_cstr(c, change, "configfile", p->configfile);
	hf_result_cstr(c, change, "state", p->state);
	hf_result_put(c, change, "policy",
		p->policy == NULL ? hf_value_null(hf_task_arena(c))
				  : hf_value_cstr(hf_task_arena(c), p->policy));
	hf_result_bool(c, change, "reboot_required", other && (disabled || !on));
	hf_result_cstr(
		c, change, "msg", other && disabled ? "Running SELinux state will change after reboot" : "");
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
	(void)c;
	int r = hf_edit_write(&s->file, err);
	return r < 0 || !s->switches ? r : enforce(p->state, err);
}

static int selinux_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	(void)params;
	if (s->switches) {
		struct hf_value *step = hf_step(c, "enforce");
		hf_dict_put(step, "state", hf_value_cstr(hf_task_arena(c), s->running));
		hf_undo_step(undo, step);
	}
	return hf_edit_undo(undo, &s->file, err);
}

static int selinux_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	(void)c;
	return enforce(hf_step_text(step, "state"), err);
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
