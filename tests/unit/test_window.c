/* Maintenance windows: spans, days, zones with summer time, and what is refused. */
#include "agent/window.h"
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
	{ "empty", "", NULL, false },
	{ "days alone", "mon-fri", NULL, false },
	{ "no such hour", "25:00-26:00", NULL, false },
	{ "no span", "02:00", NULL, false },
	{ "no such day", "xyz 02:00-03:00", NULL, false },
	{ "no such zone", "02:00-03:00 Middle/Earth", NULL, false },
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
