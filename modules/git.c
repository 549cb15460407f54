#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/scope.h"
#include "modules/cmdline.h"
#include "modules/file_content.h"
#include "modules/git_dir.h"

/* git: a working copy at a version, through the real git. */
struct params {
	const char *dest, *repo, *version, *remote, *refspec, *reference, *key_file, *ssh_opts, *executable,
		*umask, *archive, *archive_prefix, *separate_git_dir;
	struct hf_value *allowlist;
	enum hf_tristate force, clone, update, verify_commit, accept_hostkey, accept_newhostkey, bare,
		recursive, single_branch, track_submodules;
	int64_t depth;
};

static const char *const repo_aliases[] = { "name", NULL };
static const char *const allow_aliases[] = { "gpg_whitelist", NULL };
static const struct hf_arg args[] = {
	{ "repo", HF_ARG_STR, offsetof(struct params, repo), HF_REQUIRED, .aliases = repo_aliases,
		.help = "URL or path of the repository." },
	{ "dest", HF_ARG_PATH, offsetof(struct params, dest), .help = "Directory of the working copy." },
	{ "version", HF_ARG_STR, offsetof(struct params, version), .dflt = "HEAD",
		.help = "Branch, tag or commit." },
	{ "remote", HF_ARG_STR, offsetof(struct params, remote), .dflt = "origin",
		.help = "Name of the remote." },
	{ "refspec", HF_ARG_STR, offsetof(struct params, refspec), .help = "More to fetch." },
	{ "reference", HF_ARG_STR, offsetof(struct params, reference),
		.help = "Repository to borrow objects from." },
	{ "force", HF_ARG_BOOL, offsetof(struct params, force), .dflt = "no",
		.help = "Discard local changes." },
	{ "depth", HF_ARG_INT, offsetof(struct params, depth), .help = "Commits of history to fetch." },
	{ "clone", HF_ARG_BOOL, offsetof(struct params, clone), .dflt = "yes",
		.help = "Clone when dest is missing." },
	{ "update", HF_ARG_BOOL, offsetof(struct params, update), .dflt = "yes",
		.help = "Fetch when dest is there." },
	{ "verify_commit", HF_ARG_BOOL, offsetof(struct params, verify_commit), .dflt = "no",
		.help = "Check the signature of version." },
	{ "gpg_allowlist", HF_ARG_LIST, offsetof(struct params, allowlist), HF_REFUSED,
		.aliases = allow_aliases,
		.help = "signing keys are restricted through the keyring that verify_commit uses" },
	{ "accept_hostkey", HF_ARG_BOOL, offsetof(struct params, accept_hostkey), .dflt = "no",
		.help = "Do not check the ssh host key." },
	{ "accept_newhostkey", HF_ARG_BOOL, offsetof(struct params, accept_newhostkey), .dflt = "no",
		.help = "Accept an ssh host key not seen before." },
	{ "key_file", HF_ARG_PATH, offsetof(struct params, key_file), .help = "ssh private key." },
	{ "ssh_opts", HF_ARG_STR, offsetof(struct params, ssh_opts), .help = "More options for ssh." },
	{ "executable", HF_ARG_PATH, offsetof(struct params, executable), .help = "The git to use." },
	{ "bare", HF_ARG_BOOL, offsetof(struct params, bare), .dflt = "no", .help = "No working tree." },
	{ "recursive", HF_ARG_BOOL, offsetof(struct params, recursive), .dflt = "yes",
		.help = "Submodules as well." },
	{ "single_branch", HF_ARG_BOOL, offsetof(struct params, single_branch), .dflt = "no",
		.help = "Clone the history of one branch." },
	{ "track_submodules", HF_ARG_BOOL, offsetof(struct params, track_submodules), .dflt = "no",
		.help = "Newest commits of submodules." },
	{ "umask", HF_ARG_MODE, offsetof(struct params, umask), .help = "umask for git, in octal." },
	{ "archive", HF_ARG_PATH, offsetof(struct params, archive), HF_REFUSED,
		.help = "use the command git archive in a task of its own" },
	{ "archive_prefix", HF_ARG_STR, offsetof(struct params, archive_prefix), HF_REFUSED,
		.help = "use the command git archive in a task of its own" },
	{ "separate_git_dir", HF_ARG_PATH, offsetof(struct params, separate_git_dir),
		.help = "Where git's own files are, instead of in dest." },
	{ .type = HF_ARG_END },
};
static const char *const hostkey_names[] = { "accept_hostkey", "accept_newhostkey", NULL };
static const char *const separate_names[] = { "separate_git_dir", "bare", NULL };
static const struct hf_rule rules[] = { { HF_RULE_EXCLUSIVE, separate_names },
	{ HF_RULE_EXCLUSIVE, hostkey_names }, { HF_RULE_END } };

struct git {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_change *change;
	struct hf_error *err;
	const char *repo, *program;
	const char **env;
	mode_t umask;
	bool present, local_changes, url_changed;
	const char *before;
	const char *git_dir,
		*separate; /* where git's files are, and are to be; separate NULL: where they are */
};

/* A command line being put together; the longest has about fifteen words. */
enum { WORDS_MAX = 30 };
struct words {
	const char *at[WORDS_MAX + 1];
	size_t n;
};

static void word_add(struct words *w, const char *word)
{
	if (w->n < WORDS_MAX)
		w->at[w->n++] = word;
}

/* Words, one string each, up to NULL. */
static int git_call(struct git *g, const char *dir, struct hf_proc_result *ret, const char *const *words)
{
	struct words argv = { { g->program }, 1 };
	for (size_t i = 0; words[i] != NULL; i++)
		word_add(&argv, words[i]);
	struct hf_proc_spec spec = { .argv = argv.at, .dir = dir, .env = g->env, .umask = g->umask };
	return hf_task_run(g->c, &spec, ret, g->err);
}
#define GIT(g, dir, ret, ...) git_call(g, dir, ret, (const char *const[]){ __VA_ARGS__, NULL })

static const char *out_line(struct git *g, const struct hf_proc_result *r)
{
	struct hf_str rest = r->out, line = HF_STR("");
	hf_str_split(&rest, '\n', &line);
	return hf_str_dup(g->a, hf_str_trim(line));
}

static int git_failed(struct git *g, const struct hf_proc_result *r, const char *message)
{
	hf_cmdline_report(g->c, g->change, r, false);
	hf_dict_remove(g->change->result, "before");
	hf_dict_remove(g->change->result, "after");
	g->change->changed = false;
	return hf_fail(g->err, HF_E_TASK, "%s", message);
}

/* A call that must succeed; its message is git's own. */
static int git_must(struct git *g, const char *dir, struct hf_proc_result *ret, const char *const *words)
{
	int result = git_call(g, dir, ret, words);
	if (result == 0 && ret->status != 0)
		return git_failed(g, ret, hf_str_dup(g->a, hf_str_trim(ret->err)));
	return result;
}
#define GIT_MUST(g, dir, ret, ...) git_must(g, dir, ret, (const char *const[]){ __VA_ARGS__, NULL })

static const char *ssh_command(struct git *g)
{
	const struct params *p = g->p;
	const char *line = getenv("GIT_SSH_COMMAND");
	line = hf_sprintf(g->a, "%s -o BatchMode=yes%s%s", line != NULL ? line : "ssh",
		p->ssh_opts != NULL ? " " : "", p->ssh_opts != NULL ? p->ssh_opts : "");
	if (p->accept_hostkey == HF_YES)
		line = hf_sprintf(g->a, "%s -o StrictHostKeyChecking=no", line);
	if (p->accept_newhostkey == HF_YES)
		line = hf_sprintf(g->a, "%s -o StrictHostKeyChecking=accept-new", line);
	if (p->key_file != NULL)
		line = hf_sprintf(
			g->a, "%s -i %s -o IdentitiesOnly=yes", line, hf_cmdline_quote(g->a, p->key_file));
	return line;
}

static void git_environment(struct git *g)
{
	const char *const *given = hf_task_env(g->c);
	size_t n = 0, kept = 0;
	while (given != NULL && given[n] != NULL)
		n++;
	g->env = hf_new_array(g->a, n + 4, const char *);
	for (size_t i = 0; i < n; i++)
		if (strncmp(given[i], "LC_", 3) != 0 && strncmp(given[i], "LANG", 4) != 0)
			g->env[kept++] = given[i];
	g->env[kept++] = "LC_ALL=C";
	g->env[kept++] = "GIT_TERMINAL_PROMPT=0";
	g->env[kept] = hf_sprintf(g->a, "GIT_SSH_COMMAND=%s", ssh_command(g));
}

/* Whether git's files of a working copy that is there have to move. */
static int git_dir_look(struct git *g)
{
	if (g->p->dest == NULL)
		return 0;
	int result = hf_git_dir_find(g->a, g->p->dest, g->p->bare == HF_YES, &g->git_dir, g->err);
	if (result < 0 || g->p->separate_git_dir == NULL)
		return result;
	char real[PATH_MAX];
	bool there = realpath(g->p->separate_git_dir, real) != NULL;
	g->separate = there ? hf_strdup(g->a, real) : g->p->separate_git_dir;
	if (!hf_fs_exists(g->git_dir))
		return 0; /* clone makes it there */
	if (strcmp(g->separate, g->git_dir) == 0)
		g->separate = NULL;
	else if (there && !hf_task_check_mode(g->c))
		return hf_fail(g->err, HF_E_TASK, "Separate-git-dir path %s already exists.", g->separate);
	return 0;
}

static int git_dir_move(struct git *g)
{
	int result = hf_git_dir_move(g->a, g->p->dest, g->git_dir, g->separate, g->err);
	if (result == 0) {
		hf_result_cstr(g->c, g->change, "git_dir_before", g->git_dir);
		hf_result_cstr(g->c, g->change, "git_dir_now", g->separate);
	}
	return result;
}

static int git_begin(struct git *g)
{
	const struct params *p = g->p;
	g->program = p->executable != NULL ? p->executable : hf_proc_which(g->a, "git");
	if (g->program == NULL)
		return hf_fail(g->err, HF_E_TASK, "Failed to find required executable \"git\" in paths: %s",
			getenv("PATH"));
	g->repo = hf_cmdline_expand(g->a, p->repo, hf_task_env(g->c));
	if (*g->repo == '/')
		g->repo = hf_sprintf(g->a, "file://%s", g->repo);
	g->umask = HF_PROC_KEEP_UMASK;
	if (p->umask != NULL) {
		char *end;
		g->umask = (mode_t)strtoul(p->umask, &end, 8);
		if (*end != '\0')
			return hf_fail(g->err, HF_E_TASK, "umask must be an octal integer");
	}
	git_environment(g);
	if (p->dest == NULL && p->clone == HF_YES)
		return hf_fail(
			g->err, HF_E_TASK, "the destination directory must be specified unless clone=no");
	int result = git_dir_look(g);
	if (result < 0 || p->dest == NULL)
		return result;
	g->present = hf_fs_exists(hf_path_join(g->a, g->git_dir, "config")) ||
		     (p->bare != HF_YES && hf_fs_exists(g->git_dir));
	return 0;
}

/* First word of a line of ls-remote that ends with ref; an annotated tag's commit is preferred to the tag. */
static const char *ref_in(struct git *g, struct hf_str out, const char *ref)
{
	const char *found = NULL;
	struct hf_str line;
	while (hf_str_split(&out, '\n', &line)) {
		const char *tab = memchr(line.p, '\t', line.n);
		if (tab == NULL)
			continue;
		struct hf_str name = hf_strn(tab + 1, (size_t)(line.p + line.n - tab - 1));
		bool peeled = hf_str_is(name, hf_sprintf(g->a, "%s^{}", ref));
		if (peeled || (found == NULL && hf_str_is(name, ref)))
			found = hf_strndup(g->a, line.p, (size_t)(tab - line.p));
	}
	return found;
}

/* The commit version names at the remote; version itself where it is no branch and no tag there. */
static int remote_commit(struct git *g, const char **ret, bool *ret_named)
{
	struct hf_proc_result r;
	const char *version = g->p->version;
	if (ret_named != NULL)
		*ret_named = true;
	int result = GIT_MUST(g, NULL, &r, "ls-remote", g->repo);
	if (result < 0)
		return result;
	const char *found = strcmp(version, "HEAD") == 0
				    ? ref_in(g, r.out, "HEAD")
				    : ref_in(g, r.out, hf_sprintf(g->a, "refs/heads/%s", version));
	if (found == NULL)
		found = ref_in(g, r.out, hf_sprintf(g->a, "refs/tags/%s", version));
	if (found == NULL && strcmp(version, "HEAD") == 0)
		return git_failed(g, &r, "Could not determine remote revision for HEAD");
	if (found == NULL && ret_named != NULL)
		*ret_named = false;
	*ret = found != NULL ? found : version;
	return 0;
}

static int head_commit(struct git *g, const char **ret)
{
	struct hf_proc_result r;
	int result = GIT(g, g->p->dest, &r, "rev-parse", "HEAD");
	if (result == 0)
		*ret = r.status == 0 ? out_line(g, &r) : "HEAD";
	return result;
}

static int local_changes(struct git *g)
{
	struct hf_proc_result r;
	if (g->p->bare == HF_YES)
		return 0;
	int result = GIT_MUST(g, g->p->dest, &r, "status", "--porcelain");
	if (result < 0)
		return result;
	struct hf_str rest = r.out, line;
	while (hf_str_split(&rest, '\n', &line))
		g->local_changes = g->local_changes || (line.n > 0 && !hf_str_starts(line, "??"));
	if (g->local_changes && g->p->force != HF_YES)
		return hf_fail(g->err, HF_E_TASK,
			"Local modifications exist in the destination: %s (force=no).", g->p->dest);
	return 0;
}

static int remote_url(struct git *g)
{
	struct hf_proc_result r;
	int result = GIT(g, g->p->dest, &r, "ls-remote", "--get-url", g->p->remote);
	if (result == 0 && r.status == 0)
		g->url_changed = strcmp(out_line(g, &r), g->repo) != 0;
	hf_result_bool(g->c, g->change, "remote_url_changed", g->url_changed);
	return result;
}

static int submodules_differ(struct git *g, bool *ret)
{
	struct hf_proc_result r;
	*ret = false;
	if (g->p->recursive != HF_YES || g->p->bare == HF_YES ||
		!hf_fs_exists(hf_path_join(g->a, g->p->dest, ".gitmodules")))
		return 0;
	int result = GIT_MUST(g, g->p->dest, &r, "submodule", "status");
	struct hf_str rest = r.out, line;
	while (result == 0 && hf_str_split(&rest, '\n', &line))
		*ret = *ret || (line.n > 0 && line.p[0] != ' ');
	return result;
}

static void put_before(struct git *g, const char *after)
{
	hf_result_put(g->c, g->change, "before",
		g->before != NULL ? hf_value_cstr(g->a, g->before) : hf_value_null(g->a));
	hf_result_cstr(g->c, g->change, "after", after);
}

static void git_diff(struct git *g, const char *after)
{
	if (!hf_task_diff(g->c))
		return;
	const char *text = g->before == NULL ? hf_sprintf(g->a, ">> Newly checked out %s", after)
					     : hf_sprintf(g->a, ">> %s is to become %s", g->before, after);
	struct hf_value *diff = hf_value_dict(g->a);
	hf_dict_put(diff, "prepared", hf_value_cstr(g->a, text));
	hf_list_append(g->change->diff, diff);
}

static int look_missing(struct git *g)
{
	const char *after = NULL;
	int result = remote_commit(g, &after, NULL);
	if (result < 0)
		return result;
	put_before(g, after);
	git_diff(g, after);
	g->change->changed = true;
	return 0;
}

static int look_present(struct git *g)
{
	const char *after = NULL;
	bool modules = false;
	int result = head_commit(g, &g->before);
	if (result < 0)
		return result;
	hf_result_cstr(g->c, g->change, "before", g->before);
	if (g->p->update != HF_YES) {
		put_before(g, g->before);
		return 0;
	}
	result = local_changes(g);
	if (result == 0)
		result = remote_url(g);
	if (result == 0)
		result = remote_commit(g, &after, NULL);
	if (result == 0)
		result = submodules_differ(g, &modules);
	if (result < 0)
		return result;
	/* A commit may be named by its first digits. */
	bool same = strcmp(g->before, after) == 0 ||
		    (strlen(after) >= 7 && strncmp(g->before, after, strlen(after)) == 0);
	g->change->changed = !same || g->url_changed || g->local_changes || modules;
	if (g->change->changed)
		git_diff(g, after);
	put_before(g, same ? g->before : after);
	return 0;
}

static int git_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct git *g = change->state = hf_new(a, struct git);
	*g = (struct git){ .c = c, .a = a, .p = params, .change = change, .err = err };
	int result = git_begin(g);
	if (result < 0)
		return result;
	result = g->present ? look_present(g) : look_missing(g);
	change->changed = change->changed || (result == 0 && g->present && g->separate != NULL);
	return result;
}

/* History to leave out, and the one branch to take. */
static void clone_extent(struct git *g, struct words *words, bool named)
{
	const struct params *p = g->p;
	bool head = strcmp(p->version, "HEAD") == 0,
	     shallow = p->depth > 0 && (head || p->refspec != NULL || named);
	if (shallow) {
		word_add(words, "--depth");
		word_add(words, hf_sprintf(g->a, "%lld", (long long)p->depth));
	} else if (p->depth > 0) {
		hf_task_warn(g->c, "Ignoring depth argument. Shallow clones are only available for HEAD, "
				   "branches, tags or "
				   "in combination with refspec.");
	}
	if ((shallow || p->single_branch == HF_YES) && !head && named) {
		word_add(words, "--branch");
		word_add(words, p->version);
	}
	if (p->single_branch == HF_YES)
		word_add(words, "--single-branch");
}

static int clone_new(struct git *g, bool named)
{
	const struct params *p = g->p;
	struct hf_proc_result r;
	struct words words = { { "clone" }, 1 };
	word_add(&words, p->bare == HF_YES ? "--bare" : "--origin");
	if (p->bare != HF_YES)
		word_add(&words, p->remote);
	clone_extent(g, &words, named);
	if (p->reference != NULL) {
		word_add(&words, "--reference");
		word_add(&words, p->reference);
	}
	if (g->separate != NULL) {
		word_add(&words, "--separate-git-dir");
		word_add(&words, g->separate);
	}
	word_add(&words, g->repo);
	word_add(&words, p->dest);
	const char *parent = hf_path_dir(g->a, p->dest);
	int result = *parent != '\0' ? hf_fs_mkdirs(parent, 0777, g->err) : 0;
	if (result == 0)
		result = git_must(g, NULL, &r, words.at);
	if (result == 0 && p->refspec != NULL)
		result = GIT_MUST(g, p->dest, &r, "fetch", p->remote, p->refspec);
	return result;
}

static int fetch_new(struct git *g, bool branch)
{
	const struct params *p = g->p;
	struct hf_proc_result r;
	struct words words = { { "fetch" }, 1 };
	bool shallow = p->depth > 0 && (branch || p->refspec != NULL);
	if (shallow) {
		word_add(&words, "--depth");
		word_add(&words, hf_sprintf(g->a, "%lld", (long long)p->depth));
	} else if (p->bare != HF_YES) {
		word_add(&words, "--tags");
	}
	if (p->force == HF_YES)
		word_add(&words, "--force");
	word_add(&words, p->remote);
	if (shallow && p->refspec == NULL)
		word_add(&words, hf_sprintf(g->a, "+refs/heads/%s:refs/remotes/%s/%s", p->version, p->remote,
					 p->version));
	if (!shallow && p->bare == HF_YES) {
		word_add(&words, "+refs/heads/*:refs/heads/*");
		word_add(&words, "+refs/tags/*:refs/tags/*");
	}
	if (p->refspec != NULL)
		word_add(&words, p->refspec);
	int result = git_call(g, p->dest, &r, words.at);
	if (result == 0 && r.status != 0)
		return git_failed(g, &r,
			hf_sprintf(g->a, "Failed to download remote objects and refs: %.*s %.*s",
				HF_STR_ARG(r.out), HF_STR_ARG(r.err)));
	return result;
}

/* The branch HEAD means: the one checked out, or the remote's own where none is. */
static int head_branch(struct git *g, const char **ret)
{
	struct hf_proc_result r;
	const struct params *p = g->p;
	int result = GIT(g, p->dest, &r, "symbolic-ref", "--short", "-q", "HEAD");
	if (result == 0 && r.status != 0)
		result = GIT(g, p->dest, &r, "symbolic-ref", "--short", "-q",
			hf_sprintf(g->a, "refs/remotes/%s/HEAD", p->remote));
	if (result < 0)
		return result;
	const char *branch = out_line(g, &r);
	size_t n = strlen(p->remote);
	*ret = strncmp(branch, p->remote, n) == 0 && branch[n] == '/' ? branch + n + 1 : branch;
	return 0;
}

static int ref_exists(struct git *g, const char *ref, bool *ret)
{
	struct hf_proc_result r;
	int result = GIT(g, g->p->dest, &r, "rev-parse", "--verify", "-q", ref);
	*ret = result == 0 && r.status == 0;
	return result;
}

/* Put the working tree at version. */
static int version_switch(struct git *g)
{
	const struct params *p = g->p;
	struct hf_proc_result r = { 0 };
	const char *branch = p->version;
	bool head = strcmp(branch, "HEAD") == 0, at_remote = false, here = false;
	int result = head ? head_branch(g, &branch) : 0;
	if (result < 0)
		return result;
	const char *tracking = hf_sprintf(g->a, "%s/%s", p->remote, branch);
	result = ref_exists(g, hf_sprintf(g->a, "refs/remotes/%s", tracking), &at_remote);
	if (result == 0)
		result = ref_exists(g, hf_sprintf(g->a, "refs/heads/%s", branch), &here);
	if (result < 0)
		return result;
	if (at_remote && !here)
		result = GIT(g, p->dest, &r, "checkout", "--force", "--track", "-b", branch, tracking);
	else
		result = GIT(g, p->dest, &r, "checkout", "--force", branch);
	if (result == 0 && r.status == 0 && at_remote && here)
		result = GIT(g, p->dest, &r, "reset", "--hard", tracking, "--");
	if (result == 0 && r.status != 0)
		return git_failed(
			g, &r, hf_sprintf(g->a, "Failed to checkout %s%s", head ? "branch " : "", branch));
	return result;
}

static int signature_verify(struct git *g)
{
	struct hf_proc_result r;
	if (g->p->verify_commit != HF_YES)
		return 0;
	int result = GIT(g, g->p->dest, &r, "cat-file", "-t", g->p->version);
	if (result < 0)
		return result;
	bool tag = strcmp(out_line(g, &r), "tag") == 0;
	result = GIT(g, g->p->dest, &r, tag ? "verify-tag" : "verify-commit", g->p->version);
	if (result == 0 && r.status != 0)
		return git_failed(g, &r,
			hf_sprintf(
				g->a, "Failed to verify GPG signature of commit/tag \"%s\"", g->p->version));
	return result;
}

static int submodules_update(struct git *g)
{
	struct hf_proc_result r;
	const struct params *p = g->p;
	if (p->recursive != HF_YES || p->bare == HF_YES ||
		!hf_fs_exists(hf_path_join(g->a, p->dest, ".gitmodules")))
		return 0;
	int result = GIT_MUST(g, p->dest, &r, "submodule", "sync");
	if (result == 0 && p->track_submodules == HF_YES)
		result = GIT_MUST(g, p->dest, &r, "submodule", "update", "--init", "--recursive", "--remote");
	else if (result == 0)
		result = GIT_MUST(g, p->dest, &r, "submodule", "update", "--init", "--recursive");
	return result;
}

/* What is there already: discard, point at the right place, fetch. */
static int update_present(struct git *g, bool named)
{
	struct hf_proc_result r;
	int result = 0;
	if (g->local_changes) {
		result = GIT_MUST(g, g->p->dest, &r, "reset", "--hard", "HEAD");
		hf_result_cstr(g->c, g->change, "msg",
			hf_sprintf(g->a, "Local modifications exist in the destination: %s", g->p->dest));
	}
	if (result == 0 && g->url_changed)
		result = GIT_MUST(g, g->p->dest, &r, "remote", "set-url", g->p->remote, g->repo);
	return result < 0 ? result : fetch_new(g, named && strcmp(g->p->version, "HEAD") != 0);
}

/* Clone or fetch, and check out what is wanted. */
static int repository_write(struct git *g)
{
	const char *remote = NULL;
	bool named = false;
	int result = remote_commit(g, &remote, &named);
	if (result == 0)
		result = g->present ? update_present(g, named) : clone_new(g, named);
	if (result == 0 && g->p->bare != HF_YES)
		result = version_switch(g);
	if (result == 0)
		result = signature_verify(g);
	return result < 0 ? result : submodules_update(g);
}

static int git_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct git *g = change->state;
	const char *after = NULL;
	g->err = err;
	if (!g->present && g->p->clone != HF_YES)
		return 0;
	int result = g->present && g->separate != NULL ? git_dir_move(g) : 0;
	if (result < 0 || (g->present && g->p->update != HF_YES))
		return result;
	result = repository_write(g);
	if (result == 0)
		result = head_commit(g, &after);
	if (result == 0)
		put_before(g, after);
	change->changed = result == 0;
	return result;
}

static int git_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct git *g = change->state;
	const char *dest = g->p->dest;
	if (dest == NULL)
		return 0;
	struct hf_value *step = hf_value_dict(g->a);
	hf_dict_put(step, "dest", hf_value_cstr(g->a, dest));
	if (g->separate != NULL) {
		hf_dict_put(step, "git_dir", hf_value_cstr(g->a, g->separate));
		if (g->present)
			hf_dict_put(step, "git_dir_before", hf_value_cstr(g->a, g->git_dir));
		int result = hf_file_undo_new(undo, g->a, hf_path_dir(g->a, g->separate), err);
		if (result < 0)
			return result;
	}
	if (g->present) {
		if (g->local_changes)
			hf_undo_impossible(undo, "local changes in the working copy are discarded");
		hf_dict_put(step, "commit", hf_value_cstr(g->a, g->before));
	} else {
		/* git clones into a directory that is missing or empty: what is in it afterwards is git's. */
		int result = hf_fs_is_dir(dest) ? hf_undo_file(undo, dest, err)
						: hf_file_undo_new(undo, g->a, hf_path_dir(g->a, dest), err);
		if (result < 0)
			return result;
	}
	hf_undo_step(undo, step);
	return 0;
}

static int git_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const char *dest = hf_dict_cstr(step, "dest", NULL), *commit = hf_dict_cstr(step, "commit", NULL);
	if (dest == NULL)
		return hf_fail(err, HF_E_PARSE, "the step names no directory");
	struct hf_arena *a = hf_task_arena(c);
	const char *separate = hf_dict_cstr(step, "git_dir", NULL),
		   *git_dir = hf_dict_cstr(step, "git_dir_before", NULL);
	int result = separate != NULL ? hf_git_dir_restore(a, dest, git_dir, separate, err) : 0;
	if (result < 0)
		return result;
	if (commit == NULL)
		return hf_fs_remove_tree(dest, err);
	const char *const argv[] = { "git", "-C", dest, "reset", "--hard", commit, "--", NULL };
	return hf_proc_output(a, argv, NULL, err);
}

static void git_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	if (p->dest != NULL)
		hf_watch_tree(w, p->dest);
	if (p->separate_git_dir != NULL)
		hf_watch_tree(w, p->separate_git_dir);
}

const struct hf_module hf_module_git = {
	.name = "git",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.check = git_check,
	.apply = git_apply,
	.undo = git_undo,
	.restore = git_restore,
	.watch = git_watch,
};
