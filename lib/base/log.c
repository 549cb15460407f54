#include "lib/base/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 4096, LOG_FIELDS_MAX = 16 };

static struct {
	const char *program;
	enum hf_log_level most;
	bool journal;
} log_state = { "holdfast", HF_LOG_INFO, false };

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream it connected to our standard error. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char now[64];
	if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(now, sizeof(now), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return strcmp(now, stream) == 0;
}

void hf_log_init(const char *program, enum hf_log_level most)
{
	log_state.program = program;
	log_state.most = most;
	log_state.journal = stderr_is_journal();
}

static void log_to_stderr(enum hf_log_level level, const struct hf_log_field *fields, const char *text)
{
	static const char *const words[] = { "", "", "", "error: ", "warning: ", "", "", "debug: " };
	char line[LOG_LINE_MAX + 512];
	int n = snprintf(line, sizeof(line), "%s: %s%s", log_state.program, words[level], text);
	for (; fields != NULL && fields->name != NULL && n > 0 && (size_t)n < sizeof(line) - 2; fields++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " %s=%s", fields->name, fields->value);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, (size_t)n); /* one write: lines of several processes do not mix */
}

static void log_to_journal(enum hf_log_level level, const struct hf_log_field *fields, const char *text)
{
	char entries[LOG_FIELDS_MAX][LOG_LINE_MAX + 64];
	struct iovec iov[LOG_FIELDS_MAX];
	int n = 0;
	snprintf(entries[n++], sizeof(entries[0]), "MESSAGE=%s", text);
	snprintf(entries[n++], sizeof(entries[0]), "PRIORITY=%d", (int)level);
	snprintf(entries[n++], sizeof(entries[0]), "SYSLOG_IDENTIFIER=%s", log_state.program);
	for (; fields != NULL && fields->name != NULL && n < LOG_FIELDS_MAX; fields++)
		snprintf(entries[n++], sizeof(entries[0]), "%s=%s", fields->name, fields->value);
	for (int i = 0; i < n; i++)
		iov[i] = (struct iovec){ entries[i], strlen(entries[i]) };
	if (sd_journal_sendv(iov, n) < 0)
		log_to_stderr(level, fields, text);
}

static HF_PRINTF(3, 0) void log_send(
	enum hf_log_level level, const struct hf_log_field *fields, const char *format, va_list args)
{
	char text[LOG_LINE_MAX];
	if (level > log_state.most)
		return;
	vsnprintf(text, sizeof(text), format, args);
	(log_state.journal ? log_to_journal : log_to_stderr)(level, fields, text);
}

void hf_log(enum hf_log_level level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_send(level, NULL, format, args);
	va_end(args);
}

void hf_log_fields(enum hf_log_level level, const struct hf_log_field *fields, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	log_send(level, fields, format, args);
	va_end(args);
}
