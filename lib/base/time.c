#include "lib/base/time.h"

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
	strftime(out, HF_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
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

bool hf_time_parse(struct hf_str s, int64_t *ret_seconds)
{
	struct tm tm = { 0 };
	if (!digits(s, 0, 4, &tm.tm_year) || !digits(s, 5, 2, &tm.tm_mon) || !digits(s, 8, 2, &tm.tm_mday) ||
		!digits(s, 11, 2, &tm.tm_hour) || !digits(s, 14, 2, &tm.tm_min) || !digits(s, 17, 2, &tm.tm_sec))
		return false;
	if (s.p[4] != '-' || s.p[7] != '-' || (s.p[10] != 'T' && s.p[10] != 't') || s.p[13] != ':' || s.p[16] != ':')
		return false;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
		tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	size_t at = 19;
	if (at < s.n && s.p[at] == '.')
		for (at++; at < s.n && s.p[at] >= '0' && s.p[at] <= '9';)
			at++;
	int64_t offset;
	if (!zone((struct hf_str){ s.p + at, s.n - at }, &offset))
		return false;
	int day = tm.tm_mday;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time_t t = timegm(&tm);
	if (tm.tm_mday != day) /* 30 February */
		return false;
	*ret_seconds = (int64_t)t - offset;
	return true;
}
