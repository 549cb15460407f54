#include "lib/release/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/proc.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/release/ignore.h"

enum { DEPTH_MAX = 64, IGNORE_FILE_MAX = 1 << 20, GIT_TIMEOUT_MS = 600000 };

struct source {
	struct hf_file file;
	const char *from;
};
struct walk {
	struct hf_arena *arena;
	const char *root;            /* as realpath() gives it */
	HF_VEC(const char *) within; /* where links may lead; the same way */
	struct hf_ignore *ignore;
	HF_VEC(struct source) sources;
	int64_t total;
};

static int add_file(
	struct walk *w, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	if ((st->st_mode & (S_ISUID | S_ISGID)) != 0)
		return hf_fail(
			err, HF_E_UNSUPPORTED, "%s: setuid and setgid files cannot be released", relative);
	if (st->st_size > HF_FILE_SIZE_MAX)
		return hf_fail(
			err, HF_E_LIMIT, "%s: larger than %lld bytes", relative, (long long)HF_FILE_SIZE_MAX);
	if (w->sources.n == HF_FILES_MAX)
		return hf_fail(
			err, HF_E_LIMIT, "more than %d files: is .holdfastignore complete?", HF_FILES_MAX);
	hf_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return hf_fail_errno(err, HF_E_IO, "open %s", path);
	struct source s = { .from = hf_strdup(w->arena, path) };
	uint64_t size = 0;
	if (hf_sha256_fd(fd, (uint64_t)HF_FILE_SIZE_MAX, &s.file.sha256, &size, err) < 0)
		return hf_wrap(err, "%s", path);
	s.file.path = hf_strdup(w->arena, relative);
	s.file.size = (int64_t)size;
	s.file.mode = (st->st_mode & 0100) != 0 ? 0755 : 0644;
	w->total += s.file.size;
	if (w->total > HF_RELEASE_SIZE_MAX)
		return hf_fail(
			err, HF_E_LIMIT, "more than %lld bytes in all files", (long long)HF_RELEASE_SIZE_MAX);
	*hf_vec_push(w->arena, &w->sources) = s;
	return 0;
}

static bool is_within(const struct walk *w, const char *real)
{
	for (size_t i = 0; i < w->within.n; i++) {
		size_t n = strlen(w->within.at[i]);
		if (strncmp(real, w->within.at[i], n) == 0 && (real[n] == '/' || real[n] == '\0'))
			return true;
	}
	return false;
}

static int within_add(struct walk *w, const char *folder, struct hf_error *err)
{
	hf_auto_free char *real = realpath(folder, NULL);
	if (real == NULL || !hf_fs_is_dir(real))
		return hf_fail(err, HF_E_NOT_FOUND, "there is no folder %s", folder);
	*hf_vec_push(w->arena, &w->within) = hf_strdup(w->arena, real);
	return 0;
}

/* A link is followed if what it leads to lies in the tree and is not ignored. */
static int follow_link(
	struct walk *w, const char **path, const char *relative, struct stat *st, struct hf_error *err)
{
	hf_auto_free char *real = realpath(*path, NULL);
	if (real == NULL)
		return hf_fail_errno(err, HF_E_ARGUMENT, "%s: a link that leads nowhere", relative);
	if (!is_within(w, real))
		return hf_fail(
			err, HF_E_UNSUPPORTED, "%s: a link that leaves the tree (to %s)", relative, real);
	if (lstat(real, st) < 0)
		return hf_fail_errno(err, HF_E_IO, "stat %s", real);
	*path = hf_strdup(w->arena, real);
	return 0;
}

static int walk_folder(
	struct walk *w, const char *folder, const char *relative, int depth, struct hf_error *err);

static int walk_entry(struct walk *w, const char *path, const char *relative, int depth, struct hf_error *err)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return hf_fail_errno(err, HF_E_IO, "stat %s", path);
	bool link = S_ISLNK(st.st_mode), folder = S_ISDIR(st.st_mode);
	if (link && stat(path, &st) == 0)
		folder = S_ISDIR(st.st_mode);
	if (strcmp(relative, ".git") == 0 || strcmp(relative, ".holdfastignore") == 0 ||
		hf_ignore_match(w->ignore, relative, folder))
		return 0;
	int result = link ? follow_link(w, &path, relative, &st, err) : 0;
	if (result == 0)
		result = hf_file_path_check(hf_str(relative), NULL, err);
	if (result < 0)
		return result;
	if (folder)
		return walk_folder(w, path, relative, depth + 1, err);
	if (!S_ISREG(st.st_mode))
		return hf_fail(err, HF_E_UNSUPPORTED,
			"%s: neither a file nor a folder (device, socket or pipe)", relative);
	return add_file(w, path, relative, &st, err);
}

static int walk_folder(
	struct walk *w, const char *folder, const char *relative, int depth, struct hf_error *err)
{
	if (depth > DEPTH_MAX)
		return hf_fail(err, HF_E_LIMIT,
			"%s: more than %d levels deep, or links that lead in a circle", relative, DEPTH_MAX);
	hf_auto_dir dir = opendir(folder);
	if (dir == NULL)
		return hf_fail_errno(err, HF_E_IO, "open folder %s", folder);
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		const char *below = *relative == '\0' ? hf_strdup(w->arena, e->d_name)
						      : hf_path_join(w->arena, relative, e->d_name);
		int result = walk_entry(w, hf_path_join(w->arena, folder, e->d_name), below, depth, err);
		if (result < 0)
			return result;
	}
	return 0;
}

static int ignore_load(struct walk *w, struct hf_error *err)
{
	struct hf_str text;
	int result = hf_fs_read(
		w->arena, hf_path_join(w->arena, w->root, ".holdfastignore"), IGNORE_FILE_MAX, &text, err);
	if (result == -HF_E_NOT_FOUND)
		return 0;
	return result < 0 ? result : hf_ignore_parse(w->arena, text, &w->ignore, err);
}

static int git_run(struct hf_arena *a, const char *const *argv, struct hf_str *ret, struct hf_error *err)
{
	struct hf_proc_spec spec = {
		.argv = argv, .timeout_ms = GIT_TIMEOUT_MS, .umask = HF_PROC_KEEP_UMASK
	};
	struct hf_proc_result run;
	int result = hf_proc_run(a, &spec, &run, err);
	if (result < 0)
		return hf_wrap(err, "git");
	if (run.status != 0)
		return hf_fail(err, HF_E_ARGUMENT, "git: %.*s", HF_STR_ARG(hf_str_trim(run.err)));
	*ret = run.out;
	return 0;
}

/* What the ref holds of the folder, as a fresh checkout would have it. The repository's own index and work
 * tree stay as they are: git is given others. */
static int git_checkout(
	struct hf_arena *a, const struct hf_tree_options *o, const char **ret_folder, struct hf_error *err)
{
	const char *temp = getenv("TMPDIR");
	char *folder = hf_sprintf(a, "%s/holdfast-tree-XXXXXX", temp == NULL ? "/tmp" : temp);
	if (mkdtemp(folder) == NULL)
		return hf_fail_errno(err, HF_E_IO, "make a folder in %s", temp == NULL ? "/tmp" : temp);
	*ret_folder = folder;
	const char *tree = hf_sprintf(a, "%s/tree", folder), *id = NULL, *git = NULL;
	struct hf_str out;
	int result = hf_fs_mkdirs(tree, 0755, err);
	if (result == 0)
		result = git_run(a,
			(const char *const[]){ "git", "-C", o->folder, "rev-parse", "--absolute-git-dir",
				"--show-prefix", NULL },
			&out, err);
	if (result == 0) {
		struct hf_str folder_of_git = { 0 },
			      below = { 0 }; /* the second line: where in the repository we are */
		hf_str_split(&out, '\n', &folder_of_git);
		hf_str_split(&out, '\n', &below);
		git = hf_sprintf(a, "GIT_DIR=%.*s", HF_STR_ARG(folder_of_git));
		const char *name = hf_sprintf(a, "%s:%.*s", o->git_ref, HF_STR_ARG(below));
		result = git_run(a,
			(const char *const[]){ "git", "-C", o->folder, "rev-parse", "--verify",
				"--end-of-options", name, NULL },
			&out, err);
	}
	if (result < 0)
		return result;
	id = hf_str_dup(a, hf_str_trim(out));
	const char *index = hf_sprintf(a, "GIT_INDEX_FILE=%s/index", folder);
	const char *work = hf_sprintf(a, "GIT_WORK_TREE=%s", tree);
	result = git_run(a,
		(const char *const[]){ "env", git, "git", "ls-tree", "-r", "--full-tree", id, NULL }, &out,
		err);
	if (result == 0 &&
		(hf_str_starts(out, "160000 ") || hf_str_find(out, HF_STR("\n160000 "), 0) != SIZE_MAX))
		return hf_fail(err, HF_E_UNSUPPORTED,
			"%s: it has submodules; build from a folder that has them checked out", o->git_ref);
	if (result == 0)
		result = git_run(a,
			(const char *const[]){
				"env", git, index, work, "git", "-C", tree, "read-tree", id, NULL },
			&out, err);
	if (result == 0)
		result = git_run(a,
			(const char *const[]){
				"env", git, index, work, "git", "-C", tree, "checkout-index", "--all", NULL },
			&out, err);
	return result;
}

static int source_compare(const void *a, const void *b)
{
	return strcmp(((const struct source *)a)->file.path, ((const struct source *)b)->file.path);
}

static int manifest_make(struct hf_arena *a, struct walk *w, const struct hf_tree_options *o,
	struct hf_tree *tree, struct hf_error *err)
{
	size_t n = w->sources.n;
	if (n == 0)
		return hf_fail(err, HF_E_ARGUMENT, "%s: there is nothing to release", o->folder);
	qsort(w->sources.at, n, sizeof(*w->sources.at), source_compare);
	struct hf_file *files = hf_new_array(a, n, struct hf_file);
	tree->sources = hf_new_array(a, n, const char *);
	for (size_t i = 0; i < n; i++) {
		files[i] = w->sources.at[i].file;
		tree->sources[i] = w->sources.at[i].from;
	}
	tree->manifest = (struct hf_manifest){ .name = o->name == NULL ? "" : o->name,
		.created = o->created,
		.entry = o->entry == NULL ? "site.yml" : o->entry,
		.files = files,
		.n_files = n,
		.gates = o->gates,
		.min_agent = o->min_agent == NULL ? "" : o->min_agent };
	if (hf_manifest_find(&tree->manifest, tree->manifest.entry) == NULL)
		return hf_fail(err, HF_E_ARGUMENT, "there is no playbook \"%s\" in %s: name one with --entry",
			tree->manifest.entry, o->folder);
	hf_auto_buf payload = hf_buf_init(HF_RELEASE_MAX / 4 * 3);
	int result = hf_manifest_write(&payload, &tree->manifest, err);
	if (result == 0)
		result = hf_buf_check(&payload, "the manifest", err);
	if (result < 0)
		return result;
	tree->payload = hf_buf_dup(a, &payload);
	tree->release = hf_sha256(tree->payload);
	/* What hosts will refuse must not be signed in the first place. */
	struct hf_manifest checked;
	hf_auto_arena scratch = hf_arena_new();
	return hf_manifest_parse(scratch, tree->payload, &checked, NULL, err);
}

int hf_tree_build(
	struct hf_arena *a, const struct hf_tree_options *options, struct hf_tree *ret, struct hf_error *err)
{
	struct hf_tree tree = { 0 };
	const char *folder = options->folder;
	int result = 0;
	if (options->git_ref != NULL) {
		result = git_checkout(a, options, &tree.checkout, err);
		folder = tree.checkout == NULL ? NULL : hf_sprintf(a, "%s/tree", tree.checkout);
	}
	struct hf_tree_view view = { .folder = folder };
	struct walk w = { .arena = a };
	if (result == 0 && options->prepare != NULL && hf_fs_is_dir(folder))
		result = options->prepare(options->prepare_data, a, folder, &view, err);
	if (result == 0)
		result = within_add(&w, view.folder, err);
	for (size_t i = 0; result == 0 && view.within != NULL && view.within[i] != NULL; i++)
		result = within_add(&w, view.within[i], err);
	if (result == 0) {
		tree.folder = view.folder;
		w.root = w.within.at[0];
	}
	if (result == 0)
		result = ignore_load(&w, err);
	if (result == 0)
		result = walk_folder(&w, w.root, "", 0, err);
	if (result == 0)
		result = manifest_make(a, &w, options, &tree, err);
	if (result == 0) {
		*ret = tree;
		return 0;
	}
	struct hf_error ignored; /* the first failure is the one to tell */
	(void)!hf_tree_done(&tree, &ignored);
	return result;
}

int hf_tree_done(struct hf_tree *tree, struct hf_error *err)
{
	int result = tree->checkout == NULL ? 0 : hf_fs_remove_tree(tree->checkout, err);
	tree->checkout = NULL;
	return result;
}
