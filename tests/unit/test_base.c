/* lib/base: arena, buffers, maps, errors, digests, times and path names. */
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/fs.h"
#include "lib/base/map.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/base/vec.h"
#include "tests/unit/unit.h"

static void arena_reset_frees_what_came_later(void **state)
{
	hf_auto_arena a = hf_arena_new();
	char *kept = hf_strdup(a, "kept");
	struct hf_arena_mark mark = hf_arena_mark(a);
	size_t before = hf_arena_size(a);
	memset(hf_alloc(a, 1 << 20), 1, 1 << 20);
	assert_true(hf_arena_size(a) > before);
	hf_arena_reset(a, mark);
	assert_int_equal(hf_arena_size(a), before);
	assert_string_equal(kept, "kept");
}

static void arena_aligns_addresses(void **state)
{
	hf_auto_arena a = hf_arena_new();
	for (size_t n = 1; n < 40; n++)
		assert_int_equal((uintptr_t)hf_alloc(a, n) % 16, 0);
}

static void buffer_stops_at_its_maximum(void **state)
{
	struct hf_error err;
	hf_auto_buf b = hf_buf_init(8);
	hf_buf_puts(&b, "12345678");
	assert_int_equal(hf_buf_check(&b, "the answer", &err), 0);
	hf_buf_put(&b, '9');
	assert_int_equal(hf_buf_check(&b, "the answer", &err), -HF_E_LIMIT);
	assert_string_equal(err.text, "the answer is larger than 8 bytes");
	assert_string_equal(b.p, "12345678");
}

static void map_keeps_insertion_order(void **state)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_map m;
	hf_map_init_str(&m, a);
	for (int i = 0; i < 1000; i++)
		hf_map_set(&m, hf_sprintf(a, "key%d", (i * 7919) % 1000), (void *)(intptr_t)(i + 1));
	assert_int_equal(m.live, 1000);
	int i = 0;
	HF_MAP_EACH (&m, e) {
		char want[16];
		snprintf(want, sizeof(want), "key%d", (i++ * 7919) % 1000);
		assert_string_equal(e->key, want);
	}
	assert_true(hf_map_remove(&m, "key7"));
	assert_null(hf_map_get(&m, "key7"));
	assert_false(hf_map_remove(&m, "key7"));
	hf_map_set(&m, "key7", &m);
	assert_ptr_equal(hf_map_get(&m, "key7"), &m);
	assert_int_equal(m.live, 1000);
}

static void vector_grows(void **state)
{
	hf_auto_arena a = hf_arena_new();
	HF_VEC(int) v = { 0 };
	for (int i = 0; i < 100; i++)
		*hf_vec_push(a, &v) = i;
	assert_int_equal(v.n, 100);
	assert_int_equal(v.at[99], 99);
}

static void errors_read_from_outside_in(void **state)
{
	struct hf_error err;
	char text[256];
	hf_fail_at(&err, HF_E_UNDEFINED, (struct hf_pos){ "motd.j2", 4, 9 }, "'owner' is undefined");
	assert_int_equal(hf_wrap(&err, "task \"%s\"", "motd"), -HF_E_UNDEFINED);
	assert_string_equal(
		hf_error_print(&err, text, sizeof(text)), "motd.j2:4:9: task \"motd\": 'owner' is undefined");
	assert_string_equal(hf_code_name(err.code), "undefined");
}

static void digests_are_the_published_ones(void **state)
{
	struct hf_error err;
	char hex[HF_DIGEST_HEX_MAX];
	struct hf_digest d = hf_sha256(HF_STR("abc")), back; /* FIPS 180-2, B.1 */
	hf_digest_hex(&d, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(hf_digest_parse(hf_str(hex), &back));
	assert_true(hf_digest_equal(&d, &back));
	hex[0] = 'B';
	assert_false(hf_digest_parse(hf_str(hex), &back));
	assert_int_equal(hf_hash_hex("sha1", HF_STR("abc"), hex, &err), 0);
	assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(hf_hash_hex("sha0", HF_STR("abc"), hex, &err), -HF_E_ARGUMENT);
	struct hf_digest mac = hf_hmac_sha256(HF_STR("Jefe"), HF_STR("what do ya want for nothing?"));
	hf_digest_hex(&mac, hex); /* RFC 4231, case 2 */
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* Around the ends of SHA-256's blocks; beside the same algorithm of OpenSSL's providers. */
static const struct piece_row {
	const char *title;
	size_t n, piece;
} pieces[] = {
	{ "sha256: nothing", 0, 1 },
	{ "sha256: a byte", 1, 1 },
	{ "sha256: 55 bytes by one", 55, 1 },
	{ "sha256: 56 bytes by seven", 56, 7 },
	{ "sha256: a block", 64, 64 },
	{ "sha256: a block and a byte", 65, 64 },
	{ "sha256: many blocks by odd pieces", 10000, 129 },
};

static void digests_come_together(void **state)
{
	const struct piece_row *r = *state;
	struct hf_error err;
	char bytes[10000], hex[HF_DIGEST_HEX_MAX], want[HF_DIGEST_HEX_MAX];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 256);
	struct hf_sha256 s;
	hf_sha256_begin(&s);
	for (size_t at = 0; at < r->n; at += r->piece)
		hf_sha256_add(&s, hf_strn(bytes + at, r->n - at < r->piece ? r->n - at : r->piece));
	struct hf_digest together = hf_sha256_end(&s), whole = hf_sha256(hf_strn(bytes, r->n));
	assert_true(hf_digest_equal(&together, &whole));
	assert_int_equal(hf_hash_hex("sha256", hf_strn(bytes, r->n), want, &err), 0);
	assert_string_equal(hf_digest_hex(&whole, hex), want);
}

static const struct time_row {
	const char *title, *text;
	bool ok;
	int64_t want;
} times[] = {
	{ "time: UTC", "2026-11-21T05:30:00Z", true, 1795239000 },
	{ "time: offset", "2026-11-21T06:30:00+01:00", true, 1795239000 },
	{ "time: fraction is dropped", "2026-11-21T05:30:00.999Z", true, 1795239000 },
	{ "time: 30 February", "2026-02-30T05:30:00Z", false, 0 },
	{ "time: no zone", "2026-11-21T05:30:00", false, 0 },
	{ "time: blank for T", "2026-11-21 05:30:00Z", false, 0 },
	{ "time: hour 24", "2026-11-21T24:00:00Z", false, 0 },
};

static void time_parses(void **state)
{
	const struct time_row *r = *state;
	int64_t got = 0;
	char text[HF_TIME_TEXT];
	assert_int_equal(hf_time_parse(hf_str(r->text), &got), r->ok);
	assert_int_equal(got, r->want);
	if (r->ok)
		assert_string_equal(hf_time_print(got, text), "2026-11-21T05:30:00Z");
}

static const struct path_row {
	const char *title, *path, *want;
} paths[] = {
	{ "path: plain", "/a/b", "/a/b" },
	{ "path: doubled slashes", "/a//b///c/", "/a/b/c" },
	{ "path: dots", "/a/./b/../c", "/a/c" },
	{ "path: above the root", "/../../a", "/a" },
	{ "path: relative climbs", "../a/../../b", "../../b" },
	{ "path: all gone", "a/..", "." },
	{ "path: empty", "", "." },
	{ "path: exactly two slashes", "//a", "//a" },
	{ "path: three slashes", "///a", "/a" },
};

static void path_normalizes(void **state)
{
	const struct path_row *r = *state;
	hf_auto_arena a = hf_arena_new();
	assert_string_equal(hf_path_normalize(a, r->path), r->want);
}

int main(void)
{
	static struct unit_list tests;
	UNIT_ADD_ROWS(&tests, times, time_parses);
	UNIT_ADD_ROWS(&tests, paths, path_normalizes);
	UNIT_ADD_ROWS(&tests, pieces, digests_come_together);
	UNIT_ADD(&tests, arena_reset_frees_what_came_later);
	UNIT_ADD(&tests, arena_aligns_addresses);
	UNIT_ADD(&tests, buffer_stops_at_its_maximum);
	UNIT_ADD(&tests, map_keeps_insertion_order);
	UNIT_ADD(&tests, vector_grows);
	UNIT_ADD(&tests, errors_read_from_outside_in);
	UNIT_ADD(&tests, digests_are_the_published_ones);
	return unit_run(&tests);
}
