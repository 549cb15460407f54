/* lib/base/error.h - what went wrong, where in the user's file, and in which chain of context.
 * Owns:  nothing; struct hf_error lives on the caller's stack and needs no freeing.
 * Use:   every fallible function returns 0 or -HF_E_…; hf_fail() starts the chain at the place of the fault
 * and hf_wrap() puts context in front on the way up, so a person reads `site.yml:31:7: task "motd": render
 * motd.j2:4: 'owner' is undefined`. Only programs print or log errors; libraries return them. Every function
 * accepts err == NULL. */
#pragma once
#include <stdarg.h>

#include "lib/base/attr.h"

enum hf_code {
	HF_OK = 0,
	HF_E_IO,          /* the operating system said no; errnum holds errno */
	HF_E_ARGUMENT,    /* what a person or a playbook asked for makes no sense */
	HF_E_PARSE,       /* a document is not well formed */
	HF_E_LIMIT,       /* a named bound was passed */
	HF_E_UNDEFINED,   /* a template used something that is not defined */
	HF_E_TEMPLATE,    /* evaluation of a template failed otherwise */
	HF_E_NOT_FOUND,   /* file, object, name … does not exist */
	HF_E_EXISTS,      /* it exists already */
	HF_E_CONFLICT,    /* somebody else changed it first (HTTP 412, moved state) */
	HF_E_TIMEOUT,     /* a deadline passed */
	HF_E_NET,         /* transport failed: name, connect, TLS, broken transfer */
	HF_E_DENIED,      /* credentials, permissions (HTTP 401/403) */
	HF_E_TRUST,       /* a signature, hash, sequence or expiry rule refused it */
	HF_E_TASK,        /* a task failed; the playbook's business, not ours */
	HF_E_UNSUPPORTED, /* known, and refused by name */
	HF_E_BUSY,        /* a lock is held by somebody else */
	HF_E_CANCELLED,   /* asked to stop */
	HF_E_INTERNAL,    /* a promise inside holdfast does not hold: a bug */
};

/* A place in a file a person wrote. line and column count from 1; 0 = unknown. */
struct hf_pos {
	const char *file;
	unsigned line, column;
};

enum { HF_ERROR_TEXT_MAX = 2048 };

struct hf_error {
	enum hf_code code;
	int errnum;
	struct hf_pos pos; /* innermost position known; not repeated in text */
	char text[HF_ERROR_TEXT_MAX];
};

/* Start an error. Returns -code, so `return hf_fail(err, …)` is the idiom. */
int hf_fail(struct hf_error *err, enum hf_code code, const char *format, ...) HF_PRINTF(3, 4);
int hf_fail_at(struct hf_error *err, enum hf_code code, struct hf_pos pos, const char *format, ...)
	HF_PRINTF(4, 5);
/* As hf_fail(), adds ": " and strerror(errno), keeps errno in errnum. */
int hf_fail_errno(struct hf_error *err, enum hf_code code, const char *format, ...) HF_PRINTF(3, 4);
/* Put "context: " in front of the text. Returns -err->code (-HF_E_INTERNAL when err is NULL). */
int hf_wrap(struct hf_error *err, const char *format, ...) HF_PRINTF(2, 3);
/* Give the error a position if it has none yet. Returns -err->code. */
int hf_error_set_pos(struct hf_error *err, struct hf_pos pos);
/* "undefined", "limit", … : stable words for JSON output. */
const char *hf_code_name(enum hf_code code);
/* Write `file:line:col: text` (parts unknown are left out) into out; always terminated. Returns out. */
const char *hf_error_print(const struct hf_error *err, char *out, unsigned long size);

#if defined(HF_ANALYZER) && !defined(HF_ERROR_DEFINED_HERE)
/* gcc's analyzer sees one file at a time. Here it learns that a failure is below 0, and with it what a caller
 * that goes on may rely on. */
static inline int hf_below_zero(int result)
{
	if (result >= 0)
		__builtin_unreachable();
	return result;
}
#define hf_fail(...)          hf_below_zero(hf_fail(__VA_ARGS__))
#define hf_fail_at(...)       hf_below_zero(hf_fail_at(__VA_ARGS__))
#define hf_fail_errno(...)    hf_below_zero(hf_fail_errno(__VA_ARGS__))
#define hf_wrap(...)          hf_below_zero(hf_wrap(__VA_ARGS__))
#define hf_error_set_pos(...) hf_below_zero(hf_error_set_pos(__VA_ARGS__))
#endif
