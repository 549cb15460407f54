/* lib/engine/templar_env.c - what templates see of Ansible: variables, undefined, omit, tables of filters and
 * tests. */
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/engine/filters.h"
#include "lib/engine/templar_internal.h"

typedef HF_VEC(struct hf_callable_row) row_vec;

/* Every row under its short name and its full ones, so that ansible.builtin.to_json is to_json. */
static const struct hf_callable_row *rows_join(struct hf_arena *a, const struct filter_table *tables)
{
	row_vec all = { 0 };
	for (const struct filter_table *table = tables; table->rows != NULL; table++)
		for (const struct hf_callable_row *row = table->rows; row->name != NULL; row++) {
			if (!table->only_full)
				*hf_vec_push(a, &all) = *row;
			for (size_t i = 0; table->prefixes != NULL && table->prefixes[i] != NULL; i++) {
				struct hf_callable_row full = *row;
				full.name = hf_sprintf(a, "%s.%s", table->prefixes[i], row->name);
				*hf_vec_push(a, &all) = full;
			}
		}
	*hf_vec_push(a, &all) = (struct hf_callable_row){ 0 };
	return all.at;
}

/* --- variables --- */

static int chain_check(const struct chain *chain, struct hf_str name, struct hf_error *err)
{
	size_t depth = 0;
	bool loop = false;
	for (const struct chain *c = chain; c != NULL; c = c->up, depth++)
		loop |= hf_str_equal(c->name, name);
	if (!loop && depth < TEMPLAR_CHAIN_MAX)
		return 0;
	hf_auto_buf names = hf_buf_init(HF_ERROR_TEXT_MAX / 2);
	hf_buf_add(&names, name);
	for (const struct chain *c = chain; c != NULL; c = c->up) {
		hf_buf_puts(&names, " <- ");
		hf_buf_add(&names, c->name);
		if (loop && hf_str_equal(c->name, name))
			break;
	}
	return hf_fail(err, HF_E_TEMPLATE,
		loop ? "recursive loop detected in template: %s"
		     : "variables refer to each other too deeply: %s",
		hf_buf_str(&names).p);
}

static int vars_dict(struct rendering *r, struct hf_value **ret, struct hf_error *err)
{
	const struct hf_templar *t = r->templar;
	struct hf_value *names = NULL, *out = hf_value_dict(r->arena);
	if (t->source.names != NULL) {
		int result = t->source.names(t->source.data, r->arena, &names, err);
		if (result < 0)
			return result;
		for (size_t i = 0; i < hf_list_len(names); i++) {
			struct hf_value *v = NULL;
			result = t->source.variable(t->source.data, hf_list_at(names, i)->u.string, &v, err);
			if (result < 0)
				return result;
			if (v != NULL)
				hf_dict_set(out, hf_list_at(names, i), v);
		}
	}
	if (r->locals != NULL)
		HF_DICT_EACH (r->locals, e)
			hf_dict_set(out, hf_entry_key(e), hf_entry_value(e));
	*ret = out;
	return 0;
}

/* The variable as stored; *ret NULL when there is none. */
static int variable_raw(struct rendering *r, const char *name, struct hf_str text, struct hf_value **ret,
	struct hf_error *err)
{
	const struct hf_templar *t = r->templar;
	if (r->locals != NULL)
		*ret = hf_dict_get(r->locals, name);
	if (*ret != NULL || t->source.variable == NULL)
		return 0;
	return t->source.variable(t->source.data, text, ret, err);
}

static int variable_resolve(struct rendering *r, struct hf_str name, struct hf_value *raw,
	struct hf_value **ret, struct hf_error *err)
{
	if (raw->type == HF_OBJECT || (raw->type == HF_STRING && raw->flags & HF_VALUE_UNSAFE)) {
		*ret = raw;
		return 0;
	}
	int result = chain_check(r->chain, name, err);
	if (result < 0)
		return result;
	struct chain link = { r->chain, name };
	struct hf_error why;
	struct hf_value *v = NULL;
	result = templar_any(r->templar, r->arena, raw, r->locals, &link, &v, &why);
	if (result == -HF_E_UNDEFINED) { /* undefined inside makes the whole variable undefined, and says so
					    when used */
		*ret = hf_value_undefined(r->arena, why.text);
		return 0;
	}
	if (result < 0) {
		if (err != NULL)
			*err = why;
		return result;
	}
	*ret = v;
	return 0;
}

static unsigned marks_of(const struct hf_value *v, int depth)
{
	unsigned marks = v->flags & (HF_VALUE_SECRET | HF_VALUE_UNSAFE);
	if (depth > 100)
		return marks;
	if (hf_is_sequence(v))
		for (size_t i = 0; i < hf_list_len(v); i++)
			marks |= marks_of(hf_list_at(v, i), depth + 1);
	else if (v->type == HF_DICT)
		HF_DICT_EACH (v, e)
			marks |= marks_of(hf_entry_value(e), depth + 1);
	return marks;
}

/* The value of a name as templates see it; *ret NULL when there is none. */
static int variable_find(
	struct rendering *r, const char *key, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *raw = NULL;
	int result = variable_raw(r, key, name, &raw, err);
	if (result < 0)
		return result;
	if (raw == NULL) {
		if (hf_str_is(name, "vars"))
			return vars_dict(r, ret, err);
		*ret = hf_str_is(name, "omit") ? hf_value_omit(r->arena) : NULL;
		return 0;
	}
	if (r->templar->source.used != NULL)
		r->templar->source.used(r->templar->source.data, name);
	return variable_resolve(r, name, raw, ret, err);
}

int templar_variable(struct hf_eval *e, struct hf_str name, struct hf_value **ret, struct hf_error *err)
{
	struct rendering *r = hf_eval_data(e);
	const char *key = hf_str_dup(r->arena, name);
	struct hf_value *v = hf_map_get(&r->resolved, key);
	if (v != NULL) {
		*ret = v;
		return 0;
	}
	int result = variable_find(r, key, name, &v, err);
	if (result < 0)
		return result;
	*ret = v;
	if (v == NULL)
		return 0;
	if (r->mutates && (hf_is_sequence(v) || v->type == HF_DICT))
		*ret = v = hf_value_copy(r->arena, v);
	r->marks |= marks_of(v, 0);
	hf_map_set(&r->resolved, key, v);
	return 0;
}

/* --- what is printed --- */

static int undefined_inside(struct hf_eval *e, const struct hf_value *v, int depth, struct hf_error *err)
{
	int result = 0;
	if (v->type == HF_UNDEFINED)
		return hf_eval_undefined(e, v, err);
	if (depth > 100)
		return 0;
	if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v) && result == 0; i++)
			result = undefined_inside(e, hf_list_at(v, i), depth + 1, err);
	} else if (v->type == HF_DICT) {
		HF_DICT_EACH (v, entry)
			if (result == 0)
				result = undefined_inside(e, hf_entry_value(entry), depth + 1, err);
	}
	return result;
}

static int printed(struct hf_eval *e, struct hf_value **value, struct hf_error *err)
{
	struct rendering *r = hf_eval_data(e);
	struct hf_value *v = *value;
	if (hf_value_is_lazy(v)) {
		int result = hf_eval_list(e, v, &v, err);
		if (result < 0)
			return result;
	}
	if (v->type == HF_UNDEFINED && v->u.string.p != NULL &&
		hf_str_starts(v->u.string,
			"the inline if-expression")) { /* lenient even in strict mode, as in Jinja2 */
		*value = hf_value_str(r->arena, HF_STR(""));
		return 0;
	}
	int result = undefined_inside(e, v, 0, err);
	if (result < 0)
		return result;
	r->marks |= marks_of(v, 0);
	if (v->type == HF_BYTES)
		v = hf_value_str(r->arena, v->u.string);
	*value = v->type == HF_NULL ? hf_value_str(r->arena, HF_STR("")) : v;
	return 0;
}

static const struct hf_callable_row globals[] = {
	{ "lookup", templar_global_lookup, 0 },
	{ "query", templar_global_query, 0 },
	{ "q", templar_global_query, 0 },
	{ "now", hf_filter_now, 0 },
	{ "undef", hf_filter_undef, HF_TAKES_UNDEFINED },
	{ 0 },
};

void templar_env_init(struct hf_templar *t)
{
	struct hf_template_env env = {
		.trim_blocks = true,
		.sealed = t->source.sealed,
		.limits = t->source.limits,
		.unknown_is_always_error = true,
		.double_backslashes = true,
		.lists_not_iterators = true,
		.undefined = HF_UNDEFINED_STRICT_CHAINABLE,
		.filters = rows_join(t->arena, hf_filter_tables),
		.tests = rows_join(t->arena, hf_test_tables),
		.globals = globals,
		.load = templar_load,
		.finalize = printed,
		.variable = templar_variable,
	};
	t->env[TEMPLAR_STRING] = env;
	env.double_backslashes =
		false; /* they stand for themselves between {{ and }} only, and when: is {% if %} */
	t->env[TEMPLAR_CONDITION] = env;
}

int hf_templar_extensions(struct hf_templar *t, const char *names, struct hf_error *err)
{
	struct hf_str rest = hf_str(names == NULL ? "" : names), one;
	while (hf_str_split(&rest, ',', &one)) {
		one = hf_str_trim(one);
		bool statements = hf_str_is(one, "jinja2.ext.do"),
		     loops = hf_str_is(one, "jinja2.ext.loopcontrols");
		if (one.n > 0 && !statements && !loops)
			return hf_fail(err, HF_E_UNSUPPORTED, "jinja2_extensions: %.*s is not supported",
				HF_STR_ARG(one));
		for (size_t i = 0; i < TEMPLAR_WAYS; i++) {
			t->env[i].extension_do = t->env[i].extension_do || statements;
			t->env[i].extension_loopcontrols = t->env[i].extension_loopcontrols || loops;
		}
	}
	return 0;
}
