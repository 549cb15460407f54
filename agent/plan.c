#include "agent/plan.h"

#include "agent/job.h"
#include "lib/data/json.h"

enum { PLAN_RUN = -1, TASKS_MAX = 100000 }; /* no run's number */

struct hf_plan {
	struct hf_agent *agent;
	hf_plan_answer answer;
	struct hf_child *child; /* NULL: none is being made */
	struct hf_arena *arena;
	struct hf_value *tasks;
	const char *release, *message;
	uint64_t ticket;
	bool ended;
};

static void on_line(void *data, struct hf_child *c, struct hf_str text)
{
	struct hf_plan *p = data;
	struct hf_value *line = NULL;
	HF_MUST(hf_json_loads(p->arena, text, &line, err));
	const char *kind = hf_dict_cstr(line, "k", "");
	struct hf_value *event = hf_dict_get(line, "event");
	if (strcmp(kind, "planned") == 0 && event != NULL && hf_list_len(p->tasks) < TASKS_MAX)
		hf_list_append(p->tasks, event);
	if (strcmp(kind, "end") != 0)
		return;
	p->ended = true;
	if (hf_dict_int(line, "exit", 0) == 4)
		p->message = hf_dict_cstr(line, "message", NULL);
}

static void on_ended(void *data, struct hf_child *c, int status, bool timed_out)
{
	struct hf_plan *p = data;
	struct hf_value *answer = hf_value_dict(p->arena);
	p->child = NULL;
	if (!p->ended && p->message == NULL)
		p->message = "the plan was not made: its role ended early";
	if (p->message != NULL) {
		hf_dict_put(answer, "error", hf_value_cstr(p->arena, p->message));
		hf_dict_put(answer, "code", hf_value_cstr(p->arena, hf_code_name(HF_E_PARSE)));
	}
	hf_dict_put(answer, "release", hf_value_cstr(p->arena, p->release));
	hf_dict_put(answer, "tasks", p->tasks);
	p->answer(p->agent->ctl, p->ticket, answer);
	p->arena = hf_arena_free(p->arena);
}

int hf_plan_begin(struct hf_plan *p, uint64_t ticket, bool full, struct hf_error *err)
{
	struct hf_agent *agent = p->agent;
	const struct hf_target *t = agent->target.release != NULL ? &agent->target : &agent->installed;
	if (p->child != NULL)
		return hf_fail(err, HF_E_BUSY, "another plan is being made");
	if (t->release == NULL)
		return hf_fail(err, HF_E_NOT_FOUND, "the channel has named no release yet");
	p->arena = hf_arena_new();
	p->tasks = hf_value_list(p->arena);
	p->release = hf_strdup(p->arena, t->name);
	p->message = NULL;
	p->ended = false;
	p->ticket = ticket;
	struct hf_job job = { .mode = HF_JOB_PLAN,
		.run = PLAN_RUN,
		.full = full,
		.target = t,
		.log = hf_job_log(agent, p->arena, PLAN_RUN, "plan") };
	struct hf_job_watcher watcher = { on_line, on_ended, p };
	int result = hf_job_start(agent, &job, &watcher, &p->child, err);
	if (result < 0)
		p->arena = hf_arena_free(p->arena);
	return result;
}

int hf_plan_new(struct hf_agent *agent, hf_plan_answer answer, struct hf_plan **ret, struct hf_error *err)
{
	struct hf_plan *p = hf_new(agent->arena, struct hf_plan);
	*p = (struct hf_plan){ .agent = agent, .answer = answer };
	*ret = p;
	return 0;
}
