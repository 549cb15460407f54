/* lib/base/late.h - shared libraries that most runs never need are loaded when something asks for them:
 * linking them costs every start milliseconds and every process of the agent its copies of their data. A file
 * defines each of the library's functions under its own name, so that callers are checked against the
 * library's header, and calls through a pointer which hf_late_load() fills. Owns:  the library, until the
 * process ends. Not thread-safe. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

struct hf_late_function {
	const char *name;
	void *pointer; /* the variable that takes the function's address: a function pointer */
};

/* Loads soname once and fills every pointer; HF_E_INTERNAL names what is not there. */
HF_CHECK int hf_late_load(const char *soname, const struct hf_late_function *functions, size_t n,
	bool *loaded, struct hf_error *err);
