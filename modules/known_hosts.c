/* modules/known_hosts.c - host keys that SSH clients trust. Matching is done here as ssh-keygen -F does it.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <strings.h>

#include "lib/base/scope.h"
#include "modules/host.h"
#include "modules/text_file.h"

enum { SALT_SIZE = 20, BASE64_MAX = 64 };

static const char *const states[] = { "absent", "present", NULL };
struct params {
	const char *name, *key, *path, *state;
	enum hf_tristate hash_host;
};
static const char *const name_aliases[] = { "host", NULL };
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), HF_REQUIRED, .aliases = name_aliases,
		.help = "The host, or [host]:port." },
	{ "key", HF_ARG_STR, AT(key), .help = "Its line as in known_hosts; needed where it shall be there." },
	{ "path", HF_ARG_PATH, AT(path), .dflt = "~/.ssh/known_hosts", .help = "The file." },
	{ "hash_host", HF_ARG_BOOL, AT(hash_host), .dflt = "false", .help = "Write the name hashed." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "Whether the key shall be there; absent without a key removes every line of the "
			"host." },
	{ .type = HF_ARG_END },
};

/* The fields of a line; marker is @cert-authority or @revoked. */
struct entry {
	struct hf_str marker, host, type, key;
};
struct work {
	struct hf_arena *a;
	const struct params *p;
	const char *host; /* lower case */
	const char *key;  /* the line to write, without its end */
	struct entry wanted;
	struct hf_edit file;
	struct hf_text_line_list lines;
	bool found, replace;
	ptrdiff_t line; /* the one of the same type, or -1 */
};

static struct hf_str word_cut(struct hf_str *rest)
{
	*rest = hf_str_trim(*rest);
	size_t n = 0;
	while (n < rest->n && strchr(" \t\r\n", rest->p[n]) == NULL)
		n++;
	struct hf_str word = hf_strn(rest->p, n);
	*rest = hf_strn(rest->p + n, rest->n - n);
	return word;
}

static bool entry_parse(struct hf_str line, struct entry *ret)
{
	*ret = (struct entry){ 0 };
	line = hf_str_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return false;
	if (line.p[0] == '@')
		ret->marker = word_cut(&line);
	ret->host = word_cut(&line);
	ret->type = word_cut(&line);
	ret->key = word_cut(&line);
	return ret->key.n > 0;
}

/* |1|SALT|HMAC-SHA1(SALT, host)| as text. */
static const char *host_hash(struct hf_arena *a, const unsigned char *salt, const char *host)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_size = 0;
	char salt_text[BASE64_MAX], mac_text[BASE64_MAX];
	HMAC(EVP_sha1(), salt, SALT_SIZE, (const unsigned char *)host, strlen(host), mac, &mac_size);
	EVP_EncodeBlock((unsigned char *)salt_text, salt, SALT_SIZE);
	EVP_EncodeBlock((unsigned char *)mac_text, mac, (int)mac_size);
	return hf_sprintf(a, "|1|%s|%s", salt_text, mac_text);
}

static bool hashed_matches(struct hf_arena *a, struct hf_str field, const char *host)
{
	unsigned char salt[BASE64_MAX];
	const char *text = hf_str_dup(a, hf_strn(field.p + 3, field.n - 3)), *bar = strchr(text, '|');
	size_t n = bar == NULL ? 0 : (size_t)(bar - text);
	if (n != 28 || EVP_DecodeBlock(salt, (const unsigned char *)text, (int)n) < SALT_SIZE)
		return false;
	return hf_str_is(field, host_hash(a, salt, host));
}

/* * and ? as in ssh_config's patterns, in any case. */
static bool pattern_matches(const char *p, const char *host)
{
	for (; *p != '\0'; p++, host++) {
		if (*p == '*') {
			for (; *host != '\0'; host++)
				if (pattern_matches(p + 1, host))
					return true;
			return p[strspn(p, "*")] == '\0';
		}
		if (*host == '\0' || (*p != '?' && strncasecmp(p, host, 1) != 0))
			return false;
	}
	return *host == '\0';
}

static bool host_matches(struct hf_arena *a, struct hf_str field, const char *host)
{
	struct hf_str pattern;
	bool matches = false;
	if (hf_str_starts(field, "|1|"))
		return hashed_matches(a, field, host);
	while (field.n > 0 && hf_str_split(&field, ',', &pattern)) {
		bool negated = hf_str_starts(pattern, "!");
		if (!pattern_matches(hf_str_dup(a, pattern) + (negated ? 1 : 0), host))
			continue;
		if (negated)
			return false;
		matches = true;
	}
	return matches;
}

static bool entry_equal(const struct entry *a, const struct entry *b, bool same_host)
{
	return hf_str_equal(a->marker, b->marker) && (same_host || hf_str_equal(a->host, b->host)) &&
	       hf_str_equal(a->type, b->type) && hf_str_equal(a->key, b->key);
}

/* The key must be the host's own; hashed it is written under a fresh salt. */
static int key_prepare(struct work *w, struct hf_error *err)
{
	const char *comma = strchr(w->host, ',');
	w->key = hf_str_dup(w->a, hf_str_trim(hf_str(w->p->key)));
	if (!entry_parse(hf_str(w->key), &w->wanted))
		return hf_fail(
			err, HF_E_TASK, "Host parameter does not match hashed host field in supplied key");
	if (w->p->hash_host == HF_YES) {
		unsigned char salt[SALT_SIZE];
		if (RAND_bytes(salt, SALT_SIZE) != 1)
			return hf_fail(err, HF_E_INTERNAL, "no random bytes");
		const struct entry *e = &w->wanted;
		struct hf_str tail = hf_strn(e->type.p, (size_t)(w->key + strlen(w->key) - e->type.p));
		w->key = hf_sprintf(w->a, "%.*s%s%s %.*s", HF_STR_ARG(e->marker), e->marker.n > 0 ? " " : "",
			host_hash(w->a, salt, w->host), HF_STR_ARG(tail));
		(void)entry_parse(hf_str(w->key), &w->wanted);
	}
	if (comma != NULL && comma > w->host)
		return hf_fail(err, HF_E_TASK,
			"Comma separated list of names is not supported. Please pass a single name to lookup "
			"in "
			"the known_hosts file.");
	if (!host_matches(w->a, w->wanted.host, w->host))
		return hf_fail(
			err, HF_E_TASK, "Host parameter does not match hashed host field in supplied key");
	return 0;
}

/* Looks at one line of the host; true when nothing further is to be looked at. */
static bool line_settles(struct work *w, const struct entry *e, size_t i)
{
	bool marked = hf_str_starts(e->marker, "@cert-authority") || hf_str_starts(e->marker, "@revoke");
	bool both_hashed = hf_str_starts(w->wanted.host, "|1|") && hf_str_starts(e->host, "|1|");
	w->found = true;
	if (w->key == NULL)
		return true;
	bool equal = entry_equal(&w->wanted, e, both_hashed && !marked);
	if (!equal && (marked || !hf_str_equal(w->wanted.type, e->type)))
		return false;
	w->line = (ptrdiff_t)i;
	w->replace = !equal;
	return true;
}

static void host_search(struct work *w)
{
	w->line = -1;
	for (size_t i = 0; i < w->lines.n; i++) {
		struct entry e;
		if (entry_parse(w->lines.at[i], &e) && host_matches(w->a, e.host, w->host) &&
			line_settles(w, &e, i))
			return;
	}
	w->replace = w->found && w->key != NULL;
}

/* Every line of the host, those with a marker excepted. */
static void host_remove(struct work *w)
{
	for (size_t i = w->lines.n; i > 0; i--) {
		struct entry e;
		if (entry_parse(w->lines.at[i - 1], &e) && e.marker.n == 0 &&
			host_matches(w->a, e.host, w->host))
			hf_text_remove(&w->lines, i - 1, 1);
	}
}

static void lines_change(struct work *w)
{
	bool present = strcmp(w->p->state, "present") == 0;
	if (!present && w->key == NULL) {
		host_remove(w);
	} else if (present ? (w->replace || !w->found) : w->line >= 0) {
		if (w->line >= 0)
			hf_text_remove(&w->lines, (size_t)w->line, 1);
		size_t n = w->lines.n;
		if (present && n > 0 && !hf_str_ends(w->lines.at[n - 1], "\n"))
			w->lines.at[n - 1] =
				hf_str(hf_sprintf(w->a, "%.*s\n", HF_STR_ARG(w->lines.at[n - 1])));
		if (present)
			hf_text_insert(w->a, &w->lines, n, hf_str(hf_sprintf(w->a, "%s\n", w->key)));
	}
	w->file.after = hf_text_join(w->a, &w->lines);
}

static int known_hosts_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = hf_new(hf_task_arena(c), struct work);
	const struct params *p = params;
	*w = (struct work){ .a = hf_task_arena(c), .p = p };
	change->state = w;
	char *host = hf_strdup(w->a, p->name);
	for (char *at = host; *at != '\0'; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
	w->host = host;
	bool given = p->key != NULL && *p->key != '\0';
	if (!given && strcmp(p->state, "absent") != 0)
		return hf_fail(err, HF_E_TASK, "No key specified when adding a host");
	int r = given ? key_prepare(w, err) : 0;
	if (r == 0)
		r = hf_edit_open_text(c, p->path, 0644, &w->file, err);
	if (r < 0)
		return r;
	w->file.link_gives_way = true;
	hf_text_split(w->a, w->file.before, false, &w->lines);
	host_search(w);
	lines_change(w);
	hf_edit_describe(c, change, &w->file);
	/* Part of the result whether differences are wanted or not. */
	struct hf_value *diff = hf_value_dict(w->a);
	hf_dict_put(diff, "before_header", hf_value_cstr(w->a, w->file.existed ? p->path : "/dev/null"));
	hf_dict_put(diff, "after_header", hf_value_cstr(w->a, p->path));
	hf_dict_put(diff, "before", hf_value_str(w->a, w->file.before));
	hf_dict_put(diff, "after", hf_value_str(w->a, w->file.after));
	hf_result_put(c, change, "diff", diff);
	hf_result_cstr(c, change, "name", p->name);
	hf_result_put(c, change, "key", given ? hf_value_cstr(w->a, p->key) : hf_value_null(w->a));
	hf_result_cstr(c, change, "path", p->path);
	hf_result_cstr(c, change, "state", p->state);
	hf_result_bool(c, change, "hash_host", p->hash_host == HF_YES);
	return hf_file_attr_done(c, change, 0);
}

static int known_hosts_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct work *w = change->state;
	const char *path = ((const struct params *)params)->path, *dir = hf_path_dir(hf_task_arena(c), path);
	if (*dir != '\0' && !hf_fs_is_dir(dir))
		return hf_fail(
			err, HF_E_TASK, "Failed to write to file %s: there is no folder %s", path, dir);
	int r = hf_edit_write(&w->file, err);
	if (r < 0)
		return hf_wrap(err, "Failed to write to file %s", path);
	return hf_file_attr_done(c, change, 0);
}

static int known_hosts_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct work *w = change->state;
	(void)c;
	(void)params;
	return hf_edit_undo(undo, &w->file, err);
}

static void known_hosts_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	hf_watch_path(w, ((const struct params *)params)->path);
}

const struct hf_module hf_module_known_hosts = {
	.name = "known_hosts",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.check = known_hosts_check,
	.apply = known_hosts_apply,
	.undo = known_hosts_undo,
	.watch = known_hosts_watch,
};
