/* `holdfast env plan|drift|apply|destroy`: make AWS what one environment's file says. */
#include <stdio.h>
#include <unistd.h>

#include "cli/env.h"

#define WORK_OPTIONS                                                                                         \
	ENV_COMMON_OPTIONS, { "target", 't', "NAME", "only this resource and what it needs (repeatable)" },  \
	{                                                                                                    \
		"parallel", 0, "N", "calls to AWS at once (10)"                                              \
	}
#define EXITCODE_OPTION                                                                                      \
	{                                                                                                    \
		"detailed-exitcode", 0, NULL, "exit with 2 when there is something to do"                    \
	}

static const struct cli_option plan_options[] = {
	WORK_OPTIONS,
	EXITCODE_OPTION,
	{ "destroy", 0, NULL, "plan the deletion of everything" },
	{ "out", 'o', "PLANFILE", "keep the plan, for apply --plan" },
	{ NULL },
};
static const struct cli_option drift_options[] = { WORK_OPTIONS, EXITCODE_OPTION, { NULL } };
static const struct cli_option apply_options[] = {
	WORK_OPTIONS,
	{ "yes", 'y', NULL, "do not ask" },
	{ "plan", 'p', "PLANFILE", "carry out this plan; refused when the world moved since" },
	{ "accept-capacity-block", 0, "OFFER",
		"buy this offer of a capacity block; it costs money at once (repeatable)" },
	{ NULL },
};
static const struct cli_option destroy_options[] = { WORK_OPTIONS, { "yes", 'y', NULL, "do not ask" },
	{ NULL } };

static int options_read(struct cli_call *call, struct hf_engine_options *ret, struct hf_error *err)
{
	long long parallel;
	int rc = cli_number(call, "parallel", 1, 100, HF_ENGINE_PARALLEL, &parallel, err);
	if (rc == 0)
		ret->parallel = (unsigned)parallel;
	return rc;
}

/* Look and compare, without the lock. */
static int look_run(struct cli_call *call, enum hf_plan_kind kind)
{
	struct hf_plan_given given = { .targets = cli_values(call, "target") };
	const struct hf_plan_options what = { kind, given.targets };
	struct hf_environment *env;
	struct hf_engine_options options = { 0 };
	struct hf_plan *plan;
	struct hf_error err = { 0 };
	hf_auto_engine engine = NULL;
	if (options_read(call, &options, &err) < 0 || env_variables(call, &given.variables, &err) < 0 ||
		env_load(call, given.variables, &env, &err) < 0 ||
		hf_engine_open(call->arena, env, NULL, &options, &engine, &err) < 0 ||
		hf_engine_plan(engine, &what, &plan, &err) < 0)
		return cli_fail(call, &err);
	const char *out = kind == HF_PLAN_DRIFT ? NULL : cli_value(call, "out", NULL);
	if (out != NULL && hf_plan_save(call->arena, out, env, plan, &given, &err) < 0)
		return cli_fail(call, &err);
	if (cli_given(call, "json"))
		env_json_print(hf_plan_value(call->arena, env, plan));
	else
		env_plan_show(call->arena, env, plan);
	return cli_given(call, "detailed-exitcode") && env_plan_todo(plan) > 0 ? CLI_CHANGES : CLI_OK;
}

static int plan_run(struct cli_call *call)
{
	if (cli_given(call, "destroy") && cli_given(call, "out"))
		return cli_usage(call, "a plan to destroy is not kept: destroy shows its own");
	return look_run(call, cli_given(call, "destroy") ? HF_PLAN_DESTROY : HF_PLAN_APPLY);
}

static int drift_run(struct cli_call *call)
{
	return look_run(call, HF_PLAN_DRIFT);
}

static bool agreed(const struct cli_call *call, const struct hf_plan *plan, bool *ret_asked)
{
	char answer[8] = "";
	*ret_asked = false;
	if (cli_given(call, "yes") || env_plan_todo(plan) == 0)
		return true;
	if (!isatty(STDIN_FILENO))
		return false;
	*ret_asked = true;
	printf("Do this? [y/N] ");
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

/* What a human says may be bought; whoever destroys has no such option. */
static const char *const *offers_of(const struct cli_call *call, enum hf_plan_kind kind)
{
	return kind == HF_PLAN_APPLY ? cli_values(call, "accept-capacity-block") : NULL;
}

/* A plan that was looked at before needs no second yes. */
static int change_run(struct cli_call *call, enum hf_plan_kind kind, const char *saved)
{
	struct hf_plan_given given = { .targets = cli_values(call, "target") };
	struct env_telling telling = { call->arena, cli_given(call, "json") };
	struct hf_engine_options options = {
		.event = env_on_event, .data = &telling, .offers = offers_of(call, kind)
	};
	struct hf_environment *env;
	struct hf_plan *plan;
	struct hf_error err = { 0 };
	hf_auto_engine engine = NULL;
	bool asked = false;
	int rc = options_read(call, &options, &err);
	if (rc == 0)
		rc = saved == NULL ? env_variables(call, &given.variables, &err)
				   : hf_plan_given(call->arena, saved, &given, &err);
	const struct hf_plan_options what = { kind, given.targets };
	if (rc < 0 || env_load(call, given.variables, &env, &err) < 0 ||
		hf_engine_open(call->arena, env, kind == HF_PLAN_DESTROY ? "destroy" : "apply", &options,
			&engine, &err) < 0 ||
		hf_engine_plan(engine, &what, &plan, &err) < 0 ||
		(saved != NULL && hf_plan_holds(call->arena, saved, env, plan, &err) < 0))
		return cli_fail(call, &err);
	if (!telling.json)
		env_plan_show(call->arena, env, plan);
	if (saved == NULL && !agreed(call, plan, &asked))
		return asked ? CLI_INTERRUPTED
			     : cli_usage(call, "nobody is there to ask: look at the plan, then give --yes");
	return hf_engine_apply(engine, plan, &err) < 0 ? cli_fail(call, &err) : CLI_OK;
}

static int apply_run(struct cli_call *call)
{
	const char *saved = cli_value(call, "plan", NULL);
	if (saved != NULL && (cli_given(call, "var") || cli_given(call, "target")))
		return cli_usage(
			call, "the plan has its variables and targets already: leave --var and --target out");
	return change_run(call, HF_PLAN_APPLY, saved);
}

static int destroy_run(struct cli_call *call)
{
	return change_run(call, HF_PLAN_DESTROY, NULL);
}

ENV_COMMAND(plan, plan_run, "show what apply would do, and why", plan_options, "FILE", 1, 1);
ENV_COMMAND(
	drift, drift_run, "show what changed in AWS since it was last applied", drift_options, "FILE", 1, 1);
ENV_COMMAND(apply, apply_run, "make AWS what the file says", apply_options, "FILE", 1, 1);
ENV_COMMAND(destroy, destroy_run, "delete everything the environment made", destroy_options, "FILE", 1, 1);
