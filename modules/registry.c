#include "modules/registry.h"

#include "modules/lookups.h"

#define HF_MODULE(name) extern const struct hf_module hf_module_##name;
#include "modules/registry.def"
#undef HF_MODULE

static const struct hf_module *const rows[] = {
#define HF_MODULE(name) &hf_module_##name,
#include "modules/registry.def"
#undef HF_MODULE
	NULL,
};

const struct hf_module_registry hf_modules = { .modules = rows, .lookup = hf_lookups };
