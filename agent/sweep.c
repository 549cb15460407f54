#include "agent/sweep.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/look.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/base/vec.h"

enum { WATCHDOG_MS = 1000 }; /* the unit waits a minute */
static const uint64_t ABSENT = 1, ASK = 0;

/* Neighbours in one folder are looked up from there, not from the root: then name is the last part of the
 * path, and folder the rest. Of one that is alone there, name is the whole path. Both begin in the table's
 * text. */
struct row {
	uint64_t print; /* of the stat that was as stored; ASK: the database is asked each time */
	uint32_t folder, name;
};
enum { NO_FOLDER = 0 }; /* the text begins with a byte that is no path's */

struct table {
	struct hf_arena *arena; /* NULL: there is none */
	HF_VEC(struct row) rows;
	const char *text;
	int64_t writes; /* to the database, when it was made */
};
struct hf_sweep {
	struct hf_state *state;
	struct table table;
};

struct hf_sweep *hf_sweep_new(struct hf_arena *a, struct hf_state *state)
{
	struct hf_sweep *s = hf_new(a, struct hf_sweep);
	s->state = state;
	return s;
}

void hf_sweep_done(struct hf_sweep *s)
{
	hf_arena_free(s->table.arena);
	s->table = (struct table){ 0 };
}

static uint64_t print_of(int failed, const struct stat *st)
{
	uint64_t print = failed < 0 ? ABSENT : hf_look_print(st);
	return print == ASK ? ~print : print;
}

/* Whether a path looks as stored, and what stat told of it; ASK when that says nothing of what lies below. */
static bool looks_same(const char *path, const char *stat, const char *what, uint64_t *ret_print)
{
	struct hf_look look;
	struct stat st;
	*ret_print = ASK;
	if (hf_look_is_tree(what)) {
		hf_look_take(path, true, false, &look);
	} else {
		int failed = lstat(path, &st);
		hf_look_of(failed, &st, look.stat);
		*ret_print = print_of(failed, &st);
	}
	return strcmp(look.stat, stat) == 0;
}

/* --- the table --- */

struct making {
	struct table *table;
	struct hf_buf text;
	struct hf_arena *scratch;
	const char *before, *waiting; /* the path before, and the one whose neighbours are not known yet */
	uint64_t print;               /* of the one that is waiting */
	uint32_t folder;              /* of the row before */
};

static size_t folder_length(const char *path)
{
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	return slash == NULL ? 0 : (size_t)(slash - path);
}

static bool is_neighbour(const char *path, const char *other)
{
	size_t n = folder_length(path);
	return n > 0 && n == folder_length(other) && memcmp(path, other, n) == 0;
}

static uint32_t text_add(struct hf_buf *text, struct hf_str s)
{
	size_t at = text->n;
	hf_buf_add(text, s);
	hf_buf_put(text, '\0');
	return (uint32_t)at;
}

static void row_add(struct making *m, const char *next)
{
	const char *path = m->waiting;
	if (path == NULL)
		return;
	struct row *r = hf_vec_push(m->table->arena, &m->table->rows);
	size_t n = folder_length(path);
	if (is_neighbour(path, m->before))
		r->folder = m->folder;
	else if (is_neighbour(path, next))
		r->folder = text_add(&m->text, hf_strn(path, n));
	r->name = text_add(&m->text, hf_str(r->folder == NO_FOLDER ? path : path + n + 1));
	r->print = m->print;
	m->before = path;
	m->folder = r->folder;
}

static int making_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct making *m = data;
	const char *path = hf_strdup(m->scratch, hf_state_text(row, 0));
	row_add(m, path);
	m->waiting = path;
	if (!looks_same(path, hf_state_text(row, 1), hf_state_text(row, 2), &m->print))
		m->print = ASK;
	return 0;
}

static int table_make(struct hf_sweep *s, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct making m = { .table = &s->table, .text = hf_buf_init(UINT32_MAX), .scratch = scratch };
	hf_sweep_done(s);
	s->table.arena = hf_arena_new();
	s->table.writes = hf_state_writes(s->state);
	hf_buf_put(&m.text, '\0');
	int result = hf_state_query(
		s->state, err, making_row, &m, "SELECT path,look,hash FROM paths ORDER BY path", "");
	row_add(&m, NULL);
	if (result == 0)
		result = hf_buf_check(&m.text, "watched paths", err);
	if (result == 0)
		s->table.text = hf_str_dup(s->table.arena, hf_buf_str(&m.text));
	else
		hf_sweep_done(s);
	hf_buf_done(&m.text);
	return result;
}

/* --- by stat --- */

struct folder {
	uint32_t at;
	int fd;
};

static void folder_leave(struct folder *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

static void folder_enter(struct folder *f, const struct table *t, uint32_t at)
{
	folder_leave(f);
	f->at = at;
	if (at != NO_FOLDER)
		f->fd = open(t->text + at, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

struct stored {
	const char *path;
	bool same, found;
	uint64_t print;
};

static int stored_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct stored *s = data;
	s->found = true;
	s->same = looks_same(s->path, hf_state_text(row, 0), hf_state_text(row, 1), &s->print);
	return 1;
}

static const char *row_path(struct hf_arena *a, const struct table *t, const struct row *r)
{
	if (r->folder == NO_FOLDER)
		return t->text + r->name;
	return hf_path_join(a, t->text + r->folder, t->text + r->name);
}

static int row_look(struct hf_sweep *s, struct row *r, hf_sweep_found found, void *data, struct hf_error *err)
{
	hf_auto_arena scratch = hf_arena_new();
	struct stored stored = { .path = row_path(scratch, &s->table, r) };
	int result = hf_state_query(s->state, err, stored_row, &stored,
		"SELECT look,hash FROM paths WHERE path=?", "s", stored.path);
	r->print = stored.same ? stored.print : ASK;
	if (result == 0 && stored.found && !stored.same)
		found(data, stored.path);
	return result;
}

int hf_sweep_by_stat(struct hf_sweep *s, hf_sweep_found found, void *data, struct hf_error *err)
{
	struct folder f = { NO_FOLDER, -1 };
	int result = 0;
	if (s->table.arena == NULL || s->table.writes != hf_state_writes(s->state))
		result = table_make(s, err);
	for (size_t i = 0; result == 0 && i < s->table.rows.n; i++) {
		struct row *r = &s->table.rows.at[i];
		struct stat st;
		if (r->folder != f.at)
			folder_enter(&f, &s->table, r->folder);
		if (r->print == ASK || print_of(fstatat(r->folder == NO_FOLDER ? AT_FDCWD : f.fd,
							s->table.text + r->name, &st, AT_SYMLINK_NOFOLLOW),
					       &st) != r->print)
			result = row_look(s, r, found, data, err);
	}
	folder_leave(&f);
	return result;
}

/* --- by content --- */

struct content {
	hf_sweep_found found;
	void *data;
	uint64_t told_ms; /* the watchdog */
};

static int content_row(void *data, sqlite3_stmt *row, struct hf_error *err)
{
	struct content *c = data;
	struct hf_look look;
	const char *path = hf_state_text(row, 0);
	if (hf_time_monotonic_ms() - c->told_ms > WATCHDOG_MS) {
		sd_notify(0, "WATCHDOG=1"); /* hashing large trees takes its time, and is no hang */
		c->told_ms = hf_time_monotonic_ms();
	}
	hf_look_take(path, hf_look_is_tree(hf_state_text(row, 2)), true, &look);
	if (strcmp(look.stat, hf_state_text(row, 1)) != 0 || strcmp(look.what, hf_state_text(row, 2)) != 0)
		c->found(c->data, path);
	return 0;
}

int hf_sweep_by_content(struct hf_sweep *s, hf_sweep_found found, void *data, struct hf_error *err)
{
	struct content c = { found, data, 0 };
	return hf_state_query(
		s->state, err, content_row, &c, "SELECT path,look,hash FROM paths ORDER BY path", "");
}
