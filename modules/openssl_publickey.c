/* modules/openssl_publickey.c - the public half of a private key, in a file. */
#include <openssl/core_names.h>

#include "modules/crypto.h"

enum { SSH_SIZE_MAX = 1 << 16, GROUP_NAME_MAX = 80, RAW_MAX = 64 };

static const char *const states[] = { "present", "absent", NULL };
static const char *const formats[] = { "OpenSSH", "PEM", NULL };
static const char *const backends[] = { "auto", "cryptography", NULL };
struct params {
	const char *path, *privatekey_path, *privatekey_content, *privatekey_passphrase, *format, *backend,
		*state;
	enum hf_tristate force, backup, return_content;
	struct hf_file_attr attr;
};
#define AT(field)  offsetof(struct params, field)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), HF_REQUIRED, .help = "The file." },
	{ "privatekey_path", HF_ARG_PATH, AT(privatekey_path), .help = "The private key's file." },
	{ "privatekey_content", HF_ARG_STR, AT(privatekey_content), HF_NO_LOG,
		.help = "The private key itself." },
	{ "privatekey_passphrase", HF_ARG_STR, AT(privatekey_passphrase), HF_NO_LOG,
		.help = "What the private key is encrypted with." },
	{ "format", HF_ARG_STR, AT(format), .dflt = "PEM", .choices = formats, .help = "How it is written." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether it shall be there." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false", .help = "Write it in any case." },
	{ "backup", HF_ARG_BOOL, AT(backup), .dflt = "false", .help = "Keep a dated copy of the old file." },
	{ "return_content", HF_ARG_BOOL, AT(return_content), .dflt = "false",
		.help = "Return the public key itself." },
	{ "select_crypto_backend", HF_ARG_STR, AT(backend), .dflt = "auto", .choices = backends,
		.help = "No effect: OpenSSL's library is used." },
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, NAMES("privatekey_path", "privatekey_content") },
	{ HF_RULE_IF, NAMES("privatekey_path", "privatekey_content"), .when = "state", .equals = "present",
		.any = true },
	{ HF_RULE_END },
};

struct work {
	struct hf_crypto_file file; /* first: hf_crypto_file_apply() finds it there */
	struct hf_arena *a;
	const struct params *p;
	struct hf_value *fingerprint;
};

/* --- what OpenSSH reads ----------------------------------------------------------------------------- */
static void ssh_bytes(struct hf_buf *out, const void *p, size_t n)
{
	unsigned char length[] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16),
		(unsigned char)(n >> 8), (unsigned char)n };
	hf_buf_append(out, length, sizeof(length));
	hf_buf_append(out, p, n);
}

/* A number is never negative there: a byte of zero goes before a set highest bit. */
static void ssh_number(struct hf_buf *out, const EVP_PKEY *key, const char *parameter)
{
	BIGNUM *number = NULL;
	unsigned char bytes[SSH_SIZE_MAX / 16];
	if (EVP_PKEY_get_bn_param(key, parameter, &number) == 1 &&
		(size_t)BN_num_bytes(number) < sizeof(bytes)) {
		bytes[0] = 0;
		size_t n = (size_t)BN_bn2bin(number, bytes + 1);
		bool high = n > 0 && (bytes[1] & 0x80) != 0;
		ssh_bytes(out, high ? bytes : bytes + 1, n + high);
	}
	BN_free(number);
}

static void ssh_numbers(struct hf_buf *out, const EVP_PKEY *key, const char *kind, const char *const *names)
{
	ssh_bytes(out, kind, strlen(kind));
	for (; *names != NULL; names++)
		ssh_number(out, key, *names);
}

static const char *ssh_curve(struct hf_buf *out, const EVP_PKEY *key)
{
	static const char *const curves[][3] = {
		{ "prime256v1", "nistp256", "ecdsa-sha2-nistp256" },
		{ "secp384r1", "nistp384", "ecdsa-sha2-nistp384" },
		{ "secp521r1", "nistp521", "ecdsa-sha2-nistp521" },
	};
	char group[GROUP_NAME_MAX] = "";
	unsigned char point[SSH_SIZE_MAX / 16];
	size_t n = 0;
	(void)EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &n);
	(void)EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n);
	for (size_t i = 0; i < HF_COUNT(curves); i++) {
		if (strcmp(group, curves[i][0]) != 0)
			continue;
		ssh_bytes(out, curves[i][2], strlen(curves[i][2]));
		ssh_bytes(out, curves[i][1], strlen(curves[i][1]));
		ssh_bytes(out, point, n);
		return curves[i][2];
	}
	return NULL;
}

/* NULL: OpenSSH has no such keys. */
static const char *ssh_blob(struct hf_buf *out, const EVP_PKEY *key)
{
	const char *type = hf_crypto_key_type(key);
	unsigned char raw[RAW_MAX];
	size_t n = sizeof(raw);
	if (strcmp(type, "RSA") == 0) {
		ssh_numbers(out, key, "ssh-rsa", NAMES(OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_N));
		return "ssh-rsa";
	}
	if (strcmp(type, "DSA") == 0) {
		ssh_numbers(out, key, "ssh-dss",
			NAMES(OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q, OSSL_PKEY_PARAM_FFC_G,
				OSSL_PKEY_PARAM_PUB_KEY));
		return "ssh-dss";
	}
	if (strcmp(type, "Ed25519") == 0 && EVP_PKEY_get_raw_public_key(key, raw, &n) == 1) {
		ssh_bytes(out, "ssh-ed25519", strlen("ssh-ed25519"));
		ssh_bytes(out, raw, n);
		return "ssh-ed25519";
	}
	return strcmp(type, "ECC") == 0 ? ssh_curve(out, key) : NULL;
}

static int key_print(struct work *w, const EVP_PKEY *key, struct hf_str *ret, struct hf_error *err)
{
	hf_auto_bio out = BIO_new(BIO_s_mem());
	if (strcmp(w->p->format, "PEM") == 0) {
		if (PEM_write_bio_PUBKEY(out, key) != 1)
			return hf_fail(err, HF_E_TASK, "the public key cannot be written");
		*ret = hf_crypto_bio_text(w->a, out);
		return 0;
	}
	hf_auto_buf blob = hf_buf_init(SSH_SIZE_MAX);
	hf_auto_buf text = hf_buf_init(SSH_SIZE_MAX * 2);
	const char *kind = ssh_blob(&blob, key);
	if (kind == NULL)
		return hf_fail(err, HF_E_TASK, "OpenSSH has no keys of type %s and this curve",
			hf_crypto_key_type(key));
	hf_buf_printf(&text, "%s ", kind);
	char *at = hf_buf_room(&text, blob.n * 2 + 4);
	if (at != NULL)
		hf_buf_added(&text,
			(size_t)EVP_EncodeBlock((unsigned char *)at, (unsigned char *)blob.p, (int)blob.n));
	*ret = hf_buf_dup(w->a, &text);
	return hf_buf_check(&text, "a public key", err);
}

/* --- what is there ---------------------------------------------------------------------------------- */
/* As it would be written: a comment of OpenSSH's and white space around PEM do not count. */
static bool same(const struct work *w, struct hf_str text)
{
	struct hf_str old = w->file.old, words[2] = { { 0 }, { 0 } };
	if (strcmp(w->p->format, "PEM") == 0) {
		hf_auto_bio out = BIO_new(BIO_s_mem());
		hf_auto_key key = hf_crypto_public_parse(old);
		return key != NULL && PEM_write_bio_PUBKEY(out, key) == 1 &&
		       hf_str_equal(hf_crypto_bio_text(w->a, out), text);
	}
	old = hf_str_trim(old);
	for (size_t i = 0; i < 2; i++)
		if (!hf_str_split(&old, ' ', &words[i]))
			return false;
	return hf_str_equal(
		hf_str(hf_sprintf(w->a, "%.*s %.*s", HF_STR_ARG(words[0]), HF_STR_ARG(words[1]))), text);
}

static struct hf_value *describe(struct work *w, struct hf_str text)
{
	struct hf_value *info = hf_value_dict(w->a);
	if (text.p == NULL)
		return info;
	hf_auto_key key = hf_crypto_public_parse(text);
	hf_dict_put(info, "can_parse_key", hf_value_bool(w->a, key != NULL));
	if (key == NULL)
		return info;
	hf_dict_put(info, "fingerprints", hf_crypto_key_fingerprints(w->a, key, true));
	hf_dict_put(info, "type", hf_value_cstr(w->a, hf_crypto_key_type(key)));
	hf_dict_put(info, "public_data", hf_crypto_key_data(w->a, key));
	return info;
}

static struct hf_value *text_or_null(struct hf_arena *a, struct hf_str text)
{
	return text.p == NULL ? hf_value_null(a) : hf_value_str(a, text);
}

static void report(struct hf_module_context *c, struct work *w, struct hf_change *change, struct hf_str text)
{
	const struct params *p = w->p;
	hf_result_put(c, change, "privatekey", text_or_null(w->a, hf_str(p->privatekey_path)));
	hf_result_cstr(c, change, "filename", p->path);
	hf_result_cstr(c, change, "format", p->format);
	hf_result_put(c, change, "fingerprint", w->fingerprint);
	if (p->return_content == HF_YES)
		hf_result_put(c, change, "publickey", text_or_null(w->a, text));
}

/* What the file is to hold; text.p NULL: in check mode the key that an earlier task would make is not there.
 */
static int want(struct hf_module_context *c, struct work *w, struct hf_str *text, struct hf_error *err)
{
	const struct params *p = w->p;
	hf_auto_key key = NULL;
	if (p->privatekey_content == NULL && !hf_fs_exists(p->privatekey_path))
		return hf_task_check_mode(c) ? 0
					     : hf_fail(err, HF_E_TASK, "The private key %s does not exist",
						       p->privatekey_path);
	int r = hf_crypto_key(
		w->a, p->privatekey_path, p->privatekey_content, p->privatekey_passphrase, &key, err);
	if (r == 0)
		r = key_print(w, key, text, err);
	if (r == 0)
		w->fingerprint = hf_crypto_key_fingerprints(w->a, key, false);
	return r;
}

static int openssl_publickey_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct work *w = hf_new(hf_task_arena(c), struct work);
	struct hf_str text = { 0 };
	bool write = false;
	*w = (struct work){ .a = hf_task_arena(c), .p = p, .fingerprint = hf_value_dict(hf_task_arena(c)) };
	w->file = (struct hf_crypto_file){
		.path = p->path, .attr = &p->attr, .absent = strcmp(p->state, "absent") == 0
	};
	change->state = w;
	int r = hf_crypto_file_open(c, change, p->backup == HF_YES, &w->file, err);
	if (r == 0 && !w->file.absent) {
		r = want(c, w, &text, err);
		write = (p->force == HF_YES && hf_task_acts(c)) || w->file.old.p == NULL || !same(w, text);
	}
	if (r < 0)
		return r;
	if (write)
		w->file.text = text;
	report(c, w, change, write ? text : w->file.old);
	r = hf_crypto_file_look(c, change, write, &w->file, err);
	if (hf_task_diff(c))
		hf_change_diff_values(c, change, describe(w, w->file.old), describe(w, text));
	return r;
}

static int openssl_publickey_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = change->state;
	int r = hf_crypto_file_apply(c, params, change, err);
	if (r == 0 && w->file.absent && w->p->return_content == HF_YES)
		hf_result_put(c, change, "publickey", hf_value_null(w->a));
	return r;
}

static void openssl_publickey_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	hf_watch_path(w, ((const struct params *)params)->path);
}

const struct hf_module hf_module_openssl_publickey = {
	.name = "openssl_publickey",
	.collection = "community.crypto",
	.schema = { args, rules, sizeof(struct params) },
	.check = openssl_publickey_check,
	.apply = openssl_publickey_apply,
	.undo = hf_crypto_file_undo,
	.watch = openssl_publickey_watch,
};
