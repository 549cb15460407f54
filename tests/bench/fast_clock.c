/* Preloaded, it makes a program's clocks run HF_CLOCK_SPEED times as fast from HF_CLOCK_FROM (a time of the
 * monotonic clock, in nanoseconds) on: what waits for a day is seen in minutes. Timers that the kernel keeps
 * are told the true time. Children get the same clock by their environment. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

static int64_t speed = 1, from, offset_real; /* the wall clock less the monotonic one, when it began */

static int64_t true_ns(clockid_t id)
{
	struct timespec t;
	syscall(SYS_clock_gettime, id, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

__attribute__((constructor)) static void begin(void)
{
	const char *a = getenv("HF_CLOCK_SPEED"), *b = getenv("HF_CLOCK_FROM");
	if (a == NULL || b == NULL)
		return;
	speed = strtoll(a, NULL, 10);
	from = strtoll(b, NULL, 10);
	offset_real = true_ns(CLOCK_REALTIME) - true_ns(CLOCK_MONOTONIC);
}

static int64_t fast(int64_t t)
{
	return from + (t - from) * speed;
}

static struct timespec spec(int64_t ns)
{
	return (struct timespec){ ns / SECOND, ns % SECOND };
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	if (id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID)
		*t = spec(true_ns(id));
	else
		*t = spec(fast(true_ns(CLOCK_MONOTONIC)) +
			  (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? offset_real : 0));
	return 0;
}

time_t time(time_t *t)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (t != NULL)
		*t = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *t, void *zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*t = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	struct itimerspec slow = *value;
	int64_t at = value->it_value.tv_sec * SECOND + value->it_value.tv_nsec;
	/* A time long past is still a time: 0 would stop the timer. */
	if (at > 0 && (flags & TFD_TIMER_ABSTIME) != 0) {
		int64_t since = at > from ? (at - from) / speed : 0;
		slow.it_value = spec(from + since);
	} else if (at > 0) {
		slow.it_value = spec(at / speed + 1);
	}
	return (int)syscall(SYS_timerfd_settime, fd, flags, &slow, old);
}
