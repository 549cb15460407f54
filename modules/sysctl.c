/* modules/sysctl.c - kernel settings: the line in a sysctl file, and the running value. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/scope.h"
#include "modules/host.h"

static const char *const states[] = { "present", "absent", NULL };
struct params {
	const char *name, *value, *state, *sysctl_file;
	int reload, sysctl_set, ignoreerrors;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED, .aliases = ALIASES("key") },
	{ "value", HF_ARG_STR, AT(value), .aliases = ALIASES("val") },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states },
	{ "reload", HF_ARG_BOOL, AT(reload), .dflt = "yes",
		.help = "make the kernel read the file (sysctl -p)" },
	{ "sysctl_set", HF_ARG_BOOL, AT(sysctl_set), .dflt = "no", .help = "set the running value as well" },
	{ "ignoreerrors", HF_ARG_BOOL, AT(ignoreerrors), .dflt = "no" },
	{ "sysctl_file", HF_ARG_PATH, AT(sysctl_file), .dflt = "/etc/sysctl.conf" },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_IF, ALIASES("value"), .when = "state", .equals = "present" },
	{ HF_RULE_END },
};

struct state {
	struct hf_edit file;
	const char *name;    /* without blanks around it */
	const char *running; /* NULL: the kernel has no such key */
	bool set;
};

/* net.ipv4.conf.eth0/1.forwarding: '/' and '.' change places. */
static const char *key_path(struct hf_arena *a, const char *key)
{
	char *path = hf_sprintf(a, "/proc/sys/%s", key);
	for (char *p = path + strlen("/proc/sys/"); *p != '\0'; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return path;
}

static const char *running_value(struct hf_arena *a, const char *key)
{
	struct hf_str text;
	if (hf_fs_read(a, key_path(a, key), HF_EDIT_MAX, &text, NULL) < 0)
		return NULL;
	return hf_str_dup(a, hf_str_trim(text));
}

/* Words compared one by one: the kernel separates with tabs. */
static bool values_equal(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, " \t\n");
		b += strspn(b, " \t\n");
		size_t n = strcspn(a, " \t\n"), k = strcspn(b, " \t\n");
		if (n != k || strncmp(a, b, n) != 0)
			return false;
		if (n == 0)
			return true;
		a += n;
		b += k;
	}
}

static const char *value_wanted(struct hf_arena *a, const char *value)
{
	static const char *const yes[] = { "y", "yes", "on", "1", "true", "t", NULL };
	static const char *const no[] = { "n", "no", "off", "0", "false", "f", NULL };
	const char *text = hf_str_dup(a, hf_str_trim(hf_str(value)));
	for (size_t i = 0; yes[i] != NULL; i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return "1";
		if (strcasecmp(text, no[i]) == 0)
			return "0";
	}
	return text;
}

/* The file as it shall be; *ret_value: what it says of the key now. Repeated keys are dropped after their
 * first line. */
static void file_plan(struct hf_module_context *c, const char *name, const char *value, struct hf_edit *file,
	const char **ret_value)
{
	struct hf_arena *a = hf_task_arena(c);
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	struct hf_value *seen = hf_value_dict(a);
	struct hf_str rest = file->before, raw;
	while (rest.n > 0 && hf_str_split(&rest, '\n', &raw)) {
		struct hf_str line = hf_str_trim(raw);
		const char *equals =
			line.n == 0 || strchr("#;", line.p[0]) != NULL ? NULL : memchr(line.p, '=', line.n);
		if (equals == NULL) {
			hf_buf_printf(&out, "%.*s\n", HF_STR_ARG(line));
			continue;
		}
		const char *key = hf_str_dup(a, hf_str_trim(hf_strn(line.p, (size_t)(equals - line.p))));
		struct hf_str kept = hf_str_trim(hf_strn(equals + 1, line.n - (size_t)(equals - line.p) - 1));
		bool mine = strcmp(key, name) == 0, again = hf_dict_get(seen, key) != NULL;
		hf_dict_put(seen, key, hf_value_bool(a, true));
		if (mine)
			*ret_value = hf_str_dup(a, kept);
		if (!again && mine && value != NULL)
			hf_buf_printf(&out, "%s=%s\n", key, value);
		else if (!again && !mine)
			hf_buf_printf(&out, "%s=%.*s\n", key, HF_STR_ARG(kept));
	}
	if (value != NULL && hf_dict_get(seen, name) == NULL)
		hf_buf_printf(&out, "%s=%s\n", name, value);
	hf_edit_set(c, file, &out);
}

static int blank_check(const struct params *p, bool present, struct hf_error *err)
{
	if (p->name[0] == '\0')
		return hf_fail(err, HF_E_TASK, "name cannot be blank");
	if (present && p->value[0] == '\0')
		return hf_fail(err, HF_E_TASK, "value cannot be blank");
	return 0;
}

static int sysctl_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	const char *kept = NULL;
	change->state = s;
	bool present = strcmp(p->state, "present") == 0;
	int r = blank_check(p, present, err);
	if (r == 0)
		r = hf_edit_open_text(c, p->sysctl_file, 0644, &s->file, err);
	if (r < 0)
		return r;
	const char *value = present ? value_wanted(a, p->value) : NULL;
	s->name = hf_str_dup(a, hf_str_trim(hf_str(p->name)));
	file_plan(c, s->name, value, &s->file, &kept);
	bool rewrite = present ? kept == NULL || strcmp(kept, value) != 0 : !hf_same(kept, "");
	if (!rewrite)
		s->file.after = s->file.before;
	s->running = running_value(a, s->name);
	bool off = present && (s->running == NULL || !values_equal(s->running, value));
	s->set = off && p->sysctl_set == HF_YES;
	change->changed = rewrite || s->set || (off && p->reload == HF_YES);
	hf_edit_describe(c, change, &s->file);
	return 0;
}

static int run_sysctl(struct hf_module_context *c, const struct params *p, struct hf_words *w,
	const char *what, struct hf_error *err)
{
	struct hf_proc_result ran;
	if (p->ignoreerrors == HF_YES)
		hf_words_add(w, "-e");
	int r = hf_host_run(c, w, (const char *const[]){ "LC_ALL=C", NULL }, &ran, err);
	if (r < 0)
		return r;
	bool refused = hf_str_find(ran.err, HF_STR("Invalid argument"), 0) != SIZE_MAX ||
		       hf_str_find(ran.err, HF_STR("Read-only file system"), 0) != SIZE_MAX;
	if (ran.status != 0 || (refused && p->ignoreerrors != HF_YES))
		return hf_fail(
			err, HF_E_TASK, "%s: %.*s%.*s", what, HF_STR_ARG(ran.out), HF_STR_ARG(ran.err));
	return 0;
}

static int sysctl_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	struct hf_arena *a = hf_task_arena(c);
	int r = 0;
	if (s->set) {
		struct hf_words w = hf_words(a, "sysctl", NULL);
		hf_words_add(&w, "-w");
		hf_words_addf(&w, "%s=%s", s->name, value_wanted(a, p->value));
		r = run_sysctl(c, p, &w, hf_sprintf(a, "setting %s failed", s->name), err);
	}
	if (r == 0)
		r = hf_edit_write(&s->file, err);
	if (r == 0 && p->reload == HF_YES) {
		struct hf_words w = hf_words(a, "sysctl", "-p", p->sysctl_file, NULL);
		r = run_sysctl(c, p, &w, "Failed to reload sysctl", err);
	}
	return r;
}

static int sysctl_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	struct hf_arena *a = hf_task_arena(c);
	(void)params;
	if (s->running != NULL) {
		struct hf_value *step = hf_step(c, "sysctl");
		hf_dict_put(step, "name", hf_value_cstr(a, s->name));
		hf_dict_put(step, "value", hf_value_cstr(a, s->running));
		hf_undo_step(undo, step);
	}
	return hf_edit_undo(undo, &s->file, err);
}

static int sysctl_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *name = hf_step_text(step, "name"), *value = hf_step_text(step, "value");
	const char *now = running_value(a, name);
	if (now == NULL || values_equal(now, value))
		return 0;
	struct hf_words w = hf_words(a, "sysctl", "-q", "-w", hf_sprintf(a, "%s=%s", name, value), NULL);
	return hf_host_output(c, &w, NULL, err);
}

static void sysctl_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	hf_watch_path(w, p->sysctl_file);
	hf_watch_sysctl(w, hf_str_dup(hf_task_arena(c), hf_str_trim(hf_str(p->name))));
}

const struct hf_module hf_module_sysctl = {
	.name = "sysctl",
	.collection = "ansible.posix",
	.schema = { args, rules, sizeof(struct params) },
	.check = sysctl_check,
	.apply = sysctl_apply,
	.undo = sysctl_undo,
	.restore = sysctl_restore,
	.watch = sysctl_watch,
};
