/* modules/facts/setup.c - setup and gather_facts: which collectors run, and which facts are kept. */
#include <fnmatch.h>
#include <string.h>

#include "lib/base/scope.h"
#include "modules/facts/facts.h"

struct params {
	struct hf_value *gather_subset, *filter;
	int64_t gather_timeout;
	const char *fact_path;
	const char *parallel;
};

static const char *const filter_aliases[] = { "filters", NULL };
static const struct hf_arg args[] = {
	{ "gather_subset", HF_ARG_LIST, offsetof(struct params, gather_subset), .dflt = "all",
		.elements = HF_ARG_STR, .help = "groups of facts to gather; !name leaves one out" },
	{ "gather_timeout", HF_ARG_INT, offsetof(struct params, gather_timeout), .dflt = "10",
		.help = "seconds one local fact program or one network mount may take" },
	{ "filter", HF_ARG_LIST, offsetof(struct params, filter), .elements = HF_ARG_STR,
		.aliases = filter_aliases,
		.help = "shell patterns; only facts whose name matches are returned" },
	{ "fact_path", HF_ARG_PATH, offsetof(struct params, fact_path), .dflt = "/etc/ansible/facts.d",
		.help = "folder with local facts (*.fact)" },
	{ .type = HF_ARG_END },
};

enum { FACT_IDS_MAX = 12 };
enum collector_flags { MINIMAL = 1 << 0 };

/* Rows are in the order in which they need each other. ids: facts that may be named instead of the collector.
 */
static const struct collector {
	const char *name;
	void (*collect)(struct hf_facts *f);
	unsigned flags;
	const char *ids[FACT_IDS_MAX];
	const char *requires[3];
} collectors[] = {
	{ "platform", hf_facts_platform, MINIMAL,
		{ "system", "kernel", "kernel_version", "machine", "python_version", "architecture",
			"machine_id" },
		{ 0 } },
	{ "distribution", hf_facts_distribution, MINIMAL,
		{ "distribution_version", "distribution_release", "distribution_major_version", "os_family" },
		{ 0 } },
	{ "lsb", hf_facts_lsb, MINIMAL, { 0 }, { 0 } },
	{ "selinux", hf_facts_selinux, MINIMAL, { 0 }, { 0 } },
	{ "apparmor", hf_facts_apparmor, MINIMAL, { 0 }, { 0 } },
	{ "chroot", hf_facts_chroot, 0, { "is_chroot" }, { 0 } },
	{ "fips", hf_facts_fips, MINIMAL, { 0 }, { 0 } },
	{ "python", hf_facts_python, MINIMAL, { 0 }, { 0 } },
	{ "caps", hf_facts_caps, MINIMAL, { "system_capabilities", "system_capabilities_enforced" }, { 0 } },
	{ "pkg_mgr", hf_facts_pkg_mgr, MINIMAL, { 0 }, { "distribution" } },
	{ "service_mgr", hf_facts_service_mgr, MINIMAL, { 0 }, { "platform", "distribution" } },
	{ "cmdline", hf_facts_cmdline, MINIMAL, { 0 }, { 0 } },
	{ "date_time", hf_facts_date_time, MINIMAL, { 0 }, { 0 } },
	{ "env", hf_facts_environment, MINIMAL, { 0 }, { 0 } },
	{ "loadavg", hf_facts_loadavg, 0, { 0 }, { 0 } },
	{ "ssh_pub_keys", hf_facts_ssh_pub_keys, MINIMAL,
		{ "ssh_host_pub_keys", "ssh_host_key_dsa_public", "ssh_host_key_rsa_public",
			"ssh_host_key_ecdsa_public", "ssh_host_key_ed25519_public" },
		{ 0 } },
	{ "user", hf_facts_user, MINIMAL,
		{ "user_id", "user_uid", "user_gid", "user_gecos", "user_dir", "user_shell", "real_user_id",
			"effective_user_id", "real_group_id", "effective_group_ids" },
		{ 0 } },
	{ "virtual", hf_facts_virtual, 0,
		{ "virtualization_type", "virtualization_role", "virtualization_tech_guest",
			"virtualization_tech_host" },
		{ 0 } },
	{ "hardware", hf_facts_hardware, 0,
		{ "processor", "processor_cores", "processor_count", "mounts", "devices" }, { "platform" } },
	{ "dns", hf_facts_dns, MINIMAL, { 0 }, { 0 } },
	{ "network", hf_facts_network, 0,
		{ "interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses" },
		{ "distribution", "platform" } },
	{ "fibre_channel_wwn", NULL, 0, { 0 }, { 0 } },
	{ "iscsi", NULL, 0, { 0 }, { 0 } },
	{ "nvme", hf_facts_storage_names, 0, { 0 }, { 0 } },
	{ "local", hf_facts_local, MINIMAL, { 0 }, { 0 } },
	{ "facter", NULL, 0, { 0 }, { 0 } },
	{ "ohai", NULL, 0, { 0 }, { 0 } },
	{ "holdfast_gpu", hf_facts_gpu, 0, { 0 }, { 0 } },
};

static bool collector_answers(const struct collector *k, const char *name)
{
	if (strcmp(k->name, name) == 0)
		return true;
	for (size_t i = 0; i < FACT_IDS_MAX && k->ids[i] != NULL; i++)
		if (strcmp(k->ids[i], name) == 0)
			return true;
	return false;
}

/* What a name of gather_subset does to one collector: ids count for excluding the collector only by its own
 * name. */
struct choice {
	bool added[HF_COUNT(collectors)], excluded[HF_COUNT(collectors)], named[HF_COUNT(collectors)];
};

static int choice_take(struct choice *choice, const char *subset, struct hf_error *err)
{
	bool exclude = subset[0] == '!', known = false;
	const char *name = exclude ? subset + 1 : subset;
	bool all = strcmp(name, "all") == 0, min = strcmp(name, "min") == 0;
	for (size_t i = 0; i < HF_COUNT(collectors); i++) {
		const struct collector *k = &collectors[i];
		bool minimal = (k->flags & MINIMAL) != 0;
		if (exclude) {
			if ((min && minimal) || (all && !minimal) || strcmp(k->name, name) == 0)
				choice->excluded[i] = true;
			known = true;
		} else if (all || (min && minimal)) {
			choice->added[i] = known = true;
		} else if (collector_answers(k, name)) {
			choice->added[i] = choice->named[i] = known = true;
		}
	}
	if (known)
		return 0;
	return hf_fail(err, HF_E_TASK,
		"Bad subset '%s' given to Ansible. gather_subset options allowed: all, min, "
		"network, hardware, virtual, …: the names in the manual page of setup",
		subset);
}

static int subsets_choose(
	const struct hf_value *subsets, bool chosen[HF_COUNT(collectors)], struct hf_error *err)
{
	struct choice choice = { 0 };
	int r = choice_take(&choice, "min", err);
	for (size_t i = 0; r == 0 && subsets != NULL && i < hf_list_len(subsets); i++) {
		const struct hf_value *item = hf_list_at(subsets, i);
		r = choice_take(&choice, hf_is(item, HF_STRING) ? item->u.string.p : "", err);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < HF_COUNT(collectors); i++)
		chosen[i] = choice.added[i] && (choice.named[i] || !choice.excluded[i]);
	for (size_t i = 0; i < HF_COUNT(collectors); i++)
		for (size_t n = 0; chosen[i] && n < HF_COUNT(collectors[i].requires); n++)
			for (size_t k = 0; collectors[i].requires[n] != NULL && k < i; k++)
				if (strcmp(collectors[k].name, collectors[i].requires[n]) == 0)
					chosen[k] = true;
	return 0;
}

static bool filter_matches(const struct hf_value *filter, const char *name)
{
	for (size_t i = 0; i < hf_list_len(filter); i++) {
		const struct hf_value *item = hf_list_at(filter, i);
		const char *pattern = hf_is(item, HF_STRING) ? item->u.string.p : "";
		if (pattern[0] == '\0' || fnmatch(pattern, name, 0) == 0)
			return true;
		bool prefixed = strncmp(pattern, "ansible_", 8) == 0 || strncmp(pattern, "facter", 6) == 0;
		if (!prefixed && strncmp(name, "ansible_", 8) == 0 && fnmatch(pattern, name + 8, 0) == 0)
			return true;
	}
	return false;
}

static struct hf_value *filter_facts(struct hf_arena *a, const struct hf_value *filter, struct hf_value *all)
{
	if (filter == NULL || hf_list_len(filter) == 0)
		return all;
	struct hf_value *kept = hf_value_dict(a);
	HF_DICT_EACH (all, e) {
		const char *name = hf_entry_key(e)->u.string.p;
		if (filter_matches(filter, name))
			hf_dict_put(kept, name, hf_entry_value(e));
	}
	return kept;
}

static int setup_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	bool chosen[HF_COUNT(collectors)];
	int r = subsets_choose(p->gather_subset, chosen, err);
	if (r < 0)
		return r;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_facts f = { .c = c,
		.a = a,
		.all = hf_value_dict(a),
		.fact_path = p->fact_path,
		.timeout_ms =
			(uint32_t)(p->gather_timeout > 0 && p->gather_timeout < 100000 ? p->gather_timeout
										       : 10) *
			1000 };
	for (size_t i = 0; i < HF_COUNT(collectors); i++)
		if (chosen[i] && collectors[i].collect != NULL)
			collectors[i].collect(&f);
	struct hf_value *facts = filter_facts(a, p->filter, f.all);
	if (p->filter == NULL || hf_list_len(p->filter) == 0) {
		hf_dict_put(facts, "gather_subset", p->gather_subset);
		hf_dict_put(facts, "module_setup", hf_value_bool(a, true));
	}
	hf_result_put(c, change, "ansible_facts", facts);
	return 0;
}

static const char *const setup_aliases[] = { "gather_facts", NULL };

const struct hf_module hf_module_setup = {
	.name = "setup",
	.collection = "ansible.builtin",
	.aliases = setup_aliases,
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_RESOURCE | HF_MODULE_READ_ONLY,
	.check = setup_check,
};
