/* Whose turn it is: canaries, waves, soak and windows of a pointer's rollout; and what is refused. */
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/release/rollout.h"
#include "tests/unit/unit.h"

#define RELEASE "8b0969ebaa8bfc955ea98a6461dbf10c7885c1183d76cdeb66a25d58e222aa28"
#define FIRST   "h53"                  /* 1.462 % of the fleet come before it */
#define LAST    "h23"                  /* 98.076 % */
#define ISSUED  "2026-11-23T01:00:00Z" /* a Monday */

static const struct row {
	const char *title, *rollout;
	const char *host;
	const char *now;
	enum hf_turn_kind kind;
	const char *at;
} rows[] = {
	{ "no rollout", "{}", LAST, ISSUED, HF_TURN_NOW, NULL },
	{ "no rollout, and a clock that is behind", "{}", LAST, "2026-11-21T01:00:00Z", HF_TURN_NOW, NULL },
	{ "a canary whose clock is behind", "{\"canary\":{\"percent\":10}}", FIRST, "2026-11-21T01:00:00Z",
		HF_TURN_NOW, NULL },
	{ "a canary by percent", "{\"canary\":{\"percent\":10}}", FIRST, ISSUED, HF_TURN_NOW, NULL },
	{ "no canary by percent", "{\"canary\":{\"percent\":10}}", LAST, ISSUED, HF_TURN_POINTER, NULL },
	{ "a canary by name", "{\"canary\":{\"hosts\":[\"x\",\"h23\"]}}", LAST, ISSUED, HF_TURN_NOW, NULL },
	{ "not named", "{\"canary\":{\"hosts\":[\"x\"]}}", FIRST, ISSUED, HF_TURN_POINTER, NULL },
	{ "nobody", "{\"canary\":{}}", FIRST, ISSUED, HF_TURN_POINTER, NULL },
	{ "everybody", "{\"canary\":{\"percent\":100}}", LAST, ISSUED, HF_TURN_NOW, NULL },
	{ "soak, before", "{\"canary\":{\"percent\":10},\"soak\":\"1h\"}", LAST, "2026-11-23T01:59:59Z",
		HF_TURN_WAVE, "2026-11-23T02:00:00Z" },
	{ "soak, after", "{\"canary\":{\"percent\":10},\"soak\":\"1h\"}", LAST, "2026-11-23T02:00:00Z",
		HF_TURN_NOW, NULL },
	{ "the first wave",
		"{\"waves\":[{\"percent\":50,\"after\":\"30m\"},{\"percent\":100,\"after\":\"1d\"}]}", FIRST,
		"2026-11-23T01:29:00Z", HF_TURN_WAVE, "2026-11-23T01:30:00Z" },
	{ "the second wave",
		"{\"waves\":[{\"percent\":50,\"after\":\"30m\"},{\"percent\":100,\"after\":\"1d\"}]}", LAST,
		"2026-11-23T01:31:00Z", HF_TURN_WAVE, "2026-11-24T01:00:00Z" },
	{ "waves by soak", "{\"soak\":\"2h\",\"waves\":[{\"percent\":50},{\"percent\":100}]}", LAST, ISSUED,
		HF_TURN_WAVE, "2026-11-23T05:00:00Z" },
	{ "waves that end early", "{\"waves\":[{\"percent\":50,\"after\":\"1s\"}]}", LAST,
		"2026-12-23T01:00:00Z", HF_TURN_POINTER, NULL },
	{ "a canary besides waves",
		"{\"canary\":{\"percent\":5},\"waves\":[{\"percent\":100,\"after\":\"1h\"}]}", FIRST, ISSUED,
		HF_TURN_NOW, NULL },
	{ "inside a window", "{\"windows\":[\"mon 00:00-02:00 UTC\"]}", LAST, ISSUED, HF_TURN_NOW, NULL },
	{ "outside it", "{\"windows\":[\"tue 00:00-02:00 UTC\"]}", LAST, ISSUED, HF_TURN_WINDOW, NULL },
	{ "a window of another zone", "{\"windows\":[\"mon 02:00-03:00 Europe/Berlin\"]}", LAST, ISSUED,
		HF_TURN_NOW, NULL },
	{ "a canary outside the window",
		"{\"canary\":{\"percent\":10},\"windows\":[\"tue 00:00-02:00 UTC\"]}", FIRST, ISSUED,
		HF_TURN_WINDOW, NULL },
	{ "its wave and the window", "{\"soak\":\"1h\",\"canary\":{},\"windows\":[\"mon 00:00-02:30 UTC\"]}",
		LAST, "2026-11-23T02:10:00Z", HF_TURN_NOW, NULL },
	{ "its wave after the window",
		"{\"soak\":\"1h\",\"canary\":{},\"windows\":[\"mon 00:00-02:00 UTC\"]}", LAST,
		"2026-11-23T02:10:00Z", HF_TURN_WINDOW, NULL },
	{ "a canary within a bound", "{\"canary\":{\"percent\":10},\"budget\":0,\"concurrency\":5}", FIRST,
		ISSUED, HF_TURN_NOW, NULL },
	{ "a bound, and no canary, whatever the time",
		"{\"canary\":{\"percent\":10},\"budget\":2,\"concurrency\":5}", LAST, "2027-11-23T01:00:00Z",
		HF_TURN_POINTER, NULL },
};

static const struct refusal {
	const char *title, *rollout, *says;
} refusals[] = {
	{ "an unknown word", "{\"canery\":{}}", "canery" },
	{ "an unknown word below", "{\"canary\":{\"precent\":5}}", "precent" },
	{ "more than all", "{\"canary\":{\"percent\":101}}", "within 0 and 100" },
	{ "less than none", "{\"waves\":[{\"percent\":-1,\"after\":\"1h\"}]}", "within 0 and 100" },
	{ "a wave without a time", "{\"waves\":[{\"percent\":50}]}", "after how long" },
	{ "a wave that is no mapping", "{\"waves\":[5]}", "waves" },
	{ "waves out of order",
		"{\"waves\":[{\"percent\":50,\"after\":\"2h\"},{\"percent\":60,\"after\":\"1h\"}]}",
		"later" },
	{ "waves that shrink",
		"{\"waves\":[{\"percent\":50,\"after\":\"1h\"},{\"percent\":40,\"after\":\"2h\"}]}",
		"later" },
	{ "no time span", "{\"soak\":\"soon\"}", "no time span" },
	{ "no window", "{\"windows\":[\"noon\"]}", "noon" },
	{ "a negative budget", "{\"budget\":-1}", "count hosts" },
	{ "a budget that nobody would hold", "{\"budget\":2}", "budget asks for canary" },
	{ "a concurrency that nobody would hold", "{\"concurrency\":5}", "concurrency asks for canary" },
	{ "a budget, and others begin after a while", "{\"canary\":{},\"budget\":0,\"soak\":\"1h\"}",
		"budget cannot be held" },
	{ "a concurrency, and waves by the clock",
		"{\"canary\":{},\"concurrency\":5,\"waves\":[{\"percent\":100,\"after\":\"1h\"}]}",
		"concurrency cannot be held" },
};

static int64_t time_of(const char *text)
{
	int64_t t = 0;
	assert_true(hf_time_parse(hf_str(text), &t));
	return t;
}

static void turn_is(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = NULL;
	struct hf_rollout rollout;
	struct hf_error err = { 0 };
	assert_int_equal(hf_json_parse(a, hf_str(r->rollout), "rollout", &v, &err), 0);
	assert_int_equal(hf_rollout_parse(a, v, &rollout, &err), 0);
	struct hf_turn turn = hf_rollout_turn(&rollout, RELEASE, r->host, time_of(ISSUED), time_of(r->now));
	assert_int_equal(turn.kind, r->kind);
	assert_int_equal(turn.at, r->at == NULL ? 0 : time_of(r->at));
}

static void is_refused(void **state)
{
	const struct refusal *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = NULL;
	struct hf_rollout rollout;
	struct hf_error err = { 0 };
	assert_int_equal(hf_json_parse(a, hf_str(r->rollout), "rollout", &v, &err), 0);
	assert_int_equal(hf_rollout_parse(a, v, &rollout, &err), -HF_E_ARGUMENT);
	assert_non_null(strstr(err.text, r->says));
}

/* Of many hosts as many go as the percentage says, other ones with every release. */
static void places_are_even(void **state)
{
	enum { HOSTS = 20000 };
	hf_auto_arena a = hf_arena_new();
	int below = 0, both = 0;
	for (int i = 0; i < HOSTS; i++) {
		const char *host = hf_sprintf(a, "host-%d", i);
		double place = hf_rollout_place(RELEASE, host);
		assert_true(place >= 0 && place < 100);
		below += place < 10;
		both += place < 10 && hf_rollout_place("another", host) < 10;
	}
	assert_in_range(below, HOSTS * 9 / 100, HOSTS * 11 / 100);
	assert_in_range(both, HOSTS * 7 / 1000, HOSTS * 13 / 1000);
	assert_true(hf_rollout_place(RELEASE, FIRST) < 5);
	assert_true(hf_rollout_place(RELEASE, LAST) >= 95);
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD_ROWS(&tests, rows, turn_is);
	UNIT_ADD_ROWS(&tests, refusals, is_refused);
	UNIT_ADD(&tests, places_are_even);
	return unit_run(&tests);
}
