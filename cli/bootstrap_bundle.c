/* holdfast bootstrap bundle: everything a new machine needs in one object named by its hash. */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>

#include "cli/bootstrap.h"
#include "cli/release.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"

enum { PACKAGE_MAX = 256 << 20, FILE_MAX = 1 << 20, BUNDLE_MAX = 300 << 20 };

static const struct cli_option options[] = {
	RELEASE_STORE,
	{ "package", 'p', "FILE", "the .deb, .rpm or .tar of holdfast" },
	{ "agent-config", 0, "FILE", "more keys of holdfast.yaml: mqtt, poll, policy" },
	{ "env-file", 0, "FILE", "NAME=value lines for the agent's environment" },
	{ "ca", 0, "FILE", "becomes /etc/holdfast/tls/ca.pem" },
	{ "cert", 0, "FILE", "becomes /etc/holdfast/tls/cert.pem" },
	{ "cert-key", 0, "FILE", "becomes /etc/holdfast/tls/key.pem" },
	{ NULL },
};

static la_ssize_t bundle_write(struct archive *w, void *data, const void *bytes, size_t n)
{
	(void)w;
	hf_buf_add(data, hf_strn(bytes, n));
	return (la_ssize_t)n;
}

/* One file, the same bytes whoever makes the bundle and when. */
static int member_add(
	struct archive *w, const char *name, struct hf_str data, mode_t mode, struct hf_error *err)
{
	struct archive_entry *e = archive_entry_new();
	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, mode);
	archive_entry_set_size(e, (la_int64_t)data.n);
	bool good = archive_write_header(w, e) == ARCHIVE_OK &&
		    (data.n == 0 || archive_write_data(w, data.p, data.n) == (la_ssize_t)data.n);
	archive_entry_free(e);
	return good ? 0 : hf_fail(err, HF_E_IO, "bundle: %s: %s", name, archive_error_string(w));
}

static int file_add(struct hf_arena *a, struct archive *w, const char *name, const char *path, size_t max,
	mode_t mode, struct hf_error *err)
{
	struct hf_str data;
	int result = hf_fs_read(a, path, max, &data, err);
	return result < 0 ? result : member_add(w, name, data, mode, err);
}

static const char *package_name(const char *path)
{
	static const char *const kinds[][2] = { { ".deb", "holdfast.deb" }, { ".rpm", "holdfast.rpm" },
		{ ".tar", "holdfast.tar" }, { ".tar.gz", "holdfast.tar" }, { ".tar.xz", "holdfast.tar" } };
	for (size_t i = 0; i < HF_COUNT(kinds); i++)
		if (hf_str_ends(hf_str(path), kinds[i][0]))
			return kinds[i][1];
	return NULL;
}

static int members_add(struct cli_call *call, const char *root, struct archive *w, struct hf_error *err)
{
	static const struct {
		const char *option, *name;
		mode_t mode;
	} rows[] = { { "agent-config", "agent.yaml", 0644 }, { "env-file", "environment", 0600 },
		{ "ca", "ca.pem", 0644 }, { "cert", "cert.pem", 0644 }, { "cert-key", "key.pem", 0600 } };
	struct hf_arena *a = call->arena;
	const char *package = cli_value(call, "package", NULL);
	if (package == NULL || package_name(package) == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "--package names a .deb, .rpm or .tar");
	if (root == NULL)
		return hf_fail(
			err, HF_E_ARGUMENT, "--root names the root document hosts start their trust from");
	int result = member_add(w, "install", hf_str(bootstrap_install), 0755, err);
	if (result == 0)
		result = file_add(a, w, package_name(package), package, PACKAGE_MAX, 0644, err);
	if (result == 0)
		result = file_add(a, w, "root.json", root, FILE_MAX, 0644, err);
	for (size_t i = 0; i < HF_COUNT(rows) && result == 0; i++)
		if (cli_given(call, rows[i].option))
			result = file_add(a, w, rows[i].name, cli_value(call, rows[i].option, ""), FILE_MAX,
				rows[i].mode, err);
	return result;
}

static int bundle_make(struct cli_call *call, const char *root, struct hf_buf *out, struct hf_error *err)
{
	struct archive *w = archive_write_new();
	int result = archive_write_set_format_ustar(w) == ARCHIVE_OK &&
				     archive_write_open(w, out, NULL, bundle_write, NULL) == ARCHIVE_OK
			     ? members_add(call, root, w, err)
			     : hf_fail(err, HF_E_IO, "bundle: %s", archive_error_string(w));
	if (result == 0 && archive_write_close(w) != ARCHIVE_OK)
		result = hf_fail(err, HF_E_IO, "bundle: %s", archive_error_string(w));
	archive_write_free(w);
	if (result == 0 && out->failed)
		result = hf_fail(err, HF_E_LIMIT, "the bundle has more than %d bytes", BUNDLE_MAX);
	return result;
}

static int bundle_put(struct cli_call *call, struct release_session *s, struct hf_error *err)
{
	hf_auto_buf bytes = hf_buf_init(BUNDLE_MAX);
	int result = bundle_make(call, s->base->pin, &bytes, err);
	if (result < 0)
		return result;
	struct hf_digest d = hf_sha256(hf_buf_str(&bytes));
	char hex[HF_SHA256_HEX];
	hf_digest_hex(&d, hex);
	struct hf_store_put put = { .key = hf_sprintf(call->arena, "bootstrap/%s.tar", hex),
		.data = hf_buf_str(&bytes),
		.sha256 = &d,
		.when = HF_PUT_ALWAYS };
	result = hf_store_put(s->store, &put, err);
	if (result < 0)
		return result;
	if (!s->base->json)
		return printf("%s\n", hex) < 0;
	struct hf_value *v = hf_value_dict(call->arena);
	hf_dict_put(v, "bundle", hf_value_cstr(call->arena, hex));
	hf_dict_put(v, "bytes", hf_value_int(call->arena, (int64_t)bytes.n));
	return release_print_json(v, err);
}

static int bundle_run(struct cli_call *call)
{
	struct hf_error err = { 0 };
	struct release_base base;
	struct release_session s = { 0 };
	release_base_read(call, &base);
	int result = release_open(call->arena, &base, RELEASE_STORE_ONLY, &s, &err);
	if (result == 0)
		result = bundle_put(call, &s, &err);
	return release_status(call, release_close(&s, result, &err), &err);
}

const struct cli_command cli_command_bootstrap_bundle = {
	.name = "bootstrap bundle",
	.summary = "put package, root of trust and configuration into the store as one object",
	.options = options,
	.run = bundle_run,
	.details = "Prints the SHA-256 that the other bootstrap commands pin. The same files give the same "
		   "bundle.",
};
