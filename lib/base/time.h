/* lib/base/time.h - clocks and RFC 3339 text. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/str.h"

uint64_t hf_time_monotonic_ms(void);
int64_t hf_time_now(void);    /* seconds since the epoch */
int64_t hf_time_now_ms(void); /* milliseconds since the epoch */
enum { HF_TIME_TEXT = 32 };
/* "2026-11-21T05:30:00Z"; returns out, which holds HF_TIME_TEXT bytes. */
const char *hf_time_print(int64_t seconds, char *out);
/* RFC 3339 with Z or an offset, seconds required, fractions dropped. */
bool hf_time_parse(struct hf_str text, int64_t *ret_seconds);
