/* lib/release/verify.h - the one door from received bytes to bytes that may be parsed. */
#pragma once
#include "lib/release/envelope.h"

/* Gives the payload out only if every role given was satisfied: at least threshold of its keys, each counted
 * once, signed the PAE of this kind and payload. A signature by a key of a role that does not fit is refused
 * even where enough others do. Refuses as hf_envelope_scan(), and with unsigned, unknown-key, bad-signature,
 * below-threshold. */
HF_CHECK int hf_verify(struct hf_arena *a, struct hf_str bytes, enum hf_document kind,
	const struct hf_role *const *roles, size_t n_roles, struct hf_str *ret_payload,
	enum hf_refusal *ret_refusal, struct hf_error *err);
/* The same for an envelope taken apart already. */
HF_CHECK int hf_verify_envelope(const struct hf_envelope *e, const struct hf_role *const *roles,
	size_t n_roles, enum hf_refusal *ret_refusal, struct hf_error *err);
