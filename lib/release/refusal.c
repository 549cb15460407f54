#include "lib/release/refusal.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *word, *sentence;
} refusals[HF_REFUSED_COUNT] = {
	[HF_REFUSED_NOTHING] = { "none", "nothing was refused" },
	[HF_REFUSED_TOO_LARGE] = { "too-large", "the document is larger than its kind may be" },
	[HF_REFUSED_BAD_ENVELOPE] = { "bad-envelope",
		"it is not a signed envelope in the one form that is accepted" },
	[HF_REFUSED_WRONG_KIND] = { "wrong-kind", "it is a signed document of another kind" },
	[HF_REFUSED_UNSIGNED] = { "unsigned", "it carries no signature" },
	[HF_REFUSED_DUPLICATE_SIGNATURE] = { "duplicate-signature",
		"one key signed twice; each key counts once, so somebody tries to reach the threshold "
		"alone" },
	[HF_REFUSED_UNKNOWN_KEY] = { "unknown-key", "none of its signers holds the role that must sign it" },
	[HF_REFUSED_BAD_SIGNATURE] = { "bad-signature",
		"a signature does not fit the content: it was changed" },
	[HF_REFUSED_BELOW_THRESHOLD] = { "below-threshold", "too few holders of the role signed it" },
	[HF_REFUSED_BAD_DOCUMENT] = { "bad-document", "the signed content does not follow the format" },
	[HF_REFUSED_PINNED_ROOT] = { "pinned-root",
		"the first root is not the one this host was told to trust" },
	[HF_REFUSED_ROOT_GAP] = { "root-gap",
		"a root was skipped; roots are accepted one version after the other" },
	[HF_REFUSED_ROOT_ROLLBACK] = { "root-rollback",
		"the root, or its key epoch, is older than the one trusted" },
	[HF_REFUSED_FLOOR_LOWERED] = { "floor-lowered",
		"the new root forgets a revocation; the floor only rises" },
	[HF_REFUSED_EXPIRED_ROOT] = { "expired-root",
		"the newest root has expired: holders of root keys must renew it" },
	[HF_REFUSED_UNKNOWN_ENVIRONMENT] = { "unknown-environment",
		"the root names nobody who may deploy to this environment" },
	[HF_REFUSED_WRONG_ENVIRONMENT] = { "wrong-environment",
		"the pointer was signed for another environment" },
	[HF_REFUSED_WRONG_FLEET] = { "wrong-fleet", "the pointer was signed for another fleet" },
	[HF_REFUSED_WRONG_EPOCH] = { "wrong-epoch",
		"the pointer belongs to another key epoch than the root: it must be promoted anew" },
	[HF_REFUSED_REPLAYED_POINTER] = { "replayed-pointer",
		"the pointer is older than the one accepted already" },
	[HF_REFUSED_EQUIVOCATION] = { "equivocation",
		"two different pointers carry the same number: a deploy key is misused or lost" },
	[HF_REFUSED_EXPIRED_POINTER] = { "expired-pointer",
		"no pointer was signed in time (a freeze); what is installed stays enforced" },
	[HF_REFUSED_BELOW_MINIMUM] = { "below-minimum",
		"it is older than the minimum this host was started with" },
	[HF_REFUSED_REVOKED] = { "revoked",
		"the release was revoked; nothing may install it, rollbacks included" },
	[HF_REFUSED_HASH_MISMATCH] = { "hash-mismatch", "the bytes are not those the signed document names" },
	[HF_REFUSED_SIZE_MISMATCH] = { "size-mismatch",
		"the length is not the one the signed document declares" },
	[HF_REFUSED_MISSING_OBJECT] = { "missing-object",
		"the store withholds something a signed document names" },
	[HF_REFUSED_UNSAFE_PATH] = { "unsafe-path",
		"a file name would leave the release's folder or is ambiguous" },
	[HF_REFUSED_UNSAFE_MODE] = { "unsafe-mode", "a file has a mode other than 0644 and 0755" },
	[HF_REFUSED_AGENT_TOO_OLD] = { "agent-too-old",
		"this agent is older than the release or the root requires" },
	[HF_REFUSED_AGENT_DOWNGRADE] = { "agent-downgrade",
		"the agent offered is older than the floor allows" },
	[HF_REFUSED_QUARANTINED] = { "quarantined", "the release failed its gates on this host; a pointer "
						    "with a higher number ends the quarantine" },
	[HF_REFUSED_BROKEN_LOG] = { "broken-log",
		"an entry of the log is missing or does not follow from the one before" },
	[HF_REFUSED_NO_EVIDENCE] = { "no-evidence",
		"the release has not passed where the root says it must before, and too few signed an "
		"override" },
};

const char *hf_refusal_word(enum hf_refusal refusal)
{
	return (unsigned)refusal < HF_REFUSED_COUNT ? refusals[refusal].word : "none";
}

const char *hf_refusal_sentence(enum hf_refusal refusal)
{
	return (unsigned)refusal < HF_REFUSED_COUNT ? refusals[refusal].sentence : "";
}

enum hf_refusal hf_refusal_find(const char *word)
{
	for (unsigned i = 0; i < HF_REFUSED_COUNT; i++)
		if (strcmp(refusals[i].word, word) == 0)
			return (enum hf_refusal)i;
	return HF_REFUSED_NOTHING;
}

int hf_refuse(enum hf_refusal *ret, struct hf_error *err, enum hf_refusal refusal, const char *format, ...)
{
	char details[HF_ERROR_TEXT_MAX / 2];
	va_list args;
	va_start(args, format);
	vsnprintf(details, sizeof(details), format, args);
	va_end(args);
	if (ret != NULL)
		*ret = refusal;
	return hf_fail(err, HF_E_TRUST, "%s: %s", hf_refusal_word(refusal), details);
}
