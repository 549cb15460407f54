/* modules/pamd.c - rules of a PAM service: a file of /etc/pam.d. */
#include <errno.h>
#include <time.h>

#include "lib/base/scope.h"
#include "lib/base/vec.h"
#include "modules/file_content.h"
#include "modules/host.h"

enum { PAMD_ABSENT, PAMD_BEFORE, PAMD_AFTER, PAMD_ARGS_ABSENT, PAMD_ARGS_PRESENT, PAMD_UPDATED };
struct params {
	const char *name, *type, *control, *module_path, *new_type, *new_control, *new_module_path, *path;
	struct hf_value *module_arguments;
	int state, backup;
};
static const char *const states[] = { "absent", "before", "after", "args_absent", "args_present", "updated",
	NULL };
static const char *const types[] = { "account", "-account", "auth", "-auth", "password", "-password",
	"session", "-session", NULL };
#define AT(field) offsetof(struct params, field)
static const struct hf_arg args[] = {
	{ "name", HF_ARG_STR, AT(name), HF_REQUIRED, .help = "The service: its file's name, su." },
	{ "type", HF_ARG_STR, AT(type), HF_REQUIRED, .choices = types, .help = "Type of the rules meant." },
	{ "control", HF_ARG_STR, AT(control), HF_REQUIRED,
		.help = "Their control: a word, or [value=action …]." },
	{ "module_path", HF_ARG_STR, AT(module_path), HF_REQUIRED, .help = "Their module." },
	{ "new_type", HF_ARG_STR, AT(new_type), .choices = types,
		.help = "Type they get, or a new rule has." },
	{ "new_control", HF_ARG_STR, AT(new_control), .help = "Control they get, or a new rule has." },
	{ "new_module_path", HF_ARG_STR, AT(new_module_path), .help = "Module they get, or a new rule has." },
	{ "module_arguments", HF_ARG_LIST, AT(module_arguments), .elements = HF_ARG_STR,
		.help = "Arguments, also several in one text; [in brackets] is one." },
	{ "state", HF_ARG_ENUM, AT(state), .dflt = "updated", .choices = states,
		.help = "updated: the rules get what is new and just these arguments; args_present, "
			"args_absent: some arguments more or less; before, after: a new rule beside them; "
			"absent: "
			"they go." },
	{ "path", HF_ARG_PATH, AT(path), .dflt = "/etc/pam.d", .help = "Folder of the services." },
	{ "backup", HF_ARG_BOOL, AT(backup), .dflt = "false", .help = "Keep a dated copy of the old file." },
	{ .type = HF_ARG_END },
};
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
static const struct hf_rule rules[] = {
	{ HF_RULE_IF, NAMES("module_arguments"), .when = "state", .equals = "args_present" },
	{ HF_RULE_IF, NAMES("module_arguments"), .when = "state", .equals = "args_absent" },
	{ HF_RULE_IF, NAMES("new_control", "new_type", "new_module_path"), .when = "state",
		.equals = "before" },
	{ HF_RULE_IF, NAMES("new_control", "new_type", "new_module_path"), .when = "state",
		.equals = "after" },
	{ HF_RULE_END },
};
static const char *const controls[] = { "required", "requisite", "sufficient", "optional", "include",
	"substack", "definitive", NULL };
/* What a module returns, and what follows, between brackets. */
static const char *const values[] = { "success", "open_err", "symbol_err", "service_err", "system_err",
	"buf_err", "perm_denied", "auth_err", "cred_insufficient", "authinfo_unavail", "user_unknown",
	"maxtries", "new_authtok_reqd", "acct_expired", "session_err", "cred_unavail", "cred_expired",
	"cred_err", "no_module_data", "conv_err", "authtok_err", "authtok_recover_err", "authtok_lock_busy",
	"authtok_disable_aging", "try_again", "ignore", "abort", "authtok_expired", "module_unknown",
	"bad_item", "conv_again", "incomplete", "default", NULL };
static const char *const actions[] = { "ignore", "bad", "die", "ok", "done", "reset", NULL };
/* In the second line of a file, whoever wrote it. */
#define MARK "# Updated by Ansible"

struct words {
	const char **at;
	size_t n, room;
};
struct line {
	const char *text;  /* of what is no rule */
	bool rule, passed; /* passed: blank or a comment, which does not part two rules */
	const char *type, *control, *path;
	struct words args;
};
struct service {
	struct hf_arena *a;
	const struct params *p;
	HF_VEC(struct line) lines;
	struct line old, new; /* what the rules meant are, and what they become or get beside them */
	bool marked;          /* the second line was a mark, which is not among the lines */
	int64_t changes;
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_one_of(const char *const *list, struct hf_str word)
{
	while (*list != NULL && !hf_str_is(word, *list))
		list++;
	return *list != NULL;
}

/* The next word, or what a pair of brackets holds on a line; "" at the end. */
static const char *word_cut(struct hf_arena *a, struct hf_str *rest)
{
	*rest = hf_str_trim(*rest);
	size_t n = 0;
	if (rest->n > 0 && rest->p[0] == '[')
		while (n < rest->n && rest->p[n] != '\n' && (rest->p[n] != ']' || rest->p[n - 1] == '\\'))
			n++;
	if (n > 0 && n < rest->n && rest->p[n] == ']')
		n++;
	else
		for (n = 0; n < rest->n && !is_blank(rest->p[n]);)
			n++;
	const char *word = hf_strndup(a, rest->p, n);
	*rest = hf_strn(rest->p + n, rest->n - n);
	return word;
}

static void words_cut(struct hf_arena *a, struct hf_str rest, struct words *ret)
{
	for (const char *word; *(word = word_cut(a, &rest)) != '\0';)
		*hf_vec_push(a, ret) = word;
}

static const char *words_join(struct hf_arena *a, const struct words *w)
{
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	for (size_t i = 0; i < w->n; i++)
		hf_buf_printf(&out, " %s", w->at[i]);
	return hf_buf_dup(a, &out).p;
}

/* Brackets with one blank between what they hold, and none around "=". */
static const char *control_plain(struct hf_arena *a, const char *text)
{
	if (text[0] != '[')
		return text;
	char *out = hf_alloc(a, strlen(text) + 3);
	size_t n = 0;
	bool apart = false;
	out[n++] = '[';
	for (const char *p = text; *p != '\0'; p++) {
		bool blank = is_blank(*p);
		if (!blank && *p != '[' && *p != ']') {
			if (apart && *p != '=' && out[n - 1] != '=' && out[n - 1] != '[')
				out[n++] = ' ';
			out[n++] = *p;
			apart = false;
		}
		apart = apart || blank;
	}
	out[n++] = ']';
	out[n] = '\0';
	return out;
}

static struct line line_read(struct hf_arena *a, struct hf_str text)
{
	struct hf_str rest = hf_str_trim(text);
	struct line l = { .text = hf_str_dup(a, text) };
	l.passed = rest.n == 0 || rest.p[0] == '#';
	if (l.passed || rest.p[0] == '@')
		return l;
	l.type = word_cut(a, &rest);
	l.control = control_plain(a, word_cut(a, &rest));
	l.path = word_cut(a, &rest);
	l.rule = is_one_of(types, hf_str(l.type)) && *l.path != '\0';
	words_cut(a, rest, &l.args);
	return l;
}

static const char *line_text(struct hf_arena *a, const struct line *l)
{
	return l->rule ? hf_sprintf(a, "%-11s%s %s%s", l->type, l->control, l->path, words_join(a, &l->args))
		       : l->text;
}

static int brackets_check(struct hf_arena *a, const struct line *l, struct hf_error *err)
{
	struct hf_str rest = hf_strn(l->control + 1, strlen(l->control) - 2), pair;
	while (rest.n > 0 && hf_str_split(&rest, ' ', &pair)) {
		const char *equals = memchr(pair.p, '=', pair.n);
		uint64_t jump;
		struct hf_str value = equals == NULL ? pair : hf_strn(pair.p, (size_t)(equals - pair.p));
		struct hf_str action =
			equals == NULL ? HF_STR("") : hf_strn(equals + 1, pair.n - value.n - 1);
		if (!is_one_of(values, value))
			return hf_fail(err, HF_E_TASK, "Rule control value, %.*s, is not valid in rule %s",
				HF_STR_ARG(value), line_text(a, l));
		if (!is_one_of(actions, action) && !hf_str_to_uint64(action, &jump))
			return hf_fail(err, HF_E_TASK, "Rule control action, %.*s, is not valid in rule %s",
				HF_STR_ARG(action), line_text(a, l));
	}
	return 0;
}

static int line_check(struct hf_arena *a, const struct line *l, struct hf_error *err)
{
	struct hf_str text = hf_str(line_text(a, l));
	bool valid = hf_str_trim(text).n == 0 || hf_str_starts(text, "#") || hf_str_starts(text, "@include");
	if (l->rule)
		valid = *l->path != '\0' && l->path[strcspn(l->path, " \t\n\v\f\r")] == '\0';
	if (!valid)
		return hf_fail(err, HF_E_TASK, "Rule is not valid %s", text.p);
	if (!l->rule)
		return 0;
	if (l->control[0] == '[' && strcmp(l->control, "[]") != 0)
		return brackets_check(a, l, err);
	return is_one_of(controls, hf_str(l->control))
		       ? 0
		       : hf_fail(err, HF_E_TASK, "Rule control, %s, is not valid in rule %s", l->control,
				 text.p);
}

static bool same_rule(const struct line *a, const struct line *b)
{
	return a->rule && strcmp(a->type, b->type) == 0 && strcmp(a->control, b->control) == 0 &&
	       strcmp(a->path, b->path) == 0;
}

static bool take(const char **have, const char *wanted)
{
	bool differs = *wanted != '\0' && strcmp(*have, wanted) != 0;
	if (differs)
		*have = wanted;
	return differs;
}

static bool rule_update(const struct service *s, struct line *l)
{
	bool changed = take(&l->type, s->new.type);
	changed |= take(&l->control, s->new.control);
	changed |= take(&l->path, s->new.path);
	bool other = s->p->module_arguments != NULL &&
		     strcmp(words_join(s->a, &l->args), words_join(s->a, &s->new.args)) != 0;
	if (other)
		l->args = s->new.args;
	return changed || other;
}

static size_t key_length(const char *arg)
{
	return strcspn(arg, "=");
}

/* The last word that is this argument, or that gives its key a value; NULL: there is none. */
static const char **arg_find(const struct words *w, const char *arg)
{
	size_t n = key_length(arg) + (arg[key_length(arg)] == '='); /* with the sign, or the whole word */
	for (size_t i = w->n; i > 0; i--) {
		const char *have = w->at[i - 1];
		if (strncmp(have, arg, n) == 0 && (arg[n - 1] == '=' || have[n] == '\0'))
			return &w->at[i - 1];
	}
	return NULL;
}

/* Those without a value first, as Ansible's does. */
static bool args_add(const struct service *s, struct line *l)
{
	const struct words *wanted = &s->new.args;
	bool changed = false;
	for (int valued = 0; valued < 2; valued++) {
		for (size_t i = 0; i < wanted->n; i++) {
			const char *arg = wanted->at[i], **have = arg_find(&l->args, arg);
			bool given_again = arg_find(wanted, arg) != &wanted->at[i];
			if (given_again || (arg[key_length(arg)] == '=') != (valued == 1))
				continue;
			if (have == NULL)
				*hf_vec_push(s->a, &l->args) = arg;
			changed = changed || have == NULL || strcmp(*have, arg) != 0;
			if (have != NULL)
				*have = arg;
		}
	}
	return changed;
}

static bool word_listed(const struct words *w, const char *word)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->at[i], word) == 0)
			return true;
	return false;
}

static bool args_remove(const struct service *s, struct line *l)
{
	size_t left = 0, had = l->args.n;
	for (size_t i = 0; i < had; i++)
		if (!word_listed(&s->new.args, l->args.at[i]))
			l->args.at[left++] = l->args.at[i];
	l->args.n = left;
	return left < had;
}

static void line_insert(struct service *s, size_t at, struct line l)
{
	(void)hf_vec_push(s->a, &s->lines);
	memmove(s->lines.at + at + 1, s->lines.at + at, (s->lines.n - 1 - at) * sizeof(*s->lines.at));
	s->lines.at[at] = l;
}

static void line_remove(struct service *s, size_t at)
{
	memmove(s->lines.at + at, s->lines.at + at + 1, (s->lines.n - at - 1) * sizeof(*s->lines.at));
	s->lines.n--;
}

/* Is the next rule before or after this one the new one, whatever its arguments? So is this one itself. */
static bool has_beside(const struct service *s, size_t at)
{
	size_t step = s->p->state == PAMD_BEFORE ? (size_t)-1 : 1, i = at + step;
	while (i < s->lines.n && s->lines.at[i].passed)
		i += step;
	return (i < s->lines.n && same_rule(&s->lines.at[i], &s->new)) ||
	       strcmp(line_text(s->a, &s->lines.at[at]), line_text(s->a, &s->new)) == 0;
}

static void service_edit(struct service *s)
{
	static bool (*const edits[])(const struct service *s, struct line *l) = {
		[PAMD_UPDATED] = rule_update,
		[PAMD_ARGS_PRESENT] = args_add,
		[PAMD_ARGS_ABSENT] = args_remove,
	};
	int state = s->p->state;
	for (size_t i = 0; i < s->lines.n; i++) {
		if (!same_rule(&s->lines.at[i], &s->old))
			continue;
		if (state == PAMD_ABSENT) {
			line_remove(s, i--);
			s->changes++;
		} else if (edits[state] != NULL) {
			s->changes += edits[state](s, &s->lines.at[i]);
		} else if (!has_beside(s, i)) {
			line_insert(s, i + (state == PAMD_AFTER), s->new);
			s->changes++;
			i++;
		}
	}
}

static void service_read(struct service *s, struct hf_str text)
{
	const struct params *p = s->p;
	struct hf_str line;
	for (size_t i = 0; text.n > 0 && hf_str_split(&text, '\n', &line); i++) {
		s->marked = s->marked || (i == 1 && hf_str_starts(line, MARK));
		if (i != 1 || !s->marked)
			*hf_vec_push(s->a, &s->lines) = line_read(s->a, line);
	}
	s->old = (struct line){ .rule = true,
		.type = p->type,
		.control = control_plain(s->a, p->control),
		.path = p->module_path };
	s->new = (struct line){ .rule = true,
		.type = p->new_type == NULL ? "" : p->new_type,
		.control = p->new_control == NULL ? "" : control_plain(s->a, p->new_control),
		.path = p->new_module_path == NULL ? "" : p->new_module_path };
	for (size_t i = 0; p->module_arguments != NULL && i < hf_list_len(p->module_arguments); i++)
		words_cut(s->a, hf_value_text(s->a, hf_list_at(p->module_arguments, i)), &s->new.args);
}

/* A file of one line begins with an empty one, so that the mark is in the second. */
static int service_write(const struct service *s, struct hf_buf *out, struct hf_error *err)
{
	struct timespec now;
	struct tm tm;
	char date[sizeof("2026-01-02T03:04:05") + 16];
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	const char *mark = hf_sprintf(s->a, "%s - %s.%06ld\n", MARK, date, now.tv_nsec / 1000);
	bool alone = s->lines.n + s->marked <= 1;
	if (alone)
		hf_buf_printf(out, "\n%s", mark);
	for (size_t i = 0; i < s->lines.n; i++) {
		hf_buf_printf(out, "%s\n", line_text(s->a, &s->lines.at[i]));
		if (i == 0 && !alone)
			hf_buf_puts(out, mark);
	}
	return hf_buf_check(out, "the service's file", err);
}

struct work {
	struct hf_edit file;
	const char *backup; /* NULL: none is to be made */
};

static int work_open(
	struct hf_module_context *c, const struct params *p, struct work *w, struct hf_error *err)
{
	const char *path = hf_path_join(hf_task_arena(c), p->path, p->name);
	struct stat st;
	int number = stat(path, &st) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
	if (number != 0)
		return hf_fail(err, HF_E_TASK,
			"Unable to open/read PAM module file %s with error [Errno %d] %s: '%s'.", path,
			number, strerror(number), path);
	int r = hf_edit_open_text(c, path, 0644, &w->file, err);
	if (r == 0 && w->file.before.n > 0 && memchr(w->file.before.p, '\0', w->file.before.n) != NULL)
		return hf_fail(err, HF_E_TASK, "%s is no text: it holds a zero byte", path);
	return r;
}

static int pamd_check(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct params *p = params;
	struct hf_arena *a = hf_task_arena(c);
	struct work *w = hf_new(a, struct work);
	struct service s = { .a = a, .p = p };
	change->state = w;
	int r = work_open(c, p, w, err);
	if (r < 0)
		return r;
	service_read(&s, w->file.before);
	for (size_t i = 0; p->state == PAMD_ARGS_PRESENT && i < s.new.args.n; i++)
		if (s.new.args.at[i][0] == '[')
			return hf_fail(err, HF_E_TASK,
				"Unable to process bracketed '[' complex arguments with 'args_present'. "
				"Please use 'updated'.");
	service_edit(&s);
	for (size_t i = 0; r == 0 && i < s.lines.n; i++)
		r = line_check(a, &s.lines.at[i], err);
	hf_auto_buf out = hf_buf_init(HF_EDIT_MAX);
	if (r == 0 && s.changes > 0)
		r = service_write(&s, &out, err);
	if (r < 0)
		return r;
	if (s.changes > 0)
		hf_edit_set(c, &w->file, &out);
	hf_edit_describe(c, change, &w->file);
	if (p->backup == HF_YES && s.changes > 0)
		w->backup = hf_file_backup_name(a, w->file.path);
	hf_result_int(c, change, "change_count", s.changes);
	hf_result_cstr(c, change, "backupdest", "");
	return 0;
}

static int pamd_apply(
	struct hf_module_context *c, const void *params, struct hf_change *change, struct hf_error *err)
{
	const struct work *w = change->state;
	(void)params;
	int r = w->backup != NULL ? hf_file_backup(w->file.path, w->backup, err) : 0;
	if (r == 0 && w->backup != NULL)
		hf_result_cstr(c, change, "backupdest", w->backup);
	return r < 0 ? r : hf_edit_write(&w->file, err);
}

static int pamd_undo(struct hf_module_context *c, const void *params, const struct hf_change *change,
	struct hf_undo *undo, struct hf_error *err)
{
	const struct work *w = change->state;
	(void)c;
	(void)params;
	int r = w->backup != NULL ? hf_undo_file(undo, w->backup, err) : 0;
	return r < 0 ? r : hf_edit_undo(undo, &w->file, err);
}

static void pamd_watch(struct hf_module_context *c, const void *params, struct hf_watches *w)
{
	const struct params *p = params;
	hf_watch_path(w, hf_path_join(hf_task_arena(c), p->path, p->name));
}

const struct hf_module hf_module_pamd = {
	.name = "pamd",
	.collection = "community.general",
	.schema = { args, rules, sizeof(struct params) },
	.check = pamd_check,
	.apply = pamd_apply,
	.undo = pamd_undo,
	.watch = pamd_watch,
};
