#include "lib/base/late.h"

#include <dlfcn.h>
#include <string.h>

int hf_late_load(const char *soname, const struct hf_late_function *functions, size_t n, bool *loaded,
	struct hf_error *err)
{
	if (*loaded)
		return 0;
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return hf_fail(err, HF_E_INTERNAL, "load a library of the system: %s", dlerror());
	for (size_t i = 0; i < n; i++) {
		void *address = dlsym(library, functions[i].name);
		if (address == NULL)
			return hf_fail(err, HF_E_INTERNAL, "%s has no %s", soname, functions[i].name);
		memcpy(functions[i].pointer, &address, sizeof(address));
	}
	*loaded = true;
	return 0;
}
