/* modules/timezone.c - the time zone (/etc/localtime, /etc/timezone) and what the hardware clock keeps. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "modules/host.h"
#include "modules/systemd_bus.h"

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

static bool is_zone(struct hf_arena *a, const char *name)
{
	const char *path = hf_sprintf(a, ZONES "%s", name);
	return hf_fs_exists(path) && !hf_fs_is_dir(path);
}

struct state {
	const char *timedatectl;  /* NULL: the files themselves are changed */
	const char *zone, *clock; /* now */
	bool set_zone, set_clock;
	struct hf_edit name, adjtime;
};

/* Where systemd runs its own tool decides, as in Ansible's module: the link alone is the zone. */
static const char *timedatectl(struct hf_module_context *c)
{
	return hf_systemd_runs() && hf_fs_exists("/run/dbus/system_bus_socket")
		       ? hf_proc_which(hf_task_arena(c), "timedatectl")
		       : NULL;
}

/* As timedated reads /etc/localtime: none is UTC, and what is no link into the zone folder is no zone. */
static const char *linked_zone(struct hf_module_context *c)
{
	struct hf_arena *a = hf_task_arena(c);
	char target[PATH_MAX];
	ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
	if (n < 0)
		return errno == ENOENT ? "UTC" : "n/a";
	target[n] = '\0';
	const char *zone = strncmp(target, "..", 2) == 0 ? target + 2 : target;
	if (strncmp(zone, ZONES, strlen(ZONES)) != 0)
		return "n/a";
	zone += strlen(ZONES);
	return is_zone(a, zone) ? hf_strdup(a, zone) : "n/a";
}

/* What /etc/localtime points to below the zone folder; else what /etc/timezone says; else UTC. */
static const char *zone_of_files(struct hf_module_context *c)
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
	struct hf_str rest = s->adjtime.before, line[3] = { HF_STR("0.0 0 0"), HF_STR("0"), HF_STR("UTC") };
	for (size_t i = 0; s->adjtime.existed && i < HF_COUNT(line); i++)
		if (!hf_str_split(&rest, '\n', &line[i]))
			break;
	const char *want = strcmp(p->hwclock, "local") == 0 ? "LOCAL" : "UTC";
	s->clock = hf_str_is(line[2], "LOCAL") ? "local" : "UTC";
	s->set_clock = strcmp(s->clock, p->hwclock) != 0;
	if (s->set_clock)
		s->adjtime.after = hf_str(
			hf_sprintf(a, "%.*s\n%.*s\n%s\n", HF_STR_ARG(line[0]), HF_STR_ARG(line[1]), want));
	return 0;
}

static int zone_plan(
	struct hf_module_context *c, const struct params *p, struct state *s, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	if (!is_zone(a, p->name))
		return hf_fail(
			err, HF_E_TASK, "Error message:\ngiven timezone \"%s\" is not available", p->name);
	int r = hf_edit_open(c, "/etc/timezone", 0644, &s->name, err);
	if (r < 0)
		return r;
	s->zone = s->timedatectl != NULL ? linked_zone(c) : zone_of_files(c);
	s->set_zone = strcmp(s->zone, p->name) != 0;
	if (s->name.existed && !hf_str_is(hf_str_trim(s->name.before), p->name) &&
		(s->set_zone || s->timedatectl == NULL))
		s->name.after = hf_str(hf_sprintf(a, "%s\n", p->name));
	return 0;
}

static int timezone_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	struct hf_value *before = hf_value_dict(a), *after = hf_value_dict(a);
	change->state = s;
	s->timedatectl = timedatectl(c);
	int r = p->name == NULL ? 0 : zone_plan(c, p, s, err);
	if (r == 0 && p->hwclock != NULL)
		r = clock_plan(c, p, s, err);
	if (r < 0)
		return r;
	if (p->hwclock != NULL) {
		hf_dict_put(before, "hwclock", hf_value_cstr(a, s->clock));
		hf_dict_put(after, "hwclock", hf_value_cstr(a, p->hwclock));
	}
	if (p->name != NULL) {
		hf_dict_put(before, "name", hf_value_cstr(a, s->zone));
		hf_dict_put(after, "name", hf_value_cstr(a, p->name));
	}
	change->changed = s->set_zone || s->set_clock || (p->name != NULL && hf_edit_changed(&s->name));
	if (change->changed)
		hf_change_diff_values(c, change, before, after);
	return 0;
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

/* timedatectl COMMAND VALUE, and a line of msg that says so */
static int told(struct hf_module_context *c, struct hf_change *change, const char *command, const char *value,
	const char **msg, struct hf_error *err)
{
	const struct state *s = change->state;
	struct hf_words w = hf_words(hf_task_arena(c), s->timedatectl, command, value, NULL);
	int r = hf_host_must(c, change, &w, NULL, NULL, NULL, err);
	if (r == 0)
		*msg = hf_sprintf(hf_task_arena(c), "%s%sexecuted `%s`", *msg, **msg == '\0' ? "" : "\n",
			hf_words_line(&w));
	return r;
}

static int through_systemd(
	struct hf_module_context *c, const struct params *p, struct hf_change *change, struct hf_error *err)
{
	const struct state *s = change->state;
	const char *msg = "";
	int r = 0;
	if (s->set_clock)
		r = told(c, change, "set-local-rtc", strcmp(p->hwclock, "local") == 0 ? "yes" : "no", &msg,
			err);
	if (r == 0 && s->set_zone)
		r = told(c, change, "set-timezone", p->name, &msg, err);
	if (r == 0)
		hf_result_cstr(c, change, "msg", msg);
	return r;
}

static int timezone_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	int r = s->timedatectl != NULL && (s->set_zone || s->set_clock) ? through_systemd(c, p, change, err)
									: 0;
	struct state now = { .timedatectl = NULL };
	/* timedated believes for half a minute what it has read once: what it left undone is done here. */
	if (r == 0 && s->set_zone && strcmp(linked_zone(c), p->name) != 0)
		r = zone_link(c, p->name, err);
	if (r == 0 && s->set_clock)
		r = clock_plan(c, p, &now, err);
	if (r == 0 && now.set_clock)
		r = hf_edit_write(&now.adjtime, err);
	if (r == 0 && s->name.path != NULL)
		r = hf_edit_write(&s->name, err);
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
