/* lib/engine/filters_utils.c - ansible.utils on data: index_of, to_paths, get_path. */

#include "lib/base/scope.h"
#include "lib/engine/filters.h"

enum { PATHS_DEPTH_MAX = 100, PATH_TEXT_MAX = 1 << 20 };

/* --- index_of --- */

struct search {
	struct hf_str test;
	struct hf_value *key;
	struct hf_call call; /* of the test */
	bool invert, fail_on_missing;
};

/* "!in", "not in", "!=": the test and whether it is turned round. */
static void test_name(struct search *s)
{
	s->invert = true;
	if (hf_str_is(s->test, "!="))
		s->test = HF_STR("==");
	else if (hf_str_starts(s->test, "!"))
		s->test = hf_strn(s->test.p + 1, s->test.n - 1);
	else if (hf_str_starts(s->test, "not "))
		s->test = hf_str_trim(hf_strn(s->test.p + 4, s->test.n - 4));
	else
		s->invert = false;
}

/* The value of an entry that is looked at; *ret NULL: it lacks the key. */
static int entry_find(
	const struct search *s, struct hf_value *entry, struct hf_value **ret, struct hf_error *err)
{
	*ret = entry;
	if (s->key == NULL)
		return 0;
	if (entry->type != HF_DICT)
		return hf_fail(err, HF_E_TEMPLATE,
			"When a key name is provided, all list entries are required to be dictionaries, got "
			"%s",
			hf_type_name(entry));
	*ret = hf_dict_find(entry, s->key);
	if (*ret == NULL && s->fail_on_missing)
		return hf_fail(err, HF_E_TEMPLATE, "index_of: an entry lacks the key");
	return 0;
}

static int search_run(struct hf_eval *e, const struct search *s, struct hf_value *list,
	struct hf_value *found, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *v = NULL;
		bool yes = false;
		int r = entry_find(s, hf_list_at(list, i), &v, err);
		if (r == 0 && v != NULL)
			r = hf_eval_test(e, s->test, v, &s->call, &yes, err);
		if (r < 0)
			return r;
		if (v != NULL && yes != s->invert)
			hf_list_append(found, hf_value_int(hf_eval_arena(e), (int64_t)i));
	}
	return 0;
}

FILTER(index_of)
{
	FILTER_ARGS(5, "test", "value", "key", "wantlist", "fail_on_missing");
	struct hf_arena *a = hf_eval_arena(e);
	struct search s = { .key = filter_arg(call, 2, "key"),
		.fail_on_missing = filter_bool_arg(call, 4, "fail_on_missing", false) };
	struct hf_value *value = filter_arg(call, 1, "value"), *list = NULL;
	int r = filter_text_arg(e, call, 0, "test", NULL, &s.test, err);
	if (r < 0)
		return r;
	r = filter_listed(e, input, &input, err);
	if (r < 0)
		return r;
	if (s.key != NULL && s.key->type != HF_STRING && s.key->type != HF_INT && s.key->type != HF_BOOL)
		return hf_fail(err, HF_E_TEMPLATE, "Unknown key type, key was a %s", hf_type_name(s.key));
	test_name(&s);
	if (value != NULL && hf_str_is(s.test, "in") && !hf_is_sequence(value)) {
		list = hf_value_list(a);
		hf_list_append(list, value);
		value = list;
	}
	s.call = (struct hf_call){ .args = &value, .n_args = value != NULL, .pos = call->pos };
	*ret = hf_value_list(a);
	r = search_run(e, &s, input, *ret, err);
	if (r == 0 && hf_list_len(*ret) == 1 && !filter_bool_arg(call, 3, "wantlist", false))
		*ret = hf_list_at(*ret, 0);
	return r;
}

/* --- paths --- */

static const char *path_step(struct hf_arena *a, const char *path, const struct hf_value *key)
{
	struct hf_str name = hf_value_text(a, key);
	if (path == NULL)
		return name.p;
	if (key->type != HF_STRING)
		return hf_sprintf(a, "%s[%s]", path, name.p);
	if (hf_str_is_name(name))
		return hf_sprintf(a, "%s.%s", path, name.p);
	return hf_sprintf(a, strchr(name.p, '\'') == NULL ? "%s['%s']" : "%s[\"%s\"]", path, name.p);
}

static int paths_add(struct hf_eval *e, struct hf_value *v, const char *path, int depth,
	struct hf_value *into, struct hf_error *err)
{
	struct hf_arena *a = hf_eval_arena(e);
	int r = 0;
	if (depth > PATHS_DEPTH_MAX || (path != NULL && strlen(path) > PATH_TEXT_MAX))
		return hf_fail(err, HF_E_LIMIT, "to_paths: nested deeper than %d", PATHS_DEPTH_MAX);
	if (v->type == HF_DICT) {
		HF_DICT_EACH (v, entry)
			if (r == 0)
				r = paths_add(e, hf_entry_value(entry),
					path_step(a, path, hf_entry_key(entry)), depth + 1, into, err);
	} else if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v) && r == 0; i++)
			r = paths_add(e, hf_list_at(v, i),
				hf_sprintf(a, "%s[%zu]", path == NULL ? "" : path, i), depth + 1, into, err);
	} else {
		hf_dict_put(into, path == NULL ? "" : path, v);
	}
	return r;
}

static void list_wrap(struct hf_eval *e, bool wanted, struct hf_value **v)
{
	if (!wanted || (*v)->type == HF_LIST)
		return;
	struct hf_value *list = hf_value_list(hf_eval_arena(e));
	hf_list_append(list, *v);
	*v = list;
}

FILTER(to_paths)
{
	FILTER_ARGS(2, "prepend", "wantlist");
	const struct hf_value *prepend = filter_arg(call, 0, "prepend");
	if (prepend != NULL && prepend->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE, "to_paths: 'prepend' must be a string");
	*ret = hf_value_dict(hf_eval_arena(e));
	if (prepend == NULL && hf_is_sequence(input) && hf_list_len(input) == 0)
		*ret = hf_value_list(hf_eval_arena(e));
	int r = paths_add(e, input, prepend == NULL ? NULL : prepend->u.string.p, 0, *ret, err);
	if (r == 0)
		list_wrap(e, filter_bool_arg(call, 1, "wantlist", false), ret);
	return r;
}

/* A path is an expression whose only names are those of the value. */
FILTER(get_path)
{
	FILTER_ARGS(2, "path", "wantlist");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_template *compiled = NULL;
	struct hf_str path;
	int r = filter_text_arg(e, call, 0, "path", NULL, &path, err);
	if (r < 0)
		return r;
	if (input->type != HF_DICT)
		return hf_fail(
			err, HF_E_TEMPLATE, "get_path: a dictionary expected, not %s", hf_type_name(input));
	struct hf_template_env *env = hf_new(a, struct hf_template_env);
	*env = *hf_eval_env(e);
	env->variable = NULL;
	const struct hf_render how = { .arena = a, .env = env, .variables = input, .data = hf_eval_data(e) };
	r = hf_template_compile_expression(a, env, path, "get_path", true, &compiled, err);
	if (r == 0)
		r = hf_template_evaluate(compiled, &how, ret, err);
	if (r == 0 && (*ret)->type == HF_UNDEFINED)
		r = hf_eval_undefined(e, *ret, err);
	if (r == 0 && ((*ret)->type == HF_INT || (*ret)->type == HF_FLOAT || (*ret)->type == HF_BIGINT))
		*ret = hf_value_str(a, hf_value_text(a, *ret)); /* a template's answer, which is text */
	if (r == 0)
		list_wrap(e, filter_bool_arg(call, 1, "wantlist", false), ret);
	return r;
}

const struct hf_callable_row hf_ansible_filters_utils[] = {
	{ "index_of", index_of, 0 },
	{ "to_paths", to_paths, 0 },
	{ "get_path", get_path, 0 },
	{ 0 },
};
