/* modules/nmcli.c - a connection of NetworkManager, through its command: the same words as Ansible's. */
#include "modules/nmcli.h"

enum { WATCH_SECONDS = 300 };
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, NAMES("never_default4", "gw4") },
	{ HF_RULE_EXCLUSIVE, NAMES("routes4_extended", "routes4") },
	{ HF_RULE_EXCLUSIVE, NAMES("routes6_extended", "routes6") },
	{ HF_RULE_END },
};

/* --- comparing -------------------------------------------------------------------------------------- */
static bool same_list(const char *key, const struct hf_value *one, const struct hf_value *other)
{
	bool ordered = strcmp(key, "ipv4.addresses") == 0 || strcmp(key, "ipv6.addresses") == 0;
	if (ordered || hf_list_len(one) != hf_list_len(other))
		return hf_value_equal(one, other);
	for (size_t i = 0; i < hf_list_len(one); i++)
		if (!hf_list_has(other, hf_list_at(one, i)->u.string.p))
			return false;
	return true;
}

static const char *privacy_shown(const char *word)
{
	static const char *const shown[] = { "0", "1 (enabled, prefer public IP)",
		"2 (enabled, prefer temporary IP)", "-1" };
	for (size_t i = 0; hf_nmcli_privacies[i] != NULL; i++)
		if (strcmp(hf_nmcli_privacies[i], word) == 0)
			return shown[i];
	return word;
}

static bool same(const struct hf_nmcli_pair *wanted, const struct hf_value *now)
{
	const struct hf_value *value = wanted->value;
	if (hf_is(value, HF_LIST))
		return hf_is(now, HF_LIST) && same_list(wanted->key, now, value);
	const char *text = value->u.string.p;
	if (*text == '\0')
		return true;
	if (!hf_is(now, HF_STRING))
		return false;
	if (strcmp(wanted->key, "ipv6.ip6-privacy") == 0)
		return hf_str_is(now->u.string, privacy_shown(text)) ||
		       hf_str_equal(hf_nmcli_number(now->u.string), hf_str(privacy_shown(text)));
	/* An MTU that nobody asks for is the interface's own. */
	if (hf_str_ends(hf_str(wanted->key), ".mtu") && strcmp(text, "0") == 0)
		return hf_str_is(now->u.string, "auto") || hf_str_is(now->u.string, "0");
	bool mac = strstr(wanted->key, "mac-address") != NULL;
	return mac ? strcasecmp(now->u.string.p, text) == 0 : hf_str_is(now->u.string, text);
}

static const char *joined(struct hf_nmcli *w, const struct hf_value *value)
{
	if (!hf_is(value, HF_LIST))
		return hf_is(value, HF_STRING) ? value->u.string.p : "";
	hf_auto_buf text = hf_buf_init(HF_NMCLI_TEXT_MAX);
	for (size_t i = 0; i < hf_list_len(value); i++)
		hf_buf_printf(&text, "%s%s", i > 0 ? "," : "", hf_list_at(value, i)->u.string.p);
	return text.n == 0 ? "" : hf_buf_dup(w->a, &text).p;
}

static bool differs(struct hf_nmcli *w, struct hf_value *before, struct hf_value *after)
{
	bool changed = false;
	for (size_t i = 0; i < w->wanted.n; i++) {
		const struct hf_nmcli_pair *pair = &w->wanted.at[i];
		struct hf_value *now = hf_dict_get(w->now, pair->key);
		changed = changed || !same(pair, now);
		if (hf_str_ends(hf_str(pair->key), "put-key")) /* keys of tunnels are not shown */
			continue;
		hf_dict_put(before, pair->key, now == NULL ? hf_value_null(w->a) : now);
		hf_dict_put(after, pair->key, pair->value);
	}
	return changed;
}

/* --- what is to be done ----------------------------------------------------------------------------- */
static void words_put(
	struct hf_nmcli *w, struct hf_words *words, const char *key, const struct hf_value *value)
{
	const char *text = joined(w, value);
	if (strcmp(key, "xmit_hash_policy") == 0) {
		hf_words_add(words, "+bond.options");
		hf_words_addf(words, "xmit_hash_policy=%s", text);
		return;
	}
	hf_words_add(words, key);
	hf_words_add(words, strcmp(key, "ipv6.ip6-privacy") == 0
				    ? hf_str_dup(w->a, hf_nmcli_number(hf_str(text)))
				    : text);
}

static bool comes_up(const struct hf_nmcli *w)
{
	bool mtu = hf_nmcli_given(w, "mtu");
	bool dns = w->p->dns4 != NULL || w->p->dns6 != NULL;
	return (w->type & (BOND | DUMMY | ETHERNET | INFINIBAND)) != 0 ? mtu || dns
								       : (w->type & TEAM) != 0 && dns;
}

static void present(struct hf_nmcli *w, struct hf_change *change)
{
	const char *name = w->p->conn_name;
	struct hf_value *before = hf_value_dict(w->a), *after = hf_value_dict(w->a);
	if (w->now == NULL) {
		struct hf_words *add = hf_commands_add(&w->m, "nmcli", "con", "add", "type",
			(w->type & TUNNEL) != 0 ? "ip-tunnel" : w->type_name, "con-name", name, NULL);
		for (size_t i = 0; i < w->wanted.n; i++)
			words_put(w, add, w->wanted.at[i].key, w->wanted.at[i].value);
		if (comes_up(w))
			hf_commands_add(&w->m, "nmcli", "con", "up", name, NULL);
		hf_commands_back(&w->m, "nmcli", "con", "del", name, NULL);
		hf_result_cstr(w->c, change, "Connection",
			hf_sprintf(w->a, "Connection %s of Type %s is being added", name, w->type_name));
		hf_dict_put(after, "state", hf_value_cstr(w->a, "present"));
		hf_change_diff_values(w->c, change, before, after);
		return;
	}
	if (!differs(w, before, after)) {
		hf_result_cstr(w->c, change, "Exists", "Connections already exist and no changes made");
		return;
	}
	struct hf_words *modify = hf_commands_add(&w->m, "nmcli", "con", "modify", name, NULL);
	struct hf_words *back = hf_commands_back(&w->m, "nmcli", "con", "modify", name, NULL);
	for (size_t i = 0; i < w->wanted.n; i++) {
		const struct hf_value *now = hf_dict_get(w->now, w->wanted.at[i].key);
		words_put(w, modify, w->wanted.at[i].key, w->wanted.at[i].value);
		if (now != NULL)
			words_put(w, back, w->wanted.at[i].key, now);
	}
	if (w->p->conn_reload == HF_YES)
		hf_commands_add(&w->m, "nmcli", "con", "reload", NULL);
	hf_result_cstr(w->c, change, "Exists", "Connections do exist so we are modifying them");
	hf_change_diff_values(w->c, change, before, after);
}

static void absent(struct hf_nmcli *w)
{
	hf_commands_add(&w->m, "nmcli", "con", "down", w->p->conn_name, NULL);
	hf_commands_add(&w->m, "nmcli", "con", "del", w->p->conn_name, NULL);
	w->down_first = true;
	w->m.gone = "a connection that was removed does not come back";
}

static void up_or_down(struct hf_nmcli *w, struct hf_change *change)
{
	bool up = strcmp(w->p->state, "up") == 0;
	if (w->p->conn_reload == HF_YES)
		hf_commands_add(&w->m, "nmcli", "con", "reload", NULL);
	hf_commands_add(&w->m, "nmcli", "con", w->p->state, w->p->conn_name, NULL);
	hf_commands_back(&w->m, "nmcli", "con", up ? "down" : "up", w->p->conn_name, NULL);
	change->unknown = true;
}

static int slave_check(struct hf_nmcli *w, struct hf_error *err)
{
	const struct hf_nmcli_params *p = w->p;
	static const struct {
		unsigned type;
		const char *slave;
	} rows[] = { { BOND_SLAVE, "bond" }, { BRIDGE_SLAVE, "bridge" }, { TEAM_SLAVE, "team" } };
	unsigned slaves = BOND_SLAVE | BRIDGE_SLAVE | TEAM_SLAVE;
	if ((w->type & slaves) == 0 && p->master == NULL && p->slave_type != NULL)
		return hf_fail(err, HF_E_TASK, "'master' option is required when 'slave_type' is specified.");
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if ((w->type & rows[i].type) != 0 && p->slave_type != NULL &&
			strcmp(p->slave_type, rows[i].slave) != 0)
			return hf_fail(err, HF_E_TASK,
				"Connection type '%s' cannot be combined with '%s' slave-type. Allowed "
				"slave-type for '%s' is '%s'.",
				w->type_name, p->slave_type, w->type_name, rows[i].slave);
	if ((w->type & TEAM_SLAVE) == 0 && !(p->slave_type != NULL && strcmp(p->slave_type, "team") == 0))
		return 0;
	if (p->master == NULL)
		return hf_fail(
			err, HF_E_TASK, "Please specify a name for the master when type is %s", w->type_name);
	return p->ifname != NULL ? 0
				 : hf_fail(err, HF_E_TASK,
					   "Please specify an interface name for the connection when type is "
					   "%s",
					   w->type_name);
}

static int type_check(struct hf_nmcli *w, struct hf_error *err)
{
	const struct hf_nmcli_params *p = w->p;
	bool team = (w->type & TEAM) != 0;
	if ((w->type & REFUSED_TYPES) != 0)
		return hf_fail(
			err, HF_E_TASK, "type: %s is not supported: %s", w->type_name, HF_NMCLI_SECRETS);
	if (team && p->runner_hwaddr_policy != NULL && strcmp(p->runner, "activebackup") != 0)
		return hf_fail(
			err, HF_E_TASK, "Runner-hwaddr-policy is only allowed for runner activebackup");
	if (team && p->runner_fast_rate != HF_UNSET && strcmp(p->runner, "lacp") != 0)
		return hf_fail(err, HF_E_TASK, "runner-fast-rate is only allowed for runner lacp");
	if ((w->type & MACVLAN) != 0 && p->macvlan == NULL && strcmp(p->state, "present") == 0)
		return hf_fail(
			err, HF_E_TASK, "type is macvlan but all of the following are missing: macvlan");
	return slave_check(w, err);
}

/* The type that the playbook does not say is the connection's own. */
static int type_find(struct hf_nmcli *w, struct hf_error *err)
{
	const char *own = w->now == NULL ? NULL : hf_dict_cstr(w->now, "connection.type", NULL);
	if (w->p->type != NULL || strcmp(w->p->state, "present") != 0)
		return 0;
	if (own == NULL)
		return hf_fail(err, HF_E_TASK, "type is needed to add connection %s", w->p->conn_name);
	w->type_name = strcmp(own, "802-3-ethernet") == 0 ? "ethernet" : own;
	w->type = hf_nmcli_type_bit(w->type_name);
	return 0;
}

static int nmcli_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_nmcli *w = hf_new(hf_task_arena(c), struct hf_nmcli);
	const struct hf_nmcli_params *p = params;
	*w = (struct hf_nmcli){
		.c = c, .a = hf_task_arena(c), .p = p, .m = { .c = c }, .type_name = p->type
	};
	w->type = p->type == NULL ? 0 : hf_nmcli_type_bit(p->type);
	change->state = w;
	hf_result_cstr(c, change, "conn_name", p->conn_name);
	hf_result_cstr(c, change, "state", p->state);
	int r = type_check(w, err);
	if (r == 0)
		r = hf_nmcli_look(w, err);
	if (r == 0)
		r = type_find(w, err);
	if (r < 0)
		return r;
	if (strcmp(p->state, "present") == 0) {
		hf_nmcli_want(w);
		present(w, change);
	} else if (w->now != NULL && strcmp(p->state, "absent") == 0) {
		absent(w);
	} else if (w->now != NULL) {
		up_or_down(w, change);
	}
	change->changed = w->m.todo.n > 0;
	return 0;
}

static int nmcli_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct hf_nmcli *w = change->state;
	struct hf_proc_result ran = { 0 };
	(void)params;
	for (size_t i = 0; i < w->m.todo.n; i++) {
		int r = hf_host_run(c, &w->m.todo.at[i], NULL, &ran, err);
		if (r < 0)
			return r;
		bool may_fail = i == 0 && w->down_first; /* a connection that is not up cannot go down */
		if (ran.status == 0 || may_fail)
			continue;
		hf_result_cstr(c, change, "name", w->p->conn_name);
		hf_result_int(c, change, "rc", ran.status);
		return hf_fail(err, HF_E_TASK, "%.*s", HF_STR_ARG(hf_str_trim(ran.err)));
	}
	if (ran.out.n > 0)
		hf_result_put(c, change, "stdout", hf_value_str(w->a, ran.out));
	if (ran.err.n > 0)
		hf_result_put(c, change, "stderr", hf_value_str(w->a, ran.err));
	return 0;
}

static void nmcli_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const char *state = ((const struct hf_nmcli_params *)params)->state;
	(void)c;
	if (strcmp(state, "present") == 0 || strcmp(state, "absent") == 0)
		hf_watch_poll(w, WATCH_SECONDS);
}

const struct hf_module hf_module_nmcli = {
	.name = "nmcli",
	.collection = "community.general",
	.schema = { hf_nmcli_args, rules, sizeof(struct hf_nmcli_params) },
	.check = nmcli_check,
	.apply = nmcli_apply,
	.undo = hf_commands_undo,
	.restore = hf_commands_restore,
	.watch = nmcli_watch,
};
