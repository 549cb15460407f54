/* modules/openssl_csr_info.c - what a certificate signing request says. */
#include "modules/crypto.h"

static const char *const backends[] = { "auto", "cryptography", NULL };
static const char *const encodings[] = { "ignore", "idna", "unicode", NULL };
struct params {
	const char *path, *content, *encoding, *backend;
};
#define AT(field)  offsetof(struct params, field)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), .help = "The file." },
	{ "content", HF_ARG_STR, AT(content), .help = "The request itself." },
	{ "name_encoding", HF_ARG_STR, AT(encoding), .dflt = "ignore", .choices = encodings,
		.help = "How names beyond ASCII are shown; only ignore and idna, which is how they are "
			"kept." },
	{ "select_crypto_backend", HF_ARG_STR, AT(backend), .dflt = "auto", .choices = backends,
		.help = "No effect: OpenSSL's library is used." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_ONE_OF, NAMES("path", "content") },
	{ HF_RULE_EXCLUSIVE, NAMES("path", "content") },
	{ HF_RULE_END },
};

static int openssl_csr_info_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *info = NULL;
	struct hf_str text;
	hf_auto_request request = NULL;
	if (strcmp(p->encoding, "unicode") == 0)
		return hf_fail(err, HF_E_TASK, "name_encoding: unicode is not supported");
	int r = hf_crypto_read(a, p->path, p->content, &text, err);
	if (r < 0)
		return hf_wrap(err, "Error while reading CSR file from disk");
	r = hf_crypto_request(text, &request, err);
	if (r == 0)
		r = hf_crypto_request_info(a, request, false, &info, err);
	if (r < 0)
		return r;
	HF_DICT_EACH (info, e)
		hf_result_put(c, change, hf_entry_key(e)->u.string.p, hf_entry_value(e));
	return hf_dict_bool(info, "signature_valid", false)
		       ? 0
		       : hf_fail(err, HF_E_TASK, "CSR signature is invalid!");
}

const struct hf_module hf_module_openssl_csr_info = {
	.name = "openssl_csr_info",
	.collection = "community.crypto",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE | HF_MODULE_NO_DIFF,
	.check = openssl_csr_info_check,
};
