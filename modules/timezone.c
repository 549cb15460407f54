/* modules/timezone.c - the time zone (/etc/localtime, /etc/timezone) and what the hardware clock keeps. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "modules/host.h"

static const char *const clocks[] = { "local", "UTC", NULL };
struct params {
	const char *name, *hwclock;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, offsetof(struct params, name) },
	{ "hwclock", HF_ARG_STR, offsetof(struct params, hwclock), .choices = clocks,
		.aliases = ALIASES("rtc") },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_ONE_OF, ALIASES("hwclock", "name") },
	{ HF_RULE_END },
};
#define ZONES "/usr/share/zoneinfo/"

struct state {
	const char *zone; /* now */
	bool set_zone;
	struct hf_edit name, adjtime;
};

/* What /etc/localtime points to below the zone folder; else what /etc/timezone says; else UTC. */
static const char *zone_now(struct hf_module_context *c)
{
	struct hf_arena *a = hf_task_arena(c);
	char target[PATH_MAX];
	struct hf_str text;
	ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		const char *mark = strstr(target, "zoneinfo/");
		if (mark != NULL)
			return hf_strdup(a, mark + strlen("zoneinfo/"));
	}
	if (hf_fs_read(a, "/etc/timezone", HF_EDIT_MAX, &text, NULL) == 0 && text.n > 0)
		return hf_str_dup(a, hf_str_trim(text));
	return hf_fs_exists("/etc/localtime") ? "n/a" : "Etc/UTC";
}

/* The third line of adjtime is UTC or LOCAL. */
static int clock_plan(
	struct hf_module_context *c, const struct params *p, struct state *s, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	int r = hf_edit_open(c, "/etc/adjtime", 0644, &s->adjtime, err);
	if (r < 0)
		return r;
	struct hf_str rest = s->adjtime.before, line[3] = { HF_STR("0.0 0 0.0"), HF_STR("0"), HF_STR("UTC") };
	for (size_t i = 0; s->adjtime.existed && i < HF_COUNT(line); i++)
		if (!hf_str_split(&rest, '\n', &line[i]))
			break;
	const char *want = strcmp(p->hwclock, "local") == 0 ? "LOCAL" : "UTC";
	if (!hf_str_is(line[2], want))
		s->adjtime.after = hf_str(
			hf_sprintf(a, "%.*s\n%.*s\n%s\n", HF_STR_ARG(line[0]), HF_STR_ARG(line[1]), want));
	return 0;
}

static int timezone_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	change->state = s;
	s->zone = zone_now(c);
	if (p->name != NULL) {
		if (!hf_fs_exists(hf_sprintf(a, ZONES "%s", p->name)))
			return hf_fail(err, HF_E_TASK,
				"Error message:\ngiven timezone \"%s\" is not available", p->name);
		int r = hf_edit_open(c, "/etc/timezone", 0644, &s->name, err);
		if (r < 0)
			return r;
		s->set_zone = strcmp(s->zone, p->name) != 0;
		if (s->name.existed && !hf_str_is(hf_str_trim(s->name.before), p->name))
			s->name.after = hf_str(hf_sprintf(a, "%s\n", p->name));
		change->changed = s->set_zone || hf_edit_changed(&s->name);
		struct hf_value *before = hf_value_dict(a), *after = hf_value_dict(a);
		hf_dict_put(before, "name", hf_value_cstr(a, s->zone));
		hf_dict_put(after, "name", hf_value_cstr(a, p->name));
		if (change->changed)
			hf_change_diff_values(c, change, before, after);
	}
	int r = p->hwclock == NULL ? 0 : clock_plan(c, p, s, err);
	if (r == 0 && p->hwclock != NULL)
		hf_edit_describe(c, change, &s->adjtime);
	return r;
}

static int zone_link(struct hf_module_context *c, const char *zone, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	const char *temporary = hf_sprintf(a, "/etc/.localtime.%d", (int)getpid());
	if ((unlink(temporary) < 0 && errno != ENOENT) ||
		symlink(hf_sprintf(a, ".." ZONES "%s", zone), temporary) < 0 ||
		rename(temporary, "/etc/localtime") < 0)
		return hf_fail_errno(err, HF_E_IO, "set /etc/localtime");
	return 0;
}

static int timezone_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	int r = s->set_zone ? zone_link(c, p->name, err) : 0;
	if (r == 0 && s->name.path != NULL)
		r = hf_edit_write(&s->name, err);
	if (r == 0 && s->adjtime.path != NULL)
		r = hf_edit_write(&s->adjtime, err);
	return r;
}

static int timezone_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct state *s = change->state;
	(void)c;
	(void)params;
	int r = s->set_zone ? hf_undo_file(undo, "/etc/localtime", err) : 0;
	if (r == 0 && s->name.path != NULL)
		r = hf_edit_undo(undo, &s->name, err);
	if (r == 0 && s->adjtime.path != NULL)
		r = hf_edit_undo(undo, &s->adjtime, err);
	return r;
}

static void timezone_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_path(w, "/etc/localtime");
	hf_watch_path(w, "/etc/timezone");
	hf_watch_path(w, "/etc/adjtime");
}

const struct hf_module hf_module_timezone = {
	.name = "timezone",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.check = timezone_check,
	.apply = timezone_apply,
	.undo = timezone_undo,
	.watch = timezone_watch,
};
