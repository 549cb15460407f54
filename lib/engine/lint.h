/* lib/engine/lint.h - read playbooks, roles and collections without running them, and name all that Ansible
 * could have and holdfast has not. Owns:  everything lives in the arena given. Fails: HF_E_NOT_FOUND for a
 * path that is not there; what is wrong inside files is a finding. */
#pragma once
#include "lib/base/vec.h"
#include "lib/engine/module.h"

enum hf_lint_verdict {
	HF_LINT_PORTABLE, /* nothing is missing */
	HF_LINT_REACHED,  /* something is, where a condition may keep it from running */
	HF_LINT_REFUSED,  /* something is that is sure to run, or a file cannot be read */
};

struct hf_lint_finding {
	const char *kind; /* module option keyword filter test lookup plugin role file syntax vault */
	const char *name, *text;
	struct hf_pos pos;
	bool sure; /* stands where nothing in its file keeps it from running */
	bool note; /* for people; no reason against a verdict */
};

struct hf_lint_seen {
	const struct hf_lint_finding *finding;
	bool sure; /* the way to the file is sure too */
};

/* A playbook with all it can reach, a role with all its files, or files that belong to neither. */
struct hf_lint_unit {
	const char *kind, *path, *name;
	HF_VEC(struct hf_lint_seen) findings;
	enum hf_lint_verdict verdict;
	size_t files;
};

struct hf_lint_options {
	const struct hf_module_registry *registry;
	const char *const *paths; /* playbooks, roles, folders; NULL-terminated */
	const char *roles_path, *collections_path;
	const char *const *inventories; /* group_vars and host_vars beside these are in reach; may be NULL */
	bool all;                       /* also molecule, tests, docs and examples */
};

struct hf_lint {
	HF_VEC(struct hf_lint_unit *) units;
	HF_VEC(const struct hf_lint_finding *) findings; /* each once */
	enum hf_lint_verdict verdict;
	size_t files, tasks, expressions;
};

HF_CHECK int hf_lint_run(
	struct hf_arena *a, const struct hf_lint_options *options, struct hf_lint *ret, struct hf_error *err);
const char *hf_lint_verdict_word(enum hf_lint_verdict v);
