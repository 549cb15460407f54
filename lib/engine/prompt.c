/* vars_prompt: what -e does not answer is asked for on a terminal; elsewhere its default stands. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/schema.h"
#include "lib/engine/state.h"

enum { CONFIRM_MAX = 10 };

static int encrypted(
	struct hf_run *run, const struct hf_value *one, struct hf_value **v, struct hf_error *err)
{
	const char *how = hf_dict_cstr(one, "encrypt", NULL), *salt = hf_dict_cstr(one, "salt", NULL);
	if (how == NULL || how[0] == '\0')
		return 0;
	struct hf_value *locals = hf_value_dict(run->arena);
	hf_dict_put(locals, "v", *v);
	hf_dict_put(locals, "how", hf_value_cstr(run->arena, how));
	hf_dict_put(
		locals, "salt", salt == NULL ? hf_value_null(run->arena) : hf_value_cstr(run->arena, salt));
	return hf_templar_expression(run->templar, run->arena,
		salt == NULL ? HF_STR("v | password_hash(how)") : HF_STR("v | password_hash(how, salt)"),
		hf_value_pos(one), locals, v, err);
}

static const char *shown(struct hf_arena *a, const char *text, const char *name, const char *dflt)
{
	if (text == NULL)
		return hf_sprintf(a, "%s: ", name);
	return dflt == NULL ? hf_sprintf(a, "%s: ", text) : hf_sprintf(a, "%s [%s]: ", text, dflt);
}

/* As often as both answers differ, within reason. *ret NULL: nobody answered, or with nothing. */
static int ask(struct hf_run *run, const struct hf_value *one, const char *name, struct hf_value **ret,
	struct hf_error *err)
{
	const struct hf_run_hooks *hooks = run->hooks;
	const char *dflt = hf_dict_cstr(one, "default", NULL);
	const char *line = shown(run->arena, hf_dict_cstr(one, "prompt", NULL), name, dflt);
	bool hide = hf_dict_bool(one, "private", true), confirm = hf_dict_bool(one, "confirm", false);
	*ret = NULL;
	if (hooks == NULL || hooks->ask == NULL)
		return 0;
	for (unsigned i = 0; i < CONFIRM_MAX; i++) {
		const char *answer = hooks->ask(hooks->data, run->arena, line, hide), *again = answer;
		if (answer == NULL)
			return 0;
		if (confirm)
			again = hooks->ask(
				hooks->data, run->arena, hf_sprintf(run->arena, "confirm %s", line), hide);
		if (again != NULL && strcmp(answer, again) == 0) {
			*ret = answer[0] == '\0' && dflt != NULL ? NULL : hf_value_cstr(run->arena, answer);
			return 0;
		}
		hf_event_text(run, "prompt", "***** VALUES ENTERED DO NOT MATCH ****");
	}
	return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(one), "vars_prompt: '%s' was not answered", name);
}

static int check(const struct hf_value *one, struct hf_error *err)
{
	static const char *const known[] = { "name", "prompt", "default", "private", "confirm", "encrypt",
		"salt_size", "salt", "unsafe" };
	HF_DICT_EACH (one, e) {
		const char *key = hf_is(hf_entry_key(e), HF_STRING) ? hf_entry_key(e)->u.string.p : "";
		bool ok = false;
		for (size_t i = 0; i < HF_COUNT(known); i++)
			ok = ok || strcmp(known[i], key) == 0;
		if (!ok)
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(hf_entry_key(e)),
				"Invalid vars_prompt data structure, found unsupported key '%s'", key);
	}
	return 0;
}

static int prompt(struct hf_run *run, struct hf_play *play, const struct hf_value *one, const char *name,
	struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = ask(run, one, name, &v, err);
	if (r == 0 && v == NULL)
		v = hf_dict_get(one, "default");
	if (r == 0 && (v == NULL || hf_is(v, HF_NULL)))
		return hf_fail_at(err, HF_E_UNSUPPORTED, hf_value_pos(one),
			"vars_prompt asks for '%s' and nobody is there to answer: give it with -e %s=…", name,
			name);
	if (r == 0)
		r = encrypted(run, one, &v, err);
	if (r < 0)
		return r;
	if (hf_dict_bool(one, "private", true) && hf_is(v, HF_STRING))
		hf_secret_add(run, v->u.string);
	if (hf_dict_bool(one, "unsafe", false)) {
		v = hf_value_copy(run->arena, v);
		hf_mark_unsafe(v);
	}
	play->vars = hf_value_shallow(run->arena, play->vars);
	hf_dict_put(play->vars, name, v);
	return 0;
}

int hf_prompt_vars(struct hf_run *run, struct hf_play *play, struct hf_error *err)
{
	const struct hf_value *list = play->node.kw[HF_KW_vars_prompt];
	int r = 0;
	for (size_t i = 0; r == 0 && hf_is_sequence(list) && i < hf_list_len(list); i++) {
		const struct hf_value *one = hf_list_at(list, i);
		const char *name = hf_is(one, HF_DICT) ? hf_dict_cstr(one, "name", NULL) : NULL;
		if (name == NULL)
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(one),
				"Invalid vars_prompt data structure, missing 'name' key");
		r = check(one, err);
		if (r == 0 && hf_dict_get(run->extra, name) == NULL)
			r = prompt(run, play, one, name, err);
	}
	return r;
}
