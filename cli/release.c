#include "cli/release.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/json.h"
#include "lib/release/verify.h"

enum { PASSPHRASE_MAX = 4096, JSON_MAX = 64 << 20 };
#define SPAN_MAX ((int64_t)100 * 366 * 86400)

struct release_words release_words(const struct cli_call *call, const char *option)
{
	return (struct release_words){ cli_values(call, option), cli_count(call, option) };
}

static const char *given_or_set(const struct cli_call *call, const char *option, const char *variable)
{
	const char *set = getenv(variable);
	return cli_value(call, option, set == NULL || *set == '\0' ? NULL : set);
}

void release_base_read(const struct cli_call *call, struct release_base *ret)
{
	*ret = (struct release_base){ .words = { call->arguments, call->n_arguments },
		.store = given_or_set(call, "store", "HOLDFAST_STORE"),
		.pin = given_or_set(call, "root", "HOLDFAST_ROOT"),
		.passphrase_file = cli_value(call, "passphrase-file", NULL),
		.keys = release_words(call, "key"),
		.json = cli_given(call, "json") };
	if (ret->keys.n == 0 && given_or_set(call, "key", "HOLDFAST_KEY") != NULL) {
		const char **one = hf_new_array(call->arena, 2, const char *);
		one[0] = getenv("HOLDFAST_KEY");
		ret->keys = (struct release_words){ one, 1 };
	}
}

int release_span_parse(const char *what, const char *text, int64_t *ret, struct hf_error *err)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	size_t n = strlen(text);
	int64_t unit = 1, value = 0;
	for (size_t i = 0; n > 0 && i < HF_COUNT(units); i++)
		if (text[n - 1] == units[i].letter) {
			unit = units[i].seconds;
			n--;
			break;
		}
	if (!hf_str_to_int64(hf_strn(text, n), &value) || value < 1 || value > SPAN_MAX / unit)
		return hf_fail(
			err, HF_E_ARGUMENT, "%s: \"%s\" is no time span such as 90s, 12h or 30d", what, text);
	*ret = value * unit;
	return 0;
}

int release_span(const struct cli_call *call, const char *option, int64_t *ret, struct hf_error *err)
{
	const char *text = cli_value(call, option, NULL);
	return text == NULL ? 0 : release_span_parse(hf_sprintf(call->arena, "--%s", option), text, ret, err);
}

int release_status(const struct cli_call *call, int result, const struct hf_error *err)
{
	if (result >= 0)
		return result;
	return err->code == HF_E_ARGUMENT ? cli_usage(call, "%s", err->text) : cli_fail(call, err);
}

static int progress_show(void *data, size_t items, uint64_t bytes)
{
	enum { BAR = 30 };
	static const char full[BAR + 1] = "##############################";
	const struct release_session *s = data;
	hf_auto_arena scratch = hf_arena_new();
	if (s->expected == 0) {
		fprintf(stderr, "\r  %zu transfers, %s \033[K", items, release_size(scratch, bytes));
		return 0;
	}
	/* Empty files have no bytes to count. */
	uint64_t done = s->expected_bytes > 0 ? bytes : items,
		 all = s->expected_bytes > 0 ? s->expected_bytes : s->expected;
	int percent = done >= all ? 100 : (int)(done * 100 / all);
	fprintf(stderr, "\r  [%-*.*s] %3d%%  %zu of %zu objects, %s of %s \033[K", BAR, percent * BAR / 100,
		full, percent, items, s->expected, release_size(scratch, bytes),
		release_size(scratch, s->expected_bytes));
	return 0;
}

static void progress_expect(void *data, size_t items, uint64_t bytes)
{
	struct release_session *s = data;
	s->expected = items;
	s->expected_bytes = bytes;
}

int release_passphrase(
	struct hf_arena *a, const struct release_base *base, const char **ret, struct hf_error *err)
{
	*ret = getenv("HOLDFAST_KEY_PASSPHRASE");
	if (base->passphrase_file == NULL)
		return 0;
	struct hf_str text, line;
	int result = hf_fs_read(a, base->passphrase_file, PASSPHRASE_MAX, &text, err);
	if (result < 0)
		return result;
	if (!hf_str_split(&text, '\n', &line) || line.n == 0)
		return hf_fail(err, HF_E_ARGUMENT, "%s: its first line is empty", base->passphrase_file);
	*ret = hf_str_dup(a, line);
	return 0;
}

int release_keys(struct hf_arena *a, const struct release_base *base, struct release_session *ret,
	struct hf_error *err)
{
	const char *passphrase = NULL;
	int result = release_passphrase(a, base, &passphrase, err);
	for (size_t i = 0; result == 0 && i < base->keys.n; i++) {
		if (ret->n_keys == HF_SIGNATURES_MAX)
			return hf_fail(err, HF_E_LIMIT, "more than %d keys", HF_SIGNATURES_MAX);
		result = hf_private_key_load(base->keys.at[i], passphrase, &ret->keys[ret->n_keys], err);
		ret->n_keys += result == 0;
	}
	return result;
}

/* Whoever uses the store should know in time that hosts will stop accepting anything new. */
static void expiry_warn(const struct hf_root *root)
{
	enum { DAY = 86400, WARNING_DAYS = 30 };
	int64_t left = root->expires - hf_time_now();
	char until[HF_TIME_TEXT];
	if (left < (int64_t)WARNING_DAYS * DAY)
		fprintf(stderr,
			"holdfast: root %lld %s on %s: renew it with holdfast release root --expires 365d\n",
			(long long)root->version, left <= 0 ? "expired" : "expires",
			hf_time_print(root->expires, until));
}

int release_open(struct hf_arena *a, const struct release_base *base, enum release_needs needs,
	struct release_session *ret, struct hf_error *err)
{
	*ret = (struct release_session){ .arena = a, .base = base };
	if (base->store == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "which store? Give --store URL or set HOLDFAST_STORE");
	struct hf_store_options options = { 0 };
	if (!base->json && isatty(STDERR_FILENO)) {
		options.progress = progress_show;
		options.expect = progress_expect;
		options.data = ret;
	}
	int result = release_keys(a, base, ret, err);
	if (result == 0)
		result = hf_store_open(a, base->store, &options, &ret->store, err);
	if (result == 0 && needs == RELEASE_ROOTS)
		result = hf_roots_load(a, ret->store, base->pin, &ret->roots, &ret->refusal, err);
	if (result == 0 && needs == RELEASE_ROOTS)
		expiry_warn(ret->roots.trust.root);
	return result;
}

int release_close(struct release_session *s, int result, const struct hf_error *err)
{
	for (size_t i = 0; i < s->n_keys; i++)
		s->keys[i] = hf_private_key_free(s->keys[i]);
	s->store = hf_store_close(s->store);
	if (!s->base->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	if (result >= 0 || !s->base->json)
		return result;
	hf_auto_arena a = hf_arena_new();
	struct hf_value *v = hf_value_dict(a), *error = hf_value_dict(a);
	struct hf_error ignored; /* the message goes to standard error as well */
	hf_dict_put(error, "code", hf_value_cstr(a, hf_code_name(err->code)));
	if (s->refusal != HF_REFUSED_NOTHING && result == -HF_E_TRUST) {
		hf_dict_put(error, "refusal", hf_value_cstr(a, hf_refusal_word(s->refusal)));
		hf_dict_put(error, "meaning", hf_value_cstr(a, hf_refusal_sentence(s->refusal)));
	}
	hf_dict_put(error, "message", hf_value_cstr(a, err->text));
	hf_dict_put(v, "error", error);
	(void)!release_print_json(v, &ignored);
	return result;
}

int release_sign_all(
	struct release_session *s, struct hf_envelope *e, struct hf_str *ret_bytes, struct hf_error *err)
{
	for (size_t i = 0; i < s->n_keys; i++) {
		int result = hf_envelope_sign(e, s->keys[i], err);
		if (result < 0)
			return result;
	}
	hf_auto_buf bytes = hf_buf_init(hf_document_max(e->kind));
	hf_envelope_write(&bytes, e);
	int result = hf_buf_check(&bytes, hf_document_name(e->kind), err);
	if (result == 0)
		*ret_bytes = hf_buf_dup(s->arena, &bytes);
	return result;
}

int release_enough(struct release_session *s, const struct hf_envelope *e, const struct hf_role *const *roles,
	size_t n_roles, struct hf_error *err)
{
	int result = hf_verify_envelope(e, roles, n_roles, &s->refusal, err);
	if (result == 0 || s->refusal == HF_REFUSED_BAD_SIGNATURE)
		return result;
	char why[HF_ERROR_TEXT_MAX / 2];
	snprintf(why, sizeof(why), "%.*s", (int)sizeof(why) - 1, err == NULL ? "" : err->text);
	return hf_fail(err, HF_E_TRUST,
		"%s; give all keys with --key, or write it with --out FILE, let the others add theirs with "
		"holdfast release "
		"sign FILE, then holdfast release publish FILE",
		why);
}

int release_write_file(const char *path, struct hf_str bytes, struct hf_error *err)
{
	return hf_fs_replace(path, bytes, HF_FS_KEEP, err);
}

int release_find(struct release_session *s, const char *text, struct hf_digest *ret, struct hf_error *err)
{
	const char *slash = strchr(text, '/');
	if (slash == NULL)
		return hf_release_find(s->arena, s->store, text, ret, err);
	struct hf_channel c;
	int result = hf_channel_read(s->arena, s->store, &s->roots,
		hf_strndup(s->arena, text, (size_t)(slash - text)), slash + 1, &c, err);
	if (result < 0)
		return result;
	if (!c.exists)
		return hf_fail(err, HF_E_NOT_FOUND, "nothing was promoted to %s yet", text);
	if (c.refusal != HF_REFUSED_NOTHING)
		return hf_refuse(&s->refusal, err, c.refusal, "pointer of %s (%s)", text, c.why);
	*ret = c.pointer.release;
	return 0;
}

int release_print_json(const struct hf_value *v, struct hf_error *err)
{
	hf_auto_buf text = hf_buf_init(JSON_MAX);
	int result = hf_json_write(&text, v, &HF_JSON_PRETTY, err);
	if (result == 0)
		result = hf_buf_check(&text, "the answer", err);
	if (result == 0)
		printf("%s\n", text.p);
	return result;
}

struct hf_value *release_time_value(struct hf_arena *a, int64_t seconds)
{
	char text[HF_TIME_TEXT];
	return hf_value_cstr(a, hf_time_print(seconds, text));
}

struct hf_value *release_digest_value(struct hf_arena *a, const struct hf_digest *d)
{
	char hex[HF_SHA256_HEX];
	return hf_value_cstr(a, hf_digest_hex(d, hex));
}

const char *release_move_word(const struct hf_root *root, const struct hf_pointer *p)
{
	static const char *const words[HF_POINTER_KINDS] = { "promote", "rollback", "halt" };
	bool override = p->kind == HF_POINTER_FORWARD && !p->has_evidence &&
			hf_root_rule(root, p->environment) != NULL;
	return override ? "override" : words[p->kind];
}

struct hf_value *release_pointer_value(struct hf_arena *a, const struct hf_pointer *p)
{
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "environment", hf_value_cstr(a, p->environment));
	hf_dict_put(v, "fleet", hf_value_cstr(a, p->fleet));
	hf_dict_put(v, "key_epoch", hf_value_int(a, p->key_epoch));
	hf_dict_put(v, "seq", hf_value_int(a, p->seq));
	hf_dict_put(v, "kind", hf_value_cstr(a, hf_pointer_kind_name(p->kind)));
	hf_dict_put(v, "release", release_digest_value(a, &p->release));
	hf_dict_put(
		v, "previous", p->has_previous ? release_digest_value(a, &p->previous) : hf_value_null(a));
	hf_dict_put(v, "issued", release_time_value(a, p->issued));
	hf_dict_put(v, "expires", release_time_value(a, p->expires));
	hf_dict_put(v, "reason", hf_value_cstr(a, p->reason));
	hf_dict_put(v, "rollout", p->rollout != NULL ? p->rollout : hf_value_dict(a));
	if (p->has_evidence) {
		struct hf_value *e = hf_value_dict(a);
		hf_dict_put(e, "environment", hf_value_cstr(a, p->evidence.environment));
		hf_dict_put(e, "n", hf_value_int(a, p->evidence.n));
		hf_dict_put(e, "entry", release_digest_value(a, &p->evidence.entry));
		hf_dict_put(v, "evidence", e);
	}
	return v;
}

const char *release_short(struct hf_arena *a, const struct hf_digest *d)
{
	char hex[HF_SHA256_HEX];
	return hf_strndup(a, hf_digest_hex(d, hex), 12);
}

const char *release_size(struct hf_arena *a, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
	double shown = (double)bytes;
	size_t unit = 0;
	while (shown >= 1000 && unit + 1 < HF_COUNT(units)) {
		shown /= 1000;
		unit++;
	}
	return hf_sprintf(a, unit == 0 ? "%.0f %s" : "%.1f %s", shown, units[unit]);
}
