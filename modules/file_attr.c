#include "modules/file_attr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/accounts.h"
#include "modules/file_flags.h"
#include "modules/file_label.h"
#include "modules/file_mode.h"

enum { LINKS_MAX = 40 }; /* as the kernel follows */

const char *const hf_file_attr_aliases[] = { "attr", NULL };

const char *hf_file_mode_text(struct hf_arena *a, mode_t mode)
{
	return hf_sprintf(a, "0%03o", (unsigned)(mode & 07777));
}

const char *hf_file_state_of(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "link";
	if (S_ISDIR(st->st_mode))
		return "directory";
	return st->st_nlink > 1 ? "hard" : "file";
}

const char *hf_file_state(const char *path)
{
	struct stat st;
	return lstat(path, &st) < 0 ? "absent" : hf_file_state_of(&st);
}

char *hf_file_realpath(struct hf_arena *a, const char *path)
{
	hf_auto_free char *real = realpath(path, NULL);
	if (real != NULL)
		return hf_strdup(a, real);
	char target[4096];
	char *at = hf_strdup(a, path);
	for (int links = 0; links < LINKS_MAX; links++) {
		ssize_t n = readlink(at, target, sizeof(target) - 1);
		if (n <= 0)
			break;
		target[n] = '\0';
		at = hf_path_join(a, hf_path_dir(a, at), target);
	}
	hf_auto_free char *dir = realpath(hf_path_dir(a, at), NULL);
	return hf_path_normalize(a, dir != NULL ? hf_path_join(a, dir, hf_path_base(at)) : at);
}

int hf_file_attr_want(struct hf_module_context *c, struct hf_change *change, const char *path,
	const struct hf_file_attr *attr, mode_t now, struct hf_file_want *ret, struct hf_error *err)
{
	struct hf_file_want want = { HF_KEEP_MODE, HF_KEEP_UID, HF_KEEP_GID };
	if (attr->owner != NULL && !hf_accounts_uid(attr->owner, &want.uid)) {
		hf_result_cstr(c, change, "path", path);
		return hf_fail(err, HF_E_TASK, "chown failed: failed to look up user %s", attr->owner);
	}
	if (attr->group != NULL && !hf_accounts_gid(attr->group, &want.gid)) {
		hf_result_cstr(c, change, "path", path);
		return hf_fail(err, HF_E_TASK, "chgrp failed: failed to look up group %s", attr->group);
	}
	int failed = attr->mode != NULL ? hf_file_mode_parse(attr->mode, now, &want.mode, err) : 0;
	if (failed < 0) {
		hf_result_cstr(c, change, "path", path);
		hf_result_cstr(c, change, "details",
			hf_sprintf(hf_task_arena(c), "bad symbolic permission for mode: %s", attr->mode));
		return failed;
	}
	*ret = want;
	return 0;
}

static void diff_put(struct hf_arena *a, const struct hf_file_diff *diff, const char *key,
	struct hf_value *before, struct hf_value *after)
{
	if (diff == NULL || diff->before == NULL)
		return;
	hf_dict_put(diff->before, key, before);
	hf_dict_put(diff->after, key, after);
}

/* Owner and group in one lchown, as changing either clears setuid bits that the mode then sets again. */
static int attr_owner(struct hf_module_context *c, const char *path, const struct hf_file_want *want,
	const struct stat *st, const struct hf_file_diff *diff, bool touch, bool *changed,
	struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	bool owner = want->uid != HF_KEEP_UID && want->uid != st->st_uid;
	bool group = want->gid != HF_KEEP_GID && want->gid != st->st_gid;
	if (owner)
		diff_put(a, diff, "owner", hf_value_int(a, st->st_uid), hf_value_int(a, want->uid));
	if (group)
		diff_put(a, diff, "group", hf_value_int(a, st->st_gid), hf_value_int(a, want->gid));
	if (!owner && !group)
		return 0;
	*changed = true;
	if (touch && lchown(path, owner ? want->uid : (uid_t)-1, group ? want->gid : (gid_t)-1) < 0)
		return hf_fail(err, HF_E_TASK, "%s failed: %s: '%s'", owner ? "chown" : "chgrp",
			strerror(errno), path);
	return 0;
}

static int attr_mode(struct hf_module_context *c, const char *path, const struct hf_file_want *want,
	const struct hf_file_diff *diff, const struct stat *st, bool touch, bool *changed,
	struct hf_error *err)
{
	if (want->mode == HF_KEEP_MODE || S_ISLNK(st->st_mode))
		return 0; /* Linux gives links no mode of their own */
	struct hf_arena *a = hf_task_arena(c);
	mode_t now = st->st_mode & 07777;
	struct stat again;
	/* chown may have cleared bits that this very call is to keep. */
	if (touch && now == want->mode && lstat(path, &again) == 0)
		now = again.st_mode & 07777;
	if (now == want->mode)
		return 0;
	if ((st->st_mode & 07777) != want->mode) {
		diff_put(a, diff, "mode", hf_value_cstr(a, hf_file_mode_text(a, st->st_mode)),
			hf_value_cstr(a, hf_file_mode_text(a, want->mode)));
		*changed = true;
	}
	if (touch && chmod(path, want->mode) < 0)
		return hf_fail(err, HF_E_TASK, "chmod failed: %s: '%s'", strerror(errno), path);
	return 0;
}

bool hf_file_attr_asks(const struct hf_file_attr *attr)
{
	const char *const texts[] = { attr->mode, attr->owner, attr->group, attr->attributes, attr->seuser,
		attr->serole, attr->setype, attr->selevel };
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		if (texts[i] != NULL)
			return true;
	return false;
}

int hf_file_attr_sync(struct hf_module_context *c, struct hf_change *change, const char *path,
	const struct hf_file_attr *attr, const struct hf_file_diff *diff, bool touch, bool *changed,
	struct hf_error *err)
{
	if (!hf_file_attr_asks(attr))
		return 0;
	struct stat st;
	if (attr->seen != NULL) {
		st = *attr->seen;
	} else if (lstat(path, &st) < 0) {
		if (errno != ENOENT || touch)
			return hf_fail_errno(err, HF_E_TASK, "stat %s", path);
		*changed = true;
		return 0;
	}
	struct hf_file_want want;
	int result = hf_file_attr_want(c, change, path, attr, st.st_mode, &want, err);
	if (result == 0)
		result = hf_file_label_sync(c, path, attr, diff, touch, changed, err);
	if (result == 0)
		result = attr_owner(c, path, &want, &st, diff, touch, changed, err);
	if (result == 0)
		result = attr_mode(c, path, &want, diff, &st, touch, changed, err);
	if (result == 0 && attr->attributes != NULL)
		result = hf_file_flags_sync(c, path, attr->attributes, diff, touch, changed, err);
	return result;
}

void hf_file_attr_report(struct hf_module_context *c, struct hf_change *change, const char *path)
{
	struct hf_arena *a = hf_task_arena(c);
	struct stat st;
	if (lstat(path, &st) < 0 || (S_ISLNK(st.st_mode) && !hf_fs_exists(path)))
		return;
	hf_result_int(c, change, "uid", st.st_uid);
	hf_result_int(c, change, "gid", st.st_gid);
	hf_result_cstr(c, change, "owner", hf_accounts_user(a, st.st_uid, NULL));
	hf_result_cstr(c, change, "group", hf_accounts_group(a, st.st_gid, NULL));
	hf_result_cstr(c, change, "mode", hf_file_mode_text(a, st.st_mode));
	hf_result_cstr(c, change, "state", hf_file_state_of(&st));
	hf_result_int(c, change, "size", st.st_size);
	const char *label = hf_file_label_get(a, path);
	if (label != NULL)
		hf_result_cstr(c, change, "secontext", label);
}

void hf_file_attr_forget(struct hf_change *change)
{
	static const char *const keys[] = { "uid", "gid", "owner", "group", "mode", "state", "size",
		"secontext" };
	for (size_t i = 0; i < HF_COUNT(keys); i++)
		hf_dict_remove(change->result, keys[i]);
}

int hf_file_attr_done(struct hf_module_context *c, struct hf_change *change, int outcome)
{
	if (outcome < 0)
		change->changed = false;
	else if (!change->changed && !hf_task_told(c))
		return outcome;
	const char *state = hf_dict_cstr(change->result, "state", NULL);
	hf_file_attr_forget(change);
	if (state != NULL)
		hf_result_cstr(c, change, "state", state);
	const char *path = hf_dict_cstr(change->result, "path", NULL);
	if (path == NULL)
		path = hf_dict_cstr(change->result, "dest", NULL);
	if (path != NULL)
		hf_file_attr_report(c, change, path);
	return outcome;
}
