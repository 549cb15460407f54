/* modules/accounts.h - users and groups by name and by number, remembered between tasks.
 * An answer is remembered while /etc/passwd and /etc/group are the same files; absence never is, because an
 * earlier task of the run may just have made the account. Not thread-safe. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/arena.h"

/* Decimal text is taken as the number itself. False: there is no such account. */
bool hf_accounts_uid(const char *owner, uid_t *ret);
bool hf_accounts_gid(const char *group, gid_t *ret);
/* The name, or the number as text where there is none; *ret_known (may be NULL) tells which. */
const char *hf_accounts_user(struct hf_arena *a, uid_t uid, bool *ret_known);
const char *hf_accounts_group(struct hf_arena *a, gid_t gid, bool *ret_known);
