/* lib/release/fields.h - the fields of signed documents, read by table into plain structs. Strict: one type
 * each, no field missing, none unknown, no control characters. For the parsers in this folder only. */
#pragma once
#include "lib/base/digest.h"
#include "lib/data/value.h"
#include "lib/release/refusal.h"

enum hf_field_type {
	HF_FIELD_END,
	HF_FIELD_NAME,   /* const char *: hf_channel_name_valid() */
	HF_FIELD_TEXT,   /* const char *: up to HF_TEXT_MAX bytes, no control characters */
	HF_FIELD_NUMBER, /* int64_t: 0 … HF_NUMBER_MAX */
	HF_FIELD_TIME,   /* int64_t from RFC 3339 in UTC */
	HF_FIELD_DIGEST, /* struct hf_digest */
	HF_FIELD_LIST,   /* struct hf_value * */
	HF_FIELD_DICT,   /* struct hf_value * */
};
struct hf_field {
	const char *name;
	enum hf_field_type type;
	size_t offset;
	bool optional; /* absent or null: left as it was */
};

HF_CHECK int hf_fields_bind(struct hf_arena *a, const struct hf_value *v, const struct hf_field *fields,
	const char *what, void *out, enum hf_refusal *ret_refusal, struct hf_error *err);
/* Parses the payload and binds it. ret_value may be NULL. */
HF_CHECK int hf_fields_parse(struct hf_arena *a, struct hf_str payload, const struct hf_field *fields,
	const char *what, void *out, enum hf_refusal *ret_refusal, struct hf_error *err);
/* Short ways to write. */
void hf_fields_put_digest(
	struct hf_arena *a, struct hf_value *dict, const char *name, const struct hf_digest *d);
void hf_fields_put_time(struct hf_arena *a, struct hf_value *dict, const char *name, int64_t seconds);
