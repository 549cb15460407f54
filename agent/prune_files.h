/* agent/prune_files.h - content-addressed files of the state folder that nothing names any more. Nobody may
 * be writing such files meanwhile: no poll, no run, no look. */
#pragma once
#include "lib/base/error.h"
#include "lib/base/map.h"

/* Pre-images that no undo record names; runs: numbers, as text, of the runs whose logs count. */
HF_CHECK int hf_prune_blobs(const char *state_dir, const struct hf_map *runs, struct hf_error *err);
/* Objects of no release that is unpacked here. A release without its list of objects keeps all of them. */
HF_CHECK int hf_prune_objects(const char *state_dir, struct hf_error *err);
/* Whether a run's log tells how to take something back. */
HF_CHECK int hf_prune_has_undo(const char *log, bool *ret, struct hf_error *err);
