#include "modules/archive_late.h"

#include "lib/base/late.h"

#define ARCHIVE_SONAME "libarchive.so.13"

#define A struct archive *a
#define E struct archive_entry *e

/* Every function of libarchive we call: result, name, parameters, arguments. */
#define ARCHIVE_READ(F)                                                                                      \
	F(int, archive_read_support_format_raw, (A), (a))                                                    \
	F(int, archive_read_support_format_empty, (A), (a))                                                  \
	F(struct archive *, archive_read_new, (void), ())                                                    \
	F(int, archive_read_free, (A), (a))                                                                  \
	F(int, archive_read_support_filter_all, (A), (a))                                                    \
	F(int, archive_read_support_format_tar, (A), (a))                                                    \
	F(int, archive_read_support_format_zip, (A), (a))                                                    \
	F(int, archive_read_open_filename, (A, const char *path, size_t block), (a, path, block))            \
	F(int, archive_read_next_header, (A, struct archive_entry * *ret), (a, ret))                         \
	F(la_ssize_t, archive_read_data, (A, void *p, size_t n), (a, p, n))                                  \
	F(int, archive_read_data_block, (A, const void **p, size_t *n, la_int64_t *offset),                  \
		(a, p, n, offset))                                                                           \
	F(int, archive_filter_code, (A, int n), (a, n))                                                      \
	F(int, archive_format, (A), (a))                                                                     \
	F(const char *, archive_error_string, (A), (a))

#define ARCHIVE_WRITE(F)                                                                                     \
	F(struct archive *, archive_write_new, (void), ())                                                   \
	F(int, archive_write_set_format_raw, (A), (a))                                                       \
	F(int, archive_write_set_format_zip, (A), (a))                                                       \
	F(int, archive_write_set_format_pax_restricted, (A), (a))                                            \
	F(int, archive_write_add_filter, (A, int code), (a, code))                                           \
	F(int, archive_write_set_options, (A, const char *text), (a, text))                                  \
	F(int, archive_write_open_fd, (A, int fd), (a, fd))                                                  \
	F(la_ssize_t, archive_write_data, (A, const void *p, size_t n), (a, p, n))                           \
	F(struct archive *, archive_write_disk_new, (void), ())                                              \
	F(int, archive_write_disk_set_options, (A, int flags), (a, flags))                                   \
	F(int, archive_write_disk_set_standard_lookup, (A), (a))                                             \
	F(int, archive_write_header, (A, E), (a, e))                                                         \
	F(la_ssize_t, archive_write_data_block, (A, const void *p, size_t n, la_int64_t offset),             \
		(a, p, n, offset))                                                                           \
	F(int, archive_write_finish_entry, (A), (a))                                                         \
	F(int, archive_write_close, (A), (a))                                                                \
	F(int, archive_write_free, (A), (a))

#define ARCHIVE_ENTRY(F)                                                                                     \
	F(struct archive_entry *, archive_entry_new, (void), ())                                             \
	F(void, archive_entry_free, (E), (e))                                                                \
	F(void, archive_entry_copy_stat, (E, const struct stat *st), (e, st))                                \
	F(void, archive_entry_unset_atime, (E), (e))                                                         \
	F(void, archive_entry_unset_ctime, (E), (e))                                                         \
	F(void, archive_entry_unset_birthtime, (E), (e))                                                     \
	F(void, archive_entry_set_nlink, (E, unsigned n), (e, n))                                            \
	F(void, archive_entry_copy_pathname, (E, const char *path), (e, path))                               \
	F(void, archive_entry_copy_uname, (E, const char *text), (e, text))                                  \
	F(void, archive_entry_copy_gname, (E, const char *text), (e, text))                                  \
	F(void, archive_entry_copy_symlink, (E, const char *text), (e, text))                                \
	F(void, archive_entry_set_size, (E, la_int64_t n), (e, n))                                           \
	F(__LA_MODE_T, archive_entry_filetype, (E), (e))                                                     \
	F(la_int64_t, archive_entry_gid, (E), (e))                                                           \
	F(const char *, archive_entry_gname, (E), (e))                                                       \
	F(const char *, archive_entry_hardlink, (E), (e))                                                    \
	F(time_t, archive_entry_mtime, (E), (e))                                                             \
	F(int, archive_entry_mtime_is_set, (E), (e))                                                         \
	F(const char *, archive_entry_pathname, (E), (e))                                                    \
	F(__LA_MODE_T, archive_entry_perm, (E), (e))                                                         \
	F(void, archive_entry_set_hardlink, (E, const char *target), (e, target))                            \
	F(void, archive_entry_set_pathname, (E, const char *path), (e, path))                                \
	F(void, archive_entry_set_perm, (E, __LA_MODE_T mode), (e, mode))                                    \
	F(la_int64_t, archive_entry_size, (E), (e))                                                          \
	F(int, archive_entry_size_is_set, (E), (e))                                                          \
	F(const char *, archive_entry_symlink, (E), (e))                                                     \
	F(la_int64_t, archive_entry_uid, (E), (e))                                                           \
	F(const char *, archive_entry_uname, (E), (e))

#define DEFINE(result, name, parameters, arguments)                                                          \
	static result(*late_##name) parameters;                                                              \
	result name parameters                                                                               \
	{                                                                                                    \
		return late_##name arguments;                                                                \
	}

ARCHIVE_READ(DEFINE)
ARCHIVE_WRITE(DEFINE)
ARCHIVE_ENTRY(DEFINE)

#define ROW(result, name, ...) { #name, (void *)&late_##name },

int hf_archive_ready(struct hf_error *err)
{
	static const struct hf_late_function functions[] = { ARCHIVE_READ(ROW) ARCHIVE_WRITE(ROW)
			ARCHIVE_ENTRY(ROW) };
	static bool loaded;
	return hf_late_load(ARCHIVE_SONAME, functions, HF_COUNT(functions), &loaded, err);
}
