/* modules/systemd_bus.h - what systemd knows of a unit, asked over its own socket: looking starts no program.
 * Owns:  results live in the task's arena.
 * Fails: HF_E_IO when the manager cannot be reached. */
#pragma once
#include "modules/host.h"

struct hf_unit {
	const char *name;       /* with its suffix */
	const char *load;       /* LoadState: loaded, not-found, masked, error … */
	const char *active;     /* ActiveState; "" where no manager runs (chroot) */
	const char *file_state; /* enabled, disabled, static, masked …; "" when there is no unit file */
	const char *load_error;
	bool found;
	struct hf_value *status; /* dict of texts, as `systemctl show` prints them */
};

bool hf_systemd_runs(void);      /* systemd is this system's init */
bool hf_systemd_installed(void); /* it will be, once booted (chroot, image) */
/* sshd → sshd.service; names with a suffix stay. */
const char *hf_unit_name(struct hf_arena *a, const char *name);
/* scope: "system", "user" or "global"; the last two are asked through systemctl. fresh: the state of the unit
 * file is read from the disk, else what the manager remembers of it will do. */
HF_CHECK int hf_unit_look(struct hf_module_context *c, const char *name, const char *scope, bool fresh,
	struct hf_unit *ret, struct hf_error *err);
/* A unit file, drop-in, init script or fstab changed since the manager last read them. */
bool hf_systemd_stale(struct hf_arena *a);
/* name → {name, state, status, source} of every unit file and loaded service, as service_facts returns them.
 */
HF_CHECK int hf_systemd_services(struct hf_module_context *c, struct hf_value *ret, struct hf_error *err);
