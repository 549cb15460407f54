#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/doc.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/engine/module.h"
#include "modules/registry.h"

/* `holdfast modules`: which modules there are, and the argument table of each, as the manuals state them. */
enum { TEXT_MAX = 16 << 20 };

static const struct cli_option options[] = {
	{ "json", 0, NULL, "one JSON document instead of text" },
	{ 0 },
};

const char *cli_arg_type(enum hf_arg_type type)
{
	static const char *const names[] = { [HF_ARG_END] = "any",
		[HF_ARG_STR] = "str",
		[HF_ARG_TEXT] = "str",
		[HF_ARG_BOOL] = "bool",
		[HF_ARG_INT] = "int",
		[HF_ARG_FLOAT] = "float",
		[HF_ARG_MODE] = "mode",
		[HF_ARG_PATH] = "path",
		[HF_ARG_LIST] = "list",
		[HF_ARG_DICT] = "dict",
		[HF_ARG_RAW] = "raw",
		[HF_ARG_ENUM] = "str",
		[HF_ARG_BYTES] = "bytes",
		[HF_ARG_JSON] = "json" };
	return names[type];
}

static struct hf_value *words_value(struct hf_arena *a, const char *const *words)
{
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		hf_list_append(list, hf_value_cstr(a, words[i]));
	return list;
}

static struct hf_value *text_or_null(struct hf_arena *a, const char *text)
{
	return text == NULL ? hf_value_null(a) : hf_value_cstr(a, text);
}

static struct hf_value *option_value(struct hf_arena *a, const struct hf_arg *arg)
{
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "name", hf_value_cstr(a, arg->name));
	hf_dict_put(v, "type", hf_value_cstr(a, cli_arg_type(arg->type)));
	hf_dict_put(v, "required", hf_value_bool(a, (arg->flags & HF_REQUIRED) != 0));
	hf_dict_put(v, "refused", hf_value_bool(a, (arg->flags & HF_REFUSED) != 0));
	hf_dict_put(v, "secret", hf_value_bool(a, (arg->flags & HF_NO_LOG) != 0));
	hf_dict_put(v, "default", text_or_null(a, arg->dflt));
	hf_dict_put(v, "choices", words_value(a, arg->choices));
	hf_dict_put(v, "aliases", words_value(a, arg->aliases));
	hf_dict_put(v, "help", text_or_null(a, arg->help));
	return v;
}

static struct hf_value *module_value(struct hf_arena *a, const struct hf_module *m)
{
	struct hf_value *v = hf_value_dict(a), *list = hf_value_list(a);
	hf_dict_put(v, "name", hf_value_cstr(a, m->name));
	hf_dict_put(v, "collection", hf_value_cstr(a, m->collection));
	hf_dict_put(v, "aliases", words_value(a, m->aliases));
	hf_dict_put(v, "check_mode", hf_value_bool(a, (m->flags & HF_MODULE_NO_CHECK) == 0));
	hf_dict_put(v, "diff", hf_value_bool(a, (m->flags & HF_MODULE_NO_DIFF) == 0));
	hf_dict_put(v, "undo", hf_value_bool(a, m->undo != NULL));
	hf_dict_put(v, "watch", hf_value_bool(a, m->watch != NULL));
	hf_dict_put(v, "lasting",
		hf_value_bool(a, (m->flags & (HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE)) == 0));
	hf_dict_put(v, "any_options", hf_value_bool(a, (m->flags & HF_MODULE_ANY_ARGS) != 0));
	for (const struct hf_arg *arg = hf_module_args(m); arg != NULL && arg->type != HF_ARG_END; arg++)
		hf_list_append(list, option_value(a, arg));
	hf_dict_put(v, "options", list);
	return v;
}

static bool wanted(const struct cli_call *call, const struct hf_module *m)
{
	for (unsigned i = 0; i < call->n_arguments; i++)
		if (hf_module_find(&hf_modules, call->arguments[i]) == m)
			return true;
	return call->n_arguments == 0;
}

int cli_modules_json(struct cli_call *call)
{
	struct hf_value *list = hf_value_list(call->arena);
	hf_auto_buf out = hf_buf_init(TEXT_MAX);
	struct hf_error err;
	for (const struct hf_module *const *m = hf_modules.modules; *m != NULL; m++)
		if (wanted(call, *m))
			hf_list_append(list, module_value(call->arena, *m));
	if (hf_json_write(&out, list, &HF_JSON_PRETTY, &err) < 0 ||
		hf_buf_check(&out, "the tables", &err) < 0)
		return cli_fail(call, &err);
	printf("%s\n", out.p);
	return CLI_OK;
}

static void print_options(const struct hf_module *m)
{
	for (const struct hf_arg *arg = hf_module_args(m); arg != NULL && arg->type != HF_ARG_END; arg++)
		printf("  %-22s %-5s %s%s%s\n", arg->name, cli_arg_type(arg->type),
			(arg->flags & HF_REFUSED) != 0    ? "refused: "
			: (arg->flags & HF_REQUIRED) != 0 ? "required. "
							  : "",
			arg->help != NULL ? arg->help : "", "");
}

static int modules_run(struct cli_call *call)
{
	for (unsigned i = 0; i < call->n_arguments; i++)
		if (hf_module_find(&hf_modules, call->arguments[i]) == NULL)
			return cli_usage(call, "there is no module %s", call->arguments[i]);
	if (cli_given(call, "json"))
		return cli_modules_json(call);
	for (const struct hf_module *const *m = hf_modules.modules; *m != NULL; m++) {
		if (!wanted(call, *m))
			continue;
		printf("%s.%s\n", (*m)->collection, (*m)->name);
		if (call->n_arguments > 0)
			print_options(*m);
	}
	return CLI_OK;
}

const struct cli_command cli_command_modules = {
	.name = "modules",
	.summary = "list the modules there are, or the options of some",
	.arguments = "[MODULE…]",
	.options = options,
	.max_arguments = 64,
	.run = modules_run,
};
