#include "modules/commands.h"

#include <stdarg.h>

static void words_take(struct hf_words *w, struct hf_arena *a, const char *first, va_list rest)
{
	*w = hf_words(a, first, NULL);
	for (const char *word = va_arg(rest, const char *); word != NULL; word = va_arg(rest, const char *))
		hf_words_add(w, word);
}

struct hf_words *hf_commands_add(struct hf_commands *m, const char *first, ...)
{
	struct hf_arena *a = hf_task_arena(m->c);
	struct hf_words *w = hf_vec_push(a, &m->todo);
	va_list rest;
	va_start(rest, first);
	words_take(w, a, first, rest);
	va_end(rest);
	return w;
}

struct hf_words *hf_commands_back(struct hf_commands *m, const char *first, ...)
{
	struct hf_arena *a = hf_task_arena(m->c);
	struct hf_words *w = hf_vec_push(a, &m->back);
	va_list rest;
	va_start(rest, first);
	words_take(w, a, first, rest);
	va_end(rest);
	return w;
}

int hf_commands_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct hf_commands *m = change->state;
	(void)params;
	int r = 0;
	for (size_t i = 0; r == 0 && i < m->todo.n; i++)
		r = hf_host_output(c, &m->todo.at[i], NULL, err);
	return r;
}

int hf_commands_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct hf_commands *m = change->state;
	(void)params;
	(void)err;
	if (m->gone != NULL)
		hf_undo_impossible(undo, m->gone);
	for (size_t i = 0; m->gone == NULL && i < m->back.n; i++) {
		struct hf_value *step = hf_step(c, "command"), *argv = hf_value_list(a);
		for (size_t k = 0; k < m->back.at[i].n; k++)
			hf_list_append(argv, hf_value_cstr(a, m->back.at[i].at[k]));
		hf_dict_put(step, "argv", argv);
		hf_undo_step(undo, step);
	}
	return 0;
}

int hf_commands_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_words w = { .arena = hf_task_arena(c) };
	const struct hf_value *argv = hf_dict_get(step, "argv");
	if (!hf_is(argv, HF_LIST) || hf_list_len(argv) == 0)
		return hf_fail(err, HF_E_PARSE, "the record of a command is damaged");
	hf_words_text(&w, argv);
	return hf_host_output(c, &w, NULL, err);
}

int hf_commands_need(struct hf_module_context *c, const char *program, struct hf_error *err)
{
	return hf_proc_which(hf_task_arena(c), program) != NULL
		       ? 0
		       : hf_fail(err, HF_E_TASK, "Failed to find required executable \"%s\"", program);
}
