/* lib/engine/lookup_file.c - what lies in files or comes from programs: file, lines, pipe, fileglob,
 * first_found, template … */
#include <ctype.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/fs.h"
#include "lib/base/proc.h"
#include "lib/base/scope.h"
#include "lib/engine/filters.h"
#include "lib/engine/lookup.h"
#include "lib/engine/twister.h"

static void append_text(const struct lookup_call *c, struct hf_value *into, struct hf_str text)
{
	hf_list_append(into, hf_value_str(c->arena, text));
}

static struct hf_str left_trim(struct hf_str s)
{
	while (s.n > 0 && isspace((unsigned char)*s.p)) {
		s.p++;
		s.n--;
	}
	return s;
}

static struct hf_str right_trim(struct hf_str s)
{
	while (s.n > 0 && isspace((unsigned char)s.p[s.n - 1]))
		s.n--;
	return s;
}

static int found_read(const struct lookup_call *c, const struct hf_value *term, const char *kind,
	struct hf_str *ret, struct hf_error *err)
{
	struct hf_str name;
	char *path = NULL;
	int r = lookup_text(c, term, &name, err);
	if (r == 0)
		r = lookup_find(c, kind, name.p, &path, err);
	return r < 0 ? r : lookup_read(c, path, ret, err);
}

static int lookup_file(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		struct hf_str text;
		int r = found_read(c, hf_list_at(c->terms, i), "files", &text, err);
		if (r < 0)
			return r;
		text = lookup_bool(c, "lstrip", false) ? left_trim(text) : text;
		append_text(c, into, lookup_bool(c, "rstrip", true) ? right_trim(text) : text);
	}
	return 0;
}

static int lookup_unvault(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		struct hf_str text;
		int r = found_read(c, hf_list_at(c->terms, i), "files", &text, err);
		if (r < 0)
			return r;
		append_text(c, into, text);
	}
	return 0;
}

/* --- programs --- */

static int shell_run(
	const struct lookup_call *c, const struct hf_value *term, struct hf_str *ret, struct hf_error *err)
{
	struct hf_str command;
	struct hf_proc_result result;
	int r = lookup_text(c, term, &command, err);
	if (r < 0)
		return r;
	const char *const argv[] = { "/bin/sh", "-c", command.p, NULL };
	r = hf_proc_run(c->arena,
		&(struct hf_proc_spec){
			.argv = argv, .timeout_ms = LOOKUP_TIMEOUT_MS, .umask = HF_PROC_KEEP_UMASK },
		&result, err);
	if (r < 0)
		return r;
	if (result.status != 0)
		return hf_fail(err, HF_E_TEMPLATE, "lookup_plugin.%s(%s) returned %d", c->name, command.p,
			result.status);
	*ret = result.out;
	return 0;
}

static int lookup_pipe(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		struct hf_str out;
		int r = shell_run(c, hf_list_at(c->terms, i), &out, err);
		if (r < 0)
			return r;
		append_text(c, into, right_trim(out));
	}
	return 0;
}

static int lookup_lines(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		struct hf_str out, line;
		int r = shell_run(c, hf_list_at(c->terms, i), &out, err);
		if (r < 0)
			return r;
		if (out.n > 0 && out.p[out.n - 1] == '\n')
			out.n--;
		else if (out.n == 0)
			continue;
		if (out.n == 0)
			append_text(c, into, HF_STR(""));
		while (hf_str_split(&out, '\n', &line))
			append_text(c, into,
				line.n > 0 && line.p[line.n - 1] == '\r' ? hf_strn(line.p, line.n - 1)
									 : line);
	}
	return 0;
}

/* --- names of files --- */

/* Files that match in dir; false: there are none. */
static bool glob_in(const struct lookup_call *c, const char *dir, const char *base, struct hf_value *into)
{
	glob_t found;
	bool any = false;
	if (glob(hf_sprintf(c->arena, "%s/%s", dir, base), 0, NULL, &found) != 0)
		return false;
	for (size_t k = 0; k < found.gl_pathc; k++)
		if (hf_fs_exists(found.gl_pathv[k]) && !hf_fs_is_dir(found.gl_pathv[k])) {
			append_text(c, into, hf_str(hf_path_normalize(c->arena, found.gl_pathv[k])));
			any = true;
		}
	globfree(&found);
	return any;
}

/* A plain pattern: the first folder of the search path where something matches, with its files/ before it. */
static int glob_search(
	const struct lookup_call *c, const char *pattern, struct hf_value *into, struct hf_error *err)
{
	struct hf_value *path = NULL;
	char *here = NULL;
	int r = lookup_variable(c, HF_STR("ansible_search_path"), &path, err);
	if (r < 0)
		return r;
	if (path == NULL && lookup_find(c, "files", ".", &here, NULL) == 0)
		glob_in(c, here, pattern, into);
	for (size_t i = 0; path != NULL && i < hf_list_len(path); i++) {
		const char *dir = hf_value_text(c->arena, hf_list_at(path, i)).p;
		if (glob_in(c, hf_sprintf(c->arena, "%s/files", dir), pattern, into) ||
			glob_in(c, dir, pattern, into))
			break;
	}
	return 0;
}

static int lookup_fileglob(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(c->terms); i++) {
		struct hf_str pattern;
		char *dir = NULL;
		r = lookup_text(c, hf_list_at(c->terms, i), &pattern, err);
		if (r == 0 && strchr(pattern.p, '/') == NULL)
			r = glob_search(c, pattern.p, into, err);
		/* No such directory: nothing matches. */
		else if (r == 0 && lookup_find(c, "files", hf_path_dir(c->arena, pattern.p), &dir, NULL) == 0)
			glob_in(c, dir, hf_path_base(pattern.p), into);
	}
	return r;
}

/* Pieces of text, or of every text of a list, between any of separators. */
static void split_on(
	struct hf_arena *a, const struct hf_value *v, const char *separators, struct hf_value *into)
{
	if (v == NULL || v->type == HF_NULL)
		return;
	if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v); i++)
			split_on(a, hf_list_at(v, i), separators, into);
		return;
	}
	struct hf_str text = hf_value_text(a, v);
	for (size_t from = 0;;) {
		size_t n = strcspn(text.p + from, separators);
		hf_list_append(into, hf_value_str(a, hf_strn(text.p + from, n)));
		if (from + n >= text.n)
			return;
		from += n + 1;
	}
}

struct found_search {
	struct hf_value *names;
	bool skip;
};

static int first_found_terms(const struct lookup_call *c, const struct hf_value *terms, int depth,
	struct found_search *s, struct hf_error *err)
{
	if (depth > 20)
		return hf_fail(err, HF_E_LIMIT, "first_found: nested deeper than 20");
	for (size_t i = 0; i < hf_list_len(terms); i++) {
		struct hf_value *term = hf_list_at(terms, i), *files = hf_value_list(c->arena),
				*paths = hf_value_list(c->arena);
		const struct hf_value *paths_given = lookup_option(c, "paths"),
				      *skip = lookup_option(c, "skip");
		if (hf_is_sequence(term)) {
			int r = first_found_terms(c, term, depth + 1, s, err);
			if (r < 0)
				return r;
			continue;
		}
		if (term->type == HF_DICT) {
			split_on(c->arena, hf_dict_get(term, "files"), ",;", files);
			paths_given = hf_dict_get(term, "paths");
			skip = hf_dict_get(term, "skip");
		} else if (term->type == HF_STRING) {
			split_on(c->arena, term, ",;", files);
		} else {
			return hf_fail(err, HF_E_TEMPLATE,
				"Invalid term supplied, can handle string, mapping or list of strings but "
				"got: %s",
				hf_type_name(term));
		}
		s->skip = skip != NULL && filter_truth(skip);
		split_on(c->arena, paths_given, ",:;", paths);
		for (size_t p = 0; p < hf_list_len(paths); p++)
			for (size_t f = 0; f < hf_list_len(files); f++)
				append_text(c, s->names,
					hf_str(hf_path_join(c->arena, hf_list_at(paths, p)->u.string.p,
						hf_list_at(files, f)->u.string.p)));
		for (size_t f = 0; hf_list_len(paths) == 0 && f < hf_list_len(files); f++)
			hf_list_append(s->names, hf_list_at(files, f));
	}
	return 0;
}

static int lookup_first_found(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	struct hf_value *terms = c->terms, *files = lookup_option(c, "files");
	if (hf_list_len(terms) == 0 && files != NULL) {
		terms = hf_value_list(c->arena);
		hf_list_append(terms, files);
	}
	struct found_search s = { .names = hf_value_list(c->arena), .skip = lookup_bool(c, "skip", false) };
	int r = first_found_terms(c, terms, 0, &s, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < hf_list_len(s.names); i++) {
		struct hf_value *name = NULL;
		struct hf_error why;
		char *path = NULL;
		r = templar_any(
			c->templar, c->arena, hf_list_at(s.names, i), c->locals, c->chain, &name, &why);
		if (r == -HF_E_UNDEFINED)
			continue; /* a name made of something undefined is one that is not there */
		if (r < 0) {
			if (err != NULL)
				*err = why;
			return r;
		}
		if (lookup_find(c, lookup_cstr(c, "_subdir", "files"), hf_value_text(c->arena, name).p, &path,
			    NULL) == 0) {
			append_text(c, into, hf_str(path));
			return 0;
		}
	}
	return s.skip ? 0 : hf_fail(err, HF_E_NOT_FOUND, "No file was found when using first_found.");
}

/* --- filetree --- */

struct tree {
	const struct lookup_call *call;
	struct hf_value *into;
	const char *root;
};

/* Trees lie over each other: the first that has a name gives it. */
static bool tree_has(const struct tree *t, const char *relative)
{
	for (size_t i = 0; i < hf_list_len(t->into); i++) {
		if (strcmp(hf_dict_cstr(hf_list_at(t->into, i), "path", ""), relative) == 0)
			return true;
	}
	return false;
}

static void tree_owner(struct hf_arena *a, struct hf_value *item, const struct stat *st)
{
	const struct passwd *user = getpwuid(st->st_uid);
	hf_dict_put(item, "owner",
		user == NULL ? hf_value_int(a, st->st_uid) : hf_value_cstr(a, hf_strdup(a, user->pw_name)));
	const struct group *group = getgrgid(st->st_gid);
	hf_dict_put(item, "group",
		group == NULL ? hf_value_int(a, st->st_gid) : hf_value_cstr(a, hf_strdup(a, group->gr_name)));
}

static int tree_entry(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	struct tree *t = data;
	struct hf_arena *a = t->call->arena;
	if (t->call->terms->u.list->n > 1 && tree_has(t, relative))
		return 0;
	struct hf_value *item = hf_value_dict(a);
	hf_dict_put(item, "root", hf_value_cstr(a, t->root));
	hf_dict_put(item, "path", hf_value_cstr(a, relative));
	if (S_ISLNK(st->st_mode)) {
		char target[4096];
		ssize_t n = readlink(path, target, sizeof(target));
		hf_dict_put(item, "state", hf_value_cstr(a, "link"));
		hf_dict_put(item, "src", hf_value_str(a, hf_strn(target, n < 0 ? 0 : (size_t)n)));
	} else if (S_ISDIR(st->st_mode)) {
		hf_dict_put(item, "state", hf_value_cstr(a, "directory"));
	} else if (S_ISREG(st->st_mode)) {
		hf_dict_put(item, "state", hf_value_cstr(a, "file"));
		hf_dict_put(item, "src", hf_value_cstr(a, path));
	} else {
		return 0;
	}
	hf_dict_put(item, "mode", hf_value_cstr(a, hf_sprintf(a, "%04o", st->st_mode & 07777)));
	tree_owner(a, item, st);
	hf_dict_put(item, "uid", hf_value_int(a, st->st_uid));
	hf_dict_put(item, "gid", hf_value_int(a, st->st_gid));
	hf_dict_put(item, "size", hf_value_int(a, st->st_size));
	hf_dict_put(item, "mtime",
		hf_value_float(a, (double)st->st_mtim.tv_sec + (double)st->st_mtim.tv_nsec / 1e9));
	hf_dict_put(item, "ctime",
		hf_value_float(a, (double)st->st_ctim.tv_sec + (double)st->st_ctim.tv_nsec / 1e9));
	hf_list_append(t->into, item);
	return 0;
}

static int lookup_filetree(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		struct hf_str name;
		char *path = NULL;
		int r = lookup_text(c, hf_list_at(c->terms, i), &name, err);
		if (r == 0 && (r = lookup_find(c, "files", name.p, &path, err)) == -HF_E_NOT_FOUND) {
			r = 0;
			continue; /* a tree that is not there has no entries */
		}
		struct tree t = { c, into, path };
		if (r == 0)
			r = hf_fs_walk(path, tree_entry, &t, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- template --- */

static const char *const *template_search(const struct lookup_call *c, char *path)
{
	const char **search = hf_new_array(c->arena, 3, const char *);
	search[0] = hf_path_dir(c->arena, path);
	search[1] = hf_path_dir(c->arena, search[0]);
	return search;
}

static int lookup_template(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	struct hf_value *locals = c->locals, *vars = lookup_option(c, "template_vars");
	if (vars != NULL && vars->type == HF_DICT) {
		locals = locals == NULL ? hf_value_dict(c->arena) : hf_value_shallow(c->arena, locals);
		HF_DICT_EACH (vars, e)
			hf_dict_set(locals, hf_entry_key(e), hf_entry_value(e));
	}
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		struct hf_str name, source, out;
		char *path = NULL;
		int r = lookup_text(c, hf_list_at(c->terms, i), &name, err);
		if (r == 0)
			r = lookup_find(c, "templates", name.p, &path, err);
		if (r == 0)
			r = lookup_read(c, path, &source, err);
		if (r < 0)
			return r;
		struct hf_templar_file how = { .path = path,
			.search = c->search != NULL ? c->search : template_search(c, path),
			.trim_blocks = lookup_bool(c, "trim_blocks", true),
			.lstrip_blocks = lookup_bool(c, "lstrip_blocks", false),
			.variable_start = lookup_cstr(c, "variable_start_string", NULL),
			.variable_end = lookup_cstr(c, "variable_end_string", NULL),
			.comment_start = lookup_cstr(c, "comment_start_string", NULL),
			.comment_end = lookup_cstr(c, "comment_end_string", NULL) };
		r = hf_templar_file(c->templar, c->arena, source, &how, locals, &out, NULL, err);
		if (r < 0)
			return r;
		hf_list_append(into, lookup_bool(c, "convert_data", true) ? templar_convert(c->arena, out)
									  : hf_value_str(c->arena, out));
	}
	return 0;
}

/* --- password --- */

struct password {
	const char *path;
	int64_t length;
	struct hf_buf alphabet;
	const struct hf_value *seed;
};

static void alphabet_add(struct hf_buf *out, struct hf_str name)
{
	static const struct {
		const char *name, *text;
	} sets[] = {
		{ "ascii_letters", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" },
		{ "ascii_lowercase", "abcdefghijklmnopqrstuvwxyz" },
		{ "ascii_uppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
		{ "digits", "0123456789" },
		{ "hexdigits", "0123456789abcdefABCDEF" },
		{ "octdigits", "01234567" },
		{ "punctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" },
	};
	for (size_t i = 0; i < HF_COUNT(sets); i++)
		if (hf_str_is(name, sets[i].name)) {
			hf_buf_puts(out, sets[i].text);
			return;
		}
	hf_buf_add(out, name);
}

static int password_option(const struct lookup_call *c, struct hf_str key, const struct hf_value *v,
	struct password *p, struct hf_error *err)
{
	struct hf_str text = hf_value_text(c->arena, v);
	if (hf_str_is(key, "length"))
		return hf_str_to_int64(text, &p->length) && p->length > 0 && p->length <= 4096
			       ? 0
			       : hf_fail(err, HF_E_TEMPLATE, "password: length must be between 1 and 4096");
	if (hf_str_is(key, "seed")) {
		p->seed = v;
		return 0;
	}
	if (!hf_str_is(key, "chars"))
		return hf_fail(
			err, HF_E_UNSUPPORTED, "password lookup: %.*s is not supported", HF_STR_ARG(key));
	if (hf_is_sequence(v)) {
		for (size_t i = 0; i < hf_list_len(v); i++)
			alphabet_add(&p->alphabet, hf_value_text(c->arena, hf_list_at(v, i)));
		return 0;
	}
	struct hf_str part;
	if (hf_str_find(text, HF_STR(",,"), 0) != SIZE_MAX)
		hf_buf_put(&p->alphabet, ',');
	while (hf_str_split(&text, ',', &part))
		alphabet_add(&p->alphabet, part);
	return 0;
}

static int password_make(
	const struct lookup_call *c, const struct password *p, struct hf_str *ret, struct hf_error *err)
{
	struct hf_twister t;
	struct hf_str alphabet = hf_buf_str(&p->alphabet);
	if (alphabet.n == 0)
		alphabet = HF_STR("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-_");
	int r = filter_random_seed(p->seed, &t, err);
	if (r < 0)
		return r;
	char *text = hf_alloc(c->arena, (size_t)p->length + 1);
	for (int64_t i = 0; i < p->length; i++)
		text[i] = alphabet.p[hf_twister_below(&t, alphabet.n)];
	text[p->length] = '\0';
	*ret = hf_strn(text, (size_t)p->length);
	return 0;
}

/* The one of an earlier run. */
static int password_read(
	const struct lookup_call *c, const char *path, struct hf_str *ret, struct hf_error *err)
{
	int r = hf_fs_read(c->arena, path, 1 << 16, ret, err);
	if (r < 0)
		return r;
	*ret = right_trim(*ret);
	size_t salt = hf_str_find(*ret, HF_STR(" salt="), 0);
	if (salt != SIZE_MAX)
		ret->n = salt;
	return 0;
}

static int password_keep(
	const struct lookup_call *c, const char *path, struct hf_str text, struct hf_error *err)
{
	int r = hf_fs_mkdirs(hf_path_dir(c->arena, path), 0700, err);
	struct hf_fs_attr attr = HF_FS_KEEP;
	attr.mode = 0600;
	return r < 0 ? r : hf_fs_replace(path, hf_str(hf_sprintf(c->arena, "%s\n", text.p)), attr, err);
}

static int password_one(const struct lookup_call *c, struct hf_str term, struct password *p,
	struct hf_str *ret, struct hf_error *err)
{
	struct hf_value *words = NULL;
	int r = lookup_words(c, term, &words, err);
	if (r == 0 && hf_list_len(words) == 0)
		r = hf_fail(err, HF_E_TEMPLATE, "password: no path");
	for (size_t i = 1; r == 0 && i < hf_list_len(words); i++) {
		struct hf_str word = hf_list_at(words, i)->u.string;
		const char *eq = memchr(word.p, '=', word.n);
		if (eq == NULL)
			return hf_fail(
				err, HF_E_TEMPLATE, "password: '%.*s' is not key=value", HF_STR_ARG(word));
		r = password_option(
			c, hf_strn(word.p, (size_t)(eq - word.p)), hf_value_cstr(c->arena, eq + 1), p, err);
	}
	if (c->options != NULL)
		HF_DICT_EACH (c->options, e)
			if (r == 0)
				r = password_option(c, hf_value_text(c->arena, hf_entry_key(e)),
					hf_entry_value(e), p, err);
	if (r < 0)
		return r;
	p->path = hf_list_at(words, 0)->u.string.p;
	bool keep = strcmp(p->path, "/dev/null") != 0;
	if (keep && hf_fs_exists(p->path))
		return password_read(c, p->path, ret, err);
	r = password_make(c, p, ret, err);
	return r < 0 || !keep ? r : password_keep(c, p->path, *ret, err);
}

static int lookup_password(const struct lookup_call *c, struct hf_value *into, struct hf_error *err)
{
	for (size_t i = 0; i < hf_list_len(c->terms); i++) {
		struct hf_str term, text;
		struct password p = { .length = 20, .alphabet = hf_buf_init(1 << 16) };
		int r = lookup_text(c, hf_list_at(c->terms, i), &term, err);
		if (r == 0)
			r = password_one(c, term, &p, &text, err);
		hf_buf_done(&p.alphabet);
		if (r < 0)
			return r;
		struct hf_value *v = hf_value_str(c->arena, text);
		v->flags |= HF_VALUE_SECRET;
		hf_list_append(into, v);
	}
	return 0;
}

const struct lookup_row hf_lookups_file[] = {
	{ "file", lookup_file, true },
	{ "unvault", lookup_unvault, true },
	{ "pipe", lookup_pipe, true },
	{ "lines", lookup_lines, true },
	{ "fileglob", lookup_fileglob, true },
	{ "first_found", lookup_first_found, true },
	{ "filetree", lookup_filetree, true },
	{ "template", lookup_template, true },
	{ "password", lookup_password, true },
	{ 0 },
};
