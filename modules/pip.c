/* modules/pip.c - Python packages, through pip. What is installed is read from the package folders, so a task
 * that finds everything in place starts no Python. */
#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/engine/version_order.h"
#include "modules/host.h"

static const char *const states[] = { "present", "absent", "latest", "forcereinstall", NULL };
struct params {
	struct hf_value *name;
	const char *version, *requirements, *virtualenv, *virtualenv_command, *virtualenv_python, *state,
		*extra_args;
	const char *chdir, *executable, *umask;
	int virtualenv_site_packages, editable, break_system_packages;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_LIST, AT(name), .elements = HF_ARG_STR },
	{ "version", HF_ARG_STR, AT(version) },
	{ "requirements", HF_ARG_STR, AT(requirements) },
	{ "virtualenv", HF_ARG_PATH, AT(virtualenv) },
	{ "virtualenv_site_packages", HF_ARG_BOOL, AT(virtualenv_site_packages), .dflt = "no" },
	{ "virtualenv_command", HF_ARG_PATH, AT(virtualenv_command), .dflt = "virtualenv" },
	{ "virtualenv_python", HF_ARG_STR, AT(virtualenv_python) },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ "extra_args", HF_ARG_STR, AT(extra_args) },
	{ "editable", HF_ARG_BOOL, AT(editable), .dflt = "no" },
	{ "chdir", HF_ARG_PATH, AT(chdir) },
	{ "executable", HF_ARG_PATH, AT(executable) },
	{ "umask", HF_ARG_STR, AT(umask) },
	{ "break_system_packages", HF_ARG_BOOL, AT(break_system_packages), .dflt = "no" },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_ONE_OF, ALIASES("name", "requirements") },
	{ HF_RULE_EXCLUSIVE, ALIASES("name", "requirements") },
	{ HF_RULE_EXCLUSIVE, ALIASES("executable", "virtualenv") },
	{ HF_RULE_END },
};
enum { PACKAGES_MAX = 100000 };

struct plan {
	const char *env; /* virtualenv; NULL: none */
	bool make_env;
	struct hf_value *before; /* name → version */
};

/* "Foo_Bar.baz" → "foo-bar-baz" */
static const char *canonical(struct hf_arena *a, struct hf_str name)
{
	char *out = hf_alloc(a, name.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < name.n; i++) {
		bool gap = strchr("-_.", name.p[i]) != NULL;
		if (!gap)
			out[n++] = (char)tolower((unsigned char)name.p[i]);
		else if (n > 0 && out[n - 1] != '-')
			out[n++] = '-';
	}
	out[n] = '\0';
	return out;
}

/* NAME-VERSION.dist-info and NAME-VERSION[-pyX.Y].egg-info in one folder. */
static void folder_read(struct hf_arena *a, const char *folder, struct hf_value *packages)
{
	hf_auto_dir dir = opendir(folder);
	for (int i = 0; dir != NULL && i < PACKAGES_MAX; i++) {
		struct dirent *entry = readdir(dir);
		if (entry == NULL)
			break;
		struct hf_str name = hf_str(entry->d_name);
		bool info = hf_str_ends(name, ".dist-info"), egg = hf_str_ends(name, ".egg-info");
		const char *dash = info || egg ? strchr(entry->d_name, '-') : NULL;
		if (dash == NULL)
			continue;
		size_t end = name.n - (info ? strlen(".dist-info") : strlen(".egg-info"));
		size_t start = (size_t)(dash - entry->d_name) + 1;
		struct hf_str version = hf_strn(entry->d_name + start, end > start ? end - start : 0);
		const char *python = memmem(version.p, version.n, "-py", 3);
		if (egg && python != NULL)
			version.n = (size_t)(python - version.p);
		const char *key = canonical(a, hf_strn(entry->d_name, start - 1));
		if (hf_dict_get(packages, key) == NULL)
			hf_dict_put(packages, key, hf_value_str(a, version));
	}
}

static const char *prefix_of(struct hf_arena *a, const struct params *p, const char *env)
{
	if (env != NULL)
		return env;
	const char *program = p->executable == NULL || p->executable[0] != '/' ? NULL : p->executable;
	return program == NULL ? "/usr" : hf_path_dir(a, hf_path_dir(a, program));
}

static struct hf_value *packages_read(struct hf_arena *a, const struct params *p, const char *env)
{
	struct hf_value *packages = hf_value_dict(a);
	const char *prefix = prefix_of(a, p, env);
	bool system = strcmp(prefix, "/usr") == 0;
	const char *const patterns[] = { hf_sprintf(a, "%s/lib/python3*/site-packages", prefix),
		hf_sprintf(a, "%s/lib64/python3*/site-packages", prefix),
		system ? "/usr/local/lib/python3*/dist-packages" : NULL,
		system ? "/usr/local/lib/python3*/site-packages" : NULL,
		system ? "/usr/lib/python3*/dist-packages" : NULL };
	for (size_t i = 0; i < HF_COUNT(patterns); i++) {
		glob_t found;
		if (patterns[i] == NULL || glob(patterns[i], 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++)
			folder_read(a, found.gl_pathv[k], packages);
		globfree(&found);
	}
	return packages;
}

/* One clause such as ">=1.2"; unknown operators never hold, so that pip decides. below, equal, above: the
 * orders of what is installed to what is named that fit. */
static bool clause_holds(struct hf_arena *a, const char *have, struct hf_str clause)
{
	static const struct {
		const char *word;
		bool below, equal, above;
	} operators[] = { { "===", false, true, false }, { "==", false, true, false },
		{ ">=", false, true, true }, { "<=", true, true, false }, { "!=", true, false, true },
		{ "<", true, false, false }, { ">", false, false, true } };
	clause = hf_str_trim(clause);
	for (size_t i = 0; i < HF_COUNT(operators); i++) {
		size_t n = strlen(operators[i].word);
		int order;
		if (!hf_str_starts(clause, operators[i].word))
			continue;
		struct hf_str want = hf_str_trim(hf_strn(clause.p + n, clause.n - n));
		if (memchr(want.p, '*', want.n) != NULL ||
			hf_version_order(HF_VERSION_PEP440, hf_str(have), hf_str(hf_str_dup(a, want)), &order,
				NULL) < 0)
			return false;
		return order < 0 ? operators[i].below : order > 0 ? operators[i].above : operators[i].equal;
	}
	return false;
}

enum verdict { SATISFIED, MISSING, PIP_DECIDES };

/* A requirement such as "name", "name==1.2", "name>=1,<2". Extras, addresses and markers are pip's to judge.
 */
static enum verdict requirement_look(struct hf_arena *a, const struct hf_value *packages, const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
	struct hf_str rest = hf_str_trim(hf_str(text + n)), clause;
	if (n == 0 || strpbrk(text, "[];@/:#") != NULL || text[0] == '-' || text[0] == '.')
		return PIP_DECIDES;
	const char *have = hf_dict_cstr(packages, canonical(a, hf_strn(text, n)), NULL);
	if (have == NULL)
		return MISSING;
	while (rest.n > 0 && hf_str_split(&rest, ',', &clause))
		if (!clause_holds(a, have, clause))
			return hf_str_starts(hf_str_trim(clause), "~=") ? PIP_DECIDES : MISSING;
	return SATISFIED;
}

static const char *with_version(struct hf_arena *a, const struct params *p, const char *name)
{
	if (p->version == NULL)
		return name;
	const char *version = p->version + strspn(p->version, " ");
	return hf_sprintf(a, isdigit((unsigned char)version[0]) ? "%s==%s" : "%s%s", name, version);
}

static bool arguments_force(const struct params *p)
{
	static const char *const words[] = { "-U", "--upgrade", "--force-reinstall", "-I",
		"--ignore-installed", "-e", "--pre", NULL };
	for (size_t i = 0; p->extra_args != NULL && words[i] != NULL; i++)
		if (strstr(p->extra_args, words[i]) != NULL)
			return true;
	return p->editable == HF_YES;
}

static enum verdict names_look(
	struct hf_arena *a, const struct params *p, const struct hf_value *packages, bool absent)
{
	enum verdict all = SATISFIED;
	for (size_t i = 0; p->name != NULL && i < hf_list_len(p->name); i++) {
		enum verdict one =
			requirement_look(a, packages, with_version(a, p, hf_list_at(p->name, i)->u.string.p));
		if (absent && one != PIP_DECIDES)
			one = one == SATISFIED ? MISSING : SATISFIED;
		if (one != SATISFIED && all != MISSING)
			all = one;
	}
	return all;
}

static enum verdict file_look(struct hf_arena *a, const struct params *p, const struct hf_value *packages)
{
	const char *path = hf_path_join(a, p->chdir == NULL ? "" : p->chdir, p->requirements);
	struct hf_str text, line;
	enum verdict all = SATISFIED;
	if (hf_fs_read(a, path, HF_EDIT_MAX, &text, NULL) < 0)
		return PIP_DECIDES;
	while (hf_str_split(&text, '\n', &line)) {
		line = hf_str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		const char *hash = memmem(line.p, line.n, " #", 2);
		if (hash != NULL)
			line = hf_str_trim(hf_strn(line.p, (size_t)(hash - line.p)));
		enum verdict one = requirement_look(a, packages, hf_str_dup(a, line));
		if (one != SATISFIED && all != MISSING)
			all = one;
	}
	return all;
}

static struct hf_value *text_or_null(struct hf_arena *a, const char *text)
{
	return text == NULL ? hf_value_null(a) : hf_value_cstr(a, text);
}

/* What is forced or shall be the latest counts as wanted at all where the agent looks. */
static enum verdict look(struct hf_module_context *c, const struct params *p, const struct plan *plan)
{
	struct hf_arena *a = hf_task_arena(c);
	bool absent = strcmp(p->state, "absent") == 0, present = strcmp(p->state, "present") == 0;
	bool forced = arguments_force(p) || (!present && !absent);
	if ((forced && hf_task_acts(c)) || (absent && p->requirements != NULL))
		return PIP_DECIDES;
	return p->name != NULL ? names_look(a, p, plan->before, absent) : file_look(a, p, plan->before);
}

static int pip_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct plan *plan = hf_new(a, struct plan);
	change->state = plan;
	if (p->version != NULL && strcmp(p->state, "latest") == 0)
		return hf_fail(err, HF_E_TASK, "version is incompatible with state=latest");
	if (p->version != NULL && p->name != NULL && hf_list_len(p->name) > 1)
		return hf_fail(err, HF_E_TASK,
			"'version' argument is ambiguous when installing multiple package distributions. "
			"Please specify version restrictions next to each package in 'name' argument.");
	plan->env = p->virtualenv == NULL ? NULL
					  : hf_path_join(a, p->chdir == NULL ? "" : p->chdir, p->virtualenv);
	plan->make_env = plan->env != NULL && !hf_fs_exists(hf_sprintf(a, "%s/bin/activate", plan->env));
	plan->before = packages_read(a, p, plan->env);
	enum verdict verdict = look(c, p, plan);
	bool likely = verdict == PIP_DECIDES && hf_task_check_mode(c) && hf_task_acts(c);
	change->changed = verdict == MISSING || plan->make_env || likely;
	change->unknown = verdict == PIP_DECIDES;
	hf_result_put(c, change, "name", p->name == NULL ? hf_value_null(a) : p->name);
	hf_result_put(c, change, "version", text_or_null(a, p->version));
	hf_result_cstr(c, change, "state", p->state);
	hf_result_put(c, change, "requirements", text_or_null(a, p->requirements));
	hf_result_put(c, change, "virtualenv", text_or_null(a, plan->env));
	return 0;
}

/* The pip to run: the environment's, the one named, or the system's. */
static const char *program(struct hf_module_context *c, const char *env, const char *executable)
{
	struct hf_arena *a = hf_task_arena(c);
	if (env != NULL)
		return hf_sprintf(a, "%s/bin/pip", env);
	if (executable != NULL)
		return executable[0] == '/' ? executable : hf_proc_which(a, executable);
	const char *found = hf_proc_which(a, "pip3");
	return found != NULL ? found : hf_proc_which(a, "pip");
}

static int run(struct hf_module_context *c, const struct params *p, const char *env, const struct hf_words *w,
	struct hf_proc_result *ran, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words vars = { .arena = a };
	const char *const *own = hf_task_env(c);
	char *end;
	for (size_t i = 0; own != NULL && own[i] != NULL; i++)
		if (env != NULL && strncmp(own[i], "PATH=", 5) == 0)
			hf_words_addf(&vars, "PATH=%s/bin:%s", env, own[i] + 5);
		else
			hf_words_add(&vars, own[i]);
	if (p->break_system_packages == HF_YES)
		hf_words_add(&vars, "PIP_BREAK_SYSTEM_PACKAGES=1");
	struct hf_proc_spec spec = { .argv = w->at,
		.env = vars.at,
		.dir = p->chdir == NULL ? "/tmp" : p->chdir,
		.umask = p->umask == NULL ? HF_PROC_KEEP_UMASK : (mode_t)strtoul(p->umask, &end, 8) };
	return hf_task_run(c, &spec, ran, err);
}

static int env_make(
	struct hf_module_context *c, const struct params *p, const struct plan *plan, struct hf_error *err)
{
	struct hf_words w = { .arena = hf_task_arena(c) };
	struct hf_proc_result ran;
	int r = hf_words_split(&w, p->virtualenv_command, err);
	bool venv = strstr(p->virtualenv_command, "venv") != NULL &&
		    strstr(p->virtualenv_command, "virtualenv") == NULL;
	if (r < 0)
		return r;
	if (p->virtualenv_site_packages == HF_YES)
		hf_words_add(&w, "--system-site-packages");
	if (p->virtualenv_python != NULL && venv)
		return hf_fail(err, HF_E_TASK,
			"virtualenv_python should not be used when using the venv module or pyvenv as "
			"virtualenv_command");
	if (p->virtualenv_python != NULL)
		hf_words_addf(&w, "-p%s", p->virtualenv_python);
	hf_words_add(&w, plan->env);
	r = run(c, p, NULL, &w, &ran, err);
	if (r == 0 && ran.status != 0)
		r = hf_fail(err, HF_E_TASK, "'%s' failed: %.*s", hf_words_line(&w),
			HF_STR_ARG(hf_str_trim(ran.err.n > 0 ? ran.err : ran.out)));
	return r;
}

static int words_make(struct hf_module_context *c, const struct params *p, const struct plan *plan,
	struct hf_words *w, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *pip = program(c, plan->env, p->executable);
	if (pip == NULL)
		return hf_fail(
			err, HF_E_TASK, "Unable to find any of pip3 to use.  pip needs to be installed.");
	bool absent = strcmp(p->state, "absent") == 0, force = strcmp(p->state, "forcereinstall") == 0;
	*w = hf_words(a, pip, absent ? "uninstall" : "install", NULL);
	if (absent)
		hf_words_add(w, "-y");
	else if (force || strcmp(p->state, "latest") == 0)
		hf_words_add(w, "-U");
	if (force)
		hf_words_add(w, "--force-reinstall");
	int r = p->extra_args == NULL ? 0 : hf_words_split(w, p->extra_args, err);
	if (p->editable == HF_YES && (p->extra_args == NULL || strstr(p->extra_args, "-e") == NULL))
		hf_words_add(w, "-e");
	for (size_t i = 0; p->name != NULL && i < hf_list_len(p->name); i++)
		hf_words_add(w, with_version(a, p, hf_list_at(p->name, i)->u.string.p));
	if (p->requirements != NULL) {
		hf_words_add(w, "-r");
		hf_words_add(w, p->requirements);
	}
	return r;
}

static int pip_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w;
	struct hf_proc_result ran;
	int r = plan->make_env ? env_make(c, p, plan, err) : 0;
	if (r == 0)
		r = words_make(c, p, plan, &w, err);
	if (r == 0)
		r = run(c, p, plan->env, &w, &ran, err);
	if (r < 0)
		return r;
	struct hf_value *cmd = hf_value_list(a);
	for (size_t i = 0; i < w.n; i++)
		hf_list_append(cmd, hf_value_cstr(a, w.at[i]));
	hf_result_put(c, change, "cmd", cmd);
	hf_result_put(c, change, "stdout", hf_value_str(a, ran.out));
	hf_result_put(c, change, "stderr", hf_value_str(a, ran.err));
	bool absent = strcmp(p->state, "absent") == 0;
	bool gone = absent && ran.status == 1 && hf_str_find(ran.err, HF_STR("not installed"), 0) != SIZE_MAX;
	if (ran.status != 0 && !gone)
		return hf_fail(err, HF_E_TASK, "stdout: %.*s\n:stderr: %.*s", HF_STR_ARG(ran.out),
			HF_STR_ARG(ran.err));
	const char *mark = absent ? "Successfully uninstalled" : "Successfully installed";
	bool said = hf_str_find(ran.out, hf_str(mark), 0) != SIZE_MAX;
	if (p->requirements != NULL)
		said = !hf_value_equal(plan->before, packages_read(a, p, plan->env));
	change->changed = said || plan->make_env;
	return 0;
}

static int pip_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, plan->make_env ? "environment" : "pip");
	(void)err;
	hf_dict_put(step, "env", plan->env == NULL ? hf_value_null(a) : hf_value_cstr(a, plan->env));
	hf_dict_put(step, "executable",
		p->executable == NULL ? hf_value_null(a) : hf_value_cstr(a, p->executable));
	hf_dict_put(step, "packages", plan->before);
	hf_dict_put(step, "break", hf_value_bool(a, p->break_system_packages == HF_YES));
	hf_undo_step(undo, step);
	return 0;
}

static int restore_run(struct hf_module_context *c, const struct params *p, const char *env,
	const struct hf_words *w, struct hf_error *err)
{
	struct hf_proc_result ran;
	int r = run(c, p, env, w, &ran, err);
	if (r == 0 && ran.status != 0)
		r = hf_fail(err, HF_E_TASK, "'%s' failed: %.*s", hf_words_line(w),
			HF_STR_ARG(hf_str_trim(ran.err)));
	return r;
}

static int pip_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *env = hf_dict_cstr(step, "env", NULL);
	struct params p = { .executable = hf_dict_cstr(step, "executable", NULL),
		.break_system_packages = hf_dict_bool(step, "break", false) ? HF_YES : HF_NO };
	if (strcmp(hf_step_text(step, "what"), "environment") == 0)
		return env == NULL || env[0] != '/' ? 0 : hf_fs_remove_tree(env, err);
	const char *pip = program(c, env, p.executable);
	const struct hf_value *before = hf_dict_get(step, "packages");
	struct hf_value *now = packages_read(a, &p, env);
	struct hf_words off = hf_words(a, pip, "uninstall", "-y", NULL),
			on = hf_words(a, pip, "install", "--no-deps", NULL);
	if (pip == NULL)
		return hf_fail(err, HF_E_TASK, "there is no pip to put packages back with");
	HF_DICT_EACH (now, e) {
		if (hf_dict_get(before, hf_entry_key(e)->u.string.p) == NULL)
			hf_words_add(&off, hf_entry_key(e)->u.string.p);
	}
	HF_DICT_EACH (before, e) {
		const char *name = hf_entry_key(e)->u.string.p, *version = hf_entry_value(e)->u.string.p;
		if (!hf_same(hf_dict_cstr(now, name, NULL), version))
			hf_words_addf(&on, "%s==%s", name, version);
	}
	int r = off.n > 3 ? restore_run(c, &p, env, &off, err) : 0;
	return r < 0 || on.n <= 3 ? r : restore_run(c, &p, env, &on, err);
}

static void pip_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	if (p->virtualenv != NULL)
		hf_watch_path(w, hf_sprintf(hf_task_arena(c), "%s/bin/activate", p->virtualenv));
	hf_watch_poll(w, 600);
}

const struct hf_module hf_module_pip = {
	.name = "pip",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = pip_check,
	.apply = pip_apply,
	.undo = pip_undo,
	.restore = pip_restore,
	.watch = pip_watch,
};
