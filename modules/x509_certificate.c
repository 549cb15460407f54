/* modules/x509_certificate.c - a certificate in a file, signed by its own key or by a CA whose key is here.
 */
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "modules/csr.h"

enum { SERIAL_BYTES = 20 };

static const char *const states[] = { "present", "absent", NULL };
static const char *const providers[] = { "acme", "entrust", "ownca", "selfsigned", NULL };
static const char *const backends[] = { "auto", "cryptography", NULL };
static const char *const identifiers[] = { "create_if_not_provided", "always_create", "never_create", NULL };
/* What both providers have, each under its own name. */
struct signing {
	const char *digest, *not_before, *not_after, *identifier;
	int64_t version;
};
struct params {
	const char *path, *state, *provider, *csr_path, *csr_content, *key_path, *key_content, *passphrase,
		*backend;
	const char *ca_path, *ca_content, *ca_key_path, *ca_key_content, *ca_passphrase;
	const char *unused;
	struct signing self, ca;
	enum hf_tristate force, backup, return_content, ignore_timestamps, ca_identifier;
	struct hf_file_attr attr;
};
#define AT(field)  offsetof(struct params, field)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define REFUSED(name, why)                                                                                   \
	{                                                                                                    \
		name, HF_ARG_STR, AT(unused), HF_REFUSED, .help = why                                        \
	}
#define ACME "of provider acme; a client of ACME, such as certbot, is to be run by a task of its own"
#define ENTRUST                                                                                              \
	"of provider entrust, a service that is asked over its own interface; ask it with a task of its own"
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), HF_REQUIRED, .help = "The file." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether it shall be there." },
	{ "provider", HF_ARG_STR, AT(provider), .choices = providers,
		.help = "Who signs it: selfsigned or ownca; acme and entrust are refused." },
	{ "csr_path", HF_ARG_PATH, AT(csr_path), .help = "The request's file." },
	{ "csr_content", HF_ARG_STR, AT(csr_content), .help = "The request itself." },
	{ "privatekey_path", HF_ARG_PATH, AT(key_path), .help = "The file of the certificate's own key." },
	{ "privatekey_content", HF_ARG_STR, AT(key_content), HF_NO_LOG, .help = "That key itself." },
	{ "privatekey_passphrase", HF_ARG_STR, AT(passphrase), HF_NO_LOG,
		.help = "What it is encrypted with." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false", .help = "A new one in any case." },
	{ "backup", HF_ARG_BOOL, AT(backup), .dflt = "false", .help = "Keep a dated copy of the old one." },
	{ "return_content", HF_ARG_BOOL, AT(return_content), .dflt = "false",
		.help = "Return the certificate itself." },
	{ "ignore_timestamps", HF_ARG_BOOL, AT(ignore_timestamps), .dflt = "true",
		.help = "Other times of the validity are no reason for a new one." },
	{ "selfsigned_version", HF_ARG_INT, AT(self.version), .dflt = "3", .help = "Only 3." },
	{ "selfsigned_digest", HF_ARG_STR, AT(self.digest), .dflt = "sha256",
		.help = "sha256, sha384, sha512, sha1 or md5." },
	{ "selfsigned_not_before", HF_ARG_STR, AT(self.not_before), .dflt = "+0s",
		.aliases = NAMES("selfsigned_notBefore"),
		.help = "Valid from: +32w1d2h, or 20300102030405Z." },
	{ "selfsigned_not_after", HF_ARG_STR, AT(self.not_after), .dflt = "+3650d",
		.aliases = NAMES("selfsigned_notAfter"), .help = "Valid until." },
	{ "selfsigned_create_subject_key_identifier", HF_ARG_STR, AT(self.identifier),
		.dflt = "create_if_not_provided", .choices = identifiers,
		.help = "Whether it gets an identifier of its key." },
	{ "ownca_path", HF_ARG_PATH, AT(ca_path), .help = "The file of the CA's certificate." },
	{ "ownca_content", HF_ARG_STR, AT(ca_content), .help = "That certificate itself." },
	{ "ownca_privatekey_path", HF_ARG_PATH, AT(ca_key_path), .help = "The file of the CA's key." },
	{ "ownca_privatekey_content", HF_ARG_STR, AT(ca_key_content), HF_NO_LOG, .help = "That key itself." },
	{ "ownca_privatekey_passphrase", HF_ARG_STR, AT(ca_passphrase), HF_NO_LOG,
		.help = "What it is encrypted with." },
	{ "ownca_version", HF_ARG_INT, AT(ca.version), .dflt = "3", .help = "Only 3." },
	{ "ownca_digest", HF_ARG_STR, AT(ca.digest), .dflt = "sha256",
		.help = "sha256, sha384, sha512, sha1 or md5." },
	{ "ownca_not_before", HF_ARG_STR, AT(ca.not_before), .dflt = "+0s", .help = "Valid from." },
	{ "ownca_not_after", HF_ARG_STR, AT(ca.not_after), .dflt = "+3650d", .help = "Valid until." },
	{ "ownca_create_subject_key_identifier", HF_ARG_STR, AT(ca.identifier),
		.dflt = "create_if_not_provided", .choices = identifiers,
		.help = "Whether it gets an identifier of its key." },
	{ "ownca_create_authority_key_identifier", HF_ARG_BOOL, AT(ca_identifier), .dflt = "true",
		.help = "Whether it gets the identifier of the CA's key." },
	{ "select_crypto_backend", HF_ARG_STR, AT(backend), .dflt = "auto", .choices = backends,
		.help = "No effect: OpenSSL's library is used." },
	REFUSED("acme_accountkey_path", ACME),
	REFUSED("acme_challenge_path", ACME),
	REFUSED("acme_chain", ACME),
	REFUSED("acme_directory", ACME),
	REFUSED("entrust_cert_type", ENTRUST),
	REFUSED("entrust_requester_email", ENTRUST),
	REFUSED("entrust_requester_name", ENTRUST),
	REFUSED("entrust_requester_phone", ENTRUST),
	REFUSED("entrust_api_user", ENTRUST),
	REFUSED("entrust_api_key", ENTRUST),
	REFUSED("entrust_api_client_cert_path", ENTRUST),
	REFUSED("entrust_api_client_cert_key_path", ENTRUST),
	REFUSED("entrust_api_specification_path", ENTRUST),
	REFUSED("entrust_not_after", ENTRUST),
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, NAMES("csr_path", "csr_content") },
	{ HF_RULE_EXCLUSIVE, NAMES("privatekey_path", "privatekey_content") },
	{ HF_RULE_EXCLUSIVE, NAMES("ownca_path", "ownca_content") },
	{ HF_RULE_EXCLUSIVE, NAMES("ownca_privatekey_path", "ownca_privatekey_content") },
	{ HF_RULE_IF, NAMES("provider"), .when = "state", .equals = "present" },
	{ HF_RULE_END },
};

struct work {
	struct hf_crypto_file file; /* first: hf_crypto_file_apply() finds it there */
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	const struct signing *s;
	bool own_ca;
	EVP_PKEY *key, *ca_key; /* of the certificate, which a CA need not have; of who signs */
	X509_REQ *csr;          /* NULL: selfsigned without one */
	X509 *ca;               /* NULL: selfsigned */
	int64_t not_before, not_after;
};
static void work_done(struct work *w)
{
	if (w->ca_key != w->key)
		EVP_PKEY_free(w->ca_key);
	EVP_PKEY_free(w->key);
	X509_REQ_free(w->csr);
	X509_free(w->ca);
	w->key = w->ca_key = NULL;
	w->csr = NULL;
	w->ca = NULL;
}

/* --- what it is made of ----------------------------------------------------------------------------- */
static int must_exist(const char *path, const char *content, const char *what, struct hf_error *err)
{
	if (content != NULL || hf_fs_exists(path))
		return 0;
	return hf_fail(err, HF_E_TASK, "The %s file %s does not exist", what, path);
}

static int provider_check(const struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	const struct {
		bool own_ca;
		const char *path, *content, *sentence;
	} needed[] = {
		{ false, p->key_path, p->key_content,
			"One of privatekey_path and privatekey_content must be specified for the selfsigned "
			"provider." },
		{ true, p->ca_path, p->ca_content,
			"One of ownca_path and ownca_content must be specified for the ownca provider." },
		{ true, p->ca_key_path, p->ca_key_content,
			"One of ownca_privatekey_path and ownca_privatekey_content must be specified for the "
			"ownca provider." },
		{ true, p->csr_path, p->csr_content,
			"csr_path or csr_content is required for ownca provider" },
	};
	if (strcmp(p->provider, "acme") == 0 || strcmp(p->provider, "entrust") == 0)
		return hf_fail(err, HF_E_TASK, "provider: %s is not supported; selfsigned and ownca are",
			p->provider);
	for (size_t i = 0; i < HF_COUNT(needed); i++)
		if (needed[i].own_ca == w->own_ca && needed[i].path == NULL && needed[i].content == NULL)
			return hf_fail(err, HF_E_TASK, "%s", needed[i].sentence);
	return w->s->version != 2
		       ? 0
		       : hf_fail(err, HF_E_TASK, "The cryptography backend does not support v2 certificates");
}

static int csr_load(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	struct hf_str text;
	if (p->csr_path == NULL && p->csr_content == NULL)
		return 0;
	int r = must_exist(p->csr_path, p->csr_content, "certificate signing request", err);
	if (r == 0)
		r = hf_crypto_read(w->a, p->csr_path, p->csr_content, &text, err);
	if (r == 0)
		r = hf_crypto_request(text, &w->csr, err);
	return r;
}

static int ca_load(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	struct hf_str text;
	int r = must_exist(p->ca_path, p->ca_content, "CA certificate", err);
	if (r == 0)
		r = must_exist(p->ca_key_path, p->ca_key_content, "CA private key", err);
	if (r == 0)
		r = hf_crypto_read(w->a, p->ca_path, p->ca_content, &text, err);
	if (r == 0)
		r = hf_crypto_certificate(text, false, &w->ca, err);
	if (r == 0)
		r = hf_crypto_key(w->a, p->ca_key_path, p->ca_key_content, p->ca_passphrase, &w->ca_key, err);
	if (r == 0 && EVP_PKEY_eq(X509_get0_pubkey(w->ca), w->ca_key) != 1)
		r = hf_fail(err, HF_E_TASK, "The CA private key does not belong to the CA certificate");
	return r;
}

static int own_key_load(struct work *w, struct hf_error *err)
{
	const struct params *p = w->p;
	if (p->key_path == NULL && p->key_content == NULL)
		return 0;
	int r = w->own_ca ? 0 : must_exist(p->key_path, p->key_content, "private key", err);
	return r < 0 ? r : hf_crypto_key(w->a, p->key_path, p->key_content, p->passphrase, &w->key, err);
}

static int load(struct work *w, struct hf_error *err)
{
	const char *what = w->own_ca ? "ownca" : "selfsigned";
	bool needed = false;
	int r = provider_check(w, err);
	if (r == 0)
		r = hf_crypto_time(
			w->s->not_before, hf_sprintf(w->a, "%s_not_before", what), &w->not_before, err);
	if (r == 0)
		r = hf_crypto_time(
			w->s->not_after, hf_sprintf(w->a, "%s_not_after", what), &w->not_after, err);
	if (r == 0)
		r = csr_load(w, err);
	if (r == 0 && w->own_ca)
		r = ca_load(w, err);
	if (r == 0)
		r = own_key_load(w, err);
	if (r == 0 && !w->own_ca)
		w->ca_key = w->key;
	if (r == 0 && hf_crypto_digest(w->s->digest, w->ca_key, &needed) == NULL && needed)
		r = hf_fail(err, HF_E_TASK, "The digest %s is not supported with the cryptography backend",
			w->s->digest);
	if (r == 0 && w->not_after < w->not_before)
		r = hf_fail(err, HF_E_TASK,
			"The not valid after date must be after the not valid before "
			"date.");
	return r;
}

/* --- what it is to say ------------------------------------------------------------------------------ */
static const X509_NAME *subject(const struct work *w)
{
	return w->csr == NULL ? NULL : X509_REQ_get_subject_name(w->csr);
}

static const EVP_PKEY *public_key(const struct work *w)
{
	return w->csr != NULL && w->own_ca ? X509_REQ_get0_pubkey(w->csr) : w->key;
}

static X509_EXTENSION *identifier_make(const EVP_PKEY *key)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	hf_csr_key_identifier(key, digest);
	ASN1_OCTET_STRING_set(s, digest, sizeof(digest));
	X509_EXTENSION *ext = X509V3_EXT_i2d(NID_subject_key_identifier, 0, s);
	ASN1_OCTET_STRING_free(s);
	return ext;
}

/* The identifier that the CA's certificate bears, or else its key's. */
static X509_EXTENSION *authority_make(const struct work *w)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
	id->keyid = X509_get_ext_d2i(w->ca, NID_subject_key_identifier, NULL, NULL);
	if (id->keyid == NULL) {
		hf_csr_key_identifier(w->ca_key, digest);
		id->keyid = ASN1_OCTET_STRING_new();
		ASN1_OCTET_STRING_set(id->keyid, digest, sizeof(digest));
	}
	X509_EXTENSION *ext = X509V3_EXT_i2d(NID_authority_key_identifier, 0, id);
	AUTHORITY_KEYID_free(id);
	return ext;
}

/* Everything the request asks for, and the identifiers. */
static hf_extensions *extensions(const struct work *w)
{
	hf_extensions *all = w->csr == NULL ? NULL : X509_REQ_get_extensions(w->csr);
	bool always = strcmp(w->s->identifier, "always_create") == 0,
	     never = strcmp(w->s->identifier, "never_create") == 0,
	     authority = w->own_ca && w->p->ca_identifier == HF_YES;
	if (all == NULL)
		all = sk_X509_EXTENSION_new_null();
	int at = always ? X509v3_get_ext_by_NID(all, NID_subject_key_identifier, -1) : -1;
	if (at >= 0)
		X509_EXTENSION_free(sk_X509_EXTENSION_delete(all, at));
	at = authority ? X509v3_get_ext_by_NID(all, NID_authority_key_identifier, -1) : -1;
	if (at >= 0)
		X509_EXTENSION_free(sk_X509_EXTENSION_delete(all, at));
	if (!never && X509v3_get_ext_by_NID(all, NID_subject_key_identifier, -1) < 0)
		sk_X509_EXTENSION_push(all, identifier_make(public_key(w)));
	if (authority)
		sk_X509_EXTENSION_push(all, authority_make(w));
	return all;
}

static bool same_extensions(const hf_extensions *want, const X509 *have)
{
	if (sk_X509_EXTENSION_num(want) != (have == NULL ? 0 : X509_get_ext_count(have)))
		return false;
	for (int i = 0; i < sk_X509_EXTENSION_num(want); i++) {
		X509_EXTENSION *w = sk_X509_EXTENSION_value(want, i);
		int at = X509_get_ext_by_OBJ(have, X509_EXTENSION_get_object(w), -1);
		X509_EXTENSION *h = at < 0 ? NULL : X509_get_ext(have, at);
		if (h == NULL || X509_EXTENSION_get_critical(w) != X509_EXTENSION_get_critical(h) ||
			ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(w), X509_EXTENSION_get_data(h)) != 0)
			return false;
	}
	return true;
}

static bool same_time(const ASN1_TIME *have, int64_t want)
{
	ASN1_TIME *t = ASN1_TIME_set(NULL, (time_t)want);
	bool same = t != NULL && ASN1_TIME_compare(have, t) == 0;
	ASN1_TIME_free(t);
	return same;
}

/* An empty name equals no name. */
static bool same_name(const X509_NAME *have, const X509_NAME *want)
{
	return want == NULL ? X509_NAME_entry_count(have) == 0 : X509_NAME_cmp(have, want) == 0;
}

/* Its key is ours, and the request's, which must be signed with it. */
static bool same_keys(const struct work *w, const X509 *have)
{
	const EVP_PKEY *key = X509_get0_pubkey(have);
	EVP_PKEY *asked = w->csr == NULL ? NULL : X509_REQ_get0_pubkey(w->csr);
	if (key == NULL || (w->key != NULL && EVP_PKEY_eq(key, w->key) != 1))
		return false;
	return w->csr == NULL ||
	       (asked != NULL && EVP_PKEY_eq(key, asked) == 1 && X509_REQ_verify(w->csr, asked) == 1);
}

static bool fits(struct work *w, struct hf_error *err)
{
	hf_auto_certificate have = NULL;
	if (hf_crypto_certificate(w->file.old, false, &have, err) < 0)
		return false;
	hf_auto_extensions all = extensions(w);
	const X509_NAME *issuer = w->own_ca ? X509_get_subject_name(w->ca) : NULL;
	bool ok = same_keys(w, have) && same_name(X509_get_subject_name(have), subject(w)) &&
		  same_extensions(all, have) &&
		  (!w->own_ca || same_name(X509_get_issuer_name(have), issuer)) &&
		  X509_verify(have, w->ca_key) == 1;
	if (ok && w->p->ignore_timestamps != HF_YES)
		ok = same_time(X509_get0_notBefore(have), w->not_before) &&
		     same_time(X509_get0_notAfter(have), w->not_after);
	ERR_clear_error();
	return ok;
}

/* --- making it -------------------------------------------------------------------------------------- */
static bool serial_set(X509 *x)
{
	unsigned char bytes[SERIAL_BYTES];
	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] &= 0x7f;
	BIGNUM *n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok;
}

static int make(struct work *w, struct hf_error *err)
{
	enum { VERSION_3 = 2 };
	hf_auto_certificate x = X509_new();
	hf_auto_bio out = BIO_new(BIO_s_mem());
	hf_auto_extensions all = extensions(w);
	hf_auto_name nobody = X509_NAME_new();
	const X509_NAME *name = subject(w) != NULL ? subject(w) : nobody;
	bool needed, ok = X509_set_version(x, VERSION_3) == 1 && serial_set(x) &&
			  X509_set_subject_name(x, name) == 1 &&
			  X509_set_issuer_name(x, w->own_ca ? X509_get_subject_name(w->ca) : name) == 1 &&
			  X509_set_pubkey(x, (EVP_PKEY *)(uintptr_t)public_key(w)) == 1 &&
			  ASN1_TIME_set(X509_getm_notBefore(x), (time_t)w->not_before) != NULL &&
			  ASN1_TIME_set(X509_getm_notAfter(x), (time_t)w->not_after) != NULL;
	for (int i = 0; ok && i < sk_X509_EXTENSION_num(all); i++)
		ok = X509_add_ext(x, sk_X509_EXTENSION_value(all, i), -1) == 1;
	const EVP_MD *digest = hf_crypto_digest(w->s->digest, w->ca_key, &needed);
	ok = ok && X509_sign(x, w->ca_key, needed ? digest : NULL) > 0 && PEM_write_bio_X509(out, x) == 1;
	if (!ok)
		return hf_fail(err, HF_E_TASK, "a key of type %s cannot sign a certificate: %s",
			hf_crypto_key_type(w->ca_key), ERR_reason_error_string(ERR_get_error()));
	w->file.text = hf_crypto_bio_text(w->a, out);
	return 0;
}

/* --- telling ---------------------------------------------------------------------------------------- */
static struct hf_value *path_or_null(struct hf_arena *a, const char *path)
{
	return path == NULL ? hf_value_null(a) : hf_value_cstr(a, path);
}

static struct hf_value *describe(struct hf_arena *a, struct hf_str text)
{
	struct hf_error ignored = { 0 };
	struct hf_value *info = hf_value_dict(a);
	hf_auto_certificate x = NULL;
	if (text.p == NULL)
		return info;
	bool ok = hf_crypto_certificate(text, false, &x, &ignored) == 0 &&
		  hf_crypto_certificate_info(a, x, true, &info, &ignored) == 0;
	hf_dict_put(info, "can_parse_certificate", hf_value_bool(a, ok));
	return info;
}

static void report(struct work *w, struct hf_change *change)
{
	const struct params *p = w->p;
	struct hf_str now = w->file.absent           ? (struct hf_str){ 0 }
			    : w->file.text.p != NULL ? w->file.text
						     : w->file.old;
	static const char *const keys[][2] = { { "notBefore", "not_before" }, { "notAfter", "not_after" },
		{ "serial_number", "serial_number" } };
	struct hf_value *info = describe(w->a, now);
	hf_result_cstr(w->c, change, "filename", p->path);
	hf_result_put(w->c, change, "privatekey", path_or_null(w->a, p->key_path));
	hf_result_put(w->c, change, "csr", path_or_null(w->a, p->csr_path));
	if (p->return_content == HF_YES)
		hf_result_put(w->c, change, "certificate",
			now.p == NULL ? hf_value_null(w->a) : hf_value_str(w->a, now));
	if (hf_task_diff(w->c))
		hf_change_diff_values(w->c, change, describe(w->a, w->file.old), info);
	if (w->file.absent)
		return;
	for (size_t i = 0; i < HF_COUNT(keys); i++)
		if (hf_dict_get(info, keys[i][1]) != NULL)
			hf_result_put(w->c, change, keys[i][0], hf_dict_get(info, keys[i][1]));
	if (!w->own_ca)
		return;
	hf_result_put(w->c, change, "ca_cert", path_or_null(w->a, p->ca_path));
	hf_result_put(w->c, change, "ca_privatekey", path_or_null(w->a, p->ca_key_path));
}

static int x509_certificate_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct work *w = hf_new(hf_task_arena(c), struct work);
	struct hf_error ignored = { 0 };
	bool anew = false;
	*w = (struct work){ .c = c, .a = hf_task_arena(c), .p = p };
	w->own_ca = p->provider != NULL && strcmp(p->provider, "ownca") == 0;
	w->s = w->own_ca ? &p->ca : &p->self;
	w->file = (struct hf_crypto_file){
		.path = p->path, .attr = &p->attr, .absent = strcmp(p->state, "absent") == 0
	};
	change->state = w;
	int r = hf_crypto_file_open(c, change, p->backup == HF_YES, &w->file, err);
	if (r == 0 && !w->file.absent) {
		r = load(w, err);
		anew = r == 0 && ((p->force == HF_YES && hf_task_acts(c)) || w->file.old.p == NULL ||
					 !fits(w, &ignored));
		if (anew)
			r = make(w, err);
	}
	if (r == 0)
		r = hf_crypto_file_look(c, change, anew, &w->file, err);
	if (r == 0)
		report(w, change);
	work_done(w);
	return r;
}

static void x509_certificate_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	const char *const paths[] = { p->path, p->csr_path, p->key_path, p->ca_path, p->ca_key_path };
	(void)c;
	for (size_t i = 0; i < HF_COUNT(paths); i++)
		if (paths[i] != NULL)
			hf_watch_path(w, paths[i]);
}

static const char *const aliases[] = { "openssl_certificate", "community.crypto.openssl_certificate", NULL };

const struct hf_module hf_module_x509_certificate = {
	.name = "x509_certificate",
	.collection = "community.crypto",
	.aliases = aliases,
	.schema = { args, rules, sizeof(struct params) },
	.check = x509_certificate_check,
	.apply = hf_crypto_file_apply,
	.undo = hf_crypto_file_undo,
	.watch = x509_certificate_watch,
};
