/* cli/eval.c - holdfast eval: a template or an expression, evaluated as a playbook would. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/eval_cases.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"

enum { EVAL_FILE_MAX = 32 << 20 };

static const struct cli_option options[] = {
	{ "extra-vars", 'e', "VARS",
		"a file of variables (YAML or JSON), or the variables themselves; may be given again" },
	{ "file", 'f', "TEMPLATE", "render a template file, as the template module does" },
	{ "when", 'w', NULL, "the text is a condition, as behind when:; print true or false" },
	{ "type", 't', NULL, "print the value's type in front of it" },
	{ "json", 'j', NULL, "print the value as JSON" },
	{ "no-lookups", 0, NULL,
		"refuse lookups, filters and tests that reach files, environment, network, programs" },
	{ "vault-password-file", 0, "FILE", "open vaulted values with this; may be given again" },
	{ "jsonl", 0, NULL, "read measured cases from standard input, one JSON object a line" },
	{ 0 },
};

static int vars_merge(struct hf_arena *a, struct hf_value *into, const char *given, struct hf_error *err)
{
	struct hf_value *more = NULL;
	const char *path = given[0] == '@' ? given + 1 : given;
	int r = hf_fs_exists(path) ? hf_yaml_load(a, path, NULL, &more, err)
				   : hf_yaml_parse(a, hf_str(given), "--extra-vars", NULL, &more, err);
	if (r == 0 && more->type != HF_DICT)
		r = hf_fail(err, HF_E_ARGUMENT, "%s: not a mapping of variables", given);
	if (r < 0)
		return r;
	HF_DICT_EACH (more, e)
		hf_dict_set(into, hf_entry_key(e), hf_entry_value(e));
	return 0;
}

static int value_show(const struct cli_call *call, const struct hf_value *v, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(HF_TEMPLATE_OUTPUT);
	if (cli_given(call, "type"))
		hf_buf_printf(&out, "%s: ", hf_type_name(v));
	if (cli_given(call, "json")) {
		int r = hf_json_write(&out, v, &HF_JSON_PRETTY, err);
		if (r < 0)
			return r;
	} else {
		hf_value_print(&out, v);
	}
	hf_buf_put(&out, '\n');
	int r = hf_buf_check(&out, "result", err);
	if (r == 0)
		fwrite(out.p, 1, out.n, stdout);
	return r;
}

static int file_show(struct hf_templar *t, struct hf_arena *a, const char *path, struct hf_error *err)
{
	struct hf_str source, text;
	const struct hf_templar_file how = { .path = path, .trim_blocks = -1, .lstrip_blocks = -1 };
	int r = hf_fs_read(a, path, EVAL_FILE_MAX, &source, err);
	if (r == 0)
		r = hf_templar_file(t, a, source, &how, NULL, &text, NULL, err);
	if (r == 0)
		fwrite(text.p, 1, text.n, stdout);
	return r;
}

static int text_show(
	const struct cli_call *call, struct hf_templar *t, const char *text, struct hf_error *err)
{
	struct hf_value *v =
		hf_value_at(hf_value_cstr(call->arena, text), (struct hf_pos){ "argument", 0, 0 });
	bool holds;
	int r;
	if (cli_given(call, "when")) {
		r = hf_templar_condition(t, call->arena, v, NULL, &holds, err);
		v = r < 0 ? v : hf_value_bool(call->arena, holds);
	} else if (hf_templar_is_template(t, v)) {
		r = hf_templar_value(t, call->arena, v, NULL, &v, err);
	} else {
		r = hf_templar_expression(t, call->arena, hf_str(text), hf_value_pos(v), NULL, &v, err);
	}
	return r < 0 ? r : value_show(call, v, err);
}

static int eval_run(struct cli_call *call)
{
	struct hf_arena *a = call->arena;
	struct hf_error err = { 0 };
	if (cli_given(call, "jsonl"))
		return cli_eval_cases();
	const char *file = cli_value(call, "file", NULL);
	if ((file != NULL) == (call->n_arguments == 1))
		return cli_usage(call, "give either one TEXT or --file TEMPLATE");
	struct eval_world world = { .vars = hf_value_dict(a), .sealed = cli_given(call, "no-lookups") };
	struct hf_vault *vault = hf_vault_new(a);
	int r = 0;
	const char *const *given = cli_values(call, "extra-vars");
	for (size_t i = 0; given != NULL && given[i] != NULL && r == 0; i++)
		r = vars_merge(a, world.vars, given[i], &err);
	given = cli_values(call, "vault-password-file");
	for (size_t i = 0; given != NULL && given[i] != NULL && r == 0; i++)
		r = hf_vault_add_file(vault, given[i], &err);
	if (r < 0)
		return cli_fail(call, &err);
	struct hf_templar *t = cli_eval_templar(a, &world);
	hf_templar_set_vault(t, vault);
	r = file != NULL ? file_show(t, a, file, &err) : text_show(call, t, call->arguments[0], &err);
	return r < 0 ? cli_fail(call, &err) : CLI_OK;
}

const struct cli_command cli_command_eval = {
	.name = "eval",
	.summary = "evaluate a template or an expression as a playbook would",
	.arguments = "[TEXT]",
	.options = options,
	.max_arguments = 1,
	.run = eval_run,
	.details = "TEXT is a template (\"{{ name | upper }}\") or a bare expression (\"name | upper\").",
};
