/* Versions in dpkg's order, and its database read without it. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modules/dpkg.h"

static const struct order {
	const char *title, *a, *b;
	int want;
} orders[] = {
	{ "equal", "1.2-3", "1.2-3", 0 },
	{ "numbers are numbers", "1.10", "1.9", 1 },
	{ "leading zeroes do not count", "1.02", "1.2", 0 },
	{ "an epoch beats all", "1:0.1", "9.9", 1 },
	{ "tilde is before the end", "1.0~rc1", "1.0", -1 },
	{ "tilde and tilde", "1.0~~", "1.0~", -1 },
	{ "letters before other signs", "1.0a", "1.0+", -1 },
	{ "the end before letters", "1.0", "1.0a", -1 },
	{ "a revision counts last", "1.0-1", "1.0-2", -1 },
	{ "no revision is revision 0", "1.0", "1.0-0", 0 },
	{ "only the last dash starts the revision", "1-2-3", "1-2-4", -1 },
	{ "numbers of any length", "20261121123456789012345678", "20261121123456789012345679", -1 },
	{ "security suffix", "2.3.4-5+deb12u1", "2.3.4-5", 1 },
};

static void order_row(void **state)
{
	const struct order *r = *state;
	int there = hf_dpkg_compare(r->a, r->b), back = hf_dpkg_compare(r->b, r->a);
	assert_int_equal((there > 0) - (there < 0), r->want);
	assert_int_equal((back > 0) - (back < 0), -r->want);
}

#define STATUS                                                                                               \
	"Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n\n"                \
	"Package: mailer\nStatus: install ok installed\nArchitecture: all\nVersion: 2:1.0-1\n"               \
	"Provides: mail-agent (= 1), mta\nDescription: x\n Package: not-this\n\n"                            \
	"Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 3\n\n"              \
	"Package: both\nStatus: hold ok installed\nArchitecture: i386\nVersion: 4\n\n"                       \
	"Package: both\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5"

static void database_read(void **state)
{
	char path[] = "/tmp/hf-dpkg-XXXXXX";
	const struct hf_dpkg *db;
	int fd = mkstemp(path);
	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, STATUS, strlen(STATUS)), (long)strlen(STATUS));
	close(fd);
	assert_int_equal(hf_dpkg_load(path, &db, NULL), 0);
	assert_int_equal(db->n, 5);
	assert_string_equal(db->architecture, "amd64");
	assert_string_equal(hf_dpkg_find(db, "mailer")->version, "2:1.0-1");
	assert_string_equal(hf_dpkg_find(db, "both")->version, "5");
	assert_string_equal(hf_dpkg_find(db, "both:i386")->want, "hold");
	assert_true(hf_dpkg_find(db, "gone")->config_files);
	assert_false(hf_dpkg_find(db, "gone")->installed);
	assert_null(hf_dpkg_find(db, "not-this"));
	assert_string_equal(hf_dpkg_provider(db, "mta")->name, "mailer");
	assert_string_equal(hf_dpkg_provider(db, "mail-agent")->name, "mailer");
	assert_null(hf_dpkg_provider(db, "mail"));
	unlink(path);
	assert_int_not_equal(hf_dpkg_load(path, &db, NULL), 0);
}

int main(void)
{
	UNIT_ROWS(rows, orders, order_row);
	struct CMUnitTest tests[HF_COUNT(orders) + 1];
	memcpy(tests, rows, sizeof(rows));
	tests[HF_COUNT(orders)] = (struct CMUnitTest)cmocka_unit_test(database_read);
	return UNIT_RUN(tests);
}
