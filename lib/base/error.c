#define HF_ERROR_DEFINED_HERE
#include "lib/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static HF_PRINTF(4, 0) int error_start(
	struct hf_error *err, enum hf_code code, int errnum, const char *format, va_list args)
{
	if (err == NULL)
		return -(int)code;
	err->code = code;
	err->errnum = errnum;
	err->pos = (struct hf_pos){ 0 };
	vsnprintf(err->text, sizeof(err->text), format, args);
	return -(int)code;
}

int hf_fail(struct hf_error *err, enum hf_code code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int result = error_start(err, code, 0, format, args);
	va_end(args);
	return result;
}

int hf_fail_at(struct hf_error *err, enum hf_code code, struct hf_pos pos, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int result = error_start(err, code, 0, format, args);
	va_end(args);
	if (err != NULL)
		err->pos = pos;
	return result;
}

int hf_fail_errno(struct hf_error *err, enum hf_code code, const char *format, ...)
{
	int errnum = errno;
	va_list args;
	va_start(args, format);
	int result = error_start(err, code, errnum, format, args);
	va_end(args);
	if (err != NULL) {
		size_t used = strlen(err->text);
		snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(errnum));
	}
	errno = errnum;
	return result;
}

int hf_wrap(struct hf_error *err, const char *format, ...)
{
	if (err == NULL)
		return -(int)HF_E_INTERNAL;
	char context[HF_ERROR_TEXT_MAX], inner[HF_ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	memcpy(inner, err->text, sizeof(inner));
	size_t used = strlen(context);
	if (used > sizeof(err->text) / 2) /* the cause matters more than its context */
		used = sizeof(err->text) / 2;
	memcpy(err->text, context, used);
	snprintf(err->text + used, sizeof(err->text) - used, ": %.*s", (int)(sizeof(err->text) - used - 3),
		inner);
	return -(int)err->code;
}

int hf_error_set_pos(struct hf_error *err, struct hf_pos pos)
{
	if (err == NULL)
		return -(int)HF_E_INTERNAL;
	if (err->pos.line == 0)
		err->pos = pos;
	return -(int)err->code;
}

const char *hf_code_name(enum hf_code code)
{
	static const char *const names[] = {
		[HF_OK] = "ok",
		[HF_E_IO] = "io",
		[HF_E_ARGUMENT] = "argument",
		[HF_E_PARSE] = "parse",
		[HF_E_LIMIT] = "limit",
		[HF_E_UNDEFINED] = "undefined",
		[HF_E_TEMPLATE] = "template",
		[HF_E_NOT_FOUND] = "not-found",
		[HF_E_EXISTS] = "exists",
		[HF_E_CONFLICT] = "conflict",
		[HF_E_TIMEOUT] = "timeout",
		[HF_E_NET] = "net",
		[HF_E_DENIED] = "denied",
		[HF_E_TRUST] = "trust",
		[HF_E_TASK] = "task",
		[HF_E_UNSUPPORTED] = "unsupported",
		[HF_E_BUSY] = "busy",
		[HF_E_CANCELLED] = "cancelled",
		[HF_E_INTERNAL] = "internal",
	};
	return (size_t)code < HF_COUNT(names) ? names[code] : "internal";
}

const char *hf_error_print(const struct hf_error *err, char *out, unsigned long size)
{
	if (err->pos.file != NULL && err->pos.line != 0 && err->pos.column != 0)
		snprintf(out, size, "%s:%u:%u: %s", err->pos.file, err->pos.line, err->pos.column, err->text);
	else if (err->pos.file != NULL && err->pos.line != 0)
		snprintf(out, size, "%s:%u: %s", err->pos.file, err->pos.line, err->text);
	else if (err->pos.file != NULL)
		snprintf(out, size, "%s: %s", err->pos.file, err->text);
	else if (err->pos.line != 0)
		snprintf(out, size, "%u:%u: %s", err->pos.line, err->pos.column, err->text);
	else
		snprintf(out, size, "%s", err->text);
	return out;
}
