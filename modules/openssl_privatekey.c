/* modules/openssl_privatekey.c - a private key in a file, made where there is none that fits. */
#include <openssl/core_names.h>
#include <openssl/dsa.h>

#include "modules/crypto.h"

enum { RAW_MAX = 64, NAME_MAX_LENGTH = 80 };

static const char *const types[] = { "DSA", "ECC", "Ed25519", "Ed448", "RSA", "X25519", "X448", NULL };
static const char *const curves[] = { "secp224r1", "secp256k1", "secp256r1", "secp384r1", "secp521r1",
	"secp192r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1", "sect163k1", "sect163r2",
	"sect233k1", "sect233r1", "sect283k1", "sect283r1", "sect409k1", "sect409r1", "sect571k1",
	"sect571r1", NULL };
static const char *const formats[] = { "pkcs1", "pkcs8", "raw", "auto", "auto_ignore", NULL };
static const char *const mismatches[] = { "regenerate", "convert", NULL };
static const char *const backends[] = { "auto", "cryptography", NULL };
static const char *const regenerates[] = { "never", "fail", "partial_idempotence", "full_idempotence",
	"always", NULL };
static const char *const states[] = { "present", "absent", NULL };
struct params {
	const char *path, *type, *curve, *passphrase, *cipher, *format, *format_mismatch, *backend,
		*regenerate, *state;
	int64_t size;
	enum hf_tristate force, backup, return_content;
	struct hf_file_attr attr;
};
#define AT(field)  offsetof(struct params, field)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), HF_REQUIRED, .help = "The file." },
	{ "size", HF_ARG_INT, AT(size), .dflt = "4096", .help = "Bits of an RSA or DSA key." },
	{ "type", HF_ARG_STR, AT(type), .dflt = "RSA", .choices = types, .help = "Kind of key." },
	{ "curve", HF_ARG_STR, AT(curve), .choices = curves, .help = "Curve of an ECC key." },
	{ "passphrase", HF_ARG_STR, AT(passphrase), HF_NO_LOG, .help = "The key is encrypted with this." },
	{ "cipher", HF_ARG_STR, AT(cipher), .dflt = "auto",
		.help = "Cipher for passphrase; only auto (AES-256)." },
	{ "format", HF_ARG_STR, AT(format), .dflt = "auto_ignore", .choices = formats,
		.help = "auto: pkcs1 for RSA, DSA and ECC, else pkcs8; auto_ignore: and any is good that is "
			"there." },
	{ "format_mismatch", HF_ARG_STR, AT(format_mismatch), .dflt = "regenerate", .choices = mismatches,
		.help = "What becomes of a key in another format." },
	{ "select_crypto_backend", HF_ARG_STR, AT(backend), .dflt = "auto", .choices = backends,
		.help = "No effect: OpenSSL's library is used." },
	{ "regenerate", HF_ARG_STR, AT(regenerate), .dflt = "full_idempotence", .choices = regenerates,
		.help = "When a key that is there may be replaced." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether it shall be there." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false", .help = "A new key in any case." },
	{ "backup", HF_ARG_BOOL, AT(backup), .dflt = "false", .help = "Keep a dated copy of the old key." },
	{ "return_content", HF_ARG_BOOL, AT(return_content), .dflt = "false",
		.help = "Return the key itself." },
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ .kind = HF_RULE_IF, .when = "type", .equals = "ECC", .names = NAMES("curve") },
	{ HF_RULE_END },
};

struct work {
	struct hf_crypto_file file; /* first: hf_crypto_file_apply() finds it there */
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_error *err;
	struct hf_file_attr attr;
	bool make, convert;
	struct hf_value *before; /* what --diff shows of the key that was there */
};

/* OpenSSL's names for our types and curves. */
static const char *type_name(const char *type)
{
	static const char *const rows[][2] = { { "ECC", "EC" }, { "Ed25519", "ED25519" },
		{ "Ed448", "ED448" } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (strcmp(rows[i][0], type) == 0)
			return rows[i][1];
	return type;
}
static const char *curve_name(const char *curve)
{
	return strcmp(curve, "secp256r1") == 0   ? "prime256v1"
	       : strcmp(curve, "secp192r1") == 0 ? "prime192v1"
						 : curve;
}
static bool is_raw_type(const char *type)
{
	return type[0] == 'E' ? type[1] == 'd' : type[0] == 'X';
}

/* "pkcs1", "pkcs8", "raw" or, for what is no key, "unknown-pem". */
static const char *format_of(struct hf_str text)
{
	struct hf_str line = HF_STR("");
	while (text.n > 0 && hf_str_split(&text, '\n', &line)) {
		if (!hf_str_starts(line, "-----BEGIN ") && !hf_str_starts(line, "---- BEGIN "))
			continue;
		if (hf_str_find(line, HF_STR("BEGIN PRIVATE KEY"), 0) != SIZE_MAX ||
			hf_str_find(line, HF_STR("BEGIN ENCRYPTED PRIVATE KEY"), 0) != SIZE_MAX)
			return "pkcs8";
		return hf_str_find(line, HF_STR(" PRIVATE KEY"), 0) != SIZE_MAX ? "pkcs1" : "unknown-pem";
	}
	return "raw";
}

static const char *format_wanted(const struct params *p)
{
	if (strncmp(p->format, "auto", 4) != 0)
		return p->format;
	return is_raw_type(p->type) ? "pkcs8" : "pkcs1";
}

static EVP_PKEY *raw_read(const struct params *p, struct hf_str text)
{
	static const char *const names[] = { "ED25519", "ED448", "X25519", "X448" };
	EVP_PKEY *key = NULL;
	for (size_t i = 0; key == NULL && i < HF_COUNT(names); i++)
		if (strcasecmp(names[i], p->type) == 0)
			key = EVP_PKEY_new_raw_private_key_ex(
				NULL, names[i], NULL, (const unsigned char *)text.p, text.n);
	return key;
}

static EVP_PKEY *key_read(const struct params *p, struct hf_str text)
{
	return strcmp(format_of(text), "raw") == 0 ? raw_read(p, text)
						   : hf_crypto_key_parse(text, p->passphrase);
}

static bool key_fits(const struct params *p, const EVP_PKEY *key)
{
	char group[NAME_MAX_LENGTH] = "";
	size_t n;
	if (EVP_PKEY_is_a(key, type_name(p->type)) != 1)
		return false;
	if (strcmp(p->type, "RSA") == 0 || strcmp(p->type, "DSA") == 0)
		return EVP_PKEY_get_bits(key) == p->size;
	return strcmp(p->type, "ECC") != 0 || (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
						       group, sizeof(group), &n) == 1 &&
						      strcmp(group, curve_name(p->curve)) == 0);
}

static EVP_PKEY *dsa_make(int64_t bits)
{
	EVP_PKEY *parameters = NULL, *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	if (EVP_PKEY_paramgen_init(ctx) > 0 && EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, (int)bits) > 0)
		(void)EVP_PKEY_paramgen(ctx, &parameters);
	EVP_PKEY_CTX_free(ctx);
	ctx = parameters == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, parameters, NULL);
	if (ctx != NULL && EVP_PKEY_keygen_init(ctx) > 0)
		(void)EVP_PKEY_keygen(ctx, &key);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(parameters);
	return key;
}

static EVP_PKEY *key_make(const struct params *p)
{
	if (strcmp(p->type, "RSA") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)p->size);
	if (strcmp(p->type, "ECC") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve_name(p->curve));
	if (strcmp(p->type, "DSA") == 0)
		return dsa_make(p->size);
	return EVP_PKEY_Q_keygen(NULL, NULL, type_name(p->type));
}

static int key_print(struct work *w, EVP_PKEY *key, struct hf_str *ret)
{
	const struct params *p = w->p;
	const char *format = format_wanted(p), *pass = p->passphrase;
	const EVP_CIPHER *cipher = pass == NULL ? NULL : EVP_aes_256_cbc();
	int n = pass == NULL ? 0 : (int)strlen(pass), ok;
	hf_auto_bio out = BIO_new(BIO_s_mem());
	if (strcmp(format, "raw") == 0) {
		unsigned char raw[RAW_MAX];
		size_t size = sizeof(raw);
		if (pass != NULL || EVP_PKEY_get_raw_private_key(key, raw, &size) != 1)
			return hf_fail(w->err, HF_E_TASK, "Cannot export a %s key in the raw format%s",
				p->type, pass != NULL ? " with a passphrase" : "");
		*ret = hf_strn(hf_strndup(w->a, (const char *)raw, size), size);
		return 0;
	}
	if (strcmp(format, "pkcs1") == 0)
		ok = PEM_write_bio_PrivateKey_traditional(
			out, key, cipher, (const unsigned char *)pass, n, NULL, NULL);
	else
		ok = PEM_write_bio_PKCS8PrivateKey(out, key, cipher, pass, n, NULL, NULL);
	if (ok != 1)
		return hf_fail(w->err, HF_E_TASK, "a %s key cannot be written as %s", p->type, format);
	*ret = hf_crypto_bio_text(w->a, out);
	return 0;
}

static int refused(struct work *w, const char *what, const char *value, const char *more)
{
	return hf_fail(w->err, HF_E_TASK,
		"%s Will not proceed. To force regeneration, call the module with `generate` set to %s, or "
		"with "
		"`force=true`.%s",
		what, value, more);
}

static bool format_fits(const struct work *w)
{
	return strcmp(w->p->format, "auto_ignore") == 0 ||
	       strcmp(format_of(w->file.old), format_wanted(w->p)) == 0;
}

static bool always(const struct params *p)
{
	return p->force == HF_YES || strcmp(p->regenerate, "always") == 0;
}

/* How far the task may go with a key that is there. */
static bool may_replace(const struct params *p, bool readable)
{
	return always(p) || strcmp(p->regenerate, "full_idempotence") == 0 ||
	       (readable && strcmp(p->regenerate, "partial_idempotence") == 0);
}

/* A key that is there and can be read: does it do? */
static int decide_readable(struct work *w, const EVP_PKEY *key)
{
	static const char *const some = "`partial_idempotence`, `full_idempotence` or `always`";
	const struct params *p = w->p;
	bool never = strcmp(p->regenerate, "never") == 0;
	w->make = !never && !key_fits(p, key);
	if (w->make && !may_replace(p, true))
		return refused(w, "Key has wrong type and/or size.", some, "");
	if (w->make || format_fits(w))
		return 0;
	w->convert = strcmp(p->format_mismatch, "convert") == 0;
	w->make = !w->convert && !never;
	if (w->make && !may_replace(p, true))
		return refused(w, "Key has wrong format.", some,
			" To convert the key, set `format_mismatch` to `convert`.");
	return 0;
}

static int decide(struct work *w, const EVP_PKEY *key)
{
	const struct params *p = w->p;
	w->make = (always(p) && hf_task_acts(w->c)) || w->file.old.p == NULL;
	if (w->make)
		return 0;
	if (key != NULL)
		return decide_readable(w, key);
	w->make = may_replace(p, false);
	return w->make ? 0
		       : refused(w,
				 "Unable to read the key. The key is protected with a another passphrase / "
				 "no "
				 "passphrase or broken.",
				 "`full_idempotence` or `always`", "");
}

static void report(struct work *w, struct hf_change *change, EVP_PKEY *key, struct hf_str text)
{
	const struct params *p = w->p;
	hf_result_cstr(w->c, change, "type", p->type);
	hf_result_int(w->c, change, "size", p->size);
	hf_result_put(w->c, change, "fingerprint",
		key == NULL ? hf_value_null(w->a) : hf_crypto_key_fingerprints(w->a, key, false));
	if (strcmp(p->type, "ECC") == 0)
		hf_result_cstr(w->c, change, "curve", p->curve);
	hf_result_cstr(w->c, change, "filename", p->path);
	if (p->return_content != HF_YES)
		return;
	hf_task_secret(w->c, text);
	struct hf_value *content = text.p == NULL ? hf_value_null(w->a) : hf_value_str(w->a, text);
	if (text.p != NULL && strcmp(format_of(text), "raw") == 0) {
		char encoded[RAW_MAX * 2];
		EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)text.p,
			(int)(text.n > RAW_MAX ? RAW_MAX : text.n));
		content = hf_value_cstr(w->a, encoded);
	}
	hf_result_put(w->c, change, "privatekey", content);
}

/* What --diff shows of a key: what is public of it. text.p NULL: there is none. */
static struct hf_value *describe(struct hf_arena *a, EVP_PKEY *key, struct hf_str text)
{
	struct hf_value *info = hf_value_dict(a);
	if (text.p == NULL)
		return info;
	hf_dict_put(info, "can_parse_key", hf_value_bool(a, key != NULL));
	hf_dict_put(info, "key_is_consistent", hf_value_null(a));
	if (key == NULL)
		return info;
	hf_auto_bio out = BIO_new(BIO_s_mem());
	if (PEM_write_bio_PUBKEY(out, key) == 1)
		hf_dict_put(info, "public_key", hf_value_str(a, hf_crypto_bio_text(a, out)));
	hf_dict_put(info, "public_key_fingerprints", hf_crypto_key_fingerprints(a, key, true));
	hf_dict_put(info, "type", hf_value_cstr(a, hf_crypto_key_type(key)));
	hf_dict_put(info, "public_data", hf_crypto_key_data(a, key));
	return info;
}

/* Of a key that check mode does not make only its kind is known. */
static struct hf_value *describe_wanted(struct work *w)
{
	struct hf_value *info = hf_value_dict(w->a);
	hf_dict_put(info, "can_parse_key", hf_value_bool(w->a, true));
	hf_dict_put(info, "type", hf_value_cstr(w->a, w->p->type));
	return info;
}

static void show(struct work *w, struct hf_change *change, EVP_PKEY *old)
{
	w->before = describe(w->a, old, w->file.old);
	if (w->file.absent)
		hf_change_diff_values(w->c, change, w->before, hf_value_dict(w->a));
	else if (!w->make && !w->convert)
		hf_change_diff_values(w->c, change, w->before, w->before);
	else if (hf_task_check_mode(w->c))
		hf_change_diff_values(w->c, change, w->before, w->make ? describe_wanted(w) : w->before);
}

static int openssl_privatekey_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = hf_new(hf_task_arena(c), struct work);
	const struct params *p = params;
	*w = (struct work){ .c = c, .a = hf_task_arena(c), .p = p, .err = err, .attr = p->attr };
	change->state = w;
	w->attr.mode = p->attr.mode == NULL ? "0600" : p->attr.mode;
	w->file = (struct hf_crypto_file){
		.path = p->path, .attr = &w->attr, .absent = strcmp(p->state, "absent") == 0
	};
	if (p->passphrase != NULL && strcmp(p->cipher, "auto") != 0)
		return hf_fail(err, HF_E_TASK, "only \"auto\" can be used for the cipher option");
	int r = hf_crypto_file_open(c, change, p->backup == HF_YES, &w->file, err);
	if (r < 0)
		return r;
	hf_auto_key key = w->file.old.p == NULL ? NULL : key_read(p, w->file.old);
	r = w->file.absent ? 0 : decide(w, key);
	if (r == 0)
		r = hf_crypto_file_look(c, change, w->make || w->convert, &w->file, err);
	if (r == 0)
		report(w, change, w->file.absent ? NULL : key,
			w->file.absent ? (struct hf_str){ 0 } : w->file.old);
	if (r == 0 && hf_task_diff(c))
		show(w, change, key);
	return r;
}

static int key_write(struct work *w, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = w->p;
	hf_auto_key key = w->make ? key_make(p) : key_read(p, w->file.old);
	if (key == NULL)
		return hf_fail(err, HF_E_TASK, "a key of type %s and size %lld cannot be made here", p->type,
			(long long)p->size);
	w->err = err;
	int r = key_print(w, key, &w->file.text);
	if (r == 0)
		report(w, change, key, w->file.text);
	if (r == 0 && hf_task_diff(w->c))
		hf_change_diff_values(w->c, change, w->before, describe(w->a, key, w->file.text));
	return r;
}

static int openssl_privatekey_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = change->state;
	int r = w->make || w->convert ? key_write(w, change, err) : 0;
	return r < 0 ? r : hf_crypto_file_apply(c, params, change, err);
}

static void openssl_privatekey_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	hf_watch_path(w, ((const struct params *)params)->path);
}

static const char *const aliases[] = { "community.crypto.openssl_privatekey", NULL };

const struct hf_module hf_module_openssl_privatekey = {
	.name = "openssl_privatekey",
	.collection = "community.crypto",
	.aliases = aliases,
	.schema = { args, rules, sizeof(struct params) },
	.check = openssl_privatekey_check,
	.apply = openssl_privatekey_apply,
	.undo = hf_crypto_file_undo,
	.watch = openssl_privatekey_watch,
};
