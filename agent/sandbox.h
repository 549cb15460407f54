/* agent/sandbox.h - what each role gives up before it reads its first byte from outside; the table is in
 * sandbox.c. Fails: HF_E_DENIED when a right cannot be given up although the system knows how. A kernel
 * without landlock is named in *ret_missing, not passed over. */
#pragma once
#include "lib/base/error.h"

enum hf_sandbox_role { HF_SANDBOX_MQTT, HF_SANDBOX_STORE };

/* user: whom to become when root; it must exist then. ret_missing: "landlock" or NULL. */
HF_CHECK int hf_sandbox_enter(
	enum hf_sandbox_role role, const char *user, const char **ret_missing, struct hf_error *err);
