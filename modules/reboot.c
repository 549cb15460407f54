/* modules/reboot.c - start the host again. Inside the agent the run goes on afterwards where it was; from the
 * command line it is refused, as Ansible refuses to reboot the machine it runs on. */
#include <stdlib.h>
#include <unistd.h>

#include "modules/host.h"

struct params {
	int64_t pre_reboot_delay, post_reboot_delay, reboot_timeout, connect_timeout;
	const char *test_command, *msg, *boot_time_command, *reboot_command;
	struct hf_value *search_paths;
};
#define AT(field)    offsetof(struct params, field)
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_arg args[] = {
	{ "pre_reboot_delay", HF_ARG_INT, AT(pre_reboot_delay), .dflt = "0" },
	{ "post_reboot_delay", HF_ARG_INT, AT(post_reboot_delay), .dflt = "0" },
	{ "reboot_timeout", HF_ARG_INT, AT(reboot_timeout), .dflt = "600",
		.help = "no effect: the run resumes when the host is back" },
	{ "connect_timeout", HF_ARG_INT, AT(connect_timeout), .dflt = "0",
		.help = "no effect: nothing connects" },
	{ "test_command", HF_ARG_STR, AT(test_command), .dflt = "whoami",
		.help = "no effect: the agent itself is the test" },
	{ "msg", HF_ARG_STR, AT(msg), .dflt = "Reboot initiated by Ansible" },
	{ "search_paths", HF_ARG_LIST, AT(search_paths), .elements = HF_ARG_STR },
	{ "boot_time_command", HF_ARG_STR, AT(boot_time_command),
		.dflt = "cat /proc/sys/kernel/random/boot_id", .help = "no effect: the boot id is read" },
	{ "reboot_command", HF_ARG_STR, AT(reboot_command) },
	{ .type = HF_ARG_END },
};

/* The apply worker names the file through which it hears of a reboot. */
#define REQUEST "HOLDFAST_REBOOT_REQUEST"

static int reboot_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	(void)params;
	change->changed = true;
	hf_result_bool(c, change, "rebooted", true);
	hf_result_int(c, change, "elapsed", 0);
	if (getenv(REQUEST) == NULL && !hf_task_check_mode(c))
		return hf_fail(err, HF_E_TASK,
			"Running reboot with local connection would reboot the control node.");
	return 0;
}

static int reboot_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	const char *path = getenv(REQUEST);
	struct hf_fs_attr attr = HF_FS_KEEP;
	(void)change;
	if (path == NULL)
		return hf_fail(err, HF_E_TASK,
			"Running reboot with local connection would reboot the control node.");
	attr.mode = 0600;
	const char *command = p->reboot_command == NULL ? "" : p->reboot_command;
	return hf_fs_replace(path,
		hf_str(hf_sprintf(a, "%lld\n%s\n%s\n", (long long)p->pre_reboot_delay, p->msg, command)),
		attr, err);
}

static int reboot_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	(void)c;
	(void)params;
	(void)change;
	(void)undo;
	(void)err;
	return 0; /* nothing lasting: there is nothing to take back */
}

const struct hf_module hf_module_reboot = {
	.name = "reboot",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE,
	.check = reboot_check,
	.apply = reboot_apply,
	.undo = reboot_undo,
};
