/* When a wanted value and a found one are the same, although AWS spells it differently. */
#include <openssl/evp.h>
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "provisioner/resource.h"

enum { JSON_TEXT_MAX = 1 << 20 };

bool tag_is_ours(const char *name)
{
	return strncmp(name, "holdfast:", 9) == 0 || strncmp(name, "aws:", 4) == 0;
}

static const char *spelled(const struct hf_value *row, const char *const names[3])
{
	const char *found = NULL;
	for (size_t i = 0; found == NULL && i < 3 && hf_is(row, HF_DICT); i++)
		found = hf_dict_cstr(row, names[i], NULL);
	return found;
}

struct hf_value *tags_read(struct hf_arena *a, const struct hf_value *list)
{
	struct hf_value *out = hf_value_dict(a);
	if (hf_is(list, HF_DICT)) { /* services that take a map give one back */
		HF_DICT_EACH (list, e)
			hf_dict_put(out, hf_entry_key(e)->u.string.p, hf_entry_value(e));
		return out;
	}
	for (size_t i = 0; hf_is(list, HF_LIST) && i < hf_list_len(list); i++) {
		const char *key = spelled(hf_list_at(list, i), (const char *[]){ "key", "Key", "TagKey" });
		const char *value =
			spelled(hf_list_at(list, i), (const char *[]){ "value", "Value", "TagValue" });
		if (key != NULL)
			hf_dict_put(out, key, hf_value_cstr(a, value == NULL ? "" : value));
	}
	return out;
}

struct hf_value *tags_wanted(
	struct hf_arena *a, const struct hf_environment *env, const struct hf_value *properties)
{
	struct hf_value *out = hf_value_dict(a);
	const struct hf_value *const sources[] = { env->tags, hf_dict_get(properties, "Tags") };
	for (size_t i = 0; i < HF_COUNT(sources); i++) {
		if (!hf_is(sources[i], HF_DICT))
			continue;
		HF_DICT_EACH (sources[i], e) {
			hf_dict_put(out, hf_entry_key(e)->u.string.p,
				hf_value_cstr(a, hf_wire_text(a, hf_entry_value(e))));
		}
	}
	return out;
}

static struct hf_value *base64(struct hf_arena *a, struct hf_str s)
{
	unsigned char *out = hf_alloc(a, s.n / 3 * 4 + 8);
	int n = EVP_EncodeBlock(out, (const unsigned char *)s.p, (int)s.n);
	return hf_value_str(a, hf_strn((char *)out, (size_t)n));
}

/* {name: value or values} as EC2 takes filters. */
static struct hf_value *filters(struct hf_arena *a, const struct hf_value *given)
{
	struct hf_value *out = hf_value_list(a);
	HF_DICT_EACH (given, e) {
		struct hf_value *row = hf_value_dict(a), *values = hf_entry_value(e);
		if (!hf_is(values, HF_LIST)) {
			values = hf_value_list(a);
			hf_list_append(values, hf_entry_value(e));
		}
		hf_dict_put(row, "Name", (struct hf_value *)(uintptr_t)hf_entry_key(e));
		hf_dict_put(row, "Value", values);
		hf_list_append(out, row);
	}
	return out;
}

struct hf_value *property_encode(struct hf_arena *a, const struct hf_value *row, struct hf_value *v)
{
	if (v == NULL || hf_is(v, HF_UNDEFINED))
		return v;
	if (strcmp(hf_dict_cstr(row, "type", ""), "filters") == 0 && hf_is(v, HF_DICT))
		return filters(a, v);
	if (strcmp(hf_dict_cstr(row, "encode", ""), "base64") == 0)
		return base64(a, hf_str(hf_wire_text(a, v)));
	if (strcmp(hf_dict_cstr(row, "type", ""), "json") == 0 && !hf_is(v, HF_STRING)) {
		const struct hf_json_style style = HF_JSON_COMPACT;
		hf_auto_buf text = hf_buf_init(JSON_TEXT_MAX);
		if (hf_json_write(&text, v, &style, NULL) == 0)
			return hf_value_str(a, hf_buf_str(&text));
	}
	return v;
}

static bool json_same(const struct hf_value *x, const struct hf_value *y, int depth);

static bool json_dicts_same(const struct hf_value *x, const struct hf_value *y, int depth)
{
	if (hf_dict_len(x) != hf_dict_len(y))
		return false;
	HF_DICT_EACH (x, e) {
		const struct hf_value *other = hf_dict_find(y, hf_entry_key(e));
		if (other == NULL || !json_same(hf_entry_value(e), other, depth + 1))
			return false;
	}
	return true;
}

static bool json_lists_same(const struct hf_value *x, const struct hf_value *y, int depth)
{
	for (size_t i = 0; i < hf_list_len(x); i++) {
		size_t k = 0;
		while (k < hf_list_len(y) && !json_same(hf_list_at(x, i), hf_list_at(y, k), depth + 1))
			k++;
		if (k == hf_list_len(y))
			return false;
	}
	return hf_list_len(x) == hf_list_len(y);
}

/* Policies: single items and lists of one are the same, and the order of lists does not matter. */
static bool json_same(const struct hf_value *x, const struct hf_value *y, int depth)
{
	bool list_x = hf_is(x, HF_LIST), list_y = hf_is(y, HF_LIST);
	if (depth > HF_JSON_DEPTH_MAX)
		return false;
	if (list_x && list_y)
		return json_lists_same(x, y, depth);
	if (list_x || list_y) {
		const struct hf_value *list = list_x ? x : y;
		return hf_list_len(list) == 1 && json_same(hf_list_at(list, 0), list_x ? y : x, depth + 1);
	}
	if (hf_is(x, HF_DICT) && hf_is(y, HF_DICT))
		return json_dicts_same(x, y, depth);
	return hf_value_equal(x, y);
}

static struct hf_value *json_value(struct hf_arena *a, const struct hf_value *v)
{
	struct hf_value *out;
	if (!hf_is(v, HF_STRING))
		return (struct hf_value *)(uintptr_t)v;
	struct hf_str text = v->u.string;
	if (hf_str_starts(text, "%7B")) /* IAM answers with the text percent-encoded */
		text = hf_uri_decode(a, text);
	return hf_json_parse(a, text, "document", &out, NULL) == 0 ? out : (struct hf_value *)(uintptr_t)v;
}

static bool scalar_same(struct hf_arena *a, const struct hf_value *x, const struct hf_value *y)
{
	return strcmp(hf_wire_text(a, x), hf_wire_text(a, y)) == 0;
}

static bool list_same(struct hf_arena *a, const struct hf_value *x, const struct hf_value *y)
{
	if (!hf_is(x, HF_LIST) || !hf_is(y, HF_LIST) || hf_list_len(x) != hf_list_len(y))
		return false;
	for (size_t i = 0; i < hf_list_len(x); i++) { /* AWS promises no order */
		size_t k = 0;
		while (k < hf_list_len(y) && !scalar_same(a, hf_list_at(x, i), hf_list_at(y, k)))
			k++;
		if (k == hf_list_len(y))
			return false;
	}
	return true;
}

/* An ARN's name:revision may be given alone, and so may the name, which stands for any revision. */
static bool revision_same(const char *wanted, const char *found)
{
	const char *slash = strrchr(found, '/');
	const char *name = slash == NULL ? found : slash + 1;
	size_t n = strlen(wanted);
	return strcmp(wanted, found) == 0 || strcmp(wanted, name) == 0 ||
	       (strncmp(name, wanted, n) == 0 && name[n] == ':');
}

bool property_same(struct hf_arena *a, const struct hf_value *row, const struct hf_value *wanted,
	const struct hf_value *found)
{
	if (wanted == NULL || found == NULL)
		return wanted == found;
	if (strcmp(hf_dict_cstr(row, "compare", ""), "revision") == 0)
		return revision_same(hf_wire_text(a, wanted), hf_wire_text(a, found));
	if (strcmp(hf_dict_cstr(row, "type", ""), "json") == 0)
		return json_same(json_value(a, wanted), json_value(a, found), 0);
	if (hf_is(wanted, HF_LIST) && (!hf_is(found, HF_LIST) || hf_list_len(wanted) == 0 ||
					      !hf_is(hf_list_at(wanted, 0), HF_DICT)))
		return list_same(a, wanted, found);
	if (hf_is(wanted, HF_LIST) || hf_is(wanted, HF_DICT))
		return json_same(wanted, found, 0);
	return scalar_same(a, wanted, found);
}
