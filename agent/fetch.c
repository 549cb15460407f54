#include "agent/fetch.h"

#include <stdlib.h>
#include <unistd.h>

#include "agent/child.h"
#include "agent/store_wire.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/release/unpack.h"

enum { ROOTS_A_POLL = 1024, DOCUMENT_MAX = 16 << 20, PARALLEL_FILES = 64 };

struct poll {
	const struct hf_fetch *f;
	struct hf_arena *arena;
	struct hf_store *store;
	struct hf_accept_config who;
	struct hf_trust trust;
	enum hf_refusal refusal;
	int socket;
	int64_t now;
	bool root_changed;
	uint64_t began_ms, waited_ms; /* of the monotonic clock; what was spent on bytes from the store */
};

static int value_tell(int socket, const struct hf_value *v, bool ask, struct hf_error *err)
{
	hf_auto_buf b = hf_buf_init(HF_CHILD_LINE_MAX);
	struct hf_json_style style = HF_JSON_COMPACT;
	char answer = 'y';
	int result = hf_json_write(&b, v, &style, err);
	if (result == 0)
		result = ask ? hf_child_ask(socket, hf_buf_str(&b), &answer, err)
			     : hf_child_tell(socket, hf_buf_str(&b), err);
	if (result == 0 && answer != 'y')
		result = hf_fail(err, HF_E_CANCELLED, "the supervisor did not store it");
	return result;
}

static struct hf_value *line_new(struct hf_arena *a, const char *kind)
{
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "k", hf_value_cstr(a, kind));
	return v;
}

static void put_digest(struct hf_arena *a, struct hf_value *v, const char *key, const struct hf_digest *d)
{
	char hex[HF_SHA256_HEX];
	hf_dict_put(v, key, hf_value_cstr(a, hf_digest_hex(d, hex)));
}

static int trust_persist(struct poll *p, struct hf_error *err)
{
	struct hf_value *v = line_new(p->arena, "trust");
	const struct hf_trust *t = &p->trust;
	hf_dict_put(v, "root", hf_value_str(p->arena, t->root_bytes));
	hf_dict_put(v, "epoch", hf_value_int(p->arena, t->key_epoch));
	hf_dict_put(v, "seq", hf_value_int(p->arena, t->seq));
	put_digest(p->arena, v, "pointer", &t->pointer);
	put_digest(p->arena, v, "release", &t->release);
	hf_dict_put(v, "expires", hf_value_int(p->arena, t->pointer_expires));
	hf_dict_put(v, "issued", hf_value_int(p->arena, t->newest_issued));
	return value_tell(p->socket, v, true, err);
}

static int root_first(struct poll *p, struct hf_error *err)
{
	struct hf_str bytes;
	if (p->trust.root_bytes.n > 0)
		return hf_accept_restore(p->arena, &p->trust, &p->refusal, err);
	int result = hf_fs_read(p->arena, p->f->config->trust, DOCUMENT_MAX, &bytes, err);
	if (result == 0)
		result = hf_accept_first_root(p->arena, &p->who, bytes, &p->trust, &p->refusal, err);
	if (result < 0)
		return hf_wrap(err, "trust");
	return trust_persist(p, err);
}

static int document_get(struct poll *p, const char *key, const char *etag, struct hf_str *ret,
	struct hf_store_get *ret_get, struct hf_error *err)
{
	hf_auto_buf out = hf_buf_init(DOCUMENT_MAX);
	struct hf_store_get g = {
		.key = key, .out = &out, .fd = -1, .max = DOCUMENT_MAX, .if_none_match = etag
	};
	uint64_t began = hf_time_monotonic_ms();
	int result = hf_store_get(p->store, &g, err);
	p->waited_ms += hf_time_monotonic_ms() - began;
	if (result == 0)
		*ret = hf_buf_dup(p->arena, &out);
	*ret_get = g;
	ret_get->out = NULL;
	return result;
}

/* An older agent than one that worked here before may lack what that one knew: it keeps enforcing and accepts
 * nothing new, unless the host's administrator names it. */
static int agent_check(struct poll *p, struct hf_error *err)
{
	const char *newest = p->f->agent_newest, *allowed = p->f->config->allow_agent;
	struct hf_accept_config before = p->who;
	if (newest == NULL || (allowed != NULL && hf_version_compare(allowed, PACKAGE_VERSION) == 0))
		return 0;
	before.agent_version = newest;
	return hf_accept_agent(&before, &p->trust, PACKAGE_VERSION, &p->refusal, err);
}

static int root_walk(struct poll *p, struct hf_error *err)
{
	for (int i = 0; i < ROOTS_A_POLL; i++) {
		struct hf_str bytes;
		struct hf_store_get g;
		struct hf_trust next;
		struct hf_error why = { 0 };
		int result = document_get(
			p, hf_root_key_name(p->arena, p->trust.root->version + 1), NULL, &bytes, &g, &why);
		if (result == -HF_E_NOT_FOUND)
			break;
		if (result == 0)
			result = hf_accept_root(p->arena, &p->trust, bytes, &next, &p->refusal, &why);
		if (result != 0) {
			*err = why;
			return hf_wrap(err, "root %lld", (long long)p->trust.root->version + 1);
		}
		p->trust = next;
		p->root_changed = true;
		if ((result = trust_persist(p, err)) < 0)
			return result;
	}
	return hf_accept_root_current(&p->who, &p->trust, p->now, &p->refusal, err);
}

struct object_fetch {
	struct hf_fs_temp temp;
	const struct hf_file *file;
	char key[HF_OBJECT_KEY_SIZE];
};

/* A batch of objects lands in temporary files; each is kept only if its bytes are what the manifest says. */
static int objects_batch(struct poll *p, struct object_fetch *o, size_t n, struct hf_error *err)
{
	struct hf_store_get gets[PARALLEL_FILES];
	for (size_t i = 0; i < n; i++)
		gets[i] = (struct hf_store_get){
			.key = o[i].key, .fd = o[i].temp.fd, .max = (uint64_t)o[i].file->size
		};
	uint64_t began = hf_time_monotonic_ms();
	int result = hf_store_get_many(p->store, gets, n, err);
	p->waited_ms += hf_time_monotonic_ms() - began;
	if (result == -HF_E_NOT_FOUND || result == -HF_E_LIMIT) {
		struct hf_error why = *err;
		result = hf_refuse(&p->refusal, err,
			result == -HF_E_LIMIT ? HF_REFUSED_SIZE_MISMATCH : HF_REFUSED_MISSING_OBJECT, "%s",
			why.text);
	}
	for (size_t i = 0; i < n && result == 0; i++) {
		struct hf_fs_attr attr = { 0600, HF_KEEP_UID, HF_KEEP_GID, false };
		if (lseek(o[i].temp.fd, 0, SEEK_SET) < 0)
			return hf_fail_errno(err, HF_E_IO, "rewind an object");
		result = hf_accept_object(o[i].file, o[i].temp.fd, &p->refusal, err);
		if (result == 0)
			result = hf_fs_temp_commit(&o[i].temp, attr, err);
	}
	return result;
}

static int objects_fetch(struct poll *p, const struct hf_manifest *m, const struct hf_object_cache *cache,
	struct hf_error *err)
{
	size_t *index = NULL, n = 0;
	int result = hf_object_cache_missing(p->arena, cache, m, &index, &n, err);
	for (size_t at = 0; at < n && result == 0; at += PARALLEL_FILES) {
		struct object_fetch o[PARALLEL_FILES];
		size_t count = n - at < PARALLEL_FILES ? n - at : PARALLEL_FILES, opened = 0;
		for (; opened < count && result == 0; opened++) {
			struct object_fetch *one = &o[opened];
			one->file = &m->files[index[at + opened]];
			hf_object_key(&one->file->sha256, one->key);
			char *path = hf_object_cache_path(p->arena, cache, &one->file->sha256);
			result = hf_fs_mkdirs(hf_path_dir(p->arena, path), 0700, err);
			if (result == 0)
				result = hf_fs_temp_open(p->arena, path, &one->temp, err);
			if (result < 0)
				break;
		}
		if (result == 0)
			result = objects_batch(p, o, count, err);
		for (size_t i = 0; i < opened; i++)
			hf_fs_temp_discard(&o[i].temp);
	}
	return result;
}

/* What no longer has its hash (a torn write, a bad disk, somebody's hand) is fetched again next time. */
static void cache_forget(struct poll *p, const struct hf_manifest *m, const struct hf_object_cache *cache)
{
	for (size_t i = 0; i < m->n_files; i++)
		(void)unlink(hf_object_cache_path(p->arena, cache, &m->files[i].sha256));
}

/* Which objects the release is made of, beside its folder: what no such list names may be removed. */
static int objects_note(struct poll *p, const struct hf_manifest *m, const char *folder, struct hf_error *err)
{
	enum { LIST_MAX = 64 << 20 };
	hf_auto_buf list = hf_buf_init(LIST_MAX);
	struct hf_fs_attr attr = { 0600, HF_KEEP_UID, HF_KEEP_GID, true };
	const char *path = hf_sprintf(p->arena, "%s.objects", folder);
	char hex[HF_SHA256_HEX];
	if (hf_fs_exists(path))
		return 0;
	for (size_t i = 0; i < m->n_files; i++) {
		hf_buf_puts(&list, hf_digest_hex(&m->files[i].sha256, hex));
		hf_buf_put(&list, '\n');
	}
	int result = hf_buf_check(&list, "a list of objects", err);
	return result < 0 ? result : hf_fs_replace(path, hf_buf_str(&list), attr, err);
}

static int release_bring(struct poll *p, struct hf_manifest *m, const char **ret_path, struct hf_error *err)
{
	char key[HF_RELEASE_KEY_SIZE];
	struct hf_str bytes;
	struct hf_store_get g;
	const char *dir = p->f->config->state_dir;
	struct hf_object_cache cache = { hf_sprintf(p->arena, "%s/objects", dir) };
	int result = document_get(p, hf_release_key(&p->trust.release, key), NULL, &bytes, &g, err);
	if (result == 0)
		result = hf_accept_release(
			p->arena, &p->who, &p->trust, &p->trust.release, bytes, m, &p->refusal, err);
	if (result == 0)
		result = hf_accept_packages(
			p->arena, &p->who, &p->trust, m, p->f->config->allow_agent, &p->refusal, err);
	if (result == 0)
		result = objects_fetch(p, m, &cache, err);
	if (result == 0) {
		result = hf_unpack(p->arena, m, &p->trust.release, hf_sprintf(p->arena, "%s/releases", dir),
			hf_object_cache_open, &cache, ret_path, &p->refusal, err);
		if (result < 0 &&
			(p->refusal == HF_REFUSED_HASH_MISMATCH || p->refusal == HF_REFUSED_SIZE_MISMATCH))
			cache_forget(p, m, &cache);
	}
	if (result == 0) {
		/* It may have been unpacked long ago. */
		result = hf_unpack_check(m, *ret_path, &p->refusal, err);
		if (result == -HF_E_TRUST && hf_fs_remove_tree(*ret_path, NULL) < 0)
			return hf_fail(err, HF_E_IO, "%s was changed and cannot be removed", *ret_path);
	}
	if (result == 0)
		result = objects_note(p, m, *ret_path, err);
	return result;
}

static int target_tell(struct poll *p, const struct hf_pointer *pointer, const struct hf_manifest *m,
	const char *etag, struct hf_error *err)
{
	struct hf_arena *a = p->arena;
	struct hf_value *v = line_new(a, "target");
	put_digest(a, v, "release", &pointer->release);
	hf_dict_put(v, "seq", hf_value_int(a, pointer->seq));
	hf_dict_put(v, "kind", hf_value_cstr(a, hf_pointer_kind_name(pointer->kind)));
	hf_dict_put(v, "reason", hf_value_cstr(a, pointer->reason));
	hf_dict_put(v, "issued", hf_value_int(a, pointer->issued));
	hf_dict_put(v, "rollout", pointer->rollout);
	hf_dict_put(v, "etag", hf_value_cstr(a, etag));
	if (m != NULL) {
		char hex[HF_SHA256_HEX];
		hf_digest_hex(&pointer->release, hex);
		const char *name =
			*m->name != '\0' ? m->name : hf_strndup(a, hex, 12); /* no label was given */
		hf_dict_put(v, "name", hf_value_cstr(a, name));
		hf_dict_put(v, "entry", hf_value_cstr(a, m->entry));
		uint64_t took = hf_time_monotonic_ms() - p->began_ms;
		hf_dict_put(v, "fetch_ms", hf_value_int(a, (int64_t)p->waited_ms));
		hf_dict_put(v, "verify_ms", hf_value_int(a, (int64_t)(took - p->waited_ms)));
		hf_dict_put(v, "gates", m->gates != NULL ? m->gates : hf_value_list(a));
	}
	return value_tell(p->socket, v, true, err);
}

static int pointer_follow(struct poll *p, struct hf_error *err)
{
	const struct hf_config *c = p->f->config;
	struct hf_store_get g;
	struct hf_str bytes;
	struct hf_pointer pointer;
	struct hf_manifest m;
	struct hf_trust next;
	const char *path = NULL;
	int result = document_get(p, hf_pointer_key(p->arena, c->environment, c->fleet),
		p->root_changed ? NULL : p->f->etag, &bytes, &g, err);
	if (result < 0)
		return result;
	if (g.not_modified) {
		result = hf_accept_fresh(&p->who, &p->trust, p->now, &p->refusal, err);
		return result < 0 ? result : value_tell(p->socket, line_new(p->arena, "same"), false, err);
	}
	result = hf_accept_pointer(
		p->arena, &p->who, &p->trust, bytes, p->now, &pointer, &next, &p->refusal, err);
	if (result < 0)
		return result;
	p->trust = next;
	if ((result = trust_persist(p, err)) < 0)
		return result;
	if (pointer.kind == HF_POINTER_HALT)
		return target_tell(p, &pointer, NULL, g.etag.text, err);
	result = release_bring(p, &m, &path, err);
	if (result < 0) {
		char hex[HF_SHA256_HEX];
		return hf_wrap(err, "release %.12s", hf_digest_hex(&pointer.release, hex));
	}
	return target_tell(p, &pointer, &m, g.etag.text, err);
}

static int who_fill(struct hf_accept_config *who, const struct hf_config *c, struct hf_error *err)
{
	*who = (struct hf_accept_config){ .environment = c->environment,
		.fleet = c->fleet,
		.agent_version = PACKAGE_VERSION,
		.min_root = c->min_root,
		.min_epoch = c->min_epoch,
		.min_seq = c->min_seq,
		.pinned = c->trust_sha256 != NULL };
	if (who->pinned && !hf_digest_parse(hf_str(c->trust_sha256), &who->pin))
		return hf_fail(err, HF_E_ARGUMENT, "trust_sha256 must be 64 lower-case hexadecimal digits");
	return 0;
}

int hf_fetch_body(int socket, void *data)
{
	const struct hf_fetch *f = data;
	hf_auto_arena a = hf_arena_new();
	hf_auto_store store = NULL;
	struct hf_error err = { 0 };
	struct poll p = { .f = f, .arena = a, .trust = f->trust, .socket = socket, .now = hf_time_now() };
	p.began_ms = hf_time_monotonic_ms();
	int result = who_fill(&p.who, f->config, &err);
	if (result == 0)
		result = hf_store_wire_open(a, f->config, &store, &err);
	p.store = store;
	if (result == 0)
		result = root_first(&p, &err);
	if (result == 0 && (f->look_for_root || f->etag == NULL))
		result = root_walk(&p, &err);
	if (result == 0)
		result = agent_check(&p, &err);
	if (result == 0)
		result = pointer_follow(&p, &err);
	if (result == 0)
		return 0;
	struct hf_value *v = line_new(a, "error");
	hf_dict_put(v, "code", hf_value_cstr(a, hf_code_name(err.code)));
	hf_dict_put(v, "refusal",
		hf_value_cstr(a, p.refusal == HF_REFUSED_NOTHING ? "" : hf_refusal_word(p.refusal)));
	hf_dict_put(v, "text", hf_value_cstr(a, err.text));
	return value_tell(socket, v, false, NULL) < 0 ? 2 : 1;
}

int hf_fetch_allowed(const struct hf_fetch *f, const char *release, struct hf_error *err)
{
	hf_auto_arena a = hf_arena_new();
	struct hf_trust trust = f->trust;
	struct hf_digest digest;
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	if (!hf_digest_parse(hf_str(release), &digest))
		return hf_fail(err, HF_E_INTERNAL, "\"%s\" is no release", release);
	int result = hf_accept_restore(a, &trust, &refusal, err);
	return result < 0 ? result : hf_accept_release_allowed(&trust, &digest, &refusal, err);
}
