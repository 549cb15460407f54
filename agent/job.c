#include "agent/job.h"

#include "agent/apply.h"
#include "agent/ledger.h"
#include "agent/reboot.h"
#include "lib/data/json.h"

enum { JOB_MAX = 8 << 20, DEADLINE_SLACK_S = 30 };

static const char *const mode_names[] = { "apply", "check", "undo", "plan" };

const char *hf_job_log(struct hf_agent *agent, struct hf_arena *a, int64_t run, const char *phase)
{
	return hf_sprintf(a, "%s/runs/%lld.%s.jsonl", agent->config.state_dir, (long long)run, phase);
}

static void put_cstr(struct hf_arena *a, struct hf_value *v, const char *key, const char *text)
{
	if (text != NULL)
		hf_dict_put(v, key, hf_value_cstr(a, text));
}

static struct hf_value *groups_value(struct hf_agent *agent, struct hf_arena *a)
{
	struct hf_value *list = hf_value_list(a);
	const struct hf_config *c = &agent->config;
	hf_list_append(list, hf_value_cstr(a, c->environment));
	hf_list_append(list, hf_value_cstr(a, c->fleet));
	for (size_t i = 0; c->roles[i] != NULL; i++)
		hf_list_append(list, hf_value_cstr(a, c->roles[i]));
	return list;
}

/* What is known before there is anything to do. */
static struct hf_value *base_value(struct hf_agent *agent, struct hf_arena *a, const struct hf_target *target)
{
	struct hf_value *v = hf_value_dict(a);
	const char *dir = agent->config.state_dir;
	put_cstr(a, v, "blobs", hf_sprintf(a, "%s/blobs", dir));
	put_cstr(a, v, "host", agent->config.host);
	hf_dict_put(v, "groups", groups_value(agent, a));
	hf_dict_put(v, "deadline", hf_value_int(a, agent->config.run_deadline_s));
	if (target != NULL) {
		put_cstr(a, v, "tree", hf_sprintf(a, "%s/releases/%s", dir, target->release));
		put_cstr(a, v, "entry", target->entry);
	}
	return v;
}

static int job_fill(struct hf_agent *agent, struct hf_arena *a, const struct hf_job *job, struct hf_value *v,
	struct hf_error *err)
{
	put_cstr(a, v, "mode", mode_names[job->mode]);
	put_cstr(a, v, "log", job->log);
	if (job->mode == HF_JOB_APPLY && job->touched == NULL)
		put_cstr(a, v, "reboot", hf_reboot_path(agent, a, job->run));
	hf_dict_put(v, "run", hf_value_int(a, job->run));
	hf_dict_put(v, "lookups", hf_value_bool(a, agent->config.lookups));
	hf_dict_put(v, "tell", hf_value_bool(a, job->tell));
	if (job->undo != NULL)
		hf_dict_put(v, "undo", hf_value_copy(a, job->undo));
	if (job->touched != NULL)
		hf_dict_put(v, "touched", hf_value_copy(a, job->touched));
	if (job->places != NULL)
		hf_dict_put(v, "places", hf_value_copy(a, job->places));
	if (job->mode == HF_JOB_UNDO || job->full)
		return 0;
	const char *recall =
		hf_sprintf(a, "%s/runs/recall.%lld.jsonl", agent->config.state_dir, (long long)job->run);
	int result = hf_ledger_recall_write(agent->state, recall, job->places, err);
	put_cstr(a, v, "recall", recall);
	return result;
}

static int text_make(struct hf_buf *out, const struct hf_value *v, struct hf_error *err)
{
	struct hf_json_style style = HF_JSON_COMPACT;
	int result = hf_json_write(out, v, &style, err);
	return result < 0 ? result : hf_buf_check(out, "a job", err);
}

static uint64_t deadline_of(const struct hf_agent *agent)
{
	return (uint64_t)(agent->config.run_deadline_s + DEADLINE_SLACK_S) * 1000;
}

int hf_job_start(struct hf_agent *agent, const struct hf_job *job, const struct hf_job_watcher *watcher,
	struct hf_child **ret, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf text = hf_buf_init(JOB_MAX);
	struct hf_value *v = base_value(agent, a, job->target);
	int result = job_fill(agent, a, job, v, err);
	if (result == 0)
		result = text_make(&text, v, err);
	if (result < 0)
		return result;
	const char *const argv[] = { agent->program, "--role", "apply", NULL };
	struct hf_child_spec spec = { .name = "apply",
		.argv = argv,
		.input = hf_buf_str(&text),
		.keep_fd = -1,
		.deadline_ms = deadline_of(agent),
		.line = watcher->line,
		.ended = watcher->ended,
		.data = watcher->data };
	return hf_child_start(agent->loop, &spec, ret, err);
}

int hf_job_prepare(struct hf_agent *agent, const struct hf_target *target, const char *log,
	const struct hf_job_watcher *watcher, struct hf_child **ret, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf text = hf_buf_init(JOB_MAX);
	struct hf_value *v = base_value(agent, a, target);
	hf_dict_put(v, "later", hf_value_bool(a, true));
	put_cstr(a, v, "log", log);
	int result = text_make(&text, v, err);
	if (result < 0)
		return result;
	struct hf_child_spec spec = { .name = "apply",
		.body = hf_apply_body,
		.input = hf_buf_str(&text),
		.keep_fd = -1,
		.line = watcher->line,
		.ended = watcher->ended,
		.data = watcher->data };
	return hf_child_start(agent->loop, &spec, ret, err);
}

int hf_job_give(
	struct hf_agent *agent, const struct hf_job *job, struct hf_child *child, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf text = hf_buf_init(JOB_MAX);
	struct hf_value *v = hf_value_dict(a);
	int result = job_fill(agent, a, job, v, err);
	if (result == 0)
		result = text_make(&text, v, err);
	return result < 0 ? result : hf_child_give(child, hf_buf_str(&text), deadline_of(agent), err);
}
