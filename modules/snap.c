/* modules/snap.c - snap packages, through snap(1), and their options. */
#include "lib/base/scope.h"
#include "lib/data/json.h"
#include "modules/cmdline.h"
#include "modules/host.h"

static const char *const states[] = { "absent", "present", "enabled", "disabled", NULL };
enum { ABSENT, PRESENT, ENABLED, DISABLED };
struct params {
	struct hf_value *name, *options;
	const char *channel;
	int state;
	enum hf_tristate classic, dangerous;
};
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_LIST, AT(name), HF_REQUIRED, .elements = HF_ARG_STR,
		.help = "Snaps; with state=present also files." },
	{ "state", HF_ARG_ENUM, AT(state), .dflt = "present", .choices = states, .help = "What is wanted." },
	{ "classic", HF_ARG_BOOL, AT(classic), .dflt = "false", .help = "Without confinement." },
	{ "channel", HF_ARG_STR, AT(channel), .help = "Where from; another one is changed to." },
	{ "options", HF_ARG_LIST, AT(options), .elements = HF_ARG_STR,
		.help = "KEY=VALUE or SNAP:KEY=VALUE." },
	{ "dangerous", HF_ARG_BOOL, AT(dangerous), .dflt = "false", .help = "Take unsigned files." },
	{ .type = HF_ARG_END },
};
static const char *const plain[] = { "LANGUAGE=C", "LC_ALL=C", NULL };
enum { LINES_MAX = 100000, NOTES_COLUMN = 5, CHANNEL_COLUMN = 3 };
enum status { MISSING, OTHER_CHANNEL, THERE };

struct setting {
	const char *snap, *word, *shown;
};
struct plan {
	const char *program;
	struct hf_value *refresh, *install, *others; /* names; others: to be removed, enabled or disabled */
	HF_VEC(struct setting) settings;
	struct hf_value *before; /* name → {channel, options} of what is installed */
};

static int snap(struct hf_module_context *c, const struct hf_words *w, struct hf_proc_result *ran,
	struct hf_error *err)
{
	return hf_host_run(c, w, plain, ran, err);
}

static struct hf_str column(struct hf_str line, int n)
{
	static const char blanks[] = " \t";
	struct hf_str word = HF_STR("");
	size_t i = 0;
	for (int k = 0; k <= n; k++) {
		while (i < line.n && strchr(blanks, line.p[i]) != NULL)
			i++;
		size_t from = i;
		while (i < line.n && strchr(blanks, line.p[i]) == NULL)
			i++;
		word = hf_strn(line.p + from, i - from);
	}
	return word;
}

/* name → channel, as `snap list` tells. */
static int installed_read(struct hf_module_context *c, const struct plan *plan, struct hf_change *change,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, plan->program, "list", NULL);
	struct hf_value *found = hf_value_dict(a);
	struct hf_str out, line;
	int r = hf_host_must(c, change, &w, NULL, plain, &out, err);
	if (r == 0 && out.n > 0)
		(void)hf_str_split(&out, '\n', &line); /* the heading */
	while (r == 0 && out.n > 0 && hf_dict_len(found) < LINES_MAX && hf_str_split(&out, '\n', &line)) {
		struct hf_str name = column(line, 0), channel = column(line, CHANNEL_COLUMN);
		if (name.n > 0 && channel.n > 0)
			hf_dict_put(found, hf_str_dup(a, name), hf_value_str(a, channel));
	}
	if (r == 0)
		*ret = found;
	return r;
}

static int not_found(struct hf_arena *a, struct hf_str out, struct hf_error *err)
{
	struct hf_value *names = hf_value_list(a);
	struct hf_str line;
	while (out.n > 0 && hf_list_len(names) < LINES_MAX && hf_str_split(&out, '\n', &line)) {
		if (!hf_str_starts(line, "warning: no snap found"))
			continue;
		const char *blank = memrchr(line.p, ' ', line.n);
		hf_list_append(
			names, hf_value_str(a, hf_strn(blank + 1, (size_t)(line.p + line.n - blank - 1))));
	}
	return hf_fail(err, HF_E_TASK, "Snaps not found: %s.", hf_value_text(a, names).p);
}

/* The names that files and names stand for, as `snap info` tells. */
static int names_read(struct hf_module_context *c, const struct params *p, const struct plan *plan,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, plan->program, "info", NULL);
	struct hf_value *names = hf_value_list(a);
	struct hf_proc_result ran;
	struct hf_str line;
	hf_words_text(&w, p->name);
	int r = snap(c, &w, &ran, err);
	if (r < 0)
		return r;
	struct hf_str out = ran.out;
	const struct hf_str *told = hf_list_len(p->name) == 1 ? &ran.err : &ran.out;
	if (hf_str_find(*told, HF_STR("warning: no snap found"), 0) != SIZE_MAX)
		return not_found(a, ran.out, err);
	while (out.n > 0 && hf_list_len(names) < LINES_MAX && hf_str_split(&out, '\n', &line))
		if (hf_str_starts(line, "name:"))
			hf_list_append(names, hf_value_str(a, column(line, 1)));
	if (hf_list_len(names) != hf_list_len(p->name))
		return hf_fail(err, HF_E_TASK, "'%s' told the names of %zu of %zu snaps", hf_words_line(&w),
			hf_list_len(names), hf_list_len(p->name));
	*ret = names;
	return 0;
}

static enum status status_of(
	struct hf_arena *a, const struct params *p, const struct hf_value *installed, const char *name)
{
	const char *channel = hf_dict_cstr(installed, name, NULL);
	if (channel == NULL)
		return MISSING;
	if (p->channel == NULL || hf_same(channel, p->channel) ||
		hf_same(channel, hf_sprintf(a, "latest/%s", p->channel)))
		return THERE;
	return OTHER_CHANNEL;
}

/* {"a": {"b": 1}} → {"a.b": "1"} */
static int options_flatten(struct hf_arena *a, const struct hf_value *tree, const char *prefix,
	struct hf_value *flat, int depth, struct hf_error *err)
{
	enum { DEPTH_MAX = 64 };
	int r = 0;
	if (!hf_is(tree, HF_DICT) || depth > DEPTH_MAX)
		return hf_fail(err, HF_E_TASK,
			"Non-dict non-leaf element encountered while parsing option map. The output format "
			"of "
			"'snap set' may have changed. Aborting!");
	HF_DICT_EACH (tree, e) {
		const struct hf_value *v = hf_entry_value(e);
		const char *key = hf_value_text(a, hf_entry_key(e)).p;
		const char *full = *prefix == '\0' ? key : hf_sprintf(a, "%s.%s", prefix, key);
		bool leaf = hf_is(v, HF_STRING) || hf_is(v, HF_FLOAT) || hf_is(v, HF_BOOL) ||
			    hf_is(v, HF_INT) || hf_is(v, HF_BIGINT);
		if (leaf)
			hf_dict_put(flat, full, hf_value_str(a, hf_value_text(a, v)));
		else if (r == 0)
			r = options_flatten(a, v, full, flat, depth + 1, err);
	}
	return r;
}

static int options_read(struct hf_module_context *c, const struct plan *plan, const char *name,
	struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, plan->program, "get", "-d", name, NULL);
	struct hf_value *told;
	struct hf_proc_result ran;
	int r = snap(c, &w, &ran, err);
	if (r < 0)
		return r;
	*ret = hf_value_dict(a);
	if (ran.status != 0 || hf_str_find(ran.out, HF_STR("has no configuration"), 0) != SIZE_MAX)
		return 0;
	r = hf_json_loads(a, ran.out, &told, err);
	if (r == 0)
		r = options_flatten(a, told, "", *ret, 0, err);
	return r < 0 ? hf_wrap(err, "Parsing option map returned by 'snap get %s' triggers exception", name)
		     : 0;
}

/* "SNAP:KEY = VALUE": the last '=' of the first word, else the one after it. */
static bool option_split(struct hf_arena *a, const char *text, const char **ret_snap, const char **ret_key,
	const char **ret_value)
{
	size_t n = strcspn(text, " \t");
	const char *blank = text + n, *sign = NULL;
	for (const char *at = text + 1; at < blank && n > 0; at++)
		if (*at == '=' && (at[1] != '\0'))
			sign = at;
	if (sign == NULL && n > 0 && blank[strspn(blank, " \t")] == '=')
		sign = blank + strspn(blank, " \t");
	if (sign == NULL || hf_str_trim(hf_str(sign + 1)).n == 0)
		return false;
	struct hf_str key = hf_str_trim(hf_strn(text, (size_t)(sign - text)));
	const char *colon = memrchr(key.p, ':', key.n);
	*ret_snap = NULL;
	if (colon != NULL && colon > key.p && colon + 1 < key.p + key.n) {
		*ret_snap = hf_strndup(a, key.p, (size_t)(colon - key.p));
		key = hf_strn(colon + 1, (size_t)(key.p + key.n - colon - 1));
	}
	*ret_key = hf_str_dup(a, key);
	*ret_value = hf_str_dup(a, hf_str_trim(hf_str(sign + 1)));
	return true;
}

static int options_plan(struct hf_module_context *c, const struct params *p, struct plan *plan,
	const char *name, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *now;
	int r = options_read(c, plan, name, &now, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(p->options); i++) {
		const char *text = hf_value_text(a, hf_list_at(p->options, i)).p, *of, *key, *value;
		if (!option_split(a, text, &of, &key, &value))
			return hf_fail(err, HF_E_TASK, "Cannot parse set option '%s'", text);
		if (of != NULL && !hf_list_has(p->name, of))
			return hf_fail(err, HF_E_TASK,
				"Snap option '%s' refers to snap which is not in the list of snap names",
				text);
		if ((of != NULL && !hf_same(of, name)) || hf_same(hf_dict_cstr(now, key, NULL), value))
			continue;
		*hf_vec_push(a, &plan->settings) = (struct setting){ name, hf_sprintf(a, "%s=%s", key, value),
			of != NULL ? text : hf_sprintf(a, "%s:%s", name, text) };
	}
	if (r == 0 && hf_dict_get(plan->before, name) != NULL)
		hf_dict_put(hf_dict_get(plan->before, name), "options", now);
	return r;
}

/* -1: not known, else whether it is enabled. */
static int enabled_read(struct hf_module_context *c, const struct plan *plan, const char *name, int *ret,
	struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), plan->program, "list", name, NULL);
	struct hf_proc_result ran;
	struct hf_str line = HF_STR(""), word;
	int r = snap(c, &w, &ran, err);
	if (r < 0)
		return r;
	*ret = -1;
	if (ran.status != 0)
		return 0;
	struct hf_str out = ran.out;
	for (int i = 0; i < 2 && out.n > 0; i++)
		(void)hf_str_split(&out, '\n', &line);
	struct hf_str notes = column(line, NOTES_COLUMN);
	if (notes.n == 0)
		return hf_fail(err, HF_E_TASK, "Unable to parse 'snap list %s' output:\n%.*s", name,
			HF_STR_ARG(ran.out));
	*ret = 1;
	while (notes.n > 0 && hf_str_split(&notes, ',', &word))
		if (hf_str_equal(word, HF_STR("disabled")))
			*ret = 0;
	return 0;
}

static int plan_others(struct hf_module_context *c, const struct params *p, struct plan *plan,
	const struct hf_value *installed, struct hf_error *err)
{
	int r = 0, enabled = -1;
	for (size_t i = 0; r == 0 && i < hf_list_len(p->name); i++) {
		const char *name = hf_list_at(p->name, i)->u.string.p;
		if (p->state != ABSENT)
			r = enabled_read(c, plan, name, &enabled, err);
		bool wanted = p->state == ABSENT    ? hf_dict_get(installed, name) != NULL
			      : p->state == ENABLED ? enabled != 1
						    : enabled == 1;
		if (r == 0 && wanted)
			hf_list_append(plan->others, hf_list_at(p->name, i));
	}
	return r;
}

static void channel_report(
	struct hf_module_context *c, const struct params *p, struct hf_change *change, const char *unset)
{
	const char *channel = p->channel == NULL ? unset : p->channel;
	struct hf_arena *a = hf_task_arena(c);
	hf_result_put(c, change, "channel", channel == NULL ? hf_value_null(a) : hf_value_cstr(a, channel));
}

static int plan_present(struct hf_module_context *c, const struct params *p, struct plan *plan,
	struct hf_change *change, const struct hf_value *installed, struct hf_error *err)
{
	struct hf_value *names = NULL;
	int r = names_read(c, p, plan, &names, err);
	if (r < 0)
		return r;
	hf_result_put(c, change, "snap_names", names);
	hf_result_bool(c, change, "classic", p->classic == HF_YES);
	channel_report(c, p, change, NULL);
	for (size_t i = 0; r == 0 && i < hf_list_len(p->name); i++) {
		const char *name = hf_list_at(names, i)->u.string.p;
		enum status status = status_of(hf_task_arena(c), p, installed, name);
		if (status == MISSING)
			hf_list_append(plan->install, hf_list_at(p->name, i));
		else if (status == OTHER_CHANNEL)
			hf_list_append(plan->refresh, hf_list_at(p->name, i));
		if (status != MISSING && p->options != NULL)
			r = options_plan(c, p, plan, hf_list_at(p->name, i)->u.string.p, err);
	}
	return r;
}

static void before_note(
	struct hf_arena *a, const struct params *p, struct plan *plan, const struct hf_value *installed)
{
	plan->before = hf_value_dict(a);
	for (size_t i = 0; i < hf_list_len(p->name); i++) {
		const char *name = hf_list_at(p->name, i)->u.string.p;
		struct hf_value *one = hf_value_dict(a);
		if (hf_dict_get(installed, name) == NULL)
			continue;
		hf_dict_put(one, "channel", hf_dict_get(installed, name));
		hf_dict_put(plan->before, name, one);
	}
}

/* What a task that ends well says besides. */
static void report(struct hf_module_context *c, const struct params *p, const struct plan *plan,
	struct hf_change *change)
{
	struct hf_arena *a = hf_task_arena(c);
	if (p->state == PRESENT)
		channel_report(c, p, change, "stable");
	if (plan->settings.n == 0)
		return;
	struct hf_value *shown = hf_value_list(a);
	for (size_t i = 0; i < plan->settings.n; i++)
		hf_list_append(shown, hf_value_cstr(a, plan->settings.at[i].shown));
	hf_result_put(c, change, "options_changed", shown);
}

static void names_report(struct hf_module_context *c, const struct params *p, const struct plan *plan,
	struct hf_change *change)
{
	static const char *const keys[] = { "snaps_removed", "snaps_installed", "snaps_enabled",
		"snaps_disabled" };
	struct hf_value *const lists[] = { plan->install, plan->refresh, plan->others };
	for (size_t i = 0; i < HF_COUNT(lists); i++)
		if (hf_list_len(lists[i]) > 0) {
			hf_result_put(c, change, keys[p->state], lists[i]);
			return;
		}
}

static int snap_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct plan *plan = change->state = hf_new(a, struct plan);
	struct hf_value *installed = NULL;
	plan->install = hf_value_list(a);
	plan->refresh = hf_value_list(a);
	plan->others = hf_value_list(a);
	int r = hf_host_program(c, "snap", &plan->program, err);
	if (r == 0)
		r = installed_read(c, plan, change, &installed, err);
	if (r < 0)
		return r;
	before_note(a, p, plan, installed);
	r = p->state == PRESENT ? plan_present(c, p, plan, change, installed, err)
				: plan_others(c, p, plan, installed, err);
	if (r < 0)
		return r;
	change->changed = hf_list_len(plan->install) + hf_list_len(plan->refresh) +
				  hf_list_len(plan->others) + plan->settings.n >
			  0;
	names_report(c, p, plan, change);
	if (!change->changed || hf_task_check_mode(c))
		report(c, p, plan, change);
	return 0;
}

static void channel_words(struct hf_words *w, const char *channel)
{
	if (channel == NULL || strcmp(channel, "stable") == 0)
		return;
	hf_words_add(w, "--channel");
	hf_words_add(w, channel);
}

/* One call for these names. verb first for installing, last for the rest, as Ansible builds it. */
static struct hf_words call_words(
	struct hf_arena *a, const struct params *p, const struct plan *plan, const char *verb)
{
	struct hf_words w = hf_words(a, plan->program, NULL);
	if (p->state == PRESENT)
		hf_words_add(&w, verb);
	if (p->classic == HF_YES)
		hf_words_add(&w, "--classic");
	channel_words(&w, p->channel);
	if (p->state == PRESENT && p->dangerous == HF_YES)
		hf_words_add(&w, "--dangerous");
	if (p->state != PRESENT)
		hf_words_add(&w, verb);
	return w;
}

/* Ansible's `cmd` of this module: the names of the parts of the command, as Python prints a list. */
static const char *shown_command(
	struct hf_arena *a, const struct params *p, const struct hf_value *names, bool each)
{
	const char *text = "";
	for (size_t i = 0; i < (each ? hf_list_len(names) : 1); i++) {
		struct hf_value *one =
			p->state == PRESENT
				? hf_text_list(a, "state", "classic", "channel", "dangerous", NULL)
				: hf_text_list(a, "classic", "channel", "state", NULL);
		for (size_t k = each ? i : 0; k < (each ? i + 1 : hf_list_len(names)); k++)
			hf_list_append(one, hf_list_at(names, k));
		text = hf_sprintf(a, "%s%s%s", text, i > 0 ? "; " : "", hf_value_text(a, one).p);
	}
	return text;
}

static int call_failed(struct hf_module_context *c, const struct params *p, struct hf_change *change,
	struct hf_str said, struct hf_error *err)
{
	static const char start[] = "error: This revision of snap \"";
	const char *cmd = hf_dict_cstr(change->result, "cmd", "");
	(void)c;
	if (p->state != PRESENT)
		return hf_fail(err, HF_E_TASK,
			"Ooops! Snap operation failed while executing '%s', please examine logs and error "
			"output for more details.",
			cmd);
	const char *name = said.p + sizeof(start) - 1, *quote = NULL;
	if (hf_str_starts(said, start))
		quote = strchr(name, '"');
	if (quote != NULL && strncmp(quote, "\" was published using classic confinement", 41) == 0)
		return hf_fail(err, HF_E_TASK,
			"Couldn't install %.*s because it requires classic confinement", (int)(quote - name),
			name);
	return hf_fail(err, HF_E_TASK,
		"Ooops! Snap installation failed while executing '%s', please examine logs and error output "
		"for "
		"more details.",
		cmd);
}

/* These names alone, or each of them in a call of its own. */
static bool one_by_one(const struct params *p, const struct hf_value *names)
{
	return p->state == PRESENT && hf_list_len(names) > 1 &&
	       (p->classic == HF_YES || p->channel == NULL || strcmp(p->channel, "stable") != 0);
}

static int names_do(struct hf_module_context *c, const struct params *p, struct hf_change *change,
	const struct hf_value *names, const char *verb, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	size_t n = hf_list_len(names), step = one_by_one(p, names) ? 1 : n;
	struct hf_str failed = HF_STR("");
	bool good = true;
	int r = 0;
	if (n > 0)
		hf_result_cstr(c, change, "cmd", shown_command(a, p, names, one_by_one(p, names)));
	for (size_t i = 0; r == 0 && i < n; i += step) {
		struct hf_words w = call_words(a, p, change->state, verb);
		struct hf_proc_result ran;
		for (size_t k = i; k < i + step; k++)
			hf_words_add(&w, hf_list_at(names, k)->u.string.p);
		r = snap(c, &w, &ran, err);
		if (r == 0 && ran.status != 0 && good) {
			good = false;
			failed = hf_str_trim(ran.err);
		}
	}
	return r == 0 && !good ? call_failed(c, p, change, failed, err) : r;
}

static int options_apply(struct hf_module_context *c, const struct plan *plan, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	int r = 0;
	for (size_t i = 0; r == 0 && i < plan->settings.n;) {
		const char *name = plan->settings.at[i].snap;
		struct hf_words w = hf_words(a, plan->program, "set", name, NULL);
		struct hf_words changed = { .arena = a };
		struct hf_proc_result ran;
		for (; i < plan->settings.n && hf_same(plan->settings.at[i].snap, name); i++) {
			hf_words_add(&w, plan->settings.at[i].word);
			hf_words_add(&changed, plan->settings.at[i].word);
		}
		r = snap(c, &w, &ran, err);
		if (r == 0 && ran.status != 0 &&
			hf_str_find(ran.err, HF_STR("has no \"configure\" hook"), 0) != SIZE_MAX)
			return hf_fail(
				err, HF_E_TASK, "Snap '%s' does not have any configurable options", name);
		if (r == 0 && ran.status != 0)
			return hf_fail(err, HF_E_TASK, "Cannot set options '%s' for snap '%s': error=%.*s",
				hf_words_line(&changed), name, HF_STR_ARG(ran.err));
	}
	return r;
}

static int snap_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	static const char *const verbs[] = { "remove", "install", "enable", "disable" };
	const struct params *p = params;
	const struct plan *plan = change->state;
	int r = names_do(c, p, change, plan->refresh, "refresh", err);
	if (r == 0)
		r = names_do(c, p, change, plan->install, "install", err);
	if (r == 0)
		r = names_do(c, p, change, plan->others, verbs[p->state], err);
	if (r == 0)
		r = options_apply(c, plan, err);
	change->changed = r == 0;
	if (r == 0)
		report(c, p, plan, change);
	return r;
}

static int snap_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct plan *plan = change->state;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, "snap"), *wanted = hf_value_list(a);
	(void)err;
	for (size_t i = 0; i < plan->settings.n; i++)
		hf_list_append(
			wanted, hf_text_list(a, plan->settings.at[i].snap, plan->settings.at[i].word, NULL));
	hf_dict_put(step, "state", hf_value_cstr(a, states[p->state]));
	hf_dict_put(step, "changed", p->state == PRESENT ? plan->install : plan->others);
	hf_dict_put(step, "refreshed", plan->refresh);
	hf_dict_put(step, "set", wanted);
	hf_dict_put(step, "before", plan->before);
	hf_dict_put(step, "classic", hf_value_bool(a, p->classic == HF_YES));
	hf_undo_step(undo, step);
	return 0;
}

static int back(struct hf_module_context *c, const char *verb, const char *name, const char *channel,
	bool classic, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "snap", verb, NULL);
	if (classic)
		hf_words_add(&w, "--classic");
	channel_words(&w, channel);
	hf_words_add(&w, name);
	return hf_host_output(c, &w, NULL, err);
}

static int options_back(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const struct hf_value *set = hf_dict_get(step, "set");
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(set); i++) {
		const char *name = hf_list_at(hf_list_at(set, i), 0)->u.string.p;
		const char *word = hf_list_at(hf_list_at(set, i), 1)->u.string.p;
		const char *key = hf_strndup(a, word, strcspn(word, "="));
		const struct hf_value *was = hf_dict_get(hf_dict_get(step, "before"), name);
		const struct hf_value *options = was == NULL ? NULL : hf_dict_get(was, "options");
		const char *value = options == NULL ? NULL : hf_dict_cstr(options, key, NULL);
		struct hf_words w = value == NULL ? hf_words(a, "snap", "unset", name, key, NULL)
						  : hf_words(a, "snap", "set", name,
							    hf_sprintf(a, "%s=%s", key, value), NULL);
		r = hf_host_output(c, &w, NULL, err);
	}
	return r;
}

static int snap_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	static const struct {
		const char *state, *verb;
	} opposites[] = { { "present", "remove" }, { "absent", "install" }, { "enabled", "disable" },
		{ "disabled", "enable" } };
	const struct hf_value *changed = hf_dict_get(step, "changed"),
			      *refreshed = hf_dict_get(step, "refreshed"),
			      *before = hf_dict_get(step, "before");
	const char *verb = "";
	for (size_t i = 0; i < HF_COUNT(opposites); i++)
		if (strcmp(opposites[i].state, hf_step_text(step, "state")) == 0)
			verb = opposites[i].verb;
	bool install = strcmp(verb, "install") == 0,
	     classic = install && hf_dict_bool(step, "classic", false);
	struct hf_change scratch = { .result = hf_value_dict(hf_task_arena(c)) };
	struct hf_value *now = NULL;
	int r = options_back(c, step, err);
	if (r == 0)
		r = installed_read(c, &(struct plan){ .program = "snap" }, &scratch, &now, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(changed); i++) {
		const char *name = hf_list_at(changed, i)->u.string.p;
		const struct hf_value *was = hf_dict_get(before, name);
		if (install == (hf_dict_get(now, name) != NULL))
			continue; /* as it was already: the task failed before it came to this one */
		r = back(c, verb, name, install && was != NULL ? hf_dict_cstr(was, "channel", NULL) : NULL,
			classic, err);
	}
	for (size_t i = 0; r == 0 && i < hf_list_len(refreshed); i++) {
		const char *name = hf_list_at(refreshed, i)->u.string.p;
		r = back(c, "refresh", name, hf_dict_cstr(hf_dict_get(before, name), "channel", NULL), false,
			err);
	}
	return r;
}

static void snap_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	for (size_t i = 0; i < hf_list_len(p->name); i++) {
		const char *name = hf_list_at(p->name, i)->u.string.p;
		if (strchr(name, '/') == NULL)
			hf_watch_path(w, hf_sprintf(hf_task_arena(c), "/snap/%s/current", name));
	}
	hf_watch_poll(w, 600);
}

const struct hf_module hf_module_snap = {
	.name = "snap",
	.collection = "community.general",
	.schema = { args, NULL, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = snap_check,
	.apply = snap_apply,
	.undo = snap_undo,
	.restore = snap_restore,
	.watch = snap_watch,
};
