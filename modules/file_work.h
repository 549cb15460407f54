/* modules/file_work.h - what the states of the file module share: one task on its way, looking or touching.
 */
#pragma once
#include <sys/stat.h>
#include <time.h>

#include "modules/file_attr.h"

enum file_state { FILE_ABSENT, FILE_DIRECTORY, FILE_FILE, FILE_HARD, FILE_LINK, FILE_TOUCH };

struct hf_file_params {
	const char *path, *src;
	const char *mtime, *mtime_format, *atime, *atime_format;
	const char *basename; /* given by copy: goes below path when that is a directory */
	int state;
	enum hf_tristate recurse, force, follow;
	struct hf_file_attr attr;
};

/* A time to set: none, the present, or a given one. */
struct hf_file_time {
	enum { FILE_TIME_KEEP, FILE_TIME_NOW, FILE_TIME_AT } kind;
	time_t at;
};

struct hf_file_work {
	struct hf_module_context *c;
	const struct hf_file_params *p;
	struct hf_change *change;
	struct hf_error *err;
	bool touch;
	enum file_state state;
	const char *path, *src;
	const char *before; /* state before, as hf_file_state() names it */
	struct hf_file_time mtime, atime;
	struct hf_file_diff diff;
	bool changed;
	const char *seen_path; /* the path that seen is of */
	struct stat seen;      /* while only looking, what is there is looked at once */
};

/* The whole of the file module for params that copy and unarchive make themselves. */
HF_CHECK int hf_file_work_run(struct hf_module_context *c, const struct hf_file_params *p,
	struct hf_change *change, bool touch, struct hf_error *err);

/* For the states. */
int hf_file_work_link(struct hf_file_work *w);
int hf_file_work_hard(struct hf_file_work *w);
/* Attributes and times of path. */
HF_CHECK int hf_file_work_attributes(struct hf_file_work *w, const char *path);
/* lstat(2) of path; NULL: it is not there. Good until the next call. */
const struct stat *hf_file_work_look(struct hf_file_work *w, const char *path);
/* path, or where it leads when it is a link and `follow` is on. */
const char *hf_file_work_followed(struct hf_file_work *w, const char *path);
/* Python's str(OSError) for path */
const char *hf_file_work_reason(struct hf_file_work *w, int errnum, const char *path);
