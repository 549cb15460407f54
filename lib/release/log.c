#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/release/document.h"
#include "lib/release/fields.h"

#define ENTRY(member) offsetof(struct hf_log_entry, member)
static const struct hf_field log_fields[] = {
	{ "environment", HF_FIELD_NAME, ENTRY(environment) },
	{ "n", HF_FIELD_NUMBER, ENTRY(n) },
	{ "when", HF_FIELD_TIME, ENTRY(when) },
	{ "previous", HF_FIELD_DIGEST, ENTRY(previous) },
	{ "who", HF_FIELD_TEXT, ENTRY(who) },
	{ "what", HF_FIELD_TEXT, ENTRY(what) },
	{ "details", HF_FIELD_DICT, ENTRY(details) },
	{ .type = HF_FIELD_END },
};

int hf_log_entry_parse(struct hf_arena *a, struct hf_str payload, struct hf_log_entry *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_log_entry e = { 0 };
	int result = hf_fields_parse(a, payload, log_fields, "log entry", &e, ret_refusal, err);
	if (result == 0)
		*ret = e;
	return result;
}

int hf_log_entry_write(struct hf_buf *out, const struct hf_log_entry *e, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "environment", hf_value_cstr(a, e->environment));
	hf_dict_put(v, "n", hf_value_int(a, e->n));
	hf_fields_put_time(a, v, "when", e->when);
	hf_fields_put_digest(a, v, "previous", &e->previous);
	hf_dict_put(v, "who", hf_value_cstr(a, e->who));
	hf_dict_put(v, "what", hf_value_cstr(a, e->what));
	hf_dict_put(v, "details", e->details != NULL ? e->details : hf_value_dict(a));
	return hf_json_write(out, v, &HF_JSON_COMPACT, err);
}
