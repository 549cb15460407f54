/* modules/userdb.h - lines of /etc/passwd and its sisters, for user and group: look, remember, put back.
 * Owns:  results live in the task's arena. */
#pragma once
#include "modules/host.h"

/* Fields of NAME's line in path ("name:x:0:…"); NULL when there is none. */
struct hf_value *hf_userdb_fields(struct hf_arena *a, const char *path, const char *name);
/* Names of groups that list user as a member. */
struct hf_value *hf_userdb_groups(struct hf_arena *a, const char *user);
/* Everything the files say of a user (its memberships too) or of a group, as an undo step. new_home: a folder
 * that is made with the account and goes with it; NULL: none. */
void hf_userdb_save(struct hf_module_context *c, struct hf_undo *undo, const char *what, const char *name,
	const char *new_home);
HF_CHECK int hf_userdb_restore(
	struct hf_module_context *c, const struct hf_value *step, struct hf_error *err);
