/* modules/openssl_csr_info.c - what a certificate signing request says. */
#include "modules/crypto.h"

struct params {
	struct hf_crypto_info_params info;
};
static const struct hf_arg args[] = {
	HF_CRYPTO_INFO_ARGS(struct params, info, "The file.", "The request itself."),
	{ .type = HF_ARG_END },
};

static int openssl_csr_info_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *info = NULL;
	struct hf_str text;
	hf_auto_request request = NULL;
	int r = hf_crypto_info_read(a, &p->info, "CSR", &text, err);
	if (r == 0)
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
	.schema = { args, hf_crypto_info_rules, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE | HF_MODULE_NO_DIFF,
	.check = openssl_csr_info_check,
};
