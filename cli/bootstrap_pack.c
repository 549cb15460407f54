/* Archives in memory: the bundle as tar, user data as gzip. The same members give the same bytes. */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bootstrap.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "modules/archive_late.h"

static int member_write(struct archive *w, const struct bootstrap_member *m, struct hf_error *err)
{
	struct archive_entry *e = archive_entry_new();
	struct stat st = { .st_mode = S_IFREG | m->mode, .st_size = (off_t)m->data.n, .st_nlink = 1 };
	archive_entry_copy_stat(e, &st);
	archive_entry_copy_pathname(e, m->name);
	bool good = archive_write_header(w, e) == ARCHIVE_OK &&
		    (m->data.n == 0 || archive_write_data(w, m->data.p, m->data.n) == (la_ssize_t)m->data.n);
	archive_entry_free(e);
	return good ? 0 : hf_fail(err, HF_E_IO, "pack %s: %s", m->name, archive_error_string(w));
}

static int all_write(struct archive *w, int fd, const struct bootstrap_member *members, size_t n, bool gzip,
	struct hf_error *err)
{
	int result = 0;
	bool good = gzip ? archive_write_set_format_raw(w) == ARCHIVE_OK &&
				    archive_write_add_filter(w, ARCHIVE_FILTER_GZIP) == ARCHIVE_OK &&
				    archive_write_set_options(
					    w, "gzip:compression-level=9,gzip:!timestamp") == ARCHIVE_OK
			 : archive_write_set_format_pax_restricted(w) == ARCHIVE_OK;
	if (!good || archive_write_open_fd(w, fd) != ARCHIVE_OK)
		return hf_fail(err, HF_E_IO, "pack: %s", archive_error_string(w));
	for (size_t i = 0; i < n && result == 0; i++)
		result = member_write(w, &members[i], err);
	if (result == 0 && archive_write_close(w) != ARCHIVE_OK)
		result = hf_fail(err, HF_E_IO, "pack: %s", archive_error_string(w));
	return result;
}

int bootstrap_pack(struct hf_arena *a, const struct bootstrap_member *members, size_t n, bool gzip,
	struct hf_str *ret, struct hf_error *err)
{
	int result = hf_archive_ready(err);
	if (result < 0)
		return result;
	hf_auto_fd fd = memfd_create("holdfast-pack", MFD_CLOEXEC);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "memory for the archive");
	struct archive *w = archive_write_new();
	result = all_write(w, fd, members, n, gzip, err);
	archive_write_free(w);
	if (result == 0 && lseek(fd, 0, SEEK_SET) < 0)
		result = hf_fail_errno(err, HF_E_IO, "pack");
	return result < 0 ? result : hf_fs_read_fd(a, fd, BOOTSTRAP_BUNDLE_MAX, ret, err);
}
