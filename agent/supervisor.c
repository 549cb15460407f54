#include "agent/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/broker.h"
#include "agent/cloud.h"
#include "agent/ctl.h"
#include "agent/drift.h"
#include "agent/identity.h"
#include "agent/memory.h"
#include "agent/notice.h"
#include "agent/plan.h"
#include "agent/prune.h"
#include "agent/pull.h"
#include "agent/report.h"
#include "agent/timeline.h"
#include "agent/watch.h"
#include "agent/work.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

enum { LOCK_TRIES = 100, LOCK_AGAIN_US = 50000 };
enum {
	HOUSEKEEPING_MS = 60000,
	REST_MS = 5000,
	PRUNE_ROUNDS = 60,
	ARENAS_MAX = 1,
	TRIM_THRESHOLD = 64 << 10
};

static int dirs_make(struct hf_agent *agent, struct hf_error *err)
{
	static const char *const names[] = { "", "/objects", "/releases", "/runs", "/blobs", "/reports" };
	hf_auto_arena a = hf_arena_new();
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		int result =
			hf_fs_mkdirs(hf_sprintf(a, "%s%s", agent->config.state_dir, names[i]), 0700, err);
		if (result < 0)
			return result;
	}
	if (chmod(agent->config.state_dir, 0700) < 0) /* results and pre-images may hold secrets */
		return hf_fail_errno(err, HF_E_IO, "chmod %s", agent->config.state_dir);
	int result = hf_fs_mkdirs(agent->config.run_dir, 0755, err);
	return result < 0 ? result
			  : hf_fs_mkdirs(hf_sprintf(a, "%s/ready.d", agent->config.run_dir), 0755, err);
}

/* One agent a state folder; the lock goes with the process, and with the children of one that was killed:
 * those are about to end. */
static int lock_take(struct hf_agent *agent, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	const char *path = hf_sprintf(a, "%s/lock", agent->config.state_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	int tries = 0;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0 && tries++ < LOCK_TRIES)
		usleep(LOCK_AGAIN_US);
	if (tries > LOCK_TRIES)
		return hf_fail(err, HF_E_BUSY, "another agent works in %s", agent->config.state_dir);
	return 0;
}

static int memory_load(struct hf_agent *agent, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	const char *target = NULL, *installed = NULL, *rest = NULL, *message = NULL, *until = NULL,
		   *reason = NULL;
	struct hf_state *s = agent->state;
	int result;
	if ((result = hf_state_get(s, a, "target", &target, err)) < 0 ||
		(result = hf_state_get(s, a, "installed", &installed, err)) < 0 ||
		(result = hf_state_get(s, a, "rest", &rest, err)) < 0 ||
		(result = hf_state_get(s, a, "rest.message", &message, err)) < 0 ||
		(result = hf_state_get(s, a, "pause.until", &until, err)) < 0 ||
		(result = hf_state_get(s, a, "pause.reason", &reason, err)) < 0)
		return result;
	if (target != NULL && (result = hf_target_parse(target, &agent->target, err)) < 0)
		return result;
	if (installed != NULL && (result = hf_target_parse(installed, &agent->installed, err)) < 0)
		return result;
	for (int i = 0; rest != NULL && hf_host_state_names[i] != NULL; i++)
		if (strcmp(rest, hf_host_state_names[i]) == 0)
			agent->rest = (enum hf_host_state)i;
	agent->rest_arena = hf_arena_new();
	agent->rest_message = hf_strdup(agent->rest_arena, message);
	if (until != NULL)
		(void)hf_str_to_int64(hf_str(until), &agent->paused_until);
	agent->pause_reason = hf_strdup(agent->arena, reason);
	return 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *data)
{
	struct hf_agent *agent = data;
	if (info->ssi_signo == SIGHUP) {
		if (agent->broker != NULL)
			hf_broker_renew(agent->broker);
		hf_pull_now(agent->pull);
		return 0;
	}
	hf_log(HF_LOG_NOTICE, "stopping");
	sd_notify(0, "STOPPING=1");
	sd_event_exit(agent->loop, 0);
	return 0;
}

static int loop_make(struct hf_agent *agent, struct hf_error *err)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < HF_COUNT(signals); i++)
		sigaddset(&set, signals[i]);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	int r = sd_event_default(&agent->loop);
	for (size_t i = 0; i < HF_COUNT(signals) && r >= 0; i++)
		r = sd_event_add_signal(agent->loop, NULL, signals[i], on_signal, agent);
	if (r >= 0)
		r = sd_event_set_watchdog(agent->loop, true);
	errno = -r;
	return r < 0 ? hf_fail_errno(err, HF_E_IO, "event loop") : 0;
}

static void housekeeping_prune(struct hf_agent *agent)
{
	struct hf_error err = { 0 };
	/* Never while a poll, a run or a look is under way: their files are no row yet. */
	if (agent->rounds++ % PRUNE_ROUNDS != 0 || hf_work_busy(agent->work) || hf_drift_busy(agent->drift) ||
		hf_pull_busy(agent->pull))
		return;
	if (hf_prune(agent, &err) < 0)
		hf_log(HF_LOG_WARNING, "old files were not removed: %s", err.text);
}

/* An upgrade that a run of ours made replaced our program: it is started when nothing is under way, and goes
 * on from the state we leave. */
static void housekeeping_upgrade(struct hf_agent *agent)
{
	static const char deleted[] = " (deleted)";
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (getenv("INVOCATION_ID") == NULL)
		return; /* nobody would start us again */
	if (n < (ssize_t)sizeof(deleted) ||
		memcmp(path + n - (sizeof(deleted) - 1), deleted, sizeof(deleted) - 1) != 0)
		return;
	path[n - (ssize_t)(sizeof(deleted) - 1)] = '\0';
	if (access(path, X_OK) != 0 || hf_work_busy(agent->work) || hf_drift_busy(agent->drift) ||
		hf_pull_busy(agent->pull) || hf_cloud_busy(agent->cloud))
		return;
	hf_log(HF_LOG_NOTICE, "a newer program is installed: it is started");
	sd_notify(0, "STOPPING=1");
	sd_event_exit(agent->loop, 0);
}

static int on_housekeeping(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_agent *agent = data;
	if (agent->broker != NULL)
		hf_broker_renew(agent->broker);
	if (agent->paused_until != 0 && agent->paused_until <= hf_time_now()) {
		agent->paused_until = 0;
		hf_log(HF_LOG_NOTICE, "the pause is over");
		hf_drift_resume(agent->drift);
	}
	hf_drift_window(agent->drift);
	housekeeping_prune(agent);
	housekeeping_upgrade(agent);
	hf_work_next(agent->work);
	hf_report_state(agent);
	hf_timer_set(source, HOUSEKEEPING_MS);
	return 0;
}

/* --- memory is given back soon after something was done, not once a while --- */

struct rest {
	struct hf_agent *agent;
	sd_event_source *timer;
	bool waiting; /* the timer is set */
	bool own;     /* what was dispatched last was the timer itself */
};

static int on_rest(sd_event_source *source, uint64_t now, void *data)
{
	struct rest *r = data;
	struct hf_agent *agent = r->agent;
	r->own = true;
	r->waiting = hf_work_busy(agent->work) || hf_pull_busy(agent->pull);
	if (r->waiting) {
		hf_timer_set(source, REST_MS);
		return 0;
	}
	hf_state_relax(agent->state);
	hf_memory_relax();
	return 0;
}

/* After whatever else the loop has done. */
static int on_anything(sd_event_source *source, void *data)
{
	struct rest *r = data;
	if (!r->own && !r->waiting)
		hf_timer_set(r->timer, REST_MS);
	r->waiting = r->waiting || !r->own;
	r->own = false;
	return 0;
}

static int rest_start(struct hf_agent *agent, struct hf_error *err)
{
	struct rest *r = hf_new(agent->arena, struct rest);
	r->agent = agent;
	r->timer = hf_timer_new(agent->loop, false, on_rest, r);
	int result = sd_event_add_post(agent->loop, NULL, on_anything, r);
	errno = -result;
	return result < 0 ? hf_fail_errno(err, HF_E_IO, "event loop") : 0;
}

/* --- what the parts ask of those above them --- */

static void wake(struct hf_agent *agent)
{
	hf_work_next(agent->work);
}

static bool running(const struct hf_agent *agent)
{
	return hf_work_busy(agent->work);
}

static void facts(const struct hf_agent *agent, struct hf_facts *ret)
{
	*ret = (struct hf_facts){ .worker = hf_work_pid(agent->work),
		.stale = hf_pull_stale(agent->pull),
		.store_trouble = hf_pull_trouble(agent->pull),
		.polled = hf_pull_last(agent->pull),
		.connected = hf_broker_connected(agent->broker) };
	ret->at_work = hf_work_state(agent->work, &ret->doing);
	if (agent->broker != NULL) {
		ret->broker_trouble = hf_broker_trouble(agent->broker);
		ret->broker = hf_broker_pid(agent->broker);
	}
}

static struct hf_value *elsewhere(const struct hf_agent *agent, struct hf_arena *a)
{
	return hf_cloud_status(agent->cloud, a);
}

static void reported(struct hf_agent *agent, struct hf_arena *a, int64_t run, struct hf_value *body)
{
	hf_cloud_run(agent->cloud, a, run, body);
}

static const struct hf_above above = { wake, running, facts, elsewhere, reported };
static const struct hf_watch_sink sink = { hf_drift_touched, hf_drift_lost, hf_drift_sweep };

static int state_start(struct hf_agent *agent, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	int result = hf_state_open(
		agent->arena, hf_sprintf(a, "%s/state.db", agent->config.state_dir), &agent->state, err);
	if (result == 0)
		result = hf_identity_settle(agent, err);
	return result < 0 ? result : memory_load(agent, err);
}

static int parts_start(struct hf_agent *agent, struct hf_error *err)
{
	struct hf_spool_limits limits = { agent->config.spool_bytes, agent->config.spool_keep };
	int result;
	if ((result = dirs_make(agent, err)) < 0 || (result = lock_take(agent, err)) < 0 ||
		(result = state_start(agent, err)) < 0 || (result = loop_make(agent, err)) < 0 ||
		(result = hf_spool_open(agent->arena, agent->state, agent->config.host, limits,
			 hf_broker_send, agent, &agent->spool, err)) < 0 ||
		(result = hf_pull_new(agent, &agent->pull, err)) < 0 ||
		(result = hf_plan_new(agent, hf_ctl_answer, &agent->plan, err)) < 0 ||
		(result = hf_work_new(agent, &agent->work, err)) < 0 ||
		(result = hf_watch_new(agent, &sink, &agent->watch, err)) < 0 ||
		(result = hf_drift_new(agent, &agent->drift, err)) < 0)
		return result;
	if (agent->config.mqtt.host != NULL && ((result = hf_broker_new(agent, &agent->broker, err)) < 0 ||
						       (result = hf_broker_start(agent->broker, err)) < 0))
		return result;
	if ((result = hf_notice_new(agent, &agent->notices, err)) < 0)
		return result;
	return hf_ctl_new(agent, &agent->ctl, err);
}

static int supervise(struct hf_agent *agent, struct hf_error *err)
{
	agent->above = &above;
	int result = parts_start(agent, err);
	if (result == 0)
		result = hf_cloud_new(agent, &agent->cloud, err);
	if (result == 0)
		result = rest_start(agent, err);
	if (result < 0)
		return result;
	hf_log(HF_LOG_NOTICE, "holdfastd %s: %s/%s/%s from %s", PACKAGE_VERSION, agent->config.environment,
		agent->config.fleet, agent->config.host, agent->config.store);
	hf_timer_set(hf_timer_new(agent->loop, false, on_housekeeping, agent), HOUSEKEEPING_MS);
	hf_timeline_start(agent);
	hf_work_recover(agent->work);
	hf_drift_start(agent->drift);
	hf_cloud_start(agent->cloud);
	hf_identity_tell(agent);
	hf_report_state(agent);
	hf_pull_now(agent->pull);
	hf_notice_start(agent->notices);
	malloc_trim(0);
	sd_notify(0, "READY=1");
	int r = sd_event_loop(agent->loop);
	hf_work_stop(agent->work);
	hf_pull_stop(agent->pull);
	hf_notice_stop(agent->notices);
	hf_cloud_stop(agent->cloud);
	hf_broker_stop(agent->broker);
	hf_state_close(agent->state);
	return r < 0 ? hf_fail(err, HF_E_IO, "event loop: %s", strerror(-r)) : 0;
}

int hf_supervisor_main(const char *config_path)
{
	mallopt(M_ARENA_MAX, ARENAS_MAX);
	mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD);
	mallopt(M_MMAP_THRESHOLD, TRIM_THRESHOLD);
	struct hf_agent agent = { .arena = hf_arena_new(), .started = hf_time_now(), .rest = HF_HOST_OK };
	struct hf_error err = { 0 };
	char text[HF_ERROR_TEXT_MAX];
	int result = hf_config_load(agent.arena, config_path, &agent.config, &err);
	if (result == 0) {
		hf_log_init("holdfastd", (enum hf_log_level)agent.config.log_level);
		agent.program = "/proc/self/exe";
		result = supervise(&agent, &err);
	}
	if (result < 0)
		hf_log(HF_LOG_ERROR, "%s", hf_error_print(&err, text, sizeof(text)));
	enum { CONFIGURATION_STATUS = 78 }; /* EX_CONFIG: the unit does not restart it */
	if (result == 0)
		return 0;
	return err.code == HF_E_ARGUMENT || err.code == HF_E_PARSE ? CONFIGURATION_STATUS : 1;
}
