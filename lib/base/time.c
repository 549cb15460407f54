#include "lib/base/time.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

uint64_t hf_time_monotonic_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int64_t hf_time_now(void)
{
	return (int64_t)time(NULL);
}

int64_t hf_time_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *hf_time_print(int64_t seconds, char *out)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	gmtime_r(&t, &tm);
	/* strftime() gives years before 1000 fewer than the four digits that hf_time_parse() wants. */
	unsigned year = (unsigned)(tm.tm_year + 1900) % 10000;
	char rest[HF_TIME_TEXT];
	strftime(rest, sizeof(rest), "-%m-%dT%H:%M:%SZ", &tm);
	snprintf(out, HF_TIME_TEXT, "%04u%.*s", year, HF_TIME_TEXT - 5, rest);
	return out;
}

static bool digits(struct hf_str s, size_t at, size_t n, int *ret)
{
	uint64_t v;
	if (s.n < at + n || !hf_str_to_uint64((struct hf_str){ s.p + at, n }, &v))
		return false;
	*ret = (int)v;
	return true;
}

static bool zone(struct hf_str s, int64_t *ret)
{
	int hours, minutes;
	if (s.n == 1 && (s.p[0] == 'Z' || s.p[0] == 'z')) {
		*ret = 0;
		return true;
	}
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' || !digits(s, 1, 2, &hours) ||
		!digits(s, 4, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ret = (s.p[0] == '-' ? -60 : 60) * (int64_t)(hours * 60 + minutes);
	return true;
}

/* "2026-11-21T05:30:00" and nothing else; fields checked for range. */
static bool date_and_time(struct hf_str s, struct tm *tm)
{
	static const struct {
		size_t at, n;
		int low, high;
		size_t offset;
		char before;
	} fields[] = {
		{ 0, 4, 1, 9999, offsetof(struct tm, tm_year), '\0' },
		{ 5, 2, 1, 12, offsetof(struct tm, tm_mon), '-' },
		{ 8, 2, 1, 31, offsetof(struct tm, tm_mday), '-' },
		{ 11, 2, 0, 23, offsetof(struct tm, tm_hour), 'T' },
		{ 14, 2, 0, 59, offsetof(struct tm, tm_min), ':' },
		{ 17, 2, 0, 60, offsetof(struct tm, tm_sec), ':' },
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		int *field = (int *)((char *)tm + fields[i].offset);
		if (!digits(s, fields[i].at, fields[i].n, field) || *field < fields[i].low ||
			*field > fields[i].high)
			return false;
		if (i > 0 && s.p[fields[i].at - 1] != fields[i].before)
			return false;
	}
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return true;
}

bool hf_time_parse(struct hf_str s, int64_t *ret_seconds)
{
	struct tm tm = { 0 };
	if (!date_and_time(s, &tm))
		return false;
	size_t at = 19;
	if (at < s.n && s.p[at] == '.')
		for (at++; at < s.n && s.p[at] >= '0' && s.p[at] <= '9';)
			at++;
	int64_t offset;
	if (!zone((struct hf_str){ s.p + at, s.n - at }, &offset))
		return false;
	int day = tm.tm_mday;
	time_t t = timegm(&tm);
	if (tm.tm_mday != day) /* 30 February */
		return false;
	*ret_seconds = (int64_t)t - offset;
	return true;
}
