/* holdfast bootstrap bundle: everything a new machine needs in one object named by its hash. */
#include <stdio.h>
#include <string.h>

#include "cli/bootstrap.h"
#include "cli/release.h"
#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "provisioner/bootstrap.h"

enum { PACKAGE_MAX = 256 << 20, FILE_MAX = 1 << 20 };

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

struct bundle {
	struct hf_arena *arena;
	struct bootstrap_member members[BOOTSTRAP_MEMBERS_MAX];
	size_t n;
};

static int file_add(
	struct bundle *b, const char *name, const char *path, size_t max, unsigned mode, struct hf_error *err)
{
	struct bootstrap_member *m = &b->members[b->n++];
	*m = (struct bootstrap_member){ .name = name, .mode = mode };
	return hf_fs_read(b->arena, path, max, &m->data, err);
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

static int members_add(struct cli_call *call, const char *root, struct bundle *b, struct hf_error *err)
{
	static const struct {
		const char *option, *name;
		unsigned mode;
	} rows[] = { { "agent-config", "agent.yaml", 0644 }, { "env-file", "environment", 0600 },
		{ "ca", "ca.pem", 0644 }, { "cert", "cert.pem", 0644 }, { "cert-key", "key.pem", 0600 } };
	_Static_assert(
		HF_COUNT(rows) + 3 <= BOOTSTRAP_MEMBERS_MAX, "room for the script, the package and the root");
	const char *package = cli_value(call, "package", NULL);
	if (package == NULL || package_name(package) == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "--package names a .deb, .rpm or .tar");
	if (root == NULL)
		return hf_fail(
			err, HF_E_ARGUMENT, "--root names the root document hosts start their trust from");
	b->members[b->n++] = (struct bootstrap_member){ "install", hf_str(hf_bootstrap_install), 0755 };
	int result = file_add(b, package_name(package), package, PACKAGE_MAX, 0644, err);
	if (result == 0)
		result = file_add(b, "root.json", root, FILE_MAX, 0644, err);
	for (size_t i = 0; i < HF_COUNT(rows) && result == 0; i++)
		if (cli_given(call, rows[i].option))
			result = file_add(b, rows[i].name, cli_value(call, rows[i].option, ""), FILE_MAX,
				rows[i].mode, err);
	return result;
}

static int bundle_put(struct cli_call *call, struct release_session *s, struct hf_error *err)
{
	struct bundle b = { .arena = call->arena };
	struct hf_str bytes = { 0 };
	int result = members_add(call, s->base->pin, &b, err);
	if (result == 0)
		result = bootstrap_pack(call->arena, b.members, b.n, false, &bytes, err);
	if (result < 0)
		return result;
	struct hf_digest d = hf_sha256(bytes);
	char hex[HF_SHA256_HEX];
	hf_digest_hex(&d, hex);
	struct hf_store_put put = { .key = hf_sprintf(call->arena, "bootstrap/%s.tar", hex),
		.data = bytes,
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
