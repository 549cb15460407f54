/* Names, types and choices of the properties that were written, which needs no network. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/schema.h"
#include "provisioner/scope.h"

static const struct {
	const char *type;
	unsigned kinds; /* bits of enum hf_type */
} fits[] = {
	{ "any", ~0u },
	{ "str", 1u << HF_STRING | 1u << HF_INT | 1u << HF_FLOAT | 1u << HF_BOOL },
	{ "bool", 1u << HF_BOOL },
	{ "int", 1u << HF_INT },
	{ "list", 1u << HF_LIST },
	{ "dict", 1u << HF_DICT },
	{ "tags", 1u << HF_DICT },
	{ "filters", 1u << HF_DICT },
	{ "json", 1u << HF_DICT | 1u << HF_LIST | 1u << HF_STRING },
};

bool hf_type_fits(const char *type, const struct hf_value *v)
{
	for (size_t i = 0; i < HF_COUNT(fits); i++)
		if (strcmp(fits[i].type, type) == 0)
			return (fits[i].kinds >> v->type & 1u) != 0;
	return false;
}

bool hf_type_known(const char *type)
{
	for (size_t i = 0; i < HF_COUNT(fits); i++)
		if (strcmp(fits[i].type, type) == 0)
			return true;
	return false;
}

const char *hf_key_nearest(struct hf_arena *a, const struct hf_value *dict, const char *name)
{
	const char **names = hf_new_array(a, hf_dict_len(dict) + 1, const char *);
	size_t n = 0;
	HF_DICT_EACH (dict, e) {
		names[n++] = hf_entry_key(e)->u.string.p;
	}
	return hf_nearest(name, names);
}

bool hf_is_template(const struct hf_value *v)
{
	return hf_is(v, HF_STRING) && (hf_str_find(v->u.string, HF_STR("{{"), 0) != SIZE_MAX ||
					      hf_str_find(v->u.string, HF_STR("{%"), 0) != SIZE_MAX);
}

/* One of the choices of its row, and not below its minimum. */
static int range_check(const struct hf_resource *r, const char *name, const struct hf_value *row,
	const struct hf_value *v, struct hf_error *err)
{
	const struct hf_value *choices = hf_dict_get(row, "choices");
	if (hf_is(v, HF_INT) && v->u.integer < hf_dict_int(row, "min", INT64_MIN))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v), "%s: %s cannot be %lld: %lld or more",
			r->name, name, (long long)v->u.integer, (long long)hf_dict_int(row, "min", 0));
	for (size_t i = 0; hf_is(choices, HF_LIST); i++) {
		if (i == hf_list_len(choices))
			return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v), "%s: %s cannot be \"%s\"",
				r->name, name, hf_is(v, HF_STRING) ? v->u.string.p : "that");
		if (hf_value_equal(hf_list_at(choices, i), v))
			break;
	}
	return 0;
}

static int value_check(const struct hf_resource *r, const char *name, const struct hf_value *row,
	const struct hf_value *v, struct hf_error *err)
{
	const char *type = hf_dict_cstr(row, "type", "str");
	if (!hf_type_fits(type, v))
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(v), "%s: %s must be of type %s, not %s",
			r->name, name, type, hf_type_name(v));
	return range_check(r, name, row, v, err);
}

/* A template with text around it gives text: what reads as a number or as yes and no is taken as that. */
static struct hf_value *value_as(struct hf_arena *a, const char *type, struct hf_value *v)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = { { "true", true }, { "True", true }, { "false", false }, { "False", false } };
	int64_t number;
	struct hf_value *out = v;
	if (hf_is(v, HF_TUPLE) && strcmp(type, "list") == 0) {
		out = hf_value_list(a);
		for (size_t i = 0; i < hf_list_len(v); i++)
			hf_list_append(out, hf_list_at(v, i));
	}
	if (hf_is(v, HF_STRING) && strcmp(type, "int") == 0 && hf_str_to_int64(v->u.string, &number))
		out = hf_value_int(a, number);
	for (size_t i = 0; hf_is(v, HF_STRING) && strcmp(type, "bool") == 0 && i < HF_COUNT(words); i++)
		if (hf_str_is(v->u.string, words[i].text))
			out = hf_value_bool(a, words[i].value);
	return out == v ? v : hf_value_at(out, hf_value_pos(v));
}

static int needs(const struct hf_resource *r, const char *name, struct hf_pos pos, struct hf_error *err)
{
	return hf_fail_at(err, HF_E_ARGUMENT, pos, "%s: %s needs %s", r->name, r->spec->type, name);
}

int hf_property_fit(struct hf_arena *a, const struct hf_resource *r, const char *name, struct hf_value *v,
	struct hf_value **ret, struct hf_error *err)
{
	const struct hf_value *row = hf_dict_get(r->spec->properties, name);
	*ret = v;
	if (hf_is(v, HF_NULL) && hf_dict_bool(row, "required", false))
		return needs(r, name, hf_value_pos(v), err);
	if (hf_is(v, HF_UNDEFINED) || hf_is(v, HF_NULL))
		return 0;
	*ret = value_as(a, hf_dict_cstr(row, "type", "str"), v);
	return value_check(r, name, row, *ret, err);
}

static int property_check(const struct hf_resource *r, const struct hf_value *key, const struct hf_value *v,
	struct hf_error *err)
{
	const char *name = key->u.string.p;
	const struct hf_value *row = hf_dict_get(r->spec->properties, name);
	if (row == NULL) {
		hf_auto_arena scratch = hf_arena_new();
		const char *near = hf_key_nearest(scratch, r->spec->properties, name);
		return hf_fail_at(err, HF_E_ARGUMENT, hf_value_pos(key),
			"%s: %s has no property \"%s\"%s%s%s", r->name, r->spec->type, name,
			near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
			near == NULL ? "" : "\"?");
	}
	if (r->bootstrap != NULL && strcmp(r->bootstrap, name) == 0)
		return 0; /* a text is made of it */
	return hf_is_template(v) || hf_is(v, HF_NULL) ? 0 : value_check(r, name, row, v, err);
}

int hf_properties_check(const struct hf_resource *r, struct hf_error *err)
{
	HF_DICT_EACH (r->properties, e) {
		int rc = property_check(r, hf_entry_key(e), hf_entry_value(e), err);
		if (rc < 0)
			return rc;
	}
	HF_DICT_EACH (r->spec->properties, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		const struct hf_value *given = hf_dict_get(r->properties, name);
		if (hf_dict_bool(hf_entry_value(e), "required", false) &&
			(given == NULL || hf_is(given, HF_NULL)))
			return needs(r, name, r->pos, err);
	}
	return 0;
}
