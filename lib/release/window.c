#include "lib/release/window.h"

#include <stdlib.h>
#include <time.h>

#include "lib/base/fs.h"

enum { DAYS = 7, ALL_DAYS = 0x7f, MINUTES_A_DAY = 1440 };

static const char *const day_names[DAYS] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static int day_find(struct hf_str s)
{
	for (int i = 0; i < DAYS; i++)
		if (hf_str_is(s, day_names[i]))
			return i;
	return -1;
}

/* "mon-fri,sun" to bits; 0 when it is none. A span may wrap: "sat-mon". */
static unsigned days_parse(struct hf_str s)
{
	unsigned days = 0;
	struct hf_str part;
	while (hf_str_split(&s, ',', &part)) {
		struct hf_str first;
		hf_str_split(&part, '-', &first);
		int from = day_find(first), to = part.n > 0 ? day_find(part) : from;
		if (from < 0 || to < 0)
			return 0;
		days |= 1u << to;
		for (int d = from; d != to; d = (d + 1) % DAYS)
			days |= 1u << d;
	}
	return days;
}

static bool clock_parse(struct hf_str s, int *ret)
{
	uint64_t hour, minute;
	if (s.n != 5 || s.p[2] != ':' || !hf_str_to_uint64(hf_strn(s.p, 2), &hour) ||
		!hf_str_to_uint64(hf_strn(s.p + 3, 2), &minute) || minute > 59 ||
		hour * 60 + minute > MINUTES_A_DAY)
		return false;
	*ret = (int)(hour * 60 + minute);
	return true;
}

static bool span_parse(struct hf_str s, struct hf_window *w)
{
	struct hf_str from;
	return hf_str_split(&s, '-', &from) && clock_parse(from, &w->from) && clock_parse(s, &w->to);
}

int hf_window_parse(struct hf_arena *a, const char *text, struct hf_window *ret, struct hf_error *err)
{
	struct hf_window w = { .days = ALL_DAYS };
	struct hf_str rest = hf_str_trim(hf_str(text)), word;
	bool spanned = false;
	while (hf_str_split(&rest, ' ', &word)) {
		unsigned days = days_parse(word);
		if (word.n == 0)
			continue;
		if (!spanned && days != 0) {
			w.days = days;
		} else if (!spanned && span_parse(word, &w)) {
			spanned = true;
		} else if (spanned && w.zone == NULL) {
			w.zone = hf_str_dup(a, word);
			const char *path = hf_sprintf(a, "/usr/share/zoneinfo/%s", w.zone);
			if (!hf_fs_exists(path) || hf_fs_is_dir(path))
				return hf_fail(err, HF_E_ARGUMENT,
					"window \"%s\": no time zone named %s here", text, w.zone);
		} else {
			return hf_fail(err, HF_E_ARGUMENT,
				"window \"%s\": write it as \"mon-fri 02:00-04:30 Europe/Berlin\"", text);
		}
	}
	if (!spanned)
		return hf_fail(err, HF_E_ARGUMENT, "window \"%s\" has no span such as 02:00-04:30", text);
	*ret = w;
	return 0;
}

/* The C library knows one zone a process: switch, ask, switch back. The supervisor has one thread. */
static struct tm zone_time(const char *zone, int64_t now)
{
	time_t t = (time_t)now;
	struct tm tm = { 0 };
	if (zone == NULL) {
		localtime_r(&t, &tm);
		return tm;
	}
	const char *present = getenv("TZ");
	struct hf_buf saved = hf_buf_init(256);
	if (present != NULL)
		hf_buf_puts(&saved, present);
	setenv("TZ", zone, 1);
	tzset();
	localtime_r(&t, &tm);
	if (present != NULL)
		setenv("TZ", hf_buf_str(&saved).p, 1);
	else
		unsetenv("TZ");
	tzset();
	hf_buf_done(&saved);
	return tm;
}

bool hf_window_open(const struct hf_window *w, int64_t now)
{
	struct tm tm = zone_time(w->zone, now);
	int minute = tm.tm_hour * 60 + tm.tm_min, today = (tm.tm_wday + 6) % DAYS,
	    yesterday = (today + 6) % DAYS;
	if (w->from < w->to)
		return (w->days >> today & 1) != 0 && minute >= w->from && minute < w->to;
	return ((w->days >> today & 1) != 0 && minute >= w->from) ||
	       ((w->days >> yesterday & 1) != 0 && minute < w->to);
}
