/* modules/service.c - services by the host's own service manager: systemd where it is, init scripts
 * elsewhere. */
#include <string.h>
#include <time.h>

#include "modules/delegate.h"
#include "modules/systemd_bus.h"

extern const struct hf_module hf_module_systemd;

/* --- init scripts --- */
static const char *const states[] = { "reloaded", "restarted", "started", "stopped", NULL };
struct params {
	const char *name, *state, *pattern, *runlevel, *arguments;
	int enabled;
	int64_t sleep;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED },
	{ "state", HF_ARG_STR, AT(state), .choices = states },
	{ "sleep", HF_ARG_INT, AT(sleep), .help = "seconds between stop and start of a restart" },
	{ "pattern", HF_ARG_STR, AT(pattern), .help = "text of a command line that means the service runs" },
	{ "enabled", HF_ARG_BOOL, AT(enabled) },
	{ "runlevel", HF_ARG_STR, AT(runlevel), .dflt = "default" },
	{ "arguments", HF_ARG_STR, AT(arguments), .dflt = "", .aliases = ALIASES("args") },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_ONE_OF, ALIASES("state", "enabled") },
	{ HF_RULE_END },
};

struct plan {
	const char *action, *enable;
	bool runs, enabled;
};

static int script_run(struct hf_module_context *c, const struct params *p, const char *action,
	struct hf_proc_result *ran, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = { .arena = a };
	if (hf_proc_which(a, "service") != NULL)
		hf_words_add(&w, "service");
	hf_words_add(&w, w.n > 0 ? p->name : hf_sprintf(a, "/etc/init.d/%s", p->name));
	hf_words_add(&w, action);
	int r = hf_words_split(&w, p->arguments, err);
	return r < 0 ? r : hf_host_run(c, &w, NULL, ran, err);
}

/* By pattern, by the status action, by what it says: init scripts disagree. */
static int script_runs(struct hf_module_context *c, const struct params *p, bool *ret, struct hf_error *err)
{
	struct hf_proc_result ran;
	if (p->pattern != NULL) {
		struct hf_words w = hf_words(hf_task_arena(c), "pgrep", "-f", "--", p->pattern, NULL);
		int r = hf_host_run(c, &w, NULL, &ran, err);
		*ret = r == 0 && ran.status == 0;
		return r;
	}
	int r = script_run(c, p, "status", &ran, err);
	if (r < 0)
		return r;
	bool says_not = hf_str_find(ran.out, HF_STR("not running"), 0) != SIZE_MAX ||
			hf_str_find(ran.out, HF_STR("stopped"), 0) != SIZE_MAX;
	*ret = ran.status == 0 && !says_not;
	return 0;
}

/* A start link in the runlevels of a running server. */
static bool script_enabled(struct hf_module_context *c, const char *name)
{
	struct hf_arena *a = hf_task_arena(c);
	for (int level = 2; level <= 5; level++)
		for (int order = 0; order < 100; order++)
			if (hf_fs_exists(hf_sprintf(a, "/etc/rc%d.d/S%02d%s", level, order, name)))
				return true;
	return false;
}

/* What is due; NULL: nothing. */
static const char *script_action(const struct hf_module_context *c, const struct params *p, bool runs)
{
	if (strcmp(p->state, "stopped") == 0)
		return runs ? "stop" : NULL;
	if (!runs)
		return "start";
	if (strcmp(p->state, "started") == 0 || !hf_task_acts(c))
		return NULL;
	return strcmp(p->state, "restarted") == 0 ? "restart" : "reload";
}

static int sysv_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct plan *plan = hf_new(hf_task_arena(c), struct plan);
	change->state = plan;
	if (!hf_fs_exists(hf_sprintf(hf_task_arena(c), "/etc/init.d/%s", p->name)))
		return hf_fail(err, HF_E_TASK, "Could not find the requested service %s: host", p->name);
	hf_result_cstr(c, change, "name", p->name);
	if (p->enabled != HF_UNSET) {
		plan->enabled = script_enabled(c, p->name);
		if (plan->enabled != (p->enabled == HF_YES))
			plan->enable = p->enabled == HF_YES ? "enable" : "disable";
		hf_result_bool(c, change, "enabled", p->enabled == HF_YES);
	}
	if (p->state != NULL) {
		int r = script_runs(c, p, &plan->runs, err);
		if (r < 0)
			return r;
		plan->action = script_action(c, p, plan->runs);
		hf_result_cstr(c, change, "state", strcmp(p->state, "stopped") == 0 ? "stopped" : "started");
	}
	change->changed = plan->action != NULL || plan->enable != NULL;
	return 0;
}

static int script_enable(struct hf_module_context *c, const char *name, bool on, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_proc_which(a, "update-rc.d") != NULL
				    ? hf_words(a, "update-rc.d", name, on ? "enable" : "disable", NULL)
				    : hf_words(a, "chkconfig", name, on ? "on" : "off", NULL);
	if (on && strcmp(w.at[0], "update-rc.d") == 0) {
		struct hf_words defaults = hf_words(a, "update-rc.d", name, "defaults", NULL);
		int r = hf_host_output(c, &defaults, NULL, err);
		if (r < 0)
			return r;
	}
	return hf_host_output(c, &w, NULL, err);
}

static int script_do(
	struct hf_module_context *c, const struct params *p, const char *action, struct hf_error *err)
{
	struct hf_proc_result ran;
	int r = script_run(c, p, action, &ran, err);
	if (r == 0 && ran.status != 0)
		r = hf_fail(err, HF_E_TASK, "Unable to %s service %s: %.*s", action, p->name,
			HF_STR_ARG(hf_str_trim(ran.err.n > 0 ? ran.err : ran.out)));
	return r;
}

static int sysv_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	int r = plan->enable == NULL ? 0 : script_enable(c, p->name, p->enabled == HF_YES, err);
	if (r < 0 || plan->action == NULL)
		return r;
	if (strcmp(plan->action, "restart") == 0 && p->sleep > 0) {
		r = script_do(c, p, "stop", err);
		if (r == 0)
			nanosleep(&(struct timespec){ .tv_sec = p->sleep }, NULL);
		return r < 0 ? r : script_do(c, p, "start", err);
	}
	return script_do(c, p, plan->action, err);
}

static int sysv_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, "script");
	(void)err;
	hf_dict_put(step, "name", hf_value_cstr(a, p->name));
	if (plan->enable != NULL)
		hf_dict_put(step, "enabled", hf_value_bool(a, plan->enabled));
	if (plan->action != NULL)
		hf_dict_put(step, "running", hf_value_bool(a, plan->runs));
	hf_undo_step(undo, step);
	return 0;
}

static int sysv_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct params p = { .name = hf_step_text(step, "name"), .arguments = "" };
	int r = 0;
	if (hf_dict_get(step, "enabled") != NULL)
		r = script_enable(c, p.name, hf_dict_bool(step, "enabled", false), err);
	if (r == 0 && hf_dict_get(step, "running") != NULL)
		r = script_do(c, &p, hf_dict_bool(step, "running", false) ? "start" : "stop", err);
	return r;
}

static void sysv_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, 300);
}

static const struct hf_module sysv = {
	.name = "service",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.check = sysv_check,
	.apply = sysv_apply,
	.undo = sysv_undo,
	.restore = sysv_restore,
	.watch = sysv_watch,
};

/* --- the module --- */
static const struct hf_module *manager(const struct hf_value *given)
{
	const char *use = hf_dict_cstr(given, "use", "auto");
	if (strcmp(use, "auto") == 0)
		return hf_systemd_runs() || hf_systemd_installed() ? &hf_module_systemd : &sysv;
	return hf_str_ends(hf_str(use), "systemd") ? &hf_module_systemd : &sysv;
}

/* What systemd has no use for is dropped with a word, as Ansible does. */
static const struct hf_value *args_inner(
	struct hf_module_context *c, const struct hf_module *inner, const struct hf_value *given, bool quiet)
{
	static const char *const unused[] = { "pattern", "runlevel", "sleep", "arguments", "args", NULL };
	struct hf_value *kept = hf_value_shallow(hf_task_arena(c), given);
	hf_dict_remove(kept, "use");
	for (size_t i = 0; inner == &hf_module_systemd && unused[i] != NULL; i++)
		if (hf_dict_remove(kept, unused[i]) && !quiet)
			hf_task_warn(c, "Ignoring \"%s\" as it is not used in \"systemd\"", unused[i]);
	return kept;
}

static int service_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct hf_value *given = *(struct hf_value *const *)params;
	const struct hf_module *inner = manager(given);
	if (hf_dict_get(given, "name") == NULL && hf_dict_get(given, "service") == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "missing required arguments: name");
	return hf_delegate_check(c, inner, args_inner(c, inner, given, false), change, err);
}

static int service_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	(void)params;
	return hf_delegate_apply(c, change, err);
}

static int service_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	(void)params;
	return hf_delegate_undo(c, change, undo, err);
}

static int service_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	bool script = strcmp(hf_step_text(step, "what"), "script") == 0;
	return (script ? &sysv : &hf_module_systemd)->restore(c, step, err);
}

static void service_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct hf_value *given = *(struct hf_value *const *)params;
	const struct hf_module *inner = manager(given);
	hf_delegate_watch(c, inner, args_inner(c, inner, given, true), w);
}

static const struct hf_arg shown[] = {
	{ "name", HF_ARG_STR, .flags = HF_REQUIRED, .help = "The service." },
	{ "state", HF_ARG_STR, .choices = states },
	{ "enabled", HF_ARG_BOOL,
		.help = "Whether it starts at boot; one of state and enabled is required." },
	{ "use", HF_ARG_STR, .dflt = "auto",
		.help = "The manager: systemd, or sysvinit and whatever else has init scripts." },
	{ "sleep", HF_ARG_INT,
		.help = "Seconds between stop and start of a restart; passed over with a warning where "
			"systemd "
			"runs." },
	{ "pattern", HF_ARG_STR,
		.help = "Text of a command line that means the service runs; passed over likewise." },
	{ "runlevel", HF_ARG_STR, .dflt = "default", .help = "Passed over likewise." },
	{ "arguments", HF_ARG_STR, .aliases = ALIASES("args"),
		.help = "Further words for the init script; passed over likewise." },
	{ .type = HF_ARG_END },
};

const struct hf_module hf_module_service = {
	.name = "service",
	.collection = "ansible.builtin",
	.schema = { NULL, NULL, sizeof(struct hf_value *) },
	.shown = shown,
	.flags = HF_MODULE_ANY_ARGS | HF_MODULE_NO_DIFF,
	.check = service_check,
	.apply = service_apply,
	.undo = service_undo,
	.restore = service_restore,
	.watch = service_watch,
};
