#include "agent/watch_source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/time.h"

enum { READ_SIZE = 16 << 10, FILE_SYSTEMS_MAX = 64, ACTOR_MAX = 128, HANDLE_BYTES = 128, AGAIN_MAX = 1000 };

/* A mark on a file system tells of everybody's writes. What concerns nothing watched may wake us so often at
 * once and so often a second; beyond that events are left to gather for a while, which the kernel does
 * without losing any. What is made where nothing was is then seen that much later, and only while others
 * write all the time. */
enum { WAKES_AT_ONCE = 10, WAKES_A_SECOND = 5, GATHER_MS = 80 };
struct wakes {
	double left;
	uint64_t at_ms; /* when that was so */
};

/* What happens to a watched file itself wakes us at once all the same: its inode is marked in a group of its
 * own, whose events say nothing but that the others are to be read now. Not what happens in a folder: there
 * strangers write as well. Nor more often than strangers may: a file that is fought over can wait. */
#define OWN_MASK (FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_DELETE_SELF | FAN_MOVE_SELF | FAN_ONDIR)

/* Everything but MODIFY: a busy writer costs one event at its close (shared figures: 900 instead of 100,000).
 */
#define MASK                                                                                                 \
	(FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_CREATE | FAN_DELETE | FAN_MOVED_FROM | FAN_MOVED_TO |            \
		FAN_DELETE_SELF | FAN_MOVE_SELF | FAN_ONDIR)

/* A file handle as a map key. */
struct handle {
	uint32_t size;
	int32_t type;
	unsigned char bytes[HANDLE_BYTES];
};

struct hf_fanotify {
	struct hf_agent *agent;
	struct hf_watch *watch;
	int fd, own_fd; /* own_fd: -1 where there is none, all waits for the gathering then */
	sd_event_source *io, *own,
		*gather;    /* gather: reads instead of io, where strangers have woken us too often */
	unsigned concerned; /* events that were about something watched */
	struct wakes by_strangers, by_own;
	dev_t marked[FILE_SYSTEMS_MAX];
	int mount_fds[FILE_SYSTEMS_MAX]; /* a folder on it, for handles that must be resolved */
	size_t n_marked;
	struct hf_arena *arena;
	struct hf_map dirs;    /* handle → path of a folder */
	struct hf_map objects; /* handle → path of a watched file: writes through other names */
	bool trees;
	unsigned again; /* handles noted since the set was taken */
};

static uint32_t handle_hash(const void *key)
{
	const struct handle *h = key;
	return hf_hash_bytes(h->bytes, h->size);
}

static bool handle_equal(const void *a, const void *b)
{
	const struct handle *x = a, *y = b;
	return x->size == y->size && x->type == y->type && memcmp(x->bytes, y->bytes, x->size) == 0;
}

static const struct hf_map_kind handle_kind = { handle_hash, handle_equal };

static bool handle_of(const char *path, struct handle *ret)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + HANDLE_BYTES];
	} u = { .h.handle_bytes = HANDLE_BYTES };
	int mount_id;
	if (name_to_handle_at(AT_FDCWD, path, &u.h, &mount_id, 0) < 0)
		return false;
	*ret = (struct handle){ .size = u.h.handle_bytes, .type = u.h.handle_type };
	memcpy(ret->bytes, u.h.f_handle, u.h.handle_bytes);
	return true;
}

static struct handle *handle_keep(struct hf_fanotify *f, const struct handle *h)
{
	size_t size = offsetof(struct handle, bytes) + h->size;
	struct handle *kept = hf_alloc(f->arena, size);
	memcpy(kept, h, size);
	return kept;
}

/* "pid 4711 vim uid 0": from the kernel, while the process still lives; NULL when it has gone: never a guess.
 */
static const char *actor_find(int pid, char out[ACTOR_MAX])
{
	char path[64], comm[32] = "";
	struct stat st;
	if (pid <= 0)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, comm, sizeof(comm) - 1);
	if (n <= 0 || fstat(fd, &st) < 0)
		return NULL;
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(out, ACTOR_MAX, "pid %d %s uid %u", pid, comm, st.st_uid);
	return out;
}

/* A folder below a watched tree that no one has a handle of yet. */
static bool resolve(struct hf_fanotify *f, const struct file_handle *h, char out[PATH_MAX])
{
	for (size_t i = 0; i < f->n_marked; i++) {
		hf_auto_fd fd = open_by_handle_at(
			f->mount_fds[i], (struct file_handle *)(uintptr_t)h, O_PATH | O_CLOEXEC);
		char link[64];
		if (fd < 0)
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(link, out, PATH_MAX - 1);
		if (n <= 0)
			continue;
		out[n] = '\0';
		return true;
	}
	return false;
}

static void record_take(struct hf_fanotify *f, const struct fanotify_event_info_header *info, int pid)
{
	const struct fanotify_event_info_fid *fid = (const void *)info;
	const struct file_handle *raw = (const void *)fid->handle;
	struct handle h = { .size = raw->handle_bytes, .type = raw->handle_type };
	char actor[ACTOR_MAX], found[PATH_MAX];
	if (h.size > HANDLE_BYTES)
		return;
	memcpy(h.bytes, raw->f_handle, h.size);
	bool named = info->info_type == FAN_EVENT_INFO_TYPE_DFID_NAME;
	const char *path = hf_map_get(named ? &f->dirs : &f->objects, &h);
	/* What happens to a folder itself is told with its own handle and the name ".". */
	if (path == NULL && named && strcmp((const char *)raw->f_handle + h.size, ".") == 0)
		path = hf_map_get(&f->objects, &h);
	if (path == NULL && named && f->trees && resolve(f, raw, found))
		path = found;
	if (path == NULL)
		return;
	hf_auto_arena a = hf_arena_new();
	const char *name = named ? (const char *)raw->f_handle + h.size : ".";
	if (strcmp(name, ".") != 0)
		path = hf_path_join(a, path, name);
	if (!hf_watch_wants(f->watch, path))
		return;
	f->concerned++;
	hf_watch_event(f->watch, path, actor_find(pid, actor));
}

/* event: as it lies in what was read, m: its head. */
static void event_take(struct hf_fanotify *f, const struct fanotify_event_metadata *m, const char *event)
{
	if ((m->mask & FAN_Q_OVERFLOW) != 0) {
		hf_watch_lost(f->watch, "the kernel's event queue overflowed");
		return;
	}
	if (m->pid == getpid())
		return;
	const char *at = event + m->metadata_len, *end = event + m->event_len;
	while (at + sizeof(struct fanotify_event_info_header) <= end) {
		const struct fanotify_event_info_header *info = (const void *)at;
		if (info->len == 0)
			return;
		if (info->info_type == FAN_EVENT_INFO_TYPE_DFID_NAME ||
			info->info_type == FAN_EVENT_INFO_TYPE_FID ||
			info->info_type == FAN_EVENT_INFO_TYPE_DFID)
			record_take(f, info, m->pid);
		at += info->len;
	}
}

/* One event ends where the next begins, which need not be where its numbers may be read in place. */
static void events_take(struct hf_fanotify *f, const char *at, size_t left)
{
	struct fanotify_event_metadata m;
	while (left >= sizeof(m)) {
		memcpy(&m, at, sizeof(m));
		if (m.event_len < sizeof(m) || m.event_len > left)
			return;
		event_take(f, &m, at);
		if (m.fd >= 0)
			close(m.fd);
		at += m.event_len;
		left -= m.event_len;
	}
}

/* True when there was anything. */
static bool events_read(struct hf_fanotify *f)
{
	char block[READ_SIZE] __attribute__((aligned(8))) HF_UNINITIALIZED;
	enum { ROUNDS_MAX = 64 }; /* then others get their turn */
	for (int i = 0; i < ROUNDS_MAX; i++) {
		ssize_t n = read(f->fd, block, sizeof(block));
		if (n <= 0) {
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				hf_watch_lost(f->watch, "reading file events failed");
			return i > 0;
		}
		events_take(f, block, (size_t)n);
	}
	return true;
}

static bool wakes_left(struct wakes *w)
{
	uint64_t now = hf_time_monotonic_ms();
	w->left += (double)(now - w->at_ms) * WAKES_A_SECOND / 1000;
	w->at_ms = now;
	if (w->left > WAKES_AT_ONCE)
		w->left = WAKES_AT_ONCE;
	return w->left >= 1;
}

/* One more wake-up: true while that is still cheap. */
static bool wake_allowed(struct wakes *w)
{
	bool any = wakes_left(w);
	w->left -= any ? 1 : 0;
	return any;
}

/* Listening to all there is, or, until the time has come, to what happens to watched files themselves. */
static void listen_again(struct hf_fanotify *f, bool at_once)
{
	sd_event_source_set_enabled(f->io, at_once ? SD_EVENT_ON : SD_EVENT_OFF);
	if (f->own != NULL)
		sd_event_source_set_enabled(
			f->own, at_once || !wakes_left(&f->by_own) ? SD_EVENT_OFF : SD_EVENT_ON);
	if (at_once)
		hf_timer_stop(f->gather);
	else
		hf_timer_set(f->gather, GATHER_MS);
}

/* Each has its like in the other queue. True when there was any. */
static bool own_drain(struct hf_fanotify *f)
{
	char block[READ_SIZE] HF_UNINITIALIZED;
	enum { ROUNDS_MAX = 64 };
	int n = 0;
	while (f->own != NULL && n < ROUNDS_MAX && read(f->own_fd, block, sizeof(block)) > 0)
		n++;
	return n > 0;
}

static void take(struct hf_fanotify *f)
{
	unsigned before = f->concerned;
	bool any = events_read(f), at_once = !any || f->concerned != before;
	if (at_once && any)
		(void)own_drain(f); /* what is left there is no news when it is listened to */
	else if (!at_once)
		at_once = wake_allowed(&f->by_strangers) || (wakes_left(&f->by_own) && own_drain(f));
	listen_again(f, at_once);
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *data)
{
	take(data);
	return 0;
}

static int on_gathered(sd_event_source *source, uint64_t now, void *data)
{
	take(data);
	return 0;
}

/* This group may hear of a change a moment before the other one does. */
static int on_own(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct hf_fanotify *f = data;
	(void)wake_allowed(&f->by_own);
	(void)own_drain(f);
	(void)events_read(f);
	listen_again(f, true);
	return 0;
}

static void own_open(struct hf_fanotify *f)
{
	f->own_fd = fanotify_init(
		FAN_CLASS_NOTIF | FAN_REPORT_FID | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS,
		O_RDONLY | O_CLOEXEC);
	if (f->own_fd >= 0 && sd_event_add_io(f->agent->loop, &f->own, f->own_fd, EPOLLIN, on_own, f) >= 0)
		return;
	hf_log(HF_LOG_NOTICE, "no second group of fanotify: while others write all the time, drift is seen "
			      "up to 80 ms later");
	hf_close_fd(&f->own_fd);
}

static void own_mark(struct hf_fanotify *f, const char *path)
{
	if (f->own_fd >= 0) /* where it cannot be marked its events come with the others */
		(void)fanotify_mark(f->own_fd, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW, OWN_MASK, AT_FDCWD, path);
}

struct hf_fanotify *hf_fanotify_new(struct hf_agent *agent, struct hf_watch *w, const char **ret_why)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME | FAN_REPORT_FID | FAN_CLOEXEC |
				       FAN_NONBLOCK | FAN_UNLIMITED_QUEUE,
		O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		*ret_why = errno == EPERM ? "no right to it" : "the kernel does not offer it";
		return NULL;
	}
	struct hf_fanotify *f = hf_new(agent->arena, struct hf_fanotify);
	*f = (struct hf_fanotify){ .agent = agent, .watch = w, .fd = fd, .own_fd = -1 };
	f->gather = hf_timer_new(agent->loop, true, on_gathered, f);
	if (sd_event_add_io(agent->loop, &f->io, fd, EPOLLIN, on_event, f) < 0) {
		close(fd);
		*ret_why = "the event loop refuses it";
		return NULL;
	}
	own_open(f);
	return f;
}

/* Whether the file system of this folder is marked, now or before. */
static bool file_system_mark(struct hf_fanotify *f, const char *dir)
{
	struct stat st;
	if (stat(dir, &st) < 0)
		return true; /* not there: its parents are watched for its coming */
	for (size_t i = 0; i < f->n_marked; i++)
		if (f->marked[i] == st.st_dev)
			return true;
	if (f->n_marked == FILE_SYSTEMS_MAX)
		return false;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fanotify_mark(f->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, MASK, fd, NULL) < 0) {
		hf_close_fd(&fd);
		return false;
	}
	f->marked[f->n_marked] = st.st_dev;
	f->mount_fds[f->n_marked++] = fd;
	return true;
}

bool hf_fanotify_again(struct hf_fanotify *f, const char *path)
{
	struct handle h;
	if (!handle_of(path, &h))
		return true;
	const char *known = hf_map_get(&f->objects, &h);
	if (known != NULL && strcmp(known, path) == 0)
		return true;
	hf_map_set(&f->objects, handle_keep(f, &h), hf_strdup(f->arena, path));
	own_mark(f, path);
	return ++f->again < AGAIN_MAX;
}

void hf_fanotify_set(struct hf_fanotify *f, const struct hf_watch_index *x, struct hf_map *ret_left)
{
	struct handle h;
	hf_arena_free(f->arena);
	f->arena = hf_arena_new();
	f->trees = x->trees.n > 0;
	f->again = 0;
	if (f->own_fd >= 0)
		(void)fanotify_mark(f->own_fd, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
	hf_map_init(&f->dirs, f->arena, &handle_kind);
	hf_map_init(&f->objects, f->arena, &handle_kind);
	HF_MAP_EACH (&x->dirs, e) {
		const char *dir = e->key;
		if (!file_system_mark(f, dir))
			hf_map_set(ret_left, dir, e->value);
		else if (handle_of(dir, &h))
			hf_map_set(&f->dirs, handle_keep(f, &h), hf_strdup(f->arena, dir));
	}
	HF_MAP_EACH (&x->nodes, e) {
		const struct hf_watch_node *n = e->value;
		if (n->things.n == 0 || !handle_of(n->path, &h))
			continue;
		hf_map_set(&f->objects, handle_keep(f, &h), hf_strdup(f->arena, n->path));
		own_mark(f, n->path);
	}
}
