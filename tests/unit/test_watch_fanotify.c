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

static struct hf_agent agent; /* and all it has, until the process ends */
static struct hf_watch_index watched;
static char heard[PATH_MAX];

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

static void strangers_wake_it_now_and_then(void **state)
{
	struct hf_map left;
	const char *why = NULL;
	char folder[] = "/tmp/hf-strangers-XXXXXX", path[128];
	agent.arena = hf_arena_new();
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/watched", folder);
	assert_true(sd_event_new(&agent.loop) >= 0);
	struct hf_fanotify *f = hf_fanotify_new(&agent, NULL, &why);
	if (f == NULL) {
		print_message("fanotify is not to be had here: %s\n", why);
		skip();
	}
	hf_watch_index_init(&watched);
	hf_watch_index_path(&watched, hf_watch_index_thing(&watched, HF_THING_PATH, path), path, false);
	hf_map_init_str(&left, agent.arena);
	hf_fanotify_set(f, &watched, &left);
	assert_int_equal(left.live, 0);
	pid_t writer = writer_start(folder, "watched", 500);
	uint64_t start = hf_time_monotonic_ms(), end = start + 30000;
	unsigned woken = 0;
	while (heard[0] == '\0' && hf_time_monotonic_ms() < end)
		woken += sd_event_run(agent.loop, 1000000) > 0;
	uint64_t seconds = (hf_time_monotonic_ms() - start) / 1000 + 1;
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	assert_string_equal(heard, path);
	if (woken > 15 + 25 * seconds)
		fail_msg("woken %u times in %llu s", woken, (unsigned long long)seconds);
	hf_watch_index_done(&watched);
	folder_remove(folder);
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD(&tests, strangers_wake_it_now_and_then);
	return unit_run(&tests);
}
