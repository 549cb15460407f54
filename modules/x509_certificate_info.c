/* modules/x509_certificate_info.c - what a certificate says. */
#include "modules/crypto.h"

struct params {
	struct hf_crypto_info_params info;
	struct hf_value *valid_at;
};
static const struct hf_arg args[] = {
	HF_CRYPTO_INFO_ARGS(
		struct params, info, "The file, in PEM or DER.", "The certificate itself, in PEM."),
	{ "valid_at", HF_ARG_DICT, offsetof(struct params, valid_at),
		.help = "Times, each by a name, at which it shall be seen whether it is valid." },
	{ .type = HF_ARG_END },
};

static int valid_at_tell(struct hf_arena *a, const struct hf_value *times, X509 *x, struct hf_value **ret,
	struct hf_error *err)
{
	*ret = hf_value_dict(a);
	if (times == NULL)
		return 0;
	HF_DICT_EACH (times, e) {
		const char *name = hf_value_text(a, hf_entry_key(e)).p;
		const struct hf_value *text = hf_entry_value(e);
		int64_t when;
		if (!hf_is(text, HF_STRING))
			return hf_fail(err, HF_E_TASK,
				"The value for valid_at.%s must be of type string (got %s)", name,
				hf_type_name(text));
		int r = hf_crypto_time(text->u.string.p, hf_sprintf(a, "valid_at.%s", name), &when, err);
		if (r < 0)
			return r;
		ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)when);
		bool valid = ASN1_TIME_compare(X509_get0_notBefore(x), t) <= 0 &&
			     ASN1_TIME_compare(t, X509_get0_notAfter(x)) <= 0;
		ASN1_TIME_free(t);
		hf_dict_put(*ret, name, hf_value_bool(a, valid));
	}
	return 0;
}

static int x509_certificate_info_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *info = NULL, *valid = NULL;
	struct hf_str text;
	hf_auto_certificate x = NULL;
	int r = hf_crypto_info_read(a, &p->info, "certificate", &text, err);
	if (r == 0)
		r = hf_crypto_certificate(text, p->info.content == NULL, &x, err);
	if (r == 0)
		r = valid_at_tell(a, p->valid_at, x, &valid, err);
	if (r == 0)
		r = hf_crypto_certificate_info(a, x, false, &info, err);
	if (r < 0)
		return r;
	HF_DICT_EACH (info, e)
		hf_result_put(c, change, hf_entry_key(e)->u.string.p, hf_entry_value(e));
	hf_result_put(c, change, "valid_at", valid);
	return 0;
}

static const char *const aliases[] = { "openssl_certificate_info",
	"community.crypto.openssl_certificate_info", NULL };

const struct hf_module hf_module_x509_certificate_info = {
	.name = "x509_certificate_info",
	.collection = "community.crypto",
	.aliases = aliases,
	.schema = { args, hf_crypto_info_rules, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE | HF_MODULE_NO_DIFF,
	.check = x509_certificate_info_check,
};
