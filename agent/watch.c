#include "agent/watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "agent/watch_source.h"
#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/time.h"

enum { RENEW_MS = 20, POLL_MS = 30000, SYSCTL_MAX = 4096 };

const char *const hf_thing_names[] = { "path", "tree", "unit", "packages", "users", "mounts", "sysctl",
	"poll", NULL };

/* Files that stand for a thing that is no path. */
static const char *const packages_files[] = { "/var/lib/dpkg/status", "/var/lib/rpm/rpmdb.sqlite",
	"/var/lib/rpm/Packages", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/apt/extended_states", NULL };
static const char *const users_files[] = { "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", NULL };
static const char *const mounts_files[] = { "/etc/fstab", NULL };
static const char *const *const files[HF_THINGS] = {
	[HF_THING_PACKAGES] = packages_files, [HF_THING_USERS] = users_files, [HF_THING_MOUNTS] = mounts_files
};
static const char *const unit_dirs[] = { "/etc/systemd/system", "/run/systemd/system",
	"/usr/local/lib/systemd/system" };

/* What nothing tells about: looked at every POLL_MS, or every so many seconds as the module asks. */
struct polled {
	struct hf_watch_thing *thing;
	uint64_t every_ms, due_ms;
	struct hf_digest value;
};

struct hf_watch {
	struct hf_agent *agent;
	const struct hf_watch_sink *sink;
	struct hf_fanotify *fanotify; /* NULL: inotify only */
	struct hf_inotify *inotify;
	struct hf_bus_watch *bus;
	struct hf_watch_index index, next;
	sd_event_source *renew, *poll, *mounts;
	int mounts_fd;
	HF_VEC(struct polled) polled;
	bool building;
	bool inotify_used; /* for all, or for file systems that fanotify cannot mark */
};

/* --- events --- */

struct hit {
	struct hf_watch *w;
	const char *actor;
};

static void on_hit(void *data, const struct hf_watch_thing *t)
{
	struct hit *h = data;
	h->w->sink->touched(h->w->agent->drift, t->kind, t->name, h->actor);
}

/* Marks and handles are those of a file or folder, not of its name: what took the name is watched from here
 * on, by the source that its file system has. */
static bool name_again(struct hf_watch *w, const char *path)
{
	const struct hf_watch_node *n = hf_map_get(&w->index.nodes, path);
	if (n == NULL || n->things.n == 0)
		return true;
	bool room = w->fanotify == NULL || hf_fanotify_again(w->fanotify, path);
	return hf_inotify_again(w->inotify, path) && room;
}

void hf_watch_event(struct hf_watch *w, const char *path, const char *actor)
{
	struct hit h = { w, actor };
	if (w->index.arena == NULL)
		return;
	bool parent = hf_watch_index_find(&w->index, path, on_hit, &h);
	if (!name_again(w, path) || parent)
		hf_timer_set(w->renew, RENEW_MS);
}

static void on_wanted(void *data, const struct hf_watch_thing *t)
{
	*(bool *)data = true;
}

bool hf_watch_wants(const struct hf_watch *w, const char *path)
{
	bool wanted = false;
	bool parent = w->index.arena != NULL && hf_watch_index_find(&w->index, path, on_wanted, &wanted);
	return wanted || parent;
}

void hf_watch_lost(struct hf_watch *w, const char *why)
{
	w->sink->lost(w->agent->drift, why);
}

void hf_watch_unit_event(struct hf_watch *w, const char *unit)
{
	w->sink->touched(w->agent->drift, HF_THING_UNIT, unit, NULL);
}

static int on_mounts(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct hf_watch *w = data;
	char block[4096];
	(void)lseek(fd, 0, SEEK_SET); /* reading it through re-arms the notification */
	while (read(fd, block, sizeof(block)) > 0) {
	}
	w->sink->touched(w->agent->drift, HF_THING_MOUNTS, NULL, NULL);
	hf_timer_set(w->renew, RENEW_MS); /* other file systems may now lie under watched paths */
	w->sink->sweep(w->agent->drift, false);
	return 0;
}

/* --- polling --- */

static bool polled_changed(struct polled *p)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str text = { 0 };
	if (p->thing->kind != HF_THING_SYSCTL)
		return true;
	char *path = hf_sprintf(a, "/proc/sys/%s", p->thing->name);
	for (char *c = path + strlen("/proc/sys/"); *c != '\0'; c++)
		*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	if (hf_fs_read(a, path, SYSCTL_MAX, &text, NULL) < 0)
		text = HF_STR("unreadable");
	struct hf_digest now = hf_sha256(text);
	bool changed = p->due_ms != 0 && !hf_digest_equal(&now, &p->value);
	p->value = now;
	return changed;
}

static void poll_arm(struct hf_watch *w)
{
	uint64_t now = hf_time_monotonic_ms(), first = UINT64_MAX;
	for (size_t i = 0; i < w->polled.n; i++)
		if (w->polled.at[i].due_ms < first)
			first = w->polled.at[i].due_ms;
	if (w->polled.n == 0)
		hf_timer_stop(w->poll);
	else
		hf_timer_set(w->poll, first > now ? first - now : 0);
}

static int on_poll(sd_event_source *source, uint64_t unused, void *data)
{
	struct hf_watch *w = data;
	uint64_t now = hf_time_monotonic_ms();
	for (size_t i = 0; i < w->polled.n; i++) {
		struct polled *p = &w->polled.at[i];
		if (p->due_ms > now)
			continue;
		if (polled_changed(p))
			w->sink->touched(w->agent->drift, p->thing->kind, p->thing->name, NULL);
		p->due_ms = now + p->every_ms;
	}
	poll_arm(w);
	return 0;
}

/* What was polled before the set was taken anew, by "kind name": a value that changed in between is not the
 * one to compare with. */
static struct hf_map polled_keep(const struct hf_watch *w, struct hf_arena *a)
{
	struct hf_map before;
	hf_map_init_str(&before, a);
	for (size_t i = 0; i < w->polled.n; i++) {
		const struct polled *p = &w->polled.at[i];
		struct polled *kept = hf_new(a, struct polled);
		*kept = *p;
		hf_map_set(&before, hf_sprintf(a, "%d %s", (int)p->thing->kind, p->thing->name), kept);
	}
	return before;
}

static void polled_set(struct hf_watch *w, const struct hf_map *before)
{
	hf_auto_arena a = hf_arena_new();
	uint64_t now = hf_time_monotonic_ms();
	memset(&w->polled, 0, sizeof(w->polled));
	for (size_t i = 0; i < w->index.things.n; i++) {
		struct hf_watch_thing *t = w->index.things.at[i];
		int64_t seconds = 0;
		if (t->kind != HF_THING_SYSCTL && t->kind != HF_THING_POLL)
			continue;
		struct polled p = { .thing = t, .every_ms = POLL_MS };
		if (t->kind == HF_THING_POLL && hf_str_to_int64(hf_str(t->name), &seconds) && seconds > 0)
			p.every_ms = (uint64_t)seconds * 1000;
		if (w->agent->config.look_s > 0)
			p.every_ms = (uint64_t)w->agent->config.look_s * 1000;
		const struct polled *known =
			hf_map_get(before, hf_sprintf(a, "%d %s", (int)t->kind, t->name));
		if (known == NULL)
			(void)polled_changed(&p); /* the value to compare with */
		else
			p.value = known->value;
		p.due_ms = known == NULL ? now + p.every_ms : known->due_ms;
		*hf_vec_push(w->index.arena, &w->polled) = p;
	}
	poll_arm(w);
}

/* --- the set --- */

void hf_watch_begin(struct hf_watch *w)
{
	hf_watch_index_init(&w->next);
}

/* Links that enable it, and the places where most links are made. */
static void unit_links(struct hf_watch *w, struct hf_watch_thing *t, const char *unit)
{
	static const char *const usual[] = { "multi-user.target.wants", "timers.target.wants",
		"sockets.target.wants", "graphical.target.wants" };
	struct hf_arena *a = w->next.building;
	for (size_t i = 0; i < HF_COUNT(usual); i++)
		hf_watch_index_path(
			&w->next, t, hf_sprintf(a, "%s/%s/%s", unit_dirs[0], usual[i], unit), false);
	hf_auto_dir dir = opendir(unit_dirs[0]);
	struct dirent *e;
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		const char *dot = strrchr(e->d_name, '.');
		const char *path = hf_sprintf(a, "%s/%s/%s", unit_dirs[0], e->d_name, unit);
		struct stat st;
		if (dot != NULL && (strcmp(dot, ".wants") == 0 || strcmp(dot, ".requires") == 0) &&
			lstat(path, &st) == 0)
			hf_watch_index_path(&w->next, t, path, false);
	}
}

static void unit_paths(struct hf_watch *w, struct hf_watch_thing *t, const char *unit)
{
	struct hf_arena *a = w->next.building;
	unit_links(w, t, unit);
	for (size_t i = 0; i < HF_COUNT(unit_dirs); i++) {
		hf_watch_index_path(&w->next, t, hf_sprintf(a, "%s/%s", unit_dirs[i], unit), false);
		hf_watch_index_path(&w->next, t, hf_sprintf(a, "%s/%s.d", unit_dirs[i], unit), true);
	}
}

void hf_watch_add(struct hf_watch *w, enum hf_thing kind, const char *name)
{
	struct hf_watch_thing *t = hf_watch_index_thing(&w->next, kind, name);
	if (t == NULL)
		return;
	if (kind == HF_THING_PATH || kind == HF_THING_TREE)
		hf_watch_index_path(&w->next, t, name, kind == HF_THING_TREE);
	else if (kind == HF_THING_UNIT)
		unit_paths(w, t, name);
	for (size_t i = 0; files[kind] != NULL && files[kind][i] != NULL; i++)
		hf_watch_index_path(&w->next, t, files[kind][i], false);
}

void hf_watch_commit(struct hf_watch *w)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_map left, polled = polled_keep(w, a);
	hf_timer_stop(w->renew);
	hf_watch_index_done(&w->index);
	hf_watch_index_built(&w->next);
	w->index = w->next;
	w->next = (struct hf_watch_index){ 0 };
	hf_map_init_str(&left, a);
	if (w->fanotify != NULL)
		hf_fanotify_set(w->fanotify, &w->index, &left);
	w->inotify_used = w->fanotify == NULL || left.live > 0;
	hf_inotify_set(w->inotify, w->fanotify != NULL ? &left : &w->index.dirs, &w->index);
	hf_bus_watch_set(w->bus, &w->index);
	polled_set(w, &polled);
}

/* The same things again: a parent was renamed, made or removed, so handles and marks point elsewhere now.
 * Whatever happened in between is found by looking. */
static int on_renew(sd_event_source *source, uint64_t now, void *data)
{
	struct hf_watch *w = data;
	hf_watch_begin(w);
	for (size_t i = 0; i < w->index.things.n; i++)
		hf_watch_add(w, w->index.things.at[i]->kind, w->index.things.at[i]->name);
	hf_watch_commit(w);
	w->sink->sweep(w->agent->drift, false);
	return 0;
}

int hf_watch_new(
	struct hf_agent *agent, const struct hf_watch_sink *sink, struct hf_watch **ret, struct hf_error *err)
{
	struct hf_watch *w = hf_new(agent->arena, struct hf_watch);
	const char *why = NULL;
	*w = (struct hf_watch){ .agent = agent, .sink = sink, .mounts_fd = -1 };
	if (agent->config.inotify)
		why = "the configuration asks for inotify";
	else
		w->fanotify = hf_fanotify_new(agent, w, &why);
	if (w->fanotify == NULL)
		hf_log(HF_LOG_NOTICE, "no fanotify (%s): inotify is used, and who did it stays unknown", why);
	w->bus = hf_bus_watch_new(agent, w);
	w->renew = hf_timer_new(agent->loop, true, on_renew, w);
	w->poll = hf_timer_new(agent->loop, false, on_poll, w);
	w->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (w->mounts_fd < 0 ||
		sd_event_add_io(agent->loop, &w->mounts, w->mounts_fd, EPOLLPRI, on_mounts, w) < 0)
		return hf_fail_errno(err, HF_E_IO, "watch the mounts");
	*ret = w;
	return hf_inotify_new(agent, w, &w->inotify, err);
}
