/* Marks of inotify over a change of the set: nothing that happened before, in between or after is missed, and
 * what is watched no more is not heard of. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/watch_source.h"
#include "tests/unit/unit.h"

static char heard[1 << 16]; /* " path path" */
static unsigned lost;

void hf_watch_event(struct hf_watch *w, const char *path, const char *actor)
{
	size_t n = strlen(heard);
	snprintf(heard + n, sizeof(heard) - n, " %s", path);
}

void hf_watch_lost(struct hf_watch *w, const char *why)
{
	lost++;
}

/* In place of the C library's: the kernel's bound is everybody's. */
static bool full;

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (!full)
		return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
	errno = ENOSPC;
	return -1;
}

struct scene {
	struct hf_agent agent;
	struct hf_inotify *inotify;
	struct hf_watch_index index;
	char folder[32];
};

static void begin(struct scene *s)
{
	struct hf_error err = { 0 };
	*s = (struct scene){ .agent.arena = hf_arena_new(), .folder = "/tmp/hf-marks-XXXXXX" };
	heard[0] = '\0';
	lost = 0;
	assert_non_null(mkdtemp(s->folder));
	assert_true(sd_event_new(&s->agent.loop) >= 0);
	assert_int_equal(hf_inotify_new(&s->agent, NULL, &s->inotify, &err), 0);
	hf_watch_index_init(&s->index);
}

static void end(struct scene *s)
{
	char command[64];
	hf_watch_index_done(&s->index);
	hf_inotify_done(s->inotify);
	sd_event_unref(s->agent.loop);
	hf_arena_free(s->agent.arena);
	snprintf(command, sizeof(command), "%s/a/one", s->folder);
	unlink(command);
	snprintf(command, sizeof(command), "%s/b/one", s->folder);
	unlink(command);
	snprintf(command, sizeof(command), "%s/a", s->folder);
	rmdir(command);
	snprintf(command, sizeof(command), "%s/b", s->folder);
	rmdir(command);
	rmdir(s->folder);
}

static const char *path_of(const struct scene *s, const char *name)
{
	static char path[128];
	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	return path;
}

static void folder_make(const struct scene *s, const char *name)
{
	assert_int_equal(mkdir(path_of(s, name), 0755), 0);
}

static void touch(const struct scene *s, const char *name)
{
	int fd = open(path_of(s, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	close(fd);
}

/* Watch these two, NULL: one; everything else no more. */
static void watch(struct scene *s, const char *one, const char *two)
{
	const char *const names[] = { one, two };
	hf_watch_index_done(&s->index);
	hf_watch_index_init(&s->index);
	for (size_t i = 0; i < HF_COUNT(names) && names[i] != NULL; i++) {
		struct hf_watch_thing *t = hf_watch_index_thing(&s->index, HF_THING_USERS, names[i]);
		hf_watch_index_path(&s->index, t, path_of(s, names[i]), false);
	}
	hf_inotify_set(s->inotify, &s->index.dirs, &s->index);
}

static bool told(struct scene *s, const char *name)
{
	while (sd_event_run(s->agent.loop, 0) > 0) {
	}
	bool found = strstr(heard, path_of(s, name)) != NULL;
	heard[0] = '\0';
	return found;
}

static void what_waits_is_told_after_the_set_was_taken_anew(void **state)
{
	struct scene s;
	begin(&s);
	folder_make(&s, "a");
	watch(&s, "a/one", NULL);
	touch(&s, "a/one");
	watch(&s, "a/one", NULL);
	assert_true(told(&s, "a/one"));
	touch(&s, "a/one");
	assert_true(told(&s, "a/one"));
	assert_int_equal(lost, 0);
	end(&s);
}

static void what_is_added_and_what_is_dropped(void **state)
{
	struct scene s;
	begin(&s);
	folder_make(&s, "a");
	folder_make(&s, "b");
	watch(&s, "a/one", NULL);
	touch(&s, "b/one");
	assert_false(told(&s, "b/one"));
	watch(&s, "a/one", "b/one");
	touch(&s, "b/one");
	assert_true(told(&s, "b/one"));
	watch(&s, "b/one", NULL);
	touch(&s, "a/one");
	assert_false(told(&s, "a/one"));
	touch(&s, "b/one");
	assert_true(told(&s, "b/one"));
	end(&s);
}

static void a_folder_that_was_replaced(void **state)
{
	struct scene s;
	begin(&s);
	folder_make(&s, "a");
	watch(&s, "a/one", NULL);
	char from[128];
	snprintf(from, sizeof(from), "%s", path_of(&s, "a"));
	assert_int_equal(rename(from, path_of(&s, "b")), 0);
	folder_make(&s, "a");
	watch(&s, "a/one", NULL);
	(void)told(&s, "a");
	touch(&s, "b/one");
	assert_false(told(&s, "a/one"));
	touch(&s, "a/one");
	assert_true(told(&s, "a/one"));
	end(&s);
}

/* What is written to a file by another name is told by the file's own mark. */
static void what_took_the_name_is_watched_by_any_name(void **state)
{
	struct scene s;
	char from[128], to[128];
	begin(&s);
	folder_make(&s, "a");
	folder_make(&s, "b");
	touch(&s, "a/one");
	watch(&s, "a/one", NULL);
	touch(&s, "a/new");
	snprintf(from, sizeof(from), "%s", path_of(&s, "a/new"));
	assert_int_equal(rename(from, path_of(&s, "a/one")), 0);
	assert_true(told(&s, "a/one"));
	assert_true(hf_inotify_again(s.inotify, path_of(&s, "a/one")));
	snprintf(from, sizeof(from), "%s", path_of(&s, "a/one"));
	snprintf(to, sizeof(to), "%s", path_of(&s, "b/one"));
	assert_int_equal(link(from, to), 0);
	touch(&s, "b/one");
	assert_true(told(&s, "a/one"));
	end(&s);
}

/* Its file system has another source: each event would be told twice. */
static void what_it_was_not_told_to_watch_is_left_alone(void **state)
{
	struct scene s;
	begin(&s);
	folder_make(&s, "a");
	folder_make(&s, "b");
	touch(&s, "b/one");
	watch(&s, "a/one", NULL);
	assert_true(hf_inotify_again(s.inotify, path_of(&s, "b/one")));
	touch(&s, "b/one");
	assert_false(told(&s, "b/one"));
	end(&s);
}

/* Told once, however often the set is taken anew; and told again when it comes again. */
static void a_bound_that_is_reached_is_told(void **state)
{
	struct scene s;
	begin(&s);
	folder_make(&s, "a");
	folder_make(&s, "b");
	watch(&s, "a/one", NULL);
	assert_int_equal(lost, 0);
	full = true;
	watch(&s, "a/one", "b/one");
	watch(&s, "a/one", "b/one");
	assert_int_equal(lost, 1);
	full = false;
	watch(&s, "a/one", "b/one");
	assert_int_equal(lost, 1);
	touch(&s, "b/one");
	assert_true(told(&s, "b/one"));
	full = true;
	watch(&s, "a/one", NULL);
	assert_int_equal(lost, 2);
	full = false;
	end(&s);
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD(&tests, a_bound_that_is_reached_is_told);
	UNIT_ADD(&tests, what_waits_is_told_after_the_set_was_taken_anew);
	UNIT_ADD(&tests, what_is_added_and_what_is_dropped);
	UNIT_ADD(&tests, a_folder_that_was_replaced);
	UNIT_ADD(&tests, what_took_the_name_is_watched_by_any_name);
	UNIT_ADD(&tests, what_it_was_not_told_to_watch_is_left_alone);
	return unit_run(&tests);
}
