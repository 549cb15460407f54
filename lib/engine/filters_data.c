/* lib/engine/filters_data.c - JSON, YAML and lists: to_json, from_yaml, flatten, extract, zip, product … */
#include <stdlib.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/engine/filters.h"

/* What a writer refuses is the template's mistake. */
static int as_template_error(int r, const char *what, struct hf_error *err)
{
	if (r < 0 && r != -HF_E_LIMIT && r != -HF_E_UNDEFINED) {
		if (err != NULL)
			err->code = HF_E_TEMPLATE;
		return hf_wrap(err, "%s", what);
	}
	return r;
}

static int return_whole_text(struct hf_eval *e, const struct hf_value *input, struct hf_buf *out,
	struct hf_value **ret, struct hf_error *err)
{
	int r = filter_return_buf(e, NULL, out, "text", ret, err);
	if (r == 0) {
		(*ret)->flags |= HF_VALUE_TEXT;
		if (hf_value_has_secret(input))
			(*ret)->flags |= HF_VALUE_SECRET;
		(*ret)->flags |= input->flags & HF_VALUE_UNSAFE;
	}
	return r;
}

static const char *const json_names[] = { "indent", "sort_keys", "ensure_ascii", "separators",
	"vault_to_text", "preprocess_unsafe", "allow_nan", "skipkeys", "check_circular", NULL };

static int json_style(
	const struct hf_call *call, size_t positional, struct hf_json_style *style, struct hf_error *err)
{
	int r = hf_call_check(call, "to_json", positional, json_names, err);
	if (r < 0)
		return r;
	const struct hf_value *indent = hf_call_arg(call, 0, "indent");
	int64_t width = style->indent;
	if (indent != NULL && indent->type == HF_NULL)
		width = -1;
	else
		r = filter_int_arg(call, 0, "indent", style->indent, &width, err);
	if (r < 0)
		return r;
	style->indent = (int)(width > 64 ? 64 : width);
	style->sort_keys = filter_bool_arg(call, 1, "sort_keys", style->sort_keys);
	style->ascii = filter_bool_arg(call, SIZE_MAX, "ensure_ascii", true);
	const struct hf_value *separators = filter_arg(call, SIZE_MAX, "separators");
	if (separators == NULL)
		return 0;
	if (!hf_is_sequence(separators) || hf_list_len(separators) != 2 ||
		!hf_is(hf_list_at(separators, 1), HF_STRING))
		return hf_fail(err, HF_E_TEMPLATE, "separators must be a pair of strings");
	style->compact = hf_str_is(hf_list_at(separators, 1)->u.string, ":");
	return 0;
}

static int json_filter(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_json_style style, size_t positional, struct hf_value **ret, struct hf_error *err)
{
	int r = json_style(call, positional, &style, err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	r = as_template_error(hf_json_write(&out, input, &style, err), "to_json", err);
	return r < 0 ? r : return_whole_text(e, input, &out, ret, err);
}

FILTER(to_json)
{
	return json_filter(
		e, input, call, (struct hf_json_style){ .indent = -1, .ascii = true }, 0, ret, err);
}

FILTER(to_nice_json)
{
	return json_filter(e, input, call,
		(struct hf_json_style){ .indent = 4, .ascii = true, .sort_keys = true, .tight = true }, 2,
		ret, err);
}

FILTER(from_json)
{
	if (input->type != HF_STRING && input->type != HF_BYTES)
		return hf_fail(err, HF_E_TEMPLATE, "the JSON object must be str, bytes or bytearray, not %s",
			hf_type_name(input));
	int r = as_template_error(
		hf_json_loads(hf_eval_arena(e), input->u.string, ret, err), "from_json", err);
	if (r == 0)
		*ret = templar_mark(hf_eval_arena(e), *ret, input->flags);
	return r;
}

/* Keywords that to_yaml and to_nice_yaml take; Ansible throws further positional arguments away. */
static int yaml_keywords(const struct hf_call *call, size_t positional, const struct hf_yaml_style *style,
	struct hf_error *err)
{
	static const char *const names[] = { "indent", "width", "default_flow_style", "sort_keys",
		"explicit_start", "explicit_end", "allow_unicode", "default_style", "line_break", "canonical",
		NULL };
	const struct hf_call named = { .args = call->args,
		.n_args = positional == 0 && call->n_args > 0 ? 1 : 0,
		.kwargs = call->kwargs };
	int r = hf_call_check(&named, "to_yaml", 1, names, err);
	if (r == 0 && !style->flow_leaves && hf_call_arg(call, SIZE_MAX, "default_flow_style") != NULL)
		r = hf_fail(err, HF_E_TEMPLATE, "to_nice_yaml: default_flow_style cannot be given");
	if (r == 0 && (filter_arg(call, SIZE_MAX, "default_style") != NULL ||
			      filter_bool_arg(call, SIZE_MAX, "canonical", false)))
		r = hf_fail(err, HF_E_UNSUPPORTED, "to_yaml: default_style and canonical are not supported");
	return r;
}

static int yaml_filter(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_yaml_style style, size_t positional, struct hf_value **ret, struct hf_error *err)
{
	int64_t indent, width;
	int r = yaml_keywords(call, positional, &style, err);
	if (r == 0)
		r = filter_int_arg(call, positional, "indent", style.indent, &indent, err);
	if (r == 0)
		r = filter_int_arg(call, SIZE_MAX, "width", style.width, &width, err);
	if (r < 0)
		return r;
	const struct hf_value *flow = hf_call_arg(call, SIZE_MAX, "default_flow_style");
	style.flow = flow != NULL && hf_value_truthy(flow);
	if (flow != NULL)
		style.flow_leaves = flow->type == HF_NULL;
	style.indent = indent > 100 ? 100 : (int)indent;
	style.width = width > INT32_MAX ? INT32_MAX : width < 0 ? -1 : (int)width;
	style.sort_keys = filter_bool_arg(call, SIZE_MAX, "sort_keys", true);
	style.explicit_start = filter_bool_arg(call, SIZE_MAX, "explicit_start", false);
	style.explicit_end = filter_bool_arg(call, SIZE_MAX, "explicit_end", false);
	style.unicode = true;
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	r = as_template_error(hf_yaml_write(&out, input, &style, err), "to_yaml", err);
	return r < 0 ? r : return_whole_text(e, input, &out, ret, err);
}

FILTER(to_yaml)
{
	return yaml_filter(e, input, call,
		(struct hf_yaml_style){ .flow_leaves = true, .indent = 2, .width = 80 }, SIZE_MAX, ret, err);
}

FILTER(to_nice_yaml)
{
	return yaml_filter(e, input, call, (struct hf_yaml_style){ .indent = 4, .width = 80 }, 0, ret, err);
}

static int yaml_read(
	struct hf_eval *e, struct hf_value *input, bool all, struct hf_value **ret, struct hf_error *err)
{
	static const struct hf_yaml_options plain = { .plain = true };
	struct hf_arena *a = hf_eval_arena(e);
	if (input->type != HF_STRING) {
		*ret = input;
		return 0;
	}
	int r = all ? hf_yaml_parse_all(a, input->u.string, "from_yaml", &plain, ret, err)
		    : hf_yaml_parse(a, input->u.string, "from_yaml", &plain, ret, err);
	if (r == 0)
		*ret = templar_mark(a, *ret, input->flags);
	return as_template_error(r, "from_yaml", err);
}

FILTER(from_yaml)
{
	return yaml_read(e, input, false, ret, err);
}

FILTER(from_yaml_all)
{
	return yaml_read(e, input, true, ret, err);
}

/* --- lists --- */

static bool is_null_word(const struct hf_value *v)
{
	return v->type == HF_NULL ||
	       (v->type == HF_STRING && (hf_str_is(v->u.string, "None") || hf_str_is(v->u.string, "null")));
}

enum { FLATTEN_DEPTH_MAX = 100 };
int filter_flatten(struct hf_value *list, int64_t levels, bool skip_nulls, int depth, struct hf_value *out,
	struct hf_error *err)
{
	if (depth > FLATTEN_DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT, "flatten: nested deeper than %d", FLATTEN_DEPTH_MAX);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		struct hf_value *item = hf_list_at(list, i);
		if (skip_nulls && is_null_word(item))
			continue;
		if (!hf_is_sequence(item) || levels == 0) {
			hf_list_append(out, item);
			continue;
		}
		int r = filter_flatten(
			item, levels < 0 ? levels : levels - 1, skip_nulls, depth + 1, out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

FILTER(flatten)
{
	FILTER_ARGS(2, "levels", "skip_nulls");
	int64_t levels;
	int r = filter_int_arg(call, 0, "levels", -1, &levels, err);
	if (r == 0)
		r = filter_items(e, input, &input, err);
	if (r < 0)
		return r;
	struct hf_value *out = hf_value_list(hf_eval_arena(e));
	*ret = out;
	return filter_flatten(input, filter_arg(call, 0, "levels") != NULL && levels < 0 ? 0 : levels,
		filter_bool_arg(call, 1, "skip_nulls", true), 0, out, err);
}

FILTER(extract)
{
	FILTER_ARGS(2, "container", "morekeys");
	struct hf_value *value = hf_call_arg(call, 0, "container"), *more = filter_arg(call, 1, "morekeys");
	if (value == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "extract needs a container");
	int r = hf_eval_item(e, value, input, &value, err);
	if (more != NULL && more->type != HF_LIST)
		return r < 0 ? r : hf_eval_item(e, value, more, ret, err);
	for (size_t i = 0; more != NULL && i < hf_list_len(more) && r == 0; i++)
		r = hf_eval_item(e, value, hf_list_at(more, i), &value, err);
	if (r == 0)
		*ret = value;
	return r;
}

/* All inputs of a filter as lists: the value filtered, then the positional arguments. */
static int all_lists(struct hf_eval *e, struct hf_value *input, const struct hf_call *call,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *lists = hf_value_list(hf_eval_arena(e)), *list = NULL;
	for (size_t i = 0; i <= call->n_args; i++) {
		int r = filter_items(e, i == 0 ? input : call->args[i - 1], &list, err);
		if (r < 0)
			return r;
		hf_list_append(lists, list);
	}
	*ret = lists;
	return 0;
}

static int zip_filter(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, bool longest,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *lists = NULL, *fill = hf_call_arg(call, SIZE_MAX, "fillvalue");
	int r = all_lists(e, input, call, &lists, err);
	if (r < 0)
		return r;
	size_t n = longest ? 0 : SIZE_MAX;
	for (size_t i = 0; i < hf_list_len(lists); i++) {
		size_t len = hf_list_len(hf_list_at(lists, i));
		n = longest ? (len > n ? len : n) : (len < n ? len : n);
	}
	*ret = hf_value_list(a);
	for (size_t k = 0; k < n; k++) {
		struct hf_value *tuple = hf_value_tuple(a);
		for (size_t i = 0; i < hf_list_len(lists); i++) {
			struct hf_value *list = hf_list_at(lists, i);
			hf_list_append(tuple, k < hf_list_len(list) ? hf_list_at(list, k)
					      : fill != NULL        ? fill
								    : hf_value_null(a));
		}
		hf_list_append(*ret, tuple);
	}
	return 0;
}

FILTER(zip)
{
	return zip_filter(e, input, call, false, ret, err);
}

FILTER(zip_longest)
{
	return zip_filter(e, input, call, true, ret, err);
}

/* Every way to take one item of each list, the last list turning fastest. */
static int product_fill(struct hf_eval *e, struct hf_value *lists, struct hf_value *out, struct hf_error *err)
{
	size_t n = hf_list_len(lists), total = 1;
	size_t *at = hf_new_array(hf_eval_arena(e), n + 1, size_t);
	for (size_t i = 0; i < n; i++) {
		size_t len = hf_list_len(hf_list_at(lists, i));
		if (len > 0 && total > FILTER_ITEMS_MAX / len)
			return hf_fail(err, HF_E_LIMIT, "product: more than %d results", FILTER_ITEMS_MAX);
		total *= len;
	}
	for (size_t k = 0; k < total; k++) {
		struct hf_value *tuple = hf_value_tuple(hf_eval_arena(e));
		for (size_t i = 0; i < n; i++)
			hf_list_append(tuple, hf_list_at(hf_list_at(lists, i), at[i]));
		hf_list_append(out, tuple);
		for (size_t i = n; i > 0 && ++at[i - 1] == hf_list_len(hf_list_at(lists, i - 1)); i--)
			at[i - 1] = 0;
	}
	return 0;
}

FILTER(product)
{
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *once = NULL, *lists = hf_value_list(a);
	int64_t repeat;
	int r = all_lists(e, input, call, &once, err);
	if (r == 0)
		r = filter_int_arg(call, SIZE_MAX, "repeat", 1, &repeat, err);
	if (r < 0)
		return r;
	if (repeat < 0 || repeat > 32)
		return hf_fail(err, HF_E_TEMPLATE, "product: repeat must be between 0 and 32");
	for (int64_t k = 0; k < repeat; k++)
		for (size_t i = 0; i < hf_list_len(once); i++)
			hf_list_append(lists, hf_list_at(once, i));
	*ret = hf_value_list(a);
	return product_fill(e, lists, *ret, err);
}

struct choice {
	struct hf_value *list, *out;
	size_t want;
	bool ordered; /* permutations */
	bool *taken;
	size_t *picked;
};

static int choose(struct hf_eval *e, struct choice *c, size_t have, struct hf_error *err)
{
	if (hf_list_len(c->out) >= FILTER_ITEMS_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %d combinations", FILTER_ITEMS_MAX);
	if (have == c->want) {
		struct hf_value *tuple = hf_value_tuple(hf_eval_arena(e));
		for (size_t i = 0; i < have; i++)
			hf_list_append(tuple, hf_list_at(c->list, c->picked[i]));
		hf_list_append(c->out, tuple);
		return 0;
	}
	size_t from = c->ordered || have == 0 ? 0 : c->picked[have - 1] + 1;
	for (size_t i = from; i < hf_list_len(c->list); i++) {
		if (c->taken[i])
			continue;
		c->taken[i] = c->ordered;
		c->picked[have] = i;
		int r = choose(e, c, have + 1, err);
		c->taken[i] = false;
		if (r < 0)
			return r;
	}
	return 0;
}

static int choice_filter(struct hf_eval *e, struct hf_value *input, const struct hf_call *call, bool ordered,
	struct hf_value **ret, struct hf_error *err)
{
	FILTER_ARGS(1, "r");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_value *list = NULL;
	int64_t want;
	int r = filter_items(e, input, &list, err);
	if (r < 0)
		return r;
	if (!ordered && filter_arg(call, 0, "r") == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "combinations() missing required argument 'r' (pos 2)");
	r = filter_index_arg(call, 0, "r", (int64_t)hf_list_len(list), &want, err);
	if (r == 0 && want < 0)
		r = hf_fail(err, HF_E_TEMPLATE, "r must be non-negative");
	if (r < 0)
		return r;
	size_t n = hf_list_len(list);
	*ret = hf_value_list(a);
	if ((uint64_t)want > n || want > 256)
		return (uint64_t)want > n ? 0 : hf_fail(err, HF_E_LIMIT, "choosing more than 256 items");
	struct choice c = { list, *ret, (size_t)want, ordered, hf_new_array(a, n + 1, bool),
		hf_new_array(a, n + 1, size_t) };
	return choose(e, &c, 0, err);
}

FILTER(permutations)
{
	return choice_filter(e, input, call, true, ret, err);
}

FILTER(combinations)
{
	return choice_filter(e, input, call, false, ret, err);
}

const struct hf_callable_row hf_ansible_filters_data[] = {
	{ "to_json", to_json, 0 },
	{ "to_nice_json", to_nice_json, 0 },
	{ "from_json", from_json, 0 },
	{ "to_yaml", to_yaml, 0 },
	{ "to_nice_yaml", to_nice_yaml, 0 },
	{ "from_yaml", from_yaml, HF_NO_ARGUMENTS },
	{ "from_yaml_all", from_yaml_all, HF_NO_ARGUMENTS },
	{ "flatten", flatten, 0 },
	{ "extract", extract, HF_TAKES_UNDEFINED },
	{ "zip", zip, 0 },
	{ "zip_longest", zip_longest, 0 },
	{ "product", product, 0 },
	{ "permutations", permutations, 0 },
	{ "combinations", combinations, 0 },
	{ 0 },
};
