/* holdfast key: private keys for people and pipelines. */
#include <stdio.h>
#include <string.h>

#include "cli/release.h"
#include "lib/base/scope.h"

struct key_params {
	struct release_base base;
	const char *algorithm;
};
static const struct cli_option generate_options[] = {
	{ "algorithm", 'a', "NAME", "ed25519 (default) or ecdsa-p256" },
	RELEASE_PASSPHRASE,
	RELEASE_JSON,
	{ NULL },
};
static const struct cli_option show_options[] = { RELEASE_PASSPHRASE, RELEASE_JSON, { NULL } };

static int key_tell(const struct key_params *p, struct hf_arena *a, const struct hf_key *k, const char *path,
	const char *public_path, struct hf_error *err)
{
	char hex[HF_SHA256_HEX];
	hf_digest_hex(&k->id, hex);
	if (!p->base.json) {
		printf("%s %s  %s\n", hf_key_algorithm_name(k->algorithm), hex, path);
		if (public_path != NULL)
			printf("public half: %s\n", public_path);
		return 0;
	}
	struct hf_value *v = hf_value_dict(a);
	hf_dict_put(v, "id", hf_value_cstr(a, hex));
	hf_dict_put(v, "algorithm", hf_value_cstr(a, hf_key_algorithm_name(k->algorithm)));
	hf_dict_put(v, "name", hf_value_cstr(a, k->name == NULL ? "" : k->name));
	hf_dict_put(v, "file", hf_value_cstr(a, path));
	if (public_path != NULL)
		hf_dict_put(v, "public", hf_value_cstr(a, public_path));
	return release_print_json(v, err);
}

static int generate_run(struct hf_arena *a, const struct key_params *p, struct hf_error *err)
{
	const char *path = p->base.words.at[0], *passphrase = NULL;
	enum hf_key_algorithm algorithm = HF_KEY_ED25519;
	if (p->algorithm != NULL && !hf_key_algorithm_find(p->algorithm, &algorithm))
		return hf_fail(err, HF_E_ARGUMENT, "--algorithm: \"%s\" is neither ed25519 nor ecdsa-p256",
			p->algorithm);
	size_t n = strlen(path);
	const char *stem = hf_str_ends(hf_str(path), ".pem") ? hf_strndup(a, path, n - 4) : path;
	const char *public_path = hf_sprintf(a, "%s.pub", stem);
	hf_auto_private_key k = NULL;
	int result = release_passphrase(a, &p->base, &passphrase, err);
	if (result == 0)
		result = hf_private_key_generate(algorithm, &k, err);
	if (result == 0)
		result = hf_private_key_save(k, path, passphrase, err);
	if (result == 0)
		result = hf_public_key_save(k, public_path, err);
	return result < 0 ? result : key_tell(p, a, hf_private_key_public(k), path, public_path, err);
}

static int show_run(struct hf_arena *a, const struct key_params *p, struct hf_error *err)
{
	const char *passphrase = NULL;
	struct hf_key k;
	int result = release_passphrase(a, &p->base, &passphrase, err);
	if (result == 0)
		result = hf_public_key_load(a, p->base.words.at[0], passphrase, &k, err);
	return result < 0 ? result : key_tell(p, a, &k, p->base.words.at[0], NULL, err);
}

static int key_start(
	struct cli_call *call, int (*run)(struct hf_arena *, const struct key_params *, struct hf_error *))
{
	struct hf_error err;
	struct key_params p = { .algorithm = cli_value(call, "algorithm", NULL) };
	release_base_read(call, &p.base);
	return release_status(call, run(call->arena, &p, &err), &err);
}

static int generate_start(struct cli_call *call)
{
	return key_start(call, generate_run);
}

static int show_start(struct cli_call *call)
{
	return key_start(call, show_run);
}

const struct cli_command cli_command_key_generate = {
	.name = "key generate",
	.summary = "make a private key (mode 0600) and its public half beside it (.pub)",
	.arguments = "FILE",
	.options = generate_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = generate_start,
};
const struct cli_command cli_command_key_show = {
	.name = "key show",
	.summary = "print id and algorithm of a private or public key file",
	.arguments = "FILE",
	.options = show_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = show_start,
};
