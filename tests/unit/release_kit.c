#include "tests/unit/release_kit.h"

#include <stdio.h>
#include <stdlib.h>

static void must(int result, const struct hf_error *err)
{
	if (result == 0)
		return;
	fprintf(stderr, "kit: %s\n", err->text);
	abort();
}

struct hf_role kit_role(struct kit *k, unsigned who, size_t threshold)
{
	struct hf_role role = { .threshold = threshold };
	for (unsigned i = 0; i < KIT_KEYS; i++)
		if ((who & 1u << i) != 0)
			role.keys[role.n++] = hf_private_key_public(k->keys[i]);
	return role;
}

void kit_init(struct kit *k)
{
	struct hf_error err;
	*k = (struct kit){ .arena = hf_arena_new() };
	struct hf_key *keys = hf_new_array(k->arena, KIT_KEYS, struct hf_key);
	for (unsigned i = 0; i < KIT_KEYS; i++) {
		/* One P-256 key among them: both kinds count alike. */
		enum hf_key_algorithm algorithm = 1u << i == KIT_PROD_B ? HF_KEY_ECDSA_P256 : HF_KEY_ED25519;
		must(hf_private_key_generate(algorithm, &k->keys[i], &err), &err);
		keys[i] = *hf_private_key_public(k->keys[i]);
	}
	struct hf_deploy_role *deploy = hf_new_array(k->arena, 2, struct hf_deploy_role);
	deploy[0] = (struct hf_deploy_role){ "dev", kit_role(k, KIT_DEV, 1) };
	deploy[1] = (struct hf_deploy_role){ "prod", kit_role(k, KIT_PROD_A | KIT_PROD_B, 2) };
	k->root = (struct hf_root){ .version = 1,
		.key_epoch = 1,
		.issued = KIT_NOW - KIT_DAY,
		.expires = KIT_NOW + 300 * KIT_DAY,
		.keys = keys,
		.n_keys = KIT_KEYS,
		.root = kit_role(k, KIT_ROOT_A | KIT_ROOT_B, 2),
		.release = kit_role(k, KIT_RELEASE, 1),
		.deploy = deploy,
		.n_deploy = 2 };
	k->config =
		(struct hf_accept_config){ .environment = "dev", .fleet = "web", .agent_version = "1.2.0" };
	must(hf_accept_first_root(k->arena, &k->config, kit_root(k, &k->root, KIT_ROOT_A | KIT_ROOT_B),
		     &k->trust, NULL, &err),
		&err);
}

void kit_done(struct kit *k)
{
	for (unsigned i = 0; i < KIT_KEYS; i++)
		hf_private_key_free(k->keys[i]);
	hf_arena_free(k->arena);
}

struct hf_str kit_sign(struct kit *k, enum hf_document kind, struct hf_str payload, unsigned who)
{
	struct hf_error err;
	struct hf_envelope *e = hf_new(k->arena, struct hf_envelope);
	*e = (struct hf_envelope){ .kind = kind, .payload = payload };
	for (unsigned i = 0; i < KIT_KEYS; i++)
		if ((who & 1u << i) != 0)
			must(hf_envelope_sign(e, k->keys[i], &err), &err);
	hf_auto_buf out = hf_buf_init(HF_RELEASE_MAX);
	hf_envelope_write(&out, e);
	return hf_buf_dup(k->arena, &out);
}

struct hf_str kit_root(struct kit *k, const struct hf_root *root, unsigned who)
{
	struct hf_error err;
	hf_auto_buf out = hf_buf_init(HF_ROOT_MAX);
	must(hf_root_write(&out, root, &err), &err);
	return kit_sign(k, HF_DOC_ROOT, hf_buf_dup(k->arena, &out), who);
}

struct hf_pointer kit_pointer(struct kit *k)
{
	return (struct hf_pointer){ .environment = "dev",
		.fleet = "web",
		.key_epoch = 1,
		.seq = 5,
		.issued = KIT_NOW - 60,
		.expires = KIT_NOW + 7 * KIT_DAY,
		.release = hf_sha256(HF_STR("a release")),
		.kind = HF_POINTER_FORWARD,
		.reason = "" };
}

struct hf_str kit_pointer_signed(struct kit *k, const struct hf_pointer *p, unsigned who)
{
	struct hf_error err;
	hf_auto_buf out = hf_buf_init(HF_POINTER_MAX);
	must(hf_pointer_write(&out, p, &err), &err);
	return kit_sign(k, HF_DOC_POINTER, hf_buf_dup(k->arena, &out), who);
}

struct hf_manifest kit_manifest(struct kit *k)
{
	struct hf_file *files = hf_new_array(k->arena, 2, struct hf_file);
	files[0] = (struct hf_file){ "roles/base/files/motd", 5, hf_sha256(HF_STR("hello")), 0644 };
	files[1] = (struct hf_file){ "site.yml", 7, hf_sha256(HF_STR("- hosts")), 0755 };
	return (struct hf_manifest){ .name = "one",
		.created = KIT_NOW,
		.entry = "site.yml",
		.files = files,
		.n_files = 2,
		.min_agent = "1.0" };
}

struct hf_str kit_manifest_signed(
	struct kit *k, const struct hf_manifest *m, unsigned who, struct hf_digest *ret_release)
{
	struct hf_error err;
	hf_auto_buf out = hf_buf_init(HF_RELEASE_MAX / 2);
	must(hf_manifest_write(&out, m, &err), &err);
	struct hf_str payload = hf_buf_dup(k->arena, &out);
	*ret_release = hf_sha256(payload);
	return kit_sign(k, HF_DOC_RELEASE, payload, who);
}
