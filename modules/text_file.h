/* modules/text_file.h - what the modules that edit a text file share (lineinfile, blockinfile, replace,
 * ini_file …): load, split in lines, compare, and write the way Ansible words it. */
#pragma once
#include "modules/file_content.h"

/* The options that lineinfile, blockinfile and replace share. */
struct hf_text_options {
	const char *path, *validate;
	enum hf_tristate create, backup;
	struct hf_file_attr attr;
};
extern const char *const hf_text_path_aliases[];
/* Rows for a module's table. T: its params struct; M: its member of type struct hf_text_options. */
/* clang-format off */
#define HF_TEXT_PATH_ARG(T, M) \
	{ "path", HF_ARG_PATH, offsetof(T, M.path), HF_REQUIRED, .aliases = hf_text_path_aliases, \
		.help = "File to edit; a link is followed." }
#define HF_TEXT_CREATE_ARG(T, M) \
	{ "create", HF_ARG_BOOL, offsetof(T, M.create), .dflt = "false", .help = "Make the file when there is none." }
#define HF_TEXT_ARGS(T, M) \
	{ "backup", HF_ARG_BOOL, offsetof(T, M.backup), .dflt = "false", .help = "Keep a dated copy of the old file." }, \
	{ "validate", HF_ARG_STR, offsetof(T, M.validate), \
		.help = "Command that must accept the new file, named by %s." }, \
	HF_FILE_ATTR_ARGS(T, M.attr)
/* clang-format on */

struct hf_text_line_list {
	struct hf_str *at; /* each with its line end */
	size_t n, room;
};

struct hf_text_edit {
	struct hf_module_context *c;
	struct hf_change *change;
	const struct hf_file_attr *attr;
	const char *path;
	const char *real; /* where links lead; NULL: not looked up, as it is only for what is written */
	const char *validate;
	bool exists, backup;
	bool content_changed;
	bool bare_header;   /* of differences: without "(content)" */
	bool no_attr_words; /* the message stays as it is when attributes change (ini_file …) */
	bool no_parents;    /* a folder that is not there is a failure, not made */
	bool bare_refusal;  /* what validate refuses is failed to validate, without its words */
	struct hf_str before, after;
	const char *message;
	const char *backup_file; /* chosen by check, so that undo knows it */
};

/* A task's edit as its options ask for it. */
struct hf_text_edit hf_text_edit(
	struct hf_module_context *c, struct hf_change *change, const struct hf_text_options *options);
/* The file's bytes; one that does not exist is empty. */
HF_CHECK int hf_text_load(struct hf_text_edit *e, const char *path, struct hf_error *err);
/* Lines with their ends; any: also at \r and \r\n, as bytes.splitlines(True). */
void hf_text_split(struct hf_arena *a, struct hf_str text, bool any, struct hf_text_line_list *ret);
struct hf_str hf_text_join(struct hf_arena *a, const struct hf_text_line_list *lines);
void hf_text_insert(struct hf_arena *a, struct hf_text_line_list *lines, size_t at, struct hf_str line);
void hf_text_remove(struct hf_text_line_list *lines, size_t from, size_t n);
bool hf_text_line_is(struct hf_str line, struct hf_str text); /* without the end of line */
/* End of check: e->after and e->message are set; fills diff, message, changed, and keeps e for apply. */
HF_CHECK int hf_text_look(struct hf_text_edit *e, struct hf_error *err);
/* For the module tables. apply and undo find the edit in change->state. */
int hf_text_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err);
int hf_text_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err);
