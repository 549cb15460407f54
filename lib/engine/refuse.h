/* lib/engine/refuse.h - refuse at load what holdfast has not where it is sure to be asked for.
 * Owns:  nothing. Fails: HF_E_UNSUPPORTED with the place in the playbook. */
#pragma once
#include "lib/engine/state.h"

HF_CHECK int hf_refuse_sure(struct hf_run *run, struct hf_error *err);
/* The task's module is not there: the sentence that says why. */
int hf_refuse_module(
	const struct hf_run *run, const struct hf_node *n, const char *name, struct hf_error *err);
