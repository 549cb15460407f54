/* lib/engine/filters_path.c - names of files, as Python's os.path and ntpath take them apart. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/filters.h"

static int path_input(
	const struct hf_value *input, const char *what, struct hf_str *ret, struct hf_error *err)
{
	if (input->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE, "%s: expected str, bytes or os.PathLike object, not %s",
			what, hf_type_name(input));
	*ret = input->u.string;
	return 0;
}

static size_t base_start(struct hf_str s, const char *separators)
{
	size_t i = s.n;
	while (i > 0 && (s.p[i - 1] == '\0' || strchr(separators, s.p[i - 1]) == NULL))
		i--;
	return i;
}

FILTER(basename_filter)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "basename", &s, err);
	if (r < 0)
		return r;
	size_t start = base_start(s, "/");
	return filter_return_text(e, input, hf_strn(s.p + start, s.n - start), ret);
}

static struct hf_str without_trailing(struct hf_str head, const char *separators)
{
	size_t n = head.n;
	while (n > 0 && strchr(separators, head.p[n - 1]) != NULL)
		n--;
	return n == 0 ? head : hf_strn(head.p, n);
}

FILTER(dirname_filter)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "dirname", &s, err);
	return r < 0 ? r
		     : filter_return_text(
			       e, input, without_trailing(hf_strn(s.p, base_start(s, "/")), "/"), ret);
}

/* "C:" or "//host/share" */
static size_t drive_size(struct hf_str s)
{
#define IS_SEPARATOR(i) ((i) < s.n && (s.p[i] == '/' || s.p[i] == '\\'))
	if (IS_SEPARATOR(0) && IS_SEPARATOR(1) && !IS_SEPARATOR(2)) {
		size_t i = 2;
		while (i < s.n && !IS_SEPARATOR(i))
			i++;
		if (i == s.n)
			return s.n;
		for (i++; i < s.n && !IS_SEPARATOR(i);)
			i++;
		return i;
	}
	return s.n >= 2 && s.p[1] == ':' ? 2 : 0;
#undef IS_SEPARATOR
}

FILTER(win_basename)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "win_basename", &s, err);
	if (r < 0)
		return r;
	size_t drive = drive_size(s);
	struct hf_str rest = hf_strn(s.p + drive, s.n - drive);
	size_t start = base_start(rest, "/\\");
	return filter_return_text(e, input, hf_strn(rest.p + start, rest.n - start), ret);
}

FILTER(win_dirname)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "win_dirname", &s, err);
	if (r < 0)
		return r;
	size_t drive = drive_size(s);
	struct hf_str rest = hf_strn(s.p + drive, s.n - drive);
	struct hf_str head = without_trailing(hf_strn(rest.p, base_start(rest, "/\\")), "/\\");
	return filter_return_text(e, input, hf_strn(s.p, drive + head.n), ret);
}

static struct hf_value *pair(struct hf_arena *a, struct hf_str x, struct hf_str y)
{
	struct hf_value *tuple = hf_value_tuple(a);
	hf_list_append(tuple, hf_value_str(a, x));
	hf_list_append(tuple, hf_value_str(a, y));
	return tuple;
}

FILTER(win_splitdrive)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "win_splitdrive", &s, err);
	if (r < 0)
		return r;
	size_t drive = drive_size(s);
	*ret = pair(hf_eval_arena(e), hf_strn(s.p, drive), hf_strn(s.p + drive, s.n - drive));
	return 0;
}

FILTER(splitext)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "splitext", &s, err);
	if (r < 0)
		return r;
	size_t start = base_start(s, "/"), dot = s.n;
	while (start < s.n && s.p[start] == '.') /* dots in front belong to the name */
		start++;
	for (size_t i = s.n; i > start; i--)
		if (s.p[i - 1] == '.') {
			dot = i - 1;
			break;
		}
	*ret = pair(hf_eval_arena(e), hf_strn(s.p, dot), hf_strn(s.p + dot, s.n - dot));
	return 0;
}

FILTER(expanduser)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "expanduser", &s, err);
	if (r < 0 || memchr(s.p, '\0', s.n) != NULL)
		return r < 0 ? r : filter_return_text(e, input, s, ret);
	struct hf_arena *a = hf_eval_arena(e);
	return filter_return_text(e, input, hf_str(hf_path_expand_user(a, hf_str_dup(a, s), NULL)), ret);
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

FILTER(expandvars)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "expandvars", &s, err);
	if (r < 0)
		return r;
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	for (size_t i = 0; i < s.n;) {
		size_t from = i + 1, n = 0, skip;
		bool braces = from < s.n && s.p[from] == '{';
		from += braces;
		while (s.p[i] == '$' && from + n < s.n &&
			(braces ? s.p[from + n] != '}' : name_char(s.p[from + n])))
			n++;
		skip = from + n + (braces ? 1 : 0) - i;
		bool whole = s.p[i] == '$' && (braces ? from + n < s.n : n > 0);
		const char *value = whole ? getenv(hf_strndup(hf_eval_arena(e), s.p + from, n)) : NULL;
		if (value != NULL)
			hf_buf_puts(&out, value);
		else
			hf_buf_append(&out, s.p + i, whole ? skip : 1);
		i += whole ? skip : 1;
	}
	return filter_return_buf(e, input, &out, "path", ret, err);
}

/* os.path.normpath keeps two slashes in front; hf_path_normalize() need not. */
static const char *normal(struct hf_arena *a, struct hf_str s)
{
	bool two = s.n >= 2 && s.p[0] == '/' && s.p[1] == '/' && (s.n == 2 || s.p[2] != '/');
	const char *plain = hf_path_normalize(a, hf_str_dup(a, s));
	return two && !(plain[0] == '/' && plain[1] == '/') ? hf_sprintf(a, "/%s", plain) : plain;
}

FILTER(normpath)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "normpath", &s, err);
	return r < 0 ? r : filter_return_text(e, input, hf_str(normal(hf_eval_arena(e), s)), ret);
}

static char *absolute(struct hf_arena *a, struct hf_str s)
{
	char here[PATH_MAX];
	const char *text = hf_str_dup(a, s);
	if (text[0] != '/' && getcwd(here, sizeof(here)) != NULL)
		text = hf_sprintf(a, "%s/%s", here, text);
	return hf_strdup(a, normal(a, hf_str(text)));
}

/* Like os.path.realpath(): what does not exist is kept as it is, below the part that does. */
static char *real(struct hf_arena *a, struct hf_str s)
{
	char *path = absolute(a, s), *rest = hf_strdup(a, "");
	char resolved[PATH_MAX];
	for (size_t i = 0; i < PATH_MAX && realpath(path, resolved) == NULL; i++) {
		char *slash = strrchr(path, '/');
		if (slash == NULL || slash == path)
			return hf_sprintf(a, "%s%s", path, rest);
		rest = hf_sprintf(a, "%s%s", slash, rest);
		*slash = '\0';
	}
	return hf_sprintf(a, "%s%s", strcmp(resolved, "/") == 0 && rest[0] != '\0' ? "" : resolved, rest);
}

FILTER(realpath_filter)
{
	struct hf_str s = { 0 };
	int r = path_input(input, "realpath", &s, err);
	return r < 0 ? r : filter_return_text(e, input, hf_str(real(hf_eval_arena(e), s)), ret);
}

/* Bytes of the whole components both paths begin with. */
static size_t common_length(const char *to, const char *from)
{
	size_t same = 0;
	for (size_t i = 0;; i++) {
		bool to_end = to[i] == '\0' || to[i] == '/', from_end = from[i] == '\0' || from[i] == '/';
		if (to_end && from_end)
			same = i;
		if (to[i] != from[i] || to[i] == '\0')
			return same;
	}
}

FILTER(relpath)
{
	FILTER_ARGS(1, "start");
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_str s = { 0 }, start = HF_STR(".");
	int r = path_input(input, "relpath", &s, err);
	if (r == 0)
		r = filter_arg(call, 0, "start") == NULL
			    ? 0
			    : path_input(filter_arg(call, 0, "start"), "relpath", &start, err);
	if (r == 0 && s.n == 0)
		r = hf_fail(err, HF_E_TEMPLATE, "no path specified");
	if (r < 0)
		return r;
	const char *to = absolute(a, s), *from = absolute(a, start);
	size_t same = common_length(to, from);
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	for (const char *p = from + same; *p != '\0'; p++)
		if (*p == '/' && p[1] != '\0')
			hf_buf_puts(&out, out.n == 0 ? ".." : "/..");
	const char *rest = to + same;
	while (*rest == '/')
		rest++;
	if (*rest != '\0')
		hf_buf_printf(&out, out.n == 0 ? "%s" : "/%s", rest);
	if (out.n == 0)
		hf_buf_put(&out, '.');
	return filter_return_buf(e, input, &out, "path", ret, err);
}

FILTER(path_join)
{
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	if (input->type == HF_STRING)
		return filter_return_text(e, input, input->u.string, ret);
	if (!hf_is_sequence(input) || hf_list_len(input) == 0)
		return hf_fail(err, HF_E_TEMPLATE, "|path_join expects string or sequence, got %s instead.",
			hf_type_name(input));
	for (size_t i = 0; i < hf_list_len(input); i++) {
		struct hf_str part = { 0 };
		int r = path_input(hf_list_at(input, i), "path_join", &part, err);
		if (r < 0)
			return r;
		if (part.n > 0 && part.p[0] == '/')
			hf_buf_clear(&out);
		else if (i > 0 && out.n > 0 && out.p[out.n - 1] != '/')
			hf_buf_put(&out, '/');
		hf_buf_add(&out, part);
	}
	return filter_return_buf(e, input, &out, "path", ret, err);
}

/* Components without "" and "."; the list of them. */
static struct hf_value *components(struct hf_arena *a, struct hf_str s)
{
	struct hf_value *list = hf_value_list(a);
	struct hf_str part = { 0 };
	while (hf_str_split(&s, '/', &part))
		if (part.n > 0 && !hf_str_is(part, "."))
			hf_list_append(list, hf_value_str(a, part));
	return list;
}

/* What both lists begin with; common NULL: all of list. */
static struct hf_value *common_start(struct hf_value *common, struct hf_value *list)
{
	size_t same = 0;
	if (common == NULL)
		return list;
	while (same < hf_list_len(common) && same < hf_list_len(list) &&
		hf_value_equal(hf_list_at(common, same), hf_list_at(list, same)))
		same++;
	common->u.list->n = same;
	return common;
}

FILTER(commonpath)
{
	struct hf_arena *a = hf_eval_arena(e);
	if (!hf_is_sequence(input) || hf_list_len(input) == 0)
		return hf_fail(err, HF_E_TEMPLATE, "|commonpath expects a sequence of paths, got %s",
			hf_type_name(input));
	struct hf_value *common = NULL;
	bool absolute_path = false;
	for (size_t i = 0; i < hf_list_len(input); i++) {
		struct hf_str s = { 0 };
		int r = path_input(hf_list_at(input, i), "commonpath", &s, err);
		if (r < 0)
			return r;
		bool is_absolute = s.n > 0 && s.p[0] == '/';
		if (i > 0 && is_absolute != absolute_path)
			return hf_fail(err, HF_E_TEMPLATE, "Can't mix absolute and relative paths");
		absolute_path = is_absolute;
		common = common_start(common, components(a, s));
	}
	hf_auto_buf out = hf_buf_init(FILTER_TEXT_MAX);
	if (absolute_path)
		hf_buf_put(&out, '/');
	for (size_t i = 0; i < hf_list_len(common); i++) {
		hf_buf_puts(&out, i == 0 ? "" : "/");
		hf_buf_add(&out, hf_list_at(common, i)->u.string);
	}
	return filter_return_buf(e, input, &out, "path", ret, err);
}

FILTER(fileglob)
{
	struct hf_arena *a = hf_eval_arena(e);
	struct hf_str s = { 0 };
	glob_t found;
	int r = path_input(input, "fileglob", &s, err);
	if (r < 0)
		return r;
	*ret = hf_value_list(a);
	if (glob(hf_str_dup(a, s), GLOB_NOSORT, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (hf_fs_exists(found.gl_pathv[i]) && !hf_fs_is_dir(found.gl_pathv[i]))
			hf_list_append(*ret, hf_value_cstr(a, found.gl_pathv[i]));
	globfree(&found);
	return 0;
}

const struct hf_callable_row hf_ansible_filters_path[] = {
	{ "basename", basename_filter, HF_NO_ARGUMENTS },
	{ "dirname", dirname_filter, HF_NO_ARGUMENTS },
	{ "win_basename", win_basename, HF_NO_ARGUMENTS },
	{ "win_dirname", win_dirname, HF_NO_ARGUMENTS },
	{ "win_splitdrive", win_splitdrive, HF_NO_ARGUMENTS },
	{ "splitext", splitext, HF_NO_ARGUMENTS },
	{ "expanduser", expanduser, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "expandvars", expandvars, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "normpath", normpath, HF_NO_ARGUMENTS },
	{ "realpath", realpath_filter, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "relpath", relpath, HF_REACHES_OUT }, /* the working directory */
	{ "path_join", path_join, HF_NO_ARGUMENTS },
	{ "commonpath", commonpath, HF_NO_ARGUMENTS },
	{ "fileglob", fileglob, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ 0 },
};
