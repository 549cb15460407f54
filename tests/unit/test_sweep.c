/* A sweep names the paths that do not look as stored, each time until they do, and no others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/look.h"
#include "agent/sweep.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "tests/unit/disturb.h"

static const struct row {
	const char *title;
	enum disturbance act;
	const char *at;    /* what somebody does that to */
	const char *found; /* the names of what is then found */
} rows[] = {
	{ "nobody came", DISTURB_NOT, "", "" },
	{ "written", DISTURB_WRITE, "many/2", "many/2 " },
	{ "written, alone in its folder", DISTURB_WRITE, "alone/1", "alone/1 " },
	{ "renamed over", DISTURB_REPLACE, "many/3", "many/3 " },
	{ "its mode", DISTURB_MODE, "many/1", "many/1 " },
	{ "removed", DISTURB_REMOVE, "many/1", "many/1 " },
	{ "a link elsewhere", DISTURB_LINK, "many/link", "many/link " },
	{ "made where nothing was", DISTURB_WRITE, "many/none", "many/none " },
	{ "written below a tree", DISTURB_WRITE, "tree/below", "tree " },
	{ "made below a tree", DISTURB_WRITE, "tree/new", "tree " },
	{ "made in a folder that is no tree", DISTURB_WRITE, "many/other", "" },
	{ "the folder is away", DISTURB_AWAY, "many", "many/1 many/2 many/3 many/link " },
};
static const struct watched {
	const char *name;
	bool tree;
} watched[] = {
	{ "alone/1", false },
	{ "many/1", false },
	{ "many/2", false },
	{ "many/3", false },
	{ "many/link", false },
	{ "many/none", false },
	{ "tree", true },
};

static struct hf_error err;

static void done(int result)
{
	if (result < 0)
		fail_msg("%s", err.text);
}

struct scene {
	struct hf_arena *arena;
	char folder[32];
	struct hf_state *state;
	struct hf_sweep *sweep;
	struct hf_buf found;
};

static char *place(const struct scene *s, const char *name)
{
	return hf_path_join(s->arena, s->folder, name);
}

static void store(const struct scene *s)
{
	for (size_t i = 0; i < HF_COUNT(watched); i++) {
		struct hf_look look;
		const char *path = place(s, watched[i].name);
		hf_look_take(path, watched[i].tree, true, &look);
		done(hf_state_exec(s->state, &err,
			"INSERT OR REPLACE INTO paths(path,look,hash) VALUES(?,?,?)", "sss", path, look.stat,
			look.what));
	}
}

static void begin(struct scene *s)
{
	static const char *const files[] = { "alone/1", "many/1", "many/2", "many/3", "tree/below" };
	*s = (struct scene){
		.arena = hf_arena_new(), .folder = "/tmp/hf-sweep-XXXXXX", .found = hf_buf_init(4096)
	};
	assert_non_null(mkdtemp(s->folder));
	for (size_t i = 0; i < HF_COUNT(files); i++) {
		const char *path = place(s, files[i]);
		done(hf_fs_mkdirs(hf_path_dir(s->arena, path), 0755, &err));
		disturb_put(path, "text");
	}
	assert_int_equal(symlink("1", place(s, "many/link")), 0);
	done(hf_state_open(s->arena, place(s, "state.db"), &s->state, &err));
	s->sweep = hf_sweep_new(s->arena, s->state);
	store(s);
}

static void end(struct scene *s)
{
	hf_sweep_done(s->sweep);
	hf_state_close(s->state);
	hf_buf_done(&s->found);
	done(hf_fs_remove_tree(s->folder, &err));
	hf_arena_free(s->arena);
}

static void found(void *data, const char *path)
{
	struct scene *s = data;
	hf_buf_puts(&s->found, path + strlen(s->folder) + 1);
	hf_buf_put(&s->found, ' ');
}

static void finds(struct scene *s, bool content, const char *names)
{
	hf_buf_clear(&s->found);
	if (content)
		done(hf_sweep_by_content(s->sweep, found, s, &err));
	else
		done(hf_sweep_by_stat(s->sweep, found, s, &err));
	assert_string_equal(s->found.n == 0 ? "" : s->found.p, names);
}

static void sweep_row(void **state)
{
	const struct row *r = *state;
	struct scene s;
	begin(&s);
	finds(&s, false, "");
	finds(&s, false, "");
	finds(&s, true, "");
	disturb(r->act, place(&s, r->at), place(&s, "other"));
	finds(&s, false, r->found);
	finds(&s, false, r->found);
	finds(&s, true, r->found);
	store(&s);
	finds(&s, false, "");
	finds(&s, true, "");
	end(&s);
}

int main(void)
{
	UNIT_ROWS(tests, rows, sweep_row);
	return UNIT_RUN(tests);
}
