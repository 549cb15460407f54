/* lib/engine/version_order.h - versions compared as Ansible's `version` test can: loose, strict, semantic,
 * PEP 440.
 */
#pragma once
#include "lib/base/error.h"
#include "lib/base/str.h"

enum hf_version_kind { HF_VERSION_LOOSE, HF_VERSION_STRICT, HF_VERSION_SEMANTIC, HF_VERSION_PEP440 };
/* *ret_order: below, equal or above 0. HF_E_TEMPLATE: not a version of that kind, or (loose) a number against
 * a word. */
HF_CHECK int hf_version_order(
	enum hf_version_kind kind, struct hf_str a, struct hf_str b, int *ret_order, struct hf_error *err);
