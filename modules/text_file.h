/* modules/text_file.h - what the modules that edit a text file share (lineinfile, blockinfile, replace,
 * ini_file …): load, split in lines, compare, and write the way Ansible words it. */
#pragma once
#include "modules/file_content.h"

struct hf_text_line_list {
	struct hf_str *at; /* each with its line end */
	size_t n, room;
};

struct hf_text_edit {
	struct hf_module_context *c;
	struct hf_change *change;
	const struct hf_file_attr *attr;
	const char *path, *real; /* as written, and where links lead */
	const char *validate;
	bool exists, backup;
	bool content_changed;
	bool no_attr_words; /* the message stays as it is when attributes change (ini_file …) */
	struct hf_str before, after;
	const char *message;
	const char *backup_file; /* chosen by check, so that undo knows it */
};

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
