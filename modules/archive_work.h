/* modules/archive_work.h - writing an archive or a compressed file, and telling whether one that is there
 * would become another. Owns: everything lives in the task's arena. */
#pragma once
#include "lib/base/fs.h"
#include "lib/engine/module.h"

struct hf_archive_member {
	const char *path, *name; /* on this host, and within the archive */
	struct stat st;
};

struct hf_archive {
	struct hf_arena *arena;
	const char *dest, *format; /* gz, bz2, xz, tar, zip */
	bool single;               /* one file compressed as it is, without names */
	struct hf_archive_member *members;
	size_t n, room;
};

/* Does dest hold just these members, with their attributes and bytes? *ret false where it cannot be read. */
HF_CHECK int hf_archive_same(const struct hf_archive *w, bool *ret, struct hf_error *err);
/* Write dest anew: whole or not at all. */
HF_CHECK int hf_archive_write(const struct hf_archive *w, struct hf_error *err);
