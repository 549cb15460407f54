#include "agent/ready.h"

#include <dirent.h>
#include <errno.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/log.h"
#include "lib/base/scope.h"

enum { WORD_MAX = 64, FILES_MAX = 64 };

const char *const hf_ready_names[] = { "ready", "degraded", "drain", NULL };

static const char *folder(const struct hf_agent *agent, struct hf_arena *a)
{
	return hf_sprintf(a, "%s/ready.d", agent->config.run_dir);
}

/* What is no such word is somebody's mistake, and no reason to call a host ready. */
static enum hf_ready file_read(struct hf_arena *a, const char *path)
{
	struct hf_str text = { 0 };
	struct hf_error err = { 0 };
	int result = hf_fs_read(a, path, WORD_MAX, &text, &err);
	if (result < 0) /* one that went since it was listed says nothing any more */
		return result == -HF_E_NOT_FOUND ? HF_READY : HF_READY_DEGRADED;
	for (int i = 0; hf_ready_names[i] != NULL; i++)
		if (hf_str_is(hf_str_trim(text), hf_ready_names[i]))
			return (enum hf_ready)i;
	return HF_READY_DEGRADED;
}

static enum hf_ready others(const struct hf_agent *agent, struct hf_arena *a, const char **ret_why)
{
	enum hf_ready worst = HF_READY;
	hf_auto_dir dir = opendir(folder(agent, a));
	const struct dirent *e = NULL;
	bool all = dir != NULL || errno == ENOENT;
	for (int n = 0; dir != NULL && all && (e = readdir(dir)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		all = n++ < FILES_MAX;
		enum hf_ready one = file_read(a, hf_sprintf(a, "%s/%s", folder(agent, a), e->d_name));
		if (one > worst) {
			worst = one;
			*ret_why = hf_sprintf(a, "ready.d/%s", e->d_name);
		}
	}
	if (all || worst != HF_READY)
		return worst;
	*ret_why = "ready.d"; /* what cannot be read whole is no reason to call a host ready */
	return HF_READY_DEGRADED;
}

static bool is_as_declared(enum hf_host_state state)
{
	return state != HF_HOST_DRIFTED && state != HF_HOST_CONTENDED && state != HF_HOST_FAILED &&
	       state != HF_HOST_ROLLED_BACK_PARTIAL;
}

enum hf_ready hf_ready_now(
	const struct hf_agent *agent, struct hf_arena *a, enum hf_host_state state, const char **ret_why)
{
	const struct hf_notice_now *notice = &agent->notice;
	*ret_why = "";
	if (notice->kind == HF_NOTICE_INTERRUPTION || agent->drains) {
		*ret_why = hf_notice_names[notice->kind];
		return HF_READY_DRAIN;
	}
	if (agent->installed.release == NULL)
		return HF_READY_UNKNOWN;
	enum hf_ready worst = others(agent, a, ret_why);
	if (worst == HF_READY && !is_as_declared(state)) {
		*ret_why = hf_host_state_names[state];
		worst = HF_READY_DEGRADED;
	}
	if (worst == HF_READY && notice->kind == HF_NOTICE_REBALANCE &&
		agent->config.drain.rebalance != HF_REBALANCE_IGNORE) {
		*ret_why = hf_notice_names[notice->kind];
		worst = HF_READY_DEGRADED;
	}
	return worst;
}

void hf_ready_write(struct hf_agent *agent, const char *word)
{
	hf_auto_arena a = hf_arena_new();
	const struct hf_fs_attr attr = { 0644, HF_KEEP_UID, HF_KEEP_GID, false };
	const char *path = hf_sprintf(a, "%s/ready", agent->config.run_dir);
	struct hf_error err = { 0 };
	struct hf_str now = { 0 };
	int result = 0;
	bool there = hf_fs_read(a, path, WORD_MAX, &now, NULL) == 0;
	if (word == NULL)
		result = !there || unlink(path) == 0 || errno == ENOENT
				 ? 0
				 : hf_fail_errno(&err, HF_E_IO, "remove %s", path);
	else if (!there || !hf_str_is(hf_str_trim(now), word))
		result = hf_fs_replace(path, hf_str(hf_sprintf(a, "%s\n", word)), attr, &err);
	if (result < 0)
		hf_log(HF_LOG_WARNING, "%s", err.text);
}
