/* lib/engine/filters_regex.c - regex_replace, regex_search, regex_findall, regex_escape and the tests match,
 * search, regex. */
#include <ctype.h>

#include "lib/engine/filters.h"
#include "lib/engine/filters_regex.h"
#include "lib/engine/regex.h"

static unsigned regex_flags(const struct hf_call *call, size_t ignorecase, size_t multiline)
{
	return (filter_bool_arg(call, ignorecase, "ignorecase", false) ? HF_REGEX_IGNORECASE : 0u) |
	       (filter_bool_arg(call, multiline, "multiline", false) ? HF_REGEX_MULTILINE : 0u);
}

/* Text that must be text: a number is no pattern in Python either. missing: what stands for it when not
 * given; NULL: it must be. */
static int pattern_arg(const struct hf_call *call, size_t position, const char *name, const char *missing,
	struct hf_str *ret, struct hf_error *err)
{
	const struct hf_value *v = hf_call_arg(call, position, name);
	if (v == NULL && missing == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "missing required argument '%s'", name);
	if (v != NULL && v->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE, "%s must be text, not %s", name, hf_type_name(v));
	*ret = v == NULL ? hf_str(missing) : v->u.string;
	return 0;
}

/* The subject as text, and the compiled pattern. */
static int regex_open(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, size_t position,
	const char *name, const char *missing, unsigned flags, struct hf_str *ret_text, struct hf_regex **ret,
	struct hf_error *err)
{
	struct hf_str pattern;
	int r = hf_eval_text(e, input, ret_text, err);
	if (r == 0)
		r = pattern_arg(call, position, name, missing, &pattern, err);
	if (r == 0)
		r = hf_regex_get(pattern, flags, ret, err);
	if (r == -HF_E_ARGUMENT && err != NULL) {
		err->code = HF_E_TEMPLATE;
		r = -HF_E_TEMPLATE;
	}
	return r;
}

static int as_template_error(int r, struct hf_error *err)
{
	if (r == -HF_E_ARGUMENT && err != NULL)
		err->code = HF_E_TEMPLATE;
	return r == -HF_E_ARGUMENT ? -HF_E_TEMPLATE : r;
}

FILTER(regex_replace)
{
	FILTER_ARGS(6, "pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_str text = { 0 }, pattern, replacement, out;
	int64_t count, mandatory;
	size_t done;
	int r = hf_eval_text(e, input, &text, err);
	if (r == 0)
		r = pattern_arg(call, 0, "pattern", "", &pattern, err);
	if (r == 0)
		r = pattern_arg(call, 1, "replacement", "", &replacement, err);
	if (r == 0)
		r = filter_index_arg(call, 4, "count", 0, &count, err);
	if (r == 0)
		r = filter_int_arg(call, 5, "mandatory_count", 0, &mandatory, err);
	if (r < 0)
		return r;
	hf_auto_regex re = NULL;
	r = hf_regex_get(pattern, regex_flags(call, 2, 3), &re, err);
	if (r == 0)
		r = hf_regex_sub(a, re, text, replacement, count < 0 ? 1 : (size_t)count, &out, &done, err);
	if (r == 0 && count < 0) { /* Python stops before the first */
		out = text;
		done = 0;
	}
	if (r < 0)
		return as_template_error(r, err);
	if (mandatory != 0 && (size_t)mandatory != done)
		return hf_fail(err, HF_E_TEMPLATE, "'%.*s' should match %d times, but matches %zu times",
			HF_STR_ARG(pattern), (int)mandatory, done);
	return filter_return_text(e, input, out, ret);
}

FILTER(regex_findall)
{
	FILTER_ARGS(3, "regex", "multiline", "ignorecase");
	struct hf_str text = { 0 };
	hf_auto_regex re = NULL;
	int r = regex_open(e, input, call, 0, "regex", NULL, regex_flags(call, 2, 1), &text, &re, err);
	return r < 0 ? r : as_template_error(hf_regex_findall(hf_eval_arena(e), re, text, ret, err), err);
}

/* '\1' or '\g<name>' → the group's number. */
static int group_argument(
	const struct hf_regex *re, bool found, const struct hf_value *v, unsigned *ret, struct hf_error *err)
{
	int64_t number = -1;
	if (v->type != HF_STRING || v->u.string.n < 2 || v->u.string.p[0] != '\\')
		return hf_fail(err, HF_E_TEMPLATE, "Unknown argument");
	const char *p = v->u.string.p + 1;
	if (p[0] == 'g') {
		const char *close = strrchr(p, '>');
		if (p[1] != '<' || close == NULL || close == p + 2)
			return hf_fail(err, HF_E_TEMPLATE, "Unknown argument");
		struct hf_str name = hf_strn(p + 2, (size_t)(close - p - 2));
		if (!hf_str_to_int64(name, &number))
			number = hf_regex_group_number(re, name);
	} else {
		size_t n = strspn(p, "0123456789");
		if (n == 0 || n > 6 || !hf_str_to_int64(hf_strn(p, n), &number))
			return hf_fail(err, HF_E_TEMPLATE, "Unknown argument");
	}
	if (found && (number < 0 || number > (int64_t)hf_regex_groups(re)))
		return hf_fail(err, HF_E_TEMPLATE, "no such group");
	*ret = (unsigned)number;
	return 0;
}

FILTER(regex_search)
{
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_str text = { 0 };
	hf_auto_regex re = NULL;
	unsigned flags = (filter_bool_arg(call, SIZE_MAX, "ignorecase", false) ? HF_REGEX_IGNORECASE : 0u) |
			 (filter_bool_arg(call, SIZE_MAX, "multiline", false) ? HF_REGEX_MULTILINE : 0u);
	int r = regex_open(e, input, call, 0, "regex", NULL, flags, &text, &re, err);
	struct hf_regex_match m;
	if (r == 0)
		r = hf_regex_exec(a, re, text, 0, HF_REGEX_SEARCH, &m, err);
	struct hf_value *groups = hf_value_list(a);
	for (size_t i = 1; i < call->n_args && r == 0; i++) {
		unsigned number = 0;
		r = group_argument(re, m.found, call->args[i], &number, err);
		if (r < 0 || !m.found)
			continue;
		struct hf_str group = hf_regex_group(&m, number);
		hf_list_append(groups, group.p == NULL ? hf_value_null(a) : hf_value_str(a, group));
	}
	if (r < 0)
		return as_template_error(r, err);
	if (!m.found)
		*ret = hf_value_null(a);
	else if (call->n_args > 1)
		*ret = groups;
	else
		return filter_return_text(e, input, hf_regex_group(&m, 0), ret);
	return 0;
}

FILTER(regex_escape)
{
	FILTER_ARGS(1, "re_type");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_str text, kind, out;
	int r = hf_eval_text(e, input, &text, err);
	if (r == 0)
		r = filter_text_arg(e, call, 0, "re_type", "python", &kind, err);
	if (r < 0)
		return r;
	if (hf_str_is(kind, "python"))
		return filter_return_text(e, input, hf_regex_escape(a, text), ret);
	if (hf_str_is(kind, "posix_extended"))
		return hf_fail(err, HF_E_TEMPLATE, "Regex type (posix_extended) not yet implemented");
	if (!hf_str_is(kind, "posix_basic"))
		return hf_fail(err, HF_E_TEMPLATE, "Invalid regex type (%.*s)", HF_STR_ARG(kind));
	hf_auto_regex re = NULL;
	r = hf_regex_get(HF_STR("([].[^$*\\\\])"), 0, &re, err);
	if (r == 0)
		r = hf_regex_sub(a, re, text, HF_STR("\\\\\\1"), 0, &out, NULL, err);
	return r < 0 ? r : filter_return_text(e, input, out, ret);
}

const struct hf_callable_row hf_ansible_filters_regex[] = {
	{ "regex_replace", regex_replace, 0 },
	{ "regex_findall", regex_findall, 0 },
	{ "regex_search", regex_search, 0 },
	{ "regex_escape", regex_escape, 0 },
	{ 0 },
};

/* --- tests --- */

static int regex_test(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	enum hf_regex_how how, bool how_given, struct hf_value **ret, struct hf_error *err)
{
	FILTER_ARGS(how_given ? 4 : 3, "pattern", "ignorecase", "multiline", "match_type");
	struct hf_str text = { 0 };
	hf_auto_regex re = NULL;
	struct hf_regex_match m;
	if (!how_given && call->kwargs != NULL && hf_dict_get(call->kwargs, "match_type") != NULL)
		return hf_fail(err, HF_E_TEMPLATE, "got an unexpected keyword argument 'match_type'");
	int r = regex_open(e, input, call, 0, "pattern", "", regex_flags(call, 1, 2), &text, &re, err);
	if (r == 0)
		r = as_template_error(hf_regex_exec(hf_eval_arena(e), re, text, 0, how, &m, err), err);
	if (r == 0)
		*ret = hf_value_bool(hf_eval_arena(e), m.found);
	return r;
}

int hf_test_match(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	return regex_test(e, input, call, HF_REGEX_MATCH, false, ret, err);
}

int hf_test_search(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	return regex_test(e, input, call, HF_REGEX_SEARCH, false, ret, err);
}

int hf_test_regex(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_str kind;
	int r = filter_text_arg(e, call, 3, "match_type", "search", &kind, err);
	if (r < 0)
		return r;
	enum hf_regex_how how = hf_str_is(kind, "match")       ? HF_REGEX_MATCH
				: hf_str_is(kind, "fullmatch") ? HF_REGEX_FULLMATCH
							       : HF_REGEX_SEARCH;
	if (how == HF_REGEX_SEARCH && !hf_str_is(kind, "search"))
		return hf_fail(err, HF_E_TEMPLATE, "invalid match_type '%.*s'", HF_STR_ARG(kind));
	return regex_test(e, input, call, how, true, ret, err);
}
