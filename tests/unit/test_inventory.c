#include "lib/base/scope.h"
#include "lib/engine/inventory_read.h"
#include "tests/unit/unit.h"

static const char ini[] =
	"lone\n[web]\nw[1:3] v=1\n[db]\nd[a:b]\nw3\n[prod:children]\nweb\n[prod:vars]\nx=[1, 2]\n";

static const struct row {
	const char *title, *pattern, *want;
} rows[] = {
	{ "all", "all", "lone da db w3 w1 w2" },
	{ "a group", "web", "w1 w2 w3" },
	{ "children", "prod", "w1 w2 w3" },
	{ "union", "lone,db", "lone da db w3" },
	{ "intersection", "web:&db", "w3" },
	{ "exclusion", "web:!db", "w1 w2" },
	{ "only an exclusion", "!web", "lone da db" },
	{ "wildcard", "d*", "da db w3" },
	{ "regular expression", "~w[12]$", "w1 w2" },
	{ "first of a group", "web[0]", "w1" },
	{ "last of a group", "web[-1]", "w3" },
	{ "a range", "web[1:2]", "w2 w3" },
	{ "ungrouped", "ungrouped", "lone" },
	{ "localhost is made up", "localhost", "localhost" },
	{ "nothing", "nope", "" },
};

static void match_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_inventory *v = hf_inventory_new(a);
	struct hf_error err;
	struct hf_hosts hosts = { 0 };
	hf_auto_buf got = hf_buf_init(1000);
	assert_int_equal(hf_inventory_read_ini(v, "hosts", hf_str(ini), &err), 0);
	hf_inventory_settle(v);
	assert_int_equal(hf_inventory_match(v, r->pattern, &hosts, NULL, &err), 0);
	for (size_t i = 0; i < hosts.n; i++)
		hf_buf_printf(&got, "%s%s", i == 0 ? "" : " ", hosts.at[i]->name);
	assert_string_equal(got.p == NULL ? "" : got.p, r->want);
}

int main(void)
{
	UNIT_ROWS(tests, rows, match_row);
	return UNIT_RUN(tests);
}
