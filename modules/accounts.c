#include "modules/accounts.h"

#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/base/fs.h"
#include "lib/base/str.h"

enum { ACCOUNTS_KEPT = 32, NAME_SIZE = 64 };

/* What is remembered of one database. Asking the name service costs several file reads and, where directories
 * are involved, round trips; a playbook asks for the same two or three names hundreds of times. */
struct accounts {
	const char *file;
	struct stat seen;
	struct timespec looked; /* by the clock that moves with the kernel's tick */
	unsigned replaced;      /* files that this process had put in place by then */
	unsigned n, next;
	struct {
		char name[NAME_SIZE];
		unsigned id;
	} at[ACCOUNTS_KEPT];
};

static struct accounts users = { .file = "/etc/passwd" }, groups = { .file = "/etc/group" };

static void accounts_refresh(struct accounts *s)
{
	struct stat now = { 0 };
	struct timespec tick = { 0 };
	clock_gettime(CLOCK_MONOTONIC_COARSE, &tick);
	if (s->seen.st_ino != 0 && s->replaced == hf_fs_replaced && s->looked.tv_sec == tick.tv_sec &&
		s->looked.tv_nsec == tick.tv_nsec)
		return; /* within milliseconds nobody else changes it and waits for us to see it */
	s->looked = tick;
	s->replaced = hf_fs_replaced;
	if (stat(s->file, &now) < 0 || now.st_ino != s->seen.st_ino || now.st_dev != s->seen.st_dev ||
		now.st_size != s->seen.st_size || now.st_mtim.tv_sec != s->seen.st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != s->seen.st_mtim.tv_nsec)
		s->n = s->next = 0;
	s->seen = now;
}

static void accounts_keep(struct accounts *s, const char *name, unsigned id)
{
	if (strlen(name) >= NAME_SIZE)
		return;
	snprintf(s->at[s->next].name, NAME_SIZE, "%s", name);
	s->at[s->next].id = id;
	s->next = (s->next + 1) % ACCOUNTS_KEPT;
	if (s->n < ACCOUNTS_KEPT)
		s->n++;
}

static bool accounts_id(struct accounts *s, const char *name, unsigned *ret)
{
	uint64_t number;
	if (hf_str_to_uint64(hf_str_trim(hf_str(name)), &number) && number <= UINT32_MAX) {
		*ret = (unsigned)number;
		return true;
	}
	accounts_refresh(s);
	for (unsigned i = 0; i < s->n; i++) {
		if (strcmp(s->at[i].name, name) == 0) {
			*ret = s->at[i].id;
			return true;
		}
	}
	const struct passwd *pw = s == &users ? getpwnam(name) : NULL;
	const struct group *gr = s == &groups ? getgrnam(name) : NULL;
	if (pw == NULL && gr == NULL)
		return false;
	*ret = pw != NULL ? pw->pw_uid : gr->gr_gid;
	accounts_keep(s, name, *ret);
	return true;
}

static const char *accounts_name(struct hf_arena *a, struct accounts *s, unsigned id, bool *ret_known)
{
	if (ret_known != NULL)
		*ret_known = true;
	accounts_refresh(s);
	for (unsigned i = 0; i < s->n; i++)
		if (s->at[i].id == id)
			return hf_strdup(a, s->at[i].name);
	const struct passwd *pw = s == &users ? getpwuid(id) : NULL;
	const struct group *gr = s == &groups ? getgrgid(id) : NULL;
	if (pw != NULL || gr != NULL) {
		const char *name = pw != NULL ? pw->pw_name : gr->gr_name;
		accounts_keep(s, name, id);
		return hf_strdup(a, name);
	}
	if (ret_known != NULL)
		*ret_known = false;
	return hf_sprintf(a, "%u", id);
}

bool hf_accounts_uid(const char *owner, uid_t *ret)
{
	return accounts_id(&users, owner, ret);
}

bool hf_accounts_gid(const char *group, gid_t *ret)
{
	return accounts_id(&groups, group, ret);
}

const char *hf_accounts_user(struct hf_arena *a, uid_t uid, bool *ret_known)
{
	return accounts_name(a, &users, uid, ret_known);
}

const char *hf_accounts_group(struct hf_arena *a, gid_t gid, bool *ret_known)
{
	return accounts_name(a, &groups, gid, ret_known);
}
