#include "lib/release/fields.h"

#include <string.h>

#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/release/document.h"

static bool text_plain(struct hf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n <= HF_TEXT_MAX;
}

static bool text_set(struct hf_arena *a, const struct hf_field *f, struct hf_str text, void *at)
{
	switch (f->type) {
	case HF_FIELD_NAME:
	case HF_FIELD_TEXT:
		if (!text_plain(text) || (f->type == HF_FIELD_NAME && !hf_channel_name_valid(text.p)))
			return false;
		*(const char **)at = hf_strndup(a, text.p, text.n);
		return true;
	case HF_FIELD_TIME:
		return hf_str_ends(text, "Z") && hf_time_parse(text, at);
	case HF_FIELD_DIGEST:
		return hf_digest_parse(text, at);
	case HF_FIELD_NUMBER:
	case HF_FIELD_LIST:
	case HF_FIELD_DICT:
	case HF_FIELD_END:
		break;
	}
	return false;
}

static bool field_set(struct hf_arena *a, const struct hf_field *f, struct hf_value *v, void *at)
{
	if (v->type == HF_STRING)
		return text_set(a, f, v->u.string, at);
	if (f->type == HF_FIELD_NUMBER) {
		if (v->type != HF_INT || v->u.integer < 0 || v->u.integer > HF_NUMBER_MAX)
			return false;
		*(int64_t *)at = v->u.integer;
		return true;
	}
	if ((f->type != HF_FIELD_LIST || v->type != HF_LIST) &&
		(f->type != HF_FIELD_DICT || v->type != HF_DICT))
		return false;
	*(struct hf_value **)at = v;
	return true;
}

/* What a field of each type must be, for messages. */
static const char *const wants[] = {
	[HF_FIELD_END] = "something else",
	[HF_FIELD_NAME] = "a name of lower-case letters, digits, \"-\" and \"_\"",
	[HF_FIELD_TEXT] = "a text of one line",
	[HF_FIELD_NUMBER] = "a number from 0 to 2^53",
	[HF_FIELD_TIME] = "a time such as 2026-01-31T12:00:00Z",
	[HF_FIELD_DIGEST] = "64 lower-case hexadecimal digits",
	[HF_FIELD_LIST] = "a list",
	[HF_FIELD_DICT] = "an object",
};

static const struct hf_field *field_find(const struct hf_field *fields, struct hf_str name)
{
	for (; fields->type != HF_FIELD_END; fields++)
		if (hf_str_is(name, fields->name))
			return fields;
	return NULL;
}

int hf_fields_bind(struct hf_arena *a, const struct hf_value *v, const struct hf_field *fields,
	const char *what, void *out, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	if (!hf_is(v, HF_DICT))
		return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT, "%s is not an object", what);
	HF_DICT_EACH (v, e) {
		const struct hf_value *key = hf_entry_key(e);
		if (field_find(fields, key->u.string) == NULL)
			return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT,
				"%s has an unknown field \"%.*s\"", what, HF_STR_ARG(key->u.string));
	}
	for (const struct hf_field *f = fields; f->type != HF_FIELD_END; f++) {
		struct hf_value *value = hf_dict_get(v, f->name);
		if (f->optional && (value == NULL || value->type == HF_NULL))
			continue;
		if (value == NULL)
			return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT, "%s has no field \"%s\"",
				what, f->name);
		if (!field_set(a, f, value, (char *)out + f->offset))
			return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT, "%s: \"%s\" must be %s",
				what, f->name, wants[f->type]);
	}
	return 0;
}

int hf_fields_parse(struct hf_arena *a, struct hf_str payload, const struct hf_field *fields,
	const char *what, void *out, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_value *v = NULL;
	struct hf_error inner = { 0 };
	if (hf_json_parse(a, payload, what, &v, &inner) < 0) {
		char text[HF_ERROR_TEXT_MAX / 2];
		return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT, "%s",
			hf_error_print(&inner, text, sizeof(text)));
	}
	return hf_fields_bind(a, v, fields, what, out, ret_refusal, err);
}

void hf_fields_put_digest(
	struct hf_arena *a, struct hf_value *dict, const char *name, const struct hf_digest *d)
{
	char hex[HF_SHA256_HEX];
	hf_dict_put(dict, name, hf_value_cstr(a, hf_digest_hex(d, hex)));
}

void hf_fields_put_time(struct hf_arena *a, struct hf_value *dict, const char *name, int64_t seconds)
{
	char text[HF_TIME_TEXT];
	hf_dict_put(dict, name, hf_value_cstr(a, hf_time_print(seconds, text)));
}
