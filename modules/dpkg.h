/* modules/dpkg.h - what is installed on a Debian system, read from dpkg's own file: no program is run.
 * Owns:  the table is kept for the life of the process and read anew when the file changed; what is returned
 * is valid until the next hf_dpkg_load(). Not thread-safe. Fails: HF_E_NOT_FOUND where there is no dpkg,
 * HF_E_IO and HF_E_LIMIT otherwise. */
#pragma once
#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

enum { HF_DPKG_STATUS_MAX = 256 << 20, HF_DPKG_PACKAGES_MAX = 1000000 };

struct hf_dpkg_package {
	const char *name, *arch, *version, *section, *provides;
	bool installed;                     /* unpacked and configured (or on its way to it) */
	bool config_files;                  /* removed, its configuration is still there */
	const char *want;                   /* "install", "hold", "deinstall", "purge" */
	const struct hf_dpkg_package *next; /* the same name, another architecture */
};

struct hf_dpkg {
	struct hf_dpkg_package *at;
	size_t n;
	const char *architecture; /* this system's own */
	void *index;
};

/* path NULL: /var/lib/dpkg/status */
HF_CHECK int hf_dpkg_load(const char *path, const struct hf_dpkg **ret, struct hf_error *err);
/* name may end in ":arch"; without, the system's own architecture or `all` is preferred. NULL when unknown to
 * dpkg. */
const struct hf_dpkg_package *hf_dpkg_find(const struct hf_dpkg *db, const char *name);
/* An installed package that provides name; NULL when there is none. */
const struct hf_dpkg_package *hf_dpkg_provider(const struct hf_dpkg *db, const char *name);
/* apt installed it for another package: what apt itself keeps of that, read anew when it changed. */
bool hf_dpkg_automatic(const char *name);
/* dpkg's order of versions: <0, 0, >0. */
int hf_dpkg_compare(const char *a, const char *b);
