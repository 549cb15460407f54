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
	{ "list", HF_ARG_STR, AT(list),
		.help = "installed, updates, available, repos, or a package: say what there is" },
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
	{ HF_RULE_EXCLUSIVE, ALIASES("name", "list") },
	{ HF_RULE_EXCLUSIVE, ALIASES("best", "nobest") },
	{ HF_RULE_END },
};

struct plan {
	const char *verb, *upgrade;  /* NULL: nothing to do */
	struct hf_words names, olds; /* olds: those that are there and get newer, which is another verb */
	struct hf_value *results, *failures;
};

static bool is_absent(const struct params *p)
{
	if (p->state == NULL)
		return p->autoremove == HF_YES;
	return (strcmp(p->state, "absent") == 0 || strcmp(p->state, "removed") == 0);
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
		{ is_absent(p) && p->autoremove != HF_YES, "--noautoremove" },
		{ p->install_weak_deps == HF_NO, "--setopt=install_weak_deps=False" },
		{ p->sslverify == HF_NO || p->validate_certs == HF_NO, "--setopt=sslverify=False" } };
	bool signatures = p->disable_gpg_check != HF_YES;
	const char *const values[][2] = { { "setopt", signatures ? "gpgcheck=True" : NULL },
		{ "setopt", signatures ? "localpkg_gpgcheck=True" : NULL }, { "config", p->conf_file },
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

/* What dnf says it would do. */
struct outlook {
	bool changed, missing;
	struct hf_words downgrades; /* names */
	struct hf_value *results;
};

/* "---> Package hf-demo.noarch 1.0-1 will be installed", as Ansible words it. */
static void outlook_line(struct hf_arena *a, const struct params *p, struct hf_str line, struct outlook *ret)
{
	static const char *const in[] = { "installed", "an upgrade", "a downgrade", "reinstalled",
		"obsoleting", NULL };
	static const char *const out[] = { "erased", "upgraded", "downgraded", "obsoleted", NULL };
	const char *head = "---> Package ";
	size_t at = hf_str_find(line, HF_STR(" will be "), 0);
	if (!hf_str_starts(line, head) || at == SIZE_MAX)
		return;
	struct hf_str rest = hf_strn(line.p + strlen(head), at - strlen(head)), name;
	const char *fate = hf_str_dup(a, hf_str_trim(hf_strn(line.p + at + 9, line.n - at - 9)));
	if (!hf_str_split(&rest, ' ', &name))
		return;
	size_t dot = name.n;
	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	if (dot == 0)
		return;
	const char *what = NULL;
	for (size_t i = 0; in[i] != NULL; i++)
		if (strcmp(in[i], fate) == 0)
			what = p->download_only == HF_YES ? "Downloaded" : "Installed";
	for (size_t i = 0; out[i] != NULL; i++)
		if (strcmp(out[i], fate) == 0)
			what = "Removed";
	if (strcmp(fate, "a downgrade") == 0)
		hf_words_add(&ret->downgrades, hf_strndup(a, name.p, dot - 1));
	if (what != NULL)
		hf_list_append(ret->results,
			hf_value_cstr(a, hf_sprintf(a, "%s: %.*s-%.*s.%.*s", what, (int)dot - 1, name.p,
						 HF_STR_ARG(rest), (int)(name.n - dot), name.p + dot)));
}

static bool said(const struct hf_proc_result *ran, const char *words)
{
	return hf_str_find(ran->out, hf_str(words), 0) != SIZE_MAX ||
	       hf_str_find(ran->err, hf_str(words), 0) != SIZE_MAX;
}

/* dnf does not say what a downgrade takes the place of; rpm does. */
static int downgrade_look(struct hf_module_context *c, const struct params *p, const char *name,
	struct hf_value *results, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(
		a, "rpm", "--root", p->installroot, "-q", "--qf", "%{NAME}-%{EVR}.%{ARCH}\n", name, NULL);
	struct hf_str out, line;
	int r = hf_host_output(c, &w, &out, err);
	while (r == 0 && out.n > 0 && hf_str_split(&out, '\n', &line))
		if (line.n > 0)
			hf_list_append(
				results, hf_value_cstr(a, hf_sprintf(a, "Removed: %.*s", HF_STR_ARG(line))));
	return r;
}

static int would(struct hf_module_context *c, const struct params *p, const char *verb,
	const struct hf_words *names, struct outlook *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = command(c, p);
	struct hf_proc_result ran;
	struct hf_str line;
	*ret = (struct outlook){ .results = hf_value_list(a), .downgrades.arena = a };
	hf_words_add(&w, "--assumeno");
	hf_words_add(&w, verb);
	for (size_t i = 0; i < names->n; i++)
		hf_words_add(&w, names->at[i]);
	w.at[1] = "-v"; /* it names each package only then */
	int r = hf_host_run(c, &w, (const char *const[]){ "LC_ALL=C", NULL }, &ran, err);
	if (r < 0)
		return r;
	ret->missing = said(&ran, "No match for argument") || said(&ran, "Unable to find a match") ||
		       said(&ran, "There are no enabled repositories");
	bool nothing = said(&ran, "Nothing to do"), aborted = said(&ran, "Operation aborted");
	if (ran.status != 0 && !nothing && !aborted && !ret->missing)
		return hf_fail(err, HF_E_TASK, "%.*s", HF_STR_ARG(hf_str_trim(ran.err)));
	for (struct hf_str rest = ran.out; rest.n > 0 && hf_str_split(&rest, '\n', &line);)
		outlook_line(a, p, line, ret);
	ret->changed = !nothing && (ran.status == 0 || aborted);
	for (size_t i = 0; r == 0 && i < ret->downgrades.n; i++)
		r = downgrade_look(c, p, ret->downgrades.at[i], ret->results, err);
	return r;
}

static int would_one(struct hf_module_context *c, const struct params *p, const char *verb, const char *name,
	struct outlook *ret, struct hf_error *err)
{
	struct hf_words one = hf_words(hf_task_arena(c), name, NULL);
	return would(c, p, verb, &one, ret, err);
}

static bool is_file(const char *name)
{
	return strstr(name, "://") != NULL || hf_str_ends(hf_str(name), ".rpm");
}

static bool needs_dnf(const char *name)
{
	return name[0] == '@' || strchr(name, '*') != NULL || strchr(name, '/') != NULL ||
	       strpbrk(name, "<>=") != NULL || is_file(name);
}

static void note(struct hf_module_context *c, struct hf_value *list, const char *format, const char *name)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *text = format;
	size_t at = hf_str_find(hf_str(format), HF_STR("%s"), 0);
	if (at != SIZE_MAX)
		text = hf_sprintf(a, "%.*s%s%s", (int)at, format, name, format + at + 2);
	hf_list_append(list, hf_value_cstr(a, text));
}

/* Whether there is something to ask dnf for one that is to be there. */
static int is_open(struct hf_module_context *c, const struct params *p, const char *name, struct plan *plan,
	bool *ret_have, bool *ret, struct hf_error *err)
{
	*ret_have = false;
	*ret = true;
	if (needs_dnf(name))
		return 0;
	int r = installed(c, p, name, ret_have, err);
	if (r == 0 && p->update_only == HF_YES && !*ret_have)
		note(c, plan->results, "Packages providing %s not installed due to update_only specified",
			name);
	*ret = p->update_only == HF_YES ? *ret_have : !*ret_have || is_latest(p);
	return r;
}

static int plan_present(struct hf_module_context *c, const struct params *p, const char *name,
	struct plan *plan, bool *ret_wanted, struct hf_error *err)
{
	struct outlook o = { 0 };
	bool have, open;
	int r = is_open(c, p, name, plan, &have, &open, err);
	if (r < 0 || !open)
		return r;
	r = would_one(c, p, have || p->update_only == HF_YES ? "upgrade" : "install", name, &o, err);
	if (r == 0 && o.missing && !have)
		note(c, p->skip_broken == HF_YES ? plan->results : plan->failures, "No package %s available.",
			name);
	*ret_wanted = o.changed && !have && (o.downgrades.n == 0 || p->allow_downgrade == HF_YES);
	if (o.changed && have)
		hf_words_add(&plan->olds, name);
	return r;
}

static int plan_name(struct hf_module_context *c, const struct params *p, const char *name, struct plan *plan,
	struct hf_error *err)
{
	struct outlook o = { 0 };
	bool wanted = false;
	int r;
	if (is_absent(p) && is_file(name))
		return hf_fail(err, HF_E_TASK, "Cannot remove paths -- please specify package name.");
	if (!is_absent(p))
		r = plan_present(c, p, name, plan, &wanted, err);
	else if (!needs_dnf(name))
		r = installed(c, p, name, &wanted, err);
	else
		r = would_one(c, p, "remove", name, &o, err);
	wanted = wanted || o.changed;
	if (r == 0 && is_absent(p) && o.missing)
		note(c, plan->results, "%s is not installed", name);
	if (r == 0 && !is_absent(p) && is_file(name))
		note(c, plan->results, "Installed %s", name);
	if (r == 0 && wanted)
		hf_words_add(&plan->names, name);
	return r;
}

/* Everything that was found, once more and at once: this is what will be done. */
static int plan_whole(struct hf_module_context *c, const struct params *p, const char *verb,
	const struct hf_words *names, struct plan *plan, const char **ret_verb, struct hf_error *err)
{
	struct outlook o;
	int r = would(c, p, verb, names, &o, err);
	if (r < 0)
		return r;
	*ret_verb = o.changed ? verb : NULL;
	for (size_t i = 0; i < hf_list_len(o.results); i++)
		hf_list_append(plan->results, hf_list_at(o.results, i));
	return 0;
}

/* Names as Ansible takes them: what holds commas is several, at the end. */
static int names_read(
	struct hf_module_context *c, const struct params *p, struct hf_words *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	*ret = (struct hf_words){ .arena = a };
	for (int several = 0; p->name != NULL && several <= 1; several++)
		for (size_t i = 0; i < hf_list_len(p->name); i++) {
			struct hf_str name = hf_str_trim(hf_list_at(p->name, i)->u.string), one;
			bool commas = memchr(name.p, ',', name.n) != NULL;
			while (commas == (several == 1) && name.n > 0 && hf_str_split(&name, ',', &one))
				hf_words_add(ret, hf_str_dup(a, hf_str_trim(one)));
		}
	for (size_t i = 0; i < ret->n; i++)
		if (strchr(ret->at[i], ' ') != NULL && strpbrk(ret->at[i], "@<>=") == NULL)
			return hf_fail(err, HF_E_TASK,
				"It appears that a space separated string of packages was passed in as an "
				"argument. To operate on several packages, pass a comma separated string of "
				"packages or a list of packages.");
	return 0;
}

static int plan_names(struct hf_module_context *c, const struct params *p, const struct hf_words *names,
	struct plan *plan, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < names->n; i++)
		r = plan_name(c, p, names->at[i], plan, err);
	if (r < 0 || hf_list_len(plan->failures) > 0)
		return r;
	if (plan->olds.n > 0)
		r = plan_whole(c, p, "upgrade", &plan->olds, plan, &plan->upgrade, err);
	if (r < 0 || plan->names.n == 0)
		return r;
	const char *verb = is_absent(p)               ? p->autoremove == HF_YES ? "autoremove" : "remove"
			   : p->update_only == HF_YES ? "upgrade"
						      : "install";
	return plan_whole(c, p, verb, &plan->names, plan, &plan->verb, err);
}

static int plan_make(
	struct hf_module_context *c, const struct params *p, struct plan *plan, struct hf_error *err)
{
	struct hf_words names;
	if (p->autoremove == HF_YES && p->state != NULL && strcmp(p->state, "absent") != 0)
		return hf_fail(err, HF_E_TASK, "Autoremove should be used alone or with state=absent");
	int r = names_read(c, p, &names, err);
	if (r < 0)
		return r;
	if (names.n == 1 && strcmp(names.at[0], "*") == 0 && is_latest(p))
		return plan_whole(c, p, "upgrade", &plan->names, plan, &plan->verb, err);
	if (names.n == 0 && p->autoremove == HF_YES)
		return plan_whole(c, p, "autoremove", &plan->names, plan, &plan->verb, err);
	return plan_names(c, p, &names, plan, err);
}

/* --- list --- */
static void list_package(struct hf_arena *a, struct hf_str line, struct hf_value *ret)
{
	static const char *const keys[] = { "name", "arch", "epoch", "release", "version", "repo" };
	struct hf_value *entry = hf_value_dict(a);
	struct hf_str word;
	for (size_t i = 0; i < HF_COUNT(keys); i++) {
		if (!hf_str_split(&line, ' ', &word))
			return;
		hf_dict_put(entry, keys[i], hf_value_str(a, word));
	}
	const char *nevra = hf_sprintf(a, "%s:%s-%s-%s.%s", hf_dict_cstr(entry, "epoch", ""),
		hf_dict_cstr(entry, "name", ""), hf_dict_cstr(entry, "version", ""),
		hf_dict_cstr(entry, "release", ""), hf_dict_cstr(entry, "arch", ""));
	bool here = strcmp(hf_dict_cstr(entry, "repo", ""), "@System") == 0;
	hf_dict_put(entry, "envra", hf_value_cstr(a, nevra));
	hf_dict_put(entry, "nevra", hf_value_cstr(a, nevra));
	hf_dict_put(entry, "yumstate", hf_value_cstr(a, here ? "installed" : "available"));
	hf_list_append(ret, entry);
}

/* One question to dnf; its lines to the results. */
static int list_ask(struct hf_module_context *c, const struct params *p, const char *option, const char *name,
	struct hf_value *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = command(c, p);
	struct hf_str out, line;
	hf_words_add(&w, "repoquery");
	hf_words_add(&w, "--qf=%{name} %{arch} %{epoch} %{release} %{version} %{reponame}");
	if (option != NULL)
		hf_words_add(&w, option);
	if (name != NULL)
		hf_words_add(&w, name);
	int r = hf_host_output(c, &w, &out, err);
	while (r == 0 && out.n > 0 && hf_str_split(&out, '\n', &line))
		if (line.n > 0)
			list_package(a, line, ret);
	return r;
}

/* "id  its name", below a line of headings. */
static int list_repos(
	struct hf_module_context *c, const struct params *p, struct hf_value *ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = command(c, p);
	struct hf_str out, line, id;
	bool heading = true;
	hf_words_add(&w, "repolist");
	int r = hf_host_output(c, &w, &out, err);
	for (; r == 0 && out.n > 0 && hf_str_split(&out, '\n', &line); heading = false) {
		if (heading || line.n == 0 || !hf_str_split(&line, ' ', &id))
			continue;
		struct hf_value *entry = hf_value_dict(a);
		hf_dict_put(entry, "repoid", hf_value_str(a, id));
		hf_dict_put(entry, "state", hf_value_cstr(a, "enabled"));
		hf_list_append(ret, entry);
	}
	return r;
}

static int list(
	struct hf_module_context *c, const struct params *p, struct hf_change *change, struct hf_error *err)
{
	static const struct {
		const char *word, *option;
	} rows[] = { { "installed", "--installed" }, { "updates", "--upgrades" },
		{ "upgrades", "--upgrades" }, { "available", "--available" } };
	struct hf_value *results = hf_value_list(hf_task_arena(c));
	const char *option = NULL;
	int r;
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (strcmp(rows[i].word, p->list) == 0)
			option = rows[i].option;
	if (strcmp(p->list, "repos") == 0 || strcmp(p->list, "repositories") == 0) {
		r = list_repos(c, p, results, err);
	} else if (option != NULL) {
		r = list_ask(c, p, option, NULL, results, err);
	} else {
		r = list_ask(c, p, "--installed", p->list, results, err);
		if (r == 0)
			r = list_ask(c, p, NULL, p->list, results, err);
	}
	hf_result_cstr(c, change, "msg", "");
	hf_result_put(c, change, "results", results);
	return r;
}

static void report(struct hf_module_context *c, const struct params *p, const struct plan *plan,
	bool only_cache, struct hf_change *change)
{
	bool nothing = plan->verb == NULL && plan->upgrade == NULL;
	change->changed = !nothing;
	change->unknown = p->update_cache == HF_YES && nothing && hf_task_acts(c);
	hf_result_int(c, change, "rc", 0);
	hf_result_put(c, change, "results", plan->results);
	hf_result_cstr(c, change, "msg",
		only_cache              ? "Cache updated"
		: nothing               ? "Nothing to do"
		: hf_task_check_mode(c) ? "Check mode: No changes made, but would have if not in check mode"
					: "");
}

static int dnf_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct plan *plan = hf_new(a, struct plan);
	change->state = plan;
	plan->names.arena = plan->olds.arena = a;
	plan->results = hf_value_list(a);
	plan->failures = hf_value_list(a);
	if (hf_proc_which(a, "rpm") == NULL)
		return hf_fail(err, HF_E_TASK, "dnf: there is no rpm on this host");
	if (p->list != NULL)
		return list(c, p, change, err);
	bool only_cache = p->update_cache == HF_YES && (p->name == NULL || hf_list_len(p->name) == 0);
	int r = only_cache ? 0 : plan_make(c, p, plan, err);
	if (r < 0 || hf_list_len(plan->failures) > 0) {
		hf_result_int(c, change, "rc", 1);
		hf_result_put(c, change, "results", hf_value_list(a));
		if (r == 0)
			hf_result_put(c, change, "failures", plan->failures);
		return r < 0 ? r
			     : hf_fail(err, HF_E_TASK, "Failed to install some of the specified packages");
	}
	report(c, p, plan, only_cache, change);
	return 0;
}

static int run_verb(struct hf_module_context *c, const struct params *p, const char *verb,
	const struct hf_words *names, struct hf_error *err)
{
	struct hf_words w = command(c, p);
	hf_words_add(&w, verb);
	for (size_t i = 0; i < names->n; i++)
		hf_words_add(&w, names->at[i]);
	return hf_host_output(c, &w, NULL, err);
}

static int dnf_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	if (plan->verb == NULL && plan->upgrade == NULL) {
		const struct hf_words none = { 0 };
		int made = run_verb(c, p, "makecache", &none, err);
		change->changed = false;
		return made;
	}
	int r = plan->upgrade == NULL ? 0 : run_verb(c, p, plan->upgrade, &plan->olds, err);
	return r < 0 || plan->verb == NULL ? r : run_verb(c, p, plan->verb, &plan->names, err);
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
