/* holdfast release build, push: a tree becomes a signed release in a store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/release.h"
#include "cli/require.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/time.h"
#include "lib/data/yaml.h"

enum { DOCUMENT_FILE_MAX = HF_RELEASE_MAX };

struct build_params {
	struct release_base base;
	bool no_lint;
	const char *git, *name, *entry, *min_agent, *created, *gates, *out, *document;
};
#define TREE_OPTIONS                                                                                         \
	{ "git", 'g', "REF", "release what this ref of the git repository holds" },                          \
		{ "name", 'n', "TEXT", "a label for people" },                                               \
		{ "entry", 'e', "PATH", "the playbook to run (site.yml)" },                                  \
		{ "no-lint", 0, NULL, "do not look for what holdfast cannot run" },                          \
		{ "min-agent", 0, "VERSION", "refuse on older agents" },                                     \
		{ "gates", 0, "FILE", "YAML list of checks that must hold afterwards" },                     \
	{                                                                                                    \
		"created", 0, "TIME", "part of the release's identity [SOURCE_DATE_EPOCH]"                   \
	}

static const struct cli_option build_options[] = {
	TREE_OPTIONS,
	{ "out", 'o', "FILE", "write the document there, signed by the keys given" },
	RELEASE_KEYS,
	RELEASE_JSON,
	{ NULL },
};
static const struct cli_option push_options[] = {
	RELEASE_STORE,
	RELEASE_KEYS,
	TREE_OPTIONS,
	{ "document", 0, "FILE", "a document signed before (release build --out)" },
	{ NULL },
};

static int tree_of(struct hf_arena *a, const struct build_params *p, struct require *require,
	struct hf_tree *ret, struct hf_error *err)
{
	*require = (struct require){ .arena = a, .base = p->base.words.at[0] };
	struct hf_tree_options o = { .folder = p->base.words.at[0],
		.git_ref = p->git,
		.name = p->name,
		.entry = p->entry,
		.min_agent = p->min_agent,
		.prepare = require_view,
		.prepare_data = require };
	struct hf_str created = hf_str(p->created == NULL ? "0" : p->created);
	if (!hf_str_to_int64(created, &o.created) && !hf_time_parse(created, &o.created))
		return hf_fail(err, HF_E_ARGUMENT,
			"--created: \"%s\" is no time such as 2026-01-31T12:00:00Z", created.p);
	if (p->gates != NULL) {
		int result = hf_yaml_load(a, p->gates,
			&(struct hf_yaml_options){ .plain = true, .strict = true }, &o.gates, err);
		if (result < 0)
			return result;
		if (!hf_is(o.gates, HF_LIST))
			return hf_fail(err, HF_E_ARGUMENT, "%s: gates are a list", p->gates);
	}
	int result = hf_tree_build(a, &o, ret, err);
	if (result < 0 || p->no_lint)
		return result;
	return release_lint(a, ret->folder, ret->manifest.entry, err);
}

static int document_sign(struct release_session *s, const struct hf_tree *tree, struct hf_envelope *e,
	struct hf_str *ret, struct hf_error *err)
{
	*e = (struct hf_envelope){ .kind = HF_DOC_RELEASE, .payload = tree->payload };
	return release_sign_all(s, e, ret, err);
}

static struct hf_value *tree_value(struct hf_arena *a, const struct hf_tree *tree)
{
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "release", release_digest_value(a, &tree->release));
	hf_dict_put(v, "name", hf_value_cstr(a, tree->manifest.name));
	hf_dict_put(v, "entry", hf_value_cstr(a, tree->manifest.entry));
	hf_dict_put(v, "files", hf_value_int(a, (int64_t)tree->manifest.n_files));
	hf_dict_put(v, "bytes", hf_value_int(a, hf_manifest_size(&tree->manifest)));
	return v;
}

static int build_run(struct hf_arena *a, const struct build_params *p, struct hf_error *err)
{
	struct release_session s = { .arena = a, .base = &p->base };
	struct hf_tree tree = { 0 };
	struct require require = { 0 };
	struct hf_str bytes;
	int result = release_keys(a, &p->base, &s, err);
	if (result == 0)
		result = tree_of(a, p, &require, &tree, err);
	if (result == 0 && p->out != NULL) {
		struct hf_envelope *e = hf_new(a, struct hf_envelope);
		result = document_sign(&s, &tree, e, &bytes, err);
		if (result == 0)
			result = release_write_file(p->out, bytes, err);
	}
	if (result == 0 && p->base.json)
		result = release_print_json(tree_value(a, &tree), err);
	else if (result == 0)
		printf("release %s\n%zu files, %s\n", hf_dict_cstr(tree_value(a, &tree), "release", ""),
			tree.manifest.n_files, release_size(a, (uint64_t)hf_manifest_size(&tree.manifest)));
	require_done(&require);
	if (result == 0)
		result = hf_tree_done(&tree, err);
	return release_close(&s, result, err);
}

static int push_tell(struct release_session *s, const struct hf_tree *tree, const struct hf_push_report *r,
	struct hf_error *err)
{
	struct hf_arena *a = s->arena;
	struct hf_value *v = tree_value(a, tree);
	if (!s->base->json) {
		printf("release %s%s%s\n%zu files; uploaded %zu of %zu objects (%s of %s)%s\n",
			hf_dict_cstr(v, "release", ""), *tree->manifest.name == '\0' ? "" : "  ",
			tree->manifest.name, tree->manifest.n_files, r->uploaded, r->objects,
			release_size(a, r->uploaded_bytes), release_size(a, r->bytes),
			r->existed ? "; the release was there already" : "");
		return 0;
	}
	hf_dict_put(v, "objects", hf_value_int(a, (int64_t)r->objects));
	hf_dict_put(v, "uploaded", hf_value_int(a, (int64_t)r->uploaded));
	hf_dict_put(v, "uploaded_bytes", hf_value_int(a, (int64_t)r->uploaded_bytes));
	hf_dict_put(v, "existed", hf_value_bool(a, r->existed));
	return release_print_json(v, err);
}

/* The document to push: signed now, or signed by several people before. */
static int document_get(struct release_session *s, const struct build_params *p, const struct hf_tree *tree,
	struct hf_str *ret, struct hf_error *err)
{
	struct hf_envelope *e = hf_new(s->arena, struct hf_envelope);
	const struct hf_role *role = &s->roots.trust.root->release;
	int result = 0;
	if (p->document == NULL) {
		if (s->n_keys == 0)
			return hf_fail(
				err, HF_E_ARGUMENT, "who signs it? Give --key FILE or set HOLDFAST_KEY");
		result = document_sign(s, tree, e, ret, err);
	} else {
		result = hf_fs_read(s->arena, p->document, DOCUMENT_FILE_MAX, ret, err);
		if (result == 0)
			result = hf_envelope_scan(s->arena, *ret, HF_DOC_RELEASE, e, &s->refusal, err);
		if (result == 0 && !hf_str_equal(e->payload, tree->payload))
			return hf_fail(err, HF_E_ARGUMENT,
				"%s describes other files than %s holds: build and sign again", p->document,
				p->base.words.at[0]);
	}
	return result < 0 ? result : release_enough(s, e, &role, 1, err);
}

static int push_run(struct hf_arena *a, const struct build_params *p, struct hf_error *err)
{
	struct release_session s;
	struct hf_tree tree = { 0 };
	struct require require = { 0 };
	struct hf_str document;
	struct hf_push_report report;
	int result = release_open(a, &p->base, RELEASE_ROOTS, &s, err);
	if (result == 0)
		result = tree_of(a, p, &require, &tree, err);
	if (result == 0)
		result = document_get(&s, p, &tree, &document, err);
	if (result == 0)
		result = hf_push(a, s.store, &s.roots, &tree, document, &report, &s.refusal, err);
	if (result == 0)
		result = push_tell(&s, &tree, &report, err);
	struct hf_error ignored; /* a folder left in TMPDIR is less than the failure to tell */
	require_done(&require);
	(void)!hf_tree_done(&tree, &ignored);
	return release_close(&s, result, err);
}

static int build_start(
	struct cli_call *call, int (*run)(struct hf_arena *, const struct build_params *, struct hf_error *))
{
	struct hf_error err;
	struct build_params p = { 0 };
	release_base_read(call, &p.base);
	p.git = cli_value(call, "git", NULL);
	p.no_lint = cli_given(call, "no-lint");
	p.name = cli_value(call, "name", NULL);
	p.entry = cli_value(call, "entry", NULL);
	p.min_agent = cli_value(call, "min-agent", NULL);
	p.created = cli_value(call, "created", getenv("SOURCE_DATE_EPOCH"));
	p.gates = cli_value(call, "gates", NULL);
	p.out = cli_value(call, "out", NULL);
	p.document = cli_value(call, "document", NULL);
	return release_status(call, run(call->arena, &p, &err), &err);
}

#define BUILD_COMMAND(title, symbol, min, max, usage, text)                                                  \
	RELEASE_COMMAND("release " title, release_##symbol, build_start, symbol, min, max, usage, text)
BUILD_COMMAND("build", build, 1, 1, "FOLDER", "print the hash a folder (or a git ref) has as a release");
BUILD_COMMAND("push", push, 1, 1, "FOLDER",
	"build, sign and upload what the store lacks; visible only when complete");
