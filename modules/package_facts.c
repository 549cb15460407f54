/* modules/package_facts.c - installed packages, under ansible_facts.packages. */
#include <string.h>

#include "modules/dpkg.h"
#include "modules/host.h"

static const char *const managers[] = { "auto", "rpm", "apt", "portage", "pkg", "pacman", "apk", "pkg_info",
	"yum", "dnf", "dnf5", "zypper", "pkg5", "pkgng", "openbsd_pkg", NULL };
/* What the fact pkg_mgr may say, and whose packages these are. */
static const char *const other_names[][2] = { { "yum", "rpm" }, { "dnf", "rpm" }, { "dnf5", "rpm" },
	{ "zypper", "rpm" }, { "pkg5", "pkg" }, { "pkgng", "pkg" }, { "openbsd_pkg", "pkg_info" } };
static const char *const strategies[] = { "first", "all", NULL };
struct params {
	struct hf_value *manager;
	const char *strategy;
};
static const struct hf_arg args[] = {
	{ "manager", HF_ARG_LIST, offsetof(struct params, manager), .dflt = "auto", .elements = HF_ARG_STR,
		.choices = managers,
		.help = "apt and rpm are read, in the order named, auto: rpm first; with strategy first the "
			"first that is there" },
	{ "strategy", HF_ARG_STR, offsetof(struct params, strategy), .dflt = "first", .choices = strategies },
	{ .type = HF_ARG_END },
};

static void package_add(struct hf_value *packages, const char *name, const char *const (*rows)[2], size_t n)
{
	struct hf_arena *a = packages->u.dict->map.arena;
	struct hf_value *list = hf_dict_get(packages, name), *package = hf_value_dict(a);
	if (list == NULL) {
		list = hf_value_list(a);
		hf_dict_put(packages, name, list);
	}
	for (size_t i = 0; i < n; i++)
		hf_dict_put(package, rows[i][0],
			rows[i][1] == NULL ? hf_value_null(a) : hf_value_cstr(a, rows[i][1]));
	hf_list_append(list, package);
}

static int apt_read(
	struct hf_module_context *c, struct hf_value *packages, bool *ret_found, struct hf_error *err)
{
	const struct hf_dpkg *db;
	(void)c;
	if (!hf_fs_exists("/var/lib/dpkg/status"))
		return 0;
	int r = hf_dpkg_load(NULL, &db, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < db->n; i++) {
		const struct hf_dpkg_package *p = &db->at[i];
		const char *const rows[][2] = { { "name", p->name }, { "version", p->version },
			{ "arch", p->arch }, { "category", p->section }, { "origin", "" },
			{ "source", "apt" } };
		if (p->installed)
			package_add(packages, p->name, rows, HF_COUNT(rows));
	}
	*ret_found = true;
	return 0;
}

static int rpm_read(
	struct hf_module_context *c, struct hf_value *packages, bool *ret_found, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "rpm", "-qa", "--queryformat",
		"%{NAME}\t%{VERSION}\t%{RELEASE}\t%{EPOCH}\t%{ARCH}\n", NULL);
	struct hf_str out, line;
	if (hf_proc_which(a, "rpm") == NULL || !hf_fs_exists("/var/lib/rpm"))
		return 0;
	int r = hf_host_output(c, &w, &out, err);
	while (r == 0 && hf_str_split(&out, '\n', &line)) {
		const char *field[5] = { "", "", "", "", "" };
		struct hf_str piece;
		for (size_t i = 0; i < HF_COUNT(field) && hf_str_split(&line, '\t', &piece); i++)
			field[i] = hf_str_dup(a, piece);
		bool none = strcmp(field[3], "(none)") == 0;
		const char *const rows[][2] = { { "name", field[0] }, { "version", field[1] },
			{ "release", field[2] }, { "epoch", none ? NULL : field[3] },
			{ "arch", strcmp(field[4], "(none)") == 0 ? NULL : field[4] }, { "source", "rpm" } };
		if (field[0][0] != '\0')
			package_add(packages, field[0], rows, HF_COUNT(rows));
	}
	/* Debian has a program of that name, too, for looking into other systems' packages. */
	*ret_found = r == 0 && (hf_dict_len(packages) > 0 || !hf_fs_exists("/var/lib/dpkg/status"));
	return r;
}

static const struct reader {
	const char *name;
	int (*read)(struct hf_module_context *c, struct hf_value *packages, bool *ret_found,
		struct hf_error *err);
} readers[] = { { "rpm", rpm_read }, { "apt", apt_read } };

static const char *usual_name(const char *name)
{
	for (size_t i = 0; i < HF_COUNT(other_names); i++)
		if (strcmp(name, other_names[i][0]) == 0)
			return other_names[i][1];
	return name;
}

/* In the order in which the task names them; auto stands for those it does not name, after the others. */
static struct hf_value *asked_for(struct hf_arena *a, const struct hf_value *manager)
{
	struct hf_value *names = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(manager); i++) {
		const char *name = usual_name(hf_list_at(manager, i)->u.string.p);
		if (strcmp(name, "auto") != 0 && !hf_list_has(names, name))
			hf_list_append(names, hf_value_cstr(a, name));
	}
	for (size_t i = 0; i < HF_COUNT(readers); i++)
		if (hf_list_has(manager, "auto") && !hf_list_has(names, readers[i].name))
			hf_list_append(names, hf_value_cstr(a, readers[i].name));
	return names;
}

static const struct reader *reader_of(const char *name)
{
	for (size_t i = 0; i < HF_COUNT(readers); i++)
		if (strcmp(readers[i].name, name) == 0)
			return &readers[i];
	return NULL;
}

static int package_facts_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *packages = hf_value_dict(a), *facts = hf_value_dict(a);
	const struct hf_value *names = asked_for(a, p->manager);
	const char *list = "";
	bool any = false;
	for (size_t i = 0; i < hf_list_len(names); i++) {
		const struct reader *reader = reader_of(hf_list_at(names, i)->u.string.p);
		struct hf_value *its = hf_value_dict(a);
		bool found = false;
		list = hf_sprintf(a, "%s%s'%s'", list, i > 0 ? ", " : "", hf_list_at(names, i)->u.string.p);
		if (reader == NULL || (any && strcmp(p->strategy, "first") == 0))
			continue;
		int r = reader->read(c, its, &found, err);
		if (r < 0)
			return r;
		if (found)
			HF_DICT_EACH (its, e)
				hf_dict_set(packages, hf_entry_key(e), hf_entry_value(e));
		any = any || found;
	}
	if (!any)
		return hf_fail(err, HF_E_TASK,
			"Could not detect a supported package manager from the following list: [%s], or the "
			"required Python library is not installed. Check warnings for details.",
			list);
	hf_dict_put(facts, "packages", packages);
	hf_result_put(c, change, "ansible_facts", facts);
	return 0;
}

const struct hf_module hf_module_package_facts = {
	.name = "package_facts",
	.collection = "ansible.builtin",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY,
	.check = package_facts_check,
};
