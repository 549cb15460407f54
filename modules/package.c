/* modules/package.c - whatever package manager the host has: its own module does the work. */
#include <string.h>

#include "modules/delegate.h"

extern const struct hf_module hf_module_apt;
extern const struct hf_module hf_module_dnf;

/* Any arguments: they are the other module's. params is struct hf_value **, as the contract says. */
static const struct {
	const char *use;
	const struct hf_module *module;
	const char *program;
} managers[] = {
	{ "apt", &hf_module_apt, "/usr/bin/apt-get" },
	{ "dnf", &hf_module_dnf, "/usr/bin/dnf" },
	{ "dnf5", &hf_module_dnf, "/usr/bin/dnf5" },
	{ "yum", &hf_module_dnf, "/usr/bin/yum" },
};

static int manager_choose(struct hf_module_context *c, const struct hf_value *args,
	const struct hf_module **ret, struct hf_error *err)
{
	const char *use = hf_dict_cstr(args, "use", "auto");
	if (strcmp(use, "auto") == 0)
		use = hf_dict_cstr(hf_task_facts(c), "pkg_mgr", "auto");
	for (size_t i = 0; i < HF_COUNT(managers); i++) {
		bool chosen = strcmp(use, managers[i].use) == 0 || hf_str_ends(hf_str(use), managers[i].use);
		if (chosen || (strcmp(use, "auto") == 0 && hf_fs_exists(managers[i].program))) {
			*ret = managers[i].module;
			return 0;
		}
	}
	return hf_fail(err, HF_E_UNSUPPORTED,
		"Could not find a matching action for the \"%s\" package manager.", use);
}

static struct hf_value *args_inner(struct hf_module_context *c, const struct hf_value *args)
{
	struct hf_value *inner = hf_value_shallow(hf_task_arena(c), args);
	hf_dict_remove(inner, "use");
	return inner;
}

static int package_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct hf_value *args = *(struct hf_value *const *)params;
	const struct hf_module *inner = NULL;
	if (hf_dict_get(args, "name") == NULL && hf_dict_get(args, "pkg") == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "missing required arguments: name");
	int r = manager_choose(c, args, &inner, err);
	return r < 0 ? r : hf_delegate_check(c, inner, args_inner(c, args), change, err);
}

static int package_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	(void)params;
	return hf_delegate_apply(c, change, err);
}

static int package_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	(void)params;
	return hf_delegate_undo(c, change, undo, err);
}

static int package_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const struct hf_module *inner =
		strcmp(hf_step_text(step, "what"), "packages") == 0 ? &hf_module_apt : &hf_module_dnf;
	return inner->restore(c, step, err);
}

static void package_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_packages(w);
}

static const struct hf_arg shown[] = {
	{ "name", HF_ARG_LIST, .flags = HF_REQUIRED, .aliases = (const char *const[]){ "pkg", NULL },
		.help = "Packages, as their own module takes them." },
	{ "state", HF_ARG_STR, .help = "present, absent, latest, or what else that module knows." },
	{ "use", HF_ARG_STR, .dflt = "auto", .help = "The module: apt, dnf, dnf5 or yum." },
	{ .type = HF_ARG_END },
};

const struct hf_module hf_module_package = {
	.name = "package",
	.collection = "ansible.builtin",
	.schema = { NULL, NULL, sizeof(struct hf_value *) },
	.shown = shown,
	.flags = HF_MODULE_ANY_ARGS | HF_MODULE_NO_DIFF,
	.check = package_check,
	.apply = package_apply,
	.undo = package_undo,
	.restore = package_restore,
	.watch = package_watch,
};
