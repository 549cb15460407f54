#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "lib/data/schema.h"

static const char *const *values_of(const struct cli_call *call, const char *option)
{
	const struct cli_option *rows = call->command->options;
	for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++)
		if (strcmp(rows[i].name, option) == 0)
			return call->values[i];
	return NULL;
}

bool cli_given(const struct cli_call *call, const char *option)
{
	return values_of(call, option) != NULL;
}

unsigned cli_count(const struct cli_call *call, const char *option)
{
	unsigned n = 0;
	const char *const *values = values_of(call, option);
	while (values != NULL && values[n] != NULL)
		n++;
	return n;
}

const char *cli_value(const struct cli_call *call, const char *option, const char *fallback)
{
	unsigned n = cli_count(call, option);
	return n == 0 ? fallback : values_of(call, option)[n - 1];
}

const char *const *cli_values(const struct cli_call *call, const char *option)
{
	return values_of(call, option);
}

int cli_number(const struct cli_call *call, const char *option, long long low, long long high,
	long long fallback, long long *ret, struct hf_error *err)
{
	const char *text = cli_value(call, option, NULL);
	int64_t n;
	if (text == NULL) {
		*ret = fallback;
		return 0;
	}
	if (!hf_str_to_int64(hf_str(text), &n) || n < low || n > high)
		return hf_fail(err, HF_E_ARGUMENT, "--%s: \"%s\" is not a whole number from %lld to %lld",
			option, text, low, high);
	*ret = n;
	return 0;
}

static enum cli_status status_of(enum hf_code code)
{
	switch (code) {
	case HF_E_PARSE:
		return CLI_PARSE;
	case HF_E_CONFLICT:
	case HF_E_EXISTS:
	case HF_E_BUSY:
		return CLI_CONFLICT;
	case HF_E_TRUST:
		return CLI_REFUSED;
	case HF_E_NOT_FOUND:
		return CLI_ABSENT;
	case HF_E_CANCELLED:
		return CLI_INTERRUPTED;
	case HF_E_TASK:
		return CLI_CHANGES;
	case HF_OK:
	case HF_E_IO:
	case HF_E_ARGUMENT:
	case HF_E_LIMIT:
	case HF_E_UNDEFINED:
	case HF_E_TEMPLATE:
	case HF_E_TIMEOUT:
	case HF_E_NET:
	case HF_E_DENIED:
	case HF_E_UNSUPPORTED:
	case HF_E_INTERNAL:
		break;
	}
	return CLI_ERROR;
}

int cli_fail(const struct cli_call *call, const struct hf_error *err)
{
	char text[HF_ERROR_TEXT_MAX + 512];
	fflush(stdout);
	fprintf(stderr, "holdfast %s: %s\n", call->command->name, hf_error_print(err, text, sizeof(text)));
	return (int)status_of(err->code);
}

int cli_usage(const struct cli_call *call, const char *format, ...)
{
	char text[HF_ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "holdfast %s: %s; see `holdfast %s --help`\n", call->command->name, text,
		call->command->name);
	return CLI_USAGE;
}

bool cli_colour(int fd)
{
	const char *force = getenv("ANSIBLE_FORCE_COLOR"), *none = getenv("ANSIBLE_NOCOLOR");
	if (force != NULL && hf_text_bool(hf_str(force)) == HF_YES)
		return true;
	return getenv("NO_COLOR") == NULL && (none == NULL || hf_text_bool(hf_str(none)) != HF_YES) &&
	       isatty(fd);
}
