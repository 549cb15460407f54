/* modules/copy_work.h - putting files of the release on the host: shared by copy and template. */
#pragma once
#include "lib/base/map.h"
#include "modules/file_attr.h"

struct hf_copy_params {
	const char *src, *dest, *validate, *directory_mode, *checksum;
	struct hf_value *content;
	enum hf_tristate backup, force, remote_src, local_follow, follow, decrypt;
	struct hf_file_attr attr;
	/* template */
	const char *newline_sequence, *block_start, *block_end, *variable_start, *variable_end,
		*comment_start, *comment_end, *output_encoding;
	enum hf_tristate trim_blocks, lstrip_blocks;
};

/* Bytes to put somewhere: in memory, or a file that is streamed. */
struct hf_copy_source {
	const char *path;  /* where they come from; NULL for content */
	const char *shown; /* for the diff */
	struct hf_str data;
	bool in_memory;
	mode_t mode;   /* permission bits of path, for mode=preserve */
	char sha1[41]; /* empty until somebody wants to know */
};

/* One task, from check to apply. */
struct hf_copy_work {
	struct hf_module_context *c;
	const struct hf_copy_params *p;
	struct hf_change *change;
	struct hf_error *err;
	bool touch;
	bool changed;
	bool bare; /* the result says nothing about owner and mode */
	bool tree; /* several files: results name the tree, and one sync ends it */
	struct hf_copy_source source;
	struct hf_map touched; /* paths apply will write, in order */
	const char *backup;    /* name chosen by check, so that undo knows it */
};

struct hf_copy_work *hf_copy_work_new(struct hf_module_context *c, const struct hf_copy_params *p,
	struct hf_change *change, struct hf_error *err);
/* Completes a source that has path or data. */
HF_CHECK int hf_copy_work_source(struct hf_copy_work *w, struct hf_copy_source *s);
/* One file to dest, or below it when dest ends with '/' or is a directory. */
HF_CHECK int hf_copy_work_file(struct hf_copy_work *w, struct hf_copy_source *s, const char *relative,
	const char *dest, bool follow);
/* The attributes asked for, with `mode: preserve` replaced by the source's. */
struct hf_file_attr hf_copy_work_attr(struct hf_copy_work *w, const struct hf_copy_source *s);
void hf_copy_work_touches(struct hf_copy_work *w, const char *path);
/* For the module table: second half of check and apply, undo and watch. */
HF_CHECK int hf_copy_work_end(struct hf_copy_work *w, int outcome);
int hf_copy_work_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err);
void hf_copy_work_watch(struct hf_module_context *c, const void *params, struct hf_watches *w);

/* Directories: from the release (copy_tree.c), and on this host (copy_remote.c). */
HF_CHECK int hf_copy_tree(struct hf_copy_work *w, const char *source);
HF_CHECK int hf_copy_remote_tree(struct hf_copy_work *w, const char *source, const char *dest);
