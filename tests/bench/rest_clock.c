/* Preloaded, it lets a program rest HF_REST_MS milliseconds whenever it reads the monotonic clock. What
 * ../shared/bench/floor.c times, it then times as somebody pays who looks now and then: caches hold what
 * others did meanwhile. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *t)
{
	const char *rest = getenv("HF_REST_MS");
	if (id == CLOCK_MONOTONIC && rest != NULL)
		usleep((useconds_t)strtol(rest, NULL, 10) * 1000);
	return (int)syscall(SYS_clock_gettime, id, t);
}
