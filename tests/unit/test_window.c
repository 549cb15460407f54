/* Maintenance windows: spans, days, zones with summer time, and what is refused. */
#include "lib/release/window.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *window, *when; /* when NULL: the window is refused */
	bool open;
} rows[] = {
	{ "inside", "02:00-04:30 UTC", "2026-11-21T03:00:00Z", true },
	{ "first minute", "02:00-04:30 UTC", "2026-11-21T02:00:00Z", true },
	{ "end is outside", "02:00-04:30 UTC", "2026-11-21T04:30:00Z", false },
	{ "another day", "mon-fri 02:00-04:30 UTC", "2026-11-21T03:00:00Z", false },
	{ "days that wrap", "fri-mon 02:00-04:30 UTC", "2026-11-22T03:00:00Z", true },
	{ "single days", "tue,sat 02:00-04:30 UTC", "2026-11-21T03:00:00Z", true },
	{ "past midnight, before", "sat 22:00-02:00 UTC", "2026-11-21T23:00:00Z", true },
	{ "past midnight, after", "sat 22:00-02:00 UTC", "2026-11-22T01:00:00Z", true },
	{ "past midnight, a day early", "sat 22:00-02:00 UTC", "2026-11-21T01:00:00Z", false },
	{ "zone in winter", "02:00-03:00 Europe/Berlin", "2026-01-15T01:30:00Z", true },
	{ "zone in summer", "02:00-03:00 Europe/Berlin", "2026-07-15T00:30:00Z", true },
	{ "zone in summer, an hour late", "02:00-03:00 Europe/Berlin", "2026-07-15T01:30:00Z", false },
	/* 2026-03-29: Berlin goes from 02:00 to 03:00 at 01:00Z. The span that has no 02:30 that day is not
	   open. */
	{ "before the spring gap", "01:00-02:00 Europe/Berlin", "2026-03-29T00:59:00Z", true },
	{ "a span in the spring gap", "02:00-03:00 Europe/Berlin", "2026-03-29T01:00:00Z", false },
	{ "a span over the spring gap", "01:30-03:30 Europe/Berlin", "2026-03-29T01:29:00Z", true },
	{ "its end after the spring gap", "01:30-03:30 Europe/Berlin", "2026-03-29T01:30:00Z", false },
	/* 2026-10-25: 02:00 to 03:00 comes twice; the window is open both times. */
	{ "the repeated hour, first", "02:00-02:30 Europe/Berlin", "2026-10-25T00:15:00Z", true },
	{ "between the repeated hours", "02:00-02:30 Europe/Berlin", "2026-10-25T00:45:00Z", false },
	{ "the repeated hour, again", "02:00-02:30 Europe/Berlin", "2026-10-25T01:15:00Z", true },
	{ "after the repeated hour", "02:00-02:30 Europe/Berlin", "2026-10-25T02:00:00Z", false },
	{ "a gap elsewhere", "02:00-03:00 America/New_York", "2026-03-08T07:00:00Z", false },
	{ "half an hour beside", "02:00-03:00 Asia/Kolkata", "2026-11-20T20:45:00Z", true },
	{ "southern summer", "02:00-03:00 Australia/Sydney", "2026-01-14T15:30:00Z", true },
	{ "southern winter", "02:00-03:00 Australia/Sydney", "2026-07-14T15:30:00Z", false },
	{ "the zone's day, not ours", "sat 23:00-23:59 Pacific/Honolulu", "2026-11-22T09:30:00Z", true },
	{ "past midnight over the spring gap", "sat 23:00-03:30 Europe/Berlin", "2026-03-29T01:29:00Z",
		true },
	{ "empty", "", NULL, false },
	{ "days alone", "mon-fri", NULL, false },
	{ "no such hour", "25:00-26:00", NULL, false },
	{ "no span", "02:00", NULL, false },
	{ "no such day", "xyz 02:00-03:00", NULL, false },
	{ "no such zone", "02:00-03:00 Middle/Earth", NULL, false },
	{ "a continent is no zone", "02:00-03:00 Europe", NULL, false },
	{ "a word too many", "02:00-03:00 UTC UTC", NULL, false },
};

static void window_is_open(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_window w;
	struct hf_error err = { 0 };
	int64_t now = 0;
	if (r->when == NULL) {
		assert_int_equal(hf_window_parse(a, r->window, &w, &err), -HF_E_ARGUMENT);
		return;
	}
	assert_true(hf_time_parse(hf_str(r->when), &now));
	assert_int_equal(hf_window_parse(a, r->window, &w, &err), 0);
	assert_int_equal(hf_window_open(&w, now), r->open);
}

int main(void)
{
	UNIT_ROWS(tests, rows, window_is_open);
	return UNIT_RUN(tests);
}
