/* modules/dnf.c - packages of Red Hat's family, through rpm and the dnf program. */
#include <string.h>

#include "modules/host.h"

static const char *const states[] = { "absent", "installed", "latest", "present", "removed", NULL };
static const char *const backends[] = { "auto", "dnf", "yum", "yum4", "dnf4", "dnf5", NULL };
struct params {
	struct hf_value *name, *disablerepo, *enablerepo, *exclude, *disable_plugin, *enable_plugin;
	const char *state, *conf_file, *disable_excludes, *download_dir, *installroot, *list, *releasever,
		*use_backend;
	int allow_downgrade, allowerasing, autoremove, best, nobest, bugfix, cacheonly, disable_gpg_check,
		download_only;
	int install_repoquery, install_weak_deps, security, skip_broken, sslverify, update_cache, update_only,
		validate_certs;
	int64_t lock_timeout;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_LIST, AT(name), .elements = HF_ARG_STR, .aliases = ALIASES("pkg") },
	{ "state", HF_ARG_STR, AT(state), .choices = states },
	{ "allow_downgrade", HF_ARG_BOOL, AT(allow_downgrade), .dflt = "no" },
	{ "allowerasing", HF_ARG_BOOL, AT(allowerasing), .dflt = "no" },
	{ "autoremove", HF_ARG_BOOL, AT(autoremove), .dflt = "no" },
	{ "best", HF_ARG_BOOL, AT(best) },
	{ "nobest", HF_ARG_BOOL, AT(nobest) },
	{ "bugfix", HF_ARG_BOOL, AT(bugfix), .dflt = "no" },
	{ "cacheonly", HF_ARG_BOOL, AT(cacheonly), .dflt = "no" },
	{ "conf_file", HF_ARG_STR, AT(conf_file) },
	{ "disable_excludes", HF_ARG_STR, AT(disable_excludes) },
	{ "disable_gpg_check", HF_ARG_BOOL, AT(disable_gpg_check), .dflt = "no" },
	{ "disable_plugin", HF_ARG_LIST, AT(disable_plugin), .elements = HF_ARG_STR },
	{ "disablerepo", HF_ARG_LIST, AT(disablerepo), .elements = HF_ARG_STR },
	{ "download_dir", HF_ARG_STR, AT(download_dir) },
	{ "download_only", HF_ARG_BOOL, AT(download_only), .dflt = "no" },
	{ "enable_plugin", HF_ARG_LIST, AT(enable_plugin), .elements = HF_ARG_STR },
	{ "enablerepo", HF_ARG_LIST, AT(enablerepo), .elements = HF_ARG_STR },
	{ "exclude", HF_ARG_LIST, AT(exclude), .elements = HF_ARG_STR },
	{ "install_repoquery", HF_ARG_BOOL, AT(install_repoquery), .dflt = "yes",
		.help = "no effect, as in Ansible" },
	{ "install_weak_deps", HF_ARG_BOOL, AT(install_weak_deps), .dflt = "yes" },
	{ "installroot", HF_ARG_STR, AT(installroot), .dflt = "/" },
	{ "list", HF_ARG_STR, AT(list), .flags = HF_REFUSED, .help = "use package_facts to list packages" },
	{ "lock_timeout", HF_ARG_INT, AT(lock_timeout), .dflt = "30",
		.help = "dnf itself waits for its lock" },
	{ "releasever", HF_ARG_STR, AT(releasever) },
	{ "security", HF_ARG_BOOL, AT(security), .dflt = "no" },
	{ "skip_broken", HF_ARG_BOOL, AT(skip_broken), .dflt = "no" },
	{ "sslverify", HF_ARG_BOOL, AT(sslverify), .dflt = "yes" },
	{ "update_cache", HF_ARG_BOOL, AT(update_cache), .dflt = "no", .aliases = ALIASES("expire-cache") },
	{ "update_only", HF_ARG_BOOL, AT(update_only), .dflt = "no" },
	{ "use_backend", HF_ARG_STR, AT(use_backend), .dflt = "auto", .choices = backends },
	{ "validate_certs", HF_ARG_BOOL, AT(validate_certs), .dflt = "yes" },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_ONE_OF, ALIASES("name", "update_cache", "autoremove") },
	{ HF_RULE_END },
};

struct plan {
	const char *verb; /* NULL: nothing to do */
	struct hf_words names;
};

static bool is_absent(const struct params *p)
{
	return p->state != NULL && (strcmp(p->state, "absent") == 0 || strcmp(p->state, "removed") == 0);
}

static bool is_latest(const struct params *p)
{
	return p->state != NULL && strcmp(p->state, "latest") == 0;
}

static void lists_add(struct hf_words *w, const struct params *p)
{
	const struct {
		const char *option;
		const struct hf_value *list;
	} lists[] = { { "enablerepo", p->enablerepo }, { "disablerepo", p->disablerepo },
		{ "exclude", p->exclude }, { "disableplugin", p->disable_plugin },
		{ "enableplugin", p->enable_plugin } };
	for (size_t i = 0; i < HF_COUNT(lists); i++)
		for (size_t k = 0; lists[i].list != NULL && k < hf_list_len(lists[i].list); k++)
			hf_words_addf(
				w, "--%s=%s", lists[i].option, hf_list_at(lists[i].list, k)->u.string.p);
}

static struct hf_words command(struct hf_module_context *c, const struct params *p)
{
	struct hf_arena *a = hf_task_arena(c);
	bool dnf = hf_proc_which(a, "dnf") != NULL || hf_proc_which(a, "yum") == NULL;
	struct hf_words w = hf_words(a, dnf ? "dnf" : "yum", "-q", "-y", NULL);
	const struct {
		bool on;
		const char *word;
	} flags[] = { { p->allowerasing == HF_YES, "--allowerasing" },
		{ p->skip_broken == HF_YES, "--skip-broken" },
		{ p->disable_gpg_check == HF_YES, "--nogpgcheck" }, { p->cacheonly == HF_YES, "--cacheonly" },
		{ p->security == HF_YES, "--security" }, { p->bugfix == HF_YES, "--bugfix" },
		{ p->download_only == HF_YES, "--downloadonly" }, { p->update_cache == HF_YES, "--refresh" },
		{ p->best == HF_YES || p->nobest == HF_NO, "--best" },
		{ p->nobest == HF_YES || p->best == HF_NO, "--nobest" },
		{ p->install_weak_deps == HF_NO, "--setopt=install_weak_deps=False" },
		{ p->sslverify == HF_NO || p->validate_certs == HF_NO, "--setopt=sslverify=False" } };
	const char *const values[][2] = { { "config", p->conf_file },
		{ "disableexcludes", p->disable_excludes }, { "downloaddir", p->download_dir },
		{ "releasever", p->releasever },
		{ "installroot", strcmp(p->installroot, "/") == 0 ? NULL : p->installroot } };
	for (size_t i = 0; i < HF_COUNT(flags); i++)
		if (flags[i].on)
			hf_words_add(&w, flags[i].word);
	for (size_t i = 0; i < HF_COUNT(values); i++)
		if (values[i][1] != NULL)
			hf_words_addf(&w, "--%s=%s", values[i][0], values[i][1]);
	lists_add(&w, p);
	return w;
}

/* Whether rpm's database answers to name: a package, name-version, or something a package provides. */
static int installed(struct hf_module_context *c, const struct params *p, const char *name, bool *ret,
	struct hf_error *err)
{
	struct hf_words w = hf_words(
		hf_task_arena(c), "rpm", "--root", p->installroot, "-q", "--whatprovides", name, NULL);
	struct hf_words plain = hf_words(hf_task_arena(c), "rpm", "--root", p->installroot, "-q", name, NULL);
	struct hf_proc_result ran;
	int r = hf_host_run(c, &plain, NULL, &ran, err);
	if (r == 0 && ran.status != 0)
		r = hf_host_run(c, &w, NULL, &ran, err);
	if (r == 0)
		*ret = ran.status == 0;
	return r;
}

/* Ask dnf what it would do. */
static int would_change(struct hf_module_context *c, const struct params *p, const char *verb,
	const char *name, bool *ret, struct hf_error *err)
{
	struct hf_words w = command(c, p);
	struct hf_proc_result ran;
	hf_words_add(&w, "--assumeno");
	hf_words_add(&w, verb);
	if (name != NULL)
		hf_words_add(&w, name);
	w.at[1] = "-v";
	int r = hf_host_run(c, &w, NULL, &ran, err);
	if (r < 0)
		return r;
	bool nothing = hf_str_find(ran.out, HF_STR("Nothing to do"), 0) != SIZE_MAX ||
		       hf_str_find(ran.err, HF_STR("Nothing to do"), 0) != SIZE_MAX;
	bool aborted = hf_str_find(ran.out, HF_STR("Operation aborted"), 0) != SIZE_MAX ||
		       hf_str_find(ran.err, HF_STR("Operation aborted"), 0) != SIZE_MAX;
	if (ran.status != 0 && !nothing && !aborted)
		return hf_fail(err, HF_E_TASK, "Failed to install some of the specified packages: %.*s",
			HF_STR_ARG(hf_str_trim(ran.err)));
	*ret = !nothing;
	return 0;
}

static bool needs_dnf(const char *name)
{
	return name[0] == '@' || strchr(name, '*') != NULL || strchr(name, '/') != NULL ||
	       strpbrk(name, "<>=") != NULL;
}

static int plan_name(struct hf_module_context *c, const struct params *p, const char *name, struct plan *plan,
	struct hf_error *err)
{
	bool have = false, wanted = false;
	int r = 0;
	if (needs_dnf(name) && !is_absent(p)) {
		r = would_change(c, p, "install", name, &wanted, err);
	} else {
		r = installed(c, p, name, &have, err);
		wanted = is_absent(p) ? have : !have && p->update_only != HF_YES;
		if (r == 0 && have && is_latest(p))
			r = would_change(c, p, "upgrade", name, &wanted, err);
	}
	if (r == 0 && wanted)
		hf_words_add(&plan->names, name);
	return r;
}

/* Everything at once: upgrade all, or remove what nothing needs. */
static int plan_all(struct hf_module_context *c, const struct params *p, const char *verb, struct plan *plan,
	struct hf_error *err)
{
	bool wanted = false;
	int r = would_change(c, p, verb, NULL, &wanted, err);
	plan->verb = wanted ? verb : NULL;
	return r;
}

static int plan_names(
	struct hf_module_context *c, const struct params *p, struct plan *plan, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && p->name != NULL && i < hf_list_len(p->name); i++)
		r = plan_name(c, p, hf_list_at(p->name, i)->u.string.p, plan, err);
	if (plan->names.n > 0)
		plan->verb = is_absent(p)                               ? "remove"
			     : is_latest(p) && p->update_only == HF_YES ? "upgrade"
									: "install";
	return r;
}

static int dnf_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct plan *plan = hf_new(hf_task_arena(c), struct plan);
	change->state = plan;
	plan->names.arena = hf_task_arena(c);
	if (hf_proc_which(plan->names.arena, "rpm") == NULL)
		return hf_fail(err, HF_E_TASK, "dnf: there is no rpm on this host");
	int r;
	if (hf_list_has(p->name, "*") && is_latest(p))
		r = plan_all(c, p, "upgrade", plan, err);
	else if (p->name == NULL && p->autoremove == HF_YES)
		r = plan_all(c, p, "autoremove", plan, err);
	else
		r = plan_names(c, p, plan, err);
	change->changed = plan->verb != NULL;
	change->unknown = p->update_cache == HF_YES && plan->verb == NULL;
	hf_result_int(c, change, "rc", 0);
	hf_result_cstr(c, change, "msg", plan->verb == NULL ? "Nothing to do" : "");
	return r;
}

static int dnf_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_words w = command(c, p);
	struct hf_str out;
	hf_words_add(&w, plan->verb == NULL ? "makecache" : plan->verb);
	for (size_t i = 0; i < plan->names.n; i++)
		hf_words_add(&w, plan->names.at[i]);
	int r = hf_host_output(c, &w, &out, err);
	if (r == 0)
		hf_result_put(
			c, change, "results", hf_text_list(hf_task_arena(c), hf_str_dup(w.arena, out), NULL));
	return r;
}

/* dnf keeps a history of its own: going back to the transaction before this one restores versions and names.
 */
static int dnf_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "dnf", "-q", "history", "list", NULL);
	struct hf_str out, line;
	(void)params;
	(void)change;
	(void)err;
	if (hf_host_output(c, &w, &out, NULL) == 0)
		while (hf_str_split(&out, '\n', &line)) {
			struct hf_str number = hf_str_trim(line), first;
			uint64_t id;
			if (hf_str_split(&number, ' ', &first) && hf_str_to_uint64(first, &id)) {
				struct hf_value *step = hf_step(c, "dnf");
				hf_dict_put(step, "transaction", hf_value_str(a, first));
				hf_undo_step(undo, step);
				return 0;
			}
		}
	hf_undo_impossible(undo, "dnf has no history to go back to");
	return 0;
}

static int dnf_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "dnf", "-q", "-y", "history", "rollback",
		hf_step_text(step, "transaction"), NULL);
	return hf_host_output(c, &w, NULL, err);
}

static void dnf_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_packages(w);
}

static const char *const dnf_aliases[] = { "yum", "dnf5", NULL };

const struct hf_module hf_module_dnf = {
	.name = "dnf",
	.collection = "ansible.builtin",
	.aliases = dnf_aliases,
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = dnf_check,
	.apply = dnf_apply,
	.undo = dnf_undo,
	.restore = dnf_restore,
	.watch = dnf_watch,
};
