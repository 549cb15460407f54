/* async and poll on this host: a job is a child that leaves its result in ~/.ansible_async, as Ansible's jobs
 * do. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/engine/become.h"

enum { JOB_MAX = 64 << 20 };

static const char *job_dir(struct hf_arena *a)
{
	const char *home = getenv("HOME");
	return hf_sprintf(a, "%s/.ansible_async", home == NULL ? "/root" : home);
}

static int write_job(const char *path, const struct hf_value *v, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(JOB_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	int r = hf_json_write(&out, v, &style, err);
	struct hf_fs_attr attr = HF_FS_KEEP;
	attr.mode = 0600;
	attr.sync = false;
	return r < 0 ? r : hf_fs_replace(path, hf_buf_str(&out), attr, err);
}

static void put(struct hf_task *t, struct hf_value *d, const char *key, int64_t n)
{
	hf_dict_put(d, key, hf_value_int(t->arena, n));
}

/* The job itself, two processes away from the run so that nobody waits for it. */
static HF_NORETURN void job(
	struct hf_task *t, const struct hf_become *b, const char *path, const char *jid, int64_t limit_s)
{
	struct hf_error own;
	memset(&own, 0, sizeof(own));
	setsid();
	int r = hf_module_fork(t, b, (uint32_t)limit_s, &own);
	if (r < 0) {
		hf_dict_put(t->result, "failed", hf_value_bool(t->arena, true));
		hf_dict_put(t->result, "msg", hf_value_cstr(t->arena, own.text));
	}
	put(t, t->result, "started", 1);
	put(t, t->result, "finished", 1);
	hf_dict_put(t->result, "ansible_job_id", hf_value_cstr(t->arena, jid));
	_exit(write_job(path, t->result, &own) < 0);
}

static int wait_for(
	struct hf_task *t, const char *path, int64_t limit_s, int64_t poll_s, struct hf_error *err)
{
	uint64_t end = hf_time_monotonic_ms() + (uint64_t)limit_s * 1000;
	while (hf_time_monotonic_ms() < end) {
		struct hf_str text;
		struct hf_value *v = NULL;
		int r = hf_fs_read(t->arena, path, JOB_MAX, &text, err);
		if (r == 0)
			r = hf_json_parse(t->arena, text, path, &v, err);
		if (r == 0 && hf_dict_int(v, "finished", 0) == 1) {
			t->result = v;
			unlink(path);
			return 0;
		}
		/* A job that is quick need not wait for a whole interval. */
		uint64_t wait_ms = (uint64_t)poll_s * 1000 < 200 ? (uint64_t)poll_s * 1000 : 200;
		struct timespec pause = { .tv_nsec = (long)wait_ms * 1000000 };
		nanosleep(&pause, NULL);
	}
	return hf_fail(err, HF_E_TASK, "async task did not complete within the requested time - %llds",
		(long long)limit_s);
}

int hf_module_async(
	struct hf_task *t, const struct hf_become *b, int64_t limit_s, int64_t poll_s, struct hf_error *err)
{
	const char *dir = job_dir(t->arena);
	int r = hf_fs_mkdirs(dir, 0700, err);
	if (r < 0)
		return r;
	const char *jid = hf_sprintf(t->arena, "j%llu.%d",
		(unsigned long long)hf_time_now_ms() % 1000000000000ULL, (int)getpid() + (int)++t->run->jobs);
	const char *path = hf_sprintf(t->arena, "%s/%s", dir, jid);
	struct hf_value *started = hf_value_dict(t->arena);
	put(t, started, "started", 1);
	put(t, started, "finished", 0);
	hf_dict_put(started, "ansible_job_id", hf_value_cstr(t->arena, jid));
	r = write_job(path, started, err);
	if (r < 0)
		return r;
	pid_t pid = fork();
	if (pid < 0)
		return hf_fail_errno(err, HF_E_IO, "fork");
	if (pid == 0) {
		if (fork() == 0)
			job(t, b, path, jid, limit_s);
		_exit(0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
	}
	if (poll_s > 0)
		return wait_for(t, path, limit_s, poll_s, err);
	hf_dict_put(started, "results_file", hf_value_cstr(t->arena, path));
	hf_dict_put(started, "changed", hf_value_bool(t->arena, true));
	t->result = started;
	return 0;
}
