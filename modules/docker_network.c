/* modules/docker_network.c - networks of a container engine. */
#include "modules/docker.h"

struct params {
	const char *name, *config_from, *state, *driver, *ipam_driver, *scope;
	struct hf_value *connected, *driver_options, *ipam_driver_options, *ipam_config, *labels;
	enum hf_tristate config_only, force, appends, enable_ipv6, internal, attachable;
	struct hf_docker_options docker;
};
#define ALIASES(...) HF_DOCKER_ALIASES(__VA_ARGS__)
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg ipam_args[] = {
	{ "subnet", HF_ARG_STR, 0 },
	{ "iprange", HF_ARG_STR, 0 },
	{ "gateway", HF_ARG_STR, 0 },
	{ "aux_addresses", HF_ARG_DICT, 0 },
	{ .type = HF_ARG_END },
};
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), HF_REQUIRED, .aliases = ALIASES("network_name"),
		.help = "Its name." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = ALIASES("present", "absent"),
		.help = "What is wanted." },
	{ "config_from", HF_ARG_STR, AT(config_from), .help = "Network whose configuration it takes." },
	{ "config_only", HF_ARG_BOOL, AT(config_only), .help = "Only a configuration for others." },
	{ "connected", HF_ARG_LIST, AT(connected), .elements = HF_ARG_STR, .aliases = ALIASES("containers"),
		.help = "Containers in it; others leave it unless appends." },
	{ "driver", HF_ARG_STR, AT(driver), .dflt = "bridge", .help = "Its driver." },
	{ "driver_options", HF_ARG_DICT, AT(driver_options), .help = "Options of the driver." },
	{ "force", HF_ARG_BOOL, AT(force), .dflt = "false", .help = "Make it anew." },
	{ "appends", HF_ARG_BOOL, AT(appends), .dflt = "false", .aliases = ALIASES("incremental"),
		.help = "Leave other containers in it." },
	{ "ipam_driver", HF_ARG_STR, AT(ipam_driver), .help = "Driver of addresses." },
	{ "ipam_driver_options", HF_ARG_DICT, AT(ipam_driver_options), .help = "Its options." },
	{ "ipam_config", HF_ARG_LIST, AT(ipam_config), .elements = HF_ARG_DICT, .options = ipam_args,
		.help = "{subnet, iprange, gateway, aux_addresses}" },
	{ "enable_ipv6", HF_ARG_BOOL, AT(enable_ipv6), .help = "IPv6 too." },
	{ "internal", HF_ARG_BOOL, AT(internal), .help = "No way out." },
	{ "labels", HF_ARG_DICT, AT(labels), .help = "Labels." },
	{ "scope", HF_ARG_STR, AT(scope), .choices = ALIASES("local", "global", "swarm"),
		.help = "How far it goes." },
	{ "attachable", HF_ARG_BOOL, AT(attachable), .help = "Containers of no service may join." },
	HF_DOCKER_ARGS(struct params, docker),
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = { HF_DOCKER_RULES, { HF_RULE_END } };
enum { WATCH_SECONDS = 60 };

struct job {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_docker d;
	struct hf_change *change;
	bool look;
	struct hf_value *network, *differences, *actions, *before, *after;
};

static struct hf_value *text_or_null(struct hf_arena *a, const char *text)
{
	return text == NULL ? hf_value_null(a) : hf_value_cstr(a, text);
}

static void note(struct job *j, const char *name, struct hf_value *wanted, struct hf_value *is)
{
	hf_dict_put(j->after, name, wanted);
	hf_dict_put(j->before, name, is == NULL ? hf_value_null(j->a) : is);
}

static void differs(struct job *j, const char *name, struct hf_value *wanted, struct hf_value *is)
{
	note(j, name, wanted, is);
	hf_list_append(j->differences, hf_value_cstr(j->a, name));
}

static void action(struct job *j, const char *text)
{
	hf_list_append(j->actions, hf_value_cstr(j->a, text));
	j->change->changed = true;
}

static const char *driver_of(const struct params *p)
{
	return p->config_only == HF_YES ? "null" : p->driver;
}

/* Options that are a field of the network, and how one that is not there counts. */
static void plain_compare(struct job *j)
{
	const struct params *p = j->p;
	const struct hf_value *from = hf_dict_get(j->network, "ConfigFrom");
	const struct {
		const char *name, *key;
		enum hf_tristate wanted;
	} switches[] = { { "config_only", "ConfigOnly", p->config_only },
		{ "enable_ipv6", "EnableIPv6", p->enable_ipv6 }, { "internal", "Internal", p->internal },
		{ "attachable", "Attachable", p->attachable } };
	const struct {
		const char *name, *wanted, *is;
	} texts[] = { { "config_from", p->config_from,
			      hf_is(from, HF_DICT) ? hf_dict_cstr(from, "Network", "") : "" },
		{ "driver", driver_of(p), hf_dict_cstr(j->network, "Driver", "") },
		{ "scope", p->scope, hf_dict_cstr(j->network, "Scope", "") } };
	for (size_t i = 0; i < HF_COUNT(switches); i++) {
		bool is = hf_dict_bool(j->network, switches[i].key, false);
		if (switches[i].wanted != HF_UNSET && is != (switches[i].wanted == HF_YES))
			differs(j, switches[i].name, hf_value_bool(j->a, !is), hf_value_bool(j->a, is));
	}
	for (size_t i = 0; i < HF_COUNT(texts); i++)
		if (texts[i].wanted != NULL && !hf_same(texts[i].wanted, texts[i].is))
			differs(j, texts[i].name, hf_value_cstr(j->a, texts[i].wanted),
				hf_value_cstr(j->a, texts[i].is));
}

static void dict_compare(struct job *j, const char *name, const struct hf_value *wanted, const char *key)
{
	struct hf_value *is = hf_dict_get(j->network, key);
	if (!hf_is(wanted, HF_DICT) || hf_dict_len(wanted) == 0)
		return;
	HF_DICT_EACH (wanted, e) {
		struct hf_value *other = hf_is(is, HF_DICT) ? hf_dict_find(is, hf_entry_key(e)) : NULL;
		if (other == NULL || !hf_value_equal(other, hf_entry_value(e)))
			differs(j, hf_sprintf(j->a, "%s.%s", name, hf_value_text(j->a, hf_entry_key(e)).p),
				hf_entry_value(e), other);
	}
}

static const char *ipam_key(const char *key)
{
	static const char *const keys[][2] = { { "subnet", "Subnet" }, { "iprange", "IPRange" },
		{ "gateway", "Gateway" }, { "aux_addresses", "AuxiliaryAddresses" } };
	for (size_t i = 0; i < HF_COUNT(keys); i++)
		if (strcmp(keys[i][0], key) == 0)
			return keys[i][1];
	return key;
}

static bool pool_fits(struct hf_arena *a, const struct hf_value *wanted, const struct hf_value *is)
{
	HF_DICT_EACH (wanted, e) {
		const struct hf_value *v = hf_entry_value(e);
		const struct hf_value *other = hf_dict_get(is, ipam_key(hf_value_text(a, hf_entry_key(e)).p));
		if (!hf_is(v, HF_NULL) && (other == NULL || !hf_value_equal(v, other)))
			return false;
	}
	return true;
}

static void ipam_compare(struct job *j)
{
	const struct params *p = j->p;
	struct hf_value *ipam = hf_dict_get(j->network, "IPAM");
	struct hf_value *pools = hf_is(ipam, HF_DICT) ? hf_dict_get(ipam, "Config") : NULL,
			*options = hf_is(ipam, HF_DICT) ? hf_dict_get(ipam, "Options") : NULL;
	if (p->ipam_driver != NULL &&
		(!hf_is(ipam, HF_DICT) || !hf_same(hf_dict_cstr(ipam, "Driver", ""), p->ipam_driver)))
		differs(j, "ipam_driver", hf_value_cstr(j->a, p->ipam_driver), ipam);
	if (p->ipam_driver_options != NULL &&
		!hf_value_equal(
			hf_is(options, HF_DICT) ? options : hf_value_dict(j->a), p->ipam_driver_options))
		differs(j, "ipam_driver_options", p->ipam_driver_options, options);
	for (size_t i = 0; p->ipam_config != NULL && i < hf_list_len(p->ipam_config); i++) {
		bool found = false;
		for (size_t k = 0; hf_is(pools, HF_LIST) && k < hf_list_len(pools); k++)
			found = found || pool_fits(j->a, hf_list_at(p->ipam_config, i), hf_list_at(pools, k));
		if (!found)
			differs(j, hf_sprintf(j->a, "ipam_config[%zu]", i), hf_list_at(p->ipam_config, i),
				pools);
	}
}

static struct hf_value *ipam_body(struct job *j)
{
	const struct params *p = j->p;
	static const char *const keys[] = { "subnet", "iprange", "gateway", "aux_addresses" };
	struct hf_value *out = hf_value_dict(j->a), *pools = hf_value_list(j->a);
	size_t n = p->ipam_config == NULL ? 0 : hf_list_len(p->ipam_config);
	if (p->ipam_driver == NULL && p->ipam_driver_options == NULL && n == 0)
		return hf_value_null(j->a);
	for (size_t i = 0; i < n; i++) {
		struct hf_value *pool = hf_value_dict(j->a);
		for (size_t k = 0; k < HF_COUNT(keys); k++) {
			struct hf_value *v = hf_dict_get(hf_list_at(p->ipam_config, i), keys[k]);
			hf_dict_put(pool, ipam_key(keys[k]), v == NULL ? hf_value_null(j->a) : v);
		}
		hf_list_append(pools, pool);
	}
	hf_dict_put(out, "Driver", text_or_null(j->a, p->ipam_driver));
	hf_dict_put(out, "Config", pools);
	hf_dict_put(out, "Options",
		p->ipam_driver_options == NULL ? hf_value_null(j->a) : p->ipam_driver_options);
	return out;
}

static struct hf_value *create_body(struct job *j)
{
	const struct params *p = j->p;
	struct hf_value *body = hf_value_dict(j->a), *from = hf_value_dict(j->a);
	hf_dict_put(body, "Name", hf_value_cstr(j->a, p->name));
	hf_dict_put(body, "Driver", hf_value_cstr(j->a, driver_of(p)));
	hf_dict_put(body, "Options", hf_docker_texts(j->a, p->driver_options));
	hf_dict_put(body, "IPAM", ipam_body(j));
	hf_dict_put(body, "CheckDuplicate", hf_value_null(j->a));
	if (p->config_only != HF_UNSET)
		hf_dict_put(body, "ConfigOnly", hf_value_bool(j->a, p->config_only == HF_YES));
	hf_dict_put(from, "Network", text_or_null(j->a, p->config_from));
	if (p->config_from != NULL)
		hf_dict_put(body, "ConfigFrom", from);
	if (p->enable_ipv6 == HF_YES)
		hf_dict_put(body, "EnableIPv6", hf_value_bool(j->a, true));
	if (p->internal == HF_YES)
		hf_dict_put(body, "Internal", hf_value_bool(j->a, true));
	if (p->scope != NULL)
		hf_dict_put(body, "Scope", hf_value_cstr(j->a, p->scope));
	if (p->attachable != HF_UNSET)
		hf_dict_put(body, "Attachable", hf_value_bool(j->a, p->attachable == HF_YES));
	hf_dict_put(body, "Labels", hf_docker_texts(j->a, p->labels));
	return body;
}

static int touch(struct job *j, const char *method, const char *path, const struct hf_value *body,
	struct hf_error *err)
{
	return j->look ? 0 : hf_docker_call(&j->d, method, path, body, NULL, err);
}

static int join_or_leave(struct job *j, const char *container, const char *verb, struct hf_error *err)
{
	struct hf_value *body = hf_value_dict(j->a);
	bool joins = strcmp(verb, "connect") == 0;
	hf_dict_put(body, "Container", hf_value_cstr(j->a, container));
	if (joins)
		hf_dict_put(body, "EndpointConfig", hf_value_null(j->a));
	action(j, hf_sprintf(j->a, "%s container %s", joins ? "Connected" : "Disconnected", container));
	note(j, hf_sprintf(j->a, "connected.%s", container), hf_value_bool(j->a, joins),
		hf_value_bool(j->a, !joins));
	return touch(j, "POST", hf_sprintf(j->a, "/networks/%s/%s", hf_docker_escape(j->a, j->p->name), verb),
		body, err);
}

static bool inside(const struct hf_value *network, const char *name)
{
	const struct hf_value *all = hf_is(network, HF_DICT) ? hf_dict_get(network, "Containers") : NULL;
	if (hf_is(all, HF_DICT))
		HF_DICT_EACH (all, e)
			if (hf_same(hf_dict_cstr(hf_entry_value(e), "Name", ""), name))
				return true;
	return false;
}

/* Containers that are in it and not wanted leave; keep NULL: all do. */
static int others_leave(struct job *j, const struct hf_value *keep, struct hf_error *err)
{
	const struct hf_value *all =
		hf_is(j->network, HF_DICT) ? hf_dict_get(j->network, "Containers") : NULL;
	int r = 0;
	if (!hf_is(all, HF_DICT))
		return 0;
	HF_DICT_EACH (all, e) {
		const char *name = hf_dict_cstr(hf_entry_value(e), "Name", "");
		if (r == 0 && (keep == NULL || !hf_list_has(keep, name)))
			r = join_or_leave(j, name, "disconnect", err);
	}
	return r;
}

static int remove_it(struct job *j, struct hf_error *err)
{
	int r = others_leave(j, NULL, err);
	if (r == 0)
		r = touch(j, "DELETE", hf_sprintf(j->a, "/networks/%s", hf_docker_escape(j->a, j->p->name)),
			NULL, err);
	action(j, hf_sprintf(j->a, "Removed network %s", j->p->name));
	j->network = NULL;
	return r;
}

static int create_it(struct job *j, struct hf_error *err)
{
	struct hf_value *told = NULL;
	action(j, hf_sprintf(j->a, "Created network %s with driver %s", j->p->name, driver_of(j->p)));
	if (j->look)
		return 0;
	int r = hf_docker_call(&j->d, "POST", "/networks/create", create_body(j), &told, err);
	if (r < 0)
		return r;
	const char *warning = hf_is(told, HF_DICT) ? hf_dict_cstr(told, "Warning", "") : "";
	if (*warning != '\0')
		hf_task_warn(j->c, "Docker warning: %s", warning);
	return hf_docker_network(&j->d, j->p->name, &j->network, err);
}

static int subnets_agree(const struct job *j, struct hf_error *err)
{
	const struct hf_value *pools = j->p->ipam_config;
	for (size_t i = 0; pools != NULL && i < hf_list_len(pools); i++) {
		const char *subnet = hf_dict_cstr(hf_list_at(pools, i), "subnet", ""),
			   *slash = strchr(subnet, '/');
		if (slash == NULL || strspn(subnet, "0123456789abcdefABCDEF:.") != (size_t)(slash - subnet) ||
			strspn(slash + 1, "0123456789") != strlen(slash + 1) || slash[1] == '\0')
			return hf_fail(err, HF_E_TASK, "\"%s\" is not a valid CIDR", subnet);
	}
	return 0;
}

static struct hf_value *connected(struct job *j)
{
	struct hf_value *wanted = hf_value_list(j->a);
	const struct hf_value *given = j->p->connected, *all = hf_is(j->network, HF_DICT)
								       ? hf_dict_get(j->network, "Containers")
								       : NULL;
	if (given != NULL && hf_list_len(given) > 0)
		return j->p->connected;
	if (hf_is(all, HF_DICT))
		HF_DICT_EACH (all, e)
			hf_list_append(
				wanted, hf_value_cstr(j->a, hf_dict_cstr(hf_entry_value(e), "Name", "")));
	return wanted;
}

static bool made_anew(const struct job *j)
{
	return hf_list_len(j->differences) > 0 || (j->p->force == HF_YES && hf_task_acts(j->c));
}

static int present(struct job *j, struct hf_error *err)
{
	struct hf_value *wanted = connected(j);
	int r = 0;
	if (j->network != NULL) {
		plain_compare(j);
		dict_compare(j, "driver_options", hf_docker_texts(j->a, j->p->driver_options), "Options");
		dict_compare(j, "labels", hf_docker_texts(j->a, j->p->labels), "Labels");
		ipam_compare(j);
	}
	note(j, "exists", hf_value_bool(j->a, true), hf_value_bool(j->a, j->network != NULL));
	if (j->network != NULL && made_anew(j))
		r = remove_it(j, err);
	if (r == 0 && j->network == NULL)
		r = create_it(j, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(wanted); i++)
		if (!inside(j->network, hf_list_at(wanted, i)->u.string.p))
			r = join_or_leave(j, hf_list_at(wanted, i)->u.string.p, "connect", err);
	if (r == 0 && j->p->appends != HF_YES)
		r = others_leave(j, wanted, err);
	if (r == 0)
		r = hf_docker_network(&j->d, j->p->name, &j->network, err);
	if (r == 0)
		hf_result_put(
			j->c, j->change, "network", j->network == NULL ? hf_value_null(j->a) : j->network);
	return r;
}

static int flow(struct hf_module_context *c, const struct params *p, struct hf_change *change, bool look,
	struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct job j = { .c = c,
		.a = a,
		.p = p,
		.change = change,
		.look = look,
		.differences = hf_value_list(a),
		.actions = hf_value_list(a),
		.before = hf_value_dict(a),
		.after = hf_value_dict(a) };
	bool gone = strcmp(p->state, "absent") == 0;
	change->changed = false;
	int r = hf_docker_open(c, &p->docker, &j.d, err);
	if (r == 0)
		r = hf_docker_network(&j.d, p->name, &j.network, err);
	if (r == 0)
		r = subnets_agree(&j, err);
	if (r == 0 && gone) {
		note(&j, "exists", hf_value_bool(a, false), hf_value_bool(a, j.network != NULL));
		r = j.network == NULL ? 0 : remove_it(&j, err);
	} else if (r == 0)
		r = present(&j, err);
	if (r < 0) {
		change->changed = false;
		return hf_wrap(err, "An unexpected Docker error occurred");
	}
	if (gone || hf_task_check_mode(c) || p->docker.debug == HF_YES)
		hf_result_put(c, change, "actions", j.actions);
	if (look && hf_task_diff(c))
		hf_change_diff_values(c, change, j.before, j.after);
	return 0;
}

static int docker_network_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return flow(c, params, change, true, err);
}

static int docker_network_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	return flow(c, params, change, false, err);
}

static int docker_network_undo(struct hf_module_context *c, const void *params,
	const struct hf_change *change, struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_docker d;
	struct hf_value *was = NULL;
	int r = hf_docker_open(c, &p->docker, &d, err);
	(void)change;
	if (r == 0)
		r = hf_docker_network(&d, p->name, &was, err);
	if (r == 0)
		hf_undo_step(undo, hf_docker_undo_step(&d, "network", p->name, was));
	return r;
}

static int members_back(struct job *j, const struct hf_value *all, struct hf_error *err)
{
	struct hf_value *keep = hf_value_list(j->a);
	int r = 0;
	if (hf_is(all, HF_DICT))
		HF_DICT_EACH (all, e) {
			const char *name = hf_dict_cstr(hf_entry_value(e), "Name", "");
			hf_list_append(keep, hf_value_cstr(j->a, name));
			if (r == 0 && !inside(j->network, name))
				r = join_or_leave(j, name, "connect", err);
		}
	return r == 0 ? others_leave(j, keep, err) : r;
}

/* The network as it was, with who was in it. One that is still the same one is not made anew. */
static int docker_network_restore(
	struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_change scratch = { .result = hf_value_dict(a) };
	const struct params p = { .name = hf_step_text(step, "name"),
		.docker = {
			.docker_host = hf_step_text(step, "host"), .api_version = "auto", .timeout = 60 } };
	struct job j = { .c = c,
		.a = a,
		.p = &p,
		.change = &scratch,
		.actions = hf_value_list(a),
		.before = hf_value_dict(a),
		.after = hf_value_dict(a) };
	struct hf_value *was = hf_dict_get(step, "was");
	bool there = hf_is(was, HF_DICT);
	int r = hf_docker_open(c, &p.docker, &j.d, err);
	if (r == 0)
		r = hf_docker_network(&j.d, p.name, &j.network, err);
	if (r == 0 && j.network != NULL &&
		(!there || !hf_same(hf_dict_cstr(was, "Id", ""), hf_dict_cstr(j.network, "Id", ""))))
		r = remove_it(&j, err);
	if (r == 0 && there && j.network == NULL)
		r = hf_docker_call(&j.d, "POST", "/networks/create", was, NULL, err);
	return r == 0 && there ? members_back(&j, hf_dict_get(was, "Containers"), err) : r;
}

static void docker_network_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, WATCH_SECONDS);
}

/* Where it was before it had a collection of its own. */
static const char *const aliases[] = { "community.general.docker_network", NULL };

const struct hf_module hf_module_docker_network = {
	.name = "docker_network",
	.collection = "community.docker",
	.aliases = aliases,
	.schema = { args, rules, sizeof(struct params) },
	.check = docker_network_check,
	.apply = docker_network_apply,
	.undo = docker_network_undo,
	.restore = docker_network_restore,
	.watch = docker_network_watch,
};
