/* modules/stack_check.c - holdfast.stack.check: do kernel, driver, libraries and frameworks of this host fit
 * each other? */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/module.h"
#include "modules/stack_facts.h"

struct params {
	const char *root;
	struct hf_value *plan, *ignore;
	bool report;
};
static const struct hf_arg args[] = {
	{ "root", HF_ARG_STR, offsetof(struct params, root), .dflt = "/", .help = "of the host to look at" },
	{ "plan", HF_ARG_DICT, offsetof(struct params, plan),
		.help = "versions a play is about to install: driver, fabric_manager, cuda, nccl, "
			"efa" },
	{ "ignore", HF_ARG_LIST, offsetof(struct params, ignore), .elements = HF_ARG_STR,
		.help = "codes that are no fault here" },
	{ "report", HF_ARG_BOOL, offsetof(struct params, report), .dflt = "no",
		.help = "tell and go on, instead of failing" },
	{ .type = HF_ARG_END },
};
enum { POLL_SECONDS = 300 };

struct findings {
	struct hf_arena *a;
	const struct hf_value *ignore;
	struct hf_value *list;
	const char *text;
};

static void found(struct findings *f, const char *code, const char *text)
{
	for (size_t i = 0; f->ignore != NULL && i < hf_list_len(f->ignore); i++)
		if (strcmp(hf_value_text(f->a, hf_list_at(f->ignore, i)).p, code) == 0)
			return;
	struct hf_value *d = hf_value_dict(f->a);
	hf_dict_put(d, "code", hf_value_cstr(f->a, code));
	hf_dict_put(d, "text", hf_value_cstr(f->a, text));
	hf_list_append(f->list, d);
	f->text = f->text == NULL ? hf_sprintf(f->a, "%s: %s", code, text)
				  : hf_sprintf(f->a, "%s; %s: %s", f->text, code, text);
}

static bool same(const char *x, const char *y)
{
	return x != NULL && y != NULL && strcmp(x, y) == 0;
}

static void module_judge(struct findings *f, const struct hf_stack *s)
{
	if (s->nouveau && s->loaded == NULL)
		found(f, "nouveau", "nouveau drives the GPU: blacklist it and reboot");
	if (s->built == NULL && !s->headers)
		found(f, "no-headers",
			hf_sprintf(f->a, "the headers of kernel %s are not installed: no driver can be built",
				s->kernel));
	else if (s->built == NULL)
		found(f, "module-missing", hf_sprintf(f->a, "no driver was built for kernel %s", s->kernel));
	if (s->built != NULL && s->loaded == NULL && !s->nouveau)
		found(f, "module-not-loaded",
			hf_sprintf(f->a, "driver %s is built and not loaded", s->built));
	if (s->loaded != NULL && s->built != NULL && !same(s->loaded, s->built))
		found(f, "module-replaced",
			hf_sprintf(f->a, "driver %s is loaded, %s is installed: the next boot changes it",
				s->loaded, s->built));
	if (s->next_kernel != NULL && !s->next_built)
		found(f, "next-kernel",
			hf_sprintf(f->a, "kernel %s is installed without a driver: the next boot has no GPU",
				s->next_kernel));
}

static void library_judge(struct findings *f, const struct hf_stack *s)
{
	const char *driver = s->loaded != NULL ? s->loaded : s->built;
	if (driver != NULL && s->library == NULL)
		found(f, "library-missing", "the driver's libraries are not installed");
	if (driver != NULL && s->library != NULL && !same(driver, s->library))
		found(f, "library-mismatch",
			hf_sprintf(f->a, "driver %s and libraries %s differ: nothing that uses a GPU starts",
				driver, s->library));
	if (s->switches && s->fabric == NULL)
		found(f, "fabric-missing",
			"this host has NVSwitches and no fabric manager: CUDA does not start");
	if (s->switches && s->fabric != NULL && driver != NULL && !same(driver, s->fabric))
		found(f, "fabric-mismatch",
			hf_sprintf(f->a, "fabric manager %s is not driver %s: CUDA does not start", s->fabric,
				driver));
	if (s->runtime && !s->toolkit)
		found(f, "toolkit-missing",
			"a container runtime is installed and NVIDIA's container toolkit is not");
}

static void framework_judge(struct findings *f, const struct hf_stack *s)
{
	const char *driver = s->loaded != NULL ? s->loaded : s->built;
	const char *needs = s->cuda == NULL ? NULL : hf_stack_driver_for(s->cuda);
	if (driver != NULL && needs != NULL && hf_stack_compare(driver, needs) < 0)
		found(f, "cuda-too-new",
			hf_sprintf(f->a, "CUDA %s needs driver %s, here is %s", s->cuda, needs, driver));
	if (s->nccl_cuda != NULL && s->cuda != NULL &&
		hf_stack_major(s->nccl_cuda) != hf_stack_major(s->cuda))
		found(f, "nccl-cuda",
			hf_sprintf(f->a, "NCCL is built for CUDA %s, here is %s", s->nccl_cuda, s->cuda));
	if (s->efa != NULL && s->nccl != NULL && hf_stack_compare(s->nccl, "2.19") >= 0 &&
		hf_stack_compare(s->efa, "1.29") < 0)
		found(f, "nccl-efa",
			hf_sprintf(f->a, "NCCL %s needs EFA 1.29 or later, here is %s", s->nccl, s->efa));
}

static void torches_judge(struct findings *f, const struct hf_stack *s)
{
	const char *driver = s->loaded != NULL ? s->loaded : s->built;
	for (size_t i = 0; i < hf_list_len(s->torches); i++) {
		const struct hf_value *t = hf_list_at(s->torches, i);
		const char *cuda = hf_dict_cstr(t, "cuda", NULL), *where = hf_dict_cstr(t, "where", "");
		const char *needs = cuda == NULL ? NULL : hf_stack_driver_for(cuda);
		if (cuda == NULL)
			found(f, "torch-cpu", hf_sprintf(f->a, "%s is built without CUDA", where));
		else if (driver != NULL && needs != NULL && hf_stack_compare(driver, needs) < 0)
			found(f, "torch-too-new",
				hf_sprintf(f->a, "%s is built for CUDA %s, which needs driver %s", where,
					cuda, needs));
	}
}

static int stack_check_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct findings f = { .a = a, .ignore = p->ignore, .list = hf_value_list(a) };
	struct hf_stack s;
	int result = hf_stack_read(a, p->root, &s, err);
	if (result == 0 && p->plan != NULL)
		result = hf_stack_plan(a, &s, p->plan, err);
	if (result < 0)
		return result;
	if (s.gpus > 0) {
		module_judge(&f, &s);
		library_judge(&f, &s);
		framework_judge(&f, &s);
		torches_judge(&f, &s);
	}
	hf_result_put(c, change, "findings", f.list);
	hf_result_put(c, change, "stack", hf_stack_value(a, &s));
	return f.text == NULL || p->report ? 0 : hf_fail(err, HF_E_TASK, "%s", f.text);
}

static void stack_check_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_packages(w); /* what an unattended upgrade does is seen when it does it */
	hf_watch_poll(w, POLL_SECONDS);
}

static const char *const aliases[] = { "holdfast.stack.check", NULL };
const struct hf_module hf_module_stack_check = {
	.name = "stack_check",
	.collection = "holdfast",
	.aliases = aliases,
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY,
	.check = stack_check_check,
	.watch = stack_check_watch,
};
