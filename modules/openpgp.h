/* modules/openpgp.h - public keys as apt and rpm are given them: no gpg is needed to look at one or to file
 * it. Owns:  results live in the arena. Fails: HF_E_PARSE when the bytes are no OpenPGP packets. Nothing is
 * verified here: a key is trusted because the playbook names it. */
#pragma once
#include "lib/data/value.h"

struct hf_openpgp_cert {
	const char *fingerprint;       /* of the primary key, upper-case hex */
	struct hf_value *fingerprints; /* list: primary and subkeys */
	struct hf_str bytes;           /* its packets */
};
struct hf_openpgp_certs { /* grown by hf_vec_push() */
	struct hf_openpgp_cert *at;
	size_t n, room;
};

/* Binary or ASCII-armoured; several armour blocks are read one after the other. */
HF_CHECK int hf_openpgp_read(
	struct hf_arena *a, struct hf_str data, struct hf_openpgp_certs *ret, struct hf_error *err);
bool hf_openpgp_armored(struct hf_str data);
/* "0xABCD…", blanks, any case; 8, 16 or 40 digits. Upper case without prefix; NULL when it is no key id. */
const char *hf_openpgp_id(struct hf_arena *a, const char *text);
/* One of the certificate's keys ends in id. */
bool hf_openpgp_has(const struct hf_openpgp_cert *cert, const char *id);
