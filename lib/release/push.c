/* lib/release/push.c - releases into a store and back out of it for people's tools; declared in manage.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/map.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/release/manage.h"
#include "lib/release/verify.h"

enum {
	HEAD_MAX = 64, /* more objects than this are looked up by listing instead of one by one */
	FIND_DIGITS_MIN = 6,
};

/* One row a distinct object. */
struct object {
	const struct hf_file *file;
	const char *source, *key;
	bool present;
};
struct objects {
	struct object *at;
	size_t n, room;
	struct hf_map by_key;
};

static void objects_of(
	struct hf_arena *a, const struct hf_manifest *m, const char *const *sources, struct objects *ret)
{
	*ret = (struct objects){ 0 };
	hf_map_init_str(&ret->by_key, a);
	for (size_t i = 0; i < m->n_files; i++) {
		char key[HF_OBJECT_KEY_SIZE];
		hf_object_key(&m->files[i].sha256, key);
		if (hf_map_find(&ret->by_key, key) != NULL)
			continue;
		const char *kept = hf_strdup(a, key);
		struct object *o = hf_vec_push(a, ret);
		*o = (struct object){ &m->files[i], sources == NULL ? NULL : sources[i], kept, false };
		hf_map_set(
			&ret->by_key, kept, (void *)ret->n); /* number + 1: rows move while the array grows */
	}
}

/* Which of the objects the store holds, with the right length. */
static int objects_look(
	struct hf_arena *a, struct hf_store *store, struct objects *objects, struct hf_error *err)
{
	if (objects->n <= HEAD_MAX) {
		struct hf_store_head heads[HEAD_MAX];
		for (size_t i = 0; i < objects->n; i++)
			heads[i] = (struct hf_store_head){ .key = objects->at[i].key };
		int result = hf_store_head_many(store, heads, objects->n, err);
		for (size_t i = 0; result == 0 && i < objects->n; i++)
			objects->at[i].present =
				heads[i].exists && heads[i].size == (uint64_t)objects->at[i].file->size;
		return result;
	}
	struct hf_store_entries entries;
	int result = hf_store_list(a, store, "objects/", &entries, err);
	for (size_t i = 0; result == 0 && i < entries.n; i++) {
		size_t row = (size_t)hf_map_get(&objects->by_key, entries.at[i].key);
		if (row > 0)
			objects->at[row - 1].present =
				entries.at[i].size == (uint64_t)objects->at[row - 1].file->size;
	}
	return result;
}

static int objects_upload(struct hf_arena *a, struct hf_store *store, const struct objects *objects,
	struct hf_push_report *report, struct hf_error *err)
{
	struct hf_store_put *puts = hf_new_array(a, objects->n + 1, struct hf_store_put);
	size_t n = 0;
	uint64_t bytes = 0;
	for (size_t i = 0; i < objects->n; i++) {
		const struct object *o = &objects->at[i];
		if (o->present)
			continue;
		puts[n++] = (struct hf_store_put){ .key = o->key,
			.fd = -1,
			.path = o->source,
			.size = (uint64_t)o->file->size,
			.sha256 = &o->file->sha256 };
		bytes += (uint64_t)o->file->size;
	}
	if (n > 0 && store->options.expect != NULL)
		store->options.expect(store->options.data, n, bytes);
	int result = n == 0 ? 0 : hf_store_put_many(store, puts, n, err);
	if (n > 0 && store->options.expect != NULL)
		store->options.expect(store->options.data, 0, 0);
	if (result < 0)
		return hf_wrap(err, "upload to %s", store->url);
	report->uploaded += n;
	report->uploaded_bytes += bytes;
	return 0;
}

static int document_get(struct hf_arena *a, struct hf_store *store, const struct hf_digest *release,
	struct hf_str *ret, struct hf_etag *ret_etag, struct hf_error *err)
{
	char key[HF_RELEASE_KEY_SIZE];
	hf_auto_buf bytes = hf_buf_init(HF_RELEASE_MAX + 1);
	struct hf_store_get get = {
		.key = hf_release_key(release, key), .out = &bytes, .max = HF_RELEASE_MAX
	};
	int result = hf_store_get(store, &get, err);
	if (result < 0)
		return result;
	*ret = hf_buf_dup(a, &bytes);
	*ret_etag = get.etag;
	return 0;
}

/* The document last: before it, nobody sees the release. One that is there and still good stays; one whose
 * signers lost their role is replaced. */
static int document_put(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_digest *release, struct hf_str document, bool *ret_existed, struct hf_error *err)
{
	char key[HF_RELEASE_KEY_SIZE];
	struct hf_store_put put = {
		.key = hf_release_key(release, key), .data = document, .fd = -1, .when = HF_PUT_CREATE
	};
	int result = hf_store_put(store, &put, err);
	if (result != -HF_E_CONFLICT)
		return result;
	struct hf_str present, payload;
	struct hf_etag etag;
	struct hf_error ignored;
	const struct hf_role *role = &roots->trust.root->release;
	result = document_get(a, store, release, &present, &etag, err);
	if (result < 0)
		return result;
	*ret_existed = true;
	if (hf_verify(a, present, HF_DOC_RELEASE, &role, 1, &payload, NULL, &ignored) == 0)
		return 0;
	put.when = HF_PUT_MATCH;
	put.etag = etag.text;
	return hf_store_put(store, &put, err);
}

int hf_push(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_tree *tree, struct hf_str document, struct hf_push_report *ret,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_accept_config config = { .agent_version = tree->manifest.min_agent };
	struct hf_manifest checked;
	struct hf_push_report report = { 0 };
	/* As a host will: an upload that no host would believe is not begun. */
	int result = hf_accept_release(
		a, &config, &roots->trust, &tree->release, document, &checked, ret_refusal, err);
	if (result < 0)
		return result;
	struct objects objects;
	objects_of(a, &tree->manifest, tree->sources, &objects);
	report.objects = objects.n;
	for (size_t i = 0; i < objects.n; i++)
		report.bytes += (uint64_t)objects.at[i].file->size;
	result = objects_look(a, store, &objects, err);
	if (result == 0)
		result = objects_upload(a, store, &objects, &report, err);
	if (result == 0)
		result = document_put(a, store, roots, &tree->release, document, &report.existed, err);
	if (result < 0)
		return result;
	/* Garbage may have been collected meanwhile: what it took of the objects found present is sent again.
	 */
	bool all_sent = report.uploaded == report.objects;
	for (size_t i = 0; i < objects.n; i++)
		objects.at[i].present = false;
	if (!all_sent)
		result = objects_look(a, store, &objects, err);
	if (!all_sent && result == 0)
		result = objects_upload(a, store, &objects, &report, err);
	if (result == 0)
		*ret = report;
	return result;
}

int hf_release_read(struct hf_arena *a, struct hf_store *store, const struct hf_roots *roots,
	const struct hf_digest *release, struct hf_manifest *ret, struct hf_envelope *ret_envelope,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct hf_accept_config config = { .agent_version = "999999" };
	struct hf_trust trust = roots->trust;
	struct hf_str bytes;
	struct hf_etag etag;
	struct hf_root root = *trust.root;
	root.n_revoked = 0; /* people may look at a revoked release; they are told below */
	trust.root = &root;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	int result = document_get(a, store, release, &bytes, &etag, err);
	if (result == 0)
		result = hf_accept_release(a, &config, &trust, release, bytes, ret, &refusal, err);
	if (result == 0 && ret_envelope != NULL)
		result = hf_envelope_scan(a, bytes, HF_DOC_RELEASE, ret_envelope, &refusal, err);
	if (result == 0 && hf_root_revocation(roots->trust.root, release) != NULL)
		refusal = HF_REFUSED_REVOKED;
	if (ret_refusal != NULL)
		*ret_refusal = refusal;
	return result;
}

int hf_release_find(struct hf_arena *a, struct hf_store *store, const char *text, struct hf_digest *ret,
	struct hf_error *err)
{
	size_t n = strlen(text);
	if (hf_digest_parse(hf_str(text), ret))
		return 0;
	if (n < FIND_DIGITS_MIN || strspn(text, "0123456789abcdef") != n)
		return hf_fail(err, HF_E_ARGUMENT,
			"\"%s\" is not the hash of a release, nor its first six digits or more", text);
	struct hf_store_entries entries;
	int result = hf_store_list(a, store, hf_sprintf(a, "releases/%s", text), &entries, err);
	if (result < 0)
		return result;
	if (entries.n != 1)
		return hf_fail(err, entries.n == 0 ? HF_E_NOT_FOUND : HF_E_ARGUMENT,
			"%s release in %s starts with \"%s\"", entries.n == 0 ? "no" : "more than one",
			store->url, text);
	struct hf_str hex = hf_str(entries.at[0].key + strlen("releases/"));
	if (hex.n < HF_SHA256_HEX - 1 || !hf_digest_parse(hf_strn(hex.p, HF_SHA256_HEX - 1), ret))
		return hf_fail(err, HF_E_PARSE, "\"%s\" in %s is not named as a release", entries.at[0].key,
			store->url);
	return 0;
}

static int object_check(
	struct hf_store *store, const struct object *o, enum hf_refusal *ret_refusal, struct hf_error *err)
{
	hf_auto_fd fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "make a temporary file in /tmp");
	struct hf_store_get get = { .key = o->key, .fd = fd, .max = (uint64_t)o->file->size };
	int result = hf_store_get(store, &get, err);
	if (result == -HF_E_LIMIT)
		return hf_refuse(ret_refusal, err, HF_REFUSED_SIZE_MISMATCH, "file \"%s\"", o->file->path);
	return result < 0 ? result : hf_accept_object(o->file, fd, ret_refusal, err);
}

int hf_release_check(struct hf_arena *a, struct hf_store *store, const struct hf_manifest *m, bool deep,
	enum hf_refusal *ret_refusal, struct hf_error *err)
{
	struct objects objects;
	objects_of(a, m, NULL, &objects);
	int result = objects_look(a, store, &objects, err);
	for (size_t i = 0; result == 0 && i < objects.n; i++) {
		if (deep)
			result = object_check(store, &objects.at[i], ret_refusal, err);
		if (result == -HF_E_NOT_FOUND || (result == 0 && !deep && !objects.at[i].present))
			return hf_refuse(ret_refusal, err, HF_REFUSED_MISSING_OBJECT,
				"file \"%s\": %s is not in %s, or has another length",
				objects.at[i].file->path, objects.at[i].key, store->url);
	}
	return result;
}
