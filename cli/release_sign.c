/* holdfast release sign, publish: documents that several people sign, one after the other. */
#include <stdio.h>
#include <string.h>

#include "cli/release.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"

struct sign_params {
	struct release_base base;
};
static const struct cli_option sign_options[] = { RELEASE_KEYS, RELEASE_JSON, { NULL } };
static const struct cli_option publish_options[] = { RELEASE_STORE, RELEASE_KEYS, { NULL } };

static int file_read(struct release_session *s, const char *path, struct hf_str *ret,
	struct hf_envelope *ret_envelope, struct hf_error *err)
{
	int result = hf_fs_read(s->arena, path, HF_RELEASE_MAX, ret, err);
	if (result < 0)
		return result;
	enum hf_document kind = hf_envelope_kind(*ret);
	if (kind == HF_DOC_KINDS)
		return hf_refuse(
			&s->refusal, err, HF_REFUSED_BAD_ENVELOPE, "%s holds no signed document", path);
	return hf_envelope_scan(s->arena, *ret, kind, ret_envelope, &s->refusal, err);
}

/* Nobody should sign what they have not seen. */
static int document_show(struct release_session *s, const struct hf_envelope *e, struct hf_error *err)
{
	struct hf_pointer p;
	struct hf_root r;
	struct hf_manifest m;
	int result = 0;
	switch (e->kind) {
	case HF_DOC_POINTER:
		result = hf_pointer_parse(s->arena, e->payload, &p, &s->refusal, err);
		if (result == 0)
			printf("pointer %lld of %s/%s: %s to release %s%s%s\n", (long long)p.seq,
				p.environment, p.fleet, hf_pointer_kind_name(p.kind),
				release_short(s->arena, &p.release), *p.reason == '\0' ? "" : ": ", p.reason);
		return result;
	case HF_DOC_ROOT:
		result = hf_root_parse(s->arena, e->payload, &r, &s->refusal, err);
		if (result == 0)
			printf("root %lld: %zu keys, %zu environments, %zu revocations\n",
				(long long)r.version, r.n_keys, r.n_deploy, r.n_revoked);
		return result;
	case HF_DOC_RELEASE:
		result = hf_manifest_parse(s->arena, e->payload, &m, &s->refusal, err);
		if (result == 0)
			printf("release %s: %zu files\n",
				release_short(s->arena, &(struct hf_digest[]){ hf_sha256(e->payload) }[0]),
				m.n_files);
		return result;
	case HF_DOC_LOG:
	case HF_DOC_KINDS:
		break;
	}
	return hf_fail(
		err, HF_E_UNSUPPORTED, "log entries are signed by whoever moves a channel, not by hand");
}

static int sign_run(struct hf_arena *a, const struct sign_params *p, struct hf_error *err)
{
	struct release_session s = { .arena = a, .base = &p->base };
	struct hf_envelope *e = hf_new(a, struct hf_envelope);
	struct hf_str bytes;
	int result = release_keys(a, &p->base, &s, err);
	if (result == 0 && s.n_keys == 0)
		result = hf_fail(err, HF_E_ARGUMENT, "who signs it? Give --key FILE or set HOLDFAST_KEY");
	if (result == 0)
		result = file_read(&s, p->base.words.at[0], &bytes, e, err);
	if (result == 0)
		result = document_show(&s, e, err);
	if (result == 0)
		result = release_sign_all(&s, e, &bytes, err);
	if (result == 0)
		result = release_write_file(p->base.words.at[0], bytes, err);
	if (result == 0)
		printf("%zu signature%s now\n", e->n, e->n == 1 ? "" : "s");
	return release_close(&s, result, err);
}

static int publish_pointer(
	struct release_session *s, const struct hf_envelope *e, struct hf_str bytes, struct hf_error *err)
{
	struct hf_pointer p, written;
	struct hf_channel c;
	struct hf_arena *a = s->arena;
	int result = hf_pointer_parse(a, e->payload, &p, &s->refusal, err);
	if (result == 0)
		result = hf_channel_read(a, s->store, &s->roots, p.environment, p.fleet, &c, err);
	if (result == 0)
		result = hf_channel_write(
			a, s->store, &s->roots, &c, bytes, hf_time_now(), &written, &s->refusal, err);
	if (result == 0 && s->n_keys > 0) {
		struct hf_log_entry entry = { .environment = p.environment,
			.when = hf_time_now(),
			.what = release_move_word(s->roots.trust.root, &p) };
		entry.details = release_pointer_value(a, &p);
		result = hf_log_append(a, s->store, &s->roots, &entry, s->keys[0], err);
	}
	if (result < 0)
		return result;
	if (s->base->json)
		return release_print_json(release_pointer_value(a, &written), err);
	printf("%s/%s: pointer %lld names release %s%s\n", p.environment, p.fleet, (long long)p.seq,
		release_short(a, &p.release),
		s->n_keys == 0 ? " (no --key: nothing was added to the log)" : "");
	return 0;
}

static int publish_root(struct release_session *s, struct hf_str bytes, struct hf_error *err)
{
	struct hf_root r;
	int result = hf_roots_publish(s->arena, s->store, s->base->pin, bytes, &r, &s->refusal, err);
	if (result < 0)
		return result;
	struct hf_value *v = hf_value_dict(s->arena);
	hf_dict_put(v, "version", hf_value_int(s->arena, r.version));
	if (s->base->json)
		return release_print_json(v, err);
	printf("root %lld is published\n", (long long)r.version);
	return 0;
}

static int publish_run(struct hf_arena *a, const struct sign_params *p, struct hf_error *err)
{
	struct release_session s;
	struct hf_envelope *e = hf_new(a, struct hf_envelope);
	struct hf_str bytes;
	int result = release_open(a, &p->base, RELEASE_STORE_ONLY, &s, err);
	if (result == 0)
		result = file_read(&s, p->base.words.at[0], &bytes, e, err);
	if (result == 0 && e->kind == HF_DOC_ROOT) {
		result = publish_root(&s, bytes, err);
	} else if (result == 0 && e->kind == HF_DOC_POINTER) {
		result = hf_roots_load(a, s.store, p->base.pin, &s.roots, &s.refusal, err);
		if (result == 0)
			result = publish_pointer(&s, e, bytes, err);
	} else if (result == 0) {
		result = hf_fail(err, HF_E_UNSUPPORTED,
			"a %s is published with holdfast release push --document", hf_document_name(e->kind));
	}
	return release_close(&s, result, err);
}

static int sign_start(
	struct cli_call *call, int (*run)(struct hf_arena *, const struct sign_params *, struct hf_error *))
{
	struct hf_error err;
	struct sign_params p = { 0 };
	release_base_read(call, &p.base);
	return release_status(call, run(call->arena, &p, &err), &err);
}

#define SIGN_COMMAND(title, symbol, min, max, usage, text)                                                   \
	RELEASE_COMMAND("release " title, release_##symbol, sign_start, symbol, min, max, usage, text)
SIGN_COMMAND("sign", sign, 1, 1, "FILE", "add a signature to a root, pointer or release that waits for more");
SIGN_COMMAND(
	"publish", publish, 1, 1, "FILE", "put a root or pointer that has all its signatures into the store");
