/* modules/systemd.c - units: running or not, started at boot or not, masked or not. */
#include <string.h>

#include "modules/systemd_bus.h"
#include "modules/systemd_files.h"

static const char *const states[] = { "reloaded", "restarted", "started", "stopped", NULL };
static const char *const scopes[] = { "system", "user", "global", NULL };

struct params {
	const char *name, *state, *scope;
	int enabled, force, masked, daemon_reload, daemon_reexec, no_block;
};

#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .aliases = ALIASES("service", "unit") },
	{ "state", HF_ARG_STR, AT(state), .choices = states },
	{ "enabled", HF_ARG_BOOL, AT(enabled), .help = "whether it starts at boot" },
	{ "force", HF_ARG_BOOL, AT(force), .help = "replace links that are in the way when enabling" },
	{ "masked", HF_ARG_BOOL, AT(masked) },
	{ "daemon_reload", HF_ARG_BOOL, AT(daemon_reload), .dflt = "no", .aliases = ALIASES("daemon-reload"),
		.help = "read unit files again; not done where none has changed since the manager read "
			"them" },
	{ "daemon_reexec", HF_ARG_BOOL, AT(daemon_reexec), .dflt = "no",
		.aliases = ALIASES("daemon-reexec") },
	{ "scope", HF_ARG_STR, AT(scope), .dflt = "system", .choices = scopes },
	{ "no_block", HF_ARG_BOOL, AT(no_block), .dflt = "no",
		.help = "do not wait until it has started or stopped" },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_ONE_OF, ALIASES("state", "enabled", "masked", "daemon_reload", "daemon_reexec") },
	{ HF_RULE_BY, ALIASES("name"), .when = "state" },
	{ HF_RULE_BY, ALIASES("name"), .when = "enabled" },
	{ HF_RULE_BY, ALIASES("name"), .when = "masked" },
	{ HF_RULE_END },
};

/* What is to be done, in this order; NULL or false: nothing. */
struct plan {
	bool reload, reexec;
	const char *mask, *enable, *action;
	struct hf_unit unit;
	bool enabled_before, masked_before;
};

static bool unit_runs(const struct hf_unit *u)
{
	return strcmp(u->active, "active") == 0 || strcmp(u->active, "activating") == 0;
}

static bool unit_enabled(const struct hf_unit *u)
{
	static const char *const yes[] = { "enabled", "enabled-runtime", "static", "generated", "transient",
		"linked-runtime", NULL };
	for (size_t i = 0; yes[i] != NULL; i++)
		if (strcmp(u->file_state, yes[i]) == 0)
			return true;
	return false;
}

/* A script in init.d without a unit: systemctl knows how to tell and change its links. */
static bool unit_is_script(struct hf_module_context *c, const struct hf_unit *u)
{
	size_t n = strlen(u->name) - (hf_str_ends(hf_str(u->name), ".service") ? strlen(".service") : 0);
	return hf_fs_exists(hf_sprintf(hf_task_arena(c), "/etc/init.d/%.*s", (int)n, u->name));
}

static int script_enabled(
	struct hf_module_context *c, const struct hf_unit *u, bool *ret, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "systemctl", "is-enabled", u->name, NULL);
	struct hf_proc_result ran;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	if (r == 0)
		*ret = ran.status == 0;
	return r;
}

static int plan_state(struct hf_module_context *c, const struct params *p, struct plan *plan,
	struct hf_change *change, struct hf_error *err)
{
	bool runs = unit_runs(&plan->unit);
	hf_result_cstr(c, change, "state", p->state);
	if (plan->unit.active[0] == '\0') {
		if (hf_systemd_runs() && strcmp(p->scope, "system") == 0)
			return hf_fail(err, HF_E_TASK, "Service is in unknown state");
		hf_task_warn(c, "Target is a chroot or systemd is offline. This can lead to false positives "
				"or prevent the init "
				"system tools from working.");
		return 0;
	}
	if (strcmp(p->state, "started") == 0)
		plan->action = runs ? NULL : "start";
	else if (strcmp(p->state, "stopped") == 0)
		plan->action = runs || strcmp(plan->unit.active, "deactivating") == 0 ? "stop" : NULL;
	else if (!runs)
		plan->action = "start";
	else if (hf_task_acts(c))
		plan->action = strcmp(p->state, "restarted") == 0 ? "restart" : "reload";
	if (strcmp(p->state, "stopped") != 0)
		hf_result_cstr(c, change, "state", "started");
	return 0;
}

static int plan_enabled(struct hf_module_context *c, const struct params *p, struct plan *plan, bool script,
	struct hf_change *change, struct hf_error *err)
{
	bool enabled = unit_enabled(&plan->unit);
	int r = 0;
	if (script && (plan->unit.file_state[0] == '\0' || strcmp(plan->unit.file_state, "generated") == 0))
		r = script_enabled(c, &plan->unit, &enabled, err);
	plan->enabled_before = enabled;
	hf_result_bool(c, change, "enabled", p->enabled == HF_YES);
	if (enabled != (p->enabled == HF_YES))
		plan->enable = p->enabled == HF_YES ? "enable" : "disable";
	return r;
}

/* What may be asked of a unit that is there: enabled, running. */
static int plan_present(struct hf_module_context *c, const struct params *p, struct plan *plan, bool script,
	struct hf_change *change, struct hf_error *err)
{
	int r = 0;
	if (!plan->unit.found && !script)
		return hf_fail(err, HF_E_TASK, "Could not find the requested service %s: host", p->name);
	if (!plan->unit.found)
		hf_task_warn(c,
			"The service (%s) is actually an init script but the system is managed by systemd",
			p->name);
	if (p->enabled != HF_UNSET)
		r = plan_enabled(c, p, plan, script, change, err);
	if (r == 0 && p->state != NULL)
		r = plan_state(c, p, plan, change, err);
	return r;
}

static int plan_unit(struct hf_module_context *c, const struct params *p, struct plan *plan,
	struct hf_change *change, struct hf_error *err)
{
	int r = hf_unit_look(
		c, p->name, p->scope, p->enabled != HF_UNSET || p->masked != HF_UNSET, &plan->unit, err);
	if (r < 0)
		return r;
	struct hf_unit *u = &plan->unit;
	bool script = strcmp(p->scope, "system") == 0 && unit_is_script(c, u);
	hf_result_cstr(c, change, "name", p->name);
	hf_result_put(c, change, "status", u->status);
	plan->masked_before = strcmp(u->load, "masked") == 0 || strncmp(u->file_state, "masked", 6) == 0;
	if (u->load_error[0] != '\0' && strcmp(u->load, "error") == 0)
		return hf_fail(err, HF_E_TASK, "Error loading unit file '%s': %s", p->name, u->load_error);
	if (p->masked != HF_UNSET && plan->masked_before != (p->masked == HF_YES))
		plan->mask = p->masked == HF_YES ? "mask" : "unmask";
	if (p->enabled != HF_UNSET || p->state != NULL)
		r = plan_present(c, p, plan, script, change, err);
	change->changed = plan->mask != NULL || plan->enable != NULL || plan->action != NULL;
	return r;
}

static int name_check(const char *name, struct hf_error *err)
{
	const char *glob = name == NULL ? NULL : strpbrk(name, "*?[");
	if (glob == NULL)
		return 0;
	return hf_fail(err, HF_E_TASK,
		"This module does not currently support using glob patterns, found '%c' in service "
		"name: %s",
		*glob, name);
}

static void diff_put(struct hf_module_context *c, const struct params *p, const struct plan *plan,
	struct hf_change *change)
{
	struct hf_arena *a = hf_task_arena(c);
	if (!change->changed)
		return;
	struct hf_value *before = hf_value_dict(a), *after = hf_value_dict(a);
	if (plan->action != NULL) {
		hf_dict_put(before, "state", hf_value_cstr(a, plan->unit.active));
		hf_dict_put(after, "state", hf_value_cstr(a, p->state));
	}
	if (plan->enable != NULL) {
		hf_dict_put(before, "enabled", hf_value_bool(a, plan->enabled_before));
		hf_dict_put(after, "enabled", hf_value_bool(a, !plan->enabled_before));
	}
	if (plan->mask != NULL) {
		hf_dict_put(before, "masked", hf_value_bool(a, plan->masked_before));
		hf_dict_put(after, "masked", hf_value_bool(a, !plan->masked_before));
	}
	hf_change_diff_values(c, change, before, after);
}

static void differs_put(
	struct hf_arena *a, struct hf_value *before, struct hf_value *after, const char *key, bool now)
{
	hf_dict_put(before, key, hf_value_bool(a, now));
	hf_dict_put(after, key, hf_value_bool(a, !now));
}

/* Whoever enables, disables or masks a unit makes systemd read all of them again, and it answers nobody until
 * that is done: what the files say for certain is told before it is asked. */
static void files_look(struct hf_module_context *c, const struct params *p)
{
	struct hf_arena *a = hf_task_arena(c);
	if ((p->enabled == HF_UNSET && p->masked == HF_UNSET) || strcmp(p->scope, "system") != 0 ||
		!hf_task_awaited(c) || !hf_systemd_runs())
		return;
	enum hf_unit_files say = hf_unit_files_say(a, "", hf_unit_name(a, p->name));
	if (say == HF_UNIT_FILES_DOUBT)
		return;
	bool masked = say == HF_UNIT_FILES_MASKED, enabled = say == HF_UNIT_FILES_ENABLED;
	struct hf_value *before = hf_value_dict(a), *after = hf_value_dict(a);
	if (p->enabled != HF_UNSET && say != HF_UNIT_FILES_NONE && enabled != (p->enabled == HF_YES))
		differs_put(a, before, after, "enabled", enabled);
	if (p->masked != HF_UNSET && masked != (p->masked == HF_YES))
		differs_put(a, before, after, "masked", masked);
	if (hf_dict_len(before) > 0)
		hf_task_differs(c, before, after);
}

static int systemd_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct plan *plan = hf_new(hf_task_arena(c), struct plan);
	change->state = plan;
	int r = name_check(p->name, err);
	if (r < 0)
		return r;
	if (p->name != NULL)
		files_look(c, p);
	bool system = strcmp(p->scope, "system") == 0;
	plan->reload = p->daemon_reload == HF_YES && (!system || hf_systemd_stale(hf_task_arena(c)));
	plan->reexec = p->daemon_reexec == HF_YES && hf_task_acts(c);
	change->unknown = plan->reload || plan->reexec;
	if (p->name == NULL) {
		hf_result_put(c, change, "name", hf_value_null(hf_task_arena(c)));
		return 0;
	}
	r = plan_unit(c, p, plan, change, err);
	if (r < 0 && change->unknown &&
		!hf_task_check_mode(c)) { /* the unit may be there once files are read again */
		if (err != NULL)
			*err = (struct hf_error){ 0 };
		return 0;
	}
	if (r == 0)
		diff_put(c, p, plan, change);
	return r;
}

static int systemctl(struct hf_module_context *c, const char *scope, const char *action, const char *unit,
	bool force, bool no_block, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "systemctl", NULL);
	if (scope[0] != '\0' && strcmp(scope, "system") != 0)
		hf_words_addf(&w, "--%s", scope);
	if (force)
		hf_words_add(&w, "--force");
	if (no_block)
		hf_words_add(&w, "--no-block");
	hf_words_add(&w, action);
	if (unit != NULL)
		hf_words_add(&w, unit);
	return hf_host_output(c, &w, NULL, err);
}

static int systemd_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct plan *plan = change->state;
	int r = 0;
	if (plan->reload && systemctl(c, p->scope, "daemon-reload", NULL, false, false, err) < 0)
		return hf_wrap(err, "failure during daemon-reload");
	if (plan->reexec && systemctl(c, p->scope, "daemon-reexec", NULL, false, false, err) < 0)
		return hf_wrap(err, "failure during daemon-reexec");
	if (p->name != NULL && (plan->reload || plan->reexec)) {
		plan->mask = plan->enable = plan->action = NULL;
		r = plan_unit(c, p, plan, change, err);
	}
	const struct {
		const char *verb;
		bool force, no_block;
	} steps[] = { { plan->mask, false, false }, { plan->enable, p->force == HF_YES, false },
		{ plan->action, false, p->no_block == HF_YES } };
	for (size_t i = 0; r == 0 && i < HF_COUNT(steps); i++) {
		if (steps[i].verb == NULL || systemctl(c, p->scope, steps[i].verb, plan->unit.name,
						     steps[i].force, steps[i].no_block, err) == 0)
			continue;
		/* systemd masks no unit whose file lies in /etc itself: for Ansible that is no failure. */
		if (steps[i].verb == plan->mask && plan->unit.found)
			hf_task_warn(c, "%s: %s", p->name, err->text);
		else
			r = hf_wrap(err, "Unable to %s service %s", steps[i].verb, p->name);
	}
	return r;
}

static int systemd_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	(void)err;
	if (plan->unit.name == NULL)
		return 0;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, "unit");
	hf_dict_put(step, "unit", hf_value_cstr(a, plan->unit.name));
	hf_dict_put(step, "scope", hf_value_cstr(a, p->scope));
	if (plan->mask != NULL)
		hf_dict_put(step, "masked", hf_value_bool(a, plan->masked_before));
	if (plan->enable != NULL)
		hf_dict_put(step, "enabled", hf_value_bool(a, plan->enabled_before));
	if (plan->action != NULL)
		hf_dict_put(step, "running", hf_value_bool(a, unit_runs(&plan->unit)));
	hf_undo_step(undo, step);
	return 0;
}

static int restore_look(struct hf_module_context *c, const char *unit, const char *scope, struct hf_unit *ret,
	struct hf_error *err)
{
	int r = 0;
	if (hf_systemd_runs() && hf_systemd_stale(hf_task_arena(c)))
		r = systemctl(c, scope, "daemon-reload", NULL, false, false, err);
	return r < 0 ? r : hf_unit_look(c, unit, scope, true, ret, err);
}

/* One step back: verb, and whether it is due. In the order in which each is possible: a masked unit cannot
 * start. */
static int systemd_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const char *unit = hf_step_text(step, "unit"), *scope = hf_step_text(step, "scope");
	struct hf_unit now;
	int r = restore_look(c, unit, scope, &now, err);
	if (r < 0)
		return r;
	bool masked = hf_dict_bool(step, "masked", false), enabled = hf_dict_bool(step, "enabled", false);
	bool running = hf_dict_bool(step, "running", false);
	bool start_stop =
		hf_dict_get(step, "running") != NULL && hf_systemd_runs() && running != unit_runs(&now);
	const struct {
		bool due;
		const char *verb;
	} steps[] = { { hf_dict_get(step, "masked") != NULL && !masked, "unmask" },
		{ hf_dict_get(step, "enabled") != NULL && (now.found || enabled),
			enabled ? "enable" : "disable" },
		{ start_stop && (now.found || running), running ? "start" : "stop" }, { masked, "mask" } };
	for (size_t i = 0; r == 0 && i < HF_COUNT(steps); i++)
		if (steps[i].due)
			r = systemctl(c, scope, steps[i].verb, unit, false, false, err);
	return r;
}

static void systemd_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	if (p->name != NULL)
		hf_watch_unit(w, hf_unit_name(hf_task_arena(c), p->name));
}

static const char *const systemd_aliases[] = { "systemd_service", NULL };

const struct hf_module hf_module_systemd = {
	.name = "systemd",
	.collection = "ansible.builtin",
	.aliases = systemd_aliases,
	.schema = { args, rules, sizeof(struct params) },
	.check = systemd_check,
	.apply = systemd_apply,
	.undo = systemd_undo,
	.restore = systemd_restore,
	.watch = systemd_watch,
};
