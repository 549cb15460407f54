/* modules/registry.h - every module there is; programs hand it to the engine.
 * A module is one file modules/NAME.c that defines `const struct hf_module hf_module_NAME`, one row
 * HF_MODULE(NAME) in registry.def, kept sorted, and one line in local.mk. */
#pragma once
#include "lib/engine/module.h"

extern const struct hf_module_registry hf_modules;
