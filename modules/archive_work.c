#include "modules/archive_work.h"

#include <fcntl.h>
#include <limits.h>

#include "lib/base/map.h"
#include "lib/base/scope.h"
#include "modules/accounts.h"
#include "modules/archive_late.h"

enum { BLOCK_SIZE = 1 << 16 };

static const struct kind {
	const char *format;
	int filter;
} kinds[] = {
	{ "gz", ARCHIVE_FILTER_GZIP },
	{ "bz2", ARCHIVE_FILTER_BZIP2 },
	{ "xz", ARCHIVE_FILTER_XZ },
	{ "tar", ARCHIVE_FILTER_NONE },
	{ "zip", ARCHIVE_FILTER_NONE },
};

static int filter_of(const char *format)
{
	for (size_t i = 0; i < HF_COUNT(kinds); i++)
		if (strcmp(kinds[i].format, format) == 0)
			return kinds[i].filter;
	return ARCHIVE_FILTER_NONE;
}

static bool is_zip(const struct hf_archive *w)
{
	return strcmp(w->format, "zip") == 0;
}

static bool data_same(struct archive *r, const char *path)
{
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char mine[BLOCK_SIZE], other[BLOCK_SIZE];
	la_ssize_t n = 0;
	while (fd >= 0 && (n = archive_read_data(r, other, sizeof(other))) > 0) {
		for (la_ssize_t at = 0; at < n;) {
			ssize_t got = read(fd, mine, (size_t)(n - at));
			if (got <= 0 || memcmp(mine, other + at, (size_t)got) != 0)
				return false;
			at += got;
		}
	}
	return fd >= 0 && n == 0 && read(fd, mine, 1) == 0;
}

static bool link_same(const char *path, const char *target)
{
	char now[PATH_MAX];
	ssize_t n = readlink(path, now, sizeof(now));
	return n >= 0 && target != NULL && hf_str_is(hf_strn(now, (size_t)n), target);
}

static bool entry_same(const struct hf_archive *w, struct archive *r, struct archive_entry *e,
	const struct hf_archive_member *m)
{
	const struct stat *st = &m->st;
	if (archive_entry_filetype(e) != (st->st_mode & S_IFMT))
		return false;
	bool attributes = (archive_entry_perm(e) & 07777) == (st->st_mode & 07777) &&
			  (uid_t)archive_entry_uid(e) == st->st_uid &&
			  (gid_t)archive_entry_gid(e) == st->st_gid &&
			  archive_entry_mtime(e) == st->st_mtim.tv_sec;
	if (!is_zip(w) && !attributes)
		return false;
	if (S_ISLNK(st->st_mode))
		return link_same(m->path, archive_entry_symlink(e));
	return !S_ISREG(st->st_mode) || data_same(r, m->path);
}

static bool format_same(const struct hf_archive *w, struct archive *r)
{
	int base = archive_format(r) & ARCHIVE_FORMAT_BASE_MASK;
	if (is_zip(w))
		return base == ARCHIVE_FORMAT_ZIP;
	return base == ARCHIVE_FORMAT_TAR && archive_filter_code(r, 0) == filter_of(w->format);
}

static int members_same(const struct hf_archive *w, struct archive *r, bool *ret, struct hf_error *err)
{
	struct hf_map names;
	struct archive_entry *e;
	size_t seen = 0;
	int step;
	(void)err;
	hf_map_init_str(&names, w->arena);
	for (size_t i = 0; i < w->n; i++)
		hf_map_set(&names, w->members[i].name, &w->members[i]);
	while ((step = archive_read_next_header(r, &e)) == ARCHIVE_OK || step == ARCHIVE_WARN) {
		struct hf_str name = hf_str(archive_entry_pathname(e));
		while (name.n > 0 && name.p[name.n - 1] == '/')
			name.n--;
		const struct hf_archive_member *m = hf_map_get(&names, hf_str_dup(w->arena, name));
		if (m == NULL || !format_same(w, r) || !entry_same(w, r, e, m))
			return 0;
		seen++;
	}
	*ret = step == ARCHIVE_EOF && seen == w->n;
	return 0;
}

int hf_archive_same(const struct hf_archive *w, bool *ret, struct hf_error *err)
{
	struct archive_entry *e;
	struct stat st;
	*ret = false;
	if (stat(w->dest, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	int ready = hf_archive_ready(err);
	if (ready < 0)
		return ready;
	hf_auto_archive_reader r = archive_read_new();
	archive_read_support_filter_all(r);
	if (w->single) {
		archive_read_support_format_raw(r);
		archive_read_support_format_empty(r);
	} else {
		archive_read_support_format_tar(r);
		archive_read_support_format_zip(r);
	}
	if (archive_read_open_filename(r, w->dest, BLOCK_SIZE) != ARCHIVE_OK)
		return 0;
	if (!w->single)
		return members_same(w, r, ret, err);
	int step = archive_read_next_header(r, &e);
	*ret = (step == ARCHIVE_OK && archive_filter_code(r, 0) == filter_of(w->format) &&
		data_same(r, w->members[0].path));
	return 0;
}

static int member_data(struct archive *out, const struct hf_archive *w, const struct hf_archive_member *m,
	struct hf_error *err)
{
	hf_auto_fd fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char block[BLOCK_SIZE];
	ssize_t n;
	if (fd < 0)
		return hf_fail_errno(
			err, HF_E_TASK, "Errors when writing archive at %s: %s", w->dest, m->path);
	while ((n = read(fd, block, sizeof(block))) > 0)
		if (archive_write_data(out, block, (size_t)n) < 0)
			return hf_fail(err, HF_E_TASK, "Errors when writing archive at %s: %s: %s", w->dest,
				m->path, archive_error_string(out));
	return n == 0 ? 0 : hf_fail_errno(err, HF_E_TASK, "read %s", m->path);
}

static int member_write(struct archive *out, const struct hf_archive *w, const struct hf_archive_member *m,
	struct hf_error *err)
{
	hf_auto_archive_entry e = archive_entry_new();
	char target[PATH_MAX];
	archive_entry_copy_stat(e, &m->st);
	archive_entry_unset_atime(e);
	archive_entry_unset_ctime(e);
	archive_entry_unset_birthtime(e);
	archive_entry_set_nlink(e, 1);
	archive_entry_copy_pathname(e, m->name);
	archive_entry_copy_uname(e, hf_accounts_user(w->arena, m->st.st_uid, NULL));
	archive_entry_copy_gname(e, hf_accounts_group(w->arena, m->st.st_gid, NULL));
	if (S_ISLNK(m->st.st_mode)) {
		ssize_t n = readlink(m->path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		archive_entry_copy_symlink(e, target);
	}
	if (!S_ISREG(m->st.st_mode))
		archive_entry_set_size(e, 0);
	if (archive_write_header(out, e) < ARCHIVE_WARN)
		return hf_fail(err, HF_E_TASK, "Errors when writing archive at %s: %s: %s", w->dest, m->path,
			archive_error_string(out));
	return S_ISREG(m->st.st_mode) ? member_data(out, w, m, err) : 0;
}

static void writer_setup(struct archive *out, const struct hf_archive *w)
{
	if (w->single)
		archive_write_set_format_raw(out);
	else if (is_zip(w))
		archive_write_set_format_zip(out);
	else
		archive_write_set_format_pax_restricted(out);
	archive_write_add_filter(out, filter_of(w->format));
	if (filter_of(w->format) == ARCHIVE_FILTER_GZIP)
		archive_write_set_options(out, "gzip:!timestamp"); /* the same content, the same bytes */
}

int hf_archive_write(const struct hf_archive *w, struct hf_error *err)
{
	struct hf_fs_temp temp;
	int r = hf_archive_ready(err);
	if (r == 0)
		r = hf_fs_temp_open(w->arena, w->dest, &temp, err);
	if (r < 0)
		return r;
	hf_auto_archive_writer out = archive_write_new();
	writer_setup(out, w);
	if (archive_write_open_fd(out, temp.fd) != ARCHIVE_OK)
		r = hf_fail(err, HF_E_TASK, "Error when writing %s archive at %s: %s", w->format, w->dest,
			archive_error_string(out));
	for (size_t i = 0; r == 0 && i < w->n; i++)
		r = member_write(out, w, &w->members[i], err);
	if (r == 0 && archive_write_close(out) != ARCHIVE_OK)
		r = hf_fail(err, HF_E_TASK, "Error when writing %s archive at %s: %s", w->format, w->dest,
			archive_error_string(out));
	if (r == 0)
		return hf_fs_temp_commit(&temp, HF_FS_KEEP, err);
	hf_fs_temp_discard(&temp);
	return r;
}
