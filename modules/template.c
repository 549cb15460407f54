#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/unicode.h"
#include "modules/copy_work.h"

static const struct hf_arg template_args[] = {
	{ "src", HF_ARG_STR, offsetof(struct hf_copy_params, src), HF_REQUIRED,
		.help = "Template of the release." },
	{ "dest", HF_ARG_PATH, offsetof(struct hf_copy_params, dest), HF_REQUIRED,
		.help = "Where the text goes." },
	{ "backup", HF_ARG_BOOL, offsetof(struct hf_copy_params, backup), .dflt = "false",
		.help = "Keep a dated copy of the file that is replaced." },
	{ "force", HF_ARG_BOOL, offsetof(struct hf_copy_params, force), .dflt = "true",
		.help = "Replace a file with other content; no leaves whatever exists." },
	{ "follow", HF_ARG_BOOL, offsetof(struct hf_copy_params, follow), .dflt = "false",
		.help = "Where dest is a link, write what it leads to." },
	{ "validate", HF_ARG_STR, offsetof(struct hf_copy_params, validate),
		.help = "Command that must accept the new file, named by %s." },
	{ "directory_mode", HF_ARG_MODE, offsetof(struct hf_copy_params, directory_mode),
		.help = "Mode of directories that are made." },
	{ "newline_sequence", HF_ARG_STR, offsetof(struct hf_copy_params, newline_sequence), .dflt = "\n",
		.help = "What ends a line: \\n, \\r or \\r\\n." },
	{ "block_start_string", HF_ARG_STR, offsetof(struct hf_copy_params, block_start),
		.help = "Instead of {%." },
	{ "block_end_string", HF_ARG_STR, offsetof(struct hf_copy_params, block_end),
		.help = "Instead of %}." },
	{ "variable_start_string", HF_ARG_STR, offsetof(struct hf_copy_params, variable_start),
		.help = "Instead of {{." },
	{ "variable_end_string", HF_ARG_STR, offsetof(struct hf_copy_params, variable_end),
		.help = "Instead of }}." },
	{ "comment_start_string", HF_ARG_STR, offsetof(struct hf_copy_params, comment_start),
		.help = "Instead of {#." },
	{ "comment_end_string", HF_ARG_STR, offsetof(struct hf_copy_params, comment_end),
		.help = "Instead of #}." },
	{ "trim_blocks", HF_ARG_BOOL, offsetof(struct hf_copy_params, trim_blocks), .dflt = "true",
		.help = "Drop the newline after a block." },
	{ "lstrip_blocks", HF_ARG_BOOL, offsetof(struct hf_copy_params, lstrip_blocks), .dflt = "false",
		.help = "Drop blanks before a block." },
	{ "output_encoding", HF_ARG_STR, offsetof(struct hf_copy_params, output_encoding), .dflt = "utf-8",
		.help = "Encoding of the file; utf-8 only." },
	{ "state", HF_ARG_STR, offsetof(struct hf_copy_params, checksum), HF_REFUSED,
		.help = "'state' cannot be specified on a template" },
	HF_FILE_ATTR_ARGS(struct hf_copy_params, attr),
	{ .type = HF_ARG_END },
};

static const char *newline_of(const char *text)
{
	static const char *const spelled[][2] = { { "\\n", "\n" }, { "\\r", "\r" }, { "\\r\\n", "\r\n" },
		{ "\n", "\n" }, { "\r", "\r" }, { "\r\n", "\r\n" } };
	for (size_t i = 0; i < HF_COUNT(spelled); i++)
		if (strcmp(spelled[i][0], text) == 0)
			return spelled[i][1];
	return NULL;
}

static struct hf_value *render_options(
	struct hf_arena *a, const struct hf_copy_params *p, const char *newline)
{
	const struct {
		const char *name, *text;
	} texts[] = { { "newline_sequence", newline }, { "block_start_string", p->block_start },
		{ "block_end_string", p->block_end }, { "variable_start_string", p->variable_start },
		{ "variable_end_string", p->variable_end }, { "comment_start_string", p->comment_start },
		{ "comment_end_string", p->comment_end }, { "dest", p->dest } };
	struct hf_value *options = hf_value_dict(a);
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		if (texts[i].text != NULL)
			hf_dict_put(options, texts[i].name, hf_value_cstr(a, texts[i].text));
	hf_dict_put(options, "trim_blocks", hf_value_bool(a, p->trim_blocks == HF_YES));
	hf_dict_put(options, "lstrip_blocks", hf_value_bool(a, p->lstrip_blocks == HF_YES));
	return options;
}

static int template_render(struct hf_copy_work *w)
{
	const struct hf_copy_params *p = w->p;
	const char *newline = newline_of(p->newline_sequence);
	if (newline == NULL)
		return hf_fail(w->err, HF_E_TASK, "newline_sequence needs to be one of: \n, \r or \r\n");
	char known[HF_ENCODING_MAX];
	if (strcmp(hf_encoding_name(hf_str(p->output_encoding), known), "UTF-8") != 0)
		return hf_fail(w->err, HF_E_UNSUPPORTED, "output_encoding %s: only utf-8 is written",
			p->output_encoding);
	char *path;
	int result = hf_task_find(w->c, "templates", p->src, &path, w->err);
	if (result < 0)
		return result;
	struct hf_str text;
	bool secret = false;
	result = hf_task_read(w->c, path, false, &text, &secret, w->err);
	if (result < 0)
		return result;
	if (!hf_utf8_valid(text))
		return hf_fail(w->err, HF_E_TASK, "Template source files must be utf-8 encoded");
	struct hf_value *options = render_options(hf_task_arena(w->c), p, newline);
	w->source = (struct hf_copy_source){ .path = path, .shown = path, .in_memory = true };
	result = hf_task_render(w->c, text, path, options, &w->source.data, &secret, w->err);
	return result < 0 ? result : hf_copy_work_source(w, &w->source);
}

static int template_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_copy_work *w = hf_copy_work_new(c, params, change, err);
	int result = template_render(w);
	if (result == 0)
		result = hf_copy_work_file(
			w, &w->source, hf_path_base(w->source.path), w->p->dest, w->p->follow == HF_YES);
	return hf_copy_work_end(w, result);
}

/* The rendered text, not the template: a variable that changed is a change. */
static int template_inputs(
	struct hf_module_context *c, const void *params, struct hf_inputs *inputs, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_change look = { .result = hf_value_dict(a), .diff = hf_value_list(a) };
	struct hf_copy_work *w = hf_copy_work_new(c, params, &look, err);
	int result = template_render(w);
	if (result == 0)
		hf_input_text(inputs, w->source.data);
	return result;
}

/* The text is what check rendered: rendering again could give another one (dates, random). */
static int template_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_copy_work *w = change->state;
	w->err = err;
	w->touch = true;
	int result = hf_copy_work_file(
		w, &w->source, hf_path_base(w->source.path), w->p->dest, w->p->follow == HF_YES);
	return hf_copy_work_end(w, result);
}

const struct hf_module hf_module_template = {
	.name = "template",
	.collection = "ansible.builtin",
	.schema = { template_args, NULL, sizeof(struct hf_copy_params) },
	.inputs = template_inputs,
	.check = template_check,
	.apply = template_apply,
	.undo = hf_copy_work_undo,
	.watch = hf_copy_work_watch,
};
