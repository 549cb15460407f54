#include "lib/release/accept.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/release/verify.h"

static struct hf_str bytes_keep(struct hf_arena *a, struct hf_str bytes)
{
	return hf_strn(hf_strndup(a, bytes.p, bytes.n), bytes.n);
}

static int64_t time_floor(const struct hf_trust *trust, int64_t now)
{
	return now > trust->newest_issued ? now : trust->newest_issued;
}

/* A root whose payload may be parsed although nothing vouches for it yet but whoever placed it on this host:
 * the first one, and the host's own copy. It must at least be signed by the root role it declares. */
static int root_self_signed(struct hf_arena *a, struct hf_str bytes, struct hf_root **ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_envelope *e = hf_new(a, struct hf_envelope);
	struct hf_root *root = hf_new(a, struct hf_root);
	int result = hf_envelope_scan(a, bytes, HF_DOC_ROOT, e, ret_refusal, err);
	if (result == 0)
		result = hf_root_parse(a, e->payload, root, ret_refusal, err);
	if (result == 0)
		result = hf_verify_envelope(
			e, (const struct hf_role *const[]){ &root->root }, 1, ret_refusal, err);
	if (result == 0)
		*ret = root;
	return result;
}

int hf_accept_first_root(struct hf_arena *a, const struct hf_accept_config *config, struct hf_str bytes,
	struct hf_trust *ret, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_digest digest = hf_sha256(bytes);
	if (config->pinned && !hf_digest_equal(&digest, &config->pin)) {
		char got[HF_SHA256_HEX], want[HF_SHA256_HEX];
		return hf_refuse(ret_refusal, err, HF_REFUSED_PINNED_ROOT,
			"its hash is %.16s, %.16s is pinned", hf_digest_hex(&digest, got),
			hf_digest_hex(&config->pin, want));
	}
	struct hf_root *root = NULL;
	int result = root_self_signed(a, bytes, &root, ret_refusal, err);
	if (result < 0)
		return result;
	*ret = (struct hf_trust){ .root_bytes = bytes_keep(a, bytes), .root = root };
	return 0;
}

int hf_accept_restore(
	struct hf_arena *a, struct hf_trust *trust, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_root *root = NULL;
	int result = root_self_signed(a, trust->root_bytes, &root, ret_refusal, err);
	if (result == 0)
		trust->root = root;
	return result;
}

/* Version, key epoch and floor only rise. */
static int root_rises(const struct hf_root *old, const struct hf_root *new, enum hf_refusal *ret_refusal,
	struct hf_error *err)
{
	if (new->version > old->version + 1)
		return hf_refuse(ret_refusal, err, HF_REFUSED_ROOT_GAP, "root %lld where %lld must follow",
			(long long)new->version, (long long)old->version + 1);
	if (new->version <= old->version)
		return hf_refuse(ret_refusal, err, HF_REFUSED_ROOT_ROLLBACK,
			"root %lld where %lld is trusted", (long long)new->version, (long long)old->version);
	if (new->key_epoch < old->key_epoch)
		return hf_refuse(ret_refusal, err, HF_REFUSED_ROOT_ROLLBACK, "key epoch %lld after %lld",
			(long long)new->key_epoch, (long long)old->key_epoch);
	for (size_t i = 0; i < old->n_revoked; i++) {
		char hex[HF_SHA256_HEX];
		if (hf_root_revocation(new, &old->revoked[i].release) == NULL)
			return hf_refuse(ret_refusal, err, HF_REFUSED_FLOOR_LOWERED,
				"root %lld no longer revokes release %.12s", (long long)new->version,
				hf_digest_hex(&old->revoked[i].release, hex));
	}
	if (old->agent_floor != NULL &&
		(new->agent_floor == NULL || hf_version_compare(new->agent_floor, old->agent_floor) < 0))
		return hf_refuse(ret_refusal, err, HF_REFUSED_FLOOR_LOWERED,
			"root %lld allows agents older than %s", (long long)new->version, old->agent_floor);
	return 0;
}

int hf_accept_root(struct hf_arena *a, const struct hf_trust *trust, struct hf_str bytes,
	struct hf_trust *ret, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_str payload;
	const struct hf_role *old_role = &trust->root->root;
	int result = hf_verify(a, bytes, HF_DOC_ROOT, &old_role, 1, &payload, ret_refusal, err);
	if (result < 0)
		return result;
	struct hf_root *root = NULL;
	result = root_self_signed(a, bytes, &root, ret_refusal, err);
	if (result == 0)
		result = root_rises(trust->root, root, ret_refusal, err);
	if (result < 0)
		return result;
	struct hf_trust next = *trust;
	next.root = root;
	next.root_bytes = bytes_keep(a, bytes);
	/* A deploy key that was stolen may have signed times far ahead: a new epoch forgets them. */
	if (root->key_epoch > trust->root->key_epoch)
		next.newest_issued = root->issued;
	*ret = next;
	return 0;
}

int hf_accept_root_current(const struct hf_accept_config *config, const struct hf_trust *trust, int64_t now,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const struct hf_root *root = trust->root;
	if (root->version < config->min_root)
		return hf_refuse(ret_refusal, err, HF_REFUSED_BELOW_MINIMUM,
			"root %lld, this host needs %lld", (long long)root->version,
			(long long)config->min_root);
	if (root->agent_floor != NULL && hf_version_compare(config->agent_version, root->agent_floor) < 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_AGENT_TOO_OLD, "agent %s, the root asks for %s",
			config->agent_version, root->agent_floor);
	if (root->expires <= time_floor(trust, now))
		return hf_refuse(
			ret_refusal, err, HF_REFUSED_EXPIRED_ROOT, "root %lld", (long long)root->version);
	return 0;
}

static int pointer_is_ours(const struct hf_accept_config *config, const struct hf_pointer *p,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	if (!hf_str_is(hf_str(p->environment), config->environment))
		return hf_refuse(ret_refusal, err, HF_REFUSED_WRONG_ENVIRONMENT,
			"pointer for environment \"%s\", this host is in \"%s\"", p->environment,
			config->environment);
	if (!hf_str_is(hf_str(p->fleet), config->fleet))
		return hf_refuse(ret_refusal, err, HF_REFUSED_WRONG_FLEET,
			"pointer for fleet \"%s\", this host is in \"%s\"", p->fleet, config->fleet);
	return 0;
}

static int compare_numbers(int64_t epoch_a, int64_t seq_a, int64_t epoch_b, int64_t seq_b)
{
	if (epoch_a != epoch_b)
		return epoch_a < epoch_b ? -1 : 1;
	return seq_a == seq_b ? 0 : seq_a < seq_b ? -1 : 1;
}

static int pointer_rises(const struct hf_trust *trust, const struct hf_pointer *p,
	const struct hf_digest *digest, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	int order = compare_numbers(p->key_epoch, p->seq, trust->key_epoch, trust->seq);
	if (order < 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_REPLAYED_POINTER,
			"pointer %lld of epoch %lld where %lld of epoch %lld was accepted", (long long)p->seq,
			(long long)p->key_epoch, (long long)trust->seq, (long long)trust->key_epoch);
	if (order == 0 && !hf_digest_equal(digest, &trust->pointer))
		return hf_refuse(ret_refusal, err, HF_REFUSED_EQUIVOCATION,
			"another pointer %lld of epoch %lld was accepted before", (long long)p->seq,
			(long long)p->key_epoch);
	if (p->key_epoch != trust->root->key_epoch)
		return hf_refuse(ret_refusal, err, HF_REFUSED_WRONG_EPOCH,
			"pointer of epoch %lld, root of epoch %lld", (long long)p->key_epoch,
			(long long)trust->root->key_epoch);
	return 0;
}

/* A host whose state came from an old backup must not believe what that remembers, either. */
static int numbers_suffice(const struct hf_accept_config *config, const struct hf_trust *trust,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	if (compare_numbers(trust->key_epoch, trust->seq, config->min_epoch, config->min_seq) >= 0)
		return 0;
	return hf_refuse(ret_refusal, err, HF_REFUSED_BELOW_MINIMUM,
		"pointer %lld of epoch %lld, this host needs %lld of epoch %lld", (long long)trust->seq,
		(long long)trust->key_epoch, (long long)config->min_seq, (long long)config->min_epoch);
}

/* Without evidence a forward pointer needs the signers of an override. What evidence says is the affair of
 * whoever signed the pointer; that it is named binds them to an entry of the log. */
static int evidence_suffices(struct hf_arena *a, const struct hf_trust *trust, struct hf_str bytes,
	const struct hf_pointer *p, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const struct hf_promotion_rule *rule = hf_root_rule(trust->root, p->environment);
	struct hf_str payload;
	if (rule == NULL || p->kind != HF_POINTER_FORWARD)
		return 0;
	if (p->has_evidence && strcmp(p->evidence.environment, rule->after) == 0)
		return 0;
	struct hf_role all = *hf_root_deploy(trust->root, p->environment);
	const struct hf_role *role = &all;
	all.threshold = (size_t)rule->override;
	if (hf_verify(a, bytes, HF_DOC_POINTER, &role, 1, &payload, ret_refusal, err) == 0)
		return 0;
	return hf_refuse(ret_refusal, err, HF_REFUSED_NO_EVIDENCE,
		"pointer %lld of \"%s\" names no evidence of \"%s\", and fewer than %zu signed it",
		(long long)p->seq, p->environment, rule->after, all.threshold);
}

int hf_accept_pointer(struct hf_arena *a, const struct hf_accept_config *config, const struct hf_trust *trust,
	struct hf_str bytes, int64_t now, struct hf_pointer *ret_pointer, struct hf_trust *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const struct hf_role *role = hf_root_deploy(trust->root, config->environment);
	if (role == NULL)
		return hf_refuse(ret_refusal, err, HF_REFUSED_UNKNOWN_ENVIRONMENT,
			"environment \"%s\", root %lld", config->environment,
			(long long)trust->root->version);
	struct hf_str payload;
	struct hf_pointer p = { 0 };
	int result = hf_verify(a, bytes, HF_DOC_POINTER, &role, 1, &payload, ret_refusal, err);
	if (result == 0)
		result = hf_pointer_parse(a, payload, &p, ret_refusal, err);
	if (result == 0)
		result = pointer_is_ours(config, &p, ret_refusal, err);
	if (result == 0)
		result = evidence_suffices(a, trust, bytes, &p, ret_refusal, err);
	if (result < 0)
		return result;
	struct hf_trust next = *trust;
	next.pointer = hf_sha256(payload);
	result = pointer_rises(trust, &p, &next.pointer, ret_refusal, err);
	next.key_epoch = p.key_epoch;
	next.seq = p.seq;
	next.release = p.release;
	next.pointer_expires = p.expires;
	if (result == 0)
		result = hf_accept_fresh(config, &next, now, ret_refusal, err);
	if (result < 0)
		return result;
	if (p.issued > next.newest_issued)
		next.newest_issued = p.issued;
	*ret = next;
	*ret_pointer = p;
	return 0;
}

int hf_accept_fresh(const struct hf_accept_config *config, const struct hf_trust *trust, int64_t now,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	if (trust->seq == 0)
		return 0;
	int result = numbers_suffice(config, trust, ret_refusal, err);
	if (result < 0)
		return result;
	if (trust->pointer_expires <= time_floor(trust, now))
		return hf_refuse(ret_refusal, err, HF_REFUSED_EXPIRED_POINTER, "pointer %lld of epoch %lld",
			(long long)trust->seq, (long long)trust->key_epoch);
	if (trust->key_epoch != trust->root->key_epoch)
		return hf_refuse(ret_refusal, err, HF_REFUSED_WRONG_EPOCH,
			"pointer of epoch %lld, root of epoch %lld", (long long)trust->key_epoch,
			(long long)trust->root->key_epoch);
	return hf_accept_release_allowed(trust, &trust->release, ret_refusal, err);
}

int hf_accept_release_allowed(const struct hf_trust *trust, const struct hf_digest *release,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const struct hf_revocation *revoked = hf_root_revocation(trust->root, release);
	char hex[HF_SHA256_HEX];
	if (revoked == NULL)
		return 0;
	return hf_refuse(ret_refusal, err, HF_REFUSED_REVOKED, "release %.12s: %s",
		hf_digest_hex(release, hex), revoked->reason);
}

int hf_accept_release(struct hf_arena *a, const struct hf_accept_config *config, const struct hf_trust *trust,
	const struct hf_digest *release, struct hf_str bytes, struct hf_manifest *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const struct hf_role *role = &trust->root->release;
	struct hf_str payload;
	char got[HF_SHA256_HEX], want[HF_SHA256_HEX];
	int result = hf_verify(a, bytes, HF_DOC_RELEASE, &role, 1, &payload, ret_refusal, err);
	if (result < 0)
		return hf_wrap(err, "release %.12s", hf_digest_hex(release, want));
	struct hf_digest digest = hf_sha256(payload);
	if (!hf_digest_equal(&digest, release))
		return hf_refuse(ret_refusal, err, HF_REFUSED_HASH_MISMATCH,
			"release %.12s lies where %.12s should", hf_digest_hex(&digest, got),
			hf_digest_hex(release, want));
	result = hf_accept_release_allowed(trust, release, ret_refusal, err);
	struct hf_manifest m = { 0 };
	if (result == 0)
		result = hf_manifest_parse(a, payload, &m, ret_refusal, err);
	if (result < 0)
		return result;
	if (hf_version_compare(config->agent_version, m.min_agent) < 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_AGENT_TOO_OLD,
			"agent %s, release %.12s asks for %s", config->agent_version,
			hf_digest_hex(release, want), m.min_agent);
	*ret = m;
	return 0;
}

int hf_accept_object(const struct hf_file *file, int fd, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_digest digest;
	uint64_t size = 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return hf_fail_errno(err, HF_E_IO, "%s", file->path);
	int result = hf_sha256_fd(fd, (uint64_t)file->size, &digest, &size, err);
	if (result == -HF_E_LIMIT || (result == 0 && size != (uint64_t)file->size))
		return hf_refuse(ret_refusal, err, HF_REFUSED_SIZE_MISMATCH,
			"file \"%s\" should have %lld bytes", file->path, (long long)file->size);
	if (result < 0)
		return hf_wrap(err, "%s", file->path);
	if (!hf_digest_equal(&digest, &file->sha256))
		return hf_refuse(ret_refusal, err, HF_REFUSED_HASH_MISMATCH, "file \"%s\"", file->path);
	return 0;
}

int hf_accept_agent(const struct hf_accept_config *config, const struct hf_trust *trust, const char *version,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	const char *floor = trust->root->agent_floor;
	if (hf_version_compare(version, config->agent_version) < 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_AGENT_DOWNGRADE, "agent %s offered, %s runs",
			version, config->agent_version);
	if (floor != NULL && hf_version_compare(version, floor) < 0)
		return hf_refuse(ret_refusal, err, HF_REFUSED_AGENT_DOWNGRADE,
			"agent %s offered, the root asks for %s", version, floor);
	return 0;
}

static const char *package_version(struct hf_arena *a, const char *path)
{
	static const struct {
		const char *begin, *end;
		char separator;
	} kinds[] = { { "holdfast_", ".deb", '_' }, { "holdfast-", ".rpm", '-' } };
	const char *slash = strrchr(path, '/');
	struct hf_str name = hf_str(slash == NULL ? path : slash + 1);
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		if (!hf_str_starts(name, kinds[i].begin) || !hf_str_ends(name, kinds[i].end))
			continue;
		size_t n = strlen(kinds[i].begin);
		struct hf_str rest = hf_strn(name.p + n, name.n - n), version = rest;
		hf_str_split(&rest, kinds[i].separator, &version);
		return hf_str_dup(a, version);
	}
	return NULL;
}

int hf_accept_packages(struct hf_arena *a, const struct hf_accept_config *config,
	const struct hf_trust *trust, const struct hf_manifest *m, const char *allowed,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	for (size_t i = 0; i < m->n_files; i++) {
		const char *version = package_version(a, m->files[i].path);
		if (version == NULL || (allowed != NULL && hf_version_compare(version, allowed) == 0))
			continue;
		int result = hf_accept_agent(config, trust, version, ret_refusal, err);
		if (result < 0)
			return hf_wrap(err, "file \"%s\"", m->files[i].path);
	}
	return 0;
}
