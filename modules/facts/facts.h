/* modules/facts/facts.h - what the collectors of `setup` share.
 * Owns:  every fact lives in the task's arena.
 * Fails: never; a fact that cannot be read is left out, as Ansible does. Names are Ansible's without
 * `ansible_`. */
#pragma once
#include "lib/engine/module.h"

struct hf_facts {
	struct hf_module_context *c;
	struct hf_arena *a;
	struct hf_value *all; /* dict, names as Ansible returns them: ansible_… */
	const char *fact_path;
	uint32_t timeout_ms;
};

enum { HF_FACTS_FILE_MAX = 4 << 20, HF_FACTS_LINES_MAX = 100000, HF_FACTS_ENTRIES_MAX = 65536 };

/* The name gets its prefix and, as Ansible does, '_' for each '-'. */
void hf_facts_put(struct hf_facts *f, const char *name, struct hf_value *value);
void hf_facts_text(struct hf_facts *f, const char *name, const char *text);
void hf_facts_int(struct hf_facts *f, const char *name, int64_t number);
void hf_facts_bool(struct hf_facts *f, const char *name, bool b);
const char *hf_facts_get(const struct hf_facts *f, const char *name, const char *fallback);

/* Content without surrounding white space; NULL when the file cannot be read or is empty. */
const char *hf_facts_file(struct hf_facts *f, const char *format, ...) HF_PRINTF(2, 3);
/* The same, and the fallback as a value: null when it is NULL. */
struct hf_value *hf_facts_file_value(struct hf_facts *f, const char *fallback, const char *format, ...)
	HF_PRINTF(3, 4);
/* Names in a directory in its own order, without "." and ".."; empty when it cannot be read. */
struct hf_value *hf_facts_names(struct hf_facts *f, const char *path);
/* Last part of what a link points to; NULL when it is no link. */
const char *hf_facts_link(struct hf_facts *f, const char *path);
void hf_dict_text(struct hf_value *dict, const char *key, const char *text);
/* VALUE of KEY=VALUE in shell-like text (os-release), quotes removed; NULL when absent. */
const char *hf_facts_assignment(struct hf_facts *f, const char *text, const char *key);
/* A variable of the task's environment. */
const char *hf_facts_env(struct hf_facts *f, const char *name);

/* The collectors, one for each name Ansible knows. */
void hf_facts_platform(struct hf_facts *f);
void hf_facts_distribution(struct hf_facts *f);
void hf_facts_lsb(struct hf_facts *f);
void hf_facts_selinux(struct hf_facts *f);
void hf_facts_apparmor(struct hf_facts *f);
void hf_facts_chroot(struct hf_facts *f);
void hf_facts_fips(struct hf_facts *f);
void hf_facts_python(struct hf_facts *f);
void hf_facts_caps(struct hf_facts *f);
void hf_facts_pkg_mgr(struct hf_facts *f);
void hf_facts_service_mgr(struct hf_facts *f);
void hf_facts_cmdline(struct hf_facts *f);
void hf_facts_date_time(struct hf_facts *f);
void hf_facts_environment(struct hf_facts *f);
void hf_facts_loadavg(struct hf_facts *f);
void hf_facts_ssh_pub_keys(struct hf_facts *f);
void hf_facts_user(struct hf_facts *f);
void hf_facts_virtual(struct hf_facts *f);
void hf_facts_hardware(struct hf_facts *f);
void hf_facts_devices(struct hf_facts *f);
void hf_facts_mounts(struct hf_facts *f);
void hf_facts_dns(struct hf_facts *f);
void hf_facts_network(struct hf_facts *f);
void hf_facts_storage_names(struct hf_facts *f); /* fibre channel, iSCSI, NVMe names */
void hf_facts_local(struct hf_facts *f);
void hf_facts_gpu(struct hf_facts *f);
