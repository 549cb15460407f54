#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/state.h"

/* Ansible's remove_values: the values of a module's secret options stand nowhere in its result. */

enum { DEPTH_MAX = 64, TEXT_MAX = 64 << 20 };

static struct hf_value *secrets_of(struct hf_task *t)
{
	struct hf_value *found = NULL;
	for (const struct hf_arg *arg = t->module->schema.args; arg->type != HF_ARG_END; arg++) {
		/* What is a secret only where it is one (a file's content) is of type raw: results show it.
		 */
		if ((arg->flags & HF_NO_LOG) == 0 || arg->type != HF_ARG_STR)
			continue;
		struct hf_value *v = hf_dict_get(t->given, arg->name);
		if (!hf_is(v, HF_STRING) || v->u.string.n == 0)
			continue;
		if (found == NULL)
			found = hf_value_list(t->arena);
		hf_list_append(found, v);
	}
	return found;
}

static struct hf_str starred(struct hf_arena *a, struct hf_str text, struct hf_str secret)
{
	size_t at = hf_str_find(text, secret, 0), from = 0;
	if (at == SIZE_MAX)
		return text;
	hf_auto_buf b = hf_buf_init(TEXT_MAX);
	for (; at != SIZE_MAX; from = at + secret.n, at = hf_str_find(text, secret, from)) {
		hf_buf_add(&b, hf_strn(text.p + from, at - from));
		hf_buf_add(&b, HF_STR("********"));
	}
	hf_buf_add(&b, hf_strn(text.p + from, text.n - from));
	return hf_buf_dup(a, &b);
}

static struct hf_value *text_without(struct hf_arena *a, struct hf_value *v, const struct hf_value *secrets)
{
	struct hf_str s = v->u.string;
	for (size_t i = 0; i < hf_list_len(secrets); i++) {
		struct hf_str secret = hf_list_at(secrets, i)->u.string;
		if (hf_str_equal(s, secret))
			return hf_value_cstr(a, "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER");
		s = starred(a, s, secret);
	}
	return s.p == v->u.string.p ? v : hf_value_taint(a, hf_value_str(a, s), v);
}

static struct hf_value *without(
	struct hf_arena *a, struct hf_value *v, const struct hf_value *secrets, unsigned depth)
{
	if (hf_is(v, HF_STRING))
		return text_without(a, v, secrets);
	if (depth >= DEPTH_MAX && (hf_is(v, HF_DICT) || hf_is_sequence(v)))
		return hf_value_cstr(a, "********");
	if (hf_is(v, HF_DICT)) {
		struct hf_value *out = hf_value_dict(a);
		HF_DICT_EACH (v, e)
			hf_dict_set(out, hf_entry_key(e), without(a, hf_entry_value(e), secrets, depth + 1));
		return out;
	}
	if (!hf_is_sequence(v))
		return v;
	struct hf_value *out = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(v); i++)
		hf_list_append(out, without(a, hf_list_at(v, i), secrets, depth + 1));
	return out;
}

void hf_no_log_strip(struct hf_task *t, struct hf_error *failed)
{
	struct hf_value *secrets = t->given == NULL ? NULL : secrets_of(t);
	if (secrets == NULL)
		return;
	t->result = without(t->arena, t->result, secrets, 0);
	if (failed == NULL)
		return;
	struct hf_str text = hf_str(failed->text);
	for (size_t i = 0; i < hf_list_len(secrets); i++)
		text = starred(t->arena, text, hf_list_at(secrets, i)->u.string);
	size_t n = text.n < sizeof(failed->text) - 1 ? text.n : sizeof(failed->text) - 1;
	if (text.p != failed->text) {
		memcpy(failed->text, text.p, n);
		failed->text[n] = '\0';
	}
}
