/* `holdfast env …`: create and change the AWS resources of one environment from its file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "provisioner/engine.h"

enum { OUTPUT_MAX = 64 << 20 };

#define COMMON_OPTIONS                                                                                       \
	{ "var", 'e', "NAME=VALUE", "set a variable of the file; the value is YAML (repeatable)" },          \
	{                                                                                                    \
		"json", 0, NULL, "print JSON"                                                                \
	}

static const struct cli_option look_options[] = { COMMON_OPTIONS, { NULL } };
static const struct cli_option plan_options[] = {
	COMMON_OPTIONS,
	{ "detailed-exitcode", 0, NULL, "exit with 2 when there is something to do" },
	{ "destroy", 0, NULL, "plan the deletion of everything" },
	{ "parallel", 0, "N", "calls to AWS at once (10)" },
	{ NULL },
};
static const struct cli_option apply_options[] = {
	COMMON_OPTIONS,
	{ "yes", 'y', NULL, "do not ask" },
	{ "parallel", 0, "N", "calls to AWS at once (10)" },
	{ NULL },
};

/* --- what was typed --- */

static int variables_read(struct cli_call *call, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = hf_value_dict(call->arena);
	const char *const *given = cli_values(call, "var");
	for (size_t i = 0; given != NULL && given[i] != NULL; i++) {
		const char *equal = strchr(given[i], '=');
		struct hf_value *v;
		if (equal == NULL || equal == given[i])
			return hf_fail(err, HF_E_ARGUMENT, "--var %s: write NAME=VALUE", given[i]);
		int rc = hf_yaml_parse(call->arena, hf_str(equal + 1), "--var", NULL, &v, err);
		if (rc < 0)
			return rc;
		hf_dict_put(out, hf_strndup(call->arena, given[i], (size_t)(equal - given[i])), v);
	}
	*ret = out;
	return 0;
}

static int environment_read(struct cli_call *call, struct hf_environment **ret, struct hf_error *err)
{
	struct hf_value *variables;
	int rc = variables_read(call, &variables, err);
	if (rc == 0)
		rc = hf_environment_load(call->arena, call->arguments[0], variables, ret, err);
	/* A state in S3 is looked for where the environment is, unless the user's own settings say otherwise.
	 */
	if (rc == 0 && (*ret)->region != NULL && getenv("AWS_DEFAULT_REGION") == NULL)
		setenv("AWS_REGION", (*ret)->region, 0);
	return rc;
}

static void json_print(const struct hf_value *v)
{
	const struct hf_json_style style = { .indent = 2, .hide_secrets = true };
	hf_auto_buf out = hf_buf_init(OUTPUT_MAX);
	struct hf_error err = { 0 };
	if (hf_json_write(&out, v, &style, &err) < 0)
		fprintf(stderr, "holdfast env: %s\n", err.text);
	printf("%.*s\n", HF_STR_ARG(hf_buf_str(&out)));
}

/* --- showing a plan --- */

static const char *value_show(struct hf_arena *a, const struct hf_value *v)
{
	const struct hf_json_style style = { .indent = -1, .hide_secrets = true };
	hf_auto_buf out = hf_buf_init(OUTPUT_MAX);
	if (v == NULL)
		return "not set";
	if (hf_is(v, HF_UNDEFINED))
		return "known after apply";
	return hf_json_write(&out, v, &style, NULL) < 0 ? "?" : hf_str_dup(a, hf_buf_str(&out));
}

static void change_show(struct hf_arena *a, const struct hf_change *c)
{
	static const char *const marks[] = {
		[HF_CREATE] = "+", [HF_UPDATE] = "~", [HF_REPLACE] = "-/+", [HF_DELETE] = "-"
	};
	printf("%4s %s (%s)\n", marks[c->action], c->name, c->spec->type);
	for (size_t i = 0; i < c->differences.n; i++) {
		const struct hf_difference *d = &c->differences.at[i];
		if (d->before == NULL && d->after == NULL)
			printf("         %s\n", d->property);
		else
			printf("         %s: %s → %s%s\n", d->property, value_show(a, d->before),
				value_show(a, d->after), d->forces ? "  (cannot be changed in place)" : "");
	}
}

static size_t plan_todo(const struct hf_plan *p)
{
	return p->counts[HF_CREATE] + p->counts[HF_UPDATE] + p->counts[HF_REPLACE] + p->counts[HF_DELETE];
}

static void plan_show(struct hf_arena *a, const struct hf_environment *env, const struct hf_plan *p)
{
	for (size_t i = 0; i < p->changes.n; i++)
		if (p->changes.at[i].action != HF_NONE)
			change_show(a, &p->changes.at[i]);
	printf("%s: %zu to create, %zu to update, %zu to replace, %zu to delete, %zu unchanged\n", env->name,
		p->counts[HF_CREATE], p->counts[HF_UPDATE], p->counts[HF_REPLACE], p->counts[HF_DELETE],
		p->counts[HF_NONE]);
}

static struct hf_value *difference_json(struct hf_arena *a, const struct hf_difference *d)
{
	struct hf_value *v = hf_value_dict(a);
	if (d->before == NULL && d->after == NULL) {
		hf_dict_put(v, "reason", hf_value_cstr(a, d->property));
		return v;
	}
	bool unknown = hf_is(d->after, HF_UNDEFINED);
	hf_dict_put(v, "property", hf_value_cstr(a, d->property));
	hf_dict_put(v, "before", d->before == NULL ? hf_value_null(a) : d->before);
	hf_dict_put(v, "after", d->after == NULL || unknown ? hf_value_null(a) : d->after);
	hf_dict_put(v, "unknown", hf_value_bool(a, unknown));
	hf_dict_put(v, "forces_replacement", hf_value_bool(a, d->forces));
	return v;
}

static void plan_json(struct hf_arena *a, const struct hf_environment *env, const struct hf_plan *p)
{
	struct hf_value *out = hf_value_dict(a), *list = hf_value_list(a), *counts = hf_value_dict(a);
	for (size_t i = 0; i < p->changes.n; i++) {
		const struct hf_change *c = &p->changes.at[i];
		struct hf_value *v = hf_value_dict(a), *differences = hf_value_list(a);
		for (size_t k = 0; k < c->differences.n; k++)
			hf_list_append(differences, difference_json(a, &c->differences.at[k]));
		hf_dict_put(v, "name", hf_value_cstr(a, c->name));
		hf_dict_put(v, "type", hf_value_cstr(a, c->spec->type));
		hf_dict_put(v, "action", hf_value_cstr(a, hf_action_name(c->action)));
		hf_dict_put(v, "differences", differences);
		hf_list_append(list, v);
	}
	for (int i = HF_NONE; i <= HF_DELETE; i++)
		hf_dict_put(
			counts, hf_action_name((enum hf_action)i), hf_value_int(a, (int64_t)p->counts[i]));
	hf_dict_put(out, "environment", hf_value_cstr(a, env->name));
	hf_dict_put(out, "changes", list);
	hf_dict_put(out, "counts", counts);
	json_print(out);
}

/* --- commands --- */

static int validate_run(struct cli_call *call)
{
	struct hf_environment *env;
	struct hf_error err = { 0 };
	if (environment_read(call, &env, &err) < 0)
		return cli_fail(call, &err);
	if (cli_given(call, "json")) {
		struct hf_value *out = hf_value_dict(call->arena);
		hf_dict_put(out, "environment", hf_value_cstr(call->arena, env->name));
		hf_dict_put(out, "resources", hf_value_int(call->arena, (int64_t)env->resources.n));
		json_print(out);
	} else {
		printf("%s: %zu resources, no fault found\n", env->path, env->resources.n);
	}
	return CLI_OK;
}

static int options_read(struct cli_call *call, struct hf_engine_options *ret, struct hf_error *err)
{
	long long parallel;
	int rc = cli_number(call, "parallel", 1, 100, HF_ENGINE_PARALLEL, &parallel, err);
	if (rc == 0)
		ret->parallel = (unsigned)parallel;
	return rc;
}

static int plan_run(struct cli_call *call)
{
	struct hf_environment *env;
	struct hf_engine_options options = { 0 };
	struct hf_plan *plan;
	struct hf_error err = { 0 };
	hf_auto_engine engine = NULL;
	if (options_read(call, &options, &err) < 0 || environment_read(call, &env, &err) < 0 ||
		hf_engine_open(call->arena, env, NULL, &options, &engine, &err) < 0 ||
		hf_engine_plan(engine, cli_given(call, "destroy"), &plan, &err) < 0)
		return cli_fail(call, &err);
	if (cli_given(call, "json"))
		plan_json(call->arena, env, plan);
	else
		plan_show(call->arena, env, plan);
	return cli_given(call, "detailed-exitcode") && plan_todo(plan) > 0 ? CLI_CHANGES : CLI_OK;
}

struct telling {
	struct hf_arena *arena;
	bool json;
};

static void on_event(void *data, const char *name, enum hf_action action, enum hf_event event, uint64_t ms,
	const char *text)
{
	static const char *const words[] = { [HF_STARTED] = "started",
		[HF_WAITS] = "waits",
		[HF_FINISHED] = "done",
		[HF_FAILED] = "failed",
		[HF_SKIPPED] = "skipped" };
	const struct telling *t = data;
	if (t->json) {
		const struct hf_json_style style = HF_JSON_COMPACT;
		hf_auto_arena a = hf_arena_new();
		hf_auto_buf line = hf_buf_init(OUTPUT_MAX);
		struct hf_value *v = hf_value_dict(a);
		hf_dict_put(v, "type", hf_value_cstr(a, "resource"));
		hf_dict_put(v, "name", hf_value_cstr(a, name));
		hf_dict_put(v, "action", hf_value_cstr(a, hf_action_name(action)));
		hf_dict_put(v, "event", hf_value_cstr(a, words[event]));
		hf_dict_put(v, "ms", hf_value_int(a, (int64_t)ms));
		hf_dict_put(v, "msg", hf_value_cstr(a, text));
		if (hf_json_write(&line, v, &style, NULL) == 0)
			printf("%.*s\n", HF_STR_ARG(hf_buf_str(&line)));
	} else if (event != HF_STARTED) {
		printf("%-8s %s %s", words[event], hf_action_name(action), name);
		printf(text[0] == '\0' ? " (%.1f s)%s\n" : " (%.1f s): %s\n", (double)ms / 1000, text);
	}
	fflush(stdout);
}

static bool agreed(const struct cli_call *call, const struct hf_plan *plan, bool *ret_asked)
{
	char answer[8] = "";
	*ret_asked = false;
	if (cli_given(call, "yes") || plan_todo(plan) == 0)
		return true;
	if (!isatty(STDIN_FILENO))
		return false;
	*ret_asked = true;
	printf("Do this? [y/N] ");
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static int change_run(struct cli_call *call, bool destroy)
{
	struct telling telling = { call->arena, cli_given(call, "json") };
	struct hf_engine_options options = { .event = on_event, .data = &telling };
	struct hf_environment *env;
	struct hf_plan *plan;
	struct hf_error err = { 0 };
	hf_auto_engine engine = NULL;
	bool asked;
	if (options_read(call, &options, &err) < 0 || environment_read(call, &env, &err) < 0 ||
		hf_engine_open(call->arena, env, destroy ? "destroy" : "apply", &options, &engine, &err) <
			0 ||
		hf_engine_plan(engine, destroy, &plan, &err) < 0)
		return cli_fail(call, &err);
	if (!telling.json)
		plan_show(call->arena, env, plan);
	if (!agreed(call, plan, &asked)) {
		if (asked)
			return CLI_INTERRUPTED;
		return cli_usage(call, "nobody is there to ask: look at the plan, then give --yes");
	}
	if (hf_engine_apply(engine, plan, &err) < 0)
		return cli_fail(call, &err);
	return CLI_OK;
}

static int apply_run(struct cli_call *call)
{
	return change_run(call, false);
}

static int destroy_run(struct cli_call *call)
{
	return change_run(call, true);
}

static int output_run(struct cli_call *call)
{
	struct hf_environment *env;
	struct hf_value *outputs;
	struct hf_error err = { 0 };
	hf_auto_engine engine = NULL;
	if (environment_read(call, &env, &err) < 0 ||
		hf_engine_open(call->arena, env, NULL, NULL, &engine, &err) < 0 ||
		hf_engine_outputs(engine, &outputs, &err) < 0)
		return cli_fail(call, &err);
	const char *wanted = call->n_arguments > 1 ? call->arguments[1] : NULL;
	struct hf_value *one = wanted == NULL ? NULL : hf_dict_get(outputs, wanted);
	if (wanted != NULL && (one == NULL || hf_is(one, HF_UNDEFINED))) {
		hf_fail(&err, HF_E_NOT_FOUND, "%s: there is no output \"%s\"%s", env->path, wanted,
			one == NULL ? "" : " yet");
		return cli_fail(call, &err);
	}
	if (wanted != NULL && !cli_given(call, "json")) {
		printf("%s\n", hf_value_text(call->arena, one).p);
		return CLI_OK;
	}
	struct hf_value *shown = hf_value_dict(call->arena);
	HF_DICT_EACH (outputs, e) {
		hf_dict_set(shown, hf_entry_key(e),
			hf_is(hf_entry_value(e), HF_UNDEFINED) ? hf_value_null(call->arena)
							       : hf_entry_value(e));
	}
	json_print(wanted != NULL ? one : shown);
	return CLI_OK;
}

static int graph_run(struct cli_call *call)
{
	struct hf_environment *env;
	struct hf_error err = { 0 };
	if (environment_read(call, &env, &err) < 0)
		return cli_fail(call, &err);
	printf("digraph \"%s\" {\n\trankdir=RL;\n\tnode [shape=box, fontname=\"sans-serif\"];\n", env->name);
	for (size_t i = 0; i < env->resources.n; i++) {
		const struct hf_resource *r = &env->resources.at[i];
		printf("\t\"%s\" [label=\"%s\\n%s\"];\n", r->name, r->name, r->spec->type);
		for (size_t k = 0; k < r->depends.n; k++)
			printf("\t\"%s\" -> \"%s\";\n", r->name, env->resources.at[r->depends.at[k]].name);
	}
	printf("}\n");
	return CLI_OK;
}

/* The smallest policy that lets somebody plan, apply and destroy this file. */
static int policy_run(struct cli_call *call)
{
	struct hf_arena *a = call->arena;
	struct hf_environment *env;
	struct hf_error err = { 0 };
	if (environment_read(call, &env, &err) < 0)
		return cli_fail(call, &err);
	struct hf_value *actions = hf_value_set(a), *list = hf_value_list(a);
	hf_dict_put(actions, "sts:GetCallerIdentity", hf_value_null(a));
	for (size_t i = 0; i < env->resources.n; i++) {
		const struct hf_spec *spec = env->resources.at[i].spec;
		const struct hf_value *names = hf_dict_get(spec->doc, "actions");
		for (size_t k = 0; hf_is(names, HF_LIST) && k < hf_list_len(names); k++)
			hf_dict_put(actions,
				hf_sprintf(a, "%s:%s", spec->service->name, hf_list_at(names, k)->u.string.p),
				hf_value_null(a));
		if (strcmp(spec->type, "ec2.instance") == 0 ||
			strcmp(spec->type, "iam.instance_profile") == 0)
			hf_dict_put(actions, "iam:PassRole", hf_value_null(a));
	}
	HF_DICT_EACH (actions, e) {
		hf_list_append(list, hf_entry_key(e));
	}
	struct hf_value *policy = hf_value_dict(a), *statements = hf_value_list(a),
			*statement = hf_value_dict(a);
	hf_dict_put(statement, "Effect", hf_value_cstr(a, "Allow"));
	hf_dict_put(statement, "Action", list);
	hf_dict_put(statement, "Resource", hf_value_cstr(a, "*"));
	hf_list_append(statements, statement);
	hf_dict_put(policy, "Version", hf_value_cstr(a, "2012-10-17"));
	hf_dict_put(policy, "Statement", statements);
	json_print(policy);
	return CLI_OK;
}

static void type_show(const struct hf_spec *spec)
{
	printf("%s: %s\n", spec->type, hf_dict_cstr(spec->doc, "summary", ""));
	HF_DICT_EACH (spec->properties, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		const struct hf_value *row = hf_entry_value(e);
		const struct hf_value *choices = hf_dict_get(row, "choices");
		printf("  %-28s %s%s%s", name, hf_dict_cstr(row, "type", "str"),
			hf_dict_bool(row, "required", false) ? ", required" : "",
			hf_spec_updatable(spec, name) ? "" : ", change replaces");
		for (size_t i = 0; hf_is(choices, HF_LIST) && i < hf_list_len(choices); i++)
			printf("%s%s", i == 0 ? ": " : " | ", hf_list_at(choices, i)->u.string.p);
		printf("\n");
	}
	const struct hf_value *outputs = hf_dict_get(spec->read, "outputs");
	printf("  outputs: id");
	if (hf_is(outputs, HF_DICT)) {
		HF_DICT_EACH (outputs, e) {
			printf(", %s", hf_entry_key(e)->u.string.p);
		}
	}
	printf("\n");
}

static int types_run(struct cli_call *call)
{
	struct hf_specs *specs;
	struct hf_error err = { 0 };
	if (hf_specs_load(call->arena, &specs, &err) < 0)
		return cli_fail(call, &err);
	const char *wanted = call->n_arguments > 0 ? call->arguments[0] : NULL;
	if (wanted != NULL && hf_spec_find(specs, wanted) == NULL) {
		const char *near = hf_spec_nearest(specs, wanted);
		hf_fail(&err, HF_E_NOT_FOUND, "there is no type \"%s\"%s%s", wanted,
			near == NULL ? "" : "; did you mean ", near == NULL ? "" : near);
		return cli_fail(call, &err);
	}
	for (size_t i = 0; i < hf_specs_count(specs); i++) {
		const struct hf_spec *spec = hf_specs_at(specs, i);
		if (wanted == NULL)
			printf("%-28s %s\n", spec->type, hf_dict_cstr(spec->doc, "summary", ""));
		else if (strcmp(spec->type, wanted) == 0)
			type_show(spec);
	}
	return CLI_OK;
}

static const struct cli_option no_options[] = { { NULL } };
const struct cli_command cli_command_env_types = {
	.name = "env types",
	.summary = "list the types of resources, or one with its properties",
	.arguments = "[TYPE]",
	.options = no_options,
	.max_arguments = 1,
	.run = types_run,
};

#define ENV_COMMAND(word, function, text, table, usage, most)                                                \
	const struct cli_command cli_command_env_##word = { .name = "env " #word,                            \
		.summary = text,                                                                             \
		.arguments = usage,                                                                          \
		.options = table,                                                                            \
		.min_arguments = 1,                                                                          \
		.max_arguments = most,                                                                       \
		.run = function }

ENV_COMMAND(validate, validate_run, "check an environment file without asking AWS", look_options, "FILE", 1);
ENV_COMMAND(plan, plan_run, "show what apply would do, and why", plan_options, "FILE", 1);
ENV_COMMAND(apply, apply_run, "make AWS what the file says", apply_options, "FILE", 1);
ENV_COMMAND(destroy, destroy_run, "delete everything the environment made", apply_options, "FILE", 1);
ENV_COMMAND(
	output, output_run, "print the outputs of an environment, or one", look_options, "FILE [NAME]", 2);
ENV_COMMAND(graph, graph_run, "print who needs whom, for Graphviz", look_options, "FILE", 1);
ENV_COMMAND(policy, policy_run, "print the IAM policy that is enough for this file", look_options, "FILE", 1);
