/* modules/crypto_info.c - what Ansible tells of a request or a certificate. */
#include "lib/base/time.h"
#include "modules/crypto.h"

enum { BASE64_MAX = 1 << 20, TIME_TEXT = 24, OID_TEXT_MAX = 128, USAGE_BITS = 9 };

static struct hf_value *sorted(struct hf_arena *a, struct hf_value *list)
{
	struct hf_value *out = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(list); i++) {
		size_t k = hf_list_len(out);
		hf_list_append(out, hf_list_at(list, i));
		for (; k > 0 &&
			hf_str_compare(out->u.list->at[k - 1]->u.string, out->u.list->at[k]->u.string) > 0;
			k--) {
			struct hf_value *swap = out->u.list->at[k];
			out->u.list->at[k] = out->u.list->at[k - 1];
			out->u.list->at[k - 1] = swap;
		}
	}
	return out;
}

static struct hf_value *octets(struct hf_arena *a, const ASN1_OCTET_STRING *s)
{
	return s == NULL ? hf_value_null(a)
			 : hf_value_cstr(a, hf_crypto_colons(a, ASN1_STRING_get0_data(s),
						    (size_t)ASN1_STRING_length(s)));
}

static struct hf_value *names(struct hf_arena *a, const GENERAL_NAMES *all)
{
	struct hf_value *list = hf_value_list(a);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++)
		hf_list_append(list, hf_value_str(a, hf_crypto_name_text(a, sk_GENERAL_NAME_value(all, i))));
	return list;
}

/* --- one extension each ----------------------------------------------------------------------------- */
static struct hf_value *key_usage(struct hf_arena *a, void *decoded)
{
	static const struct {
		int bit;
		const char *name;
	} rows[] = { { 5, "Certificate Sign" }, { 6, "CRL Sign" }, { 3, "Data Encipherment" },
		{ 8, "Decipher Only" }, { 0, "Digital Signature" }, { 7, "Encipher Only" },
		{ 4, "Key Agreement" }, { 2, "Key Encipherment" }, { 1, "Non Repudiation" } };
	struct hf_value *list = hf_value_list(a);
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (ASN1_BIT_STRING_get_bit(decoded, rows[i].bit) == 1)
			hf_list_append(list, hf_value_cstr(a, rows[i].name));
	return sorted(a, list);
}

static struct hf_value *extended_usage(struct hf_arena *a, void *decoded)
{
	const EXTENDED_KEY_USAGE *all = decoded;
	struct hf_value *list = hf_value_list(a);
	for (int i = 0; i < sk_ASN1_OBJECT_num(all); i++)
		hf_list_append(list,
			hf_value_cstr(a, hf_crypto_object_name(a, sk_ASN1_OBJECT_value(all, i), false)));
	return sorted(a, list);
}

static struct hf_value *constraints(struct hf_arena *a, void *decoded)
{
	const BASIC_CONSTRAINTS *b = decoded;
	struct hf_value *list = hf_value_list(a);
	hf_list_append(list, hf_value_cstr(a, b->ca ? "CA:TRUE" : "CA:FALSE"));
	if (b->pathlen != NULL)
		hf_list_append(
			list, hf_value_cstr(a, hf_sprintf(a, "pathlen:%ld", ASN1_INTEGER_get(b->pathlen))));
	return list;
}

static struct hf_value *must_staple(struct hf_arena *a, void *decoded)
{
	enum { STATUS_REQUEST = 5 };
	const TLS_FEATURE *all = decoded;
	bool there = false;
	for (int i = 0; i < sk_ASN1_INTEGER_num(all); i++)
		there = there || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(all, i)) == STATUS_REQUEST;
	return hf_value_bool(a, there);
}

static struct hf_value *alternative_names(struct hf_arena *a, void *decoded)
{
	return names(a, decoded);
}

static const struct kind {
	int nid;
	const char *key;
	struct hf_value *(*value)(struct hf_arena *a, void *decoded);
} kinds[] = {
	{ NID_key_usage, "key_usage", key_usage },
	{ NID_ext_key_usage, "extended_key_usage", extended_usage },
	{ NID_basic_constraints, "basic_constraints", constraints },
	{ NID_tlsfeature, "ocsp_must_staple", must_staple },
	{ NID_subject_alt_name, "subject_alt_name", alternative_names },
};

static void decoded_free(const X509_EXTENSION *ext, void *decoded)
{
	const X509V3_EXT_METHOD *method = X509V3_EXT_get((X509_EXTENSION *)(uintptr_t)ext);
	if (decoded != NULL && method != NULL)
		ASN1_item_free(decoded, ASN1_ITEM_ptr(method->it));
}

static X509_EXTENSION *find(const hf_extensions *all, int nid)
{
	int at = X509v3_get_ext_by_NID(all, nid, -1);
	return at < 0 ? NULL : sk_X509_EXTENSION_value(all, at);
}

static void identifiers(struct hf_arena *a, struct hf_value *info, const hf_extensions *all)
{
	ASN1_OCTET_STRING *subject = X509V3_get_d2i(all, NID_subject_key_identifier, NULL, NULL);
	AUTHORITY_KEYID *authority = X509V3_get_d2i(all, NID_authority_key_identifier, NULL, NULL);
	bool issuer = authority != NULL && authority->issuer != NULL;
	hf_dict_put(info, "subject_key_identifier", octets(a, subject));
	hf_dict_put(info, "authority_key_identifier", octets(a, authority == NULL ? NULL : authority->keyid));
	hf_dict_put(info, "authority_cert_issuer", issuer ? names(a, authority->issuer) : hf_value_null(a));
	hf_dict_put(info, "authority_cert_serial_number",
		hf_crypto_integer(a, authority == NULL ? NULL : authority->serial));
	ASN1_OCTET_STRING_free(subject);
	AUTHORITY_KEYID_free(authority);
}

static struct hf_value *subtrees(struct hf_arena *a, const STACK_OF(GENERAL_SUBTREE) * all)
{
	struct hf_value *list = hf_value_list(a);
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(all); i++)
		hf_list_append(list,
			hf_value_str(a, hf_crypto_name_text(a, sk_GENERAL_SUBTREE_value(all, i)->base)));
	return list;
}

static void name_constraints(struct hf_arena *a, struct hf_value *info, const hf_extensions *all)
{
	int critical = 0;
	NAME_CONSTRAINTS *n = X509V3_get_d2i(all, NID_name_constraints, &critical, NULL);
	hf_dict_put(info, "name_constraints_permitted",
		n == NULL ? hf_value_null(a) : subtrees(a, n->permittedSubtrees));
	hf_dict_put(info, "name_constraints_excluded",
		n == NULL ? hf_value_null(a) : subtrees(a, n->excludedSubtrees));
	hf_dict_put(info, "name_constraints_critical", hf_value_bool(a, critical == 1));
	NAME_CONSTRAINTS_free(n);
}

static struct hf_value *by_oid(struct hf_arena *a, const hf_extensions *all)
{
	struct hf_value *dict = hf_value_dict(a);
	for (int i = 0; i < sk_X509_EXTENSION_num(all); i++) {
		X509_EXTENSION *ext = sk_X509_EXTENSION_value(all, i);
		const ASN1_OCTET_STRING *der = X509_EXTENSION_get_data(ext);
		size_t n = (size_t)ASN1_STRING_length(der);
		struct hf_value *entry = hf_value_dict(a);
		hf_auto_buf text = hf_buf_init(BASE64_MAX);
		char oid[OID_TEXT_MAX], *at = hf_buf_room(&text, (n + 2) / 3 * 4 + 1);
		if (at != NULL)
			hf_buf_added(&text, (size_t)EVP_EncodeBlock(
						    (unsigned char *)at, ASN1_STRING_get0_data(der), (int)n));
		OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(ext), 1);
		hf_dict_put(entry, "critical", hf_value_bool(a, X509_EXTENSION_get_critical(ext) == 1));
		hf_dict_put(entry, "value", hf_value_str(a, hf_buf_str(&text)));
		hf_dict_put(dict, oid, entry);
	}
	return dict;
}

static void put_extensions(struct hf_arena *a, struct hf_value *info, const hf_extensions *all)
{
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		X509_EXTENSION *ext = find(all, kinds[i].nid);
		void *decoded = ext == NULL ? NULL : X509V3_EXT_d2i(ext);
		hf_dict_put(
			info, kinds[i].key, decoded == NULL ? hf_value_null(a) : kinds[i].value(a, decoded));
		hf_dict_put(info, hf_sprintf(a, "%s_critical", kinds[i].key),
			hf_value_bool(a, ext != NULL && X509_EXTENSION_get_critical(ext) == 1));
		decoded_free(ext, decoded);
	}
	identifiers(a, info, all);
	hf_dict_put(info, "extensions_by_oid", by_oid(a, all));
}

static void put_name(struct hf_arena *a, struct hf_value *info, const char *key, const X509_NAME *name)
{
	struct hf_value *pairs = hf_crypto_name_pairs(a, name), *dict = hf_value_dict(a);
	for (size_t i = 0; i < hf_list_len(pairs); i++)
		hf_dict_set(dict, hf_list_at(hf_list_at(pairs, i), 0), hf_list_at(hf_list_at(pairs, i), 1));
	hf_dict_put(info, key, dict);
	hf_dict_put(info, hf_sprintf(a, "%s_ordered", key), pairs);
}

int hf_crypto_request_info(
	struct hf_arena *a, X509_REQ *request, bool one, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *info = hf_value_dict(a);
	const EVP_PKEY *key = X509_REQ_get0_pubkey(request);
	hf_auto_extensions all = X509_REQ_get_extensions(request);
	if (key == NULL)
		return hf_fail(err, HF_E_TASK, "the request's public key cannot be read");
	put_name(a, info, "subject", X509_REQ_get_subject_name(request));
	put_extensions(a, info, all);
	name_constraints(a, info, all);
	hf_crypto_put_key(a, info, key, one);
	hf_dict_put(info, "signature_valid",
		hf_value_bool(a, X509_REQ_verify(request, X509_REQ_get0_pubkey(request)) == 1));
	ERR_clear_error();
	*ret = info;
	return 0;
}

/* --- certificates ----------------------------------------------------------------------------------- */
static const char *time_text(struct hf_arena *a, const ASN1_TIME *when)
{
	struct tm t = { 0 };
	char text[TIME_TEXT] = "";
	if (ASN1_TIME_to_tm(when, &t) == 1)
		strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &t);
	return hf_strdup(a, text);
}

static struct hf_value *access_uri(struct hf_arena *a, const hf_extensions *all, int nid)
{
	AUTHORITY_INFO_ACCESS *access = X509V3_get_d2i(all, NID_info_access, NULL, NULL);
	struct hf_value *uri = NULL;
	for (int i = 0; uri == NULL && i < sk_ACCESS_DESCRIPTION_num(access); i++) {
		const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(access, i);
		struct hf_str text = hf_crypto_name_text(a, d->location);
		if (OBJ_obj2nid(d->method) == nid && d->location->type == GEN_URI)
			uri = hf_value_str(a, hf_strn(text.p + strlen("URI:"), text.n - strlen("URI:")));
	}
	AUTHORITY_INFO_ACCESS_free(access);
	return uri == NULL ? hf_value_null(a) : uri;
}

int hf_crypto_certificate_info(
	struct hf_arena *a, X509 *certificate, bool one, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *info = hf_value_dict(a);
	const EVP_PKEY *key = X509_get0_pubkey(certificate);
	const hf_extensions *all = X509_get0_extensions(certificate);
	unsigned char *der = NULL;
	if (key == NULL)
		return hf_fail(err, HF_E_TASK, "the certificate's public key cannot be read");
	int n = i2d_X509(certificate, &der);
	const char *algorithm = OBJ_nid2ln(X509_get_signature_nid(certificate));
	hf_dict_put(info, "signature_algorithm", hf_value_cstr(a, algorithm));
	put_name(a, info, "subject", X509_get_subject_name(certificate));
	put_name(a, info, "issuer", X509_get_issuer_name(certificate));
	hf_dict_put(info, "version", hf_value_int(a, X509_get_version(certificate) + 1));
	put_extensions(a, info, all);
	hf_dict_put(info, "not_before", hf_value_cstr(a, time_text(a, X509_get0_notBefore(certificate))));
	hf_dict_put(info, "not_after", hf_value_cstr(a, time_text(a, X509_get0_notAfter(certificate))));
	hf_dict_put(info, "expired",
		hf_value_bool(a, X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0));
	hf_crypto_put_key(a, info, key, one);
	hf_dict_put(info, "fingerprints", hf_crypto_fingerprints(a, der, n > 0 ? (size_t)n : 0, one));
	hf_dict_put(info, "serial_number", hf_crypto_integer(a, X509_get0_serialNumber(certificate)));
	hf_dict_put(info, "ocsp_uri", access_uri(a, all, NID_ad_OCSP));
	hf_dict_put(info, "issuer_uri", access_uri(a, all, NID_ad_ca_issuers));
	OPENSSL_free(der);
	ERR_clear_error();
	*ret = info;
	return 0;
}
