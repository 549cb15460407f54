/* lib/engine/config.h - the parts of ansible.cfg and ANSIBLE_* that make sense on one host.
 * Owns:  texts live in the arena. Fails: HF_E_UNSUPPORTED, with file and line, for a setting that would
 * change what playbooks do and is not done. */
#pragma once
#include "lib/engine/run.h"

struct hf_config {
	const char *const *roles_path, *const *collections_path,
					       *const *inventories; /* NULL-terminated or NULL */
	const char *gathering; /* implicit, explicit, smart; NULL: implicit */
	/* As given; NULL: not. */
	const char *become, *become_user, *become_method, *force_handlers, *any_errors_fatal, *inject_facts,
		*strategy, *run_tags, *skip_tags, *diff, *verbosity, *show_skipped, *show_ok, *extensions,
		*task_timeout, *vault_password_file, *vault_identities, *duplicate_keys;
	struct hf_value *warnings; /* settings that have no effect and might be missed; a list of texts */
};
/* Looked for as Ansible does: ANSIBLE_CONFIG, ./ansible.cfg, ~/.ansible.cfg, /etc/ansible/ansible.cfg. */
HF_CHECK int hf_config_read(struct hf_arena *a, const struct hf_run_options *options, const char *base,
	struct hf_config *ret, struct hf_error *err);
/* The ansible.cfg that is followed; NULL: none. */
const char *hf_config_path(struct hf_arena *a);
/* One setting of that file by the places it may stand at, "section.key section.key": a later one wins. *ret
 * NULL: it is not there. */
HF_CHECK int hf_config_setting(struct hf_arena *a, const char *places, const char **ret,
	const char **ret_path, struct hf_error *err);
/* Ansible's boolean words; fallback when it is not given. */
bool hf_config_bool(const char *text, bool fallback);
