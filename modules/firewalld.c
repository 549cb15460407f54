/* modules/firewalld.c - what firewalld lets through, by firewall-cmd(1), or firewall-offline-cmd(1) where the
 * daemon does not run. */
#include <ctype.h>

#include "lib/base/scope.h"
#include "modules/host.h"

static const char *const states[] = { "absent", "disabled", "enabled", "present", NULL };
static const char *const targets[] = { "default", "ACCEPT", "DROP", "%%REJECT%%", NULL };
struct params {
	const char *icmp_block, *icmp_block_inversion, *service, *protocol, *port, *rich_rule, *zone, *source,
		*state, *interface, *forward, *masquerade, *target;
	struct hf_value *port_forward;
	enum hf_tristate immediate, permanent, offline;
	int64_t timeout;
};
#define AT(field)  offsetof(struct params, field)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_arg args[] = {
	{ "icmp_block", HF_ARG_STR, AT(icmp_block), .help = "ICMP type to block." },
	{ "icmp_block_inversion", HF_ARG_STR, AT(icmp_block_inversion),
		.help = "Whether ICMP blocks are the only ones let through." },
	{ "service", HF_ARG_STR, AT(service), .help = "Name of a service." },
	{ "protocol", HF_ARG_STR, AT(protocol), .help = "Name of a protocol." },
	{ "port", HF_ARG_STR, AT(port), .help = "PORT/PROTOCOL or FROM-TO/PROTOCOL." },
	{ "port_forward", HF_ARG_LIST, AT(port_forward), .elements = HF_ARG_DICT,
		.help = "One dict of port, proto, toport and toaddr." },
	{ "rich_rule", HF_ARG_STR, AT(rich_rule), .help = "A rule in firewalld's rich language." },
	{ "zone", HF_ARG_STR, AT(zone), .help = "The zone; the default one where it is not given." },
	{ "immediate", HF_ARG_BOOL, AT(immediate), .dflt = "false",
		.help = "Now, as well as permanently; without permanent always." },
	{ "source", HF_ARG_STR, AT(source), .help = "Network of the zone; wants permanent." },
	{ "permanent", HF_ARG_BOOL, AT(permanent), .dflt = "false", .help = "After a reload or boot too." },
	{ "state", HF_ARG_STR, AT(state), HF_REQUIRED, .choices = states,
		.help = "enabled or disabled; present and absent are for zones and targets." },
	{ "timeout", HF_ARG_INT, AT(timeout), .dflt = "0",
		.help = "Seconds after which what is not permanent goes." },
	{ "interface", HF_ARG_STR, AT(interface), .help = "Interface of the zone." },
	{ "forward", HF_ARG_STR, AT(forward), .help = "Whether the zone forwards between its interfaces." },
	{ "masquerade", HF_ARG_STR, AT(masquerade), .help = "Whether the zone masquerades." },
	{ "offline", HF_ARG_BOOL, AT(offline), .dflt = "false",
		.help = "Do without immediate where firewalld does not run." },
	{ "target", HF_ARG_STR, AT(target), .choices = targets, .help = "What the zone does with the rest." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE,
		NAMES("icmp_block", "icmp_block_inversion", "service", "protocol", "port", "port_forward",
			"rich_rule", "interface", "forward", "masquerade", "source", "target") },
	{ .kind = HF_RULE_BY, .when = "interface", .names = NAMES("zone") },
	{ .kind = HF_RULE_BY, .when = "target", .names = NAMES("zone") },
	{ .kind = HF_RULE_BY, .when = "source", .names = NAMES("permanent") },
	{ HF_RULE_END },
};

/* One kind of thing a zone has: firewall-cmd's word for it, and how it is spoken of. */
struct kind {
	size_t at;
	const char *word, *name;
	bool flag;                   /* on or off, without a value */
	bool timed;                  /* may go by itself */
	const char *added, *removed; /* said instead of "Changed NAME VALUE to STATE" */
};
static const struct kind kinds[] = {
	{ AT(icmp_block), "icmp-block", "icmp-block", .timed = true },
	{ AT(icmp_block_inversion), "icmp-block-inversion", "icmp-block-inversion", .flag = true },
	{ AT(service), "service", "service", .timed = true },
	{ AT(protocol), "protocol", "protocol", .timed = true },
	{ AT(port), "port", "port", .timed = true },
	{ AT(rich_rule), "rich-rule", "rich_rule", .timed = true },
	{ AT(interface), "interface", NULL, .added = "Changed %s to zone %s",
		.removed = "Removed %s from zone %s" },
	{ AT(source), "source", NULL, .added = "Added %s to zone %s", .removed = "Removed %s from zone %s" },
	{ AT(forward), "forward", NULL, .flag = true, .added = "Added forward to zone %s",
		.removed = "Removed forward from zone %s" },
	{ AT(masquerade), "masquerade", NULL, .flag = true, .added = "Added masquerade to zone %s",
		.removed = "Removed masquerade from zone %s" },
};
static const struct kind forward_port = { 0, "forward-port", "port_forward", .timed = true };

struct work {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_error *err;
	const char *program, *zone;
	const struct kind *kind; /* NULL: a target or the zone itself */
	const char *value, *shown;
	bool running, permanent, immediate, want;
	struct hf_words commands[2]; /* permanent, immediate */
	struct hf_value *undo;       /* argument lists that take it back, in order */
	const char *message;
};

static struct hf_words command(const struct work *w, bool permanent)
{
	struct hf_words words = hf_words(w->a, w->program, NULL);
	if (permanent && w->running)
		hf_words_add(&words, "--permanent");
	return words;
}

static int failure(struct work *w, const struct hf_proc_result *ran)
{
	struct hf_str said = hf_str_trim(ran->err.n > 0 ? ran->err : ran->out);
	return hf_fail(w->err, HF_E_TASK, "ERROR: Exception caught: %.*s", HF_STR_ARG(said));
}

/* Status 0 is yes, 1 is no. */
static int query(struct work *w, const struct hf_words *words, bool *ret)
{
	struct hf_proc_result ran;
	int r = hf_host_run(w->c, words, NULL, &ran, w->err);
	if (r < 0)
		return r;
	*ret = ran.status == 0;
	return ran.status > 1 ? failure(w, &ran) : 0;
}

static int ask(struct work *w, const struct hf_words *words, const char **ret)
{
	struct hf_proc_result ran;
	int r = hf_host_run(w->c, words, NULL, &ran, w->err);
	if (r == 0 && ran.status != 0)
		return failure(w, &ran);
	if (r == 0)
		*ret = hf_str_dup(w->a, hf_str_trim(ran.out));
	return r;
}

static const char *option_word(const struct work *w, const char *verb)
{
	return w->kind->flag ? hf_sprintf(w->a, "--%s-%s", verb, w->kind->word)
			     : hf_sprintf(w->a, "--%s-%s=%s", verb, w->kind->word, w->value);
}

static void undo_add(struct work *w, const struct hf_words *words)
{
	struct hf_value *list = hf_value_list(w->a);
	for (size_t i = 0; i < words->n; i++)
		hf_list_append(list, hf_value_cstr(w->a, words->at[i]));
	hf_list_append(w->undo, list);
}

/* An interface goes back to the zone it had. */
static int undo_interface(struct work *w, bool permanent)
{
	struct hf_words words = command(w, permanent);
	struct hf_proc_result ran;
	hf_words_addf(&words, "--get-zone-of-interface=%s", w->value);
	int r = hf_host_run(w->c, &words, NULL, &ran, w->err);
	struct hf_str zone = r == 0 && ran.status == 0 ? hf_str_trim(ran.out) : HF_STR("");
	words = command(w, permanent);
	hf_words_addf(&words, "--zone=%.*s", zone.n > 0 ? (int)zone.n : (int)strlen(w->zone),
		zone.n > 0 ? zone.p : w->zone);
	hf_words_addf(&words, zone.n > 0 ? "--change-interface=%s" : "--remove-interface=%s", w->value);
	undo_add(w, &words);
	return r;
}

static int kind_plan(struct work *w, bool permanent, struct hf_words *ret)
{
	struct hf_words words = command(w, permanent), back = command(w, permanent);
	bool now, interface = strcmp(w->kind->word, "interface") == 0;
	hf_words_addf(&words, "--zone=%s", w->zone);
	hf_words_add(&words, option_word(w, "query"));
	int r = query(w, &words, &now);
	if (r < 0 || now == w->want)
		return r;
	*ret = command(w, permanent);
	hf_words_addf(ret, "--zone=%s", w->zone);
	hf_words_add(ret, option_word(w, !w->want ? "remove" : interface ? "change" : "add"));
	if (w->want && w->kind->timed && !permanent && w->p->timeout > 0)
		hf_words_addf(ret, "--timeout=%lld", (long long)w->p->timeout);
	if (interface && w->want)
		return undo_interface(w, permanent);
	hf_words_addf(&back, "--zone=%s", w->zone);
	hf_words_add(&back, option_word(w, w->want ? "remove" : interface ? "change" : "add"));
	undo_add(w, &back);
	return 0;
}

static int zone_error(struct work *w)
{
	return hf_fail(w->err, HF_E_TASK,
		"Zone operations must be permanent. Make sure you didn't set the 'permanent' flag to 'false' "
		"or the "
		"'immediate' flag to 'true'.");
}

static int target_plan(struct work *w)
{
	const char *now, *want = w->want ? w->p->target : "default";
	struct hf_words words = command(w, true), back = command(w, true);
	if (w->immediate)
		return zone_error(w);
	hf_words_addf(&words, "--zone=%s", w->zone);
	hf_words_add(&words, "--get-target");
	int r = ask(w, &words, &now);
	if (r < 0)
		return r;
	bool is = strcmp(now, w->p->target) == 0;
	if (is == w->want)
		return 0;
	w->commands[0] = command(w, true);
	hf_words_addf(&w->commands[0], "--zone=%s", w->zone);
	hf_words_addf(&w->commands[0], "--set-target=%s", want);
	hf_words_addf(&back, "--zone=%s", w->zone);
	hf_words_addf(&back, "--set-target=%s", now);
	undo_add(w, &back);
	w->message = w->want ? hf_sprintf(w->a, "Set zone %s target to %s", w->zone, want)
			     : hf_sprintf(w->a, "Reset zone %s target to default", w->zone);
	return 0;
}

static int zone_plan(struct work *w)
{
	const char *zones;
	struct hf_words words = command(w, true), back = command(w, true);
	struct hf_str rest, zone;
	bool there = false;
	if (w->immediate)
		return zone_error(w);
	hf_words_add(&words, "--get-zones");
	int r = ask(w, &words, &zones);
	if (r < 0)
		return r;
	for (rest = hf_str(zones); rest.n > 0 && hf_str_split(&rest, ' ', &zone);)
		there = there || hf_str_is(zone, w->zone);
	if (there == w->want)
		return 0;
	w->commands[0] = command(w, true);
	hf_words_addf(&w->commands[0], w->want ? "--new-zone=%s" : "--delete-zone=%s", w->zone);
	hf_words_addf(&back, "--delete-zone=%s", w->zone);
	if (w->want)
		undo_add(w, &back);
	w->message = hf_sprintf(w->a, "%s zone %s, Changed zone %s to %s", w->want ? "Added" : "Removed",
		w->zone, w->zone, w->p->state);
	return 0;
}

static int kind_find(struct work *w)
{
	const struct params *p = w->p;
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		const char *value = *(const char *const *)(const void *)((const char *)p + kinds[i].at);
		if (value == NULL)
			continue;
		w->kind = &kinds[i];
		w->value = w->shown = value;
		enum hf_tristate on = hf_text_bool(hf_str(value));
		if (kinds[i].flag && on == HF_UNSET)
			on = kinds[i].at == AT(forward) ? HF_NO : HF_YES;
		if (kinds[i].flag)
			w->want = w->want == (on == HF_YES);
	}
	if (p->port != NULL && strchr(p->port, '/') == NULL)
		return hf_fail(w->err, HF_E_TASK, "improper port format (missing protocol?)");
	return 0;
}

static int forward_find(struct work *w)
{
	const struct hf_value *list = w->p->port_forward;
	static const struct {
		const char *key, *error;
	} wanted[] = { { "port", "port must be specified for port forward" },
		{ "proto", "proto udp/tcp must be specified for port forward" },
		{ "toport", "toport must be specified for port forward" } };
	if (list == NULL || hf_list_len(list) == 0)
		return 0;
	if (hf_list_len(list) > 1)
		return hf_fail(w->err, HF_E_TASK, "Only one port forward supported at a time");
	const struct hf_value *f = hf_list_at(list, 0);
	w->value = "";
	for (size_t i = 0; i < HF_COUNT(wanted); i++) {
		const struct hf_value *v = hf_dict_get(f, wanted[i].key);
		if (v == NULL)
			return hf_fail(w->err, HF_E_TASK, "%s", wanted[i].error);
		w->value = hf_sprintf(w->a, "%s%s%s=%s", w->value, i > 0 ? ":" : "", wanted[i].key,
			hf_value_text(w->a, v).p);
	}
	const struct hf_value *to = hf_dict_get(f, "toaddr");
	const char *address = to == NULL ? "" : hf_value_text(w->a, to).p;
	w->kind = &forward_port;
	w->shown = hf_sprintf(w->a, "%s:toaddr=%s", w->value, address);
	if (*address != '\0')
		w->value = w->shown;
	return 0;
}

/* Does the daemon run; what is to be done now, what for good. */
static int mode_find(struct work *w)
{
	const struct params *p = w->p;
	struct hf_proc_result ran;
	const char *program = hf_proc_which(w->a, "firewall-cmd"),
		   *offline = hf_proc_which(w->a, "firewall-offline-cmd");
	if (program == NULL && offline == NULL)
		return hf_fail(w->err, HF_E_TASK, "Failed to find required executable \"firewall-cmd\"");
	if (program != NULL) {
		struct hf_words words = hf_words(w->a, program, "--state", NULL);
		int r = hf_host_run(w->c, &words, NULL, &ran, w->err);
		if (r < 0)
			return r;
		w->running = ran.status == 0;
	}
	w->permanent = p->permanent == HF_YES;
	w->immediate = p->immediate == HF_YES;
	if (p->offline == HF_YES && !w->permanent)
		return hf_fail(
			w->err, HF_E_TASK, "offline cannot be enabled unless permanent changes are allowed");
	if (p->offline == HF_YES && !w->running)
		w->immediate = false;
	w->immediate = w->immediate || !w->permanent;
	if (w->immediate && !w->running)
		return hf_fail(w->err, HF_E_TASK,
			"firewall is not currently running, unable to perform immediate actions without a "
			"running "
			"firewall daemon");
	w->program = w->running ? program : offline;
	if (w->program == NULL)
		return hf_fail(
			w->err, HF_E_TASK, "Failed to find required executable \"firewall-offline-cmd\"");
	return 0;
}

static int zone_find(struct work *w)
{
	struct hf_words words = hf_words(w->a, w->program, "--get-default-zone", NULL);
	w->zone = w->p->zone;
	return w->zone != NULL ? 0 : ask(w, &words, &w->zone);
}

static void kind_message(struct work *w)
{
	const struct kind *k = w->kind;
	const char *format = w->want ? k->added : k->removed;
	if (k->name != NULL)
		w->message = hf_sprintf(w->a, "Changed %s %s to %s", k->name, w->shown, w->p->state);
	else if (k->flag)
		w->message = hf_sprintf(w->a, "%s %s %s zone %s", w->want ? "Added" : "Removed", k->word,
			w->want ? "to" : "from", w->zone);
	else
		w->message = hf_sprintf(w->a, "%s %s %s zone %s",
			!w->want                            ? "Removed"
			: strcmp(k->word, "interface") == 0 ? "Changed"
							    : "Added",
			w->value, strstr(format, " from ") != NULL ? "from" : "to", w->zone);
}

static bool is_whole(const struct work *w)
{
	return strcmp(w->p->state, "present") == 0 || strcmp(w->p->state, "absent") == 0;
}

/* What the task is about, and in which zone. */
static int wish_find(struct work *w)
{
	w->want = strcmp(w->p->state, "enabled") == 0 || strcmp(w->p->state, "present") == 0;
	int r = kind_find(w);
	if (r == 0)
		r = forward_find(w);
	if (r == 0 && w->kind != NULL && is_whole(w))
		return hf_fail(w->err, HF_E_TASK,
			"absent and present state can only be used in zone level operations");
	return r == 0 ? zone_find(w) : r;
}

static int plan(struct work *w)
{
	int r = wish_find(w);
	if (r < 0)
		return r;
	if (w->p->target != NULL)
		return target_plan(w);
	if (w->kind == NULL)
		return is_whole(w) ? zone_plan(w) : 0;
	if (w->permanent)
		r = kind_plan(w, true, &w->commands[0]);
	if (r == 0 && w->immediate)
		r = kind_plan(w, false, &w->commands[1]);
	if (w->commands[0].n > 0 || w->commands[1].n > 0)
		kind_message(w);
	return r;
}

static void say(struct work *w, struct hf_change *change)
{
	const char *what = w->permanent && w->immediate ? "Permanent and Non-Permanent(immediate) operation"
			   : w->permanent               ? "Permanent operation"
							: "Non-permanent operation";
	hf_result_cstr(w->c, change, "msg",
		hf_sprintf(w->a, "%s%s%s%s", what, w->message != NULL ? ", " : "",
			w->message != NULL ? w->message : "",
			w->running ? "" : ", (offline operation: only on-disk configs were altered)"));
}

static int firewalld_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = hf_new(hf_task_arena(c), struct work);
	*w = (struct work){ .c = c, .a = hf_task_arena(c), .p = params, .err = err };
	w->undo = hf_value_list(w->a);
	change->state = w;
	int r = mode_find(w);
	if (r == 0)
		r = plan(w);
	if (r < 0)
		return r;
	change->changed = w->commands[0].n > 0 || w->commands[1].n > 0;
	if (!change->changed) /* Ansible's module says in check mode only that something would change */
		say(w, change);
	return 0;
}

static int firewalld_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = change->state;
	const char *said;
	int r = 0;
	(void)c;
	(void)params;
	w->err = err;
	for (size_t i = 0; r == 0 && i < HF_COUNT(w->commands); i++)
		if (w->commands[i].n > 0)
			r = ask(w, &w->commands[i], &said);
	if (r == 0)
		say(w, change);
	return r;
}

static int firewalld_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct work *w = change->state;
	int r = 0;
	(void)params;
	if (w->kind == NULL && !w->want) /* a zone that is deleted: its file comes back */
		r = hf_undo_file(undo, hf_sprintf(w->a, "/etc/firewalld/zones/%s.xml", w->zone), err);
	for (size_t i = 0; i < hf_list_len(w->undo); i++) {
		struct hf_value *step = hf_step(c, "firewalld");
		hf_dict_put(step, "argv", hf_list_at(w->undo, i));
		hf_undo_step(undo, step);
	}
	return r;
}

static int firewalld_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_words words = { .arena = hf_task_arena(c) };
	hf_words_text(&words, hf_dict_get(step, "argv"));
	return hf_host_output(c, &words, NULL, err);
}

static void firewalld_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_tree(w, "/etc/firewalld");
	hf_watch_unit(w, "firewalld.service");
}

const struct hf_module hf_module_firewalld = {
	.name = "firewalld",
	.collection = "ansible.posix",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = firewalld_check,
	.apply = firewalld_apply,
	.undo = firewalld_undo,
	.restore = firewalld_restore,
	.watch = firewalld_watch,
};
