/* lib/release/tree.h - a folder or a git ref becomes a manifest: the same files give the same bytes, whoever
 * builds, wherever and whenever. Modes become 0644 or 0755, owners and times do not count, links to files
 * inside the tree are followed. Refused by name: links that leave the tree, devices, sockets, pipes, setuid
 * and setgid files, submodules, names that are not UTF-8. Owns:  all in the arena; a git ref is checked out
 * into a folder that hf_tree_done() removes. */
#pragma once
#include "lib/release/document.h"

/* Another folder to release in the place of one: it shows that one and more, by links into `within`. */
struct hf_tree_view {
	const char *folder;
	const char *const *within; /* NULL-terminated */
};
struct hf_tree_options {
	const char *folder;
	const char *
		git_ref; /* NULL: the folder as it is; else what this ref of the repository in folder holds */
	const char *name;       /* "" when none */
	const char *entry;      /* NULL: site.yml */
	const char *min_agent;  /* "" when any */
	int64_t created;        /* 0: not stated, the same for everybody */
	struct hf_value *gates; /* NULL: none */
	/* Called with the folder (or the checkout) before it is read; leaves *ret as it is to release just
	 * that. May be NULL. */
	int (*prepare)(void *data, struct hf_arena *a, const char *folder, struct hf_tree_view *ret,
		struct hf_error *err);
	void *prepare_data;
};
struct hf_tree {
	struct hf_manifest manifest;
	const char **sources;     /* sources[i]: where the bytes of manifest.files[i] are */
	struct hf_str payload;    /* the manifest as it will be signed */
	struct hf_digest release; /* its SHA-256: the release's name */
	const char *folder;       /* what was read: the folder, the checkout or the view */
	const char *checkout;     /* folder to remove; NULL when none */
};
HF_CHECK int hf_tree_build(
	struct hf_arena *a, const struct hf_tree_options *options, struct hf_tree *ret, struct hf_error *err);
HF_CHECK int hf_tree_done(struct hf_tree *tree, struct hf_error *err);
