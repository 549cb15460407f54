#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/data/json.h"
#include "lib/engine/module.h"

enum { JOB_MAX = 64 << 20, STATUS = 0 };

struct params {
	const char *jid;
	int mode;
};

static const char *const modes[] = { "status", "cleanup", NULL };
static const struct hf_arg args[] = {
	{ "jid", HF_ARG_STR, offsetof(struct params, jid), HF_REQUIRED,
		.help = "The job, as async returned it." },
	{ "mode", HF_ARG_ENUM, offsetof(struct params, mode), .dflt = "status", .choices = modes,
		.help = "status: how it stands; cleanup: forget it." },
	{ .type = HF_ARG_END },
};

static int job_state(
	struct hf_module_context *c, const char *path, struct hf_change *change, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str text;
	struct hf_value *job = NULL;
	int r = hf_fs_read(a, path, JOB_MAX, &text, err);
	if (r == 0)
		r = hf_json_parse(a, text, path, &job, err);
	if (r < 0)
		return r;
	HF_DICT_EACH (job, e)
		hf_dict_set(change->result, hf_entry_key(e), hf_entry_value(e));
	change->changed = hf_dict_bool(job, "changed", false);
	if (hf_dict_bool(job, "failed", false))
		return hf_fail(err, HF_E_TASK, "%s", hf_dict_cstr(job, "msg", "the job failed"));
	return 0;
}

static int async_status_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	const char *home = getenv("HOME");
	if (strchr(p->jid, '/') != NULL)
		return hf_fail(err, HF_E_TASK, "a job's id has no slash: %s", p->jid);
	const char *path = hf_sprintf(a, "%s/.ansible_async/%s", home == NULL ? "/root" : home, p->jid);
	hf_result_cstr(c, change, "ansible_job_id", p->jid);
	hf_result_cstr(c, change, "results_file", path);
	if (!hf_fs_exists(path)) {
		hf_result_int(c, change, "started", 1);
		hf_result_int(c, change, "finished", 1);
		return hf_fail(err, HF_E_TASK, "could not find job");
	}
	if (p->mode == STATUS)
		return job_state(c, path, change, err);
	if (unlink(path) < 0)
		return hf_fail_errno(err, HF_E_TASK, "remove %s", path);
	hf_result_cstr(c, change, "erased", path);
	return 0;
}

const struct hf_module hf_module_async_status = {
	.name = "async_status",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY,
	.check = async_status_check,
};
