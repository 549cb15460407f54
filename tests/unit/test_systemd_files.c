/* What files alone say of a unit, which is what `systemctl is-enabled` of systemd 252 said to the same files;
 * and where they say nothing for certain. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "modules/systemd_files.h"
#include "tests/unit/unit.h"

enum { ENTRIES = 5 };
#define ETC   "/etc/systemd/system"
#define LIB   "/usr/lib/systemd/system"
#define UNIT  "[Service]\nExecStart=/bin/true\n"
#define PLAIN UNIT "[Install]\nWantedBy=multi-user.target\n"
#define WANTS ETC "/multi-user.target.wants/a.service"

/* An entry whose text begins with "->" is a link. */
static const struct row {
	const char *title;
	struct {
		const char *path, *text;
	} entries[ENTRIES];
	enum hf_unit_files want;
} rows[] = {
	{ "nothing there", { { NULL } }, HF_UNIT_FILES_NONE },
	{ "disabled", { { ETC "/a.service", PLAIN } }, HF_UNIT_FILES_DISABLED },
	{ "disabled, of a package", { { LIB "/a.service", PLAIN } }, HF_UNIT_FILES_DISABLED },
	{ "enabled", { { ETC "/a.service", PLAIN }, { WANTS, "->" ETC "/a.service" } },
		HF_UNIT_FILES_ENABLED },
	{ "enabled by a relative link", { { ETC "/a.service", PLAIN }, { WANTS, "->../a.service" } },
		HF_UNIT_FILES_ENABLED },
	{ "enabled, of a package", { { LIB "/a.service", PLAIN }, { WANTS, "->" LIB "/a.service" } },
		HF_UNIT_FILES_ENABLED },
	{ "required",
		{ { ETC "/a.service", UNIT "[Install]\nRequiredBy = x.target\n" },
			{ ETC "/x.target.requires/a.service", "->../a.service" } },
		HF_UNIT_FILES_ENABLED },
	{ "by hand into another target",
		{ { ETC "/a.service", PLAIN }, { ETC "/x.target.wants/a.service", "->../a.service" } },
		HF_UNIT_FILES_ENABLED },
	{ "masked", { { ETC "/a.service", "->/dev/null" } }, HF_UNIT_FILES_MASKED },
	{ "masked, of a package, and enabled",
		{ { LIB "/a.service", PLAIN }, { ETC "/a.service", "->/dev/null" },
			{ WANTS, "->" LIB "/a.service" } },
		HF_UNIT_FILES_MASKED },
	{ "masked until the next boot",
		{ { LIB "/a.service", PLAIN }, { "/run/systemd/system/a.service", "->/dev/null" } },
		HF_UNIT_FILES_MASKED },
	{ "somebody's own in place of the package's",
		{ { LIB "/a.service", UNIT }, { ETC "/a.service", PLAIN } }, HF_UNIT_FILES_DISABLED },
	{ "a drop-in", { { ETC "/a.service", PLAIN }, { ETC "/a.service.d/x.conf", "[Service]\nNice=3\n" } },
		HF_UNIT_FILES_DISABLED },
	{ "a drop-in for all",
		{ { ETC "/a.service", PLAIN }, { LIB "/service.d/x.conf", "[Service]\nNice=3\n" } },
		HF_UNIT_FILES_DISABLED },
	{ "also another", { { ETC "/a.service", PLAIN "Also=b.service\n" }, { ETC "/b.service", PLAIN } },
		HF_UNIT_FILES_DISABLED },
	{ "another's link",
		{ { ETC "/a.service", PLAIN },
			{ ETC "/multi-user.target.wants/b.service", "->../b.service" } },
		HF_UNIT_FILES_DISABLED },
	{ "a comment in between",
		{ { ETC "/a.service", UNIT "[Install]\n# to be started\n; WantedBy=\nWantedBy=x.target\n" } },
		HF_UNIT_FILES_DISABLED },

	{ "nothing to install", { { ETC "/a.service", UNIT } }, HF_UNIT_FILES_DOUBT },
	{ "only a comment", { { ETC "/a.service", UNIT "[Install]\n#WantedBy=x.target\n" } },
		HF_UNIT_FILES_DOUBT },
	{ "wanted in another section", { { ETC "/a.service", "[Unit]\nWantedBy=x.target\n" } },
		HF_UNIT_FILES_DOUBT },
	{ "only also another", { { ETC "/a.service", UNIT "[Install]\nAlso=b.service\n" } },
		HF_UNIT_FILES_DOUBT },
	{ "another name", { { ETC "/a.service", PLAIN "Alias=b.service\n" } }, HF_UNIT_FILES_DOUBT },
	{ "taken back", { { ETC "/a.service", PLAIN "WantedBy=\n" } }, HF_UNIT_FILES_DOUBT },
	{ "a line that goes on",
		{ { ETC "/a.service", UNIT "[Install]\nWantedBy=x.target \\\n y.target\n" } },
		HF_UNIT_FILES_DOUBT },
	{ "a drop-in that installs",
		{ { ETC "/a.service", UNIT },
			{ ETC "/a.service.d/x.conf", "[Install]\nWantedBy=x.target\n" } },
		HF_UNIT_FILES_DOUBT },
	{ "an empty file", { { ETC "/a.service", "" } }, HF_UNIT_FILES_DOUBT },
	{ "a linked unit", { { "/srv/a.service", PLAIN }, { ETC "/a.service", "->/srv/a.service" } },
		HF_UNIT_FILES_DOUBT },
	{ "a link that another name has",
		{ { LIB "/a.service", PLAIN }, { ETC "/b.service", "->" LIB "/a.service" } },
		HF_UNIT_FILES_DOUBT },
	{ "drawn in by its package",
		{ { LIB "/a.service", PLAIN }, { LIB "/x.target.wants/a.service", "->../a.service" } },
		HF_UNIT_FILES_DOUBT },
	{ "until the next boot",
		{ { ETC "/a.service", PLAIN },
			{ "/run/systemd/system/x.target.wants/a.service", "->" ETC "/a.service" } },
		HF_UNIT_FILES_DOUBT },
	{ "generated", { { "/run/systemd/generator/a.service", PLAIN } }, HF_UNIT_FILES_DOUBT },
	{ "drawn in by what was generated",
		{ { ETC "/a.service", PLAIN },
			{ "/run/systemd/generator/x.target.wants/a.service", "->" ETC "/a.service" } },
		HF_UNIT_FILES_DOUBT },
	{ "an init script", { { ETC "/a.service", PLAIN }, { "/etc/init.d/a", "#!/bin/sh\n" } },
		HF_UNIT_FILES_DOUBT },
	{ "a link of a unit that is gone", { { WANTS, "->../a.service" } }, HF_UNIT_FILES_DOUBT },
	{ "a file instead of a link", { { ETC "/a.service", PLAIN }, { WANTS, "" } }, HF_UNIT_FILES_DOUBT },
};

static void entry_make(struct hf_arena *a, const char *root, const char *path, const char *text)
{
	char *whole = hf_sprintf(a, "%s%s", root, path);
	assert_int_equal(hf_fs_mkdirs(hf_path_dir(a, whole), 0755, NULL), 0);
	if (strncmp(text, "->", 2) == 0) {
		assert_int_equal(symlink(text + 2, whole), 0);
		return;
	}
	FILE *file = fopen(whole, "we");
	assert_non_null(file);
	assert_int_equal(fputs(text, file) < 0, 0);
	assert_int_equal(fclose(file), 0);
}

static void row_check(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	char root[] = "/tmp/hf-units-XXXXXX";
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < ENTRIES && r->entries[i].path != NULL; i++)
		entry_make(a, root, r->entries[i].path, r->entries[i].text);
	assert_int_equal(hf_unit_files_say(a, root, "a.service"), r->want);
	assert_int_equal(hf_fs_remove_tree(root, NULL), 0);
}

static void names_are_checked(void **state)
{
	hf_auto_arena a = hf_arena_new();
	static const char *const names[] = { "a@b.service", "a", "../a.service", NULL };
	for (size_t i = 0; names[i] != NULL; i++)
		assert_int_equal(hf_unit_files_say(a, "/nowhere", names[i]), HF_UNIT_FILES_DOUBT);
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD_ROWS(&tests, rows, row_check);
	UNIT_ADD(&tests, names_are_checked);
	return unit_run(&tests);
}
