/* lib/engine/tests_file.c - what a path is on this host. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/engine/filters.h"

enum wanted { WANT_DIRECTORY, WANT_FILE, WANT_LINK, WANT_EXISTS, WANT_LINK_EXISTS, WANT_MOUNT };

static bool is_mount(const char *path, const struct stat *st)
{
	struct stat parent;
	char up[4096];
	if (S_ISLNK(st->st_mode) || (size_t)snprintf(up, sizeof(up), "%s/..", path) >= sizeof(up) ||
		lstat(up, &parent) < 0)
		return false;
	return st->st_dev != parent.st_dev || st->st_ino == parent.st_ino;
}

/* A number is a descriptor to Python's os.stat(): the usual three exist, and are no files or folders. lstat()
 * takes none. */
static bool number_is(const struct hf_value *v, enum wanted what, bool *ret)
{
	if (v->type != HF_INT && v->type != HF_BOOL)
		return false;
	*ret = what == WANT_EXISTS && (v->type == HF_BOOL || (v->u.integer >= 0 && v->u.integer <= 2));
	return what <= WANT_FILE || what == WANT_EXISTS;
}

static int path_test(struct hf_eval *e, struct hf_value *input, enum wanted what, struct hf_value **ret,
	struct hf_error *err)
{
	struct hf_str path;
	struct stat st;
	bool yes = false;
	if (number_is(input, what, &yes)) {
		*ret = hf_value_bool(hf_eval_arena(e), yes);
		return 0;
	}
	if (input->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE,
			"stat: path should be string, bytes or os.PathLike, not %s", hf_type_name(input));
	int r = hf_eval_text(e, input, &path, err);
	if (r < 0)
		return r;
	bool links = what == WANT_LINK || what == WANT_LINK_EXISTS || what == WANT_MOUNT;
	if ((links ? lstat(path.p, &st) : stat(path.p, &st)) == 0)
		switch (what) {
		case WANT_DIRECTORY:
			yes = S_ISDIR(st.st_mode);
			break;
		case WANT_FILE:
			yes = S_ISREG(st.st_mode);
			break;
		case WANT_LINK:
			yes = S_ISLNK(st.st_mode);
			break;
		case WANT_EXISTS:
		case WANT_LINK_EXISTS:
			yes = true;
			break;
		case WANT_MOUNT:
			yes = is_mount(path.p, &st);
			break;
		}
	*ret = hf_value_bool(hf_eval_arena(e), yes);
	return 0;
}

#define PATH_TEST(name, what)                                                                                \
	FILTER(name)                                                                                         \
	{                                                                                                    \
		return path_test(e, input, what, ret, err);                                                  \
	}

PATH_TEST(test_directory, WANT_DIRECTORY)
PATH_TEST(test_file, WANT_FILE)
PATH_TEST(test_link, WANT_LINK)
PATH_TEST(test_exists, WANT_EXISTS)
PATH_TEST(test_link_exists, WANT_LINK_EXISTS)
PATH_TEST(test_mount, WANT_MOUNT)

FILTER(test_abs)
{
	if (input->type != HF_STRING)
		return hf_fail(err, HF_E_TEMPLATE, "expected str, bytes or os.PathLike object, not %s",
			hf_type_name(input));
	*ret = hf_value_bool(hf_eval_arena(e), hf_str_starts(input->u.string, "/"));
	return 0;
}

FILTER(test_same_file)
{
	struct hf_str path, other;
	struct stat x, y;
	int r = hf_eval_text(e, input, &path, err);
	if (r == 0)
		r = filter_text_arg(e, call, 0, "f2", NULL, &other, err);
	if (r < 0)
		return r;
	if (stat(path.p, &x) < 0 || stat(other.p, &y) < 0)
		return hf_fail_errno(err, HF_E_TEMPLATE, "same_file: %s, %s", path.p, other.p);
	*ret = hf_value_bool(hf_eval_arena(e), x.st_dev == y.st_dev && x.st_ino == y.st_ino);
	return 0;
}

const struct hf_callable_row hf_ansible_tests_file[] = {
	{ "directory", test_directory, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "is_dir", test_directory, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "file", test_file, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "is_file", test_file, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "link", test_link, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "is_link", test_link, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "exists", test_exists, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "link_exists", test_link_exists, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "abs", test_abs, HF_NO_ARGUMENTS },
	{ "is_abs", test_abs, HF_NO_ARGUMENTS },
	{ "same_file", test_same_file, HF_REACHES_OUT },
	{ "is_same_file", test_same_file, HF_REACHES_OUT },
	{ "mount", test_mount, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ "is_mount", test_mount, HF_REACHES_OUT | HF_NO_ARGUMENTS },
	{ 0 },
};
