/* modules/apt.c - packages of Debian and Ubuntu. A task that finds everything in place runs no program at
 * all. */
#include "modules/apt.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "lib/base/time.h"

enum state { ABSENT, BUILD_DEP, FIXED, LATEST, PRESENT };
static const char *const states[] = { "absent", "build-dep", "fixed", "latest", "present", NULL };
enum upgrade { UPGRADE_DIST, UPGRADE_FULL, UPGRADE_NO, UPGRADE_SAFE, UPGRADE_YES };
static const char *const upgrades[] = { "dist", "full", "no", "safe", "yes", NULL };

struct params {
	int state, upgrade;
	int update_cache, purge, install_recommends, force, autoremove, autoclean, fail_on_autoremove;
	int only_upgrade, force_apt_get, clean, allow_unauthenticated, allow_downgrade,
		allow_change_held_packages;
	int64_t update_cache_retries, update_cache_retry_max_delay, cache_valid_time, policy_rc_d,
		lock_timeout;
	struct hf_value *package;
	const char *deb, *default_release, *dpkg_options;
};

#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "state", HF_ARG_ENUM, AT(state), .dflt = "present", .choices = states },
	{ "update_cache", HF_ARG_BOOL, AT(update_cache), .aliases = ALIASES("update-cache"),
		.help = "fetch the package lists first" },
	{ "update_cache_retries", HF_ARG_INT, AT(update_cache_retries), .dflt = "5" },
	{ "update_cache_retry_max_delay", HF_ARG_INT, AT(update_cache_retry_max_delay), .dflt = "12" },
	{ "cache_valid_time", HF_ARG_INT, AT(cache_valid_time), .dflt = "0",
		.help = "seconds the lists stay good: they are fetched only when older" },
	{ "purge", HF_ARG_BOOL, AT(purge), .dflt = "no" },
	{ "package", HF_ARG_LIST, AT(package), .elements = HF_ARG_STR, .aliases = ALIASES("pkg", "name"),
		.help = "names, name=version (with wildcards), name>=version, name:arch, wildcards" },
	{ "deb", HF_ARG_PATH, AT(deb), .help = "package files or addresses, separated by commas" },
	{ "default_release", HF_ARG_STR, AT(default_release), .aliases = ALIASES("default-release") },
	{ "install_recommends", HF_ARG_BOOL, AT(install_recommends),
		.aliases = ALIASES("install-recommends") },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "no" },
	{ "upgrade", HF_ARG_ENUM, AT(upgrade), .dflt = "no", .choices = upgrades },
	{ "dpkg_options", HF_ARG_STR, AT(dpkg_options), .dflt = "force-confdef,force-confold" },
	{ "autoremove", HF_ARG_BOOL, AT(autoremove), .dflt = "no" },
	{ "autoclean", HF_ARG_BOOL, AT(autoclean), .dflt = "no" },
	{ "fail_on_autoremove", HF_ARG_BOOL, AT(fail_on_autoremove), .dflt = "no" },
	{ "policy_rc_d", HF_ARG_INT, AT(policy_rc_d), .dflt = "-1",
		.help = "exit status of policy-rc.d while packages are installed; 101 keeps services from "
			"starting" },
	{ "only_upgrade", HF_ARG_BOOL, AT(only_upgrade), .dflt = "no" },
	{ "force_apt_get", HF_ARG_BOOL, AT(force_apt_get), .dflt = "no", .help = "apt-get is always used" },
	{ "clean", HF_ARG_BOOL, AT(clean), .dflt = "no" },
	{ "allow_unauthenticated", HF_ARG_BOOL, AT(allow_unauthenticated), .dflt = "no",
		.aliases = ALIASES("allow-unauthenticated") },
	{ "allow_downgrade", HF_ARG_BOOL, AT(allow_downgrade), .dflt = "no",
		.aliases = ALIASES("allow-downgrade", "allow_downgrades", "allow-downgrades") },
	{ "allow_change_held_packages", HF_ARG_BOOL, AT(allow_change_held_packages), .dflt = "no" },
	{ "lock_timeout", HF_ARG_INT, AT(lock_timeout), .dflt = "60",
		.help = "seconds to wait for another apt or dpkg; the holder is named" },
	{ .type = HF_ARG_END },
};
/* upgrade has a default, so only these two can be told apart from "not given". */
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, ALIASES("deb", "package") },
	{ HF_RULE_END },
};

/* What check found; apply does it. */
struct plan {
	bool update;           /* fetch lists first; then everything is looked at again */
	const char *operation; /* apt-get's; NULL: nothing to do */
	struct hf_words packages, manual;
	struct hf_apt_options options;
	const char *debs; /* URLs among them are fetched when it is done */
};

struct wanted {
	const char *spec, *name, *version; /* version NULL: any */
	bool at_least;
	const struct hf_dpkg_package *have;
};

static struct hf_apt_options options_of(const struct params *p)
{
	return (struct hf_apt_options){ .dpkg_options = p->dpkg_options,
		.default_release = p->default_release,
		.install_recommends = p->install_recommends,
		.force = p->force == HF_YES,
		.allow_unauthenticated = p->allow_unauthenticated == HF_YES,
		.allow_downgrade = p->allow_downgrade == HF_YES,
		.allow_change_held_packages = p->allow_change_held_packages == HF_YES,
		.autoremove = p->autoremove == HF_YES,
		.fail_on_autoremove = p->fail_on_autoremove == HF_YES,
		.only_upgrade = p->only_upgrade == HF_YES,
		.purge = p->purge == HF_YES && p->state == ABSENT,
		.fixed = p->state == FIXED,
		.lock_timeout = p->lock_timeout,
		.policy_rc_d = p->policy_rc_d };
}

/* --- names -------------------------------------------------------------------------------------------------
 */
static int wanted_split(struct hf_arena *a, const char *spec, struct wanted *ret, struct hf_error *err)
{
	const char *equals = strchr(spec, '=');
	if (equals != NULL && strchr(equals + 1, '=') != NULL)
		return hf_fail(err, HF_E_TASK, "invalid package spec: %s", spec);
	*ret = (struct wanted){ .spec = spec, .name = spec };
	if (equals == NULL)
		return 0;
	ret->at_least = equals > spec && equals[-1] == '>';
	ret->name = hf_strndup(a, spec, (size_t)(equals - spec) - (ret->at_least ? 1 : 0));
	ret->version = equals + 1;
	return 0;
}

static int names_match(
	struct hf_module_context *c, const char *pattern, struct hf_words *specs, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "apt-cache", "pkgnames", NULL);
	struct hf_str out, name;
	size_t before = specs->n;
	int r = hf_host_output(c, &w, &out, err);
	if (r < 0)
		return r;
	while (hf_str_split(&out, '\n', &name)) {
		const char *text = hf_str_dup(w.arena, name);
		if (name.n > 0 && fnmatch(pattern, text, 0) == 0)
			hf_words_add(specs, text);
	}
	if (specs->n == before)
		return hf_fail(err, HF_E_TASK, "No package(s) matching '%s' available", pattern);
	return 0;
}

static int specs_expand(struct hf_module_context *c, const struct hf_value *list, struct hf_words *specs,
	struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	for (size_t i = 0; list != NULL && i < hf_list_len(list); i++) {
		const char *spec = hf_str_dup(a, hf_str_trim(hf_list_at(list, i)->u.string));
		size_t name = strcspn(spec, "=>");
		if (strcspn(spec, "*?[]!") < name) {
			int r = names_match(c, hf_strndup(a, spec, name), specs, err);
			if (r < 0)
				return r;
		} else if (spec[0] != '\0') {
			hf_words_add(specs, spec);
		}
	}
	return 0;
}

static bool version_fits(const struct wanted *w, const char *version)
{
	if (w->version == NULL)
		return true;
	return w->at_least ? hf_dpkg_compare(version, w->version) >= 0 : fnmatch(w->version, version, 0) == 0;
}

/* Whether apt has to be asked: everything else is answered by what is installed. */
static bool wanted_is_open(const struct params *p, const struct wanted *w)
{
	bool have = w->have != NULL && w->have->installed;
	if (!have)
		return p->only_upgrade != HF_YES;
	if (p->state == LATEST || !version_fits(w, w->have->version))
		return true;
	return w->version != NULL && !w->at_least && strpbrk(w->version, "*?[") != NULL;
}

/* The version apt would install for it; NULL when there is none that fits. */
static const char *version_best(const struct wanted *w, const struct hf_value *entry)
{
	const struct hf_value *versions = hf_dict_get(entry, "versions");
	const char *best = NULL;
	if (w->version == NULL || w->at_least)
		return hf_dict_cstr(entry, "candidate", NULL);
	for (size_t i = 0; i < hf_list_len(versions); i++) {
		const char *version = hf_list_at(versions, i)->u.string.p;
		if (version_fits(w, version) && (best == NULL || hf_dpkg_compare(version, best) > 0))
			best = version;
	}
	return best;
}

/* A name without versions is virtual: any installed provider will do. */
static bool wanted_is_virtual(const struct wanted *w, const struct hf_value *entry)
{
	const struct hf_value *versions = entry == NULL ? NULL : hf_dict_get(entry, "versions");
	bool have = w->have != NULL && w->have->installed;
	return !have && (versions == NULL || hf_list_len(versions) == 0);
}

/* Whether the best version there is shall come. */
static bool wanted_takes(const struct params *p, const struct wanted *w)
{
	bool exact = w->version != NULL && !w->at_least;
	bool fits = w->have != NULL && w->have->installed && version_fits(w, w->have->version);
	return p->state == LATEST || !fits || exact;
}

static int wanted_decide(const struct params *p, const struct hf_dpkg *db, const struct wanted *w,
	const struct hf_value *policy, struct plan *plan, struct hf_error *err)
{
	const char *have = w->have != NULL && w->have->installed ? w->have->version : NULL;
	const struct hf_value *entry = hf_dict_get(policy, w->name);
	if (entry == NULL && have == NULL)
		return hf_fail(err, HF_E_TASK, "No package matching '%s' is available", w->name);
	if (wanted_is_virtual(w, entry)) {
		if (hf_dpkg_provider(db, w->name) == NULL)
			hf_words_add(&plan->packages, w->name);
		return 0;
	}
	const char *best = entry == NULL ? NULL : version_best(w, entry);
	bool fits = have != NULL && version_fits(w, have);
	bool other = best != NULL && version_fits(w, best) && !hf_same(best, have);
	if (!fits && !other)
		return hf_fail(err, HF_E_TASK, "no available installation candidate for %s", w->spec);
	if (other && wanted_takes(p, w))
		hf_words_addf(&plan->packages, "%s=%s", w->name, best);
	return 0;
}

static int plan_install(struct hf_module_context *c, const struct params *p, const struct hf_words *specs,
	struct plan *plan, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct hf_dpkg *db;
	struct hf_words open = { .arena = a };
	struct wanted *wanted = hf_new_array(a, specs->n + 1, struct wanted);
	int r = hf_dpkg_load(NULL, &db, err);
	for (size_t i = 0; r == 0 && i < specs->n; i++) {
		r = wanted_split(a, specs->at[i], &wanted[i], err);
		if (r < 0)
			break;
		wanted[i].have = hf_dpkg_find(db, wanted[i].name);
		if (wanted_is_open(p, &wanted[i]))
			hf_words_add(&open, wanted[i].name);
	}
	struct hf_value *policy = NULL;
	if (r == 0)
		r = hf_apt_policy(c, &open, p->default_release, &policy, err);
	for (size_t i = 0; r == 0 && i < specs->n; i++)
		if (wanted_is_open(p, &wanted[i]))
			r = wanted_decide(p, db, &wanted[i], policy, plan, err);
	for (size_t i = 0; r == 0 && i < specs->n; i++)
		if (wanted[i].have != NULL && hf_dpkg_automatic(wanted[i].name))
			hf_words_add(&plan->manual, wanted[i].name);
	plan->operation = plan->packages.n > 0 ? "install" : NULL;
	return r;
}

static int plan_remove(struct hf_module_context *c, const struct params *p, const struct hf_words *specs,
	struct plan *plan, struct hf_error *err)
{
	const struct hf_dpkg *db;
	int r = hf_dpkg_load(NULL, &db, err);
	for (size_t i = 0; r == 0 && i < specs->n; i++) {
		struct wanted w;
		r = wanted_split(hf_task_arena(c), specs->at[i], &w, err);
		if (r < 0)
			break;
		const struct hf_dpkg_package *have = hf_dpkg_find(db, w.name);
		bool installed = have != NULL && have->installed && version_fits(&w, have->version);
		bool leftovers = have != NULL && have->config_files && p->purge == HF_YES;
		if (installed || leftovers)
			hf_words_add(&plan->packages, w.name);
	}
	plan->operation = plan->packages.n > 0 ? "remove" : NULL;
	return r;
}

/* --- what has no names: upgrade, autoremove, package files --- */
static int plan_simulated(struct hf_module_context *c, struct plan *plan, const char *operation,
	const char *mark, struct hf_error *err)
{
	struct hf_proc_result ran;
	int r = hf_apt_get(c, &plan->options, operation, &plan->packages, true, &ran, err);
	if (r < 0)
		return r;
	bool change =
		mark == NULL ? !hf_apt_nothing(ran.out) : hf_str_find(ran.out, hf_str(mark), 0) != SIZE_MAX;
	plan->operation = change ? operation : NULL;
	return 0;
}

static int deb_is_wanted(struct hf_module_context *c, const char *path, bool *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(
		a, "dpkg-deb", "--showformat=${Package}:${Architecture} ${Version}", "-W", path, NULL);
	struct hf_str out;
	const struct hf_dpkg *db;
	if (!hf_fs_exists(path))
		return hf_fail(err, HF_E_TASK, "Unable to install package: %s does not exist", path);
	int r = hf_host_output(c, &w, &out, err);
	if (r == 0)
		r = hf_dpkg_load(NULL, &db, err);
	if (r < 0)
		return hf_wrap(err, "Unable to install package");
	char *name = hf_str_dup(a, hf_str_trim(out)), *blank = strchr(name, ' ');
	if (blank == NULL)
		return hf_fail(err, HF_E_TASK, "Unable to install package: %s has no name and version", path);
	*blank = '\0';
	const struct hf_dpkg_package *have = hf_dpkg_find(db, name);
	char *colon = strrchr(name, ':');
	if (have == NULL && colon != NULL && strcmp(colon, ":all") == 0) {
		*colon = '\0';
		have = hf_dpkg_find(db, name);
	}
	*ret = have == NULL || !have->installed || hf_dpkg_compare(have->version, blank + 1) != 0;
	return 0;
}

/* fetch: bring the URLs here; without, one of them makes the plan unknown. */
static int plan_debs(struct hf_module_context *c, const struct params *p, bool fetch, struct plan *plan,
	bool *ret_unknown, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str rest = hf_str(p->deb), one;
	while (hf_str_split(&rest, ',', &one)) {
		const char *path = hf_str_dup(a, hf_str_trim(one));
		bool wanted = false;
		if (strstr(path, "://") != NULL && !fetch) {
			*ret_unknown = true;
			continue;
		}
		if (strstr(path, "://") != NULL) {
			const char *copy = hf_sprintf(a, "/var/cache/apt/archives/%s", hf_path_base(path));
			struct hf_words get =
				hf_words(a, "/usr/lib/apt/apt-helper", "download-file", path, copy, NULL);
			int r = hf_host_output(c, &get, NULL, err);
			if (r < 0)
				return hf_wrap(err, "Failure downloading %s", path);
			path = copy;
		}
		int r = deb_is_wanted(c, path, &wanted, err);
		if (r < 0)
			return r;
		if (wanted)
			hf_words_add(&plan->packages, path[0] == '/' ? path : hf_sprintf(a, "./%s", path));
	}
	plan->operation = plan->packages.n > 0 ? "install" : NULL;
	return 0;
}

static bool everything_installed(const struct params *p)
{
	return p->state == LATEST && hf_list_has(p->package, "*");
}

static bool has_work(const struct params *p)
{
	return (p->package != NULL && hf_list_len(p->package) > 0) || p->upgrade != UPGRADE_NO ||
	       p->deb != NULL;
}

static int plan_upgrade(
	struct hf_module_context *c, const struct params *p, struct plan *plan, struct hf_error *err)
{
	bool dist = p->upgrade == UPGRADE_DIST || p->upgrade == UPGRADE_FULL;
	if (everything_installed(p) && hf_list_len(p->package) > 1)
		return hf_fail(err, HF_E_TASK,
			"unable to install additional packages when upgrading all installed packages");
	return plan_simulated(c, plan, dist ? "dist-upgrade" : "upgrade", NULL, err);
}

static int plan_tidy(
	struct hf_module_context *c, const struct params *p, struct plan *plan, struct hf_error *err)
{
	plan->options.autoremove = false;
	plan->options.purge = p->purge == HF_YES;
	if (p->autoclean == HF_YES)
		return plan_simulated(c, plan, "autoclean", "Del ", err);
	return plan_simulated(c, plan, "autoremove", "The following packages will be REMOVED", err);
}

static int plan_names(
	struct hf_module_context *c, const struct params *p, struct plan *plan, struct hf_error *err)
{
	struct hf_words specs = { .arena = hf_task_arena(c) };
	int r = specs_expand(c, p->package, &specs, err);
	if (r < 0)
		return r;
	if (specs.n == 0 && (p->autoclean == HF_YES || p->autoremove == HF_YES))
		return plan_tidy(c, p, plan, err);
	if (specs.n == 0)
		return 0;
	if (p->state == BUILD_DEP) {
		plan->packages = specs;
		return plan_simulated(c, plan, "build-dep", NULL, err);
	}
	return p->state == ABSENT ? plan_remove(c, p, &specs, plan, err)
				  : plan_install(c, p, &specs, plan, err);
}

static int plan_make(struct hf_module_context *c, const struct params *p, bool fetch, struct plan *plan,
	bool *ret_unknown, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	bool update = plan->update;
	*plan = (struct plan){ .update = update,
		.packages = { .arena = a },
		.manual = { .arena = a },
		.options = options_of(p) };
	if (p->upgrade != UPGRADE_NO || everything_installed(p))
		return plan_upgrade(c, p, plan, err);
	if (p->deb == NULL)
		return plan_names(c, p, plan, err);
	if (p->state != PRESENT)
		return hf_fail(err, HF_E_TASK, "deb only supports state=present");
	return plan_debs(c, p, fetch, plan, ret_unknown, err);
}

/* --- check, apply --- */
static void report(struct hf_module_context *c, struct hf_change *change, const struct hf_proc_result *ran)
{
	struct hf_arena *a = hf_task_arena(c);
	hf_result_put(c, change, "stdout", hf_value_str(a, ran->out));
	hf_result_put(c, change, "stderr", hf_value_str(a, ran->err));
	if (!hf_task_diff(c))
		return;
	struct hf_value *diff = hf_value_dict(a);
	hf_dict_put(diff, "prepared", hf_value_str(a, hf_apt_prepared(ran->out)));
	hf_list_append(change->diff, diff);
}

static void report_cache(
	struct hf_module_context *c, struct hf_change *change, const struct params *p, bool updated)
{
	bool lists = p->update_cache == HF_YES || p->cache_valid_time > 0;
	bool names = p->package != NULL && hf_list_len(p->package) > 0 && p->upgrade == UPGRADE_NO &&
		     p->deb == NULL;
	if (has_work(p) ? !names || p->state == ABSENT : !lists)
		return; /* Ansible says it of names and of the lists alone */
	hf_result_bool(c, change, "cache_updated", updated);
	hf_result_int(c, change, "cache_update_time", hf_apt_cache_time());
}

static bool lists_are_due(const struct params *p)
{
	return (p->update_cache == HF_YES || p->cache_valid_time > 0) &&
	       hf_apt_cache_time() + p->cache_valid_time < hf_time_now();
}

static int apt_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct plan *plan = hf_new(hf_task_arena(c), struct plan);
	change->state = plan;
	bool acts = hf_task_acts(c), due = lists_are_due(p), check_mode = hf_task_check_mode(c);
	if (p->clean == HF_YES && acts)
		change->unknown = change->changed = true;
	if (due && acts && (!check_mode || !has_work(p))) { /* only fresh lists can tell */
		plan->update = change->unknown = true;
		change->changed = change->changed || !has_work(p);
		report_cache(c, change, p, check_mode);
		return 0;
	}
	int r = plan_make(c, p, false, plan, &change->unknown, err);
	if (r < 0)
		return r;
	plan->update = due && (acts || plan->operation != NULL);
	change->unknown = change->unknown || plan->manual.n > 0;
	change->changed = change->changed || plan->operation != NULL;
	report_cache(c, change, p, due);
	if (plan->operation == NULL || !check_mode)
		return 0;
	struct hf_proc_result ran;
	r = hf_apt_get(c, &plan->options, plan->operation, &plan->packages, true, &ran, err);
	report(c, change, &ran);
	return r;
}

static int archives_clean(
	struct hf_module_context *c, const struct params *p, struct hf_change *change, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "apt-get", "clean", NULL);
	struct hf_str said = HF_STR("");
	int r = hf_host_output(c, &w, &said, err);
	if (!has_work(p))
		hf_result_put(c, change, "msg", hf_value_str(hf_task_arena(c), said));
	change->changed = !has_work(p);
	return r;
}

static int apt_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct plan *plan = change->state;
	struct hf_proc_result ran;
	bool unknown = false, updated = false;
	int r = 0;
	change->changed = false;
	if (p->clean == HF_YES)
		r = archives_clean(c, p, change, err);
	if (r == 0 && plan->update) {
		int64_t before = hf_apt_cache_time();
		r = hf_apt_update(
			c, p->update_cache_retries, p->update_cache_retry_max_delay, p->lock_timeout, err);
		updated = hf_apt_cache_time() != before;
		change->changed = change->changed || (!has_work(p) && updated);
	}
	if (r == 0 && (plan->update || p->deb != NULL) && has_work(p))
		r = plan_make(c, p, true, plan, &unknown, err);
	report_cache(c, change, p, updated);
	if (r == 0 && plan->operation != NULL) {
		r = hf_apt_get(c, &plan->options, plan->operation, &plan->packages, false, &ran, err);
		report(c, change, &ran);
		change->changed = r == 0;
	}
	if (r == 0 && plan->manual.n > 0) {
		struct hf_words mark = hf_words(hf_task_arena(c), "apt-mark", "manual", NULL);
		for (size_t i = 0; i < plan->manual.n; i++)
			hf_words_add(&mark, plan->manual.at[i]);
		r = hf_host_output(c, &mark, NULL, err);
	}
	return r;
}

/* The file that names a package's configuration; of a removed one only that is left in its list. */
static const char *conffiles_list(struct hf_arena *a, const struct hf_dpkg *db, const char *name)
{
	const struct hf_dpkg_package *have = hf_dpkg_find(db, name);
	const char *end = have != NULL && have->config_files ? "list" : "conffiles";
	const char *plain = hf_sprintf(a, "/var/lib/dpkg/info/%s.%s", name, end);
	return hf_fs_exists(plain)
		       ? plain
		       : hf_sprintf(a, "/var/lib/dpkg/info/%s:%s.%s", name, db->architecture, end);
}

/* Purging deletes configuration that a reinstalled package would bring in its first state only. */
static int conffiles_save(
	struct hf_module_context *c, const char *name, struct hf_undo *undo, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct hf_dpkg *db;
	struct hf_str text, line;
	struct stat st;
	int r = hf_dpkg_load(NULL, &db, err);
	if (r < 0 || hf_fs_read(a, conffiles_list(a, db, name), HF_EDIT_MAX, &text, NULL) < 0)
		return r; /* without a list it has none */
	while (r == 0 && hf_str_split(&text, '\n', &line)) {
		const char *path = hf_str_dup(a, hf_str_trim(line));
		if (path[0] == '/' && lstat(path, &st) == 0 && S_ISREG(st.st_mode))
			r = hf_undo_file(undo, path, err);
	}
	return r;
}

static int apt_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	int r = 0;
	for (size_t i = 0; r == 0 && p->purge == HF_YES && p->state == ABSENT && i < plan->packages.n; i++)
		r = conffiles_save(c, plan->packages.at[i], undo, err);
	return r < 0 ? r : hf_apt_undo(c, undo, err);
}

static void apt_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_packages(w);
}

const struct hf_module hf_module_apt = {
	.name = "apt",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.check = apt_check,
	.apply = apt_apply,
	.undo = apt_undo,
	.restore = hf_apt_restore,
	.watch = apt_watch,
};
