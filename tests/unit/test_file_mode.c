#include <sys/stat.h>

#include "modules/file_mode.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *text;
	mode_t now;
	int want; /* -1: refused */
} rows[] = {
	{ "octal", "0644", S_IFREG | 0600, 0644 },
	{ "octal without zero", "755", S_IFREG | 0600, 0755 },
	{ "octal of Python", "0o750", S_IFREG, 0750 },
	{ "setuid", "4755", S_IFREG, 04755 },
	{ "too many bits", "100644", S_IFREG, -1 },
	{ "set all", "u=rwx,g=rx,o=", S_IFREG | 0777, 0750 },
	{ "add", "g+w", S_IFREG | 0644, 0664 },
	{ "take", "go-rwx", S_IFREG | 0777, 0700 },
	{ "a", "a+x", S_IFREG | 0644, 0755 },
	{ "X on a file", "a+X", S_IFREG | 0644, 0644 },
	{ "X on a program", "a+X", S_IFREG | 0744, 0755 },
	{ "X on a directory", "a+X", S_IFDIR | 0700, 0711 },
	{ "copy from group", "o=g", S_IFREG | 0750, 0755 },
	{ "sticky", "o+t", S_IFDIR | 0777, 01777 },
	{ "setgid", "g+s", S_IFDIR | 0755, 02755 },
	{ "two operators", "u=rw+x", S_IFREG | 0600, 0700 },
	{ "unknown letter", "u=q", S_IFREG, -1 },
	{ "unknown user", "z+r", S_IFREG, -1 },
	{ "word", "rwx", S_IFREG, -1 },
	{ "digit out of range", "0698", S_IFREG, -1 },
};

static void mode_row(void **state)
{
	const struct row *r = *state;
	struct hf_error err;
	mode_t got = 0;
	int result = hf_file_mode_parse(r->text, r->now, &got, &err);
	assert_int_equal(result < 0, r->want < 0);
	if (r->want >= 0)
		assert_int_equal(got, r->want);
}

int main(void)
{
	umask(022);
	UNIT_ROWS(tests, rows, mode_row);
	return UNIT_RUN(tests);
}
