/* modules/openssh_keypair.c - a key pair as ssh-keygen makes it: the private key at PATH, the public one at
 * PATH.pub. */
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "modules/crypto.h"
#include "modules/file_mode.h"

enum {
	KEY_SIZE_MAX = 1 << 20,
	ECDSA_SHORT = 256,
	ECDSA_LONG = 384,
	ECDSA_LONGEST = 521,
	RSA_SHORTEST = 1024
};

static const char *const states[] = { "present", "absent", NULL };
static const char *const types[] = { "rsa", "dsa", "rsa1", "ecdsa", "ed25519", NULL };
static const char *const formats[] = { "auto", "pkcs1", "pkcs8", "ssh", NULL };
static const char *const backends[] = { "auto", "cryptography", "opensshbin", NULL };
static const char *const regenerates[] = { "never", "fail", "partial_idempotence", "full_idempotence",
	"always", NULL };
struct params {
	const char *path, *type, *comment, *passphrase, *format, *backend, *regenerate, *state;
	int64_t size;
	enum hf_tristate force;
	struct hf_file_attr attr;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "path", HF_ARG_PATH, AT(path), HF_REQUIRED,
		.help = "The private key's file; the public key's has .pub behind it." },
	{ "type", HF_ARG_STR, AT(type), .dflt = "rsa", .choices = types,
		.help = "Kind of key; one that the host's ssh-keygen makes." },
	{ "size", HF_ARG_INT, AT(size),
		.help = "Bits: 4096 for rsa, 1024 for dsa, 256 (or 384, 521) for ecdsa; ed25519 has its "
			"own." },
	{ "comment", HF_ARG_STR, AT(comment), .help = "What stands behind the public key." },
	{ "regenerate", HF_ARG_STR, AT(regenerate), .dflt = "partial_idempotence", .choices = regenerates,
		.help = "When a key that is there may be replaced." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false", .help = "A new key in any case." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether both shall be there." },
	{ "backend", HF_ARG_STR, AT(backend), .dflt = "auto", .choices = backends,
		.help = "ssh-keygen in any case; cryptography is refused." },
	{ "private_key_format", HF_ARG_STR, AT(format), .dflt = "auto", .choices = formats,
		.help = "As ssh-keygen writes it; only auto, as with Ansible's opensshbin." },
	{ "passphrase", HF_ARG_STR, AT(passphrase), HF_REFUSED | HF_NO_LOG,
		.help = "ssh-keygen would take it where every user of the host can read it" },
	HF_FILE_ATTR_ARGS(struct params, attr),
	{ .type = HF_ARG_END },
};

struct private_key {
	bool there; /* and ssh-keygen can tell what it is */
	int64_t size;
	const char *type, *fingerprint;
};
struct public_key {
	bool there;
	struct hf_str kind, data, comment;
};
struct pair {
	struct private_key key;
	struct public_key pub;
};
struct work {
	struct hf_module_context *c;
	struct hf_change *change;
	struct hf_arena *a;
	const struct params *p;
	const char *keygen, *pub_path; /* the program; the public key's file */
	int64_t size;
	enum { KEEP, MAKE, RESTORE, REMOVE } step;
	struct pair before;
	struct hf_str derived; /* the public key that belongs to the private one; .p NULL: nobody asked yet */
};

/* --- what is asked for ------------------------------------------------------------------------------ */
static int program_find(struct work *w, struct hf_error *err)
{
	if (strcmp(w->p->backend, "cryptography") == 0)
		return hf_fail(
			err, HF_E_UNSUPPORTED, "backend cryptography is not done: ssh-keygen makes the keys");
	w->keygen = hf_proc_which(w->a, "ssh-keygen");
	if (w->keygen != NULL)
		return 0;
	return hf_fail(err, HF_E_TASK, "%s",
		strcmp(w->p->backend, "auto") == 0 ? "Cannot find either the OpenSSH binary in the PATH or "
						     "cryptography >= 2.6 installed "
						     "on this system"
						   : "Cannot find the OpenSSH binary in the PATH");
}

static int size_choose(struct work *w, struct hf_error *err)
{
	static const char *const rsa =
		"For RSA keys, the minimum size is 1024 bits and the default is 4096 bits. Attempting to use "
		"bit lengths under 1024 will cause the module to fail.";
	static const char *const ecdsa =
		"For ECDSA keys, size determines the key length by selecting from one of three elliptic "
		"curve sizes: 256, 384 or 521 bits. Attempting to use bit lengths other than these three "
		"values for ECDSA keys will cause this module to fail.";
	const struct {
		const char *type, *wrong;
		int64_t dflt;
	} rows[] = {
		{ "rsa", rsa, 4096 },
		{ "rsa1", rsa, 4096 },
		{ "dsa", "DSA keys must be exactly 1024 bits as specified by FIPS 186-2.", 1024 },
		{ "ecdsa", ecdsa, ECDSA_SHORT },
		{ "ed25519", NULL, 256 },
	};
	bool given = hf_task_given(w->c, "size") && !hf_task_null(w->c, "size");
	size_t i = 0;
	while (strcmp(rows[i].type, w->p->type) != 0)
		i++;
	w->size = given && rows[i].wrong != NULL ? w->p->size : rows[i].dflt;
	bool fits = rows[i].wrong == rsa ? w->size >= RSA_SHORTEST
		    : rows[i].wrong == ecdsa
			    ? w->size == ECDSA_SHORT || w->size == ECDSA_LONG || w->size == ECDSA_LONGEST
			    : w->size == rows[i].dflt;
	return fits ? 0 : hf_fail(err, HF_E_TASK, "%s", rows[i].wrong);
}

static int arguments_check(struct work *w, struct hf_error *err)
{
	const char *path = w->p->path;
	int r = program_find(w, err);
	if (r == 0)
		r = size_choose(w, err);
	if (r == 0)
		r = hf_crypto_folder(w->c, w->change, path, err);
	if (r < 0)
		return r;
	if (hf_fs_is_dir(path))
		return hf_fail(err, HF_E_TASK, "%s is a directory. Please specify a path to a file.", path);
	if (strcmp(w->p->format, "auto") != 0)
		return hf_fail(err, HF_E_TASK,
			"'auto' is the only valid option for 'private_key_format' when 'backend' is not "
			"'cryptography'");
	return 0;
}

/* Whoever only looks whether all is as it was left wants no new key each time. */
static const char *when(const struct work *w)
{
	bool always = w->p->force == HF_YES || strcmp(w->p->regenerate, "always") == 0;
	if (!always)
		return w->p->regenerate;
	return hf_task_acts(w->c) ? "always" : "full_idempotence";
}

/* --- what is there ---------------------------------------------------------------------------------- */
/* "256 SHA256:… some comment (ED25519)" */
static void private_parse(struct work *w, struct hf_str text, struct private_key *ret)
{
	struct hf_str rest = hf_str_trim(text), bits, print;
	const char *last = rest.n == 0 ? NULL : memrchr(rest.p, ' ', rest.n);
	if (last == NULL || !hf_str_split(&rest, ' ', &bits) || !hf_str_split(&rest, ' ', &print) ||
		!hf_str_to_int64(bits, &ret->size))
		return;
	struct hf_str type = hf_strn(last + 1, (size_t)(rest.p + rest.n - last - 1));
	if (type.n < 2)
		return;
	char *name = hf_str_dup(w->a, hf_strn(type.p + 1, type.n - 2));
	for (char *at = name; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	ret->type = name;
	ret->fingerprint = hf_str_dup(w->a, print);
	ret->there = true;
}

static int private_look(struct work *w, struct private_key *ret, struct hf_error *err)
{
	struct hf_words words = hf_words(w->a, w->keygen, "-l", "-f", w->p->path, NULL);
	struct hf_proc_result ran;
	*ret = (struct private_key){ 0 };
	if (!hf_fs_exists(w->p->path))
		return 0;
	int r = hf_host_run(w->c, &words, NULL, &ran, err);
	if (r == 0 && ran.status == 0)
		private_parse(w, ran.out, ret);
	return r;
}

/* "ssh-ed25519 AAAA… some comment"; around: what does not count at either end. */
static struct public_key public_parse(struct hf_str text, const char *around)
{
	struct public_key key = { .comment = HF_STR("") };
	while (text.n > 0 && strchr(around, text.p[text.n - 1]) != NULL)
		text.n--;
	while (text.n > 0 && strchr(around, *text.p) != NULL) {
		text.p++;
		text.n--;
	}
	key.there = hf_str_split(&text, ' ', &key.kind) && hf_str_split(&text, ' ', &key.data);
	if (text.p != NULL)
		key.comment = text;
	return key;
}

static int look(struct work *w, struct pair *ret, struct hf_error *err)
{
	struct hf_str text = { 0 };
	struct hf_error unreadable; /* counts as not there, and is made anew */
	ret->pub = (struct public_key){ .comment = HF_STR("") };
	if (hf_fs_exists(w->pub_path) && hf_fs_read(w->a, w->pub_path, KEY_SIZE_MAX, &text, &unreadable) == 0)
		ret->pub = public_parse(text, " \n");
	return private_look(w, &ret->key, err);
}

static struct hf_words derive_words(const struct work *w)
{
	return hf_words(w->a, w->keygen, "-P", "", "-y", "-f", w->p->path, NULL);
}

static int derive(struct work *w, struct public_key *ret, struct hf_error *err)
{
	struct hf_words words = derive_words(w);
	int r = w->derived.p != NULL ? 0
				     : hf_host_must(w->c, w->change, &words, NULL, NULL, &w->derived, err);
	if (r < 0)
		return r;
	*ret = public_parse(w->derived, "\n");
	return ret->there ? 0 : hf_fail(err, HF_E_TASK, "ssh-keygen -y told no public key");
}

/* --- what is to be done ----------------------------------------------------------------------------- */
static int readable(struct work *w, bool *ret, struct hf_error *err)
{
	static const char *const words[] = { "is not a public key file", "incorrect passphrase",
		"load failed" };
	struct hf_words derives = derive_words(w);
	struct hf_proc_result ran;
	int r = hf_host_run(w->c, &derives, NULL, &ran, err);
	if (r < 0)
		return r;
	*ret = ran.status != 255;
	for (size_t i = 0; i < HF_COUNT(words); i++)
		*ret = *ret && hf_str_find(ran.err, hf_str(words[i]), 0) == SIZE_MAX;
	if (ran.status == 0)
		w->derived = ran.out;
	return 0;
}

/* The public key is the private one's, with the comment that is asked for. */
static int public_fits(struct work *w, bool *ret, struct hf_error *err)
{
	const struct public_key *old = &w->before.pub;
	struct public_key own;
	*ret = false;
	if (!old->there)
		return 0;
	int r = derive(w, &own, err);
	*ret = r == 0 && hf_str_equal(own.kind, old->kind) && hf_str_equal(own.data, old->data) &&
	       (w->p->comment == NULL || hf_str_is(old->comment, w->p->comment));
	return r;
}

/* Only full_idempotence and always go past a key that is there and cannot be read. */
static int reading_check(struct work *w, const char *regenerate, struct hf_error *err)
{
	bool known = w->before.key.there;
	if (strcmp(regenerate, "always") == 0 || strcmp(regenerate, "full_idempotence") == 0 ||
		!hf_fs_exists(w->p->path))
		return 0;
	int r = known ? readable(w, &known, err) : 0;
	if (r < 0 || known)
		return r;
	return hf_fail(err, HF_E_TASK,
		"Unable to read the key. The key is protected with a passphrase or broken. Will not proceed. "
		"To force regeneration, call the module with `generate` set to `full_idempotence` or "
		"`always`, or with `force=true`.");
}

static int decide(struct work *w, struct hf_error *err)
{
	const struct private_key *old = &w->before.key;
	const char *regenerate = when(w);
	bool fits = old->there && old->size == w->size && strcmp(old->type, w->p->type) == 0;
	int r = reading_check(w, regenerate, err);
	if (r < 0)
		return r;
	if (old->there && !fits && strcmp(regenerate, "fail") == 0)
		return hf_fail(err, HF_E_TASK,
			"Key has wrong type and/or size. Will not proceed. To force regeneration, call the "
			"module with `generate` set to `partial_idempotence`, `full_idempotence` or "
			"`always`, "
			"or with `force=true`.");
	w->step = MAKE;
	if (!old->there || strcmp(regenerate, "always") == 0 || (!fits && strcmp(regenerate, "never") != 0))
		return 0;
	r = public_fits(w, &fits, err);
	w->step = fits ? KEEP : RESTORE;
	return r;
}

/* --- what is told ----------------------------------------------------------------------------------- */
static void report(struct work *w, const struct pair *now)
{
	const struct private_key *key = now->key.there ? &now->key : &w->before.key;
	const struct public_key *pub = now->pub.there ? &now->pub : &w->before.pub;
	hf_result_int(w->c, w->change, "size", w->size);
	hf_result_cstr(w->c, w->change, "type", w->p->type);
	hf_result_cstr(w->c, w->change, "filename", w->p->path);
	hf_result_cstr(w->c, w->change, "fingerprint", key->there ? key->fingerprint : "");
	hf_result_cstr(w->c, w->change, "public_key",
		pub->there ? hf_sprintf(w->a, "%.*s %.*s", HF_STR_ARG(pub->kind), HF_STR_ARG(pub->data))
			   : "");
	hf_result_put(w->c, w->change, "comment", hf_value_str(w->a, pub->comment));
}

static struct hf_value *describe(struct work *w, const struct pair *pair)
{
	struct hf_value *info = hf_value_dict(w->a);
	if (pair->key.there) {
		hf_dict_put(info, "size", hf_value_int(w->a, pair->key.size));
		hf_dict_put(info, "type", hf_value_cstr(w->a, pair->key.type));
		if (pair->key.fingerprint != NULL)
			hf_dict_put(info, "fingerprint", hf_value_cstr(w->a, pair->key.fingerprint));
		hf_dict_put(info, "format", hf_value_cstr(w->a, ""));
	}
	if (pair->pub.there) {
		hf_dict_put(info, "comment", hf_value_str(w->a, pair->pub.comment));
		if (pair->pub.data.p != NULL)
			hf_dict_put(info, "public_key", hf_value_str(w->a, pair->pub.data));
	}
	return info;
}

/* What is known of a pair before it is made. */
static struct pair expected(struct work *w)
{
	struct pair pair = w->before;
	struct hf_str comment = hf_str(w->p->comment == NULL ? "" : w->p->comment);
	if (w->step == MAKE)
		pair = (struct pair){ .key = { .there = true, .size = w->size, .type = w->p->type },
			.pub = { .there = true, .comment = comment } };
	if (w->step == RESTORE) {
		pair.pub = w->derived.p == NULL ? (struct public_key){ .there = true }
						: public_parse(w->derived, "\n");
		pair.pub.comment = comment;
	}
	return w->step == REMOVE ? (struct pair){ 0 } : pair;
}

static void show(struct work *w, const struct pair *after)
{
	if (hf_task_diff(w->c))
		hf_change_diff_values(w->c, w->change, describe(w, &w->before), describe(w, after));
}

static int attributes(struct work *w, bool touch, struct hf_error *err)
{
	const char *const paths[] = { w->p->path, w->pub_path };
	int r = 0;
	for (size_t i = 0; r == 0 && i < HF_COUNT(paths); i++)
		if (touch || hf_fs_exists(paths[i]))
			r = hf_file_attr_sync(w->c, w->change, paths[i], &w->p->attr, NULL, touch,
				&w->change->changed, err);
	return r;
}

static int openssh_keypair_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = hf_new(hf_task_arena(c), struct work);
	const struct params *p = params;
	*w = (struct work){ .c = c, .change = change, .a = hf_task_arena(c), .p = p };
	change->state = w;
	w->pub_path = hf_sprintf(w->a, "%s.pub", p->path);
	int r = arguments_check(w, err);
	if (r == 0)
		r = look(w, &w->before, err);
	if (r < 0)
		return r;
	if (strcmp(p->state, "present") == 0)
		r = decide(w, err);
	else if (hf_fs_exists(p->path) || hf_fs_exists(w->pub_path))
		w->step = REMOVE;
	change->changed = r == 0 && w->step != KEEP;
	if (r == 0 && strcmp(p->state, "present") == 0)
		r = attributes(w, false, err);
	if (r < 0)
		return r;
	if (hf_task_check_mode(c) || !change->changed) {
		struct pair after = expected(w);
		report(w, &w->before);
		show(w, &after);
	}
	return 0;
}

/* --- doing it --------------------------------------------------------------------------------------- */
/* A file that is there keeps its owner and mode, a link gives way to a file with those of what it led to. A
 * new one has the mode fresh before it gets the one that is asked for. */
static int file_put(struct work *w, const char *path, struct hf_str text, mode_t fresh, struct hf_error *err)
{
	struct hf_file_content content = {
		.path = path, .data = text, .attr = &w->p->attr, .as_led_to = true
	};
	struct hf_fs_attr attr = HF_FS_KEEP;
	attr.mode = fresh;
	return hf_fs_exists(path) ? hf_file_content_write(w->c, w->change, &content, err)
				  : hf_fs_replace(path, text, attr, err);
}

/* Both or none: a private key that cannot be put in its place leaves the public one as it was. */
static int pair_put(
	struct work *w, const char *path, struct hf_str secret, struct hf_str open, struct hf_error *err)
{
	struct hf_str old = { 0 };
	int r = hf_fs_exists(w->pub_path) ? hf_fs_read(w->a, w->pub_path, KEY_SIZE_MAX, &old, err) : 0;
	if (r == 0)
		r = file_put(w, w->pub_path, open, 0644 & ~hf_file_umask(), err);
	if (r < 0)
		return r;
	r = file_put(w, path, secret, 0600, err);
	if (r == 0)
		return 0;
	struct hf_error why = *err;
	int back = old.p != NULL             ? hf_fs_replace(w->pub_path, old, HF_FS_KEEP, err)
		   : unlink(w->pub_path) < 0 ? hf_fail_errno(err, HF_E_TASK, "remove %s", w->pub_path)
					     : 0;
	*err = back < 0 ? *err : why;
	return r;
}

/* A new pair, or the old one with another comment, made in dir. Only OpenSSH's own format has comments: -o
 * asks an old ssh-keygen for it. */
static int pair_make(struct work *w, const char *dir, struct hf_error *err)
{
	const char *key = hf_path_join(w->a, dir, "key"), *path = w->p->path;
	const char *comment = w->p->comment == NULL ? "" : w->p->comment;
	struct hf_words words = w->step == MAKE ? hf_words(w->a, w->keygen, "-q", "-N", "", "-b",
							  hf_sprintf(w->a, "%lld", (long long)w->size), "-t",
							  w->p->type, "-f", key, "-C", comment, NULL)
						: hf_words(w->a, w->keygen, "-q", "-o", "-P", "", "-c", "-C",
							  comment, "-f", key, NULL);
	struct hf_str secret, open;
	int r = 0;
	if (w->step != MAKE) {
		struct hf_fs_attr attr = HF_FS_KEEP;
		attr.mode = 0600;
		path = hf_file_realpath(w->a, path);
		r = hf_fs_read(w->a, path, KEY_SIZE_MAX, &secret, err);
		if (r == 0)
			r = hf_fs_replace(key, secret, attr, err);
	}
	if (r == 0)
		r = hf_host_must(w->c, w->change, &words, NULL, NULL, NULL, err);
	if (r == 0)
		r = hf_fs_read(w->a, key, KEY_SIZE_MAX, &secret, err);
	if (r == 0)
		r = hf_fs_read(w->a, hf_sprintf(w->a, "%s.pub", key), KEY_SIZE_MAX, &open, err);
	return r < 0 ? r : pair_put(w, path, secret, open, err);
}

/* ssh-keygen writes in a folder of our own beside the key, so that no half of a pair is ever seen. */
static int pair_renew(struct work *w, struct hf_error *err)
{
	const char *parent = hf_path_dir(w->a, w->p->path);
	char *dir = hf_sprintf(w->a, "%s/.holdfast-keypair.XXXXXX", *parent == '\0' ? "." : parent);
	if (mkdtemp(dir) == NULL)
		return hf_fail_errno(err, HF_E_TASK, "make a folder %s", dir);
	int r = pair_make(w, dir, err);
	struct hf_error ignored;
	int removed = hf_fs_remove_tree(dir, r < 0 ? &ignored : err);
	return r < 0 ? r : removed;
}

static int public_restore(struct work *w, struct hf_error *err)
{
	struct public_key own;
	int r = derive(w, &own, err);
	if (r < 0)
		return r;
	if (w->p->comment != NULL && *w->p->comment != '\0')
		return pair_renew(w, err);
	const char *text = hf_sprintf(w->a, "%.*s %.*s\n", HF_STR_ARG(own.kind), HF_STR_ARG(own.data));
	return file_put(w, w->pub_path, hf_str(text), 0644 & ~hf_file_umask(), err);
}

static int pair_remove(const struct work *w, struct hf_error *err)
{
	const char *const paths[] = { w->p->path, w->pub_path };
	for (size_t i = 0; i < HF_COUNT(paths); i++)
		if (hf_fs_exists(paths[i]) && unlink(paths[i]) < 0 && errno != ENOENT)
			return hf_fail_errno(err, HF_E_TASK, "remove %s", paths[i]);
	return 0;
}

static int openssh_keypair_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = change->state;
	struct pair after = { 0 };
	int r = 0;
	(void)c;
	(void)params;
	if (w->step == REMOVE) {
		r = pair_remove(w, err);
	} else {
		if (w->step != KEEP)
			r = w->step == MAKE ? pair_renew(w, err) : public_restore(w, err);
		if (r == 0)
			r = attributes(w, true, err);
		if (r == 0)
			r = look(w, &after, err);
	}
	if (r < 0)
		return r;
	report(w, &after);
	show(w, &after);
	return 0;
}

/* With a link, what it leads to as well: a comment is written there. */
static int openssh_keypair_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	const struct work *w = change->state;
	const char *const paths[] = { w->p->path, w->pub_path };
	int r = 0;
	(void)c;
	(void)params;
	for (size_t i = 0; r == 0 && i < HF_COUNT(paths); i++) {
		struct stat st;
		r = hf_undo_file(undo, paths[i], err);
		if (r == 0 && lstat(paths[i], &st) == 0 && S_ISLNK(st.st_mode))
			r = hf_undo_file(undo, hf_file_realpath(w->a, paths[i]), err);
	}
	return r;
}

static void openssh_keypair_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const char *path = ((const struct params *)params)->path;
	hf_watch_path(w, path);
	hf_watch_path(w, hf_sprintf(hf_task_arena(c), "%s.pub", path));
}

const struct hf_module hf_module_openssh_keypair = {
	.name = "openssh_keypair",
	.collection = "community.crypto",
	.schema = { args, NULL, sizeof(struct params) },
	.check = openssh_keypair_check,
	.apply = openssh_keypair_apply,
	.undo = openssh_keypair_undo,
	.watch = openssh_keypair_watch,
};
