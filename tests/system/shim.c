/* Preloaded into an agent by tests: its clock is off by as much as a shared file says, and it dies, as by
 * kill -9, instead of its n-th write to disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct numbers {
	int64_t clock, die_after, writes, unused;
};
static volatile struct numbers *shared;
static pid_t supervisor;

__attribute__((constructor)) static void shim_init(void)
{
	const char *path = getenv("HF_SHIM");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	void *at = mmap(NULL, sizeof(struct numbers), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	shared = at == MAP_FAILED ? NULL : at;
	supervisor = getpid();
}

static void count(void)
{
	if (shared == NULL || getpid() != supervisor || shared->die_after == 0)
		return;
	if (++shared->writes >= shared->die_after)
		kill(getpid(), SIGKILL);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	if (real == NULL)
		real = dlsym(RTLD_NEXT, "clock_gettime");
	int result = real(clock, t);
	if (result == 0 && clock == CLOCK_REALTIME && shared != NULL)
		t->tv_sec += shared->clock;
	return result;
}

time_t time(time_t *ret)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	if (ret != NULL)
		*ret = t.tv_sec;
	return t.tv_sec;
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);
	if (real == NULL)
		real = dlsym(RTLD_NEXT, "pwrite64");
	count();
	return real(fd, data, n, at);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
	return pwrite64(fd, data, n, at);
}

int fdatasync(int fd)
{
	static int (*real)(int);
	if (real == NULL)
		real = dlsym(RTLD_NEXT, "fdatasync");
	count();
	return real(fd);
}

int fsync(int fd)
{
	static int (*real)(int);
	if (real == NULL)
		real = dlsym(RTLD_NEXT, "fsync");
	count();
	return real(fd);
}
