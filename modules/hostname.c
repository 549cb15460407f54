/* modules/hostname.c - the system's name: the kernel's and /etc/hostname's. */
#include <string.h>
#include <unistd.h>

#include "modules/host.h"

static const char *const uses[] = { "alpine", "debian", "freebsd", "generic", "macos", "macosx", "darwin",
	"openbsd", "openrc", "redhat", "sles", "solaris", "systemd", NULL };
struct params {
	const char *name, *use;
};
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, offsetof(struct params, name), .flags = HF_REQUIRED },
	{ "use", HF_ARG_STR, offsetof(struct params, use), .choices = uses,
		.help = "accepted; Linux keeps the name in one place" },
	{ .type = HF_ARG_END },
};
struct state {
	char running[256];
	struct hf_edit file;
};

static int hostname_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	change->state = s;
	if (gethostname(s->running, sizeof(s->running) - 1) < 0)
		return hf_fail_errno(err, HF_E_IO, "gethostname");
	int r = hf_edit_open(c, "/etc/hostname", 0644, &s->file, err);
	if (r < 0)
		return r;
	struct hf_str kept = hf_str_trim(s->file.before);
	bool same = strcmp(s->running, p->name) == 0 && hf_str_is(kept, p->name);
	if (!hf_str_is(kept, p->name))
		s->file.after = hf_str(hf_sprintf(a, "%s\n", p->name));
	struct hf_value *facts = hf_value_dict(a);
	const char *dot = strchr(p->name, '.');
	hf_dict_put(facts, "ansible_hostname", hf_value_str(a, hf_strn(p->name, strcspn(p->name, "."))));
	hf_dict_put(facts, "ansible_nodename", hf_value_cstr(a, p->name));
	hf_dict_put(facts, "ansible_fqdn", hf_value_cstr(a, p->name));
	hf_dict_put(facts, "ansible_domain", hf_value_cstr(a, dot == NULL ? "" : dot + 1));
	hf_result_cstr(c, change, "name", p->name);
	hf_result_put(c, change, "ansible_facts", facts);
	change->changed = !same;
	if (!same)
		hf_change_diff(c, change, "hostname", hf_str(hf_sprintf(a, "hostname = %s\n", s->running)),
			"hostname", hf_str(hf_sprintf(a, "hostname = %s\n", p->name)));
	return 0;
}

static int hostname_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	(void)c;
	int r = hf_edit_write(&s->file, err);
	if (r == 0 && strcmp(s->running, p->name) != 0 && sethostname(p->name, strlen(p->name)) < 0)
		r = hf_fail_errno(err, HF_E_IO, "set the host name to %s", p->name);
	return r;
}

static int hostname_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	struct hf_value *step = hf_step(c, "hostname");
	(void)params;
	hf_dict_put(step, "name", hf_value_cstr(hf_task_arena(c), s->running));
	hf_undo_step(undo, step);
	return hf_edit_undo(undo, &s->file, err);
}

static int hostname_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const char *name = hf_step_text(step, "name");
	(void)c;
	if (sethostname(name, strlen(name)) < 0)
		return hf_fail_errno(err, HF_E_IO, "set the host name to %s", name);
	return 0;
}

static void hostname_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_path(w, "/etc/hostname");
	hf_watch_sysctl(w, "kernel.hostname");
}

const struct hf_module hf_module_hostname = {
	.name = "hostname",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.check = hostname_check,
	.apply = hostname_apply,
	.undo = hostname_undo,
	.restore = hostname_restore,
	.watch = hostname_watch,
};
