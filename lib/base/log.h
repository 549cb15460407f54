/* lib/base/log.h - what programs tell the operator: the journal where there is one, standard error otherwise.
 * Called by programs (cli, agent), never by libraries. Fields are the vocabulary of DESIGN: HF_RUN, HF_TASK,
 * HF_RELEASE, HF_RESOURCE … in capitals, as journalctl matches them. */
#pragma once
#include <stdarg.h>

#include "lib/base/attr.h"

enum hf_log_level {
	HF_LOG_ERROR = 3,
	HF_LOG_WARNING = 4,
	HF_LOG_NOTICE = 5,
	HF_LOG_INFO = 6,
	HF_LOG_DEBUG = 7
};

struct hf_log_field {
	const char *name; /* "HF_RUN"; a row with NULL ends the list */
	const char *value;
};

/* program: SYSLOG_IDENTIFIER. The journal is used when standard error is connected to it (JOURNAL_STREAM). */
void hf_log_init(const char *program, enum hf_log_level most);
void hf_log(enum hf_log_level level, const char *format, ...) HF_PRINTF(2, 3);
void hf_log_fields(enum hf_log_level level, const struct hf_log_field *fields, const char *format, ...)
	HF_PRINTF(3, 4);
