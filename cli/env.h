/* cli/env.h - what the files of `holdfast env` share: reading the file and its variables, printing plans and
 * JSON. */
#pragma once
#include "cli/command.h"
#include "provisioner/engine.h"

#define ENV_COMMON_OPTIONS                                                                                   \
	{ "var", 'e', "NAME=VALUE", "set a variable of the file; the value is YAML (repeatable)" },          \
	{                                                                                                    \
		"json", 0, NULL, "print JSON"                                                                \
	}
#define ENV_COMMAND(word, function, text, table, usage, least, most)                                         \
	const struct cli_command cli_command_env_##word = { .name = "env " #word,                            \
		.summary = text,                                                                             \
		.arguments = usage,                                                                          \
		.options = table,                                                                            \
		.min_arguments = least,                                                                      \
		.max_arguments = most,                                                                       \
		.run = function }

/* The --var options as a dict. */
HF_CHECK int env_variables(struct cli_call *call, struct hf_value **ret, struct hf_error *err);
/* The file that the first argument names. variables: as of env_variables(). */
HF_CHECK int env_load(struct cli_call *call, const struct hf_value *variables, struct hf_environment **ret,
	struct hf_error *err);
/* Both. */
HF_CHECK int env_read(struct cli_call *call, struct hf_environment **ret, struct hf_error *err);
void env_json_print(const struct hf_value *v);

/* env_show.c */
size_t env_plan_todo(const struct hf_plan *p);
void env_plan_show(struct hf_arena *a, const struct hf_environment *env, const struct hf_plan *p);
/* One line, or one JSON object, for each event of an apply; data: struct env_telling. */
struct env_telling {
	struct hf_arena *arena;
	bool json;
};
void env_on_event(void *data, const char *name, enum hf_action action, enum hf_event event, uint64_t ms,
	const char *text);
/* env_reference.c: the page of every type, for docs. */
void env_reference_print(struct hf_arena *a, const struct hf_specs *specs);
