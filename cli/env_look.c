/* `holdfast env validate|output|policy|types`: what can be told of an environment without changing AWS.
 */
#include <stdio.h>
#include <string.h>

#include "cli/env.h"

static const struct cli_option look_options[] = { ENV_COMMON_OPTIONS, { NULL } };

static int validate_run(struct cli_call *call)
{
	struct hf_environment *env;
	struct hf_error err = { 0 };
	if (env_read(call, &env, &err) < 0)
		return cli_fail(call, &err);
	if (cli_given(call, "json")) {
		struct hf_value *out = hf_value_dict(call->arena);
		hf_dict_put(out, "environment", hf_value_cstr(call->arena, env->name));
		hf_dict_put(out, "resources", hf_value_int(call->arena, (int64_t)env->resources.n));
		env_json_print(out);
	} else {
		printf("%s: %zu resources, no fault found\n", env->path, env->resources.n);
	}
	return CLI_OK;
}

static int output_run(struct cli_call *call)
{
	struct hf_environment *env;
	struct hf_value *outputs;
	struct hf_error err = { 0 };
	hf_auto_engine engine = NULL;
	if (env_read(call, &env, &err) < 0 ||
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
	env_json_print(wanted != NULL ? one : shown);
	return CLI_OK;
}

static void actions_add(struct hf_arena *a, struct hf_value *actions, const struct hf_spec *spec)
{
	const struct hf_value *names = hf_dict_get(spec->doc, "actions");
	for (size_t k = 0; hf_is(names, HF_LIST) && k < hf_list_len(names); k++) {
		const char *name = hf_list_at(names, k)->u.string.p;
		bool other = strchr(name, ':') != NULL; /* of another service, which it names itself */
		hf_dict_put(actions, other ? name : hf_sprintf(a, "%s:%s", spec->service->name, name),
			hf_value_null(a));
	}
}

/* What is asked before machines are made. */
static const char *const asked_before[] = { "ec2.offerings", "ec2.instance_types", "ec2.running",
	"servicequotas.quota" };

/* What keeping the state in a bucket needs. */
static const char *const state_actions[] = { "s3:GetObject", "s3:PutObject", "s3:DeleteObject",
	"s3:ListBucket" };

/* The smallest policy that lets somebody plan, apply and destroy this file. */
static int policy_run(struct cli_call *call)
{
	struct hf_arena *a = call->arena;
	struct hf_environment *env;
	struct hf_error err = { 0 };
	if (env_read(call, &env, &err) < 0)
		return cli_fail(call, &err);
	struct hf_value *actions = hf_value_set(a), *list = hf_value_list(a);
	hf_dict_put(actions, "sts:GetCallerIdentity", hf_value_null(a));
	for (size_t i = 0; i < env->resources.n; i++) {
		const struct hf_spec *spec = env->resources.at[i].spec;
		actions_add(a, actions, spec);
		for (size_t k = 0; hf_dict_get(spec->doc, "preflight") != NULL && k < HF_COUNT(asked_before);
			k++)
			actions_add(a, actions, hf_spec_find(env->specs, asked_before[k]));
	}
	for (size_t i = 0; i < env->lookups.n; i++)
		actions_add(a, actions, env->lookups.at[i].spec);
	bool bucket = hf_str_starts(hf_str(hf_environment_state_url(a, env)), "s3://");
	for (size_t i = 0; bucket && i < HF_COUNT(state_actions); i++)
		hf_dict_put(actions, state_actions[i], hf_value_null(a));
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
	env_json_print(policy);
	return CLI_OK;
}

static void type_show(struct hf_arena *a, const struct hf_spec *spec)
{
	printf("%s: %s\n", spec->type, hf_dict_cstr(spec->doc, "summary", ""));
	if (spec->lookup)
		printf("  looked up, under data, and never made\n");
	else
		printf("  an interrupted creation is repeated %s\n", hf_dedupe_name(hf_spec_dedupe(spec)));
	HF_DICT_EACH (spec->properties, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		const struct hf_value *row = hf_entry_value(e);
		const struct hf_value *choices = hf_dict_get(row, "choices");
		printf("  %-28s %s%s%s", name, hf_dict_cstr(row, "type", "str"),
			hf_dict_bool(row, "required", false) ? ", required" : "",
			spec->lookup || hf_spec_updatable(spec, name) ? "" : ", change replaces");
		for (size_t i = 0; hf_is(choices, HF_LIST) && i < hf_list_len(choices); i++)
			printf("%s%s", i == 0 ? ": " : " | ", hf_value_text(a, hf_list_at(choices, i)).p);
		printf("\n");
	}
	const struct hf_value *outputs = hf_dict_get(spec->read, "outputs");
	const char *comma = spec->lookup ? "" : ", ";
	printf("  outputs: %s", spec->lookup ? "" : "id");
	if (hf_is(outputs, HF_DICT)) {
		HF_DICT_EACH (outputs, e) {
			printf("%s%s", comma, hf_entry_key(e)->u.string.p);
			comma = ", ";
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
	if (cli_given(call, "reference")) {
		env_reference_print(call->arena, specs);
		return CLI_OK;
	}
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
			type_show(call->arena, spec);
	}
	return CLI_OK;
}

static const struct cli_option types_options[] = {
	{ "reference", 0, NULL, "print the page of every type, as Markdown" },
	{ NULL },
};
const struct cli_command cli_command_env_types = {
	.name = "env types",
	.summary = "list the types of resources, or one with its properties",
	.arguments = "[TYPE]",
	.options = types_options,
	.max_arguments = 1,
	.run = types_run,
};

ENV_COMMAND(
	validate, validate_run, "check an environment file without asking AWS", look_options, "FILE", 1, 1);
ENV_COMMAND(
	output, output_run, "print the outputs of an environment, or one", look_options, "FILE [NAME]", 1, 2);
ENV_COMMAND(
	policy, policy_run, "print the IAM policy that is enough for this file", look_options, "FILE", 1, 1);
