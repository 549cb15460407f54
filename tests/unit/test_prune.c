/* Pre-images that nothing names go; where the names cannot be read, none does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/prune_files.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "tests/unit/unit.h"

#define NAMED  "aa00000000000000000000000000000000000000000000000000000000000000"
#define NOBODY "aa11111111111111111111111111111111111111111111111111111111111111"

static const struct row {
	const char *title, *log; /* NULL: a log that cannot be read */
	bool named_stays, nobody_stays, undo;
} rows[] = {
	{ "named by an undo record", "{\"k\":\"undo\",\"blob\":\"" NAMED "\"}\n", true, false, true },
	{ "named on the last line, cut short", "{}\n{\"k\":\"undo\",\"blob\":\"" NAMED "\"", true, false,
		true },
	{ "named by a result", "{\"k\":\"result\",\"blob\":\"" NAMED "\"}\n", false, false, false },
	{ "an empty log", "", false, false, false },
	{ "a log that cannot be read", NULL, true, true, false },
};

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void prune_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_error err = { 0 };
	struct hf_map runs;
	char folder[] = "/tmp/hf-prune-XXXXXX";
	bool undo = false;
	assert_non_null(mkdtemp(folder));
	const char *log = hf_sprintf(a, "%s/runs/1.apply.jsonl", folder),
		   *named = hf_sprintf(a, "%s/blobs/aa/" NAMED, folder),
		   *nobody = hf_sprintf(a, "%s/blobs/aa/" NOBODY, folder);
	assert_int_equal(hf_fs_mkdirs(hf_path_dir(a, named), 0700, &err), 0);
	assert_int_equal(hf_fs_mkdirs(r->log == NULL ? log : hf_path_dir(a, log), 0700, &err), 0);
	put(named, "text");
	put(nobody, "text");
	if (r->log != NULL)
		put(log, r->log);
	hf_map_init_str(&runs, a);
	hf_map_set(&runs, "1", &runs);
	assert_int_equal(hf_prune_blobs(folder, &runs, &err), r->log == NULL ? -HF_E_IO : 0);
	assert_int_equal(hf_fs_exists(named), r->named_stays);
	assert_int_equal(hf_fs_exists(nobody), r->nobody_stays);
	assert_int_equal(hf_prune_has_undo(log, &undo, &err), r->log == NULL ? -HF_E_IO : 0);
	assert_int_equal(undo, r->undo);
	assert_int_equal(hf_fs_remove_tree(folder, &err), 0);
}

int main(void)
{
	UNIT_ROWS(tests, rows, prune_row);
	return UNIT_RUN(tests);
}
