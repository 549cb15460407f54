#include "cli/doc.h"
#include "modules/registry.h"

/* Nothing is left behind that could be undone, watched or shown as a difference. */
static bool is_lasting(const struct hf_module *m)
{
	return (m->flags & (HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE)) == 0;
}

static const char *yes_no(const struct hf_module *m, bool yes)
{
	if (!is_lasting(m))
		return "–";
	return yes ? "yes" : "no";
}

static size_t count_options(const struct hf_module *m, bool refused)
{
	size_t n = 0;
	for (const struct hf_arg *arg = hf_module_args(m); arg != NULL && arg->type != HF_ARG_END; arg++)
		n += ((arg->flags & HF_REFUSED) != 0) == refused;
	return n;
}

static void module_row(struct hf_buf *out, const struct hf_module *m)
{
	hf_buf_printf(out, "| `%s.%s` | %zu | %zu | %s | %s | %s | %s |\n", m->collection, m->name,
		count_options(m, false), count_options(m, true),
		(m->flags & HF_MODULE_NO_CHECK) != 0 ? "skipped" : "yes",
		yes_no(m, (m->flags & HF_MODULE_NO_DIFF) == 0), yes_no(m, m->undo != NULL),
		yes_no(m, m->watch != NULL));
}

static void option_rows(struct hf_buf *out, const struct hf_module *m)
{
	for (const struct hf_arg *arg = hf_module_args(m); arg != NULL && arg->type != HF_ARG_END; arg++)
		hf_buf_printf(out, "| `%s` | `%s` | %s | %s%s |\n", m->name, arg->name,
			cli_arg_type(arg->type), (arg->flags & HF_REFUSED) != 0 ? "refused: " : "works",
			(arg->flags & HF_REFUSED) == 0 ? ""
			: arg->help == NULL            ? "no reason is given"
						       : arg->help);
}

void cli_doc_table(struct hf_buf *out)
{
	hf_buf_puts(out, "# Modules\n\nMade by `holdfast doc --table` from the modules themselves.\n\n"
			 "## What each does\n\n"
			 "check: check mode says what would change. diff: differences are shown. undo: a "
			 "rollback takes "
			 "it back. watch: the agent hears of disturbances. – : it leaves nothing behind.\n\n"
			 "| module | options | refused | check | diff | undo | watch |\n"
			 "|---|---|---|---|---|---|---|\n");
	for (const struct hf_module *const *m = hf_modules.modules; *m != NULL; m++)
		module_row(out, *m);
	hf_buf_puts(out, "\n## Options\n\n| module | option | type | |\n|---|---|---|---|\n");
	for (const struct hf_module *const *m = hf_modules.modules; *m != NULL; m++)
		option_rows(out, *m);
}
