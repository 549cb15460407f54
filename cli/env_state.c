/* `holdfast env import|state`: what the state knows, and taking over what exists. */
#include <stdio.h>
#include <string.h>

#include "cli/env.h"

static const struct cli_option state_options[] = { ENV_COMMON_OPTIONS, { NULL } };

static int import_run(struct cli_call *call)
{
	struct hf_environment *env;
	struct hf_error err = { 0 };
	hf_auto_engine engine = NULL;
	if (env_read(call, &env, &err) < 0 ||
		hf_engine_open(call->arena, env, "import", NULL, &engine, &err) < 0 ||
		hf_engine_import(engine, call->arguments[1], call->arguments[2], &err) < 0)
		return cli_fail(call, &err);
	printf("%s is %s now; see what apply would change: holdfast env plan %s\n", call->arguments[1],
		call->arguments[2], call->arguments[0]);
	return CLI_OK;
}

static int state_open(struct cli_call *call, struct hf_state **ret, struct hf_error *err)
{
	struct hf_environment *env;
	int rc = env_read(call, &env, err);
	if (rc == 0)
		rc = hf_state_open(call->arena, hf_environment_state_url(call->arena, env), ret, err);
	return rc < 0 ? rc : hf_state_load(*ret, err);
}

static int state_list_run(struct cli_call *call)
{
	struct hf_error err = { 0 };
	struct hf_value *list = hf_value_list(call->arena);
	hf_auto_state state = NULL;
	if (state_open(call, &state, &err) < 0)
		return cli_fail(call, &err);
	for (size_t i = 0; i < hf_state_count(state); i++) {
		const struct hf_state_doc *d = hf_state_at(state, i);
		struct hf_value *row = hf_value_dict(call->arena);
		static const char *const shown[] = { "type", "status", "id" };
		hf_dict_put(row, "name", hf_value_cstr(call->arena, d->name));
		for (size_t k = 0; k < HF_COUNT(shown); k++)
			hf_dict_put(row, shown[k],
				hf_value_cstr(call->arena, hf_dict_cstr(d->doc, shown[k], "")));
		hf_list_append(list, row);
		if (!cli_given(call, "json"))
			printf("%-32s %-28s %-9s %s\n", d->name, hf_dict_cstr(row, "type", ""),
				hf_dict_cstr(row, "status", ""), hf_dict_cstr(row, "id", ""));
	}
	if (cli_given(call, "json"))
		env_json_print(list);
	return CLI_OK;
}

static int state_show_run(struct cli_call *call)
{
	struct hf_error err = { 0 };
	hf_auto_state state = NULL;
	if (state_open(call, &state, &err) < 0)
		return cli_fail(call, &err);
	const struct hf_state_doc *d = hf_state_find(state, call->arguments[1]);
	if (d == NULL) {
		hf_fail(&err, HF_E_NOT_FOUND, "the state has no \"%s\"", call->arguments[1]);
		return cli_fail(call, &err);
	}
	env_json_print(d->doc);
	return CLI_OK;
}

static void rebuild_show(const struct hf_value *done)
{
	const struct hf_value *found = hf_dict_get(done, "found"), *missing = hf_dict_get(done, "missing"),
			      *unknown = hf_dict_get(done, "unknown");
	for (size_t i = 0; i < hf_list_len(found); i++)
		printf("found    %s\n", hf_list_at(found, i)->u.string.p);
	for (size_t i = 0; i < hf_list_len(missing); i++)
		printf("missing  %s: %s\n", hf_dict_cstr(hf_list_at(missing, i), "name", ""),
			hf_dict_cstr(hf_list_at(missing, i), "reason", ""));
	for (size_t i = 0; i < hf_list_len(unknown); i++)
		printf("unknown  %s: %s carries this environment's tags, but is not in the file\n",
			hf_dict_cstr(hf_list_at(unknown, i), "name", ""),
			hf_dict_cstr(hf_list_at(unknown, i), "arn", ""));
}

static int state_rebuild_run(struct cli_call *call)
{
	struct hf_environment *env;
	struct hf_value *done;
	struct hf_error err = { 0 };
	hf_auto_engine engine = NULL;
	if (env_read(call, &env, &err) < 0 ||
		hf_engine_open(call->arena, env, "state rebuild", NULL, &engine, &err) < 0 ||
		hf_engine_rebuild(engine, &done, &err) < 0)
		return cli_fail(call, &err);
	if (cli_given(call, "json"))
		env_json_print(done);
	else
		rebuild_show(done);
	return CLI_OK;
}

ENV_COMMAND(import, import_run, "take over what exists already", state_options, "FILE NAME ID", 3, 3);

#define STATE_COMMAND(word, function, text, usage, count)                                                    \
	const struct cli_command cli_command_env_state_##word = { .name = "env state " #word,                \
		.summary = text,                                                                             \
		.arguments = usage,                                                                          \
		.options = state_options,                                                                    \
		.min_arguments = count,                                                                      \
		.max_arguments = count,                                                                      \
		.run = function }

STATE_COMMAND(list, state_list_run, "list what the environment made", "FILE", 1);
STATE_COMMAND(show, state_show_run, "print what is known of one resource", "FILE NAME", 2);
STATE_COMMAND(
	rebuild, state_rebuild_run, "find again what a lost state knew, from the tags in AWS", "FILE", 1);
