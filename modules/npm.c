/* modules/npm.c - Node.js packages through npm: those of one project, or the global ones. */
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "modules/cmdline.h"
#include "modules/host.h"

static const char *const states[] = { "present", "absent", "latest", NULL };
struct params {
	const char *name, *path, *version, *executable, *registry, *state;
	enum hf_tristate global, production, ignore_scripts, unsafe_perm, ci, no_optional, no_bin_links,
		force;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .help = "The package; without it, what package.json names." },
	{ "path", HF_ARG_PATH, AT(path), .help = "The project's folder; needed unless global." },
	{ "version", HF_ARG_STR, AT(version), .help = "Of the package." },
	{ "global", HF_ARG_BOOL, AT(global), .dflt = "false", .help = "For the whole host." },
	{ "executable", HF_ARG_PATH, AT(executable),
		.help = "npm and words to put after it, such as one of nvm." },
	{ "ignore_scripts", HF_ARG_BOOL, AT(ignore_scripts), .dflt = "false",
		.help = "npm's --ignore-scripts." },
	{ "unsafe_perm", HF_ARG_BOOL, AT(unsafe_perm), .dflt = "false", .help = "npm's --unsafe-perm." },
	{ "ci", HF_ARG_BOOL, AT(ci), .dflt = "false",
		.help = "`npm ci`: exactly what package-lock.json has. Always a change." },
	{ "production", HF_ARG_BOOL, AT(production), .dflt = "false",
		.help = "Without the dependencies for development." },
	{ "registry", HF_ARG_STR, AT(registry), .help = "URL of the registry." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states, .help = "What is wanted." },
	{ "no_optional", HF_ARG_BOOL, AT(no_optional), .dflt = "false", .help = "npm's --no-optional." },
	{ "no_bin_links", HF_ARG_BOOL, AT(no_bin_links), .dflt = "false", .help = "npm's --no-bin-links." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false", .help = "npm's --force." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_IF, ALIASES("name"), .when = "state", .equals = "absent" },
	{ HF_RULE_END },
};
static const char *const plain[] = { "LANGUAGE=C", "LC_ALL=C", NULL };
static const char *const kept_files[] = { "package.json", "package-lock.json" };
enum { WORDS_MAX = 1000, PACKAGES_MAX = 100000 };

struct plan {
	const char *program;    /* with words after it, parted by blanks */
	const char *name;       /* with its version where one is wanted */
	const char *present;    /* version before; NULL: not there */
	const char *actions[2]; /* npm's words, in order */
};

static bool is(const struct params *p, const char *state)
{
	return strcmp(p->state, state) == 0;
}

/* The words every call has. what: npm's own, such as "list --json". */
static struct hf_words words(
	struct hf_arena *a, const struct params *p, const struct plan *plan, const char *what, bool named)
{
	struct hf_words w = { .arena = a };
	struct hf_str lists[] = { hf_str(plan->program), hf_str(what) }, word;
	bool brings = strcmp(what, "install") == 0 || strcmp(what, "update") == 0 || strcmp(what, "ci") == 0;
	for (size_t i = 0; i < HF_COUNT(lists); i++)
		while (lists[i].n > 0 && w.n < WORDS_MAX && hf_str_split(&lists[i], ' ', &word))
			hf_words_add(&w, hf_str_dup(a, word));
	const struct {
		bool wanted;
		const char *word, *value;
	} flags[] = {
		{ p->global == HF_YES, "--global", NULL },
		{ p->production == HF_YES && brings, "--production", NULL },
		{ p->ignore_scripts == HF_YES, "--ignore-scripts", NULL },
		{ p->unsafe_perm == HF_YES, "--unsafe-perm", NULL },
		{ named && plan->name != NULL, plan->name, NULL },
		{ p->registry != NULL, "--registry", p->registry },
		{ p->no_optional == HF_YES, "--no-optional", NULL },
		{ p->no_bin_links == HF_YES, "--no-bin-links", NULL },
		{ p->force == HF_YES, "--force", NULL },
	};
	for (size_t i = 0; i < HF_COUNT(flags); i++) {
		if (!flags[i].wanted)
			continue;
		hf_words_add(&w, flags[i].word);
		if (flags[i].value != NULL)
			hf_words_add(&w, flags[i].value);
	}
	return w;
}

/* Output of a call that only looks; empty where the project's folder is not there yet. */
static int look(struct hf_module_context *c, const struct params *p, const struct hf_words *w,
	struct hf_str *ret, struct hf_error *err)
{
	struct hf_proc_result ran;
	struct hf_words vars = { .arena = hf_task_arena(c) };
	const char *const *own = hf_task_env(c);
	*ret = HF_STR("");
	if (p->path != NULL && !hf_fs_exists(p->path))
		return 0;
	for (size_t i = 0; own != NULL && own[i] != NULL && i < WORDS_MAX; i++)
		hf_words_add(&vars, own[i]);
	for (size_t i = 0; plain[i] != NULL; i++)
		hf_words_add(&vars, plain[i]);
	struct hf_proc_spec spec = {
		.argv = w->at, .env = vars.at, .dir = p->path, .umask = HF_PROC_KEEP_UMASK
	};
	int r = hf_task_run(c, &spec, &ran, err);
	if (r == 0)
		*ret = ran.out;
	return r;
}

static bool says(const struct hf_value *package, const char *key)
{
	const struct hf_value *v = hf_is(package, HF_DICT) ? hf_dict_get(package, key) : NULL;
	return v != NULL && hf_value_truthy(v);
}

/* One row of `npm list`: true when it is there; notes the version before, and that the package wanted is
 * there. */
static bool row_there(struct hf_arena *a, const struct params *p, struct plan *plan, const char *name,
	const struct hf_value *row, bool *ret_named)
{
	if (says(row, "missing") || says(row, "invalid"))
		return false;
	const char *version = says(row, "version") ? hf_value_text(a, hf_dict_get(row, "version")).p : "";
	if (hf_same(name, p->name))
		plan->present = version;
	if (hf_same(name, plan->name) ||
		(*version != '\0' && hf_same(hf_sprintf(a, "%s@%s", name, version), plan->name)))
		*ret_named = true;
	return true;
}

/* What is there and whether anything is missing, as `npm list` tells. */
static int list_read(struct hf_module_context *c, const struct params *p, struct plan *plan,
	bool *ret_missing, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = words(a, p, plan, "list --json --long", false);
	struct hf_value *told = NULL;
	struct hf_str out;
	int r = look(c, p, &w, &out, err);
	if (r == 0 && hf_json_loads(a, out.n > 0 ? out : HF_STR("{}"), &told, err) < 0)
		return hf_wrap(err, "Failed to parse NPM output with error");
	if (r < 0)
		return r;
	const struct hf_value *all = hf_is(told, HF_DICT) ? hf_dict_get(told, "dependencies") : NULL;
	bool missing = false, named = plan->name == NULL;
	if (!hf_is(all, HF_DICT)) {
		*ret_missing = true;
		return 0;
	}
	HF_DICT_EACH (all, e) {
		const char *name = hf_value_text(a, hf_entry_key(e)).p;
		if (!row_there(a, p, plan, name, hf_entry_value(e), &named))
			missing = true;
	}
	*ret_missing = missing || !named;
	return 0;
}

static int plan_make(
	struct hf_module_context *c, const struct params *p, struct plan *plan, struct hf_error *err)
{
	bool missing = false;
	size_t n = 0;
	if (p->ci == HF_YES) {
		plan->actions[0] = "ci";
		return 0;
	}
	int r = list_read(c, p, plan, &missing, err);
	if (r < 0)
		return r;
	if (is(p, "absent")) {
		plan->actions[0] = plan->present != NULL ? "uninstall" : NULL;
		return 0;
	}
	struct hf_str out = HF_STR("");
	if (is(p, "latest")) {
		struct hf_words w = words(hf_task_arena(c), p, plan, "outdated", true);
		r = look(c, p, &w, &out, err);
	}
	if (missing)
		plan->actions[n++] = "install";
	if (hf_str_trim(out).n > 0)
		plan->actions[n++] = "update";
	return r;
}

static int npm_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct plan *plan = change->state = hf_new(a, struct plan);
	struct stat st;
	if (p->path == NULL && p->global != HF_YES)
		return hf_fail(err, HF_E_TASK, "path must be specified when not using global");
	if (p->version != NULL && p->name == NULL)
		return hf_fail(err, HF_E_TASK, "version is of a package: name must be given");
	if (p->path != NULL && stat(p->path, &st) == 0 && !S_ISDIR(st.st_mode))
		return hf_fail(err, HF_E_TASK, "path %s is not a directory", p->path);
	plan->program = p->executable;
	int r = p->executable == NULL ? hf_host_program(c, "npm", &plan->program, err) : 0;
	plan->name = p->name == NULL || p->version == NULL || is(p, "absent")
			     ? p->name
			     : hf_sprintf(a, "%s@%s", p->name, p->version);
	if (r == 0)
		r = plan_make(c, p, plan, err);
	change->changed = plan->actions[0] != NULL;
	return r;
}

static int npm_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	int r = p->path == NULL ? 0 : hf_fs_mkdirs(p->path, 0777, err);
	for (size_t i = 0; r == 0 && i < HF_COUNT(plan->actions) && plan->actions[i] != NULL; i++) {
		struct hf_words w = words(hf_task_arena(c), p, plan, plan->actions[i], true);
		r = hf_host_must(c, change, &w, p->path, plain, NULL, err);
	}
	return r;
}

/* A step that takes away what is not there yet: the topmost of the folders that will be made. */
static void tree_step(struct hf_module_context *c, struct hf_undo *undo, const char *path)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, "tree");
	const char *top = path;
	for (const char *up = hf_path_dir(a, top); *up != '\0' && !hf_fs_exists(up); up = hf_path_dir(a, up))
		top = up;
	hf_dict_put(step, "path", hf_value_cstr(a, top));
	hf_undo_step(undo, step);
}

static int npm_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	if (p->global == HF_YES && p->name == NULL) {
		hf_undo_impossible(undo, "what npm did to its global packages is not known one by one");
		return 0;
	}
	if (p->global == HF_YES) {
		struct hf_value *step = hf_step(c, "global");
		hf_dict_put(step, "program", hf_value_cstr(a, plan->program));
		hf_dict_put(step, "name", hf_value_cstr(a, p->name));
		hf_dict_put(step, "version", hf_value_cstr(a, plan->present == NULL ? "" : plan->present));
		hf_dict_put(step, "registry", hf_value_cstr(a, p->registry == NULL ? "" : p->registry));
		hf_undo_step(undo, step);
		return 0;
	}
	const char *modules = hf_path_join(a, p->path, "node_modules");
	int r = 0;
	if (hf_fs_exists(modules))
		r = hf_undo_tree(undo, modules, err);
	else
		tree_step(c, undo, modules);
	for (size_t i = 0; r == 0 && i < HF_COUNT(kept_files); i++)
		if (hf_fs_exists(p->path))
			r = hf_undo_file(undo, hf_path_join(a, p->path, kept_files[i]), err);
	return r;
}

static int npm_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	const char *path = hf_step_text(step, "path"), *version = hf_step_text(step, "version"),
		   *registry = hf_step_text(step, "registry");
	if (strcmp(hf_step_text(step, "what"), "tree") == 0)
		return path[0] == '/' ? hf_fs_remove_tree(path, err) : 0;
	struct hf_arena *a = hf_task_arena(c);
	struct plan plan = { .program = hf_step_text(step, "program"), .name = hf_step_text(step, "name") };
	const struct params p = { .global = HF_YES, .registry = *registry == '\0' ? NULL : registry };
	if (*version != '\0')
		plan.name = hf_sprintf(a, "%s@%s", plan.name, version);
	struct hf_words w = words(a, &p, &plan, *version != '\0' ? "install" : "uninstall", true);
	return hf_host_output(c, &w, NULL, err);
}

static void npm_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	if (p->global == HF_YES || p->path == NULL) {
		hf_watch_poll(w, 600);
		return;
	}
	hf_watch_path(w, hf_path_join(a, p->path, "node_modules/.package-lock.json"));
	for (size_t i = 0; i < HF_COUNT(kept_files); i++)
		hf_watch_path(w, hf_path_join(a, p->path, kept_files[i]));
}

const struct hf_module hf_module_npm = {
	.name = "npm",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = npm_check,
	.apply = npm_apply,
	.undo = npm_undo,
	.restore = npm_restore,
	.watch = npm_watch,
};
