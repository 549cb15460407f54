#include "agent/watch_source.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"

enum { READ_SIZE = 16 << 10, AGAIN_MAX = 1000 };
#define MASK                                                                                                 \
	(IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | \
		IN_MOVE_SELF)

struct mark {
	int wd;
	const char *path; /* of a folder, or of a watched file itself: hard links and links' targets */
};

struct hf_inotify {
	struct hf_agent *agent;
	struct hf_watch *watch;
	int fd;
	sd_event_source *source;
	struct hf_arena *arena; /* of the marks */
	HF_VEC(struct mark) marks;
	struct hf_map dirs; /* folders that are marked for what lies in them; others are somebody else's */
	unsigned again;     /* marks added since the set was taken */
	bool short_of;      /* the kernel would give no more: told, until there is enough again */
};

static const char *mark_find(const struct hf_inotify *n, int wd)
{
	for (size_t i = 0; i < n->marks.n; i++)
		if (n->marks.at[i].wd == wd)
			return n->marks.at[i].path;
	return NULL;
}

static int on_event(sd_event_source *source, int fd, uint32_t events, void *data)
{
	struct hf_inotify *in = data;
	char block[READ_SIZE] __attribute__((aligned(8)));
	ssize_t n = read(fd, block, sizeof(block));
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *e = (const void *)(block + at);
		const char *path = mark_find(in, e->wd);
		at += (ssize_t)(sizeof(*e) + e->len);
		if ((e->mask & IN_Q_OVERFLOW) != 0) {
			hf_watch_lost(in->watch, "the kernel's event queue overflowed");
		} else if (path != NULL && (e->mask & IN_IGNORED) == 0) {
			hf_auto_arena a = hf_arena_new();
			hf_watch_event(in->watch, e->len > 0 ? hf_path_join(a, path, e->name) : path, NULL);
		}
	}
	return 0;
}

int hf_inotify_new(struct hf_agent *agent, struct hf_watch *w, struct hf_inotify **ret, struct hf_error *err)
{
	struct hf_inotify *n = hf_new(agent->arena, struct hf_inotify);
	*n = (struct hf_inotify){ .agent = agent, .watch = w, .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC) };
	if (n->fd < 0 || sd_event_add_io(agent->loop, &n->source, n->fd, EPOLLIN, on_event, n) < 0)
		return hf_fail_errno(err, HF_E_IO, "inotify");
	*ret = n;
	return 0;
}

void hf_inotify_done(struct hf_inotify *n)
{
	n->source = sd_event_source_disable_unref(n->source);
	hf_close_fd(&n->fd);
	n->arena = hf_arena_free(n->arena);
	memset(&n->marks, 0, sizeof(n->marks));
}

static bool mark_add(struct hf_inotify *n, const char *path)
{
	int wd = inotify_add_watch(n->fd, path, MASK);
	if (wd >= 0)
		*hf_vec_push(n->arena, &n->marks) = (struct mark){ wd, hf_strdup(n->arena, path) };
	return wd >= 0 || errno == ENOENT || errno == ENOTDIR;
}

/* Of a thing that is there already the kernel gives the mark that it has. */
bool hf_inotify_again(struct hf_inotify *n, const char *path)
{
	hf_auto_arena a = hf_arena_new();
	if (n->arena == NULL || hf_map_find(&n->dirs, hf_path_dir(a, path)) == NULL)
		return true;
	int wd = inotify_add_watch(n->fd, path, MASK);
	if (wd < 0 || mark_find(n, wd) != NULL)
		return true;
	*hf_vec_push(n->arena, &n->marks) = (struct mark){ wd, hf_strdup(n->arena, path) };
	return ++n->again < AGAIN_MAX;
}

static int number_compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

/* What is watched before and after keeps its mark, so that nothing is missed in between, nor what the kernel
 * has noted and we have not read yet: things without a path of their own, users for one, are in no sweep by
 * stat. */
static void marks_drop(struct hf_inotify *n, const struct mark *old, size_t n_old)
{
	hf_auto_arena a = hf_arena_new();
	int *kept = hf_alloc(a, (n->marks.n + 1) * sizeof(*kept));
	for (size_t i = 0; i < n->marks.n; i++)
		kept[i] = n->marks.at[i].wd;
	qsort(kept, n->marks.n, sizeof(*kept), number_compare);
	for (size_t i = 0; i < n_old; i++)
		if (bsearch(&old[i].wd, kept, n->marks.n, sizeof(*kept), number_compare) == NULL)
			(void)inotify_rm_watch(n->fd, old[i].wd); /* a mark the kernel dropped already */
}

void hf_inotify_set(struct hf_inotify *n, const struct hf_map *dirs, const struct hf_watch_index *x)
{
	bool all = true;
	struct hf_arena *before = n->arena;
	const struct mark *old = n->marks.at;
	size_t n_old = n->marks.n;
	n->arena = hf_arena_new();
	memset(&n->marks, 0, sizeof(n->marks));
	n->again = 0;
	hf_map_init_str(&n->dirs, n->arena);
	HF_MAP_EACH (dirs, e) {
		all = mark_add(n, e->key) && all;
		hf_map_set(&n->dirs, hf_strdup(n->arena, e->key), n);
	}
	HF_MAP_EACH (&x->nodes, e) {
		const struct hf_watch_node *node = e->value;
		hf_auto_arena a = hf_arena_new();
		if (node->things.n > 0 && hf_map_find(dirs, hf_path_dir(a, node->path)) != NULL)
			all = mark_add(n, node->path) && all;
	}
	marks_drop(n, old, n_old);
	hf_arena_free(before);
	if (!all && !n->short_of)
		hf_watch_lost(n->watch, "not everything can be watched (fs.inotify.max_user_watches?), "
					"sweeps look at the rest");
	n->short_of = !all;
}
