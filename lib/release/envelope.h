/* lib/release/envelope.h - the DSSE envelope, taken apart by a scanner of its own that knows one spelling:
 *   {"payloadType":"T","payload":"BASE64","signatures":[{"keyid":"HEX","sig":"BASE64"},…]}
 * and one newline at the end; no other white space, no escapes, this order. Root reads it before any
 * signature was checked, so it is short, allocates once and never looks into the payload. */
#pragma once
#include "lib/release/key.h"
#include "lib/release/refusal.h"

enum hf_document { HF_DOC_ROOT, HF_DOC_RELEASE, HF_DOC_POINTER, HF_DOC_LOG, HF_DOC_KINDS };
enum {
	HF_SIGNATURES_MAX = 32,
	HF_ROOT_MAX = 1 << 20, /* bytes of the whole envelope */
	HF_RELEASE_MAX = 16 << 20,
	HF_POINTER_MAX = 64 << 10,
	HF_LOG_MAX = 64 << 10,
};

struct hf_signature {
	struct hf_digest key_id;
	unsigned char bytes[HF_SIGNATURE_MAX];
	size_t n;
};
struct hf_envelope {
	enum hf_document kind;
	struct hf_str payload; /* decoded; in the arena, terminated */
	struct hf_signature signatures[HF_SIGNATURES_MAX];
	size_t n;
};

const char *hf_document_type(enum hf_document kind); /* the payloadType */
const char *hf_document_name(enum hf_document kind); /* "root", "release", "pointer", "log entry" */
size_t hf_document_max(enum hf_document kind);       /* bytes of the envelope */

/* Refuses with too-large, wrong-kind, bad-envelope, duplicate-signature. No signature at all is fine here.
 * *ret is of no use after a refusal. */
HF_CHECK int hf_envelope_scan(struct hf_arena *a, struct hf_str bytes, enum hf_document kind,
	struct hf_envelope *ret, enum hf_refusal *ret_refusal, struct hf_error *err);
/* Which kind it says it is; HF_DOC_KINDS when none. For tools that take any document. */
enum hf_document hf_envelope_kind(struct hf_str bytes);
/* What is signed: "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload. */
struct hf_str hf_envelope_pae(struct hf_arena *a, enum hf_document kind, struct hf_str payload);
/* The one spelling, with a newline at the end. */
void hf_envelope_write(struct hf_buf *out, const struct hf_envelope *e);
