#include "lib/engine/config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/fs.h"
#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "lib/data/schema.h"

enum { CONFIG_MAX = 1 << 20, LINES_MAX = 20000 };

const char *hf_config_path(struct hf_arena *a)
{
	const char *home = getenv("HOME"), *named = getenv("ANSIBLE_CONFIG");
	if (named != NULL && named[0] != '\0')
		return hf_fs_is_dir(named) ? hf_path_join(a, named, "ansible.cfg") : named;
	if (hf_fs_exists("ansible.cfg"))
		return "ansible.cfg";
	if (home != NULL && hf_fs_exists(hf_sprintf(a, "%s/.ansible.cfg", home)))
		return hf_sprintf(a, "%s/.ansible.cfg", home);
	return hf_fs_exists("/etc/ansible/ansible.cfg") ? "/etc/ansible/ansible.cfg" : NULL;
}

static const char *expand(struct hf_arena *a, const char *dir, struct hf_str path)
{
	return hf_path_join(a, dir, hf_path_expand_user(a, hf_str_dup(a, path), NULL));
}

static const char *const *paths(struct hf_arena *a, const char *dir, const char *text, char separator)
{
	HF_VEC(const char *) out = { 0 };
	struct hf_str rest = hf_str(text), piece;
	while (hf_str_split(&rest, separator, &piece)) {
		if (hf_str_trim(piece).n > 0)
			*hf_vec_push(a, &out) = expand(a, dir, hf_str_trim(piece));
	}
	*hf_vec_push(a, &out) = NULL;
	return out.at;
}

/* --- what each setting is to us --- */

struct settings {
	const char *dir, *path;
	const char *roles_path, *collections_path, *inventory;
	struct hf_config *into;
};

/* Followed: the text goes into the member at offset. */
static const struct followed {
	const char *section, *key, *variable;
	size_t offset;
	bool path; /* member of struct settings */
} followed[] = {
#define OURS(member)  offsetof(struct hf_config, member), false
#define PATHS(member) offsetof(struct settings, member), true
	{ "defaults", "roles_path", "ANSIBLE_ROLES_PATH", PATHS(roles_path) },
	{ "defaults", "collections_path", "ANSIBLE_COLLECTIONS_PATH", PATHS(collections_path) },
	{ "defaults", "collections_paths", "ANSIBLE_COLLECTIONS_PATHS", PATHS(collections_path) },
	{ "defaults", "inventory", "ANSIBLE_INVENTORY", PATHS(inventory) },
	{ "defaults", "gathering", "ANSIBLE_GATHERING", OURS(gathering) },
	{ "defaults", "force_handlers", "ANSIBLE_FORCE_HANDLERS", OURS(force_handlers) },
	{ "defaults", "any_errors_fatal", "ANSIBLE_ANY_ERRORS_FATAL", OURS(any_errors_fatal) },
	{ "defaults", "inject_facts_as_vars", "ANSIBLE_INJECT_FACT_VARS", OURS(inject_facts) },
	{ "defaults", "strategy", "ANSIBLE_STRATEGY", OURS(strategy) },
	{ "defaults", "verbosity", "ANSIBLE_VERBOSITY", OURS(verbosity) },
	{ "defaults", "display_skipped_hosts", "ANSIBLE_DISPLAY_SKIPPED_HOSTS", OURS(show_skipped) },
	{ "defaults", "display_ok_hosts", "ANSIBLE_DISPLAY_OK_HOSTS", OURS(show_ok) },
	{ "defaults", "jinja2_extensions", "ANSIBLE_JINJA2_EXTENSIONS", OURS(extensions) },
	{ "defaults", "task_timeout", "ANSIBLE_TASK_TIMEOUT", OURS(task_timeout) },
	{ "defaults", "duplicate_dict_key", "ANSIBLE_DUPLICATE_YAML_DICT_KEY", OURS(duplicate_keys) },
	{ "defaults", "vault_password_file", "ANSIBLE_VAULT_PASSWORD_FILE", OURS(vault_password_file) },
	{ "defaults", "vault_identity_list", "ANSIBLE_VAULT_IDENTITY_LIST", OURS(vault_identities) },
	{ "privilege_escalation", "become", "ANSIBLE_BECOME", OURS(become) },
	{ "privilege_escalation", "become_user", "ANSIBLE_BECOME_USER", OURS(become_user) },
	{ "privilege_escalation", "become_method", "ANSIBLE_BECOME_METHOD", OURS(become_method) },
	{ "diff", "always", "ANSIBLE_DIFF_ALWAYS", OURS(diff) },
	{ "tags", "run", "ANSIBLE_RUN_TAGS", OURS(run_tags) },
	{ "tags", "skip", "ANSIBLE_SKIP_TAGS", OURS(skip_tags) },
#undef OURS
#undef PATHS
};

/* Refused unless it says what holdfast does anyway. */
static const struct {
	const char *section, *key, *variable, *accepted, *why;
} refused[] = {
	{ "defaults", "hash_behaviour", "ANSIBLE_HASH_BEHAVIOUR", "replace",
		"dictionaries of one name replace each other; use the combine filter" },
	{ "defaults", "jinja2_native", "ANSIBLE_JINJA2_NATIVE", "false",
		"results are what ansible-core gives without it" },
	{ "defaults", "error_on_undefined_vars", "ANSIBLE_ERROR_ON_UNDEFINED_VARS", "true",
		"what is not defined is an error" },
	{ "defaults", "enable_task_debugger", "ANSIBLE_ENABLE_TASK_DEBUGGER", "false",
		"there is no interactive debugger" },
	{ "defaults", "vars_plugins_enabled", "ANSIBLE_VARS_ENABLED", "host_group_vars",
		"holdfast runs no Python plugins" },
};

/* They change how a run looks or what is kept of it, never what it does: said, not refused. */
static const struct {
	const char *section, *key, *accepted;
} told[] = {
	{ "defaults", "stdout_callback", "default" },
	{ "defaults", "callbacks_enabled", NULL },
	{ "defaults", "callback_whitelist", NULL },
	{ "defaults", "log_path", NULL },
	{ "defaults", "fact_caching", "memory" },
	{ "defaults", "retry_files_enabled", "false" },
	{ "defaults", "display_failed_stderr", "false" },
	{ "defaults", "display_args_to_stdout", "false" },
	{ "defaults", "check_mode_markers", "false" },
	{ "defaults", "callback_result_format", "json" },
	{ "defaults", "result_format", "json" },
};

/* They are about reaching other machines, about Python, or about messages: nothing on this host answers to
 * them. */
static const char *const quiet_sections[] = { "ssh_connection", "paramiko_connection",
	"persistent_connection", "connection", "galaxy", "colors", "selinux", "netconf_connection", "winrm",
	"inventory", "runas_become_plugin", "su_become_plugin", "sudo_become_plugin", "accelerate",
	"callback_profile_tasks", "jinja2", NULL };
static const char *const quiet_keys[] = { "action_plugins", "action_warnings", "agnostic_become_prompt",
	"allow_broken_conditionals", "allow_world_readable_tmpfiles", "ansible_home", "ansible_managed",
	"any_errors_fatal", "ask_pass", "ask_sudo_pass", "ask_vault_pass", "async_dir",
	"become_allow_same_user", "become_ask_pass", "become_plugins", "bin_ansible_callbacks",
	"cache_plugins", "callback_plugins", "cliconf_plugins", "collections_on_ansible_version_mismatch",
	"collections_scan_sys_path", "command_warnings", "conditional_bare_variables", "connection_plugins",
	"cow_selection", "cow_whitelist", "cowsay_enabled_stencils", "cowpath", "default_module_name",
	"deprecation_warnings", "devel_warning", "doc_fragment_plugins", "executable",
	"fact_caching_connection", "fact_caching_prefix", "fact_caching_timeout", "fact_path",
	"filter_plugins", "force_color", "force_valid_group_names", "forks", "gather_subset",
	"gather_timeout", "host_key_checking", "host_pattern_mismatch", "httpapi_plugins",
	"internal_poll_interval", "interpreter_python", "interpreter_python_fallback", "inventory_plugins",
	"keep_remote_files", "library", "local_tmp", "localhost_warning", "log_filter", "lookup_plugins",
	"max_diff_size", "module_compression", "module_ignore_exts", "module_lang", "module_name",
	"module_set_locale", "module_utils", "netconf_plugins", "nocolor", "nocows", "no_log",
	"no_target_syslog", "null_representation", "old_plugin_cache_clear", "paramiko_host_key_auto_add",
	"pipelining", "playbook_vars_root", "poll_interval", "precedence", "private_key_file",
	"private_role_vars", "remote_port", "remote_tmp", "remote_user", "retry_files_save_path",
	"role_skeleton", "roles_path", "scp_if_ssh", "show_custom_stats", "show_task_path_on_failure",
	"squash_actions", "strategy_plugins", "string_conversion_action", "string_type_filters", "sudo_user",
	"sudo_exe", "sudo_flags", "syslog_facility", "system_warnings", "target_log_info", "terminal_plugins",
	"test_plugins", "timeout", "transport", "undefined_var_behavior", "unsafe_writes",
	"use_persistent_connections", "validate_action_group_metadata", "vars_plugins",
	"vault_encrypt_identity", "vault_id_match", "verbose_to_stderr", "win_async_startup_timeout",
	"worker_shutdown_poll_count", "worker_shutdown_poll_delay", "yaml_valid_extensions", "hostfile",
	NULL };

static bool listed(struct hf_str word, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++)
		if (hf_str_is(word, names[i]))
			return true;
	return false;
}

bool hf_config_bool(const char *text, bool fallback)
{
	enum hf_tristate b = text == NULL ? HF_UNSET : hf_text_bool(hf_str(text));
	return b == HF_UNSET ? fallback : b == HF_YES;
}

/* The same word, or the same truth. */
static bool means(const char *value, const char *accepted)
{
	enum hf_tristate x = hf_text_bool(hf_str(value)), y = hf_text_bool(hf_str(accepted));
	return strcmp(value, accepted) == 0 || (x != HF_UNSET && x == y);
}

static bool follow(struct settings *s, struct hf_str section, struct hf_str key, const char *value)
{
	for (size_t i = 0; i < HF_COUNT(followed); i++) {
		const struct followed *f = &followed[i];
		if (!hf_str_is(section, f->section) || !hf_str_is(key, f->key))
			continue;
		*(const char **)((f->path ? (char *)s : (char *)s->into) + f->offset) = value;
		return true;
	}
	return false;
}

static int refuse(
	const char *section, const char *key, const char *value, struct hf_pos pos, struct hf_error *err)
{
	for (size_t i = 0; i < HF_COUNT(refused); i++) {
		if (strcmp(refused[i].section, section) == 0 && strcmp(refused[i].key, key) == 0 &&
			!means(value, refused[i].accepted))
			return hf_fail_at(err, HF_E_UNSUPPORTED, pos, "%s = %s is not supported: %s", key,
				value, refused[i].why);
	}
	return 0;
}

static bool is_refusable(struct hf_str section, struct hf_str key)
{
	for (size_t i = 0; i < HF_COUNT(refused); i++)
		if (hf_str_is(section, refused[i].section) && hf_str_is(key, refused[i].key))
			return true;
	return false;
}

static void tell(struct hf_arena *a, struct settings *s, const char *section, const char *key,
	const char *value, unsigned line)
{
	for (size_t i = 0; i < HF_COUNT(told); i++) {
		if (strcmp(told[i].section, section) != 0 || strcmp(told[i].key, key) != 0)
			continue;
		if (told[i].accepted == NULL ? value[0] != '\0' : !means(value, told[i].accepted))
			hf_list_append(s->into->warnings,
				hf_value_cstr(a, hf_sprintf(a, "%s:%u: %s = %s has no effect here", s->path,
							 line, key, value)));
		return;
	}
	hf_list_append(s->into->warnings,
		hf_value_cstr(a, hf_sprintf(a, "%s:%u: the setting '%s' of [%s] is not known", s->path, line,
					 key, section)));
}

static int take(struct hf_arena *a, void *data, struct hf_str section, struct hf_str key, struct hf_str value,
	unsigned line, struct hf_error *err)
{
	struct settings *s = data;
	const char *text = hf_str_dup(a, value), *in = hf_str_dup(a, section), *name = hf_str_dup(a, key);
	struct hf_pos pos = { s->path, line, 1 };
	if (follow(s, section, key, text))
		return 0;
	if (is_refusable(section, key))
		return refuse(in, name, text, pos, err);
	bool quiet = listed(section, quiet_sections) ||
		     (hf_str_is(section, "defaults") && listed(key, quiet_keys)) ||
		     (hf_str_is(section, "privilege_escalation") && hf_str_starts(key, "become")) ||
		     (hf_str_is(section, "diff") && hf_str_is(key, "context"));
	if (!quiet)
		tell(a, s, in, name, text, line);
	return 0;
}

static struct hf_str without_comment(struct hf_str value)
{
	size_t comment = hf_str_find(value, HF_STR(" ;"), 0);
	if (comment != SIZE_MAX)
		value.n = comment;
	return hf_str_trim(value);
}

/* One line "key = value". */
typedef int (*line_fn)(struct hf_arena *a, void *data, struct hf_str section, struct hf_str key,
	struct hf_str value, unsigned line, struct hf_error *err);

static int read_lines(
	struct hf_arena *a, const char *path, line_fn take_line, void *data, struct hf_error *err)
{
	struct hf_str text, line, section = HF_STR("");
	int r = hf_fs_read(a, path, CONFIG_MAX, &text, err);
	for (unsigned n = 1; r == 0 && n < LINES_MAX && hf_str_split(&text, '\n', &line); n++) {
		bool indented = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
		line = hf_str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';' || indented)
			continue;
		if (line.p[0] == '[' && line.p[line.n - 1] == ']') {
			section = hf_strn(line.p + 1, line.n - 2);
			continue;
		}
		size_t at = hf_str_find(line, HF_STR("="), 0);
		if (at == SIZE_MAX)
			at = hf_str_find(line, HF_STR(":"), 0);
		if (at != SIZE_MAX)
			r = take_line(a, data, section, hf_str_trim(hf_strn(line.p, at)),
				without_comment(hf_strn(line.p + at + 1, line.n - at - 1)), n, err);
	}
	return r;
}

static int read_file(struct hf_arena *a, const char *path, struct settings *s, struct hf_error *err)
{
	s->dir = hf_path_dir(a, path);
	s->path = path;
	return read_lines(a, path, take, s, err);
}

/* One setting asked for by its places. */
struct wanted {
	const char *places; /* "section.key section.key" */
	const char *found;
	unsigned rank; /* which of the places it stood at, from 1 */
};

static int wanted_take(struct hf_arena *a, void *data, struct hf_str section, struct hf_str key,
	struct hf_str value, unsigned line HF_UNUSED, struct hf_error *err HF_UNUSED)
{
	struct wanted *w = data;
	struct hf_str rest = hf_str(w->places), place;
	const char *name = hf_sprintf(a, "%.*s.%.*s", HF_STR_ARG(section), HF_STR_ARG(key));
	for (unsigned i = 1; hf_str_split(&rest, ' ', &place); i++)
		if (hf_str_is(place, name) && i >= w->rank) {
			w->found = hf_str_dup(a, value);
			w->rank = i;
		}
	return 0;
}

int hf_config_setting(
	struct hf_arena *a, const char *places, const char **ret, const char **ret_path, struct hf_error *err)
{
	struct wanted w = { .places = places };
	*ret = NULL;
	*ret_path = hf_config_path(a);
	int r = *ret_path == NULL ? 0 : read_lines(a, *ret_path, wanted_take, &w, err);
	if (r == 0)
		*ret = w.found;
	return r;
}

/* The environment wins over the file. */
static int read_environment(struct settings *s, struct hf_error *err)
{
	for (size_t i = 0; i < HF_COUNT(followed); i++) {
		const char *v = getenv(followed[i].variable);
		if (v != NULL && v[0] != '\0')
			follow(s, hf_str(followed[i].section), hf_str(followed[i].key), v);
	}
	int r = 0;
	for (size_t i = 0; r == 0 && i < HF_COUNT(refused); i++) {
		const char *v = getenv(refused[i].variable);
		struct hf_pos pos = { refused[i].variable, 0, 0 };
		if (v != NULL && v[0] != '\0')
			r = refuse(refused[i].section, refused[i].key, v, pos, err);
	}
	return r;
}

static const char *pick(const char *option, const char *file, const char *fallback)
{
	return option != NULL ? option : file != NULL ? file : fallback;
}

int hf_config_read(struct hf_arena *a, const struct hf_run_options *options, const char *base,
	struct hf_config *ret, struct hf_error *err)
{
	struct settings s = { .dir = ".", .into = ret };
	const char *path = hf_config_path(a);
	(void)base;
	*ret = (struct hf_config){ .warnings = hf_value_list(a) };
	int r = path == NULL ? 0 : read_file(a, path, &s, err);
	if (r == 0)
		r = read_environment(&s, err);
	if (r < 0)
		return r;
	ret->roles_path = paths(a, s.dir,
		pick(options->roles_path, s.roles_path,
			"~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles"),
		':');
	ret->collections_path = paths(a, s.dir,
		pick(options->collections_path, s.collections_path,
			"~/.ansible/collections:/usr/share/ansible/collections"),
		':');
	ret->inventories = s.inventory == NULL ? NULL : paths(a, s.dir, s.inventory, ',');
	if (ret->vault_password_file != NULL)
		ret->vault_password_file = expand(a, s.dir, hf_str(ret->vault_password_file));
	return 0;
}
