/* lib/template/filters_mapping.c - filters over mappings, default and attr; declared in builtin.h. */
#include "lib/base/scope.h"
#include "lib/template/builtin.h"
#include "lib/template/filters.h"
#include "lib/template/methods.h"

FILTER(default)
{
	static const char *const names[] = { "default_value", "boolean", NULL };
	struct hf_value *fallback = hf_call_arg(call, 0, "default_value");
	bool falsy = false, truth = true;
	int r = hf_call_check(call, "default", 2, names, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 1, "boolean", false, &falsy, err);
	if (r == 0 && input->type != HF_UNDEFINED && falsy)
		r = hf_eval_truth(e, input, &truth, err);
	if (r < 0)
		return r;
	if (input->type != HF_UNDEFINED && truth)
		*ret = input;
	else
		*ret = fallback != NULL ? fallback : hf_value_borrow(e->arena, HF_STR(""));
	return 0;
}

static struct hf_value *pairs_of(struct hf_eval *e, const struct hf_value *dict)
{
	struct hf_value *list = hf_value_list(e->arena);
	HF_DICT_EACH (dict, entry) {
		struct hf_value *pair = hf_value_tuple(e->arena);
		hf_list_append(pair, hf_entry_key(entry));
		hf_list_append(pair, entry->value);
		hf_list_append(list, pair);
	}
	return list;
}

FILTER(items)
{
	int r = hf_call_check(call, "items", 0, NULL, err);
	if (r < 0)
		return r;
	if (input->type == HF_UNDEFINED) {
		*ret = hf_iterator_value(e, hf_value_list(e->arena));
		return 0;
	}
	if (input->type != HF_DICT)
		return hf_raise(err, "Can only get item pairs from a mapping.");
	*ret = hf_iterator_value(e, pairs_of(e, input));
	return hf_eval_steps(e, hf_dict_len(input), err);
}

FILTER(dictsort)
{
	static const char *const names[] = { "case_sensitive", "by", "reverse", NULL };
	bool cased = false, reverse = false;
	struct hf_str by = { 0 };
	int r = hf_call_check(call, "dictsort", 3, names, err);
	if (r == 0)
		r = hf_filter_bool(e, call, 0, "case_sensitive", false, &cased, err);
	if (r == 0)
		r = hf_filter_text(e, call, 1, "by", HF_STR("key"), &by, err);
	if (r == 0)
		r = hf_filter_reverse(call, 2, &reverse, err);
	if (r < 0)
		return r;
	if (!hf_str_is(by, "key") && !hf_str_is(by, "value"))
		return hf_raise(err, "You can only sort by either \"key\" or \"value\"");
	if (input->type == HF_UNDEFINED)
		return hf_eval_undefined(e, input, err);
	if (input->type != HF_DICT)
		return hf_raise(err, "'%s' object has no attribute 'items'", hf_type_name(input));
	struct hf_value *list = pairs_of(e, input);
	size_t n = hf_list_len(list);
	struct hf_value **keys = hf_new_array(e->arena, n, struct hf_value *);
	for (size_t i = 0; i < n; i++) {
		struct hf_value *key = hf_list_at(hf_list_at(list, i), hf_str_is(by, "value"));
		keys[i] = cased ? key : hf_filter_fold_case(e, key);
	}
	r = hf_filter_sort(e, list->u.list->at, keys, n, reverse, err);
	if (r == 0)
		*ret = list;
	return r;
}

/* obj|attr('name'): attributes only, never items. */
FILTER(attr)
{
	static const char *const names[] = { "name", NULL };
	struct hf_value *name = hf_call_arg(call, 0, "name");
	int r = hf_call_check(call, "attr", 1, names, err);
	if (r == 0 && name == NULL)
		return hf_raise(err, "attr() missing 1 required positional argument: 'name'");
	if (r < 0)
		return r;
	if (name->type != HF_STRING)
		return name->type == HF_UNDEFINED
			       ? hf_eval_undefined(e, name, err)
			       : hf_raise(err, "attribute name must be string, not '%s'", hf_type_name(name));
	struct hf_str text = name->u.string;
	if (input->type == HF_DICT) {
		const struct hf_callable_row *row = hf_row_find(hf_methods_dict, text);
		*ret = row != NULL ? hf_method_value(e->arena, row, input)
				   : hf_undefined_attribute(e, input, text);
		return 0;
	}
	return hf_eval_attribute(e, input, text, ret, err);
}

const struct hf_callable_row hf_filters_mapping[] = {
	{ "default", filter_default, HF_TAKES_UNDEFINED },
	{ "d", filter_default, HF_TAKES_UNDEFINED },
	{ "items", filter_items, HF_TAKES_UNDEFINED | HF_NO_ARGUMENTS },
	{ "dictsort", filter_dictsort, 0 },
	{ "attr", filter_attr, HF_TAKES_UNDEFINED },
	{ NULL, NULL, 0 },
};
