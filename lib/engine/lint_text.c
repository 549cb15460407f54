/* Templates read and never rendered: which filters, tests and lookups they name. */
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/args.h"
#include "lib/engine/lint_internal.h"
#include "lib/engine/templar_internal.h"

enum { TEMPLATE_MAX = 4 << 20 };

static void seen(void *data, const struct hf_template_seen *what)
{
	static const enum hf_plugin_kind kinds[] = {
		[HF_SEEN_FILTER] = HF_PLUGIN_FILTER, [HF_SEEN_TEST] = HF_PLUGIN_TEST
	};
	struct linter *l = data;
	struct hf_pos pos = l->pos;
	if (l->whole_file) {
		pos.line = what->line;
		pos.column = what->column;
	}
	if (what->kind == HF_SEEN_CALL) {
		bool lookup = hf_str_is(what->name, "lookup") || hf_str_is(what->name, "query") ||
			      hf_str_is(what->name, "q");
		if (lookup && what->argument.p != NULL)
			lint_lookup_name(l, hf_str_dup(l->arena, what->argument), pos);
		return;
	}
	if (what->known)
		return;
	struct hf_plugin_places places = lint_places(l);
	enum hf_plugin_kind kind = kinds[what->kind];
	const char *name = hf_str_dup(l->arena, what->name);
	lint_report(l, hf_plugin_word(kind), name, hf_plugin_absent(l->arena, &places, kind, name), pos);
}

void lint_lookup_name(struct linter *l, const char *name, struct hf_pos pos)
{
	struct hf_plugin_places places = lint_places(l);
	if (hf_templar_has_lookup(name))
		return;
	lint_report(l, "lookup", name, hf_plugin_absent(l->arena, &places, HF_PLUGIN_LOOKUP, name), pos);
}

void lint_text_init(struct linter *l)
{
	for (size_t i = 0; i < HF_COUNT(l->env); i++) {
		l->env[i] = l->templar->env[i];
		l->env[i].seen = seen;
		l->env[i].seen_data = l;
		l->env[i].unknown_is_always_error = false;
	}
}

static void text(struct linter *l, enum templar_way way, const struct hf_value *v)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_template *made = NULL;
	struct hf_error err;
	struct hf_pos outer = l->pos;
	if (v->file != NULL)
		l->pos = hf_value_pos(v);
	l->out->expressions++;
	int r = way == TEMPLAR_CONDITION
			? hf_template_compile_expression(
				  a, &l->env[way], v->u.string, NULL, false, &made, &err)
			: hf_template_compile(a, &l->env[way], v->u.string, NULL, &made, &err);
	if (r < 0)
		lint_report(l, "syntax", "template", hf_strdup(l->arena, err.text), l->pos);
	l->pos = outer;
}

void lint_value(struct linter *l, const struct hf_value *v)
{
	if (v == NULL || l->depth >= LINT_DEPTH_MAX)
		return;
	l->depth++;
	if (hf_is(v, HF_DICT)) {
		HF_DICT_EACH (v, e)
			lint_value(l, hf_entry_value(e));
	} else if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v); i++)
			lint_value(l, hf_list_at(v, i));
	} else if (hf_is(v, HF_STRING) && (v->flags & (HF_VALUE_UNSAFE | HF_VALUE_VAULT)) == 0 &&
		   hf_templar_is_template(l->templar, v)) {
		text(l, TEMPLAR_STRING, v);
	}
	l->depth--;
}

void lint_condition(struct linter *l, const struct hf_value *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; hf_is_sequence(v) && i < hf_list_len(v); i++)
		lint_condition(l, hf_list_at(v, i));
	if (!hf_is(v, HF_STRING) || hf_str_trim(v->u.string).n == 0)
		return;
	if (hf_templar_is_template(l->templar, v))
		lint_value(l, v);
	else
		text(l, TEMPLAR_CONDITION, v);
}

void lint_template_file(struct linter *l, const char *path)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str source;
	struct hf_error err;
	struct hf_template *made = NULL;
	struct hf_template_env env = l->env[TEMPLAR_CONDITION];
	l->pos = (struct hf_pos){ path, 1, 1 };
	if (hf_fs_read(a, path, TEMPLATE_MAX, &source, &err) < 0 || hf_vault_is_envelope(source)) {
		lint_note(l, "vault", "template", "encrypted or too long: not read", l->pos);
		return;
	}
	l->out->expressions++;
	l->whole_file = true;
	int r = templar_header(l->templar, a, &source, &env, &err);
	if (r == 0)
		r = hf_template_compile(a, &env, source, path, &made, &err);
	l->whole_file = false;
	if (r < 0)
		lint_report(l, "syntax", "template", hf_strdup(l->arena, err.text),
			(struct hf_pos){ path, err.pos.line, err.pos.column });
}
