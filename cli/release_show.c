/* holdfast release list, show, diff, verify, log, gc: what a store holds, and whether it holds together. */
#include <stdio.h>
#include <string.h>

#include "cli/release.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/base/vec.h"

enum { GC_KEEP_DAYS = 30, GC_KEEP_LOG = 20, DAY = 86400 };

struct show_params {
	struct release_base base;
	long long last, keep_log;
	int64_t keep;
	bool deep, dry_run;
};
static const struct cli_option list_options[] = { RELEASE_STORE, { NULL } };
#define show_options list_options
#define diff_options list_options
static const struct cli_option verify_options[] = {
	RELEASE_STORE,
	{ "deep", 'd', NULL, "read every object and compare its hash" },
	{ NULL },
};
static const struct cli_option log_options[] = {
	RELEASE_STORE,
	{ "last", 'n', "N", "only the last N entries" },
	{ NULL },
};
static const struct cli_option gc_options[] = {
	RELEASE_STORE,
	{ "keep", 0, "SPAN", "what is younger stays (30d)" },
	{ "keep-log", 0, "N", "releases of the last N log entries of each environment stay (20)" },
	{ "dry-run", 'n', NULL, "only say what would go" },
	{ NULL },
};

/* "dev/web, test/web": who names this release. */
static const char *named_by(
	struct hf_arena *a, const struct hf_channels *channels, const struct hf_digest *release)
{
	const char *text = "";
	for (size_t i = 0; i < channels->n; i++)
		if (channels->at[i].refusal == HF_REFUSED_NOTHING &&
			hf_digest_equal(&channels->at[i].pointer.release, release))
			text = hf_sprintf(a, "%s%s%s/%s", text, *text == '\0' ? "" : ", ",
				channels->at[i].environment, channels->at[i].fleet);
	return text;
}

static int list_row(struct release_session *s, const struct hf_store_entry *entry,
	const struct hf_channels *channels, struct hf_value *rows, struct hf_error *err)
{
	struct hf_arena *a = s->arena;
	struct hf_digest release;
	struct hf_str hex = hf_str(entry->key + strlen("releases/"));
	if (!hf_str_ends(hex, ".json") || !hf_digest_parse(hf_strn(hex.p, hex.n - 5), &release))
		return hf_fail(err, HF_E_PARSE, "\"%s\" is no release", entry->key);
	struct hf_manifest m = { .name = "" };
	struct hf_error why = { 0 };
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	int result = hf_release_read(a, s->store, &s->roots, &release, &m, NULL, &refusal, &why);
	if (result < 0 && result != -HF_E_TRUST)
		return hf_fail(err, why.code, "%s", why.text);
	const char *where = named_by(a, channels, &release);
	if (!s->base->json) {
		char when[HF_TIME_TEXT];
		printf("%s  %s  %5zu files  %8s  %s%s%s%s%s\n", release_short(a, &release),
			hf_time_print(entry->modified, when), m.n_files,
			release_size(a, (uint64_t)hf_manifest_size(&m)), m.name,
			*where == '\0' ? "" : "  <- ", where, refusal == HF_REFUSED_NOTHING ? "" : "  ! ",
			refusal == HF_REFUSED_NOTHING ? "" : hf_refusal_word(refusal));
		return 0;
	}
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "release", release_digest_value(a, &release));
	hf_dict_put(v, "name", hf_value_cstr(a, m.name));
	hf_dict_put(v, "pushed", release_time_value(a, entry->modified));
	hf_dict_put(v, "files", hf_value_int(a, (int64_t)m.n_files));
	hf_dict_put(v, "bytes", hf_value_int(a, hf_manifest_size(&m)));
	hf_dict_put(v, "channels", hf_value_cstr(a, where));
	hf_dict_put(v, "refusal",
		refusal == HF_REFUSED_NOTHING ? hf_value_null(a)
					      : hf_value_cstr(a, hf_refusal_word(refusal)));
	hf_list_append(rows, v);
	return 0;
}

static struct hf_value *channel_value(struct hf_arena *a, const struct hf_channel *c)
{
	struct hf_value *v = hf_value_dict(a);
	if (c->refusal == HF_REFUSED_NOTHING) {
		v = release_pointer_value(a, &c->pointer);
		hf_dict_put(v, "signers", hf_value_cstr(a, c->signers));
		return v;
	}
	hf_dict_put(v, "environment", hf_value_cstr(a, c->environment));
	hf_dict_put(v, "fleet", hf_value_cstr(a, c->fleet));
	hf_dict_put(v, "refusal", hf_value_cstr(a, hf_refusal_word(c->refusal)));
	hf_dict_put(v, "message", hf_value_cstr(a, c->why));
	return v;
}

static void channel_print(struct hf_arena *a, const struct hf_channel *c)
{
	char when[HF_TIME_TEXT];
	const struct hf_pointer *p = &c->pointer;
	if (c->refusal != HF_REFUSED_NOTHING) {
		printf("%s/%s: refused, %s\n", c->environment, c->fleet, c->why);
		return;
	}
	printf("%s/%s: %s  %s, pointer %lld by %s at %s%s%s%s\n", c->environment, c->fleet,
		release_short(a, &p->release), hf_pointer_kind_name(p->kind), (long long)p->seq, c->signers,
		hf_time_print(p->issued, when), *p->reason == '\0' ? "" : ": ", p->reason,
		p->expires <= hf_time_now() ? "  EXPIRED" : "");
}

static int list_run(struct hf_arena *a, const struct show_params *p, struct hf_error *err)
{
	struct release_session s;
	struct hf_store_entries entries;
	struct hf_channels channels;
	struct hf_value *v = hf_value_dict(a), *rows = hf_value_list(a), *where = hf_value_list(a);
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = hf_channels_read(a, s.store, &s.roots, &channels, err);
	if (result == 0)
		result = hf_store_list(a, s.store, "releases/", &entries, err);
	for (size_t i = 0; result == 0 && i < entries.n; i++)
		result = list_row(&s, &entries.at[i], &channels, rows, err);
	for (size_t i = 0; result == 0 && i < channels.n; i++) {
		hf_list_append(where, channel_value(a, &channels.at[i]));
		if (!p->base.json)
			channel_print(a, &channels.at[i]);
	}
	hf_dict_put(v, "releases", rows);
	hf_dict_put(v, "channels", where);
	if (result == 0 && p->base.json)
		result = release_print_json(v, err);
	return release_close(&s, result, err);
}

static int read_named(struct release_session *s, const char *text, struct hf_digest *release,
	struct hf_manifest *m, struct hf_envelope *e, struct hf_error *err)
{
	int result = release_find(s, text, release, err);
	return result < 0 ? result
			  : hf_release_read(s->arena, s->store, &s->roots, release, m, e, &s->refusal, err);
}

static int show_json(struct release_session *s, const struct hf_digest *release, const struct hf_manifest *m,
	const char *signers, struct hf_error *err)
{
	struct hf_arena *a = s->arena;
	struct hf_value *v = hf_value_dict(a), *files = hf_value_list(a);
	for (size_t i = 0; i < m->n_files; i++) {
		struct hf_value *file = hf_value_dict(a);
		hf_dict_put(file, "path", hf_value_cstr(a, m->files[i].path));
		hf_dict_put(file, "size", hf_value_int(a, m->files[i].size));
		hf_dict_put(file, "sha256", release_digest_value(a, &m->files[i].sha256));
		hf_dict_put(file, "mode", hf_value_cstr(a, m->files[i].mode == 0755 ? "0755" : "0644"));
		hf_list_append(files, file);
	}
	hf_dict_put(v, "release", release_digest_value(a, release));
	hf_dict_put(v, "name", hf_value_cstr(a, m->name));
	hf_dict_put(v, "created", release_time_value(a, m->created));
	hf_dict_put(v, "entry", hf_value_cstr(a, m->entry));
	hf_dict_put(v, "min_agent", hf_value_cstr(a, m->min_agent));
	hf_dict_put(v, "gates", m->gates);
	hf_dict_put(v, "signers", hf_value_cstr(a, signers));
	hf_dict_put(v, "revoked", hf_value_bool(a, hf_root_revocation(s->roots.trust.root, release) != NULL));
	hf_dict_put(v, "files", files);
	return release_print_json(v, err);
}

static int show_run(struct hf_arena *a, const struct show_params *p, struct hf_error *err)
{
	struct release_session s;
	struct hf_digest release;
	struct hf_manifest m;
	struct hf_envelope *e = hf_new(a, struct hf_envelope);
	char signers[HF_SIGNERS_TEXT];
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = read_named(&s, p->base.words.at[0], &release, &m, e, err);
	if (result < 0)
		return release_close(&s, result, err);
	hf_signers(&s.roots, e, signers);
	if (p->base.json)
		return release_close(&s, show_json(&s, &release, &m, signers, err), err);
	char hex[HF_SHA256_HEX];
	const struct hf_revocation *revoked = hf_root_revocation(s.roots.trust.root, &release);
	printf("release %s%s%s\nentry %s, signed by %s\n", hf_digest_hex(&release, hex),
		*m.name == '\0' ? "" : "  ", m.name, m.entry, signers);
	if (revoked != NULL)
		printf("REVOKED: %s\n", revoked->reason);
	for (size_t i = 0; i < m.n_files; i++)
		printf("  %s %10lld  %s\n", m.files[i].mode == 0755 ? "0755" : "0644",
			(long long)m.files[i].size, m.files[i].path);
	return release_close(&s, 0, err);
}

struct difference {
	char sign; /* '+', '-', '~' */
	const struct hf_file *file, *old, *new;
};
struct differences {
	struct difference *at;
	size_t n, room;
};

/* Both lists are sorted by path. */
static void compare_files(struct hf_arena *a, const struct hf_manifest *old, const struct hf_manifest *new,
	struct differences *ret)
{
	size_t i = 0, k = 0;
	while (i < old->n_files || k < new->n_files) {
		const struct hf_file *x = i < old->n_files ? &old->files[i] : NULL;
		const struct hf_file *y = k < new->n_files ? &new->files[k] : NULL;
		int order = x == NULL ? 1 : y == NULL ? -1 : strcmp(x->path, y->path);
		if (order == 0 && (x->mode != y->mode || !hf_digest_equal(&x->sha256, &y->sha256)))
			*(struct difference *)hf_vec_push(a, ret) = (struct difference){ '~', y, x, y };
		else if (order < 0)
			*(struct difference *)hf_vec_push(a, ret) = (struct difference){ '-', x, x, NULL };
		else if (order > 0)
			*(struct difference *)hf_vec_push(a, ret) = (struct difference){ '+', y, NULL, y };
		i += order <= 0;
		k += order >= 0;
	}
}

static int diff_run(struct hf_arena *a, const struct show_params *p, struct hf_error *err)
{
	struct release_session s;
	struct hf_digest releases[2];
	struct hf_manifest m[2];
	struct differences all = { 0 };
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	for (size_t i = 0; result == 0 && i < 2; i++)
		result = read_named(&s, p->base.words.at[i], &releases[i], &m[i], NULL, err);
	if (result < 0)
		return release_close(&s, result, err);
	compare_files(a, &m[0], &m[1], &all);
	struct hf_value *v = hf_value_dict(a),
			*lists[3] = { hf_value_list(a), hf_value_list(a), hf_value_list(a) };
	static const char *const names[3] = { "added", "removed", "changed" };
	struct hf_value *tasks = hf_value_list(a);
	for (size_t i = 0; result == 0 && i < all.n; i++) {
		const struct difference *d = &all.at[i];
		hf_list_append(lists[d->sign == '+'     ? 0
				       : d->sign == '-' ? 1
							: 2],
			hf_value_cstr(a, d->file->path));
		if (!p->base.json)
			printf("%c %s\n", d->sign, d->file->path);
		if (release_holds_tasks(d->file->path))
			result = release_task_changes(&s, d->old, d->new, tasks, err);
	}
	for (size_t i = 0; i < HF_COUNT(names); i++)
		hf_dict_put(v, names[i], lists[i]);
	hf_dict_put(v, "tasks", tasks);
	if (result == 0 && p->base.json)
		result = release_print_json(v, err);
	return release_close(&s, result, err);
}

/* One thing checked: printed, and kept for JSON. The first failure is the exit status. */
struct verdicts {
	struct release_session *session;
	struct hf_value *rows;
	int worst;
	struct hf_error first;
	enum hf_refusal refusal;
};

static void verdict(
	struct verdicts *v, const char *what, int result, enum hf_refusal refusal, const struct hf_error *why)
{
	struct hf_arena *a = v->session->arena;
	struct hf_value *row = hf_value_dict(a);
	hf_dict_put(row, "what", hf_value_cstr(a, what));
	hf_dict_put(row, "good", hf_value_bool(a, result == 0));
	if (result < 0) {
		hf_dict_put(row, "refusal", hf_value_cstr(a, hf_refusal_word(refusal)));
		hf_dict_put(row, "message", hf_value_cstr(a, why->text));
	}
	hf_list_append(v->rows, row);
	if (!v->session->base->json)
		printf("%s %s%s%s\n", result == 0 ? "good   " : "REFUSED", what, result == 0 ? "" : ": ",
			result == 0 ? "" : why->text);
	if (result < 0 && v->worst == 0) {
		v->worst = result;
		v->first = *why;
		v->refusal = refusal;
	}
}

static void verify_release(struct verdicts *v, const struct hf_digest *release, bool deep)
{
	struct release_session *s = v->session;
	struct hf_manifest m;
	struct hf_error why = { 0 };
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	int result = hf_release_read(s->arena, s->store, &s->roots, release, &m, NULL, &refusal, &why);
	if (result == -HF_E_NOT_FOUND)
		result = hf_refuse(
			&refusal, &why, HF_REFUSED_MISSING_OBJECT, "the document is not in the store");
	if (result == 0)
		result = hf_release_check(s->arena, s->store, &m, deep, &refusal, &why);
	if (result == 0)
		result = hf_accept_release_allowed(&s->roots.trust, release, &refusal, &why);
	verdict(v, hf_sprintf(s->arena, "release %s", release_short(s->arena, release)), result, refusal,
		&why);
}

static int verify_all(struct verdicts *v, bool deep, struct hf_error *err)
{
	struct release_session *s = v->session;
	struct hf_arena *a = s->arena;
	const struct hf_root *root = s->roots.trust.root;
	struct hf_channels channels;
	struct hf_error why = { 0 };
	enum hf_refusal refusal = HF_REFUSED_NOTHING;
	struct hf_accept_config config = { .agent_version = "999999" };
	int result = hf_accept_root_current(&config, &s->roots.trust, hf_time_now(), &refusal, &why);
	verdict(v, hf_sprintf(a, "roots 1 to %lld", (long long)root->version), result, refusal, &why);
	result = hf_channels_read(a, s->store, &s->roots, &channels, err);
	for (size_t i = 0; result == 0 && i < channels.n; i++) {
		const struct hf_channel *c = &channels.at[i];
		int bad = 0;
		if (c->refusal != HF_REFUSED_NOTHING)
			bad = hf_fail(&why, HF_E_TRUST, "%s", c->why);
		refusal = c->refusal;
		if (bad == 0 && c->pointer.expires <= hf_time_now())
			bad = hf_refuse(&refusal, &why, HF_REFUSED_EXPIRED_POINTER, "pointer %lld",
				(long long)c->pointer.seq);
		verdict(v, hf_sprintf(a, "channel %s/%s", c->environment, c->fleet), bad, refusal, &why);
		if (bad == 0)
			verify_release(v, &c->pointer.release, deep);
	}
	for (size_t i = 0; result == 0 && i < root->n_deploy; i++) {
		struct hf_log_entries log;
		refusal = HF_REFUSED_NOTHING;
		int bad = hf_log_read(
			a, s->store, &s->roots, root->deploy[i].environment, 0, &log, &refusal, &why);
		verdict(v, hf_sprintf(a, "log of %s", root->deploy[i].environment), bad, refusal, &why);
	}
	return result;
}

static int verify_run(struct hf_arena *a, const struct show_params *p, struct hf_error *err)
{
	struct release_session s;
	struct hf_digest release;
	struct verdicts v = { .session = &s, .rows = hf_value_list(a) };
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0 && p->base.words.n == 0)
		result = verify_all(&v, p->deep, err);
	for (size_t i = 0; result == 0 && i < p->base.words.n; i++) {
		result = release_find(&s, p->base.words.at[i], &release, err);
		if (result == 0)
			verify_release(&v, &release, p->deep);
	}
	if (result == 0 && p->base.json)
		result = release_print_json(v.rows, err);
	int closed = release_close(&s, result, err);
	if (closed == 0 && v.worst < 0) {
		*err = v.first;
		return v.worst;
	}
	return closed;
}

static int log_run(struct hf_arena *a, const struct show_params *p, struct hf_error *err)
{
	struct release_session s;
	struct hf_log_entries log;
	struct hf_value *rows = hf_value_list(a);
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = hf_log_read(
			a, s.store, &s.roots, p->base.words.at[0], (size_t)p->last, &log, &s.refusal, err);
	for (size_t i = 0; result == 0 && i < log.n; i++) {
		const struct hf_log_entry *e = &log.at[i];
		char when[HF_TIME_TEXT];
		struct hf_value *v = hf_value_dict(a);
		hf_time_print(e->when, when);
		hf_dict_put(v, "n", hf_value_int(a, e->n));
		hf_dict_put(v, "when", hf_value_cstr(a, when));
		hf_dict_put(v, "who", hf_value_cstr(a, e->who));
		hf_dict_put(v, "what", hf_value_cstr(a, e->what));
		hf_dict_put(v, "details", e->details);
		hf_list_append(rows, v);
		if (!p->base.json)
			printf("%4lld  %s  %-8s %.12s  %s/%s  by %s%s%s\n", (long long)e->n, when, e->what,
				hf_dict_cstr(e->details, "release", ""), e->environment,
				hf_dict_cstr(e->details, "fleet", ""), e->who,
				*hf_dict_cstr(e->details, "reason", "") == '\0' ? "" : ": ",
				hf_dict_cstr(e->details, "reason", ""));
	}
	if (result == 0 && p->base.json)
		result = release_print_json(rows, err);
	return release_close(&s, result, err);
}

static int gc_run(struct hf_arena *a, const struct show_params *p, struct hf_error *err)
{
	struct release_session s;
	struct hf_gc_report r;
	struct hf_gc_options options = { .now = hf_time_now(),
		.keep_seconds = p->keep > 0 ? p->keep : GC_KEEP_DAYS * DAY,
		.keep_log = (size_t)p->keep_log,
		.dry_run = p->dry_run };
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = hf_gc(a, s.store, &s.roots, &options, &r, &s.refusal, err);
	if (result < 0)
		return release_close(&s, result, err);
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "dry_run", hf_value_bool(a, p->dry_run));
	hf_dict_put(v, "releases_kept", hf_value_int(a, (int64_t)r.releases_kept));
	hf_dict_put(v, "releases_removed", hf_value_int(a, (int64_t)r.releases_removed));
	hf_dict_put(v, "objects_kept", hf_value_int(a, (int64_t)r.objects_kept));
	hf_dict_put(v, "objects_removed", hf_value_int(a, (int64_t)r.objects_removed));
	hf_dict_put(v, "bytes_removed", hf_value_int(a, (int64_t)r.bytes_removed));
	if (p->base.json)
		return release_close(&s, release_print_json(v, err), err);
	printf("%s %zu releases and %zu objects (%s); %zu releases and %zu objects stay\n",
		p->dry_run ? "would remove" : "removed", r.releases_removed, r.objects_removed,
		release_size(a, r.bytes_removed), r.releases_kept, r.objects_kept);
	return release_close(&s, 0, err);
}

static int show_start(
	struct cli_call *call, int (*run)(struct hf_arena *, const struct show_params *, struct hf_error *))
{
	struct hf_error err;
	struct show_params p = { 0 };
	release_base_read(call, &p.base);
	p.deep = cli_given(call, "deep");
	p.dry_run = cli_given(call, "dry-run");
	int result = release_span(call, "keep", &p.keep, &err);
	if (result == 0)
		result = cli_number(call, "last", 1, HF_LOG_ENTRIES_MAX, 0, &p.last, &err);
	if (result == 0)
		result = cli_number(call, "keep-log", 1, HF_LOG_ENTRIES_MAX, GC_KEEP_LOG, &p.keep_log, &err);
	if (result == 0)
		result = run(call->arena, &p, &err);
	return release_status(call, result, &err);
}

#define SHOW_COMMAND(title, symbol, min, max, usage, text)                                                   \
	RELEASE_COMMAND("release " title, release_##symbol, show_start, symbol, min, max, usage, text)
SHOW_COMMAND("list", list, 0, 0, "", "releases of the store, and what every fleet has");
SHOW_COMMAND("show", show, 1, 1, "RELEASE", "files, signers and gates of a release");
SHOW_COMMAND("diff", diff, 2, 2, "OLD NEW", "files and tasks that differ between two releases");
SHOW_COMMAND("verify", verify, 0, 100, "[RELEASE…]",
	"check signatures and objects of the whole store, or of releases");
SHOW_COMMAND("log", log, 1, 1, "ENVIRONMENT", "who moved what, when: the signed, hash-chained log");
SHOW_COMMAND("gc", gc, 0, 0, "", "remove releases and objects that nobody may need");
