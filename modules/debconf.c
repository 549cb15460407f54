/* modules/debconf.c - answers to the questions packages ask. */
#include <stdlib.h>
#include <strings.h>

#include "modules/host.h"

static const char *const types[] = { "boolean", "error", "multiselect", "note", "password", "seen", "select",
	"string", "text", "title", NULL };
struct params {
	const char *name, *question, *vtype;
	struct hf_value *value;
	int unseen;
};
#define ALIASES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define AT(field)    offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), .flags = HF_REQUIRED, .aliases = ALIASES("pkg") },
	{ "question", HF_ARG_STR, AT(question), .aliases = ALIASES("selection", "setting") },
	{ "vtype", HF_ARG_STR, AT(vtype), .choices = types },
	{ "value", HF_ARG_RAW, AT(value), .flags = HF_NO_LOG, .aliases = ALIASES("answer") },
	{ "unseen", HF_ARG_BOOL, AT(unseen), .dflt = "no" },
	{ .type = HF_ARG_END },
};
static const struct hf_rule rules[] = {
	{ HF_RULE_TOGETHER, ALIASES("question", "vtype", "value") },
	{ HF_RULE_END },
};

struct state {
	const char *value, *before; /* before NULL: the question was not there */
	struct hf_value *answers;
};

/* "* pkg/question: answer" lines of debconf-show; '*' means seen. */
static int answers_read(
	struct hf_module_context *c, const char *package, struct hf_value **ret, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_words w = hf_words(a, "debconf-show", package, NULL);
	struct hf_value *answers = hf_value_dict(a);
	struct hf_str out, line;
	int r = hf_host_output(c, &w, &out, err);
	while (r == 0 && hf_str_split(&out, '\n', &line)) {
		const char *colon = memchr(line.p, ':', line.n);
		if (colon == NULL)
			continue;
		struct hf_str key = hf_str_trim(hf_strn(line.p, (size_t)(colon - line.p)));
		while (key.n > 0 && (key.p[0] == '*' || key.p[0] == ' '))
			key = hf_strn(key.p + 1, key.n - 1);
		hf_dict_put(answers, hf_str_dup(a, key),
			hf_value_str(
				a, hf_str_trim(hf_strn(colon + 1, line.n - (size_t)(colon - line.p) - 1))));
	}
	*ret = answers;
	return r;
}

static int text_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The answers of a list, in their order or sorted. */
static struct hf_value *answers_list(struct hf_arena *a, const struct hf_value *list, bool sorted)
{
	struct hf_words w = { .arena = a };
	struct hf_value *out = hf_value_list(a);
	for (size_t i = 0; i < hf_list_len(list); i++)
		hf_words_add(&w, hf_value_text(a, hf_list_at(list, i)).p);
	if (sorted && w.n > 0)
		qsort((void *)w.at, w.n, sizeof(*w.at), text_compare);
	for (size_t i = 0; i < w.n; i++)
		hf_list_append(out, hf_value_cstr(a, w.at[i]));
	return out;
}

static const char *value_text(struct hf_arena *a, const struct params *p, bool sorted)
{
	if (hf_is_sequence(p->value)) {
		struct hf_buf out = hf_buf_init(HF_EDIT_MAX);
		const struct hf_value *list = answers_list(a, p->value, sorted);
		for (size_t i = 0; i < hf_list_len(list); i++)
			hf_buf_printf(&out, "%s%s", i == 0 ? "" : ", ", hf_list_at(list, i)->u.string.p);
		const char *text = hf_buf_dup(a, &out).p;
		hf_buf_done(&out);
		return text;
	}
	char *text = hf_str_dup(a, hf_value_text(a, p->value));
	for (char *q = text; strcmp(p->vtype, "boolean") == 0 && *q != '\0'; q++)
		*q = (char)(*q >= 'A' && *q <= 'Z' ? *q + 32 : *q);
	return text;
}

/* A password is never shown by debconf-show; the database itself says it. */
static const char *password_now(struct hf_module_context *c, const struct params *p)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_str text, line;
	const char *name = hf_sprintf(a, "Name: %s", p->question);
	bool ours = false;
	if (hf_fs_read(a, "/var/cache/debconf/passwords.dat", HF_EDIT_MAX, &text, NULL) < 0)
		return "";
	while (hf_str_split(&text, '\n', &line)) {
		if (hf_str_starts(line, "Name: "))
			ours = hf_str_is(line, name);
		else if (ours && hf_str_starts(line, "Value: "))
			return hf_strndup(a, line.p + 7, line.n - 7);
	}
	return "";
}

/* The order of a multiselect's answers does not count. */
static bool answers_same(struct hf_arena *a, const struct params *p, const char *have, const char *want)
{
	if (strcmp(p->vtype, "boolean") == 0)
		return strcasecmp(have, want) == 0;
	if (strcmp(p->vtype, "multiselect") != 0 || !hf_is_sequence(p->value))
		return strcmp(have, want) == 0;
	struct hf_str rest = hf_str(have), one;
	size_t n = 0;
	while (rest.n > 0 && hf_str_split(&rest, ',', &one)) {
		if (!hf_list_has(p->value, hf_str_dup(a, hf_str_trim(one))))
			return false;
		n++;
	}
	return n == hf_list_len(p->value);
}

static bool is_several(const struct params *p)
{
	return strcmp(p->vtype, "multiselect") == 0 && hf_is_sequence(p->value);
}

static void report(
	struct hf_module_context *c, const struct params *p, const struct state *s, struct hf_change *change)
{
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *current = hf_value_dict(a), *previous = hf_value_dict(a);
	bool secret = strcmp(p->vtype, "password") == 0;
	hf_dict_put(current, p->question,
		is_several(p) && hf_task_check_mode(c) ? answers_list(a, p->value, s->before != NULL)
						       : hf_value_cstr(a, secret ? "********" : s->value));
	hf_dict_put(previous, p->question, hf_value_cstr(a, secret || s->before == NULL ? "" : s->before));
	hf_result_put(c, change, "current", change->changed ? current : s->answers);
	if (change->changed) {
		hf_result_put(c, change, "previous", previous);
		hf_change_diff_values(c, change, previous, current);
	}
}

static int debconf_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct state *s = hf_new(a, struct state);
	change->state = s;
	hf_result_cstr(c, change, "msg", "");
	int r = answers_read(c, p->name, &s->answers, err);
	if (r < 0 || p->question == NULL) {
		if (r == 0)
			hf_result_put(c, change, "current", s->answers);
		return r;
	}
	s->before = hf_dict_cstr(s->answers, p->question, NULL);
	s->value = value_text(a, p, is_several(p) && s->before != NULL);
	if (s->before != NULL && strcmp(p->vtype, "password") == 0)
		s->before = password_now(c, p);
	change->changed = s->before == NULL || !answers_same(a, p, s->before, s->value);
	report(c, p, s, change);
	return 0;
}

static int answer_set(struct hf_module_context *c, bool unseen, const char *line, struct hf_error *err)
{
	struct hf_words w = hf_words(hf_task_arena(c), "debconf-set-selections", NULL);
	if (unseen)
		hf_words_add(&w, "-u");
	struct hf_proc_spec spec = { .argv = w.at, .input = hf_str(line), .umask = HF_PROC_KEEP_UMASK };
	struct hf_proc_result ran;
	int r = hf_task_run(c, &spec, &ran, err);
	if (r == 0 && ran.status != 0)
		r = hf_fail(err, HF_E_TASK, "%.*s", HF_STR_ARG(hf_str_trim(ran.err)));
	return r;
}

static int debconf_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	return answer_set(c, p->unseen == HF_YES,
		hf_sprintf(hf_task_arena(c), "%s %s %s %s\n", p->name, p->question, p->vtype, s->value), err);
}

static int debconf_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct params *p = params;
	const struct state *s = change->state;
	struct hf_arena *a = hf_task_arena(c);
	struct hf_value *step = hf_step(c, s->before == NULL ? "forget" : "answer");
	(void)err;
	hf_dict_put(step, "package", hf_value_cstr(a, p->name));
	hf_dict_put(step, "line",
		hf_value_with_flags(a,
			hf_value_cstr(a, hf_sprintf(a, "%s %s %s %s\n", p->name, p->question, p->vtype,
						 s->before == NULL ? "" : s->before)),
			HF_VALUE_SECRET));
	hf_dict_put(step, "question", hf_value_cstr(a, p->question));
	hf_undo_step(undo, step);
	return 0;
}

static int debconf_restore(struct hf_module_context *c, const struct hf_value *step, struct hf_error *err)
{
	struct hf_arena *a = hf_task_arena(c);
	if (strcmp(hf_step_text(step, "what"), "answer") == 0)
		return answer_set(c, false, hf_step_text(step, "line"), err);
	const char *const argv[] = { "debconf-communicate", hf_step_text(step, "package"), NULL };
	struct hf_proc_spec spec = { .argv = argv,
		.umask = HF_PROC_KEEP_UMASK,
		.input = hf_str(hf_sprintf(a, "UNREGISTER %s\n", hf_step_text(step, "question"))) };
	struct hf_proc_result ran;
	return hf_task_run(c, &spec, &ran, err);
}

static void debconf_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	(void)c;
	(void)params;
	hf_watch_path(w, "/var/cache/debconf/config.dat");
}

const struct hf_module hf_module_debconf = {
	.name = "debconf",
	.collection = "ansible.builtin",
	.schema = { args, rules, sizeof(struct params) },
	.check = debconf_check,
	.apply = debconf_apply,
	.undo = debconf_undo,
	.restore = debconf_restore,
	.watch = debconf_watch,
};
