/* modules/iptables.c - one rule, policy or chain of the kernel's packet filter, through iptables. */
#include <strings.h>

#include "modules/host.h"

static const char *const tables[] = { "filter", "nat", "mangle", "raw", "security", NULL };
static const char *const states[] = { "absent", "present", NULL };
static const char *const actions[] = { "append", "insert", NULL };
static const char *const versions[] = { "ipv4", "ipv6", NULL };
static const char *const syns[] = { "ignore", "match", "negate", NULL };
static const char *const policies[] = { "ACCEPT", "DROP", "QUEUE", "RETURN", NULL };
static const char *const levels[] = { "0", "1", "2", "3", "4", "5", "6", "7", "emerg", "alert", "crit",
	"error", "warning", "notice", "info", "debug", NULL };
static const char *const set_flags[] = { "src", "dst", "src,dst", "dst,src", "src,src", "dst,dst", NULL };
struct params {
	const char *table, *state, *action, *rule_num, *ip_version, *chain, *protocol, *source, *destination,
		*jump;
	const char *gateway, *log_prefix, *log_level, *go_to, *in_interface, *out_interface, *fragment,
		*set_counters;
	const char *source_port, *destination_port, *to_ports, *to_destination, *to_source, *syn,
		*set_dscp_mark;
	const char *set_dscp_mark_class, *comment, *src_range, *dst_range, *match_set, *match_set_flags,
		*limit;
	const char *limit_burst, *uid_owner, *gid_owner, *reject_with, *icmp_type, *policy, *wait;
	struct hf_value *match, *tcp_flags, *destination_ports, *ctstate;
	int flush, chain_management, numeric;
};
#define AT(field) offsetof(struct params, field)
#define TEXT(option)                                                                                         \
	{                                                                                                    \
#option, HF_ARG_STR, AT(option)                                                              \
	}
static const struct hf_arg tcp_options[] = {
	{ "flags", HF_ARG_LIST, 0, .elements = HF_ARG_STR },
	{ "flags_set", HF_ARG_LIST, 0, .elements = HF_ARG_STR },
	{ .type = HF_ARG_END },
};
static const struct hf_arg args[] = {
	{ "table", HF_ARG_STR, AT(table), .dflt = "filter", .choices = tables },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ "action", HF_ARG_STR, AT(action), .dflt = "append", .choices = actions },
	TEXT(rule_num),
	{ "ip_version", HF_ARG_STR, AT(ip_version), .dflt = "ipv4", .choices = versions },
	TEXT(chain),
	TEXT(protocol),
	TEXT(source),
	TEXT(destination),
	{ "tcp_flags", HF_ARG_DICT, AT(tcp_flags), .options = tcp_options },
	{ "match", HF_ARG_LIST, AT(match), .elements = HF_ARG_STR },
	TEXT(jump),
	TEXT(gateway),
	TEXT(log_prefix),
	{ "log_level", HF_ARG_STR, AT(log_level), .choices = levels },
	{ "goto", HF_ARG_STR, AT(go_to) },
	TEXT(in_interface),
	TEXT(out_interface),
	TEXT(fragment),
	TEXT(set_counters),
	TEXT(source_port),
	TEXT(destination_port),
	{ "destination_ports", HF_ARG_LIST, AT(destination_ports), .elements = HF_ARG_STR },
	TEXT(to_ports),
	TEXT(to_destination),
	TEXT(to_source),
	{ "syn", HF_ARG_STR, AT(syn), .dflt = "ignore", .choices = syns },
	TEXT(set_dscp_mark),
	TEXT(set_dscp_mark_class),
	TEXT(comment),
	{ "ctstate", HF_ARG_LIST, AT(ctstate), .elements = HF_ARG_STR },
	TEXT(src_range),
	TEXT(dst_range),
	TEXT(match_set),
	{ "match_set_flags", HF_ARG_STR, AT(match_set_flags), .choices = set_flags },
	TEXT(limit),
	TEXT(limit_burst),
	TEXT(uid_owner),
	TEXT(gid_owner),
	TEXT(reject_with),
	TEXT(icmp_type),
	{ "flush", HF_ARG_BOOL, AT(flush), .dflt = "no" },
	{ "policy", HF_ARG_STR, AT(policy), .choices = policies },
	TEXT(wait),
	{ "chain_management", HF_ARG_BOOL, AT(chain_management), .dflt = "no" },
	{ "numeric", HF_ARG_BOOL, AT(numeric), .dflt = "no" },
	{ .type = HF_ARG_END },
};
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, NAMES("set_dscp_mark", "set_dscp_mark_class") },
	{ HF_RULE_EXCLUSIVE, NAMES("flush", "policy") },
	{ .kind = HF_RULE_BY, .when = "set_dscp_mark", .names = NAMES("jump") },
	{ .kind = HF_RULE_BY, .when = "set_dscp_mark_class", .names = NAMES("jump") },
	{ HF_RULE_IF, NAMES("gateway"), .when = "jump", .equals = "TEE" },
	{ HF_RULE_IF, NAMES("gateway"), .when = "jump", .equals = "tee" },
	{ HF_RULE_END },
};

/* "!text" means "not text": the '!' goes before the option. */
static void option(struct hf_words *w, const char *flag, const char *value)
{
	if (value == NULL)
		return;
	if (value[0] == '!')
		hf_words_add(w, "!");
	hf_words_add(w, flag);
	hf_words_add(w, value + (value[0] == '!' ? 1 : 0));
}

static void joined(struct hf_words *w, const char *flag, const struct hf_value *list)
{
	if (list == NULL || hf_list_len(list) == 0)
		return;
	struct hf_buf text = hf_buf_init(HF_EDIT_MAX);
	for (size_t i = 0; i < hf_list_len(list); i++)
		hf_buf_printf(&text, "%s%s", i == 0 ? "" : ",", hf_list_at(list, i)->u.string.p);
	hf_words_add(w, flag);
	hf_words_add(w, hf_buf_dup(w->arena, &text).p);
	hf_buf_done(&text);
}

/* -m NAME, when any of what needs it is there and it was not named by `match`. */
static void need(struct hf_words *w, const struct params *p, const char *name, bool any)
{
	if (!any || hf_list_has(p->match, name))
		return;
	hf_words_add(w, "-m");
	hf_words_add(w, name);
}

static void rule_addresses(struct hf_words *w, const struct params *p)
{
	option(w, "-w", p->wait);
	option(w, "-p", p->protocol);
	option(w, "-s", p->source);
	option(w, "-d", p->destination);
	for (size_t i = 0; p->match != NULL && i < hf_list_len(p->match); i++)
		option(w, "-m", hf_list_at(p->match, i)->u.string.p);
	const struct hf_value *flags = p->tcp_flags == NULL ? NULL : hf_dict_get(p->tcp_flags, "flags");
	const struct hf_value *set = p->tcp_flags == NULL ? NULL : hf_dict_get(p->tcp_flags, "flags_set");
	if (hf_is(flags, HF_LIST) && hf_is(set, HF_LIST)) {
		struct hf_words both = { .arena = w->arena };
		joined(&both, "--tcp-flags", flags);
		joined(&both, "", set);
		for (size_t i = 0; i < both.n; i++)
			if (both.at[i][0] != '\0')
				hf_words_add(w, both.at[i]);
	}
}

/* What is logged jumps to LOG, which Ansible leaves out of the rule it shows. */
static const char *jump(const struct params *p, bool shown)
{
	if (!shown && p->jump == NULL && (p->log_prefix != NULL || p->log_level != NULL))
		return "LOG";
	return p->jump;
}

static void rule_targets(struct hf_words *w, const struct params *p, bool shown)
{
	option(w, "-j", jump(p, shown));
	if (p->jump != NULL && strcasecmp(p->jump, "tee") == 0)
		option(w, "--gateway", p->gateway);
	option(w, "--log-prefix", p->log_prefix);
	option(w, "--log-level", p->log_level);
	option(w, "--to-destination", p->to_destination);
	need(w, p, "multiport", p->destination_ports != NULL && hf_list_len(p->destination_ports) > 0);
	joined(w, "--dports", p->destination_ports);
	option(w, "--to-source", p->to_source);
	option(w, "-g", p->go_to);
	option(w, "-i", p->in_interface);
	option(w, "-o", p->out_interface);
	option(w, "-f", p->fragment);
	option(w, "-c", p->set_counters);
	option(w, "--source-port", p->source_port);
	option(w, "--destination-port", p->destination_port);
	option(w, "--to-ports", p->to_ports);
}

static void rule_marks(struct hf_words *w, const struct params *p)
{
	bool dscp = p->set_dscp_mark != NULL || p->set_dscp_mark_class != NULL;
	if (dscp && (p->jump == NULL || strcasecmp(p->jump, "dscp") != 0))
		option(w, "-j", "DSCP");
	option(w, "--set-dscp", p->set_dscp_mark);
	option(w, "--set-dscp-class", p->set_dscp_mark_class);
	if (strcmp(p->syn, "negate") == 0)
		hf_words_add(w, "!");
	if (strcmp(p->syn, "ignore") != 0)
		hf_words_add(w, "--syn");
	bool state = hf_list_has(p->match, "state") && !hf_list_has(p->match, "conntrack");
	if (!state)
		need(w, p, "conntrack", p->ctstate != NULL && hf_list_len(p->ctstate) > 0);
	joined(w, state ? "--state" : "--ctstate", p->ctstate);
}

static void rule_matches(struct hf_words *w, const struct params *p)
{
	need(w, p, "iprange", p->src_range != NULL || p->dst_range != NULL);
	option(w, "--src-range", p->src_range);
	option(w, "--dst-range", p->dst_range);
	need(w, p, "set", p->match_set != NULL);
	option(w, "--match-set", p->match_set);
	if (p->match_set != NULL && p->match_set_flags != NULL)
		hf_words_add(w, p->match_set_flags);
	need(w, p, "limit", p->limit != NULL || p->limit_burst != NULL);
	option(w, "--limit", p->limit);
	option(w, "--limit-burst", p->limit_burst);
	need(w, p, "owner", p->uid_owner != NULL);
	option(w, "--uid-owner", p->uid_owner);
	if (p->gid_owner != NULL && (p->uid_owner != NULL || !hf_list_has(p->match, "owner")))
		option(w, "-m",
			"owner"); /* once more, as Ansible writes it: rules are found by their words */
	option(w, "--gid-owner", p->gid_owner);
	if (p->jump == NULL && p->reject_with != NULL)
		option(w, "-j", "REJECT");
	option(w, "--reject-with", p->reject_with);
	option(w, strcmp(p->ip_version, "ipv6") == 0 ? "--icmpv6-type" : "--icmp-type", p->icmp_type);
	need(w, p, "comment", p->comment != NULL);
	option(w, "--comment", p->comment);
}

static struct hf_words rule_words(struct hf_arena *a, const struct params *p, bool shown)
{
	struct hf_words w = hf_words(a, NULL, NULL);
	rule_addresses(&w, p);
	rule_targets(&w, p, shown);
	rule_marks(&w, p);
	rule_matches(&w, p);
	return w;
}

static struct hf_words command(
	struct hf_arena *a, const struct params *p, const char *verb, const struct hf_words *rule)
{
	struct hf_words w = hf_words(
		a, strcmp(p->ip_version, "ipv6") == 0 ? "ip6tables" : "iptables", "-t", p->table, verb, NULL);
	if (p->chain != NULL)
		hf_words_add(&w, p->chain);
	if (strcmp(verb, "-I") == 0 && p->rule_num != NULL)
		hf_words_add(&w, p->rule_num);
	for (size_t i = 0; rule != NULL && i < rule->n; i++)
		hf_words_add(&w, rule->at[i]);
	return w;
}

struct plan {
	struct hf_words forward, back; /* back.n 0: cannot be said in advance */
};

static int answers(struct hf_module_context *c, const struct hf_words *w, struct hf_proc_result *ran,
	struct hf_error *err)
{
	return hf_host_run(c, w, (const char *const[]){ "LC_ALL=C", NULL }, ran, err);
}

static int plan_policy(
	struct hf_module_context *c, const struct params *p, struct plan *plan, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words list = command(a, p, "-L", NULL);
	struct hf_proc_result ran;
	hf_words_add(&list, "--numeric");
	int r = answers(c, &list, &ran, err);
	size_t at = r < 0 ? SIZE_MAX : hf_str_find(ran.out, HF_STR("(policy "), 0);
	if (r == 0 && at == SIZE_MAX)
		return hf_fail(err, HF_E_TASK, "Can't detect current policy");
	if (r < 0)
		return r;
	const char *now = hf_strndup(a, ran.out.p + at + 8, strcspn(ran.out.p + at + 8, " )"));
	if (strcmp(now, p->policy) == 0)
		return 0;
	plan->forward = command(a, p, "-P", NULL);
	hf_words_add(&plan->forward, p->policy);
	plan->back = command(a, p, "-P", NULL);
	hf_words_add(&plan->back, now);
	return 0;
}

static int plan_chain(struct hf_module_context *c, const struct params *p, bool present, struct plan *plan,
	bool *ret_changed, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words list = command(a, p, "-L", NULL);
	struct hf_proc_result ran;
	hf_words_add(&list, "--numeric");
	int r = answers(c, &list, &ran, err);
	if (r < 0 || (ran.status == 0) == present)
		return r;
	*ret_changed = true;
	if (p->chain_management == HF_YES) {
		plan->forward = command(a, p, present ? "-N" : "-X", NULL);
		plan->back = command(a, p, present ? "-X" : "-N", NULL);
	}
	return 0;
}

static int plan_rule(struct hf_module_context *c, const struct params *p, const struct hf_words *rule,
	bool present, struct plan *plan, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words look = command(a, p, "-C", rule);
	struct hf_proc_result ran;
	int r = answers(c, &look, &ran, err);
	if (r < 0 || (ran.status == 0) == present)
		return r;
	const char *add = strcmp(p->action, "insert") == 0 ? "-I" : "-A";
	plan->forward = command(a, p, present ? add : "-D", rule);
	plan->back = command(a, p, present ? "-D" : add, rule);
	return 0;
}

static int iptables_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct plan *plan = hf_new(a, struct plan);
	struct hf_words rule = rule_words(a, p, false), shown = rule_words(a, p, true);
	bool present = strcmp(p->state, "present") == 0, chain = false;
	int r = 0;
	change->state = plan;
	if (p->flush != HF_YES && p->chain == NULL)
		return hf_fail(err, HF_E_TASK, "Either chain or flush parameter must be specified.");
	if ((p->log_prefix != NULL || p->log_level != NULL) && strcmp(jump(p, false), "LOG") != 0)
		return hf_fail(err, HF_E_TASK, "Logging options can only be used with the LOG jump target.");
	if (p->flush == HF_YES)
		plan->forward = hf_task_acts(c) ? command(a, p, "-F", NULL) : plan->forward;
	else if (p->policy != NULL)
		r = plan_policy(c, p, plan, err);
	else if (rule.n == 0)
		r = plan_chain(c, p, present, plan, &chain, err);
	else
		r = plan_rule(c, p, &rule, present, plan, err);
	change->changed = plan->forward.n > 0 || chain;
	const char *const rows[][2] = { { "ip_version", p->ip_version }, { "table", p->table },
		{ "rule", shown.n == 0 ? "" : hf_words_line(&shown) }, { "state", p->state } };
	for (size_t i = 0; i < HF_COUNT(rows); i++)
		if (rows[i][1] != NULL)
			hf_result_cstr(c, change, rows[i][0], rows[i][1]);
	hf_result_put(c, change, "chain", p->chain == NULL ? hf_value_null(a) : hf_value_cstr(a, p->chain));
	hf_result_bool(c, change, "flush", p->flush == HF_YES);
	hf_result_bool(c, change, "chain_management", p->chain_management == HF_YES);
	return r;
}

static int iptables_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct plan *plan = change->state;
	(void)params;
	return plan->forward.n == 0 ? 0 : hf_host_must(c, change, &plan->forward, NULL, NULL, NULL, err);
}

static int iptables_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	(void)params;
	(void)err;
	if (plan->back.n == 0) {
		if (plan->forward.n > 0)
			hf_undo_impossible(undo, "a flushed chain does not say what it held");
		return 0;
	}
	struct hf_value *step = hf_step(c, "run"), *words = hf_value_list(a);
	for (size_t i = 0; i < plan->back.n; i++)
		hf_list_append(words, hf_value_cstr(a, plan->back.at[i]));
	hf_dict_put(step, "words", words);
	hf_undo_step(undo, step);
	return 0;
}

static int iptables_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_words w = { .arena = hf_task_arena(c) };
	hf_words_text(&w, hf_dict_get(step, "words"));
	return hf_host_output(c, &w, NULL, err);
}

static void iptables_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_poll(w, 60);
}

const struct hf_module hf_module_iptables = {
	.name = "iptables",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = iptables_check,
	.apply = iptables_apply,
	.undo = iptables_undo,
	.restore = iptables_restore,
	.watch = iptables_watch,
};
