#include "cli/eval_value.h"

#include <math.h>

#include <openssl/evp.h>

#include "lib/base/scope.h"
#include "lib/data/yaml_scalar.h"

/* --- in --- */

static int decode_marked(struct hf_arena *a, const struct hf_value *v, unsigned flags, struct hf_value **ret)
{
	*ret = hf_value_str(a, v->u.string);
	(*ret)->flags |= (uint8_t)flags;
	return 0;
}

static int decode_float(struct hf_arena *a, const struct hf_value *v, struct hf_value **ret)
{
	*ret = hf_value_float(a, hf_str_is(v->u.string, "nan")    ? NAN
				 : hf_str_is(v->u.string, "-inf") ? -INFINITY
								  : INFINITY);
	return 0;
}

static int decode_pairs(
	struct hf_arena *a, const struct hf_value *list, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *dict = hf_value_dict(a), *key = NULL, *value = NULL;
	for (size_t i = 0; i < hf_list_len(list); i++) {
		const struct hf_value *pair = hf_list_at(list, i);
		int r = cli_value_decode(a, hf_list_at(pair, 0), &key, err);
		if (r == 0)
			r = cli_value_decode(a, hf_list_at(pair, 1), &value, err);
		if (r < 0)
			return r;
		if (key->type == HF_LIST)
			key->type = HF_TUPLE;
		hf_dict_set(dict, key, value);
	}
	*ret = dict;
	return 0;
}

static int decode_set(
	struct hf_arena *a, const struct hf_value *list, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *set = hf_value_set(a), *item = NULL;
	for (size_t i = 0; i < hf_list_len(list); i++) {
		int r = cli_value_decode(a, hf_list_at(list, i), &item, err);
		if (r < 0)
			return r;
		hf_dict_set(set, item, NULL);
	}
	*ret = set;
	return 0;
}

static int decode_special(
	struct hf_arena *a, const struct hf_value *dict, struct hf_value **ret, struct hf_error *err)
{
	const struct hf_value *v;
	*ret = NULL;
	if (hf_is(v = hf_dict_get(dict, "__ansible_unsafe"), HF_STRING))
		return decode_marked(a, v, HF_VALUE_UNSAFE, ret);
	if (hf_is(v = hf_dict_get(dict, "__ansible_vault"), HF_STRING))
		return decode_marked(a, v, HF_VALUE_VAULT, ret);
	if (hf_is(v = hf_dict_get(dict, "__float__"), HF_STRING))
		return decode_float(a, v, ret);
	if (hf_is(v = hf_dict_get(dict, "__date__"), HF_STRING) ||
		hf_is(v = hf_dict_get(dict, "__datetime__"), HF_STRING))
		return hf_yaml_scalar_value(a, YAML_TIMESTAMP, v->u.string, ret, err);
	if (hf_is(v = hf_dict_get(dict, "__bytes__"), HF_STRING))
		return hf_yaml_scalar_binary(a, v->u.string, ret, err);
	if (hf_is(v = hf_dict_get(dict, "__pairs__"), HF_LIST))
		return decode_pairs(a, v, ret, err);
	if (hf_is(v = hf_dict_get(dict, "__set__"), HF_LIST))
		return decode_set(a, v, ret, err);
	if (hf_dict_get(dict, "__omit") != NULL)
		*ret = hf_value_omit(a);
	return 0;
}

int cli_value_decode(
	struct hf_arena *a, const struct hf_value *json, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *out = (struct hf_value *)(uintptr_t)json, *item = NULL;
	int r = 0;
	if (json->type == HF_LIST) {
		out = hf_value_list(a);
		for (size_t i = 0; i < hf_list_len(json) && r == 0; i++) {
			r = cli_value_decode(a, hf_list_at(json, i), &item, err);
			hf_list_append(out, item);
		}
	} else if (json->type == HF_DICT) {
		if (hf_dict_len(json) == 1) {
			r = decode_special(a, json, &item, err);
			if (r < 0 || item != NULL) {
				*ret = item;
				return r;
			}
		}
		out = hf_value_dict(a);
		HF_DICT_EACH (json, e) {
			if (r == 0)
				r = cli_value_decode(a, hf_entry_value(e), &item, err);
			hf_dict_set(out, hf_entry_key(e), item);
		}
	}
	if (r == 0)
		*ret = out;
	return r;
}

/* --- out --- */

static struct hf_value *special(struct hf_arena *a, const char *name, struct hf_value *v)
{
	struct hf_value *dict = hf_value_dict(a);
	hf_dict_put(dict, name, v);
	return dict;
}

static struct hf_value *encode_time(struct hf_arena *a, const struct hf_value *v)
{
	char *text = hf_str_dup(a, hf_value_text(a, v));
	if (v->type == HF_DATE)
		return special(a, "__date__", hf_value_cstr(a, text));
	text[10] = 'T';
	return special(a, "__datetime__", hf_value_cstr(a, text));
}

static struct hf_value *encode_bytes(struct hf_arena *a, struct hf_str bytes)
{
	char *text = hf_alloc(a, bytes.n / 3 * 4 + 8);
	int n = EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.p, (int)bytes.n);
	return special(a, "__bytes__", hf_value_str(a, hf_strn(text, (size_t)n)));
}

static struct hf_value *encode_dict(struct hf_arena *a, const struct hf_value *v, bool unsafe)
{
	bool texts = true;
	HF_DICT_EACH (v, e)
		texts &= hf_entry_key(e)->type == HF_STRING;
	struct hf_value *dict = hf_value_dict(a), *pairs = hf_value_list(a);
	HF_DICT_EACH (v, e) {
		struct hf_value *value = cli_value_encode(a, hf_entry_value(e), unsafe),
				*pair = hf_value_list(a);
		if (texts) {
			hf_dict_set(dict, hf_entry_key(e), value);
			continue;
		}
		hf_list_append(pair, cli_value_encode(a, hf_entry_key(e), unsafe));
		hf_list_append(pair, value);
		hf_list_append(pairs, pair);
	}
	return texts ? dict : special(a, "__pairs__", pairs);
}

static int text_order(const void *x, const void *y)
{
	const struct hf_value *const *a = x, *const *b = y;
	if ((*a)->type == HF_INT && (*b)->type == HF_INT)
		return (*a)->u.integer < (*b)->u.integer ? -1 : (*a)->u.integer > (*b)->u.integer;
	return (*a)->type == HF_STRING && (*b)->type == HF_STRING
		       ? hf_str_compare((*a)->u.string, (*b)->u.string)
		       : 0;
}

static struct hf_value *encode_set(struct hf_arena *a, const struct hf_value *v)
{
	struct hf_value *list = hf_value_list(a);
	HF_DICT_EACH (v, e)
		hf_list_append(list, cli_value_encode(a, hf_entry_key(e), false));
	if (hf_list_len(list) > 1)
		qsort(list->u.list->at, hf_list_len(list), sizeof(list->u.list->at[0]), text_order);
	return special(a, "__set__", list);
}

struct hf_value *cli_value_encode(struct hf_arena *a, const struct hf_value *v, bool unsafe)
{
	struct hf_value *same = (struct hf_value *)(uintptr_t)v, *list;
	switch ((enum hf_type)v->type) {
	case HF_STRING:
		if (v->flags & HF_VALUE_VAULT)
			return special(a, "__ansible_vault", same);
		return unsafe && v->flags & HF_VALUE_UNSAFE ? special(a, "__ansible_unsafe", same) : same;
	case HF_FLOAT:
		if (isfinite(v->u.real))
			return same;
		return special(a, "__float__",
			hf_value_cstr(a, isnan(v->u.real) ? "nan"
					 : v->u.real < 0  ? "-inf"
							  : "inf"));
	case HF_BYTES:
		return encode_bytes(a, v->u.string);
	case HF_LIST:
	case HF_TUPLE:
		list = hf_value_list(a);
		for (size_t i = 0; i < hf_list_len(v); i++)
			hf_list_append(list, cli_value_encode(a, hf_list_at(v, i), unsafe));
		return list;
	case HF_DICT:
		return encode_dict(a, v, unsafe);
	case HF_SET:
		return encode_set(a, v);
	case HF_DATE:
	case HF_DATETIME:
		return encode_time(a, v);
	case HF_OMIT:
		return special(a, "__omit", hf_value_bool(a, true));
	case HF_TIMEDELTA:
	case HF_OBJECT:
	case HF_UNDEFINED:
		return hf_value_str(a, hf_value_text(a, v));
	case HF_NULL:
	case HF_BOOL:
	case HF_INT:
	case HF_BIGINT:
		break;
	}
	return same;
}
