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
enum { REQUEST_MAX = 64 << 10, BOOT_MAX = 64 };

static int reboot_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	(void)params;
	change->changed = true;
	hf_result_bool(c, change, "rebooted", true);
	hf_result_int(c, change, "elapsed", 0);
	const char *path = getenv(REQUEST);
	if (path == NULL && !hf_task_check_mode(c))
		return hf_fail(err, HF_E_TASK,
			"Running reboot with local connection would reboot the control node.");
	if (path != NULL && *path == '\0' && !hf_task_check_mode(c))
		return hf_fail(
			err, HF_E_TASK, "putting drift right does not reboot the host: the next release may");
	return 0;
}

/* The request of this very task in an earlier boot: it was obeyed, and a kill came before that was noted. */
static bool obeyed(struct hf_module_context *c, const char *path, const char *here, struct hf_str boot)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str text = { 0 }, skipped, asked_in, asked_here;
	if (hf_fs_read(a, path, REQUEST_MAX, &text, NULL) < 0)
		return false;
	for (int i = 0; i < 3; i++)
		hf_str_split(&text, '\n', &skipped);
	hf_str_split(&text, '\n', &asked_in);
	hf_str_split(&text, '\n', &asked_here);
	return hf_str_is(asked_here, here) && !hf_str_equal(asked_in, boot);
}

/* A line of the request each. */
static const char *one_line(struct hf_arena *a, const char *text)
{
	char *copy = hf_strdup(a, text);
	for (char *c = copy; *c != '\0'; c++)
		if (*c == '\n')
			*c = ' ';
	return copy;
}

static int reboot_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	const char *path = getenv(REQUEST);
	struct hf_fs_attr attr = HF_FS_KEEP;
	(void)change;
	if (path == NULL || *path == '\0')
		return hf_fail(err, HF_E_TASK,
			"Running reboot with local connection would reboot the control node.");
	attr.mode = 0600;
	const char *command = p->reboot_command == NULL ? "" : p->reboot_command;
	struct hf_pos pos = hf_task_pos(c);
	const char *here = hf_sprintf(a, "%s:%d", pos.file == NULL ? "" : pos.file, (int)pos.line);
	struct hf_str boot = { 0 };
	int result = hf_fs_read(a, "/proc/sys/kernel/random/boot_id", BOOT_MAX, &boot, err);
	if (result < 0)
		return result;
	boot = hf_str_trim(boot);
	if (obeyed(c, path, here, boot))
		return 0;
	return hf_fs_replace(path,
		hf_str(hf_sprintf(a, "%lld\n%s\n%s\n%.*s\n%s\n", (long long)p->pre_reboot_delay,
			one_line(a, p->msg), one_line(a, command), HF_STR_ARG(boot), here)),
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
	/* A resource, so that a resumed run knows it is done; not in a child, so that the run hears of it. */
	.flags = HF_MODULE_NO_BECOME | HF_MODULE_NO_DIFF,
	.check = reboot_check,
	.apply = reboot_apply,
	.undo = reboot_undo,
};
