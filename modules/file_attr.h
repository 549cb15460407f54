/* modules/file_attr.h - owner, group, mode, flags and label of a file: the options nearly every file module
 * has. The same function looks (touch false) and acts (touch true), so what check announces is what apply
 * does. */
#pragma once
#include "lib/base/fs.h"
#include "lib/engine/module.h"

struct hf_file_attr {
	const char *mode, *owner, *group, *attributes;
	const char *seuser, *serole, *setype, *selevel;
	enum hf_tristate unsafe_writes;
	const struct stat
		*seen; /* what lstat(2) said of the path a moment ago, when only looking; NULL: ask */
};

/* Rows for a module's table. T: its params struct; M: its member of type struct hf_file_attr. */
/* clang-format off */
#define HF_FILE_ATTR_ARGS(T, M) \
	{ "mode", HF_ARG_MODE, offsetof(T, M.mode), .help = "Permissions, octal or symbolic." }, \
	{ "owner", HF_ARG_STR, offsetof(T, M.owner), .help = "User that owns the file." }, \
	{ "group", HF_ARG_STR, offsetof(T, M.group), .help = "Group that owns the file." }, \
	{ "attributes", HF_ARG_STR, offsetof(T, M.attributes), .aliases = hf_file_attr_aliases, \
		.help = "File flags as chattr(1) takes them, such as +i." }, \
	{ "seuser", HF_ARG_STR, offsetof(T, M.seuser), .help = "SELinux user; ignored where SELinux is off." }, \
	{ "serole", HF_ARG_STR, offsetof(T, M.serole), .help = "SELinux role; ignored where SELinux is off." }, \
	{ "setype", HF_ARG_STR, offsetof(T, M.setype), .help = "SELinux type; ignored where SELinux is off." }, \
	{ "selevel", HF_ARG_STR, offsetof(T, M.selevel), .help = "SELinux level; ignored where SELinux is off." }, \
	{ "unsafe_writes", HF_ARG_BOOL, offsetof(T, M.unsafe_writes), .dflt = "false", \
		.help = "Write in place where the file cannot be replaced (a bind mount)." }
/* clang-format on */
extern const char *const hf_file_attr_aliases[];

/* Attributes before and after, for the diff; both dicts, or both NULL. */
struct hf_file_diff {
	struct hf_value *before, *after;
};

struct hf_file_want {
	mode_t mode; /* HF_KEEP_MODE … where nothing was asked for */
	uid_t uid;
	gid_t gid;
};

/* What attr asks of a file whose st_mode is now. Unknown users and bad modes are the task's failure. */
HF_CHECK int hf_file_attr_want(struct hf_module_context *c, struct hf_change *change, const char *path,
	const struct hf_file_attr *attr, mode_t now, struct hf_file_want *ret, struct hf_error *err);
/* Compare path (a link is not followed) with attr; with touch make it so. *changed is set, never cleared. A
 * path that does not exist yet counts as changed when only looking. */
HF_CHECK int hf_file_attr_sync(struct hf_module_context *c, struct hf_change *change, const char *path,
	const struct hf_file_attr *attr, const struct hf_file_diff *diff, bool touch, bool *changed,
	struct hf_error *err);
/* Whether it asks for anything. */
bool hf_file_attr_asks(const struct hf_file_attr *attr);
/* uid, gid, owner, group, mode, size, state of path into the result; nothing where it does not exist. */
void hf_file_attr_report(struct hf_module_context *c, struct hf_change *change, const char *path);
/* Takes back what hf_file_attr_report() put: path is about to change or to go. */
void hf_file_attr_forget(struct hf_change *change);
/* The same for the result's own "path" or "dest", unless nothing changed and nobody is told; call it last,
 * whatever the outcome. Returns outcome. */
int hf_file_attr_done(struct hf_module_context *c, struct hf_change *change, int outcome);
/* "file", "directory", "link", "hard" or "absent". */
const char *hf_file_state(const char *path);
const char *hf_file_state_of(const struct stat *st);
const char *hf_file_mode_text(struct hf_arena *a, mode_t mode);
/* realpath(3), or, where the last part does not exist, Python's idea of it. */
char *hf_file_realpath(struct hf_arena *a, const char *path);
