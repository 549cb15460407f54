/* modules/ufw.c - the uncomplicated firewall, through ufw(8). What ufw would do is seen from its own
 * --dry-run. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "lib/base/scope.h"
#include "modules/cmdline.h"
#include "modules/host.h"

enum { LINE_MAX_NUMBERS = 100000 };

static const char *const states[] = { "enabled", "disabled", "reloaded", "reset", NULL };
static const char *const policies[] = { "allow", "deny", "reject", NULL };
static const char *const levels[] = { "full", "high", "low", "medium", "off", "on", NULL };
static const char *const directions[] = { "in", "incoming", "out", "outgoing", "routed", NULL };
static const char *const relatives[] = { "zero", "first-ipv4", "last-ipv4", "first-ipv6", "last-ipv6", NULL };
static const char *const actions[] = { "allow", "deny", "limit", "reject", NULL };
static const char *const protocols[] = { "ah", "any", "esp", "ipv6", "tcp", "udp", "gre", "igmp", NULL };
struct params {
	const char *state, *policy, *logging, *direction, *insert_relative_to, *rule, *interface,
		*interface_in, *interface_out, *from_ip, *from_port, *to_ip, *to_port, *proto, *name,
		*comment;
	enum hf_tristate delete, route, log;
	int64_t insert;
};
#define AT(field)  offsetof(struct params, field)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_arg args[] = {
	{ "state", HF_ARG_STR, AT(state), .choices = states,
		.help = "What becomes of the firewall as a whole." },
	{ "default", HF_ARG_STR, AT(policy), .aliases = NAMES("policy"), .choices = policies,
		.help = "Policy for what no rule is about; direction says which way." },
	{ "logging", HF_ARG_STR, AT(logging), .choices = levels,
		.help = "Whether, and how much, is logged." },
	{ "direction", HF_ARG_STR, AT(direction), .choices = directions,
		.help = "in and out for rules; incoming, outgoing and routed for default." },
	{ "delete", HF_ARG_BOOL, AT(delete), .dflt = "false", .help = "The rule goes." },
	{ "route", HF_ARG_BOOL, AT(route), .dflt = "false", .help = "The rule is about what is routed." },
	{ "insert", HF_ARG_INT, AT(insert), .help = "Number the rule gets." },
	{ "insert_relative_to", HF_ARG_STR, AT(insert_relative_to), .dflt = "zero", .choices = relatives,
		.help = "Where insert counts from." },
	{ "rule", HF_ARG_STR, AT(rule), .choices = actions, .help = "Add or delete a rule that does this." },
	{ "interface", HF_ARG_STR, AT(interface), .aliases = NAMES("if"),
		.help = "Interface; wants direction." },
	{ "interface_in", HF_ARG_STR, AT(interface_in), .aliases = NAMES("if_in"),
		.help = "Interface for input." },
	{ "interface_out", HF_ARG_STR, AT(interface_out), .aliases = NAMES("if_out"),
		.help = "Interface for output." },
	{ "log", HF_ARG_BOOL, AT(log), .dflt = "false", .help = "Log new connections of this rule." },
	{ "from_ip", HF_ARG_STR, AT(from_ip), .dflt = "any", .aliases = NAMES("from", "src"),
		.help = "Source address." },
	{ "from_port", HF_ARG_STR, AT(from_port), .help = "Source port." },
	{ "to_ip", HF_ARG_STR, AT(to_ip), .dflt = "any", .aliases = NAMES("dest", "to"),
		.help = "Destination address." },
	{ "to_port", HF_ARG_STR, AT(to_port), .aliases = NAMES("port"), .help = "Destination port." },
	{ "proto", HF_ARG_STR, AT(proto), .aliases = NAMES("protocol"), .choices = protocols,
		.help = "Protocol." },
	{ "name", HF_ARG_STR, AT(name), .aliases = NAMES("app"),
		.help = "Profile in /etc/ufw/applications.d." },
	{ "comment", HF_ARG_STR, AT(comment), .help = "A comment of the rule." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, NAMES("name", "proto", "logging") },
	{ HF_RULE_EXCLUSIVE, NAMES("direction", "interface_in") },
	{ HF_RULE_EXCLUSIVE, NAMES("direction", "interface_out") },
	{ HF_RULE_ONE_OF, NAMES("state", "default", "rule", "logging") },
	{ .kind = HF_RULE_BY, .when = "interface", .names = NAMES("direction") },
	{ HF_RULE_END },
};

static const char *const rule_files[] = { "/lib/ufw/user.rules", "/lib/ufw/user6.rules",
	"/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/var/lib/ufw/user.rules",
	"/var/lib/ufw/user6.rules" };
static const char *const kept_files[] = { "/etc/ufw/user.rules", "/etc/ufw/user6.rules", "/etc/ufw/ufw.conf",
	"/etc/default/ufw", "/lib/ufw/user.rules", "/lib/ufw/user6.rules" };

struct work {
	struct hf_module_context *c;
	struct hf_arena *a;
	const struct params *p;
	struct hf_error *err;
	const char *ufw;
	struct hf_value *commands; /* as Ansible shows them */
	struct hf_str status, rules;
	struct hf_words todo[4];
	size_t n_todo;
	bool active;
};

static int execute(struct work *w, const struct hf_words *words, struct hf_str *ret)
{
	static const char *const plain[] = { "LANG=C", NULL };
	struct hf_proc_result ran;
	hf_list_append(w->commands, hf_value_cstr(w->a, hf_words_line(words)));
	int r = hf_host_run(w->c, words, plain, &ran, w->err);
	if (r < 0)
		return r;
	if (ran.status != 0)
		return hf_fail(w->err, HF_E_TASK, "%.*s",
			HF_STR_ARG(hf_str_trim(ran.err.n > 0 ? ran.err : ran.out)));
	*ret = ran.out;
	return 0;
}

/* Lines that begin as the rule files mark what ufw itself wrote. */
static struct hf_str tuples(struct hf_arena *a, struct hf_str text, int family)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_str line;
	while (text.n > 0 && hf_str_split(&text, '\n', &line)) {
		bool six = hf_str_find(line, HF_STR("::"), 0) != SIZE_MAX;
		if (hf_str_starts(line, "### tuple") && (family == 0 || six == (family == 6)))
			hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(line));
	}
	return hf_buf_dup(a, &out);
}

static void rules_read(struct work *w)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	for (size_t i = 0; i < HF_COUNT(rule_files); i++) {
		struct hf_str text;
		if (hf_fs_read(w->a, rule_files[i], HF_EDIT_MAX, &text, NULL) == 0)
			hf_buf_add(&out, tuples(w->a, text, 0));
	}
	w->rules = hf_buf_dup(w->a, &out);
}

static void todo_add(struct work *w, struct hf_words words)
{
	w->todo[w->n_todo++] = words;
}

static bool state_plan(struct work *w)
{
	static const struct {
		const char *state, *word;
	} rows[] = { { "enabled", "enable" }, { "disabled", "disable" }, { "reloaded", "reload" },
		{ "reset", "reset" } };
	bool enabled = strcmp(w->p->state, "enabled") == 0, disabled = strcmp(w->p->state, "disabled") == 0;
	bool acts = !enabled && !disabled && hf_task_acts(w->c);
	bool changed = acts || (disabled && w->active) || (enabled && !w->active);
	for (size_t i = 0; changed && i < HF_COUNT(rows); i++)
		if (strcmp(rows[i].state, w->p->state) == 0)
			todo_add(w, hf_words(w->a, w->ufw, "-f", rows[i].word, NULL));
	return changed;
}

/* "Logging: on (low)" */
static bool logging_plan(struct work *w)
{
	const char *text = hf_str_dup(w->a, w->status), *at = strstr(text, "Logging: ");
	const char *want = w->p->logging;
	bool changed = true;
	if (at != NULL) {
		at += strlen("Logging: ");
		bool on = strncmp(at, "on", 2) == 0;
		const char *level = strchr(at, '(');
		size_t n = level == NULL ? 0 : strcspn(level + 1, ")");
		if (strcmp(want, "off") == 0)
			changed = on;
		else
			changed =
				!on || (strcmp(want, "on") != 0 && (level == NULL || strlen(want) != n ||
									   strncmp(level + 1, want, n) != 0));
	}
	if (changed)
		todo_add(w, hf_words(w->a, w->ufw, "logging", want, NULL));
	return changed;
}

/* "Default: deny (incoming), allow (outgoing), disabled (routed)" */
static int default_plan(struct work *w, bool *ret)
{
	const char *direction = w->p->direction, *which = direction != NULL ? direction : "incoming";
	if (direction != NULL && (strcmp(direction, "in") == 0 || strcmp(direction, "out") == 0))
		return hf_fail(w->err, HF_E_TASK,
			"For default, direction must be one of \"outgoing\", \"incoming\" and \"routed\", or "
			"direction "
			"must not be specified.");
	const char *text = hf_str_dup(w->a, w->status), *at = strstr(text, "Default: ");
	const char *mark = at == NULL ? NULL : strstr(at, hf_sprintf(w->a, " (%s)", which));
	*ret = true;
	if (mark != NULL) {
		const char *from = mark;
		while (from > at && from[-1] != ' ')
			from--;
		struct hf_str now = hf_strn(from, (size_t)(mark - from));
		*ret = !hf_str_is(now, w->p->policy) && !hf_str_is(now, "disabled");
	}
	if (*ret) {
		struct hf_words words = hf_words(w->a, w->ufw, "default", w->p->policy, NULL);
		if (direction != NULL)
			hf_words_add(&words, direction);
		todo_add(w, words);
	}
	return 0;
}

/* The highest numbers of `ufw status numbered`: of all rules, and of either family's. */
struct numbers {
	int64_t all, four, six;
};

static struct numbers numbers_read(struct hf_str out)
{
	struct numbers n = { 0 };
	struct hf_str line;
	for (int i = 0; i < LINE_MAX_NUMBERS && out.n > 0 && hf_str_split(&out, '\n', &line); i++) {
		int64_t number;
		struct hf_str rest = hf_strn(line.p + 1, line.n > 0 ? line.n - 1 : 0), digits;
		if (!hf_str_starts(line, "[") || !hf_str_split(&rest, ']', &digits) ||
			!hf_str_to_int64(hf_str_trim(digits), &number))
			continue;
		int64_t *of = hf_str_find(line, HF_STR("(v6)"), 0) != SIZE_MAX ? &n.six : &n.four;
		*of = number > *of ? number : *of;
		n.all = number > n.all ? number : n.all;
	}
	return n;
}

static int64_t numbers_base(const struct numbers *n, const char *relative)
{
	if (strcmp(relative, "last-ipv4") == 0)
		return n->four > 0 ? n->four : 1;
	if (strcmp(relative, "first-ipv6") == 0)
		return n->four > 0 ? n->four + 1 : 1;
	if (strcmp(relative, "last-ipv6") == 0)
		return n->six > 0 ? n->all : n->all + 1;
	return 1;
}

/* The number that insert means; 0 where the rule simply goes to the end. */
static int insert_number(struct work *w, int64_t *ret)
{
	struct hf_words words = hf_words(w->a, w->ufw, "status", "numbered", NULL);
	struct hf_proc_result ran;
	*ret = w->p->insert;
	if (strcmp(w->p->insert_relative_to, "zero") == 0)
		return 0;
	int r = hf_host_run(w->c, &words, NULL, &ran, w->err);
	if (r < 0)
		return r;
	struct numbers n = numbers_read(ran.out);
	*ret += numbers_base(&n, w->p->insert_relative_to);
	*ret = *ret > n.all ? 0 : *ret;
	return 0;
}

static int rule_words(struct work *w, bool dry, struct hf_words *ret)
{
	const struct params *p = w->p;
	int64_t number = 0;
	*ret = hf_words(w->a, w->ufw, NULL);
	if (dry)
		hf_words_add(ret, "--dry-run");
	if (p->route == HF_YES)
		hf_words_add(ret, "route");
	if (p->delete == HF_YES)
		hf_words_add(ret, "delete");
	if (hf_task_given(w->c, "insert") && p->delete != HF_YES) {
		int r = insert_number(w, &number);
		if (r < 0)
			return r;
		if (number != 0 || strcmp(p->insert_relative_to, "zero") == 0) {
			hf_words_add(ret, "insert");
			hf_words_addf(ret, "%lld", (long long)number);
		}
	}
	hf_words_add(ret, p->rule);
	const struct {
		const char *first, *second, *value;
	} rows[] = {
		{ NULL, NULL, p->direction },
		{ "on", NULL, p->interface },
		{ "in", "on", p->interface_in },
		{ "out", "on", p->interface_out },
		{ NULL, NULL, p->log == HF_YES ? "log" : NULL },
		{ "from", NULL, p->from_ip },
		{ "port", NULL, p->from_port },
		{ "to", NULL, p->to_ip },
		{ "port", NULL, p->to_port },
		{ "proto", NULL, p->proto },
		{ "app", NULL, p->name },
		{ "comment", NULL, p->comment },
	};
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		if (rows[i].value == NULL || *rows[i].value == '\0')
			continue;
		if (rows[i].first != NULL)
			hf_words_add(ret, rows[i].first);
		if (rows[i].second != NULL)
			hf_words_add(ret, rows[i].second);
		hf_words_add(ret, rows[i].value);
	}
	return 0;
}

/* 4, 6, or 0 for text that begins with no address. */
static int family_of(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];
	char host[INET6_ADDRSTRLEN];
	size_t n = strcspn(text, "/");
	if (n >= sizeof(host))
		return 0;
	memcpy(host, text, n);
	host[n] = '\0';
	return inet_pton(AF_INET, host, address) == 1 ? 4 : inet_pton(AF_INET6, host, address) == 1 ? 6 : 0;
}

static bool all_skipped(struct hf_str out)
{
	struct hf_str line;
	size_t lines = 0, skipped = 0;
	while (out.n > 0 && hf_str_split(&out, '\n', &line)) {
		lines++;
		skipped += hf_str_find(line, HF_STR("Skipping"), 0) != SIZE_MAX;
	}
	return skipped > 0 && skipped == lines;
}

/* ufw prints the rules as they would be; where only one family is concerned, only that family's. */
static int rule_plan(struct work *w, bool *ret)
{
	const struct params *p = w->p;
	struct hf_words dry, words;
	struct hf_str out;
	if (p->direction != NULL && strcmp(p->direction, "in") != 0 && strcmp(p->direction, "out") != 0)
		return hf_fail(w->err, HF_E_TASK,
			"For rules, direction must be one of \"in\" and \"out\", or direction must not be "
			"specified.");
	if (p->route != HF_YES && p->interface_in != NULL && p->interface_out != NULL)
		return hf_fail(
			w->err, HF_E_TASK, "Only route rules can combine interface_in and interface_out");
	int r = rule_words(w, true, &dry);
	if (r == 0)
		r = execute(w, &dry, &out);
	if (r == 0)
		r = rule_words(w, false, &words);
	if (r < 0)
		return r;
	int family = family_of(p->from_ip) != 0 ? family_of(p->from_ip) : family_of(p->to_ip);
	*ret = !all_skipped(out) && !hf_str_equal(tuples(w->a, w->rules, family), tuples(w->a, out, family));
	if (*ret)
		todo_add(w, words);
	return 0;
}

static int plan(struct work *w, bool *ret)
{
	const struct params *p = w->p;
	bool one = false;
	int r = 0;
	if (p->state != NULL)
		*ret = state_plan(w);
	if (p->policy != NULL) {
		r = default_plan(w, &one);
		*ret = *ret || one;
	}
	if (r == 0 && p->rule != NULL) {
		r = rule_plan(w, &one);
		*ret = *ret || one;
	}
	if (r == 0 && p->logging != NULL)
		*ret = logging_plan(w) || *ret;
	return r;
}

static int ufw_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = hf_new(hf_task_arena(c), struct work);
	*w = (struct work){ .c = c, .a = hf_task_arena(c), .p = params, .err = err };
	w->commands = hf_value_list(w->a);
	change->state = w;
	w->ufw = hf_proc_which(w->a, "ufw");
	if (w->ufw == NULL)
		return hf_fail(err, HF_E_TASK, "Failed to find required executable \"ufw\"");
	struct hf_words words = hf_words(w->a, w->ufw, "status", "verbose", NULL);
	int r = execute(w, &words, &w->status);
	if (r < 0)
		return r;
	w->active = hf_str_find(w->status, HF_STR(" active"), 0) != SIZE_MAX;
	rules_read(w);
	r = plan(w, &change->changed);
	hf_result_put(c, change, "commands", w->commands);
	if (r == 0 && !hf_task_check_mode(c))
		hf_result_put(c, change, "msg", hf_value_str(w->a, hf_str_trim(w->status)));
	return r;
}

static int ufw_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	struct work *w = change->state;
	struct hf_words words = hf_words(w->a, w->ufw, "status", "verbose", NULL);
	struct hf_str out;
	int r = 0;
	(void)params;
	w->err = err;
	for (size_t i = 0; r == 0 && i < w->n_todo; i++)
		r = execute(w, &w->todo[i], &out);
	if (r == 0)
		r = execute(w, &words, &out);
	if (r == 0)
		hf_result_put(c, change, "msg", hf_value_str(w->a, hf_str_trim(out)));
	return r;
}

/* Steps are taken in reverse: the files come back first, then ufw reads them or is switched as it was. */
static int ufw_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct work *w = change->state;
	struct hf_value *step = hf_step(c, "ufw");
	int r = 0;
	(void)params;
	hf_dict_put(step, "active", hf_value_bool(w->a, w->active));
	hf_undo_step(undo, step);
	for (size_t i = 0; r == 0 && i < HF_COUNT(kept_files); i++)
		if (hf_fs_exists(kept_files[i]))
			r = hf_undo_file(undo, kept_files[i], err);
	return r;
}

static int ufw_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	bool active = hf_dict_bool(step, "active", false);
	struct hf_words words = hf_words(hf_task_arena(c), "ufw", "-f", active ? "enable" : "disable", NULL);
	int r = hf_host_output(c, &words, NULL, err);
	words = hf_words(hf_task_arena(c), "ufw", "reload", NULL);
	return r < 0 || !active ? r : hf_host_output(c, &words, NULL, err);
}

static void ufw_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_tree(w, "/etc/ufw");
	hf_watch_path(w, "/etc/default/ufw");
	hf_watch_poll(w, 300); /* the chains may go where the files stay */
}

const struct hf_module hf_module_ufw = {
	.name = "ufw",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = ufw_check,
	.apply = ufw_apply,
	.undo = ufw_undo,
	.restore = ufw_restore,
	.watch = ufw_watch,
};
