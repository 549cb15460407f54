#include "modules/systemd_files.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/str.h"

enum { ENTRIES_MAX = 20000, FILE_MAX = 256 << 10, TARGET_MAX = 4096 };

/* Where people and packages put units, the first that has one counts; the others are systemd's own business.
 */
static const char *const plain[] = { "/etc/systemd/system", "/run/systemd/system",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
	"/lib/systemd/system" /* where /lib is no link */ };
static const char *const own[] = { "/etc/systemd/system.control", "/run/systemd/system.control",
	"/run/systemd/transient", "/run/systemd/generator.early", "/run/systemd/generator",
	"/run/systemd/generator.late", "/etc/systemd/system.attached", "/run/systemd/system.attached" };

/* What was found of one unit in all folders. */
struct found {
	struct hf_arena *arena;
	const char *root, *unit;
	const char *file; /* its unit file; NULL: none so far */
	bool doubt, masked;
	bool enabled; /* by a link in /etc, as `systemctl enable` makes them */
};

/* The last part of what a link leads to; "" where it is none. */
static const char *link_leads(struct hf_arena *a, const char *path, bool *ret_null)
{
	char target[TARGET_MAX] HF_UNINITIALIZED;
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	*ret_null = false;
	if (n <= 0)
		return "";
	target[n] = '\0';
	*ret_null = strcmp(target, "/dev/null") == 0;
	return hf_strdup(a, hf_path_base(target));
}

/* X.wants, X.requires and X.upholds of a folder: units that others draw in. */
static void draws_look(struct found *f, const char *dir, bool etc)
{
	bool null;
	const char *path = hf_path_join(f->arena, dir, f->unit);
	struct stat st;
	if (lstat(path, &st) < 0)
		return;
	if (etc && S_ISLNK(st.st_mode) && strcmp(link_leads(f->arena, path, &null), f->unit) == 0)
		f->enabled = true;
	else
		f->doubt = true;
}

static bool draws(const char *name)
{
	return hf_str_ends(hf_str(name), ".wants") || hf_str_ends(hf_str(name), ".requires") ||
	       hf_str_ends(hf_str(name), ".upholds");
}

/* Text of drop-ins may add to what installs it. */
static void drop_ins_look(struct found *f, const char *dir)
{
	hf_auto_dir d = opendir(dir);
	struct dirent *e;
	for (int i = 0; d != NULL && (e = readdir(d)) != NULL; i++) {
		struct hf_str text = { 0 };
		if (i > ENTRIES_MAX)
			f->doubt = true;
		if (i > ENTRIES_MAX)
			return;
		if (e->d_name[0] == '.')
			continue;
		bool read = hf_fs_read(f->arena, hf_path_join(f->arena, dir, e->d_name), FILE_MAX, &text,
				    NULL) == 0;
		f->doubt = f->doubt || !read || hf_str_find(text, HF_STR("[Install]"), 0) < text.n;
	}
}

static void entry_look(struct found *f, const char *dir, const struct dirent *e, bool etc)
{
	bool null;
	const char *path = hf_path_join(f->arena, dir, e->d_name), *suffix = strrchr(f->unit, '.');
	const char *family = hf_sprintf(f->arena, "-%s.d", suffix);
	if (draws(e->d_name))
		draws_look(f, path, etc);
	else if (strcmp(e->d_name, hf_sprintf(f->arena, "%s.d", f->unit)) == 0 ||
		 strcmp(e->d_name, family + 2) == 0 || hf_str_ends(hf_str(e->d_name), family))
		drop_ins_look(f, path);
	else if (strcmp(e->d_name, f->unit) != 0 && (e->d_type == DT_LNK || e->d_type == DT_UNKNOWN))
		f->doubt = f->doubt || strcmp(link_leads(f->arena, path, &null), f->unit) == 0;
}

static void unit_look(struct found *f, const char *path)
{
	bool null;
	struct stat st;
	if (f->file != NULL || lstat(path, &st) < 0)
		return;
	f->file = path;
	(void)link_leads(f->arena, path, &null);
	f->masked = S_ISLNK(st.st_mode) && null;
	f->doubt = f->doubt || (!f->masked && (!S_ISREG(st.st_mode) || st.st_size == 0));
}

static void folder_look(struct found *f, const char *dir, bool etc)
{
	hf_auto_dir d = opendir(dir);
	struct dirent *e;
	for (int i = 0; d != NULL && !f->doubt && (e = readdir(d)) != NULL; i++) {
		f->doubt = i > ENTRIES_MAX;
		entry_look(f, dir, e, etc);
	}
}

/* Whether one line of [Install] is plain; ret_some: and has something to enable. */
static bool install_line(struct hf_str line, bool *ret_some)
{
	static const char *const keys[] = { "WantedBy", "RequiredBy", "UpheldBy" };
	const char *equals = memchr(line.p, '=', line.n);
	if (equals == NULL || line.p[line.n - 1] == '\\')
		return false;
	struct hf_str key = hf_str_trim(hf_strn(line.p, (size_t)(equals - line.p)));
	for (size_t i = 0; i < HF_COUNT(keys); i++) {
		if (!hf_str_is(key, keys[i]))
			continue;
		*ret_some = true;
		return equals + 1 < line.p + line.n; /* an empty one takes back what stands above */
	}
	return hf_str_is(key, "Also");
}

/* Whether the text has something to enable, and nothing that gives it other names. */
static bool installs(struct hf_str text)
{
	bool inside = false, some = false;
	struct hf_str line;
	while (hf_str_split(&text, '\n', &line)) {
		line = hf_str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (line.p[0] == '[')
			inside = hf_str_is(line, "[Install]");
		else if (inside && !install_line(line, &some))
			return false;
	}
	return some;
}

static bool there(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static bool owned_elsewhere(const struct found *f)
{
	for (size_t i = 0; i < HF_COUNT(own); i++)
		if (there(hf_sprintf(f->arena, "%s%s/%s", f->root, own[i], f->unit)))
			return true;
	return there(hf_sprintf(
		f->arena, "%s/etc/init.d/%.*s", f->root, (int)(strrchr(f->unit, '.') - f->unit), f->unit));
}

enum hf_unit_files hf_unit_files_say(struct hf_arena *a, const char *root, const char *unit)
{
	struct found f = { .arena = a, .root = root, .unit = unit };
	struct hf_str text = { 0 };
	f.doubt = strchr(unit, '@') != NULL || strchr(unit, '/') != NULL || strchr(unit, '.') == NULL ||
		  owned_elsewhere(&f);
	for (size_t i = 0; !f.doubt && i < HF_COUNT(plain); i++) {
		const char *dir = hf_sprintf(a, "%s%s", root, plain[i]);
		unit_look(&f, hf_path_join(a, dir, unit));
		folder_look(&f, dir, i == 0);
	}
	for (size_t i = 0; !f.doubt && i < HF_COUNT(own); i++)
		folder_look(&f, hf_sprintf(a, "%s%s", root, own[i]), false);
	if (f.doubt)
		return HF_UNIT_FILES_DOUBT;
	if (f.masked)
		return HF_UNIT_FILES_MASKED;
	if (f.file == NULL)
		return f.enabled ? HF_UNIT_FILES_DOUBT : HF_UNIT_FILES_NONE;
	if (hf_fs_read(a, f.file, FILE_MAX, &text, NULL) < 0 || !installs(text))
		return HF_UNIT_FILES_DOUBT;
	return f.enabled ? HF_UNIT_FILES_ENABLED : HF_UNIT_FILES_DISABLED;
}
