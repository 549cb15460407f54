#include "cli/progress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/time.h"

enum { SILENCE_MS = 2000, TICK_MS = 250, LINE_MAX_BYTES = 120 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool running, over, shown;
	char text[64];                         /* empty: nothing is at work */
	uint64_t since_ms, silent_ms, seconds; /* seconds: as shown */
} line = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void line_write(const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, text, n);
		if (done < 0 && errno != EINTR)
			return; /* the terminal is gone, and with it who would read */
		if (done > 0) {
			text += done;
			n -= (size_t)done;
		}
	}
}

static void line_erase(void)
{
	if (line.shown)
		line_write("\r\033[K", 4);
	line.shown = false;
}

/* A run in the background leaves the terminal to who is in front of it. */
static bool line_is_ours(void)
{
	return tcgetpgrp(STDOUT_FILENO) == getpgrp();
}

static void line_draw(uint64_t now)
{
	char out[LINE_MAX_BYTES];
	unsigned long long seconds = (now - line.since_ms) / 1000;
	if (line.shown && seconds == line.seconds)
		return;
	int n = seconds < 60 ? snprintf(out, sizeof(out), "\r\033[K%s … %llu s", line.text, seconds)
			     : snprintf(out, sizeof(out), "\r\033[K%s … %llu min %llu s", line.text,
				       seconds / 60, seconds % 60);
	if (n <= 0 || (size_t)n >= sizeof(out) || !line_is_ours())
		return;
	line_write(out, (size_t)n);
	line.shown = true;
	line.seconds = seconds;
}

static void *line_thread(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&line.lock);
	while (!line.over) {
		struct timespec until;
		uint64_t now = hf_time_monotonic_ms();
		if (line.text[0] != '\0' && now - line.silent_ms >= SILENCE_MS)
			line_draw(now);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&line.wake, &line.lock, &until);
	}
	pthread_mutex_unlock(&line.lock);
	return NULL;
}

/* A child must not inherit the lock from a thread that it has not. */
static void line_take(void)
{
	pthread_mutex_lock(&line.lock);
}

static void line_give(void)
{
	pthread_mutex_unlock(&line.lock);
}

bool progress_possible(void)
{
	const char *term = getenv("TERM");
	return isatty(STDOUT_FILENO) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

void progress_start(void)
{
	pthread_condattr_t monotonic;
	sigset_t all, before;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&line.wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	/* Signals are for the run's own thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	line.running = pthread_atfork(line_take, line_give, line_give) == 0 &&
		       pthread_create(&line.thread, NULL, line_thread, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void progress_show(const char *text)
{
	if (!line.running)
		return;
	snprintf(line.text, sizeof(line.text), "%s", text);
	line.since_ms = line.silent_ms = hf_time_monotonic_ms();
}

void progress_lock(void)
{
	if (!line.running)
		return;
	line_take();
	line_erase();
}

void progress_unlock(void)
{
	if (!line.running)
		return;
	line.silent_ms = hf_time_monotonic_ms();
	line_give();
}

void progress_hide(void)
{
	progress_lock();
	line.text[0] = '\0';
	progress_unlock();
}

void progress_stop(void)
{
	if (!line.running)
		return;
	progress_hide();
	line_take();
	line.over = true;
	pthread_cond_signal(&line.wake);
	line_give();
	pthread_join(line.thread, NULL);
	line.running = false;
}
