#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/digest.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/data/unicode.h"
#include "lib/engine/regex.h"
#include "modules/accounts.h"
#include "modules/file_content.h"
#include "modules/file_mode.h"
#include "modules/cmdline.h"

/* find: files by name, kind, age, size, mode and content. */
enum { FIND_ANY, FIND_DIRECTORY, FIND_FILE, FIND_LINK };
enum { STAMP_ATIME, STAMP_CTIME, STAMP_MTIME };
enum { FOUND_MAX = 1000000 };

struct params {
	struct hf_value *paths, *patterns, *excludes;
	const char *contains, *age, *size, *mode, *encoding;
	enum hf_tristate read_whole_file, recurse, hidden, follow, get_checksum, use_regex, exact_mode;
	int file_type, age_stamp;
	int64_t depth, limit;
};

static const char *const types[] = { "any", "directory", "file", "link", NULL };
static const char *const stamps[] = { "atime", "ctime", "mtime", NULL };
static const char *const paths_aliases[] = { "name", "path", NULL };
static const char *const patterns_aliases[] = { "pattern", NULL };
static const char *const excludes_aliases[] = { "exclude", NULL };

static const struct hf_arg args[] = {
	{ "paths", HF_ARG_LIST, offsetof(struct params, paths), HF_REQUIRED, .elements = HF_ARG_STR,
		.aliases = paths_aliases, .help = "Directories to look in." },
	{ "patterns", HF_ARG_LIST, offsetof(struct params, patterns), .elements = HF_ARG_STR,
		.aliases = patterns_aliases,
		.help = "Shell patterns (or regular expressions) for base names." },
	{ "excludes", HF_ARG_LIST, offsetof(struct params, excludes), .elements = HF_ARG_STR,
		.aliases = excludes_aliases, .help = "Of what patterns matches, leave these out." },
	{ "contains", HF_ARG_STR, offsetof(struct params, contains),
		.help = "Regular expression that must match at the start of a line." },
	{ "read_whole_file", HF_ARG_BOOL, offsetof(struct params, read_whole_file), .dflt = "false",
		.help = "Search contains anywhere in the file instead." },
	{ "file_type", HF_ARG_ENUM, offsetof(struct params, file_type), .dflt = "file", .choices = types,
		.help = "Kind of entry." },
	{ "age", HF_ARG_STR, offsetof(struct params, age),
		.help = "Older than 3d; younger than -3d (s m h d w)." },
	{ "age_stamp", HF_ARG_ENUM, offsetof(struct params, age_stamp), .dflt = "mtime", .choices = stamps,
		.help = "Time that age looks at." },
	{ "size", HF_ARG_STR, offsetof(struct params, size),
		.help = "At least 1m; at most -1m (b k m g t)." },
	{ "recurse", HF_ARG_BOOL, offsetof(struct params, recurse), .dflt = "false",
		.help = "Look below as well." },
	{ "hidden", HF_ARG_BOOL, offsetof(struct params, hidden), .dflt = "false",
		.help = "Include names that start with a dot." },
	{ "follow", HF_ARG_BOOL, offsetof(struct params, follow), .dflt = "false",
		.help = "Enter directories through links." },
	{ "get_checksum", HF_ARG_BOOL, offsetof(struct params, get_checksum), .dflt = "false",
		.help = "SHA-1 of each file." },
	{ "use_regex", HF_ARG_BOOL, offsetof(struct params, use_regex), .dflt = "false",
		.help = "patterns and excludes are regular expressions." },
	{ "depth", HF_ARG_INT, offsetof(struct params, depth), .help = "Levels to look at; 0: all." },
	{ "limit", HF_ARG_INT, offsetof(struct params, limit),
		.help = "Stop after this many matches, those of a directory before those below it." },
	{ "mode", HF_ARG_MODE, offsetof(struct params, mode), .help = "Permissions to have." },
	{ "exact_mode", HF_ARG_BOOL, offsetof(struct params, exact_mode), .dflt = "true",
		.help = "All of mode; no: any bit of it." },
	{ "encoding", HF_ARG_STR, offsetof(struct params, encoding), .dflt = "utf-8",
		.help = "Encoding of files for contains, as Python or iconv call it." },
	{ .type = HF_ARG_END },
};

enum { STOPPED = 1 };

struct search {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_error *err;
	struct hf_value *files, *skipped;
	struct hf_regex *regex; /* of contains */
	const char *broken;     /* why the path under way is left, as Ansible leaves it */
	bool has_age, has_size, warned;
	int64_t age, size, examined;
	mode_t mode;
	double now;
};

/* "-3d" with the units given; false when it is no such thing. */
static bool number_unit(const char *text, const char *units, const int64_t *factors, int64_t *ret)
{
	char *end;
	const char *digits = *text == '-' ? text + 1 : text;
	if (!isdigit((unsigned char)*digits))
		return false;
	errno = 0;
	long long number = strtoll(text, &end, 10);
	const char *unit = *end != '\0' ? strchr(units, tolower((unsigned char)*end)) : units;
	if (errno != 0 || unit == NULL || (*end != '\0' && end[1] != '\0'))
		return false;
	return !__builtin_mul_overflow((int64_t)number, factors[*end != '\0' ? unit - units : 0], ret);
}

/* Compiled, or the path under way is left with what is wrong with the expression. */
static int pattern_get(struct search *s, struct hf_str pattern, struct hf_regex **ret)
{
	struct hf_error wrong;
	int result = hf_regex_get(pattern, 0, ret, &wrong);
	if (result < 0)
		s->broken = hf_strdup(s->a, wrong.text);
	return result < 0 ? STOPPED : 0;
}

static int name_matches(struct search *s, const struct hf_value *list, const char *name, bool *ret)
{
	*ret = false;
	for (size_t i = 0; list != NULL && i < hf_list_len(list) && !*ret; i++) {
		struct hf_str pattern = hf_value_text(s->a, hf_list_at(list, i));
		if (s->p->use_regex != HF_YES) {
			*ret = fnmatch(pattern.p, name, FNM_NOESCAPE) == 0;
			continue;
		}
		struct hf_regex *made;
		struct hf_regex_match m;
		int result = pattern_get(s, pattern, &made);
		if (result != 0)
			return result;
		hf_auto_regex re = made;
		result = hf_regex_exec(s->a, re, hf_str(name), 0, HF_REGEX_MATCH, &m, s->err);
		if (result < 0)
			return result;
		*ret = m.found;
	}
	return 0;
}

static int wanted_name(struct search *s, const char *name, bool *ret)
{
	bool excluded = false;
	*ret = true;
	int result = 0;
	if (s->p->patterns != NULL && hf_list_len(s->p->patterns) > 0)
		result = name_matches(s, s->p->patterns, name, ret);
	if (result == 0 && *ret)
		result = name_matches(s, s->p->excludes, name, &excluded);
	*ret = *ret && !excluded;
	return result;
}

static bool wanted_age(const struct search *s, const struct stat *st)
{
	const struct timespec *t = s->p->age_stamp == STAMP_ATIME   ? &st->st_atim
				   : s->p->age_stamp == STAMP_CTIME ? &st->st_ctim
								    : &st->st_mtim;
	double old = s->now - ((double)t->tv_sec + 1e-9 * (double)t->tv_nsec);
	return !s->has_age || (s->age >= 0 ? old >= (double)s->age : old <= (double)-s->age);
}

static bool wanted_size(const struct search *s, const struct stat *st)
{
	return !s->has_size || (s->size >= 0 ? st->st_size >= s->size : st->st_size <= -s->size);
}

static bool wanted_mode(const struct search *s, const struct stat *st)
{
	if (s->p->mode == NULL || *s->p->mode == '\0')
		return true;
	mode_t mode = st->st_mode & 07777;
	return s->p->exact_mode == HF_YES ? mode == s->mode : (mode & s->mode) != 0;
}

static void skip(struct search *s, const char *path, const char *why)
{
	hf_dict_put(s->skipped, path, hf_value_cstr(s->a, why));
}

static int wanted_content(struct search *s, const char *path, bool *ret)
{
	*ret = true;
	if (s->p->contains == NULL)
		return 0;
	int compiled = s->regex == NULL ? pattern_get(s, hf_str(s->p->contains), &s->regex) : 0;
	if (compiled != 0)
		return compiled;
	hf_auto_arena scratch = hf_arena_new();
	struct hf_str text;
	struct hf_error unreadable;
	struct hf_regex_match m = { 0 };
	*ret = false;
	if (hf_fs_read(scratch, path, HF_FILE_TEXT_MAX, &text, &unreadable) < 0)
		return 0; /* as Ansible: what cannot be read does not contain anything */
	int read = hf_utf8_from(scratch, s->p->encoding, &text, &unreadable);
	if (read == -HF_E_UNSUPPORTED) {
		s->broken = hf_strdup(s->a, unreadable.text);
		return STOPPED;
	}
	if (read < 0 || !hf_utf8_valid(text)) {
		s->broken = hf_sprintf(s->a,
			"Failed to read the file %s due to an encoding error. current encoding: %s", path,
			s->p->encoding);
		return STOPPED;
	}
	if (s->p->read_whole_file == HF_YES) {
		int result = hf_regex_exec(scratch, s->regex, text, 0, HF_REGEX_SEARCH, &m, s->err);
		*ret = m.found;
		return result;
	}
	for (struct hf_str rest = text; rest.n > 0 && !*ret;) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end != NULL ? (size_t)(end - rest.p) + 1 : rest.n;
		int result =
			hf_regex_exec(scratch, s->regex, hf_strn(rest.p, n), 0, HF_REGEX_MATCH, &m, s->err);
		if (result < 0)
			return result;
		*ret = m.found;
		rest = hf_strn(rest.p + n, rest.n - n);
	}
	return 0;
}

static void put_number(struct search *s, struct hf_value *d, const char *key, int64_t n)
{
	hf_dict_put(d, key, hf_value_int(s->a, n));
}

static void put_time(struct search *s, struct hf_value *d, const char *key, const struct timespec *t)
{
	hf_dict_put(d, key, hf_value_float(s->a, (double)t->tv_sec + 1e-9 * (double)t->tv_nsec));
}

static struct hf_value *entry_describe(struct search *s, const char *path, const struct stat *st)
{
	static const struct {
		const char *key;
		mode_t bits, kind; /* bits 0: compare the file type */
	} flags[] = { { "isdir", 0, S_IFDIR }, { "ischr", 0, S_IFCHR }, { "isblk", 0, S_IFBLK },
		{ "isreg", 0, S_IFREG }, { "isfifo", 0, S_IFIFO }, { "islnk", 0, S_IFLNK },
		{ "issock", 0, S_IFSOCK }, { "wusr", S_IWUSR, 0 }, { "rusr", S_IRUSR, 0 },
		{ "xusr", S_IXUSR, 0 }, { "wgrp", S_IWGRP, 0 }, { "rgrp", S_IRGRP, 0 },
		{ "xgrp", S_IXGRP, 0 }, { "woth", S_IWOTH, 0 }, { "roth", S_IROTH, 0 },
		{ "xoth", S_IXOTH, 0 }, { "isuid", S_ISUID, 0 }, { "isgid", S_ISGID, 0 } };
	struct hf_value *d = hf_value_dict(s->a);
	hf_dict_put(d, "path", hf_value_cstr(s->a, path));
	hf_dict_put(
		d, "mode", hf_value_cstr(s->a, hf_sprintf(s->a, "%04o", (unsigned)(st->st_mode & 07777))));
	for (size_t i = 0; i < HF_COUNT(flags); i++) {
		bool set = flags[i].bits != 0 ? (st->st_mode & flags[i].bits) != 0
					      : (st->st_mode & S_IFMT) == flags[i].kind;
		hf_dict_put(d, flags[i].key, hf_value_bool(s->a, set));
	}
	put_number(s, d, "uid", st->st_uid);
	put_number(s, d, "gid", st->st_gid);
	put_number(s, d, "size", st->st_size);
	put_number(s, d, "inode", (int64_t)st->st_ino);
	put_number(s, d, "dev", (int64_t)st->st_dev);
	put_number(s, d, "nlink", (int64_t)st->st_nlink);
	put_time(s, d, "atime", &st->st_atim);
	put_time(s, d, "mtime", &st->st_mtim);
	put_time(s, d, "ctime", &st->st_ctim);
	bool known;
	const char *name = hf_accounts_group(s->a, st->st_gid, &known);
	hf_dict_put(d, "gr_name", hf_value_cstr(s->a, known ? name : ""));
	name = hf_accounts_user(s->a, st->st_uid, &known);
	hf_dict_put(d, "pw_name", hf_value_cstr(s->a, known ? name : ""));
	return d;
}

static bool wanted_kind(const struct search *s, const struct stat *st)
{
	switch (s->p->file_type) {
	case FIND_DIRECTORY:
		return S_ISDIR(st->st_mode);
	case FIND_FILE:
		return S_ISREG(st->st_mode);
	case FIND_LINK:
		return S_ISLNK(st->st_mode);
	default:
		return true;
	}
}

/* All conditions that need no look into the file. */
static int wanted_entry(struct search *s, const char *name, const struct stat *st, bool *ret)
{
	int result = wanted_name(s, name, ret);
	*ret = *ret && wanted_kind(s, st) && wanted_age(s, st) && wanted_mode(s, st) &&
	       (!S_ISREG(st->st_mode) || wanted_size(s, st));
	return result;
}

static bool found_enough(const struct search *s)
{
	return s->p->limit > 0 && hf_list_len(s->files) >= (size_t)s->p->limit;
}

static int entry_add(struct search *s, const char *path, const struct stat *st)
{
	char hex[HF_DIGEST_HEX_MAX];
	if (hf_list_len(s->files) >= FOUND_MAX)
		return hf_fail(s->err, HF_E_LIMIT, "more than %d files found", FOUND_MAX);
	struct hf_value *d = entry_describe(s, path, st);
	hf_list_append(s->files, d);
	if (s->p->get_checksum != HF_YES || !S_ISREG(st->st_mode))
		return 0;
	int result = hf_hash_file_hex("sha1", path, hex, s->err);
	if (result == 0)
		hf_dict_put(d, "checksum", hf_value_cstr(s->a, hex));
	return result;
}

static int entry_look(struct search *s, const char *path, const char *name)
{
	struct stat st;
	if (lstat(path, &st) < 0) {
		skip(s, path, strerror(errno));
		s->warned = true;
		hf_task_warn(s->c, "Skipped entry '%s' due to this access issue: %s", path, strerror(errno));
		return 0;
	}
	bool wanted = false;
	int result = wanted_entry(s, name, &st, &wanted);
	if (result == 0 && wanted && s->p->file_type == FIND_FILE)
		result = wanted_content(s, path, &wanted);
	return result != 0 || !wanted ? result : entry_add(s, path, &st);
}

static int name_compare(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int dir_names(struct search *s, const char *dir, char ***ret, size_t *ret_n)
{
	hf_auto_dir d = opendir(dir);
	HF_VEC(char *) names = { 0 };
	if (d == NULL) {
		if (errno != EACCES && errno != EPERM)
			return hf_fail_errno(s->err, HF_E_IO, "open directory %s", dir);
		skip(s, dir, hf_sprintf(s->a, "[Errno %d] %s: '%s'", errno, strerror(errno), dir));
	}
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			*hf_vec_push(s->a, &names) = hf_strdup(s->a, e->d_name);
	if (names.n > 1)
		qsort(names.at, names.n, sizeof(*names.at), name_compare);
	*ret = names.at;
	*ret_n = names.n;
	return 0;
}

static int dir_look(struct search *s, const char *dir, int64_t depth);

/* Directories of dir, in turn. */
static int dirs_below(struct search *s, const char *dir, char *const *names, size_t n, int64_t depth)
{
	for (size_t i = 0; i < n && !found_enough(s); i++) {
		struct stat st;
		const char *path = hf_path_join(s->a, dir, names[i]);
		int seen = s->p->follow == HF_YES ? stat(path, &st) : lstat(path, &st);
		int result = seen == 0 && S_ISDIR(st.st_mode) ? dir_look(s, path, depth) : 0;
		if (result != 0)
			return result;
	}
	return 0;
}

static int dir_look(struct search *s, const char *dir, int64_t depth)
{
	char **names = NULL;
	size_t n = 0;
	int result = dir_names(s, dir, &names, &n);
	if (result < 0)
		return result;
	if (depth > HF_FS_DEPTH_MAX)
		return hf_fail(s->err, HF_E_LIMIT, "%s: more than %d directory levels", dir, HF_FS_DEPTH_MAX);
	s->examined += (int64_t)n;
	if (s->p->depth != 0 && depth > s->p->depth)
		return 0;
	for (size_t i = 0; result == 0 && i < n && !found_enough(s); i++)
		if (names[i][0] != '.' || s->p->hidden == HF_YES)
			result = entry_look(
				s, hf_path_normalize(s->a, hf_path_join(s->a, dir, names[i])), names[i]);
	if (result == 0 && s->p->recurse == HF_YES)
		result = dirs_below(s, dir, names, n, depth + 1);
	return result;
}

static int search_prepare(struct search *s, struct hf_change *change)
{
	static const int64_t ages[] = { 1, 60, 3600, 86400, 604800 };
	static const int64_t sizes[] = { 1, 1 << 10, 1 << 20, 1 << 30, (int64_t)1 << 40 };
	const struct params *p = s->p;
	if (hf_task_given(s->c, "limit") && !hf_task_null(s->c, "limit") && p->limit <= 0)
		return hf_fail(s->err, HF_E_TASK, "limit cannot be %lld (use None for unlimited)",
			(long long)p->limit);
	s->has_age = p->age != NULL;
	s->has_size = p->size != NULL;
	if (s->has_age && !number_unit(p->age, "smhdw", ages, &s->age)) {
		hf_result_cstr(s->c, change, "age", p->age);
		return hf_fail(s->err, HF_E_TASK, "failed to process age");
	}
	if (s->has_size && !number_unit(p->size, "bkmgt", sizes, &s->size)) {
		hf_result_cstr(s->c, change, "size", p->size);
		return hf_fail(s->err, HF_E_TASK, "failed to process size");
	}
	if (p->mode != NULL && *p->mode != '\0' && hf_file_mode_parse(p->mode, 0, &s->mode, s->err) < 0)
		return -HF_E_TASK;
	return 0;
}

static int find_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	struct search s = { .c = c,
		.a = a,
		.p = p,
		.err = err,
		.files = hf_value_list(a),
		.skipped = hf_value_dict(a),
		.now = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec };
	int result = search_prepare(&s, change);
	for (size_t i = 0; result == 0 && i < hf_list_len(p->paths) && !found_enough(&s); i++) {
		const char *path =
			hf_cmdline_expand(a, hf_value_text(a, hf_list_at(p->paths, i)).p, hf_task_env(c));
		s.broken = hf_fs_is_dir(path) ? NULL : hf_sprintf(a, "'%s' is not a directory", path);
		if (s.broken == NULL)
			result = dir_look(&s, path, 1);
		if (s.broken == NULL)
			continue;
		result = 0;
		skip(&s, path, s.broken);
		hf_task_warn(c, "Skipped '%s' path due to this access issue: %s\n", path, s.broken);
		s.warned = true;
	}
	hf_auto_regex regex = s.regex;
	if (result < 0)
		return result;
	hf_result_put(c, change, "files", s.files);
	hf_result_int(c, change, "matched", (int64_t)hf_list_len(s.files));
	hf_result_int(c, change, "examined", s.examined);
	hf_result_put(c, change, "skipped_paths", s.skipped);
	hf_result_cstr(c, change, "msg",
		s.warned           ? "Not all paths examined, check warnings for details"
		: found_enough(&s) ? "Limit of matches reached"
				   : "All paths examined");
	return 0;
}

const struct hf_module hf_module_find_files = {
	.name = "find",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_READ_ONLY | HF_MODULE_NO_RESOURCE,
	.check = find_check,
};
