/* The envelope's scanner, base64, PAE and the counting of signatures. */
#include "lib/release/base64.h"
#include "lib/release/verify.h"
#include "tests/unit/release_kit.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define TYPE       "{\"payloadType\":\"application/vnd.holdfast.pointer.v1+json\",\"payload\":\""
#define SIGS       "\",\"signatures\":["
#define ID_A       "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_B       "2222222222222222222222222222222222222222222222222222222222222222"
#define SIGNED(id) "{\"keyid\":\"" id "\",\"sig\":\"AAAA\"}"

struct scan_row {
	const char *title, *text;
	enum hf_refusal want;
	size_t signatures;
};
static const struct scan_row scans[] = {
	{ "scan: no signature", TYPE "e30=" SIGS "]}\n", HF_REFUSED_NOTHING, 0 },
	{ "scan: one signature", TYPE "e30=" SIGS SIGNED(ID_A) "]}\n", HF_REFUSED_NOTHING, 1 },
	{ "scan: two signatures", TYPE "e30=" SIGS SIGNED(ID_A) "," SIGNED(ID_B) "]}\n", HF_REFUSED_NOTHING,
		2 },
	{ "scan: empty payload", TYPE SIGS "]}\n", HF_REFUSED_NOTHING, 0 },
	{ "scan: nothing", "", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: other JSON", "{}\n", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: HTML", "<html>403</html>", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: another kind",
		"{\"payloadType\":\"application/vnd.holdfast.root.v1+json\",\"payload\":\"e30=" SIGS "]}\n",
		HF_REFUSED_WRONG_KIND, 0 },
	{ "scan: a kind nobody knows",
		"{\"payloadType\":\"application/vnd.in-toto+json\",\"payload\":\"e30=" SIGS "]}\n",
		HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: one key twice", TYPE "e30=" SIGS SIGNED(ID_A) "," SIGNED(ID_A) "]}\n",
		HF_REFUSED_DUPLICATE_SIGNATURE, 0 },
	{ "scan: blank before the brace", " " TYPE "e30=" SIGS "]}\n", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: no newline", TYPE "e30=" SIGS "]}", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: two newlines", TYPE "e30=" SIGS "]}\n\n", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: something behind", TYPE "e30=" SIGS "]}\n{}", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: comma without a signature", TYPE "e30=" SIGS SIGNED(ID_A) ",]}\n", HF_REFUSED_BAD_ENVELOPE,
		0 },
	{ "scan: signatures without a comma", TYPE "e30=" SIGS SIGNED(ID_A) SIGNED(ID_B) "]}\n",
		HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: base64 without padding", TYPE "e30" SIGS "]}\n", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: base64 with spare bits", TYPE "e31=" SIGS "]}\n", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: base64 for URLs", TYPE "-_-_" SIGS "]}\n", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: base64 with a blank", TYPE "e3 0" SIGS "]}\n", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: an escape", TYPE "e3\\u0030=" SIGS "]}\n", HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: key id in capitals",
		TYPE "e30=" SIGS
		     "{\"keyid\":\"AA11111111111111111111111111111111111111111111111111111111111111\","
		     "\"sig\":\"AAAA\"}]}\n",
		HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: short key id", TYPE "e30=" SIGS "{\"keyid\":\"11\",\"sig\":\"AAAA\"}]}\n",
		HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: empty signature", TYPE "e30=" SIGS "{\"keyid\":\"" ID_A "\",\"sig\":\"\"}]}\n",
		HF_REFUSED_BAD_ENVELOPE, 0 },
	{ "scan: algorithm field",
		TYPE "e30=" SIGS "{\"keyid\":\"" ID_A "\",\"alg\":\"none\",\"sig\":\"AAAA\"}]}\n",
		HF_REFUSED_BAD_ENVELOPE, 0 },
};

static void scan_row(void **state)
{
	const struct scan_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_envelope *e = hf_new(a, struct hf_envelope);
	enum hf_refusal got = HF_REFUSED_NOTHING;
	int result = hf_envelope_scan(a, hf_str(r->text), HF_DOC_POINTER, e, &got, &err);
	assert_string_equal(hf_refusal_word(got), hf_refusal_word(r->want));
	assert_int_equal(result, r->want == HF_REFUSED_NOTHING ? 0 : -HF_E_TRUST);
	if (result == 0)
		assert_int_equal(e->n, r->signatures);
}

static void scan_too_many(void **state)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf text = hf_buf_init(1 << 16);
	struct hf_error err;
	enum hf_refusal got = HF_REFUSED_NOTHING;
	hf_buf_puts(&text, TYPE "e30=" SIGS);
	for (int i = 0; i <= HF_SIGNATURES_MAX; i++)
		hf_buf_printf(&text, "%s{\"keyid\":\"%064x\",\"sig\":\"AAAA\"}", i == 0 ? "" : ",", i);
	hf_buf_puts(&text, "]}\n");
	struct hf_envelope *e = hf_new(a, struct hf_envelope);
	assert_int_equal(hf_envelope_scan(a, hf_buf_str(&text), HF_DOC_POINTER, e, &got, &err), -HF_E_TRUST);
	assert_int_equal(got, HF_REFUSED_BAD_ENVELOPE);
}

static void scan_too_large(void **state)
{
	hf_auto_arena a = hf_arena_new();
	char *text = hf_zalloc(a, HF_POINTER_MAX + 1);
	struct hf_error err;
	enum hf_refusal got = HF_REFUSED_NOTHING;
	struct hf_envelope *e = hf_new(a, struct hf_envelope);
	int result = hf_envelope_scan(a, hf_strn(text, HF_POINTER_MAX + 1), HF_DOC_POINTER, e, &got, &err);
	assert_int_equal(result, -HF_E_TRUST);
	assert_int_equal(got, HF_REFUSED_TOO_LARGE);
}

/* The example of the DSSE protocol, with our type in place of its own. */
static void pae(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_str got = hf_envelope_pae(a, HF_DOC_ROOT, HF_STR("hello world"));
	assert_string_equal(got.p, "DSSEv1 37 application/vnd.holdfast.root.v1+json 11 hello world");
}

static void base64_round(void **state)
{
	unsigned char bytes[64], back[64];
	for (size_t n = 0; n < sizeof(bytes); n++) {
		hf_auto_buf text = hf_buf_init(256);
		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(i * 37 + n);
		hf_base64_encode(&text, hf_strn((const char *)bytes, n));
		assert_int_equal(hf_base64_size(hf_buf_str(&text)), n);
		assert_true(hf_base64_decode(hf_buf_str(&text), back));
		assert_memory_equal(bytes, back, n);
	}
}

struct verify_row {
	const char *title;
	unsigned signers, role;
	size_t threshold;
	enum hf_refusal want;
};
static const struct verify_row verifies[] = {
	{ "verify: one of one", KIT_DEV, KIT_DEV, 1, HF_REFUSED_NOTHING },
	{ "verify: two of two, one of them P-256", KIT_PROD_A | KIT_PROD_B, KIT_PROD_A | KIT_PROD_B, 2,
		HF_REFUSED_NOTHING },
	{ "verify: one of two", KIT_PROD_B, KIT_PROD_A | KIT_PROD_B, 2, HF_REFUSED_BELOW_THRESHOLD },
	{ "verify: one of two and a stranger", KIT_PROD_A | KIT_STRANGER, KIT_PROD_A | KIT_PROD_B, 2,
		HF_REFUSED_BELOW_THRESHOLD },
	{ "verify: enough and a stranger", KIT_DEV | KIT_STRANGER, KIT_DEV, 1, HF_REFUSED_NOTHING },
	{ "verify: nobody", 0, KIT_DEV, 1, HF_REFUSED_UNSIGNED },
	{ "verify: only a stranger", KIT_STRANGER, KIT_DEV, 1, HF_REFUSED_UNKNOWN_KEY },
	{ "verify: another role", KIT_RELEASE, KIT_DEV, 1, HF_REFUSED_UNKNOWN_KEY },
	{ "verify: a role of nobody", KIT_DEV, 0, 0, HF_REFUSED_UNKNOWN_KEY },
	{ "verify: threshold zero never holds", KIT_DEV, KIT_DEV, 0, HF_REFUSED_BELOW_THRESHOLD },
};
static struct kit kit;

static void verify_row(void **state)
{
	const struct verify_row *r = *state;
	struct hf_error err;
	struct hf_role role = kit_role(&kit, r->role, r->threshold);
	const struct hf_role *roles = &role;
	struct hf_str payload = { 0 }, bytes = kit_sign(&kit, HF_DOC_POINTER, HF_STR("{}"), r->signers);
	enum hf_refusal got = HF_REFUSED_NOTHING;
	int result = hf_verify(kit.arena, bytes, HF_DOC_POINTER, &roles, 1, &payload, &got, &err);
	assert_string_equal(hf_refusal_word(got), hf_refusal_word(r->want));
	assert_int_equal(result, r->want == HF_REFUSED_NOTHING ? 0 : -HF_E_TRUST);
	assert_int_equal(payload.n, result == 0 ? 2 : 0);
}

/* A signature that does not fit is tampering, even where enough others do. */
static void one_bad_of_three(void **state)
{
	struct hf_error err;
	struct hf_role role = kit_role(&kit, KIT_ROOT_A | KIT_ROOT_B | KIT_DEV, 2);
	const struct hf_role *roles = &role;
	struct hf_envelope *e = hf_new(kit.arena, struct hf_envelope);
	struct hf_str bytes = kit_sign(&kit, HF_DOC_ROOT, HF_STR("{}"), KIT_ROOT_A | KIT_ROOT_B | KIT_DEV),
		      payload;
	enum hf_refusal got = HF_REFUSED_NOTHING;
	assert_int_equal(hf_envelope_scan(kit.arena, bytes, HF_DOC_ROOT, e, &got, &err), 0);
	e->signatures[2].bytes[10] ^= 1;
	hf_auto_buf out = hf_buf_init(4096);
	hf_envelope_write(&out, e);
	int result = hf_verify(kit.arena, hf_buf_str(&out), HF_DOC_ROOT, &roles, 1, &payload, &got, &err);
	assert_int_equal(result, -HF_E_TRUST);
	assert_int_equal(got, HF_REFUSED_BAD_SIGNATURE);
}

/* A signature made for one kind of document never fits another with the same payload. */
static void other_kind(void **state)
{
	struct hf_error err;
	struct hf_role role = kit_role(&kit, KIT_DEV, 1);
	const struct hf_role *roles = &role;
	struct hf_str payload, bytes = kit_sign(&kit, HF_DOC_LOG, HF_STR("{}"), KIT_DEV);
	struct hf_envelope *e = hf_new(kit.arena, struct hf_envelope);
	enum hf_refusal got = HF_REFUSED_NOTHING;
	assert_int_equal(hf_envelope_scan(kit.arena, bytes, HF_DOC_LOG, e, &got, &err), 0);
	e->kind = HF_DOC_POINTER;
	hf_auto_buf out = hf_buf_init(4096);
	hf_envelope_write(&out, e);
	int result = hf_verify(kit.arena, hf_buf_str(&out), HF_DOC_POINTER, &roles, 1, &payload, &got, &err);
	assert_int_equal(result, -HF_E_TRUST);
	assert_int_equal(got, HF_REFUSED_BAD_SIGNATURE);
}

int main(void)
{
	struct CMUnitTest tests[HF_COUNT(scans) + HF_COUNT(verifies) + 6];
	size_t n = 0;
	kit_init(&kit);
	for (size_t i = 0; i < HF_COUNT(scans); i++)
		tests[n++] = (struct CMUnitTest){ scans[i].title, scan_row, NULL, NULL,
			(void *)(uintptr_t)&scans[i] };
	for (size_t i = 0; i < HF_COUNT(verifies); i++)
		tests[n++] = (struct CMUnitTest){ verifies[i].title, verify_row, NULL, NULL,
			(void *)(uintptr_t)&verifies[i] };
	tests[n++] = (struct CMUnitTest){ "scan: too many signatures", scan_too_many, NULL, NULL, NULL };
	tests[n++] = (struct CMUnitTest){ "scan: too large", scan_too_large, NULL, NULL, NULL };
	tests[n++] = (struct CMUnitTest){ "PAE", pae, NULL, NULL, NULL };
	tests[n++] = (struct CMUnitTest){ "base64 there and back", base64_round, NULL, NULL, NULL };
	tests[n++] = (struct CMUnitTest){ "verify: one bad of three", one_bad_of_three, NULL, NULL, NULL };
	tests[n++] = (struct CMUnitTest){ "verify: signed as another kind", other_kind, NULL, NULL, NULL };
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	kit_done(&kit);
	return failed;
}
