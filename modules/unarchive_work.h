/* modules/unarchive_work.h - one archive against one directory: what differs, and putting it there. */
#pragma once
#include "lib/base/map.h"
#include "modules/file_attr.h"

struct hf_unarchive_params {
	const char *src, *dest, *creates;
	struct hf_value *exclude, *include, *extra_opts;
	enum hf_tristate remote_src, copy, decrypt, list_files, keep_newer, validate_certs;
	int64_t io_buffer_size;
	struct hf_file_attr attr;
};

/* What extra_opts asks for, as far as it is ours to do. */
struct hf_unarchive_options {
	unsigned strip;           /* leading path components dropped */
	int same_owner;           /* -1: as tar does, for root only */
	int same_permissions;     /* -1: as tar does, for root only */
	bool junk_paths;          /* unzip -j */
	bool wildcards;           /* names of `include` are patterns */
	struct hf_value *exclude; /* more of them */
};

struct hf_unarchive {
	struct hf_module_context *c;
	const struct hf_unarchive_params *p;
	struct hf_change *change;
	struct hf_error *err;
	struct hf_unarchive_options options;
	const char *archive; /* the file to read */
	const char *dest;    /* without links */
	bool zip, changed;
	bool dest_itself;       /* a folder whose name strip leaves nothing of stands for dest */
	bool *found;            /* of include, by its index */
	const char *handler;    /* Ansible's name for the kind */
	struct hf_value *files; /* names of members that are wanted */
	struct hf_map differs;  /* paths that will be written */
};

HF_CHECK int hf_unarchive_options(struct hf_arena *a, const struct hf_value *extra, bool zip,
	struct hf_unarchive_options *ret, struct hf_error *err);
/* Read the whole archive, comparing. Fills handler, files, differs, changed. */
HF_CHECK int hf_unarchive_compare(struct hf_unarchive *u);
HF_CHECK int hf_unarchive_extract(struct hf_unarchive *u);
/* The command line of tar or unzip that does the same, for the result. */
struct hf_value *hf_unarchive_command(const struct hf_unarchive *u);
