/* modules/csr.h - what a certificate signing request is to say: the options of openssl_csr, and the request
 * made of them.
 * Owns:  hf_csr_done() frees what hf_csr_prepare() made. */
#pragma once
#include "modules/crypto.h"

struct hf_csr_params {
	const char *digest, *privatekey_path, *privatekey_content, *privatekey_passphrase, *backend;
	const char *country, *state, *locality, *organization, *unit, *common_name, *email;
	const char *subject_key_identifier, *authority_key_identifier;
	struct hf_value *subject, *subject_ordered, *alt_name, *key_usage, *extended_usage,
		*basic_constraints, *permitted, *excluded, *authority_cert_issuer, *crl_points;
	const char *version, *authority_serial;
	enum hf_tristate alt_name_critical, common_name_for_san, key_usage_critical, extended_usage_critical,
		basic_constraints_critical, must_staple, must_staple_critical, names_critical, create_ski;
};

extern const struct hf_arg hf_csr_point_args[];
/* Rows for a module's table. T: its params struct; M: its member of type struct hf_csr_params. */
/* clang-format off */
#define HF_CSR_ARGS(T, M) \
	{ "digest", HF_ARG_STR, offsetof(T, M.digest), .dflt = "sha256", \
		.help = "sha256, sha384, sha512, sha1 or md5; no effect for Ed25519 and Ed448." }, \
	{ "privatekey_path", HF_ARG_PATH, offsetof(T, M.privatekey_path), \
		.help = "The private key's file." }, \
	{ "privatekey_content", HF_ARG_STR, offsetof(T, M.privatekey_content), HF_NO_LOG, \
		.help = "The private key itself." }, \
	{ "privatekey_passphrase", HF_ARG_STR, offsetof(T, M.privatekey_passphrase), HF_NO_LOG, \
		.help = "What the private key is encrypted with." }, \
	{ "version", HF_ARG_STR, offsetof(T, M.version), .dflt = "1", .choices = HF_CRYPTO_NAMES("1"), \
		.help = "There is no other." }, \
	{ "subject", HF_ARG_DICT, offsetof(T, M.subject), \
		.help = "More parts of the subject: a text or a list of texts by type." }, \
	{ "subject_ordered", HF_ARG_LIST, offsetof(T, M.subject_ordered), .elements = HF_ARG_DICT, \
		.help = "The subject, part by part." }, \
	{ "country_name", HF_ARG_STR, offsetof(T, M.country), \
		.aliases = HF_CRYPTO_NAMES("C", "countryName"), \
		.help = "Part of the subject: two letters." }, \
	{ "state_or_province_name", HF_ARG_STR, offsetof(T, M.state), \
		.aliases = HF_CRYPTO_NAMES("ST", "stateOrProvinceName"), .help = "Part of the subject." }, \
	{ "locality_name", HF_ARG_STR, offsetof(T, M.locality), \
		.aliases = HF_CRYPTO_NAMES("L", "localityName"), \
		.help = "Part of the subject." }, \
	{ "organization_name", HF_ARG_STR, offsetof(T, M.organization), \
		.aliases = HF_CRYPTO_NAMES("O", "organizationName"), .help = "Part of the subject." }, \
	{ "organizational_unit_name", HF_ARG_STR, offsetof(T, M.unit), \
		.aliases = HF_CRYPTO_NAMES("OU", "organizationalUnitName"), \
		.help = "Part of the subject." }, \
	{ "common_name", HF_ARG_STR, offsetof(T, M.common_name), \
		.aliases = HF_CRYPTO_NAMES("CN", "commonName"), \
		.help = "Part of the subject." }, \
	{ "email_address", HF_ARG_STR, offsetof(T, M.email), \
		.aliases = HF_CRYPTO_NAMES("E", "emailAddress"), \
		.help = "Part of the subject." }, \
	{ "subject_alt_name", HF_ARG_LIST, offsetof(T, M.alt_name), .elements = HF_ARG_STR, \
		.aliases = HF_CRYPTO_NAMES("subjectAltName"), \
		.help = "Other names: DNS:, IP:, email:, URI:, RID:, otherName:, dirName: …" }, \
	{ "subject_alt_name_critical", HF_ARG_BOOL, offsetof(T, M.alt_name_critical), .dflt = "false", \
		.aliases = HF_CRYPTO_NAMES("subjectAltName_critical"), .help = "They must be understood." }, \
	{ "use_common_name_for_san", HF_ARG_BOOL, offsetof(T, M.common_name_for_san), .dflt = "true", \
		.aliases = HF_CRYPTO_NAMES("useCommonNameForSAN"), \
		.help = "Without subject_alt_name, common_name is one." }, \
	{ "key_usage", HF_ARG_LIST, offsetof(T, M.key_usage), .elements = HF_ARG_STR, \
		.aliases = HF_CRYPTO_NAMES("keyUsage"), .help = "digitalSignature, keyEncipherment …" }, \
	{ "key_usage_critical", HF_ARG_BOOL, offsetof(T, M.key_usage_critical), .dflt = "false", \
		.aliases = HF_CRYPTO_NAMES("keyUsage_critical"), .help = "It must be understood." }, \
	{ "extended_key_usage", HF_ARG_LIST, offsetof(T, M.extended_usage), .elements = HF_ARG_STR, \
		.aliases = HF_CRYPTO_NAMES("extKeyUsage", "extendedKeyUsage"), \
		.help = "serverAuth, clientAuth … or a number." }, \
	{ "extended_key_usage_critical", HF_ARG_BOOL, offsetof(T, M.extended_usage_critical), \
		.dflt = "false", \
		.aliases = HF_CRYPTO_NAMES("extKeyUsage_critical", "extendedKeyUsage_critical"), \
		.help = "It must be understood." }, \
	{ "basic_constraints", HF_ARG_LIST, offsetof(T, M.basic_constraints), .elements = HF_ARG_STR, \
		.aliases = HF_CRYPTO_NAMES("basicConstraints"), .help = "CA:TRUE, pathlen:1" }, \
	{ "basic_constraints_critical", HF_ARG_BOOL, offsetof(T, M.basic_constraints_critical), \
		.dflt = "false", \
		.aliases = HF_CRYPTO_NAMES("basicConstraints_critical"), \
		.help = "They must be understood." }, \
	{ "ocsp_must_staple", HF_ARG_BOOL, offsetof(T, M.must_staple), .dflt = "false", \
		.aliases = HF_CRYPTO_NAMES("ocspMustStaple"), \
		.help = "The server must show that it is not revoked." }, \
	{ "ocsp_must_staple_critical", HF_ARG_BOOL, offsetof(T, M.must_staple_critical), .dflt = "false", \
		.aliases = HF_CRYPTO_NAMES("ocspMustStaple_critical"), .help = "It must be understood." }, \
	{ "name_constraints_permitted", HF_ARG_LIST, offsetof(T, M.permitted), .elements = HF_ARG_STR, \
		.help = "Names that a CA may sign." }, \
	{ "name_constraints_excluded", HF_ARG_LIST, offsetof(T, M.excluded), .elements = HF_ARG_STR, \
		.help = "Names that it may not." }, \
	{ "name_constraints_critical", HF_ARG_BOOL, offsetof(T, M.names_critical), .dflt = "false", \
		.help = "They must be understood." }, \
	{ "create_subject_key_identifier", HF_ARG_BOOL, offsetof(T, M.create_ski), .dflt = "false", \
		.help = "With an identifier made from the key." }, \
	{ "subject_key_identifier", HF_ARG_STR, offsetof(T, M.subject_key_identifier), \
		.help = "That identifier, in hexadecimal." }, \
	{ "authority_key_identifier", HF_ARG_STR, offsetof(T, M.authority_key_identifier), \
		.help = "The CA's identifier, in hexadecimal." }, \
	{ "authority_cert_issuer", HF_ARG_LIST, offsetof(T, M.authority_cert_issuer), .elements = HF_ARG_STR, \
		.help = "Names of who issued the CA's certificate." }, \
	{ "authority_cert_serial_number", HF_ARG_STR, offsetof(T, M.authority_serial), \
		.help = "Its serial number." }, \
	{ "crl_distribution_points", HF_ARG_LIST, offsetof(T, M.crl_points), .elements = HF_ARG_DICT, \
		.options = hf_csr_point_args, .help = "{full_name or relative_name, crl_issuer, reasons}" }, \
	{ "select_crypto_backend", HF_ARG_STR, offsetof(T, M.backend), .dflt = "auto", \
		.choices = HF_CRYPTO_NAMES("auto", "cryptography"), \
		.help = "No effect: OpenSSL's library is used." }
/* clang-format on */
#define HF_CSR_RULES                                                                                         \
	{ HF_RULE_EXCLUSIVE, HF_CRYPTO_NAMES("privatekey_path", "privatekey_content") },                     \
		{ HF_RULE_EXCLUSIVE, HF_CRYPTO_NAMES("subject", "subject_ordered") },                        \
	{                                                                                                    \
		HF_RULE_TOGETHER, HF_CRYPTO_NAMES("authority_cert_issuer", "authority_cert_serial_number")   \
	}

struct hf_csr {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct hf_csr_params *p;
	struct hf_value *subject;  /* [type, text] as the playbook wrote them */
	struct hf_value *alt_name; /* NULL: none */
	X509_NAME *name;
	hf_extensions *extensions;
	EVP_PKEY *key;
};
void hf_csr_done(struct hf_csr *csr);
#define hf_auto_csr HF_CLEANUP(hf_csr_done) struct hf_csr
/* The options in themselves: subject and alternative names. */
HF_CHECK int hf_csr_begin(
	struct hf_module_context *c, const struct hf_csr_params *p, struct hf_csr *ret, struct hf_error *err);
/* The private key, and everything that the request is to hold. */
HF_CHECK int hf_csr_prepare(struct hf_csr *csr, struct hf_error *err);
/* Is text a request that says just this, signed with the key? */
bool hf_csr_fits(struct hf_csr *csr, struct hf_str text);
HF_CHECK int hf_csr_make(struct hf_csr *csr, struct hf_str *ret, struct hf_error *err);
/* Ansible's keys of both modules. */
void hf_csr_report(const struct hf_csr *csr, struct hf_change *change);
/* For diffs; text.p may be NULL. */
struct hf_value *hf_csr_describe(struct hf_arena *a, struct hf_str text);
/* The identifier that a public key gets by itself: ret holds SHA_DIGEST_LENGTH bytes. */
void hf_csr_key_identifier(const EVP_PKEY *key, unsigned char *ret);
/* csr_extensions.c: everything but the subject. */
HF_CHECK int hf_csr_extensions(struct hf_csr *csr, struct hf_error *err);
