/* lib/engine/refuse.h - refuse at load what holdfast has not where it is sure to be asked for.
 * Owns:  nothing. Fails: HF_E_UNSUPPORTED with the place in the playbook. */
#pragma once
#include "lib/engine/state.h"

HF_CHECK int hf_refuse_sure(struct hf_run *run, struct hf_error *err);
/* The task is reached and will run: what its conditions after the module ask for must be there before. */
HF_CHECK int hf_refuse_late(struct hf_run *run, const struct hf_node *n, struct hf_error *err);
/* err says that a filter, test or lookup is not there: true, and why in *ret, when Ansible could have it. */
bool hf_refuse_named(
	const struct hf_run *run, const struct hf_node *n, const struct hf_error *err, struct hf_error *ret);
/* The task's module is not there: the sentence that says why. */
int hf_refuse_module(
	const struct hf_run *run, const struct hf_node *n, const char *name, struct hf_error *err);
