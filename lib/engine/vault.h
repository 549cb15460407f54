/* lib/engine/vault.h - Ansible Vault 1.1 and 1.2 (AES256): PBKDF2-SHA256, AES-256-CTR, HMAC-SHA256.
 * Owns:  secrets live in the arena of hf_vault_new(); plain text lives in the arena given.
 * Fails: HF_E_DENIED when no secret opens an envelope, HF_E_PARSE for what is no envelope, HF_E_NOT_FOUND
 * when there are no secrets at all. Error texts never hold a secret. */
#pragma once
#include "lib/base/error.h"
#include "lib/base/str.h"

struct hf_vault;
struct hf_vault *hf_vault_new(struct hf_arena *a) HF_RETURNS_NONNULL;
/* label may be NULL ("default"). password: as given, without its line end. */
void hf_vault_add(struct hf_vault *v, const char *label, struct hf_str password);
/* "path" or "label@path", as --vault-id and --vault-password-file: a file is read, an executable one is run.
 */
HF_CHECK int hf_vault_add_file(struct hf_vault *v, const char *id, struct hf_error *err);
bool hf_vault_is_envelope(struct hf_str text); /* starts with $ANSIBLE_VAULT; */
/* v may be NULL (no secrets). Secrets whose label is the envelope's are tried first, then all others. */
HF_CHECK int hf_vault_decrypt(struct hf_arena *a, const struct hf_vault *v, struct hf_str envelope,
	struct hf_str *ret, struct hf_error *err);
/* salt: NULL for a random one of 32 bytes. label NULL or "default": format 1.1. */
HF_CHECK int hf_vault_encrypt(struct hf_arena *a, struct hf_str plain, struct hf_str password,
	const char *label, const unsigned char *salt, size_t salt_size, struct hf_str *ret,
	struct hf_error *err);
