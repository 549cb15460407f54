#include "lib/engine/filters.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "lib/base/scope.h"

static const char *const builtin[] = { "ansible.builtin", "ansible.legacy", NULL };
static const char *const utils[] = { "ansible.utils", "ansible.netcommon", NULL };
static const char *const general[] = { "community.general", "ovirt.ovirt", NULL };
/* What ansible-core gave away to collections still answers to its old names. */
static const char *const net_moved[] = { "ansible.utils", "ansible.netcommon", "ansible.builtin",
	"ansible.legacy", NULL };
static const char *const moved[] = { "community.general", "ovirt.ovirt", "ansible.builtin", "ansible.legacy",
	NULL };

const struct filter_table hf_filter_tables[] = {
	{ hf_ansible_filters_text, builtin, false },
	{ hf_ansible_filters_regex, builtin, false },
	{ hf_ansible_filters_path, builtin, false },
	{ hf_ansible_filters_data, builtin, false },
	{ hf_ansible_filters_dict, builtin, false },
	{ hf_ansible_filters_set, builtin, false },
	{ hf_ansible_filters_codec, builtin, false },
	{ hf_ansible_filters_hash, builtin, false },
	{ hf_ansible_filters_vault, builtin, false },
	{ hf_ansible_filters_math, builtin, false },
	{ hf_ansible_filters_random, builtin, false },
	{ hf_ansible_filters_time, builtin, false },
	{ hf_ansible_filters_url, builtin, false },
	{ hf_ansible_filters_json_query, moved, false },
	{ hf_ansible_filters_net, net_moved, false },
	{ hf_ansible_filters_net_set, net_moved, false },
	{ hf_ansible_filters_mac, net_moved, false },
	{ hf_ansible_filters_utils, utils, false },
	{ hf_ansible_filters_keys, utils, true },
	{ hf_ansible_filters_xml, utils, false },
	{ hf_ansible_filters_xml_read, utils, false },
	{ hf_ansible_filters_unicode, general, false },
	{ hf_ansible_filters_mac_general, moved, false },
	{ hf_ansible_filters_dict_general, general, false },
	{ hf_ansible_filters_general, general, false },
	{ 0 },
};

const struct filter_table hf_test_tables[] = {
	{ hf_ansible_tests_core, builtin, false },
	{ hf_ansible_tests_version, builtin, false },
	{ hf_ansible_tests_file, builtin, false },
	{ hf_ansible_tests_uri, builtin, false },
	{ hf_ansible_tests_net, utils, true },
	{ 0 },
};

struct hf_value *filter_arg(const struct hf_call *call, size_t position, const char *name)
{
	struct hf_value *v = hf_call_arg(call, position, name);
	return v == NULL || v->type == HF_NULL ? NULL : v;
}

int filter_text_arg(struct hf_eval *e, const struct hf_call *call, size_t position, const char *name,
	const char *fallback, struct hf_str *ret, struct hf_error *err)
{
	struct hf_value *v = hf_call_arg(call, position, name);
	if (v == NULL && fallback == NULL)
		return hf_fail(err, HF_E_TEMPLATE, "missing required argument '%s'", name);
	if (v == NULL) {
		*ret = hf_str(fallback);
		return 0;
	}
	if (v->type == HF_STRING) {
		*ret = v->u.string;
		return 0;
	}
	return hf_eval_text(e, v, ret, err);
}

int filter_int_arg(const struct hf_call *call, size_t position, const char *name, int64_t fallback,
	int64_t *ret, struct hf_error *err)
{
	const struct hf_value *v = filter_arg(call, position, name);
	*ret = fallback;
	if (v == NULL)
		return 0;
	if (v->type == HF_INT)
		*ret = v->u.integer;
	else if (v->type == HF_BOOL)
		*ret = v->u.boolean;
	else if (v->type == HF_FLOAT && fabs(v->u.real) < 1e15)
		*ret = (int64_t)v->u.real;
	else if (v->type != HF_STRING || !hf_str_to_int64(v->u.string, ret))
		return hf_fail(err, HF_E_TEMPLATE, "the argument %s must be an integer, not %s", name,
			hf_type_name(v));
	return 0;
}

int filter_index_arg(const struct hf_call *call, size_t position, const char *name, int64_t fallback,
	int64_t *ret, struct hf_error *err)
{
	const struct hf_value *v = filter_arg(call, position, name);
	if (v != NULL && v->type != HF_INT && v->type != HF_BOOL)
		return hf_fail(err, HF_E_TEMPLATE, "%s: '%s' object cannot be interpreted as an integer",
			name, hf_type_name(v));
	return filter_int_arg(call, position, name, fallback, ret, err);
}

bool filter_bool_arg(const struct hf_call *call, size_t position, const char *name, bool fallback)
{
	const struct hf_value *v = hf_call_arg(call, position, name);
	return v == NULL ? fallback : hf_value_truthy(v);
}

int filter_items(struct hf_eval *e, struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	if (hf_is_sequence(v)) {
		*ret = v;
		return 0;
	}
	return hf_eval_list(e, v, ret, err);
}

int filter_listed(struct hf_eval *e, struct hf_value *v, struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_eval_arena(e);
	bool number = v->type == HF_INT || v->type == HF_FLOAT || v->type == HF_BIGINT;
	if (hf_is_sequence(v)) {
		*ret = v;
		return 0;
	}
	if (v->type != HF_STRING && !number)
		return hf_fail(err, HF_E_TEMPLATE, "%s cannot be converted to a list", hf_type_name(v));
	struct hf_str rest = hf_value_text(a, v), item;
	*ret = hf_value_list(a);
	if (rest.n == 0)
		hf_list_append(*ret, hf_value_str(a, rest));
	while (rest.n > 0 && hf_str_split(&rest, ',', &item))
		hf_list_append(*ret, hf_value_str(a, item));
	return 0;
}

bool filter_truth(const struct hf_value *v)
{
	static const char *const words[] = { "yes", "on", "1", "true" };
	if (v->type == HF_STRING) {
		for (size_t i = 0; i < HF_COUNT(words); i++)
			if (v->u.string.n == strlen(words[i]) &&
				strncasecmp(v->u.string.p, words[i], v->u.string.n) == 0)
				return true;
		return false;
	}
	if (v->type == HF_BOOL)
		return v->u.boolean;
	return (v->type == HF_INT && v->u.integer == 1) || (v->type == HF_FLOAT && v->u.real == 1.0);
}

int filter_number(const struct hf_value *v, const char *what, double *ret, struct hf_error *err)
{
	if (v->type == HF_INT)
		*ret = (double)v->u.integer;
	else if (v->type == HF_BOOL)
		*ret = v->u.boolean;
	else if (v->type == HF_FLOAT)
		*ret = v->u.real;
	else if (v->type == HF_BIGINT)
		*ret = strtod(v->u.string.p, NULL);
	else
		return hf_fail(err, HF_E_TEMPLATE,
			"%s can only be used on numbers: must be real number, not %s", what, hf_type_name(v));
	return 0;
}

int filter_return_text(
	struct hf_eval *e, const struct hf_value *input, struct hf_str text, struct hf_value **ret)
{
	struct hf_value *v = hf_value_str(hf_eval_arena(e), text);
	*ret = input == NULL ? v : hf_value_taint(hf_eval_arena(e), v, input);
	return 0;
}

int filter_return_buf(struct hf_eval *e, const struct hf_value *input, const struct hf_buf *text,
	const char *what, struct hf_value **ret, struct hf_error *err)
{
	int r = hf_buf_check(text, what, err);
	return r < 0 ? r : filter_return_text(e, input, hf_buf_str(text), ret);
}

bool filter_contains(const struct hf_value *list, const struct hf_value *item)
{
	if (list->type == HF_DICT || list->type == HF_SET)
		return hf_map_find(&list->u.dict->map, item) != NULL;
	for (size_t i = 0; hf_is_sequence(list) && i < hf_list_len(list); i++)
		if (hf_value_equal(hf_list_at(list, i), item))
			return true;
	return false;
}
