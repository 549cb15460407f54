/* lib/release/kms.h - keys that never leave AWS KMS: "awskms:KEY", KEY being an id, an ARN or alias/NAME.
 * Key specs ECC_NIST_P256 (sign with ECDSA_SHA_256) and ECC_NIST_EDWARDS25519; the latter signs documents up
 * to 4,096 bytes only, which is KMS's bound. What KMS gives back is checked with the public key before it is
 * used. Credentials, region and endpoint (AWS_ENDPOINT_URL_KMS) come from the environment, as for stores. */
#pragma once
#include "lib/release/keyfile.h"

#define HF_KMS_SCHEME "awskms:"
HF_CHECK int hf_kms_key_open(const char *name, struct hf_private_key **ret, struct hf_error *err);
