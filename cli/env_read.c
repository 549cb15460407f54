/* What was typed, and the file it names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/env.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"

enum { OUTPUT_MAX = 64 << 20 };

int env_variables(struct cli_call *call, struct hf_value **ret, struct hf_error *err)
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

int env_load(struct cli_call *call, const struct hf_value *variables, struct hf_environment **ret,
	struct hf_error *err)
{
	int rc = hf_environment_load(call->arena, call->arguments[0], variables, ret, err);
	/* A state in S3 is looked for where the environment is, unless the user's own settings say otherwise.
	 */
	if (rc == 0 && (*ret)->region != NULL && getenv("AWS_DEFAULT_REGION") == NULL)
		setenv("AWS_REGION", (*ret)->region, 0);
	return rc;
}

int env_read(struct cli_call *call, struct hf_environment **ret, struct hf_error *err)
{
	struct hf_value *variables;
	int rc = env_variables(call, &variables, err);
	return rc < 0 ? rc : env_load(call, variables, ret, err);
}

void env_json_print(const struct hf_value *v)
{
	const struct hf_json_style style = { .indent = 2, .hide_secrets = true };
	hf_auto_buf out = hf_buf_init(OUTPUT_MAX);
	struct hf_error err = { 0 };
	if (hf_json_write(&out, v, &style, &err) < 0)
		fprintf(stderr, "holdfast env: %s\n", err.text);
	printf("%.*s\n", HF_STR_ARG(hf_buf_str(&out)));
}
