#include "lib/engine/absent.h"

#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/engine/args.h"

static const struct {
	const char *word, *folder, *collection_folder;
	bool by_name; /* the file has the plugin's name; a filter file may hold any filter */
} kinds[HF_PLUGIN_KINDS] = {
	[HF_PLUGIN_MODULE] = { "module", "library", "modules", true },
	[HF_PLUGIN_FILTER] = { "filter", "filter_plugins", "filter", false },
	[HF_PLUGIN_TEST] = { "test", "test_plugins", "test", false },
	[HF_PLUGIN_LOOKUP] = { "lookup", "lookup_plugins", "lookup", true },
};

/* Short names that ansible-core leads on to collections. */
static const char *const filters[] = { "cidr_merge", "comp_type5", "gcp_kms_decrypt", "gcp_kms_encrypt",
	"hash_salt", "hwaddr", "ip4_hex", "ipaddr", "ipmath", "ipsubnet", "ipv4", "ipv6", "ipwrap",
	"json_query", "k8s_config_resource_name", "network_in_network", "network_in_usable",
	"next_nth_usable", "nthhost", "parse_cli", "parse_cli_textfsm", "parse_xml", "previous_nth_usable",
	"random_mac", "reduce_on_network", "slaac", "type5_pw", "vlan_parser", NULL };
static const char *const lookups[] = { "avi", "aws_account_attribute", "aws_secret", "aws_service_ip_ranges",
	"aws_ssm", "cartesian", "chef_databag", "config", "conjur_variable", "consul_kv", "cpm_metering",
	"cpm_status", "credstash", "cyberarkpassword", "dig", "dnstxt", "etcd", "filetree", "flattened",
	"gcp_storage_file", "grafana_dashboard", "hashi_vault", "hiera", "k8s", "keyring", "laps_password",
	"lastpass", "lmdb_kv", "manifold", "mongodb", "nios", "nios_next_ip", "nios_next_network",
	"onepassword", "onepassword_raw", "openshift", "passwordstore", "rabbitmq", "redis", "shelvefile",
	"skydive", "url", NULL };

/* Modules that are left out on purpose, and what does their work. */
static const struct {
	const char *name, *why;
} left_out[] = {
	{ "subversion", "module 'subversion' is left out on purpose: holdfast does not speak to Subversion "
			"servers; keep "
			"the sources in git, or run `svn export` in a command task with `creates`" },
};

static const char *reason_left_out(const char *name)
{
	for (size_t i = 0; i < HF_COUNT(left_out); i++)
		if (strcmp(left_out[i].name, hf_action_short(name)) == 0)
			return left_out[i].why;
	return NULL;
}

const char *hf_plugin_word(enum hf_plugin_kind kind)
{
	return kinds[kind].word;
}

static const char *in_folder(struct hf_arena *a, const char *dir, enum hf_plugin_kind kind, const char *name)
{
	const char *folder = hf_path_join(a, dir, kinds[kind].folder);
	const char *file = kinds[kind].by_name ? hf_sprintf(a, "%s/%s.py", folder, name) : folder;
	if (hf_fs_exists(file))
		return file;
	file = hf_sprintf(a, "%s/action_plugins/%s.py", dir, name);
	return kind == HF_PLUGIN_MODULE && hf_fs_exists(file) ? file : NULL;
}

static const char *in_collection(
	struct hf_arena *a, const char *root, enum hf_plugin_kind kind, const char *name)
{
	const char *dot = strchr(name, '.'), *second = dot == NULL ? NULL : strchr(dot + 1, '.');
	if (second == NULL)
		return NULL;
	const char *dir = hf_sprintf(a, "%s/ansible_collections/%.*s/%.*s/plugins", root, (int)(dot - name),
		name, (int)(second - dot - 1), dot + 1);
	const char *folders[] = { kinds[kind].collection_folder, kind == HF_PLUGIN_MODULE ? "action" : NULL };
	for (size_t i = 0; i < HF_COUNT(folders) && folders[i] != NULL; i++) {
		const char *file = hf_sprintf(a, "%s/%s/%s.py", dir, folders[i], second + 1);
		if (hf_fs_exists(file))
			return file;
		if (!kinds[kind].by_name && hf_fs_is_dir(hf_path_dir(a, file)))
			return hf_path_dir(a, file);
	}
	return NULL;
}

const char *hf_plugin_file(
	struct hf_arena *a, const struct hf_plugin_places *places, enum hf_plugin_kind kind, const char *name)
{
	const char *const dirs[] = { places->role_dir, places->play_dir };
	const char *found = NULL;
	if (strchr(name, '/') != NULL)
		return NULL;
	for (size_t i = 0; found == NULL && strchr(name, '.') == NULL && i < HF_COUNT(dirs); i++)
		found = dirs[i] == NULL ? NULL : in_folder(a, dirs[i], kind, name);
	for (size_t i = 0;
		found == NULL && places->collections_path != NULL && places->collections_path[i] != NULL; i++)
		found = in_collection(a, places->collections_path[i], kind, name);
	if (found == NULL && places->play_dir != NULL)
		found = in_collection(a, hf_path_join(a, places->play_dir, "collections"), kind, name);
	return found;
}

static bool listed(const char *name, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

bool hf_plugin_possible(
	struct hf_arena *a, const struct hf_plugin_places *places, enum hf_plugin_kind kind, const char *name)
{
	const char *s = hf_action_short(name);
	if (hf_plugin_file(a, places, kind, name) != NULL)
		return true;
	if (kind == HF_PLUGIN_MODULE || strchr(s, '.') != NULL)
		return hf_action_is_known(name);
	return kind == HF_PLUGIN_LOOKUP ? listed(s, lookups) : kind == HF_PLUGIN_FILTER && listed(s, filters);
}

const char *hf_plugin_absent(
	struct hf_arena *a, const struct hf_plugin_places *places, enum hf_plugin_kind kind, const char *name)
{
	const char *file = hf_plugin_file(a, places, kind, name);
	if (file != NULL)
		return hf_sprintf(a, "%s '%s' %s a Python plugin (%s): holdfast runs no Python",
			kinds[kind].word, name, kinds[kind].by_name ? "is" : "may be", file);
	if (kind == HF_PLUGIN_MODULE && reason_left_out(name) != NULL)
		return reason_left_out(name);
	if (hf_plugin_possible(a, places, kind, name))
		return hf_sprintf(a, "holdfast has no %s '%s'", kinds[kind].word, name);
	if (kind == HF_PLUGIN_MODULE)
		return hf_sprintf(a,
			"couldn't resolve module/action '%s'. This often indicates a misspelling, missing "
			"collection, or "
			"incorrect module path.",
			name);
	if (kind == HF_PLUGIN_LOOKUP)
		return hf_sprintf(a, "lookup plugin (%s) not found", name);
	return hf_sprintf(a, "No %s named '%s'.", kinds[kind].word, name);
}

/* --- keywords --- */

static const char *refuse_debugger(struct hf_arena *a, const char *value)
{
	(void)a;
	return strcmp(value, "never") == 0 ? NULL
					   : "'debugger' is not supported: there is no interactive debugger";
}

static const char *refuse_strategy(struct hf_arena *a, const char *value)
{
	static const char *const known[] = { "linear", "free", "host_pinned", NULL };
	return listed(hf_action_short(value), known)
		       ? NULL
		       : hf_sprintf(a, "Invalid play strategy specified: %s", value);
}

static const char *refuse_become_method(struct hf_arena *a, const char *value)
{
	static const char *const known[] = { "sudo", "su", "setuid", NULL };
	return listed(hf_action_short(value), known) ? NULL
						     : hf_sprintf(a,
							       "become_method '%s' is not supported: sudo "
							       "and su are, and setuid, holdfast's own",
							       value);
}

static const char *refuse_become_exe(struct hf_arena *a, const char *value)
{
	static const char *const known[] = { "sudo", "su", NULL };
	return listed(hf_path_base(value), known) ? NULL
						  : hf_sprintf(a,
							    "become_exe '%s' is not supported: holdfast "
							    "becomes the user itself and starts no other "
							    "program for it",
							    value);
}

const char *hf_keyword_refused(struct hf_arena *a, enum hf_keyword k, const struct hf_value *v)
{
	static const struct {
		enum hf_keyword k;
		const char *(*fn)(struct hf_arena *a, const char *value);
	} rows[] = {
		{ HF_KW_debugger, refuse_debugger },
		{ HF_KW_strategy, refuse_strategy },
		{ HF_KW_become_method, refuse_become_method },
		{ HF_KW_become_exe, refuse_become_exe },
	};
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		if (rows[i].k != k || hf_is(v, HF_NULL))
			continue;
		const char *text = hf_value_text(a, v).p;
		return strstr(text, "{{") == NULL ? rows[i].fn(a, text) : NULL;
	}
	return NULL;
}
