#include "lib/engine/args.h"
#include "lib/engine/state.h"

int hf_task_keyword(struct hf_task *t, enum hf_keyword k, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *v = hf_node_keyword(t->node, k);
	if (v == NULL || !hf_templar_is_template(t->run->templar, v)) {
		*ret = v;
		return 0;
	}
	t->run->scope = &t->scope;
	int r = hf_templar_value(t->run->templar, t->arena, v, NULL, &v, err);
	if (r < 0)
		return hf_wrap(err,
			"the field '%s' has an invalid value, which includes an undefined variable or an "
			"error. The error was",
			hf_keyword_name(k));
	*ret = v;
	if (!hf_is(v, HF_OMIT))
		return 0;
	/* Omitted: as if it were not there, so that the levels above are asked. */
	*ret = NULL;
	const struct hf_node *up = (hf_keyword_flags(k) & HF_KW_INHERITED) == 0 ? NULL : hf_node_up(t->node);
	v = up == NULL ? NULL : hf_node_keyword(up, k);
	if (v == NULL)
		return 0;
	r = hf_templar_value(t->run->templar, t->arena, v, NULL, &v, err);
	*ret = r == 0 && !hf_is(v, HF_OMIT) ? v : NULL;
	return r;
}

int hf_task_flag(struct hf_task *t, enum hf_keyword k, bool fallback, bool *ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = hf_task_keyword(t, k, &v, err);
	if (r < 0)
		return r;
	if (v == NULL || hf_is(v, HF_NULL)) {
		*ret = fallback;
		return 0;
	}
	enum hf_tristate b = hf_text_bool(hf_value_text(t->arena, v));
	if (b == HF_UNSET)
		return hf_fail_at(err, HF_E_TASK, hf_value_pos(v),
			"the field '%s' has an invalid value (%s), and could not be converted to an bool. "
			"The error was: The value '%s' is not a valid boolean. Valid booleans include: 0, 1, "
			"'0', '1', "
			"'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'",
			hf_keyword_name(k), hf_value_text(t->arena, v).p, hf_value_text(t->arena, v).p);
	*ret = b == HF_YES;
	return 0;
}

int hf_task_number(struct hf_task *t, enum hf_keyword k, double fallback, double *ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = hf_task_keyword(t, k, &v, err);
	if (r < 0)
		return r;
	*ret = fallback;
	if (v == NULL || hf_is(v, HF_NULL))
		return 0;
	int64_t n;
	if (hf_is(v, HF_FLOAT))
		*ret = v->u.real;
	else if (hf_is(v, HF_INT))
		*ret = (double)v->u.integer;
	else if (hf_is(v, HF_STRING) && hf_str_to_int64(hf_str_trim(v->u.string), &n))
		*ret = (double)n;
	else
		return hf_fail_at(err, HF_E_TASK, hf_value_pos(v),
			"the field '%s' has an invalid value (%s), and could not be converted to an int.",
			hf_keyword_name(k), hf_value_text(t->arena, v).p);
	return 0;
}
