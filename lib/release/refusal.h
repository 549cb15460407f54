/* lib/release/refusal.h - the rules a signed document can break, one stable word each. The words are user
 * interface: they stand in `holdfast status`, in MQTT alarms and in exit messages, and never change their
 * meaning. A function that refuses returns -HF_E_TRUST, sets *ret_refusal and writes "word: what was seen"
 * into err. */
#pragma once
#include "lib/base/error.h"

enum hf_refusal {
	HF_REFUSED_NOTHING, /* accepted, or an error that is no refusal */
	HF_REFUSED_TOO_LARGE,
	HF_REFUSED_BAD_ENVELOPE,
	HF_REFUSED_WRONG_KIND,
	HF_REFUSED_UNSIGNED,
	HF_REFUSED_DUPLICATE_SIGNATURE,
	HF_REFUSED_UNKNOWN_KEY,
	HF_REFUSED_BAD_SIGNATURE,
	HF_REFUSED_BELOW_THRESHOLD,
	HF_REFUSED_BAD_DOCUMENT,
	HF_REFUSED_PINNED_ROOT,
	HF_REFUSED_ROOT_GAP,
	HF_REFUSED_ROOT_ROLLBACK,
	HF_REFUSED_FLOOR_LOWERED,
	HF_REFUSED_EXPIRED_ROOT,
	HF_REFUSED_UNKNOWN_ENVIRONMENT,
	HF_REFUSED_WRONG_ENVIRONMENT,
	HF_REFUSED_WRONG_FLEET,
	HF_REFUSED_WRONG_EPOCH,
	HF_REFUSED_REPLAYED_POINTER,
	HF_REFUSED_EQUIVOCATION,
	HF_REFUSED_EXPIRED_POINTER,
	HF_REFUSED_BELOW_MINIMUM,
	HF_REFUSED_REVOKED,
	HF_REFUSED_HASH_MISMATCH,
	HF_REFUSED_SIZE_MISMATCH,
	HF_REFUSED_MISSING_OBJECT,
	HF_REFUSED_UNSAFE_PATH,
	HF_REFUSED_UNSAFE_MODE,
	HF_REFUSED_AGENT_TOO_OLD,
	HF_REFUSED_AGENT_DOWNGRADE,
	HF_REFUSED_QUARANTINED,
	HF_REFUSED_BROKEN_LOG,
	HF_REFUSED_NO_EVIDENCE,
	HF_REFUSED_COUNT,
};

/* "replayed-pointer"; "none" for HF_REFUSED_NOTHING. */
const char *hf_refusal_word(enum hf_refusal refusal);
/* What it means and what to do, one sentence for people. */
const char *hf_refusal_sentence(enum hf_refusal refusal);
/* The refusal of that word; HF_REFUSED_NOTHING when there is none. */
enum hf_refusal hf_refusal_find(const char *word);

/* Sets *ret (may be NULL) and err to "word: details"; returns -HF_E_TRUST. */
int hf_refuse(enum hf_refusal *ret, struct hf_error *err, enum hf_refusal refusal, const char *format, ...)
	HF_PRINTF(4, 5);
