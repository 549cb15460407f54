/* modules/dpkg_selections.c - what dpkg shall do with a package: keep it, hold it, remove it. */
#include <string.h>

#include "modules/dpkg.h"
#include "modules/host.h"

static const char *const selections[] = { "install", "hold", "deinstall", "purge", NULL };
struct params {
	const char *name, *selection;
};
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, offsetof(struct params, name), .flags = HF_REQUIRED },
	{ "selection", HF_ARG_STR, offsetof(struct params, selection), .flags = HF_REQUIRED,
		.choices = selections },
	{ .type = HF_ARG_END },
};

static int dpkg_selections_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct hf_dpkg *db;
	int r = hf_dpkg_load(NULL, &db, err);
	if (r < 0)
		return r;
	const struct hf_dpkg_package *have = hf_dpkg_find(db, p->name);
	const char *before = have == NULL || have->want[0] == '\0' ? "not present" : have->want;
	if (have == NULL)
		return hf_fail(err, HF_E_TASK, "Failed to find package '%s' to perform selection '%s'.",
			p->name, p->selection);
	change->changed = strcmp(before, p->selection) != 0;
	change->state = hf_strdup(hf_task_arena(c), before);
	hf_result_cstr(c, change, "before", before);
	hf_result_cstr(c, change, "after", p->selection);
	return 0;
}

static int selection_set(
	struct hf_module_context *c, const char *name, const char *selection, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *const argv[] = { "dpkg", "--set-selections", NULL };
	struct hf_proc_spec spec = { .argv = argv,
		.input = hf_str(hf_sprintf(a, "%s %s\n", name, selection)),
		.umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result ran;
	int r = hf_task_run(c, &spec, &ran, err);
	if (r == 0 && ran.status != 0)
		r = hf_fail(err, HF_E_TASK, "dpkg --set-selections: %.*s", HF_STR_ARG(hf_str_trim(ran.err)));
	return r;
}

static int dpkg_selections_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	(void)change;
	return selection_set(c, p->name, p->selection, err);
}

static int dpkg_selections_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_value *step = hf_step(c, "selection");
	(void)err;
	hf_dict_put(step, "name", hf_value_cstr(hf_task_arena(c), p->name));
	hf_dict_put(step, "selection", hf_value_cstr(hf_task_arena(c), change->state));
	hf_undo_step(undo, step);
	return 0;
}

static int dpkg_selections_restore(
	struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	return selection_set(c, hf_step_text(step, "name"), hf_step_text(step, "selection"), err);
}

static void dpkg_selections_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_packages(w);
}

const struct hf_module hf_module_dpkg_selections = {
	.name = "dpkg_selections",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = dpkg_selections_check,
	.apply = dpkg_selections_apply,
	.undo = dpkg_selections_undo,
	.restore = dpkg_selections_restore,
	.watch = dpkg_selections_watch,
};
