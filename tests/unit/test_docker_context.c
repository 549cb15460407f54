/* .dockerignore: patterns that are bounded, and those that would cost more than a build is worth. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "modules/docker_context.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *piece;
	size_t times;
	int want;
} rows[] = {
	{ "stars", "*", 4096, 0 },
	{ "folders of any depth", "**/", 1365, 0 },
	{ "more stars than anybody means", "*", 4097, -HF_E_LIMIT },
	{ "deeper than a stack", "**/", 300000, -HF_E_LIMIT },
};

static void ignore_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf text = hf_buf_init(1 << 20);
	struct hf_error err = { 0 };
	char folder[] = "/tmp/hf-context-XXXXXX";
	const char *dockerfile = NULL;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < r->times; i++)
		hf_buf_puts(&text, r->piece);
	const char *ignore = hf_sprintf(a, "%s/.dockerignore", folder),
		   *file = hf_sprintf(a, "%s/Dockerfile", folder);
	assert_int_equal(hf_fs_replace(ignore, hf_buf_str(&text), HF_FS_KEEP, &err), 0);
	assert_int_equal(hf_fs_replace(file, HF_STR("FROM x\n"), HF_FS_KEEP, &err), 0);
	hf_auto_fd out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(hf_docker_context(a, folder, NULL, out, &dockerfile, &err), r->want);
	assert_int_equal(hf_fs_remove_tree(folder, &err), 0);
}

int main(void)
{
	UNIT_ROWS(tests, rows, ignore_row);
	return UNIT_RUN(tests);
}
