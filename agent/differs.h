/* agent/differs.h - whether two diffs say the same of a resource. A diff shows whole files, parts of which
 * belong to others: only what the resource would change counts. */
#pragma once
#include "lib/data/value.h"

bool hf_differs_same(const struct hf_value *one, const struct hf_value *other); /* NULL: no diff */
