/* modules/apache2_module.c - modules of the Apache httpd, through a2enmod and a2dismod. */
#include <ctype.h>

#include "modules/host.h"

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *name, *identifier, *state;
	enum hf_tristate force, ignore_configcheck, warn_mpm_absent;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), HF_REQUIRED, .help = "The module, as a2enmod calls it." },
	{ "identifier", HF_ARG_STR, AT(identifier),
		.help = "What the server's list of modules calls it, where that is not NAME_module." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states, .help = "What is wanted." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false",
		.help = "a2dismod's -f: also what Debian needs." },
	{ "ignore_configcheck", HF_ARG_BOOL, AT(ignore_configcheck), .dflt = "false",
		.help = "Take a module for disabled where the server refuses its configuration." },
	{ "warn_mpm_absent", HF_ARG_BOOL, AT(warn_mpm_absent), .dflt = "true",
		.help = "With ignore_configcheck: warn where no MPM is loaded." },
	{ .type = HF_ARG_END },
};

struct apache {
	const char *control, *identifier;
	bool wanted;
};

/* The names that some modules have in the server's own list. */
static const char *identifier_of(struct hf_arena *a, const char *name)
{
	static const struct {
		const char *part, *identifier;
	} special[] = { { "shib", "mod_shib" }, { "evasive", "evasive20_module" } };
	for (size_t i = 0; i < HF_COUNT(special); i++)
		if (strstr(name, special[i].part) != NULL)
			return special[i].identifier;
	bool php = strncmp(name, "php", 3) == 0 && isdigit((unsigned char)name[3]) && name[4] == '.';
	return php ? hf_sprintf(a, "php%c_module", name[3]) : hf_sprintf(a, "%s_module", name);
}

static int apache_find(struct hf_module_context *c, struct apache *x, struct hf_error *err)
{
	static const char *const names[] = { "apache2ctl", "apachectl" };
	struct hf_error none;
	for (size_t i = 0; i < HF_COUNT(names); i++)
		if (hf_host_program(c, names[i], &x->control, &none) == 0)
			return 0;
	return hf_fail(err, HF_E_TASK,
		"Neither of apache2ctl nor apachectl found. At least one apache control binary is "
		"necessary.");
}

/* cgi does not go with an MPM of threads: Debian has cgid for these. */
static int cgi_refuse(
	struct hf_module_context *c, const struct params *p, const struct apache *x, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), x->control, "-V", NULL);
	struct hf_proc_result ran;
	if (strcmp(p->name, "cgi") != 0)
		return 0;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	size_t at = r == 0 ? hf_str_find(ran.out, HF_STR("threaded:"), 0) : SIZE_MAX;
	if (r < 0 || at == SIZE_MAX)
		return r;
	struct hf_str rest = hf_str_trim(hf_strn(ran.out.p + at + 9, ran.out.n - at - 9));
	return !hf_str_starts(rest, "yes") ? 0
					   : hf_fail(err, HF_E_TASK,
						     "Your MPM seems to be threaded. No automatic actions on "
						     "module cgi possible.");
}

/* Whether the server's configuration loads it. */
static int enabled_look(struct hf_module_context *c, const struct params *p, const struct apache *x,
	bool *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, x->control, "-M", NULL);
	struct hf_proc_result ran;
	int r = hf_host_run(c, &w, NULL, &ran, err);
	if (r < 0)
		return r;
	if (ran.status == 0) {
		*ret = hf_str_find(ran.out, hf_str(hf_sprintf(a, " %s", x->identifier)), 0) != SIZE_MAX;
		return 0;
	}
	const char *what = hf_sprintf(a, "Error executing %s: %s", x->control, hf_str_dup(a, ran.err));
	if (p->ignore_configcheck != HF_YES)
		return hf_fail(err, HF_E_TASK, "%s", what);
	bool mpm = hf_str_find(ran.err, HF_STR("AH00534"), 0) != SIZE_MAX && strstr(p->name, "mpm_") != NULL;
	if (!mpm)
		hf_task_warn(c, "%s", what);
	else if (p->warn_mpm_absent == HF_YES)
		hf_task_warn(c,
			"No MPM module loaded! apache2 reload AND other module actions will fail if no "
			"MPM module is loaded immediately.");
	*ret = false;
	return 0;
}

static int apache2_module_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct apache *x = change->state = hf_new(a, struct apache);
	bool enabled = false;
	x->wanted = strcmp(p->state, "present") == 0;
	x->identifier =
		p->identifier != NULL && *p->identifier != '\0' ? p->identifier : identifier_of(a, p->name);
	int r = apache_find(c, x, err);
	if (r == 0)
		r = cgi_refuse(c, p, x, err);
	if (r == 0)
		r = enabled_look(c, p, x, &enabled, err);
	if (r < 0)
		return r;
	change->changed = enabled != x->wanted;
	hf_result_cstr(c, change, "result",
		hf_sprintf(a, "Module %s %s", p->name, x->wanted ? "enabled" : "disabled"));
	return 0;
}

static int switch_run(struct hf_module_context *c, const char *name, bool on, bool force,
	struct hf_proc_result *ret, struct hf_error *err)
{
	const char *tool = on ? "a2enmod" : "a2dismod", *path;
	struct hf_error none;
	if (hf_host_program(c, tool, &path, &none) < 0)
		return hf_fail(err, HF_E_TASK,
			"%s not found. Perhaps this system does not use %s to manage apache", tool, tool);
	struct hf_words w = hf_words(hf_task_arena(c), path, NULL);
	if (force && !on)
		hf_words_add(&w, "-f");
	hf_words_add(&w, name);
	return hf_host_run(c, &w, NULL, ret, err);
}

static int apache2_module_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct apache *x = change->state;
	struct hf_proc_result ran;
	bool enabled = false;
	int r = switch_run(c, p->name, x->wanted, p->force == HF_YES, &ran, err);
	if (r == 0)
		r = enabled_look(c, p, x, &enabled, err);
	if (r < 0 || enabled == x->wanted)
		return r;
	hf_host_report(c, change, &ran);
	change->changed = false;
	hf_dict_remove(change->result, "result");
	return hf_fail(err, HF_E_TASK,
		"Failed to set module %s to %s:\n%s\nMaybe the module identifier (%s) was guessed "
		"incorrectly."
		"Consider setting the \"identifier\" option.",
		p->name, x->wanted ? "enabled" : "disabled", hf_str_dup(hf_task_arena(c), ran.out),
		x->identifier);
}

static int apache2_module_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct apache *x = change->state;
	struct hf_value *step = hf_step(c, x->wanted ? "disable" : "enable");
	hf_dict_put(step, "name", hf_value_cstr(hf_task_arena(c), p->name));
	hf_dict_put(step, "identifier", hf_value_cstr(hf_task_arena(c), x->identifier));
	hf_undo_step(undo, step);
	return 0;
}

static int apache2_module_restore(
	struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct params p = { .name = hf_step_text(step, "name"), .ignore_configcheck = HF_YES };
	struct apache x = { .identifier = hf_step_text(step, "identifier") };
	struct hf_proc_result ran;
	bool on = strcmp(hf_step_text(step, "what"), "enable") == 0, enabled = !on;
	int r = switch_run(c, p.name, on, true, &ran, err);
	if (r < 0 || ran.status == 0)
		return r;
	/* A module that is not there could not be enabled in the first place. */
	r = apache_find(c, &x, err);
	if (r == 0)
		r = enabled_look(c, &p, &x, &enabled, err);
	if (r < 0 || enabled == on)
		return r;
	return hf_fail(err, HF_E_TASK, "%s",
		hf_str_dup(hf_task_arena(c), hf_str_trim(ran.err.n > 0 ? ran.err : ran.out)));
}

static void apache2_module_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	hf_watch_tree(w, "/etc/apache2/mods-enabled");
}

const struct hf_module hf_module_apache2_module = {
	.name = "apache2_module",
	.collection = "community.general",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = apache2_module_check,
	.apply = apache2_module_apply,
	.undo = apache2_module_undo,
	.restore = apache2_module_restore,
	.watch = apache2_module_watch,
};
