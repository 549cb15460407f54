/* modules/kernel_blacklist.c - kernel modules that are not to be loaded on their own. */
#include <string.h>

#include "lib/base/scope.h"
#include "modules/host.h"

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *name, *state, *blacklist_file;
};
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, offsetof(struct params, name), .flags = HF_REQUIRED },
	{ "state", HF_ARG_STR, offsetof(struct params, state), .dflt = "present", .choices = states },
	{ "blacklist_file", HF_ARG_STR, offsetof(struct params, blacklist_file),
		.dflt = "/etc/modprobe.d/blacklist-ansible.conf" },
	{ .type = HF_ARG_END },
};

static bool line_names(struct hf_arena *a, struct hf_str line, const char *name)
{
	const char *text = hf_str_dup(a, hf_str_trim(line));
	size_t n = strlen("blacklist"),
	       blanks = strncmp(text, "blacklist", n) == 0 ? strspn(text + n, " \t") : 0;
	return blanks > 0 && strcmp(text + n + blanks, name) == 0;
}

static int kernel_blacklist_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_edit *file = hf_new(a, struct hf_edit);
	bool present = strcmp(p->state, "present") == 0, listed = false;
	change->state = file;
	int r = hf_edit_open_text(c, p->blacklist_file, 0644, file, err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str rest = file->before, line;
	struct hf_value *lines = hf_value_list(a);
	while (rest.n > 0 && hf_str_split(&rest, '\n', &line)) {
		bool mine = line_names(a, line, p->name);
		listed = listed || mine;
		if (mine && !present)
			continue;
		while (line.n > 0 && strchr(" \t\r", line.p[line.n - 1]) != NULL)
			line.n--;
		hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(line));
		hf_list_append(lines, hf_value_str(a, line));
	}
	if (present && !listed) {
		const char *added = hf_sprintf(a, "blacklist %s", p->name);
		hf_buf_printf(&out, "%s\n", added);
		hf_list_append(lines, hf_value_cstr(a, added));
	}
	if (present != listed)
		hf_edit_set(c, file, &out);
	hf_edit_describe(c, change, file);
	hf_result_cstr(c, change, "name", p->name);
	hf_result_cstr(c, change, "state", p->state);
	hf_result_cstr(c, change, "filename", p->blacklist_file);
	hf_result_put(c, change, "lines", lines);
	hf_result_bool(c, change, "is_blacklisted", present);
	return 0;
}

static int kernel_blacklist_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	(void)c;
	(void)params;
	return hf_edit_write(change->state, err);
}

static int kernel_blacklist_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	(void)c;
	(void)params;
	return hf_edit_undo(undo, change->state, err);
}

static void kernel_blacklist_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	(void)c;
	hf_watch_path(w, p->blacklist_file);
}

const struct hf_module hf_module_kernel_blacklist = {
	.name = "kernel_blacklist",
	.collection = "community.general",
	.schema = { args, NULL, sizeof(struct params) },
	.check = kernel_blacklist_check,
	.apply = kernel_blacklist_apply,
	.undo = kernel_blacklist_undo,
	.watch = kernel_blacklist_watch,
};
