/* modules/gem.c - Ruby gems, through gem. */
#include <ctype.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/host.h"

static const char *const states[] = { "present", "absent", "latest", NULL };
struct params {
	const char *name, *executable, *gem_source, *repository, *install_dir, *bindir, *version,
		*build_flags, *state;
	enum hf_tristate include_dependencies, user_install, norc, pre_release, include_doc, env_shebang,
		force;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), HF_REQUIRED, .help = "The gem." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states, .help = "What is wanted." },
	{ "gem_source", HF_ARG_PATH, AT(gem_source), .help = "A .gem file of this host." },
	{ "include_dependencies", HF_ARG_BOOL, AT(include_dependencies), .dflt = "true",
		.help = "With what it needs." },
	{ "repository", HF_ARG_STR, AT(repository), .aliases = ALIASES("source"), .help = "Where from." },
	{ "user_install", HF_ARG_BOOL, AT(user_install), .dflt = "true",
		.help = "Into the user's home instead of the host's." },
	{ "executable", HF_ARG_PATH, AT(executable), .help = "gem and words to put after it." },
	{ "install_dir", HF_ARG_PATH, AT(install_dir), .help = "Folder; wants user_install=false." },
	{ "bindir", HF_ARG_PATH, AT(bindir), .help = "Folder of the programs." },
	{ "norc", HF_ARG_BOOL, AT(norc), .dflt = "true", .help = "Read no .gemrc." },
	{ "env_shebang", HF_ARG_BOOL, AT(env_shebang), .dflt = "false", .help = "gem's --env-shebang." },
	{ "version", HF_ARG_STR, AT(version), .help = "This one." },
	{ "pre_release", HF_ARG_BOOL, AT(pre_release), .dflt = "false", .help = "Unfinished versions too." },
	{ "include_doc", HF_ARG_BOOL, AT(include_doc), .dflt = "false", .help = "With documentation." },
	{ "build_flags", HF_ARG_STR, AT(build_flags), .help = "For gems that compile." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false", .help = "gem's --force." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, ALIASES("gem_source", "repository") },
	{ HF_RULE_EXCLUSIVE, ALIASES("gem_source", "version") },
	{ HF_RULE_END },
};
enum { WORDS_MAX = 1000, VERSIONS_MAX = 10000, NORC_SINCE = 20502 };

struct plan {
	const char *program;
	long program_version; /* 3.3.15 is 30315; 0: it does not say */
	const char *version;  /* the one wanted; NULL: any */
	struct hf_value *before;
};

static bool is(const struct params *p, const char *state)
{
	return strcmp(p->state, state) == 0;
}

static struct hf_words words(
	struct hf_arena *a, const struct params *p, const struct plan *plan, const char *verb)
{
	struct hf_words w = { .arena = a };
	struct hf_str rest = hf_str(plan->program), word;
	while (rest.n > 0 && w.n < WORDS_MAX && hf_str_split(&rest, ' ', &word))
		hf_words_add(&w, hf_str_dup(a, word));
	hf_words_add(&w, verb);
	if (strcmp(verb, "--version") != 0 && p->norc == HF_YES && plan->program_version >= NORC_SINCE)
		hf_words_add(&w, "--norc");
	return w;
}

static void option(struct hf_words *w, const char *word, const char *value)
{
	if (value == NULL)
		return;
	hf_words_add(w, word);
	hf_words_add(w, value);
}

static const char *const *home(struct hf_arena *a, const struct params *p)
{
	if (p->install_dir == NULL)
		return NULL;
	const char **env = hf_new_array(a, 2, const char *);
	env[0] = hf_sprintf(a, "GEM_HOME=%s", p->install_dir);
	return env;
}

static int program_find(struct hf_module_context *c, const struct params *p, struct hf_change *change,
	struct plan *plan, struct hf_error *err)
{
	enum { PARTS = 3 };
	struct hf_str out;
	long version = 0;
	plan->program = p->executable;
	int r = p->executable == NULL ? hf_host_program(c, "gem", &plan->program, err) : 0;
	if (r < 0)
		return r;
	struct hf_words w = words(hf_task_arena(c), p, plan, "--version");
	r = hf_host_must(c, change, &w, NULL, NULL, &out, err);
	const char *at = r == 0 ? out.p : "";
	for (int i = 0; i < PARTS; i++) {
		char *end;
		if (!isdigit((unsigned char)*at) || (i > 0 && at[-1] != '.'))
			return r;
		version = version * 100 + strtol(at, &end, 10);
		at = *end == '\0' ? end : end + 1;
	}
	plan->program_version = version;
	return r;
}

/* "NAME (default: 1.2.0, 1.1.0 ruby)" → the versions */
static void line_read(struct hf_arena *a, struct hf_str line, struct hf_value *versions)
{
	const char *blank = memchr(line.p, ' ', line.n), *open = blank;
	if (blank == NULL || blank == line.p)
		return;
	while (open < line.p + line.n && *open == ' ')
		open++;
	const char *close = memrchr(line.p, ')', line.n);
	if (open == line.p + line.n || *open != '(' || close == NULL || close < open + 2)
		return;
	struct hf_str inner = hf_strn(open + 1, (size_t)(close - open - 1)), one;
	struct hf_str mark = HF_STR("default: ");
	if (hf_str_starts(inner, "default: ")) {
		inner.p += mark.n;
		inner.n -= mark.n;
	}
	while (inner.n > 0 && hf_list_len(versions) < VERSIONS_MAX && hf_str_split(&inner, ',', &one)) {
		one = hf_str_trim(one);
		const char *end = memchr(one.p, ' ', one.n);
		if (end != NULL)
			one.n = (size_t)(end - one.p);
		hf_list_append(versions, hf_value_str(a, one));
	}
}

static int versions_read(struct hf_module_context *c, const struct params *p, struct hf_change *change,
	const struct plan *plan, bool remote, struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = words(a, p, plan, "query");
	struct hf_value *versions = hf_value_list(a);
	struct hf_str out, line;
	if (remote) {
		hf_words_add(&w, "--remote");
		option(&w, "--source", p->repository);
	}
	option(&w, "-n", hf_sprintf(a, "^%s$", p->name));
	int r = hf_host_must(c, change, &w, NULL, home(a, p), &out, err);
	while (r == 0 && out.n > 0 && hf_str_split(&out, '\n', &line))
		line_read(a, line, versions);
	if (r == 0)
		*ret = versions;
	return r;
}

static int options_agree(const struct params *p, struct hf_error *err)
{
	if (p->version != NULL && is(p, "latest"))
		return hf_fail(err, HF_E_TASK, "Cannot specify version when state=latest");
	if (p->gem_source != NULL && is(p, "latest"))
		return hf_fail(
			err, HF_E_TASK, "Cannot maintain state=latest when installing from local source");
	if (p->user_install == HF_YES && p->install_dir != NULL)
		return hf_fail(err, HF_E_TASK, "install_dir requires user_install=false");
	return 0;
}

static void report(struct hf_module_context *c, const struct params *p, const struct plan *plan,
	struct hf_change *change)
{
	hf_result_cstr(c, change, "name", p->name);
	hf_result_cstr(c, change, "state", p->state);
	if (plan->version != NULL)
		hf_result_cstr(c, change, "version", plan->version);
}

static int gem_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct plan *plan = change->state = hf_new(a, struct plan);
	struct hf_value *remote = NULL;
	plan->version = p->version;
	int r = options_agree(p, err);
	if (r == 0)
		r = program_find(c, p, change, plan, err);
	if (r == 0 && is(p, "latest"))
		r = versions_read(c, p, change, plan, true, &remote, err);
	if (r == 0)
		r = versions_read(c, p, change, plan, false, &plan->before, err);
	if (r < 0)
		return r;
	if (remote != NULL && hf_list_len(remote) > 0)
		plan->version = hf_value_text(a, hf_list_at(remote, 0)).p;
	bool there = plan->version != NULL ? hf_list_has(plan->before, plan->version)
					   : hf_list_len(plan->before) > 0;
	change->changed = there == is(p, "absent");
	if (!change->changed || hf_task_check_mode(c))
		report(c, p, plan, change);
	return 0;
}

static struct hf_words install_words(struct hf_arena *a, const struct params *p, const struct plan *plan)
{
	struct hf_words w = words(a, p, plan, "install");
	bool old = plan->program_version != 0 && plan->program_version < 20000;
	option(&w, "--version", plan->version);
	option(&w, "--source", p->repository);
	if (p->include_dependencies != HF_YES)
		hf_words_add(&w, "--ignore-dependencies");
	else if (old)
		hf_words_add(&w, "--include-dependencies");
	hf_words_add(&w, p->user_install == HF_YES ? "--user-install" : "--no-user-install");
	option(&w, "--install-dir", p->install_dir);
	option(&w, "--bindir", p->bindir);
	if (p->pre_release == HF_YES)
		hf_words_add(&w, "--pre");
	if (p->include_doc != HF_YES) {
		hf_words_add(&w, old ? "--no-rdoc" : "--no-document");
		if (old)
			hf_words_add(&w, "--no-ri");
	}
	if (p->env_shebang == HF_YES)
		hf_words_add(&w, "--env-shebang");
	hf_words_add(&w, p->gem_source != NULL ? p->gem_source : p->name);
	option(&w, "--", p->build_flags);
	if (p->force == HF_YES)
		hf_words_add(&w, "--force");
	return w;
}

static struct hf_words uninstall_words(
	struct hf_arena *a, const struct params *p, const struct plan *plan, const char *version)
{
	struct hf_words w = words(a, p, plan, "uninstall");
	option(&w, "--install-dir", p->install_dir);
	option(&w, "--bindir", p->bindir);
	option(&w, "--version", version);
	if (version == NULL)
		hf_words_add(&w, "--all");
	hf_words_add(&w, "--executable");
	if (p->force == HF_YES)
		hf_words_add(&w, "--force");
	hf_words_add(&w, p->name);
	return w;
}

static int gem_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	bool absent = is(p, "absent");
	struct hf_words w = absent ? uninstall_words(a, p, plan, p->version) : install_words(a, p, plan);
	int r = hf_host_must(c, change, &w, NULL, absent ? home(a, p) : NULL, NULL, err);
	if (r == 0)
		report(c, p, plan, change);
	return r;
}

static struct hf_value *text_or_null(struct hf_arena *a, const char *text)
{
	return text == NULL ? hf_value_null(a) : hf_value_cstr(a, text);
}

static int gem_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, "gem");
	(void)err;
	hf_dict_put(step, "name", hf_value_cstr(a, p->name));
	hf_dict_put(step, "executable", text_or_null(a, p->executable));
	hf_dict_put(step, "install_dir", text_or_null(a, p->install_dir));
	hf_dict_put(step, "bindir", text_or_null(a, p->bindir));
	hf_dict_put(step, "repository", text_or_null(a, p->repository));
	hf_dict_put(step, "user", hf_value_bool(a, p->user_install == HF_YES));
	hf_dict_put(step, "versions", plan->before);
	hf_undo_step(undo, step);
	return 0;
}

/* Every version of the gem that came goes, every one that went comes back; what else came with it stays. */
static int gem_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct params p = { .name = hf_step_text(step, "name"),
		.executable = hf_dict_cstr(step, "executable", NULL),
		.install_dir = hf_dict_cstr(step, "install_dir", NULL),
		.bindir = hf_dict_cstr(step, "bindir", NULL),
		.repository = hf_dict_cstr(step, "repository", NULL),
		.user_install = hf_dict_bool(step, "user", false) ? HF_YES : HF_NO,
		.include_dependencies = HF_YES,
		.include_doc = HF_NO,
		.norc = HF_YES };
	const struct hf_value *before = hf_dict_get(step, "versions");
	struct hf_change scratch = { .result = hf_value_dict(a) };
	struct plan plan = { 0 };
	struct hf_value *now = NULL;
	int r = program_find(c, &p, &scratch, &plan, err);
	if (r == 0)
		r = versions_read(c, &p, &scratch, &plan, false, &now, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(now); i++) {
		const char *version = hf_value_text(a, hf_list_at(now, i)).p;
		struct hf_words w = uninstall_words(a, &p, &plan, version);
		if (!hf_list_has(before, version))
			r = hf_host_must(c, &scratch, &w, NULL, home(a, &p), NULL, err);
	}
	for (size_t i = 0; r == 0 && i < hf_list_len(before); i++) {
		plan.version = hf_value_text(a, hf_list_at(before, i)).p;
		struct hf_words w = install_words(a, &p, &plan);
		if (!hf_list_has(now, plan.version))
			r = hf_host_must(c, &scratch, &w, NULL, NULL, NULL, err);
	}
	return r;
}

static void gem_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	if (p->install_dir != NULL)
		hf_watch_path(w, hf_path_join(hf_task_arena(c), p->install_dir, "specifications"));
	hf_watch_poll(w, 600);
}

const struct hf_module hf_module_gem = {
	.name = "gem",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = gem_check,
	.apply = gem_apply,
	.undo = gem_undo,
	.restore = gem_restore,
	.watch = gem_watch,
};
