/* What leaves for the broker over generated names and texts: topics and bodies stay within AWS IoT Core's
 * limits, and names that no topic can hold are refused when the configuration is read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/fit.h"
#include "agent/spool.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "lib/data/unicode.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 3000, NAME_MAX_CHARS = 90, KEYS = 12 };

static uint32_t seed = 7;

static uint32_t chance(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* A configuration with these three names and that client id (NULL: none), as hf_config_load() reads it. */
static int load(struct hf_arena *a, const char *const names[3], const char *client, struct hf_config *ret,
	struct hf_error *err)
{
	static const char *const keys[] = { "environment", "fleet", "host" };
	char path[] = "/tmp/hf-fit-XXXXXX";
	hf_auto_buf b = hf_buf_init(1 << 16);
	struct hf_value *v = hf_value_dict(a), *mqtt = hf_value_dict(a);
	struct hf_json_style style = HF_JSON_COMPACT;
	for (size_t i = 0; i < HF_COUNT(keys); i++)
		hf_dict_put(v, keys[i], hf_value_cstr(a, names[i]));
	hf_dict_put(v, "store", hf_value_cstr(a, "file:///nowhere"));
	hf_dict_put(mqtt, "host", hf_value_cstr(a, "localhost"));
	if (client != NULL)
		hf_dict_put(mqtt, "client_id", hf_value_cstr(a, client));
	hf_dict_put(v, "mqtt", mqtt);
	assert_int_equal(hf_json_write(&b, v, &style, err), 0);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, b.p, b.n), (ssize_t)b.n);
	close(fd);
	int result = hf_config_load(a, path, ret, err);
	unlink(path);
	return result;
}

static void topic_holds(const char *topic)
{
	size_t slashes = 0;
	for (const char *c = topic; *c != '\0'; c++) {
		slashes += *c == '/';
		assert_true(*c > ' ' && *c < 0x7f && *c != '+' && *c != '#' && *c != '$');
	}
	assert_true(slashes <= HF_TOPIC_SLASHES_MAX);
	assert_int_equal(slashes, 5); /* no name brought a level of its own, and none is empty */
	assert_null(strstr(topic, "//"));
	assert_true(strlen(topic) <= HF_TOPIC_MAX);
}

static const char *name_make(struct hf_arena *a)
{
	static const char *const pieces[] = { "a", "Z", "9", "-", "_", ".", "gpu", "0", "/", "+", "#", "$",
		" ", "é", "日", "\n", "\"", "\\", "%s", "all", "..", ":", "\x7f", "\t" };
	size_t mostly = chance(4) != 0 ? 8 : HF_COUNT(pieces),
	       n = chance(chance(3) == 0 ? NAME_MAX_CHARS : 12);
	hf_auto_buf b = hf_buf_init(NAME_MAX_CHARS * 4);
	for (size_t i = 0; i < n; i++)
		hf_buf_puts(&b, pieces[chance((uint32_t)mostly)]);
	return hf_str_dup(a, hf_buf_str(&b));
}

static void names_give_topics_or_are_refused(void **state)
{
	static const char *const leaves[] = { "link", "state", "drift", "run", "alarm", "hint" };
	unsigned taken = 0, refused = 0;
	for (int i = 0; i < ROUNDS; i++) {
		hf_auto_arena a = hf_arena_new();
		const char *const names[] = { name_make(a), name_make(a), name_make(a) };
		struct hf_config c;
		struct hf_error err = { 0 };
		if (load(a, names, NULL, &c, &err) < 0) {
			assert_true(err.code == HF_E_ARGUMENT || err.code == HF_E_PARSE); /* no YAML */
			refused++;
			continue;
		}
		taken++;
		assert_string_not_equal(hf_topic(a, &c, c.host, "hint"), hf_topic(a, &c, NULL, "hint"));
		for (size_t l = 0; l < HF_COUNT(leaves); l++)
			topic_holds(hf_topic(a, &c, c.host, leaves[l]));
		topic_holds(hf_topic(a, &c, NULL, "hint"));
	}
	assert_true(taken > ROUNDS / 20 && refused > ROUNDS / 20);
}

#define LONG_64  "0123456789012345678901234567890123456789012345678901234567890123"
#define LONG_128 LONG_64 LONG_64
static const struct row {
	const char *title, *name; /* of the host */
	const char *client;
	bool good;
} rows[] = {
	{ "an instance", "i-0abc", NULL, true },
	{ "a domain name", "gpu-1.Example.internal", NULL, true },
	{ "64 characters", LONG_64, NULL, true },
	{ "65 characters", LONG_64 "x", NULL, false },
	{ "empty", "", NULL, false },
	{ "a level more", "a/b", NULL, false },
	{ "any level", "+", NULL, false },
	{ "all levels", "#", NULL, false },
	{ "the broker's own", "$SYS", NULL, false },
	{ "a blank", "a b", NULL, false },
	{ "beyond ASCII", "höst", NULL, false },
	{ "a folder above", "..", NULL, false },
	{ "the word for all", "all", NULL, false },
	{ "begins with the word for all", "all-1", NULL, true },
	{ "client id of 128", "h", LONG_128, true },
	{ "client id of 129", "h", LONG_128 "x", false },
	{ "client id with a level", "h", "a/b", false },
	{ "client id with a blank", "h", "a b", false },
	{ "client id that is empty", "h", "", false },
	{ "client id of the broker's", "h", "$a", false },
};

static void name_is_held(void **state)
{
	const struct row *r = *state;
	hf_auto_arena a = hf_arena_new();
	const char *const names[] = { "dev", "default", r->name };
	struct hf_config c;
	struct hf_error err = { 0 };
	assert_int_equal(load(a, names, r->client, &c, &err), r->good ? 0 : -HF_E_ARGUMENT);
	if (!r->good)
		assert_non_null(strstr(err.text, r->client != NULL ? "client_id" : "host"));
}

static struct hf_value *text_make(struct hf_arena *a)
{
	static const char *const pieces[] = { "word ", "\x01", "\"", "\\", "é", "日本", "\n", "😀" };
	size_t n = chance(4) == 0 ? chance(40000) : chance(40);
	hf_auto_buf b = hf_buf_init(1 << 20);
	for (size_t i = 0; i < n; i++)
		hf_buf_puts(&b, pieces[chance(HF_COUNT(pieces))]);
	return hf_value_str(a, hf_buf_str(&b));
}

static struct hf_value *body_make(struct hf_arena *a)
{
	struct hf_value *v = hf_value_dict(a);
	for (size_t i = 0; i < KEYS; i++) {
		struct hf_value *one = text_make(a), *list = hf_value_list(a);
		if (chance(3) == 0) {
			hf_list_append(list, one);
			one = list;
		}
		hf_dict_put(v, hf_sprintf(a, "key%zu", i), one);
	}
	return v;
}

static void bodies_fit(void **state)
{
	static const size_t most[] = { HF_REPORT_MAX - HF_REPORT_HEAD_MAX, 4096 - HF_REPORT_HEAD_MAX };
	struct hf_json_style style = HF_JSON_COMPACT;
	unsigned cut = 0;
	for (int i = 0; i < ROUNDS / 20; i++) {
		hf_auto_arena a = hf_arena_new();
		struct hf_value *body = body_make(a);
		for (size_t m = 0; m < HF_COUNT(most); m++) {
			hf_auto_buf whole = hf_buf_init(16 << 20), b = hf_buf_init(16 << 20);
			struct hf_value *fit = hf_fit(a, body, most[m]);
			assert_int_equal(hf_json_write(&whole, body, &style, NULL), 0);
			assert_int_equal(hf_json_write(&b, fit, &style, NULL), 0);
			assert_true(b.n <= most[m]);
			assert_true(hf_utf8_valid(hf_buf_str(&b)));
			assert_int_equal(hf_dict_len(fit), KEYS);
			assert_true((fit == body) == (whole.n <= most[m]));
			cut += fit != body;
		}
	}
	assert_true(cut > 10);
}

static void a_secret_stays_one(void **state)
{
	hf_auto_arena a = hf_arena_new();
	hf_auto_buf b = hf_buf_init(1 << 20);
	struct hf_json_style style = HF_JSON_COMPACT;
	struct hf_value *v = hf_value_dict(a);
	style.hide_secrets = true;
	hf_dict_put(v, "hidden",
		hf_value_with_flags(a, hf_value_cstr(a, "a password of some length"), HF_VALUE_SECRET));
	hf_dict_put(v, "long", hf_value_cstr(a, LONG_128 LONG_128 LONG_128));
	assert_int_equal(hf_json_write(&b, hf_fit(a, v, 128), &style, NULL), 0);
	assert_null(strstr(b.p, "password"));
	assert_non_null(strstr(b.p, "…"));
}

int main(void)
{
	struct unit_list tests = { 0 };
	UNIT_ADD_ROWS(&tests, rows, name_is_held);
	UNIT_ADD(&tests, names_give_topics_or_are_refused);
	UNIT_ADD(&tests, bodies_fit);
	UNIT_ADD(&tests, a_secret_stays_one);
	return unit_run(&tests);
}
