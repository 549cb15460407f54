/* One change to the text of a good document, signed by those who should: refused with the right word. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/release_kit.h"
#include "tests/unit/unit.h"

static struct kit kit;

struct change_row {
	const char *title;
	enum hf_document kind;
	const char *from, *to; /* $A: id of root key A, $B: of B, $D: of dev */
	enum hf_refusal want;
};
#define BAD HF_REFUSED_BAD_DOCUMENT
static const struct change_row changes[] = {
	{ "pointer: as it is", HF_DOC_POINTER, "\"seq\":5", "\"seq\":5", HF_REFUSED_NOTHING },
	{ "pointer: unknown kind", HF_DOC_POINTER, "\"forward\"", "\"sideways\"", BAD },
	{ "pointer: seq 0", HF_DOC_POINTER, "\"seq\":5", "\"seq\":0", BAD },
	{ "pointer: negative seq", HF_DOC_POINTER, "\"seq\":5", "\"seq\":-5", BAD },
	{ "pointer: epoch 0", HF_DOC_POINTER, "\"key_epoch\":1", "\"key_epoch\":0", BAD },
	{ "pointer: seq as text", HF_DOC_POINTER, "\"seq\":5", "\"seq\":\"5\"", BAD },
	{ "pointer: seq as a real", HF_DOC_POINTER, "\"seq\":5", "\"seq\":5.0", BAD },
	{ "pointer: seq true", HF_DOC_POINTER, "\"seq\":5", "\"seq\":true", BAD },
	{ "pointer: seq null", HF_DOC_POINTER, "\"seq\":5", "\"seq\":null", BAD },
	{ "pointer: seq twice", HF_DOC_POINTER, "\"seq\":5", "\"seq\":5,\"seq\":6", BAD },
	{ "pointer: an unknown field", HF_DOC_POINTER, "\"seq\":5", "\"seq\":5,\"force\":true", BAD },
	{ "pointer: a field missing", HF_DOC_POINTER, "\"seq\":5,", "", BAD },
	{ "pointer: expires before it is issued", HF_DOC_POINTER, "\"expires\":\"2027", "\"expires\":\"2021",
		BAD },
	{ "pointer: time with an offset", HF_DOC_POINTER, "Z\",\"release\"", "+00:00\",\"release\"", BAD },
	{ "pointer: no time", HF_DOC_POINTER, "\"expires\":\"2027", "\"expires\":\"soon", BAD },
	{ "pointer: short hash", HF_DOC_POINTER, "\"release\":\"", "\"release\":\"ab\",\"x\":\"", BAD },
	{ "pointer: environment in capitals", HF_DOC_POINTER, "\"dev\"", "\"Dev\"", BAD },
	{ "pointer: environment with a slash", HF_DOC_POINTER, "\"dev\"", "\"../dev\"", BAD },
	{ "pointer: fleet with NUL", HF_DOC_POINTER, "\"web\"", "\"web\\u0000\"", BAD },
	{ "pointer: rollout is a list", HF_DOC_POINTER, "\"rollout\":{}", "\"rollout\":[]", BAD },
	{ "pointer: something behind", HF_DOC_POINTER, "\"rollout\":{}}", "\"rollout\":{}}{}", BAD },
	{ "pointer: with evidence", HF_DOC_POINTER, "\"rollout\":{}",
		"\"rollout\":{},\"evidence\":{\"environment\":\"test\",\"n\":3,\"entry\":\""
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}",
		HF_REFUSED_NOTHING },
	{ "pointer: evidence without its hash", HF_DOC_POINTER, "\"rollout\":{}",
		"\"rollout\":{},\"evidence\":{\"environment\":\"test\",\"n\":3}", BAD },
	{ "pointer: evidence as text", HF_DOC_POINTER, "\"rollout\":{}",
		"\"rollout\":{},\"evidence\":\"trust me\"", BAD },
	{ "root: promotion rule", HF_DOC_ROOT, ",\"floor\":{\"revoked\":[]}",
		",\"floor\":{\"revoked\":[]},\"promotion\":{\"dev\":{\"after\":\"prod\",\"soak\":1,"
		"\"override\":9}}",
		BAD },
	{ "root: promotion after itself", HF_DOC_ROOT, ",\"floor\":{\"revoked\":[]}",
		",\"floor\":{\"revoked\":[]},\"promotion\":{\"prod\":{\"after\":\"prod\",\"soak\":1,"
		"\"override\":3}}",
		BAD },
	{ "root: as it is", HF_DOC_ROOT, "\"version\":2", "\"version\":2", HF_REFUSED_NOTHING },
	{ "root: version 0", HF_DOC_ROOT, "\"version\":2", "\"version\":0", BAD },
	{ "root: epoch 0", HF_DOC_ROOT, "\"key_epoch\":1", "\"key_epoch\":0", BAD },
	{ "root: expires before it is issued", HF_DOC_ROOT, "\"expires\":\"2027", "\"expires\":\"2021", BAD },
	{ "root: key under another name", HF_DOC_ROOT, "\"keys\":{\"$A\"", "\"keys\":{\"$D\"", BAD },
	{ "root: role names an unknown key", HF_DOC_ROOT, "\"deploy\":{\"dev\":{\"keys\":[\"$D\"]",
		"\"deploy\":{\"dev\":{\"keys\":["
		"\"0000000000000000000000000000000000000000000000000000000000000000\"]",
		BAD },
	{ "root: role names a key twice", HF_DOC_ROOT, "\"keys\":[\"$A\",\"$B\"]", "\"keys\":[\"$A\",\"$A\"]",
		BAD },
	{ "root: role without keys", HF_DOC_ROOT, "\"keys\":[\"$D\"],\"threshold\":1",
		"\"keys\":[],\"threshold\":0", BAD },
	{ "root: threshold 0", HF_DOC_ROOT, "\"keys\":[\"$D\"],\"threshold\":1",
		"\"keys\":[\"$D\"],\"threshold\":0", BAD },
	{ "root: an environment that is a path", HF_DOC_ROOT, "\"deploy\":{\"dev\"", "\"deploy\":{\"../dev\"",
		BAD },
	{ "root: unknown algorithm", HF_DOC_ROOT, "\"ed25519\"", "\"none\"", BAD },
	{ "root: algorithm and length differ", HF_DOC_ROOT, "\"ed25519\"", "\"ecdsa-p256\"", BAD },
	{ "root: no floor", HF_DOC_ROOT, ",\"floor\":{\"revoked\":[]}", "", BAD },
	{ "root: a list", HF_DOC_ROOT, "{\"version\":2", "[1,2],{\"version\":2", BAD },
};

static const char *expand(const char *text)
{
	static const struct {
		const char *mark;
		unsigned key;
	} marks[] = { { "$A", 0 }, { "$B", 1 }, { "$D", 3 } };
	hf_auto_buf out = hf_buf_init(4096);
	while (*text != '\0') {
		size_t i = 0;
		char hex[HF_SHA256_HEX];
		while (i < HF_COUNT(marks) && strncmp(text, marks[i].mark, 2) != 0)
			i++;
		if (i == HF_COUNT(marks)) {
			hf_buf_put(&out, *text++);
			continue;
		}
		hf_buf_puts(&out, hf_digest_hex(&hf_private_key_public(kit.keys[marks[i].key])->id, hex));
		text += 2;
	}
	return hf_buf_dup(kit.arena, &out).p;
}

static struct hf_str good_payload(enum hf_document kind)
{
	hf_auto_buf out = hf_buf_init(HF_POINTER_MAX);
	struct hf_error err;
	struct hf_pointer p = kit_pointer(&kit);
	struct hf_root r = kit.root;
	r.version = 2;
	assert_int_equal(
		kind == HF_DOC_POINTER ? hf_pointer_write(&out, &p, &err) : hf_root_write(&out, &r, &err), 0);
	return hf_buf_dup(kit.arena, &out);
}

static void change_row(void **state)
{
	const struct change_row *r = *state;
	struct hf_error err;
	struct hf_str good = good_payload(r->kind);
	const char *from = expand(r->from), *to = expand(r->to), *at = strstr(good.p, from);
	assert_non_null(at);
	const char *bad =
		hf_sprintf(kit.arena, "%.*s%s%s", (int)(at - good.p), good.p, to, at + strlen(from));
	struct hf_str bytes = kit_sign(&kit, r->kind, hf_str(bad), KIT_DEV | KIT_ROOT_A | KIT_ROOT_B);
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	struct hf_trust next;
	struct hf_pointer p;
	int result = r->kind == HF_DOC_POINTER
			     ? hf_accept_pointer(kit.arena, &kit.config, &kit.trust, bytes, KIT_NOW, &p,
				       &next, &refusal, &err)
			     : hf_accept_root(kit.arena, &kit.trust, bytes, &next, &refusal, &err);
	assert_string_equal(hf_refusal_word(refusal), hf_refusal_word(r->want));
	assert_int_equal(result, r->want == HF_REFUSED_NOTHING ? 0 : -HF_E_TRUST);
}

struct object_row {
	const char *title, *content;
	enum hf_refusal want;
};
static const struct object_row objects[] = {
	{ "object: right", "hello", HF_REFUSED_NOTHING },
	{ "object: other bytes", "hellO", HF_REFUSED_HASH_MISMATCH },
	{ "object: longer", "hello!", HF_REFUSED_SIZE_MISMATCH },
	{ "object: shorter", "hell", HF_REFUSED_SIZE_MISMATCH },
	{ "object: empty", "", HF_REFUSED_SIZE_MISMATCH },
};

static void object_row(void **state)
{
	const struct object_row *r = *state;
	struct hf_error err;
	struct hf_file file = { "f", 5, hf_sha256(HF_STR("hello")), 0644 };
	hf_auto_fd fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, r->content, strlen(r->content)), strlen(r->content));
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	int result = hf_accept_object(&file, fd, &refusal, &err);
	assert_string_equal(hf_refusal_word(refusal), hf_refusal_word(r->want));
	assert_int_equal(result, r->want == HF_REFUSED_NOTHING ? 0 : -HF_E_TRUST);
}

static void environment_nobody_deploys_to(void **state)
{
	struct hf_error err;
	struct hf_pointer p = kit_pointer(&kit), got;
	struct hf_trust next;
	struct hf_accept_config config = kit.config;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	config.environment = "staging";
	p.environment = "staging";
	struct hf_str bytes = kit_pointer_signed(&kit, &p, KIT_DEV);
	assert_int_equal(hf_accept_pointer(
				 kit.arena, &config, &kit.trust, bytes, KIT_NOW, &got, &next, &refusal, &err),
		-HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_UNKNOWN_ENVIRONMENT);
}

/* The floor counts even where it is above what runs. */
static void agent_below_the_floor(void **state)
{
	struct hf_error err;
	struct hf_root root = kit.root;
	struct hf_trust trust = kit.trust;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	root.agent_floor = "2.0";
	trust.root = &root;
	assert_int_equal(hf_accept_agent(&kit.config, &trust, "1.9", &refusal, &err), -HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_AGENT_DOWNGRADE);
	assert_int_equal(hf_accept_agent(&kit.config, &trust, "2.0.1", &refusal, &err), 0);
}

/* Every refusal has a word of its own and a sentence, and is found by its word. */
static void refusal_words(void **state)
{
	for (unsigned i = 1; i < HF_REFUSED_COUNT; i++) {
		const char *word = hf_refusal_word((enum hf_refusal)i);
		assert_non_null(word);
		assert_non_null(hf_refusal_sentence((enum hf_refusal)i));
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
		assert_int_equal(hf_refusal_find(word), i);
	}
}

struct version_row {
	const char *title, *a, *b;
	int want;
};
static const struct version_row versions[] = {
	{ "version: equal", "1.2.3", "1.2.3", 0 },
	{ "version: number by number", "1.10", "1.9", 1 },
	{ "version: longer", "1.2", "1.2.1", -1 },
	{ "version: zeros do not count", "1.2", "1.2.0", 0 },
	{ "version: empty is oldest", "", "0.0.1", -1 },
};

static void version_row(void **state)
{
	const struct version_row *r = *state;
	assert_int_equal(hf_version_compare(r->a, r->b), r->want);
	assert_int_equal(hf_version_compare(r->b, r->a), -r->want);
}

static const struct CMUnitTest singles[] = {
	{ "pointer: an environment nobody deploys to", environment_nobody_deploys_to, NULL, NULL, NULL },
	{ "agent: below the floor", agent_below_the_floor, NULL, NULL, NULL },
	{ "refusals: words", refusal_words, NULL, NULL, NULL },
};

#define ADD_ROWS(rows, check)                                                                                \
	for (size_t i = 0; i < HF_COUNT(rows); i++)                                                          \
		tests[n++] = (struct CMUnitTest)                                                             \
		{                                                                                            \
			(rows)[i].title, check, NULL, NULL, (void *)(uintptr_t) & (rows)[i]                  \
		}

int main(void)
{
	struct CMUnitTest
		tests[HF_COUNT(changes) + HF_COUNT(objects) + HF_COUNT(versions) + HF_COUNT(singles)];
	size_t n = 0;
	kit_init(&kit);
	ADD_ROWS(changes, change_row);
	ADD_ROWS(objects, object_row);
	ADD_ROWS(versions, version_row);
	for (size_t i = 0; i < HF_COUNT(singles); i++)
		tests[n++] = singles[i];
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	kit_done(&kit);
	return failed;
}
