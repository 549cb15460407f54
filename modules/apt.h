/* modules/apt.h - apt-get driven for the modules that install packages: locks, policy, simulation, snapshots.
 * Owns:  results live in the task's arena. */
#pragma once
#include "modules/dpkg.h"
#include "modules/host.h"

struct hf_apt_options {
	const char *dpkg_options, *default_release;
	int install_recommends; /* enum hf_tristate */
	bool force, allow_unauthenticated, allow_downgrade, allow_change_held_packages;
	bool autoremove, fail_on_autoremove, only_upgrade, purge, fixed;
	int64_t lock_timeout;
	int64_t policy_rc_d; /* < 0: none */
};

/* Wait until nobody holds apt's or dpkg's locks; past the timeout fails with HF_E_BUSY naming the holder. */
HF_CHECK int hf_apt_wait(struct hf_module_context *c, int64_t seconds, struct hf_error *err);
/* apt-get OPERATION packages…; simulate: touch nothing. A failing apt-get is -HF_E_TASK; its output is in
 * *ret. */
HF_CHECK int hf_apt_get(struct hf_module_context *c, const struct hf_apt_options *o, const char *operation,
	const struct hf_words *packages, bool simulate, struct hf_proc_result *ret, struct hf_error *err);
HF_CHECK int hf_apt_update(struct hf_module_context *c, int64_t retries, int64_t delay_max,
	int64_t lock_timeout, struct hf_error *err);
int64_t hf_apt_cache_time(void); /* when the lists were last fetched; 0: never */

/* name → {"candidate": text or null, "versions": [newest first]}; names apt does not know are absent. */
HF_CHECK int hf_apt_policy(struct hf_module_context *c, const struct hf_words *names, const char *release,
	struct hf_value **ret, struct hf_error *err);
/* What apt-get says between its own chatter: Ansible's diff "prepared". */
struct hf_str hf_apt_prepared(struct hf_str out);
/* "N upgraded, …" says that nothing is to be done. */
bool hf_apt_nothing(struct hf_str out);

/* Undo: every package with its version as they are now; going back installs, removes and downgrades to just
 * that. */
HF_CHECK int hf_apt_undo(struct hf_module_context *c, struct hf_undo *undo, struct hf_error *err);
HF_CHECK int hf_apt_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err);
