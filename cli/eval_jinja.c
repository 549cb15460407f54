#include "cli/eval_jinja.h"

#include "lib/base/scope.h"
#include "lib/template/template.h"

/* Templates that include, import and extends find, by name. */
static int load_from_request(void *data, struct hf_arena *a, const char *name, const char *parent,
	struct hf_str *ret_source, struct hf_error *err)
{
	const struct hf_value *templates = data;
	const struct hf_value *source = hf_is(templates, HF_DICT) ? hf_dict_get(templates, name) : NULL;
	if (!hf_is(source, HF_STRING))
		return hf_fail(err, HF_E_NOT_FOUND, "template '%s' not found", name);
	*ret_source = source->u.string;
	return 0;
}

static const char *option_text(const struct hf_value *opts, const char *key)
{
	return opts == NULL ? NULL : hf_dict_cstr(opts, key, NULL);
}

static void options_read(const struct hf_value *opts, struct hf_template_env *env)
{
	static const struct {
		const char *key;
		size_t offset;
	} texts[] = {
		{ "block_start_string", offsetof(struct hf_template_env, block_start) },
		{ "block_end_string", offsetof(struct hf_template_env, block_end) },
		{ "variable_start_string", offsetof(struct hf_template_env, variable_start) },
		{ "variable_end_string", offsetof(struct hf_template_env, variable_end) },
		{ "comment_start_string", offsetof(struct hf_template_env, comment_start) },
		{ "comment_end_string", offsetof(struct hf_template_env, comment_end) },
		{ "newline_sequence", offsetof(struct hf_template_env, newline_sequence) },
	};
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		*(const char **)((char *)env + texts[i].offset) = option_text(opts, texts[i].key);
	const char *undefined = option_text(opts, "undefined");
	if (opts == NULL)
		return;
	env->trim_blocks = hf_dict_bool(opts, "trim_blocks", false);
	env->lstrip_blocks = hf_dict_bool(opts, "lstrip_blocks", false);
	env->keep_trailing_newline = hf_dict_bool(opts, "keep_trailing_newline", false);
	env->autoescape = hf_dict_bool(opts, "autoescape", false);
	if (undefined != NULL && strcmp(undefined, "strict") == 0)
		env->undefined = HF_UNDEFINED_STRICT;
	if (undefined != NULL && strcmp(undefined, "chainable") == 0)
		env->undefined = HF_UNDEFINED_CHAINABLE;
}

static const char *error_kind(enum hf_code code)
{
	return code == HF_E_PARSE       ? "syntax"
	       : code == HF_E_UNDEFINED ? "undefined"
	       : code == HF_E_NOT_FOUND ? "notfound"
					: "runtime";
}

int cli_eval_jinja(struct hf_arena *a, const struct hf_value *request, struct hf_value **ret_result,
	struct hf_error *err)
{
	struct hf_value *source = hf_dict_get(request, "template"), *vars = hf_dict_get(request, "vars");
	struct hf_value *opts = hf_dict_get(request, "opts");
	if (!hf_is(source, HF_STRING))
		return hf_fail(err, HF_E_ARGUMENT, "the case has no template text");
	struct hf_template_env env = { .load = load_from_request };
	options_read(hf_is(opts, HF_DICT) ? opts : NULL, &env);
	struct hf_render how = { .arena = a,
		.env = &env,
		.variables = hf_is(vars, HF_DICT) ? vars : NULL,
		.data = hf_dict_get(request, "templates") };
	struct hf_template *t;
	hf_auto_buf out = hf_buf_init(HF_TEMPLATE_OUTPUT);
	struct hf_error failure = { 0 };
	struct hf_value *result = hf_value_dict(a);
	int r = hf_template_compile(a, &env, source->u.string, "<template>", &t, &failure);
	if (r == 0)
		r = hf_template_render(t, &how, &out, NULL, &failure);
	if (r == 0) {
		hf_dict_put(result, "result", hf_value_str(a, hf_buf_str(&out)));
	} else {
		char text[HF_ERROR_TEXT_MAX + 64];
		hf_dict_put(result, "error", hf_value_cstr(a, error_kind(failure.code)));
		hf_dict_put(
			result, "message", hf_value_cstr(a, hf_error_print(&failure, text, sizeof(text))));
	}
	*ret_result = result;
	return 0;
}
