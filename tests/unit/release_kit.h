/* tests/unit/release_kit.h - a small world of keys and signed documents for tests of lib/release. */
#pragma once
#include "lib/base/scope.h"
#include "lib/release/accept.h"
#include "lib/release/keyfile.h"

/* Who signs: bits, so that a row can name several. */
enum {
	KIT_ROOT_A = 1 << 0,
	KIT_ROOT_B = 1 << 1,
	KIT_RELEASE = 1 << 2,
	KIT_DEV = 1 << 3,
	KIT_PROD_A = 1 << 4,
	KIT_PROD_B = 1 << 5,
	KIT_STRANGER = 1 << 6,
	KIT_NEW_ROOT = 1 << 7,
	KIT_KEYS = 8,
};
#define KIT_NOW ((int64_t)1800000000)
#define KIT_DAY ((int64_t)86400)

struct kit {
	struct hf_arena *arena;
	struct hf_private_key *keys[KIT_KEYS];
	struct hf_root root; /* version 1: roots A and B with threshold 2, dev 1 of 1, prod 2 of 2 */
	struct hf_accept_config config; /* dev/web, agent 1.2.0 */
	struct hf_trust trust;
};
void kit_init(struct kit *k);
void kit_done(struct kit *k);
struct hf_role kit_role(struct kit *k, unsigned who, size_t threshold);
struct hf_str kit_sign(struct kit *k, enum hf_document kind, struct hf_str payload, unsigned who);
struct hf_str kit_root(struct kit *k, const struct hf_root *root, unsigned who);
struct hf_pointer kit_pointer(struct kit *k); /* dev/web, seq 5, fresh */
struct hf_str kit_pointer_signed(struct kit *k, const struct hf_pointer *p, unsigned who);
struct hf_manifest kit_manifest(struct kit *k); /* two files */
struct hf_str kit_manifest_signed(
	struct kit *k, const struct hf_manifest *m, unsigned who, struct hf_digest *ret_release);
