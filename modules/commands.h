/* modules/commands.h - a task as a list of commands: decided by check, run by apply, and the commands that
 * take it back. Owns:  everything lives in the task's arena. */
#pragma once
#include "modules/host.h"

struct hf_commands {
	struct hf_module_context *c;
	HF_VEC(struct hf_words) todo; /* in order */
	HF_VEC(struct hf_words) back; /* noted in the order of todo; taken in reverse */
	const char *gone;             /* why there is no way back; NULL: there is one */
};

/* first …, NULL; the words may be added to. */
struct hf_words *hf_commands_add(struct hf_commands *m, const char *first, ...) __attribute__((sentinel));
struct hf_words *hf_commands_back(struct hf_commands *m, const char *first, ...) __attribute__((sentinel));
/* A module's apply, undo and restore, where its check left in change->state what begins with struct
 * hf_commands. */
int hf_commands_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err);
int hf_commands_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err);
HF_CHECK int hf_commands_restore(
	struct hf_module_context *c, const struct hf_value *step, struct hf_error *err);
/* -HF_E_TASK as Ansible says it, unless the program is there. */
HF_CHECK int hf_commands_need(struct hf_module_context *c, const char *program, struct hf_error *err);
