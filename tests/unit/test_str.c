#include "lib/base/str.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title, *text;
	bool ok;
	int64_t want;
} rows[] = {
	{ "zero", "0", true, 0 },
	{ "negative", "-17", true, -17 },
	{ "smallest", "-9223372036854775808", true, INT64_MIN },
	{ "one too large", "9223372036854775808", false, 0 },
	{ "trailing letter", "12x", false, 0 },
	{ "empty", "", false, 0 },
	{ "sign alone", "-", false, 0 },
};

static void to_int64(void **state)
{
	const struct row *r = *state;
	int64_t got = 0;
	assert_int_equal(hf_str_to_int64(hf_str(r->text), &got), r->ok);
	assert_int_equal(got, r->want);
}

int main(void)
{
	UNIT_ROWS(tests, rows, to_int64);
	return UNIT_RUN(tests);
}
