/* modules/openssl_csr_pipe.c - a certificate signing request as a value. */
#include "modules/csr.h"

struct params {
	const char *content;
	struct hf_csr_params csr;
};
static const struct hf_arg args[] = {
	{ "content", HF_ARG_STR, offsetof(struct params, content), .help = "The request so far." },
	HF_CSR_ARGS(struct params, csr),
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	HF_CSR_RULES,
	{ HF_RULE_ONE_OF, HF_CRYPTO_NAMES("privatekey_path", "privatekey_content") },
	{ HF_RULE_END },
};

static int openssl_csr_pipe_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	hf_auto_csr csr = { 0 };
	struct hf_str old = hf_str(p->content), text = old;
	int r = hf_csr_begin(c, &p->csr, &csr, err);
	if (r == 0)
		r = hf_csr_prepare(&csr, err);
	if (r == 0 && (old.p == NULL || !hf_csr_fits(&csr, old))) {
		change->changed = true;
		r = hf_csr_make(&csr, &text, err);
	}
	if (r < 0)
		return r;
	hf_csr_report(&csr, change);
	hf_result_put(c, change, "csr", hf_value_str(csr.a, text));
	if (hf_task_diff(c))
		hf_change_diff_values(c, change, hf_csr_describe(csr.a, old), hf_csr_describe(csr.a, text));
	return 0;
}

const struct hf_module hf_module_openssl_csr_pipe = {
	.name = "openssl_csr_pipe",
	.collection = "community.crypto",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE,
	.check = openssl_csr_pipe_check,
};
