/* modules/host.h - what modules that change a host share: words of a command, one file that is edited, undo
 * values. Owns:  everything lives in the task's arena. */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/vec.h"
#include "lib/engine/module.h"

/* --- a command built word by word --- */
struct hf_words {
	struct hf_arena *arena;
	const char **at; /* NULL-terminated */
	size_t n, room;
};
/* first …, NULL */
struct hf_words hf_words(struct hf_arena *a, const char *first, ...) __attribute__((sentinel));
void hf_words_add(struct hf_words *w, const char *word);
void hf_words_addf(struct hf_words *w, const char *format, ...) HF_PRINTF(2, 3);
void hf_words_text(
	struct hf_words *w, const struct hf_value *list); /* every string of a list; NULL adds none */
/* Split as a shell would, quotes and backslashes only. */
HF_CHECK int hf_words_split(struct hf_words *w, const char *text, struct hf_error *err);
const char *hf_words_line(const struct hf_words *w); /* for messages */

/* Run it as the task would. extra_env: NAME=value list or NULL. A status other than 0 is not an error here.
 */
HF_CHECK int hf_host_run(struct hf_module_context *c, const struct hf_words *w, const char *const *extra_env,
	struct hf_proc_result *ret, struct hf_error *err);
/* The same; a status other than 0 is -HF_E_TASK with the first lines of what the program said. ret_out may be
 * NULL. */
HF_CHECK int hf_host_output(
	struct hf_module_context *c, const struct hf_words *w, struct hf_str *ret_out, struct hf_error *err);
/* As Ansible's run_command() with check_rc: a status other than 0 leaves cmd, rc, stdout and stderr in the
 * result and fails with what the program wrote to standard error. dir, extra_env and ret_out may be NULL. */
HF_CHECK int hf_host_must(struct hf_module_context *c, struct hf_change *change, const struct hf_words *w,
	const char *dir, const char *const *extra_env, struct hf_str *ret_out, struct hf_error *err);
/* The path of a program, or Ansible's sentence about one that is not there. */
HF_CHECK int hf_host_program(
	struct hf_module_context *c, const char *name, const char **ret, struct hf_error *err);
/* rc, stdout, stderr into the result. */
void hf_host_report(struct hf_module_context *c, struct hf_change *change, const struct hf_proc_result *ran);

/* --- one file that is edited --- */
enum { HF_EDIT_MAX = 16 << 20 };
struct hf_edit {
	const char *path;
	struct hf_str before, after;
	bool existed, remove; /* remove: the file is to be gone */
	bool link_gives_way;  /* a link at path becomes the file; otherwise what it leads to is written */
	mode_t mode;          /* of a new file; an existing one keeps its own */
};
/* Reads path; a file that is not there is empty. after starts as before. */
HF_CHECK int hf_edit_open(struct hf_module_context *c, const char *path, mode_t mode, struct hf_edit *ret,
	struct hf_error *err);
/* As Python reads a text: \r\n and a lone \r are ends of lines as well, and are written as \n. */
HF_CHECK int hf_edit_open_text(struct hf_module_context *c, const char *path, mode_t mode,
	struct hf_edit *ret, struct hf_error *err);
struct hf_str hf_text_newlines(struct hf_arena *a, struct hf_str text);
bool hf_edit_changed(const struct hf_edit *e);
/* Ors into change->changed, adds the diff. */
void hf_edit_describe(struct hf_module_context *c, struct hf_change *change, const struct hf_edit *e);
HF_CHECK int hf_edit_write(const struct hf_edit *e, struct hf_error *err); /* nothing when not changed */
HF_CHECK int hf_edit_undo(struct hf_undo *u, const struct hf_edit *e, struct hf_error *err);
/* Put text in place of after. */
void hf_edit_set(struct hf_module_context *c, struct hf_edit *e, const struct hf_buf *text);

/* --- small things --- */
static inline bool hf_same(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}
/* {"what": what} for hf_undo_step(). */
struct hf_value *hf_step(struct hf_module_context *c, const char *what);
/* step[key] as text; "" when absent. */
const char *hf_step_text(const struct hf_value *step, const char *key);
struct hf_value *hf_text_list(struct hf_arena *a, const char *first, ...) __attribute__((sentinel));
/* Standard alphabet, padded. */
struct hf_str hf_host_base64(struct hf_arena *a, struct hf_str data);
bool hf_list_has(const struct hf_value *list, const char *text);
