/* modules/htpasswd.c - users of a web server's password file. */
#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "modules/host.h"
#include "modules/text_file.h"

enum { SALT_LENGTH = 8, APR1_ROUNDS = 1000, MD5_SIZE = 16, SHA1_SIZE = 20 };

static const char *const states[] = { "present", "absent", NULL };
struct params {
	const char *path, *name, *password, *hash_scheme, *state;
	enum hf_tristate create;
	struct hf_file_attr attr;
};
static const char *const path_aliases[] = { "dest", "destfile", NULL };
static const char *const name_aliases[] = { "username", NULL };
static const char *const scheme_aliases[] = { "crypt_scheme", NULL };
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), HF_REQUIRED, .aliases = path_aliases, .help = "The file." },
	{ "name", HF_ARG_STR, AT(name), HF_REQUIRED, .aliases = name_aliases, .help = "The user." },
	{ "password", HF_ARG_STR, AT(password), HF_NO_LOG,
		.help = "The password; needed where the user shall be there." },
	{ "hash_scheme", HF_ARG_STR, AT(hash_scheme), .dflt = "apr_md5_crypt", .aliases = scheme_aliases,
		.help = "apr_md5_crypt, des_crypt, ldap_sha1, plaintext, md5_crypt, sha256_crypt, "
			"sha512_crypt "
			"or bcrypt; others are refused." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether the user shall be there." },
	{ "create", HF_ARG_BOOL, AT(create), .dflt = "true", .help = "Make the file when there is none." },
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};

/* Letters of salts and of the packed digests, in crypt's order. */
static const char letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct scheme {
	const char *name, *prefix; /* prefix: what crypt_gensalt() wants; NULL: made here */
	unsigned long cost;
} schemes[] = {
	{ "apr_md5_crypt", NULL, 0 },
	{ "des_crypt", NULL, 0 },
	{ "ldap_sha1", NULL, 0 },
	{ "plaintext", NULL, 0 },
	{ "md5_crypt", "$1$", 0 },
	{ "sha256_crypt", "$5$", 0 },
	{ "sha512_crypt", "$6$", 0 },
	{ "bcrypt", "$2b$", 12 },
	{ NULL },
};

static void md5(struct hf_buf *in, unsigned char out[MD5_SIZE])
{
	EVP_Digest(in->p, in->n, out, NULL, EVP_md5(), NULL);
	hf_buf_clear(in);
}

static void pack(struct hf_buf *out, unsigned a, unsigned b, unsigned c, int n)
{
	unsigned long bits = (unsigned long)a << 16 | (unsigned long)b << 8 | c;
	for (int i = 0; i < n; i++, bits >>= 6)
		hf_buf_put(out, letters[bits & 63]);
}

/* Apache's variant of MD5-crypt: the same rounds as $1$ under another name. */
static const char *apr1(struct hf_arena *a, const char *password, struct hf_str salt)
{
	unsigned char d[MD5_SIZE];
	size_t n = strlen(password);
	hf_auto_buf in = hf_buf_init(1 << 20), out = hf_buf_init(128);
	hf_buf_printf(&in, "%s%.*s%s", password, HF_STR_ARG(salt), password);
	md5(&in, d);
	hf_buf_printf(&in, "%s$apr1$%.*s", password, HF_STR_ARG(salt));
	for (size_t left = n; left > 0; left -= left > MD5_SIZE ? MD5_SIZE : left)
		hf_buf_append(&in, d, left > MD5_SIZE ? MD5_SIZE : left);
	for (size_t bit = n; bit > 0; bit >>= 1)
		hf_buf_put(&in, (bit & 1) != 0 ? '\0' : password[0]);
	md5(&in, d);
	for (unsigned i = 0; i < APR1_ROUNDS; i++) {
		struct hf_str last = hf_strn((const char *)d, MD5_SIZE), word = hf_strn(password, n);
		hf_buf_add(&in, (i & 1) != 0 ? word : last);
		if (i % 3 != 0)
			hf_buf_add(&in, salt);
		if (i % 7 != 0)
			hf_buf_add(&in, word);
		hf_buf_add(&in, (i & 1) != 0 ? last : word);
		md5(&in, d);
	}
	hf_buf_printf(&out, "$apr1$%.*s$", HF_STR_ARG(salt));
	for (int i = 0; i < 5; i++)
		pack(&out, d[i], d[i + 6], d[i == 4 ? 5 : i + 12], 4);
	pack(&out, 0, 0, d[11], 2);
	return hf_buf_dup(a, &out).p;
}

static const char *ldap_sha1(struct hf_arena *a, const char *password)
{
	unsigned char digest[SHA1_SIZE];
	char text[SHA1_SIZE * 2];
	EVP_Digest(password, strlen(password), digest, NULL, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)text, digest, SHA1_SIZE);
	return hf_sprintf(a, "{SHA}%s", text);
}

static const char *crypted(struct hf_arena *a, const char *password, const char *setting)
{
	struct crypt_data *data = hf_new(a, struct crypt_data);
	const char *hash = crypt_r(password, setting, data);
	return hash == NULL || hash[0] == '*' ? NULL : hf_strdup(a, hash);
}

static bool is_des(struct hf_str hash)
{
	for (size_t i = 0; i < hash.n; i++)
		if (strchr(letters, hash.p[i]) == NULL || hash.p[i] == '\0')
			return false;
	return hash.n == 13;
}

static bool password_is(struct hf_arena *a, const char *password, struct hf_str hash)
{
	const char *made = NULL;
	if (hf_str_starts(hash, "$apr1$")) {
		struct hf_str rest = hf_strn(hash.p + 6, hash.n - 6), salt;
		if (hf_str_split(&rest, '$', &salt))
			made = apr1(a, password, salt);
	} else if (hf_str_starts(hash, "{SHA}")) {
		made = ldap_sha1(a, password);
	} else if (hf_str_starts(hash, "$") || is_des(hash)) {
		made = crypted(a, password, hf_str_dup(a, hash));
	}
	return made != NULL ? hf_str_is(hash, made) : hf_str_is(hash, password);
}

static int hash_make(struct hf_arena *a, const struct params *p, const char **ret, struct hf_error *err)
{
	unsigned char random[SALT_LENGTH];
	char salt[SALT_LENGTH + 1] = "", setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const struct scheme *s = schemes;
	while (s->name != NULL && strcmp(s->name, p->hash_scheme) != 0)
		s++;
	if (s->name == NULL)
		return hf_fail(err, HF_E_UNSUPPORTED, "hash_scheme %s is not done", p->hash_scheme);
	if (RAND_bytes(random, SALT_LENGTH) != 1)
		return hf_fail(err, HF_E_INTERNAL, "no random bytes");
	for (int i = 0; i < SALT_LENGTH; i++)
		salt[i] = letters[random[i] & 63];
	if (strcmp(s->name, "apr_md5_crypt") == 0) {
		*ret = apr1(a, p->password, hf_str(salt));
	} else if (strcmp(s->name, "ldap_sha1") == 0) {
		*ret = ldap_sha1(a, p->password);
	} else if (strcmp(s->name, "plaintext") == 0) {
		*ret = p->password;
	} else if (s->prefix == NULL) {
		salt[2] = '\0';
		*ret = crypted(a, p->password, salt);
	} else {
		const char *made = crypt_gensalt_rn(s->prefix, s->cost, NULL, 0, setting, sizeof(setting));
		*ret = made == NULL ? NULL : crypted(a, p->password, made);
	}
	return *ret != NULL ? 0 : hf_fail(err, HF_E_TASK, "crypt(3) here does not do %s", s->name);
}

/* The user's line; -1 when there is none. */
static ptrdiff_t user_find(const struct hf_text_line_list *lines, const char *name, struct hf_str *ret_hash)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < lines->n; i++) {
		struct hf_str line = hf_str_trim(lines->at[i]);
		if (line.n <= n || line.p[n] != ':' || memcmp(line.p, name, n) != 0)
			continue;
		*ret_hash = hf_strn(line.p + n + 1, line.n - n - 1);
		return (ptrdiff_t)i;
	}
	return -1;
}

/* A user and a hash with one colon between them; comments and blank lines may be anything. */
static int lines_check(const struct hf_text_line_list *lines, struct hf_error *err)
{
	size_t number = 0; /* blank lines are not counted */
	for (size_t i = 0; i < lines->n; i++) {
		struct hf_str line = hf_str_trim(lines->at[i]);
		const char *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);
		number += line.n > 0;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		size_t rest = colon == NULL ? 0 : (size_t)(line.p + line.n - colon) - 1;
		if (colon == NULL || memchr(colon + 1, ':', rest) != NULL)
			return hf_fail(
				err, HF_E_TASK, "malformed htpasswd file (error reading line %zu)", number);
	}
	return 0;
}

static void blank_lines_drop(struct hf_text_line_list *lines)
{
	for (size_t i = lines->n; i > 0; i--)
		if (hf_str_trim(lines->at[i - 1]).n == 0)
			hf_text_remove(lines, i - 1, 1);
}

static void user_set(
	struct hf_arena *a, struct hf_text_line_list *lines, ptrdiff_t at, const char *name, const char *hash)
{
	struct hf_str line = hf_str(hf_sprintf(a, "%s:%s\n", name, hash));
	size_t n = lines->n;
	if (at >= 0) {
		lines->at[at] = line;
		return;
	}
	if (n > 0 && !hf_str_ends(lines->at[n - 1], "\n"))
		lines->at[n - 1] = hf_str(hf_sprintf(a, "%.*s\n", HF_STR_ARG(lines->at[n - 1])));
	hf_text_insert(a, lines, n, line);
}

static int user_change(
	struct hf_text_edit *e, const struct params *p, struct hf_text_line_list *lines, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(e->c);
	struct hf_str hash = HF_STR("");
	const char *made;
	ptrdiff_t at = user_find(lines, p->name, &hash);
	if (strcmp(p->state, "absent") == 0) {
		e->content_changed = at >= 0;
		e->message = hf_sprintf(a, at >= 0 ? "Remove %s" : "%s not present", p->name);
		if (at >= 0)
			hf_text_remove(lines, (size_t)at, 1);
		return 0;
	}
	if (p->password == NULL)
		return hf_fail(err, HF_E_TASK, "a password is needed where the user shall be there");
	if (at >= 0 && password_is(a, p->password, hash)) {
		e->message = hf_sprintf(a, "%s already present", p->name);
		return 0;
	}
	int r = hash_make(a, p, &made, err);
	if (r < 0)
		return r;
	e->content_changed = true;
	e->message = hf_sprintf(a, "Add/update %s", p->name);
	if (!e->exists)
		e->message = hf_task_check_mode(e->c)
				     ? hf_sprintf(a, "Create %s", p->path)
				     : hf_sprintf(a, "Created %s and added %s", p->path, p->name);
	user_set(a, lines, at, p->name, made);
	return 0;
}

static int htpasswd_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_text_edit *e = hf_new(hf_task_arena(c), struct hf_text_edit);
	struct hf_text_line_list lines = { 0 };
	*e = (struct hf_text_edit){ .c = c, .change = change, .attr = &p->attr, .no_attr_words = true };
	int r = hf_text_load(e, p->path, err);
	if (r < 0)
		return r;
	if (!e->exists && strcmp(p->state, "absent") == 0) {
		hf_task_warn(c, "%s does not exist", p->path);
		hf_result_cstr(c, change, "msg", hf_sprintf(hf_task_arena(c), "%s not present", p->name));
		change->state = e;
		return 0;
	}
	if (!e->exists && p->create != HF_YES)
		return hf_fail(err, HF_E_TASK, "Destination %s does not exist", p->path);
	hf_text_split(hf_task_arena(c), e->before, false, &lines);
	r = lines_check(&lines, err);
	if (r == 0)
		r = user_change(e, p, &lines, err);
	if (r < 0)
		return r;
	if (e->content_changed)
		blank_lines_drop(&lines);
	e->after = hf_text_join(hf_task_arena(c), &lines);
	return hf_file_attr_done(c, change, hf_text_look(e, err));
}

static int htpasswd_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return hf_file_attr_done(c, change, hf_text_apply(c, params, change, err));
}

static void htpasswd_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	hf_watch_path(w, ((const struct params *)params)->path);
}

const struct hf_module hf_module_htpasswd = {
	.name = "htpasswd",
	.collection = "community.general",
	.schema = { args, NULL, sizeof(struct params) },
	.check = htpasswd_check,
	.apply = htpasswd_apply,
	.undo = hf_text_undo,
	.watch = htpasswd_watch,
};
