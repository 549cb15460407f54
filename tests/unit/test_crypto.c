/* Names as they are told: none is cut at a byte of zero, which would make another name of it. */
#include <stdio.h>

#include "lib/base/scope.h"
#include "modules/crypto.h"
#include "tests/unit/unit.h"

static const struct row {
	const char *title;
	int type;
	struct hf_str bytes, want;
} rows[] = {
	{ "a host", GEN_DNS, HF_STR("a.example"), HF_STR("DNS:a.example") },
	{ "a host with a zero in it", GEN_DNS, HF_STR("a.example\0.evil"), HF_STR("DNS:a.example\0.evil") },
	{ "a zero at the end", GEN_EMAIL, HF_STR("a@b\0"), HF_STR("email:a@b\0") },
	{ "nothing", GEN_URI, HF_STR(""), HF_STR("URI:") },
	{ "an address of no length", GEN_IPADD, HF_STR(""), HF_STR("IP:") },
	{ "an address with a zero in it", GEN_IPADD, HF_STR("\12\0\0\1"), HF_STR("IP:10.0.0.1") },
};

static void name_row(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	hf_auto_general_name name = GENERAL_NAME_new();
	ASN1_STRING *s = ASN1_STRING_type_new(r->type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	assert_int_equal(ASN1_STRING_set(s, r->bytes.p, (int)r->bytes.n), 1);
	GENERAL_NAME_set0_value(name, r->type, s);
	struct hf_str text = hf_crypto_name_text(a, name);
	assert_int_equal(text.n, r->want.n);
	assert_memory_equal(text.p, r->want.p, text.n);
}

int main(void)
{
	UNIT_ROWS(tests, rows, name_row);
	return UNIT_RUN(tests);
}
