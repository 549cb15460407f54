/* modules/at.c - commands that run once, later: jobs of at(1). */
#include <stdlib.h>
#include <time.h>

#include "lib/base/scope.h"
#include "modules/host.h"

enum { JOBS_MAX = 10000 };

static const char *const states[] = { "absent", "present", NULL };
static const char *const units[] = { "minutes", "hours", "days", "weeks", NULL };
struct params {
	const char *command, *script_file, *units, *state;
	enum hf_tristate unique;
	int64_t count;
};
#define AT(field)  offsetof(struct params, field)
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_arg args[] = {
	{ "command", HF_ARG_STR, AT(command), .help = "What to run." },
	{ "script_file", HF_ARG_STR, AT(script_file), .help = "A script of this host to run." },
	{ "count", HF_ARG_INT, AT(count), .dflt = "0", .help = "How many units from now." },
	{ "units", HF_ARG_STR, AT(units), .choices = units, .help = "Unit of count." },
	{ "state", HF_ARG_STR, AT(state), .dflt = "present", .choices = states,
		.help = "absent removes every job that holds this text." },
	{ "unique", HF_ARG_BOOL, AT(unique), .dflt = "false",
		.help = "Add no second job; without it every run adds one." },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_EXCLUSIVE, NAMES("command", "script_file") },
	{ HF_RULE_ONE_OF, NAMES("command", "script_file") },
	{ HF_RULE_END },
};

struct work {
	struct hf_str script;
	struct hf_value *all, *mine; /* numbers of jobs before */
};

/* "12\tSat Nov 21 10:00:00 2026 a root" */
static int jobs_list(struct hf_module_context *c, struct hf_value *ret, struct hf_error *err)
{
	struct hf_words words = hf_words(hf_task_arena(c), "atq", NULL);
	struct hf_str out, line, number;
	int r = hf_host_output(c, &words, &out, err);
	for (int i = 0; r == 0 && i < JOBS_MAX && out.n > 0 && hf_str_split(&out, '\n', &line); i++)
		if (hf_str_split(&line, '\t', &number) && number.n > 0)
			hf_list_append(ret, hf_value_str(hf_task_arena(c), hf_str_trim(number)));
	return r;
}

static int job_text(struct hf_module_context *c, const char *job, struct hf_str *ret, struct hf_error *err)
{
	struct hf_words words = hf_words(hf_task_arena(c), "at", "-c", job, NULL);
	return hf_host_output(c, &words, ret, err);
}

static int jobs_find(struct hf_module_context *c, struct work *w, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	w->all = hf_value_list(a);
	w->mine = hf_value_list(a);
	int r = jobs_list(c, w->all, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(w->all); i++) {
		struct hf_str text;
		r = job_text(c, hf_list_at(w->all, i)->u.string.p, &text, err);
		if (r == 0 && hf_str_find(text, hf_str_trim(w->script), 0) != SIZE_MAX)
			hf_list_append(w->mine, hf_list_at(w->all, i));
	}
	return r;
}

static int at_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct work *w = hf_new(a, struct work);
	bool absent = strcmp(p->state, "absent") == 0;
	change->state = w;
	if (hf_proc_which(a, "at") == NULL)
		return hf_fail(err, HF_E_TASK, "Failed to find required executable \"at\"");
	if (!absent && (p->count == 0 || p->units == NULL))
		return hf_fail(err, HF_E_TASK, "present state requires count and units");
	w->script = hf_str(p->command == NULL ? "" : hf_sprintf(a, "%s\n", p->command));
	int r = p->command != NULL ? 0 : hf_fs_read(a, p->script_file, HF_EDIT_MAX, &w->script, err);
	if (r == 0)
		r = jobs_find(c, w, err);
	if (r < 0)
		return r;
	change->changed =
		absent ? hf_list_len(w->mine) > 0 : p->unique != HF_YES || hf_list_len(w->mine) == 0;
	hf_result_cstr(c, change, "state", p->state);
	if (!absent && change->changed) {
		if (p->script_file != NULL)
			hf_result_cstr(c, change, "script_file", p->script_file);
		hf_result_int(c, change, "count", p->count);
		hf_result_cstr(c, change, "units", p->units);
	}
	return 0;
}

static int run(
	struct hf_module_context *c, const struct hf_words *words, struct hf_str input, struct hf_error *err)
{
	struct hf_proc_spec spec = { .argv = words->at, .input = input, .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result ran;
	int r = hf_task_run(c, &spec, &ran, err);
	if (r == 0 && ran.status != 0)
		r = hf_fail(err, HF_E_TASK, "'%s' failed (rc %d): %.*s", hf_words_line(words), ran.status,
			HF_STR_ARG(hf_str_trim(ran.err)));
	return r;
}

static int jobs_remove(struct hf_module_context *c, const struct hf_value *jobs, struct hf_error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < hf_list_len(jobs); i++) {
		struct hf_words words =
			hf_words(hf_task_arena(c), "atrm", hf_list_at(jobs, i)->u.string.p, NULL);
		r = hf_host_output(c, &words, NULL, err);
	}
	return r;
}

static int at_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct work *w = change->state;
	if (strcmp(p->state, "absent") == 0)
		return jobs_remove(c, w->mine, err);
	struct hf_words words = hf_words(hf_task_arena(c), "at", "now", "+", NULL);
	hf_words_addf(&words, "%lld", (long long)p->count);
	hf_words_add(&words, p->units);
	return run(c, &words, w->script, err);
}

/* When a job is due, as at -t takes it. */
static const char *job_time(struct hf_module_context *c, const char *job)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words words = hf_words(a, "atq", NULL);
	struct hf_str out, line, number;
	struct hf_error err;
	if (hf_host_output(c, &words, &out, &err) < 0)
		return NULL;
	for (int i = 0; i < JOBS_MAX && out.n > 0 && hf_str_split(&out, '\n', &line); i++) {
		struct tm tm = { 0 };
		if (!hf_str_split(&line, '\t', &number) || !hf_str_is(number, job) ||
			strptime(hf_str_dup(a, line), "%a %b %d %H:%M:%S %Y", &tm) == NULL)
			continue;
		return hf_sprintf(a, "%04d%02d%02d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
			tm.tm_hour, tm.tm_min);
	}
	return NULL;
}

/* A job that is added goes; one that is removed is given to at again, for the same minute. */
static int at_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct work *w = change->state;
	struct hf_arena *a = hf_task_arena(c);
	if (strcmp(p->state, "present") == 0) {
		struct hf_value *step = hf_step(c, "added");
		hf_dict_put(step, "before", w->all);
		hf_dict_put(step, "script", hf_value_str(a, w->script));
		hf_undo_step(undo, step);
		return 0;
	}
	for (size_t i = 0; i < hf_list_len(w->mine); i++) {
		struct hf_value *step = hf_step(c, "removed");
		const char *job = hf_list_at(w->mine, i)->u.string.p, *when = job_time(c, job);
		struct hf_str text;
		int r = job_text(c, job, &text, err);
		if (r < 0)
			return r;
		hf_dict_put(step, "text", hf_value_str(a, text));
		hf_dict_put(step, "when", hf_value_cstr(a, when == NULL ? "" : when));
		hf_undo_step(undo, step);
	}
	return 0;
}

static int at_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	if (strcmp(hf_step_text(step, "what"), "removed") == 0) {
		struct hf_words words = hf_words(a, "at", "-t", hf_step_text(step, "when"), NULL);
		return run(c, &words, hf_str(hf_step_text(step, "text")), err);
	}
	struct work w = { .script = hf_str(hf_step_text(step, "script")) };
	struct hf_value *added = hf_value_list(a);
	int r = jobs_find(c, &w, err);
	for (size_t i = 0; r == 0 && i < hf_list_len(w.mine); i++)
		if (!hf_list_has(hf_dict_get(step, "before"), hf_list_at(w.mine, i)->u.string.p))
			hf_list_append(added, hf_list_at(w.mine, i));
	return r < 0 ? r : jobs_remove(c, added, err);
}

static void at_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	/* A job that was added goes when it has run: nobody misses it. */
	if (strcmp(((const struct params *)params)->state, "absent") == 0)
		hf_watch_path(w, "/var/spool/cron/atjobs");
}

const struct hf_module hf_module_at = {
	.name = "at",
	.collection = "ansible.posix",
	.schema = { args, rules, sizeof(struct params) },
	.flags = HF_MODULE_NO_DIFF,
	.check = at_check,
	.apply = at_apply,
	.undo = at_undo,
	.restore = at_restore,
	.watch = at_watch,
};
