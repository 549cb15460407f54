/* lib/engine/templar_condition.c - when:, that:, changed_when: and bare expressions; declared in templar.h.
 */
#include "lib/base/scope.h"
#include "lib/engine/templar_internal.h"

/* Evaluate text as what stands behind {% if. */
static int expression_value(struct hf_templar *t, struct hf_arena *a, struct hf_str text, struct hf_pos pos,
	struct hf_value *locals, struct hf_value **ret, struct hf_error *err)
{
	struct compiled *c = NULL;
	int r = templar_compile(t, a, TEMPLAR_CONDITION, text, pos, &c, err);
	if (r < 0)
		return r;
	struct rendering rendering = templar_rendering(t, a, locals, NULL);
	rendering.mutates = c->mutates;
	struct hf_render how = { .arena = a, .env = &t->env[TEMPLAR_CONDITION], .data = &rendering };
	r = hf_template_evaluate(c->template, &how, ret, err);
	if (r < 0)
		templar_place(err, pos);
	return r;
}

/* Both an opening delimiter and its closing one. */
static bool has_delimiters(struct hf_str text)
{
	static const char *const pairs[][2] = { { "{{", "}}" }, { "{%", "%}" }, { "{#", "#}" } };
	for (size_t i = 0; i < HF_COUNT(pairs); i++) {
		size_t open = hf_str_find(text, hf_str(pairs[i][0]), 0);
		if (open != SIZE_MAX && hf_str_find(text, hf_str(pairs[i][1]), open + 2) != SIZE_MAX)
			return true;
	}
	return false;
}

static int text_check(struct hf_templar *t, struct hf_arena *a, const struct hf_value *condition,
	struct hf_value *locals, bool *ret, struct hf_error *err)
{
	struct hf_value *v = (struct hf_value *)(uintptr_t)condition;
	struct hf_pos pos = hf_value_pos(condition);
	int r;
	if (v->type == HF_STRING && !(v->flags & HF_VALUE_UNSAFE) && has_delimiters(v->u.string)) {
		templar_warn(t,
			"conditional statements should not include jinja2 templating delimiters such as {{ "
			"}} or {%% %%}. "
			"Found: %.*s",
			HF_STR_ARG(v->u.string));
		r = templar_string(t, a, condition, locals, NULL, true, &v, err);
		if (r < 0)
			return r;
		if (v->type == HF_BOOL || (v->type == HF_STRING && v->u.string.n == 0)) {
			*ret = v->type == HF_BOOL && v->u.boolean;
			return 0;
		}
	}
	if (v->type == HF_STRING && (v->flags & HF_VALUE_UNSAFE))
		return hf_fail_at(
			err, HF_E_TEMPLATE, pos, "Conditional is marked as unsafe, and cannot be evaluated.");
	struct hf_value *result = NULL;
	r = expression_value(t, a, hf_value_text(a, v), pos, locals, &result, err);
	if (r < 0)
		return r;
	if (result->type == HF_UNDEFINED)
		return hf_fail_at(err, HF_E_UNDEFINED, pos, "'%s' is undefined",
			result->u.string.p == NULL ? "value" : result->u.string.p);
	*ret = hf_value_truthy(result);
	return 0;
}

static int one_check(struct hf_templar *t, struct hf_arena *a, const struct hf_value *condition,
	struct hf_value *locals, bool *ret, struct hf_error *err)
{
	if (condition->type == HF_NULL || (condition->type == HF_STRING && condition->u.string.n == 0)) {
		*ret = true;
		return 0;
	}
	if (condition->type == HF_BOOL) {
		*ret = condition->u.boolean;
		return 0;
	}
	int r = text_check(t, a, condition, locals, ret, err);
	if (r < 0) {
		hf_auto_buf shown = hf_buf_init(HF_ERROR_TEXT_MAX);
		hf_value_print(&shown, condition);
		hf_wrap(err, "The conditional check '%s' failed. The error was", hf_buf_str(&shown).p);
	}
	return r;
}

int hf_templar_condition_why(struct hf_templar *t, struct hf_arena *a, const struct hf_value *condition,
	struct hf_value *locals, bool *ret, const struct hf_value **ret_failed, struct hf_error *err)
{
	bool holds = true;
	const struct hf_value *failed = NULL;
	size_t n = condition->type == HF_LIST ? hf_list_len(condition) : 1;
	for (size_t i = 0; i < n && holds; i++) {
		const struct hf_value *item =
			condition->type == HF_LIST ? hf_list_at(condition, i) : condition;
		int r = one_check(t, a, item, locals, &holds, err);
		if (r < 0)
			return r;
		if (!holds)
			failed = item;
	}
	*ret = holds;
	if (ret_failed != NULL)
		*ret_failed = failed;
	return 0;
}

int hf_templar_condition(struct hf_templar *t, struct hf_arena *a, const struct hf_value *condition,
	struct hf_value *locals, bool *ret, struct hf_error *err)
{
	return hf_templar_condition_why(t, a, condition, locals, ret, NULL, err);
}

int hf_templar_expression(struct hf_templar *t, struct hf_arena *a, struct hf_str text, struct hf_pos pos,
	struct hf_value *locals, struct hf_value **ret, struct hf_error *err)
{
	hf_auto_buf wrapped = hf_buf_init(text.n + 8);
	hf_buf_puts(&wrapped, "{{");
	hf_buf_add(&wrapped, text);
	hf_buf_puts(&wrapped, "}}");
	struct hf_value source = { .type = HF_STRING, .u.string = hf_buf_dup(a, &wrapped) };
	hf_value_at(&source, pos);
	return templar_string(t, a, &source, locals, NULL, true, ret, err);
}
