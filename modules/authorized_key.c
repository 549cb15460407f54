/* modules/authorized_key.c - the keys with which an account may be reached by SSH. */
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/file_content.h"
#include "modules/host.h"
#include "modules/web.h"

enum { KEY_LINES_MAX = 100000, SSH_DIR_MODE = 0700, KEY_FILE_MODE = 0600 };

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *user, *key, *path, *state, *key_options, *comment;
	enum hf_tristate manage_dir, exclusive, validate_certs, follow;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "user", HF_ARG_STR, AT(user), HF_REQUIRED, .help = "Account whose file is meant." },
	{ "key", HF_ARG_STR, AT(key), HF_REQUIRED,
		.help = "Public keys, one a line, or an http(s) address that gives them." },
	{ "path", HF_ARG_PATH, AT(path), .help = "The file, where it is not ~/.ssh/authorized_keys." },
	{ "manage_dir", HF_ARG_BOOL, AT(manage_dir), .dflt = "true",
		.help = "Make the folder and set its owner and mode when the file is written." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether the keys shall be there." },
	{ "key_options", HF_ARG_STR, AT(key_options), .help = "Options in front of each key." },
	{ "exclusive", HF_ARG_BOOL, AT(exclusive), .dflt = "false", .help = "No other lines." },
	{ "comment", HF_ARG_STR, AT(comment), .help = "Comment behind each key, in place of its own." },
	{ "validate_certs", HF_ARG_BOOL, AT(validate_certs), .dflt = "true",
		.help = "Verify the server's certificate." },
	{ "follow", HF_ARG_BOOL, AT(follow), .dflt = "false",
		.help = "Where the file is a link, write what it leads to." },
	{ .type = HF_ARG_END },
};

static const char *const key_types[] = { "sk-ecdsa-sha2-nistp256@openssh.com",
	"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
	"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp521",
	"ecdsa-sha2-nistp521-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com",
	"sk-ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", "ssh-dss",
	"ssh-rsa", "ssh-xmss@openssh.com", "ssh-xmss-cert-v01@openssh.com", "rsa-sha2-256", "rsa-sha2-512",
	"ssh-rsa-cert-v01@openssh.com", "rsa-sha2-256-cert-v01@openssh.com",
	"rsa-sha2-512-cert-v01@openssh.com", "ssh-dss-cert-v01@openssh.com", NULL };

struct option {
	struct hf_str name, value; /* value.p NULL: none */
};
struct options {
	struct option *at;
	size_t n, room;
};
/* One line. Lines that are no keys keep their text as the key and are written as they are. */
struct key {
	struct hf_str key, type, comment; /* type.p NULL: not a key */
	struct options options;
	size_t rank;
};
struct keys {
	struct key *at;
	size_t n, room;
};
struct work {
	struct hf_arena *a;
	const struct params *p;
	const char *file; /* what is written */
	uid_t uid;
	gid_t gid;
	bool write;
	struct hf_str before, after;
	struct keys keys;
};

static size_t quoted_run(struct hf_str s, size_t i)
{
	if (s.p[i] != '"' && s.p[i] != '\'')
		return s.p[i] == ',' ? 0 : 1;
	const char *end = memchr(s.p + i + 1, s.p[i], s.n - i - 1);
	return end == NULL ? 0 : (size_t)(end - (s.p + i)) + 1;
}

/* Commas part options, those within quotes do not. */
static void options_parse(struct hf_arena *a, struct hf_str s, struct options *ret)
{
	for (size_t i = 0; i < s.n;) {
		size_t from = i, step;
		while (i < s.n && (step = quoted_run(s, i)) > 0)
			i += step;
		if (i == from) {
			i++;
			continue;
		}
		struct hf_str part = hf_strn(s.p + from, i - from);
		const char *equals = memchr(part.p, '=', part.n);
		struct option *o = hf_vec_push(a, ret);
		o->name = equals == NULL ? part : hf_strn(part.p, (size_t)(equals - part.p));
		if (equals != NULL)
			o->value = hf_strn(equals + 1, (size_t)(part.p + part.n - equals - 1));
	}
}

static size_t option_count(const struct options *o, struct hf_str name)
{
	size_t n = 0;
	for (size_t i = 0; i < o->n; i++)
		n += hf_str_equal(o->at[i].name, name);
	return n;
}

/* The nth value of an option that may be given several times. */
static const struct option *option_nth(const struct options *o, struct hf_str name, size_t nth)
{
	for (size_t i = 0; i < o->n; i++)
		if (hf_str_equal(o->at[i].name, name) && nth-- == 0)
			return &o->at[i];
	return NULL;
}

/* The order of options does not count, that of an option's several values does. */
static bool options_equal(const struct options *a, const struct options *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		size_t nth = 0;
		for (size_t k = 0; k < i; k++)
			nth += hf_str_equal(a->at[k].name, a->at[i].name);
		const struct option *o = option_nth(b, a->at[i].name, nth);
		if (o == NULL || (o->value.p == NULL) != (a->at[i].value.p == NULL) ||
			!hf_str_equal(o->value, a->at[i].value) ||
			option_count(a, o->name) != option_count(b, o->name))
			return false;
	}
	return true;
}

static bool word_next(struct hf_str *rest, struct hf_str *ret)
{
	size_t i = 0, from;
	while (i < rest->n && strchr(" \t\r\n", rest->p[i]) != NULL)
		i++;
	from = i;
	while (i < rest->n && strchr(" \t\r\n", rest->p[i]) == NULL)
		i++;
	*ret = hf_strn(rest->p + from, i - from);
	*rest = hf_strn(rest->p + i, rest->n - i);
	return ret->n > 0;
}

static bool is_key_type(struct hf_str word)
{
	for (size_t i = 0; key_types[i] != NULL; i++)
		if (hf_str_is(word, key_types[i]))
			return true;
	return false;
}

/* Words of a line, put together again with single blanks. */
static struct hf_str words_join(struct hf_arena *a, struct hf_str rest)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str word;
	while (word_next(&rest, &word))
		hf_buf_printf(&out, "%s%.*s", out.n > 0 ? " " : "", HF_STR_ARG(word));
	return hf_buf_dup(a, &out);
}

static struct hf_str unescape(struct hf_arena *a, struct hf_str line)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != '\\' || i + 1 == line.n || line.p[i + 1] != '#')
			hf_buf_put(&out, line.p[i]);
	return hf_buf_dup(a, &out);
}

/* False: not a key. A line whose first word is a lone # is left alone in any case. */
static bool key_parse(struct hf_arena *a, struct hf_str raw, struct key *ret)
{
	struct hf_str line = unescape(a, raw), rest = line, word, options = HF_STR("");
	size_t n = 0;
	*ret = (struct key){ .key = line };
	for (; word_next(&rest, &word); n++) {
		if (n == 0 && hf_str_is(word, "#"))
			return true;
		if (is_key_type(word))
			break;
		options = words_join(a, hf_strn(line.p, (size_t)(word.p + word.n - line.p)));
	}
	struct hf_str key;
	if (word.n == 0 || !word_next(&rest, &key))
		return false;
	options_parse(a, options, &ret->options);
	ret->type = word;
	ret->key = key;
	ret->comment = words_join(a, rest);
	return true;
}

static struct key *key_find(struct keys *keys, struct hf_str key)
{
	for (size_t i = 0; i < keys->n; i++)
		if (hf_str_equal(keys->at[i].key, key))
			return &keys->at[i];
	return NULL;
}

static void key_remove(struct keys *keys, const struct key *k)
{
	size_t i = (size_t)(k - keys->at);
	memmove(keys->at + i, keys->at + i + 1, (keys->n - i - 1) * sizeof(*keys->at));
	keys->n--;
}

static int keys_parse(struct work *w, struct hf_error *err)
{
	struct hf_str rest = w->before, line;
	for (size_t rank = 0; rest.n > 0 && hf_str_split(&rest, '\n', &line); rank++) {
		struct key k;
		if (rank >= KEY_LINES_MAX)
			return hf_fail(err, HF_E_LIMIT, "%s has more than %d lines", w->file, KEY_LINES_MAX);
		if (!key_parse(w->a, line, &k))
			k = (struct key){ .key = line };
		k.rank = rank;
		struct key *same = key_find(&w->keys, k.key);
		*(same != NULL ? same : hf_vec_push(w->a, &w->keys)) = k;
	}
	return 0;
}

static bool key_same(const struct key *a, const struct key *b)
{
	return hf_str_equal(a->type, b->type) && hf_str_equal(a->comment, b->comment) &&
	       options_equal(&a->options, &b->options);
}

static void key_apply(struct work *w, const struct key *k)
{
	struct key *have = key_find(&w->keys, k->key);
	bool present = strcmp(w->p->state, "present") == 0;
	if (have != NULL && (!present || !key_same(k, have))) {
		key_remove(&w->keys, have);
		w->write = true;
		have = NULL;
	}
	if (present && have == NULL) {
		*hf_vec_push(w->a, &w->keys) = *k;
		w->write = true;
	}
}

static void keys_only(struct work *w, const struct keys *wanted)
{
	for (size_t i = w->keys.n; i > 0; i--) {
		bool named = false;
		for (size_t k = 0; k < wanted->n && !named; k++)
			named = hf_str_equal(wanted->at[k].key, w->keys.at[i - 1].key);
		if (named)
			continue;
		key_remove(&w->keys, &w->keys.at[i - 1]);
		w->write = true;
	}
}

static int keys_change(struct work *w, struct hf_str text, struct hf_error *err)
{
	struct keys wanted = { 0 };
	struct options options = { 0 };
	struct hf_str line;
	size_t behind = w->keys.n;
	if (w->p->key_options != NULL)
		options_parse(w->a, hf_str(w->p->key_options), &options);
	for (size_t rank = 0; text.n > 0 && hf_str_split(&text, '\n', &line); rank++) {
		struct key k;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (!key_parse(w->a, line, &k))
			return hf_fail(err, HF_E_TASK, "invalid key specified: %.*s", HF_STR_ARG(line));
		if (w->p->key_options != NULL)
			k.options = options;
		if (w->p->comment != NULL)
			k.comment = hf_str(w->p->comment);
		k.rank = behind + rank;
		*hf_vec_push(w->a, &wanted) = k;
		key_apply(w, &k);
	}
	if (w->p->exclusive == HF_YES && strcmp(w->p->state, "present") == 0)
		keys_only(w, &wanted);
	return 0;
}

static void key_print(struct hf_buf *out, const struct key *k)
{
	if (k->type.p == NULL) {
		hf_buf_printf(out, "%.*s\n", HF_STR_ARG(k->key));
		return;
	}
	for (size_t i = 0; i < k->options.n; i++) {
		const struct option *o = &k->options.at[i];
		hf_buf_printf(out, "%s%.*s", i > 0 ? "," : "", HF_STR_ARG(o->name));
		if (o->value.p != NULL)
			hf_buf_printf(out, "=%.*s", HF_STR_ARG(o->value));
	}
	hf_buf_printf(out, "%s%.*s %.*s %.*s\n", k->options.n > 0 ? " " : "", HF_STR_ARG(k->type),
		HF_STR_ARG(k->key), HF_STR_ARG(k->comment));
}

/* By rank; those of equal rank in the order in which they came. */
static void keys_print(struct work *w)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	size_t last = 0;
	for (size_t i = 0; i < w->keys.n; i++)
		last = w->keys.at[i].rank > last ? w->keys.at[i].rank : last;
	for (size_t rank = 0; rank <= last; rank++)
		for (size_t i = 0; i < w->keys.n; i++)
			if (w->keys.at[i].rank == rank)
				key_print(&out, &w->keys.at[i]);
	w->after = hf_buf_dup(w->a, &out);
}

static int keys_fetch(struct work *w, struct hf_str *ret, struct hf_error *err)
{
	struct hf_web_request request = { .url = w->p->key,
		.method = "GET",
		.timeout_s = 10,
		.follow = HF_WEB_FOLLOW_ALL,
		.insecure = w->p->validate_certs == HF_NO };
	struct hf_web_response response;
	*ret = hf_str(w->p->key);
	if (strncmp(w->p->key, "http", 4) != 0)
		return 0;
	int r = hf_web_perform(w->a, &request, &response, err);
	if (r == 0 && response.status == 200) {
		*ret = response.body;
		return 0;
	}
	return r < 0 ? hf_wrap(err, "Error getting key from: %s", w->p->key)
		     : hf_fail(err, HF_E_TASK, "Error getting key from: %s", w->p->key);
}

/* Which file, whose. In check mode a given path needs no account. */
static int file_find(
	struct hf_module_context *c, struct work *w, const char **ret_named, struct hf_error *err)
{
	const struct params *p = w->p;
	bool check_mode = hf_task_check_mode(c);
	const struct passwd *pw = getpwnam(p->user);
	if (pw == NULL && check_mode && p->path == NULL)
		return hf_fail(err, HF_E_TASK,
			"Either user must exist or you must provide full path to key file in check mode");
	if (pw == NULL && !check_mode)
		return hf_fail(err, HF_E_TASK,
			"Failed to lookup user %s: \"getpwnam(): name not found: '%s'\"", p->user, p->user);
	w->uid = pw == NULL ? HF_KEEP_UID : pw->pw_uid;
	w->gid = pw == NULL ? HF_KEEP_GID : pw->pw_gid;
	w->file = p->path != NULL ? p->path : hf_sprintf(w->a, "%s/.ssh/authorized_keys", pw->pw_dir);
	*ret_named = w->file;
	if (p->follow == HF_YES)
		w->file = hf_file_realpath(w->a, w->file);
	return 0;
}

static void report(
	struct hf_module_context *c, struct hf_change *change, const struct params *p, const char *keyfile)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct {
		const char *name, *text;
	} texts[] = { { "user", p->user }, { "key", p->key }, { "path", p->path }, { "state", p->state },
		{ "key_options", p->key_options }, { "comment", p->comment }, { "keyfile", keyfile } };
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		hf_result_put(c, change, texts[i].name,
			texts[i].text == NULL ? hf_value_null(a) : hf_value_cstr(a, texts[i].text));
	hf_result_bool(c, change, "manage_dir", p->manage_dir == HF_YES);
	hf_result_bool(c, change, "exclusive", p->exclusive == HF_YES);
	hf_result_bool(c, change, "validate_certs", p->validate_certs == HF_YES);
	hf_result_bool(c, change, "follow", p->follow == HF_YES);
}

static int authorized_key_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = hf_new(hf_task_arena(c), struct work);
	struct hf_str text;
	const char *named = NULL;
	*w = (struct work){ .a = hf_task_arena(c), .p = params, .before = HF_STR("") };
	change->state = w;
	int r = keys_fetch(w, &text, err);
	if (r == 0)
		r = file_find(c, w, &named, err);
	if (r == 0 && hf_fs_exists(w->file) && !hf_fs_is_dir(w->file))
		r = hf_fs_read(w->a, w->file, HF_EDIT_MAX, &w->before, err);
	w->before = hf_text_newlines(w->a, w->before);
	if (r == 0)
		r = keys_parse(w, err);
	if (r == 0)
		r = keys_change(w, text, err);
	if (r < 0)
		return r;
	keys_print(w);
	change->changed = w->write;
	report(c, change, w->p, named);
	if (w->write)
		hf_change_diff(c, change, named, w->before, w->file, w->after);
	return hf_file_attr_done(c, change, 0);
}

static int folder_own(const char *dir, const struct work *w, struct hf_error *err)
{
	if (!hf_fs_exists(dir) && mkdir(dir, SSH_DIR_MODE) < 0)
		return hf_fail_errno(err, HF_E_TASK, "Failed to create directory %s ", dir);
	if (chown(dir, w->uid, w->gid) < 0 || chmod(dir, SSH_DIR_MODE) < 0)
		return hf_fail_errno(err, HF_E_IO, "%s", dir);
	return 0;
}

static int authorized_key_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct work *w = change->state;
	(void)params;
	/* the named file's folder, even where that file is a link to somewhere else */
	const char *named = hf_dict_cstr(change->result, "keyfile", w->file);
	int r = w->p->manage_dir == HF_YES ? folder_own(hf_path_dir(w->a, named), w, err) : 0;
	if (r == 0)
		r = hf_fs_mkdirs(hf_path_dir(w->a, w->file), 0777, err);
	struct hf_fs_attr attr = { KEY_FILE_MODE, w->uid, w->gid, true };
	return hf_file_attr_done(c, change, r < 0 ? r : hf_fs_replace(w->file, w->after, attr, err));
}

static int authorized_key_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	const struct work *w = change->state;
	const char *dir = hf_path_dir(hf_task_arena(c), hf_dict_cstr(change->result, "keyfile", w->file));
	(void)params;
	int r = hf_fs_exists(dir) && w->p->manage_dir == HF_YES ? hf_undo_file(undo, dir, err)
								: hf_file_undo_new(undo, w->a, dir, err);
	if (r < 0)
		return r;
	return hf_fs_exists(w->file) ? hf_undo_file(undo, w->file, err)
				     : hf_file_undo_new(undo, w->a, w->file, err);
}

static void authorized_key_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	const struct passwd *pw = p->path == NULL ? getpwnam(p->user) : NULL;
	if (p->path != NULL)
		hf_watch_path(w, p->path);
	else if (pw != NULL)
		hf_watch_path(w, hf_sprintf(hf_task_arena(c), "%s/.ssh/authorized_keys", pw->pw_dir));
	hf_watch_users(w);
}

const struct hf_module hf_module_authorized_key = {
	.name = "authorized_key",
	.collection = "ansible.posix",
	.schema = { args, NULL, sizeof(struct params) },
	.check = authorized_key_check,
	.apply = authorized_key_apply,
	.undo = authorized_key_undo,
	.watch = authorized_key_watch,
};
