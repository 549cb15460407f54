/* The phases of a new host's start, out of the moments that were noted. */
#include "agent/timeline_of.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *marks, *want; /* want "": nothing is known yet */
} rows[] = {
	{ "nothing noted", "null", "" },
	{ "not ready yet", "{\"boot_at\":1000,\"agent_at\":9000,\"apply_at\":9500}", "" },
	{ "from user data",
		"{\"boot_at\":1000,\"bootstrap_at\":13000,\"agent_at\":33000,\"fetch_ms\":400,\"verify_ms\":"
		"90,"
		"\"apply_at\":33600,\"gates_at\":83600,\"ready_at\":83900}",
		"{\"boot_ms\":12000,\"bootstrap_ms\":20000,\"fetch_ms\":400,\"verify_ms\":90,\"apply_ms\":"
		"50000,"
		"\"gates_ms\":300,\"total_ms\":82900}" },
	{ "a baked image",
		"{\"boot_at\":1000,\"agent_at\":6000,\"apply_at\":7000,\"gates_at\":8000,\"ready_at\":8100}",
		"{\"boot_ms\":5000,\"apply_ms\":1000,\"gates_ms\":100,\"total_ms\":7100}" },
	{ "installed on a host that had been up for a day",
		"{\"boot_at\":1000,\"agent_at\":86401000,\"apply_at\":86402000,\"gates_at\":86403000,"
		"\"ready_at\":86403500}",
		"{\"apply_ms\":1000,\"gates_ms\":500,\"total_ms\":2500}" },
	{ "user data on a host that had been up for a day",
		"{\"boot_at\":1000,\"bootstrap_at\":86400000,\"agent_at\":86401000,\"ready_at\":86403500}",
		"{\"bootstrap_ms\":1000,\"total_ms\":3500}" },
	{ "the clock was set back after the user data",
		"{\"boot_at\":1000,\"bootstrap_at\":9000,\"agent_at\":6000,\"ready_at\":8000}",
		"{\"boot_ms\":5000,\"total_ms\":7000}" },
	{ "the clock was set back after the start", "{\"boot_at\":1000,\"agent_at\":6000,\"ready_at\":5000}",
		"" },
};

static void timeline_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf b = hf_buf_init(4096);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_value *marks = NULL;
	assert_int_equal(hf_json_parse(a, hf_str(r->marks), "marks", &marks, NULL), 0);
	struct hf_value *v = hf_timeline_of(a, hf_is(marks, HF_DICT) ? marks : NULL);
	if (v != NULL)
		assert_int_equal(hf_json_write(&b, v, &style, NULL), 0);
	assert_string_equal(b.n == 0 ? "" : hf_buf_str(&b).p, r->want);
}

int main(void)
{
	UNIT_ROWS(tests, rows, timeline_row);
	return UNIT_RUN(tests);
}
