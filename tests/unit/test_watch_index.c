/* What an event at a path concerns: the thing itself, those below a folder that came or went, those that a
 * link leads to; and that a thousand of them do not cost the host more than they must. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/watch_index.h"
#include "lib/base/fs.h"
#include "tests/unit/unit.h"

enum { MANY = 1000, BYTES_MAX = 640 << 10 };

static const struct row {
	const char *title, *path, *want; /* names of things, sorted by when they were added */
	bool parent;
} rows[] = {
	{ "a file", "real/file", "file ", false },
	{ "another in the same folder", "real/other", "", false },
	{ "its folder", "real", "file link tree ", true },
	{ "where the link stands", "link", "link ", false },
	{ "what the link leads to", "real/target", "link ", false },
	{ "the top of a tree", "real/tree", "tree ", false },
	{ "deep in a tree", "real/tree/a/b", "tree ", false },
	{ "beside a tree", "real/treetop", "", false },
	{ "a folder that is not there yet", "none", "later ", true },
	{ "a file in it", "none/yet/file", "later ", false },
	{ "through a link among the parents", "real/below", "through ", false },
};

struct scene {
	struct hf_arena *arena;
	char folder[64];
	struct hf_watch_index index;
	struct hf_buf hits;
};

static const char *place(struct scene *s, const char *name)
{
	return hf_path_join(s->arena, s->folder, name);
}

static void add(struct scene *s, const char *path, bool tree)
{
	struct hf_watch_thing *t =
		hf_watch_index_thing(&s->index, tree ? HF_THING_TREE : HF_THING_PATH, place(s, path));
	assert_non_null(t);
	hf_watch_index_path(&s->index, t, t->name, tree);
	assert_null(hf_watch_index_thing(&s->index, t->kind, t->name));
}

static void on_hit(void *data, const struct hf_watch_thing *t)
{
	struct scene *s = data;
	const char *base = hf_path_base(t->name);
	if (strcmp(base, "below") == 0)
		base = "through";
	else if (strstr(t->name, "none") != NULL)
		base = "later";
	hf_buf_printf(&s->hits, "%s ", base);
}

static void begin(struct scene *s)
{
	*s = (struct scene){
		.arena = hf_arena_new(), .folder = "/tmp/hf-index-XXXXXX", .hits = hf_buf_init(1 << 16)
	};
	assert_non_null(mkdtemp(s->folder));
	assert_int_equal(mkdir(place(s, "real"), 0700), 0);
	assert_int_equal(mkdir(place(s, "real/tree"), 0700), 0);
	assert_int_equal(symlink("real/target", place(s, "link")), 0);
	assert_int_equal(symlink("real", place(s, "short")), 0);
	hf_watch_index_init(&s->index);
}

static void end(struct scene *s)
{
	static const char *const names[] = { "real/target", "short", "link", "real/tree", "real", "" };
	hf_watch_index_done(&s->index);
	for (size_t i = 0; i < HF_COUNT(names); i++)
		(void)remove(place(s, names[i]));
	hf_buf_done(&s->hits);
	hf_arena_free(s->arena);
}

static void row_check(void **state)
{
	const struct row *r = *state;
	struct scene s;
	begin(&s);
	FILE *f = fopen(place(&s, "real/target"), "we");
	assert_non_null(f);
	fclose(f);
	add(&s, "real/file", false);
	add(&s, "link", false);
	add(&s, "real/tree", true);
	add(&s, "none/yet/file", false);
	hf_watch_index_built(&s.index);
	if (strcmp(r->want, "through ") == 0) {
		hf_watch_index_done(&s.index);
		hf_watch_index_init(&s.index);
		add(&s, "short/below", false);
		hf_watch_index_built(&s.index);
	}
	assert_int_equal(hf_watch_index_find(&s.index, place(&s, r->path), on_hit, &s), r->parent);
	assert_string_equal(s.hits.n == 0 ? "" : hf_buf_str(&s.hits).p, r->want);
	end(&s);
}

static void test_many(void **state)
{
	struct scene s;
	char name[32];
	begin(&s);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "real/file%d", i);
		add(&s, name, false);
	}
	hf_watch_index_built(&s.index);
#ifndef HF_SANITIZERS
	if (hf_arena_size(s.index.arena) > BYTES_MAX)
		fail_msg("%zu bytes", hf_arena_size(s.index.arena));
#endif
	assert_false(hf_watch_index_find(&s.index, place(&s, "real/file999"), on_hit, &s));
	assert_string_equal(hf_buf_str(&s.hits).p, "file999 ");
	end(&s);
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD_ROWS(&tests, rows, row_check);
	UNIT_ADD(&tests, test_many);
	return unit_run(&tests);
}
