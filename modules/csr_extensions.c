/* modules/csr_extensions.c - what a request asks for besides its subject, as extensions of X.509. */
#include <ctype.h>
#include <openssl/sha.h>

#include "modules/csr.h"

enum { IDENTIFIER_MAX = 4096, PATH_LENGTH_MAX = 1000000 };

static const char *const reasons[] = { "key_compromise", "ca_compromise", "affiliation_changed", "superseded",
	"cessation_of_operation", "certificate_hold", "privilege_withdrawn", "aa_compromise", NULL };
const struct hf_arg hf_csr_point_args[] = {
	{ "full_name", HF_ARG_LIST, 0, .elements = HF_ARG_STR },
	{ "relative_name", HF_ARG_LIST, 0, .elements = HF_ARG_STR },
	{ "crl_issuer", HF_ARG_LIST, 0, .elements = HF_ARG_STR },
	{ "reasons", HF_ARG_LIST, 0, .elements = HF_ARG_STR, .choices = reasons },
	{ .type = HF_ARG_END },
};

static bool filled(const struct hf_value *list)
{
	return hf_is(list, HF_LIST) && hf_list_len(list) > 0;
}

/* Takes nothing; the extension is a copy. */
static int add(struct hf_csr *csr, int nid, bool critical, void *decoded, struct hf_error *err)
{
	X509_EXTENSION *ext = decoded == NULL ? NULL : X509V3_EXT_i2d(nid, critical, decoded);
	if (csr->extensions == NULL)
		csr->extensions = sk_X509_EXTENSION_new_null();
	if (ext == NULL || sk_X509_EXTENSION_push(csr->extensions, ext) == 0)
		return hf_fail(err, HF_E_TASK, "%s cannot be written", OBJ_nid2ln(nid));
	return 0;
}

static int names_make(
	const struct hf_value *list, const char *what, GENERAL_NAMES **ret, struct hf_error *err)
{
	*ret = sk_GENERAL_NAME_new_null();
	for (size_t i = 0; i < hf_list_len(list); i++) {
		GENERAL_NAME *name = NULL;
		int r = hf_crypto_name_parse(hf_list_at(list, i)->u.string.p, what, &name, err);
		if (r < 0)
			return r;
		sk_GENERAL_NAME_push(*ret, name);
	}
	return 0;
}

static int alternative_names(struct hf_csr *csr, struct hf_error *err)
{
	GENERAL_NAMES *names = NULL;
	if (!filled(csr->alt_name))
		return 0;
	int r = names_make(csr->alt_name, "Subject Alternative Name", &names, err);
	if (r == 0)
		r = add(csr, NID_subject_alt_name, csr->p->alt_name_critical == HF_YES, names, err);
	GENERAL_NAMES_free(names);
	return r;
}

static int key_usage(struct hf_csr *csr, struct hf_error *err)
{
	static const char *const usages[][2] = { { "digitalSignature", "Digital Signature" },
		{ "nonRepudiation", "Non Repudiation" }, { "keyEncipherment", "Key Encipherment" },
		{ "dataEncipherment", "Data Encipherment" }, { "keyAgreement", "Key Agreement" },
		{ "keyCertSign", "Certificate Sign" }, { "cRLSign", "CRL Sign" },
		{ "encipherOnly", "Encipher Only" }, { "decipherOnly", "Decipher Only" } };
	enum { AGREEMENT = 4, ENCIPHER_ONLY = 7 };
	bool set[HF_COUNT(usages)] = { false };
	if (!filled(csr->p->key_usage))
		return 0;
	for (size_t i = 0; i < hf_list_len(csr->p->key_usage); i++) {
		const char *word = hf_list_at(csr->p->key_usage, i)->u.string.p;
		size_t bit = 0;
		while (bit < HF_COUNT(usages) && strcmp(word, usages[bit][0]) != 0 &&
			strcmp(word, usages[bit][1]) != 0)
			bit++;
		if (bit == HF_COUNT(usages))
			return hf_fail(err, HF_E_TASK, "Unknown key usage \"%s\"", word);
		set[bit] = true;
	}
	if (!set[AGREEMENT] && (set[ENCIPHER_ONLY] || set[ENCIPHER_ONLY + 1]))
		return hf_fail(err, HF_E_TASK,
			"encipher_only and decipher_only can only be true when key_agreement is true");
	ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
	for (size_t i = 0; i < HF_COUNT(set); i++)
		if (set[i])
			ASN1_BIT_STRING_set_bit(bits, (int)i, 1);
	int r = add(csr, NID_key_usage, csr->p->key_usage_critical == HF_YES, bits, err);
	ASN1_BIT_STRING_free(bits);
	return r;
}

static int extended_usage(struct hf_csr *csr, struct hf_error *err)
{
	const struct hf_value *list = csr->p->extended_usage;
	int r = 0;
	if (!filled(list))
		return 0;
	EXTENDED_KEY_USAGE *usages = sk_ASN1_OBJECT_new_null();
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++) {
		const char *word = hf_list_at(list, i)->u.string.p;
		ASN1_OBJECT *object = OBJ_txt2obj(word, 0);
		if (object == NULL)
			r = hf_fail(err, HF_E_TASK, "Cannot find OID for \"%s\"", word);
		else
			sk_ASN1_OBJECT_push(usages, object);
	}
	ERR_clear_error();
	if (r == 0)
		r = add(csr, NID_ext_key_usage, csr->p->extended_usage_critical == HF_YES, usages, err);
	EXTENDED_KEY_USAGE_free(usages);
	return r;
}

static int constraint_parse(const char *word, BASIC_CONSTRAINTS *b, struct hf_error *err)
{
	int64_t n;
	if (strcmp(word, "CA:TRUE") == 0 || strcmp(word, "CA:FALSE") == 0) {
		b->ca = word[3] == 'T' ? 0xff : 0;
		return 0;
	}
	if (hf_str_starts(hf_str(word), "CA:"))
		return hf_fail(err, HF_E_TASK, "Unknown basic constraint value \"%s\" for CA", word + 3);
	if (!hf_str_starts(hf_str(word), "pathlen:"))
		return hf_fail(err, HF_E_TASK, "Unknown basic constraint \"%s\"", word);
	word += strlen("pathlen:");
	if (!hf_str_to_int64(hf_str(word), &n) || n < 0 || n > PATH_LENGTH_MAX)
		return hf_fail(err, HF_E_TASK, "Cannot parse path length constraint \"%s\"", word);
	ASN1_INTEGER_free(b->pathlen);
	b->pathlen = ASN1_INTEGER_new();
	ASN1_INTEGER_set(b->pathlen, (long)n);
	return 0;
}

static int basic_constraints(struct hf_csr *csr, struct hf_error *err)
{
	const struct hf_value *list = csr->p->basic_constraints;
	int r = 0;
	if (!filled(list))
		return 0;
	BASIC_CONSTRAINTS *b = BASIC_CONSTRAINTS_new();
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++)
		r = constraint_parse(hf_list_at(list, i)->u.string.p, b, err);
	if (r == 0 && b->ca == 0 && b->pathlen != NULL)
		r = hf_fail(err, HF_E_TASK, "path_length must be None when ca is False");
	if (r == 0)
		r = add(csr, NID_basic_constraints, csr->p->basic_constraints_critical == HF_YES, b, err);
	BASIC_CONSTRAINTS_free(b);
	return r;
}

static int must_staple(struct hf_csr *csr, struct hf_error *err)
{
	enum { STATUS_REQUEST = 5 };
	if (csr->p->must_staple != HF_YES)
		return 0;
	TLS_FEATURE *features = sk_ASN1_INTEGER_new_null();
	ASN1_INTEGER *feature = ASN1_INTEGER_new();
	ASN1_INTEGER_set(feature, STATUS_REQUEST);
	sk_ASN1_INTEGER_push(features, feature);
	int r = add(csr, NID_tlsfeature, csr->p->must_staple_critical == HF_YES, features, err);
	TLS_FEATURE_free(features);
	return r;
}

static int subtrees_make(
	const struct hf_value *list, const char *what, STACK_OF(GENERAL_SUBTREE) * *ret, struct hf_error *err)
{
	for (size_t i = 0; filled(list) && i < hf_list_len(list); i++) {
		enum { NETWORK4 = 8, NETWORK6 = 32 };
		GENERAL_NAME *name = NULL;
		const char *word = hf_list_at(list, i)->u.string.p;
		int r = hf_crypto_name_parse(word, what, &name, err);
		if (r < 0)
			return r;
		GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();
		GENERAL_NAME_free(tree->base);
		tree->base = name;
		if (*ret == NULL)
			*ret = sk_GENERAL_SUBTREE_new_null();
		sk_GENERAL_SUBTREE_push(*ret, tree);
		int n = name->type == GEN_IPADD ? ASN1_STRING_length(name->d.iPAddress) : NETWORK4;
		if (n != NETWORK4 && n != NETWORK6)
			return hf_fail(err, HF_E_TASK,
				"Error while parsing name constraint: IPAddress name constraints must be an "
				"IPv4Network or IPv6Network object");
	}
	return 0;
}

static int name_constraints(struct hf_csr *csr, struct hf_error *err)
{
	const struct hf_csr_params *p = csr->p;
	if (!filled(p->permitted) && !filled(p->excluded))
		return 0;
	NAME_CONSTRAINTS *n = NAME_CONSTRAINTS_new();
	int r = subtrees_make(p->permitted, "name constraints permitted", &n->permittedSubtrees, err);
	if (r == 0)
		r = subtrees_make(p->excluded, "name constraints excluded", &n->excludedSubtrees, err);
	if (r == 0)
		r = add(csr, NID_name_constraints, p->names_critical == HF_YES, n, err);
	NAME_CONSTRAINTS_free(n);
	return r;
}

/* Hexadecimal, with or without colons. */
static int identifier_parse(const char *text, const char *what, ASN1_OCTET_STRING **ret, struct hf_error *err)
{
	unsigned char bytes[IDENTIFIER_MAX];
	hf_auto_buf digits = hf_buf_init(sizeof(bytes));
	for (const char *at = text; *at != '\0'; at++)
		if (*at != ':')
			hf_buf_put(&digits, *at);
	size_t n = digits.n / 2;
	if (digits.failed || !hf_unhex(hf_strn(digits.p, digits.n), bytes, n))
		return hf_fail(err, HF_E_TASK, "Cannot parse %s: this is no hexadecimal text", what);
	*ret = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(*ret, bytes, (int)n);
	return 0;
}

static int subject_identifier(struct hf_csr *csr, struct hf_error *err)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	ASN1_OCTET_STRING *s = NULL;
	int r = 0;
	if (csr->p->subject_key_identifier != NULL) {
		r = identifier_parse(csr->p->subject_key_identifier, "subject_key_identifier", &s, err);
	} else if (csr->p->create_ski == HF_YES) {
		hf_csr_key_identifier(csr->key, digest);
		s = ASN1_OCTET_STRING_new();
		ASN1_OCTET_STRING_set(s, digest, sizeof(digest));
	}
	if (r == 0 && s != NULL)
		r = add(csr, NID_subject_key_identifier, false, s, err);
	ASN1_OCTET_STRING_free(s);
	return r;
}

static int authority(struct hf_csr *csr, struct hf_error *err)
{
	const struct hf_csr_params *p = csr->p;
	bool serial = p->authority_serial != NULL;
	int r = 0;
	if (p->authority_key_identifier == NULL && p->authority_cert_issuer == NULL && !serial)
		return 0;
	AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
	if (p->authority_key_identifier != NULL)
		r = identifier_parse(
			p->authority_key_identifier, "authority_key_identifier", &id->keyid, err);
	if (r == 0 && p->authority_cert_issuer != NULL)
		r = names_make(p->authority_cert_issuer, "authority cert issuer", &id->issuer, err);
	if (r == 0 && serial) {
		BIGNUM *n = NULL;
		if (*p->authority_serial != '\0' &&
			BN_dec2bn(&n, p->authority_serial) == (int)strlen(p->authority_serial))
			id->serial = BN_to_ASN1_INTEGER(n, NULL);
		else
			r = hf_fail(err, HF_E_TASK, "authority_cert_serial_number '%s' is no number",
				p->authority_serial);
		BN_free(n);
	}
	if (r == 0)
		r = add(csr, NID_authority_key_identifier, false, id, err);
	AUTHORITY_KEYID_free(id);
	return r;
}

/* --- where to ask what was revoked ------------------------------------------------------------------ */
static int relative_make(const struct hf_value *list, STACK_OF(X509_NAME_ENTRY) * *ret, struct hf_error *err)
{
	hf_auto_name name = X509_NAME_new();
	*ret = sk_X509_NAME_ENTRY_new_null();
	for (size_t i = 0; i < hf_list_len(list); i++) {
		int r = hf_crypto_dn_parse(name, hf_list_at(list, i)->u.string.p, true, i > 0 ? -1 : 0, err);
		if (r < 0)
			return r;
		sk_X509_NAME_ENTRY_push(*ret, X509_NAME_ENTRY_dup(X509_NAME_get_entry(name, (int)i)));
	}
	return 0;
}

static int point_name(const struct hf_value *dict, DIST_POINT *point, struct hf_error *err)
{
	enum { FULL, RELATIVE };
	const struct hf_value *full = hf_dict_get(dict, "full_name"),
			      *relative = hf_dict_get(dict, "relative_name");
	bool has_full = hf_is(full, HF_LIST), has_relative = hf_is(relative, HF_LIST);
	if (has_full && has_relative)
		return hf_fail(err, HF_E_TASK,
			"parameters are mutually exclusive: full_name|relative_name found in "
			"crl_distribution_points");
	if (!has_full && !has_relative)
		return 0;
	if (!filled(has_full ? full : relative))
		return hf_fail(
			err, HF_E_TASK, "%s must not be empty", has_full ? "full_name" : "relative_name");
	point->distpoint = DIST_POINT_NAME_new();
	point->distpoint->type = has_full ? FULL : RELATIVE;
	return has_full ? names_make(full, "full name", &point->distpoint->name.fullname, err)
			: relative_make(relative, &point->distpoint->name.relativename, err);
}

static int point_make(const struct hf_value *dict, DIST_POINT *point, struct hf_error *err)
{
	const struct hf_value *issuer = hf_dict_get(dict, "crl_issuer"), *why = hf_dict_get(dict, "reasons");
	int r = point_name(dict, point, err);
	if (r == 0 && hf_is(issuer, HF_LIST)) {
		if (!filled(issuer))
			return hf_fail(err, HF_E_TASK, "crl_issuer must not be empty");
		r = names_make(issuer, "CRL issuer", &point->CRLissuer, err);
	}
	if (r == 0 && point->distpoint == NULL && point->CRLissuer == NULL)
		return hf_fail(err, HF_E_TASK,
			"one of the following is required: full_name, relative_name, crl_issuer found in "
			"crl_distribution_points");
	if (r < 0 || !hf_is(why, HF_LIST))
		return r;
	point->reasons = ASN1_BIT_STRING_new();
	for (size_t i = 0; i < hf_list_len(why); i++)
		for (int k = 0; reasons[k] != NULL; k++)
			if (hf_str_is(hf_list_at(why, i)->u.string, reasons[k]))
				ASN1_BIT_STRING_set_bit(point->reasons, k + 1, 1);
	return 0;
}

static int crl_points(struct hf_csr *csr, struct hf_error *err)
{
	const struct hf_value *list = csr->p->crl_points;
	int r = 0;
	if (!filled(list))
		return 0;
	CRL_DIST_POINTS *points = sk_DIST_POINT_new_null();
	for (size_t i = 0; r == 0 && i < hf_list_len(list); i++) {
		DIST_POINT *point = DIST_POINT_new();
		sk_DIST_POINT_push(points, point);
		r = point_make(hf_list_at(list, i), point, err);
		if (r < 0)
			r = hf_wrap(err, "Error while parsing CRL distribution point #%zu", i);
	}
	if (r == 0)
		r = add(csr, NID_crl_distribution_points, false, points, err);
	CRL_DIST_POINTS_free(points);
	return r;
}

int hf_csr_extensions(struct hf_csr *csr, struct hf_error *err)
{
	static int (*const makers[])(struct hf_csr * csr, struct hf_error * err) = { alternative_names,
		key_usage, extended_usage, basic_constraints, must_staple, name_constraints,
		subject_identifier, authority, crl_points };
	int r = 0;
	for (size_t i = 0; r == 0 && i < HF_COUNT(makers); i++)
		r = makers[i](csr, err);
	return r;
}
