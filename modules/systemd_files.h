/* modules/systemd_files.h - what the files on the disk alone say of a unit: whoever enables, disables or
 * masks one makes systemd read all units again, and meanwhile it answers nobody. Owns:  nothing. Fails:
 * never; what is not plain is in doubt, and systemd is to be asked. */
#pragma once
#include "lib/base/arena.h"

enum hf_unit_files {
	HF_UNIT_FILES_DOUBT, /* templates, aliases, generated and linked units, nothing to install, init
				scripts … */
	HF_UNIT_FILES_NONE,  /* nothing has that name */
	HF_UNIT_FILES_ENABLED,
	HF_UNIT_FILES_DISABLED,
	HF_UNIT_FILES_MASKED
};

/* unit: with its suffix. root: "" or the folder that stands for / in tests. */
enum hf_unit_files hf_unit_files_say(struct hf_arena *a, const char *root, const char *unit);
