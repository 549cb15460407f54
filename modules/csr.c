#include "modules/csr.h"

#include <openssl/sha.h>

/* --- the subject ------------------------------------------------------------------------------------ */
static void part_add(struct hf_csr *csr, const char *type, struct hf_value *text)
{
	struct hf_value *pair = hf_value_list(csr->a);
	hf_list_append(pair, hf_value_cstr(csr->a, type));
	hf_list_append(pair, text);
	hf_list_append(csr->subject, pair);
}

static int parts_add(struct hf_csr *csr, const struct hf_value *dict, const char *what, struct hf_error *err)
{
	HF_DICT_EACH (dict, e) {
		const char *type = hf_value_text(csr->a, hf_entry_key(e)).p;
		struct hf_value *value = hf_entry_value(e);
		bool list = hf_is(value, HF_LIST);
		for (size_t i = 0; i < (list ? hf_list_len(value) : 1); i++) {
			struct hf_value *text = list ? hf_list_at(value, i) : value;
			if (!hf_is(text, HF_STRING))
				return hf_fail(err, HF_E_TASK,
					list ? "Values %s in %s must be strings"
					     : "Value for %s in %s must be either a string or a list of "
					       "strings",
					type, what);
			if (text->u.string.n == 0)
				return hf_fail(err, HF_E_TASK,
					list ? "Values for %s must not be empty strings"
					     : "Value for %s must not be an empty string",
					type);
			part_add(csr, type, text);
		}
	}
	return 0;
}

static int subject_ordered(struct hf_csr *csr, const struct hf_value *list, struct hf_error *err)
{
	if (hf_list_len(csr->subject) > 0)
		return hf_fail(
			err, HF_E_TASK, "subject_ordered cannot be combined with any other subject field");
	for (size_t i = 0; i < hf_list_len(list); i++) {
		const struct hf_value *entry = hf_list_at(list, i);
		if (hf_dict_len(entry) != 1)
			return hf_fail(err, HF_E_TASK,
				"Entry #%zu in subject_ordered must be a dictionary with exactly one "
				"key-value pair",
				i + 1);
		int r = parts_add(csr, entry, "subject_ordered", err);
		if (r < 0)
			return hf_wrap(err, "Error while processing entry #%zu in subject_ordered", i + 1);
	}
	return 0;
}

static int subject_collect(struct hf_csr *csr, struct hf_error *err)
{
	const struct hf_csr_params *p = csr->p;
	const struct {
		const char *type, *text;
	} parts[] = { { "C", p->country }, { "ST", p->state }, { "L", p->locality }, { "O", p->organization },
		{ "OU", p->unit }, { "CN", p->common_name }, { "emailAddress", p->email } };
	csr->subject = hf_value_list(csr->a);
	for (size_t i = 0; i < HF_COUNT(parts); i++)
		if (parts[i].text != NULL && *parts[i].text != '\0')
			part_add(csr, parts[i].type, hf_value_cstr(csr->a, parts[i].text));
	int r = p->subject == NULL ? 0 : parts_add(csr, p->subject, "subject", err);
	if (r == 0 && p->subject_ordered != NULL && hf_list_len(p->subject_ordered) > 0)
		r = subject_ordered(csr, p->subject_ordered, err);
	return r;
}

static const struct hf_value *part(const struct hf_csr *csr, size_t i, size_t which)
{
	return hf_list_at(hf_list_at(csr->subject, i), which);
}

static void alt_name_choose(struct hf_csr *csr)
{
	const struct hf_csr_params *p = csr->p;
	csr->alt_name = p->alt_name;
	if ((p->alt_name != NULL && hf_list_len(p->alt_name) > 0) || p->common_name_for_san != HF_YES)
		return;
	for (size_t i = 0; i < hf_list_len(csr->subject); i++) {
		struct hf_str type = part(csr, i, 0)->u.string;
		if (!hf_str_is(type, "CN") && !hf_str_is(type, "commonName"))
			continue;
		csr->alt_name = hf_value_list(csr->a);
		hf_list_append(csr->alt_name,
			hf_value_cstr(csr->a, hf_sprintf(csr->a, "DNS:%s", part(csr, i, 1)->u.string.p)));
		return;
	}
}

int hf_csr_begin(
	struct hf_module_context *c, const struct hf_csr_params *p, struct hf_csr *ret, struct hf_error *err)
{
	*ret = (struct hf_csr){ .c = c, .a = hf_task_arena(c), .p = p };
	if (p->create_ski == HF_YES && p->subject_key_identifier != NULL)
		return hf_fail(err, HF_E_TASK,
			"subject_key_identifier cannot be specified if create_subject_key_identifier is "
			"true");
	int r = subject_collect(ret, err);
	alt_name_choose(ret);
	return r;
}

void hf_csr_done(struct hf_csr *csr)
{
	X509_NAME_free(csr->name);
	hf_free_extensions(&csr->extensions);
	hf_free_key(&csr->key);
	csr->name = NULL;
}

int hf_csr_prepare(struct hf_csr *csr, struct hf_error *err)
{
	const struct hf_csr_params *p = csr->p;
	bool digest_needed = false;
	int r = hf_crypto_key(
		csr->a, p->privatekey_path, p->privatekey_content, p->privatekey_passphrase, &csr->key, err);
	csr->name = X509_NAME_new();
	for (size_t i = 0; r == 0 && i < hf_list_len(csr->subject); i++)
		r = hf_crypto_name_add(
			csr->name, part(csr, i, 0)->u.string.p, part(csr, i, 1)->u.string, 0, err);
	if (r == 0)
		r = hf_csr_extensions(csr, err);
	if (r == 0 && hf_crypto_digest(p->digest, csr->key, &digest_needed) == NULL && digest_needed)
		r = hf_fail(err, HF_E_TASK, "Unsupported digest \"%s\"", p->digest);
	return r;
}

void hf_csr_key_identifier(const EVP_PKEY *key, unsigned char *ret)
{
	X509_PUBKEY *public = NULL;
	const unsigned char *bits = NULL;
	int n = 0;
	memset(ret, 0, SHA_DIGEST_LENGTH);
	if (X509_PUBKEY_set(&public, (EVP_PKEY *)(uintptr_t)key) == 1 &&
		X509_PUBKEY_get0_param(NULL, &bits, &n, NULL, public) == 1)
		SHA1(bits, (size_t)n, ret);
	X509_PUBKEY_free(public);
}

/* --- comparing -------------------------------------------------------------------------------------- */
static bool all_among(const struct hf_value *these, const struct hf_value *those)
{
	for (size_t i = 0; i < hf_list_len(these); i++) {
		bool there = false;
		for (size_t k = 0; !there && k < hf_list_len(those); k++)
			there = hf_value_equal(hf_list_at(these, i), hf_list_at(those, k));
		if (!there)
			return false;
	}
	return true;
}

static bool same_set(const struct hf_value *one, const struct hf_value *other)
{
	return all_among(one, other) && all_among(other, one);
}

static bool subject_fits(struct hf_csr *csr, X509_REQ *request)
{
	const struct hf_value *want = hf_crypto_name_pairs(csr->a, csr->name),
			      *have = hf_crypto_name_pairs(csr->a, X509_REQ_get_subject_name(request));
	bool ordered = csr->p->subject_ordered != NULL && hf_list_len(csr->p->subject_ordered) > 0;
	return ordered ? hf_value_equal(want, have) : same_set(want, have);
}

static struct hf_value *items(struct hf_arena *a, const X509_EXTENSION *ext, int nid)
{
	struct hf_value *list = hf_value_list(a);
	void *decoded = X509V3_EXT_d2i((X509_EXTENSION *)(uintptr_t)ext);
	if (nid == NID_subject_alt_name)
		for (int i = 0; i < sk_GENERAL_NAME_num((GENERAL_NAMES *)decoded); i++)
			hf_list_append(list,
				hf_value_str(a, hf_crypto_name_text(a,
							sk_GENERAL_NAME_value((GENERAL_NAMES *)decoded, i))));
	else
		for (int i = 0; i < sk_ASN1_OBJECT_num((EXTENDED_KEY_USAGE *)decoded); i++)
			hf_list_append(
				list, hf_value_cstr(a,
					      hf_crypto_object_name(a,
						      sk_ASN1_OBJECT_value((EXTENDED_KEY_USAGE *)decoded, i),
						      true)));
	if (nid == NID_subject_alt_name)
		GENERAL_NAMES_free(decoded);
	else
		EXTENDED_KEY_USAGE_free(decoded);
	return list;
}

/* Names and usages are sets; the rest is compared as it is written. */
static bool extension_fits(struct hf_csr *csr, const hf_extensions *have, int nid)
{
	int w = X509v3_get_ext_by_NID(csr->extensions, nid, -1), h = X509v3_get_ext_by_NID(have, nid, -1);
	if (w < 0 || h < 0)
		return w < 0 && h < 0;
	X509_EXTENSION *want = sk_X509_EXTENSION_value(csr->extensions, w),
		       *there = sk_X509_EXTENSION_value(have, h);
	if (X509_EXTENSION_get_critical(want) != X509_EXTENSION_get_critical(there))
		return false;
	if (nid == NID_subject_alt_name || nid == NID_ext_key_usage)
		return same_set(items(csr->a, want, nid), items(csr->a, there, nid));
	return ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(want), X509_EXTENSION_get_data(there)) == 0;
}

bool hf_csr_fits(struct hf_csr *csr, struct hf_str text)
{
	static const int nids[] = { NID_subject_alt_name, NID_key_usage, NID_ext_key_usage,
		NID_basic_constraints, NID_tlsfeature, NID_subject_key_identifier,
		NID_authority_key_identifier, NID_name_constraints, NID_crl_distribution_points };
	struct hf_error ignored = { 0 };
	hf_auto_request request = NULL;
	if (hf_crypto_request(text, &request, &ignored) < 0)
		return false;
	hf_auto_extensions have = X509_REQ_get_extensions(request);
	EVP_PKEY *key = X509_REQ_get0_pubkey(request);
	bool fits = subject_fits(csr, request) && key != NULL && EVP_PKEY_eq(key, csr->key) == 1 &&
		    X509_REQ_verify(request, key) == 1;
	for (size_t i = 0; fits && i < HF_COUNT(nids); i++)
		fits = extension_fits(csr, have, nids[i]);
	ERR_clear_error();
	return fits;
}

/* --- making and telling ----------------------------------------------------------------------------- */
int hf_csr_make(struct hf_csr *csr, struct hf_str *ret, struct hf_error *err)
{
	bool needed;
	hf_auto_request request = X509_REQ_new();
	hf_auto_bio out = BIO_new(BIO_s_mem());
	const EVP_MD *digest = hf_crypto_digest(csr->p->digest, csr->key, &needed);
	bool ok = X509_REQ_set_version(request, 0) == 1 &&
		  X509_REQ_set_subject_name(request, csr->name) == 1 &&
		  X509_REQ_set_pubkey(request, csr->key) == 1;
	if (ok && sk_X509_EXTENSION_num(csr->extensions) > 0)
		ok = X509_REQ_add_extensions(request, csr->extensions) == 1;
	ok = ok && X509_REQ_sign(request, csr->key, needed ? digest : NULL) > 0 &&
	     PEM_write_bio_X509_REQ(out, request) == 1;
	if (!ok)
		return hf_fail(err, HF_E_TASK, "a key of type %s cannot sign a request: %s",
			hf_crypto_key_type(csr->key), ERR_reason_error_string(ERR_get_error()));
	*ret = hf_crypto_bio_text(csr->a, out);
	return 0;
}

static struct hf_value *list_or(struct hf_value *list, struct hf_value *otherwise)
{
	return list != NULL ? list : otherwise;
}

void hf_csr_report(const struct hf_csr *csr, struct hf_change *change)
{
	const struct hf_csr_params *p = csr->p;
	struct hf_value *null = hf_value_null(csr->a);
	const struct {
		const char *key;
		struct hf_value *value;
	} rows[] = {
		{ "privatekey",
			p->privatekey_path == NULL ? null : hf_value_cstr(csr->a, p->privatekey_path) },
		{ "subject", csr->subject },
		{ "subjectAltName", list_or(csr->alt_name, null) },
		{ "keyUsage", list_or(p->key_usage, null) },
		{ "extendedKeyUsage", list_or(p->extended_usage, null) },
		{ "basicConstraints", list_or(p->basic_constraints, null) },
		{ "ocspMustStaple", hf_value_bool(csr->a, p->must_staple == HF_YES) },
		{ "name_constraints_permitted", list_or(p->permitted, hf_value_list(csr->a)) },
		{ "name_constraints_excluded", list_or(p->excluded, hf_value_list(csr->a)) },
	};
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		hf_result_put(csr->c, change, rows[i].key, rows[i].value);
}

struct hf_value *hf_csr_describe(struct hf_arena *a, struct hf_str text)
{
	struct hf_error ignored = { 0 };
	struct hf_value *info = hf_value_dict(a);
	hf_auto_request request = NULL;
	if (text.p == NULL)
		return info;
	bool ok = hf_crypto_request(text, &request, &ignored) == 0 &&
		  hf_crypto_request_info(a, request, true, &info, &ignored) == 0;
	hf_dict_put(info, "can_parse_csr", hf_value_bool(a, ok));
	return info;
}
