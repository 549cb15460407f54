#include "modules/unarchive_work.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/accounts.h"
#include "modules/archive_late.h"
#include "modules/file_mode.h"
#include "modules/host.h"

enum { MEMBERS_MAX = 2000000, BLOCK_SIZE = 1 << 16 };

/* How extra_opts may be spelled; all others are refused by name. */
enum option_kind {
	OPT_STRIP,
	OPT_EXCLUDE,
	OPT_OWNER,
	OPT_NO_OWNER,
	OPT_PERMS,
	OPT_NO_PERMS,
	OPT_JUNK,
	OPT_WILDCARDS,
	OPT_NOTHING
};
static const struct option_row {
	const char *name;
	enum option_kind kind;
	bool zip, value;
} option_rows[] = {
	{ "--strip-components", OPT_STRIP, false, true },
	{ "--strip", OPT_STRIP, false, true },
	{ "--exclude", OPT_EXCLUDE, false, true },
	{ "--same-owner", OPT_OWNER, false, false },
	{ "--no-same-owner", OPT_NO_OWNER, false, false },
	{ "-o", OPT_NO_OWNER, false, false },
	{ "-p", OPT_PERMS, false, false },
	{ "--same-permissions", OPT_PERMS, false, false },
	{ "--preserve-permissions", OPT_PERMS, false, false },
	{ "--no-same-permissions", OPT_NO_PERMS, false, false },
	{ "--overwrite", OPT_NOTHING, false, false },
	{ "--no-overwrite-dir", OPT_NOTHING, false, false },
	{ "--wildcards", OPT_WILDCARDS, false, false },
	{ "-o", OPT_NOTHING, true, false },
	{ "-j", OPT_JUNK, true, false },
};

static const struct option_row *option_find(struct hf_str word, bool zip)
{
	const char *equals = memchr(word.p, '=', word.n);
	struct hf_str name = equals != NULL ? hf_strn(word.p, (size_t)(equals - word.p)) : word;
	for (size_t i = 0; i < HF_COUNT(option_rows); i++)
		if (option_rows[i].zip == zip && hf_str_is(name, option_rows[i].name))
			return &option_rows[i];
	return NULL;
}

static int option_take(struct hf_arena *a, const struct option_row *row, struct hf_str value,
	struct hf_unarchive_options *o, struct hf_error *err)
{
	uint64_t number;
	switch (row->kind) {
	case OPT_STRIP:
		if (!hf_str_to_uint64(value, &number) || number > PATH_MAX)
			return hf_fail(err, HF_E_ARGUMENT, "extra_opts: %s wants a number", row->name);
		o->strip = (unsigned)number;
		break;
	case OPT_EXCLUDE:
		hf_list_append(o->exclude, hf_value_str(a, value));
		break;
	case OPT_OWNER:
	case OPT_NO_OWNER:
		o->same_owner = row->kind == OPT_OWNER;
		break;
	case OPT_PERMS:
	case OPT_NO_PERMS:
		o->same_permissions = row->kind == OPT_PERMS;
		break;
	case OPT_JUNK:
		o->junk_paths = true;
		break;
	case OPT_WILDCARDS:
		o->wildcards = true;
		break;
	case OPT_NOTHING:
		break;
	}
	return 0;
}

int hf_unarchive_options(struct hf_arena *a, const struct hf_value *extra, bool zip,
	struct hf_unarchive_options *ret, struct hf_error *err)
{
	struct hf_unarchive_options o = {
		.same_owner = -1, .same_permissions = -1, .exclude = hf_value_list(a)
	};
	for (size_t i = 0; extra != NULL && i < hf_list_len(extra); i++) {
		struct hf_str word = hf_str_trim(hf_value_text(a, hf_list_at(extra, i)));
		const struct option_row *row = option_find(word, zip);
		if (row == NULL)
			return hf_fail(err, HF_E_UNSUPPORTED, "extra_opts: %.*s is not done without %s(1)",
				HF_STR_ARG(word), zip ? "unzip" : "tar");
		const char *equals = memchr(word.p, '=', word.n);
		struct hf_str value = HF_STR("");
		if (equals != NULL)
			value = hf_strn(equals + 1, (size_t)(word.p + word.n - equals - 1));
		else if (row->value && i + 1 < hf_list_len(extra))
			value = hf_value_text(a, hf_list_at(extra, ++i));
		int result = option_take(a, row, value, &o, err);
		if (result < 0)
			return result;
	}
	*ret = o;
	return 0;
}

static int reader_open(struct hf_unarchive *u, struct archive **ret)
{
	int result = hf_archive_ready(u->err);
	if (result < 0)
		return result;
	hf_auto_archive_reader r = archive_read_new();
	archive_read_support_filter_all(r);
	archive_read_support_format_tar(r);
	archive_read_support_format_zip(r);
	if (archive_read_open_filename(r, u->archive, BLOCK_SIZE) != ARCHIVE_OK)
		return hf_fail(u->err, HF_E_TASK,
			"Failed to find handler for \"%s\". Make sure the required command to extract the "
			"file is "
			"installed.\n%s",
			u->archive, archive_error_string(r));
	*ret = r;
	r = NULL;
	return 0;
}

/* Ansible names the class that unpacked it; its plain tar class takes every compression but gzip. */
static const char *handler_name(struct archive *r)
{
	if ((archive_format(r) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP)
		return "ZipArchive";
	return archive_filter_code(r, 0) == ARCHIVE_FILTER_GZIP ? "TgzArchive" : "TarArchive";
}

static bool pattern_matches(const char *pattern, const char *name, bool zip)
{
	if (zip)
		return fnmatch(pattern, name, FNM_NOESCAPE) == 0;
	char trimmed[PATH_MAX];
	size_t n = strlen(pattern);
	while (n > 1 && pattern[n - 1] == '/')
		n--;
	if (n >= sizeof(trimmed))
		return false;
	memcpy(trimmed, pattern, n);
	trimmed[n] = '\0';
	/* tar: the pattern may start at any component and covers all below what it matches */
	for (const char *at = name; at != NULL; at = strchr(at, '/') != NULL ? strchr(at, '/') + 1 : NULL)
		if (fnmatch(trimmed, at, FNM_LEADING_DIR) == 0)
			return true;
	return false;
}

static bool list_matches(struct hf_arena *a, const struct hf_value *list, const char *name, bool zip)
{
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++)
		if (pattern_matches(hf_value_text(a, hf_list_at(list, i)).p, name, zip))
			return true;
	return false;
}

/* tar takes what is to come out by its whole name, or that of a folder it lies in. */
static bool include_matches(const struct hf_unarchive *u, const char *pattern, const char *name)
{
	if (u->zip)
		return fnmatch(pattern, name, FNM_NOESCAPE) == 0;
	struct hf_str whole = hf_str(pattern);
	while (whole.n > 1 && whole.p[whole.n - 1] == '/')
		whole.n--;
	if (u->options.wildcards)
		return fnmatch(hf_str_dup(hf_task_arena(u->c), whole), name, FNM_LEADING_DIR) == 0;
	return hf_str_starts(hf_str(name), hf_str_dup(hf_task_arena(u->c), whole)) &&
	       (name[whole.n] == '\0' || name[whole.n] == '/');
}

static bool included(struct hf_unarchive *u, const char *name)
{
	size_t n = u->p->include == NULL ? 0 : hf_list_len(u->p->include);
	bool any = n == 0;
	for (size_t i = 0; i < n; i++) {
		const char *pattern = hf_value_text(hf_task_arena(u->c), hf_list_at(u->p->include, i)).p;
		bool one = include_matches(u, pattern, name);
		u->found[i] = u->found[i] || one;
		any = any || one;
	}
	return any;
}

/* Ansible's tar would say so when it lists the archive, its unzip when it unpacks it. */
static int included_check(const struct hf_unarchive *u)
{
	size_t n = u->p->include == NULL ? 0 : hf_list_len(u->p->include);
	for (size_t i = 0; i < n; i++) {
		const char *name = hf_value_text(hf_task_arena(u->c), hf_list_at(u->p->include, i)).p;
		if (!u->found[i] && u->zip)
			return hf_fail(u->err, HF_E_TASK,
				"failed to unpack %s to %s: %s is not in the archive", u->p->src, u->p->dest,
				name);
		if (!u->found[i])
			return hf_fail(u->err, HF_E_TASK,
				"Failed to find handler for \"%s\". Make sure the required command to "
				"extract "
				"the file is installed.\nUnable to list files in the archive: %s: Not found "
				"in "
				"archive",
				u->archive, name);
	}
	return 0;
}

/* Where a member lies below dest; NULL when strip leaves nothing of it. */
static const char *member_place(const struct hf_unarchive *u, const char *name)
{
	for (unsigned i = 0; i < u->options.strip && name != NULL; i++) {
		const char *slash = strchr(name, '/');
		name = slash != NULL ? slash + strspn(slash, "/") : NULL;
	}
	if (name != NULL && u->options.junk_paths) {
		const char *slash = strrchr(name, '/');
		name = slash != NULL ? slash + 1 : name;
	}
	return name == NULL || *name == '\0' ? NULL : hf_strdup(hf_task_arena(u->c), name);
}

/* Name below dest, NULL when this member is not wanted. */
static const char *member_name(struct hf_unarchive *u, struct archive_entry *e)
{
	struct hf_arena *a = hf_task_arena(u->c);
	const char *name = archive_entry_pathname(e);
	if (name == NULL)
		return NULL;
	name += strspn(name, "/");
	if (!included(u, name) || list_matches(a, u->p->exclude, name, u->zip) ||
		list_matches(a, u->options.exclude, name, u->zip))
		return NULL;
	return member_place(u, name);
}

/* A folder that strip leaves no name of: tar lists it as an empty one. */
static bool stripped_whole(struct hf_unarchive *u, struct archive_entry *e)
{
	const char *name = archive_entry_pathname(e);
	struct hf_arena *a = hf_task_arena(u->c);
	return u->options.strip > 0 && archive_entry_filetype(e) == AE_IFDIR && name != NULL &&
	       included(u, name) && !list_matches(a, u->p->exclude, name, u->zip) &&
	       !list_matches(a, u->options.exclude, name, u->zip);
}

static int member_refused(struct hf_unarchive *u, const char *name)
{
	struct hf_str rest = hf_str(name), part;
	while (hf_str_split(&rest, '/', &part))
		if (hf_str_is(part, ".."))
			return hf_fail(u->err, HF_E_TASK, "%s: member %s would leave the destination",
				u->archive, name);
	return 0;
}

static bool owner_kept(const struct hf_unarchive *u)
{
	if (u->zip)
		return false;
	return u->options.same_owner >= 0 ? u->options.same_owner == 1 : geteuid() == 0;
}

static mode_t member_mode(const struct hf_unarchive *u, struct archive_entry *e)
{
	mode_t mode = archive_entry_perm(e) & 07777;
	if (u->zip)
		return mode & 0777;
	bool kept = u->options.same_permissions >= 0 ? u->options.same_permissions == 1 : geteuid() == 0;
	return kept ? mode : mode & ~hf_file_umask();
}

/* Bytes of the member against the file: zip members are compared whole, as their times are rounded. */
static bool data_same(struct archive *r, const char *path)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char mine[BLOCK_SIZE], other[BLOCK_SIZE];
	for (la_ssize_t n; (n = archive_read_data(r, other, sizeof(other))) != 0;) {
		if (n < 0 || fd < 0)
			return false;
		for (la_ssize_t at = 0; at < n;) {
			ssize_t got = read(fd, mine, (size_t)(n - at));
			if (got <= 0 || memcmp(mine, other + at, (size_t)got) != 0)
				return false;
			at += got;
		}
	}
	return true;
}

static bool owner_differs(const struct hf_unarchive *u, struct archive_entry *e, const struct stat *st)
{
	uid_t uid;
	gid_t gid;
	if (!owner_kept(u))
		return false;
	const char *user = archive_entry_uname(e), *group = archive_entry_gname(e);
	if (user == NULL || *user == '\0' || !hf_accounts_uid(user, &uid))
		uid = (uid_t)archive_entry_uid(e);
	if (group == NULL || *group == '\0' || !hf_accounts_gid(group, &gid))
		gid = (gid_t)archive_entry_gid(e);
	return (u->p->attr.owner == NULL && uid != st->st_uid) ||
	       (u->p->attr.group == NULL && gid != st->st_gid);
}

static bool regular_differs(struct hf_unarchive *u, struct archive *r, struct archive_entry *e,
	const char *path, const struct stat *st)
{
	time_t mtime = archive_entry_mtime(e);
	if (archive_entry_mtime_is_set(e) && mtime != st->st_mtim.tv_sec)
		return u->p->keep_newer != HF_YES || mtime > st->st_mtim.tv_sec;
	if (archive_entry_size_is_set(e) && archive_entry_size(e) != st->st_size)
		return true;
	return u->zip && !data_same(r, path);
}

static bool member_differs(
	struct hf_unarchive *u, struct archive *r, struct archive_entry *e, const char *path)
{
	struct stat st;
	char target[PATH_MAX];
	if (lstat(path, &st) < 0)
		return true;
	if (archive_entry_hardlink(e) != NULL)
		return false;
	if ((st.st_mode & S_IFMT) != archive_entry_filetype(e))
		return true;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		return strcmp(target, archive_entry_symlink(e)) != 0;
	}
	if (u->p->attr.mode == NULL && (st.st_mode & 07777) != member_mode(u, e))
		return true;
	if (S_ISDIR(st.st_mode))
		return owner_differs(u, e, &st);
	return owner_differs(u, e, &st) || regular_differs(u, r, e, path, &st);
}

typedef int (*member_visit)(struct hf_unarchive *u, struct archive *r, struct archive_entry *e,
	const char *name, const char *path, struct archive *writer);

static int members_each(struct hf_unarchive *u, member_visit visit, struct archive *writer)
{
	struct archive *opened = NULL;
	int result = reader_open(u, &opened);
	if (result < 0)
		return result;
	hf_auto_archive_reader r = opened;
	struct archive_entry *e;
	int step = ARCHIVE_EOF;
	for (size_t n = 0; (step = archive_read_next_header(r, &e)) == ARCHIVE_OK || step == ARCHIVE_WARN;
		n++) {
		if (n >= MEMBERS_MAX)
			return hf_fail(
				u->err, HF_E_LIMIT, "%s: more than %d members", u->archive, MEMBERS_MAX);
		if (n == 0) {
			u->handler = handler_name(r);
			u->zip = strcmp(u->handler, "ZipArchive") == 0;
		}
		const char *name = member_name(u, e);
		if (name == NULL && writer == NULL && stripped_whole(u, e)) {
			u->dest_itself = true;
			hf_list_append(u->files, hf_value_cstr(hf_task_arena(u->c), ""));
		}
		if (name == NULL)
			continue;
		result = member_refused(u, name);
		if (result == 0)
			result = visit(
				u, r, e, name, hf_path_join(hf_task_arena(u->c), u->dest, name), writer);
		if (result < 0)
			return result;
	}
	if (step != ARCHIVE_EOF)
		return hf_fail(u->err, HF_E_TASK,
			"Failed to find handler for \"%s\". Make sure the required command to extract the "
			"file is "
			"installed.\n%s",
			u->archive, archive_error_string(r));
	return 0;
}

/* path, and before it the directories above it that are missing: each once, from the outermost in. */
static void differs_add(struct hf_unarchive *u, const char *path)
{
	struct hf_arena *a = hf_task_arena(u->c);
	for (const char *slash = strchr(path + strlen(u->dest) + 1, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		const char *dir = hf_strndup(a, path, (size_t)(slash - path));
		if (!hf_fs_exists(dir))
			hf_map_set(&u->differs, dir, u);
	}
	hf_map_set(&u->differs, hf_strdup(a, path), u);
}

static int visit_compare(struct hf_unarchive *u, struct archive *r, struct archive_entry *e, const char *name,
	const char *path, struct archive *writer)
{
	hf_list_append(u->files, hf_value_cstr(hf_task_arena(u->c), name));
	bool attributes = false;
	bool differs = member_differs(u, r, e, path);
	if (!differs &&
		hf_file_attr_sync(u->c, u->change, path, &u->p->attr, NULL, false, &attributes, u->err) < 0)
		return -HF_E_TASK;
	if (differs || attributes) {
		u->changed = true;
		differs_add(u, path);
	}
	return 0;
}

int hf_unarchive_compare(struct hf_unarchive *u)
{
	struct hf_arena *a = hf_task_arena(u->c);
	bool attributes = false;
	hf_map_init_str(&u->differs, a);
	u->files = hf_value_list(a);
	u->found = hf_new_array(a, u->p->include == NULL ? 1 : hf_list_len(u->p->include) + 1, bool);
	int result = members_each(u, visit_compare, NULL);
	if (result == 0)
		result = included_check(u);
	if (result == 0 && u->dest_itself)
		result = hf_file_attr_sync(
			u->c, u->change, u->dest, &u->p->attr, NULL, false, &attributes, u->err);
	if (attributes) {
		u->changed = true;
		hf_map_set(&u->differs, u->dest, u);
	}
	return result;
}

static void word_put(struct hf_value *list, struct hf_arena *a, const char *prefix, const char *text)
{
	hf_list_append(list, hf_value_cstr(a, hf_sprintf(a, "%s%s", prefix, text)));
}

static void words_put(
	struct hf_value *list, struct hf_arena *a, const char *prefix, const struct hf_value *words)
{
	for (size_t i = 0; words != NULL && i < hf_list_len(words); i++)
		word_put(list, a, prefix, hf_value_text(a, hf_list_at(words, i)).p);
}

static bool any(const struct hf_value *list)
{
	return list != NULL && hf_list_len(list) > 0;
}

struct hf_value *hf_unarchive_command(const struct hf_unarchive *u)
{
	const struct hf_unarchive_params *p = u->p;
	struct hf_arena *a = hf_task_arena(u->c);
	struct hf_value *out = u->zip ? hf_text_list(a, "/usr/bin/unzip", "-o", NULL)
				      : hf_text_list(a, "/usr/bin/tar", "--extract", "-C", u->dest, NULL);
	if (u->zip) {
		words_put(out, a, "", p->extra_opts);
		word_put(out, a, "", u->archive);
		if (any(p->exclude))
			word_put(out, a, "", "-x");
		words_put(out, a, "", p->exclude);
		words_put(out, a, "", p->include);
		word_put(out, a, "", "-d");
		word_put(out, a, "", u->dest);
		return out;
	}
	if (hf_same(u->handler, "TgzArchive"))
		word_put(out, a, "", "-z");
	if (any(p->extra_opts))
		word_put(out, a, "", "--show-transformed-names");
	words_put(out, a, "", p->extra_opts);
	if (p->attr.owner != NULL)
		word_put(out, a, "--owner=", p->attr.owner);
	if (p->attr.group != NULL)
		word_put(out, a, "--group=", p->attr.group);
	if (p->keep_newer == HF_YES)
		word_put(out, a, "", "--keep-newer-files");
	words_put(out, a, "--exclude=", p->exclude);
	word_put(out, a, "", "-f");
	word_put(out, a, "", u->archive);
	words_put(out, a, "", p->include);
	return out;
}

static int writer_failed(struct hf_unarchive *u, struct archive *writer, const char *path)
{
	return hf_fail(u->err, HF_E_TASK, "failed to unpack %s to %s: %s: %s", u->p->src, u->p->dest, path,
		archive_error_string(writer));
}

static int data_copy(struct hf_unarchive *u, struct archive *r, struct archive *writer, const char *path)
{
	const void *block;
	size_t n;
	la_int64_t offset;
	int step;
	while ((step = archive_read_data_block(r, &block, &n, &offset)) == ARCHIVE_OK)
		if (archive_write_data_block(writer, block, n, offset) < ARCHIVE_OK)
			return writer_failed(u, writer, path);
	if (step != ARCHIVE_EOF)
		return hf_fail(
			u->err, HF_E_TASK, "failed to unpack %s: %s", u->archive, archive_error_string(r));
	return 0;
}

static int visit_extract(struct hf_unarchive *u, struct archive *r, struct archive_entry *e, const char *name,
	const char *path, struct archive *writer)
{
	struct hf_arena *a = hf_task_arena(u->c);
	struct stat st;
	if (u->p->keep_newer == HF_YES && lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		st.st_mtim.tv_sec >= archive_entry_mtime(e))
		return 0;
	archive_entry_set_pathname(e, path);
	if (archive_entry_hardlink(e) != NULL) {
		const char *link = archive_entry_hardlink(e), *to = member_place(u, link + strspn(link, "/"));
		archive_entry_set_hardlink(e, hf_path_join(a, u->dest, to == NULL ? link : to));
	}
	archive_entry_set_perm(e, member_mode(u, e));
	if (archive_write_header(writer, e) < ARCHIVE_WARN)
		return writer_failed(u, writer, path);
	if (archive_entry_size(e) > 0 || !archive_entry_size_is_set(e)) {
		int result = data_copy(u, r, writer, path);
		if (result < 0)
			return result;
	}
	return archive_write_finish_entry(writer) < ARCHIVE_WARN ? writer_failed(u, writer, path) : 0;
}

/* owner, group and mode of the task on every member, and on the directories they lie in. */
static int attributes_set(struct hf_unarchive *u)
{
	struct hf_arena *a = hf_task_arena(u->c);
	bool changed = false;
	for (size_t i = 0; i < hf_list_len(u->files); i++) {
		const char *name = hf_value_text(a, hf_list_at(u->files, i)).p;
		const char *slash = strchr(name, '/');
		if (*name == '\0')
			continue;
		const char *top =
			slash != NULL ? hf_path_join(a, u->dest, hf_strndup(a, name, (size_t)(slash - name)))
				      : NULL;
		int result = hf_file_attr_sync(u->c, u->change, hf_path_join(a, u->dest, name), &u->p->attr,
			NULL, true, &changed, u->err);
		if (result == 0 && top != NULL)
			result = hf_file_attr_sync(
				u->c, u->change, top, &u->p->attr, NULL, true, &changed, u->err);
		if (result < 0)
			return result;
	}
	return u->dest_itself ? hf_file_attr_sync(
					u->c, u->change, u->dest, &u->p->attr, NULL, true, &changed, u->err)
			      : 0;
}

int hf_unarchive_extract(struct hf_unarchive *u)
{
	int result = hf_archive_ready(u->err);
	if (result < 0)
		return result;
	hf_auto_archive_writer writer = archive_write_disk_new();
	int flags = ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
		    ARCHIVE_EXTRACT_SECURE_NODOTDOT;
	if (owner_kept(u))
		flags |= ARCHIVE_EXTRACT_OWNER;
	archive_write_disk_set_options(writer, flags);
	archive_write_disk_set_standard_lookup(writer);
	result = members_each(u, visit_extract, writer);
	if (result == 0 && archive_write_close(writer) < ARCHIVE_WARN)
		result = writer_failed(u, writer, u->dest);
	if (result == 0)
		result = attributes_set(u);
	hf_auto_fd fd = open(u->dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (result == 0 && fd >= 0 && syncfs(fd) < 0)
		result = hf_fail_errno(u->err, HF_E_IO, "sync the file system of %s", u->dest);
	return result;
}
