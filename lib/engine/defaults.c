/* module_defaults: whom they are for, which of them win. */
#include <string.h>

#include "lib/base/scope.h"
#include "lib/engine/args.h"
#include "lib/engine/state.h"

/* Groups by the collections whose modules are in them; one may be named in full, or by the short name
 * Ansible itself knows. Of amazon.aws there is only ec2_metadata_facts, which Ansible has in no group: it
 * takes no region. */
static const struct group {
	const char *name, *full, *collections[3];
} groups[] = {
	{ "acme", "community.crypto.acme", { "community.crypto" } },
	{ "aws", "amazon.aws.aws", { NULL } },
	{ "azure", "azure.azcollection.azure", { NULL } },
	{ "cpm", "wti.remote.cpm", { NULL } },
	{ "docker", "community.docker.docker", { "community.docker" } },
	{ "gcp", "google.cloud.gcp", { NULL } },
	{ "helm", "kubernetes.core.helm", { "kubernetes.core" } },
	{ "k8s", "kubernetes.core.k8s", { "kubernetes.core", "community.okd" } },
	{ "os", "openstack.cloud.os", { NULL } },
	{ "ovirt", "ovirt.ovirt.ovirt", { NULL } },
	{ "vmware", "community.vmware.vmware", { NULL } },
};

static const struct group *group_of(const char *name)
{
	static const char builtin[] = "ansible.builtin.";
	if (strncmp(name, builtin, sizeof(builtin) - 1) == 0)
		name += sizeof(builtin) - 1;
	for (size_t i = 0; i < HF_COUNT(groups); i++)
		if (strcmp(groups[i].name, name) == 0 || strcmp(groups[i].full, name) == 0)
			return &groups[i];
	return NULL;
}

static const char *group_name(const char *key)
{
	return strncmp(key, "group/", 6) == 0 ? key + 6 : NULL;
}

static bool has_collection(const char *name)
{
	const char *dot = strchr(name, '.');
	return dot != NULL && strchr(dot + 1, '.') != NULL && strncmp(name, "ansible.builtin.", 16) != 0;
}

static int check_one(struct hf_loader *l, const struct hf_value *one, struct hf_error *err)
{
	if (!hf_is(one, HF_DICT))
		return hf_fail_at(err, HF_E_PARSE, hf_value_pos(one),
			"The field 'module_defaults' is supposed to be a dictionary or list of dictionaries, "
			"the "
			"keys of which must be static action, module, or group names. Only the values may "
			"contain "
			"templates. For example: {'ping': \"{{ ping_defaults }}\"}");
	HF_DICT_EACH (one, e) {
		const char *key = hf_value_text(l->arena, hf_entry_key(e)).p, *group = group_name(key);
		if (group != NULL && group_of(group) == NULL && !has_collection(group))
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(hf_entry_key(e)),
				"Error loading module_defaults: could not resolve the module_defaults group "
				"ansible.builtin.%s",
				group);
		if (group == NULL && !has_collection(key) && hf_module_find(l->registry, key) == NULL &&
			!hf_action_is_known(key))
			return hf_fail_at(err, HF_E_PARSE, hf_value_pos(hf_entry_key(e)),
				"Could not resolve action %s%s in module_defaults",
				strchr(key, '.') == NULL ? "ansible.legacy." : "", key);
	}
	return 0;
}

int hf_defaults_check(struct hf_loader *l, const struct hf_value *v, struct hf_error *err)
{
	int r = 0;
	if (!hf_is_sequence(v))
		return check_one(l, v, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(v); i++)
		r = check_one(l, hf_list_at(v, i), err);
	return r;
}

static bool is_for(struct hf_task *t, const char *key)
{
	const char *name = group_name(key);
	if (name == NULL)
		return hf_module_find(t->run->options->registry, key) == t->module;
	const struct group *g = group_of(name);
	for (size_t i = 0; g != NULL && i < HF_COUNT(g->collections) && g->collections[i] != NULL; i++)
		if (strcmp(g->collections[i], t->module->collection) == 0)
			return true;
	return false;
}

/* An inner level's entry for the same module or group stands instead of an outer one's; a module's own stands
 * above its group's, whichever level says it. */
static int take_level(
	struct hf_task *t, const struct hf_value *level, struct hf_value *found[2], struct hf_error *err)
{
	struct hf_value *made = NULL;
	HF_DICT_EACH (level, e) {
		const char *key = hf_value_text(t->arena, hf_entry_key(e)).p;
		if (!is_for(t, key))
			continue;
		int r = hf_templar_value(t->run->templar, t->arena, hf_entry_value(e), NULL, &made, err);
		if (r < 0)
			return r;
		if (hf_is(made, HF_DICT))
			found[group_name(key) == NULL] = made;
	}
	return 0;
}

int hf_defaults_add(struct hf_task *t, struct hf_value *args, struct hf_error *err)
{
	struct hf_value *levels[HF_NODE_LEVELS_MAX], *found[2] = { NULL, NULL };
	size_t n = hf_node_collect(t->node, HF_KW_module_defaults, levels);
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		for (size_t j = 0; r == 0 && j < (hf_is_sequence(levels[i]) ? hf_list_len(levels[i]) : 1);
			j++)
			r = take_level(t, hf_is_sequence(levels[i]) ? hf_list_at(levels[i], j) : levels[i],
				found, err);
	for (size_t i = 0; r == 0 && i < HF_COUNT(found); i++) {
		if (found[i] == NULL)
			continue;
		HF_DICT_EACH (found[i], e)
			hf_dict_set(args, hf_entry_key(e), hf_entry_value(e));
	}
	return r;
}
