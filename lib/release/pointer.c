#include <string.h>

#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/release/document.h"
#include "lib/release/fields.h"

static const char *const kind_names[HF_POINTER_KINDS] = {
	[HF_POINTER_FORWARD] = "forward",
	[HF_POINTER_ROLLBACK] = "rollback",
	[HF_POINTER_HALT] = "halt",
};

const char *hf_pointer_kind_name(enum hf_pointer_kind kind)
{
	return kind_names[kind];
}

struct raw_pointer {
	struct hf_pointer pointer;
	const char *kind;
	struct hf_value *evidence;
};
#define POINTER(member) offsetof(struct raw_pointer, pointer.member)
static const struct hf_field pointer_fields[] = {
	{ "environment", HF_FIELD_NAME, POINTER(environment) },
	{ "fleet", HF_FIELD_NAME, POINTER(fleet) },
	{ "key_epoch", HF_FIELD_NUMBER, POINTER(key_epoch) },
	{ "seq", HF_FIELD_NUMBER, POINTER(seq) },
	{ "issued", HF_FIELD_TIME, POINTER(issued) },
	{ "expires", HF_FIELD_TIME, POINTER(expires) },
	{ "release", HF_FIELD_DIGEST, POINTER(release) },
	{ "previous", HF_FIELD_DIGEST, POINTER(previous), true },
	{ "kind", HF_FIELD_TEXT, offsetof(struct raw_pointer, kind) },
	{ "reason", HF_FIELD_TEXT, POINTER(reason) },
	{ "rollout", HF_FIELD_DICT, POINTER(rollout) },
	{ "evidence", HF_FIELD_DICT, offsetof(struct raw_pointer, evidence), true },
	{ .type = HF_FIELD_END },
};
static const struct hf_field evidence_fields[] = {
	{ "environment", HF_FIELD_NAME, offsetof(struct hf_evidence, environment) },
	{ "n", HF_FIELD_NUMBER, offsetof(struct hf_evidence, n) },
	{ "entry", HF_FIELD_DIGEST, offsetof(struct hf_evidence, entry) },
	{ .type = HF_FIELD_END },
};

int hf_pointer_parse(struct hf_arena *a, struct hf_str payload, struct hf_pointer *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	static const struct hf_digest zero;
	struct raw_pointer raw = { 0 };
	struct hf_pointer *p = &raw.pointer;
	int result = hf_fields_parse(a, payload, pointer_fields, "pointer", &raw, ret_refusal, err);
	p->has_evidence = raw.evidence != NULL;
	if (result == 0 && p->has_evidence)
		result = hf_fields_bind(
			a, raw.evidence, evidence_fields, "evidence", &p->evidence, ret_refusal, err);
	if (result < 0)
		return result;
	unsigned kind = 0;
	while (kind < HF_POINTER_KINDS && strcmp(kind_names[kind], raw.kind) != 0)
		kind++;
	if (kind == HF_POINTER_KINDS)
		return hf_refuse(
			ret_refusal, err, HF_REFUSED_BAD_DOCUMENT, "pointer: unknown kind \"%s\"", raw.kind);
	p->kind = (enum hf_pointer_kind)kind;
	p->has_previous = !hf_digest_equal(&p->previous, &zero);
	if (p->kind != HF_POINTER_FORWARD && *p->reason == '\0')
		return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT, "pointer: a %s without a reason",
			raw.kind);
	if (p->seq < 1 || p->key_epoch < 1 || p->expires <= p->issued)
		return hf_refuse(ret_refusal, err, HF_REFUSED_BAD_DOCUMENT,
			"pointer: numbers count from 1, and it expires after it was issued");
	*ret = *p;
	return 0;
}

int hf_pointer_write(struct hf_buf *out, const struct hf_pointer *p, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "environment", hf_value_cstr(a, p->environment));
	hf_dict_put(v, "fleet", hf_value_cstr(a, p->fleet));
	hf_dict_put(v, "key_epoch", hf_value_int(a, p->key_epoch));
	hf_dict_put(v, "seq", hf_value_int(a, p->seq));
	hf_fields_put_time(a, v, "issued", p->issued);
	hf_fields_put_time(a, v, "expires", p->expires);
	hf_fields_put_digest(a, v, "release", &p->release);
	if (p->has_previous)
		hf_fields_put_digest(a, v, "previous", &p->previous);
	else
		hf_dict_put(v, "previous", hf_value_null(a));
	hf_dict_put(v, "kind", hf_value_cstr(a, kind_names[p->kind]));
	hf_dict_put(v, "reason", hf_value_cstr(a, p->reason));
	hf_dict_put(v, "rollout", p->rollout != NULL ? p->rollout : hf_value_dict(a));
	if (p->has_evidence) {
		struct hf_value *e = hf_value_dict(a);
		hf_dict_put(e, "environment", hf_value_cstr(a, p->evidence.environment));
		hf_dict_put(e, "n", hf_value_int(a, p->evidence.n));
		hf_fields_put_digest(a, e, "entry", &p->evidence.entry);
		hf_dict_put(v, "evidence", e);
	}
	return hf_json_write(out, v, &HF_JSON_COMPACT, err);
}
