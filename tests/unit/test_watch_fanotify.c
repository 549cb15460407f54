/* Marks of fanotify on a file system where others write all the time: they do not wake the agent for each
 * file, and what is watched is heard of all the same. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/watch_source.h"
#include "lib/base/time.h"
#include "tests/unit/unit.h"

enum { AGENTS = 6 };
static struct hf_agent agents[AGENTS], *agent; /* and all they have, until the process ends */
static struct hf_watch_index watched;
static char heard[PATH_MAX];
static bool held;  /* timers do not fire */
static bool asked; /* one was set meanwhile */

static void on_wanted(void *data, const struct hf_watch_thing *t)
{
	*(bool *)data = true;
}

bool hf_watch_wants(const struct hf_watch *w, const char *path)
{
	bool wanted = false;
	return hf_watch_index_find(&watched, path, on_wanted, &wanted) || wanted;
}

void hf_watch_event(struct hf_watch *w, const char *path, const char *actor)
{
	snprintf(heard, sizeof(heard), "%s", path);
}

void hf_watch_lost(struct hf_watch *w, const char *why)
{
	fail_msg("lost: %s", why);
}

/* As the supervisor has them. */
sd_event_source *hf_timer_new(sd_event *loop, bool exact, sd_event_time_handler_t handler, void *data)
{
	sd_event_source *s = NULL;
	assert_true(sd_event_add_time(loop, &s, CLOCK_MONOTONIC, 0, 1, handler, data) >= 0);
	assert_true(sd_event_source_set_enabled(s, SD_EVENT_OFF) >= 0);
	return s;
}

void hf_timer_set(sd_event_source *timer, uint64_t in_ms)
{
	asked = true;
	if (held)
		return;
	assert_true(sd_event_source_set_time_relative(timer, in_ms * 1000) >= 0);
	assert_true(sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT) >= 0);
}

void hf_timer_stop(sd_event_source *timer)
{
	assert_true(sd_event_source_set_enabled(timer, SD_EVENT_OFF) >= 0);
}

static void write_file(const char *folder, const char *name)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
}

/* Somebody else who writes a file every two milliseconds; name: this one, too, after so many. */
static pid_t writer_start(const char *folder, const char *name, unsigned after)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
	for (unsigned i = 0;; i++) {
		char noise[32];
		snprintf(noise, sizeof(noise), "noise%u", i % 50);
		write_file(folder, noise);
		if (name != NULL && i == after)
			write_file(folder, name);
		usleep(2000);
	}
}

static void folder_remove(const char *folder)
{
	char path[128];
	for (unsigned i = 0; i < 50; i++) {
		snprintf(path, sizeof(path), "%s/noise%u", folder, i);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/watched", folder);
	unlink(path);
	rmdir(folder);
}

/* ret_path: of what is watched in the folder. */
static void watch_start(char folder[], bool there, char ret_path[128])
{
	struct hf_map left;
	const char *why = NULL;
	assert_true(agent != &agents[AGENTS - 1]);
	agent = agent == NULL ? agents : agent + 1;
	agent->arena = hf_arena_new();
	held = asked = false;
	heard[0] = '\0';
	assert_non_null(mkdtemp(folder));
	snprintf(ret_path, 128, "%s/watched", folder);
	if (there)
		write_file(folder, "watched");
	assert_true(sd_event_new(&agent->loop) >= 0);
	struct hf_fanotify *f = hf_fanotify_new(agent, NULL, &why);
	if (f == NULL) {
		print_message("fanotify is not to be had here: %s\n", why);
		skip();
	}
	hf_watch_index_init(&watched);
	hf_watch_index_path(
		&watched, hf_watch_index_thing(&watched, HF_THING_PATH, ret_path), ret_path, false);
	hf_map_init_str(&left, agent->arena);
	hf_fanotify_set(f, &watched, &left);
	assert_int_equal(left.live, 0);
}

static void strangers_wake_it_now_and_then(void **state)
{
	char folder[] = "/tmp/hf-strangers-XXXXXX", path[128];
	watch_start(folder, false, path);
	pid_t writer = writer_start(folder, "watched", 500);
	uint64_t start = hf_time_monotonic_ms(), end = start + 300000;
	unsigned woken = 0;
	while (heard[0] == '\0' && hf_time_monotonic_ms() < end)
		woken += sd_event_run(agent->loop, 1000000) > 0;
	uint64_t seconds = (hf_time_monotonic_ms() - start) / 1000 + 1;
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	assert_string_equal(heard, path);
	if (woken > 15 + 25 * seconds)
		fail_msg("woken %u times in %llu s", woken, (unsigned long long)seconds);
	hf_watch_index_done(&watched);
	folder_remove(folder);
}

enum own { OWN_WRITTEN, OWN_MODE, OWN_REMOVED, OWN_RENAMED_OVER, OWN_MOVED };

/* By somebody else: what we do ourselves is nobody's drift. */
static void change(const char *folder, const char *path, enum own how)
{
	char other[128];
	pid_t pid = fork();
	if (pid == 0) {
		snprintf(other, sizeof(other), "%s/noise0", folder);
		if (how == OWN_WRITTEN)
			write_file(folder, "watched");
		else if (how == OWN_RENAMED_OVER)
			write_file(folder, "noise0");
		_exit(how == OWN_MODE             ? chmod(path, 0600)
			: how == OWN_REMOVED      ? unlink(path)
			: how == OWN_RENAMED_OVER ? rename(other, path)
			: how == OWN_MOVED        ? rename(path, other)
						  : 0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* While strangers' events are left to gather, for ever here, what happens to the watched file itself is
 * heard. */
static void own_changes_do_not_wait(void **state)
{
	for (enum own how = OWN_WRITTEN; how <= OWN_MOVED; how++) {
		char folder[] = "/tmp/hf-own-XXXXXX", path[128];
		watch_start(folder, true, path);
		held = true;
		pid_t writer = writer_start(folder, NULL, 0);
		uint64_t end = hf_time_monotonic_ms() + 60000;
		while (!asked && hf_time_monotonic_ms() < end)
			assert_true(sd_event_run(agent->loop, 1000000) >= 0);
		assert_true(asked);
		kill(writer, SIGKILL);
		waitpid(writer, NULL, 0);
		assert_int_equal(heard[0], '\0');
		change(folder, path, how);
		while (heard[0] == '\0' && hf_time_monotonic_ms() < end)
			assert_true(sd_event_run(agent->loop, 1000000) >= 0);
		if (strcmp(heard, path) != 0)
			fail_msg("change %d: heard \"%s\"", (int)how, heard);
		hf_watch_index_done(&watched);
		folder_remove(folder);
	}
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD(&tests, strangers_wake_it_now_and_then);
	UNIT_ADD(&tests, own_changes_do_not_wait);
	return unit_run(&tests);
}
