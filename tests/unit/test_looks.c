/* How a task leaves its paths: what nobody touched is noted as it is, what was changed between the module's
 * look and ours as something that no later look is the same as. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/look.h"
#include "agent/looks.h"
#include "lib/base/scope.h"
#include "tests/unit/disturb.h"

static const struct row {
	const char *title;
	const char *kind;     /* of the watch */
	bool there;           /* when the task begins */
	enum disturbance act; /* of somebody else, after the module has looked */
	bool touched;         /* the module may have changed it itself */
	bool noted;           /* the look is the one of a later event */
} rows[] = {
	{ "nobody came", "path", true, DISTURB_NOT, false, true },
	{ "nobody came to a folder", "tree", true, DISTURB_NOT, false, true },
	{ "written meanwhile", "path", true, DISTURB_WRITE, false, false },
	{ "written below", "tree", true, DISTURB_WRITE, false, false },
	{ "renamed over", "path", true, DISTURB_REPLACE, false, false },
	{ "its mode", "path", true, DISTURB_MODE, false, false },
	{ "removed meanwhile", "path", true, DISTURB_REMOVE, false, false },
	{ "made meanwhile", "path", false, DISTURB_WRITE, false, false },
	{ "still not there", "path", false, DISTURB_NOT, false, true },
	{ "the module's own write", "path", true, DISTURB_WRITE, true, true },
};

static struct hf_value *watch_list(struct hf_arena *a, const char *kind, const char *path)
{
	struct hf_value *list = hf_value_list(a), *one = hf_value_dict(a);
	hf_dict_put(one, "kind", hf_value_cstr(a, kind));
	hf_dict_put(one, "path", hf_value_cstr(a, path));
	hf_list_append(list, one);
	return list;
}

static void looks_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	char folder[] = "/tmp/hf-looks-XXXXXX";
	assert_non_null(mkdtemp(folder));
	bool tree = strcmp(r->kind, "tree") == 0;
	char *path = hf_sprintf(a, "%s/one", folder), *other = hf_sprintf(a, "%s/.one.new", folder);
	const char *watched = tree ? folder : path;
	struct hf_looks looks = { 0 };
	struct hf_look now;
	if (r->there)
		disturb_put(path, "text");
	struct hf_value *watches = watch_list(a, r->kind, watched);
	hf_looks_before(&looks, watches);
	disturb(r->act, path, other);
	struct hf_value *after = hf_looks_after(&looks, a, hf_looks_watches(a, watches), r->touched);
	const struct hf_value *pair = hf_dict_get(after, watched);
	assert_non_null(pair);
	hf_look_take(watched, tree, true, &now);
	const char *what = hf_list_at(pair, 1)->u.string.p;
	assert_int_equal(strcmp(what, now.what) == 0, r->noted);
	assert_int_equal(strncmp(what, "tree ", 5) == 0, tree); /* sweeps look below it */
	hf_looks_done(&looks);
	(void)unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	UNIT_ROWS(tests, rows, looks_row);
	return UNIT_RUN(tests);
}
