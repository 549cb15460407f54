/* modules/file_content.h - giving a file new content: compare, diff, validate, back up, replace in one step.
 */
#pragma once
#include "modules/file_attr.h"

enum { HF_FILE_TEXT_MAX = 256 << 20, HF_FILE_DIFF_MAX = 104448 };

struct hf_file_content {
	const char *path;   /* what is replaced; a link itself, not where it leads */
	struct hf_str data; /* the new content, unless source is given */
	const char *source; /* a file to take it from, streamed */
	const struct hf_file_attr *attr;
	const char *validate; /* command with %s, or NULL */
	const char *backup;   /* where the old file is copied to, or NULL; see hf_file_backup_name() */
	bool from_source; /* mode and times of source where path exists, its times in any case (remote_src) */
	bool as_led_to;   /* a link at path gives way to a file with owner and mode of the one it led to */
	bool unsynced;    /* one of many: the caller syncs the file system at the end */
};

/* Is path a regular file with just these bytes? A file that does not exist or cannot be read is not. seen:
 * what lstat(2) said of it a moment ago, NULL: ask. */
bool hf_file_content_same(const char *path, const struct stat *seen, struct hf_str data);
bool hf_file_content_same_file(const char *path, const char *source);
/* Validate, back up, write, set attributes. */
HF_CHECK int hf_file_content_write(struct hf_module_context *c, struct hf_change *change,
	const struct hf_file_content *f, struct hf_error *err);
/* The diff Ansible shows: absent, binary and large files are marked instead of shown. before may be NULL
 * (read from path then); header: NULL for path. */
void hf_file_content_diff(struct hf_module_context *c, struct hf_change *change, const char *path,
	const char *after_header, struct hf_str after);
/* NAME.PID.DATE~ as Ansible names copies. */
/* A copy with times, owner and mode; nothing where path is not there. */
HF_CHECK int hf_file_backup(const char *path, const char *backup, struct hf_error *err);
const char *hf_file_backup_name(struct hf_arena *a, const char *path);
/* Runs `validate` with %s replaced by a file that holds data (or source), kept out of anybody's reach. */
HF_CHECK int hf_file_content_validate(struct hf_module_context *c, struct hf_change *change,
	const struct hf_file_content *f, struct hf_error *err);
/* Parents of path that are missing, outermost first. */
HF_CHECK int hf_file_undo_new(
	struct hf_undo *undo, struct hf_arena *a, const char *path, struct hf_error *err);
