/* lib/engine/config.h - the parts of ansible.cfg and ANSIBLE_* that make sense on one host. */
#pragma once
#include "lib/engine/run.h"

struct hf_config {
	const char *const *roles_path, *const *collections_path,
					       *const *inventories; /* NULL-terminated or NULL */
	const char *gathering; /* implicit, explicit, smart; NULL: implicit */
};
/* Looked for as Ansible does: ANSIBLE_CONFIG, ./ansible.cfg, ~/.ansible.cfg, /etc/ansible/ansible.cfg. */
HF_CHECK int hf_config_read(struct hf_arena *a, const struct hf_run_options *options, const char *base,
	struct hf_config *ret, struct hf_error *err);
