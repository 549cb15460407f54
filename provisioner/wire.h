/* provisioner/wire.h - an operation of a type file as a request on the wire, and what came back as a value.
 * Request texts: "$X" is the value of X (the member is left out when X is not set), "${X}" inside longer text
 * its text, "${X|last}" what of it comes after the last slash, "${X|host}" after its scheme, "$#X" the length
 * of a list, "$$" a dollar. Answers: XML and JSON alike become dicts, "@etag" is the header; paths are dotted
 * names, "name[]" goes through a list. */
#pragma once
#include "lib/net/aws.h"
#include "provisioner/spec.h"

enum { HF_WIRE_BODY_MAX = 4 << 20, HF_WIRE_ANSWER_MAX = 16 << 20 };

/* v with its references replaced from context (a dict); *ret NULL when nothing is left of it. */
HF_CHECK int hf_wire_expand(struct hf_arena *a, const struct hf_value *v, const struct hf_value *context,
	struct hf_value **ret, struct hf_error *err);
/* Fill method, path, query, headers and body of call from an operation. */
HF_CHECK int hf_wire_request(struct hf_arena *a, const struct hf_service *service,
	const struct hf_value *operation, const struct hf_value *context, struct hf_aws_call *call,
	struct hf_error *err);
HF_CHECK int hf_wire_answer(struct hf_arena *a, const struct hf_service *service,
	const struct hf_http_response *r, struct hf_value **ret, struct hf_error *err);
/* Value at path below v; NULL when a step is missing. "a[].b" gives a list. */
struct hf_value *hf_wire_at(struct hf_arena *a, struct hf_value *v, const char *path);
/* The text at path, which may end in "|last". */
const char *hf_wire_id(struct hf_arena *a, struct hf_value *v, const char *path);
/* The same as a list: nothing gives an empty one, a single value one of one. */
struct hf_value *hf_wire_items(struct hf_arena *a, struct hf_value *v, const char *path);
/* Scalar as AWS writes it: true, 5, text. */
const char *hf_wire_text(struct hf_arena *a, const struct hf_value *v);
