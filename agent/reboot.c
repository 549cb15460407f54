#include "agent/reboot.h"

#include "lib/base/fs.h"

enum { REQUEST_MAX = 64 << 10, BOOT_MAX = 64, COMMAND_MS = 120000 };

const char *hf_reboot_path(struct hf_agent *agent, struct hf_arena *a, int64_t run)
{
	return hf_sprintf(a, "%s/runs/%lld.reboot", agent->config.state_dir, (long long)run);
}

bool hf_reboot_asked(struct hf_arena *a, const char *path, struct hf_reboot *ret)
{
	struct hf_str text = { 0 }, boot = { 0 }, delay, message, command, asked_in;
	if (hf_fs_read(a, path, REQUEST_MAX, &text, NULL) < 0 ||
		hf_fs_read(a, "/proc/sys/kernel/random/boot_id", BOOT_MAX, &boot, NULL) < 0)
		return false; /* there is none */
	*ret = (struct hf_reboot){ 0 };
	hf_str_split(&text, '\n', &delay);
	hf_str_split(&text, '\n', &message);
	hf_str_split(&text, '\n', &command);
	hf_str_split(&text, '\n', &asked_in);
	(void)hf_str_to_int64(delay, &ret->delay_s);
	ret->message = hf_str_dup(a, message);
	ret->command = hf_str_dup(a, command);
	return hf_str_equal(asked_in, hf_str_trim(boot));
}

static void on_line(void *data, struct hf_child *c, struct hf_str line)
{
}

int hf_reboot_start(struct hf_agent *agent, const char *command,
	void (*ended)(void *data, struct hf_child *c, int status, bool timed_out), void *data,
	struct hf_child **ret, struct hf_error *err)
{
	const char *const argv[] = { "/bin/sh", "-c", *command == '\0' ? "exec systemctl reboot" : command,
		NULL };
	struct hf_child_spec spec = { .name = "reboot",
		.argv = argv,
		.keep_fd = -1,
		.deadline_ms = COMMAND_MS,
		.line = on_line,
		.ended = ended,
		.data = data };
	return hf_child_start(agent->loop, &spec, ret, err);
}
