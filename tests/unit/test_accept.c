/* What a host accepts: one row a rule, and every byte of every document flipped. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/release_kit.h"
#include "tests/unit/unit.h"

static struct kit kit;

/* --- pointers ----------------------------------------------------------------------------------------------
 */
static void p_none(struct hf_pointer *p)
{
}
static void p_older(struct hf_pointer *p)
{
	p->seq = 3;
}
static void p_next(struct hf_pointer *p)
{
	p->seq = 6;
}
static void p_other_bytes(struct hf_pointer *p)
{
	p->release = hf_sha256(HF_STR("another release"));
}
static void p_prod(struct hf_pointer *p)
{
	p->environment = "prod";
	p->seq = 6;
}
static void p_fleet(struct hf_pointer *p)
{
	p->fleet = "db";
	p->seq = 6;
}
static void p_epoch_ahead(struct hf_pointer *p)
{
	p->key_epoch = 2;
}
static void p_expired(struct hf_pointer *p)
{
	p->seq = 6;
	p->expires = KIT_NOW - 1;
}
static void p_expires_now(struct hf_pointer *p)
{
	p->seq = 6;
	p->expires = KIT_NOW;
}
static void p_below_minimum(struct hf_pointer *p)
{
	p->seq = 5;
}
static void p_rollback(struct hf_pointer *p)
{
	p->seq = 6;
	p->kind = HF_POINTER_ROLLBACK;
	p->reason = "it broke";
}
static void p_rollback_silent(struct hf_pointer *p)
{
	p->seq = 6;
	p->kind = HF_POINTER_ROLLBACK;
}
static void p_halt_silent(struct hf_pointer *p)
{
	p->seq = 6;
	p->kind = HF_POINTER_HALT;
}
static void p_revoked(struct hf_pointer *p)
{
	p->seq = 6;
	p->kind = HF_POINTER_ROLLBACK;
	p->reason = "back";
	p->release = hf_sha256(HF_STR("revoked"));
}
static void p_control(struct hf_pointer *p)
{
	p->seq = 6;
	p->reason = "\033[2J";
}
static void p_huge(struct hf_pointer *p)
{
	p->seq = HF_NUMBER_MAX + 1;
}

struct pointer_row {
	const char *title;
	void (*change)(struct hf_pointer *p);
	unsigned signers;
	int64_t clock; /* from KIT_NOW */
	enum hf_refusal want;
	int64_t min_seq;
};
/* The host has accepted the kit's pointer, seq 5; "revoked" stands in the floor. */
static const struct pointer_row pointers[] = {
	{ "pointer: the same again", p_none, KIT_DEV, 0, HF_REFUSED_NOTHING },
	{ "pointer: the next", p_next, KIT_DEV, 0, HF_REFUSED_NOTHING },
	{ "pointer: a rollback with reason", p_rollback, KIT_DEV, 0, HF_REFUSED_NOTHING },
	{ "pointer: also signed by a stranger", p_next, KIT_DEV | KIT_STRANGER, 0, HF_REFUSED_NOTHING },
	{ "pointer: clock far back", p_next, KIT_DEV, -20 * 365 * KIT_DAY, HF_REFUSED_NOTHING },
	{ "pointer: older", p_older, KIT_DEV, 0, HF_REFUSED_REPLAYED_POINTER },
	{ "pointer: same number, other bytes", p_other_bytes, KIT_DEV, 0, HF_REFUSED_EQUIVOCATION },
	{ "pointer: unsigned", p_next, 0, 0, HF_REFUSED_UNSIGNED },
	{ "pointer: signed by prod", p_next, KIT_PROD_A | KIT_PROD_B, 0, HF_REFUSED_UNKNOWN_KEY },
	{ "pointer: signed by the release role", p_next, KIT_RELEASE, 0, HF_REFUSED_UNKNOWN_KEY },
	{ "pointer: signed by root", p_next, KIT_ROOT_A | KIT_ROOT_B, 0, HF_REFUSED_UNKNOWN_KEY },
	{ "pointer: of another environment", p_prod, KIT_DEV, 0, HF_REFUSED_WRONG_ENVIRONMENT },
	{ "pointer: of another fleet", p_fleet, KIT_DEV, 0, HF_REFUSED_WRONG_FLEET },
	{ "pointer: of a key epoch to come", p_epoch_ahead, KIT_DEV, 0, HF_REFUSED_WRONG_EPOCH },
	{ "pointer: expired", p_expired, KIT_DEV, 0, HF_REFUSED_EXPIRED_POINTER },
	{ "pointer: expires this second", p_expires_now, KIT_DEV, 0, HF_REFUSED_EXPIRED_POINTER },
	{ "pointer: the same, expired since", p_none, KIT_DEV, 8 * KIT_DAY, HF_REFUSED_EXPIRED_POINTER },
	{ "pointer: expired, and the clock set back", p_expired, KIT_DEV, -KIT_DAY, HF_REFUSED_NOTHING },
	{ "pointer: below the minimum", p_below_minimum, KIT_DEV, 0, HF_REFUSED_BELOW_MINIMUM, 6 },
	{ "pointer: at the minimum", p_next, KIT_DEV, 0, HF_REFUSED_NOTHING, 6 },
	{ "pointer: rollback without reason", p_rollback_silent, KIT_DEV, 0, HF_REFUSED_BAD_DOCUMENT },
	{ "pointer: halt without reason", p_halt_silent, KIT_DEV, 0, HF_REFUSED_BAD_DOCUMENT },
	{ "pointer: back to a revoked release", p_revoked, KIT_DEV, 0, HF_REFUSED_REVOKED },
	{ "pointer: control characters", p_control, KIT_DEV, 0, HF_REFUSED_BAD_DOCUMENT },
	{ "pointer: a number too large", p_huge, KIT_DEV, 0, HF_REFUSED_BAD_DOCUMENT },
};

static struct hf_trust trust_with_pointer(void)
{
	struct hf_pointer p = kit_pointer(&kit), got;
	struct hf_trust trust = kit.trust;
	struct hf_error err;
	struct hf_root *root = hf_new(kit.arena, struct hf_root);
	struct hf_revocation *revoked = hf_new(kit.arena, struct hf_revocation);
	*revoked = (struct hf_revocation){ hf_sha256(HF_STR("revoked")), "leaks a password", KIT_NOW };
	*root = *trust.root;
	root->revoked = revoked;
	root->n_revoked = 1;
	trust.root = root;
	int result = hf_accept_pointer(kit.arena, &kit.config, &trust, kit_pointer_signed(&kit, &p, KIT_DEV),
		KIT_NOW, &got, &trust, NULL, &err);
	assert_int_equal(result, 0);
	return trust;
}

static void pointer_row(void **state)
{
	const struct pointer_row *r = *state;
	struct hf_error err;
	struct hf_trust trust = trust_with_pointer(), next = trust;
	struct hf_pointer p = kit_pointer(&kit), got;
	struct hf_accept_config config = kit.config;
	config.min_epoch = r->min_seq > 0 ? 1 : 0;
	config.min_seq = r->min_seq;
	r->change(&p);
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	int result = hf_accept_pointer(kit.arena, &config, &trust, kit_pointer_signed(&kit, &p, r->signers),
		KIT_NOW + r->clock, &got, &next, &refusal, &err);
	assert_string_equal(hf_refusal_word(refusal), hf_refusal_word(r->want));
	assert_int_equal(result, r->want == HF_REFUSED_NOTHING ? 0 : -HF_E_TRUST);
	if (result < 0) {
		assert_memory_equal(&next, &trust, sizeof(trust));
		assert_true(
			strncmp(err.text, hf_refusal_word(r->want), strlen(hf_refusal_word(r->want))) == 0);
	} else {
		assert_int_equal(next.seq, p.seq);
		assert_true(next.newest_issued >= trust.newest_issued);
	}
}

/* --- roots --- */
static void r_next(struct hf_root *r)
{
}
static void r_gap(struct hf_root *r)
{
	r->version = 3;
}
static void r_again(struct hf_root *r)
{
	r->version = 1;
}
static void r_epoch_down(struct hf_root *r)
{
	r->key_epoch = 1;
}
static void r_forget(struct hf_root *r)
{
	r->n_revoked = 0;
}
static void r_agent_down(struct hf_root *r)
{
	r->agent_floor = "1.0.9";
}
static void r_agent_none(struct hf_root *r)
{
	r->agent_floor = NULL;
}
static void r_new_keys(struct hf_root *r)
{
	r->root = kit_role(&kit, KIT_NEW_ROOT, 1);
}
static void r_threshold_too_high(struct hf_root *r)
{
	r->release.threshold = 2;
}
static void r_expired(struct hf_root *r)
{
	r->expires = r->issued + 1;
}

struct root_row {
	const char *title;
	void (*change)(struct hf_root *r);
	unsigned signers;
	enum hf_refusal want;
};
/* Trusted: version 1, key epoch 2, one revocation, agent floor 1.0.10. */
static const struct root_row roots[] = {
	{ "root: the next", r_next, KIT_ROOT_A | KIT_ROOT_B, HF_REFUSED_NOTHING },
	{ "root: expired, its successor may not be", r_expired, KIT_ROOT_A | KIT_ROOT_B, HF_REFUSED_NOTHING },
	{ "root: new keys, signed by old and new", r_new_keys, KIT_ROOT_A | KIT_ROOT_B | KIT_NEW_ROOT,
		HF_REFUSED_NOTHING },
	{ "root: new keys, signed by new only", r_new_keys, KIT_NEW_ROOT, HF_REFUSED_UNKNOWN_KEY },
	{ "root: new keys, signed by old only", r_new_keys, KIT_ROOT_A | KIT_ROOT_B, HF_REFUSED_UNKNOWN_KEY },
	{ "root: new keys, signed by new and one old", r_new_keys, KIT_ROOT_A | KIT_NEW_ROOT,
		HF_REFUSED_BELOW_THRESHOLD },
	{ "root: one of two", r_next, KIT_ROOT_A, HF_REFUSED_BELOW_THRESHOLD },
	{ "root: signed by deploy", r_next, KIT_DEV, HF_REFUSED_UNKNOWN_KEY },
	{ "root: unsigned", r_next, 0, HF_REFUSED_UNSIGNED },
	{ "root: one skipped", r_gap, KIT_ROOT_A | KIT_ROOT_B, HF_REFUSED_ROOT_GAP },
	{ "root: the same version", r_again, KIT_ROOT_A | KIT_ROOT_B, HF_REFUSED_ROOT_ROLLBACK },
	{ "root: key epoch falls", r_epoch_down, KIT_ROOT_A | KIT_ROOT_B, HF_REFUSED_ROOT_ROLLBACK },
	{ "root: forgets a revocation", r_forget, KIT_ROOT_A | KIT_ROOT_B, HF_REFUSED_FLOOR_LOWERED },
	{ "root: agent floor falls", r_agent_down, KIT_ROOT_A | KIT_ROOT_B, HF_REFUSED_FLOOR_LOWERED },
	{ "root: agent floor goes", r_agent_none, KIT_ROOT_A | KIT_ROOT_B, HF_REFUSED_FLOOR_LOWERED },
	{ "root: a threshold nobody can reach", r_threshold_too_high, KIT_ROOT_A | KIT_ROOT_B,
		HF_REFUSED_BAD_DOCUMENT },
};

static struct hf_root root_one(void)
{
	struct hf_root r = kit.root;
	struct hf_revocation *revoked = hf_new(kit.arena, struct hf_revocation);
	*revoked = (struct hf_revocation){ hf_sha256(HF_STR("revoked")), "leaks a password", KIT_NOW };
	r.revoked = revoked;
	r.n_revoked = 1;
	r.key_epoch = 2;
	r.agent_floor = "1.0.10";
	return r;
}

static void root_row(void **state)
{
	const struct root_row *r = *state;
	struct hf_error err;
	struct hf_root one = root_one(), two = root_one();
	struct hf_trust trust, next;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	int result = hf_accept_first_root(kit.arena, &kit.config,
		kit_root(&kit, &one, KIT_ROOT_A | KIT_ROOT_B), &trust, &refusal, &err);
	assert_int_equal(result, 0);
	two.version = 2;
	r->change(&two);
	next = trust;
	result = hf_accept_root(kit.arena, &trust, kit_root(&kit, &two, r->signers), &next, &refusal, &err);
	assert_string_equal(hf_refusal_word(refusal), hf_refusal_word(r->want));
	assert_int_equal(result, r->want == HF_REFUSED_NOTHING ? 0 : -HF_E_TRUST);
	assert_int_equal(next.root->version, result == 0 ? 2 : 1);
}

/* A thief of the deploy key signs the highest number with a time far ahead; a new key epoch recovers from it.
 */
static void fast_forward(void **state)
{
	struct hf_error err;
	struct hf_trust trust = kit.trust;
	struct hf_pointer p = kit_pointer(&kit), got;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	p.seq = HF_NUMBER_MAX;
	p.issued = KIT_NOW + 5000 * KIT_DAY;
	p.expires = p.issued + KIT_DAY;
	assert_int_equal(
		hf_accept_pointer(kit.arena, &kit.config, &trust, kit_pointer_signed(&kit, &p, KIT_DEV),
			KIT_NOW, &got, &trust, &refusal, &err),
		0);
	struct hf_root two = kit.root;
	struct hf_deploy_role deploy[2] = { { "dev", kit_role(&kit, KIT_STRANGER, 1) }, kit.root.deploy[1] };
	two.version = 2;
	two.key_epoch = 2;
	two.deploy = deploy;
	assert_int_equal(hf_accept_root(kit.arena, &trust, kit_root(&kit, &two, KIT_ROOT_A | KIT_ROOT_B),
				 &trust, &refusal, &err),
		0);
	struct hf_pointer fresh = kit_pointer(&kit);
	fresh.key_epoch = 2;
	fresh.seq = 1;
	assert_int_equal(
		hf_accept_pointer(kit.arena, &kit.config, &trust, kit_pointer_signed(&kit, &p, KIT_DEV),
			KIT_NOW, &got, &trust, &refusal, &err),
		-HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_UNKNOWN_KEY);
	assert_int_equal(hf_accept_pointer(kit.arena, &kit.config, &trust,
				 kit_pointer_signed(&kit, &fresh, KIT_STRANGER), KIT_NOW, &got, &trust,
				 &refusal, &err),
		0);
	assert_int_equal(trust.key_epoch, 2);
	assert_int_equal(trust.seq, 1);
}

static void root_rules(void **state)
{
	struct hf_error err;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	struct hf_accept_config config = kit.config;
	struct hf_trust trust = kit.trust;
	assert_int_equal(hf_accept_root_current(&config, &trust, KIT_NOW, &refusal, &err), 0);
	assert_int_equal(hf_accept_root_current(&config, &trust, KIT_NOW + 301 * KIT_DAY, &refusal, &err),
		-HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_EXPIRED_ROOT);
	trust.newest_issued = KIT_NOW + 301 * KIT_DAY; /* a clock set back does not help */
	assert_int_equal(hf_accept_root_current(&config, &trust, KIT_NOW, &refusal, &err), -HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_EXPIRED_ROOT);
	config.min_root = 2;
	assert_int_equal(hf_accept_root_current(&config, &kit.trust, KIT_NOW, &refusal, &err), -HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_BELOW_MINIMUM);
	struct hf_root one = root_one();
	trust.root = &one;
	config = kit.config;
	config.agent_version = "1.0.9";
	assert_int_equal(hf_accept_root_current(&config, &trust, KIT_NOW, &refusal, &err), -HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_AGENT_TOO_OLD);
	assert_int_equal(hf_accept_agent(&kit.config, &trust, "1.1.0", &refusal, &err), -HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_AGENT_DOWNGRADE);
	assert_int_equal(hf_accept_agent(&kit.config, &trust, "1.10.0", &refusal, &err), 0);
	config.pinned = true;
	struct hf_trust other;
	assert_int_equal(
		hf_accept_first_root(kit.arena, &config, kit.trust.root_bytes, &other, &refusal, &err),
		-HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_PINNED_ROOT);
}

/* --- releases --- */
struct file_row {
	const char *title, *path;
	int64_t size;
	unsigned mode;
	enum hf_refusal want;
};
static const struct file_row files[] = {
	{ "file: plain", "site.yml", 1, 0644, HF_REFUSED_NOTHING },
	{ "file: in folders", "a/b/site.yml", 1, 0755, HF_REFUSED_NOTHING },
	{ "file: a letter beyond ASCII", "caf\303\251", 1, 0644, HF_REFUSED_NOTHING },
	{ "file: upwards", "../etc/passwd", 1, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "file: upwards inside", "a/../../b", 1, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "file: upwards at the end", "a/..", 1, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "file: absolute", "/etc/passwd", 1, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "file: a dot", "./a", 1, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "file: empty part", "a//b", 1, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "file: slash at the end", "a/", 1, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "file: no name", "", 1, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "file: backslash", "a\\b", 1, 0644, HF_REFUSED_UNSAFE_PATH },
	{ "file: newline", "a\nb", 1, 0644, HF_REFUSED_BAD_DOCUMENT },
};

/* The writer writes what it is told; the parser is the one who must refuse. */
static void file_row(void **state)
{
	const struct file_row *r = *state;
	struct hf_error err;
	struct hf_manifest m = kit_manifest(&kit), got;
	struct hf_file file = { r->path, r->size, hf_sha256(HF_STR("x")), r->mode };
	struct hf_digest release;
	m.files = &file;
	m.n_files = 1;
	m.entry = r->path;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	struct hf_str bytes = kit_manifest_signed(&kit, &m, KIT_RELEASE, &release);
	int result =
		hf_accept_release(kit.arena, &kit.config, &kit.trust, &release, bytes, &got, &refusal, &err);
	assert_string_equal(hf_refusal_word(refusal), hf_refusal_word(r->want));
	assert_int_equal(result, r->want == HF_REFUSED_NOTHING ? 0 : -HF_E_TRUST);
}

#define HASH           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FILE_ROW(path) "{\"path\":\"" path "\",\"size\":1,\"sha256\":\"" HASH "\",\"mode\":\"0644\"}"
#define RELEASE(files)                                                                                       \
	"{\"name\":\"\",\"created\":\"2027-01-01T00:00:00Z\",\"entry\":\"a\",\"files\":[" files              \
	"],\"gates\":[],\"min_agent\":\"\"}"
struct text_row {
	const char *title, *text;
	enum hf_refusal want;
};
static const struct text_row texts[] = {
	{ "release: plain", RELEASE(FILE_ROW("a")), HF_REFUSED_NOTHING },
	{ "release: not sorted", RELEASE(FILE_ROW("b") "," FILE_ROW("a")), HF_REFUSED_BAD_DOCUMENT },
	{ "release: one path twice", RELEASE(FILE_ROW("a") "," FILE_ROW("a")), HF_REFUSED_BAD_DOCUMENT },
	{ "release: a file that is a folder too",
		RELEASE(FILE_ROW("a") "," FILE_ROW("a-b") "," FILE_ROW("a/b")), HF_REFUSED_UNSAFE_PATH },
	{ "release: entry is no file", RELEASE(FILE_ROW("b")), HF_REFUSED_BAD_DOCUMENT },
	{ "release: no files", RELEASE(""), HF_REFUSED_BAD_DOCUMENT },
	{ "release: setuid", RELEASE("{\"path\":\"a\",\"size\":1,\"sha256\":\"" HASH "\",\"mode\":\"4755\"}"),
		HF_REFUSED_UNSAFE_MODE },
	{ "release: a link", RELEASE("{\"path\":\"a\",\"link\":\"/etc/passwd\"}"), HF_REFUSED_BAD_DOCUMENT },
	{ "release: negative size",
		RELEASE("{\"path\":\"a\",\"size\":-1,\"sha256\":\"" HASH "\",\"mode\":\"0644\"}"),
		HF_REFUSED_BAD_DOCUMENT },
	{ "release: size too large for a number",
		RELEASE("{\"path\":\"a\",\"size\":99999999999999999999,\"sha256\":\"" HASH
			"\",\"mode\":\"0644\"}"),
		HF_REFUSED_BAD_DOCUMENT },
	{ "release: size that is real",
		RELEASE("{\"path\":\"a\",\"size\":1.5,\"sha256\":\"" HASH "\",\"mode\":\"0644\"}"),
		HF_REFUSED_BAD_DOCUMENT },
	{ "release: a file of 5 GiB",
		RELEASE("{\"path\":\"a\",\"size\":5368709120,\"sha256\":\"" HASH "\",\"mode\":\"0644\"}"),
		HF_REFUSED_TOO_LARGE },
	{ "release: NUL in a path", RELEASE(FILE_ROW("a\\u0000b")), HF_REFUSED_BAD_DOCUMENT },
	{ "release: duplicate key", "{\"name\":\"\",\"name\":\"\"}", HF_REFUSED_BAD_DOCUMENT },
	{ "release: an unknown field", "{\"name\":\"\",\"setuid\":true}", HF_REFUSED_BAD_DOCUMENT },
	{ "release: cut short", "{\"name\":\"\"", HF_REFUSED_BAD_DOCUMENT },
	{ "release: a list", "[]", HF_REFUSED_BAD_DOCUMENT },
	{ "release: empty", "", HF_REFUSED_BAD_DOCUMENT },
};

static void text_row(void **state)
{
	const struct text_row *r = *state;
	struct hf_error err;
	struct hf_manifest got;
	struct hf_digest release = hf_sha256(hf_str(r->text));
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	struct hf_str bytes = kit_sign(&kit, HF_DOC_RELEASE, hf_str(r->text), KIT_RELEASE);
	int result =
		hf_accept_release(kit.arena, &kit.config, &kit.trust, &release, bytes, &got, &refusal, &err);
	assert_string_equal(hf_refusal_word(refusal), hf_refusal_word(r->want));
	assert_int_equal(result, r->want == HF_REFUSED_NOTHING ? 0 : -HF_E_TRUST);
}

static void deep_nesting(void **state)
{
	struct hf_error err;
	struct hf_pointer got;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	hf_auto_buf deep = hf_buf_init(HF_POINTER_MAX / 2);
	for (int i = 0; i < 20000; i++)
		hf_buf_put(&deep, '[');
	struct hf_trust next;
	struct hf_str bytes = kit_sign(&kit, HF_DOC_POINTER, hf_buf_str(&deep), KIT_DEV);
	assert_int_equal(hf_accept_pointer(kit.arena, &kit.config, &kit.trust, bytes, KIT_NOW, &got, &next,
				 &refusal, &err),
		-HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_BAD_DOCUMENT);
}

static void release_rules(void **state)
{
	struct hf_error err;
	struct hf_manifest m = kit_manifest(&kit), got;
	struct hf_digest release, other = hf_sha256(HF_STR("other"));
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	struct hf_str bytes = kit_manifest_signed(&kit, &m, KIT_RELEASE, &release);
	struct hf_accept_config config = kit.config;
	assert_int_equal(
		hf_accept_release(kit.arena, &config, &kit.trust, &release, bytes, &got, &refusal, &err), 0);
	assert_int_equal(got.n_files, 2);
	assert_string_equal(got.entry, "site.yml");
	assert_int_equal(
		hf_accept_release(kit.arena, &config, &kit.trust, &other, bytes, &got, &refusal, &err),
		-HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_HASH_MISMATCH);
	config.agent_version = "0.9";
	assert_int_equal(
		hf_accept_release(kit.arena, &config, &kit.trust, &release, bytes, &got, &refusal, &err),
		-HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_AGENT_TOO_OLD);
	bytes = kit_manifest_signed(&kit, &m, KIT_DEV, &release);
	assert_int_equal(
		hf_accept_release(kit.arena, &kit.config, &kit.trust, &release, bytes, &got, &refusal, &err),
		-HF_E_TRUST);
	assert_int_equal(refusal, HF_REFUSED_UNKNOWN_KEY);
}

/* --- every byte --- */
static int accept_any(enum hf_document kind, struct hf_str bytes, const struct hf_digest *release)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_error err;
	struct hf_trust next;
	struct hf_pointer p;
	struct hf_manifest m;
	if (kind == HF_DOC_POINTER)
		return hf_accept_pointer(a, &kit.config, &kit.trust, bytes, KIT_NOW, &p, &next, NULL, &err);
	if (kind == HF_DOC_ROOT)
		return hf_accept_root(a, &kit.trust, bytes, &next, NULL, &err);
	return hf_accept_release(a, &kit.config, &kit.trust, release, bytes, &m, NULL, &err);
}

static void mutate_all(enum hf_document kind, struct hf_str bytes, const struct hf_digest *release)
{
	assert_int_equal(accept_any(kind, bytes, release), 0);
	char *copy = hf_strndup(kit.arena, bytes.p, bytes.n);
	for (size_t i = 0; i < bytes.n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			copy[i] = (char)(copy[i] ^ (1 << bit));
			assert_int_equal(accept_any(kind, hf_strn(copy, bytes.n), release), -HF_E_TRUST);
			copy[i] = bytes.p[i];
		}
		assert_int_equal(accept_any(kind, hf_strn(bytes.p, i), release), -HF_E_TRUST);
	}
}

static void mutate_pointer(void **state)
{
	struct hf_pointer p = kit_pointer(&kit);
	mutate_all(HF_DOC_POINTER, kit_pointer_signed(&kit, &p, KIT_DEV), NULL);
}

static void mutate_root(void **state)
{
	struct hf_root two = kit.root;
	struct hf_deploy_role dev = kit.root.deploy[0];
	two.version = 2;
	two.n_keys = 4; /* root A and B, release, dev */
	two.deploy = &dev;
	two.n_deploy = 1;
	mutate_all(HF_DOC_ROOT, kit_root(&kit, &two, KIT_ROOT_A | KIT_ROOT_B), NULL);
}

static void mutate_release(void **state)
{
	struct hf_manifest m = kit_manifest(&kit);
	struct hf_digest release;
	struct hf_str bytes = kit_manifest_signed(&kit, &m, KIT_RELEASE, &release);
	mutate_all(HF_DOC_RELEASE, bytes, &release);
}

static const struct CMUnitTest singles[] = {
	{ "fast-forward by a stolen key", fast_forward, NULL, NULL, NULL },
	{ "root: expiry, minimum, agent floor, pin", root_rules, NULL, NULL, NULL },
	{ "release: hash, agent, signer", release_rules, NULL, NULL, NULL },
	{ "pointer: deep nesting", deep_nesting, NULL, NULL, NULL },
	{ "every bit of a pointer", mutate_pointer, NULL, NULL, NULL },
	{ "every bit of a root", mutate_root, NULL, NULL, NULL },
	{ "every bit of a release", mutate_release, NULL, NULL, NULL },
};

#define ADD_ROWS(rows, check)                                                                                \
	for (size_t i = 0; i < HF_COUNT(rows); i++)                                                          \
		tests[n++] = (struct CMUnitTest)                                                             \
		{                                                                                            \
			(rows)[i].title, check, NULL, NULL, (void *)(uintptr_t) & (rows)[i]                  \
		}

int main(void)
{
	struct CMUnitTest tests[HF_COUNT(pointers) + HF_COUNT(roots) + HF_COUNT(files) + HF_COUNT(texts) +
				HF_COUNT(singles)];
	size_t n = 0;
	kit_init(&kit);
	ADD_ROWS(pointers, pointer_row);
	ADD_ROWS(roots, root_row);
	ADD_ROWS(files, file_row);
	ADD_ROWS(texts, text_row);
	for (size_t i = 0; i < HF_COUNT(singles); i++)
		tests[n++] = singles[i];
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	kit_done(&kit);
	return failed;
}
