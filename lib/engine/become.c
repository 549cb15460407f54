#include "lib/engine/become.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/absent.h"
#include "lib/engine/args.h"

enum { ENVIRONMENT_MAX = 4 << 20, SOURCE_MAX = 1 << 30 };

/* What sudo gives a command where its configuration says nothing else. */
#define SECURE_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* --- what is asked for --- */

static int variable(struct hf_task *t, const char *name, struct hf_value **ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	t->run->scope = &t->scope;
	int r = hf_scope_lookup(&t->scope, hf_str(name), &v, err);
	if (r == 0 && v != NULL)
		r = hf_templar_value(t->run->templar, t->arena, v, NULL, &v, err);
	if (r == 0 && v != NULL && !hf_is(v, HF_NULL))
		*ret = v;
	return r;
}

/* Variables win over keywords, as for Ansible's connection settings; then what the command line says. */
static int setting(
	struct hf_task *t, enum hf_keyword k, const char *fallback, const char **ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = hf_task_keyword(t, k, &v, err);
	if (r == 0)
		r = variable(t, hf_sprintf(t->arena, "ansible_%s", hf_keyword_name(k)), &v, err);
	if (r < 0)
		return r;
	*ret = v == NULL || hf_is(v, HF_NULL) ? fallback : hf_value_text(t->arena, v).p;
	struct hf_value shown = { .type = HF_STRING, .u.string = hf_str(*ret == NULL ? "" : *ret) };
	const char *why = *ret == NULL ? NULL : hf_keyword_refused(t->arena, k, &shown);
	return why == NULL ? 0 : hf_fail_at(err, HF_E_UNSUPPORTED, t->node->pos, "%s", why);
}

static int wants(struct hf_task *t, bool *ret, struct hf_error *err)
{
	struct hf_value *v = NULL;
	int r = hf_task_flag(t, HF_KW_become, t->run->options->become, ret, err);
	if (r == 0)
		r = variable(t, "ansible_become", &v, err);
	if (r == 0 && v != NULL)
		*ret = hf_text_bool(hf_value_text(t->arena, v)) == HF_YES;
	return r;
}

/* Flags that change what the task sees; those that only say how to ask for a password change nothing here. */
static const struct flag {
	const char *name;
	bool of_su;
	enum { NOTHING, KEEP, LOGIN, SHELL } does;
} flags[] = {
	{ "-H", false, NOTHING },
	{ "--set-home", false, NOTHING },
	{ "-n", false, NOTHING },
	{ "--non-interactive", false, NOTHING },
	{ "-S", false, NOTHING },
	{ "--stdin", false, NOTHING },
	{ "-k", false, NOTHING },
	{ "-E", false, KEEP },
	{ "--preserve-env", false, KEEP },
	{ "-i", false, LOGIN },
	{ "--login", false, LOGIN },
	{ "-", true, LOGIN },
	{ "-l", true, LOGIN },
	{ "--login", true, LOGIN },
	{ "-m", true, KEEP },
	{ "-p", true, KEEP },
	{ "--preserve-environment", true, KEEP },
	{ "-s", true, SHELL },
	{ "-s", false, SHELL },
	{ "-c", true, NOTHING },
	{ "--command", true, NOTHING },
};

static const struct flag *flag_find(const char *name, bool su)
{
	for (size_t i = 0; i < HF_COUNT(flags); i++)
		if (flags[i].of_su == su && strcmp(flags[i].name, name) == 0)
			return &flags[i];
	return NULL;
}

/* "-HSn" is three flags. */
static int flag_take(struct hf_become *b, const char *word, bool su)
{
	const struct flag *f = flag_find(word, su);
	if (f != NULL) {
		b->keep_environment = b->keep_environment || f->does == KEEP;
		b->login = b->login || f->does == LOGIN;
		return 0;
	}
	if (word[0] != '-' || word[1] == '-' || strlen(word) < 3)
		return -1;
	for (size_t i = 1; word[i] != '\0'; i++) {
		char one[] = { '-', word[i], '\0' };
		f = flag_find(one, su);
		if (f == NULL || f->does == SHELL)
			return -1;
		flag_take(b, one, su);
	}
	return 0;
}

static int read_flags(struct hf_task *t, struct hf_become *b, const char *text, bool su, struct hf_error *err)
{
	struct hf_value *words = NULL;
	int r = hf_args_split(t->arena, hf_str(text), &words, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(words); i++) {
		const char *word = hf_list_at(words, i)->u.string.p;
		const struct flag *f = flag_find(word, su);
		if (f != NULL && f->does == SHELL && su && i + 1 < hf_list_len(words))
			b->shell = hf_list_at(words, ++i)->u.string.p;
		else if ((f != NULL && f->does == SHELL) || flag_take(b, word, su) < 0)
			return hf_fail_at(err, HF_E_UNSUPPORTED, t->node->pos,
				"become_flags: '%s' of %s is not supported: -H -S -n -E -i of sudo and -l -m "
				"-p -s of su are",
				word, su ? "su" : "sudo");
	}
	return r;
}

static bool is_self(const char *user)
{
	const struct passwd *p = getpwnam(user);
	return p != NULL && p->pw_uid == geteuid();
}

static int read_method(struct hf_task *t, struct hf_become *b, struct hf_error *err)
{
	const struct hf_run_options *o = t->run->options;
	const char *method = NULL, *exe = NULL, *text = NULL;
	int r = setting(
		t, HF_KW_become_method, o->become_method != NULL ? o->become_method : "sudo", &method, err);
	if (r == 0)
		r = setting(t, HF_KW_become_exe, NULL, &exe, err);
	if (r == 0)
		r = setting(t, HF_KW_become_flags, NULL, &text, err);
	if (r == 0 && text != NULL)
		r = read_flags(t, b, text, strcmp(hf_action_short(method), "su") == 0, err);
	if (r == 0)
		b->reset_environment = strcmp(hf_action_short(method), "sudo") == 0 && !b->keep_environment;
	return r;
}

int hf_become_read(struct hf_task *t, struct hf_become *ret, struct hf_error *err)
{
	const char *user = t->run->options->become_user;
	bool become = false;
	*ret = (struct hf_become){ 0 };
	int r = wants(t, &become, err);
	if (r == 0 && become)
		r = setting(t, HF_KW_become_user, user != NULL ? user : "root", &ret->user, err);
	if (r == 0 && become)
		r = read_method(t, ret, err);
	if (r < 0 || !become)
		return r;
	if (ret->user[0] == '\0')
		ret->user = "root";
	if (is_self(ret->user))
		ret->user = NULL;
	if (ret->user != NULL && geteuid() != 0)
		return hf_fail(err, HF_E_TASK,
			"cannot become user '%s': holdfast is not run as root (sudo holdfast apply …)",
			ret->user);
	return 0;
}

/* --- in the child --- */

static void reset_environment(struct hf_task *t)
{
	static const char *const kept[] = { "TERM", "COLORTERM", "LANG", "LANGUAGE", "LINGUAS", "TZ",
		"DISPLAY", "HOSTNAME", "KRB5CCNAME", "LS_COLORS", "PS1", "PS2", "XAUTHORITY",
		"XDG_CURRENT_DESKTOP", "COLORS" };
	HF_VEC(const char *) gone = { 0 };
	for (char **e = environ; *e != NULL; e++) {
		const char *name = hf_strndup(t->arena, *e, strcspn(*e, "="));
		bool keep = strncmp(name, "LC_", 3) == 0;
		for (size_t i = 0; !keep && i < HF_COUNT(kept); i++)
			keep = strcmp(kept[i], name) == 0;
		if (!keep)
			*hf_vec_push(t->arena, &gone) = name;
	}
	for (size_t i = 0; i < gone.n; i++)
		unsetenv(gone.at[i]);
	const struct passwd *us = getpwuid(getuid());
	setenv("SUDO_USER", us == NULL ? "root" : us->pw_name, 1);
	setenv("SUDO_UID", hf_sprintf(t->arena, "%u", getuid()), 1);
	setenv("SUDO_GID", hf_sprintf(t->arena, "%u", getgid()), 1);
	setenv("SUDO_COMMAND", "/bin/sh", 1);
	setenv("PATH", SECURE_PATH, 1);
}

static void own_environment(struct hf_task *t, const struct hf_become *b, const struct passwd *p)
{
	setenv("HOME", p->pw_dir, 1);
	setenv("SHELL", b->shell != NULL ? b->shell : p->pw_shell[0] == '\0' ? "/bin/sh" : p->pw_shell, 1);
	if (!b->reset_environment && p->pw_uid == 0)
		return; /* su to root leaves the names of who called */
	setenv("USER", p->pw_name, 1);
	setenv("LOGNAME", p->pw_name, 1);
	if (b->reset_environment)
		setenv("MAIL", hf_sprintf(t->arena, "/var/mail/%s", p->pw_name), 1);
}

/* The login shell says what a login would give. */
static int login_environment(struct hf_task *t, struct hf_error *err)
{
	const char *const argv[] = { getenv("SHELL"), "-l", "-c", "exec env -0", NULL };
	struct hf_proc_spec spec = { .argv = argv,
		.dir = getenv("HOME"),
		.max_output = ENVIRONMENT_MAX,
		.timeout_ms = 30000,
		.umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result result;
	struct hf_str row;
	int r = hf_proc_run(t->arena, &spec, &result, err);
	if (r < 0 || result.status != 0)
		return hf_fail(
			err, HF_E_TASK, "become_flags: the login shell %s gave no environment", argv[0]);
	clearenv();
	while (hf_str_split(&result.out, '\0', &row)) {
		size_t at = hf_str_find(row, HF_STR("="), 0);
		if (at != SIZE_MAX && at > 0)
			setenv(hf_strndup(t->arena, row.p, at),
				hf_strndup(t->arena, row.p + at + 1, row.n - at - 1), 1);
	}
	if (getenv("HOME") != NULL && chdir(getenv("HOME")) < 0)
		return hf_fail_errno(err, HF_E_TASK, "become_flags: chdir to the user's home");
	return 0;
}

int hf_become_enter(struct hf_task *t, const struct hf_become *b, struct hf_error *err)
{
	const struct passwd *p = getpwnam(b->user);
	if (p == NULL)
		return hf_fail(err, HF_E_TASK, "cannot become user '%s': there is no such user", b->user);
	if (b->reset_environment)
		reset_environment(t);
	if (!b->keep_environment || b->reset_environment)
		own_environment(t, b, p);
	if (initgroups(b->user, p->pw_gid) < 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0 ||
		setresuid(p->pw_uid, p->pw_uid, 0) < 0)
		return hf_fail_errno(err, HF_E_TASK, "cannot become user '%s'", b->user);
	t->become_uid = p->pw_uid;
	if (b->login)
		return login_environment(t, err);
	if (faccessat(AT_FDCWD, ".", X_OK, AT_EACCESS) < 0 && chdir("/") < 0)
		return hf_fail_errno(err, HF_E_TASK, "cannot become user '%s': chdir /", b->user);
	return 0;
}

/* Where it cannot be done the next thing that is opened says so. */
static void effective(uid_t uid)
{
	if (seteuid(uid) < 0)
		_exit(1);
}

void hf_become_raise(const struct hf_task *t)
{
	if (t->forked && t->become_uid != 0)
		effective(0);
}

void hf_become_lower(const struct hf_task *t)
{
	if (t->forked && t->become_uid != 0)
		effective(t->become_uid);
}

/* --- sources the user may not read --- */

static int copy_file(struct hf_task *t, const char *from, const char *to, mode_t mode, struct hf_error *err)
{
	struct hf_str text;
	hf_auto_arena a = hf_arena_new();
	int r = hf_fs_read(a, from, SOURCE_MAX, &text, err);
	if (r < 0)
		return r;
	struct hf_fs_attr attr = { mode & 07777, t->become_uid, HF_KEEP_GID, false };
	return hf_fs_replace(to, text, attr, err);
}

struct lend {
	struct hf_task *task;
	const char *to;
};

static int copy_visit(
	void *data, const char *path, const char *relative, const struct stat *st, struct hf_error *err)
{
	const struct lend *w = data;
	const char *to = relative[0] == '\0' ? w->to : hf_path_join(w->task->arena, w->to, relative);
	if (S_ISREG(st->st_mode))
		return copy_file(w->task, path, to, st->st_mode, err);
	if (S_ISLNK(st->st_mode)) {
		char target[4096];
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (n < 0 || symlink(target, to) < 0 || lchown(to, w->task->become_uid, (gid_t)-1) < 0)
			return hf_fail_errno(err, HF_E_IO, "link %s", to);
		return 0;
	}
	if (!S_ISDIR(st->st_mode))
		return 0;
	int r = hf_fs_mkdirs(to, st->st_mode & 07777, err);
	if (r == 0 && chown(to, w->task->become_uid, (gid_t)-1) < 0)
		return hf_fail_errno(err, HF_E_IO, "chown %s", to);
	return r;
}

static int lend_tree(struct hf_task *t, const char *from, struct hf_error *err)
{
	struct stat st;
	if (t->lent == NULL) {
		char *dir = hf_strdup(t->arena, "/tmp/.holdfast-XXXXXX");
		if (mkdtemp(dir) == NULL || chown(dir, t->become_uid, (gid_t)-1) < 0)
			return hf_fail_errno(err, HF_E_IO, "a place for sources in /tmp");
		t->lent = dir;
		t->lent_paths = hf_value_dict(t->arena);
	}
	char *dir = hf_sprintf(t->arena, "%s/%zu", t->lent, hf_dict_len(t->lent_paths));
	if (stat(from, &st) < 0 || mkdir(dir, 0700) < 0 || chown(dir, t->become_uid, (gid_t)-1) < 0)
		return hf_fail_errno(err, HF_E_IO, "lend %s", from);
	struct lend w = { t, hf_path_join(t->arena, dir, hf_path_base(from)) };
	int r = copy_visit(&w, from, "", &st, err);
	if (r == 0 && S_ISDIR(st.st_mode))
		r = hf_fs_walk(from, copy_visit, &w, err);
	hf_dict_put(t->lent_paths, hf_strdup(t->arena, from), hf_value_cstr(t->arena, w.to));
	return r;
}

int hf_become_lend(struct hf_task *t, char **path, struct hf_error *err)
{
	if (!t->forked || t->become_uid == 0 ||
		faccessat(AT_FDCWD, *path, hf_fs_is_dir(*path) ? R_OK | X_OK : R_OK, AT_EACCESS) == 0)
		return 0;
	int r = 0;
	if (t->lent_paths == NULL || hf_dict_get(t->lent_paths, *path) == NULL) {
		hf_become_raise(t);
		r = lend_tree(t, *path, err);
		hf_become_lower(t);
	}
	if (r == 0)
		*path = hf_strdup(t->arena, hf_dict_cstr(t->lent_paths, *path, *path));
	return r;
}

void hf_become_leave(struct hf_task *t)
{
	struct hf_error ignored; /* left behind at worst: a folder of the user's own in /tmp */
	hf_become_raise(t);
	if (t->lent != NULL && hf_fs_remove_tree(t->lent, &ignored) == 0)
		t->lent = NULL;
	hf_become_lower(t);
}
